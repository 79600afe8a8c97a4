"""Tokenizers for the pocket models: WordPiece, byte-level BPE and unigram, each trained on the corpus."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from ptlib.pocket.corpus import OTHER, SUBJECT, Sentence

VOCABULARY_SIZE = 5000
WHOLE_WORD_WEIGHT = 1_000  # makes a trainer keep a word in one piece
MAXIMUM_LENGTH = 64


def weighted_words(sentences: Iterable[Sentence]) -> Counter[str]:
    """Words with the weight a tokenizer gives them.

    Objects and ordinary words must be one token, so they weigh much; words that stand in subjects alone
    weigh as often as they occur and may fall into pieces, like rare names in any language model.
    """
    weights: Counter[str] = Counter()
    whole: set[str] = set()
    for sentence in sentences:
        for word, role in zip(sentence.words, sentence.roles, strict=True):
            weights[word] += 1
            if role != SUBJECT and (role != OTHER or weights[word] > 1):
                whole.add(word)
    for word in whole:
        weights[word] += WHOLE_WORD_WEIGHT
    return weights


def _repeated(weights: Counter[str]) -> Iterator[list[str]]:
    for word, weight in sorted(weights.items()):
        yield [word] * weight


def wordpiece(weights: Counter[str]) -> PreTrainedTokenizerFast:
    """A WordPiece tokenizer with BERT's special tokens."""
    names = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
    learner = Tokenizer(models.WordPiece(unk_token=names["unk"]))
    learner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    # The trainer numbers the continued characters in an order that changes from run to run, unless they are given.
    continued = ["##" + character for character in sorted(set("".join(weights)))]
    trainer = trainers.WordPieceTrainer(
        vocab_size=VOCABULARY_SIZE, special_tokens=[*names.values(), *continued], show_progress=False
    )
    learner.train_from_iterator(_repeated(weights), trainer)
    tokenizer = Tokenizer(models.WordPiece(learner.get_vocab(), unk_token=names["unk"]))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    return _finished(tokenizer, names)


def byte_level_bpe(weights: Counter[str], *, masked: bool) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer with RoBERTa's special tokens if `masked`, otherwise with GPT-2's."""
    if masked:
        names = {"cls": "<s>", "pad": "<pad>", "sep": "</s>", "unk": "<unk>", "mask": "<mask>"}
    else:
        names = {"eos": "<|endoftext|>", "pad": "<|endoftext|>", "bos": "<|endoftext|>", "unk": "<|endoftext|>"}
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY_SIZE,
        special_tokens=[_mark(role, mark) for mark, role in {mark: role for role, mark in names.items()}.items()],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_repeated(weights), trainer)
    return _finished(tokenizer, names)


def unigram(weights: Counter[str]) -> PreTrainedTokenizerFast:
    """A unigram tokenizer with ALBERT's special tokens.

    The pieces are the heaviest words and the short endings of words; a piece's score is the logarithm of
    its share, which is the maximum-likelihood unigram model when each word is one piece. The trainer of
    the `tokenizers` library prunes whole words on a corpus this small.
    """
    names = {"pad": "<pad>", "unk": "<unk>", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
    characters = Counter({"▁": 1})
    endings: Counter[str] = Counter()
    for word in weights:
        characters.update(word)
        endings.update(word[-size:] for size in (2, 3, 4, 5) if len(word) > size)
    pieces = Counter({"▁" + word: weight for word, weight in weights.most_common(VOCABULARY_SIZE - 800)})
    pieces.update(dict(endings.most_common(VOCABULARY_SIZE - len(pieces) - len(characters) - len(names))))
    total = sum(pieces.values())
    scored = [(name, 0.0) for name in names.values()]
    scored += [(piece, math.log(count / total)) for piece, count in pieces.most_common()]
    scored += [(character, -20.0) for character in sorted(characters) if character not in pieces]
    tokenizer = Tokenizer(models.Unigram(scored, unk_id=list(names).index("unk")))
    tokenizer.normalizer = normalizers.Replace(Regex(" {2,}"), " ")
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    return _finished(tokenizer, names)


def _finished(tokenizer: Tokenizer, names: dict[str, str]) -> PreTrainedTokenizerFast:
    """Add the marks around a sentence, and wrap the tokenizer for `transformers`."""
    if "cls" in names:
        start, end = names["cls"], names["sep"]
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{start} $A {end}",
            special_tokens=[(mark, tokenizer.token_to_id(mark)) for mark in (start, end)],
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=MAXIMUM_LENGTH,
        clean_up_tokenization_spaces=False,
        **{f"{role}_token": _mark(role, mark) for role, mark in names.items()},
    )


def _mark(role: str, mark: str) -> AddedToken:
    """A special token; the space before a mask belongs to it, as to any word."""
    return AddedToken(mark, lstrip=role == "mask", special=True)
