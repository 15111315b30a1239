"""A table in CSV, in the hands of pandas."""

import json
from pathlib import Path

from dispatch.test_spreadsheets import ROWS, filled, tables

from .conftest import CLIENTS, run


def test_a_table_opens_in_pandas_as_it_was(dynamodb: None, table_name: str, tmp_path: Path) -> None:
    caller = filled(table_name, ROWS)
    (tmp_path / "rows.csv").write_bytes("".join(tables(caller)).encode())
    (tmp_path / "rows.json").write_text(json.dumps(list(caller.items("/rows?limit=100"))))
    program = Path(__file__).with_name("spreadsheet.py")
    assert run(CLIENTS / "python", program, cwd=tmp_path) == "10000 rows\n"
