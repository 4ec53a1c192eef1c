"""What decides about a result, as one digest: program, rules, options, source. Equal digests, equal results."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shanben import __version__
from shanben.resources import rules_root

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_PROGRAMS = ("pypandoc_binary", "opencc", "lxml", "regex", "numpy", "pypinyin", "chardet")
"""Packages whose version may show in an edition, as their folders of metadata are named."""


_END = 64 * 1024


def digest(said: Any) -> str:
    """Give the SHA-256 of JSON values."""
    return hashlib.sha256(json.dumps(said, ensure_ascii=True, sort_keys=True).encode()).hexdigest()


@lru_cache(maxsize=1)
def program_digest() -> str:
    """Give a digest of the program: its version, its own files, and the versions of what it calls."""
    own = hashlib.sha256()
    for name, path in sorted(_own_files(str(Path(__file__).parents[1]))):
        size, content = _content(path)
        own.update(f"{name}\0{size}\0".encode())
        own.update(content)
    return digest([__version__, own.hexdigest(), _versions()])


def _own_files(home: str) -> Iterator[tuple[str, str]]:
    """Give the files of the program by name, each with its path, but the rules and what Python compiled.

    Paths are plain strings here and below: there are hundreds of files, and this is done at each start.
    """
    for folder, inner, names in os.walk(home):
        inner[:] = [name for name in inner if name != "__pycache__" and (name != "rules" or folder != home)]
        below = folder[len(home) + 1 :].replace(os.sep, "/")
        yield from ((f"{below}/{name}", os.path.join(folder, name)) for name in names)  # noqa: PTH118


def _content(path: str) -> tuple[int, bytes]:
    """Give the size of a file and its content; of a zip only its end, which holds the sums of all members."""
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123
        if not path.endswith(".npz"):
            content = file.readall()
            return len(content), content
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _END))
        return size, file.readall()


def _versions() -> list[str]:
    """Give name and version of the packages, as the names of their folders say them; reading these takes much longer."""
    found = set()
    for folder in filter(os.path.isdir, sys.path):
        for name in os.listdir(folder):  # noqa: PTH208 - there are hundreds
            package = name.lower().partition("-")[0]
            if package in _PROGRAMS and name.endswith((".dist-info", ".egg-info")):
                found.add(name)
    return sorted(found)


@lru_cache(maxsize=512)
def folder_digest(folder: str) -> str:
    """Give a digest of all YAML files under a folder of rules, of each by name and content; "" for the shipped rules."""
    root: Traversable = Path(folder) if folder else rules_root()
    found = sorted((name, hashlib.sha256(file.read_bytes()).hexdigest()) for name, file in _yaml(root, ""))
    return digest(found)


def _yaml(folder: Traversable, below: str) -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _yaml(entry, f"{below}{entry.name}/")
        elif entry.name.endswith((".yaml", ".yml")) and entry.is_file():
            yield below + entry.name, entry


def rules_digest(rules: Sequence[str | Path], profile: str | None) -> str:
    """Give a digest of all that decides about a clean text but its source: program, rules, profile."""
    return digest([program_digest(), folder_digest(""), [folder_digest(str(r)) for r in rules], _profile(profile)])


def _profile(profile: str | None) -> list[str | None]:
    """Give the name of a profile, with what stands in it if that is a file."""
    path = Path(profile) if profile and profile.endswith((".yaml", ".yml")) else None
    content = path.read_bytes() if path and path.is_file() else b""
    return [profile, hashlib.sha256(content).hexdigest()]
