import pytest
from pydantic import ValidationError

from holdfast.errors import ConfigError
from holdfast.tune import PLAIN, RECIPES, SAFETY_MIX, Training, find_recipe, plan


def test_all_faults_are_named_at_once_each_with_its_value():
    with pytest.raises(ConfigError) as caught:
        plan(SAFETY_MIX, {"lr": -1, "epochs": 0, "safety": 2.5, "style": "rhyme", "learning_rat": 1})
    said = str(caught.value)
    assert "lr = -1" in said
    assert "epochs = 0" in said
    assert "safety = 2.5" in said
    assert "style = 'rhyme'" in said
    assert "'learning_rat' is no setting" in said


def test_a_misspelt_name_gets_its_nearest():
    with pytest.raises(ConfigError, match="Did you mean 'batch_size'"):
        plan(PLAIN, {"batchsize": 4})


def test_a_recipe_has_no_settings_of_another():
    with pytest.raises(ConfigError, match="'safety' is no setting here"):
        plan(PLAIN, {"safety": 4})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "much"])
def test_a_value_that_is_no_number(value):
    with pytest.raises(ConfigError, match="lr = "):
        plan(PLAIN, {"lr": value})


def test_words_from_a_command_line_are_read():
    made = plan(SAFETY_MIX, {"safety": "40", "rehearsal": "0.1", "lr": "1e-3"})
    assert (made.options.safety, made.options.rehearsal, made.training.lr) == (40, 0.1, 1e-3)


def test_settings_are_one_flat_mapping_and_never_change():
    made = plan(SAFETY_MIX, {"safety": 40, "lora_rank": 8})
    assert made.settings["safety"] == 40
    assert made.settings["lora_rank"] == 8
    assert made.settings["epochs"] == Training().epochs
    with pytest.raises(ValidationError):
        made.training.lr = 1.0


def test_every_recipe_has_a_name_a_sentence_and_documented_settings_of_its_own():
    names = [recipe.name for recipe in RECIPES]
    assert len(set(names)) == len(names)
    for recipe in RECIPES:
        assert find_recipe(recipe.name) is recipe
        assert recipe.says.endswith(".")
        assert not recipe.settings.model_fields.keys() & Training.model_fields.keys()
    documented = [field for kind in (Training, *(r.settings for r in RECIPES)) for field in kind.model_fields.values()]
    assert all(field.description for field in documented)


def test_an_unknown_recipe_gets_its_nearest():
    with pytest.raises(ConfigError, match="Did you mean 'safety-mix'"):
        find_recipe("safetymix")
