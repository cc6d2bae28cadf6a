"""Two things measured in alternation on a machine whose speed changes within minutes."""
import os
import statistics
import time

PROBE_SECONDS = 0.2
PROBE_SIZE = 768
PROBE_DIFFERENCE = 0.10


def read_flags():
    """The processor's features by Linux's names."""
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith(("flags", "Features")):
                return set(line.split(":", 1)[1].split())
    return set()


def machine():
    """The processor, how many of it this process may use, and the instruction sets that matter."""
    names = [line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo")
             if line.startswith("model name")]
    sets = [name for name in ("avx2", "fma", "avx512f", "avx512bw", "avx512_bf16", "amx_bf16")
            if name in read_flags()]
    return f"{names[0] if names else 'unknown processor'}, " \
           f"{len(os.sched_getaffinity(0))} processors, {' '.join(sets) or 'no vector extensions'}"


def blas_kernels():
    """The kernel set of OpenBLAS that bioft would choose here: Debian's OpenBLAS does not know
    every processor, and numpy and torch are to have the same."""
    flags = read_flags()
    if {"avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512cd"} <= flags:
        return "SkylakeX"
    return "Haswell" if {"avx2", "fma"} <= flags else None


class Probe:
    """How fast the machine is now: matrix products for 0.2 s, in GFLOP/s."""

    def __init__(self):
        import numpy        # after the environment has been prepared
        self.a = numpy.ones((PROBE_SIZE, PROBE_SIZE), numpy.float32)
        self.out = numpy.empty_like(self.a)
        self.product = numpy.matmul
        self()

    def __call__(self):
        start = now = time.perf_counter()
        products = 0
        while now - start < PROBE_SECONDS:
            self.product(self.a, self.a, out=self.out)
            products += 1
            now = time.perf_counter()
        return products * 2e-9 * PROBE_SIZE**3 / (now - start)


class Pairs:
    """The good pairs of a comparison: ratios of the first's figure to the second's."""

    def __init__(self):
        self.ratios, self.dropped, self.seconds = [], 0, 0.0

    def measure(self, first, second, probe, wanted, minutes, say):
        """Fills in `wanted` good pairs, or what the time was enough for; each begins with the other
        half than the one before."""
        start = time.perf_counter()
        turn = 0
        while len(self.ratios) < wanted and time.perf_counter() - start < 60 * minutes:
            figures, probes = {}, []
            for half in (first, second) if turn % 2 == 0 else (second, first):
                probes.append(probe())
                figures[half] = half()
            good = max(probes) <= (1 + PROBE_DIFFERENCE) * min(probes)
            ratio = figures[first] / figures[second]
            say(f"  {figures[first]:10.3f} {figures[second]:10.3f}  ratio {ratio:6.3f}  "
                f"probes {probes[0]:6.1f} {probes[1]:6.1f} GFLOP/s{'' if good else '  dropped'}")
            if good:
                self.ratios.append(ratio)
            else:
                self.dropped += 1
            turn += 1
        self.seconds = time.perf_counter() - start
        return len(self.ratios) >= wanted

    @property
    def median(self):
        return statistics.median(self.ratios)

    def text(self):
        return f"{self.median:.2f}x ({min(self.ratios):.2f} to {max(self.ratios):.2f})"
