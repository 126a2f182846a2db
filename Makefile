# `make` alone lists what there is to do.
#
# Every target that needs the environment sets it up first, which costs nothing once it is ready.
# Options such as TRAIN=2005 count on the command line only, never from the shell's environment.

# The edition that fits this machine, unless EDITION=turicreate or EDITION=portable is given.
ASKED := $(if $(filter command,$(origin EDITION)),'$(subst ','\'',$(EDITION))')
# Whatever Python the shell is set up for, the course's own brings all it needs: -E and unexport.
SETUP := python3 -E -m tools.environment
# Where a Python that has the requirements is given, as in the container, nothing is set up. Else
# its path is a relative one, because the clone's own may hold anything that a shell obeys.
PYTHON = $(if $(COURSE_PYTHON),"$$COURSE_PYTHON",$(shell $(SETUP) python $(ASKED)))

unexport PYTHONHOME PYTHONPATH PYTHONOPTIMIZE PYTHONSTARTUP PYTHONWARNINGS
# Imports are slow without compiled modules, and the environment is not the user's to keep tidy.
unexport PYTHONDONTWRITEBYTECODE

# $(call option,--train,TRAIN): the option with its value if TRAIN=… was given. The value goes
# through the environment, so that it may hold spaces and quotes.
option = $(if $(filter command,$(origin $(2))),$(1) "$$$(2)")

# What every data set can be told.
options = $(call option,--archive,ARCHIVE) $(call option,--backbone,BACKBONE) \
    $(call option,--size,SIZE) $(call option,--weights,WEIGHTS) $(call option,--seed,SEED) \
    $(if $(filter command,$(origin FLIP)),--flip) $(if $(filter command,$(origin RECIPE)),--recipe)

.DEFAULT_GOAL := help
.PHONY: help run test test-cluster lab app notebooks assignments grade gradescope cifar10 caltech101 \
        sample bench lint format site test-site requirements environment clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

run: environment  ## execute all notebooks into build/notebooks/*.html
	@$(PYTHON) -m tools.notebooks run

# A file's tests, and a notebook's cells, stay together. A notebook takes up to a gigabyte, hence
# no more than four at once.
test: with-dev  ## run the tests and compare the notebooks' outputs [ALL=1: those that take long, too]
	@$(PYTHON) -m pytest -n auto --maxprocesses=4 --dist=loadfile \
	    $(if $(filter command,$(origin ALL)),-m 'not network and not site and not cluster')

# A Milvus server listens to everybody, hence a network of its own.
test-cluster: with-dev with-cluster  ## run the tests on a Milvus server and a Ray cluster of this machine
	@$(PYTHON) -m tools.milvus_server $(PYTHON) -m pytest -m cluster tests/cluster

# JupyterLab refuses to run as root unless it is told to. The container has LAB_OPTIONS of its own.
lab: environment  ## open JupyterLab on the notebooks [PORT=8888 ARGS="--no-browser"]
	@$(PYTHON) -m nbformat.sign notebooks/*.ipynb >/dev/null
	@$(PYTHON) -m jupyterlab --LabApp.default_url=/lab/tree/notebooks $$LAB_OPTIONS \
	    $$(test "$$(id -u)" != 0 || echo --allow-root) $(call option,--port,PORT) \
	    $(if $(filter command,$(origin ARGS)),$$ARGS)

app: with-app  ## open the search page in a browser [PORT=8866]
	@$(PYTHON) -m tools.search_page $(call option,--port,PORT)

notebooks: environment  ## execute the notebooks in place, on the sample [NOTEBOOK=02]
	@$(PYTHON) -m tools.notebooks record $(call option,,NOTEBOOK)

assignments: with-classroom  ## make the students' versions of the assignments, and their solutions
	@$(PYTHON) -m tools.classroom release

grade: with-classroom  ## grade a folder of submitted notebooks [SUBMISSIONS=folder OUTPUT=folder TRUST=1]
	@$(PYTHON) -m tools.classroom grade $(call option,--submissions,SUBMISSIONS) \
	    $(call option,--output,OUTPUT) $(if $(filter command,$(origin TRUST)),--trust)

gradescope: with-classroom  ## write an autograder for Gradescope [ASSIGNMENT=name]
	@$(PYTHON) -m tools.classroom gradescope $(call option,--assignment,ASSIGNMENT)

cifar10: environment  ## build the real CIFAR-10 data [ARCHIVE=path BACKBONE=name SIZE=px TRAIN=2005]
	@$(PYTHON) -m image_retrieval cifar10 $(options) $(call option,--train,TRAIN) \
	    $(call option,--test,TEST)

caltech101: environment  ## build the real Caltech-101 data [ARCHIVE=path BACKBONE=name WEIGHTS=path]
	@$(PYTHON) -m image_retrieval caltech101 $(options)

sample: environment  ## draw the bundled samples again from their sources (needs Node.js)
	@$(PYTHON) -m tools.sample.build

bench: with-bench  ## measure features and search engines
	@$(PYTHON) -m tools.bench

lint: with-dev  ## check the style of the code, its types, and the rules of committed notebooks
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy
	@$(PYTHON) -m tools.notebooks check

format: with-dev  ## put the code into the style that lint checks
	@$(PYTHON) -m ruff check --fix-only --quiet .
	@$(PYTHON) -m ruff format .

site: tool-site  ## build the course site, with the course in a browser's tab, into build/site
	@$(shell $(SETUP) python site) -m tools.site

# The longest of its tests, the notebooks in a tab, are shared out one by one.
test-site: with-dev site  ## build the site and test it in Chromium, notebooks in a tab included
	@$(PYTHON) -m pytest -n auto --maxprocesses=4 --dist=worksteal -m site tests/site

# All of an edition's extras are pinned first, and what a student needs to the same versions. Pins
# that still fit stay as they are.
PIN := uv pip compile --quiet --custom-compile-command "make requirements"
PIN_TURICREATE := --python-version=3.8 --python-platform=x86_64-unknown-linux-gnu
PIN_PORTABLE := --python-version=3.9 --universal
COURSE := --no-emit-package=image-retrieval --no-emit-package=turicreate-portable
requirements:  ## pin what pyproject.toml names in requirements*.txt [TOOL=name]
ifdef TOOL
	@$(SETUP) $(PIN) pyproject.toml --group "$$TOOL" $(PIN_PORTABLE) -o "requirements-$$TOOL.txt"
else
	@echo '-e .[turicreate,dev,bench,cluster]' | $(SETUP) $(PIN) - $(PIN_TURICREATE) $(COURSE) \
	    -o requirements-all.txt
	@echo '-e .[turicreate]' | $(SETUP) $(PIN) - $(PIN_TURICREATE) -c requirements-all.txt \
	    --no-annotate -o requirements.txt
	@printf '%s\n' '-e .[portable,dev,bench,cluster]' '-e ./portable' | $(SETUP) $(PIN) - $(PIN_PORTABLE) \
	    $(COURSE) -o requirements-portable-all.txt
	@printf '%s\n' '-e .[portable]' '-e ./portable' | $(SETUP) $(PIN) - $(PIN_PORTABLE) \
	    -c requirements-portable-all.txt --no-annotate -o requirements-portable.txt
endif

# `environment` is what the notebooks need, `with-NAME` that and an extra of pyproject.toml, and
# `tool-NAME` is .venv-NAME, made of the group of that name alone (see `make requirements TOOL=NAME`).
environment:
	@$(if $(COURSE_PYTHON),true,$(SETUP) setup $(ASKED))

with-%:
	@$(if $(COURSE_PYTHON),true,$(SETUP) setup $(ASKED) +$*)

tool-%:
	@$(SETUP) setup $*

clean:  ## remove what was made, but for the environment and the data
	@test ! -d build || find build -mindepth 1 -maxdepth 1 ! -name uv -exec rm -rf {} +
	@rm -rf .mypy_cache .pytest_cache .ruff_cache
	@find . -path './.venv*' -prune -o -name __pycache__ -type d -exec rm -rf {} +
