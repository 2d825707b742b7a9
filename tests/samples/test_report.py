"""The page of the docs that is written from run folders."""

from __future__ import annotations

import json

import pytest

from samples.main import main

BATCHES = {1: (0.86, 0.02, 0.40, 0.08), 2: (0.87, 0.02, 0.34, 0.04), 8: (0.90, 0.01, 0.29, 0.03)}


@pytest.fixture
def runs(tmp_path):
    """Folders as runs and sweeps leave them."""

    def run(name, stamp, settings, lines, finished=True, **files):
        folder = tmp_path / "runs" / name / stamp
        folder.mkdir(parents=True)
        (folder / "settings.json").write_text(json.dumps(settings))
        (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        (folder / "result.json").write_text(json.dumps(
            {"finished": finished, "seconds": 12.34, "cpu_seconds": 5.67, "peak_memory_mb": 89.0, "kernels": "fast"}))
        for file, content in files.items():
            (folder / f"{file}.json").write_text(json.dumps(content))
        return folder

    scored = {"epoch": 2, "seconds": 3.0, "train_accuracy": 0.99, "test_accuracy": 0.98}
    run("disc", "1", {"label": "disc", "epochs": 150}, [{"epoch": 1, "seconds": 1.0}, scored])
    run("disc", "2", {"label": "square", "epochs": 150}, [scored])
    run("disc", "3", {"label": "disc", "epochs": 150, "evaluate": "x"}, [scored | {"test_accuracy": 0.1}])
    run("disc", "4", {"label": "disc", "epochs": 150, "quick": True}, [scored | {"test_accuracy": 0.2}])
    run("disc", "5", {"label": "disc", "epochs": 150}, [scored | {"test_accuracy": 0.3}], finished=False)
    run("derivative", "1", {}, [{"error": 2e-16}, {"inputs": 10, "difference": 0.0}])
    rows = [{"model": model, "auxiliary": weight, "mean": 95.97, "sd": 0.321, "study": "86.56 ± 1.32", "seconds": 20.0,
             "cpu_seconds": 15.0, "parameters": 93164, "rounds": [0.9 + weight / 100, 0.9 + weight / 50]}
            for model, weight in (("1", 0.0), ("2", 0.0), ("3", 1.0), ("4", 0.0), ("4", 1.0), ("5", 0.0), ("5", 1.0))]
    run("pairs", "1", {"rounds": 10}, [scored], table=rows)
    kinds = ("precision", "recall", "f1")
    for name, times in (("mlp-batches", 1), ("yolov1-cifar", 8)):
        sweep = run(f"{name}-sweep", "1", {}, [])
        sweep.joinpath("settings.json").unlink()  # a sweep's folder holds runs, and is none
        run(f"{name}-sweep/1/{name}", "1", {"quick": False, "epochs": 15} | ({"images": 6000} if times > 1 else {}), [])
        (sweep / "sweep.json").write_text(json.dumps([
            {"batch_size": times * size, "rounds": 10} | {f"{part}_{kind}": {"mean": mean, "sd": sd} for part in ("train", "val")
                                                          for kind in ("accuracy", *kinds)}
            | {f"{part}_loss": {"mean": loss, "sd": erratic} for part in ("train", "val")}
            for size, (mean, sd, loss, erratic) in BATCHES.items()]))
        (sweep / "sweep.png").write_bytes(f"a picture of {name}".encode())
    run("pairs-sweep/1/pairs", "1", {}, [])
    (tmp_path / "runs/pairs-sweep/1/sweep.json").write_text(json.dumps([
        {"model": model, "auxiliary": weight, "rounds": 3, "test_accuracy": {"mean": 0.9, "sd": 0.012}}
        for model in "54" for weight in (3.0, 0.1)]))
    return tmp_path / "runs"


def test_the_page_of_the_docs(runs, capsys):
    target = runs.parent / "docs.md"
    assert main(["runs", "--runs", str(runs), "--markdown", str(target)]) == 0
    page = target.read_text().splitlines()
    assert "| `disc` | train accuracy, test accuracy | ≥ 0.98, ≥ 0.97 | 0.9900, 0.9800 | 12.3 | 5.7 | 2.00 | 89 | fast |" in page
    assert "| `derivative` | error, difference | ≤ 1e-15, ≤ 1e-08 | 2.0e-16, 0.0e+00 | 12.3 | 5.7 | - | 89 | fast |" in page
    square, disc = (page.index(f"| here | {label} | 150 | 0.990 | 0.980 |") for label in ("square", "disc"))
    assert page[square - 1] == "| the original's code | square | 50,000 | 0.896 | 0.851 |" and disc == square + 1
    assert "- A batch of 1 gives a validation accuracy of 0.860 ± 0.020 and a loss of 0.400 ± 0.080." in page
    assert "- The loss varies most from seed to seed with a batch of 1." in page
    assert "- The highest validation accuracy, 0.900 ± 0.010, comes of 8." in page
    for name in ("mlp-batches", "yolov1-cifar"):
        assert f"({name}.png)" in "".join(page) and (runs.parent / f"{name}.png").read_bytes() == f"a picture of {name}".encode()
    assert "saw the best validation between 32 and 80. Here:" in page[page.index("## yolov1-cifar: what the batch size does") + 2]
    assert "- The highest validation accuracy, 0.900 ± 0.010, comes of 64." in page
    assert any(line.startswith("Mean and standard deviation over 10 rounds, each of 15 epochs. ") for line in page)
    assert any(line.startswith("Mean and standard deviation over 10 rounds, each of 15 epochs and 6,000 images. ") for line in page)
    assert "| 5 | 1 | 95.97 ± 0.32 | 86.56 ± 1.32 | 20.0 | 15.0 | 93,164 |" in page
    assert "- auxiliary losses change model 5 by +1.50 ± 0.71 points" in page
    weights = page.index("| model | weight | rounds | test accuracy |")
    assert page[weights + 2] == "| 4 | 0.1 | 3 | 90.00 ± 1.20 |" and page[weights + 5] == "| 5 | 3 | 3 | 90.00 ± 1.20 |"
    assert not list(runs.parent.glob("*.new"))


def test_a_page_that_cannot_be_written(runs, capsys):
    assert main(["runs", "--runs", str(runs), "--markdown", str(runs / "nowhere" / "docs.md")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("cannot write ") and error.count("\n") == 1
