"""Why an answer is a 500: the tests are told, and nobody else."""

from typing import Any

import pytest

from polymicro_lambda import AllowAny, PolyMicro, Resource, action
from polymicro_lambda.testing import Client


class Acts(Resource):
    route = ""
    permissions = AllowAny

    @action(methods="GET")
    def broken(self) -> Any:
        try:
            return {}["secret key"]
        except KeyError as error:
            raise LookupError("canary") from error

    @action(methods="GET")
    def fine(self) -> Any:
        return {}


def client() -> Client:
    pm = PolyMicro()
    Acts(pm)
    return Client(pm)


def test_a_result_has_its_cause() -> None:
    result = client().get("/broken")
    assert (result.status, "canary" in result.text, "canary" in str(result.response)) == (500, False, False)
    assert isinstance(result.cause, LookupError)
    shown = repr(result)
    assert shown.startswith("<GET /broken: 500 Internal Server Error {")
    assert "LookupError: canary" in shown
    assert "KeyError: 'secret key'" in shown
    assert 'return {}["secret key"]' in shown


def test_a_failed_check_is_from_the_cause() -> None:
    with pytest.raises(AssertionError, match="LookupError: canary") as failed:
        client().get("/broken").raise_for_status()
    assert isinstance(failed.value.__cause__, LookupError)


@pytest.mark.parametrize("path", ["/fine", "/nowhere"])
def test_other_answers_have_none(path: str) -> None:
    result = client().get(path)
    assert (result.cause, "Traceback" in repr(result)) == (None, False)
