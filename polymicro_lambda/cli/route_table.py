"""The table of `polymicro routes`: of each route the rule, the table or index it reads, and its DynamoDB calls."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from pynamodb.expressions.condition import Condition

from polymicro_lambda.deploy import VERB_OPERATIONS, Grant, grants, list_plans, verb_operations
from polymicro_lambda.dynamodb import model_info
from polymicro_lambda.permissions import Claim, OwnedBy, Permission, Through
from polymicro_lambda.routing import Call, Embed, Route
from polymicro_lambda.rules import AllOf, condition_text
from polymicro_lambda.schemas import attribute_of_field

from .composed_keys import keys_read_for
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


def columns(table: Iterable[tuple[str, ...]]) -> list[str]:
    """Rows as lines of text in columns."""
    cells = list(table)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def _access(route: Route) -> str:
    """The key for one item; for a list the table and the indexes, each of which serves some request."""
    if not _lists(route):
        if route.lookup is not None:
            return f"unique {route.lookup.name}"
        return "key" if route.verb in VERB_OPERATIONS or route.about.detail else "-"
    indexes = sorted({grant.index for grant in _planned(route) if grant.operation != "BatchGetItem"})
    return ", ".join(f"index {index}" if index else "table" for index in indexes or [""])


def _lists(route: Route) -> bool:
    return route.verb == "list" and not route.is_action


def _planned(route: Route) -> frozenset[Grant]:
    """The planner's choices for a list, without the calls that the app's own code declares."""
    return grants(replace(route, calls=(), rate=None, embeds=()))


def _calls(route: Route) -> str:
    """The DynamoDB calls of a verb's default, and that there may be more where the app has code of its own."""
    of_verb = CALLS.get(route.verb) if not route.is_action else None
    made = [*(of_verb or _action_calls)(route)]
    if any(isinstance(leaf, Through) for leaf in route.rule.leaves()):
        made = [*_related_calls(route, made)]
    found = [f"GetItem (by {route.lookup.name})"] if route.lookup is not None else []
    calls = [*(["UpdateItem (rate)"] if route.rate else []), *found, *made]
    if route.requirement is not None:
        calls.append(f"on {_required(route, route.requirement.condition)}")
    calls += [_embed_call(one) for one in route.embeds]
    own = not route.is_default or route.is_action or _declared_calls(route)
    return ", ".join([*calls, *(["its own"] if own else [])])


def _required(route: Route, condition: Condition) -> str:
    """What a verb requires; a restore requires by itself that the item is deleted."""
    if route.is_restore and route.deletion is not None:
        return f"{route.deletion.stored_name} being set"
    return condition_text(condition)


def _declared_calls(route: Route) -> list[Call]:
    """The calls that the app's own code declares: those on related items are told as such."""
    leaves = (*route.rules.permissions, *route.field_rules.leaves())
    related = {leaf.model for leaf in leaves if isinstance(leaf, Through)}
    return [one for one in route.calls if one.index or one.model not in related]


def _embed_call(embed: Embed) -> str:
    """The call that reads what answers show of another resource, where they do."""
    call = "BatchGetItem" if embed.limit is None else "Query"
    return f"{call} (always {embed.name})" if embed.always else f"{call} (?embed={embed.name})"


def _related_calls(route: Route, made: list[str]) -> Iterator[str]:
    """The calls of a verb whose rule asks a related item: it is read with the item, and is part of the write."""
    related = [leaf for leaf in route.rule.leaves() if isinstance(leaf, Through)]
    early = _is_flat(route) and _names_all_keys(route)
    read = "GetItem" if len(related) == 1 else "BatchGetItem"
    if not route.about.detail and (not route.writes or route.is_action):
        yield from [read, *made] if early or not made else [*made, "BatchGetItem"]
    elif not route.writes or route.is_action:
        yield "BatchGetItem"
    elif any(leaf.atomic for leaf in related):
        yield from ["BatchGetItem"] * (route.verb != "create" and not early)
        yield "TransactWriteItems"
        yield from ["GetItem"] * (route.verb in ("update", "restore"))
    else:
        yield from ["GetItem"] * (route.verb != "create" and not early)
        yield from [read, *made]


def _names_all_keys(route: Route) -> bool:
    """Whether path and claims name every related item of the rule."""
    related = [leaf for leaf in route.rule.leaves() if isinstance(leaf, Through)]
    return all(
        isinstance(said, Claim) or said in route.params for one in related for said in one.key.values()
    )


def _list_calls(route: Route) -> Iterator[str]:
    if route.is_default:
        operations = {grant.operation for grant in _planned(route)} - {"BatchGetItem"}
        by_keys = any(plan.keys is not None for plan in list_plans(route))
        several = _listed_partitions(route)
        each = f" (one for each of {' or '.join(several)})" if several else ""
        names = [f"{name}{each}" if name == "Query" else name for name in sorted(operations)]
        yield " or ".join([*names, *["BatchGetItem"] * by_keys])
        yield from ["BatchGetItem"] * any(plan.completes for plan in list_plans(route))
        yield from [f"{' or '.join(sorted(operations))} (?count=true)"] * route.list_settings.counts


def _listed_partitions(route: Route) -> list[str]:
    """The parameters that name several partitions; of a whole key they name items."""
    paths = [path for path in route.resource.planner.paths if path.index is not None or path.sort is not None]
    partitions = {path.partition for path in paths}
    keys = [name for name, one in route.model.get_attributes().items() if one.attr_name in partitions]
    return [f"{name}__in" for name in keys if (name, "in") in route.filters.parameters.values()]


def _action_calls(route: Route) -> Iterator[str]:
    yield from ["GetItem"] * route.about.detail


def _create_calls(route: Route) -> Iterator[str]:
    calls = _with_reservations(route, "PutItem")
    yield " or ".join(dict.fromkeys([*calls, *["TransactWriteItems"] * route.takes_many]))


def _with_reservations(route: Route, write: str, *, always: bool = True) -> list[str]:
    """The write, or the transaction of the write and the reservations of its unique values."""
    if route.uniqueness is None:
        return [write]
    return [*([] if always and route.uniqueness.is_certain else [write]), "TransactWriteItems"]


def _write_calls(route: Route) -> Iterator[str]:
    """A write to an existing item, after a read for each request or for some where Python needs the item."""
    leaves = list(route.rule.leaves())
    opaque = any(_overrides(leaf, "has_object_permission") for leaf in leaves)
    compares = route.resource.require_if_match and model_info(route.model).version is None
    deletes, reserves = route.verb == "delete", _may_change_unique_values(route)
    composes = [always for _, always in keys_read_for(route)]
    if (
        route.reads_item
        or compares
        or (opaque and _is_flat(route))
        or (reserves and deletes)
        or any(composes)
    ):
        yield "GetItem"
    elif opaque or reserves or composes or any(_may_change(route, leaf) for leaf in leaves):
        yield "sometimes GetItem"
    own = verb_operations(route)[0]
    yield " or ".join(_with_reservations(route, own, always=deletes) if reserves else [own])
    yield from (f"or {one}" for one in ([] if route.creation is None else _create_calls(route.creation)))


def _may_change_unique_values(route: Route) -> bool:
    """Whether the verb may change unique values of an item."""
    if route.uniqueness is None:
        return False
    if route.is_default and route.deletion is not None and route.verb in ("delete", "restore"):
        return False
    names = {attribute_of_field(field) for field in route.schema.updating.load_fields.values()}
    changed = any(not names.isdisjoint(one.names) for one in route.uniqueness.constraints)
    return route.verb == "delete" or route.reads_item or changed


def _overrides(leaf: Permission, name: str) -> bool:
    return getattr(type(leaf), name) is not getattr(Permission, name)


def _is_flat(route: Route) -> bool:
    """Whether every part of the rule must hold, so that each is judged in every request."""
    parts = route.rule.parts if isinstance(route.rule, AllOf) else (route.rule,)
    return all(isinstance(part, Permission) for part in parts)


def _may_change(route: Route, leaf: Permission) -> bool:
    """Whether an update may change an attribute of the permission's condition, which is then judged twice."""
    if route.verb not in ("update", "restore") or not _overrides(leaf, "where"):
        return False
    return not isinstance(leaf, OwnedBy) or leaf.attribute in route.schema.updating.load_fields


CALLS: Mapping[str, Callable[[Route], Iterable[str]]] = {
    "create": _create_calls,
    "list": _list_calls,
    "retrieve": lambda _: ["GetItem"],
    "update": _write_calls,
    "delete": _write_calls,
    "restore": _write_calls,
}
"""Verb -> the calls of its default."""
