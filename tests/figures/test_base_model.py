"""Notebook A's drawings, tables and figures of the model going forward: they say and draw what they were given."""

import re
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers import load
from helpers.figures import base_model as figures
from helpers.showing import plots
from helpers.text import corpus


@pytest.fixture
def shown(monkeypatch):
    """Each figure that is shown, with its description; none is drawn on a page."""
    pictures = []
    monkeypatch.setattr(plots, "show", lambda figure, alt: pictures.append((figure, alt)))
    yield pictures
    plt.close("all")


def words(html) -> list[str]:
    return [text for text in re.split(r"\s*<[^>]+>\s*", html if isinstance(html, str) else html.data) if text]


@pytest.mark.parametrize(
    "draw, labels",
    [
        (figures.block, {"RMSNorm", "attention", "SwiGLU", "+"}),
        (figures.norm_paths, {"x", "y", "r, the rms", "normal row"}),
        (figures.gate_paths, {"gate", "up", "active", "normed", "silu"}),
        (figures.attention_paths, {"q", "k", "v", "scores", "weights", "out", "softmax", "dw", "ds", "dv"}),
    ],
)
def test_a_drawing_has_its_labels_and_stays_within_its_frame(draw, labels):
    drawing = draw()
    root = ElementTree.fromstring(drawing._repr_html_().replace("xml:space", "space"))
    assert labels <= {text.text for text in root.iter("text")}
    for box in root.iter("rect"):
        x, y, width, height = (float(box.get(name)) for name in ("x", "y", "width", "height"))
        assert 0 <= x and x + width <= drawing.width and 0 <= y and y + height <= drawing.height
    for text in root.iter("text"):
        assert 0 < float(text.get("y")) < drawing.height and 0 < float(text.get("x")) < drawing.width


def test_the_world_s_drawing_tells_a_row_and_one_of_its_wordings(world):
    told = words(figures.tables_to_documents(world)._repr_html_())
    assert "France | Paris" in told and "France&#x27;s capital is Paris." in told
    assert f"{len(corpus.SHARES)} kinds" in told


def test_a_word_grows_together_by_the_merges_that_touch_it():
    merges = [(ord("x"), ord("y")), (ord("a"), ord("b")), (257, ord("c"))]  # the first does nothing to "abc"

    def encode(word, some):
        ids = list(word.encode())
        for number, pair in enumerate(some, 256):
            for i in range(len(ids) - 1, 0, -1):
                if (ids[i - 1], ids[i]) == pair:
                    ids[i - 1 : i + 1] = [number]
        return ids

    drawing = figures.merge_steps("abc", merges, encode)
    assert words(drawing._repr_html_()) == ["bytes", "a", "b", "c", "merge 2", "ab", "c", "merge 3", "abc"]
    assert "3, then 2, then 1 tokens" in drawing.label


def test_each_kind_of_document_stands_with_its_share(world):
    told = words(figures.one_of_each(world, 0))
    assert all(kind in told for kind in corpus.SHARES)
    assert f"{100 * corpus.SHARES['quiz'] / sum(corpus.SHARES.values()):.0f}%" in told
    shares = [int(text[:-1]) for text in told if re.fullmatch(r"\d+%", text)]
    assert len(shares) == len(corpus.SHARES) and 96 <= sum(shares) <= 104


def test_every_unread_token_is_of_one_kind():
    base = load("base")
    told = words(figures.kinds_of_unread(base.tokenizer, base.recipe["unread"]))
    counts = [int(text) for text in told if text.isdigit()]
    assert len(counts) == 4 and sum(counts) == len(base.recipe["unread"])
    assert counts[2] == len(base.tokenizer.special) - 1  # all but <|endoftext|>


def test_the_lens_names_the_likeliest_token_and_its_probability():
    rows = [np.array([0.0, 0.0, np.log(2)]), np.array([np.log(8), 0.0, 0.0])]
    page = figures.lens(rows, lambda row: row, lambda i: "abc"[i], 0).data.splitlines()
    assert page[2] == "| the embedding | `'c'` | 0.500 | 0.2500 |"
    assert page[3] == "| layer 1 | `'a'` | 0.800 | 0.8000 |"


def test_the_scale_is_counted():
    base = load("base")
    told = words(figures.scale_table(base, 1000, 0.5))
    size = base.transformer.parameters.flat.size
    assert f"{size:,}" in told and f"{6.7e9 / size:,.0f}" in told and "1,000" in told and "0.5" in told


def test_perplexity_of_what_was_read_is_lower():
    base = load("base")
    told = words(figures.perplexities(base, {"read": ["The capital of Peru is Lima."], "noise": ["qzx vvk jjw"]}))
    values = [float(text.replace(",", "")) for text in told if re.fullmatch(r"[\d,]+\.\d", text)]
    assert told.index("read") < told.index("noise") and values[0] < 10 < values[1]


def test_directions_draws_both_kinds_of_pairs(shown):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(40, 8))
    rows[:10] = rows[0] * np.arange(1, 11)[:, None]  # ten rows that point one way
    figures.directions(rows, list(range(10)))
    (figure, alt), = shown
    assert "never-read rows at 1.00" in alt
    read, unread = figure.axes[0].containers
    assert sum(bar.get_height() for bar in read) == pytest.approx(100)
    assert unread[-1].get_height() == pytest.approx(100), "all in the last bin"


def test_rope_s_figure_tells_the_spread_along_a_diagonal(shown):
    products = np.subtract.outer(np.arange(8.0), np.arange(8.0))
    figures.rope_by_distance(products)
    (figure, alt), = shown
    assert "differ by 0e+00" in alt
    line, circles = figure.axes[1].lines
    assert line.get_ydata().tolist() == list(range(8)) and circles.get_ydata().tolist() == list(range(4))


def test_rope_s_legend_hides_nothing(shown):
    """A circle of the legend among the circles of the figure is not seen as one."""
    figures.rope_by_distance(np.subtract.outer(np.arange(8.0), np.arange(8.0)))
    (figure, _), = shown
    axes = figure.axes[1]
    figure.canvas.draw()
    below = axes.get_legend().get_window_extent().y0
    assert all(axes.transData.transform(line.get_xydata())[:, 1].max() < below - 5 for line in axes.lines)


def test_the_heads_are_those_that_look_most(shown):
    weights = np.full((2, 2, 4, 4), 0.25)
    weights[1, 0, -1] = [0.0, 0.9, 0.1, 0.0]  # looks at token 1 from the last
    weights[0, 1, np.arange(1, 4), np.arange(3)] = 0.8  # looks at the token before
    said = figures.head_maps(weights, ["a", "b", "c", "d"], 1).data
    (figure, alt), = shown
    assert figure.axes[0].get_title().startswith("layer 1, head 2")
    assert figure.axes[1].get_title() == "layer 2, head 1:\nfrom 'd' at 'b'"
    assert "puts 0.90 of its" in said and "evenly it would be 0.25" in said and "out of 4" in said
    assert "'b'" in alt
