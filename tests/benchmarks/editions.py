"""What does an edition cost? Shanben, pypandoc and calibre in one run, by turns.

    python tests/benchmarks/editions.py CORPUS [--documents 1000] [--rounds 5] [--part writing|seed]... [--json FILE]

CORPUS is a folder that corpus.py made; its short files are the documents.

writing: each edition written from a Document by Shanben, and read back and checked; beside it `pypandoc.convert_file`
of the same clean text, one file after another, with a title and `--standalone`. Cleaning is not part of it.
seed: the whole process `shanben build` of one seed to EPUB, HTML and TXT with ledger and report, beside calibre's
`ebook-convert` of the same file to one EPUB (left out where calibre is not installed; Debian has it).

CPU time is that of the process and all its children. The user part and the whole are told apart, because starting
a large program costs the system more than the program.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from shanben.pipeline import clean
from shanben.structure import build_document
from shanben.tools import pandoc
from shanben.values import Document, Edition, Source
from shanben.verify import check_editions
from shanben.writers import all_writers

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
Times = dict[str, list[tuple[float, float]]]
"""What was measured -> user seconds and seconds in all, a pair for each round."""


def spent(work: Callable[[], object]) -> tuple[float, float]:
    """Give the CPU time of a piece of work, its children included: user, and user with system."""

    def now() -> tuple[float, float]:
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        user = sum(u.ru_utime for u in used)
        return user, user + sum(u.ru_stime for u in used)

    before = now()
    work()
    pandoc.close()  # children count when they have ended
    after = now()
    return after[0] - before[0], after[1] - before[1]


def documents(corpus: Path, number: int) -> list[Document]:
    """Clean the first short files of the corpus."""
    found = []
    for path in sorted((corpus / "short").iterdir())[:number]:
        cleaned = clean(Source(path.name, path.read_bytes()))
        found.append(build_document(cleaned, cleaned.plan, said={}, name=path.stem))
    return found


def writing(corpus: Path, number: int, rounds: int) -> Times:
    """Write many small documents, each in its turn by each tool."""
    import pypandoc

    made = documents(corpus, number)
    writers = all_writers()
    times: Times = defaultdict(list)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for index, document in enumerate(made):
            (folder / f"{index}.md").write_text(f"# {document.text}", "utf-8")

        def by_peer(to: str, suffix: str) -> None:
            for index, document in enumerate(made):
                options = ["--standalone", f"--metadata=title:{document.metadata.title[:80]}"]
                path = folder / f"{index}"
                pypandoc.convert_file(f"{path}.md", to, outputfile=f"{path}.{suffix}", extra_args=options)

        for kind, to in (("epub", "epub3"), ("html", "html")):
            write = writers[kind].write
            for _ in range(rounds):
                editions: list[Edition] = []
                times[f"{kind}: written"].append(
                    spent(lambda w=write, e=editions: e.extend(Edition("", "x", w(d)) for d in made))  # type: ignore[misc]
                )
                whole = [Edition(kind, f"x.{kind}", e.data) for e in editions]
                times[f"{kind}: checked"].append(
                    spent(lambda w=whole: [check_editions(d, [e]) for d, e in zip(made, w, strict=True)])  # type: ignore[misc]
                )
                times[f"{kind}: pypandoc"].append(spent(lambda t=to, k=kind: by_peer(t, k)))  # type: ignore[misc]
    for kind in ("epub", "html"):
        with_checks = [
            (w[0] + c[0], w[1] + c[1])
            for w, c in zip(times[f"{kind}: written"], times[f"{kind}: checked"], strict=True)
        ]
        compare(f"{kind} of {number} documents, written", times[f"{kind}: written"], times[f"{kind}: pypandoc"])
        compare(f"{kind} of {number} documents, written and checked", with_checks, times[f"{kind}: pypandoc"])
    return times


def seed(rounds: int) -> Times:
    """Build one seed to three editions, and have calibre make one EPUB of it."""
    source = next((SEEDS / "003-zhengxie-xinde").glob("source.*"))
    times: Times = defaultdict(list)
    calibre = shutil.which("ebook-convert")
    with tempfile.TemporaryDirectory() as name:
        environment = os.environ | {"HOME": name}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program is compiled once, not each time

        def run(*command: str) -> None:
            subprocess.run(command, check=True, capture_output=True, env=environment, cwd=name)

        for number in range(rounds + 1):  # the first one warms the disk
            mine = spent(lambda n=number: run(sys.executable, "-m", "shanben", "build", str(source), "-o", f"d{n}"))  # type: ignore[misc]
            peer = spent(lambda: run(str(calibre), str(source), "out.epub")) if calibre else None
            if number:
                times["shanben build"].append(mine)
                if peer:
                    times["ebook-convert"].append(peer)
    if calibre:
        compare("one seed to three editions", times["shanben build"], times["ebook-convert"])
    else:
        print("ebook-convert is not there: apt-get install calibre")
    return times


def compare(what: str, mine: Sequence[tuple[float, float]], peers: Sequence[tuple[float, float]]) -> None:
    """Print the medians and the ratios of the rounds, with their spread."""
    for column, name in enumerate(("user CPU", "user + system")):
        ratios = sorted(p[column] / m[column] for m, p in zip(mine, peers, strict=True))
        middle = [statistics.median(times[column] for times in rows) for rows in (mine, peers)]
        print(
            f"{what:46} {name:14} {middle[0]:8.2f} s, peer {middle[1]:8.2f} s: "
            f"{statistics.median(ratios):6.1f} times as fast ({ratios[0]:.1f}-{ratios[-1]:.1f})",
            flush=True,
        )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--documents", type=int, default=1000, metavar="N")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--part", action="append", choices=["writing", "seed"])
    parser.add_argument("--json", type=Path, metavar="FILE")
    asked = parser.parse_args()
    times: Times = {}
    for part in asked.part or ["seed", "writing"]:
        times |= seed(asked.rounds) if part == "seed" else writing(asked.corpus, asked.documents, asked.rounds)
    if asked.json:
        asked.json.write_text(json.dumps(times, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
