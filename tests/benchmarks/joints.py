"""How well does the model of joints tell which printed line continues another? A program that prints it.

    python tests/benchmarks/joints.py [CASES_DIR] [--model FILE] [--measure CELLS] [--queries N] [--json FILE]

A case is a folder with `gold.txt` (one line = one paragraph, a blank line between articles) and `meta.json`
(`language`; `source[].genre` or `prose`). The articles of each language and genre, each once, are broken into
lines of one width, as a column would break them. README.md beside this file tells what the numbers mean.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import textwrap
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from shanben.columns.evidence import Evidence, is_latin
from shanben.columns.joints import JointModel
from shanben.columns.lines import cells
from shanben.columns.order import joint_model

CASES = Path(__file__).resolve().parents[1] / "cases" / "columns"
CANDIDATES = 300
SEED = 1912


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured for one language and genre. Shares in per cent."""

    language: str
    genre: str
    articles: int
    lines: int
    queries: int
    candidates: int
    first: float
    first_five: float
    right: float
    wrong: float


def articles(cases: Path) -> dict[tuple[str, str], list[str]]:
    """Give the articles of all cases by language and genre, each once."""
    found: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for meta in sorted(cases.glob("*/meta.json")):
        told = json.loads(meta.read_text("utf-8"))
        gold = (meta.parent / "gold.txt").read_text("utf-8").strip()
        texts = [t for t in re.split(r"\n[ \t]*\n", gold) if t.strip()]
        for text, genre in zip(texts, _genres(told, len(texts)), strict=True):
            found[told["language"], genre][text] = None
    return {group: list(texts) for group, texts in sorted(found.items())}


def _genres(told: dict[str, object], count: int) -> list[str]:
    """Give the genre of each article, `mixed` where the case does not tell."""
    sources = told.get("source") or told.get("prose") or []
    each = (
        [str(s.get("genre", "?")) if isinstance(s, dict) else str(s) for s in sources]
        if isinstance(sources, list)
        else []
    )
    if len(each) == count:
        return each
    return [each[0] if len(set(each)) == 1 else "mixed"] * count


def printed(paragraph: str, measure: float) -> list[str]:
    """Break a paragraph into lines of this width in full-width cells; Latin text between words.

    >>> printed("天下大勢,分久必合", 4), printed("the long river", 5)
    (['天下大勢', ',分久必', '合'], ['the long', 'river'])
    """
    if is_latin(paragraph):
        return textwrap.wrap(paragraph, int(2 * measure))
    lines = [""]
    width = 0.0
    for char in paragraph.strip():
        width += cells(char)
        if width > measure:
            lines.append("")
            width = cells(char)
        lines[-1] += char
    return lines


def lines_of(texts: Sequence[str], measure: float) -> tuple[list[str], list[int]]:
    """Give all lines of some articles, and the numbers of those that the next one continues."""
    lines: list[str] = []
    going: list[int] = []
    for text in texts:
        for paragraph in filter(str.strip, text.split("\n")):
            broken = printed(paragraph, measure)
            going += range(len(lines), len(lines) + len(broken) - 1)
            lines += broken
    return lines, going


def measured(
    group: tuple[str, str], texts: Sequence[str], model: JointModel, *, measure: float = 20, queries: int = 500
) -> Row | None:
    """Measure one language and genre; None where no line is continued."""
    lines, going = lines_of(texts, measure)
    if not going:
        return None
    chance = random.Random(SEED)  # noqa: S311 - a sample, no secret
    asked = sorted(chance.sample(going, min(queries, len(going))))
    evidence = Evidence(lines, model)
    ranks = []
    count = min(CANDIDATES, len(lines) - 1)
    for line in asked:
        others = [
            i for i in chance.sample(range(len(lines)), min(len(lines), count + 20)) if lines[i] != lines[line + 1]
        ]
        others = [i for i in others if i != line][: count - 1]
        to = np.array([line + 1, *others])
        score = evidence.raw(np.full(len(to), line), to)
        ranks.append(1 + int((score[1:] >= score[0]).sum()))
    right, wrong = [], []
    for text in texts:
        lines_here, going_here = lines_of([text], measure)
        if len(lines_here) < 3 or not going_here:
            continue
        own = Evidence(lines_here, model)
        at = np.array(going_here)
        to = np.array([chance.choice([j for j in range(len(lines_here)) if j not in (i, i + 1)]) for i in going_here])
        right += (own.score(at, at + 1) > 0.5).tolist()
        wrong += (own.score(at, to) > 0.5).tolist()
    return Row(
        *group, len(texts), len(lines), len(asked), count,
        100 * float(np.mean([r == 1 for r in ranks])), 100 * float(np.mean([r <= 5 for r in ranks])),
        100 * float(np.mean(right)) if right else 0.0, 100 * float(np.mean(wrong)) if wrong else 0.0,
    )  # fmt: skip


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Give the rows as a Markdown table."""
    yield "| language | genre | articles | lines | lines asked | among | first | first five | right > 0.5 | wrong > 0.5 |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    for r in rows:
        numbers = [r.articles, r.lines, r.queries, r.candidates]
        shares = [f"{x:.1f}" for x in (r.first, r.first_five, r.right, r.wrong)]
        yield f"| {' | '.join([r.language, r.genre, *map(str, numbers), *shares])} |"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure a folder of cases and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("cases", nargs="?", type=Path, default=CASES, metavar="CASES_DIR")
    parser.add_argument("--model", default="", metavar="FILE", help="a model of your own; without it the shipped one")
    parser.add_argument(
        "--measure", type=float, default=20.0, metavar="CELLS", help="width of a line in full-width cells"
    )
    parser.add_argument("--queries", type=int, default=500, metavar="N", help="lines asked for in each genre")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers too")
    options = parser.parse_args(argv)
    groups = articles(options.cases)
    if not groups:
        parser.error(f"{options.cases}: there are no cases here")
    model = joint_model(options.model)
    found = [measured(g, t, model, measure=options.measure, queries=options.queries) for g, t in groups.items()]
    rows = [r for r in found if r]
    print(*table(rows), sep="\n")
    if options.json:
        options.json.write_text(json.dumps([asdict(r) for r in rows], indent=2) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
