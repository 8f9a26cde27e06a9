"""Where a message may be sent: which addresses are inside, in any clothes, and which texts are addresses at all."""

from ipaddress import ip_address, ip_network

import pytest

from retake_api.posting import Target, permitted


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "::", "::1", "fe80::1", "fc00::1", "ff02::1", "::ffff:10.0.0.1", "2002:7f00:1::",
        "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    ],
)  # fmt: skip
def test_no_address_inside_is_permitted_in_any_clothes(text: str) -> None:
    assert not permitted(ip_address(text), [])


@pytest.mark.parametrize("text", ["1.1.1.1", "2606:4700::1111", "64:ff9b::101:101"])
def test_public_addresses_are_permitted(text: str) -> None:
    assert permitted(ip_address(text), [])


def test_a_network_that_is_named_is_permitted_and_no_other() -> None:
    networks = [ip_network("10.1.0.0/16")]

    assert permitted(ip_address("10.1.2.3"), networks)
    assert permitted(ip_address("::ffff:10.1.2.3"), networks)
    assert not permitted(ip_address("10.2.2.3"), networks)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/", "example.com", "https://", "https://user:secret@example.com/", "https://example.com/#a",
        "https://example.com/ x", "https://exämple.com/", "https://example.com:99999/", "https://example.com/\r\nX: y",
        "https://example.com/" + "a" * 2000,
    ],
)  # fmt: skip
def test_what_is_no_address_for_webhooks_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"must|Port"):
        Target.of(url)
