"""Addresses: what leads into somebody's own network is refused, in whatever form it is written."""

from __future__ import annotations

import pytest

from service.integrations.addresses import is_refused, is_refused_literally

PUBLIC = ["1.1.1.1", "93.184.216.34", "223.255.255.1", "2606:4700::1111", "2a00:1450:4001::5",
          "::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "64:ff9b::808:808"]  # fmt: skip
OWN = ["127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
       "100.64.0.1", "::1", "fc00::1", "fdff::1", "::ffff:127.0.0.1", "::ffff:7f00:1",
       "64:ff9b::127.0.0.1", "64:ff9b::a00:1"]  # fmt: skip
# Refused even where one's own networks are allowed.
NEVER = ["0.0.0.0", "0.1.2.3", "169.254.169.254", "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1",
         "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
         "::", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2001::1", "2001:2::1", "2001:db8::1",
         "2002:7f00:1::", "3fff::1", "5f00::1", "100::1", "64:ff9b:1::1", "::127.0.0.1", "::ffff:0:127.0.0.1",
         "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "no address", ""]  # fmt: skip


@pytest.mark.parametrize(
    ("addresses", "refused", "refused_in_private"),
    [(PUBLIC, False, False), (OWN, True, False), (NEVER, True, True)],
    ids=["public", "own", "never"],
)
def test_an_address_is_refused_by_where_it_leads(
    addresses: list[str], refused: bool, refused_in_private: bool
) -> None:
    assert {one: is_refused(one, private=False) for one in addresses} == dict.fromkeys(addresses, refused)
    assert {one: is_refused(one, private=True) for one in addresses} == dict.fromkeys(
        addresses, refused_in_private
    )


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "127.0.1", "0x7f.1", "0x7f000001", "0X7F.0.0.1", "2130706433", "017700000001",
     "0177.0.0.1", "127.0.0.1.", "localhost", "LOCALHOST", "localhost.", "a.localhost", "[::1]",
     "[::ffff:127.0.0.1]", "[0:0:0:0:0:0:0:1]", "[64:ff9b::7f00:1]", "10.1", "192.168.257"],
)  # fmt: skip
def test_a_host_that_is_an_address_in_any_form_is_refused_as_that_address(host: str) -> None:
    for url in (f"http://{host}/x", f"https://{host}:8443/x"):
        assert is_refused_literally(url, private=False)
        assert not is_refused_literally(url, private=True)


@pytest.mark.parametrize("host", ["1.2.3.4.5", "256.1.1.1", "0x", "a.0x7f", "99999999999", "169.254.43518"])
def test_what_looks_like_an_address_and_is_none_that_may_be_is_always_refused(host: str) -> None:
    assert is_refused_literally(f"http://{host}/", private=True)


@pytest.mark.parametrize(
    "host", ["example.org", "1.1.1.1", "1e1.example", "127.0.0.1.example.org", "xn--bcher-kva.example",
             "[2606:4700::1111]", "localhost.example", "16843009"]
)  # fmt: skip
def test_names_and_public_addresses_are_not(host: str) -> None:
    assert not is_refused_literally(f"https://{host}/", private=False)
