"""Learn the weights of the zones of a page from pages whose lines are labelled, for the step `page-frame`."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from shanben.errors import SourceError, UsageError
from shanben.steps._frame_adapt import Labelled, adapt
from shanben.steps._frame_lines import Line, in_context, outer_lines, with_keywords
from shanben.steps._frame_params import Params
from shanben.steps._frame_scores import points_of
from shanben.steps._frame_zones import STEPS, ZONES, features_of, read_weights
from shanben.tools.storage import read_source, write_file
from shanben.values import Text

LABELS = "+-?"
"""Before each line: it is text, it belongs to the page, either would be right (it counts as text)."""
HIDDEN = 0.4
"""The share of known lines that a second copy of each page does not know, so that other signs are learned, too."""
HIDE = ("sign", "weak", "menu", "list")
SETTINGS = {"c1": 0.1, "c2": 0.3, "max_iterations": 90}
SEED = 9
LONGEST_HEAD, LONGEST_FOOT = 60, 120
"""Lines of the head and foot of a page that is put together."""


Rows = list[tuple[str, str]]
"""A page: label and line, the empty lines left out."""


def train(
    paths: Sequence[Path], out: Path, params: Params, mixtures: int = 0, adapting: str | None = None
) -> dict[str, int]:
    """Learn from labelled pages and write the weights, tab-separated, in tenths. Gives how much was learned from what.

    A page is a UTF-8 text: a first line that begins with ``#``, then lines with a label of `LABELS` before each. The
    same pages give the same bytes. ``mixtures``: so many pages are put together besides. ``adapting``: a file of weights to
    begin with, empty for those of the package; None learns from nothing. Raises UsageError without python-crfsuite or
    SciPy, SourceError for a page that is none.
    """
    chance = random.Random(SEED)  # noqa: S311 - a choice, not a secret
    given = [_read(path) for path in _files(paths)]
    pages = [
        *((origin, page) for origin, rows in enumerate(given) for page in _variants(rows)),
        *enumerate(_mixed(given, mixtures, chance), len(given)),
    ]
    labelled: list[Labelled] = []
    for origin, rows in pages:
        zones = _zones([label for label, _ in rows])
        if zones:
            lines, points = _known([said for _, said in rows], params)
            hidden = [replace(x, kind="text") if x.kind in HIDE and chance.random() < HIDDEN else x for x in lines]
            labelled += (Labelled(features_of(known, points), zones, origin) for known in (lines, hidden))
    if not labelled:
        raise SourceError("no page has a line of text", fix="label the lines of the text with +")
    learned = sum(len(page.zones) for page in labelled) // 2
    weights, steps = _learned(labelled) if adapting is None else adapt(labelled, read_weights(adapting))
    rows_written = list(_table(weights, steps))
    head = f"# Weights of the zones of a web page (head, text, insertion, foot), in tenths; from {len(pages)} pages."
    write_file(out, "\n".join([head, *rows_written, ""]).encode())
    return {"pages": len(pages), "lines": learned, "features": len(rows_written) - len(STEPS)}


def _learned(pages: Iterable[Labelled]) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Give the weights of features, a number for each zone, and of the steps from zone to zone, learned from nothing."""
    try:
        import pycrfsuite
    except ImportError:
        raise UsageError("training needs python-crfsuite", fix="pip install 'shanben[train]'") from None
    trainer = pycrfsuite.Trainer(verbose=False)
    for page in pages:
        trainer.append(page.features, page.zones)
    trainer.set_params(SETTINGS)
    with tempfile.TemporaryDirectory() as folder:
        trainer.train(f"{folder}/model")
        tagger = pycrfsuite.Tagger()
        tagger.open(f"{folder}/model")
        info = tagger.info()
    weights: dict[str, list[float]] = {}
    for (name, zone), weight in info.state_features.items():
        weights.setdefault(name, [0.0] * len(ZONES))[ZONES.index(zone)] += weight
    return weights, {step: info.transitions.get((step[0], step[1]), 0.0) for step in STEPS}


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(path.rglob("*.txt")) if path.is_dir() else [path]


def _read(path: Path) -> Rows:
    _, *lines = read_source(path).decode("utf-8", "replace").split("\n")
    wrong = next((n for n, line in enumerate(lines, 2) if line and line[0] not in LABELS), 0)
    if wrong:
        raise SourceError("a line without label", where=f"{path}:{wrong}", fix="begin each line with +, - or ?")
    return [(line[0], line[1:].strip()) for line in lines if line[1:].strip()]


def _mixed(pages: Sequence[Rows], count: int, chance: random.Random) -> Iterator[Rows]:
    """Put heads, texts and feet of different pages together, so that none of them is learned by heart."""
    parted = [parts for page in pages if (parts := _parted(page))]
    framed = [parts for parts in parted if parts[0] or parts[2]]
    for _ in range(count if framed else 0):
        head, foot, text = chance.choice(framed)[0], chance.choice(framed)[2], chance.choice(parted)[1]
        yield [*head[-LONGEST_HEAD:], *text, *foot[:LONGEST_FOOT]]


def _parted(rows: Rows) -> tuple[Rows, Rows, Rows] | None:
    """Give head, text and foot of a page; None for one without text."""
    text = [n for n, (label, _) in enumerate(rows) if label != "-"]
    return (rows[: text[0]], rows[text[0] : text[-1] + 1], rows[text[-1] + 1 :]) if text else None


def _variants(rows: Rows) -> Iterator[Rows]:
    """Give a page, and its text alone: from a text without frame nothing must go."""
    yield rows
    text = [row for row in rows if row[0] != "-"]
    if 1 < len(text) < len(rows):
        yield text


def _zones(labels: Sequence[str]) -> list[str]:
    """Give the zone of each line; none for a page without text."""
    text = [n for n, label in enumerate(labels) if label != "-"]
    if not text:
        return []
    return [
        "T" if label != "-" else "H" if n < text[0] else "F" if n > text[-1] else "I" for n, label in enumerate(labels)
    ]


def _known(said: Sequence[str], params: Params) -> tuple[Sequence[Line], list[int]]:
    lines = in_context(with_keywords(outer_lines(Text("\n".join(said) + "\n"), params), params))
    return lines, [points_of(line, params) for line in lines]


def _table(weights: Mapping[str, Sequence[float]], steps: Mapping[str, float]) -> Iterator[str]:
    for step in STEPS:
        yield "\t".join([step, *[str(round(10 * steps[step]))] * len(ZONES)])
    for name in sorted(weights):
        row = [round(10 * w) for w in weights[name]]
        if any(row) and name.isprintable() and name not in STEPS:
            yield "\t".join([name, *map(str, row)])
