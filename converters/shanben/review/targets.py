"""Where a passage that seems to stand wrong may belong: the likeliest places, by the model of joints."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from shanben.columns.lines import printed_lines
from shanben.ledger import OffsetMap
from shanben.review.decisions import passage
from shanben.review.desk import State
from shanben.review.places import only_here
from shanben.values import Span

MOST = 3
"""So many places are proposed."""
LEAST_GAIN = -20.0
"""Nats that a place must be better than where the passage stands."""
MOST_LINES = 20_000
"""Lines above which no places are looked for."""
AROUND = 14
"""Characters shown on both sides of a place."""


@dataclass(frozen=True, slots=True)
class Target:
    """A place for a passage: the words in front of which it would go, and what would stand around the two joints."""

    goal: str
    line: int
    gain: float
    left: str
    head: str
    tail: str
    right: str


def targets(state: State, number: int) -> list[Target]:
    """Give the likeliest places for the passage of a suggestion, the best first. Raises UsageError without a passage."""
    span = passage(state, number)
    text = state.cleaned.text
    starts = _lines(state)
    first = max(0, bisect_left(starts, span.start + 1) - 1)
    last = max(first, bisect_left(starts, span.end) - 1)
    if len(starts) < 4 or len(starts) > MOST_LINES:
        return []
    import numpy as np

    from shanben.columns.evidence import Evidence
    from shanben.columns.order import joint_model

    ends = [*starts[1:], len(text)]
    evidence = Evidence([text[a:b].strip() for a, b in zip(starts, ends, strict=True)], joint_model())
    n = len(starts)
    at = np.arange(1, n)
    gains = (
        evidence.score(at - 1, np.full(n - 1, first))
        + evidence.score(np.full(n - 1, last), at)
        - evidence.score(at - 1, at)
    )
    now = 0.0
    if first > 0 and last + 1 < n:
        now = sum(evidence.pairs([(first - 1, first), (last, last + 1)])) - evidence.pairs([(first - 1, last + 1)])[0]
    found: list[Target] = []
    for index in np.argsort(-gains).tolist():
        row = int(at[index])
        gain = float(gains[index]) - now
        if gain < LEAST_GAIN or len(found) >= MOST:
            break
        if first <= row <= last + 1:
            continue
        if target := _target(text, starts[row], span, gain):
            found.append(target)
    return found


def _target(text: str, goal: int, span: Span, gain: float) -> Target | None:
    while goal < len(text) and text[goal].isspace():
        goal += 1
    context = only_here(text, goal, min(goal + 8, len(text)))
    if context is None or context.before:
        end = goal + 8
        while end < len(text) and text.count(text[goal:end]) > 1:
            end += 8
        words = text[goal:end]
    else:
        words = context.text
    if (
        not words
        or text.count(words) != 1
        or span.start < goal + len(words) <= span.end
        or span.start <= goal < span.end
    ):
        return None
    body = text[span.start : span.end]
    line = text.count("\n", 0, goal) + 1
    return Target(
        words, line, round(gain, 1), text[max(0, goal - AROUND) : goal].lstrip("\n").rsplit("\n", 1)[-1],
        body[:AROUND], body[-AROUND:], text[goal : goal + AROUND].split("\n", 1)[0],
    )  # fmt: skip


def _lines(state: State) -> list[int]:
    """Give where the printed lines of the source begin in the clean text, in order."""
    pieces, _ = printed_lines(state.source_text)
    offsets = [p.start for p in pieces]
    for p in state.cleaned.ledger.passes:
        places = OffsetMap(p.changes)
        offsets = [places.forward(o) for o in offsets]
    text = state.cleaned.text
    return sorted({o for o in offsets if o < len(text)})
