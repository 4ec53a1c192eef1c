"""Lint that runs one rule on known texts: its examples, what its exceptions are for, what it may spoil."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from shanben.errors import ShanbenError
from shanben.ledger import Change, Finding, Held, apply_changes
from shanben.rulebook.apply import UNTOUCHABLE, Unit, content_of, findings, pattern_of
from shanben.rulebook.known_texts import Known, Library, changes, lint_unit, run, touch
from shanben.rulebook.lint_codes import CODES, Complaint, Complaints
from shanben.rulebook.lint_patterns import complaint, is_lossy, lossy_characters
from shanben.rulebook.load import Written
from shanben.rulebook.pattern_tree import PROBES
from shanben.rulebook.schema import Rule, When, Where
from shanben.rulebook.strict_yaml import Items, Scalar, shown
from shanben.values import Guard, Span, Text, overlaps

MANY = 3
"""So many texts of other rules a rule must spoil to count as greedy."""
MARK_PHASES = ("layout", "punctuation", "works")
"""Phases whose rules may change marks inside of numbers, addresses and the like without meaning to."""


# --- A rule and its own texts ------------------------------------------------------------------------------


def check_own(written: Written, library: Library) -> Complaints:
    """Find examples on which a rule does nothing, and results on which it acts again."""
    rule = written.rule
    if rule.kind == "protect":
        yield from _check_protect(written, library.known.guards)
        return
    unit = library.units[rule.id]
    for example in rule.examples:
        text = Text(example.before, guards=library.known.guards)
        found = run(unit, text)
        if not found:
            reason = next((f.reason for f in _safely(unit, text) if isinstance(f, Held)), "")
            words = f"the rule does nothing with its own example {shown(example.before)}"
            words += f": it is held back, since {reason}" if reason else ""
            yield Complaint("L201", rule.id, example.place, words, CODES["L201"].fix)
    yield from _check_rest(written, unit, library.known)


def _safely(unit: Unit, text: Text) -> list[Finding]:
    try:
        return findings(unit, text)
    except ShanbenError:
        return []


def _check_protect(written: Written, guards: Mapping[str, Guard]) -> Complaints:
    rule = written.rule
    pattern = pattern_of(rule)
    for example in rule.examples:
        spans = [m.span() for m in pattern.finditer(example.before, timeout=5.0)]
        if not any(example.after in example.before[start:end] for start, end in spans):
            words = f"the pattern does not find {shown(example.after)} in its own example"
            yield Complaint("L201", rule.id, example.place, words, CODES["L201"].fix)


def _check_rest(written: Written, unit: Unit, known: Known) -> Complaints:
    rule = written.rule
    texts = [(known.add(e.before), e.place) for e in rule.examples]
    if rule.kind != "step":
        texts += [(n, written.place("match")) for n in known.hits(unit)]
    for number, place in texts:
        first = changes(known.found(unit, number))
        if not first:
            continue
        result = apply_changes(known.texts[number].content, first, unit=rule.id)
        again = changes(run(unit, Text(result, guards=known.guards)))
        if any(touch(a, made) for a in again for made in _made(first)):
            words = f"{shown(known.texts[number].content)} becomes {shown(result)}, which the rule changes again"
            yield Complaint("L202", rule.id, place, words, CODES["L202"].fix)
            return


def _made(first: Sequence[Change]) -> list[Span]:
    """Give where the texts stand that changes have put in, in the new text."""
    spans, shift = [], 0
    for c in first:
        if c.to is None:
            spans.append(Span(c.start + shift, c.start + shift + len(c.after)))
            shift += len(c.after) - len(c.before)
    return spans


# --- Exceptions that change nothing ------------------------------------------------------------------------


def check_exceptions(written: Written, library: Library) -> Complaints:
    """Find contexts, conditions and spans without which the rule would do the same in all known texts."""
    rule = written.rule
    if rule.id not in library.units:
        return
    for key in ("before", "after"):
        if key not in written.patterns:
            continue
        free = rule._replace(before="") if key == "before" else rule._replace(after="")
        if not _differs(rule, free, library):
            made_up = next(_spared(rule, free, key, library), "")
            words = f"no known text shows what `{key}` is for"
            fix = f"add a `keep` such as {_quoted(made_up)}" if made_up else f"{_ADD_KEEP}, or remove `{key}`"
            yield complaint("L302", written, key, words, fix=fix)
    if rule.when != When() and not _differs(rule, rule._replace(when=When()), library):
        yield complaint("L303", written, "when", "no known text shows what `when` is for")
    entry = written.entries.get("outside")
    items = entry.value.items if entry and isinstance(entry.value, Items) else ()
    for item in items:
        # A redaction no rule may touch anyway; to name it spares the suggestion.
        if isinstance(item, Scalar) and item.value in library.known.guards and item.value != UNTOUCHABLE:
            # Texts that are made up are short: they would seldom meet `when` and `where`.
            bare = rule._replace(when=When(), where=Where())
            free = bare._replace(outside=tuple(k for k in rule.outside if k != item.value))
            if not _differs(bare, free, library, _inside_spans(free, item.value, library)):
                words = f"`outside: [{item.value}]` changes nothing in any text, known or made up"
                yield Complaint("L301", rule.id, item.place, words, CODES["L301"].fix)


_ADD_KEEP = "add a `keep` in which only the context is wrong"


def _quoted(text: str) -> str:
    """Write a text as YAML wants it."""
    return json.dumps(text, ensure_ascii=False) if "\n" in text else "'" + text.replace("'", "''") + "'"


def _spared(rule: Rule, free: Rule, key: str, library: Library) -> Iterator[str]:
    """Make texts that the rule leaves alone for the sake of one context only, from its own examples."""
    one, two = lint_unit(rule), lint_unit(free)
    for example in rule.examples:
        found = pattern_of(rule).search(example.before)
        for made in _changed_around(example.before, found.span(), key) if found else ():
            text = Text(made, guards=library.known.guards)
            if run(two, text) and not run(one, text):
                yield made


def _changed_around(content: str, span: tuple[int, int], key: str) -> Iterator[str]:
    """Put other characters before or after a stretch of a text, in the place of what is there or beside it."""
    head, hit, tail = content[: span[0]], content[span[0] : span[1]], content[span[1] :]
    for sign in ("A", "1", " ", "，", "甲", "", *PROBES):
        if key == "before":
            yield from (head[:-1] + sign + hit + tail, head + sign + hit + tail)
        else:
            yield from (head + hit + sign + tail[1:], head + hit + sign + tail)
    yield content + content
    yield hit + content


def _differs(rule: Rule, other: Rule, library: Library, more: Iterable[str] = ()) -> bool:
    """Tell whether two forms of a rule find different things in some known text, or in one of ``more``."""
    known, is_known = library.known, rule is library.rules[rule.id]
    one, two = lint_unit(rule), lint_unit(other)
    for content in chain((k.text for k in rule.keep), (e.before for e in rule.examples), more):
        text = Text(content, guards=known.guards)
        if run(one, text) != run(two, text):
            return True
    if rule.kind == "step":
        return False
    for number in known.fits(other):
        text = known.texts[number]
        if (known.found(one, number) if is_known else run(one, text)) != run(two, text):
            return True
    return False


ENVELOPES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "url": (("http://www.example.com/", ""), ("http://www.example.com/", "/b")),
    "email": (("", "@example.com"), ("a", "b@example.com")),
    "code": (("`", "`"), ("`f(", ")`"), ("```\n", "\n```"), ("```\nf(", ");\n```")),
    "number": (("1", "000"), ("1", "5"), ("1,234", ",567")),
    "time": (("10", "30"), ("", "30:15")),
    "ratio": (("3", "1"),),
    "english": (
        ("This is the ", " of the first part"),
        ("This is the", " of the first part"),
        ("and so on ", ""),
        ("and so on", ""),
    ),
    "reference": (("[1] 张三. ", "[M]. 北京: 某某书局, 1980."), ("[1] 张三. 语言史[M]. ", ": 某某书局, 1980.")),
}
"""What stands before and after a piece of text that shall be inside of a span of the shipped kinds."""
_CONTEXTS = ("", "甲", "a", "1", " ", "’", "”", "）", ")", "%", "，", "(", "“", "\n")


MOST_PIECES = 60


def _inside_spans(free: Rule, kind: str, library: Library) -> Iterator[str]:
    """Put what the rule changes into spans of a kind; give the texts in which it then stands inside of one."""
    guard = library.known.guards[kind]
    pattern = pattern_of(free) if free.match else None
    for made in _made_up(free, kind, library):
        hits = [Span(*m.span()) for m in pattern.finditer(made)] if pattern else []
        if not pattern or (hits and any(overlaps(sorted(guard(made)), h.start, h.end) for h in hits)):
            yield made


def _made_up(free: Rule, kind: str, library: Library) -> Iterator[str]:
    spans = [(e.before, e.after) for r in library.rules.values() if r.protect == kind for e in r.examples][:6]
    whole = [e.before for e in free.examples if len(e.before) <= 60][:6]
    yield from (text for piece in whole for text in _enclosed(piece, kind, spans))
    for example in free.examples[:4] if free.match else ():
        found = pattern_of(free).search(example.before)
        if found is None:
            continue
        head, tail = example.before[: found.start()], example.before[found.end() :]
        for piece in list(_changed_pieces(free, example.before))[:MOST_PIECES]:
            yield from _enclosed(piece, kind, spans)
        for before in _CONTEXTS:
            for opening, closing in ENVELOPES.get(kind, ()):
                yield head + opening + before + found[0] + closing + tail
                yield head + opening + before + found[0] + tail


def _enclosed(piece: str, kind: str, spans: Sequence[tuple[str, str]]) -> Iterator[str]:
    for head, tail in ENVELOPES.get(kind, ()):
        yield head + piece + tail
        yield f"甲{head}{piece}{tail}乙"
    for content, span in spans:
        for at in range(0, len(span) + 1, max(1, len(span) // 12)):
            yield content.replace(span, span[:at] + piece + span[at:])


def _changed_pieces(rule: Rule, content: str) -> Iterator[str]:
    """Give what the pattern of a rule fits, with one and two characters around, and with others around."""
    pattern = pattern_of(rule)
    if found := pattern.search(content):
        for around in (0, 1, 2):
            yield content[max(0, found.start() - around) : found.end() + around]
        for before in _CONTEXTS:
            for after in _CONTEXTS:
                if pattern.search(made := before + found[0] + after):
                    yield made


# --- What a rule may spoil ---------------------------------------------------------------------------------


def check_losses(written: Written, library: Library) -> Complaints:
    """Find signs that lose their meaning, and marks that change inside of numbers, addresses and the like."""
    rule = written.rule
    unit = library.units.get(rule.id)
    if unit is None or rule.kind == "step" or (rule.replace is None and not rule.replace_each and not rule.remove):
        return
    if rule.remove:
        yield from _greedy(written, unit, library)
    if rule.replace is not None:
        yield from _lossy(written, library)
    if rule.phase in MARK_PHASES and rule.remove != "line" and not rule.mark:
        yield from _unguarded(written, unit, library)


def _greedy(written: Written, unit: Unit, library: Library) -> Complaints:
    """Find rules that take letters from texts which others keep; one or two such texts `rules test` tells of."""
    kept = {t for r in library.rules.values() if r.id != unit.id and library.meet(r, unit.rule) for t in _to_keep(r)}
    hit = []
    for content in sorted(kept):
        done = changes(library.known.found(unit, library.known.add(content)))
        if any(content_of(c.before) != content_of(c.after) for c in done):
            hit.append(content)
    if len(hit) >= MANY:
        words = f"it takes letters from {len(hit)} of {len(kept)} texts that other rules keep, such as {shown(hit[0])}"
        yield complaint("L405", written, "match", words)


def _to_keep(rule: Rule) -> list[str]:
    if rule.kind in ("protect", "step"):
        return []
    return [k.text for k in rule.keep] + [e.clean for e in rule.examples]


def _lossy(written: Written, library: Library) -> Complaints:
    free = lint_unit(written.rule._replace(outside=(), where=Where(), when=When()))
    signs = lossy_characters()
    content = "\n".join(text for sign in sorted(signs) for text in (sign, f"甲{sign}乙", f"1{sign}2"))
    for c in changes(run(free, Text(content, guards=library.known.guards))):
        for sign in sorted(signs.intersection(c.before)):
            if is_lossy(sign, c.after.replace(c.before.replace(sign, ""), "", 1)):
                words = f"{shown(c.before)} becomes {shown(c.after)}, as NFKC does it"
                yield complaint("L401", written, "replace", words)
                return


PLAIN_HAZARDS: Mapping[str, tuple[str, ...]] = {
    "number": ("1,234", "3.14"),
    "time": ("10:30", "8:05"),
    "ratio": ("3:1",),
    "date": ("2020-08-18", "2020/8/18", "2020.8.18"),
    "url": ("http://x.cn/a,b;c?d=1:2", "www.example.com/a-b"),
    "email": ("a.b-c@example.com",),
    "code": ('`f(a, b); x[1] = "c"`',),
    "range": ("3-5", "3~5", "A-B", "2017-2019"),
    "file": ("a.txt", "C:\\a", "x/y"),
}
"""Texts in which a half-width mark is no punctuation, by the span that holds them or a word for their kind."""


def _unguarded(written: Written, unit: Unit, library: Library) -> Complaints:
    """Find spans inside of which the rule changes something that its own examples do not mean."""
    rule = written.rule
    hits: dict[str, str] = {}
    for kind, span in _hazards(library):
        if kind in rule.outside or kind in hits or any(span in e.before for e in rule.examples):
            continue
        for content in (span, f"甲{span}乙", f"甲，{span}，乙", f"（{span}）"):
            at = content.index(span)
            text = Text(content, guards=library.known.guards)
            hit = next((c for c in changes(run(unit, text)) if _inside(c, Span(at, at + len(span)), text, kind)), None)
            if hit:
                hits[kind] = f"{shown(hit.before)} in {shown(span)} ({kind}) would become {shown(hit.after)}"
                break
    if hits:
        spans = ", ".join(kind for kind in hits if kind in library.known.guards)
        narrow = "narrow `before` and `after`"
        fix = f"add `outside: [{', '.join(filter(None, (*rule.outside, spans)))}]`, or {narrow}" if spans else narrow
        key = "match" if rule.match else "replace-each"
        yield complaint("L404", written, key, "; ".join(hits.values()), fix=fix)


def _inside(change: Change, span: Span, text: Text, kind: str) -> bool:
    """Tell whether a change lies within a span; where the kind is declared, within one that is found."""
    if change.start >= span.end or change.start + len(change.before) <= span.start:
        return False
    if change.start <= span.start and change.start + len(change.before) >= span.end:
        return False  # the rule is about such spans as a whole
    if kind in text.guards:
        return overlaps(text.protected(kind), change.start, change.start + len(change.before))
    return change.start > span.start and change.start + len(change.before) < span.end


def _hazards(library: Library) -> Iterator[tuple[str, str]]:
    for kind, spans in PLAIN_HAZARDS.items():
        for span in spans:
            yield kind, span
    for rule in library.rules.values():
        if rule.protect and rule.protect != UNTOUCHABLE:
            for example in rule.examples:
                yield rule.protect, example.after
