"""Many stored items as JSON text, attribute by attribute: the texts of `ItemReader`, in less time."""

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

DATETIME_LENGTH = 31
"""Characters of a datetime as PynamoDB writes it."""
OFFSET, WHOLE_SECOND = "+0000", ".000000+0000"
"""The end of a datetime, and of one without a fraction."""
DATETIME_END, ITEM_END = "\x00", "\x01"
"""Stand behind a datetime, and behind an item, in the joined text: JSON has no control character unescaped."""
_TO_ESCAPE = bytes([*range(32), *b'"\\'])
"""The characters that JSON escapes in a text (RFC 8259, section 7)."""

JSONValues: TypeAlias = tuple[str, Sequence[str], str]
"""An opening, the texts of the values, a closing: each value is opening + text + closing."""


@cache
def _datetimes_pattern() -> re.Pattern[str]:
    return re.compile(f"(?:{STORED_DATETIME.pattern})*+")


class Column(NamedTuple):
    """One attribute of many items."""

    before: str
    """The text before its value: separator and name."""
    stored: str
    """Its name in DynamoDB."""
    kind: str
    """Its type there."""
    write: Callable[[Any], str]
    """Gives the JSON text of a value. Raises for a value in an unusual form."""
    absent: str | None
    """The text of an absent value, None where that takes an instance."""

    def values(self, rows: Sequence[RawItem]) -> list[Any]:
        """Each item's value, None where it is absent. Raises where `ItemReader.text` has to decide."""
        stored, kind = self.stored, self.kind
        try:
            return [row[stored][kind] for row in rows]
        except KeyError:  # some item is without it
            if self.absent is None:
                raise
        lack = {kind: None}
        return [(row.get(stored) or lack)[kind] for row in rows]

    def json_values(self, values: Sequence[Any], clean: bool) -> JSONValues:
        """The values as JSON; ``clean`` texts need no escape."""
        enclosing = _ENCLOSING.get(self.write) if clean or self.write is datetime_text else None
        if enclosing is None:
            return "", [self._absent if one is None else self.write(one) for one in values], ""
        if self.write is datetime_text:
            _check_datetimes(values)
        if None not in values:
            return enclosing[0], values, enclosing[1]
        opening, closing = enclosing
        return "", [self._absent if one is None else f"{opening}{one}{closing}" for one in values], ""

    @property
    def _absent(self) -> str:
        assert self.absent is not None  # nosec B101 # noqa: S101 - for the type checker: else ``values`` raises
        return self.absent


_ENCLOSING = {encode_basestring: ('"', '"'), datetime_text: ('"', DATETIME_END)}
"""Writer of a value -> opening and closing of a value that is taken unchanged."""


def _check_datetimes(values: Sequence[Any]) -> None:
    """Check datetimes as one text. Raises ``ValueError`` where PynamoDB would write one in another way."""
    present = [one for one in values if one is not None]
    if not {*map(len, present)} <= {DATETIME_LENGTH} or not _datetimes_pattern().fullmatch("".join(present)):
        raise ValueError("not as PynamoDB writes it")


@cache
def columns_of(model: type[Model]) -> tuple[Column, ...]:
    """The attributes of a model, none where it has no reader."""
    reader = reader_of(model)
    if reader is None:
        return ()
    begins = (("," if place else "{") + json_text(name) + ":" for place, name in enumerate(reader.names))
    return tuple(Column(before, *one) for before, one in zip(begins, reader.writers, strict=True))


def item_texts(model: type[Model], rows: Sequence[RawItem]) -> list[str] | None:
    """Each item as JSON text, None where ``ItemReader.text`` has to read them one by one."""
    text = _text_of(model, rows, ITEM_END)
    return None if text is None else text.split(ITEM_END)[:-1]


def item_array(model: type[Model], rows: Sequence[RawItem]) -> str | None:
    """All items as one JSON array, None as `item_texts`."""
    text = _text_of(model, rows, ",")
    return None if text is None else f"[{text[:-1]}]"


def _text_of(model: type[Model], rows: Sequence[RawItem], end: str) -> str | None:
    """The items' texts, each followed by ``end``."""
    try:
        text = "".join(_pieces(columns_of(model), rows, end))
    except Exception:  # noqa: BLE001 - a poison row: the attribute itself says what is wrong
        return None
    return text.replace(WHOLE_SECOND + DATETIME_END, '+00:00"').replace(OFFSET + DATETIME_END, '+00:00"')


def _pieces(columns: Sequence[Column], rows: Sequence[RawItem], end: str) -> list[str]:
    read = [(column, column.values(rows)) for column in columns]
    clean = _is_clean([values for column, values in read if column.write is encode_basestring])
    written = [(column, *column.json_values(values, clean)) for column, values in read]
    form, behind = [], ""
    for column, opening, _, closing in written:
        form += [f"{behind}{column.before}{opening}", ""]
        behind = closing
    form.append(f"{behind}}}{end}")
    pieces = form * len(rows)
    for place, (_, _, texts, _) in enumerate(written):
        pieces[2 * place + 1 :: len(form)] = texts
    return pieces


def _is_clean(texts: Sequence[list[Any]]) -> bool:
    """Whether no text needs an escape in JSON. Raises where a value is no text."""
    joined = "".join(filter(None, chain.from_iterable(texts))).encode()
    return len(joined.translate(None, _TO_ESCAPE)) == len(joined)
