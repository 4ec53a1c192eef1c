"""Document -> EPUB 3. pandoc writes the pages, all in one go; the book round them is made here.

Nothing depends on the clock, the place or the machine: the identifier is derived, times are the work's.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from html import escape
from typing import NamedTuple

from shanben.lazy import lazy_regex
from shanben.tools import pandoc
from shanben.values import HEADING_KINDS, Document, Metadata
from shanben.writers import Writer, _zip
from shanben.writers import _pandoc_ast as tree
from shanben.writers._colophon import IDENTIFIER as COLOPHON
from shanben.writers._colophon import markup as colophon_markup
from shanben.writers._cover import HEIGHT, WIDTH, svg
from shanben.writers._data import data
from shanben.writers._labels import Labels, labels
from shanben.writers._metadata import TERMS, clean_metadata, identifier, modified, pinyin

PACKAGE = "EPUB/content.opf"
NAV = "EPUB/nav.xhtml"
DISPLAY_OPTIONS = "META-INF/com.apple.ibooks.display-options.xml"
COVER_PAGE = "EPUB/text/cover.xhtml"
STYLES = "EPUB/styles/stylesheet1.css"
_OFTEN = frozenset({"META-INF/container.xml", DISPLAY_OPTIONS, COVER_PAGE, STYLES})
"""Files that are the same in many books."""
LARGE = 200_000
"""Bytes of text above which one file for the whole work is too slow for reading systems."""
FILE_AS = 200
"""Characters of a sort key; longer ones help nobody."""

_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_PAGE_ENDS = "<!--page-->"
"""Stands between two pages while pandoc writes them; no text can hold it, because `<` is escaped there."""
_TAG = lazy_regex(r"(<[^>]*>)")
_MARKED_PAGE = lazy_regex(r'id="([^"]*)" class="pagebreak" role="doc-pagebreak" aria-label="([^"]*)"')
_CONTAINER = f"""{_XML}<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
  <rootfiles>
    <rootfile full-path="EPUB/content.opf" media-type="application/oebps-package+xml" />
  </rootfiles>
</container>
"""
_DISPLAY_OPTIONS = f"""{_XML}<display_options>
  <platform name="*">
    <option name="specified-fonts">true</option>
  </platform>
</display_options>
"""


class Layout(NamedTuple):
    """How the book is cut: ``flat`` puts the title on a page of its own; files begin at level ``split``."""

    flat: bool
    split: int
    depth: int


class _Entry:
    """One line of the contents with those below it; ``shown`` is markup."""

    def __init__(self, level: int, href: str, text: str, shown: str) -> None:
        self.level = level
        self.href = href
        self.text = text
        self.shown = shown
        self.below: list[_Entry] = []


class _Page(NamedTuple):
    """One file of the text: its path below ``EPUB/``, its title, and its blocks for pandoc."""

    path: str
    title: str
    blocks: list[tree.Node]


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
    return pack(members(document), modified(clean_metadata(document)))


def members(document: Document) -> dict[str, bytes]:
    """Give the files of the book by their paths in the archive. Pure but for pandoc, no clock."""
    metadata = clean_metadata(document)
    words = labels(metadata.language)
    cut = layout(document)
    pages, contents = _pages(document, metadata, cut)
    bodies = _bodies(pages)
    last = f"text/ch{len(pages) + 1:03}.xhtml"
    contents.append(_Entry(1, f"{last}#{COLOPHON}", words.colophon, escape(words.colophon, quote=False)))
    paths = [*(page.path for page in pages), last]
    files = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": _CONTAINER,
        DISPLAY_OPTIONS: _DISPLAY_OPTIONS,
        PACKAGE: _package(document, metadata, words, paths),
        NAV: _nav(contents, paths, bodies, metadata, words),
        "EPUB/toc.ncx": _contents_for_old_readers(contents, document, metadata),
        COVER_PAGE: _page(words.cover, _cover(words), metadata, ' class="cover"', "cover"),
        "EPUB/text/title_page.xhtml": _page(metadata.title, _title_page(metadata), metadata, "", "frontmatter"),
        f"EPUB/{last}": _page(words.colophon, _colophon(document, words), metadata, "", "backmatter"),
    }
    for page, body in zip(pages, bodies, strict=True):
        files[f"EPUB/{page.path}"] = _page(page.title, body, metadata, "", "bodymatter")
    return {
        **{name: content.encode() for name, content in files.items()},
        STYLES: data("epub.css"),
        "EPUB/media/file0.svg": svg(document),
    }


def pack(members: dict[str, bytes], when: datetime) -> bytes:
    """Zip the members so that the same members always give the same bytes: mimetype first and stored."""
    first = ["mimetype", "META-INF/container.xml", PACKAGE, NAV]
    order = [*first, *sorted(members.keys() - set(first))]
    return _zip.pack({name: members[name] for name in order}, when, frozenset({"mimetype"}), _OFTEN)


# --- the text ----------------------------------------------------------------------------------------------


def _pages(document: Document, metadata: Metadata, cut: Layout) -> tuple[list[_Page], list[_Entry]]:
    """Cut the text into files at its headings, and give the contents."""
    pages: list[_Page] = []
    entries: list[_Entry] = []
    for block in tree.blocks(document, flat=cut.flat, epub=True):
        if block["t"] != "Header":
            pages[-1].blocks.append(block)
            continue
        level, (name, classes, _), inlines = block["c"]
        text = tree.plain(inlines)
        if level <= cut.split or not pages:
            path = f"text/ch{len(pages) + 1:03}.xhtml"
            pages.append(_Page(path, text if text.strip() else metadata.title, []))
        pages[-1].blocks.append(block)
        if level <= cut.depth and "unlisted" not in classes:
            entries.append(_Entry(level, f"{pages[-1].path}#{name}", text, tree.markup(inlines)))
    return pages, _nested(entries)


def _nested(entries: Sequence[_Entry]) -> list[_Entry]:
    """Put every entry below the last one of a higher level."""
    top: list[_Entry] = []
    above: list[_Entry] = []
    for entry in entries:
        while above and above[-1].level >= entry.level:
            above.pop()
        (above[-1].below if above else top).append(entry)
        above.append(entry)
    return top


def _bodies(pages: Sequence[_Page]) -> list[str]:
    """Have the pages written, each as sections round its headings, the highest of which is an h1."""
    blocks: list[tree.Node] = []
    for page in pages:
        rise = min(block["c"][0] for block in page.blocks if block["t"] == "Header") - 1
        blocks += [*tree.sections(page.blocks, rise), tree.raw_html(_PAGE_ENDS)]
    written = pandoc.convert({"meta": {}, "blocks": blocks}, "html5").decode()
    bodies = _as_xml(written).split(_PAGE_ENDS)
    return [body.strip("\n") for body in bodies[:-1]]


def _as_xml(written: str) -> str:
    """Give what pandoc wrote in the fewest letters: empty elements closed, quotes in text as they are.

    >>> _as_xml('<p class="a" title="&quot;">&quot;b&quot;<br /><span id="p"></span></p>')
    '<p class="a" title="&quot;">"b"<br/><span id="p"/></p>'
    """
    written = written.replace(" />", "/>").replace('"></span>', '"/>')
    if "&quot;" not in written and "&#39;" not in written:
        return written
    parts = _TAG.split(written)
    parts[::2] = [text.replace("&quot;", '"').replace("&#39;", "'") for text in parts[::2]]
    parts[1::2] = [tag.replace("&#39;", "'") for tag in parts[1::2]]
    return "".join(parts)


def _colophon(document: Document, words: Labels) -> str:
    title = escape(words.colophon, quote=False)
    return (
        f'<section id="{COLOPHON}" class="level1 colophon" epub:type="colophon" role="doc-colophon">\n'
        f'<h1 class="colophon">{title}</h1>\n{colophon_markup(document)}\n</section>'
    )


# --- the book round it -------------------------------------------------------------------------------------


@cache
def _frame() -> str:
    return data("epub.xhtml").decode()


def _page(title: str, body: str, metadata: Metadata, attributes: str, kind: str, root: str = "../") -> str:
    """Give a page of the book. ``body`` is markup, ``kind`` what epub:type calls it, ``root`` the way to ``EPUB/``."""
    return _frame().format(
        language=metadata.language,
        title=escape(title, quote=False),
        root=root,
        attributes=f'{attributes} epub:type="{kind}"',
        body=body,
    )


def _cover(words: Labels) -> str:
    label = escape(words.cover)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" version="1.1" width="100%"'
        f' height="100%" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="xMidYMid meet" role="img"'
        f' aria-label="{label}">\n<title>{label}</title>\n'
        f'<image width="{WIDTH}" height="{HEIGHT}" xlink:href="../media/file0.svg"/>\n</svg>'
    )


def _title_page(metadata: Metadata) -> str:
    said = [
        ("p", "series", metadata.series),
        ("h1", "title", metadata.title),
        ("p", "subtitle", metadata.subtitle),
        *(("p", "creator", name) for name in metadata.creators),
        ("p", "date", metadata.date),
        ("p", "publisher", metadata.publisher),
    ]
    lines = [f'  <{tag} class="{name}">{escape(text, quote=False)}</{tag}>' for tag, name, text in said if text]
    return "\n".join(['<section epub:type="titlepage" class="titlepage">', *lines, "</section>"])


def _nav(
    contents: Sequence[_Entry], paths: Sequence[str], bodies: Sequence[str], metadata: Metadata, words: Labels
) -> str:
    """Give the navigation document with landmarks in the reader's language, the body's beginning among them."""
    numbers = iter(range(1, 1 << 31))
    body = (
        '<nav epub:type="toc" role="doc-toc" id="toc" aria-labelledby="toc-title">'
        f'<h1 id="toc-title">{escape(words.toc, quote=False)}</h1>{_listed(contents, numbers)}</nav>\n'
        + _landmarks(paths, words)
        + _page_list(paths, bodies, words)
    )
    return _page(words.toc, body, metadata, "", "frontmatter", root="").replace("</nav>\n</body>", "</nav></body>")


def _listed(entries: Sequence[_Entry], numbers: Iterator[int]) -> str:
    rows = []
    for entry in entries:
        row = f'<li id="toc-li-{next(numbers)}"><a href="{entry.href}">{entry.shown}</a>'
        rows.append(row + (_listed(entry.below, numbers) if entry.below else "") + "</li>")
    return f'<ol class="toc">{"".join(rows)}</ol>'


def _landmarks(paths: Sequence[str], words: Labels) -> str:
    places = [
        ("cover", "text/cover.xhtml", words.cover),
        ("titlepage", "text/title_page.xhtml", words.title_page),
        ("toc", "#toc", words.toc),
        ("bodymatter", paths[0], words.body),
        ("colophon", paths[-1], words.colophon),
    ]
    rows = "".join(f'<li><a epub:type="{kind}" href="{href}">{escape(label)}</a></li>' for kind, href, label in places)
    return (
        f'<nav epub:type="landmarks" id="landmarks" hidden="hidden" aria-label="{escape(words.landmarks)}">'
        f"<ol>{rows}</ol></nav>"
    )


def _page_list(paths: Sequence[str], bodies: Sequence[str], words: Labels) -> str:
    """Give the list of the source's pages, if any are marked."""
    found = [
        f'<li><a href="{path}#{name}">{_unquoted(label)}</a></li>'
        for path, body in zip(paths, bodies, strict=False)
        if "doc-pagebreak" in body
        for name, label in _MARKED_PAGE.findall(body)
    ]
    if not found:
        return ""
    label = escape(words.pages)
    return (
        f'<nav epub:type="page-list" id="page-list" role="doc-pagelist" hidden="hidden" aria-label="{label}">'
        f"<ol>{''.join(found)}</ol></nav>"
    )


def _contents_for_old_readers(contents: Sequence[_Entry], document: Document, metadata: Metadata) -> str:
    """Give the NCX, which readers made for EPUB 2 still ask for."""
    numbers = iter(range(1 << 31))
    first = _Entry(1, "text/title_page.xhtml", metadata.title, "")
    points = "".join(_point(entry, numbers, 2) for entry in (first, *contents))
    return (
        f'{_XML}<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/" version="2005-1" xml:lang="{metadata.language}">\n'
        f'  <head>\n    <meta name="dtb:uid" content="{identifier(document)}"/>\n'
        f'    <meta name="dtb:depth" content="{_depth(contents)}"/>\n'
        '    <meta name="dtb:totalPageCount" content="0"/>\n    <meta name="dtb:maxPageNumber" content="0"/>\n'
        f"    </head>\n  <docTitle>\n    <text>{escape(metadata.title, quote=False)}</text>\n  </docTitle>\n"
        f"  <navMap>\n{points}  </navMap>\n</ncx>\n"
    )


def _depth(entries: Sequence[_Entry]) -> int:
    return 1 + max((_depth(entry.below) for entry in entries), default=-1) if entries else 0


def _point(entry: _Entry, numbers: Iterator[int], depth: int) -> str:
    pad = "  " * depth
    number = next(numbers)
    below = "".join(_point(one, numbers, depth + 1) for one in entry.below)
    return (
        f'{pad}<navPoint id="navPoint-{number}">\n{pad}  <navLabel>\n'
        f"{pad}    <text>{escape(entry.text, quote=False)}</text>\n{pad}  </navLabel>\n"
        f'{pad}  <content src="{entry.href}"/>\n{below}{pad}</navPoint>\n'
    )


def _package(document: Document, metadata: Metadata, words: Labels, paths: Sequence[str]) -> str:
    """Give the package document: metadata, manifest, spine."""
    xhtml, ids = "application/xhtml+xml", [posixpath.basename(path).replace(".", "_") for path in paths]
    items = [
        _item("ncx", "toc.ncx", "application/x-dtbncx+xml"),
        _item("nav", "nav.xhtml", xhtml, ' properties="nav"'),
        _item("stylesheet1", "styles/stylesheet1.css", "text/css"),
        _item("cover_xhtml", "text/cover.xhtml", xhtml, ' properties="svg"'),
        _item("title_page_xhtml", "text/title_page.xhtml", xhtml),
        *(_item(name, path, xhtml) for name, path in zip(ids, paths, strict=True)),
        '    <item properties="cover-image" id="file0_svg" href="media/file0.svg" media-type="image/svg+xml"/>',
    ]
    places = ["cover_xhtml", 'title_page_xhtml" linear="yes', "nav", *ids]
    return "\n".join([
        f'{_XML}<package xmlns="http://www.idpf.org/2007/opf" version="3.0" xml:lang="{metadata.language}"'
        f' unique-identifier="identifier" prefix="shanben: {TERMS}">',
        '  <metadata xmlns:dc="http://purl.org/dc/elements/1.1/">',
        *(f"    {line}" for line in package_metadata(document, metadata, words)),
        "  </metadata>",
        "  <manifest>",
        *items,
        "  </manifest>",
        '  <spine toc="ncx">',
        *(f'    <itemref idref="{name}"/>' for name in places),
        "  </spine>",
        "</package>\n",
    ])  # fmt: skip


def _item(name: str, href: str, kind: str, more: str = "") -> str:
    return f'    <item id="{name}" href="{href}" media-type="{kind}"{more}/>'


def _quoted(value: str) -> str:
    """Escape for an attribute as an XML serialiser does."""
    return escape(value, quote=False).replace('"', "&quot;")


def _unquoted(value: str) -> str:
    return value.replace("&quot;", '"')


def package_metadata(document: Document, metadata: Metadata, words: Labels) -> list[str]:
    """Give the metadata, an element a line: Dublin Core with roles and sort keys, accessibility, provenance, clock."""
    lines: list[str] = []

    def element(tag: str, value: str, attributes: Mapping[str, str]) -> None:
        said = "".join(f' {key}="{_quoted(text)}"' for key, text in attributes.items())
        lines.append(f"<{tag}{said}>{escape(value, quote=False)}</{tag}>")

    def core(name: str, value: str, identifier: str = "") -> None:
        element(f"dc:{name}", value, {"id": identifier} if identifier else {})

    def meta(name: str, value: str, refines: str = "", scheme: str = "", language: str = "") -> None:
        said = {"refines": f"#{refines}" if refines else "", "scheme": scheme, "xml:lang": language}
        element("meta", value, {"property": name, **{key: text for key, text in said.items() if text}})

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
        element("meta", metadata.series, {"property": "belongs-to-collection", "id": "series"})
        meta("collection-type", "series" if metadata.series_position else "set", "series")
        if metadata.series_position:
            meta("group-position", str(metadata.series_position), "series")
    if _has_pages(document):
        meta("pageBreakSource", f"urn:sha256:{document.provenance[0].source_sha256}" if document.provenance else "none")
    meta("dcterms:modified", modified(metadata).strftime("%Y-%m-%dT%H:%M:%SZ"))
    for name, value in _accessibility(document, words):
        meta(f"schema:{name}", value, language=metadata.language if name == "accessibilitySummary" else "")
    meta("shanben:text-sha256", document.digest)
    return lines


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
