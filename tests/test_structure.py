"""Documents of other kinds than the seeds: what is title, heading, item, verse."""

from __future__ import annotations

import pytest

from shanben.metadata import iso_date
from shanben.pipeline import clean, plan
from shanben.structure import build_document, canonical_ledger
from shanben.values import Document


def document(text: str, name: str = "无名", **said: tuple[str, ...]) -> Document:
    cleaned = clean(text)
    made = build_document(cleaned, plan(()), said=said, name=name)
    assert canonical_ledger(cleaned, made).replay(text) == made.text
    return made


def shape(d: Document) -> list[str]:
    return [f"{b.kind}{b.level or ''} {b.text}".strip() for b in d.blocks]


def test_a_novel() -> None:
    d = document(
        "《江湖旧事》\n作者：无名氏\n\n第一卷 初入江湖\n\n第一章 雪夜\n\n　　雪下得很大。\n\n第二章 故人\n\n　　天亮了。\n\n"
        "第二卷 归来\n\n第三章 春风\n\n　　春天来了。\n"
    )
    assert shape(d) == [
        "title1 《江湖旧事》", "byline 作者：无名氏", "part2 第一卷 初入江湖", "chapter3 第一章 雪夜", "paragraph 雪下得很大。",
        "chapter3 第二章 故人", "paragraph 天亮了。", "part2 第二卷 归来", "chapter3 第三章 春风", "paragraph 春天来了。",
    ]  # fmt: skip
    assert d.metadata.title == "江湖旧事" and d.metadata.creators == ("无名氏",)


def test_a_regulation() -> None:
    d = document(
        "长河市节约用水办法\n（2023年5月6日市人民政府通过）\n\n第一章　总则\n第一条　为了节约用水，制定本办法。\n"
        "第二条　本办法适用于本市。\n第二章　管理\n第一节　计划\n第三条　用水实行计划管理。\n"
    )
    assert [b.text for b in d.blocks if b.kind == "chapter"] == ["第一章　总则", "第二章　管理"]
    assert [b.level for b in d.blocks if b.level] == [1, 2, 2, 3]
    assert d.metadata.date == "2023-05-06"
    assert d.blocks[1].kind == "subtitle"


def test_no_level_is_skipped() -> None:
    d = document("# 题目\n\n#### 深处\n\n正文。\n\n## 浅处\n\n###### 很深\n\n正文。\n")
    assert [b.level for b in d.blocks if b.level] == [1, 2, 2, 3]


def test_verse_stays_together() -> None:
    d = document("静夜思\n\n床前明月光，\n疑是地上霜。\n举头望明月，\n低头思故乡。\n")
    assert d.blocks[-1].kind == "verse" and d.blocks[-1].text.count("\n") == 3


def test_a_quatrain_on_two_lines() -> None:
    d = document("塞上\n\n鳴骹直上一千尺，天靜無風聲更乾。\n碧眼胡兒三百騎，盡提金勒向雲看。\n\n這是一首詩。\n")
    assert [b.kind for b in d.blocks] == ["title", "verse", "paragraph"]


def test_prose_of_equal_lines_is_no_verse() -> None:
    d = document("对话\n\n“你来了？”\n“来了。”\n“好走吗？”\n“不好走。”\n")
    assert {b.kind for b in d.blocks[1:]} == {"paragraph"}


def test_items_keep_their_numbers() -> None:
    d = document("要点\n\n3. 第三点内容。\n6. 第六点内容。\n（1）小点内容。\n")
    assert [(b.kind, b.text) for b in d.blocks[1:]] == [
        ("item", "3. 第三点内容。"), ("item", "6. 第六点内容。"), ("item", "（1）小点内容。"),
    ]  # fmt: skip


def test_numbered_paragraph_is_no_heading() -> None:
    d = document("报告\n\n一、坚持领导。巩固成果，深化研究。\n\n二、推进工作\n\n内容。\n")
    assert [b.kind for b in d.blocks] == ["title", "paragraph", "heading", "paragraph"]


def test_a_novel_with_contents() -> None:
    d = document(
        "《江湖夜雨》\n作者：佚名\n\n目錄\n楔子\n第一章 風起\n第二章 雨落……12\n後記\n\n楔子\n三十年前，大雪封山。\n"
        "第一章 風起\n「你來了。」\n第二章 雨落\n雨下了三天三夜。\n後記\n寫完這個故事，已是深秋。\n"
    )
    assert [b.kind for b in d.blocks[2:7]] == ["paragraph", *["item"] * 4]
    assert [b.text for b in d.blocks if b.kind == "chapter"] == ["楔子", "第一章 風起", "第二章 雨落", "後記"]


def test_a_report_of_an_office() -> None:
    d = document(
        "院長施政報告\n\n主席、各位委員：\n\n壹、迎面而來的挑戰\n國人的期許，是我們的力量。\n一、人口對策\n出生率要提高。\n"
        "㈠敢生\n補助將增加。\n貳、施政重點\n物價要平穩。\n中　華　民　國　114　年　2　月　25　日\n"
    )
    assert [(b.kind, b.level) for b in d.blocks if b.level] == [
        ("title", 1), ("heading", 2), ("heading", 3), ("heading", 4), ("heading", 2)
    ]  # fmt: skip
    assert d.blocks[1].kind == "salutation" and d.blocks[-1].kind == "signature"


def test_a_headline_may_ask() -> None:
    text = "記者會說明政策方向，市府表示將在下個月公布完整的名單，並且請各界提供意見，一起把事情做好。\n"
    d = document("封殺法案七百次！ 民代轟集體赴會：怕什麼？\n\n" + text)
    assert d.blocks[0].kind == "title" and d.metadata.title.endswith("？")
    assert document("你知道最難的是什麼嗎？\n\n" + text).texts[0] == "无名"


def test_a_judgment() -> None:
    d = document("臺灣高等法院刑事判決\n112年度上訴字第1號\n\n主　文\n上訴駁回。\n理　由\n一、查無違誤，應予維持。\n")
    assert [b.text for b in d.blocks if b.kind == "heading"] == ["主　文", "理　由"]


def test_a_play() -> None:
    d = document(
        "作家之死\n\n第一幕\n\n第一場　書房\n\n作家：我是一個……\n\n第二場　街上\n\n閻王：他是誰？\n\n第二幕\n\n作家：我走了。\n"
    )
    assert [b.level for b in d.blocks if b.level] == [1, 2, 3, 3, 2]


def test_a_law_with_articles_on_their_own_lines() -> None:
    d = document(
        "中華民國憲法\n第一章　總綱\n第 1 條\n主權屬於國民全體。\n第二條　（國土）\n領土不得變更之。\n第三條 國旗之式樣，以法律定之。\n"
    )
    assert [(b.kind, b.level) for b in d.blocks if b.level] == [
        ("title", 1), ("chapter", 2), ("heading", 3), ("heading", 3)
    ]  # fmt: skip


def test_a_thesis() -> None:
    d = document(
        "論城市\n\n摘　要\n\n城市在長大。\n\n第壹章、緒論\n\n1.1 研究背景\n\n城市很大。\n\n1.1.1 人口\n\n3.5 萬人住在這裡。\n"
    )
    assert [b.level for b in d.blocks if b.level] == [1, 2, 2, 3, 4]


def test_a_list_of_short_items_is_no_row_of_headings() -> None:
    d = document(
        "會議規則\n\n會議紀錄應記載下列事項：\n一、會次。\n二、地點。\n三、主席姓名。\n四、表決方法及可否之數，並應記載其\n姓名。\n"
    )
    assert [b.kind for b in d.blocks].count("heading") == 0


@pytest.mark.parametrize(
    "text", ["", "\n\n", "　　\n", "只有一句话。", "各位代表：\n我报告工作。", "第一章 总则\n正文。"]
)
def test_a_text_without_a_title_gets_its_name(text: str) -> None:
    assert document(text).texts[0] == "无名"


def test_what_the_work_file_says_overrules_the_text() -> None:
    d = document("题目\n\n正文很长。\n", title=("另一题目",), creator=("甲", "乙"), date=("1999",))
    assert d.texts[0] == "题目" and d.metadata.title == "另一题目"
    assert d.metadata.creators == ("甲", "乙") and d.metadata.date == "1999"


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2020/8/18 10:43", "2020-08-18"), ("2024年1月26日", "2024-01-26"), ("2024年5月", "2024-05"),
        ("二〇二四年十二月三十一日", "2024-12-31"), ("一九四九年十月一日", "1949-10-01"), ("2024-13-01", ""), ("昨天", ""),
    ],
)  # fmt: skip
def test_dates(text: str, date: str) -> None:
    assert iso_date(text) == date


def test_titles_of_every_kind_are_found() -> None:
    for title in (
        "长河市2023年工作总结",
        "第1篇文章",
        "论“中庸”",
        "关于印发《办法》的通知",
        "“三高四新”的实践与思考（节选）",
    ):
        assert document(f"{title}\n\n正文的内容很长，有一句话。\n").texts[0] == title


def test_pages_of_the_source_are_marked_where_they_begin() -> None:
    d = document(
        "工作报告\n\n第一页的内容很长，讲了很多事情。\n\f第二页的内容，也讲了很多。\n\n\f第一章 总则\n\n"
        "会议要求把各项工作落到实处，推动高质量发展，加强和改进各方面的管理，以及、\f提高效率，都要抓好。\n"
    )
    found = [(b.text[:5], i.start, i.label) for b in d.blocks for i in b.inlines if i.kind == "page"]
    last = d.blocks[-1].text
    assert found == [("第二页的内", 0, "2"), ("第一章 总", 0, "3"), (last[:5], last.index("提高效率"), "4")]
    assert all(b.text for b in d.blocks)
