"""Many documents: readers of folders, archives and tables, runners that survive a killed worker, resume, shards.

Nothing here knows of texts: a document is cleaned and built by `build.py`, one at a time, in whatever process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shanben.batch.shards import ShardStats, clean_batches, clean_shard

__all__ = ["ShardStats", "clean_batches", "clean_shard"]


def __getattr__(name: str) -> Any:
    """Give one of the names above; what reads tables is imported only for them."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from shanben.batch import shards

    return getattr(shards, name)
