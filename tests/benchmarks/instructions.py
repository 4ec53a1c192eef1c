"""How many instructions a few kernels take: a number that no noise of the machine moves.

    python tests/benchmarks/instructions.py [KERNEL ...] [--against FILE] [--save FILE]

Needs valgrind. Each kernel runs once and then some times more in a process of its own, and the difference counts, so that
imports and first looks are left out. The numbers hold for one build of Python and one version of `regex`; `--against`
compares with a file that `--save` wrote on the same machine, and exits with 1 when a kernel takes a tenth more.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from shanben.signals import end_in_order

PROSE = "春天来了，万物复苏。人们走出家门，到田野里踏青赏花，享受温暖的阳光。\n\n"
DIRTY = '会议强调,要抓好落实;守住底线.他说"好"。&nbsp;共2,300件,增长5.6%.\n\n'
MORE = 1.1
SET_UP = f"""
import gc; gc.disable()
from shanben.decode import decode
from shanben.ledger import to_jsonl
from shanben.pipeline import clean, judge, plan, profiles
from shanben.presence import Presence
prose, dirty = {PROSE!r} * 60, {DIRTY!r} * 60
data, index, known = prose.encode(), plan().index, profiles()
ledger = clean(dirty).ledger
"""
KERNELS = {
    "decode": ("decode(data)", 5_000),
    "presence": ("Presence(prose, index)", 100),
    "judge": ("judge(prose, known)", 30),
    "clean prose": ("clean(prose)", 10),
    "clean dirty": ("clean(dirty)", 10),
    "ledger as lines": ("to_jsonl(ledger)", 50),
    "ledger as columns": ("to_jsonl(ledger, compact=True)", 50),
}
"""What is run, and how often: so often that the start, which is never quite the same, does not count."""


def instructions(kernel: str, times: int, cache: str) -> int:
    """Count the instructions of a process that runs a kernel so often. ``cache`` is a folder for checked rules."""
    script = f"{SET_UP}\nfor _ in range({times}):\n    {kernel}\n"
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable, "-c", script],
        capture_output=True, text=True, check=True, env={**os.environ, "PYTHONHASHSEED": "0", "SHANBEN_CACHE": cache},
    )  # fmt: skip
    found = re.search(r"Collected : (\d+)", done.stderr)
    if not found:
        raise RuntimeError(done.stderr[-2000:])
    return int(found[1])


def main() -> int:
    """Count, print, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kernels", nargs="*", metavar="KERNEL", help=f"of: {', '.join(KERNELS)}")
    parser.add_argument("--against", type=Path)
    parser.add_argument("--save", type=Path)
    options = parser.parse_args()
    if not shutil.which("valgrind"):
        print("valgrind is not installed: apt-get install valgrind", file=sys.stderr)
        return 2
    before = json.loads(options.against.read_text("utf-8")) if options.against else {}
    counts, more = {}, []
    end_in_order()
    with tempfile.TemporaryDirectory() as cache:
        instructions("pass", 1, cache)  # checks the rules
        for name in options.kernels or KERNELS:
            kernel, times = KERNELS[name]
            counts[name] = (instructions(kernel, 1 + times, cache) - instructions(kernel, 1, cache)) // times
            ratio = counts[name] / before[name] if name in before else 1.0
            told = f"  x{ratio:.3f}" if name in before else ""
            print(f"{name:20} {counts[name]:14,}{told}", flush=True)
            if ratio > MORE:
                more.append(name)
    if options.save:
        options.save.write_text(json.dumps(counts, indent=2) + "\n", "utf-8")
    if more:
        print(f"more instructions than before: {', '.join(more)}", file=sys.stderr)
    return 1 if more else 0


if __name__ == "__main__":
    raise SystemExit(main())
