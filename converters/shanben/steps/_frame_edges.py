"""Where the text of a page begins and ends, and which lines above, below and between belong to the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from shanben.lazy import lazy_regex
from shanben.steps._frame_lines import (
    BUTTONS,
    CERTAIN,
    FACTS,
    KNOWN,
    LEADS,
    PRESSED,
    REPEATED,
    STOP,
    TITLES,
    WORDS,
    Line,
    bare_letters,
    bare_set,
    is_hard,
    runs_of,
)
from shanben.steps._frame_params import FLAGS, Params
from shanben.steps._frame_scores import (
    HAN,
    HEADING,
    ISLAND,
    ROW_OF_BUTTONS,
    SHORT,
    Title,
    han_pairs,
    past_islands,
    recurs,
)

_DAY = lazy_regex(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}", FLAGS)
_PAGE = lazy_regex(r"(?:[页頁] ?)?(\d{1,3}) ?/ ?(\d{1,3})", FLAGS)
_DATE = lazy_regex(r"年.{1,3}月.{1,4}日$", FLAGS)
_SENT = lazy_regex(
    r"[时時][间間][:：]?[ \u3000]?(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b.*|[发發转轉]信站[:：].*(?:站[内內]|[)）])", FLAGS
)
"""The last line of the head of a post on a board of the telnet kind."""
_FROM = lazy_regex(r"※ (?:[发發]信站|[来來]源)[:：]?.*", FLAGS)
POST_HEAD, POST_FOOT = 14, 10
"""The head of a post ends within so many lines, its author's own lines at the end are no more."""
ABOVE_TITLE = 24
"""A line above the title, with frame between, is frame up to so many characters."""
ROW = 30
"""A line without a stop, not longer, between two lines of frame below the text is frame."""
BUTTON_WORDS = 4
"""Several buttons on one line have so many letters."""
SIGNATURE = 16
"""Who signs a text needs no more characters."""


def text_body(lines: Sequence[Line]) -> tuple[int, int]:
    """Give the indices of the first and last line of the text proper: from the first to the last prose."""
    prose = [n for n, line in enumerate(lines) if line.kind == "prose"]
    if not prose:
        return _body_without_prose(lines)
    hard = [n for n in prose if is_hard(lines[n])] or prose
    first, last = hard[0], hard[-1]
    if not any(line.kind == "inside" for line in lines):
        first, last = past_islands(lines, hard), past_islands(lines, hard[::-1])
        if first > last:
            first, last = hard[0], max(last, hard[0])
    for n in reversed(range(first)):  # a headline may ask or exclaim, and so may the one under a list of links
        if lines[n].kind in CERTAIN or lines[n].kind in FACTS:
            break
        first = n if lines[n].kind == "prose" else first
    for n in range(last + 1, len(lines)):
        if lines[n].kind in CERTAIN:
            break
        last = n if lines[n].kind == "prose" else last
    for n in range(last + 1, len(lines)):  # a numbered heading goes on with the text, whatever stood above it
        if lines[n].kind == "text" and HEADING.match(lines[n].said):
            last = n
            while last + 1 < len(lines) and lines[last + 1].kind in ("text", "keep"):
                last += 1
    if lines[last].said.endswith(LEADS):  # what a colon announces belongs to the text
        while last + 1 < len(lines) and lines[last + 1].kind in ("text", "keep", "menu", "weak", "list"):
            last += 1
    return first, last


def past_signature(lines: Sequence[Line], last: int) -> int:
    """Give the last line of a text whose date, notes or attachments stand below sentences that look like frame."""
    for n in range(last + 1, len(lines)):
        if lines[n].kind in KNOWN:
            break
        signed = lines[n].kind == "stamp" and _DAY.fullmatch(lines[n].said) and lines[n - 1].kind == "text"
        if lines[n].kind == "keep" or (signed and len(lines[n - 1].said) <= SIGNATURE):
            last = n
    return last


def post_of_board(lines: Sequence[Line]) -> tuple[set[int], set[int]]:
    """Give the lines of a post on a board of the telnet kind, and the two hyphens that close it above where it came from."""
    head = next((n for n, line in enumerate(lines[:POST_HEAD]) if _SENT.fullmatch(line.said)), len(lines))
    sent = next((n for n in range(head, len(lines)) if _FROM.fullmatch(lines[n].said)), head)
    end = max((n for n in range(head + 1, sent) if lines[n].said in ("--", "---")), default=sent)
    return {n for n in range(head + 1, end) if lines[n].kind != "inside"}, set(range(end, min(end + 1, sent)))


def _body_without_prose(lines: Sequence[Line]) -> tuple[int, int]:
    """Give the first and last line of a list, table or poem: what follows path and facts, else the longest run."""
    runs = list(runs_of(lines, ("text", "keep")))
    ahead = [n for n, line in enumerate(lines[: len(lines) // 2]) if line.kind == "path" or line.kind in FACTS]
    if ahead:
        below = runs_of(lines, ("text", "keep", "weak", "menu", "near"))
        runs = [(a, b) for a, b in below if a > ahead[-1] and b - a + 1 >= REPEATED] or runs
    return max(runs, key=lambda run: run[1] - run[0], default=(0, 0))


def inside_frame(lines: Sequence[Line]) -> set[int]:
    """Give the lines that are frame wherever they stand, with the buttons beside them."""
    found = {n for n, line in enumerate(lines) if line.kind == "inside"}
    for n in sorted(found):
        for step in (-1, 1):
            m = n + step
            while 0 <= m < len(lines) and lines[m].kind in PRESSED:
                found.add(m)
                m += step
    return found


def button_rows(lines: Sequence[Line], first: int, last: int) -> set[int]:
    """Give the buttons between the first and last line of the text: those that come again, and rows of them."""
    found = [n for n in range(first, len(lines)) if lines[n].kind in PRESSED and len(lines[n].said) >= 2]
    pressed = {n: _pressed(lines[n]) for n in found}
    times = Counter(pressed.values())
    buttons = {n for n in found if times[pressed[n]] >= REPEATED}
    for a, b in runs_of(lines[: last + 1], (*PRESSED, "menu")):
        if a < first or lines[a - 1].said.endswith(LEADS):  # announced, so content
            continue
        run = [line.said for line in lines[a : b + 1]]
        distinct = next((k for k, said in enumerate(run) if said in run[:k]), len(run))  # then a heading follows
        if distinct >= ROW_OF_BUTTONS and a > first:
            buttons |= set(range(a, a + distinct))
    return buttons


def _pressed(line: Line) -> str:
    """Give the words of several buttons on one line without their counts, else what the line says.

    >>> _pressed(Line(0, "点赞 (312)　评论 9", "sign"))
    '点赞评论'
    """
    bare = bare_letters(line.said) if line.kind == "sign" else ""
    return bare if len(bare) >= BUTTON_WORDS and " " in line.said.replace("\u3000", " ") else line.said


def sure_lines(lines: Sequence[Line], runs: bool) -> set[int]:
    """Give the lines that are frame by themselves: certain ones, and (``runs``) three controls or menu words in a row."""
    found = {n for n, line in enumerate(lines) if line.kind in CERTAIN}
    words = [line.kind in WORDS or (line.kind == "text" and len(line.said) <= SHORT) for line in lines]
    for is_words, numbers in groupby(range(len(lines)), lambda n: words[n]) if runs else ():
        run = list(numbers) if is_words else []
        known = [n for n in run if lines[n].kind in WORDS]
        enough = len({lines[n].said for n in known}) >= REPEATED and 2 * len(known) >= len(run)
        if enough and any(lines[n].kind != "menu" for n in known):
            found |= set(known)
    return found


def page_marks(lines: Sequence[Line], first: int, last: int, known: int) -> set[int]:
    """Give the marks of pages (``1/3``, then ``2/3``) between paragraphs, if so many lines of frame are ``known``."""
    marks = [(n, m) for n, line in enumerate(lines[: last + 3]) if (m := _PAGE.fullmatch(line.said))]
    totals = {m.group(2) for _, m in marks}
    numbers = [int(m.group(1)) for _, m in marks]
    if known < ISLAND or len(totals) != 1 or numbers != sorted(set(numbers)) or numbers[-1] > int(*totals):
        return set()
    return {n for n, _ in marks} if len(marks) > 1 or first < marks[0][0] < last else set()


def head_frame(head: Sequence[Line], sure: set[int], lines: Sequence[Line], params: Params, title: Title) -> set[int]:
    """Give the indices of the lines above the text that are frame."""
    facts = {n for n, line in enumerate(head) if line.kind in FACTS}
    if not sure and not facts:
        return set()
    end = max(sure | facts)
    rows = set()
    while end + 1 < len(head):
        below = head[end + 1]
        if below.kind == "text" and title.index > end + 1 and _is_row_of_words(below.said):
            rows.add(end + 1)
        elif below.kind not in ("weak", "likely", "near", "stamp"):
            break
        end += 1
    frame = rows | sure | {n for n in range(end + 1) if head[n].kind in ("weak", "likely", "near", "menu", "stamp")}
    if len(sure) >= ISLAND:
        frame |= {n for n in range(end + 1, len(head)) if head[n].kind in BUTTONS}
    beside = frame | facts
    frame -= _title_in_menu(head, frame, facts) | _first_heading(head, params, title)
    gap = len(head) - end - 1
    if title.sure:
        frame |= _above_title(head, title.index, beside)
    return frame | _names_and_twins(head[: end + 1], lines[end + 1 :], gap, beside, facts, params, title)


def _above_title(head: Sequence[Line], title: int, beside: set[int]) -> set[int]:
    """Give the short lines above a title that is sure, with frame above and below them."""
    top = min(title, len(head))
    while top and top - 1 not in beside and head[top - 1].kind in TITLES:
        top -= 1
    return {n for n in range(top) if head[n].kind == "text" and len(head[n].said) <= ABOVE_TITLE}


def _names_and_twins(
    head: Sequence[Line],
    rest: Sequence[Line],
    gap: int,
    beside: set[int],
    facts: set[int],
    params: Params,
    title: Title,
) -> set[int]:
    """Give the lines of text among lines of frame that are no title: site names, short words, a title that comes again.

    ``rest`` are the lines below the head; the text proper begins after ``gap`` of them.
    """
    titles = [n for n, line in enumerate(head) if line.kind in TITLES]
    text_below = any(line.kind in TITLES for line in rest[:gap])
    headline = gap == 0 and len(rest) > 0 and rest[0].kind == "prose" and not is_hard(rest[0])
    name = (*head, *rest)[title.index].said if title.likely else ""
    held = _held_titles(head, titles, facts, text_below or headline, title, name)
    pairs = han_pairs("\n".join(line.said for line in rest[gap:] if line.kind in TITLES))
    held |= {n for n in titles if recurs(head[n].said, pairs)}
    feet = "\n".join(line.said for line in rest if line.kind == "foot")
    kept = {line.said for line in rest[: gap + 1]}
    found: set[int] = set()
    for n in reversed(titles):
        said = head[n].said
        above, below = _next(n, titles, -1), _next(n, titles, 1)
        between = (above < 0 or above in beside) and below in beside
        is_name = (len(said) >= 3 and said in feet) or (n == 0 and said.endswith(params.sites))
        is_name = is_name or (n == 0 and title.likely and title.index > 1 and len(said) <= params.title)
        named = is_name and (len(titles) > 1 or text_below)
        if between and (named or said in kept or (n not in held and _may_go(head[n], params))):
            found.add(n)
        else:
            kept.add(said)
    return found


def _may_go(line: Line, params: Params) -> bool:
    """Tell whether a line of text between two lines of frame is too short for a title, or a row of short words."""
    return _width(line.said) <= params.title or _is_row_of_words(line.said)


def _width(said: str) -> int:
    """Give how many Han characters are as wide as a line.

    >>> [_width(said) for said in ("春天的花", "Lake News, 湖")]
    [4, 7]
    """
    return (len(said) + 1 + sum(char > "\u2e7f" for char in said)) // 2


def _is_row_of_words(said: str) -> bool:
    """Tell whether a line is made of four or more short words, as a menu is.

    >>> [_is_row_of_words(s) for s in ("市情概览 方志动态 年鉴阅读 老照片", "不忘初心 牢记使命")]
    [True, False]
    """
    words = said.replace("|", " ").split()
    return len(words) >= 4 and max(map(len, words)) <= 8 and HAN.search(said) is not None


def _held_titles(
    head: Sequence[Line], titles: Sequence[int], facts: set[int], text_below: bool, title: Title, name: str
) -> set[int]:
    """Give the lines that may be the title: the likely one, those after the path or before facts, else the last.

    Where none is likely, the longest may be it, too.
    """
    if not titles:
        return set()
    held = {n for n in titles if _next(n, titles, 1) in facts}
    held |= {n for n in titles if (above := _next(n, titles, -1)) >= 0 and head[above].kind == "path"}
    if not held and not text_below:
        held.add(titles[-1])
    if title.likely:
        held -= {n for n in held if n != title.index and _is_row_of_words(head[n].said)}
        return held | {title.index} | {n for n in titles if head[n].said in name}
    longest = max(titles, key=lambda n: (not _is_row_of_words(head[n].said), len(head[n].said)))
    return held if text_below and _is_row_of_words(head[longest].said) else held | {longest}


def _title_in_menu(head: Sequence[Line], frame: set[int], facts: set[int]) -> set[int]:
    """Give the word of a menu that must be the title: nothing else can be, or it alone parts path and facts."""
    words = [n for n in sorted(frame) if head[n].kind in ("menu", "weak")]
    if words and not any(line.kind in TITLES for line in head) and head[words[-1]].kind == "menu":
        return {words[-1]}
    below = [n for n in words if n and head[n - 1].kind == "path"]
    return {n for n in below if n + 1 in facts or (len(head[n].said) >= REPEATED and _text_follows(head, n))}


def _first_heading(head: Sequence[Line], params: Params, title: Title) -> set[int]:
    """Give the lone line right above the text that only ends as columns of sites do: with a title, it is a heading."""
    if not title.likely or title.index >= len(head) - 1 or head[-1].kind != "menu":
        return set()
    lone = bare_letters(head[-1].said) == head[-1].said and head[-2].kind not in ("menu", "weak")
    return {len(head) - 1} if lone and head[-1].said not in bare_set(params.menu) else set()


def _text_follows(head: Sequence[Line], n: int) -> bool:
    """Tell whether a menu word of the head stands right above the text."""
    return head[n].kind == "menu" and (n + 1 == len(head) or head[n + 1].kind in TITLES)


def _next(n: int, passed: Sequence[int], step: int) -> int:
    """Give the next index in a direction that is not in ``passed``."""
    n += step
    while n in passed:
        n += step
    return n


def foot_frame(tail: Sequence[Line], sure: set[int], params: Params) -> set[int]:
    """Give the indices of the lines below the text that are frame."""
    facts = {n for n, line in enumerate(tail) if line.kind in FACTS}
    lists = {n for n in sure if tail[n].kind == "list"}
    frame: set[int] = set()
    if sure:
        first = min(sure)
        alone = len(sure) + len(facts) < params.certain and not lists
        frame = set(sure) if alone else {n for n in range(first, len(tail)) if _goes(tail, n, first, lists)}
        frame |= set(range(first, _past_weak(tail, first))) if alone else set()
        up = _reach(tail, first, params)
        frame |= {n for n in range(up, first) if tail[n].kind != "fact"}
    for n in facts:  # buttons beside facts, above the first certain line
        frame |= {m for m in (n - 1, n + 1) if 0 <= m < len(tail) and tail[m].kind in BUTTONS}
    return frame


def _past_weak(tail: Sequence[Line], n: int) -> int:
    """Give the index of the first line below a line that is none of a button."""
    n += 1
    while n < len(tail) and tail[n].kind in BUTTONS:
        n += 1
    return n


def _goes(tail: Sequence[Line], n: int, first: int, lists: set[int]) -> bool:
    """Tell whether a line of the foot, at or below its first certain line, belongs to the frame."""
    kind = tail[n].kind
    if kind in ("keep", "fact"):
        return False
    if kind == "prose":
        if STOP.search(tail[n].said):
            return False
        between = len(tail[n].said) <= ROW and all(line.kind in WORDS for line in (tail[n - 1], *tail[n + 1 : n + 2]))
        return between or any(first <= m < n for m in lists)
    signed = kind == "text" and n + 1 < len(tail) and tail[n + 1].kind == "keep"
    return not (signed and _DATE.search(tail[n + 1].said))


def _reach(tail: Sequence[Line], first: int, params: Params) -> int:
    """Give the index from which lines above the first certain line belong to the frame.

    Buttons do, lines of a site beside its foot do, and whatever short lines part the certain line from a fact.
    """
    up = first
    while up and (
        tail[up - 1].kind in BUTTONS | {"stamp"} or (tail[up - 1].kind == "near" and tail[up].kind in ("foot", "near"))
    ):
        up -= 1
    if first - up > ROW_OF_BUTTONS:  # so many words are a list
        up = first
    top = up
    while (
        top
        and tail[top - 1].kind in ("weak", "likely", "menu", "text", "near")
        and len(tail[top - 1].said) <= params.title
    ):
        top -= 1
    return top if top and tail[top - 1].kind in FACTS else up
