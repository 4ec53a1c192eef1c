r"""What can be said of a pattern without running it: its least length, its size, Han beside a `\b`.

A pattern is read once, from left to right. What is not understood counts as empty, so that a sound pattern is
never refused for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import regex

from shanben.lazy import lazy_regex

MAX_PATTERN = 20_000
"""The longest pattern, with its named parts put in and its repeats written out."""
MAX_GROUPS_DEEP = 50


class PatternError(Exception):
    """What makes a pattern unsound: code, words, and the position in the pattern."""

    def __init__(self, code: str, words: str, position: int) -> None:
        super().__init__(words)
        self.code, self.words, self.position = code, words, position


_Edge = tuple[str, int] | None


@dataclass(frozen=True, slots=True)
class Shape:
    r"""What can be said of a piece of pattern without running it.

    ``width`` is the least number of characters that it takes, ``size`` its length with repeats written out.
    ``han_first`` and ``han_last`` tell whether a Han character can stand at its edges; ``edge_first`` and
    ``edge_last`` where a `\b` stands there.
    """

    width: int = 0
    size: int = 0
    han_first: bool = False
    han_last: bool = False
    edge_first: _Edge = None
    edge_last: _Edge = None
    restarts: bool = False  # \K: what stands before it is not part of the match

    def then(self, other: Shape) -> Shape:
        r"""Give the shape of this piece followed by another. Raises PatternError for `\b` beside Han."""
        clash = (self.edge_last if other.han_first else None) or (other.edge_first if self.han_last else None)
        if clash:
            raise EdgeError(clash)
        return Shape(
            other.width if other.restarts else self.width + other.width,
            self.size + other.size,
            self.han_first or (self.width == 0 and other.han_first),
            other.han_last or (other.width == 0 and self.han_last),
            self.edge_first or (other.edge_first if self.width == 0 else None),
            other.edge_last or (self.edge_last if other.width == 0 else None),
            self.restarts or other.restarts,
        )

    def either(self, other: Shape) -> Shape:
        """Give the shape of a choice between this piece and another."""
        return Shape(
            min(self.width, other.width),
            self.size + other.size,
            self.han_first or other.han_first,
            self.han_last or other.han_last,
            self.edge_first or other.edge_first,
            self.edge_last or other.edge_last,
            self.restarts or other.restarts,
        )


class EdgeError(Exception):
    r"""A `\b` that stands beside a Han character, and where (key, position)."""

    def __init__(self, edge: tuple[str, int]) -> None:
        super().__init__()
        self.key, self.position = edge


_HAN = lazy_regex(r"\p{Han}")
_HAN_CLASS = lazy_regex(r"(?<!--)(?:\p{Han}|\\p\{[^{}^]*\bhani?\}|\\p\{ishan\})", regex.IGNORECASE)
ESCAPE = lazy_regex(
    r"\\(?:[pP]\{[^}]*\}|N\{[^}]*\}|[gL]<[^>]*>|x\{[0-9A-Fa-f]*\}|x[0-9A-Fa-f]{2}"
    r"|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[0-7]{3}|[0-9]{1,2}|.)",
    regex.DOTALL,
)
QUANTIFIER = lazy_regex(r"(?P<sign>[*+?])|\{(?P<low>\d*)(?P<comma>,\d*)?\}|\{(?P<fuzzy>[^{}]*[eids][^{}]*)\}")
OPENING = lazy_regex(
    r"\((?:\?(?:(?P<ahead>=)|(?P<behind><=)|(?P<no><?!)|[:>|]|P?<\w+>|(?P<flags>[\w-]*:)"
    r"|(?P<whole>#|P=|P>|&|R\)|[0-9+-]+\)|\w*(?:-\w+)?\))|(?P<condition>\())|(?P<verb>\*))?"
)
COMMENTS = lazy_regex(r"(?:\(\?#[^)]*\))*")
_BLANKS_AND_COMMENTS = lazy_regex(r"(?:\(\?#[^)]*\)|\s|#[^\n]*\n)*")
ZERO_WIDTH = "AzZGbBmMK"
_EDGES = "bBmM"
_PLAIN = Shape(1, 1)


class Scan:
    """Reads a pattern once, without compiling it, for its shape. What it does not know counts as empty."""

    def __init__(self, pattern: str, key: str) -> None:
        self._pattern = pattern
        self._key = key
        self._at = 0
        self._verbose = False

    def shape(self) -> Shape:
        """Give the shape of the whole pattern. Raises PatternError, EdgeError."""
        shape = self._choice(0)
        if self._at < len(self._pattern):
            raise PatternError("R302", "a ) without (", self._at)
        if shape.size > MAX_PATTERN:
            raise PatternError("R309", f"more than {MAX_PATTERN} characters with repeats written out", 0)
        return shape

    def _choice(self, depth: int) -> Shape:
        verbose = self._verbose
        shape = self._sequence(depth)
        while self._pattern.startswith("|", self._at):
            self._at += 1
            shape = shape.either(self._sequence(depth))
        self._verbose = verbose
        return shape

    def _sequence(self, depth: int) -> Shape:
        shape = Shape()
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            shape = shape.then(self._repeats(self._atom(depth)))
        return shape

    def _atom(self, depth: int) -> Shape:
        character = self._pattern[self._at]
        if character == "(":
            return self._group(depth)
        if character == "[":
            return self._class()
        if character == "\\":
            return self._escape()
        self._at += 1
        if self._verbose and character.isspace():
            return Shape()
        if self._verbose and character == "#":
            end = self._pattern.find("\n", self._at)
            if end < 0:
                raise PatternError(
                    "R302", "a comment at the end would hide what the engine puts after it", self._at - 1
                )
            self._at = end
            return Shape()
        if character in "^$":
            return Shape(0, 1)
        han = bool(_HAN.match(character))
        return Shape(1, 1, han, han)

    def _escape(self) -> Shape:
        found = ESCAPE.match(self._pattern, self._at)
        if found is None:
            raise PatternError("R302", r"a single \ at the end", self._at)
        start, self._at = self._at, found.end()
        sign = found[0][1]
        if sign in ZERO_WIDTH:
            edge = (self._key, start) if sign in _EDGES else None
            return Shape(0, 1, edge_first=edge, edge_last=edge, restarts=sign == "K")
        if is_reference(found[0]):
            return Shape(0, 1)
        han = bool(_HAN_CLASS.match(found[0])) or (sign in "xuU" and _is_han_number(found[0]))
        return Shape(1, 1, han, han)

    def _class(self) -> Shape:
        start = self._at
        end = end_of_class(self._pattern, start)
        if end is None:
            raise PatternError("R302", "a [ without ]", start)
        self._at = end
        written = self._pattern[start:end]
        han = written[1] != "^" and bool(_HAN_CLASS.search(written))
        return Shape(1, 1, han, han)

    def _group(self, depth: int) -> Shape:
        if depth >= MAX_GROUPS_DEEP:
            raise PatternError("R309", f"more than {MAX_GROUPS_DEEP} groups inside each other", self._at)
        start = self._at
        opening = OPENING.match(self._pattern, start)
        if opening is None:  # cannot be: the pattern has a "(" here
            raise PatternError("R302", "a group that cannot be read", start)
        self._at = opening.end()
        if opening["whole"] or opening["verb"]:
            return self._childless(start, opening)
        if opening["condition"]:
            self._at = self._close(self._at, start)
        verbose = self._verbose
        self._set_flags(opening["flags"] or "")
        inside = self._choice(depth + 1)
        self._verbose = verbose
        if not self._pattern.startswith(")", self._at):
            raise PatternError("R302", "a ( without )", start)
        self._at += 1
        if opening["condition"]:
            return replace(inside, width=0)
        if opening["no"]:
            return Shape(0, inside.size)
        if opening["ahead"]:
            return Shape(0, inside.size, inside.han_first, inside.han_first, inside.edge_first, inside.edge_first)
        if opening["behind"]:
            return Shape(0, inside.size, inside.han_last, inside.han_last, inside.edge_last, inside.edge_last)
        return inside

    def _childless(self, start: int, opening: regex.Match[str]) -> Shape:
        """Pass over a comment, a back reference, a call, a verb, or flags for what follows."""
        self._at = opening.end() if opening[0].endswith(")") else self._close(self._at, start)
        self._set_flags(opening["whole"] or "")
        return Shape(0, 1)

    def _set_flags(self, words: str) -> None:
        if regex.fullmatch(r"[a-zA-Z01-]*[:)]", words):
            on, _, off = words.partition("-")
            self._verbose = (self._verbose or "x" in on) and "x" not in off

    def _close(self, at: int, start: int) -> int:
        end = self._pattern.find(")", at)
        if end < 0:
            raise PatternError("R302", "a ( without )", start)
        return end + 1

    def _repeats(self, shape: Shape) -> Shape:
        while found := QUANTIFIER.match(self._pattern, self._after_comments()):
            if found["sign"] is None and found["fuzzy"] is None and not (found["low"] or found["comma"]):
                break  # {} is two plain characters
            self._at = found.end()
            if found["fuzzy"] is not None:
                shape = replace(shape, width=max(0, shape.width - _deletions(found["fuzzy"])))
                continue
            self._at += self._pattern[self._at : self._at + 1] in ("?", "+")
            shape = self._times(shape, found)
        return shape

    def _after_comments(self) -> int:
        """Give the place after comments, which do not part a repeat from what it repeats."""
        found = (_BLANKS_AND_COMMENTS if self._verbose else COMMENTS).match(self._pattern, self._at)
        return found.end() if found else self._at

    def _times(self, shape: Shape, found: regex.Match[str]) -> Shape:
        least = {"*": 0, "+": 1, "?": 0}.get(found["sign"] or "", int((found["low"] or "0")[:9]))
        if shape.size * least > MAX_PATTERN:
            words = f"more than {MAX_PATTERN} characters with repeats written out"
            raise PatternError("R309", words, found.start())
        return replace(shape, width=shape.width * least, size=shape.size * max(least, 1))


def end_of_class(pattern: str, start: int) -> int | None:
    """Give the place behind the class that begins at ``start``; None if it has no end."""
    at, deep = start, 0
    while at < len(pattern):
        character = pattern[at]
        if character == "\\":
            at += 1
        elif character == "[":
            deep += 1
            at += pattern.startswith("^", at + 1)
            at += pattern.startswith("]", at + 1)
        elif character == "]":
            deep -= 1
            if not deep:
                return at + 1
        at += 1
    return None


def is_reference(escape: str) -> bool:
    r"""Tell whether an escape stands for what a group took: `\1`, `\g<name>`."""
    return escape[1] == "g" or (escape[1] in "123456789" and len(escape) < 4)


def _is_han_number(escape: str) -> bool:
    number = int("0" + escape[2:].strip("{}"), 16)
    return number < 0x110000 and bool(_HAN.match(chr(number)))


def _deletions(fuzzy: str) -> int:
    """Give the number of characters that a fuzzy match such as {e<=1} may leave out, at the most."""
    if "e" not in fuzzy and "d" not in fuzzy:
        return 0
    return max((int(n[:9]) for n in regex.findall(r"\d+", fuzzy)), default=MAX_PATTERN)
