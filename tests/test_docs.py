"""The documentation says what the code does: generated pages are new, examples run."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT
from shanben.check_rules import check_rulebook
from shanben.pipeline import clean, plan

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_generated_pages_are_up_to_date() -> None:
    done = subprocess.run([sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\n  fix: python docs/generate.py"


def test_readme_filter_example() -> None:
    told = re.search(r"```console\n\$ printf '(.+)' \| shanben clean\n(.+)\n```", README)
    assert told
    done = subprocess.run([sys.executable, "-m", "shanben", "clean"], input=told[1].encode(), capture_output=True)
    assert done.stdout.decode() == told[2]


def test_readme_python_example() -> None:
    result = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert result.attempted >= 4 and not result.failed


def test_readme_table_is_true() -> None:
    table = README.split("## Two commands")[0]
    rows = re.findall(r"^\| `([^`|]+)` \| ([^|·]+?) \|$", table, re.MULTILINE)
    assert len(rows) >= 2
    for found, becomes in rows:
        expected = re.sub(r" \(the author.*\)$", "", becomes)
        if not expected.startswith(("metadata", "the same")):
            # A lost line end is told by the geometry of the page, which one line does not show.
            assert clean(found).text.replace("高质量 发展", "高质量发展") == expected


@pytest.mark.parametrize("page", ["README.md", "docs/rules.md"])
def test_rules_in_the_documents_load_and_do_what_they_say(page: str, tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.+?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    for number, block in enumerate(blocks):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "example.yaml").write_text(block.replace("id: han-comma ", "id: my-comma "), encoding="utf-8")
        rules = plan((folder,))
        own = [r.id for r in rules.rulebook.rules if "example.yaml" in r.place.file]
        assert own and not check_rulebook(rules, only=own)


def test_links_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_command_has_an_example() -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    sections = re.findall(r"```text\n(.+?)```", page, re.DOTALL)
    assert len(sections) >= 10 and all(re.search(r"Examples?:", s) for s in sections)
