"""What a rule says of a request, before its item is known."""

from pynamodb.models import Model

from polymicro_lambda.exceptions import NotFound
from polymicro_lambda.http import Request
from polymicro_lambda.routing import DELETED, Route
from polymicro_lambda.rules import Method, Rule, RuleContext, Verdict

from .request_guard import denied

PAGE_METHOD = Method("docs", "GET")
"""What the permissions of a page are asked about."""


def permitted(route: Route, request: Request) -> Verdict:
    """What the rule says before the item is known. Raises ``Unauthorized`` or ``Forbidden`` where that is no.

    And ``NotFound``, before a permission sees it, for a path that holds what can be no key.
    """
    if route.asks_request and (request.user is not None or any(one.anonymous for one in route.rule.leaves())):
        # What can be no key finds nothing: a permission that looks it up need not expect it.
        for name, text in route.path_texts(request.segments).items():
            _check_key(route, name, text)
    context = RuleContext(request.user, route.method, route.model, request, route.address)
    if route.shows_deleted is not None and "true" in request.query.get(DELETED, ()):
        decided(route.shows_deleted, context)
    verdict = route.rule.decide(context)
    return denied(request.user) if verdict is False else verdict


def decided(rule: Rule, ask: RuleContext) -> Verdict:
    """What a rule says so far. Raises as ``permitted``."""
    verdict = rule.decide(ask)
    return denied(ask.user) if verdict is False else verdict


def _check_key(route: Route, name: str, text: str) -> None:
    try:
        route.schema.parse_key(name, text)
    except ValueError as error:
        raise NotFound() from error


def asks_for_user(rule: Rule) -> bool:
    """Whether a page's rule turns away who is nobody in particular."""
    return rule.decide(RuleContext(None, PAGE_METHOD, Model)) is False
