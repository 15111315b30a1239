"""Paths and queries are split first and decoded exactly once."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polymicro_lambda.exceptions import BadRequest, NotFound
from polymicro_lambda.http import urls


@pytest.mark.parametrize(
    ("path", "segments"),
    [
        ("", ()),
        ("/", ()),
        ("/todo", ("todo",)),
        ("/todo/", ("todo",)),
        ("/todo/b%20x", ("todo", "b x")),
        ("/todo/b x", ("todo", "b x")),
        ("/todo/b+x", ("todo", "b+x")),
        ("/todo/a%2Fb", ("todo", "a/b")),
        ("/todo/%2541", ("todo", "%41")),
        ("/todo/%C3%A4", ("todo", "ä")),
        ("/todo/ä", ("todo", "ä")),
        ("/todo/...", ("todo", "...")),
    ],
)
def test_a_path_is_split_and_then_decoded_once(path: str, segments: tuple[str, ...]) -> None:
    assert urls.path_segments(path, encoded=True) == segments


@pytest.mark.parametrize("path", ["/todo/100%", "/todo/%zz", "/todo/%41", "/todo/a%2Fb", "/todo/a+b"])
def test_a_path_that_comes_decoded_stays_as_it_is(path: str) -> None:
    assert urls.path_segments(path, encoded=False) == tuple(path[1:].split("/"))


@pytest.mark.parametrize("encoded", [True, False])
@pytest.mark.parametrize("path", ["todo", "*", "//", "/todo//", "//todo", "/a//b", "/.", "/a/../b", "/./"])
def test_no_route_has_such_a_path(path: str, encoded: bool) -> None:
    with pytest.raises(NotFound):
        urls.path_segments(path, encoded=encoded)


@pytest.mark.parametrize("path", ["/%2e", "/a/%2E%2e/b", "/.%2e"])
def test_dots_may_hide_behind_escapes(path: str) -> None:
    with pytest.raises(NotFound):
        urls.path_segments(path, encoded=True)


BROKEN = ["%zz", "%", "a%2", "%ff", "%C3", "%c3%28", "%ED%A0%80"]


@pytest.mark.parametrize("text", BROKEN)
def test_broken_escapes_are_a_bad_request(text: str) -> None:
    with pytest.raises(BadRequest):
        urls.path_segments(f"/todo/{text}", encoded=True)
    with pytest.raises(BadRequest):
        urls.parse_query(f"a=1&{text}=2")
    with pytest.raises(BadRequest):
        urls.parse_query(f"a={text}")


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", []),
        ("a=1&b=2&a=3", [("a", "1"), ("b", "2"), ("a", "3")]),
        ("a=1,2", [("a", "1,2")]),
        ("a=b+c%2Bd%20e", [("a", "b c+d e")]),
        ("a&b=", [("a", ""), ("b", "")]),
        ("a=b=c", [("a", "b=c")]),
        ("&&a=1&", [("a", "1")]),
        ("a%26b=%3D", [("a&b", "=")]),
        ("a;b=1", [("a;b", "1")]),
        ("a=%2520", [("a", "%20")]),
    ],
)
def test_a_query_keeps_order_blanks_and_repeats(text: str, pairs: list[tuple[str, str]]) -> None:
    assert urls.parse_query(text) == pairs


@pytest.mark.parametrize(
    ("path", "stage", "split"),
    [
        ("/prod/todo", "prod", ("/prod", "/todo")),
        ("/prod/", "prod", ("/prod", "/")),
        ("/prod", "prod", ("/prod", "/")),
        ("/prod/prod", "prod", ("/prod", "/prod")),
        ("/production", "prod", ("", "/production")),
        ("/todo", "prod", ("", "/todo")),
        ("/$default/todo", "$default", ("", "/$default/todo")),
        ("/None/todo", None, ("", "/None/todo")),
        ("//todo", "", ("", "//todo")),
    ],
)
def test_a_named_stage_stands_before_the_path(path: str, stage: object, split: tuple[str, str]) -> None:
    assert urls.split_stage(path, stage) == split


@pytest.mark.parametrize(
    ("path", "whole", "stage", "prefix"),
    [
        ("/todo", "/prod/todo", "prod", "/prod"),
        ("/", "/prod/", "prod", "/prod"),
        ("/", "/prod", "prod", "/prod"),
        ("/b%20x", "/prod/b x", "prod", "/prod"),
        ("/todo", "/todo", "prod", ""),
        ("/prod/x", "/prod/x", "prod", ""),
        ("/v1/bob", "/v1/{name}", "v1", ""),
        ("/todo", "/None/todo", None, ""),
        ("/todo", None, "prod", ""),
    ],
)
def test_the_stage_is_what_the_gateway_cut(path: str, whole: Any, stage: Any, prefix: str) -> None:
    assert urls.stage_prefix(path, whole, stage) == prefix


@given(st.text(max_size=40), st.booleans())
def test_no_text_raises_anything_else(text: str, encoded: bool) -> None:
    with suppress(BadRequest, NotFound):
        urls.path_segments(f"/{text}", encoded=encoded)
    with suppress(BadRequest):
        urls.parse_query(text)
