"""Writes golden/MANIFEST: what each golden file is, how it was made, and its SHA-256.

The files in method/ and exact/ are the crate's own; `cargo test --test suite method_goldens::make -- --ignored` makes
them and writes their entries.
"""

import hashlib
import platform

import mpmath
import numpy
import safetensors
import torch

from common import GOLDEN

# These the crate makes itself: their entries are carried over from the MANIFEST as it is.
MADE_BY_THE_CRATE = ["method", "exact"]

# The script that makes a file, by the folder it is in; those of golden/ itself by their own name.
SCRIPTS = {"methods": "methods.py", "peers": "peers.py", "ops": "ops.py", "step": "step.py", "trajectory": "trajectory.py", "accuracy": "accuracy.py",
           "models": "models.py", "scalars.json": "scalars.py"}  # fmt: skip

HEAD = """\
# The golden files: how each was made, and its SHA-256. Made by golden/make/manifest.py, verified by
# `gdstar golden verify`. golden/make/README.md says what the files hold.
#
# Licence: the files hold numbers that the scripts computed from random numbers, no third party's data;
# like the rest of the repository they are under the MIT licence.
"""


def processor():
    try:
        lines = open("/proc/cpuinfo").read().splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def main():
    versions = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "safetensors": safetensors.__version__,
        "mpmath": mpmath.__version__,
        "processor": f"{processor()}, PyTorch using {torch.backends.cpu.get_cpu_capability()}, one thread",
    }
    text = HEAD + "\n[made_with]\n" + "".join(f'{key} = "{value}"\n' for key, value in versions.items())
    old = (GOLDEN / "MANIFEST").read_text().split("\n[[file]]\n")[1:]
    kept = {entry.split('"')[1]: entry.strip() for entry in old}
    files = [path for path in GOLDEN.rglob("*") if path.suffix in [".safetensors", ".json"]]
    for path in sorted(files, key=lambda path: path.relative_to(GOLDEN).as_posix()):
        name = path.relative_to(GOLDEN).as_posix()
        if path.parent.name in MADE_BY_THE_CRATE:
            text += f"\n[[file]]\n{kept[name]}\n"
            continue
        key = path.name if path.parent == GOLDEN else path.parent.name
        script = f"golden/make/{SCRIPTS[key]}"
        text += f"""
[[file]]
path = "{name}"
sha256 = "{hashlib.sha256(path.read_bytes()).hexdigest()}"
script = "{script}"
command = "python {script}"
"""
    (GOLDEN / "MANIFEST").write_text(text)


if __name__ == "__main__":
    main()
