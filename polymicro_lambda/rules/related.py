"""`Through`: a permission by a related item, such as a membership; and the related items of one request."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import reduce
from operator import and_
from typing import Any, NamedTuple

from pynamodb.attributes import Attribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path
from pynamodb.models import Model

from polymicro_lambda.dynamodb import get_item, items_of_tables, model_info
from polymicro_lambda.exceptions import ConfigurationError, Forbidden
from polymicro_lambda.items import instance_of, is_live, live_conditions
from polymicro_lambda.types import RawItem

from .conditions.defaults import default_at
from .conditions.evaluation import holds
from .conditions.rewriting import sendable
from .context import RuleContext
from .own_writes import item_id

_KEY_TYPES = frozenset({"S", "N", "B"})
CACHE = "polymicro.related"
"""The member of ``request.state`` that holds the related items which the request has read."""


class Source(NamedTuple):
    """An attribute of an item that says a part of a related item's key."""

    attribute: Attribute[Any]
    key_attribute: Attribute[Any]

    def key_part(self, raw: RawItem) -> dict[str, Any] | None:
        """That part as DynamoDB stores it, None where the item says none, and the attribute has no plain default."""
        stored = raw.get(self.attribute.attr_name)
        if not stored or "NULL" in stored:
            stored = default_at(Path(self.attribute))
        if stored is None:
            return None
        try:
            value = self.attribute.deserialize(self.attribute.get_value(stored))
        except Exception:  # noqa: BLE001 - whatever an attribute raises for a value that it cannot read
            return None
        return stored_key_part(self.key_attribute, value)


class RelatedCheck(NamedTuple):
    """Holds where a related item is there and a condition holds on it; where ``negated``, if that is not so."""

    model: type[Model]
    condition: Condition | None
    known: Mapping[str, dict[str, Any] | None]
    """The parts of its key that path and claims say, by their names in DynamoDB; None for what can be no key."""
    sources: Mapping[str, Source]
    """The parts that an item says, by their names in DynamoDB."""
    own_sources: Mapping[str, Source]
    """Those of ``known`` that are attributes of an item: another item than the path's says another value."""
    negated: bool
    pinned: bool
    """Whether a write is conditional on it, too."""
    cache: dict[tuple[Any, ...], RawItem | None]

    @property
    def is_early(self) -> bool:
        """Whether path and claims say the whole key."""
        return not self.sources

    def key(self, raw: RawItem) -> RawItem | None:
        """The key of the related item of an item, None where there can be none."""
        found = {**self.known, **{name: source.key_part(raw) for name, source in self.sources.items()}}
        if raw:
            own = self.own_sources.items()
            found |= {n: one.key_part(raw) for n, one in own if one.attribute.attr_name in raw}
        stored: RawItem = {name: value for name, value in found.items() if value is not None}
        complete = len(stored) == len(found) and _can_be_key(stored)
        return model_info(self.model).key_or_none(stored) if complete else None

    def is_elsewhere(self, raw: RawItem) -> bool:
        """Whether an item names another related item than the path does."""
        return bool(self.own_sources) and self.key(raw) != self.key({})

    def allows(self, instance: Model | None, raw: RawItem) -> bool:
        """Whether it holds for an item; the related item is read once in a request."""
        return self.holds_on(self.related(raw))

    def is_same(self, other: "RelatedCheck") -> bool:
        """Whether another check is certain to agree on every item."""
        ours = (self.model, self.known, self.sources, self.negated, self.condition is other.condition)
        return ours == (other.model, other.known, other.sources, other.negated, True)

    def holds_on(self, related: RawItem | None) -> bool:
        """Whether it holds with this related item, None for none."""
        return self._is_there(related) is not self.negated

    def _is_there(self, related: RawItem | None) -> bool:
        if not related or not is_live(self.model, related):
            return False
        if self.condition is not None and not holds(self.condition, related):
            return False
        try:
            instance_of(self.model, related)
        except Exception:  # noqa: BLE001 - what no attribute can read counts as absent
            return False
        return True

    def related(self, raw: RawItem) -> RawItem | None:
        """The related item of an item, as this request has read it."""
        key = self.key(raw)
        if key is None:
            return None
        place = item_id(self.model, key)
        if place not in self.cache:
            self.cache[place] = get_item(self.model, key)
        return self.cache[place]

    def write_condition(self) -> Condition:
        """The same as a condition on the related item, for a ConditionCheck."""
        partition = next(iter(model_info(self.model).keys.values())).attr_name
        is_stored = Path([partition]).exists()
        parts = [is_stored, *live_conditions(self.model)]
        parts += [] if self.condition is None else [self.condition]
        sent = sendable(reduce(and_, parts))
        there = is_stored & ~is_stored if isinstance(sent, bool) else sent
        return ~there if self.negated else there


class RelatedPin(NamedTuple):
    """A related item on which a write is conditional."""

    check: RelatedCheck
    key: RawItem | None


def _can_be_key(stored: RawItem) -> bool:
    return all(value.get("S", "-") != "" and value.get("B", b"-") != b"" for value in stored.values())


def forget_related(checks: Iterable[RelatedCheck]) -> None:
    """Let these related items be read again: a write has met another state of one."""
    for check in checks:
        check.cache.clear()


def read_related(checks: Sequence[RelatedCheck]) -> None:
    """Read the related items of checks whose keys are known, by one call."""
    fetch_with_related(None, {}, checks)


def fetch_with_related(
    model: type[Model] | None, key: RawItem, checks: Sequence[RelatedCheck]
) -> RawItem | None:
    """An item, None where there is none, and with it by one consistent read the related items not known yet."""
    wanted: dict[tuple[Any, ...], tuple[type[Model], RawItem]] = {}
    for check in checks:
        related = check.key({})
        if related is not None and (place := item_id(check.model, related)) not in check.cache:
            wanted[place] = (check.model, related)
    own = [] if model is None else [(model, key)]
    if not wanted and model is not None:
        return get_item(model, key)
    if len(wanted) == 1 and model is None:
        ((place, (related_model, related)),) = wanted.items()
        checks[0].cache[place] = get_item(related_model, related)
        return None
    if not wanted:
        return None
    items = items_of_tables([*own, *wanted.values()])
    checks[0].cache.update(zip(wanted, items[len(own) :], strict=True))
    return items[0] if own else None


def prefetch_related(checks: Sequence[RelatedCheck], items: Iterable[RawItem]) -> int:
    """Read the related items of many items, up to 100 by a call; the number of calls."""
    wanted: dict[tuple[Any, ...], tuple[type[Model], RawItem]] = {}
    for check in checks:
        for raw in items:
            key = check.key(raw)
            if key is not None and (place := item_id(check.model, key)) not in check.cache:
                wanted[place] = (check.model, key)
    places = [*wanted]
    for start in range(0, len(places), 100):
        chunk = places[start : start + 100]
        checks[0].cache.update(zip(chunk, items_of_tables([wanted[one] for one in chunk]), strict=True))
    return -(-len(places) // 100)


def check_related(checks: Iterable[RelatedCheck]) -> None:
    """Raise ``Forbidden`` where one does not hold that path and claims decide; the related items have been read."""
    if not all(check.allows(None, {}) for check in checks):
        raise refused_by_related()


def refused_by_related() -> Forbidden:
    """The answer to a user whom a related item does not let in."""
    return Forbidden("You may not do this here.")


# --- declaration ------------------------------------------------------------------------------------------------------


class Claim:
    """A claim of the user's, as a part of a related item's key: ``Claim("uuid")``."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        if not isinstance(name, str) or not name:
            raise ConfigurationError(f"Claim takes a name, not {name!r}")
        self.name = name

    def value(self, user: Any) -> Any:
        """The claim's value, None where the user has none."""
        found = getattr(user, self.name, None)
        claims = getattr(user, "claims", user)
        return claims.get(self.name) if found is None and isinstance(claims, Mapping) else found

    def __repr__(self) -> str:
        return f"Claim({self.name!r})"


def can_be_key(attribute: Attribute[Any], key: Attribute[Any]) -> bool:
    """Whether a value of an attribute may be one of a key's: texts and numbers can say one another."""
    kinds = {attribute.attr_type, key.attr_type}
    return kinds <= _KEY_TYPES and (len(kinds) == 1 or "B" not in kinds)


def stored_key_part(attribute: Attribute[Any], value: Any) -> dict[str, Any] | None:
    """A value of path or claims as a part of a key, None where it can be none. Path and claims say numbers as texts."""
    if value is None or isinstance(value, bool | Mapping | list | set | frozenset | tuple):
        return None
    try:
        if attribute.attr_type == "N" and isinstance(value, str):
            value = int(value) if value.isdecimal() else float(value)
        elif attribute.attr_type == "S" and isinstance(value, int | float | Decimal):
            value = str(value)
        stored = attribute.serialize(value)
    except (TypeError, ValueError, AttributeError):
        return None
    return {attribute.attr_type: stored} if isinstance(stored, str | bytes) else None


def path_values(context: RuleContext) -> Mapping[str, str]:
    """What the request's path says of its item before and after a write, by the names of its parameters."""
    said = {} if context.request is None else context.request.path_params
    return {n: v for n, v in said.items() if n != context.address} if context.address else said
