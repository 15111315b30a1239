"""What an app says of formats and errors, in the document: further media types, and problems in its own words."""

from collections.abc import Iterable, Mapping
from typing import Any

from polymicro_lambda.dispatch import ProblemWording
from polymicro_lambda.exceptions import title_of
from polymicro_lambda.http import JSON_TYPE, PROBLEM_TYPE, is_binary
from polymicro_lambda.routing import Route

from .field_schemas import JSONSchema

PROBLEM_REF: JSONSchema = {"$ref": "#/components/schemas/Problem"}
GATEWAYS: JSONSchema = {
    "type": "object",
    "description": "Where API Gateway itself refuses.",
    "properties": {"message": {"type": "string"}},
    "required": ["message"],
}


def with_formats(operation: dict[str, Any], route: Route) -> dict[str, Any]:
    """The operation with the media types that its route reads and answers besides JSON."""
    taken = {one.media: one.parser for one in route.body_types}
    given = {one.media: one.renderer for one in route.representations}
    if "requestBody" in operation and taken:
        body = operation["requestBody"]
        operation["requestBody"] = {**body, "content": _with_types(body["content"], taken)}
    for status, response in operation["responses"].items() if given else ():
        if status.startswith("2") and JSON_TYPE in response.get("content", {}):
            operation["responses"][status] = {**response, "content": _with_types(response["content"], given)}
    return operation


def _with_types(content: Mapping[str, Any], formats: Mapping[str, Any]) -> dict[str, Any]:
    return {**content, **{media: _media(media, by, content[JSON_TYPE]) for media, by in formats.items()}}


def _media(media: str, by: Any, json: Mapping[str, Any]) -> dict[str, Any]:
    """The Media Type Object: that of JSON where a format has the same members, else a text or bytes."""
    if getattr(by, "structured", False):
        return {**json}
    return {} if is_binary(media, by) else {"schema": {"type": "string"}}


# --- errors ------------------------------------------------------------------------------------------------------


class DocumentedProblems:
    """The answers to errors as an app words them."""

    def __init__(self, wording: ProblemWording | None, problem: JSONSchema, statuses: Iterable[int]) -> None:
        self.wording = wording
        self.problem = problem
        """The schema of a problem document."""
        self.statuses = statuses

    @property
    def schema(self) -> JSONSchema:
        """The schema of what is sent for an error: what the function says of it, else the type of its examples."""
        if self.wording is None:
            return self.problem
        about = {"description": "What went wrong."}
        said = getattr(self.wording.function, "schema", None)
        if isinstance(said, Mapping):
            return {**about, **said}
        types = {
            _type_of(found[0]) for status in self.statuses if (found := self._worded(self._document(status)))
        }
        return {**about, "type": types.pop()} if len(types) == 1 else about

    def worded(self, response: dict[str, Any], status: int) -> dict[str, Any]:
        """The Response Object of an error, in the app's words; any other as it is."""
        content = response.get("content", {})
        if self.wording is None or PROBLEM_TYPE not in content:
            return response
        document = content[PROBLEM_TYPE].get("example") or self._document(status)
        found = self._worded(document)
        media = JSON_TYPE if found is None else found[1]
        schema = PROBLEM_REF if JSON_TYPE not in content else {"anyOf": [PROBLEM_REF, GATEWAYS]}
        example = {} if found is None else {"example": found[0]}
        of_gateway = {JSON_TYPE: {"schema": GATEWAYS}} if JSON_TYPE in content else {}
        of_app = {media: {"schema": schema if media == JSON_TYPE else PROBLEM_REF, **example}}
        return {**response, "content": {**of_gateway, **of_app}}

    def _document(self, status: int) -> dict[str, Any]:
        """A problem document of this status."""
        known = {"type": "about:blank", "title": title_of(status), "status": status}
        errors = (
            [{"pointer": "#/text", "detail": "Missing data for required field."}] if status == 422 else []
        )
        detail = "The body does not fit the schema." if errors else title_of(status)
        members = {"detail": detail, "instance": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"}
        return {**known, **members, **({"errors": errors} if errors else {})}

    def _worded(self, document: Mapping[str, Any]) -> tuple[Any, str] | None:
        """Body and media type of an example, None where there is none."""
        return None if self.wording is None else self.wording.example(document)


def _type_of(value: Any) -> str:
    return next(name for kind, name in _TYPES if isinstance(value, kind))


_TYPES: tuple[tuple[Any, str], ...] = (
    (Mapping, "object"),
    (str, "string"),
    (bool, "boolean"),
    (int | float, "number"),
    (list | tuple, "array"),
    (object, "null"),
)
