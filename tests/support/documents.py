"""The commands that the documents of a project give."""

import re
from pathlib import Path

# What a command starts with, where it stands in a sentence.
PROGRAMS = r"(?:bin/(?:deploy|over-ssh|restore|server-setup)|cd|chmod|df|docker|drydock|git|kubectl|make|openssl|pytest|python|ssh|ssh-\w+|uv|pipenv|nano|sudo)"


def commands(markdown: str) -> list[str]:
    """Return the commands of a document, without comments, in their order: lines of its shell blocks, and code in sentences."""
    found = []
    for block, code in re.findall(r"(?ms)^```sh\n(.*?)^```$|`([^`\n]+)`", markdown):
        lines = [re.sub(r"(^|\s+)#.*", "", line) for line in block.splitlines()]
        found += [line for line in lines if line and not re.match(r"\w+=", line)]
        if re.fullmatch(rf"{PROGRAMS}(?: .*)?", code):
            found.append(code)
    return list(dict.fromkeys(found))


def documented(project: Path) -> list[str]:
    """Return the commands that a project's documents give."""
    paths = [project / "README.md", *sorted(project.glob("docs/*.md"))]
    return list(dict.fromkeys(c for path in paths for c in commands(path.read_text("utf-8"))))


# Those that tests/stack/test_deploy.py runs on a server, as they stand.
ON_A_SERVER = [
    "make",
    "make releases",
    "make backup",
    "make backups",
    "make backup-test",
    "make maintenance",
    "make maintenance STATE=off",
    "make cleanup",
    "docker compose ps",
    r"docker compose logs \w+",
    "docker system df",
    "df -h",
    "openssl rand -hex 32",
    "docker compose exec backend python manage.py sendtestemail you@example.com",
    "docker compose exec backend python manage.py seed_readings",
    r"docker compose up --detach \w+ && make deploy",
]

# Those that other tests run, and where; a name in capital letters stands for something.
ELSEWHERE = {
    "make server": "stack/test_deploy.py::server",
    "make deploy|git pull && make deploy|bin/deploy": "stack/test_deploy.py::release",
    "make rollback|bin/deploy rollback --anyway": "stack/test_deploy.py::test_rollback_goes_back_and_says_what_the_release_before_does_not_know",
    "make restore( NAME=.*)?": "stack/test_backup.py::test_a_new_volume_for_a_new_major_version_as_documented",
    r"docker compose stop backend.*|docker compose rm --stop --force .*|docker volume .*|docker compose up --build --detach --wait \w+ backup": "stack/test_backup.py::test_a_new_volume_for_a_new_major_version_as_documented",
    "docker compose cp backup-files:/backups/NAME.sql.gz ~": "stack/test_backup.py::test_a_new_volume_for_a_new_major_version_as_documented",
    r"docker compose exec (mysql|mariadb|postgresql) .*|docker compose up --detach": "stack/test_backup.py::test_passwords_are_replaced_as_documented",
    "docker swarm init --advertise-addr ADDRESS|docker node update --label-add .*|make .env|bin/deploy run .*": "stack/test_swarm.py::swarm",
    "bin/deploy (staging|show|releases|rollback)|bin/deploy production rollback --anyway": "test_kubernetes.py::test_a_release_migrates_before_it_starts_pods",
    "kubectl apply --filename kubernetes/overlays/production/namespace.yml": "test_kubernetes.py::test_every_object_is_valid",
    "kubectl --namespace .* create job restore .*": "test_kubernetes.py::test_the_job_of_a_restore_is_the_backup_with_another_word",
    "bin/deploy HOST|bin/deploy deploy@ADDRESS": "stack/test_over_ssh.py::test_the_first_release_makes_settings_and_the_next_lets_no_visitor_down",
    r"bin/server-setup|ssh -i ~/.ssh/key.pem ubuntu@ADDRESS .*|ssh deploy@ADDRESS.*": "stack/test_over_ssh.py::test_a_fresh_machine_becomes_a_server",
    "drydock (preview|update) --set database=postgresql|docker compose down|docker compose exec -T backend python manage.py loaddata .*": "adoption/test_another_database.py::test_every_row_arrives",
    r"\(umask 077 && docker compose exec -T backend python manage.py dumpdata .*\)": "adoption/test_another_database.py::test_every_row_arrives",
    "drydock (preview|update) --set django_version=6.1|drydock update --set task_queue=celery": "drydock/test_new_answers.py::test_the_project_becomes_what_the_new_answer_makes",
    "make format": "adoption/test_recipes.py::test_recipes_hold_together_on_a_server",
    "python manage.py migrate --database archive": "adoption/test_recipes.py::test_models_of_old_tables_are_written_and_read",
    "make .env": "stack/test_ci.py::test_the_test_job_passes_as_written",
    "docker compose exec -T backend python manage.py inspectdb .*": "adoption/test_recipes.py::test_models_of_old_tables_are_written_and_read",
    r"rm \w+/accounts/migrations/0001_initial.py|.*python manage.py makemigrations accounts|docker compose run --rm --no-deps -T backend python manage.py shell -c .*": "adoption/test_recipes.py::test_users_of_an_old_site_log_in",
    "docker compose stop (beat|worker)|docker compose up --detach worker beat|docker compose exec worker celery .*": "stack/test_tasks.py::test_the_queues_are_drained_and_purged_as_documented",
    "docker compose up --build": "stack/test_ci.py::test_the_test_job_passes_as_written",
    "docker compose run --rm backend pytest": "stack/test_ci.py::test_the_test_job_passes_as_written",
    "docker compose exec backend python manage.py createsuperuser": "stack/conftest.py::add_administrator",
    "make logs": "stack/test_ci.py::test_the_test_job_passes_as_written",
    "make test|python manage.py test": "test_project.py::test_the_tests_of_the_sample_application_reach_every_line",
    "make messages": "test_project.py::test_make_messages_finds_nothing_that_is_not_translated",
    "make migrations": "stack/test_ci.py::check_migrations",
    "make browser": "test_project.py::test_the_lint_job_of_its_ci_passes_as_written",
    "make tdd": "test_project.py::test_tdd_reruns_the_tests_that_a_change_affects",
    "make hooks": "test_project.py::test_its_hooks_change_nothing_before_the_first_commit",
    "make app NAME=blog": "test_project.py::test_a_new_app_is_clean_and_its_test_passes",
    "make lock|make upgrade|uv add .*": "test_project.py::test_make_lock_follows_the_list_of_packages_and_make_upgrade_renews_all",
}

# Of its template, too.
ELSEWHERE |= {
    "git init|git add --all|git commit .*|drydock check": "test_captures.py::test_the_captured_report_is_what_the_command_prints",
    "drydock update --dry-run": "drydock/test_update.py::test_a_dry_run_writes_nothing",
    "drydock update": "drydock/test_update.py::test_both_sides_changes_are_there_afterwards",
    r"pip install git\+.*": "stack/test_readme.py::test_two_blocks_lead_to_a_page",
    "drydock preview --set NAME=VALUE": "drydock/test_commands.py::test_preview_shows_what_an_answer_would_change_and_writes_nothing",
    "drydock accept FILE --reason WHY": "drydock/test_accept.py::test_what_is_accepted_is_no_drift",
}

# Those that no test runs, and why.
REASONS = {
    "git diff": "git's own",
    "git clone URL.*|cd .*": "the address and the folder are the user's",
    "(chmod 400|ssh-add) (~/.ssh/)?key.pem|ssh-keygen .*": "a program of the laptop, as its manual has it",
    "ssh -i (~/.ssh/)?key.pem ubuntu@ADDRESS": "a login, to type the next commands there",
    "sudo .*": "packages of Ubuntu; bin/server-setup installs the same, and is tested",
    "nano .env.*": "an editor",
    r"docker exec \$\(.*|docker login ghcr.io|docker (node|secret|service) .*": "Docker's own; the backup is that of tests/stack/test_backup.py",
    "kubectl|kubectl --namespace .*|docker login": "it asks a cluster or a registry, which the tests do without",
    "docker compose (pull|build --pull).*": "it asks the image registry, which tests do without",
    "docker system prune": "it would remove what other tests need",
    "docker inspect --format .*": "Docker's own",
    "docker compose attach backend": "a terminal",
    "docker compose run --rm --no-deps backend": "a command of the user's follows",
    "docker compose build backend": "`make deploy` and most tests of stacks do that",
    "docker compose exec backend python manage.py migrate APP NAME": "which migration, only its author knows",
    "make run": "it serves until Ctrl-C; `make demo` of this repository runs its two commands",
}

# The commands in the blocks of this repository's own README, in each language: the test, or why there is none.
OWN = {
    "pip install git.*": "stack/test_readme.py::test_two_blocks_lead_to_a_page",
    "drydock new gh:ORG/django-drydock": "stack/test_readme.py::test_two_blocks_lead_to_a_page",
    "cd my_site": "stack/test_readme.py::test_two_blocks_lead_to_a_page",
    "docker compose up --build": "stack/test_readme.py::test_two_blocks_lead_to_a_page",
    "make server": "stack/test_deploy.py::server",
    "make deploy": "stack/test_deploy.py::release",
    "make demo": "it serves until Ctrl-C; its steps are those of test_project.py",
    "make test": "it runs these tests",
    "drydock check": "test_captures.py::test_the_captured_report_is_what_the_command_prints",
    "drydock update --dry-run": "drydock/test_update.py::test_a_dry_run_writes_nothing",
}
