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
