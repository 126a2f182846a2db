# `make` alone lists what there is to do. Every target that needs the environment sets it up first.

EDITION := turicreate
VENV := $(if $(filter turicreate,$(EDITION)),.venv,.venv-$(EDITION))
PYTHON := $(VENV)/bin/python
BOOTSTRAP := python3

.DEFAULT_GOAL := help
.PHONY: help run test lab notebooks cifar10 caltech101 sample lint format bench requirements clean environment

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

run: environment  ## execute all notebooks into build/notebooks/*.html (IMAGE_RETRIEVAL_DATA chooses the data)
	@$(PYTHON) -m tools.notebooks run

test: environment  ## run all tests and compare the notebooks' outputs
	@$(PYTHON) -m pytest

lab: environment  ## open JupyterLab on the notebooks
	@$(PYTHON) -m jupyter trust notebooks/*.ipynb
	@PYTHONPATH="$(CURDIR)" $(PYTHON) -m jupyterlab notebooks

notebooks: environment  ## execute the notebooks in place and normalize them [NOTEBOOK=02]
	@$(PYTHON) -m tools.notebooks record $(NOTEBOOK)

lint: environment  ## check the style of the code, the notebooks' too
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .

format: environment  ## put the code into the style that `lint` checks
	@$(PYTHON) -m ruff check --fix-only --quiet .
	@$(PYTHON) -m ruff format .

environment:
	@test -x $(PYTHON)
