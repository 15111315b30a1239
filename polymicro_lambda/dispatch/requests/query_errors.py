"""The 400 of a query that names all wrong parameters: they are read in steps, and each step stops at its own."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from polymicro_lambda.exceptions import HTTPError
from polymicro_lambda.http import bad_query
from polymicro_lambda.types import MAX_ERRORS

Query: TypeAlias = Mapping[str, Sequence[str]]
CURSOR = "pagination_key"


def with_all_errors(error: HTTPError, query: Query, read: Callable[[Query], object]) -> HTTPError:
    """The error, with those of the other parameters; ``read`` raises ``BadRequest`` for the wrong ones of a query.

    What has been named is left out, and the rest read again until nothing new is wrong. The cursor is left out too:
    it stands for the whole query.
    """
    errors = [dict(one) for one in error.errors if "parameter" in one]
    named, new = {CURSOR, *(one["parameter"] for one in errors)}, errors
    while new and len(errors) < MAX_ERRORS:
        try:
            read({name: values for name, values in query.items() if name not in named})
        except HTTPError as another:
            new = [dict(one) for one in another.errors if one.get("parameter", CURSOR) not in named]
        else:
            new = []
        errors += new
        named |= {one["parameter"] for one in new}
    return bad_query(errors) if len(errors) > len(error.errors) else error
