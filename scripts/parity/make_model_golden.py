#!/usr/bin/env python3
"""Golden numbers of the transformer from PyTorch, in float32: losses, log-probabilities, gradients of full and LoRA
parameters, and the losses of ten steps of AdamW, and of Muon with AdamW for what lies outside layers. A development tool: nothing else needs Python.

    python3 -m venv venv && venv/bin/pip install torch
    venv/bin/python scripts/parity/make_model_golden.py tests/model/golden

Each case becomes a folder that ttt_model_load reads (config.json, model.safetensors), with golden.json (sequences and
what is expected of them) and golden.safetensors (adapters, gradients). Checked by tests/model/test_parity.c."""

import json
import math
import os
import struct
import sys

import torch
import torch.nn.functional as F

LAYER = {  # our name, its name in the file, shape as (rows, columns) by size
    "attention_norm": ("input_layernorm", None, "C"),
    "q": ("self_attn.q_proj", "Q", "C"),
    "k": ("self_attn.k_proj", "K", "C"),
    "v": ("self_attn.v_proj", "K", "C"),
    "o": ("self_attn.o_proj", "C", "Q"),
    "mlp_norm": ("post_attention_layernorm", None, "C"),
    "gate": ("mlp.gate_proj", "F", "C"),
    "up": ("mlp.up_proj", "F", "C"),
    "down": ("mlp.down_proj", "C", "F"),
}

CASES = {
    "tied": dict(layers=2, width=16, heads=4, kv_heads=2, head_dim=6, hidden=20, vocabulary=19, tied=True,
                 rope=[(1, 100.0), (1, 50.0), (1, 10.0)], lengths=[21, 9], block=(3, 11), rank=3, alpha=6.0,
                 targets=["q", "k", "v", "o", "gate", "up", "down", "output", "embedding"]),
    "untied": dict(layers=2, width=12, heads=4, kv_heads=1, head_dim=8, hidden=28, vocabulary=11, tied=False,
                   rope=[(4, 10000.0)], lengths=[70, 5], block=(0, 0), rank=2, alpha=2.0, targets=["q", "v", "down"]),
}
EPSILON = 1e-5
ADAMW = dict(learning_rate=3e-3, beta1=0.9, beta2=0.95, epsilon=1e-8, weight_decay=0.1, clip=0.5)
MUON = 0.9  # its momentum; rate and decay are AdamW's
STEPS = 10


def write_safetensors(path, tensors):
    header, offset, data = {}, 0, []
    for name, tensor in tensors.items():
        flat = tensor.detach().contiguous().flatten().tolist()
        data.append(struct.pack(f"<{len(flat)}f", *flat))
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, offset + 4 * len(flat)]}
        offset += 4 * len(flat)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(data))


def make_weights(case, generator):
    sizes = {"C": case["width"], "Q": case["heads"] * case["head_dim"], "K": case["kv_heads"] * case["head_dim"],
             "F": case["hidden"], "V": case["vocabulary"]}

    def tensor(rows, columns):
        if rows is None:  # a gain
            return 1 + 0.1 * torch.randn(sizes[columns], generator=generator)
        return torch.randn(sizes[rows], sizes[columns], generator=generator) / math.sqrt(sizes[columns])

    weights = {"embedding": tensor("V", "C")}
    for layer in range(case["layers"]):
        for name, (_, rows, columns) in LAYER.items():
            weights[f"layers.{layer}.{name}"] = tensor(rows, columns)
    weights["norm"] = tensor(None, "C")
    if not case["tied"]:
        weights["output"] = tensor("V", "C")
    return weights


def file_name(name):
    if name.startswith("layers."):
        _, layer, kind = name.split(".")
        return f"model.layers.{layer}.{LAYER[kind][0]}.weight"
    return {"embedding": "model.embed_tokens", "norm": "model.norm", "output": "lm_head"}[name] + ".weight"


def make_adapters(case, weights, generator):
    """A [R, in] and B [out, R] per adapted map; the embedding picks a row of [V, C], so in = V and out = C."""
    adapters = {}
    for kind in case["targets"]:
        inside = kind not in ("output", "embedding")
        for name in ([f"layers.{layer}.{kind}" for layer in range(case["layers"])] if inside else [kind]):
            rows, columns = weights["embedding" if name == "output" and case["tied"] else name].shape
            if kind == "embedding":
                rows, columns = columns, rows
            adapters[name + ".lora_a"] = torch.randn(case["rank"], columns, generator=generator) / math.sqrt(columns)
            adapters[name + ".lora_b"] = torch.randn(rows, case["rank"], generator=generator) * 0.1
    return adapters


def make_sequences(case, generator):
    sequences = []
    for number, length in enumerate(case["lengths"]):
        first, end = case["block"] if number == 0 else (0, 0)
        axes = len(case["rope"])
        positions = [[t] if axes == 1 else [t // 4, t % 4 - 1, number] for t in range(length)]
        targets = torch.randint(0, case["vocabulary"], (length,), generator=generator).tolist()
        counted = (torch.rand(length, generator=generator) < 0.7).tolist()
        sequences.append(dict(
            ids=torch.randint(0, case["vocabulary"], (length,), generator=generator).tolist(),
            positions=positions,
            kv_high=[end if first <= t < end else t + 1 for t in range(length)],
            targets=[target if use else -1 for target, use in zip(targets, counted)]))
    return sequences


def rotate(x, positions, rope):
    """x [heads, T, D]; pair i joins elements i and i + D/2 and turns by position[axis] * theta^(-j/pairs)."""
    angles = []
    for axis, (pairs, theta) in enumerate(rope):
        frequencies = torch.tensor([theta ** (-j / pairs) for j in range(pairs)])
        angles.append(positions[:, axis, None].float() * frequencies)
    angles = torch.cat(angles, dim=1)
    half = x.shape[-1] // 2
    first, second = x[..., :half], x[..., half:]
    return torch.cat([first * angles.cos() - second * angles.sin(), second * angles.cos() + first * angles.sin()], -1)


def forward(case, weights, adapters, sequence):
    """Log-probabilities [T, V] of the next token."""
    scale = case["alpha"] / case["rank"]

    def linear(name, x):
        y = x @ weights["embedding" if name == "output" and case["tied"] else name].T
        if name + ".lora_a" in adapters:
            y = y + scale * (x @ adapters[name + ".lora_a"].T) @ adapters[name + ".lora_b"].T
        return y

    def norm(name, x):
        return F.rms_norm(x, (case["width"],), weights[name], EPSILON)

    ids, positions = torch.tensor(sequence["ids"]), torch.tensor(sequence["positions"])
    length, heads, kv_heads, dim = len(ids), case["heads"], case["kv_heads"], case["head_dim"]
    keys = torch.arange(length)
    mask = keys[None, :] < torch.tensor(sequence["kv_high"])[:, None]
    x = weights["embedding"][ids]
    if "embedding.lora_a" in adapters:
        x = x + scale * adapters["embedding.lora_a"].T[ids] @ adapters["embedding.lora_b"].T
    for layer in range(case["layers"]):
        at = f"layers.{layer}."
        n = norm(at + "attention_norm", x)
        split = lambda y, count: y.view(length, count, dim).transpose(0, 1)
        q = rotate(split(linear(at + "q", n), heads), positions, case["rope"])
        k = rotate(split(linear(at + "k", n), kv_heads), positions, case["rope"])
        v = split(linear(at + "v", n), kv_heads)
        k, v = (y.repeat_interleave(heads // kv_heads, 0) for y in (k, v))
        o = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = x + linear(at + "o", o.transpose(0, 1).reshape(length, heads * dim))
        n = norm(at + "mlp_norm", x)
        x = x + linear(at + "down", F.silu(linear(at + "gate", n)) * linear(at + "up", n))
    return F.log_softmax(linear("output", norm("norm", x)), -1)


def losses(case, weights, adapters, sequences):
    parts = []
    for sequence in sequences:
        rows = [t for t, target in enumerate(sequence["targets"]) if target >= 0]
        picked = forward(case, weights, adapters, sequence)[rows]
        parts.append(-picked[range(len(rows)), [sequence["targets"][t] for t in rows]])
    return torch.cat(parts)


class Muon(torch.optim.Muon):
    """PyTorch's, which rounds to bf16 inside, with float32 in its place."""

    def step(self):
        bfloat16 = torch.bfloat16
        torch.bfloat16 = torch.float32
        try:
            super().step()
        finally:
            torch.bfloat16 = bfloat16


def train(losses, trained, muon=()):
    """Losses, gradients of the mean loss, and the mean losses before each of STEPS steps. losses() gives one a target,
    of the parameters in `trained`, by name; Muon moves those named in `muon`."""
    for tensor in trained.values():
        tensor.requires_grad_(True)
    decayed = [tensor for name, tensor in trained.items() if tensor.dim() > 1 and name not in muon]
    others = [tensor for tensor in trained.values() if tensor.dim() == 1]
    adamw = torch.optim.AdamW([dict(params=decayed, weight_decay=ADAMW["weight_decay"]),
                                   dict(params=others, weight_decay=0.0)], lr=ADAMW["learning_rate"],
                                  betas=(ADAMW["beta1"], ADAMW["beta2"]), eps=ADAMW["epsilon"])
    optimizers = [adamw]
    if muon:
        optimizers.append(Muon([trained[name] for name in muon], lr=ADAMW["learning_rate"], momentum=MUON,
                               weight_decay=ADAMW["weight_decay"], adjust_lr_fn="match_rms_adamw"))
    result = dict(step_losses=[], step_norms=[])
    for step in range(STEPS):
        for optimizer in optimizers:
            optimizer.zero_grad()
        each = losses()
        each.mean().backward()
        if step == 0:
            result["losses"] = each.tolist()
            gradients = {name: tensor.grad.clone() for name, tensor in trained.items()}
        result["step_losses"].append(each.mean().item())
        result["step_norms"].append(torch.nn.utils.clip_grad_norm_(trained.values(), ADAMW["clip"]).item())
        for optimizer in optimizers:
            optimizer.step()
    return result, gradients


def copy(tensors):
    return {name: tensor.clone() for name, tensor in tensors.items()}


def make_case(folder, name, case, seed):
    generator = torch.Generator().manual_seed(seed)
    weights = make_weights(case, generator)
    adapters = make_adapters(case, weights, generator)
    sequences = make_sequences(case, generator)
    target = os.path.join(folder, name)
    os.makedirs(target, exist_ok=True)
    config = dict(model_type="llama", num_hidden_layers=case["layers"], hidden_size=case["width"],
                  num_attention_heads=case["heads"], num_key_value_heads=case["kv_heads"], head_dim=case["head_dim"],
                  intermediate_size=case["hidden"], vocab_size=case["vocabulary"], max_position_embeddings=128,
                  rms_norm_eps=EPSILON, tie_word_embeddings=case["tied"])
    if len(case["rope"]) == 1:
        config["rope_theta"] = case["rope"][0][1]
    else:
        config["rope_axes"] = [dict(pairs=pairs, theta=theta) for pairs, theta in case["rope"]]
    with open(os.path.join(target, "config.json"), "w") as file:
        json.dump(config, file, indent=2)
        file.write("\n")
    write_safetensors(os.path.join(target, "model.safetensors"),
                      {file_name(key): tensor for key, tensor in weights.items()})

    golden = dict(sequences=sequences, adamw=ADAMW, muon_momentum=MUON, rank=case["rank"], alpha=case["alpha"], targets=case["targets"],
                  log_probabilities=forward(case, weights, {}, sequences[0]).tolist())
    tensors = {"lora." + key: tensor for key, tensor in adapters.items()}
    full = copy(weights)
    golden["full"], gradients = train(lambda: losses(case, full, {}, sequences), full)
    tensors.update({f"full.{key}.gradient": tensor for key, tensor in gradients.items()})
    full = copy(weights)
    inside = [key for key, tensor in weights.items() if key.startswith("layers.") and tensor.dim() > 1]
    golden["muon"], _ = train(lambda: losses(case, full, {}, sequences), full, inside)
    low = copy(adapters)
    golden["lora"], gradients = train(lambda: losses(case, weights, low, sequences), low)
    tensors.update({f"lora.{key}.gradient": tensor for key, tensor in gradients.items()})
    write_safetensors(os.path.join(target, "golden.safetensors"), tensors)
    with open(os.path.join(target, "golden.json"), "w") as file:
        json.dump(golden, file)
        file.write("\n")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    torch.set_num_threads(1)
    for seed, (name, case) in enumerate(CASES.items()):
        make_case(sys.argv[1], name, case, seed)


if __name__ == "__main__":
    main()
