"""`python -m helpers.experiments [NAME ...]`: make what is not stored yet, of all experiments or of those named."""

import sys

from helpers.experiments.grid import EXPERIMENTS, run_experiment
from helpers.learning.recipe import course_stream

if unknown := [name for name in sys.argv[1:] if name not in EXPERIMENTS]:
    sys.exit(f"there is no experiment {unknown[0]!r}; known are {', '.join(EXPERIMENTS)}")
course_stream()  # FileProblem now, if the world was changed and the models were not
for name in sys.argv[1:] or list(EXPERIMENTS):
    run_experiment(name)
