"""The measure of `benchmarks/columns.py` says what it should, and the cases it runs on are those that are made."""

from __future__ import annotations

import importlib.util
import itertools
import json
import random
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.columns import (
    CASES,
    HAN,
    LATIN,
    Case,
    Score,
    distance,
    false_moves,
    find_cases,
    main,
    matches,
    measure,
    ordered_by_gold,
    run,
    stretches,
    table,
)

FOLDERS = find_cases(CASES)
ALPHABET = [chr(0x4E00 + i) for i in range(900)]


def han(size: int, seed: int = 5) -> str:
    """Give Han text that says nothing and repeats itself by chance alone."""
    draw = random.Random(seed)  # noqa: S311 - repeatable
    return "".join(draw.choice(ALPHABET) for _ in range(size))


def score(gold: str, output: str, source: str | None = None, language: str = "zh-Hans") -> Score:
    """Score an output; the input is the gold text unless another is given."""
    return measure(Case("x", "F", language, False, gold if source is None else source, gold), output)


def share(output: str, gold: str) -> float:
    found = score(gold, output)
    return found.right / found.joints


# --- joints ------------------------------------------------------------------------------------------------------


def test_a_text_is_right_in_itself() -> None:
    text = han(2000)
    found = score(text, text)
    assert (found.joints, found.right, found.broken, found.error_rate) == (99, 99, 0, 0)
    assert not found.touched


def test_misread_characters_are_tolerated() -> None:
    text = han(2000)
    draw = random.Random(3)  # noqa: S311 - repeatable
    noisy = "".join(draw.choice(ALPHABET) if draw.random() < 0.08 else c for c in text)
    found = score(text, noisy)
    assert found.right >= 0.97 * found.joints
    assert found.error_rate == pytest.approx(0.08, abs=0.02)


def test_lost_and_doubled_characters_are_tolerated() -> None:
    text = han(1200)
    gaps = "".join(c for i, c in enumerate(text) if i % 14)
    assert share(gaps, text) == 1
    assert share("".join(c * 2 if i % 14 == 0 else c for i, c in enumerate(text)), text) == 1


@pytest.mark.parametrize(("line", "most"), [(14, 0.16), (20, 0.16), (24, 0.3)])
def test_interleaved_columns_score_low(line: int, most: float) -> None:
    text = han(2000)
    lines = [text[i : i + line] for i in range(0, len(text), line)]
    half = len(lines) // 2
    mixed = "\n".join(x for pair in zip(lines[:half], lines[half:], strict=False) for x in pair)
    assert share(mixed, text) <= most


@pytest.mark.parametrize("start", [400, 407, 413, 419])
def test_one_far_move_breaks_three_places(start: int) -> None:
    text = han(2000)
    end = start + 40
    moved = text[:start] + text[end:1500] + text[start:end] + text[1500:]
    found = score(text, moved)
    assert 3 <= found.broken <= 6
    assert found.fixed == 0
    back = score(text, text, source=moved)
    assert (back.fixed, back.broken) == (found.broken, 0)


def test_the_order_of_articles_is_free() -> None:
    one, two, three = (han(500, seed) for seed in (1, 2, 3))
    gold = "\n\n".join([one, two, three])
    for output in (two + three + one, three + "\n" + two + "\n" + one):
        found = score(gold, output)
        assert found.right == found.joints == 72
        assert found.error_rate == 0


def test_an_article_cut_in_two_by_another_is_wrong_once() -> None:
    one, two = han(500, 1), han(500, 2)
    found = score(f"{one}\n\n{two}", one[:250] + two + one[250:])
    assert 1 <= found.broken <= 2


def test_what_ocr_did_not_read_does_not_count() -> None:
    text = han(400)
    half = text[:200]
    found = score(text, half, source=half)
    assert found.joints == found.right
    assert 8 <= found.joints <= 10
    assert score(text, "", source="").joints == 0


def test_marks_and_widths_do_not_count() -> None:
    gold = "他说：“今天的会，大家都要来。”说完，他把ＡＢＣ三张纸贴在墙上，慢慢地走回了自己的座位"
    other = '他说 : "今天的会,大家 都要来."\n说完,他把ABC三张纸贴在墙上,慢慢地走回了自己的座位'
    found = score(gold, other)
    assert found.joints == found.right == 1
    assert found.error_rate < 0.03


def test_hyphens_at_line_ends_do_not_count() -> None:
    gold = "The engineers had to redesign the eastern pier when a survey found an old brick culvert beneath the bank."
    broken = gold.replace("redesign", "re-\ndesign").replace("culvert", "cul-\nvert")
    found = score(gold, broken, language="en")
    assert found.joints == found.right == 1
    assert found.error_rate == 0


def test_stretches_reach_over_the_centres_of_two_windows() -> None:
    text = han(100)
    assert stretches(text, HAN)[:2] == [text[6:34], text[26:54]]
    assert [len(s) for s in stretches("word " * 40, LATIN)] == [54, 54, 54]
    assert stretches(han(19), HAN) == []


# --- lost and doubled text ---------------------------------------------------------------------------------------


def test_half_of_a_text_lost_is_seen() -> None:
    text = han(1000)
    found = score(text, text[:500])
    assert found.lost == 500
    assert found.added == 0
    assert found.broken >= 24
    assert found.error_rate == 0.5


def test_a_third_doubled_is_seen() -> None:
    text = han(900)
    found = score(text, text + text[:300])
    assert (found.lost, found.added, found.broken) == (0, 300, 0)
    assert found.error_rate == pytest.approx(1 / 3)


# --- edit distance -----------------------------------------------------------------------------------------------


def by_the_book(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        last, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (a != b))
    return row[-1]


SHORT = st.text("甲乙丙ab", max_size=90)


@given(SHORT, SHORT)
def test_distance_is_that_of_the_book(one: str, other: str) -> None:
    assert distance(one, other) == by_the_book(one, other)


@given(SHORT, SHORT)
def test_matches_are_an_alignment_of_least_distance(one: str, other: str) -> None:
    pairs = matches(one, other)
    assert all(one[i] == other[j] for i, j in pairs)
    marks = [(-1, -1), *pairs, (len(one), len(other))]
    steps = [(i - h - 1, j - k - 1) for (h, k), (i, j) in itertools.pairwise(marks)]
    assert all(a >= 0 and b >= 0 for a, b in steps)
    assert sum(max(step) for step in steps) == distance(one, other)


# --- the oracle ----------------------------------------------------------------------------------------------------


def woven(text: str, width: int = 20) -> list[str]:
    """Give two columns read across: their lines in turn."""
    lines = [text[i : i + width] for i in range(0, len(text), width)]
    half = len(lines) // 2
    return [line for pair in zip(lines[:half], lines[half:], strict=True) for line in pair]


def sorted_by_gold(text: str, gold: str) -> str:
    return ordered_by_gold(Case("x", "F", "zh-Hans", False, text, gold))


def test_the_oracle_undoes_woven_columns() -> None:
    gold = han(800)
    output = sorted_by_gold("\n".join(woven(gold)), gold)
    assert "".join(output.split()) == gold


def test_the_oracle_bears_misread_characters() -> None:
    gold = han(800)
    draw = random.Random(9)  # noqa: S311 - repeatable
    noisy = "".join(draw.choice(ALPHABET) if draw.random() < 0.05 else c for c in gold)
    source = "\n".join(woven(noisy))
    found = score(gold, sorted_by_gold(source, gold), source)
    assert found.right >= 0.95 * found.joints
    assert (found.lost, found.added) == (0, 0)


def test_the_oracle_takes_headlines_out_and_loses_nothing() -> None:
    gold, headline = han(400), han(16, seed=8)
    source = "\n".join([gold[:200], f"《{headline}》", gold[200:]])
    output = sorted_by_gold(source, gold)
    assert gold in "".join(output.split())
    assert sorted(output.replace("\n", "")) == sorted(source.replace("\n", ""))


@pytest.mark.parametrize("text", ["", "——\n……", "甲"])
def test_the_oracle_leaves_what_it_cannot_place(text: str) -> None:
    assert sorted_by_gold(text, han(100)) == text


# --- the table and the program -----------------------------------------------------------------------------------


def test_the_table_sums_joints_and_keeps_negatives_apart() -> None:
    text = han(1000)
    spoilt = text[500:] + text[:500]
    cases = [Case("a", "S1", "zh-Hans", False, spoilt, text), Case("b", "S3", "zh-Hans", True, text, text)]
    scores = [measure(cases[0], text), measure(cases[1], spoilt)]
    rows = {row.name: row for row in table(scores)}
    assert list(rows) == ["S1", "S3 (neg)", "ALL to repair", "ALL negatives"]
    assert rows["S1"].order == 100 > rows["S1"].order_before
    assert rows["ALL negatives"].broken == scores[1].broken > 0
    assert f"false moves: {scores[1].broken} of 49" in false_moves(scores)


def test_the_program_prints_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "report.json"
    assert main(["--gold", "--family", "S1-seedlike", "--per-case", "--json", str(report)]) == 0
    printed = capsys.readouterr().out
    assert "s1-swap-report" in printed
    assert "S1-seedlike" in printed
    assert "S3-clean" not in printed
    written = json.loads(report.read_text(encoding="utf-8"))
    assert written["rows"][0]["order"] == 100
    assert {case["family"] for case in written["cases"]} == {"S1-seedlike"}


def test_the_program_prints_the_repair_beside_the_oracle(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--oracle", "--family", "S2-rowwise", "--per-case"]) == 0
    printed = capsys.readouterr().out
    beside = re.findall(r"order +([\d.]+) -> +([\d.]+) \(repair +([\d.]+)\)", printed)
    assert beside
    for before, best, repaired in beside:
        assert float(before) < float(repaired) <= float(best)


def test_the_program_measures_outputs_made_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = CASES / "s2-two-columns"
    shutil.copytree(folder, tmp_path / "cases" / folder.name)
    (tmp_path / f"{folder.name}.txt").write_bytes((folder / "gold.txt").read_bytes())
    assert main([str(tmp_path / "cases"), "--outputs", str(tmp_path)]) == 0
    assert " 100.00 " in capsys.readouterr().out


def test_a_folder_without_cases_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert "no cases" in capsys.readouterr().err


# --- the cases ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: p.name)
def test_gold_is_all_right_and_inputs_are_what_they_say(folder: Path) -> None:
    gold = run(folder, lambda case: case.gold)
    assert gold.joints > 0
    assert (gold.right, gold.error_rate) == (gold.joints, 0)
    source = run(folder, lambda case: case.input)
    assert (source.lost, source.added, source.fixed, source.broken) == (0, 0, 0, 0)
    if source.negative:
        # A page change with its running head and jump lines stands in one joint of one case, as on a real page.
        assert source.joints - source.right <= (folder.name == "n-tool-furniture")
    else:
        assert source.right < source.joints
    assert (folder / "input.txt").stat().st_size <= 3072


def test_every_family_has_a_case() -> None:
    found = {json.loads((folder / "meta.json").read_text(encoding="utf-8"))["family"] for folder in FOLDERS}
    pages = {"issue", "pdf-layout", "pdf-plain", "pdf-raw", "rapid-yx", *(f"tess-psm{n}" for n in (3, 4, 6, 11))}
    assert found == pages | {"S1-seedlike", "S2-rowwise", "S3-clean", "N-tool-inorder"}


def generator() -> ModuleType:
    """Import the program that makes the cases from where it lies, beside them."""
    spec = importlib.util.spec_from_file_location("make_column_cases", CASES / "make_cases.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_cases_are_what_make_cases_makes(tmp_path: Path) -> None:
    make_cases = generator()
    assert make_cases.differences() == []
    assert len(make_cases.differences(tmp_path)) == 3 * len(FOLDERS)
