"""What a rule file may say, once and for all: the loader, the engine and the JSON Schema read it from here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Literal, NamedTuple, get_args

Level = Literal["off", "trial", "suggest", "fix"]
Kind = Literal["replace", "remove", "capture", "mark", "protect", "step"]
Invariant = Literal["", "same-characters", "only-spaces", "only-punctuation", "only-removes"]
LEVELS: tuple[Level, ...] = get_args(Level)
KINDS: tuple[Kind, ...] = get_args(Kind)
INVARIANTS: tuple[Invariant, ...] = get_args(Invariant)

PHASES = ("characters", "artifacts", "layout", "punctuation", "works", "structure")
"""The folders under ``rules/`` in the order in which they run."""
PROTECT_FOLDER = "protect"
"""Protected spans belong to no phase: they are looked up on the text of the moment."""
FOLDERS = (PROTECT_FOLDER, *PHASES)

METADATA_FIELDS = (
    "title", "subtitle", "creator", "contributor", "date", "source", "publisher", "rights",
    "subject", "description", "language", "url",
)  # fmt: skip
MARK_KINDS = (
    "title", "subtitle", "byline", "part", "chapter", "heading", "item",
    "salutation", "signature", "date", "break", "page",
)  # fmt: skip
"""``break``: something ended before this line. ``page``: a page ended here. All others say what the line is."""


class Place(NamedTuple):
    """Where something stands in a rule file. Lines and columns from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        """Give ``file:line:column``."""
        return f"{self.file}:{self.line}:{self.column}"


class Example(NamedTuple):
    """A text that must change, exactly so (``after``), and where it is written.

    ``clean`` is what the whole pipeline makes of ``after``: the same, unless later rules go on with it.
    """

    before: str
    after: str
    place: Place
    clean: str


class Keep(NamedTuple):
    """A text that must not change, and where it is written."""

    text: str
    place: Place


class Where(NamedTuple):
    """Limits of place. Lines are counted without the empty ones. 0 or empty: no limit.

    first, last: only in the first or last n lines. repeated: only lines that stand n times or more in the
    text (digits taken as equal). near, within: only when the rule ``near`` could match within n lines.
    """

    first: int = 0
    last: int = 0
    repeated: int = 0
    near: str = ""
    within: int = 5


class Limit(NamedTuple):
    """Circuit breaker: over it the rule is held back for this text and reported. 0: no limit.

    ``drop`` is the largest share (0..1) of the letters, Han characters and digits that the rule may take
    away; ``hits`` the largest number of matches.
    """

    drop: float = 0.0
    hits: int = 0


class When(NamedTuple):
    """A condition on the whole text: both are patterns; empty means no condition."""

    has: str = ""
    lacks: str = ""


class MarkSpec(NamedTuple):
    """What a ``mark`` says about the line of the match.

    ``level`` is the heading level, 0 if not told; ``level_of`` names a group whose length is the level.
    """

    kind: str
    level: int = 0
    level_of: str = ""


ParamValue = str | int | float | bool | tuple[str, ...]


class RuleFields(NamedTuple):
    """What a rule file says of one rule. Fields of kinds that the rule does not use stay empty.

    kind is the first of replace/remove/capture/mark/protect/step that says what the rule is for; a capture
    may also remove (``remove``) and a mark may also replace (``replace``), as the files show.
    """

    id: str
    kind: Kind
    phase: str  # one of FOLDERS
    place: Place
    fault: str
    fault_zh: str = ""  # key `fault-zh`: the fault in Chinese, for the colophon of Chinese books
    why: str = ""
    match: str = ""
    before: str = ""
    after: str = ""
    replace: str | None = None
    replace_each: Mapping[str, str] = {}
    remove: Literal["", "line", "match"] = ""
    capture: Mapping[str, str] = {}  # metadata field -> group name
    mark: MarkSpec | None = None
    protect: str = ""
    step: str = ""
    params: Mapping[str, ParamValue] = {}
    outside: tuple[str, ...] = ()
    where: Where = Where()
    when: When = When()
    limit: Limit = Limit()
    level: Level = "fix"
    invariant: Invariant = ""
    run_after: tuple[str, ...] = ()  # key `order: {after: [...]}` in the file
    overrides: str = ""  # id of the shipped rule that a user's rule takes the place of
    examples: Sequence[Example] = ()
    keep: Sequence[Keep] = ()
    excuses: Mapping[str, str] = {}  # key `lint`: code -> why it does not hold here


class Rule(RuleFields):
    """One entry of a rule file, checked."""

    @cached_property
    def digest(self) -> str:
        """Give a SHA-256 over all that decides what the rule does; examples and place are left out."""
        said = {
            name: getattr(self, name)
            for name in ("id", "kind", "phase", "match", "before", "after", "replace", "remove", "protect",
                         "step", "outside", "level", "invariant", "run_after", "overrides")
        } | {
            "replace_each": dict(self.replace_each),
            "capture": dict(self.capture),
            "params": dict(self.params),
            "mark": [self.mark.kind, self.mark.level, self.mark.level_of] if self.mark else None,
            "where": [self.where.first, self.where.last, self.where.repeated, self.where.near, self.where.within],
            "when": [self.when.has, self.when.lacks],
            "limit": [self.limit.drop, self.limit.hits],
        }  # fmt: skip
        return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


class Suppression(NamedTuple):
    """The rule ``rule`` may do nothing where the text ``at`` stands; without ``at`` nowhere in this work.

    With ``before`` and ``after`` only where ``at`` stands directly between these two texts.
    """

    rule: str
    reason: str
    place: Place
    at: str = ""
    before: str = ""
    after: str = ""

    @property
    def quote(self) -> str:
        """Give the whole stretch of text that is looked for."""
        return self.before + self.at + self.after


class RulebookFields(NamedTuple):
    """The rules of a rulebook in file order; ``layers`` names the folders that they come from.

    ``suppress`` is what the file of the work itself refuses.
    """

    rules: tuple[Rule, ...]
    layers: tuple[str, ...] = ()
    suppress: tuple[Suppression, ...] = ()


class Rulebook(RulebookFields):
    """All rules that were loaded."""

    @cached_property
    def digest(self) -> str:
        """Give the SHA-256 over the digests of all rules, sorted by id."""
        lines = sorted(f"{rule.id} {rule.digest}" for rule in self.rules)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()
