"""Train the joint model: count the character n-grams of a corpus, estimate, prune to a size, write one file.

Interpolated modified Kneser–Ney (Chen and Goodman 1999): the longest n-grams by their counts, shorter ones by
the number of different characters that they follow. Pruned are the n-grams whose absence changes the likelihood
of the corpus least (Stolcke 1998, by the number of sightings times the change of the log probability).
The same corpus gives the same bytes; the order of its paragraphs does not matter.
"""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import numpy.typing as npt

from shanben.columns import model_file
from shanben.columns.evidence import is_latin
from shanben.columns.joints import BREAK, MULTIPLIER, STEP, Bools, Bytes, Floats, Hashes, fold, folding, key, pack
from shanben.errors import EncodingError, OutputError, SourceError, ToolError, UsageError
from shanben.tools.storage import write_error, write_file

SUFFIXES = (".txt", ".text", ".md", ".markdown", ".xz")
"""Files of a folder that are read; a file given by name is read whatever its suffix."""
LEAST = 10_000
"""A script with fewer characters than this is left out: nothing can be estimated from them."""
LITTLE = 1_000_000
"""With fewer characters than this a model is weak, which is said."""

Ints = npt.NDArray[np.integer[Any]]
Doubles = npt.NDArray[np.float64]
Report = Callable[[str], None]
_LINES_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Budget:
    """The shape of one n-gram model. ``entries``: how many n-grams are kept, single characters included.

    ``least``: how often an n-gram of each length must be seen to be kept (rarer ones still count).
    """

    order: int
    entries: int
    rarest_character: int = 3
    characters: int = 8000
    least: tuple[int, ...] = (1, 1, 2, 2, 2, 2, 2, 2)


HAN = Budget(order=5, entries=3_600_000)
LATIN = Budget(order=7, entries=550_000, rarest_character=20, characters=400)


@dataclass(frozen=True, slots=True)
class _Order:
    """All n-grams of one length: hashes (sorted), a place where each stands, sightings, Kneser–Ney counts."""

    hashes: Hashes
    places: Ints
    seen: Ints
    counts: Ints


# --- the corpus ------------------------------------------------------------------------------------------------


def find_corpus(paths: Sequence[Path]) -> list[Path]:
    """Give the files under files and folders: folders in order of their paths, each file once. Raises SourceError."""
    files: dict[Path, Path] = {}
    for path in paths:
        try:
            if path.is_dir():
                found = [p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file()]
                found = [p for p in found if not any(part.startswith(".") for part in p.relative_to(path).parts)]
                if not found:
                    raise SourceError(
                        f"there is no text in this folder ({', '.join(SUFFIXES)})",
                        where=str(path),
                        fix="give files by name, or a folder that holds text files",
                    )
            elif path.is_file():
                found = [path]
            else:
                missing = not path.exists()
                raise SourceError(
                    "there is no such file" if missing else "this is no plain file (a device, pipe or socket)",
                    where=str(path),
                    fix="check the path" if missing else "save it as a file first",
                )
            for file in sorted(found, key=lambda p: p.relative_to(path).as_posix()):
                files.setdefault(file.resolve(), file)
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from None
    return list(files.values())


def read_corpus(path: Path) -> Iterator[str]:
    """Give the paragraphs of a plain or xz-packed UTF-8 file, one a line. Raises SourceError, EncodingError."""
    try:
        with _open(path) as data, io.TextIOWrapper(data, encoding="utf-8-sig") as lines:
            for line in lines:
                if line.strip():
                    yield line
    except UnicodeDecodeError:
        raise EncodingError(
            "this is not UTF-8",
            where=f"{path}:{_bad_line(path)}",
            fix="save it as UTF-8, for instance: shanben clean FILE -o CLEAN, which finds the encoding",
        ) from None
    except (lzma.LZMAError, EOFError) as error:
        raise SourceError(f"this is no whole xz file: {error}", where=str(path), fix="pack it again with xz") from None
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None


def _open(path: Path) -> BinaryIO:
    packed = path.suffix.lower() == ".xz"
    return cast(BinaryIO, lzma.open(path)) if packed else path.open("rb")


def _unreadable(path: Path, error: Exception) -> SourceError:
    why = getattr(error, "strerror", None) or error
    return SourceError(f"this corpus cannot be read ({why})", where=str(path)[:200], fix="check path and permissions")


def _bad_line(path: Path) -> int:
    """Give the number of the first line that is not UTF-8."""
    with _open(path) as lines:
        for number, line in enumerate(lines, start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return 1


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# --- training --------------------------------------------------------------------------------------------------


def check_target(target: Path) -> None:
    """Refuse early, before long work, a place where no model can be written. Raises UsageError, OutputError."""
    try:
        if target.is_dir():
            raise UsageError("this is a folder", where=str(target), fix="name a file in it with -o")
        folder = next(p for p in target.absolute().parents if p.exists())
    except OSError as error:
        raise write_error(error, target) from None
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise OutputError(f"nothing can be written in {folder}", where=str(target), fix="choose another place with -o")


def train(
    paths: Sequence[Path],
    target: Path,
    *,
    simplified: dict[str, str],
    han: Budget = HAN,
    latin: Budget = LATIN,
    converter: str = "",
    report: Report = lambda _line: None,
) -> dict[str, Any]:
    """Train on files and folders and write the model, in one step at the end. Returns what it says of itself.

    ``simplified`` maps Traditional characters to Simplified ones; ``converter`` names where that comes from.
    ``report`` is told how far the work is. Raises SourceError, EncodingError, UsageError, OutputError.
    """
    check_target(target)
    files = find_corpus(paths)
    if target.exists() and any(target.samefile(p) for p in files):
        raise UsageError("this would overwrite the corpus", where=str(target), fix="choose another -o")
    texts, corpus = _read(files, folding(simplified), report)
    arrays: dict[str, Any] = {
        "format": np.array(model_file.FORMAT, np.int32),
        "simplified": np.array("".join(a + b for a, b in sorted(simplified.items()))),
    }
    facts: dict[str, Any] = {"format": model_file.FORMAT, "converter": converter, "corpus": corpus}
    sizes = {script: sum(len(t) - t.count("\n") for t in text) for script, text in texts.items()}
    if max(sizes.values()) < LEAST:
        raise SourceError(
            f"there is too little text ({sizes['han']:,} Chinese and {sizes['latin']:,} Latin characters; "
            f"{LEAST:,} of one script are needed, and a good model has millions)",
            where=", ".join(map(str, paths))[:200],
            fix="give more text",
        )
    for script, words, budget in (("han", "Chinese", han), ("latin", "Latin", latin)):
        text, size = texts.pop(script), sizes[script]
        if size < LEAST:
            report(f"{words}: {size:,} characters are too few; the model will know nothing of this script")
            text = []
        elif size < LITTLE:
            report(f"{words}: {size:,} characters make a weak model; a good one has millions")
        tokens, tables = _estimate(text, budget, lambda line, words=words: report(f"{words}: {line}"))  # type: ignore[misc]
        arrays |= pack(tables, script)
        arrays[f"{script}_tokens"] = np.array("".join(tokens))
        facts[script] = {
            "characters": size,
            "order": budget.order,
            "entries": budget.entries,
            "n-grams": [0 if t is _NOTHING else len(t[0]) for t in tables],
        }
    facts["sha256"] = model_file.digest(arrays)
    arrays["about"] = np.array(json.dumps(facts, ensure_ascii=False, sort_keys=True))
    report("writing")
    write_file(target, model_file.to_bytes(arrays))
    return facts


def _read(
    files: Sequence[Path], table: dict[int, str], report: Report
) -> tuple[dict[str, list[str]], list[dict[str, Any]]]:
    """Read and fold all files. Returns the texts, a line feed before each paragraph, and what was read."""
    texts: dict[str, list[str]] = {"han": [], "latin": []}
    lines: dict[str, list[str]] = {"han": [], "latin": []}
    corpus = []

    def put_together(script: str) -> None:
        """Many short strings take several times the memory of one long one."""
        if lines[script]:
            texts[script].append("".join(f"\n{line}" for line in lines[script]))
            lines[script] = []

    for path in files:
        count = 0
        for line in read_corpus(path):
            count += len(line.strip())
            folded = fold(line, table)
            script = "latin" if is_latin(folded) else "han"
            lines[script].append(folded if script == "latin" else folded.replace(" ", ""))
            if len(lines[script]) >= _LINES_AT_ONCE:
                put_together(script)
        try:
            corpus.append({"file": path.name, "sha256": _digest(path), "characters": count})
        except OSError as error:
            raise _unreadable(path, error) from None
        report(f"{path.name}: {count:,} characters")
    for script in lines:
        put_together(script)
    return texts, corpus


_NOTHING = (np.zeros(1, np.uint64), np.zeros(1, np.uint8), np.zeros(1, np.uint8))
"""A table without n-grams: an entry that stands for nothing, since a table to look up in needs a first one."""


def _estimate(
    text: Sequence[str], budget: Budget, report: Report = lambda _line: None
) -> tuple[list[str], list[tuple[Hashes, Bytes, Bytes]]]:
    tokens, stream = _encode(text, budget)
    if not tokens:
        return [" "], [_NOTHING] * budget.order
    orders = _count(stream, budget.order, report)
    return tokens, _tables(stream, orders, budget, report)


def _encode(text: Sequence[str], budget: Budget) -> tuple[list[str], Ints]:
    """Choose the characters that the model knows; give them and the text as a stream of their numbers."""
    frequency = np.zeros(0x110000, np.int64)
    for piece in text:
        frequency += np.bincount(_codes(piece), minlength=0x110000)
    frequency[ord("\n")] = 0
    common = np.nonzero(frequency >= budget.rarest_character)[0]
    common = common[np.lexsort((common, -frequency[common]))][: budget.characters]
    number = np.full(0x110000, len(common) + 1, np.uint16)
    number[common] = np.arange(1, len(common) + 1)
    number[ord("\n")] = BREAK
    stream = [number[_codes(piece)] for piece in text]
    return [chr(c) for c in common], np.concatenate(stream) if stream else np.zeros(0, np.uint16)


def _codes(text: str) -> npt.NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le"), "<u4")


# --- counting --------------------------------------------------------------------------------------------------

_BUCKETS = 16
_AT_ONCE = 1 << 22


def _grams(stream: Ints, places: Ints, start: int, length: int) -> Hashes:
    """Give the hashes of ``length`` tokens from ``start`` on behind each place."""
    out = np.zeros(len(places), np.uint64)
    for k in range(start, start + length):
        out *= MULTIPLIER
        out += stream[places + k]
        out += np.uint64(1)
    return out


def _count(stream: Ints, order: int, report: Report = lambda _line: None) -> list[_Order]:
    """Count the n-grams of all lengths; a BREAK stands only at their beginning."""
    found: list[tuple[Hashes, Ints, Ints]] = []
    hashes = np.zeros(len(stream), np.uint64)
    whole = np.ones(len(stream), bool)
    for n in range(1, order + 1):
        report(f"counting n-grams of length {n}")
        if n == 1:
            found.append(_characters(stream))
        size = max(0, len(stream) - n + 1)
        hashes, whole = hashes[:size], whole[:size]
        hashes *= MULTIPLIER
        hashes += stream[n - 1 : n - 1 + size]
        hashes += np.uint64(1)
        if n > 1:
            whole &= stream[n - 1 : n - 1 + size] != BREAK
            found.append(_distinct(hashes, whole))
    out = []
    for n in range(1, order + 1):
        hashes, places, seen = found[n - 1]
        counts = seen
        if n < order:
            report(f"counting what n-grams of length {n} follow")
            longer = found[n][1]
            different = np.zeros(len(hashes), np.int32)
            for at in range(0, len(longer), _AT_ONCE):
                suffixes = _find(hashes, _grams(stream, longer[at : at + _AT_ONCE], 1, n))
                different += np.bincount(suffixes, minlength=len(hashes)).astype(np.int32)
            # Nothing stands before a paragraph, so what begins one is counted as it is; and no BREAK follows anything.
            begins = stream[places] == BREAK
            counts = np.where(begins, 0 if n == 1 else seen, different)
        out.append(_Order(hashes, places, seen, counts))
    return out


def _characters(stream: Ints) -> tuple[Hashes, Ints, Ints]:
    """Give the hashes of all different tokens, sorted, with a place and the number of each."""
    seen = np.bincount(stream)
    tokens = np.nonzero(seen)[0]
    places = np.zeros(len(seen), np.int64)
    for at in range(0, len(stream), _AT_ONCE):
        some = stream[at : at + _AT_ONCE]
        places[some] = np.arange(at, at + len(some))
    return tokens.astype(np.uint64) + np.uint64(1), places[tokens], seen[tokens]


def _distinct(hashes: Hashes, whole: Bools) -> tuple[Hashes, Ints, Ints]:
    """Give the different ones of these hashes, sorted, with a place and the number of each; in parts, to save memory."""
    kinds: list[Hashes] = []
    places: list[Ints] = []
    seen: list[Ints] = []
    part = (hashes >> np.uint64(60)).astype(np.uint8)
    for bucket in range(_BUCKETS):
        at: Ints = np.nonzero(whole & (part == bucket))[0]
        if len(hashes) < 1 << 31:
            at = at.astype(np.int32)
        if not len(at):
            continue
        values = hashes[at]
        order = np.argsort(values)
        values = values[order]
        first = np.nonzero(np.concatenate([[True], values[1:] != values[:-1]]))[0]
        kinds.append(values[first])
        places.append(at[order[first]])
        seen.append(np.diff(first, append=len(values)).astype(np.int32))
    if not kinds:
        return np.zeros(0, np.uint64), np.zeros(0, np.int32), np.zeros(0, np.int32)
    return np.concatenate(kinds), np.concatenate(places), np.concatenate(seen)


def _find(table: Hashes, wanted: Hashes) -> Ints:
    """Give the place of each hash in a sorted table that holds all of them."""
    return np.searchsorted(table, wanted)


def _find_grams(table: Hashes, stream: Ints, places: Ints, start: int, length: int) -> Ints:
    """Give the place in the table of the n-gram that begins ``start`` behind each place."""
    out = np.zeros(len(places), np.int32)
    for at in range(0, len(places), _AT_ONCE):
        some = _grams(stream, places[at : at + _AT_ONCE], start, length)
        out[at : at + _AT_ONCE] = _find(table, some)
    return out


# --- estimating ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Estimate:
    """Of all n-grams of one length: log probability, log backoff weight, and what pruning one would cost."""

    log: Floats
    backoff: Floats
    weight: Floats


def estimate(stream: Ints, orders: Sequence[_Order], report: Report = lambda _line: None) -> list[Estimate]:
    """Estimate the probability of each n-gram's last character, and the weight with which others back off.

    Over all characters that may follow a context the probabilities add up to 1.
    """
    logs: list[Floats] = []
    weights: list[Floats] = []
    backoffs: list[Floats] = []
    lower: Doubles = np.zeros(0)
    for n, order in enumerate(orders, start=1):
        report(f"estimating n-grams of length {n}")
        counts = order.counts.astype(np.float64)
        discounts = np.minimum(_discounts(order.counts), counts)
        if n == 1:
            total = math.fsum(counts)
            follows = counts > 0  # all but BREAK
            spread = math.fsum(discounts) / total / int(follows.sum())
            p = np.where(follows, (counts - discounts) / total + spread, 1e-9)
            plain = np.full(len(p), 1 / len(p))
        else:
            shorter = orders[n - 2]
            context = _find_grams(shorter.hashes, stream, order.places, 0, n - 1)
            totals = np.bincount(context, weights=counts, minlength=len(shorter.hashes))
            kept = np.bincount(context, weights=counts - discounts, minlength=len(shorter.hashes))
            goes_on = totals > 0
            totals[~goes_on] = 1
            left = np.where(goes_on, np.clip(1 - kept / totals, 1e-6, 1), 1)
            backoffs.append(np.log(left).astype(np.float32))
            plain = left[context]
            plain *= lower[_find_grams(shorter.hashes, stream, order.places, 1, n - 1)]
            p = (counts - discounts) / totals[context] + plain
        lower = p
        logs.append(np.log(p).astype(np.float32))
        weights.append((order.seen * np.abs(np.log(p) - np.log(plain))).astype(np.float32))
    backoffs.append(np.zeros(len(orders[-1].hashes), np.float32))
    return [Estimate(*three) for three in zip(logs, backoffs, weights, strict=True)]


def _discounts(counts: Ints) -> Floats:
    """Give the modified Kneser–Ney discount of each count."""
    n1, n2, n3, n4 = (int((counts == k).sum()) for k in (1, 2, 3, 4))
    y = n1 / max(1, n1 + 2 * n2)
    by_count = np.array([0.0, 1 - 2 * y * n2 / max(1, n1), 2 - 3 * y * n3 / max(1, n2), 3 - 4 * y * n4 / max(1, n3)])
    discounts: Floats = np.clip(by_count, 0.1, 2.9).astype(np.float32)[np.minimum(counts, 3)]
    return discounts


def _tables(
    stream: Ints, orders: Sequence[_Order], budget: Budget, report: Report = lambda _line: None
) -> list[tuple[Hashes, Bytes, Bytes]]:
    """Estimate all probabilities and backoff weights, choose what is kept, quantise."""
    estimates = estimate(stream, orders, report)
    report("pruning")
    keep = _choose(orders, [e.weight for e in estimates], budget)
    out = []
    for order, e, kept in zip(orders, estimates, keep, strict=True):
        if not kept.any():
            out.append(_NOTHING)
            continue
        keys = key(order.hashes[kept])
        sort = np.argsort(keys, kind="stable")
        keys = keys[sort]
        single = np.concatenate([[True], keys[1:] != keys[:-1]])
        out.append((keys[single], _steps(e.log[kept][sort][single]), _steps(e.backoff[kept][sort][single])))
    return out


def _steps(logs: Floats) -> Bytes:
    return np.clip(np.round(-logs / STEP), 0, 255).astype(np.uint8)


def _choose(orders: Sequence[_Order], weights: Sequence[Floats], budget: Budget) -> list[Bools]:
    """Keep all characters, and of the rest what matters most, never more than the budget.

    Among equals the shorter n-gram stays, then the one with the lower hash.
    """
    keep = [np.ones(len(orders[0].hashes), bool)]
    keep += [order.seen >= least for order, least in zip(orders[1:], budget.least[1:], strict=False)]
    every = np.concatenate([w[k] for w, k in zip(weights[1:], keep[1:], strict=True)] or [np.zeros(0, np.float32)])
    room = max(0, budget.entries - len(orders[0].hashes))
    if room >= len(every):
        return keep
    threshold = np.partition(every, len(every) - room)[len(every) - room] if room else np.float32(np.inf)
    equal = room - int((every > threshold).sum())
    for n in range(1, len(keep)):
        same = np.nonzero(keep[n] & (weights[n] == threshold))[0]
        keep[n] &= weights[n] > threshold
        keep[n][same[:equal]] = True
        equal -= min(equal, len(same))
    return keep


# --- Traditional characters ------------------------------------------------------------------------------------


def simplified_characters() -> tuple[dict[str, str], str]:
    """Give the map from Traditional to Simplified characters of OpenCC, one character each, and OpenCC's version.

    Raises ToolError where OpenCC is missing.
    """
    try:
        import opencc
    except ImportError:
        raise ToolError(
            "training needs OpenCC, which tells Traditional characters from Simplified ones",
            fix="pip install opencc, or install Shanben with it: pip install 'shanben[train]'",
        ) from None
    convert = opencc.OpenCC("t2s").convert
    pairs = {}
    for first, last in ((0x3400, 0x4DC0), (0x4E00, 0xA000)):
        for code in range(first, last):
            plain = convert(chr(code))
            if len(plain) == 1 and plain != chr(code):
                pairs[chr(code)] = plain
    try:
        version = metadata.version("opencc")
    except metadata.PackageNotFoundError:
        version = "of unknown version"
    return pairs, f"OpenCC {version}"
