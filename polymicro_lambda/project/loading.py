"""The objects that a project's settings name, imported: its app and its authorizer."""

import os
import sys
import traceback
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any

from polymicro_lambda.app import PolyMicro
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.types import Handler

from .settings import Project, UsageError, required_app

PACKAGE = str(Path(__file__).parents[1]) + os.sep


def import_from(project: Project) -> None:
    """Make the project's modules importable, as they are in the deployed Lambda."""
    for directory in (str(project.root), str(Path.cwd())):
        if directory not in sys.path:
            sys.path.insert(0, directory)


def load_object(reference: str) -> Any:
    """The object that ``module:name`` names; the name may have dots.

    Raises ``UsageError``; where the module itself raises, the text holds its traceback from its first line on.
    """
    module_name, _, name = reference.partition(":")
    if not name or not all(part.isidentifier() for part in (*module_name.split("."), *name.split("."))):
        raise UsageError(
            f"{reference!r} does not name an object. Write module:name, such as handlers.todo:pm."
        )
    target: Any = _module(module_name)
    for part in name.split("."):
        if not hasattr(target, part):
            raise UsageError(
                f"The module {module_name} has no {name}. Say which object it is: {module_name}:<name>."
            )
        target = getattr(target, part)
    return target


def load_app(project: Project) -> PolyMicro:
    """The project's ``PolyMicro``, which has the project's name unless it says a title. Raises ``UsageError``."""
    reference = project.app
    app = load_object(required_app(reference))
    if not isinstance(app, PolyMicro):
        raise UsageError(
            f"{reference} is a {type(app).__name__}, not a PolyMicro. Name the object PolyMicro() made."
        )
    app.title = app.title or project.name
    return app


def compiled_handler(app: PolyMicro, *, served: bool = False) -> Handler:
    """The app's handler; with ``served`` the one of `polymicro serve`, which has the documentation too.

    Raises ``UsageError`` where the app does not compile.
    """
    try:
        return app.served() if served else app.compile()
    except Exception as error:
        raise UsageError(f"The app does not compile:\n\n{traceback_of(error)}") from error


def load_authorizer(reference: str) -> Handler:
    """The function that ``module:name`` names. Raises ``UsageError``."""
    function = load_object(reference)
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
    """The error's traceback, from the first frame that is neither this file's nor the import system's.

    A wrong declaration has its last line in the project instead: the text names class and attribute, and what to do.
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
    own = [frame for frame in traceback.extract_tb(frames) if not _is_package(frame.filename)]
    return f"{own[-1].filename}:{own[-1].lineno}: " if own else ""


def _is_package(file: str) -> bool:
    return file.startswith(("<frozen importlib", PACKAGE)) or file == import_module.__code__.co_filename


def _is_ours(frame: TracebackType) -> bool:
    file = frame.tb_frame.f_code.co_filename
    return file in (__file__, import_module.__code__.co_filename) or file.startswith("<frozen importlib")
