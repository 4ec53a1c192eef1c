"""Checked rules, kept on disk: reading and checking the rule files takes half a second, reading this a hundredth.

An entry is named after the digest of all that it was made from: the bytes of every rule file, the version, Python, and
the modules that read rules. So it is never out of date, only unused. It is JSON and makes no object but the values of
rules, and patterns from what `regex` compiled them to, in a tenth of the time; an entry that is damaged is made anew.
What is said of single patterns, and the examples of a rule, are lines of their own: they are read when they are asked for.
"""

from __future__ import annotations

import gc
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, overload

from shanben.presence import Asked
from shanben.profiles import Evidence, Profile, Setting
from shanben.rulebook.gates import Facts, Gate, OneOf
from shanben.rulebook.patterns import compiled, remember
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
from shanben.tools.kept_files import code_stamp, folder, keep_entry, read_entry
from shanben.tools.pattern_code import Code, code_of, machine

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

FORMAT = 7
MOST_KEPT = 16
"""Entries that are kept; of more those go that were not used for longest."""
MOST_FILES, MOST_BYTES, DEEPEST = 2_000, 20_000_000, 8
"""Folders with more rule files, longer ones, or deeper ones are read anew each time."""
_CLASSES: tuple[type[Any], ...] = (
    Place, Example, Keep, Where, Limit, When, MarkSpec, Rule, Suppression, Rulebook, Evidence, Setting, Profile,
)  # fmt: skip
_NUMBER = {cls: number for number, cls in enumerate(_CLASSES)}
_TUPLE, _TABLE, _SET, _WORDS = -1, -2, -3, -4
_BETWEEN = "\0"
T = TypeVar("T")
_MISSING = object()


class Checked(NamedTuple):
    """What comes of rule files without a fault: rules, profiles by name, what is known of their patterns, what
    characters steps need, and what all rules ask of a text."""

    book: Rulebook
    profiles: Mapping[str, Profile]
    facts: Mapping[str, Facts]
    step_needs: Mapping[str, frozenset[str]]
    asked: Asked | None = None


class _Later(Sequence[Any]):
    """Examples and keeps of a rule, read when somebody asks for them: who cleans a text never does."""

    def __init__(self, line: bytes, part: int) -> None:
        self._line = line
        self._part = part

    @cached_property
    def _values(self) -> tuple[Any, ...]:
        return tuple(map(_unpacked, _from_json(self._line)[self._part]))

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        return self._values[index]

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        return self._values == (other._values if isinstance(other, _Later) else other)

    def __hash__(self) -> int:
        return hash(self._values)


class _Lines(Mapping[str, T]):
    """What is said of patterns, each in a line that is read when it is asked for."""

    def __init__(self, lines: dict[str, bytes], read: Callable[[Any], T]) -> None:
        self._lines = lines
        self._read = read

    def __getitem__(self, pattern: str) -> T:
        try:
            return self._read(_from_json(self._lines[pattern]))
        except (ValueError, TypeError, IndexError):  # it makes no sense: as if it were not there
            raise KeyError(pattern) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)


def key_of(roots: Sequence[tuple[str, Traversable | Path]], *said: str) -> str | None:
    """Give the name of the entry for rule folders, each with the name under which its files are shown.

    None when they cannot be read, or are so many that looking at them all would be no gain.
    """
    digest = hashlib.sha256(json.dumps([FORMAT, *machine(), *said]).encode())
    room = [MOST_FILES, MOST_BYTES]
    try:
        digest.update(code_stamp().encode("utf-8", "surrogateescape"))
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
    body = read_entry(key)
    if body is None:
        return None
    collecting = gc.isenabled()
    gc.disable()  # thousands of small values, all of which stay
    try:
        first, *lines = body.split(b"\n")
        packed, groups, patterns = _from_json(first)
        book, digests, profiles, needs, gates = _unpacked(packed)
        asked = Asked(_wanted(groups), {name: int(needed, 16) for name, needed in gates.items()})
        said, texts = lines[: 2 * len(patterns)], lines[2 * len(patterns) :]
        facts = _Lines(dict(zip(patterns, said[::2], strict=True)), _facts)
        codes: _Lines[Code] = _Lines(dict(zip(patterns, said[1::2], strict=True)), _unpacked)
        rules = [
            rule._replace(examples=_Later(line, 0), keep=_Later(line, 1))
            for rule, line in zip(book.rules, texts, strict=True)
        ]
        book = book._replace(rules=tuple(rules))
    except (ValueError, TypeError, IndexError, AttributeError, RecursionError):
        return None
    finally:
        if collecting:
            gc.enable()
    remember(codes)
    for rule, digest in zip(book.rules, digests, strict=True):
        rule.__dict__["digest"] = digest
    return Checked(book, profiles, facts, needs, asked)


def save(key: str, checked: Checked) -> None:
    """Keep an entry, if that can be done."""
    if folder() is None:
        return
    digests = tuple(rule.digest for rule in checked.book.rules)
    asked = checked.asked or Asked({}, {})
    gates = {name: f"{needed:x}" for name, needed in asked.needs.items()}
    bare = checked.book._replace(rules=tuple(rule._replace(examples=(), keep=()) for rule in checked.book.rules))
    said = (bare, digests, dict(checked.profiles), dict(checked.step_needs), gates)
    lines: list[Any] = [[_packed(said), _groups(asked.wanted), list(checked.facts)]]
    for pattern, facts in checked.facts.items():
        lines += [_said_of(facts), _packed(code_of(compiled(pattern)))]
    lines += [[list(map(_packed, rule.examples)), list(map(_packed, rule.keep))] for rule in checked.book.rules]
    body = "\n".join(map(_as_json, lines)).encode("utf-8", "surrogatepass")
    keep_entry(key, body, MOST_KEPT)


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _from_json(line: bytes) -> Any:
    return json.loads(line.decode("utf-8", "surrogatepass"))


def _packed(value: Any) -> Any:
    """Turn a value into lists: a number that says what it is, then its parts; plain values stand for themselves.

    Of an object only the fields are kept that are not as by default.
    """
    if type(value) in _NUMBER:
        said = ((name, getattr(value, name), default) for name, default in _defaults(type(value)).items())
        return [_NUMBER[type(value)], {name: _packed(part) for name, part, default in said if not _same(part, default)}]
    if isinstance(value, tuple):
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


def _groups(wanted: Mapping[str, int]) -> list[tuple[str, str, str]]:
    """Turn what gates ask for into plain values: clauses, and in one text each the characters and pairs that fulfil them."""
    parts: dict[int, list[str]] = {}
    for part, clauses in sorted(wanted.items()):  # sets give their characters in another order in each process
        parts.setdefault(clauses, []).append(part)
    return [
        (f"{clauses:x}", "".join(p for p in found if len(p) == 1), "".join(p for p in found if len(p) == 2))
        for clauses, found in sorted(parts.items())
    ]


def _wanted(groups: Iterable[tuple[str, str, str]]) -> dict[str, int]:
    """Undo `_groups`."""
    wanted: dict[str, int] = {}
    for said, characters, pairs in groups:
        clauses = int(said, 16)
        wanted.update(dict.fromkeys(characters, clauses))
        wanted.update(dict.fromkeys(map(add, pairs[::2], pairs[1::2]), clauses))
    return wanted


def _said_of(facts: Facts) -> tuple[Any, ...]:
    """Turn what is known of a pattern into plain values."""
    clauses = [
        ["".join(sorted(one.characters)), _joined(one.strings), "".join(one.pairs), one.common]
        for one in facts.gate.clauses
    ]
    return facts.keeps_to_lines, facts.line_ends, clauses


def _facts(said: tuple[bool, int | None, Sequence[tuple[str, str, str, float]]]) -> Facts:
    """Undo `_said_of`."""
    keeps_to_lines, line_ends, clauses = said
    found = [
        OneOf(
            frozenset(characters),
            _parted(strings),
            tuple(map(add, pairs[::2], pairs[1::2])),
            common,
        )
        for characters, strings, pairs, common in clauses
    ]
    return Facts(Gate(tuple(found)), keeps_to_lines, line_ends)


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
