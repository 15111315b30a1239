"""A network that answers DynamoDB's client by a script, below botocore's retries."""

import json
from collections.abc import Iterator
from typing import Any

from botocore.awsrequest import AWSResponse

SECRET = "arn:aws:dynamodb:eu-west-1:123456789012:table/secret-table"
"""A name in DynamoDB's messages that no client may see."""


class Raw:
    """The body of an HTTP response, as urllib3 has it."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.content


class Wire:
    """What stands where the network would: answers each try with the next of ``answers``, the last for ever.

    Calls of the operations in ``well`` are well, each as often as it stands there.
    """

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.calls: list[str] = []
        self.well: list[str] = []

    def __call__(self, request: Any, **_: Any) -> AWSResponse:
        operation = request.headers["X-Amz-Target"].decode().split(".")[-1]
        if operation in self.well:
            self.well.remove(operation)
            return AWSResponse(request.url, 200, {}, Raw(b'{"Item": {"id": {"S": "a"}}}'))
        self.calls.append(operation)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        status, content = answer
        return AWSResponse(request.url, status, {"x-amzn-requestid": "R"}, Raw(content))


def failure(code: str, status: int = 400, message: str = f"about {SECRET}", **more: Any) -> tuple[int, bytes]:
    kind = f"com.amazonaws.dynamodb.v20120810#{code}"
    return status, json.dumps({"__type": kind, "message": message, **more}).encode()
