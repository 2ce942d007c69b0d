#!/bin/sh
# The recipe of the bundled model: scripts and numbers as they were used.
#
#   models/arc-grid/train.sh [DATA] [OUT] [TIME]      e.g. models/arc-grid/train.sh ../shared/data /tmp/arc-grid 90m
#
# DATA holds arc-agi-1, arc-agi-2, concept-arc and re-arc (see its README). The same command goes on where it stopped.
# RE-ARC has most examples, the other sets have the rules that it lacks: half of the training examples each.
set -e
cd "$(dirname "$0")/../.."
data=${1:-../shared/data}
out=${2:-/tmp/arc-grid}
time=${3:-90m}

exec build/ttt finetune \
    --config models/arc-grid/config.json \
    --holdout models/arc-grid/held_out.txt \
    --time "$time" --out "$out" \
    --step-tokens 16384 --batch-tokens 8192 --max-tokens 4096 --learning-rate 2e-3 \
    --checkpoint-every 5m --evaluate-every 10m \
    "$data/re-arc/re_arc.tar.zst=4" \
    "$data/arc-agi-1/training_challenges.json=1" \
    "$data/arc-agi-2/training_new_challenges.json=2" \
    "$data/concept-arc/challenges.json=1"
