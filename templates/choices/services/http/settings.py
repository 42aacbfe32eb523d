# Other services: {{ cookiecutter.project_slug }}/services/

# What others call this one: the name that they have in their SERVICE_URLS.
SERVICE_NAME = "{{ cookiecutter.project_slug|replace("_", "-") }}"
SERVICE_URLS = services.urls("SERVICE_URLS")
# The first signs; all are published, so that a new one is known before it signs.
SERVICE_KEYS = services.keys("SERVICE_KEY", "0" * 64 if DEBUG else None)
