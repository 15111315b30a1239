"""The fields of items that an answer shows, as JSON text without an instance."""

from collections.abc import Sequence
from dataclasses import dataclass

from pynamodb.models import Model

from polymicro_lambda.http import json_text
from polymicro_lambda.schemas import fast_path_is_on
from polymicro_lambda.types import RawItem

from .columns import item_array, item_texts
from .readers import ItemReader, reader_of


class JSONText(str):
    """JSON that an answer contains unchanged."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class FieldSelection:
    """The fields that an answer shows of a model's items."""

    model: type[Model]
    reader: ItemReader
    names: tuple[str, ...] | None
    """The fields in order, None where they are all attributes of the model in its order."""

    @classmethod
    def of(cls, model: type[Model], names: Sequence[str]) -> "FieldSelection | None":
        """The selection of these attributes, None where the model has no reader."""
        reader = reader_of(model) if fast_path_is_on() else None
        if reader is None:
            return None
        return cls(model, reader, None if reader.names == tuple(names) else tuple(names))

    def texts(self, rows: Sequence[RawItem]) -> list[JSONText] | None:
        """Many items as JSON texts, None where each has to be read by itself."""
        texts = item_texts(self.model, rows) if self.names is None else None
        return None if texts is None else [*map(JSONText, texts)]

    def array(self, rows: Sequence[RawItem]) -> str | None:
        """Many items as one JSON array, None as ``texts``."""
        return item_array(self.model, rows) if self.names is None else None

    def text(self, raw: RawItem) -> JSONText | None:
        """An item as JSON text, None where that takes an instance."""
        text = self.reader.text(raw) if self.names is None else None
        if text is None:
            values = self.reader.as_dict(raw)
            if values is None:
                return None
            text = json_text(values if self.names is None else {name: values[name] for name in self.names})
        return JSONText(text)
