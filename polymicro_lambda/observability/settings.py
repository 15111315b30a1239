"""The arguments ``logger``, ``metrics`` and ``tracer`` of `PolyMicro`. An argument that is off imports nothing."""

import logging
import os
import sys
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Any

from polymicro_lambda.exceptions import ConfigurationError

from .access_log import access_log_of
from .metrics import RequestMetrics
from .observation import LOGGER
from .request_ids import PowertoolsKeys
from .request_report import Observer
from .traces import RequestTraces

OFF = (None, False)
"""The values of an argument that is off."""
NAMESPACE = "PolyMicro"
"""The namespace of metrics where neither the app nor the environment names one."""
CLASSES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"logger": ("Logger",), "metrics": ("Metrics", "EphemeralMetrics"), "tracer": ("Tracer",)}
)
"""Argument -> the classes of Powertools whose objects it takes."""
POWERTOOLS_MODULES: Mapping[str, str] = MappingProxyType(
    {
        "logger": "aws_lambda_powertools.logging",
        "metrics": "aws_lambda_powertools.metrics",
        "tracer": "aws_lambda_powertools.tracing",
    }
)
"""Argument -> the module of Powertools that has these classes."""
EXTRAS: Mapping[str, str] = MappingProxyType({"tracer": "[tracer]"})
"""Argument -> the extra of this package that brings more than Powertools."""
STANDARD = (logging.Logger, logging.LoggerAdapter)
"""The loggers of the standard library, which ``logger`` takes too."""


def request_observers(logger: Any, metrics: Any, tracer: Any) -> tuple[Observer, ...]:
    """The observers that an app's arguments ask for. Raises ``ConfigurationError``."""
    return (*_log_observers(logger), *_metrics_observers(metrics), *_trace_observers(tracer))


def error_logger(logger: Any) -> Any:
    """The logger that takes an app's errors. Raises ``ConfigurationError``."""
    return LOGGER if logger in OFF else _checked("logger", logger)


def _log_observers(argument: Any) -> tuple[Observer, ...]:
    if argument in OFF:
        return ()
    logger = _checked("logger", argument)
    standard = isinstance(logger, STANDARD)
    access_log = access_log_of(logger, standard=standard)
    return (access_log,) if standard else (access_log, PowertoolsKeys(logger))


def _metrics_observers(argument: Any) -> tuple[Observer, ...]:
    if argument in OFF:
        return ()
    metrics = _checked("metrics", argument)
    if not metrics.namespace:
        raise ConfigurationError(
            "PolyMicro.metrics has no namespace: say Metrics(namespace=…) or set POWERTOOLS_METRICS_NAMESPACE"
        )
    return (RequestMetrics(metrics, _module("metrics").EphemeralMetrics),)


def _trace_observers(argument: Any) -> tuple[Observer, ...]:
    if argument in OFF:
        return ()
    tracer = _checked("tracer", argument)
    return () if tracer.disabled else (RequestTraces(tracer),)


def _checked(name: str, argument: Any) -> Any:
    """The object that was given, or Powertools' own for True. Raises ``ConfigurationError``."""
    if argument is True:
        return _default(name)
    if not isinstance(argument, _accepted_classes(name)):
        names = "True, Powertools' " + " or ".join(sorted(CLASSES[name]))
        more = " or a standard logger" if name == "logger" else ""
        raise ConfigurationError(f"PolyMicro.{name} must be {names}{more}, not a {type(argument).__name__}")
    return argument


@cache
def _default(name: str) -> Any:
    """The object of Powertools for True: one for a process, as Powertools' handlers and segments are."""
    module = _module(name)
    if name == "logger":
        return module.Logger()
    if name == "metrics":
        return module.Metrics(namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE") or NAMESPACE)
    try:
        return module.Tracer(auto_patch=False)
    except ImportError as error:
        raise _missing(name) from error


def _accepted_classes(name: str) -> tuple[type, ...]:
    """The classes whose objects an argument takes. An object of Powertools exists only where that is imported."""
    module = sys.modules.get(POWERTOOLS_MODULES[name])
    classes = tuple(getattr(module, kind) for kind in CLASSES[name]) if module is not None else ()
    return (*classes, *STANDARD) if name == "logger" else classes


def _module(name: str) -> Any:
    """A module of Powertools, imported where its argument is on. Raises ``ConfigurationError``."""
    try:
        return import_module(POWERTOOLS_MODULES[name])
    except ImportError as error:
        raise _missing(name) from error


def _missing(name: str) -> ConfigurationError:
    return ConfigurationError(
        f'PolyMicro.{name} takes a package that is not installed: pip install "polymicro-lambda{EXTRAS.get(name, "")}",'
        " and name that in the project's dependencies"
    )
