"""The real CuPy on a GPU that computes nothing: `python -m tests.device.null_gpu`.

The double (beside this folder) computes, but is ours: what CuPy takes and refuses stands there as its source was read. Here
CuPy itself is asked. A driver and a CUDA runtime of our own hand out main memory and start kernels that do nothing; between
them CuPy does all that it does on a card: it looks at every argument, writes its kernels, has NVIDIA's compiler make machine
code of them, and launches them with a grid that the driver checks. Numbers are not looked at, for there are none: every array
is zeros. `tests/gpu` runs so, but for what needs results to go on.

    build.py     puts it together in build/null-gpu, once: needs a C++ compiler and the package index (300 MB)
    plugin.py    makes pytest look away from numbers
    driver.cpp   libcuda: modules and launches
    runtime.cpp  the CUDA runtime: devices, memory, streams, events
"""
