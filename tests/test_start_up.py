"""What a start costs, told without a clock: which modules are loaded, and how many rules look at a plain text."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from shanben import pipeline
from shanben.ledger import Finding
from shanben.pipeline import clean
from shanben.rulebook.apply import Unit, findings
from shanben.values import Text

PROSE = ("春天来了，万物复苏。人们走出家门，到田野里踏青赏花，享受温暖的阳光。\n\n" * 12).strip() + "\n"
SEEN = "import sys; from shanben.cli import main\ntry: main({args!r})\nfinally: print(*sorted(sys.modules), file=sys.stderr)"


def modules(*args: str) -> set[str]:
    """Give the modules that are loaded when a command has ended."""
    done = subprocess.run(
        [sys.executable, "-c", SEEN.format(args=list(args))], capture_output=True, text=True, timeout=120, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return set(done.stderr.split("\n")[-2].split())


def test_the_version_needs_nothing_but_the_command_line() -> None:
    loaded = modules("--version")
    assert "shanben.cli" in loaded
    light = {"shanben.cli", "shanben.errors", "shanben.signals", "shanben.terminal"}
    assert not {m for m in loaded if m.startswith("shanben.")} - light
    assert not loaded & {"regex", "yaml", "numpy", "lxml", "chardet", "pypandoc", "asyncio", "starlette"}


def test_cleaning_a_small_text_loads_no_reader_of_rules_and_no_numpy(tmp_path: Path) -> None:
    source = tmp_path / "a.txt"
    source.write_text(PROSE, "utf-8")
    modules("clean", str(source), "-o", str(tmp_path / "b.txt"))  # the first run may have to check the rules
    loaded = modules("clean", str(source), "-o", str(tmp_path / "b.txt"))
    assert (tmp_path / "b.txt").read_text("utf-8").startswith("春天来了")
    assert "shanben.pipeline" in loaded
    dear = {
        "yaml", "numpy", "lxml", "chardet", "pypandoc", "ebooklib", "pyarrow", "distributed", "shanben.build",
        "shanben.rulebook.load", "shanben.rulebook.strict_yaml", "shanben.rulebook.pattern_tree",
        "shanben.profile_files", "shanben.verify", "shanben.columns.order", "shanben.steps._frame_zones",
    }  # fmt: skip
    assert not loaded & dear


def test_few_rules_look_at_plain_prose(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def watched(unit: Unit, text: Text) -> list[Finding]:
        looked.append(unit.id)
        return findings(unit, text)

    monkeypatch.setattr(pipeline, "findings", watched)
    assert clean(PROSE).text == PROSE
    assert len(looked) == len(set(looked)) <= 30, looked
