#!/usr/bin/env python3
"""Adapters as PEFT saves them, for tests/model/test_adapter.c: two tiny random Llamas (separate and tied output), an
adapter folder for each case, and the log-probabilities of base and adapter together, in float32. A development tool:
nothing else needs Python.

    python3 -m venv venv && venv/bin/pip install torch transformers peft
    venv/bin/python scripts/parity/make_adapter_golden.py tests/model/golden/adapter

The folder gets untied/ and tied/ (models), one folder for each case, and golden.json."""

import json
import os
import sys

import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

SHAPE = dict(num_hidden_layers=2, hidden_size=16, num_attention_heads=4, num_key_value_heads=2, intermediate_size=20,
             vocab_size=24, max_position_embeddings=64, rms_norm_eps=1e-5)
LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
CASES = {  # base, the type that the adapter is saved in, and its configuration
    "linear": ("untied", torch.float32, dict(r=3, lora_alpha=6, target_modules=LINEAR)),
    "all-linear": ("untied", torch.bfloat16, dict(r=2, lora_alpha=4, target_modules="all-linear")),
    "outer": ("tied", torch.float32, dict(r=4, lora_alpha=4, target_modules=["q_proj", "lm_head", "embed_tokens"])),
    "rslora": ("untied", torch.float16, dict(r=4, lora_alpha=3, use_rslora=True,
                                             target_modules=["v_proj", "down_proj", "lm_head"])),
}
LENGTH = 12


def make_base(name, seed):
    torch.manual_seed(seed)
    model = LlamaForCausalLM(LlamaConfig(tie_word_embeddings=name == "tied", **SHAPE))
    for parameter in model.parameters():  # livelier than a fresh model, whose attention is all but flat
        torch.nn.init.normal_(parameter, 1.0 if parameter.dim() == 1 else 0.0, 0.3)
    model.save_pretrained(name)
    os.remove(os.path.join(name, "generation_config.json"))


def make_case(name, base, dtype, settings, seed):
    torch.manual_seed(seed)
    model = get_peft_model(LlamaForCausalLM.from_pretrained(base), LoraConfig(task_type="CAUSAL_LM", **settings))
    adapters = [parameter for key, parameter in model.named_parameters() if "lora_" in key]
    for parameter in adapters:
        torch.nn.init.normal_(parameter, 0.0, 0.3)
        parameter.data = parameter.data.to(dtype).float()
    ids = torch.randint(0, SHAPE["vocab_size"], (LENGTH,))
    model.eval()
    with torch.no_grad():
        rows = model(ids[None]).logits[0].log_softmax(-1)
    for parameter in adapters:
        parameter.data = parameter.data.to(dtype)
    model.save_pretrained(name)
    os.remove(os.path.join(name, "README.md"))
    return dict(base=base, ids=ids.tolist(), log_probabilities=[[round(x, 6) for x in row] for row in rows.tolist()])


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    torch.set_num_threads(1)
    os.makedirs(sys.argv[1], exist_ok=True)
    os.chdir(sys.argv[1])  # so that the name of the base in each configuration is a short one
    make_base("untied", 0)
    make_base("tied", 1)
    golden = {name: make_case(name, *case, seed) for seed, (name, case) in enumerate(CASES.items())}
    with open("golden.json", "w") as file:
        json.dump(golden, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
