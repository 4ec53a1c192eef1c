"""The author's workbench: rules are tried, tested, compared and written, and bad ones are stopped with clear words."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import SEEDS
from shanben import authoring, pipeline
from shanben.check_rules import check_rulebook
from shanben.errors import RestlessError, RuleError, RuleTimeoutError, UsageError
from shanben.ledger import Held
from shanben.new_rule import NewRule, add_rule, entry_of, example_of, quoted, unescaped
from shanben.pipeline import clean, plan, revert
from shanben.resources import rules_root
from shanben.rulebook import apply
from shanben.rulebook.load import load_rule_file
from shanben.rulebook.strict_yaml import Faults, Pairs, Scalar, parse
from shanben.works import find_works, own_rules
from test_cli import call, good, run

CLUB = """\
rules:
- id: club-line
  fault: a line of our club
  match: '^更多好书请加.*$'
  remove: line
  examples:
  - ["正文。\\n更多好书请加读书会", "正文。\\n"]
  keep: ['他说更多好书请加读书会。']
"""
NOTICE = "通知\n\n会议强调,要抓好落实.\n更多好书请加读书会QQ群\n"
HAN = "各位代表大家好我们今天来到这里讨论丰富的问题，"


def write(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def rule_file(path: Path, name: str, *lines: str) -> Path:
    """Write a file with one rule of the given lines."""
    return write(path, "\n  ".join([f"rules:\n- id: {name}", "fault: a fault", *lines]) + "\n")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with a document and an own rule, and work in it."""
    for cached in (pipeline._checked, pipeline._plan):
        cached.cache_clear()  # `rules` is another folder now
    write(tmp_path / "rules" / "mine.yaml", CLUB)
    write(tmp_path / "notice.txt", NOTICE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


# --- rules beside the source -------------------------------------------------------------------------------


def test_a_rules_folder_beside_the_source_takes_part_and_is_named(home: Path) -> None:
    done = call("clean", "notice.txt")
    assert (done.returncode, done.stdout.decode()) == (0, "通知\n\n会议强调，要抓好落实。\n")
    assert done.stderr.decode() == "with the rules in rules\n"
    assert good(call("clean", "notice.txt", "--rules", "rules")) == done.stdout
    assert "club-line" in call("explain", "notice.txt").stdout.decode()
    assert call("build", "notice.txt", "-o", "out").stderr.decode() == "with the rules in rules\n"
    assert "club-line" in (home / "out/notice/ledger.jsonl").read_text()
    assert good(call("revert", "out/notice")).decode() == NOTICE


def test_rule_folders_further_up_hold_for_a_whole_folder(home: Path) -> None:
    deep = write(home / "part" / "b.txt", NOTICE)
    write(home / "part" / "rules" / "artifacts" / "own.yaml", CLUB.replace("club-line", "part-line"))
    works = {w.path.name: w.rules for w in find_works([home])}
    assert works["notice.txt"] == (home / "rules",)
    assert works["b.txt"] == (home / "rules", home / "part" / "rules")
    assert find_works([deep])[0].rules == (home / "part" / "rules",)


def test_an_own_folder_overrides_a_rule_and_adds_one(home: Path) -> None:
    rule_file(
        home / "rules" / "punctuation" / "mine.yaml", "my-comma", "overrides: han-comma",
        "match: ','", "before: '强调'", "replace: '；'", "examples: [['会议强调,要', '会议强调；要']]",
    )  # fmt: skip
    cleaned = clean(NOTICE, rules=[home / "rules"])
    assert cleaned.text == "通知\n\n会议强调；要抓好落实。\n"
    assert "(in place of han-comma)" in good(call("rules", "list", "--changed-by", "rules")).decode()
    assert not check_rulebook(plan((home / "rules",)), ["club-line"])


def test_a_faulty_file_beside_the_source_gives_the_usual_faults(home: Path) -> None:
    write(home / "rules" / "mine.yaml", CLUB.replace("remove: line", "remove: lines"))
    done = call("clean", "notice.txt")
    assert done.returncode == 5
    assert "rules/mine.yaml:5:11: " in done.stderr.decode() and "  fix: " in done.stderr.decode()


def test_folders_without_own_rules_are_passed_over(tmp_path: Path) -> None:
    assert own_rules(tmp_path) is None
    write(tmp_path / "rules" / "other.yaml", "name: of another program\n")
    assert own_rules(tmp_path) is None
    assert own_rules(Path(str(rules_root())).parent) is None
    write(tmp_path / "rules" / "mine.yaml", CLUB)
    assert own_rules(tmp_path) == tmp_path / "rules"


# --- test --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "outcome", "words"),
    [
        (("match: '丑话'", "replace: '好话'", "examples: [['丑 话', '好话']]"), "missing", "was not changed"),
        (("match: '丑'", "replace: '坏'", "examples: [['丑话', '好话']]"), "wrong", "-好话"),
        (("match: '丑'", "replace: '好'", "examples: [['丑话', '好话']]", "keep: ['丑角']"), "noisy", "+好角"),
        (("match: '好'", "replace: '好好'", "examples: [['好话', '好好话']]"), "rest-broken", "+好好好好话"),
        (("match: '(?:\\w+)+!'", "replace: '！'", "examples: [['啊!', '！']]"), "too-slow", "endless"),
        (
            ("match: '丑'", "replace: '好'", "invariant: only-spaces", "examples: [['丑话', '好话']]"),
            "missing",
            "it may only change spaces",
        ),
    ],
)  # fmt: skip
def test_outcomes_have_a_name_a_place_and_a_diff(
    lines: tuple[str, ...], outcome: str, words: str, tmp_path: Path
) -> None:
    file = rule_file(tmp_path / "draft.yaml", "draft", *lines)
    done = call("rules", "test", file)
    said = done.stdout.decode()
    assert done.returncode == 5
    assert f"{file}:" in said and f": draft: {outcome}: " in said and words in said and "  fix: " in said
    told = json.loads(call("rules", "test", file, "--json").stdout)
    assert outcome in {f["outcome"] for f in told} and all(f["place"] and f["fix"] for f in told)


def test_a_rule_of_any_level_is_tried_when_it_is_named(tmp_path: Path) -> None:
    for level in ("off", "trial", "suggest", "fix"):
        file = rule_file(
            tmp_path / f"{level}.yaml", f"my-{level}", f"level: {level}", "match: '丑'", "replace: '坏'",
            "examples: [['丑话', '好话']]",
        )  # fmt: skip
        assert "my-" + level + ": wrong" in call("rules", "test", file).stdout.decode()


def test_one_rule_is_tried_on_the_texts_of_all_others_quickly(tmp_path: Path) -> None:
    file = rule_file(
        tmp_path / "greedy.yaml", "greedy-comma", "match: ','", "replace: '，'", "examples: [['甲,乙', '甲，乙']]"
    )
    book, chosen = authoring.choose(plan().rulebook, [str(file)])
    whole = {f.rule for f in check_rulebook(authoring.make_plan(book)) if "greedy-comma" in f.culprit}
    start = time.process_time()
    one = check_rulebook(authoring.make_plan(book), chosen)
    assert time.process_time() - start < 2
    assert {f.rule for f in one if "greedy-comma" in f.culprit} == whole != set()


def test_words_that_mean_nothing_are_refused_with_a_hint() -> None:
    done = call("rules", "test", "han-coma")
    assert done.returncode == 2 and "han-comma" in done.stderr.decode()
    assert "1 rule, " in good(call("rules", "test", "han-comma")).decode()


# --- try, diff, show, list ---------------------------------------------------------------------------------


def test_try_shows_hits_and_the_difference(home: Path) -> None:
    done = call("rules", "try", "club-line", "notice.txt")
    said = good(done).decode()
    assert "notice.txt:4:1: club-line: " in said
    assert "-更多好书请加读书会QQ群\n" in said and said.endswith("1 hit in 1 of 1 document\n")
    told = json.loads(good(call("rules", "try", "club-line", "notice.txt", "--json")))
    assert told[0]["counts"] == {"club-line": 1} and told[0]["diff"].startswith("--- notice.txt")
    assert (home / "notice.txt").read_text() == NOTICE


def test_try_takes_a_file_that_is_not_installed_and_shows_all_kinds(home: Path) -> None:
    draft = write(
        home / "drafts" / "a.yaml",
        "rules:\n- id: my-capture\n  fault: f\n  match: '强调，(?<what>.+)$'\n  capture: {subject: what}\n"
        "  examples: [['强调，好', '强调，好']]\n",
    )
    effect = authoring.effect(find_works([home / "notice.txt"])[0], [str(draft)])
    assert [(h.kind, h.before, h.line) for h in effect.hits] == [("capture", "要抓好落实。", 3)]
    assert effect.diff == ""
    marks = authoring.effect(find_works([home / "notice.txt"])[0], ["url-span"])
    assert marks.hits == ()


def test_an_example_with_a_redaction_is_told_as_such(tmp_path: Path) -> None:
    stamp = rule_file(
        tmp_path / "stamp.yaml", "stamp", "match: '^某图书馆藏书.*$'", "remove: line",
        "examples: [[\"正文。\\n某图书馆藏书\", \"正文。\\n\"]]",
    )  # fmt: skip
    done = run("rules", "test", stamp)
    said = done.stdout.decode()
    assert done.returncode == 5 and "(it would touch a redaction)" in said
    assert "something that was blotted out" in said and "widen" not in said


def test_try_says_when_other_rules_came_first(home: Path) -> None:
    rule_file(
        home / "late.yaml",
        "late",
        "match: '^会议强调,.*$'",
        "remove: line",
        'examples: [["好。\\n会议强调,好", "好。\\n"]]',
    )
    said = good(call("rules", "try", "late.yaml", "notice.txt")).decode()
    assert "0 hits" in said and "as it came in it has 1 hit" in said and "artifacts" in said
    assert "as it came in" not in good(call("rules", "try", "club-line", "notice.txt")).decode()


@pytest.mark.parametrize(("name", "content"), [("a.yml", "rules: []\n"), ("a.yaml", "- id: x\n  match: y\n")])
def test_a_rules_folder_without_rule_files_is_named(tmp_path: Path, name: str, content: str) -> None:
    write(tmp_path / "rules" / name, content)
    write(tmp_path / "a.txt", "一段文字。\n")
    done = run("explain", tmp_path / "a.txt")
    assert b"is left out: no file in it is a rule file" in done.stderr and done.returncode == 0
    write(tmp_path / "rules" / "b.yaml", "rules: []\n")
    assert b"left out" not in run("explain", tmp_path / "a.txt").stderr


def test_try_leaves_what_the_work_refuses(tmp_path: Path) -> None:
    (tmp_path / "work.yaml").write_text(
        "title: 笔记\nsuppress:\n- {rule: han-comma, at: '强调,要', reason: 引文如此}\n", encoding="utf-8"
    )
    (tmp_path / "source.txt").write_text("会议强调,要抓好落实,守住底线。\n", encoding="utf-8")
    [work] = find_works([tmp_path / "source.txt"])
    assert [h.left[-2:] for h in authoring.effect(work, ["han-comma"]).hits] == ["落实"]


def test_try_alone_runs_on_the_decoded_text(home: Path) -> None:
    work = find_works([home / "notice.txt"])[0]
    effect = authoring.effect(work, ["han-comma"], alone=True)
    assert "+会议强调，要抓好落实.\n" in effect.diff and effect.counts == {"han-comma": 1}


def test_an_override_is_tried_against_the_rule_whose_place_it_takes(home: Path) -> None:
    draft = rule_file(
        home / "drafts" / "punctuation" / "a.yaml", "my-comma", "overrides: han-comma",
        "match: ','", "before: '强调'", "replace: '；'", "examples: [['会议强调,要', '会议强调；要']]",
    )  # fmt: skip
    diff = authoring.effect(find_works([home / "notice.txt"])[0], [str(draft)]).diff
    assert "-会议强调，要抓好落实。" in diff and "+会议强调；要抓好落实。" in diff


def test_diff_tells_hits_gained_and_lost(home: Path) -> None:
    old = write(home / "old.yaml", CLUB)
    new = write(
        home / "new.yaml", CLUB.replace("'^更多好书请加.*$'", "'^更多好书请.*$'") + CLUB[7:].replace("club", "my")
    )
    write(home / "more.txt", "通知\n\n正文在此。\n更多好书请看\n")
    said = good(call("rules", "diff", old, new, "--corpus", home)).decode()
    assert "added: my-line\n" in said and "changed: club-line\n" in said
    assert "club-line: 1 hits gained, 0 lost" in said and "more.txt:4:1: " in said
    back = json.loads(good(call("rules", "diff", new, old, "--corpus", home, "--json")))
    assert back["removed"] == ["my-line"] and len(back["rules"][0]["lost"]) == 1
    assert "no hit differs in 2 documents" in good(call("rules", "diff", old, old, "--corpus", home)).decode()


def test_show_says_all_of_a_rule(home: Path) -> None:
    said = good(call("rules", "show", "club-line", "--on", "notice.txt")).decode()
    for piece in ("rules/mine.yaml:2:3", "a line of our club", "^更多好书请加.*$", "→", "keep", "1 in 1 of 1 document"):
        assert piece in said
    told = json.loads(good(call("rules", "show", "han-comma", "--json")))
    assert told[0]["id"] == "han-comma" and "${" not in told[0]["pattern"] and told[0]["keep"]


def test_list_filters(home: Path) -> None:
    told = json.loads(good(call("rules", "list", "--phase", "works", "--json")))
    assert [r["id"] for r in told] == ["club-line"]
    on = json.loads(good(call("rules", "list", "--on", "notice.txt", "--json")))
    assert {"club-line", "han-comma"} <= {r["id"] for r in on} and all(r["hits"] for r in on)
    assert call("rules", "list", "--phase", "nowhere").returncode == 2


# --- new ---------------------------------------------------------------------------------------------------


def test_new_writes_a_rule_that_is_in_effect_at_once(tmp_path: Path) -> None:
    write(tmp_path / "notice.txt", NOTICE)
    flags = [
        "--id",
        "club-line",
        "--fault",
        "a line: of # our club's",
        "--match",
        "^更多好书请加.*$",
        "--remove",
        "line",
    ]
    done = run("rules", "new", *flags, "--example", r"正文。\n更多好书请加群=>正文。\n", cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    rule = load_rule_file(tmp_path / "rules" / "my-rules.yaml", "works")[0]
    assert (rule.fault, rule.match) == ("a line: of # our club's", "^更多好书请加.*$")
    assert "更多好书" not in run("clean", "notice.txt", cwd=tmp_path).stdout.decode()
    again = run("rules", "new", *flags, "--example", "更多好书请加群=>", cwd=tmp_path)
    assert again.returncode == 2 and b"already" in again.stderr


def test_new_asks_for_what_is_not_given(tmp_path: Path) -> None:
    answers = [
        "club-line",
        "a line of our club",
        "^更多好书请加.*$",
        "line",
        r"正文。\n更多好书请加群",
        r"正文。\n",
        "",
        "",
        "",
    ]
    done = run("rules", "new", stdin="\n".join(answers).encode() + b"\n", cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    assert load_rule_file(tmp_path / "rules" / "my-rules.yaml", "works")[0].remove == "line"
    silent = run("rules", "new", "--id", "x", cwd=tmp_path)
    assert silent.returncode == 2 and b"--fault" in silent.stderr


def test_new_keeps_every_byte_of_a_file(tmp_path: Path) -> None:
    said = NewRule("second", "f", "丑话", replace="好话", examples=(("丑话", "好话"),))
    for number, old in enumerate((
        "# a comment\r\nrules:\r\n  # another\r\n  - id: first\r\n    fault: f\r\n    match: '坏'\r\n    replace: '好'\r\n"
        "    examples: [['坏', '好']]\r\n# the end",
        "\ufeffrules:\n- id: first\n  fault: f\n  match: '坏'\n  replace: '好'\n  examples: [['坏', '好']]\n\n\n",
        "# nothing but a comment\n",
    )):  # fmt: skip
        file = tmp_path / str(number) / "mine.yaml"
        file.parent.mkdir()
        file.write_bytes(old.encode())
        add_rule(said, file)
        assert file.read_bytes().startswith(old.encode())
        assert load_rule_file(file, "works")[-1].id == "second"


@pytest.mark.parametrize(
    "old",
    [
        "rules: [{id: first, fault: f, match: '坏', replace: '好', examples: [['坏', '好']]}]\n",
        "rules:\n- id: first\n  fault: f\n  match: '坏'\n  replace: '好'\n  examples: [['坏', '好']]\nlet: {A: '甲'}\n",
        "rules:\n- id: no fault\n",
        "rules: {",
    ],
)
def test_new_leaves_a_file_alone_that_it_cannot_add_to(old: str, tmp_path: Path) -> None:
    file = write(tmp_path / "mine.yaml", old)
    with pytest.raises((UsageError, RuleError)):
        add_rule(NewRule("second", "f", "丑话", replace="好话", examples=(("丑话", "好话"),)), file)
    assert file.read_text() == old and [p.name for p in tmp_path.iterdir()] == ["mine.yaml"]


def test_new_writes_a_failing_rule_switched_off(tmp_path: Path) -> None:
    file = tmp_path / "rules" / "mine.yaml"
    written = add_rule(NewRule("too-much", "f", "代表", replace="", examples=(("各位代表：", "各位："),)), file)
    assert {"noisy", "wrong"} & {f.outcome for f in written.failures}
    assert load_rule_file(file, "works")[0].level == "off"
    assert clean("各位代表：\n", rules=[file.parent]).text == "各位代表：\n"


@given(st.text(st.characters(codec="utf-8"), max_size=30))
def test_any_text_survives_quoting(text: str) -> None:
    faults = Faults()
    node = parse(f"a: {quoted(text)}\n", "t", faults)
    assert not len(faults) and isinstance(node, Pairs)
    value = node.entries["a"].value
    assert isinstance(value, Scalar) and value.value == text


def test_examples_and_escapes_from_the_command_line() -> None:
    assert example_of(r"甲\n乙=>甲\\n") == ("甲\n乙", "甲\\n")
    assert unescaped(r"\t\d") == "\t\\d"
    for bad in ("甲", "甲=>乙=>丙"):
        with pytest.raises(UsageError):
            example_of(bad)
    assert "match: '\\u3000\\n甲''s'" in entry_of(NewRule("a", "f", "\u3000\n甲's", replace=""))


# --- bad rules are stopped ---------------------------------------------------------------------------------


def held(text: str, folder: Path) -> dict[str, str]:
    cleaned = clean(text, rules=[folder])
    assert revert(cleaned.text, cleaned.ledger).decode() == text
    return {n.unit: n.finding.reason for n in cleaned.ledger.notes if isinstance(n.finding, Held)}


def test_a_rule_that_would_empty_a_document_is_held_back(tmp_path: Path) -> None:
    rule_file(tmp_path / "mine.yaml", "all-gone", "match: '.+'", "remove: match", "examples: [['甲。', '']]")
    text = HAN * 20
    assert "100%" in (reason := held(text, tmp_path)["all-gone"]) and "limit: {drop: 100%}" in reason
    assert clean(text, rules=[tmp_path]).text.strip() == text
    work = find_works([write(tmp_path / "docs" / "a.txt", text)])[0]
    effect = authoring.effect(work, ["all-gone"], layers=[tmp_path])
    assert effect.held[0][0] == "all-gone" and not effect.diff
    assert "all-gone was held back" in call("clean", work.path, "--rules", tmp_path).stderr.decode()


def test_a_limit_of_its_own_overrules_that(tmp_path: Path) -> None:
    rule_file(
        tmp_path / "mine.yaml", "all-gone", "match: '^各位代表.+'", "remove: match", "limit: {drop: 100%}",
        "examples: [['各位代表大家好。', '']]",
    )  # fmt: skip
    assert clean(HAN * 20, rules=[tmp_path]).text.strip() == ""


def test_two_rules_that_fight_are_named(tmp_path: Path) -> None:
    write(
        tmp_path / "mine.yaml",
        "rules:\n"
        "- id: one-way\n  fault: f\n  match: '丰富'\n  replace: '富豐'\n  examples: [['丰富', '富豐']]\n"
        "- id: other-way\n  fault: f\n  match: '富豐'\n  replace: '丰富'\n  examples: [['富豐', '丰富']]\n",
    )
    reasons = held("内容丰富。\n", tmp_path)
    assert "it and other-way undo each other's changes" in reasons["one-way"] and "one-way" in reasons["other-way"]
    assert "level: off" in reasons["one-way"]
    failures = check_rulebook(plan((tmp_path,)), ["one-way", "other-way"])
    assert {f.outcome for f in failures} == {"rest-broken"}
    assert "one-way and other-way undo each other's changes" in str(failures[0])
    assert (
        "undo each other's changes"
        in call("explain", write(tmp_path / "d" / "a.txt", "内容丰富。\n"), "--rules", tmp_path).stdout.decode()
    )


def test_a_rule_that_feeds_itself_is_an_error_that_names_it(tmp_path: Path) -> None:
    rule_file(tmp_path / "mine.yaml", "growing", "match: '好$'", "replace: '好好'", "examples: [['好', '好好']]")
    with pytest.raises(RestlessError, match=r"never come to rest: .*growing") as caught:
        clean("他很好\n", rules=[tmp_path])
    assert caught.value.rules == ("growing",) and "nothing was written" in caught.value.what


def test_a_catastrophic_pattern_is_stopped_in_plain_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = rule_file(
        tmp_path / "mine.yaml",
        "slow-rule",
        r"match: '^(?:\p{Han}|.)*他很好$'",
        "replace: ''",
        "examples: [['他很好', '']]",
    )
    assert [f.outcome for f in check_rulebook(plan((tmp_path,)), ["slow-rule"])] == ["too-slow"]
    monkeypatch.setattr(apply, "SECONDS", 0.2)
    text = write(tmp_path / "d" / "a.txt", HAN * 40 + "他很好吗\n\n他很好\n")
    with pytest.raises(RuleTimeoutError, match="slow-rule was stopped") as caught:
        clean(text.read_text(), rules=[tmp_path])
    assert caught.value.rule == "slow-rule" and "repeat inside a repeat" in caught.value.fix
    done = call("rules", "try", file, text)
    assert done.returncode == 5 and "slow-rule was stopped" in done.stderr.decode()


def test_the_seeds_lose_nothing_to_the_new_limit() -> None:
    for work in find_works([SEEDS / "000-quanhui-xinde"]):
        notes = clean(work.read(), work=work.slug).ledger.notes
        assert not [n for n in notes if isinstance(n.finding, Held) and "unasked" in n.finding.reason]
