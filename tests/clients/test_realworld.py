"""RealWorld's own collection of requests finds Conduit to be as its specification says, by each event source."""

import json
import os
from pathlib import Path

import pytest
from serving import ROOT, serving

from polymicro_lambda.local import AUTHORIZER_APIS

from .conftest import CACHE, run

COLLECTION = os.environ.get("CONDUIT_COLLECTION", "")
"""The file, which is RealWorld's: `scripts/test-clients` fetches it, and says so where it cannot."""


@pytest.mark.skipif(not COLLECTION, reason="RealWorld's collection cannot be fetched")
@pytest.mark.parametrize("source", AUTHORIZER_APIS)
def test_no_assertion_fails(source: str, tmp_path: Path) -> None:
    with serving("--source", source, cwd=ROOT / "examples/conduit") as serve:
        said = {
            "APIURL": f"http://127.0.0.1:{serve.port}/api",
            "USERNAME": "ann",
            "EMAIL": "ann@example.com",
            "PASSWORD": "password",
        }
        variables = [word for name, value in said.items() for word in ("--global-var", f"{name}={value}")]
        report = tmp_path / "report.json"
        run(
            CACHE / "node_modules" / ".bin" / "newman",
            *("run", COLLECTION, *variables, "--reporters", "cli,json", "--reporter-json-export", report),
            cwd=tmp_path,
        )
    counts = json.loads(report.read_text())["run"]["stats"]
    assert (counts["requests"]["total"], counts["requests"]["failed"]) == (32, 0)
    assert (counts["assertions"]["total"] > 200, counts["assertions"]["failed"]) == (True, 0)
