"""The one place that knows where the files that come with the package are."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


def rules_root() -> Traversable:
    """Give the shipped `rules/`: inside the installed package, or beside `converters/` in a checkout.

    An editable install only copies `rules/` where nobody edits it, so the checkout is looked at first.
    """
    checkout = Path(__file__).parents[2] / "rules"
    if checkout.is_dir() and Path(__file__).parents[1].name == "converters":
        return checkout
    return _package() / "rules"


def data_root() -> Traversable:
    """Give the folder of templates and style sheets."""
    return _package() / "data"


@contextmanager
def data_file(name: str) -> Iterator[Path]:
    """Give a file of the folder of templates as one that other programs can open, for as long as it is asked for."""
    place = data_root() / name
    if isinstance(place, Path):  # so it mostly is, and `importlib.resources` takes a while to load
        yield place
        return
    from importlib.resources import as_file

    with as_file(place) as path:
        yield path


def kept_folder(variable: str) -> Path | None:
    """Give the folder of what is kept from run to run: the one that an environment variable names, else `shanben` where
    the system keeps caches. None when that has no absolute path, as where nobody has a home."""
    if named := os.environ.get(variable):
        return Path(named)
    try:
        if sys.platform == "win32":
            base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local")
        elif sys.platform == "darwin":
            base = Path.home() / "Library/Caches"
        else:
            base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:  # there is no home
        return None
    return base / "shanben" if base.is_absolute() else None


def _package() -> Traversable:
    """Give the package: its folder, or its place in an archive."""
    folder = Path(__file__).parent
    if folder.is_dir():
        return folder
    from importlib import resources

    return resources.files("shanben")
