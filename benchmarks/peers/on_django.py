"""The Todo API on Django REST Framework by apig-wsgi: its serializers, over PynamoDB."""

from collections.abc import Callable
from datetime import UTC
from typing import Any

import django
import todos
from apig_wsgi import make_lambda_handler
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["*"],
    DEFAULT_CHARSET="utf-8",
    MIDDLEWARE=[],
    ROOT_URLCONF="on_django",
    SECRET_KEY="benchmark",  # noqa: S106 - it guards nothing
    USE_TZ=True,
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
        "DEFAULT_PERMISSION_CLASSES": [],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "EXCEPTION_HANDLER": "on_django.answer",
        "UNAUTHENTICATED_USER": None,
    },
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402 - settings come first
from django.urls import path  # noqa: E402 - as above
from rest_framework import serializers  # noqa: E402 - as above
from rest_framework.authentication import BaseAuthentication  # noqa: E402 - as above
from rest_framework.permissions import BasePermission  # noqa: E402 - as above
from rest_framework.response import Response  # noqa: E402 - as above
from rest_framework.views import APIView, exception_handler  # noqa: E402 - as above


class Authorizer(BaseAuthentication):
    """Takes the user from API Gateway's authorizer."""

    def authenticate(self, request: Any) -> tuple[Any, None] | None:
        """The authorizer's context as the user."""
        context = request.META["apig_wsgi.request_context"].get("authorizer")
        return (context, None) if context else None

    def authenticate_header(self, request: Any) -> str:
        """What a 401 asks for."""
        return "Bearer"


class HasRole(BasePermission):
    """One of the roles."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """Notes the owner where the user has one."""
        if not request.user:
            return False
        request.owner = todos.owner_of(request.user)
        return True


class Text(serializers.CharField):
    """A text, which a number is not."""

    def to_internal_value(self, data: Any) -> str:
        """The text."""
        if not isinstance(data, str):
            self.fail("invalid")
        return data


class Time(serializers.DateTimeField):
    """A time with a zone."""

    def enforce_timezone(self, value: Any) -> Any:
        """The time."""
        if value.tzinfo is None:
            self.fail("invalid", format="with a zone")
        return value


class TodoSerializer(serializers.Serializer):
    """A todo's JSON; what it does not know, it refuses."""

    owner = serializers.CharField(read_only=True)
    uuid = serializers.CharField(read_only=True)
    creation_date_time = serializers.DateTimeField(read_only=True)
    text = Text()
    done = serializers.BooleanField(required=False)
    due_date_time = Time(required=False, allow_null=True, default_timezone=UTC)

    def to_internal_value(self, data: Any) -> Any:
        """The values of a body."""
        if not {name for name, field in self.fields.items() if not field.read_only}.issuperset(data):
            raise serializers.ValidationError({"unknown": "field"})
        return super().to_internal_value(data)

    def create(self, validated_data: Any) -> Any:
        """A new todo."""
        return todos.create_todo(self.context["request"].owner, validated_data)

    def update(self, instance: Any, validated_data: Any) -> Any:
        """The changed todo."""
        owner, uuid = instance
        return todos.update_todo(owner, uuid, validated_data)


def answer(error: Exception, context: Any) -> Response | None:
    """The answer to a refused request."""
    if isinstance(error, serializers.ValidationError):
        return Response({"errors": error.detail}, 422)
    if isinstance(error, todos.Refused):
        return Response({"status": error.status}, error.status)
    return exception_handler(error, context)


class Guarded(APIView):
    """What needs a user with a role."""

    authentication_classes = (Authorizer,)
    permission_classes = (HasRole,)


class Todos(Guarded):
    """``/todo``."""

    def get(self, request: Any) -> Response:
        """The user's todos."""
        found, last = todos.list_todos(request.owner, request.query_params)
        return Response({"items": TodoSerializer(found, many=True).data, "pagination_key": last})

    def post(self, request: Any) -> Response:
        """A new todo."""
        serializer = TodoSerializer(data=request.data, context={"request": request})
        serializer.is_valid(raise_exception=True)
        serializer.save()
        return Response(serializer.data, 201)


class OneTodo(Guarded):
    """``/todo/{uuid}``."""

    def get(self, request: Any, uuid: str) -> Response:
        """A todo."""
        return Response(TodoSerializer(todos.retrieve_todo(request.owner, uuid)).data)

    def patch(self, request: Any, uuid: str) -> Response:
        """A changed todo."""
        serializer = TodoSerializer((request.owner, uuid), data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        serializer.save()
        return Response(serializer.data)

    def delete(self, request: Any, uuid: str) -> Response:
        """No todo any more."""
        todos.delete_todo(request.owner, uuid)
        return Response(status=204)


class Answer(APIView):
    """A resource that answers at once."""

    def get(self, request: Any, uuid: str) -> Response:
        """What the path says."""
        return Response({"uuid": uuid})


urlpatterns = [path("todo", Todos.as_view()), path("todo/<uuid>", OneTodo.as_view())]


def make() -> Callable[[Any, Any], Any]:
    """The handler."""
    return make_lambda_handler(get_wsgi_application())


def grown(count: int) -> Callable[[Any, Any], Any]:
    """A handler of this many resources, each with one verb that answers at once."""
    urlpatterns[:] = [path(f"r{number}/<uuid>", Answer.as_view()) for number in range(count)]
    return make()
