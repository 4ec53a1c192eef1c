"""Checked rules kept on disk: the same rules as without, and never those of other files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import regex

from conftest import write_files
from shanben import pipeline, rule_cache
from shanben.errors import RuleError
from shanben.pipeline import clean, plan
from shanben.resources import kept_folder, rules_root
from shanben.rule_cache import Checked, key_of, load, save
from shanben.rulebook import gates, patterns
from shanben.rulebook.gates import facts_of
from shanben.rulebook.patterns import PATTERN_FLAGS
from shanben.tools.kept_files import folder, keep_entry, read_entry
from shanben.tools.pattern_code import code_of

RULE = """\
rules:
- id: {name}
  fault: a mark of a club
  match: '◇{name}◇'
  remove: match
  examples:
  - ['甲◇{name}◇乙', '甲乙']
  keep: ['甲◇乙']
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("SHANBEN_CACHE", str(tmp_path / "cache"))
    forget()
    yield tmp_path / "cache"
    forget()


def forget() -> None:
    for cached in (pipeline._checked, pipeline._plan):
        cached.cache_clear()


def rules_in(place: Path, name: str = "club-mark") -> Path:
    (place / "artifacts").mkdir(parents=True, exist_ok=True)
    (place / "artifacts" / "club.yaml").write_text(RULE.format(name=name), "utf-8")
    return place


def test_what_was_kept_is_what_was_checked(cache: Path) -> None:
    fresh = pipeline._checked((), "*")
    [entry] = cache.glob("*.json")
    forget()
    kept = pipeline._checked((), "*")
    assert kept == fresh
    assert kept is not fresh
    assert kept.asked and kept.asked.needs.keys() >= {unit.id for unit in plan().units}
    assert [r.digest for r in kept.book.rules] == [r.digest for r in fresh.book.rules]
    assert kept.book.digest == fresh.book.digest
    assert entry.stat().st_mode & 0o077 == 0


def test_odd_characters_in_patterns_and_examples_are_kept(cache: Path, tmp_path: Path) -> None:
    rules = rules_in(tmp_path / "odd")
    entry = """\
rules:
- id: odd-marks
  fault: two marks
  match: '(?:甲\\x00乙|\\ud800丙|\\x00)(?P<rest>丁{2,4})'
  replace: '\\g<rest>'
  examples:
  - ["甲\\0乙丁丁", "丁丁"]
"""
    (rules / "artifacts" / "odd.yaml").write_text(entry, "utf-8")
    fresh = pipeline._checked((str(rules),), "*")
    forget()
    kept = pipeline._checked((str(rules),), "*")
    assert kept == fresh
    [rule] = [r for r in kept.book.rules if r.id == "odd-marks"]
    assert [(e.before, e.after) for e in rule.examples] == [("甲\0乙丁丁", "丁丁")]
    assert len(rule.examples) == 1
    assert rule.examples[0] in rule.examples[:1]
    assert {hash(r.examples) for r in kept.book.rules} == {hash(tuple(r.examples)) for r in fresh.book.rules}


def test_kept_patterns_are_what_compiling_gives(cache: Path) -> None:
    known = pipeline._checked((), "*").facts
    made = {pattern: code_of(patterns.compiled(pattern)) for pattern in known}
    assert len(made) > 200
    assert None not in made.values(), "the shape of what `regex` keeps has changed: nothing is gained any more"
    forget()
    patterns.compiled.cache_clear()
    pipeline._checked((), "*")
    assert made.items() <= patterns._ready[0].items()
    examples = "\n".join(text for rule in plan().rulebook.rules for e in rule.examples for text in (e.before, e.after))
    for pattern in known:
        fresh, kept = regex.compile(pattern, PATTERN_FLAGS), patterns.compiled(pattern)
        assert fresh is not kept
        assert code_of(kept) == made[pattern]
        assert (fresh.pattern, fresh.flags, fresh.groupindex) == (kept.pattern, kept.flags, kept.groupindex)
        assert [m.regs for m in fresh.finditer(examples)] == [m.regs for m in kept.finditer(examples)]


def test_a_pattern_with_a_named_list_has_no_code() -> None:
    assert code_of(regex.compile("a(?P<b>c)")) is not None
    assert code_of(regex.compile(r"\L<words>", words=["甲", "乙"])) is None


@pytest.mark.skipif(sys.platform == "win32", reason="a home is found otherwise there")
def test_without_a_home_nothing_is_kept_and_all_goes_well(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SHANBEN_CACHE", "SHANBEN_STATE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "~nobody")  # for `~` this stands for itself, as where a user has no home
    with pytest.raises(RuntimeError):
        Path.home()
    assert folder() is None
    assert kept_folder("SHANBEN_STATE") is None
    assert clean("会议强调,要抓好落实。\n").text == "会议强调，要抓好落实。\n"
    assert not cache.exists()
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert folder() is None
    monkeypatch.setenv("SHANBEN_CACHE", str(cache))
    assert folder() == cache


def test_a_changed_file_is_read_anew(cache: Path, tmp_path: Path) -> None:
    rules = rules_in(tmp_path / "rules")
    assert clean("甲◇club-mark◇乙", rules=[rules]).text == "甲乙"
    rules_in(rules, "team-mark")
    forget()
    assert clean("甲◇club-mark◇乙", rules=[rules]).text == "甲◇club-mark◇乙"
    assert clean("甲◇team-mark◇乙", rules=[rules]).text == "甲乙"
    assert len(list(cache.glob("*.json"))) == 3  # the shipped rules alone, and under each of the two


def test_faults_are_told_each_time(cache: Path, tmp_path: Path) -> None:
    rules = rules_in(tmp_path / "rules", "Club")
    for _ in range(2):
        with pytest.raises(RuleError, match="kebab-case"):
            plan([rules])
        forget()
    assert len(list(cache.glob("*.json"))) == 1  # the shipped rules


@pytest.mark.parametrize(
    "damage",
    [b"", b"x", b"\n[]", b"0" * 64 + b"\n[]"],
    ids=["empty", "no line", "no digest", "wrong digest"],
)
def test_a_damaged_entry_is_made_anew(cache: Path, damage: bytes) -> None:
    first = plan(())
    [entry] = cache.glob("*.json")
    whole = entry.read_bytes()
    entry.write_bytes(damage)
    forget()
    assert plan(()).digest == first.digest
    assert entry.read_bytes() == whole


def test_an_entry_that_makes_no_sense_is_passed_over(cache: Path) -> None:
    for number, content in enumerate(([-1], [99], [-1, [7], 1, 2, 3], {"a": 1}, [[]], [-2, 1], [[-1], [], ["a"]])):
        body = json.dumps(content).encode()
        keep_entry(str(number), body, 100)
        assert read_entry(str(number)) == body
        assert load(str(number)) is None, content


def test_what_is_said_of_a_pattern_and_makes_no_sense_is_found_out_anew(cache: Path) -> None:
    fresh = pipeline._checked((), "*")
    [entry] = cache.glob("*.json")
    body = read_entry(entry.stem)
    assert body
    first, *lines = body.split(b"\n")
    of_patterns = 2 * len(fresh.facts)
    keep_entry(entry.stem, b"\n".join([first, *[b"[1]"] * of_patterns, *lines[of_patterns:]]), 100)
    forget()
    gates._known.clear()
    gates._told.clear()
    patterns.compiled.cache_clear()
    patterns._ready.clear()
    kept = pipeline._checked((), "*")
    assert kept.book == fresh.book
    assert {pattern: kept.facts.get(pattern) for pattern in fresh.facts} == dict.fromkeys(fresh.facts)
    assert {pattern: facts_of(pattern) for pattern in fresh.facts} == fresh.facts
    assert clean("会议强调,要抓好落实。\n").text == "会议强调，要抓好落实。\n"


# --- descriptions of works -----------------------------------------------------------------------------------

FIND = """
import sys
from pathlib import Path
from shanben.works import find_works
[work] = find_works([Path(sys.argv[1])])
print(dict(work.said), work.encoding, work.sha256, work.profile, len(work.suppress), "yaml" in sys.modules)
"""


def described(folder: Path, cache: Path) -> str:
    """Give what a fresh process reads of the only work in a folder."""
    command = [sys.executable, "-c", FIND, str(folder)]
    environment = os.environ | {"SHANBEN_CACHE": str(cache)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
    return done.stdout or done.stderr.splitlines()[-1]


def test_a_description_is_read_as_yaml_only_once(tmp_path: Path) -> None:
    folder, cache = tmp_path / "work", tmp_path / "cache"
    write_files(
        folder, {"source.txt": "春天来了。\n", "work.yaml": "title: 春天\nsubject: [花, 草]\nprofile: own.yaml\n"}
    )
    first, again = (described(folder, cache) for _ in range(2))
    said = f"{{'title': ('春天',), 'subject': ('花', '草')}} None  {folder / 'own.yaml'} 0"
    assert (first, again) == (f"{said} True\n", f"{said} False\n")
    (folder / "work.yaml").write_text("title: 夏天\n", "utf-8")
    assert [described(folder, cache) for _ in range(2)] == [
        f"{{'title': ('夏天',)}} None  None 0 {loaded}\n" for loaded in (True, False)
    ]
    assert described(folder, Path("off")).endswith(" True\n")
    [entry, _] = sorted((cache / "works").iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for damage in (b"", b"x\n[]", entry.read_bytes()[:-3]):
        entry.write_bytes(damage)
        assert described(folder, cache).endswith(" True\n")
        assert described(folder, cache).endswith(" False\n")


def test_faults_of_a_description_and_suppressions_are_read_each_time(tmp_path: Path) -> None:
    folder, cache = tmp_path / "work", tmp_path / "cache"
    suppress = "suppress:\n- rule: han-comma\n  reason: as printed\n"
    write_files(folder, {"source.txt": "春天,来了。\n", "work.yaml": suppress})
    assert [described(folder, cache).split()[-2:] for _ in range(2)] == [["1", "True"]] * 2
    (folder / "work.yaml").write_text("titel: 夏天\n", "utf-8")
    faults = [described(folder, cache) for _ in range(2)]
    assert faults[0] == faults[1]
    assert "title" in faults[0] or "1 fault" in faults[0]
    assert not (cache / "works").exists()


def test_nothing_is_kept_when_it_is_off_or_the_folder_cannot_be_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SHANBEN_CACHE", "off")
    assert folder() is None
    (tmp_path / "file").write_text("", "utf-8")
    for said in ("off", str(tmp_path / "file" / "inside")):
        monkeypatch.setenv("SHANBEN_CACHE", said)
        forget()
        assert plan(()).units
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_old_entries_go(cache: Path) -> None:
    checked = pipeline._checked((), None)
    small = Checked(checked.book, {}, {}, {})
    for number in range(rule_cache.MOST_KEPT + 3):
        save(f"{number:064}", small)
    assert len(list(cache.glob("*.json"))) == rule_cache.MOST_KEPT
    assert not list(cache.glob(".new-*"))


def test_what_is_used_stays_longest(cache: Path) -> None:
    for name in ("old", "older"):
        keep_entry(name, b"[]", 9)
    for name, when in (("old", 2_000_000), ("older", 1_000_000)):
        os.utime(cache / f"{name}.json", (when, when))
    assert read_entry("older") == b"[]"
    keep_entry("new", b"[]", 2)
    assert {path.stem for path in cache.glob("*.json")} == {"older", "new"}


def test_rules_laid_over_shipped_ones_need_no_look_at_these(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = rules_in(tmp_path / "rules")
    apart = pipeline.load_layers(rules_root(), [str(rules)], "*")
    pipeline.shipped_rules("*")
    looked: list[str] = []
    for module, name in ((gates, "_found_out"), (regex, "compile")):
        real = getattr(module, name)
        monkeypatch.setattr(module, name, lambda p, *a, real=real: (looked.append(p), real(p, *a))[1])
    for known in (gates._known, patterns.compiled.cache_clear, forget):
        known.clear() if isinstance(known, dict) else known()
    [own] = {rule.match for rule in apart.rules if rule.id == "club-mark"}
    together = pipeline._checked((str(rules),), "*")
    assert any(own in pattern for pattern in looked)
    assert not {patterns.full_pattern(rule) for rule in together.book.rules if rule.id != "club-mark"} & {*looked}
    assert together.book == apart
    assert together.book.digest == apart.digest
    assert {p: together.facts[p] for p in together.facts} == {p: facts_of(p) for p in together.facts}


def test_the_key_tells_folders_names_and_works_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = rules_in(tmp_path / "one"), rules_in(tmp_path / "two")
    shipped = ("rules", rules_root())
    keys = [
        key_of([shipped]),
        key_of([shipped], "a-work"),
        key_of([shipped, ("one", one)]),
        key_of([shipped, ("two", two)]),
        key_of([shipped, ("one", one), ("two", two)]),
    ]
    assert None not in keys
    assert len(set(keys)) == len(keys)
    assert key_of([shipped, ("one", one)]) == keys[2]
    (one / "empty").mkdir()
    assert key_of([shipped, ("one", one)]) != keys[2]
    monkeypatch.setattr(rule_cache, "MOST_FILES", 3)
    assert key_of([shipped]) is None
    assert key_of([("gone", tmp_path / "gone")]) is None
