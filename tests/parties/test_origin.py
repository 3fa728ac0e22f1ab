from ipaddress import ip_address, ip_network

import pytest
from django.test import RequestFactory

from backend.parties import handsets
from backend.parties.origins import Origin, client_ip, origin_of

DOCUMENTATION = [ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")]


def asked(address="127.0.0.1", **headers):
    return RequestFactory().get("/", REMOTE_ADDR=address, headers=headers)


def test_what_a_caller_says_of_its_address_counts_for_nothing(settings):
    settings.TRUSTED_PROXIES = 0
    assert client_ip(asked("198.18.0.1", **{"X-Forwarded-For": "8.8.8.8"})) == "198.18.0.1"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "found"),
    [
        (1, "8.8.8.8", "8.8.8.8"),
        (1, "6.6.6.6, 8.8.8.8", "8.8.8.8"),
        (2, "6.6.6.6, 8.8.8.8, 10.0.0.2", "8.8.8.8"),
        (2, "8.8.8.8", "10.0.0.1"),
        (1, "junk", None),
        (1, "", None),
    ],
)
def test_behind_proxies_of_ones_own_only_what_they_wrote_counts(settings, proxies, forwarded, found):
    settings.TRUSTED_PROXIES = proxies
    assert client_ip(asked("10.0.0.1", **{"X-Forwarded-For": forwarded})) == found


@pytest.mark.parametrize(
    ("address", "found"), [("", None), ("::ffff:192.0.2.1", "192.0.2.1"), ("2001:DB8::1", "2001:db8::1")]
)
def test_an_address_has_one_form(address, found):
    assert client_ip(asked(address)) == found


def test_the_header_names_a_handset_in_the_demonstration_only(settings):
    settings.DEMO = True
    assert origin_of(asked(**{"X-Handset": "ma-ye"})) == Origin(
        ip="192.0.2.30", network_type="4g", simulated=True, handset="ma-ye"
    )
    assert origin_of(asked(**{"X-Handset": "nobody"})) == Origin(ip="127.0.0.1")
    settings.DEMO = False
    assert origin_of(asked(**{"X-Handset": "ma-ye"}), handset="ma-ye") == Origin(ip="127.0.0.1")


def test_handsets_have_addresses_kept_for_documentation_and_no_two_the_same():
    addresses = [handset.ip for handset in handsets.HANDSETS.values()]
    assert len(set(addresses)) == len(addresses) == 4
    assert all(any(ip_address(address) in network for network in DOCUMENTATION) for address in addresses)


def test_gate_three_is_inside_the_radius_and_the_sellers_office_twelve_kilometres_away():
    from backend.core.geo import distance_m

    def at(place):
        return float(place.latitude), float(place.longitude)

    assert distance_m(at(handsets.GATE_3), at(handsets.GATE_1)) < 300
    assert 11_990 < distance_m(at(handsets.GATE_3), at(handsets.SELLER_OFFICE)) < 12_010


def test_the_listing_shows_no_openid():
    listed = handsets.listing()
    assert [one["id"] for one in listed] == ["chen-li", "su-qing", "ma-ye", "luo-ping"]
    assert "openid" not in str(listed)
    assert all(one["place"] in one["places"] for one in listed)
