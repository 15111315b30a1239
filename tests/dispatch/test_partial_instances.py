"""Instances that lack attributes are read again before the rule, a filter or an answer sees them."""

from collections import deque
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import pytest
from contract import ALICE, Caller, counted, create_tables, dynamodb_call, names
from pynamodb.attributes import (
    BooleanAttribute,
    DiscriminatorAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection, KeysOnlyProjection
from pynamodb.models import Model

from polymicro_lambda import (
    IsAuthenticated,
    List,
    ModelResource,
    Permission,
    PolyMicro,
    Retrieve,
    Update,
    action,
    trusted,
)

OPEN = {"id": "open", "kind": "k", "text": "milk", "hidden": False, "rank": None, "more": None}


class ByKind(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_kind"
        projection = KeysOnlyProjection()

    kind = UnicodeAttribute(hash_key=True)


class ByText(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_text"
        projection = IncludeProjection(["kind"])

    text = UnicodeAttribute(hash_key=True)


class Page(Model):
    class Meta:
        pass

    id = UnicodeAttribute(hash_key=True)
    kind = UnicodeAttribute(default="k")
    text = UnicodeAttribute(null=True)
    hidden = BooleanAttribute(null=True)
    rank = NumberAttribute(null=True)
    more: Any = MapAttribute(null=True)
    by_kind = ByKind()
    by_text = ByText()


class Where(Permission):
    def where(self, user: Any, method: str, model: Any) -> Any:
        return model.hidden != True  # noqa: E712 - a condition


class Opaque(Permission):
    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return not instance.hidden


RULES = {"where": Where, "opaque": Opaque}
every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
Make = Callable[..., Caller]


@pytest.fixture
def page(dynamodb: None, table_name: str) -> Any:
    """The model of a table with an item for all, ``open``, and one that the rule hides, ``secret``."""
    fresh: Any = type("Fresh", (Page,), {"Meta": type("Meta", (), {"table_name": table_name})})
    fresh.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    fresh("open", text="milk", hidden=False).save()
    fresh("secret", text="milk", hidden=True).save()
    return fresh


@pytest.fixture
def make(page: Any) -> Make:
    """Makes a client of ``/pages``, whose action ``given`` returns what ``give()`` does."""

    def made(rule: Any, give: Callable[[], Any] = lambda: None, *verbs: type, **members: Any) -> Caller:
        def given(self: Any) -> Any:
            return give()

        body = {"model": page, "route": "pages", "permissions": rule}
        body["given"] = action(detail=False, methods=("GET",))(given)
        type("Pages", (*verbs, ModelResource, Retrieve), body | members)(pm := PolyMicro())
        client = Caller(pm.compile(), user=ALICE)
        create_tables(pm)
        return client

    return made


READS: dict[str, Callable[[Any], Any]] = {
    "keys only": lambda page: page.by_kind.query("k"),
    "some": lambda page: page.by_text.query("milk"),
    "a scan of an index": lambda page: page.by_text.scan(),
    "attributes of a query": lambda page: page.query("secret", attributes_to_get=["id", "text"]),
    "attributes of a scan": lambda page: page.scan(attributes_to_get=["id"]),
    "attributes of a batch": lambda page: page.batch_get(["open", "secret"], attributes_to_get=["id"]),
}
FORMS: dict[str, Callable[[Any], Any]] = {
    "as it is": lambda rows: rows,
    "a list": list,
    "a tuple": tuple,
    "a generator": lambda rows: (one for one in rows),
    "sorted": lambda rows: sorted(rows, key=lambda one: one.id),
    "a deque": deque,
}


@every_rule
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_collections(page: Any, make: Make, rule: Any, read: Any, form: Any) -> None:
    def listed(self: Any, limit: int = 25) -> Any:
        return form(read(page))

    shown = [] if read is READS["attributes of a query"] else [OPEN]
    # A query that the framework reads by itself reads all at once, where its index has all.
    at_once = form is FORMS["as it is"] and read in (
        READS["attributes of a query"],
        READS["attributes of a scan"],
    )
    again = [] if at_once else ["BatchGetItem"]
    client = make(rule, lambda: form(read(page)), List, list=listed)
    with counted() as calls:
        assert client.get("/pages/given").json == shown
    assert names(calls)[1:] == again
    with counted() as calls:
        assert client.get("/pages").json["items"] == shown
    assert names(calls)[1:] == again


class Pair(NamedTuple):
    left: Any
    right: Any


NESTED: dict[str, Callable[[list[Any]], Any]] = {
    "a dict": lambda found: {"of": {"open": found[0], "secret": found[1]}},
    "a list": lambda found: {"of": found},
    "a tuple": lambda found: {"of": tuple(found)},
    "a named tuple": lambda found: {"of": Pair(*found)},
    "a set": lambda found: {"of": set(found)},
    "a generator": lambda found: {"of": (one for one in found)},
    "generators": lambda found: {"of": (iter([one]) for one in found)},
    "dicts in a list": lambda found: [{"of": [one]} for one in found],
}


@every_rule
@pytest.mark.parametrize("form", NESTED.values(), ids=NESTED)
def test_inside_of_other_json(page: Any, make: Make, rule: Any, form: Any) -> None:
    """The whole one, and null for the hidden one, in any order."""

    def found() -> Any:
        return form(sorted(page.by_kind.query("k"), key=lambda one: one.id))

    client = make(rule, found)
    with counted() as calls:
        text = client.get("/pages/given").text
    assert (
        text.count('"text":"milk"'),
        text.count("null") - 2,
        "secret" in text.replace('"secret":null', ""),
    ) == (
        1,
        1,
        False,
    )
    assert names(calls) in (["Query", "BatchGetItem"], ["Query", "BatchGetItem", "BatchGetItem"])
    assert len(calls) == 2 or form is NESTED["generators"]


@every_rule
@pytest.mark.parametrize("attributes", [["id"], ["text"], ["id", "text"]], ids=",".join)
def test_alone(page: Any, make: Make, rule: Any, attributes: list[str]) -> None:
    """Also without its key, as a call for one item says it."""
    client = make(rule, lambda: page.get(*asked, attributes_to_get=attributes))
    asked = ["open"]
    with counted() as calls:
        assert client.get("/pages/given").json == OPEN
    assert names(calls) == ["GetItem", "GetItem"]
    asked = ["secret"]
    hidden = client.get("/pages/given")
    assert (hidden.status, hidden.body) == (404, client.get("/pages/nothing").body)


@every_rule
def test_gone_meanwhile(page: Any, make: Make, rule: Any, table_name: str) -> None:
    found: list[Any] = []

    def give() -> Any:
        found[:] = [one for one in page.by_text.query("milk") if one.id == "open"]
        dynamodb_call("delete_item", TableName=table_name, Key={"id": {"S": "open"}})
        return forms.pop(0)()

    forms: list[Any] = [lambda: found[0], lambda: found, lambda: {"of": found}]
    client = make(rule, give)
    answers = []
    for _ in range(3):
        page("open", text="milk", hidden=False).save()
        result = client.get("/pages/given")
        answers.append((result.status, result.json if result.status == 200 else None))
    assert answers == [(404, None), (200, []), (200, {"of": [None]})]


@pytest.mark.parametrize(
    ("rule", "alone"), [(IsAuthenticated, 500), (Opaque, 404)], ids=["certain", "opaque"]
)
def test_one_that_cannot_be_read_whole(
    page: Any, make: Make, rule: Any, alone: int, table_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    broken = {"id": {"S": "broken"}, "kind": {"S": "b"}, "hidden": {"S": "no boolean"}}
    dynamodb_call("put_item", TableName=table_name, Item=broken)
    forms: list[Any] = [lambda one: one, lambda one: [one], lambda one: {"of": one}]
    client = make(rule, lambda: forms.pop(0)(next(page.by_kind.query("b"))))
    assert client.get("/pages/given").status == alone
    assert [client.get("/pages/given").json for _ in range(2)] == [[], {"of": None}]
    assert caplog.text.count("cannot be read") >= 2


def test_whole_ones_cost_nothing(page: Any, make: Make) -> None:
    """And one that is written or refreshed after it was read is whole."""

    def give() -> Any:
        refreshed = page.get("open", attributes_to_get=["id", "text"])
        refreshed.refresh()
        updated = next(page.by_kind.query("k"))
        updated.update(actions=[page.rank.set(1)])
        return [*page.scan(), refreshed, {"of": updated}]

    client = make(IsAuthenticated, give)
    with counted() as calls:
        assert client.get("/pages/given").status == 200
    assert names(calls) == ["GetItem", "GetItem", "Query", "UpdateItem", "Scan"]


@every_rule
def test_trusted_ones_are_whole_too(page: Any, make: Make, rule: Any) -> None:
    secret = {**OPEN, "id": "secret", "hidden": True}
    client = make(rule, lambda: give())

    def several() -> Any:
        return [trusted(one) for one in page.by_kind.query("k") if one.id == "secret"]

    give: Callable[[], Any] = several
    assert client.get("/pages/given").json == [secret]
    give = lambda: several()[0]  # noqa: E731
    assert client.get("/pages/given").json == secret
    give = lambda: {"of": several()}  # noqa: E731
    assert client.get("/pages/given").json == {"of": [secret]}


def test_more_than_one_call_holds(page: Any, make: Make) -> None:
    """And an item that stands there twice is asked for once."""
    with page.batch_write() as batch:
        for number in range(101):
            batch.save(page(f"{number:03}", kind="many", text="x"))

    def give() -> Any:
        found = list(page.by_kind.query("many"))
        return [*found, found[0]]

    client = make(IsAuthenticated, lambda: give())
    for wrap in (lambda value: value, lambda value: {"of": value}):
        client = make(IsAuthenticated, lambda wrap=wrap: wrap(give()))
        with counted() as calls:
            found = client.get("/pages/given").json
        rows = found if isinstance(found, list) else found["of"]
        assert ([one["text"] for one in rows], rows[0]) == (["x"] * 102, rows[-1])
        assert names(calls) == ["Query", "BatchGetItem", "BatchGetItem"]


def test_without_keys(page: Any, make: Make, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody can read it again: nothing of it goes out, and the log says what to do."""
    client = make(IsAuthenticated, lambda: list(page.scan(attributes_to_get=["text"])))
    assert client.get("/pages/given").status == 500
    assert "Fresh instances whose projection leaves out the keys: id" in caplog.text


# --- what the verb does with them before


def test_what_a_verb_sets_of_one(page: Any, make: Make) -> None:
    """It is shown as set, saved or not, in place or not; what the index lacks is still filled in."""
    page("open", text="milk", hidden=False, rank=3, more={"phone": "1"}).save()

    def give() -> Any:
        [one] = page.query("open", attributes_to_get=["id", "more", "text"])
        one.text, one.more["phone"], one.note = None, "x", "kept"
        one.kind = "other"
        return [one]

    def represent(self: Any, data: Any, instance: Any, request: Any) -> Any:
        return {**data, "note": instance.note}

    client = make(IsAuthenticated, give, represent=represent)
    shown = {**OPEN, "text": None, "kind": "other", "rank": 3, "more": {"phone": "x"}, "note": "kept"}
    assert client.get("/pages/given").json == [shown]


@every_rule
def test_one_that_is_saved(page: Any, make: Make, rule: Any) -> None:
    """It is judged as it is now, by what the save has made of the item: it wipes what the index lacks."""

    def give() -> Any:
        for one in page.by_kind.query("k"):
            one.hidden = one.id == "open"
            one.save()
            yield one

    assert make(rule, give).get("/pages/given").json == [{**OPEN, "id": "secret", "text": None}]


def test_one_that_is_saved_under_another_key(page: Any, make: Make) -> None:
    def give() -> Any:
        one = next(page.by_text.query("milk"))
        one.id = "copy"
        one.save()
        return one

    assert make(IsAuthenticated, give).get("/pages/given").json == {**OPEN, "id": "copy", "hidden": None}


class Editor(Update):
    def update(self, instance: Any, req: dict[str, Any], user: Any) -> Any:
        [same] = [one for one in type(instance).by_kind.query("k") if one.id == instance.id]
        return super().update(same, req, user)


@every_rule
def test_one_that_is_written(make: Make, rule: Any) -> None:
    """What it lacks is not taken for absent."""
    client = make(rule, lambda: None, Editor, unique=(("text", "rank"),))
    assert client.patch("/pages/open", json={"rank": 2}).json == {**OPEN, "rank": 2}
    assert client.patch("/pages/secret", json={"rank": 2}).status == 404


# --- what else sees them


def test_filters_and_represent(page: Any, make: Make) -> None:
    """Both see whole instances: a filter that the verb has not applied, and the hook."""

    def listed(self: Any) -> Any:
        return list(page.by_kind.query("k"))

    def represent(self: Any, data: Any, instance: Any, request: Any) -> Any:
        return [instance.id, instance.text, data["hidden"]]

    filters = {"hidden": ("eq", "exists"), "text": "eq"}
    client = make(IsAuthenticated, lambda: None, List, list=listed, filters=filters, represent=represent)
    assert client.get("/pages?hidden=true").json["items"] == [["secret", "milk", True]]
    assert client.get("/pages?hidden__exists=false").json["items"] == []
    assert client.get("/pages?text=milk&hidden=false&fields=id,hidden").status == 200


class Narrow(List):
    """Looks at more of the rows than it shows."""

    def list(self, user: Any, limit: int = 25) -> Any:
        return [one for one in super().list(user, limit=limit) if one.text == "milk"]


class Through(List):
    def list(self, user: Any, limit: int = 25) -> Any:
        return super().list(user, limit=limit)


@pytest.mark.parametrize("verb", [Narrow, Through])
def test_fields_leave_nothing_out_for_a_verb_of_the_apps_own(make: Make, verb: type) -> None:
    client = make(Where, lambda: None, verb, filters={"text": "eq"}, scan=True)
    assert client.get("/pages?fields=id&text=milk").json["items"] == [{"id": "open"}]


class Other(Model):
    class Meta:
        pass

    id = UnicodeAttribute(hash_key=True)
    text = UnicodeAttribute(default="guessed")


def test_other_models_are_the_verbs_own(make: Make, table_name: str) -> None:
    Other.Meta.table_name = table_name  # type: ignore[attr-defined]

    def give() -> Any:
        return [*Other.scan(attributes_to_get=["id"]), {"of": Other.get("open", attributes_to_get=["id"])}]

    type("Others", (ModelResource, Retrieve), {"model": Other, "route": "others"})(pm := PolyMicro())
    pm.compile()
    client = make(Where, give)
    with counted() as calls:
        shown = client.get("/pages/given").json
    assert [one["text"] for one in shown[:2]] == [shown[2]["of"]["text"]] * 2 == ["guessed"] * 2
    assert names(calls) == ["Scan", "GetItem"]


# --- kinds of models


class Legacy(Page):
    """Its rows are put right as they are read: the instance is made of another dict."""

    class Meta:
        pass

    @classmethod
    def from_raw_data(cls, raw: Any) -> Any:  # type: ignore[override]
        return super().from_raw_data({"text": {"S": "put right"}, **raw})


class Later(Page):
    class Meta:
        pass


@pytest.mark.parametrize("model", [Legacy, Later])
def test_a_model_of_which_pynamodb_has_read_before(dynamodb: None, table_name: str, model: Any) -> None:
    model.Meta.table_name = table_name
    model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    model("open", text="milk").save()
    model("secret", text="milk", hidden=True).save()
    assert len(list(model.scan())) == 2

    def given(self: Any) -> Any:
        return list(model.by_kind.query("k"))

    body = {"model": model, "route": "pages", "permissions": Where}
    body["given"] = action(detail=False, methods=("GET",))(given)
    type("Pages", (ModelResource, Retrieve), body)(pm := PolyMicro())
    client = Caller(pm.compile(), user=ALICE)
    assert [one["id"] for one in client.get("/pages/given").json] == ["open"]


class Animal(Model):
    class Meta:
        pass

    id = UnicodeAttribute(hash_key=True)
    cls = DiscriminatorAttribute()
    kind = UnicodeAttribute(default="k")
    hidden = BooleanAttribute(null=True)
    by_kind = ByKind()


class Cat(Animal, discriminator="cat"):
    lives = NumberAttribute(default=9)


class Dog(Animal, discriminator="dog"):
    tricks: ClassVar[Any] = UnicodeAttribute(null=True)


@pytest.mark.parametrize("asked", [Animal, Cat])
@pytest.mark.parametrize("served", [Animal, Cat])
@every_rule
def test_kinds(dynamodb: None, table_name: str, served: Any, asked: Any, rule: Any) -> None:
    """What kind an item is of may be what the index lacks."""
    Animal.Meta.table_name = table_name  # type: ignore[attr-defined]
    Animal.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    Cat("tom", lives=7, hidden=False).save()
    Cat("kitty", lives=7, hidden=True).save()

    def given(self: Any) -> Any:
        found = asked.batch_get(["tom", "kitty"], attributes_to_get=["id"])
        return {"of": sorted(found, key=lambda one: one.id)}

    body = {"model": served, "route": "pages", "permissions": rule}
    body["given"] = action(detail=False, methods=("GET",))(given)
    type("Pages", (ModelResource, Retrieve), body)(pm := PolyMicro())
    [kitty, tom] = Caller(pm.compile(), user=ALICE).get("/pages/given").json["of"]
    assert (kitty, tom["id"], tom["hidden"]) == (None, "tom", False)
