"""Python clients, made by openapi-python-client, run a session of the Todo API and one of the shop."""

from pathlib import Path

from serving import ROOT, make_token, serving

from .conftest import CLIENTS, Api, run, settings


def test_the_python_client(api: Api, tmp_path: Path) -> None:
    assert said_by("session.py", api, tmp_path) == "done\n"


def test_the_python_client_of_the_shop(tmp_path: Path) -> None:
    with serving(cwd=ROOT / "examples" / "shop", PICTURES_BUCKET="pictures") as serve:
        api = Api(serve, make_token("sue:cognito:groups=staff"))
        assert said_by("shop_session.py", api, tmp_path) == "done\n"


def said_by(session: str, api: Api, tmp_path: Path) -> str:
    """What a session prints with a client that is made from the API's document."""
    document = tmp_path / "openapi.json"
    document.write_bytes(api.document)
    config = tmp_path / "config.json"
    config.write_text('{"project_name_override": "api-client", "package_name_override": "api_client"}')
    path = f"{CLIENTS}:/usr/bin:/bin"  # it formats what it makes by ruff
    command = (CLIENTS / "openapi-python-client", "generate", "--path", document, "--config", config)
    said = run(*command, cwd=tmp_path, PATH=path)
    assert "Warning" not in said, said
    program = Path(__file__).with_name(session)
    return run(CLIENTS / "python", program, cwd=tmp_path, PYTHONPATH="api-client", **settings(api))
