"""Schemathesis, with all its checks, finds nothing: on whatever it thinks of, and on one item that is there."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from .conftest import CLIENTS, Api, run

EXAMPLES = 100
"""For each operation, in each run."""
SETTINGS = Path(__file__).with_name("schemathesis.toml")


def asked(api: Api, path: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {api.token}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(f"{api.url}{path}", data, headers)) as response:
        return json.load(response)


@pytest.mark.parametrize("one_item", [False, True], ids=["anything", "one item"])
def test_it_finds_nothing(api: Api, tmp_path: Path, one_item: bool) -> None:
    todo, _ = (asked(api, "/todo", {"text": text}) for text in ("a", "b"))
    said = SETTINGS.read_text()
    more: tuple[str, ...] = ()
    if one_item:
        said += "".join(f'"path.{name}" = "{todo[name]}"\n' for name in ("owner", "uuid"))
        more = ("--phases", "fuzzing", "--exclude-method", "DELETE", "--include-path-regex", "uuid")
    (tmp_path / "schemathesis.toml").write_text(said)
    output = run(
        CLIENTS / "schemathesis",
        *(
            "run",
            f"{api.url}/openapi.json",
            "--url",
            api.url,
            "--header",
            f"Authorization: Bearer {api.token}",
        ),
        *("--checks", "all", "--max-examples", str(EXAMPLES), "--no-color", *more),
        cwd=tmp_path,
        CURSOR=asked(api, "/todo?limit=1")["pagination_key"],
    )
    generated, passed = (int(number) for number in re.findall(r"(\d+) generated, (\d+) passed", output)[0])
    assert generated == passed
    assert generated > EXAMPLES * (3 if one_item else 6)
