"""An artifact's bytecode in one file: a cold start looks for no module, and opens one file in place of hundreds."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from .bytecode_importer import ARCHIVE

START = "polymicro_start"
"""The module that reads the archive: a copy of ``bytecode_importer``, as a handler need not have this package."""
STUB = f"__import__({START!r}).begin(globals())\n"
"""The source of the bytecode in place of the handler's module, whose own is in the archive."""
CACHE = "__pycache__"


def add_start(root: Path) -> None:
    """Put the module that reads the archive beside the handler's code."""
    shutil.copyfile(Path(__file__).with_name("bytecode_importer.py"), root / f"{START}.py")


def pack(root: Path, module: str, compile_to: Callable[[str, Path], None]) -> None:
    """Move the bytecode under a directory into the archive, but for the modules that are imported before it is open.

    ``module`` is the handler's. ``compile_to(source, file)`` makes the bytecode of a source.
    """
    parents = {module.rsplit(".", count)[0] for count in range(1, module.count(".") + 1)} - {module}
    index: dict[str, tuple[str, int, int]] = {}
    code: list[bytes] = []
    offset = 0
    for file in sorted(root.rglob(f"{CACHE}/*.pyc")):
        name, source = _module(root, file)
        if name in parents or name == START:
            continue
        data = file.read_bytes()
        index[name] = (source.relative_to(root).as_posix(), offset, len(data))
        code.append(data)
        offset += len(data)
        file.unlink()
        if name == module:
            compile_to(STUB, file)
        elif not any(file.parent.iterdir()):
            file.parent.rmdir()
    line = json.dumps(index, separators=(",", ":")).encode() + b"\n"
    (root / ARCHIVE).write_bytes(line + b"".join(code))


def _module(root: Path, file: Path) -> tuple[str, Path]:
    """The name of a .pyc file's module, and its source."""
    source = file.parents[1] / f"{file.name.partition('.')[0]}.py"
    module = source.parent if source.stem == "__init__" else source.with_suffix("")
    return ".".join(module.relative_to(root).parts), source


def archived(root: Path) -> dict[str, int]:
    """The bytes of each source's bytecode in the archive, by the source's path; none without an archive."""
    archive = root / ARCHIVE
    if not archive.is_file():
        return {}
    with archive.open("rb") as file:
        return {source: size for source, _, size in json.loads(file.readline()).values()}
