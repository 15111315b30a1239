"""The 400 of a list that no index serves: what the client can do, and notes for the developer."""

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from polymicro_lambda.exceptions import BadRequest

from .access_paths import AccessPath

if TYPE_CHECKING:  # `plans` raises these errors
    from .plans import ListQuery


def no_access_path(
    paths: Sequence[AccessPath], query: "ListQuery", bound: Collection[str], lacking: Collection[str]
) -> BadRequest:
    """The error that says what the client can do, by names that it may know; its notes are for the developer.

    ``bound`` are the attributes that have one value, or some; ``lacking`` are the keys without which items are in no
    index that would serve.
    """

    def python_name(name: str) -> str:
        return query.names.get(name, name)

    def any_of(names: Iterable[str]) -> str:
        return " or ".join(sorted(set(map(python_name, names))))

    def bindable(names: Iterable[str]) -> list[str]:
        return [name for name in names if query.filterable is None or name in query.filterable]

    if lacking:
        # Another value of a partition key leads to the index too, but not to this list.
        missed = set(lacking) - set(bound)
        told = any_of(missed if query.told is None else missed & query.told)
        advice = f"sort it by {told} or filter on that" if told else ""
        error = _refused("No index has all of this list", advice)
        error.add_note(f"The indexes lack items without {any_of(lacking)}.")
        return error
    keyed = any_of(path.partition for path in paths if path.partition in bound)
    by_sort = any_of(bindable(path.partition for path in paths if path.sort == query.sort))
    if query.sort is not None and keyed:
        order = python_name(query.sort)
        error = _refused(
            f"The list cannot be sorted by {order}", by_sort and f"say which {by_sort} by a filter"
        )
        error.errors = ({"parameter": "sort", "detail": str(error.detail)},)
        error.add_note(f"An index with partition key {keyed} and sort key {order} would have this order.")
        return error
    partitions = [path.partition for path in paths]
    said = any_of(bindable(partitions))
    error = _refused("No index serves this list", said and f"say which {said} by a filter")
    if not said:
        error.add_note(f"No filter of the resource would say which {any_of(partitions)}.")
    if bound:
        error.add_note(f"An index with partition key {any_of(bound)} would serve this list.")
    return error


def _refused(what: str, advice: str) -> BadRequest:
    return BadRequest(f"{what}: {advice}." if advice else f"{what}.")
