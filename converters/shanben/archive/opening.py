"""What a path on the command line means where ledgers are wanted: a package, a built folder, or a ledger file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from shanben.archive.check import find_folders, work_folder
from shanben.errors import LedgerError, UsageError
from shanben.fixity import MAX_TOTAL, revert_checked, texts_of
from shanben.ledger import Ledger, from_jsonl
from shanben.tools.storage import read_source
from shanben.works import is_folder


@dataclass(frozen=True, slots=True)
class Opened:
    """A ledger, with the clean text that it leads to and the decoded source where they are at hand."""

    name: str
    ledger: Ledger
    text: str | None = None
    source_text: str | None = None

    @property
    def source(self) -> bytes:
        """Give the bytes of the source. Raises LedgerError when text and ledger do not belong together."""
        return revert_checked(self.text or "", self.ledger)


def open_text(path: Path, ledger_path: Path) -> Opened:
    """Open a clean text with its ledger. Raises SourceError, LedgerError."""
    ledger = _read(ledger_path)
    try:
        text = read_source(path, limit=MAX_TOTAL).decode()
    except UnicodeDecodeError:
        raise LedgerError("the clean text is no UTF-8", where=str(path)) from None
    return _whole(path.name, text, ledger, str(path))


def open_ledgers(path: Path) -> list[Opened]:
    """Open the ledgers of one work: its package, its built folder, or one ledger file. Raises ShanbenError."""
    if not is_folder(path):
        return [Opened(path.name, _read(path))]
    return open_work(path)


def open_work(path: Path) -> list[Opened]:
    """Open all that a package or a built folder holds, of one work or of a collection."""
    folders = find_folders(path)
    if len(folders) != 1:
        raise UsageError("the folder of one work is wanted", where=str(path), fix=f"for example {folders[0]}")
    return [_whole(n, text, ledger, str(path)) for n, text, ledger, _ in texts_of(work_folder(folders[0]))]


def _whole(name: str, text: str, ledger: Ledger, where: str) -> Opened:
    try:
        revert_checked(text, ledger)
    except LedgerError as error:
        error.where = error.where or where
        raise
    return Opened(name, ledger, text, ledger.revert(text))


def _read(path: Path) -> Ledger:
    try:
        return from_jsonl(read_source(path, limit=MAX_TOTAL).decode())
    except UnicodeDecodeError:
        raise LedgerError("the ledger is no UTF-8", where=str(path)) from None
    except LedgerError as error:
        raise LedgerError(
            error.what, where=f"{path}, {error.where}" if error.where else str(path), fix=error.fix
        ) from None
