"""How tests run: where files lie, what comes first, what is measured and what is left to the drill.

With xdist the controller runs no test: it loads none of our code and no fixtures, for the workers begin only
when it is ready.
"""

from __future__ import annotations

import gc
import importlib
import os
import pkgutil
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import coverage
import pytest

from tests.folders import fast_folder

# Tests that send what others send, in great number: measuring them would take minutes and add nothing.
UNMEASURED = {"attacks", "browser", "contract", "docs", "faults", "freshness", "realdata"}
# Tests whose lines other files reach, found by `pytest --cov-context=test`: measuring doubles what they take.
REACHED_ELSEWHERE = {
    "resources/test_blocks.py", "resources/test_blocks_as_erased.py", "resources/test_connections.py",
    "resources/test_imports.py", "resources/test_invitations.py", "resources/test_moves.py",
    "resources/test_responses.py", "resources/test_suggestions.py", "resources/test_terms.py",
    "storage/test_database.py", "storage/test_stamps.py", "storage/test_tombstones.py",
    "usecases/test_erasures.py", "usecases/test_pairs.py", "usecases/test_refits.py", "web/test_gate.py",
}  # fmt: skip
# Attacks with many cases: the short form takes every third of them, the drill all.
THINNED = {"attacks"}
WHOLE = {"test_tenants.py", "test_separation.py", "test_separation_http.py"}
CASES = 6
STEP = 3
# What runs alike on either database: the short form takes every third test to PostgreSQL, the drill all.
# tests/contract/test_walk.py calls every route on both.
SAMPLED = {"resources", "usecases"}
ON_BOTH = {"test_jobs.py", "test_pairs.py", "test_pairs_machine.py", "test_rounds.py"}

# Few tests, much time: begun last, they would leave the other worker idle.
LONG = [
    "test_real_sets.py", "test_property.py", "test_erasure.py", "test_quality.py", "test_openapi.py",
    "test_pairs_machine.py", "test_idempotency_killed.py", "test_access.py", "test_inputs_bodies.py",
    "test_inputs_paths.py", "test_erasures.py", "test_pages.py", "test_demo.py", "test_processes.py",
]  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    """Put the folders of `tmp_path` into memory, unless told where; xdist's workers get theirs inside."""
    if config.option.basetemp is None:
        folder = fast_folder()
        config.option.basetemp = str(folder / "tests")
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    if runs_tests(config):
        config.pluginmanager.import_plugin("tests.fixtures")
    if hasattr(config, "workerinput"):
        measure_once(config)


def runs_tests(config: pytest.Config) -> bool:
    """Tell whether tests run in this process: not in the controller of xdist's workers."""
    return config.getoption("dist", "no") == "no" or bool(config.option.collectonly)


def measure_once(config: pytest.Config) -> None:
    """End the two measurings that a worker has begun before pytest-cov begins its own in this process.

    As one that the controller has started, and as any pytest, it measures already. Each would go on where
    the next one pauses: nothing would ever be unmeasured.
    """
    plugin = config.pluginmanager.getplugin("_cov")
    if plugin and plugin.cov_controller:
        plugin.cov_controller.cov.stop()
        plugin.cov_controller.cov.save()  # what is run as modules are loaded, and not again
    if begun := getattr(coverage.process_startup, "coverage", None):
        begun.stop()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Measure no coverage where it is known already, leave much to the drill, and begin with what is long.

    To the drill go many cases of one attack, and most of what runs on PostgreSQL as it does on SQLite.
    """
    seen: dict[str, list[pytest.Item]] = {}
    sampled: dict[Path, list[pytest.Item]] = {}
    for item in items:
        folder = item.path.parent.name
        # What made-up examples reach is chance, and they are many: a plain test shall reach each line.
        made_up = isinstance(item, pytest.Function) and hasattr(item.obj, "is_hypothesis_test")
        reached = folder in UNMEASURED or f"{folder}/{item.path.name}" in REACHED_ELSEWHERE
        if reached or made_up or "postgresql" in item.name:
            item.add_marker("unmeasured")
        if folder in THINNED and item.path.name not in WHOLE and not item.get_closest_marker("drill"):
            seen.setdefault(item.nodeid.partition("[")[0], []).append(item)
        if folder in SAMPLED and item.path.name not in ON_BOTH and "postgresql" in item.name:
            sampled.setdefault(item.path, []).append(item)
    for cases in [*(cases for cases in seen.values() if len(cases) > CASES), *sampled.values()]:
        for number, item in enumerate(cases):
            if number % STEP:
                item.add_marker("drill")
    rank = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: rank.get(item.path.name, len(LONG)))


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Measure no collecting: that our modules are loaded, which is measured, comes before it."""
    if session.config.pluginmanager.hasplugin("_cov") and runs_tests(session.config):
        for package in map(importlib.import_module, ("matching", "service")):
            for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
                if ".migrations" not in module.name:  # which only Alembic can load
                    importlib.import_module(module.name)
    with unmeasured(session.config):
        collected = yield
    gc.freeze()  # else each look for what is unused goes through all that was loaded
    return collected


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Measure neither the fixtures of an unmeasured test nor a process that it starts."""
    if item.get_closest_marker("unmeasured") is None:
        return (yield)
    with unmeasured(item.config):
        return (yield)


@contextmanager
def unmeasured(config: pytest.Config) -> Iterator[None]:
    """Measure no coverage within the block, here or in processes that are started."""
    plugin = config.pluginmanager.getplugin("_cov")
    controller = plugin.cov_controller if plugin else None
    asked = os.environ.pop("COVERAGE_PROCESS_CONFIG", None)
    if controller:
        controller.pause()
    try:
        yield
    finally:
        if controller:
            controller.resume()
        if asked is not None:
            os.environ["COVERAGE_PROCESS_CONFIG"] = asked
