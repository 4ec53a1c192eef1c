"""Suppressions in `work.yaml`: what they refuse, what stands in the ledger, and what is wrong with those that do nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from conftest import SEEDS
from shanben.build import build
from shanben.cli import main
from shanben.errors import RuleError
from shanben.ledger import from_jsonl, to_jsonl
from shanben.pipeline import Cleaned, clean, revert
from shanben.work_cleaning import clean_work
from shanben.works import find_works

TEXT = '通知\n\n会议强调,要抓好"三个高地"建设;各位代表,请看。\n他说,他来。\n'


def work(folder: Path, suppress: str, text: str = TEXT) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "source.txt").write_text(text, encoding="utf-8")
    (folder / "work.yaml").write_text("suppress:\n" + suppress, encoding="utf-8")
    return folder


def cleaned(folder: Path) -> Cleaned:
    return clean_work(find_works([folder])[0])


def fault(folder: Path) -> str:
    with pytest.raises(RuleError) as caught:
        cleaned(folder)
    return str(caught.value)


def test_a_quotation_refuses_the_change_there_and_only_there(tmp_path: Path) -> None:
    done = cleaned(work(tmp_path, "- {rule: han-comma, at: '会议强调,要', reason: so it was said}\n"))
    assert done.text == "通知\n\n会议强调,要抓好“三个高地”建设；各位代表，请看。\n他说，他来。\n"
    [told] = done.ledger.suppressed
    assert (told.unit, told.line, told.column, told.before, told.after, told.reason) == (
        "han-comma", 3, 5, ",", "，", "so it was said",
    )  # fmt: skip
    assert revert(done.text, done.ledger) == TEXT.encode()


def test_the_ledger_keeps_what_was_refused(tmp_path: Path) -> None:
    ledger = cleaned(work(tmp_path, "- {rule: han-comma, at: '他说,他', reason: r}\n")).ledger
    header = json.loads(to_jsonl(ledger).split("\n")[0])
    assert header["suppressed"] == [
        {"unit": "han-comma", "line": 4, "column": 3, "before": ",", "after": "，", "reason": "r"}
    ]
    assert from_jsonl(to_jsonl(ledger)).suppressed == ledger.suppressed


def test_the_digest_of_the_rules_depends_on_what_is_suppressed(tmp_path: Path) -> None:
    one = cleaned(work(tmp_path / "a", "- {rule: han-comma, at: '他说,他', reason: r}\n")).ledger.rulebook_digest
    other = cleaned(work(tmp_path / "b", "- {rule: han-comma, reason: r}\n")).ledger.rulebook_digest
    assert len({one, other, clean(TEXT).ledger.rulebook_digest}) == 3


def test_without_a_quotation_the_whole_rule_does_nothing(tmp_path: Path) -> None:
    done = cleaned(work(tmp_path, "- {rule: han-comma, reason: printed so}\n"))
    assert done.text.count(",") == 3 and "；" in done.text
    assert [(s.line, s.column) for s in done.ledger.suppressed] == [(3, 5), (3, 22), (4, 3)]


def test_a_quotation_may_be_of_the_source_although_other_rules_changed_it_before(tmp_path: Path) -> None:
    text = "标题\n\n⼈民,会议。\n第一,会议。\n"  # the radical becomes 人 before punctuation is looked at
    done = cleaned(work(tmp_path, "- {rule: han-comma, at: '⼈民,会议', reason: r}\n", text))
    assert done.text == "标题\n\n人民,会议。\n第一，会议。\n"


def test_what_would_be_removed_stays(tmp_path: Path) -> None:
    text = "题目\n\n##paidbegin##是收费标记。\n##paidend##正文。\n"
    done = cleaned(work(tmp_path, "- {rule: paywall-markers, at: '##paidbegin##是', reason: spoken of}\n", text))
    assert done.text == "题目\n\n##paidbegin##是收费标记。\n正文。\n"


def test_a_capture_can_be_refused(tmp_path: Path) -> None:
    text = "工作报告\n——2024年1月26日在会上\n\n各位代表，请予审议。\n"
    assert [c.value for c in clean(text).captures if c.field == "date"] == ["2024年1月26日"]
    done = cleaned(work(tmp_path, "- {rule: speech-dates, reason: the date of another meeting}\n", text))
    assert not done.captures and [s.before for s in done.ledger.suppressed] == ["2024年1月26日"]


def test_a_mark_can_be_refused(tmp_path: Path) -> None:
    text = "题目\n\n一、甲事\n正文说了很多，到此为止。\n二、乙事\n正文说了很多，到此为止。\n"
    usual = {m.unit for m in clean(text).marks}
    assert "ideographic-number-headings" in usual
    done = cleaned(work(tmp_path, "- {rule: ideographic-number-headings, at: 二、乙事, reason: a list}\n", text))
    assert [m.unit for m in done.marks].count("ideographic-number-headings") == 1


def test_a_suggestion_is_answered(tmp_path: Path) -> None:
    text = "名单\n\n靠自已的力量，李博土说。\n"
    assert {n.unit for n in clean(text).suggestions} >= {"ji-yi-si", "shi-tu"}
    done = cleaned(work(tmp_path, "- {rule: ji-yi-si, at: 自已的力量, reason: the author's own spelling}\n", text))
    assert "ji-yi-si" not in {n.unit for n in done.suggestions} and done.ledger.suppressed


def test_lines_that_would_be_moved_stay(tmp_path: Path) -> None:
    text = (SEEDS / "004-renda-baogao" / "source.txt").read_text(encoding="utf-8")
    quote = "强化联动监督。首次采取四级人大联动、五"
    usual = clean(text)
    moved = [c.before for p in usual.ledger.passes for c in p.changes if c.kind == "move"]
    assert any(quote in m for m in moved)
    done = cleaned(work(tmp_path, f"- {{rule: column-order, at: '{quote}', reason: the page has it so}}\n", text))
    now = [c.before for p in done.ledger.passes for c in p.changes if c.kind == "move"]
    assert now and not any(quote in m for m in now)
    assert [s.unit for s in done.ledger.suppressed if quote in s.before] == ["column-order"]
    assert revert(done.text, done.ledger) == text.encode()


def test_editions_are_built_with_what_stays(tmp_path: Path) -> None:
    folder = work(tmp_path / "a", "- {rule: han-comma, at: '会议强调,要', reason: r}\n")
    [result] = build([folder], tmp_path / "dist")
    assert result.error is None
    assert "会议强调,要抓好" in (tmp_path / "dist" / "a" / "a.txt").read_text(encoding="utf-8")
    assert CliRunner().invoke(main, ["verify", str(tmp_path / "dist")]).exit_code == 0


def test_explain_shows_place_change_and_reason(tmp_path: Path) -> None:
    folder = work(tmp_path, "- {rule: han-comma, at: '会议强调,要', reason: so it was said}\n")
    told = CliRunner().invoke(main, ["explain", str(folder)]).output
    assert "suppressed: 3:5  han-comma  [, → ，]  (so it was said)" in told
    values = json.loads(CliRunner().invoke(main, ["explain", str(folder), "--json"]).output)["suppressed"]
    assert values[0]["reason"] == "so it was said"


WRONG = {
    "no reason": ("- {rule: han-comma}\n", "R202", ":2:3:", "needs its reason"),
    "empty reason": ("- {rule: han-comma, reason: ''}\n", "R204", ":2:29:", "empty"),
    "no rule": ("- {reason: r}\n", "R202", ":2:3:", "'rule'"),
    "unknown key": ("- {rule: han-comma, reason: r, where: x}\n", "R203", ":2:32:", "where"),
    "unknown rule": ("- {rule: han-coma, reason: r}\n", "W101", ":2:10:", "did you mean 'han-comma'"),
    "never hits": ("- {rule: han-colon, reason: r}\n", "W102", ":2:10:", "finds nothing in this work"),
    "not there": ("- {rule: han-comma, at: 别处的话, reason: r}\n", "W102", ":2:10:", "does not stand in the source"),
    "no hit there": ("- {rule: han-comma, at: 三个高地, reason: r}\n", "W102", ":2:10:", "changes nothing at"),
    "no list": ("  han-comma\n", "R201", ":2:3:", "list"),
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(WRONG))
def test_a_suppression_without_reason_or_effect_is_an_error_with_its_place(case: str, tmp_path: Path) -> None:
    suppress, code, place, words = WRONG[case]
    told = fault(work(tmp_path, suppress))
    assert code in told and f"work.yaml{place}" in told and words in told
    assert suppress.splitlines()[0].strip() in told  # the line itself is shown


def test_all_faults_of_one_file_are_told_at_once(tmp_path: Path) -> None:
    told = fault(work(tmp_path, "- {rule: han-colon, reason: r}\n- {rule: han-comma, at: 没有, reason: r}\n"))
    assert told.count("W102") == 2 and "2 faults in 1 file" in told


def test_a_rule_that_protects_or_is_off_cannot_be_suppressed(tmp_path: Path) -> None:
    from shanben.pipeline import plan

    protects = next(r.id for r in plan().rulebook.rules if r.protect)
    assert "W101" in fault(work(tmp_path / "a", f"- {{rule: {protects}, reason: r}}\n"))
    folder = work(tmp_path / "b", "- {rule: han-comma, reason: r}\nprofile: quiet.yaml\n")
    (folder / "quiet.yaml").write_text("about: quiet\nrules: {han-comma: {level: 'off'}}\n", encoding="utf-8")
    assert "is off in this profile" in fault(folder)


def test_the_exit_code_is_that_of_rule_files(tmp_path: Path) -> None:
    folder = work(tmp_path, "- {rule: han-colon, reason: r}\n")
    done = CliRunner().invoke(main, ["build", str(folder), "-o", str(tmp_path / "dist")])
    assert done.exit_code == 5 and "W102" in done.output
