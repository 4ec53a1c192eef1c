"""What a command has worked out, kept on disk for the next: each entry with a check, made anew where it is damaged.

The folder is `$SHANBEN_CACHE` (`off`: none), else `shanben` in the folder where the system keeps caches. An entry is named
after the digest of all that it was made from, so it is never out of date, only unused.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

import shanben
from shanben.resources import kept_folder

_SUFFIX = ".json"


def folder() -> Path | None:
    """Give the folder of the entries; None when there is to be none."""
    return None if os.environ.get("SHANBEN_CACHE") == "off" else kept_folder("SHANBEN_CACHE")


def read_entry(key: str, kind: str = "") -> bytes | None:
    """Give the entry of that name and kind; None when there is none, or it is damaged."""
    place = folder()
    if place is None:
        return None
    path = place / kind / f"{key}{_SUFFIX}"
    try:
        head, _, body = path.read_bytes().partition(b"\n")
    except (OSError, ValueError):
        return None
    with suppress(OSError):  # what is used stays; a folder that may only be read is as good
        os.utime(path)
    return body if _check(body) == head else None


def keep_entry(key: str, body: bytes, most: int, kind: str = "") -> None:
    """Keep an entry; of more than ``most`` of a kind those go that were not used for longest.

    Where that cannot be done nothing is said: the next start takes longer, that is all.
    """
    place = folder()
    if place is None:
        return
    place /= kind
    import tempfile

    with suppress(OSError):
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=place, prefix=".new-", delete=False) as file:
            try:
                file.write(_check(body) + b"\n" + body)
                file.close()
                Path(file.name).replace(place / f"{key}{_SUFFIX}")
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
        entries = sorted(place.glob(f"*{_SUFFIX}"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in entries[most:]:
            path.unlink(missing_ok=True)


@cache
def code_stamp() -> str:
    """Say name, size and time of the modules that read rules and descriptions: a change in one makes all entries useless."""
    package = Path(shanben.__file__).parent
    return f"{shanben.__version__}\n{''.join(_modules(package))}"


def _modules(package: Path) -> Iterator[str]:
    for place in (package, package / "rulebook", package / "steps", package / "columns"):
        if place.is_dir():  # inside a zip there is none, and nothing in it changes
            with os.scandir(place) as entries:
                for entry in sorted(entries, key=lambda e: e.name):
                    if entry.name.endswith(".py"):
                        said = entry.stat()
                        yield f"{entry.name} {said.st_size} {said.st_mtime_ns}\n"


def _check(body: bytes) -> bytes:
    """Give what tells an entry that is damaged."""
    return b"%08x" % zlib.crc32(body)
