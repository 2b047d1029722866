"""The error of targets that shards of factors state, and budgets that settle their quality, against h5py and NumPy."""

import json
import shutil
import sys

import h5py
import numpy as np
import pytest
from conftest import ROOT, SAMPLES, error_rules, pack, tool, verify
from test_factors import logits

import relabel_hdf5
from relabel_hdf5 import UsageError, Writer

sys.path.insert(0, str(ROOT / "tools" / "factors"))

import study  # noqa: E402

PACKING = ["--score-kind", "logit", "--maps", "factors"]
CLASSES, SIDE, COUNT = 40, 7, 100
RATIOS = (0.75, 0.8055, 0.8651, 0.9292, 1, 1.0762, 1.1559, 1.2415, 1.3333)
MASK = 2**64 - 1


class SplitMix:
    """The generator of section 9.4."""

    def __init__(self, state):
        self.state = state

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def fraction(self):
        return (self.next() >> 11) * 2.0**-53


def crops(image_index):
    """The crops of section 4.11."""
    generator, found = SplitMix(image_index), []
    while len(found) < 8:
        area = 0.08 + 0.92 * generator.fraction()
        ratio = RATIOS[int(9 * generator.fraction())]
        top, left = generator.fraction(), generator.fraction()
        height, width = (area / ratio) ** 0.5, (area * ratio) ** 0.5
        if height <= 1 and width <= 1:
            found.append((top * (1 - height), left * (1 - width), height, width))
    return np.array(found)


def log_softmax(sums):
    sums = sums - sums.max(0)
    return sums - np.log(np.exp(sums).sum(0))


def reference(shard, dense):
    """The five numbers of a shard by the specification, in float64: `dense` gives the logits of a key."""
    with h5py.File(shard) as file:
        indexes = file["image_index"][:]
        keys = [key.decode() for key in file["image_key"][:]]
        temperature = float(file.attrs["temperature"])
    found = np.zeros(5)
    for row, (index, key) in enumerate(zip(indexes.tolist(), keys)):
        if index >= 64 and index % 32:
            continue
        given = dense[key].astype(float)
        weights = study.cell_weights(crops(index), given.shape[1:])
        one = log_softmax(given.reshape(len(given), -1) @ weights / temperature)
        other = log_softmax(logits(shard, row) @ weights / temperature)
        kl = (np.exp(one) * (one - other)).sum()
        half = np.abs(np.exp(one) - np.exp(other)).sum() / 2
        found += 1, 8, kl, half, (one.argmax(0) != other.argmax(0)).sum()
    return found


def stated(shard):
    with h5py.File(shard) as file:
        return file["class_factor"].attrs["target_error"]


def quality_of(folder):
    return json.loads((folder / "index.json").read_text())["options"]["factors"]["quality"]


def samples():
    """The dense maps of the samples, turned and mirrored: eight of each, with the bytes of real maps."""
    found = {}
    for path in sorted((SAMPLES / "dense").rglob("*.npy")):
        for turn in range(4):
            turned = np.rot90(np.load(path), turn, (1, 2))
            found[f"{path.stem}-{turn}"] = np.ascontiguousarray(turned)
            found[f"{path.stem}-{turn}m"] = np.ascontiguousarray(turned[:, :, ::-1])
    return found


def made():
    """Many small maps: a few peaks over noise of low rank."""
    found = {}
    for place in range(COUNT):
        generator = np.random.default_rng(place)
        classes, cells = generator.normal(size=(CLASSES, 12)), generator.normal(size=(12, SIDE, SIDE))
        found[f"m{place:04}"] = np.einsum("cf,fyx->cyx", 1.5 * classes, cells).astype(np.float32)
    return found


def write(folder, maps):
    folder.mkdir()
    for key, dense in maps.items():
        np.save(folder / f"{key}.npy", dense)
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    maps = made()
    return maps, write(tmp_path_factory.mktemp("small") / "dense", maps)


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    maps = samples()
    return maps, write(tmp_path_factory.mktemp("real") / "dense", maps)


@pytest.fixture(scope="module")
def dataset(small, tmp_path_factory):
    folder = tmp_path_factory.mktemp("target-error") / "dataset"
    annotator = folder.parent / "annotator.json"
    annotator.write_text('{"name": "made", "temperature": 1.5}')
    result = pack(
        small[1], "--output", folder, *PACKING, "--images-per-shard", 40, "--annotator", annotator, "--format", "json"
    )
    assert result.returncode == 0, result.stderr
    return folder, json.loads(result.stdout)


def shards(folder):
    return sorted(folder.glob("*.h5"))


def test_each_shard_states_what_the_specification_says(small, dataset):
    total = np.zeros(5)
    for shard in shards(dataset[0]):
        wanted = reference(shard, small[0])
        np.testing.assert_allclose(stated(shard), wanted, rtol=1e-6, atol=1e-9)
        total += wanted
    assert total[0] == 64 + 2 and total[1] == 8 * 66  # 64 and 96
    found = dataset[1]["target_error"]
    assert (found["images"], found["crops"]) == (66, 528)
    means = total[2:] / total[1]
    np.testing.assert_allclose([found["mean_kl"], found["half_l1"], found["other_top1"]], means, rtol=1e-6)
    assert 0 < means[0] < 0.2 and 0 < means[1] < 0.2


def test_all_readers_say_it(dataset, library):
    with relabel_hdf5.open(dataset[0]) as maps:
        assert vars(maps.target_error) == pytest.approx(dataset[1]["target_error"])
        assert maps.header.factor_quality == 0.0003
    info = json.loads(tool("relabel", "info", dataset[0], "--format", "json").stdout)
    assert info["target_error"] == pytest.approx(dataset[1]["target_error"]) and info["factor_quality"] == 0.0003
    text = tool("relabel", "info", dataset[0]).stdout
    assert "quality 0.0003; 528 random crops of 66 images: mean KL" in text


def test_the_summary_says_it_in_place_of_errors_of_scores(small, tmp_path):
    result = pack(small[1], "--output", tmp_path / "out", *PACKING)
    assert "  targets   mean KL 0." in result.stdout and "in a score" not in result.stdout
    assert "  factors   at most 8 a map, quality 0.0003" in result.stdout


def test_bytes_depend_on_no_job_and_no_interruption(small, dataset, tmp_path):
    wanted = [shard.read_bytes() for shard in shards(dataset[0])]
    folder = tmp_path / "dataset"
    shutil.copytree(dataset[0], folder)
    (folder / "index.json").unlink()
    shards(folder)[1].unlink()
    more = ["--images-per-shard", 40, "--annotator", dataset[0].parent / "annotator.json", "--jobs", 3]
    result = pack(small[1], "--output", folder, *PACKING, *more, "--format", "json")
    assert result.returncode == 0, result.stderr
    assert [shard.read_bytes() for shard in shards(folder)] == wanted
    summary = json.loads(result.stdout)
    assert summary["kept_shards"] == 2 and summary["target_error"] == dataset[1]["target_error"]


def against(path, *inputs):
    code, report = verify(path, *(word for each in inputs for word in ("--against", each)))
    return code, error_rules(report), report


def test_the_verifier_confirms_it(small, dataset):
    code, rules, report = against(dataset[0], small[1])
    assert (code, rules) == (0, [])
    (found,) = report["measurements"]["targets"]
    assert found["measured"] == found["stated"] == dataset[1]["target_error"]
    text = tool("relabel-verify", dataset[0], "--against", small[1]).stdout
    assert "other top classes in 528 crops of 66 images, against all scores" in text


def test_the_verifier_finds_that_it_is_of_other_maps(small, dataset, tmp_path):
    other = {key: dense * np.float32(1.02) for key, dense in small[0].items()}
    code, rules, report = against(dataset[0], write(tmp_path / "other", other))
    assert (code, rules) == (1, ["V034"])
    finding = next(each for each in report["findings"] if each["rule"] == "V034")
    assert "but the scores that were given say mean KL" in finding["message"]


@pytest.mark.parametrize(
    ("place", "factor", "is_found"), [(2, 1.0005, False), (2, 1.01, True), (3, 0.99, True), (3, 0.9995, False), (4, 1.5, True)]
)
def test_the_tolerance_is_a_thousandth(small, dataset, tmp_path, place, factor, is_found):
    shard = tmp_path / "labels-00000.h5"
    shutil.copy(shards(dataset[0])[0], shard)
    with h5py.File(shard, "r+") as file:
        numbers = file["class_factor"].attrs["target_error"]
        numbers[place] = numbers[place] * factor if place < 4 else numbers[place] + 2
        file["class_factor"].attrs.modify("target_error", numbers)
    code, rules, _ = against(shard, small[1])
    assert rules == (["V034"] if is_found else []) and code == int(is_found)


def test_scores_that_are_missing_leave_the_check_incomplete(small, dataset, tmp_path):
    some = {key: dense for key, dense in small[0].items() if key != "m0003"}
    some["m0005"] = some["m0005"][:, :3]
    code, rules, report = against(dataset[0], write(tmp_path / "some", some))
    assert (code, rules) == (3, [])
    assert any("2 of 66 measured images" in text and "'m0003'" in text or "'m0005'" in text for text in report["omissions"])


def test_a_shard_of_classes_has_nothing_to_compare(tmp_path, small):
    assert pack(small[1], "--output", tmp_path / "out", "--score-kind", "logit").returncode == 0
    code, rules, report = against(tmp_path / "out", small[1])
    assert (code, rules) == (3, []) and "its maps are no factors" in report["omissions"][0]


def test_a_recovered_shard_that_lost_rows_states_nothing(dataset, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(dataset[0], broken)
    path = shards(broken)[0]
    with h5py.File(path) as file:
        chunk = file["score"].id.get_chunk_info(3)
    with open(path, "r+b") as file:
        file.seek(chunk.byte_offset + 5)
        file.write(b"\xff\x00\xff\x00")
    result = tool("relabel", "recover", broken, "--output", tmp_path / "saved")
    assert result.returncode == 3, result.stderr
    one, two, three = shards(tmp_path / "saved")
    with h5py.File(one) as file:
        assert "target_error" not in file["class_factor"].attrs and file["class_factor"].attrs["quality"] == 0.0003
    assert (stated(two) == stated(shards(dataset[0])[1])).all()
    with relabel_hdf5.open(tmp_path / "saved") as maps:
        assert maps.target_error is None


# --------------------------------------------------------------------------------------- budgets


def budgeted(inputs, folder, budget, *more):
    result = pack(inputs, "--output", folder, "--score-kind", "logit", "--maps", f"factors:{budget}", *more)
    assert result.returncode == 0, result.stderr
    return result


@pytest.mark.parametrize("budget", [1300, 2200])
def test_a_budget_of_bytes_is_kept_everything_included(real, tmp_path, budget):
    budgeted(real[1], tmp_path / "out", f"{budget}B")
    found = sum(path.stat().st_size for path in (tmp_path / "out").iterdir()) / len(real[0])
    assert 0.95 * budget < found < 1.03 * budget


@pytest.mark.parametrize("budget", [0.05, 0.015])
def test_a_budget_of_divergence_is_kept(real, tmp_path, budget):
    folder = tmp_path / "out"
    result = budgeted(real[1], folder, f"{budget}KL")
    # Fewer than 64 images: those that settled the quality are those that are measured.
    _, crops, divergence, _, _ = reference(shards(folder)[0], real[0])
    assert divergence / crops <= budget * (1 + 1e-6)
    assert f"quality {quality_of(folder)}, settled by the budget of {budget}KL" in result.stdout
    options = json.loads((folder / "index.json").read_text())["options"]
    assert options["factor_budget"] == f"{budget}KL"
    with h5py.File(shards(folder)[0]) as file:
        assert file["class_factor"].attrs["quality"] == options["factors"]["quality"]
    # The next coarser one breaks it.
    coarser = tmp_path / "coarser"
    step = ["--quality", str(quality_of(folder) * 2 ** (1 / 16))]
    assert pack(real[1], "--output", coarser, *PACKING, *step).returncode == 0
    _, crops, divergence, _, _ = stated(shards(coarser)[0])
    assert divergence / crops > budget * (1 - 1e-6)


def test_a_budget_is_the_quality_that_it_settles(small, tmp_path):
    budgeted(small[1], tmp_path / "one", "600B", "--jobs", 1)
    budgeted(small[1], tmp_path / "two", "600B", "--jobs", 3)
    quality = str(quality_of(tmp_path / "one"))
    assert pack(small[1], "--output", tmp_path / "three", *PACKING, "--quality", quality).returncode == 0
    for other in ("two", "three"):
        assert shards(tmp_path / "one")[0].read_bytes() == shards(tmp_path / other)[0].read_bytes()


def stream(folder, given, **options):
    with Writer(folder, num_classes=CLASSES, score_kind="logit", images_per_shard=40, **options) as writer:
        for key, dense in given.items():
            if key not in writer.done:
                writer.add(key, dense)


@pytest.mark.parametrize("budget", ["600B", "0.05KL"])
def test_a_writer_settles_a_budget_by_what_comes_first(small, tmp_path, budget):
    stream(tmp_path / "written", small[0], maps=f"factors:{budget}")
    # A folder of the first 64 settles the same; the rows of a writer are those of a folder in its order.
    first = write(tmp_path / "first", dict(list(small[0].items())[:64]))
    if budget.endswith("KL"):
        budgeted(first, tmp_path / "first-packed", budget)
        assert quality_of(tmp_path / "first-packed") == quality_of(tmp_path / "written")
    again = ["--row-order", "source", "--key-bytes", 256, "--images-per-shard", 40, "--num-classes", CLASSES]
    quality = ["--quality", str(quality_of(tmp_path / "written"))]
    assert pack(small[1], "--output", tmp_path / "packed", *PACKING, *again, *quality).returncode == 0
    for one, other in zip(shards(tmp_path / "written"), shards(tmp_path / "packed"), strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_a_writer_that_stopped_goes_on_at_its_quality(small, tmp_path):
    stream(tmp_path / "whole", small[0], maps="factors:600B")
    with pytest.raises(RuntimeError), Writer(
        tmp_path / "cut", num_classes=CLASSES, score_kind="logit", images_per_shard=40, maps="factors:600B", jobs=1
    ) as writer:
        for place, (key, dense) in enumerate(small[0].items()):
            writer.add(key, dense)
            if place == 95:
                raise RuntimeError("the power failed")
    assert len(shards(tmp_path / "cut")) in (1, 2)
    stream(tmp_path / "cut", small[0], maps="factors:600B", resume=True)
    for one, other in zip(shards(tmp_path / "whole"), shards(tmp_path / "cut"), strict=True):
        assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("factors:50B", "the budget can't be kept: the coarsest factors of these maps take"),
        ("factors:0.0000001KL", "the budget can't be kept: the finest factors of these maps are"),
        ("factors:", "'factors:' is invalid"), ("factors:1300", "is invalid"), ("factors:-3B", "is invalid"),
        ("factors:nanKL", "is invalid"), ("topk:5B", "is invalid"),
    ],
)  # fmt: skip
def test_budgets_that_can_not_be_kept_are_refused(small, tmp_path, form, said):
    result = pack(small[1], "--output", tmp_path / "out", "--score-kind", "logit", "--maps", form)
    assert result.returncode == 64 and said in result.stderr
    assert not list(tmp_path.glob("out/*.h5"))
    if "invalid" in said:
        with pytest.raises(UsageError, match="maps is"):
            Writer(tmp_path / "other", num_classes=10, score_kind="logit", maps=form)


def test_a_budget_and_a_quality_contradict_each_other(small, tmp_path):
    more = ["--score-kind", "logit", "--maps", "factors:600B", "--quality", "0.001"]
    result = pack(small[1], "--output", tmp_path / "out", *more)
    assert result.returncode == 64 and "leave --quality out" in result.stderr
    with pytest.raises(UsageError, match="without a budget"):
        Writer(tmp_path / "out", num_classes=10, score_kind="logit", maps="factors:600B", quality=0.1)


def test_bad_images_settle_no_budget(small, tmp_path):
    maps = dict(list(small[0].items())[:20])
    folder = write(tmp_path / "dense", maps)
    broken = maps["m0004"].copy()
    broken[0, 0, 0] = np.nan
    np.save(folder / "m0004.npy", broken)
    result = pack(folder, "--output", tmp_path / "out", "--score-kind", "logit", "--maps", "factors:0.05KL")
    assert result.returncode == 5 and "m0004" in result.stderr
    more = ["--score-kind", "logit", "--maps", "factors:0.05KL", "--on-bad-input", "skip"]
    assert pack(folder, "--output", tmp_path / "out", *more).returncode == 3
    _, crops, divergence, _, _ = reference(shards(tmp_path / "out")[0], maps)
    assert divergence / crops <= 0.05 * (1 + 1e-6)


def test_a_forecast_settles_it_too(small, tmp_path):
    result = tool(
        "relabel-pack", small[1], "--output", tmp_path / "out", "--score-kind", "logit", "--maps", "factors:600B", "--dry-run",
        "--format", "json",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["bytes_per_image"] < 650


# ---------------------------------------------------------------------------------------- advice


def test_the_packer_weighs_factors_when_nobody_chose(real, tmp_path):
    result = pack(real[1], "--output", tmp_path / "a", "--score-kind", "logit")
    (line,) = (line for line in result.stdout.splitlines() if line.startswith("  advice"))
    assert "--maps factors would keep all classes: KL 0.0" in line and "the best of each cell: KL 0." in line
    for more in (["--maps", "topk"], ["--quiet"], ["--format", "json"]):
        folder = tmp_path / "-".join(more)
        other = pack(real[1], "--output", folder, "--score-kind", "logit", *more)
        assert other.returncode == 0 and "advice" not in other.stdout
        assert shards(folder)[0].read_bytes() == shards(tmp_path / "a")[0].read_bytes()
