"""From works to editions: clean, structure, write, verify, and only then put in place."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from shanben.errors import ShanbenError, SourceError, UsageError, VerifyError
from shanben.fixity import check_conservation, manifest
from shanben.ledger import Capture, Ledger, to_jsonl
from shanben.pipeline import Cleaned, clean, plan, revert
from shanben.structure import build_document, canonical_ledger
from shanben.tools.storage import MANIFEST, MAX_SOURCE, replace_folder
from shanben.values import Block, Document, Edition, Metadata
from shanben.verify import check_editions, problems
from shanben.works import Collection, Work, find_works
from shanben.writers import all_writers

LEDGER = "ledger.jsonl"
FORMATS = ("epub", "html", "txt")


@dataclass(frozen=True, slots=True)
class Built:
    """One work, built in memory: its files by relative name, and the values they were made from."""

    slug: str
    document: Document
    ledgers: dict[str, Ledger]
    files: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Result:
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
) -> list[Result]:
    """Build the editions of every document under ``sources`` into ``out/<slug>/``.

    ``formats`` are names of writers (epub, html, txt; the TXT edition is always there, since it and the ledger
    prove the rest). One failed work does not stop the others: look at ``Result.error``. ``limit`` is in bytes.
    Raises UsageError, SourceError, RuleError for faults that concern all works.
    """
    chosen = check_formats(formats)
    plan(tuple(rules))  # faults of the rules concern all works: said once, before any work is begun
    results = []
    for work in find_works([Path(s) for s in sources]) if works is None else works:
        try:
            built = build_work(work, formats=chosen, encoding=encoding, rules=rules, limit=limit)
            folder = Path(out) / work.slug
            replace_folder(folder, built.files)
            result = Result(work.slug, work.path, folder, built.document, built.ledgers)
        except ShanbenError as error:
            error.where = error.where or str(work.path)
            result = Result(work.slug, work.path, error=error)
        results.append(result)
        if on_result:
            on_result(result)
    return results


def check_formats(formats: Sequence[str]) -> tuple[str, ...]:
    """Give the formats in a fixed order, TXT among them. Raises UsageError for one that is not known."""
    known = all_writers()
    if unknown := [f for f in formats if f not in known]:
        raise UsageError(f"there is no format {unknown[0]!r}", fix=f"choose from {', '.join(sorted(known))}")
    return tuple(sorted({*formats, "txt"}))


def clean_work(
    work: Work, *, encoding: str | None = None, rules: Sequence[str | Path] = (), limit: int = MAX_SOURCE
) -> Cleaned:
    """Clean the source of a work with the shipped rules, ``rules``, and the work's own."""
    return clean(work.read(limit), encoding=encoding or work.encoding, rules=rules, work=work.slug)


def build_work(
    work: Work,
    *,
    formats: Sequence[str] = FORMATS,
    encoding: str | None = None,
    rules: Sequence[str | Path] = (),
    limit: int = MAX_SOURCE,
) -> Built:
    """Build one work in memory and verify it. Raises VerifyError when an edition is not what it must be."""
    document, ledger = _prepare(work, encoding=encoding, rules=rules, limit=limit)
    return _finish(work.slug, document, {LEDGER: ledger}, formats, {})


def _prepare(work: Work, *, encoding: str | None, rules: Sequence[str | Path], limit: int) -> tuple[Document, Ledger]:
    """Give the Document of one work and its ledger, both laws about them checked."""
    cleaned = clean_work(work, encoding=encoding, rules=rules, limit=limit)
    if not cleaned.text.strip():
        raise SourceError("there is no text in it, or none is left", where=str(work.path), fix="see `shanben explain`")
    document = build_document(cleaned, plan(tuple(rules), work.slug), said=work.said, name=work.slug)
    ledger = canonical_ledger(cleaned, document)
    if revert(document.text, ledger) != cleaned.source.data:
        raise VerifyError("the ledger does not give the source back", where=work.slug)
    check_conservation(ledger, document)
    return document, ledger


def _finish(
    slug: str, document: Document, ledgers: dict[str, Ledger], formats: Sequence[str], extra: dict[str, object]
) -> Built:
    """Write all editions, verify them, and add sidecar, ledgers and manifest."""
    writers = all_writers()
    editions = [Edition(f, slug + writers[f].suffix, writers[f].write(document)) for f in sorted(formats)]
    if faults := problems(check_editions(document, editions)):
        listed = "\n".join(f"  {fault}" for fault in faults[:20])
        raise VerifyError(
            f"{len(faults)} checks failed, so the editions were not written; an older edition stays as it was\n{listed}",
            where=slug,
            fix="please report this with the source: it is a fault of the program, not of your text",
        )
    files = {e.filename: e.data for e in editions}
    files |= {name: to_jsonl(ledger).encode() for name, ledger in ledgers.items()}
    files[f"{slug}.json"] = sidecar(document, editions, ledgers, extra)
    files[MANIFEST] = manifest(files)
    return Built(slug, document, ledgers, files)


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
                "changes": {a.unit: a.count for a in p.actions},
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
) -> Result:
    """Build many works as one book with parts into ``out/<slug>/``. Raises the first error of any work."""
    chosen = check_formats(formats)
    parts: list[tuple[str, list[tuple[Work, Document]]]] = []
    ledgers: dict[str, Ledger] = {}
    for title, works in collection.parts:
        documents = []
        for work in works:
            document, ledger = _prepare(work, encoding=encoding, rules=rules, limit=limit)
            ledgers[f"ledgers/{work.slug}.jsonl"] = ledger
            documents.append((work, document))
            if on_result:
                on_result(Result(work.slug, work.path, document=document))
        parts.append((title, documents))
    book, spans = join_documents(collection, parts)
    built = _finish(collection.slug, book, ledgers, chosen, {"works": spans})
    folder = Path(out) / collection.slug
    replace_folder(folder, built.files)
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
                blocks.append(replace(block, kind=kind, level=level))
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
