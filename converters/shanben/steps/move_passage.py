"""A passage that stands in the wrong place, put where a reader says: an emendation, for the rules of one work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shanben.ledger import Change, Finding
from shanben.steps import Step
from shanben.values import Text


class Params(NamedTuple):
    """What a rule file says, letter for letter as it stands in the clean text.

    passage: what is moved. before: the text in front of which it goes; or after: the text behind which it goes.
    lead: what stands directly before the passage, where that alone tells it from its likes.
    """

    passage: str = ""
    before: str = ""
    after: str = ""
    lead: str = ""


def move_passage(text: Text, params: Params) -> Iterator[Finding]:
    """Find the passage and its place. Each must stand once, apart from the other; else nothing is moved.

    >>> list(move_passage(Text.of("甲乙丙丁"), Params("丁", before="乙")))
    [Change(start=3, before='丁', after='丁', to=1, gain=None, reason='')]
    >>> list(move_passage(Text.of("甲丁乙丙"), Params("丁", before="乙")))
    []
    """
    content = text.content
    goal = params.before or params.after
    start = _only(content, params.lead + params.passage)
    at = _only(content, goal)
    if not params.passage or bool(params.before) == bool(params.after) or start < 0 or at < 0:
        return
    start += len(params.lead)
    end = start + len(params.passage)
    to = at if params.before else at + len(goal)
    apart = at >= end or at + len(goal) <= start
    if apart and to not in (start, end):
        yield Change(start, params.passage, params.passage, to=to)


def _only(content: str, words: str) -> int:
    """Give where words stand that stand once; else −1."""
    at = content.find(words) if words else -1
    return at if at < 0 or content.find(words, at + 1) < 0 else -1


STEP = Step("move-passage", move_passage, Params)
