"""BagIt 1.0 (RFC 8493): files to a bag, and what is wrong with a bag. Not a word about what the files mean."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from shanben.errors import ShanbenError, VerifyError
from shanben.fixity import MAX_FAULTS, check_size, manifest_lines, read_inside

DECLARATION = "bagit.txt"
INFO = "bag-info.txt"
ALGORITHMS = ("sha256", "sha512")
_BAGIT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"


def is_bag(folder: Path) -> bool:
    """Tell whether a folder says that it is a bag."""
    return (folder / DECLARATION).is_file()


def make_bag(payload: Mapping[str, bytes], info: Iterable[tuple[str, str]]) -> dict[str, bytes]:
    """Give all files of a bag with ``payload`` (names without `data/`) and the lines of `bag-info.txt`."""
    files = {f"data/{name}": data for name, data in payload.items()}
    lines = [*info, ("Payload-Oxum", f"{sum(map(len, files.values()))}.{len(files)}")]
    tags = {DECLARATION: _BAGIT, INFO: "".join(f"{label}: {value}\n" for label, value in lines).encode()}
    tags |= {f"manifest-{a}.txt": _manifest(a, files) for a in ALGORITHMS}
    return files | tags | {f"tagmanifest-{a}.txt": _manifest(a, tags) for a in ALGORITHMS}


def _manifest(algorithm: str, files: Mapping[str, bytes]) -> bytes:
    rows = (f"{hashlib.new(algorithm, files[n]).hexdigest()}  {_written(n)}\n" for n in sorted(files))
    return "".join(rows).encode()


def _written(name: str) -> str:
    """Write a name as a manifest has it."""
    return name.replace("%", "%25").replace("\n", "%0A").replace("\r", "%0D")


def _name(written: str) -> str:
    for code, sign in (("%0A", "\n"), ("%0a", "\n"), ("%0D", "\r"), ("%0d", "\r"), ("%25", "%")):
        written = written.replace(code, sign)
    return written


def check_bag(folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """Read a bag and give its payload files (names with `data/`) and all faults, each with the file that has it.

    Where the digests of two algorithms disagree about a file, one of them fits, and its twin is the damaged one.
    """
    faults: list[str] = []
    try:
        check_size(folder)
        tags = _read_tags(folder, faults)
        tag_lists = {a: _listed(f"tagmanifest-{a}.txt", tags, faults) for a in ALGORITHMS}
        lists = {a: _listed(f"manifest-{a}.txt", tags, faults) for a in ALGORITHMS}
    except VerifyError as error:
        return {}, [error.what]
    own = {n: data for n, data in tags.items() if not n.startswith("tagmanifest-")}
    _compare(own, tag_lists, "tagmanifest", faults)
    files: dict[str, bytes] = {}
    for name in sorted({n for listed in lists.values() for n in listed}):
        with suppress(ShanbenError):
            if name.startswith("data/"):
                files[name] = read_inside(folder, name)
    _compare(files, lists, "manifest", faults)
    known = {*files, *tags}
    for found in sorted(folder.rglob("*")):
        name = found.relative_to(folder).as_posix()
        if found.is_symlink() or (not found.is_dir() and name not in known):
            faults.append(f"{name[:100]}: this file is in no manifest, or is a link")
    if not faults:
        faults += _rewritten(files, tags)
    return files, faults


def _read_tags(folder: Path, faults: list[str]) -> dict[str, bytes]:
    wanted = [DECLARATION, INFO, *(f"{kind}manifest-{a}.txt" for kind in ("", "tag") for a in ALGORITHMS)]
    tags = {}
    for name in wanted:
        try:
            tags[name] = read_inside(folder, name)
        except ShanbenError as error:
            faults.append(f"{name}: {error.what}")
    if tags.get(DECLARATION, _BAGIT) != _BAGIT:
        faults.append(f"{DECLARATION}: it does not declare a bag of version 1.0 in UTF-8")
    return tags


def _listed(manifest: str, tags: Mapping[str, bytes], faults: list[str]) -> dict[str, str]:
    """Read a manifest: name → digest."""
    found: dict[str, str] = {}
    if manifest not in tags:
        return found
    size = hashlib.new(manifest.rpartition("-")[2].removesuffix(".txt")).digest_size * 2
    for number, line in manifest_lines(tags[manifest]):
        if len(faults) >= MAX_FAULTS:
            break
        digest, _, name = line.partition("  ")
        if len(digest) != size or set(digest) - set("0123456789abcdef") or not name or _name(name) in found:
            faults.append(f"{manifest}:{number}: this is no line of a manifest, or its file was named before")
        else:
            found[_name(name)] = digest
    return found


def _compare(files: Mapping[str, bytes], lists: Mapping[str, Mapping[str, str]], kind: str, faults: list[str]) -> None:
    """Compare files with the digests of all manifests of one kind, and tell which side is damaged."""
    for name in sorted({*files, *(n for listed in lists.values() for n in listed)}):
        naming = [a for a, listed in lists.items() if name in listed]
        shown = name[:100] if name.isprintable() else repr(name[:100])
        if name not in files:
            if len(naming) == len(lists):
                faults.append(f"{shown}: this file is missing, or its name leads out of the bag")
            else:
                faults += [f"{kind}-{a}.txt: damaged, it names {shown}, which is not there" for a in naming]
            continue
        fits = [a for a in naming if hashlib.new(a, files[name]).hexdigest() == lists[a][name]]
        if naming and not fits:
            faults.append(f"{shown}: its bytes are not those that were packed ({', '.join(naming)} differs)")
            continue
        for a in lists:
            if a not in naming:
                faults.append(f"{kind}-{a}.txt: {shown} is not in it")
            elif a not in fits:
                faults.append(f"{kind}-{a}.txt: damaged, its digest of {shown} is not the right one")


def _rewritten(files: Mapping[str, bytes], tags: Mapping[str, bytes]) -> list[str]:
    """Tell which manifest is not, byte for byte, the one that would be written; and whether Payload-Oxum holds."""
    own = {n: data for n, data in tags.items() if not n.startswith("tagmanifest-")}
    wanted = {f"manifest-{a}.txt": _manifest(a, files) for a in ALGORITHMS}
    wanted |= {f"tagmanifest-{a}.txt": _manifest(a, own) for a in ALGORITHMS}
    faults = [f"{n}: its bytes are not those that were written" for n, data in wanted.items() if tags[n] != data]
    oxum = f"Payload-Oxum: {sum(map(len, files.values()))}.{len(files)}\n".encode()
    if oxum not in tags[INFO]:
        faults.append(f"{INFO}: Payload-Oxum does not give the size of the payload")
    return faults
