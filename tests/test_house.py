"""The house: a file imports only from rows above its own, or from its own row to the left."""

import ast
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "polymicro_lambda"
ROWS = """
    _marshmallow _lazy _switch types exceptions _slips _json _values
    _urls _members users requests addresses responses actions results prefixed causes observing
    comparisons conditions verdicts rules permissions indexes fields attributes _pointers _declarations loading schemas
    pagination
    deadlines failures _tries _exchange _pools _botocore items _expressions wire _columns selections _instances
    _pynamodb metering digests ledgers etags renderings guards access plans rows picks queries writes settling
    transactions uniqueness claims changes records creations journals batches serializers store
    cors hsts headers sizes negotiation filters planner idempotency rates
    listing mixins resources field_rules calls
    signatures mistakes questions families routing compiling answers sheets markers bulk straight operations limiter
    telemetry correlation lines sinks dispatch
    events
    _field_schemas _bodies _samples _forms _parameters _outcomes _documented openapi _page_files documentation
    _yaml _tables _sam_events _sam_api _policy _parts _stack template
    _startup app backfill __init__
    _imports _importer _trial _archive _artifact _target _powertools build
    _sent _invocation _client _matrix _strict_values _strict_expressions _strict testing _gateway local
    _console _wording _explain _routes _project _curl _session _engine _reload _serve _isolation pytest_plugin
    _new_project _build_command _completion_command _new_command _openapi_command _routes_command _template_command
    _commands cli
"""
ORDER = ROWS.split()
FILES = sorted(path.stem for path in PACKAGE.glob("*.py"))
EVENTS_MAY = {"types", "exceptions", "users", "requests", "responses", "_urls", "_members"}
"""Event sources know of requests and responses, and nothing of what makes one from the other."""


def typing_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def walk(node: ast.AST, *, functions: bool) -> Iterator[ast.AST]:
    """The nodes that run: all of them, or without the bodies of functions."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not typing_only(child) and (functions or not isinstance(child, ast.FunctionDef)):
            yield from walk(child, functions=functions)


def imported(name: str) -> set[str]:
    """The files of the package that this file imports when it is imported."""
    nodes = walk(ast.parse((PACKAGE / f"{name}.py").read_text()), functions=False)
    ours = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.level == 1]
    named = [[node.module.split(".")[0]] if node.module else [a.name for a in node.names] for node in ours]
    return set(chain.from_iterable(named)) & set(FILES)


def test_every_file_has_one_room() -> None:
    assert set(FILES) <= set(ORDER)
    assert len(ORDER) == len(set(ORDER))


@pytest.mark.parametrize("name", FILES)
def test_a_file_imports_only_from_above_or_the_left(name: str) -> None:
    allowed = set(ORDER[: ORDER.index(name)])
    assert imported(name) - (EVENTS_MAY if name == "events" else allowed) == set()


@pytest.mark.parametrize("name", FILES)
def test_an_import_inside_a_function_says_why(name: str) -> None:
    """By a comment on its line or the one before, of more than a code for the linter."""
    source = (PACKAGE / f"{name}.py").read_text()
    lines = ["", *source.splitlines()]
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    inside = [node for f in functions for node in walk(f, functions=True)]
    numbers = [node.lineno for node in inside if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [lines[number] for number in numbers if not says_why(lines[number - 1 : number + 1])] == []


def says_why(lines: list[str]) -> bool:
    comments = [
        line.partition("#")[2].removeprefix(" noqa: PLC0415").strip() for line in lines if "#" in line
    ]
    return any(comments)
