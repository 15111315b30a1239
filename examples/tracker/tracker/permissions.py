"""Who may do what: users stay in their tenant, and have a role in each project that they are a member of."""

from polymicro_lambda import OwnedBy, Permission

from .models import Member

InTenant = OwnedBy("tenant", claim="tenant")
"""Items of the user's tenant: set on create, part of every read and write, never sent by a client."""

RANKS = {"viewer": 1, "member": 2, "admin": 3}
ANYONE = 0
"""The rank of who has no role, and of a path without a project."""


def rank_of(user, request, members):
    """The user's rank in the project of the path, by one read in each request."""
    project = request.path_params.get("project")
    if project is None:
        return ANYONE
    if "rank" not in request.state:
        request.state["rank"] = _rank(members, user, project)
    return request.state["rank"]


def _rank(members, user, project):
    try:
        member = members.get(project, user.uuid, consistent_read=True)
    except members.DoesNotExist:
        return ANYONE
    return RANKS.get(member.role, ANYONE) if member.tenant == user.claims.get("tenant") else ANYONE


class AtLeast(Permission):
    """Members of the project in the path, from a role upwards: one to read, one to write, or as a method says.

    ``AtLeast("viewer", write="member", delete="admin")``. Who is none of them gets a 403, whether or not there is
    such a project.
    """

    members = Member
    calls = {Member: "GetItem"}

    def __init__(self, read, write=None, **methods):
        self.read, self.write, self.methods = read, write or read, methods

    def has_permission(self, user, method, request):
        """Whether the user's rank is high enough."""
        least = self.methods.get(method, self.read if method.safe else self.write)
        return rank_of(user, request, self.members) >= RANKS.get(least, ANYONE)

    def __str__(self):
        said = {"write": self.write, **self.methods} if self.write != self.read else self.methods
        return (
            f"AtLeast({', '.join([repr(self.read), *(f'{name}={role!r}' for name, role in said.items())])})"
        )


class NotYourself(Permission):
    """Nobody changes or ends their own membership: a project keeps its admin."""

    def where(self, user, method, model):
        """A condition of the write itself."""
        return method.safe or (model.user != user.uuid)
