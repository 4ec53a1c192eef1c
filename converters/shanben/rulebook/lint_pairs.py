"""Lint that lets rules meet each other on known texts: which do the same, undo each other, or quarrel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shanben.ledger import Finding, apply_changes
from shanben.rulebook.apply import Unit
from shanben.rulebook.known_texts import Known, Library, applied, changes, run, touch
from shanben.rulebook.lint_codes import CODES, Complaint, Complaints
from shanben.rulebook.lint_patterns import complaint
from shanben.rulebook.load import Written
from shanben.rulebook.schema import Rule, When, Where
from shanben.rulebook.strict_yaml import shown
from shanben.values import Mark, Span, Text

MOST_ROUNDS = 8
"""Rounds after which two rules that still change a text count as restless."""


def check_among(written: Written, library: Library, targets: frozenset[str]) -> Complaints:
    """Find rules that do what another does, undo it, or quarrel with it about the order."""
    rule = written.rule
    unit = library.units.get(rule.id)
    if unit is None or rule.kind == "step":
        return
    # Rules that only suggest or count change nothing, so they take nothing away from others.
    acting = [u for u in library.pattern_units() if library.rules[u.id].level == "fix"]
    others = [u for u in acting if u.id != rule.id and library.meet(u.rule, rule)]
    same = [u for u in others if u.rule.phase == rule.phase]
    yield from _duplicate(written, same, library)
    shadow = _shadow(unit, same, library)
    if shadow:
        words = f"'{shadow.id}' runs earlier and leaves nothing to do in any of the {len(rule.examples)} examples"
        yield complaint("L203", written, "id", words)
    elif master := _master(unit, same, library):
        words = f"'{master.id}' makes each of these changes too, in all known texts"
        yield complaint("L204", written, "id", words)
    yield from _same_examples(written, same, library, targets)
    if library.rules[rule.id].level != "fix":
        return
    yield from _fights(written, unit, others, library, targets)
    yield from _quarrels(written, unit, same, library, targets)


def _reported_here(rule: Rule, other: Rule, library: Library, targets: frozenset[str]) -> bool:
    """Let a fault of two rules be told once: by the one that runs later, or the one that is looked at."""
    return other.id not in targets or library.order[rule.id] > library.order[other.id]


def _what(rule: Rule) -> tuple[object, ...]:
    return (rule.match, rule.before, rule.after, rule.where, rule.when, tuple(rule.replace_each.items()))


def _duplicate(written: Written, same: Sequence[Unit], library: Library) -> Complaints:
    rule = written.rule
    for other in same:
        if _what(other.rule) == _what(rule) and library.order[other.id] < library.order[rule.id]:
            key = "match" if rule.match else "replace-each"
            yield complaint("L207", written, key, f"'{other.id}' ({other.rule.place}) has the same pattern")


def _is_no_narrower(other: Rule, rule: Rule) -> bool:
    """Tell whether a rule acts wherever another may, as far as place and condition go."""
    return other.where in (Where(), rule.where) and other.when in (When(), rule.when)


def _shadow(unit: Unit, same: Sequence[Unit], library: Library) -> Unit | None:
    """Give an earlier rule after which none of the examples has anything left for this one."""
    texts = [Text(e.before, guards=library.known.guards) for e in unit.rule.examples]
    if not texts or not all(run(unit, t) for t in texts):
        return None
    for other in same:
        if library.order[other.id] > library.order[unit.id] or not _is_no_narrower(other.rule, unit.rule):
            continue
        left = (applied(other, t) for t in texts)
        if all(
            content != text.content and not run(unit, Text(content, guards=library.known.guards))
            for text, content in zip(texts, left, strict=True)
        ):
            return other
    return None


def _master(unit: Unit, same: Sequence[Unit], library: Library) -> Unit | None:
    """Give a rule that finds all that this one finds, in every text."""
    known = library.known
    hits = known.hits(unit)
    for other in same if hits else ():
        if not _is_no_narrower(other.rule, unit.rule) or other.rule.kind != unit.rule.kind:
            continue
        if all(_plain(known.found(unit, n)) <= _plain(known.found(other, n)) for n in hits):
            twins = known.hits(other) == hits and library.order[other.id] > library.order[unit.id]
            if not twins:
                return other
    return None


def _plain(found: Iterable[Finding]) -> set[object]:
    return {f._replace(unit="") if isinstance(f, Mark) else f for f in found}


def _same_examples(written: Written, same: Sequence[Unit], library: Library, targets: frozenset[str]) -> Complaints:
    rule = written.rule
    for other in same:
        theirs = {e.before for e in other.rule.examples}
        for example in rule.examples:
            if example.before in theirs and _reported_here(rule, other.rule, library, targets):
                words = f"'{other.id}' has the same example {shown(example.before)}"
                yield Complaint("L305", rule.id, example.place, words, CODES["L305"].fix)


def _fights(
    written: Written, unit: Unit, others: Sequence[Unit], library: Library, targets: frozenset[str]
) -> Complaints:
    """Find rules that change back what this one changes, or whose changes this one changes back."""
    for other in others:
        if not _reported_here(unit.rule, other.rule, library, targets):
            continue
        fight = _undone(unit, other, library.known) or _undone(other, unit, library.known)
        if fight:
            words = f"'{other.id}' ({other.rule.place}) and this rule undo each other: {fight}"
            yield complaint("L205", written, "match" if unit.rule.match else "replace-each", words)


def _undone(first: Unit, second: Unit, known: Known) -> str:
    """Show a text that one rule changes and another changes back; empty if there is none."""
    if first.rule.replace_each and second.rule.replace_each:
        for key, value in first.rule.replace_each.items():
            if value and second.rule.replace_each.get(value) == key:
                return f"{shown(key)} → {shown(value)} → {shown(key)}"
    for made in sorted(known.results(first), key=lambda result: len(result.text.content)):
        back = changes(run(second, made.after))
        if back and any(b.after == d.before and b.before == d.after for b in back for d in made.done):
            content, between = made.text.content, made.after.content
            if apply_changes(between, back, unit=second.id) == content:
                return f"{shown(content)} → {shown(between)} → {shown(content)}"
    return ""


def _quarrels(
    written: Written, unit: Unit, same: Sequence[Unit], library: Library, targets: frozenset[str]
) -> Complaints:
    known, rule = library.known, unit.rule
    mine = {n: changes(known.found(unit, n)) for n in known.hits(unit)}
    for other in same:
        before = library.declared.get(rule.id, frozenset()), library.declared.get(other.id, frozenset())
        if other.id in before[0] or rule.id in before[1]:
            continue
        if not _reported_here(rule, other.rule, library, targets):
            continue
        for number, ours in mine.items():
            theirs = changes(known.found(other, number))
            if not any(touch(a, Span(b.start, b.start + len(b.before))) for a in ours for b in theirs):
                continue
            content = known.texts[number].content
            one, two = (_to_rest(pair, content, known) for pair in ((unit, other), (other, unit)))
            if one != two:
                words = (
                    f"with '{other.id}' first {shown(content)} becomes {shown(two)}, with this rule first {shown(one)}"
                )
                yield complaint("L206", written, "match" if rule.match else "replace-each", words)
                break


def _to_rest(units: Sequence[Unit], content: str, known: Known) -> str:
    for _ in range(MOST_ROUNDS):
        before = content
        for unit in units:
            content = applied(unit, Text(content, guards=known.guards))
        if content == before:
            break
    return content
