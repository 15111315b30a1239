"""The request's user, as the authorizer says it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class User:
    """Who makes the request; made from an authorizer's context, never from a header.

    ``uuid`` is the user's id, ``permissions`` and ``groups`` are sets of names, ``claims`` is all that the
    authorizer said.
    """

    uuid: str
    permissions: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    claims: Mapping[str, Any] = field(default_factory=dict)
