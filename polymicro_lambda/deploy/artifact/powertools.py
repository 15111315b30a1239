"""What an app asks of Powertools: of its artifact, known from the source, and of its environment."""

import ast
import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .imports import imports
from .target_python import BuildError

POWERTOOLS = "aws_lambda_powertools"
TAKES: Mapping[str, tuple[str, ...]] = {
    "logger": (POWERTOOLS,),
    "metrics": (POWERTOOLS,),
    "tracer": (POWERTOOLS, "aws_xray_sdk"),
}
"""Argument of ``PolyMicro`` -> the packages that it takes where it is True."""
ADD = 'add "polymicro-lambda[powertools]" to [project] dependencies in pyproject.toml, or name it by --requirement'

SERVICE = "POWERTOOLS_SERVICE_NAME"
NAMESPACE = "POWERTOOLS_METRICS_NAMESPACE"
UNNAMED = (None, "", "service_undefined")
"""The service of what nothing names: that of ``Metrics``, of a ``Tracer`` and of a ``Logger``."""


# --- its artifact ---------------------------------------------------------------------------------------


def lacking(own: Mapping[str, Path], stage: Path) -> str | None:
    """What to know of Powertools where a module imports it and the artifact has none; None where all is well.

    ``own`` are the project's modules and their files. Raises ``BuildError`` for a switch that is on without what
    it takes; an import may be one that the code can do without.
    """
    for name, file in own.items():
        for argument in switched(file):
            absent = [package for package in TAKES[argument] if not (stage / package).is_dir()]
            if absent:
                raise BuildError(f"{name} says {argument}=True, which takes {absent[0]}: {ADD}.")
    asking = next((name for name, file in own.items() if _asks(name, file)), None)
    there = asking is None or (stage / POWERTOOLS).is_dir()
    return None if there else f"{asking} imports {POWERTOOLS}, which no dependency brings: {ADD}"


def switched(file: Path) -> Iterator[str]:
    """The arguments that a call of ``PolyMicro`` in a module gives as a literal True."""
    for node in ast.walk(ast.parse(file.read_bytes(), str(file))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "PolyMicro":
            given = {
                one.arg
                for one in node.keywords
                if isinstance(one.value, ast.Constant) and one.value.value is True
            }
            yield from (argument for argument in TAKES if argument in given)


def _asks(name: str, file: Path) -> bool:
    return any(one.partition(".")[0] == POWERTOOLS for one in imports(name, file))


# --- its environment ------------------------------------------------------------------------------------


def unnamed(logger: Any, metrics: Any, tracer: Any) -> Iterator[str]:
    """The variables by which Powertools names what these arguments of ``PolyMicro`` leave unnamed.

    What is named as this machine's own environment says it counts as unnamed: nothing tells the two apart.
    """
    off = (None, False)
    standard = isinstance(logger, logging.Logger | logging.LoggerAdapter)
    on = [each for each in ((None if standard else logger), metrics, tracer) if each not in off]
    if any(_of(each, "service") in (*UNNAMED, os.environ.get(SERVICE)) for each in on):
        yield SERVICE
    if metrics not in off and _of(metrics, "namespace") in (*UNNAMED, os.environ.get(NAMESPACE)):
        yield NAMESPACE


def _of(given: Any, name: str) -> Any:
    """A name that an object of Powertools has; True has none."""
    return getattr(given, name, None)
