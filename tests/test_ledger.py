"""Replay and undo are exact, misfits are refused, and the JSON lines hold everything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shanben.errors import LedgerError
from shanben.ledger import (
    MANY,
    Capture,
    Change,
    Held,
    Ledger,
    Note,
    OffsetMap,
    Pass,
    Suggestion,
    apply_changes,
    from_jsonl,
    kept,
    map_marks,
    to_jsonl,
    undo_changes,
)  # fmt: skip
from shanben.values import Decoding, Mark, Segment

ANY_TEXT = st.text(alphabet=st.characters(), max_size=40)


@st.composite
def text_and_changes(draw: st.DrawFn) -> tuple[str, list[Change]]:
    text = draw(ANY_TEXT)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    changes = []
    for start, end in zip(cuts[::2], cuts[1::2], strict=False):
        if changes and start < changes[-1].end:
            continue
        if changes and start == changes[-1].start and start == end:
            continue
        changes.append(Change(start, text[start:end], draw(ANY_TEXT)))
    return text, changes


@given(text_and_changes())
def test_undo_gives_the_text_back(case: tuple[str, list[Change]]) -> None:
    text, changes = case
    assert undo_changes(apply_changes(text, changes), changes) == text


@given(st.lists(st.text(alphabet="甲乙丙丁", min_size=1, max_size=3), min_size=2, max_size=6), st.data())
def test_a_moved_line_goes_and_comes_back(lines: list[str], data: st.DataObject) -> None:
    text = "".join(line + "\n" for line in lines)
    starts = [sum(len(x) + 1 for x in lines[:i]) for i in range(len(lines) + 1)]
    source = data.draw(st.integers(0, len(lines) - 1))
    target = data.draw(st.sampled_from([i for i in range(len(lines) + 1) if i not in (source, source + 1)]))
    piece = lines[source] + "\n"
    move = Change(starts[source], piece, piece, to=starts[target])
    moved = apply_changes(text, [move])
    assert sorted(moved) == sorted(text)
    assert moved != text or len(set(lines)) < len(lines)
    assert undo_changes(moved, [move]) == text
    places = OffsetMap([move])
    for offset in range(len(text)):
        assert text[offset] == moved[places.forward(offset)]
        assert places.back(places.forward(offset)) == offset


@given(text_and_changes())
def test_places_of_untouched_characters_map_both_ways(case: tuple[str, list[Change]]) -> None:
    text, changes = case
    result = apply_changes(text, changes)
    places = OffsetMap(changes)
    touched = {i for c in changes for i in range(c.start, c.end)}
    for offset in set(range(len(text))) - touched:
        assert result[places.forward(offset)] == text[offset]
        assert places.back(places.forward(offset)) == offset


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([Change(0, "乙", "丙")], "expects '乙'"),
        ([Change(0, "甲乙", ""), Change(1, "乙", "")], "overlap"),
        ([Change(9, "", "丙")], "does not fit"),
        ([Change(0, "甲", "乙", to=2)], "changes its text"),
    ],
)
def test_what_does_not_fit_is_refused(changes: list[Change], message: str) -> None:
    with pytest.raises(LedgerError, match=message):
        apply_changes("甲乙", changes)


def test_undo_refuses_another_text() -> None:
    with pytest.raises(LedgerError, match="expects '丙'"):
        undo_changes("甲乙", [Change(0, "甲", "丙")])


def _ledger(passes: tuple[Pass, ...]) -> Ledger:
    decoding = Decoding("gb18030", 0.9, ("why",), (Segment(0, 3, "gb18030"), Segment(3, 4, "bad", b"\xff")))
    notes = (
        Note("r", 1, 2, Capture(0, "date", "2024")),
        Note("r", 3, 4, Suggestion(1, "a", "b", "because", 1.5)),
        Note("s", 1, 1, Held("too much")),
    )
    return Ledger("00", 4, decoding, "11", "0.1", passes, notes, (Mark(0, "heading", 2, "m"),), "22", {"more": [1]})


@given(text_and_changes())
def test_changes_as_columns_are_the_same_changes(case: tuple[str, list[Change]]) -> None:
    text, changes = case
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("shanben.ledger.MANY", 1)
        columns = kept(changes)
    assert (type(columns) is tuple) == (not changes)
    assert list(columns) == changes
    assert [columns[n] for n in range(-len(changes), len(changes))] == changes * 2
    assert columns[1:][::-1] == tuple(changes[1:][::-1])
    assert columns == tuple(changes)
    assert tuple(changes) == columns
    assert columns != (*changes, Change(0, "", "甲"))
    assert hash(columns) == hash(tuple(changes))
    assert apply_changes(text, columns) == apply_changes(text, changes)
    ledgers = [_ledger((Pass("u", "layout", "d", 1, one),)) for one in (columns, tuple(changes))]
    for compact in (False, True):
        assert to_jsonl(ledgers[0], compact=compact) == to_jsonl(ledgers[1], compact=compact)


def test_only_many_plain_changes_become_columns() -> None:
    plain = [Change(n, "a", "b") for n in range(MANY)]
    assert type(kept(plain)) is not tuple
    assert type(kept(plain[1:])) is tuple
    for odd in (Change(0, "a\n", "a\n", to=9), Change(0, "a", "b", gain=1.0), Change(0, "a", "b", reason="so")):
        assert kept([odd, *plain]) == (odd, *plain)
        assert type(kept([odd, *plain])) is tuple


@given(st.lists(text_and_changes(), max_size=3))
def test_json_lines_hold_everything(cases: list[tuple[str, list[Change]]]) -> None:
    passes = tuple(Pass("u", "layout", "d", 1, tuple(changes)) for _, changes in cases)
    ledger = _ledger(passes)
    written = to_jsonl(ledger)
    assert from_jsonl(written) == ledger
    assert written.count("\n") == len(written.splitlines()), "no character inside a line may end it"


def test_lone_surrogates_survive_the_json_lines() -> None:
    ledger = _ledger((Pass("u", "p", "d", 1, (Change(0, "\ud800", "\u2028"),)),))
    assert from_jsonl(to_jsonl(ledger).encode("utf-8").decode("utf-8")) == ledger


@pytest.mark.parametrize(
    "damage",
    [
        lambda s: "",
        lambda s: "{}",
        lambda s: s.replace('"shanben-ledger":1', '"shanben-ledger":2'),
        lambda s: s.replace('"pass":0', '"pass":1'),
        lambda s: s.replace('"at":0', '"at":-1', 1),
        lambda s: s.replace('"at":0', '"at":"0"', 1),
        lambda s: s.replace('"before"', '"bevore"'),
        lambda s: s[: len(s) // 2],
        lambda s: "[" * 100_000,
        lambda s: '{"a":' * 100_000,
    ],
)
def test_a_damaged_ledger_is_refused_by_line(damage) -> None:  # type: ignore[no-untyped-def]
    written = to_jsonl(_ledger((Pass("u", "p", "d", 1, (Change(0, "a", "b"),)),)))
    damaged = damage(written)
    assert damaged != written
    with pytest.raises(LedgerError, match="line"):
        from_jsonl(damaged)


def test_marks_follow_their_lines() -> None:
    changes = [Change(0, "## ", ""), Change(5, "", "乙")]
    text = "## 甲\n丙"
    assert apply_changes(text, changes) == "甲\n乙丙"
    assert map_marks([Mark(0, "heading"), Mark(5, "item")], changes) == (Mark(0, "heading"), Mark(3, "item"))
