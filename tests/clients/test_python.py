"""A Python client, made from the document by openapi-python-client, runs the Todo session."""

from pathlib import Path

from .conftest import CLIENTS, Api, run, settings


def test_the_python_client(api: Api, tmp_path: Path) -> None:
    document = tmp_path / "openapi.json"
    document.write_bytes(api.document)
    path = f"{CLIENTS}:/usr/bin:/bin"  # it formats what it makes by ruff
    said = run(CLIENTS / "openapi-python-client", "generate", "--path", document, cwd=tmp_path, PATH=path)
    assert "Warning" not in said, said
    session = Path(__file__).with_name("session.py")
    assert (
        run(CLIENTS / "python", session, cwd=tmp_path, PYTHONPATH="api-client", **settings(api)) == "done\n"
    )
