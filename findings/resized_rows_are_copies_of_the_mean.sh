#!/usr/bin/env bash
# transformers 5.24.0: `resize_token_embeddings` adds rows that are copies of one another, to six digits.
#
# Documentation and log say that new rows are drawn from a normal distribution with the mean *and covariance* of the old
# ones. Drawn so, they would lie as far from the mean as old rows do. They lie 32,000 times nearer: eight new tokens of
# a tied Llama have a cosine of 1.0000 with each other, whatever the spread of the old rows. So as inputs and (tied) as
# outputs the model cannot tell a start marker from an end marker until training has parted them. Rows drawn by hand
# from that mean and covariance have a spread like the old ones'.
#
# Seen on 2026-11-28 with Python 3.11, torch 2.13.0+cpu, transformers 5.24.0:
#   resized: smallest cosine 1.0000, spread 0.0000 of the old rows'
#   by hand: smallest cosine below 0.9, spread 1.0 of the old rows'
#
# Needs python3 with venv and a package index. Fails if what is seen changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 transformers==5.24.0
cat > run.py <<'RUN'
import torch
from transformers import LlamaConfig, LlamaForCausalLM

torch.manual_seed(0)
sizes = LlamaConfig(
    vocab_size=500, hidden_size=64, intermediate_size=96, num_hidden_layers=1, num_attention_heads=2,
    tie_word_embeddings=True,
)
model = LlamaForCausalLM(sizes)
rows = model.get_input_embeddings().weight
with torch.no_grad():
    rows += 0.01 * torch.randn(64)  # a mean that is not zero, as trained embeddings have
old = rows.detach().clone()
mean = old.mean(dim=0)
model.resize_token_embeddings(508)
resized = model.get_input_embeddings().weight.detach()[500:]
by_hand = torch.distributions.MultivariateNormal(mean, torch.cov(old.T)).sample((8,))


def distance(some):
    """Mean distance of rows from the mean of the old ones."""
    return (some - mean).norm(dim=1).mean().item()


for name, new in (("resized", resized), ("by hand", by_hand)):
    cosine = torch.nn.functional.cosine_similarity(new[:, None], new[None], dim=-1).min().item()
    spread = distance(new) / distance(old)
    close = f"{cosine:.4f}" if cosine > 0.9 else "below 0.9"
    wide = f"{spread:.4f}" if spread < 0.01 else f"{spread:.1f}"
    print(f"{name}: smallest cosine {close}, spread {wide} of the old rows'")
RUN
venv/bin/python run.py 2> /dev/null | tee seen
grep -qxF "resized: smallest cosine 1.0000, spread 0.0000 of the old rows'" seen
grep -qxF "by hand: smallest cosine below 0.9, spread 1.0 of the old rows'" seen
