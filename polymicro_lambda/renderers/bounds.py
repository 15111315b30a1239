"""The bounds of a body that is no JSON."""

from polymicro_lambda.exceptions import BadRequest
from polymicro_lambda.http import MAX_VALUES


def check_count(values: int) -> None:
    """Raise ``BadRequest`` for more values than a body may hold."""
    if values > MAX_VALUES:
        raise BadRequest(f"The body holds more than {MAX_VALUES} values: send fewer at once.")
