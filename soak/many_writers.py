"""Items that many connections write at once: counters, in three ways, and goods that are bought and refilled."""

from functools import partial

from .connection import Connection, unknown
from .contract import Answer
from .ledger import SOLD_OUT, Counted, Sale

# --- counters --------------------------------------------------------------------------------------------


def count(by: Connection) -> None:
    """Read a counter and write the next number where it is still so: no count is lost."""
    counter = by.dice.choice(by.shared.counters[by.user])
    path = by.path(counter.place)
    answer = by.send("GET", path)
    if unknown(answer):
        return
    if answer.status != 200:
        by.finding("lost acknowledged write", f"{counter.place}: {answer.status}")
        return
    number = answer.json["count"] + 1
    # Under a text of its own: two writers of the very same could not be told apart where an answer got lost.
    body = {"count": number, "text": by.text()}
    answer = by.send("PATCH", path, body, {"If-Match": answer.headers["etag"]})
    _counted(by, counter, "If-Match", answer)


def tally(by: Connection) -> None:
    """Count up by an action whose write is pinned to what it has read, under a text of its own as above."""
    counter, text = by.dice.choice(by.shared.counters[by.user]), by.text()
    answer = by.send("POST", by.path(counter.place) + "/tally", {"text": text})
    _counted(by, counter, "guarded action", answer)
    if answer is not None and answer.status == 200 and answer.json["text"] != text:
        by.finding("false answer", f"tally {text}: {answer.content[:200]!r}")


def bump(by: Connection) -> None:
    """Count up by an expression that DynamoDB computes."""
    counter = by.dice.choice(by.shared.counters[by.user])
    _counted(by, counter, "expression", by.send("POST", by.path(counter.place) + "/bump"))


def _counted(by: Connection, counter: Counted, way: str, answer: Answer | None) -> None:
    """Note what became of one more; a lost race is none."""
    if unknown(answer) or answer.status == 200:
        counter.counts(way, done=not unknown(answer))
    elif answer.status != 412 and not _is_lost_race(answer):
        by.finding("false answer", f"{way} {counter.place}: {answer.status} {answer.content[:200]!r}")


# --- goods -----------------------------------------------------------------------------------------------


def buy(by: Connection) -> None:
    """Buy one: half of the time with a key, by which the request is repeated until there is an answer."""
    good, text = by.dice.choice(by.shared.goods).place[2], by.text()
    note = partial(_bought, by, Sale(by.user, good, text))
    path, body = f"/goods/{good}/buy", {"text": text}
    if by.dice.random() < 0.5:
        note(by.send("POST", path, body))
    else:
        by.once(path, body, note)


def _bought(by: Connection, sale: Sale, answer: Answer | None) -> None:
    """Note a sale: it is there, may be there, or is not there because it was refused."""
    if unknown(answer):
        by.ledger.sales[sale] = False
        return
    by.ledger.sales.pop(sale, None)
    if answer.status == 201 and answer.json["sale"] == sale._asdict():
        by.ledger.sales[sale] = True
        _look_at(by, answer.json["good"])
    elif answer.status == 409 and answer.json["detail"] == SOLD_OUT:
        by.ledger.sold_out += 1
    elif not _is_lost_race(answer):
        by.finding("false answer", f"buy {sale}: {answer.status} {answer.content[:200]!r}")


def _is_lost_race(answer: Answer) -> bool:
    return answer.status == 409 and "retry-after" in answer.headers


def refill(by: Connection) -> None:
    """Put more of it there, by an expression that DynamoDB computes."""
    good = by.dice.choice(by.shared.goods)
    answer = by.send("POST", f"/goods/{good.place[2]}/refill")
    _counted(by, good, "refill", answer)
    if answer is not None and answer.status == 200:
        _look_at(by, answer.json)


def look(by: Connection) -> None:
    """Read one of the goods, or all."""
    good = by.dice.choice((*by.shared.goods, None))
    answer = by.send("GET", "/goods" if good is None else f"/goods/{good.place[2]}")
    if unknown(answer):
        return
    if answer.status != 200:
        by.finding("lost acknowledged write", f"goods: {answer.status} {answer.content[:200]!r}")
        return
    shown = [answer.json] if good is not None else answer.json["items"]
    if good is None and {one["id"] for one in shown} != {one.place[2] for one in by.shared.goods}:
        by.finding("false answer", f"list of goods: {answer.content[:300]!r}")
    for one in shown:
        _look_at(by, one)


def _look_at(by: Connection, good: dict[str, int]) -> None:
    """Note a stock that nobody may ever see."""
    if good["stock"] < 0:
        by.finding("stock below zero", f"{good} was shown")
