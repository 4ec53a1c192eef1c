"""The unit of distributed work: one table, or a part of it, made into one table of clean texts. It may be done again
and again, by several workers at once, with the same result."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from shanben.batch.rows import CleanRow, Part, Row, as_batch, fault_of, read_rows, rows_of_batch, suffix_of, write_rows
from shanben.batch.runners import Watch
from shanben.batch.urls import is_url, putting, read_small, stamp, write_small
from shanben.errors import OutputError, ShanbenError, SourceError
from shanben.tools.storage import MAX_SOURCE

STATS = "_stats"
"""Folder beside the shards with what is known of each. Readers of tables leave out names that begin so."""


class ShardStats(NamedTuple):
    """What became of one shard. ``sha256`` is that of its bytes; ``faults`` are the first few rows that failed."""

    rows: int
    failed: int
    changes: int
    suggestions: int
    characters: int
    sha256: str
    faults: tuple[tuple[str, str], ...] = ()
    done_before: bool = False


MOST_FAULTS = 20


def clean_shard(
    in_url: str,
    out_url: str,
    profile: str | None = None,
    *,
    rules: Sequence[str | Path] = (),
    encoding: str | None = None,
    limit: int = MAX_SOURCE,
    part: Part | None = None,
    fresh: bool = False,
    watch: Watch | None = None,
) -> ShardStats:
    """Clean the documents of one table, or a part of it, into another table, and say what became of it.

    Both are paths or addresses that end in `.jsonl`, `.jsonl.gz` or `.parquet`. The result is written under a
    temporary name and then renamed, so that it is there whole or not at all; what is known of it goes to
    `_stats/<name>.json` beside it. A result that is there already, made from the same input by the same rules, is left
    as it is, unless ``fresh``. A row that fails has its reason in the column `error`. ``limit``: bytes of a document.
    Raises SourceError for an input that cannot be read, OutputError, RuleError, UsageError (no such profile).
    """
    from shanben.batch.recipe import rules_digest

    suffix = suffix_of(out_url)
    part, watch = part or Part(), watch or Watch()
    if _same(in_url, out_url):
        raise OutputError("this would overwrite the source", where=out_url, fix="choose another -o")
    key = _digest(
        [rules_digest(rules, profile), encoding, limit, in_url.rstrip("/").rsplit("/", 1)[-1], part.start, part.end]
    )
    recipe = {"key": key, "input": stamp(in_url)}
    place = stats_place(out_url)
    if not fresh and (known := _known(place, recipe, out_url)):
        return known
    counts: Counter[str] = Counter()
    faults: list[tuple[str, str]] = []

    def cleaned() -> Iterator[CleanRow]:
        for number, row in enumerate(read_rows(in_url, part, limit=limit)):
            aside = watch.begin(number)
            made = CleanRow(row.id, error=f"crash: {aside}", metadata=row.metadata) if aside else clean_row(
                row, profile, rules=rules, encoding=encoding
            )  # fmt: skip
            counts.update(rows=1, failed=bool(made.error), changes=made.changes)
            counts.update(suggestions=made.suggestions, characters=made.characters)
            if made.error and len(faults) < MOST_FAULTS:
                faults.append((made.id, made.error))
            yield made

    with putting(out_url) as path:
        write_rows(path, suffix, cleaned())
        digest = _file_digest(path)
        size = path.stat().st_size
    watch.begin(-1)
    stats = ShardStats(
        counts["rows"], counts["failed"], counts["changes"], counts["suggestions"], counts["characters"], digest,
        tuple(faults),
    )  # fmt: skip
    said = {**recipe, "size": size, **stats._asdict()}
    del said["done_before"]
    write_small(place, (json.dumps(said, ensure_ascii=True, indent=1) + "\n").encode())
    return stats


def clean_row(
    row: Row, profile: str | None = None, *, rules: Sequence[str | Path] = (), encoding: str | None = None
) -> CleanRow:
    """Clean one row; what goes wrong is told in its column `error`."""
    from shanben.ledger import to_jsonl
    from shanben.pipeline import clean

    if row.content is None:
        return CleanRow(row.id, error=f"source: {row.fault}", metadata=row.metadata)
    given = encoding if isinstance(row.content, bytes) else None
    try:
        cleaned = clean(row.content, encoding=given, rules=rules, name=row.id, profile=profile)
        ledger = cleaned.ledger
        return CleanRow(
            id=row.id,
            text=cleaned.text,
            ledger=to_jsonl(ledger, compact=True),
            changes=sum(len(p.changes) for p in ledger.passes),
            suggestions=len(cleaned.suggestions),
            characters=len(cleaned.text),
            profile=ledger.profile.name if ledger.profile else "",
            metadata=row.metadata,
        )
    except ShanbenError as error:
        return CleanRow(row.id, error=fault_of(error), metadata=row.metadata)
    except MemoryError:
        return CleanRow(row.id, error="source: there is not enough memory for this document", metadata=row.metadata)
    except Exception as error:  # noqa: BLE001 - one document must not stop the others
        return CleanRow(row.id, error=f"error: {type(error).__name__}: {error}"[:500], metadata=row.metadata)


def clean_batches(
    batches: Iterable[Any],
    profile: str | None = None,
    *,
    rules: Sequence[str | Path] = (),
    encoding: str | None = None,
    limit: int = MAX_SOURCE,
) -> Iterator[Any]:
    """Clean Arrow RecordBatches: columns `id`, `text` or `bytes`, `metadata` in, those of `rows.schema()` out.

    This is what other engines call in their workers; see `adapters.py`.
    """
    for batch in batches:
        yield as_batch(clean_row(r, profile, rules=rules, encoding=encoding) for r in rows_of_batch(batch, limit))


def stats_place(out_url: str) -> str:
    """Give the place of what is known of a shard."""
    folder, _, name = out_url.replace("\\", "/").rpartition("/") if not is_url(out_url) else out_url.rpartition("/")
    return f"{folder}/{STATS}/{name}.json" if folder else f"{STATS}/{name}.json"


def _known(place: str, recipe: Mapping[str, str], out_url: str) -> ShardStats | None:
    """Give the stats of a shard that was made before in the same way and is still whole; None if there is none."""
    data = read_small(place)
    if data is None or not recipe["input"]:
        return None
    with suppress(ValueError, KeyError, TypeError, RecursionError):
        said = json.loads(data)
        if any(said[k] != v for k, v in recipe.items()):
            return None
        numbers = {k: said[k] for k in ("rows", "failed", "changes", "suggestions", "characters")}
        faults = tuple((str(name), str(why)) for name, why in said["faults"][:MOST_FAULTS])
        if not all(type(n) is int for n in numbers.values()) or stamp(out_url).partition(":")[0] != str(said["size"]):
            return None
        if said["failed"] or (not is_url(out_url) and _file_digest(Path(out_url)) != said["sha256"]):
            return None  # rows that failed are tried again
        return ShardStats(**numbers, sha256=str(said["sha256"]), faults=faults, done_before=True)
    return None


def _same(one: str, other: str) -> bool:
    if is_url(one) or is_url(other):
        return one == other
    with suppress(OSError):
        return Path(one).samefile(other)
    return False


def _file_digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SourceError(f"the file cannot be read ({error.strerror})", where=str(path)) from None


def _digest(said: object) -> str:
    return hashlib.sha256(json.dumps(said, ensure_ascii=True).encode()).hexdigest()
