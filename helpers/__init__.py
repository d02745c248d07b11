"""The machinery behind the notebooks. Rooms are folders; a lower one knows nothing of a higher.

    text         the world and its facts; what is written of them; tokens; chat templates; datasets and their files
    learning     the model and its two passes, training, LoRA, generation, tuning, the course's recipe
    judging      what a model knows and answers, what a row or a training log is worth, the report card's content
    experiments  plans and runs, stored as tables; the claims that they were made to test; everything shipped, rebuilt
    showing      pages, widgets, and what figures and drawings are made of
    figures      the figures, drawings and tables of each notebook, one file a notebook
    bridge       (beside them) a model as a folder or a file that the standard tools open, and such folders read
    checks       (beside them) the exercises' checks, one file a notebook; nothing imports them

files.py, results.py and progress.py (files, tables of results, what a learner keeps) stand below them all.

Words that the code uses, always in the same sense:

    world         all facts, and how each kind of fact is worded          World, data/facts
    fact          one thing to know: kind, subject, answer                ("capital", "Peru", "Lima")
    part          "tuned on" (half of all facts), "development" or "test"  fact.part
    told          how many documents tell a fact: often (None), 10, 3, 1   fact.told
    role          what a wording is for: statement, question, response …  fact.say("question")
    phrase        what a world says beside its facts, by role           world.phrases["refusal"]
    document      a text of the kind that is read in pre-training         write_documents(world, count) -> list[str]
    turn          what one side says                                      {"role": "user", "content": "..."}
    conversation  a list of turns
    row           what is tuned on: a conversation and notes about it     {"kind": ..., "messages": conversation}
    template      how a conversation is written as one text               "chatml", "llama2", "llama3", "alpaca"
    ids, mask     a conversation's tokens, and 1 where one is trained     render(conversation, template, tokenizer)
    example       a row rendered: ids, mask, and where its fact stands    Example
    batch         ids, targets, weights, each (B, T)                      Batches, stream_batches
    recipe        how to train: steps, rate, warm-up …                    Recipe, PRETRAINING, TUNING
    record        what one step of training leaves: loss, norm, rate …    train(...) -> list[dict]
    sign          something to watch while a model is tuned               words, perplexity, distinct trigrams
    reading       all signs at one moment; a log is a list of them        Watch, diagnose(log)
    probe         a question, the answer expected, and why it is asked    Probe
    outcome       whether one answer passes one question put to it        1, 0, or NaN where it makes no sense
    share         hits of a total, with an interval                       Share
    plan          a tuning that is to fail in one way, or to cure that    Plan, PLANS
    run           one tuning, from one start and with one setting
    start, seed   a base model of its own random beginning, by number     base_model(seed), tuned_model(seed)
    setting       what an experiment varies                               @experiment(rate=(1e-5, 1e-4))
    figure        a number that a run gives                               {"exact": 0.91}
"""

from helpers.learning.language_model import LanguageModel, load

__all__ = ["LanguageModel", "load"]
