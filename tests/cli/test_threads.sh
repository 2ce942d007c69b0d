#!/bin/sh
# The same seed and a fixed amount of work: the same submission, byte for byte, with one and two threads; another seed
# another one (else the first half would say nothing).
#
#   test_threads.sh PROGRAM
set -eu
program=$1
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

"$program" finetune --config "$here/data/config.json" --steps 60 --step-tokens 512 --max-tokens 1900 \
    --learning-rate 1e-2 --out model "$here/../../examples/arc" >/dev/null 2>&1

solve() { # solve NAME ARGUMENTS...
    name=$1
    shift
    "$program" solve "$here/data/challenges.json" --model model --set ttt.steps=20 --set ttt.learning_rate=2e-2 \
        --set views.count=8 --set ttt.batch_tokens=2048 --set views.max_tokens=2048 --out "$name.json" "$@" \
        >"$name.txt" 2>&1 || { cat "$name.txt"; exit 1; }
}

solve one --threads 1
solve two --threads 2
solve lora-one --threads 1 --set ttt.adaptation=lora --set lora.rank=8
solve lora-two --threads 2 --set ttt.adaptation=lora --set lora.rank=8
solve other --threads 2 --seed 1
cmp one.json two.json
cmp lora-one.json lora-two.json
if cmp -s one.json lora-one.json; then
    echo "an adapter and all weights gave the same answers: the test sees nothing"
    exit 1
fi
if cmp -s one.json other.json; then
    echo "another seed gave the same answers: the test sees nothing"
    exit 1
fi
