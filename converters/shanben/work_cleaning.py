"""One work to its clean text: the rules beside it, and what `work.yaml` says, taken into account."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from shanben.errors import UsageError
from shanben.pipeline import Cleaned, clean, plan
from shanben.tools.storage import MAX_SOURCE
from shanben.works import WORK_FILE, Work


def clean_work(
    work: Work,
    *,
    encoding: str | None = None,
    rules: Sequence[str | Path] = (),
    limit: int = MAX_SOURCE,
    profile: str | None = None,
) -> Cleaned:
    """Clean the source of a work with the shipped rules, those beside it, ``rules``, and the work's own.

    ``profile`` is the name or the file of one; it overrules `work.yaml`, which overrules the evidence.
    """
    layers, name = work.layers(rules), work.rules_name(rules)
    if work.profile and not profile:
        try:
            plan(layers, name, work.profile)
        except UsageError as error:
            error.where = error.where or str(work.path.parent / WORK_FILE)
            raise
    return clean(
        work.read(limit),
        encoding=encoding or work.encoding,
        rules=layers,
        work=name,
        profile=profile or work.profile,
        suppress=work.suppress,
    )
