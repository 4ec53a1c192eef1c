"""For those who already have a Ray or a Spark cluster: ten lines each. Importable without either.

Both take tables with the columns `id`, `text` or `bytes`, `metadata`, and give those of `rows.schema()`. Shanben and
its extra `parquet` must be installed on the workers.

Ray:

    import ray
    from shanben.batch.adapters import RayCleaner
    done = ray.data.read_parquet("s3://bucket/in").map_batches(
        RayCleaner, fn_constructor_kwargs={"profile": None}, batch_format="pyarrow", concurrency=8)
    done.write_parquet("s3://bucket/out")

Spark:

    from shanben.batch.adapters import SPARK_SCHEMA, spark_cleaner
    done = spark.read.parquet("s3a://bucket/in").mapInArrow(spark_cleaner(profile=None), SPARK_SCHEMA)
    done.write.parquet("s3a://bucket/out")
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from shanben.batch.shards import clean_batches

SPARK_SCHEMA = (
    "id string, text string, ledger string, changes long, suggestions long, characters long, profile string, "
    "error string, metadata string"
)
"""The columns that come out, as Spark writes them."""


class RayCleaner:
    """A callable for `Dataset.map_batches(..., batch_format="pyarrow")`; the options are those of `clean_batches`."""

    def __init__(self, **options: Any) -> None:
        self._options = options

    def __call__(self, table: Any) -> Any:
        """Clean a `pyarrow.Table`."""
        import pyarrow

        return pyarrow.Table.from_batches(list(clean_batches([table], **self._options)))


def spark_cleaner(**options: Any) -> Callable[[Iterator[Any]], Iterator[Any]]:
    """Give a function for `DataFrame.mapInArrow`; the options are those of `clean_batches`."""

    def clean_partition(batches: Iterator[Any]) -> Iterator[Any]:
        for batch in clean_batches(batches, **options):
            yield _with_small_strings(batch)

    return clean_partition


def _with_small_strings(batch: Any) -> Any:
    """Give the batch with strings of 32-bit offsets, which is what Spark's `string` stands for."""
    import pyarrow

    fields = [(f.name, pyarrow.string() if pyarrow.types.is_large_string(f.type) else f.type) for f in batch.schema]
    return batch.cast(pyarrow.schema(fields))
