"""Decoding: the right characters, the evidence, and exactly the same bytes back."""

from __future__ import annotations

import subprocess
import sys
import time
import zlib
from collections.abc import Callable

import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shanben.decode import _FIRST, FORMATS, decode, encode
from shanben.detection import read_by_evidence
from shanben.errors import EncodingError, ShanbenError, SourceError, UsageError
from shanben.values import Decoding, Segment

SIMPLE = "清晨，老校对员把灯拧亮，逐字比较两个本子。凡有不同的地方，他都用铅笔记下来。"
TRADITIONAL = "清晨，老校對員把燈擰亮，逐字比較兩個本子。凡有不同的地方，他都用鉛筆記下來。"
SHORT = ["第一章", "校对的人", "他们来了。", "我在这里等你", "今天的天气很好", "国家图书馆开放"]
SHORT_TRADITIONAL = ["校對的人", "他們來了。", "我在這裡等你", "今天的天氣很好", "國家圖書館開放"]
JAPANESE = "図書館で古い本を読みながら、静かに雨の音を聞いていました。新しい版にはいくつかの誤りがあります。"
KOREAN = "도서관에서 오래된 책을 읽으며 조용히 빗소리를 들었다. 새로운 판에는 몇 가지 잘못이 있다."
RUSSIAN = "Старый корректор медленно сравнивал две рукописи. Каждое различие он записывал карандашом."
FRENCH = "L'été dernier, le vieux relecteur comparait déjà deux éditions à la lumière d'une fenêtre près du théâtre."


def check(data: bytes, **options: object) -> tuple[str, Decoding]:
    """Decode and hold the laws: bytes come back, segments cover the text, no U+FFFD without its bytes."""
    text, decoding = decode(data, **options)  # type: ignore[arg-type]
    assert encode(text, decoding) == data
    assert (text, decoding) == decode(data, **options)  # type: ignore[arg-type]
    covers(text, decoding)
    return text, decoding


def covers(text: str, decoding: Decoding) -> None:
    place = 0
    for segment in decoding.segments:
        assert segment.start == place and segment.end >= place
        place = segment.end
        part = text[segment.start : segment.end]
        if segment.encoding == "bad":
            assert segment.raw and part == "\ufffd" * len(segment.raw)
        elif segment.raw is None:
            assert part and segment.encoding not in {"bad", ""}
    assert place == len(text)
    pairs = zip(decoding.segments, decoding.segments[1:], strict=False)
    assert all((a.encoding, a.raw is None) != (b.encoding, b.raw is None) for a, b in pairs)
    assert 0 < decoding.confidence <= 1 and decoding.evidence and all(decoding.evidence)
    text.encode()  # no lone surrogate gets out


ENCODINGS = [
    ("utf-8", "utf-8", SIMPLE),
    ("utf-8-sig", "utf-8", SIMPLE),
    ("utf-16", "utf-16-le", SIMPLE),
    ("utf-16-le", "utf-16-le", SIMPLE),
    ("utf-16-be", "utf-16-be", SIMPLE),
    ("utf-32", "utf-32-le", SIMPLE),
    ("gb2312", "gb18030", SIMPLE),
    ("gbk", "gb18030", SIMPLE),
    ("gb18030", "gb18030", SIMPLE),
    ("big5", "big5hkscs", TRADITIONAL),
    ("cp950", "big5hkscs", TRADITIONAL),
    ("big5hkscs", "big5hkscs", TRADITIONAL),
    ("utf-8", "utf-8", "plain ASCII\n"),
    ("utf-16-le", "utf-16-le", "Plain Latin text, with a café."),
    ("utf-16-be", "utf-16-be", "Plain Latin text, with a café."),
    ("utf-16-le", "utf-16-le", RUSSIAN),
    ("utf-16-be", "utf-16-be", KOREAN),
    ("utf-16-le", "utf-16-le", JAPANESE),
    ("utf-32-be", "utf-32-be", "Latin without a mark"),
    ("utf-8", "utf-8", RUSSIAN),
]


@pytest.mark.parametrize(("written", "found", "text"), ENCODINGS)
def test_whole_files_have_one_encoding(written: str, found: str, text: str) -> None:
    got, decoding = check(text.encode(written))
    assert got == text
    assert decoding.encoding == found
    assert decoding.bad_bytes == 0
    assert [s.encoding for s in decoding.segments if s.start < s.end] == [found]


@pytest.mark.parametrize("text", SHORT)
@pytest.mark.parametrize("written", ["gb2312", "gb18030", "utf-8", "utf-16", "utf-8-sig"])
def test_short_simplified_texts(text: str, written: str) -> None:
    assert check(text.encode(written))[0] == text


@pytest.mark.parametrize("text", SHORT_TRADITIONAL)
@pytest.mark.parametrize("written", ["big5", "big5hkscs", "utf-8"])
def test_short_traditional_texts(text: str, written: str) -> None:
    assert check(text.encode(written))[0] == text


@pytest.mark.parametrize("start", range(len(SIMPLE) - 8))
@pytest.mark.parametrize("written", ["utf-16-le", "utf-16-be", "gb18030"])
def test_eight_characters_are_enough(start: int, written: str) -> None:
    text = SIMPLE[start : start + 8]
    assert check(text.encode(written))[0] == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("他叫朱镕基，会说话。", id="gbk only: a name"),
        pytest.param("這是繁體字，寫在大陸的文件裡。", id="gbk only: traditional forms"),
        pytest.param("这个字写作㐂，读者很少见到。", id="extension A, four bytes"),
        pytest.param("古书里有𠀀字，今天的人不认识。", id="extension B, four bytes"),
    ],
)
def test_what_is_called_gb2312_may_hold_more(text: str) -> None:
    assert check(text.encode("gb18030"))[0] == text
    for label in ("gb2312", "GB_2312-80", "GBK", "cp936", "x-gbk", "euc-cn", "hz", "windows-936"):
        got, decoding = check(text.encode("gb18030"), encoding=label)
        assert (got, decoding.encoding, decoding.confidence) == (text, "gb18030", 1.0)
        assert label in decoding.evidence[0]


BIG5_ODD = [
    pytest.param("王大明‧李小華～他們都來了", "cp950", id="dot in names and tilde"),
    pytest.param("價錢是￥一百，還有€二十的貨物", "cp950", id="money"),
    pytest.param("佢哋喺度等咗好耐，我嚟嘞", "big5hkscs", id="Hong Kong characters"),
    pytest.param("時間的／空間的", "big5hkscs", id="slash"),
]


@pytest.mark.parametrize(("text", "written"), BIG5_ODD)
def test_big5_means_what_its_writers_meant(text: str, written: str) -> None:
    assert check(text.encode(written), encoding="big5")[0] == text


def test_big5_of_both_kinds_in_one_file() -> None:
    text = "佢哋話今日係廿六～廿七度，我哋去邊度好呢"
    data = b"\xa1\xe3".join(part.encode("big5hkscs") for part in text.split("～"))
    got, decoding = check(data, encoding="big5")
    assert got == text
    assert [s.encoding for s in decoding.segments] == ["big5hkscs", "cp950", "big5hkscs"]


def test_second_codes_of_one_character_come_back() -> None:
    data = TRADITIONAL.encode("big5") + b"\xa2\xcc\xa1\xfe" + TRADITIONAL.encode("big5")
    text, decoding = check(data)
    assert "十／" in text
    assert decoding.bad_bytes == 0
    assert any(s.raw and b"\xa2\xcc" in s.raw for s in decoding.segments)
    big = check(TRADITIONAL.encode("big5") * 900 + data)[1]
    assert max(len(s.raw or b"") for s in big.segments) < 200


@pytest.mark.parametrize("first", ["8862", "8864", "8866", "88a3", "88a5", "88a7"])
@pytest.mark.parametrize("second", ["8862", "8864", "8866", "88a3", "88a5", "88a7", "41"])
def test_codes_for_two_characters(first: str, second: str) -> None:
    check(bytes.fromhex(first + second) * 2, encoding="big5hkscs")


def with_byte(text: str, place: int, written: str, bad: bytes) -> bytes:
    return text[:place].encode(written) + bad + text[place:].encode(written)


@pytest.mark.parametrize("place", [0, 1, 7, len(SIMPLE)])
@pytest.mark.parametrize("bad", [b"\xff", b"\x80", b"\xe4\xb8", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf8"])
def test_utf8_with_few_bad_bytes(place: int, bad: bytes) -> None:
    text, decoding = check(with_byte(SIMPLE, place, "utf-8", bad))
    assert text == SIMPLE[:place] + "\ufffd" * len(bad) + SIMPLE[place:]
    assert decoding.encoding == "utf-8"
    assert decoding.bad_bytes == len(bad)
    assert decoding.segments[1 if place else 0] == Segment(place, place + len(bad), "bad", bad)


@pytest.mark.parametrize("text", [RUSSIAN, "Ένα παλιό βιβλίο", SIMPLE, TRADITIONAL, "今天很好，明天会更好"])
@pytest.mark.parametrize("lost", [1, 2])
def test_utf8_cut_inside_the_last_character(text: str, lost: int) -> None:
    data = (text.rstrip("。.") + ("字" if text[0] > "\u2000" else "ж")).encode()
    got, decoding = check(data[:-lost])
    assert decoding.encoding == "utf-8"
    assert got.rstrip("\ufffd") == data.decode()[:-1] if lost == 1 or text[0] > "\u2000" else True


def test_genuine_replacement_character_is_a_character() -> None:
    text, decoding = check("一\ufffd二".encode())
    assert (text, decoding.bad_bytes, len(decoding.segments)) == ("一\ufffd二", 0, 1)
    text, decoding = check((SIMPLE + "\ufffd").encode() + b"\xff")
    assert (text[-2:], decoding.bad_bytes) == ("\ufffd\ufffd", 1)
    assert check((SIMPLE + "\ufffd").encode("gb18030"))[1].bad_bytes == 0


DAMAGE = [
    pytest.param(lambda raw, i: raw[:i] + b"\xff" + raw[i + 1 :], id="a byte overwritten"),
    pytest.param(lambda raw, i: raw[:i] + raw[i + 1 :], id="a byte lost"),
    pytest.param(lambda raw, i: raw[:i] + b"\xff" + raw[i:], id="a byte put in"),
]


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize(("text", "written"), [(SIMPLE, "gb18030"), (TRADITIONAL, "big5")])
@pytest.mark.parametrize("at", [0.1, 0.35, 0.5, 0.8])
def test_legacy_text_with_one_damaged_byte_loses_little(damage, text: str, written: str, at: float) -> None:
    raw = text.encode(written)
    place = int(len(raw) * at)
    while raw[place] < 0x80:
        place += 1
    got, decoding = check(damage(raw, place))
    assert decoding.encoding in {"gb18030", "big5hkscs", "cp950"}
    assert decoding.bad_bytes or got != text
    kept = next(n for n in range(len(text) + 1) if n == len(text) or got[: n + 1] != text[: n + 1])
    tail = next(n for n in range(len(text) + 1) if n == len(text) or got[-n - 1 :] != text[-n - 1 :])
    # Six, because in Big5 the loss may go unnoticed: a first byte may pair with what looks like ASCII.
    assert kept + tail >= len(text) - 6


@pytest.mark.parametrize(("text", "written"), [(SIMPLE[:-1], "gb18030"), (TRADITIONAL[:-1], "big5")])
def test_legacy_text_cut_inside_the_last_character(text: str, written: str) -> None:
    got, decoding = check(text.encode(written)[:-1])
    assert got[: len(text) - 1] == text[:-1]
    assert decoding.bad_bytes == 1


MIXED = [
    pytest.param([(SIMPLE, "utf-8"), (SIMPLE, "gb18030")], "mixed: utf-8 + gb18030", id="half and half"),
    pytest.param([("他们来了。", "utf-8"), (SIMPLE, "gbk")], "mixed: utf-8 + gb18030", id="short UTF-8 line"),
    pytest.param([(SIMPLE, "utf-8"), ("第一章", "gbk")], "mixed: utf-8 + gb18030", id="short GB line"),
    pytest.param([(TRADITIONAL, "big5"), (TRADITIONAL, "utf-8")], "mixed: utf-8 + big5hkscs", id="Big5 first"),
    pytest.param(
        [("Title", "ascii"), (SIMPLE, "gbk"), ("", "ascii"), (RUSSIAN, "utf-8"), ("你好，朋友们！", "utf-8")],
        "mixed: utf-8 + gb18030",
        id="ASCII and Russian between",
    ),
    pytest.param(
        [(SIMPLE, "utf-8"), (SIMPLE, "gbk"), (SIMPLE, "gbk"), (TRADITIONAL, "big5")],
        "mixed: utf-8 + big5hkscs + gb18030",
        id="three encodings",
    ),
]


@pytest.mark.parametrize(("lines", "name"), MIXED)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_in_different_encodings(lines: list[tuple[str, str]], name: str, end: str) -> None:
    data = end.encode().join(line.encode(written) for line, written in lines)
    text, decoding = check(data)
    assert text == end.join(line for line, _ in lines)
    assert (decoding.encoding, decoding.bad_bytes) == (name, 0)


@pytest.mark.parametrize("order", [("utf-8", "gb18030"), ("gb18030", "utf-8")])
def test_two_files_put_together_without_a_line_end(order: tuple[str, str]) -> None:
    text, decoding = check(SIMPLE.encode(order[0]) + SIMPLE.encode(order[1]))
    assert text == SIMPLE * 2
    assert decoding.encoding == "mixed: utf-8 + gb18030"


def test_gb_lines_that_are_valid_utf8_by_chance_follow_the_others() -> None:
    common = "全台有力能地种种是们不中和大自"
    words = [a + b for a in SIMPLE + common for b in SIMPLE + common if "，" not in a + b and "。" not in a + b]
    lucky = next(w for w in words if w[0] != w[1] and valid_utf8(w.encode("gbk")))
    data = b"\n".join([SIMPLE.encode(), SIMPLE.encode("gbk"), lucky.encode("gbk"), b"\xc2\xb7 1\xc2\xb72"])
    text, _ = check(data)
    assert text.split("\n")[2:] == [lucky, "· 1·2"]


def valid_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_known_trap_one_bad_byte_is_not_greek() -> None:
    assert check(with_byte(SIMPLE * 10, 99, "utf-8", b"\xfe"))[1].encoding == "utf-8"


FOREIGN = [
    (JAPANESE, "shift_jis"),
    (JAPANESE, "euc_jp"),
    (KOREAN, "euc_kr"),
    (RUSSIAN, "koi8-r"),
    (RUSSIAN, "cp1251"),
    (RUSSIAN, "cp866"),
    (FRENCH, "latin-1"),
    (FRENCH, "cp850"),
]


@pytest.mark.parametrize(("text", "written"), FOREIGN)
def test_other_languages_are_not_claimed_as_chinese(text: str, written: str) -> None:
    for size in (12, 16, 24, 40, len(text)):
        for start in range(0, len(text) - size + 1, 3):
            raw = text[start : start + size].encode(written)
            if raw.isascii():
                continue
            try:
                _, decoding = check(raw)
            except EncodingError:
                continue
            assert not any(c in decoding.encoding for c in ("gb", "big5", "cp950", "mixed", "utf"))


@pytest.mark.parametrize(("text", "written"), FOREIGN[:3])
def test_chardet_knows_what_is_left(text: str, written: str) -> None:
    got, decoding = check(text.encode(written))
    assert got == text
    assert "chardet guesses" in decoding.evidence[-1]


def test_below_the_threshold_the_candidates_are_named() -> None:
    raw = FRENCH.encode("latin-1")
    with pytest.raises(EncodingError) as caught:
        decode(raw, name="a.txt")
    assert caught.value.where == "a.txt"
    assert caught.value.fix == "name the encoding with --encoding, for example --encoding gb18030"
    assert "iso8859" in caught.value.what and "0.6 is needed" in caught.value.what
    assert "\n" not in caught.value.what
    text, decoding = check(raw, threshold=0.01)
    assert text == FRENCH and decoding.confidence < 0.6
    with pytest.raises(EncodingError, match="is needed"):
        decode(JAPANESE.encode("euc_jp"), threshold=1.01)


def test_evidence_tells_the_steps_in_order() -> None:
    evidence = check(SIMPLE.encode("gbk"))[1].evidence
    assert evidence[0] == "no byte order mark"
    assert evidence[1].startswith("not strict UTF-8: the byte 0xc7 at offset 0")
    assert evidence[2] == "not UTF-16"
    assert evidence[-1].startswith("Chinese; share of common characters: gb18030 ")
    assert check("善本".encode())[1].evidence == ("no byte order mark", "UTF-8: every byte fits")
    assert check("善本".encode("utf-16"))[1].evidence == ("byte order mark of utf-16-le",)


@pytest.mark.parametrize(
    ("mark", "written"),
    [
        (b"\xef\xbb\xbf", "utf-8"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
        (b"\xff\xfe\0\0", "utf-32-le"),
        (b"\0\0\xfe\xff", "utf-32-be"),
        (b"\x84\x31\x95\x33", "gb18030"),
    ],
)
def test_a_mark_is_no_part_of_the_text(mark: bytes, written: str) -> None:
    text, decoding = check(mark + "中".encode(written))
    assert text == "中"
    assert decoding.segments[0] == Segment(0, 0, written, mark)
    told, again = check(mark + "中".encode(written), encoding=written)
    assert (told, again.segments[0].raw) == ("中", mark)
    with pytest.raises(SourceError, match="empty but for a byte order mark"):
        decode(mark)


def test_a_second_mark_is_a_character() -> None:
    assert check("\ufeff\ufeff中".encode())[0] == "\ufeff中"


def test_damage_behind_a_mark() -> None:
    text, decoding = check(b"\xff\xfe" + SIMPLE.encode("utf-16-le") + b"\x00\xd8\x41")
    assert text == SIMPLE + "\ufffd" * 3
    assert decoding.encoding == "utf-16-le"
    text, decoding = check(b"\xef\xbb\xbf\xe4\xb8\xad\xff")
    assert (text, decoding.encoding) == ("中\ufffd", "utf-8")
    text, decoding = check(b"\xef\xbb\xbf" + SIMPLE.encode("gbk"))
    assert (text, decoding.encoding) == (SIMPLE, "gb18030")


TOLD = [
    ("utf-8", "utf-8"),
    ("UTF8", "utf-8"),
    ("utf-8-sig", "utf-8"),
    ("ascii", "ascii"),
    ("latin-1", "iso8859-1"),
    ("cp1252", "cp1252"),
    ("utf-16", "utf-16-le"),
    ("utf-16-be", "utf-16-be"),
    ("utf-32", "utf-32-le"),
    ("shift_jis", "shift_jis"),
    ("euc-kr", "euc_kr"),
    ("koi8-r", "koi8-r"),
    ("big5", "big5hkscs"),
    ("gbk", "gb18030"),
]


@pytest.mark.parametrize(("label", "found"), TOLD)
def test_the_named_encoding_is_used(label: str, found: str) -> None:
    for data in (b"plain", SIMPLE.encode(), b"\xff\xff\x81", b"\x80" * 5, SIMPLE.encode("utf-16")):
        text, decoding = check(data, encoding=label)
        assert text
        assert decoding.confidence == 1.0
        assert decoding.evidence[0].startswith("the encoding was given")
        assert decoding.encoding == found or {decoding.encoding, found} <= {
            "big5hkscs", "cp950", "utf-16-le", "utf-16-be", "utf-32-be", "utf-32-le",
        }  # fmt: skip


@pytest.mark.parametrize("label", ["utf-16", "utf-16-be", "utf-16-le"])
@pytest.mark.parametrize("place", [0, 2, 8])
def test_lone_surrogates_do_not_shift_utf16(label: str, place: int) -> None:
    order = "utf-16-le" if label == "utf-16" else label
    raw = "校对 abc 的人".encode(order)
    lone = "\ud812".encode(order, "surrogatepass")
    text, decoding = check(raw[:place] + lone + raw[place:], encoding=label)
    assert text.replace("\ufffd", "") == "校对 abc 的人"
    assert decoding.bad_bytes == 2


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("no-such", "is not known"),
        ("", "is not known"),
        ("\0", "is not known"),
        ("编码", "is not known"),
        ("../x", "is not known"),
        ("aliases", "is not known"),
        ("base64", "no text encoding"),
        ("rot13", "no text encoding"),
        ("hex", "no text encoding"),
        ("zlib", "no text encoding"),
        ("utf-7", "keeps a state"),
        ("iso2022_jp", "keeps a state"),
        ("idna", "host names"),
        ("punycode", "host names"),
        ("unicode_escape", "program source"),
        ("raw_unicode_escape", "program source"),
        ("undefined", "no encoding by itself"),
        ("charmap", "no encoding by itself"),
    ],
)
def test_names_that_cannot_be_used(label: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        decode(b"abc", encoding=label)
    assert caught.value.fix


def test_hz_escapes_are_refused() -> None:
    with pytest.raises(UsageError, match="keeps a state"):
        decode("善本".encode("hz"), encoding="hz")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"PK\x03\x04\x14\x00", "ZIP archive"),
        (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", "old Office file"),
        (b"\x89PNG\r\n\x1a\n\0\0", "PNG"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "JPEG"),
        (b"GIF89a\1\0", "GIF"),
        (b"\x1f\x8b\x08\0", "compressed"),
        (b"\x7fELF\2\1", "program"),
        (b"RIFF\x24\x08\0\0WAVEfmt ", "RIFF"),
        (b"SQLite format 3\0", "SQLite"),
        (b"ID3\x03\0\0", "sound"),
        (b"\xff\xfb\x90\x64", "sound"),
        (b"\0\0\0\x18ftypmp42", "MP4"),
        (b"Rar!\x1a\x07\0", "archive"),
        (b"\0" * 100, "binary data"),
        (bytes(range(256)) * 8, "binary data"),
        (zlib.compress(SIMPLE.encode() * 9) * 9, "binary data"),
        (b"\1\2\3\4", "binary data"),
    ],
)
def test_what_is_no_text(data: bytes, kind: str) -> None:
    with pytest.raises(SourceError, match=kind) as caught:
        decode(data, name="x.bin")
    assert caught.value.where == "x.bin"
    assert "plain text" in caught.value.fix


def test_empty() -> None:
    with pytest.raises(SourceError, match="the source is empty") as caught:
        decode(b"", name="a.txt")
    assert caught.value.where == "a.txt" and caught.value.fix


@pytest.mark.parametrize(
    "data",
    [
        b" ",
        b"\n\n\n",
        b"\r\n\t \x0b\x0c",
        "\u3000\u3000\n".encode(),
        b"\x1b[31mred\x1b[0m\x07 bell\n",
        b"a\0b",
        b"one\x0ctwo\x1a",
        b"PK is a rapper; GIF is a format; RIFF too",
        b"ID3 tags are small",
        b"x",
    ],
)
def test_odd_but_text(data: bytes) -> None:
    text, decoding = check(data)
    assert (text, decoding.encoding) == (data.decode(), "utf-8")


def test_chardet_is_not_imported_for_clean_sources() -> None:
    code = (
        "import sys; from shanben.decode import decode;"
        "[decode('善本，可信之书'.encode(e)) for e in ('utf-8', 'gbk', 'utf-16')]; print('chardet' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


HOSTILE = [
    pytest.param(b"\xff\n" * 500_000, id="a bad byte a line"),
    pytest.param((SIMPLE + "\n").encode() + b"\xff\n" * 500_000, id="behind a good line"),
    pytest.param(("善本书\n".encode() + "善本书\n".encode("gbk")) * 60_000, id="changing lines"),
    pytest.param(("善本书".encode() + "善本书".encode("gbk")) * 60_000, id="changing in one line"),
    pytest.param(SIMPLE.encode("gbk") * 2000 + b"\xff" * 1_000_000, id="noise behind GB18030"),
    pytest.param(TRADITIONAL.encode("big5") * 2000 + b"\xa1\xfe" * 500_000, id="second codes"),
    pytest.param(b"a" * 3_000_000 + b"\xe9", id="long ASCII line"),
    pytest.param(b"\xc2\xb7\n" * 300_000 + (SIMPLE + "\n").encode("gbk") + SIMPLE.encode(), id="dots"),
]


@pytest.mark.parametrize("data", HOSTILE)
def test_hostile_input_ends_soon(data: bytes) -> None:
    start = time.process_time()
    try:
        text, decoding = decode(data)
    except ShanbenError:
        pass
    else:
        assert encode(text, decoding) == data
    assert time.process_time() - start < 8  # measured: below 1.5


HAN = st.text(st.sampled_from(SIMPLE + TRADITIONAL + "\n 12ab，“”"), min_size=1)
CHUNKS = st.lists(
    st.one_of(
        st.binary(max_size=6),
        HAN.map(lambda t: t.encode()),
        HAN.map(lambda t: t.encode("gb18030")),
        HAN.map(lambda t: t.encode("big5hkscs", "ignore")),
        HAN.map(lambda t: t.encode("utf-16-le")),
        st.sampled_from([b"\n", b"\r\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xa1\xfe", b"\x88\x62", b"\0"]),
    ),
    max_size=8,
).map(b"".join)


@given(CHUNKS, st.sampled_from([0.0, 0.6]))
@example(b"\xff\xfe\x00\xd8\x00", 0.6)
@example("联通".encode("gbk"), 0.0)
@settings(max_examples=400, deadline=None)
def test_all_accepted_bytes_come_back(data: bytes, threshold: float) -> None:
    try:
        text, decoding = decode(data, threshold=threshold)
    except ShanbenError:
        return
    assert encode(text, decoding) == data
    covers(text, decoding)


@given(
    CHUNKS, st.sampled_from([label for label, _ in TOLD] + ["utf-32-be", "big5hkscs", "cp950", "cp037", "euc_jis_2004"])
)
@settings(max_examples=400, deadline=None)
def test_all_bytes_come_back_in_a_named_encoding(data: bytes, label: str) -> None:
    try:
        text, decoding = decode(data, encoding=label)
    except SourceError:  # empty, or one of the known formats
        return
    assert encode(text, decoding) == data
    covers(text, decoding)


@given(st.text(min_size=1), st.sampled_from(["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030"]))
@settings(deadline=None)
def test_any_text_comes_back_in_its_own_encoding(text: str, written: str) -> None:
    try:
        data = text.encode(written)
        got, decoding = decode(data, encoding=written)
    except (SourceError, UnicodeEncodeError):
        return
    assert encode(got, decoding) == data
    assert got == text or (text[0] in "\ufeff\ufffe" and got == text[1:]) or written in {"utf-16", "utf-32"}
    assert decoding.bad_bytes == 0 or written == "utf-16"


@given(st.text(min_size=1), st.sampled_from(["utf-8-sig", "utf-16", "utf-32"]))
@settings(deadline=None)
def test_any_text_behind_a_mark(text: str, written: str) -> None:
    got, decoding = decode(text.encode(written))
    assert encode(got, decoding) == text.encode(written)
    assert got == text


@given(HAN.filter(lambda t: sum(c > "\u4e00" for c in t) >= 12), st.sampled_from(["gb18030", "utf-16-le", "utf-16-be"]))
@settings(deadline=None)
def test_chinese_of_some_length_is_recognised(text: str, written: str) -> None:
    got, decoding = decode(text.encode(written))
    assert encode(got, decoding) == text.encode(written)
    assert got == text


@given(st.text(st.sampled_from(TRADITIONAL + "\n 12，"), min_size=30).filter(lambda t: not t.isascii()))
@settings(deadline=None)
def test_big5_of_some_length_is_recognised(text: str) -> None:
    data = text.encode("big5hkscs")
    got, decoding = decode(data, encoding="big5hkscs")
    assert (got, encode(got, decoding)) == (text, data)
    if sum(c > "\u4e00" for c in text) >= 16:
        assert decode(data)[0] == text


# --- at speed ----------------------------------------------------------------------------------------------


def test_utf8_never_loads_chardet() -> None:
    script = "import sys; from shanben.decode import decode; decode('善本，可信之书。'.encode()); print('chardet' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=120), st.integers(0, 80))
@example("善本" * 30 + "\x01\x02", 0)
@example("ftyp" * 3, 4)
def test_utf8_read_at_once_is_read_as_with_care(text: str, start: int) -> None:
    """Both ways give the same text, encoding and segments; they refuse the same."""
    data = ("善" * (start // 3) + text).encode()

    def told(read: Callable[[], tuple[str, Decoding]]) -> tuple[str, str, tuple[Segment, ...]] | type[ShanbenError]:
        try:
            found, decoding = read()
        except ShanbenError as error:
            return type(error)
        return found, decoding.encoding, decoding.segments

    assert told(lambda: decode(data)) == told(lambda: read_by_evidence(data, None, "", 0.6))


def test_no_format_begins_with_a_byte_that_is_not_looked_at() -> None:
    for pattern, name in FORMATS:
        if not pattern.startswith(b".{"):
            begin = {b for b in range(256) if regex.fullmatch(pattern, bytes([b]), regex.DOTALL, partial=True)}
            assert begin and begin <= set(_FIRST), name


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("何故喧哗？”话未", "gbk"),
        ("陈旭、陈振堂兄弟", "gb18030"),
        ("敢衝撞朝廷。\n嚴", "big5"),
        ("醉翁微醺似泥，喜", "utf-16-le"),
        ("懒待汤着，几番待要觅尤云", "utf-16-be"),
    ],
)
def test_short_texts_of_rarer_characters(text: str, written: str) -> None:
    assert check(text.encode(written))[0] == text


@pytest.mark.parametrize(
    ("text", "written"),
    [("인증 토큰 만료", "euc_kr"), ("변환 입력에서 잘못된 바이트 순서", "cp949"), ("動的文字列表", "euc_jp")],
)
def test_neighbours_are_not_taken_for_rare_chinese(text: str, written: str) -> None:
    """A refusal is fine; Chinese that was never written is not."""
    try:
        found, _ = decode(text.encode(written))
    except EncodingError:
        return
    assert found == text
