"""Build .venv once, and again when pyproject.toml changes: python3 .ci/venv.py [EXTRAS]

EXTRAS is a comma-separated list of the project's extras ("dev,samples"). The Makefile calls this; it needs nothing but
Python's standard library. Two calls at the same time wait for each other.
"""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "installed-extras"


def main() -> int:
    if sys.version_info < (3, 10):  # noqa: UP036 - whoever has an older one meets this line first
        return fail(f"minitorch needs Python 3.10 or newer, this is {sys.version.split()[0]}; "
                    "name another one: make PYTHON=python3.12 ...")
    extras = {extra for extra in "".join(sys.argv[1:2]).split(",") if extra}
    with one_at_a_time():
        wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
        have = STAMP.read_text().split() if STAMP.exists() and runs(PYTHON) else []
        if have[:1] == [wanted] and extras <= set(have[1:]):
            return 0
        extras |= set(have[1:])  # what one target installed, the next one keeps
        return build(extras, wanted)


def build(extras: "set[str]", wanted: str) -> int:
    if not runs(PYTHON):
        shutil.rmtree(VENV, ignore_errors=True)  # half-built, or its Python has gone
        try:
            import ensurepip  # noqa: F401
        except ImportError:
            return fail(f"{sys.executable} comes without ensurepip, which builds virtual environments; "
                        "install it (Debian, Ubuntu: apt install python3-venv) or name another Python: make PYTHON=...")
        print("Building .venv ...", flush=True)
        if subprocess.run([sys.executable, "-m", "venv", str(VENV)]).returncode:
            return fail(f"could not build {VENV} (see above)")
    target = f".[{','.join(sorted(extras))}]" if extras else "."
    print(f"Installing {target} into .venv ...", flush=True)
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--editable", target]
    if subprocess.run(pip, cwd=ROOT).returncode:
        return fail("pip could not install the packages above; is the package index reachable?")
    aside = STAMP.with_suffix(".new")
    aside.write_text(" ".join([wanted, *sorted(extras)]))
    os.replace(aside, STAMP)
    return 0


def runs(python: Path) -> bool:
    """Whether there is a Python at this path that starts and has pip."""
    return python.exists() and subprocess.run([str(python), "-c", "import pip"], capture_output=True).returncode == 0


@contextlib.contextmanager
def one_at_a_time() -> "Iterator[None]":
    """Hold a lock that the system drops even when this process is killed."""
    with open(ROOT / ".venv.lock", "w") as lock:
        try:
            import fcntl
        except ImportError:  # Windows has no make, and so no make -j
            yield
            return
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def fail(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
