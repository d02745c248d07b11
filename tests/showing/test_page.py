"""What everything shown is made of: text stays text, tables and drawings have names, and each value its place."""

import ast
import re
import sys
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from helpers.showing import page
from helpers.showing.page import (
    Axes,
    answer_html,
    escape,
    markdown_table,
    sign_svg,
    svg,
    svg_text,
    table,
    verbatim,
    verdict_box,
    visible,
)

HOSTILE = [
    "",
    "<img src=x onerror=alert(1)>",
    '"><script>alert(1)</script>',
    "' onload='alert(1)",
    "</td></table></text></svg><svg onload=alert(1)>",
    "&lt;b&gt; &amp;amp; &#60;",
    "\x00\u202e\ud800",
]
every_text = pytest.mark.parametrize("text", HOSTILE)
LOG = [{"step": step, "loss": loss} for step, loss in ((1, 4.0), (5, 2.0), (10, 1.0))]


class Tags(HTMLParser):
    """Every tag of a piece of HTML with its attributes, its texts, and whether all tags are closed in order."""

    def __init__(self, text: str):
        super().__init__()
        self.open, self.elements, self.texts = [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        self.texts.append(text)

    def all(self, *names: str) -> list[dict]:
        return [attributes for tag, attributes in self.elements if tag in names]


def test_it_needs_the_standard_library_only():
    tree = ast.parse(Path(page.__file__).read_text("utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = [name.name if isinstance(node, ast.Import) else node.module for node in imports for name in node.names]
    assert names and {name.split(".")[0] for name in names} <= set(sys.stdlib_module_names)


# --- text ---


def test_every_script_stands_on_the_page_as_it_was_typed():
    """Spaces and joiners that French, Persian, Hindi, Japanese and family emoji need; new letters; line ends."""
    for text in ("Bonjour\u00a0!", "\u0645\u06cc\u200c\u062e", "\u0915\u094d\u200d\u0937", "\u5168\u3000\u89d2",
                 "\U0001f469\u200d\U0001f467", "\U0001fae8", "a\r\nb\tc"):  # fmt: skip
        assert escape(text) == text
    for sign in "\x00\x07\x1b\x7f\x85\u202e\u2066\ud800\uffff":
        assert escape(f"a{sign}<b>") == "a\N{REPLACEMENT CHARACTER}&lt;b&gt;"


@every_text
def test_what_is_escaped_can_be_sent_and_comes_back(text):
    assert unescape(escape(text)) == visible(text)
    escape(text).encode("utf-8")
    assert not set("<>\"'") & set(escape(text))
    assert escape(ValueError(text)) == escape(text), "an object is shown as its text"


@every_text
@pytest.mark.parametrize("tag", ["span", "b", "pre"])
def test_text_as_it_was_typed_is_one_element(text, tag):
    tags = Tags(verbatim(text, tag, "color: red"))
    assert [name for name, _ in tags.elements] == [tag] and "pre-wrap; " in tags.elements[0][1]["style"]
    assert tags.elements[0][1]["style"].endswith("; color: red") and not verbatim(text).endswith(";")


@every_text
def test_who_answers_and_what_is_text_and_is_told_as_a_log(text):
    tags = Tags(answer_html(text, text))
    assert [name for name, _ in tags.elements] == ["div", "b"] + ["i"] * (text == "")
    assert tags.elements[0][1]["role"] == "log"


def test_a_verdict_has_a_sign_beside_its_colour():
    good, bad = verdict_box(True, "so"), verdict_box(False, "so")
    assert page.GOOD in good and "✔ so" in good and page.BAD in bad and "… so" in bad


# --- tables ---


@every_text
def test_names_in_a_table_are_text_and_cells_are_html(text):
    tags = Tags(table((text, "b"), [(escape(text), "<i>x</i>")] * 2, label=text, caption=text))
    assert {tag for tag, _ in tags.elements} <= {"table", "caption", "thead", "tbody", "tr", "th", "td", "i"}
    assert len(tags.all("i")) == 2 and len(tags.all("td")) == 4
    assert not [name for _, attributes in tags.elements for name in attributes if name.startswith("on")]


def test_a_table_has_a_name_and_headings_with_a_scope():
    tags = Tags(table(("a", "b"), [("1", "2")], label="some"))
    assert tags.all("table") == [{"aria-label": "some"}] and not tags.all("caption")
    assert [cell["scope"] for cell in tags.all("th")] == ["col", "col"]
    rows = Tags(table(("", "a"), [("x", "1"), ("y", "2")], caption="some", row_heads=True))
    assert [cell["scope"] for cell in rows.all("th")] == ["col", "col", "row", "row"] and len(rows.all("td")) == 2
    assert "aria-label" not in rows.all("table")[0] and "some" in rows.texts


def test_numbers_stand_at_the_right_with_their_heading():
    tags = Tags(table(("a", "b"), [("x", "1")], numbers=(1,)))
    assert ["right" in cell["style"] for cell in tags.all("th", "td")] == [False, True, False, True]


def test_a_row_of_another_length_is_an_error_and_no_rows_are_none():
    with pytest.raises(ValueError, match="shorter|longer"):
        table(("a", "b"), [("1",)])
    assert len(Tags(table(("a",), [])).all("tr")) == 1


def test_a_markdown_table_keeps_its_cells_apart():
    """A bar, or a line break, in a cell would end it; an empty cell is a cell."""
    text = markdown_table(("word", "n"), [("a|b", 1), ("two\nlines", ""), ("**x**", 2.5)])
    lines = ["| word | n |", "|---|---|", r"| a\|b | 1 |", "| two lines | |", "| **x** | 2.5 |"]
    assert text.split("\n") == lines
    assert markdown_table(("a", "b"), iter([])) == "| a | b |\n|---|---|"
    with pytest.raises(ValueError, match="1 cells stand below 2 headings"):
        markdown_table(("a", "b"), [("alone",)])


# --- drawings ---


@every_text
def test_a_drawing_is_an_image_with_a_name_and_its_text_is_text(text):
    tags = Tags(svg(100, 50, text, [svg_text(1, 2, text)]))
    assert [tag for tag, _ in tags.elements] == ["svg", "text"]
    assert tags.elements[0][1]["role"] == "img" and tags.elements[0][1]["aria-label"] == unescape(escape(text))


def test_two_lines_differ_in_colour_and_in_dash():
    assert "dasharray" not in page.stroke(0) and "dasharray" in page.stroke(1)
    assert page.COLOURS[0] in page.stroke(0) and page.COLOURS[1] in page.stroke(1)


def test_lines_are_seen_on_white_and_on_black_paper():
    """3 : 1, as WCAG asks of graphics."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    for colour in (*page.COLOURS, page.GOOD, page.BAD):
        for paper in ("#ffffff", "#161616"):
            low, high = sorted((luminance(colour), luminance(paper)))
            assert (high + 0.05) / (low + 0.05) > 3, (colour, paper)


def test_axes_have_each_value_in_its_place():
    axes = Axes(steps=10, top=5.0, foot=1.0, width=300, height=150)
    assert axes.x(5) == (axes.x(0) + axes.x(10)) / 2 and axes.y(3) == (axes.y(1) + axes.y(5)) / 2
    assert 0 < axes.x(0) < axes.x(10) < 300 and 0 < axes.y(5) < axes.y(1) < 150
    assert axes.y(9) == axes.y(5), "what is above the top is drawn at the top"
    assert re.findall(">([^<]+)</text>", "".join(axes.parts("loss"))) == ["loss", "step", *"10", "3", "5", "5", "10"]


def test_a_sign_has_its_reference_and_leaves_out_what_is_no_number():
    nan = {"step": 15, "loss": float("nan")}
    drawing = sign_svg([*LOG, nan], "loss", "loss (nats)", 20, 0.5)
    assert drawing.count("<circle") == 3 and drawing.count("<polyline") == 1 and "stroke-dasharray" in drawing
    assert "loss (nats): first 4, last 1, should be 0.5 (dashed)" in drawing
    assert "stroke-dasharray" not in sign_svg(LOG, "loss", "loss", 20)
    nothing = sign_svg([], "loss", "loss", 20)
    assert "loss: not yet known" in nothing and "<circle" not in nothing


@pytest.mark.parametrize("value", [0.0, 1e-9, 1e9])
def test_a_sign_that_never_moves_is_drawn_within_the_axes(value):
    drawing = sign_svg([{"step": 1, "words": value}], "words", "words", 20, None)
    assert 26 <= float(re.search(r'cy="([\d.]+)"', drawing)[1]) <= 114


def test_perplexity_begins_at_one():
    drawing = sign_svg([{"step": 1, "perplexity": 1.0}], "perplexity", "perplexity", 20, 1.0)
    assert ">1</text>" in drawing and ">2</text>" in drawing and ">0.5</text>" not in drawing
