#!/usr/bin/env python3
"""A LoRA training step here and with PyTorch + PEFT: the same model, sequence length, adapters and threads, one run,
taking turns. Prints tokens a second and peak memory of each, medians over the rounds, and the ratio to ttt. A
development tool: nothing else needs Python.

    python3 -m venv venv && venv/bin/pip install torch transformers peft safetensors
    venv/bin/python bench/peers/training.py build/ttt [--shape bundled|small|1b] [--tokens N] [--rounds N] ...

A step is forward, backward, clipping and AdamW on adapters of --rank on all seven linear maps of every layer, one
sequence, loss on its second half. PyTorch runs in float32 and bf16, eager and compiled; --peers chooses among them.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import shapes

PEERS = ["float32", "bfloat16", "float32-compiled", "bfloat16-compiled"]


def run_peer(options):
    """One contender's turn, in a process of its own: prints its tokens a second."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    dtype, compiled = options.worker.removesuffix("-compiled"), options.worker.endswith("-compiled")
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_pretrained(options.folder, dtype=getattr(torch, dtype),
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
    print(json.dumps({"tokens_per_second": options.tokens / statistics.median(took)}))


def measured(command):
    """Runs a command; its output's last line as JSON, and its peak memory in bytes. (A child begins with the memory of
    its parent, and its peak counts from there: this process imports nothing large.)"""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        return None, 0
    return json.loads(output.strip().splitlines()[-1]), usage.ru_maxrss * 1024


def turn(contender, options, folder):
    """Tokens a second and peak memory of one contender; (None, 0) when it failed."""
    if contender == "ttt":
        result, memory = measured([options.program, "bench", "--model", folder, "--threads", str(options.threads),
                                   "--tokens", str(options.tokens), "--rank", str(options.rank), "--seconds",
                                   str(options.seconds), "--figures", "train_adapter", "--json"])
        rate = result and result["measured"][0]["figures"]["train_adapter"]["tokens_per_second"]
        return rate, memory
    result, memory = measured([sys.executable, os.path.abspath(__file__), options.program, "--worker", contender,
                               "--folder", folder, "--threads", str(options.threads), "--tokens", str(options.tokens),
                               "--rank", str(options.rank), "--seconds", str(options.seconds)])
    return result and result["tokens_per_second"], memory


def model_folder(options, scratch):
    """The model of the shape, made unless it is there."""
    folder = os.path.join(options.models or scratch, options.shape)
    if not os.path.exists(os.path.join(folder, "config.json")):
        subprocess.run([sys.executable, shapes.__file__, options.shape, folder], check=True)
    return folder


def versions():
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("torch", "transformers", "peft"))


def compare(options):
    contenders = ["ttt"] + options.peers
    rates, memory = {c: [] for c in contenders}, {c: 0 for c in contenders}
    with tempfile.TemporaryDirectory() as scratch:
        folder = model_folder(options, scratch)
        for round_number in range(options.rounds):
            for contender in contenders:
                rate, peak = turn(contender, options, folder)
                memory[contender] = max(memory[contender], peak)
                rates[contender].append(rate)
                print(f"round {round_number + 1}: {contender:20s} "
                      f"{'failed' if rate is None else f'{rate:10.0f} tokens/s'}", file=sys.stderr)
    print(f"{platform.processor() or platform.machine()}, {options.threads} threads, {versions()}")
    print(f"shape {options.shape}, {options.tokens} tokens, rank {options.rank}, {options.rounds} rounds")
    print(f"{'':20s} {'tokens/s':>10s} {'ttt is':>10s} {'memory':>10s}")
    for contender in contenders:
        if None in rates[contender]:
            print(f"{contender:20s} {'failed':>10s}")
            continue
        ratio = statistics.median(a / b for a, b in zip(rates["ttt"], rates[contender]))
        print(f"{contender:20s} {statistics.median(rates[contender]):10.0f} {ratio:9.2f}x "
              f"{memory[contender] / 1e6:7.0f} MB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="build/ttt")
    parser.add_argument("--shape", choices=shapes.SHAPES, default="bundled")
    parser.add_argument("--tokens", type=int, default=1024)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5, help="of each turn")
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=PEERS)
    parser.add_argument("--models", help="keep the models of random weights in this folder")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        run_peer(options)
    else:
        compare(options)


if __name__ == "__main__":
    main()
