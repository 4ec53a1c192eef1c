"""Documents that were typed for a screen: manuals with code and tables, remarks line by line, letters, verse."""

from __future__ import annotations

import random

import pytest

from conftest import ROOT
from shanben.columns.lines import may_hold_columns, printed_lines
from shanben.columns.order import reorder
from shanben.ledger import Change
from shanben.pipeline import clean
from shanben.steps import all_steps
from shanben.values import Text

# Written for this test.
SUBJECTS = [
    "房间",
    "老板",
    "价钱",
    "早饭",
    "院子",
    "门口的路",
    "服务",
    "被子",
    "热水",
    "窗外",
    "邻居",
    "电视",
    "钥匙",
    "楼梯",
    "茶叶",
    "毛巾",
]
SAID = [
    "很旧",
    "还算干净",
    "比去年好",
    "不太方便",
    "让人满意",
    "有点吵",
    "可以再改",
    "很安静",
    "常常缺货",
    "够用了",
    "很热情",
    "太小",
]


def remarks(count: int, seed: int = 7) -> str:
    """Make remarks as people write them, a line each, with blanks for commas and without a stop."""
    chance = random.Random(seed)  # noqa: S311 (not for secrets)
    lines = []
    for _ in range(count):
        clauses = [
            chance.choice(["", "其实", "有时候"]) + chance.choice(SUBJECTS) * chance.randint(0, 1) + chance.choice(SAID)
            for _ in range(chance.randint(1, 7))
        ]
        lines.append(
            chance.choice(["我觉得", "总之", "住了两天", ""])
            + " ".join(clauses)
            + chance.choice("。！") * (chance.random() < 0.6)
        )
    return "\n".join(lines) + "\n"


def manual(entries: int) -> str:
    """Make a manual that is wrapped at a measure, with tables drawn with signs and commands between."""
    chance = random.Random(3)  # noqa: S311 (not for secrets)
    out = ["工具使用手册", ""]
    for n in range(entries):
        words = [chance.choice(SUBJECTS) + "的设置" + chance.choice(SAID) for _ in range(6)]
        text = f"要查看第{n + 1}项，先打开它的配置文件，" + "，".join(words) + "。"
        out += ["    " + text[at : at + 33] for at in range(0, len(text), 33)]
        out += ["", f"    # toolctl show item{n}", ""]
        out += ["    +------+--------+", f"    |item{n:2}|{chance.choice(SAID):<6}|", "    +------+--------+", ""]
    return "\n".join(out) + "\n"


def test_a_manual_with_drawn_tables_keeps_its_order() -> None:
    text = manual(40)
    assert reorder(text).note == "no column lines"
    cleaned = clean(text.encode())
    assert not [c for p in cleaned.ledger.passes for c in p.changes if c.to is not None]
    for n in range(40):
        assert f"toolctl show item{n}\n" in cleaned.text
        assert f"\n+------+--------+\n|item{n:2}|" in cleaned.text
    assert clean(cleaned.text.encode()).text == cleaned.text


def test_code_and_comments_are_no_columns() -> None:
    fenced = "步骤如下\n```sh\ncd data\n```\n" * 3 + "甲乙丙丁戊己庚辛壬癸子丑寅卯\n" * 20
    commented = "#\n# This file is free\n" * 5 + "输入姓名，可以只用一个字\n改好以后再按一次回车键\n" * 12
    for text in (fenced, commented):
        assert not may_hold_columns(text, *printed_lines(text), least=8)


@pytest.mark.parametrize("seed", range(5))
def test_blanks_for_commas_are_no_line_ends(seed: int) -> None:
    step = all_steps()["join-lines"]
    found = step.run(Text.of(remarks(160, seed)), step.params(evidence=4))
    assert not [f for f in found if isinstance(f, Change)]


def test_remarks_are_not_joined() -> None:
    lines = [
        "第一次来的时候正好赶上下雨，前后折腾了半天才把手续办好，总的说来还算满意，以后有机会也许再来",
        "隔壁那家铺子生意一直很红火，听说老板娘是外地人，做的点心连孩子都爱吃，去晚了常常只剩下几块碎的",
        "他家的车停得太满，后来的人只好绕到河对面去找地方，走回来要一刻钟左右",
        "电梯坏过两次，修理工倒是当天就赶到，可惜零件要从省城调运",
        "夏天蚊子很多，纱窗破了几个洞，跟服务台说过以后第二天下午才有人来补",
        "水龙头的水忽冷忽热，洗澡要碰运气，楼上一开水阀门这边马上就变得冰凉，早上七点钟前后尤其厉害",
        "晚上九点以后街上就没有什么人，想买瓶水都要走好远，这一点希望能改进，别的都好说，毕竟是小地方",
    ]
    lines += ["交通很方便，环境也不错，离车站走路不到十分钟，下次还会考虑入住此酒店", "房间较小，但挺干净，早饭也好。"]
    lines += ["这家酒店房间很大。", "酒店房间隔音不好。", "同等的酒店房间要贵一些。"]
    assert clean(("\n".join(lines) + "\n").encode()).text.splitlines() == lines


def test_paragraphs_of_a_cut_page_are_joined_where_words_stand_across() -> None:
    """Most borders of the page say nothing, yet words across the others are no chance."""
    cut = [
        ("会议认为，一年来各项工作取得了新的进展，主要是因为坚持了把稳", "中求进作为总的要求，各地各部门都动了起来。"),
        ("代表们说，去年提出的办法大家都很赞成，今年还要继续抓好议案建", "议的办理，让提的人满意，让办的人也明白。"),
        ("下半年的任务更重，要把省里的部署落到实处，一件一件地抓，真正实现高质", "量发展，不做表面文章。"),
        ("座谈会开了整整一天，发言的有三十多人，有老有少，大家围绕营商环", "境谈了很多想法，记录有两万多字。"),
    ]
    bare = [
        ("他们走了三天三夜，翻过了两座大山，终于看见了远处的灯火，却再也", "没有力气往前，只好在路边坐下来等天亮。"),
        ("村里的人听说以后，都跑到河边去看，只见水面上漂着许多木头，大的", "有两人合抱那么粗，小的也有碗口大。"),
        ("老人摇着头，半天没有说话，后来才慢慢讲起那年的大水，说到伤心处", "就停一停，望着窗外的雨出神。"),
        ("那条船修好以后，又在江上跑了十年，换过三个船长，最后停在下游的", "码头，成了孩子们捉迷藏的地方。"),
        ("学堂搬到庙里去的那天，先生把黑板擦了又擦，说这块板比他的年纪还", "大，搬的时候可千万不能碰坏了。"),
        ("夜里起了风，把晒在院子里的谷子吹得到处都是，一家人忙到半夜才把", "它们收拾干净，天也快要亮了。"),
    ]
    said = "今年的要求仍是稳中求进。\n\n议案建议都有了回音。\n\n高质量是硬道理。\n\n这里的营商环境很好。\n\n"
    text = said + "".join(f"{a}\n\n{b}\n\n" for a, b in [*cut, *bare])
    step = all_steps()["join-paragraphs"]
    joined = [f.start for f in step.run(Text.of(text), step.params()) if isinstance(f, Change)]
    assert joined == [text.index(a) + len(a) for a, _ in cut]


@pytest.mark.parametrize("case", ["psm4-joined", "psm6-rules"])
def test_columns_that_were_read_badly_are_put_in_order_all_the_same(case: str) -> None:
    """Their joints read worse than those of any other case; verse in a new order reads as badly as by chance."""
    text = (ROOT / "tests/cases/columns" / case / "input.txt").read_text("utf-8")
    found = reorder(text)
    assert found is not None
    assert found.note == "columns"


def test_rows_of_a_drawn_table_are_not_joined() -> None:
    rows = [f"|第{n:2}行的名称很长很长|它的说明写满了一整行|数量{n:2}|" for n in range(30)]
    text = "表格如下。\n\n" + "\n".join(rows) + "\n"
    step = all_steps()["join-lines"]
    assert not list(step.run(Text.of(text), step.params()))


@pytest.mark.parametrize(
    "text",
    [
        "设置好了。\n\n1. 克隆仓库\n\n   ```bash\n   # 步骤 1：克隆仓库\n   git clone https://example.com/a.git\n   ```\n\n完成了。\n",
        "输入 : 命令就能看到，再按 ? 键求助。\n",
        "[ti:夜行的人]\n[ar:某某某]\n[00:12.34]后来 我总算明白了\n",
        "得到的结果是[3, 5] ('武汉', '#城市#')，以及[\"长沙\", \"株洲\"]。\n",
        "参见[去皮的方法](../tips/去皮.md)，再加入半克盐。\n",
        "先天下之忧而忧， 。（范仲淹）\n",
    ],
)
def test_what_stays(text: str) -> None:
    assert clean(text.encode()).text.replace(" ", "") == text.replace(" ", "")


def test_a_quoted_letter_is_no_frame() -> None:
    letter = (
        "李总:\n    您好!附件为一季度的报表,请查收.\n地址:北京市某某大街1号,邮编:100080\n网址:www.example.com,QQ:12345678\n"
        "------------------ 原始邮件 ------------------\n发件人: 李四<lisi@example.com>;\n"
        "发送时间: 2019年3月4日(星期一) 上午9:15\n收件人: 张三<zhangsan@example.com>;\n主题: 关于一季度报表\n\n"
        "> 请于三月六日前提交报表.\n> 谢谢!\n"
    )
    assert "请于三月六日前提交报表。" in clean(letter.encode()).text


def test_text_that_lost_bytes_is_left_alone() -> None:
    lost = "\xb7\xe5\xb1\xe5\xbc\xe3"
    assert clean(f"标题 {lost} 正文\n").text == f"标题 {lost} 正文\n"
