"""The commands for archivists: pack a work, check it, give its source back, read and compare ledgers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shanben.errors import ShanbenError, UsageError
from shanben.terminal import JSON, RULES, flat, one_line, print_json, printable, shown, write_out

if TYPE_CHECKING:
    from shanben.archive.changes import Difference, Placed
    from shanben.archive.contents import Contents
    from shanben.archive.undo import Undone
    from shanben.fixity import Report

MOST_FAULTS = 30
"""So many faults of one folder are printed."""
MOST_SHOWN = 5
"""So many changes of one rule are printed without `--all`."""
_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("works", nargs=-1, required=True, type=_PATH, metavar="WORK...")
@click.option("-o", "--out", type=_PATH, required=True, metavar="DIR", help="Where the bag of each work goes.")
@click.option("--date", metavar="YYYY-MM-DD", help="Day of packing; SOURCE_DATE_EPOCH if that is set, else not told.")
@click.option("--encoding", metavar="NAME", help="The encoding of a source, if it cannot be told.")
@RULES
@click.option(
    "--max-megabytes", "megabytes", type=click.IntRange(1, 100_000), default=256, show_default=True, metavar="N",
    help="Refuse sources larger than this.",
)  # fmt: skip
@JSON
def bag(
    works: tuple[Path, ...], out: Path, date: str | None, encoding: str | None, rules: tuple[Path, ...], megabytes: int,
    as_json: bool,
) -> int:  # fmt: skip
    """Pack works for the archive: source, editions, ledger, rules, and records of what was done, as BagIt bags.

    WORK is a source, a folder of sources, or a folder that `shanben build` made. Each work becomes one bag
    (RFC 8493) with Dublin Core, PREMIS and TEI. The same work gives the same bytes. A bag is never replaced.
    docs/archive.md says what is in it.

    \b
    Examples:
      shanben bag report.txt -o archive
      shanben bag dist/report -o archive --date 2024-01-26
    """
    from shanben.archive.package import package, packing_date, write_package

    day = packing_date(date)
    rows: list[dict[str, object]] = []
    failed: list[ShanbenError] = []
    for where, contents in _contents(works, encoding, rules, megabytes * 1_000_000):
        try:
            ready = contents()
            files = package(ready, day)
            is_new = write_package(out / ready.slug, files)
        except ShanbenError as error:
            error.where = error.where or where
            failed.append(error)
            rows.append({"work": where, "error": str(error), "code": error.code})
            continue
        size = sum(map(len, files.values()))
        rows.append({"work": where, "bag": str(out / ready.slug), "files": len(files), "size": size, "new": is_new})
        if not as_json:
            state = "" if is_new else ", the same as before"
            name = click.style(one_line(str(out / ready.slug)), bold=True)
            click.echo(f"{name}  {len(files)} files, {size / 1e6:.1f} MB{state}")
    if as_json:
        print_json(rows)
    for fault in failed:
        click.echo(click.style("error: ", fg="red", bold=True) + printable(str(fault)), err=True)
    return failed[0].exit_code if failed else 0


def _contents(works: Sequence[Path], encoding: str | None, rules: Sequence[Path], limit: int) -> Any:
    """Give, for each work, its name and a function that prepares it for packing."""
    from shanben.archive.bag import is_bag
    from shanben.archive.contents import of_folder, of_source
    from shanben.fixity import built_folders
    from shanben.tools.storage import MANIFEST
    from shanben.works import find_works, is_folder

    def built(folder: Path) -> Contents:
        return of_folder(folder, rules=rules)

    sources: list[Path] = []
    for path in works:
        if is_folder(path) and is_bag(path):
            raise UsageError("this is a bag already", where=str(path), fix="give a source or a built folder")
        if is_folder(path) and ((path / MANIFEST).is_file() or any(path.glob(f"*/{MANIFEST}"))):
            for folder in built_folders(path):
                yield str(folder), lambda folder=folder: built(folder)
        else:
            sources.append(path)
    for work in find_works(sources) if sources else ():
        yield (
            str(work.path),
            lambda work=work: of_source(work, encoding=encoding, rules=rules, limit=limit),
        )


@click.command()
@click.argument("folder", type=_PATH, metavar="DIR")
@JSON
def verify(folder: Path, as_json: bool) -> int:
    """Check built editions and bags: whole, equal in text, and the source comes back byte for byte.

    DIR is one work's folder, a bag, or the folder that holds them. Of a damaged file the name is told.

    \b
    Examples:
      shanben verify dist
      shanben verify archive/report
    """
    from shanben.archive.check import check_any, find_folders

    folders = find_folders(folder)
    hidden = len(folders) < 3 or not sys.stderr.isatty()
    with click.progressbar(folders, label="verifying", file=sys.stderr, hidden=hidden, show_pos=True) as bar:
        reports = [check_any(one) for one in bar]
    if as_json:
        print_json([{"folder": r.folder, "checked": r.checked, "faults": r.faults} for r in reports])
    else:
        for report in reports:
            _print_report(report)
    return 7 if any(r.faults for r in reports) else 0


def _print_report(report: Report) -> None:
    state = click.style("FAILED", fg="red", bold=True) if report.faults else click.style("ok", fg="green")
    click.echo(f"{one_line(report.folder)}: {state} ({len(report.checked)} checks)")
    for fault in report.faults[:MOST_FAULTS]:
        click.echo(f"  {one_line(fault)}")
    if len(report.faults) > MOST_FAULTS:
        click.echo(f"  … and {len(report.faults) - MOST_FAULTS} more (--json)")


@click.command()
@click.argument("folder", type=_PATH, metavar="DIR")
@click.option("-o", "--out", type=_PATH, metavar="OUT",
              help="File for the source (folder for a collection); standard output by default.")  # fmt: skip
@click.option(
    "--ledger", "ledger_path", type=_PATH, metavar="FILE", help="With a clean text instead of DIR: its ledger."
)
@click.option("--rule", "rules", multiple=True, metavar="ID",
              help="Undo only what this rule did, and give the clean text without it. May be given again.")  # fmt: skip
@click.option("--new-ledger", type=_PATH, metavar="FILE", help="With --rule: write the ledger of the new text too.")
def revert(
    folder: Path, out: Path | None, ledger_path: Path | None, rules: tuple[str, ...], new_ledger: Path | None
) -> int:
    """Give the bytes of the source back, from the TXT edition and the ledger; or take single rules back.

    DIR is a built folder or a bag. With --rule the changes of that rule are undone where no later change stands
    on them; the others stay and are counted on standard error.

    \b
    Examples:
      shanben revert dist/report -o source.txt
      shanben revert clean/report.txt --ledger clean/report.jsonl -o source.txt
      shanben revert dist/report --rule han-comma -o without.txt
    """
    from shanben.archive.opening import open_text, open_work
    from shanben.archive.undo import take_back
    from shanben.ledger import to_jsonl
    from shanben.tools.storage import safe_name, write_file

    found = [open_text(folder, ledger_path)] if ledger_path else open_work(folder)
    if new_ledger and not rules:
        raise UsageError("--new-ledger goes with --rule", fix="name a rule with --rule ID")
    if len(found) > 1:
        if rules:
            raise UsageError("rules are taken back in one work, this is a collection", where=str(folder))
        if out is None:
            raise UsageError(f"this collection has {len(found)} sources", fix="name a folder with -o")
        ready = [(out / f"{number:03d}-{safe_name(one.name)}", one.source) for number, one in enumerate(found, 1)]
        for path, data in ready:
            write_file(path, data)
        return 0
    [one] = found
    if not rules:
        _put(one.source, out, "the source byte for byte")
        return 0
    undone = take_back(one.ledger, rules, one.source_text or "")
    _put(undone.text.encode(), out, _undone_words(undone))
    if new_ledger:
        _put(to_jsonl(undone.ledger).encode(), new_ledger, "the ledger of this text")
    _print_conflicts(undone)
    return 0


def _put(data: bytes, out: Path | None, words: str) -> None:
    """Write to a file that is not there yet, or to standard output."""
    from shanben.tools.storage import read_source, write_file

    if out is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    if out.exists() and not (out.is_file() and read_source(out) == data):
        raise UsageError(
            "there is another file already", where=str(out), fix="choose another name with -o, or move it away"
        )
    write_file(out, data)
    click.echo(f"{one_line(str(out))}: {len(data)} bytes, {words}")


def _undone_words(undone: Undone) -> str:
    return ", ".join(f"{count} changes of {rule} undone" for rule, count in undone.undone.items()) or "nothing undone"


def _print_conflicts(undone: Undone) -> None:
    from shanben.archive.undo import conflict_counts

    for (rule, holder), count in sorted(conflict_counts(undone.conflicts).items()):
        click.echo(f"{count} changes of {rule} stay: {holder} changed the text there afterwards", err=True)
    if undone.conflicts:
        click.echo("  fix: name the later rules too, or build again with the rule at `level: off`", err=True)


@click.group()
def ledger() -> None:
    """Read and compare ledgers: what was changed, where, by which rule.

    \b
    Example:
      shanben ledger diff dist/report old/report
    """


@ledger.command("schema")
def ledger_schema_command() -> int:
    """Print the JSON Schema of the lines of a ledger. docs/ledger.md describes the format.

    \b
    Example:
      shanben ledger schema > ledger.schema.json
    """
    from shanben.archive.ledger_schema import ledger_schema

    print_json(ledger_schema())
    return 0


@ledger.command("convert")
@click.argument("source", type=_PATH, metavar="LEDGER")
@click.option("-o", "--out", type=_PATH, required=True, metavar="FILE", help="Where the ledger goes.")
@click.option("--compact", is_flag=True, help="The changes of each rule as columns, not one a line.")
def ledger_convert(source: Path, out: Path, compact: bool) -> int:
    """Write a ledger in its other form: one change a line to read, or columns for many ledgers.

    Both forms say the same, and every command reads both. docs/ledger.md describes them.

    \b
    Examples:
      shanben ledger convert clean/report.jsonl -o report.jsonl
      shanben ledger convert dist/report/ledger.jsonl -o report.jsonl --compact
    """
    from shanben.archive.opening import open_ledgers
    from shanben.ledger import to_jsonl
    from shanben.tools.storage import write_file

    if out.resolve() == source.resolve():
        raise UsageError("a ledger is not written over itself", where=str(out), fix="choose another -o")
    if source.is_dir():
        raise UsageError("this is a folder", where=str(source), fix="name the ledger file in it")
    [opened] = open_ledgers(source)
    write_file(out, to_jsonl(opened.ledger, compact=compact).encode())
    return 0


@ledger.command("show")
@click.argument("work", type=_PATH, metavar="DIR|FILE")
@click.option("--rule", metavar="ID", help="Only the changes of this rule.")
@JSON
def ledger_show(work: Path, rule: str | None, as_json: bool) -> int:
    """List all changes in the order in which they were made, each at its line and column of the source.

    DIR is a built folder or a bag; of a ledger FILE alone only offsets can be told. With --json each change is
    one line of JSON, as in the `changes` of a bag.

    \b
    Examples:
      shanben ledger show dist/report
      shanben ledger show dist/report --json > changes.jsonl
    """
    from shanben.archive.changes import placed
    from shanben.archive.opening import open_ledgers
    from shanben.ledger import dump

    for opened in open_ledgers(work):
        for one in placed(opened.ledger, opened.source_text):
            if rule is None or one.rule == rule:
                write_out((dump(one.as_row()) if as_json else f"{one.rule:<30} {_words(one)}") + "\n")
    return 0


def _words(one: Placed) -> str:
    place = f"{one.line}:{one.column}" if one.line else f"offset {one.at}"
    if one.goes_to is not None:
        return f"{place}  moved [{shown(one.change.before)}]"
    reason = f"  ({flat(one.change.reason)})" if one.change.reason else ""
    return f"{place}  [{shown(one.change.before)} → {shown(one.change.after)}]{reason}"


@ledger.command("diff")
@click.argument("a", type=_PATH, metavar="A")
@click.argument("b", type=_PATH, metavar="B")
@click.option("--all", "everything", is_flag=True, help="Print every change, not only the first of each rule.")
@JSON
def ledger_diff(a: Path, b: Path, everything: bool, as_json: bool) -> int:
    """Compare what two ledgers did to the same source: changes only in A, only in B, in both, by rule.

    A and B are built folders, bags or ledger files.

    \b
    Examples:
      shanben ledger diff dist/report old/report
      shanben ledger diff dist/report old/report --json
    """
    from shanben.archive.changes import compare, difference_json, placed
    from shanben.archive.opening import open_ledgers

    first, second = open_ledgers(a), open_ledgers(b)
    if [x.ledger.source_sha256 for x in first] != [x.ledger.source_sha256 for x in second]:
        raise UsageError(
            "these ledgers are of different sources", where=f"{a}, {b}", fix="compare two builds of the same source"
        )
    rows = []
    for x, y in zip(first, second, strict=True):
        text = x.source_text if x.source_text is not None else y.source_text
        found = compare(placed(x.ledger, text), placed(y.ledger, text))
        rows.append(difference_json(x.name, found))
        if not as_json:
            _print_difference(x.name if len(first) > 1 else "", found, everything)
    if as_json:
        print_json(rows)
    return 0


def _print_difference(name: str, found: Difference, everything: bool) -> None:
    if name:
        click.echo(click.style(one_line(name), bold=True))
    both = sum(found.both.values()) + len(found.other_rule)
    click.echo(f"only in A: {len(found.only_a)}, only in B: {len(found.only_b)}, in both: {both}")
    for rule, (in_a, in_b, _) in found.by_rule().items():
        if not in_a and not in_b:
            continue
        click.echo(f"{click.style(one_line(rule), bold=True)}  only in A: {in_a}, only in B: {in_b}")
        for sign, colour, side in (("-", "red", found.only_a), ("+", "green", found.only_b)):
            own = [one for one in side if one.rule == rule]
            for one in own if everything else own[:MOST_SHOWN]:
                click.echo(click.style(f"  {sign} {_words(one)}", fg=colour))
            if not everything and len(own) > MOST_SHOWN:
                click.echo(f"  … and {len(own) - MOST_SHOWN} more (--all)")
    for one, other in found.other_rule[: None if everything else MOST_SHOWN]:
        click.echo(f"  = {_words(one)}  by {one_line(one.rule)} in A, by {one_line(other.rule)} in B")


COMMANDS: tuple[click.Command, ...] = (bag, verify, revert, ledger)
"""What `shanben` takes from here."""
