"""Answers and bodies besides JSON: CSV, MessagePack, YAML, and what one of your own has to do.

``PolyMicro(renderers={"text/csv": CSV()}, parsers={"text/csv": CSV()})``, or the same names on a resource. In comes a
JSON value, out go the bytes of an answer; or the other way round. Open ``csv_tables``, ``messagepack`` or
``yaml_documents`` for one of them, ``protocols`` for what each fulfils. The libraries of the last two come with the
extras ``msgpack`` and ``yaml``, and are imported when the app compiles that declares one.
"""

from .csv_tables import CSV
from .messagepack import MessagePack
from .protocols import Parser, Renderer, TableRenderer
from .yaml_documents import YAML

__all__ = [
    "CSV",
    "YAML",
    "MessagePack",
    "Parser",
    "Renderer",
    "TableRenderer",
]
