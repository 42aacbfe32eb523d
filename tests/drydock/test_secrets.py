"""Secrets are shown nowhere; everything else is."""

import pytest

from drydock.limits import timed
from drydock.secrets import is_secret, is_secret_name, masked, masked_lines, masked_value


@pytest.mark.parametrize(
    "name",
    ["DB_PASS", "DB_PASSWORD", "password", "apiToken", "api_token", "SECRET_KEY", "API_KEY", "awsSecretAccessKey", "x-api-key",
     "client_secret", "KAKAO_CLIENT_SECRET", "access_token", "MYSQL_PWD", "private_key",
     "PGPASSWORD", "SSHPASS", "DBPASSWORD", "dbpass", "ACCESSTOKEN", "JWTSECRET", "SECRETKEY", "SECRET_KEY_BASE", "DB_PASSWORDS",
     "db_password_prod", "PASSWORD_OLD", "apiTokenDev", "REDISCLI_AUTH", "requirepass", "masterauth",
     "DB_PW", "DB_PASSCODE", "ACCESS_TOKEN_V2", "STRIPE_SK", "PASSWORD_HASH_SALT", "HASHIDS_SALT"],
)  # fmt: skip
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["max_tokens", "tokenizer", "tokens", "PASSWORD_HASHERS", "AUTH_PASSWORD_VALIDATORS", "token_url", "passes", "compass",
     "key", "public_key", "primary_key", "CACHE_KEYS", "SECRET_FILE", "bypass_it", "", "author", "auth", "basic_auth", "bypass",
     "proxy_cache_bypass", "token_lifetime", "pass_filenames", "password_validators", "key_prod", "public_key_dev", "publickey",
     "turnkey", "hotkey", "NOPASSWD", "base", "secrets", "PASSWORD_HASH", "oauth", "test", "pass_through",
     "token_limit", "PASSWORD_RESET_TIMEOUT", "secretName", "CSRF_COOKIE_NAME", "salt", "SK", "LOCALE_SK", "LANG_SK", "name_sk", "v2"],
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
        "URL=ssh://me:hunter2@host.example/x ssh://me:secret@host",
        "password: hunter2 secret",
        "URL=mysql://me:hun@ter2@host.example/x",
        "see https://host.example/a?token=hunter2&b=1",
        "SENTRY_DSN=https://0123456789abcdef@o1.ingest.example/2",
        "https://hooks.slack.com/services/T0/B0/hunter2",
        '{"password": "hunter2", "b": 1}',
        "password: str = 'hunter2'",
        "    set $api_token \"hunter2\";",
        "    proxy_set_header X-Api-Key hunter2;",
        "    fastcgi_param DB_PASSWORD 'hunter2';",
        "    add_header Authorization \"Bearer hunter2\";",
        "Authorization: Basic hunter2",
        "db_password: (hunter2",
        "db_password: <hunter2",
        "db_password: abc(hunter2",
        "db_password: $4hunter2",
        "db_password: {hunter2",
        "db_password: true-hunter2",
        "A_TOKEN=$X B_PASSWORD=hunter2 run",
        "{db: {password: hunter2, x: 1}, y: 2}",
        "passwords: {alice: hunter2}",
        '{"password": ["hunter2"]}',
        "<password>hunter2</password>",
        '<ns:api-key a="b">hunter2</ns:api-key>',
        '<add key="Password" value="hunter2"/>',
        '{"name": "DB_PASSWORD", "value": "hunter2"}',
        "os.environ.setdefault('DB_PASSWORD', 'hunter2')",
        "PASS=${PASS:-hunter2}",
        "A: ${DB_PASSWORD:-hunter2}",
        "sshpass -p hunter2 ssh host",
        "RUN mysql -u root -phunter2 <x",
        "mysqldump -phunter2 db",
        "curl -u user:hunter2 http://host.example",
        "redis-cli -h h -a hunter2 ping",
        "postgres://u:p$hunter2@h/db",
        "postgres://u:a/hunter2@h/db",
        "postgres://$USER:hunter2@h/db",
        "postgres://${USER:-u}:hunter2@h/db",
        "password: {{ x | default('hunter2') }}",
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
        "token_limit: 5",
        "max_tokens: 4096",
        "AUTH_PASSWORD_VALIDATORS: true",
        "PASSWORD_RESET_TIMEOUT=3600",
        "      secretName: app",
        "password: <password>",
        "password: $(cat /run/secrets/password)",
        "password: $(openssl rand -hex 32 | head -c 20; echo)",
        "password: `cat x`",
        "password: $1",
        "PASSWORD=${1:?a password, please}",
        "PASSWORD=${DB_PASSWORD:-}",
        "PASSWORD=${OTHER:-$DB_PASSWORD}",
        "TOKEN: ${{ secrets.GITHUB_TOKEN }}",
        "password: str = Field(",
        "token = get_token(request)",
        "    set $api_token $http_x_api_token;",
        "    proxy_set_header Authorization $http_authorization;",
        '    proxy_set_header X-Api-Key "$api_key";',
        '"password": {"type": "string", "description": "of a user"},',
        "postgres://${USER}:${PASSWORD}@h/db",
        "postgres://$USER:$PASSWORD@h/db",
        "postgres://<user>:<password>@h/db",
        "http://host.example:8000/a@b",
        "http://a.example:80,http://me@b.example",
        'fields = ("password", "email")',
        "curl -u $USER:$PASSWORD http://host.example",
        "mysql -p$PASSWORD -e 1",
        "mysql --protocol tcp -p db",
        'os.environ.get("DB_PASSWORD", None)',
        "use_token: 1",
        "id-token: write # to sign it",
        "names = {entry.key: entry.value for entry in entries}",
        "ssl_certificate_key $certificates/privkey.pem;",
        "ssl_certificate_key /etc/nginx/tls/privkey.pem;",
        'f"PASSWORD={PASSWORD} {x}"',
        "environment.database(f'mysql://{user}:{password}@{host}/x')",
        """token = re.search(r'name="csrf_token" value="(\\w+)"', text)""",
        "secret = [key for key in environment]",
        "Type it after `mysql -uroot -p`, or set `SERVICE_KEY=`, which is empty.",
        '{"_secrets": {"base": ["DJANGO_SECRET_KEY"]}}',
        'run("-e", "SHOP_KEY=", "backend")',
        r'URL = re.compile("https?://[\w.-]+(:[0-9]+)?(/[^?#@]*)?@x")',
        "secrets: inherit",
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
        "passwords:\n  alice: hunter2\nx: after\n",
        "passwords:\n- hunter2\nx: after\n",
        "secret:\n  a: {b: hunter2}\n  alice: hunter2\n\n  bob:\n    c: hunter2\nx: after\n",
        "- db_password: |\n    hunter2\n    second: hunter2\n\n    hunter2\n- after\n",
        "db_password: >-\n\n  hunter2\n\n  hunter2\nx: after\n",
        "secret:\n  a: |\n    hunter2\n    b\n  c: hunter2\nafter: 1\n",
        '"passwords": {\n  "alice": "hunter2",\n  "bob": ["hunter2"]\n},\n"x": "after"\n',
        '"password": [\n  "hunter2"\n]\n"x": "after"\n',
        '[secrets]\nfoo = "hunter2"\n[x]\nafter = 1\n',
        "[a.passwords] # c\nfoo: hunter2\n[after]\n",
        'password = """\nhunter2\n"""\nafter = 1\n',
        'password = """\nhunter2\n\nx = hunter2"""\nafter = 1\n',
        "env:\n- value: hunter2\n  name: DB_PASSWORD\n- value: after\n  name: DB_HOST\n",
        'variable "db_password" {\n  type = string\n  default = "hunter2"\n}\nafter = 1\n',
        "SECRET_KEY = (\n    'hunter2'\n    'hunter2'\n)\nafter = 1\n",
    ],
)
def test_a_secret_on_the_next_line(text: str) -> None:
    shown = "".join(masked_lines(text.splitlines(keepends=True)))
    assert "hunter2" not in shown
    assert shown.count("\n") == text.count("\n")
    assert ("after" in text) == ("after" in shown)


@pytest.mark.parametrize(
    "text",
    [
        "secrets:\n  db_password:\n    file: ./secrets/password.txt\n    external: true\nx: 1\n",
        "services:\n  web:\n    secrets:\n      - db_password\n      - source: api_key\n        target: key.txt\n",
        "volumes:\n- name: s\n  secret:\n    secretName: app\n    defaultMode: 0400\n",
        "on:\n  workflow_call:\n    secrets:\n      TOKEN:\n        required: true\n        description: of GitHub\n",
        "env:\n- name: DB_PASSWORD\n  valueFrom:\n    secretKeyRef:\n      name: app\n      key: password\n",
        "env:\n- value: a\n- name: DB_PASSWORD\n",
        "PASSWORD=\nHOST=localhost\n",
        "[tool.ruff]\nline-length = 100\n",
        '"password": {\n  "type": "string",\n  "maxLength": 128\n}\n',
        "secrets:\n  TOKEN: ${{ secrets.TOKEN }}\n",
        'extra_kwargs = {\n    "password": {\n        "write_only": True,\n        "style": {"a": 1},\n    }\n}\n',
    ],
)
def test_what_is_said_about_a_secret_is_shown(text: str) -> None:
    assert "".join(masked_lines(text.splitlines(keepends=True))) == text


def test_no_lines_have_no_secrets() -> None:
    assert list(masked_lines([])) == []


@pytest.mark.parametrize(
    "part", ["$a/--", "`", "{{", "${A:-", "mysql ", "://a:", "'password': {a}"]
)
def test_a_text_that_is_made_to_be_slow_is_not(part: str) -> None:
    text = f"password: {part * 1000}!"
    with timed(5):
        assert list(masked_lines([text]))
        assert is_secret("password", text) is not None


def test_a_value_belongs_to_the_name_of_its_pair() -> None:
    assert is_secret("spec.env[DB_PASSWORD].value", "hunter2")
    assert not is_secret("spec.env[DB_HOST].value", "mysql")
    assert is_secret("db.passwords[]", "hunter2")
    assert is_secret("db.passwords[0]", "hunter2")
    assert not is_secret("services.web.secrets[]", "db_password")
    assert not is_secret("permissions.id-token", "write")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("db_password", "86753091234"),
        ("passwords.alice", "hunter2"),
        ("secret.a.b", "hunter2"),
        ("secrets.foo", "hunter2"),
        ("password[]", "hunter2"),
        ("a.passwords[0].b", "hunter2"),
    ],
)
def test_values_below_a_secret_are_secret(key: str, value: str) -> None:
    assert is_secret(key, value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("secrets.db_password.file", "./x"),
        ("services.web.secrets[db_password].source", "db_password"),
        ("volumes[s].secret.secretName", "app"),
        ("on.workflow_call.secrets.TOKEN.required", "true"),
        ("jobs.x.secrets.TOKEN", "${{ secrets.TOKEN }}"),
        ("repos[x].hooks[detect-secrets].args[]", "--baseline"),
        ("passwords", "(2 keys)"),
        ("token_limit", "5"),
    ],
)
def test_what_is_said_about_a_secret_is_none(key: str, value: str) -> None:
    assert not is_secret(key, value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("http.server.set", '$api_token "hunter2"'),
        ("server.proxy_set_header", "X-Api-Key hunter2"),
        ("server.add_header", 'Authorization "Bearer hunter2"'),
        ("0.ENV", "DB_PASSWORD hunter2"),
        ("0.RUN", "mysql -phunter2 ⏎ x"),
        ("uwsgi.env", "DB_PASSWORD=hunter2"),
        ("command[]", "--password hunter2"),
    ],
)
def test_a_value_may_have_a_name_of_its_own(key: str, value: str) -> None:
    shown = masked_value(key, value)
    assert "hunter2" not in shown
    assert shown.startswith(value.split()[0].partition("=")[0])
    assert shown.endswith("⏎ x") == value.endswith("⏎ x")
