"""Document -> EPUB 3. pandoc makes the book; what it cannot know or says in English is finished here.

Nothing depends on the clock, the place or the machine: the identifier is derived, times are the work's.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from shanben.tools import pandoc
from shanben.values import HEADING_KINDS, Document, Metadata
from shanben.writers import Writer
from shanben.writers import _pandoc_ast as tree
from shanben.writers._colophon import IDENTIFIER as COLOPHON
from shanben.writers._colophon import markup as colophon_markup
from shanben.writers._cover import svg
from shanben.writers._data import data
from shanben.writers._labels import Labels, labels
from shanben.writers._metadata import TERMS, clean_metadata, identifier, modified, pinyin

XHTML = "http://www.w3.org/1999/xhtml"
OPS = "http://www.idpf.org/2007/ops"
OPF = "http://www.idpf.org/2007/opf"
DC = "http://purl.org/dc/elements/1.1/"
NCX = "http://www.daisy.org/z3986/2005/ncx/"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
EPUB_TYPE = f"{{{OPS}}}type"
PACKAGE = "EPUB/content.opf"
NAV = "EPUB/nav.xhtml"
LARGE = 200_000
"""Bytes of text above which one file for the whole work is too slow for reading systems."""
FILE_AS = 200
"""Characters of a sort key; longer ones help nobody."""

_HEADINGS = tuple(f"{{{XHTML}}}h{level}" for level in range(1, 7))
_Element = etree._Element


@dataclass(frozen=True, slots=True)
class Layout:
    """How the book is cut: ``flat`` puts the title on a page of its own; files begin at level ``split``."""

    flat: bool
    split: int
    depth: int


def layout(document: Document) -> Layout:
    """Decide how the book is cut into files.

    Books with parts or chapters, collections and large texts with headings are cut at them; a novel in
    parts and chapters at both. Anything else is one file.
    """
    kinds = {block.kind for block in document.blocks[1:]}
    large = len(document.text.encode()) > LARGE and bool(kinds & set(HEADING_KINDS))
    if document.is_collection:
        return Layout(flat=True, split=2, depth=2)
    if not (large or kinds & {"part", "chapter"}):
        return Layout(flat=False, split=1, depth=3)
    levels = {b.level - 1 for b in document.blocks[1:] if b.kind in ("part", "chapter")}
    return Layout(flat=True, split=max(1, min(2, max(levels, default=1))), depth=3)


def write(document: Document) -> bytes:
    """Give the EPUB. The same Document gives the same bytes on any day and machine with the same zlib."""
    tree.check_text(document)
    metadata = clean_metadata(document)
    words = labels(metadata.language)
    cut = layout(document)
    ast, back = tree.shielded({"meta": _meta(document, metadata, words), "blocks": _blocks(document, words, cut)})
    raw = pandoc.convert(
        ast,
        "epub3",
        (
            "--template=epub.xhtml",
            "--css=epub.css",
            "--epub-cover-image=cover.svg",
            "--toc",
            f"--toc-depth={cut.depth}",
            f"--split-level={cut.split}",
        ),
        epoch=int(modified(metadata).timestamp()),
        files={"epub.xhtml": data("epub.xhtml"), "epub.css": data("epub.css"), "cover.svg": svg(document)},
    )
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        members = {name: tree.unshield(archive.read(name), back) for name in archive.namelist()}
    return pack(finish(members, document), modified(metadata))


def finish(members: dict[str, bytes], document: Document) -> dict[str, bytes]:
    """Give the members as they are to be: titles, headings, landmarks, package metadata. Pure, no clock."""
    metadata = clean_metadata(document)
    words = labels(metadata.language)
    done = {}
    for name, content in members.items():
        if name == PACKAGE:
            done[name] = _package(content, document, metadata, words)
        elif name == NAV:
            done[name] = _nav(content, members, words, metadata)
        elif name.endswith("toc.ncx"):
            done[name] = _contents_for_old_readers(content, metadata)
        elif name.endswith(".xhtml"):
            done[name] = _page(content, metadata, words)
        else:
            done[name] = content
    return done


def pack(members: dict[str, bytes], when: datetime) -> bytes:
    """Zip the members so that the same members always give the same bytes: mimetype first and stored."""
    first = ["mimetype", "META-INF/container.xml", PACKAGE, NAV]
    order = [*first, *sorted(members.keys() - set(first))]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in order:
            info = zipfile.ZipInfo(name, date_time=when.timetuple()[:6])
            info.compress_type = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            info.create_system = 3
            info.external_attr = 0o100644 << 16
            archive.writestr(info, members[name], compresslevel=9)
    return buffer.getvalue()


def _meta(document: Document, metadata: Metadata, words: Labels) -> tree.Node:
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
    meta = {key: tree.meta_string(value) for key, value in shown.items() if value}
    if metadata.creators:
        meta["shown-creator"] = tree.meta_list(metadata.creators)
    return meta


def _blocks(document: Document, words: Labels, cut: Layout) -> list[tree.Node]:
    attributes = {"epub:type": "colophon", "role": "doc-colophon"}
    return [
        *tree.blocks(document, flat=cut.flat, epub=True),
        tree.heading(1, COLOPHON, words.colophon, ["colophon"], attributes),
        tree.raw_html(colophon_markup(document)),
    ]


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
    root.insert(0, package_metadata(document, metadata, words))
    etree.indent(root)
    return _serialise(root, html=False)


def package_metadata(document: Document, metadata: Metadata, words: Labels) -> _Element:
    """Give the metadata element: Dublin Core with roles and sort keys, accessibility, provenance, clock."""
    root = etree.Element(f"{{{OPF}}}metadata", nsmap={None: OPF, "dc": DC})  # type: ignore[dict-item]

    def core(name: str, value: str, identifier: str = "") -> None:
        element = etree.SubElement(root, f"{{{DC}}}{name}")
        element.text = value
        if identifier:
            element.set("id", identifier)

    def meta(name: str, value: str, refines: str = "", scheme: str = "", language: str = "") -> None:
        element = etree.SubElement(root, f"{{{OPF}}}meta", {"property": name})
        element.text = value
        if refines:
            element.set("refines", f"#{refines}")
        if scheme:
            element.set("scheme", scheme)
        if language:
            element.set(XML_LANG, language)

    def agent(kind: str, name: str, role: str, key: str) -> None:
        core(kind, name, key)
        meta("role", role, key, "marc:relators")
        if sort_key := pinyin(name):
            meta("alternate-script", sort_key, key, language="zh-Latn-pinyin")
        meta("file-as", (sort_key or name)[:FILE_AS], key)

    core("identifier", identifier(document), "identifier")
    core("title", metadata.title, "title")
    meta("title-type", "main", "title")
    if title_key := pinyin(metadata.title):
        meta("alternate-script", title_key, "title", language="zh-Latn-pinyin")
    meta("file-as", (title_key or metadata.title)[:FILE_AS], "title")
    if metadata.subtitle:
        core("title", metadata.subtitle, "subtitle")
        meta("title-type", "subtitle", "subtitle")
    core("language", metadata.language)
    for number, name in enumerate(metadata.creators, 1):
        agent("creator", name, "aut", f"creator-{number}")
    for number, name in enumerate(metadata.contributors, 1):
        agent("contributor", name, "ctb", f"contributor-{number}")
    agent("contributor", "Shanben", "bkp", "shanben")
    if metadata.publisher:
        core("publisher", metadata.publisher)
    if metadata.date:
        core("date", metadata.date)
    for subject in metadata.subjects:
        core("subject", subject)
    if metadata.description:
        core("description", metadata.description)
    if metadata.rights:
        core("rights", metadata.rights)
    for source in filter(None, (metadata.source, metadata.url)):
        core("source", source)
    for digest in dict.fromkeys(p.source_sha256 for p in document.provenance):
        core("source", f"urn:sha256:{digest}")
    if metadata.series:
        element = etree.SubElement(root, f"{{{OPF}}}meta", {"property": "belongs-to-collection", "id": "series"})
        element.text = metadata.series
        meta("collection-type", "series" if metadata.series_position else "set", "series")
        if metadata.series_position:
            meta("group-position", str(metadata.series_position), "series")
    if _has_pages(document):
        meta("pageBreakSource", f"urn:sha256:{document.provenance[0].source_sha256}" if document.provenance else "none")
    meta("dcterms:modified", modified(metadata).strftime("%Y-%m-%dT%H:%M:%SZ"))
    for name, value in _accessibility(document, words):
        meta(f"schema:{name}", value, language=metadata.language if name == "accessibilitySummary" else "")
    meta("shanben:text-sha256", document.digest)
    return root


def _has_pages(document: Document) -> bool:
    return any(inline.kind == "page" for block in document.blocks[1:] for inline in block.inlines)


def _accessibility(document: Document, words: Labels) -> Iterator[tuple[str, str]]:
    """Give what is true of every edition that we make; the one picture is the cover, and it has a label."""
    yield from (("accessMode", "textual"), ("accessMode", "visual"), ("accessModeSufficient", "textual"))
    features = ["alternativeText", "displayTransformability", "readingOrder", "tableOfContents"]
    if any(block.kind in HEADING_KINDS for block in document.blocks[1:]):
        features.append("structuralNavigation")
    if _has_pages(document):
        features += ["pageBreakMarkers", "pageNavigation"]
    for feature in sorted(features):
        yield "accessibilityFeature", feature
    yield "accessibilityHazard", "none"
    yield "accessibilitySummary", words.accessibility


WRITER = Writer("epub", ".epub", write)
