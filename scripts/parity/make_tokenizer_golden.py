#!/usr/bin/env python3
"""Small tokenizers of each kind and what the tokenizers package makes of some texts. A development tool, like
check_tokenizers.py beside it, which has the long comparison.

    venv/bin/python scripts/parity/make_tokenizer_golden.py tests/model/golden/tokenizers

Each becomes a folder that ttt_tokenizer_load reads, with golden.json: `cases` (text, ids, ids where special tokens are
read, the text of the latter without special tokens) and `chats` (messages, and the ids of the conversation as the
family's own template writes it). Checked by tests/model/test_tokenizer.c."""

import json
import os
import sys

from check_tokenizers import LLAMA3, QWEN, byte_level, from_pieces, split
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

CORPUS = """A grid is a picture of cells. Each cell has a colour, and colours are numbers from 0 to 9.
The rule turns the input into the output; what is the rule? It's the same in every pair, and we'll find it.
Row 12, column 345: the cells were moved to the right, don't they look the same?
    for (int i = 0; i < count; i++) cells[i] = rule(cells[i]);\n\n\n"""
TEXTS = [
    "", " ", "a", "  ", "\n", "the rule", " the rule", "The cells' colours aren't 1234567890 or 12.", "I'LL, WE'RE, it\u017fs, it'\u017f",
    "    for (int i = 0; i < 100; i++) {\n\n\t\tcells[i] = '\\n';\r\n}\n\n\n  ", "tabs\t\tand  two   three    blanks ",
    "caf\u00e9 cafe\u0301 A\u030angstr\u00f6m \u1112\u1161\u11ab q\u0323\u0307 q\u0307\u0323", "\u4f60\u597d\uff0c\u4e16\u754c\u3002 \u041f\u0440\u0438\u0432\u0435\u0442 \u0645\u0631\u062d\u0628\u0627 \u0928\u092e\u0938\u094d\u0924\u0947",
    "\U0001f436\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f1eb\U0001f1f7 \u2764\ufe0f", "\u0001\u0002\u001f\u007f\u0085\u00a0\u180e\u2028\u200b\ufeff\ufffd\U0010ffff",
    "\u2581the\u2581rule", "x\u00b2 \u0663\u0664 \u2167 \u00bd", "<s>the</s> <unk><0x0A> </s", "[INST] the rule [/INST]",
    "<|im_start|>user\nthe rule<|im_end|>\n", "<|start_header_id|>user<|end_header_id|>\n\nthe rule<|eot_id|>",
    "<|begin_of_text|> <|end_of_text|><|endoftext|><|im_end|", "a [left] b [right]  c[left][right] ",
]
MESSAGES = [("system", "Find the rule."), ("user", "1 2 3"), ("assistant", "the rule is 4"), ("user", "why?")]


def trained(pattern, specials, added=(), normalizer=None, **options):
    tokenizer = Tokenizer(models.BPE(**options))
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = byte_level(split(pattern), add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(CORPUS.splitlines(keepends=True) * 2, trainers.BpeTrainer(
        vocab_size=330, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    tokenizer.add_special_tokens([AddedToken(text, normalized=False, special=True) for text in specials])
    tokenizer.add_tokens(list(added))
    return tokenizer


def pieces(specials):
    """Sentencepiece's kind of pieces, scores by length and place."""
    words = ["the", "rule", "is", "cell", "cells", "colour", "colours", "\u2581the", "\u2581rule", "\u2581is", "th", "he", "ru", "le", "ce",
             "ll", "el", "\u2581\u2581", "\u2581\u2581\u2581\u2581", "\u2581t", "\u2581r", "\u2581the\u2581rule", "12", "ell", "lle", "ls", "co", "lo", "our", "ou", "ur"]
    letters = sorted(set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,;:'?!()[]<>/|_\u2581\u00e9\u4f60")) 
    result = [("<unk>", 0.0, 2)] + [(text, 0.0, 3) for text in specials]
    result += [("<0x%02X>" % byte, 0.0, 6) for byte in range(256)]
    result += [(word, -float(i), 1) for i, word in enumerate(words)]
    return result + [(letter, -100.0 - i, 1) for i, letter in enumerate(letters)]


def llama3():
    tokenizer = trained(LLAMA3, ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>",
                                 "<|eot_id|>"], ignore_merges=True)
    start = ("<|begin_of_text|>", tokenizer.token_to_id("<|begin_of_text|>"))
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single="<|begin_of_text|> $A", special_tokens=[start])])
    chat = "".join("<|start_header_id|>%s<|end_header_id|>\n\n%s<|eot_id|>" % message for message in MESSAGES)
    return tokenizer, {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"}, \
        chat + "<|start_header_id|>assistant<|end_header_id|>\n\n"


def qwen():
    tokenizer = trained(QWEN, ["<|endoftext|>", "<|im_start|>", "<|im_end|>"], normalizer=normalizers.NFC(),
                        added=[AddedToken("[left]", lstrip=True), AddedToken("[right]", rstrip=True)])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    chat = "".join("<|im_start|>%s\n%s<|im_end|>\n" % message for message in MESSAGES) + "<|im_start|>assistant\n"
    return tokenizer, {"bos_token": None, "eos_token": {"content": "<|im_end|>"}, "add_bos_token": False}, chat


def mistral_chat(system, open_mark, close_mark):
    text = "%s %s\n\n%s%s" % (open_mark, MESSAGES[0][1], MESSAGES[1][1], close_mark)
    return text + " %s</s>" % MESSAGES[2][1] + "%s %s%s" % (open_mark, MESSAGES[3][1], close_mark)


def mistral1():
    """Marks as plain text, every section with a blank in front."""
    tokenizer = from_pieces(pieces(["<s>", "</s>"]), "prepend")
    return tokenizer, {"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": True,
                       "chat_template": "{{ '[INST] ' + message['content'] + ' [/INST]' }}"}, \
        mistral_chat(None, "[INST]", " [/INST]")


def mistral3():
    """Marks as tokens; a blank only at the start of a text."""
    tokenizer = from_pieces(pieces(["<s>", "</s>", "[INST]", "[/INST]"]), "first")
    return tokenizer, {"bos_token": "<s>", "eos_token": "</s>"}, mistral_chat(None, "[INST]", "[/INST]")


def case(tokenizer, text):
    tokenizer.encode_special_tokens = True
    plain = tokenizer.encode(text).ids
    tokenizer.encode_special_tokens = False
    read = tokenizer.encode(text).ids
    return {"text": text, "ids": plain, "specials": read, "back": tokenizer.decode(read, skip_special_tokens=True)}


def main():
    for name, make in [("llama3", llama3), ("qwen", qwen), ("mistral1", mistral1), ("mistral3", mistral3)]:
        tokenizer, config, chat = make()
        folder = os.path.join(sys.argv[1], name)
        os.makedirs(folder, exist_ok=True)
        tokenizer.save(os.path.join(folder, "tokenizer.json"), pretty=False)
        golden = {"cases": [case(tokenizer, text) for text in TEXTS],
                  "chat": {"messages": MESSAGES, "ids": tokenizer.encode(chat).ids}}
        for file, content in [("tokenizer_config.json", config), ("golden.json", golden)]:
            with open(os.path.join(folder, file), "w", encoding="utf-8") as out:
                json.dump(content, out, ensure_ascii=True, separators=(",", ":"))
                out.write("\n")


if __name__ == "__main__":
    main()
