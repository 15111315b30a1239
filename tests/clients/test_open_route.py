"""What Schemathesis finds where an API does not look at who asks: its check of authentication is one that can fail."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model
from werkzeug.serving import make_server

from polymicro_lambda import List, ModelResource, OwnedBy, PolyMicro, User

from .conftest import CLIENTS


@pytest.fixture(params=[True, False], ids=["open", "closed"])
def served(request: pytest.FixtureRequest, dynamodb: None, table_name: str) -> Iterator[tuple[bool, str]]:
    """An app whose document asks for a token, and which takes everybody for alice; or asks for one."""
    opened = request.param

    class Note(Model):
        class Meta:
            pass

        owner = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)

    Note.Meta.table_name = table_name  # type: ignore[attr-defined]

    class Notes(ModelResource, List):
        model = Note
        route = "notes"
        permissions = OwnedBy("owner")

    def known(request: Any) -> User | None:
        return User("alice") if opened or request.headers.get("authorization") == "Bearer right" else None

    pm = PolyMicro(known, docs=True)
    Notes(pm)
    application = pm.wsgi()
    Note.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    server = make_server("127.0.0.1", 0, application)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield opened, f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_open_route_is_found(served: tuple[bool, str], tmp_path: Path) -> None:
    opened, url = served
    (tmp_path / "schemathesis.toml").write_text("seed = 1\n")
    done = subprocess.run(
        [
            *(CLIENTS / "schemathesis", "run", f"{url}/openapi.json", "--url", url),
            *("--header", "Authorization: Bearer right", "--checks", "ignored_auth", "--max-examples", "5"),
            *("--no-color", "--include-path", "/notes"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == int(opened), done.stdout[-3000:]
    assert ("API accepts requests without authentication" in done.stdout) is opened, done.stdout[-3000:]
