"""Which DynamoDB calls a request would make: said by the parts that would serve it, without calling anything."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

from pynamodb.expressions.operand import Path, Value

from polymicro_lambda.app import PolyMicro
from polymicro_lambda.dispatch import Operation, Services, VerbRequest, permitted, route_of
from polymicro_lambda.dynamodb import GROWTH, model_info
from polymicro_lambda.http import Request, User, source_of
from polymicro_lambda.items import live_conditions
from polymicro_lambda.lists import AccessPath, Cursors, Plan
from polymicro_lambda.routing import Route, Router
from polymicro_lambda.rules import attributes_of_verdict, is_opaque
from polymicro_lambda.testing import FakeContext, make_event

from .wording import of_all, of_condition, of_values, of_verdict

Line: TypeAlias = tuple[str, str]
"""What it is about, and what is to be said of it."""


def explain(app: PolyMicro, asked: str, user: User | None) -> list[Line]:
    """What a compiled app would do for a request such as ``"GET /todo?done=true"``, made by this user.

    Raises the ``HTTPError`` that the request would be answered with before any call.
    """
    method, _, target = asked.strip().rpartition(" ")
    event = make_event(method.strip().upper() or "GET", target, user=user)
    request = source_of(event).to_request(event, FakeContext())
    match = Router(app.routes).find(request.segments)
    if request.method == "OPTIONS":
        return [("calls", f"none: 204 with Allow: {match.allow}")]
    route = route_of(match, request.method)
    operation = _operation(app, route, replace(request, path_params=match.params(route)))
    lines = [("verb", _verb(route)), ("rule", f"{route.rule}: {of_verdict(operation.verdict)}")]
    if route.rate is not None:
        lines.append(("rate", f"{route.rate.policy}: 1 UpdateItem of the user's counter comes first"))
    return [*lines, *VERBS.get(route.verb, _action)(operation), *_with_a_key(route)]


def _operation(app: PolyMicro, route: Route, request: Request) -> Operation:
    """The request's operation, by the steps of the dispatcher that come before the body is read."""
    user = app._user_of(request)
    # Where a cursor starts changes nothing of the way in which a list is read, and it can be another stage's.
    query = {name: values for name, values in request.query.items() if name != "pagination_key"}
    match = {"if-match": "*"} if route.resource.require_if_match else {}
    request = replace(request, user=user, query=query, headers={**request.headers, **match})
    asked = VerbRequest(route, request, Services(Cursors(["explain"]), str))
    return Operation(asked, permitted(route, request))


def _verb(route: Route) -> str:
    """The verb's name, and whose code it is."""
    own = "" if route.is_default else ", which the resource defines itself"
    return f"{type(route.resource).__name__}.{route.verb}{own}"


def _with_a_key(route: Route) -> Iterator[Line]:
    """What an ``Idempotency-Key`` adds."""
    if route.idempotency_table is not None:
        needed = ", and required (else 400)" if route.resource.require_idempotency_key else ""
        yield (
            "with a key",
            f"PutItem and UpdateItem for its marker, and a create is a TransactWriteItems{needed}",
        )


# --- lists ----------------------------------------------------------------------------------------------


def _list(operation: Operation) -> Iterator[Line]:
    if operation.asked.route.is_default:
        yield from _planned(operation, operation.plan())
        return
    operation.guard()  # refuses a query that the list does not take
    yield "calls", "those of the verb: it queries by itself"
    given = operation.asked.route.filters.parameters and "filters" not in operation.asked.route.arguments
    yield (
        "then",
        f"{'filters and rule are' if given else 'the rule is'} checked here on every row that it returns",
    )
    yield "pages", f"at most {operation.asked.route.resource.read_budget} of a query or scan that it returns"


def _planned(operation: Operation, plan: Plan) -> Iterator[Line]:
    if plan.empty:
        yield "calls", "none: no item can meet all conditions, so that the list is empty"
        return
    if plan.keys is not None:
        yield from _picked(operation, plan)
        return
    operation_name = "Scan" if plan.partition is None else "Query"
    order = "" if plan.forward else ", backwards"
    yield "calls", f"{operation_name} on {_place(plan.path)}{order}"
    if plan.partition is not None:
        key = Path([plan.path.partition]) == Value(plan.partition)
        yield "key", of_all([key] if plan.key_condition is None else [key, plan.key_condition])
    if plan.filters:
        yield "filter", f"{of_all(plan.filters)}, by DynamoDB, after it has read (and billed) the items"
    if plan.checks and not plan.completes:
        yield "check", f"{of_all(plan.checks)}, here, after the read"
    if is_opaque(operation.verdict):
        yield "judge", f"{of_verdict(operation.verdict)}, here, row by row"
    if plan.projection is not None:
        yield "reads", ", ".join(sorted(plan.projection))
    if plan.completes:
        yield (
            "then",
            "BatchGetItem on the table, as the index lacks attributes; what it gives is checked again",
        )
    yield "pages", _pages(operation, plan, operation_name)
    if plan.path.sparse and plan.key_condition is None:
        yield "beware", f"items without {plan.path.sort} are not in this index"


def _picked(operation: Operation, plan: Plan) -> Iterator[Line]:
    count = len(plan.keys or ())
    yield "calls", f"BatchGetItem on the table, of {count} key{'' if count == 1 else 's'}, consistent"
    if plan.checks:
        yield "check", f"{of_all(plan.checks)}, here, after the read"
    if is_opaque(operation.verdict):
        yield "judge", f"{of_verdict(operation.verdict)}, here, row by row"


def _pages(operation: Operation, plan: Plan, name: str) -> str:
    """How many calls a page of the list takes."""
    limit = operation.asked.request.query.get("limit", (str(operation.asked.route.limit),))[0]
    checked = plan.checks and not plan.completes
    name, one = (
        (f"{name} and BatchGetItem", f"1 {name} and 1 BatchGetItem")
        if plan.completes
        else (name, f"1 {name}")
    )
    if not (plan.filters or checked or is_opaque(operation.verdict)):
        return f"{one} for {limit} items; more only where these exceed the 1 MB of one call"
    budget = operation.asked.route.resource.read_budget
    return (
        f"1 to {budget} {name} calls for {limit} items: rows drop out; each may read {GROWTH} times the last"
    )


def _place(path: AccessPath) -> str:
    kind = "global" if path.is_global else "local"
    return "the table" if path.index is None else f"the {kind} index {path.index}"


# --- items ----------------------------------------------------------------------------------------------


def _create(operation: Operation) -> Iterator[Line]:
    yield "calls", f"{_own(operation)}1 PutItem, on the condition that its key is free"
    yield from _unique(operation, "the item has")
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


def _retrieve(operation: Operation) -> Iterator[Line]:
    yield (
        "calls",
        "1 GetItem, consistent" + ("" if operation.asked.route.is_default else ", then those of the verb"),
    )
    yield "key", _key(operation)
    if operation.verdict is not True:
        yield "then", "the rule is judged on the item as read (404 where it does not hold)"


def _update(operation: Operation) -> Iterator[Line]:
    schema = operation.asked.route.schema
    names = {name for name in schema.updating.load_fields if name in schema.attributes}
    writable = frozenset(schema.attributes[name].attr_name for name in names)
    puts = operation.asked.route.http == "PUT"
    yield from _written(operation, "UpdateItem", writable if puts else frozenset())
    yield from _unique(operation, "changes, after 1 GetItem")
    verdict = operation.guard().verdict
    judged = attributes_of_verdict(verdict) & writable
    if judged and not puts and not is_opaque(verdict):
        yield "except", f"a body that changes {_both(judged)}: 1 GetItem comes first"


def _delete(operation: Operation) -> Iterator[Line]:
    yield from _written(operation, "DeleteItem", frozenset())
    yield from _unique(operation, "the item has, after 1 GetItem")


def _unique(operation: Operation, which: str) -> Iterator[Line]:
    """What a write does to keep values unique."""
    if operation.asked.route.uniqueness is not None:
        said = ", ".join(" with ".join(one.names) for one in operation.asked.route.uniqueness.constraints)
        yield "unique", f"{said}: 1 TransactWriteItems instead, with a marker of each value that {which}"


def _written(operation: Operation, name: str, changed: frozenset[str]) -> Iterator[Line]:
    """One conditional write to an item that must be there, after a read where the rule must see the item."""
    route, guard = operation.asked.route, operation.guard()
    sees = guard.must_see(changed)
    read = "1 GetItem, consistent, then " if sees or not route.is_default else ""
    yield "calls", f"{read}{_own(operation)}1 {name}, on a condition"
    yield "key", _key(operation)
    conditions = [] if guard.condition is None else [guard.condition]
    said = ["the item exists", *map(of_condition, [*live_conditions(route.model), *conditions])]
    yield "condition", " AND ".join([*said, "what the rule read is unchanged"] if sees else said)
    if sees:
        opaque = f"only Python can judge {of_verdict(guard.verdict)}"
        judged = attributes_of_verdict(guard.verdict) & changed
        yield "reads, as", opaque if is_opaque(guard.verdict) else f"it changes {_both(judged)}"
    inside = model_info(route.model).version is not None
    compared = "part of the condition" if inside else "compared with the item, which is read first"
    yield "If-Match", compared + (", and required (else 428)" if route.resource.require_if_match else "")


def _both(judged: Iterable[str]) -> str:
    return f"{', '.join(sorted(judged))}, by which the rule must hold before and after"


def _action(operation: Operation) -> Iterator[Line]:
    if operation.asked.route.about.detail:
        yield "calls", "1 GetItem, consistent, for the instance; then those of the action"
        yield "key", _key(operation)
    else:
        yield "calls", "those of the action"


VERBS: Mapping[str, Callable[[Operation], Iterable[Line]]] = {
    "create": _create,
    "list": _list,
    "retrieve": _retrieve,
    "update": _update,
    "delete": _delete,
}
"""Verb -> what it does; any other is an action."""


def _own(operation: Operation) -> str:
    """What comes before the call where the verb is not the mixin's."""
    return (
        ""
        if operation.asked.route.is_default
        else f"those of the verb; its super().{operation.asked.route.verb}() is "
    )


def _key(operation: Operation) -> str:
    bound, keys = operation.guard().bound, model_info(operation.asked.route.model).keys
    return of_values(operation.asked.route.model, {name: bound[name] for name in keys})
