"""`unique` of a resource: attributes whose values only one item of a table may have, and how that is declared.

Each value has a reservation, an item of a table beside the model's: no client's key leads there, and no list, stream
or scan of the items has reservations in it.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pynamodb.attributes import (
    Attribute,
    DiscriminatorAttribute,
    JSONAttribute,
    TTLAttribute,
    UnicodeAttribute,
    VersionAttribute,
)
from pynamodb.models import Model

from polymicro_lambda.dynamodb import model_info, table_name
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.http import json_bytes
from polymicro_lambda.items import canonical_bytes, check_not_composed
from polymicro_lambda.schemas import ItemSchema
from polymicro_lambda.types import RawItem

SUFFIX = "_unique"
"""The end of the name of a reservation table, behind that of the items' table."""
SCALARS = frozenset({"S", "N", "B"})
LOCATION = ("host", "region", "aws_access_key_id", "aws_secret_access_key", "aws_session_token")
"""Members of a model's ``Meta`` that say where its table is."""
CAPACITY = ("billing_mode", "read_capacity_units", "write_capacity_units")
# Set by PynamoDB, or with a meaning of their own, or with several texts for one value.
NEVER_UNIQUE = (VersionAttribute, DiscriminatorAttribute, TTLAttribute, JSONAttribute)


@dataclass(frozen=True, slots=True)
class UniqueConstraint:
    """Attributes whose values, taken together, only one item may have."""

    names: tuple[str, ...]
    """Their names in Python."""
    attributes: tuple[str, ...]
    """Their names in DynamoDB."""
    members: tuple[str, ...] = ()
    """The members of a body that set them."""

    def values(self, raw: RawItem) -> RawItem | None:
        """The values of an item, None where it lacks one: then it reserves nothing."""
        values = {name: raw[name] for name in self.attributes if name in raw}
        return values if len(values) == len(self.attributes) else None


@dataclass(frozen=True, slots=True)
class UniqueConstraints:
    """What must be unique among the items of a model, and of other models under the same prefixes of its table."""

    model: type[Model]
    constraints: tuple[UniqueConstraint, ...]

    @property
    def reservation_table(self) -> type[Model]:
        """The table of the reservations, each with the digest of a value and the key of the item that has it."""
        return reservation_table(self.model)

    @property
    def attributes(self) -> frozenset[str]:
        """The attributes of all constraints, by their names in DynamoDB."""
        return frozenset(name for one in self.constraints for name in one.attributes)

    @property
    def is_certain(self) -> bool:
        """Whether every item has a value that must be unique."""
        always = {one.attr_name for one in self.model.get_attributes().values() if not one.null}
        return any(always.issuperset(one.attributes) for one in self.constraints)

    def of(self, values: Any) -> UniqueConstraint | None:
        """The constraint whose values these are, by their Python names; None where they are of none."""
        names = set(values) if isinstance(values, Mapping) else set()
        return next((one for one in self.constraints if set(one.names) == names), None)

    def unique_values(self, raw: RawItem) -> Iterator[tuple[str, UniqueConstraint, RawItem]]:
        """For each constraint that an item has values for: the id of its reservation, the constraint, the values."""
        for one in self.constraints:
            id_ = self.reservation_id(one, raw)
            if id_ is not None:
                yield id_, one, one.values(raw) or {}

    def reservation_id(self, constraint: UniqueConstraint, raw: RawItem) -> str | None:
        """The id of the reservation of an item's values, None where the item lacks one of them."""
        values = constraint.values(raw)
        if values is None:
            return None
        scope = sorted(model_info(self.model).prefixes.items())
        return _digest(json_bytes([scope, canonical_bytes(values).decode()]))


def _digest(content: bytes) -> str:
    # Without a key: a secret that is changed would let every value in once more.
    digest = hashlib.blake2b(content, digest_size=32, person=b"polymicro.unique").digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


@cache
def reservation_table(model: type[Model]) -> type[Model]:
    """The model of the reservations of a model, whose table is where the model's own is."""
    meta = {name: getattr(model.Meta, name) for name in (*LOCATION, *CAPACITY) if hasattr(model.Meta, name)}
    meta["table_name"] = table_name(model) + SUFFIX
    members = {"id": UnicodeAttribute(hash_key=True), "Meta": type("Meta", (), meta)}
    return type(f"{model.__name__}Unique", (Model,), {"__module__": __name__, **members})


# --- declarations -----------------------------------------------------------------------------------------------


def read_unique(
    resource: str, model: type[Model], declared: Any, schema: ItemSchema, *, own_verbs: bool
) -> UniqueConstraints | None:
    """Read ``unique = ("email", ("tenant", "slug"))``, None for none.

    ``own_verbs`` says that verbs of the resource's own may set what no body can. Raises ``ConfigurationError`` naming
    resource and attribute.
    """
    if declared == ():
        return None
    where = f"{resource}.unique"
    several = (declared,) if isinstance(declared, str) else declared
    if not isinstance(several, Iterable) or isinstance(several, Mapping):
        raise ConfigurationError(f'{where} must name attributes, e.g. ("email",), not {declared!r}')
    constraints = [_constraint(where, model, one, schema, own_verbs=own_verbs) for one in several]
    for one in constraints:
        if [set(other.names) for other in constraints].count(set(one.names)) > 1:
            raise ConfigurationError(f"{where} names {_quoted(one.names)} twice")
    return UniqueConstraints(model, tuple(constraints)) if constraints else None


def _constraint(
    where: str, model: type[Model], declared: Any, schema: ItemSchema, *, own_verbs: bool
) -> UniqueConstraint:
    names = (declared,) if isinstance(declared, str) else declared
    if not isinstance(names, tuple | list) or not names or not all(isinstance(name, str) for name in names):
        raise ConfigurationError(f"{where} holds {declared!r}: say an attribute, or a tuple of attributes")
    attributes = model.get_attributes()
    for name in names:
        check_not_composed(model_info(model), model, name)
        _check(where, model, name, attributes.get(name))
    if len(set(names)) < len(names):
        raise ConfigurationError(f"{where}: {_quoted(names)} names an attribute twice")
    if set(names) >= set(model_info(model).address):
        raise ConfigurationError(
            f"{where}: {_quoted(names)} holds the whole key of {model.__name__}, which is unique already"
        )
    members = schema.setters(names)
    if not members and not own_verbs:
        raise ConfigurationError(f"{where}: no body and no verb of the resource's own sets {_quoted(names)}")
    return UniqueConstraint(tuple(names), tuple(attributes[name].attr_name for name in names), members)


def _check(where: str, model: type[Model], name: str, attribute: Attribute[Any] | None) -> None:
    if attribute is None:
        raise ConfigurationError(f"{where}: {model.__name__} has no attribute {name!r}")
    if attribute.attr_type not in SCALARS or isinstance(attribute, NEVER_UNIQUE):
        raise ConfigurationError(
            f"{where}: {name!r} is a {type(attribute).__name__}; texts, numbers, times and binary can be unique"
        )


def _quoted(names: Iterable[str]) -> str:
    return " with ".join(map(repr, names))


def check_same_constraints(declared_by: Iterable[tuple[str, type[Model], UniqueConstraints | None]]) -> None:
    """Raise ``ConfigurationError`` for resources that write the same items and do not agree on what is unique.

    What one of them wrote would have none of the other's reservations. Also for a resource over a reservation table.
    """
    first: dict[Any, tuple[str, frozenset[frozenset[str]]]] = {}
    every = list(declared_by)
    tables = {
        unique.reservation_table.Meta.table_name: name for name, _, unique in every if unique is not None
    }
    for name, model, unique in every:
        if model.Meta.table_name in tables:
            raise ConfigurationError(
                f"{name}.model: the table {model.Meta.table_name!r} holds the reservations of"
                f" {tables[model.Meta.table_name]}.unique: take another name"
            )
        wanted = frozenset(frozenset(c.attributes) for c in (unique.constraints if unique else ()))
        place = (model.Meta.table_name, *sorted(model_info(model).prefixes.items()))
        other, theirs = first.setdefault(place, (name, wanted))
        if wanted != theirs:
            raise ConfigurationError(
                f"{name}.unique must be that of {other}: both write items of the table {model.Meta.table_name!r}"
            )
