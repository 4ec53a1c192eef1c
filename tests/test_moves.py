"""What is told about moved text: places, contexts, certainty; and the picture of it, in two extreme cases and worse."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from lxml import html as lxml_html

import shanben.work_cleaning
from shanben.cli import main
from shanben.errors import LedgerError
from shanben.ledger import Capture, Change, Held, Ledger, Note, Pass, Suggestion
from shanben.moves import MovePicture, as_values, moves_of, to_html, to_svg
from shanben.pipeline import Cleaned, clean, text_digest
from shanben.values import Decoding, Segment, Source
from shanben.works import Work

SVG = "{http://www.w3.org/2000/svg}"
HANS = "天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往秋收冬藏闰余成岁律吕调阳云腾致雨露结为霜金生丽水玉出昆冈"


def unit(*changes: Change, name: str = "column-order", number: int = 1) -> Pass:
    return Pass(name, "layout", "", number, changes)


def ledger(passes: Iterable[Pass], findings: Iterable[Suggestion | Held | Capture] = (), size: int = 0) -> Ledger:
    notes = tuple(Note("column-order", 1, 1, f) for f in findings)
    decoding = Decoding("utf-8", 1.0, (), (Segment(0, size, "utf-8"),))
    return Ledger("", 0, decoding, "", "", passes=tuple(passes), notes=notes)


def told(text: str, *passes: Pass, findings: Iterable[Suggestion | Held | Capture] = ()) -> MovePicture:
    return moves_of(text, ledger(passes, findings), name="报纸.txt")


def move(text: str, part: str, before: str | None, gain: float | None = 20.0, reason: str = "") -> Change:
    """Move ``part`` before ``before``, each given by its words; None: behind all else."""
    return Change(
        text.index(part), part, part, to=len(text) if before is None else text.index(before), gain=gain, reason=reason
    )


def reading(picture: MovePicture) -> list[str]:
    return [picture.lines[i].text for i in picture.order]


def columns(rows: int, count: int = 3, gain: float = 20.0) -> tuple[str, Pass, list[str]]:
    """Give columns read across row by row, their repair, and the lines in the right order."""
    lines = [[f"{HANS[column * 9]}栏第{row}行的文字在这里\n" for row in range(rows)] for column in range(count)]
    across = [lines[column][row] for row in range(rows) for column in range(count)]
    text = "".join(across)
    starts = [0]
    for line in across:
        starts.append(starts[-1] + len(line))
    changes = [
        Change(
            starts[row * count + column], lines[column][row], lines[column][row], to=len(text), gain=gain + row % 3,
            reason="columns read across",
        )
        for column in range(1, count)
        for row in range(rows)
    ]  # fmt: skip
    return text, unit(*changes), [one.strip() for column in lines for one in column]


def scattered(lines: int, moved: int, seed: int = 0) -> tuple[str, Pass]:
    """Give a text of which some lines moved far away."""
    chosen = random.Random(seed).sample(range(1, lines - 1), 2 * moved)  # noqa: S311 - a sample, no secret
    text = "".join(f"{i:05d}行{HANS[i % 40 : i % 40 + 8]}\n" for i in range(lines))
    size = len(text.split("\n", 1)[0]) + 1
    changes, free = [], set(range(lines))
    for a, b in zip(chosen[::2], chosen[1::2], strict=True):
        if a in free and b in free:
            part = text.split("\n")[a] + "\n"
            changes.append(Change(text.index(part), part, part, to=b * size, gain=float(5 + a % 30)))
            free -= {a}
    return text, unit(*changes)


# --- values ------------------------------------------------------------------------------------------------


def test_a_move_is_told_with_both_places_and_both_contexts() -> None:
    text = "第一行在这里\n第三行在后面\n第二行走错了\n第四行是尾声\n"
    picture = told(text, unit(move(text, "第二行走错了\n", "第三行", 31.44, "the sentence goes on")))
    (block,) = picture.blocks
    assert (block.line, block.column, block.target) == (3, 1, (2, 1))
    assert (block.old.before, block.text, block.old.after) == ("第三行在后面", "第二行走错了", "第四行是尾声")
    assert (block.new.before, block.new.after) == ("第一行在这里", "第三行在后面")
    assert (block.gain, block.certainty, block.reason) == (31.44, "strong", "the sentence goes on")
    assert reading(picture) == ["第一行在这里", "第二行走错了", "第三行在后面", "第四行是尾声"]
    assert picture.headline() == "1 block moved (1 of 4 lines)."


def test_adjacent_lines_that_went_to_one_place_are_one_block_as_sure_as_its_weakest_part() -> None:
    text = "甲\n丙\n丁\n乙\n戊\n"
    picture = told(text, unit(move(text, "丙\n", "戊", 20.0, "one"), move(text, "丁\n", "戊", 9.0, "two")))
    (block,) = picture.blocks
    assert (block.lines, block.text, block.gain, block.certainty) == (2, "丙\n丁", 9.0, "weak")
    assert block.reason == "one; two"
    assert reading(picture) == list("甲乙丙丁戊")


def test_neighbours_that_part_company_are_two_blocks() -> None:
    text = "甲\n丙\n丁\n乙\n戊\n"
    picture = told(text, unit(move(text, "丁\n", None), move(text, "丙\n", "戊")))
    assert [(b.text, b.target) for b in picture.blocks] == [("丙", (5, 1)), ("丁", None)]
    assert reading(picture) == list("甲乙丙戊丁")


def test_lines_of_one_length_that_go_to_one_place_keep_their_own_places() -> None:
    text, repair, right = columns(6)
    picture = told(text, repair)
    assert reading(picture) == right
    assert [b.line for b in picture.blocks] == [2, 5, 8, 11, 14, 17, 3, 6, 9, 12, 15, 18]
    assert [len(g) for g in picture.groups] == [6, 6]
    assert [b.text for b in picture.groups[0]] == right[6:12]


def test_columns_read_across_get_a_colour_each() -> None:
    text, repair, _ = columns(50)
    picture = told(text, repair)
    assert {(s.text[0], s.strand, s.colour) for s in picture.lines} == {
        (HANS[0], 1, 0), (HANS[9], 2, 1), (HANS[18], 3, 2),
    }  # fmt: skip


def test_a_block_from_far_away_does_not_colour_what_it_left() -> None:
    text = "".join(f"第{i}行\n" for i in range(100, 160))
    picture = told(text, unit(move(text, "第140行\n第141行\n第142行\n第143行\n", "第105行")))
    assert [s.line for s in picture.lines if s.colour >= 0] == [41, 42, 43, 44]
    assert picture.blocks[0].lines == 4


def test_places_are_those_of_the_source_whatever_other_rules_did() -> None:
    text = "页眉页眉\n甲，好\n丙丙&amp;丙\n乙乙乙\n尾\n"
    without = text.replace("页眉页眉\n", "")
    short = without.replace("&amp;", "&")
    joined = "甲，好\n乙乙乙\n丙丙&丙\n尾\n"
    passes = [
        unit(Change(0, "页眉页眉\n", ""), name="furniture"),
        unit(Change(without.index("&"), "&amp;", "&"), name="html-entities"),
        unit(move(short, "丙丙&丙\n", "尾"), Change(3, "\n", "\n\n")),
        unit(Change(3, "\n\n", "\n"), name="blank-lines"),
        unit(Change(1, "，", ","), number=2, name="comma"),
        unit(move(joined.replace("，", ","), "尾\n", "甲"), number=2),
    ]
    picture = told(text, *passes)
    assert [(b.round, b.line, b.column, b.target) for b in picture.blocks] == [(1, 3, 1, (5, 1)), (2, 5, 1, (2, 1))]
    assert reading(picture) == ["尾", "甲，好", "乙乙乙", "丙丙&amp;丙"]
    assert [s.text for s in picture.lines if s.removed] == ["页眉页眉"]


def test_lines_that_ended_in_a_space_are_lines() -> None:
    page = " ".join(HANS[i : i + 12] for i in range(0, 24, 2)) + "\n\n第一章 总则\n"
    part = HANS[4:16] + " "
    picture = told(page, unit(move(page, part, HANS[16:28] + " ")))
    assert picture.lines[2].place == "1:27" and picture.lines[2].block == 1
    assert len(picture.lines) == 13 and picture.lines[-1].text == "第一章 总则"
    assert picture.blocks[0].lines == 1


def test_words_within_a_line_may_move() -> None:
    text = "left one   right one\nleft two   right two\n"
    picture = told(text, unit(move(text, "right one\n", None), move(text, "   right two", None)))
    assert reading(picture) == ["left one", "left two", "right one", "right two"]
    assert [(b.line, b.column) for b in picture.blocks] == [(1, 12), (2, 12)]
    assert [s.place for s in picture.lines] == ["1", "1:12", "2", "2:12"]


def test_suggestions_are_told_with_their_target_where_they_have_one() -> None:
    text = "甲甲\n乙乙\n丙丙\n丁丁\n"
    findings = [
        Suggestion(3, "乙乙\n", "", "alone here", 6.0),
        Suggestion(3, "乙乙\n丙丙\n", "丙丙\n乙乙\n", "the other way round", 7.0),
        Suggestion(9, "丁丁\n", "丁丁\n", "goes on", 8.0),
        Held("a limit"),
        Capture(0, "date", "2020"),
    ]
    picture = told(text, findings=findings)
    assert not picture.blocks and not picture.cuts
    assert [(p.line, p.target, p.text, p.gain) for p in picture.suggestions] == [
        (2, None, "乙乙", 6.0), (2, (4, 1), "乙乙", 7.0), (4, None, "丁丁", 8.0),
    ]  # fmt: skip
    assert picture.headline() == "No line was moved; 3 suggestions not carried out."


def test_gaps_stand_where_the_text_breaks_off() -> None:
    text, repair, right = columns(5)
    final = "".join(f"{line}\n" for line in right)
    findings = [
        Suggestion(final.index(right[5]), "", "", "cut: the foot of the page is lost"),
        Suggestion(final.index(right[2]) - 1, "", "", "cut: a hole"),
        Suggestion(len(final), "", "", "cut: the end is lost"),
    ]
    picture = told(text, repair, findings=findings)
    assert [(p.reason, p.rows, p.in_source, p.behind) for p in picture.cuts] == [
        ("the foot of the page is lost", (1,), False, False),
        ("a hole", (6,), False, False),
        ("the end is lost", (14,), True, True),
    ]
    assert picture.cuts[0].context.before == right[4]


def test_suggestions_of_other_units_are_told_elsewhere() -> None:
    notes = (Note("pair-quotes", 1, 1, Suggestion(0, "“", "”", "odd")),)
    assert moves_of("“甲", ledger(())._replace(notes=notes)).proposals == ()


def test_a_ledger_that_does_not_fit_is_refused() -> None:
    with pytest.raises(LedgerError):
        told("甲\n乙\n", unit(Change(0, "丙\n", "丙\n", to=4)))


@st.composite
def texts_with_moves(draw: st.DrawFn) -> tuple[str, list[Pass]]:
    """Give a text and passes of moves, edits and removals over it."""
    words = draw(st.lists(st.text("甲乙 丙a，", max_size=5), min_size=1, max_size=12))
    text = now = "\n".join(words) + "\n"
    passes = []
    for number in range(draw(st.integers(1, 4))):
        starts = [0, *(m.end() for m in re.finditer("\n", now))]
        stretches = list(pairwise(starts))
        chosen = draw(st.lists(st.sampled_from(stretches), unique=True, max_size=5)) if stretches else []
        changes = []
        for a, b in chosen:
            kind = draw(st.sampled_from(["move", "delete", "rewrite"]))
            if kind == "move":
                inside = {o for s, e in chosen for o in range(s + 1, e)}
                to = draw(st.sampled_from([o for o in [*starts, len(now)] if o not in inside and not a < o < b]))
                changes.append(Change(a, now[a:b], now[a:b], to=to, gain=draw(st.none() | st.floats(0, 50))))
            else:
                changes.append(Change(a, now[a:b], "" if kind == "delete" else draw(st.text("丁 戊\n", max_size=6))))
        if changes:
            passes.append(unit(*changes, number=number + 1))
            now = ledger([passes[-1]]).replay(now)
    return text, passes


@given(texts_with_moves())
def test_every_line_stands_once_in_the_source_and_at_most_once_in_the_reading_order(
    case: tuple[str, list[Pass]],
) -> None:
    text, passes = case
    picture = told(text, *passes)
    assert len(set(picture.order)) == len(picture.order)
    assert all(not picture.lines[i].removed for i in picture.order)
    assert {i for i, s in enumerate(picture.lines) if not s.removed} == set(picture.order)
    kept = "".join(s.text for s in picture.lines)
    assert [c for c in kept if not c.isspace()] == [c for c in text if not c.isspace()]
    if all(c.to is not None for p in passes for c in p.changes):
        assert "".join("".join(reading(picture)).split()) == "".join(ledger(passes).replay(text).split())
    numbers = [b.number for b in picture.blocks]
    assert numbers == list(range(1, len(numbers) + 1))
    etree.fromstring(to_svg(picture).encode())
    json.dumps(as_values(picture))
    assert to_html(picture) == to_html(told(text, *passes))


@given(st.permutations(range(9)))
def test_the_reading_order_is_that_of_the_repaired_text(order: Sequence[int]) -> None:
    lines = [f"{HANS[i]}行\n" for i in range(9)]
    text = "".join(lines)
    repair = unit(*(Change(3 * i, lines[i], lines[i], to=len(text)) for i in order))
    assert reading(told(text, repair)) == [lines[i].strip() for i in order]


# --- pictures ----------------------------------------------------------------------------------------------


def pieces(svg: str, name: str) -> list[etree._Element]:
    return [e for e in etree.fromstring(svg.encode()).iter() if name in (e.get("class") or "").split()]


def test_the_svg_says_what_it_shows_and_needs_nothing_else() -> None:
    text, repair = scattered(528, 20)
    svg = to_svg(
        told(text, repair, findings=[Suggestion(0, text[:14], "", "alone", 3.0), Suggestion(140, "", "", "cut: hole")])
    )
    root = etree.fromstring(svg.encode())
    assert root.get("role") == "img"
    ids = {e.get("id"): e for e in root.iter(f"{SVG}title", f"{SVG}desc") if e.get("id")}
    assert [ids[i].tag for i in (root.get("aria-labelledby") or "").split()] == [f"{SVG}title", f"{SVG}desc"]
    assert "of 528 lines" in (ids["moves-desc"].text or "")
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|url\(|@import|<script|<image|\son\w+=", svg)
    assert "prefers-color-scheme: dark" in svg
    strong, weak = pieces(svg, "strong"), pieces(svg, "core")
    count = len(repair.changes)
    assert len(strong) - 1 + len(weak) - 1 == count  # one more of each in the legend
    assert len(pieces(svg, "maybe")) == 2 and len(pieces(svg, "cut")) == 2
    assert svg.count("nats") > count


def test_the_svg_prints_every_line_of_a_short_text() -> None:
    text, repair, right = columns(50)
    svg = to_svg(told(text, repair))
    words = ["".join(e.itertext()) for e in etree.fromstring(svg.encode()).iter(f"{SVG}text")]
    assert [w for w in words if "栏第" in w] == text.split() + right
    assert len(pieces(svg, "strong")) - 1 == 100


def test_no_move_is_said() -> None:
    for text in ("甲\n乙\n", "", "\n \n"):
        picture = told(text)
        assert "No line was moved." in to_svg(picture) and "No line was moved." in to_html(picture)
        etree.fromstring(to_svg(picture).encode())


HOSTILE = (
    "</style><script>alert(1)</script>&amp;]]>\"'\x00\x07\x1b[31m\u202eabc\u2066\ufffe\ue000\U000e0001{{svg}}{{name}}"
)


@pytest.mark.parametrize("draw", [to_svg, to_html])
def test_hostile_text_stays_text(draw: type) -> None:
    lines = f"甲{HOSTILE}\n", f"乙{HOSTILE}\n", f"丙{HOSTILE}\n"
    text = "".join(lines)
    change = Change(0, lines[0], lines[0], to=len(text), gain=3.0, reason=HOSTILE)
    notes = [Suggestion(0, lines[1], "", HOSTILE, 1.0), Suggestion(0, "", "", "cut: " + HOSTILE)]
    page = draw(moves_of(text, ledger([unit(change)], notes), name=HOSTILE))
    assert not re.search("[\x00-\x09\x0b-\x1f\u202a-\u202e\u2066-\u2069\ufffe\ue000]", page)
    assert "<script" not in page and page.count("</style>") == 1 and "\\u202e" in page
    assert page.count("<svg") == (1 if draw is to_svg else 6)
    page.encode("utf-8")
    if draw is to_svg:
        etree.fromstring(page.encode())


@pytest.mark.parametrize("columns_wide", [True, False])
def test_five_thousand_lines_give_a_picture_of_bounded_size(columns_wide: bool) -> None:
    text, repair = columns(1700)[:2] if columns_wide else scattered(5000, 20)
    picture = told(text, repair)
    svg = to_svg(picture)
    height = float(etree.fromstring(svg.encode()).get("height") or 0)
    assert 800 < height < 3000
    assert len(svg) < (4_000_000 if columns_wide else 200_000)
    page = to_html(picture)
    assert len(page) < 1000 * len(picture.lines)


def test_very_long_lines_are_shortened() -> None:
    text = "".join(c + HANS * 440 + "\n" for c in "甲乙丙")
    picture = told(text, unit(move(text, text.split("\n")[0] + "\n", None)))
    assert len(to_svg(picture)) < 20_000 and len(to_html(picture)) < 40_000
    assert len(as_values(picture)["moves"][0]["text"]) > 20_000  # type: ignore[index]


def test_the_page_is_whole_and_its_links_lead_somewhere() -> None:
    text, repair, right = columns(50)
    picture = told(text, repair, findings=[Suggestion(14, text[14:28], "", "alone", 3.0)])
    page = to_html(picture)
    root = lxml_html.fromstring(page)
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    targets = {str(a.get("href"))[1:] for a in root.iter("a")}
    assert targets <= set(ids) and all(str(a.get("href")).startswith("#") for a in root.iter("a"))
    texts = [[e.text or "" for e in s.iter("bdi") if e.get("class") == "tx"] for s in root.iter("section")]
    assert texts == [text.split(), right]
    assert not re.search(r"<script|https?://|url\(|\son\w+=", page)
    assert root.get("lang") and root.find(".//main") is not None and "default-src 'none'" in page
    order = [int(h.tag[1]) for h in root.iter("h1", "h2", "h3")]
    assert order[0] == 1 and all(b - a <= 1 for a, b in pairwise(order))


def test_the_page_folds_away_what_stayed() -> None:
    text, repair = scattered(528, 3)
    root = lxml_html.fromstring(to_html(told(text, repair)))
    folds = [e for e in root.iter("details") if e.get("class") == "fold"]
    assert folds and not any(e.get("class", "").startswith("ln mv") for f in folds for e in f.iter("div"))
    outside = [e for e in root.iter("div") if e.get("class", "").startswith("ln") and e.getparent().tag != "details"]
    assert len(outside) < 100


def test_values_are_plain_and_complete() -> None:
    text, repair, _ = columns(4)
    values = as_values(told(text, repair, findings=[Suggestion(0, "", "", "cut: hole")]))
    assert json.loads(json.dumps(values)) == values
    first = values["moves"][0]  # type: ignore[index]
    assert first["line"] == 2 and first["target"] is None and first["certainty"] == "strong"
    assert set(first) >= {"number", "group", "column", "lines", "text", "old", "new", "gain", "reason", "unit", "round"}
    assert values["cuts"][0]["reason"] == "hole" and values["move_suggestions"] == []  # type: ignore[index]


# --- the command -------------------------------------------------------------------------------------------


def explain(*args: str | Path) -> Result:
    return CliRunner().invoke(main, ["explain", *map(str, args)])


@pytest.fixture
def newspaper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a document that is cleaned as if the rule for columns had moved its lines."""
    text, repair, right = columns(10, gain=14.0)
    final = "".join(f"{line}\n" for line in right)
    notes = [
        Suggestion(0, right[0] + "\n", "", "alone here", 4.5),
        Suggestion(final.index(right[10]), "", "", "cut: the paper is torn"),
    ]
    path = tmp_path / "报纸.txt"
    path.write_text(text)

    def cleaned(work: Work, **_: object) -> Cleaned:
        source = Source(work.path.name, path.read_bytes())
        book = ledger([repair], notes, len(text))._replace(source_sha256=source.sha256, text_sha256=text_digest(final))
        return Cleaned(source, final, book, (), {})

    monkeypatch.setattr(shanben.work_cleaning, "clean_work", cleaned)
    return path


def test_explain_prints_moves_with_both_contexts(newspaper: Path) -> None:
    done = explain(newspaper)
    assert done.exit_code == 0, done.output
    out = done.output
    assert (
        "moved text  20 blocks moved (20 of 30 lines); 1 suggestion not carried out; text cut for good at 1 place."
        in out
    )
    assert "10 blocks of one column (10 lines): lines 2, 5, 8 … 29; 14.0 to 16.0 nats each, 4 of them weak" in out
    assert re.search(r"^  2:1 → the end  1 line  14\.0 nats, weak  column-order  \(columns read across\)$", out, re.M)
    assert re.search(r"^    was  天栏第0行.* \| 月栏第0行的文字在这里 \| 暑栏第0行.+$", out, re.M)
    assert re.search(r"^    now  天栏第9行.* \| 月栏第0行的文字在这里 \| 月栏第1行.*$", out, re.M)
    assert "    … and 8 more blocks of this column (--all)" in out
    assert re.search(r"^  1:1  4\.5 nats  column-order  \(alone here\)$", out, re.M)
    assert re.search(r"^  2:1  column-order  \(the paper is torn\)$", out, re.M)
    assert out.count("→ the end") == 4 and explain(newspaper, "--all").output.count("→ the end") == 20


def test_explain_without_moves_has_no_such_section(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("好,人。\n")
    assert "moved text" not in explain(path).output
    told = json.loads(explain(path, "--json").output)
    assert told["moves"] == told["move_suggestions"] == told["cuts"] == []


def test_explain_json_holds_the_moves(newspaper: Path) -> None:
    values = json.loads(explain(newspaper, "--json").output)
    assert len(values["moves"]) == 20 and values["moves"][0]["old"]["before"]
    assert len(values["move_suggestions"]) == len(values["cuts"]) == 1
    assert [p["kind"] for p in values["places"]].count("move") == 20


@pytest.mark.parametrize("name", ["moves.svg", "moves.HTML", "new/moves.htm"])
def test_explain_draws(newspaper: Path, tmp_path: Path, name: str) -> None:
    picture = tmp_path / name
    done = explain(newspaper, "--moves", picture)
    assert done.exit_code == 0, done.output
    first = picture.read_bytes()
    assert b"<svg" in first and f"{picture}: 20 blocks moved" in done.output.replace("\n", "")
    assert explain(newspaper, "--moves", picture, "--json").exit_code == 0
    assert picture.read_bytes() == first


def test_explain_refuses_to_draw_over_the_source_or_into_something_else(tmp_path: Path) -> None:
    page = tmp_path / "a.html"
    page.write_text("正文。\n")
    (tmp_path / "b.svg").mkdir()
    (tmp_path / "c.html").symlink_to(page)
    before = page.read_bytes()
    for target, said in (
        (page, "overwrite the source"),
        (tmp_path / "c.html", "overwrite the source"),
        (tmp_path / "b.svg", "this is a folder"),
        (tmp_path / "a.png", ".svg or an .html file"),
    ):
        done = explain(page, "--moves", target)
        assert done.exit_code == 2 and said in done.stderr, done.output
    done = explain(page, "--moves", page / "x.svg")
    assert done.exit_code == 8 and page.read_bytes() == before


def test_a_clean_document_gives_a_picture_too() -> None:
    cleaned = clean("会议强调,要抓好落实;守住底线.")
    picture = moves_of(cleaned.ledger.revert(cleaned.text), cleaned.ledger)
    assert not picture.blocks and "No line was moved" in to_svg(picture)
