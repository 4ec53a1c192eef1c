"""Sets of names that lie on disk, so that a million of them need no more memory than one."""

from __future__ import annotations

import sqlite3


class NamesOnDisk:
    """Names that were met, in a private temporary database that is gone with this value. See `works.Names`.

    >>> names = NamesOnDisk()
    >>> names.take("a"), names.take("b"), names.take("a")
    (0, 0, 1)
    """

    def __init__(self) -> None:
        self._base = temporary_database()
        self._base.execute("CREATE TABLE names (name BLOB PRIMARY KEY, met INTEGER) WITHOUT ROWID")

    def take(self, name: str) -> int:
        """Take a name; give how often it was taken before."""
        say = "INSERT INTO names VALUES (?, 0) ON CONFLICT (name) DO UPDATE SET met = met + 1 RETURNING met"
        [(met,)] = self._base.execute(say, (name.encode("utf-8", "surrogateescape"),))
        return int(met)


class Anything:
    """Stands for a set of names where only their number matters: no name is ever taken."""

    def take(self, name: str) -> int:
        """Say that the name was not taken before."""
        return 0


def temporary_database() -> sqlite3.Connection:
    """Open a database of our own that spills to disk and is removed when it is closed."""
    base = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    base.execute("PRAGMA journal_mode = OFF")
    base.execute("PRAGMA synchronous = OFF")
    base.execute("PRAGMA cache_size = -500")  # KiB
    base.execute("BEGIN")
    return base
