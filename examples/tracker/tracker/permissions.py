"""Who may do what: users stay in their tenant, and have a role in each project that they are a member of."""

from polymicro_lambda import Claim, OwnedBy, Permission, Through

InTenant = OwnedBy("tenant", claim="tenant")
"""Items of the user's tenant: set on create, part of every read and write, never sent by a client."""

ROLES = ("viewer", "member", "admin")
"""From the lowest to the highest."""


def at_least(role, member):
    """Users with this role or a higher one in the project of path or item, as the model ``member`` says."""
    enough = ROLES[ROLES.index(role) :]
    return Through(member, {"project": "project", "user": Claim("uuid")}, where=member.role.is_in(*enough))


def of_tenant(project):
    """Items of the user's tenant, in projects of that tenant alone."""
    return InTenant & Through(project, {"tenant": Claim("tenant"), "project": "project"})


class NotYourself(Permission):
    """Nobody changes or ends their own membership: a project keeps its admin."""

    def where(self, user, method, model):
        """A condition of the write itself."""
        return method.safe or (model.user != user.uuid)
