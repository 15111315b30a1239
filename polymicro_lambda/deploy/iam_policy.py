"""The function's IAM policy: the DynamoDB operations that the routes call, on which table or index."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain
from types import MappingProxyType
from typing import Any

from pynamodb.models import Model

from polymicro_lambda.dynamodb import has_all_attributes, table_name
from polymicro_lambda.permissions import Through
from polymicro_lambda.routing import Embed, Route

from .planned_lists import embed_plans, list_plans
from .tables import logical_id
from .yaml_writer import Commented

VERB_OPERATIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        # Each write may have to read: a write whose answer was lost is looked up.
        "create": ("PutItem", "GetItem"),
        "retrieve": ("GetItem",),
        # An opaque rule, a rule on what changes, an If-Match that is a digest and an empty PATCH read first, too.
        "update": ("UpdateItem", "GetItem"),
        "delete": ("DeleteItem", "GetItem"),
        "restore": ("UpdateItem", "GetItem"),
    }
)
"""Verb -> the operations of the mixin's own verb on the table; the planner knows those of a list."""


def verb_operations(route: Route) -> tuple[str, ...]:
    """The operations of the mixin's own verb on the table, first its write; none for a list or an action."""
    if route.is_action:
        return ()
    softly = route.verb == "delete" and route.deletion is not None
    return VERB_OPERATIONS.get("restore" if softly else route.verb, ())


IDEMPOTENCY_OPERATIONS = ("DeleteItem", "GetItem", "PutItem", "UpdateItem")
"""The operations on the record of an idempotent request: it is released, looked up, created, completed."""

_RESERVING = (
    (True, "PutItem"),
    (True, "DeleteItem"),
    (True, "GetItem"),
    (False, "ConditionCheckItem"),
    (False, "GetItem"),
)
RESERVATION_OPERATIONS: Mapping[str, tuple[tuple[bool, str], ...]] = MappingProxyType(
    {
        # A reservation that is in the way may be a leftover of its item: that is looked up, and deleted. After an
        # answer that got lost the reservations themselves are looked up.
        "PutItem": _RESERVING,
        "UpdateItem": _RESERVING,
        "DeleteItem": ((True, "DeleteItem"), (True, "GetItem"), (False, "GetItem")),
    }
)
"""Operation on the items -> those that go with it: whether on the reservations, and the operation."""


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One operation on one table, or on one index of it."""

    table: str
    """The table's name, without a prefix."""
    index: str
    """The index's name, empty for the table itself."""
    operation: str
    """As DynamoDB's API reference names it, e.g. ``GetItem``."""


def grants(route: Route) -> frozenset[Grant]:
    """The operations that the verb of a route may call.

    A verb that is overridden gets the operations of the mixin's own; an overridden list may query the table and every
    index. Further calls of an override, an action or a permission stand in ``calls``.
    """
    declared = frozenset(Grant(table_name(call.model), call.index, call.operation) for call in route.calls)
    declared |= _completing_grants(route)
    declared |= {grant for embed in route.embeds for grant in _embed_grants(embed)}
    declared |= {Grant(table, "", "GetItem") for table in _tables_of_unique_reads(route)}
    if route.rate is not None:
        declared |= {Grant(table_name(route.rate.counters), "", "UpdateItem")}
    if route.verb == "list" and not route.is_action:
        return declared.union(_list_grants(route))
    needs = verb_operations(route) if not route.is_action else ("GetItem",) * route.about.detail
    needs += VERB_OPERATIONS["create"] if route.creation is not None else ()
    if route.about.detail and any(isinstance(leaf, Through) for leaf in route.rule.leaves()):
        needs = (*needs, "BatchGetItem")  # the item together with the related items
    own = declared.union(Grant(table_name(route.model), "", operation) for operation in needs)
    own |= _reservation_grants(route, own)
    return (
        own if route.idempotency_table is None else own | _idempotency_grants(route, route.idempotency_table)
    )


def _tables_of_unique_reads(route: Route) -> Iterator[str]:
    """The tables that are read where an item is found by what is unique: by its address, or by a verb's own code."""
    if route.uniqueness is not None and (route.lookup is not None or not route.is_default):
        yield table_name(route.uniqueness.reservation_table)
        yield table_name(route.model)


def _completing_grants(route: Route) -> frozenset[Grant]:
    """The operations by which items of an index that lacks attributes are read again, where an answer shows them."""
    table = table_name(route.model)
    partial_calls = (one for one in route.calls if not has_all_attributes(one.model, one.index or None))
    if not any(table_name(one.model) == table for one in partial_calls):
        return frozenset()
    return frozenset(Grant(table, "", operation) for operation in ("BatchGetItem", "GetItem"))


def _embed_grants(embed: Embed) -> Iterator[Grant]:
    """The operations that read what an answer shows of another resource, and what the rules of that call."""
    table = table_name(embed.route.model)
    yield from (Grant(table_name(call.model), call.index, call.operation) for call in embed.route.calls)
    if embed.limit is None:
        yield Grant(table, "", "BatchGetItem")
    for plan in embed_plans(embed):
        yield Grant(table, plan.path.index or "", "Query")
        if plan.completes:
            yield Grant(table, "", "BatchGetItem")


def _reservation_grants(route: Route, granted: Iterable[Grant]) -> frozenset[Grant]:
    """The operations by which the writes of a verb keep values unique."""
    keeps_all = route.is_default and route.deletion is not None and route.verb in ("delete", "restore")
    if route.uniqueness is None or keeps_all:
        return frozenset()
    table, reservations = table_name(route.model), table_name(route.uniqueness.reservation_table)
    writes = [
        RESERVATION_OPERATIONS[one.operation]
        for one in granted
        if one.table == table and one.operation in RESERVATION_OPERATIONS
    ]
    return frozenset(
        Grant(reservations if on_reservations else table, "", operation)
        for on_reservations, operation in chain.from_iterable(writes)
    )


def _idempotency_grants(route: Route, records: type[Model]) -> frozenset[Grant]:
    """The operations by which a verb keeps its ``Idempotency-Key``: a transaction needs the grants of its parts."""
    created = Grant(table_name(route.model), "", "GetItem")
    return frozenset(
        {created, *(Grant(table_name(records), "", operation) for operation in IDEMPOTENCY_OPERATIONS)}
    )


def statements(routes: Iterable[Route]) -> list[dict[str, Any]]:
    """The statements of the policy: for each table the operations on it, and those on its indexes."""
    granted: dict[str, dict[Grant, None]] = {}
    users: dict[str, dict[str, None]] = {}
    for route in routes:
        for grant in sorted(grants(route)):
            granted.setdefault(grant.table, {})[grant] = None
            users.setdefault(grant.table, {})[type(route.resource).__name__] = None
    return [
        one for name in granted for one in _statements(name, sorted(granted[name]), ", ".join(users[name]))
    ]


def _statements(table: str, granted: list[Grant], users: str) -> Iterator[dict[str, Any]]:
    name = logical_id(table)
    own = [f"dynamodb:{grant.operation}" for grant in granted if not grant.index]
    indexes = [grant.index for grant in granted if grant.index]
    if own:
        yield _statement(users, own, {"Fn::GetAtt": [name, "Arn"]})
    if indexes:
        resources = [{"Fn::Sub": f"${{{name}.Arn}}/index/{index}"} for index in indexes]
        yield _statement(users, ["dynamodb:Query"], resources)


def _statement(users: str, actions: list[str], resource: Any) -> dict[str, Any]:
    return {Commented("Effect", users): "Allow", "Action": actions, "Resource": resource}


# --- lists --------------------------------------------------------------------------------------------------


def _list_grants(route: Route) -> Iterator[Grant]:
    """The operations of a list's plans, which the planner makes for each kind of request."""
    grant = partial(Grant, table_name(route.model))
    for plan in list_plans(route):
        if plan.keys is not None:
            yield grant("", "BatchGetItem")
            continue
        yield grant("", "Scan") if plan.is_scan else grant(plan.path.index or "", "Query")
        if plan.completes:
            yield grant("", "BatchGetItem")
    if not route.is_default:
        planner = route.resource.planner
        yield from (grant(path.index or "", "Query") for path in planner.paths)
        yield from (grant("", "Scan"),) * planner.scan
        # Items that a query takes from an index without all attributes are read again, whole.
        yield from (grant("", "BatchGetItem") for path in planner.paths if path.projected is not None)
