"""What a rule's gate asks of a text: never more than the rule itself, however the text has come about."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st

from conftest import seed_folders
from shanben import pipeline, profiles
from shanben import presence as presence_module
from shanben.ledger import Change, Finding, apply_changes, to_jsonl
from shanben.pipeline import Plan, clean, plan
from shanben.presence import LONG_TEXT, SHORT_TEXT, Asked, Index, Presence
from shanben.rulebook import apply
from shanben.rulebook.apply import Unit, findings
from shanben.rulebook.gates import Gate, gate, keeps_to_lines
from shanben.rulebook.needs import needs_of
from shanben.rulebook.patterns import PATTERN_FLAGS
from shanben.rulebook.schema import Place, Rule, Where
from shanben.values import Text


@pytest.fixture(scope="module")
def shipped() -> Plan:
    return plan((), "*")


def texts_of(steps: Plan) -> Iterator[str]:
    for rule in steps.rulebook.rules:
        yield from (e.before for e in rule.examples)
        yield from (k.text for k in rule.keep)


# --- what is told from patterns ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("责任编辑", [{"责任编辑"}]),
        ("(?:责任编辑|责编)[:：]", [{"责任编辑:", "责任编辑：", "责编:", "责编："}]),
        ("甲?乙", [{"甲乙", "乙"}]),
        ("甲*乙", [{"乙"}]),
        ("甲+乙", [{"甲"}, {"乙"}, {"甲乙"}]),
        ("甲+丙?乙", [{"甲"}, {"乙", "丙乙"}, {"甲乙", "甲丙"}]),
        ("[甲丙]{2,9}", [{"甲", "丙"}, {"甲甲", "甲丙", "丙甲", "丙丙"}]),
        ("甲{3,}", [{"甲"}, {"甲甲甲"}]),
        (r"[甲丙]+(?=[乙丁])\w", [{"甲", "丙"}, {"乙", "丁"}, {"甲乙", "甲丁", "丙乙", "丙丁"}]),
        (r"\w(?<=甲)丙*(?=乙)\w", [{"乙"}, {"甲乙", "甲丙"}, {"甲乙", "丙乙"}]),
        (r"(?:甲+|丙+)(?:乙+|\n+)", [{"甲", "丙"}, {"乙", "\n"}, {"甲乙", "甲\n", "丙乙", "丙\n"}]),
        (r"(?<=\w甲)乙|(?<=\w丙)乙", [{"甲乙", "丙乙"}, {"乙"}]),
        (r"(甲+)\1乙+", [{"甲"}, {"乙"}]),
        ("甲{3}", [{"甲甲甲"}]),
        ("甲{0}乙", [{"乙"}]),
        ("(?=乙)[^甲]", [{"乙"}]),
        ("(?!乙)甲", [{"甲"}]),
        ("(?<=甲)乙", [{"甲"}, {"乙"}, {"甲乙"}]),
        ("甲(?=乙|丙)", [{"甲"}, {"乙", "丙"}, {"甲乙", "甲丙"}]),
        (r"甲(乙)\1丙", [{"甲乙"}, {"丙"}]),
        ("甲(?#说明)乙", [{"甲乙"}]),
        (r"^甲\b乙$", [{"甲乙"}]),
        ("(?i)甲a", [{"甲"}]),
        ("(?i:a)甲", [{"甲"}]),
        ("[甲-丙]", [{"甲", *map(chr, range(ord("丙"), ord("甲")))}]) if ord("丙") > ord("甲") else ("[丙]", [{"丙"}]),
        (r"[\u2e80-\u2e82]", [{"\u2e80", "\u2e81", "\u2e82"}]),
        (r"\x41\u7532\.", [{"A甲."}]),
        ("甲|乙*", []),
        (r"\p{Han}", []),
        ("[^甲]", []),
        ("[甲--乙]", []),
        (".", []),
        ("(?x) 甲 乙", []),
        ("(?:甲乙){e<=1}", []),
        (r"甲\X乙", [{"甲"}, {"乙"}]),
        ("(甲)(?(1)乙|丙)", []),
        ("(?>甲|乙)丙", [{"甲丙", "乙丙"}]),
    ],
)
def test_what_a_pattern_asks_for(pattern: str, wanted: list[set[str]]) -> None:
    regex.compile(pattern, PATTERN_FLAGS)
    assert sorted(map(sorted, needs_of(pattern))) == sorted(map(sorted, wanted))


PIECES = st.sampled_from(
    ["甲", "乙", "a", "B", "\\n", "[甲乙]", "[^a]", "[a-c]", ".", "\\b", "^", "$", "(?i:aB)", "\\u7532", "\\s", "\\Z"]
)


def joined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    group = inner.map(lambda p: f"(?:{p})")
    repeat = st.tuples(st.one_of(PIECES, group), st.sampled_from(["?", "*", "+", "{2}", "{0,2}", "{1,3}+", "??"]))
    return st.one_of(
        st.lists(inner, min_size=2, max_size=4).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})"),
        repeat.map("".join),
        inner.map(lambda p: f"(?={p})"),
        inner.map(lambda p: f"(?!{p})"),
        PIECES.map(lambda p: f"(?<={p})"),
        PIECES.map(lambda p: f"(?<!{p})"),
    )


@given(st.recursive(PIECES, joined, max_leaves=8), st.text("甲乙aAbBc\n 丙", max_size=12))
def test_a_pattern_that_is_found_has_an_open_gate(pattern: str, text: str) -> None:
    try:
        found = regex.compile(pattern, PATTERN_FLAGS).search(text)
    except regex.error:
        return
    if found:
        assert all(any(s in text for s in clause) for clause in needs_of(pattern)), (pattern, needs_of(pattern))


@given(st.recursive(PIECES, joined, max_leaves=8), st.text("甲乙aAbBc\n 丙", max_size=16))
def test_a_pattern_that_keeps_to_lines_finds_the_same_line_by_line(pattern: str, text: str) -> None:
    try:
        compiled = regex.compile(pattern, PATTERN_FLAGS)
    except regex.error:
        return
    if not keeps_to_lines(pattern):
        return
    apart = [m.span() for line in Text.of(text).lines for m in compiled.finditer(text, line.start, line.end)]
    assert apart == [m.span() for m in compiled.finditer(text)], pattern


# --- the shipped rules -------------------------------------------------------------------------------------


def test_no_unit_finds_anything_behind_a_closed_gate(shipped: Plan) -> None:
    closed = opened = 0
    for content in texts_of(shipped):
        text = Text(content, guards=shipped.guards)
        presence = Presence(content, shipped.index)
        for unit, may in zip(shipped.units, presence.open, strict=True):
            if may:
                opened += 1
                continue
            closed += 1
            assert not findings(unit, text), (unit.id, content)
    assert closed > 10 * opened  # else the gates are worth nothing


def test_text_and_ledger_are_the_same_without_gates(shipped: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = [(folder / "source.txt").read_text("utf-8") for folder in seed_folders()]
    mixed = "\n".join(random.Random(3).sample(sorted(set(texts_of(shipped))), 400))  # noqa: S311
    documents = [*seeds, mixed, mixed * (LONG_TEXT // len(mixed) + 1)]
    gated = [clean(d) for d in documents]
    monkeypatch.setattr(Index, "of", lambda gates: Index({}, tuple(0 for _ in gates)))
    monkeypatch.setattr(Asked, "index_of", lambda _, names: Index({}, tuple(0 for _ in names)))
    for cached in (pipeline._plan, profiles._index_of):
        cached.cache_clear()
    for module in (apply, profiles):
        monkeypatch.setattr(module, "lines_with", lambda *_: None)
    monkeypatch.setattr(apply, "_may_match", lambda *_: True)
    for document, found in zip(documents, gated, strict=True):
        plain = clean(document)
        assert plain.text == found.text
        assert to_jsonl(plain.ledger) == to_jsonl(found.ledger)
    for cached in (pipeline._plan, profiles._index_of):
        cached.cache_clear()


@settings(max_examples=600)
@example("甲(?=\\n乙)", "甲\n乙\n丙", Where(first=1), "line")
@example("甲(?!\\n乙)", "甲\n乙\n丙", Where(first=1), "line")
@example("甲\\n?\\Z", "甲\n乙\n丙", Where(first=1), "match")
@example("甲\\Z", "甲\n乙", Where(first=1), "match")
@example("(?<=乙?(?=甲\\n\\n乙))甲", "甲\n\n乙\n丙", Where(first=1), "match")
@example("(?<=甲\\n)乙", "丙\n甲\n乙", Where(last=1), "match")
@given(
    st.recursive(PIECES, joined, max_leaves=8),
    st.text("甲乙aAbBc\n 丙", max_size=24),
    st.sampled_from([Where(first=1), Where(first=2), Where(last=1), Where(last=2)]),
    st.sampled_from(["", "line", "match"]),
)
def test_lines_that_hold_nothing_of_a_pattern_are_passed_over_rightly(
    pattern: str, content: str, where: Where, remove: Literal["", "line", "match"]
) -> None:
    try:
        compiled = regex.compile(pattern, PATTERN_FLAGS)
    except regex.error:
        return
    if compiled.search(""):  # no rule may fit nothing
        return
    rule = Rule("a", "replace", "artifacts", Place("f", 1, 1), "x", match=pattern, where=where, remove=remove)
    text = Text(content)
    found = [m.span() for m in apply._matches(rule, text, 10)]
    if not apply._may_match(rule, text):
        assert found == []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(apply, "_near_start", lambda *_: None)
        patched.setattr(apply, "lines_with", lambda *_: None)
        assert [m.span() for m in apply._matches(rule, text, 10)] == found


GATES = """
from shanben.pipeline import plan
print([(u.id, [(sorted(c.characters), c.strings, c.pairs, c.common) for c in u.gate.clauses]) for u in plan().units])
"""


def test_every_process_derives_the_same_gates(tmp_path: Path) -> None:
    """Python orders sets by chance, anew in each process; what one derives and keeps, another sets beside its own."""
    said = set()
    for seed in ("1", "2", "3", "4"):
        own = {"PYTHONHASHSEED": seed, "SHANBEN_CACHE": str(tmp_path / seed)}
        command = [sys.executable, "-c", GATES]
        said.add(subprocess.run(command, env=os.environ | own, capture_output=True, timeout=120, check=True).stdout)
    [gates] = said
    assert len(gates) > 10_000


def test_a_unit_does_not_run_again_on_a_text_that_it_has_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, str]] = []

    def watched(unit: Unit, text: Text) -> list[object]:
        seen.append((unit.rule.digest, text.content))
        return list(findings(unit, text))

    monkeypatch.setattr(pipeline, "findings", watched)
    clean('会议强调,要抓好落实;守住底线.\n\n他说"好"。\n')
    assert len(seen) > 10
    assert len(seen) == len(set(seen))


# --- a text that changes -----------------------------------------------------------------------------------


def edits(content: str, random_: random.Random) -> list[Change]:
    changes, at = [], 0
    while at < len(content):
        start = at + random_.randint(0, 12)
        end = min(len(content), start + random_.randint(0, 3))
        if start < end:
            changes.append(Change(start, content[start:end], random_.choice(["", "", "甲", "甲乙", "丁甲"])))
        at = end + 1
    return changes


@pytest.mark.parametrize("length", [40, 400, SHORT_TEXT + 100, LONG_TEXT + 100])
def test_a_string_that_changes_bring_together_is_seen(length: int) -> None:
    random_ = random.Random(length)  # noqa: S311
    wanted = [a + b for a in "甲乙丙丁" for b in "甲乙丙丁"] + [
        "甲乙丙",
        "丁甲乙",
        "丙丙丙丙",
        "甲乙丙丁甲乙",
        "戊",
        "己庚",
        "𠀀丁",
    ]
    gates = {s: Gate(gate([regex.escape(s)]).clauses) for s in wanted}
    for _ in range(40 if length < 1000 else 4):
        content = "".join(random_.choices("甲乙丙丁xyz\n", [1, 1, 1, 1, 9, 9, 9, 1], k=length))
        presence = Presence(content, Index.of(gates.values()))
        for _ in range(6):
            for s, may in zip(gates, presence.open, strict=True):
                assert may or s not in content
            changes = edits(content, random_)[: random_.choice([1, 2, 1000])]
            content = apply_changes(content, changes, unit="x")
            presence.change(changes, content)


def test_moved_lines_are_seen_as_well() -> None:
    content = "甲\nxx\n乙"
    presence = Presence(content, Index.of([gate(["甲乙"])]))
    assert presence.open == [False]
    changes = [Change(1, "\nxx\n", "\nxx\n", to=6)]
    content = apply_changes(content, changes, unit="x")
    presence.change(changes, content)
    assert "甲乙" in content
    assert presence.open == [True]


@pytest.mark.parametrize("rest", ["", "𠀀"])
@pytest.mark.parametrize("length", [10, SHORT_TEXT, LONG_TEXT])
def test_what_a_text_holds_opens_the_gates(length: int, rest: str, shipped: Plan) -> None:
    content = "春天来了，万物复苏。\n" * (length // 8) + "责任编辑：王某\n" + rest
    presence = Presence(content, shipped.index)
    opened = 0
    for unit, may in zip(shipped.units, presence.open, strict=True):
        holds = all(
            not clause.characters.isdisjoint(content) or any(s in content for s in clause.strings)
            for clause in unit.gate.clauses
        )
        assert may or not holds, unit.id
        opened += may
    assert opened < len(shipped.units) / 2


def test_pairs_are_found_with_and_without_numpy(shipped: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np

    assert np.__version__
    for content in texts_of(shipped):
        monkeypatch.setattr(presence_module, "SHORT_TEXT", -1)
        quick = shipped.index.held_by(content)
        monkeypatch.setattr(presence_module, "SHORT_TEXT", 1 << 30)
        assert quick == shipped.index.held_by(content)


CHAIN = """\
rules:
- {id: to-four, fault: a made mark, match: '◈', replace: '※', examples: [['◈', '※']], keep: ['※']}
- {id: to-three, fault: a made mark, match: '◆', replace: '◈', examples: [['◆', '◈', '※']], keep: ['※']}
- {id: to-two, fault: a made mark, match: '◇', replace: '◆', examples: [['◇', '◆', '※']], keep: ['※']}
"""


def test_a_costly_step_waits_until_all_else_is_at_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "punctuation").mkdir()
    (tmp_path / "punctuation" / "chain.yaml").write_text(CHAIN, "utf-8")
    seen: dict[str, list[str]] = {}

    def noted(unit: Unit, text: Text) -> list[Finding]:
        seen.setdefault(unit.id, []).append(text.content)
        return findings(unit, text)

    monkeypatch.setattr(pipeline, "findings", noted)
    cleaned = clean("会议强调◇，要抓好落实。\n春天来了，万物复苏。\n", rules=[tmp_path], profile="plain")
    assert cleaned.text == "会议强调※，要抓好落实。\n春天来了，万物复苏。\n"
    assert [p.unit for p in cleaned.ledger.passes] == ["to-two", "to-three", "to-four"]
    assert seen["column-order"] == [cleaned.ledger.revert(cleaned.text), cleaned.text]
    assert len(seen["to-two"]) > 2
