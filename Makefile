PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
READY := $(VENV)/ready

.PHONY: book anew test benchmark benchmark-paper format address readme clean

book: $(READY)  ## execute what has changed, and build the HTML book into _build/html
	$(VENV)/bin/python -m book.runner

anew: book  ## tune every prompt anew, say how far any number of the book moves, and keep the prompts with the repository
	$(VENV)/bin/python -m book.runner.anew

test: $(READY)  ## lint, types, unit tests, every chapter in the smoke profile, and how much of the library all this ran
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n auto --maxprocesses 4 --dist loadfile --cov
	$(VENV)/bin/python .ci/floor.py

benchmark: $(READY)  ## throughput of prompt tuning, the table, the closed form against the search, and sweeps toward texts
	PYTHONPATH=. $(VENV)/bin/python tests/benchmarks/tuning.py
	PYTHONPATH=. $(VENV)/bin/python tests/benchmarks/table.py
	PYTHONPATH=. $(VENV)/bin/python tests/benchmarks/transfer.py
	PYTHONPATH=. $(VENV)/bin/python tests/benchmarks/waywardness.py

benchmark-paper: $(READY)  ## the papers' sizes; PTLIB_LAMA and PTLIB_TOKENIZERS name folders with LAMA and tokenizers
	PYTHONPATH=. $(VENV)/bin/python tests/benchmarks/paper_scale.py

format: $(READY)  ## put the code into its usual form
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

address: $(READY)  ## carry the repository's address from pyproject.toml to where else it stands
	$(VENV)/bin/python -m book.runner.address

readme: $(READY)  ## put what the last `make book` measured into the README
	$(VENV)/bin/python -m book.runner.readme

clean:  ## remove everything that was made, the environment too
	rm -rf _build $(VENV)

$(READY): requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $(READY)
