"""The client's address, as API Gateway gives it: never from a header, which clients can write."""

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address
from typing import Any

from polymicro_lambda.http import Request

NETWORK = 64
"""Bits of an IPv6 address that name one customer, who chooses the rest (RFC 6177, section 2)."""


def client_address(request: Request) -> str:
    """The address of the connection to API Gateway or the function URL, of IPv6 its network; empty where none is known.

    Behind a load balancer none is: only a header has the address there, to which clients can add.
    """
    context = request.event.get("requestContext")
    sources = [_mapping(context, name).get("sourceIp") for name in ("http", "identity")]
    text = next((source for source in sources if isinstance(source, str)), "")
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Address(int(address) >> 128 - NETWORK << 128 - NETWORK))


def _mapping(context: Any, name: str) -> Mapping[str, Any]:
    member = context.get(name) if isinstance(context, Mapping) else None
    return member if isinstance(member, Mapping) else {}
