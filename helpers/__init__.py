"""The machinery behind the notebooks, in four rooms; a lower one knows nothing of a higher.

text      facts, corpus, tokenizer, templates, instructions  (files: reading and writing whole)
learning  layers, model, checkpoints, training, generation, language_model
judging   evaluation, rebuild
showing   plots, demos, training_demo, checks
"""

from helpers.language_model import LanguageModel, load

__all__ = ["LanguageModel", "load"]
