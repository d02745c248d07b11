"""The machinery behind the notebooks, in four rooms; a lower one knows nothing of a higher.

text      facts, corpus, tokenizer, templates, instructions, expected, selections, formats, datasets, own_rows, files
learning  layers, model, lora, checkpoints, training, generation, language_model, sft
judging   evaluation, dimensions, diagnostics, rebuild, failures, runs, data_runs, experiments, logs
judging   scaling, quality, estimate, lessons, capstone
showing   plots, live, demos, training_demo, dataset_demo, tuning_demo, template_demo, versus_demo, failure_demo
showing   quality_demo, report_card, checks
"""

from helpers.learning.language_model import LanguageModel, load

__all__ = ["LanguageModel", "load"]
