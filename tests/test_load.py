"""Rule files: what is accepted, and for every fault its place and code."""

from __future__ import annotations

import textwrap
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest
import regex

from conftest import write_files
from shanben.errors import RuleError
from shanben.rulebook import strict_yaml
from shanben.rulebook.json_schema import rule_file_schema
from shanben.rulebook.load import (
    CODES,
    PATTERN_FLAGS,
    REQUIRED_KEYS,
    RULE_KEYS,
    full_pattern,
    load_rule_file,
    load_rules,
)
from shanben.rulebook.schema import Example, Keep, Limit, MarkSpec, Place, Rule, Rulebook, When, Where
from shanben.rulebook.strict_yaml import Faults, Items, Pairs, Scalar
from shanben.steps import Step


class Params(NamedTuple):
    """Of the step that the tests use."""

    width: int
    gain: float = 3.0
    strict: bool = False
    name: str = "x"
    words: tuple[str, ...] = ()
    mode: Literal["space", "newline"] = "space"


def _check(params: Params) -> None:
    if params.width > 100:
        raise ValueError("width may be 100 at the most")


class NoParams(NamedTuple):
    """Of a step that takes none."""


STEPS = {
    "deinterleave": Step("deinterleave", lambda text, params: (), Params, check=_check),
    "pair-quotes": Step("pair-quotes", lambda text, params: (), NoParams),
}
HEAD = "rules:\n"
COMMA = """\
rules:
- id: comma
  fault: f
  match: ','
  replace: '，'
  examples: [['甲,乙', '甲，乙']]
"""
URL = """\
rules:
- id: url-span
  fault: f
  match: 'http\\S+'
  protect: url
  examples: [['见http://x', 'http://x']]
"""


def faults_in(root: Path, files: Mapping[str, str], **options: Any) -> list[str]:
    faults = Faults()
    load_rules(write_files(root, files), faults=faults, **({"steps": STEPS, "work": "*"} | options))
    return [
        f"{f.place.file.removeprefix(root.as_posix() + '/')}:{f.place.line}:{f.place.column} {f.code}" for f in faults
    ]


def load(root: Path, files: Mapping[str, str], **options: Any) -> Rulebook:
    return load_rules(write_files(root, files), **({"steps": STEPS} | options))


def with_id(name: str, content: str = COMMA, more: str = "") -> str:
    return content.replace("id: comma", f"id: {name}").replace("id: url-span", f"id: {name}") + more


def with_rule(name: str, more: str = "") -> str:
    return with_id(name, more=more).removeprefix(HEAD)


# --- what is accepted --------------------------------------------------------------------------------------

FULL = r"""
let:
  HAN: '[\p{Han}〇]'
  TWO: '${HAN}|A'
rules:
- id: full
  fault: a fault
  why: GB/T 15834
  match: '(?P<mark>,)${TWO}'
  before: '[${HAN}%]'
  after: |
    [^a]
  replace: '，\g<mark>'
  outside: [url]
  where: {lines: first 15, repeated: 3, near: other, within: 7}
  when: {has: '${HAN}', lacks: '。'}
  limit: {drop: 2%, hits: 60}
  level: suggest
  invariant: only-punctuation
  order: {after: [other]}
  examples:
  - ['a,b', 'a，b']
  - [甲, 乙]
  keep: ['1,000', no]
- id: other
  fault: f
  match: ';'
  remove: match
  examples: [['甲;', '甲']]
"""


def test_a_rule_with_every_field(tmp_path: Path) -> None:
    book = load(tmp_path, {"punctuation/a.yaml": FULL, "protect/p.yaml": URL})
    file = f"{tmp_path.as_posix()}/punctuation/a.yaml"
    assert book.layers == ("shipped",)
    assert [r.id for r in book.rules] == ["url-span", "full", "other"]
    assert book.rules[1] == Rule(
        id="full",
        kind="replace",
        phase="punctuation",
        place=Place(file, 6, 3),
        fault="a fault",
        why="GB/T 15834",
        match=r"(?P<mark>,)(?:[\p{Han}〇]|A)",
        before=r"[[\p{Han}〇]%]",
        after="[^a]",
        replace=r"，\g<mark>",
        outside=("url",),
        where=Where(first=15, repeated=3, near="other", within=7),
        when=When(r"[\p{Han}〇]", "。"),
        limit=Limit(0.02, 60),
        level="suggest",
        invariant="only-punctuation",
        run_after=("other",),
        examples=(Example("a,b", "a，b", Place(file, 22, 5), "a，b"), Example("甲", "乙", Place(file, 23, 5), "乙")),
        keep=(Keep("1,000", Place(file, 24, 10)), Keep("no", Place(file, 24, 19))),
    )
    assert full_pattern(book.rules[1]) == r"(?<=(?:[[\p{Han}〇]%]))(?:(?P<mark>,)(?:[\p{Han}〇]|A))(?=(?:[^a]))"
    assert regex.search(full_pattern(book.rules[1]), "人,A。", PATTERN_FLAGS)


ONE = "rules:\n- {id: a, fault: f, examples: [['甲,乙', '乙']], "
KINDS = [
    ("match: ',', replace: ''", "punctuation", {"kind": "replace", "replace": ""}),
    (
        "replace-each: {'⼈': 人, '<<': '《'}",
        "characters",
        {"kind": "replace", "replace_each": {"⼈": "人", "<<": "《"}},
    ),
    ("match: '甲', remove: line", "artifacts", {"kind": "remove", "remove": "line"}),
    ("match: '(?P<d>甲)', capture: {date: d}", "structure", {"kind": "capture", "capture": {"date": "d"}}),
    ("match: '(?P<d>甲)', capture: {date: d}, remove: match", "artifacts", {"kind": "capture", "remove": "match"}),
    ("match: '^', mark: break", "structure", {"kind": "mark", "mark": MarkSpec("break")}),
    ("match: '甲', mark: {as: heading, level: 2}", "structure", {"kind": "mark", "mark": MarkSpec("heading", 2)}),
    (
        "match: '(?P<s>#+) (?P<t>.)', mark: {as: heading, level-of: s}, replace: '', capture: {title: t}",
        "layout",
        {"kind": "mark", "mark": MarkSpec("heading", 0, "s"), "replace": "", "capture": {"title": "t"}},
    ),
    ("match: ',', protect: url", "protect", None),
    ("step: pair-quotes", "punctuation", {"kind": "step", "step": "pair-quotes", "params": {}}),
    (
        "step: deinterleave, params: {width: 21, gain: 2.5, strict: true, name: no, words: [a, b], mode: newline}",
        "layout",
        {
            "kind": "step",
            "params": {"width": 21, "gain": 2.5, "strict": True, "name": "no", "words": ("a", "b"), "mode": "newline"},
        },
    ),
    ("step: deinterleave, params: {width: 1}, level: off", "layout", {"params": {"width": 1}, "level": "off"}),
]


@pytest.mark.parametrize(("body", "phase", "expected"), KINDS)
def test_kinds(tmp_path: Path, body: str, phase: str, expected: dict[str, object] | None) -> None:
    content = ONE + body + "}\n"
    if expected is None:
        content, expected = content.replace("'乙']", "',']"), {"kind": "protect", "protect": "url"}
    (rule,) = load(tmp_path, {f"{phase}/a.yaml": content}).rules
    assert rule.phase == phase
    assert {key: getattr(rule, key) for key in expected} == expected


LETS = [
    ("'ab'", "${X}", "(?:ab)"),
    ("'a'", "${X}", "a"),
    ("'[ab]'", "${X}+", "[ab]+"),
    (r"'\p{Han}'", "${X}+", r"\p{Han}+"),
    ("'a|b'", "${X}c", "(?:a|b)c"),
    ("'[ab]'", "[${X}c]", "[[ab]c]"),
    ("'一二'", "[^${X}三]", "[^一二三]"),
    ("'a+'", "(?:${X})?b", "(?:(?:a+))?b"),
    ("'a'", r"\${X}${X}", r"\${X}a"),
    ("'[ab]'", r"\[${X}", r"\[[ab]"),
    ("'a'", "${X}${X}$", "aa$"),
]


@pytest.mark.parametrize(("let", "match", "expected"), LETS)
def test_named_parts(tmp_path: Path, let: str, match: str, expected: str) -> None:
    content = f"let: {{X: {let}}}\n" + COMMA.replace("','", f"'{match}'")
    assert load(tmp_path, {"punctuation/a.yaml": content}).rules[0].match == expected


# --- what is refused: one file, punctuation/a.yaml ----------------------------------------------------------

EX = "  examples: [['甲,乙', '甲']]\n"
FAULTS = [
    # the file
    ("", ["1:1 R105"]),
    ("- a\n", ["1:1 R201"]),
    ("rule: []\n", ["1:1 R202", "1:1 R203"]),
    ("rules: []\n", ["1:8 R204"]),
    ("rules: x\n", ["1:8 R201"]),
    ("rules:\n- x\n", ["2:3 R201"]),
    ("rules:\n- {}\n", ["2:3 R202", "2:3 R202", "2:3 R202", "2:3 R214"]),
    ("let: x\n" + COMMA, ["1:6 R201"]),
    # keys and values
    (COMMA + "  nubmer: 3\n", ["7:3 R203"]),
    (COMMA + "  level: fixx\n", ["7:10 R205"]),
    (COMMA + "  level: Off\n", ["7:10 R205"]),
    (COMMA + "  invariant: ''\n", ["7:14 R204"]),
    (COMMA + "  invariant: nothing\n", ["7:14 R205"]),
    (COMMA + "  outside: url\n", ["7:12 R201"]),
    (COMMA + "  why:\n", ["7:7 R204"]),
    (COMMA + "  why: [a]\n", ["7:8 R201"]),
    (COMMA.replace("fault: f", "fault: ''"), ["3:10 R204"]),
    (COMMA.replace("  fault: f\n", ""), ["2:3 R202"]),
    (COMMA.replace("id: comma", "id: Comma"), ["2:7 R212"]),
    (COMMA.replace("id: comma", "id: a_b"), ["2:7 R212"]),
    (COMMA.replace("id: comma", "id: a--b"), ["2:7 R212"]),
    (COMMA.replace("id: comma", "id: 逗号"), ["2:7 R212"]),
    (COMMA.replace("id: comma", "id: 'a\n\n    b'"), ["2:7 R212"]),
    (COMMA.replace("id: comma", "id: &x comma"), ["2:7 R109"]),
    (COMMA + COMMA.removeprefix(HEAD), ["7:7 R213"]),
    # actions
    (COMMA.replace("  replace: '，'\n", ""), ["2:3 R214"]),
    (COMMA + "  remove: line\n", ["2:3 R214"]),
    (COMMA + "  replace-each: {a: b}\n", ["2:3 R214", "4:3 R215"]),
    (COMMA + "  protect: url\n", ["2:3 R214", "2:3 R217", "6:14 R216"]),
    (COMMA.replace("  match: ','\n", ""), ["2:3 R202"]),
    (COMMA.replace("replace: '，'", "remove: all"), ["5:11 R205"]),
    (COMMA.replace("replace: '，'", "replace:"), ["5:11 R204"]),
    (COMMA.replace("replace: '，'", "replace: ， # 注"), ["5:12 R207"]),
    (COMMA + "  params: {a: b}\n", ["7:3 R215"]),
    (COMMA.replace("replace: '，'", "step: pair-quotes"), ["4:3 R215"]),
    (COMMA.replace("replace: '，'", "replace-each: {a: b}"), ["4:3 R215"]),
    (COMMA.replace("replace: '，'", "protect: url"), ["2:3 R217", "6:14 R216"]),
    # replace-each
    (HEAD + "- id: a\n  fault: f\n  replace-each: {}\n" + EX, ["4:17 R204"]),
    (HEAD + "- id: a\n  fault: f\n  replace-each: []\n" + EX, ["4:17 R201"]),
    (HEAD + "- id: a\n  fault: f\n  replace-each: {a: b, a: c}\n" + EX, ["4:24 R108"]),
    (HEAD + "- id: a\n  fault: f\n  replace-each: {'': b}\n" + EX, ["4:18 R206"]),
    (HEAD + "- id: a\n  fault: f\n  replace-each: {a: [b]}\n" + EX, ["4:21 R201"]),
    (HEAD + "- id: a\n  fault: f\n  replace-each: {a: b, b: a}\n" + EX, ["4:21 R310", "4:27 R310"]),
    (HEAD + "- id: a\n  fault: f\n  replace-each: {a: a}\n" + EX, ["4:21 R310"]),
    (HEAD + "- id: a\n  fault: f\n  replace-each: {ab: c, d: xaby}\n" + EX, ["4:28 R310"]),
    (HEAD + f"- id: a\n  fault: f\n  replace-each: {{{'x' * 65}: y}}\n" + EX, ["4:18 R206"]),
    # capture and mark
    (COMMA.replace("replace: '，'", "capture: {}"), ["5:12 R204"]),
    (COMMA.replace("replace: '，'", "capture: {author: a}"), ["5:13 R203"]),
    (COMMA.replace("replace: '，'", "capture: {date: day}"), ["5:19 R306"]),
    (COMMA.replace("','", "'(?P<dy>,)'").replace("replace: '，'", "capture: {date: day}"), ["5:19 R306"]),
    (COMMA.replace("replace: '，'", "mark: titel"), ["5:9 R205"]),
    (COMMA.replace("replace: '，'", "mark: [title]"), ["5:9 R201"]),
    (COMMA.replace("replace: '，'", "mark: {level: 1}"), ["5:9 R202"]),
    (COMMA.replace("replace: '，'", "mark: {as: title, level: 7}"), ["5:28 R206"]),
    (COMMA.replace("replace: '，'", "mark: {as: title, level: 0}"), ["5:28 R206"]),
    (COMMA.replace("replace: '，'", "mark: {as: title, level-of: x}"), ["5:31 R306"]),
    (
        COMMA.replace("','", "'(?P<x>,)'").replace("replace: '，'", "mark: {as: title, level: 1, level-of: x}"),
        ["5:31 R215"],
    ),
    # where, when, limit, order
    (COMMA + "  where: {}\n", ["7:10 R204"]),
    (COMMA + "  where: first 15\n", ["7:10 R201"]),
    (COMMA + "  where: {lines: 15}\n", ["7:18 R205"]),
    (COMMA + "  where: {lines: first 0}\n", ["7:18 R205"]),
    (COMMA + "  where: {lines: first  1}\n", ["7:18 R205"]),
    (COMMA + "  where: {lines: middle 3}\n", ["7:18 R205"]),
    (COMMA + "  where: {repeated: 1}\n", ["7:21 R206"]),
    (COMMA + "  where: {near: nothing}\n", ["7:17 R402"]),
    (COMMA + "  where: {near: comma}\n", ["7:17 R402"]),
    (COMMA + "  where: {within: 3}\n", ["7:19 R215"]),
    (COMMA + "  where: {line: first 3}\n", ["7:11 R203"]),
    (COMMA + "  when: {}\n", ["7:9 R204"]),
    (COMMA + "  when: {has: '('}\n", ["7:16 R302"]),
    (COMMA + "  when: {has: a}\n", ["7:15 R301"]),
    (COMMA + "  when: {lacks: '\\b甲'}\n", ["7:18 R304"]),
    (COMMA + "  limit: 2%\n", ["7:10 R201"]),
    (COMMA + "  limit: {drop: 2}\n", ["7:17 R206"]),
    (COMMA + "  limit: {drop: 0%}\n", ["7:17 R206"]),
    (COMMA + "  limit: {hits: 0}\n", ["7:17 R206"]),
    (COMMA + "  order: [a]\n", ["7:10 R201"]),
    (COMMA + "  order: {before: [a]}\n", ["7:11 R203"]),
    (COMMA + "  order: {after: [a]}\n", ["7:19 R402"]),
    (COMMA + "  order: {after: [comma]}\n", ["7:19 R403"]),
    (COMMA + "  outside: [url, tiem]\n", ["7:13 R401", "7:18 R401"]),
    (COMMA + "  overrides: comma\n", ["7:14 R404"]),
    # examples
    (COMMA.replace("  examples: [['甲,乙', '甲，乙']]\n", ""), ["2:3 R202"]),
    (COMMA.replace("[['甲,乙', '甲，乙']]", "[]"), ["6:13 R204"]),
    (COMMA.replace("[['甲,乙', '甲，乙']]", "['甲,乙', '甲，乙']"), ["6:14 R201", "6:21 R201"]),
    (COMMA.replace("[['甲,乙', '甲，乙']]", "[[甲, 乙, 丙, 丁]]"), ["6:14 R201"]),
    (COMMA.replace("[['甲,乙', '甲，乙']]", "[{甲: 乙}]"), ["6:14 R201"]),
    (COMMA.replace("[['甲,乙', '甲，乙']]", "[['甲,乙', '甲,乙']]"), ["6:14 R216"]),
    (COMMA.replace("[['甲,乙', '甲，乙']]", "[['', '甲']]"), ["6:15 R204"]),
    (COMMA.replace("[['甲,乙', '甲，乙']]", "[['甲', ]]"), ["6:14 R201"]),
    (COMMA + "  keep: ['甲,乙', '1,0']\n", ["7:10 R216"]),
    (COMMA + "  keep: ['1,0', '']\n", ["7:17 R204"]),
    (COMMA + "  keep: [共2,300件]\n", ["7:10 R207"]),
    (COMMA.replace("乙']]", "乙'], ['甲,乙', '乙']]"), ["6:30 R216"]),
    # steps
    (HEAD + "- id: a\n  fault: f\n  step: deinterlave\n" + EX, ["4:9 R407"]),
    (HEAD + "- id: a\n  fault: f\n  step: deinterleave\n" + EX, ["2:3 R408"]),
    (HEAD + "- id: a\n  fault: f\n  step: deinterleave\n  params: {with: 3}\n" + EX, ["5:11 R408", "5:12 R203"]),
    (HEAD + "- id: a\n  fault: f\n  step: deinterleave\n  params: [3]\n" + EX, ["5:11 R201", "5:11 R408"]),
    (HEAD + "- id: a\n  fault: f\n  step: deinterleave\n  params: {width: 101}\n" + EX, ["5:11 R408"]),
    (
        HEAD + "- id: a\n  fault: f\n  step: deinterleave\n"
        "  params: {width: x, gain: y, strict: yes, name: [], words: a, mode: b}\n" + EX,
        ["5:19 R206", "5:28 R206", "5:39 R205", "5:50 R201", "5:61 R201", "5:70 R205"],
    ),
    (HEAD + "- id: a\n  fault: f\n  step: pair-quotes\n  params: {width: 1}\n" + EX, ["5:12 R203"]),
    # patterns: how they are written
    (COMMA.replace("','", '","'), ["4:10 R301"]),
    (COMMA.replace("','", "a"), ["4:10 R301"]),
    (COMMA.replace("','", ">\n    a"), ["4:10 R301"]),
    (COMMA.replace("','", "''"), ["4:10 R204"]),
    (COMMA + '  before: a\n  after: "b"\n', ["7:11 R301", "8:10 R301"]),
    ("let: {A: b}\n" + COMMA.replace("','", "'${A}'"), ["1:10 R301"]),
    # patterns: what is not valid, and in which column
    (COMMA.replace("','", "'a(b'"), ["4:12 R302"]),
    (COMMA.replace("','", "'ab)'"), ["4:13 R302"]),
    (COMMA.replace("','", "'a)|(b'"), ["4:12 R302"]),
    (COMMA.replace("','", "'a[b'"), ["4:12 R302"]),
    (COMMA.replace("','", "'*a'"), ["4:11 R302"]),
    (COMMA.replace("','", "'abc{3,1}'"), ["4:15 R302"]),
    (COMMA.replace("','", "'''''''*+*'"), ["4:19 R302"]),
    (COMMA.replace("','", "'ab\\p{Hann}'"), ["4:21 R302"]),
    (COMMA.replace("','", "'a\\'"), ["4:12 R302"]),
    (COMMA.replace("','", "|\n    a(b"), ["4:10 R302"]),
    (COMMA + "  before: 'a(b'\n", ["7:13 R302"]),
    (COMMA + "  after: 'ab\\p{X}'\n", ["7:18 R302"]),
    (COMMA + "  before: '甲(?P<x>'\n  after: '['\n", ["7:13 R302", "8:11 R302"]),
    (COMMA.replace("','", "'(?P<a>b)(?P=c)'"), ["4:22 R302"]),
    (COMMA.replace("','", "'(?x)a # comment'"), ["4:17 R302"]),
    # patterns: nothing, edges, size
    (COMMA.replace("','", "',*'"), ["4:10 R303"]),
    (COMMA.replace("','", "'(?<=甲)(?=乙)'"), ["4:10 R303"]),
    (COMMA.replace("','", "'^$'"), ["4:10 R303"]),
    (COMMA.replace("','", "'a|b|'"), ["4:10 R303"]),
    (COMMA.replace("','", "'(?:a?|b)c{0,3}'"), ["4:10 R303"]),
    (COMMA.replace("','", "'甲\\K'"), ["4:10 R303"]),
    (COMMA.replace("','", "'(?:abc){e<=3}'"), ["4:10 R303"]),
    (COMMA.replace("','", "'\\b甲'"), ["4:11 R304"]),
    (COMMA.replace("','", "'[A-Z甲]\\b'"), ["4:17 R304"]),
    (COMMA.replace("','", "'x\\p{Han}?\\b'"), ["4:20 R304"]),
    (COMMA.replace("','", "'(?:甲|a)(?:\\b)'"), ["4:21 R304"]),
    (COMMA.replace("','", "'\\b(?:a|(?P<x>[^a][\\p{sc=Han}]))'"), []),
    (COMMA.replace("','", "'\\b(?:a|(?P<x>[\\p{sc=Han}]))'"), ["4:11 R304"]),
    (COMMA.replace("','", "'\\u4e00\\b'"), ["4:17 R304"]),
    (COMMA.replace("','", "'A\\b'") + "  after: '[甲乙]'\n", ["4:12 R304"]),
    (COMMA + "  before: 'A\\b甲'\n", ["7:13 R304"]),
    (COMMA.replace("','", "'\\b[^\\p{Han}]'"), []),
    (COMMA.replace("','", "'\\bA甲'"), []),
    (COMMA.replace("','", "'甲|\\bA'"), []),
    (COMMA.replace("','", "'(?:(?:(?:a{1000}){1000}){1000}){1000}'"), ["4:28 R309"]),
    (COMMA.replace("','", "'(?:ab{9}){9999}'"), ["4:20 R309"]),
    (COMMA.replace("','", "'a{99999999999999999999}'"), ["4:12 R309"]),
    (COMMA.replace("','", f"'{'(' * 60}a{')' * 60}'"), ["4:61 R309"]),
    (COMMA.replace("','", f"'{'a' * 20_001}'"), ["4:10 R309"]),
    # replacements
    (COMMA.replace("'，'", "'a\\g<x>'"), ["5:12 R305"]),
    (COMMA.replace("'，'", "'\\1'"), ["5:12 R305"]),
    (COMMA.replace("'，'", "'it''s \\q'"), ["5:21 R305"]),
    (COMMA.replace("','", "'(?P<x>,)'").replace("'，'", "'\\g<x>\\1\\n\\\\'"), []),
    # named parts
    ("let: {A: 'b'}\n" + COMMA, ["1:7 R308"]),
    ("let: {a: 'b'}\n" + COMMA, ["1:7 R212"]),
    (COMMA.replace("','", "'ab${X}'"), ["4:13 R307"]),
    ("let: {HAN: 'b'}\n" + COMMA.replace("','", "'${HAM}${HAN}'"), ["5:11 R307"]),
    ("let: {A: '${B}', B: 'b'}\n" + COMMA.replace("','", "'${A}'"), ["1:11 R307", "1:18 R308"]),
    ("let: {A: '${A}'}\n" + COMMA.replace("','", "'${A}'"), ["1:11 R307"]),
    ("let: {A: 'b', B: '${A}c'}\n" + COMMA, ["1:15 R308"]),
    ("let: {A: 'b('}\n" + COMMA.replace("','", "'xy${A}'"), ["5:13 R302"]),
    ("let: {A: '*'}\n" + COMMA.replace("','", "'a${A}${A}'"), ["5:12 R302"]),
    ("let: {A: 'bc'}\n" + COMMA.replace("','", "'${A}('"), ["5:15 R302"]),
    ("let: {A: 'b|c'}\n" + COMMA.replace("','", "'x[${A}]'"), ["5:13 R302"]),
    ("let: {A: 1, A: 2}\n" + COMMA.replace("','", "'${A}'"), ["1:10 R301", "1:13 R108"]),
    (COMMA.replace("','", "'a${A'"), ["4:12 R307"]),
    (COMMA.replace("','", "'a${}'"), ["4:12 R307"]),
    (COMMA.replace("','", "'[${}]'"), []),
    (COMMA.replace("'，'", "'${X}'"), []),
]


@pytest.mark.parametrize(("content", "expected"), FAULTS)
def test_faults_of_one_file(tmp_path: Path, content: str, expected: list[str]) -> None:
    assert faults_in(tmp_path, {"punctuation/a.yaml": content}) == [f"punctuation/a.yaml:{e}" for e in expected]


def test_named_parts_cannot_grow_without_end(tmp_path: Path) -> None:
    lets = ["let:", "  A0: 'aaaaaaaaaa'", *(f"  A{n}: '{f'${{A{n - 1}}}' * 10}'" for n in range(1, 30))]
    content = "\n".join(lets) + "\n" + COMMA.replace("','", "'${A29}'")
    start = time.perf_counter()
    assert faults_in(tmp_path, {"punctuation/a.yaml": content}) == ["punctuation/a.yaml:6:7 R309"]
    assert time.perf_counter() - start < 5


def test_one_file_cannot_hold_patterns_without_end(tmp_path: Path) -> None:
    big = "let: {A: '" + "a" * 19_000 + "'}\nrules:\n"
    rules = "".join(with_id(f"r{n}").removeprefix(HEAD).replace("','", "'${A}'") for n in range(60))
    found = faults_in(tmp_path, {"punctuation/a.yaml": big + rules}, check_patterns=False)
    assert found
    assert {f.split()[1] for f in found} == {"R309"}


# --- many files --------------------------------------------------------------------------------------------

STEP = HEAD + "- id: b\n  fault: f\n  step: pair-quotes\n"
STRUCTURE = COMMA.replace("replace: '，'", "mark: item")
MANY = [
    # folders
    ({"a.yaml": COMMA}, ["a.yaml:1:1 R211"]),
    ({"punctuaton/a.yaml": COMMA}, ["punctuaton/a.yaml:1:1 R211"]),
    ({"punctuation/a.yml": COMMA}, ["punctuation/a.yml:1:1 R211"]),
    ({"punctuation/deep/a.yaml": COMMA, "profiles/x.yaml": "?", "README.md": "x", ".git/a.yaml": "x"}, []),
    ({"works/w/a.yaml": COMMA}, ["works/w/a.yaml:1:1 R211"]),
    ({"protect/a.yaml": COMMA}, ["protect/a.yaml:2:3 R217"]),
    ({"structure/a.yaml": COMMA}, ["structure/a.yaml:5:3 R217"]),
    ({"structure/a.yaml": COMMA.replace("replace: '，'", "mark: item\n  replace: ''")}, ["structure/a.yaml:6:3 R217"]),
    ({"structure/a.yaml": STEP + EX}, ["structure/a.yaml:4:3 R217"]),
    ({"structure/a.yaml": STRUCTURE}, []),
    ({"protect/a.yaml": URL.replace("'http://x']", "'https']")}, ["protect/a.yaml:6:14 R216"]),
    ({"protect/a.yaml": URL + "  outside: [url]\n  level: off\n"}, ["protect/a.yaml:7:3 R215"]),
    ({"protect/a.yaml": URL.replace("http\\S+", "\\S*")}, ["protect/a.yaml:4:10 R303"]),
    # names across files
    ({"layout/b.yaml": COMMA, "punctuation/a.yaml": COMMA}, ["punctuation/a.yaml:2:7 R213"]),
    ({"protect/a.yaml": URL, "punctuation/a.yaml": COMMA + "  outside: [url]\n"}, []),
    ({"protect/a.yaml": URL, "punctuation/a.yaml": COMMA + "  outside: [ulr]\n"}, ["punctuation/a.yaml:7:13 R401"]),
    ({"protect/a.yaml": URL, "layout/a.yaml": COMMA + "  order: {after: [url-span]}\n"}, ["layout/a.yaml:7:19 R405"]),
    ({"layout/a.yaml": COMMA + "  order: {after: [b]}\n", "works/b.yaml": with_id("b")}, ["layout/a.yaml:7:19 R405"]),
    ({"layout/a.yaml": COMMA, "punctuation/b.yaml": with_id("b", more="  order: {after: [comma]}\n")}, []),
    (
        {"layout/a.yaml": COMMA, "layout/b.yaml": STEP + "  where: {near: b}\n" + EX},
        ["layout/b.yaml:5:17 R402"],
    ),
    # circles
    (
        {
            "layout/a.yaml": with_id("a", more="  order: {after: [c]}\n"),
            "layout/b.yaml": with_id("b", more="  order: {after: [a]}\n"),
            "layout/c.yaml": with_id("c", more="  order: {after: [b]}\n"),
            "layout/x.yaml": with_id("x", more="  order: {after: [y]}\n"),
            "layout/y.yaml": with_id("y", more="  order: {after: [x, a]}\n"),
        },
        ["layout/a.yaml:7:19 R403", "layout/x.yaml:7:19 R403"],
    ),
    # all faults of all files
    ({"layout/a.yaml": "rules: x", "layout/b.yaml": "a: 1\na: 2", "punctuation/c.yaml": "'"},
     ["layout/a.yaml:1:8 R201", "layout/b.yaml:1:1 R202", "layout/b.yaml:1:1 R203", "layout/b.yaml:2:1 R108",
      "punctuation/c.yaml:1:1 R106"]),
]  # fmt: skip


@pytest.mark.parametrize(("files", "expected"), MANY)
def test_faults_of_many_files(tmp_path: Path, files: dict[str, str], expected: list[str]) -> None:
    assert faults_in(tmp_path, files) == expected


def test_every_code_is_tried() -> None:
    tried = {fault.split()[1] for _, expected in [*FAULTS, *MANY] for fault in expected}
    elsewhere = {"R406"}
    assert {code for code in CODES if code >= "R2"} - tried == elsewhere


def test_a_circle_is_named(tmp_path: Path) -> None:
    files = {f"layout/{a}.yaml": with_id(a, more=f"  order: {{after: [{b}]}}\n") for a, b in ("ab", "bc", "ca")}
    with pytest.raises(RuleError, match="an order in a circle: a after b after c after a"):
        load(tmp_path, files)


def test_a_long_circle_is_cut(tmp_path: Path) -> None:
    content = HEAD + "".join(with_rule(f"r{n}", f"  order: {{after: [r{(n + 1) % 50}]}}\n") for n in range(50))
    with pytest.raises(
        RuleError, match="in a circle: r0 after r1 after r2 after r3 after r4 after … after r49 after r0"
    ):
        load(tmp_path, {"layout/a.yaml": content})


def test_very_long_chains_of_order(tmp_path: Path) -> None:
    rules = [with_rule(f"r{n}", f"  order: {{after: [r{n - 1}]}}\n") for n in range(1, 2000)]
    content = HEAD + with_rule("r0") + "".join(rules)
    assert faults_in(tmp_path, {"layout/a.yaml": content}, check_patterns=False) == []
    closed = content.replace("examples", "order: {after: [r2000]}\n  examples", 1)
    assert faults_in(tmp_path, {"layout/a.yaml": closed}, check_patterns=False) == ["layout/a.yaml:6:19 R402"]
    closed = closed.replace("[r2000]", "[r1999]")
    assert faults_in(tmp_path, {"layout/a.yaml": closed}, check_patterns=False) == ["layout/a.yaml:6:19 R403"]


def test_missing_roots_and_linked_folders(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="R101 the folder cannot be read"):
        load_rules(tmp_path / "nowhere")
    write_files(tmp_path, {"layout/a.yaml": COMMA})
    (tmp_path / "layout" / "again").symlink_to(tmp_path, target_is_directory=True)
    assert len(load_rules(tmp_path).rules) == 1
    deep = "layout/" + "d/" * 8
    assert faults_in(tmp_path, {f"{deep}a.yaml": COMMA}) == ["layout/d/d/d/d/d:1:1 R211"]


def test_rules_from_an_archive(tmp_path: Path) -> None:
    archive = tmp_path / "rules.zip"
    with zipfile.ZipFile(archive, "w") as z:
        z.writestr("rules/punctuation/a.yaml", COMMA)
        z.writestr("rules/layout/b.yaml", "rules: x")
    faults = Faults()
    book = load_rules(zipfile.Path(archive, "rules/"), faults=faults)
    assert [r.id for r in book.rules] == ["comma"]
    assert [str(f.place) for f in faults] == [f"{archive.as_posix()}/rules/layout/b.yaml:1:8"]


def test_order_of_rules_is_by_folder_then_path(tmp_path: Path) -> None:
    files = {"works/w.yaml": with_id("e"), "punctuation/a.yaml": with_id("d"), "layout/b/a.yaml": with_id("c")}
    files |= {"layout/a.yaml": with_id("b"), "protect/z.yaml": with_id("a", URL)}
    assert [r.id for r in load(tmp_path, files, work="w").rules] == ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize(
    ("work", "expected"), [(None, []), ("a", ["x"]), ("none", []), ("../works/a", []), ("*", ["x", "y"])]
)
def test_works(tmp_path: Path, work: str | None, expected: list[str]) -> None:
    files = {"works/a.yaml": with_id("x"), "works/b.yaml": with_id("y")}
    if work != "*":
        files["works/not-read.yaml"] = "?"
    assert [r.id for r in load(tmp_path, files, work=work).rules] == expected


# --- layers ------------------------------------------------------------------------------------------------


@pytest.fixture
def shipped(tmp_path: Path) -> Rulebook:
    files = {"protect/p.yaml": URL, "punctuation/a.yaml": COMMA}
    files["punctuation/b.yaml"] = with_id("last", more="  order: {after: [comma]}\n  where: {near: comma}\n")
    return load(tmp_path / "shipped", files)


LAYERS = [
    (with_id("own"), []),
    (COMMA, ["2:7 R213"]),
    (COMMA + "  overrides: comma\n", []),
    (with_id("own", more="  overrides: comma\n"), []),
    (with_id("own", more="  overrides: coma\n"), ["7:14 R402"]),
    (with_id("last", more="  overrides: comma\n"), ["2:7 R213"]),
    (with_id("own", more="  outside: [url]\n  order: {after: [last]}\n"), []),
    (with_id("own", more="  overrides: comma\n  order: {after: [last]}\n"), ["8:19 R403"]),
    (with_id("own", more="  overrides: comma\n") + with_rule("own2", "  overrides: comma\n"), ["13:14 R406"]),
    (with_id("own", more="  overrides: comma\n") + with_rule("own2", "  order: {after: [comma]}\n"), []),
]


@pytest.mark.parametrize(("content", "expected"), LAYERS)
def test_faults_of_a_further_layer(tmp_path: Path, shipped: Rulebook, content: str, expected: list[str]) -> None:
    found = faults_in(tmp_path / "own", {"punctuation/own.yaml": content}, base=shipped, layer="own")
    assert found == [f"punctuation/own.yaml:{e}" for e in expected]


def test_an_overriding_rule_takes_the_place(tmp_path: Path, shipped: Rulebook) -> None:
    content = with_id("mine", more="  overrides: comma\n") + with_id("new").removeprefix(HEAD)
    book = load(tmp_path / "own", {"mine.yaml": content}, base=shipped, layer="own", flat_phase="punctuation")
    assert [r.id for r in book.rules] == ["url-span", "mine", "last", "new"]
    assert book.rules[2].run_after == ("mine",)
    assert book.rules[2].where.near == "mine"
    assert book.layers == ("shipped", "own")
    assert book.digest != shipped.digest


def test_faults_may_be_collected_over_layers(tmp_path: Path) -> None:
    faults = Faults()
    base = load_rules(write_files(tmp_path / "a", {"layout/a.yaml": COMMA + "  x: 1\n"}), faults=faults)
    load_rules(write_files(tmp_path / "b", {"b.yaml": COMMA}), base=base, layer="b", faults=faults)
    assert [f.code for f in faults] == ["R203", "R211"]
    with pytest.raises(RuleError, match="2 faults in 2 files"):
        faults.raise_if_any()


# --- one file ----------------------------------------------------------------------------------------------


def test_one_file_alone(tmp_path: Path, shipped: Rulebook) -> None:
    path = tmp_path / "try.yaml"
    path.write_text(with_id("own", more="  outside: [url, time]\n"), encoding="utf-8")
    assert [r.id for r in load_rule_file(path, "punctuation")] == ["own"]
    with pytest.raises(RuleError, match=r"try\.yaml:7:18: R401"):
        load_rule_file(path, "punctuation", base=shipped)
    with pytest.raises(ValueError, match="no phase"):
        load_rule_file(path, "punctation")


def test_the_message_as_a_user_sees_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_files(
        tmp_path,
        {"rules/protect/p.yaml": URL, "rules/punctuation/commas.yaml": COMMA + "  outside: [ulr]\n  nubmer: 3\n"},
    )
    with pytest.raises(RuleError) as caught:
        load_rules(Path("rules"))
    assert str(caught.value) == textwrap.dedent("""\
        rules/punctuation/commas.yaml:7:13: R401 no rule declares the span 'ulr' (did you mean 'url'?)
              outside: [ulr]
                        ^
        rules/punctuation/commas.yaml:8:3: R203 unknown key 'nubmer'
              nubmer: 3
              ^
          fix: known here: """) + ", ".join(RULE_KEYS) + "\n2 faults in 1 file"  # fmt: skip


def test_patterns_need_not_be_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regex, "compile", lambda *_: pytest.fail("a pattern was compiled"))
    book = load(tmp_path, {"punctuation/a.yaml": COMMA.replace("','", "'('")}, check_patterns=False)
    assert book.rules[0].match == "("


def test_steps_are_imported_only_when_a_rule_names_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shanben.steps.all_steps", lambda: pytest.fail("steps were imported"))
    assert load_rules(write_files(tmp_path, {"punctuation/a.yaml": COMMA})).rules


HOSTILE = [
    *("(?:" * 5000, "[" * 5000, "(?P<" * 99, "(?(" * 99, "(*" * 99, "a{" * 999, "a" + "{2}" * 99, "|" * 9999),
    *("(?#" * 99, "(?x)" * 99 + "#", "[^]" * 99, "(?<=" * 99, "(?i-" * 40, "a{e<=" * 40, "\\" * 999),
    *("((((((a{9}){9}){9}){9}){9}){9})", "(?:a{99}|b{99}){99}{99}", "(?:(?=a{999}){999}){999}", "(?R)" * 50),
    *("\\x{110000}", "\\N{}", "\\p{", "(?1)" * 50, "[[:alpha:]", "[a--[b]", "[\\", "(?-", "(?P>a)", "\\g<", "\\L<a>"),
    *("(?<a>" * 49 + "x" + ")" * 49, "(?|" * 50, "(?^a)", "(?", "(?P", "(?<", "()" * 4000, "[[[[a]b]c]d]" * 99),
]


@pytest.mark.parametrize("pattern", HOSTILE, ids=lambda pattern: ascii(pattern[:12]))
def test_hostile_patterns_come_to_an_end(tmp_path: Path, pattern: str) -> None:
    start = time.perf_counter()
    if not faults_in(tmp_path, {"layout/a.yaml": COMMA.replace("','", f"'{pattern}'")}):
        regex.compile(pattern, PATTERN_FLAGS)
    assert time.perf_counter() - start < 10


# --- the shipped rules and the JSON Schema -----------------------------------------------------------------

RULES = Path(__file__).parents[1] / "rules"


def test_shipped_rules_have_no_faults() -> None:
    load_rules(RULES, work="*")


def as_editors_see_it(node: strict_yaml.Node | None) -> Any:
    """Give plain values; numbers bare, as a YAML 1.2 parser would read them."""
    if isinstance(node, Pairs):
        return {key: as_editors_see_it(entry.value) for key, entry in node.entries.items()}
    if isinstance(node, Items):
        return [as_editors_see_it(item) for item in node.items]
    assert isinstance(node, Scalar)
    return int(node.value) if node.style == "plain" and regex.fullmatch(r"-?\d{1,9}", node.value) else node.value


def schema_faults(content: str, steps: Mapping[str, Step] | None = STEPS) -> list[str]:
    jsonschema = pytest.importorskip("jsonschema")
    schema = rule_file_schema(steps)
    jsonschema.Draft202012Validator.check_schema(schema)
    instance = as_editors_see_it(strict_yaml.parse(content, "f", Faults()))
    return [e.json_path for e in jsonschema.Draft202012Validator(schema).iter_errors(instance)]


def test_schema_has_every_key() -> None:
    rule = rule_file_schema(STEPS)["properties"]["rules"]["items"]
    assert list(rule["properties"]) == list(RULE_KEYS)
    assert rule["required"] == list(REQUIRED_KEYS)


def test_schema_accepts_what_the_loader_accepts() -> None:
    for content in [FULL, COMMA, URL, STRUCTURE, *(ONE + body + "}\n" for body, _, _ in KINDS)]:
        assert schema_faults(content) == [], content


def test_schema_accepts_the_shipped_rules() -> None:
    for path in sorted(p for p in RULES.rglob("*.yaml") if p.parent.name != "profiles"):
        assert schema_faults(path.read_text(encoding="utf-8"), None) == [], path


SCHEMA_REFUSES = [
    COMMA + "  nubmer: 3\n",
    COMMA + "  level: fixx\n",
    COMMA + "  params: {}\n",
    COMMA + "  remove: line\n",
    COMMA + "  limit: {drop: 2}\n",
    COMMA + "  where: {lines: 15}\n",
    COMMA + "  where: {within: 2}\n",
    COMMA.replace("  match: ','\n", ""),
    COMMA.replace("  fault: f\n", ""),
    COMMA.replace("id: comma", "id: A"),
    COMMA.replace("replace: '，'", "mark: titel"),
    COMMA.replace("replace: '，'", "mark: {as: title, level: 9}"),
    COMMA.replace("replace: '，'", "capture: {author: a}"),
    COMMA.replace("replace: '，'", "step: pair-quotes"),
    COMMA.replace("[['甲,乙', '甲，乙']]", "[['甲']]"),
    HEAD + "- id: a\n  fault: f\n  step: deinterleave\n" + EX,
    HEAD + "- id: a\n  fault: f\n  step: deinterleave\n  params: {width: 1, x: 2}\n" + EX,
    HEAD + "- id: a\n  fault: f\n  step: other\n" + EX,
    "rule: []\n",
]


@pytest.mark.parametrize("content", SCHEMA_REFUSES)
def test_schema_refuses(content: str) -> None:
    assert schema_faults(content)
