"""Templates and style sheets that ship with the package."""

from __future__ import annotations

from functools import cache

from shanben.resources import data_root


@cache
def data(name: str) -> bytes:
    """Give a file of ``shanben/data``.

    >>> b"<!DOCTYPE html>" in data("edition.html")
    True
    """
    return (data_root() / name).read_bytes()
