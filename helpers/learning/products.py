"""Every large matrix product of the model goes through `product`, so that a platform can bring its own.

NumPy hands them to BLAS. Where NumPy comes without one (in a browser) put something better in its place:
`products.multiply = faster`, a function of a, b and out as np.matmul is.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager

import numpy as np
from threadpoolctl import ThreadpoolController

multiply = np.matmul
blas = ThreadpoolController()  # made once: to look for the libraries takes longer than to write a token


def product(a: np.ndarray, b: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """a (..., M, K) @ b (..., K, N) -> (..., M, N), in `out` if that is given."""
    return multiply(a, b, out=out)


def cores() -> int:
    """How many cores this process may use: on a server often fewer than the machine has. At least 1."""
    try:
        return len(os.sched_getaffinity(0)) or 1
    except AttributeError:  # Windows and macOS do not tell
        return os.cpu_count() or 1


def one_thread() -> AbstractContextManager:
    """In this context BLAS works with one thread: on matrices this small more of them only wait for each other."""
    return blas.limit(limits=1, user_api="blas")
