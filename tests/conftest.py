"""What several test files need: the seeds of this checkout, and profiles for the property tests."""

from __future__ import annotations

import importlib
import os
import pkgutil
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import shanben
from shanben.lazy import _Lazy

# Programs that need the extra `bench`, and are started as programs.
collect_ignore = [f"benchmarks/{name}.py" for name in ("batch", "detection", "editions", "engine", "memory", "start")]

ROOT = Path(__file__).parents[1]
SEEDS = ROOT / "seeds"

# A shell, or nohup, may start what runs in the background with signals ignored; programs keep to that, tests send them.
for word, to in (("SIGINT", signal.default_int_handler), ("SIGTERM", signal.SIG_DFL), ("SIGHUP", signal.SIG_DFL)):
    if (number := getattr(signal, word, None)) and signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, to)

settings.register_profile(
    "default", deadline=None, max_examples=60, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("long", parent=settings.get_profile("default"), max_examples=2000, derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def write_files(root: Path, files: Mapping[str, str]) -> Path:
    """Write files by their path under ``root``, which is given back."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return root


def seed_folders() -> list[Path]:
    """Give the folders of all seeds, in order."""
    return sorted(p for p in SEEDS.iterdir() if (p / "work.yaml").is_file())


def lazy_patterns() -> Iterator[_Lazy]:
    """Give the patterns of our own code that wait for their first use, of all modules."""
    for module in pkgutil.walk_packages(shanben.__path__, "shanben."):
        if module.name != "shanben.__main__":
            yield from (v for v in vars(importlib.import_module(module.name)).values() if isinstance(v, _Lazy))


@pytest.fixture(params=seed_folders(), ids=lambda p: p.name)
def seed(request: pytest.FixtureRequest) -> Path:
    """Give the folder of each seed in turn."""
    return Path(request.param)


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let the tests, and the programs that they start, keep checked rules, and what they finished, in folders of their own.

    Nothing is known of earlier runs, nothing is kept for later ones: pytest clears its folders away.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHANBEN_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        patch.setenv("SHANBEN_STATE", str(tmp_path_factory.getbasetemp() / "state"))
        yield
