"""What many documents cost: workers against one process, growth with their number, tables against files, Dask.

Each figure is user and system CPU of the command and of all its processes. Runs of the things compared alternate; what
is printed are medians, with the smallest and largest.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from shanben.signals import end_in_order

SENTENCES = (
    "会议强调,要抓好落实;守住底线.", "各位代表:请予审议!", "他说:“这件事, 要从长计议。”", "全市共有企业2,300家,增长5.6%.",
    "2024年1月10:30,大会开幕.", "不忘初心 牢记使命,", "记者从有关部门了解到, 工程已经完工.", "天气渐渐凉了, 河边的柳树开始落叶.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spread:
    """Seconds of several runs: the median, the smallest, the largest."""

    middle: float
    least: float
    most: float

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        """Give the spread of values."""
        return cls(median(values), min(values), max(values))

    def __str__(self) -> str:
        """Print it."""
        return f"{self.middle:.3f} ({self.least:.3f} to {self.most:.3f})"


def text(number: int, characters: int) -> str:
    """Make a document; the same number gives the same text."""
    chance = random.Random(number)  # noqa: S311 - texts, not secrets
    lines, length = [f"文章{number}", ""], 0
    while length < characters:
        line = "".join(chance.choice(SENTENCES) for _ in range(chance.randint(1, 5)))
        lines += [line, ""]
        length += len(line)
    return "\n".join(lines)


def write_files(folder: Path, count: int, characters: int) -> Path:
    """Write documents into sub-folders of a thousand each."""
    for number in range(count):
        path = folder / f"{number // 1000:04d}" / f"{number}.txt"
        if number % 1000 == 0:
            path.parent.mkdir(parents=True)
        path.write_text(text(number, characters), encoding="utf-8")
    return folder


def write_table(path: Path, count: int, characters: int) -> Path:
    """Write documents into one table of JSON lines."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            file.write(json.dumps({"id": str(number), "text": text(number, characters)}, ensure_ascii=False) + "\n")
    return path


def cpu_of(command: Sequence[str], environment: Mapping[str, str] | None = None) -> float:
    """Run a command and give the seconds of CPU, user and system, of all its processes.

    Raises CalledProcessError when it fails.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def cpu(*args: str | Path) -> float:
    """Run shanben and give the seconds of CPU of all its processes."""
    return cpu_of([sys.executable, "-m", "shanben", *map(str, args)])


def alternate(runs: int, kinds: dict[str, Callable[[], float]]) -> dict[str, Spread]:
    """Run all kinds in turn, so many times; the first turn warms the disk and is not counted."""
    found: dict[str, list[float]] = {name: [] for name in kinds}
    for turn in range(runs + 1):
        for name, run in kinds.items():
            seconds = run()
            if turn:
                found[name].append(seconds)
    return {name: Spread.of(values) for name, values in found.items()}


def clean(source: Path, *options: str) -> float:
    """Clean a source into a folder that is new; give the CPU."""
    with tempfile.TemporaryDirectory(dir=source.parent) as out:
        return cpu("clean", source, "-o", Path(out) / "out", "--fresh", *options)


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=2000, help="documents for the comparison of workers (2000)")
    parser.add_argument("--growth", type=int, nargs="*", default=[1000, 10_000], help="numbers of documents to compare")
    parser.add_argument("--characters", type=int, default=300, help="characters of a document (300)")
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each kind (5)")
    parser.add_argument("--dask", action="store_true", help="also a local Dask cluster of two workers")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    args = parser.parse_args()
    end_in_order()
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory(prefix="shanben-batch-") as name:
        folder = Path(name)
        os.environ["SHANBEN_STATE"] = str(folder / "state")
        files = write_files(folder / "files", args.documents, args.characters)
        table = write_table(folder / "table.jsonl", args.documents, args.characters)
        kinds = {
            "files, one process": lambda: clean(files, "-j", "1"),
            "files, two workers": lambda: clean(files, "-j", "2"),
            "table, one process": lambda: clean(table, "-j", "1"),
        }
        if args.dask:
            kinds["files, Dask, two workers"] = lambda: clean(files, "--scheduler", "local", "-j", "2")
        print(f"{args.documents} documents of {args.characters} characters; seconds of CPU, {args.runs} runs")
        found = alternate(args.runs, kinds)
        one = found["files, one process"]
        for name, spread in found.items():
            print(f"  {name:26} {spread}   ×{spread.middle / one.middle:.3f}")
            figures[name] = asdict(spread)
        figures["two workers to one"] = found["files, two workers"].middle / one.middle
        if args.growth:
            figures["growth"] = growth(folder, args.growth, args.characters, args.runs)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def growth(folder: Path, counts: list[int], characters: int, runs: int) -> dict[str, float]:
    """Compare the cost of one more document among few and among many; what starting costs is taken away."""
    sources = {n: write_files(folder / f"g{n}", n, characters) for n in [1, *counts]}
    found = alternate(runs, {str(n): (lambda s=s: clean(s, "-j", "1")) for n, s in sources.items()})
    start = found["1"].middle
    each = {n: (found[str(n)].middle - start) / (n - 1) for n in counts}
    print(f"growth: start {start:.2f} s, then for each document")
    for n in counts:
        print(f"  {n:8} documents  {each[n] * 1e6:8.0f} µs   ×{each[n] / each[counts[0]]:.3f}   all: {found[str(n)]}")
    return {str(n): value for n, value in each.items()}


if __name__ == "__main__":
    main()
