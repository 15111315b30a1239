"""What a request may ask for and send."""

import base64
from typing import Any

import pytest

from polymicro_lambda.exceptions import BadRequest, HTTPError, NotAcceptable, UnsupportedMediaType
from polymicro_lambda.http.formats import chosen_representation
from polymicro_lambda.http.negotiation import read_body, read_limit, read_query
from polymicro_lambda.http.requests import Request


def request(method: str = "POST", **members: Any) -> Request:
    return Request(method, "/todo", ("todo",), **members)


@pytest.mark.parametrize(
    ("accept", "ok"),
    [
        pytest.param(None, True, id="none"),
        pytest.param("", True, id="empty"),
        pytest.param("   ", True, id="blank"),
        pytest.param("application/json", True, id="exact"),
        pytest.param("APPLICATION/JSON", True, id="case does not count"),
        pytest.param("application/json; charset=utf-8", True, id="parameter"),
        pytest.param("application/*", True, id="subtype wildcard"),
        pytest.param("*/*", True, id="wildcard"),
        pytest.param("text/html,application/xhtml+xml,*/*;q=0.8", True, id="a browser's"),
        pytest.param("text/html , application/json ;q=0.1", True, id="blanks around"),
        pytest.param("text/html", False, id="other"),
        pytest.param("application/json;q=0", False, id="refused"),
        pytest.param("application/json;q=0.000, */*", False, id="refused, though all else is welcome"),
        pytest.param("application/json, */*;q=0", True, id="all else refused"),
        pytest.param("application/*;q=0, */*", False, id="the more specific range decides"),
        pytest.param("*/*;q=0", False, id="everything refused"),
        pytest.param("application/json;q=x", False, id="a weight that is none"),
        pytest.param("application/json;q=nan", False, id="not a number"),
        pytest.param("application/jsonp", False, id="a longer name"),
        pytest.param(",,;", False, id="rubbish"),
    ],
)
def test_accept(accept: str | None, ok: bool) -> None:
    headers = {} if accept is None else {"accept": accept}
    try:
        chosen_representation(request(headers=headers))
    except NotAcceptable:
        assert not ok
    else:
        assert ok


def status_of(sent: Request, max_body: int = 100, *, optional: bool = False) -> int:
    try:
        read_body(sent, max_body, optional=optional)
    except HTTPError as error:
        return error.status
    return 200


def read(sent: Request, max_body: int) -> Any:
    try:
        return read_body(sent, max_body)
    except HTTPError as error:
        return error.status, error.detail


@pytest.mark.parametrize("max_body", [5, 12, 1000])
@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"a": 1}',
        ' {"a": 1}',
        '{"a": 1}\n ',
        '{"a": "é"}',
        '{"a": 1} 2',
        "{",
        '{"a": 1, "a": 2}',
        '{"\ud800":',
    ],
)
def test_a_usual_body_is_read_as_any_other(text: str, max_body: int) -> None:
    """Its type said in another way, it is not looked at for the usual one."""
    usual, other = (
        request("POST", headers={"content-type": media}, content=text)
        for media in ("application/json", "Application/JSON")
    )
    assert read(usual, max_body) == read(other, max_body)


JSON, MERGE = "application/json", "application/merge-patch+json"


@pytest.mark.parametrize(
    ("method", "media", "status"),
    [
        pytest.param("POST", None, 200, id="none is JSON"),
        pytest.param("POST", JSON, 200, id="JSON"),
        pytest.param("POST", "Application/JSON;Charset=UTF-8", 200, id="case does not count"),
        pytest.param("POST", 'application/json; charset="utf-8"', 200, id="quoted"),
        pytest.param("POST", "application/json; charset=utf8", 200, id="utf8"),
        pytest.param("POST", "application/json; charset=latin-1", 415, id="another charset"),
        pytest.param("POST", "application/json, text/plain", 415, id="two"),
        pytest.param("POST", "text/plain", 415, id="text"),
        pytest.param("POST", "application/x-www-form-urlencoded", 415, id="form"),
        pytest.param("POST", "application/vnd.api+json", 415, id="JSON of another kind"),
        pytest.param("PATCH", JSON, 200, id="PATCH of JSON"),
        pytest.param("PATCH", MERGE, 200, id="merge patch"),
        pytest.param("PUT", MERGE, 415, id="PUT takes no patch"),
        pytest.param("POST", MERGE, 415, id="POST takes no patch"),
        pytest.param("PATCH", "application/json-patch+json", 415, id="JSON patch"),
    ],
)
def test_content_type(method: str, media: str | None, status: int) -> None:
    headers = {} if media is None else {"content-type": media}
    assert status_of(request(method, headers=headers, content="{}")) == status


def test_a_patch_of_another_type_says_which_there_are() -> None:
    """RFC 5789, section 3.1."""
    with pytest.raises(UnsupportedMediaType) as caught:
        read_body(request("PATCH", headers={"content-type": "text/plain"}, content="{}"), 100)
    assert caught.value.headers == {"accept-patch": f"{JSON}, {MERGE}"}


def b64(content: bytes) -> dict[str, Any]:
    return {"content": base64.b64encode(content).decode(), "base64_encoded": True}


@pytest.mark.parametrize(
    ("members", "status"),
    [
        pytest.param({"content": '"' + 98 * "a" + '"'}, 200, id="as much as may be"),
        pytest.param({"content": '"' + 99 * "a" + '"'}, 413, id="one byte more"),
        pytest.param({"content": '"' + 49 * "é" + '"'}, 200, id="bytes of UTF-8 count"),
        pytest.param({"content": '"' + 50 * "é" + '"'}, 413, id="not letters"),
        pytest.param(b64(b'"' + 98 * b"a" + b'"'), 200, id="base64: decoded bytes count"),
        pytest.param(b64(b'"' + 99 * b"a" + b'"'), 413, id="base64: one byte more"),
        pytest.param(b64(b'"' + 9999 * b"a" + b'"'), 413, id="base64: far more"),
        pytest.param({"content": "?" * 200, "base64_encoded": True}, 413, id="too much, and no base64"),
        pytest.param({"content": "?", "base64_encoded": True}, 400, id="no base64"),
        pytest.param({"content": None}, 400, id="none"),
        pytest.param({"content": " \n"}, 400, id="blank"),
        pytest.param({"content": "{"}, 400, id="no JSON"),
        pytest.param({"content": b"\xff"}, 400, id="no UTF-8"),
        pytest.param({"content": "\ud800"}, 400, id="lone surrogate"),
        pytest.param({"content": "null"}, 200, id="null is JSON"),
        pytest.param({"content": "[" * 100}, 400, id="unfinished"),
        pytest.param(
            {"content": "?" * 200, "headers": {"content-type": "text/plain"}}, 415, id="type before size"
        ),
    ],
)
def test_body(members: dict[str, Any], status: int) -> None:
    assert status_of(request(**members)) == status


def test_a_body_is_read() -> None:
    assert read_body(request(content='{"a": 1}'), 8) == {"a": 1}


@pytest.mark.parametrize(
    ("content", "status"),
    [
        pytest.param('"\\ud83d\\ude00 \\u00e9"', 200, id="both halves"),
        pytest.param('{"a": [1.5, "\\uD83D"]}', 422, id="one"),
        pytest.param('{"\\ude00": 1}', 422, id="the other, in a name"),
        pytest.param('"\\\\ud800"', 200, id="a backslash"),
        pytest.param(
            '{"a": 1.00000000000000000001, "b": "\\uda00\\udc00"}',
            200,
            id="beside a number that JSON alone holds",
        ),
    ],
)
def test_the_body_of_an_action_is_text(content: str, status: int) -> None:
    """No schema of an item looks at it, and whatever is done with it, UTF-8 must carry it."""
    assert status_of(request(content=content), optional=True) == status
    assert status_of(request(content=content)) == 200


def asked(**query: Any) -> Request:
    return request("GET", query={name: tuple(values) for name, values in query.items()})


@pytest.mark.parametrize(
    ("sent", "strict", "expected"),
    [
        pytest.param(asked(), True, {}, id="nothing"),
        pytest.param(asked(limit=["5"]), True, {"limit": ("5",)}, id="known"),
        pytest.param(asked(tag=["b", "a"]), True, {"tag": ("b", "a")}, id="any number, in order"),
        pytest.param(asked(limit=[""]), True, {"limit": ("",)}, id="empty"),
        pytest.param(
            asked(limit=["5"], other=["1", "2"]), False, {"limit": ("5",)}, id="unknown ones of a verb's own"
        ),
    ],
)
def test_query(sent: Request, strict: bool, expected: dict[str, tuple[str, ...]]) -> None:
    assert read_query(sent, {"limit"}, {"tag"}, strict=strict) == expected


@pytest.mark.parametrize(
    ("sent", "strict", "errors"),
    [
        pytest.param(
            asked(color=["red"]),
            True,
            ({"parameter": "color", "detail": "color is not a parameter here; there are limit."},),
            id="unknown",
        ),
        pytest.param(
            asked(limit=["1", "1"]),
            False,
            ({"parameter": "limit", "detail": "limit is given more than once."},),
            id="repeated",
        ),
        pytest.param(
            asked(Limit=["1"], limit=["1", "2"]),
            True,
            (
                {"parameter": "Limit", "detail": "Limit is not a parameter here; there are limit."},
                {"parameter": "limit", "detail": "limit is given more than once."},
            ),
            id="several, case counts",
        ),
    ],
)
def test_a_bad_query(sent: Request, strict: bool, errors: Any) -> None:
    with pytest.raises(BadRequest) as caught:
        read_query(sent, {"limit"}, strict=strict)
    assert caught.value.errors == errors
    assert caught.value.detail == f"The query is not valid: {errors[0]['detail']}"


def test_a_long_name_is_not_echoed_whole() -> None:
    with pytest.raises(BadRequest) as caught:
        read_query(asked(**{"x" * 5000: ["1"]}), set(), strict=True)
    assert len(str(caught.value.detail)) < 300


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        pytest.param(None, 25, id="absent"),
        pytest.param("1", 1, id="least"),
        pytest.param("50", 50, id="most"),
        pytest.param("007", 7, id="zeros before"),
    ],
)
def test_limit(text: str | None, limit: int) -> None:
    assert read_limit(text, 25, 50) == limit


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "51",
        "-1",
        "+1",
        "1.0",
        "1e1",
        " 1",
        "1_0",
        "",
        "ten",
        "\N{ARABIC-INDIC DIGIT ONE}",
        "²",
        "9" * 5000,
    ],
    ids=lambda text: ascii(text[:10]),
)
def test_a_bad_limit(text: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_limit(text, 25, 50)
    detail = "limit must be a number from 1 to 50."
    assert caught.value.errors == ({"parameter": "limit", "detail": detail},)
