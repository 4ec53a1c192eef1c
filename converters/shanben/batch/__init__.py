"""Many documents: readers of folders, archives and tables, runners that survive a killed worker, resume, shards.

Nothing here knows of texts: a document is cleaned and built by `build.py`, one at a time, in whatever process.
"""

from shanben.batch.shards import ShardStats, clean_batches, clean_shard

__all__ = ["ShardStats", "clean_batches", "clean_shard"]
