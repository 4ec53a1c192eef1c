"""Suppressions: what a work itself refuses, place by place or a whole rule, each with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from shanben.ledger import Capture, Change, Finding, OffsetMap, Suggestion, Suppressed
from shanben.rulebook.schema import Place, Rule
from shanben.rulebook.schema import Suppression as Suppression
from shanben.values import Mark, Span, Text

if TYPE_CHECKING:
    from shanben.rulebook.strict_yaml import Faults

CODES: Mapping[str, str] = {
    "W101": "a suppression of a rule that does not exist, or protects",
    "W102": "a suppression that suppresses nothing",
}
"""The faults of suppressions in `work.yaml` and `works/<work>.yaml`, besides those of every file (R1xx, R2xx)."""


Quote = tuple[str, str, str]
"""What stands before a quotation, the quotation, what stands after it."""


class Refusals:
    """Parts the findings of each rule by what the work suppresses, and keeps account of what was refused.

    A quotation is looked for in the decoded source and in the text that the rule is given.
    """

    def __init__(self, suppressions: Sequence[Suppression], quoted: dict[Quote, list[Span]]) -> None:
        self.suppressions = suppressions
        self.quoted = quoted
        self.refused: list[tuple[str, Finding, int, Suppression]] = []
        self.used: set[Place] = set()

    @classmethod
    def of(cls, suppressions: Sequence[Suppression], source: str) -> Refusals:
        """Begin with a decoded source, in which the quotations are looked up."""
        return cls(suppressions, {_quote(s): _places(source, s) for s in suppressions if s.at})

    def fresh(self) -> Refusals:
        """Give the same with nothing refused so far."""
        return Refusals(self.suppressions, self.quoted)

    def part(self, unit: str, found: list[Finding], text: Text, before_pass: int) -> list[Finding]:
        """Give the findings of a unit that may stand."""
        for suppression in self.suppressions:
            if suppression.rule == unit and found:
                spans = (
                    [*self.quoted[_quote(suppression)], *_places(text.content, suppression)] if suppression.at else None
                )
                kept = [f for f in found if not _is_refused(f, text, spans)]
                gone = [f for f in found if _is_refused(f, text, spans)]
                self.refused += [(unit, f, before_pass, suppression) for f in gone]
                if gone:
                    self.used.add(suppression.place)
                found = kept
        return found

    def passed(self, changes: Sequence[Change]) -> None:
        """Follow the quotations of the source through one pass."""
        if not any(self.quoted.values()):
            return
        places = OffsetMap(changes)
        for quote, spans in self.quoted.items():
            ends = [(places.forward(s.start), places.forward(s.end - 1) + 1) for s in spans]
            self.quoted[quote] = [Span(a, b) for a, b in ends if a < b]

    def unused(self) -> list[Suppression]:
        """Give the suppressions that refused nothing."""
        return [s for s in self.suppressions if s.place not in self.used]


def _quote(s: Suppression) -> Quote:
    return s.before, s.at, s.after


def _places(text: str, s: Suppression) -> list[Span]:
    """Give where ``at`` stands between its neighbours."""
    spans, found = [], text.find(s.quote)
    while found >= 0:
        start = found + len(s.before)
        spans.append(Span(start, start + len(s.at)))
        found = text.find(s.quote, start + len(s.at))
    return spans


def _is_refused(finding: Finding, text: Text, spans: Sequence[Span] | None) -> bool:
    """Tell whether a finding touches one of the quotations; ``None`` for the whole text."""
    if not isinstance(finding, Change | Suggestion | Capture | Mark):
        return False
    if spans is None:
        return True
    if isinstance(finding, Change | Suggestion):
        start, end = finding.start, finding.start + len(finding.before)
    else:  # what is said of a line is said of all of it
        line = text.lines[text.line_at(finding.start)]
        start, end = line.start, line.end
    return any((s.start < end and start < s.end) or (start == end and s.start <= start <= s.end) for s in spans)


def as_noted(finding: Finding) -> tuple[int, str, str]:
    """Give offset, before and after of a finding that was refused."""
    if isinstance(finding, Change | Suggestion):
        return finding.start, finding.before, finding.after
    if isinstance(finding, Capture):
        return finding.start, finding.value, finding.value
    return (finding.start, finding.kind, finding.kind) if isinstance(finding, Mark) else (0, "", "")


def noted(suppression: Suppression, unit: str, place: tuple[int, int], before: str, after: str) -> Suppressed:
    """Give the entry of the ledger for one refused finding."""
    return Suppressed(unit, *place, before, after, suppression.reason)


def check(suppressions: Sequence[Suppression], rules: Mapping[str, Rule]) -> None:
    """Raise RuleError for suppressions of rules that do not exist, or that protect and so cannot be suppressed."""
    from shanben.rulebook.strict_yaml import shown

    faults = _with_lines(suppressions)
    for s in suppressions:
        if s.rule not in rules:
            hint = faults.hint(s.rule, rules)
            faults.add("W101", s.place, f"no rule is called {shown(s.rule)}{hint}", "`shanben plan` lists all rules")
        elif rules[s.rule].protect:
            faults.add("W101", s.place, f"'{s.rule}' protects a span and changes nothing", "remove it here")
    faults.raise_if_any()


def raise_unused(unused: Sequence[Suppression], content: str, off: Iterable[str]) -> None:
    """Raise RuleError for suppressions that suppress nothing in the source ``content``, each with its place."""
    if not unused:
        return
    faults = _with_lines(unused)
    for s in unused:
        faults.add("W102", s.place, *_advice(s, content, frozenset(off)))
    faults.raise_if_any()


def _with_lines(suppressions: Iterable[Suppression]) -> Faults:
    """Give an empty list of faults that knows the lines of the files, so that they can be shown."""
    from shanben.rulebook.strict_yaml import Faults

    faults = Faults()
    for name in {s.place.file for s in suppressions}:
        with suppress(OSError, UnicodeDecodeError):
            faults.add_source(name, Path(name).read_text(encoding="utf-8-sig"))
    return faults


def _advice(s: Suppression, content: str, off: frozenset[str]) -> tuple[str, str]:
    from shanben.rulebook.strict_yaml import shown

    if s.rule in off:
        return f"'{s.rule}' is off in this profile, so there is nothing to suppress", "remove this suppression"
    if not s.at:
        return f"'{s.rule}' finds nothing in this work any more", "remove this suppression"
    if s.quote not in content:
        return (
            f"the text {shown(s.quote)} does not stand in the source",
            "quote it letter for letter as it stands in the source, or remove this suppression",
        )
    return (
        f"'{s.rule}' changes nothing at {shown(s.at)} any more",
        f"remove this suppression; `shanben explain FILE --rule {s.rule} --all` shows where the rule acts",
    )
