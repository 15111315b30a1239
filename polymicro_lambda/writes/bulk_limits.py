"""How many items one POST of a list may create."""

from typing import Any

from polymicro_lambda.exceptions import ConfigurationError

from .transactions import MOST
from .unique_constraints import UniqueConstraints


def check_bulk(
    resource: str, most: Any, *, creates: bool, journaled: bool, uniqueness: UniqueConstraints | None
) -> None:
    """Raise ``ConfigurationError`` for a ``max_bulk`` whose items do not fit into one transaction."""
    if type(most) is not int or most < 0:
        raise ConfigurationError(
            f"{resource}.max_bulk must be a number of items, 0 for no lists, not {most!r}"
        )
    if most and not creates:
        raise ConfigurationError(f"{resource}.max_bulk is for create, and {resource} has none: mix in Create")
    each = 1 + (len(uniqueness.constraints) if uniqueness is not None else 0)
    fitting = (MOST - journaled) // each
    if most > fitting:
        raise ConfigurationError(
            f"{resource}.max_bulk: one transaction has {MOST} writes at most, and each item takes {each}"
            f"{', the Idempotency-Key one' if journaled else ''}: say at most {fitting}"
        )
