"""Is an edition what it says? Read it back with a witness that did not write it, and look for known faults.

Everything works on bytes from a stranger: sizes are limited, nothing is fetched, no entity is expanded.
"""

from __future__ import annotations

import hashlib
import io
import posixpath
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import islice
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote
from uuid import UUID

import regex
from lxml import etree

from shanben.errors import UsageError, VerifyError
from shanben.lazy import lazy_regex
from shanben.values import Document, Edition
from shanben.writers._labels import language_tag
from shanben.writers._metadata import clean_metadata, identifier, modified, parse_date

MAX_BYTES = 200_000_000
"""Uncompressed size of an edition that is read back; a book of 4,000 chapters has 30 MB."""
MAX_MEMBERS = 50_000
MAX_RATIO = 200
"""Uncompressed to compressed; above it an archive of more than 10 MB is taken for a zip bomb."""
MAX_ATTRIBUTES = 1000
"""Attributes of one element; the time that libxml2 needs for them in HTML grows with the square."""
MAX_DEPTH = 200
"""Elements inside each other; what we write has 15."""
MAX_FINDINGS = 10_000
"""Faults of one edition that are told; then the search ends."""

CODES: dict[str, str] = {
    "E001": "the language is missing, wrong, or told by region (zh-CN) instead of script (zh-Hans)",
    "E002": "there is no title",
    "E003": "a heading level is skipped, or a file has more than one h1",
    "E004": "an id is not plain ASCII, or stands twice",
    "E005": "a paragraph or heading is empty",
    "E006": "the title of a page is not its heading",
    "E007": "labels are not in the language of the work",
    "E008": "the identifier is not one derived from sources, rules and metadata (UUID version 5)",
    "E009": "the date is not the date of the work",
    "E010": "the time of modification is the time of the build",
    "E011": "something outside the edition is referred to as a resource",
    "E012": "manifest, spine, contents and files do not agree",
    "E013": "a control character stands in the edition",
    "E014": "mimetype is not the first file of the archive, stored as it is",
    "E015": "a path in the archive is absolute, climbs out of it, or stands twice",
    "E016": "a script, a form or an embedded object",
    "E017": "a colour is set in an EPUB, where the reading system chooses them",
    "E018": "the digest of the text is missing or wrong",
    "E019": "the text read back is not the text of the Document",
    "E020": "there is text outside the blocks",
    "E021": "the guide of EPUB 2 is still there",
    "E022": "accessibility metadata is missing",
    "E023": "a creator has no role or sort key, or the producer is not named",
    "E024": "the source is not named by its SHA-256",
    "E025": "the cover is missing or has no label",
    "E026": "traces of the tool are left: generator, empty style",
    "E027": "landmarks are missing",
    "E028": "the page has no main, skip link or labelled contents",
    "E029": "epub:type outside an EPUB",
    "E030": "the plain text is not canonical: UTF-8 without BOM, LF, one final line end, no empty ends",
    "E031": "the edition is broken, too large, or built to harm",
    "E032": "the files of the archive carry different times",
    "E033": "a paragraph begins with spaces although the style sheet indents it",
    "E034": "the colophon is missing",
}
"""Every code and what it means. Codes are never reused."""
WARNINGS = frozenset({"E013", "E033"})
"""Codes that lie in the text, not in the making of the edition."""

_LONGEST = 300  # characters of a finding, or of its place
_CONTAINER = "META-INF/container.xml"
_ENTRY = b"PK\x01\x02"  # an entry of the table of contents of a zip archive
_OTHER_ENCODING = lazy_regex(rb"(?:\xef\xbb\xbf)?<\?xml[^>]*\bencoding\s*=\s*[\"'](?!utf-8[\"'])", regex.IGNORECASE)
_XML_SUFFIXES = (".xhtml", ".opf", ".ncx", ".xml", ".svg", ".html", ".htm")
_XHTML = "{http://www.w3.org/1999/xhtml}"
_OPF = "{http://www.idpf.org/2007/opf}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_EPUB_TYPE = "{http://www.idpf.org/2007/ops}type"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_APART = frozenset({"cover", "titlepage", "colophon", "toc", "landmarks"})
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_CONTROL = lazy_regex(r"[\x00-\x08\x0B-\x1F\x7F-\x9F\p{Noncharacter_Code_Point}]")
_COLOUR = lazy_regex(r"(?:^|[;{\s])(?:background|color|background-color)\s*:|#[0-9A-Fa-f]{3,8}\b|\brgba?\(|\bhsla?\(")
_OUTSIDE = lazy_regex(r"@import|url\(\s*['\"]?(?!#)", regex.IGNORECASE)
_ABSOLUTE = lazy_regex(r"\s*([A-Za-z][A-Za-z0-9+.-]*:|//|\\\\)")
_TOO_DEEP = etree.XPath(f"boolean({'/*' * (MAX_DEPTH + 1)})")
_TOO_MANY_ATTRIBUTES = etree.XPath(f"boolean(//*[count(@*) > {MAX_ATTRIBUTES}])")
_OWN_DOCTYPE = lazy_regex(rb"<!DOCTYPE[^>]*\[")
_HAN = lazy_regex(r"\p{Han}")
_ID = lazy_regex(r"[A-Za-z][A-Za-z0-9_.:-]*")
_ATTRIBUTE = lazy_regex(r"[a-z][a-zA-Z-]*|viewbox")
_SLASHES = lazy_regex(r"[/\\]")
_UNSAFE_PATH = lazy_regex(r"[\\:\x00]")
_COMMENT = lazy_regex(r"/\*.*?\*/", regex.DOTALL)
_Element = etree._Element


class Finding(NamedTuple):
    """One fault of an edition: which, in words, and where in it."""

    code: str
    message: str
    where: str = ""

    @property
    def level(self) -> Literal["error", "warning"]:
        """Tell how much it matters: a warning speaks of the text, an error of the edition."""
        return "warning" if self.code in WARNINGS else "error"

    def __str__(self) -> str:
        """Give one line: where, code, message."""
        return f"{self.where}: {self.code} {self.message}"


def check_editions(document: Document, editions: Iterable[Edition]) -> list[Finding]:
    """Check that every edition holds exactly the text of ``document``, block by block, and lint it."""
    found = []
    for edition in editions:
        opened = _Opened(edition)
        found += _compare(document, opened)
        found += _lint(opened, document)
    return found


def read_back(edition: Edition) -> tuple[str, ...]:
    """Give the blocks of text that a reader of the edition gets, without cover, title page, contents, colophon.

    EPUB is read by EbookLib and lxml, HTML by an HTML parser; neither had a part in writing. A verse with an
    empty line inside comes back from plain text as several blocks.
    """
    return _Opened(edition).texts


def lint(edition: Edition, document: Document | None = None) -> list[Finding]:
    """Give the faults of an edition by our own list, :data:`CODES`; with the Document more can be said."""
    return _lint(_Opened(edition), document)


class _Opened:
    """An edition, read when it is first looked at and not again."""

    def __init__(self, edition: Edition) -> None:
        if edition.format not in _READERS:
            raise UsageError(f"there is no format {edition.format!r}", where=edition.filename, fix="epub, html or txt")
        self.edition = edition

    @cached_property
    def book(self) -> _Book:
        """Give the book in the archive."""
        return _open(self.edition)

    @cached_property
    def page(self) -> _Element:
        """Give the tree of the one page."""
        return _html(self.edition.data, self.edition.filename)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Give the blocks of text."""
        return _READERS[self.edition.format](self)


def _lint(opened: _Opened, document: Document | None) -> list[Finding]:
    edition = opened.edition
    found: set[Finding] = set()
    try:
        for finding in islice(_LINTERS[edition.format](opened, document), MAX_FINDINGS):
            found.add(Finding(finding.code, finding.message[:_LONGEST], finding.where[:_LONGEST]))
    except VerifyError as error:
        found.add(Finding("E031", error.what, error.where or edition.filename))
    return sorted(found, key=lambda f: (f.where, f.code, f.message))


def _compare(document: Document, opened: _Opened) -> list[Finding]:
    edition = opened.edition
    try:
        got = opened.texts
    except VerifyError as error:
        return [Finding("E031", error.what, error.where or edition.filename)]
    expected = document.texts
    if edition.format == "txt":
        if edition.data == document.text.encode():
            return []
        expected = tuple(document.text.removesuffix("\n").split("\n\n"))
    for number, (want, have) in enumerate(zip(expected, got, strict=False), 1):
        if want != have:
            place = next(
                (i for i, (a, b) in enumerate(zip(want, have, strict=False)) if a != b), min(len(want), len(have))
            )
            message = f"at character {place + 1} {want[place : place + 20]!r} became {have[place : place + 20]!r}"
            return [Finding("E019", message, f"{edition.filename}, block {number}")]
    if len(expected) != len(got):
        return [Finding("E019", f"{len(expected)} blocks became {len(got)}", edition.filename)]
    return []


# --- reading ---------------------------------------------------------------------------------------------


@contextmanager
def _archive(edition: Edition) -> Iterator[zipfile.ZipFile]:
    """Open a zip archive. Whatever goes wrong with it, also later, is a VerifyError."""
    where = edition.filename
    if (count := edition.data.count(_ENTRY)) > MAX_MEMBERS:
        raise VerifyError(f"{count:,} files are too many", where=where)
    try:
        with zipfile.ZipFile(io.BytesIO(edition.data)) as archive:
            yield archive
    except VerifyError:
        raise
    except Exception as error:  # zipfile.BadZipFile, zlib.error, OSError and more have no common base
        raise VerifyError(f"no readable zip archive: {str(error)[:200]}", where=where) from error


def _members(edition: Edition) -> dict[str, bytes]:
    """Give the files of a zip archive, or refuse it before anything large is unpacked."""
    where = edition.filename
    with _archive(edition) as archive:
        infos = archive.infolist()
        total = sum(info.file_size for info in infos)
        packed = min(len(edition.data), sum(info.compress_size for info in infos))
        if total > MAX_BYTES:
            raise VerifyError(f"{total:,} bytes in {len(infos):,} files are too many", where=where)
        if total > 10_000_000 and total > MAX_RATIO * max(packed, 1):
            raise VerifyError(f"{packed:,} bytes unpack to {total:,}: a zip bomb", where=where)
        if any(info.flag_bits & 1 for info in infos):
            raise VerifyError("the archive is encrypted", where=where)
        if any(info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for info in infos):
            raise VerifyError("the archive is packed by a method that no EPUB may use", where=where)
        return {info.filename: _unpacked(archive, info) for info in infos}


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Unpack one file, but no more of it than the archive says that it holds."""
    with archive.open(info) as stream:
        data = b"".join(iter(lambda: stream.read(1 << 20), b""))
    if len(data) != info.file_size:
        raise zipfile.BadZipFile(f"{info.filename!r} has another size than the archive says")
    return data


def _packed_again(members: Mapping[str, bytes]) -> io.BytesIO:
    """Give an archive of files that were unpacked with care, for a reader that takes none."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    buffer.seek(0)
    return buffer


def parse_xml(content: bytes, where: str) -> _Element:
    """Parse XML of a stranger: UTF-8 only, no entity of its own, nothing fetched. Raises VerifyError."""
    own = b"<!ENTITY" in content or _OWN_DOCTYPE.search(content)
    if own or b"\x00" in content or _OTHER_ENCODING.match(content):
        raise VerifyError("XML with entities of its own, or not in UTF-8", where=where)

    parser = etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise VerifyError(f"no well-formed XML: {str(error)[:200]}", where=where) from error
    # libxml2 itself stops at 2,048 elements inside each other, and sorts attributes by their hash: no guard is needed.
    if _TOO_DEEP(root):
        raise VerifyError(f"more than {MAX_DEPTH} elements inside each other", where=where)
    if content.count(b"=") > MAX_ATTRIBUTES and _TOO_MANY_ATTRIBUTES(root):
        raise VerifyError(f"an element with more than {MAX_ATTRIBUTES} attributes", where=where)
    return root


def _html(content: bytes, where: str) -> _Element:
    if len(content) > MAX_BYTES:
        raise VerifyError(f"{len(content):,} bytes are too many", where=where)

    def parser(target: Any = None) -> etree.HTMLParser:
        return etree.HTMLParser(encoding="utf-8", no_network=True, huge_tree=True, remove_comments=True, target=target)

    try:
        etree.fromstring(content, parser(_Guard(where)))
        root = etree.fromstring(content, parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        raise VerifyError(f"no HTML: {str(error)[:200]}", where=where) from error
    if root is None:
        raise VerifyError("there is nothing in it", where=where)
    return root


class _Guard:
    """Stands where the parser would build a tree, and stops it at what would take too long to build or to walk."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._depth = 0

    def start(self, _tag: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if len(attributes) > MAX_ATTRIBUTES:
            raise VerifyError(f"an element with more than {MAX_ATTRIBUTES} attributes", where=self._where)
        if self._depth > MAX_DEPTH:
            raise VerifyError(f"more than {MAX_DEPTH} elements inside each other", where=self._where)

    def end(self, _tag: str) -> None:
        self._depth -= 1

    def close(self) -> None:
        pass


def _read_epub(opened: _Opened) -> tuple[str, ...]:
    """Walk the spine as EbookLib understands it."""
    return tuple(text for root in _spine(opened.book) for text in _block_texts(root))


def _spine(opened: _Book) -> Iterator[_Element]:
    edition = opened.edition
    _refuse_repeats(opened)
    named_as_text = {href for href, kind in _manifest(opened.package, opened.path) if kind == "application/xhtml+xml"}
    for name in opened.members:
        if name.endswith(_XML_SUFFIXES) or name in named_as_text:
            opened.tree(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ebooklib import epub

        try:
            book = epub.read_epub(_packed_again(opened.members))
            items = {item.get_id(): item for item in book.get_items()}
            pages = [items.get(name) for name, _ in book.spine]
        except Exception as error:
            raise VerifyError(f"EbookLib cannot read it: {repr(error)[:200]}", where=edition.filename) from error
    for page in pages:
        if page is None:
            raise VerifyError("the spine names a file that is not there", where=edition.filename)
        root = opened.tree_of(page.content, f"{edition.filename}!{page.file_name}")
        body = root.find(f"{_XHTML}body")
        if body is not None:
            yield body


def _refuse_repeats(book: _Book) -> None:
    """Refuse a package document by which a reader would take one file many times, or another document for it."""
    hrefs = [href for href, _ in _manifest(book.package, book.path)]
    ids = [e.get("idref", "") for e in book.package.iter(f"{_OPF}itemref")]
    if len(set(hrefs)) < len(hrefs) or len(set(ids)) < len(ids):
        raise VerifyError("the package document names a file twice", where=book.at(book.path))
    container = book.tree(_CONTAINER)
    if sum(_local(e) == "rootfile" for e in container.iter()) != 1:
        raise VerifyError("the container names more than one package document", where=book.at(_CONTAINER))


def _manifest(package: _Element, path: str) -> list[tuple[str, str]]:
    """Give path and media type of each file that a package document names."""
    base = posixpath.dirname(path)
    return [
        (posixpath.normpath(posixpath.join(base, unquote(e.get("href", "")))), e.get("media-type", ""))
        for e in package.iter(f"{_OPF}item")
    ]


def _read_html(opened: _Opened) -> tuple[str, ...]:
    main = opened.page.find(".//main")
    if main is None:
        raise VerifyError("there is no main", where=opened.edition.filename)
    return tuple(_block_texts(main))


def _read_txt(opened: _Opened) -> tuple[str, ...]:
    edition = opened.edition
    try:
        text = edition.data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise VerifyError(f"not UTF-8: {error}", where=edition.filename) from error
    return tuple(text.removesuffix("\n").split("\n\n"))


def _local(element: _Element) -> str:
    """Give the name without namespace; empty for comments and the like."""
    tag = element.tag
    return _without_namespace(tag) if isinstance(tag, str) else ""


@lru_cache(maxsize=1024)
def _without_namespace(name: str) -> str:
    return name.rpartition("}")[2]


def _is_apart(element: _Element) -> bool:
    return bool(_APART & set(element.get(_EPUB_TYPE, "").split())) or _local(element) == "nav"


def _is_block(element: _Element) -> bool:
    return _local(element) in ("p", *_HEADINGS)


def _block_texts(root: _Element) -> Iterator[str]:
    """Give the text of each block under ``root`` letter for letter; parts apart from the text are skipped."""
    for block in _block_elements(root):
        yield _text(block)


def _block_elements(root: _Element) -> Iterator[_Element]:
    if _is_apart(root):
        return
    stack = [iter(root)]
    while stack:
        element = next(stack[-1], None)
        if element is None:
            stack.pop()
        elif _is_block(element):
            yield element
        elif not _is_apart(element):
            stack.append(iter(element))


def _text(block: _Element) -> str:
    if not len(block):
        return ("\n" if _local(block) == "br" else block.text) or ""
    parts = []
    for event, element in etree.iterwalk(block, events=("start", "end", "comment", "pi")):
        if event == "start":
            parts.append("\n" if _local(element) == "br" else element.text or "")
        elif element is not block:
            parts.append(element.tail or "")
    return "".join(parts)


def _stray_text(root: _Element) -> str:
    """Give text that stands in no block: something that pandoc or someone else put in."""
    if _is_apart(root):
        return ""
    parts, stack = [root.text or ""], [iter(root)]
    while stack:
        element = next(stack[-1], None)
        if element is None:
            stack.pop()
            continue
        parts.append(element.tail or "")
        if isinstance(element.tag, str) and not _is_block(element) and not _is_apart(element):
            parts.append(element.text or "")
            stack.append(iter(element))
    return "".join(parts).strip()


# --- lint ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Book:
    """An EPUB as its package document describes it."""

    edition: Edition
    members: dict[str, bytes]
    path: str
    package: _Element
    hrefs: dict[str, str]  # manifest id -> path in the archive
    nav: str
    spine: list[str]
    pages: dict[str, _Element] = field(default_factory=dict)
    trees: dict[bytes, _Element] = field(default_factory=dict)

    def tree(self, name: str) -> _Element:
        """Give the parsed file."""
        return self.tree_of(self.members[name], self.at(name))

    def tree_of(self, content: bytes, where: str) -> _Element:
        """Give the tree of these bytes; they are parsed once."""
        if content not in self.trees:
            self.trees[content] = parse_xml(content, where)
        return self.trees[content]

    def at(self, name: str) -> str:
        return f"{self.edition.filename}!{name}"

    def of_type(self, kind: str) -> list[_Element]:
        """Give the pages, other than the contents, that hold a part of this ``epub:type``."""
        return [root for name, root in self.pages.items() if name != self.nav and _has_type(root, kind)]


def _open(edition: Edition) -> _Book:
    members = _members(edition)
    trees: dict[bytes, _Element] = {}
    content = members.get(_CONTAINER, b"")
    container = trees[content] = parse_xml(content, f"{edition.filename}!{_CONTAINER}")
    path = next((e.get("full-path", "") for e in container.iter() if _local(e) == "rootfile"), "")
    if path not in members:
        raise VerifyError("the container names no package document", where=edition.filename)
    package = trees[members[path]] = parse_xml(members[path], f"{edition.filename}!{path}")
    items = list(package.iter(f"{_OPF}item"))
    hrefs = {e.get("id", ""): href for e, (href, _) in zip(items, _manifest(package, path), strict=True)}
    nav = next((hrefs[e.get("id", "")] for e in items if "nav" in e.get("properties", "").split()), "")
    spine = [hrefs.get(e.get("idref", ""), "") for e in package.iter(f"{_OPF}itemref")]
    book = _Book(edition, members, path, package, hrefs, nav, spine, trees=trees)
    for name in dict.fromkeys([*hrefs.values(), nav]):
        if name.endswith(".xhtml") and name in members:
            book.pages[name] = book.tree(name)
    return book


def _lint_epub(opened: _Opened, document: Document | None) -> Iterator[Finding]:
    edition = opened.edition
    yield from _lint_archive(edition)
    book = opened.book
    language = next((e.text or "" for e in book.package.iter(f"{_DC}language")), "")
    yield from _lint_language(language, document, book.at(book.path))
    yield from _lint_package(book, document, language)
    yield from _lint_references(book)
    yield from _lint_nav(book, language)
    for name, root in book.pages.items():
        yield from _lint_page(book, name, root, language)
    for name, content in book.members.items():
        if name.endswith(".css"):
            sheet = _without_comments(content.decode("utf-8", "replace"))
            if found := _COLOUR.search(sheet):
                yield Finding("E017", f"{found[0].strip()!r}", book.at(name))
            if _OUTSIDE.search(sheet):
                yield Finding("E011", "the style sheet fetches something", book.at(name))
        if name.endswith(".svg"):
            yield from _lint_markup(book.tree(name), book.at(name))
    if not book.of_type("colophon"):
        yield Finding("E034", "no section of type colophon", edition.filename)
    digest = next((e.text or "" for e in book.package.iter(f"{_OPF}meta")
                   if e.get("property") == "shanben:text-sha256"), "")  # fmt: skip
    yield from _lint_digest(opened, digest, document)


def _lint_archive(edition: Edition) -> Iterator[Finding]:
    where = edition.filename
    with _archive(edition) as archive:
        infos = archive.infolist()
        first = infos[0] if infos else None
        if first is None or first.filename != "mimetype" or first.compress_type or first.extra:
            yield Finding("E014", f"the first file is {first.filename if first else 'none'!r}", where)
        elif first.file_size != 20 or archive.read(first) != b"application/epub+zip":
            yield Finding("E014", "mimetype does not say application/epub+zip", where)
    for name, times in Counter(info.filename for info in infos).items():
        climbs = ".." in _SLASHES.split(name)
        if climbs or times > 1 or name.startswith("/") or _UNSAFE_PATH.search(name):
            yield Finding("E015", repr(name), where)
    if len({info.date_time for info in infos}) > 1:
        yield Finding("E032", "times of files differ", where)


def _lint_language(language: str, document: Document | None, where: str) -> Iterator[Finding]:
    if not language or language_tag(language) in ("und",) or language_tag(language) != language:
        yield Finding("E001", f"{language!r}", where)
    elif document and language != language_tag(document.metadata.language):
        yield Finding("E001", f"{language!r} is not the language of the work", where)


def _lint_package(book: _Book, document: Document | None, language: str) -> Iterator[Finding]:
    where = book.at(book.path)
    package = book.package
    metas = list(package.iter(f"{_OPF}meta"))
    refined = {(m.get("refines", ""), m.get("property", "")): m.text or "" for m in metas}
    said = {m.get("property", ""): m.text or "" for m in metas}

    def core(name: str) -> list[str]:
        return [(e.text or "").strip() for e in package.iter(f"{_DC}{name}")]

    if not any(core("title")):
        yield Finding("E002", "no dc:title", where)
    named = package.get("unique-identifier", "")
    unique = next(((e.text or "") for e in package.iter(f"{_DC}identifier") if e.get("id") == named), "")
    if not _is_derived(unique) or (document and unique != identifier(document)):
        yield Finding("E008", f"{unique!r}", where)
    for date in core("date"):
        if parse_date(date) is None or (document and date != clean_metadata(document).date):
            yield Finding("E009", f"{date!r}", where)
    when = said.get("dcterms:modified", "")
    expected = modified(clean_metadata(document)).strftime("%Y-%m-%dT%H:%M:%SZ") if document else when
    if not when.endswith("T00:00:00Z") or when != expected:
        yield Finding("E010", f"{when!r}", where)
    if package.find(f"{_OPF}guide") is not None:
        yield Finding("E021", "<guide>", where)
    for name in (
        "accessMode",
        "accessModeSufficient",
        "accessibilityFeature",
        "accessibilityHazard",
        "accessibilitySummary",
    ):
        if not said.get(f"schema:{name}", "").strip():
            yield Finding("E022", f"schema:{name}", where)
    if language.startswith("zh") and not _HAN.search(said.get("schema:accessibilitySummary", "")):
        yield Finding("E007", "the accessibility summary is not in Chinese", where)
    roles = []
    for kind in ("creator", "contributor"):
        for agent in package.iter(f"{_DC}{kind}"):
            key = f"#{agent.get('id', '')}"
            roles.append(refined.get((key, "role"), ""))
            if not refined.get((key, "role")) or not refined.get((key, "file-as")):
                yield Finding("E023", f"dc:{kind} {(agent.text or '')[:40]!r}", where)
    if "bkp" not in roles:
        yield Finding("E023", "no contributor with the role bkp", where)
    wanted = {f"urn:sha256:{p.source_sha256}" for p in document.provenance} if document else set()
    for missing in sorted(wanted - set(core("source"))):
        yield Finding("E024", missing, where)
    cover = [e for e in package.iter(f"{_OPF}item") if "cover-image" in e.get("properties", "").split()]
    labelled = [e for page in book.of_type("cover") for e in page.iter() if e.get("aria-label")]
    if not cover or not labelled:
        yield Finding("E025", "no cover image, or no label for it", where)


def _is_derived(value: str) -> bool:
    try:
        return value.startswith("urn:uuid:") and UUID(value.removeprefix("urn:uuid:")).version == 5
    except ValueError:
        return False


def _lint_references(book: _Book) -> Iterator[Finding]:
    """Check that every file is in the manifest, every reference leads somewhere, every page has its place."""
    where = book.at(book.path)
    listed = set(book.hrefs.values())
    apart = {"mimetype", book.path}
    for name in sorted(listed - book.members.keys()):
        yield Finding("E012", f"the manifest names {name!r}, which is not there", where)
    for name in sorted(book.members.keys() - listed - apart):
        if not name.startswith("META-INF/"):
            yield Finding("E012", f"{name!r} is not in the manifest", where)
    for name in book.spine:
        if name not in book.members:
            yield Finding("E012", f"the spine names {name!r}, which is not there", where)
    for name in sorted(book.pages.keys() - set(book.spine)):
        yield Finding("E012", f"{name!r} is not in the spine", where)
    if not book.nav or book.nav not in book.pages:
        yield Finding("E012", "there is no navigation document", where)
    ids = {name: {e.get("id") for e in root.iter() if e.get("id")} for name, root in book.pages.items()}
    for name, root in book.pages.items():
        for element in root.iter():
            href = element.get("href") or element.get("src") or element.get(_XLINK)
            if not isinstance(element.tag, str) or not href or _ABSOLUTE.match(href):
                continue
            path, _, fragment = href.partition("#")
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(path))) if path else name
            if target not in book.members or (fragment and fragment not in ids.get(target, set())):
                yield Finding("E012", f"{href!r} leads nowhere", book.at(name))


def _lint_nav(book: _Book, language: str) -> Iterator[Finding]:
    root = book.pages.get(book.nav)
    if root is None:
        return
    where = book.at(book.nav)
    navs = {e.get(_EPUB_TYPE, ""): e for e in root.iter(f"{_XHTML}nav")}
    links = list(root.iter(f"{_XHTML}a"))
    if language.startswith("zh"):
        for link in navs["landmarks"].iter(f"{_XHTML}a") if "landmarks" in navs else []:
            if not _HAN.search(_text(link)):
                yield Finding("E007", f"landmark {_text(link)!r}", where)
        head = "".join(_text(e) for e in navs["toc"].iter(f"{_XHTML}h1")) if "toc" in navs else ""
        if not _HAN.search(head):
            yield Finding("E007", f"the contents are called {head!r}", where)
    if "toc" not in navs:
        yield Finding("E012", "there are no contents", where)
    marked = {e.get(_EPUB_TYPE) for e in links}
    for name in ("cover", "titlepage", "toc", "bodymatter"):
        if name not in marked:
            yield Finding("E027", name, where)
    order = {name: index for index, name in enumerate(book.spine)}
    places = []
    for link in navs["toc"].iter(f"{_XHTML}a") if "toc" in navs else []:
        path = posixpath.join(posixpath.dirname(book.nav), link.get("href", "").partition("#")[0])
        places.append(order.get(posixpath.normpath(path), -1))
    if places != sorted(places):
        yield Finding("E012", "the contents are not in reading order", where)


def _has_type(root: _Element, kind: str) -> bool:
    return any(kind in e.get(_EPUB_TYPE, "").split() for e in root.iter() if isinstance(e.tag, str))


def _lint_page(book: _Book, name: str, root: _Element, language: str) -> Iterator[Finding]:
    where = book.at(name)
    for attribute in ("lang", _LANG):
        if root.get(attribute) != language:
            yield Finding("E001", f"the page says {root.get(attribute)!r}", where)
    body = root.find(f"{_XHTML}body")
    title = "".join((root.findtext(f"{_XHTML}head/{_XHTML}title")) or "")
    if not title.strip():
        yield Finding("E002", "the page has no title", where)
    if body is None:
        yield Finding("E031", "the page has no body", where)
        return
    first = next(body.iter(*(f"{_XHTML}{h}" for h in _HEADINGS)), None)
    if first is not None and _text(first).strip() and title != _text(first):
        yield Finding("E006", f"{title[:40]!r}", where)
    yield from _lint_headings(body, where)
    yield from _lint_markup(root, where)
    if stray := _stray_text(body):
        yield Finding("E020", f"{stray[:40]!r}", where)


def _lint_headings(root: _Element, where: str) -> Iterator[Finding]:
    levels = [int(_local(e)[1]) for e in root.iter() if _local(e) in _HEADINGS]
    if levels.count(1) > 1:
        yield Finding("E003", f"{levels.count(1)} headings of level 1", where)
    for before, level in zip([0, *levels], levels, strict=False):
        if level > before + 1:
            yield Finding("E003", f"level {level} after level {before}", where)


def _lint_markup(root: _Element, where: str) -> Iterator[Finding]:
    """Check what holds for every page of any format: ids, empties, scripts, resources, control characters."""
    seen: set[str] = set()
    for element in root.iter(etree.Element):
        name = _local(element)
        if name == "p" or name in _HEADINGS:
            text = _text(element)
            if not text.strip("\t\n\r "):
                yield Finding("E005", f"<{name}>", where)
            if name == "p" and text.startswith(("\u3000", "  ")) and not _is_apart_inside(element):
                yield Finding("E033", f"{text[:12]!r}", where)
        if name in ("script", "iframe", "object", "embed", "form", "base", "applet"):
            yield Finding("E016", f"<{name}>", where)
        if name == "style" and not (element.text or "").strip():
            yield Finding("E026", "an empty style", where)
        if name == "meta" and element.get("name") == "generator":
            yield Finding("E026", "generator", where)
        for attribute, value in element.items():
            yield from _lint_attribute(str(attribute), str(value), seen, where)
    if _CONTROL.search("".join(map(str, root.itertext()))):
        for element in root.iter(etree.Element):
            for part in (element.text, element.tail):
                if part and (bad := _CONTROL.search(part)):
                    yield Finding("E013", f"U+{ord(bad[0]):04X}", where)


def _lint_attribute(attribute: str, value: str, seen: set[str], where: str) -> Iterator[Finding]:
    """Check an attribute; ``seen`` are the ids so far on the page."""
    if attribute == "id":
        if not _ID.fullmatch(value) or value in seen:
            yield Finding("E004", f"{value!r}", where)
        seen.add(value)
    plain, is_sound, is_address = _attribute(attribute)
    if not is_sound:
        yield Finding("E016", f"{plain}=", where)
    if is_address:
        address = value.strip()
        if address.lower().startswith(("javascript:", "vbscript:", "data:")):
            yield Finding("E016", f"{plain}={address[:40]!r}", where)
        elif _ABSOLUTE.match(address):
            yield Finding("E011", f"{plain}={address[:60]!r}", where)


@lru_cache(maxsize=1024)
def _attribute(name: str) -> tuple[str, bool, bool]:
    """Give the name of an attribute without namespace, whether it is a harmless one, and whether it holds an address."""
    plain = _without_namespace(name).lower()
    is_sound = bool(_ATTRIBUTE.fullmatch(plain)) and not plain.startswith("on")
    return plain, is_sound, plain in ("href", "src", "srcset", "data", "poster", "action")


def _is_apart_inside(element: _Element) -> bool:
    return any(_is_apart(e) or _local(e) == "footer" for e in element.iterancestors())


def _without_comments(sheet: str) -> str:
    return _COMMENT.sub("", sheet)


def _lint_digest(opened: _Opened, digest: str, document: Document | None) -> Iterator[Finding]:
    """Check the digest that the edition states against its own text, and against the Document if there is one."""
    try:
        text = "\n\n".join(opened.texts) + "\n"
    except VerifyError as error:
        yield Finding("E031", error.what, error.where)
        return
    if digest != hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest():
        yield Finding("E018", f"the edition says {digest or 'nothing'}", opened.edition.filename)
    elif document and digest != document.digest:
        yield Finding("E018", f"{digest} is not the digest of the Document", opened.edition.filename)


def _lint_html(opened: _Opened, document: Document | None) -> Iterator[Finding]:
    where = opened.edition.filename
    root = opened.page
    language = root.get("lang", "")
    yield from _lint_language(language, document, where)
    if not (root.findtext("head/title") or "").strip():
        yield Finding("E002", "no title", where)
    yield from _lint_markup(root, where)
    body = root.find("body")
    if body is None:
        raise VerifyError("the page has no body", where=where)
    main = body.findall(".//main")
    if len(main) != 1:
        yield Finding("E028", f"{len(main)} main", where)
    for one in main:
        yield from _lint_headings(one, where)
        if stray := _stray_text(one):
            yield Finding("E020", f"{stray[:40]!r}", where)
    target = main[0].get("id") if main else None
    if not any(a.get("href") == f"#{target}" for a in body.iter("a")):
        yield Finding("E028", "no skip link", where)
    for nav in body.iter("nav"):
        if not (nav.get("aria-label") or nav.get("aria-labelledby")):
            yield Finding("E028", "contents without a label", where)
    ids = {e.get("id") for e in root.iter() if e.get("id")}
    for link in body.iter("a"):
        if link.get("href", "").startswith("#") and link.get("href", "")[1:] not in ids:
            yield Finding("E012", f"{link.get('href')!r} leads nowhere", where)
    for element in root.iter():
        if any(str(key) == "epub:type" or str(key).endswith("}type") for key in element.attrib):
            yield Finding("E029", f"<{_local(element)}>", where)
    for style in root.iter("style"):
        if _OUTSIDE.search(_without_comments(style.text or "")):
            yield Finding("E011", "the style sheet fetches something", where)
    metas = {e.get("name", ""): e.get("content", "") for e in root.iter("meta")}
    if not _is_derived(metas.get("DC.identifier", "")):
        yield Finding("E008", f"{metas.get('DC.identifier', '')!r}", where)
    if (date := metas.get("DC.date")) is not None and parse_date(date) is None:
        yield Finding("E009", f"{date!r}", where)
    sources = {e.get("content", "") for e in root.iter("meta") if e.get("name") == "DC.source"}
    wanted = {f"urn:sha256:{p.source_sha256}" for p in document.provenance} if document else set()
    for missing in sorted(wanted - sources):
        yield Finding("E024", missing, where)
    if not any(e.get("role") == "doc-colophon" for e in body.iter("section")):
        yield Finding("E034", "no section with the role doc-colophon", where)
    if main:
        yield from _lint_digest(opened, metas.get("shanben.text-sha256", ""), document)


def _lint_txt(opened: _Opened, document: Document | None) -> Iterator[Finding]:
    edition = opened.edition
    where = edition.filename
    try:
        text = edition.data.decode("utf-8")
    except UnicodeDecodeError as error:
        yield Finding("E030", f"not UTF-8: {error}", where)
        return
    if text.startswith("\ufeff") and not (document and document.text.startswith("\ufeff")):
        yield Finding("E030", "begins with a BOM", where)
    if "\r" in text:
        yield Finding("E030", "carriage returns", where)
    if not text.strip() or not text.endswith("\n") or text.endswith("\n\n") or text.startswith("\n"):
        yield Finding("E030", "an empty line at an end, or no final line end", where)
    if bad := _CONTROL.search(text):
        yield Finding("E013", f"U+{ord(bad[0]):04X} at character {bad.start() + 1}", where)


_READERS: dict[str, Callable[[_Opened], tuple[str, ...]]] = {
    "epub": _read_epub,
    "html": _read_html,
    "txt": _read_txt,
}
_LINTERS: dict[str, Callable[[_Opened, Document | None], Iterator[Finding]]] = {
    "epub": _lint_epub,
    "html": _lint_html,
    "txt": _lint_txt,
}


def problems(findings: Sequence[Finding]) -> list[Finding]:
    """Give the findings that make an edition wrong, without the warnings."""
    return [finding for finding in findings if finding.level == "error"]
