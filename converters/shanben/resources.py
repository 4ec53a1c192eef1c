"""The one place that knows where the files that come with the package are."""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path


def rules_root() -> Traversable:
    """Give the shipped `rules/`: inside the installed package, or beside `converters/` in a checkout.

    An editable install only copies `rules/` where nobody edits it, so the checkout is looked at first.
    """
    checkout = Path(__file__).parents[2] / "rules"
    if checkout.is_dir() and Path(__file__).parents[1].name == "converters":
        return checkout
    return resources.files("shanben") / "rules"


def data_root() -> Traversable:
    """Give the folder of templates and style sheets."""
    return resources.files("shanben") / "data"
