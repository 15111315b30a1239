"""The libraries of formats that an app declares: they are imported by a name that no source says."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from .imports import imports
from .target_python import PACKAGE

REQUIREMENTS: Mapping[str, str] = {"MessagePack": "msgpack>=1.1,<2", "YAML": "pyyaml>=6,<7"}
"""Class of ``polymicro_lambda.renderers`` -> its library, as the extra of this package has it."""
MODULES: Mapping[str, str] = {"MessagePack": "msgpack", "YAML": "yaml"}
RENDERERS = f"{PACKAGE}.renderers"


def format_requirements(own: Mapping[str, Path], stage: Path) -> tuple[str, ...]:
    """What the project's modules need for the formats that they name, and the artifact has not yet."""
    named = {one for name, file in own.items() for one in _named(name, file)}
    return tuple(REQUIREMENTS[one] for one in sorted(named) if not (stage / MODULES[one]).is_dir())


def _named(name: str, file: Path) -> Iterator[str]:
    imported = set(imports(name, file))
    if RENDERERS not in imported:
        return
    attributes = {
        one.attr for one in ast.walk(ast.parse(file.read_bytes())) if isinstance(one, ast.Attribute)
    }
    yield from (one for one in REQUIREMENTS if f"{RENDERERS}.{one}" in imported or one in attributes)
