"""Whatever a text holds, it stands letter for letter in EPUB, HTML and plain text.

pandoc takes about 30 ms to start, so each example is one Document with many blocks.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shanben.values import BLOCK_KINDS, Block, BlockKind, Document, Edition, Inline, Metadata
from shanben.verify import check_editions, problems, read_back
from shanben.writers import all_writers

MARKUP = r"""** * __ _ ~~ ~ ^ ` ``` $x$ $$ \ \( <b> </p> <!-- --> <![CDATA[ ]]> ] [a](b) ![a](b) &amp; & &#0; &nbsp;
--- ... -- ' " “ ” $for(a)$ ${a} {.class} {{ % @cite ::: \newpage http:// |a| **市 ××× □□ —— …… ， 善本 が אב ↔ ↩"""
FRAGMENTS = (
    *MARKUP.split(),
    *("1. ", "10) ", "- ", "+ ", "# ", "> ", "    ", "\t", "  ", "\u00a0", "\u3000", "\u2028", "\u2029", "\u0085"),
    *"\u200b\u200d\ufeff\u00ad\u007f\u202e\u202c\u2066\u0301\u20dd\u3099\u0600\ufe0e\ufe0f\U000e0100",
    *"\ue000\ue001\U0010fffd\U00020000",
)
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\x0b\x0c\ufffe\uffff" + "".join(
    chr(n) for n in range(32) if chr(n) not in "\t\n\r\x0b\x0c"
))  # fmt: skip
LINES = st.lists(st.sampled_from(FRAGMENTS) | st.text(CHARACTERS, max_size=8), min_size=1, max_size=12).map("".join)
TITLES = LINES.filter(str.strip)


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    kind: BlockKind = draw(st.sampled_from([k for k in BLOCK_KINDS if k not in ("title", "separator")]))
    lines = draw(st.lists(LINES | st.just(""), max_size=4)) if kind == "verse" else []
    text = "\n".join([draw(LINES.filter(bool)), *lines, draw(LINES.filter(bool))]) if lines else draw(LINES)
    ends = sorted(draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))
    level = {"part": 2, "chapter": 2, "heading": draw(st.integers(2, 6))}.get(kind, 0)
    return Block(kind, text, level, (Inline(ends[0], ends[1], "redaction"),))


def normalised(found: list[Block]) -> tuple[Block, ...]:
    """Give the blocks with heading levels as structure gives them: none skipped."""
    done, before = [], 1
    for block in found:
        if block.level and block.text:
            before = min(block.level, before + 1)
            block = Block(block.kind, block.text, before, block.inlines)
        done.append(block)
    return tuple(done)


DOCUMENTS = st.builds(
    lambda title, found, metadata, collection: Document(
        metadata, (Block("title", title, 1), *normalised(found)), (), collection
    ),
    TITLES,
    st.lists(blocks(), max_size=25),
    st.builds(
        Metadata,
        title=LINES,
        language=st.sampled_from(["zh-Hans", "zh-Hant", "en", "x<y"]),
        creators=st.lists(LINES, max_size=2).map(tuple),
        date=LINES | st.just("1949-10-01"),
        series=LINES,
        source=LINES,
        description=LINES,
    ),
    st.booleans(),
)
LONG = Document(
    Metadata("长"),
    (
        Block("title", "长", 1),
        Block("paragraph", "很长" * 50_000),
        Block("verse", "a" * 100_000 + "\n" + "b " * 50_000),
    ),
)
KITCHEN_SINK = Document(
    Metadata("".join(FRAGMENTS)),
    (
        Block("title", "".join(FRAGMENTS), 1),
        *(Block("heading", f"x{fragment}", 2) for fragment in FRAGMENTS),
        *(Block("paragraph", fragment) for fragment in FRAGMENTS if fragment.strip()),
        *(Block("item", f"{fragment}甲{fragment}") for fragment in FRAGMENTS),
        Block("verse", "\n".join(FRAGMENTS)),
        Block("verse", "甲\n\n\n乙\n \n丙"),
    ),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@example(LONG)
@example(KITCHEN_SINK)
@given(DOCUMENTS)
def test_any_text_survives_in_every_format(document: Document):
    editions = [Edition(name, name, writer.write(document)) for name, writer in all_writers().items()]
    found = problems(check_editions(document, editions))
    ignored = {"E001", "E005"}  # the language is not the subject here; a lone space is an empty paragraph to a reader
    assert [finding for finding in found if finding.code not in ignored] == []


@pytest.mark.parametrize("kind", ["epub", "html"])
def test_every_code_point_survives(kind: str):
    """All of Unicode that XML can hold, each code point between two letters."""
    points = [n for n in range(0x9, 0x110000) if n not in (0xA, 0xD, 0xFFFE, 0xFFFF)]
    points = [n for n in points if n == 9 or (n >= 32 and not 0xD800 <= n < 0xE000)]
    texts = ["x" + "x".join(map(chr, points[at : at + 4000])) + "x" for at in range(0, len(points), 4000)]
    document = Document(Metadata("全"), (Block("title", "全", 1), *(Block("paragraph", text) for text in texts)))
    assert read_back(Edition(kind, kind, all_writers()[kind].write(document))) == document.texts
