"""The works that lie open: each with its source, its rules as the files say them, and what comes of both.

What is tried is tried in memory, with the same loader and the same pipeline as `shanben build`, before a file is
touched. Nothing is kept but what stands in the files; what is in memory can be thrown away at any moment.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from stat import S_ISREG
from threading import RLock

from shanben.decode import decode
from shanben.errors import UsageError
from shanben.pipeline import OWN_PHASE, Cleaned, Plan, clean_by, shipped_rules
from shanben.profile_files import load_profiles
from shanben.report.compare import Comparison, compare
from shanben.resources import rules_root
from shanben.rule_cache import Checked
from shanben.rulebook.load import load_rules
from shanben.rulebook.schema import Rulebook
from shanben.tools.storage import MAX_SOURCE
from shanben.works import RULES_FOLDER, WORKS_FOLDER, Work, find_works, is_library

WORKS = WORKS_FOLDER


@dataclass(frozen=True, slots=True)
class Versions:
    """Digests of all that a decision rests on: the source, the work's own file, and the user's other rule files."""

    source: str
    own: str
    rules: str

    def differ(self, other: Versions) -> list[str]:
        """Name what is not the same."""
        return [name for name in ("source", "own", "rules") if getattr(self, name) != getattr(other, name)]


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says for all works."""

    encoding: str | None = None
    profile: str | None = None
    rules: tuple[Path, ...] = ()
    limit: int = MAX_SOURCE


@dataclass(frozen=True)
class State:
    """One work as its files are at one moment, cleaned."""

    work: Work
    versions: Versions
    own: bytes | None
    source_text: str
    cleaned: Cleaned

    @cached_property
    def told(self) -> Comparison:
        """Give source and clean text side by side."""
        return compare(self.source_text, self.cleaned.ledger)

    @property
    def plan(self) -> Plan:
        """Give the plan that was run."""
        assert self.cleaned.plan is not None  # noqa: S101 - `run` always gives it
        return self.cleaned.plan


@dataclass(slots=True)
class Written:
    """One save, so that it can be taken back: the own file before and after, and folders that were made for it.

    ``path`` names another file than the work's own.
    """

    before: bytes | None
    after: bytes | None
    folders: tuple[Path, ...] = ()
    path: Path | None = None


@dataclass(slots=True)
class OpenWork:
    """A work on the desk. All that looks at files or changes them goes through `lock`."""

    sources: Sequence[Path]
    path: Path
    slug: str
    options: Options
    lock: RLock = field(default_factory=RLock)
    state: State | None = None
    written: list[Written] = field(default_factory=list)
    _seen: dict[Path, tuple[tuple[int, int, int, int], str]] = field(default_factory=dict)

    # --- files ---------------------------------------------------------------------------------------------

    def work(self) -> Work:
        """Read `work.yaml` again and give the work. Raises SourceError, RuleError."""
        for work in find_works(self.sources):
            if work.path == self.path:
                return work
        raise UsageError("this document is not there any more", where=str(self.path), fix="start the review again")

    def own_path(self, work: Work) -> Path:
        """Give the file for what is decided: `works/<slug>.yaml` of the rules beside the source, or of this checkout."""
        name = f"{work.slug}.yaml"
        layers = [Path(layer) for layer in work.layers(self.options.rules)]
        root = rules_root()
        checkout = root if isinstance(root, Path) and root.parent in self.path.resolve().parents else None
        for folder in [*reversed(layers), *([checkout] if checkout else [])]:
            if (folder / WORKS / name).is_file():
                return folder / WORKS / name
        if checkout:
            return checkout / WORKS / name
        mine = self.path.parent / RULES_FOLDER
        for layer in layers:
            if _same(layer, mine):
                return layer / WORKS / name
        beside = work.unasked(self.options.rules)
        return (beside[-1] if beside else self.path.parent / RULES_FOLDER) / WORKS / name

    def rules_folder(self, work: Work) -> Path:
        """Give the folder for rules of all works: that of the own file, never the shipped rules of a checkout."""
        own = self.own_path(work)
        return self.path.parent / RULES_FOLDER if _is_shipped(own) else own.parent.parent

    def check_target(self, path: Path) -> None:
        """Raise UsageError for a file that `build` would pass over, so that page and build never disagree."""
        if _is_shipped(path):
            return
        folder = path.parent.parent if path.parent.name == WORKS else path.parent
        if path.parent.name == WORKS and path.parent.is_symlink():
            fix = "put a folder in the place of the link"
            raise UsageError("`build` does not follow a linked folder of works", where=str(path.parent), fix=fix)
        asked = any(_same(Path(given), folder) for given in self.options.rules)
        if not asked and folder.is_dir() and is_library(folder):
            words = "this folder holds a whole library of rules, which `build` takes only when it is named"
            raise UsageError(words, where=str(folder), fix=f"start the review with --rules {folder}")

    def own_data(self, work: Work) -> bytes | None:
        """Give the bytes of that file; None if there is none."""
        path = self.own_path(work)
        return path.read_bytes() if path.is_file() else None

    def versions(self, work: Work | None = None) -> Versions:
        """Give the digests of the files as they are on the disk now."""
        work = work or self.work()
        own = self.own_path(work)
        return Versions(self._digest(self.path), self._digest(own), self._rules_digest(work, own))

    def _rules_digest(self, work: Work, own: Path) -> str:
        files = [self.path.parent / "work.yaml", *_yaml_files(work.layers(self.options.rules))]
        if self.options.profile and Path(self.options.profile).is_file():
            files.append(Path(self.options.profile))
        told = [f"{file} {self._digest(file)}" for file in files if file != own]
        return _sha("\n".join([*told, _shipped_signature(own)]).encode("utf-8", "surrogateescape"))

    def _digest(self, path: Path) -> str:
        """Give the SHA-256 of a file, empty if it is not there; a file that was not touched is not read again."""
        try:
            stat = path.stat()
            if not S_ISREG(stat.st_mode):
                raise UsageError("this is no plain file", where=str(path), fix="put a file in its place")
            key = (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino)
            known = self._seen.get(path)
            if known is None or known[0] != key:
                known = (key, _sha(path.read_bytes()))
                self._seen[path] = known
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise UsageError(f"this cannot be read ({error.strerror})", where=str(path)) from None
        return known[1]

    # --- cleaning ------------------------------------------------------------------------------------------

    def open(self) -> State:
        """Give the state of the files as they are now; what did not change is not done again."""
        with self.lock:
            work = self.work()
            now = self.versions(work)
            if self.state is None or self.state.versions != now:
                self.state = self.tried(work, self.own_data(work), now)
            return self.state

    def tried(self, work: Work, own: bytes | None, versions: Versions) -> State:
        """Clean the work with these bytes as its own file, whatever the disk says. Raises as `clean_work` does."""
        book = self.rulebook(work, own)
        source = work.read(self.options.limit)
        encoding = self.options.encoding or work.encoding
        content, decoding = decode(source.data, encoding=encoding, name=source.name)
        layers = [layer for layer in work.layers(self.options.rules) if Path(layer).is_dir()]
        checked = Checked(book, load_profiles(book, layers), {}, {})
        named = self.options.profile or work.profile
        cleaned = clean_by(checked, (content, decoding, source), profile=named, suppress=work.suppress)
        now = replace(versions, source=source.sha256, own=_sha(own) if own is not None else "")
        return State(work, now, own, content, cleaned)

    def rulebook(self, work: Work, own: bytes | None) -> Rulebook:
        """Load all rules of a work, with these bytes as its own file. Raises RuleError with all faults."""
        target = self.own_path(work)
        layers = [Path(layer) for layer in work.layers(self.options.rules)]
        home = target.parent.parent
        layers = [home if _same(layer, home) else layer for layer in layers]
        if home not in layers and not _is_shipped(target):
            layers.insert(len(work.unasked(self.options.rules)), home)
        shipped = _is_shipped(target)
        book = _shipped_rules(_shipped_signature(target), None if shipped else work.slug)
        if shipped and own is not None:
            with _copied(None, target, own) as folder:
                book = load_rules(folder, base=book, work=work.slug, shown_as="rules")
        for layer in layers:
            if layer != home:
                book = load_rules(layer, layer=str(layer), base=book, work=work.slug, flat_phase=OWN_PHASE)
            elif layer.is_dir() or own is not None:
                with _copied(layer, target, own) as folder:
                    book = load_rules(
                        folder, layer=str(layer), base=book, work=work.slug, flat_phase=OWN_PHASE, shown_as=str(layer)
                    )
        return book


def open_desk(sources: Sequence[Path], options: Options) -> list[OpenWork]:
    """Lay works on the desk. Raises SourceError, RuleError."""
    return [OpenWork(sources, work.path, work.slug, options) for work in find_works(sources)]


def _same(a: Path, b: Path) -> bool:
    return os.path.realpath(a) == os.path.realpath(b)


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _yaml_files(layers: Sequence[str | Path]) -> list[Path]:
    return [path for layer in layers for path in sorted(Path(layer).rglob("*.yaml")) if path.is_file()]


def _is_shipped(path: Path) -> bool:
    root = rules_root()
    return isinstance(root, Path) and root in path.parents


def _shipped_signature(own: Path) -> str:
    """Tell the shipped files apart by time and size, so that rules that are edited in a checkout are loaded again."""
    root = rules_root()
    if not isinstance(root, Path):
        return ""
    found = []
    for path in sorted(root.rglob("*.yaml")):
        if path != own:
            stat = path.stat()
            found.append(f"{path} {stat.st_mtime_ns} {stat.st_size}")
    return _sha("\n".join(found).encode("utf-8", "surrogateescape"))


@lru_cache(maxsize=8)
def _shipped_rules(signature: str, work: str | None) -> Rulebook:
    return shipped_rules(work)


class _copied:  # noqa: N801 - used like a function
    """A folder with the rule files of a layer, and these bytes as the work's own file; gone at the end."""

    def __init__(self, layer: Path | None, target: Path, own: bytes | None) -> None:
        self._layer, self._target, self._own = layer, target, own
        self._folder = tempfile.TemporaryDirectory(prefix="shanben-review-")

    def __enter__(self) -> Path:
        top = Path(self._folder.name)
        if self._layer:
            for path in _yaml_files([self._layer]):
                if path != self._target:
                    copy = top / path.relative_to(self._layer)
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, copy)
        if self._own is not None:
            (top / WORKS).mkdir(exist_ok=True)
            (top / WORKS / self._target.name).write_bytes(self._own)
        return top

    def __exit__(self, *args: object) -> None:
        self._folder.cleanup()
