"""Shanben 善本: dirty Chinese documents into collated EPUB, HTML and TXT editions, every change on record.

>>> import shanben
>>> cleaned = shanben.clean('锚定"三高四新"蓝图,加快发展.')
>>> cleaned.text
'锚定“三高四新”蓝图，加快发展。'
>>> shanben.revert(cleaned.text, cleaned.ledger).decode()
'锚定"三高四新"蓝图,加快发展.'
"""

from __future__ import annotations

TYPE_CHECKING = False  # of `typing`, which takes a while to load
if TYPE_CHECKING:
    from typing import Any

    from shanben.build import Result, build
    from shanben.errors import ShanbenError
    from shanben.ledger import Change, Ledger
    from shanben.pipeline import Cleaned, clean, plan, revert

__version__ = "0.1.0"
__all__ = ["Change", "Cleaned", "Ledger", "Result", "ShanbenError", "build", "clean", "plan", "revert"]

_HOMES = {
    "Change": "ledger", "Cleaned": "pipeline", "Ledger": "ledger", "Result": "build", "ShanbenError": "errors",
    "build": "build", "clean": "pipeline", "plan": "pipeline", "revert": "pipeline",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that `import shanben` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'shanben' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"shanben.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
