"""The measure of restoration by hand on small cases, and the texts that it starts from."""

from __future__ import annotations

import random
import shutil

import pytest

from benchmarks.restoration import (
    CASES,
    FAULTS,
    ZHLINT_PROGRAM,
    Score,
    _printed,
    damaged,
    edits,
    read_texts,
    score,
    straight_quotes,
    tools,
)
from shanben.pipeline import clean

TEXTS = read_texts(CASES / "texts", by="text")
HELD_OUT = read_texts(CASES / "held-out" / "texts", by="text")


@pytest.mark.parametrize(
    ("source", "result", "expected"),
    [
        ("甲乙丙", "甲乙丙", set()),
        ("甲,乙", "甲，乙", {(1, 2, "，")}),
        ("甲,乙;", "甲，乙；", {(1, 2, "，"), (3, 4, "；")}),
        ("等...了", "等……了", {(1, 4, "……")}),
        ("甲 乙", "甲乙", {(1, 2, "")}),
        ("甲乙", "甲丙乙", {(1, 1, "丙")}),
    ],
)
def test_edits(source: str, result: str, expected: set[tuple[int, int, str]]) -> None:
    assert edits(source, result) == expected


def test_score_counts_edits_that_were_due_and_made() -> None:
    found = score("甲,乙;丙.", "甲，乙；丙。", "甲，乙:丙.")
    assert found == Score(due=3, made=2, right=1)
    assert (found.precision, found.recall) == (1 / 2, 1 / 3)
    assert found.f1 == pytest.approx(0.4)
    assert Score().f1 == 1.0 and Score(due=1).f1 == 0.0 and Score(made=1).f1 == 0.0
    assert Score(1, 2, 1) + Score(2, 1, 0) == Score(3, 3, 1)


def test_doing_nothing_scores_nothing() -> None:
    assert score("甲,乙", "甲，乙", "甲,乙") == Score(due=1, made=0, right=0)


@pytest.mark.parametrize("fault", list(FAULTS))
def test_damage_is_the_same_each_time_and_does_something(fault: str) -> None:
    text = "".join(TEXTS.values())
    worse = damaged(text, fault, 1.0)
    assert worse != text
    assert worse == damaged(text, fault, 1.0)
    assert damaged(text, fault, 1.0, seed=1) != "" and damaged("甲乙", fault, 0.0) == "甲乙"


def test_addresses_and_code_are_not_damaged() -> None:
    text = "见https://a.example.org/b1，运行`a(1)`。"
    assert damaged(text, "wide letters", 1.0) == text
    assert damaged(text, "half-width marks", 1.0).replace(" ", "") == "见https://a.example.org/b1,运行`a(1)`."


def test_quotes_are_damaged_in_pairs() -> None:
    assert straight_quotes("他说：“‘好’了。”", random.Random(0), 1.0) == "他说：\"'好'了。\""  # noqa: S311
    assert straight_quotes("他說：「『好』了。」", random.Random(0), 1.0) == "他說：\"'好'了。\""  # noqa: S311


def test_printed_lines_hold_the_whole_paragraph() -> None:
    line = "他说：“用Python写的程序，在20行以内。”"
    pieces = _printed(line, 8)
    assert "".join(pieces) == line
    assert all(piece[0] not in "，。：”" for piece in pieces) and "Python" in " ".join(pieces)


def test_there_are_enough_texts_and_lines() -> None:
    keep = (CASES / "keep.txt").read_text("utf-8").splitlines()
    assert len(TEXTS) >= 12 and len(keep) >= 400
    assert not set(TEXTS.values()) & set(HELD_OUT.values())


@pytest.mark.parametrize("name", [*TEXTS, *HELD_OUT])
def test_the_clean_texts_are_at_rest(name: str) -> None:
    text = (TEXTS | HELD_OUT)[name]
    assert clean(text).text == text


@pytest.mark.parametrize("fault", ["half-width marks", "straight quotes", "wide letters", "radicals", "entities"])
def test_what_has_one_reading_comes_back_whole(fault: str) -> None:
    name = "report"
    assert clean(damaged(TEXTS[name], fault, 1.0)).text == TEXTS[name]


def test_a_tool_that_is_not_there_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    found = [name for name, _ in tools("/nowhere/python", "/nowhere", ["shanben", "pangu"])]
    assert found == ["shanben"]
    assert "pip install pangu" in capsys.readouterr().err


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_a_folder_without_zhlint_is_told(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    assert not list(tools("/nowhere/python", str(tmp_path), ["zhlint"]))
    assert "npm install zhlint" in capsys.readouterr().err
    assert "zhlint" in ZHLINT_PROGRAM
