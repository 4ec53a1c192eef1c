"""What memory many documents and large ones need: the peak of the largest process of a command (resident set).

Many: does it grow with the number of files, of members of an archive, of rows? Large: how often does one text fit
into the peak?
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from batch import text, write_files, write_table

from shanben.signals import end_in_order

MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""
UNIT = 1 if sys.platform == "darwin" else 1024


def peak(*args: str | Path) -> float:
    """Run shanben and give the peak of its largest process in MB."""
    command = [sys.executable, "-c", MEASURE, sys.executable, "-m", "shanben", *map(str, args)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(done.stdout) * UNIT / 1e6


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, nargs="*", default=[1000, 10_000], help="numbers of documents")
    parser.add_argument("--flat", action="store_true", help="all files in one folder, not a thousand in each")
    parser.add_argument("--jobs", default="1", help="-j of the command (1)")
    parser.add_argument("--kinds", nargs="*", default=["files", "table", "zip"], help="of files, table, zip")
    parser.add_argument("--megabytes", type=float, nargs="*", default=[10], help="sizes of single texts")
    args = parser.parse_args()
    end_in_order()
    with tempfile.TemporaryDirectory(prefix="shanben-memory-") as name:
        folder = Path(name)
        os.environ["SHANBEN_STATE"] = str(folder / "state")
        for kind in args.kinds:
            for count in args.files:
                source = _source(folder, kind, count, flat=args.flat)
                size = peak("clean", source, "-o", folder / "out", "-j", args.jobs)
                print(f"{kind:6} {count:8} documents   {size:8.1f} MB", flush=True)
                shutil.rmtree(folder / "out")
        for megabytes in args.megabytes:
            path = folder / "large.txt"
            with path.open("w", encoding="utf-8") as file:
                number = 0
                while file.tell() < megabytes * 1e6:
                    file.write(text(number, 20_000) + "\n")
                    number += 1
            size = peak("clean", path, "-o", folder / "large-clean.txt", "--max-megabytes", "100000")
            ratio = size * 1e6 / path.stat().st_size
            print(f"one text of {megabytes:g} MB   {size:8.1f} MB   {ratio:.1f} times the text", flush=True)


def _source(folder: Path, kind: str, count: int, *, flat: bool) -> Path:
    if kind == "table":
        return write_table(folder / f"{count}.jsonl", count, 30)
    if kind == "zip":
        path = folder / f"{count}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for number in range(count):
                archive.writestr(f"{number // 1000:04d}/{number}.txt", text(number, 30))
        return path
    if not flat:
        return write_files(folder / f"files-{count}", count, 30)
    top = folder / f"flat-{count}"
    top.mkdir()
    for number in range(count):
        (top / f"{number}.txt").write_text(text(number, 30), encoding="utf-8")
    return top


if __name__ == "__main__":
    main()
