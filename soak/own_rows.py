"""Rows that one connection alone writes, so that each answer says what they may be."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

from .connection import Connection, unknown
from .contract import Answer
from .ledger import Place, Row, State

ROWS = 25
"""The rows that one connection keeps."""


def some_row(by: Connection) -> Row | None:
    """One of its rows, most often one that may be there."""
    rows = [row for row in by.ledger.rows.values() if row.may != {None} or by.dice.random() < 0.05]
    return by.dice.choice(rows) if rows else None


def settled_row(by: Connection) -> Row | None:
    """The same, to write it: None where an earlier write of it may still be under way."""
    row = some_row(by)
    return row if row is None or row.is_settled else None


def create(by: Connection) -> None:
    """A new row under an id of the client's: a 409 must be true."""
    if sum(row.may != {None} for row in by.ledger.rows.values()) >= ROWS:
        remove(by)
        return
    resource = by.dice.choice(("notes", "tasks"))
    gone = [row for row in by.ledger.rows.values() if row.may == {None} and row.place[0] == resource]
    row = by.dice.choice(gone) if gone and by.dice.random() < 0.3 else None
    row = row or Row((resource, by.user, str(uuid4())), {None})
    by.ledger.rows[row.place] = row
    state = (by.text(), by.dice.randrange(100))
    body = {"id": row.place[2], "text": state[0], "count": state[1], **_owner(by, resource)}
    answer = by.send("POST", f"/{resource}", body)
    row.tag = None
    if unknown(answer):
        row.unknown({state})
    elif answer.status == 201 and _state(answer) == state:
        row.may, row.tag = {state}, answer.headers.get("etag")
        by.shared.known[by.user] = row.place
    else:
        by.finding("false answer", f"create {row.place}: {answer.status} {answer.content[:200]!r}")


def _owner(by: Connection, resource: str) -> dict[str, str]:
    return {"owner": by.user} if resource == "tasks" else {}


def create_once(by: Connection) -> None:
    """A new row under an id of the server's, with a key by which it may be asked for again."""
    resource, text = by.dice.choice(("notes", "tasks")), by.text()
    body = {"text": text, "count": 0, **_owner(by, resource)}
    note = partial(_made, by, resource, text)
    if by.dice.random() < 0.5:  # without a key: it may be there once, and must be if acknowledged
        note(by.send("POST", f"/{resource}", body))
    else:
        by.once(f"/{resource}", body, note)


def _made(by: Connection, resource: str, text: str, answer: Answer | None) -> None:
    """Note a create whose id comes with the answer."""
    if unknown(answer):
        by.ledger.made.add((by.user, text))
        return
    by.ledger.made.discard((by.user, text))
    if answer.status != 201 or answer.json["text"] != text:
        by.finding("false answer", f"create {text}: {answer.status} {answer.content[:200]!r}")
        return
    place = (resource, by.user, answer.json["id"])
    by.ledger.rows[place] = Row(place, {_state(answer)}, answer.headers.get("etag"))


def read(by: Connection) -> None:
    """Read a row: it is one of what it may be, and then known."""
    row = some_row(by)
    if row is None:
        return
    is_settled = row.is_settled
    answer = by.send("GET", by.path(row.place))
    if unknown(answer):
        return
    state = _state(answer)
    if answer.status not in (200, 404) or state not in row.may:
        by.finding(
            "lost acknowledged write" if row.is_there and state is None else "false answer",
            f"read {row.place}: {answer.status} {state}, may be {row.may}",
        )
    if is_settled:
        row.may, row.tag = {state}, answer.headers.get("etag")


def patch(by: Connection) -> None:
    """Set its text, with its tag where that is known, half of the time."""
    text = by.text()
    write(by, "PATCH", "", lambda state: (text, state[1]), {"text": text})


def put(by: Connection) -> None:
    """Replace it."""
    state = (by.text(), by.dice.randrange(100))
    write(by, "PUT", "", lambda _: state, {"text": state[0], "count": state[1]})


def add(by: Connection) -> None:
    """Count it up by an action."""
    write(by, "POST", "/add", lambda state: (state[0], state[1] + 1))


def remove(by: Connection) -> None:
    """Delete it."""
    write(by, "DELETE", "", lambda _: None)


def write(
    by: Connection,
    method: str,
    below: str,
    effect: Callable[[tuple[str, int]], State],
    body: Any = None,
) -> None:
    """Change a row, and note what it may be then."""
    row = settled_row(by)
    if row is None:
        return
    tag = row.tag if below == "" and by.dice.random() < 0.5 else None
    before, row.tag = row.may, None
    after = {effect(state) for state in before if state is not None}
    answer = by.send(method, by.path(row.place) + below, body, {"If-Match": tag} if tag else {})
    if unknown(answer):
        row.unknown(after)
    elif answer.status in (200, 204) and _state(answer) in after:
        row.may, row.tag = {_state(answer)}, answer.headers.get("etag")
    elif answer.status == 404 and None in before:
        row.may = {None}
    elif method == "DELETE" and answer.status == 204 and before == {None}:
        pass  # its answer from DynamoDB got lost, and a row that is gone is as a DELETE would have it
    else:
        lost = answer.status == 404
        by.finding(
            "lost acknowledged write" if lost else "false answer",
            f"{method} {row.place} {tag}: {answer.status} {answer.content[:200]!r}, was {before}",
        )
        row.may = before | after


def walk(by: Connection) -> None:
    """All rows of a list: the user's alone, and each that is surely there as it may be."""
    resource = by.dice.choice(("notes", "tasks"))
    given: dict[Place, State] = {}
    query = f"?limit={by.dice.choice((20, 50, 100))}"
    while query:
        answer = by.send("GET", f"/{resource}{query}")
        if unknown(answer):
            return
        if answer.status != 200:
            by.finding("false answer", f"list: {answer.status} {answer.content[:200]!r}")
            return
        for item in answer.json["items"]:
            if item["owner"] != by.user:
                by.finding("cross-user row", f"{item['owner']} in the list of {by.user}")
            given[resource, item["owner"], item["id"]] = (item["text"], item["count"])
        if answer.json["pagination_key"]:
            by.shared.cursors[f"{resource} {by.user}"] = answer.json["pagination_key"]
        query = answer.headers.get("link", "").partition(">")[0].lstrip("<")
    for row in by.ledger.rows.values():
        if row.place[0] == resource and given.get(row.place) not in row.may:
            kind = "lost acknowledged write" if row.is_there and row.place not in given else "false answer"
            by.finding(kind, f"list: {row.place} {given.get(row.place)}, may be {row.may}")


def _state(answer: Answer) -> State:
    said = answer.json if answer.status in (200, 201) else None
    return None if said is None else (said["text"], said["count"])
