"""The JSON Schema of the lines of a ledger and of `changes.jsonl`. docs/ledger.md says what they mean."""

from __future__ import annotations

from typing import Any

from shanben.ledger import FORMAT

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_OFFSET: Schema = {"type": "integer", "minimum": 0, "maximum": (1 << 40) - 1}
_PLACE: Schema = {"type": "integer", "minimum": 1}
_DIGEST: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_NATS: Schema = {"type": "number", "description": "evidence for the change, as the log of a likelihood ratio (nats)"}
_COUNT: Schema = {"type": "integer", "minimum": 0}


def _object(title: str, required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    return {
        "title": title, "type": "object", "properties": required | (optional or {}), "required": list(required),
    }  # fmt: skip


def ledger_schema() -> Schema:
    """Give the schema (draft 2020-12) of one line of a ledger.

    Keys that it does not name are allowed: later versions may add some, and readers pass them over.

    >>> sorted(ledger_schema()["$defs"])
    ['capture', 'change', 'changes-line', 'header', 'held', 'mark', 'pass', 'suggestion']
    """
    sign = _object(
        "an evidence for a profile", {"reason": _TEXT, "count": {"type": "number"}, "points": {"type": "integer"}}
    )
    signs = {"type": "array", "items": sign}
    segment = {
        "type": "array",
        "prefixItems": [_OFFSET, _OFFSET, _TEXT, {"type": "string", "pattern": "^(?:[0-9a-f]{2})*$"}],
        "minItems": 3,
        "maxItems": 4,
        "description": "start and end in the decoded text, encoding, and the bytes where it cannot give them back",
    }
    decoding = _object("how bytes became characters", {
        "encoding": _TEXT,
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        "evidence": {"type": "array", "items": _TEXT},
        "segments": {"type": "array", "items": segment},
    })  # fmt: skip
    profile = _object(
        "the profile that was in force",
        {"name": _TEXT, "how": {"enum": ["evidence", "named"]}, "points": {"type": "integer"}, "evidence": signs},
        {
            "runner-up": _object("the next best", {"name": _TEXT, "points": {"type": "integer"}, "evidence": signs}),
            "then": {"type": "array", "items": _TEXT},
        },
    )
    suppressed = _object("a finding that the work refuses", {
        "unit": _TEXT, "line": _PLACE, "column": _PLACE, "before": _TEXT, "after": _TEXT, "reason": _TEXT,
    })  # fmt: skip
    counts = {"passes": _COUNT, "changes": _COUNT, "notes": _COUNT, "marks": _COUNT}
    where = {"unit": _TEXT, "line": _PLACE, "column": _PLACE}
    column = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}
    change = {"before": _TEXT, "after": _TEXT}
    more = {"gain": _NATS, "reason": _TEXT}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"One line of a Shanben ledger, format {FORMAT}",
        "anyOf": [{"$ref": f"#/$defs/{n}"} for n in ("header", "pass", "change", "capture", "suggestion", "held", "mark")],
        "$defs": {
            "header": _object(
                "the first line",
                {
                    "shanben-ledger": {"const": FORMAT},
                    "version": _TEXT,
                    "rulebook": _DIGEST,
                    "source": _object("the bytes", {"sha256": _DIGEST, "size": _COUNT}),
                    "decoding": decoding,
                    "text": _object("the clean text in UTF-8", {"sha256": _DIGEST}),
                },
                {
                    "counts": _object("lines of each kind", counts),
                    "profile": profile,
                    "suppressed": {"type": "array", "items": suppressed},
                },
            ),
            "pass": _object(
                "a pass: the changes of one unit follow, or stand in it as columns",
                {"pass": _COUNT, "unit": _TEXT, "phase": _TEXT, "digest": _DIGEST, "round": _PLACE},
                {"at": {"type": "array", "items": _OFFSET, "minItems": 1}, "before": column, "after": column},
            )
            | {"dependentRequired": {"at": ["before", "after"]}},
            "change": _object("a change of the pass above", {"at": _OFFSET, **change}, {"to": _OFFSET, **more})
            | {"not": {"anyOf": [{"required": [key]} for key in ("unit", "mark", "pass")]}},
            "capture": _object("a fact for the metadata", {"capture": _TEXT, "value": _TEXT, "at": _OFFSET, **where}),
            "suggestion": _object(
                "a change that was not made", {"suggest": _TEXT, **change, "at": _OFFSET, **where}, {"gain": _NATS}
            ),
            "held": _object("a unit that was held back, with the reason", {"held": _TEXT, **where}),
            "mark": _object(
                "what a line of the clean text is", {"mark": _TEXT, "at": _OFFSET, "level": _COUNT, "unit": _TEXT}
            ),
            "changes-line": _object(
                "a line of changes.jsonl: a change at its place in the source",
                {
                    "line": _PLACE, "column": _PLACE, "at": _OFFSET,
                    "kind": {"enum": ["substitute", "supply", "delete", "move"]}, **change,
                    "rule": _TEXT, "phase": _TEXT, "pass": _COUNT, "round": _PLACE, "digest": _DIGEST,
                },
                {"to": _OFFSET, **more},
            ),
        },
    }  # fmt: skip
