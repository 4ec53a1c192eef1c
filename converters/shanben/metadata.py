"""What is known about a work: facts captured by rules, overruled by what `work.yaml` says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from shanben.lazy import lazy_regex
from shanben.ledger import Capture
from shanben.values import DEFAULT_LANGUAGE, Metadata

MANY = ("creator", "contributor", "subject")
_DATE = lazy_regex(r"(\d{4})[-/.年][ ]?(\d{1,2})(?:[-/.月][ ]?(\d{1,2}))?")
_HAN_DATE = lazy_regex(
    r"([〇零○一二三四五六七八九]{4})年([一二三四五六七八九十]{1,3})月(?:([一二三四五六七八九十]{1,3})日)?"
)
_HAN, _LATIN = lazy_regex(r"\p{Han}"), lazy_regex(r"\p{Latin}")
_KANA, _HANGUL = lazy_regex(r"[\p{Hiragana}\p{Katakana}]"), lazy_regex(r"\p{Hangul}")
_BETWEEN_NAMES = lazy_regex(r"[\s、，,]+")
_DIGITS = {c: str(i) for i, c in enumerate("〇一二三四五六七八九")} | {"零": "0", "○": "0"}
# Characters that are written otherwise in the other script, both frequent in any text.
_HANS = frozenset("这为国个们来时说对开会学过发经进问实现还业关应两务见动长员产书车东与话头听爱电气报边给让远点线写难")
_HANT = frozenset("這為國個們來時說對開會學過發經進問實現還業關應兩務見動長員產書車東與話頭聽愛電氣報邊給讓遠點線寫難")


def iso_date(text: str) -> str:
    """Give the first date in a text as YYYY-MM-DD or YYYY-MM; empty when there is none that can be.

    >>> iso_date("2020/8/18"), iso_date("二〇二四年一月二十六日"), iso_date("2024年13月1日")
    ('2020-08-18', '2024-01-26', '')
    """
    if m := _DATE.search(text):
        year, month, day = m.group(1), int(m.group(2)), int(m.group(3) or 0)
    elif m := _HAN_DATE.search(text):
        year = "".join(_DIGITS[c] for c in m.group(1))
        month, day = _number(m.group(2)), _number(m.group(3) or "")
    else:
        return ""
    if not 1 <= month <= 12 or day > 31 or int(year) < 1:
        return ""
    return f"{year}-{month:02d}" + (f"-{day:02d}" if day else "")


def _number(han: str) -> int:
    """Read 一 … 三十一."""
    if not han:
        return 0
    if "十" not in han:
        return int("".join(_DIGITS[c] for c in han))
    tens, _, ones = han.partition("十")
    return (int(_DIGITS[tens]) if tens else 1) * 10 + (int(_DIGITS[ones]) if ones else 0)


def language_of(text: str) -> str:
    """Tell the language for typography: zh-Hans, zh-Hant, ja, ko, en, or und.

    >>> [language_of(s) for s in ("这是中国", "這是中國", "これは本です", "A plain text", "12")]
    ['zh-Hans', 'zh-Hant', 'ja', 'en', 'und']
    """
    sample = text[:200_000]
    han = len(_HAN.findall(sample))
    kana = len(_KANA.findall(sample))
    hangul = len(_HANGUL.findall(sample))
    latin = len(_LATIN.findall(sample))
    if kana > 0.1 * (han + kana):
        return "ja"
    if hangul > han:
        return "ko"
    if 4 * han >= latin and han:
        simplified, traditional = (sum(c in signs for c in sample) for signs in (_HANS, _HANT))
        return "zh-Hant" if traditional > simplified else DEFAULT_LANGUAGE
    return "en" if latin else "und"


def gather(captures: Iterable[Capture], said: Mapping[str, tuple[str, ...]], fallback: Mapping[str, str]) -> Metadata:
    """Put metadata together. ``said`` (from work.yaml) overrules captures, captures overrule ``fallback``.

    Of several captured values of a field that takes one, the first in the text stays.
    """
    values: dict[str, list[str]] = {}
    for c in captures:
        value = iso_date(c.value) if c.field == "date" else c.value
        names = _BETWEEN_NAMES.split(value) if c.field == "creator" else [value]
        for name in names:
            if name and name not in values.setdefault(c.field, []):
                values[c.field].append(name)
    for field_name, value in fallback.items():
        if value:
            values.setdefault(field_name, [value])
    values |= {name: list(v) for name, v in said.items()}

    def one(name: str) -> str:
        return values.get(name, [""])[0]

    return Metadata(
        title=one("title"),
        language=one("language") or DEFAULT_LANGUAGE,
        subtitle=one("subtitle"),
        creators=tuple(values.get("creator", ())),
        contributors=tuple(values.get("contributor", ())),
        date=one("date"),
        source=one("source"),
        publisher=one("publisher"),
        rights=one("rights"),
        subjects=tuple(values.get("subject", ())),
        description=one("description"),
        url=one("url"),
    )
