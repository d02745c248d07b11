"""DPO and GRPO are those of TRL: its own losses on one batch, and their slopes in the log p of every token.

Optional, for want of PyTorch in the course: pip install trl. Held with trl 1.16.0, transformers 5.24.0, torch 2.13.0.
Both libraries have the same Llama here. TRL's trainers read the same ids and work out log p, loss and slopes with code
of their own; the slope of the loss in a token's log p must be minus the token's weight, divided by what the batch's
loss is divided by, and the gradients of the parameters must be the same.
"""

from types import SimpleNamespace

import numpy as np
import pytest

from helpers.learning.language_model import LanguageModel
from helpers.learning.model import Config, Transformer
from helpers.learning.policy_gradient import RewardBatches, Rollout, draw_answers, group_advantage
from helpers.learning.preferences import Dpo, PairBatches, token_logps
from tests.conftest import lively

trl = pytest.importorskip("trl")
torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
Dataset = pytest.importorskip("datasets").Dataset

pytestmark = pytest.mark.filterwarnings("ignore")
CLOSE = {"rtol": 0.0, "atol": 1e-4}


@pytest.fixture
def first(tokenizer):
    """The model as it was at first."""
    config = Config(vocab=tokenizer.vocab_size, dim=16, layers=2, heads=2, hidden=24, context=64)
    return LanguageModel(tokenizer, lively(config, np.float32), {})


def move(lm: LanguageModel, far: float, seed: int) -> None:
    """Change every parameter a little, as training would."""
    flat = lm.transformer.parameters.flat
    flat += np.random.default_rng(seed).normal(0.0, far, flat.size)


def twin(lm: LanguageModel):
    """The same model in transformers."""
    c = lm.transformer.config
    sizes = transformers.LlamaConfig(
        vocab_size=c.vocab,
        hidden_size=c.dim,
        num_hidden_layers=c.layers,
        num_attention_heads=c.heads,
        intermediate_size=c.hidden,
        max_position_embeddings=c.context,
        tie_word_embeddings=True,
        rms_norm_eps=1e-5,
    )
    model = transformers.LlamaForCausalLM(sizes)
    become(model, lm)
    return model


def become(model, lm: LanguageModel) -> None:
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.from_numpy(lm.transformer.parameters.named[name]))


def words(lm: LanguageModel, folder):
    """The course's tokenizer in transformers."""
    lm.tokenizer.save(folder / "tokenizer.json")
    return transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"), eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )


def plain(folder) -> dict:
    """What TRL's settings are told so that it counts in float32, here, and tells nobody."""
    return dict(output_dir=str(folder), use_cpu=True, bf16=False, gradient_checkpointing=False, report_to=[])


def slopes(trainer, model, inputs) -> tuple[float, np.ndarray, np.ndarray]:
    """TRL's loss of a batch; its slope in each log p (B, T - 1); and in all parameters, in one row."""
    seen = []
    hook = model.register_forward_hook(lambda module, given, found: seen.append(found.log_probs))
    loss = trainer.compute_loss(model, inputs)
    hook.remove()
    (logps,) = seen
    logps.retain_grad()
    loss.backward()
    return loss.item(), logps.grad.numpy(), in_one_row({name: p.grad.numpy() for name, p in model.named_parameters()})


def parts(row) -> tuple[list[int], list[int]]:
    """The ids of a question, and of the answer up to its end token."""
    start, end = row.mask.index(1), len(row.mask) - row.mask[::-1].index(1)
    return row.ids[:start], row.ids[start:end]


def gradient(model: Transformer, batch) -> np.ndarray:
    """Ours, as `train` works it out."""
    ids, targets, weights, counted = batch
    gradients = model.parameters.empty()
    model.backward(ids, targets, weights, gradients)
    return in_one_row(gradients.named) / counted


def in_one_row(named: dict[str, np.ndarray]) -> np.ndarray:
    return np.concatenate([named[name].ravel() for name in sorted(named)])


def same_gradient(found: np.ndarray, right: np.ndarray) -> None:
    assert np.linalg.norm(right) > 1e-3
    assert np.linalg.norm(found - right) < 1e-4 * np.linalg.norm(right)


# --- pairs ---

UNLIKE = [
    ("What is the capital of Peru?", "Lima.", "I do not know that, but it must be a large town."),
    ("Name a planet.", "Mars is one of the planets that go around the sun.", "Gold."),
    ("How many legs has a hen?", "Two.", "Four."),
    ("Who are you?", "Somebody who answers questions.", "Nobody."),
    ("Is the sky blue?", "Yes, mostly.", "No, it is as green as grass in spring and as red in autumn."),
]
ALIKE = [("Name a metal.", "Gold.", "Wood is a metal."), ("What shines?", "Gold.", "Mud, on a rainy day.")]


def pairs_of(rows) -> list[dict]:
    return [
        {
            "prompt": [{"role": "user", "content": question}],
            "chosen": [{"role": "assistant", "content": better}],
            "rejected": [{"role": "assistant", "content": worse}],
        }
        for question, better, worse in rows
    ]


def both_on_pairs(first, folder, rows, dpo: Dpo, **settings):
    """Our batch of all pairs and its figures; TRL's loss, its slopes in log p and in the parameters."""
    now = first.copy()
    batches = PairBatches(now, pairs_of(rows), dpo, size=len(rows), seed=0)
    move(now, 0.05, seed=1)
    batch = batches(0)

    trainer = trl.DPOTrainer(
        model=twin(now),
        ref_model=twin(first),
        args=trl.DPOConfig(beta=dpo.beta, **settings, **plain(folder)),
        processing_class=words(first, folder),
        train_dataset=Dataset.from_list([{"prompt": "Hi", "chosen": " you", "rejected": " there"}]),
    )
    columns = []
    for pair in batches.of_step(0):
        (asked, better), (_, worse) = (parts(batches.rows[2 * pair + side]) for side in (0, 1))
        columns.append({"prompt_ids": asked, "chosen_ids": better, "rejected_ids": worse})
    inputs = trainer.data_collator(columns)
    loss, slope, whole = slopes(trainer, trainer.model, inputs)
    # TRL adds up whole rows, whose log p is 0 for all but the answer's tokens; and ours end with a line break
    slope *= inputs["completion_mask"][:, 1:].numpy()
    return batches, batch, loss, np.pad(slope, [(0, 0), (0, batch[2].shape[1] - slope.shape[1])]), whole


@pytest.mark.parametrize("per_token, name", [(False, "sigmoid"), (True, "sigmoid_norm")])
@pytest.mark.parametrize("beta", [0.1, 1.0])
def test_dpo_is_that_of_trl(first, tmp_path, beta, per_token, name):
    """As published; and with means over tokens in place of sums, which TRL calls sigmoid_norm."""
    dpo = Dpo(beta, per_token=per_token)
    batches, batch, loss, slope, whole = both_on_pairs(first, tmp_path, UNLIKE, dpo, loss_type=[name])
    assert 0.2 <= batches.figures["prefers"] <= 0.8  # pairs of both kinds
    assert batches.figures["pair loss"] == pytest.approx(loss, abs=1e-4)
    np.testing.assert_allclose(-slope * batch[3], batch[2], **CLOSE)
    same_gradient(gradient(batches.model, batch), whole)


def sft_loss(batches, batch) -> float:
    """What TRL adds: minus the mean log p of all tokens of the chosen answers."""
    chosen = batch[2][: len(batch[2]) // 2] != 0
    ids, targets = (part[: len(chosen)] for part in batch[:2])
    return -token_logps(batches.model, ids, targets, chosen).sum() / chosen.sum()


def test_the_sft_term_is_that_of_trl_for_answers_of_one_length(first, tmp_path):
    batches, batch, loss, slope, whole = both_on_pairs(
        first, tmp_path, ALIKE, Dpo(sft=0.5), loss_type=["sigmoid", "sft"], loss_weights=[1.0, 0.5]
    )
    assert batches.figures["pair loss"] + 0.5 * sft_loss(batches, batch) == pytest.approx(loss, abs=1e-4)
    np.testing.assert_allclose(-slope * batch[3], batch[2], **CLOSE)
    same_gradient(gradient(batches.model, batch), whole)


def test_trl_counts_the_tokens_of_a_long_answer_as_much_as_those_of_a_short_one(first, tmp_path):
    """The one difference: in its SFT term each token of the batch counts alike, in ours each answer does."""
    batches, batch, _, slope, _ = both_on_pairs(
        first, tmp_path, UNLIKE, Dpo(sft=0.5), loss_type=["sigmoid", "sft"], loss_weights=[1.0, 0.5]
    )
    mask = (batch[2] != 0)[: batch[3]]
    ours, theirs = (0.5 * mask / tokens for tokens in (mask.sum(axis=1, keepdims=True), mask.sum() / batch[3]))
    right = batch[2].copy()
    right[: batch[3]] += theirs - ours
    assert np.abs(theirs - ours).max() > 0.01
    np.testing.assert_allclose(-slope * batch[3], right, **CLOSE)


# --- rewards ---

PROBES = [SimpleNamespace(question=question) for question in ("What is gold?", "Name a planet.", "Who are you?")]
ANSWERS = 4


def reward(probe, text: str) -> float:
    """Of a question's answers some are better than others, but for the first question's."""
    return 0.3 if probe is PROBES[0] else len(text) % 5 / 2


def both_on_rewards(first, folder, rollout: Rollout, **settings):
    """Our batch, that of the second look at the answers if there is one; TRL's loss, slopes, batch, and trainer."""
    now = first.copy()
    move(now, 0.01, seed=2)
    batches = RewardBatches(now, first, PROBES, reward, rollout, group_advantage, 0, None)
    questions = [probe.question for probe in batches.of_step(0) for _ in range(ANSWERS)]
    rows = [row for row, _ in draw_answers(now, questions, rollout.tokens, [0, 0])]
    drawn, batch = now.copy(), batches(0)
    if rollout.updates > 1:
        move(now, 0.01, seed=3)
        batch = batches(1)

    rewards = [sample.reward for sample in batches.samples]

    def theirs(completions, **more):
        return rewards

    def written(prompts, trainer):
        asked, answers = zip(*map(parts, rows), strict=True)
        return {"prompt_ids": list(asked), "completion_ids": list(answers), "logprobs": None}

    twin(first).save_pretrained(folder)  # from where TRL reads its reference model
    trainer = trl.GRPOTrainer(
        model=str(folder),
        reward_funcs=theirs,
        args=trl.GRPOConfig(
            beta=rollout.kl,
            epsilon=rollout.clip,
            num_iterations=rollout.updates,
            num_generations=ANSWERS,
            per_device_train_batch_size=len(rows),
            max_completion_length=rollout.tokens,
            **settings,
            **plain(folder),
        ),
        processing_class=words(first, folder),
        train_dataset=Dataset.from_list([{"prompt": probe.question} for probe in PROBES]),
        rollout_func=written,
    )
    trainer.current_gradient_accumulation_steps = 1
    trainer.model.train()
    become(trainer.model, drawn)
    inputs = trainer._generate_and_score_completions([{"prompt": question} for question in questions])
    become(trainer.model, now)
    loss, slope, whole = slopes(trainer, trainer.model, inputs)
    # TRL pads questions on the left, we on the right: bring each row's answer to where ours has it
    longest, placed = inputs["prompt_ids"].shape[1], np.zeros((len(rows), max(len(row.ids) for row in rows) - 1))
    for number, (asked, answer) in enumerate(map(parts, rows)):
        start = len(asked) - 1  # the place whose next token is the answer's first
        placed[number, start : start + len(answer)] = slope[number, longest - 1 : longest - 1 + len(answer)]
    return batches, batch, SimpleNamespace(loss=loss, slope=placed, whole=whole, inputs=inputs, trainer=trainer)


@pytest.mark.parametrize("kl", [0.0, 0.1])
@pytest.mark.parametrize("updates", [1, 2])
@pytest.mark.parametrize("loss_type", ["dapo", "bnpo"])
def test_grpo_is_that_of_trl(first, tmp_path, loss_type, updates, kl):
    """Answers that were just drawn, and a second look at them, when tokens have left the clip range on both sides; one
    question's answers are all as good. The loss is a mean over all tokens of the step: dapo or, for one process, bnpo.
    """
    rollout = Rollout(questions=3, answers=ANSWERS, updates=updates, kl=kl, tokens=12)
    how = {"loss_type": loss_type, "use_bias_correction_kl": False}
    batches, batch, theirs = both_on_rewards(first, tmp_path, rollout, **how)
    advantages = np.array([sample.advantage for sample in batches.samples])
    np.testing.assert_allclose(theirs.inputs["advantages"].numpy(), advantages, **CLOSE)
    assert (np.abs(advantages) > 0.1).sum() >= ANSWERS and (advantages == 0).sum() >= ANSWERS

    ids, targets, weights, counted = batch
    kept = np.arange(len(advantages)) if kl else np.flatnonzero(advantages)  # ours leaves out what moves nothing
    slope, width = -theirs.slope * counted, weights.shape[1]
    np.testing.assert_allclose(slope[kept][:, :width], weights, **CLOSE)
    np.testing.assert_allclose(np.delete(slope, kept, axis=0), 0.0, **CLOSE)
    same_gradient(gradient(batches.lm.transformer, batch), theirs.whole)

    mask, above = batches.arrays[2], advantages[kept, None]
    now = batches.logps(batches.lm)
    ratio = np.exp(now - (now if updates == 1 else batches.drawn_logps))
    if updates > 1:
        assert ((ratio > 1.2) & (above > 0)).any() and ((ratio < 0.8) & (above < 0)).any()  # left alone
        assert ((ratio > 1.2) & (above < 0)).any() and ((ratio < 0.8) & (above > 0)).any()  # called back
    gain = (mask * np.minimum(ratio * above, np.clip(ratio, 0.8, 1.2) * above)).sum() / counted
    price = kl * batches.figures["kl"] if kl else 0.0
    assert price - gain == pytest.approx(theirs.loss, abs=1e-4)
    if kl:
        assert batches.figures["kl"] == pytest.approx(theirs.trainer._metrics["train"]["kl"][-1], rel=1e-4)


def test_trl_weighs_the_kl_term_by_the_ratio_unless_told_otherwise(first, tmp_path):
    """Its default (use_bias_correction_kl) has the same value where the ratio is 1, and another slope: ours is that of
    the estimate itself, kl * (1 - p0 / p) in log p, theirs kl * log(p / p0)."""
    kl = 0.1
    batches, batch, theirs = both_on_rewards(
        first, tmp_path, Rollout(questions=3, answers=ANSWERS, kl=kl, tokens=12), loss_type="dapo"
    )
    behind = batches.first_logps - batches.logps(batches.lm)
    ours, right = kl * np.expm1(behind), kl * behind
    assert np.abs(ours - right).max() > 0.001
    np.testing.assert_allclose(-theirs.slope * batch[3], batch[2] - ours + right, **CLOSE)
    assert batches.figures["kl"] == pytest.approx(theirs.trainer._metrics["train"]["kl"][-1], rel=1e-4)
