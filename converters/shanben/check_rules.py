"""Try every rule on its own examples, and all examples on the whole pipeline (global keep)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from shanben.ledger import Change, apply_changes
from shanben.pipeline import Plan, run
from shanben.rulebook.apply import Unit, findings
from shanben.rulebook.schema import Place, Rule
from shanben.values import Decoding, Segment, Source, Text

Outcome = Literal["missing", "noisy", "wrong", "rest-broken"]


@dataclass(frozen=True, slots=True)
class Failure:
    """An example that did not come out as it says. ``culprit`` names another rule that spoilt it, if any."""

    outcome: Outcome
    rule: str
    place: Place
    text: str
    expected: str
    got: str
    culprit: str = ""

    def __str__(self) -> str:
        """Say what was expected and what came, with the way out."""
        by = f" by {self.culprit}" if self.culprit else ""
        said = {
            "missing": f"{self.text!r} was not changed, {self.expected!r} was expected",
            "noisy": f"{self.text!r} must stay, but was changed{by} to {self.got!r}",
            "wrong": f"{self.text!r} became {self.got!r}{by}, {self.expected!r} was expected",
            "rest-broken": f"its own result {self.text!r} is changed again{by} to {self.got!r}",
        }[self.outcome]
        fix = f"narrow {self.culprit or 'the rule'}, or correct the example if the change is wanted"
        return f"{self.place}: {self.rule}: {self.outcome}: {said}\n  fix: {fix}"


def check_rulebook(plan: Plan, only: Iterable[str] | None = None) -> list[Failure]:
    """Run all examples and keeps, or those of the rules named by ``only``. Gives what failed, in file order."""
    wanted = set(only) if only is not None else None
    units = {u.id: u for u in plan.units}
    failures: list[Failure] = []
    for rule in plan.rulebook.rules:
        if rule.level == "off" or (wanted is not None and rule.id not in wanted):
            continue
        if rule.kind == "protect":
            failures += _check_protect(rule, plan)
        else:
            failures += _check_alone(rule, units[rule.id], plan)
        failures += _check_together(rule, plan)
    return failures


def _alone(unit: Unit, text: str, plan: Plan) -> str:
    whole = Text(text, guards=plan.guards)
    found = findings(unit, whole)
    if unit.rule.kind in ("mark", "capture") and unit.rule.replace is None and not unit.rule.remove:
        return text if found else "\0nothing found"
    return apply_changes(text, [f for f in found if isinstance(f, Change)], unit=unit.id)


def _check_alone(rule: Rule, unit: Unit, plan: Plan) -> Iterator[Failure]:
    only_looks = rule.kind in ("mark", "capture") and rule.replace is None and not rule.remove
    edits = rule.level == "fix"
    for example in rule.examples if edits else ():
        got = _alone(unit, example.before, plan)
        if got != example.after:
            outcome: Outcome = "missing" if got in (example.before, "\0nothing found") else "wrong"
            yield Failure(outcome, rule.id, example.place, example.before, example.after, got)
        elif not only_looks and (again := _alone(unit, got, plan)) != got:
            yield Failure("rest-broken", rule.id, example.place, got, got, again)
    for keep in rule.keep:
        got = _alone(unit, keep.text, plan)
        if only_looks and got != "\0nothing found":
            yield Failure("noisy", rule.id, keep.place, keep.text, keep.text, "a hit")
        elif not only_looks and got != keep.text:
            yield Failure("noisy", rule.id, keep.place, keep.text, keep.text, got)


def _check_protect(rule: Rule, plan: Plan) -> Iterator[Failure]:
    guard = plan.guards[rule.protect]
    for example in rule.examples:
        pieces = [example.before[s.start : s.end] for s in guard(example.before)]
        if example.after not in pieces:
            yield Failure("missing", rule.id, example.place, example.before, example.after, " ".join(pieces))


def _check_together(rule: Rule, plan: Plan) -> Iterator[Failure]:
    """Global keep: what a rule leaves or makes must survive the whole pipeline, but for the layout of lines."""
    texts = [(k.text, k.text, k.place) for k in rule.keep]
    if rule.kind != "protect":
        texts += [(e.after, e.clean, e.place) for e in rule.examples]
    for text, expected, place in texts:
        got, culprits = _through(text, plan)
        if _flat(got) != _flat(expected):
            culprit = ", ".join(c for c in culprits if c != rule.id) or rule.id
            yield Failure("noisy" if text == expected else "wrong", rule.id, place, text, expected, got, culprit)


LAYOUT_OF_LINES = frozenset({
    "line-indents", "trailing-blanks", "blank-line-runs", "blank-lines-at-the-top", "blank-lines-at-the-end",
})  # fmt: skip


def _through(text: str, plan: Plan) -> tuple[str, list[str]]:
    data = text.encode("utf-8", "surrogatepass")
    decoding = Decoding("text", 1.0, (), (Segment(0, len(text), "utf-8"),))
    cleaned = run(Source("example", data), text, decoding, plan)
    return cleaned.text, sorted({p.unit for p in cleaned.ledger.passes} - LAYOUT_OF_LINES)


def _flat(text: str) -> list[str]:
    """Give what global keep compares: the lines without indents, blank ends and empty lines."""
    return [line.strip(" \t\u3000") for line in text.split("\n") if line.strip(" \t\u3000")]
