"""What the null GPU is made of, put together in build/null-gpu.

CuPy's wheel is as it is but for one module, `cupy_backends.cuda.api.runtime`: the wheel's has NVIDIA's runtime inside it. It is
compiled anew from CuPy's own source, against `runtime.cpp`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
HOME = ROOT / "build" / "null-gpu"
SITE, LIBRARIES, STAMP = HOME / "site", HOME / "lib", HOME / "complete"
CUPY, CUDA = "14.2.0", "12.9"
PACKAGES = (
    f"cupy-cuda12x=={CUPY}", "cuda-pathfinder", "fastrlock",
    *(f"nvidia-cuda-{part}-cu12=={CUDA}.*" for part in ("nvrtc", "runtime", "nvcc")),  # the compiler; headers, and what those include
)  # fmt: skip
LIBRARY_FILES = {
    "cublas": "libcublas.so.12", "cusolver": "libcusolver.so.11", "cusparse": "libcusparse.so.12", "curand": "libcurand.so.10",
    "cufft": "libcufft.so.11", "cublasLt": "libcublasLt.so.12", "nvJitLink": "libnvJitLink.so.12",
}  # fmt: skip
PROFILER = '#include <cuda_runtime_api.h>\nextern "C" { cudaError_t cudaProfilerStart(); cudaError_t cudaProfilerStop(); }\n'
COMPILE = """
import sys
from Cython.Build import cythonize
from setuptools import Distribution, Extension

source, includes, libraries, to = sys.argv[1:]
constants = {"CUPY_USE_CUDA_PYTHON": False, "CUPY_CUFFT_STATIC": False, "CUPY_CUDA_VERSION": 12090, "CUPY_HIP_VERSION": 0}
directives = {"c_api_binop_methods": True, "binding": False, "freethreading_compatible": True, "warn.deprecated.IF": False}
extension = Extension(
    "cupy_backends.cuda.api.runtime", [source], language="c++", include_dirs=includes.split(":"), libraries=["nullcudart"],
    library_dirs=[libraries], runtime_library_dirs=[libraries], extra_compile_args=["-O0", "-w"],
)
modules = cythonize([extension], language_level=3, compile_time_env=constants, compiler_directives=directives)
command = Distribution({"ext_modules": modules}).get_command_obj("build_ext")
command.build_lib, command.build_temp = to, "parts"
command.ensure_finalized()
command.run()
"""


class Missing(Exception):
    """What the null GPU cannot be built without, in one sentence."""


def built() -> None:
    """Build it where that has not been done. Missing, where it cannot be."""
    wanted = "\n".join([*PACKAGES, sys.version, *(path.read_text() for path in sorted(Path(__file__).parent.glob("*.*p*")))])
    if STAMP.exists() and STAMP.read_text() == wanted:
        return
    if shutil.which("g++") is None:
        raise Missing("there is no C++ compiler (g++)")
    shutil.rmtree(HOME, ignore_errors=True)
    LIBRARIES.mkdir(parents=True)
    pip("install", "--no-deps", "--only-binary", ":all:", "--target", str(SITE), *PACKAGES)
    runtime_library()
    other_libraries()
    runtime_module()
    STAMP.write_text(wanted)


def pip(*arguments: str, **environment: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    if subprocess.run(command, env={**os.environ, **environment}, stderr=subprocess.DEVNULL).returncode:
        raise Missing(f"pip could not {arguments[0]} {arguments[-1]}")


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, cwd=HOME)
    if done.returncode:
        raise Missing(f"{command[0]} failed: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")
    return done.stdout


def compiled(target: Path, *sources: Path, options: tuple[str, ...] = ()) -> None:
    run("g++", "-shared", "-fPIC", "-O1", "-w", *map(str, sources), "-o", str(target), f"-Wl,-soname,{target.name}", *options)


def includes() -> list[str]:
    """CUDA's headers, and the one on profiling, which the wheels lack."""
    ours = HOME / "include"
    ours.mkdir(exist_ok=True)
    (ours / "cuda_profiler_api.h").write_text(PROFILER)
    return [str(SITE / "nvidia" / part / "include") for part in ("cuda_runtime", "cuda_nvcc")] + [str(ours)]


def runtime_library() -> None:
    here = Path(__file__).parent
    compiled(LIBRARIES / "libcuda.so.1", here / "driver.cpp")
    options = tuple(f"-I{path}" for path in includes())
    compiled(LIBRARIES / "libnullcudart.so", here / "runtime.cpp", options=options)


def other_libraries() -> None:
    """cuBLAS and its kin: every function that CuPy knows of answers that all went well."""
    wanted: dict[str, set[tuple[str, str]]] = {name: set() for name in LIBRARY_FILES}
    for module in SITE.rglob("*.so"):
        if module.relative_to(SITE).parts[0] in ("cupy", "cupyx", "cupy_backends"):
            for name, version in re.findall(r" U (cu[a-z]+[A-Z_]?\w+)@(\S+)", run("nm", "-D", str(module))):
                home = next((known for known in LIBRARY_FILES if name.startswith(known)), None)
                if home is not None:
                    wanted[home].add((name, version))
    for library, file in LIBRARY_FILES.items():
        functions = sorted({name for name, _ in wanted[library]})
        text = "".join(answer(name) for name in functions)
        source, versions = HOME / f"{library}.cpp", HOME / f"{library}.map"
        source.write_text('extern "C" {\n' + text + "}\n")
        found = sorted({version for _, version in wanted[library]})
        versions.write_text("".join(f"{version} {{ global: *; }};\n" for version in found))
        compiled(LIBRARIES / file, source, options=(f"-Wl,--version-script={versions}",) if found else ())


def answer(name: str) -> str:
    if name in ("cublasCreate_v2", "cusolverDnCreate", "cusparseCreate"):
        return f"int {name}(void** handle) {{ *handle = (void*)64; return 0; }}\n"
    return f"int {name}(...) {{ return 0; }}\n"


def runtime_module() -> None:
    """CuPy's source, and of it the one module. What `runtime.cpp` lacks of CUDA says that it is not supported."""
    pip("download", "--no-deps", "--no-binary", "cupy", "--dest", str(HOME), f"cupy=={CUPY}", CUPY_INSTALL_USE_STUB="1")
    tools = HOME / "tools"
    pip("install", "--target", str(tools), "setuptools<81", "Cython>=3.1,<3.2")
    with tarfile.open(HOME / f"cupy-{CUPY}.tar.gz") as archive:
        archive.extractall(HOME, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))  # type: ignore[arg-type]
    tree, script = HOME / f"cupy-{CUPY}", HOME / "compile.py"
    script.write_text(COMPILE)
    source = "cupy_backends/cuda/api/runtime.pyx"
    environment = {**os.environ, "PYTHONPATH": str(tools)}
    command = [sys.executable, str(script), source, ":".join(includes()), str(LIBRARIES), str(HOME / "module")]
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)
    made = next((HOME / "module").rglob("runtime.*.so"), None)
    if done.returncode or made is None:
        raise Missing(f"CuPy's runtime.pyx was not compiled: {done.stderr.strip()[-300:]}")
    shutil.copy(made, SITE / made.relative_to(HOME / "module"))
    have = {*re.findall(r" T (cuda\w+)", run("nm", "-D", str(LIBRARIES / "libnullcudart.so")))}
    lacking = sorted({*re.findall(r" U (cuda\w+)", run("nm", "-D", str(made)))} - have)
    rest = HOME / "rest.cpp"
    rest.write_text('extern "C" {\n' + "".join(f"int {name}(...) {{ return 801; }}\n" for name in lacking) + "}\n")
    options = tuple(f"-I{path}" for path in includes())
    compiled(LIBRARIES / "libnullcudart.so", Path(__file__).parent / "runtime.cpp", rest, options=options)


def environment() -> dict[str, str]:
    """What a program needs to find it. Without CUB, whose part in CuPy has NVIDIA's runtime inside it too."""
    nvidia = SITE / "nvidia"
    libraries = LIBRARIES, nvidia / "cuda_nvrtc" / "lib", nvidia / "cuda_runtime" / "lib"
    return {
        **os.environ, "PYTHONPATH": f"{SITE}:{ROOT}", "LD_LIBRARY_PATH": ":".join(map(str, libraries)), "CUPY_ACCELERATORS": "",
        "CUDA_PATH": str(nvidia / "cuda_runtime"), "CUPY_CACHE_DIR": str(HOME / "kernels"),
    }  # fmt: skip
