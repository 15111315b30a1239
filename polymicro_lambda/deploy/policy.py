"""Which DynamoDB operations the routes need, on which table or index, and the policy that grants just these."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain, product
from types import MappingProxyType
from typing import Any

from pynamodb.attributes import Attribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, Value
from pynamodb.models import Model

from polymicro_lambda.dynamodb import table_name
from polymicro_lambda.exceptions import BadRequest
from polymicro_lambda.items import live_conditions, prefix_conditions
from polymicro_lambda.lists import OPERATORS, AccessPath, ListQuery, Plan, plan_list
from polymicro_lambda.permissions import OwnedBy, Permission
from polymicro_lambda.routing import Route
from polymicro_lambda.rules import attributes_of

from .tables import logical_id
from .yaml_text import Noted

NEEDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        # Each write may have to read: a write whose answer was lost is looked up.
        "create": ("PutItem", "GetItem"),
        "retrieve": ("GetItem",),
        # An opaque rule, a rule on what changes, an If-Match that is a digest and an empty PATCH read first, too.
        "update": ("UpdateItem", "GetItem"),
        "delete": ("DeleteItem", "GetItem"),
    }
)
"""Verb -> the operations that its own default makes on the table; those of a list are the planner's to say."""


OF_MARKERS = ("DeleteItem", "GetItem", "PutItem", "UpdateItem")
"""What is done to a marker: released, looked up, claimed, completed."""

_TAKES = ((True, "PutItem"), (True, "DeleteItem"), (False, "ConditionCheckItem"), (False, "GetItem"))
CLAIMS: Mapping[str, tuple[tuple[bool, str], ...]] = MappingProxyType(
    {
        # A marker that is in the way may be one that its item has left behind: that is looked up, and cleared away.
        "PutItem": _TAKES,
        "UpdateItem": _TAKES,
        "DeleteItem": ((True, "DeleteItem"), (False, "GetItem")),
    }
)
"""Operation on the items -> what goes with it: whether on the markers, and the operation there."""


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
    """What the verb of a route may call.

    A verb that is overridden gets what its default would need; an overridden list may query all that there is to
    query. What else an override, an action or a permission calls, ``calls`` says.
    """
    said = frozenset(Grant(table_name(call.model), call.index, call.operation) for call in route.calls)
    if route.rate is not None:
        said |= {Grant(table_name(route.rate.counters), "", "UpdateItem")}
    if route.verb == "list" and not route.is_action:
        return said.union(_of_list(route))
    needs = NEEDS.get(route.verb, ()) if not route.is_action else ("GetItem",) * route.about.detail
    own = said.union(Grant(table_name(route.model), "", operation) for operation in needs)
    own |= _of_claims(route, own)
    return own if route.idempotency_table is None else own | _of_markers(route, route.idempotency_table)


def _of_claims(route: Route, granted: Iterable[Grant]) -> frozenset[Grant]:
    """What the writes of a verb call for what must be unique, where it makes any."""
    if route.uniqueness is None:
        return frozenset()
    table, claimed = table_name(route.model), table_name(route.uniqueness.reservation_table)
    writes = [CLAIMS[one.operation] for one in granted if one.table == table and one.operation in CLAIMS]
    return frozenset(
        Grant(claimed if on_markers else table, "", operation)
        for on_markers, operation in chain.from_iterable(writes)
    )


def _of_markers(route: Route, markers: type[Model]) -> frozenset[Grant]:
    """What a verb calls for its ``Idempotency-Key``: a transaction needs the grants of what it is made of."""
    made = Grant(table_name(route.model), "", "GetItem")
    return frozenset({made, *(Grant(table_name(markers), "", operation) for operation in OF_MARKERS)})


def statements(routes: Iterable[Route]) -> list[dict[str, Any]]:
    """The statements of the policy: for each table what is done on it, and on which of its indexes."""
    wanted: dict[str, dict[Grant, None]] = {}
    users: dict[str, dict[str, None]] = {}
    for route in routes:
        for grant in sorted(grants(route)):
            wanted.setdefault(grant.table, {})[grant] = None
            users.setdefault(grant.table, {})[type(route.resource).__name__] = None
    return [one for name in wanted for one in _statements(name, sorted(wanted[name]), ", ".join(users[name]))]


def _statements(table: str, wanted: list[Grant], users: str) -> Iterator[dict[str, Any]]:
    name = logical_id(table)
    own = [f"dynamodb:{grant.operation}" for grant in wanted if not grant.index]
    indexes = [grant.index for grant in wanted if grant.index]
    if own:
        yield _statement(users, own, {"Fn::GetAtt": [name, "Arn"]})
    if indexes:
        resources = [{"Fn::Sub": f"${{{name}.Arn}}/index/{index}"} for index in indexes]
        yield _statement(users, ["dynamodb:Query"], resources)


def _statement(users: str, actions: list[str], resource: Any) -> dict[str, Any]:
    return {Noted("Effect", users): "Allow", "Action": actions, "Resource": resource}


# --- lists --------------------------------------------------------------------------------------------------


def _of_list(route: Route) -> Iterator[Grant]:
    """What the plans of a list call: the planner itself is asked, once for each kind of request."""
    grant = partial(Grant, table_name(route.model))
    for found in plans(route):
        if found.keys is not None:
            yield grant("", "BatchGetItem")
            continue
        yield grant(found.path.index or "", "Query") if found.partition is not None else grant("", "Scan")
        if found.completes:
            yield grant("", "BatchGetItem")
    if not route.is_default:
        planner = route.resource.planner
        yield from (grant(path.index or "", "Query") for path in planner.paths)
        yield from (grant("", "Scan"),) * planner.scan
        # What its query takes from an index that lacks attributes is read again, whole.
        yield from (grant("", "BatchGetItem") for path in planner.paths if not path.has(planner.everything))


def plans(route: Route) -> Iterator[Plan]:
    """The plans that some request can get; one that no index serves has none, and makes no call."""
    planner = route.resource.planner
    for path in planner.paths:
        for wish in _favouring(path, route):
            with suppress(BadRequest):
                yield plan_list(planner.paths, wish)


def _favouring(path: AccessPath, route: Route) -> Iterator[ListQuery]:
    """The requests that favour a path: one that wins none of these wins no other.

    Its partition is bound or not, and nothing more than must be: further conditions help none but others. There is each
    condition on its sort key, each order, and an answer of all attributes, or of those that the path has.
    """
    planner = route.resource.planner
    attributes = {one.attr_name: one for one in route.model.get_attributes().values()}
    asked, ever = _asked(route), live_conditions(route.model)
    always = [*ever, *(_condition(attributes[name], "eq") for name in _always(route))]
    bound = [
        [],
        *([_condition(attributes[path.partition], "eq")] for o in asked[path.partition] if o == "eq"),
    ]
    narrowed = [[], *([_condition(attributes[name], o)] for name in _sort_of(path) for o in asked[name])]
    if path.sort is None and path.index is None and "in" in asked[path.partition]:
        bound.append([_condition(attributes[path.partition], "in")])
    own = frozenset(path.projected or ()).union(*map(attributes_of, ever))
    needs = [(planner.everything, False), *([(own, True)] if path.projected and not planner.whole else [])]
    filtered = {
        route.model.get_attributes()[name].attr_name
        for name, how in route.filters.parameters.values()
        if how == "in"
    }
    for *conditions, sort, (needed, projects) in product(bound, narrowed, _orders(route, path), needs):
        said = list(chain(*conditions))
        yield ListQuery(
            [*always, *said],
            needed,
            projects,
            sort,
            scan=planner.scan,
            picks=[one for one in said if attributes_of(one) <= filtered],
            apart=prefix_conditions(route.model),
        )


def _always(route: Route) -> list[str]:
    """The attributes that path and rule bind in every request, by their names in DynamoDB."""
    attributes = route.model.get_attributes()
    return [attributes[name].attr_name for name in dict.fromkeys((*route.bound, *route.params))]


def _asked(route: Route) -> dict[str, list[str]]:
    """DynamoDB name -> the operators that a request, or the rule for some user, may put on the attribute."""
    attributes = route.model.get_attributes()
    asked: dict[str, list[str]] = {one.attr_name: [] for one in attributes.values()}
    for name, operator in dict.fromkeys(route.filters.parameters.values()):
        asked[attributes[name].attr_name].append(operator)
    for name in route.owned:  # under | a rule says it for some users
        asked[attributes[name].attr_name].append("eq")
    # Which attributes a where of the app's own names is not known before there is a user.
    if any(type(leaf).where not in (Permission.where, OwnedBy.where) for leaf in route.rule.leaves()):
        for one in attributes.values():
            asked[one.attr_name] += [name for name, how in OPERATORS.items() if one.attr_type in how.types]
    return asked


def _sort_of(path: AccessPath) -> list[str]:
    return [] if path.sort is None else [path.sort]


def _orders(route: Route, path: AccessPath) -> list[str | None]:
    """The orders in which a list may be asked for that concern the path."""
    names = {one.attr_name: name for name, one in route.model.get_attributes().items()}
    asked = [name for name in _sort_of(path) if names[name] in route.schema.names]
    return [None, *(asked if "sort" in route.arguments else [])]


_SAMPLES: Mapping[str, Any] = {"S": "x", "N": "1", "B": b"x", "BOOL": True}


def _condition(attribute: Attribute[Any], operator: str) -> Condition:
    """A condition of this kind on the attribute; which value it names makes no difference to a plan."""
    how = OPERATORS[operator]
    sample = Value({attribute.attr_type: _SAMPLES.get(attribute.attr_type, "x")})
    operands = [True] if operator == "exists" else [sample] * how.operands.start
    return how.condition(Path([attribute.attr_name]), *operands)
