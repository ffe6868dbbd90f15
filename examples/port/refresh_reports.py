"""Runs the commands in the `console` blocks of a page again and writes what they print below them.

    cargo build --release
    python examples/port/refresh_reports.py docs/porting-mistakes.md docs/porting.md

In such a block a line that begins with `$ ` is a command for bash, run from the repository's root; what follows, up to
the next command, is what it printed. Files that the commands write go to a temporary folder.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def output(commands: list[str]) -> str:
    """The commands, each with what it prints."""
    path = os.pathsep.join([str(ROOT / "target" / "release"), str(Path(sys.executable).parent), os.environ["PATH"]])
    shown = []
    with tempfile.TemporaryDirectory() as folder:
        for name in ("examples", "golden"):
            (Path(folder) / name).symlink_to(ROOT / name)
        for command in commands:
            done = subprocess.run(["bash", "-c", command], cwd=folder, env=os.environ | {"PATH": path}, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            shown += [f"$ {command}", done.stdout.rstrip("\n")]
    return "\n".join(line for line in shown if line) + "\n"


def refreshed(block: re.Match[str]) -> str:
    """One block, run again."""
    commands = [line.removeprefix("$ ") for line in block[1].splitlines() if line.startswith("$ ")]
    return f"```console\n{output(commands)}```"


if __name__ == "__main__":
    for name in sys.argv[1:]:
        page = Path(name)
        page.write_text(re.sub(r"```console\n(.*?)```", refreshed, page.read_text(), flags=re.DOTALL))
