"""The trial of an artifact: the Python that it is for imports the handler's module, with the artifact alone.

The regular expressions, data classes and named tuples that the import compiles are written into the artifact. It
imports the standard library alone, and of that only modules that compile no pattern themselves, which would be missed.
"""

# ruff: noqa: PTH123

import builtins
import importlib
import json  # noqa: F401 - bytecode_importer imports it before it reads patterns, so that it never asks for json's own
import marshal
import re
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import CodeType
from typing import Any

RUNNERS = {"collections": "eval", "dataclasses": "exec"}
"""As ``bytecode_importer`` has it, which this script cannot import."""
MISSING = 3
"""The exit status of a trial that lacked a module, or met an error that is due to that."""


class _Recorder:
    """Python's module of patterns; it keeps the arguments of the last pattern."""

    def __init__(self, module: Any) -> None:
        self._module = module
        self.last: tuple[Any, ...] = ()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def compile(self, *arguments: Any) -> Any:
        self.last = arguments
        return self._module.compile(*arguments)


@contextmanager
def recorded_patterns() -> Iterator[dict[tuple[Any, int], tuple[Any, ...]]]:
    """The patterns compiled while the block runs: text and flags -> the arguments of ``_sre.compile``."""
    compiler: Any = re._compiler  # type: ignore[attr-defined] # `bytecode_importer` replaces it too
    patterns: dict[tuple[Any, int], tuple[Any, ...]] = {}
    original, sre = compiler.compile, compiler._sre
    recorder = compiler._sre = _Recorder(sre)

    def record(pattern: Any, flags: int = 0) -> Any:
        compiled = original(pattern, flags)
        if type(pattern) in (str, bytes):
            _, every, code, *groups = recorder.last
            patterns[pattern, int(flags)] = (pattern, int(every), list(map(int, code)), *groups)
        return compiled

    compiler.compile = record
    try:
        yield patterns
    finally:
        compiler.compile, compiler._sre = original, sre


@contextmanager
def recorded_texts() -> Iterator[dict[str, dict[str, CodeType]]]:
    """The texts that make data classes and named tuples while the block runs: module -> text -> its code."""
    texts: dict[str, dict[str, CodeType]] = {name: {} for name in RUNNERS}
    for name, run in RUNNERS.items():
        setattr(importlib.import_module(name), run, _recording(run, texts[name]))
    try:
        yield texts
    finally:
        for name, run in RUNNERS.items():
            vars(sys.modules[name]).pop(run, None)


def _recording(mode: str, codes: dict[str, CodeType]) -> Callable[..., Any]:
    run = getattr(builtins, mode)

    def record(text: str, *scopes: Any) -> Any:
        codes[text] = compile(text, "<string>", mode)
        return run(codes[text], *scopes)

    return record


def write(patterns: Mapping[Any, Any], texts: Mapping[str, Mapping[str, CodeType]], file: str) -> None:
    """Write what was compiled, and the versions of that code; the same gives the same bytes."""
    sre = re._compiler._sre  # type: ignore[attr-defined]
    code_of = (sre.MAGIC, sre.CODESIZE, sys.implementation.cache_tag)
    rows = {key: patterns[key] for key in sorted(patterns, key=repr)}
    codes = {name: {text: texts[name][text] for text in sorted(texts[name])} for name in texts if texts[name]}
    # Version 2 is the last of marshal that looks at no counts of references.
    data = zlib.compress(marshal.dumps((code_of, rows, codes), 2), 9)
    with open(file, "wb") as opened:
        opened.write(data)


def main(root: str, module: str, file: str) -> int:
    """Import the module from the artifact; the exit status."""
    sys.path.insert(0, root)
    with recorded_patterns() as patterns, recorded_texts() as texts:
        try:
            importlib.import_module(module)
        except Exception as error:  # noqa: BLE001 - whatever it is, the build tells it
            sys.excepthook(type(error), error, error.__traceback__)
            missing = any(isinstance(one, ImportError) for one in (error, error.__cause__))
            return MISSING if missing else 1
        finally:
            if patterns or any(texts.values()):
                write(patterns, texts, file)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
