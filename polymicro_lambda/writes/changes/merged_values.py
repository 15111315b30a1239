"""What a PATCH leaves of a map or a JSON value, computed here; and what is said where that cannot be."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from marshmallow import ValidationError
from pynamodb.attributes import MapAttribute
from pynamodb.exceptions import AttributeNullError

from polymicro_lambda.dynamodb import map_of
from polymicro_lambda.exceptions import Unprocessable
from polymicro_lambda.schemas import Members, Merge, field_errors

CLAUSE_BYTES = 30
"""About what one clause of an expression takes, without the names of its path."""


class UnfitMap(Unprocessable):
    """422: the map as it would be lacks a member that it needs, or a validator refuses it."""


class JSONMerge(NamedTuple):
    """A change of a JSON value that is stored as a text: it is read, and written whole."""

    attribute: Any
    given: Merge
    where: tuple[str, ...]

    @property
    def reads(self) -> bool:
        """Always."""
        return True

    @property
    def size(self) -> int:
        """One clause."""
        return CLAUSE_BYTES

    def applied(self, old: Mapping[str, Any] | None) -> dict[str, Any]:
        """The text as it is stored then. Raises ``UnfitMap``."""
        new = _merged(None if old is None else json.loads(old.get("S", "null")), self.given)
        validate(self.given, new, self.where)
        return {"S": self.attribute.serialize(new)}


def built(attribute: Any, given: Mapping[str, Any]) -> Any:
    """The value that a ``Merge`` makes where there was none: without what it removes."""
    is_map = isinstance(attribute, MapAttribute)
    declared: Mapping[str, Any] = attribute.get_attributes() if is_map else {}
    members = {
        name: built(declared.get(name), one) if isinstance(one, Merge) else one
        for name, one in given.items()
        if one is not None
    }
    return map_of(type(attribute), members) if declared else members


def kept_members(attribute: Any, old: Mapping[str, Any] | None, kept: Members) -> dict[str, Any]:
    """The members of a stored map that stay, by their names in DynamoDB."""
    declared = attribute.get_attributes() if isinstance(attribute, MapAttribute) else {}
    found: dict[str, Any] = {}
    below: dict[str, list[Sequence[str]]] = {}
    for first, *rest in kept:
        below.setdefault(first, []).append(rest)
    for name, rests in below.items():
        member = declared.get(name)
        place = name if member is None else member.attr_name
        stored = (old or {}).get("M", {}).get(place)
        if stored is not None and [] in rests:
            found[place] = stored
        elif stored is not None and (inner := kept_members(member, stored, rests)):
            found[place] = {"M": inner}
    return found


def default_members(attribute: Any) -> dict[str, Any]:
    """The members of a new map that have a default, by their names in DynamoDB."""
    made, found = type(attribute)(), {}
    for name, one in attribute.get_attributes().items():
        value = getattr(made, name)
        if value is not None:
            found[one.attr_name] = {one.attr_type: one.serialize(value)}
    return found


def _merged(old: Any, given: Merge) -> dict[str, Any]:
    new = dict(old) if isinstance(old, dict) else {}
    for name, one in given.items():
        if one is None:
            new.pop(name, None)
        else:
            new[name] = _merged(new.get(name), one) if isinstance(one, Merge) else one
    return new


def stored_value(attribute: Any, value: Any, where: tuple[str, ...]) -> Any:
    """A value as DynamoDB stores it. Raises ``UnfitMap`` where it lacks a member."""
    try:
        return attribute.serialize(value)
    except AttributeNullError as error:
        raise lacking(*where, *error.attr_path.replace("[", ".").replace("]", "").split(".")) from error


def lacking(*names: str) -> UnfitMap:
    """The error where the member of these names is missing."""
    return UnfitMap("The item is not complete.", errors=_errors(names, "Missing data for required field."))


def _errors(names: tuple[str, ...], messages: Any) -> list[dict[str, str]]:
    for name in reversed(names):
        messages = {name: messages}
    return field_errors(messages)


def validate(given: Merge, value: Any, where: tuple[str, ...]) -> None:
    """Raise ``UnfitMap`` where a validator of a map refuses what it would be."""
    for validator in given.validators:
        try:
            validator(value)
        except ValidationError as error:
            raise UnfitMap(
                "The body does not fit the schema.", errors=_errors(where, error.messages)
            ) from error
