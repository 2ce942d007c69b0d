#!/usr/bin/env python3
"""Golden numbers of every supported family from Hugging Face's transformers and PEFT: a small random model as
save_pretrained writes it (in bf16, so that a backend of bf16 weights has the same model), its logits in float32, a
greedy continuation, and training with AdamW: of all weights, and of LoRA adapters on every linear map by PEFT. A
development tool: nothing else needs Python.

    python3 -m venv venv && venv/bin/pip install torch transformers peft safetensors
    venv/bin/python scripts/parity/make_family_golden.py tests/model/golden/families

Folders and files are those of make_model_golden.py, plus "logits" and "greedy". Checked by tests/model/test_families.c.
"""

import json
import os
import sys

import torch
import transformers
from peft import LoraConfig, get_peft_model

from make_model_golden import ADAMW, copy, train, write_safetensors

SIZES = dict(vocab_size=32, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=256, rms_norm_eps=1e-5, bos_token_id=None,
             eos_token_id=None, pad_token_id=None)
FAMILIES = {  # lengths reach across a page of 64 keys
    # Every part of the scaling: pairs that turn 10, 3.2, 1 and 0.3 times within the original context.
    "llama3": (transformers.LlamaConfig,
               dict(head_dim=8, tie_word_embeddings=True,
                    rope_parameters=dict(rope_type="llama3", rope_theta=100.0, factor=8.0, low_freq_factor=1.0,
                                         high_freq_factor=4.0, original_max_position_embeddings=64))),
    "llama2": (transformers.LlamaConfig, dict(tie_word_embeddings=False, num_key_value_heads=4)),
    "mistral": (transformers.MistralConfig, dict(tie_word_embeddings=False, sliding_window=11, head_dim=6)),
    "qwen2": (transformers.Qwen2Config, dict(tie_word_embeddings=True, rope_parameters=dict(rope_theta=1e6))),
    "qwen3": (transformers.Qwen3Config, dict(tie_word_embeddings=False, head_dim=10)),
}
LENGTHS, PROMPT, ANSWER = [70, 23], 9, 20
RANK, ALPHA = 2, 3.0
KINDS = {"q": "q_proj", "k": "k_proj", "v": "v_proj", "o": "o_proj", "gate": "gate_proj", "up": "up_proj",
         "down": "down_proj", "output": "lm_head", "embedding": "embed_tokens"}


def make_model(config_class, options, generator):
    config = config_class(**{**SIZES, **options}, dtype="bfloat16")
    config._attn_implementation = "eager"
    model = transformers.AutoModelForCausalLM.from_config(config).to(torch.bfloat16)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            values = torch.randn(parameter.shape, generator=generator)
            if name.endswith("norm.weight"):
                parameter.copy_(1 + 0.2 * values)
            elif parameter.dim() == 1:  # a bias
                parameter.copy_(0.5 * values)
            else:  # so large that attention is far from uniform; larger, and bf16 itself would be off by more than 2 %
                parameter.copy_(values / parameter.shape[1] ** 0.5)
    return model


def load(folder):
    """The model as the file has it, in float32."""
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    return model.eval()


def logits_of(model, ids):
    return model(input_ids=torch.tensor([ids]), use_cache=False).logits[0]


def losses_of(model, sequences):
    parts = []
    for sequence in sequences:
        rows = [t for t, target in enumerate(sequence["targets"]) if target >= 0]
        picked = torch.log_softmax(logits_of(model, sequence["ids"]), -1)[rows]
        parts.append(-picked[range(len(rows)), [sequence["targets"][t] for t in rows]])
    return torch.cat(parts)


def our_name(name):
    """base_model.model.model.layers.0.self_attn.q_proj.lora_A.default.weight: layers.0.q.lora_a"""
    parts = name.split(".")
    kind = next(kind for kind, theirs in KINDS.items() if theirs in parts)
    side = "a" if "lora_A" in parts or "lora_embedding_A" in parts else "b"
    layer = f"layers.{parts[parts.index('layers') + 1]}." if "layers" in parts else ""
    return f"{layer}{kind}.lora_{side}"


def our_vector_name(name):
    """model.layers.0.self_attn.q_proj.bias: layers.0.q_bias"""
    parts = name.split(".")
    vector = {"input_layernorm": "attention_norm", "post_attention_layernorm": "mlp_norm", "norm": "norm",
              "q_norm": "q_norm", "k_norm": "k_norm", "q_proj": "q_bias", "k_proj": "k_bias", "v_proj": "v_bias"}
    return (f"layers.{parts[2]}." if "layers" in parts else "") + vector[parts[-2]]


def add_adapter(model, generator):
    options = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=list(KINDS.values()), lora_dropout=0.0)
    model = get_peft_model(model, options)
    adapter = {our_name(name): parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    with torch.no_grad():
        for parameter in adapter.values():
            parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))
    return model, adapter


def greedy(model, prompt):
    """The continuation, and by how much each of its tokens led the next best, in parts of the largest logit."""
    ids = list(prompt)
    leads = []
    largest = 0
    with torch.no_grad():
        for _ in range(ANSWER):
            row = logits_of(model, ids)[-1]
            best = row.topk(2)
            leads.append((best.values[0] - best.values[1]).item())
            largest = max(largest, row.abs().max().item())
            ids.append(best.indices[0].item())
    made = model.generate(torch.tensor([prompt]), max_new_tokens=ANSWER, do_sample=False)[0].tolist()
    assert made == ids, "generate and plain forward passes differ"
    return dict(prompt=prompt, answer=ids[len(prompt):], leads=[lead / largest for lead in leads])


def make_family(folder, name, config_class, options, seed):
    generator = torch.Generator().manual_seed(seed)
    target = os.path.join(folder, name)
    make_model(config_class, options, generator).save_pretrained(target)
    os.remove(os.path.join(target, "generation_config.json"))

    def random_ids(length):
        return torch.randint(0, SIZES["vocab_size"], (length,), generator=generator).tolist()

    sequences = []
    for length in LENGTHS:
        counted = (torch.rand(length, generator=generator) < 0.7).tolist()
        sequences.append(dict(ids=random_ids(length), positions=[[t] for t in range(length)],
                              kv_high=[t + 1 for t in range(length)],
                              targets=[token if use else -1 for token, use in zip(random_ids(length), counted)]))
    golden = dict(sequences=sequences, adamw=ADAMW, rank=RANK, alpha=ALPHA, targets=list(KINDS))
    model = load(target)
    golden["greedy"] = greedy(model, random_ids(PROMPT))
    # An answer that repeats a token shows little, and one with a tie depends on how sums are ordered.
    while len(set(golden["greedy"]["answer"])) < ANSWER // 3 or min(golden["greedy"]["leads"]) < 1e-3:
        golden["greedy"] = greedy(model, random_ids(PROMPT))
    tensors = {"logits": logits_of(model, sequences[0]["ids"])}

    weights = dict(model.named_parameters())
    golden["full"], gradients = train(lambda: losses_of(model, sequences), weights)
    tensors.update({f"full.{our_vector_name(name)}.gradient": tensor for name, tensor in gradients.items()
                    if tensor.dim() == 1})  # all would take as much room as the model in float32

    adapted, adapter = add_adapter(load(target), generator)
    tensors.update({"lora." + key: tensor for key, tensor in copy(adapter).items()})
    golden["lora"], gradients = train(lambda: losses_of(adapted, sequences), adapter)
    tensors.update({f"lora.{key}.gradient": tensor for key, tensor in gradients.items()})
    write_safetensors(os.path.join(target, "golden.safetensors"), tensors)
    with open(os.path.join(target, "golden.json"), "w") as file:
        json.dump(golden, file)
        file.write("\n")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    for seed, (name, (config_class, options)) in enumerate(FAMILIES.items()):
        make_family(sys.argv[1], name, config_class, options, seed)


if __name__ == "__main__":
    main()
