"""The tutorials are true: every command in them is run, in order, and prints what the page shows."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import ROOT

PAGES = ["first-rule.md", "first-rule.zh.md"]
_BLOCK = re.compile(
    r"(?:(?:Save this as |存为 )`(?P<file>[^`]+)`[:：]\n\n)?```(?P<kind>\w+)\n(?P<body>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


def blocks(page: str) -> Iterator[tuple[str, str]]:
    """Give the files to save (name, content) and the commands (empty name, command and output), in order."""
    for found in _BLOCK.finditer((ROOT / "docs" / page).read_text(encoding="utf-8")):
        assert found["kind"] == "console" or found["file"], f"{page}: a block that the test does not understand"
        yield found["file"] or "", found["body"]


def run(command: str, folder: Path) -> str:
    """Run one command of a page as the reader does, and give all that the terminal shows."""
    program, *args = shlex.split(command)
    assert program == "shanben"
    done = subprocess.run(
        [sys.executable, "-m", "shanben", *args],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=120, check=False,
    )  # fmt: skip
    return done.stdout.decode()


@pytest.mark.parametrize("page", PAGES)
def test_every_command_prints_what_the_page_shows(page: str, tmp_path: Path) -> None:
    commands = 0
    for name, body in blocks(page):
        if name:
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(body, encoding="utf-8")
            continue
        command, _, shown = body.partition("\n")
        assert command.startswith("$ ")
        assert run(command[2:], tmp_path) == shown, command
        commands += 1
    assert commands >= 4


def test_the_tutorial_shows_a_mistake_and_ends_with_the_rule_in_effect() -> None:
    bodies = [body for name, body in blocks("first-rule.md") if not name]
    assert any("error: " in body and "  fix: " in body for body in bodies)
    assert any(": noisy: " in body for body in bodies)
    assert "更多好书请加" in bodies[0] and "更多好书请加" not in bodies[-1]
    assert bodies[0].partition("\n")[0] == bodies[-1].partition("\n")[0]


if __name__ == "__main__":  # writes what the commands print into the pages, to be read before it is kept
    import tempfile

    for one in PAGES:
        path = ROOT / "docs" / one
        with tempfile.TemporaryDirectory() as home:

            def rewritten(found: re.Match[str], here: Path = Path(home)) -> str:
                if found["file"]:
                    (here / found["file"]).parent.mkdir(exist_ok=True)
                    (here / found["file"]).write_text(found["body"], encoding="utf-8")
                    return found[0]
                command = found["body"].partition("\n")[0]
                return f"```console\n{command}\n{run(command[2:], here)}```"

            path.write_text(_BLOCK.sub(rewritten, path.read_text(encoding="utf-8")), encoding="utf-8")
