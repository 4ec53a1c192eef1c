"""What the step page-frame takes away above and below a text, and what it leaves alone."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.web_pages import measure, total
from shanben.cli import main
from shanben.errors import SourceError
from shanben.ledger import Capture, Change, apply_changes
from shanben.pipeline import clean, plan
from shanben.rulebook.search import Groups
from shanben.steps._frame_lines import Kind, Line, any_of, outer_lines
from shanben.steps._frame_params import may_be_page
from shanben.steps._frame_zones import ZONES, features_of, likelihoods, read_weights, zone_frame
from shanben.steps.page_frame import STEP, Params, page_frame
from shanben.values import Text

TITLE = "春天的花"
PROSE = "花都开了，他站在门口看了很久。\n后来下了一夜的雨，花落了一地。\n"
HEAD = "首页 | 新闻 | 登录 | 注册\n您的位置：首页 > 新闻 > 正文\n"
FOOT = "【打印本页】 【关闭窗口】\n上一篇：夏天的雨\n下一篇：没有了\n湘ICP备12345678号\n"


def params(**more: object) -> Params:
    """Give the shipped vocabularies."""
    rule = next(u.rule for u in plan(()).units if u.rule.step == "page-frame")
    return Params(**{**rule.params, **more})  # type: ignore[arg-type]


def after(text: str) -> str:
    """Give the text after the step alone."""
    return apply_changes(text, [f for f in page_frame(Text.of(text), params()) if isinstance(f, Change)])


def test_head_and_foot_go_and_the_text_stays() -> None:
    assert after(f"{HEAD}{TITLE}\n{PROSE}{FOOT}") == f"{TITLE}\n{PROSE}"


def test_one_word_a_line() -> None:
    head = "下载\n打印\n全屏\n收藏\n【字号：\n加大\n还原\n减小\n】\n"
    assert after(f"{head}{TITLE}\n{PROSE}") == f"{TITLE}\n{PROSE}"


def test_one_certain_line_is_no_frame() -> None:
    text = f"{TITLE}\n{PROSE}联系我们\n"
    assert after(text) == text


def test_links_under_a_heading_go_up_to_the_end() -> None:
    links = "相关阅读\n夏天的雨下了一夜\n秋天的风吹到了哪里？\n返回顶部\n"
    assert after(f"{HEAD}{TITLE}\n{PROSE}{links}") == f"{TITLE}\n{PROSE}"


@pytest.mark.parametrize("middle", ["相关阅读\n", "版权声明\n", "返回顶部\n打印\n", "联系我们\n电话：12345\n"])
def test_between_paragraphs_such_lines_are_content(middle: str) -> None:
    text = f"{TITLE}\n{PROSE}{middle}{PROSE}"
    assert after(HEAD + text + FOOT) == text


@pytest.mark.parametrize(
    "tail",
    [
        "联系人：王老师\n联系电话：0731-12345678\n地址：人民路1号\n",
        "附件：1. 报名表\n2. 路线图\n临江市教育局\n2024年3月1日\n",
        "临江市教育局\n二〇二四年三月一日\n",
        "注：数据来自调查。\n",
    ],
)
def test_what_ends_a_notice_stays_above_the_foot(tail: str) -> None:
    text = f"{TITLE}\n{PROSE}{tail}"
    assert after(HEAD + text + FOOT) == text


def test_a_list_that_a_colon_announces_stays() -> None:
    text = f"{TITLE}\n{PROSE}常见的按钮有下面几种：\n返回顶部\n分享\n收藏\n打印\n关闭窗口\n{PROSE}"
    assert after(HEAD + text + FOOT) == text


def test_words_without_prose_stay() -> None:
    text = "电脑词汇\n来源：本站 发布时间：2012-3-1 10:20\n下载\n上传\n打印\n收藏\n搜索\n"
    assert after(HEAD + text + FOOT) == text


def test_verse_and_tables_stay() -> None:
    verse = "静夜思\n作者：李白\n床前明月光\n疑是地上霜\n举头望明月\n低头思故乡\n"
    assert after(HEAD + verse + FOOT) == verse
    table = "统计表\n项目\t数量\t金额\n甲\t12\t3.5\n乙\t8\t2.1\n丙\t4\t1.0\n"
    assert after(HEAD + table + FOOT) == table


def test_of_a_title_that_stands_twice_the_second_stays() -> None:
    assert after(f"{HEAD}{TITLE}\n打印本页\n关闭窗口\n{TITLE}\n{PROSE}{FOOT}") == f"{TITLE}\n{PROSE}"


@pytest.mark.parametrize("title", ["雨", "分享的快乐", "花开了吗？", "新闻中心的一天", "停水公告"])
def test_titles_stay(title: str) -> None:
    assert after(f"{HEAD}{title}\n来源：临江日报 发布时间：2024-03-01 08:30\n{PROSE}{FOOT}") == f"{title}\n{PROSE}"


def test_a_time_stamp_is_captured() -> None:
    text = f"{HEAD}{TITLE}\n某报\n2024-03-01 08:30\n打印本页\n{PROSE}"
    found = list(page_frame(Text.of(text), params(facts=())))
    assert [f.value for f in found if isinstance(f, Capture)] == ["2024-03-01"]


def test_a_schedule_is_no_row_of_stamps() -> None:
    text = f"{TITLE}\n2024-03-01 08:30 签到\n2024-03-01 09:30 开幕\n{PROSE}"
    assert after(HEAD + text + FOOT) == text


def test_facts_are_left_to_the_rules_that_capture_them() -> None:
    cleaned = clean(f"{HEAD}{TITLE}\n来源：临江日报 发布时间：2024-03-01 08:30\n{PROSE}（责任编辑：李四）\n{FOOT}")
    assert cleaned.text == f"{TITLE}\n{PROSE}"
    assert {(c.field, c.value) for c in cleaned.captures} >= {
        ("source", "临江日报"),
        ("date", "2024-03-01"),
        ("contributor", "李四"),
    }


def test_vocabularies_can_be_extended() -> None:
    text = f"{TITLE}\n{PROSE}召唤神龙\n打道回府\n"
    more = params(words=("召唤神龙", "打道回府"))
    changes = [f for f in page_frame(Text.of(text), more) if isinstance(f, Change)]
    assert apply_changes(text, changes) == f"{TITLE}\n{PROSE}"


def test_a_faulty_pattern_is_named() -> None:
    with pytest.raises(ValueError, match="under signs is no valid pattern"):
        STEP.check(Params(signs=("(",)))


@pytest.mark.parametrize(
    "text",
    ["首页|" * 25_000, "来源：" * 30_000, "打印\n" * 30_000, "中 " * 50_000, ("2024-01-01 10:10 " * 12 + "\n") * 1000],
)
def test_strange_texts_take_no_long_time(text: str) -> None:
    given = params()
    start = time.process_time()
    list(page_frame(Text.of(text), given))
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    "line",
    [
        "点此打开青山阅读APP，阅读体验更流畅",
        "同步练字App 海量字帖随心看",
        "喜歡春山請大家收藏：春山小說網更新速度全網最快。",
        "视频加载失败，请刷新页面重试",
        "— THE END —",
        "（正文已结束）",
        "微信搜索“春山网”，每天一篇好文章",
        "春天的花_四年级写景作文400字",
        "扫码下载青山客户端，精彩内容抢先看",
    ],
)
def test_lines_that_no_list_knows_go_by_their_words(line: str) -> None:
    head = f"{HEAD}{TITLE}\n2024-03-01 08:30\n"
    assert line not in after(f"{head}{PROSE}{line}\n{FOOT}").split("\n")


def test_a_notice_between_paragraphs_goes_and_the_paragraphs_stay() -> None:
    text = f"{HEAD}{TITLE}\n{PROSE}亲，该文档总共3页，当前只能预览前2页，\n{PROSE}{FOOT}"
    assert after(text) == f"{TITLE}\n{PROSE}{PROSE}"


def test_numbered_disclaimers_of_a_document_site_go() -> None:
    disclaimers = (
        "温馨提示\n"
        "1. 本站所有资源如无特殊说明，都需要本地电脑安装阅读器，压缩文件请下载软件解压。\n"
        "2. 本站的文档不包含第三方提供的附件，如果需要附件，请联系上传者。\n"
        "最新文档\n"
    )
    assert after(f"{HEAD}{TITLE}\n{3 * PROSE}{disclaimers}{FOOT}") == f"{TITLE}\n{3 * PROSE}"


def test_marks_of_pages_go_only_where_they_count_up() -> None:
    assert after(f"{HEAD}{TITLE}\n{PROSE}1/2\n{PROSE}2/2\n{FOOT}") == f"{TITLE}\n{PROSE}{PROSE}"
    sums = f"{TITLE}\n{PROSE}1/2\n1/3\n{PROSE}"
    assert after(HEAD + sums + FOOT) == sums


@pytest.mark.parametrize(
    "body",
    [
        "请大家登录学校网站下载报名表，填好以后交给班主任。\n",
        "如有疑问，请扫描二维码加入微信群咨询。\n",
        "他打开手机，点了一下分享，又把它删掉了。\n",
        "母亲的评论只有两个字：很好。\n",
        "“收藏这些旧报纸，”他说，“是为了孩子。”\n",
        "甲：你关注我了吗？\n乙：关注了，还点赞了呢。\n",
        "我登录了三次，都没有成功，只好去柜台办理。\n",
        "版权登记可以在网上办理，也可以到窗口办理。\n",
        "转载这篇文章的报纸，第二天就卖光了。\n",
        "注册资本一百万元，由三位股东分三年缴足。\n",
        "老板，结账！\n",
        "编辑部的灯亮了一夜。\n",
        "举报电话向社会公布以后，三天里接到十一个电话。\n",
        "推荐信写好了，他却没有寄出去。\n",
        "联系人：王小明\n联系电话：0731-12345678\n电子邮箱：a@example.com\n",
        "一、下载\n电子书下载以后，可以看十四天。\n二、收藏\n收藏的书会放在书架上。\n",
        "报名方式：\n现场报名\n网上报名\n电话报名\n",
        "词语表\n登录：进入系统。\n注册：成为用户。\n",
        "参加人员：\n张三　李四　王五\n赵六　孙七　周八\n",
        "附件：1. 报名表\n2. 下载说明\n",
        "注：以上数据来自互联网，仅供参考。\n",
        "临江市版权局\n2024年3月1日\n",
        "各位读者：\n本馆网站已经改版，欢迎大家浏览、评论，提出意见。\n",
        "问：怎样退出登录？\n答：点击右上角的头像，再点击“退出登录”。\n",
        "第三条　网站不得擅自转载他人的作品，转载的应当注明出处，并支付报酬。\n",
        "“老师，”小华举手问，“什么叫版权？”\n",
        "他在论坛里写了十年，粉丝只有三个。\n",
        "打印、复印费　　　　312.50元\n合计　　　　　　　312.50元\n",
        "客户端的开发用了两年，其中半年在等服务器。\n",
        "我爱读书，也爱给书写评论。\n",
        "会议时间：2024年3月5日下午\n会议地点：三楼会议室\n",
    ],
)
def test_content_that_speaks_of_pages_stays(body: str) -> None:
    text = f"{TITLE}\n{PROSE}{body}"
    assert after(HEAD + text + FOOT) == text
    inner = f"{TITLE}\n{PROSE}{body}{PROSE}"
    assert after(HEAD + inner + FOOT) == inner


def test_a_text_about_web_pages_stays() -> None:
    text = (
        "怎样分享文档\n"
        "打开手机应用，点击右上角的“更多”，再点击“分享”，扫描二维码就能看到文档。\n"
        "分享的链接有三种权限：\n仅查看\n可评论\n可编辑\n"
        "如果提示登录超时，请退出后重新登录；忘记密码的，点击“忘记密码”重新设置。\n"
        "版权声明和转载声明不属于必填的内容。\n"
    )
    assert after(HEAD + text + FOOT) == text


def test_keywords_of_an_abstract_stay() -> None:
    text = f"{TITLE}\n摘要：研究了三种花的花期。结果表明，花期与雨水有关。\n关键词：\n花期；雨水；早春\n"
    assert after(HEAD + text + FOOT) == text
    tags = f"{TITLE}\n{PROSE}关键词：花期 雨水\n"
    assert after(HEAD + tags + FOOT) == f"{TITLE}\n{PROSE}"


def test_a_tag_is_no_part_of_a_title() -> None:
    title = "[转载]河边的老房子\n"
    stamp = "楼主：青石 时间：2009-11-02 14:27:00 点击：18 回复：2\n"
    page = f"登录 注册 手机客户端\n{title}{stamp}脱水模式 只看楼主\n{PROSE}{FOOT}"
    assert after(page) == f"{title}{PROSE}"


def test_a_first_heading_under_buttons_stays() -> None:
    text = f"{TITLE}翻新项目公告\n【我要打印】【关闭】\n项目概况\n{TITLE}翻新项目已经批准，现在公开招标。\n{PROSE}"
    kept = text.replace("【我要打印】【关闭】\n", "")
    assert after(HEAD + text + FOOT) == kept


def test_a_text_that_begins_with_its_subject_stays() -> None:
    text = "认字小帖\n“认字小帖”收录三千个字。没有积分，没有排行榜，没有打卡。\n主要功能：\n【听写】自己录音\n"
    assert after(f"{HEAD}{text}1．修好了录音的故障；\n{FOOT}") == f"{text}1．修好了录音的故障；\n"


def test_the_date_under_a_signature_stays() -> None:
    text = f"{TITLE}\n{PROSE}书友会　小满\n2011-9-3\n"
    assert after(HEAD + text + FOOT) == text


def test_a_box_of_facts_above_the_title_goes_and_conditions_in_a_notice_stay() -> None:
    box = "信息名称：关于花的答复\n信息索引：360A06\n发文机构：园林局\n经办科室：花木科\n发文字号：园函〔2022〕7号\n"
    assert after(f"{HEAD}{box}{TITLE}\n{PROSE}{FOOT}") == f"{TITLE}\n{PROSE}"
    notice = f"{TITLE}\n{PROSE}名称：花展\n地点：公园\n地址：人民路1号\n{PROSE}"
    assert after(HEAD + notice + FOOT) == notice


def test_a_short_text_keeps_both_ends_when_frame_stands_below() -> None:
    below = (
        "更多精彩内容请关注：花木专区\n本文由小编整理，转载请注明出处\n热门搜索：花\n抵制盗版，谨防受骗，安排时间。\n"
    )
    assert after(f"{HEAD}{TITLE}\n{PROSE}{below}{FOOT}") == f"{TITLE}\n{PROSE}"


def test_no_text_follows_the_foot_of_a_site() -> None:
    tail = "© 2020 临江资料网\n欢迎查看所有产品和服务。\n"
    assert after(f"{HEAD}{TITLE}\n{3 * PROSE}{tail}") == f"{TITLE}\n{3 * PROSE}"


def test_numbers_of_links_hide_no_controls() -> None:
    head = "[1]跳转到主要内容\n[2]首页 [3]词条 [4]分类\n[5]登录 [6]注册\n"
    tail = "[7]返回顶部 [8]打印本页\nReferences\n1. http://flower.example/a\n2. http://flower.example/b\n"
    books = "[1]《花镜》卷二。\n[2]《群芳谱》。\n"
    assert after(f"{head}{TITLE}\n{PROSE}{books}{tail}") == f"{TITLE}\n{PROSE}{books}"


def test_a_row_of_words_above_the_title_goes() -> None:
    page = f"{HEAD}登录\n看花草 问园丁 查花期 学扦插\n{TITLE}\n来源：临江日报 发布时间：2024-03-01 08:30\n{PROSE}{FOOT}"
    assert "看花草" not in after(page)


SITE = "云溪\n山川 | 人物 | 器物 | 风俗\n云溪网 > 人物 > 正文\n"
LONG = (
    "修钟的人姓韩，铺子开在桥头，一开就是四十年，镇上没有一户人家没有找过他。\n"
    "他修钟的时候不说话，只听，听完了才动手，动手以后很少再拆第二次。\n"
    "铺子里挂着十三座钟，十三座钟走的都是一样的时间，一秒也不差。\n"
    "有人问他收不收徒弟，他说收过三个，三个都改行了，如今只剩下他自己。\n"
)


def test_what_a_list_of_links_tells_goes_with_its_sentences() -> None:
    links = (
        "责任编辑：李四\n我要反馈\n热门推荐\n"
        "最后一个箍桶匠\n这门手艺传了三代，如今只有他还在做，一年也做不了几只。\n2019-09-09 21:38:04\n"
        "老街上的秤杆铺\n他的秤从来不差一钱，买菜的人都信得过，铺子开了六十年。\n2019-09-09 21:38:04\n"
        "关于我们 联系我们\n湘ICP备12345678号\n"
    )
    text = f"{TITLE}\n{LONG}{LONG.replace('钟', '表')}"
    assert clean(f"{SITE}{text}{links}").text == text


@pytest.mark.parametrize(
    "tail",
    [
        "参考文献\n[1] 陆明. 古钟修理[M]. 北京: 某某书局, 1988: 23-31.\n",
        "相关链接\n铺子开门时间：每周二、周五8:30—11:00\n地点：桥头街8号\n",
        "韩师傅口述\n2011-9-3\n",
        "附：十三座钟的名称\n座钟\n挂钟\n闹钟\n怀表\n",
        "《钟铺》\n钟声一响\n满街的雨都停了\n他抬起头\n",
    ],
)
def test_what_belongs_to_the_text_stays_below_it(tail: str) -> None:
    assert after(f"{HEAD}{TITLE}\n{LONG}{tail}{FOOT}") == f"{TITLE}\n{LONG}{tail}"


def test_posts_of_readers_stay_in_a_thread() -> None:
    posts = (
        "只看该作者\n沙发\n发表于 2017-9-11 08:20:33 | 只看该作者\n钟修得真好，请问这座钟是哪一年的？我那座也停了。\n"
    )
    cleaned = after(f"{HEAD}{TITLE}\n{LONG}{posts}使用道具 举报\n回复 支持 反对\n返回列表\n{FOOT}")
    assert "钟修得真好，请问这座钟是哪一年的？我那座也停了。\n" in cleaned


@pytest.mark.parametrize("body", ["锅\n碗\n盆\n筷子\n菜刀\n砧板\n", "红汤锅　38元\n清油锅　42元\n鲜毛肚\n黄喉\n"])
def test_a_list_without_sentences_stays(body: str) -> None:
    text = f"厨房用品\n来源：本站 发布时间：2012-3-1 10:20\n{body}"
    assert after(HEAD + text + FOOT) == text


def test_a_numbered_sentence_about_rights_stays_among_others() -> None:
    rules = "一、提倡实名，评论优先显示。\n二、删帖有据，编辑应当留存备份。\n三、版权。网友发表的评论，版权归网友所有，转载请注明出处。\n"
    text = f"{TITLE}\n{PROSE}{rules}本公告由网站部解释。\n"
    assert after(HEAD + text + FOOT) == text


def test_who_signs_a_text_and_its_date_in_words_stay() -> None:
    text = f"{TITLE}\n{PROSE}江城在线 编辑部\n二〇一〇年六月一日\n"
    assert after(HEAD + text + FOOT) == text


def test_lines_are_weighed_as_a_chain_of_zones() -> None:
    known = outer_lines(Text.of(f"{HEAD}{TITLE}\n{LONG}{FOOT}"), params())
    weights = read_weights()
    likely, zones = likelihoods(weights.scores(features_of(known, [0] * len(known))), weights.steps)
    assert re.fullmatch("H*T(?:[TI]*T)?F*", zones)
    assert all(0 <= chance <= 1 + 1e-9 for chance in likely)
    assert min(likely[3:7]) > 0.99 > 0.01 > max(*likely[:2], *likely[-4:])


def test_the_first_run_of_sentences_is_never_head_or_foot() -> None:
    many = "".join(f"网友{n}号\n写得真好，我看了三遍，每一遍都有新的发现。\n回复 赞 {n}\n" for n in range(80))
    assert after(f"{HEAD}{TITLE}\n{LONG}分享到：\n返回顶部\n热门评论\n{many}{FOOT}").startswith(f"{TITLE}\n{LONG}")


def test_without_two_lines_of_a_frame_nothing_is_weighed() -> None:
    known = outer_lines(Text.of(f"{TITLE}\n{LONG}阿芳\n来自手机\n"), params())
    assert zone_frame(known, lambda _: 9)[0] == set()


def test_the_read_weights_are_whole() -> None:
    weights = read_weights()
    assert {len(said.split("\t")) for said in weights.rows.values()} == {4}
    assert len(weights.rows) > 1000
    rows = [weights.steps["HTIF".index(a)]["HTIF".index(b)] > -100 for a in "HTIF" for b in "HTIF"]
    assert rows == [
        True,
        True,
        False,
        False,
        False,
        True,
        True,
        True,
        False,
        True,
        True,
        False,
        False,
        False,
        False,
        True,
    ]
    assert all(name.isprintable() and "\t" not in name for name in weights.rows)


# --- what ends a text ------------------------------------------------------------------------------------------------

APP = "展开更多\n扫码下载客户端\n发表评论\n猜你喜欢\n换一换\n登录\n注册\n"


@pytest.mark.parametrize(
    "section",
    [
        "联系我们\n微博：@桥头修钟铺\n邮箱：clock@example.com\n",
        "片头：晨光\n片尾：茉莉花（口琴版）\n",
        "相关链接：\n活动时间：7月24日下午两点\n活动地点：江边书店二楼\n报名电话：0731-12345678\n",
    ],
)
def test_contacts_and_credits_right_below_a_text_stay(section: str) -> None:
    text = f"{TITLE}\n{LONG}{section}"
    assert after(f"{HEAD}{text}{APP}") == text


@pytest.mark.parametrize(
    "links", ["推荐阅读\n布店旧事：一匹布一辈子\n", "版权声明：本报作品版权归本报所有\n地址：江城市文昌路1号\n"]
)
def test_links_and_notices_that_only_look_like_contacts_go(links: str) -> None:
    assert after(f"{HEAD}{TITLE}\n{LONG}{links}{APP}") == f"{TITLE}\n{LONG}"


def test_the_address_above_the_foot_of_a_site_goes() -> None:
    foot = "地址：江城市文昌路1号\n邮编：410000\n湘ICP备12345678号\n"
    assert after(f"{HEAD}{TITLE}\n{LONG}{foot}") == f"{TITLE}\n{LONG}"


def test_a_title_that_a_page_gives_twice_stays() -> None:
    name = "用脚本给旧书编目"
    site = "会员\n所有博客\n我的博客\n退出登录\n注册 登录\n石头记\n一行一行写，一步一步走\n"
    left = after(f"{HEAD}{site}首页 新随笔 联系 订阅 管理\n{name}\n{name}\n{LONG}{FOOT}")
    assert left.endswith(f"{name}\n{LONG}") and "我的博客" not in left


# --- titles, contents, lists that are announced ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "middle",
    [
        "制定机关：临江市人民政府\n公布日期：2009-03-12\n时效性：有效\n打印\n下载\n",
        "[日期：2017-11-03]\n来源：花木社区\n作者：园丁\n[字体：大 中 小]\n",
        "人气：12034 收藏：821\n上传：2014-09-10\n下载积分：5\n",
    ],
)
def test_a_title_stays_whatever_stands_below_it(middle: str) -> None:
    title = "临江市古钟修理管理办法"
    page = f"{HEAD}手机版\n高级检索\n相关命令下载\n{title}\n{middle}{LONG}{FOOT}"
    assert title in after(page).split("\n")


def test_no_name_of_an_account_is_taken_for_the_title() -> None:
    page = f"登录\n注册\n搜索\n关注\n十三座钟和一个人\n钟表迷\n+关注\n2024-03-01 08:30\n{LONG}{APP}"
    assert after(page).startswith("十三座钟和一个人\n")
    assert "钟表迷" not in after(page)


def test_a_list_of_contents_that_a_page_makes_goes() -> None:
    parts = f"形制\n{LONG}制作\n{LONG.replace('钟', '表')}现状\n他说，修钟的人越来越少，钟也越来越少。\n"
    listed = "本文目录\n1 形制\n2 制作\n3 现状\n"
    assert after(f"{HEAD}{TITLE}\n{listed}{parts}{FOOT}") == f"{TITLE}\n{parts}"


def test_the_chapters_that_a_law_lists_stay() -> None:
    law = (
        "目　录\n第一章　总则\n第二章　附则\n第一章　总则\n第一条　为了加强渡口管理，保障人民群众生命财产安全，制定本办法。\n"
        "第二条　本县范围内的渡口、渡船和渡工，适用本办法，另有规定的除外。\n"
        "第二章　附则\n第三条　本办法自2009年5月1日起施行，原办法同时废止。\n"
    )
    text = f"清溪县渡口管理办法\n{law}"
    assert after(HEAD + text + FOOT) == text


def test_the_title_beside_a_picture_goes() -> None:
    title = "桥头修钟铺的最后一个冬天"
    page = f"{HEAD}{title}\n{LONG}{title}，第2张\n{LONG.replace('钟', '表')}{title}-图3\n{FOOT}"
    assert after(page) == f"{title}\n{LONG}{LONG.replace('钟', '表')}"


@pytest.mark.parametrize(
    "tail",
    [
        "报名方式有三种：\n现场报名\n网上报名\n电话报名\n",
        "四、咨询方式\n热线：0731-12345678（6:30—23:00）\n微博：@桥头修钟铺\n",
    ],
)
def test_what_is_announced_stays_above_the_foot(tail: str) -> None:
    text = f"{TITLE}\n{LONG}{tail}"
    assert after(HEAD + text + FOOT) == text


def test_facts_of_an_event_between_title_and_text_stay() -> None:
    text = f"中秋读书夜\n讲者：林老师\n日期：2022年9月10日（星期六）\n时间：晚上七时至八时半\n地点：读者活动室\n{LONG}"
    assert after(f"{HEAD}分享至：\n列印本頁\n{text}{FOOT}") == text


# --- texts that are no pages -----------------------------------------------------------------------------------------


def test_a_text_without_two_lines_like_those_of_pages_is_not_looked_through() -> None:
    assert not may_be_page(f"{TITLE}\n{LONG}版权所有\n", params())
    assert may_be_page(f"{TITLE}\n{LONG}版权所有\n回到首页\n", params())
    assert may_be_page(f"{TITLE}\n{LONG}", params(marks=()))


def test_a_sentence_about_pages_is_no_sign_of_one() -> None:
    said = "他在网站的首页上看到了版权声明，又点击下载，登录之后才发现，这本书已经从书架上撤了下来，只好写信去问。\n"
    assert len(said) > 50 and not may_be_page(f"{TITLE}\n{'又过了些日子。' * 2}{said}{said}", params())


def test_a_text_that_is_no_page_costs_next_to_nothing() -> None:
    text, given = "春天的花开了，他看了很久，一直看到天黑，才慢慢走回家去。" * 3 + "\n", params()
    text *= 60
    may_be_page(text, given)
    start = time.process_time()
    for _ in range(100):
        assert list(page_frame(Text.of(text), given)) == []
    assert time.process_time() - start < 0.2


# --- training --------------------------------------------------------------------------------------------------

PAGES = Path(__file__).parent / "cases" / "pages"


def test_weights_are_learned_from_labelled_pages_the_same_bytes_each_time(tmp_path: Path) -> None:
    for number in (1, 2):
        done = CliRunner().invoke(
            main,
            [
                "train-frame",
                str(PAGES / "first-held"),
                "-o",
                str(tmp_path / f"{number}.tsv"),
                "--mixtures",
                "20",
                "--json",
            ],
        )
        assert done.exit_code == 0, done.output
        told = json.loads(done.stdout)
        assert told["pages"] > 100 and told["features"] > 500
    assert (tmp_path / "1.tsv").read_bytes() == (tmp_path / "2.tsv").read_bytes()
    weights = read_weights(str(tmp_path / "1.tsv"))
    known = [
        Line(n, said, kind)
        for n, (said, kind) in enumerate([*HEAD_LINES, ("花都开了，他看了很久，才慢慢走回家去。", "prose")])
    ]
    scores = weights.scores(features_of(known, [0] * len(known)))
    assert max(scores[-1]) == scores[-1][ZONES.index("T")]


def test_weights_are_adapted_as_far_as_the_pages_ask(tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    for n, day in enumerate(("今早", "昨夜", "前天")):
        lines = [
            "# page",
            "-渡口水情",
            "-首页 | 登录 | 注册",
            "+春天的花",
            *["+花都开了，他在门口看了很久，才走。"] * 3,
        ]
        (pages / f"{n}.txt").write_text("\n".join([*lines, f"-潮位{day}", "-版权所有", ""]), encoding="utf-8")
    for name in ("a", "b"):
        arguments = ["train-frame", str(pages), "-o", str(tmp_path / f"{name}.tsv"), "--mixtures", "0", "--adapt"]
        done = CliRunner().invoke(main, arguments)
        assert done.exit_code == 0, done.output
    assert (tmp_path / "a.tsv").read_bytes() == (tmp_path / "b.tsv").read_bytes()
    before, after_ = read_weights(""), read_weights(str(tmp_path / "a.tsv"))
    changed = {
        name for name in before.rows.keys() | after_.rows.keys() if before.rows.get(name) != after_.rows.get(name)
    }
    assert len(changed) < len(before.rows) / 20
    known = [Line(0, "潮位今夜", "text")]
    text, foot = ZONES.index("T"), ZONES.index("F")
    (own,), (old,) = (weights.scores(features_of(known, [0])) for weights in (after_, before))
    assert own[foot] - own[text] > old[foot] - old[text]


HEAD_LINES: list[tuple[str, Kind]] = [
    ("首页 | 登录 | 注册", "sign"),
    ("设为首页", "sign"),
    ("当前位置：首页 > 新闻", "path"),
]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [("a.txt", "# page\n首页\n", "a line without label"), ("a.txt", "# page\n-首页\n", "no page has a line of text")],
)
def test_pages_that_teach_nothing_are_refused(tmp_path: Path, name: str, content: str, said: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    done = CliRunner().invoke(main, ["train-frame", str(tmp_path), "-o", str(tmp_path / "w.tsv")])
    assert done.exit_code == 3
    assert said in done.output
    assert not (tmp_path / "w.tsv").exists()


@pytest.mark.parametrize(
    "content", ["# head\nHH\tx\ty\tz\tq\n", "# head\n#a\t1\t2\n", "# head\nabc\n", "#\n#a\t1\t2\tx\t0\n"]
)
def test_a_file_that_holds_no_weights_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "w.tsv").write_text(content, encoding="utf-8")
    with pytest.raises(SourceError, match="holds no weights of zones"):
        read_weights(str(tmp_path / "w.tsv"))


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("跳到主要內容區塊", "above"),
        ("手机浏览器扫描二维码访问", "above"),
        ("临江网>生活>节气>正文", "above"),
        ("返回顶部", "below"),
        ("您需要登录后才可以回帖 登录 | 立即注册", "below"),
        ("收藏 分享 举报", "below"),
        ("网站地图 | 联系我们 | 关于我们", "below"),
    ],
)
def test_lines_that_only_pages_have_go_alone(line: str, place: str) -> None:
    text = f"{TITLE}\n{LONG}"
    assert clean(f"{line}\n{text}" if place == "above" else f"{text}{line}\n").text == text


def test_families_of_sites_that_were_missing() -> None:
    scores = [measure(page) for page in sorted((PAGES / "sixth").glob("*.txt"))]
    whole = total("sixth", scores)
    assert len(whole.missed) < 0.08 * whole.artifacts and whole.lost < 0.006 * whole.letters


def test_what_the_shipped_weights_remove_of_known_pages() -> None:
    scores = [measure(page) for page in sorted((PAGES / "first-held").glob("*.txt"))]
    whole = total("first-held", scores)
    assert len(whole.missed) < 0.03 * whole.artifacts and whole.lost == 0


def test_patterns_are_skipped_only_where_they_cannot_match() -> None:
    """The groups give for every line of the labelled pages what trying all patterns gives."""
    params = STEP.params(**next(u.rule.params for u in plan().units if u.rule.step == "page-frame"))
    groups = [params.keep, params.inside, params.paths, params.signs, params.feet, params.stamps, params.facts]
    quick = Groups(groups)
    slow = [any_of(group) for group in groups]
    lines = {
        line[1:].strip()
        for page in sorted(PAGES.glob("*/*.txt"))
        for line in page.read_text(encoding="utf-8").split("\n")[1:]
    }
    found = {line: next((n for n, pattern in enumerate(slow) if pattern.match(line)), None) for line in lines}
    assert {line: quick.first(line) for line in lines} == found
    assert len(set(found.values())) == len(groups) + 1, "each group is put to the test"


def test_a_sentence_with_one_word_of_pages_shows_no_page() -> None:
    """Reports say `网站` and `关注`, too; a short line, or a sentence with several such words, does not."""
    params = Params(marks=("网站", "关注", "版权"))
    report = "与会代表对政务网站建设取得的成绩表示肯定，并提出了下一步工作的建议和要求。"
    assert not may_be_page(f"{report}\n" * 5, params)
    assert may_be_page(f"{report}\n关注\n网站地图\n", params)
    assert may_be_page("本网站所有内容的版权归原作者所有，未经许可任何人不得以任何形式转载使用。\n" * 2, params)


def test_pages_kept_whole_lose_little() -> None:
    scores = [measure(page) for page in sorted((PAGES / "seventh").glob("*.txt"))]
    whole = total("seventh", scores)
    assert len(whole.missed) < 0.05 * whole.artifacts and whole.lost < 0.002 * whole.letters


SITE_HEAD = "首页\n新闻\n论坛\n登录\n注册\n搜索\n"
SITE_FOOT = "上一篇\n煤油灯改电灯\n下一篇\n缝纫机断线怎么办\n关于我们\n网站地图\n版权所有 © 2018 江城修理网\n湘ICP备00000000号\n"


@pytest.mark.parametrize(
    "text",
    [
        "1、毛病\n开机有电流声\n调到哪个台都听不清\n2、检查\n先看电源\n再看喇叭\n3、换件\n找同样大小的电容换上去\n焊的时候不要太久\n",
        "一、毛病\n开机有电流声\n调到哪个台都听不清\n二、检查\n先看电源\n再看喇叭\n三、换件\n找同样大小的电容换上去\n焊的时候不要太久\n",
    ],
)
def test_steps_without_a_sentence_stay(text: str) -> None:
    told = f"旧收音机的修理记录\n{text}"
    found = clean(SITE_HEAD + told + SITE_FOOT).text
    assert told in found and "网站地图" not in found and "版权所有" not in found


def test_a_box_of_facts_above_a_document_goes_line_by_line() -> None:
    box = "索 引 号：\n000014349/2017-00201\n主题分类：\n公安、安全\n发文机关：\n临江市人民政府\n成文日期：\n2017年11月06日\n"
    told = f"临江市人民政府关于保护古桥的通知\n各县人民政府：\n{LONG}"
    found = clean(SITE_HEAD + box + told + SITE_FOOT).text
    assert "索 引 号" not in found and "主题分类" not in found and "00201" not in found
    assert "关于保护古桥的通知" in found


def test_two_buttons_in_brackets_are_a_page() -> None:
    text = f"{TITLE}\n{LONG}"
    assert clean(f"{TITLE}\n【 打印本页 】\n【 关闭 】\n{LONG}").text == text


def test_the_title_of_the_window_above_a_menu() -> None:
    window = f"{TITLE} - 田间 TianJian – 农资行业综合服务平台,tianjian.example,一批冒牌种子流入集市农技站提醒\n"
    menu = "首页\n企业库\n投稿\n登录\n注册\n活动\n专题\n图谱\n报告\n门票\n企业查询\n招聘\n新闻\n"
    found = clean(f"{window}{menu}{TITLE}\n{LONG}{SITE_FOOT}").text
    assert "企业库" not in found and "招聘" not in found
    assert found.endswith(f"{TITLE}\n{LONG}")


def test_a_paper_and_its_reporter_are_no_title() -> None:
    text = (
        "茶青收购价连涨三天！产区春茶减产三成\n2025-04-02 09:15 星期三\n财晨社 江一舟\n"
        "财晨社4月2日讯，受倒春寒影响，主产区的春茶比往年晚了七天，茶青三天里涨了三成。\n"
        "茶农说，嫩芽冻伤了一半，采一斤茶青要比去年多花一个工，产区的春茶今年要减产三成。\n"
        "有茶商已经提前付了定金，也有人打算等谷雨茶下来再说，茶青的收购价还要看天气。\n"
    )
    found = clean(f"关于我们网站声明联系方式\n{text}收藏\n阅 2.31W\n我要评论\n版权所有 © 财晨社\n").text
    assert found.startswith("茶青收购价连涨三天！产区春茶减产三成\n")


def test_words_of_the_text_that_stand_below_it_line_by_line_are_its_tags() -> None:
    text = f"老桥和渡口\n{LONG}老桥还在，渡口没有了，船翻过来扣在岸上，失智的老人认不得路。\n"
    found = clean(f"{SITE_HEAD}{text}老桥\n渡口\n失智\n照护\n端午节\n老人\n相关新闻\n山里的路修通了\n{SITE_FOOT}").text
    assert found == text


def test_a_box_of_labels_without_colons_goes() -> None:
    box = "索 引 号\n431200/2021-00231\n主题词\n发布日期\n2021-06-03\n发布机构\n县发改局\n有效性\n有效\n"
    text = f"溪口县农村公路建设规划\n{LONG}"
    assert clean(f"{box}{text}打印\n收藏\n关闭\n").text == text


def test_contents_with_their_numbers_apart_go() -> None:
    contents = "目录\n1\n历史沿革\n2\n行政区划\n▪\n地形地貌\n"
    parts = (
        f"历史沿革\n{LONG}行政区划\n全镇辖一个社区、十四个行政村。\n地形地貌\n地势西高东低，最高点海拔一千零八十米。\n"
    )
    found = clean(f"{SITE_HEAD}油茶坪镇\n{LONG}{contents}{parts}{SITE_FOOT}").text
    assert found.endswith(parts) and "目录" not in found and "▪" not in found


def test_source_and_author_with_values_on_the_next_line() -> None:
    facts = "2021-11-30\n来源：\n临江日报客户端\n作者：\n韩洪烁\n手机查看\n"
    found = clean(f"{SITE_HEAD}一个人的乡村电影队\n{facts}{LONG}{SITE_FOOT}")
    assert found.text == f"一个人的乡村电影队\n{LONG}"
    said = {(c.field, c.value) for c in found.captures}
    assert {("source", "临江日报客户端"), ("creator", "韩洪烁")} <= said


def test_a_report_by_this_site_is_no_notice_of_rights() -> None:
    report = "　　本网讯（肖寒 谭英）邻居在门口装了摄像头，正对着对面人家的大门，算不算侵权？近日，法院审结了这样一起案件。\n"
    found = clean(f"{SITE_HEAD}邻居装摄像头正对家门\n2021-09-13 15:01:22\n{report}{LONG}{SITE_FOOT}").text
    assert report.strip() in found


def test_the_only_title_may_stand_under_its_label() -> None:
    box = "索引号：\n00001/2022-456\n发布机构：\n县医疗保障局\n发文日期：\n2022-09-01\n名称：\n"
    title = "溪口县城乡居民医保缴费办法\n"
    assert title in clean(f"{SITE_HEAD}{box}{title}{LONG}{SITE_FOOT}").text


@pytest.mark.parametrize("below", ["2024-05-08 10:21\n", "编辑同志：\n"])
def test_a_title_under_an_empty_label_of_a_box_stays(below: str) -> None:
    box = (
        "信息索引：\n360A06-04\n生成日期：\n2024-02-20\n发文机构：\n县教育局\n发文字号：\n教函〔2024〕2号\n内容概述：\n"
    )
    found = clean(f"{SITE_HEAD}{box}他把旧车厢改成了图书馆\n{below}{LONG}{SITE_FOOT}").text
    assert found.startswith("他把旧车厢改成了图书馆\n") and "县教育局" not in found


def test_files_that_a_page_lists_once_more_go() -> None:
    notice = f"关于公示补贴面积的通知\n{LONG}附件：1.各镇面积汇总表\n2.异议登记表\n县农业农村局\n2023年4月11日\n"
    again = "附件：\n1.各镇面积汇总表.xls\n2.异议登记表.doc\n"
    assert clean(f"{SITE_HEAD}{notice}{again}分享到：\n【打印本页】\n【关闭窗口】\n{SITE_FOOT}").text == notice
    other = "附件：\n1.另一张表.xls\n"
    assert (
        "1.另一张表.xls" in clean(f"{SITE_HEAD}{notice}{other}分享到：\n【打印本页】\n【关闭窗口】\n{SITE_FOOT}").text
    )


def test_names_below_the_mark_of_an_original_article_become_its_author() -> None:
    head = "冬至，给爹娘打个电话\n原创\n老井\n老井说话\n老井说话\n2021-12-21 06:30\n发表于湖南\n"
    found = clean(f"{head}{LONG}喜欢作者\n阅读 1203\n分享\n收藏\n在看\n写留言\n")
    assert found.text == f"冬至，给爹娘打个电话\n{LONG}"
    assert ("creator", "老井") in {(c.field, c.value) for c in found.captures}


def test_contents_below_the_button_that_hides_them_go() -> None:
    parts = (
        f"一、湿\n{LONG}二、没有暖气\n北方人一进门脱衣服，南方人一进门加衣服。\n三、习惯\n外婆说，冷惯了就不冷了。\n"
    )
    page = f"{SITE_HEAD}为什么南方的冬天难熬\n目录\n收起\n一、湿\n二、没有暖气\n三、习惯\n{parts}{SITE_FOOT}"
    assert clean(page).text == f"为什么南方的冬天难熬\n{parts}"


def test_the_name_and_the_date_of_a_paper_above_its_menu_go() -> None:
    head = "资江日报\n2022年06月17日\n返回首页\n版面导航\n第03版：文苑\n上一期\n下一期\n放大\n缩小\n默认\n"
    found = clean(f"{head}晒书\n{LONG}上一篇\n下一篇\n版权所有：资江日报社\n").text
    assert found == f"晒书\n{LONG}"


def test_the_name_of_an_office_above_a_title_that_begins_with_it_goes() -> None:
    head = "桃源市人民代表大会常务委员会\n今天是2021年9月28日 星期二\n首页 |人大概况 |要闻动态 |立法工作\n首页 >> 决议决定\n"
    facts = "来源：市人大 时间：2021-09-28 阅读：302次 【字体：大 中 小】\n"
    text = f"桃源市人民代表大会常务委员会任命名单\n{LONG}"
    title, _, rest = text.partition("\n")
    assert clean(f"{head}{title}\n{facts}{rest}上一篇：没有了\n【关闭】\n主办：市人大常委会办公室\n").text == text


def test_a_numbered_heading_is_no_button_whatever_its_words_say() -> None:
    text = f"互联网医院研究\n1. 相关政策\n政策演变\n{LONG}"
    assert "1. 相关政策\n" in clean(f"香港01\n登入\n港聞\n社會新聞\n{text}{SITE_FOOT}").text


def test_a_headline_that_names_a_person_stays_below_the_path() -> None:
    head = "首页\n综合新闻\n学术动态\n媒体湘师\n光影湘师\n人物风采\n当前位置：首页>人物风采>正文\n"
    facts = "发布者：党委宣传部\n发布时间：2019-10-18\n浏览次数：\n1544\n"
    text = f"许仲蕃：一辈子只教一门课\n{LONG}"
    title, _, rest = text.partition("\n")
    found = clean(f"{head}{title}\n{facts}{rest}上一条：\n给猫看病的女博士\n【关闭】\n网站管理\n").text
    assert found.startswith(title) and "人物风采" not in found


def test_notices_of_a_site_in_numbered_lines_are_no_steps_of_the_text() -> None:
    notices = (
        "1. 部分包含动画的文件，查看预览时可能会显示错乱，文件下载后无此问题，请放心下载。\n"
        "2. 本文档由用户上传，版权归属用户，如果您对本文档版权有争议请及时联系客服。\n"
        "3. 下载文档时可能无法下载，付费完成后未能成功下载的用户请联系客服处理。\n"
    )
    text = f"村级档案室借阅制度\n{LONG}"
    found = clean(f"{SITE_HEAD}{text}当前文档最多预览五页，下载文档查看全文\n{notices}{SITE_FOOT}").text
    assert found == text


@pytest.mark.parametrize("page", sorted((PAGES / "ninth").glob("*.txt")), ids=lambda page: page.stem)
def test_no_letter_of_the_text_is_lost(page: Path) -> None:
    score = measure(page)
    assert (score.lost, score.damaged) == (0, [])
    assert score.letters > 0


def test_of_pages_that_nothing_was_learned_from_nine_lines_of_ten_go_and_next_to_no_letter_of_the_text() -> None:
    score = total("eleventh", [measure(page) for page in sorted((PAGES / "eleventh").glob("*.txt"))])
    assert len(score.missed) < 0.08 * score.artifacts
    assert score.lost < 0.001 * score.letters


@pytest.mark.parametrize(
    ("folder", "most"),
    [
        ("tenth", 0.03),
        ("twelfth", 0.06),
        ("thirteenth", 0.06),
        ("fourteenth", 0.06),
        ("fifteenth", 0.06),
        ("sixteenth", 0.06),
    ],
)
def test_of_a_set_most_of_the_frame_goes_and_no_line_of_text(folder: str, most: float) -> None:
    score = total(folder, [measure(page) for page in sorted((PAGES / folder).glob("*.txt"))])
    assert score.damaged == []
    assert len(score.missed) < most * score.artifacts


def test_a_first_line_above_facts_is_the_title_though_it_begins_with_a_word_of_menus() -> None:
    text = "搜索的走偏与排名\n\n时间:2016-12-05 10:09:27\n\n【点击图片进入下一页或下一篇】\n\n" + (
        "在缩小知识鸿沟方面，搜索引擎可谓时代利器。但任何一家公司都是商业机构，盈利才是它的本能。\n" * 2
    )
    cleaned = clean(text).text
    assert cleaned.startswith("搜索的走偏与排名\n")
    assert "点击图片" not in cleaned


@pytest.mark.parametrize(
    "line",
    [
        "2012-06-29 14:22:08　作者：黄昌俊　来源：红色文化网　浏览：2310 次　评论：6 条",
        "小说：江州司马 作者：青灯客 更新时间：2020-02-18 00:12 字数：2105",
        "2016.05.02　by 野渡　　阅读(1290)　评论(8)　喜欢(33)",
        "时间：2019-09-12 09:21:33 收藏本文 下载本文",
        "发文日期：2019-01-23 生效时间：2019-01-23",
    ],
)
def test_lines_of_credits_go_in_any_order_of_their_parts(line: str) -> None:
    assert after(f"{HEAD}{TITLE}\n{line}\n{PROSE}{FOOT}") == f"{TITLE}\n{PROSE}"


@pytest.mark.parametrize(
    "line", ["时间：2024年3月1日 地点：会议室", "主讲：谭其昌 时间：3月1日", "作者：陈小春（临江学院教授）"]
)
def test_lines_of_notices_and_bylines_are_no_credits(line: str) -> None:
    assert after(f"{HEAD}{TITLE}\n{line}\n{PROSE}{FOOT}") == f"{TITLE}\n{line}\n{PROSE}"


def test_what_an_article_is_about_is_its_title() -> None:
    text = "绿豆糕\n绿豆糕是以绿豆粉、糖、油脂等为原料制成的传统糕点，端午节有吃绿豆糕的习俗。\n"
    assert after(f"首页\n新闻\n百科\n进入词条\n播报\n编辑\n讨论\n上传视频\n{text}收藏\n查看我的收藏\n{FOOT}") == text


def test_the_office_and_the_number_of_a_document_stay_above_it() -> None:
    box = "发布机构：\n县政府办公室\n成文日期：\n2021-03-29\n有 效 性：\n有效\n主题词：\n"
    text = f"临江县人民政府办公室\n关于加强饮水安全管理工作的通知\n{PROSE}临江县人民政府办公室\n2021年3月29日\n"
    assert after(f"{HEAD}{box}{text}{FOOT}") == text


def test_tags_above_a_text_go_with_their_label() -> None:
    tags = "系统标签：\n徒弟\n铺子\n修钟\n"
    text = f"第一章 总则\n{LONG}"
    page = f"{SITE_HEAD}文档格式：.doc\n文档页数：6页\n文档大小：41.0K\n{tags}{text}{SITE_FOOT}"
    assert clean(page).text == text


def test_a_notice_of_rights_goes_by_itself() -> None:
    notice = (
        "凡本网注明“来源：临江网”的所有作品，均为临江网合法拥有版权或有权使用的作品，未经本网授权不得转载、摘编。\n"
    )
    assert clean(f"{LONG}{notice}").text == LONG
    own = "凡本县志注明出处的引文，转载时都核对过原书。\n"
    assert clean(f"{LONG}{own}").text == f"{LONG}{own}"


def test_the_very_first_line_stays_though_it_is_hardly_text() -> None:
    job = (PAGES / "sixth" / "s02_job2.txt").read_text(encoding="utf-8").split("\n")[1:]
    text = [n for n, line in enumerate(job) if line.startswith("+")]
    foot = "责编：肖某\n来源：湖南日报·华声在线\n我要问\n关注湖南日报官方微信\n下载新湖南客户端\n"
    page = "".join(f"{line[1:]}\n" for line in job[text[0] : text[-1] + 1]) + foot
    assert clean(page).text.startswith("书法教师（兼职）\n")


def test_lists_of_other_articles_go_with_their_summaries_up_to_the_last_date() -> None:
    others = (
        "相关文章\n新桥通车首日记\n新桥昨天上午通车，两岸的人走过来走过去，看了一天的江，谁也不急着回家。\n2019-09-30 07:42\n"
        "渡口停航了\n摆渡的老人把船系在柳树下，说明天起不来了，船就送给孙子当书房。\n2019年9月28日\n"
        "09-27 老街的钟又走了\n"
    )
    assert after(f"{SITE_HEAD}{TITLE}\n{LONG}{others}{SITE_FOOT}") == f"{TITLE}\n{LONG}"
    diary = "日记两则\n2019-09-30\n今天下雨，没有出门，看了一天的江。\n2019-09-28\n摆渡的老人把船系在柳树下。\n"
    assert after(f"{SITE_HEAD}{TITLE}\n{LONG}{diary}{SITE_FOOT}") == f"{TITLE}\n{LONG}{diary}"


@pytest.mark.parametrize("poet", ["王维〔唐代〕", "[唐] 王维", "唐·王维", "唐代：王维"])
def test_the_short_title_of_a_poem_stays_above_its_poet(poet: str) -> None:
    poem = f"鹿柴\n{poet}\n空山不见人，但闻人语响。\n返景入深林，复照青苔上。\n"
    page = f"推荐\n诗文\n名句\n作者\n古籍\n我的\nAPP\n搜索\n{poem}完善\n背诵\n拼音\n赏析\n{SITE_FOOT}"
    assert after(page).startswith("鹿柴\n")


def test_the_entries_of_a_section_of_an_encyclopedia_stay() -> None:
    article = f"风雨桥\n{LONG}参见\n[编辑]\n廊桥\n鼓楼\n参考文献\n[编辑]\n^ 侗乡桥亭考\n"
    found = after(
        f"跳转到内容\n主菜单\n搜索\n登录\n{article}取自“https://zh.example.org/风雨桥”\n分类：桥\n{SITE_FOOT}"
    )
    assert "参见\n廊桥\n鼓楼\n参考文献\n" in found


def test_a_post_on_a_board_stays_from_its_head_to_its_two_hyphens() -> None:
    head = "批踢踢實業坊\n返回看板\n作者 flour (麵粉)\n看板 Baking\n標題 [心得] 戚風\n時間 Thu Oct 3 22:15:08 2019\n"
    post = "https://example.org/1\nhttps://example.org/2\n終於成功\n205 度\n"
    foot = "--\n※ 發信站: 批踢踢實業坊(ptt.example), 來自: 10.0.0.1 (臺灣)\n推 sugar: 恭喜 10/03 22:31\n→ sugar: 求食譜 10/03 22:40\n"
    assert after(f"{head}{post}{foot}").endswith(f"\n{post}")


def test_a_list_of_prices_is_no_page() -> None:
    prices = (
        "鸿运图文价目表\n打印 / 复印\nA4 黑白 单面　　0.20元/张\nA4 黑白 双面　　0.30元/张\nA4 彩色 普通纸　1.00元/张\n"
        "A4 彩色 铜版纸　2.00元/张\nA3 黑白　　　　 0.50元/张\n满200张 9折　　满1000张 7折\n扫描\n"
        "A4　1元/页（超过50页 0.5元/页）\n装订\n订书钉　　免费\n胶圈　　　5元/本起\n其他\n塑封 A4　　　　 3元\n说明：\n"
        "1. 先付款，后打印。\n2. 本店不保存顾客文件，电脑每晚清空，请自行备份。\n电话：5520118　　QQ：90661237\n"
    )
    assert after(prices) == prices


@pytest.mark.parametrize("line", ["如果还有错，用二进制方式逐行读：", "工具/原料", "方法/步骤"])
def test_what_leads_to_a_sentence_amid_a_text_stays(line: str) -> None:
    assert after(f"{SITE_HEAD}{TITLE}\n{LONG}{line}\n{PROSE}{SITE_FOOT}") == f"{TITLE}\n{LONG}{line}\n{PROSE}"
