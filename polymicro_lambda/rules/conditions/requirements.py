"""``condition=`` and ``otherwise=``: a condition of a write that its developer states, and the error where it fails."""

from collections.abc import Iterator, Mapping
from copy import copy
from functools import cache
from typing import Any, NamedTuple, TypeAlias

from pynamodb.attributes import Attribute
from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from polymicro_lambda.exceptions import ConfigurationError, Conflict, HTTPError
from polymicro_lambda.types import RawItem

from .evaluation import holds
from .paths import paths_of

Otherwise: TypeAlias = "str | HTTPError | type[HTTPError] | None"
"""The error where a condition does not hold: a text is that of a 409, None a text of ours."""

FAILED = "The item is in a state in which this cannot be done."


class Requirement(NamedTuple):
    """A condition on the item that a write changes."""

    condition: Condition
    otherwise: Otherwise = None

    def check(self, raw: RawItem) -> None:
        """Raise the requirement's error where the stored item does not fulfil it."""
        if not holds(self.condition, raw):
            raise error_of(self.otherwise)


def requirement(
    model: type[Model], condition: Any, otherwise: Any = None, where: str = "condition"
) -> Requirement:
    """The requirement of these arguments. Raises ``ConfigurationError``, which begins with ``where``."""
    if not isinstance(condition, Condition):
        raise ConfigurationError(
            f"{where} must be a condition on {model.__name__}, such as {model.__name__}.name == 1,"
            f" not a {type(condition).__name__}"
        )
    check_paths(model, condition, where)
    check_otherwise(otherwise, where)
    return Requirement(condition, otherwise)


def check_otherwise(otherwise: Any, where: str) -> None:
    """Raise ``ConfigurationError`` for what is neither a text nor an error."""
    is_error = isinstance(otherwise, type) and issubclass(otherwise, HTTPError)
    if not (is_error or isinstance(otherwise, str | HTTPError | None)):
        raise ConfigurationError(
            f"{where}: otherwise must be a text or an error, not a {type(otherwise).__name__}"
        )


def error_of(otherwise: Otherwise, default: str = FAILED) -> HTTPError:
    """The error that is raised; a new one each time, as requests of several threads may raise it."""
    if otherwise is None or isinstance(otherwise, str):
        return Conflict(otherwise or default)
    return copy(otherwise) if isinstance(otherwise, HTTPError) else otherwise()


def check_paths(model: type[Model], node: Any, where: str) -> None:
    """Raise ``ConfigurationError`` where a condition or an operand names an attribute of another model."""
    for path in paths_of(node):
        attribute = path.attribute
        if attribute is None:
            continue  # a part of a map or a list, or an attribute that the model does not declare
        own = _attributes_by_name(model).get(path.path[0])
        if own is None or (len(path.path) == 1 and not any(attribute is one for one in own)):
            raise ConfigurationError(f"{where} names {path}, which is no attribute of {model.__name__}")


@cache
def _attributes_by_name(model: type[Model]) -> Mapping[str, list[Attribute[Any]]]:
    """The attributes of a model and of its kinds, by their names in DynamoDB."""
    found: dict[str, list[Attribute[Any]]] = {}
    for kind in _kinds(model):
        for attribute in kind.get_attributes().values():
            found.setdefault(attribute.attr_name, []).append(attribute)
    return found


def _kinds(model: type[Model]) -> Iterator[type[Model]]:
    """The model and the kinds of it that a discriminator tells apart."""
    yield model
    for kind in model.__subclasses__():
        yield from _kinds(kind)
