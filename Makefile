PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BASE := main

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast endurance adoption lint docs diff lock captures address bench bench-stacks clean

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

# A virtual environment with everything that the targets below need.
$(VENV)/ready: requirements-dev.txt
	@echo "Installing the tools into $(VENV) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.14 ...")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements-dev.txt
	@touch $@

demo: $(VENV)/ready ## Generate a project (SQLite, local-memory cache), test it, and serve it on loopback
	@$(BIN)/python tools/demo.py

test: lint ## Run all tests; those that need Docker run if it is available
	$(BIN)/pytest -n auto --dist worksteal -m "not stack" --cov --cov-fail-under=95
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m stack

endurance: $(VENV)/ready ## Test stacks under load and in trouble, for hours
	ENDURANCE=long $(BIN)/pytest -n 0 tests/endurance tests/stack/test_backup.py tests/stack/test_deploy.py tests/stack/test_history.py tests/stack/test_nodes.py tests/stack/test_over_ssh.py tests/stack/test_python.py tests/stack/test_services.py tests/stack/test_swarm.py tests/stack/test_swarm_tasks.py tests/stack/test_tasks.py

adoption: $(VENV)/ready ## Move applications of others into generated projects, and look at their pages
	ENDURANCE=long $(BIN)/pytest -n 0 tests/adoption

test-fast: $(VENV)/ready ## Run the tests that need no Docker, no installed project and little time
	$(BIN)/pytest -n auto --dist worksteal -m "not stack and not project and not slow"

lint: $(VENV)/ready ## Check the template's own code
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/deptry drydock
	$(BIN)/deptry --exclude templates --ignore DEP004 bench drydock hooks tests tools
	$(BIN)/python tools/lock.py --check

# The documentation's own environment: what builds it, and drydock's dependencies.
$(VENV)-docs/ready: requirements-docs.txt
	@$(PYTHON) -m venv $(VENV)-docs
	@$(VENV)-docs/bin/python -m pip install --quiet --require-hashes --requirement requirements-docs.txt
	@touch $@

docs: $(VENV)-docs/ready ## Build the documentation into site/; a warning is an error
	$(VENV)-docs/bin/python tools/docs.py

diff: $(VENV)/ready ## Show what the commits since main (or BASE=...) change in generated projects, as Markdown
	@$(BIN)/python tools/rendered_diff.py "$$(git merge-base $(BASE) HEAD)"

lock: $(VENV)/ready ## Pin what the catalogue's packages need; other versions stay
	$(BIN)/python tools/lock.py

upgrade: $(VENV)/ready ## Upgrade the versions of generated projects and of this repository's tools
	$(BIN)/python tools/lock.py --upgrade
	for group in dev docs; do $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-strip-extras --no-annotate --no-header pyproject.toml --group $$group --output-file requirements-$$group.txt || exit; done

captures: $(VENV)/ready ## Put what `drydock check` prints into the documents, and a picture of a page
	$(BIN)/python tools/captures.py

address: $(VENV)/ready ## Change the address of this repository everywhere: make address REPOSITORY=you/django-drydock
	$(BIN)/python tools/address.py "$(REPOSITORY)"

bench: $(VENV)/ready ## Hold generation and drydock against other templates and tools (fetched)
	$(BIN)/python bench/drift.py
	$(BIN)/python bench/templates.py
	$(BIN)/python bench/updates.py
	$(BIN)/python bench/generation.py

bench-stacks: $(VENV)/ready ## Measure requests, first paints and the start of stacks; needs Docker, wrk and Chromium
	$(BIN)/python bench/start.py
	$(BIN)/python bench/paint.py
	$(BIN)/python bench/serving.py --long

clean: ## Remove what the targets above created
	rm -rf $(VENV) $(VENV)-docs .demo .cache .coverage .mypy_cache .pytest_cache .ruff_cache site
