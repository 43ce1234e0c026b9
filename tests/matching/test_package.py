"""The package is cheap to import, its examples run, and it needs nothing of the world."""

import doctest
import importlib
import json
import pkgutil
import subprocess
import sys
from types import ModuleType

import pytest

import matching
from matching.estimator import named_only

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


def test_a_matcher_loads_no_statistics_and_scikit_learn_finds_them_once_it_asks() -> None:
    program = (
        "import sys; from matching import Matcher; Matcher().fit([]);"
        "print('scipy.stats' in sys.modules);"
        "from sklearn.utils.fixes import _mode; print(_mode([1, 2, 2]).mode.item())"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "2"]


def test_what_is_loaded_already_stays_loaded() -> None:
    with named_only("json"):
        assert sys.modules["json"] is json
    with named_only("no_such_module"):
        assert not vars(sys.modules["no_such_module"]).keys() - vars(ModuleType("")).keys()

    assert sys.modules["json"] is json
    assert "no_such_module" not in sys.modules


def test_every_name_is_there_and_no_other() -> None:
    assert all(getattr(matching, name) is not None for name in matching.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Pairing'"):
        _ = matching.Pairing
