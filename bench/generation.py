"""Time a generation against cookiecutter's own floor: an empty template, without hooks.

Both are whole runs of the command, in turn, so that the machine's mood touches both; the ratio is taken
round by round. Prints a table; exits with 1 when the median ratio is over the limit.

    python bench/generation.py --rounds 15
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COOKIECUTTER = Path(sys.executable).parent / "cookiecutter"
LIMIT = 1.5


def empty_template(folder: Path) -> Path:
    """Make a template of one empty file in `folder`; return its path."""
    (folder / "{{cookiecutter.project_slug}}").mkdir(parents=True)
    (folder / "{{cookiecutter.project_slug}}" / "empty").touch()
    (folder / "cookiecutter.json").write_text('{"project_slug": "empty"}')
    return folder


def seconds(template: Path, output: Path) -> float:
    """Generate from `template` into a new folder of `output`; return the wall time in seconds."""
    target = tempfile.mkdtemp(dir=output)
    command = [str(COOKIECUTTER), str(template), "--no-input", "--output-dir", target]
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> int:
    """Measure and print; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15, help="pairs of runs (15)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        floor = empty_template(folder / "template")
        seconds(floor, folder), seconds(ROOT, folder)  # caches of the file system, not counted
        pairs = [(seconds(floor, folder), seconds(ROOT, folder)) for _ in range(rounds)]
    ratios = sorted(ours / least for least, ours in pairs)
    print(f"{'':22}{'median':>8}{'min':>8}{'max':>8}")
    for label, values in (
        ("empty template, s", [least for least, _ in pairs]),
        ("django-drydock, s", [ours for _, ours in pairs]),
        ("ratio", ratios),
    ):
        print(f"{label:22}{statistics.median(values):8.3f}{min(values):8.3f}{max(values):8.3f}")
    return statistics.median(ratios) > LIMIT


if __name__ == "__main__":
    sys.exit(main())
