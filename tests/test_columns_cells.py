"""Columns side by side in one text line are taken apart; everything else is left alone."""

from __future__ import annotations

import textwrap
from importlib import resources
from itertools import zip_longest

import numpy as np
import pytest

from shanben.columns import cells as cells_module
from shanben.columns import displaced, joints
from shanben.columns import order as order_module
from shanben.columns.cells import SPANNING, Cell, find_cells
from shanben.columns.joints import JointModel, load
from shanben.columns.lines import may_hold_columns, printed_lines
from shanben.columns.order import reorder
from shanben.ledger import Change, apply_changes
from shanben.steps import all_steps
from shanben.steps import deinterleave as deinterleave_module
from shanben.steps.deinterleave import _parts
from shanben.values import Text

# Plain prose written for this test.
REPORT = (
    "过去一年，全县干部群众团结一心，克服重重困难，经济社会发展取得了新的成绩。全县生产总值比上年增长百分之六，"
    "农民人均收入继续提高，城乡居民的生活水平有了明显改善。我们坚持把发展作为第一要务，深入推进农业结构调整，"
    "新修水渠三十多公里，改造低产田两万多亩，粮食产量再创历史新高。工业生产稳步增长，一批重点项目建成投产，"
    "为今后的发展打下了坚实的基础。我们大力发展教育事业，新建和改建中小学校十二所，适龄儿童入学率达到百分之九十九。"
    "医疗卫生条件进一步改善，每个乡镇都有了自己的卫生院，群众看病难的问题得到缓解。"
)
CITY = (
    "记者昨天从市政府召开的新闻发布会上了解到，今年本市将继续加大环境保护的力度，努力改善空气质量。有关部门负责人介绍，"
    "到年底全市将新增公园绿地三百公顷，建成自行车道五十公里，方便市民出行。同时，公共交通线路也将得到优化，"
    "早晚高峰时段的发车间隔将缩短到五分钟以内。负责人表示，城市建设要听取群众的意见，重大项目在开工之前必须向社会公开，"
    "接受人民群众的监督。据了解，今年已经有两千多名市民通过电话和网络提出了意见和建议，其中大部分已经得到答复。"
)
SCHOOL = (
    "学校的教学楼建于上世纪五十年代，由于年久失修，存在不少安全隐患。今年春天，在社会各界的支持下，新的教学楼终于开工建设。"
    "新教学楼一共四层，有二十四间教室，还有图书馆、实验室和多功能厅。校长告诉记者，新的教学楼投入使用以后，"
    "学校的办学条件将得到根本改善，可以多招收三百名学生。许多家长听到这个消息以后都非常高兴，他们说，"
    "孩子们再也不用每天走十几里山路到镇上去读书了。为了让孩子们早日用上新教室，工人们放弃了节假日的休息，日夜奋战在工地上。"
)
ENGLISH = (
    "The committee met again on Tuesday to consider the report of the engineers, and after a long discussion it was "
    "agreed that the old bridge should be closed to heavy traffic until the necessary repairs had been completed. "
    "Several members of the council spoke in favour of building a new bridge, but the majority were of the opinion "
    "that the cost would be too great for the town to bear in the present state of its finances. It was therefore "
    "decided to ask the government for a grant, and the mayor was instructed to write to the minister without delay."
)
WEATHER = (
    "The storm which swept across the northern part of the country on Saturday night has caused great damage to the "
    "farms and villages along the coast. In many places the roads are covered with water, and the people have been "
    "obliged to leave their houses and to take shelter in the churches and the schools. The railway line has been "
    "washed away for more than a mile, and it is not expected that the trains will be running again before the end "
    "of the month. No lives have been lost so far as is known, but many sheep and cattle have been drowned."
)


@pytest.fixture(scope="module")
def model() -> JointModel:
    with resources.as_file(resources.files("shanben") / "data" / "joints.npz") as shipped:
        return load(shipped)


def broken(text: str, width: int) -> list[str]:
    """Break Chinese prose into column lines; no line begins with a mark."""
    lines, rest = [], text
    while rest:
        n = width
        while n < len(rest) and rest[n] in "，。、；：？！":
            n -= 1
        lines.append(rest[:n])
        rest = rest[n:]
    return lines


def beside(columns: list[list[str]], gutter: str) -> str:
    rows = zip_longest(*columns, fillvalue="")
    return "\n".join(gutter.join(row).rstrip() for row in rows) + "\n"


def by_column(text: str, cells: list[Cell]) -> list[list[str]]:
    found: dict[int, list[Cell]] = {}
    for cell in cells:
        if cell.column != SPANNING:
            found.setdefault(cell.column, []).append(cell)
    return [[text[c.start : c.text_end] for c in sorted(found[k], key=lambda c: c.row)] for k in sorted(found)]


def assert_complete(text: str, cells: list[Cell]) -> None:
    """Every character that is no blank stands in exactly one cell, and cells stand in order."""
    at = 0
    for cell in cells:
        assert not text[at : cell.start].strip()
        assert at <= cell.start < cell.text_end <= cell.end
        at = cell.end
    assert not text[at:].strip()
    assert [c.row for c in cells] == sorted(c.row for c in cells)


CHINESE = [broken(t, 18)[:11] for t in (REPORT, CITY, SCHOOL)]


@pytest.mark.parametrize("gutter", ["     ", " ", " | ", " ”"], ids=["gap", "blank", "rule", "stray mark"])
def test_three_columns_are_found(model: JointModel, gutter: str) -> None:
    text = beside(CHINESE, gutter)
    cells = find_cells(text, model)
    assert cells is not None
    assert_complete(text, cells)
    assert by_column(text, cells) == CHINESE


def test_columns_without_anything_between_them_are_found(model: JointModel) -> None:
    text = beside(CHINESE, "")
    cells = find_cells(text, model)
    assert cells is not None
    assert_complete(text, cells)
    right = sum(
        a == b for x, y in zip(by_column(text, cells), CHINESE, strict=False) for a, b in zip(x, y, strict=False)
    )
    assert right >= 28  # of 33: where the text happens to flow on across the gutter a character may go astray


def test_rows_joined_by_a_blank_are_found(model: JointModel) -> None:
    rows = beside(CHINESE, " ").splitlines()
    text = "\n".join(" ".join(rows[n : n + 3]) for n in range(0, len(rows), 3)) + "\n"
    cells = find_cells(text, model)
    assert cells is not None
    assert_complete(text, cells)
    assert by_column(text, cells) == CHINESE


def test_a_few_lines_that_ran_together_are_cut(model: JointModel) -> None:
    rows = list(zip(*CHINESE, strict=True))
    text = (
        "\n".join(line for n, row in enumerate(rows) for line in ((row[0] + row[1], row[2]) if n in (2, 5, 7) else row))
        + "\n"
    )
    cells = find_cells(text, model)
    assert cells is not None
    assert_complete(text, cells)
    assert [text[c.start : c.end] for c in cells] == [line for row in rows for line in row]


def test_english_columns_are_found(model: JointModel) -> None:
    columns = [textwrap.wrap(t, 36)[:13] for t in (ENGLISH, WEATHER)]
    text = beside([[line.ljust(40) for line in columns[0]], columns[1]], "")
    cells = find_cells(text, model)
    assert cells is not None
    assert_complete(text, cells)
    assert by_column(text, cells) == columns


def test_stray_marks_stay_at_the_end_of_the_cell_on_their_left(model: JointModel) -> None:
    text = beside(CHINESE, " | ")
    cells = find_cells(text, model)
    assert cells is not None
    assert all("|" not in text[c.start : c.text_end] for c in cells)
    assert sum("|" in text[c.text_end : c.end] for c in cells) == text.count("|")


def test_a_headline_stands_across_the_columns(model: JointModel) -> None:
    text = "县政府工作报告\n本报记者 王小明\n\n" + beside(CHINESE, "  ")
    cells = find_cells(text, model)
    assert cells is not None
    assert_complete(text, cells)
    assert [text[c.start : c.end] for c in cells if c.spanning][:1] == ["县政府工作报告"]
    assert by_column(text, cells) == CHINESE


ORDINARY = {
    "nothing": "",
    "a word": "你好\n",
    "paragraphs": REPORT + "\n" + CITY + "\n" + SCHOOL + "\n",
    "column lines under each other": "\n".join(broken(REPORT + CITY + SCHOOL, 20)) + "\n",
    "column lines joined by blanks": " ".join(broken(REPORT + CITY + SCHOOL, 20)) + "\n",
    "row-wise, one column line per text line": "\n".join(line for row in zip(*CHINESE, strict=True) for line in row)
    + "\n",
    "a table": "\n".join(
        f"{name}    {n * 37 % 900}    {n * 53 % 700}    百分之{n}" for n, name in enumerate("东西南北中前后左右上下", 1)
    )
    + "\n",
    "verse": "床前明月光    疑是地上霜\n举头望明月    低头思故乡\n\n白日依山尽    黄河入海流\n欲穷千里目    更上一层楼\n\n春眠不觉晓    处处闻啼鸟\n夜来风雨声    花落知多少\n",
    "a list": "\n".join(f"{n}. 第{n}项　检查设备是否完好，并做好记录" for n in range(1, 20)) + "\n",
    "English prose": ENGLISH + "\n\n" + WEATHER + "\n",
    "wrapped English": "\n".join(textwrap.wrap(ENGLISH + " " + WEATHER, 60)) + "\n",
    "another script": "Это обычный русский текст, который стоит в одной колонке.\n" * 12,
}


@pytest.mark.parametrize("text", ORDINARY.values(), ids=ORDINARY.keys())
def test_ordinary_text_is_left_alone(model: JointModel, text: str) -> None:
    assert find_cells(text, model) is None


def test_the_same_text_gives_the_same_cells(model: JointModel) -> None:
    text = beside(CHINESE, " ")
    assert find_cells(text, model) == find_cells(text, model)


def test_paragraphs_are_not_even_looked_at(model: JointModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines that end like sentences are no rows of columns, however many blanks stand in them."""

    def never(*_: object) -> None:
        pytest.fail("a text in paragraphs was taken apart")

    paragraphs = [p + "。" for text in (REPORT, CITY, SCHOOL) for p in text.split("。") if p]
    monkeypatch.setattr(cells_module, "Stream", never)
    assert find_cells("\n".join(p.replace("，", "，  ") for p in paragraphs * 4), model) is None
    assert find_cells("一、总则\n" + "\n".join(f"第{n}条\n{p}" for n, p in enumerate(paragraphs * 4)), model) is None


def test_headings_between_paragraphs_are_no_column_lines() -> None:
    paragraphs = [p + "。" for text in (REPORT, CITY, SCHOOL) for p in text.split("。") if p]
    headed = "\n".join(f"关于第{n}项工作的意见\n{p}" for n, p in enumerate(paragraphs * 3))
    assert not may_hold_columns(headed, *printed_lines(headed), 8)
    wrapped = "\n".join(line for text in (REPORT, CITY, SCHOOL) for line in broken(text, 18))
    assert may_hold_columns(wrapped, *printed_lines(wrapped), 8)
    rows = headed + "\n" + beside(CHINESE, "     ")
    assert may_hold_columns(rows, *printed_lines(rows), 8), "a few rows of columns in a long text are enough"


def test_columns_between_paragraphs_are_found_as_they_are_alone(model: JointModel) -> None:
    paragraphs = [p + "。" for text in (REPORT, CITY, SCHOOL) for p in text.split("。") if len(p) > 10] * 6
    around = "\n".join(paragraphs)
    text = f"{around}\n{beside(CHINESE, '  ')}{around}\n"
    cells = find_cells(text, model)
    assert cells is not None
    assert_complete(text, cells)
    assert by_column(text, cells) == CHINESE
    assert [text[c.start : c.end] for c in cells if c.spanning] == [*paragraphs, *paragraphs]


def test_only_lines_among_open_ones_may_be_rows() -> None:
    """Lines that end within a sentence, several near each other, and a few around them."""
    found = cells_module._open_lines(
        "\n".join(["春天来了，田野里的花都开了。"] * 40 + ["春天来了，田野里的花都开"] * 6)
    )
    assert found == [False] * 30 + [True] * 16
    assert not any(cells_module._open_lines("春天来了，田野里的花都开了。\n春天来了，田野里的花都开\n" * 4))


def test_the_frame_of_a_table_is_no_row() -> None:
    rule = "+" + "-" * 80 + "+" + "-" * 40 + "+\n"
    row = "| 土地使用权出让书据的税率和计税依据 | 价款的万分之五，转让包括买卖、继承、赠与\n"
    assert cells_module._open_lines((row + rule) * 8) == [True, False] * 8


@pytest.mark.parametrize("disturbed", [False, True])
def test_no_repair_is_lost_by_leaving_out_hopeless_places(monkeypatch: pytest.MonkeyPatch, disturbed: bool) -> None:
    chance = np.random.default_rng(7)
    found = 0
    for size in (5, 12, 40):
        table = chance.normal(-3, 3, (size, size)).astype(np.float32).clip(-8, 6)
        table[np.arange(size - 1), np.arange(1, size)] = chance.choice([-4, 3, 5], size - 1, p=[0.3, 0.4, 0.3])
        np.fill_diagonal(table, -20)
        near = np.full(size + 1, float(disturbed))
        events = list(displaced._events(table, list(range(size)), displaced.Prices(event=5.0), near))
        with monkeypatch.context() as patch:
            patch.setattr(displaced, "_ROUNDING", 1e6)
            assert list(displaced._events(table, list(range(size)), displaced.Prices(event=5.0), near)) == events
        found += len(events)
    assert found > 20


def test_joints_looked_up_once_for_all_are_those_looked_up_one_by_one(
    model: JointModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [*textwrap.wrap("".join(chr(0x4E00 + 37 * n % 900) for n in range(400)), 10), "春天来了", "田野里的花", ""]
    ngrams, every = model.models["han"], np.arange(len(lines))
    rows, columns = np.repeat(every, len(lines)), np.tile(every, len(lines))
    scores = []
    for many in (0, 1e9):
        monkeypatch.setattr(joints, "_MANY", many)
        scores.append(ngrams.log_ratio(ngrams.tails(lines), ngrams.heads(lines), rows, columns))
    assert len(np.unique(scores[0])) > 20 and (scores[0] == scores[1]).all()


def test_only_where_joint_after_joint_is_wrong_a_text_is_dealt(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few lines in the wrong place are put back; to deal the whole text is tried where every joint of a run is wrong."""

    def asked(*_: object, **__: object) -> None:
        raise LookupError

    lines = [line for text in (REPORT, CITY, SCHOOL) for line in broken(text, 18)]
    moved = [*lines[:9], lines[30], *lines[9:30], *lines[31:]]
    woven = [line for row in zip(lines[:14], lines[14:28], strict=True) for line in row]
    monkeypatch.setattr(order_module, "deal_best", asked)
    for ordered in (lines, moved):
        assert reorder("\n".join(ordered) + "\n").note == "displaced"
    for page in (woven, [*woven, *lines[28:]]):
        with pytest.raises(LookupError):
            reorder("\n".join(page) + "\n")


def test_a_long_text_is_put_in_order_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns far from each other in a text longer than a part come out as each does alone, their places shifted."""
    page = "\n".join(line for row in zip(*CHINESE, strict=True) for line in row) + "\n"
    prose = "".join(f"第{n}天，春天来了，田野里的花都开了，人们走出家门。\n" for n in range(30))
    step = all_steps()["deinterleave"]
    alone = apply_changes(page, [f for f in step.run(Text.of(page), step.params()) if isinstance(f, Change)])
    assert alone != page
    monkeypatch.setattr(deinterleave_module, "LONGEST_PART", len(page) + 200)
    text = f"{page}\f\n{prose}\f\n{page}"
    changes = [f for f in step.run(Text.of(text), step.params()) if isinstance(f, Change)]
    assert apply_changes(text, changes) == f"{alone}\f\n{prose}\f\n{alone}"


@pytest.mark.parametrize("border", ["\f", "\n\n", "。\n", "\n"])
def test_parts_end_at_the_best_border(border: str) -> None:
    text = f"{'春' * 30_000}{border}{'花' * 60_000}\n{'月' * 10}"
    parts = list(_parts(text))
    assert "".join(text[a:b] for a, b in parts) == text
    assert text[parts[0][0] : parts[0][1]].endswith(border)
    assert list(_parts("春" * 200_000)) == [(0, 200_000)], "a line is never cut"
