"""Small causal models, one for each kind of tokenizer: with and without marks, with and without spaces put before."""

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

import ptlib as pt

SENTENCES = [
    "The capital of France is Paris.",
    "The capital of Japan is Tokyo: Japan's capital, Tokyo!",
    "Tweet: France and Japan. Label: Paris or Tokyo",
]
ALPHABET = pre_tokenizers.ByteLevel.alphabet()
UNDERSCORE = "\u2581"  # how SentencePiece writes a space

# How a text is cut, and whether <s> is written before it.
KINDS = {
    "bytes": (None, pre_tokenizers.ByteLevel(add_prefix_space=False), False),
    "bytes, space put before": (None, pre_tokenizers.ByteLevel(add_prefix_space=True), False),
    "bytes, marked": (None, pre_tokenizers.ByteLevel(add_prefix_space=False), True),
    "pieces, marked": (None, pre_tokenizers.Metaspace(UNDERSCORE, prepend_scheme="first"), True),
    "pieces, a space before each": (None, pre_tokenizers.Metaspace(UNDERSCORE, prepend_scheme="always"), True),
    "pieces, space always added": (
        normalizers.Sequence([normalizers.Prepend(UNDERSCORE), normalizers.Replace(" ", UNDERSCORE)]),
        None,
        True,
    ),
    "pieces, no space put before": (normalizers.Replace(" ", UNDERSCORE), None, True),
}


def tokenizer_of(kind: str) -> PreTrainedTokenizerFast:
    """A tokenizer that knows the words above, cut as the kind has it."""
    normalizer, cutter, marked = KINDS[kind]
    trained = Tokenizer(models.BPE(unk_token="<unk>"))
    # Trained word by word, so that no token reaches over a space, as none does in a real vocabulary.
    trained.pre_tokenizer = cutter or pre_tokenizers.Metaspace(UNDERSCORE, prepend_scheme="first")
    letters = ALPHABET if kind.startswith("bytes") else [UNDERSCORE, *map(chr, range(33, 127)), "\n"]
    trainer = trainers.BpeTrainer(vocab_size=500, special_tokens=["<unk>", "<s>"], initial_alphabet=letters)
    trained.train_from_iterator(SENTENCES * 20, trainer)
    trained.pre_tokenizer, trained.decoder = (
        cutter,
        decoders.ByteLevel() if kind.startswith("bytes") else decoders.Metaspace(),
    )
    if normalizer is not None:
        trained.normalizer = normalizer
    if marked:
        trained.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=trained, unk_token="<unk>", bos_token="<s>", model_max_length=64)


def causal_model(kind: str) -> pt.LanguageModel:
    """A random model behind such a tokenizer: a Llama where marks are written, a GPT-2 where none are."""
    tokenizer = tokenizer_of(kind)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        if KINDS[kind][2]:
            sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
            config = LlamaConfig(vocab_size=len(tokenizer), max_position_embeddings=64, **sizes)
            model = LlamaForCausalLM(config)
        else:
            model = GPT2LMHeadModel(
                GPT2Config(vocab_size=len(tokenizer), n_embd=16, n_layer=2, n_head=2, n_positions=64)
            )
    return pt.LanguageModel(f"tiny model ({kind})", "causal", model.eval().requires_grad_(False), tokenizer)
