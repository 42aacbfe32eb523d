"""Put what `drydock check` prints into the documents, between the marks that say so, and take their picture.

    python tools/captures.py

A project of the default answers is generated from this template as it is here, under the template's public address.
Then a team makes two edits, and the template two changes: the captured report is what the command says to that.

The picture is of a district's page in the project of `make demo`, with readings up to a fixed time, so only a change of
the page changes it, or another machine's fonts. It needs Chromium.
"""

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tools.browser import MISSING, installed, opened, resize
from tools.demo import Demo, free_port

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = ("README.md", "README.ko.md", "docs/drydock.md", "docs/drydock.ko.md")
MARK = "<!-- drydock check: make captures -->"
BLOCK = re.compile(rf"(?<={re.escape(MARK)}\n\n```\n).*?(?=```\n)", re.DOTALL)
TOP = "{{cookiecutter.project_slug}}"
# What a render needs, and the edits: a file, what it has, and what it then has.
PARTS = ("cookiecutter.json", "hooks", "templates", TOP)
HERE = (
    ("docker-compose.yml", "image: redis:8\n", "image: redis:8.2\n"),
    ("uwsgi.ini", "threads = 8\n", "threads = 16\n"),
)
UPSTREAM = (
    ("cookiecutter.json", '"image": "redis:8"', '"image": "redis:8.4"'),
    (f"{TOP}/nginx/nginx.conf", "keepalive_timeout 620s;", "keepalive_timeout 75s;"),
)
PICTURE = "docs/district.png"
SIZE = (1280, 800)
PAGE = "districts/01/"
# It rains, and has rained before.
UNTIL = "2026-11-18T17:00Z"


def address() -> str:
    """Return the template's public address: pyproject.toml has it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return str(project["urls"]["Repository"])


def run(folder: Path, *words: str, env: Mapping[str, str], status: int = 0) -> str:
    """Run a program in a folder; return what it printed. RuntimeError if it ends with another status."""
    env = {**os.environ, "PWD": str(folder), **env}
    result = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True)
    if result.returncode != status:
        raise RuntimeError(f"{' '.join(words)}: {result.stdout}{result.stderr}")
    return result.stdout


def edit(folder: Path, edits: tuple[tuple[str, str, str], ...]) -> None:
    """Change files; ValueError for one that does not have what is to be changed, once."""
    for name, old, new in edits:
        text = (folder / name).read_text("utf-8")
        if text.count(old) != 1:
            raise ValueError(
                f"{name}: has {old!r} {text.count(old)} times; tools/captures.py edits it."
            )
        (folder / name).write_text(text.replace(old, new), "utf-8")


def capture() -> str:
    """Return the report."""
    with tempfile.TemporaryDirectory() as name:
        template, sites = Path(name, "template"), Path(name, "sites")
        settings = {
            f"url.file://{template}.insteadOf": f"{address()}.git",
            "user.name": "A",
            "user.email": "a@b.co",
        }
        env = {
            "GIT_CONFIG_COUNT": str(len(settings)),
            "DRYDOCK_CACHE": f"{name}/cache",
            "LC_ALL": "C.UTF-8",
        }
        for number, (key, value) in enumerate(settings.items()):
            env |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        config = Path(name, "cookiecutter.yml")
        config.write_text(f"cookiecutters_dir: {name}/clones\nreplay_dir: {name}/replay\n", "utf-8")

        def commit(folder: Path, day: str) -> None:
            date = {f"GIT_{who}_DATE": f"{day}T12:00:00Z" for who in ("AUTHOR", "COMMITTER")}
            run(folder, "git", "add", "--all", env=env)
            run(folder, "git", "commit", "--quiet", "--message", day, env=env | date)

        sites.mkdir()
        run(sites, "git", "init", "--quiet", str(template), env=env)
        listed = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *PARTS)
        for path in filter(None, run(ROOT, "git", *listed, env={}).split("\0")):
            if (ROOT / path).is_file():
                (template / path).parent.mkdir(parents=True, exist_ok=True)
                (template / path).write_bytes((ROOT / path).read_bytes())
        commit(template, "2026-11-02")
        run(template, "git", "tag", "v1.0", env=env)
        programs = Path(sys.executable).parent
        words = ("--no-input", "--config-file", str(config))
        run(sites, str(programs / "cookiecutter"), f"{address()}.git", *words, env=env)
        project = sites / "my_site"
        run(project, "git", "init", "--quiet", env=env)
        commit(project, "2026-11-03")
        edit(project, HERE)
        edit(template, UPSTREAM)
        commit(template, "2026-11-24")
        command = (sys.executable, "-m", "drydock", "check")
        return run(project, *command, status=1, env=env | {"PYTHONPATH": str(ROOT)})


@contextmanager
def site(folder: Path) -> Iterator[str]:
    """Generate, fill and serve a project in a folder; yield its address."""
    demo, port = Demo.generate(folder), free_port()
    demo.make("install")
    demo.fill("--until", UNTIL)
    with demo.served(port):
        yield f"http://127.0.0.1:{port}/"


def photograph(browser: Chrome, address: str) -> bytes:
    """Return a picture of the page as a PNG; RuntimeError if it is not the page with its charts."""
    resize(browser, *SIZE)
    browser.get(f"{address}{PAGE}")
    if not browser.find_elements(By.CSS_SELECTOR, ".chart .bars"):
        raise RuntimeError(f"/{PAGE} has no chart:\n{browser.page_source}")
    return browser.get_screenshot_as_png()


def main() -> None:
    """Capture, and write the documents; then the picture, where a browser is."""
    report = capture()
    for name in DOCUMENTS:
        path = ROOT / name
        path.write_text(BLOCK.sub(lambda _: report, path.read_text("utf-8")), "utf-8")
    programs = installed()
    if programs is None:
        sys.exit(f"The texts are captured, but {PICTURE} is as it was. {MISSING}")
    with (
        tempfile.TemporaryDirectory() as folder,
        site(Path(folder)) as url,
        opened(*programs) as browser,
    ):
        picture = photograph(browser, url)
    (ROOT / PICTURE).write_bytes(picture)


if __name__ == "__main__":
    main()
