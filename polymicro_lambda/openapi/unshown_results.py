"""Updates that may be answered without the written item."""

from polymicro_lambda.dynamodb import model_info
from polymicro_lambda.permissions import (
    AllowAny,
    HasPermission,
    InGroup,
    IsAuthenticated,
    OwnedBy,
    Permission,
    ReadOnly,
)
from polymicro_lambda.routing import Route, is_open
from polymicro_lambda.rules import AllOf, AnyOf, Rule

_STEADY = (AllowAny, HasPermission, InGroup, IsAuthenticated, OwnedBy)
"""Permissions that decide alike for every verb, before and after an update."""
_TO_READ = (AllowAny, IsAuthenticated, ReadOnly)
"""Permissions that let all users read, those with ``anonymous`` nobody in particular too."""


def may_be_unshown(route: Route) -> bool:
    """Whether the user of an update or a restore may not see its result: by the rule for ``retrieve``, or a TTL."""
    if route.verb not in ("update", "restore") or route.is_action:
        return False
    if model_info(route.model).ttl is not None:
        return True
    reading = route.rules["retrieve"]
    if _lets_all_read(reading, anonymous=is_open(route)):
        return False
    return reading is not route.rule or any(type(leaf) not in _STEADY for leaf in reading.leaves())


def _lets_all_read(rule: Rule, *, anonymous: bool) -> bool:
    if isinstance(rule, AllOf | AnyOf):
        among = all if isinstance(rule, AllOf) else any
        return among(_lets_all_read(part, anonymous=anonymous) for part in rule.parts)
    if isinstance(rule, Permission) and type(rule) in _TO_READ:
        return not anonymous or (rule.anonymous and type(rule) is not IsAuthenticated)
    return False
