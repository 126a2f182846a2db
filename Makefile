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
.PHONY: help run test lab app notebooks assignments grade gradescope cifar10 caltech101 sample \
        bench lint format requirements environment clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

run: environment  ## execute all notebooks into build/notebooks/*.html
	@$(PYTHON) -m tools.notebooks run

# A file's tests, and a notebook's cells, stay together. A notebook takes up to a gigabyte, hence
# no more than four at once.
test: environment  ## run the tests and compare the notebooks' outputs
	@$(PYTHON) -m pytest -n auto --maxprocesses=4 --dist=loadfile

lab: environment  ## open JupyterLab on the notebooks
	@$(PYTHON) -m nbformat.sign notebooks/*.ipynb >/dev/null
	@$(PYTHON) -m jupyterlab --LabApp.default_url=/lab/tree/notebooks

app: environment  ## open the search page in a browser [PORT=8866]
	@$(PYTHON) -m tools.search_page $(call option,--port,PORT)

notebooks: environment  ## execute the notebooks in place, on the sample [NOTEBOOK=02]
	@$(PYTHON) -m tools.notebooks record $(call option,,NOTEBOOK)

assignments: environment  ## make the students' versions of the assignments, and their solutions
	@$(PYTHON) -m tools.classroom release

grade: environment  ## grade a folder of submitted notebooks [SUBMISSIONS=folder OUTPUT=folder TRUST=1]
	@$(PYTHON) -m tools.classroom grade $(call option,--submissions,SUBMISSIONS) \
	    $(call option,--output,OUTPUT) $(if $(filter command,$(origin TRUST)),--trust)

gradescope: environment  ## write an autograder for Gradescope [ASSIGNMENT=name]
	@$(PYTHON) -m tools.classroom gradescope $(call option,--assignment,ASSIGNMENT)

cifar10: environment  ## build the real CIFAR-10 data [ARCHIVE=path BACKBONE=name SIZE=px TRAIN=2005]
	@$(PYTHON) -m image_retrieval cifar10 $(options) $(call option,--train,TRAIN) \
	    $(call option,--test,TEST)

caltech101: environment  ## build the real Caltech-101 data [ARCHIVE=path BACKBONE=name WEIGHTS=path]
	@$(PYTHON) -m image_retrieval caltech101 $(options)

sample: environment  ## draw the bundled samples again from their sources (needs Node.js)
	@$(PYTHON) -m tools.sample.build

bench: environment  ## measure features and search engines
	@$(PYTHON) -m tools.bench

lint: environment  ## check the style of the code, its types, and the rules of committed notebooks
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy
	@$(PYTHON) -m tools.notebooks check

format: environment  ## put the code into the style that lint checks
	@$(PYTHON) -m ruff check --fix-only --quiet .
	@$(PYTHON) -m ruff format .

requirements:  ## compile both editions' requirements*.txt again from requirements*.in
	@$(SETUP) compile $(ASKED)

environment:
	@$(if $(COURSE_PYTHON),true,$(SETUP) setup $(ASKED))

clean:  ## remove what was made, but for the environment and the data
	@test ! -d build || find build -mindepth 1 -maxdepth 1 ! -name uv -exec rm -rf {} +
	@rm -rf .mypy_cache .pytest_cache .ruff_cache
	@find . -path './.venv*' -prune -o -name __pycache__ -type d -exec rm -rf {} +
