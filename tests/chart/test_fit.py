"""That one object finds the other: selectors, ports and names, and what KEDA and Prometheus look for."""

import json
import re
from collections.abc import Iterator

import pytest
import yaml

from chart.rendering import CHART, NEWEST, VALUES, Json, Objects, rendered, template
from chart.tools import TOP
from retake import __version__, metrics
from retake.settings import Api, Observe, read

LONGEST = {"CronJob": 52}


@pytest.fixture(params=VALUES)
def objects(request: pytest.FixtureRequest) -> Objects:
    return rendered(request.param)


def chosen(objects: Objects, selector: Json) -> list[str]:
    """Components whose pods have these labels."""
    return [pod.component for pod in objects.pods if selector.items() <= pod.labels.items()]


def test_every_workload_and_every_budget_selects_its_own_pods_and_no_others(objects: Objects) -> None:
    for one in objects.of("Deployment", "StatefulSet", "PodDisruptionBudget"):
        assert chosen(objects, one["spec"]["selector"]["matchLabels"]) == [one["metadata"]["labels"][COMPONENT]]


COMPONENT = "app.kubernetes.io/component"


def test_every_service_leads_to_a_port_that_its_pods_have(objects: Objects) -> None:
    for one in objects.of("Service"):
        (component,) = chosen(objects, one["spec"]["selector"])
        for port in one["spec"]["ports"]:
            assert port["targetPort"] in objects.pod(component).ports, one["metadata"]["name"]


def test_every_pod_monitor_asks_a_port_that_its_pods_have(objects: Objects) -> None:
    for one in objects.of("PodMonitor"):
        (component,) = chosen(objects, one["spec"]["selector"]["matchLabels"])
        for endpoint in one["spec"]["podMetricsEndpoints"]:
            assert objects.pod(component).ports[endpoint["port"]] == read(Observe, {}).port


def test_ports_are_those_that_the_processes_open(objects: Objects) -> None:
    opened = {"http": read(Api, {"RETAKE_PASSWORD": "x"}).port, "metrics": read(Observe, {}).port}

    assert objects.pod("api").ports == opened
    assert objects.pod("worker").ports == {"metrics": opened["metrics"]}


def test_what_scales_names_what_is_scaled_which_then_has_no_replicas(objects: Objects) -> None:
    scaled = {one["spec"]["scaleTargetRef"]["name"] for one in objects.of("HorizontalPodAutoscaler", "ScaledObject")}

    without = {one["metadata"]["name"] for one in objects.of("Deployment") if "replicas" not in one["spec"]}

    assert scaled == without


def test_the_edge_leads_to_a_port_of_the_api(objects: Objects) -> None:
    (service,) = (one for one in objects.of("Service") if one["metadata"]["name"].endswith("-api"))
    (port,) = service["spec"]["ports"]
    for one in objects.of("Ingress"):
        for rule in one["spec"]["rules"]:
            (path,) = rule["http"]["paths"]
            assert path["backend"]["service"] == {"name": service["metadata"]["name"], "port": {"name": port["name"]}}
    for one in objects.of("HTTPRoute"):
        (rule,) = one["spec"]["rules"]
        (backend,) = rule["backendRefs"]
        assert backend == {"name": service["metadata"]["name"], "port": port["port"]}
        assert rule["timeouts"] == {"request": "0s"}


def test_accounts_and_roles_that_are_named_are_there(objects: Objects) -> None:
    accounts = {one["metadata"]["name"] for one in objects.of("ServiceAccount")}
    assert {pod.spec["serviceAccountName"] for pod in objects.pods if "serviceAccountName" in pod.spec} == accounts
    (binding,) = objects.of("RoleBinding")
    role = objects.named("Role", binding["roleRef"]["name"])

    assert {subject["name"] for subject in binding["subjects"]} == {objects.pod("janitor").spec["serviceAccountName"]}
    assert role["rules"] == [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]


def test_names_are_short_enough_for_all_that_is_made_of_them(objects: Objects) -> None:
    for one in objects.all:
        assert len(one["metadata"]["name"]) <= LONGEST.get(one["kind"], 63)
        assert all(len(text) <= 63 for text in one["metadata"]["labels"].values())


def test_no_two_objects_have_the_same_name(objects: Objects) -> None:
    names = [(one["kind"], one["metadata"]["name"]) for one in objects.all]

    assert len(set(names)) == len(names)


def test_priority_classes_that_are_named_are_there() -> None:
    objects = rendered("production")

    assert {one["metadata"]["name"] for one in objects.of("PriorityClass")} == {
        pod.spec["priorityClassName"] for pod in objects.pods if "priorityClassName" in pod.spec
    }


def test_a_setting_that_changes_starts_the_pods_anew() -> None:
    sums = {values: rendered(values).pod("worker").annotations["checksum/config"] for values in ("default", "minimal")}

    assert sums["default"] != sums["minimal"]
    assert sums["default"] == rendered("keda").pod("worker").annotations["checksum/config"]


def test_keda_asks_the_page_that_the_api_has_on_its_metrics_port() -> None:
    objects = rendered("keda")
    (scaled,) = objects.of("ScaledObject")
    (trigger,) = scaled["spec"]["triggers"]
    host, port, page = re.fullmatch(r"http://([^:/]+):(\d+)(/.*)", trigger["metadata"]["url"]).groups()  # type: ignore[union-attr]
    name, namespace, _ = host.split(".")
    service = objects.named("Service", name)

    assert (namespace, page, trigger["metadata"]["valueLocation"]) == ("videos", "/queue", "parts")
    assert [one["port"] for one in service["spec"]["ports"]] == [int(port)]
    assert service["spec"]["ports"][0]["targetPort"] == "metrics"
    assert scaled["spec"]["minReplicaCount"] == 0


def known() -> Iterator[str]:
    for family in metrics.REGISTRY.collect():
        yield from (family.name, *(sample.name for sample in family.samples))


def test_keda_asks_prometheus_for_a_metric_that_there_is() -> None:
    (scaled,) = rendered("everything").of("ScaledObject")
    query = scaled["spec"]["triggers"][0]["metadata"]["query"]

    assert set(re.findall(r"retake_\w+", query)) <= set(known())


def test_dashboards_and_alerts_are_carried_as_they_lie_outside() -> None:
    objects = rendered("everything")
    boards = {name: text for one in objects.of("ConfigMap") for name, text in one["data"].items() if ".json" in name}
    (rule,) = objects.of("PrometheusRule")

    assert {name: json.loads(text) for name, text in boards.items()} == {
        file.name: json.loads(file.read_text()) for file in (TOP / "deploy/grafana").glob("*.json")
    }
    assert rule["spec"]["groups"] == [
        group
        for file in sorted((TOP / "deploy/prometheus").glob("*.yaml"))
        for group in yaml.safe_load(file.read_text())["groups"]
    ]
    assert boards
    assert rule["spec"]["groups"]


def test_images_are_of_the_registry_and_release_that_were_said() -> None:
    images = {one["image"] for pod in rendered("production").pods for one in pod.containers}

    assert images == {f"registry.example.org/team/retake-{name}:1.2.3" for name in ("api", "worker", "janitor")}
    assert {one["image"] for one in rendered("demo").pod("postgres").containers} == {f"retake-dev:{__version__}"}


def test_skaffold_says_the_images_that_it_built() -> None:
    """They come with registry, tag and digest."""
    (release,) = yaml.safe_load((TOP / "skaffold.yaml").read_text())["deploy"]["helm"]["releases"]
    values: Json = {"demo": {"enabled": True}}
    for path in release["setValueTemplates"]:
        component, _, key = path.partition(".")
        values[component] = {key: f"localhost:5000/built-{component}:tag@sha256:{'0' * 64}"}

    images = {one["image"] for pod in Objects(template(NEWEST, values)).pods for one in pod.containers}

    assert images == {one["image"] for name, one in values.items() if name != "demo"}


def test_the_chart_is_of_this_release() -> None:
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == __version__
