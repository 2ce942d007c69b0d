#!/usr/bin/env python3
"""Holds conversion to and from GGUF against the gguf package, and tokenizers against the tokenizers package. A
development tool: nothing else needs Python.

    python3 -m venv venv && venv/bin/pip install gguf safetensors tokenizers
    venv/bin/python scripts/parity/check_gguf.py build/ttt FOLDER

FOLDER is a Llama model with a tokenizer.json, in float32. Checked are: what we write as the package reads it, in every
type; what the package writes, in every type that we read, as we read it; and the tokenizer on its way to GGUF and back,
on 10,000 strings. Exit status 1 and a sentence when something differs."""

import json
import os
import random
import subprocess
import sys
import tempfile

import gguf
import numpy as np
from gguf.quants import dequantize, quantize
from safetensors.numpy import load_file
from tokenizers import Tokenizer

Q = gguf.GGMLQuantizationType
NAMES = {
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}
OUTER = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight",
         "lm_head.weight": "output.weight"}


def fail(text):
    print(text)
    sys.exit(1)


def gguf_name(name):
    if name in OUTER:
        return OUTER[name]
    layer, rest = name.removeprefix("model.layers.").split(".", 1)
    return f"blk.{layer}.{NAMES[rest.removesuffix('.weight')]}.weight"


def interleave(matrix, head_dim):
    """Rows of q or k as llama.cpp keeps them: halves of each head in turns."""
    return matrix.reshape(-1, 2, head_dim // 2, matrix.shape[1]).swapaxes(1, 2).reshape(matrix.shape)


def as_stored(name, matrix, head_dim):
    return interleave(matrix, head_dim) if name.endswith(("q_proj.weight", "k_proj.weight")) else matrix


def convert(program, source, target, *options):
    subprocess.run([program, "model", "convert", source, target, *options], check=True)


def check_written(program, folder, work):
    weights = load_file(os.path.join(folder, "model.safetensors"))
    config = json.load(open(os.path.join(folder, "config.json")))
    head_dim = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    for kind in (Q.F32, Q.F16, Q.BF16, Q.Q8_0, Q.Q4_0):
        path = os.path.join(work, kind.name + ".gguf")
        convert(program, folder, path, "--type", kind.name.lower())
        found = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
        if sorted(found) != sorted(map(gguf_name, weights)):
            fail(f"{path}: other tensors")
        for name, value in weights.items():
            tensor, wanted = found[gguf_name(name)], as_stored(name, value, head_dim)
            block = gguf.GGML_QUANT_SIZES[kind][0]
            expected = Q.F32 if value.ndim == 1 else kind if value.shape[-1] % block == 0 else Q.F16
            if tensor.tensor_type != expected:
                fail(f"{path}: {name} is {tensor.tensor_type.name}, expected {expected.name}")
            ours = dequantize(tensor.data, tensor.tensor_type).reshape(value.shape)
            theirs = dequantize(quantize(wanted, expected), expected)
            # Ties may be rounded either way, by one step.
            off = np.abs(ours - theirs)
            step = 0 if block == 1 or expected != kind else np.abs(wanted).max() / (100 if kind == Q.Q8_0 else 7)
            if off.max() > step or np.mean(off > 0) > 0.01:
                fail(f"{path}: {name} is off by {off.max()} in {np.mean(off > 0):.4f} of its numbers")
        print(f"written {kind.name}: {len(weights)} tensors as the package reads them")


def random_blocks(rng, rows, columns, kind):
    """Bytes of a type that the package only reads: any bits will do, but for the scales in F16."""
    block, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = rng.integers(0, 256, (rows, columns // block, size), dtype=np.uint8)
    scales = rng.uniform(0.001, 0.01, (rows, columns // block, 2)).astype(np.float16).view(np.uint8)
    if kind == Q.Q4_K:
        blocks[:, :, :4] = scales
    else:
        blocks[:, :, -2:] = scales[:, :, :2]
    return blocks.reshape(rows, -1)


def check_read(program, work):
    width, hidden, heads, kv_heads, vocabulary = 256, 512, 4, 2, 100
    head_dim = width // heads
    shapes = {"input_layernorm": (width,), "self_attn.q_proj": (width, width),
              "self_attn.k_proj": (kv_heads * head_dim, width), "self_attn.v_proj": (kv_heads * head_dim, width),
              "self_attn.o_proj": (width, width), "post_attention_layernorm": (width,),
              "mlp.gate_proj": (hidden, width), "mlp.up_proj": (hidden, width), "mlp.down_proj": (width, hidden)}
    names = {f"model.layers.{i}.{name}.weight": shape for i in range(2) for name, shape in shapes.items()}
    names |= {"model.embed_tokens.weight": (vocabulary, width), "model.norm.weight": (width,),
              "lm_head.weight": (vocabulary, width)}
    rng = np.random.default_rng(1)
    for kind in (Q.F32, Q.F16, Q.BF16, Q.Q8_0, Q.Q4_0, Q.Q4_K, Q.Q6_K):
        path, folder = os.path.join(work, "theirs.gguf"), os.path.join(work, "ours-" + kind.name)
        writer = gguf.GGUFWriter(path, "llama")
        writer.add_block_count(2), writer.add_embedding_length(width), writer.add_feed_forward_length(hidden)
        writer.add_head_count(heads), writer.add_head_count_kv(kv_heads), writer.add_context_length(64)
        writer.add_layer_norm_rms_eps(1e-5), writer.add_rope_freq_base(10000.0)
        expected = {}
        for name, shape in names.items():
            if len(shape) == 1:
                expected[name] = rng.standard_normal(shape, dtype=np.float32)
                writer.add_tensor(gguf_name(name), expected[name])
                continue
            if kind in (Q.Q4_K, Q.Q6_K):
                data = random_blocks(rng, *shape, kind)
            else:
                data = quantize(rng.standard_normal(shape, dtype=np.float32), kind)
            writer.add_tensor(gguf_name(name), data, raw_dtype=kind)
            expected[name] = dequantize(data, kind)
        writer.write_header_to_file(), writer.write_kv_data_to_file(), writer.write_tensors_to_file(), writer.close()
        convert(program, path, folder, "--type", "f32")
        found = load_file(os.path.join(folder, "model.safetensors"))
        for name, value in expected.items():
            ours = as_stored(name, found[name], head_dim)
            # Float32 either way, but the package may multiply in another order.
            if not np.allclose(ours, value, rtol=1e-6, atol=1e-7):
                fail(f"{kind.name}: {name} is off by {np.abs(ours - value).max()}")
        print(f"read {kind.name}: {len(expected)} tensors as the package has them")


def check_tokenizer(program, folder, work):
    path, back = os.path.join(work, "tokenizer.gguf"), os.path.join(work, "back")
    convert(program, folder, path, "--type", "f16")
    convert(program, path, back)
    before = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
    after = Tokenizer.from_file(os.path.join(back, "tokenizer.json"))
    rng = random.Random(1)
    alphabet = "abcdefghijklmnopqrstuvwxyz THE.,!?'\n\t0123456789éüßłЖ漢字🙂\u200d  "
    pieces = [token.replace("▁", " ").replace("Ġ", " ") for token in before.get_vocab()]
    for _ in range(10000):
        parts = range(rng.randint(0, 40))
        text = "".join(rng.choice(pieces) if rng.random() < 0.5 else rng.choice(alphabet) for _ in parts)
        if before.encode(text).ids != after.encode(text).ids:
            fail(f"tokenizer: {text!r} is {after.encode(text).ids}, expected {before.encode(text).ids}")
    print("tokenizer: 10,000 strings with the same ids after the way to GGUF and back")


def main():
    program, folder = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as work:
        check_written(program, folder, work)
        check_read(program, work)
        check_tokenizer(program, folder, work)


if __name__ == "__main__":
    main()
