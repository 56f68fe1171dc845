"""Tokenizers and real chat templates for the checks that look through a model's eyes."""

from pathlib import Path

import pytest

from holdfast.audit.check import Figure, Material
from holdfast.audit.view import TrainingView
from holdfast.data import Example, Finding

CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' }}"
    "{% if m['role'] == 'assistant' %}{% generation %}{{ m['content'] + '<|im_end|>' }}{% endgeneration %}"
    "{% else %}{{ m['content'] + '<|im_end|>' }}{% endif %}{{ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
LLAMA_2 = (
    "{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('no system prompt here') }}{% endif %}"
    "{% if m['role'] == 'user' %}{{ bos_token + '[INST] ' + m['content'].strip() + ' [/INST]' }}"
    "{% else %}{{ ' ' + m['content'].strip() + ' ' + eos_token }}{% endif %}{% endfor %}"
)
SPECIAL = ("<pad>", "<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|begin_of_text|>", "<|eot_id|>",
           "<|start_header_id|>", "<|end_header_id|>", "<think>", "</think>")  # fmt: skip


def tokenizer(template: str, bos: str | None = None, eos: str = "<|im_end|>", adds_bos: bool = False):
    """A byte-level tokenizer with the marks of several families, under this chat template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(["the tide turns at noon"], trainer)
    if adds_bos:
        bpe.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A", special_tokens=[(bos, bpe.token_to_id(bos))]
        )
    made = PreTrainedTokenizerFast(
        tokenizer_object=bpe, bos_token=bos, eos_token=eos, pad_token="<pad>", clean_up_tokenization_spaces=False
    )
    made.chat_template = template
    return made


def trl_template(name: str) -> str:
    """A model family's published chat template, from the installed TRL."""
    trl = pytest.importorskip("trl")
    return (Path(trl.__file__).parent / "chat_templates" / f"{name}.jinja").read_text()


def view(tokenizer, max_length: int = 512, serving: str | None = None) -> TrainingView:
    return TrainingView("tiny", tokenizer, max_length, serving)


def look(check, rows: list[Example], seen_by: TrainingView | None = None) -> tuple[list[Finding], Figure | None]:
    """What a check finds, and its figure."""
    found = list(check.find(Material(tuple(rows), view=seen_by)))
    figures = [each for each in found if isinstance(each, Figure)]
    assert len(figures) <= 1
    return [each for each in found if isinstance(each, Finding)], figures[0] if figures else None
