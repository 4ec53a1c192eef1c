"""Texts that are no pages, but hold lines as pages have them: no letter of them goes."""

from pathlib import Path

import pytest

from benchmarks.web_pages import folded
from shanben.pipeline import clean

PLAIN = Path(__file__).parent / "cases" / "plain"


@pytest.mark.parametrize("path", sorted(PLAIN.glob("*.txt")), ids=lambda path: path.stem)
def test_no_letter_goes_of_a_text_that_only_looks_like_a_page(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert folded(clean(text, name=path.name).text) == folded(text)


@pytest.mark.parametrize(
    "line",
    [
        "ab_cd_ef",
        "索引号 1234567\n名称 甲乙丙",
        "甲乙丙丁戊己庚辛壬癸子丑寅卯",
        "甲乙丙丁戊己庚\n",
        "登录注册",
        "历史\n科技\n财经\n资讯",
        "• 类型：原创",
        "公开具体内容",
    ],
)
def test_lines_said_a_thousand_times_come_to_rest(line: str) -> None:
    text = f"{line}\n" * 1000 + "正文在这里，只有一句。\n"
    assert "正文在这里，只有一句。" in clean(text, name="again.txt").text
