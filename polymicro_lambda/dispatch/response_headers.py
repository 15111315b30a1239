"""Headers as a whole: what every answer says, and how much of them the gateways carry."""

from collections.abc import Mapping

from polymicro_lambda.observability import report_error

ALWAYS = {"x-content-type-options": "nosniff", "cache-control": "no-store"}
"""On every response that does not say otherwise: what an API gives is for its user alone."""
LARGEST = 8192
"""Bytes of all headers of an answer. API Gateway takes 10,240 (its quotas, "Total combined size of all header values")
and adds some of its own; more than that is its own 500, without a word of what was done."""
LONGEST = 6000
"""Characters of one header that this package makes itself: the others need room too."""
_BETWEEN = len(": \r\n")


def fitting_headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers, without the largest of them where all are more than a gateway carries; that is logged."""
    size = len("".join([*headers, *headers.values()])) + len(headers) * _BETWEEN
    if size <= LARGEST:
        return headers
    sizes = {name: len(name) + len(value) + _BETWEEN for name, value in headers.items()}
    excess, kept = size - LARGEST, dict(headers)
    for name in sorted(sizes, key=sizes.__getitem__, reverse=True):
        if excess > 0:
            del kept[name]
            excess -= sizes[name]
            report_error("A header of an answer was too large, and was left out: %a", name[:50])
    return kept
