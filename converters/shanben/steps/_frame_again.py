"""What a page says again, made by its program: its title beside pictures, its headings in a list of contents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise

import regex

from shanben.steps._frame_lines import (
    FACTS,
    KNOWN,
    LABELLED,
    LEADS,
    LONGEST_FRAME,
    OUTER,
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
WORTH, ONLY = 0.9, 0.5
"""So much must speak for a line to be brought back as the title, and twice as much as for any that stays; so much where
next to nothing speaks for those."""
ENTRIES = 3
"""So many entries make a list of contents."""
ENTRY = 40
"""An entry has no more characters."""
NAME = 12
"""A longer line is no name."""
EVEN = 0.5
"""A name above a button to follow it goes if it is less likely text than this."""
UNDER_TITLE = 0.9
"""The same for one right below a line that may be the title."""
SHARE = 0.8
"""So great a share of the entries stands again below as headings."""
BOX = 3
"""So many known labels make a box of facts about a document."""
_BOX_LABEL = regex.compile(r"\p{Han}[\p{Han}\u3000 ]{1,7}[:：]", FLAGS)
_NAMES_IT = regex.compile(r"[标標][\u3000 ]*[题題]|(?:文件)?名[\u3000 ]*[称稱]|[题題]名|文件名", FLAGS)
STEPS, APART = 3, 12
"""So many numbered lines make the steps of a text, with no more lines from one to the next."""
_STEP = regex.compile(r"(\d{1,2}|[一二三四五六七八九](?=、))([.．、）)])(?!\d)", FLAGS)
_PLAIN_KINDS = frozenset({"text", "prose", "near", "keep", "scored", "likely"})
_CONTENTS = regex.compile(
    r"[【\[]?(?:本文|文章|本页|本頁|页面|頁面)(?:的?)(?:目[录錄](?:导读|一览)?|导读|導讀)[】\]]?[:：]?"
    r"|目[录錄](?:导读|一览)[:：]?|(?:Table of )?[Cc]ontents|On this page|[目内][录錄容][ ]?\[(?:隐藏|隱藏|收起|展开|顯示|显示)\]",
    FLAGS,
)
_PLAIN = regex.compile(r"目[ \u3000]{0,4}[录錄]", FLAGS)
_BULLET = regex.compile(r"[-–•·▪◦○●*>]{1,2}[ \u3000]*", FLAGS)
_COUNTED = regex.compile(r"\d{1,2}(?:\.\d{1,2}){0,3}[ .、\u3000\t]{0,3}(?=\D)", FLAGS)
_FILE = regex.compile(r"\p{Han}.{2,}\.(?:docx?|pdf|pptx?|xlsx?|txt|wps)$", FLAGS)
_FOLLOW = regex.compile(r"[+＋]? ?(?:加|已)?(?:关注|關注|追蹤)(?:他|她|TA|Ta|ta|作者)?|发?私信|订阅|訂閱", FLAGS)
_NO_TITLE = regex.compile(r"</?[a-z]+[ />]|[\u3000\t ]\d+ ?\p{Han}?$|^\p{Han}{1,3}[:：]", FLAGS)
_GENRE = regex.compile(
    r"(?:规定|規定|办法|辦法|条例|條例|通知|公告|通告|公示|报告|報告|意见|意見|决定|決定|方案|细则|通报|批复|章程|制度|规则|規則|合同|总结|讲话|致辞|声明|启事|说明|請示|请示|答复|纪要|計畫|计划|规划|要點|要点)[）)]?$",
    FLAGS,
)
_PICTURE = regex.compile(
    r"[ ，,、_|｜—–-]{0,3}[（(]?(?:第? ?\d{1,2} ?[张張](?:图片|圖片)?|[图圖] ?\d{1,2}|[插配][图圖] ?\d{0,2})[）)]?",
    FLAGS,
)
_SITE = regex.compile(r" ?[_|｜—–-] ?[\p{Han}A-Za-z]{2,8}", FLAGS)


def lost_title(lines: Sequence[Line], taken: Collection[int], chances: Mapping[int, float]) -> set[int]:
    """Give the line above the text that goes though it speaks for itself as the title, and no line that stays does.

    Its words come again in the text, a line with facts stands below it, it names its genre, it stands twice, it is likely
    text; the last counts half for a line that stays, since other lines may stay for other reasons.
    """
    first = _begin(lines, taken)
    stay = [line for n, line in enumerate(lines) if n not in taken and (n >= first or line.kind == "prose")]
    staying = "\n".join(line.said[:LONGEST_FRAME] for line in stay)
    pairs = han_pairs(staying)
    worth = {n: _title_worth(lines, n, pairs, chances.get(n, 1.0)) for n in range(first) if _may_be_title(lines, n)}
    gone = [n for n in worth if n in taken]
    if not gone:
        return set()
    best = max(gone, key=lambda n: (worth[n], n))
    again = next((n for n in range(best + 1, first) if n not in taken and lines[n].said == lines[best].said), best)
    if again > best and all(lines[n].kind in WORDS for n in range(best + 1, again)):
        return set()
    others = [n for n in worth if n not in taken and lines[best].said not in lines[n].said]
    others = [n for n in others if n < best or not is_names(lines[n].said)]
    rival = max((worth[n] - chances.get(n, 1.0) / 2 for n in others), default=0.0)
    enough = worth[best] >= WORTH and rival < worth[best] / 2
    return {best} if enough or (worth[best] >= ONLY and rival < worth[best] / 4) else set()


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
    return SHORTEST <= len(line.said) <= TITLE_LENGTH and not STOP.search(line.said) and not LABELLED.match(line.said)


def _title_worth(lines: Sequence[Line], n: int, pairs: Collection[str], chance: float) -> float:
    """Give how much speaks for a line as the title."""
    said = lines[n].said
    own = han_pairs(said)
    again = sum(pair in pairs for pair in own) / len(own) if own else 0.0
    below = lines[n + 1] if n + 1 < len(lines) else lines[n]
    facts = below.kind in (*FACTS, "near", "keep") or LABELLED.match(below.said) is not None
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
            found.update(m for m in box if m not in named or lines[m].said in below)
    return found


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
        gaps = sum(b - a > 1 for a, b in pairwise(members))
        follows = start not in taken or (start - 1 not in taken and lines[start - 1].kind in _PLAIN_KINDS)
        if len(members) < STEPS + (not follows) or 2 * gaps < len(members) - 1:
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


def accounts(lines: Sequence[Line], taken: Collection[int], chances: Mapping[int, float]) -> set[int]:
    """Give the names below the title that stand right above a button to follow them."""
    first = _begin(lines, taken)
    return {
        n
        for n in range(1, first)
        if n not in taken
        and n + 1 in taken
        and _FOLLOW.fullmatch(lines[n + 1].said)
        and lines[n].kind == "text"
        and len(lines[n].said) <= NAME
        and chances.get(n, 1.0) < (UNDER_TITLE if _is_titled(lines, n - 1, taken) else EVEN)
    }


def _is_titled(lines: Sequence[Line], n: int, taken: Collection[int]) -> bool:
    return n not in taken and len(lines[n].said) >= TITLE and _may_be_title(lines, n)


def said_again(lines: Sequence[Line], taken: Collection[int]) -> set[int]:
    """Give the lines that only say again what the text says: its title beside pictures, lists of its headings."""
    return {n for part in (_pictures(lines, taken), _contents(lines)) for n in part if lines[n].kind != "keep"}


def headings(lines: Sequence[Line], again: Collection[int]) -> set[int]:
    """Give the headings below that the entries of a list of contents, ``again``, name."""
    named = {bare_letters(_COUNTED.sub("", _BULLET.sub("", lines[n].said, count=1), count=1)) for n in again}
    end = max(again, default=-1) + 1
    return {n for n in range(end, len(lines)) if bare_letters(lines[n].said) in named}


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
    """Give a heading at ``start`` with its entries: those with a bullet each, or as many as stand again below."""
    shaped = start + 1
    while bulleted and shaped < end and _BULLET.match(lines[shaped].said):
        shaped += 1
    if shaped - start > ENTRIES:
        yield from range(start, shaped)
        return
    last = {bare_letters(line.said): n for n, line in enumerate(lines)}
    known: list[int] = []
    for n in range(start + 1, end):
        said = lines[n].said
        entry = _COUNTED.sub("", said, count=1) if _COUNTED.match(said) else _BULLET.sub("", said, count=1)
        numbered = entry != said
        again = last.get(bare_letters(entry), n) > n
        if not again and len(known) and n - known[-1] > 1:
            break
        if again and (bulleted or numbered):
            known.append(n)
    if len(known) >= ENTRIES and len(known) >= SHARE * (known[-1] - start):
        yield from range(start, known[-1] + 1)
