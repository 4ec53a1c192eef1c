"""The one door to pandoc. pypandoc knows where it is; nothing of the user's machine leaks into what it writes.

Each run gets a private folder that is always removed, an empty data folder and home, a fixed locale and a
fixed clock, and sees only the files that it is given.
"""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from shanben.errors import ToolError

MINIMUM = (3, 1)
"""``--split-level`` came with pandoc 3.1; Debian 12 still ships 2.17."""
TIMEOUT = 900.0
"""Seconds. A book of 4,000 chapters needs about 20."""
FIX = "pip install pypandoc_binary"

log = logging.getLogger(__name__)


@cache
def executable() -> str:
    """Give the path of pandoc: ``PYPANDOC_PANDOC``, else the wheel's, else the one that pypandoc finds on PATH.

    pypandoc by itself prefers whatever is newest on PATH; then the same version of Shanben would give other
    bytes on another machine.
    """
    try:
        import pypandoc

        logging.getLogger("pypandoc").addHandler(logging.NullHandler())  # else it prints what we say ourselves
        shipped = Path(pypandoc.__file__).parent / "files" / ("pandoc.exe" if os.name == "nt" else "pandoc")
        if not os.environ.get("PYPANDOC_PANDOC") and shipped.is_file():
            return str(shipped)
        return str(pypandoc.get_pandoc_path())
    except (ImportError, OSError) as error:
        raise ToolError("pandoc was not found", fix=FIX) from error


@cache
def version() -> str:
    """Give pandoc's version, refusing one that is too old for what we ask of it."""
    found = re.search(r"\d+(?:\.\d+)+", _run(["--version"], b"").decode(errors="replace"))
    if not found or tuple(int(n) for n in found[0].split(".")[:2]) < MINIMUM:
        least = ".".join(map(str, MINIMUM))
        raise ToolError(
            f"{found[0] if found else 'unknown'} is too old, {least} is needed", where=executable(), fix=FIX
        )
    return found[0]


@cache
def api_version() -> tuple[int, ...]:
    """Give the version of the JSON tree that this pandoc reads; asked, because it must match."""
    return tuple(json.loads(_run(["--from=markdown", "--to=json"], b""))["pandoc-api-version"])


def convert(
    ast: Mapping[str, Any],
    to: str,
    args: Sequence[str] = (),
    epoch: int = 0,
    files: Mapping[str, bytes] | None = None,
) -> bytes:
    """Write ``ast`` (meta and blocks, without the version) in the format ``to`` and give the bytes.

    ``files`` are laid beside the run under their names, so that ``args`` can name a template or a style
    sheet. Lines are never wrapped. pandoc's warnings go to the log: what they would spoil, the lint sees.
    """
    version()
    tree = {"pandoc-api-version": list(api_version()), **ast}
    source = json.dumps(tree, ensure_ascii=True, separators=(",", ":")).encode("ascii")
    options = ["--from=json", f"--to={to}", "--wrap=none", *args]
    return _run(options, source, epoch=epoch, files=files or {}, output=True)


def _run(
    args: Sequence[str],
    source: bytes,
    *,
    epoch: int = 0,
    files: Mapping[str, bytes] | None = None,
    output: bool = False,
) -> bytes:
    program = executable()
    with tempfile.TemporaryDirectory(prefix="shanben-pandoc-") as name:
        folder = Path(name)
        (folder / "data").mkdir()
        for path, data in (files or {}).items():
            (folder / path).write_bytes(data)
        target = folder / "out"
        command = [program, *args, f"--data-dir={folder / 'data'}"]
        if output:
            command.append(f"--output={target}")
        try:
            done = subprocess.run(  # noqa: S603 - a fixed program; the document goes through stdin
                command,
                input=source,
                capture_output=True,
                cwd=folder,
                env=_environment(folder, epoch),
                timeout=TIMEOUT,
                check=False,
            )
        except OSError as error:
            raise ToolError(f"pandoc could not be started: {error}", where=program, fix=FIX) from error
        except subprocess.TimeoutExpired as error:
            raise ToolError(f"pandoc did not end within {TIMEOUT:.0f} seconds", where=program) from error
        said = done.stderr.decode(errors="replace").strip()
        if done.returncode:
            what = f"pandoc ended with {done.returncode}: {said[:2000] or 'no message'}"
            raise ToolError(what, where=program, fix=f"{FIX} (a fresh copy), or report this document")
        for line in _warnings(said):
            log.warning("pandoc: %s", line)
        return target.read_bytes() if output else done.stdout


def _environment(folder: Path, epoch: int) -> dict[str, str]:
    kept = {key: os.environ[key] for key in ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH") if key in os.environ}
    private = dict.fromkeys(("HOME", "USERPROFILE", "APPDATA", "XDG_DATA_HOME", "TMPDIR", "TEMP", "TMP"), str(folder))
    return {
        **kept,
        **private,
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "SOURCE_DATE_EPOCH": str(epoch),
    }


def _warnings(said: str) -> list[str]:
    """Give what pandoc complained about. Missing translations are no fault: every label is ours.

    >>> _warnings("[WARNING] Could not load translations for fo\\n[WARNING] Duplicate id")
    ['[WARNING] Duplicate id']
    """
    found, keep = [], True
    for line in said.splitlines():
        if line.startswith("["):
            keep = "translation" not in line.lower()
        if keep and line.strip():
            found.append(line.strip())
    return found
