# Everything one does with this course. Needs Python 3.11, 3.12 or 3.13, git and make; the rest it fetches itself.
#   make lab PYTHON=/path/to/python3.12     to choose the Python when .venv is first made
#   make lab LAB_ARGS="--no-browser"        to pass JupyterLab more arguments
#   make notebooks NOTEBOOKS=notebooks/02*  to store only some

PY := .venv/bin/python
NOTEBOOKS := notebooks/*.ipynb
WORLD := tests/new_world
CARD := report_card.html
# Two workers; who does what, and that a failing cell is one failure, is in tests/course_workers.py. No machine is too slow.
NBVAL := -p course_workers -n 2 --nbval-lax --nbval-current-env --nbval-cell-timeout=600 --nbval-kernel-startup-timeout=600

.PHONY: help setup lab test test-colab notebooks rebuild results results-preferences results-all world bench lock clean FORCE

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | while IFS='	' read -r name what; do printf '  make %-20s %s\n' "$$name" "$$what"; done

setup: .venv/.installed  ## the Python environment in .venv; the other targets see to it themselves

# No check for updates, no news: the course asks nothing of the network. Trusted, as JupyterLab shows no drawing before.
lab: .venv/.installed  ## open the course in JupyterLab
	@$(PY) -m jupyter trust notebooks/*.ipynb > /dev/null
	$(PY) -m jupyterlab --ServerApp.root_dir="$(CURDIR)" --LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb \
		--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate --LabApp.news_url=None $(LAB_ARGS)

test: .venv/.installed  ## lint, unit tests, notebooks, browser
	$(PY) -m ruff check .
	PYTHONPATH=tests $(PY) -m pytest $(NBVAL) notebooks tests -m "not slow"

test-colab: .venv-colab/.installed  ## the notebooks, with the older libraries that Colab has
	PYTHONPATH=tests .venv-colab/bin/python -m pytest $(NBVAL) notebooks

notebooks: .venv/.installed  ## run every notebook and store it with its outputs
	$(PY) tools/store_notebooks.py $(NOTEBOOKS)

rebuild: .venv/.installed  ## corpus, tokenizer, models and results from nothing
	$(PY) -m helpers.experiments.rebuild

results: .venv/.installed  ## four more random starts and the experiments that notebooks draw; goes on where it was stopped
	$(PY) -m helpers.experiments.rebuild seeds
	$(PY) -m helpers.experiments

results-preferences: .venv/.installed  ## those of notebook C: preferences and rewards
	$(PY) -m helpers.experiments.rebuild seeds
	$(PY) -m helpers.experiments preferences

results-all: results  ## the other experiments too
	$(PY) -m helpers.experiments all

world: .venv/.installed  ## another world, from its tables to a report card: make world WORLD=tests/new_world CARD=card.html
	$(PY) -m helpers.showing.report_card --world "$(WORLD)" -o "$(CARD)"

bench: .venv/.installed  ## measure the speeds that the course promises
	$(PY) -m tests.bench

# uv, as pip cannot lock for other platforms. It names neither an index nor a path in what it writes.
lock:  ## requirements.txt and environment.yml from pyproject.toml; LOCK_ARGS=--upgrade for newer versions
	@tools/make_venv.sh .venv-tools uv
	.venv-tools/bin/uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 --all-extras \
		--generate-hashes --no-emit-index-url --no-emit-find-links --no-header $(LOCK_ARGS) \
		pyproject.toml -o requirements.txt
	.venv-tools/bin/python tools/pin_environment.py

clean:  ## remove the environments and caches; `make lab` brings back what it needs
	rm -rf .venv .venv-colab .venv-tools .pytest_cache .ruff_cache .hypothesis
	find helpers tests tools -name __pycache__ -prune -exec rm -rf {} +

.venv/.installed: requirements.txt
	@tools/make_venv.sh .venv --require-hashes -r requirements.txt

.venv-colab/.installed: tests/colab-requirements.txt
	@tools/make_venv.sh .venv-colab -r tests/colab-requirements.txt

# A system upgrade may take away the Python that an environment was made from: then make it anew.
runs = $(shell $(1)/bin/python -c 'print("yes")' 2>/dev/null)
ifeq ($(call runs,.venv),)
.venv/.installed: FORCE
endif
ifeq ($(call runs,.venv-colab),)
.venv-colab/.installed: FORCE
endif
