"""Tools are installed when the first test of the chart needs them; where that fails, its tests are told as not run."""

import pytest

from chart import tools


@pytest.fixture(scope="session", autouse=True)
def installed() -> None:
    try:
        tools.install(patience=90)  # a test may take 120
    except tools.NotInstalled as why:
        pytest.skip(
            f"no tools ({str(why).splitlines()[0]}): `python tests/chart/tools.py` installs them, or says why not"
        )
