"""Dublin Core in XML: the metadata of a work as catalogues read it."""

from __future__ import annotations

from lxml import etree

from shanben.build import dublin_core
from shanben.values import Document
from shanben.writers._metadata import clean_line, clean_metadata, identifier

_TERMS = "http://purl.org/dc/terms/"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_TYPES = {"date": "W3CDTF", "language": "RFC5646", "isVersionOf": "URI", "identifier": "URI"}
_NOT_IN_LANGUAGE = frozenset({"date", "language", "isVersionOf", "identifier", "format", "type", "extent"})


def write(document: Document, formats: list[str]) -> bytes:
    """Give the record of a Document; ``formats`` are the media types of its editions."""
    metadata = clean_metadata(document)
    root = etree.Element("metadata", nsmap={"dcterms": _TERMS, "xsi": _XSI})
    rows: list[tuple[str, str]] = [("identifier", identifier(document))]
    for term, value in dublin_core(metadata).items():
        values = value if isinstance(value, list) else [value]
        rows += [(term.removeprefix("dcterms:"), line) for v in values if (line := clean_line(str(v)))]
    rows.append(("type", "Text"))
    rows += [("format", name) for name in formats]
    rows.append(("extent", f"{len(document.text)} characters"))
    for term, text in rows:
        element = etree.SubElement(root, f"{{{_TERMS}}}{term}")
        element.text = text
        if term in _TYPES:
            element.set(f"{{{_XSI}}}type", f"dcterms:{_TYPES[term]}")
        elif term not in _NOT_IN_LANGUAGE:
            element.set("{http://www.w3.org/XML/1998/namespace}lang", metadata.language)
    etree.indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8") + b"\n"
