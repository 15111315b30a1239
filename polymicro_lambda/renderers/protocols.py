"""What a renderer and a parser do. A function of the same argument does as well."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Renderer(Protocol):
    """Makes the body of an answer.

    It may say ``binary``, whether its bodies are no texts (else the media type tells), and ``structured``, whether they
    have the same members as the JSON, so that its schema describes them.
    """

    def render(self, value: Any, /) -> bytes | str:
        """The body for a JSON value, in which a number that no float carries is a ``Decimal``; a text goes as UTF-8."""


class TableRenderer(Renderer, Protocol):
    """A renderer that gets the items of a list, or one item, without what stands around them."""

    def table(self, rows: Sequence[Mapping[str, Any]], columns: Sequence[str], /) -> bytes | str:
        """The body for rows of JSON values. A row may lack a column."""


class Parser(Protocol):
    """Reads the body of a request; it may say ``binary`` and ``structured`` as a renderer does."""

    def parse(self, body: bytes, /) -> Any:
        """The JSON value in a body that is not empty.

        A ``ValueError`` is answered with 400 in words of ours, an error of ``exceptions`` as it is, any other with 500.
        """
