"""The house as a whole: packaging says what the folders hold, and the first steps of the README exist."""

from __future__ import annotations

import ast
import doctest
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("minitorch", "viz", "repl", "samples")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
NAMES = [str(path.relative_to(ROOT)) for path in SOURCES]

if sys.version_info >= (3, 11):
    import tomllib

    PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_every_folder_with_code_is_a_package(path):
    # Without an __init__.py the packaging would leave the folder out, and only an installed copy would notice.
    assert (path.parent / "__init__.py").exists()


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_every_file_says_what_it_is_for(path):
    text = path.read_text(encoding="utf-8")
    assert not text.strip() or ast.get_docstring(ast.parse(text)), "a docstring at the top is missing"


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_files_stay_readable(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 520, "split it: files stay near 400 lines"
    assert path.name not in ("utils.py", "helpers.py", "misc.py")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with Python 3.11")
def test_packaging_finds_all_packages_and_the_command():
    setuptools = pytest.importorskip("setuptools")
    found = setuptools.find_packages(str(ROOT), **PROJECT["tool"]["setuptools"]["packages"]["find"])
    folders = {".".join(path.parent.relative_to(ROOT).parts) for path in SOURCES}
    assert set(found) == folders
    module, function = PROJECT["project"]["scripts"]["minitorch"].split(":")
    source = ast.parse((ROOT / Path(*module.split("."))).with_suffix(".py").read_text(encoding="utf-8"))
    assert any(isinstance(node, ast.FunctionDef) and node.name == function for node in source.body)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with Python 3.11")
def test_the_name_of_the_distribution_is_the_same_everywhere():
    from samples.registry import DISTRIBUTION

    assert PROJECT["project"]["name"] == DISTRIBUTION
    assert DISTRIBUTION in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with Python 3.11")
def test_readme_names_only_existing_extras_and_targets():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", readme, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
    for extras in re.findall(r"\.\[([\w,]+)\]", readme):
        assert set(extras.split(",")) <= set(PROJECT["project"]["optional-dependencies"])


def test_the_examples_in_the_readme_run():
    text = "\n".join(re.findall(r"^```pycon\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S))
    example = doctest.DocTestParser().get_doctest(text, {}, "README.md", "README.md", 0)
    assert example.examples
    assert doctest.DocTestRunner().run(example).failed == 0


def test_readme_lists_the_samples():
    from samples.registry import SAMPLES

    assert re.findall(r"^\| `([\w-]+)` \|", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE) == list(SAMPLES)
