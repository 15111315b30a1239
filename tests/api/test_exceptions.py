"""The error tree: what each error answers with, and that the tree drawn in the docs is the tree there is."""

import re

import pytest

from polymicro_lambda import exceptions
from polymicro_lambda.exceptions import HTTPError, NotFound, PolymicroError, Unprocessable


def drawn() -> dict[str, tuple[str, int | None]]:
    """The tree of the module's docstring: name -> (parent, status)."""
    found: dict[str, tuple[str, int | None]] = {}
    parents = {-1: "Exception"}
    for line in (exceptions.__doc__ or "").splitlines():
        if match := re.match(r"    ([│ ]*)(?:[├└]── )?(\w+)(?: +(\d{3})$)?", line):
            indent, name, status = match.groups()
            depth = len(indent) // 4 + ("──" in line)
            parents[depth] = name
            found[name] = (parents[depth - 1], int(status) if status else None)
    return found


def test_the_tree_is_as_drawn() -> None:
    classes = {name: getattr(exceptions, name) for name in exceptions.__all__}
    assert drawn() == {
        name: (c.__base__.__name__, c.__dict__.get("status") if c is not HTTPError else None)
        for name, c in classes.items()
    } | {"InternalError": ("HTTPError", 500)}


def test_all_names_every_error() -> None:
    """Nothing public is left out, and nothing is named that is not there."""
    here = {
        name for name, it in vars(exceptions).items() if isinstance(it, type) and issubclass(it, Exception)
    }
    assert set(exceptions.__all__) == here


@pytest.mark.parametrize(
    ("name", "status", "title"),
    [
        ("BadRequest", 400, "Bad Request"),
        ("Unauthorized", 401, "Unauthorized"),
        ("Forbidden", 403, "Forbidden"),
        ("NotFound", 404, "Not Found"),
        ("MethodNotAllowed", 405, "Method Not Allowed"),
        ("NotAcceptable", 406, "Not Acceptable"),
        ("Conflict", 409, "Conflict"),
        ("PreconditionFailed", 412, "Precondition Failed"),
        ("ContentTooLarge", 413, "Content Too Large"),
        ("UnsupportedMediaType", 415, "Unsupported Media Type"),
        ("Unprocessable", 422, "Unprocessable Content"),
        ("PreconditionRequired", 428, "Precondition Required"),
        ("InternalError", 500, "Internal Server Error"),
        ("ServiceUnavailable", 503, "Service Unavailable"),
        ("InsufficientStorage", 507, "Insufficient Storage"),
    ],
)
def test_status_and_title(name: str, status: int, title: str) -> None:
    """Titles are the phrases of RFC 9110, RFC 6585 and RFC 4918, on every Python."""
    error = getattr(exceptions, name)
    assert (error.status, error.title) == (status, title)


def test_an_error_carries_its_data() -> None:
    error = Unprocessable("No.", errors=[{"pointer": "#/a", "detail": "No."}], headers={"X": "1"})
    assert (str(error), error.detail, error.errors, error.headers) == (
        "No.",
        "No.",
        ({"pointer": "#/a", "detail": "No."},),
        {"X": "1"},
    )


@pytest.mark.parametrize(
    ("error", "detail", "text"),
    [
        pytest.param(NotFound(), NotFound.hint, NotFound.hint, id="hint"),
        pytest.param(NotFound("Gone."), "Gone.", "Gone.", id="detail"),
        pytest.param(Unprocessable(), None, "Unprocessable Content", id="title"),
    ],
)
def test_what_an_error_says_of_itself(error: HTTPError, detail: str | None, text: str) -> None:
    assert (error.detail, str(error)) == (detail, text)


def test_messages_are_a_list() -> None:
    """Marshmallow's own are a mapping, of which the names alone would go out."""
    with pytest.raises(TypeError, match=r"^errors is a list of messages, each a"):
        Unprocessable(errors={"text": ["Too long."]})  # type: ignore[arg-type]


def test_headers_are_not_shared() -> None:
    """Neither with the caller's mapping nor between errors."""
    given = {"a": "1"}
    error = NotFound(headers=given)
    error.headers["b"] = "2"
    assert (given, NotFound().headers) == ({"a": "1"}, {})


def test_an_error_of_ones_own() -> None:
    """A subclass needs no more than a status."""

    class Teapot(HTTPError):
        status = 418

    assert (Teapot.title, issubclass(Teapot, PolymicroError)) == ("I'm a Teapot", True)
