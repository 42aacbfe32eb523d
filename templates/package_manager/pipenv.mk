# In the image: it has the Python of production, and what the packages are built with.
IMAGE := docker compose run --rm --build --no-deps -e HOME=/tmp -e PIPENV_DONT_LOAD_ENV=1 backend

install: ## Install what requirements-dev.txt lists into Pipenv's virtual environment
	pipenv run pip install --quiet --require-hashes --requirement requirements-dev.txt

lock: ## Renew the versions: Pipfile.lock, and the requirements files that everything installs
	$(IMAGE) sh -ec 'pipenv lock; \
	pipenv requirements --hash --exclude-index --categories "packages production" >requirements.txt; \
	pipenv requirements --hash --exclude-index --dev >requirements-dev.txt'

