"""`prepare`: a hook that loads once what `represent` needs for each item of an answer."""

from typing import Any

import pytest
from contract import ALICE, Caller, counted, create_tables, names
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import AllowAny, Create, List, ModelResource, PolyMicro, Retrieve, Update, action


@pytest.fixture
def client(dynamodb: None, table_name: str) -> Caller:
    class Author(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        name = UnicodeAttribute()

    class Article(Model):
        class Meta:
            pass

        id = UnicodeAttribute(hash_key=True)
        author = UnicodeAttribute()

    Article.Meta.table_name, Author.Meta.table_name = table_name, f"{table_name}a"  # type: ignore[attr-defined]

    class Articles(ModelResource, Create, List, Retrieve, Update):
        model = Article
        route = "articles"
        permissions = AllowAny
        scan = True
        calls = {Author: "BatchGetItem"}  # noqa: RUF012

        def prepare(self, instances: Any, request: Any) -> None:
            wanted = {one.author for one in instances}
            request.state.setdefault("authors", {}).update(
                {one.id: one.name for one in Author.batch_get(wanted)}
            )
            request.state.setdefault("prepared", []).append(len(instances))

        def represent(self, data: Any, instance: Any, request: Any) -> Any:
            return {**data, "author": request.state["authors"].get(instance.author)}

        @action(detail=False, methods=("GET",))
        def some(self, request: Any) -> Any:
            found = [*Article.scan()]
            return found if "list" in request.query else {"first": found[0], "rest": found[1:]}

    pm = PolyMicro()
    Articles(pm)
    client = Caller(pm.compile(), user=ALICE)
    create_tables(pm)
    for number in range(5):
        Author(f"u{number}", name=f"n{number}").save()
        Article(f"a{number}", author=f"u{number}").save()
    return client


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/articles", ["Scan", "BatchGetItem"]),
        ("GET", "/articles?fields=id,author", ["Scan", "BatchGetItem"]),
        ("GET", "/articles/a1", ["GetItem", "BatchGetItem"]),
        ("PATCH", "/articles/a1", ["UpdateItem", "BatchGetItem"]),
        ("GET", "/articles/some?list=1", ["Scan", "BatchGetItem"]),
    ],
)
def test_it_is_called_once_with_all_that_is_shown(
    client: Caller, method: str, path: str, expected: Any
) -> None:
    with counted() as calls:
        result = client.request(method, path, json={"author": "u2"} if method == "PATCH" else None)
    assert names(calls) == expected
    shown = result.json
    shown = shown.get("items", [shown]) if isinstance(shown, dict) else shown
    assert all(one["author"].startswith("n") for one in shown)


def test_inside_of_other_json_it_is_called_too(client: Caller) -> None:
    shown = client.get("/articles/some").json
    assert {shown["first"]["author"], *(one["author"] for one in shown["rest"])} == {
        f"n{n}" for n in range(5)
    }
