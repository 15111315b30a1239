"""Many stored items as JSON text, attribute by attribute: what `wire` gives of each, in less time."""

import re
from collections.abc import Callable, Sequence
from functools import cache
from itertools import chain
from json.encoder import encode_basestring
from typing import Any, NamedTuple, TypeAlias

from pynamodb.models import Model

from polymicro_lambda.http import json_text
from polymicro_lambda.types import RawItem

from .readers import STORED_DATETIME, datetime_text, reader_of

LENGTH = 31
"""Characters of a moment as PynamoDB writes it."""
OFFSET, SECOND = "+0000", ".000000+0000"
"""How one ends, and one of a whole second."""
AT, NEXT = "\x00", "\x01"
"""What ends a moment, and an item, until all is one text: JSON holds no control character as it is."""
_TO_ESCAPE = bytes([*range(32), *b'"\\'])
"""What a text of JSON does not hold as it is (RFC 8259, section 7)."""

Shown: TypeAlias = tuple[str, Sequence[str], str]
"""What stands before each value's text, those texts, and what stands behind each."""


@cache
def _moments_in_a_row() -> re.Pattern[str]:
    return re.compile(f"(?:{STORED_DATETIME.pattern})*+")


class Column(NamedTuple):
    """One attribute of many items."""

    before: str
    """What stands before it in an item's text."""
    stored: str
    """Its name in DynamoDB."""
    kind: str
    """Its type there."""
    write: Callable[[Any], str]
    """Gives the JSON text of a value. Raises for one that is not of the usual form."""
    absent: str | None
    """The text of an absent one, None where only an instance can say."""

    def values(self, rows: Sequence[RawItem]) -> list[Any]:
        """What each item has of it, None where it is absent. Raises where only `Reader.text` can say."""
        stored, kind = self.stored, self.kind
        try:
            return [row[stored][kind] for row in rows]
        except KeyError:  # some item is without it
            if self.absent is None:
                raise
        lack = {kind: None}
        return [(row.get(stored) or lack)[kind] for row in rows]

    def shown(self, values: Sequence[Any], clean: bool) -> Shown:
        """The values as JSON; ``clean`` texts need no escape."""
        marks = _MARKS.get(self.write) if clean or self.write is datetime_text else None
        if marks is None:
            return "", [self._absent if one is None else self.write(one) for one in values], ""
        if self.write is datetime_text:
            _check_moments(values)
        if None not in values:
            return marks[0], values, marks[1]
        opening, closing = marks
        return "", [self._absent if one is None else f"{opening}{one}{closing}" for one in values], ""

    @property
    def _absent(self) -> str:
        assert self.absent is not None  # nosec B101 # noqa: S101 - for the type checker: else ``values`` raises
        return self.absent


_MARKS = {encode_basestring: ('"', '"'), datetime_text: ('"', AT)}
"""What writes a value -> what stands around one that is taken as it is."""


def _check_moments(values: Sequence[Any]) -> None:
    """Look at moments as one text. Raises ``ValueError`` where one is not as PynamoDB writes it."""
    found = [one for one in values if one is not None]
    if not {*map(len, found)} <= {LENGTH} or not _moments_in_a_row().fullmatch("".join(found)):
        raise ValueError("not as PynamoDB writes it")


@cache
def columns_of(model: type[Model]) -> tuple[Column, ...]:
    """The attributes of a model that has a reader."""
    reader = reader_of(model)
    if reader is None:
        return ()
    begins = (("," if place else "{") + json_text(name) + ":" for place, name in enumerate(reader.names))
    return tuple(Column(before, *one) for before, one in zip(begins, reader.writers, strict=True))


def texts_of(model: type[Model], rows: Sequence[RawItem]) -> list[str] | None:
    """Many items of a model that has a reader as JSON text, None where ``Reader.text`` has to look at each."""
    text = _text_of(model, rows, NEXT)
    return None if text is None else text.split(NEXT)[:-1]


def array_of(model: type[Model], rows: Sequence[RawItem]) -> str | None:
    """The same as one JSON array."""
    text = _text_of(model, rows, ",")
    return None if text is None else f"[{text[:-1]}]"


def _text_of(model: type[Model], rows: Sequence[RawItem], end: str) -> str | None:
    """The items' texts, behind each this end."""
    try:
        text = "".join(_pieces(columns_of(model), rows, end))
    except Exception:  # noqa: BLE001 - a poison row: the attribute itself says what is wrong
        return None
    return text.replace(SECOND + AT, '+00:00"').replace(OFFSET + AT, '+00:00"')


def _pieces(columns: Sequence[Column], rows: Sequence[RawItem], end: str) -> list[str]:
    drawn = [(column, column.values(rows)) for column in columns]
    clean = _is_clean([values for column, values in drawn if column.write is encode_basestring])
    shown = [(column, *column.shown(values, clean)) for column, values in drawn]
    form, behind = [], ""
    for column, opening, _, closing in shown:
        form += [f"{behind}{column.before}{opening}", ""]
        behind = closing
    form.append(f"{behind}}}{end}")
    pieces = form * len(rows)
    for place, (_, _, texts, _) in enumerate(shown):
        pieces[2 * place + 1 :: len(form)] = texts
    return pieces


def _is_clean(texts: Sequence[list[Any]]) -> bool:
    """Whether no text holds what JSON escapes. Raises for what is no text."""
    said = "".join(filter(None, chain.from_iterable(texts))).encode()
    return len(said.translate(None, _TO_ESCAPE)) == len(said)
