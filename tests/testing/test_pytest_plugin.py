"""The pytest plugin, in projects of its own: pytest finds it by its entry point, and each run is a process."""

import os
import subprocess
import sys
from textwrap import dedent

import pytest
from botocore.session import get_session
from document_blocks import blocks, first_cells

from polymicro_lambda import pytest_plugin

ENDPOINT = os.environ.get("POLYMICRO_TEST_ENDPOINT", "http://127.0.0.1:8000")
NOWHERE = "http://127.0.0.1:1"
APP = """
    from pynamodb.attributes import MapAttribute, NumberAttribute, UnicodeAttribute
    from pynamodb.models import Model

    from polymicro_lambda import Create, List, ModelResource, OwnedBy, PolyMicro, Retrieve

    class Note(Model):
        class Meta:
            table_name = "notes"

        owner = UnicodeAttribute(hash_key=True)
        name = UnicodeAttribute(range_key=True)
        stars = NumberAttribute(null=True)

    class Draft(Model):
        class Meta:
            table_name = "notes"

        owner = UnicodeAttribute(hash_key=True)
        name = UnicodeAttribute(range_key=True)

    class NoteResource(ModelResource, Create, List, Retrieve):
        model = Note
        route = "notes"
        permissions = OwnedBy("owner")

    class DraftResource(ModelResource, Create, List, Retrieve):
        model = Draft
        route = "drafts"
        permissions = OwnedBy("owner")

    pm = PolyMicro()
    NoteResource(pm)
    DraftResource(pm)
    handler = pm.compile()
"""
NAMED = "[tool.polymicro]\napp = 'shop.api:pm'\n[tool.pytest.ini_options]\nfilterwarnings = ['error']\n"
EACH = """
    import os

    import pytest
    from botocore.client import BaseClient
    from botocore.session import get_session

    from polymicro_lambda import User
    from polymicro_lambda.testing import Client
    from shop.api import Draft, Note, NoteResource, handler

    alice = User("alice")

    @pytest.mark.parametrize("time", [1, 2])
    def test_tables_are_empty_in_each_test(polymicro_client, time):
        assert polymicro_client.get("/notes", user=alice).json["items"] == []
        assert polymicro_client.post("/notes", user=alice, json={"name": "a"}).status == 201
        assert polymicro_client.as_(alice).get("/notes/a").status == 200
        assert polymicro_client.get("/notes/a").status == 401

    def test_the_handler_of_the_module_has_the_same_tables(polymicro_client):
        Note("alice", "a").save()
        assert Client(handler, user=alice).get("/notes/a").json == polymicro_client.get("/notes/a", user=alice).json

    def test_an_error_of_ones_own_is_logged_with_its_text(polymicro_client, monkeypatch, caplog):
        def broken(*_):
            raise LookupError("why")

        monkeypatch.setattr(NoteResource, "represent", broken)
        answer = polymicro_client.post("/notes", user=alice, json={"name": "a"})
        assert (answer.status, "server-timing" in answer.headers) == (500, False)
        assert "LookupError: why" in caplog.text

    def test_models_that_share_a_table_share_it(polymicro_tables):
        assert polymicro_tables == [Note.Meta.table_name]
        assert Draft.Meta.table_name == Note.Meta.table_name
        Note("alice", "a").save()
        assert Draft.get("alice", "a").name == "a"

    def test_nothing_of_the_machine_is_seen(polymicro_dynamodb):
        said = {name: value for name, value in os.environ.items() if "real" in value}
        assert {name for name in said if name.startswith("AWS_")} == set()
        assert os.environ["POLYMICRO_DEBUG"] == "log"
        assert get_session().get_config_variable("region") == "us-east-1"

    REAL = BaseClient._make_api_call

    @pytest.fixture
    def undone():
        yield
        assert BaseClient._make_api_call is REAL

    def test_what_a_test_patches_is_undone_with_it(undone, monkeypatch, polymicro_dynamodb):
        monkeypatch.setattr(BaseClient, "_make_api_call", lambda *_: None)
        assert BaseClient._make_api_call is not REAL
"""
STRICT = """
    import pytest
    from botocore.exceptions import ClientError
    from botocore.session import get_session

    @pytest.mark.parametrize("value", [{"SS": []}, {"N": "1" * 39}], ids=["an empty set", "39 digits"])
    def test_what_moto_takes_is_refused(polymicro_tables, value):
        client = get_session().create_client("dynamodb")
        with pytest.raises(ClientError, match="ValidationException"):
            client.put_item(TableName=polymicro_tables[0], Item={"owner": {"S": "a"}, "name": {"S": "a"}, "v": value})
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with an app of two models that share a table, on a machine that has settings for AWS."""
    for name, value in {
        "AWS_PROFILE": "real",
        "AWS_ACCESS_KEY_ID": "real",
        "AWS_SECRET_ACCESS_KEY": "real",
        "AWS_SESSION_TOKEN": "real",
        "AWS_REGION": "xx-real-1",
        "AWS_ENDPOINT_URL_DYNAMODB": NOWHERE,
        "POLYMICRO_DEBUG": "true",
    }.items():
        monkeypatch.setenv(name, value)
    pytester.makepyprojecttoml(NAMED)
    package = pytester.mkpydir("shop")
    package.joinpath("api.py").write_text(dedent(APP))
    return pytester


def run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return project.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:hypothesispytest", *arguments)


def test_each_test_has_app_tables_and_client_of_its_own(project: pytest.Pytester) -> None:
    project.makepyfile(test_each=EACH, test_strict=STRICT)
    run(project).assert_outcomes(passed=9)


@pytest.mark.thorough
def test_an_app_may_have_a_prefix_from_the_environment(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has been compiled with it when the tests were collected."""
    monkeypatch.setenv("POLYMICRO_TABLE_PREFIX", "mine-")
    project.makepyfile(
        "from shop.api import handler\ndef test(polymicro_tables):\n    assert polymicro_tables == ['mine-notes']"
    )
    run(project).assert_outcomes(passed=1)


def test_another_app_is_given_by_a_fixture(project: pytest.Pytester) -> None:
    project.makepyprojecttoml("")
    project.makeconftest("""
        import pytest

        @pytest.fixture
        def polymicro_app():
            from shop.api import pm
            return pm
    """)
    project.makepyfile("def test(polymicro_client):\n    assert polymicro_client.get('/notes').status == 401")
    run(project).assert_outcomes(passed=1)


@pytest.mark.thorough(but=("none",))
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        pytest.param("", ["No app is configured. Name it in*:", "    def polymicro_app():"], id="none"),
        pytest.param("app = 'gone:pm'", ["There is no module gone. *"], id="no module"),
        pytest.param("app = 'shop.api:Note'", ["shop.api:Note is a *, not a PolyMicro.*"], id="no app"),
    ],
)
def test_an_app_that_is_not_there(project: pytest.Pytester, settings: str, said: list[str]) -> None:
    project.makepyprojecttoml(f"[tool.polymicro]\n{settings}")
    project.makepyfile("def test(polymicro_client):\n    pass")
    result = run(project)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(said)
    result.stdout.no_fnmatch_line("*pytest_plugin.py*")


@pytest.mark.thorough
def test_an_engine_that_does_not_answer(project: pytest.Pytester) -> None:
    """Named in the configuration; what the option says goes before it."""
    project.makepyprojecttoml(f"{NAMED}polymicro_dynamodb = '{NOWHERE}'")
    project.makepyfile("def test(polymicro_dynamodb):\n    pass")
    result = run(project)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"No DynamoDB answers at {NOWHERE} (*"])
    run(project, "--polymicro-dynamodb=moto").assert_outcomes(passed=1)


def test_an_engine_that_is_none(project: pytest.Pytester) -> None:
    result = run(project, "--polymicro-dynamodb=local")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*--polymicro-dynamodb is moto or a URL such as http://127.0.0.1:8000, not 'local'"]
    )


@pytest.mark.real_engine
def test_an_engine_that_tests_share(project: pytest.Pytester, dynamodb: None) -> None:
    """Workers do not meet, and nothing is left behind."""
    project.makepyfile(test_each=EACH, test_strict=STRICT)
    run(project, f"--polymicro-dynamodb={ENDPOINT}", "-n", "2").assert_outcomes(passed=9)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("AWS_PROFILE")
        client = get_session().create_client("dynamodb", endpoint_url=ENDPOINT)
    left = client.get_paginator("list_tables").paginate().build_full_result()["TableNames"]
    client.close()
    assert [name for name in left if name.endswith("-notes")] == []


@pytest.mark.thorough(but=("testing.md",))
@pytest.mark.parametrize("page", ["README.md", "testing.md"])
def test_what_the_docs_test_by_fixtures_is_so(pytester: pytest.Pytester, page: str) -> None:
    """The blocks up to the first that has a fixture: the app before it, and the tests that it is."""
    code = [text for _, text in blocks(page, "python")]
    tests = next(number for number, text in enumerate(code) if "client)" in text)
    pytester.makepyprojecttoml("[tool.polymicro]\napp = 'app:pm'")
    pytester.makepyfile(app="".join(code[:tests]), test_app=code[tests])
    run(pytester).assert_outcomes(passed=code[tests].count("\ndef test_"))


CALLS = """
    from concurrent.futures import ThreadPoolExecutor

    import pytest
    from pynamodb.attributes import UnicodeAttribute
    from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
    from pynamodb.models import Model
    from pynamodb.connection import Connection
    from pynamodb.transactions import TransactWrite

    from polymicro_lambda import AllowAny, PolyMicro, Resource, Retrieve, ModelResource, action
    from polymicro_lambda.threads import Executor

    class ByColour(GlobalSecondaryIndex):
        class Meta:
            index_name = "by-colour"
            projection = AllProjection()
        colour = UnicodeAttribute(hash_key=True)

    class Ball(Model):
        class Meta:
            table_name = "balls"
            region = "us-east-1"
        id = UnicodeAttribute(hash_key=True)
        colour = UnicodeAttribute(null=True)
        by_colour = ByColour()

    class Other(Model):
        class Meta:
            table_name = "others"
            region = "us-east-1"
        id = UnicodeAttribute(hash_key=True)

    class Balls(ModelResource, Retrieve):
        model, route, permissions = Ball, "balls", AllowAny

    def swallowed():
        try:
            Ball.scan().next()
        except Exception:
            pass

    def in_a_thread():
        with Executor() as pool:
            pool.submit(swallowed).result()

    def transact():
        with TransactWrite(connection=Connection("us-east-1")) as transaction:
            transaction.condition_check(Ball, "1", condition=Ball.id.exists())
            transaction.save(Ball("2"))

    CALLS = {
        "fine": (lambda: Ball.get("1"), None),
        "put": (lambda: Ball("2").save(), 'PutItem on the table of Ball*calls = {Ball: ("PutItem",)}'),
        "scan": (swallowed, 'Scan on the table of Ball*calls = {Ball: ("Scan",)}'),
        "thread": (in_a_thread, 'Scan on the table of Ball*calls = {Ball: ("Scan",)}'),
        "query": (
            lambda: list(Ball.by_colour.query("red")),
            'Query on an index of the table of Ball*calls = {Ball.by_colour: ("Query",)}',
        ),
        "batch": (lambda: list(Ball.batch_get(["1"])), 'BatchGetItem on the table of Ball*'),
        "transaction": (transact, 'ConditionCheckItem on the table of Ball*'),
        "other": (lambda: Other.get("1"), 'GetItem on a table that no resource names*'),
    }

    class Acts(Resource):
        route, permissions = "acts", AllowAny

        @action(methods="POST")
        def run(self, req):
            CALLS[req["name"]][0]()
            return {}

    @pytest.fixture
    def polymicro_app():
        pm = PolyMicro()
        Balls(pm)
        Acts(pm)
        return pm

    @pytest.mark.parametrize("name", CALLS)
    def test_calls(polymicro_client, name, monkeypatch):
        Ball("1").save()
        assert len(list(Ball.scan())) == 1
        told = CALLS[name][1]
        for client in (polymicro_client, polymicro_client.as_(None)):
            if told is None:
                assert client.post("/acts/run", json={"name": name}).status == 200
                continue
            with pytest.raises(AssertionError) as error:
                client.post("/acts/run", json={"name": name})
            text = str(error.value)
            assert text.startswith("The verb 'run' of /acts/run called ")
            for part in told.split("*"):
                assert part in text
        assert len(list(Ball.scan())) == 1
"""


def test_a_call_that_the_policy_lacks_fails_the_test(project: pytest.Pytester) -> None:
    project.makepyfile(CALLS)
    run(project).assert_outcomes(passed=8)


@pytest.mark.real_engine
def test_it_does_so_on_an_engine(project: pytest.Pytester, dynamodb: None) -> None:
    project.makepyfile(CALLS)
    run(project, f"--polymicro-dynamodb={ENDPOINT}").assert_outcomes(passed=8)


def test_names_of_other_plugins_are_left_to_them(project: pytest.Pytester) -> None:
    project.makeconftest("""
        import pytest

        def pytest_addoption(parser):
            parser.addoption("--dynamodb")

        @pytest.fixture
        def client():
            return "of another plugin"
    """)
    project.makepyfile("def test(client):\n    assert client == 'of another plugin'")
    run(project, "--dynamodb=x").assert_outcomes(passed=1)


def test_the_docs_have_each_fixture() -> None:
    listed = first_cells("testing.md", "fixture")
    assert listed == [name for name, value in vars(pytest_plugin).items() if is_fixture(value)]
    assert [name for name in listed if not getattr(pytest_plugin, name).__doc__] == []


def is_fixture(value: object) -> bool:
    return type(value).__name__ == "FixtureFunctionDefinition"


def test_the_package_takes_no_pytest() -> None:
    code = "import sys, polymicro_lambda, polymicro_lambda.testing as t; sys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
