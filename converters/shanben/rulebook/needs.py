r"""What a text must hold before a pattern can be found in it, derived from the pattern.

What is not understood of a pattern asks for nothing.

>>> [sorted(clause) for clause in needs_of("(?:责任编辑|责编)[:：] *[甲-丁]+")]
[['责任编辑:', '责任编辑：', '责编:', '责编：']]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import regex

from shanben.rulebook.gates import Clause, commonness
from shanben.rulebook.pattern_shape import ZERO_WIDTH, is_reference
from shanben.rulebook.pattern_tree import Atom, Choice, Edge, Group, Look, Node, Repeat, children, parse, parts
from shanben.rulebook.pattern_tree import Sequence as Parts

MOST = 128
"""Strings that one run of a pattern may stand for; of longer lists only parts are asked for."""
LARGEST_CLASS = 1024
"""Characters of the largest class that is asked for."""
MOST_CLAUSES = 3
"""Of all clauses of a pattern the rarest are kept."""
_IGNORES_CASE = regex.compile(r"\(\?[a-zA-Z]*i")
_DOT_TAKES_ALL = regex.compile(r"\(\?[a-zA-Z]*s|\\[RX]")
_FUZZY = regex.compile(r"(?<!\\[pPNL])\{[^{}]*[eids][^{}]*\}")
_ESCAPED = regex.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([ntrfv])|([^\w]))")
_CONTROL = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is known of a part: ``exact`` are all texts that it can take (None: not known), ``needs`` what it
    asks for besides."""

    exact: Clause | None
    needs: tuple[Clause, ...] = ()

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """Give all that must stand in a text in which the part holds."""
        if self.exact is None or "" in self.exact or not self.exact:
            return self.needs
        return (*self.needs, self.exact)


_NOTHING = _Facts(frozenset([""]))
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
            return _UNKNOWN
        return _Facts(characters)
    if isinstance(node, Edge):
        plain = node.written in ("^", "$") or node.written.startswith("(?#")
        return _NOTHING if plain or (node.written[:1] == "\\" and node.written[1:2] in ZERO_WIDTH) else _UNKNOWN
    if isinstance(node, Look):
        return _NOTHING if node.negative else _Facts(_NOTHING.exact, _facts(node.body, any_case).clauses)
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
        return _Facts(body.exact | {""} if body.exact is not None and node.high == 1 else None)
    if node.low == node.high and body.exact is not None and len(body.exact) == 1:
        [once] = body.exact
        if len(once) * node.low <= MOST:
            return _Facts(frozenset([once * node.low]), body.needs)
    return _Facts(None, body.clauses)


def _one_of(options: Sequence[_Facts]) -> _Facts:
    if all(o.exact is not None for o in options):
        return _Facts(frozenset().union(*(o.exact for o in options if o.exact is not None)))
    rarest = [min(o.clauses, key=commonness, default=None) for o in options]
    found = [clause for clause in rarest if clause is not None]
    return _Facts(None, (frozenset().union(*found),) if len(found) == len(options) else ())


def _in_a_row(items: Sequence[Node], any_case: bool) -> _Facts:
    needs: list[Clause] = []
    run: Clause = frozenset([""])
    whole = True
    for index, item in enumerate(items):
        facts = _facts(item, any_case)
        needs += facts.needs
        if isinstance(item, Look) and not item.negative:
            needs += _beside(items, index, any_case)
        if facts.exact is not None and len(run) * len(facts.exact) <= MOST:
            run = frozenset(a + b for a in run for b in facts.exact)
            continue
        needs += _Facts(run).clauses
        run = frozenset([""]) if facts.exact is None else facts.exact
        whole = False
    if whole:
        return _Facts(run, tuple(needs))
    return _Facts(None, (*needs, *_Facts(run).clauses))


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


def ends_in_line(pattern: str) -> bool:
    r"""Tell whether a pattern takes no line end, nor looks for what stands behind one.

    >>> [ends_in_line(p) for p in ("甲$", "(?<=甲\n)乙", r"甲(?=\n)", r"甲\Z", "甲[^乙]")]
    [True, True, False, False, False]
    """
    if _FUZZY.search(pattern) or _DOT_TAKES_ALL.search(pattern):
        return False
    return all(_keeps_to_line(node) for node in _ahead(parse(pattern)))


def _ahead(node: Node) -> Iterator[Node]:
    """Give a part and all parts in it, but those that look back."""
    if isinstance(node, Look) and node.behind:
        return
    yield node
    for inner in children(node):
        yield from _ahead(inner)


def _keeps_to_line(node: Node) -> bool:
    if isinstance(node, Atom):
        return "\n" not in node.takes
    if not isinstance(node, Edge):
        return True
    return node.written in ("^", "$", r"\b", r"\B") or node.written.startswith("(?#") or is_reference_edge(node)


def is_reference_edge(edge: Edge) -> bool:
    r"""Tell whether an edge stands for what a group took."""
    return len(edge.written) > 1 and edge.written[0] == "\\" and is_reference(edge.written)
