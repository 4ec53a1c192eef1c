"""TEI P5: a Document as scholars exchange texts, with what was changed and where it comes from.

Every character of the blocks stands in the body, in order. A redaction is content: its signs stay, inside
`<orig>`, and `<gap reason="redacted"/>` beside them says that something was withheld there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import regex
from lxml import etree

from shanben.lazy import lazy_regex
from shanben.ledger import Ledger
from shanben.pipeline import version
from shanben.values import HEADING_KINDS, Block, Document, Inline
from shanben.verify import parse_xml
from shanben.writers._metadata import clean_line, clean_metadata, identifier
from shanben.writers._pandoc_ast import check_text

_NS = "http://www.tei-c.org/ns/1.0"
_XML = "http://www.w3.org/XML/1998/namespace"
_SPACES = lazy_regex(r"^[ \t]|[ \t]$|[ \t]{2}|\t", regex.MULTILINE)
_WORD = lazy_regex(r"[^\p{L}\p{N}_-]+")
_APART = frozenset({"subtitle", "byline", "salutation", "signature", "date"})
_Element = etree._Element


def write(document: Document, ledgers: Sequence[Ledger]) -> bytes:
    """Give the TEI document. Raises VerifyError for text that no XML can hold."""
    check_text(document)
    root = etree.Element(f"{{{_NS}}}TEI", nsmap={None: _NS})  # type: ignore[dict-item]
    root.set(f"{{{_XML}}}lang", clean_metadata(document).language)
    root.append(_header(document, ledgers))
    body = _sub(_sub(root, "text"), "body")
    _fill_body(body, document.blocks)
    _space(root)
    data: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return data + b"\n"


def read_back(data: bytes) -> tuple[str, ...]:
    """Give the texts of the blocks of a TEI document that `write` made. Raises VerifyError."""
    root = parse_xml(data, "the TEI document")
    texts = []
    for element in root.iterfind(f"{{{_NS}}}text//*"):
        name = etree.QName(element).localname
        if name in ("head", "p", "ab", "item"):
            texts.append(str(element.xpath("string()")))
        elif name == "lg":
            texts.append("\n".join(str(line.xpath("string()")) for line in element))
    return tuple(t for t in texts if t)


def _sub(parent: _Element, tag: str, text: str = "", **attributes: str) -> _Element:
    element = etree.SubElement(parent, f"{{{_NS}}}{tag}", {k: v for k, v in attributes.items() if v})
    if text:
        element.text = text
    return element


def _space(element: _Element) -> None:
    """Put line ends between elements that hold no text of their own."""
    if len(element) and not (element.text or "").strip() and not _holds_text(element):
        element.text = "\n"
        for child in element:
            child.tail = "\n"
            _space(child)


def _holds_text(element: _Element) -> bool:
    tags = ("head", "p", "ab", "item", "l", "change", "note", "bibl", "term", "desc")
    return etree.QName(element).localname in tags


# --- header ------------------------------------------------------------------------------------------------


def _header(document: Document, ledgers: Sequence[Ledger]) -> _Element:
    metadata = clean_metadata(document)
    header: _Element = etree.Element(f"{{{_NS}}}teiHeader")
    file = _sub(header, "fileDesc")
    title = _sub(file, "titleStmt")
    _sub(title, "title", metadata.title, type="main")
    if metadata.subtitle:
        _sub(title, "title", metadata.subtitle, type="sub")
    for name in metadata.creators:
        _sub(title, "author", name)
    for name in metadata.contributors:
        statement = _sub(title, "respStmt")
        _sub(statement, "resp", "contributor")
        _sub(statement, "name", name)
    _sub(_sub(file, "extent"), "measure", f"{len(document.text)} characters", unit="characters",
         quantity=str(len(document.text)))  # fmt: skip
    _publication(file, document)
    if metadata.series:
        _sub(_sub(file, "seriesStmt"), "title", metadata.series)
    if metadata.description:
        _sub(_sub(file, "notesStmt"), "note", metadata.description)
    _sources(file, document, ledgers)
    _encoding(header, document, ledgers)
    profile = _sub(header, "profileDesc")
    _sub(_sub(profile, "langUsage"), "language", metadata.language, ident=metadata.language)
    if metadata.subjects:
        keywords = _sub(_sub(profile, "textClass"), "keywords")
        for subject in metadata.subjects:
            _sub(keywords, "term", subject)
    _revisions(header, document, ledgers)
    return header


def _publication(file: _Element, document: Document) -> None:
    metadata = clean_metadata(document)
    statement = _sub(file, "publicationStmt")
    _sub(statement, "publisher", metadata.publisher or "not named")
    if metadata.date:
        _sub(statement, "date", metadata.date, when=metadata.date)
    _sub(statement, "idno", identifier(document), type="URN")
    _sub(_sub(statement, "availability"), "p", metadata.rights or "No statement of rights is known.")


def _sources(file: _Element, document: Document, ledgers: Sequence[Ledger]) -> None:
    metadata = clean_metadata(document)
    description = _sub(file, "sourceDesc")
    if metadata.source or metadata.url:
        origin = _sub(description, "bibl", type="origin")
        _sub(origin, "title", metadata.title)
        if metadata.source:
            _sub(origin, "publisher", metadata.source)
        if metadata.url:
            _sub(origin, "idno", metadata.url, type="URL")
    for one in document.provenance:
        bibl = _sub(description, "bibl", type="source")
        _sub(bibl, "title", clean_line(one.source_name) or "source", type="file")
        _sub(bibl, "idno", one.source_sha256, type="SHA-256")
        _sub(bibl, "extent", f"{one.source_size} bytes")
        _sub(bibl, "note", f"{one.encoding}, confidence {one.confidence:.2f}", type="decoding")
    if not len(description):
        _sub(description, "p", "No source is named.")
    for ledger in ledgers:
        if bad := ledger.decoding.bad_bytes:
            note = f"{bad} bytes that no encoding explains; the ledger holds them"
            _sub(_sub(description, "bibl", type="damage"), "note", note)


def _encoding(header: _Element, document: Document, ledgers: Sequence[Ledger]) -> None:
    encoding = _sub(header, "encodingDesc")
    _sub(_sub(encoding, "projectDesc"), "p", "Cleaned by declarative rules; every change is in the ledger beside "
         "this file, with the rule that made it, and can be undone to the last byte.")  # fmt: skip
    editorial = _sub(encoding, "editorialDecl")
    _sub(_sub(editorial, "correction", status="high", method="silent"), "p",
         "Corrections are made silently in this text. They are listed by rule below and one by one in the ledger.")  # fmt: skip
    _sub(_sub(editorial, "normalization", method="silent"), "p",
         "Width of punctuation, blanks and line ends are made uniform.")  # fmt: skip
    _sub(_sub(editorial, "interpretation"), "p", "Signs that stand for withheld words are kept letter for letter in "
         "orig, with a gap beside them whose reason is “redacted”. pb marks where a page of the source begins.")  # fmt: skip
    info = _sub(encoding, "appInfo")
    for made in sorted({p.version for p in document.provenance} or {version()}):
        application = _sub(info, "application", ident="shanben", version=_version(made))
        _sub(application, "label", f"Shanben {made}")
        for digest in sorted({ledger.rulebook_digest for ledger in ledgers}):
            _sub(application, "desc", f"rules: SHA-256 {digest}")


def _version(text: str) -> str:
    """Give a version as TEI wants it: numbers parted by points."""
    found = regex.match(r"\d+(?:\.\d+){0,4}", text)
    return found[0] if found else "0"


def _revisions(header: _Element, document: Document, ledgers: Sequence[Ledger]) -> None:
    """List what was changed: one entry a rule, with its phase and how often it acted."""
    faults = {a.unit: a.fault for p in document.provenance for a in p.actions}
    counts: dict[tuple[str, str], int] = {}
    for ledger in ledgers:
        for p in ledger.passes:
            counts[p.phase, p.unit] = counts.get((p.phase, p.unit), 0) + len(p.changes)
    revision = _sub(header, "revisionDesc", status="cleaned")
    for (phase, unit), count in counts.items():
        fault = clean_line(faults.get(unit, ""))
        change = _sub(revision, "change", n=str(count), type=_WORD.sub("-", phase) or "other")
        label = _sub(change, "label", clean_line(unit) or "?")
        label.tail = f" {fault} ({count})" if fault else f" ({count})"
    if not counts:
        _sub(revision, "change", "Nothing was changed.")


# --- body --------------------------------------------------------------------------------------------------


def _fill_body(body: _Element, blocks: Sequence[Block]) -> None:
    """Put the blocks into divisions by the levels of their headings. The title is the head of the body."""
    divisions: list[tuple[int, _Element]] = [(1, body)]
    items: _Element | None = None
    for number, block in enumerate(blocks):
        if block.kind != "item":
            items = None
        if block.kind in HEADING_KINDS and number:
            while len(divisions) > 1 and divisions[-1][0] >= block.level:
                divisions.pop()
            division = _sub(divisions[-1][1], "div", type=block.kind)
            divisions.append((block.level, division))
        here = divisions[-1][1]
        if block.kind == "separator":
            _sub(here, "milestone", unit="section", rend="rule")
        elif block.kind in HEADING_KINDS:
            _fill(_sub(here, "head", type="main" if not number else ""), block)
        elif block.kind == "item":
            items = _sub(here, "list") if items is None else items
            _fill(_sub(items, "item"), block)
        elif block.kind == "verse":
            _verse(_sub(here, "lg"), block)
        elif block.kind in _APART:
            _fill(_sub(here, "ab", type=block.kind), block)
        else:
            _fill(_sub(here, "p"), block)
    if all(etree.QName(child).localname == "head" for child in body):
        _sub(body, "p")  # a body of headings alone is none


def _verse(group: _Element, block: Block) -> None:
    start = 0
    for line in block.text.split("\n"):
        _runs(_sub(group, "l"), block.text, block.inlines, start, start + len(line))
        start += len(line) + 1


def _fill(element: _Element, block: Block) -> None:
    _runs(element, block.text, block.inlines, 0, len(block.text))


def _runs(element: _Element, text: str, inlines: Iterable[Inline], start: int, end: int) -> None:
    """Put ``text[start:end]`` into an element, with page breaks and redactions at their places."""
    if _SPACES.search(text[start:end]):
        element.set(f"{{{_XML}}}space", "preserve")
    done = start
    for inline in sorted(inlines, key=lambda i: (i.start, i.end)):
        if inline.kind == "page":
            if start <= inline.start <= end and inline.start >= done:
                _say(element, text[done : inline.start])
                done = inline.start
                _sub(element, "pb", n=clean_line(inline.label))
            continue
        left, right = max(inline.start, done), min(inline.end, end)
        if left < right:
            _say(element, text[done:left])
            redaction = _sub(element, "seg", type="redaction")
            _sub(redaction, "orig", text[left:right])
            _sub(redaction, "gap", reason="redacted")
            done = right
    _say(element, text[done:end])


def _say(element: _Element, text: str) -> None:
    if not text:
        return
    if len(element):
        element[-1].tail = (element[-1].tail or "") + text
    else:
        element.text = (element.text or "") + text
