"""Openapi."""

from .document import openapi
from .gateway_models import body_model
from .pages import DOCUMENT, PAGE, Documentation

__all__ = [
    "DOCUMENT",
    "PAGE",
    "Documentation",
    "body_model",
    "openapi",
]
