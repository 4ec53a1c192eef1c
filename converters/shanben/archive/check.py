"""Is a package whole, and do its parts agree? Every file is compared with two digests, then with the others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from shanben.archive import premis, tei
from shanben.archive.bag import check_bag, is_bag
from shanben.archive.changes import changes_jsonl
from shanben.archive.contents import as_json, reload_rules, rules_run
from shanben.archive.ledger_schema import ledger_schema
from shanben.archive.package import BUILT, RULES, SOURCE
from shanben.errors import ShanbenError, VerifyError
from shanben.fixity import MAX_SIDECAR, Report, built_folders, revert_checked, texts_of, verify_folder
from shanben.ledger import Ledger
from shanben.pipeline import make_plan, version
from shanben.values import Edition
from shanben.verify import read_back

MAX_LAYERS = 100
"""Rule folders that may have been laid over the shipped rules."""
_LONGEST = 500  # characters of a fault: one of a stranger's rule files may have many lines


def check_package(folder: Path) -> Report:
    """Check a bag: manifests, completeness, the work in it, source, changes, TEI, PREMIS, rules."""
    checked: list[str] = []
    files, faults = check_bag(folder)
    checked.append(f"{len(files)} files against manifests of SHA-256 and SHA-512")
    if faults:  # what its own manifest calls damaged need not be looked into
        return Report(str(folder), tuple(checked), tuple(faults))
    if f"data/{BUILT}/manifest-sha256.txt" not in files:
        return Report(
            str(folder), tuple(checked), ("this bag holds no work of Shanben's: it is only known to be whole",)
        )
    inner = verify_folder(folder / "data" / BUILT)
    checked += inner.checked
    faults += [f"data/{BUILT}/{fault}" for fault in inner.faults]
    if not faults:
        try:
            for done, found in _agreements(folder, files):
                checked.append(done)
                faults += found
        except ShanbenError as error:
            faults.append((f"{error.where}: {error.what}" if error.where else error.what)[:_LONGEST])
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError) as error:
            faults.append(f"a file of the package is damaged ({type(error).__name__}: {str(error)[:100]})")
    return Report(str(folder), tuple(checked), tuple(faults))


def _agreements(folder: Path, files: Mapping[str, bytes]) -> Iterator[tuple[str, list[str]]]:
    """Compare the parts of a package with each other; each check says what it did and what it found."""
    sources = sorted(n for n in files if n.startswith(f"data/{SOURCE}/"))
    parts = list(texts_of(folder / "data" / BUILT))
    if len(sources) != len(parts):
        raise VerifyError(f"there are {len(sources)} sources for {len(parts)} ledgers", where=f"data/{SOURCE}")
    works = _works(files)
    for name, (_, text, ledger, _), work in zip(sources, parts, works, strict=True):
        data = revert_checked(text, ledger)
        yield (
            f"{name}: the ledger gives its {len(data)} bytes",
            [] if data == files[name] else [f"{name}: its bytes are not those that text and ledger give"],
        )
        listed = f"data/changes/{work['work']}.jsonl"
        wanted = changes_jsonl(ledger, ledger.revert(text)).encode()
        yield (
            f"{listed}: {ledger.change_count} changes",
            [] if files.get(listed) == wanted else [f"{listed}: these are not the changes of the ledger"],
        )
        yield f"data/{RULES}/index.json: rules of {work['work']}", list(_rules(folder, files, work, ledger))
    yield from _records(files)


def _works(files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    return list(_index(files)["works"])


def _index(files: Mapping[str, bytes]) -> dict[str, Any]:
    """Read the index of the rules. Raises VerifyError for one that cannot be read with little memory."""
    name = f"data/{RULES}/index.json"
    if len(files[name]) > MAX_SIDECAR:
        raise VerifyError(f"it is larger than {MAX_SIDECAR / 1e6:.0f} MB", where=name)
    content = dict(json.loads(files[name]))
    if not 0 <= content["layers"] <= MAX_LAYERS:
        raise VerifyError(f"more than {MAX_LAYERS} rule folders", where=name)
    return content


def _rules(folder: Path, files: Mapping[str, bytes], work: Mapping[str, Any], ledger: Ledger) -> Iterator[str]:
    """Check that the rules of the ledger are those of the index, and, with the version that made it, of the files."""
    name = f"data/{RULES}/index.json"
    known = {(rule, digest) for plan in work["plans"] for rule, digest in plan["rules"].items()}
    for p in ledger.passes:
        if p.phase != "edition" and (p.unit, p.digest) not in known:
            yield f"{name}: the ledger names {p.unit} with another digest"
            return
    if work["rulebook"] != ledger.rulebook_digest:
        yield f"{name}: the digest of all rules is not that of the ledger"
    if ledger.version != version():
        return
    book = reload_rules(folder / "data" / RULES, work["work"], _index(files)["layers"])
    digests = rules_run(make_plan(book))
    for plan in work["plans"]:
        if plan["profile"] == "plain" and any(digests.get(rule) != digest for rule, digest in plan["rules"].items()):
            yield f"data/{RULES}: the rule files do not give the rules of the index"


def _records(files: Mapping[str, bytes]) -> Iterator[tuple[str, list[str]]]:
    """Check TEI, PREMIS and the schema that lies with the package."""
    [name] = [n for n in files if n.startswith("data/tei/")]
    text = f"data/{BUILT}/{PurePosixPath(name).stem}.txt"
    wanted = read_back(Edition("txt", text, files[text]))
    found = tuple(block for whole in tei.read_back(files[name]) for block in whole.split("\n\n"))
    yield (
        f"{name}: {len(found)} blocks read back",
        [] if found == wanted else [f"{name}: its text is not that of the TXT edition"],
    )
    told = premis.read_objects(files["data/metadata/premis.xml"])
    facts = {n: (len(data), hashlib.sha256(data).hexdigest()) for n, data in files.items() if n in told}
    odd = [n for n in told if facts.get(n) != told[n]]
    yield (
        f"data/metadata/premis.xml: {len(told)} files described",
        [f"data/metadata/premis.xml: it describes {n[:100]} otherwise" for n in odd],
    )
    same = files.get("data/ledger.schema.json") == as_json(ledger_schema())
    yield "data/ledger.schema.json: " + ("as this version has it" if same else "of another version"), []


def check_any(folder: Path) -> Report:
    """Check a package, or the folder of a built work."""
    return check_package(folder) if is_bag(folder) else verify_folder(folder)


def find_folders(folder: Path) -> list[Path]:
    """Give ``folder`` itself when it is a package or was built, else those in it. Raises SourceError if none."""
    if is_bag(folder):
        return [folder]
    bags = sorted(p.parent for p in folder.glob("*/bagit.txt")) if folder.is_dir() else []
    if not bags:
        return built_folders(folder)
    return sorted({*bags, *(p.parent for p in folder.glob("*/manifest-sha256.txt"))})


def work_folder(folder: Path) -> Path:
    """Give the built folder itself, which in a package lies further down."""
    return folder / "data" / BUILT if is_bag(folder) else folder
