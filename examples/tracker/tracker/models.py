"""What is stored: a table for each kind of item. Every item says whose tenant it is of."""

import time
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from uuid import uuid4

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


def new_id():
    """An id that nobody can guess."""
    return str(uuid4())


def next_id():
    """An id that sorts by time: microseconds in hexadecimal, and what tells two of the same one apart."""
    return f"{time.time_ns() // 1000:014x}-{token_hex(4)}"


def now():
    """The time, in UTC."""
    return datetime.now(UTC)


def in_days(days):
    """A default: so many days from when an item is made."""
    return lambda: now() + timedelta(days=days)


class Tenant(Model):
    """An organisation."""

    class Meta:
        table_name = "tracker-tenants"

    tenant = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute()
    plan = UnicodeAttribute(default="free")


class Project(Model):
    """A project of a tenant."""

    class Meta:
        table_name = "tracker-projects"

    tenant = UnicodeAttribute(hash_key=True)
    project = UnicodeAttribute(range_key=True, default=new_id)
    name = UnicodeAttribute()
    budget = NumberAttribute(null=True)
    archived = BooleanAttribute(default=False)
    created = UTCDateTimeAttribute(default=now)
    version = VersionAttribute()


class ByUser(GlobalSecondaryIndex):
    """The projects that a user is a member of."""

    class Meta:
        index_name = "by_user"
        projection = AllProjection()

    user = UnicodeAttribute(hash_key=True)
    project = UnicodeAttribute(range_key=True)


class Member(Model):
    """A user's role in a project."""

    class Meta:
        table_name = "tracker-members"

    project = UnicodeAttribute(hash_key=True)
    user = UnicodeAttribute(range_key=True)
    tenant = UnicodeAttribute()
    role = UnicodeAttribute()
    since = UTCDateTimeAttribute(default=now)
    by_user = ByUser()


class ByProject(GlobalSecondaryIndex):
    """Who is invited to a project."""

    class Meta:
        index_name = "by_project"
        projection = AllProjection()

    project = UnicodeAttribute(hash_key=True)
    user = UnicodeAttribute(range_key=True)


class Invitation(Model):
    """A role in a project that a user may take, for a week."""

    class Meta:
        table_name = "tracker-invitations"

    user = UnicodeAttribute(hash_key=True)
    project = UnicodeAttribute(range_key=True)
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

    project = UnicodeAttribute(hash_key=True)
    status = UnicodeAttribute(range_key=True)


class ByDue(LocalSecondaryIndex):
    """A project's tasks by the day when they are due."""

    class Meta:
        index_name = "by_due"
        projection = AllProjection()

    project = UnicodeAttribute(hash_key=True)
    due = UTCDateTimeAttribute(range_key=True)


class ByAssignee(GlobalSecondaryIndex):
    """A user's tasks in all projects, by the day when they are due."""

    class Meta:
        index_name = "by_assignee"
        projection = AllProjection()

    assignee = UnicodeAttribute(hash_key=True)
    due = UTCDateTimeAttribute(range_key=True)


class Task(Model):
    """Something to do in a project."""

    class Meta:
        table_name = "tracker-tasks"

    project = UnicodeAttribute(hash_key=True)
    task = UnicodeAttribute(range_key=True, default=next_id)
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
    by_assignee = ByAssignee()


class Comment(Model):
    """A remark on a task."""

    class Meta:
        table_name = "tracker-comments"

    task = UnicodeAttribute(hash_key=True)
    comment = UnicodeAttribute(range_key=True, default=next_id)
    project = UnicodeAttribute()
    tenant = UnicodeAttribute()
    author = UnicodeAttribute()
    text = UnicodeAttribute()
    created = UTCDateTimeAttribute(default=now)
