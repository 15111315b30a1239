"""What an app says of its own verbs: bodies, parameters and answers, as the document has them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from marshmallow import RAISE, Schema, ValidationError
from marshmallow.fields import Field

from polymicro_lambda.http import JSON_TYPE, PROBLEM_TYPE
from polymicro_lambda.routing import Answer, Route, query_fields

from .error_examples import example_with
from .examples import example_of
from .field_schemas import Describe, JSONSchema, by_json_name, object_of, required_names

PROBLEM = {"schema": {"$ref": "#/components/schemas/Problem"}}
FIRST_ERROR = 400


def action_body(schema: Schema, describe: Describe) -> dict[str, Any]:
    """The Request Body Object of an action that says its schema."""
    members = by_json_name(schema.load_fields)
    shape = _object(schema, members, describe, left_out=("writeOnly",))
    media = _with_example(shape, schema.load)
    return {"required": bool(required_names(members)), "content": {JSON_TYPE: media}}


def own_parameters(route: Route, describe: Describe) -> Iterator[dict[str, Any]]:
    """The parameters of the query that a verb says."""
    for name, field in query_fields(route.form.query).items() if route.form.query is not None else ():
        schema = _described(field, describe, left_out=("writeOnly",))
        about = schema.pop("description", None)
        yield {
            "name": name,
            "in": "query",
            **({"description": about} if about else {}),
            **({"required": True} if field.required else {}),
            "schema": schema,
        }


def with_declared(route: Route, usual: Mapping[str, Any], describe: Describe) -> dict[str, Any]:
    """The responses of a route, with those that the app says in place of the ``usual`` ones.

    A success that it says stands in place of all that the package would say of the verb's own.
    """
    answers = route.form.answers
    successes = {str(route.about.status), *(["204"] if route.is_action else [])}
    gone = successes if route.form.has_success else set()
    own = {str(status): _response(status, one, usual, describe) for status, one in answers.items()}
    kept = {status: one for status, one in usual.items() if status not in {*gone, *own}}
    return dict(sorted({**own, **kept}.items()))


def _response(status: int, answer: Answer, usual: Mapping[str, Any], describe: Describe) -> dict[str, Any]:
    known = usual.get(str(status), {})
    headers = {"headers": known["headers"]} if "headers" in known else {}
    said = {"description": answer.text or known.get("description") or HTTPStatus(status).phrase, **headers}
    if status >= FIRST_ERROR and answer.schema is None and not answer.bare:
        # Beside a reference a description stands in place of that which it leads to (OpenAPI 3.1, Reference Object).
        media = {**PROBLEM, "example": example_with(status, said["description"])}
        return {**known, **said} if known else {**said, "content": {PROBLEM_TYPE: media}}
    if answer.bare:
        return said
    if answer.schema is None:  # a text alone says nothing of the body
        return {"content": {JSON_TYPE: {"schema": {"description": "Any JSON."}}}, **known, **said}
    content = {JSON_TYPE: _with_example(_answered(answer.schema, describe), answer.check)}
    return {**said, "content": content | ({PROBLEM_TYPE: PROBLEM} if status >= FIRST_ERROR else {})}


def _answered(schema: Schema, describe: Describe) -> JSONSchema:
    one = _object(schema, by_json_name(schema.dump_fields), describe, left_out=("default",))
    return {"type": "array", "items": one} if schema.many else one


def _object(
    schema: Schema, members: Mapping[str, Field[Any]], describe: Describe, left_out: tuple[str, ...]
) -> JSONSchema:
    """The schema of an object; one that takes unknown members does not say that there are no others."""
    shape = object_of(
        members, lambda field: _described(field, describe, left_out), required=required_names(members)
    )
    if schema.unknown != RAISE:
        del shape["additionalProperties"]
    return shape


def _described(field: Field[Any], describe: Describe, left_out: tuple[str, ...]) -> JSONSchema:
    return {name: one for name, one in describe(field).items() if name not in left_out}


def _with_example(shape: JSONSchema, check: Callable[[Any], Any]) -> dict[str, Any]:
    """A Media Type Object, with an example that ``check`` does not refuse."""
    media: dict[str, Any] = {"schema": shape}
    with suppress(LookupError, ValidationError):
        example = example_of(shape)
        check(example)
        media["example"] = example
    return media
