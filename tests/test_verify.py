"""The checks of editions: they pass what we write, and see each fault that is put in on purpose."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sample_documents import all_samples, simplified, verse
from shanben.errors import UsageError, VerifyError
from shanben.values import Document, Edition, Metadata
from shanben.verify import CODES, Finding, check_editions, lint, problems, read_back
from shanben.writers import all_writers

SAMPLES = all_samples()
WRITTEN = {
    name: tuple(Edition(f, f"{name}{w.suffix}", w.write(document)) for f, w in all_writers().items())
    for name, document in SAMPLES.items()
}


def edition(name: str, kind: str) -> Edition:
    return next(e for e in WRITTEN[name] if e.format == kind)


def codes(findings: Iterable[Finding]) -> set[str]:
    return {finding.code for finding in findings}


def rezip(data: bytes, change: Callable[[dict[str, bytes]], dict[str, bytes] | None]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files = change(files) or files
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0))
            archive.writestr(info, content, zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def swap(name: str, old: str, new: str) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        assert old.encode() in files[name], f"{old!r} is not in {name}"
        files[name] = files[name].replace(old.encode(), new.encode())

    return change


OPF, NAV, TEXT, CSS = "EPUB/content.opf", "EPUB/nav.xhtml", "EPUB/text/ch001.xhtml", "EPUB/styles/stylesheet1.css"


@pytest.mark.parametrize("name", SAMPLES)
def test_what_we_write_has_no_faults(name: str):
    assert problems(check_editions(SAMPLES[name], WRITTEN[name])) == []


@pytest.mark.parametrize("name", SAMPLES)
def test_an_edition_can_be_checked_without_its_document(name: str):
    for one in WRITTEN[name]:
        assert problems(lint(one)) == []


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("kind", ["epub", "html"])
def test_blocks_come_back_as_they_went_in(name: str, kind: str):
    assert read_back(edition(name, kind)) == SAMPLES[name].texts


def test_every_code_has_a_meaning_and_a_test():
    tested = {code for code, *_ in EPUB_FAULTS} | {code for code, *_ in HTML_FAULTS} | {code for code, *_ in TXT_FAULTS}
    assert tested | {"E014", "E015", "E019", "E024", "E031", "E032"} >= set(CODES)


EPUB_FAULTS = [
    ("E001", swap(OPF, "<dc:language>zh-Hans", "<dc:language>zh-CN")),
    ("E001", swap(TEXT, ' lang="zh-Hans"', ' lang="C"')),
    ("E002", lambda files: {n: re.sub(b"<dc:title.*?</dc:title>", b"", c) for n, c in files.items()}),
    ("E003", swap(TEXT, "h3", "h5")),
    ("E003", swap(TEXT, "h2", "h1")),
    ("E004", swap(TEXT, 'id="s0002"', 'id="一"')),
    ("E005", swap(TEXT, "<hr/>", "<p/>")),
    ("E006", swap(TEXT, "<title>**市", "<title>ch001")),
    ("E007", swap(NAV, ">封面<", ">Cover<")),
    ("E007", swap(NAV, ">目录</h1>", ">Contents</h1>")),
    ("E008", swap(OPF, "-5", "-4")),
    ("E009", swap(OPF, "<dc:date>2019-10-08", "<dc:date>2026-01-01T10:11:12Z")),
    ("E010", swap(OPF, "T00:00:00Z", "T10:11:12Z")),
    ("E011", swap(TEXT, "<hr/>", '<img src="https://example.org/a.png" alt=""/>')),
    ("E011", swap(CSS, "hr {", "@import 'a.css'; hr {")),
    ("E012", swap(NAV, "ch001.xhtml#s0002", "ch001.xhtml#s9999")),
    ("E012", swap(OPF, 'idref="ch002_xhtml"', 'idref="ch001_xhtml"')),
    ("E011", swap(TEXT, "<hr/>", '<img src="http://[" alt=""/>')),
    ("E012", lambda files: files | {"EPUB/stray.xhtml": files[TEXT]}),
    ("E013", swap(TEXT, "同志们", "同\x85志们")),
    ("E016", swap(TEXT, "<hr/>", "<script>1</script>")),
    ("E016", swap(TEXT, "<hr/>", '<hr onclick="x()"/>')),
    ("E017", swap(CSS, "hr {", "hr { color: red;")),
    ("E018", swap(OPF, simplified().digest, "0" * 64)),
    ("E020", swap(TEXT, "<hr/>", "<hr/>多出来的字")),
    ("E021", swap(OPF, "</package>", "<guide/></package>")),
    ("E022", swap(OPF, "schema:accessibilitySummary", "schema:other")),
    ("E023", swap(OPF, ">bkp<", ">edt<")),
    ("E023", swap(OPF, 'property="file-as" refines="#creator-1"', 'property="file-as" refines="#title"')),
    ("E025", swap(OPF, 'properties="cover-image" ', "")),
    ("E025", swap("EPUB/text/cover.xhtml", ' aria-label="封面"', "")),
    ("E026", swap(TEXT, "<head>", '<head><meta name="generator" content="x"/>')),
    ("E027", swap(NAV, 'epub:type="bodymatter"', 'epub:type="other"')),
    ("E033", swap(TEXT, "<p>今年", "<p>\u3000\u3000今年")),
    ("E034", swap("EPUB/text/ch002.xhtml", 'epub:type="colophon"', 'epub:type="chapter"')),
]


@pytest.mark.parametrize(("code", "change"), EPUB_FAULTS)
def test_a_fault_put_into_an_epub_is_seen(code: str, change: Callable[[dict[str, bytes]], None]):
    broken = edition("simplified", "epub")._replace(data=rezip(edition("simplified", "epub").data, change))
    assert code in codes(lint(broken, simplified()))


HTML_FAULTS = [
    ("E001", '<html lang="zh-Hans">', '<html lang="C">'),
    ("E002", "<title>**市", "<title></title><x>"),
    ("E004", 'id="s0003"', 'id="s0002"'),
    ("E008", 'name="DC.identifier" content="urn:uuid:', 'name="DC.identifier" content="x'),
    ("E009", 'name="DC.date" content="2019-10-08"', 'name="DC.date" content="now"'),
    ("E011", "<hr>", '<img src="//example.org/a.png">'),
    ("E011", "<style>", "<style>@import 'x.css';"),
    ("E012", '<a href="#s0002">', '<a href="#nowhere">'),
    ("E013", "同志们", "同\x7f志们"),
    ("E016", "<hr>", "<script>alert(1)</script>"),
    ("E016", "<hr>", '<hr "quoted=">'),
    ("E018", simplified().digest, "0" * 64),
    ("E020", "<hr>", "<hr>多"),
    ("E026", "<style>", '<meta name="generator" content="x"><style>'),
    ("E028", '<main id="text">', '<main id="elsewhere">'),
    ("E028", ' aria-labelledby="toc-title"', ""),
    ("E029", "<main ", '<main epub:type="bodymatter" '),
    ("E034", 'role="doc-colophon"', ""),
]


@pytest.mark.parametrize(("code", "old", "new"), HTML_FAULTS)
def test_a_fault_put_into_html_is_seen(code: str, old: str, new: str):
    data = edition("simplified", "html").data
    assert old.encode() in data
    broken = edition("simplified", "html")._replace(data=data.replace(old.encode(), new.encode()))
    assert code in codes(lint(broken, simplified()))


TXT_FAULTS = [
    ("E013", b"a\x00b\n"),
    ("E030", b"\xef\xbb\xbfa\n"),
    ("E030", b"a\r\nb\n"),
    ("E030", b"a"),
    ("E030", b"a\n\n"),
    ("E030", b"\na\n"),
    ("E030", b""),
    ("E030", "甲\n".encode("gb18030")),
]


@pytest.mark.parametrize(("code", "data"), TXT_FAULTS)
def test_plain_text_that_is_not_canonical_is_seen(code: str, data: bytes):
    assert code in codes(lint(Edition("txt", "a.txt", data)))


@pytest.mark.parametrize("kind", ["epub", "html", "txt"])
def test_one_changed_letter_is_seen_with_its_place(kind: str):
    document = verse()
    poem = next(b for b in document.blocks if b.kind == "verse")
    other = Document(
        document.metadata,
        tuple(b._replace(text=b.text.replace("霜", "雪")) if b is poem else b for b in document.blocks),
    )
    [finding] = [f for f in check_editions(other, [edition("verse", kind)]) if f.code == "E019"]
    assert "at character 12 '雪。" in finding.message
    assert "block 4" in finding.where


@pytest.mark.parametrize("kind", ["epub", "html", "txt"])
def test_a_lost_block_is_seen(kind: str):
    document = simplified()
    less = document._replace(blocks=document.blocks[:-1])
    assert "E019" in codes(check_editions(less, [edition("simplified", kind)]))


def test_sources_of_the_document_must_be_named():
    document = simplified()
    other = document._replace(provenance=(document.provenance[0]._replace(source_sha256="ff" * 32),))
    assert {"E024"} <= codes(lint(edition("simplified", "html"), other)) & codes(
        lint(edition("simplified", "epub"), other)
    )


def test_the_language_must_be_that_of_the_document():
    document = simplified()._replace(metadata=simplified().metadata._replace(language="en"))
    assert "E001" in codes(lint(edition("simplified", "html"), document))


# --- archives that mean harm -------------------------------------------------------------------------


def archive(*files: tuple[str, bytes], deflate: bool = True) -> Edition:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED) as target:
        for name, content in files:
            target.writestr(name, content)
    return Edition("epub", "hostile.epub", buffer.getvalue())


def test_paths_that_climb_out_are_seen():
    for name in ("../evil", "/etc/passwd", "a\\..\\b", "C:/x"):
        assert "E015" in codes(lint(archive((name, b"x"))))


def test_the_order_and_times_of_the_archive_are_checked():
    data = rezip(edition("simplified", "epub").data, lambda files: dict(sorted(files.items())))
    assert "E014" in codes(lint(Edition("epub", "a.epub", data)))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        target.writestr(zipfile.ZipInfo("mimetype", (2001, 1, 1, 0, 0, 0)), "application/epub+zip")
        target.writestr(zipfile.ZipInfo("b", (2002, 1, 1, 0, 0, 0)), "b")
    assert "E032" in codes(lint(Edition("epub", "a.epub", buffer.getvalue())))


@pytest.mark.parametrize(
    "one",
    [
        archive(("a", b"\0" * 50_000_000)),
        archive(*((f"{n}", b"\0" * 15_000_000) for n in range(20))),
        archive(("mimetype", b"application/epub+zip")),
        archive(("META-INF/container.xml", b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>")),
        archive(("META-INF/container.xml", '<?xml version="1.0" encoding="utf-16"?><x/>'.encode("utf-16"))),
        Edition("epub", "a.epub", b""),
        Edition("epub", "a.epub", b"PK\x03\x04" + b"\0" * 100),
        Edition("html", "a.html", b""),
        Edition("html", "a.html", b"<html><body><p>x</p></body></html>"),
    ],
)
def test_broken_or_hostile_editions_give_a_finding_and_no_crash(one: Edition):
    assert {"E031", "E028"} & codes(lint(one))
    with pytest.raises(VerifyError):
        read_back(one)
    assert check_editions(verse(), [one])


def test_entities_are_never_expanded():
    def laugh(files: dict[str, bytes]) -> None:
        bomb = b"<!DOCTYPE html [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;'>]>"
        files[TEXT] = files[TEXT].replace(b"<!DOCTYPE html>", bomb).replace("同志们".encode(), b"&b;")

    with pytest.raises(VerifyError, match="entities"):
        read_back(Edition("epub", "a.epub", rezip(edition("simplified", "epub").data, laugh)))


def test_files_of_the_machine_are_never_read(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("geheim")

    def include(files: dict[str, bytes]) -> None:
        head = f'<!DOCTYPE html SYSTEM "file://{secret}">'.encode()
        files[TEXT] = files[TEXT].replace(b"<!DOCTYPE html>", head)

    one = Edition("epub", "a.epub", rezip(edition("simplified", "epub").data, include))
    assert not any("geheim" in text for text in read_back(one))


def test_an_unknown_format_is_named():
    for check in (read_back, lint):
        with pytest.raises(UsageError, match="pdf"):
            check(Edition("pdf", "a.pdf", b""))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_damage_crashes_the_checks(data: st.DataObject):
    """Bytes are changed inside members, so that the damage reaches the parsers and not only the checksum."""
    kind = data.draw(st.sampled_from(["epub", "html", "txt"]))
    name = data.draw(st.sampled_from(["simplified", "verse"]))
    one = edition(name, kind)
    junk = data.draw(st.sampled_from([b"<", b"&", b'"', b"\x00", b"\xff", b"]]>", b"http://[", b"<!--", b"<h9>", b""]))

    def hurt(content: bytes) -> bytes:
        at = data.draw(st.integers(0, max(0, len(content) - 1)))
        return content[:at] + junk + content[at + data.draw(st.integers(0, 40)) :]

    def hurt_one(files: dict[str, bytes]) -> None:
        victim = data.draw(st.sampled_from(sorted(files)))
        files[victim] = hurt(files[victim])

    damaged = rezip(one.data, hurt_one) if kind == "epub" else hurt(one.data)
    assert isinstance(check_editions(SAMPLES[name], [one._replace(data=damaged)]), list)
    assert isinstance(lint(one._replace(data=damaged)), list)


def test_a_finding_says_where():
    assert str(Finding("E005", "<p>", "a.epub!b.xhtml")) == "a.epub!b.xhtml: E005 <p>"
    assert Metadata("x").title == "x"
