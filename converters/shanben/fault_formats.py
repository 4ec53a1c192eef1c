"""Faults of rule files as text for people, JSON, GitHub workflow commands, and SARIF 2.1.0 for other tools.

Lines and columns count from 1 in code points, offsets from 0, in every format.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from shanben.profile_files import CODES as PROFILE_CODES
from shanben.rulebook.lint_codes import CODES, FAULT_LEVELS, FaultLevel, RuleFault
from shanben.rulebook.load import CODES as LOAD_CODES
from shanben.rulebook.strict_yaml import caret_lines

SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_GITHUB_LEVELS: Mapping[FaultLevel, str] = {"error": "error", "warning": "warning", "info": "notice"}
_SARIF_LEVELS: Mapping[FaultLevel, str] = {"error": "error", "warning": "warning", "info": "note"}


def as_text(faults: Sequence[RuleFault]) -> str:
    """Give each fault with its place, the source line with a caret, and the way out; empty without faults."""
    return "".join(f"{_paragraph(f)}\n" for f in faults)


def _paragraph(f: RuleFault) -> str:
    rule = f"{f.rule}: " if f.rule else ""
    parts = [f"{f.fault.place}: {f.level} {f.fault.code} {rule}{f.fault.message}"]
    if f.fault.source_line.strip():
        parts += caret_lines(f.fault.source_line, f.fault.place.column)
    return "\n".join([*parts, f"  fix: {f.fault.fix}"] if f.fault.fix else parts)


def as_json(faults: Sequence[RuleFault]) -> str:
    """Give an object with the faults, in order, and how many there are of each level."""
    values = [
        {
            "file": f.fault.place.file,
            "line": f.fault.place.line,
            "column": f.fault.place.column,
            "offset": f.offset,
            "level": f.level,
            "code": f.fault.code,
            "rule": f.rule,
            "message": f.fault.message,
            "fix": f.fault.fix,
            "source_line": f.fault.source_line,
        }
        for f in faults
    ]
    counts = {level: sum(f.level == level for f in faults) for level in FAULT_LEVELS}
    return _dumped({"faults": values, "counts": counts})


def as_github(faults: Sequence[RuleFault]) -> str:
    """Give one workflow command a line, as GitHub shows them beside the changed lines of a pull request."""
    return "".join(f"{_command(f)}\n" for f in faults)


def _command(f: RuleFault) -> str:
    place, fix = f.fault.place, f"\nfix: {f.fault.fix}" if f.fault.fix else ""
    title = f"{f.fault.code} {f.rule}".strip()
    where = f"file={_property(place.file)},line={place.line},col={place.column},title={_property(title)}"
    return f"::{_GITHUB_LEVELS[f.level]} {where}::{_data(f.fault.message + fix)}"


def _data(text: str) -> str:
    r"""Escape the message of a workflow command.

    >>> _data("100%\nok")
    '100%25%0Aok'
    """
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Escape a property of a workflow command.

    >>> _property("a:b,c")
    'a%3Ab%2Cc'
    """
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def as_sarif(faults: Sequence[RuleFault], version: str = "0") -> str:
    """Give a SARIF 2.1.0 log of one run. ``version`` is that of this program."""
    codes = sorted({f.fault.code for f in faults})
    driver = {
        "name": "shanben",
        "semanticVersion" if version.count(".") == 2 else "version": version,
        "rules": [_sarif_rule(code) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_sarif_result(f, codes.index(f.fault.code)) for f in faults],
    }
    return _dumped({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]})


def _sarif_rule(code: str) -> dict[str, Any]:
    known = CODES.get(code)
    cause = known.cause if known else {**LOAD_CODES, **PROFILE_CODES}.get(code, code)
    rule: dict[str, Any] = {
        "id": code,
        "shortDescription": {"text": cause},
        "defaultConfiguration": {"level": _SARIF_LEVELS[known.level if known else "error"]},
    }
    return rule | ({"help": {"text": known.fix}} if known else {})


def _sarif_result(f: RuleFault, index: int) -> dict[str, Any]:
    place = f.fault.place
    length = max(0, len(f.fault.source_line) - place.column + 1)
    region = {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.line,
        "endColumn": place.column + length,
        "charOffset": f.offset,
        "charLength": length,
    }
    location: dict[str, Any] = {"artifactLocation": {"uri": _uri(place.file)}, "region": region}
    if f.fault.source_line:
        location["contextRegion"] = {"startLine": place.line, "snippet": {"text": f.fault.source_line}}
    fix = f"\nfix: {f.fault.fix}" if f.fault.fix else ""
    result: dict[str, Any] = {
        "ruleId": f.fault.code,
        "ruleIndex": index,
        "level": _SARIF_LEVELS[f.level],
        "message": {"text": f.fault.message + fix},
        "locations": [{"physicalLocation": location}],
    }
    return result | ({"properties": {"rule": f.rule}} if f.rule else {})


def _uri(file: str) -> str:
    """Give the address of a file: relative if the file was named so.

    >>> _uri("rules/标点/a b.yaml"), _uri("/tmp/x.yaml")
    ('rules/%E6%A0%87%E7%82%B9/a%20b.yaml', 'file:///tmp/x.yaml')
    """
    path = PurePosixPath(file)
    return ("file://" if path.is_absolute() else "") + quote(path.as_posix(), errors="surrogateescape")


def _dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


FORMATS: Mapping[str, Callable[[Sequence[RuleFault]], str]] = {
    "text": as_text,
    "json": as_json,
    "github": as_github,
    "sarif": as_sarif,
}
"""The formats by the names that `--format` knows."""
