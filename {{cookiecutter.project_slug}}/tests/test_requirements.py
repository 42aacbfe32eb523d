{% include "choices/package_manager/" ~ cookiecutter.package_manager ~ "/test_requirements.py" %}
