"""The laws of the project hold for every input: the seeds, all rule examples, and text made to do harm.

Nothing here says what a rule should do; it says what no rule, step or writer may ever do. What a change did to
a text is counted from the JSON lines of the ledger, with a counting of our own, not with that of the program.
"""

from __future__ import annotations

import io
import json
import random
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from lxml import etree

from conftest import seed_folders
from shanben.build import Built, build_work
from shanben.errors import EncodingError, ShanbenError, SourceError
from shanben.ledger import from_jsonl, to_jsonl
from shanben.pipeline import Cleaned, clean, plan, revert
from shanben.rulebook.schema import METADATA_FIELDS
from shanben.structure import build_document, canonical_ledger
from shanben.tools.storage import safe_name
from shanben.works import Work, find_works

PROSE = (
    "会议强调，要抓好落实。", "各位代表：", "第一章 总则", "一、坚持以上率下，把学习作为首要任务", "（二）健全工作机制",
    "3. 围绕如何解决问题", "党的十八大以来，", "锚定\"三高四新\"蓝图,加快发展.", "落实\"'小快灵'立法要走在前列\"要求",
    "共2,300件", "占13.43%", "10:30开会", "以3:1获胜", "2024年4月29日", "二〇二四年一月", "GDP(国内生产总值)增长", "函数f(x)的值",
    "推广5G,加快建设", "To be, or not to be", "Mr. Wang", "不忘初心 牢记使命", "床前明月光，", "疑是地上霜。", "故事发生地--汝城县",
    "等等...", "约翰・史密斯", "印发<<实施办法>>的通知", "他说：“好。”", "”反了“", "《办法》", "来源：新华社", "作者：张三", "版权所有：梦达公司",
    "湘ICP备2022000191号", "上一篇：无", "- 1 -", "第1页 共2页", "篇1：", "前言", "（下转第四版）", "[bookmark: _GoBack]", "##paidbegin##",
    "http://www.example.cn/a,b?x=1", "a@example.com", "電子圖書館", "これは本です。", "한국어", "שלום", "Ärger", "这是", "，", "。", "、",
    "# 会议强调，要抓好落实工作，和各项", "## 二、提高地方", "（上接第A3版）", "接1版", " " * 20 + "省委理论学习中心组", "　　正文，继续说明，各项工作", ",是为了更好地统一思想。",
    "当前位置：首页 > 新闻", "【打印】【关闭】", "技术支持：甲", "PAGE \\* MERGEFORMAT3", "-2024年1月26日在会上", "他说：“未完，", "待续”。",
)  # fmt: skip
REDACTIONS = (
    "政协**市第五届",
    "李*同志",
    "张××同志",
    "□□县",
    "某某局",
    "XX县",
    "中共＊＊省委",
    "▇▇▇",
    "王某",
    "〇〇年",
    "__县",
    "县__",
)
MARKUP = (
    "<b>粗</b>", "</p>", "<script>alert(1)</script>", "<!-- 注 -->", "<![CDATA[x]]>", "&amp;", "&lt;b&gt;", "&amp;lt;", "&#42;&#42;", "&nbsp;", "&#0;", "&#xD800;",
    "**", "__", "##", "# ", "#", "$x$", "$$", "```", "`x`", "| a | b |", "[a](b)", "![a](b)", "\\(x\\)", "{.class}", "::: x", "1. ", "- ", "> ", "---", "===", "%", "@cite", "\\newpage",
)  # fmt: skip
ODD = (
    "\x00", "\x07", "\x1b[31m", "\x7f", "\x85", "\x0b", "\x0c", "\u00a0", "\u00ad", "\u0301", "e\u0301", "\u200b", "\u200d", "\u200f", "\u202e", "\u2028", "\u2029",
    "\u2066", "\u2069", "\u3000", "\ufeff", "\ufffd", "\ufffe", "\ufe0f", "\U0001f469\u200d\U0001f4bb", "\U00020000", "\U000e0100", "\U0010fffd", "\U0010ffff", "\ue000", "\u2f00", "\uf900", "↩", "↔", "①", "㎡", "Ａ", "１",
)  # fmt: skip
GLUE = ("", "", "", "\n", "\n", "\n\n", " ", "\u3000", "\r\n", "\r", "\n　　", "  ", "\t", "\n\n\n\n")


@cache
def rule_texts() -> tuple[str, ...]:
    """Give every example and keep of every shipped rule."""
    rules = plan().rulebook.rules
    pairs = [t for r in rules for e in r.examples for t in (e.before, e.after)]
    return tuple(dict.fromkeys([*pairs, *(k.text for r in rules for k in r.keep)]))


@cache
def seed_texts() -> tuple[str, ...]:
    return tuple(next(p.glob("source.*")).read_bytes().decode() for p in seed_folders())


PIECES = st.one_of(
    st.sampled_from(PROSE), st.sampled_from(PROSE), st.sampled_from(REDACTIONS), st.sampled_from(MARKUP), st.sampled_from(ODD),
    st.deferred(lambda: st.sampled_from(rule_texts())),
    st.deferred(lambda: st.sampled_from(rule_texts())),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
    st.text("的一是第章,.;:!?()\"'“”‘’（）《》<>#*-—…·=1０ \n\u3000X某", max_size=12),
    st.builds(lambda piece, n: piece * n, st.sampled_from((*MARKUP, *ODD, "的", "（", "“", "\"", " ", ",", "第", "会议强调 ", "甲\n")), st.integers(2, 40)),
)  # fmt: skip
TEXTS = st.lists(st.tuples(PIECES, st.sampled_from(GLUE)), min_size=1, max_size=14).map(
    lambda ps: "".join(a + b for a, b in ps)
)
WITH_SURROGATES = st.builds(
    lambda text, lone, at: text[: at % (len(text) + 1)] + lone + text[at % (len(text) + 1) :],
    TEXTS,
    st.sampled_from(["\ud800", "\udc80", "\udfff\ud800", "\ud83d\ude00"]),
    st.integers(0, 200),
)
ENCODINGS = (
    "utf-8",
    "utf-8-sig",
    "gb18030",
    "big5hkscs",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "euc_kr",
    "euc_jp",
    "koi8-r",
    "cp1252",
)
MANY = settings(max_examples=3 * settings.default.max_examples)  # type: ignore[union-attr]
FEW = settings(max_examples=max(6, settings.default.max_examples // 8))  # type: ignore[union-attr]


# --- counting of our own -----------------------------------------------------------------------------------


def letters(text: str) -> Counter[str]:
    """Count letters, Han characters and numbers by their category in the Unicode database."""
    return Counter(c for c in text if unicodedata.category(c)[0] in "LN")


def recorded(jsonl: str) -> Iterable[dict[str, object]]:
    """Give the changes as they stand in the file, each with the unit and the phase of its pass."""
    unit, phase = "", ""
    for line in jsonl.split("\n"):
        entry = json.loads(line) if line else {}
        if "pass" in entry:
            unit, phase = entry["unit"], entry["phase"]
        elif "before" in entry and "suggest" not in entry:
            yield entry | {"unit": unit, "phase": phase}


def redactions_of(text: str) -> list[str]:
    return [text[s.start : s.end] for s in plan().guards["redaction"](text)]


def assert_ledger(cleaned: Cleaned) -> None:
    """Source + ledger = clean text; clean text - ledger = source, byte for byte, from the file as well."""
    jsonl = to_jsonl(cleaned.ledger)
    assert "\r" not in jsonl
    assert jsonl.encode().decode() == jsonl
    back = from_jsonl(jsonl)
    assert to_jsonl(back) == jsonl
    assert back.passes == cleaned.ledger.passes
    assert revert(cleaned.text, back) == cleaned.source.data
    decoded = back.revert(cleaned.text)
    assert back.replay(decoded) == cleaned.text


def assert_conservation(cleaned: Cleaned) -> None:
    """Each letter of the source is in the clean text or was taken by a named rule; layout takes and adds none."""
    balance = letters(cleaned.ledger.revert(cleaned.text))
    known = {u.id for u in plan().cleaning}
    for change in recorded(to_jsonl(cleaned.ledger)):
        assert change["unit"] in known
        before, after = letters(str(change["before"])), letters(str(change["after"]))
        if change["phase"] in ("layout", "punctuation"):
            assert before == after, change
        if "to" not in change:
            balance.subtract(before)
            balance.update(after)
    balance.subtract(letters(cleaned.text))
    assert not {c: n for c, n in balance.items() if n}


def assert_redactions(cleaned: Cleaned) -> None:
    """Every redaction of the source stands in the clean text, in order, letter for letter."""
    at = 0
    for piece in redactions_of(cleaned.ledger.revert(cleaned.text)):
        found = cleaned.text.find(piece, at)
        assert found >= 0, f"the redaction {piece!r} is gone"
        at = found + len(piece)


def assert_rest(cleaned: Cleaned) -> None:
    """A clean text stays as it is."""
    again = clean(cleaned.text)
    assert again.text == cleaned.text, again.ledger.counts()


def assert_laws(source: str | bytes) -> Cleaned:
    cleaned = clean(source)
    assert_ledger(cleaned)
    assert_conservation(cleaned)
    assert_redactions(cleaned)
    assert_rest(cleaned)
    return cleaned


# --- texts -------------------------------------------------------------------------------------------------


@MANY
@given(TEXTS)
@example("# # # # # # # # # # # # # # 标题")
@example("#### #### #### #### #### #### #### #### #### #### #### #### #### 标题")
@example("# 议强调，要抓好落实工作，和各项篇1： 版权所有：甲公司 电话:1\n。")
@example("# 会议强调，要抓好落实工作，和各项          省委理论学习中心组\n。会议强    省委理论学习")
@example("术一支持：甲\n# 二术支持：甲\n# 、提高地方 ```\n术支持：甲\n# 、提高地方 ```\n术支持：甲\n# 方")
@example('实现"三高四新"美好蓝图、建设社会主义现代化新湖南作出新的更\n接1版\n,是为了更好地统一思想。')
def test_every_text_keeps_the_laws(text: str) -> None:
    assert_laws(text)


@given(WITH_SURROGATES)
def test_a_text_with_lone_surrogates_keeps_the_laws_too(text: str) -> None:
    cleaned = clean(text)
    assert_ledger(cleaned)
    assert cleaned.source.data == text.encode("utf-8", "surrogatepass")
    cleaned.text.encode()  # what we write out holds none


@given(TEXTS, st.sampled_from(ENCODINGS), st.booleans())
def test_every_encoding_comes_back_byte_for_byte(text: str, encoding: str, told: bool) -> None:
    data = text.encode(encoding, "ignore")
    try:
        cleaned = clean(data, encoding=encoding if told else None)
    except (SourceError, EncodingError):
        return  # undecided or no text: refused, which test_decode judges
    assert_ledger(cleaned)
    assert_conservation(cleaned)
    assert_redactions(cleaned)


@given(
    st.binary(max_size=300)
    | st.builds(lambda t, b, u: t.encode() + b + u.encode("gb18030"), TEXTS, st.binary(max_size=20), TEXTS)
)
def test_random_bytes_come_back_or_are_refused(data: bytes) -> None:
    try:
        cleaned = clean(data)
    except (SourceError, EncodingError):
        return
    assert_ledger(cleaned)
    assert_conservation(cleaned)


@pytest.mark.parametrize(
    "text",
    ["会" * 300_000, "会议，" * 100_000, "会议强调。\n" * 20_000, "a" * 500_000],
    ids=["han", "clauses", "lines", "latin"],
)
def test_very_long_lines_and_texts_keep_the_laws(text: str) -> None:
    cleaned = clean(text)
    assert revert(cleaned.text, cleaned.ledger) == text.encode()
    assert_conservation(cleaned)


# --- seeds and examples ------------------------------------------------------------------------------------


def test_whole_seeds_keep_the_laws(seed: Path) -> None:
    cleaned = assert_laws(next(seed.glob("source.*")).read_bytes())
    own = clean(cleaned.source.data, work=seed.name)
    assert_ledger(own)
    assert clean(own.text, work=seed.name).text == own.text


@given(st.data())
def test_pieces_of_seeds_keep_the_laws(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(seed_texts()))
    cut = data.draw(st.integers(1, len(text)))
    assert_laws(text[:cut] if data.draw(st.booleans()) else text[-cut:])


@FEW
@given(st.permutations(range(5)), st.sampled_from(["", "\n", "\n\n", "\r\n\f"]))
def test_seeds_in_a_row_keep_the_laws(order: Sequence[int], glue: str) -> None:
    texts = seed_texts()
    assert_laws(glue.join(texts[i] for i in order if i < len(texts)))


def test_each_rule_example_keeps_the_laws() -> None:
    for text in rule_texts():
        assert_laws(text)


CHANCE = st.integers(0, 2**32).map(random.Random)
GLUE = st.sampled_from(["", "\n", "\n\n", " ", "\r\n", "。\n"])


@given(CHANCE, GLUE)
def test_some_rule_examples_in_any_order_keep_the_laws(chance: random.Random, glue: str) -> None:
    texts = list(rule_texts())
    chance.shuffle(texts)
    assert_laws(glue.join(texts[: chance.choice([2, 3, 10, 40])]))


@settings(FEW, max_examples=FEW.max_examples // 2)
@given(CHANCE, GLUE)
def test_all_rule_examples_in_any_order_keep_the_laws(chance: random.Random, glue: str) -> None:
    texts = list(rule_texts())
    chance.shuffle(texts)
    assert_laws(glue.join(texts))


@given(st.data())
def test_seeds_with_harm_put_in_keep_the_laws(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(seed_texts()))
    start = data.draw(st.integers(0, len(text)))
    text = text[start : start + 1500]
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + data.draw(PIECES) + text[at:]
    assert_laws(text)


# --- documents and editions --------------------------------------------------------------------------------


@MANY
@given(TEXTS, st.sampled_from(["名", "a", "**", "<b>", "# "]))
def test_every_text_becomes_a_document_that_gives_its_source_back(text: str, name: str) -> None:
    cleaned = clean(text)
    document = build_document(cleaned, plan(), name=name)
    ledger = canonical_ledger(cleaned, document)
    assert revert(document.text, from_jsonl(to_jsonl(ledger))) == text.encode()
    missing = letters(cleaned.text) - letters(document.text)
    assert not missing
    at = 0
    for piece in redactions_of(cleaned.ledger.revert(cleaned.text)):
        at = document.text.find(piece, at) + len(piece)
        assert at >= len(piece), f"the redaction {piece!r} is gone"


def built(folder: Path, text: str, name: str = "名", said: dict[str, tuple[str, ...]] | None = None) -> Built:
    source = folder / "source.txt"
    source.write_bytes(text.encode())
    return build_work(Work(safe_name(name), source, said=said or {}))


def pages(files: dict[str, bytes]) -> dict[str, etree._Element]:
    """Parse every page of the HTML and EPUB editions with parsers that the program does not use for writing."""
    found: dict[str, etree._Element] = {}
    for name, data in files.items():
        if name.endswith(".html") and not name.startswith("changes/"):  # the report is no edition: test_report.py
            found[name] = etree.fromstring(data, etree.HTMLParser(encoding="utf-8", huge_tree=True))
        elif name.endswith(".epub"):
            with zipfile.ZipFile(io.BytesIO(data)) as book:
                for inner in book.namelist():
                    assert not inner.startswith("/")
                    assert ".." not in PurePosixPath(inner).parts
                    if inner.endswith((".xhtml", ".opf", ".ncx", ".svg", ".xml")):
                        found[f"{name}!{inner}"] = etree.fromstring(
                            book.read(inner), etree.XMLParser(resolve_entities=False, huge_tree=True)
                        )
    return found


def elements(files: dict[str, bytes]) -> set[str]:
    return {etree.QName(e).localname for root in pages(files).values() for e in root.iter() if isinstance(e.tag, str)}


def attributes(files: dict[str, bytes]) -> set[str]:
    return {
        etree.QName(str(k)).localname
        for root in pages(files).values()
        for e in root.iter()
        for k in (e.attrib if isinstance(e.tag, str) else ())
    }


ORDINARY = (
    "大标题\n——副题在会上\n作者：张三\n\n各位代表：\n\n篇1：甲部\n\n第一章 总则\n\n第一节 一般规定\n\n一、坚持以上率下\n\n（一）健全机制\n\n政协**市，ab  cd。\n\n1. 条目\n\n"
    "床前明月光，\n疑是地上霜。\n举头望明月，\n低头思故乡。\n\n（上接第A3版）\n\n正文，\"引\"。\n\n办公室 2024年2月19日\n"
)  # fmt: skip
ORDINARY_METADATA: dict[str, tuple[str, ...]] = {
    name: ("zh-Hans",) if name == "language" else ("2024-02-19",) if name == "date" else ("甲",)
    for name in METADATA_FIELDS
}


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> tuple[set[str], set[str]]:
    """Give the elements and attributes of ordinary editions, with and without parts and metadata."""
    folder = tmp_path_factory.mktemp("ordinary")
    files = [
        built(folder, ORDINARY, said=ORDINARY_METADATA).files,
        built(folder, "标题\n\n正文。\n").files,
        built(folder, "一、甲\n\n（一）乙\n\n正文(。\n").files,
    ]
    assert not {"b", "strong", "i", "em", "script", "img"} & set().union(*map(elements, files))
    return set().union(*map(elements, files)), set().union(*map(attributes, files))


HOSTILE_METADATA = st.fixed_dictionaries(
    {},
    optional={
        field: st.lists(
            st.sampled_from(
                (
                    "</title><script>x</script>",
                    '"><img src=x onerror=y>',
                    "**粗**",
                    "$title$",
                    "a\nb",
                    "&amp;",
                    "]]>",
                    "\u202e",
                    "--><b>",
                    "' onload='",
                )
            )
            | st.lists(PIECES, min_size=1, max_size=3).map("".join).filter(lambda s: bool(s.strip())),
            min_size=1,
            max_size=2 if field in ("creator", "contributor", "subject") else 1,
        ).map(tuple)
        for field in METADATA_FIELDS
        if field != "language"  # has a test of its own
    },
)


# Without shrinking: an example takes a second, and shrinking would take minutes.
@settings(
    FEW,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(TEXTS, min_size=1, max_size=8).map("\n\n".join), HOSTILE_METADATA, PIECES)
def test_editions_hold_the_text_and_nothing_but_the_text(
    tmp_path: Path, vocabulary: tuple[set[str], set[str]], text: str, said: dict[str, tuple[str, ...]], name: str
) -> None:
    try:
        work = built(tmp_path, text, name, said)  # verifies that all formats hold the same text, or raises
    except ShanbenError as error:
        assert error.code in ("source", "encoding"), error
        return
    assert built(tmp_path, text, name, said).files == work.files
    for file in work.files:
        path = PurePosixPath(file.removeprefix("changes/"))
        assert len(path.parts) == 1
        assert not path.name.startswith(".")
        assert file.isprintable()
    assert elements(work.files) <= vocabulary[0]
    assert attributes(work.files) <= vocabulary[1]
    assert_redactions_in_editions(work)
    document = work.document
    [ledger] = work.ledgers.values()
    assert revert(document.text, ledger) == text.encode()


def assert_redactions_in_editions(work: Built) -> None:
    [ledger] = work.ledgers.values()
    wanted = redactions_of(ledger.revert(work.document.text))
    for name, root in pages(work.files).items():
        emphasis = [
            e for e in root.iter() if isinstance(e.tag, str) and etree.QName(e).localname in ("b", "strong", "em", "i")
        ]
        assert not emphasis, name
    whole = {
        "txt": next(d for n, d in work.files.items() if n.endswith(".txt") and n != "manifest-sha256.txt").decode(),
        "html": "".join(r.xpath("string(.//main)") for n, r in pages(work.files).items() if n.endswith(".html")),
        "epub": "".join(str(r.xpath("string()")) for n, r in sorted(pages(work.files).items()) if "/text/ch" in n),
    }
    for form, content in whole.items():
        at = 0
        for piece in wanted:
            found = content.find(piece, at)
            assert found >= 0, f"{form}: the redaction {piece!r} is gone"
            at = found + len(piece)


@pytest.mark.parametrize(
    "text",
    ["12\n\n34。\n", "Это было летом.\n\nДождь шёл весь день.\n", "Ἐν ἀρχῇ\n\nἦν ὁ λόγος.\n", "שלום\n\nשלום עולם.\n", "กขค\n\nงจฉ\n", "……\n", "**\n", "=\n\n=\n", "\u0301\n\n\u0301\u0301\n", "\U0001f600\n"],
    ids=["digits", "russian", "greek", "hebrew", "thai", "dots", "stars", "signs", "combining", "emoji"],
)  # fmt: skip
def test_a_text_in_any_script_can_be_built(tmp_path: Path, vocabulary: tuple[set[str], set[str]], text: str) -> None:
    work = built(tmp_path, text)
    assert elements(work.files) <= vocabulary[0]


def test_editions_of_the_seeds_are_clean_too(seed: Path, vocabulary: tuple[set[str], set[str]]) -> None:
    [work] = find_works([seed])
    done = build_work(work)
    assert build_work(work).files == done.files
    assert elements(done.files) <= vocabulary[0]
    assert_redactions_in_editions(done)


# --- names -------------------------------------------------------------------------------------------------

WINDOWS = {"CON", "PRN", "AUX", "NUL", *(f"{p}{n}" for p in ("COM", "LPT") for n in range(1, 10))}


@given(
    st.text(max_size=200)
    | st.lists(st.sampled_from(["..", "/", "\\", "\0", "\n", "\u202e", ".", " ", "a", "湖", ":", "\x1b[31m", "\ud800", "~", "-rf", "CON", "nul.txt", "e\u0301", "x" * 130]), max_size=12).map("".join)
)  # fmt: skip
@example("a" * 119 + " b")
@example("CON")
@example("nul.txt")
@example("\ud800")
def test_a_safe_name_is_safe_everywhere(name: str) -> None:
    safe = safe_name(name)
    assert safe == safe_name(safe)
    assert 0 < len(safe.encode()) <= 120
    assert PurePosixPath(safe).name == safe
    assert not set(safe) & set('/\\:*?"<>|')
    assert safe.isprintable()
    assert safe[0] not in ". "
    assert safe[-1] not in ". "
    assert safe.split(".")[0].upper() not in WINDOWS


@pytest.mark.parametrize(
    "name",
    ["..\\x.txt", "a\nb.txt", "\u202etxt.exe.txt", "\x1b[31m.txt", "-o.txt", "a" * 250 + ".txt", "湖" * 83 + ".txt", "manifest-sha256.txt", "ledger.txt", "~.txt",
     "$HOME.txt", "<script>.txt", "%2e%2e.txt", "con.txt", ". .txt", "....txt"],
)  # fmt: skip
def test_hostile_file_names_make_safe_files_and_a_sound_folder(tmp_path: Path, name: str) -> None:
    source = tmp_path / name
    try:
        source.write_text("标题\n\n政协**市，正文。\n")
    except OSError:
        pytest.skip("this system cannot hold such a name")
    [work] = find_works([source])
    done = build_work(work)
    assert work.slug == safe_name(work.slug)
    for file, data in done.files.items():
        assert PurePosixPath(file).name == file.removeprefix("changes/")
        assert file.isprintable()
        assert data
    texts = [n for n in done.files if n.endswith(".txt")]
    assert len(texts) == 2, "the TXT edition and the manifest are two files"


@pytest.mark.parametrize(
    "text",
    [
        "https://docs.example.com/zh/guide/index.html?lang=zh#install",
        "摄影：王五",
        "【記者王大明／臺北報導】",
        "首页\n登录",
    ],
)
def test_no_rule_leaves_nothing_of_a_text(text: str) -> None:
    """What would be litter beside a text is all there is here: it stays, and the ledger says which rule was held back."""
    cleaned = clean(text)
    assert cleaned.text.strip() == text
    assert revert(cleaned.text, cleaned.ledger).decode() == text
