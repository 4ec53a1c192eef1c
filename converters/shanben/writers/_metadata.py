"""What an edition says about the work: cleaned metadata, its identifier, its clock."""

from __future__ import annotations

import json
import unicodedata
import uuid
from datetime import UTC, date, datetime
from functools import lru_cache

from shanben.lazy import lazy_regex
from shanben.values import Document, Metadata
from shanben.writers._labels import language_tag
from shanben.writers._pinyin import lazy_pinyin

NAMESPACE = uuid.UUID("5b0c8d0e-8d7c-5d0a-9a52-3f1f0f6f2c41")
"""Of every identifier that Shanben makes. Never to be changed: identifiers are for ever."""
_FIELDS = Metadata._fields
TERMS = f"urn:uuid:{NAMESPACE}#"
"""The vocabulary of our own package metadata."""
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""The clock of an edition whose work has no date (or one before zip files could tell it)."""

_CONTROLS = lazy_regex(r"[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF]")
_SPACES = lazy_regex(r"[\s\u2028\u2029]+")
_HAN, _LATIN = lazy_regex(r"\p{Han}"), lazy_regex(r"[\p{Latin}\p{Nd}]+")
_DATE = lazy_regex(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


def clean_line(value: str) -> str:
    r"""Give one line without control, bidi and impossible characters; runs of white space become one space.

    An ideographic space alone stays: in a Chinese title it is typography.

    >>> clean_line("a\r\nb\x00\u202ec\ud800 ")
    'a bc'
    >>> clean_line("第一章\u3000总则")
    '第一章\u3000总则'
    """
    if value.isprintable() and "  " not in value:  # a space is the only white space in it
        return value.strip()
    line = _SPACES.sub(lambda m: m[0] if m[0] in (" ", "\u3000") else " ", value)
    return _CONTROLS.sub("", line).strip()


def clean_metadata(document: Document) -> Metadata:
    """Give the metadata as it may be printed: every field cleaned, the title never empty, the date valid."""
    title = clean_line(document.metadata.title)
    return _cleaned(
        document.metadata, title or next((line for t in document.texts if (line := clean_line(t))), "") or "?"
    )


@lru_cache(maxsize=16)
def _cleaned(old: Metadata, title: str) -> Metadata:
    return Metadata(
        title=title,
        language=language_tag(old.language),
        subtitle=clean_line(old.subtitle),
        creators=_clean_lines(old.creators),
        contributors=_clean_lines(old.contributors),
        date=old.date if parse_date(old.date) else "",
        source=clean_line(old.source),
        url=clean_line(old.url),
        publisher=clean_line(old.publisher),
        rights=clean_line(old.rights),
        subjects=_clean_lines(old.subjects),
        description=clean_line(old.description),
        series=clean_line(old.series),
        series_position=max(0, old.series_position),
    )


def _clean_lines(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(line for value in values if (line := clean_line(value)))


def parse_date(value: str) -> date | None:
    """Read YYYY, YYYY-MM or YYYY-MM-DD; anything else is no date.

    >>> parse_date("2019-10"), parse_date("2019-13"), parse_date("yesterday")
    (datetime.date(2019, 10, 1), None, None)
    """
    found = _DATE.fullmatch(value)
    if not found:
        return None
    try:
        return date(int(found[1]), int(found[2] or 1), int(found[3] or 1))
    except ValueError:
        return None


def modified(metadata: Metadata) -> datetime:
    """Give the clock of the edition: the date of the work, or a constant. Never the time of the build."""
    day = parse_date(metadata.date)
    if day is None or not 1980 <= day.year < 2100:
        return EPOCH
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def identifier(document: Document) -> str:
    """Give the identifier of the edition, derived from the sources, the rules and the metadata asked for.

    A Document without provenance was made by hand; its text stands in for the sources.
    """
    made_of = tuple(p.identity for p in document.provenance) or (document.digest,)
    versions = tuple(sorted({p.version for p in document.provenance}))
    return _identifier(made_of, versions, document.metadata, document.is_collection)


@lru_cache(maxsize=16)
def _identifier(made_of: tuple[str, ...], versions: tuple[str, ...], metadata: Metadata, is_collection: bool) -> str:
    said = {
        "made of": made_of,
        "version": versions,
        "metadata": {name: getattr(metadata, name) for name in _FIELDS},
        "collection": is_collection,
    }
    name = json.dumps(said, sort_keys=True, ensure_ascii=True)
    return f"urn:uuid:{uuid.uuid5(NAMESPACE, name)}"


@lru_cache(maxsize=256)
def pinyin(value: str, limit: int = 120) -> str:
    """Give the pinyin of a Chinese name without tones, each syllable apart; empty if it holds no Han.

    For sorting and for catalogues that know no Han. Readings of rare names are a guess; it is cut at
    ``limit`` characters of the name.

    >>> pinyin("鲁迅"), pinyin("Lu Xun"), pinyin("红楼梦A")
    ('Lu Xun', '', 'Hong Lou Meng A')
    """
    head = value[:limit]
    if not _HAN.search(head):
        return ""
    said = " ".join(part.strip() for part in lazy_pinyin(head, _keep_latin) if part.strip())
    said = " ".join(word[:1].upper() + word[1:] for word in said.split())
    return unicodedata.normalize("NFC", said)


def _keep_latin(run: str) -> str:
    return " ".join(_LATIN.findall(run))
