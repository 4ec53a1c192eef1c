"""The ledger as a format: what docs and schema say holds for real ledgers, and no damaged one gets through."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from conftest import ROOT, seed_folders
from shanben.archive.changes import changes_jsonl, compare, placed
from shanben.archive.ledger_schema import ledger_schema
from shanben.archive.undo import take_back
from shanben.cli import main
from shanben.errors import LedgerError, UsageError
from shanben.ledger import Change, Ledger, Pass, apply_changes, from_jsonl, to_jsonl
from shanben.pipeline import clean, plan, revert
from shanben.structure import build_document, canonical_ledger
from shanben.values import Decoding, Source
from shanben.works import find_works
from test_laws import TEXTS

SCHEMA = ledger_schema()
KINDS = [
    ("shanben-ledger", "header"),
    ("pass", "pass"),
    ("mark", "mark"),
    ("capture", "capture"),
    ("suggest", "suggestion"),
    ("held", "held"),
    ("before", "change"),
]
HOSTILE = (
    "\ufeff第一章\u3000总则\r\n本 条例\u200b所称\x07“单位”,是指机关。\r\n".encode(),
    "中文,正文.\n混合".encode("gb18030") + "和 UTF-8,一起。\n".encode() * 3,
    b"abc \xff\xfe\xfa def, " + "会议强调,要抓好落实.".encode() * 5,
    "甲\u2028乙\u2029丙\x85丁,戊".encode(),
    "版权所有：梦达公司\n来源：新华社\n作者：张三\n\n正文,说明.\n".encode(),
    "会议强调,要抓好落实;守住底线.".encode("utf-16"),
)


def validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator({**SCHEMA, "anyOf": [{"$ref": f"#/$defs/{kind}"}]})


VALIDATORS = {kind: validator(kind) for _, kind in KINDS} | {"changes-line": validator("changes-line")}


@cache
def real_ledgers() -> tuple[tuple[str, str, Ledger], ...]:
    """Give name, text of the edition and ledger of every seed and of hostile documents."""
    found = []
    for work in find_works(seed_folders()):
        cleaned = clean(work.read(), encoding=work.encoding, work=work.slug)
        document = build_document(cleaned, cleaned.plan or plan((), work.slug), said=work.said, name=work.slug)
        found.append((work.slug, document.text, canonical_ledger(cleaned, document)))
    for number, data in enumerate(HOSTILE):
        cleaned = clean(Source(f"hostile-{number}", data))
        found.append((cleaned.source.name, cleaned.text, cleaned.ledger))
    return tuple(found)


def kind_of(line: dict[str, Any]) -> str:
    return next(kind for key, kind in KINDS if key in line)


# --- the schema and the document that describe it ----------------------------------------------------------


def test_the_schema_is_one_and_is_the_one_in_the_documentation() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    stored = json.loads((ROOT / "docs" / "ledger.schema.json").read_text("utf-8"))
    assert stored == SCHEMA, "shanben ledger schema > docs/ledger.schema.json"
    printed = CliRunner().invoke(main, ["ledger", "schema"])
    assert json.loads(printed.output) == SCHEMA


def test_the_documentation_names_every_key() -> None:
    page = (ROOT / "docs" / "ledger.md").read_text("utf-8")
    for kind, definition in SCHEMA["$defs"].items():
        for key in definition["properties"]:
            assert f"`{key}`" in page, f"docs/ledger.md does not tell what {key!r} of a {kind} is"


def test_every_line_of_real_ledgers_fits_the_schema() -> None:
    kinds: Counter[str] = Counter()
    for name, _, ledger in real_ledgers():
        for number, text in enumerate(to_jsonl(ledger).splitlines(), 1):
            line = json.loads(text)
            kind = kind_of(line)
            kinds[kind] += 1
            faults = list(VALIDATORS[kind].iter_errors(line))
            assert not faults, f"{name}:{number}: {faults[0].message}"
    assert {"header", "pass", "change", "mark", "capture"} <= set(kinds)
    assert kinds["change"] > 500


def test_the_compact_form_says_the_same_in_less_room(tmp_path: Path) -> None:
    columns = saved = 0
    for name, _, ledger in real_ledgers():
        long, short = to_jsonl(ledger), to_jsonl(ledger, compact=True)
        assert from_jsonl(short) == ledger, name
        assert len(short) <= len(long)
        saved += len(long) - len(short)
        for text in short.splitlines():
            line = json.loads(text)
            assert not list(VALIDATORS[kind_of(line)].iter_errors(line)), text[:200]
            columns += "pass" in line and "at" in line
    assert columns > 20
    assert saved > 10_000
    _, _, ledger = real_ledgers()[0]
    first, compact, again = (tmp_path / name for name in ("a.jsonl", "b.jsonl", "c.jsonl"))
    first.write_text(to_jsonl(ledger), "utf-8")
    assert CliRunner().invoke(main, ["ledger", "convert", str(first), "-o", str(compact), "--compact"]).exit_code == 0
    assert compact.read_text("utf-8") == to_jsonl(ledger, compact=True)
    assert CliRunner().invoke(main, ["ledger", "convert", str(compact), "-o", str(again)]).exit_code == 0
    assert again.read_bytes() == first.read_bytes()


def test_clean_writes_the_compact_form_when_asked(tmp_path: Path) -> None:
    texts = {"甲": "会议强调,要抓好落实;守住底线.\n" * 9, "乙": "他说:“好”,对吗?\n"}
    for name, text in texts.items():
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / f"{name}.txt").write_text(text, "utf-8")
    wanted = {
        f"{n}.txt.jsonl": to_jsonl(clean(Source(f"{n}.txt", t.encode())).ledger, compact=True) for n, t in texts.items()
    }
    one = ["clean", str(tmp_path / "in/甲.txt"), "-o", str(tmp_path / "t.txt"), "--ledger", str(tmp_path / "l.jsonl")]
    many = ["clean", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--ledger", str(tmp_path / "ledgers")]
    assert CliRunner().invoke(main, many).exit_code == 0
    long = {path.name: path.read_bytes() for path in (tmp_path / "ledgers").iterdir()}
    for command in (one, many):
        assert CliRunner().invoke(main, [*command, "--compact"]).exit_code == 0
    short = {path.name: path.read_text("utf-8") for path in (tmp_path / "ledgers").iterdir()}
    assert (tmp_path / "l.jsonl").read_text("utf-8") == short["甲.jsonl"]
    assert [short[n] for n in sorted(short)] == [wanted[n] for n in sorted(wanted)]
    assert len(short["甲.jsonl"].encode()) < 0.6 * len(long["甲.jsonl"])
    refused = CliRunner().invoke(main, [*one[:4], "--compact"])
    assert refused.exit_code == 2 and "--ledger" in refused.stderr


@pytest.mark.parametrize(
    "columns",
    [
        {"at": [], "before": ",", "after": "，"},
        {"at": 3, "before": ",", "after": "，"},
        {"at": [1, -2], "before": ",", "after": "，"},
        {"at": [1, 2], "before": [","], "after": "，"},
        {"at": [1], "before": [7], "after": "，"},
        {"at": [1], "before": ","},
    ],
)
def test_columns_that_do_not_fit_are_refused(columns: dict[str, Any]) -> None:
    ledger = clean("会议强调,要抓好落实").ledger
    lines = [json.loads(line) for line in to_jsonl(ledger, compact=True).splitlines()]
    at = next(n for n, line in enumerate(lines) if "at" in line and "pass" in line)
    lines[at] = {k: v for k, v in lines[at].items() if k not in ("at", "before", "after")} | columns
    with pytest.raises(LedgerError):
        from_jsonl("\n".join(map(json.dumps, lines)))


def test_changes_stand_at_their_place_in_the_source() -> None:
    """Line and column lead to the words in the source, counted by another hand: always where nothing was
    changed before (the first pass), else nearly always, since an earlier change may have made the words."""
    seen = 0
    later: Counter[bool] = Counter()
    for name, text, ledger in real_ledgers():
        source = ledger.revert(text)
        lines = source.split("\n")
        for row in map(json.loads, changes_jsonl(ledger, source).splitlines()):
            assert not list(VALIDATORS["changes-line"].iter_errors(row)), name
            if row["pass"] == 0 and "\n" not in row["before"]:
                start = row["column"] - 1
                assert lines[row["line"] - 1][start : start + len(row["before"])] == row["before"]
                assert sum(len(x) + 1 for x in lines[: row["line"] - 1]) + start == row["at"]
                seen += 1
            elif row["before"]:
                later[source[row["at"] :].startswith(row["before"])] += 1
    assert seen > 10
    assert later[True] > 10 * later[False] > 0


def test_the_schema_refuses_what_no_ledger_says() -> None:
    whole = Draft202012Validator(SCHEMA)
    for line in ({}, {"at": -1, "before": "", "after": ""}, {"at": 1, "before": "a"}, {"pass": 0}, [], {"mark": 1}):
        assert not whole.is_valid(line), line


def test_an_older_ledger_without_counts_is_read_and_a_later_one_may_say_more() -> None:
    _, text, ledger = real_ledgers()[0]
    lines = [json.loads(line) for line in to_jsonl(ledger).splitlines()]
    del lines[0]["counts"]
    lines[0]["later"] = {"more": 1}
    lines[1]["later"] = "more"
    lines[2]["later"] = None
    read = from_jsonl("\n".join(json.dumps(line, ensure_ascii=False) for line in lines) + "\n")
    assert read.extra == {"later": {"more": 1}}
    assert read.passes == ledger.passes
    assert revert(text, read)


# --- damaged and hostile ledgers ---------------------------------------------------------------------------


def small() -> tuple[str, Ledger]:
    cleaned = clean("会议强调,要抓好落实;守住底线.\n来源：新华社\n\n正文,说明,各项.")
    assert cleaned.ledger.change_count > 3
    return cleaned.text, cleaned.ledger


def edited(change: Callable[[list[dict[str, Any]]], object]) -> str:
    lines = [json.loads(line) for line in to_jsonl(small()[1]).splitlines()]
    change(lines)
    return "\n".join(json.dumps(line, ensure_ascii=False) for line in lines) + "\n"


def first(lines: list[dict[str, Any]], key: str) -> dict[str, Any]:
    return next(line for line in lines[1:] if key in line)


DAMAGED: dict[str, Callable[[], str]] = {
    "outside the text": lambda: edited(lambda x: first(x, "before").update(at=10**9)),
    "beyond any text": lambda: edited(lambda x: first(x, "before").update(at=10**30)),
    "before the text": lambda: edited(lambda x: first(x, "before").update(at=-1)),
    "a move outside": lambda: edited(lambda x: first(x, "before").update(to=10**9, after=first(x, "before")["before"])),
    "a number as text": lambda: edited(lambda x: first(x, "before").update(before=7)),
    "text as number": lambda: edited(lambda x: first(x, "before").update(at="7")),
    "true as number": lambda: edited(lambda x: first(x, "before").update(at=True)),
    "a gain that is a list": lambda: edited(lambda x: first(x, "before").update(gain=[1])),
    "NaN": lambda: to_jsonl(small()[1]).replace('"confidence":1.0', '"confidence":NaN'),
    "infinite": lambda: to_jsonl(small()[1]).replace('"confidence":1.0', '"confidence":1e999'),
    "a confidence over 1": lambda: to_jsonl(small()[1]).replace('"confidence":1.0', '"confidence":2'),
    "deep": lambda: '{"a":' * 100_000,
    "deep inside": lambda: to_jsonl(small()[1]).replace('"evidence":[', '"evidence":[' + "[" * 50_000, 1),
    "a huge number": lambda: to_jsonl(small()[1]).replace('"size":', '"size":' + "9" * 5000, 1),
    "a key twice": lambda: to_jsonl(small()[1]).replace('"before":', '"before":"x","before":', 1),
    "cut in a line": lambda: to_jsonl(small()[1])[:-40],
    "cut between lines": lambda: "\n".join(to_jsonl(small()[1]).splitlines()[:-1]) + "\n",
    "a line too many": lambda: edited(lambda x: x.append({"mark": "heading", "at": 0, "level": 1, "unit": "u"})),
    "empty": lambda: "",
    "no JSON": lambda: "this is a text\n",
    "a list": lambda: "[1, 2]\n",
    "wrong digest of the text": lambda: edited(lambda x: x[0]["text"].update(sha256="0" * 64)),
    "wrong digest of the source": lambda: edited(lambda x: x[0]["source"].update(sha256="0" * 64)),
    "another format": lambda: edited(lambda x: x[0].update({"shanben-ledger": 2})),
    "no decoding": lambda: edited(lambda x: x[0]["decoding"].update(segments=[])),
    "an unknown codec": lambda: edited(lambda x: x[0]["decoding"]["segments"][0].__setitem__(2, "rot13")),
    "a slow codec": lambda: edited(lambda x: x[0]["decoding"]["segments"][0].__setitem__(2, "punycode")),
    "overlapping segments": lambda: edited(lambda x: x[0]["decoding"]["segments"].append([0, 3, "utf-8"])),
    "a pass out of order": lambda: edited(lambda x: first(x, "pass").update({"pass": 1})),
    "changes before any pass": lambda: edited(lambda x: x.insert(1, {"at": 0, "before": "", "after": "x"})),
    "overlapping changes": lambda: edited(lambda x: x.insert(3, dict(first(x, "before")))),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_ledger_is_refused_in_one_paragraph_and_nothing_is_written(name: str, tmp_path: Path) -> None:
    text, ledger = small()
    damaged = DAMAGED[name]()
    assert damaged != to_jsonl(ledger)
    (tmp_path / "clean.txt").write_bytes(text.encode())
    (tmp_path / "ledger.jsonl").write_bytes(damaged.encode())
    out = tmp_path / "source.txt"
    command = ["revert", str(tmp_path / "clean.txt"), "--ledger", str(tmp_path / "ledger.jsonl"), "-o", str(out)]
    for more in ([], ["--rule", "han-comma", "--new-ledger", str(tmp_path / "new.jsonl")]):
        done = CliRunner().invoke(main, command + more)
        assert done.exit_code == 7, done.output
        assert done.output.startswith("error: ") and len(done.output) < 600
        assert len(done.output.strip().splitlines()) <= 2, done.output
        assert "Traceback" not in done.output
        assert sorted(p.name for p in tmp_path.iterdir()) == ["clean.txt", "ledger.jsonl"]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def read_or_refuse(data: str, text: str, source: bytes) -> None:
    """A ledger gives the very bytes of the source, or a LedgerError of one paragraph; there is no third way."""
    try:
        assert revert(text, from_jsonl(data)) == source
    except LedgerError as error:
        assert error.what and "\n" not in error.what and len(str(error)) < 800


@given(st.data())
def test_any_value_anywhere_is_read_or_refused(data: st.DataObject) -> None:
    text, ledger = small()
    lines = [json.loads(line) for line in to_jsonl(ledger).splitlines()]
    target: Any = data.draw(st.sampled_from(lines))
    key = data.draw(st.sampled_from(sorted(target)))
    while isinstance(target[key], dict | list) and target[key] and data.draw(st.booleans()):
        target = target[key]
        key = data.draw(st.sampled_from(sorted(target) if isinstance(target, dict) else list(range(len(target)))))
    target[key] = data.draw(JSON_VALUES)
    written = "\n".join(json.dumps(line, ensure_ascii=data.draw(st.booleans())) for line in lines)
    read_or_refuse(written, text, revert(*small()))


@given(st.data())
def test_any_damage_to_the_letters_is_read_or_refused(data: st.DataObject) -> None:
    text, ledger = small()
    written = to_jsonl(ledger)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(written)))
        end = data.draw(st.integers(start, min(len(written), start + 30)))
        written = written[:start] + data.draw(st.text(max_size=6) | st.sampled_from('{}[]",:0\n')) + written[end:]
    read_or_refuse(written, text, revert(*small()))


@given(st.text() | st.binary().map(lambda b: b.decode("latin-1")))
def test_any_text_is_read_or_refused(data: str) -> None:
    read_or_refuse(data, "甲", "甲".encode())


# --- one rule taken back -----------------------------------------------------------------------------------


def passes_at_random(chance: random.Random) -> tuple[str, str, tuple[Pass, ...]]:
    """Give a text, what becomes of it, and the passes in between: all kinds of changes, moves among them."""
    source = text = "".join(chance.choice("abcdefgh\n") for _ in range(chance.randrange(0, 20)))
    passes = []
    for number in range(chance.randrange(1, 6)):
        changes: list[Change] = []
        cuts = sorted(chance.randrange(0, len(text) + 1) for _ in range(2 * chance.randrange(0, 5)))
        for start, stop in zip(cuts[::2], cuts[1::2], strict=True):
            if changes and start <= changes[-1].end:
                continue
            end = min(stop, start + 4)
            after = chance.choice(["", "甲", "子丑"]) if end > start else "乙"
            changes.append(Change(start, text[start:end], after))
        if not changes and len(text) > 6:
            start = chance.randrange(0, len(text) - 2)
            end = min(len(text), start + chance.randrange(1, 4))
            places = [n for n in range(len(text) + 1) if not start <= n <= end]
            changes = [Change(start, text[start:end], text[start:end], to=chance.choice(places))]
        passes.append(Pass(chance.choice("ABC"), "layout", "d", number + 1, tuple(changes)))
        text = apply_changes(text, changes)
    return source, text, tuple(passes)


def plain_ledger(passes: tuple[Pass, ...]) -> Ledger:
    return Ledger("", 0, Decoding("utf-8", 1.0), "", "", passes)


@pytest.mark.parametrize("start", range(0, 3000, 500))
def test_rules_taken_back_leave_all_others_in_place(start: int) -> None:
    undone = held = 0
    for seed in range(start, start + 500):
        source, text, passes = passes_at_random(random.Random(seed))  # noqa: S311 - cases, not secrets
        ledger = plain_ledger(passes)
        counts = ledger.counts()
        assert take_back(ledger, counts, source).text == source
        assert take_back(ledger, [], source).text == text
        for unit in counts:
            found = take_back(ledger, [unit], source)
            assert found.ledger.replay(source) == found.text
            assert found.ledger.revert(found.text) == source
            left = found.ledger.counts()
            for other in counts:
                wanted = len(found.conflicts) if other == unit else counts[other]
                assert left.get(other, 0) == wanted or any(c.to is not None for p in passes for c in p.changes)
            assert sum(found.undone.values()) + len(found.conflicts) == counts[unit]
            undone, held = undone + sum(found.undone.values()), held + len(found.conflicts)
    assert undone > 2 * held > 0


@given(TEXTS)
@settings(max_examples=30)
def test_all_rules_taken_back_give_the_source(text: str) -> None:
    try:
        cleaned = clean(text)
    except Exception as error:  # noqa: BLE001 - what cannot be cleaned is no case of this test
        assert type(error).__module__ == "shanben.errors"
        return
    source = cleaned.ledger.revert(cleaned.text)
    assert take_back(cleaned.ledger, cleaned.ledger.counts(), source).text == source
    for unit in cleaned.ledger.counts():
        found = take_back(cleaned.ledger, [unit], source)
        assert revert(found.text, found.ledger) == cleaned.source.data


def test_every_rule_of_every_seed_can_be_taken_back_alone() -> None:
    for name, text, ledger in real_ledgers():
        source = ledger.revert(text)
        assert take_back(ledger, ledger.counts(), source).text == source, name
        for unit, count in ledger.counts().items():
            found = take_back(ledger, [unit], source)
            assert revert(found.text, found.ledger) == revert(text, ledger)
            assert found.undone.get(unit, 0) + len(found.conflicts) == count


def test_a_later_change_holds_an_older_one() -> None:
    passes = (
        Pass("first", "layout", "d", 1, (Change(0, "a", "b"), Change(2, "c", "d"))),
        Pass("second", "layout", "d", 1, (Change(0, "b", "z"),)),
    )
    found = take_back(plain_ledger(passes), ["first"], "a-c")
    assert found.text == "z-c"
    [conflict] = found.conflicts
    assert (conflict.unit, conflict.change.start, conflict.held_by) == ("first", 0, "second")
    assert take_back(plain_ledger(passes), ["first", "second"], "a-c").text == "a-c"
    with pytest.raises(UsageError, match="did you mean 'first'"):
        take_back(plain_ledger(passes), ["frist"], "a-c")


def test_an_insertion_beside_taken_out_text_is_no_guess() -> None:
    passes = (
        Pass("out", "layout", "d", 1, (Change(1, "x", ""),)),
        Pass("in", "layout", "d", 1, (Change(1, "", "y"),)),
    )
    found = take_back(plain_ledger(passes), ["out"], "axb")
    assert found.text == "ayb" and [c.held_by for c in found.conflicts] == ["in"]


# --- two ledgers compared ----------------------------------------------------------------------------------


def test_a_difference_names_what_only_one_ledger_has(tmp_path: Path) -> None:
    source = "会议强调,要抓好落实;守住底线.(附件)"
    cleaned = clean(source)
    comma = next(u for u, p in ((p.unit, p) for p in cleaned.ledger.passes) if any(c.before == "," for c in p.changes))
    without = take_back(cleaned.ledger, [comma], source)
    a, b = list(placed(cleaned.ledger, source)), list(placed(without.ledger, source))
    found = compare(a, b)
    assert [(x.rule, x.change.before) for x in found.only_a] == [(comma, ",")] and not found.only_b
    assert sum(found.both.values()) == len(b) and found.by_rule()[comma] == (1, 0, 0)
    assert compare(a, a).is_empty and compare(b, a).only_b == found.only_a
    for name, one in (("a", cleaned.ledger), ("b", without.ledger)):
        (tmp_path / f"{name}.jsonl").write_text(to_jsonl(one), "utf-8")
    command = ["ledger", "diff", str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl")]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0 and f"only in A: 1, only in B: 0, in both: {len(b)}" in done.output
    [row] = json.loads(CliRunner().invoke(main, [*command, "--json"]).output)
    assert [x["rule"] for x in row["only_a"]] == [comma] and row["only_b"] == []


def test_ledgers_of_two_sources_are_not_compared(tmp_path: Path) -> None:
    for name, text in (("a", "会议强调,要抓好落实."), ("b", "会议指出,要抓好落实.")):
        (tmp_path / name).write_text(to_jsonl(clean(text).ledger), "utf-8")
    done = CliRunner().invoke(main, ["ledger", "diff", str(tmp_path / "a"), str(tmp_path / "b")])
    assert done.exit_code == 2 and "different sources" in done.output


def test_the_same_change_by_another_rule_is_told_apart() -> None:
    old = plain_ledger((Pass("one", "layout", "d", 1, (Change(0, "a", "b"),)),))
    new = plain_ledger((Pass("two", "layout", "d", 1, (Change(0, "a", "b"),)),))
    found = compare(placed(old, "ac"), placed(new, "ac"))
    assert found.is_empty and [(x.rule, y.rule) for x, y in found.other_rule] == [("one", "two")]
