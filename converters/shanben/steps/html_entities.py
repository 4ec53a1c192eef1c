"""Turn HTML character references that a careless export left in the text into the characters they name."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import NamedTuple

from shanben.lazy import lazy_regex
from shanben.ledger import Change, Finding
from shanben.steps import Step
from shanben.values import Text

_REFERENCE = lazy_regex(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_REST_OF_REFERENCE = lazy_regex(r"(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")


class Params(NamedTuple):
    """This step has nothing to set."""


def html_entities(text: Text, params: Params) -> Iterator[Finding]:
    """Decode character references once. `&amp;lt;` stays: it shows a reference, it is none.

    >>> t = Text.of("&ldquo;新&rdquo;&nbsp;A&B &amp;lt; &#8212; &foo;")
    >>> [c.after for c in html_entities(t, Params())]
    ['“', '”', '\\xa0', '—']
    """
    for m in _REFERENCE.finditer(text.content):
        named = html.unescape(m.group())
        if named == m.group() or len(named) != 1 or named == "\ufffd" or not (named.isprintable() or named == "\xa0"):
            continue
        if named == "&" and _REST_OF_REFERENCE.match(text.content, m.end()):
            continue
        if text.covers(("url", "code"), *m.span()):
            continue
        yield Change(m.start(), m.group(), named)


STEP = Step("html-entities", html_entities, Params, needs=frozenset("&"))
