"""Lines of a page that say who wrote, edited, sent in, published and read the text: credits, in any order of their parts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from shanben.lazy import lazy_regex
from shanben.steps._frame_again import _begin
from shanben.steps._frame_lines import CERTAIN, HARDLY, LABELLED, SHORTEST_TITLE, Line, is_hard
from shanben.steps._frame_params import FLAGS

LONGEST = 120
"""A longer line is no line of credits."""
SURE = 3
"""A line with so many credits is one by itself."""
WEAK_PARTS = 2
"""So many parts of a line may be no credit: the name of a medium, a button."""
NAME = 12
"""A longer line is no name of an account."""
EVEN = 0.5
"""A name between title and time goes if it is less likely text than this."""

_SOURCE = "(?:(?:文章|信息|稿件|新闻|新聞|消息|内容|本文|资料|资讯|图文)?[来來][ \u3000]{0,2}源[于於]?|稿源|出[处處]|发布(?:机构|单位|部门|来源)|(?:發布|公告|刊登)?單位|發布機關|供稿(?:单位|部门)?|[转轉]自|信息提供|張貼單位|發佈單位|公告單位)"
_CREATOR = "(?:作[ \u3000]{0,2}者|记者|記者|通[讯訊][员員]|撰稿人?|撰文|文/图|图/文|文图|图文|署名|投稿人?|原创作者|張貼人|提供者?(?=[:：]))"
_EDITOR = (
    "(?:(?:责任|責任|网络|执行|值班|本期|实习|见习|美术|文字|图片|文章|信息|新媒体|微信)?[编編][辑輯]|责编|責編|美编|主编|编审|编发|校对|校對|审核人?|审校|审稿人?|审签|签发人?|"
    "[初复终]审|[一二三]审|监[ \u3000]{0,2}制|監製|主[ \u3000]{1,2}编|编[ \u3000]{1,2}辑|审[ \u3000]{1,2}核|校[ \u3000]{1,2}对|摄[ \u3000]{1,2}影|统筹|摄影|攝影|图片|排版|制作|录入(?:员|者)?|文章录入|信息录入|上传(?:者|人|用户)?|分享者|发布(?:者|人|员)|小编|张贴(?:者|人)?|发表人|提供者)"
)
_TIME = "(?:(?:文章|信息|稿件|新闻|本文|最[后後]|资讯|上次)?(?:发布|發布|發佈|发表|發表|更新|上传|上載|刊登|录入|公布|公开|发文|添加|加入|编辑|修改|入库|推送|创建|张贴|提交|收录|归档|入档|制作|張貼|公告|登載|上版)(?:时间|日期|時間|于|於)?|張貼日)"
_PLACE = "(?:(?:所属|所在|文章|信息|新闻)?(?:栏目|分[类類]|类别|频道|专栏|行业|地区|标[签簽]|標籤|版块|板块)|关键[词字]|字[数數]|主题词|编号|[Tt]ags?|字[号體体號])"
_RECORD = (
    "(?:索[ \u3000]*引[ \u3000]*号|主题分类|(?:发文|发布|制发|印发|公开)(?:机关|机构|单位)|(?:成文|生成|印发|实施|施行|批准|颁布|通过|修订)(?:日期|时间)|(?:生效|废止|失效|有效)(?:日期|时间|期)|"
    "有[ \u3000]*效[ \u3000]*性|发文字号|文[ \u3000]*号|组配分类|信息分类|公开(?:方式|形式|范围|类别)|内容概述|体[ \u3000]*裁|服务对象|统一登记号|(?:文件)?名[ \u3000]*称|标[ \u3000]*题)"
)
_BOX = "(?:来信|信件|写信|留言|诉求|投诉|办理|处理|答复|回复|受理|办结|提交)(?:时间|日期|编号|类别|类型|状态|人|单位|部门|进度|方式|渠道)"
_READERS = (
    "(?:文章|信息|本文|累计|总|已)?(?:浏览|瀏覽|点击|點擊|阅读|閱讀|访问|查看|點閱|点阅|已阅读?|阅|人[气氣]|热度|评论|評論|回复|回覆|留言|收藏|点赞|喜欢|推荐|推薦|分享|转发|下载|播放|跟帖|围观|關注|关注)"
    "(?:总?次[数數]|总数|量|[数數]|人次|人[数數]|率)?"
)
_TEXTS = lazy_regex(
    "(?:地[点點址]|主[讲講持]|主持人|嘉宾|出席|对象|报名|截止|会议|联系|電話|电话|费用|名额|姓名|性别|年龄|票价|活动|开放|服务|营业|人员|指导|指導|学校|班级|单位|職稱|职称)[^:：]{0,6}[:：]",
    FLAGS,
)
"""Labels of notices and records; a line with one of them is text."""
_LABEL = lazy_regex(
    f"[（(【\\[]?[ ]?(?:(?P<source>{_SOURCE})|(?P<creator>{_CREATOR})|(?P<contributor>{_EDITOR})|(?P<date>{_TIME}|(?:时间|日期|時間)(?=[:：] ?\\d{{4}}[-/.]\\d{{1,2}}[-/.]\\d{{1,2}}(?: \\d{{1,2}}:\\d{{2}}|[ 　]*\\p{{Han}}|[ 　]*$)))|(?P<place>{_PLACE}|{_RECORD}|{_BOX}))[】\\]]?[ ]?[:：][ \u3000\t]*",
    FLAGS,
)
_DAY = lazy_regex(
    "[（(【\\[]?(?:\\d{1,2}:\\d{2}(?::\\d{2})?[ \u3000]{1,2})?(\\d{4}[-/.年][ ]?\\d{1,2}[-/.月][ ]?\\d{1,2}日?)[ \u3000T-]{0,3}(?:(?:星期|周|週).)?[ \u3000]{0,3}(?:\\d{1,2}[:：时]\\d{2}(?:[:：分]\\d{2})?[秒分]?)?(?: ?HKT| ?GMT\\+8)?[）)】\\]]?",
    FLAGS,
)
_READ = lazy_regex(
    f"[（(【\\[]?(?:{_READERS}[ ]?(?:[:：][ ]?)?[（(\\[【]?[ ]?\\d[\\d,.]{{0,9}}[万wWkK]?[+）)\\]】]?[ ]?(?:次|人次|人|条|條|则|個|个|篇)?|{_READERS}[:：][ ]?(?:次|人次|条)?(?=[ \u3000|｜】\\]）)]|$)|\\d[\\d,.]{{0,9}}[万wWkK]?[ ]?(?:次|人|条|个)?(?:{_READERS})|{_READERS}[（(\\[][ ]?[）)\\]])[】\\]）)]?",
    FLAGS,
)
_BUTTON = lazy_regex(
    "[【\\[（(]?(?:字[体號号级級體](?:大小)?[:：]?|打印(?:本页|此页)?|列印|关闭(?:窗口|本页)?|收藏(?:本文|本页)?|分享(?:到)?[:：]?|我要(?:打印|评论|纠错|分享|投稿)|评论|订阅|訂閱|原创|原創|转载|手机版|下载本文|收藏本文|朗读|语音播报|推荐|投诉|举报|关注|A[+-]?|特大|大|中|小|默认|正文下载|[【\\[（(][ \u3000大中小]{0,6})[】\\]）)]?(?![\\p{Han}A-Za-z0-9:：])",
    FLAGS,
)
_NEXT = f"(?:{_SOURCE}|{_CREATOR}|{_EDITOR}|{_TIME}|{_PLACE}|{_RECORD}|时间|日期|時間)[】\\]]?[ ]?[:：]|{_READERS}[ ]?[:：（(\\[]|[【\\[（(]|打印|关闭|收藏|分享|我要|字[体号號體]"
_VALUE = lazy_regex(
    f"(?:(?!{_NEXT})[^\n:：|｜┊。；！？，,]){{0,60}}?(?=[）)】\\]]?(?:[ \u3000\t]*(?:$|[|｜┊])|[ \u3000\t]+(?:{_NEXT}|\\d{{4}}[-/.年])|(?:{_NEXT})))[）)】\\]]?",
    FLAGS,
)
_GAP = lazy_regex("[ \u3000\t|｜┊•·/]+", FLAGS)
_OTHER = lazy_regex("[^\\s:：。，；！？|｜┊]{1,12}(?=[ \u3000\t|｜┊]|$)", FLAGS)
_UNKNOWN = lazy_regex("\\p{Han}{2,4}[:：][ \u3000]{0,2}", FLAGS)
_ALONE = lazy_regex(r"(?:时间|日期|時間)[:：] ?(\d{4}[-/.]\d{1,2}[-/.]\d{1,2})(?: \d{1,2}:\d{2}(?::\d{2})?)?", FLAGS)
"""When a page was published, as machines write it."""
_CLOCK = lazy_regex(r"\d{1,2}[:：时]\d{2}", FLAGS)
_TITLED = lazy_regex(r"[（(]\p{Han}+[）)]|教授|[学學]院|大[学學]|研究", FLAGS)
"""Who an author is, so that the line is a byline of the text."""
_FOOT = lazy_regex(
    r"[（(【\[]?\p{Han}{0,4}(?:[来來]源|稿源|作者|[编編][辑輯审]|责编|責編|校对|[一二三初复终]审)", FLAGS
)
"""Labels of credits that pages put below a text."""
_EDITED = lazy_regex(r"[（(【\[]?\p{Han}{0,4}(?:[编編][辑輯审]|责编|責編|校对|[一二三初复终]审)", FLAGS)
_SPACED = lazy_regex(f"{_EDITOR}[ \u3000]{{1,2}}(\\p{{Han}}{{2,3}}(?:[ 、]\\p{{Han}}{{2,3}}){{0,2}})", FLAGS)
_REPORTED = lazy_regex(
    r"(?:\p{Han}{2,6}(?:新闻|新聞)|新华网|人民网|央视网|光明网)(?:首席|实习|见习|特约|资深)?记者 (\p{Han}{2,4}(?: \p{Han}{2,4})?)"
    r"(?: (?:实习生|实习记者|通讯员|见习记者|编辑|摄影) \p{Han}{2,4}(?: \p{Han}{2,4})?){0,2}"
    r"|(?:文／)?[記记]者 ?(\p{Han}{2,4})[／/] ?\p{Han}{2,6}(?:即時)?(?:報導|报导|報道|报道|電|讯)",
    FLAGS,
)
"""The reporter of a site, with those who helped."""
_REDACTED = lazy_regex("某|[xX×*＊]{2,}", FLAGS)
_NAMED = lazy_regex("(?:名[ \u3000]*称|标[ \u3000]*题)[:：][ \u3000]*([^:：]{8,})$", FLAGS)
_LETTER = lazy_regex(f"(?:{_BOX}|(?:所属|所在|文章|信息|新闻)(?:栏目|分[类類]|类别|频道|专栏|版块))[:：]", FLAGS)
"""Labels of a letter to an office, above it."""
_MARKS = "（()）【】[] \u3000\t"


class Credits(NamedTuple):
    """What a line of credits has: how many parts, whether readers or a clock are among them, and the facts it states."""

    parts: int
    counted: bool
    facts: tuple[tuple[str, str], ...]


def credits_of(said: str) -> Credits | None:
    """Take a line apart, None for one that is not made of credits.

    >>> credits_of("2012-06-29 14:22:08　作者：黄昌　来源：红色网　浏览：2310 次　评论：6 条").parts
    5
    >>> [credits_of(said) for said in ("时间：3月1日 地点：会议室", "作者写了很久。")]
    [None, None]
    """
    if len(said) > LONGEST or _TEXTS.search(said):
        return None
    spaced = _SPACED.fullmatch(said)
    if spaced:
        return Credits(1, False, (("contributor", spaced[1]),))
    reported = _REPORTED.fullmatch(said)
    if reported:
        return Credits(1, False, (("creator", reported[1] or reported[2]),))
    at = parts = others = 0
    counted = False
    facts: list[tuple[str, str]] = []
    while at < len(said):
        gap = _GAP.match(said, at)
        if gap:
            at = gap.end()
            continue
        day, read = _DAY.match(said, at), _READ.match(said, at)
        if day:
            facts.append(("date", day[1]))
            counted |= _CLOCK.search(day[0], 8) is not None
            parts, at = parts + 1, day.end()
            continue
        if read:
            parts, at, counted = parts + 1, read.end(), True
            continue
        label = _LABEL.match(said, at)
        if label:
            day, value = _DAY.match(said, label.end()), _VALUE.match(said, label.end())
            if not day and not value:
                return None
            found = day or value
            stated = day[1] if day else found[0].strip(_MARKS) if found else ""
            field = "date" if day else str(label.lastgroup)
            if stated and field != "place" and (field != "date" or day):
                facts.append((field, stated))
            parts, at = parts + 1, found.end() if found else label.end()
            counted |= day is not None
            continue
        button = _BUTTON.match(said, at)
        unknown = _UNKNOWN.match(said, at)
        other = button or (unknown and _VALUE.match(said, unknown.end())) or _OTHER.match(said, at)
        if not other or (not button and others == WEAK_PARTS):
            return None
        others += not button
        parts += button is not None and parts > 0 and len(button[0]) >= SHORTEST_TITLE
        at = other.end()
    return Credits(parts, counted, tuple(facts)) if parts else None


def credit_lines(
    lines: Sequence[Line], taken: Collection[int], chances: Mapping[int, float]
) -> dict[int, tuple[tuple[str, str], ...]]:
    """Give the lines above the first sentence and below the last that are made of credits, with the facts they state.

    One with three parts, or two with a clock or readers among them, goes by itself, and so does one that is hardly text;
    one with fewer beside a line that goes.
    """
    first = _begin(lines, taken)
    last = max((n for n, line in enumerate(lines) if n not in taken and is_hard(line)), default=len(lines))
    found: dict[int, tuple[tuple[str, str], ...]] = {}
    said = {n: credits_of(lines[n].said) for n in (*range(first), *range(last + 1, len(lines))) if n not in taken}
    found.update(_alone(lines, taken, first))
    for n, credit in (*((n, said[n]) for n in said if n < first), *((n, said[n]) for n in reversed(said) if n > last)):
        if credit is None or lines[n].kind in ("keep", "prose") or _REDACTED.search(lines[n].said):
            continue
        titles = _NAMED.search(lines[n].said)
        if titles and not any(titles[1] in line.said or line.said in titles[1] for line in lines[n + 1 :] if line.said):
            continue
        beside = any(m in taken or m in found or said.get(m) is not None for m in (n - 1, n + 1))
        labelled = any(field != "date" for field, _ in credit.facts) or _LETTER.match(lines[n].said) is not None
        label = _LABEL.match(lines[n].said)
        labelled |= credit.counted and label is not None and label.lastgroup == "date" and credit.parts == 1
        sure = credit.parts >= SURE or (credit.parts > 1 and credit.counted)
        named = labelled and not _TITLED.search(lines[n].said) and (n < first or _FOOT.match(lines[n].said) is not None)
        if n < first:
            goes = beside and (credit.parts > 1 or named)
        else:  # below the text, from the last line up: who edited it, or a name beside another credit
            under = n + 1 in taken or n + 1 in found or (n - 1 in taken and said.get(n + 1) is not None)
            goes = named and under and (_EDITED.match(lines[n].said) is not None or said.get(n - 1) is not None)
        if sure or goes or (credit.facts and chances.get(n, 1.0) < HARDLY):
            found[n] = credit.facts
    return found


def _alone(
    lines: Sequence[Line], taken: Collection[int], first: int
) -> Iterator[tuple[int, tuple[tuple[str, str], ...]]]:
    """Give the line that only says when, below a line that stays and is not the first, above one without a label."""
    for n in range(1, first):
        day = _ALONE.fullmatch(lines[n].said)
        titled = n - 1 not in taken and lines[n - 1].kind in ("text", "prose") and any(m in taken for m in range(n))
        if day and n not in taken and titled and not LABELLED.match(lines[n + 1].said):
            yield n, (("date", day[1]),)


def names_under_title(lines: Sequence[Line], taken: Collection[int], chances: Mapping[int, float]) -> set[int]:
    """Give the name of an account between the title and the time, with a line that goes right below the time."""
    first = _begin(lines, taken)
    return {
        n
        for n in range(1, first - 2)
        if n not in taken
        and lines[n].kind == "text"
        and len(lines[n].said) <= NAME
        and n - 1 not in taken
        and lines[n - 1].kind in ("text", "prose")
        and len(lines[n - 1].said) >= SHORTEST_TITLE
        and lines[n + 1].kind == "stamp"
        and n + 2 in taken
        and lines[n + 2].kind in CERTAIN | {"weak"}
        and chances.get(n, 1.0) < EVEN
    }
