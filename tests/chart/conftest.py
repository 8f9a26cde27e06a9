"""Tools are installed when the first test of the chart needs them; where that fails, its tests are told as not run."""

import pytest

from chart import tools


@pytest.fixture(scope="session", autouse=True)
def installed() -> None:
    try:
        tools.install()
    except tools.NotInstalled as why:
        pytest.skip(f"{why}\n`python tests/chart/tools.py` tries again")
