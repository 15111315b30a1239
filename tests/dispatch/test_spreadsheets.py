"""A table of 10,000 items, page by page in CSV, is in a spreadsheet what it is in DynamoDB."""

import csv
import io
import json
from decimal import Decimal
from typing import Any

import pytest
from contract import ALICE, Caller, create_tables
from pynamodb.attributes import BooleanAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import DecimalAttribute, List, ModelResource, OwnedBy, PolyMicro
from polymicro_lambda.renderers import CSV

ROWS = 10_000
TEXTS = (
    "milk",
    "=1+1",
    "-2+3",
    "+41 31 000 00 00",
    "@SUM(A1)",
    "a,b;c\td",
    'said "so"',
    "two\r\nlines",
    "Zürich 🙂",
    "'=x",
    "",
)


def filled(table: str, rows: int) -> Caller:
    """A caller of an app with so many items, of texts that spreadsheets may take for something else."""

    class Row(Model):
        class Meta:
            table_name = table

        owner = UnicodeAttribute(hash_key=True)
        id = UnicodeAttribute(range_key=True)
        text = UnicodeAttribute()
        number = NumberAttribute(null=True)
        price = DecimalAttribute()
        done = BooleanAttribute()
        more = JSONAttribute(null=True)

    class Rows(ModelResource, List):
        model = Row
        route = "rows"
        permissions = OwnedBy("owner")

    pm = PolyMicro(renderers={"text/csv": CSV()})
    Rows(pm)
    caller = Caller(pm, user=ALICE)
    assert caller.handler
    create_tables(pm)
    with Row.batch_write() as batch:
        for number in range(rows):
            batch.save(
                Row(
                    "alice",
                    f"{number:05}",
                    text=TEXTS[number % len(TEXTS)],
                    number=None if number % 7 == 0 else number - 5000,
                    price=Decimal(f"{number - 5000}.25"),
                    done=number % 2 == 0,
                    more={"n": [number]} if number % 5 == 0 else None,
                )
            )
    return caller


def tables(caller: Caller, **options: Any) -> list[str]:
    """The pages in CSV: the first with a header, and those behind it without."""
    first = caller.get("/rows?limit=100", headers={"Accept": "text/csv"}, **options)
    others = list(caller.pages("/rows?limit=100", headers={"Accept": "text/csv; header=absent"}, **options))[
        1:
    ]
    return [first.text, *(page.text for page in others)]


def test_its_pages_joined_are_the_items(dynamodb: None, table_name: str) -> None:
    caller = filled(table_name, 300)
    check("".join(tables(caller)), list(caller.items("/rows?limit=100")))


@pytest.mark.thorough
def test_10000_rows(dynamodb: None, table_name: str) -> None:
    caller = filled(table_name, ROWS)
    items = list(caller.items("/rows?limit=100"))
    assert len(items) == ROWS
    check("".join(tables(caller)), items)


def check(text: str, items: list[dict[str, Any]]) -> None:
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    assert header == ["owner", "id", "text", "number", "price", "done", "more"]
    assert not any(cell[:1] in "=+@\t\r" for row in rows for cell in row if cell)
    assert not any(
        cell[0] == "-" and not cell[1:].replace(".", "").isdigit() for row in rows for cell in row if cell
    )
    found = [
        {
            "owner": owner,
            "id": number,
            "text": text.removeprefix("'") if text.startswith(("'=", "'+", "'-", "'@", "''=")) else text,
            "number": int(amount) if amount else None,
            "price": price,
            "done": {"true": True, "false": False}[done],
            "more": json.loads(more) if more else None,
        }
        for owner, number, text, amount, price, done, more in rows
    ]
    assert found == items
