"""Which requests an authorizer stands before: what the template, `polymicro serve` and the documents go by."""

from collections.abc import Iterable
from typing import Literal, TypeAlias

from polymicro_lambda.dynamodb import has_table
from polymicro_lambda.permissions import AllowAny
from polymicro_lambda.rules import RuleContext

from .routes import Route

Authorization: TypeAlias = Literal["required", "optional", "none"]
"""``required``: who sends no token is refused; ``optional``: who sends none is nobody, and a bad one is refused;
``none``: no token is looked at."""


def is_open(route: Route) -> bool:
    """Whether a request without a user gets past the first question of the rule."""
    return route.rule.decide(RuleContext(None, route.method, route.model)) is not False


def for_everybody(route: Route) -> bool:
    """Whether no permission can refuse anybody."""
    return all(type(leaf) is AllowAny for leaf in route.rule.leaves()) and is_open(route)


def asks_who(routes: Iterable[Route]) -> bool:
    """Whether some answer of an app may depend on its user."""
    return not all(map(is_same_for_all, routes))


def authorization_of(route: Route, *, asks_who: bool) -> Authorization:
    """How an authorizer stands before a route of an app, which ``asks_who`` comes or does not."""
    if not is_open(route):
        return "required"
    return "optional" if asks_who else "none"


def is_same_for_all(route: Route) -> bool:
    """Whether nothing that a route answers can depend on its user."""
    own_code = not route.is_default and not route.arguments.isdisjoint(("user", "request"))
    hooks = route.whole and has_table(route.model)
    more = (hooks, route.shows_deleted, route.embeds, route.rate, route.idempotency_table)
    return for_everybody(route) and route.field_rules.free and not own_code and not any(more)
