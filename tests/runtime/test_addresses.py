"""Which URLs may be called for others, as far as the URL says; the rest is looked at where it is called."""

from __future__ import annotations

import pytest

from dispatcher.runtime.addresses import Networks

OURS = Networks("10.0.0.0/8, fd00::/8")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://vendor.example/x?y=z", ""),
        ("https://VENDOR.example:8443/", ""),
        ("https://xn--bcher-kva.example/", ""),
        ("https://1.1.1.1/", ""),
        ("https://[2606:4700::1111]/", ""),
        ("https://10.1.1.1/", ""),
        ("http://10.1.1.1/", ""),
        ("http://[fd00::1]/", ""),
        ("http://inside.example/", ""),  # where its address is one of ours: seen when it is called
        ("https://172.16.0.1/", "no public address"),
        ("http://1.1.1.1/", "https://"),
        ("https://b\u00fccher.example/", "xn--"),
        ("https://vendor.example\\@127.0.0.1/", "a user"),
        ("https://0177.1/", "in disguise"),
        ("https:///x", "no host"),
        ("//x", "https://"),
    ],
)
def test_a_url_is_refused_in_words(url: str, why: str) -> None:
    found = OURS.refusal(url)
    assert (why in found, bool(found)) == (True, bool(why)), found


@pytest.mark.parametrize("text", ["x", "10.0.0.1/8", "10.0.0.0/33", "1.2.3.4,y"])
def test_what_is_no_network_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is no network"):
        Networks.parse(text)


def test_an_address_within_another_counts_as_both() -> None:
    assert OURS.allow("::ffff:10.0.0.1")
    assert not OURS.allow("::ffff:192.168.0.1")
    assert not OURS.allow("64:ff9b::c0a8:1")
    assert not OURS.allow("vendor.example")
