"""What NetworkPolicies let through, as Kubernetes defines it.

A pod that a policy of a direction selects is shut in that direction, but for what some policy allows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

Json = dict[str, Any]
HERE = "videos"
"""The namespace of the release, and so of its policies."""

NAMESPACE = "kubernetes.io/metadata.name"


@dataclass(frozen=True)
class End:
    """A pod by its labels and namespace, or, without a namespace, an address outside the cluster."""

    name: str
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def may_speak(policies: Iterable[Json], source: End, target: End, port: int, protocol: str = "TCP") -> bool:
    def lets(way: str, peers: str, guarded: End, other: End) -> bool:
        concerned = [
            policy["spec"]
            for policy in policies
            if guarded.namespace == HERE
            and way in policy["spec"]["policyTypes"]
            and _selects(policy["spec"]["podSelector"], guarded.labels)
        ]
        return not concerned or any(
            _port_fits(rule.get("ports"), port, protocol, target)
            and (not rule.get(peers) or any(_peer_fits(peer, other) for peer in rule[peers]))
            for spec in concerned
            for rule in spec.get(way.lower()) or []
        )

    return lets("Egress", "to", source, target) and lets("Ingress", "from", target, source)


def _selects(selector: Json, labels: Mapping[str, str]) -> bool:
    assert set(selector) <= {"matchLabels"}, "write the rest of label selectors when the chart uses it"
    return selector.get("matchLabels", {}).items() <= labels.items()


def _port_fits(ports: list[Json] | None, port: int, protocol: str, listening: End) -> bool:
    return not ports or any(
        one.get("protocol", "TCP") == protocol and listening.ports.get(one["port"], one["port"]) == port
        for one in ports
    )


def _peer_fits(peer: Json, other: End) -> bool:
    if "ipBlock" in peer:
        block = peer["ipBlock"]
        return not other.namespace and _within(other.name, block["cidr"], block.get("except", []))
    if "namespaceSelector" in peer:
        here = _selects(peer["namespaceSelector"], {NAMESPACE: other.namespace}) and bool(other.namespace)
    else:
        here = other.namespace == HERE
    return here and _selects(peer.get("podSelector", {}), other.labels)


def _within(address: str, network: str, but: list[str]) -> bool:
    return ip_address(address) in ip_network(network) and not any(ip_address(address) in ip_network(one) for one in but)
