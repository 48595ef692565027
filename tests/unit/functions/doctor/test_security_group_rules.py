from __future__ import annotations

from tests.unit.functions.doctor.account import EVERYTHING_OUT, tcp

from cloud_agent_doctor.network.ingress import judge
from cloud_agent_doctor.network.rules import PeerKind, address_range, allows_egress, group, read_rules

VPC = "10.0.0.0/16"
BALANCER = group("sg-balancer")


def test_each_source_of_a_rule_is_an_opening_of_its_own() -> None:
    permission = tcp(8080, groups=["sg-1"], ranges=["10.0.0.5/24"]) | {
        "Ipv6Ranges": [{"CidrIpv6": "::/0"}],
        "PrefixListIds": [{"PrefixListId": "pl-1"}],
    }
    found = read_rules([permission])
    assert [one.peer.name for one in found] == ["sg-1", "10.0.0.0/24", "::/0", "pl-1"]
    assert {"tcp 8080"} == {one.what for one in found}
    assert PeerKind.PREFIX_LIST is found[3].peer.kind


def test_all_protocols_are_all_ports() -> None:
    (opening,) = read_rules([EVERYTHING_OUT])
    assert opening.admits(8080)
    assert opening.what == "everything"
    assert not opening.is_just(8080, [opening.peer])


def test_the_very_rule_admits_and_nothing_is_beyond_it() -> None:
    ingress = judge(read_rules([tcp(8080, groups=["sg-balancer"])]), [8080], [BALANCER], [], VPC)
    assert (ingress.closed, ingress.instead, ingress.beyond) == ((), (), ())


def test_a_rule_for_another_group_is_named_as_what_is_there_instead() -> None:
    rules = read_rules([tcp(8080, groups=["sg-old"])])
    ingress = judge(rules, [8080], [BALANCER], [], VPC)
    assert ((8080,), rules, ()) == (ingress.closed, ingress.instead, ingress.beyond)


def test_what_the_template_declares_is_not_beyond() -> None:
    rules = read_rules([tcp(8080, groups=["sg-balancer", "sg-declared"])])
    assert judge(rules, [8080], [BALANCER], [group("sg-declared")], VPC).beyond == ()


def test_everything_wider_is_beyond() -> None:
    just = tcp(8080, groups=["sg-balancer"])
    wider = [
        tcp(8080, groups=["sg-other"]),
        tcp(8080, ranges=["10.0.0.0/8"]),
        tcp(8080, ranges=["192.0.2.1/32"]),
        tcp(8000, last=8090, groups=["sg-balancer"]),
        tcp(22, groups=["sg-balancer"]),
        tcp(8080) | {"PrefixListIds": [{"PrefixListId": "pl-1"}]},
        tcp(8080) | {"Ipv6Ranges": [{"CidrIpv6": "::/0"}]},
        EVERYTHING_OUT | {"UserIdGroupPairs": [{"GroupId": "sg-balancer"}], "IpRanges": []},
    ]
    for permission in wider:
        ingress = judge(read_rules([just, permission]), [8080], [BALANCER], [], VPC)
        assert read_rules([permission]) == ingress.beyond


def test_a_range_of_the_vpc_lets_the_source_in_and_one_from_elsewhere_does_not() -> None:
    assert not judge(read_rules([tcp(8080, ranges=["10.0.0.0/8"])]), [8080], [BALANCER], [], VPC).closed
    assert judge(read_rules([tcp(8080, ranges=["192.0.2.0/24"])]), [8080], [BALANCER], [], VPC).closed
    assert judge(read_rules([tcp(443, ranges=["0.0.0.0/0"])]), [8080], [BALANCER], [], VPC).closed


def test_the_way_out_is_by_group_by_range_or_by_a_list_that_is_believed() -> None:
    assert allows_egress([tcp(8080, groups=["sg-proxy"])], 8080, "sg-proxy", VPC)
    assert allows_egress([EVERYTHING_OUT], 8080, "sg-proxy", VPC)
    assert allows_egress([tcp(8080, ranges=["10.0.1.0/24"])], 8080, "sg-proxy", VPC)
    assert allows_egress([tcp(8080) | {"PrefixListIds": [{"PrefixListId": "pl-1"}]}], 8080, "sg-proxy", VPC)
    assert not allows_egress([tcp(8080, groups=["sg-other"])], 8080, "sg-proxy", VPC)
    assert not allows_egress([tcp(3000, groups=["sg-proxy"])], 8080, "sg-proxy", VPC)
    assert not allows_egress([tcp(8080, ranges=["192.168.0.0/16"])], 8080, "sg-proxy", VPC)
    assert not allows_egress([], 8080, "sg-proxy", VPC)


def test_a_range_holds_the_ranges_within_it() -> None:
    assert address_range("0.0.0.0/0").holds("198.51.100.0/24")
    assert not address_range("198.51.100.0/24").holds("0.0.0.0/0")
    assert not address_range("::/0").holds("198.51.100.0/24")
    assert not group("sg-1").holds("198.51.100.0/24")
