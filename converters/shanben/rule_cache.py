"""Checked rules, kept on disk: reading and checking the rule files takes half a second, reading this a hundredth.

An entry is named after the digest of all that it was made from: the bytes of every rule file, the version, Python, and
the modules that read rules. So it is never out of date, only unused. It is JSON and makes no object but the values of
rules, and patterns from what `regex` compiled them to, in a tenth of the time; an entry that is damaged is made anew.

The folder is `$SHANBEN_CACHE` (`off`: none), else `shanben` in the folder where the system keeps caches.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import platform
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import regex

from shanben import __version__
from shanben.profiles import Evidence, Profile, Setting
from shanben.resources import kept_folder
from shanben.rulebook.gates import Facts, Gate, OneOf
from shanben.rulebook.patterns import code_of, remember
from shanben.rulebook.schema import (
    Example,
    Keep,
    Limit,
    MarkSpec,
    Place,
    Rule,
    Rulebook,
    Suppression,
    When,
    Where,
)

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

FORMAT = 5
MOST_KEPT = 16
"""Entries that are kept; of more the oldest go."""
MOST_FILES, MOST_BYTES, DEEPEST = 2_000, 20_000_000, 8
"""Folders with more rule files, longer ones, or deeper ones are read anew each time."""
_CLASSES: tuple[type[Any], ...] = (
    Place, Example, Keep, Where, Limit, When, MarkSpec, Rule, Suppression, Rulebook, Evidence, Setting, Profile,
)  # fmt: skip
_NUMBER = {cls: number for number, cls in enumerate(_CLASSES)}
_TUPLE, _TABLE, _SET, _WORDS, _LATER = -1, -2, -3, -4, -5
_BETWEEN = "\0"
_MISSING = object()


class Checked(NamedTuple):
    """What comes of rule files without a fault: rules, profiles by name, what is known of their patterns, and what
    characters steps need."""

    book: Rulebook
    profiles: Mapping[str, Profile]
    facts: Mapping[str, Facts]
    step_needs: Mapping[str, frozenset[str]]


class _Later(Sequence[Any]):
    """Examples and keeps of a rule, unpacked when somebody asks for them: who cleans a text never does."""

    def __init__(self, packed: Sequence[Any]) -> None:
        self._packed = packed

    @cached_property
    def _values(self) -> tuple[Any, ...]:
        return tuple(map(_unpacked, self._packed))

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        return self._values[index]

    def __len__(self) -> int:
        return len(self._packed)

    def __eq__(self, other: object) -> bool:
        return self._values == (other._values if isinstance(other, _Later) else other)

    def __hash__(self) -> int:
        return hash(self._values)


def folder() -> Path | None:
    """Give the folder of the entries; None when there is to be none."""
    return None if os.environ.get("SHANBEN_CACHE") == "off" else kept_folder("SHANBEN_CACHE")


def key_of(roots: Sequence[tuple[str, Traversable | Path]], *said: str) -> str | None:
    """Give the name of the entry for rule folders, each with the name under which its files are shown.

    None when they cannot be read, or are so many that looking at them all would be no gain.
    """
    digest = hashlib.sha256(json.dumps([FORMAT, __version__, *_machine(), *said]).encode())
    room = [MOST_FILES, MOST_BYTES]
    try:
        for line in _code():
            digest.update(line.encode())
        for shown_as, root in roots:
            digest.update(f"\0{shown_as}\0".encode("utf-8", "surrogatepass"))
            for name, data in _files(root, "", 0):
                room = [room[0] - 1, room[1] - len(data)]
                if min(room) < 0:
                    return None
                digest.update(f"{name}\0{len(data)}\0".encode("utf-8", "surrogatepass") + data)
    except (OSError, RecursionError):
        return None
    return digest.hexdigest()


def _machine() -> Iterator[str]:
    """Say what the code of patterns goes with."""
    yield from (regex.__version__, sys.version, sys.byteorder, str(sys.maxsize), platform.machine())


def _code() -> Iterator[str]:
    """Give name, size and time of the modules that read rules: a change in one makes all entries useless."""
    package = Path(__file__).parent
    for place in (package, package / "rulebook", package / "steps", package / "columns"):
        if place.is_dir():  # inside a zip there is none, and nothing in it changes
            with os.scandir(place) as entries:
                for entry in sorted(entries, key=lambda e: e.name):
                    if entry.name.endswith(".py"):
                        said = entry.stat()
                        yield f"{entry.name} {said.st_size} {said.st_mtime_ns}\n"


def _files(root: Traversable | Path, name: str, depth: int) -> Iterator[tuple[str, bytes]]:
    """Give all files and folders under a folder by name, with what stands in those that may hold rules."""
    if depth > DEEPEST:
        raise RecursionError
    for entry in sorted(root.iterdir(), key=lambda e: e.name):
        inner = f"{name}/{entry.name}"
        if entry.is_dir():
            yield inner, b"/"
            yield from _files(entry, inner, depth + 1)
        elif entry.name.lower().endswith((".yaml", ".yml")):
            yield inner, entry.read_bytes()
        else:
            yield inner, b"-"


def load(key: str) -> Checked | None:
    """Give the entry of that name; None when there is none, or it cannot be used."""
    place = folder()
    if place is None:
        return None
    collecting = gc.isenabled()
    gc.disable()  # thousands of small values, all of which stay
    try:
        head, _, body = (place / f"{key}.json").read_bytes().partition(b"\n")
        if _check(body) != head:
            return None
        packed, patterns = json.loads(body.decode("utf-8", "surrogatepass"))
        book, digests, profiles, needs = _unpacked(packed)
        facts = {pattern: _facts(*said) for pattern, _, *said in patterns}
        codes = {pattern: _unpacked(code) for pattern, code, *_ in patterns if code}
    except (OSError, ValueError, TypeError, IndexError, AttributeError, RecursionError):
        return None
    finally:
        if collecting:
            gc.enable()
    remember(codes)
    for rule, digest in zip(book.rules, digests, strict=True):
        rule.__dict__["digest"] = digest
    return Checked(book, profiles, facts, needs)


def save(key: str, checked: Checked) -> None:
    """Keep an entry. Where that cannot be done nothing is said: the next start takes longer, that is all."""
    place = folder()
    if place is None:
        return
    digests = tuple(rule.digest for rule in checked.book.rules)
    said = (checked.book, digests, dict(checked.profiles), dict(checked.step_needs))
    patterns = [[pattern, _packed(code_of(pattern)), *_said_of(facts)] for pattern, facts in checked.facts.items()]
    import tempfile

    body = json.dumps([_packed(said), patterns], ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "surrogatepass"
    )
    with suppress(OSError):
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=place, prefix=".new-", delete=False) as file:
            try:
                file.write(_check(body) + b"\n" + body)
                file.close()
                Path(file.name).replace(place / f"{key}.json")
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
        _tidy(place)


def _check(body: bytes) -> bytes:
    """Give what tells an entry that is damaged."""
    return b"%08x" % zlib.crc32(body)


def _tidy(place: Path) -> None:
    entries = sorted(place.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in entries[MOST_KEPT:]:
        path.unlink(missing_ok=True)


def _packed(value: Any) -> Any:
    """Turn a value into lists: a number that says what it is, then its parts; plain values stand for themselves.

    Of an object only the fields are kept that are not as by default.
    """
    if type(value) in _NUMBER:
        said = ((name, getattr(value, name), default) for name, default in _defaults(type(value)).items())
        return [_NUMBER[type(value)], {name: _packed(part) for name, part, default in said if not _same(part, default)}]
    if isinstance(value, tuple | _Later):
        if value and all(isinstance(part, Example | Keep) for part in value):
            return [_LATER, *map(_packed, value)]
        if value and all(isinstance(part, str) for part in value):
            return [_WORDS, _joined(value)]
        return [_TUPLE, *map(_packed, value)]
    if isinstance(value, Mapping):
        return [_TABLE, *(_packed(part) for pair in value.items() for part in pair)]
    if isinstance(value, frozenset):
        return [_SET, *_strings(value)]
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"a {type(value).__name__} has no place in the cache")


def _defaults(cls: Any) -> dict[str, Any]:
    """Give the fields of a named tuple, each with its default, or `_MISSING`."""
    return {name: cls._field_defaults.get(name, _MISSING) for name in cls._fields}


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _said_of(facts: Facts) -> tuple[Any, ...]:
    """Turn what is known of a pattern into plain values."""
    clauses = [
        ["".join(sorted(one.characters)), _joined(one.strings), "".join(one.pairs), one.common]
        for one in facts.gate.clauses
    ]
    return facts.keeps_to_lines, facts.ends_in_line, clauses


def _facts(keeps_to_lines: bool, ends_in_line: bool, clauses: Sequence[tuple[str, str, str, float]]) -> Facts:
    """Undo `_said_of`."""
    found = [
        OneOf(
            frozenset(characters),
            _parted(strings),
            tuple(map(add, pairs[::2], pairs[1::2])),
            common,
        )
        for characters, strings, pairs, common in clauses
    ]
    return Facts(Gate(tuple(found)), keeps_to_lines, ends_in_line)


def _joined(words: Sequence[str]) -> str | list[str]:
    """Give words as one, which is read sooner, or as they are where that cannot be undone."""
    return list(words) if not any(words) or any(_BETWEEN in word for word in words) else _BETWEEN.join(words)


def _parted(words: str | list[str]) -> tuple[str, ...]:
    """Undo `_joined`."""
    return tuple(words.split(_BETWEEN) if isinstance(words, str) else words)


def _strings(value: Iterable[str]) -> list[str]:
    """Give a set of strings, its single characters in one."""
    ordered = sorted(value)
    return ["".join(s for s in ordered if len(s) == 1), *(s for s in ordered if len(s) != 1)]


def _unpacked(packed: Any) -> Any:
    if type(packed) is not list:
        return packed
    number, *parts = packed
    if number == _LATER:
        return _Later(parts)
    if number >= 0:
        [said] = parts
        return _CLASSES[number](
            **{name: _unpacked(part) if type(part) is list else part for name, part in said.items()}
        )
    if number == _WORDS:
        return _parted(parts[0])
    if number == _TUPLE:
        return tuple([_unpacked(part) if type(part) is list else part for part in parts])
    if number == _TABLE:
        pairs = iter(parts)
        return {key: _unpacked(value) for key, value in zip(pairs, pairs, strict=True)}
    if number == _SET:
        return frozenset([*parts[0], *parts[1:]])
    raise ValueError(f"no value has the number {number}")
