"""Models of random bf16 weights in the shapes that are compared, as folders that ttt and its peers load alike.

    shapes.py SHAPE FOLDER
"""

import json
import os
import sys

SHAPES = {  # layers, width, query heads, key heads, head dimension, hidden, vocabulary, tied
    "bundled": (6, 128, 4, 2, 32, 384, 16, False),  # that of models/arc-grid, with plain positions
    "small": (12, 768, 12, 4, 64, 2048, 4096, True),
    "1b": (16, 2048, 32, 8, 64, 8192, 128256, True),  # Llama 3.2
}


def make(shape, folder):
    """Writes the model of a shape to a folder."""
    import torch
    from safetensors.torch import save_file

    layers, width, heads, kv_heads, head_dim, hidden, vocabulary, tied = SHAPES[shape]
    os.makedirs(folder, exist_ok=True)
    generator = torch.Generator().manual_seed(1)

    def matrix(rows, columns):
        return (torch.randn(rows, columns, generator=generator) * 0.02).to(torch.bfloat16)

    def gain():
        return torch.ones(width, dtype=torch.bfloat16)

    tensors = {"model.embed_tokens.weight": matrix(vocabulary, width), "model.norm.weight": gain()}
    if not tied:
        tensors["lm_head.weight"] = matrix(vocabulary, width)
    for layer in range(layers):
        at = f"model.layers.{layer}."
        tensors |= {
            at + "input_layernorm.weight": gain(),
            at + "post_attention_layernorm.weight": gain(),
            at + "self_attn.q_proj.weight": matrix(heads * head_dim, width),
            at + "self_attn.k_proj.weight": matrix(kv_heads * head_dim, width),
            at + "self_attn.v_proj.weight": matrix(kv_heads * head_dim, width),
            at + "self_attn.o_proj.weight": matrix(width, heads * head_dim),
            at + "mlp.gate_proj.weight": matrix(hidden, width),
            at + "mlp.up_proj.weight": matrix(hidden, width),
            at + "mlp.down_proj.weight": matrix(width, hidden),
        }
    save_file(tensors, os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})
    config = dict(architectures=["LlamaForCausalLM"], model_type="llama", hidden_act="silu", rms_norm_eps=1e-5,
                  tie_word_embeddings=tied, num_hidden_layers=layers, hidden_size=width, num_attention_heads=heads,
                  num_key_value_heads=kv_heads, head_dim=head_dim, intermediate_size=hidden, vocab_size=vocabulary,
                  max_position_embeddings=8192, rope_theta=500000.0, torch_dtype="bfloat16", bos_token_id=None,
                  eos_token_id=None)
    with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
        json.dump(config, file, indent=2)


if __name__ == "__main__":
    make(sys.argv[1], sys.argv[2])
