"""The strict YAML layer: what is refused, where the fault is put, and how it is shown."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
import yaml

from shanben.errors import RuleError
from shanben.rulebook import strict_yaml
from shanben.rulebook.schema import Place
from shanben.rulebook.strict_yaml import (
    CODES,
    MAX_BYTES,
    MAX_VALUES,
    Faults,
    Items,
    Node,
    Pairs,
    Reader,
    Scalar,
    caret_lines,
)


@pytest.fixture(params=["libyaml", "python"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run with and without libyaml: the faults must be the same."""
    if request.param == "python":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    return str(request.param)


def faults_of(content: str | bytes, name: str = "f") -> Faults:
    faults = Faults()
    strict_yaml.parse_bytes(content.encode() if isinstance(content, str) else content, name, faults)
    return faults


def short(faults: Faults) -> list[str]:
    return [f"{f.place.line}:{f.place.column} {f.code}" for f in faults]


def plain(node: Node | None) -> object:
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Items):
        return [plain(item) for item in node.items]
    assert isinstance(node, Pairs)
    return {key: plain(entry.value) for key, entry in node.entries.items()}


READS = [
    ("a: no", {"a": "no"}),
    ("a: 10:30", {"a": "10:30"}),
    (
        "a: 010\nb: 1_000\nc: 3.50\nd: ~\ne: 2024-01-01\nf: 0x1f",
        {"a": "010", "b": "1_000", "c": "3.50", "d": "~", "e": "2024-01-01", "f": "0x1f"},
    ),
    ("a: 'it''s'\nb: \"\\u9996\"\nc: |\n  甲\n  乙\n", {"a": "it's", "b": "首", "c": "甲\n乙\n"}),
    ("- [甲, 乙]\n- {丙: 丁}\n", [["甲", "乙"], {"丙": "丁"}]),
    ("---\na: b\n...\n", {"a": "b"}),
    ("'<<': a\n'*': b\n", {"<<": "a", "*": "b"}),
    ("\ufeffa: b\r\nc: d\r\n", {"a": "b", "c": "d"}),
    ("1: a\ntrue: b\n", {"1": "a", "true": "b"}),
]


@pytest.mark.parametrize(("content", "expected"), READS)
def test_every_scalar_stays_text(content: str, expected: object, loader: str) -> None:
    faults = Faults()
    assert plain(strict_yaml.parse(content, "f", faults)) == expected
    assert not faults


REFUSED = [
    # empty
    ("", ["1:1 R105"]),
    ("# only a comment\n", ["1:1 R105"]),
    ("---\n", ["2:1 R105"]),
    # keys
    ("a: 1\nb: 2\na: 3\n", ["3:1 R108"]),
    ("a: 1\n'a': 2\n\"a\": 3\n", ["2:1 R108", "3:1 R108"]),
    ("x: {a: 1, b: 2, a: 3}\n", ["1:17 R108"]),
    ("? [a, b]\n: c\n", ["1:3 R114"]),
    ("? {a: b}\n: c\nd: e\nd: f\n", ["1:3 R114", "4:1 R108"]),
    ("[a]: b\n", ["1:1 R114"]),
    ("a:\n  <<: {b: c}\n", ["2:3 R111"]),
    # anchors, aliases, tags
    ("a: &x 1\nb: *x\n", ["1:4 R109", "2:4 R109"]),
    ("a: *nowhere\n", ["1:4 R109"]),
    ("*x : 1\n", ["1:1 R109"]),
    ("&x a: 1\n", ["1:1 R109"]),
    ("a: !!str 1\nb: !x [c]\nc: ! d\n", ["1:4 R110", "2:4 R110", "3:4 R110"]),
    ("a: !!python/object/apply:os.system ['true']\n", ["1:4 R110"]),
    ("- &a [x]\n- &b [*a, *a]\n", ["1:3 R109", "2:3 R109", "2:7 R109", "2:11 R109"]),
    # documents
    ("a: 1\n---\nb: 2\n", ["2:1 R112"]),
    ("%YAML 1.1\n---\na: 1\n", ["1:1 R112"]),
    ("%TAG ! x:\n---\na: 1\n", ["1:1 R112"]),
    # depth
    ("[" * 20 + "]" * 20, []),
    ("[" * 21 + "]" * 21, ["1:21 R113"]),
    ("[" * 100_000, ["1:21 R113"]),
    ("{a: " * 21 + "1" + "}" * 21, ["1:78 R113"]),
    # number
    ("- a\n" * MAX_VALUES, [f"{MAX_VALUES}:3 R115"]),
    # syntax
    ("a:\n\t- b\n", ["2:1 R107"]),
    ("a:\n  b: 1\n\tc: 2\n", ["3:1 R107"]),
    ("a: 'x\nb: 1\n", ["1:4 R106"]),
    ("a: 'x\n---\n", ["1:4 R106"]),
    ("a: \"x\n", ["1:4 R106"]),
    ('a: "\\d"\n', ["1:6 R106"]),
    ("a: @x\n", ["1:4 R106"]),
    ("a: %x\n", ["1:4 R106"]),
    ("a: `x`\n", ["1:4 R106"]),
    ("a: **市\n", ["1:5 R106"]),
    ("a: &&\n", ["1:5 R106"]),
    ("a: b: c\n", ["1:5 R106"]),
    ("a: 1\n b: 2\n", ["2:3 R106"]),
    ("- a\nb: c\n", ["2:1 R106"]),
    ("a: [b\n", ["2:1 R106"]),
    ("a: b]\n", []),
    ("a: 1\na: 2\nb: 'x\n", ["2:1 R108", "3:4 R106"]),
    # characters
    (b"a: \x00\n", ["1:4 R104"]),
    (b"a: 1\nb: x\x1b[31m\n", ["2:5 R104"]),
    ("a: 甲\u2028乙\n", ["1:5 R104"]),
    ("a: 甲\x85乙\n", ["1:5 R104"]),
    ("a: '\ufeff'\n", ["1:5 R104"]),
    # bytes
    ("a: 首\n".encode("gb18030"), ["1:4 R103"]),
    ("甲: 1\n乙: 首".encode() + b"\xff", ["2:5 R103"]),
    ("a: 1\n".encode("utf-16"), ["1:1 R103"]),
    (b"a" * (MAX_BYTES + 1), ["1:1 R102"]),
]  # fmt: skip


@pytest.mark.parametrize(("content", "expected"), REFUSED)
def test_what_is_refused_and_where(content: str | bytes, expected: list[str], loader: str) -> None:
    assert short(faults_of(content)) == expected


def test_every_code_of_a_file_is_tried() -> None:
    tried = {fault.split()[1] for _, expected in REFUSED for fault in expected}
    assert {code for code in CODES if code.startswith("R1")} - tried == {"R101"}


def test_encodings_are_guessed_aloud() -> None:
    assert "it looks like GB18030" in faults_of("a: 首都\n".encode("gb18030")).render()
    assert "it looks like UTF-16" in faults_of("a: 首都\n".encode("utf-16")).render()


def test_a_fault_shows_the_line_and_a_caret_under_wide_characters() -> None:
    faults = Faults()
    node = strict_yaml.parse("甲: {丁: x, nubmer: 3}\n", "rules/punctuation/commas.yaml", faults)
    inner = strict_yaml.mapping(faults, node, "a file")["甲"].value
    strict_yaml.mapping(faults, inner, "a rule", ["丁", "number"])
    assert faults.render() == (
        "rules/punctuation/commas.yaml:1:11: R203 unknown key 'nubmer' (did you mean 'number'?)\n"
        "    甲: {丁: x, nubmer: 3}\n"
        "                ^\n"
        "1 fault in 1 file"
    )


CARETS = [
    ("ab", 1, ["ab", "^"]),
    ("ab", 3, ["ab", "  ^"]),
    ("甲乙", 2, ["甲乙", "  ^"]),
    ("，a", 2, ["，a", "  ^"]),
    ("ｱa", 2, ["ｱa", " ^"]),
    ("\ta: b", 2, ["\ta: b", "\t^"]),
    ("e\u0301a", 3, ["e\u0301a", " ^"]),
    ("x\u202ey", 3, ["x\ufffdy", "  ^"]),
    ("\x1b[31m", 2, ["\ufffd[31m", " ^"]),
    ("", 1, ["", "^"]),
    ("ab", 99, ["ab", "  ^"]),
    ("ab", 0, ["ab", "^"]),
]


@pytest.mark.parametrize(("line", "column", "expected"), CARETS)
def test_carets(line: str, column: int, expected: list[str]) -> None:
    assert caret_lines(line, column, indent="") == expected


def test_a_long_line_is_cut_around_the_caret() -> None:
    line, caret = caret_lines("甲" * 5000 + "X" + "乙" * 5000, 5001, indent="")
    assert line == "…" + "甲" * 50 + "X" + "乙" * 49 + "…"
    assert len(caret) == 1 + 2 * 50 + 1


def test_faults_are_sorted_counted_once_and_capped() -> None:
    faults = Faults()
    for line in range(300, 0, -1):
        faults.add("R203", Place("b", line, 1), "x")
        faults.add("R203", Place("b", line, 1), "x")
    faults.add("R203", Place("a", 7, 2), "first", "do")
    assert len(faults) == 301
    rendered = faults.render().split("\n")
    assert rendered[:3] == ["a:7:2: R203 first", "  fix: do", "b:1:1: R203 x"]
    assert rendered[-2:] == ["… and 101 more", "301 faults in 2 files"]


def test_memory_for_faults_is_bounded() -> None:
    faults = Faults()
    for line in range(strict_yaml.MAX_KEPT + 5):
        faults.add("R203", Place("b", line, 1), "x")
    assert len(faults) == strict_yaml.MAX_KEPT + 5
    assert len(list(faults)) == strict_yaml.MAX_KEPT


def test_raising() -> None:
    Faults().raise_if_any()
    faults = faults_of("a: 1\na: 2\na: 3\n", "w.yaml")
    with pytest.raises(RuleError) as caught:
        faults.raise_if_any()
    assert str(caught.value).count("R108") == 2
    assert caught.value.exit_code == 5


def test_messages_hold_nothing_that_a_terminal_obeys() -> None:
    faults = Faults()
    node = strict_yaml.parse('"\\e[31m\\u202e": 1\n', "f", faults)
    strict_yaml.mapping(faults, node, "a file", ["a"])
    assert all(c.isprintable() or c == "\n" for c in faults.render())


# --- files -------------------------------------------------------------------------------------------------


def test_what_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.yaml")
    for name in ("folder.yaml", "gone.yaml", "pipe.yaml", "missing.yaml"):
        faults = Faults()
        assert strict_yaml.read(tmp_path / name, faults, name) is None
        assert [str(f.place) for f in faults] == [f"{name}:1:1"]
        assert short(faults) == ["1:1 R101"]


def test_a_path_is_named_as_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.yaml").write_text("x: 1\nx: 2\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    faults = Faults()
    strict_yaml.read(Path("a.yaml"), faults)
    assert faults.render().startswith("a.yaml:2:1: R108 ")


@pytest.mark.parametrize(
    "content",
    [
        "- " * 100_000,
        "a: " * 100_000,
        "{" * 500_000,
        "'" * 1_000_001,
        "&a " * 100_000,
        "? " * 100_000,
        "!" * 1_000_000,
        "#" * 1_000_000,
        "a: [" + "*a," * 100_000 + "]",
        "\n".join(f"k{n % 10}: v" for n in range(100_000)),
    ],
    ids=lambda content: content[:6],
)
def test_hostile_files_come_to_an_end(content: str) -> None:
    start = time.perf_counter()
    assert faults_of(content)
    assert time.perf_counter() - start < 15


# --- values ------------------------------------------------------------------------------------------------


def value_of(content: str, faults: Faults) -> Node:
    return strict_yaml.mapping(faults, strict_yaml.parse(content, "f", faults), "f")["v"].value


VALUES = [
    # reader, written, value, faults
    ("text", "no", "no", []),
    ("text", "''", "", ["1:4 R204"]),
    ("text", "", "", ["1:3 R204"]),
    ("text", "[a]", "", ["1:4 R201"]),
    ("text", "{a: b}", "", ["1:4 R201"]),
    ("text", "&x a", "", ["1:4 R109"]),
    ("text_list", "[a, 'b']", ["a", "b"], []),
    ("text_list", "a", [], ["1:4 R201"]),
    ("text_list", "[]", [], ["1:4 R204"]),
    ("text_list", "[a, [b], '']", ["a"], ["1:8 R201", "1:13 R204"]),
    ("integer", "15", 15, []),
    ("integer", "'15'", 15, []),
    ("integer", "0", 0, []),
    ("integer", "-1", None, ["1:4 R206"]),
    ("integer", "010", None, ["1:4 R206"]),
    ("integer", "1_000", None, ["1:4 R206"]),
    ("integer", "１５", None, ["1:4 R206"]),
    ("integer", "1e3", None, ["1:4 R206"]),
    ("integer", "9" * 5000, None, ["1:4 R206"]),
    ("number", "2.5", 2.5, []),
    ("number", "-0.25", -0.25, []),
    ("number", "nan", None, ["1:4 R206"]),
    ("number", ".inf", None, ["1:4 R206"]),
    ("number", "1e9", None, ["1:4 R206"]),
    ("number", "1.", None, ["1:4 R206"]),
    ("boolean", "true", True, []),
    ("boolean", "false", False, []),
    ("boolean", "yes", None, ["1:4 R205"]),
    ("boolean", "True", None, ["1:4 R205"]),
    ("percent", "2%", 0.02, []),
    ("percent", "12.5%", 0.125, []),
    ("percent", "100%", 1.0, []),
    ("percent", "0%", None, ["1:4 R206"]),
    ("percent", "101%", None, ["1:4 R206"]),
    ("percent", "2", None, ["1:4 R206"]),
    ("percent", "２%", None, ["1:4 R206"]),
]


@pytest.mark.parametrize(("reader", "written", "expected", "expected_faults"), VALUES)
def test_values(reader: str, written: str, expected: object, expected_faults: list[str]) -> None:
    faults = Faults()
    found = getattr(Reader(None, faults), reader)(value_of(f"v: {written}\n", faults))
    assert found == expected
    assert short(faults) == expected_faults


def test_choice_says_what_was_meant() -> None:
    faults = Faults()
    node = value_of("v: sugest\n", faults)
    assert strict_yaml.choice(faults, node, "`level`", ("off", "suggest")) == ""
    assert "`level` cannot be 'sugest' (did you mean 'suggest'?)" in faults.render()


CUT = [
    ("['共2,300件']", []),
    ("[共2,300件]", ["1:5 R207"]),
    ("[甲, 乙]", []),
    ("[上接1版 #注]", ["1:5 R207", "2:1 R106"]),
    ("上接1版 #注", ["1:4 R207"]),
    ("'上接1版' # a comment", []),
    ("一行\n  又一行", ["1:4 R207"]),
    ('"一行\\n又一行"', []),
    ("|\n  一行\n  又一行", []),
]


@pytest.mark.parametrize(("written", "expected"), CUT)
def test_plain_text_that_yaml_would_cut(written: str, expected: list[str]) -> None:
    faults = Faults()
    root = strict_yaml.parse(f"v: {written}\n", "f", faults)
    node = root.entries["v"].value if isinstance(root, Pairs) else None
    for item in node.items if isinstance(node, Items) else [node]:
        strict_yaml.scalar(faults, item, "`keep`", exact=True)
    if root is not None:
        assert short(faults) == expected


def test_missing_and_unknown_keys_are_all_told() -> None:
    faults = Faults()
    node = strict_yaml.parse("- ida: 1\n  why: 2\n", "f", faults)
    assert isinstance(node, Items)
    assert not strict_yaml.mapping(faults, node.items[0], "a rule", ["id", "fault"], ["id", "fault"])
    assert short(faults) == ["1:3 R202", "1:3 R202", "1:3 R203", "2:3 R203"]


def test_a_reader_is_silent_about_what_was_refused_already(tmp_path: Path) -> None:
    path = tmp_path / "work.yaml"
    path.write_text("title: &x 春\ncreator: [甲]\n", encoding="utf-8")
    faults = Faults()
    reader = Reader.open(path, faults, "work.yaml")
    top = reader.mapping(allowed=("title", "creator"))
    assert (reader.text(top["title"]), reader.text_list(top["creator"])) == ("", ["甲"])
    assert reader.text(top["creator"]) == ""
    assert [str(f.place) for f in faults] == ["work.yaml:1:8", "work.yaml:2:10"]
    assert "`creator` must be text, not a list" in faults.render()
    assert reader.mapping(None) == {}
