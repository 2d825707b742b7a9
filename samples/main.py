"""The command line of the samples: `samples` lists them, `run NAME [options]` runs one."""

from __future__ import annotations

import contextlib
import difflib
import sys
from collections.abc import Sequence

from samples.kit.errors import SampleError, UsageError
from samples.registry import DISTRIBUTION, SAMPLES, Sample

USAGE = "usage: {prog} samples | {prog} run NAME [options]"


def main(argv: Sequence[str], prog: str = "minitorch") -> int:
    """Carry out one command.

    Args:
        argv: ["samples"] or ["run", NAME, option, ...].
        prog: how the program was called, for help and messages.

    Returns:
        The exit code: 0 done, 1 the sample could not run, 2 a mistake in the command, 130 stopped by Ctrl-C.
    """
    with contextlib.suppress(AttributeError, ValueError):  # a replaced stdout may not be reconfigurable
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # an ASCII terminal gets "?", not an error
    try:
        return command(list(argv), prog)
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
        case ["run", *_]:
            raise UsageError(f"name a sample: {prog} run NAME; there are {', '.join(SAMPLES)}")
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


def run(sample: Sample, options: list[str], prog: str) -> int:
    """Run one sample in a folder of its own."""
    missing = sample.missing()
    if missing:
        raise SampleError(f"{sample.name} needs {' and '.join(missing)}; "
                          f"install with: pip install '{DISTRIBUTION}[samples]'")
    from samples.kit.run import Run
    from samples.kit.settings import parse

    module = sample.load()
    config = parse(module.Config, options, f"{prog} run {sample.name}", sample.summary)
    with Run(sample.name, config) as this_run:
        try:
            module.main(config, this_run)
        except KeyboardInterrupt:
            this_run.progress.stop()
            print(f"\nstopped by Ctrl-C; {this_run.summary()}", flush=True)
            return 130
        except SampleError:
            this_run.discard()
            raise
        this_run.progress.stop()
        print(this_run.summary())
    return 0
