"""What Schemathesis does to its cases before it sends them; it runs this in its own environment.

Only cases that are meant to be taken are changed, and only in what no schema can say.
"""

import os
from datetime import datetime
from decimal import ROUND_DOWN, Context
from typing import Any

import requests
import schemathesis
from schemathesis import Case, GenerationMode, HookContext

TINY, HUGE = 1e-130, 1e37
"""The smallest magnitude that DynamoDB keeps; the largest that moto can list: to it zeros are digits."""
DIGITS = Context(prec=15, rounding=ROUND_DOWN)
"""What every reader of JSON keeps of a number, where the API refuses what it would have to round; the largest
would be rounded up to infinity."""
HEADERS = {"Authorization": f"Bearer {os.environ['TOKEN']}"}


@schemathesis.hook
def before_call(_: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Give it numbers that can be stored, bounds in their order, a cursor of the API's own, somebody who is there."""
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    for part, mend in {"body": storable, "query": ordered}.items():
        said = getattr(case, part)
        if (mended := mend(said)) != said:  # an assignment, even of the same, makes it judge the case anew
            setattr(case, part, mended)
    if case.query and case.query.pop("pagination_key", None) is not None:
        key = cursor(case)
        case.query |= {"pagination_key": key} if key else {}
    if case.operation.path.endswith("/assign") and len(case.body["assignee"] or "") == 1:
        case.body = {"assignee": os.environ["MEMBER"]}  # of longer names none is a member's: 422
    if case.operation.path.startswith("/invitations/{project}"):
        invite(case.path_parameters["project"])


def storable(value: Any) -> Any:
    """The value with its numbers as the engine and all readers of JSON keep them: 15 digits, not too many zeros."""
    if isinstance(value, dict):
        return {name: storable(one) for name, one in value.items()}
    if isinstance(value, list):
        return [storable(one) for one in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    rounded = type(value)(DIGITS.create_decimal(value))
    return rounded if TINY <= abs(rounded) < HUGE else 0


def ordered(query: Any) -> Any:
    """The query with the earlier of two moments first: the API refuses bounds that nothing is between."""
    between = {name: pair for name, pair in (query or {}).items() if name.endswith("__between")}
    return query and {**storable(query), **{name: sorted(pair, key=moment) for name, pair in between.items()}}


def moment(text: str) -> datetime:
    """What RFC 3339 says, which takes small letters too."""
    return datetime.fromisoformat(text.upper())


def cursor(case: Case) -> str | None:
    """Where the second page of this very list begins, None where there is none."""
    sent = case.as_transport_kwargs(base_url=os.environ["API"])
    query = {**(sent.get("params") or {}), "limit": 1}
    response = requests.get(sent["url"], params=query, headers=HEADERS, timeout=20)
    return response.json()["pagination_key"] if response.ok else None


def invite(project: str) -> None:
    """Invite who asks, as an invitation is gone once it is accepted or declined; 409 where there is one."""
    url, body = f"{os.environ['API']}/projects/{project}/invitations", {"user": "alice", "role": "member"}
    requests.post(url, json=body, headers=HEADERS, timeout=20)
