"""What `make bench` measured, as one picture: how each engine's step grows, and how far ahead ours is."""

from __future__ import annotations

from pathlib import Path

from matplotlib import rc_context, rcParamsDefault
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

TOKENS = {"width": lambda value: 1024, "context": lambda value: 1024, "batch": lambda value: 64 * value}
STYLES = {
    "this edition": ("#0072b2", "o", 2.4),
    "first edition": ("#56b4e9", "s", 1.2),
    "PyTorch eager": ("#999999", "v", 1.2),
    "torch.compile": ("#d55e00", "^", 1.2),
    "transformers": ("#009e73", "D", 1.2),
}


@rc_context(rcParamsDefault | {"svg.hashsalt": "bench"})  # the same figures give the same file, whatever was set
def draw(record: dict, path: Path) -> None:
    """Write the picture of a record (data/results/bench.json) as SVG."""
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    most = max(line["cores"] for line in record["growth"])
    for panel, axis in zip(panels, TOKENS, strict=True):
        for cores, dash in {1: ":", most: "-"}.items():
            lines = [line for line in record["growth"] if (line["axis"], line["cores"]) == (axis, cores)]
            for name, (colour, marker, width) in STYLES.items():
                some = [line for line in lines if name in line["ms"]]
                values = [line["value"] for line in some]
                speeds = [TOKENS[axis](line["value"]) / line["ms"][name] for line in some]  # thousands a second
                label = name if (cores, axis) == (most, "width") else None
                if some:
                    panel.plot(values, speeds, dash, color=colour, marker=marker, ms=4, lw=width, label=label)
        panel.set(xscale="log", yscale="log", xlabel={"batch": "rows of 64 tokens"}.get(axis, axis))
        values = sorted({line["value"] for line in record["growth"] if line["axis"] == axis})
        panel.set_xticks(values, [str(value) for value in values])
        panel.minorticks_off()
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("thousand tokens trained on a second")
    figure.suptitle(f"Training speed as the model and the batch grow ({most} cores; dotted: one)", fontsize=11)
    figure.legend(loc="outside lower center", ncols=len(STYLES), frameon=False)
    FigureCanvasSVG(figure).print_svg(path, metadata={"Date": None, "Creator": None})
