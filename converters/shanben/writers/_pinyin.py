"""The pinyin of a name by pypinyin's tables, of which only what the name asks for is read.

pypinyin takes a quarter of a second to load its 47,000 phrases, longer than all else that a small edition costs. So the
first names of a run are looked up in its two files as they are; the result is that of `pypinyin.lazy_pinyin`.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from shanben.lazy import lazy_re, lazy_regex

FEW = 12
"""Names that are looked up; from then on the library is quicker."""
_HAN_RUN = lazy_regex("([〇\ue815-\ue864\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+)")
_TONES = lazy_regex("[\u0300\u0301\u0304\u030c]")
_SINGLE = lazy_re(rb'\n"(\d+)": "([^",]+)')
_PHRASE = lazy_re(rb'\n"([^"]+)": (\[(?:\s*\[[^\]]*\],?)*\s*\])')
"""A line of each table: what it says of a character by its number, and of a phrase."""
_NEAR = 400
"""Bytes of a sorted table in which lines are looked for one after another."""
_LOOKS = 64
_KNOWN = "重庆"
"""A phrase that is in the tables, with another reading than its characters have alone."""


def lazy_pinyin(name: str, keep: Callable[[str], str]) -> list[str]:
    """Give the syllables of a name without tones. ``keep`` says what stands for what has no reading, if anything."""
    tables = _tables(name) if _tables.cache_info().misses < FEW else None
    if tables is None:
        import pypinyin

        return list(pypinyin.lazy_pinyin(name, errors=keep))
    parts: list[str] = []
    for number, run in enumerate(_HAN_RUN.split(name)):
        parts += tables.syllables(run, keep) if number % 2 else [keep(run)]
    return [part for part in parts if part]


class _Tables(NamedTuple):
    """What pypinyin knows of a name: the readings of its characters, and of all phrases that begin like a part of it."""

    characters: Mapping[str, str]
    phrases: Mapping[str, bytes]

    def syllables(self, run: str, keep: Callable[[str], str]) -> list[str]:
        """Read a run of Han: the longest phrase first, as pypinyin does, also where the end of the run begins one."""
        found: list[str] = []
        while run:
            phrase = max((p for p in self.phrases if run.startswith(p)), key=len, default="")
            if phrase:
                found += (_plain(readings[0]) for readings in json.loads(self.phrases[phrase]))
                run = run[len(phrase) :]
                continue
            alone = len(run) if any(p.startswith(run) for p in self.phrases) else 1
            found += (self.characters.get(c) or keep(c) for c in run[:alone])
            run = run[alone:]
        return found


@lru_cache(maxsize=FEW)
def _tables(name: str) -> _Tables | None:
    """Look a name up; None where the tables are not as they are known, so that the library must be asked."""
    files = _files()
    if files is None:
        return None
    singles, phrases = files
    wanted = [*_HAN_RUN.findall(name), _KNOWN]
    if not (_is_sorted(singles, _SINGLE) and _is_sorted(phrases, _PHRASE)):
        return None
    codes = sorted({ord(c) for run in wanted for c in run})
    pairs = sorted({run[at : at + 2] for run in wanted for at in range(len(run) - 1)})
    characters = (found for code in codes for found in _from(singles, _SINGLE, str(code)) if int(found[1]) == code)
    beginning = (found for pair in pairs for found in _from(phrases, _PHRASE, pair))
    tables = _Tables(
        {chr(int(found[1])): _plain(found[2].decode()) for found in characters},
        {found[1].decode(): found[2] for found in beginning},
    )
    return tables if tables.syllables(_KNOWN, str) == ["chong", "qing"] else None


def _place(found: re.Match[bytes]) -> tuple[int, bytes]:
    """Give what the lines of a table are sorted by: numbers by their size, words by their characters."""
    return _order(found[1])


def _order(key: bytes) -> tuple[int, bytes]:
    return (len(key) if key.isdigit() else 0), key


def _from(table: bytes, line: re.Pattern[bytes], wanted: str) -> Iterator[re.Match[bytes]]:
    """Give the lines of a sorted table of which the key begins with what is wanted."""
    key = wanted.encode()
    low, high = 0, len(table)
    while high - low > _NEAR:
        middle = (low + high) // 2
        found = line.search(table, middle, high)
        if found and _place(found) < _order(key):
            low = middle
        else:
            high = middle
    for found in line.finditer(table, max(0, low - 1)):
        if _place(found) >= _order(key):
            if not found[1].startswith(key):
                return
            yield found


@lru_cache(maxsize=4)
def _is_sorted(table: bytes, line: re.Pattern[bytes]) -> bool:
    """Tell from a few of its lines whether a table is sorted."""
    found = (line.search(table, at) for at in range(0, len(table), max(1, len(table) // _LOOKS)))
    places = [_place(one) for one in found if one]
    return len(places) > _LOOKS // 2 and places == sorted(places)


@lru_cache(maxsize=1)
def _files() -> tuple[bytes, bytes] | None:
    """Read pypinyin's tables, JSON with one key a line: codes of characters, and phrases."""
    spec = find_spec("pypinyin")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    try:
        return (folder / "pinyin_dict.json").read_bytes(), (folder / "phrases_dict.json").read_bytes()
    except OSError:
        return None


def _plain(syllable: str) -> str:
    """Take the tone from a syllable, and write ü as v, as pypinyin does.

    >>> [_plain(s) for s in ("zhōng", "lǜ", "ê̄")]
    ['zhong', 'lv', 'ê']
    """
    return unicodedata.normalize("NFC", _TONES.sub("", unicodedata.normalize("NFD", syllable))).replace("ü", "v")
