"""The frozen values that pass between the stages. Offsets are code points, never bytes."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Literal, get_args

BlockKind = Literal[
    "title", "subtitle", "byline", "part", "chapter", "heading", "paragraph", "item", "verse",
    "salutation", "signature", "date", "separator",
]  # fmt: skip
BLOCK_KINDS: tuple[BlockKind, ...] = get_args(BlockKind)
HEADING_KINDS: tuple[BlockKind, ...] = ("title", "part", "chapter", "heading")
DEFAULT_LANGUAGE = "zh-Hans"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch ``[start, end)`` of a text."""

    start: int
    end: int


@lru_cache(maxsize=4)
def _line_spans(content: str) -> tuple[Span, ...]:
    """Give the spans of all lines; kept for the next unit, which mostly sees the same text."""
    spans, start = [], 0
    for line in content.split("\n"):
        spans.append(Span(start, start + len(line)))
        start += len(line) + 1
    return tuple(spans)


@dataclass(frozen=True, slots=True)
class Segment:
    """Characters ``[start, end)`` of the decoded text and how to get their bytes back.

    ``raw`` holds the bytes themselves where ``encoding`` cannot give them back (bad bytes, odd escapes).
    """

    start: int
    end: int
    encoding: str
    raw: bytes | None = None


@dataclass(frozen=True, slots=True)
class Decoding:
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


@dataclass(frozen=True)
class Source:
    """The bytes that we start from, exactly as received."""

    name: str
    data: bytes

    @cached_property
    def sha256(self) -> str:
        """Give the hexadecimal SHA-256 of the bytes."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class Mark:
    """A statement about the line that holds ``start``: it is a heading, a byline, … ``level`` 0: not told."""

    start: int
    kind: str
    level: int = 0
    unit: str = ""


Guard = Callable[[str], Sequence[Span]]
"""Finds protected spans in a text. One that has a true attribute ``by_line`` finds the same line by line."""
_MANY_LINES = 20
_REMEMBERED = 20_000
"""Lines of a text up to which its protected spans are remembered from one state of the text to the next."""
_HAS_NONE, _HAS_SPANS = 1, 2


@dataclass(frozen=True)
class Text:
    r"""A decoded text with what units may ask of it: lines, protected spans, marks so far.

    >>> t = Text.of("甲\n乙丙")
    >>> [t.content[s.start:s.end] for s in t.lines], t.place(2)
    (['甲', '乙丙'], (2, 1))
    """

    content: str
    marks: tuple[Mark, ...] = ()
    guards: Mapping[str, Guard] = field(default_factory=dict, repr=False, compare=False)
    held: Container[str] | None = field(default=None, repr=False, compare=False)
    """Characters and pairs of characters that the text may hold, of those that somebody asks for; None: not known."""
    memory: dict[tuple[str, str], tuple[Span, ...]] = field(default_factory=dict, repr=False, compare=False)
    """Protected spans of lines, by kind and line; it goes on from one state of a text to the next."""

    @classmethod
    def of(cls, content: str, **guards: Guard) -> Text:
        """Make a text from a string, with protected spans by name."""
        return cls(content, guards=guards)

    @cached_property
    def lines(self) -> tuple[Span, ...]:
        r"""Give the spans of all lines without their ``\n``. An empty text has one empty line."""
        return _line_spans(self.content)

    @cached_property
    def filled_lines(self) -> tuple[Span, ...]:
        """Give the spans of the lines that hold more than blanks."""
        return tuple(s for s in self.lines if not self.content[s.start : s.end].isspace() and s.end > s.start)

    @cached_property
    def _line_starts(self) -> list[int]:
        return [s.start for s in self.lines]

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
        guard = self.guards.get(kind)
        if kind in self._spans or guard is None or not getattr(guard, "by_line", False):
            return self.protected(kind)
        first, last = self.line_at(start), self.line_at(end)
        if last - first > _MANY_LINES:
            return self.protected(kind)
        if first == last:
            return self._protected_in(kind, guard, first)
        return [span for index in range(first, last + 1) for span in self._protected_in(kind, guard, index)]

    def _protected_in(self, kind: str, guard: Guard, index: int) -> tuple[Span, ...]:
        """Give the protected spans of one kind in a line; the text of a line is looked at once."""
        seen = self._seen.get(kind)
        if seen is None:
            seen = self._seen[kind] = bytearray(len(self.lines))
        if seen[index]:
            return self._spans_of_lines[kind, index] if seen[index] == _HAS_SPANS else ()
        line = self.lines[index]
        words = self.content[line.start : line.end]
        spans = self.memory.get((kind, words))
        if spans is None:
            spans = tuple(sorted(guard(words)))
            if len(self.lines) <= _REMEMBERED:
                self.memory[kind, words] = spans
        seen[index] = _HAS_SPANS if spans else _HAS_NONE
        if not spans:
            return ()
        known = self._spans_of_lines[kind, index] = tuple(Span(line.start + s.start, line.start + s.end) for s in spans)
        return known

    @cached_property
    def _seen(self) -> dict[str, bytearray]:
        return {}

    @cached_property
    def _spans_of_lines(self) -> dict[tuple[str, int], tuple[Span, ...]]:
        return {}

    def covers(self, kind: str, start: int, end: int) -> bool:
        """Tell whether ``[start, end)`` cuts or touches the inside of a protected span of one kind (see `overlaps`)."""
        return overlaps(self.protected_near(kind, start, end), start, end)


def overlaps(spans: Sequence[Span], start: int, end: int) -> bool:
    """Tell whether ``[start, end)`` cuts or touches the inside of one of ``spans`` (sorted, disjoint).

    An empty stretch (an insertion) overlaps a span when it lies strictly inside it.
    """
    index = bisect_right(spans, Span(start, 1 << 62))
    if index and spans[index - 1].end > start and not (start == end == spans[index - 1].start):
        return True
    return index < len(spans) and spans[index].start < end


@dataclass(frozen=True, slots=True)
class Inline:
    """A stretch of a block's text that the writers treat apart.

    A ``redaction`` is never bold and never filled in. A ``page`` is empty (start == end): here the page ``label``
    of the source begins.
    """

    start: int
    end: int
    kind: Literal["redaction", "page"]
    label: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    r"""One block of a Document. ``text`` is one line without indent; only a verse has ``\n`` inside.

    ``level`` is 1 for the title, 2..6 for parts, chapters and headings (no level is skipped), else 0.
    A separator has no text.
    """

    kind: BlockKind
    text: str
    level: int = 0
    inlines: tuple[Inline, ...] = ()


@dataclass(frozen=True, slots=True)
class Metadata:
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


@dataclass(frozen=True, slots=True)
class Action:
    """What one unit did in this work: the fault that it mends and how many changes it made."""

    unit: str
    fault: str
    count: int


@dataclass(frozen=True, slots=True)
class Provenance:
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


@dataclass(frozen=True)
class Document:
    """A work as blocks: what every writer starts from. ``blocks[0]`` is always the title."""

    metadata: Metadata
    blocks: tuple[Block, ...]
    provenance: tuple[Provenance, ...] = ()
    is_collection: bool = False

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


@dataclass(frozen=True, slots=True)
class Edition:
    """One output of a work in one format."""

    format: str
    filename: str
    data: bytes = field(repr=False)


def with_marks(text: Text, marks: Iterable[Mark]) -> Text:
    """Give the same text with more marks, in order of place."""
    marks = tuple(marks)
    if not marks:
        return text
    return replace(text, marks=tuple(sorted({*text.marks, *marks}, key=lambda m: (m.start, m.kind, m.unit))))
