"""How soon does a command answer? Whole processes, by turns, their CPU in milliseconds, beside peers on the same file.

    python tests/benchmarks/start.py [--rounds 21] [--json FILE]

bare: Python that does nothing. version: `shanben --version`. clean: `shanben clean` of a text of 2 KB, rules checked
before. own rule: the same with `--rules` and a rule that was changed a moment ago, so that it has to be checked; every
round changes it. ftfy, pangu: their commands on the same text, left out where they are not installed.

Medians, with the least and the most; ratios are medians of those within a round, so that the machine's moods cancel out.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from batch import cpu_of

TEXT = (
    "会议强调,要抓好落实;守住底线.他说“好”。共2,300件,增长5.6%。\n\n"
    + "春天来了，万物复苏，人们走出家门，到田野里踏青。\n\n" * 24
)
RULE = """\
rules:
- id: my-stars
  fault: a row of stars
  match: '^\\*{{5,{number}}}$'
  remove: line
  examples:
  - ["甲。\\n*****\\n乙。", "甲。\\n乙。"]
  keep: ["甲*乙"]
"""


def commands(folder: Path) -> dict[str, list[str]]:
    """Give what is timed, by name. ``folder`` holds text.txt and the folder own with a rule."""
    text, out = str(folder / "text.txt"), str(folder / "out.txt")
    clean = [sys.executable, "-m", "shanben", "clean", text, "-o", out]
    found = {
        "bare": [sys.executable, "-c", "pass"],
        "version": [sys.executable, "-m", "shanben", "--version"],
        "clean": clean,
        "own rule": [*clean, "--rules", str(folder / "own")],
    }
    for name, arguments in {"ftfy": [text, "-o", out], "pangu": ["-f", text]}.items():
        program = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
        if program:
            found[name] = [program, *arguments]
        else:
            print(f"{name} is not installed: pip install shanben[bench]", file=sys.stderr)
    return found


def main() -> int:
    """Time, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    times: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "text.txt").write_text(TEXT, "utf-8")
        (folder / "own").mkdir()
        environment = os.environ | {"SHANBEN_CACHE": str(folder / "cache"), "SHANBEN_STATE": str(folder / "state")}
        timed = commands(folder)
        for number in range(-1, options.rounds):  # the first round checks the rules and is not counted
            (folder / "own" / "mine.yaml").write_text(RULE.format(number=number + 20), "utf-8")
            for what, command in timed.items():
                took = 1e3 * cpu_of(command, environment)
                if number >= 0:
                    times.setdefault(what, []).append(took)
    print(f"{'':10} {'ms CPU':>7} {'least-most':>12} {'of clean':>9}")
    for what, took in times.items():
        ratio = statistics.median(own / clean for own, clean in zip(took, times["clean"], strict=True))
        print(f"{what:10} {statistics.median(took):7.0f} {f'{min(took):.0f}-{max(took):.0f}':>12} {ratio:9.2f}")
    if options.json:
        options.json.write_text(json.dumps(times, indent=2) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
