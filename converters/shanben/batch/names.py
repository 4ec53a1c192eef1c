"""Names that were met and lines about them: a million of them need no more memory than some thousands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

IN_MEMORY = 5_000
"""So many are kept in memory; with one more all go into a database on disk."""


class Store:
    """What is kept by name, in memory while it is little, then in a private temporary database that is gone with this
    value. Names are bytes, as are values.

    >>> store = Store()
    >>> store.put(b"b", b"2"), store.put(b"a", b"1"), store.get(b"b"), store.get(b"c"), list(store.values())
    (None, None, b'2', None, [b'1', b'2'])
    """

    def __init__(self) -> None:
        self._few: dict[bytes, bytes] = {}
        self._base: sqlite3.Connection | None = None

    def get(self, name: bytes) -> bytes | None:
        """Give what is kept under a name."""
        if self._base is None:
            return self._few.get(name)
        found = self._base.execute("SELECT value FROM kept WHERE name = ?", (name,)).fetchone()
        return bytes(found[0]) if found else None

    def put(self, name: bytes, value: bytes) -> None:
        """Keep a value under a name, instead of what was there."""
        if self._base is None:
            self._few[name] = value
            if len(self._few) <= IN_MEMORY:
                return
            self._base = _temporary_database()
            self._base.executemany("INSERT INTO kept VALUES (?, ?)", self._few.items())
            self._few.clear()
            return
        self._base.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (name, value))

    def values(self) -> Iterator[bytes]:
        """Give all values in the order of their names."""
        if self._base is None:
            yield from (self._few[name] for name in sorted(self._few))
            return
        yield from (bytes(value) for (value,) in self._base.execute("SELECT value FROM kept ORDER BY name"))


class ManyNames:
    """Names that were met, however many. See `works.Names`.

    >>> names = ManyNames()
    >>> names.take("a"), names.take("b"), names.take("a")
    (0, 0, 1)
    """

    def __init__(self) -> None:
        self._met = Store()

    def take(self, name: str) -> int:
        """Take a name; give how often it was taken before."""
        key = name.encode("utf-8", "surrogateescape")
        met = int(self._met.get(key) or b"0")
        self._met.put(key, b"%d" % (met + 1))
        return met


class Anything:
    """Stands for a set of names where only their number matters: no name is ever taken."""

    def take(self, name: str) -> int:
        """Say that the name was not taken before."""
        return 0


def _temporary_database() -> sqlite3.Connection:
    """Open a database of our own that spills to disk and is removed when it is closed."""
    import sqlite3

    base = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    base.execute("PRAGMA journal_mode = OFF")
    base.execute("PRAGMA synchronous = OFF")
    base.execute("PRAGMA cache_size = -500")  # KiB
    base.execute("BEGIN")
    base.execute("CREATE TABLE kept (name BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID")
    return base
