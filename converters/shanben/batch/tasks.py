"""What a worker does with a handful of documents: build or clean each, write it, and tell in a few words what became of it.

A task goes to a worker and its outcomes come back pickled, so both are small: texts and editions never travel.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from shanben.batch.documents import Entry, Faulty
from shanben.batch.manifest import Record
from shanben.batch.recipe import digest, rules_digest
from shanben.batch.rows import Part
from shanben.batch.runners import Watch
from shanben.batch.shards import ShardStats, clean_shard
from shanben.errors import ShanbenError, SourceError
from shanben.tools.storage import MANIFEST, MAX_SOURCE, read_source, replace_folder, write_file
from shanben.values import Source
from shanben.works import Work, refuse_source


class Options(NamedTuple):
    """What is asked for all documents of a run.

    ``ledgers`` is the folder of ledgers of cleaned texts, if they are wanted, ``compact`` their form.
    """

    command: str
    out: Path
    ledgers: Path | None = None
    formats: tuple[str, ...] = ()
    encoding: str | None = None
    rules: tuple[str, ...] = ()
    limit: int = MAX_SOURCE
    profile: str | None = None
    script: str | None = None
    report: bool = True
    compact: bool = False


class Batch(NamedTuple):
    """A few documents, each with what is known of it from an earlier run."""

    options: Options
    entries: Sequence[tuple[Entry, Record | None]]


class Fault(NamedTuple):
    """Why a document failed, in words that can be sent from process to process."""

    words: str
    code: str
    exit_code: int

    @classmethod
    def of(cls, error: ShanbenError) -> Fault:
        """Give what an error says."""
        return cls(str(error), error.code, error.exit_code)


class Outcome(NamedTuple):
    """What became of one document: a ``record`` when it is finished, a ``fault`` when it failed."""

    name: str
    source: str
    record: Record | None = None
    fault: Fault | None = None
    unchanged: bool = False
    alarms: tuple[str, ...] = ()


def name_in(options: Options, entry: Entry) -> str:
    """Give the name of a document in the results of a command."""
    if isinstance(entry, Faulty):
        return entry.name
    return entry.slug if options.command == "build" else entry.place


def work_on(batch: Batch, watch: Watch) -> list[Outcome]:
    """Do a batch, one document after the other. One that fails stops no other."""
    return [
        _one(batch.options, entry, earlier, watch.begin(number))
        for number, (entry, earlier) in enumerate(batch.entries)
    ]


def _one(options: Options, entry: Entry, earlier: Record | None, aside: str) -> Outcome:
    name = name_in(options, entry)
    if isinstance(entry, Faulty):
        return Outcome(name, name, fault=Fault.of(entry.error))
    source = str(entry.path)
    if aside:
        words = f"{source}: this document was set aside: {aside}\n  fix: please report it; it is a fault of the program"
        return Outcome(name, source, fault=Fault(words, "crash", 1))
    try:
        return _done(options, entry, earlier)
    except ShanbenError as error:
        error.where = error.where or source
        return Outcome(name, source, fault=Fault.of(error))
    except MemoryError:
        lack = SourceError(
            "there is not enough memory for this document", where=source, fix="split it into several files"
        )
        return Outcome(name, source, fault=Fault.of(lack))
    except Exception as error:  # noqa: BLE001 - one document must not stop the others
        words = f"{source}: {type(error).__name__}: {error}"[:1000]
        return Outcome(
            name, source, fault=Fault(f"{words}\n  fix: please report it; it is a fault of the program", "error", 1)
        )


def _done(options: Options, work: Work, earlier: Record | None) -> Outcome:
    read = work.read(options.limit)
    key = _key(options, work, read)
    name = name_in(options, work)
    if earlier and earlier.key == key and earlier.seal and earlier.seal == _seal(options, name):
        return Outcome(name, str(work.path), earlier, unchanged=True)
    held = work._replace(data=read.data, sha256="")
    told, alarms = _build(options, held) if options.command == "build" else _clean(options, held)
    return Outcome(name, str(work.path), Record(name, key, _seal(options, name), told), alarms=alarms)


def _key(options: Options, work: Work, source: Source) -> str:
    """Give the digest of all that goes into the result of a work."""
    layers = work.layers(options.rules)
    return digest([
        options.command, rules_digest(layers, options.profile or work.profile), [str(layer) for layer in layers],
        source.name, source.sha256, work.slug, options.encoding or work.encoding, work.said,
        [[s.rule, s.at, s.before, s.after, s.reason] for s in work.suppress],
        options.formats, options.script, options.report, options.ledgers is not None, options.compact,
        os.environ.get("PYPANDOC_PANDOC"),
    ])  # fmt: skip


def _seal(options: Options, name: str) -> str:
    """Give a digest of what lies in the output for a document; "" when it is not whole."""
    if options.command == "build":
        return folder_seal(options.out / name)
    try:
        files = [read_source(path, limit=1 << 40) for path in _places(options, name) if path]
    except ShanbenError:
        return ""
    return digest([hashlib.sha256(data).hexdigest() for data in files])


def folder_seal(folder: Path) -> str:
    """Give the digest of a built folder's manifest; "" when any file is not as that says, or there are others."""
    from shanben.fixity import is_whole

    if not (folder / MANIFEST).is_file() or not is_whole(folder):
        return ""
    return hashlib.sha256(read_source(folder / MANIFEST)).hexdigest()


def _build(options: Options, work: Work) -> tuple[dict[str, Any], tuple[str, ...]]:
    from shanben.build import build_work, told_of
    from shanben.pipeline import alarms

    built = build_work(
        work, formats=options.formats, encoding=options.encoding, rules=options.rules, limit=options.limit,
        profile=options.profile, script=options.script, report=options.report,
    )  # fmt: skip
    replace_folder(options.out / work.slug, built.files, tidy=False)
    told = told_of(work.slug, options.out / work.slug, built.document)
    return told, tuple(a for ledger in built.ledgers.values() for a in alarms(ledger))


def _clean(options: Options, work: Work) -> tuple[dict[str, Any], tuple[str, ...]]:
    from shanben.ledger import to_jsonl
    from shanben.pipeline import alarms
    from shanben.work_cleaning import clean_work

    cleaned = clean_work(
        work, encoding=options.encoding, rules=options.rules, limit=options.limit, profile=options.profile
    )
    text, ledger = _places(options, work.place)
    for target in (text, ledger):
        if target:
            refuse_source(target, [work])
    if ledger:  # first, so that no text lies there without its ledger
        write_file(ledger, to_jsonl(cleaned.ledger, compact=options.compact).encode(), sync=False)
    write_file(text, cleaned.text.encode(), sync=False)
    changes = sum(len(p.changes) for p in cleaned.ledger.passes)
    told = {"document": work.place, "file": str(text), "changes": changes, "characters": len(cleaned.text)}
    return told, tuple(alarms(cleaned.ledger))


def _places(options: Options, name: str) -> tuple[Path, Path | None]:
    ledger = options.ledgers / f"{name}.jsonl" if options.ledgers else None
    return options.out / f"{name}.txt", ledger


# --- shards ------------------------------------------------------------------------------------------------


class Shard(NamedTuple):
    """A part of a table and the table that it becomes."""

    options: Options
    source: str
    out: str
    part: Part
    fresh: bool = False


def work_on_shard(shard: Shard, watch: Watch) -> ShardStats | Fault:
    """Do a shard; a fault of the whole of it is given, not raised."""
    o = shard.options
    try:
        return clean_shard(
            shard.source, shard.out, o.profile, rules=o.rules, encoding=o.encoding, limit=o.limit, part=shard.part,
            fresh=shard.fresh, watch=watch,
        )  # fmt: skip
    except ShanbenError as error:
        error.where = error.where or shard.source
        return Fault.of(error)


def prepare(options: Options) -> None:
    """Load in a new worker the rules that every document needs. What is wrong with them was said before it began."""
    from shanben.pipeline import plan

    plan(options.rules, profile=options.profile)
