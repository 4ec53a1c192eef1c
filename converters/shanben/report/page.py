"""The report of one document as a page of its own: no network, no outside file; readable without JavaScript too.

Both texts are in the page once, as data that a script lays out where the reader looks. What was the same on both
sides is written once. Nothing of a document ever becomes markup: the data are JSON in which no ``<`` stands, and
the script makes text nodes of them only.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from shanben.lazy import lazy_re
from shanben.ledger import Capture, Held, Ledger, Suggestion
from shanben.pipeline import Plan
from shanben.report.compare import LAST_PHASE, Comparison, Entry, Piece, compare
from shanben.structure import CANONICAL
from shanben.values import Text
from shanben.writers._data import data

if TYPE_CHECKING:
    from shanben.moves import MovePicture

KINDS = ("substitute", "supply", "delete", "move", "captured", "suggestion", "suppressed")
SILENT = KINDS[4:]
"""Kinds that change nothing."""
BINS = 120
"""Bars of the chart along the document."""
MOST_LISTED = 2000
"""Places that the plain list names; of each rule at least FEWEST_LISTED, if it has so many."""
FEWEST_LISTED = 5
LONGEST = 160
"""Characters of a change that its card and the plain list show."""
LONGEST_NAME = 200
_SURROGATE = lazy_re("[\ud800-\udfff]")
_SVG_STYLE = lazy_re(r"<style>(.*?)</style>", re.DOTALL)


class Report(NamedTuple):
    """What the page says besides source and ledger.

    ``language`` is a BCP 47 tag. ``units`` gives for each unit its phase, its fault in English and in Chinese, and
    the place of its rule. ``links`` are the editions, relative to the page.
    """

    name: str
    title: str = ""
    language: str = "zh-Hans"
    units: Mapping[str, tuple[str, str, str, str]] = {}
    links: Mapping[str, str] = {}

    @classmethod
    def of(
        cls, plan: Plan, name: str, title: str = "", language: str = "", links: Mapping[str, str] | None = None
    ) -> Report:
        """Make one with what a plan tells of its rules."""
        english, chinese = plan.faults(), plan.faults("zh")
        units = {u.id: (u.rule.phase, english[u.id], chinese[u.id], str(u.rule.place)) for u in plan.units}
        return cls(name, title, language or "zh-Hans", units, links or {})


def report_name(slug: str) -> str:
    """Give where the report of a work lies in its folder.

    >>> report_name("report")
    'changes/report.html'
    """
    return f"changes/{slug}.html"


@cache
def words() -> dict[str, dict[str, str]]:
    """Give what the page says by itself, in English and Chinese."""
    said: dict[str, dict[str, str]] = json.loads(data("report.json"))
    return said


class Room(NamedTuple):
    """What the review room adds to the page: words, markup at five places, a script, a style sheet, and its data."""

    words: Mapping[str, Mapping[str, str]]
    markup: Mapping[str, str]
    script: str
    style: str
    data: Mapping[str, Any]


def page(
    source_text: str, ledger: Ledger, report: Report, room: Room | None = None, told: Comparison | None = None
) -> str:
    """Write the page for a decoded source and its ledger; ``told`` is their comparison, if it is there already.

    Raises LedgerError if source and ledger do not fit. With a ``room`` the page may ask its own server, and there is
    no plain list in it.
    """
    told = told or compare(source_text, ledger)
    picture = _picture(source_text, ledger, report)
    content = _data(told, source_text, ledger, report, picture)
    language = "zh" if report.language.startswith("zh") else "en"
    said = words()
    if room:
        said = {key: {**said[key], **room.words[key]} for key in said}
        content |= {"words": said, "room": room.data}
    w = said[language]
    svg = _drawn(picture)
    script, style = data("report.js").decode(), data("report.css").decode() + (room.style if room else "")
    styles = [style, *_SVG_STYLE.findall(svg)]
    scripts = [script, *([room.script] if room else [])]
    markup = room.markup if room else {}
    parts = {
        "lang": "zh-Hans" if language == "zh" else "en",
        "policy": f"default-src 'none'; script-src {' '.join(map(_digest, scripts))}; "
        f"style-src {' '.join(map(_digest, styles))}; "
        + ("connect-src 'self'; " if room else "")
        + "base-uri 'none'; form-action 'none'",
        "style": style,
        "script": script,
        "name": plain(report.title or report.name, LONGEST_NAME),
        "source": plain(report.name, LONGEST_NAME),
        "numbers": _numbers(told, source_text, w),
        "chart": _chart(told, w),
        "about": _about(ledger, report, w),
        "picture": _picture_part(picture, svg, w),
        "plain": f"<p>{html.escape(w['needsScript'])}</p>" if room else _plain(told, source_text, report, w, language),
        "data": as_json(content),
        "room_script": f"<script>{room.script}</script>\n" if room else "",
        **{key: markup.get(key, "") for key in ("room", "room_switches", "room_side", "room_keys")},
    }
    template = re.sub(r"\{\{(room\w*)\}\}", lambda m: parts[m[1]], data("report.html").decode())
    template = re.sub(r"\{\{w:([\w-]+)\}\}", lambda m: html.escape(w[m[1]]), template)
    return re.sub(r"\{\{(\w+)\}\}", lambda m: parts[m[1]], template)


def page_data(source_text: str, ledger: Ledger, report: Report, told: Comparison) -> dict[str, Any]:
    """Give what a page that is open needs to show another state: its data, numbers, and the picture of moves."""
    picture = _picture(source_text, ledger, report)
    content = _data(told, source_text, ledger, report, picture)
    language = "zh" if report.language.startswith("zh") else "en"
    content["numbers"] = [[n, key] for n, key in _counted(told, source_text)]
    content["picture"] = _picture_part(picture, _drawn(picture), words()[language])
    return content


def plain(text: str, most: int = 0) -> str:
    r"""Give a text fit for markup, on one line; what does not print is named by its number.

    >>> plain("甲\u202e<b>\0\n乙"), plain("一二三四五六七八", 5)
    ('甲⟨202E⟩&lt;b&gt;⟨0000⟩ 乙', '一二…七八')
    """
    if most and len(text) > most:
        text = text[: most // 2] + "…" + text[len(text) - (most - 1) // 2 :]
    return html.escape("".join(" " if c in " \n\u3000" else c if c.isprintable() else f"⟨{ord(c):04X}⟩" for c in text))


def blanks(text: str, most: int = LONGEST) -> str:
    r"""Give the same with blanks that can be seen.

    >>> blanks("甲 \u3000\n")
    '甲␣□↵'
    """
    if len(text) > most:
        text = text[: most // 2] + "…" + text[len(text) - (most - 1) // 2 :]
    return plain(text.replace("\n", "↵").replace("\u3000", "□").replace(" ", "␣").replace("\t", "⇥"))


def as_json(value: object) -> str:
    r"""Write JSON that cannot end a script element, whatever stands in it; lone surrogates are escaped.

    >>> as_json("</script>\u2028<!--\ud800")
    '"\\u003c/script>\\u2028\\u003c!--\\ud800"'
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for sign in "<\u2028\u2029\x7f\x85\ufeff":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return _SURROGATE.sub(lambda m: f"\\u{ord(m.group()):04x}", text)


def style_policy(style: str) -> str:
    """Give the content security policy of a page that has one style sheet and nothing else."""
    return f"default-src 'none'; style-src {_digest(style)}; base-uri 'none'; form-action 'none'"


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


# --- data --------------------------------------------------------------------------------------------------


def _short(text: str) -> str | list[object]:
    """Give a text, or what is shown of a long one and its length."""
    if len(text) <= LONGEST:
        return text
    return [text[: LONGEST // 2] + "…" + text[-LONGEST // 2 :], len(text)]


def _op(p: Piece) -> object:
    if not p.entries and p.before == p.after:
        return p.before
    named: object = p.entries[0] if len(p.entries) == 1 else list(p.entries)
    return [named, p.before] if p.before == p.after else [named, p.before, p.after]


def _row(row: Sequence[Piece]) -> object:
    ops = [_op(p) for p in row]
    return ops[0] if len(ops) == 1 and isinstance(ops[0], str) else ops


def _data(
    told: Comparison, source_text: str, ledger: Ledger, report: Report, picture: MovePicture | None
) -> dict[str, Any]:
    units: dict[str, int] = {}
    reasons: dict[str, int] = {}
    entries = [
        [
            units.setdefault(e.unit, len(units)), KINDS.index(e.kind), e.line, e.column, _short(e.before),
            _short(e.after), reasons.setdefault(e.reason, len(reasons)), None if e.gain is None else round(e.gain, 2),
            e.round, e.field,
        ]
        for e in told.entries
    ]  # fmt: skip
    for m in told.marks:
        units.setdefault(m.unit, len(units))
    phases = {e.unit: e.phase for e in told.entries if e.phase}
    return {
        "language": report.language,
        "title": report.title or report.name,
        "words": words(),
        "kinds": KINDS,
        "units": [[u, *_unit(u, phases, report)] for u in units],
        "reasons": list(reasons),
        "entries": entries,
        "marks": [[m.row, m.kind, units[m.unit]] for m in told.marks],
        "continued": sorted(told.continued),
        "blocks": _block_entries(told.entries, source_text, picture) if picture else {},
        "rows": [_row(row) for row in told.rows],
    }


def _unit(unit: str, phases: Mapping[str, str], report: Report) -> tuple[str, str, str, str]:
    if unit in report.units:
        return report.units[unit]
    if unit == CANONICAL:
        return LAST_PHASE, words()["en"][CANONICAL], words()["zh"][CANONICAL], ""
    return phases.get(unit, ""), "", "", ""


def _block_entries(entries: Sequence[Entry], source_text: str, picture: MovePicture) -> dict[str, int]:
    """Give for each block of the picture the first entry that moved it."""
    source = Text.of(source_text)
    numbers = {(b.line, b.column): b.number for b in picture.blocks}
    found: dict[str, int] = {}
    for number, e in enumerate(entries):
        if e.kind == "move":
            start = source.lines[e.line - 1].start + e.column - 1
            while start < len(source_text) - 1 and source_text[start].isspace():
                start += 1
            block = numbers.get(source.place(start))
            if block is not None:
                found.setdefault(str(block), number)
    return found


# --- what stands in the page without a script ---------------------------------------------------------------


def _counted(told: Comparison, source_text: str) -> list[tuple[int, str]]:
    """Give the numbers at the head of the page, each with its word."""
    kinds = Counter(e.kind for e in told.entries)
    laid_out = sum(e.phase == LAST_PHASE for e in told.entries)
    changes = sum(n for k, n in kinds.items() if k not in SILENT) - laid_out
    shown = [(changes, "changes"), (kinds["suggestion"], "suggestions-n"), (kinds["captured"], "captured-n")]
    if laid_out:
        shown.append((laid_out, "layout-n"))
    return [*shown, (len(told.rows), "rows"), (len(source_text), "characters")]


def _numbers(told: Comparison, source_text: str, w: Mapping[str, str]) -> str:
    return "".join(
        f'<li><b>{n:,}</b> <span data-w="{key}">{w[key]}</span></li>' for n, key in _counted(told, source_text)
    )


def _chart(told: Comparison, w: Mapping[str, str]) -> str:
    """Draw how many entries of each kind stand where, from beginning to end."""
    total, at = max(1, sum(max(len(p.before), len(p.after)) for row in told.rows for p in row)), 0
    seen: set[int] = set()
    bins = [Counter[str]() for _ in range(BINS)]
    for row in told.rows:
        for p in row:
            for e in p.entries:
                if e not in seen:
                    seen.add(e)
                    bins[min(BINS - 1, at * BINS // total)][told.entries[e].kind] += 1
            at += max(len(p.before), len(p.after))
    most = max([1, *(sum(b.values()) for b in bins)])
    paths = []
    for kind in KINDS:
        boxes = []
        for i, b in enumerate(bins):
            if b[kind]:
                below = sum(b[k] for k in KINDS[: KINDS.index(kind)])
                y, h = 40 - 40 * (below + b[kind]) / most, 40 * b[kind] / most
                boxes.append(f"M{i * 5} {y:.2f}h4v{h:.2f}h-4z")
        paths.append(f'<path class="{kind}" d="{"".join(boxes)}"/>')
    return (
        f'<svg id="along" viewBox="0 0 {BINS * 5} 40" preserveAspectRatio="none" role="img" aria-labelledby="along-t">'
        f'<title id="along-t" data-w="along">{w["along"]}</title>{"".join(paths)}<path id="here" d=""/></svg>'
    )


def _about(ledger: Ledger, report: Report, w: Mapping[str, str]) -> str:
    d = ledger.decoding
    rows = [
        ("sourceFile", f"<bdi>{plain(report.name, LONGEST_NAME)}</bdi> · {ledger.source_size:,} B"),
        (
            "encoding",
            f'{plain(d.encoding, 80)}, <span data-w="confidence">{w["confidence"]}</span> {d.confidence:.2f}',
        ),
        ("evidence", "<br>".join(f'<span lang="en">{plain(e, 300)}</span>' for e in d.evidence[:20])),
        ("digest", f"<code>{plain(ledger.source_sha256, 80)}</code>"),
        ("rulebook", f"<code>{plain(ledger.rulebook_digest, 80)}</code>"),
        ("version", f"shanben {plain(ledger.version, 80)}"),
    ]
    facts = [
        f"<b>{plain(n.finding.field, 40)}</b> {plain(n.finding.value, LONGEST_NAME)} "
        f"<small>{n.line}:{n.column} · <code>{plain(n.unit, 80)}</code></small>"
        for n in ledger.notes
        if isinstance(n.finding, Capture)
    ]
    held = [
        f'<code>{plain(n.unit, 80)}</code> <span lang="en">{plain(n.finding.reason, 300)}</span>'
        for n in ledger.notes
        if isinstance(n.finding, Held)
    ]
    rows += [("facts", "<br>".join(facts[:100])), ("held", "<br>".join(held[:100]))]
    links = " · ".join(f'<a href="{html.escape(href)}">{plain(name)}</a>' for name, href in report.links.items())
    rows.append(("editions", links))
    return "".join(f'<dt data-w="{key}">{w[key]}</dt><dd>{value}</dd>' for key, value in rows if value)


def _picture(source_text: str, ledger: Ledger, report: Report) -> MovePicture | None:
    """Give what was moved, if anything was, or was thought of."""
    moved = any(c.to is not None for p in ledger.passes for c in p.changes)
    if not moved and not any(isinstance(n.finding, Suggestion) for n in ledger.notes):
        return None
    from shanben.moves import UNIT, moves_of

    thought = any(n.unit == UNIT and isinstance(n.finding, Suggestion) for n in ledger.notes)
    return moves_of(source_text, ledger, name=report.title or report.name) if moved or thought else None


def _drawn(picture: MovePicture | None) -> str:
    if picture is None:
        return ""
    from shanben.moves import to_svg

    return to_svg(picture)


def _picture_part(picture: MovePicture | None, svg: str, w: Mapping[str, str]) -> str:
    if picture is None:
        return ""
    return (
        f'<details id="moved" class="panel"><summary><span data-w="moved">{w["moved"]}</span> '
        f'<small lang="en">{html.escape(picture.headline())}</small></summary>'
        f'<div id="moves-list" class="js"></div>'
        f'<div class="drawn" lang="en" role="region" tabindex="0" aria-label="{w["picture"]}" data-w-label="picture">{svg}</div></details>'
    )


def _plain(told: Comparison, source_text: str, report: Report, w: Mapping[str, str], language: str) -> str:
    """Write the list for those without JavaScript: by rule, each place with what stands around it."""
    if not told.entries:
        return f"<p>{w['unchanged']}</p>"
    phases = {e.unit: e.phase for e in told.entries if e.phase}
    groups: dict[tuple[str, bool], list[Entry]] = {}
    for e in told.entries:
        groups.setdefault((e.unit, e.kind in SILENT), []).append(e)
    most = max(len(g) for g in groups.values())
    room = max(FEWEST_LISTED, MOST_LISTED // len(groups))
    source = Text.of(source_text)
    table, lists = [], []
    for (unit, _), found in groups.items():
        fault = _unit(unit, phases, report)[2 if language == "zh" else 1]
        bar = f'<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect width="{100 * len(found) / most:.1f}" height="6"/></svg>'
        table.append(
            f"<tr><td><code>{plain(unit, 80)}</code></td><td>{w[found[0].kind]}</td><td>{len(found):,}</td><td>{bar}</td></tr>"
        )
        limit = len(found) if len(told.entries) <= MOST_LISTED else room
        items = "".join(_plain_item(e, source, w) for e in found[:limit])
        left = f"<p>{html.escape(w['leftOut'].format(n=f'{len(found) - limit:,}'))}</p>" if len(found) > limit else ""
        lists.append(
            f"<h3><code>{plain(unit, 80)}</code> ×{len(found):,}</h3><p>{plain(fault, 300)}</p><ol>{items}</ol>{left}"
        )
    head = f"<tr><th>{w['rule']}</th><th>{w['kinds']}</th><th>{w['count']}</th><th></th></tr>"
    return f'<h2>{w["list"]}</h2><table class="counts">{head}{"".join(table)}</table>{"".join(lists)}'


def _plain_item(e: Entry, source: Text, w: Mapping[str, str]) -> str:
    line = source.lines[min(e.line, len(source.lines)) - 1]
    at = line.start + e.column - 1
    left = plain(source.content[max(line.start, at - 12) : at])
    end = at + len(e.before)
    right = plain(source.content[end : min(max(end, line.end), end + 12)]) if e.kind != "captured" else ""
    if e.kind == "captured":
        change = f"<b>{plain(e.field, 40)}</b> {blanks(e.before)}"
    elif e.kind == "move":
        change = f"<mark>{plain(e.before, LONGEST)}</mark> <small>{w['move']}</small>"
    else:
        old = f"<del>{blanks(e.before)}</del>" if e.before else ""
        new = f"<ins>{blanks(e.after)}</ins>" if e.after else ""
        change = f"{old}{new}" if e.kind not in SILENT else f"<mark>{blanks(e.before)}</mark> → ? {blanks(e.after)}"
    told = [plain(e.reason, 300)] if e.reason else []
    if e.gain is not None:
        told.append(f"{e.gain:.1f} {w['nats']}")
    why = f' <small lang="en">{"; ".join(told)}</small>' if told else ""
    return f"<li><small>{e.line}:{e.column}</small> <bdi>{left}{change}{right}</bdi>{why}</li>"
