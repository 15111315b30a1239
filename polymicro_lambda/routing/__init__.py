"""Resources become routes.

In come the registered resources and what the app says for all of them; out goes ``tuple[Route, ...]``, the one form
in which everything about an API is known, and the ``Router`` that finds the routes of a path. All of it happens when
the app compiles: it needs neither network nor credentials, and names class and attribute of every mistake.

``compiler`` makes the routes. ``declarations`` reads one resource, each word of it in a file of ``declared``;
``verbs`` has the five verbs and ``@action``, ``embeds`` ``One`` and ``Many``, by which resources embed one another.
``checks`` refuses what would go wrong in silence. ``routes`` has the ``Route``, ``router`` the tree of paths,
``authorization`` which routes an authorizer stands before.
"""

from .app_settings import AppSettings
from .authorization import Authorization, asks_who, authorization_of, is_open, is_same_for_all
from .checks.reserved_keys import reserve_paths
from .compiler import compile_routes, models_of, stores_of
from .declared.declared_calls import Call
from .declared.declared_forms import BODILESS, Answer, query_fields, several_of
from .declared.soft_deletes import DELETED
from .embed import Embed
from .embeds import EMBED, Many, One
from .router import Match, Router
from .routes import Route
from .verbs import action

__all__ = [
    "BODILESS",
    "DELETED",
    "EMBED",
    "Answer",
    "AppSettings",
    "Authorization",
    "Call",
    "Embed",
    "Many",
    "Match",
    "One",
    "Route",
    "Router",
    "action",
    "asks_who",
    "authorization_of",
    "compile_routes",
    "is_open",
    "is_same_for_all",
    "models_of",
    "query_fields",
    "reserve_paths",
    "several_of",
    "stores_of",
]
