"""The imports of a module, and theirs in turn, read from the source without running it."""

import ast
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TypeAlias

Roots: TypeAlias = Callable[[str], Path | None]
"""Top-level name of a package or module -> the directory that it stands in, None for one not to be followed."""

TYPE_CHECKING = frozenset({"TYPE_CHECKING", "typing.TYPE_CHECKING"})
"""Conditions under which only a type checker reads."""


def reachable(start: Collection[str], root_of: Roots, *, without: Collection[str] = ()) -> dict[str, Path]:
    """The modules that ``start`` leads to, by name, and their files.

    An import inside a function counts; one for type checkers alone does not. ``without`` are modules, and packages with
    all their modules, that are left out, and what only they import. Raises ``SyntaxError``.
    """
    found: dict[str, Path] = {}
    waiting = list(start)
    while waiting:
        name = waiting.pop()
        file = _file(name, root_of)
        if file is None or name in found or any(f"{name}.".startswith(f"{one}.") for one in without):
            continue
        found[name] = file
        waiting += [*imports(name, file), *_parents(name)]
    return dict(sorted(found.items()))


def imports(name: str, file: Path) -> Iterator[str]:
    """The dotted names that a module imports; of ``from a import b`` both ``a`` and ``a.b``, which may be a module."""
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    for node in _nodes_at_run_time(ast.parse(file.read_bytes(), str(file))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(package, node)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def passes_argument(file: Path, argument: str) -> bool:
    """Whether some call in a module gives this argument by name, and not as a literal False or None."""
    calls = (node for node in ast.walk(ast.parse(file.read_bytes(), str(file))) if isinstance(node, ast.Call))
    given = (keyword.value for call in calls for keyword in call.keywords if keyword.arg == argument)
    return any(not (isinstance(value, ast.Constant) and not value.value) for value in given)


def _file(name: str, root_of: Roots) -> Path | None:
    root = root_of(name.partition(".")[0])
    if root is None:
        return None
    path = root.joinpath(*name.split("."))
    candidates = (path / "__init__.py", path.with_name(f"{path.name}.py"))
    return next((file for file in candidates if file.is_file()), None)


def _parents(name: str) -> Iterator[str]:
    while name := name.rpartition(".")[0]:
        yield name


def _nodes_at_run_time(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that only a type checker reads."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) in TYPE_CHECKING:
            yield from (below for other in child.orelse for below in _nodes_at_run_time(other))
        else:
            yield from _nodes_at_run_time(child)


def _absolute(package: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - node.level + 1], *([node.module] if node.module else [])])
