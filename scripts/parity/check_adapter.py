#!/usr/bin/env python3
"""Adapters that were trained and saved here, loaded by PEFT onto the same base; and the models merged here, loaded by
transformers: both must give our log-probabilities within 1e-4 relative. A development tool.

    venv/bin/python scripts/parity/check_adapter.py build/tests/test_model_adapter

Run from the root of the repository; the test program trains and writes the adapters (TTT_ADAPTER_OUT)."""

import json
import os
import subprocess
import sys
import tempfile

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

GOLDEN = "tests/model/golden/adapter"
LIMIT = 1e-4


def difference(model, ours):
    """Largest relative difference of log-probabilities."""
    model.eval()
    with torch.no_grad():
        found = model(torch.tensor([ours["ids"]])).logits[0].log_softmax(-1).flatten()
    expected = torch.tensor(ours["log_probabilities"])
    return ((found - expected).abs() / (1 + expected.abs())).max().item()


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    torch.set_num_threads(1)
    with open(os.path.join(GOLDEN, "golden.json")) as file:
        cases = {name: os.path.join(GOLDEN, case["base"]) for name, case in json.load(file).items()}
    failures = 0
    with tempfile.TemporaryDirectory() as out:
        subprocess.run([sys.argv[1]], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       env=dict(os.environ, TTT_ADAPTER_OUT=out, TTT_TEST_SOURCE=".", TTT_ISA="ref"))
        for name, base in cases.items():
            folder = os.path.join(out, name)
            with open(os.path.join(folder, "ours.json")) as file:
                ours = json.load(file)
            bare = AutoModelForCausalLM.from_pretrained(base)
            moved = difference(bare, ours)  # how far training went: the others mean something only beside this
            loaded = difference(PeftModel.from_pretrained(bare, folder), ours)
            merged = difference(AutoModelForCausalLM.from_pretrained(os.path.join(folder, "merged")), ours)
            good = loaded <= LIMIT and merged <= LIMIT < 0.1 < moved
            failures += not good
            print(f"{name:12} bare {moved:.2g}  in PEFT {loaded:.2g}  merged, in transformers {merged:.2g}"
                  f"  {'ok' if good else 'TOO FAR'}")
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
