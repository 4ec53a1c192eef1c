"""What goes into a package: a work as it was built, its source, its rules, and what they ran on."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import tempfile
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata as installed
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from shanben.build import Built, build_work, join_documents
from shanben.errors import UsageError, VerifyError
from shanben.fixity import read_inside, revert_checked, sidecar_of, texts_of, verify_folder
from shanben.lazy import lazy_re
from shanben.ledger import Ledger, to_jsonl
from shanben.pipeline import Plan, add_layers, clean, load_layers, plan, shipped_rules, version
from shanben.resources import data_root, rules_root
from shanben.rulebook.schema import Rulebook
from shanben.structure import build_document, canonical_ledger
from shanben.tools import pandoc
from shanben.tools.storage import MANIFEST, MAX_SOURCE, safe_name
from shanben.values import Document, Source
from shanben.works import Collection, Work

_SAID = {
    "dcterms:title": "title", "dcterms:alternative": "subtitle", "dcterms:creator": "creator",
    "dcterms:contributor": "contributor", "dcterms:date": "date", "dcterms:language": "language",
    "dcterms:publisher": "publisher", "dcterms:source": "source", "dcterms:isVersionOf": "url",
    "dcterms:rights": "rights", "dcterms:subject": "subject", "dcterms:description": "description",
}  # fmt: skip
_GIVEN = lazy_re(r"the encoding was given: ([^,;]+)")
_CANNOT = "give the source instead (shanben bag SOURCE), or the rule folders of the build with --rules"


@dataclass(frozen=True, slots=True)
class Part:
    """One source of a work with all that was made of it. ``plans`` are the rules that ran, the first plan first."""

    slug: str
    source: Source
    document: Document
    ledger: Ledger
    ledger_name: str
    plans: tuple[Plan, ...]
    source_text: str


@dataclass(frozen=True, slots=True)
class Contents:
    """A work to be packed: the files of its built folder by name, its Document, its sources."""

    slug: str
    files: dict[str, bytes]
    document: Document
    parts: tuple[Part, ...]
    layers: tuple[Path, ...]


def of_source(
    work: Work, *, encoding: str | None = None, rules: Sequence[Path] = (), limit: int = MAX_SOURCE
) -> Contents:
    """Build a work from its source and give what there is to pack."""
    built: Built = build_work(work, encoding=encoding, rules=rules, limit=limit)
    [(name, ledger)] = built.ledgers.items()
    layers = tuple(Path(p) for p in work.layers(rules))
    source = work.read(limit)
    part = Part(
        work.slug, source, built.document, ledger, name, _plans(ledger, layers, work.slug, work.profile),
        ledger.revert(built.document.text),
    )  # fmt: skip
    return Contents(work.slug, built.files, built.document, (part,), layers)


def _plans(ledger: Ledger, layers: Sequence[Path], slug: str, profile: str | None = None) -> tuple[Plan, ...]:
    choice = ledger.profile
    names = [profile or (choice.name if choice else None), *(choice.then if choice else ())]
    plans = tuple(plan(layers, slug, name) for name in names)
    digests = {u.rule.digest for p in plans for u in p.units}
    if any(p.digest not in digests for p in ledger.passes if p.phase != "edition"):
        raise VerifyError("the rules are no longer those that made the ledger", fix="build the work again")
    return plans


def of_folder(folder: Path, *, rules: Sequence[Path] = ()) -> Contents:
    """Give what there is to pack of a built folder, after a check of all of it.

    The source is made again from text and ledger, and cleaned again: only rules that give the same ledger, byte
    for byte, are the rules of this work. Raises VerifyError, and UsageError when other rules made it.
    """
    report = verify_folder(folder)
    if report.faults:
        raise VerifyError(f"this folder is damaged: {report.faults[0]}", where=str(folder), fix="build the work again")
    said = sidecar_of(folder)
    [sidecar] = folder.glob("*.json")
    files = {name: read_inside(folder, name) for name in _names(folder)}
    works = said.get("works")
    slugs = [str(w["work"]) for w in works] if works else [sidecar.stem]
    facts = [w["metadata"] for w in works] if works else [said["metadata"]]
    parts = []
    for (name, text, ledger, ledger_name), slug, fact in zip(texts_of(folder), slugs, facts, strict=True):
        source = Source(name, revert_checked(text, ledger))
        document = _again(source, ledger, slug, fact, rules, files[ledger_name], folder)
        plans = _plans(ledger, rules, slug)
        parts.append(Part(slug, source, document, ledger, ledger_name, plans, ledger.revert(text)))
    document = parts[0].document
    if works:
        txt = next(e["file"] for e in said["editions"] if e["format"] == "txt")
        document = _book(sidecar.stem, said, parts, files[txt].decode().removesuffix("\n").split("\n\n"))
    if document.digest != said["text"]["sha256"]:
        raise UsageError("these editions have another text than source and rules give", where=str(folder), fix=_CANNOT)
    return Contents(sidecar.stem, files, document, tuple(parts), tuple(rules))


def _names(folder: Path) -> Iterator[str]:
    yield MANIFEST
    for line in (folder / MANIFEST).read_text("utf-8").splitlines():
        yield line.partition("  ")[2]


def _again(
    source: Source, ledger: Ledger, slug: str, fact: dict[str, object], rules: Sequence[Path], stored: bytes, where: Path
) -> Document:  # fmt: skip
    """Clean a source again; give its Document if the ledger is the one that is stored."""
    given = next((m[1].strip() for e in ledger.decoding.evidence if (m := _GIVEN.match(e))), None)
    profile = ledger.profile.name if ledger.profile and ledger.profile.how == "named" else None
    cleaned = clean(source, encoding=given, rules=rules, work=slug, profile=profile)
    steps = cleaned.plan or plan(rules, slug)
    document = build_document(cleaned, steps, said=_as_said(fact), name=slug)
    if to_jsonl(canonical_ledger(cleaned, document)).encode() != stored:
        other = f" (made with {ledger.version}, this is {version()})" if ledger.version != version() else ""
        raise UsageError(
            f"this work was built with other rules or settings than there are now{other}, so they cannot be packed "
            "as they were", where=str(where), fix=_CANNOT,
        )  # fmt: skip
    return document


def _as_said(fact: dict[str, object]) -> dict[str, tuple[str, ...]]:
    """Turn the metadata of a built work into what its `work.yaml` might say."""
    said = {}
    for term, value in fact.items():
        if term in _SAID:
            said[_SAID[term]] = tuple(map(str, value)) if isinstance(value, list) else (str(value),)
    return said


def _book(slug: str, said: dict[str, Any], parts: Sequence[Part], texts: Sequence[str]) -> Document:
    """Put a collection together again. A block of ``texts`` that is of no work is the title of the part below it."""
    grouped: list[tuple[str, list[tuple[Work, Document]]]] = []
    end = 1  # block 0 is the title of the book
    for part, work in zip(parts, said["works"], strict=True):
        start, stop = work["blocks"]
        if start > end or not grouped:
            grouped.append((texts[end] if start > end else "", []))
        grouped[-1][1].append((Work(part.slug, Path(part.source.name)), part.document))
        end = stop
    return join_documents(Collection(slug, _as_said(said["metadata"]), ()), grouped)[0]


# --- rules and environment ---------------------------------------------------------------------------------


def rule_files(contents: Contents) -> dict[str, bytes]:
    """Give the rule files that were used: the shipped ones, those of further folders, the works' own.

    Raises VerifyError when they are no longer those that were read for the build.
    """
    slugs = {p.slug for p in contents.parts}
    files = {f"shipped/{name}": data for name, data in _yaml(rules_root(), slugs)}
    for number, layer in enumerate(contents.layers, 1):
        files |= {f"own-{number}/{name}": data for name, data in _yaml(layer, slugs)}
    with tempfile.TemporaryDirectory() as place:
        for name, data in files.items():
            path = Path(place, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        for part in contents.parts:
            ran = {r.id: r.digest for r in plan(contents.layers, part.slug).rulebook.rules}
            if ran != {r.id: r.digest for r in reload_rules(Path(place), part.slug, len(contents.layers)).rules}:
                raise VerifyError("the rule files were changed while the work was built", fix="run the command again")
    return files


def reload_rules(folder: Path, work: str, layers: int) -> Rulebook:
    """Load the rules from the copies in a package, as they were for one work before any profile."""
    own = (folder / f"own-{number}" for number in range(1, layers + 1))
    over = [str(layer) for layer in own if layer.is_dir()]
    if _are_shipped(folder / "shipped", work):
        return add_layers(shipped_rules(work), over, work)
    return load_layers(folder / "shipped", over, work)


def _are_shipped(folder: Path, work: str) -> bool:
    """Tell whether the rule files in a folder are those that come with the package, which are checked already."""
    try:
        return dict(_yaml(folder, {work})) == dict(_yaml(rules_root(), {work}))
    except (OSError, RecursionError):  # whoever loads them says what is wrong
        return False


def _yaml(folder: Traversable, slugs: set[str], inside: str = "") -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        name = f"{inside}{entry.name}"
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _yaml(entry, slugs, f"{name}/")
        elif name == "LICENSE" or (
            entry.name.endswith((".yaml", ".yml")) and (inside != "works/" or entry.name.rpartition(".")[0] in slugs)
        ):
            yield name, entry.read_bytes()


def rules_run(steps: Plan) -> dict[str, str]:
    """Give id and digest of the rules of a plan, as ledgers name them."""
    return {unit.rule.id: unit.rule.digest for unit in steps.units}


def rule_index(contents: Contents) -> bytes:
    """List the rules that ran for each source: id, digest, file, under each profile that was in force."""
    rows = [
        {
            "work": part.slug,
            "rulebook": part.ledger.rulebook_digest,
            "plans": [{"profile": p.profile, "rules": rules_run(p)} for p in part.plans],
        }
        for part in contents.parts
    ]
    return as_json({"layers": len(contents.layers), "works": rows})


def environment() -> dict[str, object]:
    """Give what the work was made with: versions of the program, of Python, pandoc and all packages used."""
    names = [
        re.split(r"[ ;\[><=!~]", r, maxsplit=1)[0] for r in installed.requires("shanben") or () if "extra" not in r
    ]
    packages = {}
    for name in sorted(names, key=str.casefold):
        try:
            packages[name] = installed.version(name)
        except installed.PackageNotFoundError:
            packages[name] = ""
    return {
        "shanben": version(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "unicode": unicodedata.unidata_version,
        "pandoc": pandoc.version(),
        "packages": packages,
        "joint-model": {"sha256": _model_digest()},
    }


def _model_digest() -> str:
    return hashlib.sha256((data_root() / "joints.npz").read_bytes()).hexdigest()


def as_json(value: object) -> bytes:
    """Write values as JSON, the same bytes for the same values."""
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def source_name(contents: Contents, number: int) -> str:
    """Give the name that a source has in the package, from 1."""
    name = safe_name(contents.parts[number - 1].source.name)
    return name if len(contents.parts) == 1 else f"{number:03d}-{name}"
