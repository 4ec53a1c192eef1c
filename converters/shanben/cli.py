"""The command line: parse, call, print. It knows nothing of texts."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from shanben.errors import OutputError, ShanbenError, SourceError, UsageError

EXIT_CODES = {
    0: "all is well",
    1: "an error that has no code of its own",
    2: "the command line is wrong",
    3: "a source cannot be read, is empty, too large, or no text",
    4: "the encoding of a source cannot be told",
    5: "faults in rule, work or collection files, or a rule that does not come to an end",
    6: "pandoc (for training: OpenCC) is missing or failed",
    7: "a check failed: editions, ledger and source do not agree",
    8: "the output cannot be written",
    130: "interrupted (Ctrl-C)",
}
"""What each exit code means; `docs/cli.md` is generated from it."""

MOST_FAULTS = 30
"""So many faults of one folder are printed."""
MOST_SHOWN = 5
"""So many places of one rule, and moves, `explain` prints without `--all`."""
_RULES = click.option(
    "--rules", "rules", multiple=True, type=click.Path(path_type=Path), metavar="DIR",
    help="A folder of your own rules, laid over the shipped ones. May be given again.",
)  # fmt: skip
_ENCODING = click.option("--encoding", metavar="NAME", help="The encoding of the source, if it cannot be told.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
_LIMIT = click.option(
    "--max-megabytes", "megabytes", type=click.IntRange(1, 100_000), default=256, show_default=True, metavar="N",
    help="Refuse sources larger than this.",
)  # fmt: skip


class _Commands(click.Group):
    """A group whose errors are one clear paragraph and whose exit codes are those of EXIT_CODES."""

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        kwargs["standalone_mode"] = False
        if None in (sys.stdin, sys.stdout, sys.stderr):  # started with a closed stream: give it an empty one
            with Path(os.devnull).open("r+", encoding="utf-8") as nothing:
                streams = [s or nothing for s in (sys.stdin, sys.stdout, sys.stderr)]
                sys.stdin, sys.stdout, sys.stderr = streams
                self.main(*args, **kwargs)
        try:
            code = super().main(*args, **kwargs)
            sys.stdout.flush()
        except ShanbenError as error:
            _fail(error, error.exit_code)
        except click.exceptions.Exit as error:
            sys.exit(error.exit_code)
        except click.ClickException as error:
            error.show()
            sys.exit(2)
        except (KeyboardInterrupt, click.Abort):
            click.echo("interrupted; what was finished stands, nothing is half-written", err=True)
            sys.exit(130)
        except BrokenPipeError:
            # The reader of our output went away (`| head`): that is no error of ours.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        except SystemExit:
            if type(sys.stdout).__name__.endswith("PacifyFlushWrapper"):  # click puts it there in the same case
                sys.exit(0)
            raise
        except MemoryError:
            _fail(SourceError("there is not enough memory for this document", fix="split it into several files"), 3)
        except OSError as error:
            from shanben.tools.storage import write_error

            _fail(write_error(error, Path(str(error.filename or "standard output"))), OutputError.exit_code)
        sys.exit(code if isinstance(code, int) else 0)


def _show_error(error: ShanbenError) -> None:
    click.echo(click.style("error: ", fg="red", bold=True) + _printable(str(error)), err=True)


def _fail(error: ShanbenError, code: int) -> NoReturn:
    _show_error(error)
    sys.exit(code)


def _printable(text: str) -> str:
    """Show control and bidi characters of a foreign text by number, so that they cannot play with a terminal."""
    return "".join(c if c.isprintable() or c in "\n" else f"\\u{ord(c):04x}" for c in text)


def _one_line(text: str) -> str:
    """Show a foreign text, such as a name, on one line."""
    return _printable(text.replace("\n", "\\n"))


def _read_in(limit: int) -> bytes:
    """Read standard input, refusing more than ``limit`` bytes."""
    data = sys.stdin.buffer.read(limit + 1)
    if len(data) > limit:
        raise SourceError(f"standard input has more than {limit // 1_000_000} MB", fix="raise --max-megabytes")
    return data


def _write_out(text: str) -> None:
    """Write to standard output as UTF-8 with LF, whatever the locale says."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
    sys.stdout.buffer.flush()


def _print_json(value: object) -> None:
    _write_out(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def _progress(items: Iterable[Any], length: int, label: str) -> Any:
    """Give a progress bar on a terminal for work that takes a while, else something silent of the same shape."""
    hidden = length < 3 or not sys.stderr.isatty()
    return click.progressbar(items, length=length, label=label, file=sys.stderr, hidden=hidden, show_pos=True)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="shanben", prog_name="shanben")
def main() -> None:
    """Turn dirty Chinese text into EPUB, HTML and TXT editions, with every change on record.

    \b
    Example:
      shanben build report.txt -o dist
    """


@main.command()
@click.argument("sources", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    default=Path("dist"),
    show_default=True,
    metavar="DIR",
    help="Where the folder of each work goes.",
)
@click.option(
    "--formats",
    default="epub,html,txt",
    show_default=True,
    metavar="LIST",
    help="Editions to make; the TXT edition is always among them.",
)
@click.option(
    "--book",
    is_flag=False,
    flag_value="",
    default=None,
    metavar="[FILE]",
    help="Make one book of all works of a folder; FILE is its collection.yaml.",
)
@_ENCODING
@_RULES
@_LIMIT
@_JSON
def build(
    sources: tuple[Path, ...], out: Path, formats: str, book: str | None, encoding: str | None,
    rules: tuple[Path, ...], megabytes: int, as_json: bool,
) -> int:  # fmt: skip
    """Clean documents and build their editions.

    SOURCES are files or folders; without any, `seeds` is built. Each work gets a folder of its own with
    EPUB, HTML, TXT, ledger, metadata and manifest. A failed work keeps its old editions and stops no other.

    \b
    Examples:
      shanben build
      shanben build report.txt notes/ -o dist --formats epub,txt
      shanben build essays/ --book collection.yaml
    """
    from shanben.build import Result, build_collection
    from shanben.build import build as build_works
    from shanben.works import find_collection, find_works

    wanted = [f.strip() for f in formats.split(",") if f.strip()]
    paths = list(sources) or [Path("seeds")]
    if not sources and not paths[0].is_dir():
        raise UsageError("there is nothing to build", fix="name files or folders: shanben build report.txt")
    options: dict[str, Any] = {"formats": wanted, "encoding": encoding, "rules": rules, "limit": megabytes * 1_000_000}
    if book is not None:
        if len(paths) != 1:
            raise UsageError("a book is made of one folder", fix="shanben build DIR --book collection.yaml")
        collection = find_collection(paths[0], Path(book) if book else None)
        count = sum(len(works) for _, works in collection.parts)
        with _progress([], count, "cleaning") as bar:
            results = [build_collection(collection, out, on_result=lambda _r: bar.update(1), **options)]
    else:
        works = find_works(paths)
        with _progress([], len(works), "building") as bar:
            results = build_works((), out, works=works, on_result=lambda _r: bar.update(1), **options)

    def line(r: Result) -> dict[str, object]:
        if r.error:
            return {"work": r.slug, "source": str(r.source), "error": str(r.error), "code": r.error.code}
        assert r.document is not None and r.ledgers is not None  # noqa: S101 - a result has an error or both
        return {
            "work": r.slug, "folder": str(r.folder), "title": r.document.metadata.title,
            "changes": sum(a.count for p in r.document.provenance for a in p.actions),
            "suggestions": sum(p.suggestions for p in r.document.provenance),
            "characters": len(r.document.text),
        }  # fmt: skip

    if as_json:
        _print_json([line(r) for r in results])
    else:
        for r in results:
            told = line(r)
            if r.error:
                _show_error(r.error)
            else:
                title = _printable(str(told["title"]))
                title = title if len(title) <= 40 else title[:39] + "…"
                numbers = f"{told['changes']} changes, {told['suggestions']} suggestions"
                click.echo(f"{click.style(_one_line(str(told['folder'])), bold=True)}  {title}  ({numbers})")
    failed = [r.error for r in results if r.error]
    if failed and len(results) > 1:
        click.echo(f"{len(failed)} of {len(results)} works failed", err=True)
    return failed[0].exit_code if failed else 0


@main.command()
@click.argument("source", default="-", type=click.Path(path_type=Path, allow_dash=True), metavar="[FILE|DIR|-]")
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="OUT", help="File to write, or folder for a DIR.")
@click.option(
    "--ledger",
    "ledger_path",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Write the ledger too: a file, or a folder for a DIR.",
)
@_ENCODING
@_RULES
@_LIMIT
def clean(
    source: Path, out: Path | None, ledger_path: Path | None, encoding: str | None, rules: tuple[Path, ...], megabytes: int
) -> int:  # fmt: skip
    """Write the clean text of a document: a filter from standard input to standard output by default.

    A folder gives one NAME.txt for each document in it, under OUT. Sources are never changed.

    \b
    Examples:
      shanben clean < dirty.txt > clean.txt
      shanben clean report.txt -o clean/report.txt --ledger clean/report.jsonl
      shanben clean archive/ -o clean/
    """
    from shanben.build import clean_work
    from shanben.ledger import to_jsonl
    from shanben.pipeline import Cleaned
    from shanben.pipeline import clean as clean_source
    from shanben.tools.storage import write_file
    from shanben.values import Source
    from shanben.works import Work, find_works, is_folder

    if out is not None and ledger_path is not None and out.resolve() == ledger_path.resolve():
        raise UsageError("text and ledger cannot go to one file", where=str(out), fix="choose another --ledger")
    limit = megabytes * 1_000_000
    if str(source) == "-":
        if sys.stdin.isatty():
            raise UsageError("no document was given", fix="shanben clean FILE, or pipe a text into it")
        data = _read_in(limit)
        done: list[tuple[Work | None, Cleaned]] = [
            (None, clean_source(Source("standard input", data), encoding=encoding, rules=rules))
        ]
    elif not is_folder(source):
        work = find_works([source])[0]
        done = [(work, clean_work(work, encoding=encoding, rules=rules, limit=limit))]
    else:
        if out is None:
            raise UsageError("a folder needs a place for its clean texts", fix="add -o OUT")
        return _clean_folder(source, out, ledger_path, encoding, rules, limit)
    for given, cleaned in done:
        if out is None:
            _write_out(cleaned.text)
        else:
            _refuse_source(out, [given] if given else [])
            write_file(out, cleaned.text.encode())
        if ledger_path:
            _refuse_source(ledger_path, [given] if given else [])
            write_file(ledger_path, to_jsonl(cleaned.ledger).encode())
    return 0


def _refuse_source(path: Path, works: Iterable[Any]) -> None:
    if any(path.exists() and path.samefile(w.path) for w in works):
        raise UsageError("this would overwrite the source", where=str(path), fix="choose another -o")


def _clean_folder(
    folder: Path, out: Path, ledgers: Path | None, encoding: str | None, rules: tuple[Path, ...], limit: int
) -> int:
    from shanben.build import clean_work
    from shanben.ledger import to_jsonl
    from shanben.tools.storage import write_file
    from shanben.works import find_works

    works = find_works([folder])
    failed: list[ShanbenError] = []
    with _progress(works, len(works), "cleaning") as bar:
        for work in bar:
            try:
                cleaned = clean_work(work, encoding=encoding, rules=rules, limit=limit)
                target = out / f"{work.slug}.txt"
                _refuse_source(target, works)
                write_file(target, cleaned.text.encode())
                if ledgers:
                    write_file(ledgers / f"{work.slug}.jsonl", to_jsonl(cleaned.ledger).encode())
            except ShanbenError as error:
                failed.append(error)
                error.where = error.where or str(work.path)
    for fault in failed:
        _show_error(fault)
    if failed:
        click.echo(f"{len(failed)} of {len(works)} documents failed", err=True)
    return failed[0].exit_code if failed else 0


@main.command()
@click.argument("source", type=click.Path(path_type=Path, allow_dash=True), metavar="FILE")
@click.option("--all", "everything", is_flag=True, help="Show every place, not five of each rule.")
@click.option("--rule", "only", metavar="ID", help="Show only what this rule did.")
@click.option(
    "--moves",
    "moves_path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Draw what was moved, and how sure that is: FILE.svg, or FILE.html with both texts.",
)
@_ENCODING
@_RULES
@_LIMIT
@_JSON
def explain(
    source: Path, everything: bool, only: str | None, moves_path: Path | None, encoding: str | None,
    rules: tuple[Path, ...], megabytes: int, as_json: bool,
) -> int:  # fmt: skip
    """Show what would change in a document, by which rule, and where. The document is not touched.

    \b
    Examples:
      shanben explain report.txt
      shanben explain report.txt --rule han-comma --all
      shanben explain newspaper.txt --moves moves.html
    """
    from shanben import explain as explaining
    from shanben import moves
    from shanben.build import clean_work
    from shanben.pipeline import clean as clean_source
    from shanben.pipeline import plan as make_plan
    from shanben.tools.storage import write_file
    from shanben.values import Source
    from shanben.works import find_works

    limit = megabytes * 1_000_000
    draw = None
    if moves_path is not None:
        draw = moves.PICTURES.get(moves_path.suffix.lower())
        if draw is None:
            raise UsageError(
                "a picture of moves is an .svg or an .html file", where=str(moves_path), fix="--moves moves.html"
            )
        if moves_path.is_dir():
            raise UsageError("this is a folder", where=str(moves_path), fix="name a file in it with --moves")
    if str(source) == "-":
        data = _read_in(limit)
        cleaned, slug = clean_source(Source("standard input", data), encoding=encoding, rules=rules), None
    else:
        found = find_works([source])
        if len(found) != 1:
            raise UsageError("explain takes one document", where=str(source), fix="name a file")
        if moves_path is not None:
            _refuse_source(moves_path, found)
        cleaned, slug = clean_work(found[0], encoding=encoding, rules=rules, limit=limit), found[0].slug
    units = make_plan(rules, slug)
    if only and only not in units.faults():
        raise UsageError(f"there is no rule {only!r}", fix="`shanben plan` lists all of them")
    told = explaining.summary(cleaned, units)
    content = cleaned.ledger.revert(cleaned.text)
    places = [h for h in explaining.hits(cleaned, content) if not only or h.unit == only]
    picture = moves.read_moves(cleaned, content)
    if moves_path is not None and draw is not None:
        write_file(moves_path, draw(picture).encode())
    if only:
        picture = picture.by(only)
    if as_json:
        _print_json(told | {"places": [_hit(h) for h in places]} | moves.as_values(picture))
        return 0
    _print_explanation(told, [h for h in places if not picture.tells(h.unit, h.kind)], everything or bool(only))
    _print_moves(picture, everything or bool(only))
    if only and not places:
        click.echo(f"\n{only}: no hit in this document")
    if moves_path is not None:
        click.echo(f"\n{_one_line(str(moves_path))}: {picture.headline()}")
    return 0


def _print_moves(picture: Any, everything: bool) -> None:
    """Print what was moved, then what was not, each with what stands around it here and there."""
    from shanben.moves import ends, group_words, nats

    if not picture.blocks and not picture.proposals:
        return

    def some(items: Sequence[Any], most: int, what: str, indent: str = "  ") -> Iterable[Any]:
        yield from items if everything else items[:most]
        if not everything and len(items) > most:
            click.echo(f"{indent}… and {len(items) - most} more{what} (--all)")

    def aim(target: tuple[int, int] | None) -> str:
        return "the end" if target is None else f"before {target[0]}:{target[1]}"

    def around(name: str, context: Any, text: str) -> None:
        first, last = ends(text)
        block = click.style(_flat(first) + (f" … {_flat(last)}" if last else ""), fg="cyan")
        click.echo(f"    {name}  {_flat(context.before)} | {block} | {_flat(context.after)}")

    click.echo(f"\n{click.style('moved text', bold=True)}  {picture.headline()}")
    for group in some(picture.groups, MOST_SHOWN, " moves"):
        if len(group) > 1:
            click.echo(f"  {group_words(group)}")
        for b in some(group, 2, " blocks of this column", "    "):
            lines = "1 line" if b.lines == 1 else f"{b.lines} lines"
            reason = f"  ({_flat(b.reason)})" if b.reason else ""
            gain = click.style(f"{nats(b.gain)}, {b.certainty}", fg="green" if b.certainty == "strong" else "yellow")
            click.echo(f"  {b.line}:{b.column} → {aim(b.target)}  {lines}  {gain}  {b.unit}{reason}")
            around("was", b.old, b.text)
            around("now", b.new, b.text)
    for title, found in (("suggested, not moved", picture.suggestions), ("cut for good", picture.cuts)):
        if found:
            click.echo(f"\n{click.style(title, bold=True)}  ×{len(found)}")
        for p in some(found, MOST_SHOWN, ""):
            goal = f" → {aim(p.target)}" if p.target else ""
            gain = "" if p.cut and p.gain is None else f"  {nats(p.gain)}"
            click.echo(f"  {p.line}:{p.column}{goal}{gain}  {p.unit}  ({_flat(p.reason)})")
            around("   ", p.context, p.text or "…")


def _hit(h: Any) -> dict[str, object]:
    return {name: getattr(h, name) for name in h.__dataclass_fields__}


def _print_explanation(told: dict[str, Any], places: list[Any], everything: bool) -> None:
    click.echo(f"{_printable(told['source'])}: {told['encoding']}, confidence {told['confidence']:.2f}")
    for sentence in told["evidence"]:
        click.echo(f"  {_printable(sentence)}")
    click.echo(f"{told['changes']} changes by {len(told['units'])} units, {told['suggestions']} suggestions")
    for c in told["captured"]:
        click.echo(f"  {c['term']}: {_printable(c['value'])}  (line {c['line']}, {c['unit']})")
    for h in told["held"]:
        click.echo(click.style(f"  held back: {h['unit']}: {h['reason']}", fg="yellow"))
    groups: dict[str, list[Any]] = {}
    for place in places:
        groups.setdefault(f"{place.unit}?" if place.kind == "suggestion" else place.unit, []).append(place)
    described = {u["unit"]: u for u in told["units"]}
    for key, found in groups.items():
        unit = key.rstrip("?")
        info = described.get(unit, {"fault": "", "file": ""})
        title = "in doubt, left alone" if key.endswith("?") else info["fault"]
        click.echo(f"\n{click.style(unit, bold=True)}  {title}  ×{len(found)}  {info['file']}")
        for h in found if everything else found[:MOST_SHOWN]:
            before = click.style(_shown(h.before), fg="red")
            after = click.style(_shown(h.after), fg="green")
            change = f"[{before} → {after}]"
            reason = f"  ({h.reason})" if h.reason else ""
            click.echo(f"  {h.line}:{h.column}  {_flat(h.left)}{change}{_flat(h.right)}{reason}")
        if not everything and len(found) > MOST_SHOWN:
            click.echo(f"  … and {len(found) - MOST_SHOWN} more (--all)")


def _flat(text: str) -> str:
    return _printable(text.replace("\r\n", "⏎").replace("\n", "⏎").replace("\r", "␍").replace("\u3000", "□"))


def _shown(text: str) -> str:
    """Show a change so that blanks can be seen."""
    flat = _flat(text).replace(" ", "␣")
    return flat if len(flat) <= 40 else flat[:30] + "…" + flat[-9:]


@main.command()
@click.option("--work", metavar="SLUG", help="With the rules of this work under rules/works/.")
@_RULES
@_JSON
def plan(work: str | None, rules: tuple[Path, ...], as_json: bool) -> int:
    """Show what runs, in which order, and from which file each rule comes.

    \b
    Example:
      shanben plan --rules my-rules
    """
    from shanben.pipeline import plan as make_plan

    units = make_plan(rules, work)
    if as_json:
        _print_json([
            {"phase": u.rule.phase, "id": u.id, "kind": u.rule.kind, "level": u.rule.level, "fault": u.rule.fault,
             "file": u.rule.place.file, "line": u.rule.place.line, "digest": u.rule.digest}
            for u in units.units
        ])  # fmt: skip
        return 0
    phase = ""
    for u in units.units:
        if u.rule.phase != phase:
            phase = u.rule.phase
            click.echo(click.style(phase, bold=True))
        level = "" if u.rule.level == "fix" else f"  [{u.rule.level}]"
        click.echo(f"  {u.id:<34} {u.rule.kind:<8} {u.rule.place.file}:{u.rule.place.line}{level}")
    click.echo(f"protected spans: {', '.join(sorted(units.guards))}")
    return 0


@main.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@_JSON
def verify(folder: Path, as_json: bool) -> int:
    """Check built editions: whole, equal in text, and the source comes back byte for byte.

    DIR is one work's folder or the folder that holds them.

    \b
    Example:
      shanben verify dist
    """
    from shanben.fixity import built_folders, verify_folder

    folders = built_folders(folder)
    reports = []
    with _progress(folders, len(folders), "verifying") as bar:
        for one in bar:
            reports.append(verify_folder(one))
    if as_json:
        _print_json([{"folder": r.folder, "checked": r.checked, "faults": r.faults} for r in reports])
    else:
        for r in reports:
            state = click.style("ok", fg="green") if not r.faults else click.style("FAILED", fg="red", bold=True)
            click.echo(f"{_one_line(r.folder)}: {state} ({len(r.checked)} checks)")
            for fault in r.faults[:MOST_FAULTS]:
                click.echo(f"  {_one_line(fault)}")
            if len(r.faults) > MOST_FAULTS:
                click.echo(f"  … and {len(r.faults) - MOST_FAULTS} more (--json)")
    return 7 if any(r.faults for r in reports) else 0


@main.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    metavar="OUT",
    help="File for the source (folder for a collection); standard output by default.",
)
@click.option(
    "--ledger",
    "ledger_path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="With a clean text instead of DIR: its ledger.",
)
def revert(folder: Path, out: Path | None, ledger_path: Path | None) -> int:
    """Give the bytes of the source back, from the TXT edition and the ledger.

    \b
    Examples:
      shanben revert dist/report -o source.txt
      shanben revert clean/report.txt --ledger clean/report.jsonl -o source.txt
    """
    from shanben.errors import LedgerError
    from shanben.fixity import built_folders, sources_of
    from shanben.ledger import from_jsonl
    from shanben.pipeline import revert as revert_text
    from shanben.tools.storage import read_source, safe_name, write_file

    if ledger_path:
        try:
            text, ledger = read_source(folder).decode(), read_source(ledger_path).decode()
        except UnicodeDecodeError:
            raise LedgerError("the clean text or the ledger is no UTF-8", where=str(folder)) from None
        found = [(folder.name, revert_text(text, from_jsonl(ledger)))]
    else:
        folders = built_folders(folder)
        if len(folders) != 1:
            raise UsageError("revert takes the folder of one work", where=str(folder), fix=f"for example {folders[0]}")
        found = list(sources_of(folders[0]))
    if len(found) > 1:
        if out is None:
            raise UsageError(f"this collection has {len(found)} sources", fix="name a folder with -o")
        for number, (name, data) in enumerate(found, 1):
            write_file(out / f"{number:03d}-{safe_name(name)}", data)
        return 0
    data = found[0][1]
    if out is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return 0
    if out.exists() and not (out.is_file() and read_source(out) == data):
        raise UsageError(
            "there is another file already", where=str(out), fix="choose another name with -o, or move it away"
        )
    write_file(out, data)
    click.echo(f"{_one_line(str(out))}: {len(data)} bytes, the source byte for byte")
    return 0


@main.command("train-joints")
@click.argument("corpus", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, metavar="FILE.npz", help="Where the model goes."
)
@click.option(
    "--order",
    type=click.IntRange(2, 8),
    default=5,
    show_default=True,
    metavar="N",
    help="Length of the longest Chinese n-grams, in characters.",
)
@click.option(
    "--entries",
    type=click.IntRange(1_000, 50_000_000),
    default=3_600_000,
    show_default=True,
    metavar="N",
    help="Chinese n-grams to keep; a million takes about 3.5 MB.",
)
@click.option(
    "--latin-order",
    type=click.IntRange(2, 8),
    default=7,
    show_default=True,
    metavar="N",
    help="The same for Latin letters.",
)
@click.option(
    "--latin-entries",
    type=click.IntRange(1_000, 50_000_000),
    default=550_000,
    show_default=True,
    metavar="N",
    help="The same for Latin letters.",
)
@_JSON
def train_joints(
    corpus: tuple[Path, ...], out: Path, order: int, entries: int, latin_order: int, latin_entries: int, as_json: bool
) -> int:  # fmt: skip
    """Train a model of joints on your own texts, for the repair of columns.

    CORPUS are UTF-8 files, one paragraph a line, plain or packed with xz, or folders of such files. Chinese and
    Latin paragraphs are told apart and may be mixed. The same corpus gives the same bytes. The model is written
    at the end, in one step. `model` among the `params` of the rule `column-order` names it.

    \b
    Examples:
      shanben train-joints newspaper/ -o newspaper.npz
      shanben train-joints reports.txt.xz novels.txt -o mine.npz --entries 1000000
    """
    from dataclasses import replace

    from shanben.columns import train

    train.check_target(out)
    simplified, converter = train.simplified_characters()
    try:
        told = train.train(
            corpus,
            out,
            simplified=simplified,
            converter=converter,
            han=replace(train.HAN, order=order, entries=entries),
            latin=replace(train.LATIN, order=latin_order, entries=latin_entries),
            report=lambda line: click.echo(_one_line(line), err=True),
        )
    except MemoryError:
        raise SourceError("there is not enough memory for this corpus", fix="give less text") from None
    if as_json:
        _print_json(told)
        return 0
    click.echo(f"{click.style(_one_line(str(out)), bold=True)}  {out.stat().st_size / 1e6:.1f} MB")
    for words, script in (("Chinese", "han"), ("Latin", "latin")):
        kept = told[script]
        click.echo(
            f"  {words}: {sum(kept['n-grams']):,} n-grams of up to {kept['order']}, {kept['characters']:,} characters"
        )
    return 0


@main.group()
def rules() -> None:
    """Look at rules and try them.

    \b
    Example:
      shanben rules test --rules my-rules
    """


@rules.command("test")
@_RULES
@click.option("--work", metavar="SLUG", help="With the rules of this work.")
@_JSON
def rules_test(rules: tuple[Path, ...], work: str | None, as_json: bool) -> int:
    """Run every example and every `keep` of every rule, alone and through the whole pipeline.

    \b
    Example:
      shanben rules test --rules my-rules
    """
    from shanben.check_rules import check_rulebook
    from shanben.pipeline import plan as make_plan

    units = make_plan(rules, work)
    failures = check_rulebook(units)
    if as_json:
        _print_json([
            {"outcome": f.outcome, "rule": f.rule, "place": str(f.place), "text": f.text, "expected": f.expected, "got": f.got}
            for f in failures
        ])  # fmt: skip
    else:
        for f in failures:
            click.echo(_printable(str(f)))
        examples = sum(len(r.examples) + len(r.keep) for r in units.rulebook.rules)
        click.echo(f"{len(units.rulebook.rules)} rules, {examples} examples and keeps: {len(failures)} failed")
    return 5 if failures else 0


@rules.command("schema")
def rules_schema() -> int:
    """Print the JSON Schema of rule files, for editors.

    \b
    Example:
      shanben rules schema > rules.schema.json
    """
    from shanben.rulebook.json_schema import rule_file_schema

    _print_json(rule_file_schema())
    return 0
