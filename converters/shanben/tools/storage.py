"""Reading sources and putting finished folders in place: all or nothing, whatever happens in between."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from shanben.errors import OutputError, SourceError

MAX_SOURCE = 256 * 1024 * 1024
"""Bytes that a source may have. A book of a million characters has three million."""
MANIFEST = "manifest-sha256.txt"
"""The file by which a built folder is known; it lists all others."""
PARTIAL, RETIRED = ".shanben-new-", ".shanben-old-"


def read_source(path: Path, *, limit: int = MAX_SOURCE) -> bytes:
    """Read a file. Raises SourceError when it is missing, no plain file, unreadable or over ``limit`` bytes."""
    where = str(path)
    try:
        if path.is_dir():
            raise SourceError(
                "this is a folder, not a document", where=where, fix="give a file, or use `shanben build`"
            )
        if not path.is_file():
            missing = not path.exists()
            raise SourceError(
                "there is no such file" if missing else "this is no plain file (a device, pipe or socket)",
                where=where,
                fix="check the path" if missing else "save it as a file first, or give `-` to read standard input",
            )
        size = path.stat().st_size
        if size > limit:
            raise SourceError(*_too_large(size, limit), where=where, fix=_SPLIT)
        with path.open("rb") as file:
            data = b"".join(_pieces(file, limit + 1))
    except OSError as error:
        raise SourceError(
            f"the file cannot be read ({error.strerror or error})", where=where, fix="check its permissions"
        ) from None
    except ValueError:  # a NUL in the path
        raise SourceError("this is no path", where=repr(where), fix="check the path") from None
    if len(data) > limit:
        raise SourceError(*_too_large(len(data), limit), where=where, fix=_SPLIT)
    return data


def _pieces(file: BinaryIO, most: int) -> Iterator[bytes]:
    """Read up to ``most`` bytes; read at once, that many would be set aside even for a small file."""
    while piece := file.read(min(most, 1 << 20)):
        most -= len(piece)
        yield piece


_SPLIT = "split it into several files, or raise the limit with --max-megabytes"


def _too_large(size: int, limit: int) -> tuple[str]:
    return (f"the source has {size / 1e6:.0f} MB or more, the limit is {limit / 1e6:.0f} MB",)


_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{d}{i}" for d in ("com", "lpt") for i in range(1, 10))})
"""Names that Windows keeps for itself."""


def safe_name(name: str) -> str:
    """Give a name that is safe as one file or folder name on any system: no path, no blanks at the ends.

    >>> safe_name("../a/湖南 日报?.txt"), safe_name("...")
    ('_a_湖南 日报_.txt', 'work')
    """
    with suppress(UnicodeError):  # under an ASCII locale the bytes of a name arrive as surrogates
        name = os.fsencode(name).decode("utf-8", "surrogateescape")
    cleaned = "".join(c if c.isprintable() and c not in '/\\\\:*?"<>|' else "_" for c in name).lstrip(". ")
    if cleaned.split(".", 1)[0].rstrip(" ").casefold() in _DEVICES:
        cleaned = f"_{cleaned}"
    return cleaned.encode("utf-8", "replace")[:120].decode("utf-8", "ignore").rstrip(". ") or "work"


def write_error(error: OSError, path: Path) -> OutputError:
    """Turn an error of the disk into one that says what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OutputError(
            "the disk is full",
            where=str(path),
            fix="make room and run the command again; what stood there stands, nothing is half-written",
        )
    return OutputError(
        f"this cannot be written ({error.strerror or error})",
        where=str(path),
        fix="check that the folder exists and may be written, or choose another with -o",
    )


def write_file(path: Path, data: bytes, *, sync: bool = True) -> None:
    """Write a file through a temporary twin, so that a reader sees the old or the new one, whole.

    Without ``sync`` it is not said that the disk has it when this returns.
    """
    write_pieces(path, (data,), sync=sync)


def write_pieces(path: Path, pieces: Iterable[bytes], *, sync: bool = True) -> None:
    """Write a file as `write_file` does, piece by piece."""
    twin = path.with_name(f"{PARTIAL}{os.getpid()}-{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with twin.open("wb") as file:
                for piece in pieces:
                    file.write(piece)
                if sync:
                    file.flush()
                    os.fsync(file.fileno())
            if path.exists():
                shutil.copymode(path, twin)
            twin.replace(path)
        finally:
            twin.unlink(missing_ok=True)
    except OSError as error:
        raise write_error(error, path) from None


def replace_folder(target: Path, files: Mapping[str, bytes], *, tidy: bool = True, sync: bool = True) -> None:
    """Put a folder with exactly these files in place of ``target``, in one step.

    Until that step the old folder stands untouched; a kill at any moment leaves the old or the new one whole
    (and perhaps a `.shanben-new-…` folder, which the next call clears away, unless it is told not to ``tidy``). File
    names are relative, with `/`. Without ``sync`` it is not said that the disk has them when this returns. Raises
    OutputError.
    """
    parent = target.parent
    fresh = parent / f"{PARTIAL}{os.getpid()}-{target.name}"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        if tidy:
            clear_leftovers(parent)
        _refuse_foreign(target)
        try:
            fresh.mkdir()
            for name, data in files.items():
                path = fresh / PurePosixPath(name)
                if not path.resolve().is_relative_to(fresh.resolve()):
                    raise OutputError(f"{name!r} would be written outside its folder", where=str(target))
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("wb") as file:
                    file.write(data)
                    if sync:
                        file.flush()
                        os.fsync(file.fileno())
            _swap(fresh, target)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    except OSError as error:
        raise write_error(error, target) from None


def _refuse_foreign(target: Path) -> None:
    """Refuse to replace anything but a folder that holds only what an earlier build put there."""
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise OutputError("there is something that is no folder", where=str(target), fix="move it away")
    if not target.is_dir():
        return
    listed = {MANIFEST}
    if (target / MANIFEST).is_file():
        lines = (target / MANIFEST).read_text("utf-8", "replace").splitlines()
        listed |= {line.partition("  ")[2] for line in lines}
    foreign = [p for p in target.rglob("*") if not p.is_dir() and p.relative_to(target).as_posix() not in listed]
    if foreign:
        raise OutputError(
            f"this folder holds files that no build put there ({min(foreign).name}), so it is not replaced",
            where=str(target),
            fix="choose another folder with -o, or move these files away",
        )


def _swap(fresh: Path, target: Path) -> None:
    """Exchange two folders at once where the system can; else old away, new in, in that order."""
    if not target.exists():
        fresh.rename(target)
        return
    if _exchange(fresh, target):
        return  # `fresh` is now the old folder; the caller removes it
    retired = target.parent / f"{RETIRED}{target.name}"
    shutil.rmtree(retired, ignore_errors=True)
    target.rename(retired)
    fresh.rename(target)
    shutil.rmtree(retired, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two paths atomically (renameat2 on Linux, renamex_np on macOS); False if not possible here."""
    import ctypes

    with suppress(AttributeError, OSError):
        libc = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "linux":
            return bool(libc.renameat2(-100, os.fsencode(one), -100, os.fsencode(other), 2) == 0)
        if sys.platform == "darwin":
            return bool(libc.renamex_np(os.fsencode(one), os.fsencode(other), 2) == 0)
    return False


def clear_leftovers(folder: Path) -> None:
    """Clear away what a killed run left: unfinished folders, and put back a folder that was moved away."""
    for path in folder.glob(f"{PARTIAL}*"):
        owner = path.name.removeprefix(PARTIAL).split("-", 1)[0]
        if owner.isdigit() and int(owner) != os.getpid() and not is_alive(int(owner)):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
    for path in folder.glob(f"{RETIRED}*"):
        home = folder / path.name.removeprefix(RETIRED)
        if not home.exists():
            path.rename(home)
        elif (path / MANIFEST).is_file():  # the new folder was in place already
            shutil.rmtree(path, ignore_errors=True)


def is_alive(process: int) -> bool:
    """Tell whether a process of this number is running on this machine. One that has ended is dead, though its
    parent may not have asked for its exit code yet."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError, OSError):
        return True
    try:
        state = Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()[:1]
    except OSError:
        return True
    return state not in ([b"Z"], [b"X"])
