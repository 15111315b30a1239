"""The same API over one table.

A partition holds what is read together: a tenant and its projects, a project with its members and tasks, a task's
comments. The index ``inverted`` turns the keys around, so that it gives a user's memberships and a project's
invitations. Keys are stored behind the kind of item, which nobody sees: paths and bodies are those of many tables.
"""

from pynamodb.attributes import (
    BooleanAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
    VersionAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, LocalSecondaryIndex
from pynamodb.models import Model

from polymicro_lambda import One, OwnedBy, PolyMicro, PrefixedAttribute, Through

from . import models, resources
from .models import in_days, new_id, next_id, now
from .permissions import ROLES, InTenant, NotYourself, at_least, of_tenant


class Table:
    """The ``Meta`` of all."""

    table_name = "tracker"


class Inverted:
    """The ``Meta`` of an index whose partition is the table's sort key, and the other way around."""

    index_name = "inverted"
    projection = AllProjection()


def partition(prefix, **options):
    """The table's partition key, of one kind."""
    return PrefixedAttribute(prefix, attr_name="pk", **options)


def place(prefix, **options):
    """The table's sort key, of one kind."""
    return PrefixedAttribute(prefix, attr_name="sk", **options)


class Tenant(Model):
    """An organisation, in the partition of its projects."""

    class Meta(Table):
        pass

    tenant = partition("TENANT#", hash_key=True)
    itself = place("TENANT#", range_key=True)
    name = UnicodeAttribute()
    plan = UnicodeAttribute(default="free")


class Project(Model):
    """A project of a tenant."""

    class Meta(Table):
        pass

    tenant = partition("TENANT#", hash_key=True)
    project = place("PROJECT#", range_key=True, default=new_id)
    name = UnicodeAttribute()
    budget = NumberAttribute(null=True)
    archived = BooleanAttribute(default=False)
    created = UTCDateTimeAttribute(default=now)
    version = VersionAttribute()


class ByUser(GlobalSecondaryIndex):
    """The projects that a user is a member of."""

    class Meta(Inverted):
        pass

    user = place("MEMBER#", hash_key=True)
    project = partition("PROJECT#", range_key=True)


class Member(Model):
    """A user's role in a project."""

    class Meta(Table):
        pass

    project = partition("PROJECT#", hash_key=True)
    user = place("MEMBER#", range_key=True)
    tenant = UnicodeAttribute()
    role = UnicodeAttribute()
    since = UTCDateTimeAttribute(default=now)
    by_user = ByUser()


class ByProject(GlobalSecondaryIndex):
    """Who is invited to a project."""

    class Meta(Inverted):
        pass

    project = place("INVITATION#", hash_key=True)
    user = partition("USER#", range_key=True)


class Invitation(Model):
    """A role in a project that a user may take, for a week."""

    class Meta(Table):
        pass

    user = partition("USER#", hash_key=True)
    project = place("INVITATION#", range_key=True)
    tenant = UnicodeAttribute()
    role = UnicodeAttribute()
    invited_by = UnicodeAttribute()
    expires = TTLAttribute(default=in_days(7))
    by_project = ByProject()


class ByStatus(LocalSecondaryIndex):
    """A project's tasks by status."""

    class Meta:
        index_name = "by_status"
        projection = AllProjection()

    project = partition("PROJECT#", hash_key=True)
    status = UnicodeAttribute(range_key=True)


class ByDue(LocalSecondaryIndex):
    """A project's tasks by the day when they are due."""

    class Meta:
        index_name = "by_due"
        projection = AllProjection()

    project = partition("PROJECT#", hash_key=True)
    due = UTCDateTimeAttribute(range_key=True)


class Task(Model):
    """Something to do in a project."""

    class Meta(Table):
        pass

    project = partition("PROJECT#", hash_key=True)
    task = place("TASK#", range_key=True, default=next_id)
    tenant = UnicodeAttribute()
    title = UnicodeAttribute()
    status = UnicodeAttribute(default="open")
    assignee = UnicodeAttribute(null=True)
    due = UTCDateTimeAttribute(default=in_days(14))
    estimate = NumberAttribute(null=True)
    labels = UnicodeSetAttribute(null=True)
    created = UTCDateTimeAttribute(default=now)
    closed = UTCDateTimeAttribute(null=True)
    version = VersionAttribute()
    by_status = ByStatus()
    by_due = ByDue()
    by_assignee = models.ByAssignee()


class Comment(Model):
    """A remark on a task."""

    class Meta(Table):
        pass

    task = partition("TASK#", hash_key=True)
    comment = place("COMMENT#", range_key=True, default=next_id)
    project = UnicodeAttribute()
    tenant = UnicodeAttribute()
    author = UnicodeAttribute()
    text = UnicodeAttribute()
    created = UTCDateTimeAttribute(default=now)


OURS = of_tenant(Project)
VIEWERS, MEMBERS, ADMINS = (at_least(role, Member) for role in ROLES)
ON_TASK = Through(Task, {"project": "project", "task": "task"})


class Tenants(resources.Tenants):
    """Both keys are the tenant."""

    model = Tenant
    permissions = InTenant & OwnedBy("itself", claim="tenant")
    exclude = ("itself",)


class Projects(resources.Projects):
    """``/projects``."""

    model = Project
    members = Member
    permissions = {"create": InTenant, "retrieve": InTenant & VIEWERS, "*": InTenant & ADMINS}


class MyProjects(resources.MyProjects):
    """``GET /projects``."""

    model = Member
    embed = {"project": One(Projects, {"tenant": "tenant", "project": "project"}, always=True)}


class Members(resources.Members):
    """``/projects/{project}/members``."""

    model = Member
    permissions = {"list": OURS & VIEWERS, "retrieve": OURS & VIEWERS, "*": OURS & ADMINS & NotYourself}


class Invitations(resources.Invitations):
    """``/projects/{project}/invitations``."""

    model = Invitation
    permissions = OURS & ADMINS


class MyInvitations(resources.MyInvitations):
    """``/invitations``."""

    model = Invitation
    members = Member


class Tasks(resources.Tasks):
    """``/projects/{project}/tasks``."""

    model = Task
    members = Member
    permissions = {
        **dict.fromkeys(("list", "retrieve", "count"), OURS & VIEWERS),
        "delete": OURS & ADMINS,
        "*": OURS & MEMBERS,
    }
    field_permissions = {"estimate": MEMBERS}


class MyTasks(resources.MyTasks):
    """``/me/tasks``."""

    model = Task
    permissions = InTenant & OwnedBy("assignee") & VIEWERS
    field_permissions = {"estimate": MEMBERS}


class Comments(resources.Comments):
    """``/projects/{project}/tasks/{task}/comments``."""

    model = Comment
    permissions = {
        **dict.fromkeys(("list", "retrieve"), OURS & VIEWERS & ON_TASK),
        "create": OURS & MEMBERS & ON_TASK & OwnedBy("author"),
        "*": OURS & MEMBERS & ON_TASK & (OwnedBy("author") | ADMINS),
    }


pm = PolyMicro(default_permissions=InTenant)
for resource in (
    Tenants,
    Projects,
    MyProjects,
    Members,
    Invitations,
    MyInvitations,
    Tasks,
    MyTasks,
    Comments,
):
    resource(pm)
handler = pm.compile()
