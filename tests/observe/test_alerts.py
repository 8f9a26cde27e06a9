"""Alerts, as Prometheus's own tool tests rules (alerts/*.yaml): each is silent, fires, and is silent again."""

import asyncio
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import requires_tool
from observe.expressions import RULES, rules

pytestmark = [pytest.mark.anyio, requires_tool("promtool", package="prometheus")]

TESTS = sorted((Path(__file__).parent / "alerts").glob("*.yaml"))


async def promtool(*arguments: object) -> str:
    """What it says; it must be content."""
    process = await asyncio.create_subprocess_exec(
        "promtool", *map(str, arguments), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


async def test_the_rules_can_be_read() -> None:
    assert f"{len(rules())} rules found" in await promtool("check", "rules", RULES)


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.stem)
async def test_alerts_fire_when_they_should_and_only_then(file: Path) -> None:
    assert "SUCCESS" in await promtool("test", "rules", file)


def fires(group: dict[str, Any], alert: str) -> list[bool]:
    """Whether it does, from one time it is asked to the next, as long as that stays the same."""
    asked = [bool(one["exp_alerts"]) for one in group.get("alert_rule_test", ()) if one["alertname"] == alert]
    return [one for one, _ in groupby(asked)]


def test_each_alert_is_asked_for_before_it_fires_while_it_does_and_after_it_did() -> None:
    groups = [group for file in TESTS for group in yaml.safe_load(file.read_text())["tests"]]

    untested = [
        rule["alert"]
        for rule in rules()
        if "alert" in rule and not any(fires(group, rule["alert"]) == [False, True, False] for group in groups)
    ]

    assert untested == []
