"""The documented command for the application under SAM, on this machine."""

import json
import os
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from .conftest import NEWEST, POLYMICRO, ROOT, free_port, output, running


def test_make_sam_local_serves_the_application() -> None:
    """With the token that the documentation makes, and no set-up besides."""
    port = free_port()
    virtual = [f"VENV={sys.prefix}", f"SAM_VENV={Path(os.environ['POLYMICRO_TEST_SAM']).parents[1]}"]
    make = ["make", "sam-local", *virtual, f"LAMBDA_PYTHON={NEWEST}", f"ARGS=--port={port}"]
    with running(make, ROOT / ".aws-sam" / "sam-local.log", port) as url:
        token = output(POLYMICRO, "token", "alice:administrator").strip()
        own = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        todo = b'{"text": "Buy milk"}'
        with urlopen(Request(f"{url}/todo", todo, own, method="POST"), timeout=30) as response:
            created = json.loads(response.read())
        with urlopen(Request(f"{url}/todo/alice/{created['uuid']}", headers=own), timeout=30) as response:
            assert json.loads(response.read()) == created
        with pytest.raises(HTTPError, match="401"):
            urlopen(f"{url}/todo", timeout=30)
