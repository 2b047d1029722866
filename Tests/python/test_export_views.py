"""Views in the forms of those who store them: objects equal those that their own writers save, down to the types."""

import json
import subprocess
import sys

import numpy as np
import pytest
import shard_writer
import torch
import view_files
import view_shards
from conftest import pack, verify
from PIL import Image
from safetensors import safe_open
from view_files import (
    CLASSES,
    FILES,
    PARAMETERS,
    RAND_AUGMENT,
    SIZES,
    assert_files,
    batches_of,
    edc,
    fkd,
    fkd_files,
    indexes,
    kept,
    lpld,
    lpqld,
    ml_dr,
    ml_dr_files,
    run_of,
    six_slots,
    tinyvit,
    tinyvit_files,
    written,
)

from relabel_hdf5 import InvalidDataError, UsageError
from relabel_hdf5.exporting import Options, StoredFiles, export
from relabel_hdf5.exporting.targets import TARGETS
from relabel_hdf5.exporting.targets.base import OfViews


@pytest.fixture
def dataset(tmp_path):
    return lambda views, settings: written(tmp_path / "dataset", views, settings)


# ---------------------------------------------------------------------------------------- lists of batches


@pytest.mark.parametrize("encoding", ["float16", "float32"])
@pytest.mark.parametrize("mix", [None, "mixup", "cutmix"])
def test_sre2l(mix, encoding, dataset, tmp_path):
    views, settings = run_of(mix, encoding=encoding)
    done = export([dataset(views, settings)], "sre2l", tmp_path / "out")
    assert (done.images, done.views) == (6, 12)
    assert_files(tmp_path / "out", {
        f"labels/epoch_{epoch}/batch_{batch}.tar": six_slots(views, settings, rows)
        for (epoch, batch), rows in batches_of(views).items()
    })  # fmt: skip
    assert json.loads((tmp_path / "out" / "export.json").read_text())["source"]["views"] == 12


def test_g_vbsm(dataset, tmp_path):
    views, settings = run_of()
    export([dataset(views, settings)], "g-vbsm", tmp_path / "out")
    assert_files(tmp_path / "out", {
        f"labels/epoch_{epoch}/batch_{batch}.tar": [
            *six_slots(views, settings, rows), torch.tensor([views.image_indexes[row] for row in rows])
        ]
        for (epoch, batch), rows in batches_of(views).items()
    })  # fmt: skip


def test_edc(dataset, tmp_path):
    """Top and height are fractions of the width, left and width of the height."""
    views, settings = edc()
    export([dataset(views, settings)], "edc", tmp_path / "out")
    wanted = {}
    for (epoch, batch), rows in batches_of(views).items():
        boxes = []
        for row in rows:
            height, width = SIZES[views.image_indexes[row]]
            top, left, tall, wide = views.columns["view_box"][row]
            boxes.append([top * height / width, left * width / height, tall * height / width, wide * width / height])
        patches = torch.tensor([[[1, 0], [0, 1]] if row % 2 else [[0, 0], [0, 0]] for row in rows], dtype=torch.int32)
        slots = six_slots(views, settings, rows)
        images = torch.tensor([views.image_indexes[row] for row in rows])
        wanted[f"labels/epoch_{epoch}/batch_{batch}.tar"] = [torch.tensor(boxes, dtype=torch.float32), *slots[1:], images, patches]
    assert_files(tmp_path / "out", wanted)


@pytest.mark.parametrize("cutout", [False, True])
def test_lpld(cutout, dataset, tmp_path):
    views, settings = lpld(cutout)
    export([dataset(views, settings)], "lpld", tmp_path / "out")
    wanted = {"labels/sampler_indices_epoch.json": indexes(views, 0)}
    for (epoch, batch), rows in batches_of(views).items():
        slots = six_slots(views, settings, rows)
        if cutout:
            slots[1] = torch.tensor([[0.1 * row, 0.2, 0.5, 0.5, row, 100, 255] for row in rows])
        wanted[f"labels/epoch_{epoch}/batch_{batch}.tar"] = slots
    assert_files(tmp_path / "out", wanted)


@pytest.mark.parametrize(
    "drawn, is_sparse, mix", [(False, False, None), (False, True, "cutmix"), (True, False, "mixup"), (True, True, "cutmix")]
)
def test_lpqld(drawn, is_sparse, mix, dataset, tmp_path):
    """Six to eight slots; levels are whole numbers where all are, and ids above 32,767 wrap."""
    views, settings = lpqld(drawn, is_sparse, mix)
    export([dataset(views, settings)], "lpqld", tmp_path / "out")
    wanted = {"labels/sampler_indices_batch.json": indexes(views, 1)}
    for (_, batch), rows in batches_of(views).items():
        slots = six_slots(views, settings, rows, np.float16)
        if mix:
            slots[2] = slots[2].to(torch.uint8)
        if mix == "cutmix":
            slots[4] = [torch.tensor(int(edge), dtype=torch.uint8) for edge in slots[4]]
        if is_sparse:
            slots.append(torch.tensor(settings["ids"][rows, 0, 0].view("<i2")))
        if drawn:
            steps = [[RAND_AUGMENT[row % 2][step] for row in rows] for step in range(2)]
            slots.insert(2, [
                [
                    torch.tensor([numbers[0] for numbers in step]),
                    torch.tensor([numbers[1] for numbers in step], dtype=torch.float16),
                    torch.tensor([numbers[2] for numbers in step], dtype=torch.float16 if place else torch.int64),
                ]
                for place, step in enumerate(steps)
            ])  # fmt: skip
        wanted[f"labels/batch_{batch}.tar"] = slots
    assert any(len(slots) == 6 + drawn + is_sparse for slots in wanted.values())
    assert_files(tmp_path / "out", wanted)


def test_hald(dataset, tmp_path):
    views, settings = run_of(kind="probability", box_type="float16", folder="FKD_bs4_slc2_ipc1")
    export([dataset(views, settings)], "hald", tmp_path / "out")
    wanted = {"FKD_bs4_slc2_ipc1/sampler_indices_dict.pt": indexes(views, 0)}
    for (epoch, _), rows in sorted(batches_of(views).items()):
        name = f"FKD_bs4_slc2_ipc1/epoch_{epoch}.tar"
        wanted.setdefault(name, []).append(six_slots(views, settings, rows, np.float16))
    assert_files(tmp_path / "out", wanted)


# ------------------------------------------------------------------------------------------ files of pictures


FKD = {
    "floats": {}, "halves": {"encoding": "float16", "box_type": "float16"}, "one": {"width": 1, "label_type": "smoothing"},
    "hard": {"width": 1, "label_type": "hard"}, "unlabelled": {"unlabelled": True},
}  # fmt: skip


@pytest.mark.parametrize("variant", FKD)
def test_fkd(variant, dataset, tmp_path):
    views, settings = fkd(**FKD[variant])
    done = export([dataset(views, settings)], "fkd", tmp_path / "out")
    assert_files(tmp_path / "out", fkd_files(views, settings, **FKD[variant]))
    assert any("FKD's reader knows that for 5 and 10" in loss for loss in done.losses) == (settings["k"] == 3)


def test_fkd_cuts_names_at_the_first_dot(tmp_path):
    views, settings = fkd()
    views.keys = [key.replace("n01/000", "n01/a.b") for key in views.keys]
    shard = written(tmp_path / "dataset", views, settings)
    export([shard], "fkd", tmp_path / "out")
    assert (tmp_path / "out" / "imagenet/train/n01/a.tar").exists()
    views.keys = [key.replace("n01/001", "n01/a") for key in views.keys]
    with pytest.raises(UsageError, match="has this name"):
        export([written(tmp_path / "again", views, settings)], "fkd", tmp_path / "collision")



START = {"torch": b"PK", "joblib": b"x^", "pickle": b"\x80\x04"}


@pytest.mark.parametrize("variant", PARAMETERS)
@pytest.mark.parametrize("container", ["torch", "joblib", "pickle"])
def test_ml_dr(variant, container, dataset, tmp_path):
    views, settings = ml_dr(variant, container)
    export([dataset(views, settings)], "ml-dr", tmp_path / "out")
    assert_files(tmp_path / "out", ml_dr_files(views, settings, variant))
    assert (tmp_path / "out" / "1.pth.tar").read_bytes()[:2] == START[container]


@pytest.mark.parametrize("named", [False, True])
def test_tinyvit(named, dataset, tmp_path):
    """Files come back byte for byte, ids above 32,767 and one key in two ranks among them."""
    views, settings = tinyvit(named)
    export([dataset(views, settings)], "tinyvit", tmp_path / "out")
    assert_files(tmp_path / "out", tinyvit_files(views, settings, named))


# ---------------------------------------------------------------------------------------- there and back


AGAIN = {
    "sre2l": lambda: run_of(), "sre2l, mixup": lambda: run_of("mixup", encoding="float32"), "sre2l, bare": lambda: run_of(None),
    "g-vbsm": lambda: run_of(), "edc": edc, "lpld": lambda: lpld(False), "lpqld": lambda: lpqld(True, True),
    "hald": lambda: run_of(kind="probability", box_type="float16", folder="FKD_bs4_slc2_ipc1"),
    "tinyvit": lambda: tinyvit(False), **{f"fkd, {name}": lambda name=name: fkd(**FKD[name]) for name in FKD},
}  # fmt: skip


@pytest.mark.parametrize("case", AGAIN)
def test_packed_again(case, dataset, tmp_path):
    """What was exported is packed, verified and exported again, and every file holds the same."""
    form = case.partition(",")[0]
    views, settings = AGAIN[case]()
    export([dataset(views, settings)], form, tmp_path / "out")
    listing = tmp_path / "images.txt"
    listing.write_text("".join(f"n01/{image:03}.JPEG\n" for image in range(6)))
    pictures = tmp_path / "pictures" / "n01"
    pictures.mkdir(parents=True)
    for image, (height, width) in enumerate(SIZES):
        Image.new("RGB", (width, height)).save(pictures / f"{image:03}.JPEG")
    below = {"hald": "FKD_bs4_slc2_ipc1", "fkd": "", "tinyvit": ""}.get(form, "labels")
    done = pack(
        tmp_path / "out" / below, "--output", tmp_path / "again",
        "--dialect", form, "--num-classes", settings["num_classes"], "--score-kind", settings.get("score_kind", "logit"),
        "--view-size", "224x224", "--pictures", tmp_path / "pictures", *(["--images", listing] if form != "fkd" else []),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert verify(tmp_path / "again")[0] == 0
    export([tmp_path / "again"], form, tmp_path / "twice")
    files = {path.relative_to(tmp_path / "out").as_posix(): view_files.loaded(path)
             for path in (tmp_path / "out").rglob("*") if path.is_file() and path.name != "export.json"}  # fmt: skip
    assert_files(tmp_path / "twice", files)


# ------------------------------------------------------------------------------- files without files


BELOW = {"hald": "FKD", "fkd": "imagenet/train", "ml-dr": ""}


@pytest.mark.parametrize("form", FILES)
def test_stored_files(form, dataset, tmp_path):
    """`StoredFiles` gives what an export writes, under the names that programs ask for, and lists the same folders."""
    path = dataset(*FILES[form]())
    export([path], form, tmp_path / "out")
    files = StoredFiles(path, form)
    root = tmp_path / "out" / BELOW.get(form, "labels")
    paths = [path for path in root.rglob("*") if path.is_file() and path.name != "export.json"]
    assert paths
    for path in paths:
        view_files.same(files[path.relative_to(root).as_posix()], view_files.loaded(path), path.name)
    for folder in [root, *(path for path in root.iterdir() if path.is_dir())]:
        listed = files.folder("" if folder == root else folder.name)
        assert listed is None if form in ("fkd", "ml-dr") else sorted(listed) == sorted(path.name for path in folder.iterdir())
    for name in ("", "..", "epoch_9/batch_0.tar", "batch_99.tar", "n01/999.tar", "77.pth.tar", "/etc/passwd"):
        assert files.get(name) is None
        with pytest.raises(KeyError):
            files[name]
    assert files.folder("epoch_9") is None


def test_stored_files_of_tinyvit(dataset, tmp_path):
    views, settings = tinyvit()
    files = StoredFiles([dataset(views, settings)], "tinyvit")
    for name, content in tinyvit_files(views, settings, False).items():
        found = files[name]
        if name.endswith(".bin"):
            assert b"".join(found) == content and found[1] == content[16:32] and b"".join(found[1:]) == content[16:]
        else:
            assert found == content.decode().splitlines()
    assert files.folder("") == ["logits_top3_epoch0", "logits_top3_epoch1"]
    assert files.folder("logits_top3_epoch1") == [f"rank{r}-{end}" for r in (0, 1) for end in ("keys.txt", "values.bin")]
    for name in ("logits_top4_epoch0/rank0-keys.txt", "logits_top3_epoch9/rank0-keys.txt", "logits_top3_epoch0/rank7-values.bin"):
        assert files.get(name) is None
    with pytest.raises(UsageError, match="no files of views called 'npz'"):
        StoredFiles([dataset(views, settings)], "npz")


# ---------------------------------------------------------------------------------------- what is refused


NEEDED = [name for name, target in TARGETS.items() if target.of_views is OfViews.NEEDED]


@pytest.mark.parametrize("form", NEEDED)
def test_maps_are_no_views(form, tmp_path):
    maps = shard_writer.Shard().write(tmp_path / "maps.h5")
    with pytest.raises(UsageError, match=f"maps of whole pictures, and {form} holds views"):
        export([maps], form, tmp_path / "out")


@pytest.mark.parametrize("form", ["relabel", "tokenlabeling"])
def test_views_are_no_maps(form, dataset, tmp_path):
    with pytest.raises(UsageError, match=f"views of images, and {form} holds a map"):
        export([dataset(*run_of())], form, tmp_path / "out")


def without(views_and_settings, *names):
    views, settings = views_and_settings
    for name in names:
        del views.columns[name]
    return views, settings


def changed(views_and_settings, **settings):
    return views_and_settings[0], {**views_and_settings[1], **settings}


def grids(views_and_settings):
    views, settings = views_and_settings
    return views, {**settings, "height": 2, **{name: np.repeat(settings[name], 2, 1) for name in ("ids", "scores")}}


REFUSED = {
    "no box": ("sre2l", lambda: without(run_of(), "view_box"), "they have no view_box"),
    "no replay": ("sre2l", fkd, "they have no replay"),
    "no flip": ("fkd", lambda: without(fkd(), "view_flip"), "not known whether this view was mirrored"),
    "no size": ("edc", run_of, "they have no image_size"),
    "no seed": ("tinyvit", lambda: without(tinyvit(), "view_seed"), "they have no view_seed"),
    "no operations": ("ml-dr", fkd, "they have no operations"),
    "cutouts": ("sre2l", lambda: lpld(True), "not known whether this view was mirrored"),
    "logits": ("fkd", run_of, "of kind logit, and readers of fkd take them for a probability"),
    "probabilities": ("sre2l", lambda: run_of(kind="probability"), "of kind probability, .* export them to hald or fkd"),
    "some classes": ("sre2l", lambda: kept(*run_of()), "keep 3 of 10: export them to lpqld"),
    "a grid": ("sre2l", lambda: grids(run_of()), "these have 2x1 cells: export them to npz"),
    "epochs": ("lpqld", run_of, "counts batches through all epochs"),
    "half ids": ("fkd", lambda: kept(*fkd(encoding="float16"), highest=2050), "exact up to 2,048, and there are 2,050 classes"),
    "elsewhere": ("ml-dr", lambda: ml_dr_of_others(), "and these shards have none"),
}  # fmt: skip


def ml_dr_of_others():
    views, settings = ml_dr("compressed")
    views.document["source"] = {}
    return views, settings


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, dataset, tmp_path):
    """What a form can't hold is refused by name, and nothing is left behind."""
    form, made, message = REFUSED[case]
    with pytest.raises(UsageError, match=message):
        export([dataset(*made())], form, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["dataset"]


@pytest.mark.parametrize("form", ["sre2l", "tinyvit"])
def test_a_part_of_the_rows_is_refused(form, dataset, tmp_path):
    """One shard of two lacks slots."""
    folder = dataset(*(run_of() if form == "sre2l" else tinyvit()))
    with pytest.raises(InvalidDataError, match="name all shards of the dataset"):
        export([folder / "labels-00001.h5"], form, tmp_path / "out")


@pytest.mark.parametrize("folder", ["../elsewhere", "/tmp/elsewhere", "a//b"])
def test_folders_stay_below_the_output(folder, dataset, tmp_path):
    views, settings = run_of(kind="probability", folder=folder)
    with pytest.raises(InvalidDataError, match="is not a path within a folder"):
        export([dataset(views, settings)], "hald", tmp_path / "out")


def test_batches_that_one_list_cannot_say(dataset, tmp_path):
    views, settings = run_of()
    views.columns["cutmix_lambda"] = [0.25 + row / 100 for row in range(len(views.keys))]
    with pytest.raises(InvalidDataError, match="weren't all mixed in one way"):
        export([dataset(views, settings)], "sre2l", tmp_path / "out")


def test_views_of_no_batch_are_lost(dataset, tmp_path):
    views, settings = run_of(None)
    views.columns["replay"] = [[-1] * 3 if triple[0] else triple for triple in views.columns["replay"]]
    done = export([dataset(views, settings)], "sre2l", tmp_path / "out")
    assert "6 views that are in no batch" in done.losses
    assert {path.parent.name for path in (tmp_path / "out").rglob("*.tar")} == {"epoch_0"}


@pytest.mark.parametrize("text", ["{", "[1]", "7"])
def test_operations_that_are_no_objects(text, dataset, tmp_path):
    views, settings = lpld(True)
    views.columns["operations"] = [text] * len(views.keys)
    with pytest.raises(InvalidDataError, match="operations is no JSON"):
        export([dataset(views, settings)], "lpld", tmp_path / "out")


def test_rounding_is_said(dataset, tmp_path):
    views, settings = run_of(box_type="float64")
    settings["encoding"] = "fixed16"
    settings["scores"] = settings["scores"].astype(np.float64)
    done = export([dataset(views, settings)], "sre2l", tmp_path / "out")
    said = "\n".join(done.losses)
    assert "boxes are float64 in the shards, and are rounded to float32" in said and "in steps of 0.003906 (fixed16)" in said
    assert torch.load(tmp_path / "out/labels/epoch_0/batch_0.tar", weights_only=False)[5].dtype == torch.float32


# ------------------------------------------------------------------------------------ arrays and pictures


def by_picture(views):
    """The rows by picture and view."""
    return sorted(range(len(views.keys)), key=lambda row: (views.image_indexes[row], views.columns["view"][row]))


@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("form", ["npz", "npy", "safetensors"])
def test_arrays(form, dense, dataset, tmp_path):
    """A row is a view; what is known of it lies beside its labels."""
    views, settings = kept(*run_of())
    path, out = dataset(views, settings), tmp_path / "out"
    if form == "npy" and dense:
        with pytest.raises(UsageError, match="export them to npz"):
            export([path], form, out, Options(dense=True))
        return
    export([path], form, out, Options(dense=dense))
    if form == "npz":
        found = np.load(out)
    elif form == "npy":
        found = {file.stem: np.load(file) for file in out.glob("*.npy")}
    else:
        with safe_open(out, "numpy") as file:
            found = {name: file.get_tensor(name) for name in file.keys()}
    order = by_picture(views)
    for name, values in (*views.columns.items(), ("image_index", views.image_indexes)):
        np.testing.assert_array_equal(found[name], np.array(values)[order], name)
        assert found[name].dtype == view_shards.TYPES.get(name, "<i8")
    if dense:
        wanted = np.zeros((len(order), CLASSES, 1, 1), np.float32)
        np.put_along_axis(wanted, np.moveaxis(settings["ids"], -1, 1).astype(np.int64), np.moveaxis(settings["scores"], -1, 1), 1)
        assert (found["logits"] == wanted[order]).all()
    else:
        assert (found["class_index"] == settings["ids"][order]).all() and (found["score"] == settings["scores"][order]).all()


def test_operations_are_no_array(dataset, tmp_path):
    views, settings = lpld(True)
    done = export([dataset(views, settings)], "npz", tmp_path / "out.npz")
    assert "not exported: operations" in done.losses and "operations" not in np.load(tmp_path / "out.npz")


def softmax(scores):
    values = np.exp(scores.astype(np.float64) - scores.max(-1, keepdims=True))
    return values / values.sum(-1, keepdims=True)


@pytest.mark.parametrize("rule", ["mean-softmax", "pooled-softmax", "max"])
def test_pictures(rule, dataset, tmp_path):
    """The label of a picture is the mean of those of its views, or the highest; mixed views don't count."""
    views, settings = run_of("mixup")
    shares = np.array(views.columns["mixup_lambda"])
    alone = np.array([row % 4 != 1 for row in range(len(shares))]) | (np.array(views.columns["view"]) == 0)
    views.columns["mixup_lambda"] = np.where(alone, view_shards.NOT_MIXED, shares)
    done = export([dataset(views, settings)], "cleanlab", tmp_path / "out", Options(rule=rule))
    found = np.load(tmp_path / "out" / "pred_probs.npy")
    each = softmax(settings["scores"][:, 0, 0])
    for image in range(6):
        rows = [row for row, other in enumerate(views.image_indexes) if other == image and alone[row]]
        np.testing.assert_allclose(found[image], getattr(each[rows], "max" if rule == "max" else "mean")(0), atol=1e-6)
    assert (tmp_path / "out" / "keys.txt").read_text().split() == [f"n01/{image:03}" for image in range(6)]
    assert f"{(~alone).sum()} views that show another picture, too: they don't count" in done.losses
    assert (done.images, done.views) == (6, 12)


@pytest.mark.parametrize("form", ["multilabel-tsv", "real-json", "parquet"])
def test_lists_of_pictures(form, dataset, tmp_path):
    views, settings = run_of(None)
    export([dataset(views, settings)], form, tmp_path / "out", Options(threshold=0.3))
    means = np.stack([softmax(settings["scores"][np.array(views.image_indexes) == image, 0, 0]).mean(0) for image in range(6)])
    wanted = [np.flatnonzero(row >= 0.3).tolist() for row in means.astype(np.float32)]
    if form == "real-json":
        assert json.loads((tmp_path / "out").read_text()) == wanted
    elif form == "parquet":
        import pyarrow.parquet

        assert pyarrow.parquet.read_table(tmp_path / "out")["label_indices"].to_pylist() == wanted
    else:
        lines = [line.split("\t") for line in (tmp_path / "out").read_text().splitlines()]
        assert [[int(number) for number in line[2].split(",") if number] for line in lines] == wanted
        assert [line[0] for line in lines] == [f"n01/{image:03}" for image in range(6)]


def test_pictures_that_are_only_mixed(dataset, tmp_path):
    with pytest.raises(UsageError, match="each view of this picture shows another one"):
        export([dataset(*run_of())], "parquet", tmp_path / "out")


def test_pictures_mixed_one_does_not_know_how(dataset, tmp_path):
    with pytest.raises(UsageError, match="only seeds say what these views show"):
        export([dataset(*tinyvit())], "parquet", tmp_path / "out")
    views, settings = run_of(None)
    views.document["chain"] = ["crop", "mixup", "cutmix"]
    with pytest.raises(UsageError, match="views were mixed by mixup and cutmix, and these shards don't say which"):
        export([written(tmp_path / "mixed", views, settings)], "parquet", tmp_path / "out")


# -------------------------------------------------------------------------------------------- the command


def test_command(dataset, tmp_path):
    path = dataset(*run_of())
    command = [sys.executable, "-m", "relabel_hdf5.exporting", path, "--to", "sre2l", "-o"]
    found = subprocess.run([*command, tmp_path / "out"], capture_output=True, text=True)
    assert found.returncode == 0 and found.stdout == f"{tmp_path / 'out'}: 12 views of 6 images as sre2l\n", found.stderr
    found = subprocess.run([*command, tmp_path / "json", "--format", "json"], capture_output=True, text=True)
    assert json.loads(found.stdout)["views"] == 12 and json.loads(found.stdout)["images"] == 6


def test_shards_by_name(dataset, tmp_path):
    """Shards that are named one by one, in any order, give what their dataset gives."""
    views, settings = run_of()
    folder = dataset(views, settings)
    export([folder / "labels-00001.h5", folder / "labels-00000.h5"], "sre2l", tmp_path / "out")
    assert_files(tmp_path / "out", {
        f"labels/epoch_{epoch}/batch_{batch}.tar": six_slots(views, settings, rows)
        for (epoch, batch), rows in batches_of(views).items()
    })  # fmt: skip
    with pytest.raises(InvalidDataError, match="in one slot of one batch|are one view of one picture"):
        export([folder, folder / "labels-00001.h5"], "sre2l", tmp_path / "twice")
