"""The reads that composed keys cost: of the parts that a write does not say."""

from collections.abc import Iterator

from polymicro_lambda.dynamodb import ComposedKey, model_info
from polymicro_lambda.routing import Route

from .wording import Line


def composed_lines(route: Route) -> Iterator[Line]:
    """A line for each key that a request of the route may compose of what it reads."""
    for key, always in keys_read_for(route):
        when = "" if always else f"where the body says some of {key.names}, but not all: "
        yield "composes", f"{key.name}: {when}1 GetItem comes first, and what it read is unchanged"


def keys_read_for(route: Route) -> Iterator[tuple[ComposedKey, bool]]:
    """The composed keys of indexes for which the item may be read, and whether it is for each request."""
    about = model_info(route.model)
    said, may_say = _changes(route)
    fixed = {one.attr_name for one in about.address.values()}
    for key in about.composed.values():
        unsaid = key.places - fixed - said
        if not key.of_table and unsaid and not key.places.isdisjoint(said | may_say):
            yield key, not key.places.isdisjoint(said)


def _changes(route: Route) -> tuple[frozenset[str], frozenset[str]]:
    """The attributes that each request changes, and those that its body may: by their names in DynamoDB."""
    if route.deletion is not None and (route.verb == "delete" or route.is_restore):
        return frozenset({route.deletion.stored_name}), frozenset()
    if route.verb != "update":
        return frozenset(), frozenset()
    schema = route.schema
    names = {name for name in schema.updating.load_fields if name in schema.attributes}
    writable = frozenset(schema.attributes[name].attr_name for name in names)
    puts = route.http == "PUT" and not route.merges
    return (route.touched | writable if puts else route.touched), writable
