"""`Envelope(item="article")`: a single item stands in an object of one member, in bodies and in answers."""

from typing import Any, ClassVar

import pytest
from contract import ALICE, Caller, assert_problem, create_table
from marshmallow import Schema, fields
from marshmallow.validate import Length
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    ConfigurationError,
    Create,
    Delete,
    Envelope,
    Idempotency,
    List,
    ModelResource,
    PolyMicro,
    Retrieve,
    Update,
    action,
)
from polymicro_lambda.cli.serving.curl_session import curl_session
from polymicro_lambda.openapi import body_model
from polymicro_lambda.openapi.document import openapi
from polymicro_lambda.renderers import CSV

DRAGONS = {"id": "1", "title": "Dragons", "likes": 0}
MEMBER = "the article"


class Rating(Schema):
    stars = fields.Integer(required=True)


@pytest.fixture
def app(dynamodb: Any, table_name: str) -> PolyMicro:
    class Article(Model):
        class Meta:
            table_name = "articles"

        id = UnicodeAttribute(hash_key=True)
        title = UnicodeAttribute()
        likes = NumberAttribute(default=0)

    class Articles(ModelResource, Create, List, Retrieve, Update, Delete):
        model = Article
        route = "articles"
        permissions = AllowAny
        scan = True
        put = "upsert"
        idempotent = ("create", "update")
        unique = ("title",)
        validators: ClassVar = {"title": Length(min=2)}
        envelope = Envelope(items="articles", item=MEMBER)

        @action(schema=Rating)
        def rate(self, instance: Any, req: Any) -> Any:
            return self.store.update(instance, {"likes": req["stars"]})

        @action(detail=False, methods=("GET",))
        def best(self) -> Any:
            return {"best": [self.store.read({"id": "1"})]}

    create_table(Article, table_name)
    idempotency = Idempotency()
    table = {"text/csv": CSV()}
    pm = PolyMicro(idempotency=idempotency, renderers=table, parsers=table)
    Articles(pm)
    pm.compile()
    for model in {model for route in pm.routes for model in route.models} - {Article}:
        model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    return pm


@pytest.fixture
def client(app: PolyMicro) -> Caller:
    return Caller(app.compile(), user=ALICE)


def test_it_stands_in_the_member_in_bodies_and_in_answers(client: Caller) -> None:
    made = client.post("/articles", json={MEMBER: {"id": "1", "title": "Dragons"}})
    assert (made.status, made.json) == (201, {MEMBER: DRAGONS})
    shown = client.everywhere("GET", "/articles/1")
    assert (shown.json, shown.headers["etag"]) == ({MEMBER: DRAGONS}, made.headers["etag"])
    assert client.get("/articles/1?fields=title").json == {MEMBER: {"title": "Dragons"}}
    assert client.get("/articles").json == {"articles": [DRAGONS], "pagination_key": None}
    changed = client.everywhere("PATCH", "/articles/1", json={MEMBER: {"title": "Newts"}})
    assert changed.json == {MEMBER: {**DRAGONS, "title": "Newts"}}
    put = client.everywhere("PUT", "/articles/1", json={MEMBER: {"title": "Dragons"}})
    assert put.json == {MEMBER: DRAGONS}
    other = client.put("/articles/2", json={MEMBER: {"title": "Olms"}})
    assert (other.status, other.json[MEMBER]["id"]) == (201, "2")
    assert client.get("/articles/1", headers={"If-None-Match": shown.headers["etag"]}).status == 304
    assert client.delete("/articles/2").body == b""


def test_an_actions_own_body_is_its_own_and_an_item_that_it_returns_stands_in_the_member(
    client: Caller,
) -> None:
    client.post("/articles", json={MEMBER: {"id": "1", "title": "Dragons"}})
    assert client.everywhere("POST", "/articles/1/rate", json={"stars": 5}).json == {
        MEMBER: {**DRAGONS, "likes": 5}
    }
    assert_problem(client.post("/articles/1/rate", json={}), 422, "#/stars")
    assert client.get("/articles/best").json == {"best": [{**DRAGONS, "likes": 5}]}


def test_a_repetition_gets_the_same(client: Caller) -> None:
    key = {"Idempotency-Key": "6b4e1c0f-0000-4000-8000-000000000001"}
    body = {MEMBER: {"id": "1", "title": "Dragons"}}
    first, second = (client.post("/articles", json=body, headers=key) for _ in range(2))
    assert (first.json, second.json) == ({MEMBER: DRAGONS}, {MEMBER: DRAGONS})
    assert second.headers["idempotency-replayed"] == "true"


def test_a_table_has_the_item_alone(client: Caller) -> None:
    body, table = "id,title,likes\r\n1,Dragons,0\r\n", {"Content-Type": "text/csv", "Accept": "text/csv"}
    made = client.put("/articles/1", body="title\r\nDragons\r\n", headers=table)
    assert (made.status, made.body.decode()) == (201, body)
    assert client.everywhere("GET", "/articles/1", headers={"Accept": "text/csv"}).body.decode() == body
    assert client.get("/articles/1").json == {MEMBER: DRAGONS}


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        pytest.param({"id": "1", "title": "Dragons"}, ["#"], id="the item itself"),
        pytest.param({}, ["#"], id="an empty object"),
        pytest.param({MEMBER: {"id": "1", "title": "Olms"}, "more": 1}, ["#"], id="another member"),
        pytest.param({MEMBER: []}, ["#"], id="a list in the member"),
        pytest.param({MEMBER: {"id": "1"}}, ["#/the%20article/title"], id="a field is missing"),
        pytest.param({MEMBER: {"id": "1", "title": "D"}}, ["#/the%20article/title"], id="a validator"),
    ],
)
def test_bodies_that_are_refused(client: Caller, body: Any, pointers: list[str]) -> None:
    assert_problem(client.everywhere("POST", "/articles", json=body), 422, *pointers)
    assert client.get("/articles").json["articles"] == []


def test_a_body_that_is_no_object(client: Caller) -> None:
    assert_problem(client.everywhere("POST", "/articles", json=[]), 400)


def test_a_conflict_points_to_the_member(client: Caller) -> None:
    client.post("/articles", json={MEMBER: {"id": "1", "title": "Dragons"}})
    taken = client.everywhere("POST", "/articles", json={MEMBER: {"id": "2", "title": "Dragons"}})
    assert_problem(taken, 409, "#/the%20article/title")


def test_the_document_says_so(app: PolyMicro) -> None:
    document = openapi(app.routes)
    create = document["paths"]["/articles"]["post"]
    content = create["requestBody"]["content"]["application/json"]
    assert content["schema"] == {
        "type": "object",
        "additionalProperties": False,
        "required": [MEMBER],
        "properties": {MEMBER: {"$ref": "#/components/schemas/ArticlesCreate"}},
    }
    assert list(content["example"]) == [MEMBER]
    made = create["responses"]["201"]
    shown = made["content"]["application/json"]
    assert shown["schema"]["properties"] == {MEMBER: {"$ref": "#/components/schemas/Articles"}}
    assert list(shown["example"]) == [MEMBER]
    assert made["links"]["retrieveArticles"]["parameters"] == {"id": f"$response.body#/{MEMBER}/id"}
    page = document["components"]["schemas"]["ArticlesPage"]
    assert list(page["properties"]) == ["articles", "pagination_key"]
    rate = document["paths"]["/articles/{id}/rate"]["post"]
    assert list(rate["requestBody"]["content"]["application/json"]["schema"]["properties"]) == ["stars"]


def test_the_gateways_model_asks_for_the_member(app: PolyMicro) -> None:
    [create] = [route for route in app.routes if route.verb == "create"]
    model = body_model(create)
    assert model is not None
    assert (model["required"], list(model["properties"])) == ([MEMBER], [MEMBER])
    assert model["properties"][MEMBER]["required"] == ["id", "title"]


def test_the_session_of_serve_sends_the_member(app: PolyMicro) -> None:
    _, create, _, _, update, _ = curl_session(app.routes, "http://x", token=None)
    assert f'{{"{MEMBER}": {{"' in create
    assert f'{{"{MEMBER}": {{"' in update


@pytest.mark.parametrize("item", ["", 7, "a\nb"])
def test_a_name_that_is_none(item: Any) -> None:
    assert_refused("envelope", envelope=Envelope(item=item))


def test_lists_of_items_have_no_member() -> None:
    assert_refused("max_bulk", envelope=Envelope(item="article"), max_bulk=2)


def assert_refused(word: str, **declared: Any) -> None:
    class Article(Model):
        class Meta:
            table_name = "articles"

        id = UnicodeAttribute(hash_key=True)

    pm = PolyMicro()
    said = {"model": Article, "route": "articles", "permissions": AllowAny, **declared}
    type("Articles", (ModelResource, Create), said)(pm)
    with pytest.raises(ConfigurationError, match=rf"^Articles\.{word}"):
        pm.compile()
