"""What the command line works on: the project's settings in pyproject.toml, and the objects they name."""

import os
import sys
import tomllib
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any

from polymicro_lambda.app import PolyMicro
from polymicro_lambda.exceptions import ConfigurationError, PolymicroError
from polymicro_lambda.http import User
from polymicro_lambda.types import Handler

FILE = "pyproject.toml"
PACKAGE = str(Path(__file__).parents[1]) + os.sep


class UsageError(PolymicroError):
    """The command cannot go on; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Project:
    """A project's directory and its ``[tool.polymicro]``: ``app`` and ``authorizer``, each ``module:name``."""

    root: Path
    app: str | None = None
    authorizer: str | None = None


def find_project(start: Path) -> Project:
    """The settings in the nearest pyproject.toml upwards that has ``[tool.polymicro]``, else none.

    Raises ``UsageError`` for a file that is not TOML or a setting that is not a text.
    """
    return next(_projects(start.resolve()), Project(start.resolve()))


def _projects(start: Path) -> Iterator[Project]:
    for directory in (start, *start.parents):
        file = directory / FILE
        settings = _settings(file) if file.is_file() else None
        if settings is not None:
            yield Project(directory, settings.get("app"), settings.get("authorizer"))


def _settings(file: Path) -> dict[str, str] | None:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} is not TOML: {error}.") from error
    tools = document.get("tool")
    settings = tools.get("polymicro") if isinstance(tools, dict) else None
    if not isinstance(settings, dict):
        return None
    wrong = [name for name in ("app", "authorizer") if not isinstance(settings.get(name, ""), str)]
    if wrong:
        raise UsageError(f'[tool.polymicro] {wrong[0]} in {file} must be a text such as "module:name".')
    return settings


def import_from(project: Project) -> None:
    """Make the project's modules importable, as they are in the deployed Lambda."""
    for directory in (str(project.root), str(Path.cwd())):
        if directory not in sys.path:
            sys.path.insert(0, directory)


def load(reference: str) -> Any:
    """The object that ``module:name`` names; the name may have dots.

    Raises ``UsageError``; where the module itself raises, the text holds its traceback from its first line on.
    """
    module_name, _, name = reference.partition(":")
    if not name or not all(part.isidentifier() for part in (*module_name.split("."), *name.split("."))):
        raise UsageError(
            f"{reference!r} does not name an object. Write module:name, such as handlers.todo:pm."
        )
    found: Any = _module(module_name)
    for part in name.split("."):
        if not hasattr(found, part):
            raise UsageError(
                f"The module {module_name} has no {name}. Say which object it is: {module_name}:<name>."
            )
        found = getattr(found, part)
    return found


def configured(app: str | None) -> str:
    """The app's ``module:name``. Raises ``UsageError`` where none is configured."""
    if app is None:
        raise UsageError(
            f"No app is configured. {looked()}, or write into pyproject.toml:\n\n"
            '    [tool.polymicro]\n    app = "handlers.todo:pm"\n\n'
            "or on the command line: --app handlers.todo:pm"
        )
    return app


def looked() -> str:
    """Where no setting was found, and what to do first: a command is most often run in another directory."""
    return (
        f"No {FILE} from {Path.cwd()} upwards names one: change into the project's directory"
        " (`polymicro new` begins one)"
    )


def load_app(reference: str | None) -> PolyMicro:
    """The ``PolyMicro`` that ``module:name`` names. Raises ``UsageError``."""
    app = load(configured(reference))
    if not isinstance(app, PolyMicro):
        raise UsageError(
            f"{reference} is a {type(app).__name__}, not a PolyMicro. Name the object PolyMicro() made."
        )
    return app


def compiled(app: PolyMicro, *, served: bool = False) -> Handler:
    """The app's handler, or that which is served here. Raises ``UsageError`` where the app does not compile."""
    try:
        return app.served() if served else app.compile()
    except Exception as error:
        raise UsageError(f"The app does not compile:\n\n{traceback_of(error)}") from error


def load_authorizer(reference: str) -> Handler:
    """The function that ``module:name`` names. Raises ``UsageError``."""
    function = load(reference)
    if not callable(function):
        raise UsageError(f"The authorizer {reference} is a {type(function).__name__}, not a function.")
    return function  # type: ignore[no-any-return]


def _module(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
            raise UsageError(f"The module {name} cannot be imported:\n\n{traceback_of(error)}") from error
        raise UsageError(
            f"There is no module {name}. Looked from {Path.cwd()}; is the name right?"
        ) from error
    except (Exception, SystemExit) as error:
        raise UsageError(f"The module {name} cannot be imported:\n\n{traceback_of(error)}") from error


def traceback_of(error: BaseException) -> str:
    """The error's traceback without the lines of this package and the import system that led to it.

    Of a wrong declaration only the place that met it: the text names class and attribute, and what to do.
    """
    if isinstance(error, ConfigurationError) and isinstance(
        error.__cause__, ConfigurationError | ImportError | None
    ):
        return f"{_place(error.__traceback__)}{error}"
    shown = error.__traceback__
    while shown is not None and _is_ours(shown):
        shown = shown.tb_next
    return "".join(traceback.format_exception(type(error), error, shown)).rstrip()


def _place(frames: TracebackType | None) -> str:
    """The last line of the project's own code, as ``file:line: ``; empty where there is none."""
    own = [one for one in traceback.extract_tb(frames) if not _is_package(one.filename)]
    return f"{own[-1].filename}:{own[-1].lineno}: " if own else ""


def _is_package(file: str) -> bool:
    return file.startswith(("<frozen importlib", PACKAGE)) or file == import_module.__code__.co_filename


def _is_ours(frame: TracebackType) -> bool:
    file = frame.tb_frame.f_code.co_filename
    return file in (__file__, import_module.__code__.co_filename) or file.startswith("<frozen importlib")


def parse_user(text: str) -> User:
    """The user that ``NAME[:PERMISSION,…]`` says; what has an equals sign is a claim, as ``alice:tenant=acme``.

    Raises ``UsageError`` for an empty name.
    """
    name, _, rest = text.partition(":")
    if not name.strip():
        raise UsageError(f"{text!r} names nobody. Write NAME or NAME:PERMISSION,PERMISSION,CLAIM=VALUE.")
    parts = [part.strip() for part in rest.split(",")]
    claims = dict(part.split("=", 1) for part in parts if "=" in part)
    return User(name.strip(), frozenset(part for part in parts if part and "=" not in part), claims=claims)
