"""`shanben rules lint`: every fault of rule files in one run, those that loading finds and those that need thought.

The codes, their causes and the ways out stand in `lint_codes`; `lint_patterns` looks at a rule by itself,
`lint_texts` lets rules meet texts and each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from shanben.errors import UsageError
from shanben.rulebook.apply import make_guards, resolve_near
from shanben.rulebook.known_texts import Library, windows
from shanben.rulebook.lint_codes import CODES, EXCUSABLE, FAULT_LEVELS, Complaint, FaultLevel, RuleFault
from shanben.rulebook.lint_gates import check_gate
from shanben.rulebook.lint_pairs import check_among
from shanben.rulebook.lint_patterns import check_blanks, check_digits, check_pattern, check_replace_each, check_said
from shanben.rulebook.lint_texts import check_exceptions, check_losses, check_own
from shanben.rulebook.load import Written, load_rule_file, load_rules
from shanben.rulebook.schema import FOLDERS, Place, Rule, Rulebook
from shanben.rulebook.strict_yaml import Fault, Faults, Pairs, shown

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

SHIPPED = "rules"
"""What places in the shipped rules begin with."""
HARMLESS = frozenset({"R301", "R308", "R401", "R403", "R404", "R405", "R406"})
"""Faults of loading with which a rule can be run all the same."""
MEASURED = frozenset({"L105", "L106", "L109"})
"""Codes that rest on time taken: a fast machine may not see what another saw, so an excuse is never idle."""
CORPUS_SUFFIXES = (".txt", ".md")
MAX_CORPUS_FILE = 4_000_000
"""Bytes of a corpus file that are read."""


CheckProfiles = Callable[[Rulebook, Sequence[Path], Faults], object]


@dataclass(frozen=True, slots=True)
class Report:
    """What lint found, in order of file, line and column, and how many rules it looked at."""

    faults: tuple[RuleFault, ...]
    rules: int

    def count(self, level: FaultLevel) -> int:
        """Count the faults of one level."""
        return sum(f.level == level for f in self.faults)

    def failed(self, *, strict: bool = False) -> bool:
        """Tell whether there are errors; with ``strict`` warnings count as well."""
        return bool(self.count("error") or (strict and self.count("warning")))

    def at_least(self, level: FaultLevel) -> tuple[RuleFault, ...]:
        """Give the faults of this level and of graver ones."""
        wanted = FAULT_LEVELS[: FAULT_LEVELS.index(level) + 1]
        return tuple(f for f in self.faults if f.level in wanted)


@dataclass(slots=True)
class _Files:
    """All rules of all layers, how they are written, and the files and folders that are looked at."""

    faults: Faults
    book: Rulebook
    written: list[Written]
    targets: list[str]

    def is_target(self, file: str) -> bool:
        """Tell whether a file, by its shown name, is looked at."""
        return any(file == target or file.startswith(target.rstrip("/") + "/") for target in self.targets)


def lint(
    shipped: Traversable,
    paths: Sequence[Path] = (),
    layers: Sequence[Path] = (),
    corpus: Sequence[Path] = (),
    *,
    flat_phase: str = "works",
    check_profiles: CheckProfiles | None = None,
) -> Report:
    """Lint rule files, and the profiles beside them.

    ``shipped`` is the folder of the shipped rules, ``layers`` are folders laid over it. ``paths`` are files
    or folders to look at: parts of those, or others, which are laid over them. Without any the layers are
    looked at, and without layers the shipped rules. All rules serve as known texts, and so do the UTF-8
    documents (.txt, .md) of ``corpus``. Files at the top of a layer belong to ``flat_phase``.
    ``check_profiles`` puts the faults of the profiles in given folders among the faults, once all rules can be read.

    Raises UsageError for a path that is not there.
    """
    files = _load(shipped, paths, layers, flat_phase)
    if check_profiles and all(fault.code in HARMLESS for fault in files.faults):
        check_profiles(files.book, [*layers, *(p for p in paths if p.is_dir())], files.faults)
    sound = _sound(files)
    looked_at = [w for w in files.written if files.is_target(w.rule.place.file) and w.rule.level != "off"]
    patterns = {w.rule.place: list(check_pattern(w)) for w in looked_at if w.rule.place in sound}
    endless = {place for place, found in patterns.items() if any(c.code == "L105" for c in found)}
    rules = _runnable([r for r in files.book.rules if r.place in sound - endless])
    library = Library.of(rules, make_guards(Rulebook(tuple(rules))))
    for window in windows(rules, library.known.guards, _documents(corpus)):
        library.known.add(window)
    targets = frozenset(w.rule.id for w in looked_at)
    by_id = {r.id: r for r in files.book.rules}
    found: list[Complaint] = []
    for written in looked_at:
        if written.rule.place not in sound:
            continue  # loading has told what is wrong
        complaints = [*check_said(written, by_id), *patterns[written.rule.place]]
        runnable = library.rules.get(written.rule.id)
        if runnable and runnable.place == written.rule.place:
            complaints += _with_texts(replace(written, rule=runnable), library, targets)
        found += _without_excused(written, complaints, runnable is not None)
    return Report(tuple(_as_faults(files, found)), len(looked_at))


def _with_texts(written: Written, library: Library, targets: frozenset[str]) -> Iterator[Complaint]:
    yield from check_replace_each(written)
    yield from check_blanks(written)
    yield from check_digits(written)
    yield from check_own(written, library)
    yield from check_among(written, library, targets)
    yield from check_exceptions(written, library)
    yield from check_losses(written, library)
    yield from check_gate(written, library)


# --- Which rules -------------------------------------------------------------------------------------------


def _load(shipped: Traversable, paths: Sequence[Path], layers: Sequence[Path], flat_phase: str) -> _Files:
    """Load all layers. Faults are collected, not raised."""
    faults, written = Faults(), list[Written]()
    book = load_rules(shipped, work="*", shown_as=SHIPPED, faults=faults, written=written)
    roots: list[tuple[Path, str]] = [(shipped, SHIPPED)] if isinstance(shipped, Path) else []
    targets: list[str] = []

    def lay_over(folder: Path) -> None:
        nonlocal book
        book = load_rules(
            folder, layer=str(folder), base=book, work="*", faults=faults, flat_phase=flat_phase, written=written
        )
        roots.append((folder, folder.as_posix()))

    for folder in layers:
        if not folder.is_dir():
            raise UsageError("there is no such rule folder", where=str(folder), fix="give a folder with --rules")
        lay_over(folder)
        targets.append(folder.as_posix())
    if paths:
        targets = []
    for path in paths:
        inside = next((name for root in roots if (name := _inside(path, *root))), "")
        if not inside and not path.exists():
            raise UsageError("there is no such file or folder", where=str(path), fix="name a rule file or a folder")
        if not inside and path.is_dir() and path.name not in FOLDERS:
            lay_over(path)
        elif not inside:
            book = _lay_files_over(path, flat_phase, book, faults, written)
        targets.append(inside or path.as_posix())
    return _Files(faults, book, written, targets or [SHIPPED])


def _inside(path: Path, root: Path, shown_as: str) -> str:
    """Give the shown name of a path under a root that is loaded; empty if it is not under it."""
    try:
        inner = path.resolve().relative_to(root.resolve())
    except ValueError:
        return ""
    return (PurePosixPath(shown_as) / inner).as_posix() if path.exists() else ""


def _lay_files_over(path: Path, flat_phase: str, book: Rulebook, faults: Faults, written: list[Written]) -> Rulebook:
    """Load one rule file, or those of one folder that is called after a phase."""
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    for file in files:
        folder = file.resolve().parent.name
        phase = folder if folder in FOLDERS else flat_phase
        own = load_rule_file(file, phase, base=book, faults=faults, written=written)
        gone = {rule.overrides for rule in own}
        book = book._replace(rules=(*(r for r in book.rules if r.id not in gone), *own))
    return book


def _sound(files: _Files) -> set[Place]:
    """Give the places of the rules in which loading found nothing that keeps them from running."""
    starts: dict[str, list[Place]] = {}
    for written in files.written:
        starts.setdefault(written.rule.place.file, []).append(written.rule.place)
    spoilt = set()
    for fault in files.faults:
        if fault.code in HARMLESS:
            continue
        above = [p for p in starts.get(fault.place.file, ()) if p.line <= fault.place.line]
        if above:
            spoilt.add(max(above, key=lambda p: p.line))
    standing = {rule.place for rule in files.book.rules}
    return {w.rule.place for w in files.written if _is_read(w)} & standing - spoilt


def _is_read(written: Written) -> bool:
    """Tell whether the patterns of a rule could be read: the fault of a named part in one stands where that is defined."""
    return not {"match", "before", "after"} & written.entries.keys() - written.patterns.keys()


def _runnable(rules: Sequence[Rule]) -> list[Rule]:
    """Give the rules with what `near` names put in, without those that name a rule which cannot run."""
    names = {rule.id for rule in rules if rule.match}
    kept = tuple(rule for rule in rules if not rule.where.near or rule.where.near in names)
    return list(resolve_near(Rulebook(kept)).rules)


def _documents(corpus: Sequence[Path]) -> Iterator[str]:
    """Give the texts of a corpus: files, and all documents in folders."""
    for path in corpus:
        if not path.exists():
            raise UsageError("there is no such corpus", where=str(path), fix="name a folder of .txt or .md files")
        found = sorted(p for p in path.rglob("*") if p.suffix in CORPUS_SUFFIXES) if path.is_dir() else [path]
        for file in found:
            with file.open("rb") as stream:
                yield stream.read(MAX_CORPUS_FILE).decode("utf-8", "replace").replace("\r\n", "\n")


# --- Excuses, and the list ---------------------------------------------------------------------------------


def _without_excused(written: Written, complaints: Sequence[Complaint], complete: bool) -> Iterator[Complaint]:
    """Give the complaints that the rule is not excused from, and one for each excuse that is not needed."""
    excuses = written.rule.excuses
    yield from (c for c in complaints if c.code not in excuses or c.code not in EXCUSABLE)
    needed = {c.code for c in complaints}
    entry = written.entries.get("lint")
    keys = entry.value.entries if entry and isinstance(entry.value, Pairs) else {}
    for code in excuses:
        place = keys[code].key.place
        if code not in EXCUSABLE:
            words = f"no lint that can be excused is called {shown(code)}"
            yield Complaint("L902", written.rule.id, place, words, CODES["L902"].fix)
        elif code not in needed and code not in MEASURED and complete:
            yield Complaint("L901", written.rule.id, place, f"the rule needs no excuse from {code}", CODES["L901"].fix)


def _as_faults(files: _Files, complaints: Iterable[Complaint]) -> list[RuleFault]:
    """Put the faults of loading and the complaints into one list, in order of place."""
    faults = files.faults
    found = [RuleFault(f, "error", _rule_at(files, f.place), faults.offset(f.place)) for f in faults]
    for c in complaints:
        fault = Fault(c.place, c.code, c.words, c.fix, faults.source_line(c.place.file, c.place.line))
        found.append(RuleFault(fault, CODES[c.code].level, c.rule, faults.offset(c.place)))
    found = [f for f in dict.fromkeys(found) if files.is_target(f.fault.place.file)]
    return sorted(found, key=lambda f: (f.fault.place.file, f.fault.place.line, f.fault.place.column, f.fault.code))


def _rule_at(files: _Files, place: Place) -> str:
    """Give the id of the rule in which a place lies; empty before the first."""
    above = [w.rule for w in files.written if w.rule.place.file == place.file and w.rule.place.line <= place.line]
    return max(above, key=lambda r: r.place.line).id if above else ""
