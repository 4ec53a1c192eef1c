"""Which lines of a text are the frame of a web page, decided by several signs together.

A line alone seldom tells: `下载` may be a heading, `联系电话：…` part of a notice. Between a menu and a row of buttons,
or below a copyright line, they are frame. So each line gets a kind by the vocabularies of the rule, the text is what
lies between the first and the last line of prose, and only above and below it lines may go. What states a fact about
the text (date, source, author) is left to the rules that capture it, but counts as a neighbour.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from shanben.lazy import lazy_regex
from shanben.ledger import Capture, Change, Finding
from shanben.steps._frame_again import (
    accounts,
    alone_in_frame,
    attached_again,
    box_of_facts,
    box_of_labels,
    contents_of_text,
    date_of_page,
    doubled_title,
    empty_labels,
    entries_of_sections,
    first_title,
    hardly_text,
    headings,
    headword,
    labels_apart,
    likely_text,
    lost_title,
    named_above,
    named_title,
    number_of_document,
    office_of_title,
    said_again,
    sections,
    steps_of_text,
    tags,
    tags_above,
    title_of_poem,
    under_original,
)
from shanben.steps._frame_credits import credit_lines, names_under_title
from shanben.steps._frame_edges import (
    button_rows,
    foot_frame,
    head_frame,
    inside_frame,
    page_marks,
    past_signature,
    post_of_board,
    sure_lines,
    text_body,
)
from shanben.steps._frame_lines import (
    CERTAIN,
    FACTS,
    KNOWN,
    LABELLED,
    LEADS,
    NUMERALS,
    PRESSED,
    SHORTEST_TITLE,
    Line,
    any_of,
    in_context,
    is_hard,
    outer_lines,
    with_keywords,
)
from shanben.steps._frame_lists import dated_lists
from shanben.steps._frame_params import FLAGS, Params
from shanben.steps._frame_scores import HEADING, ISLAND, PLEA, Title, count_scores, likely_title, points_of, weighed
from shanben.values import Span, Text

LIKELY = 0.5
"""A line at an edge stays if it is more likely text than this."""
ROW_OF_WORDS = 4
"""So many words with blanks between are a row of them, as in a menu."""
LONGEST_WORD = 8
"""A row of words has none that is longer."""
SURE = 0.96
"""A line that pleads for something stays if it is more likely text than this."""
CALM = 0.8
"""A line right below the text stays if it is more likely text than this, whatever words it has."""
AMID = 0.9
"""A line between two lines of text stays if it is more likely text than this."""
LIKELIER = 0.99
"""The same for a line whose words or neighbours speak for the frame."""
LIKELY_TITLE = 0.75
"""The same for such a line above the first sentence, which may be the title."""

_PAUSE = lazy_regex("[，。；]", FLAGS)
_STOPS = lazy_regex(r"[。！？]", FLAGS)
_OWNED = lazy_regex("版[权權]|[转轉][载載]|©", FLAGS)
_DATED = lazy_regex(r"\p{Han}[\p{Han}，、《》“”]{4,40}[ \u3000]?[\[［【(（]\p{Han}{0,4}[ ]?\d{4}", FLAGS)
_ITEM = lazy_regex(r"(\d{1,2})([.．、）)])(?!\d)", FLAGS)
_CHAPTER = lazy_regex(r"第[0-9〇零一二三四五六七八九十百千]{1,6}[章回节節卷][ \u3000]\S{1,20}$", FLAGS)
_STATED = lazy_regex(r"[标標主][ \u3000]{0,2}[题題][:：][ \u3000]*(?!Re:)(\p{Han}.{3,60})", FLAGS)
_OUTLINED = lazy_regex(r"\d{1,2}(?:\.\d{1,2})*[.．]?[ \u3000]", FLAGS)
_RULED = lazy_regex(r"[+|][-=:]{2,}(?:[+|][-=:]{2,})+[+|]", FLAGS)
OUTLINE, AGAIN = 5, 3
"""So many lines numbered as an outline in a row, so many of them again below, are a book's own contents."""
FEW, LONG, MAY_BE = 3, 8, 0.1
"""So many lines below the text are few; so long are lines of text in the middle; so likely they are text."""
ITEM = 8
"""A numbered line with no more characters may be one of a list of links."""
MOST_CONTACTS = 8
"""So many lines a section of contacts below the text may have."""
WORD = 8
"""A word in a list of words is no longer."""
PLAIN, POINTS = 24, 3
"""So long is a sentence that may be an answer or a post, and so many points make it one of the frame."""
NO_TEXT = 0.005
"""A contact below the text stays if it is more likely text than this."""
PARAGRAPH = 40
"""A paragraph with words of pages above the first sentence has so many characters."""
HEADS = 0.2
"""Words with a colon between lines that stay do so, too, if they are more likely text than this."""
RECORD = 0.2
"""A label with its value among others that stay stays, too, if it is more likely text than this."""
HEADING_LENGTH = 6
"""So long is its heading at most."""


def frame_of(text: Text, params: Params) -> Iterator[Finding]:
    """Give the lines of the frame as changes, and the facts that they state; see `page_frame`."""
    known = in_context(with_keywords(outer_lines(text, params), params))
    edges, lines = _by_edges(known, params)
    if not edges and not any(line.kind in KNOWN for line in known):
        return
    from shanben.steps._frame_zones import zone_frame  # which most texts never need

    frame, chances = zone_frame(known, lambda line: points_of(line, params), params.weights)
    edges -= _held(known, lines, edges | frame, {n: chances.get(n, 0.0) for n in edges - frame}, params)
    taken = edges | frame
    taken |= _above_foot(known, taken)
    taken -= _plain_sentences(known, taken, params)
    taken -= steps_of_text(known, taken) | named_above(known, taken)
    taken -= _unknown_below(known, taken, chances) | _listed_words(known, taken)
    taken -= _announced(known, taken) | contents_of_text(known) | _amid_text(known, taken, chances) | _outline(known)
    taken -= lost_title(known, taken, chances) | named_title(known, taken) | first_title(known, taken, chances)
    taken -= likely_text(known, taken, chances)
    if not taken:
        return
    again = said_again(known, taken)
    named = headings(known, again)
    taken = (taken | again | accounts(known, taken, chances)) - named - sections(known, named)
    taken |= box_of_facts(known, taken, chances) | box_of_labels(known, taken, chances)
    taken |= tags(known, taken, chances) | tags_above(known, taken, chances)
    taken |= attached_again(known, taken) | dated_lists(known)
    taken |= empty_labels(known, taken) | date_of_page(known, taken)
    headed = set(range(min(named), max(named) + 1)) if named else set()
    taken |= hardly_text(known, taken, chances) - headed
    if not taken:
        return
    apart = labels_apart(known, taken, chances) | under_original(known, taken)
    taken |= {n for label, (_, value) in apart.items() for n in (label, value)}
    names = names_under_title(known, taken, chances)
    taken |= names
    taken -= headword(known, taken) | office_of_title(known, taken) | _record(known, taken, chances)
    taken -= number_of_document(known, taken) | _heads_text(known, taken, chances)
    taken |= doubled_title(known, taken)
    taken -= _stated_title(known, taken) | _headed_chapters(known, taken) | title_of_poem(known, taken)
    taken -= entries_of_sections(known, taken, chances)
    taken |= alone_in_frame(known, taken, chances)
    post, closing = post_of_board(known)
    taken = (taken - post) | closing
    kept = _labelled_section(known, taken) | {n for n in _contacts(known, taken) if chances.get(n, 1.0) > NO_TEXT}
    stated = credit_lines(known, taken, chances) if taken else {}
    for n in sorted((taken - kept) | set(stated)):
        span = text.lines[lines[n].index]
        for field, value in stated.get(n, ()):
            yield Capture(span.start, field, value)
        if n in names:
            yield Capture(span.start, "creator", known[n].said)
        if n in apart and apart[n][1] != n:
            yield Capture(span.start, apart[n][0], known[apart[n][1]].said)
        if n in edges:
            for field, value in _facts_of(lines[n], params):
                yield Capture(span.start, field, value)
        yield _removal(text.content, span)


def _above_foot(lines: Sequence[Line], taken: set[int]) -> set[int]:
    """Give the lines from a control on that stand right above a site's foot that goes, none among them of the text."""
    found: set[int] = set()
    for n in sorted(n for n in taken if lines[n].kind == "foot"):
        top = n
        while top and lines[top - 1].kind in ("sign", "near", "weak", "list", "foot"):
            top -= 1
        found.update(range(next((m for m in range(top, n) if lines[m].kind == "sign"), n), n))
    return found


def _plain_sentences(lines: Sequence[Line], taken: set[int], params: Params) -> set[int]:
    """Give the longer sentences whose words do not speak for the frame, amid or below the text, and below no list of links or foot.

    Answers and posts of others look like comments, and are sometimes what a page is about.
    """
    sentences = [n for n, line in enumerate(lines) if n not in taken and is_hard(line)]
    if not sentences:
        return set()
    ended = next(
        (n for n in range(sentences[-1], len(lines)) if n in taken and lines[n].kind in ("list", "foot")), len(lines)
    )
    return {
        n
        for n in taken
        if sentences[0] < n < ended
        and lines[n].kind == "prose"
        and len(lines[n].said) > PLAIN
        and points_of(lines[n], params) < POINTS
    }


def _record(lines: Sequence[Line], taken: set[int], chances: Mapping[int, float]) -> set[int]:
    """Give the labels with values right above others of no known kind that stay, where those are as many and a sentence follows."""
    found: set[int] = set()
    kinds = ("text", "near")
    for labelled, group in itertools.groupby(
        range(len(lines)), lambda n: lines[n].kind in kinds and LABELLED.match(lines[n].said) is not None
    ):
        run = list(group) if labelled else []
        stay = [n for n in run if n not in taken and lines[n].kind == "text"]
        sentence = bool(run) and run[-1] + 1 < len(lines) and run[-1] + 1 not in taken and is_hard(lines[run[-1] + 1])
        if len(stay) > 1 and 2 * len(stay) >= len(run) and sentence:
            found.update(n for n in run if chances.get(n, 0.0) > RECORD)
    return found


def _stated_title(lines: Sequence[Line], taken: set[int]) -> set[int]:
    """Give the first line that goes and gives the title under a label, as on boards, if it stands nowhere else."""
    n, title = next(((n, found[1]) for n in sorted(taken) if (found := _STATED.fullmatch(lines[n].said))), (0, ""))
    stay = (line.said for m, line in enumerate(lines) if m not in taken)
    return {n} if title and not any(title in said for said in stay) else set()


def _headed_chapters(lines: Sequence[Line], taken: set[int]) -> set[int]:
    """Give the names of chapters, with their numbers, right above a sentence that stays."""
    return {
        n
        for n in taken
        if n + 1 < len(lines) and n + 1 not in taken and _CHAPTER.match(lines[n].said) and is_hard(lines[n + 1])
    }


def _heads_text(lines: Sequence[Line], taken: set[int], chances: Mapping[int, float]) -> set[int]:
    """Give the words with a colon between lines that stay, of which the one below is a sentence, or they are one themselves."""
    between = (
        n for n in taken if 0 < n < len(lines) - 1 and not {n - 1, n + 1} & taken and lines[n].said.endswith(LEADS)
    )
    words = ("weak", "menu", "list", "near")
    return {
        n
        for n in between
        if (lines[n].kind in words and is_hard(lines[n + 1]) and chances.get(n, 0.0) > HEADS)
        or (lines[n].kind == "prose" and is_hard(lines[n - 1]))
    }


def _announced(lines: Sequence[Line], taken: set[int]) -> set[int]:
    """Give the lines of no known kind right below a line of text that stays and announces them with a colon.

    Labels with values stay under a numbered heading, too, and so does the heading with the next number.
    """
    found: set[int] = set()
    number = 0
    for n in range(1, len(lines)):
        line, above = lines[n], lines[n - 1]
        counted = NUMERALS.find(line.said[0]) + 1 if line.said[1:2] == "、" else 0
        if n not in taken or (counted > 1 and counted == number + 1 and line.kind in ("text", "prose", "near", "keep")):
            number = counted or number
            if n in taken:
                found.add(n)
            continue
        stays = n - 1 not in taken or n - 1 in found
        if stays and line.kind in ("text", "prose") and _counts_on(above, line):
            found.add(n)
            continue
        leads = stays and above.kind in ("text", "prose") and above.said.endswith(LEADS)
        headed = stays and HEADING.match(above.said) is not None
        labelled = LABELLED.match(line.said) is not None and line.kind not in ("foot", "inside", "path")
        plain = line.kind == "text"
        if (plain and (leads or _goes_on(lines, n, taken))) or (labelled and headed):
            found.add(n)
        if n - 1 in found and (plain or labelled):
            found.add(n)
    return found


def _unknown_below(lines: Sequence[Line], taken: set[int], chances: Mapping[int, float]) -> set[int]:
    """Give the lines of no known kind from the last line of text on, where they are many and long and may be text.

    The foot of a page begins with words that pages are known for; instructions often end without a sentence.
    """
    start = (
        max((n for n, line in enumerate(lines) if n not in taken and line.kind in ("text", "prose")), default=-1) + 1
    )
    if 0 < start < len(lines) - 1 and lines[start].kind in PRESSED and len(lines[start].said) <= HEADING_LENGTH:
        headed, start = {start}, start + 1
    else:
        headed = set()
    end = next((n for n in range(start, len(lines)) if lines[n].kind not in ("text", "prose")), len(lines))
    run = range(start, end)
    if start == 0 or len(run) <= FEW or sum(len(lines[n].said) for n in run) < LONG * len(run):
        return set()
    likely = sum(chances.get(n, 0.0) for n in run) / len(run)
    return {*run, *headed} if likely >= (LIKELY if headed else MAY_BE) else set()


def _outline(lines: Sequence[Line]) -> set[int]:
    """Give the lines of a book's own contents, numbered 1., 1.1, 1.2 in a row, some of which stand again with their numbers.

    The rules of tables that are drawn with signs stay, too.
    """
    found: set[int] = set()
    said = Counter(line.said for line in lines)
    for is_numbered, group in itertools.groupby(range(len(lines)), lambda n: bool(_OUTLINED.match(lines[n].said))):
        run = list(group)
        if not is_numbered:
            found.update(n for n in run if _RULED.fullmatch(lines[n].said))
        elif len(run) >= OUTLINE and sum(said[lines[n].said] > 1 for n in run) >= AGAIN:
            found.update(run)
    return found


def _listed_words(lines: Sequence[Line], taken: set[int]) -> set[int]:
    """Give the words line by line between a line that announces them and a sentence, which both stay."""
    found: set[int] = set()
    for n in range(1, len(lines)):
        above = lines[n - 1]
        if n - 1 in taken or n not in taken or not above.said.endswith(LEADS) or above.kind not in ("text", "prose"):
            continue
        end = n
        while end < len(lines) and end in taken and len(lines[end].said) <= WORD and end - n < MOST_CONTACTS:
            end += 1
        if len(above.said) > HEADING_LENGTH and end < len(lines) and end not in taken and is_hard(lines[end]):
            found.update(range(n, end))
    return found


def _counts_on(above: Line, line: Line) -> bool:
    """Tell whether a numbered line is the first under a numbered heading, or the next below the one before it."""
    own, before = _ITEM.match(line.said), _ITEM.match(above.said)
    if not own or not before or own[2] != before[2]:
        return False
    return int(own[1]) in (1, int(before[1]) + 1) and len(line.said) > ITEM


def _goes_on(lines: Sequence[Line], n: int, taken: set[int]) -> bool:
    """Tell whether lines of no known kind that stay part a line from the one that announces them."""
    top = n - 1
    while top > 0 and n - top < MOST_CONTACTS and top not in taken and not lines[top].said.endswith(LEADS):
        if lines[top].kind != "text":
            return False
        top -= 1
    announces = lines[top].kind in ("text", "prose") and lines[top].said.endswith(LEADS)
    return top < n - 1 and top not in taken and announces


def _amid_text(lines: Sequence[Line], taken: set[int], chances: Mapping[int, float]) -> set[int]:
    """Give the lines that go by their words alone, though lines of text stay above and below and they are text, too."""
    found = set()
    for n in taken:
        beside = [lines[m] for m in (n - 1, n + 1) if 0 <= m < len(lines) and m not in taken]
        labels = all(LABELLED.match(line.said) for line in (lines[n], *beside))
        stays = ("text", "prose", "near") if labels else ("text", "prose")
        if len(beside) < 2 or any(line.kind not in stays for line in beside):
            continue
        amid = lines[n].kind in ("sign", "near", "weak", "menu", "stamp")
        if amid and chances.get(n, 0.0) > (LIKELY if labels else AMID):
            found.add(n)
    return found


def _held(
    known: Sequence[Line], lines: Sequence[Line], taken: set[int], chances: Mapping[int, float], params: Params
) -> set[int]:
    """Give the lines at an edge that stay because their zone is the text; ``lines`` are those known, mended by words.

    Of the lines ``taken``, those with ``chances`` may stay: of those below the text only what follows it at once, and none that
    is a row of words, pleads for something, comes again, stands below a site's foot, or leads lines that go.
    """
    sentences = [n for n, line in enumerate(known) if n not in taken and is_hard(line)]
    start = sentences[0] if sentences else 0
    times = Counter(line.said for line in known)
    above = Counter(line.said for line in known[:start])
    foot = next((n for n in range(start, len(known)) if known[n].kind == "foot"), len(known))
    framed = max((n for n in range(start) if n in taken and n not in chances), default=-1)
    barred = {
        n
        for n in chances
        if n >= foot
        or (
            (above if n < start else times)[known[n].said] > 1
            and not (n < start and known[n].said == known[n + 1].said)
        )
        or _is_row(known[n].said)
        or _is_window(known, n)
        or (points_of(known[n], params) >= PLEA and chances[n] <= SURE)
    }
    likely = {
        n
        for n, chance in chances.items()
        if chance
        > (LIKELY if framed < n < start or _is_dated_title(known[n]) else _enough(known[n], lines[n], n < start))
    } - barred
    below = sentences[-1] + 1 if sentences else foot
    held = {n for n in likely if n < below and (known[n].kind in ("text", "prose") or _is_dated_title(known[n]))}
    least = {"weak": LIKELY, "stamp": AMID}
    held |= {n for n, chance in chances.items() if chance > least.get(known[n].kind, 1.0)}
    if start and start - 1 in likely and _is_paragraph(known[start - 1]):
        held.add(start - 1)
    calm = {n for n, chance in chances.items() if chance > CALM and known[n].kind in ("text", "prose")} - barred
    while below < foot and (
        below in likely | calm or below not in taken or _is_heading(known, below, chances, likely | calm)
    ):
        if below in taken:
            held.add(below)
        below += 1
    lost = {n for n in taken - held if known[n].kind == "prose"}
    return {n for n in held if n <= start or n + 1 not in lost}


def _is_heading(lines: Sequence[Line], n: int, chances: Mapping[int, float], likely: set[int]) -> bool:
    """Tell whether words that pages know are the heading of a section of text: that is likely, and what follows, too."""
    return lines[n].kind in ("sign", "weak", "menu") and chances.get(n, 0.0) > CALM and n + 1 in likely


def _is_dated_title(line: Line) -> bool:
    return line.kind == "stamp" and _DATED.match(line.said) is not None


def _is_paragraph(line: Line) -> bool:
    """Tell whether a line with words of pages is a whole paragraph: several sentences, as a report begins with."""
    return line.kind == "sign" and len(line.said) >= PARAGRAPH and len(_STOPS.findall(line.said)) > 1


def _is_window(lines: Sequence[Line], n: int) -> bool:
    """Tell whether a line begins with one above it and a mark: the title of the window."""
    said = lines[n].said
    return any(
        len(line.said) >= SHORTEST_TITLE and said.startswith((line.said + "_", line.said + "|")) for line in lines[:n]
    )


def _is_row(said: str) -> bool:
    words = said.split()
    return len(words) >= ROW_OF_WORDS and max(map(len, words)) <= LONGEST_WORD and not _PAUSE.search(said)


def _enough(known: Line, mended: Line, above: bool) -> float:
    """Give how likely a line at an edge must be text to stay: less if nothing speaks against it, or ``above`` the text."""
    if known.kind == mended.kind and mended.kind in ("text", "prose"):
        return LIKELY
    return LIKELY_TITLE if above and known.kind in ("text", "prose") else LIKELIER


def _labelled_section(lines: Sequence[Line], frame: set[int]) -> set[int]:
    """Give the first heading over links below the text, with what follows, where only labels with values follow it.

    Such a section tells when and where, as in ``相关链接``, ``时间：每周二8:30``, ``电话：0731-82121234``.
    """
    prose = max((n for n, line in enumerate(lines) if is_hard(line) and n not in frame), default=-1)
    start = prose + 1
    if prose < 0 or start >= len(lines) or lines[start].kind != "list":
        return set()
    below = range(start + 1, len(lines))
    end = next((n for n in below if not LABELLED.match(lines[n].said) or lines[n].kind in CERTAIN), len(lines))
    figures = any(char.isdigit() for line in lines[start + 1 : end] for char in line.said)
    return set(range(start, end)) if figures and not _is_title(lines, end) else set()


def _contacts(lines: Sequence[Line], frame: set[int]) -> set[int]:
    """Give the lines right below the text that are no buttons but labels with values: whom to ask, who made it.

    A heading may stand above them. Where a site's foot or its address follows at once they are that foot's.
    """
    prose = max((n for n, line in enumerate(lines) if is_hard(line) and n not in frame), default=-1)
    if prose < 0:
        return set()
    start = end = next((n for n in range(prose + 1, len(lines)) if n in frame), len(lines))
    while end < len(lines) and end - start < MOST_CONTACTS and (_is_contact(lines[end]) or _heads(lines, end)):
        end += 1
    if any(_OWNED.search(line.said) for line in lines[start:end]):
        return set()
    end = next((n for n in range(start, end) if lines[n].kind == "list" and not _tells(lines[n + 1 : end])), end)
    followed = end < len(lines) and (lines[end].kind == "foot" or (lines[end].kind == "near" and end > start))
    return set() if followed else set(range(start, end))


def _tells(lines: Sequence[Line]) -> bool:
    """Tell whether lines under a heading over links say several things, figures among them, and are no links."""
    return len(lines) > 1 and any(char.isdigit() for line in lines for char in line.said)


def _is_contact(line: Line) -> bool:
    return LABELLED.match(line.said) is not None and line.kind in ("text", "near", "keep")


def _heads(lines: Sequence[Line], n: int) -> bool:
    """Tell whether a short line without a label stands above a label with its value."""
    alone = len(lines[n].said) <= HEADING_LENGTH and lines[n].kind in ("text", "weak", "menu", "list", "sign")
    return alone and n + 1 < len(lines) and _is_contact(lines[n + 1])


def _is_title(lines: Sequence[Line], n: int) -> bool:
    return n < len(lines) and lines[n].kind in ("text", "prose")


def _by_edges(known: Sequence[Line], params: Params) -> tuple[set[int], Sequence[Line]]:
    """Give the indices of the lines that are frame by the kinds of all lines, and the lines with their kinds mended."""
    scores = count_scores(known, params)
    title = likely_title(known, scores) if scores else Title()
    lines = weighed(known, scores, title) if scores else known
    if not any(line.kind in CERTAIN or line.kind in ("weak", "menu") for line in lines):
        return set(), lines
    first, last = text_body(lines)
    last = past_signature(lines, last)
    head, tail = lines[:first], lines[last + 1 :]
    has_prose = any(line.kind == "prose" for line in lines)
    above, below = sure_lines(head, has_prose), sure_lines(tail, has_prose)
    facts = sum(line.kind in FACTS for line in (*head, *tail))
    if not (above or below) or len(above) + len(below) + facts < params.certain:
        return set(), lines
    frame = {
        *head_frame(head, above, lines, params, title),
        *page_marks(lines, first, last, len(above) + len(below)),
        *(last + 1 + n for n in foot_frame(tail, below, params)),
        *inside_frame(lines),
        *(button_rows(lines, first, last) if has_prose and len(above) + len(below) >= ISLAND else ()),
    }
    unknown = {n for n, line in enumerate(lines) if line.kind == "text"}
    if not has_prose and len(unknown & frame) > len(unknown - frame):  # a list or a poem, cut at a wrong place
        frame -= unknown
    return frame, lines


def _facts_of(line: Line, params: Params) -> Iterator[tuple[str, str]]:
    """Give field and value of what a stamp or a site's foot says in named groups of its pattern."""
    patterns = {"stamp": params.stamps, "foot": params.feet}.get(line.kind, ())
    found = any_of(patterns).match(line.said) if patterns else None
    for field, value in (found.groupdict() if found else {}).items():
        if value and value.strip():
            yield field, value.strip()


def _removal(content: str, span: Span) -> Change:
    end = span.end + (content[span.end : span.end + 1] == "\n")
    return Change(span.start, content[span.start : end], "", reason="frame of a web page")
