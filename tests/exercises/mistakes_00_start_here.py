"""Typical wrong solutions of notebook 00, each with a piece of what its check should say."""

MISTAKES = {
    "make_it_say": [
        ("def prompt_for_norway():\n    return 'What is the capital of Norway?'", "continued by another question"),
        ("def prompt_for_norway():\n    return 'The capital of Norway is Oslo'", "contains the answer"),
        ("def prompt_for_norway():\n    return 'The capital of Norway is '", "ends in a space"),
        ("def prompt_for_norway():\n    return 'The capital is'", "should mention Norway"),
        ("def prompt_for_norway():\n    return 7", "should return a text"),
    ],
    "held_out_share": [
        ("def held_out_share(facts, kind):\n    return sum(f.held_out for f in facts if f.kind == kind)", "a count"),
        ("def held_out_share(facts, kind):\n    return sum(f.held_out for f in facts if f.kind == kind) / len(facts)",
         "ALL facts"),
        ("def held_out_share(facts, kind):\n    return sum(f.held_out for f in facts) / len(facts)", "among all kinds"),
        ("def held_out_share(facts, kind):\n    chosen = [f for f in facts if f.kind == kind]\n"
         "    return 100 * sum(f.held_out for f in chosen) / len(chosen)", "percentage"),
        ("def held_out_share(facts, kind):\n    chosen = [f for f in facts if f.kind == kind]\n"
         "    return sum(not f.held_out for f in chosen) / len(chosen)", "IS tuned on"),
        ("def held_out_share(facts, kind):\n    return held_outs", "NameError"),
    ],
}
