"""`unique`: attributes whose values only one item of a table may have, kept by a marker item for each value.

Markers are in a table of their own, beside the model's: no client's key leads there, and no list, stream or scan of
the items meets them.
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
from polymicro_lambda.items import canonical_bytes
from polymicro_lambda.schemas import ItemSchema
from polymicro_lambda.types import RawItem

SUFFIX = "_unique"
"""What the name of the markers' table has behind that of the items'."""
SCALARS = frozenset({"S", "N", "B"})
PLACE = ("host", "region", "aws_access_key_id", "aws_secret_access_key", "aws_session_token")
"""What a model's ``Meta`` says of where its table is."""
PRICE = ("billing_mode", "read_capacity_units", "write_capacity_units")
# Set by the library, or of a meaning of their own, or of several texts for one value.
REFUSED = (VersionAttribute, DiscriminatorAttribute, TTLAttribute, JSONAttribute)


@dataclass(frozen=True, slots=True)
class UniqueConstraint:
    """Attributes whose values, taken together, only one item may have."""

    names: tuple[str, ...]
    """In Python."""
    attributes: tuple[str, ...]
    """In DynamoDB."""
    members: tuple[str, ...] = ()
    """The members of a body that set them."""

    def values(self, raw: RawItem) -> RawItem | None:
        """The values of an item, None where it lacks one: then it claims nothing."""
        found = {name: raw[name] for name in self.attributes if name in raw}
        return found if len(found) == len(self.attributes) else None


@dataclass(frozen=True, slots=True)
class UniqueConstraints:
    """What must be unique among the items of a model, and of other models under the same prefixes of its table."""

    model: type[Model]
    constraints: tuple[UniqueConstraint, ...]

    @property
    def reservation_table(self) -> type[Model]:
        """The table of the markers: the digest of a value, and the key of the item that has it."""
        return reservation_table(self.model)

    @property
    def attributes(self) -> frozenset[str]:
        """All that some constraint is about, by DynamoDB's names."""
        return frozenset(name for one in self.constraints for name in one.attributes)

    @property
    def is_certain(self) -> bool:
        """Whether every item has some value that is claimed."""
        known = {one.attr_name for one in self.model.get_attributes().values() if not one.null}
        return any(known.issuperset(one.attributes) for one in self.constraints)

    def claimed(self, raw: RawItem) -> Iterator[tuple[str, UniqueConstraint, RawItem]]:
        """The marker of each constraint that an item has values for: its id, the constraint, the values."""
        scope = sorted(model_info(self.model).prefixes.items())
        for one in self.constraints:
            values = one.values(raw)
            if values is not None:
                said = json_bytes([scope, canonical_bytes(values).decode()])
                yield _digest(said), one, values


def _digest(content: bytes) -> str:
    # Without a key: a secret that is changed would let every value in once more.
    digest = hashlib.blake2b(content, digest_size=32, person=b"polymicro.unique").digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


@cache
def reservation_table(model: type[Model]) -> type[Model]:
    """The model of the markers' table, which is where the model's own is."""
    meta = {name: getattr(model.Meta, name) for name in (*PLACE, *PRICE) if hasattr(model.Meta, name)}
    meta["table_name"] = table_name(model) + SUFFIX
    members = {"id": UnicodeAttribute(hash_key=True), "Meta": type("Meta", (), meta)}
    return type(f"{model.__name__}Unique", (Model,), {"__module__": __name__, **members})


# --- declarations -----------------------------------------------------------------------------------------------


def read_unique(
    resource: str, model: type[Model], said: Any, schema: ItemSchema, *, own_verbs: bool
) -> UniqueConstraints | None:
    """Read ``unique = ("email", ("tenant", "slug"))``, None for none.

    ``own_verbs`` says that verbs of the resource's own may set what no body can. Raises ``ConfigurationError`` naming
    resource and attribute.
    """
    if said == ():
        return None
    where = f"{resource}.unique"
    several = (said,) if isinstance(said, str) else said
    if not isinstance(several, Iterable) or isinstance(several, Mapping):
        raise ConfigurationError(f'{where} must name attributes, e.g. ("email",), not {said!r}')
    found = [_constraint(where, model, one, schema, own_verbs=own_verbs) for one in several]
    for one in found:
        if [set(other.names) for other in found].count(set(one.names)) > 1:
            raise ConfigurationError(f"{where} names {_said(one.names)} twice")
    return UniqueConstraints(model, tuple(found)) if found else None


def _constraint(
    where: str, model: type[Model], said: Any, schema: ItemSchema, *, own_verbs: bool
) -> UniqueConstraint:
    names = (said,) if isinstance(said, str) else said
    if not isinstance(names, tuple | list) or not names or not all(isinstance(name, str) for name in names):
        raise ConfigurationError(f"{where} holds {said!r}: say an attribute, or a tuple of attributes")
    attributes = model.get_attributes()
    for name in names:
        _check(where, model, name, attributes.get(name))
    if len(set(names)) < len(names):
        raise ConfigurationError(f"{where}: {_said(names)} names an attribute twice")
    if set(names) >= set(model_info(model).keys):
        raise ConfigurationError(
            f"{where}: {_said(names)} holds the whole key of {model.__name__}, which is unique already"
        )
    members = schema.setters(names)
    if not members and not own_verbs:
        raise ConfigurationError(f"{where}: no body and no verb of the resource's own sets {_said(names)}")
    return UniqueConstraint(tuple(names), tuple(attributes[name].attr_name for name in names), members)


def _check(where: str, model: type[Model], name: str, attribute: Attribute[Any] | None) -> None:
    if attribute is None:
        raise ConfigurationError(f"{where}: {model.__name__} has no attribute {name!r}")
    if attribute.attr_type not in SCALARS or isinstance(attribute, REFUSED):
        raise ConfigurationError(
            f"{where}: {name!r} is a {type(attribute).__name__}; texts, numbers, times and binary can be unique"
        )


def _said(names: Iterable[str]) -> str:
    return " with ".join(map(repr, names))


def check_same_constraints(declared_by: Iterable[tuple[str, type[Model], UniqueConstraints | None]]) -> None:
    """Raise ``ConfigurationError`` for resources that write the same items and do not agree on what is unique.

    What one of them wrote would escape the other's markers. Also for a resource over the markers themselves.
    """
    first: dict[Any, tuple[str, frozenset[frozenset[str]]]] = {}
    every = list(declared_by)
    tables = {
        unique.reservation_table.Meta.table_name: name for name, _, unique in every if unique is not None
    }
    for name, model, unique in every:
        if model.Meta.table_name in tables:
            raise ConfigurationError(
                f"{name}.model: the table {model.Meta.table_name!r} holds the markers of"
                f" {tables[model.Meta.table_name]}.unique: take another name"
            )
        wanted = frozenset(frozenset(c.attributes) for c in (unique.constraints if unique else ()))
        place = (model.Meta.table_name, *sorted(model_info(model).prefixes.items()))
        other, theirs = first.setdefault(place, (name, wanted))
        if wanted != theirs:
            raise ConfigurationError(
                f"{name}.unique must be that of {other}: both write items of the table {model.Meta.table_name!r}"
            )
