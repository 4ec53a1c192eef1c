"""Which encoding is it, and what does it cost to know? Shanben and its peers on the same bytes in one run.

    python tests/benchmarks/detection.py [--samples N] [--rounds N] [--cache DIR] [--seed S] [--json FILE] [--wrong N]

Right means that the text read is the text written. The texts are stretches of a novel, plays, reviews, dictionaries,
a newspaper of 1998 and lives of poets, which corpus.py takes from packages. The table of common characters in
`shanben/decode.py` was counted on television news of 2022-2026 and laws and on a list of words; no text judged here
had a part in it. What is not traditional is converted by OpenCC for Big5. A stretch that its encoding cannot hold, or
of which less than half is Han, is left out.

Peers (`pip install shanben[bench]`) are helped: what they call GB2312 or GBK is read as GB18030, their Big5 as
big5hkscs or cp950, whichever is right.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import corpus

from shanben.decode import decode
from shanben.errors import ShanbenError

ENCODINGS = ("utf-8", "gb18030", "gbk", "big5", "big5hkscs", "utf-16-le", "utf-16-be")
LENGTHS = (8, 12, 16, 32, 64, 256, 1024, 8192)
KINDS = (corpus.novel, corpus.plays, corpus.reviews, corpus.dictionary, corpus.newspaper, corpus.lives)
HAN = re.compile("[\u3400-\u9fff]")
SAME = str.maketrans("•､‾∼♁☉¥¢£", "‧﹑¯～⊕⊙￥￠￡")
"""Codes that Python's big5hkscs and Microsoft's cp950 read differently; either is right."""


def by_shanben(data: bytes) -> str:
    """Read with Shanben."""
    try:
        return decode(data)[0]
    except ShanbenError:
        return ""


def read_as(data: bytes, name: str | None, wanted: str) -> str:
    """Read as a peer says, in the best sense of it."""
    key = re.sub("[^a-z0-9]", "", (name or "").lower())
    if key in ("gb2312", "gbk", "cp936", "hzgb2312"):
        key = "gb18030"
    big5 = ["big5hkscs", "cp950", "big5"]
    chinese = {"gb18030": ["gb18030"], "big5": big5, "big5hkscs": big5, "cp950": big5}
    names = chinese.get(key, [name or "ascii"])
    texts = []
    for one in names:
        try:
            texts.append(data.decode(one))
        except (UnicodeDecodeError, LookupError):
            continue
    return next((text for text in texts if text.translate(SAME) == wanted.translate(SAME)), "") or (
        texts[0] if texts else ""
    )


def peers() -> dict[str, Callable[[bytes], str | None]]:
    """Give the peers that are installed: bytes -> the name of an encoding."""
    found: dict[str, Callable[[bytes], str | None]] = {}
    try:
        import chardet

        found[f"chardet {chardet.__version__}"] = lambda data: chardet.detect(data)["encoding"]
    except ImportError:
        print("without chardet")
    try:
        import charset_normalizer

        def normalizer(data: bytes) -> str | None:
            best = charset_normalizer.from_bytes(data).best()
            return best.encoding if best else None

        found[f"charset-normalizer {charset_normalizer.__version__}"] = normalizer
    except ImportError:
        print("without charset-normalizer")
    try:
        import cchardet

        found[f"faust-cchardet {cchardet.__version__}"] = lambda data: cchardet.detect(data)["encoding"]
    except ImportError:
        print("without faust-cchardet")
    return found


def texts(cache: Path) -> dict[str, str]:
    """Give the text of each kind, its paragraphs parted by line ends."""
    found = {}
    for source in KINDS:
        found[source.__name__] = "\n".join(line for work in source(cache) for line in work.paragraphs)
    return found


def stretches(content: dict[str, str], samples: int, seed: int) -> dict[tuple[str, int], list[tuple[str, bytes]]]:
    """Give, for each encoding and length, texts and their bytes: ``samples`` of each kind of text."""
    from opencc import OpenCC

    chance = random.Random(seed)  # noqa: S311 - samples, no secret
    to_traditional = OpenCC("s2t").convert
    found: dict[tuple[str, int], list[tuple[str, bytes]]] = defaultdict(list)
    for encoding in ENCODINGS:
        for length in LENGTHS:
            for kind, text in content.items():
                taken = 0
                for _ in range(samples * 20):
                    start = chance.randrange(len(text) - length)
                    piece = text[start : start + length]
                    if encoding.startswith("big5") and kind != "lives":
                        piece = to_traditional(piece)
                    if len(HAN.findall(piece)) * 2 < len(piece):
                        continue
                    try:
                        found[encoding, length].append((piece, piece.encode(encoding)))
                    except UnicodeEncodeError:
                        continue
                    taken += 1
                    if taken == samples:
                        break
    return found


def accuracy(cache: Path, samples: int, seed: int, wrong: int) -> dict[str, dict[str, float]]:
    """Print how often each reads rightly, by encoding and length, and give the shares by encoding."""
    tried = stretches(texts(cache), samples, seed)
    tools: dict[str, Callable[[bytes, str], str]] = {"shanben": lambda data, _: by_shanben(data)}
    for name, peer in peers().items():
        tools[name] = lambda data, wanted, peer=peer: read_as(data, peer(data), wanted)  # type: ignore[misc]
    said: dict[str, dict[str, float]] = {}
    for name, tool in tools.items():
        rows: dict[str, list[bool]] = defaultdict(list)
        for (encoding, length), pairs in tried.items():
            for text, data in pairs:
                right = tool(data, text).translate(SAME) == text.translate(SAME)
                for key in (encoding, f"{length} characters", "all"):
                    rows[key].append(right)
                if encoding != "utf-8":
                    rows["all but UTF-8"].append(right)
                if not right and name == "shanben" and wrong:
                    wrong -= 1
                    print(f"  {encoding}, {length}: {text[:40]!r} was read as {tool(data, text)[:40]!r}")
        said[name] = {key: sum(row) / len(row) for key, row in rows.items()}
        said[name]["samples"] = len(rows["all"])
    keys = ["all", "all but UTF-8", *ENCODINGS, *(f"{length} characters" for length in LENGTHS)]
    print(f"right, % of {len(rows['all']):,} stretches")
    print(f"{'':18}" + "".join(f"{name:>27}" for name in said))
    for key in keys:
        print(f"{key:18}" + "".join(f"{100 * said[name][key]:27.2f}" for name in said))
    return said


def cost(cache: Path, rounds: int) -> dict[str, dict[str, list[float]]]:
    """Print what it costs to read UTF-8, beside strict decoding alone, in alternating rounds."""
    text = texts(cache)["newspaper"]
    tools: dict[str, Callable[[bytes], object]] = {"strict decode": lambda data: data.decode(), "shanben": by_shanben}
    tools |= peers()
    said: dict[str, dict[str, list[float]]] = {}
    for size in (2_000, 16_000, 1_000_000):
        data = text.encode()[: size * 2].decode("utf-8", "ignore").encode()[:size].decode("utf-8", "ignore").encode()
        times: dict[str, list[float]] = defaultdict(list)
        for _ in range(rounds):
            for name, tool in tools.items():
                number = max(1, (2_000_000 if name in ("strict decode", "shanben") else 20_000) // size)
                start = time.process_time_ns()
                for _ in range(number):
                    tool(data)
                times[name].append((time.process_time_ns() - start) / number / 1000)
        said[f"{size:,} bytes"] = times
        strict = times["strict decode"]
        for name in tools:
            ratios = sorted(mine / base for mine, base in zip(times[name], strict, strict=True))
            middle = statistics.median(times[name])
            print(
                f"{size:>9,} bytes of UTF-8  {name:28} {middle:12.1f} µs   {statistics.median(ratios):9.2f} times "
                f"strict decoding ({ratios[0]:.2f}-{ratios[-1]:.2f})"
            )
    return said


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=40, help="stretches of each encoding, length and kind of text")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--cache", type=Path, default=corpus.CACHE)
    parser.add_argument("--seed", type=int, default=corpus.SEED)
    parser.add_argument("--wrong", type=int, default=0, metavar="N", help="show N stretches that Shanben read wrongly")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    costs = cost(asked.cache, asked.rounds)
    right = accuracy(asked.cache, asked.samples, asked.seed, asked.wrong)
    if asked.json:
        asked.json.write_text(json.dumps({"right": right, "microseconds": costs}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
