"""The authorizer, as API Gateway asks it."""

import json

import pytest

from project_name import authorizer

ARN = "arn:aws:execute-api:us-east-1:123456789012:api/dev/GET/todos"


def ask(header):
    """The authorizer's answer to a request with this header."""
    return authorizer.handler(
        {"type": "REQUEST", "methodArn": ARN, "headers": {"Authorization": header}}, None
    )


def test_a_token_says_who_makes_the_request():
    answer = ask(f"Bearer {authorizer.token('alice', ['administrator'])}")
    assert answer["principalId"] == "alice"
    assert json.loads(answer["context"]["permissions"]) == ["administrator"]


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x.y.z", "Basic YWxpY2U6"])
def test_anything_else_is_refused(header):
    with pytest.raises(authorizer.UnauthorizedError):
        ask(header)
