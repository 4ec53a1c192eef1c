"""What decides about a result, as one digest: program, rules, options, source. Equal digests, equal results."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from shanben import __version__
from shanben.resources import rules_root

_PROGRAMS = ("pypandoc_binary", "opencc", "lxml", "regex", "numpy", "pypinyin", "chardet")
"""Packages whose version may show in an edition, as their folders of metadata are named."""


_END = 64 * 1024


def digest(said: Any) -> str:
    """Give the SHA-256 of JSON values."""
    return hashlib.sha256(json.dumps(said, ensure_ascii=True, sort_keys=True).encode()).hexdigest()


@lru_cache(maxsize=1)
def program_digest() -> str:
    """Give a digest of the program: its version, its own files, and the versions of what it calls."""
    home = Path(__file__).parents[1]
    own = hashlib.sha256()
    for name, path in sorted(_own_files(home)):
        own.update(f"{name}\0{path.stat().st_size}\0".encode())
        own.update(_content(path))
    return digest([__version__, own.hexdigest(), _versions()])


def _own_files(home: Path) -> Iterator[tuple[str, Path]]:
    """Give the files of the program by name, but the rules."""
    for folder, inner, names in os.walk(home):
        below = Path(folder).relative_to(home).as_posix()
        if below == ".":
            inner[:] = [name for name in inner if name != "rules"]
        yield from ((f"{below}/{name}", Path(folder, name)) for name in names if not name.endswith(".pyc"))


def _content(path: Path) -> bytes:
    """Give what tells a file from any other of its name and size; of a zip its end, which holds the sums of all members."""
    if path.suffix != ".npz":
        return path.read_bytes()
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _END))
        return file.read()


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
