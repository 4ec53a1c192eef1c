"""Known texts: the examples and `keep` of all rules, and any corpus that is given; what rules find in them.

What a rule does is read from what `apply.findings` gives, so lint and cleaning cannot differ. Texts of steps
are known only when short: most are whole pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from shanben.errors import ShanbenError
from shanben.ledger import Change, Finding, Held, Suggestion, apply_changes
from shanben.rulebook.apply import Unit, findings, in_order, make_unit, pattern_of
from shanben.rulebook.schema import PHASES, Rule
from shanben.values import Guard, Span, Text

PATIENCE = 0.5
"""Seconds that a rule gets to look through one known text."""
MOST_WINDOWS = 40
"""So many places of a corpus are taken for each rule."""


@dataclass(frozen=True, slots=True)
class Result:
    """A text, the changes that a rule makes in it, and the text after them."""

    text: Text
    done: tuple[Change, ...]
    after: Text


@dataclass(slots=True)
class Known:
    """The texts on which rules are tried, and what each rule finds in them, looked up once."""

    guards: Mapping[str, Guard]
    texts: list[Text] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)
    _found: dict[tuple[str, int], tuple[Finding, ...]] = field(default_factory=dict)
    _hits: dict[str, tuple[int, list[int]]] = field(default_factory=dict)
    _results: dict[str, list[Result]] = field(default_factory=dict)

    def add(self, content: str) -> int:
        """Add a text, and give its number."""
        if content not in self._numbers:
            self._numbers[content] = len(self.texts)
            self.texts.append(Text(content, guards=self.guards))
        return self._numbers[content]

    def found(self, unit: Unit, number: int) -> tuple[Finding, ...]:
        """Give what a rule finds in one text."""
        key = (unit.id, number)
        if key not in self._found:
            self._found[key] = run(unit, self.texts[number])
        return self._found[key]

    def fits(self, rule: Rule) -> Iterator[int]:
        """Give the numbers of the texts that the pattern of a rule fits, whatever else forbids it."""
        pattern = pattern_of(rule) if rule.match else None
        for number, text in enumerate(self.texts):
            try:
                if pattern is None or pattern.search(text.content, timeout=PATIENCE):
                    yield number
            except TimeoutError:
                return

    def results(self, unit: Unit) -> list[Result]:
        """Give what a rule makes of the texts that it changes."""
        if unit.id not in self._results:
            made = []
            for number in self.hits(unit):
                done = changes(self.found(unit, number))
                if done:
                    content = apply_changes(self.texts[number].content, done, unit=unit.id)
                    made.append(Result(self.texts[number], done, Text(content, guards=self.guards)))
            self._results[unit.id] = made
        return self._results[unit.id]

    def hits(self, unit: Unit) -> list[int]:
        """Give the numbers of the texts in which a rule finds something."""
        tried, found = self._hits.get(unit.id, (0, []))
        if tried < len(self.texts):
            found = [*found, *(n for n in range(tried, len(self.texts)) if self.found(unit, n))]
            self._hits[unit.id] = (len(self.texts), found)
        return found


def touch(change: Change, stretch: Span) -> bool:
    """Tell whether a change reaches into a stretch of the text that it was made for."""
    return change.start < stretch.end and stretch.start < change.start + len(change.before)


def run(unit: Unit, text: Text) -> tuple[Finding, ...]:
    """Give what a rule finds, without what it only says (suggestions, being held back)."""
    if unit.rule.match and not unit.rule.step:
        try:
            if not pattern_of(unit.rule).search(text.content, timeout=PATIENCE):
                return ()
        except TimeoutError:
            return ()
    try:
        found = findings(unit, text)
    except ShanbenError:
        return ()
    return tuple(f for f in found if not isinstance(f, Suggestion | Held))


def changes(found: Iterable[Finding]) -> tuple[Change, ...]:
    """Give the changes among findings."""
    return tuple(f for f in found if isinstance(f, Change))


def lint_unit(rule: Rule) -> Unit:
    """Make a unit that acts as if its level were `fix`."""
    return make_unit(rule._replace(level="fix"))


@dataclass(slots=True)
class Library:
    """All rules, ready to run, with the known texts."""

    rules: Mapping[str, Rule]
    known: Known
    units: dict[str, Unit] = field(default_factory=dict)
    order: dict[str, int] = field(default_factory=dict)
    declared: dict[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, rules: Sequence[Rule], guards: Mapping[str, Guard], more: Iterable[str] = ()) -> Library:
        """Make the library of sound rules, with ``more`` texts to try them on."""
        library = cls({r.id: r for r in rules}, Known(guards))
        for phase in PHASES:
            units = in_order(lint_unit(r) for r in rules if r.phase == phase and r.level != "off")
            library.units |= {u.id: u for u in units}
        library.order = {name: number for number, name in enumerate(library.units)}
        library.declared = _declared(rules)
        for rule in rules:
            for text in own_texts(rule):
                library.known.add(text)
        for text in more:
            library.known.add(text)
        return library

    def meet(self, a: Rule, b: Rule) -> bool:
        """Tell whether two rules ever run on the same text: rules of two works do not."""
        one, two = a.place.file, b.place.file
        return one == two or not (_is_of_work(one) and _is_of_work(two))

    def pattern_units(self) -> list[Unit]:
        """Give the units that find by a pattern or a table."""
        return [u for u in self.units.values() if u.rule.kind != "step"]


def _is_of_work(file: str) -> bool:
    return file.split("/")[-2:-1] == ["works"]


def own_texts(rule: Rule) -> list[str]:
    """Give the texts that stand in a rule; those of a step are whole pages and stay with it."""
    if rule.kind == "protect":
        return [e.before for e in rule.examples]
    texts = [k.text for k in rule.keep]
    if rule.kind == "step":
        return [t for t in [*texts, *(e.clean for e in rule.examples)] if len(t) < 400]
    return [*texts, *(t for e in rule.examples for t in (e.before, e.after, e.clean))]


def _declared(rules: Sequence[Rule]) -> dict[str, frozenset[str]]:
    """Give for each rule all that must have run before it, directly or by way of others."""
    graph = {r.id: set(r.run_after) for r in rules}
    try:
        ordered = list(TopologicalSorter(graph).static_order())
    except CycleError:
        return {}
    before: dict[str, frozenset[str]] = {}
    for name in ordered:
        direct = graph.get(name, set())
        before[name] = frozenset(direct).union(*(before.get(d, frozenset()) for d in direct))
    return before


def applied(unit: Unit, text: Text) -> str:
    """Give what a rule makes of a text."""
    return apply_changes(text.content, changes(run(unit, text)), unit=unit.id)


def windows(rules: Sequence[Rule], guards: Mapping[str, Guard], contents: Iterable[str]) -> Iterator[str]:
    """Give the places of documents in which rules find something, with a line before and after."""
    counts: dict[str, int] = {}
    units = [lint_unit(r) for r in rules if r.kind != "step" and r.phase in PHASES and r.level != "off"]
    for content in contents:
        text = Text(content, guards=guards)
        for unit in units:
            for finding in run(unit, text):
                if counts.get(unit.id, 0) >= MOST_WINDOWS or isinstance(finding, Held):
                    break
                counts[unit.id] = counts.get(unit.id, 0) + 1
                line = text.line_at(finding.start)
                first, last = max(0, line - 1), min(len(text.lines) - 1, line + 1)
                yield content[text.lines[first].start : text.lines[last].end]
