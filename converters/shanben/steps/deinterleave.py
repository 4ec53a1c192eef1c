r"""Put lines and columns back into reading order: every repair a move, with its evidence.

The search is in `shanben.columns`; this step turns the order that it finds into moves of whole printed lines,
and into line ends where cells stood side by side. No character but white space is added or lost.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from shanben.columns.lines import may_hold_columns, printed_lines
from shanben.lazy import lazy_regex
from shanben.ledger import Change, Finding, Held, Suggestion
from shanben.steps import Step
from shanben.values import Text

if TYPE_CHECKING:
    from shanben.columns.evidence import Evidence
    from shanben.columns.order import Reordered

_CONTEXT = 8
_GOES_ON = 0.5
"""Nats: a joint below is none."""


class Params(NamedTuple):
    """What a rule file may set.

    least: printed lines that a text must have. price: nats that any repair must be worth before it counts; the
    smaller, the bolder. threshold: nats that undoing a whole interleaved page must gain. model: the file of a
    joint model of your own (`shanben train-joints`); empty: the one that ships.
    """

    least: int = 8
    price: float = 9.0
    threshold: float = 15.0
    model: str = ""


def deinterleave(text: Text, params: Params) -> Iterator[Finding]:
    r"""Find the lines that stand in the wrong place.

    >>> list(deinterleave(Text.of("不忘初心\n牢记使命"), Params()))
    []
    """
    held: list[Held] = []
    found = []
    for start, end in _parts(text.content):
        for finding in _in_part(text.content[start:end], params):
            if isinstance(finding, Held):
                held.append(finding)
            else:
                found.append(_shifted(finding, start))
    yield from found or held[:1]


LONGEST_PART = 50_000
"""Characters of a text that are looked at together; what belongs together on a page stands nearer than that."""
_BORDERS = tuple(lazy_regex(p) for p in (r"\f", r"\n[ \u3000]*\n", r"[。！？”」』]\n", r"\n"))


def _parts(content: str) -> Iterator[tuple[int, int]]:
    """Cut a long text in parts where a page ends, else at an empty line, a full stop, or a line end."""
    start = 0
    while len(content) - start > LONGEST_PART:
        middle, end = start + LONGEST_PART // 2, start + LONGEST_PART
        found = (max((m.end() for m in border.finditer(content, middle, end)), default=0) for border in _BORDERS)
        cut = next(filter(None, found), 0) or content.find("\n", end) + 1
        if not cut:
            break
        yield start, cut
        start = cut
    yield start, len(content)


def _shifted(finding: Change | Suggestion, by: int) -> Change | Suggestion:
    if not by:
        return finding
    if isinstance(finding, Change) and finding.to is not None:
        return finding._replace(start=finding.start + by, to=finding.to + by)
    return finding._replace(start=finding.start + by)


def _in_part(content: str, params: Params) -> Iterator[Change | Suggestion | Held]:
    pieces, width = printed_lines(content)
    if not may_hold_columns(content, pieces, width, params.least):
        return
    from shanben.columns.order import Settings, reorder  # NumPy and the model, only for texts that need them

    settings = Settings(least=params.least, price=params.price, threshold=params.threshold, model=params.model)
    found = reorder(content, settings)
    if found.evidence is None:
        if found.note:
            yield Held(found.note)
        return
    order = list(found.order)
    if order != sorted(order) or _side_by_side(found):
        yield from _changes(found, found.evidence, order)
    yield from _suggestions(found, found.evidence)


def _side_by_side(found: Reordered) -> bool:
    """Tell whether two pieces in a row stand in one text line although they are of different columns."""
    return found.note == "columns" and any(
        "\n" not in found.source[a.end : b.start] for a, b in itertools.pairwise(found.pieces)
    )


# --- an order as changes -------------------------------------------------------------------------------------


def _changes(found: Reordered, evidence: Evidence, order: Sequence[int]) -> Iterator[Change]:
    """Give the moves and the white space edits that bring the pieces into the order.

    The longest part of the text that is in order already stays where it is. Moved pieces are put before the next
    piece that stays, each with the white space that stood behind it unless another is needed there.
    """
    pieces, source = found.pieces, found.source
    stays = _longest_in_order(order, [p.end - p.start for p in pieces])
    gaps = [*(source[a.end : b.start] for a, b in itertools.pairwise(pieces)), ""]
    wanted = _wanted_gaps(found, evidence, order, gaps)
    reasons = _reasons(found, evidence, order, stays)
    to = pieces[-1].end
    targets: dict[int, int] = {}
    for i in reversed(order):
        if i in stays:
            to = pieces[i].start
        else:
            targets[i] = to
    block: Change | None = None
    for i in order:
        p, gap, want = pieces[i], gaps[i], wanted[i]
        if i in stays:
            if block:
                yield block
                block = None
            if gap != want:
                yield Change(p.end, gap, want)
            continue
        gain, reason = reasons[i]
        body = source[p.start : p.end] + (gap if gap == want else "")
        if block and block.end == p.start and block.to == targets[i] and block.reason == reason:
            block = block._replace(before=block.before + body, after=block.after + body)
        else:
            if block:
                yield block
            block = Change(p.start, body, body, to=targets[i], gain=gain, reason=reason)
        if gap != want:
            yield block
            block = None
            if gap:
                yield Change(p.end, gap, "")
            if want:
                yield Change(targets[i], "", want)
    if block:
        yield block


def _longest_in_order(order: Sequence[int], weight: Sequence[int]) -> set[int]:
    """Give the heaviest set of pieces that stand in the right order already, and so need not move."""
    best_end: list[int] = []  # piece numbers, ascending
    best_sum: list[int] = []  # weight of the best chain that ends at or before it, ascending
    chain: dict[int, int] = {}
    for i in order:
        at = bisect_left(best_end, i)
        total = weight[i] + (best_sum[at - 1] if at else 0)
        chain[i] = best_end[at - 1] if at else -1
        end = at
        while end < len(best_end) and best_sum[end] <= total:
            end += 1
        best_end[at:end] = [i]
        best_sum[at:end] = [total]
    stays: set[int] = set()
    i = best_end[-1] if best_end else -1
    while i >= 0:
        stays.add(i)
        i = chain[i]
    return stays


def _wanted_gaps(found: Reordered, evidence: Evidence, order: Sequence[int], gaps: Sequence[str]) -> dict[int, str]:
    """Give the white space that each piece needs behind it in the new order.

    Where single lines were put back each keeps its own. Where columns were dealt a line end stands after every
    printed line, and an empty line only after a short one that had it: blank lines between all rows say nothing.
    """
    lines = [g for g in gaps[:-1] if "\n" in g]
    usual = max(set(lines), key=lines.count) if lines else "\n"
    wanted = {}
    for place, i in enumerate(order):
        gap = gaps[i]
        if place == len(order) - 1:
            want = ""
        elif found.note == "columns":
            want = "\n\n" if evidence.short[i] and gap.count("\n") > 1 else "\n"
        else:
            want = gap or usual
        wanted[i] = want
    return wanted


# --- the evidence in words -----------------------------------------------------------------------------------

_WHY = {
    "move": "these lines continue and are continued better here",
    "swap": "two runs of lines had changed places",
    "weave": "every second line belongs to another column",
    "zip": "every second line had been set into the next column",
    "columns": "the page was read across its columns",
}


def _reasons(
    found: Reordered, evidence: Evidence, order: Sequence[int], stays: set[int]
) -> dict[int, tuple[float, str]]:
    """Give gain and reason of every piece that moves; pieces that move together share both."""
    said: dict[int, tuple[float, str]] = {}
    for repair in found.repairs:
        for i in repair.lines:
            said[i] = (repair.gain, _WHY.get(repair.reason, repair.reason))
    place = {i: k for k, i in enumerate(order)}
    out: dict[int, tuple[float, str]] = {}
    run: list[int] = []
    for i in [*(i for i in order if i not in stays), -1]:
        if run and (i < 0 or i != run[-1] + 1 or place[i] != place[run[-1]] + 1):
            gain, why = said.get(run[0], (None, _WHY["columns"]))
            change, words = _joints(evidence, order, place, run)
            for j in run:
                out[j] = (round(change if gain is None else gain, 2), f"{why}; {words}")
            run = []
        if i >= 0:
            run.append(i)
    return out


def _joints(evidence: Evidence, order: Sequence[int], place: dict[int, int], run: Sequence[int]) -> tuple[float, str]:
    """Weigh the joints at both ends of a run, as found and in the new order. Returns the difference and words."""
    first, last = run[0], run[-1]
    pairs = [
        (first - 1, first) if first else None,
        (last, last + 1) if last + 1 < evidence.n else None,
        (order[place[first] - 1], first) if place[first] else None,
        (last, order[place[last] + 1]) if place[last] + 1 < len(order) else None,
    ]
    known = [p for p in pairs if p]
    value = dict(zip(known, evidence.pairs(known), strict=True))
    said = [f"“{_end(evidence, p[0])}|{_head(evidence, p[1])}” {value[p]:+.1f}" if p else "" for p in pairs]
    change = sum(value[p] * sign for p, sign in zip(pairs, (-1, -1, 1, 1), strict=True) if p)
    return change, f"was {' '.join(filter(None, said[:2]))}, is {' '.join(filter(None, said[2:]))}"


def _end(evidence: Evidence, i: int) -> str:
    return evidence.texts[i][-_CONTEXT:]


def _head(evidence: Evidence, i: int) -> str:
    return evidence.texts[i][:_CONTEXT]


def _suggestions(found: Reordered, evidence: Evidence) -> Iterator[Suggestion]:
    """Give what was not sure enough to be done, and the places where text seems to be lost for good."""
    for repair in found.proposals:
        first = found.pieces[min(repair.lines)]
        body = found.source[first.start : first.end]
        yield Suggestion(first.start, body, body, f"{_WHY.get(repair.reason, repair.reason)}, perhaps", repair.gain)
    if found.note == "columns":
        return
    torn = [
        (a, b)
        for a, b in itertools.pairwise(found.order)
        if not evidence.short[a]
        and not evidence.ends[a]
        and found.source[found.pieces[a].end : found.pieces[a].end + 4].count("\n") > 1
    ]
    for (a, _), score in zip(torn, evidence.pairs(torn), strict=True):
        if score < _GOES_ON:
            at = found.pieces[a].end
            yield Suggestion(
                at, "", "", "cut: a full line stops here in the middle of a sentence, and no line goes on", score
            )


STEP = Step("deinterleave", deinterleave, Params, lasting=True, costly=True)
