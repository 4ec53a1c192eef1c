"""Lint for speed: rules that look at every text, and rules that are slow on texts in which they find nothing."""

from __future__ import annotations

from functools import lru_cache, partial

from shanben.rulebook.apply import Unit, findings
from shanben.rulebook.known_texts import Library, lint_unit
from shanben.rulebook.lint_codes import CODES, Complaint, Complaints
from shanben.rulebook.load import Written
from shanben.rulebook.timing import shortest
from shanben.values import Text

FAST = 500.0
"""Megabytes (10⁶ bytes of UTF-8) a second that a rule should read of a clean text."""
SIZE = 20_000
"""Characters of the clean text; the shortest time of `LOOKS` counts."""
LOOKS = 4
_PROSE = (
    "春天来了，万物复苏。人们走出家门，到田野里踏青赏花，享受温暖的阳光。\n\n"
    "会议指出，过去一年各项工作取得了新的进展：“要坚持实事求是，把群众的事情办好。”与会代表表示赞同。\n\n"
    "他在《山间小记》里写道，那条路有三里多长，两旁都是竹子；走到尽头，才看见一座石桥、几户人家。\n\n"
)


def check_gate(written: Written, library: Library) -> Complaints:
    """Find a rule that no gate keeps from a text, or that is slow where it has nothing to do."""
    rule = written.rule
    if rule.kind in ("protect", "step") or not (rule.match or rule.replace_each):
        return
    unit = lint_unit(rule)
    place = written.place("match" if rule.match else "replace-each")
    if not unit.gate.clauses:
        words = "the pattern names no character and no word that must be there"
        yield Complaint("L108", rule.id, place, words, CODES["L108"].fix)
    if unit.gate.holds_in(_clean_text()) and (speed := _speed(unit, library)) < FAST:
        words = f"it reads {speed:.0f} MB a second of clean prose, in which it finds nothing"
        yield Complaint("L109", rule.id, place, words, CODES["L109"].fix)


@lru_cache(maxsize=1)
def _clean_text() -> str:
    return _PROSE * (SIZE // len(_PROSE))


def _speed(unit: Unit, library: Library) -> float:
    """Give megabytes a second of clean prose; without end where the rule finds something in it."""
    text = Text(_clean_text(), guards=library.known.guards)
    if findings(unit, text):
        return float("inf")
    seconds, _ = shortest(partial(findings, unit, text), LOOKS)
    return len(text.content.encode()) / max(seconds, 1e-9) / 1e6
