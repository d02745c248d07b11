"""What a training log says: is this tuning failing, how, since when, how sure is that, and what to try.

    log (one entry per reading) -> smooth every sign -> compare its end with what it should be -> findings -> verdict

A sign should be what it is for right answers and for the untuned model, where that is known (`reference`), or else what
it was at the beginning. Smoothing by running medians forgives a single wild reading. A log that cannot be read is never
called healthy. Not here: where logs come from (vital_signs.py), real ones and how often this is right about them
(experiments/failure_logs.py, notebook 06).

Sources: Tukey 1977 (running medians and their end rule); the bars were set on ten logs, see `Bars`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

NEEDED = ("step", "loss", "words", "perplexity", "distinct trigrams")
SIGNS = (*NEEDED[1:], "distinct at the start")  # what is judged; other columns of a log are not its business
FEWEST = 4  # readings below which nothing is said
FALL = 0.4  # distinct trigrams fall with length^-0.4: from 0.48 to 0.32 as answers grow from 45 to 125 tokens
TRY = {
    "divergence": "a smaller rate, a longer warm-up, clipped gradients; start again from the last good state",
    "instability": "a smaller rate or a longer warm-up; look at the rows that were read just before",
    "forgetting": "a smaller rate, fewer steps, LoRA, or pieces of pre-training text among the rows",
    "verbosity": "shorter answers in the data: see that most rows end where the question is answered",
    "style collapse": "rows that do not all begin alike: cut the stock phrase out of the answers",
    "drift": "look at a few answers yourself; then stop earlier or lower the rate",
}


@dataclass(frozen=True)
class Bars:
    """Where alarm begins, as factors of what a sign should be. Each lies between the worst healthy and the mildest
    failing log of experiments.plans.CALIBRATION (two random starts of five plans); test_diagnostics.py sees to it."""

    perplexity: float = 1.5
    perplexity_memorised: float = 1.15  # where the training loss has fallen below `memorised` of its beginning
    memorised: float = 0.01
    words: float = 1.5  # times what is needed, as for the dimension "conciseness"
    words_grown: float = 2.0  # times the beginning, where what is needed is not known
    distinct: float = 0.7
    fewest_distinct: float = 0.3  # a ratio that is a collapse whatever it began with (answers of up to 45 words)
    spike: float = 2.0
    loss: float = 1.2
    together: float = 1.3  # sum of two or more signs' evidence, each at least `each`, where 1 is alarm
    each: float = 0.3


BARS = Bars()


@dataclass(frozen=True)
class Finding:
    """A failure, what one sees of it, since which step, and how sure that is: "sure" if the last three readings all lie
    beyond the bar, "likely" if only the smoothed end does, "possible" if signs point to it only together."""

    failure: str
    saw: str
    since: int
    sure: str

    def __str__(self) -> str:
        return f"{self.failure} ({self.sure}, since step {self.since}): {self.saw}. Try {TRY[self.failure]}."


@dataclass(frozen=True)
class Diagnosis:
    """Findings, and what in the log could not be read. The verdict is "failing" with a finding, "cannot tell" with a
    problem and no finding, else "healthy"; `unseen` says what this log could not have shown in any case."""

    findings: list[Finding] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """ "failing", "cannot tell" or "healthy"."""
        return "failing" if self.findings else "cannot tell" if self.problems else "healthy"

    @property
    def failures(self) -> set[str]:
        """The names of what fails, each a key of TRY."""
        return {finding.failure for finding in self.findings}

    def __str__(self) -> str:
        return "\n".join(
            [
                f"Verdict: {self.verdict}.",
                *map(str, self.findings),
                *(f"Not judged: {problem}." for problem in self.problems),
                *self.unseen,
            ]
        )


def diagnose(log: Sequence[dict], reference: dict[str, float] | None = None) -> Diagnosis:
    """Read a log. Each entry needs NEEDED, and may have "distinct at the start": the same ratio over the first words of
    each answer. Other columns are passed over. `reference` gives any of SIGNS as they should be: of right answers, and
    perplexity before tuning.
    """
    reference, findings = reference or {}, []
    entries, problems = readable(log)
    if len(entries) < FEWEST:
        return Diagnosis(problems=[*problems, f"{len(entries)} readings are too few: a verdict needs {FEWEST}"])
    steps = [entry["step"] for entry in entries]
    signs = {name: series(entries, name) for name in SIGNS if name in entries[0]}
    problems += [f"{name!r}: {what}" for name, values in signs.items() if (what := unusable(values, name, steps))]
    no_number = ~np.isfinite(signs["loss"])
    if no_number.any():
        since = steps[int(np.argmax(no_number))]
        findings.append(Finding("divergence", f"the loss is no number at step {since}", since, "sure"))
    usable = {name: values for name, values in signs.items() if not unusable(values, name, steps)}
    evidence: dict[str, Evidence] = {}
    for weigh in (of_loss, of_perplexity, of_words, of_style):
        evidence |= weigh(usable, reference)
    for failure, one in evidence.items():
        if one.strength >= 1:
            findings.append(Finding(failure, one.saw, steps[one.onset], one.sure))
    weak = [one for one in evidence.values() if BARS.each <= one.strength < 1]
    if not findings and len(weak) > 1 and sum(one.strength for one in weak) >= BARS.together:
        saw = "no sign alone, but together: " + "; ".join(one.saw for one in weak)
        findings.append(Finding("drift", saw, steps[min(one.onset for one in weak)], "possible"))
    absent = [name for name in ("words", "perplexity") if name not in reference]
    unseen = f"No reference for {' and '.join(absent)}: what was wrong from the first reading on cannot be seen there."
    return Diagnosis(findings, problems, [unseen] if absent else [])


# --- reading ---


def readable(log: Sequence[dict]) -> tuple[list[dict], list[str]]:
    """The entries that have all that is needed, by step, and what is wrong with the others."""
    entries, wrong = [], {}
    for number, entry in enumerate(log, 1):
        missing = [name for name in NEEDED if name not in entry] if isinstance(entry, dict) else list(NEEDED)
        odd = [name for name in NEEDED if name not in missing and not is_number(entry[name])]
        if missing:
            wrong.setdefault(f"no {', '.join(map(repr, missing))}", []).append(number)
        elif odd:
            wrong.setdefault(f"{odd[0]!r}: {entry[odd[0]]!r}, which is not a number", []).append(number)
        else:
            entries.append(entry)
    problems = [
        f"{len(where)} of {len(log)} entries have {what} (the first: entry {where[0]})" for what, where in wrong.items()
    ]
    steps = [entry["step"] for entry in entries]
    if any(after <= before for before, after in zip(steps, steps[1:], strict=False)):
        problems.append("the steps do not grow from entry to entry: are these the entries of one run, in order?")
        entries = sorted(entries, key=lambda entry: entry["step"])
    return entries, problems


def is_number(value) -> bool:
    """Whether a field of an entry is a number, NaN and infinity among them."""
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def series(entries: Sequence[dict], name: str) -> np.ndarray:
    """A sign over the readings, NaN where an entry does not have it."""
    return np.array([entry[name] if is_number(entry.get(name)) else np.nan for entry in entries], float)


def unusable(values: np.ndarray, name: str, steps: Sequence[int]) -> str:
    """Why a sign cannot be read, or nothing."""
    bad = ~np.isfinite(values) | (values < 0)
    if name != "loss":
        bad |= values == 0
    if not bad.any():
        return ""
    first = int(np.argmax(bad))
    return f"is {values[first]:g} at step {steps[first]}; a reading must be a number above 0"


def smooth(values: np.ndarray) -> np.ndarray:
    """Running medians of three; at either end Tukey's rule, which follows a trend but not a single wild reading."""
    calm = values.copy()
    calm[1:-1] = np.median([values[:-2], values[1:-1], values[2:]], axis=0)
    calm[0] = np.median([values[0], calm[1], 3 * calm[1] - 2 * calm[2]])
    calm[-1] = np.median([values[-1], calm[-2], 3 * calm[-2] - 2 * calm[-3]])
    return calm


# --- weighing ---


@dataclass(frozen=True)
class Evidence:
    """`strength` 1 is where alarm begins; `onset` is the reading from which on it is at least half of that."""

    strength: float
    saw: str
    onset: int
    sure: str


def weigh_factor(values: np.ndarray, should: float, bar: float, name: str) -> Evidence:
    """How far a sign has come from what it should be, on the way to `bar` times that: 0 none, 1 all, in logarithms, so
    that twice as much and half as much weigh alike."""
    way = np.log(np.maximum(smooth(values), 1e-12) / should) / math.log(bar)
    below = np.flatnonzero(way < min(0.5, 0.5 * way[-1]))
    onset = min(int(below[-1]) + 1 if below.size else 0, len(way) - 1)
    last = np.log(values[-3:] / should) / math.log(bar)
    saw = f"{name} {values[-1]:.3g} in the end, where it should be {should:.3g} (alarm at {bar * should:.3g})"
    return Evidence(float(way[-1]), saw, onset, "sure" if (last >= 1).all() else "likely")


def of_loss(signs: dict, reference: dict) -> dict[str, Evidence]:
    """Divergence: the training loss rises. Instability: it, or perplexity, leaps up and comes back."""
    evidence = {}
    if "loss" in signs:
        calm = smooth(signs["loss"])
        evidence["divergence"] = weigh_factor(signs["loss"], max(float(calm[0]), 1e-6), BARS.loss, "training loss")
    for name in ("loss", "perplexity"):
        if name in signs:
            values, calm = signs[name], smooth(signs[name])
            usual = max(float(calm[0]), float(calm[-1]), reference.get(name, 0.0), 1e-6)
            peak = int(np.argmax(values))
            if values[peak] >= BARS.spike * usual and peak < len(values) - 1:
                saw = f"{name} leaps to {values[peak]:.3g} and comes back to {values[-1]:.3g}"
                evidence["instability"] = Evidence(1.0, saw, peak, "sure")
    return evidence


def of_perplexity(signs: dict, reference: dict) -> dict[str, Evidence]:
    """Forgetting: text of the pre-training kind surprises the model more than before. Where the training loss is next
    to nothing the rows are known by heart, and less of a rise is bad news."""
    if "perplexity" not in signs:
        return {}
    values, bar = signs["perplexity"], BARS.perplexity
    if "loss" in signs and signs["loss"][-1] < BARS.memorised * signs["loss"][0]:
        bar = BARS.perplexity_memorised
    should = reference.get("perplexity", float(smooth(values)[0]))
    return {"forgetting": weigh_factor(values, should, bar, "perplexity of held-out text")}


def of_words(signs: dict, reference: dict) -> dict[str, Evidence]:
    """Verbosity: answers grow, whatever the loss does."""
    if "words" not in signs:
        return {}
    if "words" in reference:
        return {"verbosity": weigh_factor(signs["words"], reference["words"], BARS.words, "words")}
    first = float(smooth(signs["words"])[0])
    return {"verbosity": weigh_factor(signs["words"], first, BARS.words_grown, "words")}


def of_style(signs: dict, reference: dict) -> dict[str, Evidence]:
    """Style collapse: answers say the same. Compared at equal length: over their first words where the log has that, or
    with what length alone explains taken away."""
    name = "distinct at the start"
    if name in signs and name in reference:
        return {"style collapse": weigh_factor(signs[name], reference[name], BARS.distinct, name)}
    if "distinct trigrams" not in signs or "words" not in signs:
        return {}
    words = reference.get("words", float(smooth(signs["words"])[0]))
    values = signs["distinct trigrams"] * (signs["words"] / words) ** FALL
    should = reference.get("distinct trigrams", float(smooth(values)[0]))
    collapse = weigh_factor(values, should, BARS.distinct, "distinct trigrams at equal length")
    floor = BARS.fewest_distinct * min(1.0, (signs["words"][-1] / 45) ** -FALL)
    end = float(smooth(signs["distinct trigrams"])[-1])
    if "distinct trigrams" not in reference and end < floor and collapse.strength < 1:
        saw = f"distinct trigrams {end:.3g}, less than {floor:.3g}, in the end; they may have been so from the start"
        collapse = Evidence(1.0, saw, 0, "likely")
    return {"style collapse": collapse}


# --- the article's rules, to be compared ---


def article_rules(log: Sequence[dict]) -> set[str]:
    """What the article's detector reports, from first and last entry only; below six entries, nothing."""
    if len(log) <= 5:
        return set()
    first, last = log[0], log[-1]
    failures = set()
    if last["perplexity"] > 1.25 * first["perplexity"]:
        failures.add("forgetting")
    if last["words"] > 1.5 * first["words"] and first["loss"] - last["loss"] < 0.1:
        failures.add("verbosity")
    if last["distinct trigrams"] < 0.7 * first["distinct trigrams"]:
        failures.add("style collapse")
    return failures
