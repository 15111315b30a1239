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

from polymicro_lambda import OwnedBy, PolyMicro, PrefixedAttribute, ReadOnly

from . import models, permissions, resources
from .models import in_days, new_id, next_id, now
from .permissions import InTenant, NotYourself


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


class AtLeast(permissions.AtLeast):
    """As over many tables, with the members of this one."""

    members = Member
    calls = {Member: "GetItem"}


class Tenants(resources.Tenants):
    """Both keys are the tenant."""

    model = Tenant
    permissions = InTenant & OwnedBy("itself", claim="tenant")
    exclude = ("itself",)


class Projects(resources.Projects):
    """``/projects``."""

    model = Project
    members = Member
    calls = {Member: "PutItem", Member.by_user: "Query", Project: "BatchGetItem"}
    permissions = InTenant & AtLeast("viewer", write="admin", create="anyone", list="anyone")
    field_permissions = {"budget": {"write": AtLeast("admin", create="anyone")}}


class Members(resources.Members):
    """``/projects/{project}/members``."""

    model = Member
    permissions = InTenant & AtLeast("viewer", write="admin") & NotYourself


class Invitations(resources.Invitations):
    """``/projects/{project}/invitations``."""

    model = Invitation
    permissions = InTenant & AtLeast("admin")


class MyInvitations(resources.MyInvitations):
    """``/invitations``."""

    model = Invitation
    members = Member
    calls = {Member: ("GetItem", "PutItem")}


class Tasks(resources.Tasks):
    """``/projects/{project}/tasks``."""

    model = Task
    members = Member
    calls = {Member: "GetItem", Task.by_status: "Query"}
    permissions = InTenant & AtLeast("viewer", write="member", delete="admin")
    field_permissions = {"estimate": AtLeast("member")}


class MyTasks(resources.MyTasks):
    """``/me/tasks``."""

    model = Task


class Comments(resources.Comments):
    """``/projects/{project}/tasks/{task}/comments``."""

    model = Comment
    tasks = Task
    calls = {Task: "GetItem"}
    permissions = (
        InTenant & AtLeast("viewer", write="member") & (ReadOnly() | OwnedBy("author") | AtLeast("admin"))
    )


pm = PolyMicro(default_permissions=InTenant)
for resource in (Tenants, Projects, Members, Invitations, MyInvitations, Tasks, MyTasks, Comments):
    resource(pm)
handler = pm.compile()
