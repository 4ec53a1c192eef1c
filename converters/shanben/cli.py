"""The command line: parse, call, print. It knows nothing of texts."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from shanben import __version__
from shanben.errors import OutputError, ShanbenError, SourceError, UsageError
from shanben.signals import Terminated, end_in_order, interruption
from shanben.terminal import JSON as _JSON
from shanben.terminal import RULES as _RULES
from shanben.terminal import flat as _flat
from shanben.terminal import one_line as _one_line
from shanben.terminal import print_json as _print_json
from shanben.terminal import printable as _printable
from shanben.terminal import shown as _shown
from shanben.terminal import tell_folders as _tell_folders
from shanben.terminal import work_line as _work_line
from shanben.terminal import write_out as _write_out

if TYPE_CHECKING:
    from shanben.ledger import Ledger

EXIT_CODES = {
    0: "all is well",
    1: "an error that has no code of its own",
    2: "the command line is wrong",
    3: "a source cannot be read, is empty, too large, or no text",
    4: "the encoding of a source cannot be told",
    5: "faults in rule, work or collection files, or a rule that does not come to an end",
    6: "pandoc (for --script and training: OpenCC) is missing or failed",
    7: "a check failed: editions, ledger and source do not agree",
    8: "the output cannot be written",
    129: "ended since the terminal was closed (SIGHUP)",
    130: "interrupted (Ctrl-C)",
    143: "told to end (SIGTERM)",
}
"""What each exit code means; `docs/cli.md` is generated from it."""

NEW_OBJECTS = 50_000
"""So many new objects are looked through for rubbish at a time. Those of a start all stay: looking at them takes 5 % of it."""
MOST_SHOWN = 5
"""So many places of one rule, and moves, `explain` prints without `--all`."""
_ENCODING = click.option("--encoding", metavar="NAME", help="The encoding of the source, if it cannot be told.")
_LIMIT = click.option(
    "--max-megabytes", "megabytes", type=click.IntRange(1, 100_000), default=256, show_default=True, metavar="N",
    help="Refuse sources larger than this.",
)  # fmt: skip


_JOBS = click.option(
    "-j", "--jobs", type=click.IntRange(0, 1024), metavar="N",
    help="Work with N processes, 0: one for each core. Without it one for a few documents, for more of them as with 0.",
)  # fmt: skip
_SCHEDULER = click.option(
    "--scheduler", metavar="ADDRESS|local",
    help="Let a Dask cluster do the work: its address, or `local` for one of N processes on this machine.",
)  # fmt: skip
_FRESH = click.option(
    "--fresh", is_flag=True, help="Do all anew, also what an earlier run finished and has not changed."
)
_PROFILE = click.option(
    "--profile", metavar="NAME|FILE",
    help="The kind of document, by name or as a .yaml file; without it the text itself decides.",
)  # fmt: skip


ELSEWHERE = {
    "bag": "archive_commands", "ledger": "archive_commands", "revert": "archive_commands", "verify": "archive_commands",
    "review": "review_commands", "rules": "rule_commands",
}  # fmt: skip
"""The module of each command that is not in this one."""


class _Commands(click.Group):
    """A group whose errors are one clear paragraph and whose exit codes are those of EXIT_CODES.

    Commands of other modules are imported when they are asked for.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names of all commands."""
        return sorted({*super().list_commands(ctx), *ELSEWHERE})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Give a command by its name."""
        if cmd_name in ELSEWHERE and cmd_name not in self.commands:
            for command in import_module(f"shanben.{ELSEWHERE[cmd_name]}").COMMANDS:
                self.add_command(command)
        return super().get_command(ctx, cmd_name)

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        kwargs["standalone_mode"] = False
        gc.set_threshold(NEW_OBJECTS, *gc.get_threshold()[1:])
        atexit.unregister(gc.freeze)
        atexit.register(gc.freeze)  # the end looks through all objects once more, for nothing
        end_in_order()
        if None in (sys.stdin, sys.stdout, sys.stderr):  # started with a closed stream: give it an empty one
            with Path(os.devnull).open("r+", encoding="utf-8") as nothing:
                streams = [s or nothing for s in (sys.stdin, sys.stdout, sys.stderr)]
                sys.stdin, sys.stdout, sys.stderr = streams
                self.main(*args, **kwargs)
        try:
            try:
                code = super().main(*args, **kwargs)
                if own := sys.modules.get("shanben.tools.own_patterns"):
                    own.keep()
            except Exception as error:
                if told := interruption(error):
                    raise told from None
                raise
            sys.stdout.flush()
        except ShanbenError as error:
            _fail(error, error.exit_code)
        except click.exceptions.Exit as error:
            sys.exit(error.exit_code)
        except click.ClickException as error:
            error.show()
            sys.exit(2)
        except (KeyboardInterrupt, click.Abort) as error:
            with suppress(OSError):  # the terminal may be gone
                click.echo("interrupted; what was finished stands, nothing is half-written", err=True)
            sys.exit(128 + error.number if isinstance(error, Terminated) else 130)
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


def _read_in(limit: int) -> bytes:
    """Read standard input, refusing more than ``limit`` bytes."""
    data = sys.stdin.buffer.read(limit + 1)
    if len(data) > limit:
        raise SourceError(f"standard input has more than {limit // 1_000_000} MB", fix="raise --max-megabytes")
    return data


def _progress(items: Iterable[Any], length: int, label: str) -> Any:
    """Give a progress bar on a terminal for work that takes a while, else something silent of the same shape."""
    hidden = length < 3 or not sys.stderr.isatty()
    return click.progressbar(items, length=length, label=label, file=sys.stderr, hidden=hidden, show_pos=True)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="shanben")
def main() -> None:
    """Turn dirty Chinese text into EPUB, HTML and TXT editions, with every change on record.

    \b
    Example:
      shanben build report.txt -o dist
    """


@main.command()
@click.argument("sources", nargs=-1, type=click.Path())
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
@click.option(
    "--script",
    type=click.Choice(["hans", "hant", "hant-tw", "hant-hk"]),
    help="Editions in simplified or traditional characters (OpenCC); the clean text stays as it is.",
)
@click.option("--no-report", is_flag=True, help="Leave out the page that shows every change, and the list of works.")
@_JOBS
@_SCHEDULER
@_FRESH
@_PROFILE
@_ENCODING
@_RULES
@_LIMIT
@_JSON
def build(
    sources: tuple[str, ...], out: Path, formats: str, book: str | None, script: str | None, no_report: bool,
    jobs: int | None, scheduler: str | None, fresh: bool,
    profile: str | None, encoding: str | None, rules: tuple[Path, ...], megabytes: int, as_json: bool,
) -> int:  # fmt: skip
    """Clean documents and build their editions.

    SOURCES are files, folders, patterns ('a/**/*.txt'), archives (.zip, .tar.gz, …) or tables of rows (.jsonl,
    .jsonl.gz, .parquet); without any, `seeds` is built. Each work gets a folder of its own with EPUB, HTML, TXT, ledger,
    metadata, manifest, and a report of all changes; index.html lists the works. A work whose source, rules and options
    are those of its last build is not built again. A failed work keeps its old editions and stops no other; the exit
    code is that of the first that failed. After an interruption the same command goes on where it was.

    \b
    Examples:
      shanben build
      shanben build report.txt notes/ -o dist --formats epub,txt
      shanben build archive.zip -j 0
      shanben build essays/ --book collection.yaml
      shanben build report.txt --script hant
    """
    wanted = [f.strip() for f in formats.split(",") if f.strip()]
    given = list(sources) or ["seeds"]
    if not sources and not Path("seeds").is_dir():
        raise UsageError("there is nothing to build", fix="name files or folders: shanben build report.txt")
    if book is None:
        from shanben.batch.tasks import Options
        from shanben.batch_commands import How, build_many

        options = Options(
            "build", out, formats=tuple(wanted), encoding=encoding, rules=tuple(map(str, rules)),
            limit=megabytes * 1_000_000, profile=profile, script=script, report=not no_report,
        )  # fmt: skip
        return build_many(given, options, How(jobs, scheduler, fresh), as_json=as_json)
    if len(given) != 1:
        raise UsageError("a book is made of one folder", fix="shanben build DIR --book collection.yaml")
    if jobs is not None or scheduler:
        raise UsageError("a book is made by one process", fix="leave out -j and --scheduler")
    return _build_book(
        Path(given[0]), Path(book) if book else None, out, as_json=as_json, rules=rules, formats=wanted,
        encoding=encoding, limit=megabytes * 1_000_000, profile=profile, script=script, report=not no_report,
    )  # fmt: skip


def _build_book(
    folder: Path, description: Path | None, out: Path, *, as_json: bool, rules: tuple[Path, ...], **options: Any
) -> int:
    from shanben.build import build_collection, told_of
    from shanben.works import find_collection

    collection = find_collection(folder, description)
    _tell_rules((w for _, works in collection.parts for w in works), rules)
    count = sum(len(works) for _, works in collection.parts)
    with _progress([], count, "cleaning") as bar:
        built = build_collection(collection, out, on_result=lambda _r: bar.update(1), rules=rules, **options)
    assert built.document is not None and built.ledgers is not None  # noqa: S101 - it raises when it fails
    told = told_of(built.slug, built.folder, built.document)
    for ledger in built.ledgers.values():
        _tell_alarms(ledger)
    if as_json:
        _print_json([told])
        return 0
    click.echo(_work_line(told))
    return 0


@main.command()
@click.argument("sources", nargs=-1, type=click.Path(allow_dash=True), metavar="[FILE|DIR|-]...")
@click.option("-o", "--out", type=click.Path(), metavar="OUT", help="File to write, or folder for many documents.")
@click.option(
    "--ledger",
    "ledger_path",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Write the ledger too: a file, or a folder for many documents.",
)
@click.option("--compact", is_flag=True, help="Ledgers with the changes of each rule as columns, not one a line.")
@_JOBS
@_SCHEDULER
@_FRESH
@_PROFILE
@_ENCODING
@_RULES
@_LIMIT
def clean(
    sources: tuple[str, ...], out: str | None, ledger_path: Path | None, compact: bool, jobs: int | None,
    scheduler: str | None, fresh: bool, profile: str | None, encoding: str | None, rules: tuple[Path, ...], megabytes: int,
) -> int:  # fmt: skip
    """Write the clean text of a document: a filter from standard input to standard output by default.

    Several files, a folder, a pattern ('a/**/*.txt') or an archive (.zip, .tar.gz, …) give one NAME.txt for each document,
    under OUT, in folders as they were. Tables of rows (.jsonl, .jsonl.gz, .parquet; columns `id`, `text` or `bytes`,
    `metadata`) give tables with clean texts and ledgers; they and OUT may be addresses (s3://bucket/folder). Sources are
    never changed. What fails stops nothing else; the exit code is that of the first that failed. After an interruption the
    same command goes on where it was.

    \b
    Examples:
      shanben clean < dirty.txt > clean.txt
      shanben clean report.txt -o clean/report.txt --ledger clean/report.jsonl
      shanben clean archive/ -o clean/ --ledger ledgers/ --compact -j 0
      shanben clean rows.jsonl.gz -o clean.jsonl.gz
      shanben clean page.txt --profile strict-archival
    """
    limit = megabytes * 1_000_000
    if out is not None and ledger_path is not None and Path(out).resolve() == ledger_path.resolve():
        raise UsageError("text and ledger cannot go to one file", where=out, fix="choose another --ledger")
    if compact and ledger_path is None:
        raise UsageError(
            "there is no ledger that --compact could be about",
            fix="add --ledger PATH; tables have compact ledgers anyway",
        )
    given = sources or ("-",)
    if not _is_plain(given) and _is_many(given):
        from shanben.batch.tasks import Options
        from shanben.batch_commands import How, clean_many

        if "-" in given:
            raise UsageError("standard input is one document, and goes alone", fix="save it as a file")
        if out is None:
            raise UsageError("many documents need a place for their clean texts", fix="add -o OUT")
        many = Options(
            "clean",
            Path(out),
            ledger_path,
            encoding=encoding,
            rules=tuple(map(str, rules)),
            limit=limit,
            profile=profile,
            compact=compact,
        )
        return clean_many(given, out, many, How(jobs, scheduler, fresh))
    options = {"encoding": encoding, "rules": rules, "profile": profile}
    return _clean_one(given[0], Path(out) if out is not None else None, ledger_path, compact, limit, options)


def _is_plain(given: Sequence[str]) -> bool:
    """Tell quickly, without loading what reads archives and tables, that only one document is given."""
    from shanben.works import ARCHIVE_SUFFIXES, ROW_SUFFIXES

    if len(given) != 1 or given[0].lower().endswith((*ARCHIVE_SUFFIXES, *ROW_SUFFIXES)):
        return False
    try:
        return given[0] == "-" or Path(given[0]).is_file()
    except OSError:  # a name that no system takes is told where the file is read
        return True


def _is_many(given: Sequence[str]) -> bool:
    from shanben.batch.documents import is_many

    return is_many(given)


def _clean_one(
    source: str, out: Path | None, ledger_path: Path | None, compact: bool, limit: int, options: dict[str, Any]
) -> int:
    from shanben.ledger import to_jsonl
    from shanben.pipeline import clean as clean_source
    from shanben.tools.storage import write_file
    from shanben.values import Source
    from shanben.work_cleaning import clean_work
    from shanben.works import find_works, refuse_source

    if source == "-":
        if sys.stdin.isatty():
            raise UsageError("no document was given", fix="shanben clean FILE, or pipe a text into it")
        found = []
        cleaned = clean_source(Source("standard input", _read_in(limit)), **options)
    else:
        found = find_works([Path(source)])
        _tell_rules(found, options["rules"])
        cleaned = clean_work(found[0], limit=limit, **options)
    _tell_alarms(cleaned.ledger)
    if out is None:
        _write_out(cleaned.text)
    else:
        refuse_source(out, found)
        write_file(out, cleaned.text.encode())
    if ledger_path:
        refuse_source(ledger_path, found)
        write_file(ledger_path, to_jsonl(cleaned.ledger, compact=compact).encode())
    return 0


def _tell_rules(works: Iterable[Any], given: Sequence[Path]) -> None:
    """Say which rules take part that were not asked for, since they lie beside a source, and which folder does not."""
    from shanben.works import left_out

    works = list(works)
    taken = dict.fromkeys(folder for work in works for folder in work.unasked(given))
    named = {path.resolve() for path in given}
    others = dict.fromkeys(folder for work in works if (folder := left_out(work.path.parent)))
    _tell_folders(taken, [folder for folder in others if folder.resolve() not in named])


def _tell_alarms(ledger: Ledger) -> None:
    """Say which rules were held back in a document since they are unsound."""
    from shanben.pipeline import alarms

    for alarm in alarms(ledger):
        click.echo(_printable(alarm), err=True)


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
@click.option(
    "--html", "html_path", type=click.Path(path_type=Path), metavar="FILE",
    help="Write one page with both texts side by side and every change marked.",
)  # fmt: skip
@_PROFILE
@_ENCODING
@_RULES
@_LIMIT
@_JSON
def explain(
    source: Path, everything: bool, only: str | None, moves_path: Path | None, html_path: Path | None,
    profile: str | None, encoding: str | None, rules: tuple[Path, ...], megabytes: int, as_json: bool,
) -> int:  # fmt: skip
    """Show what would change in a document, by which rule, and where. The document is not touched.

    \b
    Examples:
      shanben explain report.txt
      shanben explain report.txt --rule han-comma --all
      shanben explain newspaper.txt --moves moves.html
      shanben explain report.txt --html changes.html
    """
    from shanben import explain as explaining
    from shanben import moves
    from shanben.pipeline import clean as clean_source
    from shanben.pipeline import plan as make_plan
    from shanben.tools.storage import write_file
    from shanben.values import Source
    from shanben.work_cleaning import clean_work
    from shanben.works import Work, find_works, refuse_source

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
    if html_path is not None and html_path.is_dir():
        raise UsageError("this is a folder", where=str(html_path), fix="name a file in it with --html")
    if html_path is not None and moves_path is not None and html_path.resolve() == moves_path.resolve():
        raise UsageError("two pages cannot go to one file", where=str(html_path), fix="choose another --html")
    found: list[Work] = []
    if str(source) == "-":
        data = _read_in(limit)
        cleaned = clean_source(Source("standard input", data), encoding=encoding, rules=rules, profile=profile)
    else:
        found = find_works([source])
        if len(found) != 1:
            raise UsageError("explain takes one document", where=str(source), fix="name a file")
        if moves_path is not None:
            refuse_source(moves_path, found)
        if html_path is not None:
            refuse_source(html_path, found)
        _tell_rules(found, rules)
        cleaned = clean_work(found[0], encoding=encoding, rules=rules, limit=limit, profile=profile)
    units = cleaned.plan or make_plan(rules)
    if only and only not in units.faults():
        raise UsageError(f"there is no rule {only!r}", fix="`shanben plan` lists all of them")
    told = explaining.summary(cleaned, units)
    content = cleaned.ledger.revert(cleaned.text)
    places = [h for h in explaining.hits(cleaned, content) if not only or h.unit == only]
    picture = moves.read_moves(cleaned, content)
    if moves_path is not None and draw is not None:
        write_file(moves_path, draw(picture).encode())
    if html_path is not None:
        _write_report(html_path, cleaned, content, units)
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
    if html_path is not None:
        click.echo(f"\n{_one_line(str(html_path))}: open it in a browser")
    return 0


def _write_report(path: Path, cleaned: Any, content: str, units: Any) -> None:
    """Write the page that shows every change of a document."""
    from shanben.metadata import language_of
    from shanben.report import Report, page
    from shanben.tools.storage import write_file

    said = Report.of(units, cleaned.source.name, language=language_of(cleaned.text))
    write_file(path, page(content, cleaned.ledger, said).encode())


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
    if told["profile"]:
        _print_profile(told["profile"])
    click.echo(f"{told['changes']} changes by {len(told['units'])} units, {told['suggestions']} suggestions")
    for c in told["captured"]:
        click.echo(f"  {c['term']}: {_printable(c['value'])}  (line {c['line']}, {c['unit']})")
    for h in told["held"]:
        click.echo(click.style(f"  held back: {h['unit']}: {h['reason']}", fg="yellow"))
    for s in told["suppressed"]:
        shown = f"[{_shown(s['before'])} → {_shown(s['after'])}]" if s["before"] != s["after"] else _shown(s["before"])
        click.echo(f"  suppressed: {s['line']}:{s['column']}  {s['unit']}  {shown}  ({_printable(s['reason'])})")
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


def _print_profile(choice: dict[str, Any]) -> None:
    """Print which profile was chosen, what spoke for it, and for the next best."""

    def signs(found: list[dict[str, Any]]) -> None:
        for s in found:
            share = f"{s['count']:.0%}" if isinstance(s["count"], float) else f"×{s['count']}"
            click.echo(f"    {s['points']:+d}  {_printable(s['reason'])}  ({share})")

    if choice["how"] == "named":
        click.echo(f"profile {choice['name']}, as asked for")
        return
    click.echo(f"profile {choice['name']}" + (f", {choice['points']} points" if choice["points"] else ""))
    signs(choice["evidence"])
    if choice["runner_up"]:
        click.echo(f"  next: {choice['runner_up']}, {choice['runner_up_points']} points")
        signs(choice["runner_up_evidence"])
    if choice["then"]:
        click.echo(f"  then, as the clean text asked for it: {', '.join(choice['then'])}")


@main.command()
@click.option("--work", metavar="SLUG", help="With the rules of this work under rules/works/.")
@_PROFILE
@_RULES
@_JSON
def plan(work: str | None, profile: str | None, rules: tuple[Path, ...], as_json: bool) -> int:
    """Show what runs, in which order, and from which file each rule comes.

    \b
    Examples:
      shanben plan --rules my-rules
      shanben plan --profile strict-archival
    """
    from shanben.pipeline import plan as make_plan
    from shanben.pipeline import profiles

    units = make_plan(rules, work, profile)
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
    if off := [r.id for r in units.rulebook.rules if r.level == "off"]:
        click.echo(f"off: {', '.join(off)}")
    click.echo(f"protected spans: {', '.join(sorted(units.guards))}")
    click.echo(f"profile: {units.profile} (there are {', '.join(profiles(rules, work))})")
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


@main.command("train-frame")
@click.argument("pages", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, metavar="FILE.tsv", help="Where the weights go."
)
@click.option(
    "--mixtures",
    type=click.IntRange(0, 100_000),
    default=650,
    show_default=True,
    metavar="N",
    help="Pages to put together besides from the heads, texts and feet of those given.",
)
@click.option(
    "--adapt",
    "adapting",
    is_flag=False,
    flag_value="",
    default=None,
    metavar="[WEIGHTS.tsv]",
    help="Begin with these weights, or with those that come with Shanben, and change them only as far as the pages ask.",
)
@_RULES
@_JSON
def train_frame(
    pages: tuple[Path, ...], out: Path, mixtures: int, adapting: str | None, rules: tuple[Path, ...], as_json: bool
) -> int:
    """Learn from labelled pages what belongs to web pages and what to their texts.

    PAGES are UTF-8 files, or folders of them: a first line with # and what kind of page it is, then its lines, each
    with a label before it: + text, - the page's, ? either. Texts without a frame, each line with +, teach what must
    stay. The same pages give the same bytes. `weights` among the `params` of the rule `frame-of-web-page` names the
    file. docs/frame-zones.md says what the shipped weights know.

    \b
    Example:
      shanben train-frame pages/ -o my-pages.tsv
      shanben train-frame pages/ -o my-pages.tsv --adapt
    """
    from shanben.pipeline import plan
    from shanben.steps._frame_params import Params
    from shanben.steps._frame_train import train

    rule = next(r for r in plan(rules).rulebook.rules if r.id == "frame-of-web-page")
    told = train(pages, out, Params(**dict(rule.params)), mixtures, adapting)  # type: ignore[arg-type]
    if as_json:
        _print_json(told)
    else:
        said = ", ".join(f"{count:,} {what}" for what, count in told.items())
        click.echo(f"{click.style(_one_line(str(out)), bold=True)}  {said}")
    return 0
