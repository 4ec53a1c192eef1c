"""Finding a pattern in a text: only in the lines that hold what it asks for, where it keeps to lines."""

from __future__ import annotations

import time
from collections.abc import Container, Iterable, Iterator, Sequence
from operator import add

import regex

from shanben.rulebook.gates import facts_of, gate_of
from shanben.rulebook.patterns import compiled

LONG = 300
"""Characters of a text in which it does not pay to look for lines first."""
FEW_STRINGS, FEW_LINES, PARTS = 40, 40, 4_000
"""So many strings a rule may ask for, and in so many lines they may stand (or one of so many characters), for only
these lines to be looked at."""
Lines = Sequence[tuple[int, int]]


def hits_in(
    pattern: regex.Pattern[str], content: str, lines: Lines | None, first: int, seconds: float
) -> Iterator[regex.Match[str]]:
    """Find a pattern from ``first`` on; where ``lines`` are given, only in these."""
    if lines is None:
        yield from pattern.finditer(content, first, timeout=seconds)
        return
    deadline = time.monotonic() + seconds
    for start, end in lines:
        if end >= first:
            left = max(0.001, deadline - time.monotonic())
            yield from pattern.finditer(content, max(start, first), end, timeout=left)


def lines_with(pattern: str, content: str, held: Container[str] | None = None) -> Lines | None:
    """Give the lines that hold what a pattern asks for; None if they are many, or not all there is to look at.

    ``held`` are characters and pairs that the text may hold, of those that the pattern asks for.
    """
    facts = facts_of(pattern)
    if not facts.keeps_to_lines or len(content) < LONG:
        return None
    for clause in facts.gate.clauses:
        if len(clause.strings) + len(clause.characters) <= FEW_STRINGS:
            wanted = [s for s, pair in zip(clause.strings, clause.pairs, strict=True) if held is None or pair in held]
            wanted += [c for c in clause.characters if held is None or c in held]
            lines = _lines_of(wanted, content)
            if lines is not None:
                return lines
    return None


def _lines_of(strings: Iterable[str], content: str) -> Lines | None:
    """Give start and end of the lines in which one of the strings stands; None if they are many."""
    found: set[tuple[int, int]] = set()
    most = max(FEW_LINES, len(content) // PARTS)
    for string in strings:
        if len(string) == 1 and content.count(string) > most:
            return None
        at = content.find(string)
        while at >= 0:
            end = content.find("\n", at)
            end = len(content) if end < 0 else end
            found.add((content.rfind("\n", 0, at) + 1, end))
            if len(found) > most:
                return None
            at = content.find(string, end)
    return sorted(found)


class Groups:
    """Groups of patterns that are tried on one line after another; of most lines none of them need be tried."""

    def __init__(self, groups: Sequence[Sequence[str]]) -> None:
        self._patterns = [(group, pattern) for group, patterns in enumerate(groups) for pattern in patterns]
        self._always: set[int] = set()
        self._asked: dict[str, set[int]] = {}
        for number, (_, pattern) in enumerate(self._patterns):
            clauses = gate_of(pattern).clauses
            for part in (*clauses[0].characters, *clauses[0].pairs) if clauses else ():
                self._asked.setdefault(part, set()).add(number)
            if not clauses:
                self._always.add(number)
        self._characters = frozenset(part for part in self._asked if len(part) == 1)
        self._pairs = frozenset(part for part in self._asked if len(part) == 2)

    def first(self, line: str) -> int | None:
        """Give the number of the first group with a pattern that matches at the beginning of the line.

        >>> groups = Groups((["责编|编辑", "^.*电话"], ["[甲乙丙]、", "编"]))
        >>> [groups.first(line) for line in ("编辑：王二", "乙、总则", "编者按", "打电话", "春天")]
        [0, 1, 1, 0, None]
        """
        parts = self._pairs.intersection(map(add, line, line[1:])) | self._characters.intersection(line)
        asked = self._always.union(*map(self._asked.__getitem__, parts))
        for number in sorted(asked):
            group, pattern = self._patterns[number]
            if compiled(pattern).match(line):
                return group
        return None
