"""Every work that a notebook cites is listed in notebook 08, and none is listed that no notebook cites.

A work is cited by its link, in a notebook's text or in a table, data/landscape.csv or data/article.csv; where
authors and year are named beside it they must be those of the list, data/references.csv.
"""

import csv
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NO_WORKS = ("https://mybinder.org",)  # places, which nobody cites
LINK = re.compile(r"https?://[^\s)\"'`<>\]]+")
NAMED = re.compile(r"([A-Z][\w-]+(?: et al\.| (?:and|&) [A-Z][\w-]+)?),? \(?((?:19|20)\d\d)\b")


def table(path: Path) -> list[dict]:
    with path.open(newline="", encoding="utf8") as lines:
        return list(csv.DictReader(lines))


REFERENCES = table(ROOT / "data" / "references.csv")
LANDSCAPE = table(ROOT / "data" / "landscape.csv")
ARTICLE = table(ROOT / "data" / "article.csv")  # what notebook D shows


def texts(path: Path) -> list[str]:
    """The Markdown cells of a notebook."""
    return [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"]


def belongs(link: str, reference: dict) -> bool:
    """Whether a link leads to a work, or to a part of it."""
    own = [place for place in (reference["link"], reference["also"]) if place]
    return any(
        link == place or (link.startswith(place) and (place[-1] == "/" or link[len(place)] in "/#?")) for place in own
    )


def cited() -> dict[str, str]:
    """Every link that is cited, and where."""
    found = {link.rstrip(".,;"): path.name for path in NOTEBOOKS for text in texts(path) for link in LINK.findall(text)}
    claims = {link: "article.csv" for row in ARTICLE for link in row["links"].split()}
    return {row["link"]: "landscape.csv" for row in LANDSCAPE} | claims | found


def unlisted(links: dict[str, str]) -> list[tuple[str, str]]:
    return [
        (where, link)
        for link, where in links.items()
        if link not in NO_WORKS and not any(belongs(link, reference) for reference in REFERENCES)
    ]


def uncited(references: list[dict], links: dict[str, str]) -> list[str]:
    return [reference["title"] for reference in references if not any(belongs(link, reference) for link in links)]


def misnamed(text: str) -> list[tuple[str, str]]:
    """Authors and year in a text that no listed work has. "Taori et al. 2023" and "Allen-Zhu & Li 2023" are names."""
    listed = {(reference["authors"], reference["year"]) for reference in REFERENCES}
    named = {(authors.replace("&", "and"), year) for authors, year in NAMED.findall(text)}
    return sorted(name for name in named if ("et al." in name[0] or " and " in name[0]) and name not in listed)


def test_every_work_that_is_cited_is_listed():
    assert unlisted(cited()) == []


def test_every_work_that_is_listed_is_cited():
    assert uncited(REFERENCES, cited()) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_authors_and_years_are_those_of_the_list(path):
    assert [name for text in texts(path) for name in misnamed(text)] == []


def test_the_landscape_names_its_sources_as_the_list_does():
    assert [name for row in LANDSCAPE for name in misnamed(row["source"])] == []


def test_the_list_is_whole_and_in_order():
    assert all(row["authors"] and row["title"] and row["link"].startswith("https://") for row in REFERENCES)
    links = [place for row in REFERENCES for place in (row["link"], row["also"]) if place]
    assert len(set(links)) == len(links)
    key = [(row["authors"].lower(), row["year"], row["title"]) for row in REFERENCES]
    assert key == sorted(key)


def test_notebook_08_shows_the_list():
    cells = nbformat.read(ROOT / "notebooks" / "08_conclusion.ipynb", as_version=4).cells
    shown = "".join(
        output.get("data", {}).get("text/markdown", "") for cell in cells for output in cell.get("outputs", [])
    )
    assert [row["title"] for row in REFERENCES if row["link"] not in shown] == []


def test_this_test_sees_what_is_wrong():
    new = "https://arxiv.org/abs/1234.56789"
    assert unlisted({new: "here", REFERENCES[0]["link"]: "there"}) == [("here", new)]
    assert unlisted({"https://arxiv.org/abs/2305.112060": "here"}), "a longer number is another work"
    assert not unlisted({"https://github.com/openai/tiktoken#extending-tiktoken": "here"})
    assert uncited([{"title": "x", "link": new, "also": ""}], cited()) == ["x"]
    assert misnamed("see [Zhou et al. 2022](x), [Zhou et al. 2023](y) and Land & Bartolo (2023)") == [
        ("Land and Bartolo", "2023"), ("Zhou et al.", "2022"),
    ]  # fmt: skip
