"""What can be done with it over HTTP, and by whom."""

from polymicro_lambda import Create, Delete, List, ModelResource, OwnedBy, Retrieve, Update, action

from .models import Todo


class TodoResource(ModelResource, Create, List, Retrieve, Update, Delete):
    """``/todos`` and ``/todos/{uuid}``: each user's own, nobody else's."""

    model = Todo
    route = "todos"
    permissions = OwnedBy("owner")
    dump_only = ("created", "uuid")
    filters = {"done": ("eq",)}

    @action()
    def finish(self, instance, user):
        """``POST /todos/{uuid}/finish``."""
        return self.update(instance, {"done": True}, user)
