"""The command that opens the review room."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from threading import Thread

import click

from shanben.errors import UsageError
from shanben.terminal import RULES, one_line


@click.command()
@click.argument("sources", nargs=-1, type=click.Path(path_type=Path), metavar="[SRC]...")
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="The port; a free one by default.")
@click.option("--no-browser", is_flag=True, help="Print the address only.")
@click.option("--profile", metavar="NAME|FILE", help="The kind of document, by name or as a .yaml file.")
@click.option("--encoding", metavar="NAME", help="The encoding of the sources, if it cannot be told.")
@RULES
@click.option(
    "--max-megabytes", "megabytes", type=click.IntRange(1, 100_000), default=256, show_default=True, metavar="N",
    help="Refuse sources larger than this.",
)  # fmt: skip
def review(
    sources: tuple[Path, ...], port: int, no_browser: bool, profile: str | None, encoding: str | None,
    rules: tuple[Path, ...], megabytes: int,
) -> int:  # fmt: skip
    """Look at every change in the browser; refuse, accept or edit it, and see at once what comes of it.

    SRC are files or folders; without any, `seeds`. The page is on this machine only. What is decided is written,
    with its reason, into the work's own file of rules (rules/works/WORK.yaml beside the source). Sources are never
    changed. Ctrl-C closes the room; the exit code is then 0. docs/review.md tells the rest.

    \b
    Examples:
      shanben review report.txt
      shanben review --port 8000 --no-browser
    """
    from shanben.review.desk import Options, open_desk
    from shanben.review.guard import new_token
    from shanben.review.server import HOST, listen, serve

    paths = list(sources) or [Path("seeds")]
    if not sources and not paths[0].is_dir():
        raise UsageError("there is nothing to review", fix="name files or folders: shanben review report.txt")
    desks = open_desk(paths, Options(encoding, profile, rules, megabytes * 1_000_000))
    if len(desks) == 1:
        desks[0].open()  # what is wrong with its files is said here, before a page is opened
    token = new_token()
    with listen(port) as door:
        address = f"http://{HOST}:{door.getsockname()[1]}/?token={token}"
        works = "1 work" if len(desks) == 1 else f"{len(desks)} works"
        click.echo(f"{works} open for review at\n  {address}\nCtrl-C closes the room.")
        for desk in desks if len(desks) <= 20 else []:
            click.echo(
                f"  {one_line(desk.slug)}: decisions go into {one_line(str(desk.own_path(desk.work())))}", err=True
            )
        if not no_browser:
            _show(address)
        with suppress(KeyboardInterrupt):
            serve(desks, door, token)
    click.echo("the review room is closed; what was decided stands in the files", err=True)
    return 0


def _show(address: str) -> None:
    """Open the browser, where there is a screen for one; a browser in the terminal would take it away."""
    seen = sys.platform in ("darwin", "win32") or any(os.environ.get(k) for k in ("DISPLAY", "WAYLAND_DISPLAY"))
    if seen:
        import webbrowser

        Thread(target=webbrowser.open, args=(address,), daemon=True).start()


COMMANDS: tuple[click.Command, ...] = (review,)
"""What `shanben` takes from here."""
