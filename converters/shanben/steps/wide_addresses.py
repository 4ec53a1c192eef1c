"""Make the marks of web and e-mail addresses half-width."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shanben.lazy import lazy_regex
from shanben.ledger import Change, Finding
from shanben.steps import Step
from shanben.values import Text

_WIDE = "．：／＠－＿？＝＆％＃～"
_NARROW = str.maketrans(_WIDE, ".:/@-_?=&%#~")
_ENDS = ("com", "cn", "net", "org", "gov", "edu", "info", "tw", "hk", "mo", "io")
_PLACE = rf"[A-Za-z0-9－-]{{1,63}}(?:[.．][A-Za-z0-9－-]{{1,63}}){{0,5}}[.．](?:{'|'.join(_ENDS)})(?![A-Za-z0-9])"
_ADDRESS = lazy_regex(
    rf"(?<![A-Za-z0-9])(?:(?:https?|ftp)[:：][/／]{{2}}{_PLACE}|www[.．]{_PLACE}|[A-Za-z0-9._＿－-]{{1,40}}[@＠]{_PLACE})"
    r"(?:[:：][0-9]{2,5}(?=[/／]))?(?:[/／][A-Za-z0-9./／．_＿?？=＝&＆%％#＃~～-]{0,300})?(?<![.．?？])"
)


class Params(NamedTuple):
    """This step has nothing to set."""


def wide_addresses(text: Text, params: Params) -> Iterator[Finding]:
    """Find addresses that hold full-width marks; their letters are half-width already.

    >>> [c.after for c in wide_addresses(Text.of("见www．example．com／a，谢谢"), Params())]
    ['www.example.com/a']
    """
    if not any(mark in text.content for mark in _WIDE):
        return
    for m in _ADDRESS.finditer(text.content):
        narrow = m.group().translate(_NARROW)
        if narrow != m.group():
            yield Change(m.start(), m.group(), narrow)


STEP = Step("wide-addresses", wide_addresses, Params, needs=frozenset(dot + end for dot in ".．" for end in _ENDS))
