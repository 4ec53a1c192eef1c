"""The one door to OpenCC: an edition in the other script. The clean text and its ledger never go through it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import regex

from shanben.errors import ToolError, UsageError
from shanben.lazy import lazy_regex
from shanben.values import Block, Document, Inline, Metadata, Provenance

FIX = "pip install opencc, or install Shanben with it: pip install 'shanben[script]'"
CONFIGS: dict[str, dict[str, str]] = {
    "hans": {"zh-Hant": "t2s"},
    "hant": {"zh-Hans": "s2t"},
    "hant-tw": {"zh-Hans": "s2tw", "zh-Hant": "t2tw"},
    "hant-hk": {"zh-Hans": "s2hk", "zh-Hant": "t2hk"},
}
"""For each script that can be asked for: OpenCC's configuration, by the language of the text."""
SCRIPTS = tuple(CONFIGS)
_HAN = lazy_regex(r"\p{Han}+", regex.VERSION1)
_SAID = {
    "zh-Hans": "本版文字由 {converter} 自繁体转为简体（{config}）；所据正文与校勘记未动。",
    "zh-Hant": "本版文字由 {converter} 自{origin}轉為繁體（{config}）；所據正文與校勘記未動。",
}

Kept = Sequence[tuple[int, int]]
"""Stretches ``[start, end)`` of a text that are left letter for letter."""


class Converted(NamedTuple):
    """A Document in another script, and how it came about.

    ``kept`` names the redactions of the text that was converted: number of the block (from 0, blocks with text
    only), start and end.
    """

    document: Document
    script: str
    config: str
    converter: str
    kept: tuple[tuple[int, int, int], ...]


def check_script(script: str) -> str:
    """Give the name of a script that can be asked for. Raises UsageError, or ToolError where OpenCC is missing."""
    if script not in CONFIGS:
        raise UsageError(f"there is no script {script!r}", fix=f"choose from {', '.join(SCRIPTS)}")
    version()
    return script


def version() -> str:
    """Give name and version of the converter. Raises ToolError where it is missing."""
    _converter("t2s")
    from importlib import metadata as installed

    try:
        return f"OpenCC {installed.version('opencc')}"
    except installed.PackageNotFoundError:
        return "OpenCC of unknown version"


@lru_cache(maxsize=8)
def _converter(config: str) -> Callable[[str], str]:
    try:
        import opencc
    except ImportError:
        raise ToolError("an edition in another script needs OpenCC, which is not installed", fix=FIX) from None
    convert: Callable[[str], str] = opencc.OpenCC(config).convert
    return convert


def convert_text(text: str, config: str, kept: Kept = ()) -> str:
    """Give a text in the other script. Only Han characters are handed over, and none of those in ``kept``.

    What stands between two such runs (Latin, digits, marks, blanks) stays as it is. Raises ValueError for a
    configuration that is none of ours.
    """
    if config not in {c for configs in CONFIGS.values() for c in configs.values()}:
        raise ValueError(f"no configuration {config!r}")
    convert = _converter(config)
    parts, at = [], 0
    for start, end in [*sorted(kept), (len(text), len(text))]:
        parts.append(_HAN.sub(lambda m: convert(m[0]), text[at:start]))
        parts.append(text[start:end])
        at = end
    return "".join(parts)


def convert_document(document: Document, script: str) -> Converted | None:
    """Give the Document in another script; None where there is nothing to convert.

    That is so when the text is in that script already, or is not Chinese.
    """
    config = CONFIGS[script].get(document.metadata.language)
    if config is None:
        return None
    blocks = tuple(_block(b, config) for b in document.blocks)
    texts = [b for b in document.blocks if b.text]
    kept = tuple((n, start, end) for n, b in enumerate(texts) for start, end in _kept(b))
    done = document._replace(
        metadata=_metadata(document.metadata, script, config),
        blocks=blocks,
        provenance=tuple(_provenance(p, config) for p in document.provenance),
    )
    return Converted(done, script, config, version(), kept)


def _kept(block: Block) -> list[tuple[int, int]]:
    return [(i.start, i.end) for i in block.inlines if i.kind == "redaction"]


def _block(block: Block, config: str) -> Block:
    kept = _kept(block)

    def moved(offset: int) -> int:
        inside = [(a, min(b, offset)) for a, b in kept if a < offset]
        return len(convert_text(block.text[:offset], config, inside))

    text = convert_text(block.text, config, kept)
    inlines = tuple(_inline(i, moved, len(text)) for i in block.inlines)
    return block._replace(text=text, inlines=inlines)


def _inline(inline: Inline, moved: Callable[[int], int], length: int) -> Inline:
    """Give the same stretch of the converted text; a redaction has its old length."""
    start = min(moved(inline.start), length)
    return inline._replace(start=start, end=start + inline.end - inline.start)


def _metadata(old: Metadata, script: str, config: str) -> Metadata:
    def one(value: str) -> str:
        return convert_text(value, config)

    def many(values: Iterable[str]) -> tuple[str, ...]:
        return tuple(map(one, values))

    language = "zh-Hans" if script == "hans" else "zh-Hant"
    origin = "簡體" if old.language == "zh-Hans" else "繁體"
    said = _SAID[language].format(converter=version(), config=config, origin=origin)
    return old._replace(
        title=one(old.title),
        subtitle=one(old.subtitle),
        language=language,
        creators=many(old.creators),
        contributors=many(old.contributors),
        source=one(old.source),
        publisher=one(old.publisher),
        rights=one(old.rights),
        subjects=many(old.subjects),
        description=f"{one(old.description)} {said}".strip(),
        series=one(old.series),
    )


def _provenance(old: Provenance, config: str) -> Provenance:
    return old._replace(actions=tuple(a._replace(fault=convert_text(a.fault, config)) for a in old.actions))
