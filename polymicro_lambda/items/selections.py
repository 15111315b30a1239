"""What an answer shows of items, as JSON text, where no instance is needed for that."""

from collections.abc import Sequence
from dataclasses import dataclass

from pynamodb.models import Model

from polymicro_lambda.http import json_text
from polymicro_lambda.schemas import fast_path_is_on
from polymicro_lambda.types import RawItem

from .columns import array_of, texts_of
from .readers import ItemReader, reader_of


class JSONText(str):
    """JSON that stands in an answer as it is."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class FieldSelection:
    """What an answer shows of the items of a model."""

    model: type[Model]
    reader: ItemReader
    names: tuple[str, ...] | None
    """Its members in order, None where they are the model's attributes, all in their order."""

    @classmethod
    def of(cls, model: type[Model], names: Sequence[str]) -> "FieldSelection | None":
        """The selection of these attributes, None where only instances of the model can be shown."""
        reader = reader_of(model) if fast_path_is_on() else None
        if reader is None:
            return None
        whole = [step[0] for step in reader.steps] == list(names)
        return cls(model, reader, None if whole else tuple(names))

    def texts(self, rows: Sequence[RawItem]) -> list[JSONText] | None:
        """Many items as they go out, None where each has to be looked at."""
        found = texts_of(self.model, rows) if self.names is None else None
        return None if found is None else [*map(JSONText, found)]

    def array(self, rows: Sequence[RawItem]) -> str | None:
        """The same as one JSON array."""
        return array_of(self.model, rows) if self.names is None else None

    def text(self, raw: RawItem) -> JSONText | None:
        """An item as it goes out, None where only an instance can say."""
        text = self.reader.text(raw) if self.names is None else None
        if text is None:
            found = self.reader.shown(raw)
            if found is None:
                return None
            text = json_text(found if self.names is None else {name: found[name] for name in self.names})
        return JSONText(text)
