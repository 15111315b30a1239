"""Resources become routes.

In come the registered resources and what the app says for all of them; out goes ``tuple[Route, ...]``, the one form
in which everything about an API is known, and the ``Router`` that finds the routes of a path. All of it happens when
the app compiles: it needs neither network nor credentials, and names class and attribute of every mistake.

``compiler`` makes the routes. ``declarations`` reads one resource, with ``signatures`` for its methods and its path,
``verbs`` for the five verbs and ``@action``, ``idempotent_verbs``, ``declared_calls`` and ``soft_deletes`` for
these settings, ``declared_forms`` for what the app says of queries and answers, and
``declared_models`` for the model, or a ``Resource`` without one.
``embeds`` has ``One`` and ``Many``, by which resources embed one another. ``declaration_checks`` and
``permission_checks`` refuse what would go wrong in silence. ``routes`` has the ``Route``, ``router`` the tree of paths,
``reserved_keys`` the keys whose paths would be other routes.
"""

from .compiler import compile_routes, models_of, stores_of
from .declarations import AppSettings
from .declared_calls import Call
from .declared_forms import BODILESS, Answer, query_fields, several_of
from .embed import Embed
from .embeds import EMBED, Many, One
from .reserved_keys import reserve_paths
from .router import Match, Router, is_open
from .routes import Route
from .soft_deletes import DELETED
from .verbs import action

__all__ = [
    "BODILESS",
    "DELETED",
    "EMBED",
    "Answer",
    "AppSettings",
    "Call",
    "Embed",
    "Many",
    "Match",
    "One",
    "Route",
    "Router",
    "action",
    "compile_routes",
    "is_open",
    "models_of",
    "query_fields",
    "reserve_paths",
    "several_of",
    "stores_of",
]
