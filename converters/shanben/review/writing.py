"""What is decided, as entries of the work's own file: suppressions, emendations, moved passages."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from shanben.lazy import lazy_re
from shanben.new_rule import quoted
from shanben.review.places import Context
from shanben.rulebook.schema import Suppression

_SPECIAL = lazy_re(r"[\\.^$*+?()\[\]{}|#&~\-]")
_ID_PARTS = lazy_re("[a-z0-9]+")
EMENDED = lazy_re(r"(?:[a-z0-9]+-)+(?:emend|move)-[0-9a-f]{8}")
"""The ids of the rules that are written here."""


def suppression(s: Suppression, reason: str) -> str:
    """Give the entry of a suppression.

    >>> from shanben.rulebook.schema import Place
    >>> print(suppression(Suppression("han-comma", "", Place("f", 1, 1), "甲,乙"), "as printed"), end="")
    - rule: han-comma
      at: '甲,乙'
      reason: 'as printed'
    """
    lines = [f"- rule: {s.rule}"]
    lines += [
        f"  {key}: {quoted(text)}" for key, text in (("before", s.before), ("at", s.at), ("after", s.after)) if text
    ]
    return "\n".join([*lines, f"  reason: {quoted(reason)}", ""])


def emendation(slug: str, place: Context, new: str, reason: str, after_all: str = "") -> str:
    """Give the rule that puts ``new`` in the place of a stretch that its context names.

    ``after_all`` is what the whole cleaning makes of the corrected words, where that is something else.

    >>> print(emendation("a", Context("成为", "人", "选的"), "入", "it is a list"), end="")
    - id: a-emend-63ef6199
      fault: '“人” for “入”'
      fault-zh: '“入”误作“人”'
      why: 'it is a list'
      match: '人'
      before: '成为'
      after: '选的'
      replace: '入'
      examples:
      - ['成为人选的', '成为入选的']
    """
    before, at, after = place.before, place.at, place.after
    fault, chinese = _fault(at, new)
    edges = {"before": "", "after": ""}
    if not at:  # a rule must match something: the sign before the gap, or behind it, is put back as it was
        if before:
            edges["after"] = "" if after else r"\Z"
            before, at, new = before[:-1], before[-1], before[-1] + new
        else:
            edges["before"] = r"\A"
            at, after, new = after[0], after[1:], new + after[0]
    patterns = {
        "match": _literal(at),
        "before": edges["before"] or _literal(before),
        "after": edges["after"] or _literal(after),
    }
    example = [before + at + after, before + new + after, *([after_all] if after_all else [])]
    lines = [
        f"- id: {_prefix(slug)}-emend-{_number(before, at, after, new)}",
        f"  fault: {quoted(fault)}",
        f"  fault-zh: {quoted(chinese)}",
        f"  why: {quoted(reason)}",
        *(f"  {key}: {_in_quotes(pattern)}" for key, pattern in patterns.items() if pattern),
        f"  replace: {quoted(new.replace(chr(92), chr(92) * 2))}",
        *_example(example),
    ]
    return "\n".join([*lines, ""])


def move(slug: str, passage: Context, goal: str, reason: str, example: Sequence[str]) -> str:
    """Give the rule that puts a passage in front of the words ``goal``."""
    lines = [
        f"- id: {_prefix(slug)}-move-{_number(passage.before, passage.at, goal)}",
        "  fault: 'a passage in the wrong place'",
        "  fault-zh: '错简'",
        f"  why: {quoted(reason)}",
        "  step: move-passage",
        "  params:",
        f"    passage: {quoted(passage.at)}",
        *([f"    lead: {quoted(passage.before)}"] if passage.before else []),
        f"    before: {quoted(goal)}",
        *_example(example),
    ]
    return "\n".join([*lines, ""])


def _example(texts: Sequence[str]) -> list[str]:
    return ["  examples:", f"  - [{', '.join(map(quoted, texts))}]"]


def _fault(old: str, new: str) -> tuple[str, str]:
    was, becomes = _cut(old), _cut(new)
    if not old:
        return f"{becomes} is missing", f"脱{becomes}"
    if not new:
        return f"{was} does not belong here", f"衍{was}"
    return f"{was} for {becomes}", f"{becomes}误作{was}"


def _cut(text: str, most: int = 24) -> str:
    flat = text.replace("\n", "↵")
    return f"“{flat if len(flat) <= most else flat[:most] + '…'}”"


def _prefix(slug: str) -> str:
    """Give the beginning of an id for a work.

    >>> _prefix("004-renda-baogao"), _prefix("报告"), _prefix("A b")
    ('renda-baogao', 'work', 'a-b')
    """
    parts = _ID_PARTS.findall(slug.lower())
    while parts and not parts[0][0].isalpha():
        parts.pop(0)
    return "-".join(parts)[:48].strip("-") or "work"


def _number(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _literal(text: str) -> str:
    """Give a text as a pattern that means it letter for letter."""
    return "".join(map(_letter, text))


def _in_quotes(pattern: str) -> str:
    return "'" + pattern.replace("'", "''") + "'"


def _letter(c: str) -> str:
    if _SPECIAL.fullmatch(c):
        return f"\\{c}"
    if c == "\n":
        return r"\n"
    if c.isprintable() and not (c.isspace() and c != " "):
        return c
    return f"\\u{ord(c):04x}" if ord(c) < 0x10000 else f"\\U{ord(c):08x}"
