"""What a start costs, told without a clock: which modules are loaded, and how many rules look at a plain text."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from conftest import lazy_patterns
from shanben import pipeline
from shanben.ledger import Finding
from shanben.pipeline import clean
from shanben.rulebook.apply import Unit, findings
from shanben.values import Text

PROSE = ("春天来了，万物复苏。人们走出家门，到田野里踏青赏花，享受温暖的阳光。\n\n" * 12).strip() + "\n"
SEEN = """
import sys
from shanben.start import main
sys.argv = ["shanben", *{args!r}]
try: main()
finally: print(*sorted(sys.modules), file=sys.stderr)
"""
INTERRUPTED = """
import sys
class Interrupting:
    def find_spec(name, *_):
        if name == "click": raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupting)
from shanben.start import main
main()
"""


COMPILED = """
import json, regex
from shanben.rulebook import patterns
asked = []
compile = regex.compile
regex.compile = lambda pattern, *flags: asked.append((pattern, *flags)) or compile(pattern, *flags)
from pathlib import Path
from shanben.pipeline import clean
assert clean(Path({source!r}).read_bytes().decode()).text
known = {{pattern for codes in patterns._ready for pattern in codes}}
print(json.dumps([[a[0] for a in asked if a[0] in known and a[1:] == (patterns.PATTERN_FLAGS,)], len(known)]))
"""


def opf(epub: Path) -> str:
    """Give the package file of an EPUB."""
    with zipfile.ZipFile(epub) as archive:
        [name] = [n for n in archive.namelist() if n.endswith(".opf")]
        return archive.read(name).decode()


def modules(*args: str) -> set[str]:
    """Give the modules that are loaded when a command has ended."""
    done = subprocess.run(
        [sys.executable, "-c", SEEN.format(args=list(args))], capture_output=True, text=True, timeout=120, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return set(done.stderr.split("\n")[-2].split())


def test_every_pattern_that_waits_for_its_first_use_compiles() -> None:
    found = [pattern.pattern for pattern in lazy_patterns()]
    assert None not in found
    assert len(found) > 150


def test_the_version_needs_not_even_the_command_line() -> None:
    loaded = modules("--version")
    assert {m for m in loaded if m.startswith("shanben.")} == {"shanben.start"}
    assert not loaded & {"typing", "click"}


def test_help_on_a_command_needs_nothing_but_the_command_line() -> None:
    loaded = modules("clean", "--help")
    light = {"shanben.start", "shanben.cli", "shanben.errors", "shanben.signals", "shanben.terminal"}
    assert {m for m in loaded if m.startswith("shanben.")} == light
    assert not loaded & {"regex", "yaml", "numpy", "lxml", "chardet", "pypandoc", "asyncio", "starlette"}


def test_an_interruption_while_the_command_loads_shows_no_traceback() -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
def test_a_version_that_cannot_be_printed_is_an_error() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "shanben", "--version"], stdout=full, stderr=subprocess.PIPE, timeout=60, check=False
        )
    assert done.returncode == 8
    assert b"the disk is full" in done.stderr


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
        "shanben.steps.html_entities", "shanben.steps.wide_addresses", "shanben.steps.pair_brackets",
    }  # fmt: skip
    assert not loaded & dear
    source.write_text(PROSE + "甲&mdash;乙\n", "utf-8")
    assert "shanben.steps.html_entities" in modules("clean", str(source), "-o", str(tmp_path / "b.txt"))


def test_building_a_work_loads_neither_the_tables_of_pinyin_nor_what_fetches_pandoc_nor_a_pool(tmp_path: Path) -> None:
    source = tmp_path / "work" / "source.txt"
    source.parent.mkdir()
    source.write_text(f"重庆来信\n\n{PROSE}", "utf-8")
    (source.parent / "work.yaml").write_text("title: 重庆来信\n", "utf-8")
    command = ("build", str(source), "-o", str(tmp_path / "out"), "--fresh")
    modules(*command)  # the first run may have to check the rules
    loaded = modules(*command)
    assert "Chong Qing Lai Xin" in opf(tmp_path / "out" / "work" / "work.epub")
    assert {"shanben.build", "lxml.etree", "ebooklib"} <= loaded
    dear = {
        "pypinyin", "pypandoc", "urllib.request", "ssl", "importlib.metadata", "multiprocessing", "numpy", "pyarrow",
        "distributed", "opencc", "chardet", "shanben.moves", "shanben.rulebook.load", "shanben.rulebook.pattern_tree",
        "shanben.profile_files", "shanben.columns.order", "shanben.steps._frame_zones", "statistics",
        "click._termui_impl", "yaml", "shanben.rulebook.strict_yaml",
    }  # fmt: skip
    assert not loaded & dear


def test_patterns_that_were_checked_before_are_not_compiled_again(tmp_path: Path) -> None:
    source = tmp_path / "a.txt"
    source.write_text(PROSE, "utf-8")
    modules("clean", str(source))
    done = subprocess.run(
        [sys.executable, "-c", COMPILED.format(source=str(source))],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    again, known = json.loads(done.stdout.splitlines()[-1])
    assert known > 200
    assert again == []


def test_few_rules_look_at_plain_prose(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def watched(unit: Unit, text: Text) -> list[Finding]:
        looked.append(unit.id)
        return findings(unit, text)

    monkeypatch.setattr(pipeline, "findings", watched)
    assert clean(PROSE).text == PROSE
    assert len(looked) == len(set(looked)) <= 30, looked
