"""Every page does what it says: its cells, commands and sessions are carried out, each page in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from docs.builder import check, page, sessions

NAMES = [path.relative_to(page.ROOT).as_posix() for path in page.pages()]


@pytest.mark.parametrize("name", NAMES)
def test_a_page_does_what_it_says(name):
    done = subprocess.run([sys.executable, "-m", "docs", "check", name], cwd=page.ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


WRONG = """\
# A page

```python
a = 2
print(a + 1)
a * a
```

```text
3
5
```

```console
$ echo hello; exit 4  # exit 3
hello
$ echo "two"; echo lines
two
...
$ sleep 1000  # not run
```

Text.

```minitorch
>>> x = Value(3.0)
>>> backward x * x
...
(0/2 mul_1) step
it goes on
```

```python
a / 0
```
"""


@pytest.fixture
def wrong(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "ROOT", tmp_path)
    monkeypatch.setattr(check, "ROOT", tmp_path)
    monkeypatch.setattr(check, "PAGES", tmp_path / "build" / "pages")
    path = tmp_path / "page.md"
    path.write_text(WRONG, encoding="utf-8")
    return path


def test_what_differs_is_told_with_its_line(wrong):
    run = check.Run(page.read(wrong))
    told = {finding.line: finding.what for finding in run.run()}
    assert list(told) == [10, 15, 26, 34]
    assert "3\n    4" in told[10]
    assert "exits 4, not 3" in told[15]
    assert "grad(x) += grad(mul_1)" in told[26]
    assert "ZeroDivisionError" in told[34] and "check.py" not in told[34]


def test_accepting_writes_what_was_printed(wrong):
    run = check.Run(page.read(wrong))
    run.run()
    check.accept(run.page, run.done)
    text = wrong.read_text(encoding="utf-8")
    assert "```text\n3\n4\n```" in text
    assert "$ sleep 1000  # not run" in text
    assert "two\n...\n" in text  # what matched stays as it was written
    assert len(check.Run(page.read(wrong)).run()) == 2  # a wrong exit code and an exception are not to be accepted


def test_a_page_leaves_the_process_as_it_was(wrong, monkeypatch):
    import os

    before, here, main = dict(os.environ), os.getcwd(), sys.modules["__main__"]
    check.Run(page.read(wrong)).run()
    assert (dict(os.environ), os.getcwd(), sys.modules["__main__"]) == (before, here, main)


@pytest.mark.parametrize(
    "before", [">>> ", "(3/7 mul_1) ", "(0/25 in y) ", "(assign: 0/25 in y) ", "(what-if: 3/7 L) ", "(train.py) "]
)
def test_the_prompts_of_the_terminal_are_known(before):
    assert sessions.PROMPT.match(before + "next")[2] == "next"


@pytest.mark.parametrize("before", ["(step 3) ", "(3/7) ", "> ", "minitorch> "])
def test_a_line_behind_an_unknown_prompt_is_not_taken_for_output(wrong, before):
    wrong.write_text(f"# A page\n\n```minitorch\n>>> x = Value(3.0)\n{before}print x\nx 3.0\n```\n", encoding="utf-8")
    run = check.Run(page.read(wrong))
    (finding,) = run.run()
    assert f"`{before}print x` looks typed, but {before.strip()} is no prompt of the terminal" in finding.what
    check.accept(run.page, run.done)
    assert f"{before}print x\nx 3.0" in wrong.read_text(encoding="utf-8")
