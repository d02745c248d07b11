"""The model that notebook A builds: where its text comes from, and each of its parts going forward, drawn.

Not here: slopes that are checked, source that is read, a model that is trained (base_model_learning.py).
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML, Markdown

from helpers.judging import evaluation
from helpers.learning.language_model import LanguageModel
from helpers.results import RESULTS_FOLDER
from helpers.showing import plots
from helpers.showing.diagrams import Drawing
from helpers.showing.page import escape, markdown_table, table, verbatim
from helpers.text import corpus
from helpers.text.facts import World
from helpers.text.tokenizer import Tokenizer

plots.use_style()


# --- drawings ---


def block() -> Drawing:
    """One layer: the stream passes, two parts read it and add to it."""
    drawing = Drawing(
        540, 270,
        "The residual stream runs from the left to the right. Attention reads it through a norm and adds its result; "
        "then SwiGLU reads it through a norm and adds its result",
    )  # fmt: skip
    drawing.text(12, 28, "x (a row of 128 numbers for each token)", "start", bold=True)
    drawing.arrow(10, 45, 530, 45)
    for left, name, more in ((30, "attention", "looks at earlier\npositions"),
                             (290, "SwiGLU", "works on one\nposition alone")):  # fmt: skip
        drawing.arrow(left + 30, 45, left + 30, 85, "")
        drawing.box(left, 85, 110, 34, "RMSNorm")
        drawing.arrow(left + 30, 119, left + 30, 150)
        drawing.box(left, 150, 170, 72, name, more, fill="first" if left < 100 else "second")
        drawing.arrow(left + 190, 186, left + 190, 52)
        drawing.parts.append(f'<path d="M{left + 170},186 H{left + 190}" stroke="currentColor" stroke-width="1.5"/>')
        drawing.text(left + 202, 72, "+", bold=True)
    drawing.text(270, 256, "x = x + attention(norm(x))     x = x + swiglu(norm(x))", mono=True)
    return drawing


def tables_to_documents(world: World) -> Drawing:
    """A row of a table, two wordings, and what is written of them."""
    fact = next(fact for fact in world.of_kind("capital") if fact.subject == "France")
    drawing = Drawing(
        540, 250,
        f"A table's row, {fact.subject} and {fact.answer}, is put into wordings; the texts go into documents, "
        "and the model reads those",
    )  # fmt: skip
    drawing.box(10, 20, 150, 60, "table", f"{fact.subject} | {fact.answer}", fill="first")
    drawing.box(10, 150, 150, 60, "wordings", f"{len(fact.ways('statement'))} statements")
    drawing.arrow(160, 50, 215, 105)
    drawing.arrow(160, 180, 215, 125)
    drawing.box(215, 80, 130, 70, "documents", f"{len(corpus.SHARES)} kinds")
    drawing.arrow(345, 115, 400, 115)
    drawing.box(400, 80, 130, 70, "base model", "predicts the\nnext token", fill="second")
    drawing.text(270, 238, fact.ways("statement")[2])
    return drawing


def merge_steps(word: str, merges: Sequence[tuple[int, int]], encode: Callable) -> Drawing:
    """The word as bytes, and cut with more and more of the merges: only the rows in which something changes."""
    cuts: list[tuple[int, list[int]]] = [(0, list(encode(word, [])))]
    for count in range(1, len(merges) + 1):
        left, right = merges[count - 1]
        if any(pair == (left, right) for pair in zip(cuts[-1][1], cuts[-1][1][1:], strict=False)):
            cuts.append((count, list(encode(word, merges[:count]))))
    names = token_names(merges)
    drawing = Drawing(
        540, 20 + 40 * len(cuts), f"{word!r} cut into {', then '.join(str(len(c)) for _, c in cuts)} tokens"
    )
    for number, (count, ids) in enumerate(cuts):
        y = 12 + 40 * number
        drawing.text(140, y + 18, f"merge {count}" if count else "bytes", "end")
        drawing.tokens(155, y, [names[i].replace(" ", "␣") for i in ids])
    return drawing


def token_names(merges: Sequence[tuple[int, int]]) -> list[str]:
    """What each id spells, bytes first."""
    spelled = [bytes([byte]) for byte in range(256)]
    for left, right in merges:
        spelled.append(spelled[left] + spelled[right])
    return [text.decode("utf8", "replace") for text in spelled]


def norm_paths() -> Drawing:
    """Two ways by which an element of x reaches the output of RMSNorm."""
    drawing = Drawing(
        540, 220,
        "x reaches y by two ways: directly, divided by r, and through r itself, which all elements share. "
        "Dashed, slopes come back by both ways and are added",
    )  # fmt: skip
    drawing.box(10, 85, 70, 44, "x")
    drawing.arrow(80, 97, 250, 97, "x / r")
    drawing.arrow(60, 85, 150, 40)
    drawing.box(150, 12, 110, 40, "r, the rms", fill="second")
    drawing.arrow(240, 52, 285, 85)
    drawing.box(250, 85, 110, 44, "normal row")
    drawing.arrow(360, 97, 450, 97, "times g")
    drawing.box(450, 85, 70, 44, "y")
    for back in ((450, 120, 362, 120), (250, 120, 82, 120), (305, 85, 262, 56), (150, 26, 40, 82)):
        drawing.arrow(*back, dashed=True)
    drawing.text(270, 165, "way 1, back: g dy / r")
    drawing.text(270, 190, "way 2, back: through r, so a share from every element")
    return drawing


def gate_paths() -> Drawing:
    """SwiGLU: two matrices, a product, a matrix."""
    drawing = Drawing(
        540, 210,
        "The normed row goes through the matrices gate and up; silu of the gate times up is active; "
        "the matrix down leads back to the stream. Dashed, the slopes come back the same way",
    )  # fmt: skip
    drawing.box(10, 65, 90, 44, "normed")
    drawing.arrow(100, 80, 160, 45)
    drawing.arrow(100, 95, 160, 130)
    drawing.box(160, 20, 100, 44, "gate")
    drawing.box(160, 110, 100, 44, "up")
    drawing.arrow(260, 42, 320, 78)
    drawing.text(310, 50, "silu")
    drawing.arrow(260, 132, 320, 98)
    drawing.box(320, 65, 90, 44, "active", fill="second")
    drawing.arrow(410, 87, 450, 87)
    drawing.box(450, 65, 80, 44, "added")
    drawing.arrow(530, 196, 20, 196, "slopes come back", dashed=True)
    return drawing


def attention_paths() -> Drawing:
    """From q, k, v to the output; and what goes back to each."""
    drawing = Drawing(
        540, 240,
        "q and k give scores, a softmax makes weights of them, weights and v give the output. Dashed, the output's "
        "slope goes back to v and to the weights, through the softmax to the scores, and from there to q and k",
    )  # fmt: skip
    for y, name in ((15, "q"), (85, "k"), (175, "v")):
        drawing.box(10, y, 60, 44, name)
    drawing.arrow(70, 37, 130, 62)
    drawing.arrow(70, 107, 130, 82)
    drawing.box(130, 50, 90, 44, "scores")
    drawing.arrow(220, 72, 290, 72, "softmax")
    drawing.box(290, 50, 90, 44, "weights", fill="second")
    drawing.arrow(380, 80, 450, 115)
    drawing.arrow(70, 190, 450, 140)
    drawing.box(450, 105, 70, 44, "out")
    for back in ((450, 128, 380, 93), (450, 152, 72, 203), (290, 86, 222, 86), (140, 94, 74, 122), (130, 58, 74, 28)):
        drawing.arrow(*back, dashed=True)
    for x, y, name in ((255, 108, "ds"), (122, 30, "dq"), (125, 128, "dk"), (425, 92, "dw"), (300, 200, "dv")):
        drawing.text(x, y, name)
    return drawing


# --- tables ---


def one_of_each(world: World, seed: int) -> HTML:
    """Each kind of document: its share of the corpus, and the beginning of one."""
    draw = random.Random(seed)
    deck = corpus.Deck(world, draw)
    whole = sum(corpus.SHARES.values())
    rows = []
    for kind, weight in corpus.SHARES.items():
        text = " ⏎ ".join(line for line in getattr(corpus, kind)(deck, draw).split("\n") if line)
        rows.append(
            (escape(kind), f"{100 * weight / whole:.0f}%", escape(text[:110] + (" …" if len(text) > 110 else "")))
        )
    return HTML(table(("kind", "of the documents", "one of them begins"), rows, label="documents", numbers=(1,)))


def kinds_of_unread(tokenizer: Tokenizer, unread: Sequence[int]) -> HTML:
    """The never-read tokens by what they are, with some of each."""
    parts = {number for pair in tokenizer.merges for number in pair}
    kinds: dict[str, list[int]] = {"building blocks of longer tokens": [], "single bytes": [], "chat markers": [],
                                   "words of instructions": []}  # fmt: skip
    for number in unread:
        kind = 2 if number in tokenizer.name_of else 1 if number < 256 else 0 if number in parts else 3
        kinds[list(kinds)[kind]].append(number)
    rows = [(name, str(len(some)), " ".join(map(verbatim, map(repr, (tokenizer.decode([i]) for i in some[1:6])))))
            for name, some in kinds.items() if name != "single bytes"]  # fmt: skip
    rows.insert(1, ("single bytes", str(len(kinds["single bytes"])), "as other alphabets need"))
    return HTML(table(("never read", "tokens", "such as"), rows, label="tokens never read", numbers=(1,)))


def lens(stream: Sequence[np.ndarray], scores: Callable, names: Callable, target: int) -> Markdown:
    """What the model would say, had it to stop after each layer. `scores` makes logits of a row of the stream."""
    rows = []
    for depth, row in enumerate(stream):
        z = scores(row)
        chances = np.exp(z - z.max())
        chances /= chances.sum()
        where = f"layer {depth}" if depth else "the embedding"
        best = int(chances.argmax())
        rows.append((where, f"`{names(best)!r}`", f"{chances[best]:.3f}", f"{chances[target]:.4f}"))
    head = ("after", "likeliest next token", "its probability", f"that of `{names(target)!r}`")
    return Markdown(markdown_table(head, rows))


def scale_table(lm: LanguageModel, read: int, rate: float) -> HTML:
    """The shipped model beside LLaMA 7B (its paper's table 2). `read` is the number of tokens read in training."""
    about = json.loads((RESULTS_FOLDER / "rebuild.json").read_text(encoding="utf8"))
    size, config = lm.transformer.parameters.flat.size, lm.transformer.config
    pairs = {"parameters": (size, 6.7e9), "numbers in a row of the stream": (config.dim, 4096),
             "layers": (config.layers, 32), "tokens read in training": (read, 1e12),
             "tokens read per parameter": (read / size, 1e12 / 6.7e9)}  # fmt: skip
    rows = [(name, f"{ours:,.3g}" if ours < 100 else f"{ours:,.0f}", f"{theirs:,.0f}", f"{theirs / ours:,.0f}")
            for name, (ours, theirs) in pairs.items()]  # fmt: skip
    rows += [("times each text was read", f"{read / about['tokens']:.1f}", "mostly once", ""),
             ("peak learning rate", f"{rate:g}", "0.0003", "")]  # fmt: skip
    return HTML(table(("", "this model", "LLaMA 7B", "ratio"), rows, label="scale", numbers=(1, 2, 3)))


def perplexities(lm: LanguageModel, texts: dict[str, list[str]]) -> HTML:
    """Among how many equally likely tokens the model hesitates, for each named list of texts."""
    rows = [(escape(name), f"{evaluation.perplexity(lm, some):,.1f}") for name, some in texts.items()]
    return HTML(table(("text", "perplexity"), rows, label="perplexity", numbers=(1,)))


# --- figures ---


def directions(rows: np.ndarray, unread: Sequence[int]) -> None:
    """How alike two rows point, for pairs of rows that were read and pairs that were not."""
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    read = np.setdiff1d(np.arange(len(rows)), unread)
    figure, axes = plt.subplots(figsize=(6, 2.8))
    means = []
    for number, some in enumerate((read, np.asarray(unread))):
        cosines = np.minimum(1, (unit[some] @ unit[some].T)[np.triu_indices(len(some), 1)])  # rounding exceeds 1
        means.append(cosines.mean())
        share = np.full(len(cosines), 100 / len(cosines))
        name = f"{len(some):,} rows {('read', 'never read')[number]}"
        axes.hist(cosines, np.linspace(-1.0, 1.0, 51), weights=share, label=name, alpha=0.7, hatch=("", "//")[number])
    axes.set(xlabel="cosine of two rows (1: same direction)", ylabel="pairs (%)", title="All unread rows point one way")
    axes.legend(loc="upper center")
    plots.show(figure, f"Two histograms of cosines between embedding rows: pairs of read rows around {means[0]:.2f}, "
                       f"pairs of never-read rows at {means[1]:.2f}")  # fmt: skip


def rope_by_distance(products: np.ndarray) -> None:
    """One query at every position against one key at every position: only the distance counts."""
    span = len(products)
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.1), layout="constrained")
    image = left.imshow(products, cmap="PuOr")
    left.set(xlabel="position of the key", ylabel="position of the query", title="dot products")
    left.grid(visible=False)
    figure.colorbar(image, ax=left)
    distance = np.arange(span)
    right.plot(distance, products[distance, 0], label="key at position 0")
    half = span // 2
    right.plot(distance[:half], products[distance[:half] + half, half], "o", ms=5, mfc="none",
               label=f"key at position {half}")  # fmt: skip
    right.set(xlabel="distance (tokens)", ylabel="dot product", title="the same at equal distance")
    low, high = products.min(), products.max()
    right.set_ylim(low - 0.1 * (high - low), high + 0.6 * (high - low))  # the legend stands above all that is drawn
    right.legend(loc="upper center")
    spread = max(float(np.ptp(np.diagonal(products, offset))) for offset in range(-span + 1, span))
    plots.show(figure, f"Left, a map of dot products made of diagonal stripes; right, dot product by distance for two "
                       "places of the key: the circles lie on the line. Along a diagonal they differ "
                       f"by {spread:.0e}")  # fmt: skip


def head_maps(weights: np.ndarray, names: Sequence[str], subject: int) -> Markdown:
    """The head that looks most at the token before, and the head that from the last token looks most at `subject`.
    weights (layers, heads, T, T)."""
    count = len(names)
    before = weights[:, :, np.arange(1, count), np.arange(count - 1)].mean(-1)
    back = weights[:, :, -1, subject]
    picked = {"looks at the token before": np.unravel_index(before.argmax(), before.shape),
              f"from {names[-1]!r} at {names[subject]!r}": np.unravel_index(back.argmax(), back.shape)}  # fmt: skip
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.7), layout="constrained")
    for ax, (what, (layer, head)) in zip(axes, picked.items(), strict=True):
        image = ax.imshow(weights[layer, head], vmin=0, vmax=1, cmap="Blues")
        ax.set_xticks(range(count), [repr(name) for name in names], rotation=60, ha="right", fontsize=9)
        ax.set_yticks(range(count), [repr(name) for name in names], fontsize=9)
        ax.set(
            xlabel="token looked at", ylabel="token that looks", title=f"layer {layer + 1}, head {head + 1}:\n{what}"
        )
        ax.grid(visible=False)
    figure.colorbar(image, ax=axes, label="weight (each row adds up to 1)")
    plots.show(figure, "Two heat maps, a row for each token that looks. The upper right half, the future, is empty. "
                       f"Left, {before.max():.0%} of the weight lies just below the diagonal; right, the last row "
                       f"is darkest under {names[subject]!r}")  # fmt: skip
    return Markdown(
        f"*Two heads out of {back.size}, picked by their numbers. The right one puts {back.max():.2f} of its "
        f"last row's weight on `{names[subject]!r}`; spread evenly it would be {1 / count:.2f}.*"
    )
