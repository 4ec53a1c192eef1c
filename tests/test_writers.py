"""The three editions: what they hold, what they may not hold, and that the same Document gives the same bytes."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

import epub_by_pandoc
from sample_documents import (
    all_samples,
    collection,
    heading,
    hostile,
    novel,
    paged,
    paragraph,
    simplified,
    title,
    verse,
)
from shanben.errors import ToolError, VerifyError
from shanben.tools import pandoc
from shanben.values import Block, Document, Inline, Metadata
from shanben.writers import _cover, _pandoc_ast, all_writers, epub, html
from shanben.writers._metadata import clean_metadata, identifier
from test_editions_property import DOCUMENTS

SAMPLES = all_samples()
DC = "{http://purl.org/dc/elements/1.1/}"
OPF = "{http://www.idpf.org/2007/opf}"
OPS = "{http://www.idpf.org/2007/ops}"
XHTML = "{http://www.w3.org/1999/xhtml}"


def write(document: Document, kind: str) -> bytes:
    return all_writers()[kind].write(document)


def members(document: Document) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(write(document, "epub"))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def small(*blocks: Block, **metadata: object) -> Document:
    return Document(Metadata("题")._replace(**metadata), (title("题"), *blocks))


def pages(files: dict[str, bytes]) -> dict[str, etree._Element]:
    return {n: etree.fromstring(c) for n, c in sorted(files.items()) if n.startswith("EPUB/text/ch")}


def test_every_writer_is_found():
    assert {name: writer.suffix for name, writer in all_writers().items()} == {
        "epub": ".epub",
        "html": ".html",
        "txt": ".txt",
    }


@pytest.mark.parametrize("name", SAMPLES)
def test_pandoc_has_nothing_to_complain_about(name: str, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING):
        for writer in all_writers().values():
            writer.write(SAMPLES[name])
    assert caplog.messages == []


# --- plain text --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLES)
def test_plain_text_is_the_canonical_text(name: str):
    assert write(SAMPLES[name], "txt") == SAMPLES[name].text.encode()


def test_stanzas_and_indents_of_verse_survive_in_plain_text():
    assert "  后不见来者。\n\n念天地之悠悠，\n\u3000独怆然\n 而涕下！\n" in write(verse(), "txt").decode()


def test_plain_text_that_pandoc_changed_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pandoc, "convert", lambda *a, **k: "题\n\n甲 \n".encode())
    with pytest.raises(VerifyError, match="at byte 8"):
        write(small(paragraph("甲")), "txt")


# --- what is refused ---------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", ["\x00", "\x0b", "\x1f", "\r", "\ud800", "\ufffe", "\uffff"])
@pytest.mark.parametrize("kind", ["epub", "html", "txt"])
def test_what_xml_cannot_hold_is_refused_with_its_place(kind: str, bad: str):
    with pytest.raises(VerifyError) as caught:
        write(small(paragraph("甲"), Block("item", f"乙{bad}")), kind)
    assert f"U+{ord(bad):04X} at character 2" in str(caught.value)
    assert "block 3 (item)" in str(caught.value)


@pytest.mark.parametrize("blocks", [(), (Block("paragraph", "甲"),), (Block("title", " "),)])
def test_a_document_without_a_title_is_refused(blocks: tuple[Block, ...]):
    with pytest.raises(VerifyError, match="does not begin with a title"):
        write(Document(Metadata("题"), blocks), "html")


def test_a_line_end_in_a_paragraph_is_refused():
    with pytest.raises(VerifyError, match="no verse"):
        write(small(paragraph("甲\n乙")), "txt")


def test_an_empty_line_at_an_end_of_verse_is_refused():
    with pytest.raises(VerifyError, match="empty line"):
        write(small(Block("verse", "甲\n乙\n")), "html")


# --- the tree ----------------------------------------------------------------------------------------


def test_spaces_stay_inside_one_run():
    [_, node] = _pandoc_ast.blocks(small(Block("paragraph", "a  b c")))
    assert node["t"] == "Div"  # only for its class: the runs of spaces are to be seen
    assert node["c"][1] == [{"t": "Para", "c": [{"t": "Str", "c": "a  b c"}]}]


def test_a_redaction_is_a_span_with_its_own_letters():
    block = Block("paragraph", "我**市x", 0, (Inline(1, 4, "redaction"), Inline(3, 99, "redaction")))
    [_, node] = _pandoc_ast.blocks(small(block))
    said = [n["c"] if n["t"] == "Str" else (n["c"][0][1], n["c"][1][0]["c"]) for n in node["c"]]
    assert said == ["我", (["redaction"], "**市"), (["redaction"], "x")]


def test_a_redaction_across_lines_of_verse_is_cut_at_the_line_end():
    block = Block("verse", "某\n某人", 0, (Inline(0, 3, "redaction"),))
    data = write(small(block), "html").decode()
    assert '<span class="redaction">某</span><br><span class="redaction">某</span>人' in data


def test_headings_have_ascii_ids_in_order():
    found = [n["c"] for n in _pandoc_ast.blocks(small(heading("甲"), heading("乙", 3))) if n["t"] == "Header"]
    assert [(c[0], c[1][0]) for c in found] == [(1, "s0001"), (2, "s0002"), (3, "s0003")]


def test_empty_blocks_are_dropped_and_separators_drawn():
    document = small(paragraph(""), Block("separator", ""), heading(""), paragraph("甲"))
    assert [n["t"] for n in _pandoc_ast.blocks(document)] == ["Header", "HorizontalRule", "Para"]
    assert write(document, "txt").decode() == "题\n\n甲\n"


@pytest.mark.parametrize("kind", ["epub", "html"])
def test_arrows_that_pandoc_would_mend_stay_as_they_are(kind: str):
    text = "\N{LEFT RIGHT ARROW}甲\N{LEFTWARDS ARROW WITH HOOK}\N{VARIATION SELECTOR-15}\U0010fffd"
    document = small(heading(text), paragraph(text))
    data = b"".join(members(document).values()) if kind == "epub" else write(document, kind)
    assert data.decode(errors="replace").count(text) >= 3  # heading, contents, paragraph
    assert "\N{LEFT RIGHT ARROW}\N{VARIATION SELECTOR-15}" not in data.decode(errors="replace")


@given(DOCUMENTS)
@settings(
    max_examples=int(os.environ.get("SHANBEN_BOOKS", "40")), deadline=None, suppress_health_check=list(HealthCheck)
)
def test_the_book_is_the_one_that_pandoc_makes_of_the_document(document: Document):
    assert epub.members(document) == epub_by_pandoc.members(document)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_book_of_a_sample_is_the_one_that_pandoc_makes_of_it(name: str):
    assert epub.members(SAMPLES[name]) == epub_by_pandoc.members(SAMPLES[name])


# --- metadata ----------------------------------------------------------------------------------------


def test_metadata_is_cleaned_and_never_refused():
    cleaned = clean_metadata(hostile())
    for value in (cleaned.title, cleaned.subtitle, cleaned.creators[1], cleaned.series):
        assert not any(ord(c) < 32 or "\u202a" <= c <= "\u202e" or "\ud800" <= c <= "\udfff" for c in value)
    assert cleaned.date == ""
    assert cleaned.creators[1] == "<b>"
    assert cleaned.subjects == ("<",)


@pytest.mark.parametrize(
    ("given", "language"), [("zh-CN", "zh-Hans"), ("zh-TW", "zh-Hant"), ("C", "und"), ("", "und"), ("en_GB", "en-GB")]
)
def test_languages_are_named_by_script_not_by_region_or_locale(given: str, language: str):
    root = etree.fromstring(members(small(paragraph("a"), language=given))["EPUB/content.opf"])
    assert root.findtext(f".//{DC}language") == language


def test_an_empty_title_falls_back_to_the_text():
    assert clean_metadata(Document(Metadata("\x00 "), (title("甲"),))).title == "甲"


def test_the_identifier_is_stable_and_tells_works_apart():
    assert identifier(simplified()) == identifier(simplified())
    named = {identifier(d) for d in SAMPLES.values()}
    assert len(named) == len(SAMPLES)
    assert identifier(small(paragraph("甲"))) != identifier(small(paragraph("乙")))


def test_package_metadata():
    root = etree.fromstring(members(simplified())["EPUB/content.opf"])

    def texts(name: str) -> list[str]:
        return [e.text for e in root.iter(f"{DC}{name}")]

    def refined(key: str, name: str) -> str:
        return next(
            e.text for e in root.iter(f"{OPF}meta") if e.get("refines") == f"#{key}" and e.get("property") == name
        )

    said = {e.get("property"): e.text for e in root.iter(f"{OPF}meta")}
    assert texts("date") == ["2019-10-08"]
    assert said["dcterms:modified"] == "2019-10-08T00:00:00Z"
    assert texts("creator") == ["张三", "李四 Smith"]
    assert (refined("creator-1", "role"), refined("creator-1", "file-as")) == ("aut", "Zhang San")
    assert (texts("contributor"), refined("shanben", "role")) == (["Shanben"], "bkp")
    assert texts("source") == ["**日报", "https://example.org/a?b=1&c=2", "urn:sha256:" + "0f" * 32]
    assert said["belongs-to-collection"] == "日报选编"
    assert (refined("series", "collection-type"), refined("series", "group-position")) == ("series", "3")
    assert "文字为主" in said["schema:accessibilitySummary"]
    assert said["shanben:text-sha256"] == simplified().digest
    assert root.find(f"{OPF}guide") is None
    assert texts("identifier")[0].startswith("urn:uuid:")


def test_no_date_is_invented():
    root = etree.fromstring(members(verse())["EPUB/content.opf"])
    assert root.find(f".//{DC}date") is None
    assert b"2000-01-01T00:00:00Z" in etree.tostring(root)


# --- EPUB --------------------------------------------------------------------------------------------


def test_a_short_work_is_one_file_under_its_title():
    found = pages(members(simplified()))
    assert len(found) == 2  # the text and the colophon
    text = found["EPUB/text/ch001.xhtml"]
    assert [e.tag.removeprefix(XHTML) for e in text.iter() if str(e.tag)[-2:] in ("h1", "h2", "h3")] == [
        "h1", "h2", "h3", "h2",
    ]  # fmt: skip


def test_a_novel_has_a_half_title_and_a_file_for_each_volume_and_chapter():
    files = members(novel())
    found = pages(files)
    assert len(found) == 1 + 2 + 6 + 1
    titles = [page.findtext(f".//{XHTML}title") for page in found.values()]
    assert titles[:4] == ["长夜行", "第1卷　风起", "第1章　夜路", "第2章　夜路"]
    assert titles[-1] == "关于本版"
    assert [len(list(page.iter(f"{XHTML}h1"))) for page in found.values()] == [1] * 10
    toc = etree.fromstring(files["EPUB/nav.xhtml"]).find(f".//{XHTML}nav")
    assert toc.find(f"{XHTML}ol")[0].find(f"{XHTML}a").text == "第1卷　风起"
    assert len(toc.findall(f"{XHTML}ol/{XHTML}li/{XHTML}ol/{XHTML}li")) == 6


def test_a_collection_has_contents_of_two_levels_and_a_file_for_each_work():
    files = members(collection())
    nav = etree.fromstring(files["EPUB/nav.xhtml"])
    labels = [e.text for e in nav.find(f"{XHTML}body/{XHTML}nav").iter(f"{XHTML}a")]
    assert "第1编　时政" in labels
    assert "第6篇：稳中求进" in labels
    assert "一、要求" not in labels
    assert len(pages(files)) == 1 + 2 + 6 + 1
    assert b"urn:sha256:" + f"{6:064x}".encode() in files["EPUB/content.opf"]


@pytest.mark.parametrize(("size", "flat"), [(10, False), (300, True)])
def test_a_large_text_with_headings_is_cut(size: int, flat: bool):
    document = small(heading("甲"), *[paragraph("长" * 300)] * size, heading("乙"), paragraph("丙"))
    assert epub.layout(document).flat is flat


def test_a_large_text_without_headings_is_not_cut():
    assert not epub.layout(small(*[paragraph("长" * 300)] * 300)).flat


def test_a_thousand_files_keep_their_order():
    blocks = [b for n in range(1100) for b in (Block("chapter", f"第{n + 1}章", 2), paragraph("文"))]
    files = members(small(*blocks))
    nav = etree.fromstring(files["EPUB/nav.xhtml"])
    links = {e.get(f"{OPS}type"): e.get("href") for e in nav.iter(f"{XHTML}a") if e.get(f"{OPS}type")}
    assert links["bodymatter"] == "text/ch001.xhtml"
    assert links["colophon"] == "text/ch1102.xhtml"
    assert b"doc-colophon" in files["EPUB/text/ch1102.xhtml"]


def test_landmarks_and_contents_speak_the_language_of_the_work():
    for name, words in {
        "simplified": ["封面", "书名页", "目录", "正文", "关于本版"],
        "traditional": ["封面", "書名頁", "目錄", "正文", "關於本版"],
        "english": ["Cover", "Title page", "Contents", "Text", "About this edition"],
    }.items():
        nav = etree.fromstring(members(SAMPLES[name])["EPUB/nav.xhtml"])
        assert [e.text for e in nav.iter(f"{XHTML}a") if e.get(f"{OPS}type")] == words


def test_the_archive_is_in_order_and_has_one_time():
    with zipfile.ZipFile(io.BytesIO(write(simplified(), "epub"))) as archive:
        infos = archive.infolist()
    assert (infos[0].filename, infos[0].compress_type) == ("mimetype", zipfile.ZIP_STORED)
    assert {info.date_time for info in infos} == {(2019, 10, 8, 0, 0, 0)}
    names = [info.filename for info in infos]
    assert names[4:] == sorted(names[4:])


def test_no_style_sheet_of_the_epub_sets_a_colour():
    sheet = members(simplified())["EPUB/styles/stylesheet1.css"].decode()
    assert "color" not in sheet.replace("no colour", "")
    assert "2em" in sheet


# --- HTML --------------------------------------------------------------------------------------------


def test_html_is_one_file_without_outside_resources():
    data = write(simplified(), "html").decode()
    root = etree.HTML(data)
    assert not root.xpath("//script|//link|//img|//iframe|//*[@src]")
    assert "url(" not in data
    assert "@import" not in data
    assert {a[:1] for a in root.xpath("//a/@href")} == {"#"}


def test_html_has_skip_link_contents_main_and_colophon():
    root = etree.HTML(write(simplified(), "html").decode())
    assert root.get("lang") == "zh-Hans"
    assert root.xpath("string(//body/*[1])") == "跳到正文"
    assert root.xpath("//nav/@role") == ["doc-toc"]
    assert [e.text for e in root.xpath("//main//*[self::h1 or self::h2 or self::h3]")][1:] == [
        "一、总体要求", "（一）目标任务", "二、保障措施",
    ]  # fmt: skip
    assert root.xpath("//main/following-sibling::footer/section/@role") == ["doc-colophon"]
    assert root.xpath("//meta[@name='shanben.text-sha256']/@content") == [simplified().digest]


def test_html_without_headings_has_no_contents():
    assert b"<nav" not in write(small(paragraph("甲")), "html")


def test_contents_close_every_list():
    document = small(heading("a", 2), heading("b", 4), heading("<c>", 3), heading("d", 2), heading("e", 5))
    etree.fromstring(html.contents(document))
    assert "&lt;c&gt;" in html.contents(document)


@pytest.mark.parametrize("name", SAMPLES)
def test_metadata_cannot_break_out_of_an_attribute(name: str):
    root = etree.HTML(write(SAMPLES[name], "html").decode())
    assert {a for e in root.xpath("//head/meta") for a in e.attrib} <= {"name", "content", "charset"}
    assert root.xpath("//meta[@name='DC.title']/@content") == [clean_metadata(SAMPLES[name]).title]
    assert not root.xpath("//script")


# --- cover and colophon ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLES)
def test_the_cover_is_safe_and_inside_its_frame(name: str):
    root = etree.fromstring(_cover.svg(SAMPLES[name]))
    assert root.get("viewBox") == "0 0 1600 2400"
    assert {e.tag.rpartition("}")[2] for e in root.iter()} <= {"svg", "title", "g", "rect", "text"}
    for line in root.iter("{http://www.w3.org/2000/svg}text"):
        assert _cover.width(line.text) * float(line.get("font-size")) <= _cover.MEASURE
        assert 300 <= float(line.get("y")) <= 2200
    tops = [float(e.get("y")) for e in root.iter("{http://www.w3.org/2000/svg}text")]
    assert tops == sorted(tops)
    assert len(set(tops)) == len(tops)


def test_no_line_of_a_cover_begins_with_a_closing_mark():
    for line in _cover.wrap("《关于进一步推进“放管服”改革、优化营商环境（试行）》的通知，请遵照执行。", 6)[1:]:
        assert line[0] not in "》”、）。，"


def test_the_colophon_names_sources_rules_and_digests():
    root = etree.HTML(write(simplified(), "html").decode())
    said = "".join(root.xpath("//section[@id='colophon']")[0].itertext())
    for fact in ("003_报纸.txt", "11,354 字节", "0f" * 32, "utf-8（把握 99%）", "a1" * 32, "shanben 0.1.0", "3 处",
                 simplified().digest, "han-comma-fullwidth", "汉字之间用了半角逗号", "214"):  # fmt: skip
        assert fact in said
    assert "never-acted" not in said


def test_the_colophon_of_a_collection_lists_every_source_and_adds_up():
    said = "".join(etree.HTML(write(collection(), "html").decode()).xpath("//section[@id='colophon']")[0].itertext())
    assert all(f"{n:03d}.txt" in said for n in range(1, 7))
    assert "21" in said  # 1 + 2 + … + 6 times


def test_a_name_that_is_no_utf8_does_not_stop_the_colophon():
    assert "\N{REPLACEMENT CHARACTER}" in write(hostile(), "html").decode()


# --- pandoc ------------------------------------------------------------------------------------------


def test_pandoc_missing_names_the_way_out(monkeypatch: pytest.MonkeyPatch):
    pandoc.version.cache_clear()
    monkeypatch.setattr(pandoc, "executable", lambda: "/nowhere/pandoc")
    with pytest.raises(ToolError, match="pip install pypandoc_binary") as caught:
        pandoc.version()
    assert caught.value.exit_code == 6


def test_pandoc_too_old_is_refused(monkeypatch: pytest.MonkeyPatch):
    pandoc.version.cache_clear()
    monkeypatch.setattr(pandoc, "_run", lambda *a, **k: b"pandoc 2.17.1.1\n")
    with pytest.raises(ToolError, match=r"2\.17\.1\.1 is too old"):
        pandoc.version()


def test_pandoc_failing_says_what_pandoc_said():
    with pytest.raises(ToolError, match="Unknown output format nonsense"):
        pandoc.convert({"meta": {}, "blocks": []}, "nonsense")


def test_nothing_of_a_run_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    write(simplified(), "epub")
    with pytest.raises(ToolError):
        pandoc.convert({"meta": {}, "blocks": []}, "nonsense")
    assert list(tmp_path.iterdir()) == []


# --- same bytes --------------------------------------------------------------------------------------

SCRIPT = """
import hashlib, json, sys
sys.path[:0] = json.loads(sys.argv[1])
from sample_documents import all_samples
from shanben.writers import all_writers
print(json.dumps({f"{n}{w.suffix}": hashlib.sha256(w.write(d)).hexdigest()
                  for n, d in all_samples().items() for w in all_writers().values()}))
"""


def test_same_bytes_in_another_folder_time_zone_locale_and_home(tmp_path: Path):
    """The second build runs where a user template and defaults of pandoc's would be found if they leaked in."""
    here = {
        f"{name}{writer.suffix}": hashlib.sha256(writer.write(document)).hexdigest()
        for name, document in SAMPLES.items()
        for writer in all_writers().values()
    }
    home = tmp_path / "另 一处"
    for folder in (home / ".pandoc/templates", home / ".local/share/pandoc/templates"):
        folder.mkdir(parents=True)
        for name in ("default.epub3", "default.html5", "default.plain"):
            (folder / name).write_text("leaked")
    (home / "epub.css").write_text("leaked")
    paths = [p for p in sys.path if p] + [str(Path(__file__).parent)]
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(home), "XDG_DATA_HOME": str(home / ".local/share"),
        "TZ": "Pacific/Kiritimati", "LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "1", "PYTHONHASHSEED": "7",
        "SOURCE_DATE_EPOCH": "1",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(paths)],
        cwd=home, env=environment, capture_output=True, text=True, check=True, umask=0o077,
    )  # fmt: skip
    assert json.loads(done.stdout) == here


def test_pages_of_the_source_are_listed_and_lead_to_their_marks() -> None:
    files = members(paged())
    nav = files["EPUB/nav.xhtml"].decode()
    listed = re.findall(r'<a href="(text/[^"#]+)#(p[0-9]+)">([0-9]+)</a>', nav.split('epub:type="page-list"')[1])
    assert [label for _, _, label in listed] == ["2", "3", "4"]
    for name, mark, label in listed:
        page = files[f"EPUB/{name}"].decode()
        assert re.search(rf'id="{mark}"[^>]*role="doc-pagebreak"[^>]*aria-label="{label}"', page)
    opf = files["EPUB/content.opf"].decode()
    assert "pageBreakMarkers" in opf and "pageNavigation" in opf and 'property="pageBreakSource"' in opf
    plain = files["EPUB/text/ch001.xhtml"].decode()
    assert plain.index('id="p0002"') < plain.index("第二节</h2>") and "pagebreak" not in nav.split("page-list")[0]
    without = members(simplified())
    assert (
        "page-list" not in without["EPUB/nav.xhtml"].decode()
        and "pageBreak" not in without["EPUB/content.opf"].decode()
    )


@given(st.text("中华人民国宪法（全文），。：“”《》 　ab Cd-é12,.Ａ—", max_size=120), st.floats(5.2, 22))
def test_lines_of_a_cover_are_broken_as_when_each_measure_is_tried_anew(title: str, measure: float) -> None:
    def even(text: str) -> list[str]:
        greedy = _cover._filled(_cover._units(text, measure), measure)
        if len(greedy) < 2:
            return greedy
        low, high = _cover.width(text) / len(greedy), measure
        for _ in range(8):
            middle = (low + high) / 2
            if len(_cover._filled(_cover._units(text, middle), middle)) <= len(greedy):
                high = middle
            else:
                low = middle
        return _cover._filled(_cover._units(text, high), high)

    phrases = [phrase for phrase in _cover._PHRASES.split(title) if phrase.strip()]
    assert _cover.wrap(title, measure) == [line for phrase in phrases for line in even(phrase)]
