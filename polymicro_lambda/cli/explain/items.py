"""The calls of a request for one item, in words: of a create, retrieve, update, delete or action."""

from collections.abc import Iterable, Iterator

from polymicro_lambda.cli.composed_keys import composed_lines
from polymicro_lambda.cli.wording import Line, of_values, of_verdict
from polymicro_lambda.dispatch import Operation
from polymicro_lambda.dynamodb import fits, model_info
from polymicro_lambda.items import live_conditions
from polymicro_lambda.routing import Route
from polymicro_lambda.rules import attributes_of_verdict, condition_text, is_opaque


def create_lines(operation: Operation) -> Iterator[Line]:
    """The lines of a create."""
    yield "calls", f"{_own_calls_first(operation)}1 PutItem, on the condition that its key is free"
    yield from _unique_lines(operation, "the item has")
    if operation.asked.route.takes_many:
        most = operation.asked.route.resource.max_bulk
        yield (
            "a list",
            f"of at most {most}: 1 TransactWriteItems; with Prefer: handling=lenient the above for each",
        )
    bound = operation.guard().bound
    if bound:
        yield "sets", of_values(operation.asked.route.model, bound)
    if operation.verdict is not True:
        yield "first", "the rule is judged on the new item; where it does not hold, nothing is written (403)"


def retrieve_lines(operation: Operation) -> Iterator[Line]:
    """The lines of a retrieve."""
    yield (
        "calls",
        "1 GetItem, consistent" + ("" if operation.asked.route.is_default else ", then those of the verb"),
    )
    yield "key", _key(operation)
    if operation.verdict is not True:
        yield "then", "the rule is judged on the item as read (404 where it does not hold)"
    deletion = operation.asked.route.deletion
    if deletion is not None:
        said = "is" if operation.asked.asks_for_deleted else "is not"
        yield "and", f"whether it {said} deleted, by {deletion.stored_name} (else 404)"


def update_lines(operation: Operation) -> Iterator[Line]:
    """The lines of an update."""
    schema = operation.asked.route.schema
    names = {name for name in schema.updating.load_fields if name in schema.attributes}
    writable = frozenset(schema.attributes[name].attr_name for name in names)
    route = operation.asked.route
    puts = route.http == "PUT" and not route.merges
    version = model_info(operation.asked.route.model).version
    counted = route.touched if version is None else route.touched | {version.attr_name}
    yield from _write_lines(operation, "UpdateItem", writable | counted if puts else counted)
    if route.creation is not None:
        yield "else", "where there is no item: 1 PutItem, on the condition that its key is free (201)"
    yield from _unique_lines(operation, "changes, after 1 GetItem")
    verdict = operation.guard().verdict
    judged = attributes_of_verdict(verdict) & writable
    if judged and not puts and not operation.guard().needs_instance(counted):
        yield "except", f"a body that changes {_before_and_after(judged)}: 1 GetItem comes first"


def delete_lines(operation: Operation) -> Iterator[Line]:
    """The lines of a delete."""
    deletion = operation.asked.route.deletion
    if deletion is not None:
        yield from _write_lines(operation, "UpdateItem", frozenset())
        yield "sets", f"{deletion.stored_name} to the time: the item stays, and counts as gone"
        return
    yield from _write_lines(operation, "DeleteItem", frozenset())
    yield from _unique_lines(operation, "the item has, after 1 GetItem")


def restore_lines(operation: Operation) -> Iterator[Line]:
    """The lines of a restore."""
    deletion, version = operation.asked.route.deletion, model_info(operation.asked.route.model).version
    marks = [None if deletion is None else deletion.attribute, version]
    changed = frozenset(one.attr_name for one in marks if one is not None)
    yield from _write_lines(operation, "UpdateItem", changed)


def _unique_lines(operation: Operation, which: str) -> Iterator[Line]:
    """The line of a write that keeps values unique; none where the resource has no such values."""
    if operation.asked.route.uniqueness is not None:
        names = ", ".join(" with ".join(one.names) for one in operation.asked.route.uniqueness.constraints)
        yield (
            "unique",
            f"{names}: 1 TransactWriteItems instead, with a reservation of each value that {which}",
        )


def _write_lines(operation: Operation, name: str, changed: frozenset[str]) -> Iterator[Line]:
    """The lines of a conditional write to an item that must exist, after a read where the rule needs the item."""
    route, guard = operation.asked.route, operation.guard()
    rule = guard.sendable
    here = rule is False or not (isinstance(rule, bool) or fits([rule]))
    reads = here or guard.needs_instance(changed)
    read = "1 GetItem, consistent, then " if reads or route.reads_item else ""
    pinned = reads or route.reads_item
    composed = [] if reads or route.reads_item else [*composed_lines(route)]
    yield "calls", f"{read}{_own_calls_first(operation)}1 {name}, on a condition"
    yield "key", _key(operation)
    conditions = [] if here or isinstance(rule, bool) else [rule]
    if route.requirement is not None:
        conditions.append(route.requirement.condition)
    if operation.asked.address is not None:
        conditions.append(operation.asked.address.condition)
    texts = ["the item exists", *map(condition_text, [*live_conditions(route.model), *conditions])]
    yield (
        "condition",
        " AND ".join([*texts, f"what {_reader(route, reads)} read is unchanged"] if pinned else texts),
    )
    if reads:
        opaque = f"only Python can judge {of_verdict(guard.verdict)}"
        judged = attributes_of_verdict(guard.verdict) & changed
        changes = _JUDGED_HERE if here else f"it changes {_before_and_after(judged)}"
        yield "reads, as", opaque if is_opaque(guard.verdict) else changes
    yield from composed
    inside = model_info(route.model).version is not None
    compared = "part of the condition" if inside else "compared with the item, which is read first"
    yield "If-Match", compared + (", and required (else 428)" if route.resource.require_if_match else "")


def _reader(route: Route, reads: bool) -> str:
    """Who reads of the item: the rule, the resource's own verb, or its hook."""
    cleans = route.cleans and route.verb == "update"
    return " and ".join([*["the rule"] * reads, *["the verb"] * (not route.is_default), *["clean"] * cleans])


_JUDGED_HERE = (
    "the rule holds for nothing, or is too large for a condition of DynamoDB's (4,096 bytes, 300 operators)"
)


def _before_and_after(judged: Iterable[str]) -> str:
    return f"{', '.join(sorted(judged))}, by which the rule must hold before and after"


def action_lines(operation: Operation) -> Iterator[Line]:
    """The lines of an action."""
    if operation.asked.route.about.detail:
        yield "calls", "1 GetItem, consistent, for the instance; then those of the action"
        yield "key", _key(operation)
        yield "condition", "of its writes to the item: what the action read is unchanged (else 409)"
    else:
        yield "calls", "those of the action"


def _own_calls_first(operation: Operation) -> str:
    """The words before the call; none where the verb is the mixin's."""
    route = operation.asked.route
    return "" if route.is_default else f"those of the verb; its super().{route.verb}() is "


def _key(operation: Operation) -> str:
    route, bound = operation.asked.route, operation.asked.bound
    if route.lookup is not None:
        found = of_values(route.model, {route.lookup.name: bound[route.lookup.name]})
        return f"that of the item with {found}: 1 GetItem of its reservation, consistent, comes first"
    return of_values(route.model, {name: bound[name] for name in model_info(route.model).address})
