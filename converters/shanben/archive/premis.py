"""PREMIS 3.0: what was done to a work, in what order, by what, with which outcome.

There is no clock in a build. An event has the date that the archivist gives; without one its time is the EDTF
value for "not told", since the schema wants one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lxml import etree

from shanben.ledger import Capture, Ledger
from shanben.verify import parse_xml
from shanben.writers._metadata import clean_line

_NS = "http://www.loc.gov/premis/v3"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
UNKNOWN = "XXXX-XX-XX"
"""EDTF for a day that is not told."""
_PATH = "path in the bag"
_TYPES = "http://id.loc.gov/vocabulary/preservation/eventType"
_CODES = {
    "capture": "cap", "format identification": "for", "modification": "mod", "metadata extraction": "mee",
    "migration": "mig", "validation": "val", "fixity check": "fix", "information package creation": "ipc",
}  # fmt: skip
_Element = etree._Element


@dataclass(frozen=True, slots=True)
class File:
    """A file of the package: name, bytes, media type, and what it is derived from."""

    name: str
    data: bytes
    media_type: str
    original_name: str = ""
    derived_from: tuple[str, ...] = ()
    events: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was done. ``notes`` are the details of its outcome; ``objects`` are files, source first."""

    id: str
    type: str
    detail: str
    outcome: str = "success"
    notes: tuple[str, ...] = ()
    agents: tuple[str, ...] = ("shanben",)
    objects: tuple[tuple[str, str], ...] = field(default=())


def write(files: Sequence[File], events: Sequence[Event], agents: Mapping[str, str], date: str) -> bytes:
    """Give the document. ``agents`` are programs by name with their versions, ``date`` is ISO 8601 or empty."""
    root = etree.Element(f"{{{_NS}}}premis", nsmap={"premis": _NS, "xsi": _XSI})
    root.set("version", "3.0")
    for file in files:
        _object(root, file)
    for event in events:
        _event(root, event, date or UNKNOWN)
    for name, version in agents.items():
        agent = _sub(root, "agent")
        _identifier(agent, "agentIdentifier", name)
        _sub(agent, "agentName", name)
        _sub(agent, "agentType", "software")
        _sub(agent, "agentVersion", version)
    etree.indent(root)
    data: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return data + b"\n"


def read_objects(data: bytes) -> dict[str, tuple[int, str]]:
    """Give size and SHA-256 of each file that a PREMIS document of ours describes. Raises VerifyError, ValueError."""
    root = parse_xml(data, "the PREMIS document")
    ns = {"p": _NS}
    return {
        str(one.findtext("p:objectIdentifier/p:objectIdentifierValue", "", ns)): (
            int(one.findtext(".//p:size", "-1", ns)),
            str(one.findtext(".//p:messageDigest", "", ns)),
        )
        for one in root.iterfind("p:object", ns)
    }


def _sub(parent: _Element, tag: str, text: str = "") -> _Element:
    element = etree.SubElement(parent, f"{{{_NS}}}{tag}")
    if text:
        element.text = clean_line(text)
    return element


def _identifier(parent: _Element, tag: str, value: str, kind: str = "local") -> _Element:
    """Add an identifier. Its value stands as it is: names of files are safe in XML, and blanks in them count."""
    element = _sub(parent, tag)
    _sub(element, f"{tag}Type", kind)
    _sub(element, f"{tag}Value").text = value
    return element


def _object(root: _Element, file: File) -> None:
    one = _sub(root, "object")
    one.set(f"{{{_XSI}}}type", "premis:file")
    _identifier(one, "objectIdentifier", file.name, _PATH)
    about = _sub(one, "objectCharacteristics")
    for name, digest in (("SHA-256", hashlib.sha256(file.data)), ("SHA-512", hashlib.sha512(file.data))):
        fixity = _sub(about, "fixity")
        _sub(fixity, "messageDigestAlgorithm", name)
        _sub(fixity, "messageDigest", digest.hexdigest())
    _sub(about, "size", str(len(file.data)))
    designation = _sub(_sub(about, "format"), "formatDesignation")
    _sub(designation, "formatName", file.media_type)
    if file.original_name:
        _sub(one, "originalName", file.original_name)
    if file.derived_from:
        relation = _sub(one, "relationship")
        _sub(relation, "relationshipType", "derivation")
        _sub(relation, "relationshipSubType", "has source")
    for origin in file.derived_from:
        _identifier(relation, "relatedObjectIdentifier", origin, _PATH)
    for event in file.events:
        _identifier(one, "linkingEventIdentifier", event)


def _event(root: _Element, event: Event, date: str) -> None:
    one = _sub(root, "event")
    _identifier(one, "eventIdentifier", event.id)
    kind = _sub(one, "eventType", event.type)
    kind.set("authority", "eventType")
    kind.set("authorityURI", _TYPES)
    kind.set("valueURI", f"{_TYPES}/{_CODES[event.type]}")
    _sub(one, "eventDateTime", date)
    _sub(_sub(one, "eventDetailInformation"), "eventDetail", event.detail)
    outcome = _sub(one, "eventOutcomeInformation")
    _sub(outcome, "eventOutcome", event.outcome)
    for note in event.notes:
        _sub(_sub(outcome, "eventOutcomeDetail"), "eventOutcomeDetailNote", note)
    for name in event.agents:
        _sub(_identifier(one, "linkingAgentIdentifier", name), "linkingAgentRole", "executing program")
    for name, role in event.objects:
        _sub(_identifier(one, "linkingObjectIdentifier", name, _PATH), "linkingObjectRole", role)


def events_of(number: int, ledger: Ledger, source: str, text: str, faults: Mapping[str, str]) -> Iterable[Event]:
    """Give what happened between a source and its clean text: capture, decoding, each phase of rules, facts found.

    ``number`` counts the sources of the package from 1; ``source`` and ``text`` are names of files in it.
    """
    head = f"{number:03d}"
    notes = (f"SHA-256 {ledger.source_sha256}", f"{ledger.source_size} bytes")
    yield Event(f"{head}-capture", "capture", "The bytes of the source were read, and are kept as they were.", "success",
                notes, objects=((source, "source"),))  # fmt: skip
    d = ledger.decoding
    told = (f"{d.encoding}, confidence {d.confidence:.2f}", *d.evidence)
    told += (f"{d.bad_bytes} bytes that no encoding explains, kept in the ledger",) if d.bad_bytes else ()
    detail = "Decoding: it was found out how the bytes are to be read as characters."
    yield Event(f"{head}-decoding", "format identification", detail, "success", told, objects=((source, "source"),))
    phases: dict[str, dict[tuple[str, str], int]] = {}
    for p in ledger.passes:
        rules = phases.setdefault(p.phase, {})
        rules[p.unit, p.digest] = rules.get((p.unit, p.digest), 0) + len(p.changes)
    for phase, rules in phases.items():
        done = tuple(
            f"{unit}: {count} changes" + (f" ({faults[unit]})" if faults.get(unit) else "") + f"; rule SHA-256 {digest}"
            for (unit, digest), count in rules.items()
        )
        yield Event(
            f"{head}-rules-{phase}", "modification", f"Rules of the phase {phase} changed the text; the ledger has each change.",
            f"{sum(rules.values())} changes", done, objects=((source, "source"), (text, "outcome")),
        )  # fmt: skip
    found = [n.finding for n in ledger.notes if isinstance(n.finding, Capture)]
    if found:
        yield Event(f"{head}-metadata", "metadata extraction", "Facts that stand in the text were taken into the metadata.",
                    f"{len(found)} facts", tuple(f"{f.field}: {f.value}" for f in found), objects=((source, "source"),))  # fmt: skip
