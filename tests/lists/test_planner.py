"""The planner: from conditions and order to the cheapest access path, or to what is missing."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from pynamodb.attributes import (
    DiscriminatorAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, Value
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection, LocalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda.dynamodb.attributes import PrefixedAttribute
from polymicro_lambda.exceptions import BadRequest
from polymicro_lambda.items.stored_items import live_conditions
from polymicro_lambda.lists.planning.access_paths import AccessPath
from polymicro_lambda.lists.planning.planner import Planner
from polymicro_lambda.lists.planning.plans import ListQuery, Plan, plan_list
from polymicro_lambda.lists.planning.refused_lists import UnservedOrder
from polymicro_lambda.permissions import AllowAny
from polymicro_lambda.rules.context import Method, RuleContext
from polymicro_lambda.rules.guard_context import guarded
from polymicro_lambda.rules.guards import Guard
from polymicro_lambda.rules.verdicts import ConditionCheck, OpaqueCheck, TextEquals

TABLE = AccessPath(None, "o", "i", frozenset("oi"))
LSI = AccessPath("lsi", "o", "r", frozenset("oir"))
SPARSE = AccessPath("sparse", "o", "d", frozenset("oid"), sparse=True)
THIN = AccessPath("thin", "o", "t", frozenset("oit"), frozenset("oit"))
GSI = AccessPath("gsi", "c", "r", frozenset("oicr"), is_global=True)
LONE = AccessPath("lone", "c", None, frozenset("oic"), is_global=True)
KEYS = AccessPath("keys", "s", "d", frozenset("oisd"), frozenset("oisd"), is_global=True, sparse=True)
PATHS = (TABLE, LSI, SPARSE, THIN, GSI, LONE, KEYS)

o, i, r, d, t, c, s, x, y = (Path([name]) for name in "oirdtcsxy")
ann = o == "ann"


def planned(*conditions: Condition, paths: Sequence[AccessPath] = PATHS, **wish: Any) -> Plan:
    return plan_list(paths, ListQuery(conditions, **wish))


def texts(conditions: Sequence[Condition]) -> list[str]:
    return [str(condition) for condition in conditions]


@pytest.mark.parametrize(
    ("conditions", "wish", "index"),
    [
        pytest.param([ann], {}, None, id="partition"),
        pytest.param([ann, i == "1"], {}, None, id="both keys"),
        pytest.param([ann, r > 1], {}, "lsi", id="sort key of an LSI"),
        pytest.param([ann, r > 1, i > "1"], {}, None, id="two ranges: the table"),
        pytest.param([ann, r == 1, i > "1"], {}, "lsi", id="one value before a range"),
        pytest.param([ann, r == 1, i == "1"], {}, None, id="two values: the table"),
        pytest.param([ann, c == "red"], {}, None, id="local before global"),
        pytest.param([ann, c == "red", r == 1], {}, "lsi", id="local before global, one value"),
        pytest.param([c == "red"], {}, "gsi", id="GSI"),
        pytest.param([c == "red", r.between(1, 2)], {}, "gsi", id="GSI by its sort key"),
        pytest.param([ann & (c == "red") & (r > 1)], {}, "lsi", id="one condition of several"),
        pytest.param([Value("ann") == o], {}, None, id="the other way round"),
        pytest.param([ann], {"sort": "r"}, "lsi", id="order of an LSI"),
        pytest.param([c == "red"], {"sort": "r"}, "gsi", id="order of a GSI"),
        pytest.param([ann], {"sort": "d"}, "sparse", id="order that an index gives although it is sparse"),
        pytest.param([ann, d > "1"], {}, "sparse", id="sparse, but the list is about its key"),
        pytest.param([ann, r == 1], {"sort": "r"}, "lsi", id="order by what has one value"),
        pytest.param([ann, x == 1], {"sort": "x"}, None, id="order by any attribute that has one value"),
        pytest.param([ann, t > "1"], {}, "thin", id="fewer read before no second read"),
        pytest.param([ann, t > "1"], {"needed": frozenset("x")}, "thin", id="even if it is read again"),
        pytest.param([ann, t > "1", r > 1], {"needed": frozenset("x")}, "lsi", id="else no second read"),
        pytest.param([s == "open"], {"sort": "d"}, "keys", id="order by the key of a sparse index"),
        pytest.param([s == "open", d.exists()], {}, "keys", id="nothing but what is in a sparse index"),
        pytest.param([s == "open", c == "red"], {}, "gsi", id="no sparse index that would lose items"),
        pytest.param([ann], {"scan": True}, None, id="no scan where a query serves"),
    ],
)
def test_the_cheapest_path(conditions: list[Condition], wish: dict[str, Any], index: str | None) -> None:
    found = planned(*conditions, **wish)
    assert (found.path.index, found.partition is None) == (index, False)


both, colors = o.is_in("bob", "ann"), c.is_in("red", "blue", "green")


@pytest.mark.parametrize(
    ("conditions", "wish", "index", "partitions"),
    [
        pytest.param([both], {}, None, ["ann", "bob"], id="in the order of the values"),
        pytest.param([both], {"sort": "i", "forward": False}, None, ["bob", "ann"], id="backwards"),
        pytest.param([both], {"sort": "r"}, "lsi", ["ann", "bob"], id="the order asked for"),
        pytest.param([colors], {}, "gsi", ["blue", "green", "red"], id="GSI"),
        pytest.param([both, colors], {}, None, ["ann", "bob"], id="fewer queries"),
        pytest.param([both, colors], {"sort": "r"}, "lsi", ["ann", "bob"], id="fewer queries in the order"),
        pytest.param([both, c == "red"], {}, "gsi", [], id="one query before several"),
        pytest.param([both], {"scan": True}, None, ["ann", "bob"], id="several before a scan"),
        pytest.param([colors, c.is_in("red", "black", "blue")], {}, "gsi", ["blue", "red"], id="in both"),
        pytest.param([colors, c != "red"], {}, "gsi", ["blue", "green"], id="less those excluded"),
        pytest.param([both, o > "ann"], {}, None, [], id="one is left"),
        pytest.param([o.is_in("ann", "ann")], {}, None, [], id="one, twice"),
    ],
)
def test_several_partitions(
    conditions: list[Condition], wish: dict[str, Any], index: str | None, partitions: list[str]
) -> None:
    """Nothing that all of them meet is asked again, and one of them is a query as by ``==``."""
    found = planned(*conditions, **wish)
    assert (found.path.index, [one["S"] for one in found.partitions]) == (index, partitions)
    assert (found.partition is None, found.is_scan, found.empty) == (bool(partitions), False, False)
    assert found.checks == ()


@pytest.mark.parametrize(
    "conditions", [[both, o > "x"], [o.is_in("", "x" * 2049)], [o.is_in()], [both, o.startswith("c")]]
)
def test_no_value_of_a_partition_is_left(conditions: list[Condition]) -> None:
    assert planned(*conditions).empty


@pytest.mark.parametrize(
    ("conditions", "wish", "in_turn"),
    [
        ([both], {}, False),
        ([both], {"sort": "o"}, True),
        ([both, i == "1"], {}, True),
        ([both, i > "1"], {}, False),
        ([o == "ann"], {"sort": "o"}, False),
    ],
)
def test_partitions_are_merged_where_they_give_an_order(
    conditions: list[Condition], wish: dict[str, Any], in_turn: bool
) -> None:
    assert planned(*conditions, paths=[TABLE], **wish).in_turn is in_turn


ONE, TWO, THREE = ({"S": number} for number in "123")


@pytest.mark.parametrize(
    ("conditions", "key", "checks"),
    [
        pytest.param([], None, [], id="none"),
        pytest.param([i == "1"], i == "1", [], id="value"),
        pytest.param([i > "1"], i > "1", [], id="one bound"),
        pytest.param([i <= "1"], i <= "1", [], id="one bound, upper"),
        pytest.param([i.between("1", "2")], i.between("1", "2"), [], id="range"),
        pytest.param([i.startswith("1")], i.startswith("1"), [], id="prefix"),
        pytest.param([i >= "1", i <= "2"], i.between("1", "2"), [], id="closed bounds"),
        pytest.param([i > "1", i <= "2"], i.between("1", "2"), [i > "1"], id="half-open below"),
        pytest.param([i < "2", i >= "1"], i.between("1", "2"), [i < "2"], id="half-open above"),
        pytest.param([i > "1", i < "2"], i.between("1", "2"), [i > "1", i < "2"], id="open"),
        pytest.param([i > "1", i >= "2", i < "3"], i.between("1", "3"), [i > "1", i >= "2", i < "3"], id="three"),
        pytest.param([i > "1", i >= "2"], i > "1", [i >= "2"], id="two lower"),
        pytest.param([i > "1", i == "2"], i == "2", [i > "1"], id="value and bound"),
        pytest.param([i > "1", i.between("1", "3")], i.between("1", "3"), [i > "1"], id="range and bound"),
        pytest.param([i != "1"], None, [i != "1"], id="no order"),
        pytest.param([i.is_in("1", "2")], None, [i.is_in("1", "2")], id="values"),
        pytest.param([i.exists()], None, [i.exists()], id="there"),
        pytest.param([(i > "1") | (x == 1)], None, [(i > "1") | (x == 1)], id="alternatives with a key"),
        pytest.param([~(i > "1")], None, [~(i > "1")], id="negated"),
        pytest.param([i > ""], None, [i > ""], id="an empty bound is none that DynamoDB takes"),
        pytest.param([i < "x" * 1025], None, [i < "x" * 1025], id="nor a long one"),
        pytest.param([o.startswith("a")], None, [], id="of the partition key, which has one value"),
    ],
)  # fmt: skip
def test_a_query_holds_one_condition_for_the_sort_key(
    conditions: list[Condition], key: Condition | None, checks: list[Condition]
) -> None:
    """What it cannot say of key attributes no filter may say either: it is checked on what was read."""
    found = planned(ann, *conditions, paths=[TABLE])
    assert (str(found.key_condition), texts(found.checks), found.filters) == (str(key), texts(checks), ())
    assert not found.empty


def test_what_is_left_to_filter() -> None:
    """By DynamoDB where the index has it, else on the item read again, with all that may have changed."""
    whole = planned(ann, x == 1, (x == 1) | (y == 2), r > 1, paths=[TABLE])
    assert (texts(whole.filters), whole.checks) == (texts([x == 1, (x == 1) | (y == 2), r > 1]), ())
    conditions = [s == "open", o == "ann", x == 1]
    thin = planned(*conditions, paths=[KEYS], sort="d")
    assert (texts(thin.filters), texts(thin.checks)) == (texts([o == "ann"]), texts(conditions))
    assert thin.completes


@pytest.mark.parametrize(
    ("path", "wish", "projection", "completes"),
    [
        (TABLE, {}, None, False),
        (TABLE, {"needed": frozenset("x")}, None, False),
        (TABLE, {"needed": frozenset("x"), "projects": True}, "oix", False),
        (LSI, {"needed": frozenset("x"), "projects": True}, "oirx", False),
        (THIN, {"needed": frozenset("t"), "projects": True}, "oit", False),
        (THIN, {"needed": frozenset("tx"), "projects": True}, None, True),
        (THIN, {"needed": frozenset("tx")}, None, True),
    ],
    ids=["table", "table, one", "table, projected", "LSI", "thin", "thin lacks one", "thin, whole"],
)
def test_what_is_read(
    path: AccessPath, wish: dict[str, Any], projection: str | None, completes: bool
) -> None:
    """A projection always has the keys, for the cursor; what an index lacks is read from the table, whole."""
    found = planned(ann, paths=[path], **wish)
    expected = None if projection is None else frozenset(projection)
    assert (found.projection, found.completes) == (expected, completes)


def test_a_projection_has_what_is_checked_here() -> None:
    found = planned(ann, (i > "1") | (y == 2), paths=[TABLE], needed=frozenset("x"), projects=True)
    assert found.projection == frozenset("oixy")


@pytest.mark.parametrize(
    ("conditions", "empty"),
    [
        pytest.param([ann, o == "bob"], True, id="partition"),
        pytest.param([ann, o.is_in("bob", "eve")], True, id="partition among others"),
        pytest.param([ann, o == "ann"], False, id="twice the same"),
        pytest.param([ann, i == "1", i == "2"], True, id="sort key"),
        pytest.param([ann, i == "1", i > "1"], True, id="value and bound"),
        pytest.param([ann, i > "2", i < "1"], True, id="bounds"),
        pytest.param([ann, i >= "1", i <= "1"], False, id="bounds that meet"),
        pytest.param([ann, x == 1, x == 2], True, id="no key"),
        pytest.param([ann, x == 1, x == 1.0], False, id="one number, written twice"),
        pytest.param([ann, x == 1, (x == 2) | (y == 1)], False, id="alternatives"),
        pytest.param([ann, x == 1, y == 2, (x == 2) | (y == 1)], True, id="alternatives, both excluded"),
        pytest.param([o == ""], True, id="what no partition key can be"),
        pytest.param([o == "x" * 2049], True, id="what is too long for one"),
        pytest.param([o == "x" * 2048], False, id="what is just not"),
    ],
)
def test_what_excludes_itself(conditions: list[Condition], empty: bool) -> None:
    assert planned(*conditions).empty is empty


@pytest.mark.parametrize("wish", [{}, {"sort": "x"}], ids=["unsorted", "sorted by what has one value"])
def test_a_scan(wish: dict[str, Any]) -> None:
    """Its filter may name keys too."""
    conditions = [i > "1", x == 1]
    found = planned(*conditions, scan=True, needed=frozenset("y"), projects=True, **wish)
    assert found == Plan(TABLE, None, filters=tuple(found.filters), projection=frozenset("oiy"))
    assert texts(found.filters) == texts(conditions)


def test_a_scan_in_place_of_an_index_that_lacks_items() -> None:
    found = planned(s == "open", scan=True)
    assert found == Plan(TABLE, None, filters=tuple(found.filters), passed_over=(KEYS,))
    assert texts(found.filters) == texts([s == "open"])


NAMES = {"o": "owner", "i": "id", "c": "color", "r": "rank", "s": "status", "x": "text"}
SAY = "No index serves this list: say which color or owner or status by a filter."
LACKING = "No index has all of this list: sort it by d or filter on that."
BY_TEXT = "An index with partition key text would serve this list."


@pytest.mark.parametrize(
    ("conditions", "wish", "detail", "notes"),
    [
        pytest.param([], {}, SAY, [], id="nothing"),
        pytest.param([x == "1"], {}, SAY, [BY_TEXT], id="no key"),
        pytest.param([x == "1"], {"sort": "r"}, SAY, [BY_TEXT], id="order too"),
        pytest.param([], {"scan": True, "sort": "r"}, SAY, [], id="a scan has no order"),
        pytest.param(
            [s == "open"], {}, LACKING, ["The indexes lack items without d."], id="items in an index",
        ),
        pytest.param(
            [s == "open", d != "1"], {}, LACKING, ["The indexes lack items without d."], id="a filter"
        ),
        pytest.param(
            [ann], {"sort": "x"}, "The list cannot be sorted by text.",
            ["An index with partition key owner and sort key text would have this order."], id="order",
        ),
        pytest.param(
            [ann, c == "red"], {"sort": "x"}, "The list cannot be sorted by text.",
            ["An index with partition key color or owner and sort key text would have this order."],
            id="order, two partitions",
        ),
    ],
)  # fmt: skip
def test_what_is_missing(
    conditions: list[Condition], wish: dict[str, Any], detail: str, notes: list[str]
) -> None:
    with pytest.raises(BadRequest) as caught:
        planned(*conditions, names=NAMES, **wish)
    assert (caught.value.detail, getattr(caught.value, "__notes__", [])) == (detail, notes)
    assert isinstance(caught.value, UnservedOrder) is detail.startswith("The list")


# --- of a resource ------------------------------------------------------------------------------------------


class ByRank(LocalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_rank"
        projection = AllProjection()

    owner = UnicodeAttribute(hash_key=True, attr_name="o")
    rank = NumberAttribute(range_key=True, attr_name="r")


class ByDue(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_due"
        projection = KeysOnlyProjection()

    owner = UnicodeAttribute(hash_key=True, attr_name="o")
    due = UTCDateTimeAttribute(range_key=True, attr_name="d")


class Thing(Model):
    class Meta:
        table_name = "things"

    owner = UnicodeAttribute(hash_key=True, attr_name="o")
    id = UnicodeAttribute(range_key=True, attr_name="i")
    rank = NumberAttribute(attr_name="r")
    due = UTCDateTimeAttribute(null=True, attr_name="d")
    ends = TTLAttribute(null=True, attr_name="e")

    by_rank = ByRank()
    by_due = ByDue()


planner = Planner.of(Thing, scan=False, whole=False)
DAY = datetime(2026, 1, 1, tzinfo=UTC)


def ask(filters: Any, sort: Any = None, *, by: Planner = planner, **guard: Any) -> Plan:
    with guarded(Guard(**{"bound": {"owner": "ann"}, "fields": frozenset({"id"})} | guard)):
        return by.plan(filters, sort)


def test_filters_and_order_by_python_names() -> None:
    found = ask({"due": {"gte": DAY}, "rank": {"between": [1, 2.5]}}, "-rank")
    assert (found.path.index, found.partition, found.forward) == ("by_rank", {"S": "ann"}, False)
    assert str(found.key_condition) == str(r.between(Value({"N": "1"}), Value({"N": "2.5"})))
    assert str(found.filters[0]) == str(d >= "2026-01-01T00:00:00.000000+0000")
    assert found.projection == frozenset("oire")


@pytest.mark.parametrize(
    "guard",
    [
        pytest.param({}, id="when it ends"),
        pytest.param({"fields": None}, id="all fields"),
        pytest.param({"verdict": ConditionCheck(Thing.rank > 1)}, id="what the rule reads"),
    ],
)
def test_what_an_index_lacks_is_read_again(guard: dict[str, Any]) -> None:
    assert ask({}, "due", **guard).completes


@pytest.mark.parametrize(
    ("guard", "whole", "projection"),
    [
        pytest.param({}, False, frozenset("oie"), id="the fields alone"),
        pytest.param({"fields": None}, False, None, id="all fields"),
        pytest.param({}, True, None, id="a hook sees the item"),
        pytest.param(
            {"verdict": ConditionCheck(Thing.rank > 1), "fields": frozenset()},
            False,
            frozenset("oire"),
            id="where",
        ),
        pytest.param(
            {"verdict": OpaqueCheck(AllowAny(), RuleContext(None, Method("list", "GET"), Thing), negated=False)},
            False,
            None,
            id="opaque",
        ),
    ],
)  # fmt: skip
def test_what_of_an_item_is_read(guard: dict[str, Any], whole: bool, projection: Any) -> None:
    by = Planner.of(Thing, scan=False, whole=whole)
    assert ask({}, by=by, **guard).projection == projection


@pytest.mark.parametrize("sort", ["o", "nope", "--id", ""])
def test_an_order_by_no_attribute(sort: str) -> None:
    with pytest.raises(BadRequest) as caught:
        ask({}, sort)
    detail = "sort must be an attribute, or one with - before it for the other way."
    assert caught.value.errors == ({"parameter": "sort", "detail": detail},)


@pytest.mark.parametrize(
    ("names", "indexes"),
    [
        (["owner", "rank"], {"by_due", "by_rank", None}),
        (["id", "rank"], set()),
        ([], set()),
        (None, {"by_due", "by_rank", None}),
    ],
    ids=["the partition", "other attributes", "nothing", "unknown"],
)
def test_what_a_request_can_reach(names: list[str] | None, indexes: set[str | None]) -> None:
    assert {path.index for path in planner.usable(names)} == indexes


def test_a_rule_is_part_of_the_plan() -> None:
    """Its condition is filtered by, once where route or owner say the same."""
    found = ask({}, verdict=ConditionCheck((Thing.owner == "ann") & (Thing.rank > 1)))
    assert (found.path.index, found.partition, str(found.key_condition)) == (
        "by_rank",
        {"S": "ann"},
        str(r > 1),
    )
    assert len(found.filters) == 1  # that it is live
    other = ask({}, verdict=ConditionCheck(Thing.owner == "bob"))
    assert other.empty


@pytest.mark.parametrize(
    ("filterable", "detail"),
    [
        ((), "."),
        (("owner", "rank"), ": say which owner by a filter."),
    ],
    ids=["no filter", "a filter"],
)
def test_what_nothing_binds_is_said_by_its_python_name(filterable: Sequence[str], detail: str) -> None:
    with pytest.raises(BadRequest) as caught:
        ask({}, bound={}, by=Planner.of(Thing, scan=False, whole=False, filterable=filterable))
    assert caught.value.detail == f"No index serves this list{detail}"


def test_a_resource_may_scan() -> None:
    found = ask({"rank": {"eq": 1}}, bound={}, by=Planner.of(Thing, scan=True, whole=False))
    assert (found.partition, found.path.index, texts(found.filters)) == (
        None,
        None,
        texts([r == 1, *live_conditions(Thing)]),
    )


@pytest.mark.parametrize("sort", [None, "rank", "-rank"])
def test_the_order(sort: str | None) -> None:
    assert ask({}, sort).forward is (sort != "-rank")


def test_fields_that_are_no_attributes_are_not_read() -> None:
    """A schema may make them of others."""
    assert ask({}, fields=frozenset({"rank", "made_up"})).projection == frozenset("oire")


class Lasting(Model):
    class Meta:
        table_name = "lasting"

    owner = UnicodeAttribute(hash_key=True, attr_name="o")
    id = UnicodeAttribute(range_key=True, attr_name="i")
    rank = NumberAttribute(attr_name="r")
    due = UTCDateTimeAttribute(null=True, attr_name="d")

    by_due = ByDue()


def test_an_index_that_has_all_is_not_read_again() -> None:
    by = Planner.of(Lasting, scan=False, whole=False)
    assert not ask({}, "due", by=by).completes
    assert ask({}, "due", by=by, verdict=ConditionCheck(Lasting.rank > 1)).completes
    assert ask({}, "due", by=by, fields=frozenset({"rank"})).completes


class Task(Model):
    class Meta:
        table_name = "shared"

    owner = UnicodeAttribute(hash_key=True)
    id = PrefixedAttribute("TASK#", range_key=True, attr_name="sk")


def test_items_of_other_kinds_are_not_read() -> None:
    found = ask({}, by=Planner.of(Task, scan=False, whole=True), fields=None)
    assert str(found.key_condition) == str(Path(["sk"]).startswith("TASK#"))


class Kinds(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "kinds"
        projection = KeysOnlyProjection()

    kind = UnicodeAttribute(hash_key=True)


class Animal(Model):
    class Meta:
        table_name = "animals"

    name = UnicodeAttribute(hash_key=True)
    kind = DiscriminatorAttribute()
    kinds = Kinds()


class Dog(Animal, discriminator="dog"):
    breed = UnicodeAttribute(default="mutt")


def test_an_item_is_read_whole_for_its_own_kind() -> None:
    """The index has all of an Animal, but not a dog's breed: never its default."""
    assert ask({"kind": {"eq": Dog}}, by=Planner.of(Animal, scan=False, whole=True), bound={}).completes


# --- the straight way: all of one partition, which takes no search ------------------------------------------


def told(found: Plan) -> tuple[Any, ...]:
    """A plan to compare: conditions cannot be."""
    conditions = texts(found.filters), texts(found.checks), str(found.key_condition)
    return found.path, found.partition, conditions, found.forward, found.completes, found.empty


def no_search(*_: Any) -> Plan:
    raise AssertionError("searched")


def own(text: str) -> dict[str, Any]:
    """That the rule says whose, by a text, and nothing else does."""
    return {"verdict": TextEquals("o", {"S": text}), "bound": {}}


STRAIGHT = [
    pytest.param({}, id="bound"),
    pytest.param(own("ann"), id="rule"),
    pytest.param(own("ann") | {"bound": {"owner": "ann"}}, id="rule, bound"),
    pytest.param({"verdict": ConditionCheck(Path(["o"]) == "ann")}, id="condition, bound"),
    pytest.param({"bound": {"owner": ""}}, id="bound to what is no key"),
    pytest.param({"bound": {"owner": "x" * 2049}}, id="bound to what is too long"),
    pytest.param({"bound": {"owner": "x" * 2048}}, id="bound to what is just not"),
    pytest.param(own(""), id="rule, no key"),
    pytest.param(own("x" * 2049), id="rule, too long"),
    pytest.param(own("x" * 2048), id="rule, just not"),
]
ROUND = [
    pytest.param(Lasting, {"bound": {}}, id="nothing said"),
    pytest.param(Lasting, {"bound": {"rank": 1}}, id="no text"),
    pytest.param(Lasting, {"bound": {"id": "1"}}, id="no partition"),
    pytest.param(Lasting, {"bound": {"owner": "ann", "id": "1"}}, id="both keys"),
    pytest.param(Lasting, {"verdict": TextEquals("i", {"S": "1"}), "bound": {}}, id="rule about another"),
    pytest.param(Lasting, own("ann") | {"bound": {"owner": "bob"}}, id="rule against route"),
    pytest.param(Lasting, own("ann") | {"bound": {"id": "1"}}, id="rule and route"),
    pytest.param(Lasting, own("ann") | {"bound": {"id": "ann"}}, id="the same text of another"),
    pytest.param(Lasting, {"verdict": ConditionCheck(Path(["r"]) > 1)}, id="rule beside"),
    pytest.param(Thing, {}, id="it expires"),
    pytest.param(Thing, own("ann"), id="rule, it expires"),
    pytest.param(Task, {}, id="shared table"),
]


def ways(model: type[Model], guard: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The plan for all fields, and for some, which are no straight way, where a hook needs all yet."""
    by = Planner.of(model, scan=True, whole=True)
    return [told(ask({}, by=by, **guard, fields=fields)) for fields in (None, frozenset({"id"}))]


@pytest.mark.parametrize(
    ("model", "guard"), [*(pytest.param(Lasting, *one.values, id=one.id) for one in STRAIGHT), *ROUND]
)
def test_the_straight_way_reads_what_the_long_one_does(model: type[Model], guard: dict[str, Any]) -> None:
    straight, long = ways(model, guard)
    assert straight == long


@pytest.mark.parametrize("guard", STRAIGHT)
def test_a_partition_is_found_without_a_search(
    guard: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the plainest lists wait for none."""
    monkeypatch.setattr("polymicro_lambda.lists.planning.planner.plan_list", no_search)
    assert ask({}, by=Planner.of(Lasting, scan=False, whole=False), **guard, fields=None).path.index is None


@pytest.mark.parametrize("bound", [{}, {"owner": "ann"}], ids=["rule", "rule, bound"])
def test_a_partition_of_a_rule_takes_no_condition(bound: dict[str, Any]) -> None:
    class Unworded(TextEquals):
        @property
        def condition(self) -> Condition:  # type: ignore[override]
            raise AssertionError("worded")

    by = Planner.of(Lasting, scan=False, whole=False)
    found = ask({}, by=by, bound=bound, verdict=Unworded("o", {"S": "ann"}), fields=None)
    assert told(found) == told(Plan(by.paths[0], {"S": "ann"}))


@pytest.mark.parametrize(
    ("filters", "sort", "fields", "expected"),
    [
        pytest.param({"rank": {"gt": 1}}, None, None, (None, True, 1, None), id="filter"),
        pytest.param({}, "-due", None, ("by_due", False, 0, None), id="order"),
        pytest.param({}, None, frozenset({"rank"}), (None, True, 0, frozenset("oir")), id="fields"),
    ],
)
@pytest.mark.parametrize("guard", [{}, own("ann")], ids=["bound", "rule"])
def test_what_is_asked_for_besides_a_partition_is_heard(
    guard: dict[str, Any], filters: Any, sort: str | None, fields: Any, expected: tuple[Any, ...]
) -> None:
    found = ask(filters, sort, by=Planner.of(Lasting, scan=False, whole=False), **guard, fields=fields)
    assert (found.path.index, found.forward, len(found.filters), found.projection) == expected
    assert found.partition == {"S": "ann"}
