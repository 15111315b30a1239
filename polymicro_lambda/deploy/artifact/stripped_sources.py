"""Sources as an artifact has them: without what nothing reads in a Lambda, on the same lines."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
_Place: TypeAlias = tuple[int, int]
"""Line, from 0, and column in bytes."""


UNDOCUMENTED = (
    "aws_lambda_powertools",
    "botocore",
    "dateutil",
    "itsdangerous",
    "jmespath",
    "marshmallow",
    "pynamodb",
    "six.py",
    "typing_extensions.py",
    "urllib3",
)
"""Packages that this one brings and that run without their docstrings; all others keep theirs."""


def strip_dependencies(root: Path) -> None:
    """Empty the docstrings of packages that this one brings."""
    for top in (root / name for name in UNDOCUMENTED):
        for file in [top] if top.is_file() else sorted(top.rglob("*.py")):
            file.write_text(without_docstrings(file.read_text(encoding="utf-8")), encoding="utf-8")


def stripped(source: str) -> str:
    """A module's source with empty docstrings, and without the annotations of functions."""
    return without_annotations(without_docstrings(source))


def without_docstrings(source: str) -> str:
    """A module's source with empty docstrings, of as many lines: tracebacks name and show the same lines.

    A data class gets white space in its place: without one ``dataclasses`` would make it of the class's signature.
    """
    lines = source.splitlines(keepends=True)
    tree = ast.parse(source)
    kept = {
        id(node.body[0]) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and _is_data_class(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
            indent, rest = lines[first][: node.col_offset], lines[last][node.end_col_offset :]
            if isinstance(node.value.value, str) and not indent.strip() and not rest.strip():
                begin, blank = (f"{indent}__doc__ = ", " ") if id(node) in kept else (indent, "")
                ends = [f'{begin}"{blank}"\n'] if first == last else [f'{begin}"""\n', '"""\n']
                lines[first : last + 1] = [ends[0], *["\n"] * (last - first - 1), *ends[1:]]
    return "".join(lines)


def _is_data_class(node: ast.ClassDef) -> bool:
    decorators = (one.func if isinstance(one, ast.Call) else one for one in node.decorator_list)
    return any(isinstance(one, ast.Name) and one.id == "dataclass" for one in decorators)


def without_annotations(source: str) -> str:
    """A module's source without the types of parameters and results, which each start would evaluate.

    A function that is registered by them keeps them, and so does a result whose type takes several lines.
    """
    lines = source.encode().splitlines(keepends=True)
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, _Function)]
    cuts = [cut for one in functions if not _is_registered(one) for cut in _annotations(one, lines)]
    for (first, start), (last, end) in sorted(cuts, reverse=True):
        rest = b"\n" * (last - first) + lines[last][end:]
        lines[first : last + 1] = (lines[first][:start].rstrip() + rest).splitlines(keepends=True)
    return b"".join(lines).decode()


def _is_registered(function: _Function) -> bool:
    """Whether ``functools.singledispatch`` takes a type from its annotations."""
    return any(isinstance(one, ast.Attribute) and one.attr == "register" for one in function.decorator_list)


def _annotations(function: _Function, lines: list[bytes]) -> Iterator[tuple[_Place, _Place]]:
    """Where each annotation of a function begins, with the sign before it, and where it ends."""
    all_ = function.args
    parameters = (*all_.posonlyargs, *all_.args, *all_.kwonlyargs, all_.vararg, all_.kwarg)
    for one in parameters:
        if one is not None and one.annotation is not None:
            yield (one.lineno - 1, one.col_offset + len(one.arg.encode())), _end(one.annotation)
    result = function.returns
    if result is not None and result.lineno == result.end_lineno:
        line = result.lineno - 1
        yield (line, lines[line].rindex(b"->", 0, result.col_offset)), _end(result)


def _end(node: ast.expr) -> _Place:
    return (node.end_lineno or node.lineno) - 1, node.end_col_offset or 0
