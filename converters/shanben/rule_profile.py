"""What each rule costs on documents: time, hits, and how often it has to look at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from shanben.pipeline import Plan
from shanben.presence import Presence
from shanben.rulebook.apply import findings
from shanben.rulebook.timing import shortest
from shanben.values import Text

SLOW = 0.05
"""Seconds from which on one look is enough; shorter ones are repeated and the shortest counts."""
LOOKS = 3


@dataclass(slots=True)
class Cost:
    """What one unit cost: seconds of processor time for ``bytes`` of UTF-8, and what it found.

    ``opened`` documents of ``documents`` held what the unit asks for; in the others it does not look. ``gated`` tells
    whether it asks for anything.
    """

    rule: str
    phase: str
    gated: bool
    seconds: float = 0.0
    bytes: int = 0
    hits: int = 0
    opened: int = 0
    documents: int = 0

    @property
    def speed(self) -> float:
        """Give megabytes (10⁶ bytes of UTF-8) a second, closed documents counted as no time; 0 where nothing ran."""
        return self.bytes / self.seconds / 1e6 if self.seconds else 0.0


def measure(documents: Iterable[str], steps: Plan) -> list[Cost]:
    """Run each unit by itself on decoded texts, as they came; the dearest first. Nothing is changed.

    Raises RuleTimeoutError for a rule that does not come to an end.
    """
    costs = [Cost(unit.id, unit.rule.phase, bool(unit.gate.clauses)) for unit in steps.units]
    for content in documents:
        text = Text(content, guards=steps.guards)
        for kind in steps.guards:
            text.protected(kind)  # looked up once for all rules
        size = len(content.encode("utf-8", "surrogatepass"))
        opened = Presence(content, steps.index).open
        for cost, unit, is_open in zip(costs, steps.units, opened, strict=True):
            cost.documents += 1
            cost.bytes += size
            if is_open:
                seconds, found = shortest(partial(findings, unit, text), LOOKS, enough=SLOW)
                cost.seconds += seconds
                cost.hits += len(found)
                cost.opened += 1
    return sorted(costs, key=lambda cost: (-cost.seconds, cost.rule))
