"""Reads what a work refuses: `suppress:`, in its own file of rules and in `work.yaml`."""

from __future__ import annotations

from collections.abc import Mapping

from shanben.rulebook import strict_yaml
from shanben.rulebook.schema import Suppression
from shanben.rulebook.strict_yaml import Faults, Node

SUPPRESS_KEYS: Mapping[str, str] = {
    "rule": "the id of the rule that must do nothing here",
    "at": "a text of the source: only where it stands; without it nowhere in this work",
    "before": "what stands directly before `at`",
    "after": "what stands directly after `at`",
    "reason": "why",
}


def read_suppressions(faults: Faults, node: Node) -> tuple[Suppression, ...]:
    """Read what a work refuses: of a rule all, or what it does where a text stands; the reason must be given."""
    found = []
    for item in strict_yaml.items(faults, node, "`suppress`"):
        entry = strict_yaml.mapping(faults, item, "a suppression", SUPPRESS_KEYS, ["rule"])
        if "rule" in entry and "reason" not in entry:
            words, fix = "a suppression needs its reason", "add reason: why the rule must do nothing here"
            faults.add("R202", item.place, words, fix)
        if "at" not in entry and (alone := [entry[key] for key in ("before", "after") if key in entry]):
            fix = "add at: the text that stands between them"
            faults.add("R202", alone[0].key.place, "`before` and `after` say where `at` stands", fix)
        values = {key: strict_yaml.text(faults, value.value, f"`{key}`") for key, value in entry.items()}
        if {"rule", "reason"} <= values.keys() and all(values.values()):
            found.append(Suppression(place=entry["rule"].value.place, **values))
    return tuple(found)
