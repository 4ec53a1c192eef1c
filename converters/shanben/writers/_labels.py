"""The words that an edition says by itself, in simplified Chinese, traditional Chinese and English."""

from __future__ import annotations

import re
from typing import NamedTuple


class Labels(NamedTuple):
    """One language's words. Templates in braces are filled with :meth:`str.format`."""

    toc: str
    cover: str
    title_page: str
    body: str
    landmarks: str
    pages: str
    skip: str
    colophon: str
    accessibility: str
    made: str
    made_by_hand: str
    source: str
    size: str
    size_value: str
    encoding: str
    encoding_value: str
    rulebook: str
    program: str
    text_digest: str
    suggestions: str
    suggestions_value: str
    rules: str
    rule: str
    fault: str
    times: str
    no_rules: str


HANS = Labels(
    toc="目录",
    cover="封面",
    title_page="书名页",
    body="正文",
    landmarks="导览",
    pages="页码",
    skip="跳到正文",
    colophon="关于本版",
    accessibility="本书以文字为主，阅读顺序分明，标题与目录可供导航，字体、字号与颜色均可由读者调整；封面图附有文字说明。",
    made="本版由善本（Shanben）{version} 依来源文件与规则集整理而成。来源文件的字节未作任何改动；"
    "正文凡有改易，皆出自具名规则，逐条记入校勘记，可以查验，也可以撤回。把握不足之处只作建议，不改原文；"
    "原文隐去之字照录，不加填补。来源文件、规则集与程序版本相同，所得版本逐字节相同。",
    made_by_hand="本版由善本（Shanben）据已整理的文稿排成，文字未作改动。",
    source="来源",
    size="大小",
    size_value="{0:,} 字节",
    encoding="编码",
    encoding_value="{0}（把握 {1:.0%}）",
    rulebook="规则集摘要",
    program="程序版本",
    text_digest="正文摘要",
    suggestions="未决建议",
    suggestions_value="{0} 处",
    rules="改动一览",
    rule="规则",
    fault="所改之误",
    times="次数",
    no_rules="没有规则改动过正文。",
)
HANT = Labels(
    toc="目錄",
    cover="封面",
    title_page="書名頁",
    body="正文",
    landmarks="導覽",
    pages="頁碼",
    skip="跳到正文",
    colophon="關於本版",
    accessibility="本書以文字為主，閱讀順序分明，標題與目錄可供導航，字體、字號與顏色均可由讀者調整；封面圖附有文字說明。",
    made="本版由善本（Shanben）{version} 依來源檔案與規則集整理而成。來源檔案的位元組未作任何改動；"
    "正文凡有改易，皆出自具名規則，逐條記入校勘記，可以查驗，也可以撤回。把握不足之處只作建議，不改原文；"
    "原文隱去之字照錄，不加填補。來源檔案、規則集與程式版本相同，所得版本逐位元組相同。",
    made_by_hand="本版由善本（Shanben）據已整理的文稿排成，文字未作改動。",
    source="來源",
    size="大小",
    size_value="{0:,} 位元組",
    encoding="編碼",
    encoding_value="{0}（把握 {1:.0%}）",
    rulebook="規則集摘要",
    program="程式版本",
    text_digest="正文摘要",
    suggestions="未決建議",
    suggestions_value="{0} 處",
    rules="改動一覽",
    rule="規則",
    fault="所改之誤",
    times="次數",
    no_rules="沒有規則改動過正文。",
)
ENGLISH = Labels(
    toc="Contents",
    cover="Cover",
    title_page="Title page",
    body="Text",
    landmarks="Landmarks",
    pages="Pages",
    skip="Skip to the text",
    colophon="About this edition",
    accessibility="A text publication with a logical reading order, headings and a table of contents to "
    "navigate by; fonts, sizes and colours can be changed by the reader. The cover image is described in words.",
    made="This edition was made by Shanben {version} from the source and the rules named below. No byte of "
    "the source was changed. Every change to the text was made by a named rule and stands in the ledger, where it "
    "can be checked and undone. Where the evidence was weak the text was left alone and a suggestion noted; "
    "words withheld in the source are withheld here. The same source, rules and version give the same bytes.",
    made_by_hand="This edition was set by Shanben from a text already prepared; no word was changed.",
    source="Source",
    size="Size",
    size_value="{0:,} bytes",
    encoding="Encoding",
    encoding_value="{0} (confidence {1:.0%})",
    rulebook="Digest of the rules",
    program="Program version",
    text_digest="Digest of the text",
    suggestions="Open suggestions",
    suggestions_value="{0}",
    rules="Changes by rule",
    rule="Rule",
    fault="Fault mended",
    times="Times",
    no_rules="No rule changed the text.",
)


def language_tag(language: str) -> str:
    """Give a well-formed BCP 47 tag; Chinese is named by its script, because regions say little about it.

    What is no tag at all (``C``, markup, nothing) becomes ``und``.

    >>> [language_tag(tag) for tag in ("zh-CN", "zh_TW", "zh", "zh-hant-hk", "en-GB", "C", "<b>")]
    ['zh-Hans', 'zh-Hant', 'zh-Hans', 'zh-Hant', 'en-GB', 'und', 'und']
    """
    tag = language.strip().replace("_", "-")
    if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,6}", tag):
        return "und"
    parts = tag.lower().split("-")
    if parts[0] in ("zh", "cmn", "yue", "lzh") and "latn" not in parts:
        traditional = "hant" in parts or ("hans" not in parts and {"tw", "hk", "mo"} & set(parts))
        return "zh-Hant" if traditional else "zh-Hans"
    return "-".join([parts[0], *(p.title() if len(p) == 4 else p.upper() if len(p) == 2 else p for p in parts[1:])])


def labels(language: str) -> Labels:
    """Give the words for a language tag; English where we have no better.

    >>> labels("zh-Hant").toc, labels("zh-CN").toc, labels("fr").toc
    ('目錄', '目录', 'Contents')
    """
    return {"zh-Hans": HANS, "zh-Hant": HANT}.get(language_tag(language), ENGLISH)
