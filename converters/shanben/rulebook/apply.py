"""How rules and steps act: each becomes a Unit, a function from a Text to findings that edits nothing.

`findings` runs one unit under all that protects a text: protected spans, redactions, place limits,
circuit breakers, invariants and a time limit. What it gives can be applied as it stands.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property, lru_cache
from itertools import chain, islice, pairwise, takewhile
from typing import Any

import regex

from shanben.errors import RestlessError, RuleTimeoutError
from shanben.lazy import lazy_regex
from shanben.ledger import Capture, Change, Finding, Held, Suggestion
from shanben.rulebook.gates import Facts, Gate, facts_of, gate
from shanben.rulebook.patterns import PATTERN_FLAGS, compiled, full_pattern
from shanben.rulebook.schema import Invariant, Rule, Rulebook, Where
from shanben.rulebook.search import LONG, Lines, hits_in, lines_with
from shanben.steps import Step, needs_of, step_named
from shanben.values import Guard, Mark, Span, Text

SECONDS = 10.0
"""Time that one rule may take on a document of up to a million characters; it grows with the document."""
DROP_FLOOR = 1000
"""A drop limit in percent means nothing in a text with fewer letters than this: it is taken as this long."""
MOST_DROPPED = 0.5
"""The share of the letters that a rule without a drop limit of its own may take away from a text."""
SHORT_TEXT = 200
"""A text with fewer letters is taken as this long by that limit: of a few lines, most may well be litter."""
GROWTH, GROWTH_ROOM = 3, 1_000
"""A text that becomes so many times as long, and so many characters besides, is never going to end."""
UNASKED = "more than half is never taken unasked"
UNTOUCHABLE = "redaction"
WOULD_REDACT = "it would touch a redaction"
PHASE_INVARIANT: Mapping[str, Invariant] = {"layout": "only-punctuation", "punctuation": "only-punctuation"}
_DIGITS = lazy_regex(r"\d+")
_CONTENT = lazy_regex(r"[\p{L}\p{N}]++", PATTERN_FLAGS)
_PART = 1 << 16


def pattern_of(rule: Rule) -> regex.Pattern[str]:
    """Give the pattern of a rule with `match`, together with its context, compiled."""
    return compiled(full_pattern(rule))


class Unit:
    """A rule or a step, ready to run. ``find`` may raise TimeoutError."""

    def __init__(self, rule: Rule, find: Callable[[Text, float], Iterable[Finding]]) -> None:
        self.rule = rule
        self.find = find

    @property
    def id(self) -> str:
        """Give the rule's id, which names the unit everywhere."""
        return self.rule.id

    @cached_property
    def gate(self) -> Gate:
        """Give what a text must hold, else the unit finds nothing in it."""
        rule = self.rule
        keys = needs_of(rule.step) if rule.step else rule.replace_each
        return gate((full_pattern(rule), rule.when.has, rule.where.near), keys)

    @property
    def invariant(self) -> Invariant:
        """Give the invariant that the rule declares, else the one of its phase."""
        return self.rule.invariant or PHASE_INVARIANT.get(self.rule.phase, "")


def make_unit(rule: Rule) -> Unit:
    """Turn a checked rule into a unit."""
    if rule.kind == "step":
        return Unit(rule, _step(rule))
    if rule.replace_each:
        return Unit(rule, lambda text, seconds: _replaced(rule, text, seconds))
    return Unit(rule, lambda text, seconds: _match(rule, text, seconds))


def _step(rule: Rule) -> Callable[[Text, float], Iterable[Finding]]:
    """Give what runs the step of a rule; it is imported when it runs first."""

    @cache
    def ready() -> tuple[Step, Any]:
        step = step_named(rule.step)
        return step, step.params(**rule.params)

    def find(text: Text, seconds: float) -> Iterable[Finding]:
        step, params = ready()
        return _limited(rule, text, seconds, lambda: step.run(text, params))

    return find


def make_guards(rulebook: Rulebook) -> dict[str, Guard]:
    """Give the finder of each kind of protected span that the rulebook declares."""
    rules: dict[str, list[Rule]] = {}
    for rule in rulebook.rules:
        if rule.kind == "protect" and rule.level == "fix":
            rules.setdefault(rule.protect, []).append(rule)
    return {name: Protection(tuple(found)) for name, found in rules.items()}


class Protection:
    """Finds the protected spans of one kind: all that its rules find, what overlaps as one. Raises RuleTimeoutError."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.rules = rules

    @cached_property
    def by_line(self) -> bool:
        """Tell whether what stands in a line is all that counts for the spans in it."""
        return all(facts_of(full_pattern(rule)).keeps_to_lines for rule in self.rules)

    @cached_property
    def _asked(self) -> list[tuple[Rule, list[frozenset[str]]]]:
        """Give the rules, each with sets of characters of which a text must hold one each."""
        return [
            (rule, [c.characters.union(p[0] for p in c.pairs) for c in facts_of(full_pattern(rule)).gate.clauses])
            for rule in self.rules
        ]

    def __call__(self, content: str) -> list[Span]:
        """Give the spans in a text, in order, none touching the inside of another."""
        spans: list[Span] = []
        held = set(content) if len(content) <= LONG else None
        for rule, asked in self._asked:
            if held is not None and any(map(held.isdisjoint, asked)):
                continue
            pattern, seconds = pattern_of(rule), seconds_for(content)
            try:
                found = hits_in(pattern, content, lines_with(pattern.pattern, content), 0, seconds)
                spans += [Span(*m.span()) for m in found if m.end() > m.start()]
            except TimeoutError:
                raise _too_slow(rule, content) from None
        spans.sort()
        merged: list[Span] = []
        for span in spans:
            if merged and span.start < merged[-1].end:
                merged[-1] = Span(merged[-1].start, max(span.end, merged[-1].end))
            else:
                merged.append(span)
        return merged


def seconds_for(content: str) -> float:
    """Give the time limit for one rule on a text of this length."""
    return SECONDS * max(1.0, len(content) / 1e6)


def _window(where: Where, text: Text, passed: Container[int] = ()) -> tuple[int, int]:
    """Give the stretch that `where: {lines: …}` leaves open. Empty lines and those of ``passed`` do not count."""
    if not (where.first or where.last):
        return 0, len(text.content)
    filled: Sequence[Span] = text.filled_lines
    if passed:
        filled = [s for s in filled if text.line_at(s.start) not in passed]
    if len(filled) <= max(where.first, where.last):
        return 0, len(text.content)
    return (0, filled[where.first - 1].end) if where.first else (filled[-where.last].start, len(text.content))


def _like(line: str) -> str:
    """Give what counts when lines are compared for repetition: digits are equal, blanks are nothing."""
    return _DIGITS.sub("0", "".join(line.split()))


@lru_cache(maxsize=1)
def _repetitions(content: str) -> Counter[str]:
    return Counter(_like(line) for line in content.split("\n"))


def _has(rule: Rule, content: str, seconds: float) -> bool:
    """Tell whether the text holds what the rule's `when: {has: …}` wants."""
    return not rule.when.has or compiled(rule.when.has).search(content, timeout=seconds) is not None


def _lacks(rule: Rule, content: str, seconds: float) -> bool:
    """Tell whether the text does not hold what the rule's `when: {lacks: …}` names; it is asked where there is a match."""
    return not rule.when.lacks or compiled(rule.when.lacks).search(content, timeout=seconds) is None


def _limited(rule: Rule, text: Text, seconds: float, find: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """Give the findings of a step, or of `replace-each`, that its `when`, `where: lines` and `outside` allow."""
    if not (_has(rule, text.content, seconds) and _lacks(rule, text.content, seconds)):
        return
    first, last = _window(rule.where, text)
    for f in find():
        if isinstance(f, Change | Suggestion):
            end = f.start + len(f.before)
            if f.start < first or end > last or text.covers(rule.outside, f.start, end):
                continue
        yield f


def _may_match(rule: Rule, text: Text) -> bool:
    """Tell whether the lines that `where: {lines: …}` leaves open hold what the pattern asks for, where only they count."""
    where, facts = rule.where, facts_of(full_pattern(rule))
    first, last = _window(where, text)
    if where.first:
        near = _near_start(facts, text, last)
        return near is None or facts.gate.holds_in(text.content[: near.end])
    return not (where.last and facts.keeps_to_lines) or facts.gate.holds_in(text.content[first:])


def _near_start(facts: Facts, text: Text, last: int) -> Span | None:
    """Give what matches that begin at ``last`` at the latest can see, and a line more: they must not take the end of
    these lines for that of the text. None where that is not known."""
    if facts.line_ends is None:
        return None
    index = text.line_at(last) + facts.line_ends + 1
    return Span(0, text.lines[min(index, len(text.lines) - 1)].end)


def _matches(rule: Rule, text: Text, seconds: float) -> Iterator[regex.Match[str]]:
    """Find the pattern of a rule where its `where:` allows it; nothing is searched before it is asked for."""
    content = text.content
    where = rule.where
    written = full_pattern(rule)
    lines = lines_with(written, content, text.held)
    if lines is not None and not lines:
        return
    pattern = pattern_of(rule)

    def near(last: int) -> Lines | None:
        found = _near_start(facts_of(written), text, last) if lines is None and where.first else None
        return lines if found is None else [found]

    first, last = _window(where, text)
    if rule.remove and (where.first or where.last):
        hit = next(hits_in(pattern, content, near(last), first, seconds), None)
        if hit is None or hit.start() > last:
            return
        # Lines that the rule takes away do not count, or the next round would find as many again.
        passed = {text.line_at(m.start()) for m in hits_in(pattern, content, lines, 0, seconds)}
        first, last = _window(where, text, passed)
    for m in hits_in(pattern, content, near(last), first, seconds):
        if m.start() > last or (m.end() > last and where.first):
            return
        if where.repeated:
            line = text.lines[text.line_at(m.start())]
            if _repetitions(content)[_like(content[line.start : line.end])] < where.repeated:
                continue
        if where.near and not _is_near(rule, text, m.start(), seconds):
            continue
        yield m


def _is_near(rule: Rule, text: Text, offset: int, seconds: float) -> bool:
    index = text.line_at(offset)
    low, high = max(0, index - rule.where.within), min(len(text.lines) - 1, index + rule.where.within)
    stretch = text.content[text.lines[low].start : text.lines[high].end]
    return compiled(rule.where.near).search(stretch, timeout=seconds) is not None


def _match(rule: Rule, text: Text, seconds: float) -> Iterable[Finding]:
    """Find what a rule with a pattern finds, protected spans respected."""
    if not _may_match(rule, text) or not _has(rule, text.content, seconds):
        return ()
    matches = _matches(rule, text, seconds)
    first = next(matches, None)
    if first is None or not _lacks(rule, text.content, seconds):
        return ()
    return _found(rule, chain([first], matches), text)


def _found(rule: Rule, matches: Iterable[regex.Match[str]], text: Text) -> Iterator[Finding]:
    content = text.content
    words: dict[str, str] = {}  # what is found again and again is held once
    end, room = -1, GROWTH * len(content) + GROWTH_ROOM
    for m in matches:
        start, stop = m.span()
        if rule.remove == "line":
            start = text.lines[text.line_at(start)].start
            stop = text.lines[text.line_at(stop)].end
            stop += content[stop : stop + 1] == "\n"
            if start < end:
                continue
        if rule.outside and text.covers(rule.outside, start, stop):
            continue
        end = stop
        for field_name, group in rule.capture.items():
            value = m.group(group)
            if value and value.strip():
                yield Capture(m.start(group), field_name, value.strip())
        if rule.mark:
            level = rule.mark.level or (len(m.group(rule.mark.level_of)) if rule.mark.level_of else 0)
            yield Mark(start, rule.mark.kind, level, rule.id)
        if rule.remove:
            yield Change(start, content[start:stop], "")
        elif rule.replace is not None:
            after = _replacement(rule, m, room)
            room -= len(after) - len(m.group())
            if room < 0:
                raise grows_without_end([rule.id])
            before = m.group()
            if after != before:
                yield Change(start, words.setdefault(before, before), after)


def _replacement(rule: Rule, match: regex.Match[str], room: int) -> str:
    """Give what a match is replaced by; a template that names a long group again and again is not filled in."""
    template = rule.replace or ""
    named = template.count("\\")
    if named > GROWTH and len(template) + named * max(map(len, (match.group(), *match.groups("")))) > room:
        raise grows_without_end([rule.id])
    return match.expand(template) if named else template


def grows_without_end(units: Sequence[str]) -> RestlessError:
    """Give the error for rules that make a text longer and longer."""
    return RestlessError(
        f"the rules never come to rest: the text grows without end, by {', '.join(units)}; nothing was written",
        fix="what a rule puts in must not fit its own `match`: narrow that, or set the rule to `level: off`",
        rules=tuple(units),
    )


@lru_cache(maxsize=256)
def _class_of(characters: tuple[str, ...]) -> regex.Pattern[str]:
    ordered = sorted(characters, key=len, reverse=True)
    if all(len(c) == 1 for c in ordered):
        return regex.compile("[" + "".join(map(regex.escape, ordered)) + "]", regex.VERSION0)
    return regex.compile("|".join(map(regex.escape, ordered)), PATTERN_FLAGS)


def _replaced(rule: Rule, text: Text, seconds: float) -> Iterable[Finding]:
    keys = _class_of(tuple(rule.replace_each))
    if not keys.search(text.content, timeout=seconds):
        return ()

    def find() -> Iterator[Finding]:
        room = GROWTH * len(text.content) + GROWTH_ROOM
        for m in keys.finditer(text.content, timeout=seconds):
            room -= len(rule.replace_each[m.group()]) - len(m.group())
            if room < 0:
                raise grows_without_end([rule.id])
            yield Change(m.start(), m.group(), rule.replace_each[m.group()])

    return _limited(rule, text, seconds, find)


def findings(unit: Unit, text: Text) -> list[Finding]:
    """Run one unit on a text and give what may stand: in order, without overlap, nothing forbidden.

    Raises RuleTimeoutError when the unit needs longer than `seconds_for` allows, RestlessError when what it puts
    in is a multiple of the text.
    """
    rule = unit.rule
    if rule.level == "off":
        return []
    try:
        found = list(unit.find(text, seconds_for(text.content)))
    except TimeoutError:
        raise _too_slow(rule, text.content) from None
    if not found:
        return []
    changes = [f for f in found if isinstance(f, Change)]
    if any(a.start > b.start or a.end > b.end for a, b in pairwise(changes)):
        changes.sort(key=lambda c: (c.start, c.end))
    others: list[Finding] = [f for f in found if not isinstance(f, Change)]
    if not changes:
        return others
    kept, refused = _allowed(changes, text)
    if any(c.to is not None for c in kept):
        # Texts that are moved to one place stand there in the order in which the step gave them.
        given = {id(c): n for n, c in enumerate(found)}
        kept.sort(key=lambda c: given[id(c)])
    others += refused
    fault = _breaks(unit.invariant, kept) or _over_limit(rule, kept, text)
    if fault:
        return [*(f for f in others if isinstance(f, Suggestion)), Held(fault)]
    if rule.level == "trial":
        return [Held(f"trial: would make {len(kept)} changes")]
    if rule.level == "suggest":
        return [*others, *(_as_suggestion(c, "the rule only suggests") for c in kept)]
    return [*others, *kept]


def _too_slow(rule: Rule, content: str) -> RuleTimeoutError:
    return RuleTimeoutError(
        f"the rule {rule.id} was stopped: after {seconds_for(content):.0f} seconds it was still trying to fit its "
        "pattern to this text; nothing was changed",
        where=str(rule.place),
        fix="a repeat inside a repeat, such as (…+)+, can be tried in endless ways: write [^\\n]{0,80} where it says .* "
        "or .+, and let no two repeats stand side by side that fit the same signs; `level: off` switches the rule off",
        rule=rule.id,
    )


def _as_suggestion(change: Change, reason: str) -> Suggestion:
    return Suggestion(change.start, change.before, change.after, reason, change.gain)


def _allowed(changes: Sequence[Change], text: Text) -> tuple[list[Change], list[Suggestion]]:
    """Part the changes that may stand from those that would touch a redaction, or each other."""
    kept: list[Change] = []
    refused = []
    end = 0
    for c in changes:
        if text.covers((UNTOUCHABLE,), c.start, c.end) and not _spares_redactions(
            c, text.protected_near(UNTOUCHABLE, c.start, c.end)
        ):
            refused.append(_as_suggestion(c, WOULD_REDACT))
        elif c.start >= end:
            kept.append(c)
            end = c.end
    return kept, refused


def _spares_redactions(change: Change, redactions: Sequence[Span]) -> bool:
    """Tell whether the redactions inside ``before`` stand unchanged, in order, in ``after``."""
    if change.to is not None:  # a line with a redaction stays where it stands
        return False
    at = 0
    first = max(0, bisect_right(redactions, Span(change.start, 1 << 62)) - 1)
    for span in takewhile(lambda s: s.start < change.end, islice(redactions, first, None)):
        if span.end <= change.start:
            continue
        if span.start < change.start or span.end > change.end:
            return False
        piece = change.before[span.start - change.start : span.end - change.start]
        at = change.after.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return True


def content_of(text: str) -> str:
    """Give the letters, Han characters and digits of a text: what no cleaning may lose unrecorded.

    >>> content_of("完成28次,GDP(见图①)。")
    '完成28次GDP见图①'
    """
    return "".join(_CONTENT.findall(text))


def _content_size(text: str) -> int:
    """Count what `content_of` gives, part by part: of a long text it would be a second one."""
    return sum(len(content_of(text[at : at + _PART])) for at in range(0, len(text), _PART))


def has_content(text: str) -> bool:
    """Tell whether a text has a letter, a Han character or a digit."""
    return _CONTENT.search(text) is not None


def _breaks(invariant: Invariant, changes: Sequence[Change]) -> str:
    """Say how the changes break the invariant; empty if they keep it."""
    if not invariant:
        return ""
    if invariant == "same-characters":
        before = Counter("".join("".join(c.before.split()) for c in changes))
        if before != Counter("".join("".join(c.after.split()) for c in changes)):
            return "it would not keep the same characters"
        return ""
    for c in changes:
        if c.to is not None:
            continue
        if invariant == "only-removes" and c.after:
            return f"it may only remove, but would put in {c.after!r}"
        if invariant == "only-spaces" and "".join(c.before.split()) != "".join(c.after.split()):
            return f"it may only change spaces, but would turn {c.before!r} into {c.after!r}"
        if invariant == "only-punctuation" and content_of(c.before) != content_of(c.after):
            return f"it may not touch letters or digits, but would turn {c.before!r} into {c.after!r}"
    return ""


def _over_limit(rule: Rule, changes: Sequence[Change], text: Text) -> str:
    if rule.limit.hits and len(changes) > rule.limit.hits:
        return f"{len(changes)} hits, more than its limit of {rule.limit.hits}"
    if rule.limit.drop or not rule.step:
        lost = sum(len(content_of(c.before)) - len(content_of(c.after)) for c in changes if c.to is None)
        limit, least = (rule.limit.drop, DROP_FLOOR) if rule.limit.drop else (MOST_DROPPED, SHORT_TEXT)
        if lost > least * limit:
            share = lost / max(least, _content_size(text.content))
            if share > limit and rule.limit.drop:
                return f"it would take away {share:.1%} of the text, more than its limit of {limit:.0%}"
            if share > limit:
                return (
                    f"it would take away {share:.0%} of the letters of this text, and {UNASKED}; "
                    "narrow its `match`, or if that much is litter, write `limit: {drop: 100%}` into the rule"
                )
    return ""


def in_order(units: Iterable[Unit]) -> list[Unit]:
    """Sort the units of one phase: `order: {after: …}` first, then id. The loader has refused cycles."""
    waiting = {u.id: u for u in sorted(units, key=lambda u: u.id)}
    done: list[Unit] = []
    while waiting:
        name = next(
            (i for i, u in waiting.items() if not any(a in waiting for a in u.rule.run_after)), next(iter(waiting))
        )
        done.append(waiting.pop(name))
    return done


def resolve_near(rulebook: Rulebook) -> Rulebook:
    """Put the pattern of the rule that `where: {near: ID}` names in the place of its id."""
    patterns = {r.id: full_pattern(r) for r in rulebook.rules if r.match}
    return rulebook._replace(
        rules=tuple(
            r._replace(where=r.where._replace(near=patterns[r.where.near])) if r.where.near else r
            for r in rulebook.rules
        ),
    )
