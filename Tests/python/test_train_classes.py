"""Whose classes a target's columns are, and what becomes of the mass of dropped ones."""

import re

import pytest
import torch

from relabel_hdf5 import ClassEntry, UsageError
from relabel_hdf5.train import check_model
from relabel_hdf5.train.classes import match_classes

IDS = ["n01", "n02", "n03", "n04", "n05"]
TABLE = [ClassEntry(identifier, "name") for identifier in IDS]
TARGETS = torch.tensor([[0.5, 0.2, 0.1, 0.15, 0.05], [0.0, 0.0, 0.25, 0.5, 0.25]])


def match(folders=IDS, table=TABLE, classes=None, dropped_mass=None, num_classes=5):
    return match_classes(folders, table, num_classes, classes, dropped_mass)


@pytest.mark.parametrize("classes", [None, "maps", "folder", IDS, tuple(IDS)])
def test_equal_classes_leave_targets_alone(classes):
    columns, labels = match(classes=classes)
    assert columns(TARGETS) is TARGETS
    assert labels.tolist() == [0, 1, 2, 3, 4]
    assert (columns.num_classes, columns.ids) == (5, tuple(IDS))


@pytest.mark.parametrize(("folders", "message"), [
    (IDS[:4], "4 in the folder, 5 in the maps"),
    ([*IDS, "n06"], "6 in the folder, 5 in the maps"),
    (["n00", *IDS[1:]], "class 0 is 'n00' in the folder and 'n01' in the maps"),
    (["n02", "n01", *IDS[2:]], "class 0 is 'n02' in the folder and 'n01' in the maps; class 1 is 'n01'"),
])
def test_other_classes_are_refused_with_the_first_differences(folders, message):
    with pytest.raises(UsageError, match=re.escape(message)) as caught:
        match(folders)
    assert "classes='maps'" in str(caught.value)


def test_some_folders_for_a_model_of_all_classes():
    columns, labels = match(["n02", "n05"], classes="maps")
    assert columns(TARGETS) is TARGETS
    assert labels.tolist() == [1, 4]


@pytest.mark.parametrize("classes", ["maps", ["n01", "n02"]])
def test_a_folder_of_an_unknown_class_is_refused(classes):
    with pytest.raises(UsageError, match="not a column of the targets: n99"):
        match(["n01", "n99"], classes=classes, dropped_mass="drop")


def test_another_order_moves_columns():
    order = ["n03", "n01", "n05", "n02", "n04"]
    columns, labels = match(classes=order)
    assert torch.equal(columns(TARGETS), TARGETS[:, [2, 0, 4, 1, 3]])
    assert labels.tolist() == [1, 3, 0, 4, 2]
    assert torch.equal(columns(TARGETS[None]), TARGETS[None][..., [2, 0, 4, 1, 3]])


@pytest.mark.parametrize(("dropped_mass", "expected"), [
    ("renormalise", [[0.8, 0.2], [0.5, 0.5]]),
    ("drop", [[0.2, 0.05], [0.25, 0.25]]),
    ("spread", [[0.575, 0.425], [0.5, 0.5]]),
])
def test_dropped_mass(dropped_mass, expected):
    targets = torch.tensor([[0.5, 0.2, 0.1, 0.15, 0.05], [0.0, 0.25, 0.25, 0.25, 0.25]])
    for classes in ("folder", ["n02", "n05"]):
        columns, labels = match(["n02", "n05"], classes=classes, dropped_mass=dropped_mass)
        torch.testing.assert_close(columns(targets), torch.tensor(expected))
        assert columns(targets).dtype == torch.float32
        assert labels.tolist() == [0, 1]


def test_spread_shares_dropped_mass_only():
    """With fill = zero targets sum to less than 1; what was never there is not given to anybody."""
    columns, _ = match(["n01", "n02"], classes="folder", dropped_mass="spread")
    targets = torch.tensor([[0.1, 0.2, 0.1, 0.0, 0.1]])
    torch.testing.assert_close(columns(targets), torch.tensor([[0.2, 0.3]]))


@pytest.mark.parametrize("dropped_mass", [None, "keep"])
def test_dropped_mass_must_be_named(dropped_mass):
    with pytest.raises(UsageError, match="2 of the maps' 5 classes.*'renormalise'.*'drop'.*'spread'"):
        match(["n02", "n05"], classes="folder", dropped_mass=dropped_mass)


def test_nothing_to_renormalise_is_refused_by_name():
    columns, _ = match(["n01", "n02"], classes="folder", dropped_mass="renormalise")
    with pytest.raises(UsageError, match="image n02/b: the classes asked for"):
        columns(TARGETS, ["n01/a", "n02/b"])
    with pytest.raises(UsageError, match="image 1: the classes asked for"):
        columns(TARGETS)


@pytest.mark.parametrize(("classes", "message"), [
    (["n01", "n77"], "not in the class table of the maps: n77"),
    (["n01", "n01"], "named more than once: n01"),
    ("all", "'maps', 'folder', 'unchecked'"),
])
def test_bad_lists(classes, message):
    with pytest.raises(UsageError, match=message):
        match(["n01"], classes=classes, dropped_mass="drop")


@pytest.mark.parametrize(("classes", "message"), [
    ([0, 1], "member 0: class ids are strings, such as 'n01'"),
    (["n01", None], "member None"),
    (b"n01", "member 110"),
    (5, "classes = 5: there are"),
])
def test_class_ids_are_strings(classes, message):
    with pytest.raises(UsageError, match=message):
        match(["n01"], classes=classes, dropped_mass="drop")


def test_a_table_with_an_id_twice_gives_no_columns_for_it():
    table = [ClassEntry(identifier, "") for identifier in ("crane", "n02", "crane")]
    with pytest.raises(UsageError, match="more than once in the class table"):
        match(["crane"], table, "folder", "drop", 3)
    with pytest.raises(UsageError, match="like more than one class of the maps: crane"):
        match(["crane"], table, "maps", num_classes=3)
    assert match(["n02"], table, "maps", num_classes=3)[1].tolist() == [1]


class TestWithoutTable:
    def test_refused(self):
        for classes in (None, "maps", "folder", IDS):
            with pytest.raises(UsageError, match="no class table.*'unchecked'"):
                match(table=None, classes=classes)

    def test_unchecked(self):
        columns, labels = match(table=None, classes="unchecked")
        assert columns(TARGETS) is TARGETS
        assert columns.ids is None and columns.num_classes == 5
        assert labels is None  # nothing was compared: column i may be any folder's

    def test_unchecked_folders_of_another_number_have_no_labels(self):
        assert match(IDS[:3], table=None, classes="unchecked")[1] is None


class Dataset:
    def __init__(self, classes, num_classes):
        self.classes, self.num_classes = classes, num_classes


class Model:
    num_classes = 5


def test_check_model_accepts_what_fits():
    for model in (5, IDS, tuple(IDS), Model()):
        check_model(Dataset(tuple(IDS), 5), model)


@pytest.mark.parametrize(("model", "message"), [
    (1000, "the model has 1000 classes, the targets 5"),
    (["n02", "n01", "n03", "n04", "n05"], "class 0 is 'n02' in the model and 'n01' in the targets"),
    (IDS[:4], "4 in the model, 5 in the targets"),
    (object(), "doesn't say how many"),
])
def test_check_model_refuses(model, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        check_model(Dataset(tuple(IDS), 5), model)


def test_check_model_needs_a_table_for_ids():
    with pytest.raises(UsageError, match="no class table"):
        check_model(Dataset(None, 5), IDS)
