"""Whatever a stranger hands in is read, or refused in words: bytes, rule files, ledgers, editions, bags, metadata.

The examples are the same on every run. For a long search: HYPOTHESIS_PROFILE=long pytest tests/test_fuzz.py
(docs/security.md).
"""

from __future__ import annotations

import encodings.aliases
import hashlib
import importlib
import io
import json
import os
import re
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import time
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path, PurePosixPath

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from conftest import ROOT
from gates import programs
from sample_documents import simplified
from shanben import pipeline
from shanben.archive.bag import check_bag, make_bag
from shanben.archive.changes import placed
from shanben.archive.check import check_package
from shanben.archive.contents import of_source
from shanben.archive.package import package
from shanben.archive.undo import take_back
from shanben.build import build_work
from shanben.cli import main
from shanben.decode import decode, encode
from shanben.errors import (
    EncodingError,
    LedgerError,
    RuleError,
    RuleTimeoutError,
    ShanbenError,
    SourceError,
    UsageError,
    VerifyError,
)
from shanben.fixity import manifest
from shanben.ledger import Change, Ledger, Pass, from_jsonl, to_jsonl
from shanben.pipeline import clean
from shanben.rulebook import apply, strict_yaml
from shanben.rulebook.apply import findings, make_unit
from shanben.rulebook.load import load_rules
from shanben.rulebook.strict_yaml import Faults
from shanben.tools.storage import replace_folder
from shanben.values import Decoding, Edition, Text
from shanben.verify import MAX_ATTRIBUTES, MAX_DEPTH, MAX_MEMBERS, lint, read_back
from shanben.works import find_works
from shanben.writers import all_writers
from test_laws import TEXTS
from test_load import HOSTILE as HOSTILE_PATTERNS
from test_verify import NAV, OPF, TEXT, rezip, swap

RULE_FILES = sorted((ROOT / "rules").glob("[a-oq-z]*/*.yaml"))  # not the profiles, which are no rules


def told(error: ShanbenError, *, longest: int = 2500) -> None:
    """Hold an error against what a user may be shown: words, and nothing that a terminal obeys."""
    said = str(error)
    assert error.what and len(said) < longest
    assert "\x1b" not in said and "Traceback" not in said


# --- decoding ----------------------------------------------------------------------------------------------

CODECS = sorted({*encodings.aliases.aliases.values(), "utf-8-sig", "hz", "idna", "undefined"})
PIECES = (
    st.binary(max_size=24)
    | st.builds(lambda t, c: t.encode(c, "ignore"), TEXTS, st.sampled_from(["utf-8", "gb18030", "big5", "utf-16-le", "utf-32-be", "shift_jis"]))
    | st.sampled_from([b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff", b"\x84\x31\x95\x33", b"\0", b"\x81", b"\x8e\xa2", b"\xed\xa0\x80", b"~{", b"\x1b$B"])
)  # fmt: skip
BYTES = st.lists(PIECES, min_size=1, max_size=5).map(b"".join)
LABELS = st.none() | st.sampled_from(CODECS) | st.text(max_size=10)


@given(BYTES, LABELS)
def test_any_bytes_are_a_text_or_refused_in_words(data: bytes, label: str | None) -> None:
    try:
        text, decoding = decode(data, encoding=label, name="x.txt")
    except (SourceError, EncodingError, UsageError) as error:
        told(error)
        assert error.fix
        return
    assert encode(text, decoding) == data
    assert [s.start for s in decoding.segments] == [0, *(s.end for s in decoding.segments[:-1])]
    assert decoding.segments[-1].end == len(text) and 0 <= decoding.confidence <= 1
    assert not any(0xD800 <= ord(c) < 0xE000 for c in text)


# --- YAML and rules ----------------------------------------------------------------------------------------

YAML_SIGNS = st.sampled_from(
    [*"-:?,[]{}#&*!|>'\"%@`\\ \n\t\r", "\n  ", "\n- ", ": ", " #", "---\n", "...\n", "<<", "&a ", "*a", "!!binary ", "|2-\n", "\ufeff", "\x85", "\u2028", "\0", "甲", "\U0001f600", "0x1", "~", "=", "\\x41"]
)  # fmt: skip
YAML = st.lists(YAML_SIGNS | st.text(max_size=3), max_size=60).map("".join)


@given(YAML | st.binary(max_size=60))
def test_any_yaml_is_read_or_its_faults_have_their_place(content: str | bytes) -> None:
    data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    faults = Faults()
    node = strict_yaml.parse_bytes(data, "f.yaml", faults)
    assert node is not None or faults
    lines = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for fault in faults:
        assert fault.code in strict_yaml.CODES and fault.place.file == "f.yaml"
        assert 1 <= fault.place.line <= len(lines) + 1 and 1 <= fault.place.column <= max(map(len, lines)) + 2
    assert not {unicodedata.category(c) for c in faults.render()} - {"Cc"} & {"Cf", "Cs", "Zl", "Zp"}
    assert not set(faults.render()) & {*map(chr, range(9)), "\x0b", "\x0c", "\r", "\x1b", "\x7f", "\x85"}


@cache
def rule_entries(number: int) -> tuple[str, list[str]]:
    """Give what stands before the rules of a real file (its named parts), and each of its rules."""
    head, *rules = RULE_FILES[number % len(RULE_FILES)].read_text("utf-8").split("\n- id:")
    return head + "\n", [f"- id:{rule}\n" for rule in rules]


ENDLESS = ("(a+)+$", "(?:会|会会)+议$", "(.*)*x", "(.*?,){25}x", "(?s).*.*.*.*x", "(?:(?=(\\w+))\\1)+!", "\\p{Han}{1,5000}\\p{Han}{1,5000}x", "(?e)(?:会议强调){e<=9}")  # fmt: skip
VALUES = st.sampled_from(
    [*ENDLESS, *HOSTILE_PATTERNS, "", "[]", "{}", "-1", "99999999999", "1e9", "100%", "9999%", "x" * 30_000, "'\\g<0>\\g<0>'", "&a x", "*a", "!!python/object:os.system x", "null", "yes", "[[[[x]]]]", "|\n    x\n", "../../etc/passwd", '"\\u202e\\0"']
)  # fmt: skip


@st.composite
def spoiled_rules(draw: st.DrawFn) -> str:
    """Give some rules of a real file with values that mean harm, cuts, and pieces of others."""
    head, rules = rule_entries(draw(st.integers(0, 99)))
    first = draw(st.integers(0, len(rules) - 1))
    lines = "".join(rules[first : first + 3]).splitlines(keepends=True)
    acts = st.sampled_from(["value"] * 5 + ["drop", "twice", "indent", "foreign", "letters"])
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        act = draw(acts)
        line = lines[at]
        if act == "value":
            keys = [
                n for n, one in enumerate(lines) if one.startswith(("  match:", "  before:", "  replace:", "  limit:"))
            ]
            at = draw(st.sampled_from(keys or [at]))
            value = draw(VALUES)
            quoted = value if draw(st.integers(0, 3)) == 0 else f"'{value}'"
            lines[at] = f"{lines[at].split(':', 1)[0]}: {quoted}\n"
        elif act == "drop":
            del lines[at]
        elif act == "twice":
            lines[at:at] = [line]
        elif act == "indent":
            lines[at] = " " * draw(st.integers(0, 6)) + line.lstrip()
        elif act == "foreign":
            lines += draw(st.sampled_from(rule_entries(draw(st.integers(0, 99)))[1])).splitlines(keepends=True)
        else:
            cut = draw(st.integers(0, len(line)))
            lines[at] = line[:cut] + draw(YAML_SIGNS) + line[cut + 1 :]
        lines = lines or ["\n"]
    return head + "".join(lines)


@given(spoiled_rules(), st.sampled_from(["characters", "artifacts", "layout", "punctuation", "protect", "structure"]))
def test_any_rule_file_is_loaded_and_run_or_its_faults_are_named(
    tmp_path_factory: pytest.TempPathFactory, content: str, phase: str
) -> None:
    folder = tmp_path_factory.mktemp("rules")
    (folder / phase).mkdir()
    (folder / phase / "spoiled.yaml").write_text(content, "utf-8", newline="")
    began = time.monotonic()
    try:
        book = load_rules(folder)
    except RuleError as error:
        assert f"spoiled.yaml:{error.what.split('spoiled.yaml:', 1)[1][:1]}" in error.what
        assert "\x1b" not in error.what and len(error.what) < 300_000
        assert time.monotonic() - began < 30
        return
    text = Text.of("会议强调,要抓好落实.\n" * 40 + "会议" * 200 + "\n第一章 总则\n")
    for rule in book.rules:
        if rule.kind != "protect":
            try:
                for found in findings(make_unit(rule), text):
                    assert not isinstance(found, Change) or text.content[found.start : found.end] == found.before
            except RuleError as error:
                told(error)
    assert time.monotonic() - began < 60


PATIENCE = apply.SECONDS


@pytest.fixture(autouse=True)
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop rules after a quarter of a second here, not after ten."""
    monkeypatch.setattr(apply, "SECONDS", 0.25)


RULE = (
    "rules:\n- id: my-rule\n  fault: x\n  match: '{match}'\n  replace: '{after}'\n  examples: [[甲, 乙]]\n  keep: [c]\n"
)
GREEDY = {
    "a group again and again": RULE.format(match="(?s)(.+)", after="\\1" * 5000),
    "itself again and again": RULE.format(match="(?s).+", after="\\g<0>" * 3000),
    "a long word for each sign": RULE.format(match="甲", after="乙" * 500_000),
    "a long word in a table": "rules:\n- id: my-rule\n  fault: x\n  replace-each: {甲: '" + "乙" * 500_000 + "'}\n  examples: [[甲, 乙]]\n  keep: [c]\n",
}  # fmt: skip


@pytest.mark.parametrize("kind", GREEDY)
def test_a_rule_that_puts_in_without_end_is_stopped_before_memory_is(kind: str, tmp_path: Path) -> None:
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts/x.yaml").write_text(GREEDY[kind], "utf-8")
    (tmp_path / "source.txt").write_text("甲丁\n" * 20_000, "utf-8")
    done = subprocess.run(
        ["bash", "-c", 'ulimit -v 1500000; exec "$0" -m shanben clean source.txt --rules . -o out.txt', sys.executable],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 5 and "my-rule" in done.stderr, done.stderr[-800:]
    assert "grows without end" in done.stderr and not (tmp_path / "out.txt").exists()


def test_all_rules_together_have_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert clean("会议强调,要抓好落实.").text == "会议强调，要抓好落实。"
    monkeypatch.setattr(pipeline, "DOCUMENT_SECONDS", 0.0)
    with pytest.raises(RuleTimeoutError, match="together") as caught:
        clean("会议强调,要抓好落实.")
    assert caught.value.exit_code == 5 and caught.value.fix


# --- ledgers -----------------------------------------------------------------------------------------------

OFFSETS = st.integers(0, 12) | st.sampled_from([1 << 31, (1 << 40) - 1])
WORDS = st.text("甲乙ab\n", max_size=4)
CHANGES = st.builds(Change, OFFSETS, WORDS, WORDS, st.none()) | st.builds(
    lambda at, word, to: Change(at, word, word, to), OFFSETS, WORDS, OFFSETS
)
PASSES = st.lists(
    st.builds(Pass, st.sampled_from(["x", "y"]), st.just("layout"), st.just("d"), st.just(1), st.lists(CHANGES, max_size=5).map(tuple)),
    max_size=4,
).map(tuple)  # fmt: skip


@given(PASSES, st.text("甲乙ab\n", max_size=12))
def test_any_changes_fit_or_are_refused(passes: tuple[Pass, ...], text: str) -> None:
    ledger = from_jsonl(to_jsonl(Ledger("", 0, Decoding("utf-8", 1.0), "", "", passes)))
    assert ledger.passes == passes
    acts: list[Callable[[], object]] = [
        lambda: ledger.replay(text),
        lambda: ledger.revert(text),
        lambda: list(placed(ledger)),
        lambda: list(placed(ledger, text)),
        lambda: take_back(ledger, ["x"], text),
        lambda: take_back(ledger, ledger.counts(), text),
    ]
    for act in acts:
        try:
            act()
        except (LedgerError, UsageError) as error:
            told(error)
    try:
        after = ledger.replay(text)
    except LedgerError:
        return
    assert ledger.revert(after) == text


CLAIMS = {
    "a source of 500 GB": lambda h: h["source"].update(size=1 << 39),
    "a segment of 500 GB": lambda h: h["decoding"].update(segments=[[0, 1 << 39, "utf-8"]]),
    "a segment that ends before it begins": lambda h: h["decoding"].update(segments=[[5, 2, "utf-8"]]),
    "a segment of a codec that runs code": lambda h: h["decoding"]["segments"][0].__setitem__(2, "../../x"),
    "more changes than there are": lambda h: h["counts"].update(changes=1 << 39),
    "a format of the future": lambda h: h.update({"shanben-ledger": 2}),
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_what_a_ledger_claims_is_not_believed(claim: str, tmp_path: Path) -> None:
    cleaned = clean("会议强调,要抓好落实.")
    first, rest = to_jsonl(cleaned.ledger).split("\n", 1)
    header = json.loads(first)
    CLAIMS[claim](header)
    (tmp_path / "clean.txt").write_bytes(cleaned.text.encode())
    (tmp_path / "ledger.jsonl").write_text(json.dumps(header) + "\n" + rest, "utf-8")
    out = tmp_path / "source.txt"
    command = f"revert {tmp_path}/clean.txt --ledger {tmp_path}/ledger.jsonl -o {out}"
    done = subprocess.run(
        ["bash", "-c", f'ulimit -v 2000000; exec "$0" -m shanben {command}', sys.executable],
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    if claim == "a source of 500 GB":  # the bytes are proved by their digest; what is said of their number harms nobody
        assert done.returncode in (0, 7)
        return
    assert done.returncode == 7 and not out.exists(), done.stderr.decode()
    assert len(done.stderr.splitlines()) <= 2 and b"Traceback" not in done.stderr


# --- editions ----------------------------------------------------------------------------------------------


@cache
def good_epub() -> bytes:
    return all_writers()["epub"].write(simplified())


@cache
def good_html() -> bytes:
    return all_writers()["html"].write(simplified())


def entry(
    name: bytes, packed: bytes, *, size: int, crc: int, method: int = 8, flags: int = 0, mode: int = 0, at: int = 0
) -> tuple[bytes, bytes]:
    """Give a local header with data, and an entry of the central directory, that say whatever is wanted."""
    facts = (method, 0, 0x21, crc, len(packed), size, len(name), 0)
    head = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, flags, *facts) + name + packed
    listed = struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 788, 20, flags, *facts, 0, 0, 0, mode << 16, at) + name
    return head, listed


def archive(*entries: tuple[bytes, bytes]) -> bytes:
    body = b"".join(head for head, _ in entries)
    listed = b"".join(one for _, one in entries)
    return body + listed + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, len(entries) & 0xFFFF, len(entries) & 0xFFFF, len(listed), len(body), 0)  # fmt: skip


@cache
def zeros(size: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return b"".join(packer.compress(b"\0" * 10_000_000) for _ in range(size // 10_000_000)) + packer.flush()


def bomb(size: int, claimed: int) -> bytes:
    return archive(entry(b"mimetype", zeros(size), size=claimed, crc=zlib.crc32(b"\0" * min(claimed, 1000))))


def overlapping() -> bytes:
    """Let 20,000 entries speak of the same packed megabyte."""
    head, listed = entry(b"a", zeros(10_000_000), size=10_000_000, crc=zlib.crc32(b"\0" * 10_000_000))
    return archive((head, b""), *((b"", listed) for _ in range(20_000)))


def packed_as(method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as target:
        target.writestr("mimetype", b"\0" * 1_000_000)
    return buffer.getvalue()


def plain(content: bytes, **more: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(content) + packer.flush()
    return archive(
        entry(b"META-INF/container.xml", packed, **{"size": len(content), "crc": zlib.crc32(content)} | more)
    )


def changed(name: str, old: str, new: str) -> bytes:
    return rezip(good_epub(), swap(name, old, new))


def with_file(name: str, content: bytes) -> bytes:
    return rezip(good_epub(), lambda files: files | {name: content})


LAUGHS = "<!DOCTYPE x [" + "".join(f"<!ENTITY e{n} '{f'&e{n - 1};' * 10 if n else 'ha'}'>" for n in range(9)) + "]>"
ATTRIBUTES = " ".join(f"a{n}='1'" for n in range(MAX_ATTRIBUTES + 1))
DEEP = "<div>" * (MAX_DEPTH + 1) + "<p>x</p>" + "</div>" * (MAX_DEPTH + 1)
SPINE = '<itemref idref="ch001_xhtml"/>'


def named_again(files: dict[str, bytes]) -> dict[str, bytes]:
    again = "".join(
        f'<item id="x{n}" href="text/ch001.xhtml" media-type="application/xhtml+xml"/>' for n in range(3000)
    )
    return files | {OPF: files[OPF].replace(b"</manifest>", again.encode() + b"</manifest>")}


def two_packages(files: dict[str, bytes]) -> dict[str, bytes]:
    other = b'<rootfile full-path="other.bin" media-type="application/oebps-package+xml"/></rootfiles>'
    name = "META-INF/container.xml"
    return files | {name: files[name].replace(b"</rootfiles>", other), "other.bin": files[OPF]}


def other_suffix(files: dict[str, bytes]) -> dict[str, bytes]:
    """Put a page where no suffix tells that it is one."""
    opf = files[OPF].replace(
        b"</manifest>", b'<item id="n" href="n.bin" properties="nav" media-type="application/xhtml+xml"/></manifest>'
    )
    return files | {OPF: opf, "EPUB/n.bin": f"<html {ATTRIBUTES}/>".encode()}


HOSTILE_EPUBS: dict[str, Callable[[], bytes]] = {
    "a bomb": lambda: bomb(600_000_000, 600_000_000),
    "a bomb that lies about its size": lambda: bomb(600_000_000, 20),
    "claims of 4 GB": lambda: bomb(10_000_000, 0xFFFFFFF0),
    "entries that overlap": overlapping,
    "too many entries": lambda: archive(*(entry(b"%d" % n, b"", size=0, crc=0, method=0) for n in range(MAX_MEMBERS + 1))),
    "bzip2": lambda: packed_as(zipfile.ZIP_BZIP2),
    "lzma": lambda: packed_as(zipfile.ZIP_LZMA),
    "encrypted": lambda: plain(b"<x/>", flags=1),
    "a wrong checksum": lambda: plain(b"<x/>", crc=1),
    "a size too small": lambda: plain(b"<x/>", size=2),
    "a size too large": lambda: plain(b"<x/>", size=2000),
    "a link": lambda: plain(b"/etc/passwd", mode=stat.S_IFLNK | 0o777),
    "laughs in the package": lambda: changed(OPF, "<package", f"{LAUGHS}<package"),
    "laughs in a page": lambda: rezip(good_epub(), lambda f: f | {TEXT: f[TEXT].replace(b"<!DOCTYPE html>", LAUGHS.encode())}),
    "laughs in an attribute": lambda: rezip(good_epub(), lambda f: f | {NAV: LAUGHS.encode() + b"<x a='&e8;'/>"}),
    "a file of the machine": lambda: with_file("EPUB/x.xml", b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'),
    "a parameter entity": lambda: with_file("EPUB/x.xml", b'<!DOCTYPE x [<!ENTITY % a SYSTEM "http://127.0.0.1:9/">%a;]><x/>'),
    "UTF-7": lambda: with_file("EPUB/x.xml", b'<?xml version="1.0" encoding="utf-7"?>+ADwAIQ-ENTITY'),
    "EBCDIC": lambda: with_file("EPUB/x.xml", '<?xml version="1.0" encoding="IBM037"?><x/>'.encode("cp037")),
    "a page in another encoding": lambda: with_file("EPUB/x.xml", b'<?xml version="1.0" encoding="gb18030"?><x/>'),
    "a spine without end": lambda: changed(OPF, SPINE, SPINE * 3000),
    "a file named without end": lambda: rezip(good_epub(), named_again),
    "two packages": lambda: rezip(good_epub(), two_packages),
    "a page under another suffix": lambda: rezip(good_epub(), other_suffix),
    "attributes without end": lambda: changed(TEXT, "<hr/>", f"<hr {ATTRIBUTES}/>"),
    "depth without end": lambda: changed(TEXT, "<hr/>", DEEP),
    "no package": lambda: changed("META-INF/container.xml", "content.opf", "nothing.opf"),
    "a package that climbs": lambda: changed("META-INF/container.xml", "EPUB/content.opf", "../../../etc/passwd"),
    "a page that climbs": lambda: changed(OPF, 'href="text/ch001.xhtml"', 'href="../../../../etc/passwd"'),
    "no spine": lambda: rezip(good_epub(), lambda f: f | {OPF: f[OPF].replace(b"spine", b"pine")}),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE_EPUBS)
def test_an_archive_that_means_harm_is_refused_at_once(name: str, tmp_path: Path) -> None:
    """In a process of its own with little memory: what is refused late would not be refused at all."""
    (tmp_path / "x.epub").write_bytes(HOSTILE_EPUBS[name]())
    program = (
        "import sys; from pathlib import Path; from shanben.values import Edition; from shanben.verify import *;"
        "from shanben.errors import VerifyError\n"
        "one = Edition('epub', 'x.epub', Path(sys.argv[1]).read_bytes())\n"
        "print([f.code for f in lint(one)])\n"
        "try: print(len(read_back(one)))\n"
        "except VerifyError as error: print('refused:', error)"
    )
    began = time.monotonic()
    done = subprocess.run(
        ["bash", "-c", 'ulimit -v 1000000; exec "$0" -c "$@"', sys.executable, program, tmp_path / "x.epub"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-1500:]
    assert "refused:" in done.stdout and "root:" not in done.stdout, done.stdout
    assert "E0" in done.stdout
    assert time.monotonic() - began < 30


HOSTILE_PAGES: dict[str, Callable[[bytes], bytes]] = {
    "attributes": lambda page: page.replace(b"<hr>", f"<hr {ATTRIBUTES * 50}>".encode()),
    "depth": lambda page: page.replace(b"<hr>", DEEP.encode()),
    "depth that never closes": lambda page: page.replace(b"<hr>", b"<div>" * 100_000),
}


@pytest.mark.parametrize("name", HOSTILE_PAGES)
def test_a_page_that_means_harm_is_refused_at_once(name: str) -> None:
    page = HOSTILE_PAGES[name](good_html())
    assert page != good_html()
    began = time.monotonic()
    with pytest.raises(VerifyError, match="more than"):
        read_back(Edition("html", "x.html", page))
    assert "E031" in {f.code for f in lint(Edition("html", "x.html", page))}
    assert time.monotonic() - began < 5


def test_names_and_doubles_in_an_archive_are_named() -> None:
    for name in ("../x.xhtml", "/etc/passwd", "a/../../b", "c:\\x", "a\\b"):
        assert "E015" in {f.code for f in lint(Edition("epub", "x.epub", with_file(name, b"x")))}, name
    buffer = io.BytesIO(good_epub())
    with zipfile.ZipFile(buffer, "a") as target, pytest.warns(UserWarning, match="Duplicate"):
        target.writestr(TEXT, zipfile.ZipFile(io.BytesIO(good_epub())).read(TEXT).replace("同志们".encode(), b"x"))
    assert "E015" in {f.code for f in lint(Edition("epub", "x.epub", buffer.getvalue()))}


@given(st.data())
def test_any_damage_to_an_archive_is_read_or_refused(data: st.DataObject) -> None:
    """Damage to the archive itself: headers, table of contents, packed data (test_verify.py damages what is in it)."""
    book = bytearray(good_epub())
    listed = book.rindex(b"PK\1\2")
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(book) - 1) | st.integers(listed - 400, len(book) - 1) | st.integers(0, 120))
        act = data.draw(st.sampled_from(["bits", "number", "cut", "double"]))
        if act == "bits":
            book[at] ^= data.draw(st.integers(1, 255))
        elif act == "number":
            book[at : at + 4] = data.draw(
                st.sampled_from([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xfe\xff\xff\x7f", b"\1\0\0\0"])
            )
        elif act == "cut":
            del book[at : at + data.draw(st.integers(1, 200))]
        else:
            book[at:at] = book[at : at + data.draw(st.integers(1, 200))]
        book = book or bytearray(b"PK")
    one = Edition("epub", "x.epub", bytes(book))
    assert isinstance(lint(one), list)
    try:
        assert isinstance(read_back(one), tuple)
    except VerifyError as error:
        told(error)


# --- bags --------------------------------------------------------------------------------------------------


@cache
def good_bag() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as place:
        source = Path(place) / "甲.txt"
        source.write_bytes(
            "关于办法的通知\n\n某市政协**市委员会,现将办法印发.\n\n来源：新华社\n\n第一条 共2,300件;略.\n".encode()
        )
        return package(of_source(find_works([source])[0]))


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    replace_folder(tmp_path / "bag", good_bag())
    return tmp_path / "bag"


def digests(data: bytes) -> dict[str, str]:
    return {a: hashlib.new(a, data).hexdigest() for a in ("sha256", "sha512")}


def also_named(bag: Path, names: Iterable[str], data: bytes) -> None:
    """Name files in both manifests, with the right digests of ``data``."""
    for algorithm, digest in digests(data).items():
        with (bag / f"manifest-{algorithm}.txt").open("a", newline="") as file:
            file.writelines(f"{digest}  {name}\n" for name in names)


SECRET = "秘密".encode() * 20
NAMES = (
    "../secret.txt", "data/../../secret.txt", "data/built/../../../secret.txt", "{outside}/secret.txt", "data/./x.txt", "data//x.txt", "./data/x.txt", "data/x.txt/",
    "data\\..\\..\\secret.txt", "data/a\0b", "data/link/secret.txt", "data/link.txt", "data/inner/x.txt", "data/%2e%2e/%2e%2e/secret.txt", "~/secret.txt", "data/" + "n" * 5000,
    "data/\x1b[31m\u202ex", "-rf", "data/CON", "", " ", "data",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=[ascii(n[:30]) for n in NAMES])
def test_a_name_in_a_manifest_leads_nowhere(name: str, bag: Path) -> None:
    outside = bag.parent
    (outside / "secret.txt").write_bytes(SECRET)
    (bag / "data/link").symlink_to(outside)
    (bag / "data/link.txt").symlink_to(outside / "secret.txt")
    (bag / "data/inner").symlink_to(".")
    (bag / "data/x.txt").write_bytes(SECRET)
    also_named(bag, [name.replace("{outside}", str(outside))], SECRET)
    files, faults = check_bag(bag)
    assert SECRET not in files.values() and faults
    said = CliRunner().invoke(main, ["verify", str(bag)])
    assert said.exit_code == 7 and "秘密" not in said.output and "\x1b[31m" not in said.output


def test_one_file_under_many_names_is_not_read_many_times(bag: Path) -> None:
    with (bag / "data/large.bin").open("wb") as file:
        file.truncate(200_000_000)
    also_named(bag, [f"data/{'./' * n}large.bin" for n in range(1, 500)], b"\0" * 200_000_000)
    began = time.monotonic()
    assert check_bag(bag)[1]
    assert time.monotonic() - began < 20


def without(pattern: str) -> Callable[[Path], object]:
    return lambda bag: [path.unlink() for path in bag.glob(pattern)]


def put(name: str, data: bytes | str) -> Callable[[Path], object]:
    return lambda bag: (bag / name).write_bytes(data if isinstance(data, bytes) else data.encode())


def sparse(bag: Path) -> None:
    for number in range(12):
        with (bag / f"data/{number}.bin").open("wb") as file:
            file.truncate(250_000_000)


BAD_BAGS: dict[str, Callable[[Path], object]] = {
    "no manifest of one algorithm": without("manifest-sha512.txt"),
    "no manifest at all": without("*manifest-*.txt"),
    "a weaker algorithm alone": lambda bag: [p.rename(p.with_name(p.name.replace("sha512", "md5"))) for p in bag.glob("*sha512.txt")],
    "a manifest of one endless line": put("manifest-sha256.txt", b"a" * 3_000_000),
    "a manifest of empty lines": put("manifest-sha256.txt", b"\n" * 3_000_000),
    "a manifest that is too large": put("manifest-sha256.txt", b"\n" * 20_000_000),
    "a manifest in another encoding": put("manifest-sha256.txt", "甲".encode("utf-16")),
    "a manifest that is a folder": lambda bag: [(bag / "manifest-sha256.txt").unlink(), (bag / "manifest-sha256.txt").mkdir()],
    "a manifest that is a link": lambda bag: [(bag / "manifest-sha256.txt").unlink(), (bag / "manifest-sha256.txt").symlink_to("/etc/passwd")],
    "another version": put("bagit.txt", "BagIt-Version: 9.9\nTag-File-Character-Encoding: UTF-16\n"),
    "files to be fetched": put("fetch.txt", "http://127.0.0.1:9/x 9 data/x.txt\n"),
    "more than can be held": sparse,
    "a circle of links": lambda bag: (bag / "data/circle").symlink_to(bag),
    "a pipe": lambda bag: os.mkfifo(bag / "data/pipe"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD_BAGS)
def test_a_bag_that_means_harm_is_refused_at_once(kind: str, bag: Path) -> None:
    BAD_BAGS[kind](bag)
    began = time.monotonic()
    done = CliRunner().invoke(main, ["verify", str(bag)])
    assert done.exit_code == 7, done.output[-500:]
    assert len(done.output) < 20_000 and "root:" not in done.output
    assert time.monotonic() - began < 20


def resealed(bag: Path, changed: dict[str, bytes]) -> None:
    """Put other files into a bag under manifests that fit, inner manifest included: all that digests can tell holds."""
    payload = {n.removeprefix("data/"): d for n, d in good_bag().items() if n.startswith("data/")} | changed
    inner = {n.removeprefix("built/"): d for n, d in payload.items() if n.startswith("built/") and "manifest-" not in n}
    payload["built/manifest-sha256.txt"] = manifest(inner)
    shutil.rmtree(bag)
    replace_folder(bag, make_bag(payload, [("Bag-Software-Agent", "a stranger")]))


def index_with(**changes: object) -> bytes:
    return json.dumps(json.loads(good_bag()["data/rules/index.json"]) | changes).encode()


DEEP_JSON = b"[" * 100_000 + b"]" * 100_000
BOMB = LAUGHS.replace("DOCTYPE x", "DOCTYPE premis").encode()
FORGED: dict[str, dict[str, Callable[[], bytes]]] = {
    "layers without end": {"rules/index.json": lambda: index_with(layers=10**12)},
    "layers that are none": {"rules/index.json": lambda: index_with(layers="x")},
    "no works": {"rules/index.json": lambda: index_with(works=[])},
    "works that are none": {"rules/index.json": lambda: index_with(works={"a": 1})},
    "a work that climbs": {"rules/index.json": lambda: index_with(works=[{"work": "../../../etc/passwd", "rulebook": "", "plans": []}])},
    "an index without end": {"rules/index.json": lambda: b"[" + b"[]," * 30_000_000 + b"[]]"},
    "a deep index": {"rules/index.json": lambda: DEEP_JSON},
    "no JSON": {"rules/index.json": lambda: b"\xff"},
    "a deep metadata file": {"built/甲.json": lambda: DEEP_JSON},
    "laughs in PREMIS": {"metadata/premis.xml": lambda: BOMB + b"<premis a='&e8;'>&e8;</premis>"},
    "laughs in TEI": {"tei/甲.xml": lambda: BOMB + b"<TEI xmlns='http://www.tei-c.org/ns/1.0'><text n='&e8;'><p>&e8;</p></text></TEI>"},
    "a file of the machine in TEI": {"tei/甲.xml": lambda: b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'},
    "depth in TEI": {"tei/甲.xml": lambda: b"<p>" * 1000 + b"x" * 1_000_000 + b"</p>" * 1000},
    "a number without end in PREMIS": {"metadata/premis.xml": lambda: good_bag()["data/metadata/premis.xml"].replace(b"size>", b"size>" + b"9" * 5000, 1)},
    "rules that are none": {"rules/shipped/punctuation/width.yaml": lambda: b"[" * 100_000},
    "rules without end": {"rules/shipped/punctuation/width.yaml": lambda: b"rules:\n- id: x-y\n  fault: x\n  match: '((a+)+)+$'\n  replace: b\n  examples: [[a, b]]\n  keep: [c]\n"},
    "another ledger": {"built/ledger.jsonl": lambda: good_bag()["data/built/ledger.jsonl"].replace(b'"at":', b'"at":9')},
    "another text": {"built/甲.txt": lambda: good_bag()["data/built/甲.txt"] + "多\n".encode()},
}  # fmt: skip


@pytest.mark.parametrize("kind", FORGED)
def test_what_a_forged_bag_says_is_found_and_harms_nothing(kind: str, bag: Path) -> None:
    resealed(bag, {name: make() for name, make in FORGED[kind].items()})
    assert check_bag(bag)[1] == [], "the manifests alone do not tell it"
    before = sorted(p.as_posix() for p in bag.rglob("*"))
    began = time.monotonic()
    report = check_package(bag)
    assert report.faults and not any("root:" in fault for fault in report.faults)
    assert all(len(fault) < 1000 and "\x1b" not in fault for fault in report.faults), report.faults
    assert time.monotonic() - began < 30
    assert sorted(p.as_posix() for p in bag.rglob("*")) == before


@given(st.data())
def test_any_damage_to_the_lines_of_a_bag_is_read_or_refused(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as place:
        bag = Path(place) / "bag"
        replace_folder(bag, good_bag())
        [name] = data.draw(st.permutations([n for n in good_bag() if "/" not in n]))[:1]
        lines = good_bag()[name].splitlines(keepends=True)
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(0, len(lines) - 1))
            cut = data.draw(st.integers(0, len(lines[at])))
            new = data.draw(
                st.sampled_from(
                    [b"", b"\n", b"../", b"/", b"%", b"%25%0a", b"\0", b"\xff", b"  ", b"0" * 70, b"data/x"]
                )
            )
            lines[at] = lines[at][:cut] + new + lines[at][cut + data.draw(st.integers(0, 80)) :]
        (bag / name).write_bytes(b"".join(lines))
        files, faults = check_bag(bag)
        assert faults or b"".join(lines) == good_bag()[name]
        assert set(files.values()) <= set(good_bag().values())


# --- metadata ----------------------------------------------------------------------------------------------

TITLES = {
    "climbs": "../../../etc/passwd",
    "absolute": "/etc/passwd",
    "NUL and controls": "a\0b\x1b[31mc\x07\x7f\x85d",
    "only controls": "\x01\x02\x1b\u202e\u2066",
    "only blanks": " \u3000\u00a0\u2003",
    "turned round": "\u202etxt.exe\u202c\u2067abc",
    "lines": "a\nBagging-Date: 1999-01-01\r\nb\u2028c\u2029d\x0be",
    "markup": "</title></dc:title></head><script>alert(1)</script><img src=x onerror=alert(1)>",
    "attributes": '"\' onload=alert(1) x="><b>',
    "ends": "]]> --> ?> */ </style> </script> <!-- <![CDATA[",
    "entities": "&lt;b&gt; &amp;amp; &#60; &x;",
    "templates": "$title$ ${body} {{x}} %s {0} \\input{x} `x` $(x)",
    "markdown": "**粗** __x__ # [a](javascript:alert(1)) ***",
    "yaml": "- {a: [b, *c]} #\n: | !!x &y '\"",
    "long": "長題<b>" * 2500,
    "nonsense": "\ufffe\uffff\ufdd0\U0010ffff\ue000\u0301",
    "a device": "CON",
    "dots": "...",
}


def quoted(text: str) -> str:
    """Write a text in the double quotes of YAML, which can say every character."""
    return '"' + "".join(f"\\U{ord(c):08x}" for c in text) + '"'


def work_folder(folder: Path, title: str) -> Path:
    """Lay out a work whose every field is hostile, and whose folder is named so too as far as a disk allows."""
    name = "".join(c for c in title if c not in "/\0")[:60].encode()[:200].decode("utf-8", "ignore")
    place = folder / (name.lstrip(". ") or "x")
    place.mkdir(parents=True)
    (place / "source.txt").write_bytes("大标题\n\n会议强调,要抓好落实.\n\n第一章 总则\n\n正文**市。\n".encode())
    fields = ("title", "subtitle", "source", "publisher", "rights", "description", "url")
    said = quoted(title)
    lists = "".join(f"{field}: [{said}, {quoted('甲' + title)}]\n" for field in ("creator", "contributor", "subject"))
    (place / "work.yaml").write_text("".join(f"{field}: {said}\n" for field in fields) + lists, "utf-8")
    return place


def parsed(files: dict[str, bytes]) -> Iterator[tuple[str, etree._Element]]:
    """Parse every file that is written in XML or HTML with a parser that forgives nothing in XML."""
    for name, data in files.items():
        if name.endswith(".xml"):
            yield name, etree.fromstring(data)
        elif name.endswith(".html"):
            yield name, etree.fromstring(data, etree.HTMLParser(encoding="utf-8"))
        elif name.endswith(".epub"):
            with zipfile.ZipFile(io.BytesIO(data)) as book:
                assert all(PurePosixPath(n).is_relative_to(".") and ".." not in n for n in book.namelist())
                for inner in book.namelist():
                    if inner.endswith((".xhtml", ".opf", ".xml", ".svg", ".ncx")):
                        yield f"{name}!{inner}", etree.fromstring(book.read(inner))


ACTIVE = {"script", "iframe", "object", "embed", "form", "base", "img", "b", "strong", "em"}


def active(root: etree._Element) -> list[str]:
    """Give what a page could do besides being read: elements, event attributes, addresses that run code."""
    found = []
    for element in root.iter(etree.Element):
        name = etree.QName(element).localname.lower()
        for key, value in element.attrib.items():
            key = etree.QName(key).localname.lower()
            if key.startswith("on") or (
                key in ("href", "src") and str(value).strip().lower().startswith("javascript:")
            ):
                found.append(f"{name} {key}={value}")
        if name in ACTIVE and etree.QName(element).namespace in (None, "http://www.w3.org/1999/xhtml"):
            found.append(name)
    return found


@cache
def ordinary_report() -> list[str]:
    with tempfile.TemporaryDirectory() as place:
        [work] = find_works([work_folder(Path(place), "甲").parent])
        [report] = [data for name, data in build_work(work).files.items() if name.startswith("changes/")]
    return active(etree.fromstring(report, etree.HTMLParser(encoding="utf-8")))


@pytest.mark.parametrize("kind", TITLES)
def test_hostile_metadata_reach_no_name_and_run_nothing(kind: str, tmp_path: Path) -> None:
    title = TITLES[kind]
    sources = tmp_path / "sources"
    try:
        work_folder(sources, title)
    except OSError:  # this disk cannot hold such a name: the title alone will do
        shutil.rmtree(sources)
        work_folder(sources, "x").joinpath("work.yaml").write_text(f"title: {quoted(title)}\n", "utf-8")
    [work] = find_works([sources])
    contents = of_source(work)
    bag = package(contents, "2024-01-26")
    replace_folder(tmp_path / "bags" / contents.slug, bag)
    written = [p.relative_to(tmp_path / "bags") for p in (tmp_path / "bags").rglob("*")]
    assert {len(p.parts) for p in written} <= set(range(1, 7))
    for path in written:
        assert all(part.isprintable() and len(part.encode()) <= 160 and part[0] not in " ." for part in path.parts), (
            path
        )
    assert check_package(tmp_path / "bags" / contents.slug).faults == ()
    for name, root in parsed(bag):
        wanted = ordinary_report() if "/changes/" in name else []  # it has a script of its own: test_report.py
        assert active(root) == wanted, name
    info = bag["bag-info.txt"].decode()
    assert [line.split(": ")[0] for line in info.splitlines()] == [
        "Bag-Software-Agent", "External-Identifier", "External-Description", "Internal-Sender-Identifier", "Bagging-Date", "Payload-Oxum",
    ]  # fmt: skip
    [sidecar] = [data for name, data in bag.items() if name.startswith("data/built/") and name.endswith(".json")]
    assert json.loads(sidecar)["metadata"]["dcterms:title"]
    (tmp_path / "back").write_bytes(b"")
    done = CliRunner().invoke(main, ["verify", str(tmp_path / "bags")])
    assert (done.exit_code == 0 and done.output.isprintable()) or "\n" in done.output
    assert "\x1b" not in done.output and "\u202e" not in done.output


@pytest.mark.gate
@pytest.mark.parametrize("kind", ["markup", "turned round", "long", "ends"])
def test_epubcheck_has_nothing_to_say_about_hostile_metadata(kind: str, tmp_path: Path) -> None:
    [work] = find_works([work_folder(tmp_path / "sources", TITLES[kind][:9000]).parent])
    [book] = [data for name, data in build_work(work).files.items() if name.endswith(".epub")]
    (tmp_path / "x.epub").write_bytes(book)
    assert programs.epubcheck(tmp_path / "x.epub") == []


# --- the documentation -------------------------------------------------------------------------------------


def test_the_limits_in_the_documentation_are_those_of_the_code() -> None:
    rows = re.findall(
        r"^\| .+ \| ([\d,]+(?: MiB)?) \| `([\w.]+)\.(\w+)` \|$",
        (ROOT / "docs/security.md").read_text("utf-8"),
        re.MULTILINE,
    )
    assert len(rows) > 20
    for written, module, name in rows:
        value = getattr(importlib.import_module(f"shanben.{module}"), name)
        if (module, name) == ("rulebook.apply", "SECONDS"):
            value = PATIENCE
        number = f"{value:,}" if isinstance(value, int) else f"{value:,.0f}"
        assert written in (number, f"{value // 1024**2} MiB"), f"{module}.{name} is {value}"
