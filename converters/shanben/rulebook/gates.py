r"""What a rule asks of a text before it can find anything in it.

A gate is a conjunction of clauses; a clause is a set of strings of which one must stand in the text. It is
necessary, never sufficient: where it fails the rule finds nothing, where it holds the pattern decides. The clauses
are derived from the patterns (`needs`), and kept with the checked rules (`cache`).

>>> [list(one.strings) for one in gate_of("(?:责任编辑|责编)[:：] *[甲-丁]+").clauses]
[['责任编辑:', '责任编辑：', '责编:', '责编：']]
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import fsum, prod
from typing import NamedTuple

Clause = frozenset[str]


class OneOf(NamedTuple):
    """A clause, its single characters apart from its longer strings, and how common these are in Chinese text.

    ``pairs`` are the two neighbours by which each of the strings is told, the least common ones in it.
    """

    characters: Clause
    strings: tuple[str, ...]
    pairs: tuple[str, ...]
    common: float

    @classmethod
    def of(cls, clause: Clause) -> OneOf:
        """Part a clause; of strings that hold a single character of it nothing more need be asked."""
        characters = frozenset(s for s in clause if len(s) == 1)
        longer = tuple(sorted(s for s in clause if len(s) > 1 and characters.isdisjoint(s)))
        pairs = tuple(s[(at := rarest_pair(s)) : at + 2] for s in longer)
        return cls(characters, longer, pairs, commonness(clause))


class Gate(NamedTuple):
    """The clauses that must all hold, the rarest first. Without any the gate is always open."""

    clauses: tuple[OneOf, ...] = ()

    def holds_in(self, content: str) -> bool:
        """Tell whether all clauses hold in a text. For many gates and one text a `Presence` is quicker, and less strict."""
        return all(
            any(c in content for c in clause.characters) or any(s in content for s in clause.strings)
            for clause in self.clauses
        )


class Facts(NamedTuple):
    """What is known of a pattern: its gate, whether what it finds in a line has to do with that line alone, and
    how many line ends it takes or looks over at most (None: not known)."""

    gate: Gate
    keeps_to_lines: bool
    line_ends: int | None


MOST_KNOWN = 20_000
"""Patterns whose facts are kept in memory."""
MOST_TOLD = 32
"""Rulebooks of whose patterns it is remembered what was found out before."""
_known: dict[str, Facts] = {}
_told: deque[Mapping[str, Facts]] = deque(maxlen=MOST_TOLD)


def facts_of(pattern: str) -> Facts:
    """Give what is known of a pattern that compiles; found out when it is first asked for."""
    facts = _known.get(pattern)
    if facts is None:
        facts = next(filter(None, (told.get(pattern) for told in _told)), None) or _found_out(pattern)
        if len(_known) >= MOST_KNOWN:
            _known.clear()
        _known[pattern] = facts
    return facts


def _found_out(pattern: str) -> Facts:
    from shanben.rulebook.needs import keeps_to_lines, line_ends_passed, needs_of

    gate = Gate(tuple(map(OneOf.of, needs_of(pattern))))
    return Facts(gate, keeps_to_lines(pattern), line_ends_passed(pattern))


def learn(facts: Mapping[str, Facts]) -> None:
    """Take over what was found out before; it is looked up when it is asked for."""
    _told.appendleft(facts)


def gate_of(pattern: str) -> Gate:
    """Give the gate of one pattern."""
    return facts_of(pattern).gate


def keeps_to_lines(pattern: str) -> bool:
    r"""Tell whether what a pattern finds in a line has nothing to do with other lines, nor with where the text ends.

    >>> [keeps_to_lines(p) for p in ("^甲.*乙$", "甲[^乙]", r"甲\s", r"甲(?!\n)", r"甲\Z", "(?x)甲")]
    [True, False, False, False, False, False]
    """
    return facts_of(pattern).keeps_to_lines


def gate(patterns: Iterable[str], keys: Iterable[str] = ()) -> Gate:
    """Give the gate of a rule all of whose patterns must hold, and which replaces one of ``keys``, if any."""
    clauses = {one for pattern in patterns if pattern for one in gate_of(pattern).clauses}
    if keys := frozenset(keys):
        clauses.add(OneOf.of(keys))
    return Gate(tuple(sorted(clauses, key=lambda one: (one.common, one.strings, sorted(one.characters)))))


_FREQUENT = dict.fromkeys("\n ,.:;-()0123456789，。、：；“”（）的一是了在人有中大上个国", 0.03)
_FREQUENT |= dict.fromkeys("\u3000《》！？—…%％/·【】ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 0.004)
_OTHER, _HAN = 0.0002, 0.001


@lru_cache(maxsize=4096)
def commonness(clause: Clause) -> float:
    """Give how common the strings of a clause are, roughly, as a share of places in Chinese text.

    It is the same in every process, in whatever order a set gives its strings: what one finds out another takes over.
    """
    return fsum(prod(_FREQUENT.get(c) or (_HAN if "一" <= c <= "龥" else _OTHER) for c in s) for s in clause)


def rarest_pair(string: str) -> int:
    """Give the place of the two neighbours in a string that are least common together."""
    return min(range(len(string) - 1), key=lambda at: (commonness(frozenset([string[at : at + 2]])), at))
