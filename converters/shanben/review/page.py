"""The page of the review room: the report of a work, with what is needed to decide."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from shanben.metadata import language_of
from shanben.report import Report, Room
from shanben.report import page as report_page
from shanben.report.page import page_data, plain, style_policy
from shanben.report.page import words as report_words
from shanben.review.decisions import listed
from shanben.review.desk import OpenWork, State
from shanben.rulebook.schema import PHASES
from shanben.writers._data import data


@cache
def words() -> dict[str, dict[str, str]]:
    """Give what the room says besides the words of the report, in English and Chinese."""
    said: dict[str, dict[str, str]] = json.loads(data("review.json"))
    return said


def work_page(desk: OpenWork, state: State, number: int, of: int) -> str:
    """Write the page of one work; ``number`` is its place among the ``of`` works that lie open, from 1."""
    report = _report(state)
    markup = dict(_parts())
    if of < 2:
        markup["room_switches"] = re.sub(r"<a id=\"works\".*?</a>\n", "", markup["room_switches"])
    room = Room(
        words(), markup, data("review.js").decode(), data("review.css").decode(), room_data(desk, state, number)
    )
    return report_page(state.source_text, state.cleaned.ledger, report, room, state.told)


def work_data(desk: OpenWork, state: State, number: int) -> dict[str, Any]:
    """Give the same as values, for a page that is open."""
    content = page_data(state.source_text, state.cleaned.ledger, _report(state), state.told)
    said = report_words()
    content["words"] = {key: {**said[key], **words()[key]} for key in said}
    return content | {"room": room_data(desk, state, number)}


def room_data(desk: OpenWork, state: State, number: int) -> dict[str, Any]:
    """Give what the script of the room knows of a work."""
    v = state.versions
    return {
        "number": number,
        "name": state.work.slug,
        "file": str(desk.own_path(state.work)),
        "versions": {"source": v.source, "own": v.own, "rules": v.rules},
        "undo": len(desk.written) if desk.written and desk.written[-1].after == state.own else 0,
        "decided": [
            {"list": e.list, "digest": e.digest, "line": e.first + 1, "raw": e.raw, "rule": e.values.get("rule", e.values.get("id", "")),
             "reason": e.values.get("reason", e.values.get("why", ""))}
            for e in listed(state)
        ],
        "phases": list(PHASES),
    }  # fmt: skip


def works_page(desks: Sequence[OpenWork]) -> tuple[str, str]:
    """Write the list of the works that lie open; give the page and its policy."""
    style = data("report.css").decode()
    language = "zh"
    w = words()[language]
    rows = "".join(
        f'<tr><th scope="row"><a href="/text/{n}">{plain(d.slug, 120)}</a></th><td>{plain(str(d.path), 200)}</td></tr>'
        for n, d in enumerate(desks, 1)
    )
    parts = {
        "lang": "zh-Hans",
        "policy": style_policy(style),
        "style": style,
        "title": f"{w['room']} Review",
        "intro": f"{w['worksIntro']} {words()['en']['worksIntro']}",
        "table": f"<table><tbody>{rows}</tbody></table>",
    }
    page = re.sub(r"\{\{(\w+)\}\}", lambda m: parts[m[1]], data("index.html").decode())
    return page, parts["policy"]


def _report(state: State) -> Report:
    title = next(iter(state.work.said.get("title", ())), "") or state.work.slug
    language = next(iter(state.work.said.get("language", ())), "") or language_of(state.cleaned.text)
    return Report.of(state.plan, state.work.path.name, title, language)


@cache
def _parts() -> dict[str, str]:
    """Give the markup that the room adds, by the place where it goes."""
    parts = re.split(r"<!-- (\w+) -->\n", data("review.html").decode())
    return dict(zip(parts[1::2], parts[2::2], strict=True))
