"""The artifact of a Lambda: what is in it, that it works alone, and what the command says."""

import ast
import gzip
import hashlib
import inspect
import json
import marshal
import os
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import CodeType
from typing import Any
from zipfile import ZipFile

import pytest
from click.testing import CliRunner, Result
from moto.server import ThreadedMotoServer

from polymicro_lambda.cli.commands.build import build as build_command
from polymicro_lambda.cli.commands.registry import Commands
from polymicro_lambda.deploy.artifact.botocore_data import cut_data, endpoints_of, without_prose
from polymicro_lambda.deploy.artifact.build import MANIFEST, BuildError, BuildPlan, build, services_of
from polymicro_lambda.deploy.artifact.bytecode_archive import START
from polymicro_lambda.deploy.artifact.bytecode_importer import ARCHIVE, COMPILED
from polymicro_lambda.deploy.artifact.dropped_files import DOCS_REQUIREMENTS, drop
from polymicro_lambda.deploy.artifact.format_libraries import REQUIREMENTS, format_requirements
from polymicro_lambda.deploy.artifact.imports import passes_argument, reachable
from polymicro_lambda.deploy.artifact.powertools import missing_powertools, thin_out_powertools
from polymicro_lambda.deploy.artifact.sizes import ArtifactPart, artifact_parts, size_table
from polymicro_lambda.deploy.artifact.stripped_sources import strip_dependencies, stripped, without_docstrings
from polymicro_lambda.deploy.artifact.target_python import RUNNING_PYTHON, Target

ROOT = Path(__file__).parents[2]
UNCHECKED = 1
"""The flags of bytecode that is loaded without a look at its source (PEP 552)."""


def put(root: Path, files: Mapping[str, str]) -> Path:
    """Write files, by their path under ``root``."""
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def contents(root: Path) -> set[str]:
    return {file.relative_to(root).as_posix() for file in root.rglob("*") if file.is_file()} - {MANIFEST}


def sources(root: Path) -> set[str]:
    ours = {ARCHIVE, COMPILED, f"{START}.py"}
    return {name for name in contents(root) if not name.endswith(".pyc")} - ours


def built(root: Path, module: str = "app", **settings: Any) -> set[str]:
    """The files of an artifact that takes no pip, without bytecode."""
    build(BuildPlan(root, module, (), **settings), root / "out")
    return sources(root / "out")


# --- what a module imports ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "found"),
    [
        pytest.param("import pkg.a", {"pkg", "pkg.a"}, id="module"),
        pytest.param("import json, pkg", {"pkg"}, id="package"),
        pytest.param("from pkg import a, NAME", {"pkg", "pkg.a"}, id="from a package"),
        pytest.param("from pkg.a import x", {"pkg", "pkg.a"}, id="from a module"),
        pytest.param("from pkg import relative", {"pkg", "pkg.relative", "pkg.a"}, id="relative"),
        pytest.param(
            "import pkg.sub.deep", {"pkg", "pkg.a", "pkg.sub", "pkg.sub.deep"}, id="relative, upwards"
        ),
        pytest.param("def f():\n    import pkg.a", {"pkg", "pkg.a"}, id="in a function"),
        pytest.param("if TYPE_CHECKING:\n    import pkg.a", set(), id="for types alone"),
        pytest.param("if typing.TYPE_CHECKING: pass\nelse: import pkg.a", {"pkg", "pkg.a"}, id="else"),
        pytest.param("if not TYPE_CHECKING:\n    import pkg.a", {"pkg", "pkg.a"}, id="for running alone"),
        pytest.param("import pkg.left", set(), id="left out"),
    ],
)
def test_imports_are_read_from_the_source(tmp_path: Path, source: str, found: set[str]) -> None:
    files = {
        "pkg/__init__.py": "",
        "pkg/a.py": "",
        "pkg/left.py": "import pkg.a",
        "pkg/relative.py": "from . import a",
        "pkg/sub/__init__.py": "",
        "pkg/sub/deep.py": "from .. import a",
    }
    root = put(tmp_path, {"app.py": source, **files})
    assert set(reachable(["app"], lambda _: root, without={"pkg.left"})) == {"app", *found}


# --- what stays -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("needing", "there", "kept"),
    [
        pytest.param("urllib3/contrib/socks.py", [], False, id="nothing"),
        pytest.param("urllib3/contrib/socks.py", ["socks.py"], True, id="it"),
        pytest.param("urllib3/contrib/socks.py", ["h2/__init__.py"], False, id="another"),
        pytest.param("botocore/crt/auth.py", [], False, id="no AWS CRT"),
        pytest.param("botocore/crt/auth.py", ["awscrt/__init__.py"], True, id="AWS CRT"),
    ],
)
def test_what_lacks_a_package_is_dropped(tmp_path: Path, needing: str, there: list[str], kept: bool) -> None:
    for name in ("urllib3/__init__.py", needing, *there):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    drop(tmp_path)
    assert (tmp_path / needing).exists() is kept


def test_what_no_code_reads_is_dropped(tmp_path: Path) -> None:
    kept = {"a/__init__.py", "a/testing.py", "a/data.json", "a-1.dist-info/METADATA", "a-1.dist-info/LICENSE"}
    gone = {
        "bin/a",
        "a/tests/test_a.py",
        "a/__init__.pyi",
        "a/py.typed",
        "a-1.dist-info/RECORD",
        "tests/b.py",
    }
    put(tmp_path, dict.fromkeys(kept | gone, ""))
    drop(tmp_path)
    assert contents(tmp_path) == kept
    assert not (tmp_path / "bin").exists()


def test_a_service_is_told_without_prose() -> None:
    described = {
        "documentation": "All of it.",
        "shapes": {
            "A": {"members": {"documentation": {"shape": "B", "documentation": "x"}}, "required": ["a"]}
        },
        "list": [{"documentation": "x", "type": "string"}],
    }
    assert without_prose(described) == {
        "shapes": {"A": {"members": {"documentation": {"shape": "B"}}, "required": ["a"]}},
        "list": [{"type": "string"}],
    }


def test_endpoints_keep_every_partition() -> None:
    aws = {"partition": "aws", "services": {"dynamodb": {"endpoints": {}}, "s3": {}}}
    china = {"partition": "aws-cn", "services": {"s3": {}}}
    assert endpoints_of({"partitions": [aws, china], "version": 3}, {"dynamodb"}) == {
        "partitions": [
            {"partition": "aws", "services": {"dynamodb": {"endpoints": {}}}},
            {"partition": "aws-cn", "services": {}},
        ],
        "version": 3,
    }


def botocore_data(root: Path) -> Path:
    """What botocore has of data: two services, one of which has its endpoints under another name."""
    data = root / "botocore" / "data"
    for name, prefix in (("dynamodb", "dynamodb"), ("cloudwatch", "monitoring")):
        put(data / name / "2020", {"paginators-1.json": "{}"})
        service = {"metadata": {"endpointPrefix": prefix}, "documentation": "Long."}
        (data / name / "2020" / "service-2.json.gz").write_bytes(gzip.compress(json.dumps(service).encode()))
    services: dict[str, Any] = {"dynamodb": {}, "monitoring": {}, "s3": {}}
    put(data, {"endpoints.json": json.dumps({"partitions": [{"services": services}]})})
    return data


def test_botocore_keeps_the_data_of_what_is_used(tmp_path: Path) -> None:
    data = botocore_data(tmp_path)
    cut_data(tmp_path, ["cloudwatch"])
    assert contents(data) == {
        "cloudwatch/2020/paginators-1.json",
        "cloudwatch/2020/service-2.json",
        "endpoints.json",
    }
    service = json.loads((data / "cloudwatch/2020/service-2.json").read_text())
    assert service == {"metadata": {"endpointPrefix": "monitoring"}}
    assert json.loads((data / "endpoints.json").read_text()) == {
        "partitions": [{"services": {"monitoring": {}}}]
    }


def test_a_service_that_botocore_lacks_is_named(tmp_path: Path) -> None:
    botocore_data(tmp_path)
    with pytest.raises(LookupError, match=r"botocore has no service dynamo$"):
        cut_data(tmp_path, ["dynamodb", "dynamo"])


@pytest.mark.parametrize(
    ("source", "named", "kept"),
    [
        pytest.param("import json", None, ("dynamodb",), id="nothing"),
        pytest.param("import boto3", None, (), id="boto3"),
        pytest.param("def f():\n    from boto3.session import Session", None, (), id="boto3, later"),
        pytest.param("import boto3", ("s3",), ("s3",), id="boto3, services named"),
        pytest.param("import boto3000", None, ("dynamodb",), id="another name"),
        pytest.param(
            "from aws_lambda_powertools.utilities import parameters", None, (), id="what uses boto3"
        ),
        pytest.param("from aws_lambda_powertools import Logger", None, ("dynamodb",), id="what does not"),
    ],
)
def test_all_of_botocores_data_stays_where_the_code_may_use_it(
    tmp_path: Path, source: str, named: tuple[str, ...] | None, kept: tuple[str, ...]
) -> None:
    """None of the services is named: all."""
    root = put(tmp_path, {"app.py": source})
    assert services_of(BuildPlan(root, "app", (), services=named), {"app": root / "app.py"}) == kept


def test_parts_and_their_sum(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "a/__init__.py": "x" * 1000,
            "a/__pycache__/__init__.cpython-311.pyc": "x" * 500,
            "b.py": "x" * 100,
            "__pycache__/b.cpython-311.pyc": "x" * 50,
            "a-1.dist-info/METADATA": "x" * 10,
            "botocore/data/endpoints.json": "x" * 2000,
            "botocore/cacert.pem": "x" * 20,
        },
    )
    found = artifact_parts(tmp_path)
    assert found == (
        ArtifactPart("botocore/data", 0, 0, 2000),
        ArtifactPart("a", 1000, 500, 0),
        ArtifactPart("b", 100, 50, 0),
        ArtifactPart("botocore", 0, 0, 20),
        ArtifactPart("metadata and licences", 0, 0, 10),
    )
    assert [line.split() for line in size_table(found)[-1:]] == [["total", "1.1", "0.6", "2.0", "3.7"]]


# --- a project's own code -------------------------------------------------------------------------------


def test_an_artifact_has_what_the_handler_reaches(tmp_path: Path) -> None:
    """Not what it does not, nor what is beside the project's code; data goes with the package that it is in."""
    reached = {
        "app.py": "from shop import api",
        "shop/__init__.py": "",
        "shop/api.py": "def f():\n    from . import later",
        "shop/later.py": "",
        "shop/words.txt": "",
        "shop/pages/index.html": "",
    }
    beside = {
        "README.md": "",
        "shop/admin.py": "",
        "shop/py.typed": "",
        "shop/__pycache__/api.cpython-311.pyc": "",
        "shop/jobs/nightly.py": "",
        "shop/jobs/words.txt": "",
        "tests/test_shop.py": "",
    }
    assert built(put(tmp_path, reached | beside)) == set(reached)


def test_what_is_imported_by_a_name_made_at_run_time_is_included_by_name(tmp_path: Path) -> None:
    put(
        tmp_path,
        {"app.py": "", "plugins/__init__.py": "", "plugins/a.py": "import plugins.b", "plugins/b.py": ""},
    )
    assert built(tmp_path, include=("plugins.a",)) == {
        "app.py",
        *(f"plugins/{n}.py" for n in ("__init__", "a", "b")),
    }


def test_a_build_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    assert built(put(tmp_path, {"app.py": "import old", "old.py": ""})) == {"app.py", "old.py"}
    assert built(put(tmp_path, {"app.py": "import new", "new.py": ""})) == {"app.py", "new.py"}
    assert json.loads((tmp_path / "out" / MANIFEST).read_text())["module"] == "app"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["app.py", "new.py", "old.py", "out"]


def test_a_directory_that_holds_something_else_stays_as_it_is(tmp_path: Path) -> None:
    put(tmp_path, {"app.py": "", "out/precious.txt": ""})
    with pytest.raises(BuildError, match="not empty"):
        built(tmp_path)
    assert contents(tmp_path / "out") == {"precious.txt"}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        pytest.param(
            "import missing", r"(?s)with the artifact alone.*No module named 'missing'", id="absent"
        ),
        pytest.param(
            "try: import missing\nexcept ImportError as error: raise ValueError('why') from error",
            r"(?s)with the artifact alone.*ValueError: why",
            id="absent, told otherwise",
        ),
        pytest.param("import pytest", "No module named 'pytest'", id="here, but no dependency"),
        pytest.param("def f(:", r"app\.py, line 1, is no Python", id="no Python"),
    ],
)
def test_an_artifact_that_cannot_work_is_not_built(tmp_path: Path, source: str, words: str) -> None:
    with pytest.raises(BuildError, match=words):
        built(put(tmp_path, {"app.py": source}))
    assert contents(tmp_path / "out") == set()


def test_what_comes_up_otherwise_is_a_note(tmp_path: Path) -> None:
    """It may be that a variable is missing that only the Lambda has."""
    put(tmp_path, {"app.py": "import os\nos.environ['ONLY_THERE']"})
    (note,) = build(BuildPlan(tmp_path, "app", ()), tmp_path / "out").notes
    assert note == "not tried to its end: importing app here raised KeyError: 'ONLY_THERE'"


def test_no_module_of_that_name(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=f"There is no module app under {tmp_path}"):
        built(tmp_path)


def test_a_python_that_is_not_here() -> None:
    with pytest.raises(
        BuildError, match=rf"takes a Python 3\.99.*python3\.99 on PATH.*--python {RUNNING_PYTHON}"
    ):
        Target.find("3.99", "x86_64")


@pytest.mark.thorough
def test_what_no_index_has_is_taken_from_the_projects_wheels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    project = put(
        tmp_path,
        {"app.py": "from only_here import found\n\ndef handler(event, context):\n    return found\n"},
    )
    (project / "wheels").mkdir()
    about = "only_here-1.0.dist-info"
    files = {
        "only_here.py": "found = True\n",
        f"{about}/METADATA": "Metadata-Version: 2.1\nName: only-here\nVersion: 1.0\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/RECORD": "",
    }
    with ZipFile(project / "wheels" / "only_here-1.0-py3-none-any.whl", "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
    build(BuildPlan(project, "app", ("only-here",)), tmp_path / "out")
    assert "only_here.py" in contents(tmp_path / "out")


def test_what_pip_says_is_shown(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"(?s)cannot be installed.*not a valid|Invalid requirement"):
        build(BuildPlan(put(tmp_path, {"app.py": ""}), "app", ("no requirement!",)), tmp_path / "out")


# --- documentation --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        pytest.param("PolyMicro()", False, id="nothing said"),
        pytest.param("PolyMicro(docs=False)", False, id="false"),
        pytest.param("PolyMicro(docs=None)", False, id="none"),
        pytest.param("PolyMicro(docs=True)", True, id="true"),
        pytest.param("PolyMicro(docs=HasPermission('a'))", True, id="permissions"),
        pytest.param("PolyMicro(docs=os.environ.get('DOCS') == '1')", True, id="only then is it known"),
        pytest.param("def f(docs=True): pass", False, id="no call"),
    ],
)
def test_documentation_is_asked_for_in_the_source(tmp_path: Path, source: str, wanted: bool) -> None:
    assert passes_argument(put(tmp_path, {"app.py": source}) / "app.py", "docs") is wanted


DOCUMENTED = """
from handlers.todo import TodoResource
from polymicro_lambda import PolyMicro
pm = PolyMicro(docs={docs})
TodoResource(pm)
handler = pm.compile()
"""
DOCS_FILES = {"apispec", "flask_swagger_ui", "packaging"}
ANSWER = """
import json, sys
sys.path.insert(0, sys.argv[1])
import app
print(json.dumps(app.handler(json.loads(sys.argv[2]), None)))
"""
REQUEST = {"httpMethod": "GET", "path": "/openapi.json", "requestContext": {"requestId": "1"}}


@pytest.fixture(scope="module", params=[True, False], ids=["docs", "no docs"])
def documented(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[bool, Path]:
    """The artifact of an app that says docs=True, or False."""
    root = tmp_path_factory.mktemp("documented")
    put(root, {"app.py": DOCUMENTED.format(docs=request.param), "handlers/__init__.py": ""})
    put(root, {"handlers/todo.py": (ROOT / "handlers/todo.py").read_text()})
    build(BuildPlan(root, "app", (str(ROOT),)), root / "out")
    return request.param, root / "out"


@pytest.mark.thorough
def test_documentation_is_in_the_artifact_of_an_app_that_says_so(documented: tuple[bool, Path]) -> None:
    said, out = documented
    assert (DOCS_FILES & {path.name for path in out.iterdir()}) == (DOCS_FILES if said else set())
    assert (out / "polymicro_lambda/openapi/document.py").exists() is said
    assert (out / "polymicro_lambda/openapi/pages.py").exists() is said
    assert not (out / "flask").exists()
    if said:
        assert contents(out / "flask_swagger_ui") == {
            "dist/LICENSE",
            "dist/swagger-ui-bundle.js",
            "dist/swagger-ui.css",
        }


@pytest.mark.thorough
@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/docs/swagger-ui.css"])
def test_the_artifact_serves_its_documentation(documented: tuple[bool, Path], path: str) -> None:
    said, out = documented
    event = json.dumps({**REQUEST, "path": path})
    environment = {"AWS_DEFAULT_REGION": "us-east-1", "POLYMICRO_CURSOR_SECRET": "x"}
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", ANSWER, str(out), event],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert json.loads(done.stdout)["statusCode"] == (200 if said else 404)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        pytest.param("from polymicro_lambda.renderers import CSV", (), id="of Python's own"),
        pytest.param(
            "from polymicro_lambda.renderers import MessagePack as M", ("msgpack>=1.1,<2",), id="one"
        ),
        pytest.param(
            "from polymicro_lambda.renderers import YAML, MessagePack",
            ("msgpack>=1.1,<2", "pyyaml>=6,<7"),
            id="both",
        ),
        pytest.param(
            "def f():\n    from polymicro_lambda import renderers as r\n    r.YAML()",
            ("pyyaml>=6,<7",),
            id="later",
        ),
        pytest.param("import yaml\nyaml.YAML", (), id="another's"),
    ],
)
def test_formats_bring_their_libraries(tmp_path: Path, source: str, found: tuple[str, ...]) -> None:
    file = put(tmp_path, {"app.py": source, "stage/other.py": ""}) / "app.py"
    assert format_requirements({"app": file}, tmp_path / "stage") == found
    put(tmp_path, {"stage/yaml/__init__.py": "", "stage/msgpack/__init__.py": ""})
    assert format_requirements({"app": file}, tmp_path / "stage") == ()


FORMATTED = """
from handlers.todo import TodoResource
from polymicro_lambda import PolyMicro
from polymicro_lambda.renderers import CSV, MessagePack
pm = PolyMicro(renderers={"application/msgpack": MessagePack(), "text/csv": CSV()})
TodoResource(pm)
handler = pm.compile()
"""


@pytest.mark.thorough
def test_the_library_of_a_format_is_in_the_artifact(tmp_path: Path) -> None:
    """The trial import compiles the app, which imports it."""
    put(tmp_path, {"app.py": FORMATTED, "handlers/__init__.py": ""})
    put(tmp_path, {"handlers/todo.py": (ROOT / "handlers/todo.py").read_text()})
    result = build(BuildPlan(tmp_path, "app", (str(ROOT),)), tmp_path / "out")
    there = {path.name for path in (tmp_path / "out").iterdir()}
    assert ("msgpack" in there, "yaml" in there, result.notes) == (True, False, ())


def test_what_formats_need_are_the_extras() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert sorted(REQUIREMENTS.values()) == sorted(extras["msgpack"] + extras["yaml"])


def test_what_documentation_needs_is_the_extra() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    needed = [one.replace("[marshmallow]", "") for one in extras["docs"]]
    assert [one for one in DOCS_REQUIREMENTS if not one.startswith("packaging")] == needed


# --- Powertools -----------------------------------------------------------------------------------------

POWERTOOLS = ("aws_lambda_powertools", "aws_xray_sdk")


@pytest.mark.parametrize(
    ("source", "there", "words"),
    [
        pytest.param(
            "PolyMicro(logger=True)", (), "logger=True, which takes aws_lambda_powertools", id="logger"
        ),
        pytest.param("pm.PolyMicro(metrics=True)", (), "metrics=True, which takes aws_l", id="metrics"),
        pytest.param(
            "PolyMicro(tracer=True)", POWERTOOLS[:1], "tracer=True, which takes aws_xray_sdk", id="tracer"
        ),
    ],
)
def test_a_switch_that_lacks_powertools_is_told_what_to_add(
    tmp_path: Path, source: str, there: tuple[str, ...], words: str
) -> None:
    """Also where the artifact is for another machine and cannot be tried."""
    own = {"app": put(tmp_path, {"app.py": source}) / "app.py"}
    put(tmp_path, {f"{package}/__init__.py": "" for package in there})
    extra = r"\[tracer\]" if "xray" in words else ""
    with pytest.raises(BuildError, match=rf'^app says {words}.*: add "polymicro-lambda{extra}" to'):
        missing_powertools(own, tmp_path)


@pytest.mark.parametrize(
    ("source", "there"),
    [
        pytest.param("PolyMicro(logger=logging.getLogger('a'), metrics=None, tracer=False)", (), id="off"),
        pytest.param("Other(logger=True)", (), id="another call"),
        pytest.param("PolyMicro(docs=True)", (), id="another argument"),
        pytest.param("PolyMicro(logger=True, metrics=True)", POWERTOOLS[:1], id="there, without X-Ray"),
        pytest.param(
            "from aws_lambda_powertools import Tracer\nPolyMicro(tracer=True)", POWERTOOLS, id="there"
        ),
    ],
)
def test_nothing_lacks(tmp_path: Path, source: str, there: tuple[str, ...]) -> None:
    own = {"app": put(tmp_path, {"app.py": source}) / "app.py"}
    assert missing_powertools(own, put(tmp_path, {f"{package}/__init__.py": "" for package in there})) is None


LACKING = "app imports aws_lambda_powertools, which no dependency brings: add "


def test_an_import_of_powertools_that_fails_is_told_what_to_add(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=f"(?s)No module named 'aws_lambda_powertools'\n\n{LACKING}"):
        built(put(tmp_path, {"app.py": "from aws_lambda_powertools import Logger"}))


def test_an_import_of_powertools_that_may_fail_later_is_a_note(tmp_path: Path) -> None:
    put(tmp_path, {"app.py": "def f():\n    from aws_lambda_powertools import Logger"})
    (note,) = build(BuildPlan(tmp_path, "app", ()), tmp_path / "out").notes
    assert note.startswith(LACKING)


FILES = {
    "aws_lambda_powertools/__init__.py": "from aws_lambda_powertools.logging import Logger",
    "aws_lambda_powertools/logging/__init__.py": "def f():\n    import aws_lambda_powertools.event_handler.types",
    "aws_lambda_powertools/event_handler/__init__.py": "",
    "aws_lambda_powertools/event_handler/types.py": "import typing_extensions",
    "aws_lambda_powertools/metrics.py": "",
    "aws_lambda_powertools/utilities/__init__.py": "",
    "aws_lambda_powertools/utilities/parser/__init__.py": "def f(n):\n    importlib.import_module(n)",
    "aws_lambda_powertools/utilities/parser/models/sqs.py": "",
    "aws_lambda_powertools-3.dist-info/METADATA": "Requires-Dist: typing-extensions<5,>=4",
    "older-1.dist-info/METADATA": 'Requires-Dist: typing_extensions; python_version < "3.11"',
    "typing_extensions.py": "",
    "typing_extensions-4.dist-info/METADATA": "Name: typing_extensions",
}
POWER = "aws_lambda_powertools"
LOGGING = {"__init__.py", "logging/__init__.py"}
METRICS = {"metrics.py", *LOGGING}
PARSER = {"utilities/__init__.py", "utilities/parser/__init__.py", "utilities/parser/models/sqs.py"}
ROUTER = {"event_handler/__init__.py", "event_handler/types.py"}


@pytest.mark.parametrize(
    ("source", "there", "kept", "typing"),
    [
        pytest.param("PolyMicro()", {}, set(), False, id="nothing"),
        pytest.param("PolyMicro(logger=False, metrics=None)", {}, set(), False, id="off"),
        pytest.param("PolyMicro(logger=logging.getLogger('a'))", {}, set(), False, id="standard logger"),
        pytest.param("PolyMicro(logger=True)", {}, LOGGING, False, id="switch"),
        pytest.param("PolyMicro(metrics=ON)", {}, METRICS, False, id="variable"),
        pytest.param("PolyMicro(**settings)", {}, METRICS, False, id="all arguments"),
        pytest.param("from aws_lambda_powertools import Logger", {}, LOGGING, False, id="import"),
        pytest.param("import aws_lambda_powertools.event_handler", {}, LOGGING | ROUTER, True, id="router"),
        pytest.param(
            "PolyMicro(logger=True)", {"pydantic/__init__.py": ""}, LOGGING | ROUTER, True, id="pydantic"
        ),
        pytest.param(
            "from aws_lambda_powertools.utilities import parser",
            {},
            LOGGING | PARSER,
            False,
            id="parts by name",
        ),
        pytest.param(
            "import ours",
            {"ours/a.py": "import aws_lambda_powertools.metrics"},
            {"metrics.py", *LOGGING},
            False,
            id="dependency",
        ),
        pytest.param("import typing_extensions", {}, set(), True, id="typing"),
        pytest.param(
            "import other",
            {"other-1.dist-info/METADATA": "Requires-Dist: typing_extensions>=4.6"},
            set(),
            True,
            id="typing of another",
        ),
    ],
)
def test_modules_of_powertools_that_nothing_reaches_stay_out(
    tmp_path: Path, source: str, there: dict[str, str], kept: set[str], typing: bool
) -> None:
    own = {"app": put(tmp_path / "project", {"app.py": source}) / "app.py"}
    stage = put(tmp_path / "stage", {**FILES, **there})
    thin_out_powertools(own, stage)
    package = stage / "aws_lambda_powertools"
    assert {file.relative_to(package).as_posix() for file in package.rglob("*.py")} == kept
    assert (stage / "aws_lambda_powertools-3.dist-info").exists() == bool(kept)
    assert (
        (stage / "typing_extensions.py").exists()
        == (stage / "typing_extensions-4.dist-info").exists()
        == typing
    )


OBSERVED = """
from handlers.todo import TodoResource
from polymicro_lambda import PolyMicro
{imports}
pm = PolyMicro({switches})
TodoResource(pm)
handler = pm.compile()
"""
OBSERVERS = {
    "switched": ("", "logger=True, metrics=True, tracer=True"),
    "made": (
        "from aws_lambda_powertools import Logger, Metrics, Tracer",
        "logger=Logger(), metrics=Metrics(), tracer=Tracer()",
    ),
}


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artifact of two apps: one says True, the other makes Powertools' objects itself."""
    root = tmp_path_factory.mktemp("observed")
    for name, (imported, switches) in OBSERVERS.items():
        put(root, {f"{name}.py": OBSERVED.format(imports=imported, switches=switches)})
    put(root, {"handlers/__init__.py": "", "handlers/todo.py": (ROOT / "handlers/todo.py").read_text()})
    plan = BuildPlan(root, "switched", (f"{ROOT}[tracer]",), include=("made",))
    assert build(plan, root / "out").notes == ()
    return root / "out"


TRACED = """
import importlib, json, os, sys
sys.path.insert(0, sys.argv[1])
handler = importlib.import_module(sys.argv[2]).handler
os.environ["_X_AMZN_TRACE_ID"] = "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1"
print(json.dumps(handler(json.loads(sys.argv[3]), None)))
"""


@pytest.mark.thorough
@pytest.mark.parametrize("module", OBSERVERS)
def test_the_artifact_tells_of_its_requests(observed: Path, module: str) -> None:
    """As in a Lambda: a line, metrics, and a trace to X-Ray's daemon, with botocore's data on DynamoDB alone."""
    assert {path.name for path in (observed / "botocore/data").iterdir() if path.is_dir()} == {"dynamodb"}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(10)
        environment = {
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{daemon.getsockname()[1]}",
            "LAMBDA_TASK_ROOT": str(observed),
            "POLYMICRO_CURSOR_SECRET": "x",
            "POWERTOOLS_METRICS_NAMESPACE": "Shop",
            "POWERTOOLS_SERVICE_NAME": "shop",
        }
        event = json.dumps(REQUEST | {"path": "/nothing"})
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-B", "-c", TRACED, str(observed), module, event],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
        spans = [json.loads(daemon.recv(65_536).partition(b"\n")[2]) for _ in range(3)]
    line, metrics, start, answer = map(json.loads, done.stdout.splitlines())
    assert (line["message"], line["status"], line["service"]) == ("request", 404, "shop")
    assert metrics["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Shop"
    assert (metrics["route"], metrics["4XXError"], start["ColdStart"]) == ("none", [1.0], [1.0])
    assert (answer["statusCode"], done.stderr) == (404, "")
    assert {span["name"] for span in spans} == {"## request", "## read", "## route"}


# --- the Todo API ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def todo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artifact of the Todo API, as pip and the command make it."""
    out = tmp_path_factory.mktemp("todo") / "artifact"
    done = command("--handler", "handlers.todo.handler", "--out", str(out), "--python", RUNNING_PYTHON)
    assert done.exit_code == 0, done.output
    return out


def command(*arguments: str, root: Path = ROOT) -> Result:
    """Run `polymicro build` in a project."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        return CliRunner().invoke(Commands(commands={"build": build_command}), ["build", *arguments])


DOCUMENTED_SOURCE = '''"""A module.

Of several lines.
"""

NUMBER = 1
"""What it is."""


class Thing:
    """One line."""

    def act(self) -> str:
        """Two,

        or more.
        """

    def say(self) -> str:
        """Stays apart."""; return "é" """ and "."""
'''


def test_only_packages_of_ours_lose_their_docstrings(tmp_path: Path) -> None:
    """One that somebody else brings may read its own."""
    source = '"""A module."""\n\n\ndef f():\n    """What it does."""\n    return 1\n'
    names = ("botocore/client.py", "six.py", "mine/client.py", "mine.py")
    put(tmp_path, dict.fromkeys(names, source))
    strip_dependencies(tmp_path)
    kept = {name: "What it does" in (tmp_path / name).read_text() for name in names}
    assert kept == {"botocore/client.py": False, "six.py": False, "mine/client.py": True, "mine.py": True}
    lines = (tmp_path / "six.py").read_text().splitlines()
    assert (len(lines), lines[-1]) == (6, "    return 1")


DATA_CLASSES = '''
from dataclasses import dataclass

@dataclass(frozen=True, slots=True)
class One:
    """A line."""

    a: int

@dataclass
class Two:
    """Two,

    or more.
    """

    a: int

class Three:
    """None."""
'''


def test_data_classes_keep_a_docstring_of_white_space(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that no start makes one of their signature."""
    thin = without_docstrings(DATA_CLASSES)
    assert len(thin.splitlines()) == len(DATA_CLASSES.splitlines())
    asked: list[Any] = []
    monkeypatch.setattr(inspect, "signature", asked.append)
    made: dict[str, Any] = {}
    exec(compile(thin, "thin", "exec", optimize=2), made)
    assert (made["One"].__doc__.strip(), made["Two"].__doc__.strip(), made["Three"].__doc__) == ("", "", None)
    assert (made["One"](1), asked) == (made["One"](1), [])


def test_docstrings_are_emptied_line_for_line() -> None:
    """The code stands where it stood; a string that shares its line with code stays."""
    thin = without_docstrings(DOCUMENTED_SOURCE)

    def code(source: str) -> list[tuple[int, str]]:
        nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt)]
        return [(node.lineno, type(node).__name__) for node in nodes]

    assert code(thin) == code(DOCUMENTED_SOURCE)
    assert len(thin.splitlines()) == len(DOCUMENTED_SOURCE.splitlines())
    assert [word in thin for word in ("module", "What", "One", "Two", "Stays", '"é"')] == [False] * 4 + [
        True
    ] * 2
    compile(thin, "thin", "exec")


ANNOTATED_SOURCE = """\
from functools import singledispatch

class Dog:
    name: str = "é"

    def bark(self, /, times: int = 2, *others: "Dog", loud: bool = True, **more: dict[str,
            int]) -> "list[Dog]": return [times, loud, more]

    async def wait(
        self,
        seconds: float | None = None,  # or for good
    ) -> tuple[
        int,
    ]:
        return seconds

@singledispatch
def kind(value: object) -> str: return "é"

@kind.register
def _(value: int) -> str: return "int"
"""


def test_annotations_of_functions_are_left_out_line_for_line() -> None:
    """Those of a class are its fields; those of a registered function say its type."""
    thin = stripped(ANNOTATED_SOURCE)
    was, now = ast.parse(ANNOTATED_SOURCE), ast.parse(thin)

    def places(tree: ast.AST) -> list[tuple[int, str]]:
        return [(one.lineno, type(one).__name__) for one in ast.walk(tree) if isinstance(one, ast.stmt)]

    assert places(now) == places(was)
    assert len(thin.splitlines()) == len(ANNOTATED_SOURCE.splitlines())
    spaces: dict[str, Any] = {}
    exec(compile(thin, "thin", "exec"), spaces)
    dog, kind = spaces["Dog"], spaces["kind"]
    assert (dog.__annotations__, dog.bark.__annotations__) == ({"name": str}, {})
    assert [*dog.wait.__annotations__] == ["return"]
    assert (dog().bark(loud=False, a=1), kind(1), kind("1")) == ([2, False, {"a": 1}], "int", "é")


def test_every_module_of_the_package_can_be_stripped() -> None:
    """What is left is the same code, but for annotations and docstrings."""
    for file in (ROOT / "polymicro_lambda").rglob("*.py"):
        source = file.read_text(encoding="utf-8")
        assert len(stripped(source).splitlines()) == len(source.splitlines())
        compile(stripped(source), str(file), "exec")


@pytest.mark.thorough
def test_the_todo_api_takes_at_most_9_000_kb(todo: Path) -> None:
    assert sum(part.total for part in artifact_parts(todo)) <= 9_000_000


@pytest.mark.thorough
def test_the_todo_api_brings_nothing_of_the_extra_dev(todo: Path) -> None:
    tops = {path.name for path in todo.iterdir() if "-" not in path.name}
    assert tops.isdisjoint(
        {"aws_xray_sdk", "bin", "click", "flask", "jwt", "moto", "pytest", "rich", "tests", "werkzeug"}
    )
    powertools = {path.name for path in (todo / "aws_lambda_powertools").iterdir()}
    utilities = {path.name for path in (todo / "aws_lambda_powertools" / "utilities").iterdir()}
    assert ("event_handler" in powertools, utilities - {"__pycache__"}) == (
        False,
        {"__init__.py", "jmespath_utils"},
    )
    ours = {path.stem for path in (todo / "polymicro_lambda").iterdir()}
    assert {"app", "dynamodb", "writes"} <= ours
    assert ours.isdisjoint({"cli", "deploy", "local", "openapi", "project", "pytest_plugin", "testing"})
    assert {path.name for path in (todo / "handlers").glob("*.py")} == {"__init__.py", "todo.py"}
    services = {path.name for path in (todo / "botocore" / "data").iterdir() if path.is_dir()}
    assert services == {"dynamodb"}


@pytest.mark.thorough
def test_licences_go_with_what_they_are_of(todo: Path) -> None:
    names = {path.name.partition("-")[0] for path in todo.glob("*.dist-info") if any(path.rglob("LICENSE*"))}
    assert {"botocore", "jmespath", "marshmallow", "pynamodb"} <= names


@pytest.mark.thorough
def test_every_module_has_bytecode_that_asks_for_no_source(todo: Path) -> None:
    """Of this Python, and with the paths that Lambda has; in the archive, but for what comes before that is open."""
    tag = sys.implementation.cache_tag
    compiled = dict(archive(todo))
    alone = {path.relative_to(todo).as_posix(): path.read_bytes() for path in todo.rglob("*.pyc")}
    assert set(alone) == {
        f"__pycache__/{START}.{tag}.pyc",
        f"handlers/__pycache__/__init__.{tag}.pyc",
        f"handlers/__pycache__/todo.{tag}.pyc",
    }
    before = {f"{START}.py", "handlers/__init__.py"}
    assert set(compiled) | before == {path.relative_to(todo).as_posix() for path in todo.rglob("*.py")}
    heads = {int.from_bytes(data[4:8], "little") for data in (*compiled.values(), *alone.values())}
    assert heads == {UNCHECKED}
    code: CodeType = marshal.loads(compiled["handlers/todo.py"][16:])
    assert code.co_filename == "/var/task/handlers/todo.py"


def archive(root: Path) -> Iterator[tuple[str, bytes]]:
    """The sources that an artifact's archive has the bytecode of, and it."""
    line, _, data = (root / ARCHIVE).read_bytes().partition(b"\n")
    for source, offset, size in json.loads(line).values():
        yield source, data[offset : offset + size]


@pytest.mark.thorough
def test_the_same_input_gives_the_same_bytes(todo: Path, tmp_path: Path) -> None:
    again = tmp_path / "elsewhere" / "out"
    assert (
        command(
            "--handler", "handlers.todo.handler", "--out", str(again), "--python", RUNNING_PYTHON
        ).exit_code
        == 0
    )
    assert digests(again) == digests(todo)


def digests(root: Path) -> dict[str, tuple[str, float, int]]:
    """What a file of an archive is made of: bytes, time and mode."""
    return {
        path.relative_to(root).as_posix(): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime,
            path.stat().st_mode,
        )
        for path in root.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A DynamoDB that other processes reach, with the table of todos."""
    server = ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


IMPORT = """
import gc, json, re, sys
compiled = []
def counted(*arguments, compile=re._compiler.compile):
    compiled.append(str(arguments[0]))
    return compile(*arguments)
re._compiler.compile = counted
sys.path.insert(0, sys.argv[1])
import handlers.todo
early, compiled = compiled, []
import marshmallow.validate as validate
from importlib.metadata import version
domain = validate.Email.DOMAIN_REGEX
here = [m for m in sys.modules.values() if (getattr(m, "__file__", None) or "").startswith(sys.argv[1])]
print(json.dumps({
    "compiled": early,
    "late": isinstance(domain, re.Pattern) and not any("\\u00a1-\\uffff" in each for each in compiled),
    "found by Python": sorted(m.__name__ for m in here if type(m.__loader__).__module__ != "polymicro_start"),
    "frozen": gc.get_freeze_count() > 10_000 and gc.isenabled(),
    "source": validate.__loader__.get_source("marshmallow.validate").count("class Email") == 1,
    "version": version("marshmallow").split(".")[0],
}))
"""


@pytest.mark.thorough
def test_a_cold_start_looks_for_nothing_and_compiles_no_pattern(todo: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", IMPORT, str(todo)], capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout) == {
        "compiled": [],
        "late": True,
        "found by Python": ["handlers", "handlers.todo", START],
        "frozen": True,
        "source": True,
        "version": "4",
    }


SCRIPT = """
import json, sys, os
sys.path.insert(0, sys.argv[1])
from handlers.todo import Todo, handler
made = Todo._connection.connection._client is not None
Todo.create_table(billing_mode="PAY_PER_REQUEST")
answers = [handler(json.load(open(event)), None) for event in sys.argv[2:]]
print(json.dumps([made, answers]), file=sys.stderr)
"""


@pytest.mark.thorough
def test_the_handler_answers_from_the_artifact_alone(todo: Path, endpoint: str) -> None:
    """In a process without any other package, with its client made before the first request."""
    variables = {
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
        "AWS_LAMBDA_FUNCTION_NAME": "todo",
        "AWS_SECRET_ACCESS_KEY": "local",
        "POLYMICRO_CURSOR_SECRET": "a secret that is long enough",
        "PATH": os.environ["PATH"],
    }
    events = [str(ROOT / "events" / f"rest-{name}.json") for name in ("create", "list")]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", SCRIPT, str(todo), *events],
        env=variables,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()
    made, (create, listing) = json.loads(done.stderr)
    assert made
    assert (create["statusCode"], listing["statusCode"]) == (201, 200)
    assert json.loads(listing["body"])["items"] == [json.loads(create["body"])]


# --- the command ----------------------------------------------------------------------------------------

PYPROJECT = "[project]\ndependencies = []\n[tool.polymicro]\napp = 'app:pm'\n"


def test_the_command_prints_what_the_artifact_is_made_of(tmp_path: Path) -> None:
    put(tmp_path, {"pyproject.toml": PYPROJECT, "app.py": "pm = 1\n"})
    done = command("--out", "out", root=tmp_path)
    assert done.exit_code == 0, done.output
    parts = [line.split()[0] for line in done.output.splitlines()]
    assert (parts[0], set(parts[1:-1]), parts[-1]) == ("KB", {COMPILED, START, "app", ARCHIVE}, "total")
    assert sources(tmp_path / "out") == {"app.py"}


@pytest.mark.parametrize(
    ("text", "arguments", "words"),
    [
        pytest.param("", [], "lists no [project] dependencies", id="no dependencies"),
        pytest.param("[project]\ndependencies = []", [], "No app is configured", id="no app"),
        pytest.param("[project]\ndependencies = 'x'", [], "dependencies in", id="dependencies a text"),
        pytest.param(PYPROJECT + "services = 's3'", [], "services in", id="services a text"),
        pytest.param(PYPROJECT + "include = [1]", [], "include in", id="include numbers"),
        pytest.param(PYPROJECT, ["--handler", "no module"], "names no module", id="bad handler"),
        pytest.param(PYPROJECT, ["--app", "missing:pm"], "There is no module missing", id="missing module"),
        pytest.param(PYPROJECT, ["--python", "3.99"], "takes a Python 3.99", id="no such Python"),
    ],
)
def test_the_command_says_what_is_wrong(tmp_path: Path, text: str, arguments: list[str], words: str) -> None:
    put(tmp_path, {"pyproject.toml": text + "\n[tool.polymicro]\n" * ("polymicro" not in text), "app.py": ""})
    done = command("--out", "out", *arguments, root=tmp_path)
    assert done.exit_code == 1
    assert words in " ".join(done.output.split())
