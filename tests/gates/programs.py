"""EPUBCheck, Ace, the Nu HTML checker and Chromium. Each function gives what the program found, or skips the test.

Everything is installed with `pip install -r .ci/gates/requirements.txt` and, in .ci/gates,
`PUPPETEER_SKIP_DOWNLOAD=1 ELECTRON_SKIP_BINARY_DOWNLOAD=1 npm ci --ignore-scripts`; Java, Node and Chromium
come from the machine. EPUBCHECK_JAR, ACE, GATES_NODE_MODULES and CHROMIUM name other places.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NPM = "in .ci/gates: PUPPETEER_SKIP_DOWNLOAD=1 ELECTRON_SKIP_BINARY_DOWNLOAD=1 npm ci --ignore-scripts"
JAVA_OPTIONS = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xss8m")
"""A short run: compiling little takes less time than it saves. The Nu checker needs a deep stack."""


def program(name: str, *others: str, variable: str = "") -> str:
    """Give the path of a program of the machine."""
    named = os.environ.get(variable, "") if variable else ""
    for candidate in (named, name, *others):
        if candidate and (found := shutil.which(candidate)):
            return found
    pytest.skip(f"{name} is not installed: apt-get install {name}" + (f", or set {variable}" if variable else ""))


def node_module(path: str) -> Path:
    """Give a file of the pinned npm packages."""
    for folder in (os.environ.get("GATES_NODE_MODULES", ""), ROOT / ".ci/gates/node_modules", ROOT / "node_modules"):
        if folder and (found := Path(folder) / path).exists():
            return found.absolute()
    pytest.skip(f"{path} is not installed: {NPM}, or set GATES_NODE_MODULES")


def epubcheck_jar() -> Path:
    """Give the jar of EPUBCheck 5, which the PyPI package brings along."""
    if (named := os.environ.get("EPUBCHECK_JAR")) and Path(named).is_file():
        return Path(named)
    spec = importlib.util.find_spec("epubcheck")
    for folder in spec.submodule_search_locations or [] if spec else []:
        for jar in sorted(Path(folder).rglob("epubcheck*.jar")):
            return jar
    pytest.skip("EPUBCheck is not installed: pip install -r .ci/gates/requirements.txt, or set EPUBCHECK_JAR")


def epubcheck(book: Path) -> list[str]:
    """Give every message of EPUBCheck, usage notes included."""
    report = book.with_suffix(".epubcheck.json")
    command = [program("java"), *JAVA_OPTIONS, "-jar", str(epubcheck_jar()), "-u", "-j", str(report), str(book)]
    subprocess.run(command, capture_output=True, timeout=600, check=False)
    messages = json.loads(report.read_text(encoding="utf-8"))["messages"]
    return [f"{m['severity']} {m['ID']}: {m['message']}" for m in messages if m["severity"] != "SUPPRESSED"]


def ace(book: Path) -> list[str]:
    """Give every violation that Ace reports. Its browser sometimes fails to start: it gets two more tries."""
    runner = os.environ.get("ACE") or str(node_module(".bin/ace-puppeteer"))
    folder = book.with_suffix(".ace")
    environment = os.environ | {
        "PUPPETEER_EXECUTABLE_PATH": program("chromium", "google-chrome", variable="CHROMIUM"),
        "ACE_TIMEOUT_INITIAL": "30000",
    }
    said = ""
    for _ in range(3):
        shutil.rmtree(folder, ignore_errors=True)
        done = subprocess.run(
            [runner, "-f", "-o", str(folder), str(book)],
            env=environment, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        said = done.stdout + done.stderr
        if (folder / "report.json").is_file():
            report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
            return [
                f"{test.get('earl:impact')} {test['dct:title']} in {page['earl:testSubject']['url']}"
                for page in report["assertions"]
                for test in (found["earl:test"] for found in page["assertions"])
            ]
    raise AssertionError(f"Ace gave no report: {said[-2000:]}")


def nu(pages: Sequence[Path]) -> list[str]:
    """Give every error and warning of the Nu HTML checker over all pages at once."""
    jar = node_module("vnu-jar/build/dist/vnu.jar")
    command = [program("java"), *JAVA_OPTIONS, "-jar", str(jar), "--format", "json", "--exit-zero-always"]
    done = subprocess.run(
        [*command, *map(str, pages)], capture_output=True, text=True, timeout=600, check=True, encoding="utf-8"
    )
    messages = json.loads(done.stderr)["messages"]
    return [f"{m['type']} {m.get('subType', '')} {m['url']}: {m['message']}"[:400] for m in messages]


def browse(pages: Sequence[Path], pictures: Path) -> list[dict[str, Any]]:
    """Open every page in Chromium: light and dark, wide and phone, and print it; give what was seen."""
    script = Path(__file__).with_name("browser.cjs")
    library = node_module("playwright-core")
    browser = program("chromium", "google-chrome", variable="CHROMIUM")
    done = subprocess.run(
        [program("node", "nodejs"), str(script), str(library), browser, str(pictures), *map(str, pages)],
        capture_output=True, text=True, timeout=600, check=False, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    seen: list[dict[str, Any]] = json.loads(done.stdout)
    return seen
