"""What an order has done, and how that differs from the requests one after the other, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from polymicro_lambda.testing.client import Result

from .comparison import Path
from .runs import Step

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
SHOWN = 200
"""Characters of a value that are shown."""


def name_of(number: int) -> str:
    """How a request is called."""
    return ORDINALS[number] if number < len(ORDINALS) else f"request {number + 1}"


def schedule(steps: Sequence[Step]) -> str:
    """The calls in their order, a line for each."""
    lines = (f"  {place}. {name_of(step.number)}: {step.text}" for place, step in enumerate(steps, 1))
    return "\n".join(lines)


def one_after_the_other(order: Sequence[int]) -> str:
    """An order of whole requests."""
    return ", then ".join(map(name_of, order)) or "none of them"


def report(
    steps: Sequence[Step],
    answers: Mapping[int, Result],
    nearest: Sequence[int],
    found: Sequence[tuple[Path, Any, Any]],
) -> str:
    """The whole message; ``nearest`` is the order that differs least, ``found`` how it does."""
    told = "\n".join(f"  {name_of(number)}: {answers[number]!r}" for number in sorted(answers))
    differing = "\n".join(
        f"  {_place(path)}: {_value(here)}, not {_value(there)}" for path, here, there in _telling(found)
    )
    return (
        "These requests do not come out as if one came after the other. The order of their calls:\n\n"
        f"{schedule(steps)}\n\nThe answers:\n\n{told}\n\n"
        f"What differs from {one_after_the_other(nearest)}, which comes nearest:\n\n{differing}"
    )


def _telling(found: Sequence[tuple[Path, Any, Any]]) -> list[tuple[Path, Any, Any]]:
    """The same without headers and bodies of answers that differ in their status: of these it says enough."""
    others = {path[:2] for path, _, _ in found if path[0] == "answers" and path[2:] == ("status",)}
    return [each for each in found if each[0][:2] not in others or each[0][2:] == ("status",)]


def _place(path: Path) -> str:
    if path[0] == "answers":
        return " ".join([f"the answer of {name_of(int(path[1]))},", *path[2:]])
    return " ".join(["table", *path[1:]])


def _value(value: Any) -> str:
    text = str(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
