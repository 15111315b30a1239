"""Changes of members of maps, as PATCH says them (RFC 7396): each member is set or removed at its own path.

Where the item does not have the map, it is written whole. Which of both it is, is a condition of the write.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from pynamodb.attributes import Attribute, JSONAttribute, MapAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Value
from pynamodb.expressions.update import RemoveAction, SetAction

from polymicro_lambda.dynamodb import MemberPath, UpdateStep
from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.schemas import Merge, as_json, is_required
from polymicro_lambda.types import RawItem
from polymicro_lambda.writes.lost_answers import unchanged_conditions

from .merged_values import (
    CLAUSE_BYTES,
    JSONMerge,
    built,
    default_members,
    kept_members,
    lacking,
    stored_value,
    validate,
)

_Stored: TypeAlias = Mapping[str, Any]
Step: TypeAlias = "UpdateStep | Condition"
Steps: TypeAlias = tuple[list[UpdateStep], list[Condition]]
"""Actions, and the conditions under which they do what is wanted."""
MOST_BYTES = 2000
"""Bytes of expressions that members of maps may take, of the 4 KB that DynamoDB takes; else maps are written whole."""
NAME_BYTES = 5
"""About what one name in an expression takes."""
UNKNOWN: _Stored = {}
"""A value that nobody has read."""
_RAW: Any = MapAttribute()  # type: ignore[no-untyped-call]


class MapMerge:
    """A change of an attribute's map: members that are set, removed, or changed in their turn."""

    __slots__ = ("attribute", "given", "members", "needed", "where")

    def __init__(self, attribute: Any, given: Merge, where: tuple[str, ...]) -> None:
        """``where`` are the names of the attribute and of the maps around the change.

        Raises ``Unprocessable`` for None in a required member, ``ConfigurationError`` for an unknown one.
        """
        self.attribute, self.given, self.where = attribute, given, where
        declared: Mapping[str, Attribute[Any]] = attribute.get_attributes()
        self.members: dict[str, Any] = {}
        """By name in DynamoDB what is stored, None to remove it, or the change of a map."""
        for name, value in given.items():
            member = declared.get(name)
            if member is None and not attribute.is_raw():
                raise ConfigurationError(
                    f"{type(attribute).__name__} has no attribute of a name that a verb writes"
                )
            place = name if member is None else member.attr_name
            self.members[place] = self._member(name, member, value)
        self.needed = {
            one.attr_name: name
            for name, one in declared.items()
            if is_required(one) and one.attr_name not in self.members
        }

    def _member(self, name: str, member: Attribute[Any] | None, value: Any) -> Any:
        if isinstance(value, Merge) and (member is None or isinstance(member, MapAttribute)):
            return MapMerge(_RAW if member is None else member, value, (*self.where, name))
        if isinstance(value, Merge):
            return JSONMerge(member, value, (*self.where, name))
        if member is None:
            return None if value is None else _RAW.serialize({name: value})[name]
        stored = None if value is None else stored_value(member, value, (*self.where, name))
        if stored is None and not member.null:
            raise lacking(*self.where, name)
        return None if stored is None else {member.attr_type: stored}

    @property
    def reads(self) -> bool:
        """Whether what is stored must be known to change it."""
        given = self.given
        return bool(given.validators) or given.kept is not None or any(one.reads for one in self._changes())

    def _changes(self) -> Iterator["MapMerge | JSONMerge"]:
        return (one for one in self.members.values() if isinstance(one, MapMerge | JSONMerge))

    @property
    def size(self) -> int:
        """About how many bytes its expressions take."""
        own = (1 + len(self.members) + len(self.needed)) * (CLAUSE_BYTES + NAME_BYTES * len(self.where))
        return own + sum(one.size for one in self._changes())

    def applied(self, old: _Stored | None) -> dict[str, Any] | None:
        """The map as it is stored then, None for none. Raises ``UnfitMap``."""
        kept = None if self.given.kept is None else kept_members(self.attribute, old, self.given.kept)
        if kept == {} or old is None or "M" not in old:
            return None if self.given.clears else self._judged(self._whole())
        new = dict(old["M"]) if kept is None else {**default_members(self.attribute), **kept}
        self._check(new)
        for name, member in self.members.items():
            is_change = isinstance(member, MapMerge | JSONMerge)
            new[name] = member.applied(new.get(name)) if is_change else member
        return self._judged({"M": {name: one for name, one in new.items() if one is not None}})

    def steps(self, path: tuple[str, ...], old: _Stored | None) -> Iterator[Step]:
        """The actions and conditions by which it is done at a path, where ``old`` is stored there, or ``UNKNOWN``.

        Raises ``UnfitMap``.
        """
        place = MemberPath([*path])
        if old is not UNKNOWN and (old is None or "M" not in old):
            yield SetAction(place, Value(self._whole()))
            yield ~place.is_type("M")
            return
        there: Mapping[str, Any] | None = None if old is UNKNOWN else old["M"]
        if there is not None:
            self._check(there)
        # Who has a member is a map.
        yield from (MemberPath([*path, name]).exists() for name in self.needed)
        if not self.needed:
            yield place.is_type("M")
        if not self.members:
            yield SetAction(place, place)  # an update has some action
        for name, member in self.members.items():
            below = (*path, name)
            if isinstance(member, MapMerge):
                yield from member.steps(below, UNKNOWN if there is None else there.get(name))
            elif member is None:
                yield RemoveAction(MemberPath([*below]))
            else:
                yield SetAction(MemberPath([*below]), Value(member))

    def _whole(self) -> dict[str, Any]:
        """The map where there was none, with the defaults of its members."""
        stored = stored_value(self.attribute, built(self.attribute, self.given), self.where)
        return {"M": stored}

    def _check(self, members: Mapping[str, Any]) -> None:
        for stored, name in self.needed.items():
            if stored not in members:
                raise lacking(*self.where, name)

    def _judged(self, new: dict[str, Any]) -> dict[str, Any]:
        if self.given.validators:
            value, declared = self.attribute.deserialize(new["M"]), self.attribute.get_attributes()
            loaded = {n: one for n in declared if (one := getattr(value, n)) is not None}
            validate(self.given, loaded if declared else as_json(value), self.where)
        return new


class MergedAttribute:
    """The change of an attribute by a ``Merge``, as a part of an update."""

    __slots__ = ("_change", "name", "reads")
    tells = True
    """The item shows whether it was done."""

    def __init__(self, name: str, attribute: Attribute[Any], given: Merge) -> None:
        """``name`` is the attribute's in Python. Raises as ``MapMerge``."""
        make: Callable[..., MapMerge | JSONMerge] = (
            JSONMerge if isinstance(attribute, JSONAttribute) else MapMerge
        )
        self._change = make(attribute, given, (name,))
        self.name = attribute.attr_name
        self.reads = self._change.reads
        """Whether the item must be read first: then the attribute is written whole where it is still as read."""

    @property
    def size(self) -> int:
        """About how many bytes its expressions take."""
        return self._change.size

    @property
    def sources(self) -> frozenset[str]:
        """The attribute itself: on it the result rests."""
        return frozenset({self.name})

    def result(self, old: RawItem) -> dict[str, Any] | None:
        """The attribute's value then, None for none. Raises ``UnfitMap``."""
        return self._change.applied(old.get(self.name))

    def steps(self, old: RawItem | None) -> Steps:
        """How it is done to an item, None where it has not been read. Raises ``UnfitMap``."""
        if isinstance(self._change, JSONMerge) or self.reads:
            assert old is not None  # nosec B101 # noqa: S101 - it reads
            place, value = MemberPath([self.name]), self.result(old)
            whole: UpdateStep = RemoveAction(place) if value is None else SetAction(place, Value(value))
            return [whole], unchanged_conditions(old, [self.name])
        made = [*self._change.steps((self.name,), UNKNOWN if old is None else old.get(self.name))]
        conditions = [one for one in made if isinstance(one, Condition)]
        return [one for one in made if not isinstance(one, Condition)], conditions
