"""The paths of items: from an item to its segments, percent-encoded."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from polymicro_lambda.lazy import lazy

from .item_schemas import ItemSchema

_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]*")
"""What stands for itself in a path (RFC 3986, section 2.3)."""


@dataclass(frozen=True)
class ItemPath:
    """The path of a resource's items: literal segments, and parameters as ``{name}``."""

    template: tuple[str, ...]
    schema: ItemSchema

    def segments_of(self, instance: Any, path_params: Mapping[str, Any], first: int = 0) -> list[str]:
        """The segments of one item's path from ``first`` on, percent-encoded.

        Parameters that are no key come from the request.
        """
        return [_quoted(self._text(part, instance, path_params)) for part in self.template[first:]]

    def path_of(self, raw: Mapping[str, Any], first: int) -> str | None:
        """The same of a stored item as one text, None where that takes its instance or the request."""
        plan = self._plan[first:]
        if None in plan:
            return None
        return "/".join([_quoted(raw[place[1]]["S"]) if place[1] else place[0] for place in plan if place])

    @lazy
    def _plan(self) -> list[tuple[str, str | None] | None]:
        """Each segment as it is, or the name in DynamoDB of the text that it shows; None for any other."""
        return [self._place(part) for part in self.template]

    def _place(self, part: str) -> tuple[str, str | None] | None:
        name = parameter(part)
        if name is None:
            return _quoted(part), None
        return ("", self.schema.attributes[name].attr_name) if name in self.schema.texts else None

    def _text(self, part: str, instance: Any, path_params: Mapping[str, Any]) -> str:
        name = parameter(part)
        if name is None:
            return part
        if name in self.schema.texts:
            return str(getattr(instance, name))
        if name in instance.get_attributes():
            return self.schema.key_text(name, getattr(instance, name))
        return str(path_params[name])


def _quoted(text: str) -> str:
    return text if _UNRESERVED.fullmatch(text) else quote(text, safe="")


def parameter(part: str) -> str | None:
    """The name in a path segment ``{name}``, None for a literal one."""
    return part[1:-1] if part.startswith("{") and part.endswith("}") else None
