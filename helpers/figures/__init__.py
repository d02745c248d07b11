"""What the notebooks show: each one's figures, drawings and tables, in a module of the notebook's name.

A lesson's cell calls one function and shows what comes back. So the notebook holds what is to be learned, and the
plotting stands here. Not here: widgets (helpers/showing), how a drawing is made (showing/diagrams.py), the style of
figures (showing/plots.py).
"""
