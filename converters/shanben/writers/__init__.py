"""The editions. One file a format: ``WRITER = Writer(format, suffix, write)``; found by reading this folder."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from shanben.values import Document


class Writer(NamedTuple):
    """A pure function from a Document to the bytes of one format, with the suffix of its file (``.epub``)."""

    format: str
    suffix: str
    write: Callable[[Document], bytes]


@cache
def all_writers() -> dict[str, Writer]:
    """Give every writer by format. A file that fails to import is an error, never a format silently gone.

    >>> sorted(all_writers())
    ['epub', 'html', 'txt']
    """
    found = {}
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            writer: Writer = importlib.import_module(f"{__name__}.{module.name}").WRITER
            found[writer.format] = writer
    return found
