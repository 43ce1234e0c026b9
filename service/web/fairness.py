"""Who may ask how much: each key its rate, each address its tries, each community its share of the threads.

Comes in: a request whose key was looked up. Goes out: nothing, or `TooManyRequests` with the seconds to wait.
"""

import hashlib
import re
from ipaddress import IPv6Address, IPv6Network, ip_address

from flask import request

from service.errors import TooManyRequests
from service.records import Access
from service.web.state import parts

# Where a server with shares (service/serving/lanes.py) says how to claim one for the request's community.
CLAIM = "kith.claim_share"
SHARE_SECONDS = 1.0
ADDRESSES = "addresses"
UNKNOWN = "unknown"
_PORT = re.compile(r"(?:\[([^\]]{1,60})\]|([0-9.]{7,15})):[0-9]{1,5}")
HOUSEHOLD_BITS = 64  # of an IPv6 address, all below are one customer's own


def check_limits(found: Access, *, refuse: bool) -> None:
    """Count a request with a key in force; where its key or its community has had its share, raise."""
    has_share = _claim_share(found.community.number)
    if refuse:
        _count(found.community.number, found.key.id, has_share)


def check_feed(community: int, name: str) -> None:
    """Count a reading of a member's calendar; where it or its community has had its share, raise."""
    _count(community, name, _claim_share(community))


def _claim_share(community: int) -> bool:
    claim = request.environ.get(CLAIM)
    return claim is None or claim(community)


def _count(community: int, name: str, has_share: bool) -> None:
    if not has_share:
        raise TooManyRequests(SHARE_SECONDS, "This community has as many requests at work as it may have.")
    wait = parts().limiter.of(str(community)).take(name)
    if wait is not None:
        raise TooManyRequests(wait)


def check_address() -> None:
    """Count a call without a key in force; raise where its address has made too many."""
    address = address_digest(request.remote_addr or "")
    wait = parts().limiter.of(ADDRESSES).take(address)
    if wait is not None:
        raise TooManyRequests(wait, "Too many calls without a key in force came from this address.")


def address_digest(text: str) -> str:
    """Return what a client's address is counted under; no address itself stands in Redis."""
    return "address_" + hashlib.sha256(f"kith address {_household(text)}".encode()).hexdigest()[:32]


def _household(text: str) -> str:
    # What is no address counts as one and the same: a client may have made it up.
    found = _PORT.fullmatch(text)
    try:
        address = ip_address((found[1] or found[2]) if found else text)
    except ValueError:
        return UNKNOWN
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or IPv6Network((int(address), HOUSEHOLD_BITS), strict=False))
    return str(address)
