"""What a resource embeds of another one, compiled."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from polymicro_lambda.rules import Method, Rule

if TYPE_CHECKING:
    from .routes import Route


class Embed(NamedTuple):
    """Items of another resource that stand in the answers of one, as a member of each item."""

    name: str
    """The member's."""
    route: "Route"
    """One of the other resource: its schema, its rules and its hooks."""
    method: Method
    """What the permissions of the other resource are asked about."""
    key: Mapping[str, str]
    """Attribute of the other model -> attribute of this one, whose value it has."""
    fields: frozenset[str] | None
    """The fields that are shown, None for all."""
    always: bool
    """Whether it is shown without being asked for."""
    limit: int | None
    """The most items that are shown, in a list; None for one item, by its whole key."""

    @property
    def rule(self) -> Rule:
        """The rule of the other resource."""
        return self.route.rules[self.method]
