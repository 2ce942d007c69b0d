#!/usr/bin/env python3
"""Holds `ttt tokenize` against the tokenizers and sentencepiece packages. A development tool: nothing else needs Python.

    python3 -m venv venv && venv/bin/pip install tokenizers sentencepiece gguf
    venv/bin/python scripts/parity/check_tokenizers.py build/ttt [VOCABULARIES]

Tokenizers of each kind are trained on the sources of this repository. VOCABULARIES is a folder with real ones; what is
there is used: *.gguf of llama.cpp's models/ (ggml-vocab-*.gguf with their .inp and .out), sentencepiece models and
tekken_*.json of the mistral-common package. Each tokenizer gets the same texts (TEXTS of them): ids without and with
special tokens, and the way back. Prints one line a tokenizer; the exit status is 1 if anything differs.

Left out are characters that are newer than the Unicode of PCRE2 10.42 (14): their category is not known there yet."""

import base64
import glob
import json
import os
import random
import subprocess
import sys
import tempfile
import unicodedata

import gguf
import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

TEXTS = 12000
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
          r"|\s+(?!\S)|\s+")
QWEN = LLAMA3.replace("{1,3}", "")
SPECIALS = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>",
            "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<s>", "</s>", "<unk>", "[INST]", "[/INST]", "<0x0A>"]
MARK = "\u2581"

# ----------------------------------------------------------------------------------------------------- texts


def characters():
    """Assigned characters by the first word of their name: a script, or nearly."""
    groups = {}
    for code in range(0x20, 0x32000):
        name = unicodedata.name(chr(code), "")
        if name and not 0xD800 <= code <= 0xDFFF:
            groups.setdefault(name.split()[0], []).append(chr(code))
    return [group for _, group in sorted(groups.items())]


def make_texts(words):
    draw = random.Random(1)
    groups = characters()
    blanks = [" ", "  ", "    ", "\t", "\n", "\n\n", "\r\n", "\r", " \n", "\u00a0", "\u3000", "\u2028", "\u180e", "\u200b",
              "\u0085", "\u1680", "\x0b", "\x0c", "\x1c", "\x1f"]
    controls = [chr(c) for c in range(32)] + [chr(c) for c in range(0x7F, 0xA0)] + ["\ufeff", "\u200d", "\u202e", "\ue000",
                                                                                  "\ufffd", "\uffff", "\U0010ffff"]
    emoji = ["😀", "👩‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "🇫🇷", "❤️", "🐶", "☃", "1️⃣"]
    endings = ["'s", "'S", "'re", "'VE", "'ll", "'d", "'\u017f", "'t", "'", "’s", "'M"]
    marks = ["e\u0301", "\u0041\u030a", "\u1100\u1161\u11a8", "\uac00\u11a8", "\u0301\u0323", "q\u0323\u0307", "\u212b",
             "\u0344", "\u0958", "\u2126", "\ufb1d", "o\u0302\u0323", "\u0b47\u0b3e", "\u09c7\u09be"]

    def script():
        group = draw.choice(groups)
        return "".join(draw.choice(group) for _ in range(draw.randint(1, 8)))

    def number():
        return "".join(draw.choice("0123456789" if draw.random() < .9 else "٣४²Ⅷ½") for _ in range(draw.randint(1, 9)))

    makers = [script, lambda: draw.choice(words), lambda: draw.choice(words) + draw.choice(endings), number,
              lambda: draw.choice(blanks), lambda: " ", lambda: draw.choice(blanks) * draw.randint(1, 20),
              lambda: draw.choice(emoji), lambda: draw.choice(controls), lambda: draw.choice(marks),
              lambda: "".join(draw.choice("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") for _ in range(draw.randint(1, 6))),
              lambda: "".join(chr(draw.randint(32, 126)) for _ in range(draw.randint(1, 12)))]
    special = makers + [lambda: draw.choice(SPECIALS)] * 6 + [lambda: draw.choice(SPECIALS)[:-1], lambda: MARK]
    texts = ["", " ", "  ", "\n", "a", "é", "\u0301", MARK, " " * 3000, "a" * 3000, "ab" * 2000, "\n" * 500, "1" * 500,
             "\u0301\u0323" * 50, "word " * 1000]
    texts += ["".join(group) for group in groups if len(group) <= 400]
    while len(texts) < TEXTS:
        choice = special if len(texts) % 3 == 0 else makers
        texts.append("".join(draw.choice(choice)() for _ in range(draw.randint(1, 14))))
    return texts


# ----------------------------------------------------------------------------------------------------- makers


def trained(corpus, pre, normalizer=None, ignore_merges=False, added=(), template=None, prefix=False):
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=3000, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                                  show_progress=False)
    tokenizer.train_from_iterator(corpus, trainer)
    tokenizer.add_special_tokens([AddedToken(text, normalized=False, special=True) for text in SPECIALS[:8]])
    tokenizer.add_tokens(list(added))
    if template:
        token = (template, tokenizer.token_to_id(template))
        tokenizer.post_processor = processors.Sequence([
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(single=template + " $A", special_tokens=[token])])
    return tokenizer


def split(pattern):
    return pre_tokenizers.Split(Regex(pattern), behavior="isolated", invert=False)


def byte_level(*before, **options):
    return pre_tokenizers.Sequence([*before, pre_tokenizers.ByteLevel(**options)])


def made(corpus):
    plain = dict(add_prefix_space=False, use_regex=False)
    yield "trained, Llama 3", trained(corpus, byte_level(split(LLAMA3), **plain), ignore_merges=True,
                                      template="<|begin_of_text|>")
    yield "trained, Qwen", trained(corpus, byte_level(split(QWEN), **plain), normalizers.NFC(),
                                   added=[AddedToken("[left]", lstrip=True), AddedToken("[right]", rstrip=True),
                                          AddedToken("é1"), AddedToken("the", normalized=False)])
    yield "trained, GPT-2 with prefix", trained(corpus, pre_tokenizers.ByteLevel(add_prefix_space=True))
    yield "trained, digits", trained(corpus, byte_level(pre_tokenizers.Digits(individual_digits=True),
                                                        add_prefix_space=False), added=["  ", "\n\n\n"])
    for behaviour in ["removed", "merged_with_previous", "merged_with_next", "contiguous"]:
        cut = pre_tokenizers.Split(Regex(r"\s+|\p{N}"), behavior=behaviour, invert=behaviour == "contiguous")
        yield "trained, " + behaviour, trained(corpus, byte_level(cut, add_prefix_space=False))


def from_pieces(pieces, style):
    """pieces: (text, score, type), types numbered as sentencepiece and GGUF number them."""
    vocabulary = {text: i for i, (text, _, _) in enumerate(pieces)}
    merges = []
    for text, score, kind in pieces:
        if kind != 1:
            continue
        local = [(text[:i], text[i:]) for i in range(1, len(text))
                 if all(part in vocabulary and pieces[vocabulary[part]][2] == 1 for part in (text[:i], text[i:]))]
        local.sort(key=lambda pair: (vocabulary[pair[0]], vocabulary[pair[1]]))
        merges += [(score, pair) for pair in local]
    merges = [pair for _, pair in sorted(merges, key=lambda entry: -entry[0])]
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    if style == "prepend":
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend(MARK), normalizers.Replace(" ", MARK)])
        tokenizer.decoder = decoders.Sequence([decoders.Replace(MARK, " "), decoders.ByteFallback(), decoders.Fuse(),
                                               decoders.Strip(" ", 1, 0)])
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(MARK, style.split()[0], split="split" in style)
        tokenizer.decoder = decoders.Sequence([decoders.Replace(MARK, " "), decoders.ByteFallback(), decoders.Fuse()])
        if not style.startswith("never"):
            tokenizer.decoder = decoders.Sequence([decoders.Replace(MARK, " "), decoders.ByteFallback(),
                                                   decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.add_special_tokens([AddedToken(text, normalized=False, special=True)
                                  for text, _, kind in pieces if kind in (2, 3)])
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text, _, kind in pieces if kind == 4])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A",
                                                             special_tokens=[("<s>", vocabulary["<s>"])])
    return tokenizer


def sentencepiece_pieces(processor):
    def kind(i):
        return (2 if processor.is_unknown(i) else 3 if processor.is_control(i) else 6 if processor.is_byte(i) else
                5 if processor.is_unused(i) else 1)
    return [(processor.id_to_piece(i), processor.get_score(i), kind(i)) for i in range(processor.get_piece_size())]


def from_gguf(path):
    """A Hugging Face tokenizer from the vocabulary of a GGUF file."""
    fields = gguf.GGUFReader(path).fields
    texts = fields["tokenizer.ggml.tokens"].contents()
    types = fields["tokenizer.ggml.token_type"].contents()
    if fields["tokenizer.ggml.model"].contents() == "llama":
        return from_pieces(list(zip(texts, fields["tokenizer.ggml.scores"].contents(), types)), "prepend")
    pre = fields["tokenizer.ggml.pre"].contents()
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"].contents()]
    vocabulary = {text: i for i, text in enumerate(texts)}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, ignore_merges=pre == "llama-bpe"))
    plain = dict(add_prefix_space=False, use_regex=False)
    if pre == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = {
        "llama-bpe": byte_level(split(LLAMA3), **plain), "qwen2": byte_level(split(QWEN), **plain),
        "gpt-2": byte_level(add_prefix_space=False),
        "starcoder": byte_level(pre_tokenizers.Digits(True), add_prefix_space=False)}[pre]
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(text, normalized=False, special=True)
                                  for text, kind in zip(texts, types) if kind in (2, 3)])
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text, kind in zip(texts, types) if kind == 4])
    return tokenizer


def from_tekken(path):
    with open(path, encoding="utf-8") as file:
        content = json.load(file)
    config = content["config"]
    reserved = config["default_num_special_tokens"]
    count = config["default_vocab_size"] - reserved
    alphabet = dict(zip(byte_order(), sorted(pre_tokenizers.ByteLevel.alphabet())))
    ranks = {base64.b64decode(entry["token_bytes"]): i for i, entry in enumerate(content["vocab"][:count])}
    merges = []
    for token, rank in ranks.items():
        local = [(token[:i], token[i:]) for i in range(1, len(token)) if token[:i] in ranks and token[i:] in ranks]
        merges += [(rank, pair) for pair in sorted(local, key=lambda pair: (ranks[pair[0]], ranks[pair[1]]))]
    spell = lambda token: "".join(alphabet[byte] for byte in token)
    specials = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]"]
    specials += ["<SPECIAL_%d>" % i for i in range(len(specials), reserved)]
    vocabulary = {text: i for i, text in enumerate(specials)}
    vocabulary.update({spell(token): reserved + rank for token, rank in ranks.items()})
    tokenizer = Tokenizer(models.BPE(vocabulary, [(spell(a), spell(b)) for _, (a, b) in
                                                  sorted(merges, key=lambda entry: entry[0])], ignore_merges=True))
    tokenizer.pre_tokenizer = byte_level(split(config["pattern"]), add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(text, normalized=False, special=True) for text in specials])
    return tokenizer


def byte_order():
    """The bytes in the order of the characters that stand for them."""
    itself = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    return itself + [byte for byte in range(256) if byte not in itself]


def write_gguf(path, pieces):
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_tokenizer_model("llama")
    writer.add_token_list([text for text, _, _ in pieces])
    writer.add_token_scores([score for _, score, _ in pieces])
    writer.add_token_types([kind for _, _, kind in pieces])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


# ----------------------------------------------------------------------------------------------------- checks


class Check:
    def __init__(self, program):
        self.program = program
        self.failed = False

    def ask(self, model, values, *options):
        lines = "".join(json.dumps(value) + "\n" for value in values)
        done = subprocess.run([self.program, "tokenize", "--model", model, "--lines", *options], input=lines,
                              capture_output=True, text=True)
        if done.returncode != 0:
            print(done.stderr)
        return [json.loads(line) for line in done.stdout.split("\n")[:-1]]

    def report(self, name, what, texts, wanted, found):
        differing = [i for i in range(len(wanted)) if i >= len(found) or wanted[i] != found[i]]
        print("%-36s %-24s %6d texts, %d differ" % (name, what, len(wanted), len(differing)), flush=True)
        for i in differing[:3]:
            self.failed = True
            print("   ", repr(texts[i])[:300], "\n      wanted", str(wanted[i])[:300], "\n      found ",
                  str(found[i] if i < len(found) else None)[:300])

    def against_package(self, name, model, tokenizer, texts):
        """ids in both ways of reading special tokens, and texts of ids"""
        if isinstance(tokenizer.normalizer, normalizers.NFC):
            # The package's data is older than Python's (and ours): it does not know the class of some marks.
            same = [text for text in texts
                    if tokenizer.normalizer.normalize_str(text) == unicodedata.normalize("NFC", text)]
            print("%-36s %d texts left out, whose NFC differs between the package and Python" %
                  (name, len(texts) - len(same)))
            texts = same
        for specials in [False, True]:
            tokenizer.encode_special_tokens = not specials
            wanted = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
            options = ["--specials"] if specials else []
            found = [answer["ids"] for answer in self.ask(model, texts, *options)]
            self.report(name, "ids, specials " + ("read" if specials else "as text"), texts, wanted, found)
        # The package decodes added tokens as if they were spelt in the alphabet of bytes.
        foreign = {i for text, i in tokenizer.get_vocab().items() if text == "é1"}
        texts, wanted = zip(*[(text, ids) for text, ids in zip(texts, wanted) if not foreign & set(ids)])
        back = [answer["text"] for answer in self.ask(model, wanted, "--decode")]
        decoded = [tokenizer.decode(list(ids), skip_special_tokens=True) for ids in wanted]
        self.report(name, "text of ids", texts, decoded, back)


def check_llama_cpp(check, path):
    """The cases beside llama.cpp's vocabularies; its ids are without the start token."""
    with open(path + ".inp", encoding="utf-8", newline="") as file:
        texts = file.read().split("\n__ggml_vocab_test__\n")
    if texts[-1] == "":
        texts.pop()
    with open(path + ".out", encoding="utf-8") as file:
        wanted = [[int(word) for word in line.split()] for line in file.read().split("\n")][:len(texts)]
    found = [answer["ids"] for answer in check.ask(path, texts)]
    found = [ids if ids == ids_wanted else ids[1:] for ids, ids_wanted in zip(found, wanted)]
    check.report(os.path.basename(path), "llama.cpp's cases", texts, wanted, found)


def check_gguf(check, path, tokenizer, texts):
    """Our reading of the file itself, where the package has a tokenizer.json made of it. A start token that only one of
    them puts before a text is left out."""
    fields = gguf.GGUFReader(path).fields
    start = fields["tokenizer.ggml.bos_token_id"].contents()
    if isinstance(tokenizer.normalizer, normalizers.NFC):
        texts = [text for text in texts
                 if tokenizer.normalizer.normalize_str(text) == unicodedata.normalize("NFC", text)]
    tokenizer.encode_special_tokens = True
    wanted = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
    found = [answer["ids"] for answer in check.ask(path, texts)]
    without = lambda lists: [ids[1:] if ids[:1] == [start] else ids for ids in lists]
    check.report(os.path.basename(path), "the GGUF file itself", texts, without(wanted), without(found))


def check_sentencepiece(check, name, processor, texts, folder):
    """The file's own processor against our reading of its scores, and the tokenizers package's form of it."""
    pieces = sentencepiece_pieces(processor)
    path = os.path.join(folder, "scores.gguf")
    write_gguf(path, pieces)
    # What sentencepiece itself treats otherwise: NUL ends a text there, marks in the text are its own blanks.
    plain = [text for text in texts if text and "\0" not in text]
    found = [answer["ids"] for answer in check.ask(path, plain)]
    check.report(name, "sentencepiece", plain, [[1] + processor.encode(text) for text in plain], found)
    for style in ["prepend", "first", "always split", "never"]:
        check.against_package(name + ", " + style, save(from_pieces(pieces, style), folder), from_pieces(pieces, style),
                              texts)


def save(tokenizer, folder):
    tokenizer.encode_special_tokens = False
    tokenizer.save(os.path.join(folder, "tokenizer.json"))
    return folder


def train_sentencepiece(corpus, folder):
    prefix = os.path.join(folder, "trained")
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus), model_prefix=prefix, vocab_size=2000, model_type="bpe", byte_fallback=True,
        normalization_rule_name="identity", remove_extra_whitespaces=False, split_digits=True,
        allow_whitespace_only_pieces=True, character_coverage=0.99, minloglevel=2)
    return sentencepiece.SentencePieceProcessor(model_file=prefix + ".model")


def main():
    check = Check(sys.argv[1])
    folder = sys.argv[2] if len(sys.argv) > 2 else None
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    corpus = []
    for path in sorted(glob.glob(os.path.join(root, "src", "*", "*.[ch]")) + glob.glob(os.path.join(root, "docs", "*.md"))):
        with open(path, encoding="utf-8") as file:
            corpus += file.read().splitlines()
    words = sorted({word for line in corpus for word in line.split()})
    texts = make_texts(words)
    with tempfile.TemporaryDirectory() as work:
        for name, tokenizer in made(corpus):
            check.against_package(name, save(tokenizer, work), tokenizer, texts)
        check_sentencepiece(check, "sentencepiece, trained", train_sentencepiece(corpus, work), texts, work)
        for path in sorted(glob.glob(os.path.join(folder, "*.gguf"))) if folder else []:
            tokenizer = from_gguf(path)
            check.against_package(os.path.basename(path), save(tokenizer, work), tokenizer, texts)
            check_gguf(check, path, tokenizer, texts)
            if os.path.exists(path + ".inp"):
                check_llama_cpp(check, path)
        for path in sorted(glob.glob(os.path.join(folder, "*.model*"))) if folder else []:
            processor = sentencepiece.SentencePieceProcessor(model_file=path)
            check_sentencepiece(check, os.path.basename(path)[-16:], processor, texts, work)
        for path in sorted(glob.glob(os.path.join(folder, "tekken_*.json"))) if folder else []:
            tokenizer = from_tekken(path)
            check.against_package(os.path.basename(path), save(tokenizer, work), tokenizer, texts)
    sys.exit(1 if check.failed else 0)


if __name__ == "__main__":
    main()
