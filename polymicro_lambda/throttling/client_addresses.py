"""Where a request comes from, as the gateway itself has seen it: no header says it, which clients can write."""

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address
from typing import Any

from polymicro_lambda.http import Request

NETWORK = 64
"""Bits of an IPv6 address that are one customer's: the rest is his to choose (RFC 6177, section 2)."""


def client_address(request: Request) -> str:
    """The address of the connection to API Gateway or the function URL, of IPv6 its network; empty where none is known.

    A load balancer tells it by a header alone, to which clients can add.
    """
    context = request.event.get("requestContext")
    places = [_said(context, place) for place in ("http", "identity")]
    text = next((said["sourceIp"] for said in places if isinstance(said.get("sourceIp"), str)), "")
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Address(int(address) >> 128 - NETWORK << 128 - NETWORK))


def _said(context: Any, place: str) -> Mapping[str, Any]:
    found = context.get(place) if isinstance(context, Mapping) else None
    return found if isinstance(found, Mapping) else {}
