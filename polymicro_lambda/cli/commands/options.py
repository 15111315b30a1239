"""The option ``--app`` of several commands, and the project and the app that it leads to."""

from dataclasses import replace
from pathlib import Path

import click

from polymicro_lambda.app import PolyMicro
from polymicro_lambda.project import Project, compiled_handler, find_project, import_from, load_app

app_option = click.option(
    "--app", metavar="MODULE:NAME", help="The PolyMicro; else [tool.polymicro] app in pyproject.toml."
)


def current_project(app: str | None = None) -> Project:
    """The project of this directory, its modules importable; ``app`` goes before its own setting."""
    project = find_project(Path.cwd())
    import_from(project)
    return replace(project, app=app) if app else project


def compiled_app(project: Project) -> PolyMicro:
    """The project's app, compiled. Raises ``UsageError``."""
    app = load_app(project)
    compiled_handler(app)
    return app
