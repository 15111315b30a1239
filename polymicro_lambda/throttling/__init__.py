"""Throttling."""

from .limiter import Limiter
from .rate_limits import Rate, RateLimit, rates_of

__all__ = [
    "Limiter",
    "Rate",
    "RateLimit",
    "rates_of",
]
