"""How much of the frame of web pages goes, and what of their texts with it.

    python tests/benchmarks/web_pages.py [FOLDER ...] [--list]

A page is a file: a first line that begins with `#`, then its lines, each with a label before it: `+` text, `-` the
page's, `?` either would be right (not counted). A line of the page counts as removed when its letters no longer stand
in the clean text where it stood; a line of text loses the letters and digits of it that are not found there.
"""

from __future__ import annotations

import argparse
import sys
import unicodedata
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path

import regex

from shanben.pipeline import clean

PAGES = Path(__file__).parents[1] / "cases" / "pages"
FOUND = 0.4
"""A line of which fewer letters are found elsewhere is gone: these few are chance."""
STANDS = 3
"""An artifact of which more than one letter in so many is left stands."""
_LETTER = regex.compile(r"[\p{L}\p{N}]")


@dataclass
class Score:
    """Lines of pages and how many went; letters of texts and how many went; what was wrong."""

    name: str
    artifacts: int = 0
    missed: list[str] = field(default_factory=list)
    letters: int = 0
    lost: int = 0
    damaged: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Give removed and lost as shares."""
        removed = 100 * (1 - len(self.missed) / max(1, self.artifacts))
        lost = 100 * self.lost / max(1, self.letters)
        return (
            f"{self.name:24} {removed:6.2f} % of {self.artifacts:5} lines removed, "
            f"{lost:6.3f} % of {self.letters:6} letters of text lost"
        )


def read_page(path: Path) -> list[tuple[str, str]]:
    """Give label and line of each line."""
    _, *lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    return [(line[:1], line[1:]) for line in lines]


def folded(text: str) -> str:
    """Give letters and digits, width and case made one, so that repairs of width do not count."""
    return "".join(unicodedata.normalize("NFKC", c)[0] if _LETTER.match(c) else "" for c in text).lower()


def kept_letters(rows: Sequence[tuple[str, str]], clean_lines: Sequence[str]) -> list[int]:
    """Give how many letters of each line are found in the clean text: whole lines first, then letters in the gaps."""
    said = [folded(line) for _, line in rows]
    kept = [0] * len(said)
    filled = [n for n, line in enumerate(said) if line]
    found = [line for line in map(folded, clean_lines) if line]
    matcher = SequenceMatcher(None, [said[n] for n in filled], found, autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            for n in filled[a:b]:
                kept[n] = len(said[n])
        elif a < b and c < d:
            rest = "".join(found[c:d])
            for label in "+?-":  # what must stay is looked for first, artifacts in what is left
                rest = _take([n for n in filled[a:b] if rows[n][0] == label], said, rest, kept)
    for n, (label, _) in enumerate(rows):
        if label == "+" and kept[n] < FOUND * len(said[n]):
            kept[n] = 0
    _mend_twins(rows, said, kept)
    _mend_order(rows, said, kept, found)
    return kept


def _mend_order(rows: Sequence[tuple[str, str]], said: Sequence[str], kept: list[int], found: Sequence[str]) -> None:
    """A line of text that stands whole in the clean text is there, though a line above it was aligned with one below."""
    spare = Counter(found)
    spare.subtract(line for line, left in zip(said, kept, strict=True) if line and left == len(line))
    for n, (label, _) in enumerate(rows):
        if label == "+" and kept[n] < len(said[n]) and spare[said[n]] > 0:
            kept[n] = len(said[n])
            spare[said[n]] -= 1


def _take(numbers: Sequence[int], said: Sequence[str], rest: str, kept: list[int]) -> str:
    """Find letters of some lines in order in ``rest``; give what is left of it."""
    owners = [n for n in numbers for _ in said[n]]
    left, end = [], 0
    wanted = "".join(said[n] for n in numbers)
    for start, at, size in SequenceMatcher(None, wanted, rest, autojunk=False).get_matching_blocks():
        left.append(rest[end:at])
        end = at + size
        for owner in owners[start : start + size]:
            kept[owner] += 1
    return "\n".join(left)


def _mend_twins(rows: Sequence[tuple[str, str]], said: Sequence[str], kept: list[int]) -> None:
    """Where an artifact and a line of text are equal and one of them is left, it is the text."""
    lost: dict[str, list[int]] = {}
    for n, (label, _) in enumerate(rows):
        if label == "+" and kept[n] < len(said[n]):
            lost.setdefault(said[n], []).append(n)
    for n, (label, _) in enumerate(rows):
        if label != "+" and said[n] and kept[n] == len(said[n]) and lost.get(said[n]):
            twin = lost[said[n]].pop()
            kept[n], kept[twin] = kept[twin], kept[n]


def measure(path: Path) -> Score:
    """Clean one page and count."""
    rows = read_page(path)
    lines = clean("\n".join(line for _, line in rows) + "\n", name=path.name).text.split("\n")
    bare = {line.strip() for line in lines}
    score = Score(path.stem)
    for (label, line), left in zip(rows, kept_letters(rows, lines), strict=True):
        letters = len(folded(line))
        if label == "-" and line.strip():
            score.artifacts += 1
            few = left == letters if letters else line.strip() in bare
            if left > max(1, letters // STANDS) if letters > 2 else few:
                score.missed.append(line)
        elif label == "+" and letters:
            score.letters += letters
            score.lost += letters - left
            if left < letters:
                score.damaged.append(line)
    return score


def total(name: str, scores: Sequence[Score]) -> Score:
    """Add scores up."""
    whole = Score(name)
    for score in scores:
        whole.artifacts += score.artifacts
        whole.letters += score.letters
        whole.lost += score.lost
        whole.missed += score.missed
        whole.damaged += score.damaged
    return whole


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, default=sorted(p for p in PAGES.iterdir() if p.is_dir()))
    parser.add_argument("--list", action="store_true", help="print every page and every line that went wrong")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args(argv)
    for folder in options.folders:
        with ProcessPoolExecutor(options.jobs) as pool:
            scores = list(pool.map(measure, sorted(folder.glob("*.txt"))))
        if options.list:
            for score in scores:
                print(score)
                print(*(f"    stands: {line}" for line in score.missed), sep="\n")
                print(*(f"    lost:   {line}" for line in score.damaged), sep="\n")
        print(total(folder.name, scores), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
