r"""A pattern as a tree, so that checks can point at one part of it: what it takes, repeats, looks at.

Only sound patterns come here (`pattern_shape` has refused the others). What is not understood becomes a part
that takes nothing, so that no check complains about it.

>>> [show(node, '(?<=甲)[^,]+') for node in parts(parse('(?<=甲)[^,]+'))]
['(?<=甲)[^,]+', '(?<=甲)', '甲', '[^,]+', '[^,]']
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import regex

from shanben.lazy import lazy_regex
from shanben.rulebook.pattern_shape import (
    COMMENTS,
    ESCAPE,
    OPENING,
    QUANTIFIER,
    ZERO_WIDTH,
    end_of_class,
    is_reference,
)

FLAGS = regex.VERSION1 | regex.MULTILINE
PROBES = (
    "\n\t\r \u3000"
    + "".join(map(chr, range(33, 127)))
    + "甲乙日月〇々、，。；：！？“”‘’（）《》〈〉【】〔〕「」『』…—·％０９Ａé①㎡Ⅲ"
)
"""Characters on which the parts of a pattern are tried: what a part takes of them stands for what it takes."""
NO_END = 1 << 30


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a pattern: characters ``[start, end)`` of its text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Atom(Node):
    """A part that takes exactly one character; ``written`` is its pattern."""

    written: str

    @property
    def takes(self) -> frozenset[str]:
        """Give those of PROBES, and of the characters it is written with, that it takes."""
        return _taken(self.written)


@dataclass(frozen=True, slots=True)
class Edge(Node):
    r"""A part that takes nothing: `^`, `\b`, a comment, a back reference."""

    written: str


@dataclass(frozen=True, slots=True)
class Sequence(Node):
    """Parts that follow each other."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice(Node):
    """Parts of which one is taken."""

    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Group(Node):
    """A part in brackets."""

    body: Node


@dataclass(frozen=True, slots=True)
class Look(Node):
    """A part that is looked at, not taken. ``negative``: it must not be there."""

    body: Node
    negative: bool
    behind: bool


@dataclass(frozen=True, slots=True)
class Repeat(Node):
    """A part that is taken ``low`` to ``high`` times (NO_END: as often as it is there)."""

    body: Node
    low: int
    high: int
    possessive: bool


_NUMBERS = lazy_regex(r"\\(?:x|u|U000?)([0-9A-Fa-f]{2,5})(?![0-9A-Fa-f])")


@lru_cache(maxsize=8192)
def _taken(written: str) -> frozenset[str]:
    try:
        one = regex.compile(written, FLAGS)
    except regex.error:
        return frozenset()
    named = {chr(int(number, 16)) for number in _NUMBERS.findall(written)}
    return frozenset(c for c in {*PROBES, *written, *named} if one.fullmatch(c))


@lru_cache(maxsize=4096)
def parse(pattern: str) -> Node:
    """Read a pattern that compiles. What has comments or verbose parts is read as a part that takes nothing."""
    if regex.search(r"\(\?[a-zA-Z]*x|\(\?\(", pattern):
        return Edge(0, len(pattern), pattern)
    return _Reader(pattern).choice()


def show(node: Node, pattern: str, room: int = 40) -> str:
    """Give a part of a pattern as it is written, cut if long."""
    written = pattern[node.start : node.end]
    return written if len(written) <= room else written[:room] + "…"


def parts(node: Node) -> Iterator[Node]:
    """Give a part and all parts in it, in the order in which they stand."""
    yield node
    for inner in children(node):
        yield from parts(inner)


def children(node: Node) -> tuple[Node, ...]:
    """Give the parts that a part is made of."""
    if isinstance(node, Sequence):
        return node.items
    if isinstance(node, Choice):
        return node.options
    return (node.body,) if isinstance(node, Group | Look | Repeat) else ()


def taken(node: Node) -> Iterator[Atom]:
    """Give the atoms that a match takes; what is only looked at is left out."""
    if isinstance(node, Atom):
        yield node
    elif not isinstance(node, Look):
        for inner in children(node):
            yield from taken(inner)


def can_be_nothing(node: Node) -> bool:
    """Tell whether a part holds where nothing is taken and nothing is looked at.

    >>> [can_be_nothing(parse(p)) for p in ("[ ]?", "a|", "[ ]*$", "(?!a)")]
    [True, True, False, False]
    """
    if isinstance(node, Sequence):
        return all(map(can_be_nothing, node.items))
    if isinstance(node, Choice):
        return any(map(can_be_nothing, node.options))
    if isinstance(node, Repeat):
        return node.low == 0 or can_be_nothing(node.body)
    return isinstance(node, Group) and can_be_nothing(node.body)


def literal_runs(node: Node) -> Iterator[str]:
    """Give the runs of plain characters that a match takes, each as long as possible."""
    if isinstance(node, Sequence):
        run = ""
        for item in node.items:
            if isinstance(item, Atom) and len(item.takes) == 1:
                run += next(iter(item.takes))
                continue
            yield from (run,) if run else ()
            run = ""
            yield from literal_runs(item)
        yield from (run,) if run else ()
    elif isinstance(node, Atom):
        yield from node.takes if len(node.takes) == 1 else ()
    elif not isinstance(node, Look):
        for inner in children(node):
            yield from literal_runs(inner)


_LIKED = "a甲1 ,。"


def sample(node: Node, choice: int = 0) -> str:
    """Give a short text that a part takes; of choices the one with this number (the last, if there are fewer)."""
    if isinstance(node, Atom):
        takes = node.takes
        return next((c for c in _LIKED[choice:] + _LIKED if c in takes), min(takes, default=""))
    if isinstance(node, Sequence):
        return "".join(sample(item, choice) for item in node.items)
    if isinstance(node, Choice):
        return sample(node.options[min(choice, len(node.options) - 1)])
    if isinstance(node, Repeat):
        return sample(node.body, choice) * min(max(node.low, 1), 20)
    return sample(node.body, choice) if isinstance(node, Group) else ""


class _Reader:
    """Reads a pattern from left to right."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def choice(self) -> Node:
        start = self._at
        options = [self._sequence()]
        while self._pattern.startswith("|", self._at):
            self._at += 1
            options.append(self._sequence())
        return options[0] if len(options) == 1 else Choice(start, self._at, tuple(options))

    def _sequence(self) -> Node:
        start = self._at
        items: list[Node] = []
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            items.append(self._repeats(self._item()))
        return items[0] if len(items) == 1 else Sequence(start, self._at, tuple(items))

    def _item(self) -> Node:
        start, character = self._at, self._pattern[self._at]
        if character == "(":
            return self._group()
        if character == "[":
            self._at = end_of_class(self._pattern, start) or len(self._pattern)
        elif character == "\\":
            found = ESCAPE.match(self._pattern, start)
            self._at = found.end() if found else len(self._pattern)
        else:
            self._at += 1
        written = self._pattern[start : self._at]
        if character in "^$" or (character == "\\" and _takes_nothing(written)):
            return Edge(start, self._at, written)
        return Atom(start, self._at, written)

    def _group(self) -> Node:
        start = self._at
        opening = OPENING.match(self._pattern, start)
        self._at = opening.end() if opening else start + 1
        if opening and (opening["whole"] or opening["verb"]):
            if not opening[0].endswith(")"):
                self._at = self._pattern.find(")", self._at) + 1 or len(self._pattern)
            return Edge(start, self._at, self._pattern[start : self._at])
        body = self.choice()
        self._at += 1  # the closing bracket
        if opening and (opening["ahead"] or opening["behind"] or opening["no"]):
            behind = bool(opening["behind"] or opening["no"] == "<!")
            return Look(start, self._at, body, bool(opening["no"]), behind)
        return Group(start, self._at, body)

    def _repeats(self, node: Node) -> Node:
        while found := QUANTIFIER.match(self._pattern, self._after_comments()):
            if found["fuzzy"] is None and found["sign"] is None and not (found["low"] or found["comma"]):
                break  # {} is two plain characters
            self._at = found.end()
            if found["fuzzy"] is not None:
                continue
            follows = self._pattern[self._at : self._at + 1]
            self._at += follows in ("?", "+") and follows != ""
            low, high = _bounds(found)
            node = Repeat(node.start, self._at, node, low, high, follows == "+")
        return node

    def _after_comments(self) -> int:
        found = COMMENTS.match(self._pattern, self._at)
        return found.end() if found else self._at


def _takes_nothing(written: str) -> bool:
    return written[1:2] in ZERO_WIDTH or is_reference(written)


def _bounds(found: regex.Match[str]) -> tuple[int, int]:
    if found["sign"]:
        return {"*": (0, NO_END), "+": (1, NO_END), "?": (0, 1)}[found["sign"]]
    low = int((found["low"] or "0")[:9])
    if found["comma"] is None:
        return low, low
    return low, int(found["comma"][1:10]) if len(found["comma"]) > 1 else NO_END
