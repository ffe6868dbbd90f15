#!/usr/bin/env python3
"""Makes kernels_f32.ptx and kernels_f64.ptx from source/*.cu, or with --check compares them with what is here.

Needs no GPU and no CUDA, but two wheels: nvidia-cuda-nvrtc-cu12==12.0.140 compiles, and with --assemble
nvidia-cuda-nvcc-cu12==12.9.86 assembles the result for every generation from sm_70 on, as a driver will.
"""

import argparse
import ctypes
import importlib.util
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent

# In this order they are one text.
SOURCES = [
    "number", "double_double", "elementary", "wide", "block", "walk", "pointwise", "products", "conv",
    "batch_norm", "pooling", "cross_entropy", "descent", "selection", "order_statistics",
]
TYPES = {"f32": ("float", 32), "f64": ("double", 64)}
OPTIONS = ["--gpu-architecture=compute_70", "--std=c++17", "--fmad=false", "--device-as-default-execution-space",
           "--diag-suppress=177"]  # what one of the two types alone needs
GENERATIONS = ["sm_70", "sm_75", "sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120"]


def folder(package):
    """Where the wheels put nvidia.<package>."""
    found = importlib.util.find_spec("nvidia." + package)
    if found is None:
        sys.exit(f"make.py: nvidia.{package}: expected the wheels that are named in the script's first lines, found none")
    return pathlib.Path(list(found.submodule_search_locations)[0])


def compiled(real, bits):
    nvrtc = ctypes.CDLL(next(iter(sorted((folder("cuda_nvrtc") / "lib").glob("libnvrtc.so.*")))))
    text = "".join((HERE / "source" / f"{name}.cu").read_text() for name in SOURCES)
    options = OPTIONS + [f"--define-macro=REAL={real}", f"--define-macro=REAL_BITS={bits}"]
    program, size = ctypes.c_void_p(), ctypes.c_size_t()
    nvrtc.nvrtcCreateProgram(ctypes.byref(program), text.encode(), b"kernels.cu", 0, None, None)
    status = nvrtc.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*map(str.encode, options)))
    nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetProgramLog(program, log)
    if log.value.strip():
        print(log.value.decode(), file=sys.stderr)
    if status != 0:
        sys.exit(f"make.py: nvrtcCompileProgram: expected 0, found {status}")
    nvrtc.nvrtcGetPTXSize(program, ctypes.byref(size))
    ptx = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetPTX(program, ptx)
    return ptx.value


def assemble(ptx):
    ptxas = folder("cuda_nvcc") / "bin" / "ptxas"
    with tempfile.TemporaryDirectory() as temporary:
        source = pathlib.Path(temporary) / "kernels.ptx"
        source.write_bytes(ptx)
        for generation in GENERATIONS:
            subprocess.run([ptxas, "-arch", generation, source, "-o", pathlib.Path(temporary) / "cubin"], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file here is another")
    parser.add_argument("--assemble", action="store_true", help="assemble for every generation")
    options = parser.parse_args()
    for name, (real, bits) in TYPES.items():
        ptx = compiled(real, bits)
        if options.assemble:
            assemble(ptx)
        path = HERE / f"kernels_{name}.ptx"
        if not options.check:
            path.write_bytes(ptx)
        elif path.read_bytes() != ptx:
            sys.exit(f"make.py: {path}: expected what source/*.cu compiles to, found another text; run make.py")


if __name__ == "__main__":
    main()
