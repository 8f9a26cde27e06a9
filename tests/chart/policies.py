"""What NetworkPolicies let through, as Kubernetes defines it: a pod that a policy of a direction selects is shut in that
direction, but for what some policy allows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

Json = dict[str, Any]
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
    policies = list(policies)
    return _allows(policies, "Egress", source, target, port, protocol, target) and _allows(
        policies, "Ingress", target, source, port, protocol, target
    )


def _allows(
    policies: list[Json], way: str, guarded: End, other: End, port: int, protocol: str, listening: End
) -> bool:
    concerned = [
        policy
        for policy in policies
        if guarded.namespace == policy["metadata"].get("namespace", "videos")
        and _selects(policy["spec"]["podSelector"], guarded.labels)
        and way in policy["spec"]["policyTypes"]
    ]
    if not concerned:
        return True
    key, peers = ("egress", "to") if way == "Egress" else ("ingress", "from")
    return any(
        _port_fits(rule.get("ports"), port, protocol, listening)
        and (not rule.get(peers) or any(_peer_fits(peer, other, guarded) for peer in rule[peers]))
        for policy in concerned
        for rule in policy["spec"].get(key) or []
    )


def _selects(selector: Json, labels: Mapping[str, str]) -> bool:
    assert set(selector) <= {"matchLabels"}, "write the rest of label selectors when the chart uses it"
    return selector.get("matchLabels", {}).items() <= labels.items()


def _port_fits(ports: list[Json] | None, port: int, protocol: str, listening: End) -> bool:
    return not ports or any(
        one.get("protocol", "TCP") == protocol and listening.ports.get(one["port"], one["port"]) == port
        for one in ports
    )


def _peer_fits(peer: Json, other: End, guarded: End) -> bool:
    if "ipBlock" in peer:
        block = peer["ipBlock"]
        return not other.namespace and _within(other.name, block["cidr"], block.get("except", []))
    if "namespaceSelector" in peer:
        here = _selects(peer["namespaceSelector"], {NAMESPACE: other.namespace}) and bool(other.namespace)
    else:
        here = other.namespace == guarded.namespace
    return here and _selects(peer.get("podSelector", {}), other.labels)


def _within(address: str, network: str, but: list[str]) -> bool:
    return ip_address(address) in ip_network(network) and not any(ip_address(address) in ip_network(one) for one in but)
