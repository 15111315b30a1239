"""An attribute class for items of several kinds in one table: its prefix is in DynamoDB alone."""

from typing import Any

from pynamodb.attributes import UnicodeAttribute

__all__ = ["PrefixedAttribute"]


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
