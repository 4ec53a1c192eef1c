"""What the steps join, pair and leave alone, on texts of other kinds than the seeds."""

from __future__ import annotations

import re
import textwrap

import pytest

from shanben.ledger import Change, Suggestion, apply_changes
from shanben.pipeline import clean
from shanben.steps import all_steps, step_named
from shanben.values import Text

PROSE = (
    "清晨的街道上还没有多少行人，卖豆浆的老人推着车从巷口慢慢走出来，车轮碾过石板发出轻轻的响声。"
    "他在老槐树下停住，把炉火拨旺，揭开锅盖，白色的热气立刻升了起来。不一会儿，赶早班的工人、上学的孩子"
    "陆续围拢过来，有人要甜的，有人要咸的，他都记得清清楚楚，从来没有弄错过。街坊们说，这条巷子要是哪一天"
    "没有了他的吆喝声，大家准会睡过头。"
)


def run(step: str, text: str, **params: object) -> tuple[str, list[Suggestion]]:
    """Give the text after one step, and what it only suggested."""
    found = list(all_steps()[step].run(Text.of(text), all_steps()[step].params(**params)))
    changes = sorted((f for f in found if isinstance(f, Change)), key=lambda c: c.start)
    return apply_changes(text, changes), [f for f in found if isinstance(f, Suggestion)]


@pytest.mark.parametrize("measure", [12, 16, 21, 25, 30, 40])
@pytest.mark.parametrize("separator", [" ", "\n"])
def test_a_paragraph_printed_at_any_measure_is_joined(measure: int, separator: str) -> None:
    text = PROSE + PROSE
    lines = textwrap.wrap(text, measure)
    joined, _ = run("join-lines", separator.join(lines))
    # A full line that ends a sentence may end its paragraph, too: nothing in this text would tell.
    assert joined.replace("。\n", "。") == text


@pytest.mark.parametrize("separator", [" ", "\n"])
def test_several_paragraphs_stay_apart(separator: str) -> None:
    paragraphs = [PROSE[:90] + "。", PROSE[20:130] + "。", PROSE[5:160] + "。"]
    printed = "\n\n".join(separator.join(textwrap.wrap(p, 22)) for p in paragraphs)
    assert run("join-lines", printed)[0] == "\n\n".join(paragraphs)


def test_indents_tell_paragraphs_without_empty_lines() -> None:
    paragraphs = ["　　" + PROSE[:100] + "。", "　　" + PROSE[30:140] + "。"]
    lines = [line for p in paragraphs for line in (p[i : i + 24] for i in range(0, len(p), 24))]
    assert run("join-lines", "\n".join(lines))[0] == "\n".join(paragraphs)


@pytest.mark.parametrize(
    "text",
    [
        "第一章 总则\n第二章 机构\n第三章 程序\n第四章 监督\n第五章 责任\n第六章 附则",
        "不忘初心 牢记使命\n提升履职水平 彰显委员风采\n五彩茶亭 芳香小镇",
        "春蚕到死丝方尽 蜡炬成灰泪始干\n" * 8,
        "床前明月光，\n疑是地上霜。\n举头望明月，\n低头思故乡。\n" * 3,
        "张 三 李 四 王 五 赵 六 钱 七 孙 八",
        "姓名 年龄 籍贯\n张三 三十二 长沙\n李四 二十八 株洲\n王五 四十一 湘潭\n赵六 三十五 衡阳",
        "“你来了？”\n“来了。”\n“路上好走吗？”\n“不好走。”\n他放下包袱，坐了下来。\n“那就歇一歇吧。”\n老人说。",
        "苹果\n香蕉\n西瓜\n葡萄\n桃子\n李子\n杏子\n梨子",
        "通讯录\n\n张三，男，长沙市芙蓉区\n李四，女，株洲市天元区\n王五，男，湘潭市雨湖区\n\n赵六，男，衡阳市石鼓区\n钱七，女，邵阳市大祥区\n孙八，男，岳阳市君山区",
        "使用 Python 编写的程序，可以在 Linux 或 Windows 上运行，也可以在 macOS 上运行。",
        "It was the best of times, it was the worst of times.\nIt was the age of wisdom.\n",
    ],
)
def test_what_an_author_set_stays(text: str) -> None:
    assert run("join-lines", text)[0] == text
    assert run("join-paragraphs", text)[0] == text


def test_spaces_round_latin_words_stay_in_printed_text() -> None:
    sentence = (
        "这个项目用 Python 写成，运行在 Linux 服务器上，每天处理大量的文档，并把结果写入数据库，供其他系统查询和使用。"
    )
    lines = textwrap.wrap(PROSE[:150] + sentence + PROSE[40:120], 20)
    joined, _ = run("join-lines", " ".join(lines))
    assert "Python" in joined and "Linux" in joined
    assert not re.search(r"(?<=[\u4e00-\u9fff，。]) (?=[\u4e00-\u9fff])", joined)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('锚定"三高四新"美好蓝图', "锚定“三高四新”美好蓝图"),
        ('他说:"好."她说:"不好."', "他说:“好.”她说:“不好.”"),
        ('"甲""乙"和"丙"', "“甲”“乙”和“丙”"),
        ("'甲'和'乙'都来了", "‘甲’和‘乙’都来了"),
        ("他说:\"我读过'论语'了.\"", "他说:“我读过‘论语’了.”"),
        ("＂甲乙＂丙丁", "“甲乙”丙丁"),
        ("it's 我的 dog's 名字", "it's 我的 dog's 名字"),
        ('He said "hello" to me.', 'He said "hello" to me.'),
        ("身高5'10\"左右", "身高5'10\"左右"),
        ('""""""""中文', '""""""""中文'),
    ],
)
def test_quotes(before: str, after: str) -> None:
    guards_and_all = clean(before).text if "5'" in before else run("pair-quotes", before)[0]
    assert guards_and_all == after


def test_a_lone_quote_is_a_question_not_a_guess() -> None:
    text, asked = run("pair-quotes", '这件事"很难说清楚。')
    assert text == '这件事"很难说清楚。' and len(asked) == 1 and "opening or closing" in asked[0].reason


def test_one_lost_quote_does_not_turn_the_others() -> None:
    text, _ = run("pair-quotes", '他说：“好”。"第一"、"第二、"第三"都要做，包括"第四"。')
    assert "“第三”" in text and "“第四”" in text and "“第一”" in text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("会议(第一次)", "会议（第一次）"),
        ("会议(第一次(扩大)会议)", "会议（第一次（扩大）会议）"),
        ("(一)总则", "（一）总则"),
        ("增长(GDP)，", "增长（GDP），"),
        ("(1)总则 f(x) :) IBM (USA)", "(1)总则 f(x) :) IBM (USA)"),
        ("一)总则(二", "一)总则(二"),
    ],
)
def test_brackets(before: str, after: str) -> None:
    assert run("pair-brackets", before)[0] == after


def test_two_single_quotes_for_a_double_one_are_left_alone() -> None:
    text = "標題「閣揆滿月 自評''不太好''」，報導內容與原意不符，引起議論。"
    assert run("pair-quotes", text)[0] == text


def test_blanks_that_an_author_sets_round_latin_words_are_no_line_ends() -> None:
    line = "在 Debian 系統上使用 make 來編譯程式碼，然後在 Linux 主機上執行它，並且用 GCC 檢查結果。"
    text = "\n".join([line, line[3:], line[:-7], line[5:]] * 4)
    assert run("join-lines", text)[0] == text


def test_lines_joined_beside_a_latin_word_keep_its_blank() -> None:
    wrapped = "本文說明在 Debian 與 Linux 上怎樣使用\nmake 編譯程式，並且怎樣用 GCC 與 GDB\n找出毛病；讀者要懂得 C 語言與 shell 指\n令，也要有電腦。\n\n"
    joined, _ = run("join-lines", wrapped * 6)
    assert joined.count("使用 make 編譯") == joined.count("GDB 找出") == joined.count("shell 指令，") == 6


def test_a_line_that_had_room_for_more_ends_its_paragraph() -> None:
    first = (
        "清晨的街道上还没有多少行人，卖豆浆的老人推着车从巷口慢慢走出来，车轮碾过石板，在空空的巷子里发出轻轻的响声。"
    )
    for rest in ("他停下来歇歇脚，揭开锅盖。", "他停住。"):  # the last line is two cells short, or many
        paragraphs = [first + rest] * 9
        assert (
            run("join-lines", "\n".join("\n".join(textwrap.wrap(p, 23)) for p in paragraphs))[0].split("\n")
            == paragraphs
        )


def test_a_line_is_short_before_a_long_word() -> None:
    text = f"{PROSE}想听的人请看这个网页（www.example.com/morning/street.html）上的图片和说明。{PROSE}"
    lines = textwrap.wrap(PROSE + "想听的人请看这个网页", 20)
    assert len(lines[-1]) == 12
    wrapped = [*lines, "（www.example.com/morning/street.html）上", *textwrap.wrap("的图片和说明。" + PROSE, 20)]
    assert run("join-lines", "\n".join(wrapped))[0] == text


def test_items_inside_a_line_begin_no_paragraph() -> None:
    entry = "结：1.用线、绳、草等条状物打结或编织。2.指结成之物。3.比喻疑难困惑的关键。4.系，扎缚。5.连接，联合起来。6.聚合，凝聚。"
    for end in " \n":
        text = "\n".join(end.join(textwrap.wrap(entry * 2 + PROSE, n)) for n in (18, 18, 18))
        assert run("join-lines", text)[0] == "\n".join([entry * 2 + PROSE] * 3)


def test_drawn_tables_and_numbered_contents_are_no_columns() -> None:
    table = "+------+--------------------+\n|編號  |說明                |\n+------+--------------------+\n"
    contents = "".join(f"1.{n} 第{n}節的標題\n" for n in range(1, 7))
    prose = "\n".join(textwrap.wrap(PROSE * 2, 20)[::-1])
    for laid_out in (table * 3, contents):
        assert not run("deinterleave", laid_out + prose + "\n")[1]
        assert run("deinterleave", laid_out + prose + "\n")[0] == laid_out + prose + "\n"


def test_headings_on_two_lines() -> None:
    assert run("join-headings", "第一章\n\n总则\n\n正文。")[0] == "第一章 总则\n\n正文。"
    assert run("join-headings", "## 二、提高地方\n 立法质量\n\n正文。")[0] == "## 二、提高地方立法质量\n\n正文。"
    unchanged = "第一章\n天亮了，他出发了。"
    assert run("join-headings", unchanged)[0] == unchanged


def test_paragraphs_over_a_page_end() -> None:
    first = "常委会明确提出，要坚持稳中求进的工作总基调，在历届班子打下的良好基础上，把稳"
    text = f"{first}\n\n中求进作为总的要求，推动各项工作。"
    assert run("join-paragraphs", text)[0] == text.replace("\n\n", "")
    torn = f"{first}\n\n究新情况，解决新问题，就是要破旧立新。"
    same, asked = run("join-paragraphs", torn)
    assert same == torn and len(asked) == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("锚定”三高四新”蓝图，加快”五个一”工程。", "锚定“三高四新”蓝图，加快“五个一”工程。"),
        ("“甲“和“乙“都来了。", "“甲”和“乙”都来了。"),
        ("他说：”好。“她说：”不好。“", "他说：“好。”她说：“不好。”"),
        ("“第一段引文没有结束，下一段接着说。", "“第一段引文没有结束，下一段接着说。"),
        ("锚定“三高四新”蓝图。", "锚定“三高四新”蓝图。"),
        ("他问：”谁？“她答：“是我。“他又问：“还有谁？", "他问：“谁？”她答：“是我。”他又问：“还有谁？"),
        ("见“甲“。\n见”乙”。", "见“甲”。\n见“乙”。"),
        ("她说，”好吧，”就走了，“哗——“地一声。", "她说，“好吧，”就走了，“哗——”地一声。"),
        ("上文引到此。”他说：“下文从这里", "上文引到此。”他说：“下文从这里"),
        ("他说：“我听见有人喊“快跑”就醒了。”", "他说：“我听见有人喊“快跑”就醒了。”"),
        ("「走吧。」他喊：”快！”", "「走吧。」他喊：”快！”"),
    ],
)
def test_quotes_of_one_direction(before: str, after: str) -> None:
    assert run("pair-quotes", before)[0] == after


def test_a_quote_the_wrong_way_round_ends_a_paragraph() -> None:
    first = "他把那封信从头到尾又看了一遍，抬起头来问站在门口的孩子：”这是谁叫你送来的？“"
    text = f"{first}\n\n孩子没有回答，只是往后退了两步。"
    assert run("join-paragraphs", text)[0] == text


def test_a_short_text_with_indents_shows_its_measure() -> None:
    text = (
        "　　雨下了一整夜。天快亮的时候，老赵听见有人在敲\n门，声音很轻，像是怕惊动了谁。\n\n"
        "　　老赵愣了一下，他已经有二十年没有哥哥的消息了\n，想不到还能再见。他披上衣服，点起灯。"
    )
    assert run("join-lines", text)[0].count("\n") == 2


def test_a_step_is_found_by_its_name_alone() -> None:
    for name, step in all_steps().items():
        assert step.name == name
        assert step_named(name) is step
