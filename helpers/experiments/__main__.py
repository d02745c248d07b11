"""`python -m helpers.experiments [NAME ... | preferences | all | claims]`: make what is missing; or print the verdicts
on claims."""

import sys

from helpers.experiments.claims import report
from helpers.experiments.grid import EXPERIMENTS, run_experiment
from helpers.experiments.lessons import LESSONS, PUBLISHED
from helpers.experiments.preference_claims import PREFERENCES
from helpers.learning.recipe import course_stream

names = sys.argv[1:] or [name for name, one in EXPERIMENTS.items() if one.in_notebooks]
if names == ["claims"]:
    for title, claims in (
        ("The article's lessons", LESSONS),
        ("Published claims", PUBLISHED),
        ("Notebook C", PREFERENCES),
    ):
        print(title, report(claims), sep="\n\n", end="\n\n")
    sys.exit()
if names == ["preferences"]:
    names = [name for name, one in EXPERIMENTS.items() if one.run.__module__.endswith(".preference_runs")]
if names == ["all"]:
    names = list(EXPERIMENTS)
if unknown := [name for name in names if name not in EXPERIMENTS]:
    sys.exit(f"there is no experiment {unknown[0]!r}; known are {', '.join(EXPERIMENTS)}")
course_stream()  # FileProblem now, if the world was changed and the models were not
for name in names:
    run_experiment(name)
