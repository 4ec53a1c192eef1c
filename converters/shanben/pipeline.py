"""The order of work on one screen: decode, run the plan until all is at rest, write down what happened."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from pathlib import Path

from shanben.decode import decode, encode
from shanben.errors import LedgerError, RuleError, UsageError
from shanben.ledger import (
    Capture,
    Change,
    Finding,
    Held,
    Ledger,
    Note,
    OffsetMap,
    Origins,
    Pass,
    Suggestion,
    apply_changes,
    map_marks,
)
from shanben.resources import rules_root
from shanben.rulebook.apply import Unit, findings, in_order, make_guards, make_unit, resolve_near
from shanben.rulebook.load import load_rules
from shanben.rulebook.schema import PHASES, Rulebook
from shanben.steps import all_steps
from shanben.values import Decoding, Guard, Mark, Segment, Source, Text, with_marks

MAX_ROUNDS = 40
"""Rounds after which rules that still keep changing a text are an error; two or three are the rule."""
CLEANING = PHASES[:-1]
OWN_PHASE = "works"
"""Where rules run that lie at the top of a user's folder: last, so that they see the text as it comes out."""
_SURROGATE = re.compile("[\ud800-\udfff]")


def version() -> str:
    """Give the version of the installed package."""
    try:
        return installed_version("shanben")
    except PackageNotFoundError:
        return "0+unknown"


@dataclass(frozen=True, slots=True)
class Plan:
    """The resolved order of work: which units run in which phase, and what is protected."""

    rulebook: Rulebook
    cleaning: tuple[Unit, ...]
    structure: tuple[Unit, ...]
    guards: dict[str, Guard]
    digest: str

    @property
    def units(self) -> tuple[Unit, ...]:
        """Give all units in the order in which they run."""
        return self.cleaning + self.structure

    def faults(self, language: str = "en") -> dict[str, str]:
        """Give the fault that each unit mends, by id; in Chinese with ``zh`` where the rule says it."""
        return {u.id: (u.rule.fault_zh if language == "zh" else "") or u.rule.fault for u in self.units}


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A clean text with all that led to it.

    ``text`` is what `shanben clean` writes. ``ledger`` turns it back into the source, byte for byte.
    """

    source: Source
    text: str
    ledger: Ledger
    marks: tuple[Mark, ...]
    guards: dict[str, Guard]

    @property
    def captures(self) -> tuple[Capture, ...]:
        """Give the facts that rules found, in the order in which they stand in the source."""
        notes = sorted(self.ledger.notes, key=lambda n: (n.line, n.column))
        return tuple(n.finding for n in notes if isinstance(n.finding, Capture))

    @property
    def suggestions(self) -> tuple[Note, ...]:
        """Give the places where a unit was in doubt and edited nothing."""
        return tuple(n for n in self.ledger.notes if isinstance(n.finding, Suggestion))


@lru_cache(maxsize=32)
def _rulebook(layers: tuple[str, ...], work: str | None) -> Rulebook:
    book = load_rules(rules_root(), work=work, shown_as="rules")
    for layer in layers:
        path = Path(layer)
        if not path.is_dir():
            what = "this is a file, not a folder of rules" if path.is_file() else "there is no such rule folder"
            raise UsageError(what, where=layer, fix="give the folder that holds the files with --rules")
        book = load_rules(path, layer=layer, base=book, work=work, flat_phase=OWN_PHASE)
    return book


def plan(layers: Sequence[str | Path] = (), work: str | None = None) -> Plan:
    """Resolve the order of work for the shipped rules, further rule folders and one work's own rules.

    Raises RuleError with all faults of all files.
    """
    return _plan(tuple(str(p) for p in layers), work)


@lru_cache(maxsize=32)
def _plan(layers: tuple[str, ...], work: str | None) -> Plan:
    return make_plan(_rulebook(layers, work))


def make_plan(book: Rulebook) -> Plan:
    """Resolve the order of work for one rulebook."""
    resolved = resolve_near(book)
    phases = {
        phase: in_order(make_unit(r) for r in resolved.rules if r.phase == phase and r.level != "off")
        for phase in PHASES
    }
    return Plan(
        rulebook=book,
        cleaning=tuple(u for phase in CLEANING for u in phases[phase]),
        structure=tuple(phases["structure"]),
        guards=make_guards(resolved),
        digest=book.digest,
    )


def clean(
    source: str | bytes | Source,
    *,
    encoding: str | None = None,
    rules: Sequence[str | Path] = (),
    work: str | None = None,
    name: str = "",
) -> Cleaned:
    """Clean one document.

    ``source`` is a text, its bytes in any encoding, or a Source. ``encoding`` overrules detection.
    ``rules`` are folders laid over the shipped rules; ``work`` names the work whose own rules apply.
    Raises SourceError (empty, binary), EncodingError (undecided), RuleError (faulty rules).

    >>> cleaned = clean("会议强调,要抓好落实;守住底线.")
    >>> cleaned.text
    '会议强调，要抓好落实；守住底线。'
    >>> revert(cleaned.text, cleaned.ledger).decode()
    '会议强调,要抓好落实;守住底线.'
    """
    content, decoding, origin = _decoded(source, encoding, name)
    return run(origin, content, decoding, plan(rules, work))


def _decoded(source: str | bytes | Source, encoding: str | None, name: str) -> tuple[str, Decoding, Source]:
    if isinstance(source, str):
        data = source.encode("utf-8", "surrogatepass")
        segments, at = [], 0
        for m in _SURROGATE.finditer(source):
            if m.start() > at:
                segments.append(Segment(at, m.start(), "utf-8"))
            segments.append(Segment(*m.span(), "bad", m.group().encode("utf-8", "surrogatepass")))
            at = m.end()
        if at < len(source) or not segments:
            segments.append(Segment(at, len(source), "utf-8"))
        decoding = Decoding("text", 1.0, ("given as text",), tuple(segments))
        return _SURROGATE.sub("\ufffd", source), decoding, Source(name or "text", data)
    origin = source if isinstance(source, Source) else Source(name or "bytes", source)
    content, decoding = decode(origin.data, encoding=encoding, name=origin.name)
    return content, decoding, origin


def run(source: Source, content: str, decoding: Decoding, steps: Plan) -> Cleaned:
    """Run a plan on a decoded text until a further round would change nothing (the law of rest)."""
    text = Text(content, guards=steps.guards)
    passes: list[Pass] = []
    captured: list[tuple[str, Capture, int]] = []
    last: list[tuple[str, Finding, int]] = []
    lasting: list[tuple[str, Finding, int]] = []
    ends: dict[str, tuple[int, int, Text]] = {content: (0, 0, text)}
    for round_number in range(1, MAX_ROUNDS + 1):
        count = len(passes)
        last = []
        for unit in steps.cleaning:
            found = findings(unit, text)
            changes = tuple(f for f in found if isinstance(f, Change))
            captured += [(unit.id, f, len(passes)) for f in found if isinstance(f, Capture)]
            last += [(unit.id, f, len(passes)) for f in found if isinstance(f, Suggestion | Held)]
            if round_number == 1 and unit.rule.step and all_steps()[unit.rule.step].lasting:
                lasting += [(unit.id, f, len(passes)) for f in found if isinstance(f, Suggestion)]
            text = with_marks(text, (f for f in found if isinstance(f, Mark)))
            if changes:
                passes.append(Pass(unit.id, unit.rule.phase, unit.rule.digest, round_number, changes))
                text = replace(
                    text,
                    content=apply_changes(text.content, changes, unit=unit.id),
                    marks=map_marks(text.marks, changes),
                )
        if len(passes) == count:
            break
        if text.content in ends:  # rules undo each other: of the texts in the circle the first in order stays
            circle = list(ends)[list(ends).index(text.content) :]
            stop, stop_captured, text = ends[min(circle)]
            passes, captured = passes[:stop], captured[:stop_captured]
            break
        ends[text.content] = (len(passes), len(captured), text)
    else:
        busy = sorted({p.unit for p in passes if p.round == MAX_ROUNDS})
        raise RuleError(
            f"these rules keep changing the text after {MAX_ROUNDS} rounds: {', '.join(busy)}",
            where=source.name,
            fix="set one of them to `level: off`, or narrow its `match`",
        )
    for unit in steps.structure:
        found = findings(unit, text)
        captured += [(unit.id, f, len(passes)) for f in found if isinstance(f, Capture)]
        text = with_marks(text, (f for f in found if isinstance(f, Mark)))
    ledger = Ledger(
        source_sha256=source.sha256,
        source_size=len(source.data),
        decoding=decoding,
        rulebook_digest=steps.digest,
        version=version(),
        passes=tuple(passes),
        notes=_notes(captured, [*lasting, *last], passes, content),
        marks=text.marks,
        text_sha256=text_digest(text.content),
    )
    return Cleaned(source, text.content, ledger, text.marks, steps.guards)


def text_digest(text: str) -> str:
    """Give the SHA-256 of a text in UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _notes(
    captured: Iterable[tuple[str, Capture, int]],
    others: Iterable[tuple[str, Finding, int]],
    passes: Sequence[Pass],
    content: str,
) -> tuple[Note, ...]:
    """Turn findings into notes with their place in the source; a fact found again is noted once."""
    source = Text.of(content)
    origins = Origins(passes)

    def place(offset: int, before_pass: int) -> tuple[int, int]:
        return source.place(min(origins.of(offset, before_pass), len(content)))

    maps: dict[int, OffsetMap] = {}
    notes: dict[tuple[object, ...], Note] = {}
    for unit, finding, at in [*captured, *others]:
        if isinstance(finding, Capture):
            notes.setdefault((unit, finding.field, finding.value), Note(unit, *place(finding.start, at), finding))
        elif isinstance(finding, Suggestion):
            end = finding.start
            for p in passes[at:]:
                if id(p) not in maps:
                    maps[id(p)] = OffsetMap(p.changes)
                end = maps[id(p)].forward(end)
            line, column = place(finding.start, at)
            notes[(unit, line, column, finding.before)] = Note(unit, line, column, replace(finding, start=end))
        elif isinstance(finding, Held):
            notes[(unit,)] = Note(unit, 1, 1, finding)
    return tuple(notes.values())


def revert(text: str, ledger: Ledger) -> bytes:
    """Give the bytes of the source from a clean text and its ledger.

    Raises LedgerError when the two do not belong together.
    """
    content = ledger.revert(text)
    at = 0
    for segment in ledger.decoding.segments:  # a foreign ledger may claim anything
        if segment.start != at or segment.end < at:
            raise LedgerError("the ledger's decoding has gaps or overlaps", fix="take the ledger of the same build")
        at = segment.end
    if at != len(content):
        raise LedgerError("the ledger's decoding is not that of this text", fix="take the ledger of the same build")
    try:
        data = encode(content, ledger.decoding)
    except (UsageError, ValueError, LookupError) as error:
        raise LedgerError(
            f"the ledger's decoding does not fit this text ({str(error)[:80]})", fix="take the ledger of the same build"
        ) from None
    if hashlib.sha256(data).hexdigest() != ledger.source_sha256:
        raise LedgerError(
            "the bytes that come out are not those of the source (their SHA-256 differs)",
            fix="use the text and the ledger of the same build, unchanged",
        )
    return data
