"""Which strings a text holds while it is being worked on, so that rules which cannot find anything need not look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from shanben.rulebook.gates import Gate, rarest_pair

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from shanben.ledger import Change

LONG_TEXT = 50_000
"""Characters from which on all strings are looked up at once with NumPy, which takes a while to load."""
MOST_PLACES = 2_000
"""Places of one pair of characters that are looked at one by one."""
_SEAM = "\0\0"


@dataclass(frozen=True)
class Strings:
    """All strings of two and more characters that some gates ask for."""

    strings: frozenset[str]

    @classmethod
    def of(cls, gates: Iterable[Gate]) -> Strings:
        """Collect the strings of gates."""
        return cls(frozenset(s for gate in gates for clause in gate.clauses for s in clause.strings))

    @cached_property
    def longest(self) -> int:
        """Give the length of the longest string."""
        return max(map(len, self.strings), default=1)

    @cached_property
    def _pairs(self) -> tuple[npt.NDArray[np.bool_], Mapping[int, list[tuple[str, int]]]]:
        """Give a table of hashed pairs of characters, and for each pair the strings that are looked up by it."""
        import numpy as np

        table = np.zeros(1 << 16, bool)
        by_pair: dict[int, list[tuple[str, int]]] = {}
        for string in sorted(self.strings):
            at = rarest_pair(string)
            first, second = ord(string[at]), ord(string[at + 1])
            table[(first * 31 + second) & 0xFFFF] = True
            by_pair.setdefault(first << 16 | second, []).append((string, at))
        return table, by_pair

    def found_in(self, content: str) -> tuple[set[str], set[str]] | None:
        """Give the characters of a text and those of the strings that stand in it; None where that is not known
        so quickly: in a text or for strings with characters beyond the Basic Multilingual Plane."""
        import numpy as np

        units = np.frombuffer(content.encode("utf-16-le", "surrogatepass"), np.uint16)
        if len(units) != len(content) or any(max(s) > "\uffff" for s in self.strings):
            return None
        seen = np.zeros(1 << 16, bool)
        seen[units] = True
        table, by_pair = self._pairs
        places = np.flatnonzero(table[units[:-1] * np.uint16(31) + units[1:]])
        pairs = units[places].astype(np.uint32) << np.uint32(16) | units[places + 1]
        order = np.argsort(pairs, kind="stable")
        places, pairs = places[order], pairs[order]
        starts = np.flatnonzero(np.diff(pairs, prepend=pairs[:1] ^ np.uint32(1)))
        found = set()
        for start, end in pairwise([*starts.tolist(), len(pairs)]):
            for string, at in by_pair.get(int(pairs[start]), ()):
                if _stands(string, content, places[start:end], at):
                    found.add(string)
        return set(map(chr, np.flatnonzero(seen).tolist())), found


def _stands(string: str, content: str, places: npt.NDArray[np.intp], at: int) -> bool:
    if len(string) == 2:
        return True
    if len(places) > MOST_PLACES:
        return string in content
    return any(place >= at and content.startswith(string, place - at) for place in places.tolist())


class Presence:
    """Tells whether a text may hold what a gate asks for. It may say yes of a string that is gone by now."""

    def __init__(self, content: str, strings: Strings) -> None:
        self._content, self._strings = content, strings
        self._reach = strings.longest - 1
        self._fresh = ""  # stretches that changes have touched
        self._looked: dict[str, int] = {}  # -1: is there; else how much of `_fresh` was looked through in vain
        known = strings.found_in(content) if len(content) >= LONG_TEXT else None
        if known:
            self._characters, there = known
            self._looked = {s: -1 if s in there else 0 for s in strings.strings}
        else:
            self._characters = set(content)

    def restart(self, content: str) -> Presence:
        """Begin anew with another text."""
        return Presence(content, self._strings)

    def may(self, gate: Gate) -> bool:
        """Tell whether a unit with this gate may find something."""
        for clause in gate.clauses:
            if clause.characters.isdisjoint(self._characters):
                for string in clause.strings:
                    if self._has(string):
                        break
                else:
                    return False
        return True

    def may_stand(self, string: str, content: str) -> bool:
        """Tell whether a string may stand in ``content``, the text as it is or as it was; False is certain."""
        return self._has(string) if content is self._content else string in content

    def _has(self, string: str) -> bool:
        if len(string) < 2:
            return string in self._characters
        looked = self._looked.get(string)
        if looked == -1:
            return True
        if string[0] not in self._characters or string[-1] not in self._characters:
            return False
        if looked is None:
            there = string in self._content
        else:
            there = looked < len(self._fresh) and self._fresh.find(string, looked) >= 0
        self._looked[string] = -1 if there else len(self._fresh)
        return there

    def change(self, changes: Sequence[Change], content: str) -> None:
        """Take note of the changes that have led to ``content``."""
        self._content = content
        shift = 0
        fresh = [self._fresh]
        for change in changes:
            self._characters.update(change.after)
            start = change.start + shift
            end = start + len(change.after)
            fresh.append(content[max(0, start - self._reach) : end + self._reach])
            shift += len(change.after) - len(change.before)
        size = sum(map(len, fresh))
        if size > len(content) or any(change.to is not None for change in changes):
            self._fresh = ""
            self._looked = {s: n for s, n in self._looked.items() if n == -1}
        else:
            self._fresh = _SEAM.join(fresh)
