"""The changes of a ledger at their places in the source, to read, to keep beside the ledger, and to compare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shanben.ledger import Change, Ledger, Origins, dump
from shanben.values import Text


@dataclass(frozen=True, slots=True)
class Placed:
    """A change with the rule that made it and its place in the source: code points from 0, line and column from 1.

    ``goes_to`` is where a moved text went, in offsets of the source too. Line and column are 0 where the text of
    the source is not at hand. ``number`` is the number of its pass.
    """

    number: int
    rule: str
    phase: str
    round: int
    digest: str
    at: int
    line: int
    column: int
    change: Change
    goes_to: int | None = None

    def as_row(self) -> dict[str, Any]:
        """Give the line of `changes.jsonl`, as docs/ledger.md describes it."""
        c = self.change
        row: dict[str, Any] = {"line": self.line, "column": self.column, "at": self.at, "kind": c.kind}
        row |= {"before": c.before, "after": c.after, "rule": self.rule, "phase": self.phase}
        row |= {"pass": self.number, "round": self.round, "digest": self.digest}
        row |= {} if self.goes_to is None else {"to": self.goes_to}
        row |= {} if c.gain is None else {"gain": c.gain}
        return row | ({"reason": c.reason} if c.reason else {})


def placed(ledger: Ledger, source_text: str | None = None) -> Iterator[Placed]:
    """Give every change of a ledger in the order in which it was made, placed in the source."""
    source = None if source_text is None else Text.of(source_text)
    origins = Origins(ledger.passes)
    for number, p in enumerate(ledger.passes):
        for change in p.changes:
            at = origins.of(change.start, number)
            at = at if source is None else min(at, len(source.content))
            line, column = source.place(at) if source else (0, 0)
            goes_to = None if change.to is None else origins.of(change.to, number)
            yield Placed(number, p.unit, p.phase, p.round, p.digest, at, line, column, change, goes_to)


def changes_jsonl(ledger: Ledger, source_text: str) -> str:
    """Write the changes as JSON lines, one a change: what a reader needs who has no program for the ledger."""
    return "".join(f"{dump(one.as_row())}\n" for one in placed(ledger, source_text))


@dataclass(frozen=True, slots=True)
class Difference:
    """How the changes of two ledgers of one source differ.

    ``both`` counts, by rule, what both have; ``other_rule`` are changes that both have, made by different rules.
    """

    only_a: tuple[Placed, ...]
    only_b: tuple[Placed, ...]
    both: Mapping[str, int]
    other_rule: tuple[tuple[Placed, Placed], ...]

    @property
    def is_empty(self) -> bool:
        """Tell whether both ledgers make the same changes."""
        return not self.only_a and not self.only_b

    def by_rule(self) -> dict[str, tuple[int, int, int]]:
        """Give for each rule how many changes only the first has, only the second, and both."""
        a, b = (Counter(one.rule for one in side) for side in (self.only_a, self.only_b))
        return {rule: (a[rule], b[rule], self.both.get(rule, 0)) for rule in sorted({*a, *b, *self.both})}


def compare(a: Iterable[Placed], b: Iterable[Placed]) -> Difference:
    """Compare the changes of two ledgers of the same source, by their places in it and their words."""
    a, b = list(a), list(b)
    same, rest_a, rest_b = _matched(a, b, lambda one: (_what(one), one.rule))
    others, only_a, only_b = _matched(rest_a, rest_b, _what)
    return Difference(tuple(only_a), tuple(only_b), dict(Counter(one.rule for one, _ in same)), tuple(others))


def _what(one: Placed) -> tuple[object, ...]:
    return one.at, one.change.before, one.change.after, one.goes_to


def _matched(
    a: Sequence[Placed], b: Sequence[Placed], key: Any
) -> tuple[list[tuple[Placed, Placed]], list[Placed], list[Placed]]:
    """Give pairs of equal key, each member once, and what is left on both sides."""
    waiting: dict[object, list[Placed]] = {}
    for one in reversed(b):
        waiting.setdefault(key(one), []).append(one)
    pairs, left = [], []
    for one in a:
        if found := waiting.get(key(one)):
            pairs.append((one, found.pop()))
        else:
            left.append(one)
    taken = Counter(id(other) for _, other in pairs)
    return pairs, left, [one for one in b if not taken[id(one)]]


def difference_json(name: str, found: Difference) -> dict[str, Any]:
    """Give a difference as plain values."""
    return {
        "source": name,
        "rules": [
            {"rule": rule, "only_a": a, "only_b": b, "both": both} for rule, (a, b, both) in found.by_rule().items()
        ],
        "only_a": [one.as_row() for one in found.only_a],
        "only_b": [one.as_row() for one in found.only_b],
        "other_rule": [{"a": one.rule, "b": other.rule, **one.as_row()} for one, other in found.other_rule],
    }
