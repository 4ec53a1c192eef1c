"""Archives of documents: their members one at a time, each read into memory within limits; nothing is unpacked."""

from __future__ import annotations

import gzip
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from shanben.batch.rows import MAX_RATIO, ROOM
from shanben.errors import SourceError
from shanben.works import DEEPEST, SUFFIXES

MAX_MEMBERS = 10_000_000
"""Members of an archive, of whatever kind."""
_DAMAGED = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, EOFError, OSError,
    NotImplementedError, RuntimeError, ValueError,
)  # fmt: skip


def members(path: Path, limit: int) -> Iterator[tuple[str, bytes | SourceError]]:
    """Give name and bytes of each text file in an archive, in its own order."""
    try:
        size = max(path.stat().st_size, 1)
        total = 0
        for count, (name, value) in enumerate(
            _zip(path, limit) if path.name.lower().endswith(".zip") else _tar(path, limit)
        ):
            total += len(value) if isinstance(value, bytes) else 0
            if total > max(MAX_RATIO * size, ROOM) or count > MAX_MEMBERS:
                raise SourceError(
                    f"what lies in this archive is more than {MAX_RATIO} times as large as the archive",
                    where=str(path),
                    fix="unpack it yourself, if you know where it comes from, and give the folder",
                )
            yield name, value
    except SourceError as error:
        yield "", error
    except _DAMAGED as error:
        yield "", SourceError(f"the archive is damaged ({error})"[:300], where=str(path), fix="get it again")


def _zip(path: Path, limit: int) -> Iterator[tuple[str, bytes | SourceError]]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            name = _zip_name(info)
            kind = stat.S_IFMT(info.external_attr >> 16)
            if info.is_dir() or not _is_text(name):
                continue
            if fault := _name_fault(name) or ("" if kind in (0, stat.S_IFREG) else "it is a link or a device"):
                yield name, SourceError(f"this member is not read: {fault}")
            elif limit < 0:
                yield name, b""
            elif info.flag_bits & 1:
                yield name, SourceError("this member is encrypted", fix="unpack the archive yourself")
            elif info.file_size > limit or (info.file_size > ROOM and info.file_size > MAX_RATIO * info.compress_size):
                yield name, _too_large(limit)
            else:
                try:
                    with archive.open(info) as file:
                        yield name, _read(file, limit)
                except SourceError as error:
                    yield name, error
                except _DAMAGED as error:
                    yield name, SourceError(f"this member is damaged ({error})"[:300])


def _zip_name(info: zipfile.ZipInfo) -> str:
    """Give the name of a member; one that does not say it is UTF-8 may be, or in the encoding of a Chinese Windows."""
    if info.flag_bits & 0x800:
        return info.filename
    try:
        return _decoded(info.orig_filename.encode("cp437"))
    except UnicodeEncodeError:
        return info.filename


def _decoded(name: bytes) -> str:
    for encoding in ("utf-8", "gb18030"):
        try:
            return name.decode(encoding)
        except UnicodeDecodeError:
            continue
    return name.decode("latin-1")


def _tar(path: Path, limit: int) -> Iterator[tuple[str, bytes | SourceError]]:
    with tarfile.open(path, "r|*", errors="surrogateescape", encoding="utf-8") as archive:
        for info in archive:
            archive.members = []  # type: ignore[attr-defined]  # else it would remember them all
            name = _decoded(info.name.encode("utf-8", "surrogateescape"))
            if info.isdir() or not _is_text(name):
                continue
            if fault := _name_fault(name) or ("" if info.isreg() else "it is a link or a device"):
                yield name, SourceError(f"this member is not read: {fault}")
            elif limit < 0:
                yield name, b""
            elif info.size > limit:
                yield name, _too_large(limit)
            else:
                file = archive.extractfile(info)
                yield name, _read(file, limit) if file else b""


def _is_text(name: str) -> bool:
    inner = PurePosixPath(name)
    hidden = any(p.startswith(".") and p != ".." for p in inner.parts) or "__MACOSX" in inner.parts
    return inner.suffix.lower() in SUFFIXES and not hidden


def _name_fault(name: str) -> str:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if name.startswith(("/", "\\")) or ".." in parts or (len(name) > 1 and name[1] == ":") or "\0" in name:
        return "its name leads out of the archive"
    return "folders lie too deep in it" if len(parts) > DEEPEST else ""


def _read(file: IO[bytes], limit: int) -> bytes:
    data = file.read(limit + 1)
    if len(data) > limit:
        raise _too_large(limit)
    return data


def _too_large(limit: int) -> SourceError:
    return SourceError(
        f"the source has more than {limit / 1e6:.0f} MB, or unpacks to more than {MAX_RATIO} times its size",
        fix="split it into several files, or raise the limit with --max-megabytes",
    )
