"""Addresses that a webhook may lead to: public ones, whatever form they are written in.

In: a URL or an IP address. Out: whether it is refused. What is not known to be public is refused; IPv4 inside
IPv6 (mapped, NAT64) counts as the IPv4 that it leads to.
"""

import ipaddress
import re
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import urlsplit

_NOT_PUBLIC_V4 = [
    IPv4Network(block)
    for block in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
]  # fmt: skip
_PUBLIC_V6 = IPv6Network("2000::/3")
# Protocols (Teredo among them), documentation, and 6to4, whose relays lead to any IPv4 address.
_NOT_PUBLIC_V6 = [IPv6Network(block) for block in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]
_NAT64 = IPv6Network("64:ff9b::/96")
# What one's own network is made of. Link-local addresses are not: clouds keep their machines' secrets there.
_OWN = [
    ipaddress.ip_network(block)
    for block in (
        "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
        "::1/128", "fc00::/7",
    )
]  # fmt: skip
_NUMERIC = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)\.?")


def is_refused(address: str, *, private: bool) -> bool:
    """Tell whether nothing may be sent to this IP address; `private` allows one's own networks."""
    try:
        inner = _inner(ipaddress.ip_address(address))
    except ValueError:
        return True
    return not (_is_public(inner) or (private and any(inner in network for network in _OWN)))


def _inner(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_V4)
    return address in _PUBLIC_V6 and not any(address in network for network in _NOT_PUBLIC_V6)


def is_refused_literally(url: str, *, private: bool) -> bool:
    """Tell whether a URL's host is an address, in any form, that is refused; names are looked up later."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    if ":" in host:
        return is_refused(host, private=private)
    if host == "localhost" or host.endswith(".localhost"):
        return not private
    if not _NUMERIC.fullmatch(host):
        return False
    try:
        # As resolvers read them: 127.1, 0x7f.1, 2130706433.
        return is_refused(socket.inet_ntoa(socket.inet_aton(host)), private=private)
    except OSError:
        return True
