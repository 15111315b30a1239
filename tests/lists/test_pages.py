"""What a list verb returned becomes one page: judged row by row, ended exactly, with the key after it."""

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from contract import counted, create_table, dynamodb_call, names
from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.expressions.operand import Path
from pynamodb.models import Model

from polymicro_lambda.dynamodb.result_pages import ReadPage
from polymicro_lambda.exceptions import ConfigurationError, ServiceUnavailable
from polymicro_lambda.items.selections import FieldSelection
from polymicro_lambda.lists.cursors import Page
from polymicro_lambda.lists.pages import PageReader
from polymicro_lambda.lists.reading.rows import CHUNK, PAGE_SECONDS, Rows
from polymicro_lambda.observability.observation import Observation, observed
from polymicro_lambda.permissions import Permission
from polymicro_lambda.rules.context import Method, RuleContext
from polymicro_lambda.rules.guard_context import guarded
from polymicro_lambda.rules.guards import Guard
from polymicro_lambda.rules.verdicts import ConditionCheck, OpaqueCheck, TextEquals
from polymicro_lambda.schemas.fast_path import SWITCH
from polymicro_lambda.types import RawItem


class Thing(Model):
    class Meta:
        table_name = ""

    owner = UnicodeAttribute(hash_key=True, attr_name="o")
    id = NumberAttribute(range_key=True, attr_name="i")
    text = UnicodeAttribute(default="default", attr_name="t")
    ends = TTLAttribute(null=True, attr_name="e")


class Even(Permission):
    def has_object_permission(self, user: Any, method: str, instance: Any) -> bool:
        return bool(instance.id % 2 == 0)


EVEN = Guard(OpaqueCheck(Even(), RuleContext("ann", Method("list", "GET"), Thing), negated=False))
NOT_3 = Path(["i"]) != 3


def raw(number: int, **more: Any) -> RawItem:
    return {"o": {"S": "ann"}, "i": {"N": str(number)}, **more}


def key(number: int) -> Any:
    """The key after a thing."""
    return {"o": {"S": "ann"}, "i": {"N": str(number)}}


def read(*pages: Sequence[int]) -> Iterator[ReadPage]:
    """Pages of things; between two of them DynamoDB's own key is marked by ``last``."""
    for number, page in enumerate(pages, 1):
        last = {"last": {"N": str(number)}} if number < len(pages) else None
        yield ReadPage([raw(one) for one in page], frozenset("oi"), last)


def rows(*pages: Sequence[int], limit: int | None = None, **more: Any) -> Rows:
    return Rows(Thing, read(*pages), limit, **more)


def shown(page: Page) -> tuple[list[int], Any]:
    """The ids of a page's things, and its key."""
    return [thing.id for thing in page.items], page.key


LAST_1, LAST_2 = {"last": {"N": "1"}}, {"last": {"N": "2"}}


@pytest.mark.parametrize(
    ("pages", "size", "ids", "after"),
    [
        pytest.param([[1, 2, 3]], 5, [1, 2, 3], None, id="fewer than asked for"),
        pytest.param([[1, 2, 3]], 3, [1, 2, 3], None, id="all"),
        pytest.param([[1, 2, 3]], 2, [1, 2], key(2), id="mid-page: after the last item given"),
        pytest.param([[1, 2], [3]], 2, [1, 2], LAST_1, id="at a page's end: DynamoDB's own"),
        pytest.param([[1, 2], []], 2, [1, 2], LAST_1, id="whether more follows is not known"),
        pytest.param([[1], [2, 3]], 2, [1, 2], key(2), id="over two pages"),
        pytest.param([[], [1], []], 2, [1], None, id="empty pages"),
        pytest.param([[], [], [1]], 2, [1], None, id="the last page within the budget"),
        pytest.param([[1], [], [], [2]], 2, [1], {"last": {"N": "3"}}, id="the budget spent"),
        pytest.param([[], [], [], [2]], 2, [], {"last": {"N": "3"}}, id="none, and a key"),
        pytest.param([[]], 2, [], None, id="none"),
    ],
)
def test_where_a_page_ends(pages: list[list[int]], size: int, ids: list[int], after: Any) -> None:
    assert shown(rows(*pages).page(size, 3)) == (ids, after)


@pytest.mark.parametrize(
    ("pages", "ids", "after"),
    [
        pytest.param([[1, 2, 3, 4, 5]], [2, 4], key(4), id="the key is of the last row given"),
        pytest.param([[1, 2, 3], [5, 6]], [2, 6], None, id="refilled"),
        pytest.param([[1, 2], [3], [5], [6]], [2], {"last": {"N": "3"}}, id="the budget spent"),
        pytest.param([[1], [3], [5], [6]], [], {"last": {"N": "3"}}, id="nothing seen"),
    ],
)
def test_an_opaque_rule_drops_rows(pages: list[list[int]], ids: list[int], after: Any) -> None:
    with guarded(EVEN):
        assert shown(rows(*pages).page(2, 3)) == (ids, after)


def test_a_rule_that_dynamodb_can_check_is_checked_here_too() -> None:
    with guarded(Guard(ConditionCheck(Path(["i"]) > 1))):
        assert shown(rows([1, 2, 3]).page(5, 3)) == ([2, 3], None)


def test_checks() -> None:
    """Those of the plan, and the filters that the verb did not apply."""
    checks = (Path(["i"]) < 4,)
    assert shown(rows([1, 2, 3, 4], checks=checks).page(2, 3, (NOT_3,))) == ([1, 2], key(2))
    assert shown(rows([1, 2, 3, 4], checks=checks).page(3, 3, (NOT_3,))) == ([1, 2], None)


def test_no_page_after_the_one_that_fills_is_read() -> None:
    def pages() -> Iterator[ReadPage]:
        yield from read([1, 2], [3])
        raise AssertionError

    assert shown(Rows(Thing, pages(), None).page(2, 3)) == ([1, 2], LAST_1)
    assert [thing.id for thing in Rows(Thing, pages(), 3)] == [1, 2, 3]
    assert shown(Rows(Thing, pages(), None).page(9, 2)) == ([1, 2, 3], None)


@pytest.mark.parametrize(("limit", "size", "ids"), [(2, 9, [1, 2]), (9, 2, [1, 2]), (None, 2, [1, 2])])
def test_never_more_than_either_asks_for(limit: int | None, size: int, ids: list[int]) -> None:
    assert shown(rows([1, 2, 3], limit=limit).page(size, 3)) == (ids, key(2))


def test_a_query_that_was_asked_for_nothing_goes_on_where_it_stands() -> None:
    assert rows([1], limit=0, start=key(7)).page(5, 3) == Page((), key(7))


def test_what_a_key_says_besides() -> None:
    signed = {"": {"S": "index"}}
    assert rows([1, 2], signed=signed).page(1, 3).key == key(1) | signed
    assert rows([1], [], signed=signed).page(1, 3).key == LAST_1 | signed
    assert rows([1], signed=signed).page(1, 3).key is None


def time_left(seconds: float) -> observed:
    """A request of which so many seconds are left."""
    seen = Observation()
    seen.seconds_left = lambda: seconds
    return observed(seen)


@pytest.mark.parametrize(("seconds", "ids"), [(PAGE_SECONDS - 0.1, [1]), (PAGE_SECONDS, [1, 2, 3])])
def test_the_time_left(seconds: float, ids: list[int]) -> None:
    """A page has at least what one read gave."""
    with time_left(seconds):
        page = rows([1], [2], [3]).page(9, 9)
    assert shown(page) == (ids, LAST_1 if ids == [1] else None)


def test_the_time_left_within_a_page() -> None:
    """Of a long page what was judged in time goes out; the rest comes next."""
    with time_left(0.0):
        ids, after = shown(rows(range(1, 251)).page(999, 9))
    assert (ids, after) == (list(range(1, CHUNK + 1)), key(CHUNK))


# --- completed from the table -------------------------------------------------------------------------------


def completing(asked: list[int], gone: frozenset[int] = frozenset()) -> Callable[[Sequence[RawItem]], Any]:
    """Completes things but those that are gone, and notes how many it was asked for."""

    def complete(items: Sequence[RawItem], called: Callable[[], None]) -> list[RawItem | None]:
        asked.append(len(items))
        called()
        return [None if int(item["i"]["N"]) in gone else item | {"t": {"S": "whole"}} for item in items]

    return complete


def test_items_are_completed_before_anything_sees_them() -> None:
    asked: list[int] = []
    checks = (Path(["t"]) == "whole",)
    page = rows([1, 2, 3], [4], checks=checks, complete=completing(asked, frozenset({2}))).page(3, 4)
    assert shown(page) == ([1, 3, 4], None)
    assert ({thing.text for thing in page.items}, asked) == ({"whole"}, [3, 1])


def test_no_more_are_completed_than_a_batch_holds_or_the_page_needs() -> None:
    asked: list[int] = []
    with guarded(EVEN):
        page = rows(range(1, 999), complete=completing(asked)).page(60, 3)
    assert (shown(page)[0][-1], page.key, asked) == (120, key(120), [CHUNK, CHUNK])


@pytest.mark.parametrize(
    ("budget", "ids", "batches"),
    [
        pytest.param(1, [1], [1], id="less than it takes: a list comes to its end"),
        pytest.param(2, [1], [1], id="one read, completed"),
        pytest.param(3, [1], [1], id="what is read must be completed too"),
        pytest.param(4, [1, 2], [1, 1], id="two"),
    ],
)
def test_completions_are_reads_too(budget: int, ids: list[int], batches: list[int]) -> None:
    asked: list[int] = []
    page = rows([1], [2], [3], complete=completing(asked)).page(9, budget)
    assert (shown(page)[0], page.key, asked) == (ids, {"last": {"N": str(len(ids))}}, batches)


def test_a_long_page_is_completed_as_far_as_the_budget_goes() -> None:
    asked: list[int] = []
    page = rows(range(1, 999), complete=completing(asked)).page(999, 3)
    assert (len(page.items), page.key, asked) == (2 * CHUNK, key(2 * CHUNK), [CHUNK, CHUNK])


def test_an_empty_page_completes_nothing() -> None:
    asked: list[int] = []
    assert shown(rows([], [1], complete=completing(asked)).page(3, 3)) == ([1], None)
    assert asked == [1]


def test_a_failing_completion_is_answered() -> None:
    def busy(_: Any, __: Any) -> Any:
        raise ServiceUnavailable("busy")

    with pytest.raises(ServiceUnavailable):
        rows([1], complete=busy).page(3, 3)


# --- rows that are left out ---------------------------------------------------------------------------------


def test_expired_rows() -> None:
    items = [raw(1, e={"N": "1"}), raw(2, e={"N": "99999999999"}), raw(3)]
    page = Rows(Thing, iter([ReadPage(items, frozenset("oi"), None)]), None).page(9, 3)
    assert shown(page) == ([2, 3], None)


def test_a_poison_row(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged as an error with a hash of its key, and the cause."""
    items = [raw(1), raw(2, t={"N": "7"}, e={"S": "never"}), raw(3)]
    page = Rows(Thing, iter([ReadPage(items, frozenset("oi"), None)]), None).page(9, 3)
    assert shown(page) == ([1, 3], None)
    [record] = caplog.records
    assert (record.levelno, record.getMessage()) == (
        logging.ERROR,
        "A row of Thing cannot be read and was left out of a list",
    )
    assert len(record.__dict__["key_sha256"]) == 16
    assert record.exc_info is not None


def test_raw_rows_are_given_as_they_are() -> None:
    page = Rows(None, read([1, 2]), None).page(1, 3)
    assert page == Page((raw(1),), key(1))


# --- iterated -----------------------------------------------------------------------------------------------


def test_iterating_reads_all_under_the_rule() -> None:
    """The budget and the time are of a page, not of code that wants all rows."""
    with time_left(0.0), guarded(Guard(EVEN.verdict)):
        assert [thing.id for thing in rows([1, 2], [], [3, 4], [6])] == [2, 4, 6]
        assert [thing.id for thing in rows([1, 2], [3, 4], [6], limit=2)] == [2, 4]
        assert list(rows([2], limit=0)) == []


# --- what the verb returned ---------------------------------------------------------------------------------


@pytest.fixture
def things(dynamodb: None, table_name: str) -> str:
    """Five things of ann's; the name of their table."""
    create_table(Thing, table_name)
    for number in range(1, 6):
        dynamodb_call("put_item", TableName=table_name, Item=raw(number))
    return table_name


def test_an_iterator_of_pynamodb(things: str) -> None:
    page = PageReader(2, 5).page(Thing.query("ann", limit=2))
    assert shown(page) == ([1, 2], key(2))
    assert shown(PageReader(3, 5).page(Thing.query("ann", last_evaluated_key=page.key))) == ([3, 4, 5], None)
    assert shown(PageReader(1, 5).page(Thing.scan())) == ([1], key(1))


def test_an_iterator_that_was_begun_goes_on(things: str) -> None:
    iterator = Thing.query("ann", limit=4)
    assert next(iterator).id == 1
    assert shown(PageReader(2, 5).page(iterator)) == ([2, 3], key(3))


def test_an_iterator_under_an_opaque_rule_and_checks(things: str) -> None:
    with guarded(EVEN), counted() as calls:
        page = PageReader(2, 5, (Path(["i"]) > 2,)).page(Thing.query("ann", limit=2))
    assert shown(page)[0] == [4]
    assert names(calls) == ["Query", "Query"]


@pytest.mark.parametrize("size", [9, 2])
def test_a_projection_is_not_asked_for(things: str, size: int) -> None:
    """All attributes cost the same, and need no second read."""
    with counted() as calls:
        page = PageReader(size, 5).page(Thing.query("ann", attributes_to_get=["text"]))
    assert shown(page) == shown(PageReader(size, 5).page(Thing.query("ann")))
    assert names(calls) == ["Query"]


@pytest.mark.parametrize("chosen", [["text"], ["i", "o"]], ids=["without keys", "keys"])
def test_a_projection_that_was_begun(things: str, chosen: list[str]) -> None:
    """What it has read is read again; without the keys nobody can."""
    iterator = Thing.query("ann", attributes_to_get=chosen)
    next(iterator)
    if chosen == ["text"]:
        with pytest.raises(ConfigurationError, match="Thing instances whose projection leaves out the keys"):
            PageReader(9, 5).page(iterator)
    else:
        assert shown(PageReader(9, 5).page(iterator)) == ([2, 3, 4, 5], None)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param([Thing("ann", 1), Thing("ann", 2)], [2], id="instances"),
        pytest.param((thing for thing in [Thing("ann", 4)]), [4], id="generator"),
        pytest.param([Thing("ann", 2, ends=timedelta(hours=-1))], [], id="expired"),
        pytest.param([], [], id="nothing"),
    ],
)
def test_a_collection_is_judged_too(body: Any, expected: list[int]) -> None:
    with guarded(EVEN):
        assert shown(PageReader(9, 5).page(body)) == (expected, None)


def test_what_is_no_instance_passes() -> None:
    with guarded(EVEN):
        assert PageReader(1, 5, (NOT_3,)).page([{"a": 1}, "b", 3]) == Page(({"a": 1}, "b", 3))


def test_checks_of_a_collection() -> None:
    assert shown(PageReader(9, 5, (NOT_3,)).page([Thing("ann", 2), Thing("ann", 3)])) == ([2], None)


@pytest.mark.parametrize("own", [5, 0, "", {"a": 1}, None], ids=repr)
def test_a_key_that_the_verb_gave(own: Any) -> None:
    """It stands as it is; None is none."""
    assert shown(PageReader(2, 5).page(rows([1, 2, 3]), own)) == ([1, 2], own)
    assert shown(PageReader(2, 5).page([Thing("ann", 1)], own)) == ([1], own)


# --- a page at once -----------------------------------------------------------------------------------------


class Note(Model):
    class Meta:
        table_name = ""

    owner = UnicodeAttribute(hash_key=True, attr_name="o")
    id = NumberAttribute(range_key=True, attr_name="i")


ANN, BOB = TextEquals("o", {"S": "ann"}), TextEquals("o", {"S": "bob"})
HUNDRED = list(range(CHUNK))


@pytest.mark.parametrize(
    ("pages", "size", "verdict", "more", "at_once"),
    [
        pytest.param([], 5, True, {}, True, id="nothing to read"),
        pytest.param([[]], 5, ANN, {}, True, id="none"),
        pytest.param([[1, 2]], 5, True, {}, True, id="fewer than asked for"),
        pytest.param([[1, 2], [3]], 2, ANN, {}, True, id="as many"),
        pytest.param([[1, 2], [3]], 5, ANN, {"limit": 2}, True, id="as many as the query"),
        pytest.param([[1, 2], [3]], 2, ANN, {"signed": {"": {"S": "x"}}}, True, id="a key that says more"),
        pytest.param([[1, 2], [3]], 3, True, {}, False, id="another page is needed"),
        pytest.param([[1, 2, 3]], 2, True, {}, False, id="too many"),
        pytest.param([[*HUNDRED, 100]], 101, True, {}, False, id="more than are judged at a time"),
        pytest.param([[1, 2]], 5, ConditionCheck(NOT_3), {}, True, id="a condition that holds"),
        pytest.param([[1, 3]], 5, ConditionCheck(NOT_3), {}, False, id="a condition that does not"),
        pytest.param([[1]], 5, BOB, {}, False, id="somebody else's"),
        pytest.param([[1]], 5, ANN, {"certain": True}, True, id="the key says it"),
        pytest.param([[1]], 5, False, {}, False, id="denied"),
        pytest.param([[1]], 5, True, {"checks": (NOT_3,)}, False, id="what is checked here"),
        pytest.param([[1]], 5, True, {"limit": 0}, False, id="none asked for"),
        pytest.param([[1]], 5, True, {"model": Thing}, False, id="another model"),
    ],
)
def test_a_page_at_once_is_what_it_is_row_by_row(
    pages: list[list[int]], size: int, verdict: Any, more: Any, at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And where it is not given at once, nothing is read again."""
    monkeypatch.setenv(SWITCH, "1")
    selection = FieldSelection.of(Note, ("owner", "id"))
    made = {"model": Note, "limit": None, **more}
    with guarded(Guard(verdict)):
        ours = Rows(pages=read(*pages), **made)
        found = ours.array(size, selection)
        page = Rows(pages=read(*pages), **made).page(size, 3, selection=selection)
        assert (found is not None) is at_once
        assert found in (None, (f"[{','.join(map(str, page.items))}]", page.key))
        if "model" not in more:
            assert ours.page(size, 3, selection=selection) == page
