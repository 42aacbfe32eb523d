# In the image: it has the Python of production, and what the packages are built with.
COMPILE := docker compose run --rm --build --no-deps -e HOME=/tmp backend pip-compile --quiet --upgrade \
	--generate-hashes --allow-unsafe --strip-extras --no-header --no-annotate --no-emit-index-url

install: .venv/ready ## Install what requirements-dev.txt lists into .venv

.venv/ready: requirements-dev.txt
	python3 -m venv --upgrade-deps .venv
	.venv/bin/pip install --quiet --require-hashes --requirement requirements-dev.txt
	touch $@

lock: ## Renew the versions in the requirements files, from pyproject.toml
	$(COMPILE) --extra production --output-file requirements.txt pyproject.toml
	$(COMPILE) --extra dev --output-file requirements-dev.txt pyproject.toml

