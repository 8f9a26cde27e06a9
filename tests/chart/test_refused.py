"""Values that cannot work are refused before anything is made, with words that say which value and what it must be."""

import pytest

from chart.rendering import VERSIONS, Json, Refused, helm, template

# What is wrong, and words that the refusal must have: where it is, and what would be right.
WRONG: dict[str, tuple[Json, tuple[str, ...]]] = {
    "a value that nobody knows": ({"apii": {}}, ("apii",)),
    "a value that nobody knows, further in": ({"worker": {"replica": 3}}, ("worker", "replica")),
    "a word for a number": ({"api": {"replicas": "many"}}, ("api", "replicas", "integer")),
    "no API": ({"api": {"replicas": 0}}, ("api", "replicas", "1")),
    "fewer than none": ({"worker": {"replicas": -1}}, ("worker", "replicas", "0")),
    "a word for yes or no": ({"demo": {"enabled": "yes"}}, ("demo", "enabled", "boolean")),
    "a database that nobody offers": ({"postgres": {"mode": "bitnami"}}, ("postgres", "mode", "cloudnative-pg", "dev")),
    "a bus that nobody offers": ({"nats": {"mode": "minio"}}, ("nats", "mode", "external", "chart")),
    "a store that nobody offers": ({"objectStore": {"mode": "s3"}}, ("objectStore", "mode", "external", "minio")),
    "a way to scale that nobody offers": ({"worker": {"autoscaling": {"kind": "KEDA"}}}, ("kind", "keda", "hpa")),
    "a bucket with capitals": ({"objectStore": {"bucket": "Videos"}}, ("objectStore", "bucket", "pattern")),
    "an endpoint with a path": (
        {"objectStore": {"external": {"endpoint": "https://s3.example.org/videos"}}},
        ("endpoint", "pattern"),
    ),
    "a prefix without its slash": ({"objectStore": {"prefix": "retake"}}, ("prefix", "pattern")),
    "a disk without a unit": ({"postgres": {"dev": {"storage": 5}}}, ("storage", "string")),
    "a disk in another unit": ({"objectStore": {"minio": {"storage": "100G"}}}, ("storage", "pattern", "Gi")),
    "a port beyond all ports": ({"postgres": {"external": {"port": 70000}}}, ("port", "535")),
    "a network that is none": ({"nats": {"external": {"networks": ["10.0.0.1"]}}}, ("networks", "pattern")),
    "a path without a slash": ({"pathPrefix": "retake"}, ("pathPrefix", "pattern")),
    "a path with a slash at its end": ({"pathPrefix": "/retake/"}, ("pathPrefix", "pattern")),
    "a Secret that cannot be called so": ({"auth": {"existingSecret": "My Secret"}}, ("existingSecret", "pattern")),
    "a pull policy that is none": ({"image": {"pullPolicy": "Sometimes"}}, ("pullPolicy", "Always", "IfNotPresent")),
    "a registry with a slash at its end": ({"image": {"registry": "registry.example.org/"}}, ("registry", "pattern")),
    "a schedule of four fields": ({"janitor": {"schedule": "*/5 * * *"}}, ("schedule", "pattern")),
    "a share above all": ({"api": {"maxUnavailable": "150%"}}, ("maxUnavailable",)),
    "memory in words": ({"worker": {"resources": {"limits": {"memory": "lots"}}}}, ("memory",)),
    "a setting that nobody knows": ({"settings": {"RETAKE_UPLOD_FILES": 5}}, ("settings", "RETAKE_UPLOD_FILES")),
    "a setting beyond its most": ({"settings": {"RETAKE_UPLOAD_FILES": 500}}, ("RETAKE_UPLOAD_FILES", "200")),
    "a setting that is no number": ({"settings": {"RETAKE_RETENTION_HOURS": "a day"}}, ("HOURS", "number")),
    "a setting that is none of its words": ({"settings": {"RETAKE_LOG_LEVEL": "loud"}}, ("LOG_LEVEL", "warning")),
    "a secret among the settings": ({"settings": {"RETAKE_PASSWORD": "hush"}}, ("settings", "RETAKE_PASSWORD")),
    "a setting that a value of its own sets": ({"settings": {"RETAKE_S3_BUCKET": "b"}}, ("RETAKE_S3_BUCKET",)),
    "at least more than at most": (
        {"api": {"autoscaling": {"minReplicas": 9, "maxReplicas": 3}}},
        ("api.autoscaling.minReplicas is 9", "maxReplicas only 3"),
    ),
    "no worker, and nothing that sees work": (
        {"worker": {"autoscaling": {"kind": "hpa", "minReplicas": 0}}},
        ("worker.autoscaling.minReplicas is 0", "set 1 or more, or kind to keda"),
    ),
    "a Prometheus that is nowhere": (
        {"worker": {"autoscaling": {"kind": "keda-prometheus"}}},
        ("prometheusAddress is empty", "name the URL"),
    ),
    "headers of traces that are not sent": (
        {"tracing": {"existingSecret": "collector"}},
        ("tracing.endpoint is empty", "name the URL"),
    ),
    "a route from no Gateway": ({"httpRoute": {"enabled": True}}, ("parentRefs is empty", "name the Gateway")),
    "a certificate for no host": ({"ingress": {"tlsSecret": "tls"}}, ("ingress.tlsSecret", "name the hosts")),
    "a signing key for no webhooks": (
        {"webhooks": {"enabled": False, "existingSecret": "key"}},
        ("webhooks.existingSecret is set", "enable webhooks"),
    ),
    "no time for requests to end": (
        {"api": {"preStopSeconds": 60, "terminationGracePeriodSeconds": 70}},
        ("api.terminationGracePeriodSeconds (70)", "must be more than preStopSeconds (60)"),
    ),
    "an endpoint at another port": (
        {"objectStore": {"external": {"endpoint": "http://minio.stores:9000"}}},
        ("endpoint is at port 9000", "port is 443", "Make them the same"),
    ),
    "no time to give parts back": (
        {"worker": {"terminationGracePeriodSeconds": 10}},
        ("worker", "terminationGracePeriodSeconds", "15"),
    ),
    "more sources kept than there is room": (
        {"settings": {"RETAKE_SCRATCH_KEEP_MIB": 20000}},
        ("RETAKE_SCRATCH_KEEP_MIB (20000)", "worker.scratchSize (10Gi)", "Keep less"),
    ),
    "a scratch that is larger than its pod may be": (
        {"worker": {"scratchSize": "50Gi"}},
        ("ephemeral-storage (12Gi)", "less than worker.scratchSize (50Gi)", "at least as large"),
    ),
    "a cap above the disk": (
        {"demo": {"enabled": True}, "settings": {"RETAKE_STORAGE_CAP_MIB": 20480}},
        ("RETAKE_STORAGE_CAP_MIB (20480)", "objectStore.dev.storage larger"),
    ),
    "images that are always pulled from nowhere": (
        {"image": {"pullPolicy": "Always"}},
        ("image.registry is empty", "name the registry"),
    ),
    "a worker without a limit": (
        {"worker": {"resources": {"limits": {"memory": None}}}},
        ("worker.resources.limits lacks", "give them"),
    ),
    "names beyond what there is room for": (
        {"nameOverride": "a-name-of-thirty-five-characters-ab"},
        ("longer than 40", "fullnameOverride"),
    ),
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_value_is_refused_with_words_about_it(case: str, version: str) -> None:
    values, words = WRONG[case]

    with pytest.raises(Refused) as refused:
        template(version, values)

    said = str(refused.value)
    assert [word for word in words if word not in said] == [], said


def test_all_that_does_not_go_together_is_told_at_once() -> None:
    values = {"httpRoute": {"enabled": True}, "ingress": {"tlsSecret": "tls"}, "image": {"pullPolicy": "Always"}}

    with pytest.raises(Refused) as refused:
        template(VERSIONS[0], values)

    assert str(refused.value).count("\n- ") == 3


@pytest.mark.parametrize("version", VERSIONS)
def test_what_it_is_helm_says(version: str) -> None:
    assert helm(version, "version", "--short").startswith(f"v{version}.")
