"""Routing."""

from .compiler import compile_routes
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
]
