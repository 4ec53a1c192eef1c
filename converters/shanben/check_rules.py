"""Try every rule on its own examples, and all examples on the whole pipeline (global keep).

What a rule does alone tells whether it is right; what the pipeline makes of its texts tells whether it gets on
with all others. A rule that does not come to an end is left out from there on, so that the rest is still told.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from shanben.errors import RestlessError, RuleTimeoutError
from shanben.ledger import Change, Held, Suggestion, apply_changes
from shanben.pipeline import Plan, is_fight, make_plan, run
from shanben.rulebook.apply import WOULD_REDACT, Unit, findings, make_unit, resolve_near
from shanben.rulebook.backtracking import slow_parts
from shanben.rulebook.patterns import full_pattern
from shanben.rulebook.schema import Place, Rule
from shanben.rulebook.strict_yaml import shown
from shanben.values import Decoding, Segment, Source, Text

Outcome = Literal["missing", "noisy", "wrong", "rest-broken", "too-slow"]
NOTHING_FOUND = "\0nothing found"
LAYOUT_OF_LINES = frozenset({
    "line-indents", "trailing-blanks", "blank-line-runs", "blank-lines-at-the-top", "blank-lines-at-the-end",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Failure:
    """An example that did not come out as it says.

    ``culprit`` names other rules that spoilt it, if any; ``reason`` says why a rule was held back or stopped.
    """

    outcome: Outcome
    rule: str
    place: Place
    text: str
    expected: str
    got: str
    culprit: str = ""
    reason: str = ""

    @property
    def said(self) -> str:
        """Say in one sentence what happened."""
        by = f" by {self.culprit}" if self.culprit else ""
        if self.outcome == "rest-broken" and self.reason:
            return f"with {shown(self.text)} {self.reason}"
        words = {
            "missing": f"{shown(self.text)} was not changed, {shown(self.expected)} was expected",
            "noisy": f"{shown(self.text)} must stay, but was changed{by} to {shown(self.got)}",
            "wrong": f"{shown(self.text)} became {shown(self.got)}{by}, {shown(self.expected)} was expected",
            "rest-broken": f"its own result {shown(self.text)} is changed again{by}, to {shown(self.got)}",
            "too-slow": "its pattern takes endlessly long on some texts",
        }[self.outcome]
        return f"{words} ({self.reason})" if self.reason else words

    @property
    def fix(self) -> str:
        """Say what can be done about it."""
        if self.outcome == "too-slow":
            return (
                "write [^\\n]{0,80} where it says .* or .+, and let no repeat stand inside another, as in (…+)+, "
                "or beside one that fits the same signs"
            )
        if self.outcome == "rest-broken":
            if ", " in self.culprit:
                return "let none put in what another looks for: narrow one `match`, or set one of them to `level: off`"
            return "what a rule puts in must not fit its own `match`: narrow that"
        if self.reason == WOULD_REDACT:
            return (
                "the text holds 某, XX, ××, ** or the like, which stand for something that was blotted out and are never "
                "taken away (docs/writing-rules.md, Redactions); write the example with other words"
            )
        if self.outcome == "missing":
            return "widen `match`, `before` or `after`, or correct the example"
        return f"narrow {self.culprit or 'the rule'}, or correct the example if the change is wanted"

    @property
    def diff(self) -> str:
        """Give a unified diff from what was expected to what came; empty where nothing came."""
        if self.outcome == "too-slow" or self.got == self.expected:
            return ""
        return unified_diff(self.expected, self.got, "expected", "what came")

    def __str__(self) -> str:
        """Give the place, what happened, the diff, and the way out."""
        indented = "".join(f"    {line}\n" for line in self.diff.split("\n") if line)
        return f"{self.place}: {self.rule}: {self.outcome}: {self.said}\n{indented}  fix: {self.fix}"


def unified_diff(old: str, new: str, old_name: str, new_name: str, context: int = 3) -> str:
    r"""Give a unified diff of two texts, ``context`` lines around each change; empty when they are equal.

    >>> print(unified_diff("甲\n乙\n", "甲\n丙\n", "old", "new"), end="")
    --- old
    +++ new
    @@ -1,2 +1,2 @@
     甲
    -乙
    +丙
    """
    before, after = (text.removesuffix("\n").split("\n") if text else [] for text in (old, new))
    lines = difflib.unified_diff(before, after, old_name, new_name, lineterm="", n=context)
    return "".join(f"{line}\n" for line in lines)


def check_rulebook(plan: Plan, only: Iterable[str] | None = None) -> list[Failure]:
    """Run all examples and keeps. Gives what failed, in file order, the chosen rules first.

    With ``only`` the rules of these ids are tried: on their own texts, and on those texts of all other rules
    in which they find something; those of the levels off and trial as if they edited. Examples are always
    tried as if the rule edited, but a suggestion breaks no `keep`.
    """
    if only is None:
        return _Check(plan, None).failures()
    chosen = frozenset(only)
    return _Check(_switched_on(plan, chosen), chosen).failures()


def _switched_on(plan: Plan, chosen: frozenset[str]) -> Plan:
    """Give the plan with the rules of these ids at work, whether or not they only count or are switched off."""
    asleep = {r.id for r in plan.rulebook.rules if r.id in chosen and r.level in ("off", "trial")}
    if not asleep:
        return plan
    rules = (r._replace(level="fix") if r.id in asleep else r for r in plan.rulebook.rules)
    return make_plan(plan.rulebook._replace(rules=tuple(rules)))


@dataclass(slots=True)
class _Check:
    plan: Plan
    only: frozenset[str] | None
    stopped: set[str] = field(default_factory=set)

    def failures(self) -> list[Failure]:
        found: list[Failure] = []
        rules = {r.id: r for r in resolve_near(self.plan.rulebook).rules}
        wanted = [r for r in rules.values() if r.level != "off" and (self.only is None or r.id in self.only)]
        for rule in wanted:
            if self.only is not None:
                found += self._check_speed(rule)
            if rule.id not in self.stopped:
                found += self._guarded(rule, self._alone(rule))
        for rule in wanted:
            if rule.id not in self.stopped:
                found += self._guarded(rule, self._together(rule, _own_texts(rule)))
        if self.only is not None:
            for rule in rules.values():
                if rule.level != "off" and rule.id not in self.only:
                    touched = [t for t in _own_texts(rule) if self._reaches(wanted, t)]
                    found += self._guarded(rule, self._together(rule, touched))
        order = {rule.id: number for number, rule in enumerate(rules.values())}
        chosen = self.only or frozenset()
        once = {(f.outcome, f.rule, f.place, f.got): f for f in reversed(found)}  # what fails alone fails together too
        return sorted(once.values(), key=lambda f: (f.rule not in chosen, order.get(f.rule, -1), f.place.line))

    def _guarded(self, rule: Rule, failures: Iterator[Failure]) -> Iterator[Failure]:
        """Give failures; a rule that does not come to an end is one, and is left out from there on."""
        try:
            yield from failures
        except RuleTimeoutError as error:
            name = error.rule or rule.id
            at = next((r.place for r in self.plan.rulebook.rules if r.id == name), rule.place)
            yield self._stop(name, at, f"it was stopped at an example of {rule.id}")

    def _stop(self, name: str, place: Place, reason: str) -> Failure:
        self.stopped.add(name)
        rules = tuple(r._replace(level="off") if r.id in self.stopped else r for r in self.plan.rulebook.rules)
        self.plan = make_plan(self.plan.rulebook._replace(rules=rules))
        return Failure("too-slow", name, place, "", "", "", reason=reason)

    def _check_speed(self, rule: Rule) -> Iterator[Failure]:
        """Find a pattern that can be tried in endless ways, before an example makes it show."""
        for part in slow_parts(full_pattern(rule)) if rule.match else ():
            if part.endless:
                text = (
                    f"its part {shown(part.part)} can be tried in endless ways, for example on {part.text}{part.text}…"
                )
                yield self._stop(rule.id, rule.place, text)

    def _reaches(self, wanted: Sequence[Rule], said: tuple[str, str, Place]) -> bool:
        """Tell whether one of the rules finds something in a text, or in what becomes of it."""
        return any(
            self._finds(rule, text) for rule in wanted if rule.id not in self.stopped for text in {said[0], said[1]}
        )

    def _finds(self, rule: Rule, text: str) -> bool:
        if rule.kind == "protect":
            guard = self.plan.guards.get(rule.protect)
            return bool(guard and guard(text))
        return bool(findings(make_unit(rule), Text(text, guards=self.plan.guards)))

    # --- one rule alone ------------------------------------------------------------------------------------

    def _alone(self, rule: Rule) -> Iterator[Failure]:
        if rule.kind == "protect":
            yield from self._protects(rule)
            return
        unit = make_unit(rule._replace(level="fix"))
        only_looks = _only_looks(rule)
        for example in rule.examples:
            got, reason = self._result(unit, example.before)
            if got != example.after:
                nothing = got in (example.before, NOTHING_FOUND)
                came = example.before if nothing else got
                outcome: Outcome = "missing" if nothing else "wrong"
                yield Failure(outcome, rule.id, example.place, example.before, example.after, came, reason=reason)
            elif not only_looks and (again := self._result(unit, got)[0]) != got:
                yield Failure("rest-broken", rule.id, example.place, got, got, again)
        at_work = make_unit(rule) if rule.level == "suggest" else unit
        for keep in rule.keep:
            got, _ = self._result(at_work, keep.text)
            if only_looks and got != NOTHING_FOUND:
                yield Failure("noisy", rule.id, keep.place, keep.text, keep.text, "a hit")
            elif not only_looks and got != keep.text:
                yield Failure("noisy", rule.id, keep.place, keep.text, keep.text, got)

    def _result(self, unit: Unit, text: str) -> tuple[str, str]:
        """Give what a rule alone makes of a text, and why it was held back if it was."""
        found = findings(unit, Text(text, guards=self.plan.guards))
        held = next((f.reason for f in found if isinstance(f, Held)), "")
        if not held and unit.rule.level != "suggest" and not any(isinstance(f, Change) for f in found):
            held = next((f.reason for f in found if isinstance(f, Suggestion) and f.reason == WOULD_REDACT), "")
        if _only_looks(unit.rule):
            return (text if found else NOTHING_FOUND), held
        return apply_changes(text, [f for f in found if isinstance(f, Change)], unit=unit.id), held

    def _protects(self, rule: Rule) -> Iterator[Failure]:
        guard = self.plan.guards.get(rule.protect)
        for example in rule.examples:
            pieces = [example.before[s.start : s.end] for s in guard(example.before)] if guard else []
            if example.after not in pieces:
                yield Failure("missing", rule.id, example.place, example.before, example.after, " ".join(pieces))

    # --- the whole pipeline --------------------------------------------------------------------------------

    def _together(self, rule: Rule, texts: Iterable[tuple[str, str, Place]]) -> Iterator[Failure]:
        """Global keep: what a rule leaves or makes must survive the whole pipeline, but for the layout of lines."""
        for text, expected, place in texts:
            try:
                got, culprits, fighters = self._through(text)
            except RestlessError as error:
                words = (
                    f"there is no rest: each round changes again what the last one made, by {' and '.join(error.rules)}"
                )
                yield Failure("rest-broken", rule.id, place, text, expected, expected, ", ".join(error.rules), words)
                continue
            if fighters:
                words = f"{' and '.join(fighters)} undo each other's changes, for ever"
                yield Failure("rest-broken", rule.id, place, text, expected, got, ", ".join(fighters), words)
            elif _flat(got) != _flat(expected):
                known = [c for c in culprits if c in self.only] if self.only and rule.id not in self.only else []
                culprit = ", ".join(known or [c for c in culprits if c != rule.id]) or rule.id
                yield Failure("noisy" if text == expected else "wrong", rule.id, place, text, expected, got, culprit)

    def _through(self, text: str) -> tuple[str, list[str], list[str]]:
        """Give what the pipeline makes of a text, the rules that changed it, and those that undo each other."""
        data = text.encode("utf-8", "surrogatepass")
        decoding = Decoding("text", 1.0, (), (Segment(0, len(text), "utf-8"),))
        cleaned = run(Source("example", data), text, decoding, self.plan)
        fighters = sorted({n.unit for n in cleaned.ledger.notes if is_fight(n.finding)})
        return cleaned.text, sorted({p.unit for p in cleaned.ledger.passes} - LAYOUT_OF_LINES), fighters


def _only_looks(rule: Rule) -> bool:
    return rule.kind in ("mark", "capture") and rule.replace is None and not rule.remove


def _own_texts(rule: Rule) -> list[tuple[str, str, Place]]:
    """Give the texts of a rule that the pipeline sees, each with what it must become and its place."""
    texts = [(k.text, k.text, k.place) for k in rule.keep]
    if rule.kind != "protect":
        texts += [(e.after, e.clean, e.place) for e in rule.examples]
    return texts


def _flat(text: str) -> list[str]:
    """Give what global keep compares: the lines without indents, blank ends and empty lines."""
    return [line.strip(" \t\u3000") for line in text.split("\n") if line.strip(" \t\u3000")]
