"""Drawings: valid SVG that says in words what it shows, readable where the page is narrow, and nothing outside it."""

from xml.etree import ElementTree

import pytest

from helpers.showing.diagrams import SIZE, WIDTH, Drawing


def test_it_is_svg_with_a_name_and_the_colour_of_the_page():
    drawing = Drawing(300, 100, 'boxes & "arrows" <b>')
    drawing.box(0, 0, 120, 40, "a <name>", "small & print", fill="first")
    drawing.arrow(120, 20, 200, 20, "then")
    root = ElementTree.fromstring(drawing._repr_html_().replace("xml:space", "space"))
    assert root.get("role") == "img" and root.get("aria-label") == 'boxes & "arrows" <b>'
    assert root.get("fill") == "currentColor" and "max-width: 100%" in root.get("style")
    assert [text.text for text in root.iter("text")] == ["a <name>", "small & print", "then"]


def test_letters_are_nine_pixels_high_on_a_phone():
    assert SIZE * 360 / WIDTH > 9
    with pytest.raises(ValueError, match="cannot be read on a phone"):
        Drawing(WIDTH + 1, 100, "too wide")


def test_what_does_not_fit_is_told():
    drawing = Drawing(200, 100, "small")
    with pytest.raises(ValueError, match="does not fit a box 50 wide"):
        drawing.box(0, 0, 50, 40, "a long name")
    with pytest.raises(ValueError, match="show fewer"):
        drawing.tokens(0, 0, ["a long token"] * 3)


def test_a_marked_token_is_filled_and_bold():
    drawing = Drawing(300, 100, "mask")
    middles = drawing.tokens(10, 10, ["a", "b"], marks=[0, 1], width=40)
    assert middles == [30, 70]
    cells = [part for part in drawing.parts if part.startswith("<rect")]
    assert 'fill="none"' in cells[0] and 'fill="none"' not in cells[1]
    marks = [part for part in drawing.parts if part.endswith((">0</text>", ">1</text>"))]
    assert "bold" not in marks[0] and "bold" in marks[1]
