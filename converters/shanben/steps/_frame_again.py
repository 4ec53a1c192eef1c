"""What a page says again, made by its program: its title beside pictures, its headings in a list of contents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise

import regex

from shanben.lazy import lazy_regex
from shanben.steps._frame_lines import (
    FACTS,
    KNOWN,
    LABELLED,
    LEADS,
    LONGEST_FRAME,
    OUTER,
    PRESSED,
    STOP,
    WORDS,
    Line,
    bare_letters,
    is_hard,
    is_names,
)
from shanben.steps._frame_params import FLAGS
from shanben.steps._frame_scores import HEADING, han_pairs

TITLE, TITLE_LENGTH = 7, 60
"""A title that is told by its length alone has so many characters; a longer line is no title."""
SHORTEST = 3
"""A shorter line is not brought back as the title."""
LEAST = 0.25
"""So much where nothing else may be the title, and half as much at most speaks for any other line that goes."""
WORTH, ONLY = 0.9, 0.5
"""So much must speak for a line to be brought back as the title, and twice as much as for any that stays; so much where
next to nothing speaks for those."""
ENTRIES = 3
"""So many entries make a list of contents."""
ENTRY = 40
"""An entry has no more characters."""
ORIGINAL = ("原创", "原創")
"""The mark of an article that its account wrote itself."""
SURELY_PAGE, HARDLY = 6, 0.01
"""So many lines that go make it sure that a text is a page; a line that is less likely text than this is hardly any."""
NAMES = 3
"""So many names stand below the mark of an original article."""
NAME = 12
"""A longer line is no name."""
DOUBT = 0.1
"""The value of the last label of a box, where nothing else can be the title, is it if it is more likely text than this."""
EVEN = 0.5
"""A name above a button to follow it goes if it is less likely text than this."""
UNDER_TITLE = 0.9
"""The same for one right below a line that may be the title."""
SHARE = 0.8
"""So great a share of the entries stands again below as headings."""
BOX = 3
"""So many known labels make a box of facts about a document."""
_BOX_LABEL = lazy_regex(r"\p{Han}[\p{Han}\u3000 ]{1,7}[:：]", FLAGS)
_NAMES_IT = lazy_regex(r"[标標][\u3000 ]*[题題]|(?:文件)?名[\u3000 ]*[称稱]|[题題]名|文件名", FLAGS)
STEPS, APART = 3, 12
"""So many numbered lines make the steps of a text, with no more lines from one to the next."""
_STEP = lazy_regex(r"(\d{1,2}|[一二三四五六七八九](?=、))([.．、）)])(?!\d)", FLAGS)
_PLAIN_KINDS = frozenset({"text", "prose", "near", "keep", "scored", "likely"})
_CONTENTS = lazy_regex(
    r"[【\[]?(?:本文|文章|本页|本頁|页面|頁面)(?:的?)(?:目[录錄](?:导读|一览)?|导读|導讀)[】\]]?[:：]?"
    r"|目[录錄](?:导读|一览)[:：]?|(?:Table of )?[Cc]ontents|On this page|[目内][录錄容][ ]?\[(?:隐藏|隱藏|收起|展开|顯示|显示)\]",
    FLAGS,
)
_PLAIN = lazy_regex(r"目[ \u3000]{0,4}[录錄]", FLAGS)
_BULLET = lazy_regex(r"[-–•·▪◦○●*>]{1,2}[ \u3000]*", FLAGS)
_COUNTED = lazy_regex(r"\d{1,2}(?:\.\d{1,2}){0,3}[ .、\u3000\t]{0,3}(?=\D)", FLAGS)
TAG, TAGS, UNLIKELY = 8, (2, 10), 0.2
"""So long is a tag, so many tags stand below a text, so unlikely text are they."""
UNLIKELY_WORDS = 0.1
"""Words that pages are known for, and dates, go below the text if they are less likely text than this."""
LIKELY = 0.7
"""A line that is more likely text than this stays where most of such lines are text."""
ALONE = 0.001
"""A sentence between two lines that go does so, too, if it is less likely text than this."""
RECORDS = 4
"""So many labels make a box of a public record."""
_RECORD = lazy_regex(
    "(?:索引号|信息索引号|公开目录|主题词|主题分类|主题名称|发布机构|发布单位|发文机关|发文机构|发文单位|制发机关|发文日期|发布日期"
    "|成文日期|生成日期|公开日期|生效日期|失效日期|废止日期|文号|发文字号|统一登记号|有效性|是否有效|公开方式|公开范围|公开形式"
    "|公开责任部门|责任部门|信息时效期?|体裁分类|服务对象|组配分类|公文种类|公文时效|信息类别|所属类别|内容概述|名称|标题|信息名称|文件编号)",
    FLAGS,
)
_GAPS = lazy_regex(r"[ \u3000]+", FLAGS)
HEADWORD = 12
"""What an article of an encyclopedia is about has no more characters."""
_SAYING = lazy_regex(
    r"(?:[，,]?(?:又[称名叫]|也[称叫]|亦[称作]|[简古旧俗]称|[是为为乃系即指]|原名|位于|是指)|[（(])", FLAGS
)
_DYNASTY = (
    r"(?:先秦|三[国國]|魏[晋晉]|南北朝|五代|近[现現]?代|[现現當当]代|民[国國]"
    r"|(?:[东西東]?[周汉漢晋晉]|秦|[南北][朝宋齐齊梁陈陳]|隋|唐|[南北]?宋|[辽遼金元明清])(?:代|朝)?)"
)
_POET = lazy_regex(
    rf"[〔\[［(（【]{_DYNASTY}[〕\]］)）】][ \u3000]?\p{{Han}}{{2,4}}"
    rf"|{_DYNASTY}[ \u3000]?[·・•：:][ \u3000]?\p{{Han}}{{2,4}}"
    rf"|\p{{Han}}{{2,4}}[ \u3000]?[〔\[［(（【]{_DYNASTY}[〕\]］)）】]",
    FLAGS,
)
"""Who wrote a poem, with his dynasty, as anthologies set it below the title."""
POEM = 24
"""So long is the title of a poem."""
_SECTION = lazy_regex(r"[\[［【][ ]?(?:编辑|編輯)(?:源代码|原始碼)?[ ]?[\]］】]", FLAGS)
TITLED_SECTION = 0.1
"""So likely are the lines of a section text that has a heading of its own."""
_ABOUT = lazy_regex("(?:关于|關於|印发|转发|批转|公布)", FLAGS)
_DOCUMENT = lazy_regex(r"\p{Han}{2,12}[〔［\[（(]\d{4}[〕］\]）)] ?第? ?\d{1,5} ?号", FLAGS)
_OFFICE = lazy_regex(r"^\p{Han}{4,24}(?:府|室|局|会|會|院|厅|部|处|處|公司|大学|中心|协会|队|所|站)$", FLAGS)
_APART = lazy_regex("(?:(?:信息|文章|稿件|消息)?([来來]源)|作者|撰文|[記记]者) ?[:：]", FLAGS)
VALUE = 20
"""So long is the value of such a label."""
_ATTACHED = lazy_regex("附件[:：]", FLAGS)
_ANNEX = lazy_regex(r"附件 ?\d{0,2}[:：.．、 ]", FLAGS)
_DATE = lazy_regex(r"\d{4}年\d{1,2}月\d{1,2}日", FLAGS)
_HAN_ONLY = lazy_regex(r"\p{Han}{2,}", FLAGS)
_MARK = lazy_regex(r"\d{1,2}(?:\.\d{1,2}){0,3}|[▪•·◦○●]", FLAGS)
"""The number or bullet of an entry, alone on its line."""
_TAGGED = lazy_regex(r"(?:\p{Han}{2})?(?:标签|標籤)[:：]", FLAGS)
_FILE = lazy_regex(r"\p{Han}.{2,}\.(?:docx?|pdf|pptx?|xlsx?|txt|wps)$", FLAGS)
_FOLLOW = lazy_regex(r"[+＋]? ?(?:加|已)?(?:关注|關注|追蹤)(?:他|她|TA|Ta|ta|作者)?|发?私信|订阅|訂閱", FLAGS)
_NO_TITLE = lazy_regex(r"</?[a-z]+[ />]|^https?:/|\]\(\S|^[A-Z]{0,3}[:：]? ?\d+$|[\u3000\t ]\d+ ?\p{Han}?$", FLAGS)
_NAMED = lazy_regex(r"\p{Han}{1,3}[:：]", FLAGS)
"""A short label, or the name of one who is spoken of, as a title that stands right below the path may begin."""
_GENRE = lazy_regex(
    r"(?:规定|規定|办法|辦法|条例|條例|通知|公告|通告|公示|报告|報告|意见|意見|决定|決定|方案|细则|通报|批复|章程|制度|规则|規則|合同|总结|讲话|致辞|声明|启事|说明|請示|请示|答复|纪要|計畫|计划|规划|要點|要点|记录|記錄|名单|名單|须知|須知)[）)]?$",
    FLAGS,
)
_PICTURE = lazy_regex(
    r"[ ，,、_|｜—–-]{0,3}[（(]?(?:第? ?\d{1,2} ?[张張](?:图片|圖片)?|[图圖] ?\d{1,2}|[插配][图圖] ?\d{0,2})[）)]?",
    FLAGS,
)
_SITE_NAME = lazy_regex(r"\p{Han}{1,8}(?:网|網|在线|报|報|论坛|論壇|社区|社區|频道|頻道)", FLAGS)
_SITE = lazy_regex(r" ?[_|｜—–-] ?[\p{Han}A-Za-z]{2,8}", FLAGS)


def lost_title(lines: Sequence[Line], taken: Collection[int], chances: Mapping[int, float]) -> set[int]:
    """Give the line above the text that goes though it speaks for itself as the title, and no line that stays does.

    Its words come again in the text, a line with facts stands below it, it names its genre, it stands twice, it is likely
    text; the last counts half for a line that stays, since other lines may stay for other reasons.
    """
    first = _begin(lines, taken)
    stay = [line for n, line in enumerate(lines) if n not in taken and (n >= first or line.kind == "prose")]
    staying = "\n".join(line.said[:LONGEST_FRAME] for line in stay)
    pairs = han_pairs(staying)
    worth = {
        n: _title_worth(lines, n, pairs, chances.get(n, 1.0))
        for n in range(first)
        if _may_be_title(lines, n)
        or (chances.get(n, 0.0) > EVEN and _is_column(lines, n))
        or (n in taken and chances.get(n, 0.0) > UNDER_TITLE and _is_headline(lines[n]))
    }
    gone = [n for n in worth if n in taken and not _is_dated(lines, n, taken)]
    named = _ends_path(lines, first, taken, worth)
    if named:
        return named
    if not gone or _is_placed(lines, first, taken):
        return set()
    best = max(gone, key=lambda n: (worth[n], n))
    if any(_asks(lines[n]) for n in range(best) if n not in taken):
        return set()
    again = next((n for n in range(best + 1, first) if n not in taken and lines[n].said == lines[best].said), best)
    if again > best and all(lines[n].kind in WORDS for n in range(best + 1, again)):
        return set()
    others = [n for n in worth if n not in taken and lines[best].said not in lines[n].said]
    others = [n for n in others if n < best or not (is_names(lines[n].said) or _is_original(lines, best, n))]
    rival = max((worth[n] - chances.get(n, 1.0) / 2 for n in others), default=0.0)
    enough = worth[best] >= WORTH and rival < worth[best] / 2
    second = max((worth[n] for n in gone if n != best), default=0.0)
    if not others and len(lines[best].said) >= TITLE and worth[best] >= LEAST and second < worth[best] / 2:
        return {best}
    return {best} if enough or (worth[best] >= ONLY and rival < worth[best] / 4) else set()


def first_title(lines: Sequence[Line], taken: Collection[int], chances: Mapping[int, float]) -> set[int]:
    """Give the first line of all if it goes, facts stand right below it and no line above the first sentence stays.

    A title may begin with a word of menus ("search", "download"): what looks like one at the very top is one, then.
    """
    first = _begin(lines, taken)
    if first < 2 or 0 not in taken or lines[1].kind not in FACTS or any(n not in taken for n in range(1, first)):
        return set()
    line = lines[0]
    may_be = line.kind in ("near", "text") and TITLE <= len(line.said) <= TITLE_LENGTH
    return {0} if may_be and not STOP.search(line.said) and chances.get(0, 0.0) > DOUBT else set()


def _is_original(lines: Sequence[Line], title: int, n: int) -> bool:
    """Tell whether the mark of an original article stands between a title and a line below it."""
    return any(line.said in ORIGINAL for line in lines[title + 1 : n])


def _is_dated(lines: Sequence[Line], n: int, taken: Collection[int]) -> bool:
    """Tell whether a date in words stands below a line, and below it a line that goes: so papers begin their pages."""
    return n + 2 in taken and _DATE.fullmatch(lines[n + 1].said) is not None


def _ends_path(lines: Sequence[Line], first: int, taken: Collection[int], worth: Collection[int]) -> set[int]:
    """Give the line above the text that the line right above it leads to, where no other may be the title."""
    stay = [lines[n].said for n in worth if n not in taken]
    ends = [n for n in range(1, first) if n in taken and lines[n].kind == "text" and _is_led_to(lines, n)]
    return {ends[-1]} if ends and all(lines[ends[-1]].said in said for said in stay) else set()


def _is_led_to(lines: Sequence[Line], n: int) -> bool:
    """Tell whether the line above a word or more ends with it, after a blank or a mark, as a path to a chapter does."""
    said, above = lines[n].said, lines[n - 1].said
    before = above.removesuffix(said)
    return 1 < len(said) < TITLE and len(said) + SHORTEST < len(above) != len(before) and not before[-1:].isalnum()


def _asks(line: Line) -> bool:
    """Tell whether a line may be a title that asks or exclaims."""
    return line.kind == "prose" and TITLE <= len(line.said) <= TITLE_LENGTH and not is_hard(line)


def named_title(lines: Sequence[Line], taken: Collection[int]) -> set[int]:
    """Give what stands under the label of a title right above the first sentence: no other title does."""
    first = _begin(lines, taken)
    labelled = first > 1 and first - 1 in taken and lines[first - 2].said.endswith(LEADS)
    if not labelled or not _NAMES_IT.match(lines[first - 2].said.removeprefix("信息")) or not is_hard(lines[first]):
        return set()
    said = lines[first - 1].said
    again = any(line.said == said for n, line in enumerate(lines) if n not in taken)
    return {first - 1} if TITLE <= len(said) <= TITLE_LENGTH and not again else set()


def headword(lines: Sequence[Line], taken: Collection[int]) -> set[int]:
    """Give the last line above the first sentence that is the word with which that sentence begins, to say what it is."""
    first = _begin(lines, taken)
    if first >= len(lines) or any(n not in taken and _says(lines[first].said, lines[n].said) for n in range(first)):
        return set()
    return {max((n for n in range(first) if n in taken and _says(lines[first].said, lines[n].said)), default=-1)} - {-1}


def title_of_poem(lines: Sequence[Line], taken: Collection[int]) -> set[int]:
    """Give the lines right above the name of a poet with his dynasty, which stays, that stand nowhere else as a title."""
    stay = {line.said for n, line in enumerate(lines) if n not in taken}
    return {
        n
        for n in range(_begin(lines, taken))
        if n in taken
        and n + 1 not in taken
        and len(lines[n].said) <= POEM
        and lines[n].kind in ("text", "menu", "near")
        and _POET.fullmatch(lines[n + 1].said)
        and lines[n].said not in stay
    }


def entries_of_sections(lines: Sequence[Line], taken: Collection[int], chances: Mapping[int, float]) -> set[int]:
    """Give the lines of no known kind between the headings of an encyclopedia, each with a button to change its section."""
    marks = [n for n, line in enumerate(lines) if n and _SECTION.fullmatch(line.said)]
    return {
        n
        for above, below in pairwise(marks)
        for n in range(above + 1, below)
        if n in taken and lines[n].kind in ("text", "prose") and chances.get(n, 0.0) > TITLED_SECTION
    }


def _says(sentence: str, word: str) -> bool:
    """Tell whether a sentence begins with a word, and what follows says what that is.

    >>> [_says("绿豆糕是以绿豆为原料的糕点。", word) for word in ("绿豆糕", "绿豆")]
    [True, False]
    """
    named = 1 < len(word) <= HEADWORD and sentence.startswith(word)
    return named and _SAYING.match(sentence, len(word)) is not None


def office_of_title(lines: Sequence[Line], taken: Collection[int]) -> set[int]:
    """Give the name of an office right above a title that says what it is about, where that office signs the text below."""
    first = _begin(lines, taken)
    return {
        n
        for n in range(first)
        if n in taken
        and n + 1 not in taken
        and _ABOUT.match(lines[n + 1].said)
        and _OFFICE.search(lines[n].said)
        and any(lines[m].said == lines[n].said for m in range(first, len(lines)))
    }


def number_of_document(lines: Sequence[Line], taken: Collection[int]) -> set[int]:
    """Give the number of a document alone on a line above the text, between no label and a line that stays."""
    return {
        n
        for n in range(_begin(lines, taken))
        if n in taken
        and n + 1 not in taken
        and _DOCUMENT.fullmatch(lines[n].said)
        and not (n and lines[n - 1].said.endswith(LEADS))
    }


def doubled_title(lines: Sequence[Line], taken: Collection[int]) -> set[int]:
    """Give the line right below one that goes, above the first sentence, that stands once more on the next line."""
    return {
        n
        for n in range(1, _begin(lines, taken) - 1)
        if n - 1 in taken
        and not {n, n + 1} & {*taken}
        and lines[n].said == lines[n + 1].said
        and len(lines[n].said) >= TITLE
        and lines[n].kind in ("text", "prose")
    }


def _is_placed(lines: Sequence[Line], first: int, taken: Collection[int]) -> bool:
    """Tell whether a line of Han characters, or a longer one, that stays stands right between the path and a fact: the title."""
    return any(
        n not in taken
        and lines[n - 1].kind == "path"
        and lines[n].kind == "text"
        and lines[n + 1].kind in FACTS
        and (_HAN_ONLY.fullmatch(lines[n].said) or TITLE <= len(lines[n].said) <= TITLE_LENGTH)
        for n in range(1, first)
    )


def _begin(lines: Sequence[Line], taken: Collection[int]) -> int:
    """Give the first sentence that stays, or the first line of the longest stretch that does."""
    hard = next((n for n, line in enumerate(lines) if n not in taken and is_hard(line)), None)
    if hard is not None:
        return hard
    start = best = length = 0
    for n in range(len(lines)):
        if n in taken:
            start = n + 1
        elif n - start >= length:
            best, length = start, n - start + 1
    return best


def _may_be_title(lines: Sequence[Line], n: int) -> bool:
    line = lines[n]
    if (
        not (line.kind in ("text", "prose") or _FILE.search(line.said))
        or _NO_TITLE.search(line.said)
        or HEADING.match(line.said)
        or _COUNTED.match(line.said)
        or line.said.endswith(LEADS)
    ):
        return False
    boxed = ("near", "menu", "weak", "fact")
    if n and _BOX_LABEL.fullmatch(lines[n - 1].said) and lines[n - 1].kind in boxed:  # the value of a label
        return False
    if n == 0 and _SITE_NAME.fullmatch(line.said):
        return False
    labelled = LABELLED.match(line.said) or _NAMED.match(line.said)
    if labelled and (n == 0 or lines[n - 1].kind != "path"):
        return False
    return SHORTEST <= len(line.said) <= TITLE_LENGTH and not STOP.search(line.said)


def _is_headline(line: Line) -> bool:
    """Tell whether a line among labels is as long as a title and neither stops nor announces."""
    return line.kind == "near" and TITLE <= len(line.said) <= TITLE_LENGTH and not line.said.endswith(LEADS)


def _is_column(lines: Sequence[Line], n: int) -> bool:
    """Tell whether a line that may name a column stands right above facts."""
    column = lines[n].kind == "menu" and _HAN_ONLY.fullmatch(lines[n].said) is not None
    return column and n + 1 < len(lines) and lines[n + 1].kind in FACTS


def _title_worth(lines: Sequence[Line], n: int, pairs: Collection[str], chance: float) -> float:
    """Give how much speaks for a line as the title."""
    said = lines[n].said
    own = han_pairs(said)
    again = sum(pair in pairs for pair in own) / len(own) if own else 0.0
    below = lines[n + 1] if n + 1 < len(lines) else lines[n]
    facts = below.kind in (*FACTS, "near", "keep") or LABELLED.match(below.said) is not None or below.said in ORIGINAL
    genre = len(said) >= TITLE and _GENRE.search(said) is not None
    doubled = below.said == said and n + 1 < len(lines) and len(said) >= TITLE
    return 2 * again + facts + genre + doubled + chance


def contents_of_text(lines: Sequence[Line]) -> set[int]:
    """Give the words that announce a list of chapters, which belongs to the text."""
    return {
        n
        for n, (line, below) in enumerate(pairwise(lines))
        if _PLAIN.fullmatch(line.said) and HEADING.match(below.said) and below.kind == "text"
    }


def box_of_facts(lines: Sequence[Line], taken: Collection[int], chances: Mapping[int, float]) -> set[int]:
    """Give the labels with their values line by line that a site sets above a document: its number, who sent it, when."""
    first = _begin(lines, taken)
    found: set[int] = set()
    n = 0
    while n < first:
        start = n
        while n + 1 < first and _BOX_LABEL.fullmatch(lines[n].said) and not _BOX_LABEL.fullmatch(lines[n + 1].said):
            n += 2
        if n == start:
            n += 1
            continue
        box = range(start, n)
        known = sum(lines[m].kind in ("near", "fact", "stamp", "weak") for m in box[::2])
        values = all(len(lines[m].said) <= TITLE_LENGTH and not STOP.search(lines[m].said) for m in box[1::2])
        doubt = sum(chances.get(m, 1.0) for m in box[::2])
        if known >= BOX and 2 * known > len(box) // 2 and values and doubt < EVEN * len(box) / 2:
            named = {m + 1 for m in box[::2] if _NAMES_IT.match(lines[m].said)}
            below = {line.said for line in lines[n : n + OUTER]}
            others = any(m not in taken and m not in box and _may_be_title(lines, m) for m in range(n))
            likely = chances.get(n - 1, 0.0) > (UNDER_TITLE if others else DOUBT)
            titled = len(lines[n - 1].said) >= TITLE and likely  # its label has no value
            named |= {n - 1} if titled else set()
            found.update(m for m in box if m not in named or lines[m].said in below)
    return found


def tags(lines: Sequence[Line], taken: Collection[int], chances: Mapping[int, float]) -> set[int]:
    """Give the words line by line right below the last sentence that the text itself uses, above a line that goes.

    Above a list of links they are tags if the text uses most of them, else if they are not likely text besides.
    """
    stay = [n for n, line in enumerate(lines) if n not in taken and is_hard(line)]
    start = end = stay[-1] + 1 if stay else len(lines)
    while end < len(lines) and end not in taken and lines[end].kind == "text" and len(lines[end].said) <= TAG:
        end += 1
    run = range(start, end)
    if not TAGS[0] <= len(run) <= TAGS[1] or end == len(lines) or lines[end].kind not in KNOWN | {"weak", "menu"}:
        return set()
    text = "\n".join(lines[n].said for n in range(start) if n not in taken)
    if not all(_HAN_ONLY.fullmatch(lines[n].said) for n in run):
        return set()
    used = sum(lines[n].said in text for n in run)
    listed = 3 * used >= 2 * len(run) > 2 * TAGS[0] and lines[end].kind == "list"
    unlikely = sum(chances.get(n, 1.0) for n in run) < UNLIKELY * len(run) and all(
        chances.get(n, 1.0) < EVEN for n in run
    )
    return set(run) if listed or (unlikely and 2 * used >= len(run)) else set()


def tags_above(lines: Sequence[Line], taken: Collection[int], chances: Mapping[int, float]) -> set[int]:
    """Give the label of tags above the text, with the words line by line below it, where lines that go stand above."""
    first = _begin(lines, taken)
    for n in range(2, first):
        if not _TAGGED.fullmatch(lines[n].said) or not (n - 1 in taken or n - 2 in taken):
            continue
        end = n + 1
        while end < first and end - n <= TAGS[1] and _is_tag(lines[end]):
            end += 1
        run = range(n + 1, end)
        if len(run) < TAGS[0] or end == len(lines) or _is_tag(lines[end]):
            continue
        text = "\n".join(lines[m].said for m in range(end, len(lines)) if m not in taken)
        if 2 * sum(lines[m].said in text or chances.get(m, 1.0) < EVEN for m in run) >= len(run):
            return {n, *run}
    return set()


def _is_tag(line: Line) -> bool:
    return len(line.said) <= TAG and _HAN_ONLY.fullmatch(line.said) is not None


def labels_apart(
    lines: Sequence[Line], taken: Collection[int], chances: Mapping[int, float]
) -> dict[int, tuple[str, int]]:
    """Give the labels of source and author above the text whose values, or none, stand on the next line, among facts.

    Each with the field that it states, and the line of its value; the label itself where it has none.
    """
    first = _begin(lines, taken)
    found: dict[int, tuple[str, int]] = {}
    for n in range(1, first - 1):
        label = _APART.fullmatch(lines[n].said)
        if not label or lines[n].kind != "fact" or not _is_framed(lines, n - 1, taken, found):
            continue
        field = "source" if label[1] else "creator"
        named = lines[n + 1].kind == "menu" and len(lines[n + 1].said) > SHORTEST + 1
        if lines[n + 1].kind in FACTS or (n + 1 in taken and lines[n + 1].kind != "text" and not named):
            found[n] = (field, n)
        elif (lines[n + 1].kind == "text" or named) and n + 2 < first and _is_framed(lines, n + 2, taken, found):
            value = lines[n + 1].said
            if (n + 1 in taken or chances.get(n + 1, 1.0) < EVEN) and len(value) <= VALUE and not STOP.search(value):
                found[n] = (field, n + 1)
    return found


def _is_framed(lines: Sequence[Line], n: int, taken: Collection[int], found: Mapping[int, tuple[str, int]]) -> bool:
    """Tell whether a line goes or states a fact, or is a title with a label of such a kind below it."""
    known = n in taken or lines[n].kind in FACTS or any(n in (m, value) for m, (_, value) in found.items())
    return known or (lines[n].kind == "text" and len(lines[n].said) >= TITLE)


def box_of_labels(lines: Sequence[Line], taken: Collection[int], chances: Mapping[int, float]) -> set[int]:
    """Give the labels of public records, without colons, line by line with their values or none, above the text."""
    first = _begin(lines, taken)
    labels = [n for n in range(first) if _RECORD.fullmatch(_GAPS.sub("", lines[n].said))]
    if len(labels) < RECORDS or labels[-1] - labels[0] > 2 * len(labels):
        return set()
    box = range(labels[0], labels[-1])
    found = {n for n in box if n in labels or (n - 1 in labels and not _NAMES_IT.fullmatch(lines[n - 1].said))}
    if len(found) < len(box):
        return set()
    value = labels[-1] + 1
    short = value + 1 < first and len(lines[value].said) <= TAG and chances.get(value, 1.0) < UNDER_TITLE
    return found | {labels[-1]} | ({value} if short else set())


def empty_labels(lines: Sequence[Line], taken: Collection[int]) -> set[int]:
    """Give the labels of attachments below the text with nothing but lines that go below them."""
    stay = max((n for n in range(len(lines)) if n not in taken), default=0)
    empty = stay + 1 < len(lines) and _ATTACHED.fullmatch(lines[stay].said) is not None
    return {stay} if empty and lines[stay].kind == "keep" else set()


def attached_again(lines: Sequence[Line], taken: Collection[int]) -> set[int]:
    """Give the files below the text that a page lists once more, with the label above them, where lines that go follow."""
    end = max((n for n in range(len(lines)) if n not in taken), default=-1) + 1
    start = end
    while start and _FILE.search(lines[start - 1].said):
        start -= 1
    said = {_bare_name(line.said) for line in lines[:start]}
    if start in (0, end) or end == len(lines) or any(_bare_name(lines[n].said) not in said for n in range(start, end)):
        return set()
    labelled = _ATTACHED.fullmatch(lines[start - 1].said) is not None
    return set(range(start - labelled, end))


def _bare_name(said: str) -> str:
    """Give the name of a file without its number, the label above it, and its ending.

    >>> [_bare_name(said) for said in ("附件：1.名录", "1.名录.xls")]
    ['名录', '名录']
    """
    name = _COUNTED.sub("", _ANNEX.sub("", said, count=1).strip(), count=1)
    return regex.sub(r"\.\w{2,4}$", "", name).strip()


def date_of_page(lines: Sequence[Line], taken: Collection[int]) -> set[int]:
    """Give the dates at the very top, above the first line that stays, which a line that goes follows."""
    top = next((n for n, line in enumerate(lines) if n not in taken and line.kind != "keep"), 0)
    return {n for n in range(top) if n not in taken and n + 1 in taken and _DATE.fullmatch(lines[n].said)}


def under_original(lines: Sequence[Line], taken: Collection[int]) -> dict[int, tuple[str, int]]:
    """Give the mark of an original article, with its first name, and the names below it, above a date with a time.

    The mark stands right below a line that may be the title; an account says who writes and who publishes.
    """
    first = _begin(lines, taken)
    for n in range(1, first - 1):
        if lines[n].said not in ORIGINAL or n not in taken or not _is_titled(lines, n - 1, taken):
            continue
        end = n + 1
        while end < first and lines[end].kind == "text" and len(lines[end].said) <= NAME and end - n <= NAMES:
            end += 1
        if n + 1 < end < first and lines[end].kind == "stamp":
            return {n: ("creator", n + 1), **{m: ("creator", m) for m in range(n + 1, end)}}
    return {}


def steps_of_text(lines: Sequence[Line], taken: Collection[int]) -> set[int]:
    """Give the lines from step 1 to the last step of a text.

    What stands above step 1, or step 1 itself, stays, or no list of links and no site's foot comes before it. Between
    the steps there are lines of no known kind; a list of links has its numbers line by line.
    """
    found: set[int] = set()
    other = next((n for n, line in enumerate(lines) if line.kind in ("list", "foot")), len(lines))
    for start, line in enumerate(lines):
        first = _STEP.match(line.said)
        if not first or _number(first[1]) != 1 or start == 0 or start in found:
            continue
        members = _members(lines, start, first[2])
        while len(members) > 1 and lines[members[-1]].kind == "sign" and members[-1] - 1 in taken:
            members.pop()
        gaps = sum(b - a > 1 for a, b in pairwise(members))
        follows = start not in taken or (start - 1 not in taken and lines[start - 1].kind in _PLAIN_KINDS)
        notices = 2 * sum(lines[n].kind == "sign" for n in members) >= len(members)
        if notices or len(members) < STEPS + (not follows) or 2 * gaps < len(members) - 1:
            continue
        if follows or start < other:
            found.update(n for n in range(start, members[-1] + 1) if lines[n].kind in _PLAIN_KINDS)
            found.update(members)
    return found


def _number(numeral: str) -> int:
    return int(numeral) if numeral.isdecimal() else "一二三四五六七八九".index(numeral) + 1


def _members(lines: Sequence[Line], start: int, mark: str) -> list[int]:
    """Give the lines numbered 1, 2, 3 … from ``start`` on, up to a line that belongs to pages."""
    members = [start]
    for n in range(start + 1, len(lines)):
        if n - members[-1] > APART or lines[n].kind in KNOWN - {"inside", "sign"}:
            break
        step = _STEP.match(lines[n].said)
        if step and step[2] == mark and _number(step[1]) == len(members) + 1:
            members.append(n)
    return members


def named_above(lines: Sequence[Line], taken: Collection[int]) -> set[int]:
    """Give the headings, and what stands between them, that a list of contents which stays names in their order."""
    last = {line.said: n for n, line in enumerate(lines)}
    run: list[int] = []
    found: set[int] = set()
    for n, line in enumerate(lines[:OUTER]):
        below = last[line.said]
        if n not in taken and below > n and line.kind in _PLAIN_KINDS and len(line.said) <= ENTRY:
            run = run if not run or below > run[-1] else []
            run.append(below)
            continue
        if len(run) > ENTRIES and run[0] >= n and run[-1] - run[0] <= OUTER:
            found.update(m for m in range(run[0], run[-1] + 1) if lines[m].kind in _PLAIN_KINDS)
        run = []
    return found


def hardly_text(lines: Sequence[Line], taken: Collection[int], chances: Mapping[int, float]) -> set[int]:
    """Give the lines that are hardly text, of a page whose frame is known by several lines.

    Above the text short ones beside a line that goes, where another line may be the title; below it those under such a
    line; amid it controls.
    """
    if len(taken) < SURELY_PAGE:
        return set()
    first = _begin(lines, taken)
    last = max((n for n, line in enumerate(lines) if n not in taken and is_hard(line)), default=first)
    hardly = {n for n in range(len(lines)) if n not in taken and chances.get(n, 1.0) < HARDLY}
    titled = any(n not in taken and n not in hardly and _may_be_title(lines, n) for n in range(first))
    found = {n for n in hardly if first < n < last and lines[n].kind == "sign" and han_pairs(lines[n].said)}
    left = {n for n, chance in chances.items() if n > first and n not in taken and chance < UNLIKELY_WORDS}
    if any(n not in taken and is_hard(line) for n, line in enumerate(lines)):
        found |= {n for n in left if lines[n].kind == "stamp" or (n > last and lines[n].kind in WORDS)}
    for n in sorted(hardly):
        below = n > last and (n - 1 in taken or n - 1 in found) and not LABELLED.match(lines[n].said)
        if lines[n].kind == "text" and below and not lines[n].said.endswith(LEADS):
            found.add(n)
    above = [
        n
        for n in sorted(hardly)
        if n < first
        and titled
        and lines[n].kind == "text"
        and len(lines[n].said) <= NAME
        and not _is_character(lines, n, first)
    ]
    for n in (*above, *reversed(above)):
        opens = n == 0 and not _SITE_NAME.fullmatch(lines[n].said)  # a clipping may begin with its title
        beside = any(m in taken or m in found for m in (n - 1, n + 1))
        if beside and not opens and not lines[n].said.endswith(LEADS):
            found.add(n)
    return found


def alone_in_frame(lines: Sequence[Line], taken: Collection[int], chances: Mapping[int, float]) -> set[int]:
    """Give the sentences below the first one, each between two lines that go, that are no text: comments, summaries."""
    return {
        n
        for n in range(_begin(lines, taken) + 1, len(lines) - 1)
        if n not in taken
        and n - 1 in taken
        and n + 1 in taken
        and lines[n].kind == "prose"
        and chances.get(n, 1.0) < ALONE
    }


def likely_text(lines: Sequence[Line], taken: Collection[int], chances: Mapping[int, float]) -> set[int]:
    """Give the lines that are likely text though their words are known of pages: above the first sentence, and below
    it beside a line that stays."""
    first = _begin(lines, taken)
    times = Counter(line.said for line in lines)
    titles = tuple(line.said for line in lines[: first + 1] if len(line.said) >= SHORTEST)
    return {
        n
        for n in taken
        if chances.get(n, 0.0) >= LIKELY
        and times[lines[n].said] == 1
        and not (lines[n].said.startswith(titles) and lines[n].said not in titles)
        and (
            lines[n].kind not in FACTS
            if n < first
            else lines[n].kind in ("text", "sign", "list", "weak")
            and any(m not in taken for m in (n - 1, n + 1) if first < m < len(lines))
        )
    }


def _is_character(lines: Sequence[Line], n: int, first: int) -> bool:
    """Tell whether a line is one character that the text is about, as in a dictionary: it says it in several lines."""
    said = lines[n].said
    return len(said) == 1 and sum(said in line.said for line in lines[first:]) >= STEPS


def accounts(lines: Sequence[Line], taken: Collection[int], chances: Mapping[int, float]) -> set[int]:
    """Give the names below the title that stand right above a button to follow them."""
    first = _begin(lines, taken)
    below = {lines[n].said for n in taken if n > first}
    return {
        n
        for n in range(1, first)
        if n not in taken
        and _is_followed(lines, n, taken)
        and lines[n].kind == "text"
        and len(lines[n].said) <= NAME
        and chances.get(n, 1.0)
        < (UNDER_TITLE if _is_titled(lines, n - 1, taken) or (n - 1 not in taken and lines[n].said in below) else EVEN)
    } | set(_doubled_names(lines, taken, chances, first))


def _is_followed(lines: Sequence[Line], n: int, taken: Collection[int]) -> bool:
    """Tell whether a button to follow stands below a name, one line with a fact between at most."""
    below = n + 1 + (lines[n + 1].kind in FACTS)
    return below in taken and _FOLLOW.fullmatch(lines[below].said) is not None


def _doubled_names(
    lines: Sequence[Line], taken: Collection[int], chances: Mapping[int, float], first: int
) -> Iterator[int]:
    """Give the names of accounts that stand twice, one line below the other, above a line that goes or states a fact."""
    for n in range(2, first):
        name = lines[n]
        twice = name.said == lines[n - 1].said and name.kind == "text" and len(name.said) <= NAME
        framed = n - 1 in taken and (n + 1 in taken or lines[n + 1].kind in FACTS)
        if twice and framed and chances.get(n, 1.0) < EVEN:
            yield n


def _is_titled(lines: Sequence[Line], n: int, taken: Collection[int]) -> bool:
    return n not in taken and len(lines[n].said) >= TITLE and _may_be_title(lines, n)


def said_again(lines: Sequence[Line], taken: Collection[int]) -> set[int]:
    """Give the lines that only say again what the text says: its title beside pictures, lists of its headings."""
    return {n for part in (_pictures(lines, taken), _contents(lines)) for n in part if lines[n].kind != "keep"}


def headings(lines: Sequence[Line], again: Collection[int]) -> set[int]:
    """Give the headings below that the entries of a list of contents, ``again``, name."""
    named = {bare_letters(_COUNTED.sub("", _BULLET.sub("", lines[n].said, count=1), count=1)) for n in again} - {""}
    end = max(again, default=-1) + 1
    return {n for n in range(end, len(lines)) if bare_letters(lines[n].said) in named}


def sections(lines: Sequence[Line], headed: Collection[int]) -> set[int]:
    """Give the sentences under the headings that a list of contents names."""
    order = sorted(headed)
    if len(order) < ENTRIES:
        return set()
    found: set[int] = set()
    for start, end in pairwise(order):
        between = range(start + 1, end)
        if not any(lines[n].kind in ("list", "foot", "path") for n in between):
            found.update(n for n in between if is_hard(lines[n]))
    end = order[-1] + 1
    while end < len(lines) and lines[end].kind in ("weak", "sign", "inside") and end - order[-1] <= ENTRIES:
        end += 1
    while end < len(lines) and lines[end].kind in ("prose", "weak"):
        found.update({end} if is_hard(lines[end]) else ())
        end += 1
    return found


def _pictures(lines: Sequence[Line], taken: Collection[int]) -> Iterator[int]:
    """Give the lines that are the title with the number of a picture behind it, or, more than once, a site's name."""
    first = next((n for n, line in enumerate(lines) if n not in taken and is_hard(line)), 0)
    titles = tuple(line.said for line in lines[: first + 1] if TITLE <= len(line.said) <= TITLE_LENGTH)
    if not titles:
        return
    times = Counter(line.said for line in lines)
    for n, line in enumerate(lines):
        if len(line.said) > TITLE_LENGTH + ENTRY or not line.said.startswith(titles):
            continue
        rests = [line.said[len(title) :] for title in titles if line.said.startswith(title)]
        if any(_PICTURE.fullmatch(rest) or (times[line.said] > 1 and _SITE.fullmatch(rest)) for rest in rests):
            yield n


def _contents(lines: Sequence[Line]) -> Iterator[int]:
    """Give the lists of contents whose entries stand below as headings, without the numbers that a page adds."""
    for n, line in enumerate(lines):
        named, plain = _CONTENTS.fullmatch(line.said), _PLAIN.fullmatch(line.said)
        if not named and not plain:
            continue
        end = n + 1
        while end < len(lines) and len(lines[end].said) <= ENTRY and not STOP.search(lines[end].said):
            end += 1
        yield from _listed(lines, n, end, bulleted=named is not None)


def _listed(lines: Sequence[Line], start: int, end: int, *, bulleted: bool) -> Iterator[int]:
    """Give a heading at ``start`` with its entries: those with a bullet each, or as many as stand again below.

    Below a button that shows or hides them, entries need neither numbers nor bullets.
    """
    shaped = start + 1
    while bulleted and shaped < end and _BULLET.match(lines[shaped].said):
        shaped += 1
    if shaped - start > ENTRIES:
        yield from range(start, shaped)
        return
    last = {bare_letters(line.said): n for n, line in enumerate(lines)}
    known: list[int] = []
    pressed = start + 1 < end and lines[start + 1].kind in PRESSED and bool(bare_letters(lines[start + 1].said))
    for n in range(start + 1 + pressed, end):
        said = lines[n].said
        if _MARK.fullmatch(said) and n + 1 < end and last.get(bare_letters(lines[n + 1].said), n) > n + 1:
            known.append(n)
            continue
        entry = _COUNTED.sub("", said, count=1) if _COUNTED.match(said) else _BULLET.sub("", said, count=1)
        numbered = entry != said
        again = last.get(bare_letters(entry), n) > n
        if not again and len(known) and n - known[-1] > 1:
            break
        numbered = numbered or (n - 1 in known and _MARK.fullmatch(lines[n - 1].said) is not None)
        if again and (bulleted or numbered or pressed):
            known.append(n)
    if len(known) >= ENTRIES and len(known) >= SHARE * (known[-1] - start - pressed):
        yield from range(start, known[-1] + 1)
