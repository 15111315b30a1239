"""Registration, login, the user's own page, profiles and followers."""

import time

import jwt
import pytest
from community import SECRET
from conduit.models import Account

from polymicro_lambda import User

NEW = {"username": "ann", "email": "Ann@Example.com", "password": "ann's own"}
SHOWN = {"username": "ann", "email": "ann@example.com", "bio": None, "image": None}


def without_token(account):
    return {name: value for name, value in account.items() if name != "token"}


def test_who_registers_is_known_by_the_token(community):
    made = community.send(None, "POST", "/users", NEW)
    assert (made.status, without_token(made.json["user"])) == (201, SHOWN)
    community.tokens["ann"] = made.json["user"]["token"]
    assert without_token(community.done("ann", "GET", "/user")) == SHOWN
    bearer = {"Authorization": f"Bearer {made.json['user']['token']}"}
    assert without_token(community.done(None, "GET", "/user", headers=bearer)) == SHOWN


def test_a_password_is_stored_as_a_salted_hash(community):
    community.join("ann", "max")
    community.done("max", "PUT", "/user", {"password": "ann's own"})
    ann, other = (account.password for account in Account.scan())
    assert "own" not in ann + other
    assert ann != other


@pytest.mark.parametrize(
    ("change", "status", "fields"),
    [
        pytest.param({"username": "other"}, 409, ["email"], id="a taken address, in other letters"),
        pytest.param({"email": "b@example.com"}, 409, ["username"], id="a taken name"),
        pytest.param({"email": "no address"}, 422, ["email"], id="no address"),
        pytest.param({"username": "a/b"}, 422, ["username"], id="a name that is no path"),
        pytest.param({"password": ""}, 422, ["password"], id="no password"),
        pytest.param({"password": None}, 422, ["password"], id="null"),
        pytest.param({"id": "1"}, 422, ["id"], id="an id of one's own"),
    ],
)
def test_who_cannot_register(community, change, status, fields):
    community.join("ann")
    refused = community.send(None, "POST", "/users", {**NEW, **change})
    assert (refused.status, [*refused.json["errors"]]) == (status, fields)


def test_login(community):
    community.done(None, "POST", "/users", NEW)
    said = {"email": "ANN@example.com", "password": "ann's own"}
    assert without_token(community.done(None, "POST", "/users/login", said)) == SHOWN
    wrong = [{**said, "password": "x"}, {**said, "email": "eve@example.com"}]
    refused = [community.send(None, "POST", "/users/login", one, request_id="r") for one in wrong]
    assert refused[0].status == 401
    assert refused[0].body == refused[1].body
    assert community.send(None, "POST", "/users/login", {"email": "a"}).status == 422


def test_login_after_a_change_of_address_and_password(community):
    community.join("ann")
    changed = {"email": "new@example.com", "password": "newer"}
    community.done("ann", "PUT", "/user", changed)
    assert community.send(None, "POST", "/users/login", changed).status == 200
    old = {"email": "ann@example.com", "password": "ann's own"}
    assert community.send(None, "POST", "/users/login", old).status == 401
    assert community.send(None, "POST", "/users/login", {**old, **changed}).status == 200


@pytest.mark.parametrize(
    ("claims", "secret", "algorithm"),
    [
        pytest.param({"exp": -1}, SECRET, "HS256", id="expired"),
        pytest.param({"exp": None}, SECRET, "HS256", id="without an end"),
        pytest.param({"sub": None}, SECRET, "HS256", id="of nobody"),
        pytest.param({"sub": 7}, SECRET, "HS256", id="of a number"),
        pytest.param({}, "another secret, as long as the other one", "HS256", id="another key"),
        pytest.param({}, None, "none", id="not signed"),
        pytest.param({}, SECRET + SECRET, "HS512", id="another algorithm"),
    ],
)
def test_a_token_that_is_not_good_is_none(community, claims, secret, algorithm):
    community.join("ann")
    sub = jwt.decode(community.tokens["ann"], SECRET, ["HS256"])["sub"]
    times = {"exp": int(time.time()) + claims["exp"] * 60} if claims.get("exp") else {}
    said = {"sub": sub, "exp": int(time.time()) + 60, **claims, **times}
    body = {name: value for name, value in said.items() if value is not None}
    token = {"Authorization": f"Token {jwt.encode(body, secret, algorithm)}"}
    assert community.ask(None, "GET", "/user", headers=token).status == 401
    assert community.done(None, "GET", "/profiles/ann", headers=token)["following"] is False


def test_without_a_header_it_is_whom_the_request_context_names(community):
    """As ``polymicro serve --as`` does; a bad token stands before it."""
    community.join("ann")
    ann = User(jwt.decode(community.tokens["ann"], SECRET, ["HS256"])["sub"])
    assert without_token(community.done(None, "GET", "/user", user=ann)) == SHOWN
    bad = {"Authorization": "Token a.b.c"}
    assert community.ask(None, "GET", "/user", user=ann, headers=bad).status == 401


@pytest.mark.parametrize("header", ["", "Token", "Token ", "Basic YTpi", "Token a.b.c", "Token é"])
def test_a_header_that_is_no_token(community, header):
    assert community.ask(None, "GET", "/user", headers={"Authorization": header}).status == 401


def test_the_users_own_page(community):
    community.join("ann", "max")
    changed = {"bio": "Writes.", "image": "https://example.com/ann.png"}
    assert without_token(community.done("ann", "PUT", "/user", changed)) == {**SHOWN, **changed}
    assert community.done("ann", "PUT", "/user", {"image": None})["bio"] == "Writes."
    taken = community.send("ann", "PUT", "/user", {"username": "max"})
    assert (taken.status, [*taken.json["errors"]]) == (409, ["username"])
    assert community.send("ann", "PUT", "/user", {"id": "1"}).status == 422
    assert community.done("max", "GET", "/user")["bio"] is None
    assert community.send(None, "PUT", "/user", {}).status == 401


def test_a_profile_is_what_others_see(community):
    community.join("ann")
    community.done("ann", "PUT", "/user", {"bio": "Writes."})
    profile = {"username": "ann", "bio": "Writes.", "image": None, "following": False}
    assert community.done(None, "GET", "/profiles/ann") == profile
    assert community.ask(None, "GET", "/profiles/nobody").status == 404


def test_followers(community):
    community.join("ann", "max")
    for method, following in (("POST", True), ("POST", True), ("DELETE", False), ("DELETE", False)):
        answer = community.done("max", method, "/profiles/ann/follow")
        assert answer == {"username": "ann", "bio": None, "image": None, "following": following}
        assert community.done("max", "GET", "/profiles/ann")["following"] is following
        assert community.done("ann", "GET", "/profiles/max")["following"] is False
    assert community.ask(None, "POST", "/profiles/ann/follow").status == 401
    assert community.ask("max", "POST", "/profiles/nobody/follow").status == 404


def test_who_takes_another_name_stays_the_same(community):
    community.join("ann", "max")
    slug = community.write("ann")
    community.done("max", "POST", "/profiles/ann/follow")
    community.done("ann", "PUT", "/user", {"username": "anna"})
    assert community.ask(None, "GET", "/profiles/ann").status == 404
    assert community.done("max", "GET", "/profiles/anna")["following"] is True
    assert community.done("max", "GET", f"/articles/{slug}")["author"]["username"] == "anna"
    assert len(community.titles(None, "/articles?author=anna")) == 1
