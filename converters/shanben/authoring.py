"""What a rule author wants to see: what a rule says, what it would do to documents, what two versions do differently.

Nothing here writes. Rules are looked at with the same pipeline that cleans, so what is seen is what will happen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from shanben.check_rules import unified_diff
from shanben.decode import decode
from shanben.errors import UsageError
from shanben.explain import Hit, hits
from shanben.ledger import Capture, Change, Finding, Held, Suggestion, apply_changes
from shanben.pipeline import OWN_PHASE, Cleaned, Plan, make_plan, plan, profiles, run
from shanben.profiles import judge
from shanben.resources import rules_root
from shanben.rulebook.apply import findings
from shanben.rulebook.load import load_rule_file, load_rules
from shanben.rulebook.patterns import full_pattern
from shanben.rulebook.schema import FOLDERS, Level, Rule, Rulebook
from shanben.rulebook.strict_yaml import Faults, did_you_mean
from shanben.values import Mark, Text
from shanben.works import Work, own_rules

CONTEXT = 12
"""Characters shown before and after a hit."""


# --- Which rules -------------------------------------------------------------------------------------------


def layers_here(given: Sequence[Path]) -> tuple[Path, ...]:
    """Give the rule folders that were named; without any, the folder `rules` here if it holds a user's own."""
    beside = own_rules(Path())
    return tuple(given) or ((beside,) if beside else ())


def choose(book: Rulebook, words: Sequence[str]) -> tuple[Rulebook, frozenset[str]]:
    """Give the ids that words mean: an id, a rule file, or a folder of them.

    Files that are not among the rules are laid over them: the first value is the rulebook with them. Raises
    UsageError for a word that means nothing, RuleError for files with faults.
    """
    chosen: set[str] = set()
    for word in words:
        ids = {r.id for r in book.rules}
        if word in ids:
            chosen.add(word)
        elif Path(word).exists():
            found = _ids_under(book, Path(word))
            if not found:
                book, found = lay_over(book, Path(word))
            chosen |= found
        else:
            hint = did_you_mean(word, ids)
            raise UsageError(f"there is no rule and no file {word!r}{hint}", fix="`shanben rules list` names all rules")
    return book, frozenset(chosen)


def _ids_under(book: Rulebook, path: Path) -> frozenset[str]:
    """Give the ids of the rules that were loaded from a file, or from files in a folder."""
    target = path.resolve()
    files = {r.place.file for r in book.rules}
    inside = {file for file in files if any(_is_under(p, target) for p in _paths(file))}
    return frozenset(r.id for r in book.rules if r.place.file in inside)


def _is_under(path: Path, target: Path) -> bool:
    return path == target or target in path.parents


def _paths(shown: str) -> tuple[Path, ...]:
    """Give where a file may lie that messages name so: shipped ones are named from `rules/` on."""
    own, root = Path(shown).resolve(), rules_root()
    shipped = Path(str(root)).joinpath(*PurePosixPath(shown).parts[1:]).resolve()
    return tuple(p for p in (own, shipped) if p.is_file())


def lay_over(book: Rulebook, path: Path) -> tuple[Rulebook, frozenset[str]]:
    """Lay the rules of a file or folder over a rulebook, and give their ids as well.

    A rule of the same id gives way, as it would if the file were edited in its place. Raises RuleError.
    """
    if path.is_dir():
        own = load_rules(path, work="*", flat_phase=OWN_PHASE, faults=Faults(), check_patterns=False).rules
        base = _without(book, own)
        merged = load_rules(path, layer=str(path), base=base, work="*", flat_phase=OWN_PHASE)
        return merged, frozenset(r.id for r in own)
    phase = path.resolve().parent.name
    phase = phase if phase in FOLDERS else OWN_PHASE
    base = _without(book, load_rule_file(path, phase, faults=Faults(), check_patterns=False))
    own = load_rule_file(path, phase, base=base)
    gone = {r.overrides for r in own}
    rules = (*(r for r in base.rules if r.id not in gone), *own)
    return book._replace(rules=rules), frozenset(r.id for r in own)


def _without(book: Rulebook, own: Iterable[Rule]) -> Rulebook:
    gone = {r.id for r in own if r.overrides != r.id}
    return book._replace(rules=tuple(r for r in book.rules if r.id not in gone))


# --- What rules do to a document ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Effect:
    """What rules do to one document: ``hits`` in order, a unified ``diff``, and why rules were held back."""

    source: str
    hits: tuple[Hit, ...]
    diff: str
    held: tuple[tuple[str, str], ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """Give how many hits each rule has, the most first."""
        return dict(Counter(h.unit for h in self.hits).most_common())


def effect(
    work: Work,
    words: Sequence[str],
    *,
    layers: Sequence[Path] = (),
    encoding: str | None = None,
    alone: bool = False,
) -> Effect:
    """Compare the clean text of a document with some rules and without them, whatever their level.

    ``words`` are ids, rule files or folders. A rule that overrides another is compared with that one. With
    ``alone`` only these rules run, each once, on the decoded text; else what the work refuses is refused here as
    well. Raises as `pipeline.clean` does.
    """
    source = work.read()
    content, decoding = decode(source.data, encoding=encoding or work.encoding, name=source.name)
    folders = work.layers(layers)
    choice = judge(content, profiles(folders, work.slug))
    book, chosen = choose(plan(folders, work.slug, choice.name).rulebook, words)
    on = make_plan(_at_level(book, chosen, "fix"))
    if alone:
        return _alone(str(work.path), content, on, chosen)
    off = make_plan(_restored(_at_level(book, chosen, "off"), chosen, work.slug))
    refused = (*work.suppress, *book.suppress)
    with_them = run(source, content, decoding, on, suppress=refused)
    without = run(source, content, decoding, off, suppress=[s for s in refused if s.rule not in chosen])
    names = ", ".join(sorted(chosen)) if len(chosen) <= 3 else f"{len(chosen)} rules"
    diff = unified_diff(without.text, with_them.text, f"{work.path} (without)", f"{work.path} (with {names})", 1)
    return Effect(str(work.path), tuple(hits_of(with_them, content, chosen)), diff, _held(with_them, chosen))


def _at_level(book: Rulebook, chosen: frozenset[str], level: Level) -> Rulebook:
    rules = (r._replace(level=level) if r.id in chosen else r for r in book.rules)
    return book._replace(rules=tuple(rules))


def _restored(book: Rulebook, chosen: frozenset[str], work: str) -> Rulebook:
    """Put back the shipped rules whose place the chosen ones take."""
    replaced = {r.overrides for r in book.rules if r.id in chosen and r.overrides}
    shipped = [r for r in plan((), work).rulebook.rules if r.id in replaced] if replaced else []
    kept = [r for r in book.rules if r.id not in replaced]
    return book._replace(rules=(*kept, *shipped))


def _held(cleaned: Cleaned, chosen: frozenset[str]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (n.unit, n.finding.reason) for n in cleaned.ledger.notes if n.unit in chosen and isinstance(n.finding, Held)
    )


def hits_of(cleaned: Cleaned, content: str, chosen: frozenset[str] | None = None) -> Iterator[Hit]:
    """Give all that rules found in a document: changes, suggestions, facts, marks and protected spans."""

    def is_wanted(name: str) -> bool:
        return chosen is None or name in chosen

    yield from (h for h in hits(cleaned, content, context=CONTEXT) if is_wanted(h.unit))
    for note in cleaned.ledger.notes:
        if isinstance(note.finding, Capture) and is_wanted(note.unit):
            f = note.finding
            yield Hit(note.unit, "", note.line, note.column, "", f.value, f.field, "", "capture")
    text = Text.of(cleaned.text)
    for mark in cleaned.marks:
        if is_wanted(mark.unit):
            line, column = text.place(mark.start)
            yield Hit(mark.unit, "", line, column, "", _line(text, line), mark.kind, "", "mark")
    rules = cleaned.plan.rulebook.rules if cleaned.plan else ()
    for rule in rules:
        if rule.kind == "protect" and chosen is not None and rule.id in chosen:
            yield from _protected(rule, cleaned)


def _line(text: Text, number: int) -> str:
    span = text.lines[number - 1]
    return text.content[span.start : span.end]


def _protected(rule: Rule, cleaned: Cleaned) -> Iterator[Hit]:
    text = Text.of(cleaned.text)
    for span in cleaned.guards[rule.protect](cleaned.text):
        line, column = text.place(span.start)
        piece = cleaned.text[span.start : span.end]
        yield Hit(rule.id, "", line, column, "", piece, rule.protect, "", "protected")


def _alone(name: str, content: str, steps: Plan, chosen: frozenset[str]) -> Effect:
    found: list[Hit] = []
    held: list[tuple[str, str]] = []
    after = content
    for unit in (u for u in steps.units if u.id in chosen):
        text = Text(after, guards=steps.guards)
        given = findings(unit, text)
        found += [h for f in given if (h := _as_hit(unit.id, f, text))]
        held += [(unit.id, f.reason) for f in given if isinstance(f, Held)]
        after = apply_changes(after, [f for f in given if isinstance(f, Change)], unit=unit.id)
    diff = unified_diff(content, after, f"{name} (decoded)", f"{name} (with {', '.join(sorted(chosen))} alone)", 1)
    return Effect(name, tuple(found), diff, tuple(held))


def _as_hit(unit: str, finding: Finding, text: Text) -> Hit | None:
    if isinstance(finding, Held):
        return None
    line, column = text.place(finding.start)
    if isinstance(finding, Capture):
        return Hit(unit, "", line, column, "", finding.value, finding.field, "", "capture")
    if isinstance(finding, Mark):
        return Hit(unit, "", line, column, "", _line(text, line), finding.kind, "", "mark")
    end = finding.start + len(finding.before)
    left = text.content[max(0, finding.start - CONTEXT) : finding.start]
    right = text.content[end : end + CONTEXT]
    kind = "suggestion" if isinstance(finding, Suggestion) else finding.kind
    return Hit(unit, "", line, column, left, finding.before, finding.after, right, kind, finding.reason)


# --- Two versions of rules ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """What two versions of rules do differently: ids, and per rule the hits gained and lost, with their document."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    gained: dict[str, tuple[tuple[str, Hit], ...]]
    lost: dict[str, tuple[tuple[str, Hit], ...]]

    @property
    def rules(self) -> tuple[str, ...]:
        """Give the ids of all rules with hits gained or lost, in order."""
        return tuple(sorted({*self.gained, *self.lost}))


def whole_book(path: Path) -> Rulebook:
    """Load a version of rules: a folder with all phases stands alone, all else is laid over the shipped rules.

    Raises UsageError for a path that is not there, RuleError for faults.
    """
    if not path.exists():
        raise UsageError("there is no such file or folder", where=str(path), fix="name a rule file or a folder")
    if path.is_dir() and all((path / name).is_dir() for name in FOLDERS[:-2]):
        return load_rules(path, layer=str(path))
    return lay_over(plan().rulebook, path)[0]


def compare(old: Path, new: Path, works: Sequence[Work], *, encoding: str | None = None) -> Difference:
    """Clean documents with two versions of rules, all at their own levels, and tell the difference."""
    before, after = whole_book(old), whole_book(new)
    digests = [{r.id: r.digest for r in book.rules} for book in (before, after)]
    one, two = digests
    plans = make_plan(before), make_plan(after)
    lost: dict[str, list[tuple[str, Hit]]] = {}
    gained: dict[str, list[tuple[str, Hit]]] = {}
    for work in works if before.digest != after.digest else ():
        source = work.read()
        content, decoding = decode(source.data, encoding=encoding or work.encoding, name=source.name)
        was, now = (list(hits_of(run(source, content, decoding, p), content)) for p in plans)
        for found, others, into in ((was, now, lost), (now, was, gained)):
            known = Counter(map(_key, others))
            for hit in found:
                if known[_key(hit)]:
                    known[_key(hit)] -= 1
                else:
                    into.setdefault(hit.unit, []).append((str(work.path), hit))
    return Difference(
        tuple(sorted(two.keys() - one.keys())),
        tuple(sorted(one.keys() - two.keys())),
        tuple(sorted(name for name in one.keys() & two.keys() if one[name] != two[name])),
        {name: tuple(found) for name, found in gained.items()},
        {name: tuple(found) for name, found in lost.items()},
    )


def _key(hit: Hit) -> tuple[object, ...]:
    return hit.unit, hit.line, hit.column, hit.before, hit.after, hit.kind


# --- What a rule says --------------------------------------------------------------------------------------


def described(rule: Rule) -> dict[str, object]:
    """Give all that a rule says, named parts put in, as plain values; what it does not say is left out."""
    where = {
        "lines": f"first {rule.where.first}" if rule.where.first else f"last {rule.where.last}" * bool(rule.where.last),
        "repeated": rule.where.repeated,
        "near": rule.where.near,
    }
    said: dict[str, object] = {
        "id": rule.id, "phase": rule.phase, "file": str(rule.place), "kind": rule.kind, "level": rule.level,
        "fault": rule.fault, "fault-zh": rule.fault_zh, "why": rule.why,
        "before": rule.before, "match": rule.match, "after": rule.after,
        "pattern": full_pattern(rule) if rule.before or rule.after else "",
        "replace": rule.replace, "replace-each": dict(rule.replace_each), "remove": rule.remove,
        "capture": dict(rule.capture), "mark": rule.mark.kind if rule.mark else "", "protect": rule.protect,
        "step": rule.step, "params": dict(rule.params), "outside": list(rule.outside),
        "where": {k: v for k, v in where.items() if v},
        "when": {k: v for k, v in (("has", rule.when.has), ("lacks", rule.when.lacks)) if v},
        "limit": {k: v for k, v in (("drop", rule.limit.drop), ("hits", rule.limit.hits)) if v},
        "invariant": rule.invariant, "order": list(rule.run_after), "overrides": rule.overrides,
        "examples": [[e.before, e.after, *([e.clean] if e.clean != e.after else [])] for e in rule.examples],
        "keep": [k.text for k in rule.keep],
    }  # fmt: skip
    return {key: value for key, value in said.items() if value or (key == "replace" and value is not None)}
