"""What `shanben rules lint` can complain about: each code with its level, its cause and the way out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from shanben.rulebook.schema import Place
from shanben.rulebook.strict_yaml import Fault

FaultLevel = Literal["error", "warning", "info"]
FAULT_LEVELS: tuple[FaultLevel, ...] = ("error", "warning", "info")
"""From the gravest to the slightest."""


@dataclass(frozen=True, slots=True)
class Code:
    """What one code means: how grave it is, what is wrong, and what to do."""

    level: FaultLevel
    cause: str
    fix: str


CODES: Mapping[str, Code] = {
    # What a pattern says
    "L101": Code(
        "warning",
        r"a part of the pattern runs over the line end (`\s`, `[^…]`, `(?s).`), though nothing says that it should",
        r"write `[ \t\u3000]` for blanks and put `\n` into `[^…\n]`; name `\n` where the line end is meant",
    ),
    "L102": Code(
        "error",
        r"`\b` or `\B` in a pattern for Chinese text: Han characters are letters to it, so `\bGDP` misses 增长GDP",
        r"say which characters may not stand there: `(?<![A-Za-z0-9])` before, `(?![A-Za-z0-9])` after",
    ),
    "L103": Code(
        "warning",
        r"`\w` or `\W` in a pattern for Chinese text: Han characters are letters to it",
        r"write `[A-Za-z0-9_]`, or `\p{Han}` where Chinese is meant",
    ),
    "L104": Code(
        "error",
        "the pattern of a mark fits an empty line, so it would mark every line",
        "let it take or look at least at one character of the line",
    ),
    "L105": Code(
        "error",
        "the pattern tries a number of ways that explodes with the length of the text; it would be stopped half-way",
        "let each character fit only one of the repeated parts, bound the repeat ({1,40}), or make it possessive (++)",
    ),
    "L106": Code(
        "warning",
        "the time of the pattern grows with the square of the length of a line",
        "bound the repeat ({1,200}), anchor it with ^, or begin the pattern with a character that is rare",
    ),
    "L107": Code(
        "warning",
        "`before`, `after` or `when: has` holds at every place, since it can be nothing at all",
        "let it take at least one character, or remove it",
    ),
    "L108": Code(
        "warning",
        "nothing tells without trying the pattern that a text cannot hold it, so the rule looks at every text",
        "let it name a character or a word that must be there, or list the characters of a class one by one",
    ),
    "L109": Code(
        "info",
        "the rule looks at clean prose, and reads less than 500 MB of it in a second",
        "begin the pattern with a character that is rare, or anchor it with ^ and a rare first character",
    ),
    # What a rule does to its own texts
    "L201": Code(
        "error",
        "the rule does nothing with a text of its own examples",
        "correct the example or the pattern; `shanben rules test` shows what comes out",
    ),
    "L202": Code(
        "error",
        "the rule fires on its own result, so a second run changes the text again",
        "let the pattern leave out what the replacement makes, with `before`, `after` or (?!…)",
    ),
    # Rules among each other
    "L203": Code(
        "error",
        "the rule is shadowed: an earlier rule of the phase changes each of its examples so that nothing is left to do",
        "remove one of the two, narrow the earlier one, or let this one run first (`order: {after: […]}` in the other)",
    ),
    "L204": Code(
        "warning",
        "another rule of the phase makes every change that this one makes, in every known text",
        "remove this one, or give an example that only it mends",
    ),
    "L205": Code(
        "error",
        "two rules fight: one changes back what the other has changed",
        "decide which of the two is right and remove the other, or keep them apart with `before`, `after` or `outside`",
    ),
    "L206": Code(
        "error",
        "two rules of a phase want the same stretch of a text, the outcome depends on which runs first, and none says so",
        "say which comes first with `order: {after: […]}`, or narrow one of them",
    ),
    "L207": Code("error", "the same pattern as another rule of the phase", "make one rule of the two"),
    "L208": Code(
        "warning",
        "`order` names a rule of an earlier phase, which has run anyway",
        "remove it: phases run one after the other",
    ),
    # Exceptions that nothing shows: a guard may be wise before a text is known that needs it
    "L301": Code(
        "info",
        "a kind of span under `outside` changes nothing, in no known text and in none made of the declared spans",
        "remove it, or add a `keep` that it saves",
    ),
    "L302": Code(
        "info",
        "`before` or `after` changes nothing in any known text",
        "remove it, or add a `keep` in which only the context is wrong",
    ),
    "L303": Code(
        "info",
        "`when` changes nothing in any known text",
        "remove it, or add a `keep` in which only this condition is not met",
    ),
    "L304": Code("warning", "the same text twice under `keep`", "remove one"),
    "L305": Code(
        "warning",
        "two rules of a phase have the same example, so one of them does not show what it is for",
        "give each rule an example of its own",
    ),
    # What a rule may lose
    "L401": Code(
        "error",
        "a sign becomes its plain letters as in NFKC (① → 1, ㎡ → m2, … → ...), and its meaning is lost",
        "leave such signs alone, or put in a sign that means the same",
    ),
    "L402": Code(
        "warning",
        "a rule for blanks could take letters or digits too",
        "narrow `match` to blanks, or add `invariant: only-spaces`",
    ),
    "L403": Code(
        "warning",
        "the rule changes digits, and gives neither `why` nor `invariant`",
        "add `why:` with the norm or the reason",
    ),
    "L404": Code(
        "warning",
        "the rule changes a mark inside a number, time, address, code or the like",
        "add `outside: [number, time, url, …]`, or narrow `before` and `after`",
    ),
    # What is not said
    "L405": Code(
        "error",
        "the rule takes letters away from texts that other rules keep: it could empty a document",
        "narrow `match` to words that no author writes, and add `limit: {drop: 5%}`",
    ),
    "L501": Code(
        "warning",
        "no `keep` comes near the pattern, so nothing shows what the rule leaves alone",
        "add a text that looks like a hit and is none",
    ),
    "L502": Code(
        "warning",
        "no `fault-zh`: the colophon of a Chinese book would show an English sentence",
        "add `fault-zh:` with the fault in Chinese",
    ),
    "L503": Code(
        "info",
        "the rule takes letters away and does not say why it may",
        "add `why:` with what makes sure that no author wrote this",
    ),
    "L504": Code(
        "warning",
        "the rule takes letters away anywhere: its pattern has no line end, and there is no `where`, `when` or `limit`",
        "anchor it with ^ or $, say `where:`, or add `limit: {drop: 5%}`",
    ),
    # Excuses
    "L901": Code(
        "error", "an excuse under `lint` that is not needed (any longer)", "remove it; nothing is complained about"
    ),
    "L902": Code("error", "an excuse for a code that does not exist, or cannot be excused", "correct or remove it"),
}  # fmt: skip
"""Every fault that lint looks for beyond those that loading finds."""

EXCUSABLE = frozenset(code for code in CODES if code < "L9")


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a check found: which code, in which rule, at which place, in words. ``fix``: when not the code's own."""

    code: str
    rule: str
    place: Place
    words: str
    fix: str = ""


Complaints = Iterator[Complaint]


@dataclass(frozen=True, slots=True)
class RuleFault:
    """One fault with its level and the id of its rule (empty for a file), as all formats print it.

    ``offset`` is the number of characters before it in its file.
    """

    fault: Fault
    level: FaultLevel
    rule: str
    offset: int
