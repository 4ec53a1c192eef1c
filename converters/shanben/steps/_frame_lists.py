"""Lists of other articles below a text whose items say when they appeared: titles, often with a summary or a source.

Summaries are sentences, and no word of theirs tells them from the text. That a date comes again and again below a
heading over links does.
"""

from __future__ import annotations

from collections.abc import Sequence

from shanben.lazy import lazy_regex
from shanben.steps._frame_lines import Line, is_hard
from shanben.steps._frame_params import FLAGS

FAR = 4
"""So many lines at most stand from one date of a list to the next, or from its heading to the first."""
DATES = 2
"""So many dates make a list."""
LONGEST_ITEM = 80
"""A line that is a title with its date has no more characters."""

_DAY = r"(?:(?:19|20)\d{2}[-/.年][ ]?)?\d{1,2}[-/.月][ ]?\d{1,2}[日号號]?"
_CLOCK = r"\d{1,2}[:：]\d{2}(?:[:：]\d{2})?"
_OPEN, _CLOSE = r"[\s\[(（【·•|]*+", r"[\s\])）】]*+"
_DATE = lazy_regex(
    rf"{_OPEN}(?:{_DAY}[ T]*(?:{_CLOCK})?|(?:刚刚|剛剛|[昨前][天日]|\d{{1,3}}[ ]?(?:分[钟鐘]|小[时時]|天|[周週]|[个個]?月|年)前)"
    rf"[ ]?(?:{_CLOCK})?){_CLOSE}",
    FLAGS,
)
"""A date or an age alone on its line."""
_DATED_TITLE = lazy_regex(
    rf".{{4,{LONGEST_ITEM}}}?{_OPEN}(?:(?:19|20)\d{{2}}[-/.年]\d{{1,2}}[-/.月]\d{{1,2}}日?|\d{{1,2}}[-/]\d{{1,2}})"
    rf"(?:[ T]*{_CLOCK})?{_CLOSE}|{_OPEN}{_DAY}[\])）】]*+[ \t\u3000]++\p{{Han}}.{{3,{LONGEST_ITEM}}}",
    FLAGS,
)
"""A title with its date behind or before it."""


def dated_lists(lines: Sequence[Line]) -> set[int]:
    """Give the lines of lists of other articles below the first sentence: from the heading to the last date."""
    found: set[int] = set()
    first = next((n for n, line in enumerate(lines) if is_hard(line)), len(lines))
    for heading in range(first, len(lines)):
        if lines[heading].kind != "list" or heading in found:
            continue
        last, dates, n = heading, 0, heading + 1
        while n < len(lines) and n - last <= FAR:
            if _is_dated(lines[n].said):
                last, dates = n, dates + 1
            n += 1
        if dates >= DATES:
            found.update(range(heading, last + 1))
    return found


def _is_dated(said: str) -> bool:
    """Tell whether a line is a date, or a title with its date.

    >>> [_is_dated(said) for said in ("2019-09-30 07:42", "3小时前", "雨季来了 10-20", "10-20 雨季来了", "共10-20人。")]
    [True, True, True, True, False]
    """
    if _DATE.fullmatch(said):
        return True
    return len(said) <= LONGEST_ITEM and _DATED_TITLE.fullmatch(said) is not None
