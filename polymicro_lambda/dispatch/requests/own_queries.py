"""The query of a verb that says its schema."""

from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import Schema, ValidationError

from polymicro_lambda.http import bad_query, parameter_error
from polymicro_lambda.routing import query_fields, several_of
from polymicro_lambda.schemas import field_errors


def read_own_query(schema: Schema, query: Mapping[str, Sequence[str]]) -> Any:
    """What the schema loads of its parameters. Raises ``BadRequest`` that names those which do not fit.

    Several values are commas between them, or the parameter repeated: then no comma splits.
    """
    several = frozenset(several_of(schema))
    said = {name: values for name, values in query.items() if name in query_fields(schema)}
    texts = {name: _values(values) if name in several else values[0] for name, values in said.items()}
    try:
        return schema.load(texts)
    except ValidationError as error:
        messages = error.normalized_messages()  # type: ignore[no-untyped-call]
        raise bad_query([_parameter_error(one) for one in field_errors(messages)]) from error


def _values(values: Sequence[str]) -> list[str]:
    return values[0].split(",") if len(values) == 1 else list(values)


def _parameter_error(error: Mapping[str, str]) -> dict[str, str]:
    """The message for a member as one for a parameter."""
    name = error["pointer"].removeprefix("#").removeprefix("/").partition("/")[0]
    return parameter_error(name, f"does not fit: {error['detail']}")
