"""Every large matrix product of the model goes through `product`, so that a platform can bring its own.

NumPy hands them to BLAS. Where NumPy comes without one (in a browser) put something better in its place:
`products.multiply = faster`, a function of a, b and out as np.matmul is.
"""

from __future__ import annotations

import numpy as np

multiply = np.matmul


def product(a: np.ndarray, b: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """a (..., M, K) @ b (..., K, N) -> (..., M, N), in `out` if that is given."""
    return multiply(a, b, out=out)
