r"""What a text must hold before a pattern can be found in it, derived from the pattern.

What is not understood of a pattern asks for nothing.

>>> [sorted(clause) for clause in needs_of("(?:责任编辑|责编)[:：] *[甲-丁]+")]
[['责任编辑:', '责任编辑：', '责编:', '责编：']]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from math import inf
from typing import NamedTuple

import regex

from shanben.lazy import lazy_regex
from shanben.rulebook.gates import Clause, commonness
from shanben.rulebook.pattern_shape import ZERO_WIDTH, is_reference
from shanben.rulebook.pattern_tree import (
    NO_END,
    Atom,
    Choice,
    Edge,
    Group,
    Look,
    Node,
    Repeat,
    children,
    parse,
    parts,
)
from shanben.rulebook.pattern_tree import Sequence as Parts

MOST = 128
"""Strings that one run of a pattern may stand for; of longer lists only parts are asked for."""
LARGEST_CLASS = 1024
"""Characters of the largest class that is asked for."""
MOST_CLAUSES = 3
"""Of all clauses of a pattern the rarest are kept."""
MOST_LINE_ENDS = 64
"""Line ends that a pattern may pass for it to be said how many they are."""
_IGNORES_CASE = lazy_regex(r"\(\?[a-zA-Z]*i")
_DOT_TAKES_ALL = lazy_regex(r"\(\?[a-zA-Z]*s|\\[RX]")
_FUZZY = lazy_regex(r"(?<!\\[pPNL])\{[^{}]*[eids][^{}]*\}")
_ESCAPED = lazy_regex(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([ntrfv])|([^\w]))")
_CONTROL = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
_ENDS_OF_TEXT = (r"\A", r"\Z", r"\z")
_NONE: Clause = frozenset()


class _Facts(NamedTuple):
    """What is known of a part: ``exact`` are all texts that it can take (None: not known), ``needs`` what it
    asks for besides. Where it takes anything, that begins with one of ``first`` and ends with one of ``last`` (None:
    not known); ``bare``: it may take nothing."""

    exact: Clause | None
    needs: tuple[Clause, ...] = ()
    first: Clause | None = None
    last: Clause | None = None
    bare: bool = True

    @classmethod
    def of(cls, exact: Clause, needs: tuple[Clause, ...] = ()) -> _Facts:
        """Give the facts of a part of which all texts are known that it takes."""
        taken = [text for text in exact if text]
        return cls(
            exact, needs, frozenset(t[0] for t in taken), frozenset(t[-1] for t in taken), len(taken) < len(exact)
        )

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """Give all that must stand in a text in which the part holds."""
        if self.exact is None or "" in self.exact or not self.exact:
            return self.needs
        return (*self.needs, self.exact)


_NOTHING = _Facts.of(frozenset([""]))
_UNKNOWN = _Facts(None)


def needs_of(pattern: str) -> tuple[Clause, ...]:
    """Give the clauses of a pattern that compiles, the rarest first."""
    if _FUZZY.search(pattern):
        return ()
    clauses = set(_facts(parse(pattern), bool(_IGNORES_CASE.search(pattern))).clauses)
    return tuple(sorted(clauses, key=lambda c: (commonness(c), sorted(c)))[:MOST_CLAUSES])


def _facts(node: Node, any_case: bool) -> _Facts:
    if isinstance(node, Atom):
        characters = _characters(node.written)
        if characters is None or (any_case and any(c.lower() != c.upper() for c in characters)):
            return _UNKNOWN._replace(bare=False)
        return _Facts.of(characters)
    if isinstance(node, Edge):
        plain = node.written in ("^", "$") or node.written.startswith("(?#")
        return _NOTHING if plain or (node.written[:1] == "\\" and node.written[1:2] in ZERO_WIDTH) else _UNKNOWN
    if isinstance(node, Look):
        return _NOTHING if node.negative else _NOTHING._replace(needs=_facts(node.body, any_case).clauses)
    if isinstance(node, Group):
        return _facts(node.body, any_case)
    if isinstance(node, Repeat):
        return _repeated(node, _facts(node.body, any_case)) if node.high else _NOTHING
    if isinstance(node, Choice):
        return _one_of([_facts(option, any_case) for option in node.options])
    if isinstance(node, Parts):
        return _in_a_row(node.items, any_case)
    return _UNKNOWN


def _repeated(node: Repeat, body: _Facts) -> _Facts:
    if node.low == node.high == 1:
        return body
    if node.low == 0:
        exact = body.exact | {""} if body.exact is not None and node.high == 1 else None
        return _Facts(exact, (), body.first, body.last, True)
    again = body.needs
    if node.low > 1:
        if body.exact is not None and len(body.exact) == 1 and len(min(body.exact)) * node.low <= MOST:
            [once] = body.exact
            often = frozenset([once * node.low])
            if node.low == node.high:
                return _Facts.of(often, again)
            again += (often,)
        elif not body.bare:
            again += _joint(body.last, body.first)
    return body._replace(exact=None, needs=(*again, *body.clauses))


def _one_of(options: Sequence[_Facts]) -> _Facts:
    rarest = [min(o.clauses, key=commonness, default=None) for o in options]
    found = [clause for clause in rarest if clause is not None]
    needs = (frozenset().union(*found),) if len(found) == len(options) else ()
    if all(o.exact is not None for o in options):
        exact: Clause = frozenset().union(*(o.exact for o in options if o.exact is not None))
        return _Facts.of(exact, () if needs == (exact,) else needs)
    first, last = (_union(ends) for ends in zip(*((o.first, o.last) for o in options), strict=True))
    return _Facts(None, needs, first, last, any(o.bare for o in options))


def _union(sets: Iterable[Clause | None]) -> Clause | None:
    """Give all of some sets of characters; None where one is not known."""
    found = list(sets)
    return None if None in found else frozenset().union(*(one for one in found if one is not None))


def _joint(last: Clause | None, first: Clause | None) -> tuple[Clause, ...]:
    """Give the pairs of which one must stand where a part that ends so meets one that begins so, if they are few."""
    if not last or not first or len(last) * len(first) > MOST:
        return ()
    return (frozenset(a + b for a in last for b in first),)


def _in_a_row(items: Sequence[Node], any_case: bool) -> _Facts:
    needs: list[Clause] = []
    run: Clause = frozenset([""])
    whole = True
    inside: set[int] = set()  # borders of parts that lie inside of a run
    known = [_facts(item, any_case) for item in items]
    for index, (item, facts) in enumerate(zip(items, known, strict=True)):
        needs += facts.needs
        if isinstance(item, Look) and not item.negative:
            needs += _beside(items, index, any_case)
        if facts.exact is not None and len(run) * len(facts.exact) <= MOST:
            if run != {""} and not any(isinstance(beside, Look) for beside in items[index - 1 : index + 1]):
                inside.add(index)
            run = frozenset(a + b for a in run for b in facts.exact)
            continue
        needs += _Facts.of(run).clauses
        run = frozenset([""]) if facts.exact is None else facts.exact
        whole = False
    if whole and not any(isinstance(item, Look) for item in items):
        return _Facts.of(run, tuple(needs))
    ahead = [_shown(item, any_case, behind=False) for item in items]
    behind = [_shown(item, any_case, behind=True) for item in items]
    for at in sorted(set(range(1, len(items))) - inside):
        last, none_before = _side(((f.last, f.bare) for f in known[:at][::-1]), behind[:at][::-1])
        first, none_behind = _side(((f.first, f.bare) for f in known[at:]), ahead[at:])
        if not none_before and not none_behind:
            needs += _joint(last, first)
    if whole:
        return _Facts.of(run, tuple(needs))
    first, _ = _side(((f.first, f.bare) for f in known), ahead)
    last, _ = _side(((f.last, f.bare) for f in known[::-1]), behind[::-1])
    return _Facts(None, (*needs, *_Facts.of(run).clauses), first, last, all(f.bare for f in known))


def _shown(item: Node, any_case: bool, *, behind: bool) -> Clause | None:
    """Give the characters of which one stands next to a look; None if it shows none."""
    if not isinstance(item, Look) or item.negative or item.behind != behind:
        return None
    body = _facts(item.body, any_case)
    return None if body.bare else body.last if behind else body.first


def _side(parts: Iterable[tuple[Clause | None, bool]], shown: Iterable[Clause | None]) -> tuple[Clause | None, bool]:
    """Give the characters with which parts in a row begin (or, from the end, end), and whether they may take nothing.

    ``parts`` are the same of each part, ``shown`` what a look in its place shows.
    """
    found = _NONE
    for (characters, bare), look in zip(parts, shown, strict=True):
        if look is not None:
            return found | look, False
        if characters is None:
            return None, False
        found |= characters
        if not bare:
            return found, False
    return found, True


def _beside(items: Sequence[Node], index: int, any_case: bool) -> list[Clause]:
    """Give what a look and the parts that it touches ask for together: `(?<=甲)乙` asks for 甲乙."""
    look = items[index]
    assert isinstance(look, Look)  # noqa: S101 - the caller has seen to it
    run = _facts(look.body, any_case).exact
    touched = items[index + 1 :] if look.behind else items[:index][::-1]
    joined = False
    for item in touched:
        exact = None if isinstance(item, Look) else _facts(item, any_case).exact
        if run is None or exact is None or len(run) * len(exact) > MOST:
            break
        run = frozenset(a + b if look.behind else b + a for a in run for b in exact)
        joined = True
    return [run] if run and joined and "" not in run else []


@lru_cache(maxsize=8192)
def _characters(written: str) -> Clause | None:
    """Give the characters that an atom takes, if it lists them and they are few; else None."""
    if len(written) == 1:
        return None if written == "." else frozenset(written)
    if written[0] == "\\":
        found = _ESCAPED.fullmatch(written)
        return frozenset(_unescaped(found)) if found else None
    if written[0] != "[" or written[1] == "^":
        return None
    listed: list[str | None] = []  # None: a hyphen between two characters
    at, end = 1, len(written) - 1
    while at < end:
        if written[at] == "\\":
            found = _ESCAPED.match(written, at)
            if not found:
                return None
            listed.append(_unescaped(found))
            at = found.end()
        elif written[at] == "[" or written[at : at + 2] in ("--", "||", "&&", "~~"):
            return None
        else:
            listed.append(None if written[at] == "-" and 1 < at < end - 1 else written[at])
            at += 1
    return _spread(listed)


def _unescaped(found: regex.Match[str]) -> str:
    number = found[1] or found[2] or found[3]
    if number:
        return chr(int(number, 16)) if int(number, 16) < 0x110000 else ""
    return _CONTROL[found[4]] if found[4] else str(found[5])


def _spread(listed: Sequence[str | None]) -> Clause | None:
    characters: set[str] = set()
    for index, character in enumerate(listed):
        if character is not None:
            characters.add(character)
            continue
        first, last = listed[index - 1], listed[index + 1]
        if first is None or last is None or not 0 <= ord(last) - ord(first) < LARGEST_CLASS:
            return None
        characters.update(map(chr, range(ord(first), ord(last) + 1)))
    return frozenset(characters) if len(characters) <= LARGEST_CLASS else None


def keeps_to_lines(pattern: str) -> bool:
    r"""Tell whether what a pattern finds in a line has nothing to do with other lines, nor with where the text ends.

    >>> [keeps_to_lines(p) for p in ("^甲.*乙$", "甲[^乙]", r"甲\s", r"甲(?!\n)", r"甲\Z", "(?x)甲")]
    [True, False, False, False, False, False]
    """
    if _FUZZY.search(pattern) or _DOT_TAKES_ALL.search(pattern):
        return False
    return all(_keeps_to_line(node) for node in parts(parse(pattern)))


def line_ends_passed(pattern: str) -> int | None:
    r"""Give how many line ends a pattern takes or looks over at most; None if there is no such number, or it is high.

    Whether a place is the end of the text is not counted: `甲\Z` passes none.

    >>> [line_ends_passed(p) for p in ("甲$", "(?<=甲\n)乙", r"甲(?=\n)", r"甲\n{1,3}[^乙]", r"甲\s*", r"(\s)\1")]
    [0, 0, 1, 4, None, None]
    """
    if _FUZZY.search(pattern) or _DOT_TAKES_ALL.search(pattern):
        return None
    tree = parse(pattern)
    most = _line_ends(tree)
    if most == 0:
        return 0
    referred = any(isinstance(node, Edge) and is_reference_edge(node) for node in parts(tree))
    return None if referred or most > MOST_LINE_ENDS else int(most)


def _line_ends(node: Node) -> float:
    """Give the line ends that a part passes at most. What looks ahead counts as if it were taken."""
    if isinstance(node, Atom):
        return int("\n" in node.takes)
    if isinstance(node, Edge):
        return 0 if _keeps_to_line(node) or node.written in _ENDS_OF_TEXT else inf
    if isinstance(node, Look) and node.behind:
        return sum(map(_line_ends, _looks_ahead(node.body)))
    passed = [_line_ends(inner) for inner in children(node)]
    if isinstance(node, Choice):
        return max(passed)
    times = 1 if not isinstance(node, Repeat) else inf if node.high == NO_END else node.high
    return times * sum(passed) if any(passed) else 0


def _looks_ahead(node: Node) -> Iterator[Node]:
    """Give the parts of what looks back that look ahead again, and those of which it is not known."""
    if isinstance(node, Edge) or (isinstance(node, Look) and not node.behind):
        yield node
        return
    for inner in children(node):
        yield from _looks_ahead(inner)


def _keeps_to_line(node: Node) -> bool:
    if isinstance(node, Atom):
        return "\n" not in node.takes
    if not isinstance(node, Edge):
        return True
    return node.written in ("^", "$", r"\b", r"\B") or node.written.startswith("(?#") or is_reference_edge(node)


def is_reference_edge(edge: Edge) -> bool:
    r"""Tell whether an edge stands for what a group took."""
    return len(edge.written) > 1 and edge.written[0] == "\\" and is_reference(edge.written)
