"""Pagination cursors: the key at which a list continues, signed, encrypted and bound to its own request."""

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from itsdangerous import BadData, BadSignature, SignatureExpired, URLSafeTimedSerializer

from polymicro_lambda.exceptions import BadRequest, ConfigurationError
from polymicro_lambda.http import json_bytes

SALT = "polymicro_lambda.cursor.v2"
NO_KEY = object()
"""A list verb returned no pagination key of its own: the key is the iterator's."""
NONCE_BYTES = 16
"""Enough that no random nonce occurs twice."""
LEAST_SECRET_BYTES = 20
"""The size of SHA-1's output, by which itsdangerous makes its HMAC: a shorter key weakens it (RFC 2104, section 3)."""


@dataclass(slots=True)
class Page:
    """Rows of a list, and the key after which the next page starts, None on the last."""

    items: tuple[Any, ...]
    key: Any = None
    after: Callable[[int], Any] | None = field(default=None, compare=False, repr=False)
    """Gives the key after the item at an index, counted from 0; None where that is unknown."""

    def first(self, count: int) -> "Page":
        """The page cut after ``count`` items, at least one. Only for a page whose ``after`` is known."""
        assert self.after is not None  # nosec B101 # noqa: S101 - for the type checker
        return Page(self.items[:count], self.after(count - 1), self.after)


class _EncryptingSerializer:
    """JSON that only the secret reads: a key can belong to an item, or a field, that the user may not see.

    A stream cipher: the text XOR the output of SHAKE-256 (FIPS 202) over a key and a nonce that is used once.
    """

    def __init__(self, secret: str) -> None:
        # The label is part of every cursor that was ever given out: another one makes all of them unreadable.
        self._key = hashlib.sha256(f"{SALT}.veil:{secret}".encode()).digest()

    def dumps(self, value: Any, **_: Any) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._xor(nonce, json_bytes(value))

    def loads(self, data: bytes, **_: Any) -> Any:
        return json.loads(self._xor(data[:NONCE_BYTES], data[NONCE_BYTES:]))

    def _xor(self, nonce: bytes, text: bytes) -> bytes:
        stream = hashlib.shake_256(self._key + nonce).digest(len(text))
        return bytes(one ^ other for one, other in zip(text, stream, strict=True))


class Cursors:
    """Seals and opens pagination keys: opaque, signed, expiring, bound to their request.

    ``secrets`` are the secrets, the first of which seals; the others still open what they sealed.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        self._serializers = [
            URLSafeTimedSerializer(one, salt=SALT, serializer=_EncryptingSerializer(one)) for one in secrets
        ]

    def seal(self, key: Any, scope: Sequence[Any]) -> str:
        """The cursor for a pagination key: any JSON value, or a ``last_evaluated_key`` of DynamoDB's.

        ``scope`` is the request that it is bound to: user, route, filters, sort, parameters of the verb's own.
        """
        text = self._serializers[0].dumps([_digest(scope), _encoded(key)])
        return text if isinstance(text, str) else text.decode()

    def open(self, cursor: str, scope: Sequence[Any], max_age: int) -> Any:
        """The pagination key in a cursor that is at most ``max_age`` seconds old.

        Raises ``BadRequest`` for a cursor that was changed, has expired, or was made for another user or query.
        """
        try:
            digest, key = self._loads(cursor, max_age)
        except SignatureExpired as error:
            raise _refused("has expired: start again from the first page") from error
        except (BadData, ValueError, TypeError) as error:
            raise _refused("is not one that this API gave out") from error
        if digest != _digest(scope):
            raise _refused("belongs to another user or another query: start again from the first page")
        return _decoded(key)

    def _loads(self, cursor: str, max_age: int) -> Any:
        for serializer in self._serializers[:-1]:
            try:
                return serializer.loads(cursor, max_age=max_age)
            except SignatureExpired:
                raise
            except BadSignature:
                continue
        return self._serializers[-1].loads(cursor, max_age=max_age)


def foreign_key() -> BadRequest:
    """The 400 of a pagination key that another query gave out."""
    return _refused("belongs to another query: start again from the first page")


def _refused(why: str) -> BadRequest:
    detail = f"pagination_key {why}."
    return BadRequest(detail, errors=[{"parameter": "pagination_key", "detail": detail}])


def _digest(scope: Sequence[Any]) -> str:
    text = json_bytes(list(scope), default=str)
    return base64.urlsafe_b64encode(hashlib.sha256(text).digest()[:12]).decode()


def is_start_key(value: Any) -> bool:
    """Whether a value has the form of a ``last_evaluated_key``: name -> {type: value}."""
    return (
        isinstance(value, Mapping)
        and bool(value)
        and all(
            isinstance(v, Mapping) and len(v) == 1 and next(iter(v)) in ("S", "N", "B")
            for v in value.values()
        )
    )


def _encoded(key: Any) -> list[Any]:
    """A pagination key as JSON: binary key values, which are bytes, as base64."""
    if not is_start_key(key):
        return ["json", key]
    binary = {k: base64.b64encode(v["B"]).decode() for k, v in key.items() if isinstance(v.get("B"), bytes)}
    return ["key", {k: dict(v) for k, v in key.items() if k not in binary}, binary]


def _decoded(key: Sequence[Any]) -> Any:
    if key[0] == "json":
        return key[1]
    return key[1] | {name: {"B": base64.b64decode(value)} for name, value in key[2].items()}


def signing_secrets(given: str | Sequence[str] | None) -> list[str]:
    """The secrets that sign cursors; outside a deployed Lambda a random one where none is configured.

    Raises ``ConfigurationError`` in a deployed Lambda where there is none, as its next instance could not read such
    cursors, and where any is too short: an old one that still opens cursors can be guessed as well.
    """
    configured = [secret for secret in configured_secrets(given) if secret]
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ and os.environ.get("AWS_SAM_LOCAL") != "true":
        _check_strength(configured)
    return configured or [secrets.token_urlsafe(32)]


def _check_strength(configured: Sequence[str]) -> None:
    if not configured:
        raise ConfigurationError("PolyMicro.cursor_secret is missing: set POLYMICRO_CURSOR_SECRET")
    for number, secret in enumerate(configured, 1):
        if len(secret.encode(errors="replace")) < LEAST_SECRET_BYTES:
            which = f", number {number} of {len(configured)}," if len(configured) > 1 else ""
            raise ConfigurationError(
                f"PolyMicro.cursor_secret{which} is too short to sign with: give at least {LEAST_SECRET_BYTES} random"
                " bytes, such as those that python -c 'import secrets; print(secrets.token_urlsafe())' prints"
                " (in POLYMICRO_CURSOR_SECRET a comma separates two secrets)"
            )


def configured_secrets(given: str | Sequence[str] | None) -> list[str]:
    """The secrets of the argument, else of the environment; a single empty one where there is none."""
    if given is None:
        given = os.environ.get("POLYMICRO_CURSOR_SECRET", "").split(",")
    return [secret for secret in ([given] if isinstance(given, str) else given) if secret] or [""]
