"""What a resource says of its lists: their settings, and the planner that finds an index for them."""

from collections.abc import Collection, Sequence

from polymicro_lambda.dynamodb import has_table
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.lists import (
    NO_SETTINGS,
    AccessPath,
    DeclaredFilters,
    ListSettings,
    Planner,
    list_settings_of,
)
from polymicro_lambda.routing.declarations import Declaration
from polymicro_lambda.rules import FieldRules
from polymicro_lambda.schemas import ItemSchema


def settings_of_lists(
    declared: Declaration,
    filters: DeclaredFilters,
    bindable: frozenset[str] | None,
    field_rules: FieldRules,
) -> ListSettings:
    """What a resource says of all its lists. Raises ``ConfigurationError``."""
    if not has_table(declared.model):
        return NO_SETTINGS
    resource, listed = declared.resource, declared.by_name.get("list")
    if listed is None and resource.default_sort is not None:
        wrong = f"{declared.name}.default_sort: the resource has no list: add List, or leave it out"
        raise ConfigurationError(wrong)
    # A list of the app's own may bind what the package cannot know of.
    bound = bindable if listed is not None and listed.is_default else None
    said = (resource.envelope, resource.default_sort)
    settings = list_settings_of(declared.name, *said, filters, resource.planner, bound)
    if settings.default_sort is not None:
        _check_order_tells_nothing(declared.name, settings.default_sort, field_rules)
    if settings.envelope is not None and settings.envelope.item is not None and resource.max_bulk:
        raise ConfigurationError(
            f"{declared.name}.max_bulk takes lists of items, and {declared.name}.envelope says that an item stands in"
            f" {settings.envelope.item!r}: leave one of them out"
        )
    return settings


def _check_order_tells_nothing(name: str, order: str, field_rules: FieldRules) -> None:
    """Raise ``ConfigurationError`` for an order by a field that some users may not read: it would tell them of it."""
    field = field_rules.schema.member(order.removeprefix("-"))
    if field in field_rules.read:
        raise ConfigurationError(
            f"{name}.default_sort: {name}.field_permissions hides {field!r}, of which the order of items tells. Sort"
            " by another attribute, or leave default_sort out: who may read the field can say ?sort="
        )


def planner_of(
    declared: Declaration,
    filters: DeclaredFilters,
    bindable: frozenset[str] | None,
    schema: ItemSchema,
    field_rules: FieldRules,
) -> Planner:
    """The planner of a resource's lists.

    Raises ``ConfigurationError`` where the mixin's list could serve no request: a partition must be bound, keys be
    named by filters, or the table be scanned. An index that lacks items must be sorted by or filtered on.
    """
    resource, model = declared.resource, declared.model
    shown = schema.names if declared.fields_for is None else ()
    planner = Planner.of(
        model,
        scan=resource.scan,
        whole=declared.whole,
        filterable=filters.binding,
        told=filters.attributes.union(name for name in shown if name not in field_rules.read),
        deletion=declared.deletion,
    )
    listed = declared.by_name.get("list")
    if listed is None or not listed.is_default:
        return planner
    usable = [*planner.usable(bindable)]
    if resource.scan or any(not path.sparse for path in usable):
        return planner
    if usable and bindable is not None:
        _check_reachable(declared, usable, {*schema.names, *filters.attributes, *bindable})
    if usable:
        return planner
    raise _unbound(declared, planner, bindable or frozenset())


def _unbound(declared: Declaration, planner: Planner, bindable: frozenset[str]) -> ConfigurationError:
    """The error that says what is to be bound for the table, or for an index."""
    attributes = declared.model.get_attributes()
    names = {one.attr_name: name for name, one in attributes.items()}
    bound = {attributes[name].attr_name for name in bindable}
    missing = {
        path.index: [names.get(one, one) for one in path.unbound_for(None, bound)] for path in planner.paths
    }
    several = [
        f"{' and '.join(map(repr, parts))} of {'the table' if index is None else f'the index {index}'}"
        for index, parts in missing.items()
    ]
    [one, *others] = missing[None]
    advice = "Bind one of these" if missing.keys() != {None} else "Bind these" if others else "Bind it"
    example = "" if others else f"({one!r})"
    return ConfigurationError(
        f"{declared.name}.list could serve no request: nothing binds the partition key {', or '.join(several)}."
        f" {advice} by OwnedBy{example}, the route or filters, override list, or say scan = True"
    )


def _check_reachable(declared: Declaration, lacking: Sequence[AccessPath], usable: Collection[str]) -> None:
    """Raise ``ConfigurationError`` where no request can sort by or filter on what these indexes lack items without."""
    names = {one.attr_name: name for name, one in declared.model.get_attributes().items()}
    several = [[names.get(place, place) for place in path.lacked_in_sort] for path in lacking]
    lacked = sorted({" and ".join(one) for one in several})
    if not any(all(name in usable for name in one) for one in several):
        raise ConfigurationError(
            f"{declared.name}.list could serve no request: the indexes that it can use lack items without"
            f" {' or '.join(lacked)}, which no request can sort by or filter on. Show it, add a filter for it, or say"
            " scan = True"
        )
