"""What a reader must find, and must not find, in the clean text of the seeds."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from conftest import SEEDS
from shanben.build import Built, build_work
from shanben.pipeline import Cleaned, clean, plan, revert
from shanben.rulebook.apply import content_of
from shanben.structure import build_document
from shanben.work_cleaning import clean_work
from shanben.works import find_works


def cleaned(number: str) -> Cleaned:
    return clean_work(find_works([next(SEEDS.glob(f"{number}-*"))])[0])


@pytest.fixture(scope="module")
def built() -> dict[str, Built]:
    return {w.slug[:3]: build_work(w, formats=("txt",)) for w in find_works([SEEDS])}


def test_law_of_rest_and_exact_undo(seed: Path) -> None:
    work = find_works([seed])[0]
    result = clean_work(work)
    again = clean(result.text, work=work.slug)
    assert again.text == result.text
    assert revert(result.text, result.ledger) == (seed / "source.txt").read_bytes()


def test_000_paywall_marks_go_and_all_words_stay() -> None:
    c = cleaned("000")
    assert "paid" not in c.text and "##" not in c.text
    source = c.source.data.decode()
    assert content_of(c.text) == content_of(source.replace("paidbegin", "").replace("paidend", ""))
    assert "“五彩茶亭 芳香小镇”" in c.text
    assert "省委十二届四次全会精神 为实现“三高四新”美好蓝图贡献力量" in c.text


def test_001_field_code_goes_and_semicolons_are_wide() -> None:
    c = cleaned("001")
    assert "bookmark" not in c.text and ";" not in c.text and "(" not in c.text
    assert "中国（湖南）自由贸易试验区" in c.text and "“4×4”" in c.text
    assert content_of(c.text) == content_of(c.source.data.decode().replace("[bookmark: _GoBack]", ""))


def test_002_web_page_is_cleaned_and_its_facts_captured(built: dict[str, Built]) -> None:
    c = cleaned("002")
    assert not re.search(r"https?:|版权所有|ICP备|相关新闻|[,;:()\u00a0]", c.text)
    for kept in ("“不忘初心 牢记使命”", "贯彻发展新理念 转型升级补短板", "增强忧患意识 防范风险挑战",
                 "2017—2019年", "2012-2019年", "13.43%降至0.36%，在中央"):  # fmt: skip
        assert kept in c.text
    m = built["002"].document.metadata
    assert (m.url, m.date, m.source) == ("http://www.mdleader.cn/", "2020-08-18", "湖南在线")
    assert m.publisher == "湖南省梦达领导人才资源开发有限公司"
    assert m.creators == ("湖南省委理论学习中心组",)


def test_003_redactions_stand_letter_for_letter() -> None:
    c = cleaned("003")
    source = c.source.data.decode()
    assert [c.text[m.start() - 3 : m.end() + 3] for m in re.finditer(r"\*+", c.text)] == [
        source[m.start() - 3 : m.end() + 3] for m in re.finditer(r"\*+", source)
    ]
    assert "提升履职水平 彰显委员风采" in c.text
    assert content_of(c.text) == content_of(source)


def test_004_lines_are_joined_and_headings_whole() -> None:
    c = cleaned("004")
    # One line of the report still stands in the commentary, where nothing joins on.
    assert re.findall(r"(?<=[\u4e00-\u9fff，、；。]) (?=[\u4e00-\u9fff])", c.text.replace("五 四新", "五四新")) == []
    lines = c.text.split("\n")
    for heading in ("一、聚焦政治引领，在学思践悟中开篇谋划人大工作新思路", "二、聚焦务实管用，在提高地方立法质量上实现新提升",
                    "三、聚焦依法有效，在正确行使人大监督职权上展现新作为", "四、聚焦民呼我应，在发挥代表主体作用上取得新成效",
                    "五、聚焦守正创新，在提升整体履职效能上彰显新气象", "2024年主要工作安排"):  # fmt: skip
        assert heading in lines
    assert "上接" not in c.text and "#" not in c.text
    assert [line[:2] for line in lines if re.match(r"\d\. ", line)] == ["3.", "4.", "5.", "6."]
    assert "——2024年1月26日在湖南省第十四届人民代表大会第二次会议上" in lines


def test_004_quotes_are_paired() -> None:
    c = cleaned("004")
    assert c.source.data.decode().count('"') == 194
    assert '"' not in c.text and not any(n.unit == "straight-quotes" for n in c.suggestions)
    assert "“‘小快灵’立法要走在全国前列”" in c.text
    for line in c.text.split("\n"):
        # “三高四新” is torn apart once by the mixed columns: each half keeps its own mark.
        if not line.endswith("“三高") and "五 四新”" not in line:
            assert re.sub("[^“”]", "", line).replace("“”", "") == ""


JOINTS_004 = """
以严为标尺，|确保法有法；共票决|民生实事3556；惠民小|事”生动；人大代|表联系；必与代表|座谈；征求各类意|见建议563；基层省|人大代表全覆盖
专业、|X；必须坚持人大|视角；站|在“国事；中提|升“质；好制度、好|做法；坚持问|题导向；破解|的新思路；新机制、新|模式；依赖，|努力打破
强化选|人用人；担当|的干部；投身解放|思想大讨论；真正把自|己摆进去；束缚，研|究新情况；的问题。通|过开展；信心不|足、使命；政绩为|谁而树
以思想|解放之力；成效。|强化联动监督；人大联动、五|级代表；有感。|拓展深化；人民群众|联系。出台；大力支持|的结果；问题和|经营主体
尊重|客观规律；推进改革|再深入；“三高|四新”美好蓝图凝聚；抓落实，|不坐而论道；可能”的新|业绩；本地区|本部门；一手抓解|放思想
"""
"""Joints that the page broke, in the order that the sense demands; found by reading."""


def test_004_lines_stand_where_they_continue() -> None:
    wanted = [j.split("|") for j in re.split("[；\n]", JOINTS_004) if j.count("|") == 1 and "X" not in j]
    text = cleaned("004").text.replace("\n\n", "")
    right = [head for tail, head in wanted if tail + head in text]
    assert len(wanted) == 37
    assert len(right) >= 21, sorted({h for _, h in wanted} - set(right))


def test_004_order_of_characters_is_as_found() -> None:
    c = cleaned("004")
    gone = Counter(content_of(c.source.data.decode())) - Counter(content_of(c.text))
    come = Counter(content_of(c.text)) - Counter(content_of(c.source.data.decode()))
    # two jump lines (上接1版①, 上接1版②); the emendations of rules/works: 人选 → 入选, five 一 for dashes
    assert gone == Counter("上接1版①上接1版②人一一一一一") and come == Counter("入")


def test_structure_of_the_seeds(built: dict[str, Built]) -> None:
    kinds = {n: [(b.kind, b.level) for b in x.document.blocks if b.level] for n, x in built.items()}
    assert kinds["000"] == [("title", 1), ("part", 2), ("part", 2)]
    assert kinds["001"] == [("title", 1)]
    assert kinds["002"] == [("title", 1)] + [("heading", 2)] * 5
    assert kinds["003"] == [("title", 1)]
    assert kinds["004"] == [("title", 1)] + [("heading", 2)] * 7
    found = {(b.kind, b.text) for x in built.values() for b in x.document.blocks}
    assert ("subtitle", "提升履职水平 彰显委员风采") in found
    assert ("byline", "湖南省委理论学习中心组") in found
    assert ("salutation", "各位代表：") in found
    assert ("signature", "中共湖南省委解放思想大讨论活动办公室 2024年2月19日") in found
    assert sum(b.kind == "item" for b in built["004"].document.blocks) == 4
    assert sum(b.kind == "separator" for b in built["004"].document.blocks) == 2


def test_a_text_without_a_title_gets_its_name() -> None:
    c = clean("这是一段没有标题的文字，它很长，而且以句号结束。\n第二段也是如此。")
    document = build_document(c, plan(()), name="无名")
    assert document.texts[0] == "无名" and document.blocks[0].level == 1
