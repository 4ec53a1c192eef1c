"""From works to editions: clean, structure, write, verify, and only then put in place."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from shanben.errors import ShanbenError, SourceError, UsageError, VerifyError
from shanben.fixity import check_conservation, manifest
from shanben.ledger import Capture, Ledger, to_jsonl
from shanben.pipeline import Plan, plan, source_bytes
from shanben.report import INDEX, Report, is_ours, page, report_name, write_index
from shanben.structure import build_document, canonical_ledger
from shanben.tools.script import Converted, check_script, convert_document
from shanben.tools.storage import MANIFEST, MAX_SOURCE, replace_folder
from shanben.values import Block, Document, Edition, Metadata
from shanben.verify import check_editions, problems
from shanben.work_cleaning import clean_work
from shanben.works import Collection, Work, find_works
from shanben.writers import all_writers

LEDGER = "ledger.jsonl"
FORMATS = ("epub", "html", "txt")


class Built(NamedTuple):
    """One work, built in memory: its files by relative name, and the values they were made from."""

    slug: str
    document: Document
    ledgers: dict[str, Ledger]
    files: dict[str, bytes]


class Result(NamedTuple):
    """What became of one work: ``folder`` when it was built, ``error`` when not."""

    slug: str
    source: Path
    folder: Path | None = None
    document: Document | None = None
    ledgers: dict[str, Ledger] | None = None
    error: ShanbenError | None = None


def build(
    sources: Iterable[str | Path],
    out: str | Path = "dist",
    *,
    formats: Sequence[str] = FORMATS,
    encoding: str | None = None,
    rules: Sequence[str | Path] = (),
    limit: int = MAX_SOURCE,
    on_result: Callable[[Result], None] | None = None,
    works: Sequence[Work] | None = None,
    profile: str | None = None,
    script: str | None = None,
    report: bool = True,
) -> list[Result]:
    """Build the editions of every document under ``sources`` into ``out/<slug>/``.

    ``formats`` are names of writers (epub, html, txt; the TXT edition is always there, since it and the ledger
    prove the rest). One failed work does not stop the others: look at ``Result.error``. ``limit`` is in bytes.
    ``profile`` is the name or the file of one, for all works. ``script`` (hans, hant, hant-tw, hant-hk) gives the
    editions in that script; the clean text stays beside them. Raises UsageError, SourceError, RuleError for faults
    that concern all works, ToolError when ``script`` is asked for and OpenCC is missing.
    """
    chosen = check_formats(formats)
    if script:
        check_script(script)
    plan(tuple(rules), profile=profile)  # faults of the rules concern all works: said once, before any work is begun
    results = []
    for work in find_works([Path(s) for s in sources]) if works is None else works:
        try:
            built = build_work(
                work, formats=chosen, encoding=encoding, rules=rules, limit=limit, profile=profile, script=script,
                report=report,
            )  # fmt: skip
            folder = Path(out) / work.slug
            replace_folder(folder, built.files)
            result = Result(work.slug, work.path, folder, built.document, built.ledgers)
        except ShanbenError as error:
            error.where = error.where or str(work.path)
            result = Result(work.slug, work.path, error=error)
        results.append(result)
        if on_result:
            on_result(result)
    bring_index(Path(out), report and any(r.folder for r in results))
    return results


def bring_index(out: Path, wanted: bool) -> None:
    """Bring the list of works up to date; where none is wanted, only one that is there already."""
    if out.is_dir() and (wanted or is_ours(out / INDEX)):
        write_index(out)


def told_of(slug: str, folder: Path | None, document: Document) -> dict[str, Any]:
    """Give what is said of a work that was built: names and numbers, fit for JSON."""
    provenance = document.provenance
    return {
        "work": slug, "folder": str(folder), "title": document.metadata.title,
        "changes": sum(a.changes for p in provenance for a in p.actions),
        "suggestions": sum(p.suggestions for p in provenance), "characters": len(document.text),
    }  # fmt: skip


def check_formats(formats: Sequence[str]) -> tuple[str, ...]:
    """Give the formats in a fixed order, TXT among them. Raises UsageError for one that is not known."""
    known = all_writers()
    if unknown := [f for f in formats if f not in known]:
        raise UsageError(f"there is no format {unknown[0]!r}", fix=f"choose from {', '.join(sorted(known))}")
    return tuple(sorted({*formats, "txt"}))


def build_work(
    work: Work,
    *,
    formats: Sequence[str] = FORMATS,
    encoding: str | None = None,
    rules: Sequence[str | Path] = (),
    limit: int = MAX_SOURCE,
    profile: str | None = None,
    script: str | None = None,
    report: bool = True,
) -> Built:
    """Build one work in memory and verify it. Raises VerifyError when an edition is not what it must be."""
    prepared = _prepare(work, encoding=encoding, rules=rules, limit=limit, profile=profile)
    reports = _report(work, work.slug, prepared, formats) if report else {}
    return _finish(work.slug, prepared.document, {LEDGER: prepared.ledger}, formats, {}, script, reports)


class _Prepared(NamedTuple):
    """One work before its editions are written: the laws about its text and ledger are checked."""

    source_text: str
    document: Document
    ledger: Ledger
    plan: Plan


def _report(work: Work, slug: str, prepared: _Prepared, formats: Sequence[str]) -> dict[str, bytes]:
    """Give the page that shows every change of a work, by its name. ``slug`` is that of the folder."""
    names = [slug + all_writers()[f].suffix for f in sorted({*formats, "txt"})]
    said = prepared.document.metadata
    links = {n: f"../{quote(n)}" for n in names}
    told = Report.of(prepared.plan, work.path.name, said.title, said.language, links)
    return {report_name(work.slug): page(prepared.source_text, prepared.ledger, told).encode()}


def _prepare(
    work: Work, *, encoding: str | None, rules: Sequence[str | Path], limit: int, profile: str | None
) -> _Prepared:
    """Clean one work and give it its structure. Raises VerifyError when one of both laws does not hold."""
    cleaned = clean_work(work, encoding=encoding, rules=rules, limit=limit, profile=profile)
    if not cleaned.text.strip():
        raise SourceError("there is no text in it, or none is left", where=str(work.path), fix="see `shanben explain`")
    steps = cleaned.plan or plan(work.layers(rules), work.rules_name(rules))
    document = build_document(cleaned, steps, said=work.said, name=work.slug)
    ledger = canonical_ledger(cleaned, document)
    source_text = ledger.revert(document.text)
    if source_bytes(source_text, ledger) != cleaned.source.data:
        raise VerifyError("the ledger does not give the source back", where=work.slug)
    check_conservation(ledger, document)
    return _Prepared(source_text, document, ledger, steps)


def _finish(
    slug: str,
    document: Document,
    ledgers: dict[str, Ledger],
    formats: Sequence[str],
    extra: dict[str, object],
    script: str | None,
    reports: Mapping[str, bytes],
) -> Built:
    """Write all editions, verify them, and add sidecar, ledgers, reports and manifest."""
    converted = convert_document(document, script) if script else None
    editions = _editions(slug, document, ["txt"] if converted else formats)
    faults = problems(check_editions(document, editions))
    if converted:
        others = _editions(slug, converted.document, formats, f".{converted.script}.txt")
        faults += problems(check_editions(converted.document, others))
        editions += others
        extra = extra | {"script": _script(converted)}
    if faults:
        listed = "\n".join(f"  {fault}" for fault in faults[:20])
        raise VerifyError(
            f"{len(faults)} checks failed, so the editions were not written; an older edition stays as it was\n{listed}",
            where=slug,
            fix="please report this with the source: it is a fault of the program, not of your text",
        )
    files = {e.filename: e.data for e in editions}
    files |= {name: to_jsonl(ledger).encode() for name, ledger in ledgers.items()} | dict(reports)
    files[f"{slug}.json"] = sidecar(document, editions, ledgers, extra)
    files[MANIFEST] = manifest(files)
    return Built(slug, document, ledgers, files)


def _editions(slug: str, document: Document, formats: Sequence[str], txt: str = ".txt") -> list[Edition]:
    """Write the editions of a Document; ``txt`` is how the name of the TXT edition ends."""
    writers = all_writers()
    suffixes = {f: txt if f == "txt" else writers[f].suffix for f in formats}
    return [Edition(f, slug + suffixes[f], writers[f].write(document)) for f in sorted(formats)]


def _script(converted: Converted) -> dict[str, object]:
    """Say for the metadata file what was converted and how, so that it can be checked afterwards."""
    return {
        "to": converted.script,
        "language": converted.document.metadata.language,
        "converter": converted.converter,
        "config": converted.config,
        "sha256": converted.document.digest,
        "kept": [list(place) for place in converted.kept],
    }


def dublin_core(metadata: Metadata) -> dict[str, object]:
    """Give the metadata under Dublin Core terms; empty ones are left out."""
    pairs: dict[str, object] = {
        "dcterms:title": metadata.title,
        "dcterms:alternative": metadata.subtitle,
        "dcterms:creator": list(metadata.creators),
        "dcterms:contributor": list(metadata.contributors),
        "dcterms:date": metadata.date,
        "dcterms:language": metadata.language,
        "dcterms:publisher": metadata.publisher,
        "dcterms:source": metadata.source,
        "dcterms:isVersionOf": metadata.url,
        "dcterms:rights": metadata.rights,
        "dcterms:subject": list(metadata.subjects),
        "dcterms:description": metadata.description,
        "dcterms:isPartOf": metadata.series,
    }
    return {k: v for k, v in pairs.items() if v}


def sidecar(
    document: Document, editions: Sequence[Edition], ledgers: dict[str, Ledger], extra: dict[str, object]
) -> bytes:
    """Give the metadata file: Dublin Core terms, digests, and what led from the sources to the text."""
    content = {
        "shanben": 1,
        "metadata": dublin_core(document.metadata),
        "text": {"sha256": document.digest, "characters": len(document.text), "blocks": len(document.blocks)},
        "editions": [
            {"file": e.filename, "format": e.format, "size": len(e.data), "sha256": hashlib.sha256(e.data).hexdigest()}
            for e in editions
        ],
        "sources": [
            {
                "name": p.source_name,
                "size": p.source_size,
                "sha256": p.source_sha256,
                "encoding": p.encoding,
                "confidence": p.confidence,
                "evidence": list(ledger.decoding.evidence),
                "ledger": name,
                "rulebook": p.rulebook_digest,
                "profile": ledger.profile.name if ledger.profile else "",
                "changes": {a.unit: a.changes for a in p.actions},
                "suggestions": p.suggestions,
                "captured": [
                    {"term": n.finding.field, "value": n.finding.value, "rule": n.unit, "line": n.line}
                    for n in ledger.notes
                    if isinstance(n.finding, Capture)
                ],
            }
            for p, (name, ledger) in zip(document.provenance, ledgers.items(), strict=True)
        ],
        "made-by": {"name": "shanben", "version": document.provenance[0].version if document.provenance else ""},
        **extra,
    }
    return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode()


# --- collections -------------------------------------------------------------------------------------------


def build_collection(
    collection: Collection,
    out: str | Path = "dist",
    *,
    formats: Sequence[str] = FORMATS,
    encoding: str | None = None,
    rules: Sequence[str | Path] = (),
    limit: int = MAX_SOURCE,
    on_result: Callable[[Result], None] | None = None,
    profile: str | None = None,
    script: str | None = None,
    report: bool = True,
) -> Result:
    """Build many works as one book with parts into ``out/<slug>/``. Raises the first error of any work."""
    chosen = check_formats(formats)
    if script:
        check_script(script)
    parts: list[tuple[str, list[tuple[Work, Document]]]] = []
    ledgers: dict[str, Ledger] = {}
    reports: dict[str, bytes] = {}
    for title, works in collection.parts:
        documents = []
        for work in works:
            prepared = _prepare(work, encoding=encoding, rules=rules, limit=limit, profile=profile)
            reports |= _report(work, collection.slug, prepared, chosen) if report else {}
            ledgers[f"ledgers/{work.slug}.jsonl"] = prepared.ledger
            documents.append((work, prepared.document))
            if on_result:
                on_result(Result(work.slug, work.path, document=prepared.document))
        parts.append((title, documents))
    book, spans = join_documents(collection, parts)
    built = _finish(collection.slug, book, ledgers, chosen, {"works": spans}, script, reports)
    folder = Path(out) / collection.slug
    replace_folder(folder, built.files)
    bring_index(Path(out), report)
    return Result(collection.slug, folder, folder, book, ledgers)


def join_documents(
    collection: Collection, parts: Sequence[tuple[str, Sequence[tuple[Work, Document]]]]
) -> tuple[Document, list[dict[str, object]]]:
    """Make one Document of many: title, then parts, then works, each with its own headings one step down.

    The second value says, for each work, which blocks of the book's text are its own (counted from 0, without
    separators), so that each can be taken out again and turned back into its source.
    """
    said = collection.said
    title = said["title"][0]
    blocks = [Block("title", title, 1)]
    spans: list[dict[str, object]] = []
    with_parts = any(name for name, _ in parts)
    for name, works in parts:
        if name:
            blocks.append(Block("part", name, 2))
        for work, document in works:
            start = sum(bool(b.text) for b in blocks)
            down = 2 if with_parts else 1
            for block in document.blocks:
                kind = "chapter" if block.kind == "title" else block.kind
                level = min(6, block.level + down) if block.level else 0
                blocks.append(block._replace(kind=kind, level=level))
            texts = [b.text for b in document.blocks if b.text]
            spans.append({
                "work": work.slug,
                "blocks": [start, start + len(texts)],
                "ledger": f"ledgers/{work.slug}.jsonl",
                "metadata": dublin_core(document.metadata),
            })  # fmt: skip
    documents = [d for _, works in parts for _, d in works]
    # What holds for all works holds for the book; a date or an author of one of them does not.
    same = {d.metadata.creators for d in documents}
    creators = documents[0].metadata.creators if len(same) == 1 else ()
    metadata = Metadata(
        title=title,
        language=said.get("language", (documents[0].metadata.language,))[0],
        subtitle=said.get("subtitle", ("",))[0],
        creators=said.get("creator", creators),
        contributors=said.get("contributor", ()),
        date=said.get("date", ("",))[0],
        source=said.get("source", ("",))[0],
        publisher=said.get("publisher", ("",))[0],
        rights=said.get("rights", ("",))[0],
        subjects=said.get("subject", ()),
        description=said.get("description", ("",))[0],
    )
    provenance = tuple(p for d in documents for p in d.provenance)
    return Document(metadata, tuple(blocks), provenance, is_collection=True), spans
