"""The JSON Schema of rule files, made from the loader's own tables, so that editors can check while one types.

It cannot say all that the loader says (quoting, patterns, names across files): a file that it accepts may
still have faults, a file that the loader accepts always fits it.
"""

from __future__ import annotations

import typing
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from shanben.rulebook.load import (
    ACTIONS,
    COMBINATIONS,
    EXCUSE_FORM,
    FILE_KEYS,
    ID_FORM,
    LET_FORM,
    LIMIT_KEYS,
    LINES_FORM,
    MARK_KEYS,
    MAX_LEVEL,
    MAX_LITERAL,
    NOT_WITH,
    ORDER_KEYS,
    REMOVALS,
    REQUIRED_KEYS,
    RULE_KEYS,
    WHEN_KEYS,
    WHERE_KEYS,
    ParamSpec,
    param_specs,
)
from shanben.rulebook.refusals import SUPPRESS_KEYS
from shanben.rulebook.schema import INVARIANTS, LEVELS, MARK_KINDS, METADATA_FIELDS

if typing.TYPE_CHECKING:
    from shanben.steps import Step

Schema = dict[str, Any]

_PATTERN: Schema = {"type": "string", "minLength": 1}
# Our loader takes every scalar as text; an editor's parser may see a number or a truth value in it.
_TEXT: Schema = {"type": ["string", "number", "boolean"], "minLength": 1}
_ANY_TEXT: Schema = {"type": ["string", "number", "boolean"]}
_NAME: Schema = {"type": "string", "pattern": f"^{ID_FORM}$", "maxLength": 80}
_PERCENT: Schema = {"type": "string", "pattern": r"^(?:0|[1-9][0-9]{0,2})(?:\.[0-9]{1,12})?%$"}


def rule_file_schema(steps: Mapping[str, Step] | None = None) -> Schema:
    """Give the schema (draft 2020-12) of one rule file; without ``steps`` with all that are installed.

    >>> sorted(rule_file_schema({})["properties"])
    ['let', 'rules', 'suppress']
    """
    if steps is None:
        from shanben.steps import all_steps

        steps = all_steps()
    values: dict[str, Schema] = {
        "let": {
            "type": "object",
            "propertyNames": {"pattern": f"^{LET_FORM}$"},
            "additionalProperties": _PATTERN,
        },
        "rules": {"type": "array", "minItems": 1, "items": _rule(steps)},
        "suppress": {
            "type": "array",
            "minItems": 1,
            "items": _object(SUPPRESS_KEYS, dict.fromkeys(SUPPRESS_KEYS, _TEXT), ["rule", "reason"]),
        },
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Shanben rule file",
        **_object(FILE_KEYS, values),
        "anyOf": [{"required": ["rules"]}, {"required": ["suppress"]}],
    }


def _object(
    keys: Mapping[str, str], values: Mapping[str, Schema], required: Iterable[str] = (), least: int = 1
) -> Schema:
    """Give the schema of a mapping with these keys and no others, each with what it means."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "minProperties": least,
        "properties": {key: {"description": words, **values[key]} for key, words in keys.items()},
    }


def _one_of(words: Iterable[str]) -> Schema:
    return {"enum": [word for word in words if word]}


def _list(items: Schema) -> Schema:
    return {"type": "array", "minItems": 1, "items": items}


def _whole(low: int, high: int | None = None) -> Schema:
    """Give the schema of a whole number, bare or in quotes."""
    bare: Schema = {"type": "integer", "minimum": low} | ({"maximum": high} if high is not None else {})
    return {"anyOf": [bare, {"type": "string", "pattern": "^-?(?:0|[1-9][0-9]{0,8})$"}]}


def _rule(steps: Mapping[str, Step]) -> Schema:
    values: dict[str, Schema] = {
        "id": _NAME,
        "fault": _TEXT,
        "fault-zh": _TEXT,
        "why": _TEXT,
        "match": _PATTERN,
        "before": _PATTERN,
        "after": _PATTERN,
        "replace": _ANY_TEXT,
        "replace-each": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"minLength": 1, "maxLength": MAX_LITERAL},
            "additionalProperties": _ANY_TEXT,
        },
        "remove": _one_of(REMOVALS),
        "capture": _object(
            dict.fromkeys(METADATA_FIELDS, "the group whose text goes there"),
            dict.fromkeys(METADATA_FIELDS, _PATTERN),
        ),
        "mark": {"anyOf": [_one_of(MARK_KINDS), _mark()]},
        "protect": _NAME,
        "step": _one_of(sorted(steps)),
        "params": {"type": "object"},
        "outside": _list(_NAME),
        "where": _where(),
        "when": _object(WHEN_KEYS, dict.fromkeys(WHEN_KEYS, _PATTERN)),
        "limit": _object(LIMIT_KEYS, {"drop": _PERCENT, "hits": _whole(1)}),
        "level": {"anyOf": [_one_of(LEVELS), {"const": False}]},  # YAML 1.1 reads `off` as false
        "invariant": _one_of(INVARIANTS),
        "order": _object(ORDER_KEYS, {"after": _list(_NAME)}, ["after"]),
        "overrides": _NAME,
        "examples": _list({"type": "array", "minItems": 2, "maxItems": 3, "items": _ANY_TEXT}),
        "keep": _list(_TEXT),
        "lint": {"type": "object", "propertyNames": {"pattern": f"^{EXCUSE_FORM}$"}, "additionalProperties": _TEXT},
    }
    return _object(RULE_KEYS, values, REQUIRED_KEYS) | {
        "oneOf": [_combination(actions) for actions in COMBINATIONS],
        "allOf": [_params_of(name, step) for name, step in sorted(steps.items())],
    }


def _combination(actions: Iterable[str]) -> Schema:
    """Let a rule have these actions, no others, and no key that means nothing beside them."""
    present = sorted(actions)
    absent = [a for a in ACTIONS if a not in present]
    absent += [key for action in present for key in NOT_WITH.get(action, ())]
    if "step" not in present:
        absent.append("params")
    needed = present if {"step", "replace-each"} & {*present} else [*present, "match"]
    return {"required": needed, "properties": dict.fromkeys(absent, False)}


def _mark() -> Schema:
    values: dict[str, Schema] = {
        "as": _one_of(MARK_KINDS),
        "level": _whole(1, MAX_LEVEL),
        "level-of": _PATTERN,
    }
    return _object(MARK_KEYS, values, ["as"]) | {"not": {"required": ["level", "level-of"]}}


def _where() -> Schema:
    values: dict[str, Schema] = {
        "lines": {"type": "string", "pattern": f"^{LINES_FORM}$"},
        "repeated": _whole(2),
        "near": _NAME,
        "within": _whole(0),
    }
    return _object(WHERE_KEYS, values) | {"dependentRequired": {"within": ["near"]}}


def _params_of(name: str, step: Step) -> Schema:
    specs = param_specs(step)
    required = [key for key, spec in specs.items() if spec.required]
    params: Schema = {
        "type": "object",
        "additionalProperties": False,
        "required": required,
        "properties": {key: _param(spec) for key, spec in specs.items()},
    }
    then: Schema = {"properties": {"params": params}} | ({"required": ["params"]} if required else {})
    return {"if": {"properties": {"step": {"const": name}}, "required": ["step"]}, "then": then}


def _param(spec: ParamSpec) -> Schema:
    if spec.type is bool:
        return {"enum": [True, False, "true", "false"]}
    if spec.type is int:
        return _whole(-999_999_999)
    if spec.type is float:
        return {"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^-?[0-9]+(?:\.[0-9]+)?$"}]}
    if typing.get_origin(spec.type) is Literal:
        return _one_of(map(str, typing.get_args(spec.type)))
    return _list(_TEXT) if spec.type == tuple[str, ...] else _ANY_TEXT
