"""What a build runs with an artifact alone, by the Python that the artifact is for: one import of its handler's module.

The regular expressions that the import compiles are written into the artifact. It knows the standard library alone,
and of that only what compiles none itself, which would be missed.
"""

# ruff: noqa: PTH123

import importlib
import json  # noqa: F401 - what reads the patterns has imported it before, so that its own are not asked for
import marshal
import re
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

MISSING = 3
"""The exit status of a trial that lacked a module, or met an error that is due to that."""


class _Noting:
    """Python's module of patterns; it keeps what a pattern was last made of."""

    def __init__(self, module: Any) -> None:
        self._module = module
        self.last: tuple[Any, ...] = ()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def compile(self, *arguments: Any) -> Any:
        self.last = arguments
        return self._module.compile(*arguments)


@contextmanager
def noted() -> Iterator[dict[tuple[Any, int], tuple[Any, ...]]]:
    """What patterns are made of while the block runs: text and flags -> the arguments of ``_sre.compile``."""
    compiler: Any = re._compiler  # type: ignore[attr-defined] # what `_importer` asks in place of compiling
    made: dict[tuple[Any, int], tuple[Any, ...]] = {}
    compile_, sre = compiler.compile, compiler._sre
    noting = compiler._sre = _Noting(sre)

    def note(pattern: Any, flags: int = 0) -> Any:
        found = compile_(pattern, flags)
        if type(pattern) in (str, bytes):
            _, every, code, *groups = noting.last
            made[pattern, int(flags)] = (pattern, int(every), list(map(int, code)), *groups)
        return found

    compiler.compile = note
    try:
        yield made
    finally:
        compiler.compile, compiler._sre = compile_, sre


def write(made: dict[tuple[Any, int], tuple[Any, ...]], file: str) -> None:
    """Write patterns, and what their code is of; the same ones give the same bytes."""
    code_of = (re._compiler._sre.MAGIC, re._compiler._sre.CODESIZE)  # type: ignore[attr-defined]
    rows = {key: made[key] for key in sorted(made, key=repr)}
    # Version 2 is the last of marshal that looks at no counts of references.
    data = zlib.compress(marshal.dumps((code_of, rows), 2), 9)
    with open(file, "wb") as opened:
        opened.write(data)


def main(root: str, module: str, patterns: str) -> int:
    """Import the module from the artifact; the exit status."""
    sys.path.insert(0, root)
    with noted() as made:
        try:
            importlib.import_module(module)
        except Exception as error:  # noqa: BLE001 - whatever it is, the build tells it
            sys.excepthook(type(error), error, error.__traceback__)
            missing = any(isinstance(one, ImportError) for one in (error, error.__cause__))
            return MISSING if missing else 1
        finally:
            if made:
                write(made, patterns)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
