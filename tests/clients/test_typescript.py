"""A TypeScript client, openapi-fetch with types made from the document, is checked and runs the Todo session."""

import shutil
from pathlib import Path

from .conftest import CACHE, Api, run, settings

STRICT = "--strict --exactOptionalPropertyTypes --target es2022 --module nodenext --types node --skipLibCheck"


def test_the_typescript_client(api: Api, tmp_path: Path) -> None:
    tools = CACHE / "node_modules" / ".bin"
    (tmp_path / "node_modules").symlink_to(CACHE / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "openapi.json").write_bytes(api.document)
    shutil.copy(Path(__file__).with_name("session.ts"), tmp_path)
    types = ("--default-non-nullable=false", "--output", "api.ts")
    run(tools / "openapi-typescript", "openapi.json", *types, cwd=tmp_path)
    run(tools / "tsc", *STRICT.split(), "session.ts", cwd=tmp_path)
    assert run("node", "session.js", cwd=tmp_path, **settings(api)) == "done\n"
