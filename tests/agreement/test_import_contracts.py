import tomllib
from pathlib import Path

import pytest
from tests.agreement.checkout import TOP, copy, run

# One stray import for each contract: (contract, module, line).
STRAYS = [
    ("Arrows point inwards", "core/retake/settings.py", "import retake.store.connect"),
    (
        "Deployables, local and client never import each other",
        "client/retake_client/__init__.py",
        "import retake_local",
    ),
    ("The domain imports no third-party package", "core/retake/domain/states.py", "import structlog"),
    ("Only otlp knows OpenTelemetry", "core/retake/tracing.py", "import opentelemetry"),
    ("Only store speaks to Postgres", "local/retake_local/folder.py", "import psycopg"),
    ("Only blobs speaks to the object store", "core/retake/health.py", "import minio"),
    ("Only bus speaks to NATS and reads wire messages", "services/api/retake_api/__init__.py", "import retake.wire.v1"),
    ("Only the janitor asks Kubernetes", "services/janitor/retake_janitor/purge.py", "import kubernetes"),
]


def contracts() -> list[str]:
    settings = tomllib.loads((TOP / "pyproject.toml").read_text())
    return [contract["name"] for contract in settings["tool"]["importlinter"]["contracts"]]


def lint(top: Path) -> tuple[int, str]:
    """Exit code, and the report in one line, since long names are wrapped."""
    code, words = run(top, "lint-imports", "--no-cache")
    return code, " ".join(words.split())


def test_all_import_contracts_are_kept() -> None:
    code, words = lint(TOP)

    assert code == 0, words
    assert f"Contracts: {len(contracts())} kept, 0 broken." in words


def test_every_contract_has_a_stray_import_that_breaks_it() -> None:
    for name in contracts():
        assert any(name.startswith(broken) for broken, _, _ in STRAYS), name


@pytest.mark.parametrize(("broken", "module", "line"), STRAYS, ids=[broken for broken, _, _ in STRAYS])
def test_a_stray_import_breaks_its_contract_and_no_other(tmp_path: Path, broken: str, module: str, line: str) -> None:
    top = copy(tmp_path)
    with (top / module).open("a") as file:
        file.write(f"\n{line}\n")

    code, words = lint(top)

    assert code != 0
    assert [name for name in contracts() if f"{name} BROKEN" in words] == [
        name for name in contracts() if f"{name} KEPT" not in words and name.startswith(broken)
    ]
