"""`--script`: editions in the other script by the real OpenCC; the clean text and its ledger stay as they are."""

from __future__ import annotations

import json
import re
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from conftest import SEEDS
from shanben.build import Built, build, build_work
from shanben.cli import main
from shanben.errors import ToolError, UsageError
from shanben.fixity import verify_folder
from shanben.tools import script as scripts
from shanben.tools.script import CONFIGS, SCRIPTS, check_script, convert_document, convert_text
from shanben.values import Block, Document, Inline, Metadata
from shanben.works import find_works

HANS = (
    "市政协委员培训班心得体会\n\n这里的干部很干净，政协**市第五届委员会的张××同志说：“头发干了。”\n"
    "□□县在GDP(国内生产总值)上后来居上,见http://a.example/干?x=1。\n"
)
HANT = "電子圖書館\n\n這裡的人說：「頭髮乾了，裡面的檔案在臺灣。」張××同志在**市。\n"


def source(folder: Path, text: str = HANS) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "wenji.txt"
    path.write_text(text, encoding="utf-8")
    return path


def built(folder: Path, script: str | None, text: str = HANS) -> Built:
    return build_work(find_works([source(folder, text)])[0], script=script)


@pytest.mark.parametrize("script", SCRIPTS)
def test_editions_are_converted_and_the_clean_text_is_not(script: str, tmp_path: Path) -> None:
    text = HANT if script == "hans" else HANS
    plain, done = built(tmp_path / "a", None, text), built(tmp_path / "b", script, text)
    assert done.files["wenji.txt"] == plain.files["wenji.txt"]
    assert done.files["ledger.jsonl"] == plain.files["ledger.jsonl"]
    converted = done.files[f"wenji.{script}.txt"].decode()
    wanted = {
        "hans": ["电子图书馆", "这里的人说：「头发干了，里面的档案在台湾。」张××同志在**市。"],
        "hant": ["市政協委員培訓班心得體會", "這裏的幹部很乾淨", "後來居上"],
        "hant-tw": ["市政協委員培訓班心得體會", "這裡的幹部很乾淨"],
        "hant-hk": ["市政協委員培訓班心得體會", "這裏的幹部很乾淨"],
    }[script]
    assert all(piece in converted for piece in wanted)
    assert converted.count("\n") == done.files["wenji.txt"].decode().count("\n")


@pytest.mark.parametrize("script", ["hant", "hant-tw", "hant-hk"])
def test_redactions_latin_quotes_and_addresses_stay_letter_for_letter(script: str, tmp_path: Path) -> None:
    files = built(tmp_path, script).files
    for name in (f"wenji.{script}.txt", "wenji.html"):
        page = files[name].decode()
        assert "政協**市第五屆" in page or '<span class="redaction">**</span>' in page
        for piece in ("GDP", "http://a.example/", "“", "”"):
            assert piece in page
        assert re.sub(r"[^*×□]", "", page.split("<main")[-1].split("</main")[0]) == "**××□□"


def test_language_title_and_the_way_it_was_made_are_said(tmp_path: Path) -> None:
    files = built(tmp_path, "hant").files
    root = etree.fromstring(files["wenji.html"], etree.HTMLParser(encoding="utf-8"))
    assert root.get("lang") == "zh-Hant"
    assert root.findtext(".//title") == "市政協委員培訓班心得體會"
    (tmp_path / "a.epub").write_bytes(files["wenji.epub"])
    with zipfile.ZipFile(tmp_path / "a.epub") as book:
        opf = book.read("EPUB/content.opf").decode()
        pages = [book.read(n).decode() for n in book.namelist() if n.endswith(".xhtml")]
    assert "<dc:language>zh-Hant</dc:language>" in opf
    assert re.search(r"<dc:description>[^<]*OpenCC \d+\.\d+[^<]*（s2t）", opf)
    assert pages and all('xml:lang="zh-Hant"' in page for page in pages)
    assert not any("zh-Hans" in page for page in pages)
    said = json.loads(files["wenji.json"])
    assert (said["script"]["to"], said["script"]["config"], said["script"]["language"]) == ("hant", "s2t", "zh-Hant")
    assert said["metadata"]["dcterms:language"] == "zh-Hans"  # of the clean text


def test_converted_editions_verify_and_the_source_comes_back(tmp_path: Path) -> None:
    path = source(tmp_path)
    done = CliRunner().invoke(main, ["build", str(path), "-o", str(tmp_path / "dist"), "--script", "hant-tw"])
    assert done.exit_code == 0, done.output
    report = verify_folder(tmp_path / "dist" / "wenji")
    assert not report.faults and any("hant-tw.txt" in c for c in report.checked)
    back = CliRunner().invoke(main, ["revert", str(tmp_path / "dist" / "wenji")])
    assert back.stdout_bytes == HANS.encode()


def test_verify_sees_a_letter_that_was_changed_after_conversion(tmp_path: Path) -> None:
    from shanben.fixity import manifest

    files = built(tmp_path, "hant").files
    files["wenji.hant.txt"] = files["wenji.hant.txt"].replace("幹部".encode(), "干部".encode())
    said = json.loads(files["wenji.json"])
    import hashlib

    for edition in said["editions"]:
        edition["sha256"] = hashlib.sha256(files[edition["file"]]).hexdigest()
    files["wenji.json"] = json.dumps(said).encode()
    files["manifest-sha256.txt"] = manifest({n: d for n, d in files.items() if n != "manifest-sha256.txt"})
    folder = tmp_path / "wenji"
    folder.mkdir()
    for name, data in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    assert any("wenji.hant.txt: block 1" in fault for fault in verify_folder(folder).faults)


@pytest.mark.parametrize("said", [5, {}, {"config": "../../etc/passwd", "converter": "x", "kept": []}, {"config": "s2t", "converter": "x", "kept": [[0, -1, 2]]}])  # fmt: skip
def test_a_damaged_metadata_file_is_told_and_nothing_is_opened(said: object, tmp_path: Path) -> None:
    build([source(tmp_path)], tmp_path / "dist", script="hant", formats=["txt"])
    sidecar = tmp_path / "dist" / "wenji" / "wenji.json"
    sidecar.write_text(json.dumps(json.loads(sidecar.read_text("utf-8")) | {"script": said}), encoding="utf-8")
    faults = verify_folder(tmp_path / "dist" / "wenji").faults
    assert any("script is damaged" in fault for fault in faults)


def test_the_same_bytes_twice(tmp_path: Path) -> None:
    one, other = built(tmp_path / "a", "hant"), built(tmp_path / "b", "hant")
    assert one.files == other.files
    assert one.files["wenji.epub"] != built(tmp_path / "c", "hant-tw").files["wenji.epub"]


def test_a_text_in_that_script_already_and_one_that_is_not_chinese_stay(tmp_path: Path) -> None:
    assert built(tmp_path / "a", "hant", HANT).files == built(tmp_path / "b", None, HANT).files
    assert "script" not in json.loads(built(tmp_path / "c", "hans", "A title\n\nPlain words.\n").files["wenji.json"])


def test_a_book_of_many_works_is_converted_as_a_whole(tmp_path: Path) -> None:
    for name, text in (("a", HANS), ("b", HANS.replace("培训班", "学习班"))):
        source(tmp_path / "in" / name, text).rename(tmp_path / "in" / f"{name}.txt")
        (tmp_path / "in" / name).rmdir()
    done = CliRunner().invoke(
        main, ["build", str(tmp_path / "in"), "--book", "-o", str(tmp_path / "d"), "--script", "hant"]
    )
    assert done.exit_code == 0, done.output
    folder = tmp_path / "d" / "in-collection"
    assert "學習班" in (folder / "in-collection.hant.txt").read_text("utf-8")
    assert not verify_folder(folder).faults


def test_seeds_keep_their_redactions_in_the_other_script(tmp_path: Path) -> None:
    [result] = build([SEEDS / "003-zhengxie-xinde"], tmp_path, script="hant", formats=["epub", "txt"])
    assert result.error is None
    text = (tmp_path / "003-zhengxie-xinde" / "003-zhengxie-xinde.hant.txt").read_text("utf-8")
    assert text.count("政協**市") == 2
    assert not verify_folder(tmp_path / "003-zhengxie-xinde").faults


@given(st.text(max_size=80), st.sampled_from(sorted({c for cs in CONFIGS.values() for c in cs.values()})))
def test_only_han_characters_are_ever_touched(text: str, config: str) -> None:
    other = re.compile(
        r"[\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3400-\u9fff\uf900-\ufaff\U00016fe2-\U00016ff6\U00020000-\U0003ffff]"
    )
    assert other.sub("", convert_text(text, config)) == other.sub("", text)
    assert convert_text(text, config, [(0, len(text))]) == text


def test_places_inside_a_block_follow_the_conversion() -> None:
    block = Block(
        "paragraph", "头发干**市里面", inlines=(Inline(3, 5, "redaction"), Inline(6, 6, "page", "2")),
    )  # fmt: skip
    document = Document(Metadata("心里"), (Block("title", "心里", 1), block))
    done = convert_document(document, "hant")
    assert done is not None and done.kept == ((1, 3, 5),)
    text, (redaction, page) = done.document.blocks[1].text, done.document.blocks[1].inlines
    assert text[redaction.start : redaction.end] == "**" and text[: page.start].endswith("市")


def test_without_opencc_the_command_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opencc", None)
    scripts._converter.cache_clear()
    try:
        with pytest.raises(ToolError):
            check_script("hant")
        done = CliRunner().invoke(main, ["build", str(source(tmp_path)), "-o", str(tmp_path / "d"), "--script", "hant"])
        assert done.exit_code == 6 and "pip install opencc" in done.output
        assert not (tmp_path / "d").exists()
        assert CliRunner().invoke(main, ["build", str(source(tmp_path)), "-o", str(tmp_path / "d")]).exit_code == 0
    finally:
        scripts._converter.cache_clear()


def test_an_unknown_script_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="hans"):
        build([source(tmp_path)], tmp_path / "d", script="latin")
    assert CliRunner().invoke(main, ["build", "x", "--script", "latin"]).exit_code == 2
