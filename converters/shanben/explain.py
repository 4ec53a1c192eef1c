"""What was changed, by which rule, where, in words: for people, and as values for machines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shanben.ledger import Capture, Held, Origins, ProfileChoice, Suggestion, apply_changes, plain_signs
from shanben.pipeline import Cleaned, Plan
from shanben.values import Text


@dataclass(frozen=True, slots=True)
class Hit:
    """One change or suggestion with its place in the source (from 1) and what stands around it."""

    unit: str
    phase: str
    line: int
    column: int
    left: str
    before: str
    after: str
    right: str
    kind: str
    reason: str = ""


def hits(cleaned: Cleaned, source_text: str, *, context: int = 12) -> Iterator[Hit]:
    """Give every change, in the order in which it was made, then every suggestion."""
    text, source = source_text, Text.of(source_text)
    origins = Origins(cleaned.ledger.passes)
    for number, p in enumerate(cleaned.ledger.passes):
        for c in p.changes:
            line, column = source.place(min(origins.of(c.start, number), len(source_text)))
            left, right = text[max(0, c.start - context) : c.start], text[c.end : c.end + context]
            yield Hit(p.unit, p.phase, line, column, left, c.before, c.after, right, c.kind, c.reason)
        text = apply_changes(text, p.changes, unit=p.unit)
    for note in cleaned.ledger.notes:
        f = note.finding
        if isinstance(f, Suggestion):
            left, right = text[max(0, f.start - context) : f.start], text[f.start + len(f.before) :][:context]
            yield Hit(note.unit, "", note.line, note.column, left, f.before, f.after, right, "suggestion", f.reason)


def summary(cleaned: Cleaned, plan: Plan) -> dict[str, object]:
    """Give the whole explanation as plain values: decoding, counts, captured facts, units held back."""
    ledger = cleaned.ledger
    faults = plan.faults()
    places = {u.id: str(u.rule.place) for u in plan.units}
    return {
        "source": cleaned.source.name,
        "sha256": ledger.source_sha256,
        "size": ledger.source_size,
        "encoding": ledger.decoding.encoding,
        "confidence": ledger.decoding.confidence,
        "evidence": list(ledger.decoding.evidence),
        "changes": ledger.change_count,
        "units": [
            {"unit": u, "count": n, "fault": faults.get(u, ""), "file": places.get(u, "")}
            for u, n in ledger.counts().items()
        ],
        "captured": [
            {"term": n.finding.field, "value": n.finding.value, "unit": n.unit, "line": n.line}
            for n in ledger.notes
            if isinstance(n.finding, Capture)
        ],
        "held": [{"unit": n.unit, "reason": n.finding.reason} for n in ledger.notes if isinstance(n.finding, Held)],
        "suggestions": len(cleaned.suggestions),
        "profile": _profile(ledger.profile) if ledger.profile else {},
        "suppressed": [s._asdict() for s in ledger.suppressed],
    }


def _profile(choice: ProfileChoice) -> dict[str, Any]:
    """Give a choice with its evidence as plain values."""
    return choice._asdict() | {
        "evidence": plain_signs(choice.evidence),
        "runner_up_evidence": plain_signs(choice.runner_up_evidence),
    }
