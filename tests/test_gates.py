"""The outside judges: EPUBCheck, Ace, the Nu HTML checker and a real browser, over samples and all of dist/.

They take minutes and need Java, Node and Chromium; `pytest -m "not gate"` leaves them out.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from gates import programs
from sample_documents import all_samples
from shanben.writers import all_writers

pytestmark = pytest.mark.gate

DIST = Path(os.environ.get("GATES_DIST") or programs.ROOT / "dist")
BUILT = sorted(DIST.glob("*/*.epub")) + sorted(DIST.glob("*/*.html"))
NAMES = [*all_samples(), *(str(path.relative_to(DIST)) for path in BUILT)]


def named(suffix: str) -> list[str]:
    return [name for name in NAMES if "/" not in name or name.endswith(suffix)]


@pytest.fixture(scope="module")
def editions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write all samples, and copies of what was built, into one folder (checkers write beside what they read)."""
    folder = Path(os.environ.get("GATES_FOLDER") or tmp_path_factory.mktemp("editions"))
    for name, document in all_samples().items():
        for writer in all_writers().values():
            (folder / f"{name}{writer.suffix}").write_bytes(writer.write(document))
    for path in BUILT:
        copy = folder / path.relative_to(DIST)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    return folder


def place(editions: Path, name: str, suffix: str) -> Path:
    return editions / (name if "/" in name else name + suffix)


@pytest.mark.parametrize("name", named(".epub"))
def test_epubcheck_has_nothing_to_say(name: str, editions: Path):
    assert programs.epubcheck(place(editions, name, ".epub")) == []


@pytest.mark.parametrize("name", named(".epub"))
def test_ace_finds_no_barrier(name: str, editions: Path):
    assert programs.ace(place(editions, name, ".epub")) == []


def test_nu_finds_no_fault_in_html(editions: Path):
    assert programs.nu([place(editions, name, ".html") for name in named(".html")]) == []


def test_a_browser_shows_every_page_as_meant(editions: Path):
    """No message, no request, no sideways scrolling on a phone of 320 pixels, readable in the dark, printable."""
    pages = [place(editions, name, ".html") for name in named(".html")]
    seen = programs.browse(pages, editions)
    assert len(seen) == 4 * len(pages)
    for view in seen:
        where = f"{view['file']} {view['name']} {view['colorScheme']}"
        assert view["messages"] == [], where
        assert view["requests"] == [], where
        assert view["scroll"] <= view["width"], where
        assert view["focused"] == "#text", f"{where}: the first stop of the Tab key is the skip link"
        light = brightness(view["paper"]) > brightness(view["ink"])
        assert light == (view["colorScheme"] == "light"), where
        assert contrast(view["ink"], view["paper"]) >= 7, where
        assert abs(view["leading"] - 1.75) < 0.01, where
        if view["name"] == "wide" and light:
            assert view["printed"] > 1000, where
    indents = {Path(view["file"]).stem: view["indent"] for view in seen if view["indent"] is not None}
    assert indents["novel"] == 2
    assert indents["traditional"] == 2
    assert indents["english"] < 2


def channels(colour: str) -> list[float]:
    return [int(n) / 255 for n in re.findall(r"\d+", colour)[:3]]


def brightness(colour: str) -> float:
    """Give the relative luminance of WCAG."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((brightness(one), brightness(other)))
    return (light + 0.05) / (dark + 0.05)
