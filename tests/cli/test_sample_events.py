"""Sample events of an app's routes, as `polymicro events` writes them."""

import importlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from contract import create_tables
from pynamodb.attributes import NumberAttribute, UTCDateTimeAttribute
from pynamodb.models import Model

from polymicro_lambda import AllowAny, ModelResource, PolyMicro, Retrieve
from polymicro_lambda.cli.commands.registry import polymicro
from polymicro_lambda.cli.sample_events import sample_events
from polymicro_lambda.http import User
from polymicro_lambda.testing import FakeContext

ROOT = Path(__file__).parents[2]
SOURCES = ("rest", "http", "url", "alb", "lattice")
VERBS = ("create", "list", "retrieve", "update", "replace", "delete")
UUID = "3f0e4a52-7a5c-4c1e-9d55-0d9f4c1b2a10"


def command(where: Path, *arguments: str) -> Result:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(where)
        return CliRunner().invoke(polymicro, ["events", *arguments])


def test_those_of_this_repository_are_what_the_classes_say() -> None:
    done = command(ROOT, "--check", *(f"--source={source}" for source in SOURCES))
    assert (done.exit_code, done.output) == (0, "")
    assert len(list((ROOT / "events").iterdir())) == len(SOURCES) * len(VERBS)


def test_they_are_written_compared_and_made_anew(tmp_path: Path) -> None:
    out = ["--out", str(tmp_path / "own")]
    assert command(ROOT, *out).output == "own: 6 of 6 events written\n"
    (tmp_path / "own" / "mine.json").write_text("{}")
    (tmp_path / "own" / "create.json").write_text("{}")
    done = command(ROOT, *out, "--check")
    assert (done.exit_code, "create.json is not what the classes say" in done.output) == (1, True)
    assert command(ROOT, *out).output == "own: 1 of 6 events written\n"
    assert (command(ROOT, *out, "--check").exit_code, (tmp_path / "own" / "mine.json").read_text()) == (
        0,
        "{}",
    )


def test_whose_requests_they_are(tmp_path: Path) -> None:
    command(ROOT, "--out", str(tmp_path), "--as", "bob:cook,tenant=acme")
    event = json.loads((tmp_path / "retrieve.json").read_text())
    assert event["path"] == f"/todo/bob/{UUID}"
    assert event["resource"] == "/todo/{owner}/{uuid}"
    assert event["pathParameters"] == {"owner": "bob", "uuid": UUID}
    assert event["requestContext"]["authorizer"]["tenant"] == "acme"


class Reading(Model):
    class Meta:
        table_name = "readings"

    meter = NumberAttribute(hash_key=True, default=7)
    at = UTCDateTimeAttribute(range_key=True, default_for_new=lambda: datetime.now(UTC))


class Readings(ModelResource, Retrieve):
    model = Reading
    route = "readings"
    permissions = AllowAny


def test_keys_of_a_path_are_of_the_kind_of_their_attributes() -> None:
    """A default makes a text up, not a number or a time."""
    pm = PolyMicro()
    Readings(pm)
    pm.compile()
    event = sample_events(pm.routes, ("rest",), User("alice"))["retrieve"]
    assert event["pathParameters"] == {"meter": "3", "at": "2030-01-01T09:00:00+00:00"}


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["tracker", "shop", "conduit"])
def test_those_of_an_example_are_requests_that_it_takes(
    dynamodb: None, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Their items may be missing, and their user may lack a role: none is malformed, and none an error of ours."""
    monkeypatch.setenv("JWT_SECRET", "a secret that is long enough for tests")
    app = importlib.import_module(f"{name}.app").pm
    create_tables(app)
    for of, event in sample_events(app.routes, SOURCES, User("alice", claims={"tenant": "acme"})).items():
        status = app.compile()(event, FakeContext())["statusCode"]
        known = (
            (422,) if of.endswith("users-login") else ()
        )  # what the specification says of a wrong password
        assert status in (200, 201, 202, 204, 401, 403, 404, 409, *known), of
