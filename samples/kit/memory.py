"""How much memory the process has taken at its highest."""

from __future__ import annotations

import sys


def peak_megabytes() -> float:
    """The largest size of this process in main memory so far, in MB (10**6 bytes), as the system counts it."""
    if sys.platform == "win32":
        return windows_peak() / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6  # Linux counts in KiB, macOS in bytes


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    class Counters(ctypes.Structure):
        """PROCESS_MEMORY_COUNTERS of the Windows API."""

        _fields_ = [("cb", wintypes.DWORD), ("faults", wintypes.DWORD)] + [
            (name, ctypes.c_size_t)
            for name in ("peak", "now", "paged_peak", "paged", "nonpaged_peak", "nonpaged", "pagefile", "pagefile_peak")
        ]

    def windows_peak() -> int:
        """Bytes of the largest working set."""
        counters = Counters(cb=ctypes.sizeof(Counters))
        process = ctypes.windll.kernel32.GetCurrentProcess
        process.restype = wintypes.HANDLE
        ask = ctypes.windll.psapi.GetProcessMemoryInfo
        ask.argtypes = [wintypes.HANDLE, ctypes.c_void_p, wintypes.DWORD]
        ask(process(), ctypes.byref(counters), counters.cb)
        return int(counters.peak)
