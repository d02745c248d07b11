"""The experiments: importing this room registers every run, so that `grid.EXPERIMENTS` is whole in any process."""

from helpers.experiments import claim_runs, data_runs, preference_runs, training_runs

__all__ = ["claim_runs", "data_runs", "preference_runs", "training_runs"]
