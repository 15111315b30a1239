"""Which fields a user may read and write: the hook ``fields_for`` and the table ``field_permissions`` of a resource."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pynamodb.models import Model

from .actions import Method
from .exceptions import ConfigurationError, Unprocessable
from .permissions import Rule, rule_from
from .resources import ModelResource
from .verdicts import Ask

READ, WRITE = 0, 1
"""The places of a pair that ``fields_for`` returns."""


@dataclass(frozen=True, slots=True)
class FieldRules:
    """The field rules of one resource, compiled."""

    resource: ModelResource
    names: frozenset[str]
    """All fields."""
    read: Mapping[str, Rule]
    write: Mapping[str, Rule]

    @classmethod
    def of(cls, resource: ModelResource, names: Iterable[str]) -> "FieldRules":
        """Read the table. Raises ``ConfigurationError`` for unknown fields, and for rules that need the item."""
        known = frozenset(names)
        read: dict[str, Rule] = {}
        write: dict[str, Rule] = {}
        for name, said in resource.field_permissions.items():
            where = f"{type(resource).__name__}.field_permissions[{name!r}]"
            if name not in known:
                raise ConfigurationError(f"{where}: there is no such field")
            pair = said if isinstance(said, Mapping) else {"read": said, "write": said}
            if not pair or not set(pair) <= {"read", "write"}:
                raise ConfigurationError(f'{where}: say a permission, or {{"read": …, "write": …}}')
            for table, key in ((read, "read"), (write, "write")):
                table |= {name: _rule(where, pair[key])} if key in pair else {}
        return cls(resource, known, read, write)

    def readable(self, user: Any, model: type[Model]) -> frozenset[str]:
        """The fields that an answer to this user shows."""
        return self._allowed(user, Method("retrieve", "GET"), model, self.read, READ)

    def check_write(self, user: Any, method: Method, model: type[Model], body: Any) -> None:
        """Raise ``Unprocessable`` for members of a body that this user may not write."""
        if not isinstance(body, Mapping):
            return
        allowed = self._allowed(user, method, model, self.write, WRITE)
        refused = [name for name in body if name in self.names and name not in allowed]
        if refused:
            errors = [{"pointer": f"#/{name}", "detail": "You may not write this field."} for name in refused]
            raise Unprocessable("The body holds fields that you may not write.", errors=errors)

    def _allowed(
        self, user: Any, method: Method, model: type[Model], rules: Mapping[str, Rule], place: int
    ) -> frozenset[str]:
        said = self.resource.fields_for(user, method)
        if _is_pair(said):
            said = said[place]
        names = self.names if said is None else self.names & frozenset(said)
        ask = Ask(user, method, model)
        return frozenset(name for name in names if name not in rules or rules[name].decide(ask) is True)


def _is_pair(said: Any) -> bool:
    return isinstance(said, tuple) and len(said) == 2 and not any(isinstance(part, str) for part in said)


def _rule(where: str, said: Any) -> Rule:
    try:
        return rule_from(said)
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from error
