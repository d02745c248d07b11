"""The experiments: importing this room registers every run, so that `grid.EXPERIMENTS` is whole in any process."""

from helpers.experiments import data_runs, training_runs

__all__ = ["data_runs", "training_runs"]
