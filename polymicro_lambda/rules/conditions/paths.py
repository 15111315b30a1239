"""The paths of conditions: the attributes that they name, and the values that stand there in a stored item."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from pynamodb.expressions.condition import Condition, size
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action

from polymicro_lambda.types import RawItem

Raw: TypeAlias = Mapping[str, Any]
Item: TypeAlias = RawItem | Mapping[str, Raw]

Size = type(size("any"))  # type: ignore[no-untyped-call]  # PynamoDB names only the function, not the class
_Operand: type = Size.__mro__[-2]


def attributes_of(condition: object) -> frozenset[str]:
    """The top-level attributes that a condition, an operand or an action reads, by their names in DynamoDB."""
    return frozenset(next(steps_of(path)) for path in paths_of(condition))


def steps_of(path: Path) -> Iterator[Any]:
    """Split PynamoDB's segments: ``["a", "b[0]"]`` is the steps ``"a"``, ``"b"``, ``0``."""
    for segment in path.path:
        if "[" not in segment:
            yield segment
            continue
        name, *indexes = re.findall(r"[^\[\]]+", segment)
        yield name
        yield from map(int, indexes)


def stored_reader(operand: Path) -> Callable[[Item], Raw | None]:
    """A function from a stored item to the value at a path of it, None where there is none."""
    steps = [("L" if isinstance(step, int) else "M", step) for step in steps_of(operand)]

    def read(item: Item) -> Raw | None:
        raw: Raw = {"M": item}
        try:
            for kind, step in steps:
                raw = raw[kind][step]
        except LookupError:
            return None
        return raw

    return read


def paths_of(node: object) -> Iterator[Path]:
    """Every path in a condition, an operand, or an action of an update."""
    left = [node]
    while left:
        one = left.pop()
        if isinstance(one, Path):
            yield one
        elif isinstance(one, Condition | Action | _Operand):
            left.extend(one.values)  # type: ignore[attr-defined]
