"""A project's settings: ``[tool.polymicro]`` in its pyproject.toml."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from polymicro_lambda.exceptions import PolymicroError

PYPROJECT = "pyproject.toml"


class UsageError(PolymicroError):
    """A command cannot go on; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Project:
    """A project's directory and its ``[tool.polymicro]``: ``app`` and ``authorizer``, each ``module:name``."""

    root: Path
    app: str | None = None
    authorizer: str | None = None
    name: str | None = None
    """That of ``[project]``."""


def find_project(start: Path) -> Project:
    """The project of the nearest pyproject.toml upwards that has ``[tool.polymicro]``, else one without settings.

    Raises ``UsageError`` for a file that is not TOML or a setting that is not a text.
    """
    return next(_projects(start.resolve()), Project(start.resolve()))


def _projects(start: Path) -> Iterator[Project]:
    for directory in (start, *start.parents):
        file = directory / PYPROJECT
        settings = _settings(file) if file.is_file() else None
        if settings is not None:
            yield Project(directory, settings.get("app"), settings.get("authorizer"), settings.get("name"))


def _settings(file: Path) -> dict[str, str] | None:
    """What is said in ``[tool.polymicro]``, and the name of ``[project]``; None without the former."""
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
    about = document.get("project")
    named = {"name": str(about["name"])} if isinstance(about, dict) and "name" in about else {}
    return {name: settings[name] for name in ("app", "authorizer") if name in settings} | named


def required_app(app: str | None) -> str:
    """The setting ``app``, ``module:name``. Raises ``UsageError`` where none is configured."""
    if app is None:
        raise UsageError(
            f"No app is configured. {search_hint()}, or write into pyproject.toml:\n\n"
            '    [tool.polymicro]\n    app = "handlers.todo:pm"\n\n'
            "or on the command line: --app handlers.todo:pm"
        )
    return app


def search_hint() -> str:
    """The directories without the setting, and what to do: most often the command runs in another directory."""
    return (
        f"No {PYPROJECT} from {Path.cwd()} upwards names one: change into the project's directory"
        " (`polymicro new` begins one)"
    )
