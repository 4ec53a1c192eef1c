"""The review room: what is decided stands in the work's own file and nowhere else, and nobody else can decide."""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import SEEDS
from gates import programs
from shanben import pipeline
from shanben.cli import main
from shanben.errors import RuleError, UsageError
from shanben.pipeline import Cleaned
from shanben.review.decisions import ConflictError, Decision, Outcome, decide, listed, refuse_all, take_out, undo
from shanben.review.desk import OpenWork, Options, State, open_desk
from shanben.review.own_file import entries, with_entry, without
from shanben.review.places import only_here
from shanben.review.targets import targets
from shanben.review.trying import propose_keep, save_rule, try_rule
from shanben.rulebook.schema import FOLDERS
from shanben.work_cleaning import clean_work
from shanben.works import find_works

TEXT = (
    "题目\n\n会议强调,要抓好落实,要守住。\n\n一,一,一,一,一。\n\n他说,他来。李博土靠自已的力量。\n\n"
    "政协**市委员会,第三次会议。共２０件。\n\n文件(甲)与通知.\n\n先到的是春天。\n\n后来的是夏天。\n"
)


def lay(folder: Path, text: str = TEXT, name: str = "a.txt") -> OpenWork:
    """Put a text into a folder with another, so that no `work.yaml` could speak for it, and open it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    (folder / "other.txt").write_text("另一篇。\n", encoding="utf-8")
    return open_desk([folder / name], Options())[0]


def fresh(desk: OpenWork) -> Cleaned:
    """Clean the work as a new process would, from the files alone."""
    for cache in (pipeline._checked, pipeline._plan):
        cache.cache_clear()
    return clean_work(find_works(desk.sources)[0])


def number(state: State, unit: str, line: int = 0, column: int = 0) -> int:
    return next(
        n
        for n, e in enumerate(state.told.entries)
        if e.unit == unit
        and e.kind != "suppressed"
        and (not line or e.line == line)
        and (not column or e.column == column)
    )


def do(
    desk: OpenWork, action: Any, unit: str, line: int = 0, column: int = 0, text: str = "", reason: str = "如此"
) -> Outcome:
    state = desk.open()
    n = number(state, unit, line, column)
    e = state.told.entries[n]
    return decide(desk, Decision(action, n, e.unit, e.line, e.column, reason, text), state.versions)


def agrees(desk: OpenWork) -> None:
    """What the room shows is what `shanben build` would make of the files."""
    state, done = desk.open(), fresh(desk)
    assert done.text == state.cleaned.text
    assert done.ledger == state.cleaned.ledger


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


# --- refuse, accept, edit, move --------------------------------------------------------------------------------


def test_a_change_is_refused_at_its_place_and_nowhere_else(tmp_path: Path) -> None:
    desk = lay(tmp_path)
    done = do(desk, "refuse", "han-comma", 3, 5)
    assert "会议强调,要抓好落实，要守住。" in done.state.cleaned.text
    [told] = done.state.cleaned.ledger.suppressed
    assert (told.unit, told.line, told.column, told.reason) == ("han-comma", 3, 5, "如此")
    path = tmp_path / "rules" / "works" / "a.yaml"
    assert path.read_text(encoding="utf-8").startswith("suppress:\n- rule: han-comma\n  at: '")
    agrees(desk)


def test_each_of_many_equal_places_can_be_refused_alone(tmp_path: Path) -> None:
    desk = lay(tmp_path)
    for column, result in (
        (4, "一，一,一，一，一。"),
        (8, "一，一,一，一,一。"),
        (2, "一,一,一，一,一。"),
        (6, "一,一,一,一,一。"),
    ):
        assert f"\n{result}\n" in do(desk, "refuse", "han-comma", 5, column).state.cleaned.text
    assert len(desk.open().cleaned.ledger.suppressed) == 4
    agrees(desk)


@pytest.mark.parametrize("name", ["000-quanhui-xinde", "001-quanhui-jueyi", "002-lilun-xuexi"])
def test_whatever_was_done_to_a_seed_can_be_refused_or_written_otherwise(name: str, tmp_path: Path) -> None:
    """Any change, by any rule: the room finds the entry that does what was decided, and a new process agrees."""
    text = (SEEDS / name / "source.txt").read_text(encoding="utf-8")
    desk = lay(tmp_path, text)
    chance = random.Random(name)  # noqa: S311 - places, not secrets
    for turn in range(8):
        state = desk.open()
        told = state.told.entries
        wanted = ("substitute", "supply", "delete") if turn % 2 else ("substitute", "supply", "delete", "captured")
        n = chance.choice([i for i, e in enumerate(told) if e.kind in wanted and "-emend-" not in e.unit])
        e = told[n]
        action: Any = "edit" if turn % 2 else "refuse"
        before = tree(tmp_path)
        try:
            done = decide(
                desk, Decision(action, n, e.unit, e.line, e.column, "如此", "改作" * (turn % 2)), state.versions
            )
        except RuleError as error:  # it would leave an earlier suppression without effect: that one is named
            assert "W102" in str(error) and desk.written and tree(tmp_path) == before
            continue
        if action == "edit":
            assert done.state.cleaned.text.count("改作") == state.cleaned.text.count("改作") + 1
        else:
            assert len(done.state.cleaned.ledger.suppressed) > len(state.cleaned.ledger.suppressed)
    agrees(desk)
    while desk.written:
        undo(desk, desk.open().versions)
    assert desk.open().cleaned.text == fresh(desk).text and not (tmp_path / "rules").exists()


def test_several_are_refused_with_one_cleaning_and_taken_back_one_by_one(tmp_path: Path) -> None:
    desk = lay(tmp_path)
    before = tree(tmp_path)
    state = desk.open()
    decisions = [Decision("refuse", number(state, "han-comma", 5, c), "han-comma", 5, c, f"第{c}处") for c in (2, 4, 8)]
    done = refuse_all(desk, decisions, state.versions)
    assert "\n一,一,一，一,一。\n" in done.state.cleaned.text and len(done.written) == 3
    agrees(desk)
    for left in (2, 1, 0):
        undo(desk, desk.open().versions)
        assert len(listed(desk.open())) == left
        agrees(desk)
    assert tree(tmp_path) == before
    state = desk.open()
    mixed = [*decisions, Decision("accept", number(state, "ji-yi-si"), "ji-yi-si", 7, 11, "r")]
    with pytest.raises(UsageError, match="together"):
        refuse_all(desk, mixed, state.versions)
    assert tree(tmp_path) == before


def test_a_suggestion_is_accepted_as_an_emendation_or_left_as_it_is(tmp_path: Path) -> None:
    desk = lay(tmp_path)
    done = do(desk, "accept", "ji-yi-si", reason="“自己”才通")
    assert "靠自己的力量" in done.state.cleaned.text
    assert "why: '“自己”才通'" in done.written[0] and "examples:" in done.written[0]
    do(desk, "refuse", "shi-tu", reason="人名")
    state = desk.open()
    assert "李博土" in state.cleaned.text and not state.cleaned.suggestions
    agrees(desk)


def test_words_are_edited_and_a_rule_that_would_undo_it_is_refused_as_well(tmp_path: Path) -> None:
    desk = lay(tmp_path)
    assert "他说；他来" in do(desk, "edit", "han-comma", 7, text="；").state.cleaned.text
    done = do(desk, "edit", "han-full-stop", text=".!")
    assert done.state.cleaned.text.count("文件（甲）与通知.!") == 1, done.written
    agrees(desk)
    done = do(desk, "edit", "half-width-brackets", 11, 3, text="(")
    assert "suppress" in {e.list for e in listed(desk.open())} and "文件(甲" in done.state.cleaned.text
    agrees(desk)


def test_beside_a_redaction_words_are_edited_but_it_is_never_filled_in(tmp_path: Path) -> None:
    desk = lay(tmp_path)
    before = tree(tmp_path)
    done = do(desk, "edit", "han-comma", 9, text="。")
    assert "政协**市委员会。第三次会议" in done.state.cleaned.text
    undo(desk, desk.open().versions)
    filling = "- id: fill\n  fault: f\n  match: '政协\\*\\*市'\n  replace: '政协长沙市'\n  examples:\n  - ['政协**市', '政协长沙市']\n"
    with pytest.raises(RuleError, match="fill"):
        save_rule(desk, filling, "work", desk.open().versions)
    assert tree(tmp_path) == before


def test_a_passage_is_moved_where_the_reader_says(tmp_path: Path) -> None:
    text = (SEEDS / "004-renda-baogao" / "source.txt").read_text(encoding="utf-8")
    desk = lay(tmp_path, text)
    state = desk.open()
    n = next(
        i for i, e in enumerate(state.told.entries)
        if e.kind == "suggestion" and e.unit == "column-order" and e.before.strip()
    )  # fmt: skip
    entry = state.told.entries[n]
    proposed = targets(state, n)
    assert proposed and all(state.cleaned.text.count(t.goal) == 1 for t in proposed)
    goal = proposed[0].goal
    decision = Decision("move", n, entry.unit, entry.line, entry.column, "文义相接", goal)
    done = decide(desk, decision, state.versions)
    words = "".join(entry.before.split())
    assert words + goal in done.state.cleaned.text
    assert sorted("".join(done.state.cleaned.text.split())) == sorted("".join(state.cleaned.text.split()))
    assert any(p.unit.startswith("a-move-") for p in done.state.cleaned.ledger.passes)
    agrees(desk)
    undo(desk, desk.open().versions)
    assert not (tmp_path / "rules").exists()


def test_what_makes_no_sense_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    desk = lay(tmp_path)
    before = tree(tmp_path)
    with pytest.raises(UsageError, match="needs its reason"):
        do(desk, "refuse", "han-comma", reason="  ")
    with pytest.raises(UsageError, match="it needs no entry"):
        do(desk, "accept", "han-comma")
    with pytest.raises(UsageError, match="stands there already"):
        do(desk, "edit", "han-comma", 3, 5, text="，")
    state = desk.open()
    with pytest.raises(UsageError, match="no such change"):
        decide(desk, Decision("refuse", 0, "other-rule", 3, 5, "r"), state.versions)
    with pytest.raises(UsageError, match="no such change"):
        decide(desk, Decision("refuse", 10_000, "han-comma", 3, 5, "r"), state.versions)
    assert tree(tmp_path) == before


# --- taking back ------------------------------------------------------------------------------------------------


def test_undo_gives_every_byte_back_one_save_after_the_other(tmp_path: Path) -> None:
    desk = lay(tmp_path)
    seen = [tree(tmp_path)]
    for column in (2, 6, 4):
        do(desk, "refuse", "han-comma", 5, column)
        seen.append(tree(tmp_path))
    do(desk, "accept", "ji-yi-si")
    for wanted in reversed(seen):
        undo(desk, desk.open().versions)
        assert tree(tmp_path) == wanted
        agrees(desk)
    assert not (tmp_path / "rules").exists(), "folders that were made for it are gone as well"
    with pytest.raises(UsageError, match="nothing to take back"):
        undo(desk, desk.open().versions)


HAND = (
    "# 手写的说明，\t不可动\r\nsuppress:   # why not\r\n- {rule: han-comma, at: '会议强调,要', reason: 照录}  # one line\r\n\r\n"
    "# about the rules\r\nrules:\r\n- id: hand-one\r\n  fault: x\r\n  match: '先到'\r\n  replace: '早到'\r\n"
    "  examples:\r\n  - ['先到的', '早到的']\r\n# the end"
)


def test_what_stands_there_by_hand_stays_byte_for_byte(tmp_path: Path) -> None:
    desk = lay(tmp_path)
    path = tmp_path / "rules" / "works" / "a.yaml"
    path.parent.mkdir(parents=True)
    path.write_bytes(HAND.encode())
    desk = open_desk([tmp_path / "a.txt"], Options())[0]
    assert "早到的" in desk.open().cleaned.text
    do(desk, "refuse", "han-comma", 5, 4)
    do(desk, "accept", "ji-yi-si")
    now = path.read_bytes().decode()
    rest = now
    for entry in listed(desk.open()):
        if "如此" in entry.raw:
            rest = rest.replace(entry.raw, "", 1)
    assert rest == HAND
    assert "\n" not in now.replace("\r\n", ""), "the line ends are those of the file"
    agrees(desk)
    undo(desk, desk.open().versions)
    undo(desk, desk.open().versions)
    assert path.read_bytes() == HAND.encode()


def test_a_list_in_brackets_is_left_alone(tmp_path: Path) -> None:
    lay(tmp_path)
    path = tmp_path / "rules" / "works" / "a.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("suppress: [{rule: han-comma, at: '会议强调,要', reason: 照录}]\n", encoding="utf-8")
    desk = open_desk([tmp_path / "a.txt"], Options())[0]
    before = tree(tmp_path)
    assert listed(desk.open()) == []
    with pytest.raises(UsageError, match="laid out"):
        do(desk, "refuse", "han-comma", 5, 4)
    assert tree(tmp_path) == before
    assert "靠自己的力量" in do(desk, "accept", "ji-yi-si").state.cleaned.text
    assert path.read_text(encoding="utf-8").startswith(
        "suppress: [{rule: han-comma, at: '会议强调,要', reason: 照录}]\nrules:\n"
    )
    undo(desk, desk.open().versions)
    assert tree(tmp_path) == before


def test_an_entry_of_an_earlier_session_is_taken_out_alone(tmp_path: Path) -> None:
    desk = lay(tmp_path)
    for column in (2, 6, 4):
        do(desk, "refuse", "han-comma", 5, column)
    again = open_desk([tmp_path / "a.txt"], Options())[0]
    state = again.open()
    second = [e for e in listed(state) if e.list == "suppress"][1]
    after = take_out(again, "suppress", second.digest, state.versions)
    assert "\n一,一,一，一，一。\n" in after.cleaned.text
    assert [e.raw for e in listed(after)] == [e.raw for e in listed(state) if e is not second and e.raw != second.raw]
    agrees(again)
    with pytest.raises(UsageError, match="no such entry"):
        take_out(again, "suppress", second.digest, again.open().versions)
    for entry in listed(again.open()):
        take_out(again, entry.list, entry.digest, again.open().versions)
    assert not (tmp_path / "rules" / "works" / "a.yaml").exists()


# --- two windows, and the disk ----------------------------------------------------------------------------------


def test_a_decision_on_an_older_state_is_a_conflict_and_writes_nothing(tmp_path: Path) -> None:
    desk = lay(tmp_path)
    seen = desk.open()
    do(desk, "refuse", "han-comma", 3, 5)
    before = tree(tmp_path)
    n = number(seen, "han-comma", 5, 2)
    with pytest.raises(ConflictError) as caught:
        decide(desk, Decision("refuse", n, "han-comma", 5, 2, "r"), seen.versions)
    assert caught.value.changed == ("own",)
    with pytest.raises(ConflictError):
        undo(desk, seen.versions)
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("name", "text", "changed"),
    [
        ("a.txt", TEXT + "又一段,新的。\n", ("source",)),
        ("rules/works/a.yaml", "suppress:\n- {rule: han-full-stop, reason: r}\n", ("own",)),
        ("rules/mine.yaml", "rules:\n- {id: mine, fault: x, match: '春天', replace: '春', examples: [['春天', '春']]}\n", ("rules",)),
    ],
)  # fmt: skip
def test_a_file_that_changed_on_the_disk_is_a_conflict_and_then_the_new_state(
    tmp_path: Path, name: str, text: str, changed: tuple[str, ...]
) -> None:
    desk = lay(tmp_path)
    seen = desk.open()
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(text, encoding="utf-8")
    before = tree(tmp_path)
    with pytest.raises(ConflictError) as caught:
        decide(desk, Decision("refuse", number(seen, "han-comma"), "han-comma", 3, 5, "r"), seen.versions)
    assert caught.value.changed == changed
    assert tree(tmp_path) == before
    assert desk.open().cleaned.text != seen.cleaned.text
    do(desk, "refuse", "han-comma", 3, 5)
    agrees(desk)


def test_undo_after_an_edit_by_hand_is_refused_and_the_hand_stays(tmp_path: Path) -> None:
    desk = lay(tmp_path)
    do(desk, "refuse", "han-comma", 3, 5)
    path = tmp_path / "rules" / "works" / "a.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "# by hand\n", encoding="utf-8")
    with pytest.raises(UsageError, match="changed after that"):
        undo(desk, desk.open().versions)
    state = desk.open()
    assert "会议强调,要" in state.cleaned.text
    with pytest.raises(RuleError, match="empty"):  # nothing but a comment would be left
        take_out(desk, "suppress", listed(state)[0].digest, state.versions)
    assert path.read_text(encoding="utf-8").endswith("# by hand\n")


def test_a_fault_in_the_file_on_the_disk_is_told(tmp_path: Path) -> None:
    desk = lay(tmp_path)
    desk.open()
    path = tmp_path / "rules" / "works" / "a.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("suppress:\n- {rule: han-coma, reason: r}\n", encoding="utf-8")
    with pytest.raises(RuleError, match="han-comma"):
        desk.open()
    path.unlink()
    assert desk.open().cleaned.text


# --- what the work's own file may say -------------------------------------------------------------------------


def test_a_suppression_between_words_refuses_that_one_alone(tmp_path: Path) -> None:
    desk = lay(tmp_path)
    path = tmp_path / "rules" / "works" / "a.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("suppress:\n- {rule: han-comma, before: 强调, at: ',', after: 要抓, reason: r}\n", encoding="utf-8")
    assert "会议强调,要抓好落实，要守住。" in fresh(desk).text
    path.write_text("suppress:\n- {rule: han-comma, before: 强调, at: ',', after: 没有, reason: r}\n", encoding="utf-8")
    with pytest.raises(RuleError, match=r"W102.*强调,没有"):
        fresh(desk)
    path.write_text("suppress:\n- {rule: han-comma, before: 强调, reason: r}\n", encoding="utf-8")
    with pytest.raises(RuleError, match="say where `at` stands"):
        fresh(desk)


def test_only_the_file_of_a_work_may_refuse(tmp_path: Path) -> None:
    desk = lay(tmp_path)
    path = tmp_path / "rules" / "mine.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("suppress:\n- {rule: han-comma, reason: r}\n", encoding="utf-8")
    with pytest.raises(RuleError, match="R217"):
        fresh(desk)
    path.unlink()
    other = tmp_path / "rules" / "works" / "other.yaml"
    other.parent.mkdir()
    other.write_text("suppress:\n- {rule: han-comma, reason: r}\n", encoding="utf-8")
    assert "会议强调，要抓好" in fresh(desk).text, "what another work refuses is nothing to this one"


def test_the_sources_own_suppressions_are_kept_beside_those_of_the_room(tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "source.txt").write_text(TEXT, encoding="utf-8")
    (tmp_path / "w" / "work.yaml").write_text(
        "suppress:\n- {rule: han-comma, at: '他说,他', reason: r}\n", encoding="utf-8"
    )
    desk = open_desk([tmp_path / "w"], Options())[0]
    do(desk, "refuse", "han-comma", 3, 5)
    assert len(desk.open().cleaned.ledger.suppressed) == 2
    agrees(desk)


def test_a_passage_is_only_moved_where_both_stand_once() -> None:
    from shanben.steps.move_passage import Params, move_passage
    from shanben.values import Text

    def moved(text: str, params: Params) -> list[tuple[int, int | None]]:
        return [(c.start, c.to) for c in move_passage(Text.of(text), params)]  # type: ignore[union-attr]

    assert moved("甲乙丙丁", Params("乙", after="丁")) == [(1, 4)]
    assert moved("甲乙丙乙丁", Params("乙", after="丁")) == []
    assert moved("甲乙丙乙丁", Params("乙", after="丁", lead="甲")) == [(1, 5)]
    assert moved("甲乙丁丙丁", Params("乙", after="丁")) == []
    assert moved("甲乙丙丁", Params("乙丙", before="丙丁")) == []
    assert moved("甲乙丙丁", Params("乙")) == moved("甲乙丙丁", Params("乙", "甲", "丁")) == []


# --- the file as a text -----------------------------------------------------------------------------------------

LINES = st.lists(
    st.sampled_from(["# note", "", "suppress:", "- {rule: a, reason: r}", "- rule: b  # x\n  reason: |\n    # no comment\n    s",
                     "rules:", "- id: c\n  fault: f", "let:\n  A: 'x'", "  # deep"]),
    max_size=9,
)  # fmt: skip


@given(LINES, st.sampled_from(["suppress", "rules"]), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_an_entry_put_in_and_taken_out_leaves_every_byte(lines: list[str], name: str, end: str, final: bool) -> None:
    data = (end.join(line.replace("\n", end) for line in lines) + (end if final and lines else "")).encode()
    entry = "- rule: z\n  reason: '因为'\n"
    try:
        made = with_entry(data, name, entry)
    except (UsageError, RuleError):
        return
    found = entries(made, name)
    assert found[-1].raw.replace("\r\n", "\n").rstrip("\n").lstrip() == entry.rstrip("\n")
    left = without(made, found[-1])
    assert left in (data, data + end.encode(), data + b"\n")


@given(st.text("甲乙，\n ", min_size=1, max_size=60), st.data())
def test_a_place_is_named_by_words_that_stand_once(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    margin = data.draw(st.integers(0, 3))
    found = only_here(text, start, end, margin=margin)
    if found is None:
        return
    assert found.at == text[start:end] and found.text
    at = text.find(found.text)
    assert text.find(found.text, at + 1) < 0
    assert at + len(found.before) == start
    assert len(found.before) >= min(margin, start) and len(found.after) >= min(margin, len(text) - end)


# --- rules, tried and saved -------------------------------------------------------------------------------------

GOOD = "- id: seasons\n  fault: a season in full\n  match: '(?<=先到的是)春天'\n  replace: '春'\n  examples:\n  - ['先到的是春天。', '先到的是春。']\n"


def test_a_rule_is_tried_with_live_hits_and_its_faults_are_placed(tmp_path: Path) -> None:
    state = lay(tmp_path).open()
    tried = try_rule(GOOD, "works", [state])
    [(count, [hit])] = tried.hits.values()
    assert (count, hit.before, hit.after, hit.left, hit.line) == (1, "春天", "春", "先到的是", 13)
    faults = try_rule("- id: a\n  falt: x\n  match: '(一'\n", "works", [state]).faults
    assert ("R203", 2, 3) in [(f.code, f.place.line, f.place.column) for f in faults]
    assert ("R302", 3, 11) in [(f.code, f.place.line, f.place.column) for f in faults]
    began = time.monotonic()
    slow = try_rule("- {id: a, fault: f, match: '(a+)+$', replace: 'x', examples: [['aa', 'x']]}\n", "works", [state])
    assert [f.code for f in slow.faults] == ["too-slow"] and time.monotonic() - began < 20
    with pytest.raises(UsageError, match="no such phase"):
        try_rule(GOOD, "../x", [state])


def test_a_rule_is_saved_for_the_work_or_for_the_folder(tmp_path: Path) -> None:
    desk = lay(tmp_path)
    before = tree(tmp_path)
    done = save_rule(desk, GOOD, "work", desk.open().versions)
    assert "先到的是春。" in done.state.cleaned.text
    agrees(desk)
    undo(desk, desk.open().versions)
    assert tree(tmp_path) == before
    save_rule(desk, GOOD, "own", desk.open().versions)
    assert (tmp_path / "rules" / "my-rules.yaml").read_text(encoding="utf-8") == f"rules:\n{GOOD}"
    assert "先到的是春。" in desk.open().cleaned.text
    agrees(desk)
    bad = GOOD.replace("seasons", "bad").replace("'先到的是春。'", "'先到的是冬。'")
    with pytest.raises(RuleError):
        save_rule(desk, bad, "work", desk.open().versions)
    assert not (tmp_path / "rules" / "works").exists()


def test_in_a_checkout_decisions_go_to_its_works_and_rules_of_ones_own_never_into_the_shipped_ones() -> None:
    desk = open_desk([SEEDS / "002-lilun-xuexi"], Options())[0]
    work = desk.work()
    assert desk.own_path(work) == SEEDS.parent / "rules" / "works" / "002-lilun-xuexi.yaml"
    assert desk.rules_folder(work) == SEEDS / "002-lilun-xuexi" / "rules"


def test_a_keep_is_proposed_for_the_file_of_the_rule(tmp_path: Path) -> None:
    desk = lay(tmp_path)
    told = propose_keep(desk, desk.open(), "han-comma", "甲,乙")
    [added] = [line for line in told.diff.splitlines() if line.startswith("+ ")]
    assert added.endswith("'甲,乙']") and told.file == "rules/punctuation/width.yaml" and not told.own
    save_rule(desk, GOOD, "own", desk.open().versions)
    own = propose_keep(desk, desk.open(), "seasons", "春天里")
    assert own.own and "+  keep:\n+  - '春天里'\n" in own.diff


# --- the server -------------------------------------------------------------------------------------------------


class Server:
    """`shanben review` as a process, and requests to it over real sockets."""

    def __init__(self, sources: Path) -> None:
        self.log: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "shanben", "review", str(sources), "--no-browser"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
        )  # fmt: skip
        assert self.process.stdout and self.process.stderr
        self.url = ""
        for line in self.process.stdout:
            if "http://" in line:
                self.url = line.strip()
            if line.startswith("Ctrl-C"):
                break
        assert self.url, self.process.stderr.read()
        self.port = int(re.findall(r":(\d+)/", self.url)[0])
        self.token = self.url.partition("token=")[2]
        errors = self.process.stderr
        self._reader = threading.Thread(target=lambda: self.log.extend(errors), daemon=True)
        self._reader.start()

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Send one request; `_` in the name of a header stands for `-`, an empty value leaves it out."""
        given = {"Host": f"127.0.0.1:{self.port}", "Cookie": f"shanben-review-{self.port}={self.token}"}
        if method == "POST":
            given |= {"Origin": f"http://127.0.0.1:{self.port}", "Content-Type": "application/json"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            line.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in given.items():
                if value:
                    line.putheader(name, value)
            if body is not None:
                line.putheader("Content-Length", str(len(body)))
            line.endheaders(body)
            answer = line.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            line.close()

    def state(self, work: int = 1) -> dict[str, Any]:
        status, _, body = self.ask("GET", f"/text/{work}/state")
        assert status == 200, body
        told: dict[str, Any] = json.loads(body)
        return told

    def post(self, path: str, values: object) -> tuple[int, dict[str, Any]]:
        status, _, body = self.ask("POST", path, json.dumps(values).encode())
        return status, json.loads(body)

    def decision(self, state: dict[str, Any], unit: str, line: int, column: int, **more: Any) -> dict[str, Any]:
        names = [u[0] for u in state["units"]]
        entry = next(n for n, e in enumerate(state["entries"]) if (names[e[0]], e[2], e[3]) == (unit, line, column))
        return {"action": "refuse", "entry": entry, "unit": unit, "line": line, "column": column, "reason": "如此",
                "versions": state["room"]["versions"]} | more  # fmt: skip

    def logged(self, words: str) -> bool:
        """Wait a little for a line of the log."""
        for _ in range(50):
            if any(words in line for line in self.log):
                return True
            time.sleep(0.02)
        return False

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(20)
        self._reader.join(5)
        if self.process.stdout:
            self.process.stdout.close()
        if self.process.stderr:
            self.process.stderr.close()
        return code


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    folder = tmp_path_factory.mktemp("room")
    for name in ("a", "b", "c"):
        (folder / name).mkdir()
        (folder / name / "source.txt").write_text(TEXT, encoding="utf-8")
    server = Server(folder)
    yield server, folder
    assert server.stop() == 0
    assert any("closed" in line for line in server.log)
    assert not any("Traceback" in line for line in server.log), "".join(server.log)


def test_the_token_opens_the_room_and_stays_out_of_the_address(room: tuple[Server, Path]) -> None:
    server, _ = room
    assert len(server.token) >= 43, "256 bits"
    status, headers, _ = server.ask("GET", f"/?token={server.token}", Cookie="")
    assert (status, headers["location"]) == (303, "/")
    assert headers["set-cookie"] == f"shanben-review-{server.port}={server.token}; Path=/; HttpOnly; SameSite=Strict"
    status, headers, body = server.ask("GET", "/")
    assert status == 200 and b'href="/text/3"' in body
    status, headers, body = server.ask("GET", "/text/1")
    assert status == 200 and server.token.encode() not in body
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    wanted = {"cache-control": "no-store", "x-content-type-options": "nosniff", "x-frame-options": "DENY",
              "referrer-policy": "no-referrer"}  # fmt: skip
    assert wanted.items() <= headers.items()
    assert not [name for name in headers if name.startswith("access-control")]


def test_a_change_is_refused_the_edition_is_without_it_and_undo_brings_it_back(
    room: tuple[Server, Path], tmp_path: Path
) -> None:
    server, folder = room
    before = tree(folder)
    status, told = server.post("/text/1/decide", server.decision(server.state(), "han-comma", 3, 5))
    assert status == 200, told
    path = folder / "a" / "rules" / "works" / "a.yaml"
    assert told["written"][0] in path.read_text(encoding="utf-8")
    for name in ("edition.txt", "edition.html"):
        status, headers, body = server.ask("GET", f"/text/1/{name}")
        assert status == 200 and "会议强调,要抓好落实，要守住。".encode() in body
        assert headers["content-security-policy"].startswith("sandbox;")
    subprocess.run([sys.executable, "-m", "shanben", "clean", str(folder / "a"), "-o", str(tmp_path)], check=True)
    assert "会议强调,要抓好落实，要守住。" in (tmp_path / "a.txt").read_text(encoding="utf-8")
    status, told = server.post("/text/1/undo", {"versions": told["state"]["room"]["versions"]})
    assert status == 200 and not told["state"]["room"]["decided"]
    assert tree(folder) == before


def test_two_windows(room: tuple[Server, Path]) -> None:
    server, folder = room
    one = two = server.state(2)
    status, _ = server.post("/text/2/decide", server.decision(one, "han-comma", 3, 5))
    assert status == 200
    before = tree(folder)
    status, said = server.post("/text/2/decide", server.decision(two, "han-comma", 5, 2))
    assert status == 409 and said["changed"] == ["own"] and "nothing was written" in said["error"]
    assert tree(folder) == before
    status, said = server.post("/text/2/decide", server.decision(server.state(2), "han-comma", 5, 2))
    assert status == 200
    for _ in range(2):
        status, said = server.post("/text/2/undo", {"versions": server.state(2)["room"]["versions"]})
        assert status == 200


ATTACKS: dict[str, tuple[str, str, bytes | None, dict[str, str], int, str]] = {
    "another origin": ("POST", "/text/1/undo", b"{}", {"Origin": "http://evil.example"}, 403, "origin"),
    "the same machine, another port": ("POST", "/text/1/undo", b"{}", {"Origin": "http://127.0.0.1:1"}, 403, "origin"),
    "an opaque origin": ("POST", "/text/1/undo", b"{}", {"Origin": "null"}, 403, "origin"),
    "no origin": ("POST", "/text/1/undo", b"{}", {"Origin": ""}, 403, "origin"),
    "a form of another site": ("POST", "/text/1/undo", b"{}", {"Sec_Fetch_Site": "cross-site"}, 403, "another site"),
    "a picture on another site": ("GET", "/text/1", None, {"Sec_Fetch_Site": "cross-site"}, 403, "another site"),
    "another server of this machine": ("GET", "/text/1/state", None, {"Sec_Fetch_Site": "same-site"}, 403, "another site"),
    "a wrong token": ("GET", "/?token=" + "x" * 43, None, {"Cookie": ""}, 403, "token is wrong"),
    "an empty token": ("GET", "/?token=", None, {"Cookie": ""}, 403, "token is wrong"),
    "no cookie": ("GET", "/text/1", None, {"Cookie": ""}, 403, "no token"),
    "a wrong cookie": ("POST", "/text/1/undo", b"{}", {"Cookie": "shanben-review-1=x"}, 403, "no token"),
    "DNS rebinding": ("GET", "/text/1", None, {"Host": "evil.example"}, 421, "host"),
    "the right name, no port": ("GET", "/text/1", None, {"Host": "127.0.0.1"}, 421, "host"),
    "a host with a tail": ("GET", "/text/1", None, {"Host": "127.0.0.1.evil.example"}, 421, "host"),
    "up and away": ("GET", "/text/..%2f..%2fetc%2fpasswd", None, {}, 404, "no such address"),
    "up and away, plain": ("GET", "/text/../../etc/passwd", None, {}, 404, "no such address"),
    "up and away, twice": ("GET", "/%252e%252e/%252e%252e/etc/passwd", None, {}, 404, "no such address"),
    "NUL": ("GET", "/text/1%00", None, {}, 404, "no such address"),
    "no such work": ("GET", "/text/99", None, {}, 404, "no such work"),
    "a negative work": ("GET", "/text/-1", None, {}, 404, "no such address"),
    "an unknown address": ("GET", "/rules/works/a.yaml", None, {}, 404, "no such address"),
    "a GET that would write": ("GET", "/text/1/undo", None, {}, 405, "not asked so"),
    "another method": ("PUT", "/text/1/undo", b"{}", {}, 405, "method"),
    "a preflight": ("OPTIONS", "/text/1/undo", None, {"Origin": "http://evil.example"}, 405, "method"),
    "a form": ("POST", "/text/1/undo", b"a=b", {"Content_Type": "application/x-www-form-urlencoded"}, 415, "JSON"),
    "plain text": ("POST", "/text/1/undo", b"{}", {"Content_Type": "text/plain"}, 415, "JSON"),
    "no type": ("POST", "/text/1/undo", b"{}", {"Content_Type": ""}, 415, "JSON"),
    "no JSON": ("POST", "/text/1/undo", b"{", {}, 400, "JSON"),
    "deep JSON": ("POST", "/text/1/undo", b"[" * 200_000, {}, 400, "JSON"),
    "a list": ("POST", "/text/1/undo", b"[]", {}, 400, "JSON"),
    "no versions": ("POST", "/text/1/undo", b"{}", {}, 400, "state of the files"),
    "a path for a version": ("POST", "/text/1/undo", json.dumps({"versions": {"source": "../" * 99, "own": "", "rules": ""}}).encode(), {}, 400, "state of the files"),
    "a body for GET": ("GET", "/text/1/versions", b"x" * 10, {}, 413, "bytes"),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_logged_and_changes_nothing(room: tuple[Server, Path], name: str) -> None:
    server, folder = room
    method, path, body, headers, wanted, words = ATTACKS[name]
    before = tree(folder)
    time.sleep(0.1)  # until what the last test asked for is told
    server.log.clear()
    status, got, _ = server.ask(method, path, body, **headers)
    assert status == wanted
    assert not [h for h in got if h.startswith("access-control") or h == "set-cookie"]
    assert got["x-content-type-options"] == "nosniff"
    assert server.logged(words) and len(server.log) == 1, server.log
    assert server.log[0].startswith(f"refused {wanted} {method} ")
    assert tree(folder) == before


def peak_memory(process: int) -> int:
    """Give the most bytes of memory that a process ever had; 0 where this cannot be told."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


@pytest.mark.parametrize("chunked", [False, True])
def test_a_gigabyte_is_refused_at_once(room: tuple[Server, Path], chunked: bool) -> None:
    """Whether it is announced or comes in chunks without a length: no more than the limit is read."""
    server, folder = room
    before, memory = tree(folder), peak_memory(server.process.pid)
    server.log.clear()
    head = (
        f"POST /text/1/decide HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nOrigin: http://127.0.0.1:{server.port}\r\n"
        f"Cookie: shanben-review-{server.port}={server.token}\r\nContent-Type: application/json\r\n"
    )
    head += "Transfer-Encoding: chunked\r\n\r\n" if chunked else f"Content-Length: {1 << 30}\r\n\r\n"
    piece = b"x" * 65536
    sent = 0
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as line:
        line.sendall(head.encode())
        try:
            while sent < 1 << 30:
                line.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
                sent += len(piece)
        except OSError:
            pass
        assert sent < 64 << 20, "it hung up long before the end"
    assert server.logged("refused 413 POST /text/1/decide")
    assert peak_memory(server.process.pid) - memory < 32 << 20
    assert tree(folder) == before
    assert server.ask("GET", "/text/1/versions")[0] == 200


def test_an_answer_comes_before_the_gigabyte(room: tuple[Server, Path]) -> None:
    server, _ = room
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    line.putrequest("POST", "/text/1/decide")
    for name, value in {"Origin": f"http://127.0.0.1:{server.port}", "Content-Type": "application/json",
                        "Cookie": f"shanben-review-{server.port}={server.token}", "Content-Length": str(1 << 30)}.items():  # fmt: skip
        line.putheader(name, value)
    line.endheaders()
    assert line.getresponse().status == 413
    line.close()


def test_what_the_files_say_wrong_is_told_to_the_page(room: tuple[Server, Path]) -> None:
    server, folder = room
    path = folder / "c" / "rules" / "works" / "c.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("suppress:\n- {rule: han-coma, reason: r}\n", encoding="utf-8")
    status, _, body = server.ask("GET", "/text/3/state")
    told = json.loads(body)
    assert status == 422 and "han-comma" in told["error"] and told["code"] == "rules"
    path.unlink()
    assert server.ask("GET", "/text/3/state")[0] == 200


def test_only_this_machine_can_reach_it(room: tuple[Server, Path]) -> None:
    server, _ = room
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as line:
        line.settimeout(5)
        with pytest.raises(OSError):
            line.connect(("127.0.0.2", server.port))


def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = subprocess.run(
            [sys.executable, "-m", "shanben", "review", str(SEEDS / "002-lilun-xuexi"), "--no-browser", "--port", str(taken.getsockname()[1])],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 2 and "--port" in done.stderr


def test_the_command_says_where_decisions_go_and_what_is_wrong(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "shanben", "review", str(tmp_path / "none.txt"), "--no-browser"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3 and "none.txt" in done.stderr
    assert "review" in main.list_commands(click.Context(main))  # type: ignore[attr-defined]


# --- what an attacker found ------------------------------------------------------------------------------------


def test_a_work_called_work_breaks_nothing(tmp_path: Path) -> None:
    for name in ("work.txt", "b.txt"):
        (tmp_path / name).write_text(TEXT, encoding="utf-8")
    desks = open_desk([tmp_path], Options())
    for desk in desks:
        do(desk, "refuse", "han-comma", 3, 5)
    assert (tmp_path / "rules" / "works" / "work.yaml").is_file()
    assert [w.slug for w in find_works([tmp_path])] == ["b", "work"]
    for desk in desks:
        agrees(desk)


SAVED = "- id: {name}\n  fault: 字\n  match: '{match}'\n  replace: '丙丁'\n  examples: [['{match}。', '丙丁。']]\n"


def saved(name: str, match: str, more: str = "") -> str:
    return SAVED.format(name=name, match=match) + more


def test_a_rule_for_all_works_that_would_break_the_folder_is_not_written(tmp_path: Path) -> None:
    desk = lay(tmp_path)
    save_rule(desk, saved("mine-a", "犇犇"), "work", desk.open().versions)
    (tmp_path / "rules" / "works" / "b.yaml").write_text("rules:\n" + saved("mine-b", "羴羴"), encoding="utf-8")
    before = tree(tmp_path)
    for text in (
        saved("mine-c", "鱻鱻", "  overrides: mine-a\n"),  # which is known in this work only
        saved("mine-b", "鱻鱻"),  # which another work has
        '"let":\n  S: 鱻\nrules:\n' + saved("mine-d", "${S}鱻"),
    ):
        with pytest.raises((RuleError, UsageError)):
            save_rule(desk, text, "own", desk.open().versions)
        assert tree(tmp_path) == before
    agrees(desk)


def test_a_rule_saved_for_all_works_is_the_first_to_be_taken_back(tmp_path: Path) -> None:
    desk = lay(tmp_path)
    do(desk, "refuse", "han-comma", 3, 5)
    before = tree(tmp_path)
    save_rule(desk, saved("mine-a", "犇犇"), "own", desk.open().versions)
    assert tree(tmp_path) != before
    undo(desk, desk.open().versions)
    assert tree(tmp_path) == before
    agrees(desk)


def test_nothing_is_written_where_build_would_not_read_it(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "works").symlink_to(tmp_path / "real")
    with pytest.raises(UsageError, match="linked folder"):
        do(lay(tmp_path), "refuse", "han-comma", 3, 5)
    (tmp_path / "rules" / "works").unlink()
    for name in FOLDERS:
        (tmp_path / "rules" / name).mkdir()
    with pytest.raises(UsageError, match="whole library"):
        do(lay(tmp_path), "refuse", "han-comma", 3, 5)
    assert not list((tmp_path / "real").iterdir())
    assert not list((tmp_path / "rules").rglob("*.yaml"))


@pytest.mark.parametrize("key", ["suppress:", '"suppress":', "'suppress' :"])
def test_a_key_in_quotes_is_seen_by_room_and_build(tmp_path: Path, key: str) -> None:
    own = tmp_path / "rules" / "works" / "a.yaml"
    own.parent.mkdir(parents=True)
    own.write_text(f"{key}\n- {{rule: han-comma, at: '强调,要', reason: r}}\n", encoding="utf-8")
    desk = lay(tmp_path)
    assert "强调,要" in desk.open().cleaned.text
    agrees(desk)


def test_a_folder_of_rules_named_twice_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "x.yaml").write_text("rules:\n" + saved("mine-a", "犇犇"), encoding="utf-8")
    (tmp_path / "a.txt").write_text(TEXT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    [desk] = open_desk([tmp_path / "a.txt"], Options(rules=(Path("rules"),)))
    do(desk, "refuse", "han-comma", 3, 5)
    assert (tmp_path / "rules" / "works" / "a.yaml").is_file()


def test_a_pipe_in_the_place_of_a_file_is_told(tmp_path: Path) -> None:
    desk = lay(tmp_path)
    (tmp_path / "rules" / "works").mkdir(parents=True)
    os.mkfifo(tmp_path / "rules" / "works" / "a.yaml")
    with pytest.raises(UsageError, match="no plain file"):
        desk.versions()


def test_a_linked_own_file_stays_a_link_and_keeps_its_mode(tmp_path: Path) -> None:
    real = tmp_path / "real.yaml"
    real.write_text("suppress:\n- {rule: han-comma, at: '强调,要', reason: r}\n", encoding="utf-8")
    real.chmod(0o600)
    own = tmp_path / "rules" / "works" / "a.yaml"
    own.parent.mkdir(parents=True)
    own.symlink_to(real)
    desk = lay(tmp_path)
    before = real.read_bytes()
    do(desk, "refuse", "han-comma", 5, 2)
    assert own.is_symlink() and real.stat().st_mode & 0o777 == 0o600 and real.read_bytes() != before
    undo(desk, desk.open().versions)
    assert own.is_symlink() and real.read_bytes() == before


def test_odd_requests_are_refused_on_one_line_each(room: tuple[Server, Path]) -> None:
    server, folder = room
    before = tree(folder)
    half = {"text": "- id: x # \ud800", "where": "work", "versions": server.state()["room"]["versions"]}
    assert server.ask("POST", "/text/1/save", json.dumps(half).encode())[0] == 400
    assert server.ask("GET", "/text/" + "9" * 5000 + "/versions")[0] == 404
    name = f"shanben-review-{server.port}"
    assert server.ask("GET", "/text/1/versions", Cookie=f"{name}=x; {name}={server.token}")[0] == 200
    assert server.ask("GET", "/text/1/versions", Cookie=f"{name}=x; {name}=y")[0] == 403
    assert tree(folder) == before


def test_silent_connections_do_not_lock_the_reader_out(room: tuple[Server, Path]) -> None:
    server, _ = room
    held = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(70)]
    try:
        end = time.monotonic() + 40
        while server.ask("GET", "/text/1/versions")[0] != 200 and time.monotonic() < end:
            time.sleep(0.5)
        assert server.ask("GET", "/text/1/versions")[0] == 200
    finally:
        for one in held:
            one.close()


# --- kill −9 ----------------------------------------------------------------------------------------------------

KILLER = r"""
import json, os, random, socket, sys, time
from pathlib import Path
from shanben.review.desk import Options, open_desk
from shanben.review.server import listen, serve

folder, kills = Path(sys.argv[1]), int(sys.argv[2])
path = folder / "rules" / "works" / "a.yaml"
desk = open_desk([folder / "a.txt"], Options())[0]
desk.open()
chance = random.Random(20240219)
report = {"old": 0, "new": 0, "other": [], "killed": 0, "left": 0}
took = 0.0

def request(port, state):
    told = state.told.entries
    n = next(n for n, e in enumerate(told) if e.unit == "han-comma" and e.kind == "substitute")
    e, v = told[n], state.versions
    body = json.dumps({"action": "refuse", "entry": n, "unit": e.unit, "line": e.line, "column": e.column,
        "reason": "r" * 200_0, "versions": {"source": v.source, "own": v.own, "rules": v.rules}}).encode()
    return (f"POST /text/1/decide HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\nCookie: shanben-review-{port}=t\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n").encode() + body

for kill in range(-2, kills):
    state = desk.open()
    before = path.read_bytes() if path.exists() else b""
    door = listen(0)
    door.listen()
    port = door.getsockname()[1]
    child = os.fork()
    if not child:
        serve([desk], door, "t")
        os._exit(0)
    door.close()
    line = socket.create_connection(("127.0.0.1", port))
    began = time.monotonic()
    line.sendall(request(port, state))
    if kill < 0:
        while line.recv(65536):
            pass
        took = time.monotonic() - began
    else:
        time.sleep(took * (0.6 + 0.6 * chance.random()))
    line.close()
    os.kill(child, 9)
    report["killed"] += os.waitpid(child, 0)[1] == 9
    after = path.read_bytes() if path.exists() else b""
    names = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    report["left"] = max(report["left"], len(names) - 1)
    now = desk.open()  # loads and cleans: the file is whole
    if kill >= 0:
        # The moments stay about the one at which the file is replaced, however busy the machine is.
        took *= 1.1 if after == before else 0.9
        if after == before:
            report["old"] += 1
        elif after.startswith(before) and after.endswith(b"'\n") and len(now.cleaned.ledger.suppressed) == len(state.cleaned.ledger.suppressed) + 1:
            report["new"] += 1
        else:
            report["other"].append(after.decode("utf-8", "replace"))
    if len(now.cleaned.ledger.suppressed) > 40:
        path.unlink()
print(json.dumps(report))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills children that were forked")
def test_killed_at_any_moment_of_a_save_the_file_is_old_or_new(tmp_path: Path) -> None:
    kills = 40
    (tmp_path / "a.txt").write_text(
        "题目\n\n" + "".join(f"第{n}段里说,如此这般,就是这样。\n" for n in range(60)), encoding="utf-8"
    )
    done = subprocess.run(
        [sys.executable, "-c", KILLER, str(tmp_path), str(kills)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["other"] == [] and told["old"] + told["new"] == kills and told["killed"] >= kills
    assert told["old"] >= 3 and told["new"] >= 3, told
    assert told["left"] <= 2, "what a killed run left is cleared away by the next save"


# --- the browser ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Work through a review in Chromium and give what was seen."""
    node, chromium = programs.program("node", "nodejs"), programs.program("chromium", "google-chrome", variable="CHROMIUM")  # fmt: skip
    library, axe = programs.node_module("playwright-core"), programs.node_module("axe-core/axe.min.js")
    folder = tmp_path_factory.mktemp("browser")
    pictures = Path(os.environ.get("GATES_FOLDER") or folder)
    works = folder / "works"
    for name in ("a", "b"):
        (works / name).mkdir(parents=True)
        (works / name / "source.txt").write_text(TEXT, encoding="utf-8")
    large = "".join(f"第{n}段说,如此这般,就是这样.\n\n" for n in range(7000))
    (works / "large.txt").write_text(f"题目\n\n{large}", encoding="utf-8")
    server = Server(works)
    script = Path(programs.__file__).with_name("review_browser.cjs")
    try:
        done = subprocess.run(
            [node, str(script), str(library), chromium, str(axe), str(pictures), server.url, str(works)],
            capture_output=True, text=True, timeout=900, check=False, encoding="utf-8",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        told: dict[str, Any] = json.loads(done.stdout)
    finally:
        server.stop()
    assert not any("Traceback" in line for line in server.log), "".join(server.log)
    left = [str(p) for p in works.rglob("*.yaml") if p.stem == "a"]
    yield told | {"log": server.log, "left": left}


@pytest.mark.gate
def test_the_room_says_nothing_asks_only_itself_and_has_no_barrier(seen: dict[str, Any]) -> None:
    assert seen["messages"] == []
    assert seen["foreign"] == []
    assert len(seen["views"]) >= 12
    for view in seen["views"]:
        assert view["axe"] == [], view["name"]
        assert view["scroll"] <= view["width"], view["name"]
        bright = [sum(map(int, re.findall(r"\d+", view[key])[:3])) for key in ("paper", "ink")]
        assert (bright[0] > bright[1]) == (view["colorScheme"] == "light"), view["name"]


@pytest.mark.gate
def test_a_reader_filters_jumps_refuses_sees_the_edition_and_takes_back(seen: dict[str, Any]) -> None:
    told = seen["refused"]
    assert told["filtered"] == "8" and told["jumped"] == "13"
    assert told["reason"] == "原文此处不误"
    assert "会议强调,要抓好落实，要守住。" in told["clean"]
    assert told["own"].startswith("suppress:\n- rule: han-comma\n") and "引文如此" in told["own"]
    assert "会议强调,要抓好落实，要守住。" in told["edition"]
    assert told["decided"] == 1 and told["suppressed"] >= 1
    assert told["afterUndo"] is None and "会议强调，要抓好落实，要守住。" in told["cleanAfterUndo"]


@pytest.mark.gate
def test_the_keyboard_alone_is_enough_for_all_of_it(seen: dict[str, Any]) -> None:
    told = seen["keys"]
    assert told["queue"] == ["1 / 2", "shi-tu"]
    assert told["afterAccept"] == ["1 / 1", "shi-tu"]
    assert "靠自己的力量" in told["clean"] and "李博土" in told["clean"]
    assert "“自己”才通" in told["own"] and "rule: shi-tu" in told["own"]
    assert told["edited"].count("他说；他来") == 1
    assert told["left"] == 0 and told["undone"] is None
    assert told["help"] is True and told["focusKept"] is True


@pytest.mark.gate
def test_two_windows_and_a_changed_file_lose_nothing_and_say_so(seen: dict[str, Any]) -> None:
    told = seen["windows"]
    assert "另一窗口" in told["notice"] and "仍在" in told["notice"]
    assert told["typedAgain"] == "第二个窗口的理由"
    assert told["bothWritten"] == 2
    assert "来源文件已改变" in told["source"] and "又添一段" in told["sourceShown"]
    assert "没有应答" in told["offline"] and told["offlineTyped"] == "断线时写的"


@pytest.mark.gate
def test_a_rule_is_tried_while_it_is_written(seen: dict[str, Any]) -> None:
    told = seen["trial"]
    assert told["count"] == "命中 4 处" and told["hits"] == 2
    assert any(f.startswith("2:3") and "R203" in f for f in told["faults"])
    assert "春。" in told["saved"]


@pytest.mark.gate
def test_twenty_thousand_changes_stay_usable(seen: dict[str, Any]) -> None:
    told = seen["large"]
    assert told["changes"] >= 20_000
    assert told["toNext"] < 2_000, "the next change can be looked at while the last decision is written"
    assert told["marked"] < 2_000, "what was decided is marked at once"
    assert told["written"] and "suppress" in told["own"]
    assert 1 <= told["sentForFour"] <= 3, "what waits is written together"
    assert told["oneBack"]


@pytest.mark.gate
def test_a_page_of_another_origin_gets_nothing_and_changes_nothing(seen: dict[str, Any]) -> None:
    told = seen["attack"]
    assert told["read"] == told["write"] == told["blind"] == "no: TypeError"
    assert told["picture"] == told["script"] == "no"
    assert told["frame"] in ("sealed", "never")
    assert told["form"].startswith("403")
    refused = [line for line in seen["log"] if line.startswith("refused 403") and "another site" in line]
    assert len(refused) >= 5, seen["log"]
    assert seen["left"] == []


def test_the_words_are_there_in_both_languages() -> None:
    from shanben.report.page import words as report_words
    from shanben.review.page import words

    english, chinese = words()["en"], words()["zh"]
    assert english.keys() == chinese.keys()
    data = Path(programs.ROOT / "converters/shanben/data")
    used = set(re.findall(r"data-w(?:-label|-ph)?=\"([\w-]+)\"", (data / "review.html").read_text(encoding="utf-8")))
    used |= set(re.findall(r"\bw\('([\w-]+)'\)", (data / "review.js").read_text(encoding="utf-8")))
    assert used <= english.keys() | report_words()["en"].keys()
    assert all(english.values()) and all(chinese.values())
