r"""Patterns that never come to an end: texts are made that drive a pattern hard, and the time is taken.

A repeat is dangerous when what it takes can be taken in many ways. That is not guessed from the shape but
measured: each repeat of the pattern is fed with a long text of what it takes, which ends so that no match is
possible. The engine stops by itself after the time that it is given.

>>> [f.part for f in slow_parts(r'(?:[a-z]+)+!')], list(slow_parts(r'[a-z]{1,20}!'))
(['(?:[a-z]+)+'], [])
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from time import process_time

import regex

from shanben.rulebook.pattern_tree import (
    FLAGS,
    Choice,
    Group,
    Look,
    Node,
    Repeat,
    Sequence,
    can_be_nothing,
    children,
    parse,
    sample,
    show,
    taken,
)

SHORT, LONG = 1_000, 8_000
"""Lengths of the texts, in characters."""
PATIENCE = 0.5
"""Seconds after which a text of SHORT characters counts as endless; a sound pattern takes a thousandth of it."""
WORTH_A_LOOK = 0.0006
"""Seconds for SHORT characters below which growth is not looked at."""
SLOW = 0.02
"""Seconds for LONG characters from which growth with the square is reported."""
LEAST_REPEATS = 20
BREAKS = ("\x00", "\n")
"""What ends the long texts, so that no match is possible."""


@dataclass(frozen=True, slots=True)
class SlowPart:
    """A repeat that makes a pattern slow: its place in the pattern, how it is written, and how bad it is."""

    start: int
    part: str
    text: str
    endless: bool


def slow_parts(pattern: str) -> Iterator[SlowPart]:
    """Give the worst part of a pattern that compiles, if it has one: the first endless one, else the first slow."""
    try:
        compiled = regex.compile(pattern, FLAGS)
    except regex.error:
        return
    slow = None
    tree = parse(pattern)
    # The engine gives up at once where a character that it must have is nowhere: a sample at the end has them all.
    ends = [sign + sample(tree) for sign in BREAKS]
    for repeat, before in _repeats(tree, ""):
        for pump in dict.fromkeys([*_pumps(repeat), sample(tree)]):
            for end in ends if pump else ():
                found = _measure(compiled, before, pump, end, growth_too=slow is None)
                if found is None:
                    continue
                part = SlowPart(repeat.start, show(repeat, pattern), pump, found or _is_ambiguous(repeat))
                if part.endless:
                    yield part
                    return
                slow = slow or part
    if slow:
        yield slow


def _is_ambiguous(repeat: Repeat) -> bool:
    """Tell whether a repeat holds another that it can be parted into in any way, as in ([a-z]+)+.

    The engine often saves itself from the worst there, but nothing says that it always will.
    """
    items = _items(repeat.body)
    inner = [i for i in items if isinstance(i, Repeat) and i.high >= LEAST_REPEATS and not i.possessive]
    rest = [i for i in items if i not in inner]
    return len(inner) == 1 and all(can_be_nothing(i) for i in rest)


def _items(node: Node) -> tuple[Node, ...]:
    if isinstance(node, Group):
        return _items(node.body)
    return node.items if isinstance(node, Sequence) else (node,)


def _measure(compiled: regex.Pattern[str], before: str, pump: str, end: str, growth_too: bool) -> bool | None:
    """Tell whether a text takes for ever (True) or grows too fast (False); None when all is well."""

    def seconds(length: int, patience: float) -> float:
        text = before + pump * (length // len(pump)) + end
        start = process_time()
        for _ in compiled.finditer(text, timeout=patience):
            pass
        return process_time() - start

    try:
        short = seconds(SHORT, PATIENCE)
    except TimeoutError:
        return True
    if short < WORTH_A_LOOK or not growth_too:
        return None
    short = min(short, seconds(SHORT, 10 * PATIENCE))
    growth = LONG / SHORT
    try:
        long = seconds(LONG, 2 * PATIENCE)
    except TimeoutError:
        long = 2 * PATIENCE
    if long < SLOW or long < short * growth * 2.5:
        return None
    return long > short * growth**2 * 2.5


def _repeats(node: Node, before: str) -> Iterator[tuple[Repeat, str]]:
    """Give the long repeats of a part, outer ones first, each with a short text that leads to it."""
    if isinstance(node, Repeat) and node.high >= LEAST_REPEATS and node.high != node.low and not node.possessive:
        yield node, before
    if isinstance(node, Sequence):
        for item in node.items:
            yield from _repeats(item, before)
            before += sample(item)
    elif isinstance(node, Look) and node.behind:
        yield from _repeats(node.body, "")
    else:
        for inner in children(node):
            yield from _repeats(inner, before)


def _pumps(repeat: Repeat) -> list[str]:
    """Give short texts that the repeated part takes."""
    found = [sample(repeat.body, choice) for choice in range(_most_choices(repeat.body))]
    first = next(iter(taken(repeat.body)), None)
    if first:
        found += [c for c in " a1甲" if c in first.takes]
    return list(dict.fromkeys(pump for pump in found if pump))


def _most_choices(node: Node) -> int:
    here = len(node.options) if isinstance(node, Choice) else 2
    return min(6, max([here, *(_most_choices(inner) for inner in children(node))]))
