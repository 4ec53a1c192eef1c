r"""The ledger: every change with its place, before, after and cause; exact replay and exact undo.

A ledger is a list of passes. A pass is what one unit (rule or step) changed in one go; all its changes are
given in offsets of the text that the unit was handed. Apply and undo compute nothing: they only put what
was written down where it was written down, and refuse a text that does not fit.

>>> move = Change(0, "甲\n", "甲\n", to=4)
>>> apply_changes("甲\n乙\n丙", [move])
'乙\n甲\n丙'
>>> undo_changes("乙\n甲\n丙", [move])
'甲\n乙\n丙'
"""

from __future__ import annotations

import codecs
import itertools
import json
import math
import operator
import typing
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args

from shanben.errors import LedgerError
from shanben.lazy import lazy_re
from shanben.values import Decoding, Mark, Segment

FORMAT = 1
MAX_PASSES = 20_000
"""More passes than rules times rounds can make: a ledger that has them was made to waste time."""
How = Literal["evidence", "named"]


class Change(NamedTuple):
    """One edit. ``start`` and ``to`` are code points of the text that the unit was given.

    With ``to``, ``before`` (equal to ``after``) is taken out at ``start`` and put in before ``to``.
    ``gain`` is the evidence in nats where a unit has it; ``reason`` in words where the rule does not say all.
    """

    start: int
    before: str
    after: str
    to: int | None = None
    gain: float | None = None
    reason: str = ""

    @property
    def end(self) -> int:
        """Give the end of ``before`` in the text that the unit was given."""
        return self.start + len(self.before)

    @property
    def kind(self) -> Literal["substitute", "supply", "delete", "move"]:
        """Name the kind of change after the four classical faults."""
        if self.to is not None:
            return "move"
        if not self.before:
            return "supply"
        return "substitute" if self.after else "delete"


class Capture(NamedTuple):
    """A fact found in the text, for the metadata. ``field`` is a Dublin Core term."""

    start: int
    field: str
    value: str


class Suggestion(NamedTuple):
    """A place where the unit would act but must not, with the reason. Nothing is edited."""

    start: int
    before: str
    after: str
    reason: str
    gain: float | None = None


class Held(NamedTuple):
    """A unit that was held back as a whole in this text (a limit, an invariant), with the reason."""

    reason: str


Finding = Change | Capture | Suggestion | Mark | Held


class Pass(NamedTuple):
    """What one unit changed in one go. ``round`` counts from 1: the plan is repeated until all is at rest."""

    unit: str
    phase: str
    digest: str
    round: int
    changes: Sequence[Change]


class _Columns(Sequence[Change]):
    """Many changes of which nothing is to be said but place, before and after, as three columns: an eighth of the memory.

    A text that comes again and again, as a comma does, is held once. Changes are made anew each time one is asked for.
    """

    def __init__(self, changes: Sequence[Change]) -> None:
        words: dict[str, str] = {}
        self._starts = array("q", (c.start for c in changes))
        self._before = _once([words.setdefault(c.before, c.before) for c in changes])
        self._after = _once([words.setdefault(c.after, c.after) for c in changes])

    def __len__(self) -> int:
        return len(self._starts)

    def __iter__(self) -> Iterator[Change]:
        before, after = (itertools.repeat(c) if isinstance(c, str) else c for c in (self._before, self._after))
        return map(Change, self._starts, before, after)

    @typing.overload
    def __getitem__(self, index: int) -> Change: ...
    @typing.overload
    def __getitem__(self, index: slice) -> Sequence[Change]: ...
    def __getitem__(self, index: int | slice) -> Change | Sequence[Change]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        before, after = (c if isinstance(c, str) else c[index] for c in (self._before, self._after))
        return Change(self._starts[index], before, after)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Columns | tuple) and len(self) == len(other) and all(map(operator.eq, self, other))

    def __hash__(self) -> int:
        return hash(tuple(self))


MANY = 256
"""Changes of one pass from which on they are kept as columns."""


def kept(changes: Sequence[Change]) -> Sequence[Change]:
    """Give changes in the form in which a pass keeps them."""
    return _Columns(changes) if len(changes) >= MANY and _are_plain(changes) else tuple(changes)


def _are_plain(changes: Iterable[Change]) -> bool:
    """Tell whether nothing is to be said of changes but place, before and after."""
    return not any(c.to is not None or c.gain is not None or c.reason for c in changes)


def _once(column: list[str]) -> str | list[str]:
    return column[0] if len(set(column)) == 1 else column


class Note(NamedTuple):
    """A capture, suggestion or hold-back as it stands in the ledger. Line and column in the source, from 1."""

    unit: str
    line: int
    column: int
    finding: Capture | Suggestion | Held


class Sign(NamedTuple):
    """One evidence for or against a profile: in words, how often or how much of it, and what it counts."""

    reason: str
    measure: float
    points: int


class ProfileChoice(NamedTuple):
    """Which profile was chosen, and why. ``then`` names those that the clean text itself asked for afterwards."""

    name: str
    how: How
    points: int = 0
    evidence: tuple[Sign, ...] = ()
    runner_up: str = ""
    runner_up_points: int = 0
    runner_up_evidence: tuple[Sign, ...] = ()
    then: tuple[str, ...] = ()


class Suppressed(NamedTuple):
    """A finding that the work itself refuses, with the reason that it gives. Line and column in the source."""

    unit: str
    line: int
    column: int
    before: str
    after: str
    reason: str


class Ledger(NamedTuple):
    """All that happened between the bytes of a source and its clean text."""

    source_sha256: str
    source_size: int
    decoding: Decoding
    rulebook_digest: str
    version: str
    passes: tuple[Pass, ...] = ()
    notes: tuple[Note, ...] = ()
    marks: tuple[Mark, ...] = ()
    text_sha256: str = ""
    extra: Mapping[str, Any] = {}
    profile: ProfileChoice | None = None
    suppressed: tuple[Suppressed, ...] = ()

    @property
    def change_count(self) -> int:
        """Count the changes of all passes."""
        return sum(len(p.changes) for p in self.passes)

    def counts(self) -> dict[str, int]:
        """Count the changes of each unit, in order of first appearance."""
        found: dict[str, int] = {}
        for p in self.passes:
            found[p.unit] = found.get(p.unit, 0) + len(p.changes)
        return found

    def replay(self, text: str) -> str:
        """Give the clean text of the decoded source ``text``. Raises LedgerError if it does not fit."""
        for p in self.passes:
            text = apply_changes(text, p.changes, unit=p.unit)
        return text

    def revert(self, text: str) -> str:
        """Give the decoded source of the clean ``text``. Raises LedgerError if it does not fit."""
        for p in reversed(self.passes):
            text = undo_changes(text, p.changes, unit=p.unit)
        return text


def _edits(changes: Iterable[Change]) -> Iterable[tuple[int, str, str, int]]:
    """Turn changes into plain (start, before, after, −1), moves into a removal and an insertion, in text order.

    The fourth of an insertion tells where the moved text came from. Insertions at one place keep their order.
    """
    changes = changes if isinstance(changes, Sequence) else tuple(changes)
    if all(c.to is None for c in changes) and all(a.end <= b.start for a, b in itertools.pairwise(changes)):
        return ((c.start, c.before, c.after, -1) for c in changes)  # so it mostly is: nothing need be held or sorted
    edits = []
    for c in changes:
        if c.to is None:
            edits.append((c.start, c.before, c.after, -1))
        else:
            if c.before != c.after:
                raise LedgerError(f"a move at offset {c.start} changes its text")
            edits += [(c.start, c.before, "", -1), (c.to, "", c.after, c.start)]
    # An insertion at the place where a removal begins stands before it.
    edits.sort(key=lambda e: (e[0], len(e[1]) > 0))
    end = 0
    for start, before, _, _ in edits:
        if start < end:
            raise LedgerError(f"two changes overlap at offset {start}")
        end = start + len(before)
    return edits


def apply_changes(text: str, changes: Iterable[Change], *, unit: str = "") -> str:
    """Give ``text`` with all ``changes`` made at once. Raises LedgerError where ``before`` does not stand."""
    out, at = [], 0
    for start, before, after, _ in _edits(changes):
        if start < 0 or text[start : start + len(before)] != before or start > len(text):
            raise _misfit(unit, start, before, text[start : start + len(before)] if start >= 0 else "")
        out += [text[at:start], after]
        at = start + len(before)
    out.append(text[at:])
    return "".join(out)


def undo_changes(text: str, changes: Iterable[Change], *, unit: str = "") -> str:
    """Give the text from before ``changes``. Raises LedgerError where ``after`` does not stand."""
    out, at, shift = [], 0, 0
    for start, before, after, _ in _edits(changes):
        place = start + shift
        if place < 0 or text[place : place + len(after)] != after or place > len(text):
            raise _misfit(unit, place, after, text[place : place + len(after)] if place >= 0 else "")
        out += [text[at:place], before]
        at = place + len(after)
        shift += len(after) - len(before)
    out.append(text[at:])
    return "".join(out)


def _misfit(unit: str, place: int, wanted: str, found: str) -> LedgerError:
    return LedgerError(
        f"the ledger does not fit this text: {unit or 'a change'} at offset {place} expects {wanted[:40]!r}, "
        f"the text has {found[:40]!r}",
        fix="use the text and the ledger of the same build, unchanged",
    )


class OffsetMap:
    """Offsets before and after one pass, both ways."""

    def __init__(self, changes: Sequence[Change]) -> None:
        self._before, self._after = array("q"), array("q")
        self._taken, self._put, self._origins = array("q"), array("q"), array("q")
        arrivals: dict[int, int] = {}
        shift = 0
        for index, (start, before, after, origin) in enumerate(_edits(changes)):
            self._before.append(start)
            self._after.append(start + shift)
            self._taken.append(len(before))
            self._put.append(len(after))
            self._origins.append(origin)
            shift += len(after) - len(before)
            if origin >= 0:
                arrivals[origin] = index
        self._moves = sorted((c.start, c.end, arrivals[c.start]) for c in changes if c.to is not None)
        self._starts = [start for start, _, _ in self._moves]

    def forward(self, offset: int) -> int:
        """Give the new place of a character; inside an edit, as far in as the new text reaches.

        An offset at an insertion stays behind it. A moved character is followed to where it went.
        """
        move = bisect_right(self._starts, offset) - 1
        if move >= 0 and offset < self._moves[move][1]:
            return self._after[self._moves[move][2]] + offset - self._moves[move][0]
        index = bisect_right(self._before, offset) - 1
        if index < 0:
            return offset
        start, taken, put, place = self._before[index], self._taken[index], self._put[index], self._after[index]
        if offset < start + taken:
            return place + min(offset - start, max(put - 1, 0))
        return place + put + offset - start - taken

    def back(self, offset: int) -> int:
        """Give the old place of a character; inside new text, as far in as the old text reached."""
        # The last edit with new text at or before the offset may hold the character; later ones only removed.
        index = bisect_right(self._after, offset) - 1
        if index < 0:
            return offset
        holder = index
        while holder > 0 and not self._put[holder] and self._after[holder - 1] == self._after[holder]:
            holder -= 1
        for i in {holder, index}:
            inside = offset - self._after[i]
            if inside < self._put[i]:
                origin = self._origins[i]
                return origin + inside if origin >= 0 else self._before[i] + min(inside, max(self._taken[i] - 1, 0))
        return self._before[index] + self._taken[index] + offset - self._after[index] - self._put[index]


class Origins:
    """The way back from the text of any pass to the source; maps are made when they are first asked for."""

    def __init__(self, passes: Sequence[Pass]) -> None:
        self._passes = passes
        self._maps: list[OffsetMap] = []

    def of(self, offset: int, before_pass: int) -> int:
        """Give the source offset of a character of the text before pass ``before_pass``.

        A character that was put in by a pass is placed where that pass put it.
        """
        for p in self._passes[len(self._maps) : before_pass]:
            self._maps.append(OffsetMap(p.changes))
        for places in reversed(self._maps[:before_pass]):
            offset = places.back(offset)
        return offset


def map_marks(marks: Iterable[Mark], changes: Sequence[Change]) -> tuple[Mark, ...]:
    """Give the marks at their places after ``changes``."""
    marks = tuple(marks)
    if not marks:
        return marks
    places = OffsetMap(changes)
    return tuple(m._replace(start=places.forward(m.start)) for m in marks)


# --- as JSON lines -----------------------------------------------------------------------------------------

_SURROGATE = lazy_re("[\ud800-\udfff]")


def dump(value: Mapping[str, Any]) -> str:
    """Write one line of JSON; lone surrogates are escaped, all else stands as it is."""
    line = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # U+2028 and U+2029 would end a line for some readers.
    line = line.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("\x85", "\\u0085")
    return _SURROGATE.sub(lambda m: f"\\u{ord(m.group()):04x}", line)


def _filled(pairs: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in pairs.items() if v not in (None, "")}


def _counted(passes: Sequence[Pass], notes: Sequence[Note], marks: Sequence[Mark]) -> dict[str, int]:
    """Count the lines of each kind, so that a ledger that was cut off can be told from a whole one."""
    changes = sum(len(p.changes) for p in passes)
    return {"passes": len(passes), "changes": changes, "notes": len(notes), "marks": len(marks)}


def to_jsonl(ledger: Ledger, *, compact: bool = False) -> str:
    """Write the ledger as JSON lines: one header, then passes with their changes, notes and marks.

    ``compact`` puts the changes of a pass into its own line, as columns: a fifth of the size, and of the time.
    docs/ledger.md describes the format, `shanben ledger schema` prints its JSON Schema.
    """
    d = ledger.decoding
    lines = [
        dump({
            "shanben-ledger": FORMAT,
            "version": ledger.version,
            "rulebook": ledger.rulebook_digest,
            "source": {"sha256": ledger.source_sha256, "size": ledger.source_size},
            "decoding": {
                "encoding": d.encoding,
                "confidence": d.confidence,
                "evidence": list(d.evidence),
                "segments": [
                    [s.start, s.end, s.encoding] if s.raw is None else [s.start, s.end, s.encoding, s.raw.hex()]
                    for s in d.segments
                ],
            },
            "text": {"sha256": ledger.text_sha256},
            "counts": _counted(ledger.passes, ledger.notes, ledger.marks),
            **_header(ledger),
            **ledger.extra,
        })
    ]  # fmt: skip
    for number, p in enumerate(ledger.passes):
        head: dict[str, Any] = {"pass": number, "unit": p.unit, "phase": p.phase, "digest": p.digest, "round": p.round}
        columns = _columns(p.changes) if compact else None
        lines.append(dump(head | (columns or {})))
        if columns:
            continue
        lines += [
            dump(
                {"at": c.start, "before": c.before, "after": c.after}
                | _filled({"to": c.to, "gain": c.gain, "reason": c.reason})
            )
            for c in p.changes
        ]
    for note in ledger.notes:
        f = note.finding
        said: dict[str, Any]
        if isinstance(f, Capture):
            said = {"capture": f.field, "value": f.value, "at": f.start}
        elif isinstance(f, Suggestion):
            said = {"suggest": f.reason, "before": f.before, "after": f.after, "at": f.start}
            said |= _filled({"gain": f.gain})
        else:
            said = {"held": f.reason}
        lines.append(dump(said | {"unit": note.unit, "line": note.line, "column": note.column}))
    lines += [dump({"mark": m.kind, "at": m.start, "level": m.level, "unit": m.unit}) for m in ledger.marks]
    return "\n".join(lines) + "\n"


def _columns(changes: Sequence[Change]) -> dict[str, Any] | None:
    """Give changes as columns: how far each begins behind the one before, and what was and is there, once where it
    is the same in all. None for changes of which more is to be said (moves, gains, reasons)."""
    starts = [c.start for c in changes]
    if not _are_plain(changes) or starts != sorted(starts):
        return None
    at = [b - a for a, b in zip([0, *starts], starts, strict=False)]
    return {"at": at, "before": _once([c.before for c in changes]), "after": _once([c.after for c in changes])}


def _read_columns(entry: Mapping[str, Any]) -> list[Change]:
    at = entry["at"]
    if not isinstance(at, list) or not at:
        raise TypeError("a list of offsets is wanted")
    columns = []
    for column in (entry["before"], entry["after"]):
        words = [column] * len(at) if isinstance(column, str) else column
        if not isinstance(words, list) or len(words) != len(at):
            raise ValueError("the columns of a pass are not equally long")
        columns.append(words)
    starts = itertools.accumulate(map(_whole, at))
    return [
        Change(_whole(start), _word(before), _word(after))
        for start, before, after in zip(starts, *columns, strict=True)
    ]


def _header(ledger: Ledger) -> dict[str, Any]:
    """Give what the header says only where there is something to say: the profile, what was suppressed."""
    said: dict[str, Any] = {}
    if ledger.profile:
        p = ledger.profile
        said["profile"] = {"name": p.name, "how": p.how, "points": p.points, "evidence": plain_signs(p.evidence)}
        if p.runner_up:
            said["profile"] |= {
                "runner-up": {
                    "name": p.runner_up,
                    "points": p.runner_up_points,
                    "evidence": plain_signs(p.runner_up_evidence),
                }
            }
        if p.then:
            said["profile"] |= {"then": list(p.then)}
    if ledger.suppressed:
        said["suppressed"] = [s._asdict() for s in ledger.suppressed]
    return said


def plain_signs(signs: Iterable[Sign]) -> list[dict[str, Any]]:
    """Give signs as plain values."""
    return [{"reason": s.reason, "count": s.measure, "points": s.points} for s in signs]


def _read_signs(entries: Iterable[Mapping[str, Any]]) -> tuple[Sign, ...]:
    return tuple(Sign(_word(e["reason"]), _number(e["count"]), _points(e["points"])) for e in entries)


def _read_profile(entry: Mapping[str, Any] | None) -> ProfileChoice | None:
    if entry is None:
        return None
    if entry["how"] not in get_args(How):
        raise ValueError("a profile is named, or chosen by evidence")
    other = entry.get("runner-up", {})
    return ProfileChoice(
        name=_word(entry["name"]),
        how=entry["how"],
        points=_points(entry["points"]),
        evidence=_read_signs(entry["evidence"]),
        runner_up=_word(other.get("name", "")),
        runner_up_points=_points(other.get("points", 0)),
        runner_up_evidence=_read_signs(other.get("evidence", ())),
        then=tuple(map(_word, entry.get("then", ()))),
    )


def _read_suppressed(entry: Mapping[str, Any]) -> Suppressed:
    places = _whole(entry["line"]), _whole(entry["column"])
    words = _word(entry["before"]), _word(entry["after"]), _word(entry["reason"])
    return Suppressed(_word(entry["unit"]), *places, *words)


def from_jsonl(data: str) -> Ledger:
    """Read a ledger back. Raises LedgerError, naming the line, for anything that `to_jsonl` cannot have written."""
    number = 0
    try:
        lines = iter(enumerate(data.split("\n"), 1))
        number, first = next(lines)
        header = _load(first)
        if _whole(header.pop("shanben-ledger")) != FORMAT:
            raise LedgerError("the ledger has a format that this version cannot read", fix="use a newer version")
        decoding, counts = header.pop("decoding"), header.pop("counts", None)
        source, text = header.pop("source"), header.pop("text")
        segments = tuple(
            Segment(_whole(s[0]), _whole(s[1]), _codec(s[2]), bytes.fromhex(s[3]) if len(s) > 3 else None)
            for s in decoding["segments"]
        )
        version, rulebook = _word(header.pop("version")), _word(header.pop("rulebook"))
        profile = _read_profile(header.pop("profile", None))
        suppressed = tuple(map(_read_suppressed, header.pop("suppressed", ())))
        passes: list[tuple[dict[str, Any], list[Change]]] = []
        notes, marks = [], []
        for number, line in lines:  # noqa: B007 - named in the error below
            if not line:
                continue
            entry = _load(line)
            if "pass" in entry:
                if _whole(entry["pass"]) != len(passes):
                    raise LedgerError("a pass is missing or out of order", fix=_FIX)
                if len(passes) == MAX_PASSES:
                    raise LedgerError(f"the ledger has more than {MAX_PASSES} passes", fix=_FIX)
                passes.append((entry, _read_columns(entry) if "at" in entry else []))
            elif "mark" in entry:
                marks.append(
                    Mark(_whole(entry["at"]), _word(entry["mark"]), _whole(entry["level"]), _word(entry["unit"]))
                )
            elif "unit" in entry:
                notes.append(_note(entry))
            else:
                to = entry.get("to")
                passes[-1][1].append(
                    Change(
                        _whole(entry["at"]), _word(entry["before"]), _word(entry["after"]),
                        None if to is None else _whole(to), _nats(entry.get("gain")), _word(entry.get("reason", "")),
                    )
                )  # fmt: skip
        ledger = Ledger(
            source_sha256=_word(source["sha256"]),
            source_size=_whole(source["size"]),
            decoding=Decoding(
                _word(decoding["encoding"]),
                _share(decoding["confidence"]),
                tuple(_word(said) for said in decoding["evidence"]),
                segments,
            ),
            rulebook_digest=rulebook,
            version=version,
            passes=tuple(
                Pass(_word(p["unit"]), _word(p["phase"]), _word(p["digest"]), _whole(p["round"]), kept(changes))
                for p, changes in passes
            ),
            notes=tuple(notes),
            marks=tuple(marks),
            text_sha256=_word(text["sha256"]),
            extra=header,
            profile=profile,
            suppressed=suppressed,
        )
        if counts is not None and counts != _counted(ledger.passes, ledger.notes, ledger.marks):
            raise LedgerError("lines are missing, or there are too many: the numbers in line 1 differ", fix=_FIX)
        return ledger
    except LedgerError as error:
        raise LedgerError(error.what, where=error.where or f"line {number}", fix=error.fix) from None
    except (TypeError, ValueError, AttributeError, RecursionError, StopIteration, LookupError, OverflowError) as error:
        raise LedgerError(
            f"this is no ledger, or it was damaged ({type(error).__name__}: {str(error)[:200]})",
            where=f"line {number}",
            fix=_FIX,
        ) from None


_FIX = "take the ledger.jsonl of the same build"
_SLOW_CODECS = frozenset({"idna", "punycode"})


def _load(line: str) -> dict[str, Any]:
    """Read one line of strict JSON: an object without equal keys, no NaN, no infinite number."""
    entry = json.loads(line, parse_constant=_refuse_constant, object_pairs_hook=_unique)
    if not isinstance(entry, dict):
        raise TypeError("an object is wanted")
    return entry


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entry = dict(pairs)
    if len(entry) < len(pairs):
        raise ValueError("a key stands twice")
    return entry


def _codec(value: object) -> str:
    """Take the name of an encoding, but not one that needs the square of the time."""
    name = _word(value)
    if name != "bad" and codecs.lookup(name).name in _SLOW_CODECS:
        raise ValueError(f"{name} is no encoding of documents")
    return name


def _nats(value: object) -> float | None:
    return None if value is None else _number(value)


def _share(value: object) -> float:
    number = _number(value)
    if not 0 <= number <= 1:
        raise ValueError("a confidence from 0 to 1 is wanted")
    return float(number)


def _whole(value: object) -> int:
    if type(value) is not int or not 0 <= value < 1 << 40:
        raise ValueError("an offset is wanted")
    return value


def _points(value: object) -> int:
    if type(value) is not int:
        raise ValueError("a number of points is wanted")
    return value


def _number(value: object) -> float:
    if type(value) not in (int, float) or not math.isfinite(typing.cast(float, value)):
        raise ValueError("a finite number is wanted")
    return typing.cast(float, value)


def _word(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is wanted")
    return value


def _note(entry: dict[str, Any]) -> Note:
    finding: Capture | Suggestion | Held
    if "capture" in entry:
        finding = Capture(_whole(entry["at"]), _word(entry["capture"]), _word(entry["value"]))
    elif "suggest" in entry:
        finding = Suggestion(
            _whole(entry["at"]),
            _word(entry["before"]),
            _word(entry["after"]),
            _word(entry["suggest"]),
            _nats(entry.get("gain")),
        )
    else:
        finding = Held(_word(entry["held"]))
    return Note(_word(entry["unit"]), _whole(entry["line"]), _whole(entry["column"]), finding)
