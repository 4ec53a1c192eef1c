"""The book as pandoc's own EPUB writer makes it, finished through a parser: what writers/epub.py must equal."""

from __future__ import annotations

import io
import json
import posixpath
import subprocess
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from lxml import etree

from shanben.tools import pandoc
from shanben.values import Document, Metadata
from shanben.writers import _pandoc_ast as tree
from shanben.writers import epub
from shanben.writers._colophon import IDENTIFIER as COLOPHON
from shanben.writers._colophon import markup as colophon_markup
from shanben.writers._cover import svg
from shanben.writers._data import data
from shanben.writers._labels import Labels, labels
from shanben.writers._metadata import TERMS, clean_metadata, identifier

XHTML = "http://www.w3.org/1999/xhtml"
OPS = "http://www.idpf.org/2007/ops"
OPF = "http://www.idpf.org/2007/opf"
DC = "http://purl.org/dc/elements/1.1/"
NCX = "http://www.daisy.org/z3986/2005/ncx/"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
EPUB_TYPE = f"{{{OPS}}}type"
_HEADINGS = tuple(f"{{{XHTML}}}h{level}" for level in range(1, 7))
_Element = etree._Element
TEMPLATE = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="$lang$" xml:lang="$lang$">
<head>
  <meta charset="utf-8" />
  <title>$pagetitle$</title>
$for(css)$
  <link rel="stylesheet" type="text/css" href="$css$" />
$endfor$
</head>
<body$if(coverpage)$ class="cover" epub:type="cover"$endif$$if(body-type)$ epub:type="$body-type$"$endif$>
$if(titlepage)$
<section epub:type="titlepage" class="titlepage">
$if(shown-series)$
  <p class="series">$shown-series$</p>
$endif$
  <h1 class="title">$shown-title$</h1>
$if(shown-subtitle)$
  <p class="subtitle">$shown-subtitle$</p>
$endif$
$for(shown-creator)$
  <p class="creator">$shown-creator$</p>
$endfor$
$if(shown-date)$
  <p class="date">$shown-date$</p>
$endif$
$if(shown-publisher)$
  <p class="publisher">$shown-publisher$</p>
$endif$
</section>
$else$
$if(coverpage)$
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" version="1.1" width="100%" height="100%" viewBox="0 0 $cover-image-width$ $cover-image-height$" preserveAspectRatio="xMidYMid meet" role="img" aria-label="$cover-label$">
<title>$cover-label$</title>
<image width="$cover-image-width$" height="$cover-image-height$" xlink:href="../media/$cover-image$" />
</svg>
$else$
$body$
$endif$
$endif$
</body>
</html>
"""


def members(document: Document) -> dict[str, bytes]:
    """Give the files of the book by their paths in the archive."""
    metadata = clean_metadata(document)
    words = labels(metadata.language)
    cut = epub.layout(document)
    blocks = [*tree.blocks(document, flat=cut.flat, epub=True), *_colophon(document, words)]
    ast = {"pandoc-api-version": pandoc.api_version(), "meta": _meta(document, metadata, words), "blocks": blocks}
    shielded, back = pandoc._shielded(json.dumps(ast, ensure_ascii=False))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "epub.xhtml").write_text(TEMPLATE, "utf-8")
        (folder / "epub.css").write_bytes(data("epub.css"))
        (folder / "cover.svg").write_bytes(svg(document))
        options = ["--template=epub.xhtml", "--css=epub.css", "--epub-cover-image=cover.svg", "--toc"]
        options += [f"--toc-depth={cut.depth}", f"--split-level={cut.split}", "--output=out.epub"]
        command = [pandoc.executable(), "--from=json", "--to=epub3", "--wrap=none", *options]
        subprocess.run(command, input=shielded.encode(), cwd=folder, check=True, capture_output=True)
        with zipfile.ZipFile(io.BytesIO((folder / "out.epub").read_bytes())) as archive:
            raw = {name: pandoc._finished(archive.read(name), "epub3", back) for name in archive.namelist()}
    return finish(raw, document)


def string(value: str) -> dict[str, Any]:
    return {"t": "MetaString", "c": value}


def _colophon(document: Document, words: Labels) -> list[dict[str, Any]]:
    attributes = [["epub:type", "colophon"], ["role", "doc-colophon"]]
    heading = [1, [COLOPHON, ["colophon"], attributes], [tree.string(words.colophon)]]
    return [{"t": "Header", "c": heading}, tree.raw_html(colophon_markup(document))]


def _meta(document: Document, metadata: Metadata, words: Labels) -> dict[str, Any]:
    shown = {
        "title": metadata.title,
        "lang": metadata.language,
        "identifier": identifier(document),
        "toc-title": words.toc,
        "cover-label": words.cover,
        "shown-title": metadata.title,
        "shown-subtitle": metadata.subtitle,
        "shown-series": metadata.series,
        "shown-date": metadata.date,
        "shown-publisher": metadata.publisher,
    }
    meta = {key: string(value) for key, value in shown.items() if value}
    if metadata.creators:
        meta["shown-creator"] = {"t": "MetaList", "c": [string(name) for name in metadata.creators]}
    return meta


def finish(members: dict[str, bytes], document: Document) -> dict[str, bytes]:
    """Give the members as they are to be: titles, headings, landmarks, package metadata. Pure, no clock."""
    metadata = clean_metadata(document)
    words = labels(metadata.language)
    done = {}
    for name, content in members.items():
        if name == epub.PACKAGE:
            done[name] = _package(content, document, metadata, words)
        elif name == epub.NAV:
            done[name] = _nav(content, members, words, metadata)
        elif name.endswith("toc.ncx"):
            done[name] = _contents_for_old_readers(content, metadata)
        elif name.endswith(".xhtml"):
            done[name] = _page(content, metadata, words)
        else:
            done[name] = content
    return done


def _parse(content: bytes) -> _Element:
    return etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))


def _serialise(root: _Element, *, html: bool = True) -> bytes:
    head = b'<?xml version="1.0" encoding="UTF-8"?>\n' + (b"<!DOCTYPE html>\n" if html else b"")
    return head + etree.tostring(root, encoding="unicode").encode() + b"\n"


def _page(content: bytes, metadata: Metadata, words: Labels) -> bytes:
    """Finish one page: its title is its heading, and its first heading is an h1."""
    root = _parse(content)
    body = _one(root, "body")
    heads = list(body.iter(*_HEADINGS))
    if heads:
        said = "".join(map(str, heads[0].itertext()))
        _one(root, "title").text = said if said.strip() else metadata.title
        rise = min(_level(head) for head in heads) - 1
        for head in heads:
            head.tag = f"{{{XHTML}}}h{_level(head) - rise}"
    kind = body.get(EPUB_TYPE)
    if kind == "cover":
        _one(root, "title").text = words.cover
    if any(section.get("id") == COLOPHON for section in body.iter(f"{{{XHTML}}}section")):
        body.set(EPUB_TYPE, "backmatter")
    return _serialise(root)


def _level(heading: _Element) -> int:
    return int(str(heading.tag)[-1])


def _one(root: _Element, name: str) -> _Element:
    found = root.find(f".//{{{XHTML}}}{name}")
    if found is None:
        raise ValueError(f"no {name} in a page of pandoc's")
    return found


def _nav(content: bytes, members: dict[str, bytes], words: Labels, metadata: Metadata) -> bytes:
    """Give the navigation document with landmarks in the reader's language, the body's beginning among them."""
    root = _parse(content)
    _one(root, "title").text = words.toc
    toc, *others = root.iter(f"{{{XHTML}}}nav")
    for other in others:
        parent = other.getparent()
        if parent is not None:
            parent.remove(other)
    heading = toc.find(f"{{{XHTML}}}h1")
    if heading is not None:
        heading.text = words.toc
        toc.set("aria-labelledby", heading.get("id", "toc-title"))
    pages = sorted((n for n in members if n.startswith("EPUB/text/ch")), key=lambda name: (len(name), name))
    places = [
        ("cover", "text/cover.xhtml", words.cover),
        ("titlepage", "text/title_page.xhtml", words.title_page),
        ("toc", "#toc", words.toc),
        ("bodymatter", posixpath.relpath(pages[0], "EPUB"), words.body),
        ("colophon", posixpath.relpath(pages[-1], "EPUB"), words.colophon),
    ]
    landmarks = etree.SubElement(_one(root, "body"), f"{{{XHTML}}}nav")
    landmarks.set(EPUB_TYPE, "landmarks")
    landmarks.attrib.update({"id": "landmarks", "hidden": "hidden", "aria-label": words.landmarks})
    rows = etree.SubElement(landmarks, f"{{{XHTML}}}ol")
    for kind, href, label in places:
        link = etree.SubElement(etree.SubElement(rows, f"{{{XHTML}}}li"), f"{{{XHTML}}}a")
        link.set(EPUB_TYPE, kind)
        link.set("href", href)
        link.text = label
    _page_list(_one(root, "body"), {name: members[name] for name in pages}, words)
    return _serialise(root)


def _page_list(body: _Element, pages: dict[str, bytes], words: Labels) -> None:
    """Add the list of the source's pages, if any are marked."""
    found = [
        (f"{posixpath.relpath(name, 'EPUB')}#{mark.get('id')}", mark.get("aria-label", ""))
        for name, content in pages.items()
        if b"doc-pagebreak" in content
        for mark in _parse(content).iter()
        if mark.get("role") == "doc-pagebreak"
    ]
    if not found:
        return
    nav = etree.SubElement(body, f"{{{XHTML}}}nav")
    nav.set(EPUB_TYPE, "page-list")
    nav.attrib.update({"id": "page-list", "role": "doc-pagelist", "hidden": "hidden", "aria-label": words.pages})
    rows = etree.SubElement(nav, f"{{{XHTML}}}ol")
    for href, label in found:
        link = etree.SubElement(etree.SubElement(rows, f"{{{XHTML}}}li"), f"{{{XHTML}}}a", {"href": href})
        link.text = label


def _contents_for_old_readers(content: bytes, metadata: Metadata) -> bytes:
    """Finish the NCX, which readers made for EPUB 2 still ask for: its language, its true depth."""
    root = _parse(content)
    root.set(XML_LANG, metadata.language)
    points = list(root.iter(f"{{{NCX}}}navPoint"))
    depth = max(sum(1 for _ in p.iterancestors(f"{{{NCX}}}navPoint")) + 1 for p in points) if points else 1
    for meta in list(root.iter(f"{{{NCX}}}meta")):
        parent = meta.getparent()
        if meta.get("name") == "dtb:depth":
            meta.set("content", str(depth))
        elif meta.get("name") == "cover" and parent is not None:
            parent.remove(meta)
    return _serialise(root, html=False)


def _package(content: bytes, document: Document, metadata: Metadata, words: Labels) -> bytes:
    """Give the package document: our metadata in place of pandoc's, no guide."""
    root = _parse(content)
    root.set(XML_LANG, metadata.language)
    root.set("prefix", f"shanben: {TERMS}")
    root.set("unique-identifier", "identifier")
    for name in ("metadata", "guide"):
        for old in root.findall(f"{{{OPF}}}{name}"):
            root.remove(old)
    lines = "".join(epub.package_metadata(document, metadata, words))
    root.insert(0, etree.fromstring(f'<metadata xmlns="{OPF}" xmlns:dc="{DC}">{lines}</metadata>'))
    etree.indent(root)
    return _serialise(root, html=False)
