"""Document -> the JSON tree of pandoc. Never through Markdown, where `2019.`, `*` and four spaces are markup."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

import regex

from shanben.errors import VerifyError
from shanben.lazy import lazy_regex
from shanben.values import HEADING_KINDS, Block, Document, Inline

Node = dict[str, Any]

PLAIN_KINDS = ("paragraph", "separator", *HEADING_KINDS)
"""All other kinds get a ``div`` of their name as class around the paragraph."""

_IMPOSSIBLE = lazy_regex(r"[^\t\n\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")
_COLLAPSING = lazy_regex(r"^[ \t]|[ \t]$|[ \t]{2}|\t", regex.MULTILINE)


def check_text(document: Document) -> None:
    """Refuse what no XML can hold, and a Document without a title: nothing may vanish on the way.

    Carriage returns are refused too, because every XML and HTML parser turns them into line feeds.
    """
    if not document.blocks or document.blocks[0].kind != "title" or not document.blocks[0].text.strip():
        raise VerifyError(
            "the Document does not begin with a title",
            where="block 1",
            fix="name one with --title, or mark the first line with a rule",
        )
    for number, block in enumerate(document.blocks, 1):
        if "\n" in block.text or not block.text.isprintable():
            _check_block(block, f"block {number} ({block.kind})")


def _check_block(block: Block, where: str) -> None:
    if bad := _IMPOSSIBLE.search(block.text):
        what = f"U+{ord(bad[0]):04X} at character {bad.start() + 1} cannot stand in an edition"
        raise VerifyError(what, where=where, fix="remove it with a rule in rules/characters/")
    if "\n" in block.text and block.kind != "verse":
        raise VerifyError("a line end inside a block that is no verse", where=where, fix="join or split the lines")
    if block.text != block.text.strip("\n"):
        raise VerifyError("a verse begins or ends with an empty line", where=where, fix="leave it out of the block")


def heading_ids(document: Document) -> tuple[str, ...]:
    """Give an ASCII id for every heading in order: s0001 is the title."""
    headings = sum(block.kind in HEADING_KINDS for block in document.blocks)
    return tuple(f"s{number:04d}" for number in range(1, headings + 1))


def blocks(document: Document, *, flat: bool = False, epub: bool = False) -> list[Node]:
    """Give all blocks of a checked ``document``. Empty ones are dropped, as the canonical text drops them.

    ``flat`` stands the title apart, unlisted, and raises every other heading by one level. ``epub`` adds
    ``epub:type`` beside the role.
    """
    ids = iter(heading_ids(document))
    pages = _Pages(epub=epub)
    found = []
    for index, block in enumerate(document.blocks):
        if block.kind in HEADING_KINDS:
            name = next(ids)
            # A page that begins with a heading stands before it: the contents copy what is inside.
            found += [pages.block(i) for i in block.inlines if i.kind == "page" and index]
            if block.text:
                found.append(_heading(block, name, first=index == 0, flat=flat, epub=epub))
        elif block.kind == "separator":
            found.append({"t": "HorizontalRule"})
        elif block.text:
            found.append(_body(block, pages))
    return found


class _Pages:
    """Makes the marks of page breaks, each with an id of its own: p0001 is the first in the Document."""

    def __init__(self, *, epub: bool) -> None:
        self.epub = epub
        self.count = 0

    def _mark(self, inline: Inline) -> list[Any]:
        self.count += 1
        attributes = {"role": "doc-pagebreak", "aria-label": inline.label}
        if self.epub:
            attributes["epub:type"] = "pagebreak"
        return _attributes(f"p{self.count:04d}", ["pagebreak"], attributes)

    def inline(self, inline: Inline) -> Node:
        """Give a mark inside a paragraph."""
        return {"t": "Span", "c": [self._mark(inline), []]}

    def block(self, inline: Inline) -> Node:
        """Give a mark between blocks."""
        return {"t": "Div", "c": [self._mark(inline), []]}


def plain_blocks(document: Document) -> list[Node]:
    """Give all blocks of a checked ``document`` as paragraphs of one run, for plain text.

    Verse too: in a line block pandoc would make one empty line of several.
    """
    return [{"t": "Para", "c": [string(block.text)]} for block in document.blocks if block.text]


def string(text: str) -> Node:
    """Give one run. Spaces stay inside: a ``Space`` of pandoc's may become a line end."""
    return {"t": "Str", "c": text}


def raw_html(html: str) -> Node:
    """Give markup of ours that pandoc passes on."""
    return {"t": "RawBlock", "c": ["html", html]}


def plain(inlines: Sequence[Node]) -> str:
    """Give the text of a heading's inlines."""
    return "".join(node["c"] if node["t"] == "Str" else plain(node["c"][1]) for node in inlines)


def markup(inlines: Sequence[Node]) -> str:
    """Give a heading's inlines as XHTML: escaped text, and a span round what is marked."""
    return "".join(
        escape(node["c"], quote=False)
        if node["t"] == "Str"
        else f'<span class="{" ".join(node["c"][0][1])}">{markup(node["c"][1])}</span>'
        for node in inlines
    )


def sections(blocks: Sequence[Node], rise: int) -> Iterator[Node]:
    """Put a section round each heading and what belongs to it. The headings rise, the sections tell their old level."""
    above: list[int] = []
    for block in blocks:
        if block["t"] == "Header":
            level, (name, classes, attributes), inlines = block["c"]
            while above and above[-1] >= level:
                above.pop()
                yield raw_html("</section>")
            above.append(level)
            more = "".join(f' {key}="{value}"' for key, value in attributes)
            yield raw_html(f'<section id="{name}" class="{" ".join([f"level{level}", *classes])}"{more}>')
            block = {"t": "Header", "c": [level - rise, ["", classes, []], inlines]}
        yield block
    yield from (raw_html("</section>") for _ in above)


def _collapses(text: str) -> bool:
    """Tell whether a reader of XML would lose blanks of a text; most have none."""
    return (" " in text or "\t" in text) and _COLLAPSING.search(text) is not None


def _heading(block: Block, name: str, *, first: bool, flat: bool, epub: bool) -> Node:
    classes: list[str] = [block.kind] + (["unnumbered", "unlisted"] if first and flat else [])
    attributes = {}
    if not first and block.kind in ("part", "chapter"):
        attributes["role"] = f"doc-{block.kind}"
        if epub:
            attributes["epub:type"] = block.kind
    if _collapses(block.text):
        classes.append("spaced")
    level = 1 if first else min(6, max(2, block.level)) - flat
    return {"t": "Header", "c": [level, _attributes(name, classes, attributes), list(_inlines(block))]}


def _body(block: Block, pages: _Pages) -> Node:
    classes: list[str] = [] if block.kind in PLAIN_KINDS else [block.kind]
    node: Node = {"t": "Para", "c": list(_verse(block, pages) if block.kind == "verse" else _inlines(block, pages))}
    if _collapses(block.text):
        classes.append("spaced")
    return {"t": "Div", "c": [_attributes("", classes, {}), [node]]} if classes else node


def _attributes(identifier: str, classes: Sequence[str], attributes: Mapping[str, str]) -> list[Any]:
    return [identifier, list(classes), [list(pair) for pair in attributes.items()]]


def _inlines(block: Block, pages: _Pages | None = None) -> Iterator[Node]:
    return _runs(block.text, block.inlines, 0, len(block.text), pages)


def _verse(block: Block, pages: _Pages) -> Iterator[Node]:
    """Give lines parted by breaks without a line end after them.

    pandoc writes one after its own line breaks and line blocks, and its templates then eat a space that
    follows: the indent of a line of verse would be gone.
    """
    start = 0
    for line in block.text.split("\n"):
        if start:
            yield {"t": "RawInline", "c": ["html", "<br />"]}
        yield from _runs(block.text, block.inlines, start, start + len(line), pages)
        start += len(line) + 1


def _runs(text: str, inlines: Sequence[Inline], start: int, end: int, pages: _Pages | None) -> Iterator[Node]:
    """Give the runs of ``text[start:end]``; an inline that crosses a line or another one is cut to fit."""
    done = start
    if not inlines:
        if start < end:
            yield string(text[start:end])
        return
    for inline in sorted(inlines, key=lambda i: (i.start, i.end)):
        if inline.kind == "page":
            if pages and start <= inline.start < end and inline.start >= done:
                if done < inline.start:
                    yield string(text[done : inline.start])
                done = inline.start
                yield pages.inline(inline)
            continue
        left, right = max(inline.start, done), min(inline.end, end)
        if left < right:
            if done < left:
                yield string(text[done:left])
            yield {"t": "Span", "c": [_attributes("", [inline.kind], {}), [string(text[left:right])]]}
            done = right
    if done < end:
        yield string(text[done:end])
