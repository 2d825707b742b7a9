"""`python -m docs check [PAGE ...]` carries pages out, `python -m docs build` builds the site in build/site."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main() -> int:
    """Returns the exit code: 0 all right, 1 something differs from what a page says."""
    parser = argparse.ArgumentParser(prog="python -m docs", description=__doc__)
    commands = parser.add_subparsers(required=True)
    check = commands.add_parser("check", help="carry out the cells, commands and sessions of pages")
    check.add_argument("pages", nargs="*", type=Path, metavar="PAGE", help="markdown files (default: all)")
    check.add_argument("--accept", action="store_true", help="write what was printed into the pages; read the difference then")
    check.set_defaults(run=_check)
    notebook = commands.add_parser("notebook", help="write pages as notebooks into build/notebooks, and run them")
    notebook.add_argument("pages", nargs="+", type=Path, metavar="PAGE")
    notebook.set_defaults(run=_notebook)
    build = commands.add_parser("build", help="carry out all pages, build the site in build/site, check its links")
    build.add_argument("--fast", action="store_true", help="with the pictures and notebooks of the last build")
    build.set_defaults(run=_build)
    record = commands.add_parser("record", help="make the recording of the terminal in the README anew")
    record.set_defaults(run=_record)
    results = commands.add_parser("results", help="write what docs/samples.md says into the README's table")
    results.set_defaults(run=_results)
    args = parser.parse_args()
    return int(args.run(args))


def _check(args: argparse.Namespace) -> int:
    from docs.builder import check, page

    wrong = 0
    for path in args.pages or page.pages():
        run = check.Run(page.read(path))
        findings = run.run()
        for finding in findings:
            print(finding, end="\n\n")
        if args.accept:
            check.accept(run.page, run.done)
        wrong += len(findings)
        print(f"{run.page.name}: {len(run.page.runs)} blocks, " + (f"{len(findings)} wrong" if findings else "all as written"))
    return 1 if wrong and not args.accept else 0


def _notebook(args: argparse.Namespace) -> int:
    from docs.builder import notebook, page

    for path in args.pages:
        print(notebook.write(page.read(path)))
    return 0


def _build(args: argparse.Namespace) -> int:
    from docs.builder import site

    try:
        print(f"built {site.build(run=not args.fast)}")
    except site.CannotBuild as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _record(args: argparse.Namespace) -> int:
    from docs.builder import recording

    print(recording.record())
    return 0


def _results(args: argparse.Namespace) -> int:
    from docs.builder import results

    results.write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
