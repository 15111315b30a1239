"""Opens a table in CSV with pandas, and compares it with the items in JSON; run by test_spreadsheet.py."""

import json
from pathlib import Path

import pandas

items = json.loads(Path("rows.json").read_text())
frame = pandas.read_csv(
    "rows.csv", dtype={"id": str, "price": str}, keep_default_na=False, na_values={"number": [""]}
)
assert [*frame.columns] == ["owner", "id", "text", "number", "price", "done", "more"]
assert frame["done"].dtype == bool
for row, item in zip(frame.to_dict("records"), items, strict=True):
    text = row["text"]
    assert text[:1] not in ("=", "+", "-", "@")
    defused = text.startswith("'") and item["text"] != text
    assert {**row, "text": text[1:] if defused else text, "more": json.loads(row["more"] or "null")} == {
        **item,
        "number": row["number"] if item["number"] is None else item["number"],
    }
    assert (row["number"] != row["number"]) == (item["number"] is None)
print(len(items), "rows")
