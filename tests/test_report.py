"""The report: both texts laid side by side, every change at its place, and a page that a reader can use."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import subprocess
import sys
from base64 import b64encode
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from conftest import seed_folders
from gates import programs
from shanben.build import build, build_work
from shanben.cli import main
from shanben.explain import hits
from shanben.ledger import (
    Capture,
    Change,
    Ledger,
    Mark,
    Note,
    Pass,
    Suggestion,
    Suppressed,
    apply_changes,
    from_jsonl,
    to_jsonl,
)
from shanben.pipeline import clean, plan, run
from shanben.report import INDEX, Comparison, Report, compare, page, write_index
from shanben.report.compare import LONG_ROW
from shanben.values import Decoding, Source
from shanben.works import find_works

DECODING = Decoding("utf-8", 1.0, ("given",))


def ledger_of(*passes: tuple[str, tuple[Change, ...]], **more: Any) -> Ledger:
    made = tuple(Pass(unit, "layout", "d", 1, changes) for unit, changes in passes)
    return Ledger("0" * 64, 0, DECODING, "d", "0.1.0", passes=made, **more)


def shown(told: Comparison) -> list[list[str | tuple[str, ...]]]:
    """Give rows with what is unchanged as a text, the rest as before, after, units."""
    return [
        [p.before if p.before == p.after and not p.entries
         else (p.before, p.after, *(told.entries[e].unit for e in p.entries)) for p in row]
        for row in told.rows
    ]  # fmt: skip


# --- what stands beside what -----------------------------------------------------------------------------------


def test_a_substitution_is_one_piece_of_its_row() -> None:
    told = compare("一,二\n三\n", ledger_of(("comma", (Change(1, ",", "，"),))))
    assert shown(told) == [["一", (",", "，", "comma"), "二\n"], ["三\n"]]
    entry = told.entries[0]
    assert (entry.kind, entry.unit, entry.phase, entry.line, entry.column) == ("substitute", "comma", "layout", 1, 2)


def test_a_deleted_line_has_a_row_of_its_own() -> None:
    told = compare("一\n广告\n二\n", ledger_of(("ads", (Change(2, "广告\n", ""),))))
    assert shown(told) == [["一\n"], [("广告\n", "", "ads")], ["二\n"]]


def test_joined_lines_stand_in_one_row() -> None:
    told = compare("分久必\n合。\n\n次段。\n", ledger_of(("join", (Change(3, "\n", ""),))))
    assert shown(told) == [["分久必", ("\n", "", "join"), "合。\n\n"], ["次段。\n"]]


def test_a_split_line_stands_in_one_row() -> None:
    told = compare("标题正文\n", ledger_of(("split", (Change(2, "", "\n"),))))
    assert shown(told) == [["标题", ("", "\n", "split"), "正文\n"]]


def test_a_move_is_told_at_both_places_and_bends_no_other_row() -> None:
    source = "甲甲\n丙丙\n乙乙\n丁丁\n"
    told = compare(source, ledger_of(("order", (Change(3, "丙丙\n", "丙丙\n", to=9, gain=20.0),))))
    assert shown(told) == [
        ["甲甲\n"], [("丙丙\n", "", "order")], ["乙乙\n"], [("", "丙丙\n", "order")], ["丁丁\n"]
    ]  # fmt: skip
    assert (told.entries[0].kind, told.entries[0].gain, told.entries[0].line) == ("move", 20.0, 2)


def test_what_is_changed_within_moved_text_names_both() -> None:
    passes = (("order", (Change(2, "丙,丁\n", "丙,丁\n", to=8),)), ("comma", (Change(5, ",", "，"),)))
    told = compare("甲\n丙,丁\n乙\n", ledger_of(*passes))
    assert shown(told) == [
        ["甲\n"],
        [("丙", "", "order"), (",", "", "order", "comma"), ("丁\n", "", "order")],
        ["乙\n"],
        [("", "丙", "order"), ("", "，", "order", "comma"), ("", "丁\n", "order")],
    ]


def test_a_chain_of_changes_at_one_place_is_one_piece_with_all_of_them() -> None:
    passes = (("one", (Change(1, "a", "b"),)), ("two", (Change(1, "b", "cd"),)), ("three", (Change(2, "d", ""),)))
    told = compare("甲a乙", ledger_of(*passes))
    assert shown(told) == [["甲", ("a", "c", "one", "two", "three"), ("", "", "one", "two", "three"), "乙"]]


def test_only_what_differs_is_marked() -> None:
    told = compare("    署名\n", ledger_of(("centred", (Change(0, "    署名", "署名"),))))
    assert shown(told) == [[("    ", "", "centred"), "署名\n"]]
    assert told.entries[0].before == "    署名"
    told = compare("(甲)", ledger_of(("width", (Change(0, "(甲)", "（甲）"),))))
    assert shown(told) == [[("(", "（", "width"), "甲", (")", "）", "width")]]


def test_carriage_returns_are_line_ends_too() -> None:
    told = compare("一\r二\r", ledger_of(("lines", (Change(1, "\r", "\n"), Change(3, "\r", "\n")))))
    assert shown(told) == [["一", ("\r", "\n", "lines")], ["二", ("\r", "\n", "lines")]]


def test_facts_suggestions_and_refusals_are_told_at_their_places() -> None:
    notes = (
        Note("date", 2, 4, Capture(6, "date", "2024")),
        Note("ocr", 3, 1, Suggestion(4, "己经", "已经", "likelier", 4.0)),
    )
    refused = (Suppressed("comma", 1, 2, ",", "，", "as printed"),)
    cut = ("cut", (Change(4, "时间:2024\n", ""),))
    told = compare("甲,乙\n时间:2024\n己经\n", ledger_of(cut, notes=notes, suppressed=refused))
    assert shown(told) == [
        ["甲", (",", ",", "comma"), "乙\n"],
        [("时间:", "", "cut"), ("2024", "", "cut", "date"), ("\n", "", "cut")],
        [("己经", "己经", "ocr"), "\n"],
    ]
    assert [(e.kind, e.field, e.reason, e.gain) for e in told.entries] == [
        ("suppressed", "", "as printed", None), ("delete", "", "", None),
        ("captured", "date", "", None), ("suggestion", "", "likelier", 4.0),
    ]  # fmt: skip


def test_marks_name_the_row_in_which_their_line_begins() -> None:
    marks = (Mark(2, "heading", 2, "numbers"),)
    told = compare("x\n一\n二\n", ledger_of(("cut", (Change(0, "x\n", ""),)), marks=(Mark(2, "heading", 2, "n"),)))
    assert [(m.row, m.kind) for m in told.marks] == [(2, "heading")]
    assert compare("一\n二\n", ledger_of(marks=marks)).marks[0].row == 1


def test_a_long_paragraph_is_cut_after_a_sentence() -> None:
    sentence = "一二三四五六七八九。"
    told = compare(sentence * 1000 + "尾,", ledger_of(("comma", (Change(10001, ",", "，"),))))
    assert max(sum(len(p.before) for p in row) for row in told.rows) <= LONG_ROW
    assert all("".join(p.before for p in row).endswith("。") for row in told.rows[:-1])
    assert told.continued == frozenset(range(1, len(told.rows)))


def any_case(chance: random.Random) -> tuple[str, str, Ledger]:
    """Give a source, what becomes of it, and a ledger with all kinds of changes, moves among them, and notes."""
    source = text = "".join(chance.choice("abcdefgh\n\n \r") for _ in range(chance.randrange(60)))
    passes: list[Pass] = []
    for number in range(chance.randrange(1, 7)):
        changes: list[Change] = []
        cuts = sorted(chance.randrange(len(text) + 1) for _ in range(3 * chance.randrange(6)))
        end = -1
        for a, b, c in zip(cuts[::3], cuts[1::3], cuts[2::3], strict=True):
            if a <= end:
                continue
            kind = chance.random()
            if kind < 0.3 and a < b < c:
                changes.append(Change(a, text[a:b], text[a:b], to=c))
            elif kind < 0.4 and a < b < c:
                changes.append(Change(b, text[b:c], text[b:c], to=a))
            else:
                after = chance.choice(["", "甲", "子丑", "x\ny", "\n", text[a:b]]) if b > a else "乙"
                changes.append(Change(a, text[a:b], after))
            end = changes[-1].to or changes[-1].end
            end = max(end, changes[-1].end)
        phase = "edition" if number == 5 else "layout"
        text = apply_changes(text, changes)
        passes.append(Pass(chance.choice("ABC"), phase, "d", number + 1, tuple(changes)))
    at = [chance.randrange(len(text) + 1) for _ in range(3)]
    notes = (
        Note("N", chance.randrange(1, 5), chance.randrange(1, 9), Capture(0, "date", "ab")),
        Note("S", 1, 1, Suggestion(at[0], chance.choice(["", "ab"]), "x", "r")),
    )
    return source, text, Ledger("", 0, DECODING, "", "", tuple(passes), notes, (Mark(at[1], "heading"),))


@given(st.randoms(use_true_random=False))
def test_no_character_is_lost_and_every_change_is_told(chance: random.Random) -> None:
    source, text, ledger = any_case(chance)
    told = compare(source, ledger)
    pieces = [p for row in told.rows for p in row]
    assert "".join(p.before for p in pieces) == source
    assert "".join(p.after for p in pieces) == text
    named = list(dict.fromkeys(e for p in pieces for e in p.entries))
    assert named == sorted(named), "entries are numbered in the order in which they are told"
    silent = {"captured": source, "suggestion": text}
    for number, entry in enumerate(told.entries):
        assert number in named or silent.get(entry.kind) == "", entry
    assert sum(e.kind not in silent for e in told.entries) == ledger.change_count
    for p in pieces:
        if p.before != p.after and (p.before + p.after).strip():
            assert p.entries, "letters that stand on one side only are told of"


def test_places_are_those_that_explain_tells(seed: Path) -> None:
    work = find_works([seed])[0]
    cleaned = clean(work.read(1 << 30), work=work.slug)
    source = cleaned.ledger.revert(cleaned.text)
    changes = [
        e for e in compare(source, cleaned.ledger).entries if e.kind in ("substitute", "supply", "delete", "move")
    ]
    explained = [h for h in hits(cleaned, source) if h.kind != "suggestion"]
    told = sorted((e.unit, e.kind, e.line, e.column, e.before, e.after) for e in changes)
    assert told == sorted((h.unit, h.kind, h.line, h.column, h.before, h.after) for h in explained)


# --- the page ------------------------------------------------------------------------------------------------------

HOSTILE = (
    "</script><script>window.evil=1</script>\u2028<!--<script>\0\u202e<img src=x onerror=alert(1)>]]>\x85\ufeff&amp;"
)


def hostile_page() -> str:
    source = f"甲,{HOSTILE}\n\u200f乙\n"
    change = Change(1, ",", f"，{HOSTILE}", reason=f"why {HOSTILE}\ud800")
    notes = (Note(f"u{HOSTILE}", 1, 1, Capture(0, f"f{HOSTILE}", HOSTILE)),)
    ledger = ledger_of((f"unit{HOSTILE}", (change,)), notes=notes)
    units = {f"unit{HOSTILE}": (HOSTILE, HOSTILE, HOSTILE, HOSTILE)}
    title = f"{HOSTILE}{'长' * 10_000}\ud800"
    return page(source, ledger, Report(f"../{HOSTILE}.txt", title, "zh", units, {HOSTILE: "javascript%3Aalert(1)"}))


def data_of(text: str) -> dict[str, Any]:
    found = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert len(found) == 1
    content: dict[str, Any] = json.loads(found[0])
    return content


def test_the_policy_names_what_the_page_holds_and_nothing_else() -> None:
    text = page("甲,乙\n", ledger_of(("comma", (Change(1, ",", "，"),))), Report("a.txt"))
    policy = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)[0]
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy and "http" not in policy

    def digests(pattern: str) -> list[str]:
        bodies = re.findall(pattern, text, re.DOTALL)
        return [f"'sha256-{b64encode(hashlib.sha256(b.encode()).digest()).decode()}'" for b in bodies]

    assert digests(r"<script>(.*?)</script>") == re.findall(r"script-src ([^;]+)", policy)
    assert " ".join(digests(r"<style>(.*?)</style>")) == re.findall(r"style-src ([^;]+)", policy)[0]
    assert not re.findall(r"<[^>]* (?:style|on\w+)=", re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL))
    assert not re.findall(r"(?:src|href)=\"(?!#)", text)


def test_nothing_of_a_document_becomes_markup() -> None:
    text = hostile_page()
    text.encode()
    assert text.count("<script") == 2 and text.count("</script>") == 2
    assert "<img" not in text and "<!--" not in text.replace("<!DOCTYPE", "")
    assert not set("\0\u202e\u2028\x85\u200f") & set(re.sub(r'<script type="application/json".*?</script>', "", text, flags=re.DOTALL))  # fmt: skip
    content = data_of(text)
    assert "".join(op if isinstance(op, str) else op[1] for op in content["rows"][0]).startswith("甲,</script>")
    assert len(re.findall(r"<h1>(.*?)</h1>", text)[0]) < 1500, "a long title is cut"


def test_the_data_give_both_texts_back(seed: Path) -> None:
    work = find_works([seed])[0]
    built = build_work(work)
    (ledger,) = built.ledgers.values()
    text = built.files[f"changes/{work.slug}.html"].decode()
    rows = [[row] if isinstance(row, str) else row for row in data_of(text)["rows"]]
    ops = [[op, op] if isinstance(op, str) else [op[1], op[-1]] for row in rows for op in row]
    assert "".join(before for before, _ in ops) == ledger.revert(built.document.text)
    assert "".join(after for _, after in ops) == built.document.text
    silent = sum(isinstance(n.finding, Capture | Suggestion) for n in ledger.notes) + len(ledger.suppressed)
    assert len(data_of(text)["entries"]) == ledger.change_count + silent


def test_what_is_unchanged_is_written_once() -> None:
    source = "".join(f"第{n}段，没有改动。\n" for n in range(2000))
    empty = page("", ledger_of(), Report("a.txt"))
    text = page(source, ledger_of(), Report("a.txt"))
    assert len(text) - len(empty) < 1.5 * len(source)


def test_the_same_ledger_gives_the_same_bytes(tmp_path: Path) -> None:
    made = []
    for number, seeded in enumerate(("0", "4242")):
        file = tmp_path / f"{number}.html"
        command = [sys.executable, "-m", "shanben", "explain", str(seed_folders()[1]), "--html", str(file)]
        subprocess.run(command, env=os.environ | {"PYTHONHASHSEED": seeded}, check=True, capture_output=True)
        made.append(file.read_bytes())
    assert made[0] == made[1]
    source, ledger = sample()
    assert page(source, ledger, Report("a")) == page(source, from_jsonl(to_jsonl(ledger)), Report("a"))


def test_the_plain_list_names_every_place_of_a_short_document() -> None:
    text = page("甲,乙,丙\n", ledger_of(("comma", (Change(1, ",", "，"), Change(3, ",", "，")))), Report("a.txt"))
    plain = re.findall(r"<noscript>(.*?)</noscript>", text, re.DOTALL)[0]
    assert plain.count("<del>,</del><ins>，</ins>") == 2
    assert "1:2" in plain and "1:4" in plain


def test_the_plain_list_of_a_long_document_says_what_it_leaves_out() -> None:
    source = "甲," * 5000
    changes = tuple(Change(2 * n + 1, ",", "，") for n in range(5000))
    text = page(source, ledger_of(("comma", changes)), Report("a.txt"))
    plain = re.findall(r"<noscript>(.*?)</noscript>", text, re.DOTALL)[0]
    assert plain.count("<li>") == 2000 and "3,000" in plain
    assert len(plain) < 400_000


def test_both_languages_say_the_same_things() -> None:
    from shanben.report.page import words

    english, chinese = words()["en"], words()["zh"]
    assert english.keys() == chinese.keys()
    assert all(english.values()) and all(chinese.values())
    files = Path(sys.modules["shanben"].__file__ or "").parent / "data"
    used = set(re.findall(r"w\('([\w-]+)'\)", (files / "report.js").read_text("utf-8")))
    used |= set(re.findall(r'data-w(?:-\w+)?="([\w-]+)"', (files / "report.html").read_text("utf-8")))
    assert used <= english.keys() | {"-phase"}
    phases = {f"{u.rule.phase}-phase" for u in plan().units}
    assert phases <= english.keys()


# --- in a build ------------------------------------------------------------------------------------------------------


def test_a_build_lays_the_report_beside_the_editions_and_lists_the_works(tmp_path: Path) -> None:
    (tmp_path / "通知.txt").write_text("关于会议的通知\n\n会议强调,要落实。\n", encoding="utf-8")
    (result,) = build([tmp_path / "通知.txt"], tmp_path / "out")
    assert result.folder is not None
    assert (result.folder / "changes/通知.html").is_file()
    assert "changes/通知.html" in (result.folder / "manifest-sha256.txt").read_text("utf-8")
    assert CliRunner().invoke(main, ["verify", str(tmp_path / "out")]).exit_code == 0
    listed = (tmp_path / "out" / INDEX).read_text("utf-8")
    for link in re.findall(r'href="([^"]+)"', listed):
        assert (tmp_path / "out" / unquote(link)).is_file(), link
    assert "关于会议的通知" in listed and "1 处改动" in listed
    (result.folder / "changes/通知.html").write_bytes(b"x")
    assert CliRunner().invoke(main, ["verify", str(tmp_path / "out")]).exit_code == 7


def test_a_build_without_reports_writes_none(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("题目\n\n正文,正文。\n", encoding="utf-8")
    (result,) = build([tmp_path / "a.txt"], tmp_path / "out", report=False)
    assert result.folder is not None and not (result.folder / "changes").exists()
    assert not (tmp_path / "out" / INDEX).exists()


def test_an_index_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / INDEX).write_text("<h1>mine</h1>", encoding="utf-8")
    (tmp_path / "a.txt").write_text("题目\n\n正文,正文。\n", encoding="utf-8")
    build([tmp_path / "a.txt"], tmp_path / "out")
    assert (tmp_path / "out" / INDEX).read_text("utf-8") == "<h1>mine</h1>"
    assert write_index(tmp_path / "out") is None


def test_a_damaged_or_hostile_folder_does_no_harm_to_the_index(tmp_path: Path) -> None:
    for name, content in {
        "a": "[]", "b": "{", "c": json.dumps({"metadata": {"dcterms:title": HOSTILE}, "editions": [{"file": "../../x.html"}, 3], "sources": [None, {"changes": {"u": "many"}}]}),
    }.items():  # fmt: skip
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest-sha256.txt").write_text("", encoding="utf-8")
        (tmp_path / name / "w.json").write_text(content, encoding="utf-8")
    path = write_index(tmp_path)
    assert path is not None
    text = path.read_text("utf-8")
    assert "<script" not in text and "<img" not in text and "x.html" not in text and "\0" not in text
    assert text.count("<tr>") == 2


def test_explain_refuses_to_write_over_the_source(tmp_path: Path) -> None:
    source = tmp_path / "a.txt"
    source.write_text("正文,正文。\n", encoding="utf-8")
    done = CliRunner().invoke(main, ["explain", str(source), "--html", str(source)])
    assert done.exit_code == 2 and source.read_text("utf-8") == "正文,正文。\n"
    done = CliRunner().invoke(main, ["explain", str(source), "--html", str(tmp_path / "r.html")])
    assert done.exit_code == 0 and data_of((tmp_path / "r.html").read_text("utf-8"))["entries"]


# --- in a browser ----------------------------------------------------------------------------------------------------


def sample() -> tuple[str, Ledger]:
    """Give a document with every kind of change, twelve paragraphs that stay as they are among them."""
    source = "标题\n时间:2024\n\n甲段 有,字;苹果。\n丁行在后。\n乙段在前。\n丙段己经写完。\n"
    source += "".join(f"第{n}段没有改动。\n" for n in range(12)) + "末段又有,苹果 一个\n广告 电话:1 传真:2\n"
    at = source.index
    text, passes = source, []
    for unit, phase, made in (
        ("cut", "artifacts", lambda t: [Change(t.index("时间"), "时间:2024\n", ""), Change(t.index("广告"), "广告 电话:1 传真:2\n", "")]),
        ("order", "layout", lambda t: [Change(t.index("丁行"), "丁行在后。\n", "丁行在后。\n", to=t.index("丙段"), gain=21.5, reason="joints")]),
        ("blank", "layout", lambda t: [Change(t.index(" "), " ", "")]),
        ("comma", "punctuation", lambda t: [Change(m.start(), ",", "，") for m in re.finditer(",", t)]),
        ("stop", "punctuation", lambda t: [Change(t.index("一个\n") + 2, "", "。")]),
    ):  # fmt: skip
        changes = tuple(made(text))
        text = apply_changes(text, changes)
        passes.append(Pass(unit, phase, "d", 1, changes))
    notes = (
        Note("cut", 2, 4, Capture(6, "date", "2024")),
        Note("ocr", 7, 3, Suggestion(text.index("己经"), "己经", "已经", "likelier", 3.2)),
    )
    assert at("丁行") < at("乙段")
    return source, Ledger("0" * 64, 0, DECODING, "d", "0.1.0", tuple(passes), notes, (Mark(0, "heading", 1, "h"),))


def large() -> tuple[str, Ledger]:
    """Give 40,000 paragraphs, half of them changed."""
    lines = [f"段落{n}：会议强调{',' if n % 2 else '，'}要抓好各项工作的落实。\n" for n in range(40_000)]
    source = "".join(lines)
    changes = tuple(Change(m.start(), ",", "，") for m in re.finditer(",", source))
    return source, ledger_of(("comma", changes))


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Use the report in Chromium and give what was seen."""
    node, chromium = programs.program("node", "nodejs"), programs.program("chromium", "google-chrome", variable="CHROMIUM")  # fmt: skip
    library, axe = programs.node_module("playwright-core"), programs.node_module("axe-core/axe.min.js")
    folder = Path(os.environ.get("GATES_FOLDER") or tmp_path_factory.mktemp("reports"))
    units = {
        "cut": ("artifacts", "lines of a web page", "网页杂质", "rules/a.yaml:1:3"),
        "comma": ("punctuation", "a half-width comma", "半角逗号", "rules/p.yaml:1:3"),
    }
    files = {
        "sample": page(*sample(), Report("source.txt", "样张", "zh-Hans", units)),
        "hostile": hostile_page(),
        "large": page(*large(), Report("large.txt", "大样", "zh-Hans", units)),
    }
    for name, text in files.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    (folder / "a.txt").write_text("一个很长的题目\n\n正文,正文。\n", encoding="utf-8")
    build([folder / "a.txt"], folder / "out")
    pages = [str(folder / f"{name}.html") for name in files] + [str(folder / "out" / INDEX)]
    script = Path(programs.__file__).with_name("report_browser.cjs")
    done = subprocess.run(
        [node, str(script), str(library), chromium, str(axe), str(folder), *pages],
        capture_output=True, text=True, timeout=600, check=False, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.gate
def test_the_page_says_nothing_asks_for_nothing_and_has_no_barrier(seen: dict[str, Any]) -> None:
    assert seen["messages"] == []
    assert seen["requests"] == []
    assert seen["axeHelp"] == []
    assert len(seen["views"]) == 15
    for view in seen["views"]:
        where = f"{view['name']} {view['width']} {view['colorScheme']}"
        assert view["axe"] == [], where
        assert view["scroll"] <= view["width"], where
        bright = [sum(map(int, re.findall(r"\d+", view[key])[:3])) for key in ("paper", "ink")]
        assert (bright[0] > bright[1]) == (view["colorScheme"] == "light"), where
    spoken = {(v["locale"], v["language"]) for v in seen["views"] if v["name"] == "sample"}
    assert spoken == {("zh-CN", "zh-Hans"), ("en-US", "en"), ("en-GB", "en"), ("fr-FR", "zh-Hans")}


@pytest.mark.gate
def test_both_texts_stand_side_by_side(seen: dict[str, Any]) -> None:
    left, right = seen["sides"]
    pairs = dict(zip(left, right, strict=True))
    assert pairs["甲段 有,字;苹果。"] == "甲段有，字;苹果。"
    assert pairs["末段又有,苹果 一个"] == "末段又有，苹果 一个。"
    assert pairs["乙段在前。"] == "乙段在前。"
    assert left.index("丁行在后。") < left.index("乙段在前。")
    assert right.index("丁行在后。") > right.index("乙段在前。")


@pytest.mark.gate
def test_a_reader_goes_from_change_to_change(seen: dict[str, Any]) -> None:
    assert seen["first"]["entries"] and seen["first"]["count"].startswith("1 / ")
    assert seen["second"]["count"].startswith("2 / ")
    assert seen["back"] == seen["first"]
    assert seen["byButton"]["count"].startswith("2 / ")
    assert seen["hash"] == "#c1"
    assert "网页杂质" in seen["card"] and "rules/a.yaml:1:3" in seen["card"] and "2:1" in seen["card"]
    assert seen["closed"] is True
    assert "comma" in seen["hovered"] and "半角逗号" in seen["hovered"]


@pytest.mark.gate
def test_a_reader_chooses_what_is_shown(seen: dict[str, Any]) -> None:
    assert seen["all"] == "9"
    assert seen["withoutSubstitutes"] == ["7", 0]
    assert seen["onlyOneRule"] == "3"
    assert int(seen["withoutOnePhase"]) < 9
    everything, changed, opened = seen["rows"]
    assert changed < everything == opened
    assert seen["gap"].startswith("10 ")


@pytest.mark.gate
def test_a_reader_finds_words_lines_and_the_other_place_of_a_move(seen: dict[str, Any]) -> None:
    count, in_row, words = seen["hits"]
    assert count == "1 / 4" and in_row is True and words == "苹果"
    assert seen["nextHit"] == "2 / 4"
    assert seen["noHit"] == "未找到"
    assert seen["line"] == "21"
    assert seen["afterSearch"] != "find"
    assert seen["moved"]["side"] == "s" and "move" in seen["moved"]["kinds"]
    assert seen["movedTo"]["side"] == "c" and seen["movedTo"]["entries"] == seen["moved"]["entries"]
    assert seen["drawn"] >= 1
    assert seen["english"][0] == "en" and "Next" in seen["english"][1] and seen["english"][2] == "lines of a web page"
    assert seen["help"] is True
    assert seen["keysOff"] is True


@pytest.mark.gate
def test_the_keyboard_is_enough(seen: dict[str, Any]) -> None:
    assert seen["stops"][0]["name"] == "#text"
    assert all(stop["outline"] for stop in seen["stops"]), seen["stops"]
    names = [stop["name"] for stop in seen["stops"]]
    assert {"language", "ask"} <= set(names)
    assert all(a != b for a, b in pairwise(names) if a not in ("BUTTON", "SUMMARY"))
    assert seen["inCard"] is True
    assert seen["outOfCard"] is True


@pytest.mark.gate
def test_the_page_prints_all_rows_and_no_controls(seen: dict[str, Any]) -> None:
    assert seen["printed"] > 5000
    assert seen["afterPrint"] is True
    assert seen["printRows"] == [seen["rows"][0], False, False]


@pytest.mark.gate
def test_without_a_script_the_page_is_a_list(seen: dict[str, Any]) -> None:
    assert seen["plain"]["items"] == 9
    assert seen["plain"]["buttons"] == 0
    assert seen["plain"]["chart"] is True
    assert "comma" in seen["plain"]["text"] and "半角逗号" in seen["plain"]["text"]


@pytest.mark.gate
def test_hostile_texts_stay_texts(seen: dict[str, Any]) -> None:
    found = seen["hostile"]
    assert found["evil"] == "undefined"
    assert found["images"] == 0
    assert found["scripts"] == 1
    assert any("<img src=x onerror=alert(1)>" in cell for cell in found["sides"][0])
    assert {"U+0000", "U+202E", "U+2028", "U+200F"} <= set(found["codes"])
    assert len(found["title"]) < 1000


@pytest.mark.gate
def test_twenty_thousand_changes_are_no_burden(seen: dict[str, Any]) -> None:
    """The times are generous: the machine may be busy. The number of elements is what keeps the page quick."""
    found = seen["large"]
    assert found["count"].endswith("20,000")
    assert found["line"].startswith("30001")
    assert found["found"] is True
    assert found["nodes"] < 6000
    assert found["load"] < 15_000 and found["jump"] < 8000 and found["step"] < 8000


def test_a_report_of_any_cleaned_text_can_be_made() -> None:
    for text in ("", "\n", "甲", "\ufeff甲,\r\n乙\r\n", "a\u2028b,甲\n" * 50):
        content, decoding = text, Decoding("text", 1.0)
        cleaned = run(Source("x", text.encode()), content, decoding, plan())
        assert len(data_of(page(text, cleaned.ledger, Report("x")))["rows"]) == len(compare(text, cleaned.ledger).rows)
