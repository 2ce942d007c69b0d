"""Contenders that do the same work in turns, each turn in a process of its own, and the table of their medians."""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys

import shapes


def parser_of(description, rounds, seconds):
    """The options that all comparisons have. --worker is a contender's own turn, of the model at --model."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="build/ttt")
    parser.add_argument("--shape", choices=shapes.SHAPES, default="bundled")
    parser.add_argument("--tokens", type=int, default=1024)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--seconds", type=float, default=seconds, help="of each turn")
    parser.add_argument("--models", help="keep the models of random weights in this folder")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--model", help=argparse.SUPPRESS)
    return parser


def model_folder(options, scratch):
    """The model of the shape, made unless it is there."""
    folder = os.path.join(options.models or scratch, options.shape)
    if not os.path.exists(os.path.join(folder, "config.json")):
        subprocess.run([sys.executable, shapes.__file__, options.shape, folder], check=True)
    return folder


def measured(command):
    """Runs a command; its output's last line as JSON, and its peak memory in bytes; (None, 0) when it failed. (A child
    begins with the memory of its parent, and its peak counts from there: this process imports nothing large.)"""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        return None, 0
    return json.loads(output.strip().splitlines()[-1]), usage.ru_maxrss * 1024


def own_turn(options, model, figures, extra=()):
    """Tokens a second of the figures of `ttt bench`, by name, and its peak memory."""
    result, memory = measured([options.program, "bench", "--model", model, "--threads", str(options.threads),
                               "--tokens", str(options.tokens), "--seconds", str(options.seconds), "--figures",
                               ",".join(figures), "--json", *extra])
    return result and {f: result["measured"][0]["figures"][f]["tokens_per_second"] for f in figures}, memory


def peers_turn(options, worker, model, extra=()):
    """What the comparison's own --worker prints, which has the form of own_turn's."""
    return measured([sys.executable, os.path.abspath(sys.argv[0]), options.program, "--worker", worker, "--model", model,
                     "--threads", str(options.threads), "--tokens", str(options.tokens), "--seconds",
                     str(options.seconds), *extra])


def compare(options, turns, title):
    """`turns`: by contender's name a function that takes a turn; the first, ours, is what ratios are of."""
    rates, memory = {name: [] for name in turns}, {name: 0 for name in turns}
    for number in range(options.rounds):
        for name, turn in turns.items():
            result, peak = turn()
            rates[name].append(result)
            memory[name] = max(memory[name], peak)
            said = "failed" if result is None else ", ".join(f"{f} {r:.1f} tokens/s" for f, r in result.items())
            print(f"round {number + 1}: {name:20s} {said}", file=sys.stderr)
    print(f"{platform.processor() or platform.machine()}, {options.threads} threads, {title}")
    print(f"shape {options.shape}, {options.tokens} tokens, {options.rounds} rounds")
    print_table(rates, memory)


def print_table(rates, memory):
    ours = next(iter(rates))
    for figure in rates[ours][0] or ():
        print(f"{figure:24s} {'tokens/s':>10s} {'ttt is':>10s} {'memory':>10s}")
        for name, results in rates.items():
            if None in results or None in rates[ours]:
                print(f"{name:24s} {'failed':>10s}")
                continue
            ratio = statistics.median(a[figure] / b[figure] for a, b in zip(rates[ours], results))
            print(f"{name:24s} {statistics.median(r[figure] for r in results):10.1f} {ratio:9.2f}x "
                  f"{memory[name] / 1e6:7.0f} MB")
