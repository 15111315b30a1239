"""What is public: it is named in one place, says what it is, and stands in the README or the docs."""

import re
from collections.abc import Iterator
from importlib import import_module
from inspect import isclass, isfunction, ismodule, signature
from pathlib import Path
from typing import Any

import click
import pytest

import polymicro_lambda
from polymicro_lambda import ModelResource, permissions
from polymicro_lambda.cli.commands.registry import polymicro

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "polymicro_lambda"
PAGES = {
    path.name: path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))
}
WORDS = "\n".join(PAGES.values())
FOR_US = {"architecture.md", "decisions.md", "development.md"}
"""What a user of the package does not read."""
FOR_USERS = "\n".join(text for name, text in PAGES.items() if name not in FOR_US)
CODE = "\n".join(re.findall(r"^```\w*\n.*?^```$|`[^`\n]+`|^ {4}.+$", FOR_USERS, re.MULTILINE | re.DOTALL))
"""What stands in them as code."""
TOP = "polymicro_lambda"
MODULES = {
    name: import_module(name)
    for name in (
        TOP,
        *(
            f"{TOP}.{part}"
            for part in ("backfill", "exceptions", "permissions", "renderers", "testing", "threads")
        ),
    )
}
"""What users import from: all that these name is public."""
OF_WINGS = [
    (f"{TOP}.http", "user_from"),
    (f"{TOP}.local", "Wsgi"),
    (f"{TOP}.observability", "RequestIds"),
    (f"{TOP}.openapi", "openapi"),
]
"""What they import of the package's wings."""
PUBLIC = [*((module, name) for module in MODULES for name in MODULES[module].__all__), *OF_WINGS]
COMMANDS = sorted(polymicro.commands)
OPTIONS = [
    (f"{name} {parameter.opts[0]}", {*parameter.opts, *parameter.secondary_opts})
    for name in COMMANDS
    for parameter in polymicro.commands[name].params
    if isinstance(parameter, click.Option)
]
FIXTURES = re.findall(
    r"^@pytest\.fixture.*\ndef (\w+)", (PACKAGE / "pytest_plugin.py").read_text(), re.MULTILINE
)
"""What the pytest plugin gives to users' tests."""


def arguments() -> Iterator[tuple[str, str]]:
    """What can be said to a public class or function of the package, and what a resource can declare."""
    for module, name in PUBLIC:
        value = getattr(import_module(module), name)
        if module == TOP and callable(value) and not (isclass(value) and issubclass(value, Exception)):
            said = [one for one in signature(value).parameters.values() if one.kind is not one.VAR_KEYWORD]
            yield from ((name, argument.name) for argument in said)
    for name in ModelResource.__annotations__:
        yield "ModelResource", name


def in_code(name: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", CODE) is not None


def imported() -> set[tuple[str, str]]:
    """What README and docs import of this package: module and name."""
    found = re.findall(rf"^from ({TOP}[\w.]*) import (?:\(([^)]*)\)|(.+))$", WORDS, re.MULTILINE)
    return {(module, name) for module, *names in found for name in re.findall(r"\w+", " ".join(names))}


def isort_style(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest, as ruff's RUF022 sorts."""
    return (0 if name.isupper() else 1 if name[:1].isupper() else 2, name)


def test_the_package_names_all_that_it_has() -> None:
    names = {name for name, value in vars(polymicro_lambda).items() if name[0] != "_" and not ismodule(value)}
    assert set(polymicro_lambda.__all__) == names


def test_permissions_are_at_the_top_too() -> None:
    top = {name: getattr(polymicro_lambda, name, None) for name in permissions.__all__}
    assert top == {name: getattr(permissions, name) for name in permissions.__all__}


@pytest.mark.parametrize("module", MODULES)
def test_names_are_sorted_and_there_once(module: str) -> None:
    names = MODULES[module].__all__
    assert list(names) == sorted(set(names), key=isort_style)


def test_what_the_docs_import_is_public() -> None:
    assert imported() - set(PUBLIC) == set()


@pytest.mark.parametrize(("module", "name"), PUBLIC)
def test_a_public_name_says_what_it_is(module: str, name: str) -> None:
    """Not by what it inherits, or what a dataclass says of itself, which is its signature."""
    value: Any = getattr(import_module(module), name)
    own = vars(value).get("__doc__") if isclass(value) else getattr(value, "__doc__", None)
    said = own is not None and not own.startswith(f"{name}(")
    assert said or not (isclass(value) or isfunction(value))


@pytest.mark.parametrize("name", sorted({name for _, name in PUBLIC}))
def test_a_public_name_stands_in_the_docs(name: str) -> None:
    assert in_code(name)


@pytest.mark.parametrize(("owner", "argument"), sorted(set(arguments())))
def test_what_can_be_said_stands_in_the_docs(owner: str, argument: str) -> None:
    assert in_code(argument)


@pytest.mark.parametrize("name", FIXTURES)
def test_a_fixture_stands_in_the_docs(name: str) -> None:
    assert in_code(name)


def test_there_are_fixtures() -> None:
    assert {"polymicro_client", "polymicro_dynamodb"} <= set(FIXTURES)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_help_with_an_example(name: str) -> None:
    """Which begins as it would be typed, or as a Makefile would have it."""
    command = polymicro.commands[name]
    text = command.get_help(click.Context(command, info_name=f"polymicro {name}"))
    _, _, example = text.partition("Example")
    assert re.search(rf"^    .*\bpolymicro {name}\b|^        polymicro {name}\b", example, re.MULTILINE)
    undescribed = [
        parameter.name
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.help
    ]
    assert undescribed == []


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_stands_in_the_docs(name: str) -> None:
    assert in_code(f"polymicro {name}")


@pytest.mark.parametrize(("option", "names"), OPTIONS, ids=[option for option, _ in OPTIONS])
def test_an_option_stands_in_the_docs(option: str, names: set[str]) -> None:
    """In one of its forms."""
    assert any(map(in_code, names))
