"""Random lists over several partitions against brute force, page after page, while items come and go."""

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any, NamedTuple

import pytest
from contract import ALICE, Caller, create_table, dynamodb_call
from pynamodb.attributes import BinaryAttribute, BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection, LocalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda import AllowAny, ComposedAttribute, List, ModelResource, PolyMicro

Item = dict[str, Any]
"""An item as it goes out: binary is base64url."""


class Access(NamedTuple):
    """A way to read a model: a partition to name values of, and the order that it gives."""

    partition: str
    sort: str | None
    fixed: str | None = None
    """An attribute that the request binds as well."""


class Subject(NamedTuple):
    """A model whose lists are asked for, and what its items are made of."""

    model: type[Model]
    values: Mapping[str, list[Any]]
    """Attribute -> the values that items have, in DynamoDB's order; None for an item without it."""
    accesses: list[Access]
    stored: Callable[[Item], Item]
    """An item as DynamoDB keeps it."""


# --- the models: a function for each, so that every test has a table of its own ------------------------------

TEAMS = ["a", "ab", "b", "é", "\U0001f600"]
TEXTS = ["a", "a!", "a~", "b", "b" * 1024, "\ue000", "\U0001f600"]
NUMBERS = [-1e125, -1.5, 0, 1e-130, 1, 2, 10, 9.5e125]
BLOBS = [b"\x00", b"a", b"a\x00", b"a\xff", b"\xff" * 1024]
TYPES = {str: "S", int: "N", float: "N", bytes: "B", bool: "BOOL"}


def raw(item: Item) -> Item:
    kept = {name: value for name, value in item.items() if value is not None}
    return {n: {TYPES[type(v)]: repr(v) if TYPES[type(v)] == "N" else v} for n, v in kept.items()}


def posts() -> Subject:
    """A global index by text and number, another without a sort key."""

    class ByTeam(GlobalSecondaryIndex[Any]):
        class Meta:
            index_name = "by_team"
            projection = AllProjection()

        team = UnicodeAttribute(hash_key=True)
        rank = NumberAttribute(range_key=True)

    class ByKind(GlobalSecondaryIndex[Any]):
        class Meta:
            index_name = "by_kind"
            projection = AllProjection()

        kind = NumberAttribute(hash_key=True)

    class Post(Model):
        class Meta:
            table_name = ""

        id = UnicodeAttribute(hash_key=True)
        team = UnicodeAttribute()
        rank = NumberAttribute()
        kind = NumberAttribute()
        flag = BooleanAttribute(null=True)
        by_team, by_kind = ByTeam(), ByKind()

    values = {"team": TEAMS, "rank": NUMBERS, "kind": NUMBERS, "flag": [None, True, False]}
    return Subject(Post, values, [Access("team", "rank"), Access("kind", None)], raw)


def notes() -> Subject:
    """A table with a sort key, a local index, and a global one of keys alone whose sort key may be null."""

    class ByRank(LocalSecondaryIndex[Any]):
        class Meta:
            index_name = "by_rank"
            projection = AllProjection()

        team = UnicodeAttribute(hash_key=True)
        rank = NumberAttribute(range_key=True)

    class ByKind(GlobalSecondaryIndex[Any]):
        class Meta:
            index_name = "by_kind"
            projection = KeysOnlyProjection()

        kind = UnicodeAttribute(hash_key=True)
        title = UnicodeAttribute(range_key=True)

    class Note(Model):
        class Meta:
            table_name = ""

        team = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)
        rank = NumberAttribute()
        kind = UnicodeAttribute(null=True)
        title = UnicodeAttribute(null=True)
        flag = BooleanAttribute(null=True)
        by_rank, by_kind = ByRank(), ByKind()

    values = {
        "team": TEAMS,
        "rank": NUMBERS,
        "kind": [*TEAMS, None],
        "title": [*TEXTS, None],
        "flag": [None, True, False],
    }
    accesses = [Access("team", "id"), Access("team", "rank"), Access("kind", "title")]
    return Subject(Note, values, accesses, raw)


def files() -> Subject:
    """An index by binary."""

    class ByHash(GlobalSecondaryIndex[Any]):
        class Meta:
            index_name = "by_hash"
            projection = AllProjection()

        rank = NumberAttribute(hash_key=True)
        digest = BinaryAttribute(range_key=True, legacy_encoding=False)

    class File(Model):
        class Meta:
            table_name = ""

        id = UnicodeAttribute(hash_key=True)
        rank = NumberAttribute()
        digest = BinaryAttribute(legacy_encoding=False)
        flag = BooleanAttribute(null=True)
        by_hash = ByHash()

    values = {"rank": NUMBERS, "digest": BLOBS, "flag": [None, True, False]}
    return Subject(File, values, [Access("rank", "digest")], raw)


def jobs() -> Subject:
    """Two indexes whose keys are made of other attributes: a partition, and a sort key."""

    class ByState(GlobalSecondaryIndex[Any]):
        class Meta:
            index_name = "by_state"
            projection = AllProjection()

        team_status = ComposedAttribute("{team}#{status}", hash_key=True)
        rank = NumberAttribute(range_key=True)

    class ByTeam(GlobalSecondaryIndex[Any]):
        class Meta:
            index_name = "by_team"
            projection = KeysOnlyProjection()

        team = UnicodeAttribute(hash_key=True)
        status_title = ComposedAttribute("{status}#{title}", range_key=True)

    class Job(Model):
        class Meta:
            table_name = ""

        id = UnicodeAttribute(hash_key=True)
        team = UnicodeAttribute()
        status = UnicodeAttribute()
        title = UnicodeAttribute()
        rank = NumberAttribute()
        flag = BooleanAttribute(null=True)
        team_status = ComposedAttribute("{team}#{status}")
        status_title = ComposedAttribute("{status}#{title}")
        by_state, by_team = ByState(), ByTeam()

    def stored(item: Item) -> Item:
        keys = {
            "team_status": f"{item['team']}#{item['status']}",
            "status_title": f"{item['status']}#{item['title']}",
        }
        return raw({**item, **keys})

    values = {
        "team": TEAMS,
        "status": ["done", "open", "open!"],
        "title": [one for one in TEXTS if len(one) < 1024],
        "rank": NUMBERS,
        "flag": [None, True, False],
    }
    accesses = [Access("team", "rank", "status"), Access("team", "title", "status")]
    return Subject(Job, values, accesses, stored)


SUBJECTS: list[Callable[[], Subject]] = [posts, notes, files, jobs]
"""The models: a row for a new one."""


# --- a list, and what brute force says of it ------------------------------------------------------------------


class Asked(NamedTuple):
    """A random list."""

    query: dict[str, Any]
    holds: Callable[[Item], bool]
    sort: str | None
    backward: bool

    def place(self, item: Item) -> Any:
        return item[str(self.sort)]


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "gt": lambda value, said: value > said,
    "gte": lambda value, said: value >= said,
    "lt": lambda value, said: value < said,
    "lte": lambda value, said: value <= said,
    "eq": lambda value, said: value == said,
}


def asked(subject: Subject, dice: Random) -> Asked:
    """A list of some partitions, perhaps sorted, within bounds of the sort key, of some flags."""
    access = dice.choice(subject.accesses)
    partitions = [one for one in subject.values[access.partition] if one is not None]
    some = [dice.choice(partitions) for _ in range(dice.randint(1, 8))]
    tests = [(access.partition, lambda value: value in some)]
    query: dict[str, Any] = {
        f"{access.partition}__in": [text(one) for one in some],
        "limit": dice.randint(1, 9),
    }
    if access.fixed is not None:
        value = dice.choice(subject.values[access.fixed])
        query[access.fixed] = text(value)
        tests.append((access.fixed, lambda one: one == value))
    lacks = None in subject.values.get(str(access.sort), ())
    sorts = access.sort is not None and (lacks or dice.random() < 0.7)
    backward = sorts and dice.random() < 0.5
    if sorts:
        query["sort"] = f"{'-' * backward}{access.sort}"
        tests.append((str(access.sort), lambda value: value is not None))
    bounds = subject.values.get(str(access.sort), ())
    for operator in dice.sample(sorted(OPERATORS), dice.choice([0, 0, 1, 2])) if bounds else ():
        bound = dice.choice([one for one in bounds if one is not None])
        query[f"{access.sort}__{operator}"] = text(bound)
        tests.append((str(access.sort), test(operator, bound)))
    if dice.random() < 0.3:
        query["flag"] = "true"
        tests.append(("flag", lambda value: value is True))
    holds = lambda item: all(holds_on(item.get(name)) for name, holds_on in tests)  # noqa: E731
    return Asked(query, holds, access.sort if sorts else None, backward)


def test(operator: str, bound: Any) -> Callable[[Any], bool]:
    return lambda value: value is not None and OPERATORS[operator](value, bound)


test.__test__ = False  # type: ignore[attr-defined]


def text(value: Any) -> str:
    if isinstance(value, bytes):
        from base64 import urlsafe_b64encode

        return urlsafe_b64encode(value).decode().rstrip("=")
    return value if isinstance(value, str) else repr(value)


class Table:
    """The items of a subject, here and in DynamoDB."""

    def __init__(self, subject: Subject, dice: Random, count: int) -> None:
        self.subject, self.dice = subject, dice
        self.items: dict[str, Item] = {}
        self.number = 0
        for _ in range(count):
            self.add()

    def add(self) -> Item:
        self.number += 1
        values = {name: self.dice.choice(some) for name, some in self.subject.values.items()}
        # Random names, so that new items come before old ones as well.
        item = {"id": f"{self.dice.randrange(10**6):06}-{self.number}", **values}
        name = str(self.subject.model.Meta.table_name)
        dynamodb_call("put_item", TableName=name, Item=self.subject.stored(item))
        self.items[item["id"]] = item
        return item

    def remove(self, identity: str) -> Item:
        item = self.items.pop(identity)
        keys = [
            one.attr_name
            for one in self.subject.model.get_attributes().values()
            if one.is_hash_key or one.is_range_key
        ]
        stored = self.subject.stored(item)
        name = str(self.subject.model.Meta.table_name)
        dynamodb_call("delete_item", TableName=name, Key={key: stored[key] for key in keys})
        return item


def served(subject: Subject) -> Caller:
    filters: dict[str, Any] = {"flag": "eq"}
    for access in subject.accesses:
        filters[access.partition] = ("in",)
        filters |= {} if access.fixed is None else {access.fixed: "eq"}
        if access.sort is not None:
            filters[access.sort] = tuple(OPERATORS)
    pm = PolyMicro(cursor_secret="secret")
    said = {"model": subject.model, "route": "things", "permissions": AllowAny, "filters": filters}
    type("Things", (ModelResource, List), said)(pm)
    return Caller(pm.compile(), user=ALICE)


def pages(client: Caller, query: dict[str, Any]) -> Iterator[list[Item]]:
    key: dict[str, Any] = {}
    for _ in range(1000):
        result = client.get("/things", query={**query, **key})
        assert result.status == 200, (query, result.json)
        yield result.json["items"]
        key = {"pagination_key": result.json["pagination_key"]}
        if key["pagination_key"] is None:
            return
    raise AssertionError(f"{query} comes to no end")


def walk(client: Caller, table: Table, one: Asked, writes: float) -> None:
    """Read a list to its end, with writes between its pages, and compare it with what brute force gives."""
    dice = table.dice
    there = {name: item for name, item in table.items.items() if one.holds(item)}
    surely, perhaps = set(there), set[str]()
    given: list[str] = []
    last: Any = None
    for number, items in enumerate(pages(client, one.query)):
        # A list that grows by more than a page from page to page would come to no end.
        writes *= number < 20
        names = [item["id"] for item in items]
        assert set(names) <= surely | perhaps, one.query
        given += names
        surely -= set(names)
        perhaps -= set(names)
        there = {**there, **{name: table.items[name] for name in names}}
        last = one.place(there[names[-1]]) if names and one.sort else last
        while dice.random() < writes:
            behind(table.add(), one, last, begun=bool(given), surely=surely, perhaps=perhaps)
        if dice.random() < writes and len(table.items) > 60:
            gone = dice.choice([*(names[-1:] or []), *dice.sample(sorted(table.items), 2)])
            if gone in table.items:
                table.remove(gone)
                surely.discard(gone)
                perhaps.discard(gone)
    assert not surely, (one.query, surely)
    assert len(given) == len(set(given)), one.query
    if one.sort:
        places = [one.place(there[name]) for name in given]
        assert places == sorted(places, reverse=one.backward), one.query


def behind(item: Item, one: Asked, last: Any, *, begun: bool, surely: set[str], perhaps: set[str]) -> None:
    """Note of a new item whether the rest of the list must have it, may, or must not."""
    if not one.holds(item):
        return
    if one.sort is None or (begun and one.place(item) == last):
        perhaps.add(item["id"])
    elif not begun or (one.place(item) < last if one.backward else one.place(item) > last):
        # Where DynamoDB filters, the cursor may stand after items that it has read and left out.
        (surely if begun and "flag" not in one.query else perhaps).add(item["id"])


def run(make: Callable[[], Subject], name: str, seed: int, count: int) -> None:
    subject, dice = make(), Random(seed)
    create_table(subject.model, name)
    client, table = served(subject), Table(subject, dice, 60)
    for _ in range(count):
        for name in dice.sample(sorted(table.items), len(table.items) - 60):
            table.remove(name)
        walk(client, table, asked(subject, dice), dice.choice([0, 0.3, 0.6]))


@pytest.mark.parametrize("make", SUBJECTS)
def test_lists_are_as_brute_force_has_them(dynamodb: None, table_name: str, make: Any) -> None:
    run(make, table_name, 1, 12)


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(2, 6))
@pytest.mark.parametrize("make", SUBJECTS)
def test_500_lists_are_as_brute_force_has_them(dynamodb: None, table_name: str, make: Any, seed: int) -> None:
    run(make, table_name, seed, 32)
