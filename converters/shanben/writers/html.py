"""Document -> one HTML file with its style inside and no outside resource."""

from __future__ import annotations

import html
from functools import cache

from shanben.tools import pandoc
from shanben.values import HEADING_KINDS, Block, Document, Metadata
from shanben.writers import Writer
from shanben.writers import _pandoc_ast as tree
from shanben.writers._colophon import IDENTIFIER as COLOPHON
from shanben.writers._colophon import markup as colophon_markup
from shanben.writers._data import data
from shanben.writers._labels import Labels, labels
from shanben.writers._metadata import clean_metadata, identifier

TOC_DEPTH = 3
"""Levels of heading below the title that the contents list."""
COLLECTION_DEPTH = 2
"""In a collection: its parts and its works."""
SAID_IN_TEXT = ("byline", "subtitle", "signature", "date")


def write(document: Document) -> bytes:
    """Give the HTML edition: skip link, contents, the text in ``main``, the colophon after it."""
    tree.check_text(document)
    metadata = clean_metadata(document)
    words = labels(metadata.language)
    body = pandoc.convert({"meta": {}, "blocks": tree.blocks(document)}, "html5", sections=True).decode()
    edition = _frame().format(
        language=metadata.language,
        title=html.escape(metadata.title, quote=False),
        terms=_terms(document, metadata),
        style=_style(),
        skip=html.escape(words.skip, quote=False),
        head=_head(document.blocks, metadata),
        contents=_contents(document, words),
        body=body.replace("<br />", "<br>").replace("<hr />", "<hr>"),
        colophon_title=html.escape(words.colophon, quote=False),
        colophon=colophon_markup(document),
    )
    return edition.encode()


@cache
def _frame() -> str:
    return data("edition.html").decode()


@cache
def _style() -> str:
    return data("html.css").decode().removesuffix("\n")


def contents(document: Document) -> str:
    """Give the contents as nested lists; empty if the title is the only heading.

    >>> from shanben.values import Document, Metadata
    >>> h = lambda level, text: Block("title" if level == 1 else "heading", text, level)
    >>> contents(Document(Metadata("t"), (h(1, "t"), h(2, "a"), h(3, "b"), h(2, "c")))).replace(chr(10), "")
    '<ol><li><a href="#s0002">a</a><ol><li><a href="#s0003">b</a></li></ol></li><li><a href="#s0004">c</a></li></ol>'
    """
    heads = [block for block in document.blocks if block.kind in HEADING_KINDS]
    listed = [
        (min(6, max(2, block.level)), name, block.text)
        for block, name in zip(heads, tree.heading_ids(document), strict=True)
        if block.text
    ][1:]
    parts: list[str] = []
    open_levels: list[int] = []
    for level, name, text in listed:
        if level > 1 + (COLLECTION_DEPTH if document.is_collection else TOC_DEPTH):
            continue
        while open_levels and open_levels[-1] > level:
            parts.append("</li></ol>")
            open_levels.pop()
        if open_levels and open_levels[-1] == level:
            parts.append("</li>")
        else:
            parts.append("<ol>")
            open_levels.append(level)
        parts.append(f'\n<li><a href="#{name}">{html.escape(text)}</a>')
    parts += ["</li></ol>"] * len(open_levels)
    return "".join(parts)


def _contents(document: Document, words: Labels) -> str:
    """Give the contents with their heading and a way to the colophon; empty if there are none."""
    listed = contents(document)
    if not listed:
        return ""
    after = f'<p class="after"><a href="#{COLOPHON}">{html.escape(words.colophon)}</a></p>'
    return (
        '<nav id="toc" role="doc-toc" aria-labelledby="toc-title">\n'
        f'<h2 id="toc-title">{html.escape(words.toc, quote=False)}</h2>\n{listed}\n{after}\n</nav>\n'
    )


def _head(blocks: tuple[Block, ...], metadata: Metadata) -> str:
    """Give what a title page would say and the text itself does not."""
    said = "\n".join(block.text for block in blocks if block.kind in SAID_IN_TEXT)
    facts = [*metadata.creators, metadata.date, metadata.publisher]
    line = " · ".join(fact for fact in facts if fact and fact not in said)
    shown = "".join(f"<p>{html.escape(part, quote=False)}</p>\n" for part in (metadata.series, line) if part)
    return f"<header>\n{shown}</header>\n" if shown else ""


def _dublin_core(document: Document, metadata: Metadata) -> list[tuple[str, str]]:
    said = [
        ("title", metadata.title),
        ("identifier", identifier(document)),
        ("language", metadata.language),
        *(("creator", name) for name in metadata.creators),
        *(("contributor", name) for name in (*metadata.contributors, "Shanben")),
        ("date", metadata.date),
        ("publisher", metadata.publisher),
        *(("subject", subject) for subject in metadata.subjects),
        ("description", metadata.description),
        ("rights", metadata.rights),
        ("source", metadata.source),
        ("source", metadata.url),
        *(("source", f"urn:sha256:{d}") for d in dict.fromkeys(p.source_sha256 for p in document.provenance)),
        ("relation", metadata.series),
    ]
    return [(name, value) for name, value in said if value]


def _terms(document: Document, metadata: Metadata) -> str:
    """Give the meta elements. pandoc escapes no quotes, so attributes are never left to its templates."""
    rows = [
        f'<meta name="DC.{name}" content="{html.escape(value)}">' for name, value in _dublin_core(document, metadata)
    ]
    return "\n".join([*rows, f'<meta name="shanben.text-sha256" content="{document.digest}">'])


WRITER = Writer("html", ".html", write)
