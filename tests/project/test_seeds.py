"""`polymicro seed`: items of a file in the app's tables."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from serving import environment, serving

from polymicro_lambda.cli.commands.registry import polymicro

APP = """
from datetime import UTC, datetime
from pynamodb.attributes import *
from pynamodb.models import Model
from polymicro_lambda import *

class Person(Model):
    class Meta:
        table_name = "seeded-people"
    email = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute()
    size = NumberAttribute(default=3)
    joined = UTCDateTimeAttribute(null=True)
    changed = UnicodeAttribute(null=True)

class People(ModelResource, Create, List, Retrieve):
    model, route, permissions, scan = Person, "people", HasPermission("admin"), True
    unique = ("name",)
    dump_only = ("size",)
    touch = {"changed": lambda: "now"}

pm = PolyMicro()
People(pm)
handler = pm.compile()
"""
ANN = {"email": "ann@example.com", "name": "Ann", "size": 7, "joined": "2030-01-01T09:00:00+00:00"}
BOB = {"email": "bob@example.com", "name": "Bob"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "seeded.py").write_text(APP)
    (tmp_path / "pyproject.toml").write_text('[tool.polymicro]\napp = "seeded:pm"\n')
    monkeypatch.delenv("AWS_ENDPOINT_URL_DYNAMODB", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return tmp_path


def seed(*arguments: str) -> Result:
    return CliRunner().invoke(polymicro, ["seed", *arguments])


def run(folder: Path, text: str, name: str = "items.json") -> tuple[int, str]:
    """The command in a process of its own, as the embedded DynamoDB lives as long as that."""
    (folder / name).write_text(text)
    command = [sys.executable, "-m", "polymicro_lambda.cli", "seed", name, "--data", "data"]
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_items_are_there_for_serve(project: Path) -> None:
    """With values that clients cannot send, defaults, and what each create sets; a second run writes nothing."""
    text = json.dumps({"Person": [ANN, BOB]})
    assert run(project, text) == (0, "Person: 2 written, 0 there already\n")
    assert run(project, text) == (0, "Person: 0 written, 2 there already\n")
    with serving("--as", "eve:admin", "--data", "data", cwd=project) as serve:
        items = sorted(serve.request("GET", "/people")[2]["items"], key=lambda item: str(item["name"]))
        taken = serve.request("POST", "/people", {"email": "c@example.com", "name": "Ann"})[0]
    assert items == [ANN | {"changed": "now"}, BOB | {"size": 3, "joined": None, "changed": "now"}]
    assert taken == 409


def test_yaml(project: Path) -> None:
    text = "Person:\n- {email: a@example.com, name: Ann, joined: 2030-01-01T09:00:00Z}\n"
    assert run(project, text, "items.yaml") == (0, "Person: 1 written, 0 there already\n")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("{", "items.json cannot be read as JSON", id="no JSON"),
        pytest.param("[]", "must hold lists of items by model", id="a list"),
        pytest.param('{"Person": {}}', "must hold lists of items by model", id="no list"),
        pytest.param(
            '{"Persons": []}', "no resource has the model Persons; there are Person.", id="unknown model"
        ),
        pytest.param('{"Person": [1]}', "Person, item 1: ", id="no item"),
        pytest.param(json.dumps({"Person": [ANN, {"email": "b"}]}), "Person, item 2: #/name ", id="lacks"),
        pytest.param(
            json.dumps({"Person": [ANN | {"sice": 1}]}), "Person, item 1: #/sice ", id="unknown attribute"
        ),
        pytest.param(
            json.dumps({"Person": [ANN | {"size": "x"}]}), "Person, item 1: #/size ", id="no number"
        ),
    ],
)
def test_a_mistake_is_told_and_nothing_is_written(project: Path, text: str, told: str) -> None:
    code, said = run(project, text)
    assert (code, told in said) == (1, True), said
    assert "PutItem" not in "".join(file.read_text() for file in (project / "data").glob("*"))


def test_a_value_that_must_be_unique(project: Path) -> None:
    code, said = run(project, json.dumps({"Person": [ANN, BOB | {"name": "Ann"}]}))
    assert code == 1
    assert "items.json: Person, item 2: " in said
    assert said.endswith("New items before it are written: 1.\n")


def test_an_item_that_the_store_refuses(project: Path) -> None:
    """As an error that names it, not as a traceback: it is larger than DynamoDB takes."""
    code, said = run(project, json.dumps({"Person": [ANN, BOB | {"name": "b" * 500_000}]}))
    assert (code, "Traceback" in said) == (1, False), said
    assert "items.json: Person, item 2: " in said


def test_two_models_of_one_name(project: Path) -> None:
    """An item could be meant for either table."""
    (project / "others.py").write_text(APP.replace("seeded-people", "others").partition("class People")[0])
    verbs = 'class More(ModelResource, Retrieve):\n    model, route = others.Person, "more"\n\n'
    more = f"import others\n{verbs}More(pm)\nPeople(pm)"
    (project / "seeded.py").write_text(APP.replace("People(pm)", more))
    code, said = run(project, json.dumps({"Person": [ANN]}))
    assert (code, "There are two models Person, in others and seeded" in said) == (1, True), said
    assert "PutItem" not in "".join(file.read_text() for file in (project / "data").glob("*"))


def test_there_must_be_a_dynamodb(project: Path) -> None:
    (project / "items.json").write_text("{}")
    done = seed("items.json")
    assert (done.exit_code, "name the directory of the embedded one by --data" in done.output) == (1, True)
