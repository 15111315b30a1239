"""What the API serves."""

from marshmallow.validate import Length, OneOf

from polymicro_lambda import (
    Create,
    Delete,
    Key,
    List,
    ModelResource,
    One,
    OwnedBy,
    Retrieve,
    Through,
    Update,
    action,
)
from polymicro_lambda.exceptions import Conflict, Unprocessable

from .models import Comment, Invitation, Member, Project, Task, Tenant, new_id, now
from .permissions import ROLES, InTenant, NotYourself, at_least, of_tenant
from .schemas import Assignment

OURS = of_tenant(Project)
VIEWERS, MEMBERS, ADMINS = (at_least(role, Member) for role in ROLES)
ON_TASK = Through(Task, {"project": "project", "task": "task"})


class Tenants(ModelResource, Retrieve):
    """``/tenant``: the user's own, under the app's default permissions."""

    model = Tenant
    route = "tenant"


class Projects(ModelResource, Create, Retrieve, Update):
    """``/projects``: who makes one is its admin."""

    model = Project
    route = "projects"
    permissions = {"create": InTenant, "retrieve": InTenant & VIEWERS, "*": InTenant & ADMINS}
    dump_only = ("project", "archived", "created")
    required = ("name",)
    members = Member

    def create(self, req, user):
        """The project and its admin, both or none."""
        project = new_id()
        member = {"project": project, "user": user.uuid, "tenant": req["tenant"], "role": "admin"}
        with self.store.transaction() as write:
            write.create(self.members, member)
            return write.create(self.model, {**req, "project": project})

    @action
    def archive(self, instance, user):
        """``POST /projects/{project}/archive``: a mark for clients; what is in the project can still be changed."""
        return self.update(instance, {"archived": True}, user)

    def represent(self, data, instance, request):
        """With the addresses of the project and its tasks."""
        url = self.url_for(instance, request)
        return {**data, "url": url, "tasks": f"{url}/tasks"}


class MyProjects(ModelResource, List):
    """``GET /projects``: the user's role in each of their projects, and the project."""

    model = Member
    route = "projects"
    permissions = InTenant & OwnedBy("user")
    exclude = ("tenant", "user")
    embed = {"project": One(Projects, {"tenant": "tenant", "project": "project"}, always=True)}


class Members(ModelResource, Create, List, Retrieve, Update, Delete):
    """``/projects/{project}/members``: seen by all of them, changed by admins."""

    model = Member
    route = "projects/{project}/members"
    permissions = {"list": OURS & VIEWERS, "retrieve": OURS & VIEWERS, "*": OURS & ADMINS & NotYourself}
    exclude = ("tenant",)
    dump_only = ("since",)
    validators = {"user": Length(1, 100), "role": OneOf(ROLES)}


class Invitations(ModelResource, Create, List, Delete):
    """``/projects/{project}/invitations``: an admin's."""

    model = Invitation
    route = "projects/{project}/invitations"
    permissions = OURS & ADMINS
    exclude = ("tenant",)
    dump_only = ("invited_by", "expires")
    required = ("user", "role")
    validators = {"user": Length(1, 100), "role": OneOf(ROLES)}

    def create(self, req, user):
        """Signed by the admin."""
        return super().create({**req, "invited_by": user.uuid}, user)


class MyInvitations(ModelResource, List, Retrieve, Delete):
    """``/invitations``: the user's own, to accept or to decline (delete)."""

    model = Invitation
    route = "invitations"
    permissions = InTenant & OwnedBy("user")
    members = Member

    @action(status=201)
    def accept(self, instance, user):
        """``POST /invitations/{project}/accept``: the invitation becomes a membership, or stays as it is."""
        member = {name: getattr(instance, name) for name in ("project", "user", "tenant", "role")}
        with self.store.transaction() as write:
            write.delete(instance)
            return write.create(self.members, member, otherwise="You are a member already: decline.")


class Tasks(ModelResource, Create, List, Retrieve, Update, Delete):
    """``/projects/{project}/tasks``."""

    model = Task
    route = "projects/{project}/tasks"
    permissions = {
        **dict.fromkeys(("list", "retrieve", "count"), OURS & VIEWERS),
        "delete": OURS & ADMINS,
        "*": OURS & MEMBERS,
    }
    dump_only = ("task", "status", "assignee", "created", "closed")
    filters = {"status": "eq", "assignee": "eq", "due": ("lt", "gte", "between"), "labels": "contains"}
    field_permissions = {"estimate": MEMBERS}
    members = Member

    @action(schema=Assignment)
    def assign(self, instance, req, user):
        """``POST …/assign``: to a member of the project, or with null to nobody."""
        with self.store.transaction() as write:
            if req["assignee"] is not None:
                error = {"pointer": "#/assignee", "detail": "Not a member of the project."}
                refused = Unprocessable("The assignee is no member.", errors=[error])
                member = Key(self.members, instance.project, req["assignee"])
                write.check(member, self.members.role.exists(), otherwise=refused)
            write.update(instance, req)
        return instance

    @action
    def close(self, instance, user):
        """``POST …/close``."""
        if instance.status == "closed":
            raise Conflict("It is closed already.")
        return self.update(instance, {"status": "closed", "closed": now()}, user)

    @action
    def reopen(self, instance, user):
        """``POST …/reopen``."""
        return self.update(instance, {"status": "open", "closed": None}, user)

    @action(detail=False, methods=("GET",))
    def count(self, request, user):
        """``GET …/count``: how many are open and closed."""
        task, project = self.model, request.path_params["project"]
        ours = self.model.tenant == user.claims["tenant"]
        states = ("open", "closed")
        return {state: task.by_status.count(project, task.status == state, ours) for state in states}


class MyTasks(ModelResource, List):
    """``/me/tasks``: what is assigned to the user, in all projects of the tenant where they have a role."""

    model = Task
    route = "me/tasks"
    permissions = InTenant & OwnedBy("assignee") & VIEWERS
    filters = {"status": "eq", "due": ("lt", "gte", "between")}
    field_permissions = {"estimate": MEMBERS}


class Comments(ModelResource, Create, List, Retrieve, Update, Delete):
    """``/projects/{project}/tasks/{task}/comments``: of a task that is there; changed by authors and admins."""

    model = Comment
    route = "projects/{project}/tasks/{task}/comments"
    permissions = {
        **dict.fromkeys(("list", "retrieve"), OURS & VIEWERS & ON_TASK),
        "create": OURS & MEMBERS & ON_TASK & OwnedBy("author"),
        "*": OURS & MEMBERS & ON_TASK & (OwnedBy("author") | ADMINS),
    }
    dump_only = ("comment", "author", "created")
    required = ("text",)


RESOURCES = (Tenants, Projects, MyProjects, Members, Invitations, MyInvitations, Tasks, MyTasks, Comments)
