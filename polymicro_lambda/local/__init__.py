"""Local."""

from .gateway import SOURCES
from .wsgi import Wsgi

__all__ = [
    "SOURCES",
    "Wsgi",
]
