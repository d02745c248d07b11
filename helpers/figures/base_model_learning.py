"""How the model of notebook A learns: slopes that are checked, source that is read, a training that is watched.

    blame_flows_back(), gradient_table(...), source(function, first, last), activations(model, ids), fused_differences()
    schedule(recipe), strengths(before, after), Watch(...)

Not here: the parts of the model going forward (base_model.py), the laboratory (showing/pretraining_lab.py).
"""

from __future__ import annotations

import inspect
import json
import re
import textwrap
import time
from collections.abc import Callable, Sequence
from dataclasses import fields

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML, Markdown, display

from helpers.judging import evaluation
from helpers.judging.statistics import Share, share
from helpers.learning import fused, layers
from helpers.learning.language_model import LanguageModel
from helpers.learning.model import Activations, Parameters, Transformer
from helpers.learning.scratch import Scratch
from helpers.learning.training import Recipe
from helpers.results import RESULTS_FOLDER, read_results
from helpers.showing import plots
from helpers.showing.diagrams import Drawing
from helpers.showing.page import escape, table
from helpers.text.facts import Fact

MEANINGS = {
    "normal_1": "x / r, before attention", "inverse_1": "1 / r", "q": "queries, turned and scaled",
    "k": "keys, turned", "v": "values", "heads": "what each head brings back",
    "exps": "weights, each row not yet divided by its sum", "inverse": "1 / that sum",
    "normal_2": "x / r, before SwiGLU", "inverse_2": "1 / r", "silu_up": "silu(gate) and up, side by side",
    "sigmoid": "sigmoid of the gate", "active": "silu(gate) times up",
}  # fmt: skip

# --- slopes ---


def blame_flows_back() -> Drawing:
    """The way of the slopes: from the loss back to the embedding, past every part and through it."""
    drawing = Drawing(
        555, 190,
        "Solid, forward: embedding, attention, SwiGLU, last norm, loss. Dashed, back: the slope of the loss goes the "
        "same way back, past each part unchanged and through it, and the two are added",
    )  # fmt: skip
    for x, width, name in ((5, 96, "embedding"), (141, 90, "attention"), (271, 76, "SwiGLU"), (387, 62, "norm"),
                           (489, 60, "loss")):  # fmt: skip
        drawing.box(x, 60, width, 50, name, fill="second" if name == "loss" else "plain")
    for left, right in ((101, 141), (231, 271), (347, 387), (449, 489)):
        drawing.arrow(left, 98, right, 98)
        drawing.arrow(right, 72, left, 72, dashed=True)
    for left, right in ((128, 244), (258, 366)):  # a slope is added after the part, and goes past the next one
        way = f'<path d="M{right},72 V30 H{left}" fill="none" stroke="currentColor" stroke-width="1.5"'
        drawing.parts.append(f'{way} stroke-dasharray="5 4"/>')
        drawing.arrow(left, 30, left, 70, dashed=True)
    drawing.text(247, 20, "past the part: unchanged")
    drawing.text(277, 145, "through the part: its backward")
    drawing.text(277, 175, "both are added, because x = x + part(x)")
    return drawing


def gradient_table(model: Transformer, batch: tuple, gradient: Parameters, mine: Parameters, each: int, rng) -> HTML:
    """For every kind of parameter: slopes by trying (a few of them) against `Transformer.backward`'s, and all of the
    hand-made ones (`mine`) against these."""
    p, kinds = model.parameters, {}
    for name, place in p.places.items():
        kinds.setdefault(re.sub(r"model\.|layers\.\d+\.|\.weight", "", name), []).append(place)
    rows = []
    for kind, places in kinds.items():
        numbers = np.concatenate([np.arange(place.start, place.stop) for place in places])
        tried = rng.choice(numbers, min(each, len(numbers)), replace=False)
        by_trying = np.array([try_one(model, batch, number) for number in tried])
        largest = np.abs(gradient.flat[numbers]).max()
        rows.append((escape(kind), f"{len(numbers):,}", f"{largest:.3f}", str(len(tried)),
                     f"{np.abs(by_trying - gradient.flat[tried]).max():.0e}",
                     f"{np.abs(mine.flat[numbers] - gradient.flat[numbers]).max():.0e}"))  # fmt: skip
    head = ("parameters", "how many", "largest slope", "tried", "trying − theirs", "yours − theirs")
    return HTML(table(head, rows, label="slopes compared", numbers=range(1, 6)))


def try_one(model: Transformer, batch: tuple, number: int, step: float = 1e-5) -> float:
    """The slope of the loss in one parameter, by central difference."""
    flat = model.parameters.flat
    value, losses = flat[number], []
    for sign in (1, -1):
        flat[number] = value + sign * step
        losses.append(model.loss(*batch))
    flat[number] = value
    return (losses[0] - losses[1]) / (2 * step)


# --- source ---


def source(function: Callable, first: str = "", last: str = "") -> Markdown:
    """A piece of a function's own source: from the line that holds `first` to the next one that holds `last`. Without
    them the whole. ValueError if the source has no such line."""
    lines = inspect.getsource(function).rstrip().split("\n")
    start = next((number for number, line in enumerate(lines) if first in line), None)
    end = (
        next((n for n, line in enumerate(lines) if n >= (start or 0) and last in line), None)
        if last
        else len(lines) - 1
    )
    if start is None or end is None:
        raise ValueError(f"{function.__qualname__}: no line holds {first if start is None else last!r}")
    return Markdown(f"```python\n{textwrap.dedent(chr(10).join(lines[start : end + 1]))}\n```")


def activations(model: Transformer, ids: np.ndarray) -> HTML:
    """Each named activation: what it is, its shape in this pass, which backward uses it."""
    tape: list = []
    model.forward(ids, tape)
    backwards, rows = (Transformer.attend_backward, Transformer.feed_forward_backward), []
    for field in fields(Activations):
        used = rf"\b(?:saved|s)\.{field.name}\b"
        users = [method.__name__ for method in backwards if re.search(used, inspect.getsource(method))]
        shape = " × ".join(map(str, getattr(tape[0], field.name).shape))
        rows.append((f"<code>{field.name}</code>", MEANINGS[field.name], shape, f"<code>{', '.join(users)}</code>"))
    return HTML(table(("kept", "what it is", "shape here", "used again in"), rows, label="activations of a layer"))


def fused_differences(rng) -> HTML:
    """The plain functions of layers.py against the fast ones of fused.py on the same random arrays, in float64."""
    scratch = Scratch(np.float64)
    x, gain, dy, dgain = rng.normal(size=(6, 8)), rng.normal(size=8), rng.normal(size=(6, 8)), np.empty(8)
    plain, inverse = layers.rms_norm(x, gain)
    normal, fast, fast_inverse = fused.rms_norm(x, gain, scratch, scratch, "x")
    pairs = {"RMSNorm": [(plain, fast.copy())]}
    back = layers.rms_norm_backward(dy, x, inverse, gain)
    pairs["RMSNorm, back"] = [(back[0], fused.rms_norm_backward(dy.copy(), normal, fast_inverse, gain, dgain, scratch)),
                              (back[1], dgain)]  # fmt: skip
    both, dactive, dboth = rng.normal(size=(6, 8)), rng.normal(size=(6, 4)), np.empty((6, 8))
    silu_up = both.copy()
    sigmoid, active = fused.swiglu(silu_up, scratch)
    fused.swiglu_backward(dactive, silu_up, sigmoid, active, dboth)
    pairs["SwiGLU"] = [(layers.swiglu(both), active)]
    pairs["SwiGLU, back"] = [(layers.swiglu_backward(dactive, both), dboth)]
    q, k, v, dout = rng.normal(size=(4, 1, 2, 6, 4))
    out, weights = layers.attention(q, k, v, np.triu(np.full((6, 6), -np.inf), 1))
    heads, slopes = np.empty_like(q), np.empty((3, *q.shape))
    scaled = q * 4**-0.5  # the fast one expects queries that are scaled already
    exps, total = fused.attention(scaled, k, v, heads, scratch)
    fused.attention_backward(dout.copy(), heads, exps, total, scaled, k, v, *slopes, scratch)
    slopes[0] *= 4**-0.5  # and leaves the scale to RoPE's way back
    pairs["attention"] = [(out, heads)]
    pairs["attention, back"] = list(zip(layers.attention_backward(dout, out, weights, q, k, v), slopes, strict=True))
    rows = [(name, f"{max(np.abs(a - b).max() for a, b in some):.0e}") for name, some in pairs.items()]
    return HTML(table(("operation", "plain − fast, at most"), rows, label="plain against fast", numbers=(1,)))


# --- optimizers ---


def schedule(recipe: Recipe) -> None:
    """The learning rate by step: up, then down half a cosine."""
    rates = [recipe.rate_at(step) for step in range(recipe.steps)]
    figure, axes = plt.subplots(figsize=(6, 2.6))
    axes.plot(rates)
    axes.set(xlabel="step", ylabel="learning rate", title="Up quickly, down slowly")
    plots.show(figure, f"The learning rate by step: it climbs to {max(rates):g} within {recipe.warmup} steps, then "
                       f"falls along half a cosine to {rates[-1]:.1g}")  # fmt: skip


def strengths(gradient: np.ndarray, after: np.ndarray) -> None:
    """Singular values of a gradient and of Muon's step, in order of size."""
    values = {name: np.linalg.svd(matrix, compute_uv=False) for name, matrix in (("gradient", gradient),
                                                                                ("Muon's step", after))}  # fmt: skip
    figure, axes = plt.subplots(figsize=(6, 2.8))
    for style, (name, strength) in zip(("o-", "s--"), values.items(), strict=True):
        axes.plot(np.arange(1, len(strength) + 1), strength / strength.max(), style, ms=4, label=name)
    axes.set(xlabel="direction, strongest first", ylabel="strength (largest = 1)", ylim=(0, 1.1),
             title="Muon lets the weak directions speak")  # fmt: skip
    axes.legend()
    ratios = [strength[0] / strength[-1] for strength in values.values()]
    plots.show(figure, f"Strengths of a gradient's directions fall steeply, the strongest {ratios[0]:.0f} times the "
                       f"weakest; those of Muon's step lie close together, {ratios[1]:.1f} times")  # fmt: skip


# --- a training that is watched ---


class Watch:
    """What a training shows of itself while it goes on: hand it to `train` as on_step.

    The curve is drawn every few seconds; at the steps `looks` the model completes the prompts, and `probes` (facts) are
    counted whose statement it completes rightly. After `seconds_allowed` it asks the training to stop.
    """

    def __init__(self, lm: LanguageModel, probes: Sequence[Fact], prompts: Sequence[str], recipe: Recipe,
                 seconds_allowed: float):  # fmt: skip
        self.lm, self.probes, self.prompts, self.recipe = lm, probes, list(prompts), recipe
        self.allowed, self.start = seconds_allowed, time.perf_counter()
        self.records: list[dict] = []
        self.history: list[tuple[int, Share, list[str]]] = []
        self.looks = {20, *np.linspace(0, recipe.steps, 9).astype(int)[1:].tolist()}
        self.look(0)
        self.view, self.drawn = display(self.table(), display_id=True), self.start

    def __call__(self, record: dict) -> bool:
        self.records.append(record)
        step, now = record["step"] + 1, time.perf_counter()
        if step in self.looks:
            self.look(step)
        if step in self.looks or now - self.drawn > 3:
            self.drawn = now
            self.view.update(self.table(f"Step {step} of {self.recipe.steps}, loss {record['loss']:.2f}, "))
        return self.seconds > self.allowed

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.start

    @property
    def blind(self) -> float:
        """The loss of a model that holds every token equally likely."""
        return float(np.log(self.lm.tokenizer.vocab_size))

    def look(self, step: int) -> None:
        right = share(evaluation.completes(self.lm, self.probes))
        self.history.append((step, right, self.lm.complete_all(self.prompts, 12)))

    def table(self, state: str = "Beginning, ") -> HTML:
        rows = [
            (str(step), f"{right.hits} of {right.total}", *map(one_line, texts)) for step, right, texts in self.history
        ]
        head = ("step", "statements right", *(f"{prompt} …" for prompt in self.prompts))
        told = f'<p role="status">{escape(state)}{self.seconds:.0f} s.</p>'
        return HTML(told + table(head, rows, label="what the model writes", numbers=(0,)))

    def finish(self) -> None:
        """One last look, if the training ended between two."""
        if not self.records:
            raise RuntimeError("Stopped before the first step of the training; run the cells above again.")
        if len(self.records) > self.history[-1][0]:
            self.look(len(self.records))
        self.view.update(self.table(f"{len(self.records)} of {self.recipe.steps} steps, "))

    def half(self) -> tuple[int, Share, float]:
        """The step at which the loss has half of its fall done, the statements right at the last look until then, and
        the last loss."""
        last = float(np.mean([record["loss"] for record in self.records[-20:]]))
        middle = (self.blind + last) / 2
        step = next(r["step"] for r in self.records if r["loss"] <= middle or r is self.records[-1]) + 1
        return step, [right for when, right, _ in self.history if when <= step][-1], last

    def answered(self, number: int, fact: Fact) -> int:
        """In how many looks the prompt of that number was continued by the fact's answer."""
        return sum(evaluation.is_answer(texts[number], fact) for *_, texts in self.history)

    def figure(self) -> Markdown:
        """Loss, and the share of statements right, over the same steps."""
        figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.1), layout="constrained")
        plots.loss_curve(self.records, "the loss falls at once ...", axes=left)
        left.set(ylim=(0, self.blind + 0.5))
        steps = [step for step, *_ in self.history]
        shares = [100 * right.value for _, right, _ in self.history]
        right.plot(steps, shares, "o-")
        right.set(xlabel="step", ylabel="statements right (%)", ylim=(-2, 102), title="... the facts come late")
        step, early, last = self.half()
        plots.show(figure, f"Left, the loss falls from {self.records[0]['loss']:.1f} to {last:.1f}, half of it by "
                           f"step {step}; right, the share of statements right ends at {shares[-1]:.0f}%")  # fmt: skip
        final = self.history[-1][1]
        return Markdown(
            f"*By step {step} the loss has half of its fall done. Until then {early.hits} of {early.total} statements "
            f"were completed rightly; at the end, after {len(self.records)} steps, {final.hits}.*"
        )


def one_line(text: str) -> str:
    return f"<code>{escape(text.replace(chr(10), '⏎')) or '(nothing)'}</code>"


def shipped_loss(watch: Watch) -> Markdown:
    """The loss that was written down when the shipped model was made, beside the one of the live run."""
    records = read_results("pretraining_loss")
    about = json.loads((RESULTS_FOLDER / "rebuild.json").read_text(encoding="utf8"))
    figure, axes = plt.subplots(figsize=(6, 3))
    plots.loss_curve(records, "The shipped model's own training", axes=axes)
    axes.set(ylim=(0, watch.blind + 0.5))
    full, live = np.mean([row["loss"] for row in records[-20:]]), watch.half()[2]
    plots.show(figure, f"The recorded loss of the shipped model over {len(records):,} steps: a steep fall, then a long "
                       f"slow one to {full:.2f}")  # fmt: skip
    minutes = about["seconds"]["pre-train"] / 60
    return Markdown(
        f"*Recorded when the shipped model was made: {len(records):,} steps in {minutes:.1f} minutes, last loss "
        f"{full:.2f} nats per token. Your live run ended at {live:.2f}.*"
    )
