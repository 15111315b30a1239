"""The command `polymicro new`."""

import json
import shlex
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import click

from polymicro_lambda.cli import console
from polymicro_lambda.cli.new_project import ProjectName, make_generated, minimal, project, write


@click.command()
@click.argument("name")
@click.option("--minimal", "small", is_flag=True, help="One file, app.py, and nothing else.")
def new(name: str, small: bool) -> None:
    """Begin a project in the new directory NAME.

    It has models, a resource, an authorizer, tests, events, a SAM template, a Makefile and a CI file: all of a todo
    API that works as it is. Nothing is ever overwritten.

    \b
    Example:
      polymicro new my-todos
      polymicro new --minimal scratch
    """
    names = ProjectName(name)
    if (fault := names.fault()) is not None:
        raise click.BadParameter(f"{fault}.", param_hint="'NAME'")
    root = Path.cwd() / name
    files = minimal(names) if small else project(names)
    write(root, files)
    if not small:
        with console.working("Making the template …"):
            make_generated(root)
    click.echo(f"{name}: {len(files) + (not small)} file{'' if small else 's'}.\n")
    for line in _minimal_hints(root) if small else _hints(root):
        click.echo(line)


def _minimal_hints(root: Path) -> Iterator[str]:
    yield f"    cd {shlex.quote(str(root))}"
    yield "    polymicro serve --app app:pm --as alice"


def _hints(root: Path) -> Iterator[str]:
    """The next commands, to be pasted; they work from any directory, as many readers have changed into the new one."""
    source = _source()
    if source is not None:
        yield "polymicro-lambda is not from an index here: the project takes it from a wheel of its own.\n"
    yield f"    cd {shlex.quote(str(root))}"
    if source is not None:
        yield f"    python3 -m pip wheel --quiet --no-deps --wheel-dir wheels {shlex.quote(source)}"
    yield "    make test"
    yield "    make serve"
    yield "\nIts README.md tells the rest."


def _source() -> str | None:
    """The source of this package's installation, None if that was by name from an index (PEP 610)."""
    try:
        text = distribution("polymicro-lambda").read_text("direct_url.json")
    except PackageNotFoundError:
        return None
    if text is None:
        return None
    origin = json.loads(text)
    tool = origin.get("vcs_info", {}).get("vcs")
    return f"{tool}+{origin['url']}" if tool else str(origin["url"]).removeprefix("file://")
