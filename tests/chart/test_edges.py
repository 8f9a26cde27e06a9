"""Who may speak to whom is what the code says: a process reaches what its settings name, and nothing else."""

import ast
from collections.abc import Iterable
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import get_type_hints

import pytest

import retake_api.__main__ as api
import retake_janitor.__main__ as janitor
import retake_worker.__main__ as worker
from chart.policies import End, may_speak
from chart.rendering import COMPONENT, Objects, rendered
from retake import doctor
from retake.settings import Bucket, Nats, Observe, Postgres, Webhooks

POLICY = "NetworkPolicy"
TARGETS = {Postgres: "postgres", Nats: "nats", Bucket: "s3"}
PROGRAMS = {"api": api, "worker": worker, "janitor": janitor}
PORTS = {"postgres": 5432, "nats": 4222, "s3": 9000}
PUBLIC, METADATA, DNS = End("93.184.216.34"), End("169.254.169.254"), End("dns", "kube-system")
MONITORING, KEDA, STRANGER = End("prometheus", "monitoring"), End("operator", "keda"), End("somebody", "elsewhere")


def servers_of(settings: type) -> set[str]:
    return {TARGETS[one] for one in get_type_hints(settings).values() if one in TARGETS}


def wanted() -> set[tuple[str, str, int]]:
    """From the settings of each process."""
    doctors = {name for name in TARGETS.values() if name in doctor.SECTIONS}
    found = {(name, to) for name, program in PROGRAMS.items() for to in servers_of(program.Settings)}
    found |= {("migrate", "postgres"), *(("doctor", to) for to in doctors)}
    return {(who, to, PORTS[to]) for who, to in found} | {("test", "api", 8080)}


def ends(objects: Objects) -> list[End]:
    return [End(pod.component, "videos", pod.labels, pod.ports) for pod in objects.pods]


def open_edges(objects: Objects, sources: Iterable[End], targets: Iterable[End]) -> set[tuple[str, str, int]]:
    policies = objects.of("NetworkPolicy")
    return {
        (str(source), str(target), port)
        for source, target in product(sources, targets)
        if source is not target
        for port in target.ports.values()
        if may_speak(policies, source, target, port)
    }


def outside(objects: Objects, target: End, port: int) -> set[str]:
    """Which components may reach it."""
    policies = objects.of("NetworkPolicy")
    return {str(one) for one in ends(objects) if may_speak(policies, one, target, port)}


def test_the_pods_of_a_release_speak_as_the_code_does_and_no_more() -> None:
    objects = rendered("demo")

    assert open_edges(objects, ends(objects), ends(objects)) == wanted()


def test_from_elsewhere_come_people_and_prometheus() -> None:
    objects = rendered("demo")

    found = open_edges(objects, [MONITORING, KEDA, STRANGER], ends(objects))

    assert found == {
        *((str(who), "api", 8080) for who in (MONITORING, KEDA, STRANGER)),
        ("prometheus", "api", 9090),
        ("prometheus", "worker", 9090),
    }


def test_keda_reaches_the_queue_when_it_scales_by_it() -> None:
    objects = rendered("keda")

    assert ("operator", "api", 9090) in open_edges(objects, [KEDA], ends(objects))
    assert ("operator", "worker", 9090) not in open_edges(objects, [KEDA], ends(objects))


def test_people_come_by_the_edge_alone_where_that_is_named() -> None:
    objects = rendered("production")
    edge = End("ingress", "edge")

    found = open_edges(objects, [edge, STRANGER, *ends(objects)], [end for end in ends(objects) if str(end) == "api"])

    assert {who for who, _, port in found if port == 8080} == {"ingress", "test"}


def test_names_are_asked_by_all_who_look_for_somebody() -> None:
    objects = rendered("demo")
    policies = objects.of("NetworkPolicy")

    asking = {str(one) for one in ends(objects) if may_speak(policies, one, DNS, 53, "UDP")}

    assert asking == {source for source, _, _ in wanted()}


def test_only_the_api_speaks_to_the_world_and_only_where_there_are_webhooks() -> None:
    assert Webhooks in get_type_hints(api.Settings).values()
    assert outside(rendered("demo"), PUBLIC, 9999) == {"api"}
    assert outside(rendered("keda"), PUBLIC, 9999) == {"api"}
    assert outside(rendered("minimal"), PUBLIC, 9999) == {pod.component for pod in rendered("minimal").pods}
    assert outside(rendered("production"), End("10.9.4.4"), 80) == outside(rendered("production"), End("10.8.1.1"), 80)
    assert outside(rendered("production"), End("10.8.1.1"), 80) == {"api"}
    assert outside(rendered("production"), End("10.8.1.2"), 80) == set()


def test_nobody_asks_a_cloud_for_the_credentials_of_its_node() -> None:
    assert outside(rendered("demo"), METADATA, 80) == set()
    assert outside(rendered("production"), METADATA, 80) == set()


def test_servers_elsewhere_are_reached_where_they_are_said_to_be() -> None:
    objects = rendered("production")
    every = {"api", "worker", "janitor", "doctor"}

    assert outside(objects, End("10.2.0.5"), 6432) == {*every, "migrate"}
    assert outside(objects, End("10.3.0.5"), 4222) == every
    assert outside(objects, End("10.4.0.5"), 443) == every
    assert outside(objects, End("10.5.0.5"), 6432) == set()


def test_traces_go_where_they_are_sent_by_all_who_make_some() -> None:
    making = {name for name, program in PROGRAMS.items() if Observe in get_type_hints(program.Settings).values()}

    assert outside(rendered("production"), End("10.6.0.5"), 4318) == making
    assert outside(rendered("production"), End("10.7.0.5"), 4318) == set()
    assert outside(rendered("everything"), PUBLIC, 443) >= making
    assert outside(rendered("demo"), End("10.6.0.5"), 4318) == set()


def test_servers_of_operators_and_other_charts_are_reached_by_their_labels() -> None:
    objects = rendered("minio")
    database = End("database", "videos", {"cnpg.io/cluster": "retake-postgres", "cnpg.io/podRole": "instance"})
    bus = End("bus", "videos", {"app.kubernetes.io/name": "nats", "app.kubernetes.io/instance": "nats"})

    assert outside(objects, database, 5432) == {"api", "worker", "janitor", "doctor", "migrate"}
    assert outside(objects, bus, 4222) == {"api", "worker", "janitor", "doctor"}


def test_only_the_janitor_reaches_kubernetes() -> None:
    """It alone imports the client."""
    here, there = End("10.0.0.1"), End("10.0.0.2")

    assert outside(rendered("demo"), here, 6443) == importing("kubernetes") == {"janitor"}
    assert outside(rendered("production"), here, 6443) == {"janitor"}
    assert outside(rendered("production"), there, 6443) == set()


def importing(package: str) -> set[str]:
    """Components whose code imports a package."""
    found = set()
    for name in PROGRAMS:
        spec = find_spec(f"retake_{name}")
        assert spec is not None
        assert spec.submodule_search_locations
        for file in Path(spec.submodule_search_locations[0]).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                if any(module.split(".")[0] == package for module in modules):
                    found.add(name)
    return found


def test_a_pod_that_has_no_policy_of_its_own_is_shut_in() -> None:
    objects = rendered("demo")
    labels = {name: text for name, text in objects.pod("api").labels.items() if name != COMPONENT}
    new, policies = End("new", "videos", labels, {"http": 80}), objects.of("NetworkPolicy")

    assert [str(one) for one in ends(objects) if may_speak(policies, new, one, 8080)] == []
    assert not may_speak(policies, new, PUBLIC, 443)
    assert not may_speak(policies, STRANGER, new, 80)


@pytest.mark.parametrize("lost", ["retake-worker", "retake-postgres", "retake-migrate"])
def test_a_policy_that_is_lost_is_noticed(lost: str) -> None:
    less = Objects([one for one in rendered("demo").all if (one["kind"], one["metadata"]["name"]) != (POLICY, lost)])

    assert len(less.all) == len(rendered("demo").all) - 1

    assert open_edges(less, ends(less), ends(less)) != wanted()
