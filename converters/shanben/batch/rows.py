"""Tables of documents: JSON lines (`.jsonl`, `.jsonl.gz`) and Parquet, read and written row by row.

Columns in: `id`; `text` (a string) or `bytes` (in JSON lines as Base64); `metadata` (left as it is). Columns out:
`id`, `text` (clean), `ledger` (JSON lines; text and ledger give the source back), `changes`, `suggestions`,
`characters`, `profile`, `error` (empty when all went well), `metadata`.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from shanben.batch.urls import needs, reading, size_of
from shanben.errors import ShanbenError, SourceError
from shanben.tools.storage import MAX_SOURCE
from shanben.works import ROW_SUFFIXES

PART_BYTES = 32 * 1024**2
"""Bytes of JSON lines after which another shard begins, at the next line."""
PART_ROWS = 10_000
"""Rows of Parquet after which another shard begins, at the next row group."""
MAX_RATIO = 200
"""Unpacked to packed bytes of an archive or a compressed table, over ROOM bytes."""
ROOM = 64 * 1024**2
_BATCH = 64
_HEAVY = 16 * 1024**2


class Row(NamedTuple):
    """One row of a table: ``content`` is a text or its bytes; ``fault`` says why there is none."""

    id: str
    content: str | bytes | None
    metadata: Any = None
    fault: str = ""


class Part(NamedTuple):
    """A stretch of a table: bytes of JSON lines, row groups of Parquet, from ``start`` up to ``end`` (None: to its end)."""

    start: int = 0
    end: int | None = None


def is_rows(name: str) -> bool:
    """Tell by its name whether a file is a table of rows."""
    return name.lower().endswith(ROW_SUFFIXES)


def suffix_of(name: str) -> str:
    """Give the suffix of a table's name. Raises SourceError when it is none."""
    if not is_rows(name):
        raise SourceError("this is no table of rows", where=name, fix=f"its name ends in {', '.join(ROW_SUFFIXES)}")
    return next(s for s in sorted(ROW_SUFFIXES, key=len, reverse=True) if name.lower().endswith(s))


def stem_of(name: str) -> str:
    """Give the last part of a name without the suffix of a table."""
    last = name.rstrip("/").rsplit("/", 1)[-1]
    return last[: -len(suffix_of(last))]


def parts_of(name: str) -> list[Part]:
    """Cut a table into the stretches that are worked on apart. The cut depends on the table alone.

    A compressed file cannot be entered in the middle: it is one part.
    """
    suffix = suffix_of(name)
    if suffix == ".parquet":
        return _row_groups(name)
    if suffix.endswith(".gz"):
        return [Part()]
    return _line_ranges(name)


def _line_ranges(name: str) -> list[Part]:
    size = size_of(name)
    starts = [0]
    with reading(name) as file:
        while starts[-1] + PART_BYTES < size:
            file.seek(starts[-1] + PART_BYTES)
            at = starts[-1] + PART_BYTES
            while piece := file.readline(1 << 20):
                at += len(piece)
                if piece.endswith(b"\n"):
                    break
            if at >= size:
                break
            starts.append(at)
    return [Part(a, b) for a, b in zip(starts, [*starts[1:], None], strict=True)]


def read_rows(name: str, part: Part | None = None, *, limit: int = MAX_SOURCE) -> Iterator[Row]:
    """Read the rows of a table, or of a part of it. What is wrong with a row is its ``fault``.

    Raises SourceError when the table cannot be read at all, ToolError when Parquet needs a package that is missing.
    """
    part = part or Part()
    if suffix_of(name) == ".parquet":
        yield from _parquet_rows(name, part, limit)
    else:
        yield from _json_rows(name, part, limit)


# --- JSON lines --------------------------------------------------------------------------------------------


def _json_rows(name: str, part: Part, limit: int) -> Iterator[Row]:
    stem, longest = stem_of(name), 2 * limit + 1_000_000
    with reading(name) as raw:
        packed = suffix_of(name).endswith(".gz")
        file: IO[bytes] = gzip.GzipFile(fileobj=raw) if packed else raw  # type: ignore[assignment]
        at = part.start
        if at:
            file.seek(at)
        try:
            while (part.end is None or at < part.end) and (line := file.readline(longest)):
                here, at = at, at + len(line)
                if packed and at > ROOM and at > MAX_RATIO * max(raw.tell(), 1):
                    raise SourceError(f"this file unpacks to more than {MAX_RATIO} times its size", where=name)
                if not line.endswith(b"\n") and len(line) >= longest:
                    while line and not line.endswith(b"\n"):
                        line = file.readline(1 << 20)
                        at += len(line)
                    yield Row(f"{stem}@{here}", None, fault=f"the line has more than {longest / 1e6:.0f} MB")
                elif line.strip():
                    yield _json_row(line, f"{stem}@{here}", limit)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise SourceError(f"the file is damaged ({error})", where=name, fix="get it again") from None
        except OSError as error:
            raise SourceError(f"the file cannot be read ({error})"[:300], where=name, fix="check it") from None


def _json_row(line: bytes, place: str, limit: int) -> Row:
    try:
        said = json.loads(line.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError) as error:
        return Row(place, None, fault=f"the line is no JSON ({error})"[:300])
    if not isinstance(said, dict):
        return Row(place, None, fault="the line is no JSON object")
    data = said.get("bytes")
    if isinstance(data, str):
        try:
            said["bytes"] = base64.b64decode(data, validate=True)
        except ValueError:
            return _row(said | {"text": None, "bytes": None}, place, limit, "`bytes` is no Base64")
    elif data is not None:
        said["bytes"] = None
    return _row(said, place, limit)


def _row(said: dict[str, Any], place: str, limit: int, fault: str = "") -> Row:
    """Make a row of its columns; ``place`` is its name when it says none."""
    name = said.get("id")
    name = str(name) if isinstance(name, str | int) and not isinstance(name, bool) and str(name).strip() else place
    name = name.encode("utf-8", "replace").decode()
    text, data, metadata = said.get("text"), said.get("bytes"), said.get("metadata")
    content: str | bytes | None = text if isinstance(text, str) else data
    if not fault and isinstance(text, str) and data is not None:
        fault = "the row has both `text` and `bytes`"
    elif not fault and content is None:
        fault = "the row has neither `text` (a string) nor `bytes`"
    elif content is not None and len(content) > limit:
        fault = f"the document has more than {limit / 1e6:.0f} MB; raise the limit with --max-megabytes"
    return Row(name, None if fault else content, metadata, fault)


# --- Parquet -----------------------------------------------------------------------------------------------


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise needs("pyarrow", "parquet", error) from None
    return pyarrow, pyarrow.parquet


@contextmanager
def _parquet(name: str) -> Iterator[Any]:
    pyarrow, parquet = _pyarrow()
    with reading(name) as raw:
        try:
            with parquet.ParquetFile(raw, pre_buffer=False, buffer_size=1 << 20) as file:
                yield file
        except (pyarrow.ArrowException, OSError) as error:
            raise SourceError(
                f"the file is no Parquet, or damaged ({error})"[:300], where=name, fix="get it again"
            ) from None


def _row_groups(name: str) -> list[Part]:
    with _parquet(name) as file:
        parts, start, rows = [], 0, 0
        for group in range(file.num_row_groups):
            rows += file.metadata.row_group(group).num_rows
            if rows >= PART_ROWS:
                parts.append(Part(start, group + 1))
                start, rows = group + 1, 0
        if rows or not parts:
            parts.append(Part(start, file.num_row_groups))
    return parts


def _parquet_rows(name: str, part: Part, limit: int) -> Iterator[Row]:
    stem = stem_of(name)
    with _parquet(name) as file:
        columns = [c for c in ("id", "text", "bytes", "metadata") if c in file.schema_arrow.names]
        if not {"text", "bytes"} & set(columns):
            raise SourceError("the table has no column `text` or `bytes`", where=name, fix="rename the column")
        end = file.num_row_groups if part.end is None else part.end
        number = sum(file.metadata.row_group(g).num_rows for g in range(part.start))
        for batch in file.iter_batches(_BATCH, row_groups=list(range(part.start, end)), columns=columns):
            for said in batch.to_pylist():
                yield _row(said, f"{stem}@{number}", limit)
                number += 1


# --- writing -----------------------------------------------------------------------------------------------


class CleanRow(NamedTuple):
    """One row of the result; ``text`` and ``ledger`` are None where ``error`` says why."""

    id: str
    text: str | None = None
    ledger: str | None = None
    changes: int = 0
    suggestions: int = 0
    characters: int = 0
    profile: str = ""
    error: str = ""
    metadata: Any = None

    def columns(self) -> dict[str, Any]:
        """Give the row by column, in order."""
        return {
            "id": self.id, "text": self.text, "ledger": self.ledger, "changes": self.changes,
            "suggestions": self.suggestions, "characters": self.characters, "profile": self.profile,
            "error": self.error, "metadata": self.metadata,
        }  # fmt: skip


def write_rows(path: Path, suffix: str, rows: Iterable[CleanRow]) -> None:
    """Write rows into a file in the format that a suffix stands for. The same rows give the same bytes."""
    if suffix == ".parquet":
        _write_parquet(path, rows)
        return
    with path.open("wb") as raw:
        if suffix.endswith(".gz"):
            with gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed, io.BufferedWriter(packed) as file:
                file.writelines(map(_line, rows))
        else:
            raw.writelines(map(_line, rows))


def _line(row: CleanRow) -> bytes:
    text = json.dumps(row.columns(), ensure_ascii=False, separators=(",", ":"), default=str)
    try:
        return text.encode() + b"\n"
    except UnicodeEncodeError:  # half a surrogate pair in the metadata
        return json.dumps(row.columns(), separators=(",", ":"), default=str).encode() + b"\n"


def schema() -> Any:
    """Give the Arrow schema of the result; the metadata are JSON."""
    pyarrow, _ = _pyarrow()
    return pyarrow.schema([
        ("id", pyarrow.string()), ("text", pyarrow.large_string()), ("ledger", pyarrow.large_string()),
        ("changes", pyarrow.int64()), ("suggestions", pyarrow.int64()), ("characters", pyarrow.int64()),
        ("profile", pyarrow.string()), ("error", pyarrow.string()), ("metadata", pyarrow.string()),
    ])  # fmt: skip


def as_batch(rows: Iterable[CleanRow]) -> Any:
    """Give rows as an Arrow RecordBatch."""
    pyarrow, _ = _pyarrow()
    found = [
        row.columns() | {"metadata": None if row.metadata is None else json.dumps(row.metadata, default=str)}
        for row in rows
    ]
    return pyarrow.RecordBatch.from_pylist(found, schema=schema())


def _write_parquet(path: Path, rows: Iterable[CleanRow]) -> None:
    _, parquet = _pyarrow()
    with parquet.ParquetWriter(str(path), schema(), compression="zstd") as writer:
        waiting: list[CleanRow] = []
        weight = 0
        for row in rows:
            waiting.append(row)
            weight += len(row.text or "") + len(row.ledger or "")
            if weight > _HEAVY:
                writer.write_batch(as_batch(waiting))
                waiting, weight = [], 0
        if waiting:
            writer.write_batch(as_batch(waiting))


def rows_of_batch(batch: Any, limit: int = MAX_SOURCE) -> Iterator[Row]:
    """Give the rows of an Arrow RecordBatch or Table with the columns `id`, `text` or `bytes`, `metadata`."""
    wanted = [c for c in ("id", "text", "bytes", "metadata") if c in batch.schema.names]
    for number, said in enumerate(batch.select(wanted).to_pylist()):
        yield _row(said, f"row@{number}", limit)


def fault_of(error: ShanbenError) -> str:
    """Say an error in one line for the column `error`."""
    return f"{error.code}: {error.what}" + (f" ({error.fix})" if error.fix else "")
