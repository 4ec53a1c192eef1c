r"""YAML as people write it by hand, read without guessing: every scalar stays text, every doubt is a fault.

A plain YAML loader turns `no` into False and `10:30` into 630, and of two equal keys the last silently wins.
Here each value keeps its place, equal keys, anchors, aliases, tags, merge keys and further documents are
refused, and all faults of all files are collected before anything is raised.

>>> faults = Faults()
>>> node = parse("id: no\ntime: 10:30\n", "a.yaml", faults)
>>> [text(faults, entry.value, key) for key, entry in mapping(faults, node, "the file").items()]
['no', '10:30']
>>> _ = parse("id: a\nid: b\n", "b.yaml", faults)
>>> print(faults.render())
b.yaml:2:1: R108 the key 'id' stands a second time (first in line 1)
    id: b
    ^
  fix: keep one of the two
1 fault in 1 file
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import yaml

from shanben.errors import RuleError
from shanben.lazy import lazy_regex
from shanben.rulebook.schema import Place

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 20
MAX_VALUES = 200_000
"""Texts, lists and mappings in one file: as many as are read in a few seconds and 100 MB of memory."""
MAX_PRINTED = 200
"""So many faults are printed; the rest is counted."""
MAX_KEPT = 10_000
"""So many faults are kept in memory; the rest is counted."""
_ASK_AGAIN = 256 * 1024
"""Up to so many characters a syntax error is looked up a second time, for the better message."""

CODES: Mapping[str, str] = {
    "R101": "the file cannot be read",
    "R102": "the file is larger than 4 MB",
    "R103": "the file is not UTF-8",
    "R104": "a raw control character, or a line separator that editors do not show",
    "R105": "the file is empty",
    "R106": "the file is not YAML",
    "R107": "a tab where YAML wants spaces",
    "R108": "the same key twice",
    "R109": "an anchor (&) or alias (*)",
    "R110": "a tag (!)",
    "R111": "a merge key (<<)",
    "R112": "a second document, or a % directive",
    "R113": "too many levels",
    "R114": "a key that is no text",
    "R115": "too many values",
    "R201": "another kind of value is wanted (text, list or mapping)",
    "R202": "a key is missing",
    "R203": "an unknown key",
    "R204": "an empty value",
    "R205": "a word that is none of those allowed",
    "R206": "no number, or one out of range",
    "R207": "plain text that YAML would cut or fold",
}
"""The faults that this module finds, each with its meaning."""

Style = Literal["plain", "single", "double", "literal", "folded"]
_STYLES: Mapping[str, Style] = {"'": "single", '"': "double", "|": "literal", ">": "folded"}


class Scalar(NamedTuple):
    """A text with its place, how it is written, and where it ends (line and column from 1, end excluded)."""

    value: str
    place: Place
    style: Style = "plain"
    end: tuple[int, int] = (0, 0)

    @property
    def one_line(self) -> bool:
        """Tell whether it begins and ends on one line of the file."""
        return self.end[0] == self.place.line

    def place_at(self, index: int) -> Place:
        """Give the place of one character of the value.

        Exact for single-quoted text on one line, where only `''` is written otherwise than it reads; else
        the start of the text.

        >>> s = Scalar("a'b", Place("f", 3, 8), "single", (3, 14))
        >>> s.place_at(2).column, Scalar("a'b", Place("f", 3, 8), "double", (3, 13)).place_at(2).column
        (12, 8)
        """
        if self.style != "single" or not self.one_line:
            return self.place
        column = self.place.column + 1 + index + self.value[:index].count("'")
        return Place(self.place.file, self.place.line, column)


class Items(NamedTuple):
    """A list with its place."""

    items: tuple[Node, ...]
    place: Place


class Entry(NamedTuple):
    """A key and its value."""

    key: Scalar
    value: Node


class Pairs(NamedTuple):
    """A mapping with its place. Of equal keys (a fault) the first is kept."""

    entries: Mapping[str, Entry]
    place: Place


class Refused(NamedTuple):
    """Stands where a fault was found already; the readers below pass over it in silence."""

    place: Place


Node = Scalar | Items | Pairs | Refused


class Fault(NamedTuple):
    """One thing that is wrong: where, which of the `CODES`, in words, the way out, and the source line."""

    place: Place
    code: str
    message: str
    fix: str = ""
    source_line: str = ""

    def __str__(self) -> str:
        """Give the message, the source line with a caret under the column, and the fix."""
        parts = [f"{self.place}: {self.code} {self.message}"]
        if self.source_line.strip():
            parts += caret_lines(self.source_line, self.place.column)
        if self.fix:
            parts.append(f"  fix: {self.fix}")
        return "\n".join(parts)


@dataclass(slots=True)
class Faults:
    """Collects the faults of any number of files. Equal faults count once."""

    _found: dict[Fault, None] = field(default_factory=dict)
    _sources: dict[str, Sequence[str]] = field(default_factory=dict)
    _line_starts: dict[str, Sequence[int]] = field(default_factory=dict)
    _uncounted: int = 0

    def add(self, code: str, place: Place, message: str, fix: str = "") -> None:
        """Put a fault on the list."""
        if len(self._found) >= MAX_KEPT:
            self._uncounted += 1
            return
        self._found[Fault(place, code, message, fix, self.source_line(place.file, place.line))] = None

    def add_source(self, file: str, content: str) -> None:
        """Keep the lines of a file, so that faults can show them."""
        self._sources[file] = re.split("\r\n|\r|\n", content)
        self._line_starts[file] = [0, *(m.end() for m in re.finditer("\r\n|\r|\n", content))]

    def source_line(self, file: str, line: int) -> str:
        """Give one line of a file that was read, else an empty text."""
        lines = self._sources.get(file, ())
        return lines[line - 1] if 0 < line <= len(lines) else ""

    def offset(self, place: Place) -> int:
        """Give the place as a number of characters from the start of its file, 0 for a file that was not read."""
        starts = self._line_starts.get(place.file, ())
        return starts[place.line - 1] + place.column - 1 if 0 < place.line <= len(starts) else 0

    def hint(self, word: str, words: Iterable[str]) -> str:
        """Give `did_you_mean`, as long as there is hope that it will be printed."""
        return did_you_mean(word, words) if len(self) < MAX_PRINTED else ""

    def __len__(self) -> int:
        """Count the faults."""
        return len(self._found) + self._uncounted

    def __iter__(self) -> Iterator[Fault]:
        """Give the faults in order of file, line and column."""
        return iter(sorted(self._found, key=lambda f: (f.place.file, f.place.line, f.place.column, f.code)))

    def render(self, limit: int = MAX_PRINTED) -> str:
        """Give the first ``limit`` faults and how many there are; an empty text without faults."""
        if not self:
            return ""
        ordered = list(self)
        files = len({f.place.file for f in ordered})
        parts = [str(f) for f in ordered[:limit]]
        if len(self) > len(parts):
            parts.append(f"… and {len(self) - len(parts)} more")
        parts.append(f"{len(self)} fault{'s' * (len(self) != 1)} in {files} file{'s' * (files != 1)}")
        return "\n".join(parts)

    def raise_if_any(self) -> None:
        """Raise RuleError with all faults in its message, if there are any."""
        if self:
            raise RuleError(self.render())


# --- Showing a place ---------------------------------------------------------------------------------------


def _visible(character: str) -> str:
    """Put U+FFFD for what a terminal would obey or reorder by; tabs stay."""
    hidden = character != "\t" and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    return "\ufffd" if hidden else character


def _cells(character: str) -> str:
    """Give the blanks that are as wide as a character; a tab for a tab."""
    if character == "\t":
        return "\t"
    if unicodedata.category(character) in ("Mn", "Me"):
        return ""
    return "  " if unicodedata.east_asian_width(character) in "WF" else " "


def caret_lines(line: str, column: int, indent: str = "    ", room: int = 100) -> list[str]:
    r"""Give a source line, and a line with a caret under a column (from 1).

    Wide characters count as two cells, tabs are copied, not expanded. Of a long line only the ``room``
    characters around the column are shown; characters that do not print stand as U+FFFD.

    >>> caret_lines("前: [a", 4)
    ['    前: [a', '        ^']
    """
    at = min(max(column - 1, 0), len(line))
    first = max(0, at - room // 2) if len(line) > room else 0
    shown = [_visible(c) for c in line[first : first + room]]
    head, tail = "…" * (first > 0), "…" * (first + room < len(line))
    blanks = " " * len(head) + "".join(_cells(c) for c in shown[: at - first])
    return [f"{indent}{head}{''.join(shown)}{tail}", f"{indent}{blanks}^"]


def shown(value: str, room: int = 60) -> str:
    r"""Give a text in quotes for a message, cut if long, with nothing in it that a terminal obeys.

    >>> shown("甲\n乙"), shown(r"\d")
    ("'甲\\n乙'", "'\\d'")
    """
    cut = value if len(value) <= room else value[:room] + "…"
    return f"'{cut}'" if cut.isprintable() else repr(cut)


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """Give `` (did you mean '…'?)`` when one of ``words`` is close, else an empty text.

    >>> did_you_mean("nubmer", ["number", "url"])
    " (did you mean 'number'?)"
    """
    from difflib import get_close_matches  # only where something is wrong

    close = get_close_matches(word[:60], list(words), 1, 0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""


# --- From bytes to nodes -----------------------------------------------------------------------------------

_UNSHOWN = lazy_regex("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def read(path: Path | Traversable, faults: Faults, name: str = "") -> Node | None:
    """Read a file strictly; None when there is nothing to go on with. ``name`` is what messages call it."""
    name = name or (path.as_posix() if isinstance(path, Path) else str(path))
    start = Place(name, 1, 1)
    try:
        if not path.is_file():
            faults.add("R101", start, "this is no regular file", "put a YAML file there, or take it away")
            return None
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        faults.add("R101", start, f"the file cannot be read: {error.strerror or error}")
        return None
    return parse_bytes(data, name, faults)


def parse_bytes(data: bytes, name: str, faults: Faults) -> Node | None:
    """Read the bytes of a file strictly: UTF-8 (a byte order mark is passed over), 4 MB at the most."""
    start = Place(name, 1, 1)
    if len(data) > MAX_BYTES:
        faults.add("R102", start, "the file is larger than 4 MB", "part it into several files")
        return None
    try:
        return parse(data.decode("utf-8-sig"), name, faults)
    except UnicodeDecodeError as error:
        good = data[: error.start].decode("utf-8", "replace").lstrip("\ufeff")
        line = good.count("\n") + 1
        place = Place(name, line, len(good) - good.rfind("\n"))
        bad = f"byte 0x{data[error.start]:02x}"
        faults.add_source(name, data.decode("utf-8", "replace"))
        faults.add("R103", place, f"the file is not UTF-8 ({bad}){_likely(data)}", "save the file as UTF-8")
        return None


def _likely(data: bytes) -> str:
    """Say what an undecodable file may be, when that is plain to see."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "; it looks like UTF-16"
    try:
        decoded = data.decode("gb18030")
    except UnicodeDecodeError:
        return ""
    return "; it looks like GB18030" if any("\u4e00" <= c <= "\u9fff" for c in decoded) else ""


def parse(content: str, name: str, faults: Faults) -> Node | None:
    """Read a text strictly. None for an empty text or one that is not YAML; the fault is on the list then.

    Everything found before a syntax error is reported with it.
    """
    content = content.removeprefix("\ufeff")
    faults.add_source(name, content)
    if unshown := _UNSHOWN.search(content):
        before = content[: unshown.start()]
        lines = re.split("\r\n|\r|\n", before)
        faults.add(
            "R104",
            Place(name, len(lines), len(lines[-1]) + 1),
            f"the character U+{ord(unshown[0]):04X} stands raw in the file",
            f'write it as "{_escape(unshown[0])}" in double quotes, in a pattern as {_escape(unshown[0])}',
        )
        return None
    try:
        return _Composer(content, name, faults).document()
    except _StopReadingError:
        return None
    except yaml.YAMLError as error:
        _add_syntax_fault(_better_error(content, error), name, faults)
        return None


def _escape(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _better_error(content: str, error: yaml.YAMLError) -> yaml.YAMLError:
    """Ask PyYAML's own scanner for the error: it names characters and places better than libyaml does.

    It also makes the messages the same with and without libyaml. Large files are not read a second time.
    """
    if len(content) <= _ASK_AGAIN:
        try:
            for _ in yaml.parse(content, Loader=yaml.SafeLoader):
                pass
        except yaml.YAMLError as better:
            return better
    return error


def _add_syntax_fault(error: yaml.YAMLError, name: str, faults: Faults) -> None:
    problem = str(getattr(error, "problem", None) or "")
    context = str(getattr(error, "context", None) or "")
    mark = getattr(error, "problem_mark", None)
    opening = getattr(error, "context_mark", None)
    if opening and ("end of stream" in problem or "document separator" in problem or "document indicator" in problem):
        mark = opening
    place = Place(name, mark.line + 1, mark.column + 1) if mark else Place(name, 1, 1)
    faults.add(*_syntax_words(problem, context, place, faults))


def _syntax_words(problem: str, context: str, place: Place, faults: Faults) -> tuple[str, Place, str, str]:
    """Put PyYAML's finding into code, place, words and a way out."""
    line = faults.source_line(place.file, place.line)
    if "\t" in line[: len(line) - len(line.lstrip())] or "'\\t'" in problem:
        return "R107", place, "a tab cannot indent YAML", "use spaces"
    if "quoted scalar" in context and "escape" not in problem:
        return "R106", place, "the quote that opens here is never closed", "close it; ' inside '…' is written ''"
    if "escape" in problem:
        return ("R106", place, f"{problem.removeprefix('found ')} in double quotes", "use single quotes for patterns")
    if "cannot start any token" in problem or "an alias" in context or "an anchor" in context:
        character = line[place.column - 1 : place.column]
        sign = character if "token" in problem else "*" if "alias" in context else "&"
        return "R106", place, f"plain text cannot begin with {shown(sign)}", "put the text in single quotes"
    if "mapping values are not allowed" in problem:
        return (
            "R106",
            place,
            "a colon inside plain text, or a line with the wrong indent",
            "put the text in single quotes, or mend the indent",
        )
    words = f"{problem} {context}".strip().replace("<", "").replace(">", "")
    return "R106", place, f"this is not YAML: {words or 'unreadable'}", ""


class _StopReadingError(Exception):
    """The rest of the file is not worth reading; the fault is on the list."""


class _Composer:
    """Builds nodes from PyYAML's events.

    `yaml.compose` itself would hide anchors and explicit tags, stop at the first undefined alias, and go as
    deep as the file says; the events show all of it.
    """

    def __init__(self, content: str, name: str, faults: Faults) -> None:
        # libyaml lets tabs pass between words; PyYAML's own scanner refuses them, as we do.
        strict = "\t" in content and len(content) <= _ASK_AGAIN
        loader = yaml.SafeLoader if strict else getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self._events: Iterator[Any] = iter(yaml.parse(content, Loader=loader))
        self._name = name
        self._faults = faults
        self._values = 0

    def document(self) -> Node | None:
        next(self._events)  # stream start
        event = next(self._events)
        if isinstance(event, yaml.StreamEndEvent):
            self._faults.add("R105", Place(self._name, 1, 1), "the file is empty", "write something or remove it")
            return None
        if event.version or event.tags:
            self._faults.add("R112", Place(self._name, 1, 1), "a % directive", "remove the line that begins with %")
        node = self._node(next(self._events), 1)
        next(self._events)  # document end
        event = next(self._events)
        if not isinstance(event, yaml.StreamEndEvent):
            self._faults.add("R112", self._place(event), "a second document begins here", "one file, one document")
        if isinstance(node, Scalar) and not node.value and node.style == "plain":
            self._faults.add("R105", node.place, "the document is empty", "write something or remove the file")
            return None
        return node

    def _place(self, event: Any) -> Place:
        return Place(self._name, event.start_mark.line + 1, event.start_mark.column + 1)

    def _end(self, event: Any) -> tuple[int, int]:
        return event.end_mark.line + 1, event.end_mark.column + 1

    def _node(self, event: Any, depth: int) -> Node:
        place = self._place(event)
        if depth > MAX_DEPTH:
            self._faults.add("R113", place, f"more than {MAX_DEPTH} levels", "flatten it")
            raise _StopReadingError
        self._values += 1
        if self._values > MAX_VALUES:
            self._faults.add("R115", place, f"more than {MAX_VALUES} values", "part it into several files")
            raise _StopReadingError
        if isinstance(event, yaml.AliasEvent):
            self._faults.add("R109", place, f"the alias *{event.anchor}", "write it out; quote a text with *")
            return Refused(place)
        sound = self._is_sound(event, place)
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node = Scalar(event.value, place, _STYLES.get(event.style or "", "plain"), self._end(event))
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._items(place, depth)
        else:
            node = self._pairs(place, depth)
        return node if sound else Refused(place)

    def _is_sound(self, event: Any, place: Place) -> bool:
        if event.anchor:
            self._faults.add("R109", place, f"the anchor &{event.anchor}", "write it out; quote a text with &")
        if event.tag:
            self._faults.add("R110", place, f"the tag {shown(event.tag)}", "remove it; quote a text with !")
        return not (event.anchor or event.tag)

    def _items(self, place: Place, depth: int) -> Items:
        items = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return Items(tuple(items), place)

    def _pairs(self, place: Place, depth: int) -> Pairs:
        entries: dict[str, Entry] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(next(self._events), depth + 1)
            if self._is_key(key, entries) and isinstance(key, Scalar):
                entries[key.value] = Entry(key, value)
        return Pairs(entries, place)

    def _is_key(self, key: Node, entries: Mapping[str, Entry]) -> bool:
        if isinstance(key, Refused):
            return False
        if not isinstance(key, Scalar):
            self._faults.add("R114", key.place, "a key must be text", "put the key in single quotes")
            return False
        if key.value == "<<" and key.style == "plain":
            self._faults.add("R111", key.place, "a merge key <<", "write the keys out; quote a text that is <<")
            return False
        if key.value in entries:
            first = entries[key.value].key.place.line
            self._faults.add(
                "R108",
                key.place,
                f"the key {shown(key.value)} stands a second time (first in line {first})",
                "keep one of the two",
            )
            return False
        return True


# --- Reading values: each gives what is there, or a neutral value after adding a fault ---------------------


def _kind(node: Node) -> str:
    if isinstance(node, Items):
        return "a list"
    if isinstance(node, Pairs):
        return "a mapping"
    return "text" if isinstance(node, Scalar) and (node.value or node.style != "plain") else "nothing"


def _wants(faults: Faults, node: Node | None, what: str, wanted: str) -> None:
    if node is not None and not isinstance(node, Refused):
        fix = "write [ … ] around it" if wanted == "a list" and isinstance(node, Scalar) else ""
        faults.add("R201", node.place, f"{what} must be {wanted}, not {_kind(node)}", fix)


def mapping(
    faults: Faults,
    node: Node | None,
    what: str,
    allowed: Iterable[str] | None = None,
    required: Iterable[str] = (),
) -> Mapping[str, Entry]:
    """Give the entries of a mapping whose keys are among ``allowed`` (None: any). Unknown keys are left out."""
    if not isinstance(node, Pairs):
        _wants(faults, node, what, "a mapping (key: value)")
        return {}
    for key in required:
        if key not in node.entries:
            faults.add("R202", node.place, f"{what} lacks the key '{key}'")
    if allowed is None:
        return node.entries
    known = tuple(allowed)
    for key, entry in node.entries.items():
        if key not in known:
            hint = faults.hint(key, known)
            faults.add(
                "R203",
                entry.key.place,
                f"unknown key {shown(key)}{hint}",
                "" if hint else f"known here: {', '.join(known)}",
            )
    return {key: entry for key, entry in node.entries.items() if key in known}


def scalar(faults: Faults, node: Node | None, what: str, *, empty: bool = False, exact: bool = False) -> Scalar | None:
    """Give a text with its place, None after a fault.

    ``empty`` lets an empty text in quotes pass. ``exact`` is for text in which each character counts: plain
    text that YAML would cut (at ` #` or a comma in a list) or fold (over several lines) is a fault.
    """
    if not isinstance(node, Scalar):
        _wants(faults, node, what, "text")
        return None
    if not node.value and (node.style == "plain" or not empty):
        faults.add("R204", node.place, f"{what} is empty", "write '' for an empty text" if empty else "")
        return None
    if exact and node.style == "plain" and (loss := _loss(faults, node)):
        faults.add("R207", node.place, f"YAML {loss}", "put the whole text in single quotes")
        return None
    return node


def _loss(faults: Faults, node: Scalar) -> str:
    """Say what YAML takes from a plain text; empty if nothing."""
    if not node.one_line:
        return "joins the lines of this plain text"
    rest = faults.source_line(node.place.file, node.end[0])[node.end[1] - 1 :]
    if re.match(r"\s+#", rest):
        return "takes the # in this line as the begin of a comment"
    return "parts this plain text at the comma" if re.match(r",[^\s\]]", rest) else ""


def text(faults: Faults, node: Node | None, what: str, *, empty: bool = False, exact: bool = False) -> str:
    """Give a text, as `scalar` does; an empty one after a fault."""
    found = scalar(faults, node, what, empty=empty, exact=exact)
    return found.value if found else ""


def items(faults: Faults, node: Node | None, what: str, least: int = 1) -> tuple[Node, ...]:
    """Give the items of a list that holds at least ``least``."""
    if not isinstance(node, Items):
        _wants(faults, node, what, "a list")
        return ()
    if len(node.items) < least:
        faults.add("R204", node.place, f"{what} must hold at least {least}")
    return node.items


def text_list(faults: Faults, node: Node | None, what: str, *, exact: bool = False) -> tuple[Scalar, ...]:
    """Give the texts of a list, none of them empty, each with its place."""
    found = (scalar(faults, item, f"an item of {what}", exact=exact) for item in items(faults, node, what))
    return tuple(s for s in found if s)


def choice(faults: Faults, node: Node | None, what: str, words: Iterable[str]) -> str:
    """Give a text that is one of ``words``, else an empty one."""
    found = scalar(faults, node, what)
    known = tuple(w for w in words if w)
    if found is None or found.value in known:
        return found.value if found else ""
    faults.add(
        "R205",
        found.place,
        f"{what} cannot be {shown(found.value)}{faults.hint(found.value, known)}",
        f"choose one of {', '.join(known)}",
    )
    return ""


def integer(faults: Faults, node: Node | None, what: str, low: int = 0, high: int = 999_999_999) -> int | None:
    """Give a whole number in ASCII digits without leading zeros (YAML 1.1 reads 010 as eight)."""
    found = scalar(faults, node, what)
    if found is None:
        return None
    if re.fullmatch(r"-?(?:0|[1-9][0-9]{0,8})", found.value) and low <= int(found.value) <= high:
        return int(found.value)
    bounds = f"from {low} to {high}" if high < 999_999_999 else f"of {low} or more"
    faults.add("R206", found.place, f"{what} must be a whole number {bounds}, not {shown(found.value)}")
    return None


_DECIMAL = r"-?(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,12})?"


def number(faults: Faults, node: Node | None, what: str) -> float | None:
    """Give a decimal number such as 2 or -0.25; no exponents, no infinity."""
    found = scalar(faults, node, what)
    if found is None:
        return None
    if re.fullmatch(_DECIMAL, found.value):
        return float(found.value)
    faults.add("R206", found.place, f"{what} must be a number such as 2 or 0.25, not {shown(found.value)}")
    return None


def boolean(faults: Faults, node: Node | None, what: str) -> bool | None:
    """Give True or False for the words true and false, and for no others."""
    word = choice(faults, node, what, ("true", "false"))
    return word == "true" if word else None


def percent(faults: Faults, node: Node | None, what: str) -> float | None:
    """Give a share of more than 0 and up to 1 that is written as a percentage: 2% is 0.02."""
    found = scalar(faults, node, what)
    if found is None:
        return None
    if re.fullmatch(_DECIMAL + "%", found.value) and 0 < (share := float(found.value[:-1])) <= 100:
        return share / 100
    faults.add("R206", found.place, f"{what} must be a percentage above 0% up to 100%, not {shown(found.value)}")
    return None


@dataclass(frozen=True, slots=True)
class Reader:
    r"""The functions above, bound to one file: for files that are read in one place, such as work.yaml.

    Values are called in messages by the key that they stand under.

    >>> reader = Reader(parse("title: 春\ncreator: [甲, 乙]\n", "work.yaml", Faults()), Faults())
    >>> top = reader.mapping(allowed=("title", "creator"))
    >>> reader.text(top["title"]), reader.text_list(top["creator"])
    ('春', ['甲', '乙'])
    """

    root: Node | None
    faults: Faults
    _names: dict[Place, str] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path | Traversable, faults: Faults, name: str = "") -> Reader:
        """Read a file; when it cannot be read, the fault is on the list and every value is empty."""
        return cls(read(path, faults, name), faults)

    def mapping(
        self,
        node: Node | Literal["the file"] | None = "the file",
        *,
        allowed: Iterable[str] | None = None,
        required: Iterable[str] = (),
    ) -> dict[str, Node]:
        """Give the values of a mapping by key; without ``node`` of the whole file."""
        found, what = (self.root, node) if isinstance(node, str) else (node, self._what(node))
        entries = mapping(self.faults, found, what, allowed, required)
        self._names.update({entry.value.place: f"`{key}`" for key, entry in entries.items()})
        return {key: entry.value for key, entry in entries.items()}

    def _what(self, node: Node | None) -> str:
        return self._names.get(node.place, "this value") if node else "this value"

    def text(self, node: Node | None) -> str:
        """Give a text, not empty; an empty one after a fault."""
        return text(self.faults, node, self._what(node))

    def items(self, node: Node | None) -> tuple[Node, ...]:
        """Give the items of a list, at least one."""
        return items(self.faults, node, self._what(node))

    def text_list(self, node: Node | None) -> list[str]:
        """Give the texts of a list, none of them empty."""
        return [s.value for s in text_list(self.faults, node, self._what(node))]

    def choice(self, node: Node | None, words: Iterable[str]) -> str:
        """Give a text that is one of ``words``, else an empty one."""
        return choice(self.faults, node, self._what(node), words)

    def integer(self, node: Node | None, low: int = 0, high: int = 999_999_999) -> int | None:
        """Give a whole number between two bounds."""
        return integer(self.faults, node, self._what(node), low, high)

    def number(self, node: Node | None) -> float | None:
        """Give a decimal number."""
        return number(self.faults, node, self._what(node))

    def boolean(self, node: Node | None) -> bool | None:
        """Give True for the word true, False for false."""
        return boolean(self.faults, node, self._what(node))

    def percent(self, node: Node | None) -> float | None:
        """Give a share that is written as a percentage."""
        return percent(self.faults, node, self._what(node))
