"""A request, explained by the parts that would serve it: nothing is called."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from polymicro_lambda.app import PolyMicro
from polymicro_lambda.cli.wording import Line, of_verdict
from polymicro_lambda.dispatch import Operation, Services, VerbRequest, permitted, route_of
from polymicro_lambda.http import Request, User, request_of
from polymicro_lambda.lists import Cursors
from polymicro_lambda.permissions import Permission, Through
from polymicro_lambda.routing import Route, Router
from polymicro_lambda.rules import condition_text, error_of
from polymicro_lambda.testing import FakeContext, make_event

from .items import action_lines, create_lines, delete_lines, restore_lines, retrieve_lines, update_lines
from .lists import list_lines
from .refused_calls import calls_refused


def explain(app: PolyMicro, text: str, user: User | None) -> list[Line]:
    """The calls of a compiled app for a request such as ``"GET /todo?done=true"``, made by ``user``.

    Raises the ``HTTPError`` that the request would be answered with before any call, and ``CallRefused`` where code
    of the app that is no permission calls DynamoDB before.
    """
    with calls_refused() as readers:
        lines = _lines(app, text, user)
    return [*lines, *map(_reader_line, readers)]


def _reader_line(permission: Permission) -> Line:
    return (
        "beware",
        f"{permission} reads DynamoDB by itself: what it decides is not known here, and taken for yes",
    )


def _lines(app: PolyMicro, text: str, user: User | None) -> list[Line]:
    method, _, target = text.strip().rpartition(" ")
    event = make_event(method.strip().upper() or "GET", target, user=user)
    request = request_of(event, FakeContext())
    match = Router(app.routes).find(request.segments)
    if request.method == "OPTIONS":
        return [("calls", f"none: 204 with Allow: {match.allow}")]
    route = route_of(match, request.method)
    operation = _operation(app, route, replace(request, path_params=match.params(route)))
    lines = [("verb", _verb_and_owner(route)), ("rule", f"{route.rule}: {of_verdict(operation.verdict)}")]
    if route.rate is not None:
        lines.append(("rate", f"{route.rate.policy}: 1 UpdateItem of the user's counter comes first"))
    verb_lines = (action_lines if route.is_action else VERBS[route.verb])(operation)
    return [
        *lines,
        *verb_lines,
        *_related_lines(route),
        *_embed_lines(operation),
        *_term_lines(route),
        *_idempotency_lines(route),
    ]


def _operation(app: PolyMicro, route: Route, request: Request) -> Operation:
    """The request's operation, by the steps of the dispatcher that come before the body is read."""
    user = app._user_of(request)
    # A cursor changes nothing of the way in which a list is read, and it can be another stage's.
    query = {name: values for name, values in request.query.items() if name != "pagination_key"}
    match = {"if-match": "*"} if route.resource.require_if_match else {}
    request = replace(request, user=user, query=query, headers={**request.headers, **match})
    verb_request = VerbRequest(route, request, Services(Cursors(["explain"]), str))
    if route.lookup is not None:
        vars(verb_request)["key"] = None  # nothing is called
    return Operation(verb_request, permitted(route, request))


def _verb_and_owner(route: Route) -> str:
    """The verb's name, and whose code it is."""
    own = "" if route.is_default else ", which the resource defines itself"
    return f"{type(route.resource).__name__}.{route.verb}{own}"


def _related_lines(route: Route) -> Iterator[Line]:
    """The lines of the related items that the rule asks."""
    for leaf in route.rule.leaves():
        if isinstance(leaf, Through):
            key = ", ".join(f"{name} from {said}" for name, said in leaf.key.items())
            how = "a ConditionCheck of the write's transaction" if leaf.atomic else "read before the write"
            read = "read with the item by one BatchGetItem" if route.about.detail else "1 GetItem"
            yield f"{leaf.model.__name__}", f"by {key}: {how if route.writes else read}"


def _embed_lines(operation: Operation) -> Iterator[Line]:
    """The lines of what the answer shows of other resources."""
    for embed in operation.asked.embeds:
        key = " and ".join(f"{theirs} from {own}" for theirs, own in embed.key.items())
        resource, rule = type(embed.route.resource).__name__, f"{embed.route.rule} for {embed.method}"
        one = "in 1 BatchGetItem for all that the answer shows; null where it is gone or hidden"
        many = f"by 1 Query of the first {embed.limit}, without what is hidden"
        yield f"embeds {embed.name}", f"{resource} by {key}, {one if embed.limit is None else many}: {rule}"


def _term_lines(route: Route) -> Iterator[Line]:
    """The lines of what the verb requires, and of its attempts."""
    if route.requirement is not None:
        error = error_of(route.requirement.otherwise)
        yield (
            "requires",
            f"{condition_text(route.requirement.condition)}, part of every write of the item (else {error.status}:"
            f" {error.detail or error.title})",
        )
    if route.attempts > 1:
        yield (
            "attempts",
            f"{route.attempts}, each from a fresh read, where somebody else changes the item meanwhile",
        )


def _idempotency_lines(route: Route) -> Iterator[Line]:
    """The line of the calls that an ``Idempotency-Key`` adds."""
    if route.idempotency_table is not None:
        needed = ", and required (else 400)" if route.resource.require_idempotency_key else ""
        yield (
            "with a key",
            f"PutItem and UpdateItem for its record, and a create is a TransactWriteItems{needed}",
        )


VERBS: Mapping[str, Callable[[Operation], Iterable[Line]]] = {
    "create": create_lines,
    "list": list_lines,
    "retrieve": retrieve_lines,
    "update": update_lines,
    "delete": delete_lines,
    "restore": restore_lines,
}
"""Verb -> its lines; any other is an action."""
