"""The package as it is shipped, and the parts of it that are generated."""

from __future__ import annotations

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import valetkey
from valetkey import models
from valetkey._generated.errors import BY_KIND

PACKAGE = Path(__file__).resolve().parents[1]
REFERENCE = PACKAGE.parents[1] / "docs" / "reference"


def test_the_generated_files_are_what_the_reference_says() -> None:
    script = PACKAGE / "scripts" / "generate.py"
    checked = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


def test_there_is_a_class_for_every_kind_and_each_says_what_to_do() -> None:
    page = (REFERENCE / "errors.md").read_text("utf-8")
    for kind, error in BY_KIND.items():
        assert f"| `{kind}` |" in page
        assert error.next_step in page
        assert getattr(valetkey, error.__name__) is error, f"{error.__name__} is exported"
        assert error("text").kind == kind


def test_everything_exported_is_there_and_documented() -> None:
    for name in valetkey.__all__:
        thing = getattr(valetkey, name)
        if isinstance(thing, type):
            assert thing.__doc__, f"{name} says what it is for"


@pytest.mark.parametrize("file", sorted((PACKAGE / "src").rglob("*.py")), ids=lambda path: path.stem)
def test_every_public_function_says_what_it_is_for(file: Path) -> None:
    tree = ast.parse(file.read_text("utf-8"))
    assert ast.get_docstring(tree), "the module says what it is for"
    silent = [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
        # What is inside a function is its own business.
        and any(node in parent.body for parent in ast.walk(tree) if isinstance(parent, ast.Module | ast.ClassDef))
    ]
    assert silent == []


def test_a_value_of_a_later_host_is_read_and_a_broken_one_is_not() -> None:
    hints = {"read_only": True, "destructive": False, "idempotent": True, "later": 1}
    assert models.ToolHints.from_wire(hints).to_wire() == {
        "read_only": True,
        "destructive": False,
        "idempotent": True,
    }
    assert models.Executed(data=1, execution_id="exe_1").to_wire() == {"data": 1, "execution_id": "exe_1"}
    with pytest.raises(Exception, match="read_only: must be true or false"):
        models.ToolHints.from_wire(hints | {"read_only": 1})


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built."""
    folder = tmp_path_factory.mktemp("dist")
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=PACKAGE,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    return next(folder.glob("valetkey-*.whl"))


def test_the_wheel_holds_the_package_its_types_and_its_license(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    metadata = next(name for name in names if name.endswith(".dist-info/METADATA"))
    text = zipfile.ZipFile(wheel).read(metadata).decode()
    assert wheel.name == f"valetkey-{valetkey.__version__}-py3-none-any.whl"
    for wanted in ("valetkey/py.typed", "valetkey/_sync/client.py", "valetkey/_generated/models.py"):
        assert wanted in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert "License-Expression: Apache-2.0" in text
    assert "Requires-Python: >=3.10" in text
    assert "Provides-Extra: langchain" in text
    assert not [name for name in names if "test" in name or "example" in name]


def test_the_wheel_works_without_what_is_optional(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    program = """
import sys
for name in ("opentelemetry", "langchain_core"):
    sys.modules[name] = None
import valetkey
client = valetkey.Valetkey("http://127.0.0.1:9", client_id="a", client_secret="b", max_attempts=1)
try:
    client.execute_tool("t", identifier="ada")
except valetkey.ConnectionFailedError as error:
    print(error.kind)
try:
    import valetkey.langchain
except ImportError as error:
    print(error)
print(valetkey.__file__)
"""
    run = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
    )
    assert run.returncode == 0, run.stderr
    kind, missing, file = run.stdout.splitlines()
    assert kind == "connection_failed"
    assert "pip install 'valetkey[langchain]'" in missing
    assert file.startswith(str(tmp_path))
