"""Fixtures for pytest, which finds them by itself: the app, a DynamoDB for each test, its tables and a client.

Their names begin with ``polymicro_``, so that they are nobody else's; call ``polymicro_client`` as you like:

    @pytest.fixture
    def client(polymicro_client):
        return polymicro_client

Nothing happens in a test that asks for none of them.
"""

import os
from collections.abc import Iterator

import pytest

from .app import PolyMicro
from .project import (
    FAKE_AWS,
    NO_AWS_SETTINGS,
    PolicyClient,
    UsageError,
    create_tables,
    find_project,
    forget_connections,
    import_from,
    load_app,
    machine_variables,
    own_tables,
    shared_engine,
    strict_moto,
)
from .testing import Client

MOTO = "moto"
ENGINE_HELP = (
    f"what answers as DynamoDB: {MOTO}, in memory and strict, or the URL of an engine such as DynamoDB Local"
)
PREFIX = "POLYMICRO_TABLE_PREFIX"
"""The variable stays in a test: an app that is compiled with it already refuses another prefix."""
DEBUG = {"POLYMICRO_DEBUG": "log"}
"""An app that compiles from then on, such as that of ``polymicro_client``, logs errors with their text."""
NO_APP = """No app is configured. Name it in pyproject.toml:

    [tool.polymicro]
    app = "handlers.todo:pm"

or give it by a fixture of your own, in conftest.py:

    @pytest.fixture
    def polymicro_app():
        return pm
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option ``--polymicro-dynamodb``, and ``polymicro_dynamodb`` for the configuration file."""
    parser.getgroup("polymicro").addoption("--polymicro-dynamodb", metavar=f"{MOTO}|URL", help=ENGINE_HELP)
    parser.addini("polymicro_dynamodb", ENGINE_HELP, default=MOTO)


def pytest_configure(config: pytest.Config) -> None:
    """Refuse an engine that is neither moto nor a URL."""
    engine = _engine(config)
    if engine != MOTO and not engine.startswith(("http://", "https://")):
        raise pytest.UsageError(
            f"--polymicro-dynamodb is {MOTO} or a URL such as http://127.0.0.1:8000, not {engine!r}"
        )


def _engine(config: pytest.Config) -> str:
    return str(config.getoption("--polymicro-dynamodb") or config.getini("polymicro_dynamodb"))


@pytest.fixture
def polymicro_app(pytestconfig: pytest.Config) -> PolyMicro:
    """The app under test: what ``[tool.polymicro] app`` in pyproject.toml names. Override it for another one."""
    try:
        project = find_project(pytestconfig.rootpath)
        if project.app is not None:
            import_from(project)
            return load_app(project)
        reason = NO_APP
    except UsageError as error:
        reason = str(error)
    pytest.fail(reason, pytrace=False)


@pytest.fixture
def polymicro_dynamodb(pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty DynamoDB for one test, and credentials that are none: nothing of this machine's AWS is seen."""
    for name in machine_variables(os.environ):
        if name != PREFIX:
            monkeypatch.delenv(name)
    for name, value in {**NO_AWS_SETTINGS, **FAKE_AWS, **DEBUG}.items():
        monkeypatch.setenv(name, value)
    engine = _engine(pytestconfig)
    forget_connections()
    try:
        with strict_moto(monkeypatch) if engine == MOTO else shared_engine(engine, monkeypatch):
            yield
    except UsageError as error:
        pytest.fail(str(error), pytrace=False)
    finally:
        forget_connections()


@pytest.fixture
def polymicro_tables(
    polymicro_dynamodb: None,
    polymicro_app: PolyMicro,
    pytestconfig: pytest.Config,
    monkeypatch: pytest.MonkeyPatch,
) -> list[str]:
    """The tables of the app's models, empty; their names, which on an engine that tests share are this test's own."""
    polymicro_app.compile()
    engine = _engine(pytestconfig)
    if engine != MOTO:
        own_tables((model for route in polymicro_app.routes for model in route.models), monkeypatch)
    return create_tables(polymicro_app.routes, f"engine of the test, {engine}")


@pytest.fixture
def polymicro_client(polymicro_tables: list[str], polymicro_app: PolyMicro) -> Client:
    """A client of the app over its tables, for nobody: ``client.get("/todo", user=alice)``, ``client.as_(alice)``.

    A request fails the test where it calls in DynamoDB what the template's policy does not allow.
    """
    return PolicyClient(polymicro_app)
