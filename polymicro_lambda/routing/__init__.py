"""Resources become routes.

In come the registered resources and what the app says for all of them; out goes ``tuple[Route, ...]``, the one form
in which everything about an API is known, and the ``Router`` that finds the routes of a path. All of it happens when
the app compiles: it needs neither network nor credentials, and names class and attribute of every mistake.

``compiler`` makes the routes. ``declarations`` reads one resource, with ``signatures`` for its methods and its path,
``verbs`` for the five verbs and ``@action``, ``idempotent_verbs`` and ``declared_calls`` for these two settings.
``declaration_checks`` and ``permission_checks`` refuse what would go wrong in silence. ``routes`` has the ``Route``,
``router`` the tree of paths, ``reserved_keys`` the keys whose paths would be other routes.
"""

from .compiler import compile_routes, stores_of
from .declarations import AppSettings
from .router import Match, Router
from .routes import Route, models_of
from .verbs import action

__all__ = [
    "AppSettings",
    "Match",
    "Route",
    "Router",
    "action",
    "compile_routes",
    "models_of",
    "stores_of",
]
