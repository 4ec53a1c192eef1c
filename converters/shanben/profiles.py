"""Profiles: what kind of document a text is, told by its evidence, and what the rules do in such a document.

A profile may set levels, limits and the parameters of steps, nothing else. Which one is chosen follows from the
evidence alone; when that is weak or speaks for two, the choice is `plain`, which leaves every rule as its file says.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from shanben.columns.lines import cells, ends_sentence, measure, printed_lines
from shanben.errors import RuleTimeoutError
from shanben.ledger import ProfileChoice, Sign
from shanben.presence import Index, Presence
from shanben.rulebook.gates import Gate, gate_of
from shanben.rulebook.patterns import compiled
from shanben.rulebook.schema import PROTECT_FOLDER, Level, Limit, ParamValue, Place, Rule, Rulebook
from shanben.rulebook.search import hits_in, lines_with

if TYPE_CHECKING:
    from shanben.rulebook.strict_yaml import Entry, Scalar

PLAIN = "plain"
ENOUGH = 6
"""Points that a profile needs to be chosen."""
LEAD = 2
"""Points by which it must be ahead of every other."""
MOST_POINTS = 5
"""No single evidence may decide alone."""
SAMPLE = 20_000
"""Of a long text so many characters are looked at from its beginning, and as many from its end."""
LONGEST_LINE = 400
"""Longer lines are cut for the patterns, so that no pattern has to go far."""
SECONDS = 2.0
"""Time that one pattern may take on such a sample."""
MOST_HITS = 99
"""Hits of a pattern are counted up to this number."""


class Evidence(NamedTuple):
    """One sign of a kind of document. ``least`` is a number of hits, with ``measure`` a share (0..1)."""

    reason: str
    points: int
    match: str = ""
    measure: str = ""
    least: float = 1.0


class Setting(NamedTuple):
    """What is set for the rules that ``name`` means: an id, a pattern of ids, or a pattern after a folder.

    ``said`` are the parameters as they are written, until they have been read for the step of their rule.
    """

    name: str
    place: Place
    level: Level | None = None
    params: Mapping[str, ParamValue] = {}
    drop: float | None = None
    hits: int | None = None
    said: Mapping[str, Entry] | None = None

    def means(self, rule: Rule) -> bool:
        """Tell whether the setting speaks of a rule."""
        folder, slash, ids = self.name.rpartition("/")
        return fnmatchcase(rule.id, ids) and (not slash or folder == rule.phase)


class Profile(NamedTuple):
    """A named choice: what speaks for it, and what it sets, in order; of two settings the later holds."""

    name: str
    place: Place
    about: str
    about_zh: str = ""
    extends: Scalar | None = None
    evidence: tuple[Evidence, ...] = ()
    settings: tuple[Setting, ...] = ()


# --- What a text says --------------------------------------------------------------------------------------


class _Sample(NamedTuple):
    """The part of a text that is looked at, the same with long lines cut, and its lines that are not empty."""

    text: str
    cut: str
    lines: tuple[str, ...]

    @classmethod
    def of(cls, content: str) -> _Sample:
        text = content if len(content) <= 2 * SAMPLE else f"{content[:SAMPLE]}\n{content[-SAMPLE:]}"
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        every = text.split("\n")
        cut = "\n".join(part for line in every for part in _parts(line))
        return cls(text, cut, tuple(filter(None, map(str.strip, every))))


def _parts(line: str) -> Sequence[str]:
    """Cut a line that is too long for the patterns."""
    return [line[at : at + LONGEST_LINE] for at in range(0, len(line), LONGEST_LINE)] or (line,)


def _broken_lines(sample: _Sample) -> float:
    """Give the share of printed lines that keep to one measure and break inside a sentence."""
    pieces, _ = printed_lines(sample.text)
    lines = [sample.text[p.start : p.end] for p in pieces]
    width, _ = measure(map(cells, lines))
    if len(lines) < 12 or not width:
        return 0.0
    return sum(abs(cells(line) - width) <= 2 and not ends_sentence(line) for line in lines) / len(lines)


def _dialogue(sample: _Sample) -> float:
    """Give the share of lines that begin with an opening quotation mark."""
    return _share(sample, lambda line: line[0] in '“「"')


def _short_lines(sample: _Sample) -> float:
    """Give the share of lines of at most six characters without a mark: menus, buttons."""
    return _share(sample, lambda line: len(line) <= 6 and line.isalnum())


def _share(sample: _Sample, holds: Callable[[str], bool]) -> float:
    return sum(map(holds, sample.lines)) / len(sample.lines) if len(sample.lines) >= 12 else 0.0


MEASURES: Mapping[str, Callable[[_Sample], float]] = {
    "broken-lines": _broken_lines,
    "dialogue": _dialogue,
    "short-lines": _short_lines,
}
"""What can be measured on a text; each gives a share from 0 to 1, and 0 for a text with few lines."""


def judge(content: str, profiles: Mapping[str, Profile]) -> ProfileChoice:
    """Choose a profile for a decoded text. Raises RuleTimeoutError for a pattern that does not come to an end.

    >>> judge("一段文字。", {}).name
    'plain'
    """
    sample = _Sample.of(content)
    asked = [(name, evidence) for name, profile in profiles.items() for evidence in profile.evidence]
    index = _index_of(tuple(evidence.match for _, evidence in asked))
    presence = Presence(sample.cut, index)
    found: dict[str, list[Sign]] = {name: [] for name, profile in profiles.items() if profile.evidence}
    measured = {name: round(MEASURES[name](sample), 3) for name in {e.measure for _, e in asked if e.measure}}
    for (name, evidence), may in zip(asked, presence.open, strict=True):
        if not may:
            continue
        count = (
            measured[evidence.measure] if evidence.measure else _hits(evidence, profiles[name], sample, presence.held)
        )
        if count >= evidence.least:
            found[name].append(Sign(evidence.reason, count, evidence.points))
    points = {name: sum(sign.points for sign in signs) for name, signs in found.items()}
    ranked = [name for name in sorted(points, key=lambda n: (-points[n], n)) if points[name] > 0]
    first, second = (*ranked[:2], *("", ""))[:2]
    best, next_best = points.get(first, 0), points.get(second, 0)
    chosen = first if best >= ENOUGH and best - next_best >= LEAD else PLAIN
    other, other_points = (second, next_best) if chosen == first else (first, best)
    return ProfileChoice(
        name=chosen,
        how="evidence",
        points=points.get(chosen, 0),
        evidence=tuple(found.get(chosen, ())) if chosen == first else (),
        runner_up=other,
        runner_up_points=other_points,
        runner_up_evidence=tuple(found.get(other, ())),
    )


@lru_cache(maxsize=8)
def _index_of(patterns: tuple[str, ...]) -> Index:
    return Index.of(gate_of(pattern) if pattern else Gate() for pattern in patterns)


def _hits(evidence: Evidence, profile: Profile, sample: _Sample, held: Container[str]) -> int:
    try:
        pattern = compiled(evidence.match)
        lines = lines_with(evidence.match, sample.cut, held)
        return sum(1 for _ in islice(hits_in(pattern, sample.cut, lines, 0, SECONDS), MOST_HITS))
    except TimeoutError:
        raise RuleTimeoutError(
            f"the evidence {evidence.reason!r} did not come to an end within {SECONDS:.0f} s on this text",
            where=str(profile.place),
            fix="simplify its pattern (nested repeats are the usual cause)",
        ) from None


# --- What a profile does to the rules ------------------------------------------------------------------------


def apply_profile(book: Rulebook, profile: Profile) -> Rulebook:
    """Give the rulebook with the levels, limits and parameters that a profile sets."""
    return book._replace(rules=tuple(_set(rule, profile.settings) for rule in book.rules))


def _set(rule: Rule, settings: Sequence[Setting]) -> Rule:
    if rule.phase == PROTECT_FOLDER:
        return rule
    level, limit, params = rule.level, rule.limit, rule.params
    for setting in settings:
        if setting.means(rule):
            drop = limit.drop if setting.drop is None else setting.drop
            hits = limit.hits if setting.hits is None else setting.hits
            level, limit, params = setting.level or level, Limit(drop, hits), {**params, **setting.params}
    if (level, limit, params) == (rule.level, rule.limit, rule.params):
        return rule
    return rule._replace(level=level, limit=limit, params=params)
