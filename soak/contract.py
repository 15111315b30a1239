"""One answer judged by the error contract: a status that is known, and everything that it must carry."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

KNOWN = frozenset({200, 201, 204, 400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 422, 503})
"""What this API may say under these requests; 500 is no part of it, for nothing here is a fault of its own."""
MEMBERS = frozenset({"type", "title", "status", "detail", "instance", "errors", "current"})
CANARIES = re.compile(
    r"soak-(notes|tasks|goods|sales)|traceback|botocore|boto3|pynamodb|\barn:|127\.0\.0\.1", re.IGNORECASE
)
"""What never leaves: names of tables and libraries, ARNs, the engine's address."""
ALWAYS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
GATEWAY = {"message": "Unauthorized"}
"""API Gateway's own 401, without a problem document."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        """The body, None where there is none."""
        return json.loads(self.content) if self.content else None


def broken(answer: Answer) -> Iterator[str]:
    """How an answer is not what the contract promises."""
    if answer.status not in KNOWN:
        yield f"status {answer.status}"
    try:
        said = answer.json
    except ValueError:
        yield "body is no JSON"
        return
    if answer.status == 401 and said == GATEWAY:
        return
    yield from (
        f"{name} is not {value}" for name, value in ALWAYS.items() if answer.headers.get(name) != value
    )
    if answer.status >= 400:
        yield from _problem(answer, said)
    elif (answer.status == 204) is not (said is None):
        yield "body where none is, or none where one is"


def _problem(answer: Answer, said: Any) -> Iterator[str]:
    if answer.headers.get("content-type") != "application/problem+json" or not isinstance(said, dict):
        yield "no problem document"
        return
    if not {"type", "title", "status", "detail", "instance"} <= said.keys() <= MEMBERS:
        yield f"members {sorted(said)}"
    if said.get("status") != answer.status:
        yield "status of the document"
    if CANARIES.search(f"{dict(answer.headers)} {answer.content!r}"):
        yield "something internal in it"
    if answer.status == 503 and answer.headers.get("retry-after") not in {"1", "2", "3"}:
        yield "no Retry-After"
