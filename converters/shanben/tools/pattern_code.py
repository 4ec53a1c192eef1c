"""What `regex` compiles a pattern to, as plain values: a pattern made of them takes a tenth of compiling it.

They go with one version of `regex`, of Python and one kind of machine (`machine`).
"""

from __future__ import annotations

import copyreg
import platform
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from typing import Any

import regex

_ANY = regex.compile(".")
Code = Sequence[Any]
"""Flags, the code in base64, the numbers of named groups, and what a text must hold."""


def machine() -> tuple[str, ...]:
    """Say what code goes with."""
    return regex.__version__, sys.version, sys.byteorder, str(sys.maxsize), platform.machine()


def code_of(compiled: regex.Pattern[str]) -> Code | None:
    """Give what a pattern is compiled to, as pickle would keep it; None where that is not of the shape we know."""
    try:
        _, data = _reduced(compiled)
        pattern, flags, code, groups, _, lists, indexes, *required = data
        if lists or indexes or not isinstance(code, bytes):
            return None
        kept = (flags, b64encode(code).decode(), dict(groups), *required)
        return kept if _reduced(made_of(pattern, kept))[1] == data else None
    except (KeyError, TypeError, ValueError):
        return None


def made_of(pattern: str, code: Code) -> regex.Pattern[str]:
    """Make a pattern of its code."""
    make, _ = _reduced(_ANY)
    flags, words, groups, *required = code
    names = {number: name for name, number in groups.items()}
    made: regex.Pattern[str] = make(pattern, flags, b64decode(words), groups, names, {}, [], *required)
    return made


def _reduced(pattern: regex.Pattern[str]) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """Give what makes a compiled pattern, and of what, as pickle is told."""
    reduced: Any = copyreg.dispatch_table[regex.Pattern](pattern)
    return reduced[0], reduced[1]
