"""Cursors: they come back exactly, and only to whom and where they were given out."""

import base64
import json
import zlib
from datetime import date
from typing import Any

import pytest
from itsdangerous import URLSafeTimedSerializer
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import List, ModelResource, PolyMicro, User
from polymicro_lambda.exceptions import BadRequest, ConfigurationError
from polymicro_lambda.lists.cursors import SALT, Cursors, Page
from polymicro_lambda.testing import Client

SCOPE = ("alice", "/todo")
DAY = 86400
NOT_OURS = "pagination_key is not one that this API gave out."
FOREIGN = "pagination_key belongs to another user or another query: start again from the first page."
OLD = "pagination_key has expired: start again from the first page."

cursors = Cursors(["secret"])


def refusal(cursor: str, *, scope: Any = SCOPE, by: Cursors = cursors, max_age: int = DAY) -> str:
    """Why a cursor is refused."""
    with pytest.raises(BadRequest) as caught:
        by.open(cursor, scope, max_age)
    detail = str(caught.value.detail)
    assert caught.value.errors == ({"parameter": "pagination_key", "detail": detail},)
    return detail


@pytest.mark.parametrize(
    "key",
    [
        pytest.param({"o": {"S": "alice"}, "u": {"S": "1"}}, id="text keys"),
        pytest.param({"o": {"N": "12345678901234567890.5"}}, id="number key, exactly"),
        pytest.param({"o": {"B": b"\x00\xff\xfe"}, "u": {"S": "1"}}, id="binary key"),
        pytest.param({"o": {"B": b"\x00"}, "u": {"B": b"\xff" * 1024}}, id="two binary keys"),
        pytest.param({"o": {"B": b""}}, id="empty binary"),
        pytest.param({"o": {"N": "1"}, "u": {"B": b"\xff"}}, id="number and binary"),
        pytest.param({"o": {"S": "é\u0000😀\n"}}, id="any text"),
        pytest.param({"o": {"S": "a" * 2048}, "u": {"S": "b" * 1024}}, id="the longest keys"),
        pytest.param({"B": {"S": "a"}, "S": {"B": b"b"}}, id="attributes named as types"),
        pytest.param(0, id="0"),
        pytest.param("", id="empty text"),
        pytest.param(False, id="false"),
        pytest.param(None, id="null"),
        pytest.param([], id="list"),
        pytest.param({}, id="object"),
        pytest.param({"a": {"B": "text, not bytes"}}, id="an object that looks like a key"),
        pytest.param({"a": {"S": 5}}, id="another"),
        pytest.param(["key", {}, {}], id="a list as the cursor's own form"),
        pytest.param(2**70 + 1, id="large number"),
        pytest.param({"page": 2, "deep": [1, {"a": None}]}, id="any JSON"),
    ],
)
def test_a_key_comes_back(key: Any) -> None:
    opened = cursors.open(cursors.seal(key, SCOPE), SCOPE, DAY)
    assert (opened, type(opened)) == (key, type(key))


def test_a_page_may_end_sooner() -> None:
    page = Page(("a", "b", "c"), "after c", lambda place: f"after {place}")
    assert page.first(2) == Page(("a", "b"), "after 1")
    assert page.first(2).first(1) == Page(("a",), "after 0")


def test_a_cursor_is_url_safe() -> None:
    cursor = cursors.seal({"o": {"B": bytes(range(256))}, "u": {"S": "/+?&=é"}}, SCOPE)
    assert set(cursor) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


CURSOR = cursors.seal({"o": {"S": "alice"}}, SCOPE)
PAYLOAD, TIME, SIGNATURE = CURSOR.rsplit(".", 2)


@pytest.mark.parametrize(
    "cursor",
    [
        pytest.param("", id="empty"),
        pytest.param("x", id="rubbish"),
        pytest.param("..", id="dots"),
        pytest.param("é", id="no ASCII"),
        pytest.param("\ud800", id="lone surrogate"),
        pytest.param("\x00", id="NUL"),
        pytest.param("a" * 100_000, id="long"),
        pytest.param(CURSOR[:-1], id="cut"),
        pytest.param(CURSOR + "A", id="longer"),
        pytest.param(" " + CURSOR, id="blank before"),
        pytest.param(f"{PAYLOAD}.{TIME}", id="no signature"),
        pytest.param(f"{PAYLOAD}.{TIME}.", id="empty signature"),
        pytest.param(f"{PAYLOAD}.{SIGNATURE}", id="no time"),
        pytest.param(f"{PAYLOAD}.AAAA.{SIGNATURE}", id="another time"),
        pytest.param(f"{PAYLOAD[:-2]}AA.{TIME}.{SIGNATURE}", id="another key"),
        pytest.param(Cursors(["other"]).seal({"o": {"S": "alice"}}, SCOPE), id="another secret"),
        pytest.param(
            URLSafeTimedSerializer("secret", salt="login").dumps(["d", ["json", 1]]), id="another purpose"
        ),
    ],
)
def test_tampering(cursor: str) -> None:
    assert refusal(cursor) == NOT_OURS


@pytest.mark.parametrize("position", range(0, len(CURSOR), 7))
def test_every_letter_counts(position: int) -> None:
    letter = "A" if CURSOR[position] != "A" else "B"
    assert refusal(CURSOR[:position] + letter + CURSOR[position + 1 :]) == NOT_OURS


@pytest.mark.parametrize(
    "payload",
    ["text", 5, None, [], ["only a digest"], [1, 2, 3], {"a": 1}, {"a": 1, "b": 2}],
    ids=repr,
)
def test_our_signature_under_something_else(payload: Any) -> None:
    """Were the secret shared with another use of this salt, it would be a 400 still."""
    assert refusal(str(URLSafeTimedSerializer("secret", salt=SALT).dumps(payload))) in (NOT_OURS, FOREIGN)


def test_a_compressed_bomb_is_not_unpacked() -> None:
    """The signature is checked before anything is decompressed."""
    bomb = base64.urlsafe_b64encode(zlib.compress(json.dumps("0" * 10_000_000).encode())).decode().rstrip("=")
    assert refusal(f".{bomb}.{TIME}.{SIGNATURE}") == NOT_OURS


@pytest.mark.parametrize(
    "scope",
    [
        pytest.param(("bob", "/todo"), id="user"),
        pytest.param(("", "/todo"), id="nobody"),
        pytest.param(("alice", "/tod"), id="path"),
        pytest.param(("alice", "/todo", "x"), id="longer"),
        pytest.param(("alice",), id="shorter"),
        pytest.param(("alic", "e/todo"), id="cut elsewhere"),
        pytest.param(("alice/todo",), id="joined"),
        pytest.param(("/todo", "alice"), id="turned"),
    ],
)
def test_another_scope(scope: tuple[str, ...]) -> None:
    assert refusal(CURSOR, scope=scope) == FOREIGN


def at(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    """Let it be this many seconds after the epoch."""
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: seconds)


def test_expiry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cursor is good for ``max_age`` seconds, the last one included, and for none before it was made."""
    at(monkeypatch, 1_000_000)
    cursor = cursors.seal("k", SCOPE)
    at(monkeypatch, 1_000_000 + 60)
    assert cursors.open(cursor, SCOPE, 60) == "k"
    at(monkeypatch, 1_000_000 + 61)
    assert refusal(cursor, max_age=60) == OLD
    assert refusal(cursor, max_age=60, scope=("bob",)) == OLD


def test_rotation() -> None:
    """A new secret signs; the old one still opens until it is taken away."""
    old, both, new = Cursors(["old"]), Cursors(["new", "old"]), Cursors(["new"])
    before, after = old.seal("k", SCOPE), both.seal("k", SCOPE)
    assert (both.open(before, SCOPE, DAY), new.open(after, SCOPE, DAY)) == ("k", "k")
    assert (refusal(before, by=new), refusal(after, by=old)) == (NOT_OURS, NOT_OURS)


def test_each_of_several_secrets_opens() -> None:
    """Whichever it is, and with it a cursor expires."""
    names = ("newest", "new", "old", "oldest")
    every = Cursors(names)
    assert [every.open(Cursors([name]).seal(name, SCOPE), SCOPE, DAY) for name in names] == list(names)


@pytest.mark.parametrize("secret", ["new", "old", "oldest"])
def test_a_cursor_of_any_secret_expires(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, 1_000_000)
    cursor = Cursors([secret]).seal("k", SCOPE)
    at(monkeypatch, 1_000_061)
    assert refusal(cursor, by=Cursors(["new", "old", "oldest"]), max_age=60) == OLD


def test_a_scope_may_hold_what_json_cannot_say() -> None:
    cursor = cursors.seal("k", ("alice", date(2026, 1, 1)))
    assert cursors.open(cursor, ("alice", date(2026, 1, 1)), DAY) == "k"
    assert refusal(cursor, scope=("alice", date(2026, 1, 2))) == FOREIGN


# Made once, by the secret "secret" at 1,000,000 s: scope -> key.
KEPT = {
    "XW1jNRhJZbLM4aZDum80RfQvzoHxWiomDuQb8NP4PUxqRB5JkB0qAhOYNDZS54yHCwsMAy6n8ew.D0JA.6974I5uzjkib3biCgNc1ZeZsEq4": {
        "page": 2
    },
    "h7HvlsyqSWqSpceo2qMJ5UWxNNtWIa1pfd_hFCpMnDuFjNwknzvEODowM6s8z7FMB9Aon6"
    "f9lmWaK2BThToDDvc-HNsqXR-jfxKY.D0JA.ivXrgSCsanGsmtHlwrQRuKcl-sY": {
        "o": {"B": b"\x00\xff"},
        "u": {"N": "1.5"},
    },
}


@pytest.mark.parametrize(("cursor", "key"), KEPT.items(), ids=["JSON", "key"])
def test_a_cursor_outlives_a_deployment(cursor: str, key: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another release with the same secret opens it: its form stays, or ``SALT`` has another version."""
    at(monkeypatch, 1_000_060)
    assert Cursors(["secret"]).open(cursor, SCOPE, 60) == key


# --- in an app ------------------------------------------------------------------------------------------


class Note(Model):
    class Meta:
        table_name = "notes"

    folder = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)


class Folder(ModelResource, List):
    model = Note
    route = "folders/{folder}/notes"
    cursor_max_age = 60

    def list(self, pagination_key: Any = None) -> Any:
        return [], 200, {}, [pagination_key]


class Notes(ModelResource, List):
    model = Note
    route = "notes"

    def list(self, pagination_key: Any = None) -> Any:
        return [], 200, {}, [pagination_key]


def app(secret: Any = "secret", **options: Any) -> PolyMicro:
    pm = PolyMicro(cursor_secret=secret, **options)
    Folder(pm)
    Notes(pm)
    return pm


ALICE, BOB = User("alice"), User("bob")


def follow(path: str, user: Any, cursor: str, pm: PolyMicro | None = None) -> int:
    return int(Client(pm or app()).get(path, query={"pagination_key": cursor}, user=user).status)


def cursor_of(path: str, user: Any = ALICE, pm: PolyMicro | None = None) -> str:
    return str(Client(pm or app()).get(path, user=user).json["pagination_key"])


@pytest.mark.parametrize(
    ("path", "user", "status"),
    [
        pytest.param("/folders/a/notes", ALICE, 200, id="the same"),
        pytest.param("/folders/a/notes/", ALICE, 200, id="trailing slash"),
        pytest.param("/folders/%61/notes", ALICE, 200, id="encoded"),
        pytest.param("/folders/a/notes", BOB, 400, id="another user"),
        pytest.param("/folders/b/notes", ALICE, 400, id="another folder"),
        pytest.param("/notes", ALICE, 400, id="another route"),
    ],
)
def test_a_cursor_is_bound_to_user_and_path(path: str, user: User, status: int) -> None:
    assert follow(path, user, cursor_of("/folders/a/notes")) == status


def test_a_resource_says_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, 1_000_000)
    short, long = cursor_of("/folders/a/notes"), cursor_of("/notes")
    at(monkeypatch, 1_000_100)
    assert (follow("/folders/a/notes", ALICE, short), follow("/notes", ALICE, long)) == (400, 200)


class Person:
    def __init__(self, name: str) -> None:
        self.name = name


@pytest.mark.parametrize(
    ("user_of", "user_id", "status"),
    [
        pytest.param(lambda request: request.user.uuid, None, 400, id="a str is its own id"),
        pytest.param(lambda request: Person(request.user.uuid), lambda u: u.name, 400, id="user_id"),
    ],
)
def test_users_of_another_kind(user_of: Any, user_id: Any, status: int) -> None:
    pm = app(req_user_func=user_of, user_id=user_id)
    assert follow("/notes", BOB, cursor_of("/notes", ALICE, pm), pm) == status


def test_a_secret_per_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    """``POLYMICRO_CURSOR_SECRET`` may name several, of which the first signs."""
    monkeypatch.setenv("POLYMICRO_CURSOR_SECRET", "new,old")
    cursor = cursor_of("/notes", pm=app(None))
    assert [follow("/notes", ALICE, cursor, app(s)) for s in ("new", ["x", "new"], "old", "new,old")] == [
        200,
        200,
        400,
        400,
    ]


def test_an_app_without_a_secret_reads_its_own_cursors() -> None:
    pm = app(None)
    cursor = cursor_of("/notes", pm=pm)
    client = Client(pm)
    own = client.get("/notes", user=ALICE).json["pagination_key"]
    assert client.get("/notes", query={"pagination_key": own}, user=ALICE).status == 200
    assert follow("/notes", ALICE, cursor, app(None)) == 400


@pytest.mark.parametrize("secret", [None, "", [], [""]], ids=repr)
def test_a_deployed_lambda_refuses_to_go_without(secret: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its next instance could not read such cursors."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "api")
    with pytest.raises(ConfigurationError, match=r"PolyMicro\.cursor_secret is missing"):
        app(secret).compile()


LEAST = 20  # bytes: RFC 2104, section 3, for SHA-1
GOOD, SHORT = "g" * LEAST, "s" * (LEAST - 1)


@pytest.mark.parametrize(
    ("secret", "number"),
    [
        pytest.param("x", "", id="one letter"),
        pytest.param(SHORT, "", id="one byte too few"),
        pytest.param([SHORT, GOOD], ", number 1 of 2,", id="the one that signs"),
        pytest.param([GOOD, "", SHORT], ", number 2 of 2,", id="an old one, which still opens"),
    ],
)
@pytest.mark.parametrize("where", ["argument", "environment"])
def test_a_deployed_lambda_refuses_a_secret_that_is_too_short(
    where: str, secret: Any, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever guesses a secret makes cursors of his own."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "api")
    if where == "environment":
        secret, listed = None, [secret] if isinstance(secret, str) else secret
        monkeypatch.setenv("POLYMICRO_CURSOR_SECRET", ",".join(listed))
    with pytest.raises(ConfigurationError, match=r"too short to sign with: give at least 20") as raised:
        app(secret).compile()
    assert f"PolyMicro.cursor_secret{number} is" in str(raised.value)
    assert SHORT not in str(raised.value)


@pytest.mark.parametrize("secret", [GOOD, [GOOD, "o" * LEAST], "ü" * (LEAST // 2)], ids=repr)
def test_a_deployed_lambda_takes_secrets_that_are_long_enough(
    secret: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "api")
    assert app(secret).compile()


@pytest.mark.parametrize(
    "variables",
    [{}, {"AWS_LAMBDA_FUNCTION_NAME": "api", "AWS_SAM_LOCAL": "true"}],
    ids=["laptop", "sam local"],
)
def test_on_a_laptop_any_secret_will_do(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert app("x").compile()


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        pytest.param({"pagination_key": "x"}, NOT_OURS, id="rubbish"),
        pytest.param({"pagination_key": ""}, NOT_OURS, id="empty"),
    ],
)
def test_a_refused_cursor_is_a_problem(query: dict[str, str], detail: str) -> None:
    result = Client(app(), user=ALICE).get("/notes", query=query)
    assert (result.status, result.json["errors"]) == (
        400,
        [{"parameter": "pagination_key", "detail": detail}],
    )
