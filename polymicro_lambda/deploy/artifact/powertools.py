"""Powertools in a deployment: the packages that an app's source needs, and the variables that name its service."""

import ast
import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .imports import imports
from .target_python import BuildError

POWERTOOLS = "aws_lambda_powertools"
NEEDED_PACKAGES: Mapping[str, tuple[str, ...]] = {
    "logger": (POWERTOOLS,),
    "metrics": (POWERTOOLS,),
    "tracer": (POWERTOOLS, "aws_xray_sdk"),
}
"""Argument of ``PolyMicro`` -> the packages that it needs where it is True."""
ADD = 'add "polymicro-lambda[powertools]" to [project] dependencies in pyproject.toml, or name it by --requirement'

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
        for argument in switched_on(file):
            absent = [package for package in NEEDED_PACKAGES[argument] if not (stage / package).is_dir()]
            if absent:
                raise BuildError(f"{name} says {argument}=True, which takes {absent[0]}: {ADD}.")
    importer = next((name for name, file in own.items() if _imports_powertools(name, file)), None)
    there = importer is None or (stage / POWERTOOLS).is_dir()
    return None if there else f"{importer} imports {POWERTOOLS}, which no dependency brings: {ADD}"


def switched_on(file: Path) -> Iterator[str]:
    """The arguments that a call of ``PolyMicro`` in a module gives as a literal True."""
    for node in ast.walk(ast.parse(file.read_bytes(), str(file))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "PolyMicro":
            given = {
                one.arg
                for one in node.keywords
                if isinstance(one.value, ast.Constant) and one.value.value is True
            }
            yield from (argument for argument in NEEDED_PACKAGES if argument in given)


def _imports_powertools(name: str, file: Path) -> bool:
    return any(one.partition(".")[0] == POWERTOOLS for one in imports(name, file))


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
