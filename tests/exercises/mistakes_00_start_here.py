"""Typical wrong solutions of notebook 00, each with a piece of what its check should say."""

MISTAKES = {
    "make_it_say": [
        ("def prompt_for_norway():\n    return 'What is the capital of Norway?'", "continued by another question"),
        ("def prompt_for_norway():\n    return 'The capital of Norway is Oslo'", "contains the answer"),
        ("def prompt_for_norway():\n    return 'The capital of Norway is '", "ends in a space"),
        ("def prompt_for_norway():\n    return 'The capital is'", "should name Norway"),
        ("def prompt_for_norway():\n    return 'The capital of Norway is...'", "writes nothing"),
        ("def prompt_for_norway():\n    return 7", "should return a text"),
        ("def prompt_for_norway():\n    print('The capital of Norway is')", "print only shows it"),
    ],
    "own_form": [
        ("def my_form(country, capital):\n    return f'Easy: {country} has {capital}!'", "find another beginning"),
        ("def my_form(country, capital):\n    return f'Well, the capital of {country} is {capital}.'", "another end"),
        ("def my_form(country, capital):\n    return f'So it is {capital}!'", "the country does not stand"),
        ("def my_form(country, capital):\n    return f'{capital} is the capital of {country}!'",
         "straight from the question"),
        ("def my_form(country, capital):\n    return 'Well, the capital of Italy is Rome!'", "in place of names"),
        ("def my_form(country, capital):\n    return f'Capital of {country}: {capital}'", "of 21 right"),
        ("def my_form(country, capital):\n    return [country, capital]", "should be a text"),
        ("def my_form(country, capital):\n    return f'Well, {country.capital} it is!'", "in line 2"),
    ],
    "kept_back_share": [
        ("def kept_back_share(facts, kind):\n    return sum(f.part != 'tuned on' for f in facts if f.kind == kind)",
         "a count"),
        ("def kept_back_share(facts, kind):\n"
         "    return sum(f.part != 'tuned on' for f in facts if f.kind == kind) / len(facts)", "ALL facts"),
        ("def kept_back_share(facts, kind):\n    return sum(f.part != 'tuned on' for f in facts) / len(facts)",
         "among all kinds"),
        ("def kept_back_share(facts, kind):\n    chosen = [f for f in facts if f.kind == kind]\n"
         "    return 100 * sum(f.part != 'tuned on' for f in chosen) / len(chosen)", "percentage"),
        ("def kept_back_share(facts, kind):\n    chosen = [f for f in facts if f.kind == kind]\n"
         "    return sum(f.part == 'tuned on' for f in chosen) / len(chosen)", "IS tuned on"),
        ("def kept_back_share(facts, kind):\n    chosen = [f for f in facts if f.kind == kind]\n"
         "    return sum(f.part == 'test' for f in chosen) / len(chosen)", "'test' only"),
        ("def kept_back_share(facts, kind):\n    return [f for f in facts if f.kind == kind]", "yours is a list"),
        ("def kept_back_share(facts, kind):\n    return '53%'", "yours is a str"),
        ("def kept_back_share(facts, kind):\n    chosen = [f for f in facts if f.kind == kind]\n"
         "    return sum(f.part != 'tuned_on' for f in chosen) / len(chosen)", "with a space"),
        ("def kept_back_share(facts, kind):\n    return kept_backs", "NameError"),
        ("import numpy as np\ndef kept_back_share(facts, kind):\n    return np.median(['a'])", "in line 3"),
    ],
}
