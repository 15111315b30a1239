"""Instances that a verb returns alone or inside of other JSON: those that lack attributes are read again first."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from pynamodb.models import Model

from polymicro_lambda.dynamodb import MOST_KEYS
from polymicro_lambda.exceptions import NotFound
from polymicro_lambda.items import whole_instance, whole_instances
from polymicro_lambda.rules import is_to_be_completed, is_trusted, may_go_out, read_related_of
from polymicro_lambda.types import MAPPINGS
from polymicro_lambda.writes import StoredItems

from .verb_results import json_default


def shown_alone(instance: Model) -> Model:
    """An instance that is the whole answer, whole. Raises ``NotFound`` where it is gone or hidden."""
    if is_to_be_completed(instance):
        items, trusts = StoredItems(type(instance)), is_trusted(instance)
        found = whole_instance(instance, lambda raw: items.instance(raw if trusts else items.live(raw)))
        if found is None:
            raise NotFound()
        instance = found
    if not may_go_out(instance):
        raise NotFound()
    return instance


class NestedInstances:
    """The instances in the values of one answer; ``show`` gives a whole one as it goes out, None for a hidden one."""

    def __init__(self, show: Callable[[Model], Any]) -> None:
        self._show = show
        self._unread: list[Any] = []
        self._unjudged: list[Any] = []
        # By its id: the partial instance, which so keeps its id, and the whole one.
        self._whole: dict[int, tuple[Model, Model | None]] = {}
        self.default = json_default(self.shown, self.expect)

    def expect(self, value: Any) -> None:
        """Say which value becomes JSON next: where one instance in it is read again, all others are with it.

        So are the related items that decide whether they go out.
        """
        self._unread.append(value)
        self._unjudged.append(value)

    def shown(self, instance: Model) -> Any:
        """An instance as it goes out, None for one that is hidden or gone. Raises as ``items.whole_instances``."""
        if not is_to_be_completed(instance):
            if self._unjudged:
                found, self._unjudged = instances_in(self._unjudged), []
                read_related_of(one for one in found if not is_to_be_completed(one))
            return self._show(instance)
        if id(instance) not in self._whole:
            self._read([instance, *self._unread])
            self._unread.clear()
        whole = self._whole[id(instance)][1]
        return None if whole is None else self._show(whole)

    def _read(self, values: list[Any]) -> None:
        found = {id(one): one for one in instances_in(values) if is_to_be_completed(one)}
        left = iter([one for place, one in found.items() if place not in self._whole])
        while chunk := list(islice(left, MOST_KEYS)):
            found_whole = [*whole_instances(chunk)]
            read_related_of(found_whole)
            for one, whole in zip(chunk, found_whole, strict=True):
                self._whole[id(one)] = (one, whole)


def instances_in(left: list[Any]) -> Iterator[Model]:
    """The instances in values that are JSON, but for themselves."""
    seen: set[int] = set()
    while left:
        value = left.pop()
        if isinstance(value, Model):
            yield value
        elif isinstance(value, (*MAPPINGS, list, tuple, set, frozenset)) and id(value) not in seen:
            seen.add(id(value))
            left += value.values() if isinstance(value, MAPPINGS) else value
