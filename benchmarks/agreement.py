"""Whether the peers are peers: the same status and the same JSON to the same requests, over the same items."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from botocore.session import get_session

from .asked import CASES, Ask
from .engine import ITEMS, item
from .lineup import SAME_API, Place, working

Handler = Callable[[Any], Mapping[str, Any]]
KEY = {"owner": "HASH", "uuid": "RANGE"}


def check(place: Place, table: str) -> None:
    """Ask them all. Ends the program where one answers unlike the first."""
    client = client_of(place.variables["AWS_ENDPOINT_URL_DYNAMODB"])
    create(client, table)
    with working(place, SAME_API) as workers:
        answers = {}
        for peer, worker in workers.items():
            fill(client, table)
            answers[peer.title] = told(lambda event, ask=worker.ask: ask("answer", event))
    client.delete_table(TableName=table)
    found = [*differences(answers)]
    if found:
        raise SystemExit("The peers differ:\n" + "\n".join(found))


def client_of(endpoint: str | None = None) -> Any:
    """A client of an engine, that which the environment names unless said."""
    return get_session().create_client("dynamodb", endpoint_url=endpoint)


def create(client: Any, table: str) -> None:
    """The table, empty."""
    client.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in KEY.items()],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in KEY],
    )


def fill(client: Any, table: str) -> None:
    """Put the stub's items into the table, and nothing else."""
    for kept in client.scan(TableName=table, ConsistentRead=True)["Items"]:
        client.delete_item(TableName=table, Key={name: kept[name] for name in KEY})
    for number in range(ITEMS):
        client.put_item(TableName=table, Item=item(number))


def told(handler: Handler, cases: Mapping[str, Ask] = CASES) -> dict[str, Any]:
    """The answer to each case, as far as it must be the same."""
    return {name: essence(ask, handler(ask.event())) for name, ask in cases.items()}


def unexpected(told_: Mapping[str, Any], cases: Mapping[str, Ask]) -> Iterator[str]:
    """A line for each answer that has not the status that its case says."""
    for name, ask in cases.items():
        status, body = told_[name]
        if status != ask.status:
            yield f"{name}: {status}, not {ask.status}: {body}"


def essence(ask: Ask, answer: Mapping[str, Any]) -> Any:
    """Status and JSON: times by their instant, a new item without what is new by chance, an error by its status."""
    status, text = answer["statusCode"], answer.get("body")
    if status >= 400 or status == 204:
        return status, None
    body = known(json.loads(text or "null"))
    if ask.method == "POST":
        UUID(body.pop("uuid"))
        datetime.fromisoformat(body.pop("creation_date_time"))
    return status, body


def known(value: Any) -> Any:
    """JSON in which a time has one form."""
    if isinstance(value, dict):
        return {name: known(each) for name, each in value.items()}
    if isinstance(value, list):
        return [known(each) for each in value]
    try:
        return datetime.fromisoformat(value).astimezone(UTC).isoformat() if isinstance(value, str) else value
    except ValueError:
        return value


def differences(answers: Mapping[str, Mapping[str, Any]], cases: Mapping[str, Ask] = CASES) -> Iterator[str]:
    """A line for each answer that is not the first peer's, or the first's that is not as it should be."""
    (first, right), *others = answers.items()
    yield from unexpected(right, cases)
    for title, told_ in others:
        for case, answer in told_.items():
            if answer != right[case]:
                yield f"{case}: {title} answers {answer}, {first} {right[case]}"


def table_name() -> str:
    """A table that nobody else has."""
    return f"bench{uuid4().hex}"
