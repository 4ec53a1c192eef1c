"""Every example and every `keep` of every shipped rule, alone and through the whole pipeline."""

from __future__ import annotations

import time

import pytest

from conftest import ROOT
from shanben.check_rules import check_rulebook
from shanben.pipeline import plan
from shanben.rulebook.apply import findings
from shanben.values import Text

WORKS = [None, *sorted(p.stem for p in (ROOT / "rules" / "works").glob("*.yaml"))]


@pytest.mark.parametrize("work", WORKS)
def test_examples_and_keeps(work: str | None) -> None:
    failures = check_rulebook(plan((), work))
    assert not failures, "\n".join(str(f) for f in failures)


def test_a_rule_that_spoils_anothers_text_is_named(tmp_path) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path / "punctuation"
    folder.mkdir()
    (folder / "mine.yaml").write_text(
        "rules:\n- id: greedy-comma\n  fault: any comma\n  match: ','\n  replace: '，'\n"
        "  examples:\n  - ['a,b', 'a，b']\n  keep: ['a，b']\n",
        encoding="utf-8",
    )
    failures = check_rulebook(plan((tmp_path,)))
    spoilt = [f for f in failures if f.rule == "han-comma" and f.outcome in ("noisy", "rest-broken")]
    assert any(f.text == "A,B两省" and "greedy-comma" in f.culprit for f in spoilt)
    assert all("greedy-comma" in str(f) for f in spoilt)


def test_rules_for_one_work_do_not_reach_another() -> None:
    assert not {u.id for u in plan(()).units if u.id.startswith("renda-")}
    assert {u.id for u in plan((), "004-renda-baogao").units if u.id.startswith("renda-")}


def test_every_rule_says_what_must_stay() -> None:
    silent = [r.id for r in plan(()).rulebook.rules if r.kind != "protect" and not r.keep]
    assert not silent


def test_every_rule_that_edits_says_its_fault_in_chinese() -> None:
    """Colophons of Chinese books list what was mended; no reader should find English there."""
    rules = [r for work in WORKS for r in plan((), work).rulebook.rules]
    edits = [r for r in rules if r.replace is not None or r.replace_each or r.remove or r.step]
    assert not [r.id for r in edits if not r.fault_zh]


ROWS = {
    "bars": "灯下 | 江边 - 渡口_网站\n",
    "table": "|                         |I:249 |    |       |(1), lpq(1), lprm|\n",
    "dashes": "标题 - 栏目 - ",
    "lines of dashes": "a - " * 20 + "\n",
    "arrows": "首页 > 新闻 » 正文 / ",
    "links": "[首页](http://a.example/b) ",
    "blanks": "　 \t",
    "dates": "2019-03-05 21:30 张三 ",
}


@pytest.mark.parametrize("name", ROWS)
def test_no_rule_takes_long_on_rows_of_marks(name: str) -> None:
    content = (ROWS[name] * (40_000 // len(ROWS[name])))[:40_000]
    text = Text(content + "\n" + content[:200] + "\n")
    for unit in plan().units:
        start = time.process_time()
        list(findings(unit, text))
        assert time.process_time() - start < 4, unit.id
