"""``query``, ``response`` and ``responses``: what an app says of its own verbs, in OpenAPI and in tests."""

import json
import re
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from contract import ALICE, Caller, assert_problem, create_table
from marshmallow import INCLUDE, Schema, fields
from marshmallow.validate import Range
from openapi_spec_validator import validate
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    ConfigurationError,
    Create,
    Delete,
    List,
    ModelResource,
    PolyMicro,
    Resource,
    Retrieve,
    Update,
    action,
)
from polymicro_lambda.exceptions import Conflict
from polymicro_lambda.openapi import openapi
from polymicro_lambda.testing import Client


class Line(Schema):
    product = fields.String(required=True)
    price = fields.Decimal(places=2, as_string=True, allow_none=True)


class Receipt(Schema):
    number = fields.Integer(required=True, metadata={"description": "Counted from 1."})
    lines = fields.List(fields.Nested(Line))
    secret = fields.String(load_only=True)
    made = fields.DateTime(dump_only=True)


class Search(Schema):
    q = fields.String(required=True, metadata={"description": "What is looked for."})
    year = fields.Integer(validate=Range(min=1900), load_default=2030)
    tag = fields.List(fields.String(), data_key="tags")


class Shop(Resource):
    route = "shop"
    permissions = AllowAny
    answer: ClassVar[Any] = {}

    @action(methods="GET", query=Search)
    def search(self, query: Any) -> Any:
        return query

    @action(methods="GET", query=Search)
    def ask(self, request: Any) -> Any:
        return dict(request.query)

    @action(methods="GET", responses={402: "The till is closed.", 409: "It is being counted."})
    def till(self) -> Any:
        return {"open": True}

    @action(response=Receipt, responses={202: None, 409: "It is paid.", 422: Receipt})
    def pay(self, req: Any) -> Any:
        if "raise" in req:
            raise Conflict("It is paid already.")
        return self.answer["body"], self.answer.get("status", 200)

    @action(methods="GET", response=Receipt(many=True), status=203)
    def receipts(self) -> Any:
        return self.answer["body"]


@pytest.fixture
def shop() -> Caller:
    pm = PolyMicro()
    Shop(pm)
    return Caller(pm)


# --- the query


def test_a_query_is_loaded(shop: Caller) -> None:
    """What the schema loads is the verb's argument; several values are commas or the parameter repeated."""
    loaded = shop.everywhere("GET", "/shop/search", query="q=tea&year=2000&tags=a,b")
    assert (loaded.status, loaded.json) == (200, {"q": "tea", "year": 2000, "tag": ["a", "b"]})
    assert shop.get("/shop/search", query="q=tea&tags=a&tags=b").json["tag"] == ["a", "b"]
    loaded = shop.get("/shop/search", query="q=a%2Cb&tags=a%2Cb&tags=c")
    assert loaded.json == {"q": "a,b", "year": 2030, "tag": ["a,b", "c"]}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["q"]),
        ("q=1&year=1", ["year"]),
        ("q=1&year=x&", ["year"]),
        ("q=1&yaer=2000", ["yaer"]),
        ("year=x", ["q", "year"]),
        ("q=1&tag=a", ["tag"]),
    ],
)
def test_a_query_that_does_not_fit(shop: Caller, query: str, names: list[str]) -> None:
    """Also where the verb looks at the request alone."""
    for path in ("/shop/search", "/shop/ask"):
        assert_problem(shop.everywhere("GET", path, query=query), 400, *names)
    assert_problem(shop.get("/shop/search", query="q=1&q=2"), 400, "q")
    assert shop.get("/shop/ask", query="q=1").json == {"q": ["1"]}


class Note(Model):
    class Meta:
        table_name = "notes"

    id = UnicodeAttribute(hash_key=True)
    size = NumberAttribute(default=1)


class Words(Schema):
    words = fields.Integer(load_default=0)


class Notes(ModelResource, Create, List, Retrieve, Update, Delete):
    model = Note
    route = "notes"
    permissions = AllowAny
    scan = True
    filters: ClassVar[Any] = {"size": ("eq", "gt")}
    query: ClassVar[Any] = {"list": Words, "retrieve": Words, "create": Words}
    responses: ClassVar[Any] = {
        "retrieve": type("Shown", (Schema,), {"id": fields.String(), "words": fields.Integer()}),
        "create": {201: Words, 409: "The name is taken."},
        "update": {200: "The note as it is."},
        "list": type("Shelf", (Schema,), {"notes": fields.List(fields.String()), "words": fields.Integer()}),
    }

    def list(self, user: Any, filters: Any, query: Any) -> Any:
        rows = super().list(user, None, 25, filters)
        return {"notes": [one.id for one in rows], "words": query["words"]}

    def retrieve(self, instance: Any, query: Any) -> Any:
        return {"id": instance.id, "words": query["words"]}

    def create(self, req: Any, user: Any, query: Any) -> Any:
        super().create(req, user)
        return {"words": query["words"]}


@pytest.fixture
def notes(dynamodb: None, table_name: str) -> Caller:
    create_table(Note, table_name)
    pm = PolyMicro()
    Notes(pm)
    return Caller(pm)


def test_queries_of_overridden_verbs(notes: Caller) -> None:
    """They stand beside filters, pages and fields."""
    assert notes.post("/notes", json={"id": "1"}, query="words=3").json == {"words": 3}
    assert_problem(notes.post("/notes", json={"id": "1"}), 409)
    assert_problem(notes.post("/notes", json={"id": "1"}, query="words=x"), 400, "words")
    assert notes.everywhere("GET", "/notes/1", query="words=2").json == {"id": "1", "words": 2}
    assert notes.everywhere("GET", "/notes", query="words=2&size=1").json == {"notes": ["1"], "words": 2}
    assert notes.everywhere("GET", "/notes", query="size__gt=1").json == {"notes": [], "words": 0}
    assert_problem(notes.everywhere("GET", "/notes", query="word=2"), 400, "word")
    assert_problem(notes.everywhere("GET", "/notes", query="words=2,3&size=x"), 400, "size", "words")


def test_all_that_is_wrong_in_a_query(notes: Caller, shop: Caller) -> None:
    """Each parameter is named; a cursor belongs to the whole query, and is not judged beside others."""
    wrong = "words=x&size=y&limit=0&sort=z&what=1&fields=no&pagination_key=broken"
    refused = notes.everywhere("GET", "/notes", query=wrong)
    assert_problem(refused, 400, "words", "size", "limit", "sort", "what", "fields")
    assert refused.json["detail"] == f"The query is not valid: {refused.json['errors'][0]['detail']}"
    assert_problem(notes.get("/notes", query="limit=1&limit=2&size__gt=z"), 400, "limit", "size__gt")
    assert_problem(shop.everywhere("GET", "/shop/search", query="year=x&yaer=1"), 400, "yaer", "year", "q")
    for_page = notes.get("/notes", query="pagination_key=broken")
    assert (for_page.status, notes.get("/notes", query="size=1").status) == (400, 200)


# --- answers in tests

LINES = [{"product": "tea", "price": "1.00"}, {"product": "cup", "price": None}]
FITTING: dict[str, Any] = {
    "a whole one": {"number": 1, "lines": LINES, "made": "2030-01-01T00:00:00+00:00"},
    "the least": {"number": 1},
    "no lines": {"number": 1, "lines": []},
}
MISFITS: dict[str, tuple[Any, str]] = {
    "another type": ({"number": "x"}, "number = 'x': ['Not a valid integer.']"),
    "null": ({"number": None}, "number = None: ['Field may not be null.']"),
    "a missing member": ({"lines": []}, "no number: Receipt requires it"),
    "an unknown member": ({"number": 1, "total": 3}, "total = 3: Receipt has no such member"),
    "what is only loaded": ({"number": 1, "secret": "x"}, "secret = 'x': Receipt has no such member"),
    "a member of a list": (
        {"number": 1, "lines": [LINES[0], {"product": 5}]},
        "lines[1].product = 5: ['Not a valid string.']",
    ),
    "no list": ({"number": 1, "lines": {}}, "lines = {}: it must be a list"),
    "no object": ([1], "its body = [1]: Receipt is an object"),
}


@pytest.mark.parametrize("body", FITTING.values(), ids=FITTING)
def test_an_answer_that_fits(shop: Caller, body: Any) -> None:
    """Nothing is converted: it goes out as the verb returned it."""
    Shop.answer = {"body": body}
    assert shop.everywhere("POST", "/shop/pay").json == body
    Shop.answer = {"body": [body, body]}
    assert shop.get("/shop/receipts").status == 203


@pytest.mark.parametrize(("body", "message"), MISFITS.values(), ids=MISFITS)
def test_an_answer_that_does_not_fit(shop: Caller, body: Any, message: str) -> None:
    Shop.answer = {"body": body}
    with pytest.raises(AssertionError, match=re.escape(f"Shop.pay answered 200 with {message}")):
        shop.post("/shop/pay")
    Shop.answer = {"body": body, "status": 422}
    with pytest.raises(AssertionError, match=r"Shop\.pay answered 422 with "):
        shop.post("/shop/pay")
    Shop.answer = {"body": [FITTING["the least"], body]}
    with pytest.raises(AssertionError, match=r"Shop\.receipts answered 203 with .*1\]?"):
        shop.get("/shop/receipts")


class Kinds(Schema):
    count = fields.Integer(allow_none=True)
    ratio = fields.Float()
    done = fields.Boolean()
    counts = fields.List(fields.Integer())
    sizes = fields.Dict(values=fields.Integer())
    at = fields.DateTime()
    local = fields.NaiveDateTime()
    stamp = fields.DateTime(format="timestamp")
    day = fields.Date()
    swiss = fields.Date(format="%d.%m.%Y")
    took = fields.TimeDelta()
    price = fields.Decimal(as_string=True)
    weight = fields.Decimal()


OF_ITS_TYPE: dict[str, list[Any]] = {
    "count": [3, -1, None],
    "ratio": [1.5, 2],
    "done": [True, False],
    "counts": [[], [1, 2]],
    "sizes": [{}, {"s": 1}],
    "at": ["2030-01-31T12:00:00Z", "2030-01-31T12:00:00.25+01:00"],
    "local": ["2030-01-31T12:00:00"],
    "stamp": [1.5, 3],
    "day": ["2030-01-31"],
    "swiss": ["31.01.2030"],
    "took": [3, 1.5],
    "price": ["1.50"],
    "weight": [1.5, 3],
}
OF_ANOTHER_TYPE: dict[str, list[Any]] = {
    "count": ["3", 3.0, 1.5, True],
    "ratio": ["1.5", True],
    "done": ["yes", 1, "true"],
    "counts": [["1"], [1, 2.5]],
    "sizes": [{"s": "1"}],
    "at": ["2030-01-01", "2030-01-31T12:00:00", 3],
    "local": ["x"],
    "stamp": ["1.5"],
    "day": ["20300131", "2030-W01-1"],
    "swiss": ["2030-01-31"],
    "took": ["3"],
    "price": [1.5, 3],
    "weight": ["1.5"],
}


class Typed(Resource):
    route = "typed"
    permissions = AllowAny

    @action(response=Kinds(many=True))
    def echo(self, req: Any) -> Any:
        return req


@pytest.fixture
def typed() -> Caller:
    pm = PolyMicro()
    Typed(pm)
    return Caller(pm)


@pytest.mark.parametrize("name", OF_ITS_TYPE)
def test_the_json_types_of_an_answer(typed: Caller, name: str) -> None:
    """They are those of the document: what marshmallow would only load as one of these is another."""
    fitting = [{name: one} for one in OF_ITS_TYPE[name]]
    assert typed.post("/typed/echo", json=fitting).json == fitting
    for one in OF_ANOTHER_TYPE[name]:
        with pytest.raises(AssertionError, match=rf"Typed\.echo answered 200 with \[0\]\.{name}"):
            typed.post("/typed/echo", json=[{name: one}])


def test_an_answer_without_a_body(shop: Caller) -> None:
    """None for a status says that: a body fails."""
    Shop.answer = {"body": {"a": 1}, "status": 202}
    with pytest.raises(AssertionError, match=r"Shop\.pay answered 202 with a body, and declares None for it"):
        shop.post("/shop/pay")


def test_statuses(shop: Caller) -> None:
    """What the verb does not declare fails; what the package answers itself does not."""
    Shop.answer = {"body": None, "status": 202}
    assert shop.post("/shop/pay").status == 202
    assert_problem(shop.post("/shop/pay", json={"raise": 1}), 409)
    assert_problem(shop.post("/shop/pay", body="{", headers={"Content-Type": "application/json"}), 400)
    assert_problem(shop.post("/shop/pay", body="x", headers={"Content-Type": "text/plain"}), 415)
    assert_problem(shop.get("/shop/pay"), 405)
    for status in (201, 204, 402):
        Shop.answer = {"body": {} if status != 204 else None, "status": status}
        with pytest.raises(
            AssertionError, match=rf"Shop\.pay answered {status}, and declares 200, 202, 409, 422"
        ):
            shop.post("/shop/pay")
    Shop.answer = {"body": [], "status": 500}
    assert shop.post("/shop/pay").status == 500


def test_every_client_looks(shop: Caller) -> None:
    """That of a handler, and of another user, too."""
    Shop.answer = {"body": 1}
    handler = shop.handler
    for client in (Client(handler), Client(handler).as_(ALICE)):
        with pytest.raises(AssertionError, match=r"Shop\.pay answered 200 with its body = 1"):
            client.post("/shop/pay")
    assert Client(lambda event, context: {"statusCode": 200}).get("/shop/pay").status == 200


def test_actions_of_these_names() -> None:
    """They are actions, as everywhere."""

    class Named(Resource):
        route = "named"

        @action(methods="GET")
        def query(self) -> Any:
            return 1

        @action(methods="GET")
        def responses(self) -> Any:
            return 2

    pm = PolyMicro()
    Named(pm)
    caller = Caller(pm, user=ALICE)
    assert [caller.get(f"/named/{name}").json for name in ("query", "responses")] == [1, 2]


# --- the document


def test_the_document_of_actions() -> None:
    pm = PolyMicro()
    Shop(pm)
    pm.compile()
    document = openapi(pm.routes)
    validate(document)
    search = document["paths"]["/shop/search"]["get"]
    assert search["parameters"] == [
        {
            "name": "q",
            "in": "query",
            "description": "What is looked for.",
            "required": True,
            "schema": {"type": "string"},
        },
        {"name": "year", "in": "query", "schema": {"type": "integer", "default": 2030, "minimum": 1900}},
        {"name": "tags", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
    ]
    assert [*search["responses"]][:2] == ["200", "204"]
    responses = document["paths"]["/shop/pay"]["post"]["responses"]
    assert [status for status in responses if status[0] == "2"] == ["200", "202"]
    shape = responses["200"]["content"]["application/json"]["schema"]
    assert list(shape["properties"]) == ["number", "lines", "made"]
    assert (shape["required"], shape["additionalProperties"]) == (["number"], False)
    assert shape["properties"]["number"] == {"type": "integer", "description": "Counted from 1."}
    assert responses["202"] == {"description": "Accepted"}
    assert responses["409"] == {"$ref": "#/components/responses/Conflict", "description": "It is paid."}
    assert set(responses["422"]["content"]) == {"application/json", "application/problem+json"}
    till = document["paths"]["/shop/till"]["get"]["responses"]
    assert [*till][:3] == ["200", "204", "400"]
    closed = till["402"]["content"]["application/problem+json"]["example"]
    assert (till["402"]["description"], closed["title"], closed["status"], closed["detail"]) == (
        "The till is closed.",
        "Payment Required",
        402,
        "The till is closed.",
    )
    many = document["paths"]["/shop/receipts"]["get"]["responses"]
    assert many["203"]["content"]["application/json"]["schema"]["type"] == "array"
    assert "204" not in many


def test_the_document_of_overridden_verbs() -> None:
    pm = PolyMicro()
    Notes(pm)
    pm.compile()
    document = openapi(pm.routes)
    validate(document)
    paths = document["paths"]
    listed = paths["/notes"]["get"]
    assert {"limit", "size", "size__gt", "words"} <= {one["name"] for one in listed["parameters"]}
    page = listed["responses"]["200"]
    assert list(page["content"]["application/json"]["schema"]["properties"]) == ["notes", "words"]
    assert (page["description"], list(page["headers"])) == ("A page.", ["ETag", "Link"])
    created = paths["/notes"]["post"]["responses"]
    assert created["201"]["content"]["application/json"]["example"] == {"words": 3}
    assert (created["409"]["description"], "links" in created["201"]) == ("The name is taken.", False)
    assert paths["/notes/{id}"]["patch"]["responses"]["200"]["description"] == "The note as it is."
    assert "304" in paths["/notes/{id}"]["get"]["responses"]


def test_a_text_alone() -> None:
    """It describes an answer, whose schema, headers, example and links stay."""

    class Plain(ModelResource, Create, List, Retrieve):
        model = Note
        route = "notes"
        permissions = AllowAny
        scan = True

    class Told(Plain):
        responses: ClassVar[Any] = {
            "create": {201: "The new note.", 409: "The id is taken."},
            "list": {200: "The shelf."},
        }

    paths = []
    for resource in (Plain, Told):
        pm = PolyMicro()
        resource(pm)
        pm.compile()
        document = openapi(pm.routes)
        text = json.dumps(document["paths"]["/notes"])
        paths.append(json.loads(re.sub("Plain|Told", "Note", text)))
    plain, told = paths
    assert set(plain["post"]["responses"]["201"]) == {"description", "headers", "content", "links"}
    plain["post"]["responses"]["201"]["description"] = "The new note."
    plain["post"]["responses"]["409"]["description"] = "The id is taken."
    plain["get"]["responses"]["200"]["description"] = "The shelf."
    assert told == plain


def test_a_body_that_takes_more_members() -> None:
    class Open(Schema):
        product = fields.String(required=True)
        count = fields.Integer()

        class Meta:
            unknown = INCLUDE

    class Taking(Resource):
        route = "taking"

        @action(schema=Open, response=Open)
        def take(self, req: Any) -> Any:
            return req

    pm = PolyMicro()
    Taking(pm)
    caller = Caller(pm, user=ALICE)
    assert caller.post("/taking/take", json={"product": "tea", "more": 1}).json == {
        "product": "tea",
        "more": 1,
    }
    operation = openapi(pm.routes)["paths"]["/taking/take"]["post"]
    media = operation["requestBody"]["content"]["application/json"]
    assert "additionalProperties" not in media["schema"]
    assert (media["example"], operation["requestBody"]["required"]) == (
        {"product": "Some text", "count": 3},
        True,
    )


# --- mistakes

Make = Callable[[], Any]


def acting(**said: Any) -> Make:
    return lambda: type("Wrong", (Resource,), {"route": "wrong", "show": action(**said)(lambda self: 1)})


def saying(**members: Any) -> Make:
    return lambda: type("Wrong", (Notes,), {"route": "wrong", "query": {}, "responses": {}, **members})


def asking() -> Any:
    return type("Wrong", (Resource,), {"route": "wrong", "show": action(lambda self, query: 1)})


class Colliding(Schema):
    size = fields.Integer()


class Paging(Schema):
    limit = fields.Integer()


class Choosing(Schema):
    columns = fields.Integer(data_key="fields")


class Pair(Schema):
    pair = fields.Tuple((fields.Integer(), fields.Integer()))


class Pairs(Schema):
    pairs = fields.List(fields.Tuple((fields.Integer(), fields.Integer())))


class Deep(Schema):
    line = fields.Nested(Line)


MISTAKES: dict[str, tuple[Make, str]] = {
    "no schema": (acting(response=1), r"Wrong\.show: response must be a marshmallow Schema, a text"),
    "a status that is none": (acting(responses={99: "x"}), r"Wrong\.show: responses: 99 is no status"),
    "a status in a text": (acting(responses={"200": Line}), r"Wrong\.show: responses: '200' is no status"),
    "a body of none": (acting(responses={204: Line}), r"Wrong\.show: responses\[204\]: .* has no body"),
    "twice": (
        acting(response=Line, responses={200: Line}),
        r"Wrong\.show: response is that of 200, as responses",
    ),
    "a query that is no schema": (
        acting(query=dict),
        r"Wrong\.show: query must be a marshmallow Schema, not",
    ),
    "a query of many": (acting(query=Line(many=True)), r"Wrong\.show: query: a query is one object"),
    "an object in a query": (acting(query=Deep), r"Wrong\.show: query: 'line' is a Nested"),
    "a query that is not said": (
        asking,
        r"Wrong\.show asks for 'query'; it can ask for .*: say what the query is, @action\(query=Schema\)",
    ),
    "a query that is not said of a verb": (
        saying(responses={}, query={"list": Words, "create": Words}),
        r"Wrong\.retrieve asks for 'query: Any'; .*: say what the query is, query = \{\"retrieve\": Schema\}",
    ),
    "two values in a query": (acting(query=Pair), r"Wrong\.show: query: 'pair' is a Tuple, which no"),
    "a list of these": (acting(query=Pairs), r"Wrong\.show: query: 'pairs' is a Tuple, which no"),
    "an action's fields": (
        acting(query=Choosing),
        r"Wrong\.show: query names 'fields', which is a parameter here already",
    ),
    "a create's fields": (
        saying(query={"list": Words, "retrieve": Words, "create": Choosing}),
        r"Wrong\.create: query names 'fields'",
    ),
    "no dict": (saying(responses=Line()), r"Wrong\.responses must be a dict by verbs"),
    "a class": (saying(query=Words), r"Wrong\.query must be a dict by verbs"),
    "an unknown verb": (
        saying(responses={"reterieve": Line}),
        r"Wrong\.responses names 'reterieve'.*'retrieve'",
    ),
    "an unknown verb of a query": (saying(query={"search": Line}), r"Wrong\.query names 'search'"),
    "the mixin's own verb": (
        saying(query={"delete": Line}),
        r"Wrong\.query\['delete'\] is for a verb of your own",
    ),
    "a filter": (
        saying(query={"list": Colliding, "retrieve": Words, "create": Words}),
        r"Wrong\.list: query names 'size', which is a parameter",
    ),
    "a page": (
        saying(query={"list": Paging, "retrieve": Words, "create": Words}),
        r"Wrong\.list: query names 'limit'",
    ),
    "a PUT that creates": (
        saying(put="upsert", query={"list": Words, "retrieve": Words, "create": Words}),
        r'Wrong\.create has a query, and put = "upsert"',
    ),
    "a status of a verb": (saying(responses={"create": {1: Line}}), r"Wrong\.responses\['create'\]: 1 is no"),
    "an action's twice": (
        saying(
            query={"list": Words, "retrieve": Words, "create": Words},
            show=action(responses={200: Line})(lambda self: 1),
            responses={"show": Line},
        ),
        r"Wrong\.responses names 'show', whose @action says responses too",
    ),
}


@pytest.mark.parametrize(("make", "message"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes(make: Make, message: str) -> None:
    pm = PolyMicro()
    make()(pm)
    with pytest.raises(ConfigurationError, match=message):
        pm.compile()
