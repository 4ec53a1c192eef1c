"""Rule files to rules: every fault of every file is found in one run, each with its place and the way out.

The folder says when a rule runs, `schema` what it may say, `strict_yaml` how the text is read. Nothing here
reads a document; patterns are compiled only to see whether they are sound.
"""

from __future__ import annotations

import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

import regex

from shanben.lazy import lazy_regex
from shanben.rulebook import strict_yaml
from shanben.rulebook.pattern_shape import MAX_PATTERN, EdgeError, PatternError, Scan, Shape
from shanben.rulebook.patterns import PATTERN_FLAGS, assembled, full_pattern
from shanben.rulebook.refusals import read_suppressions
from shanben.rulebook.schema import (
    FOLDERS,
    INVARIANTS,
    LEVELS,
    MARK_KINDS,
    METADATA_FIELDS,
    PHASES,
    PROTECT_FOLDER,
    Example,
    Invariant,
    Keep,
    Kind,
    Level,
    Limit,
    MarkSpec,
    ParamValue,
    Place,
    Rule,
    Rulebook,
    Suppression,
    When,
    Where,
)
from shanben.rulebook.strict_yaml import Entry, Faults, Items, Node, Pairs, Scalar, shown

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from shanben.steps import Step

RESERVED_FOLDERS = ("profiles",)
"""Folders under the root that hold no rules and are passed over."""
MAX_PATTERNS = 1_000_000
"""The sum of those lengths in one file. Both keep a small file from becoming a huge pattern."""
MAX_FOLDERS_DEEP = 6
MAX_LITERAL = 64
"""The longest text that `replace-each` may replace."""
MAX_CIRCLES = 20

CODES: Mapping[str, str] = {
    **strict_yaml.CODES,
    "R211": "a file that lies where no rule is looked for",
    "R212": "a name that is not in the wanted form",
    "R213": "an id that stands twice",
    "R214": "a rule that does nothing, or two things that exclude each other",
    "R215": "a key that does not go with the others",
    "R216": "an example that shows no change, or contradicts",
    "R217": "a rule in a folder that does not allow it",
    "R301": "a pattern that is not in single quotes or a block",
    "R302": "a pattern that is not valid",
    "R303": "a pattern that can match nothing at all",
    "R304": r"\b next to a Han character, where it hardly ever stands",
    "R305": "a replacement that names no group of the pattern",
    "R306": "a group that the pattern does not have",
    "R307": "a named part that is not defined",
    "R308": "a named part that nothing uses",
    "R309": "a pattern that is too long, too deep or repeats too much",
    "R310": "replacements that feed each other",
    "R401": "a protected span that no rule declares",
    "R402": "a rule id that does not exist, or cannot be meant here",
    "R403": "an order that runs in a circle",
    "R404": "`overrides` where there is nothing to override",
    "R405": "an order against the phases",
    "R406": "two rules that override the same one",
    "R407": "an unknown step",
    "R408": "a parameter that the step does not accept",
}
"""Every fault that rule files can have, each with its meaning."""

FILE_KEYS: Mapping[str, str] = {
    "let": "named parts of patterns, used as ${NAME}",
    "rules": "the rules, in any order",
    "suppress": "only in works/<work>.yaml: what the work refuses, place by place or a whole rule",
}
RULE_KEYS: Mapping[str, str] = {
    "id": "the rule's name: kebab-case, unique, never used again",
    "fault": "what is wrong with a text in which the rule acts: the fault, not the cure",
    "fault-zh": "the fault in Chinese, for the colophon",
    "why": "the norm, the case or the reason",
    "match": "the pattern (`regex` module, MULTILINE), in single quotes",
    "before": "a pattern for what stands before the match",
    "after": "a pattern for what stands after the match",
    "replace": r"what takes the place of the match; \g<name> is a group",
    "replace-each": "literal texts and what takes the place of each",
    "remove": "take the match away, or the whole lines that it touches",
    "capture": "metadata field: the group whose text goes there",
    "mark": "what the line of the match is",
    "protect": "the name of the protected span that the match is",
    "step": "the name of a step, for what a pattern cannot do",
    "params": "the parameters of the step",
    "outside": "protected spans that the rule leaves alone",
    "where": "limits of place",
    "when": "a condition on the whole text",
    "limit": "over it the rule is held back and reported",
    "level": "off, trial (count only), suggest (report), fix",
    "invariant": "what the rule's changes may never break",
    "order": "the rules that must run before this one",
    "overrides": "the rule of a lower layer whose place this one takes",
    "examples": "pairs: a text, and what it must become; a third text where later rules go on with that",
    "keep": "texts that must not change",
    "lint": "codes of lint (L…) that the rule is excused from, each with the reason",
}
REQUIRED_KEYS = ("id", "fault", "examples")
WHERE_KEYS: Mapping[str, str] = {
    "lines": "first n or last n: lines that are not empty are counted",
    "repeated": "only lines that stand so often in the text, digits taken as equal",
    "near": "only near a match of the rule with this id",
    "within": "how many lines away `near` may be",
}
WHEN_KEYS: Mapping[str, str] = {
    "has": "a pattern that the text must have",
    "lacks": "a pattern that the text must not have",
}
LIMIT_KEYS: Mapping[str, str] = {
    "drop": "the largest share of letters and digits that may go, as a percentage",
    "hits": "the largest number of matches",
}
ORDER_KEYS: Mapping[str, str] = {"after": "ids of rules that must have run"}
MARK_KEYS: Mapping[str, str] = {
    "as": "what the line is",
    "level": "the level of the heading, from 1",
    "level-of": "the group whose length is the level",
}
REMOVALS = ("line", "match")
MAX_LEVEL = 6
LINES_FORM = r"(?:first|last) [1-9][0-9]{0,5}"
ID_FORM = r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*"
LET_FORM = r"[A-Z][A-Z0-9_]*"
EXCUSE_FORM = r"L[0-9]{3}"

ACTIONS = ("replace", "replace-each", "remove", "capture", "mark", "protect", "step")
"""The keys that say what a rule does."""
COMBINATIONS: tuple[frozenset[str], ...] = tuple(
    frozenset(words.split())
    for words in (
        "replace",
        "replace-each",
        "remove",
        "capture",
        "capture remove",
        "mark",
        "mark replace",
        "mark capture",
        "mark replace capture",
        "protect",
        "step",
    )
)
"""The actions that may stand together in one rule."""
NOT_WITH: Mapping[str, tuple[str, ...]] = {
    "replace-each": ("match", "before", "after"),
    "step": ("match", "before", "after"),
    "protect": ("outside", "where", "when", "limit", "invariant", "order"),
}
"""Keys that would mean nothing beside an action."""


# --- Patterns ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A pattern with its named parts put in. ``joints`` tells where its pieces come from in the file."""

    text: str
    scalar: Scalar
    joints: tuple[tuple[int, int, bool], ...] = ()  # start in text, start in the written pattern, from a let

    def place(self, position: int) -> Place:
        """Give the place of a character; of one inside a named part, the place where that is used."""
        start, written, named = next((j for j in reversed(self.joints) if j[0] <= position), (0, 0, False))
        return self.scalar.place_at(written if named else written + position - start)


@dataclass(slots=True)
class _Let:
    """A named part; without ``value`` it has a fault of its own, and what uses it is passed over."""

    value: str | None
    place: Place
    used: bool = False


_USE = lazy_regex(r"\\.|\[|\]|\$\{(?P<name>[^}]*)\}?", regex.DOTALL)
_ATOM = lazy_regex(r"\\[pP]\{[^{}]*\}|\\.|[^\\\[(*+?{|^$]|\[(?:[^\[\]\\]|\\.)+\]", regex.DOTALL)


@dataclass(slots=True)
class _Lets:
    """The named parts of one file."""

    faults: Faults
    known: dict[str, _Let] = field(default_factory=dict)
    room: int = MAX_PATTERNS

    def expand(self, node: Node | None, what: str) -> _Pattern | None:
        """Read a pattern and put the named parts in, None after a fault.

        Outside a class a part is put in as a group of its own, so that `a|b` stays one thing; in a class it
        is put in as it stands.
        """
        scalar = strict_yaml.scalar(self.faults, node, what)
        if scalar is None:
            return None
        if scalar.style not in ("single", "literal"):
            fix = "'" + scalar.value.replace("'", "''") + "'"
            fix = f"write {fix}" if fix.isprintable() and len(fix) < 100 else "use single quotes"
            self.faults.add("R301", scalar.place, f"{what} must be in single quotes or a | block", fix)
        if scalar.style in ("literal", "folded"):
            scalar = scalar._replace(value=scalar.value.rstrip("\n"))
        return self._put_in(scalar, what)

    def _put_in(self, scalar: Scalar, what: str) -> _Pattern | None:
        parts, joints, length, end, deep, sound = [], [(0, 0, False)], 0, 0, 0, True
        for use in _USE.finditer(scalar.value):
            name = use["name"]
            deep = max(0, deep + (use[0] == "[") - (use[0] == "]"))
            if name is None or (deep and not regex.fullmatch(LET_FORM, name)):
                continue
            let = self.known.get(name)
            if let is None:
                hint = self.faults.hint(name, self.known)
                fix = "" if hint else "define it under `let:`, further up than here"
                place = scalar.place_at(use.start())
                self.faults.add("R307", place, f"{what}: no named part {shown(name)}{hint}", fix)
                sound = False
                continue
            let.used = True
            if let.value is None:
                sound = False
                continue
            if deep and not _ATOM.fullmatch(let.value) and regex.search(r"[()|]", let.value):
                words = f"{what}: inside […] the named part {shown(name)} would be taken letter by letter"
                self.faults.add("R302", scalar.place_at(use.start()), words, "use it outside, or make it a class […]")
                sound = False
                continue
            piece = let.value if deep or _ATOM.fullmatch(let.value) else f"(?:{let.value})"
            before = scalar.value[end : use.start()]
            joints += [(length + len(before), use.start(), True), (length + len(before) + len(piece), use.end(), False)]
            length += len(before) + len(piece)
            parts += [before, piece]
            end = use.end()
            if length > MAX_PATTERN:
                break
        expanded = "".join([*parts, scalar.value[end:]])
        return self._within_bounds(expanded, scalar, tuple(joints), what) if sound else None

    def _within_bounds(
        self, expanded: str, scalar: Scalar, joints: tuple[tuple[int, int, bool], ...], what: str
    ) -> _Pattern | None:
        self.room -= len(expanded)
        if len(expanded) > MAX_PATTERN:
            words = f"{what} is longer than {MAX_PATTERN} characters with its named parts put in"
        elif self.room < 0:
            words = f"the patterns of this file are longer than {MAX_PATTERNS} characters together"
        else:
            return _Pattern(expanded, scalar, joints)
        self.faults.add("R309", scalar.place, words, "use shorter patterns, or part the file")
        return None

    def read(self, node: Node | None) -> None:
        """Read `let:`. A part may use those above it."""
        for name, entry in strict_yaml.mapping(self.faults, node, "`let`").items():
            if not regex.fullmatch(LET_FORM, name):
                self.faults.add("R212", entry.key.place, f"a named part is called like HAN or A_1, not {shown(name)}")
            else:
                pattern = self.expand(entry.value, f"`{name}`")
                self.known[name] = _Let(pattern.text if pattern else None, entry.key.place)

    def add_unused(self) -> None:
        """Put the parts that nothing uses on the list."""
        for name, let in self.known.items():
            if not let.used:
                self.faults.add("R308", let.place, f"nothing uses the named part '{name}'", "remove it, or use it")


# --- One file ----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Draft:
    """A rule and the places of what it says about others, for the checks that need all rules."""

    rule: Rule
    place: Place  # of the id
    outside: tuple[Scalar, ...] = ()
    after: tuple[Scalar, ...] = ()
    near: Scalar | None = None
    overrides: Scalar | None = None
    written: Written | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A rule and how it stands in its file, for checks that name the place of a key or of a piece of a pattern.

    ``patterns`` holds those that could be read: match, before, after, and has and lacks of `when`.
    """

    rule: Rule
    entries: Mapping[str, Entry]
    patterns: Mapping[str, _Pattern]

    def place(self, key: str, position: int | None = None) -> Place:
        """Give the place of a key's value, or of one character of a pattern; the rule's own without that key."""
        if position is not None and key in self.patterns:
            return self.patterns[key].place(position)
        if key in self.patterns:
            return self.patterns[key].scalar.place
        return self.entries[key].value.place if key in self.entries else self.rule.place


@dataclass(slots=True)
class _Options:
    """What holds for a whole run."""

    faults: Faults
    check_patterns: bool = True
    known_steps: Mapping[str, Step] | None = None
    suppress: tuple[Suppression, ...] = ()

    def steps(self) -> Mapping[str, Step]:
        """Give the steps; they are imported only when a rule names one."""
        if self.known_steps is None:
            from shanben.steps import all_steps

            self.known_steps = all_steps()
        return self.known_steps


def _read_file(node: Node | None, phase: str, options: _Options) -> list[_Draft]:
    """Read the rules of one file; what a work refuses is put into the options."""
    refuses = isinstance(node, Pairs) and "suppress" in node.entries
    top = strict_yaml.mapping(options.faults, node, "a rule file", FILE_KEYS, [] if refuses else ["rules"])
    if "suppress" in top:
        if PurePosixPath(top["suppress"].key.place.file).parent.name != "works":
            fix = "put it into works/<work>.yaml, or into work.yaml beside the source"
            options.faults.add("R217", top["suppress"].key.place, "only a work can refuse what rules do", fix)
        options.suppress += read_suppressions(options.faults, top["suppress"].value)
    lets = _Lets(options.faults)
    if "let" in top:
        lets.read(top["let"].value)
    drafts = []
    if "rules" in top:
        for item in strict_yaml.items(options.faults, top["rules"].value, "`rules`"):
            if draft := _RuleReader(item, phase, lets, options).draft():
                drafts.append(draft)
    lets.add_unused()
    return drafts


class _RuleReader:
    """Reads one entry of `rules:`."""

    def __init__(self, node: Node, phase: str, lets: _Lets, options: _Options) -> None:
        self._faults = options.faults
        self._options = options
        self._phase = phase
        self._lets = lets
        self._place = node.place
        self._is_mapping = isinstance(node, Pairs)
        self._entries = strict_yaml.mapping(self._faults, node, "a rule", RULE_KEYS, REQUIRED_KEYS)
        self._patterns: dict[str, _Pattern] = {}
        self._conditions: dict[str, _Pattern] = {}

    def draft(self) -> _Draft | None:
        """Read all of the rule; None when it is nothing that has an id. Faults are on the list."""
        name = self._name("id")
        actions = frozenset(self._entries) & frozenset(ACTIONS)
        if self._is_mapping:
            self._check_actions(actions)
            self._check_folder(actions)
        for key in ("match", "before", "after"):
            if key in self._entries and (pattern := self._lets.expand(self._entries[key].value, f"`{key}`")):
                self._patterns[key] = pattern
        where, near = self._where()
        after = self._order()
        outside = self._text_list("outside")
        step = self._step()
        rule = Rule(
            id=name,
            kind=_kind(actions),
            phase=self._phase,
            place=self._place,
            fault=self._text("fault"),
            fault_zh=self._text("fault-zh"),
            why=self._text("why"),
            match=self._pattern_text("match"),
            before=self._pattern_text("before"),
            after=self._pattern_text("after"),
            replace=self._replacement(),
            replace_each=self._replace_each(),
            remove=typing.cast(Literal["", "line", "match"], self._choice("remove", REMOVALS)),
            capture=self._capture(),
            mark=self._mark(),
            protect=self._name("protect"),
            step=step.name if step else "",
            params=self._params(step),
            outside=tuple(s.value for s in outside),
            where=where,
            when=self._when(),
            limit=self._limit(),
            level=typing.cast(Level, self._choice("level", LEVELS) or "fix"),
            invariant=typing.cast(Invariant, self._choice("invariant", INVARIANTS)),
            run_after=tuple(s.value for s in after),
            overrides=self._text("overrides"),
            examples=self._examples(),
            keep=self._keep(),
            excuses=self._excuses(),
        )
        self._check_examples(rule)
        if self._options.check_patterns and rule.match:
            self._check_patterns(rule, actions)
        if not name:
            return None
        overrides = self._node("overrides")
        id_place = self._entries["id"].value.place
        overridden = overrides if isinstance(overrides, Scalar) else None
        written = Written(rule, self._entries, self._patterns | self._conditions)
        return _Draft(rule, id_place, outside, after, near, overridden, written)

    # Small readers

    def _node(self, key: str) -> Node | None:
        entry = self._entries.get(key)
        return entry.value if entry else None

    def _text(self, key: str) -> str:
        return strict_yaml.text(self._faults, self._node(key), f"`{key}`")

    def _text_list(self, key: str) -> tuple[Scalar, ...]:
        return strict_yaml.text_list(self._faults, self._node(key), f"`{key}`") if key in self._entries else ()

    def _choice(self, key: str, words: Iterable[str]) -> str:
        return strict_yaml.choice(self._faults, self._node(key), f"`{key}`", words)

    def _pattern_text(self, key: str) -> str:
        return self._patterns[key].text if key in self._patterns else ""

    def _name(self, key: str) -> str:
        """Read a name in kebab-case."""
        name = self._text(key)
        if name and not (len(name) <= 80 and regex.fullmatch(ID_FORM, name)):
            node = self._entries[key].value
            self._faults.add("R212", node.place, f"`{key}` is written in kebab-case, like han-comma, not {shown(name)}")
        return name

    # What the rule does

    def _check_actions(self, actions: frozenset[str]) -> None:
        if not actions:
            if not any(isinstance(e.value, strict_yaml.Refused) for e in self._entries.values()):
                fix = f"give it one of {', '.join(ACTIONS)}"
                self._faults.add("R214", self._place, "the rule does not say what it does", fix)
            return
        if actions not in COMBINATIONS:
            words = " and ".join(f"`{a}`" for a in ACTIONS if a in actions)
            self._faults.add("R214", self._place, f"{words} cannot stand in one rule", "make several rules of it")
        elif not actions & {"step", "replace-each"} and "match" not in self._entries:
            self._faults.add("R202", self._place, "the rule lacks the key 'match'")
        for action in sorted(actions & NOT_WITH.keys()):
            for key in NOT_WITH[action]:
                if key in self._entries:
                    place = self._entries[key].key.place
                    self._faults.add("R215", place, f"`{key}` means nothing beside `{action}`", "remove one of the two")
        if "params" in self._entries and "step" not in actions:
            place = self._entries["params"].key.place
            self._faults.add("R215", place, "`params` means nothing without `step`", "remove it")

    def _check_folder(self, actions: frozenset[str]) -> None:
        protects = self._phase == PROTECT_FOLDER
        if actions and protects != ("protect" in actions):
            words = f"{'only ' if protects else ''}rules with `protect` stand in the folder protect"
            self._faults.add("R217", self._place, words, "move the rule to another folder")
        changing = sorted(actions - {"mark", "capture", "protect"})
        if self._phase == "structure" and changing:
            place = self._entries[changing[0]].key.place
            words = f"a rule in the folder structure changes no text, so `{changing[0]}` cannot stand here"
            self._faults.add("R217", place, words, "use `mark` or `capture`, or move the rule")

    def _replacement(self) -> str | None:
        if "replace" not in self._entries:
            return None
        return strict_yaml.text(self._faults, self._node("replace"), "`replace`", empty=True, exact=True)

    def _replace_each(self) -> dict[str, str]:
        if "replace-each" not in self._entries:
            return {}
        entries = strict_yaml.mapping(self._faults, self._node("replace-each"), "`replace-each`")
        if not entries and isinstance(self._node("replace-each"), Pairs):
            self._faults.add("R204", self._entries["replace-each"].value.place, "`replace-each` is empty")
        pairs: dict[str, str] = {}
        for key, entry in entries.items():
            what = f"the replacement of {shown(key)}"
            pairs[key] = strict_yaml.text(self._faults, entry.value, what, empty=True, exact=True)
            if not 0 < len(key) <= MAX_LITERAL:
                words = f"a text of 1 to {MAX_LITERAL} characters can be replaced, not of {len(key)}"
                self._faults.add("R206", entry.key.place, words)
                del pairs[key]
        self._check_at_rest(pairs, entries)
        return pairs

    def _check_at_rest(self, pairs: Mapping[str, str], entries: Mapping[str, Entry]) -> None:
        """A second run must find nothing left to do, so no replacement may hold what is replaced."""
        lengths = sorted({len(key) for key in pairs})
        for key, value in pairs.items():
            parts = (value[i : i + n] for n in lengths for i in range(len(value) - n + 1))
            if fed := next((p for p in parts if p in pairs), None):
                words = f"{shown(key)} becomes {shown(value)}, in which {shown(fed)} would be replaced in the next run"
                self._faults.add("R310", entries[key].value.place, words, "give the final text at once")

    def _capture(self) -> dict[str, str]:
        if "capture" not in self._entries:
            return {}
        entries = strict_yaml.mapping(self._faults, self._node("capture"), "`capture`", METADATA_FIELDS)
        node = self._node("capture")
        if isinstance(node, Pairs) and not node.entries:
            self._faults.add("R204", node.place, "`capture` is empty")
        return {key: strict_yaml.text(self._faults, entry.value, f"`{key}`") for key, entry in entries.items()}

    def _mark(self) -> MarkSpec | None:
        node = self._node("mark")
        if not isinstance(node, Pairs):
            kind = self._choice("mark", MARK_KINDS)
            return MarkSpec(kind) if kind else None
        entries = strict_yaml.mapping(self._faults, node, "`mark`", MARK_KEYS, ["as"])
        if "level" in entries and "level-of" in entries:
            place = entries["level-of"].key.place
            self._faults.add("R215", place, "`level-of` means nothing beside `level`", "remove one of the two")
        values = {key: entry.value for key, entry in entries.items()}
        kind = strict_yaml.choice(self._faults, values.get("as"), "`as`", MARK_KINDS)
        level = strict_yaml.integer(self._faults, values.get("level"), "`level`", 1, MAX_LEVEL)
        return MarkSpec(kind, level or 0, strict_yaml.text(self._faults, values.get("level-of"), "`level-of`"))

    def _step(self) -> Step | None:
        name = self._text("step")
        if not name:
            return None
        steps = self._options.steps()
        if name not in steps:
            hint = self._faults.hint(name, steps)
            fix = "" if hint else f"there are: {', '.join(sorted(steps)) or 'none'}"
            self._faults.add("R407", self._entries["step"].value.place, f"no step is called {shown(name)}{hint}", fix)
        return steps.get(name)

    def _params(self, step: Step | None) -> dict[str, ParamValue]:
        if step is None:
            return {}
        faults_before = len(self._faults)
        what = f"the step {step.name}"
        place = self._entries["params"].value.place if "params" in self._entries else self._place
        specs = param_specs(step)
        entries: Mapping[str, Entry] = {}
        if "params" in self._entries:
            entries = strict_yaml.mapping(self._faults, self._node("params"), "`params`", specs)
        params: dict[str, ParamValue] = {}
        for name, spec in specs.items():
            if name in entries:
                value = read_param(self._faults, entries[name].value, f"`{name}`", spec.type)
                if value is not None:
                    params[name] = value
            elif spec.required:
                self._faults.add("R408", place, f"{what} needs the parameter '{name}'")
        if len(self._faults) == faults_before:
            try:
                made = step.params(**params)
                if step.check and self._options.check_patterns:
                    step.check(made)
            except (ValueError, TypeError) as error:
                self._faults.add("R408", place, f"{what} does not accept these parameters: {error}")
        return params

    # Limits and conditions

    def _where(self) -> tuple[Where, Scalar | None]:
        entries = self._sub("where", WHERE_KEYS)
        first = last = 0
        lines = strict_yaml.scalar(self._faults, entries.get("lines"), "`lines`")
        if lines and not regex.fullmatch(LINES_FORM, lines.value):
            words = f"`lines` is written like first 15 or last 15, not {shown(lines.value)}"
            self._faults.add("R205", lines.place, words)
        elif lines:
            side, count = lines.value.split()
            first, last = (int(count), 0) if side == "first" else (0, int(count))
        near = strict_yaml.scalar(self._faults, entries.get("near"), "`near`")
        within = strict_yaml.integer(self._faults, entries.get("within"), "`within`", 0)
        repeated = strict_yaml.integer(self._faults, entries.get("repeated"), "`repeated`", 2)
        if "within" in entries and "near" not in entries:
            self._faults.add("R215", entries["within"].place, "`within` means nothing without `near`", "add `near`")
        nearness = Where().within if within is None else within
        return Where(first, last, repeated or 0, near.value if near else "", nearness), near

    def _sub(self, key: str, allowed: Mapping[str, str]) -> dict[str, Node]:
        """Read a mapping under a key that must not be empty."""
        if key not in self._entries:
            return {}
        node = self._entries[key].value
        entries = strict_yaml.mapping(self._faults, node, f"`{key}`", allowed)
        if isinstance(node, Pairs) and not node.entries:
            self._faults.add("R204", node.place, f"`{key}` is empty", f"give one of {', '.join(allowed)}")
        return {name: entry.value for name, entry in entries.items()}

    def _when(self) -> When:
        entries = self._sub("when", WHEN_KEYS)
        texts = {}
        for key, node in entries.items():
            pattern = self._lets.expand(node, f"`{key}`")
            texts[key] = pattern.text if pattern else ""
            if pattern:
                self._conditions[key] = pattern
            if pattern and self._options.check_patterns:
                _check_alone(self._faults, pattern, f"`{key}`")
        return When(texts.get("has", ""), texts.get("lacks", ""))

    def _limit(self) -> Limit:
        entries = self._sub("limit", LIMIT_KEYS)
        drop = strict_yaml.percent(self._faults, entries.get("drop"), "`drop`")
        hits = strict_yaml.integer(self._faults, entries.get("hits"), "`hits`", 1)
        return Limit(drop or 0.0, hits or 0)

    def _order(self) -> tuple[Scalar, ...]:
        entries = self._sub("order", ORDER_KEYS)
        return strict_yaml.text_list(self._faults, entries["after"], "`after`") if "after" in entries else ()

    # Examples

    def _examples(self) -> tuple[Example, ...]:
        found = []
        for node in strict_yaml.items(self._faults, self._node("examples"), "`examples`"):
            if not isinstance(node, Items) or len(node.items) not in (2, 3):
                if not isinstance(node, strict_yaml.Refused):
                    fix = "write - ['text with the fault', 'text without']"
                    self._faults.add("R201", node.place, "an example must be a pair of texts", fix)
                continue
            before = strict_yaml.scalar(self._faults, node.items[0], "the text of an example", exact=True)
            after = strict_yaml.scalar(self._faults, node.items[1], "the result of an example", empty=True, exact=True)
            final = (
                strict_yaml.scalar(self._faults, node.items[2], "the clean text of an example", empty=True, exact=True)
                if len(node.items) == 3
                else after
            )
            if before and after and final:
                found.append(Example(before.value, after.value, node.place, final.value))
        return tuple(found)

    def _keep(self) -> tuple[Keep, ...]:
        if "keep" not in self._entries:
            return ()
        texts = strict_yaml.text_list(self._faults, self._node("keep"), "`keep`", exact=True)
        return tuple(Keep(s.value, s.place) for s in texts)

    def _excuses(self) -> dict[str, str]:
        """Read from which lints the rule is excused, and why; `lint` itself tells whether there are such codes."""
        if "lint" not in self._entries:
            return {}
        excuses = {}
        for code, entry in strict_yaml.mapping(self._faults, self._node("lint"), "`lint`").items():
            if not regex.fullmatch(EXCUSE_FORM, code):
                words = f"a code of lint is written like L101, not {shown(code)}"
                self._faults.add("R212", entry.key.place, words, "name the code that `shanben rules lint` prints")
            elif reason := strict_yaml.text(self._faults, entry.value, f"the reason for {code}"):
                excuses[code] = reason
        return excuses

    def _check_examples(self, rule: Rule) -> None:
        results: dict[str, str] = {}
        for example in rule.examples:
            same = example.before == example.after
            if same and (rule.remove or rule.kind in ("replace", "step")):
                fix = "a text that must not change stands under `keep`"
                self._faults.add("R216", example.place, "the example shows no change", fix)
            if rule.kind == "protect" and example.after not in example.before:
                words = f"the text of the example does not hold {shown(example.after)}"
                self._faults.add("R216", example.place, words, "give a text, then the piece of it that is protected")
            if rule.kind != "protect" and results.setdefault(example.before, example.after) != example.after:
                self._faults.add("R216", example.place, "another example gives another result for this text")
        changed = {e.before for e in rule.examples if e.before != e.after and rule.kind != "protect"}
        for keep in rule.keep:
            if keep.text in changed:
                self._faults.add("R216", keep.place, "this text changes in an example, so it cannot be kept")

    # Patterns

    def _check_patterns(self, rule: Rule, actions: frozenset[str]) -> None:
        match = self._patterns["match"]
        if len(self._patterns) != len({"match", "before", "after"} & self._entries.keys()):
            return  # one of them has a fault already
        shape = _check_shape(self._faults, self._patterns)
        if shape is None:
            return
        compiled = _compile(self._faults, self._patterns, full_pattern(rule))
        if compiled is None:
            return
        if shape.width == 0 and actions & {"replace", "remove", "capture", "protect"}:
            fix = "let it match at least one character (+ for *), and put look-arounds into `before` and `after`"
            self._faults.add("R303", match.scalar.place, "`match` can match nothing at all", fix)
        self._check_groups(rule, compiled)

    def _check_groups(self, rule: Rule, compiled: regex.Pattern[str]) -> None:
        named = [(rule.capture[key], entry.value) for key, entry in self._pairs("capture") if key in rule.capture]
        named += [(rule.mark.level_of, e.value) for k, e in self._pairs("mark") if k == "level-of" and rule.mark]
        for group, node in named:
            if group and group not in compiled.groupindex:
                hint = self._faults.hint(group, compiled.groupindex)
                fix = "" if hint else f"name a group in `match`: (?P<{group if group.isidentifier() else 'name'}>…)"
                self._faults.add("R306", node.place, f"`match` has no group {shown(group)}{hint}", fix)
        template = self._node("replace")
        if rule.replace and "\\" in rule.replace and isinstance(template, Scalar):
            self._check_template(rule.replace, template, compiled)

    def _pairs(self, key: str) -> Iterable[tuple[str, Entry]]:
        node = self._node(key)
        return node.entries.items() if isinstance(node, Pairs) else ()

    def _check_template(self, template: str, node: Scalar, compiled: regex.Pattern[str]) -> None:
        """Try the template on a pattern that has the same groups and nothing else."""
        names = {number: name for name, number in compiled.groupindex.items()}
        stub = "".join(f"(?P<{names[n]}>)" if n in names else "()" for n in range(1, compiled.groups + 1))
        found = regex.match(stub, "")
        fix = f"groups of `match`: {', '.join(compiled.groupindex) or 'none'}; a \\ itself is written \\\\"
        try:
            if found:
                found.expand(template)
        except regex.error as error:
            words, position = _said(error)
            self._faults.add("R305", node.place_at(position), f"`replace`: {words}", fix)
        except IndexError:
            self._faults.add("R305", node.place, "`replace` names a group that `match` does not have", fix)


def _kind(actions: frozenset[str]) -> Kind:
    """Decide what a rule is for.

    >>> _kind(frozenset(["mark", "replace"])), _kind(frozenset(["capture", "remove"]))
    ('mark', 'capture')
    """
    if "step" in actions:
        return "step"
    if "protect" in actions:
        return "protect"
    if "mark" in actions:
        return "mark"
    if "capture" in actions:
        return "capture"
    return "remove" if "remove" in actions else "replace"


def _check_shape(faults: Faults, patterns: Mapping[str, _Pattern]) -> Shape | None:
    """Look at the patterns of a rule without compiling them; give the shape of `match`."""
    shapes: dict[str, Shape] = {}
    sound = True
    for key, pattern in patterns.items():
        try:
            shapes[key] = Scan(pattern.text, key).shape()
        except PatternError as error:
            faults.add(error.code, pattern.place(error.position), f"`{key}`: {error.words}")
            sound = False
        except EdgeError as error:
            _add_edge_fault(faults, patterns[error.key], error, f"`{error.key}`")
            sound = False
    if not sound:
        return None
    try:
        before = shapes.get("before", Shape())
        after = shapes.get("after", Shape())
        shapes["match"].then(after)
        before.then(shapes["match"])
    except EdgeError as error:
        _add_edge_fault(faults, patterns[error.key], error, f"`{error.key}`")
    return shapes["match"]


def _add_edge_fault(faults: Faults, pattern: _Pattern, error: EdgeError, what: str) -> None:
    words = f"{what}: \\b stands beside a Han character, but words in Chinese text have no such edge"
    fix = r"say which characters may not follow, such as (?![A-Za-z0-9])"
    faults.add("R304", pattern.place(error.position), words, fix)


def _compile(faults: Faults, patterns: Mapping[str, _Pattern], full: str) -> regex.Pattern[str] | None:
    """Compile the full pattern; an error is put at its place in the piece that it comes from."""
    try:
        return regex.compile(full, PATTERN_FLAGS)
    except regex.error as error:
        words, position = _said(error)
        place, key = _piece_at(patterns, position)
        faults.add("R302", place, f"`{key}` is no valid pattern: {words}")
    except (RecursionError, MemoryError, OverflowError, ValueError) as error:
        faults.add("R309", patterns["match"].scalar.place, f"`match` cannot be compiled: {type(error).__name__}")
    return None


def _said(error: regex.error) -> tuple[str, int]:
    """Give the words and the position of an error; the type stubs do not know them."""
    return str(getattr(error, "msg", error)), int(getattr(error, "pos", None) or 0)


def _piece_at(patterns: Mapping[str, _Pattern], position: int) -> tuple[Place, str]:
    texts = [patterns[key].text if key in patterns else "" for key in ("match", "before", "after")]
    start = 0
    for key, piece in assembled(*texts):
        if key and start <= position <= start + len(piece):
            return patterns[key].place(position - start), key
        start += len(piece)
    return patterns["match"].scalar.place, "match"


def _check_alone(faults: Faults, pattern: _Pattern, what: str) -> None:
    """Check a pattern that has no context."""
    try:
        Scan(pattern.text, "match").shape()
    except PatternError as error:
        faults.add(error.code, pattern.place(error.position), f"{what}: {error.words}")
        return
    except EdgeError as error:
        _add_edge_fault(faults, pattern, error, what)
        return
    try:
        regex.compile(pattern.text, PATTERN_FLAGS)
    except regex.error as error:
        words, position = _said(error)
        faults.add("R302", pattern.place(position), f"{what} is no valid pattern: {words}")
    except (RecursionError, MemoryError, OverflowError, ValueError) as error:
        faults.add("R309", pattern.scalar.place, f"{what} cannot be compiled: {type(error).__name__}")


# --- Parameters of steps -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ParamSpec:
    """One parameter of a step: its type as annotated, and whether it must be given."""

    type: Any
    required: bool


def param_specs(step: Step) -> dict[str, ParamSpec]:
    """Give the parameters that a step takes, in their order."""
    hints = typing.get_type_hints(step.params)
    fields, defaults = step.params._fields, step.params._field_defaults
    return {name: ParamSpec(hints[name], name not in defaults) for name in fields}


def read_param(faults: Faults, node: Node, what: str, wanted: Any) -> ParamValue | None:
    """Read one parameter as its annotation says. Raises TypeError for an annotation that no step may have."""
    if wanted is bool:
        return strict_yaml.boolean(faults, node, what)
    if wanted is int:
        return strict_yaml.integer(faults, node, what, -999_999_999)
    if wanted is float:
        return strict_yaml.number(faults, node, what)
    if wanted is str:
        found = strict_yaml.scalar(faults, node, what, empty=True)
        return found.value if found else None
    if typing.get_origin(wanted) is Literal:
        return strict_yaml.choice(faults, node, what, map(str, typing.get_args(wanted))) or None
    if wanted == tuple[str, ...]:
        return tuple(s.value for s in strict_yaml.text_list(faults, node, what))
    raise TypeError(f"a parameter of a step cannot be {wanted!r}")


# --- All rules together ------------------------------------------------------------------------------------


def _check_ids(drafts: Sequence[_Draft], base: Mapping[str, Rule], faults: Faults) -> list[_Draft]:
    """Find ids that stand twice, in this layer or against a lower one; give the drafts without the later ones."""
    seen: dict[str, Place] = {}
    unique = []
    for draft in drafts:
        rule = draft.rule
        if rule.id in seen:
            words = f"the id '{rule.id}' stands already in {seen[rule.id]}"
            faults.add("R213", draft.place, words, "choose another id")
            continue
        if rule.id in base and rule.overrides != rule.id:
            faults.add(
                "R213",
                draft.place,
                f"the id '{rule.id}' stands already in {base[rule.id].place}",
                f"choose another id, or add `overrides: {rule.id}` to take that rule's place",
            )
            continue
        seen[rule.id] = draft.place
        unique.append(draft)
    return unique


def _check_overrides(drafts: Sequence[_Draft], base: Rulebook | None, faults: Faults) -> dict[str, Rule]:
    """Give the rules that take the place of others, by the id of those."""
    taken: dict[str, Rule] = {}
    below = {rule.id for rule in base.rules} if base else set()
    for draft in drafts:
        if draft.overrides is None:
            continue
        place, target = draft.overrides.place, draft.overrides.value
        if base is None:
            faults.add("R404", place, "shipped rules override nothing", "change the other rule itself")
        elif target not in below:
            faults.add("R402", place, f"no rule is called {shown(target)}{faults.hint(target, below)}")
        elif target in taken:
            faults.add("R406", place, f"{taken[target].place} overrides '{target}' too", "keep one of the two")
        else:
            taken[target] = draft.rule
    return taken


def _check_references(drafts: Sequence[_Draft], rules: Sequence[Rule], faults: Faults) -> None:
    """Check what rules say about others and about protected spans."""
    by_id = {rule.id: rule for rule in rules}
    spans = {rule.protect for rule in rules if rule.protect}
    for draft in drafts:
        for said in draft.outside:
            if said.value not in spans:
                hint = faults.hint(said.value, spans)
                fix = "" if hint else f"declared are: {', '.join(sorted(spans)) or 'none'}"
                faults.add("R401", said.place, f"no rule declares the span {shown(said.value)}{hint}", fix)
        for said in draft.after:
            _check_after(draft.rule, said, by_id, faults)
        if draft.near:
            other = by_id.get(draft.near.value)
            if other is None:
                hint = faults.hint(draft.near.value, by_id)
                faults.add("R402", draft.near.place, f"no rule is called {shown(draft.near.value)}{hint}")
            elif not other.match or other.id == draft.rule.id:
                words = f"`near` needs another rule with a pattern; '{other.id}' is none"
                faults.add("R402", draft.near.place, words)


def _check_after(rule: Rule, said: Scalar, by_id: Mapping[str, Rule], faults: Faults) -> None:
    other = by_id.get(said.value)
    if other is None:
        faults.add("R402", said.place, f"no rule is called {shown(said.value)}{faults.hint(said.value, by_id)}")
    elif other.phase == PROTECT_FOLDER:
        faults.add("R405", said.place, f"'{other.id}' protects and has no place in the order", "remove it here")
    elif rule.phase in PHASES and PHASES.index(other.phase) > PHASES.index(rule.phase):
        words = f"'{other.id}' runs in the phase {other.phase}, later than {rule.phase}"
        faults.add("R405", said.place, words, "move one of the two rules")


def _check_circles(drafts: Sequence[_Draft], rules: Sequence[Rule], faults: Faults) -> None:
    """Find orders that run in a circle, one after the other, each named once."""
    by_id = {rule.id: rule for rule in rules}
    places = {draft.rule.id: draft for draft in drafts}
    graph = {rule.id: {a for a in rule.run_after if a in by_id and by_id[a].phase == rule.phase} for rule in rules}
    for _ in range(MAX_CIRCLES):
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            circle: list[str] = error.args[1][:0:-1]  # each runs after the one that follows
            later = min([name for name in circle if name in places] or circle)
            start = circle.index(later)
            turn = [*circle[start:], *circle[:start], later]
            earlier = turn[1]
            said = [s for s in places[later].after if s.value == earlier] if later in places else []
            named = turn if len(turn) <= 12 else [*turn[:5], "…", *turn[-2:]]
            words = f"an order in a circle: {' after '.join(named)}"
            faults.add("R403", said[0].place if said else by_id[later].place, words, "take one of them out of `order`")
            graph[later].discard(earlier)
        else:
            return


def _assemble(drafts: Sequence[_Draft], taken: Mapping[str, Rule], base: Rulebook | None) -> list[Rule]:
    """Put overriding rules in their places, further ones at the end; what named an old id names the new one."""
    if base is None:
        return [draft.rule for draft in drafts]
    standing = {id(rule) for rule in taken.values()}
    rules = [taken.get(rule.id, rule) for rule in base.rules]
    rules += [draft.rule for draft in drafts if id(draft.rule) not in standing]
    renamed = {old: rule.id for old, rule in taken.items() if rule.id != old}
    return [_renamed(rule, renamed) for rule in rules] if renamed else rules


def _renamed(rule: Rule, names: Mapping[str, str]) -> Rule:
    after = tuple(names.get(a, a) for a in rule.run_after)
    near = names.get(rule.where.near, rule.where.near)
    if after == rule.run_after and near == rule.where.near:
        return rule
    return rule._replace(run_after=after, where=rule.where._replace(near=near))


# --- Files -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _File:
    path: Traversable
    shown: str
    phase: str


def _rule_files(
    root: Traversable, faults: Faults, work: str | None, flat_phase: str | None, shown_as: str | None
) -> list[_File]:
    """List the rule files under a root: by folder in the order of FOLDERS, then by path."""
    name = shown_as or (root.as_posix() if isinstance(root, Path) else str(root))
    found: list[_File] = []
    for inner, path in _yaml_files(root, PurePosixPath(), PurePosixPath(name), faults):
        place = Place(str(PurePosixPath(name) / inner), 1, 1)
        folder = inner.parts[0] if len(inner.parts) > 1 else ""
        if folder in RESERVED_FOLDERS:
            continue
        if inner.suffix != ".yaml":
            faults.add("R211", place, f"rule files end in .yaml, not {inner.suffix}", "rename it")
        elif folder in FOLDERS:
            if folder != "works" or _is_of_work(inner, work, place, faults):
                found.append(_File(path, place.file, folder))
        elif not folder and flat_phase:
            found.append(_File(path, place.file, flat_phase))
        elif not folder:
            faults.add("R211", place, "a rule file outside the folders", f"move it into one of {', '.join(FOLDERS)}")
        else:
            hint = faults.hint(folder, FOLDERS)
            words = f"the folder {shown(folder)} holds no rules{hint}"
            faults.add("R211", place, words, f"move it into one of {', '.join(FOLDERS)}")
    order = {folder: number for number, folder in enumerate(FOLDERS)}
    return sorted(found, key=lambda f: (order[f.phase], f.shown))


def _is_of_work(inner: PurePosixPath, work: str | None, place: Place, faults: Faults) -> bool:
    if len(inner.parts) != 2:
        faults.add("R211", place, "the folder works has no folders", "name the file works/<work>.yaml")
        return False
    return work == "*" or inner.stem == work


def _yaml_files(
    folder: Traversable, inner: PurePosixPath, shown_root: PurePosixPath, faults: Faults
) -> Iterator[tuple[PurePosixPath, Traversable]]:
    """Give the YAML files under a folder. Names with a dot at the front and linked folders are passed over."""
    here = Place(str(shown_root / inner), 1, 1)
    try:
        entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    except OSError as error:
        faults.add("R101", here, f"the folder cannot be read: {error.strerror or error}", "give a folder of rules")
        return
    for entry in entries:
        path = inner / entry.name
        if entry.name.startswith("."):
            continue
        if entry.name.lower().endswith((".yaml", ".yml")):
            yield path, entry
        elif entry.is_dir() and not (isinstance(entry, Path) and entry.is_symlink()):
            if len(path.parts) < MAX_FOLDERS_DEEP:
                yield from _yaml_files(entry, path, shown_root, faults)
            else:
                faults.add("R211", Place(str(shown_root / path), 1, 1), "too many folders inside each other")


# --- The doors ---------------------------------------------------------------------------------------------


def load_rules(
    root: Traversable | Path,
    *,
    layer: str = "shipped",
    base: Rulebook | None = None,
    work: str | None = None,
    faults: Faults | None = None,
    flat_phase: str | None = None,
    steps: Mapping[str, Step] | None = None,
    check_patterns: bool = True,
    shown_as: str | None = None,
    written: list[Written] | None = None,
) -> Rulebook:
    """Load the rules under ``root``, on top of ``base``.

    Of the folder works only `<work>.yaml` is loaded, all of it with ``work="*"``. With ``flat_phase`` files
    at the top belong to that phase, else they are a fault. Places name ``root`` as ``shown_as``. ``check_patterns=False`` leaves out what needs
    a look into patterns (codes R302 to R306), for files that have been checked before. How the rules of these
    files are written is put into ``written``.

    Raises RuleError with all faults of all files; with ``faults`` they are collected there instead, and the
    rulebook holds what could be read (rules with faults included).
    """
    collected = Faults() if faults is None else faults
    options = _Options(collected, check_patterns, steps)
    drafts: list[_Draft] = []
    for file in _rule_files(root, collected, work, flat_phase, shown_as):
        node = strict_yaml.read(file.path, collected, file.shown)
        if node is not None:
            drafts += _read_file(node, file.phase, options)
    if written is not None:
        written += [draft.written for draft in drafts if draft.written]
    rules = _together(drafts, base, collected)
    if faults is None:
        collected.raise_if_any()
    below = base or Rulebook(())
    return Rulebook(tuple(rules), (*below.layers, layer), (*below.suppress, *options.suppress))


def _together(drafts: Sequence[_Draft], base: Rulebook | None, faults: Faults) -> list[Rule]:
    below = {rule.id: rule for rule in base.rules} if base else {}
    drafts = _check_ids(drafts, below, faults)
    taken = _check_overrides(drafts, base, faults)
    rules = _assemble(drafts, taken, base)
    names = {rule.id for rule in rules}
    gone = {old: rule.id for old, rule in taken.items() if old not in names}
    _check_references([_with_names(draft, gone) for draft in drafts], rules, faults)
    _check_circles(drafts, rules, faults)
    return rules


def _with_names(draft: _Draft, names: Mapping[str, str]) -> _Draft:
    """Let a draft name overridden rules by the ids of those that took their places."""

    def renamed(said: Scalar) -> Scalar:
        return said._replace(value=names.get(said.value, said.value))

    return replace(draft, after=tuple(map(renamed, draft.after)), near=renamed(draft.near) if draft.near else None)


def load_rule_file(
    path: Traversable | Path,
    phase: str,
    *,
    base: Rulebook | None = None,
    faults: Faults | None = None,
    steps: Mapping[str, Step] | None = None,
    check_patterns: bool = True,
    written: list[Written] | None = None,
) -> tuple[Rule, ...]:
    """Load the rules of one file as rules of ``phase``.

    With ``base`` what they say about other rules and spans is checked too; without it they may name what is
    not there. Raises RuleError like `load_rules`, or collects into ``faults``.
    """
    if phase not in FOLDERS:
        raise ValueError(f"no phase is called {phase!r}; there are {', '.join(FOLDERS)}")
    collected = Faults() if faults is None else faults
    node = strict_yaml.read(path, collected)
    drafts = [] if node is None else _read_file(node, phase, _Options(collected, check_patterns, steps))
    if written is not None:
        written += [draft.written for draft in drafts if draft.written]
    if base is None:
        drafts = _check_ids(drafts, {}, collected)
        _check_circles(drafts, [draft.rule for draft in drafts], collected)
    else:
        _together(drafts, base, collected)
    if faults is None:
        collected.raise_if_any()
    return tuple(draft.rule for draft in drafts)
