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
from shanben.works import find_collection, find_works

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


@pytest.mark.parametrize("page", ["README.md", "README.zh.md", "docs/writing-rules.md"])
def test_rules_in_the_documents_load_and_do_what_they_say(page: str, tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n((?:let|rules):.+?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    for number, block in enumerate(blocks):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "example.yaml").write_text(block, encoding="utf-8")
        rules = plan((folder,))
        own = [r.id for r in rules.rulebook.rules if "example.yaml" in r.place.file]
        assert own and not check_rulebook(rules, only=own)


def test_the_files_of_works_and_collections_in_the_readme_are_read(tmp_path: Path) -> None:
    work, collection = re.findall(r"```yaml\n(title:.+?)```", README, re.DOTALL)
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "source.txt").write_text("正文。", encoding="utf-8")
    (tmp_path / "one" / "work.yaml").write_text(work, encoding="utf-8")
    said = find_works([tmp_path / "one"])[0].said
    assert (said["title"], said["creator"], said["date"]) == (("荷塘旧事",), ("李小明",), ("1927-07",))
    book = tmp_path / "book"
    book.mkdir()
    for name in ("a1", "a2", "b1"):
        (book / f"{name}.txt").write_text("题目\n\n正文。", encoding="utf-8")
    (book / "collection.yaml").write_text(collection, encoding="utf-8")
    found = find_collection(book)
    assert found.slug == "wenji"
    assert [(t, [w.slug for w in works]) for t, works in found.parts] == [("上编", ["a1", "a2"]), ("下编", ["b1"])]


def test_links_lead_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "README.zh.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        prose = re.sub(r"(`+)[^`\n].*?\1", "", page.read_text(encoding="utf-8"))  # what stands in code is no link
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", prose):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_command_has_an_example() -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    sections = re.findall(r"```text\n(.+?)```", page, re.DOTALL)
    assert len(sections) >= 10 and all(re.search(r"Examples?:", s) for s in sections)
