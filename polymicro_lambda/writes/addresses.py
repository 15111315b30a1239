"""What the paths of an API ask of the items of a model: one that breaks it could be reached by no request."""

from collections.abc import Sequence
from typing import NamedTuple

from marshmallow import ValidationError
from pynamodb.models import Model

from polymicro_lambda.exceptions import Unprocessable
from polymicro_lambda.schemas import KeyRule
from polymicro_lambda.types import RawItem

UNADDRESSABLE = "This key stands for something else in the path."


class PathText(NamedTuple):
    """An attribute whose text or binary is a segment of a path."""

    name: str
    """Its name in Python."""
    rule: KeyRule
    """What it may be there."""
    never: frozenset[str | bytes]
    """Stored values that are no segment."""

    @property
    def place(self) -> str:
        """Its name in DynamoDB."""
        return self.rule.attribute.attr_name

    def refusal(self, raw: RawItem) -> str | None:
        """Why an item's value is no segment, None where it is one."""
        ((_, stored),) = raw.get(self.place, {"NULL": True}).items()
        if not isinstance(stored, str | bytes) or not (stored in self.never or self._is_unusual(stored)):
            return None
        try:
            self.rule(self.rule.attribute.deserialize(stored))
        except ValidationError as error:
            return str(error.messages[0])
        return None

    def _is_unusual(self, stored: str | bytes) -> bool:
        """Whether the rule has to be asked, which takes longer: UTF-8 has up to four bytes for a character."""
        return len(stored) * 4 > self.rule.limit or (isinstance(stored, str) and not stored.isprintable())


class Addresses(NamedTuple):
    """The values that no item of a model may have, since no path would lead to it."""

    taken: Sequence[RawItem] = ()
    """Stored values that no item may have together: its path would lead to another route."""
    texts: Sequence[PathText] = ()
    """The attributes in the paths of items."""

    def check(self, model: type[Model], raw: RawItem) -> None:
        """Raise ``Unprocessable`` for an item that nobody could address."""
        for taken in self.taken:
            if all(raw.get(name) == value for name, value in taken.items()):
                names = [n for n, one in model.get_attributes().items() if one.attr_name in taken]
                raise _no_path([(name, UNADDRESSABLE) for name in names])
        for text in self.texts:
            refusal = text.refusal(raw)
            if refusal is not None:
                raise _no_path([(text.name, refusal)])

    def check_moved(self, model: type[Model], old: RawItem, new: RawItem) -> None:
        """The same of an update that changes the address; an item that was without one before may stay so."""
        if any(old.get(one.place) != new.get(one.place) for one in self.texts) or any(
            old.get(name) != new.get(name) for taken in self.taken for name in taken
        ):
            self.check(model, new)


def _no_path(errors: Sequence[tuple[str, str]]) -> Unprocessable:
    said = [{"pointer": f"#/{name}", "detail": detail} for name, detail in errors]
    return Unprocessable("The item would have no path of its own.", errors=said)
