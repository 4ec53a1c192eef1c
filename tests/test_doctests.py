"""Every example in a docstring of the package holds.

Run from here and not collected from `converters/`, so that the package which is installed is the one tested:
the checkout in an editable install, the wheel otherwise.
"""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import shanben


def modules() -> list[str]:
    """Name every module of the package but `__main__`, which runs when it is imported."""
    found = [m.name for m in pkgutil.walk_packages(shanben.__path__, "shanben.")]
    return ["shanben", *(name for name in sorted(found) if not name.endswith("__main__"))]


def examples() -> list[doctest.DocTest]:
    finder = doctest.DocTestFinder()
    found = [finder.find(importlib.import_module(name), name) for name in modules()]
    return [test for tests in found for test in tests if test.examples]


@pytest.mark.parametrize("example", examples(), ids=lambda t: t.name)
def test_docstring_example(example: doctest.DocTest) -> None:
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    assert runner.run(example, out=said.append).failed == 0, "".join(said)
