"""Documents made by hand that the tests of writers, verification and gates share."""

from __future__ import annotations

from shanben.values import Action, Block, Document, Inline, Metadata, Provenance

HOSTILE_TITLE = (
    "<script>alert(1)</script>&amp;\"'` ${x} $y$ **粗** _斜_ \N{RIGHT-TO-LEFT OVERRIDE}反\N{POP DIRECTIONAL FORMATTING}"
    " ]]> --> ../../etc/passwd \x00\x1b[31m\r\n\N{IDEOGRAPHIC SPACE}" + "極長之題" * 2500
)
PROVENANCE = Provenance(
    source_name="003_报纸.txt",
    source_sha256="0f" * 32,
    source_size=11_354,
    encoding="utf-8",
    confidence=0.99,
    rulebook_digest="a1" * 32,
    version="0.1.0",
    actions=(
        Action("han-comma-fullwidth", "汉字之间用了半角逗号", 214),
        Action("icp-footer", "网页页脚的备案号", 1),
        Action("interleaved-columns", "两栏的行交错混排", 39),
        Action("never-acted", "从未发生", 0),
    ),
    suggestions=3,
)
PROSE = (
    "今年以来，**市坚持以习惯的方式推进工作，“两会”期间共收到建议2,300件——其中重点督办45件……群众满意度达98.6%。",
    "会议指出，要牢牢把握“稳中求进”的总基调，统筹推进各项工作；要坚持问题导向，切实解决人民群众“急难愁盼”的问题。"
    "对于（一）基层反映强烈的；（二）久拖不决的；（三）涉及面广的，要逐一建账、逐一销账，做到“件件有着落、事事有回音”。",
    "记者从GDP核算处了解到，2019年第3季度同比增长6.0%，环比增长1.5%，PM2.5浓度下降12微克/立方米。",
    "据悉，该工程由×××负责，总投资约□□亿元，计划于2020年10月竣工。",
)


def title(text: str) -> Block:
    """Give the block that every Document begins with."""
    return Block("title", text, 1)


def heading(text: str, level: int = 2) -> Block:
    """Give a heading."""
    return Block("heading", text, level)


def paragraph(text: str) -> Block:
    """Give a paragraph with its redactions marked."""
    spans, start = [], 0
    for mark in ("**市", "×××", "□□"):
        start = text.find(mark)
        if start >= 0:
            spans.append(Inline(start, start + len(mark), "redaction"))
    return Block("paragraph", text, 0, tuple(sorted(spans, key=lambda s: s.start)))


def simplified() -> Document:
    """Give a newspaper article of simplified Chinese with every kind of block."""
    name = "**市深入推进“最多跑一次”改革 奋力开创高质量发展新局面"
    return Document(
        Metadata(
            title=name, subtitle="——在全市工作会议上的讲话", creators=("张三", "李四 Smith"), date="2019-10-08",
            source="**日报",
            url="https://example.org/a?b=1&c=2", publisher="**日报社", rights="CC BY 4.0",
            subjects=("政务", "改革"), description="一篇讲话。", series="日报选编", series_position=3,
        ),
        (
            title(name),
            Block("subtitle", "——在全市工作会议上的讲话"),
            Block("byline", "本报记者　张三　李四"),
            Block("salutation", "同志们："),
            *map(paragraph, PROSE),
            heading("一、总体要求"),
            paragraph(PROSE[1]),
            Block("item", "（一）深化改革，“放管服”并举；"),
            Block("item", "（二）优化服务，让数据多跑路、群众少跑腿，把该放的放到位、该管的管起来、该服务的服务好；"),
            heading("（一）目标任务", 3),
            paragraph(PROSE[2]),
            Block("separator", ""),
            heading("二、保障措施"),
            paragraph(PROSE[3]),
            Block("signature", "**市人民政府办公室"),
            Block("date", "2019年10月8日"),
        ),
        (PROVENANCE,),
    )  # fmt: skip


def traditional() -> Document:
    """Give a text of traditional Chinese."""
    return Document(
        Metadata(title="桃花源記", language="zh-Hant", creators=("陶淵明",)),
        (
            title("桃花源記"),
            Block("byline", "晉　陶淵明"),
            paragraph(
                "晉太元中，武陵人，捕魚為業。緣溪行，忘路之遠近。忽逢桃花林，夾岸數百步，中無雜樹，芳草鮮美，落英繽紛。"
            ),
            paragraph("見漁人，乃大驚，問所從來。具答之。便要還家，設酒殺雞作食。「此中人語云：『不足為外人道也。』」"),
        ),
        (PROVENANCE,),
    )


def english() -> Document:
    """Give an English text."""
    return Document(
        Metadata(title="On the Collation of Copies", language="en", creators=("A. N. Author",), date="1911"),
        (
            title("On the Collation of Copies"),
            paragraph("A copy that has been collated can be relied on. " * 6 + "So it was held."),
            heading("Of witnesses"),
            paragraph("Where two witnesses differ, “the harder reading is the better one”, said an old rule. " * 4),
            Block("item", "1. Name the base text."),
            Block("item", "2. Name the witness."),
        ),
        (PROVENANCE,),
    )


def verse() -> Document:
    """Give poems, with indents and a stanza break."""
    return Document(
        Metadata(title="唐诗二首"),
        (
            title("唐诗二首"),
            heading("静夜思"),
            Block("byline", "李白"),
            Block("verse", "床前明月光，\n疑是地上霜。\n举头望明月，\n低头思故乡。"),
            heading("登幽州台歌"),
            Block("verse", "前不见古人，\n  后不见来者。\n\n念天地之悠悠，\n\N{IDEOGRAPHIC SPACE}独怆然\n 而涕下！"),
        ),
        (PROVENANCE,),
    )


def novel(volumes: int = 2, chapters: int = 3) -> Document:
    """Give a novel in volumes and chapters."""
    blocks = [title("长夜行"), Block("byline", "无名氏　著")]
    number = 0
    for volume in range(1, volumes + 1):
        blocks.append(Block("part", f"第{volume}卷　风起", 2))
        for _ in range(chapters):
            number += 1
            blocks.append(Block("chapter", f"第{number}章　夜路", 3))
            blocks += map(paragraph, PROSE)
    return Document(Metadata(title="长夜行", creators=("无名氏",)), tuple(blocks), (PROVENANCE,))


def collection(parts: int = 2, works: int = 3) -> Document:
    """Give several works bound together, each with headings of its own."""
    blocks = [title("报章选编")]
    sources = []
    for part in range(1, parts + 1):
        blocks.append(Block("part", f"第{part}编　时政", 2))
        for work in range(1, works + 1):
            number = (part - 1) * works + work
            blocks.append(Block("chapter", f"第{number}篇：稳中求进", 3))
            blocks.append(Block("byline", "本报讯"))
            blocks += map(paragraph, PROSE[:2])
            blocks.append(heading("一、要求", 4))
            blocks.append(paragraph(PROSE[2]))
            name = f"{number:03d}.txt"
            sources.append(
                Provenance(name, f"{number:064x}", 1000 + number, "gb18030", 0.9, "a1" * 32, "0.1.0",
                           (Action("han-comma-fullwidth", "汉字之间用了半角逗号", number),), number % 2)
            )  # fmt: skip
    return Document(
        Metadata(title="报章选编", creators=("编者",), series="选编"), tuple(blocks), tuple(sources), is_collection=True
    )


def hostile() -> Document:
    """Give a Document whose metadata and text try to break out."""
    bad = HOSTILE_TITLE
    return Document(
        Metadata(title=bad, language="zh-Hant", subtitle=bad[:300], creators=(bad[:400], "\u202e<b>"),
                 date="<date>", source=bad[:200], publisher="</p>", rights="&",
                 subjects=("<", ""), description=bad[:500], series=bad[:90]),
        (
            title("<script>alert(1)</script>&amp; **粗** $x$ " + "極長之題" * 2500),
            paragraph("1. 不是 **不粗** _不斜_ <b>不粗</b> &amp; &lt; ` $x^2$ # [a](http://x.example/) ![](b.png) ]"),
            heading("${for(x)} <h1>標題</h1> \N{LEFT RIGHT ARROW}\N{LEFTWARDS ARROW WITH HOOK}"),
            paragraph("    四个空格　 \u00a0 两  个\u200b空格 \N{LEFT RIGHT ARROW} \U00020000\u0301 \u202eabc\u202c"),
            Block("item", "- <li>"),
        ),
        (
            Provenance("../\udcff<b>&.txt", "0f" * 32, 1, "<enc>", 0.5, "a1" * 32, "0.1.0",
                       (Action("<u>", "&\x00\ud800", 2),)),
        ),
    )  # fmt: skip


def without_provenance() -> Document:
    """Give the smallest Document: a title, and nothing known."""
    return Document(Metadata(title="一行"), (title("一行"),))


def paged() -> Document:
    """Give a Document whose source had pages: one begins inside a paragraph, one with a heading, one with verse."""
    return Document(
        Metadata(title="有页码的书"),
        (
            title("有页码的书"),
            Block("paragraph", "第一页的末尾与第二页的开头。", inlines=(Inline(6, 6, "page", "2"),)),
            Block("heading", "第二节", 2, inlines=(Inline(0, 0, "page", "3"),)),
            paragraph("正文。"),
            Block("verse", "床前明月光，\n疑是地上霜。", inlines=(Inline(7, 7, "page", "4"),)),
        ),
        (PROVENANCE,),
    )


def all_samples() -> dict[str, Document]:
    """Give every sample by name."""
    return {
        "simplified": simplified(), "traditional": traditional(), "english": english(), "verse": verse(),
        "novel": novel(), "collection": collection(), "hostile": hostile(), "smallest": without_provenance(),
        "paged": paged(),
    }  # fmt: skip
