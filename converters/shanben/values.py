"""The frozen values that pass between the stages. Offsets are code points, never bytes."""

from __future__ import annotations

import hashlib
import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, Literal, NamedTuple, get_args, overload

BlockKind = Literal[
    "title", "subtitle", "byline", "part", "chapter", "heading", "paragraph", "item", "verse",
    "salutation", "signature", "date", "separator",
]  # fmt: skip
BLOCK_KINDS: tuple[BlockKind, ...] = get_args(BlockKind)
HEADING_KINDS: tuple[BlockKind, ...] = ("title", "part", "chapter", "heading")
DEFAULT_LANGUAGE = "zh-Hans"


class Span(NamedTuple):
    """A stretch ``[start, end)`` of a text."""

    start: int
    end: int


class _Spans(Sequence[Span]):
    """Spans kept as two arrays of numbers: of a long text in a tenth of the memory that the spans themselves need."""

    def __init__(self, starts: array[int], ends: array[int]) -> None:
        self.starts, self.ends = starts, ends

    def __len__(self) -> int:
        return len(self.starts)

    @overload
    def __getitem__(self, index: int) -> Span: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Span]: ...
    def __getitem__(self, index: int | slice) -> Span | Sequence[Span]:
        if isinstance(index, slice):
            return _Spans(self.starts[index], self.ends[index])
        return Span(self.starts[index], self.ends[index])

    def __iter__(self) -> Iterator[Span]:
        return map(Span, self.starts, self.ends)


_LONG = 1_000_000
"""Characters from which on a text keeps its spans as numbers."""


def _line_spans(content: str) -> Sequence[Span]:
    """Give the spans of all lines; those of a short text are kept for the next unit, which mostly sees the same."""
    if len(content) < _LONG:
        return _spans_of_lines(content)
    ends = array("q", (m.start() for m in re.finditer("\n", content)))
    ends.append(len(content))
    starts = array("q", [0])
    starts.extend(end + 1 for end in ends[:-1])
    return _Spans(starts, ends)


@lru_cache(maxsize=4)
def _spans_of_lines(content: str) -> tuple[Span, ...]:
    spans, start = [], 0
    for line in content.split("\n"):
        spans.append(Span(start, start + len(line)))
        start += len(line) + 1
    return tuple(spans)


class Segment(NamedTuple):
    """Characters ``[start, end)`` of the decoded text and how to get their bytes back.

    ``raw`` holds the bytes themselves where ``encoding`` cannot give them back (bad bytes, odd escapes).
    """

    start: int
    end: int
    encoding: str
    raw: bytes | None = None


class Decoding(NamedTuple):
    """How bytes became characters: the decision, its evidence, and all that is needed to undo it.

    ``confidence`` is 0..1. ``evidence`` says in words, in order, what was tried and found.
    """

    encoding: str
    confidence: float
    evidence: tuple[str, ...] = ()
    segments: tuple[Segment, ...] = ()

    @property
    def bad_bytes(self) -> int:
        """How many bytes no encoding explained; each stands as U+FFFD in the text."""
        return sum(len(s.raw) for s in self.segments if s.encoding == "bad" and s.raw)


class SourceFields(NamedTuple):
    """What makes a Source."""

    name: str
    data: bytes


class Source(SourceFields):
    """The bytes that we start from, exactly as received."""

    @cached_property
    def sha256(self) -> str:
        """Give the hexadecimal SHA-256 of the bytes."""
        return hashlib.sha256(self.data).hexdigest()


class Mark(NamedTuple):
    """A statement about the line that holds ``start``: it is a heading, a byline, … ``level`` 0: not told."""

    start: int
    kind: str
    level: int = 0
    unit: str = ""


Guard = Callable[[str], Sequence[Span]]
"""Finds protected spans in a text. One that has a true attribute ``by_line`` finds the same line by line."""
_MANY_LINES = 20
_BARE, _COVERED = 1, 2


class Memory:
    """The protected spans of lines, by what the lines say, so that each is looked at once; most lines have none.

    It goes on from one state of a text to the next, and forgets all when it holds too much.
    """

    most = 100_000
    """Lines and spans that are remembered."""

    def __init__(self) -> None:
        self._bits: dict[str, int] = {}
        self._without: dict[str, int] = {}
        self._spans: dict[tuple[str, str], tuple[Span, ...]] = {}

    def mask(self, kinds: Iterable[str]) -> int:
        """Give the number that stands for some kinds of spans, a bit each."""
        return sum(self._bits.setdefault(kind, 1 << len(self._bits)) for kind in kinds)

    def is_bare(self, words: str, mask: int) -> bool:
        """Tell whether a line is known to have no span of the kinds that a mask stands for."""
        return self._without.get(words, 0) & mask == mask

    def spans(self, kind: str, guard: Guard, words: str) -> tuple[Span, ...]:
        """Give the spans of one kind in a line, from its beginning."""
        bit = self.mask((kind,))
        if self.is_bare(words, bit):
            return ()
        spans = self._spans.get((kind, words))
        if spans is None:
            if len(self._without) + len(self._spans) >= self.most:
                self._without.clear()
                self._spans.clear()
            spans = tuple(sorted(guard(words)))
            if spans:
                self._spans[kind, words] = spans
            else:
                self._without[words] = self._without.get(words, 0) | bit
        return spans


class Text:
    r"""A decoded text with what units may ask of it: lines, protected spans, marks so far.

    >>> t = Text.of("甲\n乙丙")
    >>> [t.content[s.start:s.end] for s in t.lines], t.place(2)
    (['甲', '乙丙'], (2, 1))

    ``held`` are characters and pairs of characters that the text may hold, of those that somebody asks for; None: not
    known. Nothing of a Text is ever changed.
    """

    def __init__(
        self,
        content: str,
        marks: tuple[Mark, ...] = (),
        guards: Mapping[str, Guard] | None = None,
        held: Container[str] | None = None,
        memory: Memory | None = None,
    ) -> None:
        self.content = content
        self.marks = marks
        self.guards = guards or {}
        self.held = held
        self.memory = Memory() if memory is None else memory

    @classmethod
    def of(cls, content: str, **guards: Guard) -> Text:
        """Make a text from a string, with protected spans by name."""
        return cls(content, guards=guards)

    def but(self, **parts: Any) -> Text:
        """Give the same text but for some parts of it; what lines hold is remembered."""
        own = {name: getattr(self, name) for name in ("content", "marks", "guards", "held", "memory")}
        return Text(**own | parts)

    @cached_property
    def lines(self) -> Sequence[Span]:
        r"""Give the spans of all lines without their ``\n``. An empty text has one empty line."""
        return _line_spans(self.content)

    @cached_property
    def filled_lines(self) -> Sequence[Span]:
        """Give the spans of the lines that hold more than blanks."""
        filled = (s for s in self.lines if not self.content[s.start : s.end].isspace() and s.end > s.start)
        if not isinstance(self.lines, _Spans):
            return tuple(filled)
        starts, ends = array("q"), array("q")
        for span in filled:
            starts.append(span.start)
            ends.append(span.end)
        return _Spans(starts, ends)

    @cached_property
    def _line_starts(self) -> Sequence[int]:
        return self.lines.starts if isinstance(self.lines, _Spans) else [s.start for s in self.lines]

    def line_at(self, offset: int) -> int:
        """Give the index of the line that holds ``offset``."""
        return bisect_right(self._line_starts, offset) - 1

    def place(self, offset: int) -> tuple[int, int]:
        """Give line and column of an offset, both from 1."""
        index = self.line_at(offset)
        return index + 1, offset - self._line_starts[index] + 1

    @cached_property
    def _spans(self) -> dict[str, tuple[Span, ...]]:
        return {}

    def protected(self, kind: str) -> tuple[Span, ...]:
        """Give the protected spans of one kind (``url``, ``redaction``, …), in order; none if unknown."""
        if kind not in self._spans:
            guard = self.guards.get(kind)
            self._spans[kind] = tuple(sorted(guard(self.content))) if guard else ()
        return self._spans[kind]

    def protected_near(self, kind: str, start: int, end: int) -> Sequence[Span]:
        """Give protected spans of one kind, in order: at least those that touch ``[start, end)``."""
        guard = self._by_line.get(kind)
        if guard is None or kind in self._spans:
            return self.protected(kind)
        first = self.line_at(start)
        last = first if end <= self.lines[first].end else self.line_at(end)
        if last - first > _MANY_LINES:
            return self.protected(kind)
        found: list[Span] = []
        for line in self.lines[first : last + 1]:
            spans = self.memory.spans(kind, guard, self.content[line.start : line.end])
            found += [Span(line.start + s.start, line.start + s.end) for s in spans]
        return found

    @cached_property
    def _by_line(self) -> dict[str, Guard]:
        """Give the guards that find in a line what they find there in the whole text."""
        return {kind: guard for kind, guard in self.guards.items() if getattr(guard, "by_line", False)}

    def covers(self, kinds: tuple[str, ...], start: int, end: int) -> bool:
        """Tell whether ``[start, end)`` cuts or touches the inside of a protected span of some kinds (see `overlaps`).

        What a line has of them is found out once: most lines have none.
        """
        index = self.line_at(start)
        line = self.lines[index]
        if end > line.end:
            return any(overlaps(self.protected_near(kind, start, end), start, end) for kind in kinds)
        known = self._known.get(kinds)
        if known is None:
            known = self._known[kinds] = bytearray(len(self.lines))
        if not known[index]:
            near = self._near(kinds, line)
            known[index] = _COVERED if near else _BARE
            if near:
                self._found[kinds, index] = near
        return known[index] == _COVERED and any(overlaps(spans, start, end) for spans in self._found[kinds, index])

    @cached_property
    def _known(self) -> dict[tuple[str, ...], bytearray]:
        return {}

    @cached_property
    def _found(self) -> dict[tuple[tuple[str, ...], int], list[Sequence[Span]]]:
        return {}

    def _near(self, kinds: tuple[str, ...], line: Span) -> list[Sequence[Span]]:
        """Give the protected spans in a line, of each kind that has any there."""
        mask, others = self._parted(kinds)
        if not others and self.memory.is_bare(self.content[line.start : line.end], mask):
            return []
        found = (self.protected_near(kind, line.start, line.end) for kind in kinds)
        return [spans for spans in found if spans and overlaps(spans, line.start, line.end + 1)]

    def _parted(self, kinds: tuple[str, ...]) -> tuple[int, bool]:
        """Give the mask of the kinds that are found by line, and whether the text has spans of the others."""
        parted = self._masks.get(kinds)
        if parted is None:
            by_line = [kind for kind in kinds if kind in self._by_line]
            others = any(self.protected(kind) for kind in kinds if kind not in self._by_line)
            parted = self._masks[kinds] = self.memory.mask(by_line), others
        return parted

    @cached_property
    def _masks(self) -> dict[tuple[str, ...], tuple[int, bool]]:
        return {}


def overlaps(spans: Sequence[Span], start: int, end: int) -> bool:
    """Tell whether ``[start, end)`` cuts or touches the inside of one of ``spans`` (sorted, disjoint).

    An empty stretch (an insertion) overlaps a span when it lies strictly inside it.
    """
    index = bisect_right(spans, Span(start, 1 << 62))
    if index and spans[index - 1].end > start and not (start == end == spans[index - 1].start):
        return True
    return index < len(spans) and spans[index].start < end


class Inline(NamedTuple):
    """A stretch of a block's text that the writers treat apart.

    A ``redaction`` is never bold and never filled in. A ``page`` is empty (start == end): here the page ``label``
    of the source begins.
    """

    start: int
    end: int
    kind: Literal["redaction", "page"]
    label: str = ""


class Block(NamedTuple):
    r"""One block of a Document. ``text`` is one line without indent; only a verse has ``\n`` inside.

    ``level`` is 1 for the title, 2..6 for parts, chapters and headings (no level is skipped), else 0.
    A separator has no text.
    """

    kind: BlockKind
    text: str
    level: int = 0
    inlines: tuple[Inline, ...] = ()


class Metadata(NamedTuple):
    """What is known about a work, in Dublin Core terms. ``date`` is ISO 8601: YYYY, YYYY-MM or YYYY-MM-DD.

    ``source`` is where the text was first published (来源), ``url`` where this copy was found.
    """

    title: str
    language: str = DEFAULT_LANGUAGE
    subtitle: str = ""
    creators: tuple[str, ...] = ()
    contributors: tuple[str, ...] = ()
    date: str = ""
    source: str = ""
    publisher: str = ""
    rights: str = ""
    subjects: tuple[str, ...] = ()
    description: str = ""
    series: str = ""
    series_position: int = 0
    url: str = ""


class Action(NamedTuple):
    """What one unit did in this work: the fault that it mends and how many changes it made."""

    unit: str
    fault: str
    changes: int


class Provenance(NamedTuple):
    """Where an edition comes from; enough to name it, prove it and make it again."""

    source_name: str
    source_sha256: str
    source_size: int
    encoding: str
    confidence: float
    rulebook_digest: str
    version: str
    actions: tuple[Action, ...] = ()
    suggestions: int = 0

    @property
    def identity(self) -> str:
        """Give one digest of source and rules, from which the edition's identifier is derived."""
        return hashlib.sha256(f"{self.source_sha256}\n{self.rulebook_digest}".encode()).hexdigest()


class DocumentFields(NamedTuple):
    """What makes a Document."""

    metadata: Metadata
    blocks: tuple[Block, ...]
    provenance: tuple[Provenance, ...] = ()
    is_collection: bool = False


class Document(DocumentFields):
    """A work as blocks: what every writer starts from. ``blocks[0]`` is always the title."""

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Give the text of each block that has one, in order: what every edition must hold."""
        return tuple(b.text for b in self.blocks if b.text)

    @cached_property
    def text(self) -> str:
        """Give the canonical text: blocks parted by one empty line, one final line end."""
        return "\n\n".join(self.texts) + "\n"

    @cached_property
    def digest(self) -> str:
        """Give the SHA-256 of the canonical text in UTF-8; the same number stands in every edition."""
        return hashlib.sha256(self.text.encode()).hexdigest()


class Edition(NamedTuple):
    """One output of a work in one format."""

    format: str
    filename: str
    data: bytes


def with_marks(text: Text, marks: Iterable[Mark]) -> Text:
    """Give the same text with more marks, in order of place."""
    marks = tuple(marks)
    if not marks:
        return text
    return text.but(marks=tuple(sorted({*text.marks, *marks}, key=lambda m: (m.start, m.kind, m.unit))))
