"""Entity tags (RFC 9110, section 8.8.3) and the preconditions that name them."""

import base64
import hashlib
import re
from binascii import b2a_base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from hashlib import blake2b
from json.encoder import encode_basestring
from typing import Any

from pynamodb.models import Model

from polymicro_lambda.dynamodb import model_info
from polymicro_lambda.exceptions import BadRequest
from polymicro_lambda.http import TAG_SUFFIX, json_text
from polymicro_lambda.types import MAPPINGS, RawItem

_VERSION = re.compile(r'"(0|[1-9][0-9]{0,37})"')  # 38 digits are the most that a number has in DynamoDB
_MAX_VERSIONS = 100
"""Operands of one IN (DynamoDB: "Condition expressions", comparison operators)."""
_TAGS = re.compile(r'[ \t]*(?:(W/)?("[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?:,|\Z)|,)')
_DIGEST_BYTES = 16
_DIGEST_CHARACTERS = 22
"""Of the digest in base64, without the padding."""
_SHOWN = re.compile(rf'\.[A-Za-z0-9_-]{{{_DIGEST_CHARACTERS}}}"\Z')
"""The second part of a tag. Neither a version nor base64 for URLs (RFC 4648, section 5) has a dot."""
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_DYNAMODB_NUMBERS = Context(prec=38)  # the digits of a DynamoDB number; Python's own context keeps 28


@dataclass(frozen=True, slots=True)
class EntityTagger:
    """Makes entity tags; with a ``key`` nobody can guess the hidden half of an item from its digest."""

    key: bytes = b""

    @classmethod
    def of(cls, secret: str) -> "EntityTagger":
        """The tagger of an app, by its secret."""
        return cls(hashlib.sha256(f"polymicro_lambda.etag:{secret}".encode()).digest())

    def strong(self, model: type[Model], raw: RawItem) -> str:
        """The tag of a stored item: its version where the model has one, else a digest of the item."""
        version = model_info(model).version
        if version is not None and version.attr_name in raw:
            return f'"{raw[version.attr_name]["N"]}"'
        return self.of_content(canonical_bytes(raw))

    def shown(self, stored: str, body: bytes) -> str:
        """The strong tag of an item's representation that its stored state does not tell: its tag, and the body's."""
        return f'{stored[:-1]}.{self._digest(body)}"'

    def represented(self, tag: str, about: bytes) -> str:
        """The tag of the same in another form, which ``about`` tells, by its tag in JSON."""
        if tag.startswith("W/"):
            return self.weak(tag.encode() + about.partition(b"\0")[0])
        return self.shown(_SHOWN.sub('"', tag), about)

    def of_content(self, content: bytes) -> str:
        """The strong tag of an item without a version, from its `canonical_bytes`."""
        return f'"{self._digest(content)}"'

    def weak(self, content: bytes) -> str:
        """The weak tag of a list, from the bytes of its answer."""
        return f'W/"{self._digest(content)}"'

    def _digest(self, content: bytes) -> str:
        # BLAKE2 with a key is a MAC (RFC 7693, section 1).
        digest = blake2b(content, digest_size=_DIGEST_BYTES, key=self.key).digest()
        return b2a_base64(digest, newline=False).translate(_URL_SAFE)[:_DIGEST_CHARACTERS].decode()


UNKEYED_TAGGER = EntityTagger()
"""For code outside of an app."""


def canonical_bytes(raw: RawItem) -> bytes:
    """A stored item as bytes that depend neither on the order of members or sets nor on how a number is written."""
    parts = []
    for name in sorted(raw):
        value = raw[name]
        # Most attributes are texts or bools, which have one form.
        if len(value) == 1 and name not in CANONICAL_FORMS:
            text = value.get("S")
            if type(text) is str:
                parts.append(f'[{encode_basestring(name)},[["S",{encode_basestring(text)}]]]')
                continue
            boolean = value.get("BOOL")
            if type(boolean) is bool:
                parts.append(f'[{encode_basestring(name)},[["BOOL",{_BOOLEANS[boolean]}]]]')
                continue
        parts.append(canonical_member(name, value))
    return f"[{','.join(parts)}]".encode()


def canonical_member(name: str, value: Any) -> str:
    """One attribute of a stored item in the canonical form."""
    return json_text([name, CANONICAL_FORMS.get(name, _ordered)(value)])


_OF_GZIP = f'{TAG_SUFFIX}"'
_BOOLEANS = {True: "true", False: "false"}


def same_item(one: RawItem | None, other: RawItem | None) -> bool:
    """Whether two stored items are equal, sets in any order and numbers however written."""
    return one is not None and other is not None and canonical_bytes(one) == canonical_bytes(other)


def _ordered(value: Any) -> Any:
    if isinstance(value, MAPPINGS):
        return [[name, CANONICAL_FORMS.get(name, _ordered)(one)] for name, one in sorted(value.items())]
    if isinstance(value, list | tuple):
        return [_ordered(one) for one in value]
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _number(text: Any) -> Any:
    # An attribute, or a member of a map, can be named N as well: then it holds no text.
    return str(Decimal(text).normalize(_DYNAMODB_NUMBERS)) if isinstance(text, str) else _ordered(text)


def _set(values: Any) -> Any:
    return sorted(_ordered(list(values))) if not isinstance(values, Mapping) else _ordered(values)


def _numbers(values: Any) -> Any:
    return sorted(map(_number, values)) if not isinstance(values, Mapping) else _ordered(values)


CANONICAL_FORMS: Mapping[str, Callable[[Any], Any]] = {"N": _number, "NS": _numbers, "SS": _set, "BS": _set}


@dataclass(frozen=True, slots=True)
class EntityTags:
    """The tags of an ``If-Match`` or ``If-None-Match``; ``any`` is ``*``.

    A tag is that of the stored item, and behind a dot the digest of what was shown of it where that depends on more.
    """

    strong: frozenset[str] = frozenset()
    weak: frozenset[str] = frozenset()
    any: bool = False

    @classmethod
    def read(cls, header: str | None, name: str) -> "EntityTags | None":
        """The tags of a header, None where there is none. Raises ``BadRequest`` for anything but ``*`` or tags."""
        if header is None:
            return None
        header = header.strip(" \t")
        if header == "*":
            return cls(any=True)
        tags: dict[bool, set[str]] = {False: set(), True: set()}
        place = 0
        while place < len(header):
            tag = _TAGS.match(header, place)
            if tag is None:
                raise BadRequest(
                    f'{name} must be * or entity tags, separated by commas. A tag has its quotes: "abc".'
                )
            if tag[2]:
                tags[tag[1] is not None].add(tag[2].replace(_OF_GZIP, '"'))
            place = tag.end()
        return cls(frozenset(tags[False]), frozenset(tags[True]))

    @property
    def stored(self) -> frozenset[str]:
        """What the strong tags say of the stored item."""
        return frozenset(_SHOWN.sub('"', tag) for tag in self.strong)

    def match(self, tag: str) -> bool:
        """The strong comparison, of ``If-Match`` (RFC 9110, section 8.8.3.2), with the tag of a stored item."""
        return self.any or tag in self.stored

    def match_weakly(self, tag: str) -> bool:
        """The weak comparison, of ``If-None-Match``, with the tag of a representation."""
        return self.any or tag.removeprefix("W/") in self.strong | self.weak

    @property
    def are_weak(self) -> bool:
        """Whether none of them can be the tag of an item: they are all weak."""
        return bool(self.weak) and not self.strong and not self.any

    def versions(self) -> list[str]:
        """The stored parts as DynamoDB's numbers, where all are versions and fit into one condition; else none."""
        stored = self.stored
        versions = [tag[1:-1] for tag in stored if _VERSION.fullmatch(tag)]
        fits = len(versions) == len(stored) <= _MAX_VERSIONS
        return sorted(versions) if fits else []
