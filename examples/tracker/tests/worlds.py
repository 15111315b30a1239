"""Two tenants, their users, and a project with a task and a comment in each."""

from dataclasses import dataclass, field

from polymicro_lambda import User
from polymicro_lambda.testing import Client


def user(name, tenant):
    return User(name, claims={"tenant": tenant})


USERS = {
    "admin": user("ann", "acme"),
    "member": user("max", "acme"),
    "viewer": user("vic", "acme"),
    "colleague": user("cat", "acme"),
    "stranger": user("eve", "evil"),
    "nobody": None,
}
"""Three in the project, one of the tenant alone, one of another tenant, and no user."""


@dataclass
class World:
    """A project of acme with a task and a comment, and one of evil with the same."""

    client: Client
    project: str = ""
    task: str = ""
    comment: str = ""
    other: "World | None" = field(default=None, repr=False)

    def url(self, template):
        """A path with this world's ids."""
        return template.format(p=self.project, t=self.task, c=self.comment)

    def ask(self, who, method, path, **options):
        """A request of a user of ``USERS``."""
        return self.client.request(method, self.url(path), user=USERS[who], **options)


def made(client, admin, author):
    world = World(client)
    world.project = ok(world.ask(admin, "POST", "/projects", json={"name": "Moon"}))["project"]
    if author != admin:
        for name, role in ((author, "member"), ("viewer", "viewer")):
            body = {"user": USERS[name].uuid, "role": role}
            ok(world.ask(admin, "POST", "/projects/{p}/members", json=body))
    world.task = ok(world.ask(author, "POST", "/projects/{p}/tasks", json={"title": "Land"}))["task"]
    comments = "/projects/{p}/tasks/{t}/comments"
    world.comment = ok(world.ask(author, "POST", comments, json={"text": "How?"}))["comment"]
    return world


def ok(result):
    assert result.status == 201, result.text
    return result.json
