"""The order of work on one screen: decode, run the plan until all is at rest, write down what happened."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from shanben import __version__, rule_cache
from shanben.decode import decode, encode
from shanben.errors import LedgerError, RestlessError, RuleTimeoutError, UsageError
from shanben.lazy import lazy_re
from shanben.ledger import (
    Capture,
    Change,
    Finding,
    Held,
    Ledger,
    Note,
    OffsetMap,
    Origins,
    Pass,
    ProfileChoice,
    Suggestion,
    Suppressed,
    apply_changes,
    kept,
    map_marks,
    undo_changes,
)
from shanben.presence import Asked, Index, Presence
from shanben.profiles import PLAIN, Profile, apply_profile, judge
from shanben.resources import rules_root
from shanben.rule_cache import Checked
from shanben.rulebook.apply import (
    GROWTH,
    GROWTH_ROOM,
    UNASKED,
    Unit,
    findings,
    grows_without_end,
    has_content,
    in_order,
    make_guards,
    make_unit,
    resolve_near,
)
from shanben.rulebook.gates import Facts, facts_of, learn
from shanben.rulebook.patterns import full_pattern
from shanben.rulebook.schema import PHASES, Rulebook
from shanben.steps import all_steps, learn_needs, step_named
from shanben.suppressions import Quote, Refusals, Suppression, as_noted, noted, raise_unused
from shanben.suppressions import check as check_suppressions
from shanben.values import Decoding, Guard, Mark, Segment, Source, Span, Text, with_marks

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

MAX_ROUNDS = 40
"""Rounds after which rules that still keep changing a text are an error; two or three are the rule."""
CLEANING = PHASES[:-1]
DOCUMENT_SECONDS = 600.0
"""Time that all rules together may take on a document of up to a million characters; it grows with the document."""
OWN_PHASE = "works"
"""Where rules run that lie at the top of a user's folder: last, so that they see the text as it comes out."""
_SURROGATE = lazy_re("[\ud800-\udfff]")


def version() -> str:
    """Give the version of this package."""
    return __version__


class Plan:
    """The resolved order of work: which units run in which phase, and what is protected."""

    def __init__(
        self,
        rulebook: Rulebook,
        cleaning: tuple[Unit, ...],
        structure: tuple[Unit, ...],
        guards: dict[str, Guard],
        profile: str,
        asked: Asked | None,
    ) -> None:
        self.rulebook = rulebook
        self.cleaning = cleaning
        self.structure = structure
        self.guards = guards
        self.profile = profile
        self.asked = asked
        self.digest = rulebook.digest

    @cached_property
    def index(self) -> Index:
        """Give what the gates of the units ask for."""
        asked = self.asked or Asked.by((unit.id, unit.gate) for unit in self.units)
        return asked.index_of(unit.id for unit in self.units)

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        """Give all units in the order in which they run."""
        return self.cleaning + self.structure

    def faults(self, language: str = "en") -> dict[str, str]:
        """Give the fault that each unit mends, by id; in Chinese with ``zh`` where the rule says it."""
        return {u.id: (u.rule.fault_zh if language == "zh" else "") or u.rule.fault for u in self.units}


class Cleaned(NamedTuple):
    """A clean text with all that led to it.

    ``text`` is what `shanben clean` writes. ``ledger`` turns it back into the source, byte for byte.
    """

    source: Source
    text: str
    ledger: Ledger
    marks: tuple[Mark, ...]
    guards: dict[str, Guard]
    plan: Plan | None = None

    @property
    def captures(self) -> tuple[Capture, ...]:
        """Give the facts that rules found, in the order in which they stand in the source."""
        notes = sorted(self.ledger.notes, key=lambda n: (n.line, n.column))
        return tuple(n.finding for n in notes if isinstance(n.finding, Capture))

    @property
    def suggestions(self) -> tuple[Note, ...]:
        """Give the places where a unit was in doubt and edited nothing."""
        return tuple(n for n in self.ledger.notes if isinstance(n.finding, Suggestion))


@lru_cache(maxsize=32)
def _checked(layers: tuple[str, ...], work: str | None) -> Checked:
    """Give rules and profiles without a fault, from the cache where they were checked before."""
    for layer in layers:
        if not Path(layer).is_dir():
            what = "this is a file, not a folder of rules" if Path(layer).is_file() else "there is no such rule folder"
            raise UsageError(what, where=layer, fix="give the folder that holds the files with --rules")
    return _kept(layers, work)


def _kept(layers: tuple[str, ...], work: str | None) -> Checked:
    key = rule_cache.key_of([("rules", rules_root()), *((layer, Path(layer)) for layer in layers)], work or "")
    checked = rule_cache.load(key) if key else None
    if checked is None:
        from shanben.profile_files import load_profiles

        book = add_layers(shipped_rules(work), layers, work) if layers else load_layers(rules_root(), (), work)
        profiles = load_profiles(book, layers)
        needs = {step.name: step.needs for step in all_steps().values()}
        checked = Checked(book, profiles, _facts(book, profiles), needs, _asked(book))
        if key:
            rule_cache.save(key, checked)
    learn(checked.facts)
    learn_needs(checked.step_needs)
    return checked


def shipped_rules(work: str | None = None) -> Rulebook:
    """Give the shipped rules as their files are now, with those of one work, or of all with ``*``. Raises RuleError.

    From here on what is known of their patterns is known to rules that are laid over them.
    """
    return _kept((), work).book


def _facts(book: Rulebook, profiles: Mapping[str, Profile]) -> dict[str, Facts]:
    """Find out all that gates need to know of the patterns."""
    asked = [
        pattern
        for rule in resolve_near(book).rules
        for pattern in (full_pattern(rule), rule.when.has, rule.when.lacks, rule.where.near)
    ]
    asked += [evidence.match for profile in profiles.values() for evidence in profile.evidence]
    for rule in book.rules:
        step = all_steps()[rule.step] if rule.step else None
        asked += step.patterns(step.params(**rule.params)) if step and step.patterns else ()
    return {pattern: facts_of(pattern) for pattern in asked if pattern}


def _asked(book: Rulebook) -> Asked:
    """Find out what all rules ask for, whatever level a profile gives them."""
    return Asked.by((rule.id, make_unit(rule).gate) for rule in resolve_near(book).rules if rule.phase in PHASES)


def load_layers(shipped: Traversable, layers: Iterable[str], work: str | None) -> Rulebook:
    """Load the shipped rules, then further folders of rules over them. Raises RuleError."""
    from shanben.rulebook.load import load_rules

    return add_layers(load_rules(shipped, work=work, shown_as="rules"), layers, work)


def add_layers(book: Rulebook, layers: Iterable[str], work: str | None) -> Rulebook:
    """Load further folders of rules over a rulebook. Raises RuleError."""
    from shanben.rulebook.load import load_rules

    for layer in layers:
        book = load_rules(Path(layer), layer=layer, base=book, work=work, flat_phase=OWN_PHASE)
    return book


def plan(layers: Sequence[str | Path] = (), work: str | None = None, profile: str | None = None) -> Plan:
    """Resolve the order of work for the shipped rules, further rule folders and one work's own rules.

    ``profile`` is a name or a file; without it all is as the rule files say (`plain`). Raises RuleError with
    all faults of all files, UsageError for a profile that does not exist.
    """
    return _plan(tuple(str(p) for p in layers), work, profile or PLAIN)


@lru_cache(maxsize=64)
def _plan(layers: tuple[str, ...], work: str | None, profile: str) -> Plan:
    return plan_by(_checked(layers, work), profile)


def plan_by(checked: Checked, profile: str) -> Plan:
    """Resolve the order of work for rules that are loaded already. Raises UsageError for an unknown profile."""
    chosen = checked.profiles.get(profile)
    if chosen is None:
        from shanben.profile_files import find_profile

        chosen = find_profile(profile, checked.book, checked.profiles)
    return make_plan(apply_profile(checked.book, chosen), chosen.name, checked.asked)


def profiles(layers: Sequence[str | Path] = (), work: str | None = None) -> dict[str, Profile]:
    """Give all profiles by name: the shipped ones and those of further rule folders. Raises RuleError."""
    return dict(_checked(tuple(str(p) for p in layers), work).profiles)


def make_plan(book: Rulebook, profile: str = PLAIN, asked: Asked | None = None) -> Plan:
    """Resolve the order of work for one rulebook, to which a profile was applied; ``asked`` is what its rules ask for."""
    resolved = resolve_near(book)
    phases = {
        phase: in_order(make_unit(r) for r in resolved.rules if r.phase == phase and r.level != "off")
        for phase in PHASES
    }
    return Plan(
        rulebook=book,
        cleaning=tuple(u for phase in CLEANING for u in phases[phase]),
        structure=tuple(phases["structure"]),
        guards=make_guards(resolved),
        profile=profile,
        asked=asked,
    )


def clean(
    source: str | bytes | Source,
    *,
    encoding: str | None = None,
    rules: Sequence[str | Path] = (),
    work: str | None = None,
    name: str = "",
    profile: str | None = None,
    suppress: Sequence[Suppression] = (),
) -> Cleaned:
    """Clean one document.

    ``source`` is a text, its bytes in any encoding, or a Source. ``encoding`` overrules detection.
    ``rules`` are folders laid over the shipped rules; ``work`` names the work whose own rules apply. ``profile``
    is the name or the file of one, else the text itself decides. ``suppress`` is what this document refuses.
    Raises SourceError (empty, binary), EncodingError (undecided), RuleError (faulty rules, a suppression
    without effect), UsageError (no such profile).

    >>> cleaned = clean("会议强调,要抓好落实;守住底线.")
    >>> cleaned.text
    '会议强调，要抓好落实；守住底线。'
    >>> revert(cleaned.text, cleaned.ledger).decode()
    '会议强调,要抓好落实;守住底线.'
    """
    layers = tuple(str(p) for p in rules)
    checked = _checked(layers, work)
    decoded = _decoded(source, encoding, name)
    return clean_by(
        checked, decoded, profile=profile, suppress=suppress, plan_of=lambda profile: _plan(layers, work, profile)
    )


Decoded = tuple[str, Decoding, Source]


def clean_by(
    checked: Checked,
    decoded: Decoded,
    *,
    profile: str | None = None,
    suppress: Sequence[Suppression] = (),
    plan_of: Callable[[str], Plan] | None = None,
) -> Cleaned:
    """Clean a decoded document by rules that are loaded already; raises as `clean` does.

    ``plan_of`` gives the plan of a profile where plans are kept.
    """
    content, decoding, origin = decoded
    plan_of = plan_of or (lambda name: plan_by(checked, name))
    suppress = (*suppress, *checked.book.suppress)
    if suppress:
        check_suppressions(suppress, {r.id: r for r in checked.book.rules})
    if profile:
        steps = plan_of(profile)
        return run(origin, content, decoding, steps, choice=ProfileChoice(steps.profile, "named"), suppress=suppress)

    last: list[tuple[str, ProfileChoice]] = []

    def judged(text: str) -> tuple[Plan, ProfileChoice]:
        if not last or last[0][0] != text:
            last[:] = [(text, judge(text, checked.profiles))]
        choice = last[0][1]
        return plan_of(choice.name), choice

    steps, choice = judged(content)
    return run(origin, content, decoding, steps, choice=choice, again=judged, suppress=suppress)


def _decoded(source: str | bytes | Source, encoding: str | None, name: str) -> Decoded:
    if isinstance(source, str):
        data = source.encode("utf-8", "surrogatepass")
        segments, at = [], 0
        for m in _SURROGATE.finditer(source):
            if m.start() > at:
                segments.append(Segment(at, m.start(), "utf-8"))
            segments.append(Segment(*m.span(), "bad", m.group().encode("utf-8", "surrogatepass")))
            at = m.end()
        if at < len(source) or not segments:
            segments.append(Segment(at, len(source), "utf-8"))
        decoding = Decoding("text", 1.0, ("given as text",), tuple(segments))
        return _SURROGATE.sub("\ufffd", source), decoding, Source(name or "text", data)
    origin = source if isinstance(source, Source) else Source(name or "bytes", source)
    content, decoding = decode(origin.data, encoding=encoding, name=origin.name)
    return content, decoding, origin


Judge = Callable[[str], tuple[Plan, ProfileChoice]]


class _Point(NamedTuple):
    """A moment of the work to which one can go back. ``digest`` is that of its text, which is not kept: a long text
    in many rounds would fill the memory, and undoing the passes since then gives it back."""

    passes: int
    captured: int
    marks: tuple[Mark, ...]
    quoted: dict[Quote, list[Span]]
    digest: str


class _State:
    """A text on its way, and all that was found so far. Findings stand with the pass before which they were made."""

    def __init__(
        self, text: Text, steps: Plan, presence: Presence, refusals: Refusals, *, most: int, deadline: float
    ) -> None:
        self.text = text
        self.steps = steps
        self.presence = presence
        self.refusals = refusals
        self.most = most
        self.deadline = deadline
        self.passes: list[Pass] = []
        self.captured: list[tuple[str, Capture, int]] = []
        self.last: list[tuple[str, Finding, int]] = []
        self.lasting: list[tuple[str, Finding, int]] = []
        self.rounds = 0
        self.version = 0
        self.given: dict[str, tuple[int, list[Finding]]] = {}

    def here(self) -> _Point:
        """Give what `back` needs to come back to this point."""
        digest = text_digest(self.text.content)
        return _Point(len(self.passes), len(self.captured), self.text.marks, dict(self.refusals.quoted), digest)

    def content_at(self, point: _Point) -> str:
        """Give the text as it was at a point."""
        content = self.text.content
        for p in reversed(self.passes[point.passes :]):
            content = undo_changes(content, p.changes, unit=p.unit)
        return content

    def back(self, point: _Point) -> None:
        """Undo all passes and captures since a point."""
        content = self.content_at(point)
        self.passes, self.captured = self.passes[: point.passes], self.captured[: point.captured]
        self.refusals.quoted = dict(point.quoted)
        self.presence = Presence(content, self.steps.index)
        self.text = self.text.but(content=content, marks=point.marks, held=self.presence.held)
        self.version += 1

    def follow(self, steps: Plan) -> None:
        """Go on by another plan."""
        if steps is not self.steps:
            self.steps, self.presence = steps, Presence(self.text.content, steps.index)
            self.text = self.text.but(held=self.presence.held)

    def findings(self, number: int) -> list[Finding]:
        """Give what the unit with this number in the plan finds in the text as it is now. It runs only where it may
        find something, and not again on a text that it has seen."""
        if not self.presence.open[number]:
            return []
        unit = self.steps.units[number]
        if time.monotonic() > self.deadline:
            raise RuleTimeoutError(
                "the rules together needed too long for this text; nothing was written",
                fix="leave out rules of your own, or split the source into several files",
                rule=unit.id,
            )
        version, given = self.given.get(unit.rule.digest, (-1, []))
        if version != self.version:
            given = findings(unit, self.text)
            self.given[unit.rule.digest] = self.version, given
        return given

    def mark(self, marks: Iterable[Mark]) -> None:
        """Put marks into the text."""
        text = with_marks(self.text, marks)
        if text.marks != self.text.marks:
            self.text = text
            self.version += 1

    def change(self, changes: Sequence[Change], content: str) -> None:
        """Go on with what changes made of the text."""
        self.text = self.text.but(content=content, marks=map_marks(self.text.marks, changes))
        self.presence.change(changes, content)
        self.version += 1


def run(
    source: Source,
    content: str,
    decoding: Decoding,
    steps: Plan,
    *,
    choice: ProfileChoice | None = None,
    again: Judge | None = None,
    suppress: Sequence[Suppression] = (),
) -> Cleaned:
    """Run a plan on a decoded text until a further round would change nothing (the law of rest).

    With ``again`` the clean text is judged as well: where it is of another kind than the source, that plan runs
    too, until the text is at rest under the plan that it asks for itself.
    """
    presence = Presence(content, steps.index)
    state = _State(
        Text(content, guards=steps.guards, held=presence.held),
        steps,
        presence,
        Refusals.of(suppress, content),
        most=GROWTH * len(content) + GROWTH_ROOM,
        deadline=time.monotonic() + DOCUMENT_SECONDS * max(1.0, len(content) / 1e6),
    )
    plans = [steps, *_settle(state, steps, source.name, again)]
    state.follow(steps)
    for number, unit in enumerate(steps.structure, len(steps.cleaning)):
        found = state.refusals.part(unit.id, state.findings(number), state.text, len(state.passes))
        state.captured += [(unit.id, f, len(state.passes)) for f in found if isinstance(f, Capture)]
        state.mark(f for f in found if isinstance(f, Mark))
    text = state.text
    off = {r.id for r in steps.rulebook.rules if r.level == "off"}
    raise_unused(state.refusals.unused(), content, off)
    ledger = Ledger(
        source_sha256=source.sha256,
        source_size=len(source.data),
        decoding=decoding,
        rulebook_digest=_digest(plans, suppress),
        version=version(),
        passes=tuple(state.passes),
        notes=_notes(state.captured, [*state.lasting, *state.last], state.passes, content),
        marks=text.marks,
        text_sha256=text_digest(text.content),
        profile=choice._replace(then=tuple(p.profile for p in plans[1:])) if choice else None,
        suppressed=_suppressed(state.refusals, state.passes, content),
    )
    return Cleaned(source, text.content, ledger, text.marks, steps.guards, steps)


def _settle(state: _State, steps: Plan, name: str, again: Judge | None) -> list[Plan]:
    """Bring the text to rest under the plan, and under those that it then asks for itself; give these."""
    whole = _rest(state, steps, name)
    plans = [steps]
    here = state.here()
    seen = {here.digest: here}
    while again:
        following = again(state.text.content)[0]
        known = {unit.rule.digest for unit in plans[-1].cleaning} if whole else set()
        if following.digest == plans[-1].digest or (whole and not _would_change(state, following, known)):
            break
        before = state.here()
        whole = _rest(state, following, name)
        here = state.here()
        if here.digest == before.digest:
            state.back(before)
            break
        plans.append(following)
        if here.digest in seen:  # the plans undo each other: of the texts in the circle the first stays
            state.back(min(_circle(seen, here), key=state.content_at))
            break
        seen[here.digest] = here
    return plans[1:]


def _would_change(state: _State, steps: Plan, known: Container[str]) -> bool:
    """Tell whether a unit of the plan that is not ``known`` to be at rest would change the text."""
    at = len(state.passes)
    refusals = state.refusals.fresh()
    state.follow(steps)
    return any(
        isinstance(f, Change)
        for number, unit in enumerate(steps.cleaning)
        if unit.rule.digest not in known
        for f in refusals.part(unit.id, state.findings(number), state.text, at)
    )


def _rest(state: _State, steps: Plan, name: str) -> bool:
    """Run the cleaning of a plan until a round changes nothing. Raises RuleError when that does not come.

    False: rules undo each other, and the text is the first in order of those in the circle.
    """
    here = state.here()
    ends = {here.digest: here}
    for turn in range(MAX_ROUNDS):
        state.rounds += 1
        count = len(state.passes)
        if turn:
            _round(state, steps, costly=False)
        if len(state.passes) == count:
            _round(state, steps)
        if len(state.passes) == count:
            return True
        here = state.here()
        if here.digest in ends:  # rules undo each other: of the texts in the circle the first in order stays
            fighters = sorted({p.unit for p in state.passes[ends[here.digest].passes :]})
            state.back(min(_circle(ends, here), key=state.content_at))
            state.last += [(f, Held(_fight(f, fighters)), len(state.passes)) for f in fighters]
            return False
        ends[here.digest] = here
    busy = sorted({p.unit for p in state.passes if p.round == state.rounds})
    raise RestlessError(
        f"the rules never come to rest: after {MAX_ROUNDS} rounds they still change the text that they have made "
        f"themselves: {', '.join(busy)}; nothing was written",
        where=name,
        fix="what one of them puts in fits its own `match`, or that of another: narrow that `match`, "
        "or set one of them to `level: off`",
        rules=tuple(busy),
    )


def _circle(points: Mapping[str, _Point], here: _Point) -> list[_Point]:
    """Give the points of which the text came back to the first."""
    return [p for p in points.values() if p.passes >= points[here.digest].passes]


_NOTHING_LEFT = "it would leave nothing of the text"
_FOR_EVER = "which would go on for ever"


def _fight(name: str, fighters: Sequence[str]) -> str:
    others = " and ".join(f for f in fighters if f != name)
    return (
        (f"it and {others} undo each other's changes" if others else "it undoes its own changes")
        + f", {_FOR_EVER}, so the text stays as one of them leaves it; narrow the `match` of one of them, "
        "or set one to `level: off`"
    )


def alarms(ledger: Ledger) -> list[str]:
    """Say which rules were held back since they are unsound: they would empty the text, or undo each other."""
    held = [(n.unit, n.finding.reason) for n in ledger.notes if isinstance(n.finding, Held)]
    return [f"the rule {name} was held back: {why}" for name, why in held if UNASKED in why or _FOR_EVER in why]


def is_fight(finding: Finding) -> bool:
    """Tell whether a finding says that rules undo each other."""
    return isinstance(finding, Held) and _FOR_EVER in finding.reason


def _round(state: _State, steps: Plan, *, costly: bool = True) -> None:
    """Run each unit of the cleaning once; without ``costly`` those only that are cheap."""
    state.last = []
    state.follow(steps)
    presence = state.presence
    for number, unit in enumerate(steps.cleaning):
        if not presence.open[number]:  # so it is of most units
            continue
        if not costly and unit.rule.step and step_named(unit.rule.step).costly:
            continue
        given = state.findings(number)
        if not given:
            continue
        text, at = state.text, len(state.passes)
        found = state.refusals.part(unit.id, given, text, at)
        changes = tuple(f for f in found if isinstance(f, Change))
        state.captured += [(unit.id, f, at) for f in found if isinstance(f, Capture)]
        state.last += [(unit.id, f, at) for f in found if isinstance(f, Suggestion | Held)]
        if state.rounds == 1 and unit.rule.step and step_named(unit.rule.step).lasting:
            state.lasting += [(unit.id, f, at) for f in found if isinstance(f, Suggestion)]
        state.mark(f for f in found if isinstance(f, Mark))
        if changes:
            after = apply_changes(text.content, changes, unit=unit.id)
            if unit.rule.limit.drop < 1 and not has_content(after) and has_content(text.content):
                state.last.append((unit.id, Held(_NOTHING_LEFT), at))
                continue
            state.passes.append(Pass(unit.id, unit.rule.phase, unit.rule.digest, state.rounds, kept(changes)))
            state.refusals.passed(changes)
            if len(text.content) + _growth(changes) > state.most:
                raise grows_without_end(sorted({p.unit for p in state.passes if _growth(p.changes) > 0}))
            state.change(changes, after)


def _growth(changes: Iterable[Change]) -> int:
    """Give by how many characters changes make a text longer."""
    return sum(len(c.after) - len(c.before) for c in changes if c.to is None)


def _digest(plans: Sequence[Plan], suppress: Sequence[Suppression]) -> str:
    """Give the digest of all that decides about the text: the rules at their levels, and what is suppressed."""
    if len(plans) == 1 and not suppress:
        return plans[0].digest
    said = [[p.digest for p in plans], [[s.rule, s.at, s.reason] for s in suppress]]
    return text_digest(json.dumps(said, ensure_ascii=True))


def _suppressed(refusals: Refusals, passes: Sequence[Pass], content: str) -> tuple[Suppressed, ...]:
    """Give what was refused, each once, in the order of the source."""
    source, origins = Text.of(content), Origins(passes)
    found: dict[tuple[str, int, int], Suppressed] = {}
    for unit, finding, at, suppression in refusals.refused:
        start, before, after = as_noted(finding)
        place = source.place(min(origins.of(start, min(at, len(passes))), len(content)))
        found.setdefault((unit, *place), noted(suppression, unit, place, before, after))
    return tuple(sorted(found.values(), key=lambda s: (s.line, s.column, s.unit)))


_CHUNK = 1 << 20
"""Characters that are encoded at a time."""


def text_digest(text: str) -> str:
    """Give the SHA-256 of a text in UTF-8."""
    digest = hashlib.sha256()
    for start in range(0, len(text), _CHUNK):
        digest.update(text[start : start + _CHUNK].encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _notes(
    captured: Iterable[tuple[str, Capture, int]],
    others: Iterable[tuple[str, Finding, int]],
    passes: Sequence[Pass],
    content: str,
) -> tuple[Note, ...]:
    """Turn findings into notes with their place in the source; a fact found again is noted once."""
    source = Text.of(content)
    origins = Origins(passes)

    def place(offset: int, before_pass: int) -> tuple[int, int]:
        return source.place(min(origins.of(offset, before_pass), len(content)))

    maps: dict[int, OffsetMap] = {}
    notes: dict[tuple[object, ...], Note] = {}
    for unit, finding, at in [*captured, *others]:
        if isinstance(finding, Capture):
            notes.setdefault((unit, finding.field, finding.value), Note(unit, *place(finding.start, at), finding))
        elif isinstance(finding, Suggestion):
            end = finding.start
            for p in passes[at:]:
                if id(p) not in maps:
                    maps[id(p)] = OffsetMap(p.changes)
                end = maps[id(p)].forward(end)
            line, column = place(finding.start, at)
            notes[(unit, line, column, finding.before)] = Note(unit, line, column, finding._replace(start=end))
        elif isinstance(finding, Held):
            notes[(unit,)] = Note(unit, 1, 1, finding)
    return tuple(notes.values())


def revert(text: str, ledger: Ledger) -> bytes:
    """Give the bytes of the source from a clean text and its ledger.

    Raises LedgerError when the two do not belong together.
    """
    return source_bytes(ledger.revert(text), ledger)


def source_bytes(content: str, ledger: Ledger) -> bytes:
    """Give the bytes of the source from its text, as decoded. Raises LedgerError when ledger and text disagree."""
    at = 0
    for segment in ledger.decoding.segments:  # a foreign ledger may claim anything
        if segment.start != at or segment.end < at:
            raise LedgerError("the ledger's decoding has gaps or overlaps", fix="take the ledger of the same build")
        at = segment.end
    if at != len(content):
        raise LedgerError("the ledger's decoding is not that of this text", fix="take the ledger of the same build")
    try:
        data = encode(content, ledger.decoding)
    except (UsageError, ValueError, LookupError) as error:
        raise LedgerError(
            f"the ledger's decoding does not fit this text ({str(error)[:80]})", fix="take the ledger of the same build"
        ) from None
    if hashlib.sha256(data).hexdigest() != ledger.source_sha256:
        raise LedgerError(
            "the bytes that come out are not those of the source (their SHA-256 differs)",
            fix="use the text and the ledger of the same build, unchanged",
        )
    return data
