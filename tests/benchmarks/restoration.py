"""How well do damaged Chinese texts come back, and does what is right stay? A program that prints it.

    python tests/benchmarks/restoration.py [TEXTS_DIR] [--keep FILE] [--peers PYTHON] [--zhlint DIR] [--fault NAME]...
                                           [--rate R]... [--by text|line] [--tool NAME]... [--show N] [--json FILE]

Each clean text is damaged in known ways (one kind of fault alone, then all of them at several rates; the seed is
fixed) and restored by the whole of Shanben and by other tools. An edit is one place of the damaged text with what
becomes of it; the edits that lead to the clean text are compared with those that a tool made. README.md beside this
file tells what the numbers mean and how the other tools are installed.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from pathlib import Path

from shanben.pipeline import clean, plan

CASES = Path(__file__).resolve().parents[1] / "cases" / "restoration"
SEED = 1936
RATES = (0.1, 0.3, 0.6)
"""Shares of the places that are damaged where all faults are mixed."""

# --- damage ------------------------------------------------------------------------------------------------

Damage = Callable[[str, random.Random, float], str]
HALF = dict(zip("，。；：？！（）", ",.;:?!()", strict=True))
SMALL = dict(zip("，、。；：？！（）《》「」『』【】", "﹐﹑｡﹔﹕﹖﹗﹙﹚︽︾﹁﹂﹃﹄︻︼", strict=True))
WIDE = {chr(c): chr(c + 0xFEE0) for c in range(0x30, 0x7B) if chr(c).isalnum()}
ENTITIES = {
    "“": "&ldquo;", "”": "&rdquo;", "‘": "&lsquo;", "’": "&rsquo;", "—": "&mdash;", "…": "&hellip;", "·": "&middot;",
    "《": "&#12298;", "》": "&#x300b;", "，": "&#65292;", "%": "&#37;", "×": "&times;", "≥": "&ge;", "°": "&deg;",
}  # fmt: skip
RADICALS = {
    "人": "⼈", "民": "⺠", "日": "⽇", "月": "⽉", "水": "⽔", "火": "⽕", "大": "⼤", "小": "⼩", "手": "⼿", "口": "⼝",
    "一": "⼀", "二": "⼆", "八": "⼋", "十": "⼗", "力": "⼒", "心": "⼼", "文": "⽂", "方": "⽅", "生": "⽣", "用": "⽤",
    "目": "⽬", "立": "⽴", "老": "⽼", "自": "⾃", "色": "⾊", "行": "⾏", "里": "⾥", "金": "⾦", "面": "⾯", "高": "⾼",
    "長": "⾧", "門": "⾨", "車": "⾞", "见": "⻅", "车": "⻋", "门": "⻔", "风": "⻛", "长": "⻓",
}  # fmt: skip
COMPATIBLE = {
    "不": "\uf967", "行": "\ufa08", "年": "\uf98e", "度": "\ufa01", "里": "\uf9e9", "量": "\uf97e", "利": "\uf9dd",
    "理": "\uf9e4", "料": "\uf9be", "金": "\uf90a", "女": "\uf981", "老": "\uf934", "立": "\uf9f7",
    "力": "\uf98a", "六": "\uf9d1", "識": "\uf9fc", "數": "\uf969", "說": "\uf96f", "更": "\uf901", "見": "\ufa0a",
}  # fmt: skip
INVISIBLE = "\u200b\ufeff\u00ad\u200e\u200f\u2060\u202a\u202c"
DASHES = ("--", "－－", "──", "―", "—", "———", "—-")
ELLIPSES = ("...", "......", "。。。", "……", "⋯⋯", "…", "・・・・・・", "。。。。。。")
DOTS = "・•‧∙"


def _each(table: Mapping[str, str]) -> Damage:
    """Give a damage that turns every character of the table, with the chance ``rate``."""

    def damage(text: str, chance: random.Random, rate: float) -> str:
        return "".join(table[c] if c in table and chance.random() < rate else c for c in text)

    return damage


def _pieces(pattern: str, turn: Callable[[re.Match[str], random.Random], str]) -> Damage:
    """Give a damage that turns every match of the pattern, with the chance ``rate``."""

    def damage(text: str, chance: random.Random, rate: float) -> str:
        return re.sub(pattern, lambda m: turn(m, chance) if chance.random() < rate else m.group(), text)

    return damage


def half_width(text: str, chance: random.Random, rate: float) -> str:
    """Make marks half-width; in half of the texts a blank follows where the line goes on."""
    blank = " " if chance.random() < 0.5 else ""

    def turned(m: re.Match[str]) -> str:
        if chance.random() >= rate:
            return m.group()
        mark = HALF[m.group()]
        follows = text[m.end() : m.end() + 1]
        return mark + (blank if mark in ",.;:?!" and follows not in ("", "\n", "”", "」", "’", "』", "）") else "")

    return re.sub("[" + "".join(HALF) + "]", turned, text)


def straight_quotes(text: str, chance: random.Random, rate: float) -> str:
    """Make both quotes of a pair straight."""
    out = list(text)
    waiting: list[tuple[int, str]] = []
    for at, c in enumerate(text):
        if c in "“‘「『":
            waiting.append((at, c))
        elif c in "”’」』" and waiting:
            opening, mark = waiting.pop()
            if chance.random() < rate:
                out[opening] = out[at] = '"' if mark in "“「" else "'"
    return "".join(out)


def reversed_quotes(text: str, chance: random.Random, rate: float) -> str:
    """Turn both quotes of a pair the wrong way round, or only one of them."""
    out = list(text)
    for m in re.finditer("“[^“”\n]{1,30}”", text):
        if chance.random() < rate:
            opening, closing = chance.choice(("”“", "””", "““"))
            out[m.start()], out[m.end() - 1] = opening, closing
    return "".join(out)


def mixed_brackets(text: str, chance: random.Random, rate: float) -> str:
    """Make one bracket of a pair half-width."""
    out = list(text)
    for m in re.finditer("（[^（）\n]{1,60}）", text):
        if chance.random() < rate:
            at = chance.choice((m.start(), m.end() - 1))
            out[at] = HALF[out[at]]
    return "".join(out)


def _wrapped(end: str) -> Damage:
    def damage(text: str, chance: random.Random, rate: float) -> str:
        measure = chance.randint(16, 32)
        return "\n".join(end.join(_printed(line, measure)) for line in text.split("\n"))

    return damage


def _printed(line: str, measure: int) -> list[str]:
    """Break a line as a page does: words stay whole, and marks with what they cling to."""
    pieces = re.findall(r"[“‘（《「『]*(?:[A-Za-z0-9][!-~]*|——|……|.)[，。、；：！？”’」』）》]*", line)
    lines, width = [""], 0.0
    for piece in pieces:
        wide = sum(0.5 if c < "\u0370" else 1.0 for c in piece)
        if width + wide > measure and lines[-1]:
            lines.append("")
            width = 0.0
        lines[-1] += piece
        width += wide
    return [piece.strip() for piece in lines]


def spaced_marks(text: str, chance: random.Random, rate: float) -> str:
    """Set a blank before or after a mark, as OCR does."""

    def turned(m: re.Match[str]) -> str:
        if chance.random() >= rate:
            return m.group()
        return " " + m.group() if chance.random() < 0.5 else m.group() + " "

    return re.sub(r"(?<=[\u4e00-\u9fff])[，。；：？！、](?=[\u4e00-\u9fff])", turned, text)


def unseen(text: str, chance: random.Random, rate: float) -> str:
    """Put characters that nobody sees between others."""
    return "".join(c + chance.choice(INVISIBLE) if c != "\n" and chance.random() < 0.2 * rate else c for c in text)


def as_entities(text: str, chance: random.Random, rate: float) -> str:
    """Write marks as HTML character references."""
    return _each(ENTITIES)(text, chance, rate)


FAULTS: Mapping[str, Damage] = {
    "half-width marks": half_width,
    "straight quotes": straight_quotes,
    "reversed quotes": reversed_quotes,
    "mixed brackets": mixed_brackets,
    "dashes": _pieces("——", lambda m, chance: chance.choice(DASHES)),
    "ellipses": _pieces("……", lambda m, chance: chance.choice(ELLIPSES)),
    "doubled marks": _pieces("[，、；：。]", lambda m, chance: m.group() * 2),
    "small forms": _each(SMALL),
    "title marks": _pieces("《([^《》\n]+)》", lambda m, chance: f"<<{m.group(1)}>>"),
    "middle dots": _pieces("·", lambda m, chance: chance.choice(DOTS)),
    "wide letters": _each(WIDE),
    "wide number marks": _pieces(
        r"(?<=\d)[.,](?=\d)|(?<=[^\d:]\d)[:](?=\d\d(?!\d|:))|(?<=[^\d:]\d\d)[:](?=\d\d(?!\d|:))",
        lambda m, chance: {".": "．", ",": "，", ":": "："}[m.group()],
    ),
    "radicals": _each(RADICALS),
    "compatibility": _each(COMPATIBLE),
    "unseen": unseen,
    "entities": as_entities,
    "spaced marks": spaced_marks,
    "wrap spaces": _wrapped(" "),
    "wrap lines": _wrapped("\n"),
}
MIXED = (
    "half-width marks", "straight quotes", "dashes", "ellipses", "title marks", "middle dots", "radicals",
    "compatibility", "wide letters", "wrap spaces", "unseen",
)  # fmt: skip
"""What is mixed, in this order: each of them can be told from the text whatever the others did."""


def damaged(text: str, fault: str, rate: float, seed: int = SEED) -> str:
    """Give the text with one kind of fault, or with all of `MIXED` where ``fault`` is `mixed`.

    >>> damaged("他说：“好。”", "straight quotes", 1)
    '他说："好。"'
    """
    chance = random.Random(f"{seed} {fault} {rate} {text}")  # noqa: S311 - repeatable damage, no secret
    for name in MIXED if fault == "mixed" else (fault,):
        text = FAULTS[name](text, chance, rate) if "wrap" in name else _outside_code(text, FAULTS[name], chance, rate)
    return text


_LITERAL = re.compile(r"`[^`\n]*`|(?:https?://|www\.)[!-~]+|[\w.+-]+@[\w.-]+|(?<![A-Za-z])[A-Z]{2,4}\d?[．.:：]\S*")


def _outside_code(text: str, damage: Damage, chance: random.Random, rate: float) -> str:
    """Damage a text, but not its code and addresses: nobody could tell what stood there."""
    held: list[str] = []

    def hold(m: re.Match[str]) -> str:
        held.append(m.group())
        return chr(0xF0000 + len(held) - 1)

    worse = damage(_LITERAL.sub(hold, text), chance, rate)
    return re.sub("[\U000f0000-\U000ffffd]", lambda m: held[ord(m.group()) - 0xF0000], worse)


# --- measure -----------------------------------------------------------------------------------------------

Edit = tuple[int, int, str]
"""Characters ``[start, end)`` of the damaged text, and what stands in their place."""


def edits(source: str, result: str) -> set[Edit]:
    """Give what turns ``source`` into ``result``, as small as it goes: one character, or one uneven stretch.

    >>> sorted(edits("他说:好...", "他说：好……"))
    [(2, 3, '：'), (4, 7, '……')]
    """
    found: set[Edit] = set()
    for op, a, b, c, d in SequenceMatcher(None, source, result, autojunk=False).get_opcodes():
        if op == "equal":
            continue
        if b - a == d - c or op == "delete":
            found |= {(k, k + 1, result[c + k - a] if op == "replace" else "") for k in range(a, b)}
        else:
            found.add((a, b, result[c:d]))
    return found


@dataclass(frozen=True, slots=True)
class Score:
    """Edits that were due, were made, and were both."""

    due: int = 0
    made: int = 0
    right: int = 0

    def __add__(self, other: Score) -> Score:
        """Add the counts of two texts."""
        return Score(self.due + other.due, self.made + other.made, self.right + other.right)

    @property
    def precision(self) -> float:
        """Give the share of the edits made that were due; 1 where none was made."""
        return self.right / self.made if self.made else 1.0

    @property
    def recall(self) -> float:
        """Give the share of the edits due that were made; 1 where none was due."""
        return self.right / self.due if self.due else 1.0

    @property
    def f1(self) -> float:
        """Give the harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def score(source: str, wanted: str, got: str) -> Score:
    """Compare the edits that a tool made in ``source`` with those that lead to the ``wanted`` text.

    >>> score("甲,乙;丙", "甲，乙；丙", "甲，乙;丙丁")
    Score(due=2, made=2, right=1)
    """
    due, made = edits(source, wanted), edits(source, got)
    return Score(len(due), len(made), len(due & made))


# --- tools -------------------------------------------------------------------------------------------------

Tool = Callable[[Sequence[str]], list[str]]
PEER_PROGRAM = """
import json, sys
name, texts = sys.argv[1], json.load(sys.stdin)
if name == "autocorrect":
    from autocorrect_py import format as run
elif name == "pangu":
    from pangu import space_text as run
else:
    from ftfy import fix_text as run
json.dump([run(t) for t in texts], sys.stdout)
"""
ZHLINT_PROGRAM = """
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
const at = createRequire(process.argv[1] + "/").resolve("zhlint");
const { run } = await import(pathToFileURL(at));
let given = "";
for await (const piece of process.stdin.setEncoding("utf8")) given += piece;
const texts = JSON.parse(given);
const log = console.log;
console.log = console.warn = console.error = () => {};
const options = { rules: { preset: "default" } };
const results = texts.map((t) => { try { return run(t, options).result; } catch { return t; } });
process.stdout.write(JSON.stringify(results));
"""
HOW_TO_INSTALL = {
    "autocorrect": "pip install autocorrect-py",
    "pangu": "pip install pangu",
    "ftfy": "pip install ftfy",
    "zhlint": "npm install zhlint",
}


def shanben(texts: Sequence[str]) -> list[str]:
    """Clean each text with all rules."""
    return [clean(text).text for text in texts]


def untouched(texts: Sequence[str]) -> list[str]:
    """Do nothing: the baseline of the lines that must stay."""
    return list(texts)


def _piped(command: Sequence[str], texts: Sequence[str]) -> list[str]:
    done = subprocess.run(command, input=json.dumps(list(texts)), capture_output=True, text=True, check=True)
    results: list[str] = json.loads(done.stdout)
    return results


def tools(python: str, zhlint: str, wanted: Iterable[str]) -> Iterator[tuple[str, Tool]]:
    """Give the tools that are there; say of the others how to get them."""
    commands = {name: [python, "-c", PEER_PROGRAM, name] for name in ("autocorrect", "pangu", "ftfy")}
    commands["zhlint"] = ["node", "--input-type=module", "-e", ZHLINT_PROGRAM, str(Path(zhlint).resolve())]
    names = list(wanted) or ["shanben", *commands]
    if "shanben" in names:
        yield "shanben", shanben
    for name, command in commands.items():
        if name not in names:
            continue
        try:
            _piped(command, ["试"])
        except (OSError, subprocess.CalledProcessError, ValueError):
            print(f"{name} is not installed and is left out: {HOW_TO_INSTALL[name]}", file=sys.stderr)
            continue
        yield name, lambda texts, command=command: _piped(command, texts)  # type: ignore[misc]


# --- the table ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """What one tool made of one kind of fault."""

    tool: str
    fault: str
    texts: int
    due: int
    precision: float
    recall: float
    f1: float


def read_texts(folder: Path, *, by: str) -> dict[str, str]:
    """Give the clean texts of a folder by name: whole, or each paragraph of its own."""
    whole = {p.stem: p.read_text("utf-8") for p in sorted(folder.glob("*.txt"))}
    if by == "text":
        return whole
    return {
        f"{name}:{n}": line
        for name, text in whole.items()
        for n, line in enumerate(text.split("\n"), 1)
        if line.strip()
    }


def conditions(faults: Sequence[str], rates: Sequence[float]) -> list[tuple[str, str, float]]:
    """Give what is measured: the label, the fault and its rate."""
    found = [(name, name, 1.0) for name in FAULTS if not faults or name in faults]
    found += [(f"half of {name}", name, 0.5) for name in ("half-width marks", "straight quotes") if not faults]
    if not faults or "mixed" in faults:
        found += [(f"mixed {rate:.0%}", "mixed", rate) for rate in rates]
    return found


def measured(
    texts: Mapping[str, str], tool: Tool, faults: Sequence[tuple[str, str, float]]
) -> Iterator[tuple[str, Score, list[tuple[str, str, str]]]]:
    """Give, for each condition, its score and the texts that did not come back: damaged, wanted, got."""
    pairs = [[(damaged(t, fault, rate), t) for t in texts.values()] for _, fault, rate in faults]
    pairs = [[(bad, good) for bad, good in some if bad != good] for some in pairs]
    results = iter(tool([bad for some in pairs for bad, _ in some]))
    for (label, _, _), some in zip(faults, pairs, strict=True):
        total = Score()
        missed = []
        for bad, good in some:
            got = next(results)
            total += score(bad, good, got)
            if got != good:
                missed.append((bad, good, got))
        yield label, total, missed


def show(missed: Sequence[tuple[str, str, str]], most: int) -> None:
    """Print the lines that did not come back, what was due and what came."""
    for bad, good, got in missed:
        for op, a, b, c, d in SequenceMatcher(None, good, got, autojunk=False).get_opcodes():
            if op == "equal":
                continue
            most -= 1
            if most < 0:
                return
            print(f"    {op} {good[a:b]!r} -> {got[c:d]!r}: {good[max(0, a - 14) : b + 10]!r}")
        del bad


def report(rows: Sequence[Row], kept: Mapping[str, tuple[int, int]]) -> None:
    """Print F1 in per cent: a line for each fault, a column for each tool; then the lines that stayed."""
    names = list(dict.fromkeys(r.tool for r in rows)) or list(kept)
    print(f"\n{'F1 of edits, %':<26}{'edits':>8}" + "".join(f"{n:>13}" for n in names))
    for fault in dict.fromkeys(r.fault for r in rows):
        mine = {r.tool: r for r in rows if r.fault == fault}
        print(f"{fault:<26}{next(iter(mine.values())).due:>8}" + "".join(f"{100 * mine[n].f1:>13.2f}" for n in names))
    for label in ("precision", "recall"):
        alls = {r.tool: r for r in rows if r.fault == "all"}
        if alls:
            print(f"{'all, ' + label:<34}" + "".join(f"{100 * getattr(alls[n], label):>13.2f}" for n in names))
    if kept:
        lines = next(iter(kept.values()))[1]
        print(f"{'lines that stayed, %':<26}{lines:>8}" + "".join(f"{100 * kept[n][0] / lines:>13.2f}" for n in names))


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", nargs="?", type=Path, default=CASES / "texts", metavar="TEXTS_DIR")
    parser.add_argument("--keep", type=Path, default=CASES / "keep.txt", help="lines that must stay, one a line")
    parser.add_argument("--peers", default=sys.executable, metavar="PYTHON", help="a Python that has the other tools")
    parser.add_argument("--zhlint", default=".", metavar="DIR", help="a folder in which `npm install zhlint` was run")
    parser.add_argument("--tool", action="append", default=[], choices=["shanben", *HOW_TO_INSTALL])
    parser.add_argument("--fault", action="append", default=[], choices=[*FAULTS, "mixed"])
    parser.add_argument("--rate", action="append", default=[], type=float, help="of mixed faults")
    parser.add_argument("--by", choices=["text", "line"], default="text", help="what is damaged and restored at a time")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print N places of each fault that went wrong")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(argv)
    texts = read_texts(options.texts, by=options.by)
    lines = [x for x in options.keep.read_text("utf-8").split("\n") if x.strip()] if options.keep.is_file() else []
    print(f"{len(texts)} {options.by}s, {sum(map(len, texts.values()))} characters; {len(lines)} lines that must stay")
    print(f"rules: {plan().digest[:12]}")
    faults = conditions(options.fault, options.rate or RATES)
    rows: list[Row] = []
    kept: dict[str, tuple[int, int]] = {}
    for name, tool in tools(options.peers, options.zhlint, options.tool):
        total, count = Score(), 0
        for label, found, missed in measured(texts, tool, faults):
            total, count = total + found, count + len(texts)
            rows.append(Row(name, label, len(texts), found.due, found.precision, found.recall, found.f1))
            if options.show and missed:
                print(f"{name}, {label}: {len(missed)} did not come back; F1 {found.f1:.4f}")
                show(missed, options.show)
        rows.append(Row(name, "all", count, total.due, total.precision, total.recall, total.f1))
        if lines:
            results = tool(lines)
            kept[name] = (sum(a == b for a, b in zip(lines, results, strict=True)), len(lines))
            if options.show:
                wrong = [(a, b) for a, b in zip(lines, results, strict=True) if a != b]
                for a, b in wrong[: options.show * 5]:
                    print(f"    must stay: {a!r} -> {b!r}")
    report(rows, kept)
    if options.json:
        told = {"rows": [asdict(r) for r in rows], "kept": kept}
        options.json.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
