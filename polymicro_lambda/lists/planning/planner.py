"""The planner of a resource: the request's filters and order, and the rule, become a plan."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pynamodb.constants import STRING
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, Value
from pynamodb.models import Model

from polymicro_lambda.dynamodb import model_info, stored_names
from polymicro_lambda.http import bad_query, parameter_error
from polymicro_lambda.items import live_conditions, prefix_conditions, serialized
from polymicro_lambda.lazy import lazy
from polymicro_lambda.lists.filtering.filters import Filters, filter_conditions
from polymicro_lambda.lists.requested_lists import requested_list
from polymicro_lambda.rules import (
    Guard,
    SoftDeletion,
    TextEquals,
    attributes_of,
    attributes_of_verdict,
    equality_of,
    guard_for,
    is_opaque,
    text_equality_of,
)
from polymicro_lambda.schemas import HASH_BYTES, is_key

from .access_paths import AccessPath, access_paths_of
from .filter_expressions import as_sent
from .plans import ListQuery, Plan, plan_list


@dataclass(frozen=True)
class Planner:
    """Plans the lists of one resource."""

    model: type[Model]
    scan: bool
    whole: bool
    """Whether the answer may need all of an item: a hook or a schema of the resource's own sees it."""
    filterable: frozenset[str]
    """The attributes that a filter can bind to one value, by DynamoDB's names."""
    told: frozenset[str] | None = None
    """The attributes that every user may know of, by DynamoDB's names; None for all."""
    deletion: SoftDeletion | None = None
    """Which items are deleted, and are in no list, None for none."""

    @lazy
    def paths(self) -> tuple[AccessPath, ...]:
        """The table and its indexes."""
        return access_paths_of(self.model)

    @lazy
    def everything(self) -> frozenset[str]:
        """The attributes that an item of the model, or of a kind of it, may show, by DynamoDB's names."""
        return stored_names(self.model) - model_info(self.model).composed.keys()

    @lazy
    def stored(self) -> Mapping[str, str]:
        """Python name -> DynamoDB's."""
        return {name: one.attr_name for name, one in self.model.get_attributes().items()}

    @lazy
    def lasting(self) -> bool:
        """Whether every item with a key of the model's belongs to the list, and none expires."""
        return model_info(self.model).lasting

    @classmethod
    def of(
        cls,
        model: type[Model],
        *,
        scan: bool,
        whole: bool,
        filterable: Iterable[str] = (),
        told: Iterable[str] | None = None,
        deletion: SoftDeletion | None = None,
    ) -> "Planner":
        """The planner of a resource over this model; ``filterable`` and ``told`` are Python names."""
        known = None if told is None else _stored(model, told)
        return cls(model, scan, whole, _stored(model, filterable), known, deletion)

    def plan(self, filters: Filters | None = None, sort: str | None = None) -> Plan:
        """The plan for the request under the current guard. Raises ``BadRequest``.

        What the request asks besides of a list verb that does not take ``filters`` or ``sort`` as arguments is
        applied too; an order that is said here goes before that.
        """
        guard, asked = guard_for(self.model, self.deletion), requested_list(self.model)
        unsaid = () if asked is None else asked.conditions()
        sort = sort if asked is None else asked.order(sort)
        plain = sort is None and guard.fields is None and not filters and not unsaid
        if plain and (plan := self._own_partition(guard)) is not None:
            return plan
        rule = [guard.condition] if guard.condition is not None else []
        requested = (*filter_conditions(self.model, filters or {}), *unsaid)
        conditions = [*self._bound(), *rule, *requested, *live_conditions(self.model)]
        if plain and (plan := self._whole_partition(conditions)) is not None:
            return plan
        query = self._query(guard, conditions, requested, sort)
        return as_sent(plan_list(self.paths, query), query)

    def _query(
        self, guard: Guard, conditions: Sequence[Condition], requested: Sequence[Condition], sort: str | None
    ) -> ListQuery:
        """The list as a search for a plan needs it; ``requested`` are the conditions from the request's filters."""
        kinds = prefix_conditions(self.model)
        read = attributes_of_verdict(guard.verdict).union(
            *map(attributes_of, (*live_conditions(self.model), *kinds))
        )
        shown, projects = self.everything, False
        if guard.fields is not None and not self.whole and not is_opaque(guard.verdict):
            shown, projects = frozenset(self.stored[n] for n in guard.fields if n in self.stored), True
        return ListQuery(
            conditions,
            read | shown,
            projects,
            self._sort_key(sort),
            not (sort or "").startswith("-"),
            self.scan,
            {stored: name for name, stored in self.stored.items()},
            self.filterable,
            self.told,
            requested,
            kinds,
        )

    def _own_partition(self, guard: Guard) -> Plan | None:
        """The plan of a list that is the partition which the rule grants, else None."""
        verdict, table = guard.verdict, self.paths[0]
        if not isinstance(verdict, TextEquals) or verdict.name != table.partition or not self.lasting:
            return None
        for name, value in guard.bound.items():
            if self.stored[name] != verdict.name or value != verdict.value[STRING]:
                return None
        return Plan(table, {**verdict.value}, empty=not is_key(verdict.value, HASH_BYTES), certain=True)

    def _whole_partition(self, conditions: Sequence[Condition]) -> Plan | None:
        """The plan of a list that is a partition of the table, else None; it takes no search."""
        if len(conditions) != 1 or not self.lasting:
            return None
        equality, table = text_equality_of(conditions[0]), self.paths[0]
        if equality is None or equality[0] != table.partition:
            return None
        return Plan(table, dict(equality[1]), empty=not is_key(equality[1], HASH_BYTES))

    def _bound(self) -> Iterator[Condition]:
        """The conditions of the attributes that route and rule bind, less those in the rule's own condition."""
        guard, attributes = guard_for(self.model), self.model.get_attributes()
        equal = {} if guard.condition is None else equality_of(guard.condition)
        for name, value in guard.bound.items():
            attribute = attributes[name]
            raw = serialized(attribute, value)
            if equal.get(attribute.attr_name) != raw:
                yield Path([attribute.attr_name]) == Value(raw)

    def _sort_key(self, sort: str | None) -> str | None:
        if sort is None:
            return None
        attribute = self.model.get_attributes().get(sort.removeprefix("-"))
        if attribute is None:
            raise bad_query(
                [parameter_error("sort", "must be an attribute, or one with - before it for the other way")]
            )
        return attribute.attr_name

    def usable(self, names: Iterable[str] | None) -> Iterator[AccessPath]:
        """The access paths whose partition key is among these attributes, by Python name; None gives all paths."""
        attributes = self.model.get_attributes()
        bound = None if names is None else {attributes[name].attr_name for name in names}
        return (
            path for path in self.paths if bound is None or bound.issuperset(path.parts_of(path.partition))
        )


def _stored(model: type[Model], names: Iterable[str]) -> frozenset[str]:
    """DynamoDB's names of attributes; a name that is none of the model's is a schema's own."""
    attributes = model.get_attributes()
    return frozenset([attributes[name].attr_name for name in names if name in attributes])
