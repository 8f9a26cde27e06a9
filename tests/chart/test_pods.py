"""Every pod of every kind of installation: Pod Security `restricted`, bounded, told each thing once."""

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from chart.rendering import NEWEST, VALUES, Json, Objects, Pod, rendered, template

VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
TOKENS = {"janitor"}
NAMED = [("env", "name"), ("ports", "name"), ("ports", "containerPort"), ("volumeMounts", "mountPath")]
"""Lists of a container, and what must not be in them twice."""


@pytest.fixture(params=VALUES)
def pods(request: pytest.FixtureRequest) -> list[Pod]:
    found = rendered(request.param).pods
    assert len(found) >= 4
    return found


def unrestricted(pod: Pod) -> Iterator[str]:
    """What Kubernetes' own check, level `restricted`, would say of a pod."""
    spec, inherited = pod.spec, pod.spec.get("securityContext", {})
    if wanted := [name for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name)]:
        yield f"shares {wanted}"
    for volume in spec.get("volumes", []):
        if foreign := set(volume) - {"name"} - VOLUMES:
            yield f"volume {volume['name']} is {foreign}"
    if inherited.get("sysctls"):
        yield "sets sysctls"
    for one in pod.containers:
        context = {**inherited, **one.get("securityContext", {})}
        if context.get("privileged") or context.get("allowPrivilegeEscalation") is not False:
            yield f"{one['name']} may gain privileges"
        if context.get("runAsNonRoot") is not True or context.get("runAsUser", 0) == 0:
            yield f"{one['name']} may be root"
        if context.get("seccompProfile", {}).get("type") not in {"RuntimeDefault", "Localhost"}:
            yield f"{one['name']} has no seccomp profile"
        if context.get("capabilities", {}).get("drop") != ["ALL"] or context["capabilities"].get("add"):
            yield f"{one['name']} keeps capabilities"
        if any("hostPort" in port for port in one.get("ports", [])):
            yield f"{one['name']} takes a port of its node"
        if context.get("readOnlyRootFilesystem") is not True:
            yield f"{one['name']} may write to its image"


def test_restricted_holds_for_every_pod(pods: list[Pod]) -> None:
    assert {pod.component: found for pod in pods if (found := list(unrestricted(pod)))} == {}


def test_every_container_asks_for_cpu_and_memory_and_is_bounded_in_both(pods: list[Pod]) -> None:
    for pod in pods:
        for one in pod.containers:
            for kind in ("requests", "limits"):
                assert {"cpu", "memory"} <= set(one["resources"][kind]), (pod.component, one["name"], kind)


def test_nothing_asks_for_more_than_it_may_have(pods: list[Pod]) -> None:
    """Kubernetes would refuse it."""
    for pod in pods:
        for one in pod.containers:
            asked, most = one["resources"]["requests"], one["resources"]["limits"]
            over = [name for name in asked if name in most and amount(asked[name]) > amount(most[name])]
            assert over == [], (pod.component, one["name"])


def amount(quantity: str | int) -> float:
    found = re.fullmatch(r"([0-9.]+)(m|Ki|Mi|Gi)?", str(quantity))
    assert found, f"{quantity} is no quantity this test knows"
    return float(found[1]) * {None: 1, "m": 0.001, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}[found[2]]


def test_no_list_names_the_same_thing_twice(pods: list[Pod]) -> None:
    for pod in pods:
        lists = [(pod.spec["volumes"], "name"), (pod.containers, "name")]
        for one in pod.containers:
            lists += [(one.get(what, []), key) for what, key in NAMED]
        for things, key in lists:
            assert [name for name, n in Counter(thing[key] for thing in things).items() if n > 1] == [], pod.component


def test_only_the_janitor_has_a_token_of_kubernetes(pods: list[Pod]) -> None:
    assert {pod.component for pod in pods if pod.spec.get("automountServiceAccountToken", True)} == TOKENS


def test_no_pod_is_told_of_services_by_its_environment(pods: list[Pod]) -> None:
    assert {pod.spec["enableServiceLinks"] for pod in pods} == {False}


def test_every_mount_has_its_volume_and_every_volume_its_mount(pods: list[Pod]) -> None:
    for pod in pods:
        claims = {one["metadata"]["name"] for one in pod.owner["spec"].get("volumeClaimTemplates", [])}
        volumes = {volume["name"] for volume in pod.spec["volumes"]} | claims
        assert {mount["name"] for one in pod.containers for mount in one["volumeMounts"]} == volumes, pod.component


def test_every_emptydir_is_bounded(pods: list[Pod]) -> None:
    empty = [volume for pod in pods for volume in pod.spec["volumes"] if "emptyDir" in volume]

    assert empty
    assert [volume["name"] for volume in empty if not volume["emptyDir"].get("sizeLimit")] == []


def test_credentials_are_read_by_the_group_of_the_pod_alone(pods: list[Pod]) -> None:
    for pod in pods:
        (volume,) = (one for one in pod.spec["volumes"] if one["name"] == "credentials")
        assert volume.get("projected", volume.get("secret"))["defaultMode"] == 0o440
        assert pod.spec["securityContext"]["fsGroup"] == 10001


def test_those_who_serve_are_probed_and_given_time(pods: list[Pod]) -> None:
    for pod in pods:
        if pod.owner["kind"] in {"Deployment", "StatefulSet"}:
            (one,) = pod.spec["containers"]
            ports = {port["name"] for port in one["ports"]}
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                asked = one[probe].get("httpGet") or one[probe]["tcpSocket"]
                assert asked["port"] in ports, (pod.component, probe)
            assert pod.spec["terminationGracePeriodSeconds"] >= 30


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda spec: spec.update(hostNetwork=True), "shares"),
        (lambda spec: spec["securityContext"].update(runAsUser=0), "root"),
        (lambda spec: spec["containers"][0]["securityContext"]["capabilities"].pop("drop"), "capabilities"),
        (lambda spec: spec["volumes"].append({"name": "node", "hostPath": {"path": "/"}}), "volume node"),
    ],
)
def test_a_pod_that_is_not_restricted_is_found_out(spoil: object, complaint: str) -> None:
    pod = rendered.__wrapped__("minimal").pod("api")
    spec: Json = pod.spec
    assert list(unrestricted(pod)) == []

    spoil(spec)  # type: ignore[operator]

    assert any(complaint in found for found in unrestricted(pod))


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("retake-api", "registry.example.org:5000/video/retake-api:7"),
        ("elsewhere:1/api:dev", "elsewhere:1/api:dev"),
        ("elsewhere/api@sha256:0123", "elsewhere/api@sha256:0123"),
    ],
)
def test_an_image_is_named_below_the_registry_or_whole(given: str, made: str) -> None:
    values = {"api": {"image": given}, "image": {"registry": "registry.example.org:5000/video", "tag": "7"}}

    found = Objects(template(NEWEST, {"demo": {"enabled": True}, **values})).pods

    assert {one["image"] for pod in found if pod.component == "api" for one in pod.containers} == {made}
