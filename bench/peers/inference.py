#!/usr/bin/env python3
"""Reading a prompt and writing one answer here and with llama.cpp: the same GGUF file, lengths and threads, one run,
taking turns. Prints tokens a second and peak memory of each, medians over the rounds, and the ratio to ttt. A
development tool: nothing else needs Python.

    python3 -m venv venv && venv/bin/pip install torch safetensors numpy llama-cpp-python
    venv/bin/python bench/peers/inference.py build/ttt [--shape small|1b] [--type bf16|q8_0] [--tokens N] ...

llama-cpp-python builds llama.cpp for the processor it is installed on. llama.cpp runs with and without flash attention,
with its batch as long as the prompt; the better of its two turns is the one to beat.
"""

import importlib.metadata
import json
import os
import statistics
import subprocess
import tempfile
import time

import turns

FIGURES = ["read", "write_one"]  # of `ttt bench`
ANSWER = 32  # tokens, as `ttt bench` writes
PEERS = ["llama.cpp", "llama.cpp-flash"]


def run_peer(options):
    """llama.cpp's turn, in a process of its own, through its C interface: nothing is sampled, so nothing of Python
    counts. Prints its tokens a second."""
    import llama_cpp

    llama_cpp.llama_backend_init()
    model_options = llama_cpp.llama_model_default_params()
    model_options.n_gpu_layers = 0
    model = llama_cpp.llama_model_load_from_file(options.model.encode(), model_options)
    context_options = llama_cpp.llama_context_default_params()
    context_options.n_ctx = options.tokens + ANSWER + 32
    context_options.n_batch = context_options.n_ubatch = options.tokens
    context_options.n_threads = context_options.n_threads_batch = options.threads
    context_options.flash_attn_type = 1 if options.worker.endswith("-flash") else 0
    context = llama_cpp.llama_init_from_model(model, context_options)
    size = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))
    ids = [i * 7 % size for i in range(options.tokens + ANSWER)]

    def decode(first, count):
        tokens = (llama_cpp.llama_token * count)(*ids[first:first + count])
        if llama_cpp.llama_decode(context, llama_cpp.llama_batch_get_one(tokens, count)) != 0:
            raise RuntimeError("llama_decode failed")
        llama_cpp.llama_synchronize(context)

    def turn():
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(context), True)
        start = time.perf_counter()
        decode(0, options.tokens)
        between = time.perf_counter()
        for i in range(ANSWER):
            decode(options.tokens + i, 1)
        return between - start, time.perf_counter() - between

    turn()  # warms up
    took, start = [], time.perf_counter()
    while len(took) < 3 or time.perf_counter() - start < 2 * options.seconds:
        took.append(turn())
    read, write = (statistics.median(t[i] for t in took) for i in range(2))
    print(json.dumps({"read": options.tokens / read, "write_one": ANSWER / write}))


def gguf_file(options, scratch):
    """The model of the shape as GGUF, made unless it is there."""
    path = os.path.join(options.models or scratch, f"{options.shape}-{options.type}.gguf")
    if not os.path.exists(path):
        folder = turns.model_folder(options, scratch)
        subprocess.run([options.program, "model", "convert", folder, path, "--type", options.type], check=True)
    return path


def main():
    parser = turns.parser_of(__doc__, rounds=5, seconds=5)
    parser.add_argument("--type", choices=["bf16", "q8_0"], default="bf16")
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=PEERS)
    options = parser.parse_args()
    if options.worker:
        run_peer(options)
        return
    with tempfile.TemporaryDirectory() as scratch:
        path = gguf_file(options, scratch)
        contenders = {"ttt": lambda: turns.own_turn(options, path, FIGURES)}
        for peer in options.peers:
            contenders[peer] = lambda peer=peer: turns.peers_turn(options, peer, path)
        turns.compare(options, contenders,
                      f"llama-cpp-python {importlib.metadata.version('llama-cpp-python')}, {options.type}")


if __name__ == "__main__":
    main()
