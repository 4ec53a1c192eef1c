"""The colophon (牌记): where this edition comes from, what was changed, and how it can be made again.

It stands apart from the text; reading an edition back leaves it out.
"""

from __future__ import annotations

from collections.abc import Sequence

import regex
from lxml import etree

from shanben.values import Action, Document, Provenance
from shanben.writers._labels import Labels, labels
from shanben.writers._metadata import clean_line

IDENTIFIER = "colophon"
_UNPRINTABLE = regex.compile(r"[\p{Cs}\p{Noncharacter_Code_Point}]")


def markup(document: Document) -> str:
    """Give the body of the colophon without its heading, as markup that is both XHTML and HTML."""
    words = labels(document.metadata.language)
    versions = sorted({p.version for p in document.provenance})
    made = words.made.format(version=", ".join(versions)) if versions else words.made_by_hand
    parts = [_element("p", made), _facts(document, words)]
    if len(document.provenance) > 1:
        parts.append(_sources(document.provenance, words))
    if document.provenance:
        acted = actions(document.provenance)
        parts.append(_rules(acted, words) if acted else _element("p", words.no_rules))
    return "\n".join(etree.tostring(part, method="c14n").decode() for part in parts)


def actions(provenance: Sequence[Provenance]) -> tuple[Action, ...]:
    """Give what each rule did over all sources, the busiest first; rules that did nothing are left out."""
    counts: dict[tuple[str, str], int] = {}
    for one in provenance:
        for action in one.actions:
            key = (action.unit, action.fault)
            counts[key] = counts.get(key, 0) + action.count
    found = [Action(unit, fault, count) for (unit, fault), count in counts.items() if count > 0]
    return tuple(sorted(found, key=lambda a: (-a.count, a.unit, a.fault)))


def _facts(document: Document, words: Labels) -> etree._Element:
    """Give the list of facts: of the one source, or only what several have in common."""
    rows: list[tuple[str, str, bool]] = []
    if len(document.provenance) == 1:
        [one] = document.provenance
        rows = [
            (words.source, one.source_name, False),
            (words.size, words.size_value.format(one.source_size), False),
            (f"{words.source} SHA-256", one.source_sha256, True),
            (words.encoding, words.encoding_value.format(one.encoding, one.confidence), False),
        ]
    for digest in sorted({p.rulebook_digest for p in document.provenance}):
        rows.append((f"{words.rulebook} SHA-256", digest, True))
    for version in sorted({p.version for p in document.provenance}):
        rows.append((words.program, f"shanben {version}", False))
    rows.append((f"{words.text_digest} SHA-256", document.digest, True))
    if document.provenance:
        open_ones = sum(p.suggestions for p in document.provenance)
        rows.append((words.suggestions, words.suggestions_value.format(open_ones), False))
    table = etree.Element("dl")
    for name, value, is_digest in rows:
        table.append(_element("dt", name))
        held = etree.SubElement(table, "dd")
        if is_digest:
            held.append(_element("code", value))
        else:
            held.text = _printable(value)
    return table


def _sources(provenance: Sequence[Provenance], words: Labels) -> etree._Element:
    rows = [
        (p.source_name, words.size_value.format(p.source_size),
         words.encoding_value.format(p.encoding, p.confidence), p.source_sha256)
        for p in provenance
    ]  # fmt: skip
    return _table("sources", words.source, (words.source, words.size, words.encoding, "SHA-256"), rows)


def _rules(acted: Sequence[Action], words: Labels) -> etree._Element:
    rows = [(a.unit, a.fault, f"{a.count:,}") for a in acted]
    return _table("rules", words.rules, (words.rule, words.fault, words.times), rows)


def _table(kind: str, caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> etree._Element:
    table = etree.Element("table", {"class": kind})
    table.append(_element("caption", caption))
    head = etree.SubElement(etree.SubElement(table, "thead"), "tr")
    for name in heads:
        head.append(_element("th", name, scope="col"))
    body = etree.SubElement(table, "tbody")
    for row in rows:
        line = etree.SubElement(body, "tr")
        for index, value in enumerate(row):
            line.append(_element("td", value) if index else _element("th", value, scope="row"))
    return table


def _element(tag: str, text: str, **attributes: str) -> etree._Element:
    element = etree.Element(tag, attributes)
    element.text = _printable(text)
    return element


def _printable(text: str) -> str:
    """Give one line that XML can hold; a name in bytes that are no UTF-8 shows U+FFFD in their place."""
    return clean_line(_UNPRINTABLE.sub("\ufffd", text)) or "–"
