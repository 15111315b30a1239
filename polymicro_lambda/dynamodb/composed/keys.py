"""A composed key of one model: its value out of a stored item, and the attributes back out of the value.

No two items with different attributes have the same value: a part that holds the separator behind it is refused. So
the first separator in a value is where its first part ends, and the last part may hold anything.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from pynamodb.attributes import Attribute, UTCDateTimeAttribute

from polymicro_lambda.dynamodb.typed_values import number_text
from polymicro_lambda.exceptions import Unprocessable
from polymicro_lambda.types import RawItem

HASH_BYTES, RANGE_BYTES = 2048, 1024
"""The longest partition and sort key in bytes (DynamoDB Developer Guide, "Quotas")."""


class UnfitPart(Unprocessable, ValueError):
    """422: a value of which no key can be composed.

    ``name`` is its attribute's; ``place`` that in DynamoDB, None for all together.
    """

    def __init__(self, name: str, detail: str, place: str | None = None) -> None:
        said = {"pointer": f"#/{name}", "detail": detail}
        super().__init__("The item cannot be stored by such a key.", errors=[said])
        self.name = name
        self.place = place
        self.args = (f"{name}: {detail}",)


class KeyPart(NamedTuple):
    """An attribute of which a key is composed."""

    name: str
    """Its name in Python."""
    attribute: Attribute[Any]
    separator: str
    """The text behind it, empty for a last part that ends the key."""
    is_last: bool

    @property
    def place(self) -> str:
        """Its name in DynamoDB."""
        place: str = self.attribute.attr_name
        return place

    @property
    def kind(self) -> str:
        """Its type in DynamoDB: S, N, B or BOOL."""
        kind: str = self.attribute.attr_type
        return kind

    @property
    def has_order(self) -> bool:
        """Whether a longer or greater value makes a greater text: not of numbers, whose digits do not say so."""
        return self.kind in ("S", "B")

    @property
    def orders_keys(self) -> bool:
        """Whether keys that are the same up to here stand in the order of this part's values.

        What follows a text would be compared with the characters of longer ones, unless all texts are of one length.
        """
        if self.kind == "N":
            return False
        return self.kind == "BOOL" or not self.separator or type(self.attribute) is UTCDateTimeAttribute

    def text(self, stored: Mapping[str, Any]) -> str:
        """A stored value as it stands in the key. Raises ``UnfitPart`` where it holds the separator."""
        text: str = _TEXTS[self.kind](stored[self.kind])
        if not self.is_last and (text + self.separator).find(self.separator) < len(text):
            detail = f"This may not hold {self.separator!r}, which ends it in a key."
            raise UnfitPart(self.name, detail, self.place)
        return text

    def stored(self, text: str) -> dict[str, Any]:
        """The value with this text in a key, as DynamoDB stores it. Raises ``ValueError`` where there is none."""
        return {self.kind: _VALUES[self.kind](text)}

    def shown(self, raw: RawItem) -> Mapping[str, Any] | None:
        """An item's value, its plain default where it lacks one; None where there is neither."""
        stored = raw.get(self.place)
        if stored and self.kind in stored:
            return stored
        default = self.attribute.default
        if default is None or callable(default):
            return None
        return {self.kind: self.attribute.serialize(default)}


_TEXTS: Mapping[str, Any] = {
    "S": str,
    "N": lambda number: number_text(Decimal(number)),
    "B": lambda value: bytes(value).hex(),
    "BOOL": {True: "true", False: "false"}.__getitem__,
}
"""Type -> the text of a value in a key: one for each value. Hexadecimal digits keep the order of bytes."""
_VALUES: Mapping[str, Any] = {
    "S": str,
    "N": lambda text: number_text(Decimal(text)),
    "B": bytes.fromhex,
    "BOOL": lambda text: text == "true",
}


class ComposedKey:
    """An attribute of a model that is composed of others."""

    __slots__ = ("limit", "literals", "name", "of_table", "parts", "place")

    def __init__(
        self,
        name: str,
        place: str,
        literals: Sequence[str],
        parts: Sequence[KeyPart],
        *,
        of_table: bool,
        limit: int,
    ) -> None:
        """``name`` is its name in Python, ``place`` that in DynamoDB; ``limit`` are the most bytes of a value."""
        self.name, self.place = name, place
        self.literals, self.parts = tuple(literals), tuple(parts)
        self.of_table, self.limit = of_table, limit

    @property
    def places(self) -> frozenset[str]:
        """The attributes of which it is composed, by their names in DynamoDB."""
        return frozenset(part.place for part in self.parts)

    @property
    def names(self) -> str:
        """The same by their names in Python, for messages."""
        return " and ".join(part.name for part in self.parts)

    @property
    def is_certain(self) -> bool:
        """Whether every item has it."""
        return not any(part.attribute.null for part in self.parts)

    def value(self, raw: RawItem) -> dict[str, Any] | None:
        """The value for a stored item, None where the item lacks a part. Raises ``UnfitPart``."""
        stored = [part.shown(raw) for part in self.parts]
        if None in stored:
            return None
        texts = [part.text(one) for part, one in zip(self.parts, stored, strict=True) if one is not None]
        text = self.beginning(texts)
        size = len(text.encode(errors="surrogatepass"))
        if not 0 < size <= self.limit:
            longest = max(zip(texts, self.parts, strict=True), key=lambda pair: len(pair[0]))[1]
            raise UnfitPart(
                longest.name, f"The key that is made of {self.names} has 1 to {self.limit} bytes."
            )
        return {"S": text}

    def beginning(self, texts: Sequence[str]) -> str:
        """The text with which each value begins whose first parts have these texts."""
        said = zip(texts, self.literals[1:], strict=False)
        return self.literals[0] + "".join(text + literal for text, literal in said)

    def stored_parts(self, text: str) -> RawItem | None:
        """The parts of a value as DynamoDB stores them, None for what is no value of this key."""
        first, *middle, last = self.literals
        if not text.startswith(first) or not text.endswith(last):
            return None
        rest, found = text.removeprefix(first), {}
        try:
            for part, separator in zip(self.parts, middle, strict=False):
                own, between, rest = rest.partition(separator)
                if not between:
                    return None
                found[part.place] = part.stored(own)
            found[self.parts[-1].place] = self.parts[-1].stored(rest[: len(rest) - len(last)])
        except (ArithmeticError, ValueError):
            return None
        return found
