"""Where an anonymous request comes from: what the gateway has seen, never what a client says."""

from typing import Any

import pytest
from contract import FORMS, every_form

from polymicro_lambda.http import request_of
from polymicro_lambda.http.requests import Request
from polymicro_lambda.testing import FakeContext, make_event
from polymicro_lambda.throttling.client_addresses import client_address

FORGED = dict.fromkeys(("x-forwarded-for", "forwarded", "x-real-ip", "true-client-ip", "via"), "203.0.113.9")


def address(address: str, **form: Any) -> str:
    event = make_event("GET", "/notes", source_ip=address, headers=FORGED, **form)
    return client_address(request_of(event, FakeContext()))


@every_form
def test_each_source(form: dict[str, Any]) -> None:
    """Load balancers and VPC Lattice say it in X-Forwarded-For alone, to which the client may have written too."""
    assert address("198.51.100.7", **form) == ("" if form["source"] in ("alb", "lattice") else "198.51.100.7")


@pytest.mark.parametrize(
    ("said", "known"),
    [
        pytest.param("198.51.100.7", "198.51.100.7", id="IPv4"),
        pytest.param("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::", id="IPv6 is counted by network"),
        pytest.param("2001:DB8:1:2::", "2001:db8:1:2::", id="however written"),
        pytest.param("::ffff:198.51.100.7", "198.51.100.7", id="IPv4 in IPv6"),
        pytest.param("test-invoke-source-ip", "", id="API Gateway's console"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_forms_of_an_address(said: str, known: str) -> None:
    assert [address(said, **FORMS[form]) for form in ("rest", "http-2.0", "http-1.0", "url")] == [known] * 4


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"requestContext": None},
        {"requestContext": "x"},
        {"requestContext": {"identity": None, "http": 7}},
        {"requestContext": {"identity": {"sourceIp": ["198.51.100.7"]}}},
    ],
    ids=str,
)
def test_an_event_that_does_not_say(event: Any) -> None:
    assert client_address(Request(method="GET", path="/", segments=(), event=event)) == ""
