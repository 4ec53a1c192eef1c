"""`shanben build` and `shanben clean` for many documents: runs them, shows how far they are, reports what failed."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from shanben.batch.documents import Entry, Faulty, Table, is_many, iter_documents, split_tables
from shanben.batch.manifest import Manifest
from shanben.batch.names import Anything, ManyNames
from shanben.batch.rows import Part as RowPart
from shanben.batch.rows import is_rows, parts_of, suffix_of
from shanben.batch.runners import Crash, Function, in_batches, run_here, run_pool
from shanben.batch.shards import ShardStats
from shanben.batch.tasks import (
    Batch,
    Fault,
    Options,
    Outcome,
    Shard,
    name_in,
    prepare,
    work_on,
    work_on_shard,
)
from shanben.batch.urls import is_url
from shanben.errors import LedgerError, RestlessError, RuleTimeoutError, ShanbenError, UsageError
from shanben.terminal import one_line, printable, tell_folders, work_line
from shanben.tools.storage import clear_leftovers
from shanben.works import Work, is_folder, left_out, over_source

__all__ = ["build_many", "clean_many", "is_many"]

FEW = 50
"""So many documents are done by one process when nothing else is asked for."""
MOST_NAMED = 20
"""So many failed documents are named once more at the end."""
_MOST, _HEAVY = {"build": 8, "clean": 32}, 4 * 1024**2
_KINDS: tuple[type[ShanbenError], ...] = (*ShanbenError.__subclasses__(), LedgerError, RuleTimeoutError, RestlessError)
_EXIT_CODES = {kind.code: kind.exit_code for kind in _KINDS}
T = TypeVar("T")
R = TypeVar("R")


class How(NamedTuple):
    """How a run goes about its work: ``jobs`` processes (0: one for each core, None: as many as it is worth)."""

    jobs: int | None = None
    scheduler: str | None = None
    fresh: bool = False


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def _jobs(how: How, tasks: int) -> int:
    """Give the number of processes for so many documents (-1: nobody knows)."""
    if how.jobs is None:
        return 1 if 0 <= tasks < FEW and not how.scheduler else _cores()
    return how.jobs or _cores()


def _run(
    function: Function[T, R], tasks: Iterable[T], how: How, jobs: int, prepare: Callable[[], object]
) -> Iterator[tuple[T, R | Crash]]:
    if how.scheduler:
        from shanben.batch.dask_runner import run_dask

        return run_dask(function, tasks, how.scheduler, jobs, prepare)
    return run_here(function, tasks) if jobs == 1 else run_pool(function, tasks, jobs, prepare)


# --- what is said ------------------------------------------------------------------------------------------


class _Progress:
    """A bar on a terminal, with rate, remaining time and failures; silent elsewhere and for very few documents."""

    def __init__(self, total: int, label: str) -> None:
        self.shown = total >= 3 and sys.stderr.isatty()
        self._began, self._failed = time.monotonic(), 0
        self._bar: Any = None
        if self.shown:
            self._bar = click.progressbar(
                length=total, label=label, file=sys.stderr, show_pos=True, show_eta=True,
                item_show_func=lambda _item: self._said(),
            )  # fmt: skip

    def _said(self) -> str:
        rate = self._bar.pos / max(time.monotonic() - self._began, 1e-3)
        return f"{rate:.1f}/s" + (f", {self._failed} failed" if self._failed else "")

    def __enter__(self) -> _Progress:
        if self._bar:
            self._bar.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar:
            self._bar.__exit__(None, None, None)

    def step(self, failed: int = 0) -> None:
        """Count one more."""
        self._failed += failed
        if self._bar:
            self._bar.update(1)

    def say(self, line: str, *, err: bool = False) -> None:
        """Print a line; the bar goes on below it."""
        if self.shown:
            click.echo("\r\x1b[K", file=sys.stderr, nl=False)
        click.echo(line, err=err)


@dataclass(slots=True)
class _Tally:
    """Numbers of a run, the first failures, and the exit code."""

    total: int = 0
    failed: int = 0
    named: list[str] = field(default_factory=list)
    exit_code: int = 0

    def count(self, fault: Fault | None) -> None:
        """Count one document."""
        self.total += 1
        if fault:
            self.failed += 1
            self.exit_code = self.exit_code or fault.exit_code
            if len(self.named) < MOST_NAMED:
                self.named.append(fault.words.split("\n", 1)[0])

    def report(self, what: str) -> int:
        """Say how many failed, and which if that has scrolled away; give the exit code."""
        if self.failed and self.total > 1:
            click.echo(f"{self.failed} of {self.total} {what} failed", err=True)
            if self.total > MOST_NAMED:
                for line in self.named:
                    click.echo(f"  {printable(one_line(line))}", err=True)
                if self.failed > len(self.named):
                    click.echo(f"  … and {self.failed - len(self.named)} more, named above", err=True)
        return self.exit_code


def _show(progress: _Progress, fault: Fault) -> None:
    progress.say(click.style("error: ", fg="red", bold=True) + printable(fault.words), err=True)


class _Survey(NamedTuple):
    """What a first look at the sources found: the number of documents (-1: not told without reading them)."""

    documents: int
    rules: tuple[Path, ...]
    left_out: tuple[Path, ...]


def _survey(sources: Sequence[str], given: Sequence[str], outside: Path | None) -> _Survey:
    """Walk over the sources once, so that faults of work files are told before any work is begun."""
    inside = sys.stderr.isatty()
    count, rules, others = 0, dict[Path, None](), dict[Path, None]()
    beside = lru_cache(maxsize=64)(left_out)
    for entry in iter_documents(sources, limit=-1, outside=outside, inside=inside, names=(Anything(),) * 3):
        count += 1
        if isinstance(entry, Work):
            rules |= dict.fromkeys(entry.unasked(given))
            if entry.data is None and (folder := beside(entry.path.parent)):
                others[folder] = None
    named = {Path(path).resolve() for path in given}
    whole = inside or not any(_holds_more(source) for source in sources)
    return _Survey(count if whole else -1, tuple(rules), tuple(f for f in others if f.resolve() not in named))


def _holds_more(source: str) -> bool:
    """Tell whether documents of a source can only be counted by reading it."""
    return next(iter_documents([source], limit=-1, inside=False), None) is None


def _names() -> tuple[ManyNames, ManyNames, ManyNames]:
    return ManyNames(), ManyNames(), ManyNames()


# --- documents ---------------------------------------------------------------------------------------------


def _outcomes(
    sources: Sequence[str], options: Options, how: How, total: int, outside: Path | None, manifest: Manifest
) -> Iterator[Outcome]:
    """Work on all documents under the sources; give what became of each, in their order."""
    jobs = _jobs(how, total)
    most = _MOST[options.command]
    if total >= 0:
        most = max(1, min(most, total // (4 * jobs)))
    entries = iter_documents(sources, limit=options.limit, names=_names(), outside=outside)
    refused = (_refused(entry, options, sources) for entry in entries)
    known = ((entry, manifest.earlier(name_in(options, entry))) for entry in refused)
    batches = in_batches(known, most, lambda pair: len(getattr(pair[0], "data", None) or b""), _HEAVY)
    tasks = (Batch(options, batch) for batch in batches)
    for batch, outcomes in _run(work_on, tasks, how, jobs, partial(prepare, options)):
        if isinstance(outcomes, Crash):
            reason = outcomes.reason
            outcomes = [_crashed(name_in(options, entry), reason) for entry, _ in batch.entries]
        for outcome in outcomes:
            if outcome.record:
                manifest.done(outcome.record)
            yield outcome


def _crashed(name: str, reason: str) -> Outcome:
    return Outcome(name, name, fault=Fault(f"{name}: this document was set aside: {reason}", "crash", 1))


def _refused(entry: Entry, options: Options, sources: Sequence[str]) -> Entry:
    """Refuse a document whose result would lie among the sources."""
    if options.command == "clean" and isinstance(entry, Work):
        target = os.path.realpath(options.out / f"{entry.place}.txt")
        for folder in _tops(tuple(sources), options.out):
            if target.startswith(folder):
                return Faulty(str(entry.path), over_source(str(entry.path)))
    return entry


@lru_cache(maxsize=4)
def _tops(sources: tuple[str, ...], out: Path) -> tuple[str, ...]:
    """Give the folders among the sources that lie in the output folder, as their real paths begin."""
    here = os.path.realpath(out) + os.sep
    found = (os.path.realpath(s) + os.sep for s in sources if not is_url(s) and is_folder(Path(s)))
    return tuple(f for f in found if f.startswith(here))


def _tidy(*folders: Path | None) -> None:
    """Clear away what killed runs and killed workers left in these folders and below."""
    for top in (f for f in folders if f and f.is_dir()):
        for folder, _, _ in os.walk(top):
            clear_leftovers(Path(folder))


def build_many(sources: Sequence[str], options: Options, how: How, *, as_json: bool = False) -> int:
    """Build all documents under the sources; give the exit code: that of the first that failed, in their order."""
    from shanben.build import bring_index, check_formats
    from shanben.pipeline import plan
    from shanben.tools.script import check_script

    options = options._replace(formats=check_formats(options.formats))
    if options.script:
        check_script(options.script)
    plan(
        options.rules, profile=options.profile
    )  # faults of the rules concern all works: said once, before any is begun
    survey = _survey(sources, options.rules, None)
    tell_folders(survey.rules, survey.left_out)
    tally, built = _Tally(), False
    manifest = Manifest(options.out, "build", fresh=how.fresh)
    ended = False
    lines = _JsonLines() if as_json else None
    if options.out.is_dir():
        clear_leftovers(options.out)
    try:
        with _Progress(survey.documents, "building") as progress:
            for outcome in _outcomes(sources, options, how, survey.documents, None, manifest):
                tally.count(outcome.fault)
                progress.step(bool(outcome.fault))
                built = built or outcome.record is not None
                for alarm in outcome.alarms:
                    progress.say(printable(alarm), err=True)
                if lines:
                    lines.add(_told(outcome))
                elif outcome.fault:
                    _show(progress, outcome.fault)
                else:
                    progress.say(work_line(_told(outcome), unchanged=outcome.unchanged))
        if lines:
            lines.end()
        bring_index(options.out, options.report and built)
        ended = True
    finally:
        if options.out.is_dir():
            clear_leftovers(options.out)
        manifest.close(ended=ended)
    return tally.report("works")


def _told(outcome: Outcome) -> dict[str, Any]:
    if outcome.fault:
        return {
            "work": outcome.name,
            "source": outcome.source,
            "error": outcome.fault.words,
            "code": outcome.fault.code,
        }
    assert outcome.record is not None  # noqa: S101 - an outcome has a fault or a record
    return {**outcome.record.told} | ({"unchanged": True} if outcome.unchanged else {})


class _JsonLines:
    """A JSON list that is printed value by value, as `print_json` would print it whole."""

    def __init__(self) -> None:
        self._count = 0

    def add(self, value: dict[str, Any]) -> None:
        """Print one value."""
        text = json.dumps(value, ensure_ascii=False, indent=2)
        indented = "\n".join(f"  {line}" for line in text.split("\n"))
        self._print(("[\n" if not self._count else ",\n") + indented)
        self._count += 1

    def end(self) -> None:
        """Print the end of the list."""
        self._print("\n]\n" if self._count else "[]\n")

    def _print(self, text: str) -> None:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))


def clean_many(sources: Sequence[str], out: str, options: Options, how: How) -> int:
    """Clean all documents under the sources into ``out``: texts of files and archives, tables of rows as tables."""
    from shanben.pipeline import plan

    plan(options.rules, profile=options.profile)
    documents, tables = split_tables(sources)
    tally = _Tally()
    if is_url(out) and documents:
        raise UsageError("only tables of rows are written to an address", where=out, fix="choose a folder with -o")
    if is_rows(out) and (documents or len(tables) > 1):
        raise UsageError("one table is made of one table only", where=out, fix="choose a folder with -o")
    if tables:
        _clean_tables(tables, out, options, how, tally)
    if documents:
        _clean_documents(documents, options, how, tally)
    return tally.report("documents")


def _clean_documents(sources: Sequence[str], options: Options, how: How, tally: _Tally) -> None:
    out = options.out
    for source in sources:
        if is_folder(Path(source)) and os.path.realpath(source) == os.path.realpath(out):
            raise over_source(str(out))
    survey = _survey(sources, options.rules, out)
    tell_folders(survey.rules, survey.left_out)
    _tidy(out, options.ledgers)
    manifest = Manifest(out, "clean", fresh=how.fresh)
    ended = False
    try:
        with _Progress(survey.documents, "cleaning") as progress:
            for outcome in _outcomes(sources, options, how, survey.documents, out, manifest):
                tally.count(outcome.fault)
                progress.step(bool(outcome.fault))
                for alarm in outcome.alarms:
                    progress.say(printable(alarm), err=True)
                if outcome.fault:
                    _show(progress, outcome.fault)
        if hasattr(os, "sync"):
            os.sync()
        ended = True
    finally:
        _tidy(out, options.ledgers)
        manifest.close(ended=ended)


# --- tables ------------------------------------------------------------------------------------------------


def _clean_tables(tables: Sequence[Table], out: str, options: Options, how: How, tally: _Tally) -> None:
    shards: list[Shard] = []
    faults: list[Fault] = []
    for table in tables:
        try:
            shards += _shards(table, out, options, how)
        except ShanbenError as error:
            error.where = error.where or table.name
            faults.append(Fault.of(error))
    local = None if is_url(out) else Path(out).parent if is_rows(out) else Path(out)
    if local:
        _tidy(local)
    rows, again = 0, 0
    try:
        with _Progress(len(shards), "cleaning") as progress:
            for fault in faults:
                tally.count(fault)
                _show(progress, fault)
            for shard, stats in _run(
                work_on_shard, shards, how, _jobs(how, -1 if len(shards) > 1 else 1), partial(prepare, options)
            ):
                if isinstance(stats, Crash):
                    stats = Fault(f"{shard.source}: no worker could end this shard: {stats.reason}", "crash", 1)
                if isinstance(stats, Fault):
                    tally.count(stats)
                    _show(progress, stats)
                    progress.step(1)
                    continue
                rows, again = rows + stats.rows, again + stats.done_before
                _count_rows(progress, shard, stats, tally)
                progress.step(stats.failed)
    finally:
        if local:
            _tidy(local)
    known = f", {again} of {len(shards)} shards were there already" if again else ""
    click.echo(f"{rows} rows, {len(shards)} shards in {one_line(out)}{known}")


def _shards(table: Table, out: str, options: Options, how: How) -> Iterator[Shard]:
    """Give the shards of a table. Where ``out`` is a table itself there is one, else they are numbered."""
    if is_rows(out):
        yield Shard(options, table.name, out, RowPart(), how.fresh)
        return
    for number, part in enumerate(parts_of(table.name)):
        name = f"{out.rstrip('/')}/{table.place}-{number:05d}{suffix_of(table.name)}"
        yield Shard(options, table.name, name, part, how.fresh)


def _count_rows(progress: _Progress, shard: Shard, stats: ShardStats, tally: _Tally) -> None:
    tally.total += stats.rows - stats.failed
    for name, words in stats.faults:
        code = words.partition(":")[0]
        fault = Fault(f"{shard.source}: {name}: {words}", code, _EXIT_CODES.get(code, 1))
        tally.count(fault)
        _show(progress, fault)
    unnamed = stats.failed - len(stats.faults)
    if unnamed > 0:
        tally.total += unnamed
        tally.failed += unnamed
        _show(progress, Fault(f"{shard.source}: {unnamed} more rows failed; see the column `error`", "source", 3))
