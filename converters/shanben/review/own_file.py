r"""The work's own rule file as a text: entries are put in and taken out, and all else stays byte for byte.

>>> old = b"# by hand\nsuppress:\n- {rule: a, reason: r}\n"
>>> new = with_entry(old, "suppress", "- rule: b\n  reason: s\n")
>>> print(new.decode(), end="")
# by hand
suppress:
- {rule: a, reason: r}
- rule: b
  reason: s
>>> without(new, entries(new, "suppress")[1]) == old
True
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from shanben.errors import UsageError
from shanben.rulebook.strict_yaml import Faults, Items, Node, Pairs, Scalar, parse_bytes

LISTS = ("suppress", "rules")
"""The lists of a work's file that entries are put into."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as it stands in a file. ``first`` and ``last`` are lines, from 0, the last one excluded."""

    list: str
    index: int
    first: int
    last: int
    raw: str
    values: Mapping[str, str]

    @property
    def digest(self) -> str:
        """Give the SHA-256 of the entry as it is written."""
        return hashlib.sha256(self.raw.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _List:
    """A list of a file: the line of its key, the line behind its last entry, its indent, and where entries begin."""

    key_line: int
    end: int
    indent: int
    starts: tuple[int, ...]
    nodes: tuple[Node, ...]


def entries(data: bytes, name: str) -> list[Entry]:
    """Give the entries of the list ``name`` (suppress or rules). Raises RuleError for a file that is no YAML."""
    lines = _lines(data)
    found = _list(data, lines, name)
    if found is None:
        return []
    ends = [_content_end(lines, b, found.indent, a) for a, b in pairwise((*found.starts, found.end))]
    return [
        Entry(name, n, first, last, "".join(lines[first:last]), _values(node))
        for n, (first, last, node) in enumerate(zip(found.starts, ends, found.nodes, strict=True))
    ]


def with_entry(data: bytes, name: str, entry: str) -> bytes:
    """Give the file with one entry more at the end of a list. ``entry`` begins with a dash at column 1.

    Raises RuleError for a file that is no YAML, UsageError for one that is laid out so that nothing can be added.
    """
    lines = _lines(data)
    found = _list(data, lines, name)
    end = "\r\n" if b"\r\n" in data else "\n"
    new = [line + end for line in entry.splitlines()]
    if found is None:
        at, new = len(lines), [f"{name}:{end}", *new]
    else:
        at, new = found.end, [" " * found.indent + line for line in new]
    head = lines[:at]
    if head and not head[-1].endswith("\n"):
        head[-1] += end
    made = "".join([*head, *new, *lines[at:]]).encode()
    before, after = _said(data), _said(made)
    grown = after.pop(name, [])
    if grown[:-1] != before.pop(name, []) or not grown or after != before:
        raise _laid_out()
    return made


def without(data: bytes, entry: Entry) -> bytes:
    """Give the file without an entry; its list goes with its last one. Raises UsageError if it is not there."""
    lines = _lines(data)
    there = entries(data, entry.list)
    if entry.index >= len(there) or there[entry.index].raw != entry.raw:
        raise UsageError("this entry does not stand in the file any more", fix="look at the file as it is now")
    first = there[entry.index].first
    if len(there) == 1:
        found = _list(data, lines, entry.list)
        first = found.key_line if found else first
    made = "".join([*lines[:first], *lines[there[entry.index].last :]]).encode()
    before, after = _said(data), _said(made)
    kept = before.pop(entry.list)
    del kept[entry.index]
    if after.pop(entry.list, []) != kept or after != before:
        raise _laid_out()
    return made


def _said(data: bytes) -> dict[str, Any]:
    """Give all that a file says, without its places. Raises RuleError for a file that is no YAML."""
    faults = Faults()
    root = parse_bytes(data, "the work's file", faults) if data.strip() else None
    if not isinstance(root, Pairs):
        if not {fault.code for fault in faults} <= {"R105"}:  # nothing but comments is said by nothing
            faults.raise_if_any()
        return {}
    faults.raise_if_any()
    return {key: _plain(entry.value) for key, entry in root.entries.items()}


def _plain(node: Node) -> Any:
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Items):
        return [_plain(item) for item in node.items]
    return {key: _plain(e.value) for key, e in node.entries.items()} if isinstance(node, Pairs) else None


def _laid_out() -> UsageError:
    return UsageError(
        "the work's file is laid out so that no entry can be put in or taken out",
        fix="write its lists with one `-` on a line of its own for each entry",
    )


def _lines(data: bytes) -> list[str]:
    return data.decode("utf-8").splitlines(keepends=True) if not _odd(data) else _split(data.decode("utf-8"))


def _odd(data: bytes) -> bool:
    """Tell whether there are line ends that Python splits at and YAML does not."""
    return any(
        sign in data
        for sign in (b"\x0b", b"\x0c", b"\x1c", b"\x1d", b"\x1e", b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9")
    )


def _split(text: str) -> list[str]:
    parts = text.split("\n")
    return [p + "\n" for p in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _list(data: bytes, lines: list[str], name: str) -> _List | None:
    """Find a list; None if the file has none of this name. Raises RuleError, UsageError."""
    if not data.strip():
        return None
    faults = Faults()
    root = parse_bytes(data, "the work's file", faults)
    if root is None or not isinstance(root, Pairs):
        codes = {fault.code for fault in faults}
        if codes <= {"R105"}:  # nothing but comments
            return None
    faults.raise_if_any()
    if not isinstance(root, Pairs) or name not in root.entries:
        return None
    entry = root.entries[name]
    value = entry.value
    if not isinstance(value, Items):
        raise _laid_out()
    indent = value.place.column - 1
    dash = lines[value.place.line - 1].lstrip("\ufeff")[indent : indent + 1]
    if dash != "-" or not value.items:
        raise _laid_out()
    keys = sorted(e.key.place.line - 1 for e in root.entries.values())
    here = entry.key.place.line - 1
    border = next((line for line in keys if line > here), len(lines))
    starts = tuple(_dash(lines, item.place.line - 1, indent) for item in value.items)
    if any(a >= b for a, b in pairwise(starts)):
        raise _laid_out()
    return _List(here, _content_end(lines, border, indent, starts[-1]), indent, starts, value.items)


def _dash(lines: list[str], line: int, indent: int) -> int:
    while line > 0 and lines[line][indent : indent + 1] != "-":
        line -= 1
    return line


def _content_end(lines: list[str], border: int, indent: int, first: int) -> int:
    """Give the line behind the last one before ``border`` that is neither blank nor a comment of its own."""
    while border > first + 1:
        line = lines[border - 1]
        bare = line.lstrip(" ")
        if line.strip() and not (bare.startswith("#") and len(line) - len(bare) <= indent):
            break
        border -= 1
    return border


def _values(node: Node) -> dict[str, str]:
    """Give the plain values of an entry."""
    if not isinstance(node, Pairs):
        return {}
    return {key: entry.value.value for key, entry in node.entries.items() if isinstance(entry.value, Scalar)}
