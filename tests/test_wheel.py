"""The wheel holds what the checkout holds, and works from a folder that is not the repository.

The archives are made from a copy of the files that the source archive is said to take, by the hatchling that is
installed: nothing is fetched, and nothing is written into the checkout.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from importlib import metadata, resources
from importlib.util import find_spec
from pathlib import Path

import pytest

import shanben.resources
from conftest import ROOT, seed_folders
from shanben.resources import data_root, rules_root

SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PACKAGE = ROOT / "converters" / "shanben"


def run(command: list[str | Path], folder: Path, **options: object) -> subprocess.CompletedProcess[bytes]:
    """Run a command that must succeed, with nothing in the environment that could bring in another `shanben`."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "SHANBEN", "VIRTUAL_ENV"))}
    environment |= {"PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    given = {"stdin": subprocess.DEVNULL} | options
    done: subprocess.CompletedProcess[bytes] = subprocess.run(  # type: ignore[call-overload]
        command, cwd=folder, env=environment, capture_output=True, timeout=300, check=False, **given
    )
    assert done.returncode == 0, (done.stdout + done.stderr).decode(errors="replace")
    return done


def files_of(folder: Path) -> dict[str, bytes]:
    """Give the files under a folder by their names, without what Python leaves behind."""
    found = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    return {n: p.read_bytes() for n, p in sorted(found.items()) if "__pycache__" not in n and not n.endswith(".pyc")}


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Build the source archive and, from it, the wheel."""
    for module in ("build", "hatchling"):
        if find_spec(module) is None:
            pytest.skip(f"{module} is not installed, so no wheel can be built: pip install -e '.[test]'")
    copy = tmp_path_factory.mktemp("checkout")
    for name in SETTINGS["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]:
        source, target = ROOT / name.lstrip("/"), copy / name.lstrip("/")
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".*", "node_modules"))
        else:
            shutil.copyfile(source, target)
    shutil.copytree(ROOT / "seeds", copy / "seeds")
    out = tmp_path_factory.mktemp("archives")
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", out, copy], copy)
    assert sorted(p.name for p in copy.iterdir() if p.name in {"dist", "build"}) == []
    return next(out.glob("*.tar.gz")), next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def wheel(archives: tuple[Path, Path]) -> dict[str, bytes]:
    with zipfile.ZipFile(archives[1]) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}


def test_wheel_holds_every_rule_byte_for_byte(wheel: dict[str, bytes]) -> None:
    prefix = "shanben/rules/"
    shipped = {n.removeprefix(prefix): data for n, data in wheel.items() if n.startswith(prefix)}
    assert shipped == files_of(ROOT / "rules")
    assert any(n.endswith(".yaml") for n in shipped)


def test_wheel_holds_the_whole_package_and_nothing_else(wheel: dict[str, bytes]) -> None:
    prefix = "shanben/"
    shipped = {n.removeprefix(prefix): d for n, d in wheel.items() if n.startswith(prefix)}
    assert {n: d for n, d in shipped.items() if not n.startswith("rules/")} == files_of(PACKAGE)
    assert "py.typed" in shipped
    assert any(n.startswith("data/") for n in shipped)
    assert {n.split("/")[0] for n in wheel} == {"shanben", f"shanben-{shanben.__version__}.dist-info"}


def test_wheel_holds_the_licences_and_the_command(wheel: dict[str, bytes]) -> None:
    info = f"shanben-{shanben.__version__}.dist-info"
    for name in SETTINGS["project"]["license-files"]:
        assert wheel[f"{info}/licenses/{name}"] == (ROOT / name).read_bytes()
    assert b"shanben = shanben.start:main" in wheel[f"{info}/entry_points.txt"]


def test_source_archive_takes_no_seeds_and_no_editions(archives: tuple[Path, Path]) -> None:
    with tarfile.open(archives[0]) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert {"constraints.txt", "LICENSE", "rules/LICENSE", "converters/shanben/cli.py"} <= names
    assert {n.split("/")[0] for n in names} & {"seeds", "dist", ".ci", ".git", ".venv", "node_modules"} == set()


@pytest.fixture(scope="module")
def installed(archives: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into an environment of its own and give that environment's Python.

    The other packages are borrowed from the environment at hand by a path that comes last. An editable install
    of the checkout does not come along: it is a `.pth` file, and those are read in site folders only.
    """
    if find_spec("pip") is None:
        pytest.skip("pip is not installed, so the wheel cannot be installed: python -m ensurepip")
    home = tmp_path_factory.mktemp("environment")
    venv.EnvBuilder(with_pip=False, symlinks=os.name != "nt").create(home)
    folder = home / ("Scripts" if os.name == "nt" else "bin")
    python = folder / ("python.exe" if os.name == "nt" else "python")
    site = Path(
        run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], home).stdout.decode().strip()
    )
    borrowed = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    options = ["--no-deps", "--no-index", "--no-compile", "--disable-pip-version-check"]
    run([sys.executable, "-m", "pip", "--python", python, "install", *options, archives[1]], home)
    # Only now, or pip would find the `shanben` of the environment at hand and install nothing.
    (site / "borrowed.pth").write_text("\n".join(borrowed) + "\n", "utf-8")
    where = "import shanben; print(shanben.__file__)"
    found = Path(run([python, "-P", "-c", where], home).stdout.decode().strip())
    assert found.is_relative_to(home), f"the tests would look at {found}, which is not the wheel"
    return python


def test_installed_rules_are_those_of_the_wheel(installed: Path, tmp_path: Path) -> None:
    """The second branch of `rules_root`: inside the installed package."""
    ask = "from shanben.resources import *; print(rules_root()); print(data_root())"
    rules, data = map(Path, run([installed, "-P", "-c", ask], tmp_path).stdout.decode().split("\n")[:2])
    assert rules.is_relative_to(installed.parents[1])
    assert data.is_relative_to(installed.parents[1])
    assert files_of(rules) == files_of(ROOT / "rules")
    assert files_of(data) == files_of(PACKAGE / "data")


def test_installed_command_cleans_a_text_from_anywhere(installed: Path, tmp_path: Path) -> None:
    command = installed.with_name("shanben.exe" if os.name == "nt" else "shanben")
    dirty = "\ufeff第一章\u3000总则\r\n本 条例\u200b所称\x07“单位”,是指机关。\r\n".encode()
    done = subprocess.run([command, "clean"], input=dirty, cwd=tmp_path, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    text = done.stdout.decode()
    assert "“单位”，是指机关。" in text
    assert not set("\ufeff\u200b\x07\r") & set(text)


def test_installed_command_builds_a_seed_from_anywhere(installed: Path, tmp_path: Path) -> None:
    """The editions of the wheel are, byte for byte, those of the package that is tested here."""
    command = installed.with_name("shanben.exe" if os.name == "nt" else "shanben")
    seed = seed_folders()[0]
    run([command, "build", seed, "-o", "wheel"], tmp_path)
    run([sys.executable, "-m", "shanben", "build", seed, "-o", "here"], tmp_path)
    made = files_of(tmp_path / "wheel")
    assert {Path(n).suffix for n in made} >= {".epub", ".html", ".txt", ".jsonl", ".json"}
    assert made == files_of(tmp_path / "here")
    reports = json.loads(run([command, "verify", "wheel", "--json"], tmp_path).stdout)
    assert [r["faults"] for r in reports] == [[]]


def test_rules_of_a_checkout_are_read_where_they_are_edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first branch of `rules_root`, as an editable install sees it."""
    (tmp_path / "rules").mkdir()
    monkeypatch.setattr(shanben.resources, "__file__", str(tmp_path / "converters" / "shanben" / "resources.py"))
    assert rules_root() == tmp_path / "rules"


@pytest.mark.parametrize("parent", ["lib/site-packages", "converters"])
def test_rules_are_inside_the_package_when_there_is_no_checkout(
    parent: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second branch: no `rules/` two folders up, or one that only happens to stand there."""
    place = tmp_path / parent / "shanben"
    if parent != "converters":
        (place.parents[1] / "rules").mkdir(parents=True)
    monkeypatch.setattr(shanben.resources, "__file__", str(place / "resources.py"))
    assert rules_root() == resources.files("shanben") / "rules"


def test_rules_and_data_are_there() -> None:
    """Whichever way this `shanben` is installed, its rules are those of the checkout: no aged copy is read."""
    found = rules_root()
    assert isinstance(found, Path)
    assert files_of(found) == files_of(ROOT / "rules"), "an old copy is installed: run the install command again"
    assert (data_root() / "epub.css").is_file()


def test_version_is_told_once() -> None:
    assert metadata.version("shanben") == shanben.__version__, "run the install command again"


def test_constraints_pin_all_dependencies() -> None:
    """Every package of pyproject.toml has its exact version in constraints.txt, and no line names anything else."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = [line.partition("==") for line in lines if line and not line.startswith("#")]
    assert all(name and sign and version.replace(".", "").isalnum() for name, sign, version in pins)
    names = [canonical(name) for name, _, _ in pins]
    assert len(names) == len(set(names))
    asked = [*SETTINGS["project"]["dependencies"], *SETTINGS["build-system"]["requires"]]
    asked += [r for extra in SETTINGS["project"]["optional-dependencies"].values() for r in extra]
    assert {canonical(r.split(">=")[0].split("[")[0]) for r in asked} - {"shanben"} <= set(names)
    assert all(">=" in r for r in asked if not r.startswith("shanben[")), "a dependency has a lower bound"


def canonical(name: str) -> str:
    return name.strip().lower().replace("_", "-").replace(".", "-")
