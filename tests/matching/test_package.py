"""The package is cheap to import, its examples run, and it needs nothing of the world."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

import matching

MODULES = [f"matching.{module.name}" for module in pkgutil.iter_modules(matching.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_run(name: str) -> None:
    module = importlib.import_module(name)

    result = doctest.testmod(module, globs=vars(matching) | vars(module))

    assert result.failed == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder()

    examples = [
        test for name in MODULES for test in finder.find(importlib.import_module(name)) if test.examples
    ]

    assert "matching.matcher.Matcher" in {test.name for test in examples}


def test_building_profiles_loads_no_numerics() -> None:
    program = (
        "import sys; from matching import Place, Profile, Slot, TermModel, Answer, normalise, fold;"
        "print([name for name in ('numpy', 'scipy', 'sklearn') if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_every_name_is_there_and_no_other() -> None:
    assert all(getattr(matching, name) is not None for name in matching.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Pairing'"):
        _ = matching.Pairing
