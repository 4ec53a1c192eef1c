"""The list of works that lie in a folder of editions: one page with links to the editions and the reports of each.

It is made from what lies there, not from what was built just now: the same folders give the same bytes.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from shanben.errors import ShanbenError
from shanben.fixity import sidecar_of
from shanben.report.page import LONGEST_NAME, plain, style_policy, words
from shanben.tools.storage import MANIFEST, write_pieces
from shanben.writers._data import data

INDEX = "index.html"
GENERATOR = b'<meta name="generator" content="Shanben index">'
"""By this line an index is known as ours; no other file is ever replaced."""


def write_index(out: Path) -> Path | None:
    """Write `index.html` into ``out``; None where a page of somebody else stands there, which is left alone.

    It needs no more memory for many works than for few. One that would be the same is not written again.
    """
    path = out / INDEX
    if path.is_symlink() or (path.exists() and not is_ours(path)):
        return None
    with tempfile.TemporaryFile() as made:
        for piece in _pieces(out):
            made.write(piece.encode())
        if not _is_file(path, made):
            made.seek(0)
            write_pieces(path, iter(lambda: made.read(1 << 20), b""))
    return path


def _is_file(path: Path, made: IO[bytes]) -> bool:
    """Tell whether a file holds just what was made."""
    if not path.exists() or path.stat().st_size != made.tell():
        return False
    made.seek(0)
    with path.open("rb") as old:
        return all(piece == old.read(1 << 20) for piece in iter(lambda: made.read(1 << 20), b""))


def is_ours(path: Path) -> bool:
    """Tell whether this file is an index that an earlier build wrote."""
    try:
        with path.open("rb") as file:
            return GENERATOR in file.read(2000)
    except OSError:
        return False


def _pieces(out: Path) -> Iterator[str]:
    """Give the page for the works under ``out``, by name of folder, piece by piece."""
    names = sorted(e.name for e in os.scandir(out) if (out / e.name / MANIFEST).is_file()) if out.is_dir() else []
    chinese = works = 0
    for _, content in _told(out, names):
        works += 1
        chinese += str(content["metadata"].get("dcterms:language", "zh")).startswith("zh")
    language = "zh" if 2 * chinese >= works else "en"
    w = words()[language]
    style = data("report.css").decode()
    parts = {
        "lang": "zh-Hans" if language == "zh" else "en",
        "policy": style_policy(style),
        "style": style,
        "title": w["index"],
        "intro": w["index-intro"],
        "table": "\0",
    }
    head, tail = re.sub(r"\{\{(\w+)\}\}", lambda m: parts[m[1]], data("index.html").decode()).split("\0")
    yield head
    if works:
        heads = "".join(
            f'<th scope="col">{w[key]}</th>' for key in ("work", "creator", "date", "editions", "report-link")
        )
        yield f"<table><thead><tr>{heads}</tr></thead><tbody>"
        for folder, content in _told(out, names):
            yield _row(folder, content, w)
        yield "</tbody></table>"
    else:
        yield f"<p>{w['no-works']}</p>"
    yield tail


def _told(out: Path, names: Iterable[str]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Give folder and metadata file of each work that has one that can be read."""
    return (told for name in names if (told := _sidecar(out / name)) is not None)


def _sidecar(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """Give the metadata file of a built folder; None if it has none that can be read."""
    try:
        content = sidecar_of(folder)
    except ShanbenError:
        return None
    return (folder, content) if isinstance(content.get("metadata"), dict) else None


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield from (v for v in value if isinstance(v, str))


def _link(folder: Path, name: str, words_: str) -> str:
    return f'<a href="{quote(folder.name)}/{quote(name)}">{words_}</a>'


def _row(folder: Path, content: dict[str, Any], w: dict[str, str]) -> str:
    metadata = content["metadata"]
    title = plain(next(_texts(metadata.get("dcterms:title")), folder.name), LONGEST_NAME)
    creator = plain("、".join(_texts(metadata.get("dcterms:creator"))), LONGEST_NAME)
    names = [e["file"] for e in content["editions"] if isinstance(e, dict) and isinstance(e.get("file"), str)]
    safe = [n for n in names if "/" not in n and "\\" not in n and (folder / n).is_file()]
    editions = " ".join(_link(folder, n, plain(n.rpartition(".")[2].upper(), 20)) for n in safe)
    sources = [s for s in content["sources"] if isinstance(s, dict)]
    counted = [n for s in sources if isinstance(s.get("changes"), dict) for n in s["changes"].values()]
    said = w["made"].format(changes=f"{sum(n for n in counted if isinstance(n, int)):,}")
    reports = sorted(p.relative_to(folder).as_posix() for p in folder.glob("changes/*.html"))
    links = " ".join(_link(folder, r, said if len(reports) == 1 else plain(Path(r).stem, 60)) for r in reports)
    read = next((n for n in safe if n.endswith(".html")), "")
    head = _link(folder, read, title) if read else title
    date = plain(next(_texts(metadata.get("dcterms:date")), ""), 20)
    cells = [f"<bdi>{head}</bdi>", f"<bdi>{creator}</bdi>", date, editions, links or said]
    return f'<tr><th scope="row">{cells[0]}</th>{"".join(f"<td>{c}</td>" for c in cells[1:])}</tr>'
