"""Logs on a person's machine: text on standard error, and nothing of what a command tells itself."""

import io
import json
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import AllowAny, Create, ModelResource, PolyMicro
from polymicro_lambda.project import make_logs_readable
from polymicro_lambda.testing import Client


class Parcel(Model):
    class Meta:
        table_name = "parcels"

    id = UnicodeAttribute(hash_key=True)


def parcels(logger: Logger) -> Client:
    class Parcels(ModelResource, Create):
        model = Parcel
        route = "parcels"
        permissions = AllowAny

        def create(self, req: dict[str, Any], user: Any) -> Any:
            logger.info("packed", extra={"weight": 3})
            if req["id"] == "heavy":
                raise RuntimeError("It does not fit.")
            return Parcel(**req)

    pm = PolyMicro(logger=logger)
    Parcels(pm)
    return Client(pm)


def test_lines_are_text_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Of a request that ends well nothing is there but what the code has logged."""
    logger = Logger(service="readable")
    client = parcels(logger)
    make_logs_readable()
    logger.append_keys(cart="7")  # as before: the keys are for JSON
    assert client.post("/parcels", json={"id": "a"}).status == 201
    assert capsys.readouterr() == ("", "INFO packed weight=3\n")
    assert client.post("/parcels", json={"id": "heavy"}).status == 500
    out, err = capsys.readouterr()
    assert (out, err.splitlines()[0]) == ("", "INFO packed weight=3")
    assert err.splitlines()[1].startswith("ERROR ")
    assert err.splitlines()[-1] == "RuntimeError"  # its message may hold a user's data


def test_a_logger_that_writes_elsewhere_keeps_its_json() -> None:
    written = io.StringIO()
    logger = Logger(service="elsewhere", stream=written)
    make_logs_readable()
    logger.info("packed")
    assert json.loads(written.getvalue())["message"] == "packed"
