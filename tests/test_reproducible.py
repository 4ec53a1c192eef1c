"""Same sources, same bytes: on another day, in another folder, under another locale; and dist/ is what we build.

The builds are processes of their own, so that what Python reads once at its start (hash seed, locale, time
zone) differs too. They take `shanben` as it is installed.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest

from conftest import ROOT, SEEDS

DIST = ROOT / "dist"
WAY_OUT = "If the new editions are right, read what changes in them, run `shanben build` and commit dist/."

SAMPLE = "".join(f"{n * n % 9973:x}，" for n in range(20_000)).encode()
PLAIN_ZLIB = "e784ad72ca511a7a"
"""Digest of SAMPLE packed by the zlib that dist/ was built with. zlib-ng and others pack the same data otherwise."""


def same_zlib() -> bool:
    packer = zlib.compressobj(zlib.Z_DEFAULT_COMPRESSION, zlib.DEFLATED, -15)
    packed = packer.compress(SAMPLE) + packer.flush()
    return hashlib.sha256(packed).hexdigest().startswith(PLAIN_ZLIB)


def build(folder: Path, *, umask: int, **environment: str) -> dict[str, bytes]:
    """Build copies of all seeds in ``folder``, as `shanben build` does, and give every file by its name."""
    shutil.copytree(SEEDS, folder / "seeds")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PYTHON"))}
    done = subprocess.run(
        [sys.executable, "-m", "shanben", "build"],
        cwd=folder,
        env={**inherited, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=300,
        check=False,
        umask=umask if os.name == "posix" else -1,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return contents(folder / "dist")


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def differences(expected: dict[str, bytes], found: dict[str, bytes]) -> list[str]:
    """Say by name which files are gone, new or different, and where the first difference of each is."""
    said = [f"{name}: is not built any more" for name in expected.keys() - found.keys()]
    said += [f"{name}: is new" for name in found.keys() - expected.keys()]
    for name in expected.keys() & found.keys():
        if expected[name] != found[name]:
            pairs = enumerate(zip(expected[name], found[name], strict=False))
            at = next((n for n, (a, b) in pairs if a != b), min(len(expected[name]), len(found[name])))
            one, other = expected[name][at : at + 40], found[name][at : at + 40]
            said.append(f"{name}: differs from byte {at}: {one!r} is now {other!r}")
    return sorted(said)


def unpacked(files: dict[str, bytes]) -> dict[str, bytes]:
    """Give the same without what depends on the zlib at hand: EPUBs by their members, and no digests of EPUBs."""
    plain: dict[str, bytes] = {}
    for name, data in files.items():
        if name.endswith(".epub"):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                plain |= {f"{name}/{m.filename} {m.date_time}": archive.read(m) for m in archive.infolist()}
        elif name.endswith("manifest-sha256.txt"):
            plain[name] = b"".join(line.split(b"  ", 1)[1] for line in data.splitlines(keepends=True))
        elif name.endswith(".json"):
            told = json.loads(data)
            for edition in told["editions"]:
                if edition["format"] == "epub":
                    del edition["size"], edition["sha256"]
            plain[name] = json.dumps(told, ensure_ascii=False, indent=2).encode()
        else:
            plain[name] = data
    return plain


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    here = tmp_path_factory.mktemp("one")
    return build(here, umask=0o022, TZ="UTC", LC_ALL="C.UTF-8", PYTHONHASHSEED="0")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    here = tmp_path_factory.mktemp("other") / "a folder with blanks, 另一个"
    return build(
        here,
        umask=0o077,
        TZ="Pacific/Kiritimati",
        LC_ALL="C",
        PYTHONHASHSEED="4294967295",
        PYTHONUTF8="0",
        PYTHONCOERCECLOCALE="0",
        SOURCE_DATE_EPOCH="1700000000",
    )


def test_two_builds_give_the_same_bytes(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    assert differences(one, other) == []
    works = {p.name for p in SEEDS.iterdir() if p.is_dir()}
    assert {Path(n).parts[0] for n in one} == works | {"index.html"}, "every seed is built"


def test_dist_is_what_the_seeds_give(one: dict[str, bytes]) -> None:
    if not DIST.is_dir():
        pytest.skip("dist/ is missing, so there is nothing to compare with: run `shanben build`")
    committed = contents(DIST)
    changed = differences(committed, one) if same_zlib() else differences(unpacked(committed), unpacked(one))
    assert not changed, "\n".join(["dist/ is not what `shanben build` makes of seeds/ and rules/:", *changed, WAY_OUT])


def test_differences_are_named() -> None:
    expected, found = {"a.txt": b"abc", "b.txt": b"", "same": b"x"}, {"a.txt": b"abd", "c.txt": b"", "same": b"x"}
    assert differences(expected, found) == [
        "a.txt: differs from byte 2: b'c' is now b'd'",
        "b.txt: is not built any more",
        "c.txt: is new",
    ]


def test_unpacked_editions_differ_only_by_content(one: dict[str, bytes]) -> None:
    """What is compared under another zlib still sees every member of every EPUB."""
    plain = unpacked(one)
    assert sum(".epub/" in name for name in plain) > 5 * sum(name.endswith(".epub") for name in one)
    assert not differences(plain, unpacked(dict(one)))
    name = next(n for n in one if n.endswith(".epub"))
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(one[name])) as old, zipfile.ZipFile(buffer, "w") as new:
        for member in old.infolist():
            new.writestr(zipfile.ZipInfo(member.filename, member.date_time), old.read(member), zipfile.ZIP_STORED)
    assert buffer.getvalue() != one[name]
    assert not differences(plain, unpacked(one | {name: buffer.getvalue()}))
