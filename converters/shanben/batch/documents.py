"""What a batch is given: folders, files, patterns of names, archives, tables of rows. One document at a time.

Nothing is unpacked: a member of an archive is read into memory, within limits, and its name never becomes a path
before every part of it is a safe name.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from shanben.batch.rows import Row, is_rows, read_rows, stem_of
from shanben.batch.urls import is_url, listed
from shanben.errors import ShanbenError, SourceError
from shanben.rulebook.schema import METADATA_FIELDS
from shanben.tools.storage import MAX_SOURCE, safe_name
from shanben.works import (
    ARCHIVE_SUFFIXES,
    DEEPEST,
    ROW_SUFFIXES,
    Names,
    NamesInMemory,
    Work,
    is_folder,
    iter_works,
    own_name,
    rules_beside_file,
    safe_place,
    with_own_slug,
)


class Faulty(NamedTuple):
    """A document of which it is known before any work that it cannot be taken."""

    name: str
    error: ShanbenError


Entry = Work | Faulty


def iter_documents(
    sources: Iterable[str],
    *,
    limit: int = MAX_SOURCE,
    names: tuple[Names, Names, Names] | None = None,
    outside: Path | None = None,
    inside: bool = True,
) -> Iterator[Entry]:
    """Give the documents under ``sources`` in order, each with a slug and a place of its own.

    A source is a file, a folder, an archive, a table, or a pattern (`a/**/*.txt`). ``names`` are three stores: of
    files, slugs and places. Of a folder that holds ``outside`` (where the results go), that part is left out.
    ``limit`` is in bytes; with -1 nothing is read but names. Without ``inside`` archives and tables are not opened.
    Raises SourceError, RuleError for what concerns a whole source; what concerns one document makes it a `Faulty`.
    """
    files, slugs, places = names or (NamesInMemory(), NamesInMemory(), NamesInMemory())
    for source in sources:
        for path in _expanded(source):
            below = _below(outside, path)
            for entry in _documents(path, limit, files, slugs, inside):
                if isinstance(entry, Faulty):
                    yield entry
                elif not below or not os.path.realpath(entry.path).startswith(below):
                    place = own_name(entry.place or entry.slug, places)
                    yield entry if place == entry.place else entry._replace(place=place)


def _below(outside: Path | None, folder: Path) -> str:
    """Give how the real paths of files under ``outside`` begin, if that lies in a folder; else nothing."""
    if outside is None or not is_folder(folder):
        return ""
    here = os.path.realpath(outside) + os.sep
    return here if here.startswith(os.path.realpath(folder) + os.sep) else ""


class Table(NamedTuple):
    """A table of rows and the place of its shards below the output."""

    name: str
    place: str


def split_tables(sources: Iterable[str]) -> tuple[list[str], list[Table]]:
    """Part the tables of rows from all other sources. An address stands for all tables under it."""
    documents: list[str] = []
    tables: list[Table] = []
    places = NamesInMemory()

    def take(name: str, parts: Sequence[str]) -> None:
        tables.append(Table(name, own_name(safe_place(parts), places)))

    for source in sources:
        if is_url(source):
            for name in listed(source, ROW_SUFFIXES):
                take(name, (stem_of(name),))
            continue
        for path in _expanded(source):
            if is_rows(str(path)) and not is_folder(path):
                take(str(path), (stem_of(path.name),))
            elif is_folder(path) and next(iter_works([path], empty=True), None) is None:
                for inner in _containers(path):
                    if is_rows(inner.name):
                        take(str(inner), (*inner.relative_to(path).parent.parts, stem_of(inner.name)))
                    else:
                        documents.append(str(inner))
                if not documents and not tables:
                    documents.append(str(path))  # its emptiness is told where it is read
            else:
                documents.append(str(path))
    return documents, tables


def is_archive(path: Path) -> bool:
    """Tell by its name whether a file is an archive that can be read."""
    return path.name.lower().endswith(ARCHIVE_SUFFIXES)


def is_many(sources: Iterable[str]) -> bool:
    """Tell whether sources are more than one document by kind: a folder, an archive, a table, a pattern, two files."""
    given = list(sources)
    if len(given) != 1:
        return len(given) > 1
    path = Path(given[0])
    if is_url(given[0]):
        return True
    return is_rows(given[0]) or is_archive(path) or is_folder(path) or (not _stands(path) and _is_pattern(given[0]))


def _stands(path: Path) -> bool:
    try:
        return os.path.lexists(path)
    except ValueError:
        return False


def _is_pattern(name: str) -> bool:
    return any(c in name for c in "*?[")


def _expanded(source: str) -> list[Path]:
    """Give the files that a pattern names, in order; a name that stands for itself comes back alone."""
    if is_url(source):
        raise SourceError(
            "only tables of rows (.jsonl, .jsonl.gz, .parquet) are read from an address, and only by `shanben clean`",
            where=source[:200],
            fix="copy the documents to a folder, or put them into a table",
        )
    path = Path(source)
    if _stands(path) or not _is_pattern(source):
        return [path]
    found = sorted(glob.iglob(source, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
    if not found:
        raise SourceError("no file has such a name", where=source[:200], fix="check the pattern")
    whole = [Path(p) for p in found if not Path(p).is_dir()]
    return whole or [Path(p) for p in found]


def _documents(path: Path, limit: int, files: Names, slugs: Names, inside: bool) -> Iterator[Entry]:
    if (is_archive(path) or is_rows(str(path))) and path.is_file():
        if inside:
            yield from _inside(path, limit, files, slugs)
        return
    if is_folder(path):
        found = False
        for work in iter_works([path], files, slugs, empty=True):
            found = True
            yield work
        if not found:
            for inner in _containers(path):
                found = True
                if inside:
                    yield from _inside(inner, limit, files, slugs, top=path)
        if found:
            return
    yield from iter_works([path], files, slugs)


def _containers(folder: Path) -> Iterator[Path]:
    """Give the archives and tables under a folder, in order; links are not followed."""
    for top, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        if len(Path(top).relative_to(folder).parts) >= DEEPEST:
            folders.clear()
        for name in sorted(names):
            path = Path(top) / name
            if not name.startswith(".") and (is_archive(path) or is_rows(name)) and not path.is_symlink():
                yield path


def _inside(path: Path, limit: int, files: Names, slugs: Names, top: Path | None = None) -> Iterator[Entry]:
    """Give the documents of an archive or a table. With a limit of -1 only their names are looked at."""
    if files.take(os.path.realpath(path)):
        return
    base = (*path.relative_to(top).parent.parts, _stem(path)) if top else ()
    rules = rules_beside_file(path)
    for name, value in _rows(path, limit) if is_rows(str(path)) else _members(path, limit):
        where = f"{path}!{name}"
        if isinstance(value, ShanbenError):
            value.where = value.where or where
            yield Faulty(where, value)
            continue
        inner = PurePosixPath(name)
        whole = is_rows(str(path))
        stem = name if whole else inner.stem
        data, said = value
        work = Work(safe_name(stem), path / (safe_name(name) if whole else name), said=said, rules=rules, data=data)
        work = work._replace(place=safe_place((*base, name) if whole else (*base, *inner.parent.parts, stem)))
        yield with_own_slug(work, path.name if whole or len(inner.parts) < 2 else inner.parts[-2], slugs)


def _stem(path: Path) -> str:
    """Give the name without its suffixes."""
    suffix = next(s for s in (*ARCHIVE_SUFFIXES, *ROW_SUFFIXES)[::-1] if path.name.lower().endswith(s))
    return path.name[: -len(suffix)]


Member = tuple[str, tuple[bytes, dict[str, tuple[str, ...]]] | ShanbenError]

# --- tables ------------------------------------------------------------------------------------------------


def _rows(path: Path, limit: int) -> Iterator[Member]:
    for row in read_rows(str(path), limit=MAX_SOURCE if limit < 0 else limit):
        yield row.id, _row(row)


def _row(row: Row) -> tuple[bytes, dict[str, tuple[str, ...]]] | ShanbenError:
    if row.fault or row.content is None:
        return SourceError(row.fault or "the row holds no text")
    data = row.content.encode("utf-8", "surrogatepass") if isinstance(row.content, str) else row.content
    return data, _said(row.metadata)


def _said(metadata: object) -> dict[str, tuple[str, ...]]:
    """Give what a row says of its document under the names that `work.yaml` has; all else is left alone."""
    said = {}
    for key, value in (metadata if isinstance(metadata, dict) else {}).items():
        values = value if isinstance(value, list) else [value]
        texts = tuple(v for v in values if isinstance(v, str) and v.strip())
        if key in METADATA_FIELDS and texts:
            said[key] = texts
    return said


# --- archives ----------------------------------------------------------------------------------------------


def _members(path: Path, limit: int) -> Iterator[Member]:
    from shanben.batch.archives import members  # what reads them takes a while to load

    for name, value in members(path, limit):
        yield name, (value, {}) if isinstance(value, bytes) else value
