install: uv.lock ## Install what pyproject.toml asks for into .venv
	uv sync --quiet

lock: uv.lock ## Renew the versions: uv.lock, and the requirements files that the images install
	uv lock --upgrade
	uv export --quiet --no-dev --group production --no-emit-project --output-file requirements.txt
	uv export --quiet --no-emit-project --output-file requirements-dev.txt

# The first lock has the versions that the template was tested with.
uv.lock:
	uv add --quiet --no-sync --constraints requirements.txt --constraints requirements-dev.txt django

