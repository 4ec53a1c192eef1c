"""A work as an archive package: one bag with source, editions, ledger, rules, records of what was done."""

from __future__ import annotations

import datetime
import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from shanben.archive import dublin_core, premis, tei
from shanben.archive.bag import make_bag
from shanben.archive.changes import changes_jsonl
from shanben.archive.contents import (
    Contents,
    as_json,
    environment,
    rule_files,
    rule_index,
    source_name,
)
from shanben.archive.ledger_schema import ledger_schema
from shanben.errors import OutputError, UsageError
from shanben.lazy import lazy_re
from shanben.pipeline import version
from shanben.tools.storage import MANIFEST, read_source, replace_folder
from shanben.writers._metadata import clean_line, clean_metadata, identifier

BUILT, SOURCE, RULES, METADATA = "built", "source", "rules", "metadata"
_MEDIA = {
    ".epub": "application/epub+zip", ".html": "text/html", ".txt": "text/plain", ".json": "application/json",
    ".jsonl": "application/jsonl", ".xml": "application/tei+xml",
}  # fmt: skip
_DATE = lazy_re(r"\d{4}-\d{2}-\d{2}")
_README = """\
善本 archive package / 善本存档包
================================

{title}

This folder is a bag after BagIt 1.0 (RFC 8493). It was made by Shanben {version}, which cleans texts by rules.
Any BagIt program can check that it is whole; `shanben verify` checks besides that its parts agree.

data/source/      the bytes of the source, exactly as they were received
data/built/       the editions, the metadata, and the ledger: every change, in the order in which it was made
data/changes/     the same changes, each at its line and column of the source, for reading without a program
data/tei/         the text in TEI P5
data/metadata/    Dublin Core and PREMIS 3.0 (what was done, by which rules, with which outcome)
data/rules/       the rules as they were; index.json gives the digest of each
data/environment.json, data/ledger.schema.json
                  versions of all programs; the form of the ledger

The clean text less the changes of the ledger is the source, byte for byte: `shanben revert` does it.

本文件夹依 BagIt 1.0（RFC 8493）封装，由善本 {version} 制成。source 为来源原字节；built 为各版本、元数据与校勘记；
changes 为逐条改动及其在来源中的行列；tei、metadata 为 TEI P5、都柏林核心与 PREMIS 记录；rules 为当时所用的规则。
以校勘记从正文逐条撤去改动，即得来源，一字节不差。
"""


def packing_date(given: str | None) -> str:
    """Give the day of packing as YYYY-MM-DD: ``given``, else that of SOURCE_DATE_EPOCH, else none. Raises UsageError."""
    if given is not None:
        try:
            if not _DATE.fullmatch(given):
                raise ValueError
            datetime.date.fromisoformat(given)
        except ValueError:
            raise UsageError(f"{given[:40]!r} is no date", fix="write it like 2024-01-26") from None
        return given
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not epoch:
        return ""
    try:
        return datetime.datetime.fromtimestamp(int(epoch), datetime.UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            f"SOURCE_DATE_EPOCH is no number of seconds: {epoch[:40]!r}", fix="unset it, or correct it"
        ) from None


def package(contents: Contents, date: str = "") -> dict[str, bytes]:
    """Give all files of the bag of a work. The same work, date and programs give the same bytes."""
    files = {f"{BUILT}/{name}": data for name, data in contents.files.items()}
    for number, part in enumerate(contents.parts, 1):
        files[f"{SOURCE}/{source_name(contents, number)}"] = part.source.data
        files[f"changes/{part.slug}.jsonl"] = changes_jsonl(part.ledger, part.source_text).encode()
    ledgers = [part.ledger for part in contents.parts]
    files[f"tei/{contents.slug}.xml"] = tei.write(contents.document, ledgers)
    files |= {f"{RULES}/{name}": data for name, data in rule_files(contents).items()}
    files[f"{RULES}/index.json"] = rule_index(contents)
    files["ledger.schema.json"] = as_json(ledger_schema())
    programs = environment()
    files["environment.json"] = as_json(programs)
    media = {_MEDIA[PurePosixPath(n).suffix] for n in contents.files if _is_edition(n)}
    files[f"{METADATA}/dublin-core.xml"] = dublin_core.write(contents.document, sorted(media))
    files[f"{METADATA}/premis.xml"] = _premis(contents, files, programs, date)
    title = clean_line(clean_metadata(contents.document).title)
    files["README.txt"] = _README.format(title=title, version=version()).encode()
    return make_bag(files, _info(contents, title, date))


def _is_edition(name: str) -> bool:
    return "/" not in name and name != MANIFEST and PurePosixPath(name).suffix in (".epub", ".html", ".txt")


def _info(contents: Contents, title: str, date: str) -> list[tuple[str, str]]:
    lines = [
        ("Bag-Software-Agent", f"shanben {version()}"),
        ("External-Identifier", identifier(contents.document)),
        ("External-Description", title[:200]),
        ("Internal-Sender-Identifier", clean_line(contents.slug)),
    ]
    return [*lines, ("Bagging-Date", date)] if date else lines


def _premis(contents: Contents, files: Mapping[str, bytes], programs: Mapping[str, object], date: str) -> bytes:
    """Tell the story of the package: each source from capture to clean text, then the editions and the checks."""
    editions = sorted(f"{BUILT}/{n}" for n in contents.files if _is_edition(n))
    text = f"data/{BUILT}/{contents.slug}.txt"
    outputs = [*editions, f"tei/{contents.slug}.xml"]
    sources = [f"data/{SOURCE}/{source_name(contents, n)}" for n in range(1, len(contents.parts) + 1)]
    events: list[premis.Event] = []
    own: list[list[premis.Event]] = []
    for number, (part, source) in enumerate(zip(contents.parts, sources, strict=True), 1):
        faults = {a.unit: a.fault for p in part.document.provenance for a in p.actions}
        own.append(list(premis.events_of(number, part.ledger, source, text, faults)))
        events += own[-1]
    named = tuple((name, "source") for name in sources)
    shown = tuple(PurePosixPath(n).name for n in outputs)
    after = [
        premis.Event("migration", "migration", "The clean text was written as editions and as TEI.", "success", shown,
                     ("shanben", "pandoc"), ((text, "source"), *((f"data/{n}", "outcome") for n in outputs))),
        premis.Event("validation", "validation", "All editions were read back and linted; each holds the text of the others.",
                     "success", shown, objects=tuple((f"data/{n}", "outcome") for n in outputs)),
        premis.Event("fixity", "fixity check", "The ledger was taken back from the clean text: the bytes of the source came out.",
                     "success", tuple(f"SHA-256 {p.source.sha256}" for p in contents.parts), objects=named),
        premis.Event("packing", "information package creation", "All files were put into a bag, BagIt 1.0."),
    ]  # fmt: skip
    described = [
        premis.File(
            source, part.source.data, "text/plain", original_name=part.source.name, events=tuple(e.id for e in done)
        )
        for source, part, done in zip(sources, contents.parts, own, strict=True)
    ]
    for name in outputs:
        suffix = PurePosixPath(name).suffix
        origin = tuple(sources) if f"data/{name}" == text else (text,)
        described.append(
            premis.File(f"data/{name}", files[name], _MEDIA[suffix], "", origin, ("migration", "validation"))
        )
    for part in contents.parts:
        name = f"{BUILT}/{part.ledger_name}"
        described.append(premis.File(f"data/{name}", files[name], _MEDIA[".jsonl"], events=("fixity",)))
    agents = {"shanben": version(), "pandoc": str(programs["pandoc"]), "python": str(programs["python"])}
    return premis.write(described, [*events, *after], agents, date)


def write_package(folder: Path, files: Mapping[str, bytes]) -> bool:
    """Write a bag in one step; False if the very same bag is there already.

    A package is never replaced: raises OutputError when something else stands there.
    """
    if folder.exists() or folder.is_symlink():
        if folder.is_dir() and _same(folder, files):
            return False
        raise OutputError(
            "something else is there already, and an archive package is never replaced",
            where=str(folder),
            fix="choose another folder with -o, or move the old one away",
        )
    replace_folder(folder, files)
    return True


def _same(folder: Path, files: Mapping[str, bytes]) -> bool:
    present = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir()}
    return present == set(files) and all(read_source(folder / n) == data for n, data in files.items())
