"""Encoders: the package's own numbers, rows of length one, zeros for nothing, and what is said of a wrong name."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.errors import ConfigError, ModelError
from holdfast.vectors import NGRAMS, Encoder, LocalEncoder, WordLlama, encoder_named, wordllama
from holdfast.workers import Here, Threads

HERE = Here()
ODD = ["", " ", "\n", "a", "é", "日本語の質問", "🦀", "\ud800", "word " * 5_000, "\x00"]


def sentences(count: int) -> list[str]:
    rng = np.random.default_rng(4)
    words = "tide kelp harbor keeper lamp rock 17 what is the of not how Paris naïve def return".split()  # noqa: SIM905
    return [" ".join(rng.choice(words, rng.integers(1, 30))) for _ in range(count)]


def test_wordllama_gives_the_packages_own_numbers() -> None:
    package = pytest.importorskip("wordllama.inference", reason="the extra `embed` is not installed")
    table = wordllama._table()
    theirs = package.WordLlamaInference(table.rows, wordllama._table().tokenizer)
    texts = sentences(190) + [text for text in ODD if text.strip() and text != "\ud800"] + ["Hello!", "x" * 300]
    np.testing.assert_allclose(WordLlama().encode(texts, HERE), theirs.embed(texts, norm=True), atol=1e-6)


@pytest.mark.parametrize("encoder", [NGRAMS, WordLlama()])
def test_rows_have_length_one_and_nothing_is_zeros(encoder: Encoder) -> None:
    rows = dense_norms(encoder, ODD)
    assert rows[0] == 0
    np.testing.assert_allclose(rows[3:], 1, atol=1e-6)
    assert encoder.encode([], HERE).shape[0] == 0
    assert dense_norms(encoder, [""]).tolist() == [0]


def dense_norms(encoder: Encoder, texts: list[str]) -> np.ndarray:
    rows = encoder.encode(texts, HERE)
    return np.sqrt(np.asarray((rows * rows).sum(axis=1)))


@pytest.mark.parametrize("encoder", [NGRAMS, WordLlama()])
def test_rows_do_not_depend_on_the_workers(encoder: Encoder) -> None:
    texts = sentences(5_000)
    here, there = encoder.encode(texts, HERE), encoder.encode(texts, Threads(2))
    assert abs(here - there).max() == 0


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=12), min_size=1, max_size=8))
def test_equal_texts_have_equal_ngrams_and_cosines_are_cosines(texts: list[str]) -> None:
    rows = NGRAMS.encode([*texts, *texts], HERE)
    product = (rows @ rows.T).toarray()
    assert product.max() <= 1 + 1e-9
    own = np.diag(product, len(texts))
    np.testing.assert_allclose(own, [bool(text) for text in texts], atol=1e-9)


def test_ngrams_see_a_misspelling_and_wordllama_a_rewording() -> None:
    texts = [*sentences(60), "Describe the old lighthouse keeper", "Describe the old lighthuose keeper"]
    grams = NGRAMS.encode(texts, HERE)
    assert (grams[-1:] @ grams[-2:-1].T).toarray().item() > 0.7
    meaning = WordLlama().encode(["How do I cook pasta?", "What is the way to cook spaghetti?", "Sell my car"], HERE)
    assert meaning[0] @ meaning[1] > 0.5 > meaning[0] @ meaning[2]


def test_the_package_is_never_imported() -> None:
    code = (
        "import sys; from holdfast.vectors import WordLlama; from holdfast.workers import Here;"
        "WordLlama().encode(['a b'], Here()); print({'wordllama', 'torch', 'requests'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
    assert done.stderr == ""


def test_encoders_are_known_by_name(tmp_path: Path) -> None:
    assert encoder_named("ngrams") is NGRAMS
    assert encoder_named("auto") == encoder_named("wordllama") == WordLlama()
    assert "Llama 2" in WordLlama().origin
    with pytest.raises(ConfigError, match="Did you mean 'wordllama'"):
        encoder_named("wordlama")
    with pytest.raises(ConfigError, match="hub"):
        encoder_named("sentence-transformers/all-MiniLM-L6-v2")
    with pytest.raises(ModelError, match=r"tokenizer\.json"):
        encoder_named(str(tmp_path))


def test_another_version_of_the_package_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wordllama, "VERSION", "0.0")
    assert encoder_named("auto") is NGRAMS
    with pytest.raises(ModelError, match=r"holdfast\[embed\]"):
        encoder_named("wordllama")


def save_table(folder: Path, **more: np.ndarray) -> np.ndarray:
    """A static encoder of three words, as model2vec writes it."""
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer, models, pre_tokenizers

    folder.mkdir(exist_ok=True)
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "tide": 1, "kelp": 2, "rock": 3}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.enable_padding()
    tokenizer.enable_truncation(2)
    tokenizer.save(str(folder / "tokenizer.json"))
    rows = np.array([[9, 9], [3, 4], [0, 1], [-1, 0]], dtype=np.float32)
    save_file({"embeddings": rows, **more}, folder / "model.safetensors")
    return rows


def test_a_static_table_is_read(tmp_path: Path) -> None:
    save_table(tmp_path)
    encoder = encoder_named(str(tmp_path))
    assert isinstance(encoder, LocalEncoder)
    rows = encoder.encode(["tide", "kelp rock", "tide kelp kelp", "kelp moor", "moor", ""], Threads(2))
    half = np.sqrt(0.5)
    want = [[0.6, 0.8], [-half, half], [np.sqrt(1 / 5), np.sqrt(4 / 5)], [0, 1], [0, 0], [0, 0]]
    np.testing.assert_allclose(rows, want, atol=1e-6)


def test_a_table_with_weights_and_a_mapping_is_read(tmp_path: Path) -> None:
    save_table(tmp_path, weights=np.array([1.0, 2.0, 1.0, 1.0]), mapping=np.array([0, 3, 2, 1]))
    rows = LocalEncoder(tmp_path).encode(["tide", "tide kelp"], HERE)
    np.testing.assert_allclose(rows, [[-1, 0], [-2 / np.sqrt(5), 1 / np.sqrt(5)]], atol=1e-6)


def save_transformer(folder: Path, kind: str) -> None:
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, LlamaConfig, LlamaModel, PreTrainedTokenizerFast

    names = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "tide", "kelp", "rock", "the"]
    words = Tokenizer(models.WordLevel({name: at for at, name in enumerate(names)}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    sizes = {"vocab_size": 8, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2}
    sizes |= {"num_attention_heads": 2, "max_position_embeddings": 12}
    marks = {"unk_token": "[UNK]"}
    torch.manual_seed(0)
    if kind == "bert":
        words.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
        )
        marks |= {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]"}
        BertModel(BertConfig(**sizes)).save_pretrained(folder)
    else:
        LlamaModel(LlamaConfig(**sizes)).save_pretrained(folder)
    PreTrainedTokenizerFast(tokenizer_object=words, **marks).save_pretrained(folder)


@pytest.mark.parametrize("kind", ["bert", "llama"])
def test_a_transformer_is_pooled_by_mean_and_padding_changes_nothing(tmp_path: Path, kind: str) -> None:
    import torch
    from transformers import AutoModel

    save_transformer(tmp_path, kind)
    encoder = encoder_named(str(tmp_path))
    texts = ["tide kelp the rock", "", "tide", "rock the tide", "kelp " * 40] + ["the tide"] * 80
    rows = encoder.encode(texts, HERE)
    assert rows.shape == (85, 16)
    assert rows.dtype == np.float32
    assert not rows[1].any()
    np.testing.assert_allclose(np.linalg.norm(np.delete(rows, 1, axis=0), axis=1), 1, atol=1e-6)
    for at in (0, 2, 3):
        np.testing.assert_allclose(encoder.encode([texts[at]], HERE)[0], rows[at], atol=1e-5)
    np.testing.assert_allclose(encoder.encode(texts, Threads(2)), rows, atol=1e-6)
    tokens = [1, 4, 2] if kind == "bert" else [4]
    with torch.inference_mode():
        hidden = AutoModel.from_pretrained(tmp_path)(torch.tensor([tokens])).last_hidden_state[0].mean(0).numpy()
    np.testing.assert_allclose(rows[2], hidden / np.linalg.norm(hidden), atol=1e-5)


def test_a_folder_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="hub"):
        LocalEncoder(tmp_path / "org" / "model")
    save_table(tmp_path / "table")
    (tmp_path / "table" / "model.safetensors").unlink()
    (tmp_path / "table" / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(ModelError, match="pickled"):
        LocalEncoder(tmp_path / "table")
    (tmp_path / "table" / "model.safetensors").write_bytes(b"cut off")
    with pytest.raises(ModelError, match="cannot be loaded"):
        LocalEncoder(tmp_path / "table").encode(["tide"], HERE)
    save_table(tmp_path / "table")
    (tmp_path / "table" / "1_Pooling").mkdir()
    (tmp_path / "table" / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_mean_tokens": False}))
    with pytest.raises(ModelError, match="pooling"):
        LocalEncoder(tmp_path / "table")
