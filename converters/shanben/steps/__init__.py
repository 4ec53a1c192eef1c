"""What a pattern cannot do. One file a step, with `STEP = Step(name, run, Params)`; the step `join-lines` is in `join_lines.py`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

from shanben.ledger import Finding
from shanben.values import Text


class Step(NamedTuple):
    """A function `(text, params) -> findings` under the name that rule files use.

    ``params`` is a named tuple; its fields, defaults and annotations (str, int, float, bool,
    tuple[str, ...]) are the schema of the rule's `params:`. Suggestions count in the last round, when all else is at
    rest; with ``lasting`` those of the first round stand too, since later rules take their evidence away. What is
    ``costly`` runs in the first round and when all else is at rest, not in the rounds between. In a text without any
    of the characters ``needs`` (empty: not known) the step finds nothing, so it is not run. ``check`` raises
    ValueError for parameters that only a close look shows to be wrong, such as a pattern that is none. ``patterns``
    gives the patterns among the parameters, so that what they ask for is found out once for all.
    """

    name: str
    run: Callable[[Text, Any], Iterable[Finding]]
    params: type[Any]
    lasting: bool = False
    costly: bool = False
    needs: frozenset[str] = frozenset()
    check: Callable[[Any], None] | None = None
    patterns: Callable[[Any], Iterable[str]] | None = None


@cache
def step_named(name: str) -> Step:
    """Give one step; the others are not imported for it. A file that fails to import is an error."""
    step: Step = importlib.import_module(f"{__name__}.{name.replace('-', '_')}").STEP
    return step


@cache
def all_steps() -> dict[str, Step]:
    """Give every step by name. A file that fails to import is an error, never a step silently gone."""
    names = (module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    return {step.name: step for step in (step_named(name.replace("_", "-")) for name in names)}


_needs: dict[str, frozenset[str]] = {}


def needs_of(name: str) -> frozenset[str]:
    """Give `Step.needs` of a step, without importing it where that was learnt before."""
    needs = _needs.get(name)
    return step_named(name).needs if needs is None else needs


def learn_needs(needs: Mapping[str, frozenset[str]]) -> None:
    """Take over what steps need, by name, as it was found out before."""
    _needs.update(needs)
