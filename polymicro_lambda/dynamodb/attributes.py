"""Attribute classes besides PynamoDB's: keys of several kinds in one table, exact decimal numbers."""

from decimal import Decimal
from typing import Any

from pynamodb.attributes import Attribute, UnicodeAttribute
from pynamodb.constants import NUMBER

from .typed_values import number_text

__all__ = ["DecimalAttribute", "PrefixedAttribute"]


class PrefixedAttribute(UnicodeAttribute):
    """A text that is stored behind a prefix, e.g. ``PrefixedAttribute("PROJECT#", range_key=True, attr_name="sk")``.

    The prefix says of which kind an item is, where models share a table: paths, bodies, filters and instances know
    the text alone. As a key it keeps the kinds apart: a list reads only those items whose key begins with it. The
    options are those of ``UnicodeAttribute``.
    """

    def __init__(self, prefix: str, **options: Any) -> None:
        super().__init__(**options)
        self.prefix = prefix

    def serialize(self, value: Any) -> Any:
        """The text behind its prefix, as DynamoDB stores it."""
        return f"{self.prefix}{value}"

    def deserialize(self, value: Any) -> Any:
        """The text without its prefix. Raises ``ValueError`` where it has another."""
        if not value.startswith(self.prefix):
            raise ValueError("a key has the prefix of another kind")
        return value.removeprefix(self.prefix)


class DecimalAttribute(Attribute[Decimal]):
    """A ``Decimal``, exact: a number in DynamoDB, and in JSON a text such as ``"19.99"``.

    With ``as_string=False`` it is a JSON number: then fractions have at most the 17 digits that any parser keeps. As
    DynamoDB's numbers it has up to 38 digits, and none of them is a zero at the end of a fraction. Other options are
    those of ``NumberAttribute``.
    """

    attr_type = NUMBER

    def __init__(self, *, as_string: bool = True, **options: Any) -> None:
        # PynamoDB's list of immutable defaults lacks Decimal.
        decimals = {name: value for name, value in options.items() if isinstance(value, Decimal)}
        super().__init__(**options | dict.fromkeys(decimals, 0))
        vars(self).update(decimals)
        self.as_string = as_string

    def serialize(self, value: Any) -> str:
        """The number as DynamoDB writes it. Raises ``ValueError`` for one that it does not have, e.g. NaN."""
        return number_text(value)

    def deserialize(self, value: str) -> Decimal:
        """The number."""
        return Decimal(value)
