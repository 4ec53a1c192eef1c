"""The command line as a user meets it: real processes, real bytes, real exit codes."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from conftest import SEEDS
from shanben.cli import EXIT_CODES, main
from shanben.pipeline import clean, plan, revert

DIRTY = '通知\n\n各位代表:\n\n会议强调,要抓好落实;守住"底线".\n'
TIDY = "通知\n\n各位代表：\n\n会议强调，要抓好落实；守住“底线”。\n"
COMMANDS = [
    "build",
    "clean",
    "explain",
    "plan",
    "verify",
    "revert",
    "review",
    "rules",
    "rules test",
    "rules lint",
    "rules new",
    "rules profile",
    "rules try",
    "rules diff",
    "rules show",
    "rules list",
    "rules schema",
    "bag",
    "ledger",
    "ledger show",
    "ledger convert",
    "ledger diff",
    "ledger schema",
    "train-joints",
    "train-frame",
]
ESCAPE = b"\x1b["


def run(
    *args: str | Path, stdin: bytes = b"", cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """Run shanben as a process of its own, without a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "shanben", *map(str, args)],
        input=stdin,
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        timeout=120,
        check=False,
    )


def call(*args: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run shanben in this process: quicker, and enough where neither streams nor signals matter."""
    done = CliRunner().invoke(main, [*map(str, args)], input=stdin)
    return subprocess.CompletedProcess(args, done.exit_code, done.stdout_bytes, done.stderr_bytes)


def good(done: subprocess.CompletedProcess[bytes]) -> bytes:
    """Give standard output of a run that went well and had nothing to complain about."""
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    assert done.stderr == b""
    return done.stdout


@pytest.fixture
def dirty(tmp_path: Path) -> Path:
    path = tmp_path / "通知.txt"
    path.write_text(DIRTY)
    return path


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder of works: two parts in sub-folders, one document beside them."""
    folder = tmp_path_factory.mktemp("library")
    for name, text in {
        "甲部/一.txt": "论读书\n\n内容甲,好.\n",
        "甲部/二/source.txt": "论写作\n\n内容乙。\n",
        "乙部/三.md": "论翻译\n\n内容丙。\n",
        "散篇.txt": "论闲谈\n\n内容丁。\n",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "甲部/二/work.yaml").write_text("title: 论写作\ncreator: [张三]\n")
    return folder


@pytest.fixture(scope="module")
def dist(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    good(call("build", library, "-o", out))
    return out


@pytest.fixture(scope="module")
def book(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("books")
    good(call("build", library, "--book", "-o", out))
    [folder] = (p for p in out.iterdir() if p.is_dir())
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


# --- build -------------------------------------------------------------------------------------------------


def test_build_by_default_takes_seeds_and_fills_dist(tmp_path: Path) -> None:
    (tmp_path / "seeds/通知").mkdir(parents=True)
    (tmp_path / "seeds/通知/source.txt").write_text(DIRTY)
    said = good(run("build", cwd=tmp_path)).decode()
    assert said.startswith("dist/通知  通知  (")
    assert "changes" in said and "suggestions" in said
    names = {p.name for p in (tmp_path / "dist/通知").iterdir()}
    assert names == {
        "通知.epub",
        "通知.html",
        "通知.txt",
        "通知.json",
        "ledger.jsonl",
        "manifest-sha256.txt",
        "changes",
    }
    assert (tmp_path / "dist/通知/通知.txt").read_text() == TIDY
    assert sorted(p.name for p in tmp_path.iterdir()) == ["dist", "seeds"]


def test_build_without_anything_to_build_says_what_to_do(tmp_path: Path) -> None:
    done = run("build", cwd=tmp_path)
    assert done.returncode == 2
    assert b"shanben build report.txt" in done.stderr


def test_build_one_file_without_work_yaml(dirty: Path, tmp_path: Path) -> None:
    good(call("build", dirty, "-o", tmp_path / "out"))
    assert (tmp_path / "out/通知/通知.txt").read_text() == TIDY
    assert dirty.read_text() == DIRTY


@pytest.mark.parametrize(
    ("formats", "suffixes"),
    [("epub", {".epub", ".txt"}), ("html,txt", {".html", ".txt"}), (" epub , html ", {".epub", ".html", ".txt"}), ("", {".txt"})],
)  # fmt: skip
def test_build_makes_the_formats_asked_for_and_always_txt(
    dirty: Path, tmp_path: Path, formats: str, suffixes: set[str]
) -> None:
    good(call("build", dirty, "-o", tmp_path / "out", "--formats", formats))
    found = {p.suffix for p in (tmp_path / "out/通知").iterdir() if p.stem == "通知"}
    assert found - {".json"} == suffixes
    good(call("verify", tmp_path / "out"))


def test_build_prints_json_for_machines(dirty: Path, tmp_path: Path) -> None:
    bad = tmp_path / "坏.txt"
    bad.write_bytes(b"")
    done = run("build", dirty, bad, "-o", tmp_path / "out", "--json")
    assert done.returncode == 3
    fine, failed = json.loads(done.stdout)
    assert fine == {
        "work": "通知", "folder": str(tmp_path / "out/通知"), "title": "通知", "changes": fine["changes"], "suggestions": 0,
        "characters": len(TIDY),
    }  # fmt: skip
    assert failed["work"] == "坏" and failed["code"] == "source" and "empty" in failed["error"]


def test_build_goes_on_after_a_failed_work_and_counts(dirty: Path, tmp_path: Path) -> None:
    (tmp_path / "坏.txt").write_bytes(b"%PDF-1.7 \x00\x01")
    done = call("build", tmp_path / "坏.txt", dirty, "-o", tmp_path / "out")
    assert done.returncode == 3
    assert (tmp_path / "out/通知").is_dir() and not (tmp_path / "out/坏").exists()
    assert b"a PDF" in done.stderr and b"1 of 2 works failed" in done.stderr


def test_build_of_a_folder_gives_each_work_a_folder_and_repeats_itself(
    library: Path, dist: Path, tmp_path: Path
) -> None:
    assert {p.name for p in dist.iterdir()} == {"一", "二", "三", "散篇", "index.html"}
    good(call("build", library, "-o", tmp_path / "again"))
    assert tree(tmp_path / "again") == tree(dist)


def test_build_takes_the_same_file_once_and_parts_equal_names(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.txt").write_text(f"标题{name}\n\n正文。\n")
    good(run("build", "a", "a/x.txt", "b", "-o", "out", cwd=tmp_path))
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"x", "b-x", "index.html"}


def test_build_twice_into_the_folder_of_the_sources_takes_no_edition_for_a_source(tmp_path: Path) -> None:
    (tmp_path / "文章.txt").write_text(DIRTY)
    good(call("build", tmp_path, "-o", tmp_path))
    good(call("build", tmp_path, "-o", tmp_path))
    assert {p.name for p in tmp_path.iterdir()} == {"文章", "文章.txt", "index.html"}


@pytest.mark.parametrize("case", ["own folder", "foreign folder", "foreign file among the editions"])
def test_build_never_takes_away_what_it_did_not_make(tmp_path: Path, case: str) -> None:
    if case == "own folder":
        (tmp_path / "论文").mkdir()
        (tmp_path / "论文/source.txt").write_text(DIRTY)
        source = tmp_path / "论文"
    else:
        source = tmp_path / "论文.txt"
        source.write_text(DIRTY)
    if case == "foreign folder":
        (tmp_path / "论文").mkdir()
        (tmp_path / "论文/草稿.doc").write_bytes(b"precious")
    if case == "foreign file among the editions":
        good(call("build", source, "-o", tmp_path))
        (tmp_path / "论文/笔记.doc").write_bytes(b"precious")
        source.write_text(DIRTY + "\n新的一段。\n")
    before = tree(tmp_path)
    done = call("build", source, "-o", tmp_path)
    assert done.returncode == 8, "refused"
    assert b"Traceback" not in done.stderr
    assert tree(tmp_path) == before


# --- build --book ------------------------------------------------------------------------------------------


def test_book_without_collection_yaml_makes_parts_of_sub_folders(book: Path) -> None:
    text = (book / f"{book.name}.txt").read_text()
    blocks = text.removesuffix("\n").split("\n\n")
    assert "甲部" in blocks and "乙部" in blocks
    assert blocks.index("甲部") < blocks.index("论读书") < blocks.index("论写作")
    assert {p.name for p in (book / "ledgers").iterdir()} == {"一.jsonl", "二.jsonl", "三.jsonl", "散篇.jsonl"}
    good(call("verify", book))


@pytest.mark.parametrize("where", ["in the folder", "named", "elsewhere"])
def test_book_with_collection_yaml_takes_its_title_order_and_parts(library: Path, tmp_path: Path, where: str) -> None:
    folder = tmp_path / "lib"
    shutil.copytree(library, folder)
    description = (tmp_path if where == "elsewhere" else folder) / ("collection.yaml" if where != "named" else "b.yaml")
    description.write_text(
        "title: 文集\nslug: wenji\ncreator: [李四]\nparts:\n- title: 上编\n  works: [三, 一]\n- title: 下编\n  works: [二]\n"
    )
    chosen = ["--book"] if where == "in the folder" else ["--book", description]
    good(call("build", folder, "-o", tmp_path / "out", *chosen))
    text = (tmp_path / "out/wenji/wenji.txt").read_text()
    wanted = ["文集", "上编", "论翻译", "内容丙。", "论读书", "内容甲，好。", "下编", "论写作", "内容乙。"]
    assert text.removesuffix("\n").split("\n\n") == wanted
    html = (tmp_path / "out/wenji/wenji.html").read_text()
    assert "<h1" in html and "李四" in html
    assert re.search(r"<h2[^>]*>上编", html) and re.search(r"<h3[^>]*>论翻译", html)
    sidecar = json.loads((tmp_path / "out/wenji/wenji.json").read_text())
    assert [w["work"] for w in sidecar["works"]] == ["三", "一", "二"]
    good(call("verify", tmp_path / "out"))


def test_book_needs_one_folder(library: Path, tmp_path: Path) -> None:
    done = call("build", library, library, "--book", "-o", tmp_path)
    assert done.returncode == 2
    assert b"one folder" in done.stderr


# --- clean -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "big5hkscs", "utf-16", "utf-16-le", "utf-16-be"]
)
def test_clean_is_a_filter_from_any_encoding_to_utf_8(encoding: str) -> None:
    traditional = encoding == "big5hkscs"
    text = (
        "各位代表:\n會議強調,要抓好落實,守住底線,推動經濟發展.\n"
        if traditional
        else "各位代表:\n会议强调,要抓好落实,守住底线,推动经济发展.\n"
    )
    data = text.replace("\n", "\r\n").encode(encoding)
    out = good(call("clean", stdin=data))
    assert out == text.replace(",", "，").replace(":", "：").replace(".", "。").encode()
    assert good(run("clean", "-", stdin=data)) == out


@pytest.mark.parametrize(
    "environment", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "gb18030"}]
)
def test_documents_go_out_in_utf_8_whatever_the_locale_says(dirty: Path, environment: dict[str, str]) -> None:
    assert good(run("clean", dirty, **environment)) == TIDY.encode()
    assert good(run("clean", stdin=DIRTY.encode(), **environment)) == TIDY.encode()
    assert json.loads(good(run("explain", dirty, "--json", **environment)).decode())["source"] == "通知.txt"
    assert good(run("rules", "schema", **environment)).decode()


@pytest.mark.parametrize("environment", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}])
def test_reports_go_out_in_utf_8_where_the_locale_knows_no_better(
    dirty: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    assert "通知" in good(run("explain", dirty, **environment)).decode()
    assert "通知" in good(run("build", dirty, "-o", tmp_path / "o", **environment)).decode()
    assert "通知" in good(run("verify", tmp_path / "o", **environment)).decode()
    assert "没有.txt" in run("build", tmp_path / "没有.txt", **environment).stderr.decode()


def test_clean_writes_a_file_and_its_ledger_and_revert_goes_back(dirty: Path, tmp_path: Path) -> None:
    out, ledger = tmp_path / "new/folder/clean.txt", tmp_path / "ledgers/clean.jsonl"
    assert good(run("clean", dirty, "-o", out, "--ledger", ledger)) == b""
    assert out.read_bytes() == TIDY.encode()
    assert good(run("revert", out, "--ledger", ledger)) == DIRTY.encode()
    good(run("revert", out, "--ledger", ledger, "-o", tmp_path / "back.txt"))
    assert (tmp_path / "back.txt").read_bytes() == DIRTY.encode()


def test_clean_of_a_folder_gives_one_text_for_each_document(library: Path, tmp_path: Path) -> None:
    good(call("clean", library, "-o", tmp_path / "out", "--ledger", tmp_path / "ledgers"))
    names = {"甲部/一", "甲部/二", "乙部/三", "散篇"}
    assert tree(tmp_path / "out").keys() == {f"{name}.txt" for name in names}
    assert tree(tmp_path / "ledgers").keys() == {f"{name}.jsonl" for name in names}
    assert (tmp_path / "out/甲部/一.txt").read_text() == "论读书\n\n内容甲，好。\n"


def test_clean_of_a_folder_needs_a_place(library: Path) -> None:
    done = call("clean", library)
    assert done.returncode == 2
    assert b"-o OUT" in done.stderr


@pytest.mark.parametrize(
    "case", ["itself", "symlink to it", "source behind a symlink", "hard link", "its folder", "ledger", "relative"]
)
def test_clean_never_writes_over_the_source(tmp_path: Path, case: str) -> None:
    source = tmp_path / "a.txt"
    source.write_text(DIRTY)
    link = tmp_path / "link.txt"
    args: list[str | Path] = [source, "-o", source]
    if case == "symlink to it":
        link.symlink_to(source)
        args = [source, "-o", link]
    elif case == "source behind a symlink":
        link.symlink_to(source)
        args = [link, "-o", source]
    elif case == "hard link":
        link.hardlink_to(source)
        args = [source, "-o", link]
    elif case == "its folder":
        args = [tmp_path, "-o", tmp_path]
    elif case == "ledger":
        args = [source, "-o", tmp_path / "b.txt", "--ledger", source]
    elif case == "relative":
        args = [source, "-o", tmp_path / "x" / ".." / "a.txt"]
        (tmp_path / "x").mkdir()
    done = call("clean", *args)
    assert done.returncode == 2
    assert b"overwrite the source" in done.stderr
    assert source.read_text() == DIRTY
    assert not link.exists() or link.read_text() == DIRTY


@pytest.mark.parametrize("names", [("x", "x"), ("x", "./x"), ("x", "y/../x")])
def test_clean_does_not_write_text_and_ledger_to_one_file(dirty: Path, tmp_path: Path, names: tuple[str, str]) -> None:
    (tmp_path / "y").mkdir()
    done = run("clean", dirty, "-o", names[0], "--ledger", names[1], cwd=tmp_path)
    assert done.returncode == 2
    assert not (tmp_path / "x").exists()


def test_clean_takes_every_legal_name(dirty: Path, tmp_path: Path) -> None:
    name = "长" * 83 + ".txt"
    good(call("clean", dirty, "-o", tmp_path / name))
    assert (tmp_path / name).read_text() == TIDY


def test_encoding_overrules_the_guess() -> None:
    assert good(call("clean", "--encoding", "cp1251", stdin="Привет, мир".encode("cp1251"))).decode() == "Привет, мир"


# --- explain, plan, rules ----------------------------------------------------------------------------------


def test_explain_shows_place_before_and_after_and_writes_nothing(dirty: Path, tmp_path: Path) -> None:
    before = tree(tmp_path)
    said = good(call("explain", dirty)).decode()
    assert "通知.txt: utf-8" in said
    assert re.search(r"^han-comma .*×1 .*width\.yaml", said, re.MULTILINE)
    assert re.search(r"^  5:5  .*会议强调\[, → ，\]要抓好", said, re.MULTILINE)
    assert tree(tmp_path) == before
    assert good(call("explain", "-", stdin=DIRTY.encode())).decode().count("→") == said.count("→")


def test_explain_limits_places_unless_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("好,人" * 20 + '"好.\n')
    short, long = (good(call("explain", path, *more)).decode() for more in ([], ["--all"]))
    assert "… and 15 more (--all)" in short and short.count("[, → ，]") == 5
    assert long.count("[, → ，]") == 20
    only = good(call("explain", path, "--rule", "han-comma")).decode()
    assert only.count("[, → ，]") == 20 and "straight-quotes" not in only.split("\n\n", 1)[1]


def test_explain_json_says_the_same_and_counts(dirty: Path) -> None:
    told = json.loads(good(call("explain", dirty, "--json")))
    assert told["encoding"] == "utf-8" and told["confidence"] == 1.0
    assert told["changes"] == len([p for p in told["places"] if p["kind"] != "suggestion"])
    comma = next(p for p in told["places"] if p["unit"] == "han-comma")
    assert (comma["line"], comma["column"], comma["before"], comma["after"]) == (5, 5, ",", "，")
    only = json.loads(good(call("explain", dirty, "--json", "--rule", "han-comma")))
    assert {p["unit"] for p in only["places"]} == {"han-comma"}


def test_explain_of_an_unknown_rule_names_the_command_that_lists_them(dirty: Path) -> None:
    done = call("explain", dirty, "--rule", "no-such-rule")
    assert done.returncode == 2
    assert b"shanben plan" in done.stderr


def test_explain_shows_control_and_bidi_characters_by_number(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("会\u202e议\x1b[31m红,色\x07。\n")
    out = good(call("explain", path, "--all"))
    assert ESCAPE not in out and b"\x07" not in out and "\u202e" not in out.decode()
    assert "\\u202e" in out.decode() and "\\u001b" in out.decode()


def test_plan_lists_every_unit_in_order() -> None:
    said = good(call("plan")).decode()
    ids = [u.id for u in plan().units]
    assert re.findall(r"^  ([a-z0-9-]+) +\w+ +\S+:\d+", said, re.MULTILINE) == ids
    told = json.loads(good(call("plan", "--json")))
    assert [u["id"] for u in told] == ids
    assert {"phase", "id", "kind", "level", "fault", "file", "line", "digest"} == set(told[0])
    assert len(json.loads(good(call("plan", "--json", "--work", "004-renda-baogao")))) > len(told)


MY_RULE = """\
rules:
- id: my-own-rule
  fault: a word that I do not like
  match: '丑话'
  replace: '好话'
  examples: [[丑话, 好话]]
  keep: [好话]
"""


@pytest.fixture
def my_rules(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    (folder / "artifacts").mkdir(parents=True)
    (folder / "artifacts/words.yaml").write_text(MY_RULE)
    return folder


def test_own_rules_take_part_in_every_command(my_rules: Path, tmp_path: Path) -> None:
    source = tmp_path / "a.txt"
    source.write_text("标题\n\n丑话说在前面。\n")
    assert good(call("clean", source, "--rules", my_rules)).decode() == "标题\n\n好话说在前面。\n"
    assert "my-own-rule" in good(call("plan", "--rules", my_rules)).decode()
    assert "丑话 → 好话" in good(call("explain", source, "--rules", my_rules)).decode()
    good(call("build", source, "--rules", my_rules, "-o", tmp_path / "out"))
    assert "好话" in (tmp_path / "out/a/a.txt").read_text()
    assert good(call("revert", tmp_path / "out/a")) == source.read_bytes()
    assert b": 0 failed" in good(call("rules", "test", "--rules", my_rules))


def test_rules_test_passes_on_the_shipped_rules_and_tells_failures(my_rules: Path) -> None:
    assert re.fullmatch(rb"\d+ rules, \d+ examples and keeps: 0 failed\n", good(call("rules", "test")))
    assert json.loads(good(call("rules", "test", "--json"))) == []
    path = my_rules / "artifacts/words.yaml"
    path.write_text(MY_RULE.replace("keep: [好话]", "keep: [说丑话]"))
    done = call("rules", "test", "--rules", my_rules)
    assert done.returncode == 5
    assert b"words.yaml:7:" in done.stdout + done.stderr and "说丑话".encode() in done.stdout + done.stderr


def test_rules_schema_is_a_json_schema() -> None:
    schema = json.loads(good(call("rules", "schema")))
    assert "json-schema.org" in schema["$schema"]


# --- verify and revert -------------------------------------------------------------------------------------


def test_verify_tells_each_folder(dist: Path, book: Path) -> None:
    said = good(run("verify", dist)).decode()
    assert said.count(": ok (") == 4
    told = json.loads(good(run("verify", dist, "--json")))
    assert [r["faults"] for r in told] == [[]] * 4 and all(r["checked"] for r in told)
    assert good(run("verify", book)).decode().count(": ok (") == 1


def test_verify_fails_with_7_and_names_the_file(dist: Path, tmp_path: Path) -> None:
    shutil.copytree(dist, tmp_path / "d")
    path = tmp_path / "d/三/三.html"
    path.write_bytes(path.read_bytes().replace("内容丙".encode(), "内容并".encode()))
    done = call("verify", tmp_path / "d")
    assert done.returncode == 7
    assert done.stdout.decode().count(": ok (") == 3
    assert "三.html" in done.stdout.decode()


def test_revert_gives_the_source_byte_for_byte(tmp_path: Path) -> None:
    text = "通知\r\n\r\n会议强调,要抓好落实,守住底线,推动经济发展.\r\n"
    source = tmp_path / "通知.txt"
    source.write_bytes(text.encode("gb18030"))
    good(run("build", source, "-o", tmp_path / "out"))
    assert good(run("revert", tmp_path / "out/通知")) == source.read_bytes()
    assert good(run("revert", tmp_path / "out")) == source.read_bytes()
    good(run("revert", tmp_path / "out/通知", "-o", tmp_path / "back/x.txt"))
    assert (tmp_path / "back/x.txt").read_bytes() == source.read_bytes()


def test_revert_of_a_book_gives_all_its_sources(book: Path, library: Path, tmp_path: Path) -> None:
    good(call("revert", book, "-o", tmp_path / "out"))
    wanted = {p.read_bytes() for p in library.rglob("*") if p.suffix in (".txt", ".md")}
    assert {p.read_bytes() for p in (tmp_path / "out").iterdir()} == wanted
    done = call("revert", book)
    assert done.returncode == 2 and b"-o" in done.stderr


def test_revert_of_many_works_asks_which(dist: Path) -> None:
    done = call("revert", dist)
    assert done.returncode == 2
    assert b"one work" in done.stderr


def test_seeds_come_back_from_the_filter(tmp_path: Path) -> None:
    source = next(SEEDS.glob("002-*/source.txt"))
    good(call("clean", source, "-o", tmp_path / "c.txt", "--ledger", tmp_path / "c.jsonl"))
    assert good(call("revert", tmp_path / "c.txt", "--ledger", tmp_path / "c.jsonl")) == source.read_bytes()


# --- help, colours, pipes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["", *COMMANDS])
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_holds_an_example(command: str, flag: str) -> None:
    done = CliRunner().invoke(main, [*command.split(), flag])
    assert done.exit_code == 0
    assert re.search(r"Examples?:\n +shanben ", done.output)
    for example in re.findall(r"^ {4}shanben (\S+)", done.output, re.MULTILINE):
        assert example in [c.split()[0] for c in COMMANDS]


def test_every_command_is_known_here() -> None:
    found = [
        f"{name} {sub}" if sub else name
        for name in main.list_commands(click.Context(main))
        for sub in ["", *getattr(main.get_command(click.Context(main), name), "commands", {})]
    ]
    assert sorted(found) == sorted(COMMANDS)


def test_version_and_unknown_commands() -> None:
    version = good(run("--version"))
    assert re.fullmatch(rb"shanben, version \S+\n", version)
    assert good(run("--version", "clean")) == version  # as the command line itself says it
    for args in (["no-such-command"], ["build", "--no-such-option"], ["explain", "a", "b"]):
        done = run(*args)
        assert done.returncode == 2
        assert b"Traceback" not in done.stderr
        assert b"-h" in done.stderr


def test_exit_codes_are_those_of_the_errors() -> None:
    from shanben import errors

    used = {e.exit_code for e in vars(errors).values() if isinstance(e, type) and issubclass(e, errors.ShanbenError)}
    assert used | {0, 129, 130, 143} == set(EXIT_CODES)


def on_a_terminal(*args: str | Path, **environment: str) -> bytes:
    """Run shanben with a terminal for all its streams and give what it shows."""
    master, slave = pty.openpty()
    kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    with subprocess.Popen(
        [sys.executable, "-m", "shanben", *map(str, args)],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**kept, "TERM": "xterm", **environment},
    ) as process:
        os.close(slave)
        seen, end = b"", time.monotonic() + 60
        while time.monotonic() < end:
            if select.select([master], [], [], 0.2)[0]:
                try:
                    piece = os.read(master, 65536)
                except OSError:
                    break
                if not piece:
                    break
                seen += piece
            elif process.poll() is not None:
                break
        process.kill()
    os.close(master)
    return seen


def test_colours_only_on_a_terminal(dirty: Path, tmp_path: Path) -> None:
    good(run("build", dirty, "-o", tmp_path / "out"))
    commands: list[list[str | Path]] = [
        ["explain", dirty],
        ["plan"],
        ["verify", tmp_path / "out"],
        ["build", tmp_path / "no.txt"],
        ["build", dirty, "-o", tmp_path / "out"],
    ]
    for args in commands:
        piped = run(*args)
        assert ESCAPE not in piped.stdout + piped.stderr, args
        assert ESCAPE in on_a_terminal(*args), args


def test_a_terminal_as_standard_input_is_no_document() -> None:
    seen = on_a_terminal("clean")
    assert b"no document was given" in seen


@pytest.mark.parametrize(
    "args", [["clean", "{}"], ["explain", "{}", "--all"], ["plan"], ["rules", "schema"], ["explain", "{}", "--json"]]
)
def test_a_closed_pipe_is_no_error(tmp_path: Path, args: list[str]) -> None:
    path = tmp_path / "a.txt"
    path.write_text("标题\n\n" + "会议强调,要抓好落实。\n" * 4000)
    command = [sys.executable, "-m", "shanben", *(a.format(path) for a in args)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout and process.stderr
        process.stdout.read(10)
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(60) in (0, 141)
    assert said == b""


@pytest.mark.parametrize(
    ("args", "closed"),
    [("clean", "<&-"), ("clean {}", ">&-"), ("explain {}", ">&-"), ("clean nothing.txt", "2>&-"), ("build {} -o {}.out", "<&- >&- 2>&-")],
)  # fmt: skip
def test_closed_streams_give_no_traceback(dirty: Path, args: str, closed: str) -> None:
    command = f'exec "$0" -m shanben {args.format(dirty, dirty)} {closed}'
    done = subprocess.run(["bash", "-c", command, sys.executable], capture_output=True, timeout=60, check=False)
    assert b"Traceback" not in done.stderr + done.stdout
    assert b"Exception ignored" not in done.stderr


def test_a_full_disk_behind_standard_output_is_told(dirty: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    for args in (["clean", dirty], ["plan"], ["explain", dirty, "--json"]):
        with Path("/dev/full").open("wb") as full:
            done = subprocess.run(
                [sys.executable, "-m", "shanben", *map(str, args)],
                stdout=full,
                stderr=subprocess.PIPE,
                timeout=60,
                check=False,
            )
        assert done.returncode == 8, args
        assert b"the disk is full" in done.stderr and b"Traceback" not in done.stderr
        assert b"Exception ignored" not in done.stderr


def test_names_that_are_no_utf_8_are_taken(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff\xfe.txt"
    try:
        Path(os.fsdecode(path)).write_text(DIRTY)
    except OSError:
        pytest.skip("this system cannot hold such a name")
    name = os.fsdecode(path)
    assert good(run("clean", name)) == TIDY.encode()
    good(run("build", name, "-o", tmp_path / "out"))
    good(run("verify", tmp_path / "out"))
    assert json.loads(good(run("build", name, "-o", tmp_path / "out", "--json")))
    assert ".txt: utf-8" in good(run("explain", name)).decode()
    done = run("build", os.fsdecode(os.fsencode(tmp_path) + b"/\xffno.txt"))
    assert done.returncode == 3 and b"\\udcff" in done.stderr


def test_the_library_says_the_same_as_the_command(dirty: Path) -> None:
    cleaned = clean(dirty.read_bytes())
    assert cleaned.text == TIDY
    assert revert(cleaned.text, cleaned.ledger) == DIRTY.encode()


def test_revert_never_writes_over_another_file(tmp_path: Path) -> None:
    source = tmp_path / "a.txt"
    source.write_text("题目\n\n会议强调,要抓好落实.\n", encoding="utf-8")
    other = tmp_path / "b.txt"
    other.write_text("别的书", encoding="utf-8")
    assert run("build", source, "-o", tmp_path / "dist").returncode == 0
    done = run("revert", tmp_path / "dist" / "a", "-o", other)
    assert done.returncode == 2 and b"another file" in done.stderr
    assert other.read_text(encoding="utf-8") == "别的书"
    done = run("revert", tmp_path / "dist" / "a", "-o", source)
    assert done.returncode == 0 and b"byte for byte" in done.stdout, "the same bytes may stand there already"


def test_a_book_does_not_take_its_date_or_author_from_one_work(tmp_path: Path) -> None:
    folder = tmp_path / "essays"
    folder.mkdir()
    for number, author in ((2, "张三"), (10, "李四")):
        head = f"第{number}个题目\n发布时间：2008-05-12　来源：某网\n作者：{author}\n"
        (folder / f"{number}.txt").write_text(head + "\n正文的内容很长。\n", encoding="utf-8")
    assert run("build", folder, "--book", "-o", tmp_path / "dist").returncode == 0
    told = json.loads((tmp_path / "dist" / "essays-collection" / "essays-collection.json").read_text(encoding="utf-8"))
    assert "dcterms:date" not in told["metadata"] and "dcterms:creator" not in told["metadata"]
    assert [w["work"] for w in told["works"]] == ["2", "10"], "numbers in names count as numbers"


def test_html_code_is_refused_with_advice(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<!DOCTYPE html>\n<html><body><p>正文。</p></body></html>", encoding="utf-8")
    done = run("build", page, "-o", tmp_path / "dist")
    assert done.returncode == 3 and b"HTML code" in done.stderr and not (tmp_path / "dist").exists()
