import json
import shutil
from collections import Counter

import numpy as np
import pytest
from scipy import stats

from holdfast.errors import ModelError
from holdfast.models import Decoding, load, read_dtype, read_network, read_tokenizer, render_prompt
from holdfast.models.sampling import Draw, uniforms

WORDS = ["the", "kelp", "holds", "fast", "to", "the", "rock", "while", "tides", "turn"]
CHATS = [[{"role": "user", "content": " ".join(WORDS[: 1 + n % 9]) + f" {n}?"}] for n in range(40)]
SAMPLED = Decoding(temperature=0.8, top_p=0.9, max_tokens=12, samples=3)
GREEDY = Decoding(max_tokens=12)


def answers(folder, decoding, *, batch=256, seed=0, chats=CHATS):
    replies = [r for part in load(folder, batch=batch).answer(chats, decoding, seed) for r in part]
    return {(r.prompt, r.sample): (r.text, r.stop) for r in replies}


@pytest.mark.parametrize("decoding", [SAMPLED, GREEDY], ids=["sampled", "greedy"])
def test_an_answer_does_not_depend_on_its_batch(tiny_model, decoding):
    alone, some, all_at_once = (answers(tiny_model, decoding, batch=size) for size in (1, 7, 64))
    assert len(alone) == len(CHATS) * decoding.samples
    assert alone == some == all_at_once


def test_an_answer_does_not_depend_on_the_other_prompts(tiny_model):
    few = answers(tiny_model, SAMPLED, chats=CHATS[10:13])
    many = answers(tiny_model, SAMPLED)
    assert few == {(p, s): many[p + 10, s] for p in range(3) for s in range(3)}


def test_seeds_and_samples_give_other_answers(tiny_model):
    first, second = answers(tiny_model, SAMPLED), answers(tiny_model, SAMPLED, seed=1)
    assert sum(first[key] != second[key] for key in first) > len(first) / 2
    assert sum(first[p, 0] != first[p, 1] for p in range(len(CHATS))) > len(CHATS) / 2


def test_every_batch_arrives_as_it_is_made(tiny_model):
    sizes = [len(batch) for batch in load(tiny_model, batch=9).answer(CHATS, SAMPLED)]
    assert sizes == [9] * 13 + [3]


def test_why_an_answer_ended(tiny_model):
    replies = answers(tiny_model, Decoding(temperature=1.0, max_tokens=200))
    stops = Counter(stop for _, stop in replies.values())
    assert stops["end"] > 0
    assert all("<|end|>" not in text for text, _ in replies.values())
    assert all(stop == "length" for _, stop in answers(tiny_model, Decoding(max_tokens=1)).values())


def test_greedy_is_the_likeliest_token_each_time(tiny_model):
    import torch

    network, tokenizer = read_network(tiny_model, torch.float32, "cpu"), read_tokenizer(tiny_model)
    ids = render_prompt(tokenizer, CHATS[0])
    for _ in range(5):
        with torch.no_grad():
            ids.append(int(network(torch.tensor([ids])).logits[0, -1].argmax()))
    text, _ = answers(tiny_model, Decoding(max_tokens=5), chats=CHATS[:1])[0, 0]
    assert text == tokenizer.decode(ids[-5:], skip_special_tokens=True)


def test_samples_follow_the_softmax(tiny_model):
    import torch

    network, tokenizer = read_network(tiny_model, torch.float32, "cpu"), read_tokenizer(tiny_model)
    with torch.no_grad():
        logits = network(torch.tensor([render_prompt(tokenizer, CHATS[0])])).logits[0, -1].double()
    expected = (logits / 0.7).softmax(-1).numpy()
    draws = 4000
    texts = answers(tiny_model, Decoding(temperature=0.7, max_tokens=1, samples=draws), chats=CHATS[:1])
    # Special tokens are removed from an answer, so they are one class; rare tokens are pooled for the test.
    names = [tokenizer.decode([t], skip_special_tokens=True) for t in range(len(expected))]
    mass: Counter[str] = Counter()
    for name, probability in zip(names, expected, strict=True):
        mass[name] += probability
    common = [name for name in mass if mass[name] * draws >= 5]
    seen = Counter(text for text, _ in texts.values())
    observed = [seen[name] for name in common] + [draws - sum(seen[name] for name in common)]
    wanted = [mass[name] * draws for name in common] + [draws * (1 - sum(mass[name] for name in common))]
    assert len(common) > 20
    assert stats.chisquare(observed, wanted).pvalue > 1e-3


def test_top_p_keeps_the_smallest_set_that_reaches_it():
    import torch

    scores = torch.log(torch.tensor([[0.1, 0.4, 0.3, 0.2]] * 2000, dtype=torch.float64))
    numbers = [uniforms(0, [], row, 1) for row in range(2000)]
    draw = Draw(numbers, Decoding(temperature=1, top_p=0.65), "cpu")
    chosen = Counter(draw.choose(scores, slice(None), 0).tolist())
    assert set(chosen) == {1, 2}
    assert stats.binomtest(chosen[1], 2000, 4 / 7).pvalue > 1e-3


def test_streams_are_uniform_independent_and_prefix_stable():
    numbers = np.array([uniforms(3, CHATS[0], sample, 4) for sample in range(2000)])
    assert stats.kstest(numbers[:, 0], "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(numbers[:, 0], numbers[:, 1])[0, 1]) < 0.1
    assert (uniforms(3, CHATS[0], 0, 4) == uniforms(3, CHATS[0], 0, 9)[:4]).all()


def test_a_checkpoints_own_decoding_defaults_do_not_apply(tiny_model, tmp_path):
    folder = shutil.copytree(tiny_model, tmp_path / "opinionated")
    path = folder / "generation_config.json"
    opinions = {"repetition_penalty": 5.0, "do_sample": True, "temperature": 0.1, "top_k": 1, "max_length": 3}
    path.write_text(json.dumps(json.loads(path.read_text()) | opinions))
    assert answers(folder, GREEDY) == answers(tiny_model, GREEDY)


def test_a_prompt_beyond_the_context_is_refused(tiny_model):
    with pytest.raises(ModelError, match="reads 512 tokens"):
        answers(tiny_model, Decoding(max_tokens=511))


def test_the_dtype_of_a_checkpoint_is_read_without_loading_it(tiny_model):
    assert str(read_dtype(tiny_model)) == "torch.float32"


def test_mamba2_answers_the_same_in_any_batch(tiny_model, tmp_path):
    import torch
    from transformers import Mamba2Config, Mamba2ForCausalLM

    folder = shutil.copytree(tiny_model, tmp_path / "mamba")
    config = Mamba2Config(
        vocab_size=320,
        hidden_size=32,
        num_hidden_layers=2,
        head_dim=16,
        num_heads=4,
        n_groups=1,
        state_size=16,
        chunk_size=16,
        eos_token_id=1,
        pad_token_id=0,
        bos_token_id=None,
        tie_word_embeddings=True,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = Mamba2ForCausalLM(config)
        torch.nn.init.normal_(network.backbone.embeddings.weight, std=0.5)
        network.save_pretrained(folder)
    alone, together = (answers(folder, SAMPLED, batch=size, chats=CHATS[:12]) for size in (1, 64))
    assert alone == together
    assert len(set(alone.values())) > 10
