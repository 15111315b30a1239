"""The document tells of formats, and of errors in an app's own words; its examples are what the app sends."""

from typing import Any, ClassVar

import pytest
from jsonschema import Draft202012Validator
from marshmallow import Schema, fields
from openapi_spec_validator import validate as validate_document
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import Create, List, ModelResource, OwnedBy, PolyMicro, Retrieve, Update, action
from polymicro_lambda.dispatch import wording_of
from polymicro_lambda.openapi.document import openapi
from polymicro_lambda.openapi.gateway_models import body_model
from polymicro_lambda.renderers import CSV, YAML, MessagePack
from polymicro_lambda.testing import Client

FORMATS = {"text/csv": CSV(), "application/msgpack": MessagePack(), "application/yaml": YAML()}


class Amount(Schema):
    amount = fields.Integer(required=True)


def app_of(**settings: Any) -> PolyMicro:
    class Note(Model):
        class Meta:
            table_name = "notes"

        owner = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)
        title = UnicodeAttribute()

    class Notes(ModelResource, Create, List, Retrieve, Update):
        model = Note
        route = "notes"
        permissions = OwnedBy("owner")
        requires: ClassVar[Any] = {"update": (Note.title != "done", "It is done.")}
        max_bulk = 3

        @action(detail=False, schema=Amount)
        def pay(self, req: Any, user: Any) -> Any:
            return req

    pm = PolyMicro(**settings)
    Notes(pm)
    pm.compile()
    return pm


def document_of(pm: PolyMicro) -> dict[str, Any]:
    document = openapi(pm.routes, problem=pm.problem)
    validate_document(document)
    return document


def test_media_types_of_bodies_and_answers() -> None:
    own = {**FORMATS, "application/pdf": lambda value: b"", "text/html": str}
    paths = document_of(app_of(renderers=own, parsers=FORMATS))["paths"]
    for path, method, status in (
        ("/notes", "get", "200"),
        ("/notes", "post", "201"),
        ("/notes", "post", "207"),
        ("/notes/{id}", "get", "200"),
        ("/notes/{id}", "patch", "200"),
        ("/notes/pay", "post", "200"),
    ):
        content = paths[path][method]["responses"][status]["content"]
        json = content["application/json"]
        assert content == {
            "application/json": json,
            "text/csv": {"schema": {"type": "string"}},
            "application/msgpack": json,
            "application/yaml": json,
            "application/pdf": {},
            "text/html": {"schema": {"type": "string"}},
        }
    for path, method in (("/notes", "post"), ("/notes/{id}", "patch"), ("/notes/pay", "post")):
        content = paths[path][method]["requestBody"]["content"]
        json = content.pop("application/json")
        assert content.pop("application/merge-patch+json", json) == json
        assert content == {
            "text/csv": {"schema": {"type": "string"}},
            "application/msgpack": json,
            "application/yaml": json,
        }


def test_a_gateways_models_are_about_json_alone() -> None:
    """Bodies of other types have none, and are not checked there."""
    pm, without = app_of(parsers=FORMATS), app_of()
    assert [body_model(route) for route in pm.routes] == [body_model(route) for route in without.routes]


class Worded:
    schema: ClassVar[Any] = {
        "type": "object",
        "properties": {"errors": {"type": "object"}},
        "required": ["errors"],
        "additionalProperties": False,
    }

    def __call__(self, document: Any, request: Any) -> Any:
        return {"errors": {"all": document["detail"]}}


@pytest.mark.parametrize(
    ("problem", "schema"),
    [
        pytest.param(Worded(), {"description": "What went wrong.", **Worded.schema}, id="with a schema"),
        pytest.param(
            lambda d: d["title"], {"description": "What went wrong.", "type": "string"}, id="a text"
        ),
        pytest.param(
            lambda d: [d] if d["status"] == 404 else d,
            {"description": "What went wrong."},
            id="now this, now that",
        ),
        pytest.param(
            lambda d, request: request.path, {"description": "What went wrong."}, id="none without a request"
        ),
    ],
)
def test_errors_in_own_words(problem: Any, schema: Any) -> None:
    document = document_of(app_of(problem=problem))
    assert document["components"]["schemas"]["Problem"] == schema


def test_examples_of_errors_are_what_is_sent() -> None:
    document = document_of(app_of(problem=Worded()))
    missing = document["components"]["responses"]["NotFound"]["content"]
    assert missing == {
        "application/json": {
            "schema": {"$ref": "#/components/schemas/Problem"},
            "example": {"errors": {"all": "There is no such item, or you may not see it."}},
        }
    }
    validator = Draft202012Validator(document["components"]["schemas"]["Problem"])
    for response in document["components"]["responses"].values():
        for media in response["content"].values():
            validator.validate(media["example"])
    denied = document["components"]["responses"]["Unauthorized"]["content"]["application/json"]["schema"]
    assert [one.get("$ref", one.get("description")) for one in denied["anyOf"]] == [
        "#/components/schemas/Problem",
        "Where API Gateway itself refuses.",
    ]


def test_a_document_with_more_members_stays_one() -> None:
    document = document_of(app_of(problem=lambda document: {**document, "code": 7}))
    assert [*document["components"]["responses"]["NotFound"]["content"]] == ["application/problem+json"]


def test_the_served_document_is_the_same() -> None:
    pm = app_of(problem=Worded(), renderers=FORMATS, docs=True)
    served = Client(pm).get("/openapi.json").json
    assert served == document_of(pm)


def test_no_words_of_its_own() -> None:
    assert wording_of(None) is None
