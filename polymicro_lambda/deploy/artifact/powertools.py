"""Powertools in a deployment: the modules that an app's source needs, and the variables that name its service."""

import ast
import logging
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from polymicro_lambda.observability import POWERTOOLS_MODULES

from .imports import imports, reachable
from .target_python import PACKAGE, BuildError

POWERTOOLS = "aws_lambda_powertools"
NEEDS: Mapping[str, str] = {"logger": POWERTOOLS, "metrics": POWERTOOLS, "tracer": "aws_xray_sdk"}
"""Argument of ``PolyMicro`` -> the package that it needs where it is True."""
ADD: Mapping[str, str] = {
    POWERTOOLS: 'add "polymicro-lambda" to [project] dependencies in pyproject.toml, or name it by --requirement',
    "aws_xray_sdk": 'add "polymicro-lambda[tracer]" to [project] dependencies in pyproject.toml, or name it by'
    " --requirement",
}
EVENT_HANDLER = f"{POWERTOOLS}.event_handler"
"""A router of its own. ``Logger`` reaches for it to log a model of pydantic's, and only then."""
TYPING = "typing_extensions"
"""A package that Powertools brings, and that goes where nothing else needs it."""
_TYPING_LINE = re.compile(r"^Requires-Dist: typing[-_.]extensions\b(.*)", re.MULTILINE)
_OLDER_PYTHON = re.compile(r";.*(extra|python_(full_)?version *<)")
"""A marker under which an artifact does not take a requirement."""

SERVICE = "POWERTOOLS_SERVICE_NAME"
NAMESPACE = "POWERTOOLS_METRICS_NAMESPACE"
UNNAMED_SERVICES = (None, "", "service_undefined")
"""The service of a ``Metrics``, a ``Tracer`` and a ``Logger`` without a name."""


# --- its artifact ---------------------------------------------------------------------------------------


def missing_powertools(own: Mapping[str, Path], stage: Path) -> str | None:
    """A note where a module imports Powertools and the artifact has none; None where all is well.

    ``own`` are the project's modules and their files. Raises ``BuildError`` for a switch that is on without its
    packages; an import may be one that the code can do without.
    """
    for name, file in own.items():
        for argument in (one for one, is_literal in switches(file) if is_literal):
            if not (stage / NEEDS[argument]).is_dir():
                needed = NEEDS[argument]
                raise BuildError(f"{name} says {argument}=True, which takes {needed}: {ADD[needed]}.")
    importer = next((name for name, file in own.items() if any(_of_powertools(name, file))), None)
    there = importer is None or (stage / POWERTOOLS).is_dir()
    return (
        None if there else f"{importer} imports {POWERTOOLS}, which no dependency brings: {ADD[POWERTOOLS]}"
    )


def switches(file: Path) -> Iterator[tuple[str, bool]]:
    """The arguments that a call of ``PolyMicro`` in a module may switch on, each with whether a literal True does."""
    for node in ast.walk(ast.parse(file.read_bytes(), str(file))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "PolyMicro":
            for keyword in node.keywords:
                names = NEEDS if keyword.arg is None else NEEDS.keys() & {keyword.arg}
                yield from ((name, _is_true(keyword.value)) for name in names if _may_be_true(keyword.value))


def _is_true(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is True


def _may_be_true(value: ast.expr) -> bool:
    """Whether it may be True when it runs: what ``logging.getLogger`` returns is a logger."""
    if isinstance(value, ast.Call):
        return ast.unparse(value.func).rpartition(".")[2] != "getLogger"
    return not isinstance(value, ast.Constant) or value.value is True


def thin_out_powertools(own: Mapping[str, Path], stage: Path) -> None:
    """Remove the modules of Powertools that nothing in the artifact reaches, all where that is none of them.

    ``own`` are the project's modules and their files.
    """
    package = stage / POWERTOOLS
    if not package.is_dir():
        return
    kept = _reached(own, stage)
    for file in package.rglob("*"):
        if file.is_file() and not _is_kept(file, kept):
            file.unlink()
    if not kept:
        shutil.rmtree(package)
        for metadata in stage.glob(f"{POWERTOOLS}-*.dist-info"):
            shutil.rmtree(metadata)
    modules = {**own, **{".".join(file.relative_to(stage).with_suffix("").parts): file for file in kept}}
    imported = any(TYPING in imports(name, file) for name, file in modules.items())
    if not (imported or any(_requires_typing(file) for file in stage.glob("*.dist-info/METADATA"))):
        (stage / f"{TYPING}.py").unlink(missing_ok=True)
        for metadata in stage.glob(f"{TYPING}-*.dist-info"):
            shutil.rmtree(metadata)


def _reached(own: Mapping[str, Path], stage: Path) -> set[Path]:
    """The files of Powertools' modules that the app's switches and imports lead to, and other packages'."""
    start = {POWERTOOLS_MODULES[name] for file in own.values() for name, _ in switches(file)}
    start |= {one for name, file in own.items() for one in _of_powertools(name, file)}
    for file in stage.rglob("*.py"):
        place = file.relative_to(stage)
        if place.parts[0] not in (POWERTOOLS, PACKAGE) and _names(POWERTOOLS, file):
            start |= set(_of_powertools(".".join(place.with_suffix("").parts), file))
    needless = not (stage / "pydantic").is_dir() and not any(
        f"{one}.".startswith(f"{EVENT_HANDLER}.") for one in start
    )
    root_of = partial(_powertools_in, stage)
    return set(reachable(start, root_of, without={EVENT_HANDLER} if needless else ()).values())


def _powertools_in(stage: Path, top: str) -> Path | None:
    return stage if top == POWERTOOLS else None


def _is_kept(file: Path, reached: set[Path]) -> bool:
    """Whether a module is reached: by an import, or as a part of a package that imports its parts by name (PEP 562)."""
    parents = (parent / "__init__.py" for parent in file.parents)
    return file in reached or any(
        one in reached and one != file and _names("import_module(", one) for one in parents
    )


def _names(text: str, file: Path) -> bool:
    return text.encode() in file.read_bytes()


def _requires_typing(metadata: Path) -> bool:
    """Whether a distribution besides Powertools requires ``typing_extensions`` of a Python that has artifacts."""
    wanted = _TYPING_LINE.findall(metadata.read_text(encoding="utf-8"))
    return not metadata.parent.name.startswith(POWERTOOLS) and not all(map(_OLDER_PYTHON.search, wanted))


def _of_powertools(name: str, file: Path) -> Iterator[str]:
    return (one for one in imports(name, file) if one.partition(".")[0] == POWERTOOLS)


# --- its environment ------------------------------------------------------------------------------------


def naming_variables(logger: Any, metrics: Any, tracer: Any) -> Iterator[str]:
    """The variables by which Powertools names the objects that these arguments of ``PolyMicro`` leave unnamed.

    A name equal to that in this machine's environment counts as none: nothing tells the two apart.
    """
    off = (None, False)
    standard = isinstance(logger, logging.Logger | logging.LoggerAdapter)
    on = [each for each in ((None if standard else logger), metrics, tracer) if each not in off]
    if any(_named(each, "service") in (*UNNAMED_SERVICES, os.environ.get(SERVICE)) for each in on):
        yield SERVICE
    if metrics not in off and _named(metrics, "namespace") in (*UNNAMED_SERVICES, os.environ.get(NAMESPACE)):
        yield NAMESPACE


def _named(given: Any, name: str) -> Any:
    """A name that an object of Powertools has; True has none."""
    return getattr(given, name, None)
