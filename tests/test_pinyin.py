"""Names are read as pypinyin reads them, though its tables are not loaded."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pypinyin
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shanben.writers import _pinyin
from shanben.writers._metadata import _keep_latin
from shanben.writers._pinyin import _plain, _tables, lazy_pinyin

TABLES = Path(pypinyin.__file__).parent
PHRASES = json.loads((TABLES / "phrases_dict.json").read_text("utf-8"))
CHARACTERS = json.loads((TABLES / "pinyin_dict.json").read_text("utf-8"))


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    """Count names anew."""
    _tables.cache_clear()
    yield
    _tables.cache_clear()


def agree(name: str) -> None:
    """Compare with the library."""
    _tables.cache_clear()
    assert _tables(name) is not None, "the tables are not as they are known"
    known = [s for s in pypinyin.lazy_pinyin(name, errors=_keep_latin) if s]
    # A character that neither can read parts runs here and not there, or the other way round: the words are the same.
    assert " ".join(lazy_pinyin(name, _keep_latin)) == " ".join(known), name


def test_every_reading_loses_its_tone_as_with_pypinyin() -> None:
    readings = {r for said in CHARACTERS.values() for r in said.split(",")}
    readings |= {r for phrase in PHRASES.values() for said in phrase for r in said}
    convert = pypinyin.core.to_fixed
    assert len(readings) > 1000
    assert {r: _plain(r) for r in readings} == {r: convert(r, pypinyin.Style.NORMAL) for r in readings}


@pytest.mark.parametrize(
    "name",
    ["", "Lu Xun", "红楼梦A", "重庆行长（上）", "一丁不", "银行行长在行走", "々〇", "𠀀𠮷甲", "音乐之乐,快乐", "\ue815重\n庆", "朝阳朝阳", "绿女"],
)  # fmt: skip
def test_names_are_read_as_by_pypinyin(name: str) -> None:
    agree(name)


def test_phrases_in_a_row_are_read_as_by_pypinyin() -> None:
    chance = random.Random(7)  # noqa: S311 - samples, no secret
    phrases = list(PHRASES)
    for _ in range(60):
        run = "".join(chance.choices(phrases, k=8))
        start = chance.randrange(4)
        agree(run[start : start + chance.randrange(1, 40)])


@given(
    st.lists(
        st.one_of(
            st.sampled_from(list(PHRASES)),
            st.sampled_from(list("，a1 〇一𠀀𪜀不中の")),
            st.characters(categories=["Lo"]),
        ),
        max_size=8,
    )
)
def test_any_name_is_read_as_by_pypinyin(parts: list[str]) -> None:
    agree("".join(parts))


def test_many_names_are_read_by_the_library_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    read = pypinyin.lazy_pinyin

    def watched(name: str, *, errors: object) -> list[str]:
        asked.append(name)
        return list(read(name, errors=errors))

    monkeypatch.setattr(pypinyin, "lazy_pinyin", watched)
    names = [f"重庆{c}" for c in "甲乙丙丁戊己庚辛壬癸子丑寅卯"]
    assert [lazy_pinyin(name, str)[:2] for name in names] == [["chong", "qing"]] * len(names)
    assert asked == names[_pinyin.FEW :]


def test_tables_of_another_shape_are_left_to_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = (json.dumps(CHARACTERS).encode(), json.dumps(PHRASES).encode())  # on one line
    monkeypatch.setattr(_pinyin, "_files", lambda: files)
    assert _tables("重庆") is None
    assert lazy_pinyin("重庆", str) == ["chong", "qing"]


def test_one_name_loads_no_table() -> None:
    program = (
        "import sys; from shanben.writers._metadata import pinyin; print(pinyin('重庆银行'), 'pypinyin' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "Chong Qing Yin Hang False\n"
