"""What can be said of routes without a request: who may use them, how they read, which calls they make."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from polymicro_lambda.deploy import NEEDS, Grant, grants, plans
from polymicro_lambda.dynamodb import model_info
from polymicro_lambda.permissions import OwnedBy, Permission
from polymicro_lambda.routing import Route
from polymicro_lambda.rules import AllOf
from polymicro_lambda.schemas import attribute_of_field

from .wording import of_rule


class Row(NamedTuple):
    """One route in words; the names of the fields are the heads of the columns."""

    http: str
    path: str
    verb: str
    rule: str
    access: str
    calls: str


def rows(routes: Iterable[Route]) -> list[Row]:
    """A row for each route, in their order."""
    return [
        Row(route.http, route.template, route.verb, of_rule(route.rule), _access(route), _calls(route))
        for route in routes
    ]


def columns(found: Iterable[tuple[str, ...]]) -> list[str]:
    """Rows as lines of text in columns."""
    cells = list(found)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def _access(route: Route) -> str:
    """What is read: the item by its key, or the table and the indexes that some request of a list can be served by."""
    if not _lists(route):
        return "key" if route.verb in NEEDS or route.about.detail else "-"
    found = sorted({grant.index for grant in _planned(route) if grant.operation != "BatchGetItem"})
    return ", ".join(f"index {index}" if index else "table" for index in found or [""])


def _lists(route: Route) -> bool:
    return route.verb == "list" and not route.is_action


def _planned(route: Route) -> frozenset[Grant]:
    """What the planner may choose for a list, without what code of the app's own says that it calls."""
    return grants(replace(route, calls=(), rate=None))


def _calls(route: Route) -> str:
    """The DynamoDB calls of a verb's default, and that there may be more where the app has code of its own."""
    kind = CALLS.get(route.verb) if not route.is_action else None
    calls = [*(["UpdateItem (rate)"] if route.rate else []), *(kind or _of_action)(route)]
    own = not route.is_default or route.is_action or route.calls
    return ", ".join([*calls, *(["its own"] if own else [])])


def _of_list(route: Route) -> Iterator[str]:
    if route.is_default:
        operations = {grant.operation for grant in _planned(route)} - {"BatchGetItem"}
        picked = any(found.keys is not None for found in plans(route))
        yield " or ".join([*sorted(operations), *["BatchGetItem"] * picked])
        yield from ["BatchGetItem"] * any(found.completes for found in plans(route))


def _of_action(route: Route) -> Iterator[str]:
    yield from ["GetItem"] * route.about.detail


def _created(route: Route) -> Iterator[str]:
    calls = _claiming(route, "PutItem")
    yield " or ".join(dict.fromkeys([*calls, *["TransactWriteItems"] * route.takes_many]))


def _claiming(route: Route, write: str, *, always: bool = True) -> list[str]:
    """A write, or the transaction of it and the markers of what must be unique."""
    if route.uniqueness is None:
        return [write]
    return [*([] if always and route.uniqueness.is_certain else [write]), "TransactWriteItems"]


def _written(route: Route) -> Iterator[str]:
    """A write to an item that is there, after a read where Python must see the item: always, or for some requests."""
    leaves = list(route.rule.leaves())
    opaque = any(_overrides(leaf, "has_object_permission") for leaf in leaves)
    compares = route.resource.require_if_match and model_info(route.model).version is None
    deletes, claims = route.verb == "delete", _may_claim(route)
    if not route.is_default or compares or (opaque and _is_flat(route)) or (claims and deletes):
        yield "GetItem"
    elif opaque or claims or any(_may_change(route, leaf) for leaf in leaves):
        yield "sometimes GetItem"
    own = NEEDS[route.verb][0]
    yield " or ".join(_claiming(route, own, always=deletes) if claims else [own])


def _may_claim(route: Route) -> bool:
    """Whether the verb may change the values that an item claims."""
    if route.uniqueness is None:
        return False
    names = {attribute_of_field(field) for field in route.schema.updating.load_fields.values()}
    changed = any(not names.isdisjoint(one.names) for one in route.uniqueness.constraints)
    return route.verb == "delete" or not route.is_default or changed


def _overrides(leaf: Permission, name: str) -> bool:
    return getattr(type(leaf), name) is not getattr(Permission, name)


def _is_flat(route: Route) -> bool:
    """Whether every part of the rule must hold, so that none of them is ever left out."""
    parts = route.rule.parts if isinstance(route.rule, AllOf) else (route.rule,)
    return all(isinstance(part, Permission) for part in parts)


def _may_change(route: Route, leaf: Permission) -> bool:
    """Whether an update may change what the permission's condition reads: it is then judged before and after."""
    if route.verb != "update" or not _overrides(leaf, "where"):
        return False
    return not isinstance(leaf, OwnedBy) or leaf.attribute in route.schema.updating.load_fields


CALLS: Mapping[str, Callable[[Route], Iterable[str]]] = {
    "create": _created,
    "list": _of_list,
    "retrieve": lambda _: ["GetItem"],
    "update": _written,
    "delete": _written,
}
"""Verb -> the calls of its default."""
