"""The plans of a list that some request can get: for the policy, and for the words about a list."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain, product
from typing import Any

from pynamodb.attributes import Attribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, Value

from polymicro_lambda.exceptions import BadRequest
from polymicro_lambda.items import live_conditions, prefix_conditions
from polymicro_lambda.lists import (
    FILTER_OPERATORS,
    AccessPath,
    DeclaredFilters,
    ListQuery,
    Plan,
    plan_list,
)
from polymicro_lambda.permissions import OwnedBy, Permission
from polymicro_lambda.routing import Embed, Route
from polymicro_lambda.rules import attributes_of


def list_plans(route: Route) -> Iterator[Plan]:
    """The plans that some request can get; a request that no index serves has no plan, and makes no call."""
    planner = route.resource.planner
    for path in planner.paths:
        for query in _favouring_queries(path, route):
            with suppress(BadRequest):
                yield plan_list(planner.paths, query)


def embed_plans(embed: Embed) -> Iterator[Plan]:
    """The plans of the items of one partition that an answer shows of another resource; none for one item."""
    if embed.limit is not None:
        parts = tuple(f"{{{name}}}" for name in embed.key)
        unfiltered = DeclaredFilters.of(embed.name, embed.route.model, {})
        yield from list_plans(replace(embed.route, parts=parts, filters=unfiltered, arguments=frozenset()))


def _favouring_queries(path: AccessPath, route: Route) -> Iterator[ListQuery]:
    """The requests that favour a path: one that wins none of these wins no other.

    Its partition is bound or not, and nothing more than must be: further conditions help none but others. There is each
    condition on its sort key, each order, and an answer of all attributes, or of those that the path has.
    """
    planner, named = route.resource.planner, route.model.get_attributes()
    attributes = {one.attr_name: one for one in named.values()}
    operators, live = _operators(route), live_conditions(route.model)
    live += [] if route.deletion is None else [route.deletion.is_live]
    fixed = dict.fromkeys((*route.bound, *route.params))
    fixed_places = {named[name].attr_name for name in fixed}
    always = [*live, *(_condition(named[name], "eq") for name in fixed)]
    bound: list[list[Condition]] = [[]]
    parts = [one for one in path.parts_of(path.partition) if one not in fixed_places]
    if all(_may_equal(operators[one]) for one in parts):
        bound.append([_equality(attributes[one], operators[one]) for one in parts])
    # Several values of an ``in`` are planned as a query for each; on the whole key it names the items.
    if len(bound) == 1 or path.own == planner.paths[0].own:
        bound += _listed(parts, attributes, operators)
    narrowed = [[], *_narrowed(path, attributes, operators, fixed_places)]
    own = frozenset(path.projected or ()).union(*map(attributes_of, live))
    needs = [(planner.everything, False), *([(own, True)] if path.projected and not planner.whole else [])]
    filters = dict.fromkeys(pair for pair in route.filters.parameters.values() if pair[0] in named)
    filtered = {named[name].attr_name for name, how in filters if how == "in"}
    for *conditions, sort, (needed, projects) in product(bound, narrowed, _orders(route, path), needs):
        chosen = list(chain(*conditions))
        yield ListQuery(
            [*always, *chosen],
            needed,
            projects,
            sort,
            scan=planner.scan,
            request_filters=[one for one in chosen if attributes_of(one) <= filtered],
            kind_conditions=prefix_conditions(route.model),
        )


def _operators(route: Route) -> dict[str, list[str]]:
    """DynamoDB name -> the operators that a request, or the rule for some user, may put on the attribute."""
    attributes = route.model.get_attributes()
    operators: dict[str, list[str]] = {one.attr_name: [] for one in attributes.values()}
    for name, operator in dict.fromkeys(route.filters.parameters.values()):
        if name in attributes:  # no key is a member of a map
            operators[attributes[name].attr_name].append(operator)
    for name in route.owned:  # under | a rule adds it for some users
        operators[attributes[name].attr_name].append("eq")
    # The attributes in a where of the app's own are not known before there is a user.
    if any(type(leaf).where not in (Permission.where, OwnedBy.where) for leaf in route.rule.leaves()):
        for one in attributes.values():
            operators[one.attr_name] += [
                name for name, how in FILTER_OPERATORS.items() if one.attr_type in how.types
            ]
    return operators


def _may_equal(operators: Collection[str]) -> bool:
    """Whether a request can say one value: an ``in`` of one is planned as ``eq``."""
    return "eq" in operators or "in" in operators


def _listed(
    parts: Sequence[str], attributes: Mapping[str, Attribute[Any]], operators: Mapping[str, Sequence[str]]
) -> Iterator[list[Condition]]:
    """Several values of one part of a partition key, one of each other part."""
    for name in parts:
        others = [one for one in parts if one != name]
        if "in" in operators[name] and all(_may_equal(operators[one]) for one in others):
            equal = [_equality(attributes[one], operators[one]) for one in others]
            yield [*equal, _condition(attributes[name], "in")]


def _narrowed(
    path: AccessPath,
    attributes: Mapping[str, Attribute[Any]],
    operators: Mapping[str, Sequence[str]],
    fixed: Collection[str],
) -> Iterator[list[Condition]]:
    """Each condition on the sort key; of a composed one on each part, the parts before it bound to one value."""
    before: list[Condition] = []
    for name in path.parts_of(path.sort):
        yield from ([*before, _condition(attributes[name], one)] for one in operators[name])
        if _may_equal(operators[name]):
            before.append(_equality(attributes[name], operators[name]))
        elif name not in fixed:
            return


def _orders(route: Route, path: AccessPath) -> list[str | None]:
    """The values of ``?sort=`` that concern the path, and what stands for none."""
    names = {one.attr_name: name for name, one in route.model.get_attributes().items()}
    sortable = [name for name in path.orders(None) if names[name] in route.schema.names]
    default = route.list_settings.default_sort
    usual = None if default is None else route.model.get_attributes()[default.removeprefix("-")].attr_name
    return [usual, *(sortable if "sort" in route.arguments else [])]


def _equality(attribute: Attribute[Any], operators: Collection[str]) -> Condition:
    """The condition by which a request says one value; an ``in`` of the whole key names the item."""
    return _condition(attribute, "eq" if "eq" in operators else "in")


_SAMPLES: Mapping[str, Any] = {"S": "x", "N": "1", "B": b"x", "BOOL": True}


def _condition(attribute: Attribute[Any], operator: str) -> Condition:
    """A condition of this kind on the attribute; its value makes no difference to a plan."""
    how = FILTER_OPERATORS[operator]
    sample = Value({attribute.attr_type: _SAMPLES.get(attribute.attr_type, "x")})
    operands = [True] if operator == "exists" else [sample] * how.operands.start
    return how.condition(Path([attribute.attr_name]), *operands)
