"""The 400 of a list that no index serves: what the client can do, and notes for the developer."""

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from polymicro_lambda.exceptions import BadRequest

from .composed_keys import PathQuery

if TYPE_CHECKING:  # `plans` raises these errors
    from .plans import ListQuery


class UnservedOrder(BadRequest):
    """No index has the list in the order that is asked for, by the request or by the resource's ``default_sort``."""

    def name_parameter(self) -> None:
        """Say that it is the request which asks for the order."""
        self.errors = ({"parameter": "sort", "detail": str(self.detail)},)


def no_access_path(
    asked: Sequence[PathQuery],
    query: "ListQuery",
    bound: Collection[str],
    lacking: Collection[Sequence[str]],
) -> BadRequest:
    """The error that says what the client can do, by names that it may know; its notes are for the developer.

    ``bound`` are the attributes that have one value, or some; ``lacking`` are for each index that would serve the
    attributes without which it lacks items.
    """

    def python_name(name: str) -> str:
        return query.names.get(name, name)

    def any_of(several: Iterable[Iterable[str]]) -> str:
        return " or ".join(sorted({" and ".join(map(python_name, names)) for names in several} - {""}))

    def bindable(several: Iterable[Sequence[str]]) -> list[Sequence[str]]:
        return [one for one in several if query.filterable is None or query.filterable.issuperset(one)]

    if lacking:
        # Another value of a partition key leads to the index too, but not to this list.
        missed = [one for one in lacking if not set(bound).issuperset(one)]
        told = any_of(one for one in missed if query.told is None or query.told.issuperset(one))
        advice = f"sort it by {told} or filter on that" if told else ""
        error = _refused("No index has all of this list", advice)
        error.add_note(f"The indexes lack items without {any_of(lacking)}.")
        return error
    keyed = any_of(one.path.parts_of(one.path.partition) for one in asked if one.partitions is not None)
    by_sort = any_of(bindable(one.missing(query.sort) for one in asked if one.may_sort(query.sort)))
    if query.sort is not None and keyed:
        order = python_name(query.sort)
        error = UnservedOrder(
            _sentence(f"The list cannot be sorted by {order}", by_sort and f"say which {by_sort} by a filter")
        )
        error.add_note(f"An index with partition key {keyed} and sort key {order} would have this order.")
        return error
    said = any_of(bindable(one.missing(None) for one in asked))
    error = _refused("No index serves this list", said and f"say which {said} by a filter")
    if not said:
        partitions = any_of(one.path.parts_of(one.path.partition) for one in asked)
        error.add_note(f"No filter of the resource would say which {partitions}.")
    if bound:
        error.add_note(
            f"An index with partition key {any_of([name] for name in bound)} would serve this list."
        )
    return error


def _refused(what: str, advice: str) -> BadRequest:
    return BadRequest(_sentence(what, advice))


def _sentence(what: str, advice: str) -> str:
    return f"{what}: {advice}." if advice else f"{what}."
