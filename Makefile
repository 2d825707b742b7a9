# Every target builds the virtual environment it needs in .venv, once. Another Python: make PYTHON=python3.12 test
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint docs bench clean venv-demo venv-dev venv-docs venv-bench

demo: venv-demo  ## the terminal, paused inside the backward pass of a small network
	@$(BIN)/minitorch demo

# As many processes as there are cores; within each, the libraries' own threads would only wait for those of the others.
test: venv-dev  ## all tests
	@OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto --dist loadfile

lint: venv-dev  ## style, types, and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

docs: venv-docs  ## the site, in build/site/index.html: every page carried out, spelling and links checked
	@OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/python -m docs build

bench: venv-bench  ## our speed beside the peers'
	@$(BIN)/python -m benchmarks

clean:
	rm -rf .venv .venv.lock build dist *.egg-info .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache

# Cheap when nothing changed: .ci/venv.py compares pyproject.toml with what it installed last.
venv-demo:
	@$(PYTHON) .ci/venv.py
venv-dev:
	@$(PYTHON) .ci/venv.py dev,samples
venv-docs:
	@$(PYTHON) .ci/venv.py docs,samples
venv-bench:
	@$(PYTHON) .ci/venv.py bench,fast,samples
