"""What a model writes is shown as text too, whatever it is. The course's models seldom write a "<", so here is one that
writes nothing else."""

import pytest

WRITES = """<img src=x onerror="window.hacked=1"><script>window.hacked=1</script></b></span><i>'&lt;</i>"""
CELLS = (
    "import sys\nsys.path.insert(0, '..')",
    f"""from helpers import load
from helpers.showing import playground
from helpers.showing.pretraining_lab import pretraining_lab
from helpers.showing.tuning_lab import tuning_lab
lm = load("base")
lm.tokenizer.decode = lambda ids: {WRITES!r} if len(ids) else ''""",
    "playground.playground(lm, lm, ['x'])",
    "pretraining_lab(lm.tokenizer, __import__('numpy').arange(2000) % 300, ['x'], steps=20)",
    "tuning_lab(lm, [{'messages': [{'role': r, 'content': 'x'} for r in ('user', 'assistant')]}], 'x', steps=10)",
)


@pytest.fixture
def name(lab):
    lab.write_notebook("hostile_model", *CELLS)
    return "hostile_model"


def test_what_the_model_writes_is_only_text(notebook):
    for cell, button in ((2, "20 tokens"), (3, "Start training"), (4, "Start training")):
        [press] = [control for control in notebook.controls(cell) if control.name == button]
        before = notebook.settled(cell)
        press.keys("Enter")
        assert notebook.changes(cell, before)
        notebook.settled(cell)
        output = notebook.cell(cell).query_selector(".jp-OutputArea")
        assert output.query_selector("b").text_content() == WRITES
        assert not output.query_selector_all("img, script, b i, td i")
        if cell == 2:  # the bars show each token as Python writes it
            shown = [token.text_content() for token in output.query_selector_all("td:first-child")]
            assert shown and set(shown) == {repr(WRITES)}
    assert notebook.page.evaluate("() => window.hacked") is None
