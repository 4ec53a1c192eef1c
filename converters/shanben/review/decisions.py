"""What a reader decides, tried on the work and only then written: refuse, accept, edit, move, take back.

Each way to write a decision down is tried in memory, the smallest first. Only one that does what was wanted, and
nothing else that was not, is written; the file is replaced in one step, and only if nobody has changed it meanwhile.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from shanben.check_rules import check_rulebook, unified_diff
from shanben.errors import RuleError, ShanbenError, UsageError
from shanben.ledger import Capture, Suggestion
from shanben.pipeline import run
from shanben.report.compare import Entry as TextEntry
from shanben.review import writing
from shanben.review.desk import OpenWork, State, Versions, Written
from shanben.review.own_file import LISTS, Entry, entries, with_entry, without
from shanben.review.places import clean_span, note_refusals, only_here, refusals
from shanben.rulebook.schema import Suppression
from shanben.tools.storage import clear_leftovers, write_error, write_file
from shanben.values import Decoding, Segment, Source, Span

Action = Literal["refuse", "accept", "edit", "move"]
ACTIONS: tuple[Action, ...] = ("refuse", "accept", "edit", "move")
MOST_TRIED = 4
"""Ways to name one place that are tried on the whole work."""
LEAST_CONTEXT, MARGIN = 14, 2
"""Characters that the words of an emendation have in all, and on each side."""
MOST_LINES = 12
"""Lines of a difference that are told."""


class ConflictError(ShanbenError):
    """A file is not as it was when the reader decided."""

    exit_code = 1
    code = "conflict"

    def __init__(self, changed: Iterable[str]) -> None:
        self.changed = tuple(changed)
        names = {"source": "the source", "own": "the work's own file", "rules": "a rule file"}
        words = " and ".join(names[c] for c in self.changed)
        super().__init__(
            f"{words} changed since this page was made; nothing was written", fix="look at it as it is now"
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision about the entry ``number`` of the comparison, which must be of ``unit`` at ``line:column``.

    ``text`` is what shall stand there (edit), or the words in front of which a passage goes (move).
    """

    action: Action
    number: int
    unit: str
    line: int
    column: int
    reason: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was written: the entries as they stand in the file, and the lines that changed besides, as a diff."""

    state: State
    written: tuple[str, ...]
    besides: str = ""


New = list[tuple[str, str]]
"""Entries to be written: the list that each belongs to, and its text."""


def decide(desk: OpenWork, decision: Decision, versions: Versions) -> Outcome:
    """Write one decision down. Raises ConflictError, and UsageError or RuleError when it cannot be done."""
    with desk.lock:
        state = current(desk, versions)
        _check_decision(state, decision)
        if decision.action == "refuse":
            new, tried = _refused(desk, state, decision)
        elif decision.action == "move":
            new, tried = _moved(desk, state, decision)
        else:
            new, tried = _edited(desk, state, decision)
        commit(desk, state, tried)
        return Outcome(desk.open(), tuple(text for _, text in new), _besides(state, tried))


def refuse_all(desk: OpenWork, decisions: Sequence[Decision], versions: Versions) -> Outcome:
    """Refuse several changes with one cleaning; each is taken back by itself. Raises UsageError when they cannot be
    refused together, ConflictError."""
    with desk.lock:
        state = current(desk, versions)
        new: New = []
        wanted: Counter[_Refused] = Counter()
        for decision in decisions:
            _check_decision(state, decision)
            entry = state.told.entries[decision.number]
            first = next(iter(_suppressions(state, decision.number)), None)
            if first is None or decision.action != "refuse":
                raise UsageError("these cannot be refused together", fix="refuse them one by one")
            new.append(("suppress", writing.suppression(first, decision.reason)))
            wanted[entry.unit, entry.line, entry.before, entry.after] += 1
        tried = _try(desk, state, new)
        if _suppressed(tried) - _suppressed(state) != wanted:
            raise UsageError("these cannot be refused together", fix="refuse them one by one")
        commit(desk, state, tried, new)
        return Outcome(desk.open(), tuple(text for _, text in new), _besides(state, tried))


def _check_decision(state: State, decision: Decision) -> None:
    told = state.told.entries
    known = told[decision.number] if 0 <= decision.number < len(told) else None
    if known is None or (known.unit, known.line, known.column) != (decision.unit, decision.line, decision.column):
        raise UsageError("there is no such change on this page", fix="load the page again")
    if not decision.reason.strip():
        raise UsageError("a decision needs its reason", fix="say in a few words why")


def current(desk: OpenWork, versions: Versions) -> State:
    """Give the state of a work, if the files are those that the reader saw. Raises ConflictError."""
    if changed := versions.differ(desk.versions()):
        raise ConflictError(changed)
    return desk.open()


def commit(desk: OpenWork, state: State, tried: State, new: Sequence[tuple[str, str]] = ()) -> None:
    """Put the own file of ``tried`` in place of that of ``state``, if all is as it was. Raises ConflictError.

    With the entries ``new`` each of them can be taken back by itself.
    """
    if changed := state.versions.differ(desk.versions()):
        raise ConflictError(changed)
    path = desk.own_path(state.work)
    desk.check_target(path)
    folders = tuple(p for p in (path.parent, path.parent.parent) if not p.exists())
    with _or_back(desk, path, state.own, folders):
        put(path, tried.own)
        _take_over(desk, tried)
    before, made = state.own, folders
    for name, text in new[:-1]:
        after = with_entry(before or b"", name, text)
        desk.written.append(Written(before, after, made))
        before, made = after, ()
    desk.written.append(Written(before, tried.own, made))


@contextmanager
def _or_back(desk: OpenWork, path: Path, before: bytes | None, folders: Iterable[Path]) -> Iterator[None]:
    """Put a file back as it was if what is done with it fails."""
    try:
        yield
    except ShanbenError:
        with suppress(ShanbenError):
            put(path, before)
        remove_folders(folders)
        desk.state = None
        raise


def put(path: Path, data: bytes | None) -> None:
    """Write a file, or take it away for None. Raises OutputError."""
    try:
        if data is None:
            path.unlink(missing_ok=True)
            return
        if path.parent.is_dir():
            clear_leftovers(path.parent)
    except OSError as error:
        raise write_error(error, path) from None
    write_file(Path(os.path.realpath(path)), data)


def remove_folders(folders: Iterable[Path]) -> None:
    """Take empty folders away."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def _take_over(desk: OpenWork, tried: State) -> None:
    """Go on with what was tried: it is what the files say now."""
    work = desk.work()
    desk.state = replace(tried, work=work, versions=desk.versions(work))


def _try(desk: OpenWork, state: State, new: New) -> State:
    """Clean the work with more entries in its own file. Raises UsageError, RuleError."""
    data = state.own or b""
    for name, text in new:
        data = with_entry(data, name, text)
    return desk.tried(state.work, data, state.versions)


# --- refuse --------------------------------------------------------------------------------------------------


def _refused(desk: OpenWork, state: State, decision: Decision) -> tuple[New, State]:
    """Find the smallest suppression that refuses this and nothing else."""
    entry = state.told.entries[decision.number]
    before = _suppressed(state)
    problem: ShanbenError | None = None
    for n, s in enumerate(_suppressions(state, decision.number)):
        if n >= MOST_TRIED:
            break
        new: New = [("suppress", writing.suppression(s, decision.reason))]
        try:
            tried = _try(desk, state, new)
        except RuleError as error:
            problem = error
            continue
        if _is_only(entry, _suppressed(tried) - before):
            return new, tried
    if problem:
        raise problem
    raise UsageError(
        "this place cannot be told apart from others where the same rule acts", fix="write the suppression by hand"
    )


_Refused = tuple[str, int, str, str]
"""A unit, the line of the source, before, after."""


def _suppressed(state: State) -> Counter[_Refused]:
    return Counter((s.unit, s.line, s.before, s.after) for s in state.cleaned.ledger.suppressed)


def _is_only(entry: TextEntry, refused: Counter[_Refused]) -> bool:
    """Tell whether an entry alone was refused; a rule that captures from a line does all of it or nothing."""
    if refused.total() == 1 and (entry.unit, entry.line, entry.before, entry.after) in refused:
        return True
    one_line = {(unit, line) for unit, line, _, _ in refused} == {(entry.unit, entry.line)}
    return one_line and any(old == new for _, _, old, new in refused)


def _suppressions(state: State, number: int) -> Iterator[Suppression]:
    """Give suppressions that name an entry, the clearest first."""
    entry, ledger = state.told.entries[number], state.cleaned.ledger
    if entry.kind == "suppressed":
        raise UsageError("the work refuses this already", fix="take the suppression back instead")
    if entry.origin[0] >= 0:
        yield from refusals(state.source_text, ledger, entry.unit, entry.origin)
        return
    finding = ledger.notes[entry.origin[1]].finding
    place = entry.unit, entry.line, entry.column
    if isinstance(finding, Capture):  # its offset is of a text long gone: the source tells where it stands
        finding = Suggestion(-1, finding.value, finding.value, "")
    if isinstance(finding, Suggestion):
        yield from note_refusals(state.source_text, state.cleaned.text, place, finding)


# --- accept, edit --------------------------------------------------------------------------------------------


def _edited(desk: OpenWork, state: State, decision: Decision) -> tuple[New, State]:
    """Let other words stand at the place of an entry: by an emendation; where a rule would undo it, that is refused."""
    entry = state.told.entries[decision.number]
    span, wanted = _wanted(state, decision)
    text = state.cleaned.text
    if text[span.start : span.end] == wanted:
        raise UsageError("this is what stands there already", fix="write something else, or accept it")
    if entry.origin[0] >= 0 and wanted == entry.before and decision.action == "edit":
        return _refused(desk, state, decision)
    try:
        return _emended(desk, state, span, wanted, decision.reason, [])
    except UsageError as error:
        if entry.origin[0] < 0:
            raise
        first, refused = _refused(desk, state, decision)
        there = refused.cleaned.text
        tail = len(text) - span.end
        if not (
            there.startswith(text[: span.start])
            and there.endswith(text[span.end :])
            and len(there) >= span.start + tail
        ):
            raise error from None
        place = Span(span.start, len(there) - tail)
        return _emended(desk, refused, place, wanted, decision.reason, first)


def _wanted(state: State, decision: Decision) -> tuple[Span, str]:
    """Give the stretch of the clean text that is meant, and what shall stand there."""
    entry, text = state.told.entries[decision.number], state.cleaned.text
    if entry.kind == "suggestion":
        finding = state.cleaned.ledger.notes[entry.origin[1]].finding
        assert isinstance(finding, Suggestion)  # noqa: S101 - that is its kind
        if decision.action == "accept" and finding.before == finding.after:
            raise UsageError("this suggestion does not say what to write", fix="say where it goes, or edit it")
        if not text.startswith(finding.before, finding.start):
            raise UsageError("other rules have changed this place since", fix="edit the words as they are now")
        wanted = finding.after if decision.action == "accept" else decision.text
        return Span(finding.start, finding.start + len(finding.before)), wanted
    if decision.action == "accept":
        raise UsageError("this change has been made: it needs no entry", fix="go on to the next")
    if entry.kind not in ("substitute", "supply", "delete"):
        raise UsageError("this cannot be edited", fix="refuse it")
    span = clean_span(state.told, decision.number)
    if span is None:
        raise UsageError("this place does not stand in the clean text", fix="refuse the change first")
    return span, decision.text


def _emended(desk: OpenWork, state: State, span: Span, wanted: str, reason: str, first: New) -> tuple[New, State]:
    """Write an emendation of the clean text, besides the entries ``first``, which ``state`` has."""
    text = state.cleaned.text
    context = only_here(text, span.start, span.end, least=LEAST_CONTEXT, margin=MARGIN)
    if context is None or not context.text:
        raise UsageError("this place cannot be told apart from others", fix="write the emendation by hand")
    corrected = context.before + wanted + context.after
    entry = writing.emendation(state.work.slug, context, wanted, reason, _after_all(state, corrected))
    new: New = [("rules", entry)]
    tried = _try(desk, state, new)
    if tried.cleaned.text == text or corrected not in tried.cleaned.text:
        raise UsageError(
            "this has no effect: a redaction stands there, or another rule undoes it",
            fix="refuse the change of that rule first",
        )
    _check(tried, entry)
    return [*first, *new], tried


def _after_all(state: State, words: str) -> str:
    """Give what the whole cleaning makes of a few words; empty if it leaves them."""
    data = words.encode("utf-8", "surrogatepass")
    decoding = Decoding("text", 1.0, (), (Segment(0, len(words), "utf-8"),))
    with suppress(ShanbenError):
        got = run(Source("example", data), words, decoding, state.plan).text
        if got.split() != words.split():
            return got.strip("\n")
    return ""


def _check(tried: State, entry: str) -> None:
    """Try the examples of a rule that was written. Raises RuleError with what failed."""
    name = _id(entry)
    failures = [f for f in check_rulebook(tried.plan, [name]) if f.rule == name]
    if failures:
        raise RuleError("\n".join(map(str, failures[:5])))


# --- move ----------------------------------------------------------------------------------------------------


def _moved(desk: OpenWork, state: State, decision: Decision) -> tuple[New, State]:
    """Put a passage that a suggestion speaks of in front of the words that the reader named."""
    text = state.cleaned.text
    if state.told.entries[decision.number].kind != "suggestion":
        raise UsageError("only a suggestion can be moved", fix="refuse this move, or edit its words")
    span = passage(state, decision.number)
    goal = text.find(decision.text) if decision.text else -1
    if goal < 0 or text.find(decision.text, goal + 1) >= 0:
        raise UsageError("these words must stand once in the clean text", fix="give more of them, letter for letter")
    if span.start <= goal <= span.end or goal < span.start < goal + len(decision.text):
        raise UsageError("the passage stands there already, or the words are its own", fix="name another place")
    at = only_here(text, span.start, span.end)
    if at is None:
        raise UsageError("this passage cannot be told apart from others", fix="write the emendation by hand")
    if text.count(at.before + at.at) != 1:
        raise UsageError("this passage cannot be told apart from others", fix="write the emendation by hand")
    example = _move_example(at.before, at.at, decision.text, after=goal > span.start)
    if later := _after_all(state, example[1]):
        example.append(later)
    entry = writing.move(state.work.slug, replace(at, after=""), decision.text, decision.reason, example)
    new: New = [("rules", entry)]
    tried = _try(desk, state, new)
    if not any(p.unit == _id(entry) for p in tried.cleaned.ledger.passes):
        raise UsageError("this has no effect: a redaction stands in the passage", fix="write the emendation by hand")
    _check(tried, entry)
    return new, tried


def _id(entry: str) -> str:
    return entry.split("\n", 1)[0].removeprefix("- id: ")


def _move_example(lead: str, body: str, goal: str, *, after: bool) -> list[str]:
    """Give a small text in which the passage stands in the wrong place, and what becomes of it."""
    if after:
        return [lead + body + "\n" + goal, lead + "\n" + body + goal]
    return [goal + "\n" + lead + body, body + goal + "\n" + lead]


def passage(state: State, number: int) -> Span:
    """Give where the words of a suggestion stand in the clean text, blanks apart. Raises UsageError."""
    entry, text = state.told.entries[number], state.cleaned.text
    finding = state.cleaned.ledger.notes[entry.origin[1]].finding if entry.origin[0] < 0 <= entry.origin[1] else None
    if not isinstance(finding, Suggestion) or not finding.before.strip():
        raise UsageError("this suggestion names no passage", fix="edit the words instead")
    start = at = min(finding.start, len(text))
    while start < len(text) and text[start].isspace():
        start = at = start + 1
    for c in finding.before:
        if c.isspace():
            continue
        while at < len(text) and text[at].isspace():
            at += 1
        if at >= len(text) or (c.isalnum() and text[at] != c):
            raise UsageError("other rules have changed this passage since", fix="edit the words instead")
        at += 1
    return Span(start, at)


# --- take back -----------------------------------------------------------------------------------------------


def undo(desk: OpenWork, versions: Versions) -> State:
    """Take the last save of this session back: the file is byte for byte what it was before."""
    with desk.lock:
        state = current(desk, versions)
        if not desk.written:
            raise UsageError("there is nothing to take back in this session", fix="take an entry out of the list")
        last = desk.written[-1]
        if last.path is not None:
            return _undo_elsewhere(desk, last, last.path)
        if last.after != state.own:
            raise UsageError(
                "the work's own file was changed after that, so it cannot be put back as it was",
                fix="take the entry out of the list of decisions",
            )
        tried = desk.tried(state.work, last.before, state.versions)
        _replace_own(desk, state, tried, last.folders)
        desk.written.pop()
        return desk.open()


def _undo_elsewhere(desk: OpenWork, last: Written, path: Path) -> State:
    """Take a rule back that was saved for all works of a folder."""
    if (path.read_bytes() if path.is_file() else None) != last.after:
        raise UsageError("this file was changed after that", where=str(path), fix="take the rule out by hand")
    put(path, last.before)
    remove_folders(last.folders)
    desk.written.pop()
    return desk.open()


def take_out(desk: OpenWork, name: str, digest: str, versions: Versions) -> State:
    """Take one entry out of the work's own file, named by its list and the SHA-256 of its text."""
    with desk.lock:
        state = current(desk, versions)
        data = state.own or b""
        found = [e for e in entries(data, name) if e.digest == digest] if name in LISTS else []
        if not found:
            raise UsageError("there is no such entry", fix="load the page again")
        left: bytes | None = without(data, found[-1])
        if desk.written and desk.written[-1].after == state.own and desk.written[-1].before in (left, None):
            last = desk.written[-1]
            if last.before is not None or not (left or b"").strip():
                return undo(desk, versions)
        if not (left or b"").strip():
            left = None
        tried = desk.tried(state.work, left, state.versions)
        commit(desk, state, tried)
        return desk.open()


def _replace_own(desk: OpenWork, state: State, tried: State, folders: Iterable[Path]) -> None:
    if changed := state.versions.differ(desk.versions()):
        raise ConflictError(changed)
    path = desk.own_path(state.work)
    with _or_back(desk, path, state.own, ()):
        put(path, tried.own)
        remove_folders(folders)
        _take_over(desk, tried)


def listed(state: State) -> list[Entry]:
    """Give the entries of the work's own file; of a list that is not written with one `-` a line none."""
    found: list[Entry] = []
    for name in LISTS:
        with suppress(UsageError):
            found += entries(state.own or b"", name)
    return found


def _besides(before: State, after: State) -> str:
    """Give what became of the clean text as a short diff."""
    diff = unified_diff(before.cleaned.text, after.cleaned.text, "before", "after", 0).splitlines()[2:]
    return "\n".join(diff[:MOST_LINES] + (["…"] if len(diff) > MOST_LINES else []))
