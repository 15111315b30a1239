"""Those who use the API in a test, known by their names, and what they do in it."""

import re
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ReadTimeoutError

from polymicro_lambda.testing import Client

SECRET = "a secret that only tests ever sign with"
DRAGON = {
    "title": "Dragons at home",
    "description": "A guide",
    "body": "Do not.",
    "tagList": ["fire", "care"],
}


MEMBERS = {
    "users": "user",
    "user": "user",
    "profiles": "profile",
    "articles": "article",
    "comments": "comment",
}
"""The end of a path -> the member in which an item stands there."""


def member_of(path):
    """The member in which an item stands in bodies and answers of a path."""
    parts = reversed(re.split(r"[/?]", path))
    return next((MEMBERS[part] for part in parts if part in MEMBERS), None)


@dataclass
class Community:
    """Requests under ``/api`` as one of its users, by name, or as nobody (None)."""

    client: Client
    tokens: dict[str, str] = field(default_factory=dict)

    def ask(self, who, method, path, headers=None, **options):
        said = {} if who is None else {"Authorization": f"Token {self.tokens[who]}"}
        return self.client.request(method, f"/api{path}", headers={**said, **(headers or {})}, **options)

    def send(self, who, method, path, item, **options):
        """The answer to a request whose body is an item."""
        return self.ask(who, method, path, json={member_of(path): item}, **options)

    def done(self, who, method, path, item=None, **options):
        """The item of an answer that is no error, or its JSON where it is a list; a body is an item."""
        said = {} if item is None else {"json": {member_of(path): item}}
        result = self.ask(who, method, path, **said, **options)
        assert result.status < 400, result.text
        return result.json.get(member_of(path), result.json) if result.body else None

    def join(self, *names):
        """Register these users."""
        for name in names:
            body = {"username": name, "email": f"{name}@example.com", "password": f"{name}'s own"}
            self.tokens[name] = self.done(None, "POST", "/users", body)["token"]

    def write(self, who, **body):
        """The slug of a new article."""
        return self.done(who, "POST", "/articles", {**DRAGON, **body})["slug"]

    def titles(self, who, path):
        return [article["title"] for article in self.done(who, "GET", path)["articles"]]


@contextmanager
def recorded(lost=None):
    """The DynamoDB calls made inside, operation and parameters; no answer to the operation ``lost`` arrives."""
    calls, call = [], BaseClient._make_api_call

    def recording(client, operation, parameters):
        calls.append((operation, parameters))
        answer = call(client, operation, parameters)
        if operation == lost:
            raise ReadTimeoutError(endpoint_url="")
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", recording)
        yield calls
