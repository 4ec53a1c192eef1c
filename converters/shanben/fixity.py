"""Proof afterwards, from what lies in a folder alone: is it whole, do the editions agree, does the source come back?"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from shanben.errors import LedgerError, ShanbenError, SourceError, VerifyError
from shanben.ledger import Ledger, from_jsonl
from shanben.pipeline import revert, text_digest
from shanben.rulebook.apply import content_of
from shanben.tools.script import convert_text, version
from shanben.tools.storage import MANIFEST, read_source
from shanben.values import Document, Edition
from shanben.verify import lint, problems, read_back

MAX_TOTAL = 2 * 1024**3
"""Bytes of all files of a built folder, or of a package, together."""
MAX_MANIFEST = 16 * 1024**2
"""Bytes of a manifest: 100,000 files."""
MAX_SIDECAR = 64 * 1024**2
"""Bytes of a metadata file, or of the index of rules in a package."""
MAX_FAULTS = 1000
"""Faults of one folder that are told; then the search ends."""
_FORMATS = {".epub": "epub", ".html": "html", ".txt": "txt"}


class Report(NamedTuple):
    """What a check of one folder found; ``faults`` is empty when all is well."""

    folder: str
    checked: tuple[str, ...]
    faults: tuple[str, ...]


def manifest(files: Mapping[str, bytes]) -> bytes:
    """List SHA-256 and name of each file, as `sha256sum -c` reads it."""
    return "".join(f"{hashlib.sha256(files[n]).hexdigest()}  {n}\n" for n in sorted(files)).encode()


def check_conservation(ledger: Ledger, document: Document) -> None:
    """Hold the law of conservation against the numbers: letters in = letters out + letters taken away on record.

    Raises VerifyError with the characters that do not come out even.
    """
    balance = Counter(content_of(ledger.revert(document.text)))
    for p in ledger.passes:
        for change in p.changes:
            balance.subtract(content_of(change.before))
            balance.update(content_of(change.after))
    balance.subtract(content_of(document.text))
    if odd := {c: n for c, n in balance.items() if n}:
        shown = ", ".join(f"{c!r} {n:+d}" for c, n in sorted(odd.items())[:10])
        raise VerifyError(f"letters were lost or doubled without a record: {shown}")


def built_folders(folder: Path) -> list[Path]:
    """Give ``folder`` itself when it was built, else the built folders in it. Raises SourceError if none."""
    if (folder / MANIFEST).is_file():
        return [folder]
    found = sorted(p.parent for p in folder.glob(f"*/{MANIFEST}")) if folder.is_dir() else []
    if not found:
        raise SourceError(
            f"no editions were found here (no {MANIFEST})",
            where=str(folder),
            fix="give a folder that `shanben build` made",
        )
    return found


def verify_folder(folder: Path) -> Report:
    """Check one built folder: manifest, lint, equal texts in all editions, and that the ledgers give the sources."""
    faults: list[str] = []
    checked: list[str] = []
    try:
        files, listed = _listed(folder)
        faults += listed
        checked.append(f"{len(files)} files against {MANIFEST}")
        texts: dict[str, tuple[str, ...]] = {}
        for name, data in sorted(files.items()):
            if (form := _FORMATS.get(PurePosixPath(name).suffix)) and "/" not in name:
                edition = Edition(form, name, data)
                texts[name] = read_back(edition)
                faults += [f"{name}: {finding}" for finding in problems(lint(edition, None))]
                checked.append(f"{name}: {len(texts[name])} blocks read back")
        said = sidecar_of(folder)
        for base, names, want in _expected(texts, said):
            faults += [_difference(base, want, n, texts[n]) for n in names if texts[n] != want]
        for edition_said in said["editions"]:
            data = files.get(str(edition_said.get("file")), b"")
            if hashlib.sha256(data).hexdigest() != edition_said.get("sha256"):
                faults.append(f"{edition_said.get('file')}: its bytes are not those that the metadata file names")
        for name, data in sources_of(folder):
            checked.append(f"{name}: {len(data)} bytes come back from text and ledger")
    except ShanbenError as error:
        faults.append(f"{error.where}: {error.what}" if error.where else error.what)
    return Report(str(folder), tuple(checked), tuple(f for f in faults if f))


def _expected(
    texts: Mapping[str, tuple[str, ...]], said: Mapping[str, Any]
) -> Iterator[tuple[str, list[str], tuple[str, ...]]]:
    """Give the editions that must hold one text: what it comes from, their names, its blocks.

    With an edition in another script the clean text is converted again, as the metadata file says it was.
    """
    names = sorted(texts)
    script = said.get("script")
    if script is None:
        if names:
            yield names[0], names[1:], texts[names[0]]
        return
    try:
        base = next(e["file"] for e in said["editions"] if e["format"] == "txt")
        config, converter = script["config"], str(script["converter"])
        kept: dict[int, list[tuple[int, int]]] = {}
        for block, start, end in script["kept"]:
            if not all(type(n) is int and n >= 0 for n in (block, start, end)):
                raise ValueError("a place is three whole numbers")
            kept.setdefault(block, []).append((start, end))
        blocks = tuple(convert_text(t, config, kept.get(n, ())) for n, t in enumerate(texts[base]))
    except (KeyError, TypeError, ValueError, StopIteration) as error:
        raise VerifyError(f"what the metadata file says of the script is damaged ({error!r})") from None
    here = version()
    made = "" if here == converter else f" (made with {converter}, checked with {here})"
    yield f"{base} in the other script{made}", [n for n in names if n != base], blocks


def _difference(one: str, a: tuple[str, ...], other: str, b: tuple[str, ...]) -> str:
    index = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    return f"{other}: block {index} is not that of {one}"


def read_inside(folder: Path, name: object) -> bytes:
    """Read a file that a manifest or metadata file names.

    Raises VerifyError when the name leads out of the folder, over a link, or is one of several for the same file.
    """
    path = folder / str(name)
    pure = PurePosixPath(str(name))
    if "\\" in str(name) or "\0" in str(name) or pure.as_posix() != str(name) or ".." in pure.parts:
        raise VerifyError("the name leads out of the folder", where=str(folder))
    if Path(os.path.realpath(path)) != Path(os.path.realpath(folder), str(name)):
        raise VerifyError("the name leads out of the folder, or over a link", where=str(folder))
    return read_source(path, limit=MAX_TOTAL)


def check_size(folder: Path) -> None:
    """Raise VerifyError when the files of a folder are too large to be looked at together."""
    total = sum(p.lstat().st_size for p in folder.rglob("*") if p.is_file() and not p.is_symlink())
    if total > MAX_TOTAL:
        raise VerifyError(f"its files have {total / 1e6:.0f} MB together, the limit is {MAX_TOTAL / 1e6:.0f} MB")


def _listed(folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """Read all files that the manifest names and give them with what is wrong about them."""
    check_size(folder)
    files: dict[str, bytes] = {}
    faults: list[str] = []
    manifest_bytes = read_source(folder / MANIFEST)
    for number, line in manifest_lines(manifest_bytes):
        if len(faults) >= MAX_FAULTS:
            break
        digest, _, name = line.partition("  ")
        if len(digest) != 64 or not name or name in files:
            faults.append(f"{MANIFEST}:{number}: this is no line of a manifest, or its file was named before")
            continue
        try:
            files[name] = read_inside(folder, name)
        except ShanbenError as error:
            faults.append(f"{name[:100]}: {error.what}")
            continue
        if hashlib.sha256(files[name]).hexdigest() != digest:
            faults.append(f"{name}: its bytes are not those that were built (SHA-256 differs)")
    if not faults and manifest_bytes != manifest(files):
        faults.append(f"{MANIFEST}: its bytes are not those that were built")
    for found in sorted(folder.rglob("*")):
        relative = found.relative_to(folder).as_posix()
        if found.is_symlink() or (not found.is_dir() and relative not in files and relative != MANIFEST):
            faults.append(f"{relative}: this file is not in the manifest, or is a link")
    return files, faults


def is_whole(folder: Path) -> bool:
    """Tell whether a folder holds exactly the files of its manifest, byte for byte, and no link."""
    try:
        return not folder.is_symlink() and not _listed(folder)[1]
    except (ShanbenError, OSError):
        return False


def manifest_lines(data: bytes) -> Iterator[tuple[int, str]]:
    """Give the lines of a manifest, numbered from 1. Raises VerifyError when it is too large to be one."""
    if len(data) > MAX_MANIFEST:
        raise VerifyError(f"the manifest has {len(data) / 1e6:.0f} MB, the limit is {MAX_MANIFEST / 1e6:.0f} MB")
    return enumerate(data.decode("utf-8", "replace").removesuffix("\n").split("\n"), 1)


def sidecar_of(folder: Path) -> dict[str, Any]:
    """Read the metadata file of a built folder. Raises SourceError without one, VerifyError for a damaged one."""
    names = sorted(p for p in folder.glob("*.json"))
    if len(names) != 1:
        raise SourceError(f"there are {len(names)} metadata files (*.json), there must be one", where=str(folder))
    try:
        content = json.loads(read_source(names[0], limit=MAX_SIDECAR))
        sources, editions = content["sources"], content["editions"]
        if not isinstance(sources, list) or not isinstance(editions, list) or not sources:
            raise TypeError("sources and editions are lists, and there is a source")
        return dict(content)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise VerifyError(f"this metadata file is damaged ({error})", where=str(names[0])) from None


def sources_of(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Give name and bytes of each source, made again from the TXT edition and the ledgers.

    Raises LedgerError or VerifyError when text and ledger do not belong together, SourceError when one is missing.
    """
    for name, text, ledger, ledger_name in texts_of(folder):
        try:
            data = revert_checked(text, ledger)
        except LedgerError as error:
            error.where = error.where or f"{folder}/{ledger_name}"
            raise
        yield name, data


def revert_checked(text: str, ledger: Ledger) -> bytes:
    """Give the bytes of the source, after a check that ``text`` is the one that the ledger was written for."""
    if ledger.text_sha256 and text_digest(text) != ledger.text_sha256:
        raise LedgerError(
            "the text is not the one that this ledger was written for (its SHA-256 differs)",
            fix="use the text and the ledger of the same build, unchanged",
        )
    return revert(text, ledger)


def texts_of(folder: Path) -> Iterator[tuple[str, str, Ledger, str]]:
    """Give, for each source of a built folder, its name, its text as in the TXT edition, its ledger and that one's name."""
    content = sidecar_of(folder)
    try:
        text_name = next(e["file"] for e in content["editions"] if e["format"] == "txt")
        blocks = _text(folder, text_name).removesuffix("\n").split("\n\n")
        works = content.get("works")
        for index, source in enumerate(content["sources"]):
            name, ledger_name = source["name"], source["ledger"]
            first, last = works[index]["blocks"] if works else (0, len(blocks))
            own = blocks[first:last]
            ledger = from_jsonl(_text(folder, ledger_name))
            if ledger.source_sha256 != source["sha256"]:
                raise VerifyError("metadata and ledger speak of different sources", where=f"{folder}/{ledger_name}")
            text = "\n\n".join(own) + "\n"
            yield str(name), text, ledger, str(ledger_name)
    except (KeyError, IndexError, TypeError, ValueError, StopIteration) as error:
        raise VerifyError(f"this metadata file is damaged ({type(error).__name__})", where=str(folder)) from None


def _text(folder: Path, name: object) -> str:
    try:
        return read_inside(folder, name).decode("utf-8")
    except UnicodeDecodeError:
        raise LedgerError("this file is no UTF-8 text", where=f"{folder}/{str(name)[:100]}") from None
