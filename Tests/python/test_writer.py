"""`relabel_hdf5.Writer`: the packer's bytes and refusals, and nothing that looks finished after a failure."""

import hashlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest
import torch
from conftest import BIN, ROOT, SAMPLES, pack, tool

import relabel_hdf5
from relabel_hdf5 import InvalidDataError, RelabelError, UsageError, Writer

CLASSES, GRID, COUNT = 37, (6, 5), 40
KILLS = int(os.environ.get("RELABEL_KILLS", "4"))  # of each of the two processes
KEYS = [f"train/c{place // 10}/im{place:03}" for place in range(COUNT)]
MEANING = {"num_classes": CLASSES, "score_kind": "logit", "images_per_shard": 16}


def dense(count=COUNT, seed=0):
    return np.random.default_rng(seed).normal(0, 3, (count, CLASSES, *GRID)).astype("f4")


def sparse(scores, k=5):
    """The reference: a stable sort of all classes."""
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    found = np.take_along_axis(scores, order, axis=1)
    return np.moveaxis(order, 1, -1), np.moveaxis(found, 1, -1)


def shards(folder):
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.h5"))]


def packed(folder, output, *options):
    result = pack(folder, "--output", output, "--row-order", "source", "--key-bytes", 256, "--images-per-shard", 16,
                  "--score-kind", "logit", "--num-classes", CLASSES, *options)
    assert result.returncode == 0, result.stderr
    return shards(output)


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """Digests of the shards that `relabel-pack` makes of the same maps in files."""
    folder = tmp_path_factory.mktemp("files")
    for key, scores in zip(KEYS, dense()):
        path = folder / f"{key}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, scores)
    return packed(folder, tmp_path_factory.mktemp("packed") / "labels")


def hand_over(form, scores):
    """The same maps as callers have them."""
    if form == "numpy dense":
        return scores
    if form == "numpy float64":
        return scores.astype("f8")
    if form == "numpy transposed":
        return np.asfortranarray(scores)
    if form == "torch dense":
        return torch.from_numpy(scores).requires_grad_()
    ids, found = sparse(scores) if scores.ndim == 4 else (part[0] for part in sparse(scores[None]))
    if form == "numpy sparse":
        return ids, found
    if form == "torch sparse":
        return torch.from_numpy(ids), torch.from_numpy(found)
    return [ids.astype("u1"), found]


FORMS = ["numpy dense", "numpy float64", "numpy transposed", "torch dense", "numpy sparse", "torch sparse", "small ids"]


@pytest.mark.parametrize("library", ["swift", "none"])
@pytest.mark.parametrize("form", FORMS)
def test_same_bytes_as_of_files(form, library, reference, tmp_path, monkeypatch):
    if library == "none":
        monkeypatch.setattr("relabel_hdf5.writing.best.library", lambda: None)
    with Writer(tmp_path / "a", **MEANING) as writer:
        for key, scores in zip(KEYS, dense()):
            writer.add(key, hand_over(form, scores))
    assert shards(tmp_path / "a") == reference
    with Writer(tmp_path / "b", **MEANING) as writer:
        for start in range(0, COUNT, 7):
            writer.add_batch(KEYS[start : start + 7], hand_over(form, dense()[start : start + 7]))
    assert shards(tmp_path / "b") == reference
    assert tool("relabel-verify", tmp_path / "b").returncode == 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_ties(dtype, tmp_path):
    """Many scores of a cell are equal: the lower class id is kept, wherever the cut is made."""
    scores = torch.from_numpy(np.round(dense())).to(dtype)
    with Writer(tmp_path / "a", **MEANING) as writer:
        writer.add_batch(KEYS, scores)
    with Writer(tmp_path / "b", **MEANING) as writer:
        writer.add_batch(KEYS, sparse(scores.float().numpy()))
    assert shards(tmp_path / "a") == shards(tmp_path / "b")


def test_cut_on_another_device():
    """What runs where the scores are takes the same classes as a stable sort."""
    from relabel_hdf5.writing.scores import _best

    scores = np.round(dense())
    found, (ids, values) = _best(torch.from_numpy(scores), 5), sparse(scores)
    # Order within a cell is the packer's.
    assert (np.sort(found.class_index, axis=-1) == np.sort(ids, axis=-1)).all()
    assert (np.sort(found.score, axis=-1) == np.sort(values, axis=-1)).all()


def test_summary_measures_the_cut(tmp_path):
    with Writer(tmp_path / "labels", **MEANING) as writer:
        writer.add_batch(KEYS, dense())
    assert writer.close()["cut"]["images"] == 16
    assert writer.close()["images"] == COUNT


def test_facts_of_images(tmp_path):
    scores = dense(3)
    normalizer = np.log(np.exp(scores).sum(axis=1))
    with Writer(tmp_path / "labels", **MEANING, classes=[(f"n{i}", f"name {i}") for i in range(CLASSES)],
                annotator={"name": "test"}) as writer:
        for place in range(3):
            writer.add(KEYS[place], scores[place], source_label=place - 1, image_size=(300, 400 + place),
                       image_sha256=hashlib.sha256(b"%d" % place).hexdigest(), map_extent=(0, 0.125, 1, 0.75),
                       log_normalizer=torch.from_numpy(normalizer[place]))
    with h5py.File(tmp_path / "labels" / "labels-00000.h5") as file:
        assert file["source_label"][:].tolist() == [-1, 0, 1]
        assert file["image_size"][:].tolist() == [[300, 400], [300, 401], [300, 402]]
        assert file["image_sha256"][1].tobytes() == hashlib.sha256(b"1").digest()
        assert file["map_extent"][2].tolist() == [0, 0.125, 1, 0.75]
        assert np.array_equal(file["log_normalizer"][:], normalizer.astype("f4"))
        assert file["image_key"][:].tolist() == [key.encode() for key in KEYS[:3]]
    assert tool("relabel-verify", tmp_path / "labels").returncode == 0


FACTS = {
    "source_label": (CLASSES, "label"), "map_extent": ((0, 0.5, 1, 0.75), "extent"), "image_size": ((0, 10), "pixels"),
    "log_normalizer": (np.full(GRID, -50.0), "below the score"),
}


@pytest.mark.parametrize("name", FACTS)
def test_wrong_facts_are_refused(name, tmp_path):
    value, words = FACTS[name]
    with pytest.raises(InvalidDataError, match=f"{KEYS[1]}.*'{name}'.*{words}"), Writer(tmp_path, **MEANING) as writer:
        sound = {"source_label": 0, "map_extent": (0, 0, 1, 1), "image_size": (5, 5), "log_normalizer": np.full(GRID, 99)}
        writer.add(KEYS[0], dense()[0], **{name: sound[name]})
        writer.add(KEYS[1], dense()[1], **{name: value})
    assert not (tmp_path / "index.json").exists()


def spoil(scores, how):
    if how == "NaN":
        scores[3, 4, 2] = np.nan
    if how == "infinite":
        scores[3, 4, 2] = np.inf
    if how == "twice":
        ids, found = (part[0] for part in sparse(scores[None]))
        ids = ids.copy()
        ids[4, 2, 1] = ids[4, 2, 0]
        return ids, found
    if how == "no class":
        ids, found = (part[0] for part in sparse(scores[None]))
        return np.where((np.indices(ids.shape)[0] == 4) & (np.indices(ids.shape)[1] == 2), CLASSES, ids), found
    if how == "negative":
        ids, found = (part[0] for part in sparse(scores[None]))
        ids = ids.copy()
        ids[4, 2, 1] = -1
        return ids, found
    return scores


@pytest.mark.parametrize("library", ["swift", "none"])
@pytest.mark.parametrize("how", ["NaN", "infinite", "twice", "no class", "negative"])
@pytest.mark.parametrize("is_batch", [False, True])
def test_refusals_name_key_and_cell(how, is_batch, library, tmp_path, monkeypatch):
    if library == "none":
        monkeypatch.setattr("relabel_hdf5.writing.best.library", lambda: None)
    bad = spoil(dense()[20], how)
    with pytest.raises(InvalidDataError) as caught, Writer(tmp_path, **MEANING) as writer:
        for place, scores in enumerate(dense()):
            given = bad if place == 20 else scores
            if is_batch:
                rows = tuple(part[None] for part in given) if isinstance(given, tuple) else given[None]
                writer.add_batch([KEYS[place]], rows)
            else:
                writer.add(KEYS[place], given)
    assert caught.value.key == KEYS[20]
    assert caught.value.cell == (4, 2)
    assert not (tmp_path / "index.json").exists()
    with pytest.raises(InvalidDataError, match=KEYS[20]):
        writer.add("more", dense()[0])


def test_refusals_of_the_packer_come_up(tmp_path):
    """What only the packer can see: a key that came before, another grid."""
    with pytest.raises(InvalidDataError, match="same key") as caught, Writer(tmp_path / "a", **MEANING) as writer:
        writer.add_batch([*KEYS[:30], KEYS[3]], dense(31))
    assert caught.value.key == KEYS[3]
    with pytest.raises(InvalidDataError, match="dataset's are") as caught, Writer(tmp_path / "b", **MEANING) as writer:
        writer.add_batch(KEYS[:30], dense(30))
        writer.add("other", dense(1)[0][:, :4])
    assert caught.value.key == "other"


def test_bad_maps_are_left_out_by_name(tmp_path):
    with Writer(tmp_path, **MEANING, on_bad_input="skip") as writer:
        for place, scores in enumerate(dense()):
            writer.add(KEYS[place], spoil(scores, "NaN" if place == 20 else ""))
    assert [entry["key"] for entry in writer.close()["left_out"]] == [KEYS[20]]
    assert len(relabel_hdf5.open(tmp_path)) == COUNT - 1


USAGE = {
    "classes last": (lambda w: w.add("a", np.moveaxis(dense(1)[0], 0, -1)), "moveaxis"),
    "batch as one": (lambda w: w.add("a", dense(1)), r"\[C, H, W\]"),
    "one as batch": (lambda w: w.add_batch(["a"], dense(1)[0]), r"\[B, C, H, W\]"),
    "whole numbers": (lambda w: w.add("a", dense(1)[0].astype(int)), "floats|float32"),
    "pair in the wrong order": (lambda w: w.add("a", tuple(part[0] for part in sparse(dense(1)))[::-1]), "come first"),
    "topk": (lambda w: w.add("a", torch.topk(torch.from_numpy(dense(1)[0]), 5, dim=0)), "movedim"),
    "keys and maps": (lambda w: w.add_batch(["a", "b"], dense(3)), "2 keys for 3 maps"),
    "bytes as key": (lambda w: w.add(b"a", dense(1)[0]), "a key is text"),
    "digest": (lambda w: w.add("a", dense(1)[0], image_sha256="abc"), "64 hexadecimal digits"),
    "label too large": (lambda w: w.add("a", dense(1)[0], source_label=1 << 40), "more than int32"),
    "nothing": (lambda w: None, "no image was added"),
    "fields change": (lambda w: [w.add("a", dense(1)[0]), w.add("b", dense(1)[0], source_label=1)], "for all or none"),
}


@pytest.mark.parametrize("name", USAGE)
def test_usage(name, tmp_path):
    work, words = USAGE[name]
    with pytest.raises(UsageError, match=words), Writer(tmp_path, **MEANING) as writer:
        work(writer)
    assert not list(tmp_path.glob("*"))


def test_an_exception_leaves_no_dataset_and_resume_completes_it(reference, tmp_path):
    with pytest.raises(ZeroDivisionError), Writer(tmp_path, **MEANING) as writer:
        writer.add_batch(KEYS[:35], dense()[:35])
        raise ZeroDivisionError
    assert not (tmp_path / "index.json").exists() and not list(tmp_path.glob(".*"))
    with pytest.raises(UsageError, match="resume=True"):
        Writer(tmp_path, **MEANING)
    with pytest.raises(RelabelError, match="complete|index"):
        relabel_hdf5.open(tmp_path)
    resume(tmp_path)
    assert shards(tmp_path) == reference


def resume(folder):
    with Writer(folder, **MEANING, resume=True) as writer:
        for key, scores in zip(KEYS, dense()):
            if key not in writer.done:
                writer.add(key, scores)
    return writer


def test_resume_of_what_is_done(reference, tmp_path):
    """All images are packed, and the run died before the index: or all but the last shard, which is not full."""
    with Writer(tmp_path, **MEANING) as writer:
        writer.add_batch(KEYS[:32], dense()[:32])
    (tmp_path / "index.json").unlink()
    with Writer(tmp_path, **MEANING, resume=True) as writer:
        assert len(writer.done) == 32
    assert writer.close()["kept_shards"] == 2
    (tmp_path / "index.json").unlink()
    assert resume(tmp_path).close()["kept_shards"] == 2
    assert shards(tmp_path) == reference
    (tmp_path / "index.json").unlink()
    assert len(Writer(tmp_path, **MEANING, resume=True).done) == 32
    resume(tmp_path)
    assert shards(tmp_path) == reference
    index = json.loads((tmp_path / "index.json").read_text())
    assert index["count"] == index["sources"] == COUNT


def test_resume_where_images_are_left_out_needs_the_list_of_all(tmp_path):
    skipping = {**MEANING, "on_bad_input": "skip"}
    listing = tmp_path / "images.txt"
    listing.write_text("".join(f"{key}.jpg\n" for key in KEYS))

    def write(writer, keys):
        for key in keys:
            if key == KEYS[3]:
                writer.leave_out(key, "no JPEG")
            elif key not in writer.done:
                writer.add(key, dense()[KEYS.index(key)])

    with Writer(tmp_path / "a", **skipping, images=listing) as writer:
        write(writer, KEYS)
    with pytest.raises(KeyError), Writer(tmp_path / "b", **skipping, images=listing) as writer:
        write(writer, KEYS[:30])
        raise KeyError
    assert len(list((tmp_path / "b").glob("*.h5"))) == 1
    with pytest.raises(UsageError, match="--resume needs --images"):
        with Writer(tmp_path / "b", **skipping, resume=True) as writer:
            writer.add(KEYS[-1], dense()[-1])
    with Writer(tmp_path / "b", **skipping, images=listing, resume=True) as writer:
        write(writer, KEYS)
    assert shards(tmp_path / "b") == shards(tmp_path / "a")
    indexes = [json.loads((tmp_path / name / "index.json").read_text()) for name in "ab"]
    assert indexes[0] == indexes[1] and [entry["key"] for entry in indexes[0]["left_out"]] == [KEYS[3]]


def test_resume_refuses_what_does_not_fit(tmp_path):
    with Writer(tmp_path, **MEANING) as writer:
        writer.add_batch(KEYS[:32], dense()[:32])
    (tmp_path / "index.json").unlink()
    with pytest.raises(InvalidDataError, match="same key"), Writer(tmp_path, **MEANING, resume=True) as writer:
        writer.add(KEYS[0], dense()[0])
    with pytest.raises(UsageError, match="other options"):  # noqa: SIM117
        with Writer(tmp_path, **{**MEANING, "score_kind": "probability"}, resume=True) as writer:
            writer.add(KEYS[32], np.full((CLASSES, *GRID), 1 / CLASSES, "f4"))
    content = bytearray((tmp_path / "labels-00001.h5").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "labels-00001.h5").write_bytes(content)
    with pytest.raises(RelabelError, match="labels-00001"), Writer(tmp_path, **MEANING, resume=True) as writer:
        writer.add(KEYS[32], dense()[32])


CHILD = """
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])  # before there are threads that could take it
sys.path.insert(0, sys.argv[2])
import test_writer as t
from relabel_hdf5 import Writer
with Writer(sys.argv[1], **t.MEANING, resume=True) as writer:
    print(writer._packer is None, flush=True)
    for key, scores in zip(t.KEYS, t.dense()):
        if key not in writer.done:
            writer.add(key, scores)
            print(writer._packer._process.pid, flush=True)
            if key == sys.argv[3]:
                signal.sigwait([signal.SIGUSR1])
"""


@pytest.mark.parametrize("victim", ["parent", "packer"])
def test_killed(victim, reference, tmp_path):
    """Whichever of the two dies, and whenever: nothing looks finished, and resuming gives the same bytes."""
    for place in range(KILLS):
        folder = tmp_path / str(place)
        # The parent stops behind one map, so that it is not done before it is killed.
        last = 2 + 33 * place // max(KILLS - 1, 1)
        process = subprocess.Popen([sys.executable, "-c", CHILD, folder, os.path.dirname(__file__), KEYS[last]],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        lines = [process.stdout.readline() for _ in range(2 + last)]
        os.kill(process.pid if victim == "parent" else int(lines[-1]), signal.SIGKILL)
        if victim == "packer":
            process.send_signal(signal.SIGUSR1)
        said = process.communicate()[1]
        assert process.returncode != 0
        if victim == "packer":
            assert "was killed by signal 9" in said
        deadline = time.monotonic() + 30
        while victim == "parent" and os.path.exists(f"/proc/{int(lines[-1])}") and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not (folder / "index.json").exists()
        resume(folder)
        assert shards(folder) == reference


def test_images_that_are_left_out_are_listed(tmp_path):
    with Writer(tmp_path / "a", **MEANING, on_bad_input="skip") as writer:
        with pytest.raises(UsageError, match="first image has to have a map"):
            writer.leave_out("broken", "no JPEG")
        writer.add(KEYS[0], dense()[0])
        writer.leave_out("broken", "no\nJPEG")
        bad = dense()[1:3]
        bad[0, 3, 2, 1] = np.nan
        writer.add_batch(KEYS[1:3], bad)
    index = json.loads((tmp_path / "a" / "index.json").read_text())
    assert [(entry["key"], entry["image_index"]) for entry in index["left_out"]] == [("broken", 1), (KEYS[1], 2)]
    assert index["left_out"][0]["reason"].endswith("its annotator has left it out: no\\nJPEG")
    assert index["count"] == 2
    with pytest.raises(UsageError, match="broken.*on_bad_input='skip'"), Writer(tmp_path / "b", **MEANING) as writer:
        writer.add(KEYS[0], dense()[0])
        writer.leave_out("broken", "no JPEG")


def test_full_disk(tmp_path):
    """A limit on the size of files stands in for a full disk."""
    script = f"""
import resource, signal, sys
sys.path.insert(0, {os.path.dirname(__file__)!r})
import test_writer as t
from relabel_hdf5 import Writer
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
with Writer({str(tmp_path)!r}, **t.MEANING) as writer:
    writer.add_batch(t.KEYS, t.dense())
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.returncode != 0
    assert "labels-00000.h5" in result.stderr, result.stderr
    assert not list(tmp_path.glob("*.h5")) and not (tmp_path / "index.json").exists()


def test_forked_child_holds_no_pipe(tmp_path):
    """A worker that lives on must not keep the packer waiting, nor write."""
    with Writer(tmp_path, **MEANING) as writer:
        writer.add_batch(KEYS, dense())
        child = os.fork()
        if child == 0:
            try:
                writer.add("more", dense()[0])
            except UsageError:
                os._exit(0)
            os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
    assert len(relabel_hdf5.open(tmp_path)) == COUNT


def test_fork_after_the_end_closes_nothing_else(tmp_path):
    """The pipe's number belongs to another file by then."""
    writer = Writer(tmp_path, **MEANING)
    writer.add_batch(KEYS, dense())
    number = writer._packer._pipe
    writer.close()
    with open(os.devnull) as other:
        os.dup2(other.fileno(), number)
        child = os.fork()
        if child == 0:
            try:
                os.fstat(number)
            except OSError:
                os._exit(1)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        os.close(number)


def test_real_maps(tmp_path):
    """The samples from Python, sparse, as `relabel-pack` packs the files."""
    result = pack(SAMPLES / "maps", "--output", tmp_path / "files", "--row-order", "source", "--key-bytes", 256,
                  "--orientation", "yx", "--classes", SAMPLES / "classes.tsv")
    assert result.returncode == 0, result.stderr
    maps = sorted((SAMPLES / "maps").rglob("*.pt"))
    with Writer(tmp_path / "loop", num_classes=1000, score_kind="logit", classes=SAMPLES / "classes.tsv") as writer:
        for path in maps:
            scores, ids = torch.load(path)
            key = path.relative_to(SAMPLES / "maps").with_suffix("").as_posix()
            writer.add(key, (ids.long().movedim(0, -1), scores.movedim(0, -1)))
    assert shards(tmp_path / "loop") == shards(tmp_path / "files")


def test_the_writer_of_the_stream_s_text(reference, tmp_path):
    """The example of spec/stream.md, as it stands there, gives the same bytes through a pipe."""
    (example,) = re.findall(r"^```python\n(.*?)^```", (ROOT / "spec" / "stream.md").read_text(), re.M | re.S)
    names = {}
    exec(compile(example, "stream.md", "exec"), names)
    out = io.BytesIO()
    names["begin"](out, CLASSES, "logit")
    for key, scores in zip(KEYS, dense()):
        names["dense"](out, key, scores)
    names["end"](out, COUNT)
    command = [BIN / "relabel-pack", "-", "--output", tmp_path / "a", "--images-per-shard", "16"]
    result = subprocess.run(command, input=out.getvalue(), capture_output=True)
    assert result.returncode == 0, result.stderr
    assert shards(tmp_path / "a") == reference
    # Without the end record nothing is finished.
    command[3] = tmp_path / "b"
    result = subprocess.run([*command, "--format", "json"], input=out.getvalue()[:-20], capture_output=True)
    assert result.returncode == 5 and not (tmp_path / "b" / "index.json").exists()
    assert "without its end record" in json.loads(result.stdout)["error"]["message"]
