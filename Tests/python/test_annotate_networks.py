"""Classifiers taken apart: every cell gets what the network's own head says of it, in the right place."""

import dataclasses
import hashlib
import io

import numpy as np
import pytest
import torch
import torchvision_import  # noqa: F401  # before timm, which imports torchvision
from fixtures import networks
from torch import nn

from torchvision import models  # isort: skip
import timm  # isort: skip

from relabel_hdf5 import InvalidDataError, UsageError
from relabel_hdf5.annotate import Annotator, Preprocessing
from relabel_hdf5.annotate.class_tables import agreed
from relabel_hdf5.annotate.orientation import prove
from relabel_hdf5.annotate.progress import Progress, duration
from relabel_hdf5.annotate.relations import precision_error, relate
from relabel_hdf5.header import ClassEntry

USUAL = Preprocessing((128, 128), (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def pictures(annotator, count=2):
    size = annotator.preprocessing.input_size
    return torch.randint(0, 256, (count, 3, *size), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)


def made(name, **options):
    torch.manual_seed(0)
    return timm.create_model(name, num_classes=11, **options)


# Name, network, whether the mean over cells is the answer, axes of the features.
FAMILIES = {
    "resnet": (lambda: made("resnet10t"), True, "NCHW"),
    "mobilenetv3, layers behind pooling": (lambda: made("mobilenetv3_small_050"), False, "NCHW"),
    "efficientnet": (lambda: made("tinynet_e"), True, "NCHW"),
    "convnext, norm behind pooling": (lambda: made("convnext_atto"), False, "NCHW"),
    "swin, channels last": (
        lambda: made("swin_tiny_patch4_window7_224", depths=(1, 1), num_heads=(2, 4), embed_dim=24, img_size=128), True, "NHWC",
    ),
    "vit, class token": (lambda: made("vit_tiny_patch16_224", depth=2, img_size=128), False, "tokens"),
    "vit, mean of tokens": (
        lambda: made("vit_tiny_patch16_224", depth=2, img_size=128, global_pool="avg", class_token=False), False, "tokens",
    ),
    "deit, two tokens": (lambda: made("deit_tiny_distilled_patch16_224", depth=2, img_size=128), False, "tokens"),
    "densenet": (lambda: made("densenet121", block_config=(2, 2, 2, 2)), True, "NCHW"),
    "torchvision, classifier before pooling": (lambda: models.squeezenet1_1(num_classes=11), True, "NCHW"),
    "torchvision, mean in forward": (lambda: models.shufflenet_v2_x0_5(num_classes=11), True, "NCHW"),
    "torchvision, vit": (
        lambda: models.VisionTransformer(128, 16, 2, 2, 48, 96, num_classes=11), False, "tokens",
    ),
    "torchvision, swin": (
        lambda: models.SwinTransformer([4, 4], 24, [1, 1, 1], [2, 2, 2], [4, 4], num_classes=11), True, "NCHW",
    ),
    "a network of one's own": (lambda: networks.small(11), True, "NCHW"),
    "one of one's own with a head that is not linear": (networks.hidden, False, "NCHW"),
}  # fmt: skip


@pytest.fixture(scope="module", params=FAMILIES, ids=str)
def family(request):
    torch.manual_seed(0)
    make, is_mean, layout = FAMILIES[request.param]
    network = make()
    for layer in network.modules():  # classifiers that start as zeros say the same of everything
        if isinstance(layer, nn.Linear) and not layer.weight.any():
            nn.init.normal_(layer.weight, std=0.02)
    return Annotator(network, preprocessing=USUAL), is_mean, layout


def test_a_cell_is_what_the_head_says_of_it_alone(family):
    """The oracle knows nothing of cells: it cuts one out of the features and gives it to the network's own head."""
    annotator, _, layout = family
    inputs = annotator.inputs(pictures(annotator))
    with torch.inference_mode():
        features = annotator.parts.features(inputs)
        found = annotator.maps(pictures(annotator))
        for y, x in ((0, 0), (1, 3), (annotator.grid[0] - 1, annotator.grid[1] - 1)):
            if layout == "NCHW":
                cell = features[:, :, y : y + 1, x : x + 1]
            elif layout == "NHWC":
                cell = features[:, y : y + 1, x : x + 1]
            else:
                token = features[:, annotator.parts.prefix + y * annotator.grid[1] + x]
                cell = token[:, None].repeat(1, annotator.parts.prefix + 1, 1)
            torch.testing.assert_close(found[:, :, y, x], annotator.parts.head(cell), rtol=1e-4, atol=1e-5)


def test_relation_to_the_answer(family):
    annotator, is_mean, layout = family
    assert annotator.parts.layout == layout
    found = relate(annotator, pictures(annotator), ["a", "b"])
    assert found.is_mean == is_mean
    if is_mean:
        assert found.deviation <= 1e-4


def test_an_impulse_lights_the_right_cells(family):
    annotator, _, _ = family
    assert prove(annotator, pictures(annotator)).ratio > 1.25


def test_cells_of_a_padded_border_hide_the_stride():
    """66 pixels make five cells of a network with stride 16, and 128 pixels eight that cover all of it."""
    annotator = Annotator(networks.small(), preprocessing=dataclasses.replace(USUAL, input_size=(66, 66)), input_size=(128, 128))
    assert annotator.grid == (8, 8)


@pytest.mark.parametrize("size", [(64, 96), (97, 131), (160, 64)])
def test_inputs_that_are_not_square(size):
    annotator = Annotator(networks.small(), input_size=size)
    assert annotator.grid == (-(-size[0] // 16), -(-size[1] // 16))
    assert annotator.maps(pictures(annotator)).shape == (2, 7, *annotator.grid)
    prove(annotator, pictures(annotator))


@pytest.mark.parametrize("classes", [1, 21_843])
def test_any_number_of_classes(classes):
    annotator = Annotator(networks.small(classes), input_size=(96, 96))
    found = annotator.maps(pictures(annotator, 3))
    assert found.shape == (3, classes, 6, 6)
    inputs = annotator.inputs(pictures(annotator, 3))
    torch.testing.assert_close(found.mean((2, 3)), annotator.answers(inputs), rtol=1e-4, atol=1e-5)


def test_dilation_keeps_every_other_cell_of_a_plain_network():
    """With convolutions of one pixel behind the stride, the plain map is every other cell of the dilated one."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, 1, 1),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5),
    )  # fmt: skip
    network.pretrained_cfg = networks.CONFIG
    plain, dilated = Annotator(network), Annotator(network, dilations=1)
    assert dilated.grid == (32, 32) and plain.grid == (16, 16)
    some = pictures(plain)
    torch.testing.assert_close(dilated.maps(some)[:, :, ::2, ::2], plain.maps(some), rtol=1e-5, atol=1e-6)
    assert network[2].stride == (2, 2), "the network itself is as it was"


def test_dilation_agrees_with_torchvision():
    torch.manual_seed(0)
    theirs = models.ResNet(models.resnet.Bottleneck, [1, 1, 1, 2], num_classes=5,
                           replace_stride_with_dilation=[False, False, True])  # fmt: skip
    ours = models.ResNet(models.resnet.Bottleneck, [1, 1, 1, 2], num_classes=5)
    ours.load_state_dict(theirs.state_dict())
    theirs, ours = Annotator(theirs, preprocessing=USUAL), Annotator(ours, preprocessing=USUAL, dilations=1)
    some = pictures(ours)
    torch.testing.assert_close(ours.maps(some), theirs.maps(some), rtol=1e-4, atol=1e-5)
    assert Annotator(ours.classifier.module, preprocessing=USUAL, dilations=2).grid == (16, 16)


def test_flip_average_gives_mirrored_maps_of_mirrored_pictures():
    annotator = Annotator(networks.small(), flip_average=True)
    some = pictures(annotator)
    torch.testing.assert_close(annotator.maps(some.flip(-1)).flip(-1), annotator.maps(some), rtol=1e-4, atol=1e-5)


def test_normalisation_is_that_of_torchvision():
    from torchvision.transforms import functional

    annotator = Annotator(networks.small())
    some = pictures(annotator)
    expected = functional.normalize(some / 255, networks.CONFIG["mean"], networks.CONFIG["std"])
    torch.testing.assert_close(annotator.inputs(some), expected)
    lite = Preprocessing((8, 8), (127,) * 3, (128,) * 3, (0, 255))
    torch.testing.assert_close(lite.normalised(some), (some.float() - 127) / 128)


REFUSED = {
    "flattened": (networks.flattened, "lays several cells side by side"),
    "batch statistics": (networks.batch_statistics, "keeps no running statistics"),
    "nothing known of pictures": (networks.unconfigured, "give mean, std and input size"),
    "no network": (lambda: f"{networks.__file__}:no_network", "not a torch.nn.Module"),
    "no name": (lambda: "resnet50", "names no network"),
    "no such network": (lambda: "timm:resnet51.b2_in3k", "timm does not give 'resnet51.b2_in3k'"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_not_be_taken_apart_is_refused_by_name(name):
    make, reason = REFUSED[name]
    with pytest.raises(UsageError, match=reason):
        Annotator(make())


@pytest.mark.parametrize("make, reason", [(networks.transposing, "fit best transposed"),
                                          (networks.forgetful, "not localised|hardly better")])  # fmt: skip
def test_a_wrong_orientation_stops(make, reason):
    annotator = Annotator(make())
    with pytest.raises(UsageError, match=reason):
        prove(annotator)


def test_a_map_of_one_cell_is_refused():
    with pytest.raises(UsageError, match="maps of 1×1 cells"):
        prove(Annotator(networks.small(), input_size=(16, 16)))


def test_features_and_head_of_the_user():
    network = networks.flattened()
    annotator = Annotator(
        nn.Sequential(network, nn.Identity()), preprocessing=dataclasses.replace(USUAL, input_size=(64, 64)),
        features=network[0], head=lambda cells: cells.mean((2, 3)),
    )  # fmt: skip
    assert annotator.grid == (4, 4) and annotator.num_classes == 4
    with pytest.raises(UsageError, match="taken apart wrongly"):
        relate(annotator, pictures(annotator), ["a", "b"])


def test_training_mode_is_refused():
    annotator = Annotator(networks.small())
    annotator.module.train()
    with pytest.raises(UsageError, match="training mode"):
        annotator.maps(pictures(annotator))


@pytest.mark.parametrize("wrong, reason", [
    (torch.zeros(2, 64, 64, 3, dtype=torch.uint8), "channels come first"),
    (torch.zeros(2, 3, 64, 64), "uint8"),
    (torch.zeros(2, 3, 32, 64, dtype=torch.uint8), r"\[B, 3, 64, 64\]"),
    (np.zeros((2, 3, 64, 64), np.uint8), "ndarray"),
])  # fmt: skip
def test_pictures_of_another_form_are_refused(wrong, reason):
    with pytest.raises(UsageError, match=reason):
        Annotator(networks.small()).maps(wrong)


def test_half_precision_is_measured_and_its_overflow_refused():
    annotator = Annotator(networks.small(), precision="bfloat16")
    some = pictures(annotator)
    found = precision_error(annotator, some, ["a", "b"])
    exact = Annotator(networks.small()).maps(some)
    assert found.largest == pytest.approx(float((annotator.maps(some) - exact).abs().max()), rel=1e-2)
    assert found.largest > 0
    with pytest.raises(InvalidDataError, match="float16 may be too narrow") as error:
        precision_error(Annotator(networks.overflowing(), precision="float16"), some, ["a", "b"])
    assert error.value.key == "a" and error.value.cell is not None


def table(*ids):
    return tuple(ClassEntry(f"n{number:08}", f"thing {number}") for number in ids)


@pytest.mark.parametrize("given, own, outputs, reason", [
    (table(1, 2, 3), table(1, 3, 2), 3, "output 1 is n00000003"),
    (table(1, 2, 3), None, 4, "one for background in front"),
    (None, table(1, 2, 3), 2, "2 outputs"),
])  # fmt: skip
def test_another_class_list_is_refused(given, own, outputs, reason):
    with pytest.raises(UsageError, match=reason):
        agreed(given, own, outputs)


def test_lists_that_name_a_few_classes_otherwise_agree():
    own = tuple(ClassEntry(f"class {n}", f"class {n}") for n in range(100))
    given = tuple(ClassEntry(f"n{n:08}", f"class {n}, other" if n else "another word") for n in range(100))
    assert agreed(given, own, 100) == given
    with pytest.raises(UsageError, match="100 of 100 differ"):
        agreed(given[::-1], own, 100)


def test_networks_of_torchvision_bring_wnids_and_preprocessing(tmp_path):
    torch.manual_seed(0)
    torch.save({"state_dict": models.squeezenet1_1().state_dict()}, tmp_path / "weights.pth")
    annotator = Annotator("torchvision:squeezenet1_1", weights=str(tmp_path / "weights.pth"))
    assert annotator.classes[1] == ClassEntry("n01443537", "goldfish, Carassius auratus")
    assert annotator.preprocessing.mean == pytest.approx((0.485, 0.456, 0.406))
    assert annotator.preprocessing.input_size == (224, 224) and annotator.preprocessing.interpolation == "bilinear"
    digest = hashlib.sha256((tmp_path / "weights.pth").read_bytes()).hexdigest()
    assert annotator.classifier.weights_sha256 == digest


def test_classes_of_timm_are_its_own():
    torch.manual_seed(0)
    network = timm.create_model("resnet10t")
    own = Annotator(network).classes
    assert own[0].id == "n01440764" and len(own) == 1000
    swapped = (own[1], own[0], *own[2:])
    with pytest.raises(UsageError, match="2 of 1000 differ: output 0 is n01440764"):
        Annotator(network, classes=swapped)
    cranes = list(own)  # two classes of one name
    cranes[134], cranes[517] = cranes[517], cranes[134]
    with pytest.raises(UsageError, match="2 of 1000 differ: output 134"):
        Annotator(network, classes=tuple(cranes))


@pytest.mark.parametrize("make, options, reason", [
    (lambda: made("convnext_atto"), {"input_size": (283, 283)}, "choose a multiple of 32, such as 256 or 288"),
    (FAMILIES["swin, channels last"][0], {"dilations": 1}, "dilated stages make"),
    (FAMILIES["vit, class token"][0], {"dilations": 1}, "can't be dilated|does not take|dilated stages"),
    (lambda: networks.small(), {"device": "cuda:7"}, "can't be put on cuda:7"),
])  # fmt: skip
def test_geometry_that_the_file_could_not_say_is_refused(make, options, reason):
    with pytest.raises(UsageError, match=reason):
        Annotator(make(), preprocessing=USUAL, **options)


def test_norms_of_one_picture_are_no_batch_statistics():
    network = networks.small()
    network[1] = nn.InstanceNorm2d(24)
    assert Annotator(network).grid == (4, 4)


def test_networks_for_one_size_are_measured_at_it():
    torch.manual_seed(0)
    network = timm.create_model("vit_tiny_patch16_224", depth=1, img_size=96, num_classes=5)
    annotator = Annotator(network)
    assert annotator.native_size == annotator.preprocessing.input_size == (96, 96)


def test_progress_says_what_people_ask():
    now = [0.0]
    out = io.StringIO()
    progress = Progress(1000, 100, out, lambda: now[0])
    now[0] = 60.0
    progress.add(300, agreeing=150, labelled=200, peak=0.5)
    assert out.getvalue() == (
        "400 of 1,000 pictures, 5.0 a second, 2 min 0 s left, top probability of a cell 50% on average, the folder's "
        "class found in 75%\n"
    )
    assert [duration(value) for value in (0.4, 61, 7200, 200_000)] == ["0 s", "1 min 1 s", "2 h 0 min", "2 d 7 h"]
