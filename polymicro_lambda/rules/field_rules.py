"""Which fields a user may read and write: the hook ``fields_for`` and the table ``field_permissions`` of a resource."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from polymicro_lambda.exceptions import ConfigurationError, Unprocessable
from polymicro_lambda.lazy import lazy
from polymicro_lambda.schemas import ItemSchema

from .algebra import Rule, rule_from
from .context import Method, RuleContext
from .permission import Permission
from .verdicts import Verdict

FieldsFor: TypeAlias = Callable[[Any, Method], Any]
"""``ModelResource.fields_for``: user and method -> the fields that the user may use."""
READ, WRITE = 0, 1
"""The places of a pair that ``fields_for`` returns."""


@dataclass(frozen=True)
class FieldRules:
    """The field rules of one resource, compiled."""

    schema: ItemSchema
    read: Mapping[str, Rule]
    write: Mapping[str, Rule]
    fields_for: FieldsFor | None
    """The resource's hook, None where it has none of its own."""
    free: bool
    """No field has a rule: everybody may use all."""

    @classmethod
    def of(
        cls, resource: str, table: Mapping[str, Any], schema: ItemSchema, fields_for: FieldsFor | None
    ) -> "FieldRules":
        """Read the table. Raises ``ConfigurationError`` for unknown fields, and for rules that need the item."""
        read: dict[str, Rule] = {}
        write: dict[str, Rule] = {}
        for name, declared in table.items():
            where = f"{resource}.field_permissions[{name!r}]"
            if name not in schema.members:
                raise ConfigurationError(f"{where}: there is no such field")
            pair = declared if isinstance(declared, Mapping) else {"read": declared, "write": declared}
            if not pair or not set(pair) <= {"read", "write"}:
                raise ConfigurationError(f'{where}: say a permission, or {{"read": …, "write": …}}')
            for rules, key in ((read, "read"), (write, "write")):
                rules |= {name: _rule(where, pair[key])} if key in pair else {}
        return cls(schema, read, write, fields_for, free=not (fields_for or read or write))

    @property
    def names(self) -> frozenset[str]:
        """All fields."""
        return self.schema.members

    @lazy
    def shown(self) -> frozenset[str]:
        """The fields that answers show."""
        return frozenset(self.schema.names)

    @lazy
    def never_read(self) -> frozenset[str]:
        """The fields that no answer shows."""
        return self.names - self.shown

    def leaves(self) -> Iterator[Permission]:
        """The permissions in the table."""
        return (
            leaf for table in (self.read, self.write) for rule in table.values() for leaf in rule.leaves()
        )

    def readable(self, context: RuleContext) -> frozenset[str]:
        """The fields that an answer shows to this user."""
        return self.shown if self.free else self.shown & self._allowed(context, self.read, READ)

    def closed(self, context: RuleContext, body: Any) -> frozenset[str]:
        """The fields that this user may not write. Raises ``Unprocessable`` where the body holds one."""
        if self.free:
            return frozenset()
        closed = self.names - self._allowed(context, self.write, WRITE)
        refused = [name for name in body if name in closed] if isinstance(body, Mapping) else []
        if refused:
            errors = [{"pointer": f"#/{name}", "detail": "You may not write this field."} for name in refused]
            raise Unprocessable("The body holds fields that you may not write.", errors=errors)
        return closed

    def _allowed(self, context: RuleContext, rules: Mapping[str, Rule], place: int) -> frozenset[str]:
        fields: Any = None if self.fields_for is None else self.fields_for(context.user, context.method)
        if _is_pair(fields):
            fields = fields[place]
        names = self.names if fields is None else self.names & frozenset(fields)
        return frozenset(name for name in names if name not in rules or _holds(rules[name].decide(context)))


def _holds(verdict: Verdict) -> bool:
    """Whether a verdict holds whatever the item; a related item that it asks for is read."""
    return verdict if isinstance(verdict, bool) else verdict.allows(None, {})


def _is_pair(fields: Any) -> bool:
    """Whether a hook returned (fields to read, fields to write)."""
    return (
        isinstance(fields, tuple) and len(fields) == 2 and not any(isinstance(part, str) for part in fields)
    )


def _rule(where: str, declared: Any) -> Rule:
    try:
        rule = rule_from(declared)
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from error
    for leaf in rule.leaves():
        kind = type(leaf)
        if (kind.where, kind.has_object_permission) != (Permission.where, Permission.has_object_permission):
            raise ConfigurationError(
                f"{where}: {leaf} needs the item, which the rule of a field does not see"
            )
    return rule
