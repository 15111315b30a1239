"""Many stored items as JSON text, attribute by attribute: what `wire` gives of each, in less time."""

import re
from collections.abc import Callable, Sequence
from functools import cache
from itertools import chain, repeat
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from pynamodb.models import Model

from . import _json
from .types import RawItem
from .wire import MOMENT, moment_text, reader_of

Cells: TypeAlias = Callable[[list[Any]], list[str]]
"""Gives the JSON text of each value. Raises for one that is not of the usual form."""
WHOLE_SECOND = ".000000+"
"""The fraction that is left out, as Python does."""
LENGTH = 31
"""Characters of a moment as PynamoDB writes it."""


@cache
def _moments_in_a_row() -> re.Pattern[str]:
    return re.compile(f"(?:{MOMENT.pattern})*")


class Column(NamedTuple):
    """One attribute of many items."""

    before: str
    """What stands before it in an item's text."""
    stored: str
    """Its name in DynamoDB."""
    find: Callable[[RawItem], Any]
    """Gives what an item has of it. Raises ``KeyError`` where it is absent."""
    value: Callable[[Any], Any]
    """Gives the value in that."""
    cells: Cells
    absent: str | None
    """The text of an absent one, None where only an instance can say."""

    def texts(self, rows: Sequence[RawItem]) -> list[str]:
        """The attribute's text of each item. Raises where only ``Reader.text`` can say."""
        try:
            return self.cells([*map(self.value, map(self.find, rows))])
        except KeyError:  # some item is without it
            if self.absent is None:
                raise
        found = [row.get(self.stored) for row in rows]
        texts = iter(self.cells([self.value(one) for one in found if one]))
        return [next(texts) if one else self.absent for one in found]


@cache
def columns_of(model: type[Model]) -> tuple[Column, ...]:
    """The attributes of a model that has a reader."""
    reader = reader_of(model)
    if reader is None:
        return ()
    begins = (("," if place else "{") + _json.text(name) + ":" for place, name in enumerate(reader.names))
    return tuple(_column(before, *one) for before, one in zip(begins, reader.writers, strict=True))


def _column(before: str, stored: str, kind: str, write: Callable[[Any], str], absent: str | None) -> Column:
    cells = _moments if write is moment_text else lambda values: [*map(write, values)]
    return Column(before, stored, itemgetter(stored), itemgetter(kind), cells, absent)


def _moments(values: list[Any]) -> list[str]:
    """Moments, looked at as one text: most columns hold nothing else."""
    text = "".join(values)
    if {*map(len, values)} != {LENGTH} or not _moments_in_a_row().fullmatch(text):
        return [*map(moment_text, values)]
    if WHOLE_SECOND not in text:
        return [f'"{one[:26]}+00:00"' for one in values]
    return [f'"{one[:19] if one[19:27] == WHOLE_SECOND else one[:26]}+00:00"' for one in values]


def texts_of(model: type[Model], rows: Sequence[RawItem]) -> list[str] | None:
    """Many items of a model that has a reader as JSON text, None where ``Reader.text`` has to look at each."""
    try:
        columns = [(repeat(column.before), column.texts(rows)) for column in columns_of(model)]
    except Exception:  # noqa: BLE001 - a poison row: the attribute itself says what is wrong
        return None
    pieces = chain.from_iterable(columns)
    return [*map("".join, zip(*pieces, repeat("}")))]
