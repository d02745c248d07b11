#!/usr/bin/env bash
# trl 1.16.0: GRPO moves a model as far on a reward of 0.7 for every answer as on one that tells answers apart.
#
# Where all answers of a group get the same reward, each advantage, (reward - mean) / (deviation + 1e-4), should be 0.
# With a reward of 1.0 it is, and nothing moves. But the mean of eight times 0.7 in float32 is not 0.7: what is left,
# 6e-8, is 6e-4 after the division, with the same sign for every answer. AdamW does not mind how small a gradient is, so
# a step that holds no other groups moves the parameters as far as any. The metric that counts groups without contrast,
# frac_reward_zero_std, says there is none; only reward_std and grad_norm, being small, tell. Rewards of 0.1, 0.2, 0.3,
# 0.6 and 0.9 leave something too, with 8 or 16 answers a group (8 is the default); with 4 they do not.
#
# Seen on 2026-11-28 with Python 3.11.7, torch 2.13.0+cpu, transformers 5.24.0, accelerate 1.15.0, datasets 5.2.0:
#   all get 1.0: without contrast 1.0, largest advantage 0.0e+00, parameters moved by up to 0.000
#   all get 0.7: without contrast 0.0, largest advantage 6.0e-04, parameters moved by up to 0.005
#   by length: without contrast 0.0, parameters moved by up to 0.005
# (Five steps at a rate of 0.001: AdamW moves no further.)
#
# Needs python3 with venv and a package index. Fails if what is seen changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 transformers==5.24.0 accelerate==1.15.0 \
    datasets==5.2.0 trl==1.16.0
cat > run.py <<'RUN'
import torch
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl import GRPOConfig, GRPOTrainer

words = {word: number for number, word in enumerate(["<pad>", "<end>", "<?>", *"abcdefghijklm"])}
plain = Tokenizer(models.WordLevel(words, unk_token="<?>"))
plain.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=plain, pad_token="<pad>", eos_token="<end>")
sizes = LlamaConfig(
    vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
    eos_token_id=1, pad_token_id=0,
)


def same(worth):
    return lambda completions, **more: [worth] * len(completions)


def by_length(completion_ids, **more):
    return [float(len(ids)) for ids in completion_ids]


for name, reward in (("all get 1.0", same(1.0)), ("all get 0.7", same(0.7)), ("by length", by_length)):
    torch.manual_seed(0)
    model = LlamaForCausalLM(sizes)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    trainer = GRPOTrainer(
        model=model,
        reward_funcs=reward,
        args=GRPOConfig(
            output_dir="out", max_steps=5, per_device_train_batch_size=8, num_generations=8, max_completion_length=16,
            learning_rate=1e-3, lr_scheduler_type="constant", logging_steps=1, use_cpu=True, bf16=False, report_to=[],
            gradient_checkpointing=False, disable_tqdm=True, save_strategy="no",
        ),
        train_dataset=Dataset.from_list([{"prompt": "a b c"}] * 8),
        processing_class=tokenizer,
    )
    trainer.train()
    steps = [entry["frac_reward_zero_std"] for entry in trainer.state.log_history if "reward" in entry]
    print(
        f"{name}: without contrast {sum(steps) / len(steps)}",
        *([] if name == "by length" else [f"largest advantage {max(map(abs, trainer._logs['advantages'])):.1e}"]),
        f"parameters moved by up to {max((new - old).abs().max() for new, old in zip(model.parameters(), before)):.3f}",
        sep=", ",
    )
RUN
venv/bin/python run.py 2> /dev/null | grep "parameters moved" | tee seen
grep -qxF "all get 1.0: without contrast 1.0, largest advantage 0.0e+00, parameters moved by up to 0.000" seen
grep -qxF "all get 0.7: without contrast 0.0, largest advantage 6.0e-04, parameters moved by up to 0.005" seen
grep -qxF "by length: without contrast 0.0, parameters moved by up to 0.005" seen
