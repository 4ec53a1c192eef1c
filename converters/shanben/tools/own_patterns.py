"""What the patterns of our own code were compiled to, kept for the next command as those of rules are."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from functools import cache

import regex

from shanben.tools.kept_files import folder, keep_entry, read_entry
from shanben.tools.pattern_code import code_of, machine, made_of

FORMAT = 1
KIND = "patterns"
MOST_KEPT, MOST_PATTERNS = 4, 2_000
"""Entries that are kept, one for each version of `regex` and of Python; patterns in one."""
_fresh: dict[str, regex.Pattern[str]] = {}


def compiled(pattern: str, flags: int) -> regex.Pattern[str]:
    """Give what `regex.compile` gives, made of kept code where there is any. Raises `regex.error`."""
    key = f"{flags} {pattern}"
    line = _kept().get(key)
    if line is not None:
        with suppress(ValueError, TypeError, AttributeError, KeyError):  # else it makes no sense
            return made_of(pattern, [tuple(part) if type(part) is list else part for part in json.loads(line)])
    made = _fresh[key] = regex.compile(pattern, flags)
    return made


def keep() -> None:
    """Keep the code of the patterns that had to be compiled, for the next command."""
    if not _fresh or folder() is None:
        return
    codes = {key: code_of(pattern) for key, pattern in _fresh.items()}
    lines = {key: json.dumps(code).encode() for key, code in codes.items() if code is not None}
    _fresh.clear()
    known = {**_kept(), **lines}
    if lines and len(known) <= MOST_PATTERNS:
        keep_entry(_key(), b"\n".join([json.dumps(list(known)).encode(), *known.values()]), MOST_KEPT, KIND)
        _kept.cache_clear()


@cache
def _kept() -> dict[str, bytes]:
    """Give the kept codes, each a line of JSON that is read when it is asked for."""
    try:
        names, *lines = (read_entry(_key(), KIND) or b"[]").split(b"\n")
        return dict(zip(json.loads(names), lines, strict=True))
    except (ValueError, TypeError):
        return {}


def _key() -> str:
    return hashlib.sha256(json.dumps([FORMAT, *machine()]).encode()).hexdigest()
