"""Many stored items as JSON text, attribute by attribute: what `wire` gives of each, in less time."""

import re
from collections.abc import Callable, Sequence
from functools import cache
from itertools import repeat
from operator import itemgetter, methodcaller
from typing import Any, NamedTuple, TypeAlias

from pynamodb.models import Model

from .types import RawItem
from .wire import MOMENT, Reader, moment_text, reader_of

Cells: TypeAlias = Callable[[list[Any]], list[str]]
"""Gives the JSON text of each value. Raises for one that is not of the usual form."""
LENGTH = 31
"""Characters of a moment as PynamoDB writes it."""


@cache
def _moments_in_a_row() -> re.Pattern[str]:
    return re.compile(f"(?:{MOMENT.pattern})*")


class Column(NamedTuple):
    """One attribute of many items."""

    find: Callable[[RawItem], Any]
    """Gives what an item has of it."""
    value: Callable[[Any], Any]
    """Gives the value in that."""
    cells: Cells
    absent: str | None
    """The text of an absent one, None where only an instance can say."""

    def texts(self, rows: Sequence[RawItem]) -> list[str]:
        """The attribute's text of each item. Raises where only ``Reader.text`` can say."""
        found = [*map(self.find, rows)]
        if all(found):
            return self.cells([*map(self.value, found)])
        if self.absent is None:
            raise LookupError
        texts = iter(self.cells([self.value(one) for one in found if one]))
        return [next(texts) if one else self.absent for one in found]


@cache
def columns_of(model: type[Model]) -> tuple[Column, ...]:
    """The attributes of a model that has a reader."""
    reader = reader_of(model)
    return () if reader is None else tuple(_column(*one) for one in reader.writers)


def _column(stored: str, kind: str, write: Callable[[Any], str], absent: str | None) -> Column:
    cells = _moments if write is moment_text else lambda values: [*map(write, values)]
    return Column(methodcaller("get", stored), itemgetter(kind), cells, absent)


def _moments(values: list[Any]) -> list[str]:
    """Moments, looked at as one text: most columns hold nothing else."""
    text = "".join(values)
    if {*map(len, values)} != {LENGTH} or not _moments_in_a_row().fullmatch(text) or ".000000+" in text:
        return [*map(moment_text, values)]
    return [f'"{one[:26]}+00:00"' for one in values]


def texts_of(reader: Reader, model: type[Model], rows: Sequence[RawItem]) -> list[str] | None:
    """Many items as JSON text, None where ``reader.text`` has to look at each."""
    try:
        columns = [column.texts(rows) for column in columns_of(model)]
    except Exception:  # noqa: BLE001 - a poison row: the attribute itself says what is wrong
        return None
    return [*map(str.__mod__, repeat(reader.form), zip(*columns, strict=True))]
