"""Routing."""

from .compiler import compile_routes
from .router import Match, Router
from .routes import Route, models_of
from .verbs import action

__all__ = [
    "Match",
    "Route",
    "Router",
    "action",
    "compile_routes",
    "models_of",
]
