"""The one door to pandoc. pypandoc knows where it is; nothing of the user's machine leaks into what it writes.

Documents go to one `pandoc lua` process, which is started once and does one after another. Where pandoc has no such
mode, and for what that process fails to do, each document gets a process of its own; the bytes are the same. Both
have an empty data folder and home, a fixed locale and a fixed clock, and see only what they are given.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import select
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

from shanben.errors import ToolError
from shanben.resources import data_file
from shanben.signals import undisturbed

MINIMUM = (3, 1)
"""The tree of JSON that older ones read is not tested; Debian 12 still ships 2.17."""
TIMEOUT = 900.0
"""Seconds for one document. A book of 4,000 chapters needs about 20."""
START_TIMEOUT = 60.0
"""Seconds until the worker must have said its name."""
DOCUMENTS = 300
"""After so many documents the worker is replaced, so that its memory stays small."""
FIX = "pip install pypandoc_binary"
NO_LANGUAGE = "zxx"
"""The code for text in no language. Given any other, pandoc loads words of its own for each page, none of which we use."""

_TRIES = 50
_PIPE = 1 << 16
"""Bytes that a pipe holds; asked for more, Python would set that much aside for each answer."""
_as_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_MENDED = "\u21a9\u2194"


@cache
def executable() -> str:
    """Give the path of pandoc: ``PYPANDOC_PANDOC``, else the wheel's, else the one that pypandoc finds on PATH.

    pypandoc by itself prefers whatever is newest on PATH; then the same version of Shanben would give other
    bytes on another machine.
    """
    spec = find_spec("pypandoc")  # loading it would load all that is needed to fetch pandoc
    if spec and spec.origin and not os.environ.get("PYPANDOC_PANDOC"):
        shipped = Path(spec.origin).parent / "files" / ("pandoc.exe" if os.name == "nt" else "pandoc")
        if shipped.is_file():
            return str(shipped)
    try:
        import logging

        import pypandoc

        logging.getLogger("pypandoc").addHandler(logging.NullHandler())  # else it prints what we say ourselves
        return str(pypandoc.get_pandoc_path())
    except (ImportError, OSError) as error:
        raise ToolError("pandoc was not found", fix=FIX) from error


@cache
def version() -> str:
    """Give pandoc's version, refusing one that is too old for what we ask of it."""
    found = re.search(r"\d+(?:\.\d+)+", _run(["--version"], b"").decode(errors="replace"))
    if not found or _numbers(found[0]) < MINIMUM:
        least = ".".join(map(str, MINIMUM))
        raise ToolError(
            f"{found[0] if found else 'unknown'} is too old, {least} is needed", where=executable(), fix=FIX
        )
    return found[0]


@cache
def api_version() -> tuple[int, ...]:
    """Give the version of the JSON tree that this pandoc reads; asked, because it must match."""
    return tuple(json.loads(_run(["--from=markdown", "--to=json"], b""))["pandoc-api-version"])


def convert(ast: Mapping[str, Any], to: str, *, sections: bool = False) -> bytes:
    """Write the body of ``ast`` (meta and blocks, without the version) in the format ``to`` and give the bytes.

    ``sections`` puts a section round each heading with what belongs to it. HTML has no line end at its end. Lines are never wrapped. pandoc's warnings go to the log: what they would spoil, the lint sees. Raises
    ToolError when pandoc is missing, too old, too slow, or fails.
    """
    tree, back = _shielded(_dumped(ast))
    with _lock:
        done = _by_worker(tree, to, sections)
    return _finished(_alone(tree, to, sections) if done is None else done, to, back)


def convert_alone(ast: Mapping[str, Any], to: str, *, sections: bool = False) -> bytes:
    """Do what :func:`convert` does in a process of its own."""
    tree, back = _shielded(_dumped(ast))
    return _finished(_alone(tree, to, sections), to, back)


def _dumped(ast: Mapping[str, Any]) -> str:
    ast = {**ast, "meta": {"lang": {"t": "MetaString", "c": NO_LANGUAGE}, **ast["meta"]}}
    return _as_json(ast)


def _alone(tree: str, to: str, sections: bool) -> bytes:
    version()
    options = ["--from=json", f"--to={to}", "--wrap=none", *(["--section-divs"] if sections else [])]
    return _run(options, _of_version(tree, api_version()), output=True)


def _shielded(tree: str) -> tuple[str, dict[str, str]]:
    """Give the tree without the characters that pandoc's HTML writer would alter, and how to get them back.

    It sets a variation selector after U+21A9 and U+2194, which changes the text. A number between two
    private-use characters, one that stands nowhere in the tree, takes their place.
    """
    back: dict[str, str] = {}
    free = (name for number in count() if (name := f"\ue000{number}\ue001") not in tree)
    for character in _MENDED:
        if character in tree:
            stand_in = next(free)
            back[stand_in] = character
            tree = tree.replace(character, stand_in)
    return tree, back


def _finished(output: bytes, to: str, back: Mapping[str, str]) -> bytes:
    """Put back what was taken out. Only a process of its own ends HTML with a line end, so none stays."""
    if to.startswith("html"):
        output = output.rstrip(b"\n")
    for stand_in, character in back.items():
        output = output.replace(stand_in.encode(), character.encode())
    return output


def _of_version(tree: str, version: Sequence[int]) -> bytes:
    """Give the tree with the version of pandoc's that it must name."""
    return f'{{"pandoc-api-version":{list(version)},{tree[1:]}'.encode()


def close() -> None:
    """End the worker, if there is one. The next document starts a new one."""
    global _worker
    with _lock:
        if _worker:
            _worker.close()
        _worker = None


class _NotThereError(Exception):
    """The worker has ended, or never began."""


class _Worker:
    """One `pandoc lua` process that waits for documents. It ends when its input does, so it outlives nobody."""

    def __init__(self, program: str) -> None:
        self.program = program
        self.left = DOCUMENTS
        self._waiting = b""
        self._ready: Any = None
        # pandoc keeps a file in its folder for temporary things all the time, but never looks into it again.
        with data_file("pandoc-worker.lua") as script, _folder() as folder:
            self._process = subprocess.Popen(  # noqa: S603 - a fixed program with a script of ours
                [program, "lua", str(script)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                cwd=os.sep,
                env=_environment(Path(folder)),
            )
            try:
                name, self.version, api = self._line(time.monotonic() + START_TIMEOUT).split()
                self.api_version = tuple(map(int, api.split(".")))
                if name != "shanben" or _numbers(self.version) < MINIMUM:
                    raise _NotThereError
            except (ToolError, ValueError) as error:
                self.close()
                raise _NotThereError from error
            except BaseException:
                self.close()
                raise

    def convert(self, tree: bytes, to: str, sections: bool) -> tuple[bytes, str] | None:
        """Give the output and the warnings, or nothing if pandoc fails. Raises _NotThereError, ToolError when it is slow."""
        self.left -= 1
        request = f"{to} {'sections' if sections else 'plain'} {len(tree)}\n".encode()
        end = time.monotonic() + TIMEOUT
        try:
            self._write(request + tree)
            kind, *sizes = self._line(end).split()
            if kind != "done":
                return None
            output, warnings = (self._read(int(size), end) for size in sizes)
            return output, warnings.decode(errors="replace")
        except BaseException:  # also an interrupt: what is left in the pipe belongs to no one
            self.close()
            raise

    def _write(self, content: bytes) -> None:
        view = memoryview(content)
        stream = self._process.stdin
        try:
            while stream and view:
                view = view[stream.write(view) :]
        except OSError as error:
            raise _NotThereError from error

    def _line(self, end: float) -> str:
        while b"\n" not in self._waiting:
            self._waiting += self._some(end)
        line, _, self._waiting = self._waiting.partition(b"\n")
        return line.decode(errors="replace")

    def _read(self, size: int, end: float) -> bytes:
        parts = [self._waiting]
        there = len(self._waiting)
        while there < size:
            parts.append(self._some(end))
            there += len(parts[-1])
        content = b"".join(parts)
        self._waiting = content[size:]
        return content[:size]

    def _some(self, end: float) -> bytes:
        stream = self._process.stdout
        if stream is None or stream.closed:
            raise _NotThereError
        if self._ready is None:
            self._ready = select.poll()
            self._ready.register(stream, select.POLLIN)
        if not self._ready.poll(max(0.0, end - time.monotonic()) * 1000):
            raise ToolError(f"pandoc did not end within {TIMEOUT:.0f} seconds", where=self.program)
        if part := stream.read(_PIPE):
            return part
        raise _NotThereError

    def close(self) -> None:
        """End the process. Its work is lost, if it has any."""
        self._process.kill()
        self.leave()
        self._process.wait()

    def leave(self) -> None:
        """Close the pipes: this process has nothing to say to the worker any more."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                with suppress(OSError):
                    stream.close()

    def forget(self) -> None:
        """Let go of a worker that belongs to the process that this one was forked from."""
        self.leave()
        self._process.returncode = 0


_lock = threading.Lock()
_worker: _Worker | None = None


@cache
def _without_worker() -> set[str]:
    """Give the pandocs that have shown that they cannot be workers. Windows' pipes change line ends."""
    return {executable()} if os.name == "nt" else set()


def _by_worker(tree: str, to: str, sections: bool) -> bytes | None:
    """Let the worker do it, with a new one if the last has ended meanwhile; nothing if it cannot."""
    global _worker
    program = executable()
    for _ in range(2):
        if program in _without_worker():
            break
        try:
            if _worker is None or _worker.program != program or _worker.left <= 0:
                old, _worker = _worker, None
                if old:
                    old.close()
                _worker = _Worker(program)
        except (OSError, _NotThereError):
            _without_worker().add(program)
            break
        try:
            done = _worker.convert(_of_version(tree, _worker.api_version), to, sections)
        except _NotThereError:
            _worker = None
            continue
        except BaseException:
            _worker = None
            raise
        if done is None:
            break
        _log(_warnings(done[1]))
        return done[0]
    return None


def _after_fork() -> None:
    global _lock, _worker
    _lock = threading.Lock()
    if _worker:
        _worker.forget()
    _worker = None


atexit.register(close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(n) for n in version.split(".")[:2])


def _run(
    args: Sequence[str],
    source: bytes,
    *,
    output: bool = False,
) -> bytes:
    program = executable()
    with _folder() as name:
        folder = Path(name)
        (folder / "data").mkdir()
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
                env=_environment(folder),
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
        _log(_warnings(said))
        return target.read_bytes() if output else done.stdout


@contextmanager
def _folder() -> Iterator[str]:
    """Make a folder for temporary things, and take it away again, also when a signal comes while it is made."""
    name = ""
    try:
        with undisturbed():
            name = tempfile.mkdtemp(prefix="shanben-pandoc-")
        yield name
    finally:
        with undisturbed():
            for number in range(_TRIES):  # a pandoc that was just being started may put something into it meanwhile
                if not name or not Path(name).exists():
                    break
                time.sleep(0.01 if number else 0)
                shutil.rmtree(name, ignore_errors=True)


def _environment(folder: Path) -> dict[str, str]:
    kept = {key: os.environ[key] for key in ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH") if key in os.environ}
    private = dict.fromkeys(("HOME", "USERPROFILE", "APPDATA", "XDG_DATA_HOME", "TMPDIR", "TEMP", "TMP"), str(folder))
    return {
        **kept,
        **private,
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "SOURCE_DATE_EPOCH": "0",
    }


def _log(warnings: Sequence[str]) -> None:
    if warnings:
        import logging

        for line in warnings:
            logging.getLogger(__name__).warning("pandoc: %s", line)


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
