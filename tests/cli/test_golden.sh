#!/bin/sh
# Command lines and everything that comes of them: expected/NAME.txt holds the command, its stdout, stderr and exit
# status. TTT_REWRITE=1 writes the files anew, to be looked at before they are committed.
#
#   test_golden.sh PROGRAM
set -u
program=$1
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
ln -s "$here/data" "$work/data"
ln -s "$here/../../examples" "$work/examples"
ln -s "$here/../model/golden/tokenizers" "$work/tokenizers"
cd "$work" || exit 1
failures=0

# check NAME ARGUMENTS...: runs the program in a folder with data/, tokenizers/ and model/, times and that folder's path
# left out. Its standard input is the file $input.
input=/dev/null
check() {
    name=$1
    shift
    TTT_ISA=ref "$program" "$@" >out.txt 2>err.txt <"$input"
    status=$?
    {
        echo "$ ttt $*"
        cat out.txt
        echo "--- stderr"
        cat err.txt
        echo "--- exit status $status"
    } | sed -E -e "s|$work|WORK|g" -e 's/[0-9]+\.[0-9]+ s$/TIME/' -e 's/"([a-z_]*seconds)":[-+.e0-9]+/"\1":TIME/g' >found.txt
    expected=$here/expected/$name.txt
    if [ "${TTT_REWRITE:-0}" = 1 ]; then
        cp found.txt "$expected"
    elif ! diff -u "$expected" found.txt; then
        failures=$((failures + 1))
    fi
}

# A model of random weights, nearly: one step at a rate of almost nothing.
TTT_ISA=ref "$program" finetune --config data/config.json --steps 1 --step-tokens 64 --max-tokens 1900 \
    --learning-rate 1e-9 --threads 1 --out model examples/arc >finetune.txt 2>&1 || { cat finetune.txt; exit 1; }
work_fixed="--method ttt --set ttt.steps=2 --set ttt.batch=2 --set views.count=3 --set ttt.batch_tokens=1024 --set ttt.max_tokens=512 --set ttt.learning_rate=2e-4
    --set views.max_tokens=512"

check no-command
check help --help
check help-solve solve --help
check help-score help score
check help-show show --help
check help-model model --help
check help-model-info model info --help
check help-model-convert model convert --help
check help-model-merge model merge --help
check unknown-command slove
check unknown-option solve --buget 3s tasks
check bad-duration solve data --budget 3x
check bad-number solve data --threads two
check out-of-range solve data --threads -1
check bad-choice solve data --method magic
check missing-value solve data --budget
check no-tasks solve
check unknown-setting solve data --set ttt.step=3
check setting-range solve data --set ttt.steps=-3
check proposer-without-programs solve data/challenges.json --method ttt --proposer http://127.0.0.1:9/v1

# shellcheck disable=SC2086 # several words
{
    check solve solve data/challenges.json --solutions data/solutions.json --model model $work_fixed --run run
    check solve-again solve data/challenges.json --solutions data/solutions.json --model model $work_fixed --run run --json
    check solve-other-settings solve data/challenges.json --model model $work_fixed --set ttt.steps=3 --run run
    check solve-none solve data/challenges.json --model model $work_fixed --method none --out none.json --show --style plain
    check solve-ensemble solve data/mirror.json --model model $work_fixed --method ensemble \
        --set induce.seconds=3 --threads 1 --run ensemble
    check solve-induce solve data/mirror.json --model nowhere --method induce --budget 3s --threads 1
    check solve-mixed solve data/mixed --model model $work_fixed
    check solve-ids solve data/challenges.json --model model $work_fixed --ids 22bbbbbb,33
    check solve-adapters solve data/challenges.json --model model $work_fixed --ids 22bbbbbb --set ttt.adaptation=lora \
        --set lora.rank=2 --save-adapters adapters
    check solve-adapters-of-full solve data/challenges.json --model model $work_fixed --set ttt.adaptation=full \
        --save-adapters adapters
    check solve-two-methods solve data/challenges.json --model model $work_fixed --method 'ttt|none'
    check solve-no-file solve data/nothing.json --model model $work_fixed
    check solve-folder-for-solutions solve data/challenges.json --solutions data --model model $work_fixed
    check solve-no-space solve data/challenges.json --model model $work_fixed --out /dev/full
    check solve-no-model solve data/challenges.json --model nowhere
}
check model-merge model merge --model model --adapter adapters/22bbbbbb --out merged
check model-merged model info merged
check model-merge-usage model merge --model model --out merged
check model-merge-no-adapter model merge --model model --adapter run --out merged
# Programs.
check help-induce induce --help
check induce induce data/mirror.json --budget 3s --threads 1 --save programs
check induce-replay induce examples/arc/twice-as-large.json data/challenges.json --program data/mirror.ttt --style plain
check induce-bad-program induce data/challenges.json --program data/levels.csv
check induce-no-program induce data/challenges.json --program nothing.ttt
check induce-python induce data/challenges.json --python data/mirror.py --python data/hostile.py
check induce-python-voted score submission.json data/solutions.json
check induce-two-kinds induce data/challenges.json --program data/mirror.ttt --python data/mirror.py
check induce-no-tasks induce
check induce-no-space induce data/challenges.json --program data/mirror.ttt --out /dev/full
check score-ensemble score --run ensemble --vote pool
check score-run score --run run --vote paper
check show-run show --run run --tests-only --style plain
check score score data/first.json data/solutions.json --levels data/levels.csv --against data/second.json
check score-json score data/first.json data/solutions.json --levels data/levels.csv --against data/second.json --json
check score-usage score data/first.json
check score-vote score data/first.json data/solutions.json --vote pool
check score-truncated score data/mixed/truncated.json data/solutions.json
check score-bad-levels score data/first.json data/solutions.json --levels data/solutions.json
check show show data/challenges.json --solutions data/solutions.json --answers data/first.json
check show-nothing show

# Tokenizers.
check help-bench bench --help
check bench-no-figure bench --figures read,writing
check bench-too-long bench --model model --tokens 99999
check help-tokenize tokenize --help
check help-complete complete --help
check complete-no-model complete --prompt Once
check complete-grid-model complete --model model --prompt Once
check complete-bad-top-p complete --model model --prompt Once --top-p 2
check tokenize tokenize --model tokenizers/mistral1 "the rule's é 你 <s>"
check tokenize-specials tokenize --model tokenizers/llama3 --specials "the 123<|eot_id|>"
check tokenize-json tokenize --model tokenizers/qwen --json "the é<|im_end|>"
check tokenize-decode tokenize --model tokenizers/mistral3 --decode 1 3 282 4 200 174
check tokenize-decode-specials tokenize --model tokenizers/mistral3 --decode --json --specials 1 3 282 4 200 174
check tokenize-input tokenize --model tokenizers/mistral1 -
printf '%s\n' '"the rule"' '""' '"a\u0000b\n"' '3' '"never reached"' >lines.jsonl
input=lines.jsonl
check tokenize-lines tokenize --model tokenizers/mistral1 --lines
printf '%s\n' '[1, 266]' '[9999]' >lines.jsonl
check tokenize-decode-lines tokenize --model tokenizers/mistral1 --lines --decode
input=/dev/null
check tokenize-no-model tokenize "the rule"
check tokenize-no-tokenizer tokenize --model data "the rule"
check tokenize-two-texts tokenize --model tokenizers/mistral1 the rule
check tokenize-bad-id tokenize --model tokenizers/mistral1 --decode 1 x

# Broken models.
mkdir missing misshapen
cp model/config.json missing/
sed 's/"hidden_size": *32/"hidden_size": 48/' model/config.json >misshapen/config.json
cp model/model.safetensors misshapen/
head -c 3000 model/model.safetensors >truncated.safetensors
mkdir truncated && cp model/config.json truncated/ && mv truncated.safetensors truncated/model.safetensors
check model-missing-weights model info missing
check model-misshapen model info misshapen
check model-truncated model info truncated
check model model info model --json
check model-unknown model infos
check model-convert-grid model convert model grid.gguf

# A language model: the same without its axes and its encoding.
mkdir text && cp model/model.safetensors text/
sed -e '/"rope_axes"/d' -e 's/"encoding".*/"rope_theta": 10000.0/' data/config.json >text/config.json
check model-convert model convert text text.gguf --type q8_0
check model-gguf model info text.gguf
check model-convert-back model convert text.gguf back --type bf16
check model-back model info back --json
check model-convert-folders model convert text other
check model-convert-type model convert text.gguf other --type q4_0
check model-convert-nothing model convert nothing text.gguf
head -c 3000 text.gguf >cut.gguf
check model-cut model info cut.gguf

# Standard output itself without room.
"$program" --help >/dev/full 2>err.txt
[ $? -eq 1 ] && grep -q 'cannot write to standard output: No space left' err.txt || {
    echo "a full standard output went unnoticed"
    failures=$((failures + 1))
}

[ "$failures" -eq 0 ] || { echo "$failures command lines differ; TTT_REWRITE=1 $0 PROGRAM writes them anew"; exit 1; }
