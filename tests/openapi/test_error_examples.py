"""Examples of errors in the document: each is what the app answers to a request that is wrong so."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from contract import ALICE, Caller, create_table
from marshmallow import Schema, fields
from openapi_spec_validator import validate
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    Create,
    Delete,
    InGroup,
    List,
    ModelResource,
    PolyMicro,
    RateLimit,
    Resource,
    Retrieve,
    Update,
    action,
)
from polymicro_lambda.openapi import openapi
from polymicro_lambda.openapi.error_examples import EVERYWHERE, REQUEST_ID
from polymicro_lambda.testing import Result


class Book(Model):
    class Meta:
        table_name = "books"

    isbn = UnicodeAttribute(hash_key=True)
    pages = NumberAttribute()
    title = UnicodeAttribute(null=True)


class Search(Schema):
    q = fields.String(required=True)


class Stamp(Schema):
    times = fields.Integer()


class Books(ModelResource, Create, List, Retrieve, Update, Delete):
    model = Book
    route = "books"
    permissions: ClassVar[Any] = {"delete": InGroup("staff"), "*": InGroup("readers") | InGroup("staff")}
    scan = True
    require_if_match = True

    @action(schema=Stamp)
    def stamp(self, instance: Any, req: Any) -> None: ...

    @action(detail=False, methods="GET", query=Search)
    def search(self, query: Any) -> None: ...

    @action(detail=False, methods="GET")
    def all(self) -> None: ...


class Limited(Resource):
    route = "limited"
    rate_limit = "1/minute"

    @action(path="")
    def once(self) -> None: ...


@pytest.fixture
def app(dynamodb: None, table_name: str) -> PolyMicro:
    create_table(Book, table_name)
    pm = PolyMicro()
    Books(pm)
    pm.compile()
    return pm


def examples(document: Mapping[str, Any], path: str, method: str) -> dict[str, Any]:
    """The examples of an operation's errors, by status."""
    said = {}
    for status, response in document["paths"][path][method.lower()]["responses"].items():
        if int(status) >= 400:
            name = response.get("$ref", "").rpartition("/")[2]
            found = document["components"]["responses"][name] if name else response
            said[status] = found["content"]["application/problem+json"].get("example")
    return said


READER = ALICE.__class__("rita", groups=frozenset({"readers"}))
JSON = {"Content-Type": "application/json"}
TAGGED = {**JSON, "If-Match": '"1"'}
REQUESTS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("400", "GET", "/books", {"query": "limit=0"}),
    ("400", "GET", "/books/{isbn}", {"query": "limit=1"}),
    ("400", "GET", "/books/search", {}),
    ("400", "GET", "/books/all", {"query": "limit=1"}),
    ("400", "POST", "/books", {"body": '{"', "headers": JSON}),
    ("401", "GET", "/books", {"user": None}),
    ("403", "DELETE", "/books/{isbn}", {"headers": TAGGED}),
    ("404", "GET", "/books/{isbn}", {}),
    ("406", "GET", "/books", {"headers": {"Accept": "image/png"}}),
    ("409", "POST", "/books", {"json": {"isbn": "taken", "pages": 1}}),
    ("412", "PATCH", "/books/taken", {"json": {"pages": 1}, "headers": {"If-Match": '"1"'}}),
    ("415", "POST", "/books", {"body": "x", "headers": {"Content-Type": "text/plain"}}),
    ("422", "POST", "/books", {"json": {}}),
    ("422", "PATCH", "/books/{isbn}", {"json": {"pages": {}}, "headers": {"If-Match": '"1"'}}),
    ("422", "PUT", "/books/{isbn}", {"json": {}, "headers": {"If-Match": '"1"'}}),
    ("422", "POST", "/books/{isbn}/stamp", {"json": {"times": {}}}),
    ("428", "PATCH", "/books/taken", {"json": {"pages": 1}}),
]


@pytest.mark.parametrize(("status", "method", "path", "options"), REQUESTS)
def test_what_the_app_answers(
    app: PolyMicro, status: str, method: str, path: str, options: dict[str, Any]
) -> None:
    """Its request id is all that differs."""
    Book("taken", pages=3).save()
    document = openapi(app.routes)
    template = path.replace("taken", "{isbn}")
    said = examples(document, template, method)[status]
    result: Result = Caller(app.compile(), user=READER).request(method, path.format(isbn="1"), **options)
    answered = {**result.json, "instance": REQUEST_ID}
    answered.pop("current", None)
    assert (str(result.status), answered) == (status, said)


def test_a_quota(dynamodb: None, table_name: str) -> None:
    pm = PolyMicro(rate_limit=RateLimit(table=table_name))
    Limited(pm)
    pm.compile()
    said = examples(openapi(pm.routes), "/limited", "POST")["429"]
    assert said["detail"].startswith("1 requests in 60 seconds are all that you may make here")


def test_each_error_has_an_example(app: PolyMicro) -> None:
    """Of 422 only where some body is refused; and the document is valid with them."""
    document = openapi(app.routes)
    validate(document)
    for path, operations in document["paths"].items():
        for method in operations:
            for status, said in examples(document, path, method).items():
                assert (said["status"], said["instance"]) == (int(status), REQUEST_ID)
    assert {error.status for error in EVERYWHERE.values()} == set(EVERYWHERE)
