"""Models that share a table: keys behind a prefix, which nobody but DynamoDB sees."""

from typing import Any

import pytest
from contract import ALICE, BOB, Caller, assert_problem, counted, dynamodb_call, names, stored
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, LocalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    ConfigurationError,
    Create,
    Delete,
    IsAuthenticated,
    List,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    PrefixedAttribute,
    Retrieve,
    Update,
)
from polymicro_lambda.cli.explain import explain
from polymicro_lambda.deploy.tables import tables_of
from polymicro_lambda.project.engine import create_tables


class ByPage(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "inverted"
        projection = AllProjection()

    page = PrefixedAttribute("PAGE#", hash_key=True, attr_name="sk")
    book = PrefixedAttribute("BOOK#", range_key=True, attr_name="pk")


class ByWords(LocalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "by_words"
        projection = AllProjection()

    book = PrefixedAttribute("BOOK#", hash_key=True, attr_name="pk")
    words = NumberAttribute(range_key=True)


class Page(Model):
    class Meta:
        table_name = "library"

    book = PrefixedAttribute("BOOK#", hash_key=True, attr_name="pk")
    page = PrefixedAttribute("PAGE#", range_key=True, attr_name="sk")
    words = NumberAttribute(default=0)
    by_page = ByPage()
    by_words = ByWords()


class Loan(Model):
    class Meta:
        table_name = "library"

    book = PrefixedAttribute("BOOK#", hash_key=True, attr_name="pk")
    who = PrefixedAttribute("LOAN#", range_key=True, attr_name="sk")
    until = UnicodeAttribute(default="May")


VERBS = (ModelResource, Create, List, Retrieve, Update, Delete)


@pytest.fixture
def library(dynamodb: None, table_name: str, monkeypatch: pytest.MonkeyPatch) -> Caller:
    """Pages and loans of books, in one table."""
    pm = PolyMicro()
    for model in (Page, Loan):
        monkeypatch.setattr(model.Meta, "table_name", table_name)  # type: ignore[attr-defined]
        monkeypatch.setattr(model.Meta, "_polymicro_prefix", "", raising=False)  # type: ignore[attr-defined]
        model._connection = None
    filters = {"page": ("eq", "gte", "between", "in"), "words": ("gte",)}
    said: dict[str, Any] = {"model": Page, "route": "books/{book}/pages", "permissions": IsAuthenticated}
    type("Pages", VERBS, {**said, "filters": filters})(pm)
    whole = {**said, "route": "pages", "filters": {"page": ("eq",)}}
    type("Everywhere", (ModelResource, List), whole)(pm)
    loans = {"model": Loan, "route": "books/{book}/loans", "permissions": OwnedBy("who")}
    type("Loans", (ModelResource, Create, Retrieve, Delete), loans)(pm)
    everything = {"model": Loan, "route": "loans", "permissions": AllowAny, "scan": True}
    type("AllLoans", (ModelResource, List), everything)(pm)
    handler = pm.compile()
    create_tables(pm.routes, "test")
    caller = Caller(handler, user=ALICE)
    for number in ("1", "2", "3"):
        assert caller.post("/books/b/pages", json={"page": number, "words": int(number)}).status == 201
    assert caller.post("/books/b/loans", json={}).status == 201
    return caller


def test_the_prefix_is_in_the_table_and_nowhere_else(library: Caller, table_name: str) -> None:
    created = library.post("/books/c/pages", json={"page": "x/y"})
    assert (created.status, created.json) == (201, {"book": "c", "page": "x/y", "words": 0})
    assert created.headers["location"] == "pages/x%2Fy"
    assert library.get("/books/c/pages/x%2Fy").json == created.json
    assert {"pk": {"S": "BOOK#c"}, "sk": {"S": "PAGE#x/y"}, "words": {"N": "0"}} in stored(table_name)
    assert library.get("/books/c/pages/PAGE%23x%2Fy").status == 404


def pages(result: Any) -> list[str]:
    assert result.status == 200, result.text
    return [item["page"] for item in result.json["items"]]


@pytest.mark.parametrize(
    ("path", "expected", "calls"),
    [
        ("/books/b/pages", ["1", "2", "3"], ["Query"]),
        ("/books/b/pages?sort=-page", ["3", "2", "1"], ["Query"]),
        ("/books/b/pages?page=2", ["2"], ["Query"]),
        ("/books/b/pages?page__gte=2", ["2", "3"], ["Query"]),
        ("/books/b/pages?page__between=1,2", ["1", "2"], ["Query"]),
        ("/books/b/pages?page__in=1,3", ["1", "3"], ["BatchGetItem"]),
        ("/books/b/pages?words__gte=2", ["2", "3"], ["Query"]),
        ("/books/b/pages?sort=-words", ["3", "2", "1"], ["Query"]),
        ("/pages?page=2", ["2"], ["Query"]),
        ("/books/none/pages", [], ["Query"]),
    ],
)
def test_lists_hold_one_kind(library: Caller, path: str, expected: list[str], calls: list[str]) -> None:
    with counted() as made:
        assert pages(library.get(path)) == expected
    assert names(made) == calls


def test_the_others_are_not_read(library: Caller) -> None:
    """Nor billed: the prefix is part of the key condition."""
    with counted() as made:
        library.get("/books/b/pages")
    ((_, asked),) = made
    assert ("begins_with" in asked["KeyConditionExpression"], "FilterExpression" in asked) == (True, False)


def test_a_scan_holds_one_kind(library: Caller) -> None:
    assert [loan["who"] for loan in library.get("/loans").json["items"]] == ["alice"]


def test_pages_go_on_where_they_ended(library: Caller) -> None:
    first = library.get("/books/b/pages?limit=2")
    query = {"limit": 2, "pagination_key": first.json["pagination_key"]}
    second = library.get("/books/b/pages", query=query)
    assert (pages(first), pages(second), second.json["pagination_key"]) == (["1", "2"], ["3"], None)


def test_the_prefix_alone_does_not_make_the_table_the_better_choice(library: Caller) -> None:
    """It excludes none of the pages, as a bound on the words does."""
    with counted() as made:
        assert pages(library.get("/books/b/pages?words__gte=2")) == ["2", "3"]
    assert [asked.get("IndexName") for _, asked in made] == ["by_words"]


def test_an_owner_has_a_prefix_too(library: Caller) -> None:
    assert library.get("/books/b/loans").status == 200
    assert library.get("/books/b/loans", user=BOB).status == 404
    with counted() as made:
        assert library.delete("/books/b/loans").status == 204
    assert names(made) == ["DeleteItem"]


def test_writes_need_no_more_calls(library: Caller) -> None:
    with counted() as made:
        assert library.patch("/books/b/pages/1", json={"words": 9}).json["words"] == 9
        assert library.patch("/books/b/pages/9", json={"words": 9}).status == 404
        assert library.post("/books/b/pages", json={"page": "1"}).status == 409
        assert library.delete("/books/b/pages/1").status == 204
    assert names(made) == ["UpdateItem", "UpdateItem", "PutItem", "DeleteItem"]


@pytest.mark.parametrize("page", ["", ".", "..", "\x01", "x" * 1020])
def test_what_has_no_address_cannot_be_created(library: Caller, page: str) -> None:
    """The limit of 1024 bytes is that of the key with its prefix."""
    assert_problem(library.post("/books/b/pages", json={"page": page}), 422, "#/page")


def test_a_key_is_no_longer_than_dynamodb_takes(library: Caller) -> None:
    assert library.post("/books/b/pages", json={"page": "x" * 1019}).status == 201
    assert_problem(library.get(f"/books/b/pages/{'x' * 1020}"), 404)


def test_conditions_of_a_rule_know_the_text_alone(dynamodb: None) -> None:
    class Third(Permission):
        def where(self, user: Any, method: Any, model: Any) -> Any:
            return model.page == "3"

    pm = PolyMicro()
    type("P", VERBS, {"model": Page, "route": "books/{book}/pages", "permissions": Third})(pm)
    pm.compile()
    said = dict(explain(pm, "GET /books/b/pages", ALICE))
    assert said["key"] == 'pk = "BOOK#b" AND sk = "PAGE#3"'


def test_the_models_are_one_table() -> None:
    (table,) = tables_of([Page, Loan])
    assert [key["AttributeName"] for key in table.properties["KeySchema"]] == ["pk", "sk"]
    assert [index["IndexName"] for index in table.properties["GlobalSecondaryIndexes"]] == ["inverted"]


@pytest.mark.parametrize("operator", ["begins_with", "contains"])
def test_parts_of_a_text_with_a_prefix_cannot_be_asked_for(operator: str) -> None:
    pm = PolyMicro()
    said = {"model": Page, "route": "books/{book}/pages", "permissions": AllowAny}
    type("P", VERBS, {**said, "filters": {"page": (operator,)}})(pm)
    with pytest.raises(ConfigurationError, match=operator):
        pm.compile()


def test_an_item_of_another_kind_is_no_instance() -> None:
    with pytest.raises(ValueError, match="another kind"):
        PrefixedAttribute("PAGE#").deserialize("LOAN#1")


def test_nothing_of_it_is_in_the_way_of_dynamodb(library: Caller, table_name: str) -> None:
    """An item that the other kind's key would name is not there for it."""
    key = {"pk": {"S": "BOOK#b"}, "sk": {"S": "LOAN#alice"}}
    assert dynamodb_call("get_item", TableName=table_name, Key=key)["Item"]["until"] == {"S": "May"}
    assert library.get("/books/b/pages/alice").status == 404


def test_no_resource_is_over_all_kinds() -> None:
    """It would give items of another kind, and make them up: a model without prefixes knows the table's keys."""

    class Row(Model):
        class Meta:
            table_name = Page.Meta.table_name

        pk = UnicodeAttribute(hash_key=True)
        sk = UnicodeAttribute(range_key=True)

    pm = PolyMicro()
    for model, route in ((Page, "pages/{book}"), (Row, "rows/{pk}")):
        said = {"model": model, "route": route, "permissions": AllowAny}
        type(f"{model.__name__}s", (ModelResource, List), said)(pm)
    with pytest.raises(ConfigurationError, match=r"Page and Row share the table .* and none, do not tell"):
        pm.compile()


@pytest.mark.parametrize(
    ("prefix", "works"),
    [("PAGE#DONE#", False), ("PA", False), ("", False), ("PAGES#", True), ("PAGE#", True)],
    ids=["a longer one", "a shorter one", "none", "another", "the same kind twice"],
)
def test_prefixes_tell_kinds_apart(prefix: str, works: bool) -> None:
    class Other(Model):
        class Meta:
            table_name = Page.Meta.table_name

        book = PrefixedAttribute("BOOK#", hash_key=True, attr_name="pk")
        id = PrefixedAttribute(prefix, range_key=True, attr_name="sk")

    pm = PolyMicro()
    for model in (Page, Other):
        said = {"model": model, "route": f"{model.__name__}/{{book}}", "permissions": AllowAny}
        type(f"{model.__name__}s", (ModelResource, List), said)(pm)
    if works:
        pm.compile()
    else:
        with pytest.raises(ConfigurationError, match="Page and Other share the table"):
            pm.compile()
