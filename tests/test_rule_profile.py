"""What rules cost: each is measured where it has to look, and found slow or without a gate by lint."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from conftest import write_files
from shanben.cli import main
from shanben.pipeline import plan
from shanben.rule_profile import measure
from shanben.rulebook.lint import lint

DOCUMENT = "会议强调,要抓好落实;守住底线。\n\n责任编辑：王明\n" * 20


def test_closed_rules_cost_nothing_and_open_ones_are_timed() -> None:
    costs = {c.rule: c for c in measure([DOCUMENT, "春天来了。\n" * 40], plan())}
    comma = costs["han-comma"]
    assert (comma.opened, comma.documents, comma.hits) == (1, 2, 20)
    assert comma.seconds > 0
    assert comma.speed == pytest.approx(comma.bytes / comma.seconds / 1e6)
    closed = costs["paywall-markers"]
    assert (closed.opened, closed.seconds, closed.speed, closed.gated) == (0, 0.0, 0.0, True)
    assert comma.bytes == len((DOCUMENT + "春天来了。\n" * 40).encode())


def test_the_command_lists_the_dearest_first(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.txt": DOCUMENT, "rules/mine.yaml": SLOW})
    asked = ["rules", "profile", str(tmp_path / "a.txt"), "--rules", str(tmp_path / "rules"), "--json"]
    rows = json.loads(CliRunner().invoke(main, asked).output)
    assert [r["seconds"] for r in rows] == sorted((r["seconds"] for r in rows), reverse=True)
    mine = next(r for r in rows if r["rule"] == "many-letters")
    assert (mine["gated"], mine["looked"], mine["documents"]) == (False, 1, 1)
    printed = CliRunner().invoke(main, asked[:-1]).output
    assert "always" in printed
    assert "on 1 document:" in printed


SLOW = """\
rules:
- id: many-letters
  fault: the word twice
  fault-zh: 词语重复
  match: '(?P<word>\\p{Han}{5})(?P=word)'
  replace: '\\g<word>'
  level: suggest
  examples: [['高质量发展高质量发展了', '高质量发展了']]
  keep: ['高质量的发展高质量的']
"""


def test_lint_names_rules_that_look_at_every_text(tmp_path: Path) -> None:
    write_files(tmp_path, {"rules/punctuation/mine.yaml": SLOW + GATED})
    report = lint(tmp_path / "rules")
    found = {(f.rule, f.fault.code) for f in report.faults if f.fault.code in ("L108", "L109")}
    assert ("many-letters", "L108") in found
    assert ("many-letters", "L109") in found
    assert not [code for rule, code in found if rule == "club-sign"]


GATED = """\
- id: club-sign
  fault: the sign of a club
  fault-zh: 会标
  match: '◇会标◇'
  remove: match
  examples: [['正文◇会标◇', '正文']]
  keep: ['◇会 标◇']
"""
