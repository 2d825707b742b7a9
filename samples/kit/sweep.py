"""`minitorch sweep`: a sample run for every value of some settings, several rounds each, from different seeds.

One run says little: another seed may turn it round. A sweep says what to expect, as mean and standard deviation.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import os
import signal
import statistics
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_type_hints

from samples.kit import settings as kit_settings
from samples.kit.errors import SampleError, UsageError
from samples.kit.progress import print_table
from samples.kit.run import Run, new_folder, read_lines, said_if_it_fails
from samples.registry import SAMPLES, Sample

HELP = """usage: {prog} sweep NAME --set SETTING=A,B,... [--set ...] [--rounds N] [--jobs N] [the sample's own options]

Runs a sample with every combination of the values, --rounds times each (default 5) with the seeds N, N+1, ... from --seed,
and shows mean and standard deviation of what the last epochs measured. Values of a setting that is itself a list are
separated by slashes: --set hidden=16/32,16. --jobs processes run side by side (default: one for each core)."""

PARTS, KINDS = ("train", "val", "test"), ("loss", "accuracy", "precision", "recall", "f1")
Combination = tuple[tuple[str, Any], ...]


def sweep(sample: Sample, argv: Sequence[str], prog: str) -> int:
    """Carry out `minitorch sweep NAME ...`; returns the exit code."""
    parser = kit_settings.Parser(prog=f"{prog} sweep {sample.name}", add_help=False, allow_abbrev=False)
    parser.add_argument("--set", action="append")
    parser.add_argument("--rounds", default="5")
    parser.add_argument("--jobs", default=str(os.cpu_count() or 1))
    parser.add_argument("--help", action="store_true")
    ours, rest = parser.parse_known_args(list(argv))
    if ours.help:
        print(HELP.format(prog=prog))
        return 0
    config = sample.load().Config
    base = kit_settings.with_quick(config, kit_settings.arguments(config, rest, f"{prog} sweep {sample.name}", sample.summary))
    if base.get("resume"):
        raise UsageError("a sweep has nothing to resume; leave out --resume")
    swept = dict(values(config, text) for text in ours.set or ())
    if not swept:
        raise UsageError(f"say what to vary: {prog} sweep {sample.name} --set SETTING=A,B,...")
    rounds = kit_settings.read(ours.rounds, int, "--rounds", 1)
    jobs = kit_settings.read(ours.jobs, int, "--jobs", 1)

    folder = new_folder(Path(base.get("runs", "runs")) / f"{sample.name}-sweep")
    seeds = range(base.get("seed", field_default(config, "seed")), 10**9)[:rounds]
    combinations: list[Combination] = [tuple(zip(swept, chosen)) for chosen in itertools.product(*swept.values())]
    tasks = [base | dict(combination) | {"seed": seed, "plots": False, "runs": str(folder)}
             for combination in combinations for seed in seeds]
    print(f"{len(tasks)} runs of {sample.name}: {len(combinations)} settings, {rounds} rounds each", flush=True)
    begun = time.perf_counter()
    results = []
    try:
        for result in carry_out(sample.name, tasks, jobs):
            results.append(result)
            done = f"{len(results)}/{len(tasks)}"
            print(f"{done:>{2 * len(str(len(tasks))) + 1}}  {told(tasks[len(results) - 1], result, swept)}", flush=True)
    except KeyboardInterrupt:
        print(f"\nstopped by Ctrl-C; {folder}{os.sep} holds the runs so far", flush=True)
        return 130
    groups = {combination: results[k * rounds : (k + 1) * rounds] for k, combination in enumerate(combinations)}
    report(sample.name, groups, folder, time.perf_counter() - begun)
    return 0


def values(config: type[kit_settings.Settings], text: str) -> tuple[str, list[Any]]:
    """"batch_size=1,2" -> ("batch_size", [1, 2]), read as the sample's option would be."""
    name, _, words = text.partition("=")
    name = name.strip().lstrip("-").replace("-", "_")
    fields = {field.name: field for field in dataclasses.fields(config)}
    if name not in fields or name in ("seed", "runs", "resume", "plots", "quick"):
        known = sorted(set(fields) - {"seed", "runs", "resume", "plots", "quick"})
        raise UsageError(f"--set {text}: there is no setting '{name}' to vary; there are {', '.join(known)}")
    kind = get_type_hints(config)[name]
    if kind is bool:
        raise UsageError(f"--set {text}: {name} is a switch; run the sweep twice, with it and without")
    many = kit_settings.get_origin(kit_settings.without_none(kind)) is tuple
    found = [kit_settings.read(word.strip(), kind, f"--set {name}", fields[name].metadata["minimum"])
             for word in words.split("/" if many else ",") if word.strip()]
    if not found:
        raise UsageError(f"--set {text}: say which values: --set {name}=A,B,...")
    return name, found


def field_default(config: type[kit_settings.Settings], name: str) -> Any:
    return next(field.default for field in dataclasses.fields(config) if field.name == name)


def told(task: Mapping[str, Any], result: Mapping[str, float], swept: Iterable[str]) -> str:
    """One finished run in a line: what was set, what it reached, how long it took."""
    given = " ".join(f"{name}={kit_settings.shown(task[name])}" for name in (*swept, "seed"))
    reached = next((f"{key.replace('_', ' ')} {result[key]:.4f}  " for kind in ("accuracy", "loss") for part in reversed(PARTS)
                    if (key := f"{part}_{kind}") in result), "")
    return f"{given}  {reached}{result['seconds']:.1f} s"


def carry_out(name: str, tasks: list[dict[str, Any]], jobs: int) -> Iterator[dict[str, float]]:
    """Run the tasks, in processes beside each other where joblib is installed; the metrics of each, in order.

    Raises:
        SampleError: a run could not be carried out.
    """
    if jobs > 1 and len(tasks) > 1:
        try:
            from joblib import Parallel, delayed
        except ImportError:
            print("without joblib the runs go one after the other; install it with: pip install joblib", flush=True)
        else:
            # One thread each: the matrices are small, and processes that share cores with each other's threads are slower.
            from joblib import parallel_config

            with parallel_config(backend="loky", n_jobs=min(jobs, len(tasks)), inner_max_num_threads=1):
                yield from map(checked, Parallel(return_as="generator")(delayed(aside)(name, task) for task in tasks))
            return
    for task in tasks:
        yield checked(one(name, task))


def checked(result: dict[str, float] | str) -> dict[str, float]:
    if isinstance(result, str):
        raise SampleError(result)
    return result


def aside(name: str, given: Mapping[str, Any]) -> dict[str, float] | str:
    """`one`, in a process of its own. Ctrl-C reaches every process of a terminal; only the one that began them answers it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return one(name, given)


def one(name: str, given: Mapping[str, Any]) -> dict[str, float] | str:
    """One run: what its last epoch measured, or the sentence that says why there is nothing."""
    module = SAMPLES[name].load()
    config = module.Config(**given)
    try:
        with Run(name, config, quiet=True) as run:
            module.main(config, run)
            run.end(finished=True)
            times = {"seconds": round(run.seconds, 3), "cpu_seconds": round(run.cpu_seconds, 3)}
    except SampleError as error:
        return str(error)
    last: dict[str, Any] = next((line for line in reversed(read_lines(run.folder)) if "epoch" in line), {})
    numbers = {key: value for key, value in last.items() if isinstance(value, (int, float)) and key not in ("epoch", "seconds")}
    return numbers | times


def report(name: str, groups: Mapping[Combination, list[dict[str, float]]], folder: Path, seconds: float) -> None:
    """A table on the terminal; all of it in sweep.json; one figure."""
    keys = list(dict.fromkeys(key for results in groups.values() for result in results for key in result))
    records = [
        dict(combination) | {"rounds": len(results)}
        | {key: spread([result[key] for result in results if key in result]) for key in keys}
        for combination, results in groups.items()
    ]
    with said_if_it_fails(folder / "sweep.json") as path:
        path.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
    shown = [key for key in keys if not key.endswith(("_precision", "_recall"))]
    swept = [setting for setting, _ in next(iter(groups))]
    rows = [(*(kit_settings.shown(record[setting]) for setting in swept),
             *(f"{record[key]['mean']:.4g} ± {record[key]['sd']:.2g}" for key in shown)) for record in records]
    print_table([*swept, *(key.replace("_", " ").replace("accuracy", "acc") for key in shown)], rows)
    drawn = ", sweep.png" if draw(name, records, swept, folder / "sweep.png") else ""
    print(f"{folder}{os.sep} holds sweep.json{drawn} and the runs; {seconds:.0f} s in all")


def spread(numbers: Sequence[float]) -> dict[str, float]:
    """Mean and (sample) standard deviation."""
    if not numbers:
        return {"mean": math.nan, "sd": math.nan}
    return {"mean": statistics.fmean(numbers), "sd": statistics.stdev(numbers) if len(numbers) > 1 else 0.0}


def draw(name: str, records: list[dict[str, Any]], swept: list[str], target: Path) -> bool:
    """A panel for each kind of metric, a line for each part of the data, bars for the deviation over the rounds. False where
    there is nothing to draw.
    """
    from samples.kit import plots

    kinds = [kind for kind in KINDS if any(f"{part}_{kind}" in record for record in records for part in PARTS)]
    if not kinds:
        return False
    figure, axes = plots.figure(3.1 * len(kinds) + 0.6, 3.4, columns=len(kinds))
    labels = ["\n".join(kit_settings.shown(record[setting]) for setting in swept) for record in records]
    for axis, kind in zip(axes if len(kinds) > 1 else [axes], kinds):
        for part, colour in zip(PARTS, (plots.BLUE, plots.ORANGE, plots.GREEN)):
            found = [(k, record[f"{part}_{kind}"]) for k, record in enumerate(records) if f"{part}_{kind}" in record]
            if found:
                axis.errorbar([k for k, _ in found], [v["mean"] for _, v in found], [v["sd"] for _, v in found], color=colour,
                              marker="o", markersize=3, capsize=2, linewidth=1, label=part)
        axis.set_title(kind)
        axis.set_xticks(range(len(labels)), labels)
        axis.set_xlabel(", ".join(swept))
    (axes if len(kinds) > 1 else [axes])[0].legend()
    figure.suptitle(f"{name}: mean and standard deviation over {records[0]['rounds']} rounds", fontsize=11)
    with said_if_it_fails(target) as path:
        path.write_bytes(plots.png(figure))
    return True
