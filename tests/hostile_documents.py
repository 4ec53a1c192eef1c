"""Documents that were made to do harm, the same on every machine: whatever a file can hold that a program stumbles over.

`documents(count)` gives as many as are wanted. Every kind of text comes in turn, every way to write it as bytes comes
in turn, and the two counts have no common divisor, so that in time each text meets each encoding.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

HAN = (
    "会议强调，要抓好落实。", "各地各部门要提高认识,加强领导.", "本条例自发布之日起施行。", "他说\"今天下雨\"，就走了。",
    "第一章 总则", "一、总体要求", "（二）健全机制", "政协**市委员会", "共2,300件，占13.4%", "10:30开会", "李某某、张××", "见http://a.cn/b,c",
)  # fmt: skip
COMBINING = "".join(map(chr, range(0x300, 0x330))) + "\u20dd\u3099\u0e31\u0941"
BIDI = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c"
INVISIBLE = "\u00ad\u034f\u115f\u180e\u200b\u200c\u200d\u2060\u2061\u2063\u206a\u206f\u3164\ufe00\ufe0f\ufeff\ufff9\ufffa\ufffb\U000e0001\U000e0041\U000e0100"
PRIVATE = "\ue000\ue5e5\uf8ff\U000f0000\U000ffffd\U00100000\U0010fffd"
NO_CHARACTERS = "\ufdd0\ufdef\ufffe\uffff\U0001fffe\U0001ffff\U0010fffe\U0010ffff\ufffc\ufffd"
EMOJI = (
    "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "\U0001f1e8\U0001f1f3\U0001f1fa", "1\ufe0f\u20e3", "\u2764\ufe0f\u200d\U0001f525", "\U0001f3fb\U0001f3ff",
)  # fmt: skip
LINE_ENDS = (
    "\n",
    "\r",
    "\r\n",
    "\n\r",
    "\x85",
    "\u2028",
    "\u2029",
    "\x0b",
    "\x0c",
    "\x1c",
    "\x1d",
    "\x1e",
    "\r\r\n",
    "\n\n\n",
)
PAIRS = "“”‘’\"'（）()《》<>〈〉【】[]「」『』{}｛｝〔〕«»"
MARKUP = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</p></body></html>", "<!-- ", "]]>", "<![CDATA[", "<?xml version='1.0'?>",
    "<!DOCTYPE x [<!ENTITY a 'b'>]>", "&a;", "&#0;", "&#x110000;", "&nbsp;&lt;", "javascript:alert(1)", "{{7*7}}", "${x}", "$for(x)$", "**粗** __x__ `c`",
    "# 标题\n## 二\n---\n===\n", "| a | b |\n| - | - |", "[a](b){.c}", "\\(x^2\\)", "\\input{/etc/passwd}", "::: x\n:::", "<svg onload=a>", "style=\"x:expression(1)\"",
)  # fmt: skip
FRAME = (
    "当前位置：首页 > 新闻 > 正文", "【字体：大 中 小】【打印】【关闭】", "来源：新华社 作者：张三 时间：2024-01-26 10:43", "责任编辑：李四", "上一篇：无", "下一篇：没有了",
    "版权所有：某某公司 京ICP备12345678号-1", "分享到：微信 微博", "##paidbegin##", "[bookmark: _GoBack]", "HYPERLINK \"http://a.cn\"", "PAGE \\* MERGEFORMAT3", "- 12 -", "第3页 共9页",
    "（下转第四版）", "（上接第一版）",
)  # fmt: skip
YAML = (
    "---\nrules:\n- id: x\n  match: '(a+)+$'\n  replace: !!python/object x\n",
    "&a [*a, *a]\n",
    "a: |\n  b\n...\n%YAML 9\n",
    "? {a: b}\n: <<: *x\n",
)
OPF = (
    '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf"><metadata><dc:title>x</dc:title></metadata></package>',
    '<spine><itemref idref="../../etc"/></spine>', '<rootfile full-path="/etc/passwd"/>', "application/epub+zip",
)  # fmt: skip


def _ledger_lines(chance: random.Random) -> str:
    lines = [
        {"shanben-ledger": 1, "version": "0", "decoding": {"segments": [[0, 10**9, "utf-8"]]}},
        {"pass": 0, "unit": "x", "phase": "layout", "digest": "0", "round": 1},
        {"at": chance.randrange(10**6), "before": "", "after": "甲", "to": -1},
    ]
    return "\n".join(json.dumps(line, ensure_ascii=False) for line in lines) + "\n"


def _prose(chance: random.Random, lines: int) -> str:
    return "\n".join("".join(chance.choices(HAN, k=chance.randint(1, 4))) for _ in range(lines)) + "\n"


def _sprinkled(signs: str) -> Callable[[random.Random], str]:
    """Put signs between, and doubled within, the words of a prose text."""

    def make(chance: random.Random) -> str:
        return "".join(
            c + (chance.choice(signs) * chance.choice((1, 1, 3)) if chance.random() < 0.2 else "")
            for c in _prose(chance, 6)
        )

    return make


def _mixed(*pieces: str) -> Callable[[random.Random], str]:
    """Put pieces and prose in any order, with any line end between them."""

    def make(chance: random.Random) -> str:
        found = [*chance.choices(pieces, k=12), *chance.choices(HAN, k=12)]
        chance.shuffle(found)
        return "".join(piece + chance.choice(("", "\n", "\n", "\n\n", " ")) for piece in found)

    return make


def _line_ends(chance: random.Random) -> str:
    return "".join(chance.choice(HAN) + chance.choice(LINE_ENDS) for _ in range(40))


def _long_line(chance: random.Random) -> str:
    return "标题\n\n" + "".join(chance.choices(HAN, k=chance.randint(300, 1500)))


def _unpaired(chance: random.Random) -> str:
    sign = chance.choice(PAIRS)
    return f"{sign * chance.randint(1000, 4000)}\n" + "".join(chance.choice(PAIRS) + "会" for _ in range(500))


def _woven(chance: random.Random) -> str:
    """Read two columns across, row by row, some rows side by side in one line."""
    text = "".join(chance.choices(HAN, k=40))
    width = chance.randint(10, 22)
    rows = [text[at : at + width] for at in range(0, len(text), width)]
    half = len(rows) // 2
    glue = chance.choice(("\n", " ", "    "))
    return "\n".join(f"{a}{glue}{b}" for a, b in zip(rows[:half], rows[half:], strict=False)) + "\n"


def _mojibake(chance: random.Random) -> str:
    real, wrong = chance.choice(
        (("utf-8", "gb18030"), ("gb18030", "cp1252"), ("gb18030", "latin-1"), ("utf-8", "cp1252"), ("big5", "gb18030"))
    )
    return "\n".join(line.encode(real, "replace").decode(wrong, "replace") for line in _prose(chance, 6).split("\n"))


def _almost_empty(chance: random.Random) -> str:
    return chance.choice(
        (
            "甲",
            "\n",
            " ",
            "\u3000\n",
            ".",
            "**",
            "\ufeff",
            "\x00",
            "1",
            "\r",
            "“",
            "\u200b\n甲",
            "。\n\n\n",
            "#",
            "\t\t甲",
            "—",
        )
    )


def _any_code_points(chance: random.Random) -> str:
    points = (chance.choice((0x250, 0x3000, 0x9FFF, 0x10FFFF)) for _ in range(200))
    return "".join(c for n in points if not 0xD800 <= ord(c := chr(chance.randrange(n))) < 0xE000)


def _lists(chance: random.Random) -> str:
    signs = ("1. ", "（一）", "一、", "第一条 ", "- ", "* ", "　　", "    ", "①", "Q：", "> ")
    return "".join(chance.choice(signs) + chance.choice(HAN) + "\n" for _ in range(40))


TEXTS: dict[str, Callable[[random.Random], str]] = {
    "prose": lambda chance: _prose(chance, 12),
    "controls": _sprinkled("".join(map(chr, [*range(1, 32), 0x7F, *range(0x80, 0xA0)]))),
    "nuls": _sprinkled("\0"),
    "bidi": _sprinkled(BIDI),
    "invisible": _sprinkled(INVISIBLE),
    "combining": _sprinkled(COMBINING),
    "private": _sprinkled(PRIVATE),
    "noncharacters": _sprinkled(NO_CHARACTERS),
    "emoji": _mixed(*EMOJI),
    "line ends": _line_ends,
    "long line": _long_line,
    "unpaired": _unpaired,
    "markup": _mixed(*MARKUP),
    "yaml": _mixed(*YAML),
    "json": _mixed('{"a": [1, 2', '"\\ud800"', "NaN", "null", "[[[[", "}}}}", '{"title": "甲"}'),
    "ledger": lambda chance: _ledger_lines(chance) + _prose(chance, 3) + _ledger_lines(chance),
    "opf": _mixed(*OPF),
    "frame": _mixed(*FRAME),
    "woven": _woven,
    "mojibake": _mojibake,
    "almost empty": _almost_empty,
    "code points": _any_code_points,
    "lists": _lists,
}


def _in(codec: str, mark: bytes = b"") -> Callable[[str, random.Random], bytes]:
    return lambda text, _chance: mark + text.encode(codec, "surrogatepass" if codec.startswith("utf") else "ignore")


def _damaged(codec: str) -> Callable[[str, random.Random], bytes]:
    """Put in lone bytes, and take some away, so that characters are cut."""

    def write(text: str, chance: random.Random) -> bytes:
        data = bytearray(text.encode(codec, "ignore"))
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(data) + 1)
            if chance.random() < 0.5:
                data[at:at] = bytes(chance.randrange(128, 256) for _ in range(chance.randint(1, 3)))
            else:
                del data[at : at + chance.randint(1, 3)]
        return bytes(data)

    return write


def _by_lines(*codecs: str) -> Callable[[str, random.Random], bytes]:
    """Write each line in another encoding, as programs do that append to a file."""

    def write(text: str, chance: random.Random) -> bytes:
        return b"\n".join(line.encode(chance.choice(codecs), "ignore") for line in text.split("\n"))

    return write


WRITERS: dict[str, tuple[str, Callable[[str, random.Random], bytes]]] = {
    # way to write: the encoding as a user would name it, and how it is done
    "utf-8": ("utf-8", _in("utf-8")),
    "utf-8 with mark": ("utf-8", _in("utf-8", b"\xef\xbb\xbf")),
    "utf-16-le with mark": ("utf-16", _in("utf-16-le", b"\xff\xfe")),
    "utf-16-be with mark": ("utf-16", _in("utf-16-be", b"\xfe\xff")),
    "utf-16-le": ("utf-16-le", _in("utf-16-le")),
    "utf-16-be": ("utf-16-be", _in("utf-16-be")),
    "utf-32-le with mark": ("utf-32", _in("utf-32-le", b"\xff\xfe\0\0")),
    "utf-32-be with mark": ("utf-32", _in("utf-32-be", b"\0\0\xfe\xff")),
    "utf-32-le": ("utf-32-le", _in("utf-32-le")),
    "utf-32-be": ("utf-32-be", _in("utf-32-be")),
    "gb18030": ("gb18030", _in("gb18030")),
    "gb18030 with mark": ("gb18030", _in("gb18030", b"\x84\x31\x95\x33")),
    "gb18030, four bytes": (
        "gb18030",
        lambda text, _: "".join(c + "𠀀䶮\U0001f600ᠠ"[n % 4] for n, c in enumerate(text)).encode("gb18030", "ignore"),
    ),
    "gbk": ("gbk", _in("gbk")),
    "gb2312": ("gb2312", _in("gb2312")),
    "big5": ("big5", _in("big5")),
    "big5hkscs": (
        "big5hkscs",
        lambda text, _: f"{text}\n\u3435\u353e嘅咗喺啲\u00ca\u0304".encode("big5hkscs", "ignore"),
    ),
    "cp950": ("cp950", _in("cp950")),
    "euc-kr": ("euc_kr", _in("euc_kr")),
    "euc-jp": ("euc_jp", _in("euc_jp")),
    "euc-jis-2004": ("euc_jis_2004", _in("euc_jis_2004")),
    "shift-jis": ("shift_jis", _in("shift_jis")),
    "koi8-r": ("koi8-r", _in("koi8-r")),
    "cp1251": ("cp1251", _in("cp1251")),
    "cp1252": ("cp1252", _in("cp1252")),
    "latin-1": ("latin-1", _in("latin-1")),
    "damaged utf-8": ("utf-8", _damaged("utf-8")),
    "damaged gb18030": ("gb18030", _damaged("gb18030")),
    "damaged big5": ("big5", _damaged("big5hkscs")),
    "damaged utf-16": ("utf-16-le", _damaged("utf-16-le")),
    "damaged utf-32": ("utf-32-be", _damaged("utf-32-be")),
    "utf-8 and gb18030": ("utf-8", _by_lines("utf-8", "gb18030")),
    "utf-8 and big5": ("utf-8", _by_lines("utf-8", "big5")),
    "utf-8 and cp1252": ("utf-8", _by_lines("utf-8", "cp1252")),
}


@dataclass(frozen=True, slots=True)
class Hostile:
    """A document: what it is, its bytes, and the encoding that a user would name."""

    name: str
    data: bytes
    encoding: str


def documents(count: int) -> Iterator[Hostile]:
    """Give ``count`` documents, the same ones each time."""
    texts, writers = list(TEXTS.items()), list(WRITERS.items())
    for number in range(count):
        chance = random.Random(number)  # noqa: S311 - cases, not secrets
        (kind, make), (way, (encoding, write)) = texts[number % len(texts)], writers[number % len(writers)]
        yield Hostile(f"{number}: {kind} in {way}", write(make(chance), chance), encoding)
