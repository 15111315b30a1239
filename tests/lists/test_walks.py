"""Whole walks, page after page: every item once, in order, whatever is written meanwhile; and as Python has it."""

import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from contract import ALICE, Caller, create_table, dynamodb_call, resolved
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection, LocalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda import AllowAny, List, ModelResource, PolyMicro

pytestmark = pytest.mark.thorough


class ByRank(LocalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_rank"
        projection = AllProjection()

    owner = UnicodeAttribute(hash_key=True, attr_name="o")
    rank = NumberAttribute(range_key=True, attr_name="r")


class ByColor(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_color"
        projection = KeysOnlyProjection()

    color = UnicodeAttribute(hash_key=True, attr_name="c")
    rank = NumberAttribute(range_key=True, attr_name="r")


class Thing(Model):
    class Meta:
        table_name = ""

    owner = UnicodeAttribute(hash_key=True, attr_name="o")
    id = UnicodeAttribute(range_key=True, attr_name="i")
    color = UnicodeAttribute(attr_name="c")
    rank = NumberAttribute(attr_name="r")
    flag = BooleanAttribute(null=True, attr_name="f")

    by_rank = ByRank()
    by_color = ByColor()


FILTERS = {
    "owner": ("eq",),
    "id": ("eq", "gt", "gte", "lt", "lte", "between", "begins_with", "in", "ne"),
    "color": ("eq", "ne", "in"),
    "rank": ("eq", "gt", "gte", "lt", "lte", "between", "in"),
    "flag": ("eq", "ne", "exists"),
}


@pytest.fixture
def client(dynamodb: None, table_name: str) -> Caller:
    create_table(Thing, table_name)
    pm = PolyMicro(cursor_secret="secret")
    declared = {"model": Thing, "route": "things", "permissions": AllowAny, "filters": FILTERS, "scan": True}
    type("Things", (ModelResource, List), declared)(pm)
    return Caller(pm.compile(), user=ALICE)


Item = dict[str, Any]


def thing(identity: str, rank: float, *, owner: str = "ann", color: str = "red", flag: Any = None) -> Item:
    """A thing as DynamoDB keeps it."""
    flagged = {} if flag is None else {"f": {"BOOL": flag}}
    return {
        "o": {"S": owner},
        "i": {"S": identity},
        "c": {"S": color},
        "r": {"N": str(rank)},
        **flagged,
    }


def write(puts: list[Item], deletes: list[Item] = []) -> None:  # noqa: B006 - it is only read
    requests: list[dict[str, Any]] = [{"PutRequest": {"Item": item}} for item in puts]
    requests += [{"DeleteRequest": {"Key": {"o": item["o"], "i": item["i"]}}} for item in deletes]
    for start in range(0, len(requests), 25):
        table = str(Thing.Meta.table_name)
        dynamodb_call("batch_write_item", RequestItems={table: requests[start : start + 25]})


def pages(client: Caller, query: str, between: Callable[[], Any] = lambda: None) -> Iterator[list[Any]]:
    """The items of each page of a walk by its links; ``between`` acts after each page."""
    path = f"/things?{query}"
    while path:
        result = client.get(path)
        assert result.status == 200, result.json
        yield result.json["items"]
        between()
        path = resolved(result, path, "link") if "link" in result.headers else ""


# --- while others write -------------------------------------------------------------------------------------

COUNT = 1000
PATHS = {
    "table": "owner=ann&sort={}id",
    "table, filtered": "owner=ann&sort={}id&flag__ne=true&color=red",
    "LSI": "owner=ann&sort={}rank",
    "GSI": "color=red&sort={}rank",
}


@pytest.mark.parametrize("direction", ["", "-"], ids=["forward", "backward"])
@pytest.mark.parametrize("query", PATHS.values(), ids=PATHS)
def test_a_walk_while_others_write(client: Caller, query: str, direction: str) -> None:
    """Between any two pages things come and go, the one after which the next page starts among them.

    Each that was there all along is given once, in order; what came or went is given once at most. Ranks come
    in threes: within one the order is DynamoDB's own.
    """
    dice = random.Random(8)
    things = [thing(f"{number:05}", number // 3) for number in range(0, COUNT * 2, 2)]
    write(things)
    fleeting = {item["i"]["S"]: item for item in things if dice.random() < 0.2}
    staying = {item["i"]["S"] for item in things} - set(fleeting)
    given: list[Any] = []

    def between() -> None:
        last = given[-1]["id"] if given else ""
        gone = [fleeting.pop(last)] if last in fleeting else []
        gone += [fleeting.pop(name) for name in dice.sample(sorted(fleeting), min(2, len(fleeting)))]
        odd = dice.sample(range(1, COUNT * 2, 2), 3)
        write([thing(f"{number:05}", number // 3) for number in odd], gone)

    for items in pages(client, f"limit=50&{query.format(direction)}", between):
        given += items
    names = [item["id"] for item in given]
    assert len(names) == len(set(names))
    assert staying <= set(names)
    orders = [item["id" if "sort={}id" in query else "rank"] for item in given]
    assert orders == sorted(orders, reverse=direction == "-")


# --- as Python has it ---------------------------------------------------------------------------------------

IDS = [f"{letter}{number}" for letter in "ab" for number in range(4)]
COLORS, RANKS, FLAGS = ["red", "blue"], [-1.5, 0, 2, 10], [None, True, False]
TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, said: value == said,
    "ne": lambda value, said: value != said,
    "gt": lambda value, said: value > said,
    "gte": lambda value, said: value >= said,
    "lt": lambda value, said: value < said,
    "lte": lambda value, said: value <= said,
    "between": lambda value, said: said[0] <= value <= said[1],
    "in": lambda value, said: value in said,
    "begins_with": lambda value, said: value.startswith(said),
    "exists": lambda value, said: (value is not None) is said,
}
"""What each operator says of a value; those of order are of attributes that every thing has."""


def operand(values: list[Any], operator: str) -> st.SearchStrategy[Any]:
    one = st.sampled_from(values)
    of = {
        "between": st.tuples(one, one).map(sorted),
        "in": st.lists(one, min_size=1, max_size=3),
        "begins_with": st.sampled_from(["", "a", "b", "a1"]),
        "exists": st.booleans(),
    }
    return of.get(operator, one)


VALUES: dict[str, list[Any]] = {"id": IDS, "color": COLORS, "rank": RANKS, "flag": [True, False]}
said = st.sampled_from([(name, op) for name in VALUES for op in FILTERS[name]]).flatmap(
    lambda pair: st.tuples(st.just(pair), operand(VALUES[pair[0]], pair[1]))
)
things_of = st.builds(
    thing, st.sampled_from(IDS), st.sampled_from(RANKS), owner=st.sampled_from(["ann", "bob"]),
    color=st.sampled_from(COLORS), flag=st.sampled_from(FLAGS),
)  # fmt: skip


def text(value: Any) -> str:
    return ",".join(map(text, value)) if isinstance(value, list) else str(value).lower()


def shown(item: Item) -> Item:
    """A thing as it goes out."""
    return {
        "owner": item["o"]["S"],
        "id": item["i"]["S"],
        "color": item["c"]["S"],
        "rank": float(item["r"]["N"]),
        "flag": item.get("f", {}).get("BOOL"),
    }


KEYED = {("color", "eq"), ("color", "in")}
"""The filters that name partitions of the index."""
SECONDS = 15.0
"""After so long the examples that remain are let go."""


def test_every_walk_is_what_python_would_say(client: Caller) -> None:
    """Random things, filters, order and page size: the walk has what each filter lets pass, in that order."""
    stored: dict[tuple[str, str], Item] = {}
    started, judged = time.monotonic(), 0

    @settings(
        max_examples=300,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        things=st.lists(things_of, max_size=12),
        filters=st.lists(said, max_size=3),
        owner=st.sampled_from([None, "ann", "ann"]),
        sort=st.sampled_from([None, "id", "-id", "rank", "-rank"]),
        limit=st.sampled_from([1, 2, 3, 25]),
    )
    def check(
        things: list[Item], filters: list[Any], owner: str | None, sort: str | None, limit: int
    ) -> None:
        nonlocal judged
        if time.monotonic() - started > SECONDS:
            return
        wanted = {(item["o"]["S"], item["i"]["S"]): item for item in things}
        changed = [item for key, item in wanted.items() if stored.get(key) != item]
        write(changed, [item for key, item in stored.items() if key not in wanted])
        stored.clear()
        stored.update(wanted)
        asked = dict(filters) | ({("owner", "eq"): owner} if owner else {})
        query = "&".join(f"{name}__{operator}={text(value)}" for (name, operator), value in asked.items())
        path = f"limit={limit}&{query}" + (f"&sort={sort}" if sort else "")
        equal = {
            name for (name, op), value in asked.items() if op == "eq" or (op == "in" and len({*value}) == 1)
        }
        served = (
            owner
            or (not asked.keys().isdisjoint(KEYED) and sort in (None, "rank", "-rank"))
            or (sort is None or sort.removeprefix("-") in equal)
        )
        if not served:
            assert client.get(f"/things?{path}").status == 400
            return
        found = [item for page in pages(client, path) for item in page]
        expected = [
            item
            for item in map(shown, wanted.values())
            if all(TESTS[operator](item[name], value) for (name, operator), value in asked.items())
        ]
        assert sorted(found, key=repr) == sorted(expected, key=repr), path
        if sort:
            order = [item[sort.removeprefix("-")] for item in found]
            assert order == sorted(order, reverse=sort.startswith("-")), path
        judged += 1

    check()
    assert judged > 20
