#!/bin/sh
# The recipe of the bundled model: the commands as they were used. Schedules follow the clock, so another machine gets
# another model.
#
#   models/arc-grid/train.sh [DATA] [OUT]      e.g. models/arc-grid/train.sh ../shared/data runs/arc-grid
#
# DATA holds arc-agi-1, arc-agi-2, concept-arc and re-arc (see its README). The same command goes on where it stopped;
# the model is in OUT/seventh when it is done.
set -e
cd "$(dirname "$0")/../.."
data=${1:-../shared/data}
out=${2:-runs/arc-grid}

# finetune FOLDER OPTIONS...: what all parts have in common.
finetune() {
    folder=$1
    shift
    build/ttt finetune --holdout models/arc-grid/held_out.txt --out "$folder" --checkpoint-every 5m "$@" \
        "$data/arc-agi-1/training_challenges.json" \
        "$data/arc-agi-2/training_new_challenges.json" \
        "$data/concept-arc/challenges.json"
}

# From scratch. Was stopped after 33 of its 43 minutes (1365 steps, 12.2M tokens), at a rate of 3e-4, in the hope that
# short examples in small steps teach more per minute (not compared). (Its first 12 minutes followed the schedule of a run of 55.)
finetune "$out/first" --config models/arc-grid/config.json --time 43m --evaluate-every 5m --max-tokens 2048 \
    --step-tokens 8192 "$data/re-arc/re_arc.tar.zst"
# Onward from these weights: examples of at most 1024 tokens, half as many in a step, twice as much of RE-ARC.
# (Its first 34 minutes followed the schedule of a run of 54.)
finetune "$out/second" --model "$out/first" --seed 2 --time 45m --evaluate-every 5m --max-tokens 1024 \
    --step-tokens 4096 --set schedule.warmup=0.01 "$data/re-arc/re_arc.tar.zst=720"

# muon FOLDER OPTIONS...: onward with Muon on the matrices inside layers, AdamW on the rest.
muon() {
    finetune "$@" --set schedule.warmup=0.01 --set optimizer.muon=0.95 "$data/re-arc/re_arc.tar.zst=720"
}

muon "$out/third" --model "$out/second" --seed 4 --steps 200 --threads 1 --max-tokens 1536 --step-tokens 4096
muon "$out/fourth" --model "$out/third" --seed 5 --time 69m --learning-rate 3e-3 --max-tokens 1536 --step-tokens 4096
muon "$out/fifth" --model "$out/fourth" --seed 6 --time 95m --learning-rate 3e-3 --max-tokens 1536 --step-tokens 4096
# Longer examples at last: with three demonstrations most puzzles are longer than 1536 tokens.
muon "$out/sixth" --model "$out/fifth" --seed 7 --time 80m --learning-rate 3e-3 --max-tokens 2560 --step-tokens 5120
muon "$out/seventh" --model "$out/sixth" --seed 8 --time 78m --learning-rate 3e-3 --max-tokens 2560 --step-tokens 5120
