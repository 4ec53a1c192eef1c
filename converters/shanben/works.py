"""Works and collections as a user lays them out: a file, or a folder with `source.*` and `work.yaml`."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from shanben.errors import SourceError, UsageError
from shanben.lazy import lazy_re
from shanben.resources import rules_root
from shanben.rulebook.schema import FOLDERS, METADATA_FIELDS
from shanben.suppressions import Suppression
from shanben.tools.kept_files import code_stamp, keep_entry, read_entry
from shanben.tools.storage import MANIFEST, MAX_SOURCE, read_source, safe_name
from shanben.values import Source

if TYPE_CHECKING:
    from shanben.rulebook.strict_yaml import Faults, Node, Reader

WORK_FILE, COLLECTION_FILE, RULES_FOLDER, WORKS_FOLDER = "work.yaml", "collection.yaml", "rules", "works"
_LANGUAGE = lazy_re(r"[A-Za-z]{2,3}(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|[0-9]{3}))?(?:-[A-Za-z0-9]{4,8})*")
_DATE = lazy_re(r"[0-9]{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12][0-9]|3[01]))?)?")
_HTML = (b"<!doctype html", b"<html")
SUFFIXES = (".txt", ".text", ".md", ".markdown")
ARCHIVE_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
ROW_SUFFIXES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz", ".parquet")
DEEPEST = 40
"""Folders below the one that was given are searched so deep."""
_LISTS = ("creator", "contributor", "subject")


class Work(NamedTuple):
    """One document to be built: where its bytes are, what `work.yaml` says of it, and the rule folders beside it.

    ``data`` are the bytes themselves where they lie in no file of their own (in an archive, in a table); then ``path``
    only says where they are from. ``place`` is the path below the folder that was given, without suffix, each name a
    safe one, with `/`.
    """

    slug: str
    path: Path
    encoding: str | None = None
    sha256: str = ""
    said: Mapping[str, tuple[str, ...]] = {}
    rules: tuple[Path, ...] = ()
    profile: str | None = None
    suppress: tuple[Suppression, ...] = ()
    data: bytes | None = None
    place: str = ""

    def layers(self, given: Sequence[str | Path] = ()) -> tuple[str | Path, ...]:
        """Give all rule folders to lay over the shipped rules: those beside the source, then those ``given``."""
        return (*self.unasked(given), *given)

    def unasked(self, given: Sequence[str | Path] = ()) -> tuple[Path, ...]:
        """Give the rule folders beside the source that are not among those ``given``."""
        named = {os.path.realpath(folder) for folder in given}
        return tuple(folder for folder in self.rules if os.path.realpath(folder) not in named)

    def rules_name(self, given: Sequence[str | Path] = ()) -> str | None:
        """Give the name under which rules of this work are looked for; None where no rule folder has a file of that name.

        Works without rules of their own so share one rulebook.
        """
        roots = (rules_root(), *map(Path, self.layers(given)))
        return self.slug if any((root / WORKS_FOLDER / f"{self.slug}.yaml").is_file() for root in roots) else None

    def read(self, limit: int = MAX_SOURCE) -> Source:
        """Read the source. Raises SourceError when it is not the one that `work.yaml` names by its digest."""
        name = self.path.name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        source = Source(name, read_source(self.path, limit=limit) if self.data is None else self.data)
        if source.data[:1024].removeprefix(b"\xef\xbb\xbf").lstrip()[:14].lower().startswith(_HTML):
            raise SourceError(
                "this is the HTML code of a web page, not its text",
                where=str(self.path),
                fix="open it in a browser and save it as plain text (.txt), or copy the text out of it",
            )
        if self.sha256 and source.sha256 != self.sha256:
            raise SourceError(
                "the source is not the one that work.yaml describes (its SHA-256 differs)",
                where=str(self.path),
                fix="put the original bytes back, or correct `sha256:` in work.yaml",
            )
        return source


class Collection(NamedTuple):
    """Many works as one book. Each part has a title (may be empty) and the slugs of its works in order."""

    slug: str
    said: dict[str, tuple[str, ...]]
    parts: tuple[tuple[str, tuple[Work, ...]], ...]


def is_folder(path: Path) -> bool:
    """Tell whether a path is a folder. Raises SourceError for a path that no system call takes."""
    try:
        return path.is_dir()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise SourceError(f"the file cannot be read ({why})", where=str(path)[:120], fix="check the path") from None


def over_source(where: str) -> UsageError:
    """Give the error for a result that would take the place of a source."""
    return UsageError("this would overwrite the source", where=where, fix="choose another -o")


def refuse_source(target: Path, works: Iterable[Work]) -> None:
    """Raise UsageError when a file that is to be written is the source of one of these works."""
    if target.exists() and any(w.path.exists() and target.samefile(w.path) for w in works):
        raise over_source(str(target))


def find_works(paths: Sequence[Path]) -> list[Work]:
    """Find the works under files and folders, in order of path. Raises SourceError, RuleError.

    A folder with `work.yaml` or exactly one `source.*` is one work; any other folder is searched. A file that
    is given by name is taken whatever its suffix.
    """
    return list(iter_works(paths))


class Names(Protocol):
    """Names that were met, each with how often."""

    def take(self, name: str) -> int:
        """Take a name; give how often it was taken before."""


class NamesInMemory:
    """Names that are kept in memory."""

    def __init__(self) -> None:
        self._met: Counter[str] = Counter()

    def take(self, name: str) -> int:
        """Take a name; give how often it was taken before."""
        self._met[name] += 1
        return self._met[name] - 1


def iter_works(
    paths: Iterable[Path], files: Names | None = None, slugs: Names | None = None, *, empty: bool = False
) -> Iterator[Work]:
    """Find works as `find_works` does, one at a time. ``files`` and ``slugs`` are those met before.

    With ``empty`` a folder without any document is no error.
    """
    files, slugs = files or NamesInMemory(), slugs or NamesInMemory()
    real = lru_cache(maxsize=64)(os.path.realpath)
    for path in paths:
        count = 0
        for work in _under(path):
            count += 1
            given = work.path
            here = os.path.realpath(given) if given.is_symlink() else f"{real(given.parent)}{os.sep}{given.name}"
            if not files.take(here):  # the same file is taken once
                yield with_own_slug(work, Path(here).parent.name, slugs)
        if not count and not empty:
            raise SourceError(
                f"there is no document in this folder ({', '.join(SUFFIXES)})",
                where=str(path),
                fix="give files by name, or a folder that holds text files",
            )


def _under(path: Path) -> Iterator[Work]:
    """Give the works of a folder, or the one of a file, with their place below it and the rules beside them."""
    beside = lru_cache(maxsize=64)(own_rules)
    if is_folder(path):
        for work in _in_folder(path):
            yield work._replace(rules=_rules_beside(work.path, path, beside), place=_place(work, path))
    else:
        work = _from_file(path)
        yield work._replace(rules=_rules_beside(path, path.parent, beside), place=work.slug)


def _place(work: Work, top: Path) -> str:
    """Give the place of a work below a folder: a work that is a folder stands for that folder."""
    inner = work.path.relative_to(top)
    whole = work.path.stem == "source" or safe_name(work.path.stem) != work.slug
    parts = inner.parent.parts if whole else (*inner.parent.parts, inner.stem)
    return safe_place(parts or (work.slug,))


def safe_place(parts: Sequence[str]) -> str:
    """Give a relative path of safe names; no folder in it is named like a file that we write.

    >>> safe_place(("..", "a.txt", "b"))
    'work/a.txt_/b'
    """
    names = [safe_name(part) for part in parts]
    folders = [f"{name}_" if name.lower().endswith((".txt", ".jsonl")) else name for name in names[:-1]]
    return "/".join([*folders, names[-1]])


def own_rules(folder: Path) -> Path | None:
    """Give the folder `rules` inside ``folder`` when it holds rule files of the user's own.

    A folder that has every phase is no addition but a whole library, such as the shipped one: None.
    """
    rules = folder / RULES_FOLDER
    try:
        if not rules.is_dir() or rules == rules_root() or is_library(rules):
            return None
        return rules if any(map(_holds_rules, [*rules.glob("*.yaml"), *rules.glob("*/*.yaml")])) else None
    except OSError:
        return None


def is_library(rules: Path) -> bool:
    """Tell whether a folder of rules has every phase: then it is no addition but a library, named by `--rules` only."""
    return all((rules / name).is_dir() for name in FOLDERS[:-2])


def left_out(folder: Path) -> Path | None:
    """Give the folder `rules` inside ``folder`` when it holds YAML files, but none that looks like a rule file."""
    rules = folder / RULES_FOLDER
    try:
        if not rules.is_dir() or rules == rules_root() or own_rules(folder):
            return None
        named = (*rules.glob("*.y*ml"), *rules.glob("*/*.y*ml"))
        return rules if named and not is_library(rules) else None
    except OSError:
        return None


_RULES = lazy_re(rb"^(?:\xef\xbb\xbf)?(?:\? *)?[\"']?(?:rules|suppress)[\"']?\s*(?::|$)", re.MULTILINE)


def _holds_rules(path: Path) -> bool:
    return path.is_file() and _RULES.search(path.read_bytes()) is not None


def rules_beside_file(path: Path) -> tuple[Path, ...]:
    """Give the rule folders that lie beside a file which is given by name."""
    return _rules_beside(path, path.parent)


def _rules_beside(source: Path, top: Path, beside: Callable[[Path], Path | None] = own_rules) -> tuple[Path, ...]:
    """Give the rule folders beside a source and beside the folders above it up to ``top``, the outermost first."""
    folders = [source.parent, *source.parent.parents]
    inside = folders[: folders.index(top) + 1] if top in folders else folders[:1]
    return tuple(found for folder in reversed(inside) if (found := beside(folder)))


def _in_folder(folder: Path, depth: int = 0) -> Iterable[Work]:
    if depth > DEEPEST:
        raise SourceError(f"folders lie more than {DEEPEST} deep", where=str(folder)[:200], fix="move them up")
    if (folder / MANIFEST).is_file():  # editions that were built earlier are no sources
        return
    if folder.name == WORKS_FOLDER and folder.parent.name == RULES_FOLDER:  # `work.yaml` here is the file of a work
        return
    try:
        names = sorted(os.listdir(folder), key=_natural)  # noqa: PTH208 - names need less memory than paths
    except OSError as error:
        raise SourceError(f"the folder cannot be read ({error.strerror})", where=str(folder), fix="check it") from None
    sources = [p for name in names if Path(name).stem == "source" and (p := folder / name).is_file()]
    if (folder / WORK_FILE).is_file() or len(sources) == 1:
        yield _from_folder(folder, sources, [p for name in names if (p := folder / name).is_file()])
        return
    for entry in (folder / name for name in names):
        if entry.name.startswith(".") or entry.is_symlink():
            continue
        if entry.is_dir():
            yield from _in_folder(entry, depth + 1)
        elif entry.suffix.lower() in SUFFIXES:
            yield _from_file(entry)


def _natural(name: str) -> str:
    r"""Give a sort key under which 2.txt stands before 10.txt; short, since a folder may have very many names.

    >>> sorted(["10.txt", "2.txt", "a2", "a", "02.txt"], key=_natural)
    ['a', 'a2', '02.txt', '2.txt', '10.txt']
    """
    pieces = (p for p in re.split(r"([0-9]+)", name) if p)
    return "".join(_number(p) if p.isdecimal() else f"\1{p}\0" for p in pieces) + f"\0{name}"


def _number(digits: str) -> str:
    """Write a number so that a longer one is larger."""
    digits = digits.lstrip("0")
    return f"\2{chr(len(digits))}{digits}"


def _from_folder(folder: Path, sources: Sequence[Path], entries: Sequence[Path]) -> Work:
    others = list(sources) or [
        p for p in entries if p.name not in (WORK_FILE, COLLECTION_FILE) and p.suffix.lower() in SUFFIXES
    ]
    if len(others) != 1:
        raise SourceError(
            f"a work has one source, this folder has {len(others)}",
            where=str(folder),
            fix="name it source.txt, beside work.yaml",
        )
    return _described(others[0], folder / WORK_FILE, folder.resolve().name)


def _from_file(path: Path) -> Work:
    beside = path.parent / WORK_FILE
    if beside.is_file():
        texts = [p for p in path.parent.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file()]
        if path.stem == "source" or len(texts) == 1:
            return _described(path, beside, path.resolve().parent.name)
    return Work(safe_name(path.stem), path)


class _Description(NamedTuple):
    """What `work.yaml` says."""

    said: Mapping[str, tuple[str, ...]]
    encoding: str | None = None
    sha256: str = ""
    profile: str | None = None
    suppress: tuple[Suppression, ...] = ()

    def as_json(self) -> bytes:
        return json.dumps([self.said, self.encoding, self.sha256, self.profile]).encode()

    @classmethod
    def from_json(cls, body: bytes) -> _Description | None:
        try:
            said, *others = json.loads(body)
            return cls({key: tuple(values) for key, values in said.items()}, *others)
        except (ValueError, TypeError, AttributeError):
            return None


MOST_DESCRIPTIONS, LONGEST_DESCRIPTION = 64, 1 << 16
"""So many descriptions are kept for the next command, of so many bytes at most."""


def _described(source: Path, description: Path, name: str) -> Work:
    if not description.is_file():
        return Work(safe_name(name), source)
    key = _key_of(description)
    body = read_entry(key, "works") if key else None
    said = _Description.from_json(body) if body else None
    if said is None:
        said = _read_description(description)
        if key and not said.suppress:  # these know the place where they stand
            keep_entry(key, said.as_json(), MOST_DESCRIPTIONS, "works")
    profile = _profile(said.profile, description) if said.profile is not None else None
    return Work(safe_name(name), source, said.encoding, said.sha256, said.said, profile=profile, suppress=said.suppress)


def _key_of(description: Path) -> str | None:
    """Give the name under which a description is kept: for the first of a command, as YAML takes long to load."""
    if "yaml" in sys.modules:
        return None
    try:
        with description.open("rb") as file:
            data = file.read(LONGEST_DESCRIPTION + 1)
    except OSError:
        return None
    stamp = code_stamp().encode("utf-8", "surrogateescape")
    return hashlib.sha256(stamp + data).hexdigest() if len(data) <= LONGEST_DESCRIPTION else None


def _read_description(description: Path) -> _Description:
    from shanben.rulebook.strict_yaml import Faults, Reader

    faults = Faults()
    reader = Reader.open(description, faults)
    top = reader.mapping(allowed=(*METADATA_FIELDS, "encoding", "sha256", "note", "profile", "suppress"))
    said = {}
    for name_of_field in METADATA_FIELDS:
        if name_of_field in top:
            said[name_of_field] = _values(reader, name_of_field, top[name_of_field])
    _check_shapes(said, top, faults)
    encoding = reader.text(top["encoding"]) if "encoding" in top else None
    digest = reader.text(top["sha256"]) if "sha256" in top else ""
    profile = reader.text(top["profile"]) if "profile" in top else None
    suppress: tuple[Suppression, ...] = ()
    if "suppress" in top:
        from shanben.rulebook.refusals import read_suppressions

        suppress = read_suppressions(faults, top["suppress"])
    faults.raise_if_any()
    return _Description(said, encoding, digest.lower(), profile, suppress)


def _profile(named: str, description: Path) -> str:
    """Give the name of a profile; a file is looked for beside `work.yaml`."""
    return str(description.parent / named) if named.endswith((".yaml", ".yml")) else named


def _values(reader: Reader, key: str, node: Node) -> tuple[str, ...]:
    """Give the values of a metadata field; one that takes several may also stand there alone."""
    from shanben.rulebook.strict_yaml import Items

    if key in _LISTS and isinstance(node, Items):
        return tuple(reader.text_list(node))
    return (reader.text(node),)


def _check_shapes(said: dict[str, tuple[str, ...]], top: dict[str, Node], faults: Faults) -> None:
    """Note a language or date that no edition could hold."""
    for key, shape, example in (("language", _LANGUAGE, "zh-Hans"), ("date", _DATE, "2024-01-26, 2024-01 or 2024")):
        if key in said and said[key][0] and not shape.fullmatch(said[key][0]):
            faults.add("R205", top[key].place, f"{said[key][0][:40]!r} is no {key}", f"write it like {example}")


def with_own_slug(work: Work, parent: str, slugs: Names) -> Work:
    """Give a work a slug of its own; one that is taken gets the name of its folder before it, then a number after it."""
    slug = work.slug
    if slug.casefold() == Path(MANIFEST).stem or slugs.take(slug.casefold()):  # its TXT edition would be the manifest
        slug = own_name(safe_name(f"{parent}-{slug}"), slugs)
    return work if slug == work.slug else work._replace(slug=slug)


def own_name(name: str, names: Names) -> str:
    """Give a name that is not taken: this one, or with a number after it.

    >>> names = NamesInMemory()
    >>> own_name("a", names), own_name("A", names), own_name("a", names)
    ('a', 'A-2', 'a-3')
    """
    count = names.take(name.casefold())
    numbered = name
    while count:
        count += 1
        numbered = f"{name}-{count}"
        if not names.take(numbered.casefold()):
            break
    return numbered


# --- collections -------------------------------------------------------------------------------------------

_COLLECTION_FIELDS = (*(f for f in METADATA_FIELDS if f not in ("title", "url")),)


def find_collection(folder: Path, description: Path | None = None) -> Collection:
    """Read `collection.yaml`, or make a collection of all works of a folder, one part, in order of path.

    The file gives `title`, further metadata, and either `works` (a list of slugs) or `parts` (each with `title`
    and `works`). Without a list, sub-folders that hold several works become parts. Raises RuleError for
    faults of the file, SourceError when there is nothing to collect.
    """
    if not is_folder(folder):
        raise SourceError("this is no folder", where=str(folder), fix="give the folder that holds the works")
    if description is None and (folder / COLLECTION_FILE).is_file():
        description = folder / COLLECTION_FILE
    works = find_works([folder])
    name = safe_name(folder.resolve().name)
    if description is None:
        return Collection(f"{name}-collection", {"title": (name,)}, _parts_by_folder(folder, works))
    from shanben.rulebook.strict_yaml import Faults, Reader

    faults = Faults()
    reader = Reader.open(description, faults)
    allowed = ("title", "slug", "parts", "works", *_COLLECTION_FIELDS)
    top = reader.mapping(allowed=allowed, required=("title",))
    said = {key: _values(reader, key, top[key]) for key in ("title", *_COLLECTION_FIELDS) if key in top}
    _check_shapes(said, top, faults)
    slug = safe_name(reader.text(top["slug"])) if "slug" in top else f"{name}-collection"
    by_slug = {w.slug: w for w in works}
    if "parts" in top and "works" in top:
        faults.add("R205", top["works"].place, "`works` and `parts` exclude each other", "put the works into parts")
    parts: list[tuple[str, tuple[Work, ...]]] = []
    taken: set[str] = set()
    if "parts" in top:
        for node in reader.items(top["parts"]):
            part = reader.mapping(node, allowed=("title", "works"), required=("title", "works"))
            if "title" in part and "works" in part:
                parts.append((reader.text(part["title"]), _named(reader, part["works"], by_slug, taken)))
    elif "works" in top:
        parts.append(("", _named(reader, top["works"], by_slug, taken)))
    else:
        parts += _parts_by_folder(folder, works)
    faults.raise_if_any()
    return Collection(slug, said, tuple(parts))


def _named(reader: Reader, node: Node, by_slug: dict[str, Work], taken: set[str]) -> tuple[Work, ...]:
    from shanben.rulebook.strict_yaml import did_you_mean

    found = []
    for item in reader.items(node):
        slug = reader.text(item)
        if slug in taken:
            reader.faults.add("R205", item.place, f"the work {slug!r} stands twice", "name it once")
        elif slug in by_slug:
            taken.add(slug)
            found.append(by_slug[slug])
        elif slug:
            reader.faults.add(
                "R205", item.place, f"there is no work {slug!r} in this folder{did_you_mean(slug, by_slug)}",
                "name a folder that holds source.txt, or a text file without its suffix",
            )  # fmt: skip
    return tuple(found)


def _parts_by_folder(folder: Path, works: Sequence[Work]) -> tuple[tuple[str, tuple[Work, ...]], ...]:
    """Group works by the sub-folder that they lie in; a folder that is one work makes no part."""
    groups: dict[str, list[Work]] = {}
    for work in works:
        home = work.path.parent if work.path.stem != "source" else work.path.parent.parent
        inside = home.resolve().relative_to(folder.resolve()).parts if home.resolve() != folder.resolve() else ()
        groups.setdefault(inside[0] if inside else "", []).append(work)
    if len(groups) == 1:
        return (("", tuple(works)),)
    return tuple((name or folder.resolve().name, tuple(found)) for name, found in groups.items())
