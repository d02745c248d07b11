"""The machinery behind the notebooks, in four rooms; a lower one knows nothing of a higher.

text      facts, corpus, tokenizer, templates, instructions, selections, formats, datasets, files
learning  layers, model, lora, checkpoints, training, generation, language_model, sft
judging   evaluation, dimensions, diagnostics, rebuild, failures, runs, data_runs, experiments, logs
showing   plots, demos, live, training_demo, dataset_demo, tuning_demo, template_demo, versus_demo, checks
"""

from helpers.language_model import LanguageModel, load

__all__ = ["LanguageModel", "load"]
