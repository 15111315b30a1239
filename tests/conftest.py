"""The two engines that every test can run on, and an environment in which nothing of the machine leaks in.

``--engine moto`` (default) is in memory; ``--engine local`` is DynamoDB Local, Amazon's own engine, at
``POLYMICRO_TEST_ENDPOINT`` (default http://127.0.0.1:8000). It is shared by parallel workers: a test names
its tables by the fixture ``table_name``. ``--engine none`` runs those that meet neither. ``--compiled off`` runs them
without the compiled path.
"""

import os
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from botocore import hooks
from botocore.hooks import EventAliaser, HierarchicalEmitter
from botocore.loaders import JSONFileLoader, Loader
from local_engine import local

from polymicro_lambda.project.isolation import (
    FAKE_AWS,
    NO_AWS_SETTINGS,
    forget_connections,
    machine_variables,
    strict_moto,
)
from polymicro_lambda.schemas.fast_path import SWITCH

LANES = {Path(__file__).parent / name: name for name in ("clients", "new_project", "sam")}
"""Directories of tests that need what only their own lane sets up -> the marker by which it asks for them."""

parsed = cache(JSONFileLoader().load_file)
alias = EventAliaser(HierarchicalEmitter())._alias_event_name


@cache
def services(kind: str, *paths: str, listed: Any = Loader.list_available_services) -> list[str]:
    names: list[str] = listed(Loader(extra_search_paths=paths, include_default_search_paths=False), kind)
    return names


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine", choices=("moto", "local", "none"), default="moto", help="what answers as DynamoDB"
    )
    parser.addoption(
        "--examples", type=int, default=8, help="walks of the state machine of each kind of model"
    )
    parser.addoption(
        "--compiled", choices=("on", "off"), default="on", help="whether items take the short ways"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Before any module is collected, forget what this machine says of AWS and of this library."""
    for name in machine_variables(os.environ):
        del os.environ[name]
    os.environ |= {**NO_AWS_SETTINGS, "POWERTOOLS_TRACE_DISABLED": "true"}
    if config.getoption("--compiled") == "off":
        os.environ[SWITCH] = "0"


def less_work(config: pytest.Config) -> None:
    """What botocore and moto do anew for each client and each mock: to read 2 MB of JSON, to list 1,000 directories.

    And to look at the signatures of handlers, and to answer the package requests, by which nothing here calls AWS.
    """
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    patch.setattr(JSONFileLoader, "load_file", lambda _, path: parsed(path))
    patch.setattr(Loader, "list_available_services", lambda self, kind: services(kind, *self.search_paths))
    patch.setattr(EventAliaser, "_alias_event_name", lambda _, name: alias(name))
    patch.setattr(hooks, "accepts_kwargs", lambda _: True)
    if config.getoption("--engine") == "moto":
        patch.setattr("moto.core.models.RESPONSES_METHODS", ())


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """`make test-sam` asks for the tests under SAM by ``-m sam``, and so do the other lanes for theirs."""
    lane = LANES.get(collection_path)
    return True if lane and lane not in config.getoption("-m") else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave what only Amazon's engine does to the lane that has it, and there what meets no engine."""
    _leave_rows(config, items)
    if any(map(_meets_engine, items)):
        less_work(config)
    keeps = KEPT[config.getoption("--engine")]
    kept = [item for item in items if keeps(item)]
    left = set(items) - set(kept)
    config.hook.pytest_deselected(items=[item for item in items if item in left])
    items[:] = sorted(kept, key=lambda item: item.location[0])  # mutmut names tests in any order


def _leave_rows(config: pytest.Config, items: list[pytest.Item]) -> None:
    """``@pytest.mark.thorough(but=("a", "b-*"))``: of a table, all but the rows of these ids are thorough."""
    unmatched: dict[tuple[str, str], bool] = {}
    for item in items:
        test, _, row = item.nodeid.removesuffix("]").partition("[")
        named = [each for mark in item.own_markers for each in mark.kwargs.get("but", ())]
        found = {each for each in named if fnmatchcase(row, each)}
        unmatched |= {(test, each): unmatched.get((test, each), True) and each not in found for each in named}
        if found:
            item.own_markers = [mark for mark in item.own_markers if mark.name != "thorough"]
    wrong = [key for key, none in unmatched.items() if none]
    if wrong and not any("::" in argument for argument in config.args):
        raise pytest.UsageError(f"thorough(but=...) names rows that are not there: {wrong}")


def _is_real(item: pytest.Item) -> bool:
    return item.get_closest_marker("real_engine") is not None


def _meets_engine(item: pytest.Item) -> bool:
    return _is_real(item) or not {"dynamodb", "engine"}.isdisjoint(getattr(item, "fixturenames", ()))


KEPT: dict[str, Callable[[pytest.Item], bool]] = {
    "moto": lambda item: not _is_real(item),
    "local": _meets_engine,
    "none": lambda item: not _meets_engine(item),
}
"""Engine -> whether a test is run with it."""


@pytest.fixture(scope="session")
def engine(pytestconfig: pytest.Config) -> str:
    """What answers as DynamoDB: ``moto`` or ``local``."""
    return str(pytestconfig.getoption("--engine"))


@pytest.fixture
def table_name() -> str:
    """A table name that no other test has."""
    return f"t{uuid4().hex}"


@pytest.fixture
def versions_from_1(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new item has version 1, in place of the clock's, where whole items are compared."""
    monkeypatch.setattr("polymicro_lambda.items.serializers.first_version", lambda: 1)


@pytest.fixture
def in_memory() -> Any:
    """What makes moto: in strict mode, unless a file says otherwise by a fixture of its own."""
    return strict_moto


@pytest.fixture
def dynamodb(engine: str, in_memory: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """DynamoDB for one test: no table and no client outlives it."""
    for name, value in FAKE_AWS.items():
        monkeypatch.setenv(name, value)
    with in_memory(monkeypatch) if engine == "moto" else local(monkeypatch):
        forget_connections()
        yield
    forget_connections()
