"""Training a model of joints: the same bytes each time, probabilities that are some, errors that say what to do."""

from __future__ import annotations

import errno
import io
import itertools
import json
import lzma
import os
import random
import re
import subprocess
import sys
import types
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import ROOT
from shanben.cli import main
from shanben.columns import model_file, train
from shanben.columns.joints import BREAK, JointModel, NGrams, load, roll, unpack
from shanben.columns.train import Budget
from shanben.errors import RuleError

# --- a toy language ------------------------------------------------------------------------------------------
# Each word is followed by one of three: who knows that can tell which line goes on. Some words are Traditional.

HAN_WORDS = (
    "春天 院子 杏花 燕子 屋檐 清晨 井水 石桥 渡口 木船 船夫 斗笠 細雨 稻田 水牛 牧童 短笛 山坡 茶園 竹籃 歌聲 遠處 鐘聲 古寺 "
    "老僧 掃地 落葉 黃昏 炊烟 歸鳥 灯火 書房 毛筆 硯台 墨香 信紙 故人 消息 江南 江北 行人 驛站 馬蹄 關山 明月 酒壺 知己 長夜"
)
HAN = HAN_WORDS.split()
TRADITIONAL = dict(
    zip("細園籃聲遠處鐘掃葉黃歸書筆硯紙驛馬關壺長", "细园篮声远处钟扫叶黄归书笔砚纸驿马关壶长", strict=True)
)
LATIN_WORDS = (
    "spring garden apricot swallow morning bridge ferry boatman drizzle paddy buffalo flute hillside basket song "
    "bell temple monk leaves evening smoke lantern study brush letter friend message traveller station moon"
)
LATIN = LATIN_WORDS.split()


def write_like(words: list[str], characters: int, seed: int, *, between: str = "", stop: str = "。") -> list[str]:
    """Give paragraphs of about so many characters in all."""
    chance = random.Random(seed)  # noqa: S311
    paragraphs: list[str] = []
    while sum(map(len, paragraphs)) < characters:
        at = chance.randrange(len(words))
        said = []
        for _ in range(chance.randint(12, 60)):
            said.append(words[at])
            at = (at * 5 + chance.choice((1, 7, 11))) % len(words)
        paragraphs.append(between.join(said) + stop)
    return paragraphs


def corpus(folder: Path, seed: int = 1) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "twenty.txt").write_text("\n".join(write_like(HAN, 24_000, seed)) + "\n", "utf-8")
    english = "\n\n".join(write_like(LATIN, 40_000, seed, between=" ", stop="."))
    (folder / "b").mkdir(exist_ok=True)
    (folder / "b" / "english.txt.xz").write_bytes(lzma.compress(english.encode()))
    (folder / "b" / "picture.png").write_bytes(b"\x89PNG\xff")
    return folder


def run_train(paths: list[Path], target: Path, **options: Any) -> dict[str, Any]:
    return train.train(paths, target, simplified=TRADITIONAL, converter="a toy", **options)


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("toy")
    run_train([corpus(folder / "corpus")], folder / "toy.npz")
    return folder / "toy.npz"


@pytest.fixture
def opencc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a small stand-in for OpenCC where this process and its children find it."""
    place = tmp_path / "stand-in"
    place.mkdir()
    (place / "opencc.py").write_text(
        f"TABLE = str.maketrans({TRADITIONAL!r})\n"
        "class OpenCC:\n"
        "    def __init__(self, config): assert config == 't2s'\n"
        "    def convert(self, text): return text.translate(TABLE)\n",
        "utf-8",
    )
    monkeypatch.setenv("PYTHONPATH", str(place))
    module = types.ModuleType("opencc")
    exec((place / "opencc.py").read_text("utf-8"), module.__dict__)  # noqa: S102
    monkeypatch.setitem(sys.modules, "opencc", module)
    return place


def call(*args: str | Path) -> Any:
    return CliRunner().invoke(main, ["train-joints", *map(str, args)])


def error(*args: str | Path, code: int) -> str:
    done = call(*args)
    assert done.exit_code == code, done.output
    assert done.stdout == ""
    found = re.search(r"^error: .+\n {2}fix: .+\n\Z", done.stderr, re.MULTILINE)
    assert found, done.stderr
    return found[0]


# --- the same bytes --------------------------------------------------------------------------------------------


def test_the_same_corpus_gives_the_same_bytes_elsewhere_too(toy: Path, tmp_path: Path, opencc: Path) -> None:
    again = corpus(tmp_path / "moved" / "corpus")
    run_train([again], tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == toy.read_bytes()
    for path in again.rglob("*"):
        os.utime(path, (0, 0))
    # Another process with another hash seed, and with the vector instructions of another machine.
    features = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])  # type: ignore[call-overload, index, unused-ignore]
    told = []
    for number, environment in enumerate(({"PYTHONHASHSEED": "7"}, {"NPY_DISABLE_CPU_FEATURES": " ".join(features)})):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "shanben", "train-joints", again, "-o", tmp_path / f"{number}.npz", "--json"],
            env={**os.environ, **environment}, capture_output=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()
        told.append(json.loads(done.stdout))
    assert (tmp_path / "0.npz").read_bytes() == (tmp_path / "1.npz").read_bytes()
    assert told[0] == told[1] == model_file.about(model_file.read(tmp_path / "0.npz"))
    assert told[0]["sha256"] == model_file.about(model_file.read(toy))["sha256"]


def test_the_file_tells_no_time_and_no_machine(toy: Path) -> None:
    with zipfile.ZipFile(toy) as archive:
        entries = archive.infolist()
    assert [e.filename for e in entries] == sorted(e.filename for e in entries)
    assert {(e.date_time, e.create_system, e.external_attr, e.extra) for e in entries} == {
        ((1980, 1, 1, 0, 0, 0), 3, 0o100644 << 16, b"")
    }


@given(st.lists(st.text("天地玄黄宇宙", min_size=1, max_size=12), min_size=1, max_size=12), st.randoms())
def test_the_order_of_the_paragraphs_does_not_matter(paragraphs: list[str], chance: random.Random) -> None:
    shuffled = list(paragraphs)
    chance.shuffle(shuffled)
    budget = Budget(order=4, entries=30, rarest_character=1)
    one = train._estimate(["".join(f"\n{p}" for p in paragraphs)], budget)
    other = train._estimate([f"\n{p}" for p in shuffled], budget)
    assert one[0] == other[0]
    for a, b in zip(one[1], other[1], strict=True):
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


# --- counts and probabilities ------------------------------------------------------------------------------------

PARAGRAPHS = st.lists(st.text("天地玄黄", min_size=1, max_size=15), min_size=1, max_size=15)


def counted(paragraphs: list[str], order: int) -> tuple[list[str], Any, Any]:
    tokens, stream = train._encode(["".join(f"\n{p}" for p in paragraphs)], Budget(order, 1, rarest_character=1))
    return tokens, stream, train._count(stream, order)


def gram(tokens: list[str], stream: Any, place: int, length: int) -> str:
    return "".join("\n" if t == BREAK else tokens[t - 1] for t in stream[place : place + length])


@given(PARAGRAPHS)
def test_counts_are_those_of_a_plain_count(paragraphs: list[str]) -> None:
    order = 4
    tokens, stream, orders = counted(paragraphs, order)
    texts = [f"\n{p}" for p in paragraphs]
    seen = [Counter(t[i : i + n] for t in texts for i in range(len(t) - n + 1)) for n in range(1, order + 1)]
    for n, found in enumerate(orders, start=1):
        names = [gram(tokens, stream, p, n) for p in found.places]
        assert dict(zip(names, found.seen.tolist(), strict=True)) == seen[n - 1]
        if n < order:
            before: dict[str, set[str]] = defaultdict(set)
            for longer in seen[n]:
                before[longer[1:]].add(longer[0])
            wanted = {g: (0 if g == "\n" else seen[n - 1][g] if g[0] == "\n" else len(before[g])) for g in seen[n - 1]}
        else:
            wanted = dict(seen[n - 1])
        assert dict(zip(names, found.counts.tolist(), strict=True)) == wanted


@given(PARAGRAPHS)
def test_probabilities_of_what_may_follow_add_up_to_one(paragraphs: list[str]) -> None:
    order = 4
    tokens, stream, orders = counted(paragraphs, order)
    p: dict[str, float] = {}
    backoff: dict[str, float] = {}
    for n, (found, e) in enumerate(zip(orders, train.estimate(stream, orders), strict=True), start=1):
        names = [gram(tokens, stream, place, n) for place in found.places]
        p |= dict(zip(names, np.exp(e.log.astype(float)), strict=True))
        backoff |= dict(zip(names, np.exp(e.backoff.astype(float)), strict=True))

    def probability(context: str, char: str) -> float:
        if context + char in p:
            return p[context + char]
        return backoff.get(context, 1.0) * probability(context[1:], char)

    for context in ["", "天地玄", *(g for g in p if len(g) < order)]:
        total = sum(probability(context, c) for c in tokens)
        assert total == pytest.approx(1, abs=1e-4), context
    assert all(0 < x <= 1 + 1e-6 for x in p.values())


@given(PARAGRAPHS, st.integers(0, 60))
def test_never_more_is_kept_than_the_budget_and_what_matters_most(paragraphs: list[str], entries: int) -> None:
    _, stream, orders = counted(paragraphs, 4)
    weights = [e.weight for e in train.estimate(stream, orders)]
    budget = Budget(4, entries, least=(1, 1, 1, 2))
    keep = train._choose(orders, weights, budget)
    assert keep[0].all()
    kept = sum(int(k.sum()) for k in keep)
    allowed = [o.seen >= least for o, least in zip(orders, budget.least, strict=True)]
    assert kept == max(len(keep[0]), min(entries, sum(int(a.sum()) for a in allowed)))
    assert not any((k & ~a).any() for k, a in zip(keep, allowed, strict=True))
    chosen = np.concatenate([w[k] for w, k in zip(weights[1:], keep[1:], strict=True)])
    left = np.concatenate([w[a & ~k] for w, k, a in zip(weights[1:], keep[1:], allowed[1:], strict=True)])
    assert not len(chosen) or not len(left) or chosen.min() >= left.max()


def test_a_small_budget_makes_a_small_model(tmp_path: Path, toy: Path) -> None:
    han, latin = Budget(3, 150), Budget(4, 90, rarest_character=20)
    told = run_train([corpus(tmp_path / "c")], tmp_path / "small.npz", han=han, latin=latin)
    assert sum(told["han"]["n-grams"]) == 150
    assert len(told["han"]["n-grams"]) == 3
    assert sum(told["latin"]["n-grams"]) == 90
    assert (tmp_path / "small.npz").stat().st_size < toy.stat().st_size
    model = load(tmp_path / "small.npz")
    assert [m.order for m in model.models.values()] == [3, 4]


def test_a_budget_for_characters_only(tmp_path: Path) -> None:
    told = run_train([corpus(tmp_path / "c")], tmp_path / "m.npz", han=Budget(4, 10), latin=Budget(4, 10))
    assert told["han"]["n-grams"][1:] == [0, 0, 0]
    ngrams = load(tmp_path / "m.npz").models["han"]
    every = np.arange(2)
    scores = ngrams.log_ratio(ngrams.tails(["春天", "院"]), ngrams.heads(["杏花", ""]), every, every)
    assert np.abs(scores).max() < 0.5, "nothing is known of any joint"


# --- what a model knows ------------------------------------------------------------------------------------------


def better(model: JointModel, script: str, paragraphs: list[str], width: int) -> float:
    """Give how often a line's continuation scores above the beginning of some other line."""
    ngrams: NGrams = model.models[script]  # type: ignore[index]
    folded = [model.folded(p) for p in paragraphs]
    pairs = [(t[:i], t[i : i + width]) for t in folded for i in range(width, len(t) - width, width)]
    tails, heads = ngrams.tails([a for a, _ in pairs]), ngrams.heads([b for _, b in pairs])
    every = np.arange(len(pairs))
    true = ngrams.log_ratio(tails, heads, every, every)
    false = ngrams.log_ratio(tails, heads, every, np.roll(every, 17))
    return float((true > false).mean())


def summed(ngrams: NGrams, tail: np.ndarray, head: np.ndarray) -> float:
    """Give the score of one joint by the book: each character of the head after all before it, less without the tail."""

    def log_p(before: list[int], token: int) -> float:
        paid = 0.0
        for m in range(len(before), -1, -1):
            known = np.array([[*before[len(before) - m :], token]])
            hit, cost = ngrams._cost(roll(known, m + 1), m + 1)
            if hit[0]:
                return paid + float(cost[0])
            if m:
                paid += float(ngrams._backoff(roll(known[:, :-1], m), m)[0])
        return paid - 15.0

    total = 0.0
    for k in range(len(head)):
        if head[k] == BREAK:
            break
        so_far = head[:k].tolist()
        total += log_p([*tail.tolist(), *so_far][-(ngrams.order - 1) :], int(head[k])) - log_p(so_far, int(head[k]))
    return total


@pytest.mark.parametrize("script", ["han", "latin"])
def test_scores_are_what_the_tables_say(toy: Path, script: str) -> None:
    ngrams = load(toy).models[script]  # type: ignore[index]
    written = write_like(HAN, 600, 5) if script == "han" else write_like(LATIN, 600, 5, between=" ")
    texts = [t[at : at + 9] for t in written for at in range(0, len(t) - 9, 9)][:40]
    tails, heads = ngrams.tails(texts), ngrams.heads([*texts[1:], ""])
    rows, columns = (a.ravel() for a in np.meshgrid(np.arange(len(texts)), np.arange(len(texts))))
    scores = ngrams.log_ratio(tails, heads, rows, columns)
    right = [summed(ngrams, tails[i], heads[j]) for i, j in zip(rows, columns, strict=True)]
    assert np.isclose(scores, right, atol=1e-3).mean() > 0.999  # of a hash in a million another n-gram's is found
    assert (np.abs(scores) > 0.5).mean() > 0.2


def test_a_line_that_goes_on_scores_above_another(toy: Path) -> None:
    model = load(toy)
    assert better(model, "han", write_like(HAN, 4_000, 99), 9) > 0.9
    assert better(model, "latin", write_like(LATIN, 8_000, 99, between=" "), 21) > 0.9
    nonsense = write_like(list("".join(HAN)), 4_000, 99)
    assert better(model, "han", nonsense, 9) < 0.7


def test_traditional_and_simplified_text_are_one(toy: Path) -> None:
    model = load(toy)
    text = "書房毛筆硯台墨香"
    simplified = text.translate(str.maketrans(TRADITIONAL))
    assert simplified != text
    assert model.folded(text) == model.folded(simplified) == simplified
    assert set(simplified) <= set(model.models["han"].tokens)


def test_a_model_says_what_it_was_trained_on(toy: Path) -> None:
    told = model_file.about(model_file.read(toy))
    assert told["format"] == model_file.FORMAT
    assert [f["file"] for f in told["corpus"]] == ["english.txt.xz", "twenty.txt"]
    assert all(re.fullmatch(r"[0-9a-f]{64}", f["sha256"]) and f["characters"] > 20_000 for f in told["corpus"])
    assert told["converter"] == "a toy"
    assert (told["han"]["order"], told["latin"]["order"]) == (5, 7)
    assert str(toy.parent) not in json.dumps(told)
    assert told["sha256"] == model_file.digest(model_file.read(toy))
    han = told["han"]["n-grams"]
    assert [len(t.keys) for t in unpack(model_file.read(toy), "han")] == han


def test_a_script_with_too_little_text_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n".join([*write_like(HAN, 15_000, 1), "only one line of this"]), "utf-8")
    said: list[str] = []
    told = run_train([tmp_path / "a.txt"], tmp_path / "m.npz", report=said.append)
    assert sum(told["latin"]["n-grams"]) == 0
    assert any("Latin" in s and "too few" in s for s in said)
    model = load(tmp_path / "m.npz").models["latin"]
    every = np.arange(2)
    assert not model.log_ratio(model.tails(["ab", "c"]), model.heads(["de", ""]), every, every).any()


# --- the command -----------------------------------------------------------------------------------------------


def test_command_trains_reports_and_repeats_itself(tmp_path: Path, opencc: Path) -> None:
    folder = corpus(tmp_path / "c")
    (folder / ".hidden.txt").write_bytes(b"\xff")
    done = call(folder, folder / "twenty.txt", "-o", tmp_path / "out" / "m.npz", "--order", "3", "--entries", "2000")
    assert done.exit_code == 0, done.output
    assert re.search(r"m\.npz {2}0\.\d MB\n {2}Chinese: [\d,]+ n-grams of up to 3, [\d,]+ characters\n", done.stdout)
    assert "twenty.txt: " in done.stderr
    assert "counting n-grams of length 3" in done.stderr
    told = model_file.about(model_file.read(tmp_path / "out" / "m.npz"))
    assert len(told["corpus"]) == 2, "a file that is named twice is read once"
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["m.npz"]
    # A byte order mark, CR LF and blank lines change nothing but the digests of the files.
    text = (folder / "twenty.txt").read_text("utf-8")
    (folder / "twenty.txt").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n\r\n").encode())
    assert call(folder, "-o", tmp_path / "n.npz", "--order", "3", "--entries", "2000").exit_code == 0
    assert model_file.about(model_file.read(tmp_path / "n.npz"))["sha256"] == told["sha256"]


def not_utf8(folder: Path) -> list[Path]:
    (folder / "gb.txt").write_bytes("第一行\n".encode() + "第二行\n".encode("gb18030"))
    return [folder / "gb.txt"]


def not_utf8_packed(folder: Path) -> list[Path]:
    (folder / "gb.xz").write_bytes(lzma.compress(b"one\ntwo\n\n\xff\n"))
    return [folder / "gb.xz"]


def cut_off(folder: Path) -> list[Path]:
    (folder / "c.xz").write_bytes(lzma.compress("一二三。\n".encode() * 9999)[:-20])
    return [folder / "c.xz"]


def no_xz(folder: Path) -> list[Path]:
    (folder / "c.xz").write_text("一二三。\n", "utf-8")
    return [folder / "c.xz"]


def empty(folder: Path) -> list[Path]:
    (folder / "e.txt").write_text("\n \n", "utf-8")
    return [folder / "e.txt"]


def short(folder: Path) -> list[Path]:
    (folder / "s.txt").write_text("天下大势，分久必合。\n" * 20, "utf-8")
    return [folder / "s.txt"]


def bare_folder(folder: Path) -> list[Path]:
    (folder / "bare").mkdir()
    return [folder / "bare"]


def fifo(folder: Path) -> list[Path]:
    os.mkfifo(folder / "f.txt")
    return [folder / "f.txt"]


@pytest.mark.parametrize(
    ("make", "said", "code"),
    [
        (not_utf8, "gb.txt:2: this is not UTF-8", 4),
        (not_utf8_packed, "gb.xz:4: this is not UTF-8", 4),
        (cut_off, "c.xz: this is no whole xz file", 3),
        (no_xz, "c.xz: this is no whole xz file", 3),
        (empty, "too little text (0 Chinese and 0 Latin characters", 3),
        (short, "too little text (200 Chinese and 0 Latin characters", 3),
        (bare_folder, "bare: there is no text in this folder", 3),
        (lambda folder: [folder / "none.txt"], "none.txt: there is no such file", 3),
        (lambda folder: [folder / ("x" * 5000)], "this corpus cannot be read", 3),
        (fifo, "f.txt: this is no plain file", 3),
    ],
    ids=lambda v: getattr(v, "__name__", ""),
)
def test_a_corpus_that_is_none(
    make: Callable[[Path], list[Path]], said: str, code: int, tmp_path: Path, opencc: Path
) -> None:
    target = tmp_path / "m.npz"
    target.write_bytes(b"old")
    assert said in error(*make(tmp_path), "-o", target, code=code)
    assert target.read_bytes() == b"old"


def test_a_corpus_that_may_not_be_read(tmp_path: Path, opencc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> Any:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    folder = corpus(tmp_path / "c")
    monkeypatch.setattr(train, "_open", refuse)
    said = error(folder, "-o", tmp_path / "m.npz", code=3)
    assert "english.txt.xz: this corpus cannot be read (Permission denied)" in said


def test_places_where_no_model_can_go(tmp_path: Path, opencc: Path) -> None:
    folder = corpus(tmp_path / "c")
    assert "this is a folder" in error(folder, "-o", tmp_path, code=2)
    assert "overwrite the corpus" in error(folder, "-o", folder / "twenty.txt", code=2)
    assert "nothing can be written in" in error(folder, "-o", folder / "twenty.txt" / "m.npz", code=8)
    assert call("-o", tmp_path / "m.npz").exit_code == 2
    assert call(folder, "-o", tmp_path / "m.npz", "--order", "9").exit_code == 2


def test_without_opencc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opencc", None)
    assert "pip install opencc" in error(corpus(tmp_path / "c"), "-o", tmp_path / "m.npz", code=6)


def test_the_real_opencc() -> None:
    pytest.importorskip("opencc", reason="OpenCC comes with the extra `train`")
    pairs, converter = train.simplified_characters()
    assert 2500 < len(pairs) < 6000
    assert (pairs["書"], pairs["龍"], "书" in pairs, "一" in pairs) == ("书", "龙", False, False)
    assert re.fullmatch(r"OpenCC \d+\.\d+.*", converter)


def test_a_full_disk(tmp_path: Path, opencc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    folder, target = corpus(tmp_path / "c"), tmp_path / "out" / "m.npz"
    target.parent.mkdir()
    target.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    assert "the disk is full" in error(folder, "-o", target, code=8)
    assert target.read_bytes() == b"old"
    assert [p.name for p in target.parent.iterdir()] == ["m.npz"]


@pytest.mark.parametrize(("stop", "code"), [(KeyboardInterrupt, 130), (MemoryError, 3)])
@pytest.mark.parametrize("when", ["_read", "_count", "_choose", "write_file"])
def test_an_interrupted_run_leaves_the_old_model(
    stop: type[BaseException], code: int, when: str, tmp_path: Path, opencc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_args: object) -> None:
        raise stop

    folder, target = corpus(tmp_path / "c"), tmp_path / "out" / "m.npz"
    target.parent.mkdir()
    target.write_bytes(b"old")
    monkeypatch.setattr(train, when, interrupt)
    done = call(folder, "-o", target)
    assert done.exit_code == code, done.output
    assert [(p.name, p.read_bytes()) for p in target.parent.iterdir()] == [("m.npz", b"old")]


# --- files that are no models -------------------------------------------------------------------------------------


def saved(path: Path, arrays: Mapping[str, Any]) -> Path:
    path.write_bytes(model_file.to_bytes(arrays))
    return path


def test_files_that_are_no_models_are_refused(tmp_path: Path, toy: Path) -> None:
    arrays = model_file.read(toy)
    path = tmp_path / "m.npz"
    faults: list[tuple[bytes | dict[str, Any], str]] = [
        (b"", "damaged, or something else"),
        ("这是一篇文章。".encode(), "damaged, or something else"),
        (toy.read_bytes()[:-30], "damaged, or something else"),
        (toy.read_bytes()[:5000], "damaged, or something else"),
        ({}, "it has no 'format'"),
        ({"a": np.arange(3)}, "it has no 'format'"),
        ({k: v for k, v in arrays.items() if k != "han2_gaps"}, "it has no 'han2_gaps'"),
        ({k: v for k, v in arrays.items() if k != "han3_cost"}, "'han3' is not whole"),
        (arrays | {"format": np.array(2)}, "its format is 2, this version of Shanben reads 1"),
        (arrays | {"format": np.array("1")}, "format number is no number"),
        (arrays | {"about": np.array(7)}, "'about' is no text"),
        (arrays | {"about": np.array("{'a': 1}")}, "'about' is no JSON"),
        (arrays | {"simplified": np.array("長长書")}, "does not hold pairs"),
        (arrays | {"han2_cost": arrays["han2_cost"].astype(np.int16)}, "'han2' does not hold bytes"),
        (arrays | {"han2_cost": arrays["han2_cost"][:-1]}, "the arrays of 'han2' do not fit each other"),
        (arrays | {"han2_gaps": arrays["han2_gaps"][:4]}, "the arrays of 'han2' do not fit each other"),
        (arrays | {"latin3_gaps": np.full_like(arrays["latin3_gaps"], 255)}, "the keys of 'latin3' are too large"),
    ]
    for content, said in faults:
        path.write_bytes(content) if isinstance(content, bytes) else saved(path, content)
        with pytest.raises(RuleError, match=re.escape(said)) as caught:
            model_file.read(path)
        assert caught.value.where == str(path)
        assert "train-joints" in caught.value.fix
    for place, said in ((tmp_path, "cannot be read"), (tmp_path / "none.npz", "there is no such model")):
        with pytest.raises(RuleError, match=said):
            model_file.read(place)


def test_no_pickle_is_read_and_no_bomb_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (print, ("sprung",))

    buffer = io.BytesIO()
    np.savez(buffer, format=np.array(Trap(), dtype=object))
    (tmp_path / "m.npz").write_bytes(buffer.getvalue())
    with pytest.raises(RuleError):
        model_file.read(tmp_path / "m.npz")
    monkeypatch.setattr(model_file, "MOST_BYTES", 1000)
    saved(tmp_path / "m.npz", {"format": np.zeros(2000, np.uint8)})
    with pytest.raises(RuleError, match="memory"):
        model_file.read(tmp_path / "m.npz")


@settings(max_examples=40)
@given(st.data())
def test_a_damaged_byte_is_found_or_harmless(toy: Path, data: st.DataObject) -> None:
    content = bytearray(toy.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    damaged = toy.with_name("damaged.npz")
    damaged.write_bytes(content)
    sound = model_file.read(toy)
    try:
        found = model_file.read(damaged)
    except RuleError as error:
        assert "damaged" in str(error) or "it has no" in str(error) or "is not whole" in str(error)
    else:  # a byte that nobody reads, such as a date
        assert found.keys() <= sound.keys()
        assert all(np.array_equal(found[k], sound[k]) for k in found)


def test_further_arrays_are_left_alone(toy: Path, tmp_path: Path) -> None:
    more = saved(tmp_path / "m.npz", model_file.read(toy) | {"remark": np.array("of the Evening Post")})
    assert str(model_file.read(more)["remark"]) == "of the Evening Post"
    assert load(more).models.keys() == {"han", "latin"}


# --- the shipped model and its card ---------------------------------------------------------------------------------

CARD = (ROOT / "docs" / "joint-model.md").read_text("utf-8")


def test_the_card_tells_of_the_shipped_model() -> None:
    path = ROOT / "converters" / "shanben" / "data" / "joints.npz"
    assert path.stat().st_size <= 15_000_000
    told = model_file.about(model_file.read(path))
    for file in told["corpus"]:
        row = re.search(rf"^\| `{re.escape(file['file'])}` \| .*\| ([\d,]+) \| `([0-9a-f]+)…` \|$", CARD, re.MULTILINE)
        assert row, file["file"]
        assert int(row[1].replace(",", "")) == file["characters"]
        assert file["sha256"].startswith(row[2])
    assert len(re.findall(r"^\| `[^`]+` \| .*…` \|$", CARD, re.MULTILINE)) == len(told["corpus"])
    for script in ("han", "latin"):
        assert f"{sum(told[script]['n-grams']):,}" in CARD
        assert f"{told[script]['characters']:,}" in CARD
    assert told["sha256"] in CARD


def test_the_card_names_options_that_exist() -> None:
    command = main.commands["train-joints"]
    known = {o for p in command.params if isinstance(p, click.Option) for o in p.opts}
    options = itertools.chain.from_iterable(
        re.findall(r"(--[a-z-]+)", line) for line in CARD.splitlines() if "train-joints" in line
    )
    assert set(options) <= known


def test_the_defaults_are_those_of_the_shipped_model() -> None:
    defaults = {p.name: p.default for p in main.commands["train-joints"].params}
    assert (defaults["order"], defaults["entries"]) == (train.HAN.order, train.HAN.entries)
    assert (defaults["latin_order"], defaults["latin_entries"]) == (train.LATIN.order, train.LATIN.entries)
