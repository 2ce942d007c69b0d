#!/usr/bin/env python3
"""A LoRA training step here and with PyTorch + PEFT: the same model, sequence length, adapters and threads, one run,
taking turns. Prints tokens a second and peak memory of each, medians over the rounds, and the ratio to ttt. A
development tool: nothing else needs Python.

    python3 -m venv venv && venv/bin/pip install torch transformers peft safetensors
    venv/bin/python bench/peers/training.py build/ttt [--shape bundled|small|1b] [--tokens N] [--rounds N] ...

A step is forward, backward, clipping and AdamW on adapters of --rank on all seven linear maps of every layer, one
sequence, loss on its second half. PyTorch runs in float32 and bf16, eager and compiled; --peers chooses among them.
"""

import importlib.metadata
import json
import statistics
import tempfile
import time

import turns

FIGURE = "train_adapter"  # of `ttt bench`
PEERS = ["float32", "bfloat16", "float32-compiled", "bfloat16-compiled"]


def run_peer(options):
    """One contender's turn, in a process of its own: prints its tokens a second."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    dtype, compiled = options.worker.removesuffix("-compiled"), options.worker.endswith("-compiled")
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=getattr(torch, dtype),
                                                 attn_implementation="sdpa")
    model.config.use_cache = False
    maps = [name + "_proj" for name in ("q", "k", "v", "o", "gate", "up", "down")]
    model = get_peft_model(model, LoraConfig(r=options.rank, lora_alpha=16, lora_dropout=0.0, target_modules=maps))
    model.train()
    step_model = torch.compile(model) if compiled else model
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-6, foreach=True)
    ids = torch.arange(options.tokens) * 7 % model.config.vocab_size
    labels = ids.clone()
    labels[: options.tokens // 2 + 1] = -100
    batch = dict(input_ids=ids[None], labels=labels[None])

    def step():
        step_model(**batch).loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    step()  # warms up, compiles
    took, start = [], time.perf_counter()
    while len(took) < 3 or time.perf_counter() - start < options.seconds:
        before = time.perf_counter()
        step()
        took.append(time.perf_counter() - before)
    print(json.dumps({FIGURE: options.tokens / statistics.median(took)}))


def versions():
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("torch", "transformers", "peft"))


def main():
    parser = turns.parser_of(__doc__, rounds=5, seconds=5)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=PEERS)
    options = parser.parse_args()
    if options.worker:
        run_peer(options)
        return
    rank = ("--rank", str(options.rank))
    with tempfile.TemporaryDirectory() as scratch:
        folder = turns.model_folder(options, scratch)
        contenders = {"ttt": lambda: turns.own_turn(options, folder, [FIGURE], rank)}
        for peer in options.peers:
            contenders[peer] = lambda peer=peer: turns.peers_turn(options, peer, folder, rank)
        turns.compare(options, contenders, f"{versions()}, rank {options.rank}")


if __name__ == "__main__":
    main()
