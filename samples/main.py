"""The command line of the samples: `samples` lists them, `run` runs one, `sweep` many times, `runs` compares what was run."""

from __future__ import annotations

import contextlib
import difflib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from samples.kit.errors import SampleError, UsageError
from samples.registry import DISTRIBUTION, SAMPLES, Sample

USAGE = ("usage: {prog} samples | {prog} run NAME [options] | {prog} runs [RUN ...] | "
         "{prog} sweep NAME --set SETTING=A,B,... [options]")


def main(argv: Sequence[str], prog: str = "minitorch") -> int:
    """Carry out one command.

    Args:
        argv: ["samples"], ["run", NAME, option, ...], ["runs", RUN, ...] or ["sweep", NAME, option, ...].
        prog: how the program was called, for help and messages.

    Returns:
        The exit code: 0 done (or nobody reads what it prints any more), 1 the sample could not run, 2 a mistake in the command,
        130 stopped by Ctrl-C.
    """
    with contextlib.suppress(AttributeError, ValueError):  # a replaced stdout may not be reconfigurable
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # an ASCII terminal gets "?", not an error
    try:
        code = command(list(argv), prog)
        sys.stdout.flush()  # here, where it can be heeded that nobody reads it
        return code
    except BrokenPipeError:  # `| head` has gone; what it wanted, it has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    except SampleError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped by Ctrl-C; nothing was saved", file=sys.stderr)
        return 130
    except SystemExit as done:  # argparse, after --help
        return int(done.code or 0)


def command(argv: list[str], prog: str) -> int:
    match argv:
        case ["samples"]:
            list_samples(prog)
            return 0
        case ["run", "-h" | "--help"] | ["-h" | "--help"] | ["samples", "-h" | "--help"]:
            print(USAGE.format(prog=prog))
            return 0
        case ["run", name, *options] if not name.startswith("-"):
            return run(find(name), options, prog)
        case ["sweep", name, *options] if not name.startswith("-"):
            from samples.kit.sweep import sweep

            return sweep(ready(find(name)), options, prog)
        case ["sweep", "-h" | "--help"]:
            from samples.kit.sweep import HELP

            print(HELP.format(prog=prog))
            return 0
        case ["run" | "sweep" as verb, *_]:
            raise UsageError(f"name a sample: {prog} {verb} NAME; there are {', '.join(SAMPLES)}")
        case ["runs", *options]:
            from samples.kit.compare import compare

            return compare(options, prog)
    raise UsageError(USAGE.format(prog=prog))


def list_samples(prog: str) -> None:
    from samples.kit.progress import print_table

    rows = [(sample.name, sample.summary, sample.data, sample.time) for sample in SAMPLES.values()]
    print_table(("name", "what it shows", "data", "time on 2 cores"), rows)
    print(f"{prog} run NAME runs one; {prog} run NAME --help shows its settings")


def find(name: str) -> Sample:
    """The sample of this name.

    Raises:
        UsageError: there is none; names the nearest.
    """
    if name in SAMPLES:
        return SAMPLES[name]
    near = difflib.get_close_matches(name.replace("_", "-").lower(), SAMPLES, n=2, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(SAMPLES)}"
    raise UsageError(f"there is no sample '{name}'; {hint}")


def ready(sample: Sample) -> Sample:
    """The sample, if all it needs is installed.

    Raises:
        SampleError: naming what is missing.
    """
    missing = sample.missing()
    if missing:
        raise SampleError(f"{sample.name} needs {' and '.join(missing)}; "
                          f"install with: pip install '{DISTRIBUTION}[samples]'")
    return sample


def run(sample: Sample, options: list[str], prog: str) -> int:
    """Run one sample in a folder of its own, or go on in the folder of an earlier run."""
    from samples.kit import settings
    from samples.kit.compare import locate
    from samples.kit.device import check
    from samples.kit.run import Run

    module = ready(sample).load()
    predicts = getattr(module, "PREDICTS", "FILE") if hasattr(module, "predict") else None
    if not predicts and "--predict" in options:
        raise UsageError(f"{sample.name} has nothing to --predict; leave it out")
    given = settings.arguments(module.Config, options, f"{prog} run {sample.name}", sample.summary, predicts)
    asked, origin = given.pop("predict", None), given.pop("from", None)
    if asked:
        return predict(sample, module, given, asked, origin)
    if origin:
        raise UsageError(f"--from {origin} says whom to ask; say what: --predict {predicts}")
    before = None
    if given.get("resume"):
        before = locate(given["resume"], given.get("runs", "runs"), sample.name)
        given = settings.from_json(module.Config, before.settings) | given
        config = module.Config(**given)
    else:
        config = module.Config(**settings.with_quick(module.Config, given))
    check(config.device, sample)
    with Run(sample.name, config, before=before.folder if before else None) as this_run:
        try:
            module.main(config, this_run)
        except KeyboardInterrupt:
            this_run.progress.stop()
            this_run.end(finished=False)
            print(f"\nstopped by Ctrl-C; {this_run.summary()}", flush=True)
            what = "goes on from here" if this_run.can_resume else "begins it again"
            print(f"{prog} run {sample.name} --resume {this_run.folder} {what}", flush=True)
            return 130
        except BrokenPipeError:
            this_run.end(finished=False)
            raise
        except SampleError:
            this_run.discard()
            raise
        this_run.progress.stop()
        this_run.end(finished=True)
        print(this_run.summary())
    return 0


def predict(sample: Sample, module: ModuleType, given: dict[str, Any], asked: list[str], origin: str | None) -> int:
    """What a trained network says to some files or texts: the newest finished run's, or the one `origin` names."""
    from samples.kit import settings
    from samples.kit.compare import locate, newest_first
    from samples.kit.device import check
    from samples.kit.run import Run

    inputs: list[Any] = asked
    if getattr(module, "PREDICTS", "FILE") == "FILE":
        inputs = [Path(file) for file in asked]
        missing = next((file for file in inputs if not file.exists()), None)
        if missing:
            raise UsageError(f"there is no file {missing} to predict from")
    runs = given.get("runs", "runs")
    if origin:
        trained = locate(origin, runs, sample.name)
    else:
        finished = [past for past in newest_first(Path(runs) / sample.name) if past.result.get("finished")]
        if not finished:
            raise SampleError(f"{Path(runs) / sample.name} holds no finished run; train one first, or name one with --from")
        trained = finished[0]
    config = module.Config(**settings.from_json(module.Config, trained.settings) | given)
    check(config.device, sample)
    with Run(sample.name, config, trained=trained.folder) as this_run:
        print(f"trained in {trained.folder}, {trained.last.get('epoch', 0)} epochs", flush=True)
        try:
            module.predict(config, this_run, inputs)
            if this_run.saved:
                print(this_run.summary())
        finally:
            this_run.discard()
    return 0
