"""What the tests of samples share."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from samples.main import main


@pytest.fixture
def run(tmp_path, capsys):
    """Run a sample with --quick; returns its folder, its metrics and what it printed."""

    def run(name: str, *options: str, plots: bool = False) -> tuple[Path, list[dict], str]:
        argv = ["run", name, "--quick", "--runs", str(tmp_path), *options] + ([] if plots else ["--no-plots"])
        before = set((tmp_path / name).glob("*"))
        code = main(argv)
        out, error = capsys.readouterr()
        assert code == 0, error
        assert "\x1b" not in out
        (folder,) = set((tmp_path / name).iterdir()) - before
        for file in out.splitlines()[-1].split(" holds ")[1].split(", "):
            assert (folder / file).stat().st_size > 0
        return folder, [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()], out

    return run
