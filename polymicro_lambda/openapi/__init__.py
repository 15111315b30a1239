"""Openapi."""

from .document import openapi
from .gateway_models import body_model
from .pages import DOCUMENT, Documentation
from .swagger_ui import PAGE_TEMPLATE

__all__ = [
    "DOCUMENT",
    "PAGE_TEMPLATE",
    "Documentation",
    "body_model",
    "openapi",
]
