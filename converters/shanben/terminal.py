"""What commands share: options that mean the same everywhere, and how foreign text is shown to people."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import click

RULES = click.option(
    "--rules", "rules", multiple=True, type=click.Path(path_type=Path), metavar="DIR",
    help="A folder of your own rules, laid over the shipped ones. May be given again.",
)  # fmt: skip
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")


def printable(text: str) -> str:
    """Show control and bidi characters of a foreign text by number, so that they cannot play with a terminal."""
    return "".join(c if c.isprintable() or c in "\n" else f"\\u{ord(c):04x}" for c in text)


def one_line(text: str) -> str:
    """Show a foreign text, such as a name, on one line."""
    return printable(text.replace("\n", "\\n"))


def flat(text: str) -> str:
    """Show a stretch of a document on one line."""
    return printable(text.replace("\r\n", "⏎").replace("\n", "⏎").replace("\r", "␍").replace("\u3000", "□"))


def shown(text: str) -> str:
    """Show a change so that blanks can be seen."""
    line = flat(text).replace(" ", "␣")
    return line if len(line) <= 40 else line[:30] + "…" + line[-9:]


def tell_folders(taken: Iterable[Path], left_out: Iterable[Path]) -> None:
    """Say which folders of rules take part that were not asked for, and which do not though they look like it."""
    for folder in taken:
        click.echo(f"with the rules in {one_line(str(folder))}", err=True)
    for folder in left_out:
        said = "is left out: no file in it is a rule file (NAME.yaml with a line `rules:`)"
        click.echo(f"{one_line(str(folder))} {said}", err=True)


def work_line(told: Mapping[str, object], *, unchanged: bool = False) -> str:
    """Give the line that says what became of a work that was built: its folder, title and numbers."""
    title = printable(str(told.get("title", "")))
    title = title if len(title) <= 40 else title[:39] + "…"
    numbers = f"{told.get('changes')} changes, {told.get('suggestions')} suggestions"
    if unchanged:
        numbers = "not built again, nothing has changed"
    return f"{click.style(one_line(str(told.get('folder', ''))), bold=True)}  {title}  ({numbers})"


def write_out(text: str) -> None:
    """Write to standard output as UTF-8 with LF, whatever the locale says."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
    sys.stdout.buffer.flush()


def print_json(value: object) -> None:
    """Write values to standard output as JSON."""
    write_out(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
