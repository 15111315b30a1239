"""The libraries of formats: imported when an app declares one, by a name that the build does not follow."""

from importlib import import_module
from typing import Any

from polymicro_lambda.exceptions import ConfigurationError


def library(name: str, extra: str) -> Any:
    """The module of a library, which comes with an extra. Raises ``ConfigurationError`` where it is missing."""
    try:
        return import_module(name)
    except ImportError as error:
        raise ConfigurationError(
            f'it needs a library: add "polymicro-lambda[{extra}]" to the dependencies'
        ) from error
