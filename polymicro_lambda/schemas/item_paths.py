"""The path of an item: its segments, percent-encoded."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from polymicro_lambda.lazy import lazy

from .item_schemas import ItemSchema

_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]*")
"""A text that needs no escapes in a path (RFC 3986, section 2.3)."""


@dataclass(frozen=True)
class ItemPath:
    """The path of a resource's items: literal segments, and parameters as ``{name}``."""

    template: tuple[str, ...]
    schema: ItemSchema

    def segments_of(self, instance: Any, path_params: Mapping[str, Any], first: int = 0) -> list[str]:
        """The segments of one item's path from ``first`` on, percent-encoded.

        The values of parameters that are no attributes come from the request.
        """
        return [_quoted(self._text(part, instance, path_params)) for part in self.template[first:]]

    def path_of(self, raw: Mapping[str, Any], first: int) -> str | None:
        """The same segments of a stored item, joined by "/"; None if that needs an instance or the request."""
        places = self._places[first:]
        if None in places:
            return None
        return "/".join([_quoted(raw[place[1]]["S"]) if place[1] else place[0] for place in places if place])

    @lazy
    def _places(self) -> list[tuple[str, str | None] | None]:
        """For each segment its text and None, or "" and the DynamoDB name of a text; None for any other parameter."""
        return [self._place(part) for part in self.template]

    def _place(self, part: str) -> tuple[str, str | None] | None:
        name = parameter_name(part)
        if name is None:
            return _quoted(part), None
        return ("", self.schema.attributes[name].attr_name) if name in self.schema.texts else None

    def _text(self, part: str, instance: Any, path_params: Mapping[str, Any]) -> str:
        name = parameter_name(part)
        if name is None:
            return part
        if name in self.schema.texts:
            return str(getattr(instance, name))
        if name in instance.get_attributes():
            return self.schema.key_text(name, getattr(instance, name))
        value = path_params[name]
        return value if isinstance(value, str) else self.schema.key_text(name, value)


def _quoted(text: str) -> str:
    return text if _UNRESERVED.fullmatch(text) else quote(text, safe="")


def parameter_name(part: str) -> str | None:
    """The name in a path segment ``{name}``, None for a literal segment."""
    return part[1:-1] if part.startswith("{") and part.endswith("}") else None
