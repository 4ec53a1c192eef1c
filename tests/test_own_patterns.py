"""Patterns of our own code: made of what an earlier command kept, they are what compiling them gives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import regex

from conftest import lazy_patterns, seed_folders
from shanben.cli import main
from shanben.lazy import _compiled
from shanben.tools import own_patterns
from shanben.tools.kept_files import keep_entry
from shanben.tools.pattern_code import code_of


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("SHANBEN_CACHE", str(tmp_path / "cache"))
    forget()
    yield tmp_path / "cache"
    forget()


def forget() -> None:
    own_patterns._kept.cache_clear()
    own_patterns._fresh.clear()


def own() -> Iterator[tuple[str, int]]:
    for compile_, pattern, flags in (one._said for one in lazy_patterns()):
        if compile_ is _compiled and isinstance(pattern, str):
            yield pattern, int(flags)


def test_what_is_made_of_kept_code_is_what_compiling_gives() -> None:
    wanted = sorted(set(own()))
    assert len(wanted) > 120
    fresh = {one: own_patterns.compiled(*one) for one in wanted}
    own_patterns.keep()
    text = "".join((folder / "source.txt").read_text("utf-8")[:3000] for folder in seed_folders())
    for (pattern, flags), compiled in fresh.items():
        made = own_patterns.compiled(pattern, flags)
        assert made is not compiled
        assert code_of(made) == code_of(compiled) is not None
        assert (made.pattern, made.flags, made.groupindex) == (pattern, compiled.flags, compiled.groupindex)
        assert [m.regs for m in made.finditer(text)] == [m.regs for m in compiled.finditer(text)]
    assert not own_patterns._fresh


def test_a_command_keeps_what_it_had_to_compile_and_the_next_adds_to_it(cache: Path) -> None:
    own_patterns.compiled("甲+", 0)
    own_patterns.compiled("乙+", 0)
    with pytest.raises(SystemExit):
        main(["clean", "--help"])
    [entry] = (cache / "patterns").glob("*.json")
    own_patterns.compiled("甲+", 0)
    assert not own_patterns._fresh
    own_patterns.compiled("甲+", int(regex.IGNORECASE))
    own_patterns.keep()
    names = json.loads(entry.read_bytes().split(b"\n")[1])
    assert names == ["0 甲+", "0 乙+", f"{int(regex.IGNORECASE)} 甲+"]


def test_nothing_is_kept_where_nothing_is_to_be_kept(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHANBEN_CACHE", "off")
    own_patterns.compiled("甲+", 0)
    own_patterns.keep()
    assert not cache.exists()
    assert own_patterns.compiled("甲+", 0).findall("乙甲甲") == ["甲甲"]


@pytest.mark.parametrize("line", [b"x", b"[]", b"[1]", b'[0, "!", {}]', b'{"a": 1}', b"null"])
def test_code_that_makes_no_sense_is_compiled_anew(line: bytes) -> None:
    keep_entry(own_patterns._key(), b'["0 \xe7\x94\xb2+"]\n' + line, 4, own_patterns.KIND)
    assert list(own_patterns._kept()) == ["0 甲+"]
    assert own_patterns.compiled("甲+", 0).findall("乙甲甲") == ["甲甲"]
    assert list(own_patterns._fresh) == ["0 甲+"]


@pytest.mark.parametrize("body", [b"", b"x", b"[1, 2]", b'["a"]', b"{}\n1", b"3\n4"])
def test_an_entry_that_makes_no_sense_is_passed_over(body: bytes) -> None:
    keep_entry(own_patterns._key(), body, 4, own_patterns.KIND)
    assert own_patterns._kept() == {}
