"""Lint that needs only the rule itself: what its patterns say, what its replacement loses, what it leaves unsaid."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache

import regex

from shanben.lazy import lazy_regex
from shanben.rulebook.backtracking import slow_parts
from shanben.rulebook.lint_codes import CODES, Complaint, Complaints
from shanben.rulebook.load import Written
from shanben.rulebook.pattern_tree import (
    FLAGS,
    NO_END,
    PROBES,
    Atom,
    Edge,
    Look,
    Node,
    Repeat,
    can_be_nothing,
    children,
    literal_runs,
    parse,
    parts,
    show,
    taken,
)
from shanben.rulebook.patterns import full_pattern
from shanben.rulebook.schema import PHASES, Rule, When, Where
from shanben.rulebook.strict_yaml import Items, Pairs, Scalar, shown

CONTEXT = ("match", "before", "after")
_LETTER = lazy_regex(r"[\p{L}\p{N}]")
_DIGIT = lazy_regex(r"\p{N}")
_HAN = lazy_regex(r"\p{Han}")
_LINE_END = lazy_regex(r"\\n|\\r|\\R|\n|\\x0a|\\u000a", regex.IGNORECASE)
_DOT_ALL = lazy_regex(r"\(\?[a-zA-Z]*s[a-zA-Z]*(?:-[a-z]*)?[:)]")
_WORD = lazy_regex(r"(?<!\\)(?:\\\\)*(?P<sign>\\[wW])")


def complaint(code: str, written: Written, key: str, words: str, *, at: int | None = None, fix: str = "") -> Complaint:
    """Make a complaint at a key of a rule, or ``at`` a character of the pattern under that key."""
    return Complaint(code, written.rule.id, written.place(key, at), words, fix or CODES[code].fix)


def check_pattern(written: Written) -> Complaints:
    """Look through the patterns of one rule."""
    for key in (*CONTEXT, "has", "lacks"):
        if key in written.patterns:
            yield from _words_and_edges(written, key)
    for key in CONTEXT:
        if key in written.patterns:
            yield from _line_crossings(written, key)
    yield from _always_true(written)
    rule = written.rule
    if rule.mark and rule.match and (found := regex.search(full_pattern(rule), "", FLAGS)):
        words = f"`match` fits an empty line, so every empty line would be marked as {rule.mark.kind}"
        yield complaint("L104", written, "match", words, at=found.start())
    yield from _slow(written)


def _words_and_edges(written: Written, key: str) -> Complaints:
    pattern = written.patterns[key].text
    for node in parts(parse(pattern)):
        if isinstance(node, Edge) and node.written in (r"\b", r"\B"):
            words = rf"`{key}`: {node.written} takes Han characters for letters, so there is no edge in 增长GDP"
            yield complaint("L102", written, key, words, at=node.start)
        elif isinstance(node, Atom) and (found := _WORD.search(node.written)):
            words = f"`{key}`: {found['sign']} means Han characters and full-width letters too"
            yield complaint("L103", written, key, words, at=node.start + found.start("sign"))


def _line_crossings(written: Written, key: str) -> Complaints:
    pattern = written.patterns[key].text
    tree = parse(pattern)
    dots = bool(_DOT_ALL.search(pattern))
    for room, is_look in _rooms(tree, key != "match"):
        aware = any(_LINE_END.search(a.written) and "\n" in a.takes for a in taken(room))
        for atom, most in _with_repeats(room, 1):
            part = shown(show(atom, pattern))
            if atom.takes.issuperset(PROBES) or (dots and atom.written == "."):  # [\s\S], [^\x00]
                if most >= NO_END:
                    words = f"`{key}`: {part} without a bound runs over all lines, to the end of the text"
                    yield complaint("L101", written, key, words, at=atom.start)
            elif "\n" in atom.takes and not aware and (most > 1 or not is_look):
                words = f"`{key}`: {part} takes line ends too, so a match may run into the next line"
                yield complaint("L101", written, key, words, at=atom.start)


def _rooms(tree: Node, is_look: bool) -> Iterator[tuple[Node, bool]]:
    """Give the pattern and each look-around in it: each is read as a place of its own."""
    yield tree, is_look
    for node in parts(tree):
        if isinstance(node, Look) and not node.negative:
            yield node.body, True


def _with_repeats(node: Node, most: int) -> Iterator[tuple[Atom, int]]:
    """Give the atoms that a part takes, and how often each may be taken at the most."""
    if isinstance(node, Atom):
        yield node, most
    elif not isinstance(node, Look):
        most *= node.high if isinstance(node, Repeat) else 1
        for inner in children(node):
            yield from _with_repeats(inner, most)


def _always_true(written: Written) -> Complaints:
    """Find contexts and conditions that hold at every place of any text."""
    for key in ("before", "after", "has"):
        if key in written.patterns and can_be_nothing(parse(written.patterns[key].text)):
            yield complaint("L107", written, key, f"`{key}` holds everywhere: it can be nothing at all", at=0)


def _slow(written: Written) -> Complaints:
    rule = written.rule
    for key in ("has", "lacks"):
        if key in written.patterns:
            yield from _slow_in(written, key, written.patterns[key].text, 0)
    if rule.match:
        start = len("(?<=(?:") + len(rule.before) + len("))") if rule.before else 0
        yield from _slow_in(written, "match", full_pattern(rule), start + len("(?:"))


def _slow_in(written: Written, key: str, pattern: str, start: int) -> Complaints:
    for part in slow_parts(pattern):
        at, where = part.start - start, key
        if key == "match" and at < 0:
            where, at = "before", part.start - len("(?<=(?:")
        elif key == "match" and at > len(written.rule.match):
            where, at = "after", at - len(written.rule.match) - len(")(?=(?:")
        text = shown(part.text * 3 + "…")
        if part.endless:
            words = f"`{where}`: {shown(part.part)} tries ways without end on a text such as {text}"
        else:
            words = f"`{where}`: {shown(part.part)} takes ever longer on a long text such as {text}"
        yield complaint("L105" if part.endless else "L106", written, where, words, at=max(0, at))


# --- What a rule says beside its pattern -------------------------------------------------------------------


def check_said(written: Written, by_id: Mapping[str, Rule]) -> Complaints:
    """Look through what one rule says of itself."""
    rule = written.rule
    yield from _order(written, by_id)
    yield from _twice_kept(written)
    if rule.kind != "protect" and not is_near_kept(rule):
        words = "there is no `keep`" if not rule.keep else "no text under `keep` comes near the pattern"
        yield complaint("L501", written, "keep" if rule.keep else "match", words)
    edits = rule.replace is not None or rule.replace_each or rule.remove or rule.step
    if edits and not rule.fault_zh and not _HAN.search(rule.fault):
        yield complaint("L502", written, "fault", "there is no `fault-zh`")
    if takes_letters(rule) and rule.level == "fix":
        if not rule.why:
            yield complaint("L503", written, "remove", "letters are taken away, but no `why` says on what grounds")
        bounded = rule.where != Where() or rule.when != When() or rule.limit.drop or rule.limit.hits
        if not bounded and not _is_anchored(rule):
            words = "letters are taken away wherever the pattern fits"
            yield complaint("L504", written, "remove", words)


def _order(written: Written, by_id: Mapping[str, Rule]) -> Complaints:
    entry = written.entries.get("order")
    node = entry.value.entries.get("after") if entry and isinstance(entry.value, Pairs) else None
    for said in node.value.items if node and isinstance(node.value, Items) else ():
        other = by_id.get(said.value) if isinstance(said, Scalar) else None
        if other and other.phase in PHASES and other.phase != written.rule.phase:
            words = f"'{other.id}' runs in the phase {other.phase}, before all of {written.rule.phase}"
            if PHASES.index(other.phase) < PHASES.index(written.rule.phase):
                yield Complaint("L208", written.rule.id, said.place, words, CODES["L208"].fix)


def _twice_kept(written: Written) -> Complaints:
    seen: set[str] = set()
    for keep in written.rule.keep:
        if keep.text in seen:
            words = f"{shown(keep.text)} stands already under `keep`"
            yield Complaint("L304", written.rule.id, keep.place, words, CODES["L304"].fix)
        seen.add(keep.text)


def takes_letters(rule: Rule) -> bool:
    """Tell whether a rule takes letters, Han characters or digits away, as its own examples show."""
    if not rule.remove:
        return False
    return any(_content(e.before) != _content(e.after) for e in rule.examples)


def _content(text: str) -> str:
    return "".join(_LETTER.findall(text))


def _is_anchored(rule: Rule) -> bool:
    written = regex.sub(r"\\.", "", rule.before + rule.match + rule.after)
    return "^" in regex.sub(r"\[\^", "[", written) or "$" in written or r"\A" in rule.match or r"\Z" in rule.match


def is_near_kept(rule: Rule) -> bool:
    """Tell whether a text under `keep` comes near the pattern: has what a match begins with or is made of."""
    if not rule.keep:
        return False
    tree = parse(rule.match)
    if not rule.match or _always_fits(rule, tree):
        return True
    return any(_is_near(rule, tree, keep.text) for keep in rule.keep)


def _always_fits(rule: Rule, tree: Node) -> bool:
    """Tell whether every text that has one certain character is a hit, so that no other comes near."""
    free = not (rule.before or rule.after or rule.outside or rule.when != When() or rule.where != Where())
    return free and isinstance(tree.body if isinstance(tree, Repeat) else tree, Atom)


def _is_near(rule: Rule, tree: Node, text: str) -> bool:
    if regex.search(rule.match, text, FLAGS):
        return True
    runs = [run for run in literal_runs(tree) if run.strip()]
    long = [run for run in runs if len(run) > 1]
    if any(run in text for run in long or runs):
        return True
    narrow = [atom for atom in taken(tree) if 0 < len(atom.takes) <= 12]
    if all("".join(atom.takes).isspace() for atom in narrow):
        return any(c.isspace() for c in text)  # a rule for blanks: of another kind, or at another place
    return any(regex.search(atom.written, text, FLAGS) for atom in narrow if not "".join(atom.takes).isspace())


# --- What a replacement loses ------------------------------------------------------------------------------

_FORMS = ("<circle>", "<super>", "<sub>", "<square>", "<fraction>", "<font>")
_LIGATURES = range(0xFB00, 0xFB50)
_LOSSY_CANDIDATES = [
    *range(0xB2, 0xC0), *range(0x2025, 0x2027), *range(0x2070, 0x20A0), *range(0x2100, 0x218A),
    *range(0x2460, 0x24FF), *range(0x3200, 0x3400),
]  # fmt: skip


def is_lossy(character: str, becomes: str) -> bool:
    """Tell whether a character that becomes these ones loses what it meant: ① 1, ㎡ m2, … ..., but not Ａ A.

    >>> is_lossy("①", "1"), is_lossy("Ａ", "A"), is_lossy("⼈", "人"), is_lossy("…", "...")
    (True, False, False, True)
    """
    form = unicodedata.decomposition(character).partition(" ")[0]
    if not form.startswith("<") or unicodedata.normalize("NFKC", character) != becomes or ord(character) in _LIGATURES:
        return False
    if form in _FORMS:
        return True
    return form == "<compat>" and (len(becomes) > 1 or 0x2100 <= ord(character) < 0x2190)


@lru_cache(maxsize=1)
def lossy_characters() -> frozenset[str]:
    """Give signs that NFKC would spoil, to try rules on."""
    return frozenset(c for c in map(chr, _LOSSY_CANDIDATES) if is_lossy(c, unicodedata.normalize("NFKC", c)))


def check_replace_each(written: Written) -> Complaints:
    """Look through a table of replacements."""
    node = written.entries.get("replace-each")
    places = node.value.entries if node and isinstance(node.value, Pairs) else {}
    for key, value in written.rule.replace_each.items():
        if len(key) == 1 and is_lossy(key, value):
            words = f"{shown(key)} becomes {shown(value)}, as NFKC does it"
            place = places[key].value.place if key in places else written.rule.place
            yield Complaint("L401", written.rule.id, place, words, CODES["L401"].fix)


def check_blanks(written: Written) -> Complaints:
    """Find rules that mend blanks by their examples, but could take letters."""
    rule = written.rule
    if rule.invariant or not rule.match or rule.kind not in ("replace", "remove") or rule.remove == "line":
        return
    if rule.replace and ("\\" in rule.replace or rule.replace.strip()):
        return
    if not all("".join(e.before.split()) == "".join(e.after.split()) for e in rule.examples):
        return
    for atom in taken(parse(rule.match)):
        letters = sorted(c for c in atom.takes if _LETTER.match(c))
        if letters:
            part = shown(show(atom, rule.match))
            words = f"the examples change blanks only, but {part} would take {shown(letters[-1])} as well"
            yield complaint("L402", written, "match", words, at=atom.start)
            return


def check_digits(written: Written) -> Complaints:
    """Find rules that change digits and give no reason."""
    rule = written.rule
    if rule.remove or rule.why or rule.invariant or rule.level != "fix" or rule.kind not in ("replace", "step"):
        return
    for example in rule.examples:
        before, after = ("".join(_DIGIT.findall(t)) for t in (example.before, example.after))
        if after and before != after:
            words = f"the digits {shown(before)} become {shown(after)}, and no `why` says on what grounds"
            yield Complaint("L403", rule.id, example.place, words, CODES["L403"].fix)
            return
