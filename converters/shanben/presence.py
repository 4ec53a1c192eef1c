"""Which units may find something in a text, as the text is when it is their turn.

An `Index` knows what all gates ask for: single characters, and of longer strings the rarest pair of neighbours; `Asked`
is that for all rules of a rulebook, of which a plan takes some.
A `Presence` holds which of these stand in one text, and so which gates are open; changes can only open more.
What it says is necessary: a closed unit finds nothing, an open one may find nothing either.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from functools import cached_property, reduce
from operator import add, or_
from typing import TYPE_CHECKING, NamedTuple

from shanben.rulebook.gates import Gate

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from shanben.ledger import Change

LONG_TEXT = 50_000
"""Characters from which on pairs are looked up with NumPy, which takes a while to load."""
SHORT_TEXT = 1_000
"""Characters up to which it is slower, even where it is loaded."""


class Asked(NamedTuple):
    """What the gates of many units ask for, each by its name. A set of clauses is a number, one bit a clause.

    ``wanted`` gives for a character or a pair of characters the clauses that it fulfils, ``needs`` for each gate the
    clauses that must be fulfilled.
    """

    wanted: dict[str, int]
    needs: dict[str, int]

    @classmethod
    def by(cls, gates: Iterable[tuple[str, Gate]]) -> Asked:
        """Find out what gates with their names ask for."""
        numbers: dict[tuple[frozenset[str], tuple[str, ...]], int] = {}
        wanted: dict[str, int] = {}
        needs = {}
        for name, gate in gates:
            needed = 0
            for clause in gate.clauses:
                key = (clause.characters, clause.strings)
                bit = numbers.get(key)
                if bit is None:
                    bit = numbers[key] = 1 << len(numbers)
                    parts = clause.characters.union(clause.pairs)
                    known = {part: wanted[part] | bit for part in wanted.keys() & parts}
                    wanted.update(dict.fromkeys(parts, bit))
                    wanted.update(known)
                needed |= bit
            needs[name] = needed
        return cls(wanted, needs)

    def index_of(self, names: Iterable[str]) -> Index:
        """Give the index of the gates with these names, in this order."""
        return Index(self.wanted, tuple(map(self.needs.__getitem__, names)))


class Index:
    """What a list of gates asks for; ``wanted`` as in `Asked`, ``needs`` in the order of the list."""

    def __init__(self, wanted: dict[str, int], needs: tuple[int, ...]) -> None:
        self.wanted = wanted
        self.needs = needs

    @classmethod
    def of(cls, gates: Iterable[Gate]) -> Index:
        """Make the index of gates; the units that they belong to are known by their place in the list."""
        asked = Asked.by((str(number), gate) for number, gate in enumerate(gates))
        return asked.index_of(asked.needs)

    def held_by(self, content: str) -> set[str]:
        """Give what stands in a text of all that the gates ask for."""
        if len(content) > SHORT_TEXT and ("numpy" in sys.modules or len(content) >= LONG_TEXT):
            return self._held_by_long(content)
        return {*self._pairs.intersection(map(add, content, content[1:])), *self._characters.intersection(content)}

    def _held_by_long(self, content: str) -> set[str]:
        """Give the same with NumPy: pairs by a table of their hashes, characters by one of their last 16 bits."""
        import numpy as np

        pairs: set[int] = set()
        seen = np.zeros(1 << 16, bool)
        for start in range(0, len(content), _CHUNK):
            chunk = content[start : start + _CHUNK + 1]
            codes = np.frombuffer(chunk.encode("utf-32-le", "surrogatepass"), np.uint32)
            seen[codes & np.uint32(0xFFFF)] = True
            hashed = (codes[:-1] * np.uint32(_FACTOR) + codes[1:]) & np.uint32(0xFFFF)
            places = np.flatnonzero(self._hashed[hashed])
            pairs.update((codes[places].astype(np.uint64) << np.uint64(32) | codes[places + 1]).tolist())
        characters, ends = self._ends
        found = {characters[at] for at in np.flatnonzero(seen[ends])}
        return {
            *self._pairs.intersection(chr(key >> 32) + chr(key & 0xFFFFFFFF) for key in pairs),
            *(c for c in found if c <= "\uffff" or c in content),
        }

    def fulfilled_by(self, parts: Iterable[str]) -> int:
        """Give the clauses that are fulfilled by what stands in a text."""
        return reduce(or_, map(self.wanted.__getitem__, parts), 0)

    @cached_property
    def _characters(self) -> frozenset[str]:
        return frozenset(part for part in self.wanted if len(part) == 1)

    @cached_property
    def _pairs(self) -> frozenset[str]:
        return frozenset(part for part in self.wanted if len(part) == 2)

    @cached_property
    def _hashed(self) -> npt.NDArray[np.bool_]:
        """Give a table of the hashed pairs that are asked for."""
        import numpy as np

        table = np.zeros(1 << 16, bool)
        for pair in self._pairs:
            table[(ord(pair[0]) * _FACTOR + ord(pair[1])) & 0xFFFF] = True
        return table

    @cached_property
    def _ends(self) -> tuple[list[str], npt.NDArray[np.uint16]]:
        """Give the characters that are asked for, and the last 16 bits of each."""
        import numpy as np

        characters = sorted(self._characters)
        return characters, np.array([ord(c) & 0xFFFF for c in characters], np.uint16)


_FACTOR = 31
_CHUNK = 1 << 20
"""Characters that are looked at in one go."""


class Presence:
    """Tells which of the gates of an index are open for a text, and what of all that they ask for it may hold."""

    def __init__(self, content: str, index: Index) -> None:
        self.index = index
        self.held = index.held_by(content)
        self._fulfilled = index.fulfilled_by(self.held)
        self.open = [needed & self._fulfilled == needed for needed in index.needs]

    def change(self, changes: Sequence[Change], content: str) -> None:
        """Take note of the changes that have led to ``content``."""
        wanted, held = self.index.wanted, self.held
        fresh: set[str] = set()
        shift = 0
        for change in changes:
            if change.to is not None:
                fresh = self.index.held_by(content)
                break
            start = change.start + shift
            end = start + len(change.after)
            around = content[max(0, start - 1) : end + 1]
            if len(around) > 64:
                fresh |= self.index.held_by(around)
            else:
                fresh.update(change.after, map(add, around, around[1:]))
            shift += len(change.after) - len(change.before)
        fresh = {part for part in fresh if part in wanted and part not in held}
        if fresh:
            held |= fresh
            self._fulfilled |= self.index.fulfilled_by(fresh)
            self.open = [needed & self._fulfilled == needed for needed in self.index.needs]
