import json
import shutil

import pytest

from holdfast.errors import ModelError
from holdfast.models import digest_weights, load


@pytest.fixture
def copy(tiny_model, tmp_path):
    return shutil.copytree(tiny_model, tmp_path / "copy")


def rewrite(folder, **values):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_loading_is_silent(tiny_model, capfd):
    load(tiny_model)
    assert capfd.readouterr() == ("", "")


def test_a_missing_folder(tmp_path):
    with pytest.raises(ModelError, match="no such folder"):
        load(tmp_path / "nowhere")


def test_a_folder_that_is_no_model(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(ModelError, match="no config"):
        load(tmp_path)


def test_pickled_weights_are_refused_with_the_way_out(copy):
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"pickle: pytorch_model.bin[\s\S]*save_pretrained"):
        load(copy)


def test_a_folder_without_weights(copy):
    (copy / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="holds no weights"):
        load(copy)


def test_a_folder_without_a_tokenizer(copy):
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (copy / name).unlink()
    with pytest.raises(ModelError, match="has no tokenizer"):
        load(copy)


def test_a_broken_weight_file(copy):
    (copy / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load(copy)


def test_code_from_a_model_folder_is_never_run(copy):
    (copy / "evil.py").write_text("raise SystemExit('ran')")
    rewrite(copy, model_type="evil", auto_map={"AutoConfig": "evil.C", "AutoModelForCausalLM": "evil.M"})
    with pytest.raises(ModelError, match="cannot be loaded"):
        load(copy)


def test_weights_that_do_not_fill_the_architecture_are_refused(copy):
    rewrite(copy, num_hidden_layers=3)
    with pytest.raises(ModelError, match=r"lacks \d+ weights"):
        load(copy)


def test_weights_of_another_shape_are_refused(copy):
    rewrite(copy, intermediate_size=96)
    with pytest.raises(ModelError):
        load(copy)


def test_the_digest_follows_the_weights_and_not_the_folder(tiny_model, copy):
    assert load(copy, name="other").weights == load(tiny_model).weights == digest_weights(tiny_model)
    file = copy / "model.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    assert digest_weights(copy) != digest_weights(tiny_model)


def test_an_adapter_without_its_base(tmp_path):
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "somewhere/else"}))
    (tmp_path / "adapter_model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match="somewhere/else"):
        load(tmp_path)
