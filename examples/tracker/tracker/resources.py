"""What the API serves."""

from polymicro_lambda import Create, Delete, List, ModelResource, OwnedBy, ReadOnly, Retrieve, Update, action
from polymicro_lambda.exceptions import Conflict, Unprocessable

from .models import Comment, Invitation, Member, Project, Task, Tenant, new_id, now
from .permissions import AtLeast, InTenant, NotYourself
from .schemas import Assignment, InvitationSchema, MemberSchema


class Tenants(ModelResource, Retrieve):
    """``/tenant``: the user's own, under the app's default permissions."""

    model = Tenant
    route = "tenant"


class Projects(ModelResource, Create, List, Retrieve, Update):
    """``/projects``: who makes one is its admin, and a list holds those that the user is a member of."""

    model = Project
    route = "projects"
    permissions = InTenant & AtLeast("viewer", write="admin", create="anyone", list="anyone")
    dump_only = ("project", "archived", "created")
    required = ("name",)
    field_permissions = {"budget": {"write": AtLeast("admin", create="anyone")}}
    members = Member
    calls = {Member: "PutItem", Member.by_user: "Query", Project: "BatchGetItem"}

    def create(self, req, user):
        """The project and its admin, both or none."""
        project = new_id()
        member = {"project": project, "user": user.uuid, "tenant": req["tenant"], "role": "admin"}
        with self.store.transaction() as write:
            write.create(self.members, member)
            return write.create(self.model, {**req, "project": project})

    def list(self, user, pagination_key=None, limit=25):
        """A page of memberships, then their projects in one BatchGetItem."""
        tenant = user.claims.get("tenant")
        mine = self.members.by_user.query(
            user.uuid,
            filter_condition=self.members.tenant == tenant,
            last_evaluated_key=pagination_key,
            limit=limit,
        )
        keys = [(tenant, member.project) for member in mine]
        projects = sorted(self.model.batch_get(keys), key=lambda project: project.project)
        return projects, {}, mine.last_evaluated_key

    @action
    def archive(self, instance, user):
        """``POST /projects/{project}/archive``: a mark for clients; what is in the project can still be changed."""
        return self.update(instance, {"archived": True}, user)

    def represent(self, data, instance, request):
        """With the addresses of the project and its tasks."""
        url = self.url_for(instance, request)
        return {**data, "url": url, "tasks": f"{url}/tasks"}


class Members(ModelResource, Create, List, Retrieve, Update, Delete):
    """``/projects/{project}/members``: seen by all of them, changed by admins."""

    model = Member
    route = "projects/{project}/members"
    permissions = InTenant & AtLeast("viewer", write="admin") & NotYourself
    schema = MemberSchema


class Invitations(ModelResource, Create, List, Delete):
    """``/projects/{project}/invitations``: an admin's."""

    model = Invitation
    route = "projects/{project}/invitations"
    permissions = InTenant & AtLeast("admin")
    schema = InvitationSchema

    def create(self, req, user):
        """Signed by the admin."""
        return super().create({**req, "invited_by": user.uuid}, user)


class AlreadyMember(Conflict):
    """The user is a member of the project."""


class MyInvitations(ModelResource, List, Retrieve, Delete):
    """``/invitations``: the user's own, to accept or to decline (delete)."""

    model = Invitation
    route = "invitations"
    permissions = InTenant & OwnedBy("user")
    members = Member
    calls = {Member: ("GetItem", "PutItem")}

    @action(status=201)
    def accept(self, instance, user):
        """``POST /invitations/{project}/accept``: who is a member stays what they are.

        An invitation that is revoked meanwhile gives nothing.
        """
        member = {
            "project": instance.project,
            "user": user.uuid,
            "tenant": instance.tenant,
            "role": instance.role,
        }
        try:
            with self.store.transaction() as write:
                write.create(self.members, member, otherwise=AlreadyMember)
                write.delete(instance)
        except AlreadyMember:
            self.store.delete(instance)
            member["role"] = self.members.get(instance.project, user.uuid, consistent_read=True).role
        return member


class Tasks(ModelResource, Create, List, Retrieve, Update, Delete):
    """``/projects/{project}/tasks``."""

    model = Task
    route = "projects/{project}/tasks"
    permissions = InTenant & AtLeast("viewer", write="member", delete="admin")
    dump_only = ("task", "status", "assignee", "created", "closed")
    filters = {"status": "eq", "assignee": "eq", "due": ("lt", "gte", "between"), "labels": "contains"}
    field_permissions = {"estimate": AtLeast("member")}
    members = Member
    calls = {Member: "GetItem", Task.by_status: "Query"}

    @action(schema=Assignment)
    def assign(self, instance, req, user):
        """``POST …/assign``: to a member of the project, or with null to nobody."""
        if req["assignee"] not in (None, user.uuid):  # the user is a member: that is the rule
            self._check_member(instance.project, req["assignee"])
        return self.update(instance, req, user)

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

    def _check_member(self, project, user):
        try:
            self.members.get(project, user)
        except self.members.DoesNotExist:
            error = {"pointer": "#/assignee", "detail": "Not a member of the project."}
            raise Unprocessable("The assignee is no member.", errors=[error]) from None


class MyTasks(ModelResource, List):
    """``/me/tasks``: what is assigned to the user, in all projects of the tenant."""

    model = Task
    route = "me/tasks"
    permissions = InTenant & OwnedBy("assignee")
    filters = {"status": "eq", "due": ("lt", "gte", "between")}
    exclude = ("estimate",)  # members alone may read it, and this path names no project


class Comments(ModelResource, Create, List, Retrieve, Update, Delete):
    """``/projects/{project}/tasks/{task}/comments``: changed by their authors and by admins."""

    model = Comment
    route = "projects/{project}/tasks/{task}/comments"
    permissions = (
        InTenant & AtLeast("viewer", write="member") & (ReadOnly() | OwnedBy("author") | AtLeast("admin"))
    )
    dump_only = ("comment", "author", "created")
    required = ("text",)
    tasks = Task
    calls = {Task: "GetItem"}

    def create(self, req, user):
        """Only on a task that there is, in this project."""
        self.tasks.get(req["project"], req["task"])  # or it raises, which is a 404
        return super().create(req, user)


RESOURCES = (Tenants, Projects, Members, Invitations, MyInvitations, Tasks, MyTasks, Comments)
