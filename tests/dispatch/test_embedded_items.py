"""`embed`: items of other resources in an answer, read together, each under the rules of its own resource."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from contract import ALICE, BOB, Caller, assert_problem, counted, create_tables, dynamodb_call, failing, names
from pynamodb.attributes import (
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
    VersionAttribute,
)
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    Claim,
    Create,
    Delete,
    Idempotency,
    IsAuthenticated,
    List,
    Many,
    ModelResource,
    One,
    OwnedBy,
    Permission,
    PolyMicro,
    Retrieve,
    Through,
    Update,
    action,
)


class World:
    """Articles, their authors and comments, and apps over them."""

    def __init__(self, table: str) -> None:
        class Account(Model):
            class Meta:
                table_name = f"{table}a"

            id = UnicodeAttribute(hash_key=True)
            name = UnicodeAttribute()
            email = UnicodeAttribute(null=True)
            until = TTLAttribute(null=True)
            deleted = UTCDateTimeAttribute(null=True)

        class Article(Model):
            class Meta:
                table_name = f"{table}t"

            id = UnicodeAttribute(hash_key=True)
            title = UnicodeAttribute()
            author = UnicodeAttribute(null=True)
            editor = UnicodeAttribute(null=True)
            version = VersionAttribute()

        class ByKind(GlobalSecondaryIndex[Any]):
            class Meta:
                index_name = "by_kind"
                projection = KeysOnlyProjection()

            kind = UnicodeAttribute(hash_key=True)

        class Comment(Model):
            class Meta:
                table_name = f"{table}c"

            article = UnicodeAttribute(hash_key=True)
            id = UnicodeAttribute(range_key=True)
            text = UnicodeAttribute(null=True)
            owner = UnicodeAttribute(default="alice")
            deleted = UTCDateTimeAttribute(null=True)
            kind = UnicodeAttribute(default="note")
            by_kind = ByKind()

        self.account, self.article, self.comment = Account, Article, Comment

    def served(
        self,
        embed: Any = None,
        *,
        rule: Any = AllowAny,
        accounts: Any = None,
        comments: Any = None,
        comment_rule: Any = AllowAny,
        app: Any = None,
        **members: Any,
    ) -> Caller:
        """A client of alice's of ``/articles``: three, by two authors; the first has four comments."""
        verbs = (ModelResource, Create, List, Retrieve, Update, Delete)
        base = {
            "model": self.account,
            "route": "accounts",
            "permissions": rule,
            "scan": True,
            "exclude": ("deleted",),
        }
        self.accounts = type("Accounts", verbs, base | (accounts or {}))
        base = {"model": self.comment, "route": "comments", "permissions": comment_rule, "scan": True}
        self.comments = type("Comments", verbs, base | (comments or {}))
        author = One(self.accounts, {"id": "author"}, fields=("name",))
        said = {"author": author, "comments": Many(self.comments, {"article": "id"}, fields="text", limit=3)}
        base = {"model": self.article, "route": "articles", "permissions": AllowAny, "scan": True}
        articles = type(
            "Articles",
            (ModelResource, Create, List, Retrieve, Update, Delete),
            base | {"embed": said if embed is None else embed(self)} | members,
        )
        self.pm = PolyMicro(**(app or {}))
        for resource in (self.accounts, self.comments, articles):
            resource(self.pm)
        client = Caller(self.pm.compile(), user=ALICE)
        create_tables(self.pm)
        for name in ("ann", "bea"):
            self.put("a", id=name[0], name=name, email=f"{name}@example.com")
        for number, by in enumerate("aba"):
            self.put("t", id=f"t{number}", title=f"T{number}", author=by, editor="b")
        for number in range(4):
            self.put(
                "c", article="t0", id=str(number), text=f"c{number}", owner="alice" if number % 2 else "bob"
            )
        return client

    def put(self, which: str, **texts: str) -> None:
        item = {name: {"S": text} for name, text in texts.items()}
        version = {"version": {"N": "1"}} if which == "t" else {}
        dynamodb_call("put_item", TableName=self.account.Meta.table_name[:-1] + which, Item=item | version)

    def remove(self, which: str, **texts: str) -> None:
        key = {name: {"S": text} for name, text in texts.items()}
        dynamodb_call("delete_item", TableName=self.account.Meta.table_name[:-1] + which, Key=key)


@pytest.fixture
def world(dynamodb: None, table_name: str) -> World:
    return World(table_name)


def test_a_softly_deleted_item_is_not_embedded(world: World) -> None:
    client = world.served(replies, accounts={"soft_delete": "deleted"}, comments={"soft_delete": "deleted"})
    for path in ("/accounts/a", "/comments/t0/1"):
        assert client.delete(path).status == 204
    assert client.get("/articles/t0?embed=writer,replies").json == {
        **T0,
        "writer": None,
        "replies": [{"id": one, "text": f"c{one}"} for one in "023"],
    }
    assert client.get("/articles?embed=writer").json["items"][0]["writer"] is None


T0 = {"id": "t0", "title": "T0", "author": "a", "editor": "b", "version": 1}


def writer(world: World) -> Any:
    """The author as ``writer``, whole."""
    return {"writer": One(world.accounts, {"id": "author"})}


def always(world: World) -> Any:
    """The names of author and editor in every item."""
    return {
        "writer": One(world.accounts, {"id": "author"}, fields="name", always=True),
        "reviser": One(world.accounts, {"id": "editor"}, fields="name", always=True),
    }


def replies(world: World) -> Any:
    return {
        "writer": One(world.accounts, {"id": "author"}, fields="name"),
        "replies": Many(world.comments, {"article": "id"}, fields=("id", "text"), limit=3),
    }


def test_one_is_shown_where_it_is_asked_for(world: World) -> None:
    client = world.served(writer)
    with counted() as calls:
        shown = client.get("/articles/t0?embed=writer")
    assert names(calls) == ["GetItem", "BatchGetItem"]
    writer_ = {"id": "a", "name": "ann", "email": "ann@example.com", "until": None}
    assert shown.json == T0 | {"writer": writer_}
    with counted() as calls:
        assert client.get("/articles/t0").json == T0
    assert names(calls) == ["GetItem"]


def test_a_page_is_two_calls_whatever_it_embeds(world: World) -> None:
    client = world.served(always)
    with counted() as calls:
        page = client.get("/articles?limit=3").json["items"]
    assert names(calls) == ["Scan", "BatchGetItem"]
    [request] = [parameters["RequestItems"] for name, parameters in calls if name == "BatchGetItem"]
    assert [len(one["Keys"]) for one in request.values()] == [2]
    shown = {one["id"]: (one["writer"], one["reviser"]) for one in page}
    ann, bea = {"name": "ann"}, {"name": "bea"}
    assert shown == {"t0": (ann, bea), "t1": (bea, bea), "t2": (ann, bea)}


def test_many_stand_on_an_item_alone(world: World) -> None:
    client = world.served(replies)
    with counted() as calls:
        shown = client.get("/articles/t0?embed=replies,writer").json
    assert names(calls) == ["GetItem", "BatchGetItem", "Query"]
    said = [{"id": str(number), "text": f"c{number}"} for number in range(3)]
    assert shown == T0 | {"writer": {"name": "ann"}, "replies": said}
    refused = client.get("/articles?embed=replies")
    assert_problem(refused, 400, "embed")
    assert "writer" in refused.text
    assert client.get("/articles/t1?embed=replies").json["replies"] == []


def test_what_is_not_declared_is_a_400_that_names_what_is(world: World) -> None:
    client = world.served(replies)
    for path in ("/articles/t0?embed=nobody", "/articles?embed=writer&embed=nobody"):
        refused = client.everywhere("GET", path)
        assert_problem(refused, 400, "embed")
        assert "writer" in refused.text
    assert_problem(client.get("/accounts/a?embed=writer"), 400, "embed")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/articles?embed=writer", {"id": "t9", "title": "T9", "author": "b"}),
        ("PATCH", "/articles/t0?embed=writer", {"author": "b"}),
        ("PUT", "/articles/t0?embed=writer", {"title": "x", "author": "b"}),
        ("PATCH", "/articles/t1?embed=writer", {}),
        ("POST", "/articles/t1/touch?embed=writer", None),
    ],
)
def test_every_answer_that_shows_an_item_embeds(world: World, method: str, path: str, body: Any) -> None:
    @action
    def touch(self: Any, instance: Any) -> Any:
        return self.store.update(instance, {"title": "touched"})

    client = world.served(replies, touch=touch)
    shown = client.request(method, path, json=body)
    assert (shown.status in (200, 201), shown.json["writer"]) == (True, {"name": "bea"}), shown.text
    place = path.split("?", maxsplit=1)[0] if method != "POST" or "touch" in path else "/articles/t9"
    again = client.get(f"{place.removesuffix('/touch')}?embed=writer")
    assert (again.json, again.headers["etag"]) == (shown.json, shown.headers["etag"])


def test_instances_in_other_json_are_loaded_together(world: World) -> None:
    @action(detail=False, methods=("GET",))
    def some(self: Any) -> Any:
        found = sorted(self.model.scan(), key=lambda one: one.id)
        return {"first": found[0], "rest": found[1:]}

    client = world.served(always, some=some)
    with counted() as calls:
        shown = client.get("/articles/some").json
    assert names(calls) == ["Scan", "BatchGetItem"]
    assert shown["first"] == T0 | {"writer": {"name": "ann"}, "reviser": {"name": "bea"}}
    assert [one["writer"]["name"] for one in shown["rest"]] == ["bea", "ann"]


def test_a_list_of_the_apps_own_embeds_too(world: World) -> None:
    def own(self: Any, limit: int = 2, pagination_key: Any = None) -> Any:
        return self.model.scan(limit=limit, last_evaluated_key=pagination_key)

    client = world.served(always, list=own)
    with counted() as calls:
        page = client.get("/articles").json
    assert names(calls) == ["Scan", "BatchGetItem"]
    assert [one["reviser"] for one in page["items"]] == [{"name": "bea"}] * 2
    assert page["pagination_key"]


def test_bulk_creates_embed_by_one_call(world: World) -> None:
    client = world.served(replies, max_bulk=10)
    items = [{"id": f"n{number}", "title": "T", "author": "a"} for number in range(3)]
    with counted() as calls:
        made = client.post("/articles?embed=writer", json=items)
    assert names(calls) == ["TransactWriteItems", "BatchGetItem"]
    assert [one["writer"] for one in made.json] == [{"name": "ann"}] * 3


def test_it_may_stand_in_place_of_its_key(world: World) -> None:
    client = world.served(lambda world: {"author": One(world.accounts, {"id": "author"}, fields=("name",))})
    assert client.get("/articles/t0").json["author"] == "a"
    assert client.get("/articles/t0?embed=author").json == T0 | {"author": {"name": "ann"}}
    assert client.get("/articles/t0?fields=title&embed=author").json == {
        "title": "T0",
        "author": {"name": "ann"},
    }


def test_fields_and_embed_together(world: World) -> None:
    client = world.served(replies)
    with counted() as calls:
        page = client.get("/articles?fields=title&embed=writer").json["items"]
    assert sorted(page, key=repr) == [
        {"title": f"T{number}", "writer": {"name": name}} for number, name in enumerate(("ann", "bea", "ann"))
    ]
    assert calls[0][1]["ProjectionExpression"]
    shown = client.get("/articles/t0?fields=id,author&embed=writer&embed=replies").json
    assert shown.keys() == {"id", "author", "writer", "replies"}


class Mine(Permission):
    """Who has the item's id may see it."""

    def where(self, user: Any, method: str, model: Any) -> Any:
        return model.name == {"alice": "ann", "bob": "bea"}[user.uuid]


class Asked(Permission):
    """The same, opaque."""

    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        assert method == "retrieve"
        return bool(instance.name == {"alice": "ann", "bob": "bea"}[user.uuid])


class AtPath(Permission):
    """The same, by the path of an account."""

    def has_permission(self, user: Any, method: str, request: Any) -> bool:
        return bool(request.path_params["id"] == {"alice": "a", "bob": "b"}[user.uuid])


@pytest.mark.parametrize("rule", [Mine, Asked, AtPath])
def test_what_the_other_rule_hides_is_null(world: World, rule: Any) -> None:
    client = world.served(replies, rule=rule)
    for user, expected in ((ALICE, [{"name": "ann"}, None]), (BOB, [None, {"name": "bea"}])):
        shown = [client.as_(user).get(f"/articles/{one}?embed=writer").json["writer"] for one in ("t0", "t1")]
        assert shown == expected
        page = client.as_(user).get("/articles?embed=writer").json["items"]
        assert [one["writer"] for one in sorted(page, key=lambda one: one["id"])][:2] == expected


class Nobody(Permission):
    def has_permission(self, user: Any, method: str) -> bool:
        return method == "update"


def test_who_may_not_use_the_other_verb_gets_nothing_and_costs_nothing(world: World) -> None:
    client = world.served(replies, rule=Nobody, comment_rule=Nobody)
    with counted() as calls:
        shown = client.get("/articles/t0?embed=writer,replies").json
    assert (names(calls), shown["writer"], shown["replies"]) == (["GetItem"], None, [])
    anonymous = world.served(replies, rule=IsAuthenticated, comment_rule=IsAuthenticated).as_(None)
    shown = anonymous.get("/articles/t0?embed=writer,replies").json
    assert (shown["writer"], shown["replies"]) == (None, [])


@pytest.mark.parametrize("comment_rule", [OwnedBy("owner"), "opaque"])
def test_many_leaves_out_what_the_other_rule_hides(world: World, comment_rule: Any) -> None:
    class Own(Permission):
        def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
            assert method == "list"
            return bool(instance.owner == user.uuid)

    client = world.served(replies, comment_rule=Own if comment_rule == "opaque" else comment_rule)
    assert [one["id"] for one in client.get("/articles/t0?embed=replies").json["replies"]] == ["1", "3"]


def test_through_of_the_other_resource_is_read_for_all_at_once(world: World) -> None:
    """The accounts are for those who have a comment at them: a membership, as it were."""
    rule = Through(world.comment, {"article": "id", "id": Claim("uuid")})
    client = world.served(replies, rule=rule, comments={"permissions": AllowAny})
    world.put("c", article="a", id="alice")
    with counted() as calls:
        page = client.get("/articles?embed=writer").json["items"]
    assert names(calls) == ["Scan", "BatchGetItem", "BatchGetItem"]
    shown = {one["id"]: one["writer"] for one in page}
    assert shown == {"t0": {"name": "ann"}, "t1": None, "t2": {"name": "ann"}}


def test_what_is_gone_expired_or_no_key_is_null(world: World) -> None:
    client = world.served(replies)
    world.remove("a", id="b")
    for number, value in enumerate(("x" * 3000, "", "nobody", "old")):
        world.put("t", id=f"t{number + 5}", title="T", author=value)
    world.put("t", id="t4", title="T")
    item = {"id": {"S": "old"}, "name": {"S": "old"}, "until": {"N": "1"}}
    dynamodb_call("put_item", TableName=world.account.Meta.table_name, Item=item)
    for place in ("t1", "t4", "t5", "t6", "t7", "t8"):
        assert client.get(f"/articles/{place}?embed=writer").json["writer"] is None, place
    assert client.get("/articles?embed=writer").status == 200


def test_an_item_that_nobody_can_read_is_null_and_logged(world: World, caplog: Any) -> None:
    client = world.served(replies)
    item = {"id": {"S": "b"}, "name": {"N": "1"}}
    dynamodb_call("put_item", TableName=world.account.Meta.table_name, Item=item)
    assert client.get("/articles/t1?embed=writer").json["writer"] is None
    assert "was not embedded" in caplog.text


def test_hooks_and_field_rules_of_the_other_resource(world: World) -> None:
    prepared: list[int] = []

    def prepare(self: Any, instances: Any, request: Any) -> None:
        prepared.append(len(instances))

    def represent(self: Any, data: Any, instance: Any, request: Any) -> Any:
        return {**data, "url": self.url_for(instance, request)}

    hooks = {"prepare": prepare, "represent": represent, "field_permissions": {"email": Nobody}}
    client = world.served(writer, accounts=hooks)
    page = client.get("/articles?embed=writer").json["items"]
    urls = {one["writer"]["url"].rpartition("/")[2] for one in page}
    assert (prepared, urls) == ([2], {"a", "b"})
    assert all(one["writer"].keys() == {"id", "name", "until", "url"} for one in page)


def test_a_field_that_the_user_may_not_read_says_no_key(world: World) -> None:
    client = world.served(always, field_permissions={"author": Nobody})
    assert client.get("/articles/t0").json.keys() == {"id", "title", "editor", "version", "reviser"}
    assert_problem(client.get("/articles/t0?embed=writer"), 400, "embed")


def test_its_own_hook_sees_what_is_embedded(world: World) -> None:
    def represent(self: Any, data: Any, instance: Any, request: Any) -> Any:
        return {"article": data}

    client = world.served(replies, represent=represent)
    assert client.get("/articles/t0?embed=writer").json == {"article": T0 | {"writer": {"name": "ann"}}}


def test_one_level_is_embedded(world: World) -> None:
    """What an embedded item would embed always, it does not embed there."""
    client = world.served(replies)
    world.accounts.embed = {"friend": One(world.accounts, {"id": "name"}, always=True)}
    client = Caller(world.pm.compile(), user=ALICE)
    assert client.get("/accounts/a").json["friend"] is None
    assert client.get("/articles/t0?embed=writer").json["writer"] == {"name": "ann"}


def test_the_tag_is_of_all_that_is_shown(world: World) -> None:
    client = world.served(replies)
    plain = client.get("/articles/t0").headers["etag"]
    first = client.get("/articles/t0?embed=writer").headers["etag"]
    known = {"if-none-match": first}
    assert client.get("/articles/t0?embed=writer", headers=known).status == 304
    world.put("a", id="a", name="anna")
    again = client.get("/articles/t0?embed=writer", headers=known)
    assert (again.status, again.json["writer"]) == (200, {"name": "anna"})
    assert len({plain, first, again.headers["etag"]}) == 3
    # If-Match is about the stored item, whatever was shown of others.
    changed = client.patch("/articles/t0", json={"title": "x"}, headers={"if-match": first})
    assert changed.status == 200


def test_the_tag_of_a_page_changes_with_what_it_embeds(world: World) -> None:
    client = world.served(replies)
    first = client.get("/articles?embed=writer").headers["etag"]
    world.put("a", id="a", name="anna")
    assert client.get("/articles?embed=writer", headers={"if-none-match": first}).status == 200


def test_the_item_in_a_412_is_as_a_read_shows_it(world: World) -> None:
    client = world.served(always)
    shown = client.get("/articles/t0")
    refused = client.patch("/articles/t0", json={"title": "x"}, headers={"if-match": '"7"'})
    assert (refused.status, refused.json["current"]) == (412, shown.json)
    assert refused.headers["etag"] == shown.headers["etag"]
    known = {"if-none-match": shown.headers["etag"]}
    assert client.patch("/articles/t0", json={"title": "x"}, headers=known).status == 412


def test_it_counts_in_the_read_budget(world: World) -> None:
    class Rare(Permission):
        def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
            return False

    client = world.served(replies, permissions=Rare, read_budget=3)
    for number in range(60):
        world.put("t", id=f"x{number}", title="T")
    for path, most in (("/articles?limit=1", 3), ("/articles?limit=1&embed=writer", 2)):
        with counted() as calls:
            assert client.get(path).json["pagination_key"]
        assert names(calls) == ["Scan"] * most


def test_pages_go_on_with_what_they_embed(world: World) -> None:
    client = world.served(replies)
    first = client.get("/articles?limit=2&embed=writer")
    assert "embed=writer" in first.headers["link"]
    key = first.json["pagination_key"]
    rest = client.get("/articles", query={"limit": "2", "pagination_key": key, "embed": "writer"})
    assert all("writer" in one for one in (*first.json["items"], *rest.json["items"]))
    assert client.get("/articles", query={"pagination_key": key}).status == 200


def test_more_keys_than_one_call_takes(world: World) -> None:
    client = world.served(always, max_limit=200)
    for number in range(120):
        world.put("t", id=f"x{number}", title="T", author=f"y{number}")
        world.put("a", id=f"y{number}", name=f"n{number}")
    with counted() as calls:
        page = client.get("/articles?limit=150").json["items"]
    assert [one for one in names(calls) if one != "Scan"] == ["BatchGetItem"] * 2
    assert {one["writer"]["name"] for one in page} >= {f"n{number}" for number in range(120)}


def test_a_write_is_told_though_what_it_embeds_cannot_be_read(world: World) -> None:
    client = world.served(replies)
    throttled = ClientError({"Error": {"Code": "ThrottlingException", "Message": "canary"}}, "BatchGetItem")
    with failing(throttled, on=frozenset({"BatchGetItem"})):
        written = client.patch("/articles/t0?embed=writer", json={"title": "new"})
        read = client.get("/articles/t0?embed=writer")
    assert (written.status, written.body, read.status) == (204, b"", 503)
    assert client.get("/articles/t0").json["title"] == "new"


def test_a_replay_shows_nothing_that_rules_may_hide_by_now(world: World, table_name: str) -> None:
    app = {"idempotency": Idempotency(table=f"{table_name}i"), "cursor_secret": "s"}
    for rule, again in ((Mine, b""), (AllowAny, None)):
        client = world.served(replies, rule=rule, app=app)
        body = {"id": f"new{rule.__name__}", "title": "T", "author": "a"}
        headers = {"idempotency-key": f"k{rule.__name__}"}
        first = client.post("/articles?embed=writer", json=body, headers=headers)
        assert first.json["writer"] == {"name": "ann"}
        replay = client.post("/articles?embed=writer", json=body, headers=headers)
        assert replay.headers["idempotency-replayed"] == "true"
        assert replay.body == (first.body if again is None else again)


def test_numbers_and_texts_say_one_another(dynamodb: None, table_name: str) -> None:
    class Shelf(Model):
        class Meta:
            pass

        number = NumberAttribute(hash_key=True)
        name = UnicodeAttribute()

    class Book(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        shelf = UnicodeAttribute()

    Shelf.Meta.table_name, Book.Meta.table_name = f"{table_name}s", table_name  # type: ignore[attr-defined]
    both = {"permissions": AllowAny}
    shelves = type("Shelves", (ModelResource, Retrieve), both | {"model": Shelf, "route": "shelves"})
    embed = {"place": One(shelves, {"number": "shelf"}, fields="name")}
    books = type("Books", (ModelResource, Create), both | {"model": Book, "route": "books", "embed": embed})
    pm = PolyMicro()
    shelves(pm)
    books(pm)
    client = Caller(pm.compile(), user=ALICE)
    create_tables(pm)
    dynamodb_call("put_item", TableName=f"{table_name}s", Item={"number": {"N": "7"}, "name": {"S": "low"}})
    assert client.post("/books?embed=place", json={"id": "1", "shelf": "7"}).json["place"] == {"name": "low"}
    assert client.post("/books?embed=place", json={"id": "2", "shelf": "x"}).json["place"] is None


def test_many_by_an_index_that_lacks_attributes(world: World) -> None:
    def by_kind(world: World) -> Any:
        return {"notes": Many(world.comments, {"kind": "id"}, fields=("id", "text"), limit=2)}

    client = world.served(by_kind)
    for number in range(2):
        world.put("c", article="x", id=str(number), text=f"k{number}", kind="t1")
    with counted() as calls:
        shown = client.get("/articles/t1?embed=notes").json["notes"]
    assert names(calls) == ["GetItem", "Query", "BatchGetItem"]
    assert sorted(shown, key=repr) == [{"id": str(number), "text": f"k{number}"} for number in range(2)]
