"""Files by path or by address (`s3://bucket/a.parquet`, whatever fsspec knows): read, listed, put in place whole."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from shanben.errors import OutputError, SourceError, ToolError
from shanben.lazy import lazy_re
from shanben.tools.storage import PARTIAL, write_error, write_file

_ADDRESS = lazy_re(r"[A-Za-z][A-Za-z0-9+.-]+://")
OBJECT_STORES = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oss"})
"""Where a file appears only when all of it is there, and renaming it would mean writing it again."""


def is_url(name: str) -> bool:
    """Tell whether a name is an address; `C:\\a` is none.

    >>> is_url("s3://bucket/a"), is_url("a/b.txt")
    (True, False)
    """
    return _ADDRESS.match(name) is not None


def needs(package: str, extra: str, error: ImportError) -> ToolError:
    """Say that an extra is missing, and the command that installs it."""
    return ToolError(
        f"{package} is needed for this and cannot be imported ({error})", fix=f"pip install 'shanben[{extra}]'"
    )


def file_system(url: str) -> tuple[Any, str]:
    """Give the file system of an address and the path in it. Raises ToolError where a package for it is missing."""
    try:
        import fsspec
    except ImportError as error:
        raise needs("fsspec", "s3", error) from None
    try:
        fs, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        extra = "s3" if url.startswith(("s3:", "s3a:")) else ""
        fix = f"pip install 'shanben[{extra}]'" if extra else "install the package that it names"
        raise ToolError(f"a package for this kind of address is missing ({error})", where=url, fix=fix) from None
    except ValueError as error:
        raise SourceError(f"there is no such kind of address ({error})", where=url, fix="check the address") from None
    if not fs.cachable or hasattr(fs, "invalidate_cache"):
        fs.invalidate_cache()
    return fs, path


@contextmanager
def reading(name: str) -> Iterator[IO[bytes]]:
    """Open a file for reading. Raises SourceError when that is not possible."""
    try:
        if is_url(name):
            fs, path = file_system(name)
            file: IO[bytes] = io.BufferedReader(fs.open(path, "rb"), 1 << 20)  # fsspec's own lines have no limit
        else:
            file = Path(name).open("rb")  # noqa: SIM115 - closed below
    except (OSError, ValueError) as error:
        raise _unreadable(error, name) from None
    with file:
        yield file


def _unreadable(error: Exception, name: str) -> SourceError:
    why = getattr(error, "strerror", None) or error or type(error).__name__
    missing = isinstance(error, FileNotFoundError)
    return SourceError(
        "there is no such file" if missing else f"the file cannot be read ({why})"[:300],
        where=name,
        fix="check the path or address" if missing else "check its permissions and the access keys",
    )


def stamp(name: str) -> str:
    """Give what tells whether a file is still the same: its size, and its digest or time. Empty: there is none."""
    try:
        if not is_url(name):
            found = Path(name).stat()
            return f"{found.st_size}:{found.st_mtime_ns}"
        fs, path = file_system(name)
        info = fs.info(path)
        said = next(
            (str(info[k]) for k in ("ETag", "etag", "md5Hash", "content_md5", "LastModified", "mtime") if k in info), ""
        )
        return f"{info.get('size')}:{said}"
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise _unreadable(error, name) from None


def size_of(name: str) -> int:
    """Give the bytes of a file. Raises SourceError when it cannot be told."""
    try:
        if not is_url(name):
            return Path(name).stat().st_size
        fs, path = file_system(name)
        return int(fs.size(path) or 0)
    except (OSError, ValueError) as error:
        raise _unreadable(error, name) from None


def listed(name: str, suffixes: tuple[str, ...]) -> list[str]:
    """Give the files with these suffixes that an address, a folder or a pattern stands for, in order of name."""
    if not is_url(name):
        return [name]
    protocol = name.split("://", 1)[0]
    fs, path = file_system(name)
    try:
        if any(c in path for c in "*?["):
            found = fs.glob(path)
        elif path.lower().endswith(suffixes) and not fs.isdir(path):
            return [name]
        else:
            found = fs.find(path)
    except (OSError, ValueError) as error:
        raise _unreadable(error, name) from None
    names = sorted(
        p for p in found if p.lower().endswith(suffixes) and not p.rsplit("/", 1)[-1].startswith((".", "_"))
        and "/_stats/" not in p
    )  # fmt: skip
    if not names:
        raise SourceError(
            "there is no table of rows here", where=name, fix=f"name files that end in {', '.join(suffixes)}"
        )
    return [f"{protocol}://{p}" for p in names]


def read_small(name: str) -> bytes | None:
    """Read a small file; None where there is none."""
    try:
        if not is_url(name):
            return Path(name).read_bytes()
        fs, path = file_system(name)
        return bytes(fs.cat_file(path))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _unreadable(error, name) from None


def write_small(name: str, data: bytes) -> None:
    """Write a small file whole."""
    if not is_url(name):
        write_file(Path(name), data)
        return
    with putting(name) as path:
        path.write_bytes(data)


@contextmanager
def putting(name: str) -> Iterator[Path]:
    """Give a file on this machine to write into; when all went well it is put in place under ``name``, whole.

    Nobody ever sees a part of it under that name. A local file is written beside its place and renamed. To an address
    it is sent when it is finished, under a temporary name that is then changed; to an object store directly, since
    there a file that was not sent to its end does not exist. Raises OutputError.
    """
    token = f"{PARTIAL}{os.getpid()}-{hashlib.sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}"
    if not is_url(name):
        target = Path(name)
        twin = target.with_name(token)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            yield twin
            with twin.open("rb") as file:
                os.fsync(file.fileno())
            twin.replace(target)
        except OSError as error:
            raise write_error(error, target) from None
        finally:
            twin.unlink(missing_ok=True)
        return
    with tempfile.TemporaryDirectory(prefix="shanben-") as folder:
        local = Path(folder) / "part"
        yield local
        _send(local, name, token)


def _send(local: Path, name: str, token: str) -> None:
    fs, path = file_system(name)
    try:
        if name.split("://", 1)[0].lower() in OBJECT_STORES:
            fs.put_file(str(local), path)
            return
        parent = path.rsplit("/", 1)[0]
        partial = f"{parent}/{token}"
        with suppress(NotImplementedError):
            fs.makedirs(parent, exist_ok=True)
        fs.put_file(str(local), partial)
        fs.mv(partial, path)
    except (OSError, ValueError) as error:
        raise OutputError(
            f"this cannot be written ({error})"[:300], where=name, fix="check address and access keys"
        ) from None
