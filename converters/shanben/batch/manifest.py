"""What earlier runs finished: a journal while a run goes on, a list of finished documents between runs.

The journal `.shanben-journal-<process>.jsonl` lies in the output folder, so that a run that was killed can be taken
up again from there alone. When a run has ended, or was interrupted, it is gone: the output folder holds the results
and nothing else. What was finished is then kept in the state folder of the user (`$SHANBEN_STATE`), from where the next
run learns which documents it may leave as they are. Both are JSON lines with one document each, in the order of the run.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

from shanben.batch.names import Store
from shanben.errors import OutputError
from shanben.resources import kept_folder
from shanben.tools.storage import is_alive, write_error, write_pieces

JOURNAL = ".shanben-journal-"
MAX_LINE = 1_000_000
"""Bytes of a line of a manifest; a longer one is not read."""


class Record(NamedTuple):
    """One finished document: its name, the digest of all that went in, and that of what came out."""

    name: str
    key: str
    seal: str
    told: Mapping[str, Any] = {}

    def line(self) -> bytes:
        """Give the record as a line."""
        said = {"name": self.name, "key": self.key, "seal": self.seal, "told": self.told}
        return (json.dumps(said, ensure_ascii=True, separators=(",", ":")) + "\n").encode("ascii")

    @classmethod
    def read(cls, line: bytes) -> Record | None:
        """Read a line; None for one that a killed run did not write to its end, or that is none of ours."""
        with suppress(ValueError, KeyError, TypeError, RecursionError):
            said = json.loads(line)
            if all(isinstance(said[k], str) for k in ("name", "key", "seal")) and isinstance(said["told"], dict):
                return cls(said["name"], said["key"], said["seal"], said["told"])
        return None


class Manifest:
    """The documents that earlier runs finished in one output folder, and the journal of this run.

    Needs no more memory for many documents than for few. ``kind`` keeps apart what different commands put there;
    with ``fresh`` nothing of earlier runs is believed.
    """

    def __init__(self, out: Path, kind: str, *, fresh: bool = False) -> None:
        self.out, self._kind = out, kind
        place = hashlib.sha256(os.fsencode(f"{kind}:{os.path.realpath(out)}")).hexdigest()[:32]
        state = kept_folder("SHANBEN_STATE")
        self._kept = state / "batches" / f"{place}.jsonl" if state else None
        self._known = Store()
        self._journals = sorted(p for p in out.glob(f"{JOURNAL}{kind}-*.jsonl") if not _is_written(p))
        for path in [] if fresh else [*([self._kept] if self._kept else []), *self._journals]:
            for record in _records(path):
                self._put(record)
        self._own = out / f"{JOURNAL}{kind}-{os.getpid()}.jsonl"
        self._journal: IO[bytes] | None = None

    def _put(self, record: Record) -> None:
        self._known.put(record.name.encode("utf-8", "surrogateescape"), record.line())

    def earlier(self, name: str) -> Record | None:
        """Give what is known of a document from earlier runs, or from before in this run."""
        found = self._known.get(name.encode("utf-8", "surrogateescape"))
        return Record.read(found) if found else None

    def done(self, record: Record) -> None:
        """Note a finished document. It is in the journal before this returns."""
        try:
            if self._journal is None:
                self.out.mkdir(parents=True, exist_ok=True)
                self._journal = self._own.open("wb", buffering=0)
            self._journal.write(record.line())
        except OSError as error:
            raise write_error(error, self._own) from None
        self._put(record)

    def close(self, *, ended: bool) -> None:
        """End the journal: what it says is kept in the state folder for the next run, and the journal goes.

        Where nothing can be kept there it goes only when the run has ``ended``; else it is what the next run needs.
        """
        if self._journal:
            self._journal.close()
        if not self._keep() and not ended:
            return
        for path in [*self._journals, self._own]:
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def _keep(self) -> bool:
        """Write what is known into the state folder. False: that cannot be done."""
        if self._kept is None:
            return False
        try:
            self._kept.parent.mkdir(parents=True, exist_ok=True)
            write_pieces(self._kept, self._known.values())
        except (OSError, OutputError):
            return False
        return True


def _is_written(journal: Path) -> bool:
    """Tell whether a process other than this one, still alive, writes a journal."""
    owner = journal.stem.rpartition("-")[2]
    return owner.isdigit() and int(owner) != os.getpid() and is_alive(int(owner))


def _records(path: Path) -> Iterator[Record]:
    try:
        with path.open("rb") as file:
            while line := file.readline(MAX_LINE):
                if line.endswith(b"\n") and (record := Record.read(line)):
                    yield record
    except OSError:
        return
