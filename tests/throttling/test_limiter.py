"""Counted by user, exactly, in DynamoDB: what is over the quota is refused before anything is done."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from contract import (
    ALICE,
    BOB,
    FORMS,
    Caller,
    assert_problem,
    counted,
    dynamodb_call,
    every_form,
    failing,
    names,
    stored,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    CORS,
    AllowAny,
    Create,
    HasPermission,
    Idempotency,
    IsAuthenticated,
    List,
    ModelResource,
    OwnedBy,
    PolyMicro,
    RateLimit,
    Retrieve,
    User,
)
from polymicro_lambda.dynamodb.digests import Digester
from polymicro_lambda.testing import FakeClock
from polymicro_lambda.throttling.limiter import Limiter

Make = Callable[..., Caller]
SECRET = "s" * 32
THROTTLED = "ProvisionedThroughputExceededException"


@pytest.fixture
def make(dynamodb: None, table_name: str) -> Make:
    """Makes a client of ``/notes`` whose clock is ``client.clock``; counters are in the table ``<table_name>c``."""

    class Note(Model):
        class Meta:
            pass

        owner = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)

    Note.Meta.table_name = table_name  # type: ignore[attr-defined]
    clock = FakeClock(1_000_000.0)

    def make(
        quota: str | None = "2/minute", *, limit: Any = None, settings: Any = None, **body: Any
    ) -> Caller:
        rate_limit = RateLimit(quota, table=f"{table_name}c", clock=clock, **(limit or {}))
        pm = PolyMicro(rate_limit=rate_limit, cursor_secret=SECRET, **(settings or {}))
        members = {"model": Note, "route": "notes", "permissions": OwnedBy("owner"), **body}
        type("Notes", (ModelResource, Create, List, Retrieve), members)(pm)
        for model in (Note, rate_limit.model):
            if not model.exists():
                model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
        client = Caller(pm.compile(), user=ALICE)
        client.clock, client.app_ = clock, pm  # type: ignore[attr-defined]
        return client

    return make


def statuses(client: Caller, times: int, path: str = "/notes", **options: Any) -> list[int]:
    return [client.get(path, **options).status for _ in range(times)]


def said(result: Any) -> dict[str, str]:
    return {name: value for name, value in result.headers.items() if "rate" in name or name == "retry-after"}


# --- what a client sees ----------------------------------------------------------------------------------


@every_form
def test_what_is_over_the_quota_is_refused(make: Make, table_name: str, form: dict[str, Any]) -> None:
    client = make()
    policy = {"ratelimit-policy": '"default";q=2;w=60'}
    first, second = client.get("/notes", **form), client.post("/notes", json={"id": "1"}, **form)
    left = int(said(first)["ratelimit"].rpartition("=")[2])
    assert 1 <= left <= 60
    assert said(first) == {**policy, "ratelimit": f'"default";r=1;t={left}'}
    assert (second.status, said(second)) == (201, {**policy, "ratelimit": f'"default";r=0;t={left}'})
    with counted() as calls:
        third = client.post("/notes", json={"id": "2"}, **form)
    assert_problem(third, 429)
    assert said(third) == said(second) | {"retry-after": str(left)}
    assert third.json["detail"] == (
        f"2 requests in 60 seconds are all that you may make here: try again in {left} seconds."
    )
    assert names(calls) == ["UpdateItem"]
    client.clock.advance(left - 1)  # type: ignore[attr-defined]
    assert statuses(client, 1, **form) == [429]
    client.clock.advance(1)  # type: ignore[attr-defined]
    again = client.get("/notes", **form)
    assert (again.status, said(again)["ratelimit"]) == (200, '"default";r=1;t=60')
    assert len(stored(table_name)) == 1


def test_a_request_costs_one_call(make: Make) -> None:
    client = make("9/minute")
    with counted() as calls:
        client.get("/notes")
    assert names(calls) == ["UpdateItem", "Query"]


def test_the_time_that_counting_takes_is_told(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    client = make(settings={"logger": logging.getLogger("test_limiter")})
    with caplog.at_level(logging.INFO, "test_limiter"):
        client.get("/notes")
    (record,) = caplog.records
    assert list(vars(record)["phases"]) == ["read", "route", "permit", "limit", "load", "verb", "dump"]


def test_users_are_apart_and_sources_are_not(make: Make) -> None:
    client = make()
    sent = [client.get("/notes", **form).status for form in FORMS.values()]
    assert sent == [200, 200, *[429] * (len(FORMS) - 2)]
    assert statuses(client, 1, user=BOB) == [200]


def test_what_needs_no_count_makes_none(make: Make) -> None:
    """Preflights, and what is refused before anybody would be served."""
    client = make(
        permissions=OwnedBy("owner") & HasPermission("therapist"),
        settings={"cors": CORS(origins=("*",)), "docs": True},
    )
    preflight = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    with counted() as calls:
        assert client.options("/notes", headers=preflight).status == 204
        assert client.get("/nowhere").status == 404
        assert client.delete("/notes").status == 405
        assert client.get("/notes", user=None).status == 401
        assert client.get("/notes", user=User("eve")).status == 403
        assert client.get("/openapi.json", user=None).status == 200
    assert calls == []


def test_what_is_refused_afterwards_counts_and_says_so(make: Make) -> None:
    client = make("1/minute", settings={"cors": "*"})
    refused = client.post("/notes", json={})
    assert (refused.status, said(refused)["ratelimit"].startswith('"default";r=0;')) == (422, True)
    assert "ratelimit, ratelimit-policy" in refused.headers["access-control-expose-headers"]
    assert client.head("/notes").status == 429


def test_a_verb_or_a_resource_may_have_its_own(make: Make) -> None:
    client = make("3/minute", rate_limit={"create": "1/hour", "retrieve": None})
    created = [client.post("/notes", json={"id": str(number)}) for number in range(2)]
    assert [one.status for one in created] == [201, 429]
    assert said(created[0])["ratelimit-policy"] == '"notes.create";q=1;w=3600'
    assert statuses(client, 4, "/notes/0") == [200] * 4
    assert said(client.get("/notes/0")) == {}
    assert statuses(client, 4) == [200, 200, 200, 429]
    whole = make("1/minute", rate_limit="2/minute", route="others")
    assert [said(whole.get("/others"))["ratelimit-policy"] for _ in range(3)] == ['"others";q=2;w=60'] * 3
    assert whole.post("/others", json={"id": "9"}).status == 429


def test_a_replay_counts_too(make: Make, table_name: str) -> None:
    idempotency = Idempotency(table=f"{table_name}m")
    idempotency.model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    client = make("2/minute", settings={"idempotency": idempotency})
    sent = [client.post("/notes", json={"id": "1"}, headers={"Idempotency-Key": "k"}) for _ in range(3)]
    assert [one.status for one in sent] == [201, 201, 429]
    assert [said(one)["ratelimit"].split(";")[1] for one in sent] == ["r=1", "r=0", "r=0"]


# --- who is counted --------------------------------------------------------------------------------------


def test_nobody_is_counted_by_address(make: Make) -> None:
    """No header makes another of one; what a load balancer does not say is one for all."""
    client = make(permissions=AllowAny, scan=True)

    def asked(address: str, number: int, **form: Any) -> int:
        headers = {"X-Forwarded-For": f"203.0.113.{number}", "X-Real-Ip": f"203.0.113.{number}"}
        return client.get("/notes", user=None, source_ip=address, headers=headers, **form).status

    for form in ("rest", "http-2.0", "http-1.0", "url"):
        client.clock.advance(120)  # type: ignore[attr-defined]
        assert [asked("198.51.100.1", number, **FORMS[form]) for number in range(3)] == [200, 200, 429]
        assert asked("198.51.100.2", 9, **FORMS[form]) == 200
        assert [asked(f"2001:db8::{number}", number, **FORMS[form]) for number in range(1, 4)] == [
            200,
            200,
            429,
        ]
    balanced = [asked(f"198.51.100.{number}", number, **FORMS["alb-multi"]) for number in range(3)]
    assert balanced == [200, 200, 429]


def test_an_address_is_no_user_and_a_user_none(make: Make) -> None:
    client = make("1/minute", permissions=AllowAny, scan=True)
    assert statuses(client, 1, user=User("198.51.100.1"), source_ip="198.51.100.9") == [200]
    assert statuses(client, 1, user=None, source_ip="198.51.100.1") == [200]


def test_an_app_may_say_who_nobody_is(make: Make) -> None:
    """As behind a load balancer that appends the address to the header, where that is known."""

    def last(request: Any) -> str:
        return str(request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip())

    client = make("1/minute", permissions=AllowAny, scan=True, limit={"anonymous": last})
    sent = [
        statuses(
            client, 1, user=None, source="alb", headers={"X-Forwarded-For": f"{forged}, 198.51.100.{end}"}
        )
        for forged, end in (("1.1.1.1", 1), ("2.2.2.2", 1), ("1.1.1.1", 2))
    ]
    assert sent == [[200], [429], [200]]


def test_users_without_an_id_share_no_counter(make: Make) -> None:
    client = make(permissions=IsAuthenticated, scan=True, settings={"user_id": lambda user: ""})
    assert statuses(client, 1) == [500]


def test_nobody_is_named_in_the_table(make: Make, table_name: str) -> None:
    client = make(permissions=AllowAny, scan=True)
    client.get("/notes")
    client.get("/notes", user=None, source_ip="198.51.100.1")
    counters = stored(f"{table_name}c")
    assert [sorted(one) for one in counters] == [["expires", "id", "used"]] * 2
    assert not any(text in str(counters) for text in ("alice", "198.51", "notes", "default"))
    assert {len(one["id"]["S"]) for one in counters} == {43}


# --- counted ---------------------------------------------------------------------------------------------


@pytest.mark.real_engine
def test_no_more_are_served_however_many_come_at_once(make: Make) -> None:
    """Those of moto are not atomic."""
    client = make("5/minute")
    with ThreadPoolExecutor(4) as pool:
        served = sorted(pool.map(lambda _: client.get("/notes").status, range(12)))
    assert served == [200] * 5 + [429] * 7


def test_a_counter_goes_when_its_window_has(make: Make, table_name: str) -> None:
    """And is not met again, whether DynamoDB has removed it or not."""
    client = make()
    for _ in range(3):
        client.get("/notes")
    client.clock.advance(60)  # type: ignore[attr-defined]
    client.get("/notes")
    old, new = sorted(stored(f"{table_name}c"), key=lambda one: int(one["expires"]["N"]))
    assert (old["used"], new["used"]) == ({"N": "2"}, {"N": "1"})
    now = client.clock()  # type: ignore[attr-defined]
    assert now < int(old["expires"]["N"]) <= now + 60 < int(new["expires"]["N"]) <= now + 120


@given(
    now=st.floats(0, 4e9),
    seconds=st.sampled_from([1, 60, 900, 3600, 86400, 999 * 86400]),
    who=st.binary(max_size=9),
)
@settings(max_examples=300, deadline=None)
def test_windows_follow_one_another(now: float, seconds: int, who: bytes) -> None:
    """Each is as long as it is said to be, and what is left of it leads into the next."""
    clock = FakeClock(now)
    limiter = Limiter(RateLimit("1/day", clock=clock), str, Digester())
    name = limiter.digest(who.hex())
    window = limiter.window(name, seconds)
    assert 1 <= window.left <= seconds
    clock.advance(window.left)
    following = limiter.window(name, seconds)
    assert following.number == window.number + 1
    assert following.left in (seconds - 1, seconds)


def test_windows_of_users_begin_at_different_moments(make: Make) -> None:
    client = make("9/hour")
    ends = {said(client.get("/notes", user=User(f"u{number}")))["ratelimit"] for number in range(8)}
    assert len(ends) > 4


# --- what fails ------------------------------------------------------------------------------------------


def throttled() -> Exception:
    return ClientError({"Error": {"Code": THROTTLED, "Message": "canary"}}, "UpdateItem")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        pytest.param(throttled(), 503, id="throttled"),
        pytest.param(ReadTimeoutError(endpoint_url="https://canary"), 503, id="no answer"),
    ],
)
@pytest.mark.parametrize("fail_open", [False, True])
def test_where_nothing_can_be_counted(
    make: Make, error: Exception, status: int, fail_open: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Closed: who makes a counter throttle would else be served without bound. Open where the app says so."""
    client = make(limit={"fail_open": fail_open})
    with failing(error, on=frozenset({"UpdateItem"})):
        result = client.get("/notes")
    assert (result.status, said(result).keys() & {"ratelimit"}) == (200 if fail_open else status, set())
    (told,) = [record.getMessage() for record in caplog.records]
    assert told.startswith("A request was served although it" if fail_open else "Request failed: ")
    assert "canary" not in caplog.text


@pytest.mark.parametrize(("fail_open", "status"), [(False, 500), (True, 200)])
def test_without_its_table(make: Make, table_name: str, fail_open: bool, status: int) -> None:
    client = make(limit={"fail_open": fail_open})
    dynamodb_call("delete_table", TableName=f"{table_name}c")
    assert client.get("/notes").status == status
