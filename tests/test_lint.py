"""Lint of rule files: for every code a smallest rule that has the fault, at its place, and a near miss without."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft7Validator, Draft202012Validator

from conftest import ROOT, write_files
from shanben.cli import main
from shanben.errors import RuleError, UsageError
from shanben.fault_formats import FORMATS, as_sarif
from shanben.rulebook.backtracking import slow_parts
from shanben.rulebook.json_schema import rule_file_schema
from shanben.rulebook.lint import Report, lint
from shanben.rulebook.lint_codes import CODES
from shanben.rulebook.load import load_rules
from shanben.rulebook.pattern_tree import NO_END, Look, Repeat, literal_runs, parse, parts, show, taken

NUMBER = """\
rules:
- id: number-span
  fault: a number
  match: '\\d{1,3}(?:,\\d{3}){1,4}'
  protect: number
  examples: [['共2,300件', '2,300']]
"""


def linted(root: Path, files: Mapping[str, str]) -> Report:
    return lint(write_files(root / "rules", files))


def places(report: Report, code: str = "") -> list[str]:
    return [f"{f.fault.place} {f.fault.code}" for f in report.faults if f.fault.code.startswith(code)]


def rule(
    match: str = ",",
    becomes: str = "replace: '，'",
    example: str = "['甲,乙', '甲，乙']",
    keep: str = "keep: ['a,b']",
    more: str = "",
    name: str = "mine",
    said: str = "fault: f\n  fault-zh: 错",
) -> str:
    """Write one rule; `id` stands in line 2, `match` in line 5."""
    lines = [
        f"- id: {name}",
        f"  {said}",
        f"  match: '{match}'",
        f"  {becomes}",
        f"  examples: [{example}]",
        f"  {keep}",
        *(f"  {line}" for line in more.splitlines()),
    ]
    return "\n".join(line for line in lines if line.strip()) + "\n"


def file_of(*rules: str) -> dict[str, str]:
    return {"punctuation/a.yaml": "rules:\n" + "".join(rules)}


@dataclass(frozen=True)
class Case:
    """Files with a fault, its place, and nearly the same files without."""

    code: str
    files: dict[str, str]
    place: str
    near_miss: dict[str, str]


BEFORE_HAN = "before: '\\p{Han}'"
REMOVAL = {"becomes": "remove: match", "example": "['甲广告乙', '甲乙']", "keep": "keep: ['甲广乙']"}
TABLE = "rules:\n- id: t\n  fault: f\n  fault-zh: 错\n  replace-each: {%s}\n  examples: [%s]\n  keep: ['甲']\n"

CASES = [
    Case("L101", file_of(rule(r"[^，]{1,9},")), "a.yaml:5:11", file_of(rule(r"[^，\n]{1,9},"))),
    Case("L101", file_of(rule(r"\s,", example="['甲 ,乙', '甲，乙']")), "a.yaml:5:11", file_of(rule(r"[ \t],", example="['甲 ,乙', '甲，乙']"))),
    Case("L101", file_of(rule(r",(?!\n)\s*")), "a.yaml:5:18", file_of(rule(r",[ ]*\n\s*"))),
    Case("L101", file_of(rule(more="after: '[^。]{1,9}。'")), "a.yaml:9:11", file_of(rule(more="after: '[^。]'"))),
    Case("L101", file_of(rule(r"(?s)甲.*,")), "a.yaml:5:16", file_of(rule(r"(?s)甲.{0,9},"))),
    Case("L102", file_of(rule(r"\bGDP,", example="['GDP,乙', '，乙']")), "a.yaml:5:11",
         file_of(rule(r"(?<![A-Za-z])GDP,", example="['GDP,乙', '，乙']"))),
    Case("L103", file_of(rule(r"[\w-],", example="['甲x,乙', '甲，乙']")), "a.yaml:5:12",
         file_of(rule(r"[\\w-],", example="['甲w,乙', '甲，乙']"))),
    Case("L104", file_of(rule(r"^#*", "mark: heading", "['#甲', '#甲']", "keep: ['a']")), "a.yaml:5:11",
         file_of(rule(r"^#*(?=\S)", "mark: heading", "['#甲', '#甲']", "keep: ['a']"))),
    Case("L105", file_of(rule(r"(?:[a-z]+)+!", example="['甲abc!乙', '甲，乙']")), "a.yaml:5:11",
         file_of(rule(r"(?:[a-z]{1,9}+){1,3}!", example="['甲abc!乙', '甲，乙']"))),
    Case("L106", file_of(rule(r"-?[a-z]+,", example="['甲abc,乙', '甲，乙']")), "a.yaml:5:13",
         file_of(rule(r"-?[a-z]{1,20},", example="['甲abc,乙', '甲，乙']"))),
    Case("L107", file_of(rule(more="after: '[ ]?'")), "a.yaml:9:11", file_of(rule(more="after: '[ ]?$'"))),
    Case("L107", file_of(rule(more="when: {has: '。*'}")), "a.yaml:9:16", file_of(rule(more="when: {has: '。'}"))),
    Case("L108", file_of(rule(r"\p{So}", "remove: match", "['甲☆乙', '甲乙']", "keep: ['甲乙']")), "a.yaml:5:10",
         file_of(rule("☆", "remove: match", "['甲☆乙', '甲乙']", "keep: ['甲乙']"))),
    Case("L109", file_of(rule(r"^[^\n]*、[^\n]*、$", "remove: match", "['甲、乙、', '']", "keep: ['甲、乙']")), "a.yaml:5:10",
         file_of(rule("、{3}", "remove: match", "['甲、、、乙', '甲乙']", "keep: ['甲、乙']"))),
    Case("L201", file_of(rule(more="before: 'x'")), "a.yaml:7:14", file_of(rule(more=BEFORE_HAN))),
    Case("L201", {"protect/p.yaml": NUMBER.replace("'2,300'", "'300件'")}, "protect/p.yaml:6:14", {"protect/p.yaml": NUMBER}),
    Case("L202", file_of(rule("—", "replace: '——'", "['甲—乙', '甲——乙']", "keep: ['甲-乙']")), "a.yaml:7:14",
         file_of(rule("(?<!—)—(?!—)", "replace: '——'", "['甲—乙', '甲——乙']", "keep: ['甲-乙']"))),
    Case("L203", file_of(rule(name="a-all"), rule(name="b-some", more=BEFORE_HAN)), "a.yaml:9:7",
         file_of(rule(name="a-all", more="before: 'x'", example="['x,乙', 'x，乙']"), rule(name="b-some", more=BEFORE_HAN))),
    Case("L204", file_of(rule(name="a-some", more=BEFORE_HAN), rule(name="b-all", more="order: {after: [a-some]}")), "a.yaml:2:7",
         file_of(rule(name="a-some", more=BEFORE_HAN), rule(name="b-all", more="before: '[xy]'", example="['x,乙', 'x，乙']"))),
    Case("L205", file_of(rule(name="a"), rule("，", "replace: ','", "['甲，乙', '甲,乙']", name="b")), "a.yaml:12:10",
         file_of(rule(name="a"), rule("；", "replace: ';'", "['甲；乙', '甲;乙']", name="b"))),
    Case("L205", {"punctuation/a.yaml": TABLE % ("'〝': '“'", "['〝', '“']") + (TABLE % ("'“': '〝'", "['“', '〝']")).removeprefix("rules:\n").replace("id: t", "id: u")},
         "a.yaml:11:17",
         {"punctuation/a.yaml": TABLE % ("'〝': '“'", "['〝', '“']") + (TABLE % ("'〞': '”'", "['〞', '”']")).removeprefix("rules:\n").replace("id: t", "id: u")}),
    Case("L206", file_of(rule(",,", "replace: '、'", "['甲,,乙', '甲、乙']", name="a"), rule(name="b", example="['甲,乙', '甲，乙']")), "a.yaml:12:10",
         file_of(rule(",,", "replace: '、'", "['甲,,乙', '甲、乙']", name="a"), rule(name="b", example="['甲,乙', '甲，乙']", more="order: {after: [a]}"))),
    Case("L207", file_of(rule(name="a"), rule(name="b", becomes="replace: '、'", example="['乙,丙', '乙、丙']")), "a.yaml:12:10",
         file_of(rule(name="a"), rule(";", name="b", becomes="replace: '、'", example="['乙;丙', '乙、丙']"))),
    Case("L208", {"layout/l.yaml": "rules:\n" + rule(";", name="first", example="['甲;乙', '甲，乙']"), **file_of(rule(more="order: {after: [first]}"))},
         "punctuation/a.yaml:9:19",
         {"punctuation/l.yaml": "rules:\n" + rule(";", name="first", example="['甲;乙', '甲，乙']"), **file_of(rule(more="order: {after: [first]}"))}),
    Case("L301", {"protect/p.yaml": NUMBER, **file_of(rule(";", more="outside: [number]", example="['甲;乙', '甲，乙']", keep="keep: ['a;b']"))}, "punctuation/a.yaml:9:13",
         {"protect/p.yaml": NUMBER, **file_of(rule(more="outside: [number]"))}),
    Case("L302", file_of(rule(more="after: '[乙丙]'", keep="keep: ['，']")), "a.yaml:9:10", file_of(rule(more="after: '[乙丙]'", keep="keep: ['，', '甲,丁']"))),
    Case("L303", file_of(rule(more="when: {lacks: '「'}", keep="keep: ['，']")), "a.yaml:9:9", file_of(rule(more="when: {lacks: '「'}", keep="keep: ['「甲,乙」']"))),
    Case("L304", file_of(rule(keep="keep: ['a，b', 'a，b']")), "a.yaml:8:17", file_of(rule(keep="keep: ['a，b', 'b，a']"))),
    Case("L305", file_of(rule(name="a"), rule(r",(?=\p{Han})", name="b", more="before: '[甲x]'")), "a.yaml:14:14",
         file_of(rule(name="a"), rule(r",(?=\p{Han})", name="b", more="before: '[甲x]'", example="['x,乙', 'x，乙']"))),
    Case("L401", {"characters/a.yaml": "rules:\n" + rule("①", "replace: '1'", "['①项', '1项']", "keep: ['②']")}, "characters/a.yaml:6:12",
         {"characters/a.yaml": "rules:\n" + rule("Ａ", "replace: 'A'", "['Ａ项', 'A项']", "keep: ['Ｂ']")}),
    Case("L401", {"punctuation/a.yaml": TABLE % ("'⼈': '人', '㎡': m2", "['⼈', '人']")}, "a.yaml:5:33",
         {"punctuation/a.yaml": TABLE % ("'⼈': '人', '㎡': '平方米'", "['⼈', '人']")}),
    Case("L402", file_of(rule(r"[ ][^，。\n]?", "replace: ''", "['甲 ', '甲']", "keep: ['甲　乙']")), "a.yaml:5:14",
         file_of(rule(r"[ ][ \t]?", "replace: ''", "['甲 ', '甲']", "keep: ['甲　乙']"))),
    Case("L403", file_of(rule("O(?=[0-9])", "replace: '0'", "['1O5', '105']", "keep: ['O型']")), "a.yaml:7:14",
         file_of(rule("O(?=[0-9])", "replace: '0'", "['1O5', '105']", "keep: ['O型']", more="why: a digit on both sides"))),
    Case("L404", {"protect/p.yaml": NUMBER, **file_of(rule(keep="keep: ['，']"))}, "punctuation/a.yaml:5:10",
         {"protect/p.yaml": NUMBER, **file_of(rule(more="before: '\\p{Han}'"))}),
    Case("L405", {"artifacts/a.yaml": "rules:\n" + rule(name="a", keep="keep: ['a,b', '甲、乙', '丙。']") + rule("\\p{Han}+", **REMOVAL | {"example": "['广告', '']"}, name="b")},
         "artifacts/a.yaml:12:10",
         {"artifacts/a.yaml": "rules:\n" + rule(name="a", keep="keep: ['a,b', '甲、乙', '丙。']") + rule("广告", **REMOVAL | {"example": "['广告', '']"}, name="b")}),
    Case("L501", file_of(rule(keep="keep: ['没有标点']", more=BEFORE_HAN)), "a.yaml:8:9",
         file_of(rule(keep="keep: ['有a,b']", more=BEFORE_HAN))),
    Case("L501", file_of(rule(keep="")), "a.yaml:5:10", file_of(rule())),
    Case("L502", file_of(rule(said="fault: f")), "a.yaml:3:10", file_of(rule(said="fault: 半角逗号"))),
    Case("L503", file_of(rule("^广告$", **REMOVAL | {"example": "['广告', '']"})), "a.yaml:6:11",
         file_of(rule("^广告$", **REMOVAL | {"example": "['广告', '']"}, more="why: no author writes this"))),
    Case("L504", file_of(rule("广告", **REMOVAL, more="why: w")), "a.yaml:6:11", file_of(rule("广告$", **REMOVAL | {"example": "['甲广告', '甲']"}, more="why: w"))),
    Case("L901", file_of(rule(more="lint: {L101: it is right}")), "a.yaml:9:10", file_of(rule(r"[^，]{1,9},", more="lint: {L101: it is right}"))),
    Case("L902", file_of(rule(more="lint: {L199: it is right}")), "a.yaml:9:10", file_of(rule(r"[^，]{1,9},", more="lint: {L101: it is right}"))),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_each_fault_is_found_at_its_place_and_the_near_miss_is_not(case: Case, tmp_path: Path) -> None:
    found = [p.split("rules/")[1] for p in places(linted(tmp_path / "faulty", case.files), case.code)]
    place = case.place if "/" in case.place else f"punctuation/{case.place}"
    assert found == [f"{place} {case.code}"]
    assert not places(linted(tmp_path / "sound", case.near_miss), case.code)
    assert not places(linted(tmp_path / "sound", case.near_miss), "R")


def test_every_code_is_tried() -> None:
    assert {case.code for case in CASES} == set(CODES)


# --- what is left alone, and what is said ------------------------------------------------------------------

UNMARKED = [
    r"(?<=甲)[^，]乙",  # one character that is only looked at may be a line end
    r"[\s\S]{1,9},",  # says that it means everything
    r"[^，]{1,9}\n,",  # has line ends in mind
    r"(?<![a-z])(?:[a-z]++)+,",  # gives nothing back
    r"^[^\n]*,",  # from the begin of a line only
]


@pytest.mark.parametrize("match", UNMARKED)
def test_sound_patterns_are_left_alone(match: str, tmp_path: Path) -> None:
    found = places(linted(tmp_path, file_of(rule(match, example="['甲x\\n,乙', '甲，乙']"))), "L1")
    assert not [p for p in found if not p.endswith("L101")] and (match == UNMARKED[0] or not found)


def test_faults_of_loading_stand_beside_those_of_lint(tmp_path: Path) -> None:
    broken = rule(name="Broken", more="outsde: [url]")
    report = linted(tmp_path, file_of(broken, rule(r"[^，]{1,9},"), rule("(", name="open")))
    found = [p.split("punctuation/a.yaml:")[1] for p in places(report)]
    assert {"2:7 R212", "9:3 R203", "13:11 L101", "20:11 R302"} <= set(found)
    assert found == sorted(found, key=lambda p: [int(n) for n in p.split()[0].split(":")])
    assert {f.level for f in report.faults if f.fault.code[0] == "R"} == {"error"}


def test_a_rule_is_not_tried_where_a_named_part_cannot_be_read(tmp_path: Path) -> None:
    own = "let:\n  HEAD: '发布${DATED}'\n  DATED: '(?P<day>[0-9]{4}年)'\nrules:\n"
    own += rule("^${HEAD}$", "remove: line", r'["发布2020年\n正文", "正文"]', more="capture: {date: day}")
    own += rule(example="['甲;乙', '甲；乙']", name="other")
    report = linted(tmp_path, {"artifacts/a.yaml": own})
    assert "R307" in {f.fault.code for f in report.faults}
    assert {(f.rule, f.fault.code) for f in report.faults if f.fault.code[0] == "L"} == {("other", "L201")}


def test_an_excuse_silences_its_code_in_its_rule_only(tmp_path: Path) -> None:
    excused = rule(r"[^，]{1,9},", more="lint: {L101: the text has no lines}")
    other = rule(r"[^、]{1,9},", name="other")
    assert [p.split("a.yaml:")[1] for p in places(linted(tmp_path, file_of(excused, other)), "L101")] == ["13:11 L101"]


def test_an_excuse_needs_a_code_and_a_reason(tmp_path: Path) -> None:
    root = write_files(tmp_path, file_of(rule(more="lint: {L101: '', comma: why}")))
    with pytest.raises(RuleError) as caught:
        load_rules(root)
    assert "a.yaml:9:16: R204" in str(caught.value) and "a.yaml:9:20: R212" in str(caught.value)
    sound = load_rules(write_files(tmp_path / "sound", file_of(rule(more="lint: {L101: because}")))).rules[0]
    assert sound.excuses == {"L101": "because"}
    assert sound.digest == load_rules(write_files(tmp_path / "plain", file_of(rule()))).rules[0].digest


def test_the_schema_for_editors_knows_excuses() -> None:
    schema = Draft202012Validator(rule_file_schema({}))
    entry = {"id": "a", "fault": "f", "match": ",", "replace": "，", "examples": [["a", "b"]]}
    assert schema.is_valid({"rules": [entry | {"lint": {"L101": "because"}}]})
    assert not schema.is_valid({"rules": [entry | {"lint": {"R101": "because"}}]})


def test_a_catastrophic_rule_is_stopped_and_the_dangerous_part_named(tmp_path: Path) -> None:
    began = time.process_time()
    report = linted(tmp_path, file_of(rule(r"《(?:[\p{Han}]+[·]?)+》", example="['《红·楼》,', '，,']")))
    [fault] = [f for f in report.faults if f.fault.code == "L105"]
    assert str(fault.fault.place).endswith(":5:12") and r"(?:[\p{Han}]+[·]?)+" in fault.fault.message
    assert "possessive" in fault.fault.fix and time.process_time() - began < 5


def test_two_rules_that_fight_are_told_with_a_text_that_shows_it(tmp_path: Path) -> None:
    report = linted(tmp_path, file_of(rule(name="a"), rule("，", "replace: ','", "['甲，乙', '甲,乙']", name="b")))
    [fault] = [f.fault for f in report.faults if f.fault.code == "L205"]
    assert "'甲，乙' → '甲,乙' → '甲，乙'" in fault.message and "'a'" in fault.message


def test_a_rule_that_only_suggests_takes_nothing_from_another(tmp_path: Path) -> None:
    shy, able = rule(name="a", more="level: suggest"), rule(r",(?=\p{Han})", name="b")
    assert not places(linted(tmp_path / "shy", file_of(shy, able)), "L20")
    assert places(linted(tmp_path / "bold", file_of(rule(name="a"), able)), "L203")


def test_a_guard_is_judged_without_the_condition_on_the_whole_text(tmp_path: Path) -> None:
    guarded = rule(more="outside: [number]\nwhen: {has: '正文'}", example="['正文甲,乙', '正文甲，乙']")
    assert not places(linted(tmp_path, {"protect/p.yaml": NUMBER, **file_of(guarded)}), "L301")


def test_rules_of_two_works_never_meet(tmp_path: Path) -> None:
    files = {f"works/{name}.yaml": "rules:\n" + rule(name=name) for name in ("one", "two")}
    assert not places(linted(tmp_path, files), "L2")
    assert places(linted(tmp_path / "same", {"works/one.yaml": "rules:\n" + rule(name="a") + rule(name="b")}), "L207")


def test_a_missing_context_comes_with_a_keep_that_shows_it(tmp_path: Path) -> None:
    report = linted(tmp_path, file_of(rule(more="after: '[乙丙]'", keep="keep: ['，']")))
    [fault] = [f.fault for f in report.faults if f.fault.code == "L302"]
    assert fault.fix == "add a `keep` such as '甲,A'"


def test_a_corpus_shows_what_examples_do_not(tmp_path: Path) -> None:
    files = file_of(rule(more="after: '[乙丙]'", keep="keep: ['，']"))
    root = write_files(tmp_path / "rules", files)
    corpus = write_files(tmp_path / "corpus", {"a.txt": "第一行。\n子曰,丁也。\n", "b.txt": "他来了,丙也来了。\n"})
    assert places(lint(root), "L302") and places(lint(root, corpus=[corpus]), "L302")
    write_files(corpus, {"c.md": "戊,丙；己,丁。"})
    assert not places(lint(root, corpus=[corpus]), "L302")
    with pytest.raises(UsageError, match="no such corpus"):
        lint(root, corpus=[tmp_path / "none"])


# --- which files are looked at -----------------------------------------------------------------------------


def test_paths_narrow_what_is_told_and_all_rules_stay_known(tmp_path: Path) -> None:
    root = write_files(tmp_path / "rules", {
        "punctuation/a.yaml": "rules:\n" + rule(name="a", keep=""),
        "punctuation/b.yaml": "rules:\n" + rule(name="b", keep=""),
    })  # fmt: skip
    everything = places(lint(root))
    only = places(lint(root, [root / "punctuation" / "a.yaml"]))
    assert {p.split(":")[0] for p in everything} == {"rules/punctuation/a.yaml", "rules/punctuation/b.yaml"}
    assert {p.split(":")[0] for p in only} == {"rules/punctuation/a.yaml"}
    assert places(lint(root, [root / "punctuation"])) == everything


def test_own_folders_and_lone_files_are_laid_over_the_shipped_rules(tmp_path: Path) -> None:
    shipped = write_files(tmp_path / "rules", file_of(rule(name="a")))
    mine = write_files(
        tmp_path / "mine", {"x.yaml": "rules:\n" + rule("，", "replace: ','", "['甲，乙', '甲,乙']", name="b")}
    )
    for report in (lint(shipped, layers=[mine]), lint(shipped, [mine]), lint(shipped, [mine / "x.yaml"])):
        assert report.rules == 1
        assert places(report, "L205") == [f"{(mine / 'x.yaml').as_posix()}:5:10 L205"]
    with pytest.raises(UsageError, match="no such file or folder"):
        lint(shipped, [tmp_path / "none"])


def test_the_command_looks_at_profiles_too(tmp_path: Path) -> None:
    mine = write_files(tmp_path / "mine", {
        "x.yaml": file_of(rule(name="mine-a"))["punctuation/a.yaml"],
        "profiles/mine.yaml": "about: Mine.\nrules:\n  mine-b: off\n",
    })  # fmt: skip
    for form, wanted in {"text": "profiles/mine.yaml:3:3: error P101", "sarif": '"ruleId": "P101"'}.items():
        done = CliRunner().invoke(main, ["rules", "lint", str(mine), "--format", form])
        assert done.exit_code == 5
        assert wanted in done.output
    (mine / "profiles" / "mine.yaml").write_text("about: Mine.\nrules:\n  mine-a: off\n", encoding="utf-8")
    assert "P101" not in CliRunner().invoke(main, ["rules", "lint", str(mine)]).output


def test_a_file_in_a_folder_of_a_phase_belongs_to_the_phase(tmp_path: Path) -> None:
    shipped = write_files(tmp_path / "rules", file_of(rule()))
    lone = write_files(tmp_path / "mine", {"protect/p.yaml": NUMBER})
    assert not lint(shipped, [lone / "protect" / "p.yaml"]).faults
    assert not lint(shipped, [lone / "protect"]).faults


def test_a_rule_that_overrides_another_is_looked_at_in_its_place(tmp_path: Path) -> None:
    shipped = write_files(tmp_path / "rules", file_of(rule(name="a")))
    mine = write_files(tmp_path / "mine", {"x.yaml": "rules:\n" + rule(name="a", more="overrides: a", keep="")})
    assert places(lint(shipped, layers=[mine]), "L501") == [f"{(mine / 'x.yaml').as_posix()}:5:10 L501"]


# --- formats and the command -------------------------------------------------------------------------------


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """Give a folder of rules with an error, a warning, and a note."""
    return write_files(tmp_path / "我的 rules", {
        "a.yaml": "rules:\n" + rule("^广告[^，]*$", "remove: line", "['广告', '']", "keep: ['广告，']")
        + rule("；", name="n-100%", keep="keep: [';']", example="['甲；乙', '甲，乙']"),
    })  # fmt: skip


def command(*args: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["rules", "lint", *map(str, args)])
    return done.exit_code, done.output


def test_text_has_place_caret_and_way_out(faulty: Path) -> None:
    code, printed = command(faulty)
    assert code == 5
    lines = printed.splitlines()
    at = next(n for n, line in enumerate(lines) if " L101 " in line)
    assert lines[at].startswith(f"{faulty.as_posix()}/a.yaml:5:14: warning L101 mine: `match`: '[^，]'")
    assert lines[at + 1].strip() == "match: '^广告[^，]*$'"
    assert lines[at + 2] == "    " + " " * len("  match: '^") + "  " * 2 + "^"
    assert lines[at + 3].startswith("  fix: write `[ ")
    assert lines[-1] == "2 rules: 1 errors, 1 warnings, 1 infos"


def test_levels_and_exit_codes(faulty: Path) -> None:
    assert " L503 " in command(faulty, "--level", "info")[1] and " L503 " not in command(faulty)[1]
    text = (faulty / "a.yaml").read_text(encoding="utf-8").replace("n-100%", "name")
    (faulty / "a.yaml").write_text(text, encoding="utf-8")
    assert command(faulty)[0] == 0
    assert command(faulty, "--strict")[0] == 5
    assert command(faulty / "none")[0] == 2


def test_json_counts_and_names_every_place(faulty: Path) -> None:
    code, printed = command(faulty, "--format", "json", "--level", "info")
    told = json.loads(printed)
    assert code == 5 and told["counts"] == {"error": 1, "warning": 1, "info": 1}
    source = (faulty / "a.yaml").read_text(encoding="utf-8")
    for fault in told["faults"]:
        line = source.splitlines()[fault["line"] - 1]
        assert fault["source_line"] == line
        assert source[fault["offset"] :].startswith(line[fault["column"] - 1 :])


def test_github_commands_are_escaped(faulty: Path) -> None:
    _, printed = command(faulty, "--format", "github", "--level", "info")
    commands = printed.splitlines()
    assert [c.split(" ")[0] for c in commands] == ["::warning", "::notice", "::error"]
    assert all(c.count("::") == 2 for c in commands)
    assert f"file={faulty.as_posix()}/a.yaml,line=5,col=14,title=L101 mine::" in commands[0]
    assert "%0Afix: " in commands[0] and "n-100%25" in commands[2]


SARIF_SHAPE = {
    "type": "object", "required": ["version", "runs"], "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"}, "version": {"const": "2.1.0"},
        "runs": {"type": "array", "minItems": 1, "items": {
            "type": "object", "required": ["tool", "results"], "additionalProperties": False,
            "properties": {
                "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                "tool": {"type": "object", "required": ["driver"], "properties": {"driver": {
                    "type": "object", "required": ["name"], "properties": {"rules": {"type": "array", "items": {
                        "type": "object", "required": ["id"], "properties": {
                            "defaultConfiguration": {"properties": {"level": {"enum": ["none", "note", "warning", "error"]}}},
                            "shortDescription": {"type": "object", "required": ["text"]}}}}}}}},
                "results": {"type": "array", "items": {
                    "type": "object", "required": ["message"], "properties": {
                        "level": {"enum": ["none", "note", "warning", "error"]},
                        "ruleIndex": {"type": "integer", "minimum": 0},
                        "message": {"type": "object", "required": ["text"]},
                        "locations": {"type": "array", "items": {"type": "object", "properties": {"physicalLocation": {
                            "type": "object", "required": ["artifactLocation"], "properties": {"region": {
                                "type": "object", "additionalProperties": False, "properties": {
                                    "startLine": {"type": "integer", "minimum": 1}, "endLine": {"type": "integer", "minimum": 1},
                                    "startColumn": {"type": "integer", "minimum": 1}, "endColumn": {"type": "integer", "minimum": 1},
                                    "charOffset": {"type": "integer", "minimum": 0}, "charLength": {"type": "integer", "minimum": 0}}}}}}}}}}},
            }}},
    },
}  # fmt: skip
"""What we use of the schema of SARIF 2.1.0."""


def test_sarif_says_the_same_as_the_text(faulty: Path) -> None:
    _, printed = command(faulty, "--format", "sarif", "--level", "info")
    log = json.loads(printed)
    Draft7Validator(SARIF_SHAPE).validate(log)
    [run] = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    source = (faulty / "a.yaml").read_text(encoding="utf-8")
    assert [r["level"] for r in run["results"]] == ["warning", "note", "error"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        place = result["locations"][0]["physicalLocation"]
        region = place["region"]
        assert place["artifactLocation"]["uri"].endswith("/%E6%88%91%E7%9A%84%20rules/a.yaml")
        line = source.splitlines()[region["startLine"] - 1]
        marked = source[region["charOffset"] : region["charOffset"] + region["charLength"]]
        assert marked == line[region["startColumn"] - 1 : region["endColumn"] - 1] != ""


def test_no_fault_gives_an_empty_list_in_every_format() -> None:
    assert FORMATS["text"]([]) == FORMATS["github"]([]) == ""
    assert json.loads(FORMATS["json"]([]))["faults"] == []
    assert json.loads(as_sarif([], "1.0.0"))["runs"][0]["results"] == []


# --- patterns as trees -------------------------------------------------------------------------------------


def test_a_pattern_is_read_into_its_parts() -> None:
    pattern = r"(?<!甲)(?P<a>[^\]x]{2,})+?|(?>\p{Han}乙)\1$(?=丙)"
    tree = parse(pattern)
    repeats = [n for n in parts(tree) if isinstance(n, Repeat)]
    assert [(show(r, pattern), r.low, r.high) for r in repeats] == [
        (r"(?P<a>[^\]x]{2,})+?", 1, NO_END),
        (r"[^\]x]{2,}", 2, NO_END),
    ]
    looks = [(show(n, pattern), n.negative, n.behind) for n in parts(tree) if isinstance(n, Look)]
    assert looks == [("(?<!甲)", True, True), ("(?=丙)", False, False)]
    assert [a.written for a in taken(tree)] == [r"[^\]x]", r"\p{Han}", "乙"]
    assert list(literal_runs(parse("第(?:一二|三)[章节]甲"))) == ["第", "一二", "三", "甲"]


@pytest.mark.parametrize("pattern", [r"(a|a)*b", r"(?:a|aa)+b", r"(.*)(.*)(.*)x", r"\s*\n?\s*x"])
def test_endless_patterns_are_found(pattern: str) -> None:
    [part] = slow_parts(pattern)
    assert part.endless and pattern[part.start :].startswith(part.part.rstrip("…"))


# --- the shipped rules -------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["layout", "structure", "works"])
def test_shipped_rules_have_no_fault(folder: str) -> None:
    report = lint(ROOT / "rules", [ROOT / "rules" / folder])
    assert report.rules and not FORMATS["text"](report.at_least("warning"))


def test_lint_of_one_file_is_quicker_than_of_all() -> None:
    began = time.process_time()
    whole = lint(ROOT / "rules")
    all_of_it = time.process_time() - began
    began = time.process_time()
    lint(ROOT / "rules", [ROOT / "rules" / "layout" / "lines.yaml"])
    assert whole.rules > 100 and time.process_time() - began < all_of_it / 2


def test_the_command_works_as_a_process_of_its_own() -> None:
    args = [sys.executable, "-m", "shanben", "rules", "lint", "rules/structure"]
    done = subprocess.run(args, cwd=ROOT, capture_output=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, b"") and b" rules: 0 errors, 0 warnings, " in done.stdout
