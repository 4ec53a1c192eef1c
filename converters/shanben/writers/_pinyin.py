"""The pinyin of a name by pypinyin's tables, of which only what the name asks for is read.

pypinyin takes a quarter of a second to load its 47,000 phrases, longer than all else that a small edition costs. So the
first names of a run are looked up in its two files as they are; the result is that of `pypinyin.lazy_pinyin`.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

FEW = 12
"""Names that are looked up; from then on the library is quicker."""
_HAN_RUN = re.compile("([〇\ue815-\ue864\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+)")
_TONES = re.compile("[\u0300\u0301\u0304\u030c]")
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
    codes = "|".join(sorted({str(ord(c)) for run in wanted for c in run}))
    pairs = "|".join(sorted({run[at : at + 2] for run in wanted for at in range(len(run) - 1)}))
    characters = re.finditer(rf'\n"({codes})": "([^",]+)'.encode(), singles)
    beginning = re.finditer(rf'\n"((?:{pairs})[^"]*)": (\[(?:\s*\[[^\]]*\],?)*\s*\])'.encode(), phrases)
    tables = _Tables(
        {chr(int(found[1])): _plain(found[2].decode()) for found in characters},
        {found[1].decode(): found[2] for found in beginning},
    )
    return tables if tables.syllables(_KNOWN, str) == ["chong", "qing"] else None


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
