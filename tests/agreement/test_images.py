"""What the Dockerfiles hold to, read as text; that they build and run is proven where there is a builder."""

import re
from pathlib import Path

import pytest
from tests.agreement.checkout import TOP

FILES = sorted(str(file.relative_to(TOP)) for file in [*TOP.glob("services/*/Dockerfile"), TOP / "local/Dockerfile"])


def steps(file: str) -> list[list[str]]:
    whole = (TOP / file).read_text().replace("\\\n", " ")
    return [line.split() for line in whole.splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("file", FILES)
def test_an_image_is_made_of_the_base_it_is_told_and_runs_as_nobody_in_particular(file: str) -> None:
    found = steps(file)

    assert {step[1] for step in found if step[0] == "FROM"} == {"${BASE}"}
    assert [step for step in found if step[0] == "USER"][-1] == ["USER", "10001:10001"]
    assert found[-1][:3] == ["CMD", '["python",', '"-m",']


@pytest.mark.parametrize("file", FILES)
def test_an_older_builder_can_build_it_with_nothing_but_package_registries(file: str) -> None:
    text = (TOP / file).read_text()

    assert not re.search(r"<<|--link|--mount|# syntax|apt-get|apk |curl |wget |git clone", text)


@pytest.mark.parametrize("file", FILES)
def test_what_it_copies_is_there_and_is_sent_to_the_builder(file: str) -> None:
    admitted = [line[1:] for line in (TOP / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = [step[1:-1] for step in steps(file) if step[0] == "COPY" and not step[1].startswith("--from")]

    for place in (one for sources in copied for one in sources):
        assert (TOP / place).exists(), place
        above = (Path(place), *Path(place).parents)
        assert any(one.match(pattern) for one in above for pattern in admitted), place


@pytest.mark.parametrize("file", FILES)
def test_what_it_installs_is_locked_by_hash(file: str) -> None:
    locks = [step[1] for step in steps(file) if step[0] == "COPY" and step[1].startswith("requirements/")]
    installs = re.findall(r"pip install (.*)", (TOP / file).read_text())

    assert len(locks) == len(installs) >= 1
    assert all("--require-hashes" in words and "--only-binary :all:" in words for words in installs)
    for lock in locks:
        text = (TOP / lock).read_text()
        assert not re.search(r"^--|https?://", text, re.MULTILINE)
        assert text.count("--hash=") >= text.count("==") >= 1


def test_skaffold_builds_each_of_them() -> None:
    assert sorted(re.findall(r"dockerfile: ([^\s}]+)", (TOP / "skaffold.yaml").read_text())) == FILES
