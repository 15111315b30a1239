"""Slips that would open a resource in silence are errors when the app compiles."""

from typing import Any

import pytest
from contract import create_table
from pynamodb.attributes import DiscriminatorAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, LocalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda import (
    AllowAny,
    ConfigurationError,
    Create,
    HasPermission,
    Idempotency,
    InGroup,
    List,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    PrefixedAttribute,
    Retrieve,
    User,
    action,
)
from polymicro_lambda.testing import Client


class Doc(Model):
    class Meta:
        table_name = "docs"

    owner = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute(range_key=True)


def compiled(**members: Any) -> PolyMicro:
    said = {"model": Doc, "route": "docs", "permissions": (OwnedBy("owner"),), **members}
    pm = PolyMicro()
    type("DocResource", (ModelResource, Create, List, Retrieve), said)(pm)
    pm.compile()
    return pm


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("permission_classes", "permissions"),
        ("permission", "permissions"),
        ("requires_if_match", "require_if_match"),
        ("serializer_class", "schema"),
        ("filter", "filters"),
        ("put", "update"),
        ("destroy", "delete"),
        ("max_limits", "max_limit"),
        ("requierd", "required"),
        ("read_only_fields", "dump_only"),
        ("get_queryset", "permissions, such as OwnedBy, or override list"),
        ("throttle_classes", "rate_limit"),
        ("perform_create", "create, which may call super()"),
        ("check_object_permissions", "permissions, whose has_object_permission is asked of every item"),
        ("lookup_value_regex", "validators, for what a new item's may be"),
        ("parser_classes", "parsers"),
        ("depth", "embed"),
        ("touched", "touch"),
        ("lookups", "lookup"),
    ],
)
def test_a_name_that_means_nothing_says_what_was_meant(name: str, meant: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        compiled(**{name: ()})
    assert str(raised.value) == f"DocResource.{name} means nothing here: say {meant}"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("check_permissions", "permissions, whose has_permission is asked before every verb"),
        ("filter_queryset", "filters, or override list"),
        ("get", "retrieve, or list"),
        ("options", "nothing: OPTIONS is answered by the routes"),
        ("to_internal_value", "fields or schema"),
        ("to_representation", "represent"),
        ("validate", "clean"),
        ("validate_name", 'validators = {"name": …}'),
    ],
)
def test_a_method_of_a_viewset_or_serializer_is_no_hook(name: str, meant: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        compiled(**{name: lambda self, value: value})
    assert str(raised.value) == f"DocResource.{name} means nothing here: say {meant}"


def test_names_of_ones_own_are_free() -> None:
    compiled(validate_isbn=lambda self, text: text, touched=lambda self: True)
    compiled(limit_per_day=7, clock=lambda self: 0, notify=lambda self: None, _filter=())


@pytest.mark.parametrize(
    ("method", "function"),
    [
        ("has_permission", lambda self, user: True),
        ("has_object_permission", lambda self, user, instance: True),
        ("where", lambda self, user, model: True),
    ],
)
def test_a_permission_takes_what_it_is_asked_with(method: str, function: Any) -> None:
    rule = type("Mine", (Permission,), {method: function})
    with pytest.raises(ConfigurationError, match=rf"^DocResource\.permissions: Mine\.{method} must take"):
        compiled(permissions=(OwnedBy("owner"), rule))


@pytest.mark.parametrize(
    "returned",
    [(Doc.owner == "alice",), Doc.owner, "alice", 1, ()],
    ids=["one comma too many", "attribute", "text", "number", "empty tuple"],
)
def test_a_where_that_returns_no_condition_opens_nothing(
    returned: Any, caplog: pytest.LogCaptureFixture
) -> None:
    rule = type("Mine", (Permission,), {"where": lambda self, user, method, model: returned})
    result = Client(compiled(permissions=(OwnedBy("owner"), rule)), user=User("bob")).get("/docs")
    assert result.status == 500
    assert "Mine.where returned a" in str(caplog.records[-1].exc_info)


def test_filters_say_operators() -> None:
    with pytest.raises(ConfigurationError, match=r"^DocResource\.filters must say operators"):
        compiled(filters=("name",))


def test_an_action_may_go_without_brackets() -> None:
    @action
    def publish(self: Any, instance: Any) -> Any:
        return instance

    assert [r.template for r in compiled(publish=publish).routes if r.verb == "publish"] == [
        "/docs/{name}/publish"
    ]


@pytest.mark.parametrize(
    ("argument", "rest"),
    [
        ("permission_classes", ": say permissions"),
        ("url_path", ": say path"),
        ("throttle", ""),
    ],
)
def test_an_argument_of_an_action_that_means_nothing(argument: str, rest: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        action(**{argument: ()})
    assert str(raised.value).startswith(f"action({argument}=…) means nothing here{rest}")


def test_a_class_is_no_resource_of_an_app() -> None:
    pm = PolyMicro()
    pm.register(type("DocResource", (ModelResource, Create), {"model": Doc, "route": "docs"}))
    with pytest.raises(ConfigurationError, match=r"^DocResource is a class: write DocResource\(pm\)"):
        pm.compile()


def model(**members: Any) -> type[Model]:
    meta = type("Meta", (), {"table_name": "docs"})
    return type("Shelf", (Model,), {"Meta": meta, **members})


class ByRank(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_rank"
        projection = AllProjection()

    rank = NumberAttribute(hash_key=True, attr_name="r")


def test_a_model_has_a_partition_key() -> None:
    sorted_alone = model(name=UnicodeAttribute(range_key=True))
    with pytest.raises(
        ConfigurationError, match=r"^DocResource\.model: Shelf has no attribute with hash_key"
    ):
        compiled(model=sorted_alone, permissions=AllowAny)


def test_a_model_has_a_table_whatever_else_the_app_has() -> None:
    pm = PolyMicro(idempotency=Idempotency())
    nameless = type("Shelf", (Model,), {"name": UnicodeAttribute(hash_key=True)})
    type("ShelfResource", (ModelResource, Create), {"model": nameless, "route": "shelves"})(pm)
    with pytest.raises(ConfigurationError, match=r"^Shelf\.Meta\.table_name is missing$"):
        pm.compile()


@pytest.mark.parametrize("rank", [UnicodeAttribute(attr_name="r"), NumberAttribute(attr_name="r")], ids=type)
def test_the_key_of_an_index_is_of_the_attributes_type(rank: Any) -> None:
    """DynamoDB would refuse each item that has the attribute."""
    shelf = model(name=UnicodeAttribute(hash_key=True), by_rank=ByRank(), rank=rank)
    resource = {"model": shelf, "permissions": AllowAny, "scan": True}
    if not isinstance(rank, UnicodeAttribute):
        assert compiled(**resource).routes
        return
    with pytest.raises(ConfigurationError) as raised:
        compiled(**resource)
    assert str(raised.value) == (
        "Shelf.by_rank: r is a NumberAttribute in the index, a UnicodeAttribute in the model: DynamoDB would refuse"
        " the items"
    )


def test_the_key_of_an_index_is_an_attribute_of_some_kind_of_item_in_the_table() -> None:
    shelf = model(name=PrefixedAttribute("SHELF#", hash_key=True), by_rank=ByRank())
    resource = {"model": shelf, "permissions": AllowAny, "scan": True}
    with pytest.raises(ConfigurationError) as raised:
        compiled(**resource)
    assert str(raised.value) == (
        "Shelf.by_rank: the model has no attribute 'r', so that no item would be in the index"
    )
    book = model(name=PrefixedAttribute("BOOK#", hash_key=True), rank=NumberAttribute(attr_name="r"))
    assert compiled(**resource, calls={book: "GetItem"}).routes


class Local(LocalSecondaryIndex[Any]):
    class Meta:
        index_name = "local"
        projection = AllProjection()

    name = UnicodeAttribute(hash_key=True)
    rank = NumberAttribute(range_key=True)


class LocalOfRank(Local):
    class Meta:
        index_name = "local"
        projection = AllProjection()

    name = UnicodeAttribute()
    rank = NumberAttribute(hash_key=True)


class LocalWithoutRange(Local):
    class Meta:
        index_name = "local"
        projection = AllProjection()

    rank = NumberAttribute()


@pytest.mark.parametrize(
    ("index", "attributes", "said"),
    [
        (Local, {}, None),
        (
            LocalOfRank,
            {},
            "a LocalSecondaryIndex has the hash key of its table, name: make it a GlobalSecondaryIndex",
        ),
        (LocalWithoutRange, {}, "a LocalSecondaryIndex and its table have a range key each"),
        (Local, {"page": NumberAttribute()}, "a LocalSecondaryIndex and its table have a range key each"),
    ],
)
def test_a_local_index_is_of_a_partition_of_its_table(index: Any, attributes: Any, said: str | None) -> None:
    members = {
        "name": UnicodeAttribute(hash_key=True),
        "page": NumberAttribute(range_key=True),
        "rank": NumberAttribute(),
        "local": index(),
        **attributes,
    }
    resource = {"model": model(**members), "permissions": AllowAny, "scan": True}
    if said is None:
        assert compiled(**resource).routes
        return
    with pytest.raises(ConfigurationError) as raised:
        compiled(**resource)
    assert str(raised.value) == f"Shelf.local: {said}"


@pytest.mark.parametrize("name", ["ab", "a" * 256, "by rank", "größe"])
def test_tables_and_indexes_have_names_that_dynamodb_takes(name: str) -> None:
    said = f"{name!r} is no name for it: DynamoDB takes 3 to 255 letters, digits, _, . and -"
    shelf = model(name=UnicodeAttribute(hash_key=True))
    shelf.Meta.table_name = name
    if name == "ab":  # the stack's name or a prefix makes it longer
        assert compiled(model=shelf, permissions=AllowAny, scan=True).routes
    else:
        with pytest.raises(ConfigurationError) as raised:
            compiled(model=shelf, permissions=AllowAny, scan=True)
        assert str(raised.value) == f"Shelf.Meta.table_name: {said}"
    meta = type("Meta", (), {"index_name": name, "projection": AllProjection()})
    members = {"Meta": meta, "rank": NumberAttribute(hash_key=True)}
    index = type("ByName", (GlobalSecondaryIndex,), members)()
    shelf = model(name=UnicodeAttribute(hash_key=True), rank=NumberAttribute(), by_name=index)
    with pytest.raises(ConfigurationError) as raised:
        compiled(model=shelf, permissions=AllowAny, scan=True)
    assert str(raised.value) == f"Shelf.by_name.Meta.index_name: {said}"


@pytest.mark.parametrize(
    "joined",
    [
        lambda: OwnedBy("owner") or AllowAny(),
        lambda: AllowAny and OwnedBy("owner"),
        lambda: not OwnedBy("owner"),
        lambda: (OwnedBy("owner") & AllowAny) and AllowAny,
    ],
    ids=["or", "and of a class", "not", "and of a composition"],
)
def test_permissions_are_not_joined_by_words(joined: Any) -> None:
    """Python would give one of the two, and forget the other."""
    with pytest.raises(ConfigurationError, match=r"^Permissions are joined by &, \| and ~"):
        joined()


@pytest.mark.parametrize("permission", [OwnedBy, HasPermission, InGroup])
def test_a_permission_is_made_with_a_name(permission: Any) -> None:
    with pytest.raises(ConfigurationError, match=r" takes one name, as a text, not a UnicodeAttribute$"):
        permission(Doc.owner)


class Misspelt(Permission):
    def has_perm(self, user: User, method: str) -> bool:
        return False


class Everybody(Permission):
    anonymous = True


@pytest.mark.parametrize("rule", [Misspelt, OwnedBy("owner") & Misspelt(), ~Misspelt()], ids=str)
def test_a_permission_that_answers_nothing_is_none(rule: Any) -> None:
    """It would be true for every user."""
    expected = (
        r"^DocResource\.permissions: Misspelt has none of has_permission, where and has_object_permission"
    )
    with pytest.raises(ConfigurationError, match=expected):
        compiled(permissions=rule)


def test_a_permission_for_nobody_in_particular_need_not_answer() -> None:
    compiled(permissions=OwnedBy("owner") & Everybody())


class Animal(Model):
    class Meta:
        table_name = "animals"

    id = UnicodeAttribute(hash_key=True)
    kind = DiscriminatorAttribute()


class Cat(Animal, discriminator="cat"):
    pass


class Lion(Cat, discriminator="lion"):
    pass


def test_a_kind_that_create_cannot_say() -> None:
    """A base without a value of its own can be read, and created by a verb of one's own."""
    said = {"model": Animal, "permissions": AllowAny, "scan": True}
    with pytest.raises(ConfigurationError) as caught:
        compiled(**said)
    assert str(caught.value).startswith(
        "DocResource: Create cannot make items of Animal, which has no discriminator value"
    )
    compiled(create=lambda self, req: Lion("1"), **said)
    pm = PolyMicro()
    type("Animals", (ModelResource, List, Retrieve), {"route": "animals", **said})(pm)
    pm.compile()


def test_create_makes_the_kind_of_its_model(dynamodb: None, table_name: str) -> None:
    """A base that has a value makes its own kind."""
    create_table(Animal, table_name)
    Cat.Meta.table_name = table_name
    pm = PolyMicro(cursor_secret="s")
    type("Cats", (ModelResource, Create), {"model": Cat, "route": "cats", "permissions": AllowAny})(pm)
    type(
        "Animals", (ModelResource, Retrieve), {"model": Animal, "route": "animals", "permissions": AllowAny}
    )(pm)
    client = Client(pm.compile())
    assert client.post("/cats", json={"id": "1"}).json == {"id": "1", "kind": "cat"}
    assert client.get("/animals/1").json == {"id": "1", "kind": "cat"}
