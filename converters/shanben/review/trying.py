"""A rule as it is being written: its faults, its hits in the works that lie open, and how it is saved."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from shanben.check_rules import check_rulebook, unified_diff
from shanben.errors import RuleError, RuleTimeoutError, UsageError
from shanben.ledger import Capture, Change, Finding, Held, Suggestion
from shanben.new_rule import quoted
from shanben.pipeline import OWN_PHASE, make_plan, shipped_rules
from shanben.resources import rules_root
from shanben.review.decisions import Outcome, commit, current, put
from shanben.review.desk import OpenWork, State, Versions, Written
from shanben.review.own_file import entries, with_entry
from shanben.rulebook.apply import Unit, findings, make_unit, resolve_near
from shanben.rulebook.backtracking import slow_parts
from shanben.rulebook.load import load_rule_file, load_rules
from shanben.rulebook.patterns import full_pattern
from shanben.rulebook.schema import PHASES, Place, Rule
from shanben.rulebook.strict_yaml import Fault, Faults, Pairs, parse_bytes
from shanben.values import Mark, Text

SECONDS = 2.0
"""Time that a rule may take on one work while it is being written."""
MOST_HITS = 200
"""Hits that are told of one work; all are counted."""
CONTEXT = 14
LONGEST = 64 * 1024
"""Characters that the text of a rule may have here."""
OWN_RULES = "my-rules.yaml"


@dataclass(frozen=True, slots=True)
class Hit:
    """What a rule found. Line and column are those of the text that the rule was given, from 1."""

    unit: str
    line: int
    column: int
    left: str
    before: str
    after: str
    right: str
    kind: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a rule: faults of its text, hits by work (with their number), and why it was held back."""

    faults: tuple[Fault, ...]
    hits: dict[str, tuple[int, tuple[Hit, ...]]]
    held: tuple[str, ...] = ()


def try_rule(text: str, phase: str, states: Sequence[State]) -> Tried:
    """Try rules, as they would stand in a file of this phase, on works. Works phase: on the clean text, else the source."""
    faults, rules = read_rules(text, phase, states)
    if faults:
        return Tried(tuple(faults), {})
    hits: dict[str, tuple[int, tuple[Hit, ...]]] = {}
    held: list[str] = []
    slow = [
        _slow_fault(rule) for rule in rules if rule.match and any(p.endless for p in slow_parts(full_pattern(rule)))
    ]
    if slow:
        return Tried(tuple(slow), {})
    for state in states:
        content = state.cleaned.text if phase in ("works", "structure") else state.source_text
        given = Text(content, guards=state.plan.guards)
        found: list[Hit] = []
        count = 0
        for unit in _units(rules, state):
            try:
                list(unit.find(given, SECONDS))
                got = findings(unit, given)
            except (TimeoutError, RuleTimeoutError):
                return Tried((_slow_fault(unit.rule),), {})
            held += [f.reason for f in got if isinstance(f, Held)]
            told = [f for f in got if not isinstance(f, Held)]
            count += len(told)
            found += [_hit(unit.id, f, given) for f in told[: MOST_HITS - len(found)]]
        hits[state.work.slug] = (count, tuple(found))
    return Tried((), hits, tuple(dict.fromkeys(held)))


def read_rules(text: str, phase: str, states: Sequence[State]) -> tuple[list[Fault], tuple[Rule, ...]]:
    """Read the text of rules as a file of a phase; give its faults, each with line and column, and the rules."""
    if phase not in PHASES:
        raise UsageError("there is no such phase", fix=f"choose one of {', '.join(PHASES)}")
    if len(text) > LONGEST:
        raise UsageError("this is too long for one rule", fix="write a rule file")
    shift = 0 if _has_head(text) else 1
    faults = Faults()
    rules: tuple[Rule, ...] = ()
    with tempfile.TemporaryDirectory(prefix="shanben-review-") as folder:
        file = Path(folder) / f"{phase}.yaml"
        file.write_bytes(_as_file(text).encode("utf-8", "replace"))
        rules = load_rule_file(file, phase, base=states[0].plan.rulebook if states else None, faults=faults)
    found = [f._replace(place=Place("", max(1, f.place.line - shift), f.place.column)) for f in faults]
    return found, tuple(r._replace(level="fix") if r.level == "off" else r for r in rules)


def _has_head(text: str) -> bool:
    return any(line.startswith(("rules:", "let:")) for line in text.splitlines())


def _as_file(text: str) -> str:
    return text if _has_head(text) else f"rules:\n{text}"


def _slow_fault(rule: Rule) -> Fault:
    return Fault(
        Place("", max(1, rule.place.line - 1), rule.place.column), "too-slow",
        f"the rule {rule.id} was stopped: its pattern can be tried in endless ways",
        "write [^\\n]{0,80} where it says .* or .+, and let no repeat stand inside another",
    )  # fmt: skip


def _units(rules: Iterable[Rule], state: State) -> list[Unit]:
    book = state.plan.rulebook
    mine = {r.id for r in rules}
    whole = resolve_near(book._replace(rules=(*(r for r in book.rules if r.id not in mine), *rules)))
    return [make_unit(r) for r in whole.rules if r.id in mine and r.kind != "protect"]


def _hit(unit: str, f: Finding, text: Text) -> Hit:
    assert not isinstance(f, Held)  # noqa: S101 - these are told apart before
    line, column = text.place(f.start)
    if isinstance(f, Change | Suggestion):
        end = f.start + len(f.before)
        before, after = f.before, f.after
        kind: str = f.kind if isinstance(f, Change) else "suggestion"
    else:
        span = text.lines[line - 1]
        end = span.end
        before = text.content[span.start : span.end]
        after, kind = (f.value, f.field) if isinstance(f, Capture) else (f.kind, "mark")
    start = f.start if not isinstance(f, Mark | Capture) else text.lines[line - 1].start
    left = text.content[max(0, start - CONTEXT) : start].rsplit("\n", 1)[-1]
    right = text.content[end : end + CONTEXT].split("\n", 1)[0]
    return Hit(unit, line, column, left, before, after, right, kind)


# --- saving --------------------------------------------------------------------------------------------------


def save_rule(desk: OpenWork, text: str, where: str, versions: Versions) -> Outcome:
    """Put rules into the work's own file (``where`` is work) or the user's rule folder (own), if their examples hold.

    A rule for all works must leave the texts of all other rules alone as well, one for this work need not.
    Raises ConflictError, UsageError, RuleError with the faults or with the examples that failed.
    """
    with desk.lock:
        state = current(desk, versions)
        root = parse_bytes(_as_file(text).encode("utf-8", "replace"), "the rule", Faults())
        if isinstance(root, Pairs) and "let" in root.entries:
            raise UsageError("named parts (let:) cannot be saved from here", fix="write the pattern out")
        found = entries(_as_file(text.rstrip() + "\n").encode(), "rules")
        if not found:
            raise UsageError("there is no rule in this text", fix="begin with - id: and so on")
        faults, rules = read_rules(text, OWN_PHASE, [state])
        if faults:
            raise RuleError(
                "\n".join(f"line {f.place.line}, column {f.place.column}: {f.message}" for f in faults[:20])
            )
        bare = [_flush_left(e.raw) for e in found]
        names = [r.id for r in rules]
        if where == "work":
            data = state.own or b""
            for entry in bare:
                data = with_entry(data, "rules", entry)
            tried = desk.tried(state.work, data, state.versions)
            _hold_plan([str(f) for f in check_rulebook(tried.plan, names) if f.rule in names])
            commit(desk, state, tried)
            return Outcome(desk.open(), tuple(bare))
        if where != "own":
            raise UsageError("a rule goes into the work's own file or into your rule folder", fix="choose one")
        book = state.plan.rulebook
        taken = {r.overrides for r in rules}
        plan = make_plan(book._replace(rules=(*(r for r in book.rules if r.id not in taken), *rules)))
        _hold_plan([str(f) for f in check_rulebook(plan, names)])
        path = desk.rules_folder(state.work) / OWN_RULES
        desk.check_target(path)
        before = path.read_bytes() if path.is_file() else None
        data = before or b""
        for entry in bare:
            data = with_entry(data, "rules", entry)
        _check_folder(path, data)
        current(desk, versions)
        folders = () if path.parent.exists() else (path.parent,)
        put(path, data)
        desk.written.append(Written(before, data, folders, path))
        return Outcome(desk.open(), tuple(bare))


def _check_folder(path: Path, data: bytes) -> None:
    """Load a folder of rules as it would be with these bytes in one of its files: for a work without rules of its own,
    and with those of all works. Raises RuleError."""
    with tempfile.TemporaryDirectory(prefix="shanben-review-") as name:
        top = Path(name)
        for file in path.parent.rglob("*.yaml"):
            if file.is_file() and file != path:
                copy = top / file.relative_to(path.parent)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)
        (top / path.name).write_bytes(data)
        for work in (None, "*"):
            load_rules(
                top,
                layer=str(path.parent),
                base=shipped_rules(work),
                work=work,
                flat_phase=OWN_PHASE,
                shown_as=str(path.parent),
            )


def _flush_left(raw: str) -> str:
    lines = raw.replace("\r\n", "\n").splitlines()
    indent = len(lines[0]) - len(lines[0].lstrip(" "))
    return "".join(f"{line[indent:] if not line[:indent].strip() else line}\n" for line in lines)


def _hold_plan(failures: Sequence[str]) -> None:
    if failures:
        raise RuleError("\n".join(failures[:8]), fix="mend the rule or its examples; nothing was written")


# --- a keep for the rule's own file --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Proposal:
    """A text that a rule must leave alone, as a change of the rule's file; ``own`` when the file is the user's."""

    file: str
    diff: str
    own: bool


def propose_keep(desk: OpenWork, state: State, unit: str, text: str) -> Proposal:
    """Give the diff that adds a `keep` to a rule. Raises UsageError where the rule has no file of its own."""
    rule = next((r for r in state.plan.rulebook.rules if r.id == unit), None)
    if rule is None:
        raise UsageError("this change is of no rule", fix="there is nothing to add a keep to")
    path = _file_of(rule.place.file)
    if path is None:
        raise UsageError("the file of this rule cannot be found", where=rule.place.file, fix="add the keep by hand")
    old = path.read_text(encoding="utf-8")
    entry = next((e for e in entries(old.encode(), "rules") if e.values.get("id") == unit.split("/")[-1]), None)
    if entry is None:
        raise UsageError(
            "the rule does not stand in its file any more", where=rule.place.file, fix="load the page again"
        )
    new_entry = _with_keep(entry.raw, quoted(text))
    new = old.replace(entry.raw, new_entry, 1)
    own = desk.rules_folder(state.work) in path.parents
    return Proposal(rule.place.file, unified_diff(old, new, f"a/{rule.place.file}", f"b/{rule.place.file}"), own)


def _file_of(shown: str) -> Path | None:
    """Give the file that messages name so: a user's by its path, a shipped one from `rules/` on."""
    root = rules_root()
    shipped = [root.parent / shown] if isinstance(root, Path) else []
    return next((p for p in (*shipped, Path(shown)) if p.is_file()), None)


def _with_keep(raw: str, item: str) -> str:
    """Add a keep to the text of a rule.

    >>> print(_with_keep("- id: a\\n  keep: ['x']\\n", "'y'") + _with_keep("- id: a\\n", "'y'"), end="")
    - id: a
      keep: ['x', 'y']
    - id: a
      keep:
      - 'y'
    """
    lines = raw.splitlines(keepends=True)
    indent = len(lines[0]) - len(lines[0].lstrip(" ")) + 2
    pad = " " * indent
    for n, line in enumerate(lines):
        if not line.startswith(f"{pad}keep:"):
            continue
        bare = line.rstrip()
        if bare.endswith("]"):
            lines[n] = f"{bare[:-1]}, {item}]\n"
            return "".join(lines)
        last = n
        while last + 1 < len(lines) and lines[last + 1].startswith((f"{pad}- ", f"{pad} ")):
            last += 1
        dash = lines[n + 1][: len(lines[n + 1]) - len(lines[n + 1].lstrip(" "))] if last > n else pad
        lines.insert(last + 1, f"{dash}- {item}\n")
        return "".join(lines)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    return "".join([*lines, f"{pad}keep:\n", f"{pad}- {item}\n"])
