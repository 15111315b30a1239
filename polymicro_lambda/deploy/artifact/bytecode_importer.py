"""The importer of an artifact, in it as ``polymicro_start``: modules come from one file of bytecode.

It knows the standard library alone, and little of it: nothing else is there yet. The finder takes no module from
another place than Python would: what stands in the artifact, as in a task folder at the head of ``sys.path``.
"""

# Without pathlib, which takes time to import.
# ruff: noqa: PTH100, PTH118, PTH119, PTH120, PTH123

import builtins
import gc
import json
import marshal
import os
import re
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType
from typing import Any

ARCHIVE = "polymicro.bytecode"
"""The file: a line of JSON, module -> file, offset behind the line and size; then what the .pyc files held."""
COMPILED = "polymicro.compiled"
"""The file of all that importing would compile: what the code is of; a pattern's text and flags -> the arguments of
``_sre.compile``; module that makes classes -> text -> its code."""
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


def compiled_ahead(file: str) -> tuple[Mapping[Any, Any], Mapping[str, Mapping[str, CodeType]]]:
    """The patterns, and the texts of classes, that the build has compiled; none if by another Python than this."""
    code_of: Any = None
    patterns, texts = {}, {}
    with suppress(OSError), open(file, "rb") as opened:
        code_of, patterns, texts = marshal.loads(zlib.decompress(opened.read()))  # nosec B302 # noqa: S302 - the build made it
    sre = re._compiler._sre  # type: ignore[attr-defined]
    return (
        (patterns, texts) if code_of == (sre.MAGIC, sre.CODESIZE, sys.implementation.cache_tag) else ({}, {})
    )


@contextmanager
def precompiled_patterns(patterns: Mapping[tuple[Any, int], tuple[Any, ...]]) -> Iterator[None]:
    """While the block runs, these patterns are made of their code."""
    compiler: Any = re._compiler  # type: ignore[attr-defined] # `re.compile` asks it for patterns that are not in its cache
    original, sre = compiler.compile, compiler._sre

    def known(pattern: Any, flags: int = 0) -> Any:
        arguments = patterns.get((pattern, flags)) if type(pattern) in (str, bytes) else None
        return sre.compile(*arguments) if arguments else original(pattern, flags)

    compiler.compile = known
    try:
        yield
    finally:
        compiler.compile = original


RUNNERS: Mapping[str, str] = {"collections": "eval", "dataclasses": "exec"}
"""Module that makes classes of texts -> the builtin function by which it runs them. The second imports named tuples."""


@contextmanager
def precompiled_texts(texts: Mapping[str, Mapping[str, CodeType]]) -> Iterator[None]:
    """While the block runs, these texts of data classes and named tuples are run as their code."""
    for name in texts:
        setattr(__import__(name), RUNNERS[name], _runner(getattr(builtins, RUNNERS[name]), texts[name]))
    try:
        yield
    finally:
        for name in texts:
            vars(sys.modules[name]).pop(RUNNERS[name], None)


def _runner(run: Callable[..., Any], codes: Mapping[str, CodeType]) -> Callable[..., Any]:
    def known(text: str, *scopes: Any) -> Any:
        return run(codes.get(text, text), *scopes)

    return known


def begin(namespace: dict[str, Any], root: str = os.path.dirname(os.path.abspath(__file__))) -> None:
    """Run the handler's module in its namespace. The garbage collector never looks through its objects."""
    finder = Finder(root)
    sys.meta_path.insert(sys.meta_path.index(PathFinder), finder)
    collecting = gc.isenabled()
    gc.disable()
    patterns, texts = compiled_ahead(os.path.join(root, COMPILED))
    try:
        with precompiled_patterns(patterns), precompiled_texts(texts):
            code = marshal.loads(finder.read(namespace["__name__"])[HEADER:])  # nosec B302 # noqa: S302 - as above
            exec(code, namespace)  # nosec B102 # noqa: S102 - it is the handler's module
        gc.freeze()
    finally:
        if collecting:
            gc.enable()
