"""Profiles: files that may set levels, limits and parameters; a choice that follows from evidence, and the laws under it."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from pathlib import Path
from time import process_time

import pytest
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st

from conftest import ROOT, seed_folders
from shanben.build import build
from shanben.cli import main
from shanben.errors import RuleError, RuleTimeoutError, UsageError
from shanben.ledger import from_jsonl, to_jsonl
from shanben.pipeline import clean, plan, profiles, revert
from shanben.profiles import ENOUGH, LEAD, MOST_POINTS, PLAIN, Sign, judge
from shanben.rulebook.backtracking import slow_parts
from shanben.works import find_works

NAMES = ["document-site", "newspaper-ocr", "novel-site", "plain", "strict-archival", "web-page", "word-dump"]
PARAGRAPH = "老街的尽头有一家书店，店主每天清早开门，把新到的杂志摆在门口的木架上。\n"
WEB = (
    "首页 > 新闻 > 本地\n【字号：大 中 小】 打印本页\n老街的书店\n2021-05-04 10:30 来源：临江晚报\n" + PARAGRAPH * 3
    + "（责任编辑：李某）\n上一篇：夏天\n下一篇：没有了\n分享到：\n湘ICP备12345678号\n"
)  # fmt: skip
WORD = "[bookmark: _GoBack]通知\n" + PARAGRAPH * 2 + 'HYPERLINK "http://a.example/b"\n错误！未找到引用源。\n'
NOVEL = (
    "第三章 雨夜\n" + "“你来了？”他问。\n她没有回答，只是把伞放在门边。\n" * 12
    + "求推荐票，求收藏！\n本章未完，请点击下一页继续阅读\n加入书签\n"
)  # fmt: skip
SITE = "##paidbegin##\n" + PARAGRAPH * 2 + "##paidend##\n本文档来源于网络收集，可编辑修改。百度文库\n"


def printed(width: int = 22, rows: int = 30) -> str:
    """Give a long text broken at one width, as OCR of a newspaper column has it."""
    words = "".join(
        f"第{n}次会议讨论了城区道路改造，代表们就停车、排水、照明提出意见，有关部门逐条作了答复，" for n in range(40)
    )
    lines = [words[i * width : (i + 1) * width] for i in range(rows)]
    return "2024年1月30日 星期二 第3版 要闻 责编：王某\n" + "\n".join(lines) + "\n（下转第4版）\n"


SAMPLES = {"web-page": WEB, "word-dump": WORD, "novel-site": NOVEL, "document-site": SITE, "newspaper-ocr": printed()}


def profile_file(folder: Path, text: str, name: str = "mine") -> Path:
    place = folder / "profiles"
    place.mkdir(parents=True, exist_ok=True)
    path = place / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(folder: Path, text: str, name: str = "mine") -> str:
    profile_file(folder, text, name)
    with pytest.raises(RuleError) as caught:
        profiles((folder,))
    return str(caught.value)


# --- The shipped ones ----------------------------------------------------------------------------------------


def test_all_profiles_are_there_and_say_what_they_are_for() -> None:
    found = profiles()
    assert list(found) == NAMES
    for profile in found.values():
        assert profile.about and profile.about_zh
        assert all(e.reason and 0 < abs(e.points) <= MOST_POINTS < ENOUGH for e in profile.evidence)
    assert not found[PLAIN].evidence and not found[PLAIN].settings
    assert not found["strict-archival"].evidence  # never chosen by itself


def test_no_pattern_of_the_shipped_evidence_is_slow() -> None:
    patterns = [e.match for p in profiles().values() for e in p.evidence if e.match]
    assert len(patterns) >= 25
    assert not [(p, part.part) for p in patterns for part in slow_parts(p)]


@pytest.mark.parametrize("piece", [".", "…", "·", " ", "第", "会", "1", "\n", " \n", "\t", "（", "篇1", "会会会会会会 ", "2024-1-1", "Copyright "])  # fmt: skip
def test_evidence_is_counted_fast_on_any_text(piece: str) -> None:
    start = process_time()
    judge(piece * (150_000 // len(piece)), profiles())
    assert process_time() - start < 6


def test_plain_is_what_the_rule_files_say() -> None:
    assert plan(profile=PLAIN).digest == plan().digest
    assert len({plan(profile=name).digest for name in NAMES}) == len(NAMES)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_each_kind_of_document_is_known_by_its_evidence(name: str) -> None:
    choice = judge(SAMPLES[name], profiles())
    assert (choice.name, choice.how) == (name, "evidence")
    assert choice.points >= ENOUGH and choice.points - choice.runner_up_points >= LEAD
    assert choice.points == sum(sign.points for sign in choice.evidence)


@pytest.mark.parametrize(
    "text",
    ["", "一段文字。", PARAGRAPH * 50, "分享到：\n" + PARAGRAPH, "上一篇讲到，网页的按钮里常有“打印本页”。\n" + PARAGRAPH * 3,
     "第一章 总则\n" + "第一条 为了规范管理，制定本办法。\n" * 20, "To be, or not to be.\n" * 20],
    ids=["nothing", "sentence", "prose", "one-sign", "mentioned", "law", "english"],
)  # fmt: skip
def test_weak_evidence_leaves_the_text_plain(text: str) -> None:
    assert judge(text, profiles()).name == PLAIN


def test_two_kinds_at_once_are_neither() -> None:
    both = judge(WEB + WORD, profiles())
    assert both.name == PLAIN or both.points - both.runner_up_points >= LEAD


def test_seeds_are_judged_and_come_out_as_without_profiles(seed: Path) -> None:
    data = next(seed.glob("source.*")).read_bytes()
    cleaned = clean(data)
    assert cleaned.ledger.profile is not None
    expected = {"000": "document-site", "004": "newspaper-ocr"}.get(seed.name[:3], PLAIN)
    assert cleaned.ledger.profile.name == expected
    assert cleaned.text == clean(data, profile=PLAIN).text


# --- The laws ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [None, *NAMES])
def test_a_clean_text_stays_and_the_source_comes_back_under_every_profile(name: str | None) -> None:
    texts = [*SAMPLES.values(), *(next(s.glob("source.*")).read_bytes().decode() for s in seed_folders()[:3])]
    for text in texts:
        cleaned = clean(text, profile=name)
        assert clean(cleaned.text, profile=name).text == cleaned.text
        back = from_jsonl(to_jsonl(cleaned.ledger))
        assert back.profile == cleaned.ledger.profile
        assert revert(cleaned.text, back) == text.encode()


PIECES = st.sampled_from([*SAMPLES.values(), *"".join(SAMPLES.values()).splitlines(keepends=True), "\n", PARAGRAPH])


@given(st.lists(PIECES, min_size=1, max_size=8).map("".join))
@example(WEB + printed())
@example(NOVEL + WORD)
def test_the_choice_never_breaks_the_law_of_rest(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned.text).text == cleaned.text


def test_a_text_that_asks_for_another_profile_once_clean_is_brought_to_rest_there(tmp_path: Path) -> None:
    (tmp_path / "works.yaml").write_text(
        "rules:\n- id: take-sign\n  fault: a sign\n  match: '甲号'\n  replace: '乙号'\n"
        "  examples: [['甲号', '乙号', '丙号']]\n  keep: ['子丑']\n"
        "- id: second-sign\n  fault: another sign\n  level: off\n  match: '乙号'\n  replace: '丙号'\n"
        "  examples: [['乙号', '丙号']]\n  keep: ['子丑']\n",
        encoding="utf-8",
    )
    evidence = "evidence:\n- {{reason: a, match: '{0}', points: 3}}\n- {{reason: b, match: '{0}$', points: 3}}\n"
    profile_file(tmp_path, "about: first\n" + evidence.format("甲号"), "first")
    profile_file(
        tmp_path, "about: second\n" + evidence.format("乙号") + "rules: {second-sign: {level: fix}}\n", "second"
    )
    cleaned = clean("甲号", rules=(tmp_path,))
    assert cleaned.text == "丙号"
    assert cleaned.ledger.profile is not None
    assert (cleaned.ledger.profile.name, cleaned.ledger.profile.then) == ("first", ("second",))
    assert clean(cleaned.text, rules=(tmp_path,)).text == cleaned.text
    assert revert(cleaned.text, from_jsonl(to_jsonl(cleaned.ledger))).decode() == "甲号"


def test_profiles_that_undo_each_other_come_to_rest(tmp_path: Path) -> None:
    rule = "- id: {0}\n  fault: f\n  level: off\n  match: '{1}'\n  replace: '{2}'\n  examples: [['{1}', '{2}']]\n  keep: ['子']\n"
    (tmp_path / "works.yaml").write_text(
        "rules:\n" + rule.format("to-b", "甲号", "乙号") + rule.format("to-a", "乙号", "甲号"), encoding="utf-8"
    )
    for name, sign, rule_id in (("first", "甲号", "to-b"), ("second", "乙号", "to-a")):
        evidence = (
            f"evidence:\n- {{reason: a, match: '{sign}', points: 3}}\n- {{reason: b, match: '{sign}$', points: 3}}\n"
        )
        profile_file(tmp_path, f"about: x\n{evidence}rules: {{{rule_id}: {{level: fix}}}}\n", name)
    ends = {clean(text, rules=(tmp_path,)).text for text in ("甲号", "乙号")}
    assert len(ends) == 1
    assert clean(*ends, rules=(tmp_path,)).text == ends.pop()


def marks_and_letters(text: str) -> Counter[str]:
    return Counter(c for c in text if unicodedata.category(c)[0] in "LNPS")


def test_strict_archival_takes_no_letter_and_no_mark_and_moves_nothing(seed: Path) -> None:
    data = next(seed.glob("source.*")).read_bytes()
    cleaned = clean(data, profile="strict-archival")
    assert marks_and_letters(cleaned.text) == marks_and_letters(data.decode())
    assert [p for p in cleaned.ledger.passes if any(c.kind == "move" for c in p.changes)] == []
    assert "".join(cleaned.text.split()) == "".join(data.decode().split())  # the same order
    usual = clean(data)
    assert len(cleaned.suggestions) > len(usual.suggestions) or not usual.ledger.change_count


def test_strict_archival_turns_removals_and_repairs_into_suggestions() -> None:
    cleaned = clean("标题\n\n正文,继续\r\n第一页\x0c⼈民\n##paidbegin##正文。\n", profile="strict-archival")
    asked = {n.unit for n in cleaned.suggestions}
    assert {"han-comma", "paywall-markers"} <= asked
    assert cleaned.text == "标题\n\n正文,继续\n第一页\n人民\n##paidbegin##正文。\n"


@pytest.mark.parametrize("name", NAMES)
def test_every_profile_builds_and_verifies(name: str, tmp_path: Path) -> None:
    source = tmp_path / "a.txt"
    source.write_text(WEB + "政协**市\x00\x0c\x85\u2028⼈民\r\n", encoding="utf-8", newline="")
    [result] = build([source], tmp_path / "dist", formats=["html", "txt"], profile=name)
    assert result.error is None
    told = json.loads((tmp_path / "dist" / "a" / "a.json").read_text(encoding="utf-8"))
    assert told["sources"][0]["profile"] == name
    header = json.loads((tmp_path / "dist" / "a" / "ledger.jsonl").read_text(encoding="utf-8").split("\n")[0])
    assert header["profile"] == {"name": name, "how": "named", "points": 0, "evidence": []}
    assert CliRunner().invoke(main, ["verify", str(tmp_path / "dist")]).exit_code == 0


# --- What a profile sets ---------------------------------------------------------------------------------------


def test_levels_limits_and_params_are_set_by_id_glob_and_folder(tmp_path: Path) -> None:
    profile_file(
        tmp_path,
        "about: mine\nrules:\n  'punctuation/*': {level: suggest}\n  'han-*': {level: 'off'}\n  han-colon: {level: fix}\n"
        "  folio-lines: {limit: {drop: 9%, hits: 3}}\n  column-order: {params: {price: '7'}}\n",
    )
    rules = {r.id: r for r in plan((tmp_path,), profile="mine").rulebook.rules}
    assert (rules["half-dashes"].level, rules["han-comma"].level, rules["han-colon"].level) == ("suggest", "off", "fix")
    assert (rules["folio-lines"].limit.drop, rules["folio-lines"].limit.hits) == (0.09, 3)
    assert (rules["column-order"].params["price"], rules["column-order"].params["least"]) == (7.0, 8)
    assert clean("会议,强调:甲", rules=(tmp_path,), profile="mine").text == "会议,强调：甲"


def test_a_profile_extends_another_and_takes_its_place_by_its_own_name(tmp_path: Path) -> None:
    profile_file(tmp_path, "about: mine\nextends: web-page\nrules: {han-comma: {level: trial}}\n")
    profile_file(tmp_path, "about: better\nextends: web-page\nrules: {han-colon: {level: trial}}\n", "web-page")
    found = profiles((tmp_path,))
    assert found["web-page"].about == "better"
    assert found["web-page"].evidence == profiles()["web-page"].evidence
    assert [s.name for s in found["mine"].settings][-2:] == ["han-colon", "han-comma"]
    rules = {r.id: r.level for r in plan((tmp_path,), profile="mine").rulebook.rules}
    assert (rules["han-comma"], rules["han-colon"], rules["column-order"]) == ("trial", "trial", "suggest")


def test_a_profile_may_lie_anywhere(tmp_path: Path) -> None:
    file = tmp_path / "quiet.yaml"
    file.write_text("about: quiet\nextends: plain\nrules: {'punctuation/*': {level: suggest}}\n", encoding="utf-8")
    assert clean("会议,强调", profile=str(file)).text == "会议,强调"


def test_an_overridden_rule_may_still_be_named_by_the_shipped_profiles(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "rules:\n- id: my-folios\n  overrides: folio-lines\n  fault: f\n  match: '^甲页$'\n  remove: line\n"
        '  examples: [["字。\\n甲页\\n字。", "字。\\n字。"]]\n  keep: [\'页\']\n',
        encoding="utf-8",
    )
    assert "newspaper-ocr" in profiles((tmp_path,))


def test_protected_spans_hold_in_every_profile() -> None:
    guards = set(plan().guards)
    assert all(set(plan(profile=name).guards) == guards for name in NAMES)


# --- Faults ----------------------------------------------------------------------------------------------------

BAD = {
    "P101": ("rules:\n  han-coma: {level: off}\n", "did you mean 'han-comma'", ":3:3:"),
    "P101 glob": ("rules:\n  'nothing-*': {level: off}\n", "no rule is called 'nothing-*'", ":3:3:"),
    "P101 folder": ("rules:\n  'artefacts/*': {level: off}\n", "did you mean 'artifacts'", ":3:3:"),
    "P102": ("extends: web-pge\n", "did you mean 'web-page'", ":2:10:"),
    "P103": ("extends: mine\n", "extend each other", ":2:10:"),
    "P104": ("rules:\n  number-spans: {level: off}\n", "", ""),
    "P104 params": ("rules:\n  han-comma: {params: {a: '1'}}\n", "rule that runs a step", ":3:3:"),
    "P104 name": ("rules:\n  column-order: {params: {prise: '1'}}\n", "did you mean 'price'", ":3:27:"),
    "P105": ("evidence:\n- {reason: a, points: 1}\n", "either `match` or `measure`", ":3:3:"),
    "R203": ("rules:\n  han-comma: {levl: off}\n", "did you mean 'level'", ":3:15:"),
    "R203 match": ("rules:\n  han-comma: {match: 'x'}\n", "unknown key 'match'", ":3:15:"),
    "R204": ("rules:\n  han-comma: {}\n", "is empty", ":3:14:"),
    "R205": ("rules:\n  han-comma: {level: fixx}\n", "did you mean 'fix'", ":3:22:"),
    "R205 measure": ("evidence:\n- {reason: a, points: 1, measure: dialog, at-least: 3%}\n", "'dialogue'", ":3:35:"),
    "R206": ("evidence:\n- {reason: a, points: 6, match: 'x'}\n", "from -5 to 5", ":3:23:"),
    "R301": ("evidence:\n- {reason: a, points: 1, match: x}\n", "single quotes", ":3:33:"),
    "R302": ("evidence:\n- {reason: a, points: 1, match: '(x'}\n", "no valid pattern", ":3:3"),
    "R303": ("evidence:\n- {reason: a, points: 1, match: 'x*'}\n", "nothing at all", ":3:33:"),
}


@pytest.mark.parametrize("case", [c for c in BAD if c != "P104"])
def test_a_fault_is_told_with_its_place_and_the_way_out(case: str, tmp_path: Path) -> None:
    text, words, place = BAD[case]
    told = faults(tmp_path, "about: mine\n" + text)
    assert case.split()[0] in told and words in told and f"mine.yaml{place}" in told


def test_protecting_rules_cannot_be_set(tmp_path: Path) -> None:
    name = next(r.id for r in plan().rulebook.rules if r.protect)
    told = faults(tmp_path, f"about: mine\nrules:\n  {name}: {{level: off}}\n")
    assert "P104" in told and "protected in every profile" in told


def test_a_name_that_stands_twice_and_other_endings(tmp_path: Path) -> None:
    assert "P106" in faults(tmp_path, "about: x\n", "plain")
    assert "R202" in faults(tmp_path, "extends: plain\n", "a")
    assert "R212" in faults(tmp_path, "about: x\n", "Not_Kebab")


def test_an_unknown_profile_is_named_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"did you mean 'web-page'"):
        plan(profile="web-pages")
    (tmp_path / "work.yaml").write_text("profile: web-pgae\n", encoding="utf-8")
    (tmp_path / "source.txt").write_text(PARAGRAPH, encoding="utf-8")
    told = CliRunner().invoke(main, ["clean", str(tmp_path / "source.txt")])
    assert told.exit_code == 2 and "work.yaml" in told.output and "web-page" in told.output


def test_evidence_that_does_not_end_is_stopped(tmp_path: Path) -> None:
    profile_file(tmp_path, "about: x\nevidence:\n- {reason: bad, points: 1, match: '(?:a|aa|a?a)+$'}\n")
    with pytest.raises(RuleTimeoutError, match="bad"):
        clean("a" * 300 + "！", rules=(tmp_path,))


# --- What people see ---------------------------------------------------------------------------------------------


def test_explain_prints_the_evidence_and_the_runner_up(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(WEB + "百度文库\n", encoding="utf-8")
    told = CliRunner().invoke(main, ["explain", str(tmp_path / "a.txt")]).output
    assert "profile web-page, " in told and "+3  links to the article before and after  (×2)" in told
    assert "next: document-site, 2 points" in told and "+2  the name of a document site  (×1)" in told
    values = json.loads(CliRunner().invoke(main, ["explain", str(tmp_path / "a.txt"), "--json"]).output)["profile"]
    assert values["runner_up"] == "document-site" and values["points"] == sum(e["points"] for e in values["evidence"])
    named = CliRunner().invoke(main, ["explain", str(tmp_path / "a.txt"), "--profile", "plain"]).output
    assert "profile plain, as asked for" in named


def test_plan_shows_the_levels_of_a_profile(tmp_path: Path) -> None:
    told = CliRunner().invoke(main, ["plan", "--profile", "strict-archival"]).output
    line = next(x for x in told.splitlines() if x.split()[:1] == ["paywall-markers"])
    assert line.endswith("[suggest]")
    assert told.splitlines()[-1].startswith("profile: strict-archival (there are document-site,")
    levels = {
        u["id"]: u["level"]
        for u in json.loads(CliRunner().invoke(main, ["plan", "--json", "--profile", "strict-archival"]).output)
    }
    assert (levels["kangxi-radicals"], levels["column-order"]) == ("fix", "suggest")


def test_the_option_overrules_work_yaml_which_overrules_the_evidence(tmp_path: Path) -> None:
    (tmp_path / "source.txt").write_text("题目\n\n会议,强调要落实。\n", encoding="utf-8")
    (tmp_path / "work.yaml").write_text("profile: mine.yaml\n", encoding="utf-8")
    (tmp_path / "mine.yaml").write_text("about: mine\nrules: {han-comma: {level: 'off'}}\n", encoding="utf-8")
    run = CliRunner().invoke
    assert "会议,强调" in run(main, ["clean", str(tmp_path / "source.txt")]).output
    assert "会议，强调" in run(main, ["clean", str(tmp_path / "source.txt"), "--profile", "plain"]).output
    assert "会议,强调" in run(main, ["clean", "-", "--profile", "strict-archival"], input="会议,强调\n").output


def test_the_choice_stands_in_the_ledger_and_reads_back() -> None:
    ledger = clean(WEB).ledger
    header = json.loads(to_jsonl(ledger).split("\n")[0])
    assert header["profile"]["name"] == "web-page" and header["rulebook"] == plan(profile="web-page").digest
    read = from_jsonl(to_jsonl(ledger))
    assert read.profile == ledger.profile
    assert read.profile is not None and isinstance(read.profile.evidence[0], Sign)
    first, _, rest = to_jsonl(ledger).partition("\n")
    old = json.dumps({k: v for k, v in json.loads(first).items() if k != "profile"}, ensure_ascii=False) + "\n" + rest
    assert from_jsonl(old).profile is None  # ledgers of builds without profiles are read too


def test_the_profile_in_the_documents_loads_and_is_chosen(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "profiles.md").read_text(encoding="utf-8")
    profile_file(tmp_path, page.split("```yaml\n")[1].split("```")[0])
    text = "读书会第3次例会记录\n" + "“我先说。”\n他看了看大家。\n" * 8
    choice = clean(text, rules=(tmp_path,)).ledger.profile
    assert choice is not None and (choice.name, choice.points) == ("mine", 7)


def test_the_suppressions_in_the_readme_are_read(tmp_path: Path) -> None:
    block = (ROOT / "README.md").read_text(encoding="utf-8").split("```yaml\nsuppress:")[1].split("```")[0]
    (tmp_path / "work.yaml").write_text("suppress:" + block, encoding="utf-8")
    (tmp_path / "source.txt").write_text(PARAGRAPH, encoding="utf-8")
    found = find_works([tmp_path])[0].suppress
    assert [(s.rule, s.quote) for s in found] == [
        ("han-comma", "会议强调,要"),
        ("han-comma", "甲,乙"),
        ("column-order", ""),
    ]


def test_a_large_frame_goes_where_the_text_is_plainly_a_web_page() -> None:
    titles = [
        "老街的书店开了新门面",
        "护城河边的柳树又绿了",
        "菜市场搬到了车站对面",
        "图书馆周末开到晚上十点",
        "山里的茶今年收成好",
    ]
    others = "".join(f"{title}（{n}）\n" for n in range(1, 17) for title in titles)
    article = "雨停了\n" + "雨下了三天，今天早上停了。孩子们跑到街上踩水，老人把椅子搬到门口。\n" * 6
    page = f"首页 > 新闻 > 本地\n【字号：大 中 小】 打印本页\n{article}上一篇：夏天\n相关新闻\n{others}分享到：\n湘ICP备12345678号\n"
    assert judge(page, profiles()).name == "web-page"
    assert "护城河边的柳树" in clean(page, profile=PLAIN).text  # the frame is most of the text, so it is held back
    cleaned = clean(page)
    assert cleaned.text.strip() == article.strip()
    assert clean(cleaned.text).text == cleaned.text
