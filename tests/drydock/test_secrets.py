"""Secrets are shown nowhere; everything else is."""

import pytest

from drydock.secrets import is_secret, is_secret_name, masked, masked_lines


@pytest.mark.parametrize(
    "name",
    ["DB_PASS", "DB_PASSWORD", "password", "apiToken", "api_token", "SECRET_KEY", "API_KEY", "awsSecretAccessKey", "x-api-key",
     "client_secret", "KAKAO_CLIENT_SECRET", "access_token", "MYSQL_PWD", "private_key",
     "PGPASSWORD", "SSHPASS", "DBPASSWORD", "dbpass", "ACCESSTOKEN", "JWTSECRET", "SECRETKEY", "SECRET_KEY_BASE", "DB_PASSWORDS",
     "db_password_prod", "PASSWORD_OLD", "apiTokenDev", "REDISCLI_AUTH", "requirepass", "masterauth"],
)  # fmt: skip
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["max_tokens", "tokenizer", "tokens", "PASSWORD_HASHERS", "AUTH_PASSWORD_VALIDATORS", "token_url", "passes", "compass",
     "key", "public_key", "primary_key", "CACHE_KEYS", "SECRET_FILE", "bypass_it", "", "author", "auth", "basic_auth", "bypass",
     "proxy_cache_bypass", "token_lifetime", "pass_filenames", "password_validators", "key_prod", "public_key_dev", "publickey",
     "turnkey", "hotkey", "NOPASSWD", "base", "secrets", "PASSWORD_HASH", "oauth", "test", "pass_through"],
)  # fmt: skip
def test_names_of_what_is_none(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    "line",
    [
        "DB_PASS=hunter2",
        "DB_PASS=a,hunter2",
        "  - DB_PASS=a;b,'hunter2",
        "export DB_PASS=a,hunter2",
        "password: a,hunter2",
        'password: "hunter2"  # why',
        "ENV DB_PASSWORD hunter2",
        "ENV A=1 DB_PASSWORD=hunter2",
        "    proxy_set_header Authorization \"Bearer hunter2hunter2\";",
        "    set $api_token hunter2;",
        'API_KEY = env("API_KEY", default="hunter2")',
        "API_KEY = os.environ.get('API_KEY', 'hunter2')",
        "machine host.example login me password hunter2",
        "REDISCLI_AUTH=hunter2",
        "requirepass hunter2",
        "masterauth hunter2",
        "SECRET_KEY_BASE: hunter2",
        "mysql --password hunter2 -e 1",
        "mysql --password=hunter2 -e 1",
        "URL=ssh://me:hunter2@host.example/x",
        "URL=mysql://me:hun@ter2@host.example/x",
        "see https://host.example/a?token=hunter2&b=1",
        "SENTRY_DSN=https://0123456789abcdef@o1.ingest.example/2",
        "https://hooks.slack.com/services/T0/B0/hunter2",
        '{"password": "hunter2", "b": 1}',
        "password: str = 'hunter2'",
        *(f"DJANGO_SECRET_KEY={start}7@x!0^q9&z_1*m-4=v2+b5c8hunter2d3f6g" for start in ("(", "$k", "k3(")),
    ],
)  # fmt: skip
def test_lines_with_secrets(line: str) -> None:
    shown = masked(line)
    assert "***" in shown
    assert "hunter2" not in shown
    assert "hun@" not in shown
    assert "0123456789abcdef" not in shown


@pytest.mark.parametrize(
    "line",
    [
        "  id-token: write",
        "max_tokens = 100",
        "tokenizer: cl100k",
        "def login(user: str, password: str) -> None:",
        "    token: str | None",
        "password = os.environ['DB_PASSWORD']",
        "DB_PASSWORD: ${DB_PASSWORD:?}",
        "SECRET_KEY = get_random_secret_key()",
        "password: {{ password }}",
        "pass the salt to the cook",
        "AUTH_PASSWORD_VALIDATORS = [",
        "https://host.example/a@b",
        "Bearer $api_token",
        "TOKEN=",
        """printf '[client]\\npassword="%s"\\n'""",
        "TOKEN=$THE_VARIABLE_THAT_HAS_THE_TOKEN_OF_TODAY",
        "token_url: https://host.example/oauth/token",
    ],
)
def test_lines_without_secrets(line: str) -> None:
    assert masked(line) == line


@pytest.mark.parametrize(
    "text",
    [
        "- name: DB_PASSWORD\n  value: hunter2\n",
        '{\n"name": "API_TOKEN",\n"value": "hunter2"\n}\n',
        "password: >-\n  hunter2\n",
        "PASSWORD = \\\n    'hunter2'\n",
        "passwords:\n  - hunter2\n  - hunter2\n",
        "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----\nafter\n",
    ],
)
def test_a_secret_on_the_next_line(text: str) -> None:
    shown = "".join(masked_lines(text.splitlines(keepends=True)))
    assert "hunter2" not in shown
    assert shown.count("\n") == text.count("\n")
    assert ("after" in text) == ("after" in shown)


def test_a_value_belongs_to_the_name_of_its_pair() -> None:
    assert is_secret("spec.env[DB_PASSWORD].value", "hunter2")
    assert not is_secret("spec.env[DB_HOST].value", "mysql")
    assert is_secret("db.passwords[]", "hunter2")
    assert is_secret("db.passwords[0]", "hunter2")
    assert not is_secret("services.web.secrets[]", "db_password")
    assert not is_secret("permissions.id-token", "write")
