"""Users: they register, log in, change their own page, and follow one another."""

from marshmallow import Schema, fields
from marshmallow.validate import Email, Length, Regexp

from polymicro_lambda import (
    AllowAny,
    Create,
    Envelope,
    IsAuthenticated,
    ModelResource,
    OwnedBy,
    Retrieve,
    Update,
    action,
)
from polymicro_lambda.exceptions import NotFound, Unauthorized

from .credentials import NO_HASH, is_password, password_hash, token_of
from .models import Account, Follow

WRONG = "The e-mail address or the password is wrong."


class Login(Schema):
    """Who logs in."""

    user = fields.Nested(
        {"email": fields.String(required=True), "password": fields.String(required=True)}, required=True
    )


class AccountView(ModelResource):
    """A user as the user alone sees it, with a new token."""

    model = Account
    envelope = Envelope(item="user")
    unique = ("email", "username")
    load_only = ("password",)
    exclude = ("id",)
    validators = {
        "email": [Email(), Length(max=200)],
        "username": [Length(1, 50), Regexp("^[A-Za-z0-9_-]*$")],
        "password": Length(1, 200),
    }

    def clean(self, values, instance, user):
        """A hash stands for the password; an address is in small letters, as it is unique."""
        if "password" in values:
            values["password"] = password_hash(values["password"])
        if "email" in values:
            values["email"] = values["email"].lower()

    def represent(self, data, instance, request):
        """With a token."""
        return {**data, "token": token_of(instance.id)}


class Users(AccountView, Create):
    """``POST /api/users`` registers."""

    route = "api/users"
    permissions = AllowAny

    @action(detail=False, schema=Login, responses={401: WRONG})
    def login(self, req):
        """``POST /api/users/login``."""
        email, password = req["user"]["email"], req["user"]["password"]
        try:
            account = self.store.read({"email": email.lower()})
        except NotFound:
            account = None
        if not is_password(password, account.password if account else NO_HASH):
            raise Unauthorized(WRONG)
        return account


class Me(AccountView, Retrieve, Update):
    """``/api/user``: who makes the request."""

    route = "api/user"
    permissions = OwnedBy("id")
    put = "merge"


class Profiles(ModelResource, Retrieve):
    """``/api/profiles/{username}``: a user as others see it."""

    model = Account
    route = "api/profiles"
    envelope = Envelope(item="profile")
    lookup = "username"
    unique = AccountView.unique
    permissions = {"retrieve": AllowAny, "*": IsAuthenticated}
    exclude = ("id", "email", "password")
    calls = {Follow: ("PutItem", "DeleteItem", "BatchGetItem")}

    @action
    def follow(self, instance, user):
        """``POST …/follow``."""
        Follow(user.uuid, instance.id).save()
        return instance

    @action(path="follow", methods=("DELETE",))
    def unfollow(self, instance, user):
        """``DELETE …/follow``."""
        Follow(user.uuid, instance.id).delete()
        return instance

    def prepare(self, instances, request):
        """Find whom of them the user follows."""
        if request.user:
            keys = [(request.user.uuid, account.id) for account in instances]
            found = Follow.batch_get(keys, consistent_read=True)
            request.state["following"] = {follow.author for follow in found}

    def represent(self, data, instance, request):
        """With whether the user follows."""
        return {**data, "following": instance.id in request.state.get("following", ())}
