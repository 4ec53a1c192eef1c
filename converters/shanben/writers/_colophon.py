"""The colophon (牌记): where this edition comes from, what was changed, and how it can be made again.

It stands apart from the text; reading an edition back leaves it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from html import escape

from shanben.lazy import lazy_regex
from shanben.values import Action, Document, Provenance
from shanben.writers._labels import Labels, labels
from shanben.writers._metadata import clean_line

IDENTIFIER = "colophon"
_UNPRINTABLE = lazy_regex(r"[\p{Cs}\p{Noncharacter_Code_Point}]")


def markup(document: Document) -> str:
    """Give the body of the colophon without its heading, as markup that is both XHTML and HTML."""
    return _markup(document.provenance, document.metadata.language, document.digest)


@lru_cache(maxsize=16)
def _markup(provenance: tuple[Provenance, ...], language: str, digest: str) -> str:
    words = labels(language)
    versions = sorted({p.version for p in provenance})
    made = words.made.format(version=", ".join(versions)) if versions else words.made_by_hand
    parts = [_element("p", made), _facts(provenance, digest, words)]
    if len(provenance) > 1:
        parts.append(_sources(provenance, words))
    if provenance:
        acted = actions(provenance)
        parts.append(_rules(acted, words) if acted else _element("p", words.no_rules))
    return "\n".join(parts)


def actions(provenance: Sequence[Provenance]) -> tuple[Action, ...]:
    """Give what each rule did over all sources, the busiest first; rules that did nothing are left out."""
    counts: dict[tuple[str, str], int] = {}
    for one in provenance:
        for action in one.actions:
            key = (action.unit, action.fault)
            counts[key] = counts.get(key, 0) + action.changes
    found = [Action(unit, fault, count) for (unit, fault), count in counts.items() if count > 0]
    return tuple(sorted(found, key=lambda a: (-a.changes, a.unit, a.fault)))


def _facts(provenance: Sequence[Provenance], digest: str, words: Labels) -> str:
    """Give the list of facts: of the one source, or only what several have in common."""
    rows: list[tuple[str, str, bool]] = []
    if len(provenance) == 1:
        [one] = provenance
        rows = [
            (words.source, one.source_name, False),
            (words.size, words.size_value.format(one.source_size), False),
            (f"{words.source} SHA-256", one.source_sha256, True),
            (words.encoding, words.encoding_value.format(one.encoding, one.confidence), False),
        ]
    for rulebook in sorted({p.rulebook_digest for p in provenance}):
        rows.append((f"{words.rulebook} SHA-256", rulebook, True))
    for version in sorted({p.version for p in provenance}):
        rows.append((words.program, f"shanben {version}", False))
    rows.append((f"{words.text_digest} SHA-256", digest, True))
    if provenance:
        open_ones = sum(p.suggestions for p in provenance)
        rows.append((words.suggestions, words.suggestions_value.format(open_ones), False))
    held = (
        _label("dt", name) + (f"<dd>{_element('code', value)}</dd>" if is_digest else _element("dd", value))
        for name, value, is_digest in rows
    )
    return f"<dl>{''.join(held)}</dl>"


def _sources(provenance: Sequence[Provenance], words: Labels) -> str:
    rows = [
        (p.source_name, words.size_value.format(p.source_size),
         words.encoding_value.format(p.encoding, p.confidence), p.source_sha256)
        for p in provenance
    ]  # fmt: skip
    return _table("sources", words.source, (words.source, words.size, words.encoding, "SHA-256"), rows)


def _rules(acted: Sequence[Action], words: Labels) -> str:
    rows = [(a.unit, a.fault, f"{a.changes:,}") for a in acted]
    return _table("rules", words.rules, (words.rule, words.fault, words.times), rows)


def _table(kind: str, caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(_element("th", name, ' scope="col"') for name in heads)
    body = "".join(
        "<tr>" + _element("th", row[0], ' scope="row"') + "".join(_element("td", value) for value in row[1:]) + "</tr>"
        for row in rows
    )
    shown = _element("caption", caption)
    return f'<table class="{kind}">{shown}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


@lru_cache(maxsize=512)
def _label(tag: str, text: str) -> str:
    """Give an element whose text is the same in many editions."""
    return _element(tag, text)


def _element(tag: str, text: str, attributes: str = "") -> str:
    return f"<{tag}{attributes}>{escape(_printable(text), quote=False)}</{tag}>"


def _printable(text: str) -> str:
    """Give one line that XML can hold; a name in bytes that are no UTF-8 shows U+FFFD in their place."""
    shown = text if text.isprintable() else _UNPRINTABLE.sub("\ufffd", text)
    return clean_line(shown) or "–"
