"""The request's user, from the context that the authorizer gave."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeAlias

from polymicro_lambda.exceptions import ConfigurationError
from polymicro_lambda.types import MAPPINGS

from .name_lists import names_in, scopes_in

__all__ = ["User", "user_from"]


@dataclass(frozen=True, slots=True)
class User:
    """Who makes the request; made from an authorizer's context, never from a header.

    ``uuid`` is the user's id, ``permissions`` and ``groups`` are sets of names, ``claims`` are all members that the
    authorizer gave for the user.
    """

    uuid: str
    permissions: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    claims: Mapping[str, Any] = field(default_factory=dict, hash=False)


Claims: TypeAlias = Mapping[str, Any]
_NO_NAMES: frozenset[str] = frozenset()

_ID_CLAIMS = ("uuid", "sub", "principalId")
"""Where a Lambda authorizer says the user's id: the first that is there."""
_NAME_CLAIMS = ("scope", "scopes", "permissions", "groups", "cognito:groups")
_GUEST = "unauthenticated"
"""How a Cognito identity pool calls who has not logged in. Anybody gets an identity of this kind, so it is nobody's."""
_SCOPES = 3
"""The number of texts or lists of scopes: the authorizer's own ``scopes``, then these claims from the start."""
_GROUPS = 2
"""The number of these, from the end, that hold groups; all before them hold permissions."""


NOBODY = "anonymous"
"""The member of an authorizer's context that says: no token was sent. It is no user, whatever else is there."""
REFUSED = "refused"
"""The member that says: a token was sent, and is not good."""


def is_refused(request_context: object) -> bool:
    """Whether an authorizer has let a request through whose token is not good: nobody may answer it but by 401."""
    return _says(_mapping(request_context).get("authorizer"), REFUSED)


def _is_nobody(authorizer: object) -> bool:
    return _says(authorizer, NOBODY) or _says(authorizer, REFUSED)


def _says(authorizer: object, mark: str) -> bool:
    """Whether a Lambda authorizer's context, on a REST API or on an HTTP API, says so."""
    if not isinstance(authorizer, MAPPINGS):
        return False
    said = authorizer.get(mark)
    if said is None:
        inner = authorizer.get("lambda")
        said = inner.get(mark) if isinstance(inner, MAPPINGS) else None
    return said is True or said == "true"


def user_from(request_context: object) -> User | None:
    """Read the user from an event's ``requestContext``, whichever authorizer filled it.

    None where there is no authorizer or its context is malformed; never raises for any JSON value. An authorizer
    decides alone: the IAM identity counts only where the authorizer gave nothing.
    """
    context = request_context if type(request_context) is dict else _mapping(request_context)
    authorizer = context.get("authorizer")
    if _is_nobody(authorizer):
        return None
    if type(authorizer) is dict and _SHAPE_NAMES.isdisjoint(authorizer):
        user = _make_user(authorizer)
        if user is not None:
            return user  # from a flat context, as most are
    if not _has_content(authorizer):
        identity = _mapping(context.get("identity"))
        return _lattice_user(identity) if identity.get("type") == "AWS_IAM" else _iam_rest_user(identity)
    claims = _mapping(authorizer)
    if not _SHAPE_NAMES.isdisjoint(claims):
        for name, read in _SHAPES.items():
            if isinstance(claims.get(name), MAPPINGS):
                return read(claims)
    return _flat_user(claims)


def _mapping(value: object) -> Claims:
    return value if type(value) is dict or isinstance(value, MAPPINGS) else {}


def _has_content(authorizer: object) -> bool:
    # Without an authorizer, HTTP API (payload 1.0) still sends {"claims": null, "scopes": null}.
    if type(authorizer) is dict or isinstance(authorizer, MAPPINGS):
        return [*authorizer.values()].count(None) < len(authorizer)
    return authorizer is not None


def _flat_user(authorizer: Claims) -> User | None:
    """Lambda authorizer on a REST API, whose context has no objects: ``claims`` may be one as JSON text."""
    claims = authorizer.get("claims")
    if claims is not None and not isinstance(claims, str):
        return None
    return _make_user(authorizer) or _token_user(_object_in(claims), authorizer.get("scopes"))


def _object_in(text: str | None) -> Claims:
    """The object that a text is in JSON, empty where it is none."""
    try:
        return _mapping(json.loads(text or "null"))
    except (ValueError, RecursionError):
        return {}


def _lattice_user(identity: Claims) -> User | None:
    """A client of VPC Lattice that has signed its request (payload 2.0)."""
    return _make_user(identity, ids=(identity.get("principal"),))


def _lambda_user(authorizer: Claims) -> User | None:
    """Lambda authorizer on an HTTP API."""
    return _make_user(authorizer["lambda"])


def _jwt_user(authorizer: Claims) -> User | None:
    """JWT authorizer on an HTTP API (payload 2.0)."""
    jwt = authorizer["jwt"]
    return _token_user(_mapping(jwt.get("claims")), jwt.get("scopes"))


def _claims_user(authorizer: Claims) -> User | None:
    """Cognito on a REST API; JWT on an HTTP API (payload 1.0), which adds ``scopes``."""
    return _token_user(authorizer["claims"], authorizer.get("scopes"))


def _token_user(claims: Claims, scopes: object) -> User | None:
    """The user of a verified token: ``sub`` is the provider's word, any other claim may be one that users choose."""
    return _make_user(claims, ids=(claims.get("sub"), claims.get("uuid")), scopes=scopes)


def _iam_user(authorizer: Claims) -> User | None:
    """IAM on an HTTP API (payload 2.0) or a function URL."""
    iam = authorizer["iam"]
    cognito = _mapping(iam.get("cognitoIdentity"))
    if _GUEST in names_in(cognito.get("amr")):
        return None
    return _make_user(iam, ids=(cognito.get("identityId"), iam.get("userArn")))


def _iam_rest_user(identity: Claims) -> User | None:
    """IAM on a REST API, whose every event has an ``identity``, if only of nulls."""
    if identity.get("cognitoAuthenticationType") == _GUEST:
        return None
    return _make_user(identity, ids=(identity.get("cognitoIdentityId"), identity.get("userArn")))


_SHAPES: Mapping[str, Callable[[Claims], User | None]] = MappingProxyType(
    {"lambda": _lambda_user, "jwt": _jwt_user, "iam": _iam_user, "claims": _claims_user}
)
"""Member of the authorizer's context that holds an object -> its reader; a context with none of them is flat."""
_SHAPE_NAMES = frozenset(_SHAPES)


def _make_user(claims: Claims, *, ids: tuple[Any, ...] | None = None, scopes: object = None) -> User | None:
    first = claims.get(_ID_CLAIMS[0]) if ids is None else None
    uuid = first if type(first) is str and first.strip() else _user_id(_first_id(claims, ids))
    if uuid is None:
        return None
    lists = (scopes, *map(claims.get, _NAME_CLAIMS))
    try:
        permissions, groups = _permissions_and_groups(lists)
    except TypeError:  # lists, which no cache holds
        permissions, groups = _permissions_and_groups.__wrapped__(lists)
    return User(uuid, permissions, groups, claims)


@lru_cache(maxsize=64)
def _permissions_and_groups(lists: tuple[Any, ...]) -> tuple[frozenset[str], frozenset[str]]:
    """Permissions and groups, kept for authorizers that give the same texts again and again."""
    names = [*map(scopes_in, lists[:_SCOPES]), *map(names_in, lists[_SCOPES:])]
    return _NO_NAMES.union(*names[:-_GROUPS]), _NO_NAMES.union(*names[-_GROUPS:])


def _first_id(claims: Claims, ids: tuple[Any, ...] | None) -> object:
    """The first id that is not null: of ``ids``, or where those are not given, of the claims."""
    candidates = map(claims.get, _ID_CLAIMS) if ids is None else ids
    return next((value for value in candidates if value is not None), None)


def _user_id(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return _digits(value)
    return value if isinstance(value, str) and value.strip() else None


def _digits(value: int) -> str | None:
    try:
        return str(value)
    except ValueError:  # CPython refuses more digits than sys.get_int_max_str_digits()
        return None


def user_id_by(own: Callable[[Any], Any] | None, user: Any) -> str:
    """The id of a user, ``""`` for nobody: the result of the app's ``own`` function, else ``uuid``, or a str itself.

    Raises ``ConfigurationError`` for a user without an id: all such users would share one.
    """
    if user is None:
        return ""
    uid = _uuid_of(user) if own is None else own(user)
    if uid is None or uid == "":
        kind = type(user).__name__
        raise ConfigurationError(
            f"PolyMicro.user_id must say what identifies a {kind}: it has no uuid"
            if own is None
            else f"PolyMicro.user_id gave {uid!r} for a {kind}"
        )
    return str(uid)


def _uuid_of(user: Any) -> Any:
    return user if isinstance(user, str) else getattr(user, "uuid", None)
