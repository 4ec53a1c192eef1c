"""How fast texts are cleaned, against peers and floors in the same run, alternating.

    python tests/benchmarks/corpus.py /tmp/corpus
    python tests/benchmarks/engine.py /tmp/corpus [--files 60] [--rounds 5] [--rules]

Prints megabytes (10⁶ bytes of UTF-8) a second of processor time, the median of the rounds, and how many times as fast
Shanben is as each other, with the lowest and the highest of the rounds. A peer that is not installed is left out.
"""

from __future__ import annotations

import argparse
import importlib
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import regex

from shanben import pipeline
from shanben.ledger import to_jsonl
from shanben.pipeline import Plan, clean, make_plan, plan
from shanben.rulebook.apply import pattern_of
from shanben.rulebook.schema import Place, Rule, Rulebook
from shanben.steps import all_steps
from shanben.values import Decoding, Segment, Source

Worker = Callable[[str], object]
PROSE = (
    "春天来了，万物复苏。人们走出家门，到田野里踏青赏花，享受温暖的阳光。\n\n"
    "会议指出，过去一年各项工作取得了新的进展：“要坚持实事求是，把群众的事情办好。”与会代表表示赞同。\n\n"
    "他在《山间小记》里写道，那条路有三里多长，两旁都是竹子；走到尽头，才看见一座石桥、几户人家。\n\n"
)
PEERS = (
    ("autocorrect_py", "autocorrect_py", "format"),
    ("ftfy fix_text", "ftfy", "fix_text"),
    ("plsfix", "plsfix", "fix_text"),
    ("pangu", "pangu", "space_text"),
)


@dataclass
class Contestant:
    """One way to work on a text, and the seconds of each round."""

    name: str
    work: Worker
    seconds: list[float] = field(default_factory=list)


def peers() -> list[Contestant]:
    """Give the peers that are installed."""
    found = []
    for name, module, function in PEERS:
        try:
            found.append(Contestant(name, getattr(importlib.import_module(module), function)))
        except (ImportError, AttributeError) as error:
            print(f"left out: {name} ({error}); pip install 'shanben[bench]'", file=sys.stderr)
    try:
        formatter = importlib.import_module("cjk_text_formatter.polish")
        found.append(Contestant("cjk-text-formatter", formatter.polish_text))
    except (ImportError, AttributeError) as error:
        print(f"left out: cjk-text-formatter ({error})", file=sys.stderr)
    return found


def naive(steps: Plan) -> Worker:
    """Give the straw man: `regex.sub` of the same patterns one after another, once, without a ledger."""
    patterns = [
        (pattern_of(unit.rule), unit.rule.replace or "")
        for unit in steps.cleaning
        if unit.rule.match and unit.rule.level == "fix" and unit.rule.kind in ("replace", "remove")
    ]

    def work(text: str) -> str:
        for pattern, template in patterns:
            text = pattern.sub(template, text)
        return text

    return work


def without_ledger(text: str) -> str:
    """Clean a text as always, but write nothing down of it but the changes themselves."""
    made = Decoding("text", 1.0, (), (Segment(0, len(text), "utf-8"),))
    saved = pipeline._notes, pipeline.text_digest, Source.sha256
    pipeline._notes = lambda *_: ()
    pipeline.text_digest = lambda text: text
    try:
        steps = plan()
        return pipeline.run(Source("text", b""), text, made, steps, again=judged).text
    finally:
        pipeline._notes, pipeline.text_digest = saved[:2]


def judged(text: str) -> tuple[Plan, Any]:
    """Judge a text as `clean` does."""
    choice = pipeline.judge(text, pipeline.profiles())
    return plan(profile=choice.name), choice


def rules_only(steps: Plan) -> Plan:
    """Give a plan without its steps: what a pattern cannot do is what no peer does either."""
    return make_plan(steps.rulebook._replace(rules=tuple(r for r in steps.rulebook.rules if r.kind != "step")))


def cleaner(steps: Plan) -> Worker:
    """Clean by one plan, without judging the kind of document."""

    def work(text: str) -> object:
        made = Decoding("text", 1.0, (), (Segment(0, len(text), "utf-8"),))
        return pipeline.run(Source("text", text.encode("utf-8", "surrogatepass")), text, made, steps)

    return work


def made_rules(number: int, words: Sequence[str]) -> tuple[Rule, ...]:
    """Make rules that replace a rare word by itself in brackets when a sign stands before it."""
    place = Place("made", 1, 1)
    return tuple(
        Rule(f"made-{n}", "replace", "punctuation", place, "made", match=f"[◇◆]{regex.escape(w)}", replace=w)
        for n, w in enumerate(words[:number])
    )


def race(contestants: Sequence[Contestant], texts: Sequence[str], rounds: int) -> None:
    """Run all on all texts, in turns, after one round that does not count."""
    for number in range(rounds + 1):
        for contestant in contestants if number % 2 else reversed(contestants):
            began = time.process_time()
            for text in texts:
                contestant.work(text)
            if number:
                contestant.seconds.append(time.process_time() - began)


def report(title: str, contestants: Sequence[Contestant], texts: Sequence[str]) -> None:
    """Print the speeds, and how many times as fast the first is as each."""
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts) / 1e6
    print(f"\n{title}: {len(texts)} texts, {size:.2f} MB")
    first = contestants[0]
    for c in contestants:
        ratios = [b / a for a, b in zip(first.seconds, c.seconds, strict=True)]
        print(
            f"  {c.name:34} {size / statistics.median(c.seconds):9.2f} MB/s   "
            f"x{statistics.median(ratios):7.2f}  ({min(ratios):.2f}-{max(ratios):.2f})"
        )


def main() -> int:
    """Run the races."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path, help="a folder made by corpus.py")
    parser.add_argument("--files", type=int, default=60, help="files of each kind, drawn with a fixed seed")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    steps = plan()
    all_steps()
    for kind in ("long", "short"):
        files = sorted((options.corpus / kind).glob("*.txt"))
        drawn = random.Random(11).sample(files, min(len(files), options.files))  # noqa: S311
        texts = [path.read_bytes().decode("utf-8") for path in drawn]
        everything = [Contestant("shanben, the whole library, ledger", clean), *peers()]
        race(everything, texts, options.rounds)
        report(f"{kind}, whole library with column repair and page frames", everything, texts)
        only = rules_only(steps)
        rules = [Contestant("shanben, rules only, ledger", cleaner(only)), Contestant("regex.sub in turn", naive(only))]
        race([*rules, *(others := peers())], texts, options.rounds)
        report(f"{kind}, the same rules", [*rules, *others], texts)
        ledgers = [
            Contestant("without a ledger", without_ledger),
            Contestant("ledger in memory", clean),
            Contestant("written as lines", lambda text: to_jsonl(clean(text).ledger)),
            Contestant("written as columns", lambda text: to_jsonl(clean(text).ledger, compact=True)),
        ]
        race(ledgers, texts[: options.files // 3], options.rounds)
        report(f"{kind}, what the ledger costs", ledgers, texts[: options.files // 3])
    prose = [PROSE * n for n in (7, 35, 140)]
    floor = [
        Contestant("shanben on clean prose", clean),
        Contestant("encode and decode", lambda t: t.encode().decode()),
    ]
    race(floor, prose, options.rounds)
    report("clean prose, in which nothing fires", floor, prose)
    words = ["".join(random.Random(n).choices("龘靐龖麤犇猋骉馫鱻羴毳淼焱垚", k=4)) for n in range(9_000)]  # noqa: S311
    patterned = tuple(r for r in steps.rulebook.rules if r.match and r.kind in ("replace", "remove"))[:60]
    many = [
        Contestant(f"{n} rules", cleaner(make_plan(Rulebook(patterned + made_rules(n - 60, sorted(set(words)))))))
        for n in (60, 600, 3_000)
    ]
    race(many, texts, options.rounds)
    report("the same texts with more rules", many, texts)
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder, "in.txt"), Path(folder, "out.txt")

        def copied(text: str) -> None:
            source.write_text(text, "utf-8")
            out.write_text(source.read_bytes().decode(), "utf-8")

        def cleaned(text: str) -> None:
            source.write_text(text, "utf-8")
            out.write_text(clean(source.read_bytes()).text, "utf-8")

        files = [Contestant("shanben, file to file", cleaned), Contestant("read, decode, encode, write", copied)]
        race(files, texts, options.rounds)
        report("files", files, texts)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
