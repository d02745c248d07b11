"""What several test files share: the shipped world, a corpus, a small tokenizer, and models small enough to check.

Hypothesis draws the same examples in every run, so a test that is green stays green until the code changes.
"""

import random

import numpy as np
import pytest
from hypothesis import settings

from helpers.judging.quality import Scorer
from helpers.learning.language_model import LanguageModel
from helpers.learning.model import Config, Parameters, Transformer
from helpers.text.corpus import write_documents
from helpers.text.facts import load_world
from helpers.text.tokenizer import train_tokenizer

settings.register_profile("course", deadline=None, derandomize=True, database=None)
settings.load_profile("course")


@pytest.fixture(scope="session")
def world():
    """The world as shipped."""
    return load_world()


@pytest.fixture(scope="session")
def documents(world):
    """A corpus of 6,000 documents."""
    return write_documents(world, 6000, seed=0)


@pytest.fixture(scope="session")
def tokenizer(documents):
    """A tokenizer of 700 entries, trained on a part of the corpus."""
    return train_tokenizer(documents[:600], 700)


def lively(config: Config, dtype=np.float64, seed: int = 0) -> Transformer:
    """A model with large random parameters, gains included: none of its parts is near the identity, so that a wrong
    part shows. (As training starts it, attention is nearly even and every gain is 1.)"""
    parameters = Parameters(config, dtype=dtype)
    rng = np.random.default_rng(seed)
    for view in parameters.named.values():
        view[:] = rng.normal(1.0, 0.3, view.shape) if view.ndim == 1 else rng.normal(0.0, 0.6, view.shape)
    return Transformer(parameters)


@pytest.fixture
def small():
    """A model of 928 parameters in float64: two layers, two heads, a vocabulary of 11, a context of 6."""
    return lively(Config(vocab=11, dim=8, layers=2, heads=2, hidden=6, context=6))


@pytest.fixture
def writer():
    """A float32 model with room for 40 tokens, to write with."""
    return lively(Config(vocab=29, dim=16, layers=2, heads=2, hidden=24, context=40), np.float32)


@pytest.fixture(scope="session")
def lm(tokenizer):
    """A language model that knows nothing, over the corpus's tokenizer."""
    config = Config(vocab=tokenizer.vocab_size, dim=16, layers=1, heads=2, hidden=24, context=64)
    return LanguageModel(tokenizer, Transformer(Parameters(config).initialise(0)), {})


@pytest.fixture(scope="session")
def scorer(world):
    """The judge of rows about the shipped world."""
    return Scorer(world)


def pair(question: str, answer: str, **more) -> dict:
    """A row of one question and its answer; `more` may be an input."""
    return {"messages": [{"role": "user", "content": question, **more}, {"role": "assistant", "content": answer}]}


def sample(items, count: int) -> list:
    """Some of many, always the same."""
    return random.Random(0).sample(list(items), count)
