"""Read at a glance: no function over 60 lines, no module over 300."""

import ast
import subprocess
from collections.abc import Iterator

from tests.agreement.checkout import TOP

FUNCTION, MODULE = 60, 300
GENERATED = "core/retake/wire/v1/"


def oversized(name: str, text: str) -> Iterator[str]:
    if (lines := len(text.splitlines())) > MODULE:
        yield f"{name} has {lines} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION:
                yield f"{name}: {node.name} has {length} lines"


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=TOP, stdout=subprocess.PIPE, text=True, check=True)
    return [name for name in listed.stdout.splitlines() if not name.startswith(GENERATED) and (TOP / name).exists()]


def test_no_function_and_no_module_is_too_long() -> None:
    names = tracked()

    assert len(names) > 20
    assert [complaint for name in names for complaint in oversized(name, (TOP / name).read_text())] == []


def test_lengths_are_counted_from_the_first_line_to_the_last() -> None:
    body = "    x = 1\n"
    short, long = f"def short():\n{body * 59}", f"class Holder:\n    async def long(self):\n{'    ' + body}" * 1

    assert list(oversized("a.py", short)) == []
    assert list(oversized("a.py", short + body)) == ["a.py: short has 61 lines"]
    assert list(oversized("a.py", long + ("    " + body) * 59)) == ["a.py: long has 61 lines"]
    assert list(oversized("a.py", "x = 1\n" * 300)) == []
    assert list(oversized("a.py", "x = 1\n" * 301)) == ["a.py has 301 lines"]
