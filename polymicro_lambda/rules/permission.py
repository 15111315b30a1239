"""`Permission`, the base class of permissions, and how one is decided before the item is known."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from pynamodb.expressions.condition import Condition

from polymicro_lambda.exceptions import ConfigurationError

from .algebra import PermissionMeta, Rule
from .context import Method, RuleContext, ask_permission, has_answered, takes_request
from .verdicts import BOTH, ConditionCheck, OpaqueCheck, SidedCheck, Verdict

PERMISSION_METHODS = ("has_permission", "has_object_permission", "where")
"""The methods of `Permission` that grant or deny."""


class Permission(Rule, metaclass=PermissionMeta):
    """One rule. Override ``has_permission``, and for objects ``has_object_permission`` or ``where``.

    An answer counts by its truth; None, a forgotten return, denies. With no user a permission is not asked and
    denies, unless its class says ``anonymous = True``. Each of the methods may also ask for ``request``.
    """

    anonymous: bool = False
    """Whether it is asked when there is no user; ``user`` is None then."""
    judges: str = BOTH
    """The side of an update on which its object rule must hold.

    ``"before"`` is the item as it was, ``"after"`` the item as it would be; ``"both"`` asks it of both. A create has no
    before; reads and deletes have the item as it is alone.
    """
    calls: Mapping[Any, Any] = {}
    """DynamoDB operations that its methods call, for the IAM policy; as ``ModelResource.calls``."""

    def has_permission(self, user: Any, method: Method) -> Any:
        """Whether the user may use this verb at all."""
        return True

    def has_object_permission(self, user: Any, method: Method, instance: Any) -> Any:
        """Whether the user may do this to this instance; asked on each row of a list too."""
        return True

    def where(self, user: Any, method: Method, model: Any) -> Any:
        """The object rule as a PynamoDB condition on ``model``'s attributes, or True, or False.

        It is checked inside the write, and on reads on the item as stored.
        """
        return True

    def decide(self, context: RuleContext, negated: bool = False) -> Verdict:
        """The verdict before the item is known."""
        if context.user is None and not self.anonymous:
            return False
        if context.request is None and self.asks_request:
            return False  # a template is decided without a request: nobody can say yet
        overrides = _overrides(type(self))
        if overrides.has_permission:
            answer = (
                ask_permission(self.has_permission, context)
                if overrides.takes_request
                else self.has_permission(context.user, context.method)
            )
            if answer is None:
                return has_answered(answer, self, "has_permission")
            if not answer:
                return negated
        if overrides.has_object_permission:
            check: ConditionCheck | OpaqueCheck | bool = OpaqueCheck(self, context, negated)
        else:
            check = self._decide_where(context, negated) if overrides.where else not negated
        return check if self.judges == BOTH or isinstance(check, bool) else SidedCheck(check, self.judges)

    @property
    def asks_request(self) -> bool:
        """Whether one of its methods asks for the request."""
        return any(takes_request(getattr(self, question)) for question in PERMISSION_METHODS)

    def _decide_where(self, context: RuleContext, negated: bool) -> ConditionCheck | bool:
        condition = ask_permission(self.where, context, context.model)
        if isinstance(condition, Condition):
            return ConditionCheck(~condition if negated else condition)
        if not isinstance(condition, bool | None):
            # A tuple (one comma too many) or an attribute would count as true and open everything.
            raise ConfigurationError(
                f"{type(self).__name__}.where returned a {type(condition).__name__}: return a condition, True or False"
            )
        return has_answered(condition, self, "where") and condition is not negated

    def leaves(self) -> Iterator["Permission"]:
        """The permissions of this rule: this one."""
        yield self

    def __str__(self) -> str:
        return type(self).__name__


class _Overrides(NamedTuple):
    """The methods that a permission's class overrides, and whether ``has_permission`` takes the request."""

    has_permission: bool
    takes_request: bool
    has_object_permission: bool
    where: bool


@cache
def _overrides(kind: type[Permission]) -> _Overrides:
    return _Overrides(
        kind.has_permission is not Permission.has_permission,
        takes_request(kind.has_permission),
        kind.has_object_permission is not Permission.has_object_permission,
        kind.where is not Permission.where,
    )
