"""How many requests of a user an app serves in which time.

In comes a request and the quota of its route; out go the headers that tell the rest of the quota, or 429. Open

- ``rate_limits`` for ``RateLimit``, which an app declares, and for the quotas of its routes;
- ``limiter`` for the counter in DynamoDB, and the windows of time;
- ``client_addresses`` for whose requests those without a user are.
"""

from .limiter import Limiter
from .rate_limits import Rate, RateLimit, rates_of

__all__ = [
    "Limiter",
    "Rate",
    "RateLimit",
    "rates_of",
]
