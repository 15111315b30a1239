"""CSV (RFC 4180): items as rows below a header, and rows as items."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from polymicro_lambda.exceptions import BadRequest, ConfigurationError
from polymicro_lambda.http import CellRows, json_text

from .bounds import check_count

MARK = "'"
"""What makes a spreadsheet take the rest of a cell for text."""
_FORMULA = re.compile(f"{MARK}*[=+\\-@\t\r\n＝＋－＠]")  # noqa: RUF001 - the full-width ones too
"""What a spreadsheet may take for a formula (OWASP, "CSV Injection"), or what would become that without its mark."""
_MARKED = re.compile(f"{MARK}+[=+\\-@\t\r\n＝＋－＠]")  # noqa: RUF001
_BOM = "\ufeff"
MAX_CELL = 400 * 1024
"""Characters of a cell: DynamoDB's limit of an item in bytes. Python's own is 131,072."""


class CSV:
    """Renders items as CSV in UTF-8, and parses such texts.

    A list is a header and a row for each item, without its envelope: the next page is in ``Link``. Lists and objects
    are JSON in their cell, null is an empty cell. A text that a spreadsheet would take for a formula gets a ``'``
    before it, which parsing takes away again; ``defuse=False`` leaves texts as they are, for readers that are no
    spreadsheets. ``Accept: text/csv; header=absent`` asks for the rows alone.
    """

    binary = False

    def __init__(self, *, delimiter: str = ",", defuse: bool = True) -> None:
        if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n':
            raise ConfigurationError(f"CSV.delimiter must be one character, such as ';', not {delimiter!r}")
        self.delimiter = delimiter
        self.defuse = defuse
        self.parameters: Mapping[str, str] = MappingProxyType({"header": "present"})

    @property
    def variants(self) -> "tuple[CSV, ...]":
        """What a parameter in ``Accept`` asks for: the rows without their header."""
        return (_WithoutHeader(delimiter=self.delimiter, defuse=self.defuse),)

    # --- out -----------------------------------------------------------------------------------------------------

    def render(self, value: Any) -> str:
        """The CSV of what is no item: an object is a row, a list of these is rows, any other value one cell."""
        values = value if isinstance(value, list) else [value]
        rows = [one if isinstance(one, dict) else {"value": one} for one in values]
        return self.table(rows, list(dict.fromkeys(name for row in rows for name in row)))

    def table(self, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
        """The CSV of rows."""
        if not columns:
            return ""
        file = io.StringIO(newline="")
        writer = csv.writer(file, delimiter=self.delimiter)
        writer.writerows(self._lines(rows, columns))
        return file.getvalue()

    def _lines(self, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> list[list[str]]:
        lines = [[self._cell(row.get(name)) for name in columns] for row in rows]
        return [[self._text(name) for name in columns], *lines]

    def _cell(self, value: Any) -> str:
        if isinstance(value, str):
            return self._text(value)
        if value is None:
            return ""
        return f"{value:f}" if isinstance(value, Decimal) else json_text(value)

    def _text(self, text: str) -> str:
        return f"{MARK}{text}" if self.defuse and _FORMULA.match(text) else text

    # --- in ------------------------------------------------------------------------------------------------------

    def parse(self, body: bytes) -> CellRows:
        """The rows below the header, each an object of texts. Raises ``BadRequest`` with the place and what to do."""
        try:
            text = body.decode().removeprefix(_BOM)
        except UnicodeDecodeError as error:
            raise BadRequest(f"The body is not UTF-8: byte {error.start} cannot be read.") from error
        (_, header), *rows = self._read(text) or [(1, [])]
        _check_header(header)
        for line, row in rows:
            if len(row) != len(header):
                raise BadRequest(
                    f"Line {line} of the CSV has {len(row)} cells, and its header {len(header)}: give it as many."
                )
        if not rows:
            raise BadRequest("The CSV has no row below its header: the first row names the fields.")
        return CellRows(dict(zip(header, map(self._plain, row), strict=True)) for _, row in rows)

    def _read(self, text: str) -> list[tuple[int, list[str]]]:
        """The rows that have cells, each with the line on which it begins, from 1."""
        csv.field_size_limit(max(csv.field_size_limit(), MAX_CELL))
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter, strict=True)
        rows, count, line = list[tuple[int, list[str]]](), 0, 1
        try:
            for row in reader:
                rows += [(line, row)] if row else []
                line = reader.line_num + 1
                count += len(row)
                check_count(count)
        except csv.Error as error:
            raise BadRequest(
                f"The body is not CSV at line {line}: a cell with a quote in it stands in quotes, and"
                " the quote twice."
            ) from error
        return rows

    def _plain(self, cell: str) -> str:
        return cell.removeprefix(MARK) if self.defuse and _MARKED.match(cell) else cell


class _WithoutHeader(CSV):
    """The same without the header."""

    def __init__(self, *, delimiter: str, defuse: bool) -> None:
        super().__init__(delimiter=delimiter, defuse=defuse)
        self.parameters = MappingProxyType({"header": "absent"})

    @property
    def variants(self) -> tuple[CSV, ...]:
        """None more."""
        return ()

    def _lines(self, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> list[list[str]]:
        return super()._lines(rows, columns)[1:]


def _check_header(header: Sequence[str]) -> None:
    """Raise ``BadRequest`` for a header that names no field, or one of them twice."""
    if not header or not all(header):
        raise BadRequest("The first row of the CSV must name a field for each column.")
    earlier: set[str] = set()
    for name in header:
        if name in earlier:
            raise BadRequest(f"The header of the CSV names {json_text(name[:50])} twice.")
        earlier.add(name)
