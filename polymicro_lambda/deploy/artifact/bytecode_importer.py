"""The importer of an artifact, in it as ``polymicro_start``: modules come from one file of bytecode.

It knows the standard library alone, and little of it: nothing else is there yet. The finder takes no module from
another place than Python would: what stands in the artifact, as in a task folder at the head of ``sys.path``.
"""

# Without pathlib, which takes time to import.
# ruff: noqa: PTH100, PTH118, PTH119, PTH120, PTH123

import gc
import json
import marshal
import os
import re
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType
from typing import Any

ARCHIVE = "polymicro.bytecode"
"""The file: a line of JSON, module -> file, offset behind the line and size; then what the .pyc files held."""
PATTERNS = "polymicro.patterns"
"""The file of compiled patterns: what their code is of, and text and flags -> the arguments of ``_sre.compile``."""
HEADER = 16
"""Bytes before the code in a .pyc file (PEP 552)."""


class Loader(SourceFileLoader):
    """Python's loader of a source file, with its bytecode from the archive."""

    def __init__(self, fullname: str, path: str, read: Any) -> None:
        super().__init__(fullname, path)
        self._read = read

    def get_code(self, fullname: str) -> CodeType:
        """The module's code."""
        code: CodeType = marshal.loads(self._read(fullname)[HEADER:])  # nosec B302 # noqa: S302 - the build made it
        return code


class Finder:
    """The modules in the archive of a directory."""

    def __init__(self, root: str) -> None:
        self._root = root
        path = os.path.join(root, ARCHIVE)
        with open(path, "rb") as file:
            line = file.readline()
        self._index: Mapping[str, tuple[str, int, int]] = json.loads(line)
        self._first = len(line)
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def read(self, name: str) -> bytes:
        """The bytes of a module's .pyc file."""
        _, offset, size = self._index[name]
        return os.pread(self._file, size, self._first + offset)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: Any = None
    ) -> ModuleSpec | None:
        """How to load a module of the archive, None for any other."""
        if name not in self._index:
            return None
        file = os.path.join(self._root, self._index[name][0])
        package = os.path.basename(file) == "__init__.py"
        spec = ModuleSpec(name, Loader(name, file, self.read), origin=file, is_package=package)
        if package:
            spec.submodule_search_locations = [os.path.dirname(file)]
        spec.has_location, spec.cached = True, None
        return spec


@contextmanager
def precompiled_patterns(file: str) -> Iterator[None]:
    """While the block runs, patterns of the file are made of their code, if this Python's is the build's."""
    compiler: Any = re._compiler  # type: ignore[attr-defined] # `re.compile` asks it for patterns that are not in its cache
    original, sre = compiler.compile, compiler._sre
    code_of: Any = None
    patterns: Mapping[tuple[Any, int], tuple[Any, ...]] = {}
    with suppress(OSError), open(file, "rb") as opened:
        code_of, patterns = marshal.loads(zlib.decompress(opened.read()))  # nosec B302 # noqa: S302 - the build made it
    if code_of != (sre.MAGIC, sre.CODESIZE):
        patterns = {}

    def known(pattern: Any, flags: int = 0) -> Any:
        arguments = patterns.get((pattern, flags)) if type(pattern) in (str, bytes) else None
        return sre.compile(*arguments) if arguments else original(pattern, flags)

    compiler.compile = known
    try:
        yield
    finally:
        compiler.compile = original


def begin(namespace: dict[str, Any], root: str = os.path.dirname(os.path.abspath(__file__))) -> None:
    """Run the handler's module in its namespace. The garbage collector never looks through its objects."""
    finder = Finder(root)
    sys.meta_path.insert(sys.meta_path.index(PathFinder), finder)
    collecting = gc.isenabled()
    gc.disable()
    try:
        with precompiled_patterns(os.path.join(root, PATTERNS)):
            code = marshal.loads(finder.read(namespace["__name__"])[HEADER:])  # nosec B302 # noqa: S302 - as above
            exec(code, namespace)  # nosec B102 # noqa: S102 - it is the handler's module
        gc.freeze()
    finally:
        if collecting:
            gc.enable()
