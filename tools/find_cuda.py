#!/usr/bin/env python3
"""Print three lines: nvcc, its include folder, libcudart_static.a; an empty line means "not found".

Order: $CUDA_PATH, $CUDA_HOME, $CUDA_ROOT, nvcc on PATH, the usual places, then pip wheels (site-packages/nvidia/cu*).
"""
import glob
import os
import shutil
import sys


def roots():
    for variable in ("CUDA_PATH", "CUDA_HOME", "CUDA_ROOT"):
        yield os.environ.get(variable, "")
    nvcc = shutil.which("nvcc")
    if nvcc:
        yield os.path.dirname(os.path.dirname(os.path.realpath(nvcc)))
        yield os.path.dirname(os.path.dirname(nvcc))
    yield from ("/usr/local/cuda", "/opt/cuda")
    for folder in sys.path:
        yield from sorted(glob.glob(os.path.join(folder, "nvidia", "cu[0-9]*")), reverse=True)


def first(root, *patterns):
    hits = (hit for pattern in patterns for hit in sorted(glob.glob(os.path.join(root, pattern))))
    return next(hits, "")


def toolkit():
    for root in filter(os.path.isdir, roots()):
        nvcc, include = os.path.join(root, "bin", "nvcc"), os.path.join(root, "include")
        cudart = first(
            root,
            "lib64/libcudart_static.a",
            "lib/libcudart_static.a",
            "targets/*/lib/libcudart_static.a",
            "lib/*-linux-gnu/libcudart_static.a",
        )
        if os.path.exists(nvcc) and os.path.exists(include + "/cuda_runtime.h") and cudart:
            return nvcc, include, cudart
    return "", "", ""


print(*toolkit(), sep="\n")
