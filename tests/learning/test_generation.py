"""Writing with a cache, in a batch, or by the plain definition gives the same text; sampling draws what it should."""

import numpy as np
import pytest

from helpers.learning.generation import GROUP, Cache, choose, generate, one_more, read_prompts

PROMPT = [1, 2, 3]


def plain(model, prompt: list[int], count: int, stop: tuple = ()) -> list[int]:
    """Greedy writing by its definition: everything computed anew for each token, no cache, no batch, no padding."""
    ids = list(prompt)
    for _ in range(count):
        following = int(model.logits(np.array([ids]))[0, -1].argmax())
        if following in stop:
            break
        ids.append(following)
    return ids[len(prompt) :]


def prompts(count: int, longest: int) -> list[list[int]]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 29, rng.integers(1, longest + 1)).tolist() for _ in range(count)]


def test_with_cache_is_without(writer):
    for prompt in prompts(12, 10):
        assert generate(writer, [prompt], 30) == [plain(writer, prompt, 30)]


def test_logits_with_cache_are_those_without(writer):
    ids = np.random.default_rng(1).integers(0, 29, (3, 20))
    whole, cache = writer.logits(ids), Cache(writer, 3, 20)
    for start, end in ((0, 7), (7, 8), (8, 13), (13, 20)):
        final = writer.forward(ids[:, start:end], cache=cache)
        block = (final @ writer.parameters.embedding.T).reshape(3, end - start, -1)
        np.testing.assert_allclose(block, whole[:, start:end], atol=1e-3, err_msg=f"{start} to {end}")
    assert cache.length == 20


def test_a_batch_of_unlike_prompts_is_one_by_one(writer):
    several = prompts(16, 12)
    assert len({len(prompt) for prompt in several}) > 5
    together = generate(writer, several, 20)
    assert together == [generate(writer, [prompt], 20)[0] for prompt in several]
    assert len({tuple(ids) for ids in together}) > 8, "all rows write the same, so this test sees nothing"


def test_a_row_that_has_stopped_leaves_the_others_alone(writer):
    several = prompts(16, 12)
    free = generate(writer, several, 20)
    stop = free[0][3]
    stopped = generate(writer, several, 20, stop=(stop,))
    assert stopped == [ids[: ids.index(stop)] if stop in ids else ids for ids in free]
    assert len({len(ids) for ids in stopped}) > 2


def test_any_of_several_stop_tokens_ends_and_is_not_written(writer):
    free = generate(writer, [PROMPT], 20)[0]
    second = next(token for token in free if token != free[0])
    assert generate(writer, [PROMPT], 20, stop=(second, 28)) == [free[: free.index(second)]]
    assert generate(writer, [PROMPT], 20, stop=(free[0],)) == [[]]


def test_so_many_tokens_and_no_more(writer):
    for count in (1, 2, 37):
        assert len(generate(writer, [PROMPT], count)[0]) == count


def test_of_a_long_prompt_the_end_is_read(writer):
    """So that prompt and answer fit the context together."""
    long = np.random.default_rng(2).integers(0, 29, 100).tolist()
    assert generate(writer, [long], 30) == [plain(writer, long[-10:], 30)]
    assert generate(writer, [long, PROMPT], 30)[0] == generate(writer, [long], 30)[0]


def test_top_k_of_1_is_greedy(writer):
    several = prompts(8, 6)
    assert generate(writer, several, 20, temperature=1.5, top_k=1) == generate(writer, several, 20)


def test_little_temperature_is_greedy(writer):
    assert generate(writer, [PROMPT], 20, temperature=1e-4) == generate(writer, [PROMPT], 20)


def test_the_same_seed_writes_the_same_and_another_another(writer):
    one, same, other = (generate(writer, [PROMPT], 30, temperature=2.0, seed=seed) for seed in (5, 5, 6))
    assert one == same and one != other


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_draws_come_as_often_as_softmax_says(temperature):
    logits = np.array([1.0, 0.0, -0.5, 2.0, -3.0], np.float32)
    chance = np.exp(logits / temperature) / np.exp(logits / temperature).sum()
    drawn = choose(np.tile(logits, (40_000, 1)), temperature, None, np.random.default_rng(0).random(40_000))
    often = np.bincount(drawn, minlength=5) / len(drawn)
    np.testing.assert_allclose(often, chance, atol=0.01)  # four standard errors


def test_top_k_draws_from_the_k_likeliest_in_their_proportion():
    logits = np.array([1.0, 0.0, -0.5, 2.0, -3.0], np.float32)
    drawn = choose(np.tile(logits, (40_000, 1)), 1.0, 2, np.random.default_rng(0).random(40_000))
    often = np.bincount(drawn, minlength=5) / len(drawn)
    np.testing.assert_allclose(often[[0, 3]], [1 / (1 + np.e), np.e / (1 + np.e)], atol=0.01)
    assert often[[1, 2, 4]].sum() == 0


def test_more_candidates_than_there_are_is_all_of_them():
    logits = np.zeros((1000, 3), np.float32)
    assert set(choose(logits, 1.0, 10, np.random.default_rng(0).random(1000))) == {0, 1, 2}


def test_written_tokens_come_as_often_as_the_model_says(writer):
    """From the prompt to the draw, with a padded row in the batch."""
    logits = writer.logits(np.array([PROMPT]))[0, -1].astype(float) / 3.0
    chance = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    written = generate(writer, [PROMPT] * 3000 + [[1] * 5], 1, temperature=3.0)[:-1]
    often = np.bincount(np.ravel(written), minlength=29) / 3000
    np.testing.assert_allclose(often, chance, atol=0.035)
    assert chance.max() < 0.9, "a choice that is nearly sure tests nothing"


def test_what_a_prompt_draws_depends_on_its_place_and_on_nothing_beside_it(writer):
    several = prompts(12, 10)
    together = generate(writer, several, 8, temperature=1.5, seed=3)
    for count in (1, 5):
        assert generate(writer, several[:count], 8, temperature=1.5, seed=3) == together[:count]
    others = [PROMPT] * 11 + several[11:]  # other neighbours, of other lengths
    assert generate(writer, others, 8, temperature=1.5, seed=3)[11] == together[11]
    assert generate(writer, [PROMPT] * 6, 8, temperature=1.5) != [generate(writer, [PROMPT], 8, temperature=1.5)[0]] * 6


@pytest.mark.parametrize("cores", [1, 3])
def test_many_prompts_are_one_by_one_however_many_cores_there_are(writer, monkeypatch, cores):
    monkeypatch.setattr("helpers.learning.generation.cores", lambda: cores)
    several = prompts(2 * GROUP + 5, 9)
    stop = (generate(writer, several[:1], 9)[0][2],)
    alone = [generate(writer, [prompt], 9, stop=stop)[0] for prompt in several]
    assert generate(writer, several, 9, stop=stop) == alone


def test_one_more_position_is_the_forward_pass(writer):
    """Of rows that begin in different columns of the cache."""
    several = sorted(prompts(7, 12), key=len)
    cache, logits = read_prompts(writer, several, 16)
    pads = len(several[-1]) - np.array([len(prompt) for prompt in several])
    assert len(set(pads.tolist())) > 3
    for token in (4, 0, 28):
        for prompt, scores in zip(several, logits, strict=True):
            np.testing.assert_allclose(scores, writer.logits(np.array([prompt]))[0, -1], atol=1e-3)
        several = [[*prompt, token] for prompt in several]
        logits = one_more(writer, np.full(7, token), cache, pads)


def test_a_text_that_all_rows_share_is_read_once(writer):
    ids = np.random.default_rng(2).integers(0, 29, (3, 12))
    shared = ids[:1, :7]
    ids[:, :7] = shared
    first, cache = Cache(writer, 1, 7), Cache(writer, 3, 12)
    writer.forward(shared, cache=first)
    cache.prefill(first)
    assert cache.length == 7
    final = writer.forward(ids[:, 7:], cache=cache).reshape(3, 5, -1)
    np.testing.assert_allclose(final, writer.forward(ids).reshape(3, 12, -1)[:, 7:], atol=1e-4)


def test_no_prompts_no_texts(writer):
    assert generate(writer, [], 5) == []


@pytest.mark.parametrize(("how", "words"), [
    ({"max_new_tokens": 0}, "between 1 and 39"),
    ({"max_new_tokens": 40}, "between 1 and 39"),
    ({"max_new_tokens": -1}, "between 1 and 39"),
    ({"temperature": -0.1}, "temperature -0.1"),
    ({"temperature": float("nan")}, "temperature nan"),
    ({"temperature": float("inf")}, "temperature inf"),
    ({"top_k": 0}, "top_k 0"),
    ({"prompts": [PROMPT, []]}, "holds no token"),
])  # fmt: skip
def test_what_cannot_be_done_is_refused_in_words(writer, how, words):
    how = {"prompts": [PROMPT], "max_new_tokens": 5} | how
    with pytest.raises(ValueError, match=words):
        generate(writer, **how)


# --- through the language model ---


def test_complete_all_and_ask_all_are_complete_and_ask(lm, documents):
    texts = [text[:25] for text in documents[:70]]  # more than one batch of 64, unlike in length
    texts[3] = "The"
    assert lm.complete_all(texts, 6) == [lm.complete(text, 6) for text in texts]
    assert lm.ask_all(texts[:5], max_new_tokens=6) == [lm.ask(text, max_new_tokens=6) for text in texts[:5]]
    assert len(set(lm.complete_all(texts, 6))) > 5


def test_a_text_longer_than_the_context_is_completed_from_its_end(lm, documents):
    long = "\n".join(documents[:20])
    ids = lm.tokenizer.encode(long)[-(64 - 6) :]
    assert lm.complete(long, 6) == lm.tokenizer.decode(plain(lm.transformer, ids, 6, lm.tokenizer.special.values()))


def test_a_question_longer_than_the_context_is_refused_in_words(lm):
    with pytest.raises(ValueError, match="Ask more briefly"):
        lm.ask("What is the capital of France? " * 20, max_new_tokens=6)


def test_many_draws_of_one_question_differ_beyond_the_first_batch(lm):
    """More than a batch of 64: the noise of the first batch must not come again in the second and third."""
    texts = lm.complete_all(["The capital"] * 192, 8, temperature=1.5, seed=5)
    assert len(set(texts)) > 180
    assert texts[:64] != texts[64:128] != texts[128:]
    assert texts == lm.complete_all(["The capital"] * 192, 8, temperature=1.5, seed=5)
