"""Maps and labels as other projects store them: packed, verified, and compared with NumPy to the last bit."""

import io
import json
import pickle
import subprocess
import tarfile

import h5py
import numpy as np
import pytest
import torch
from conftest import BIN, pack
from running import packed, same, sound

safetensors_numpy = pytest.importorskip("safetensors.numpy")

N, C, H, W, K = 6, 30, 4, 6, 3
EXACT = ("--score-encoding", "float32", "--row-order", "source")


def dense(seed=0):
    return np.random.default_rng(seed).normal(size=(N, C, H, W)).astype(np.float32)


def top(maps, k=K):
    """Class ids and scores [N, k, H, W], best first."""
    ids = np.argsort(-maps, axis=1, kind="stable")[:, :k]
    return ids, np.take_along_axis(maps, ids, 1)


def half():
    """Scores and ids as half precision holds them: [N, k, H, W] float16 both."""
    ids, scores = top(dense())
    return ids.astype(np.float16), scores.astype(np.float16)


def stored(folder):
    """{key: (ids, scores)}, [H, W, k] each, by h5py alone."""
    with h5py.File(folder / "labels-00000.h5") as shard:
        keys = [key.decode() for key in shard["image_key"][:]]
        return dict(zip(keys, zip(shard["class_index"][:], shard["score"][:])))


def check(folder, ids, scores, keys=None):
    """The dataset is sound and holds exactly these maps, [N, k, H, W]; None: in the order of their numbers."""
    sound(folder)
    found = stored(folder)
    assert keys is None or list(found) == keys or sorted(found) == sorted(keys)
    assert len(found) == len(ids)
    for place, key in enumerate(keys or found):
        one, other = found[key]
        np.testing.assert_array_equal(one, ids[place].transpose(1, 2, 0).astype(one.dtype))
        np.testing.assert_array_equal(other, scores[place].transpose(1, 2, 0).astype(np.float32))


def text_of(result):
    """The one line that a refusal is."""
    lines = [line for line in result.stderr.splitlines() if line]
    assert len(lines) == 1, result.stderr
    return lines[0]


def refused(code, *words, arguments, **options):
    result = pack(*arguments, timeout=60, **options)
    line = text_of(result)
    assert result.returncode == code, line
    for word in words:
        assert word in line, line
    return line


# PASSL


@pytest.fixture
def passl(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    ids, scores = half()
    for place in range(N):
        np.save(folder / f"n{place}.npy", np.stack([scores[place], ids[place]]))
    return folder


def test_passl_by_its_values_and_by_name(passl, tmp_path):
    ids, scores = half()
    keys = [f"n{place}" for place in range(N)]
    for number, options in enumerate([(), ("--dialect", "passl"), ("--axes", "p k h w")]):
        summary = packed(passl, "-o", tmp_path / f"{number}", *EXACT, *options)
        check(tmp_path / f"{number}", ids, scores, keys)
        assumed = {entry["name"]: entry["value"] for entry in summary["assumed"]}
        assert assumed["dialect"] == "PASSL array" and assumed["orientation"] == "unknown"
        assert assumed["score_kind"] == "logit" and assumed["num_classes"] == "1000"


def test_passl_in_a_tgz_that_was_cut(passl, tmp_path):
    whole = tmp_path / "maps.tgz"
    with tarfile.open(whole, "w:gz", compresslevel=0) as tar:
        for file in sorted(passl.iterdir()):
            tar.add(file, file.name)
    content = whole.read_bytes()
    cuts = [0, len(content) // 3, len(content) // 2, len(content)]
    parts = [tmp_path / f"maps.tgz.{letter}" for letter in "abc"]
    for part, first, last in zip(parts, cuts, cuts[1:]):
        part.write_bytes(content[first:last])
    packed(*parts, "-o", tmp_path / "parts", *EXACT)
    check(tmp_path / "parts", *half(), [f"n{place}" for place in range(N)])
    command = f"cat {' '.join(map(str, parts))} | {BIN / 'relabel-pack'} - -o {tmp_path / 'pipe'} {' '.join(EXACT)}"
    subprocess.run(command, shell=True, check=True, capture_output=True)
    same(tmp_path / "parts", tmp_path / "pipe")
    refused(5, "truncated", arguments=[*parts[:2], "-o", tmp_path / "short"])
    refused(5, "damaged or truncated", arguments=[parts[0], parts[2], parts[1], "-o", tmp_path / "order"])
    refused(64, "has to be the only input", "cat PART*", arguments=[whole, whole, "-o", tmp_path / "twice"])
    (tmp_path / "notes.bin").write_text("nothing" * 1000)
    refused(5, "7000 bytes before the last", arguments=[whole, tmp_path / "notes.bin", "-o", tmp_path / "stranger"])


def test_two_dense_maps_are_no_passl_map(tmp_path):
    batch = dense()[:2]
    np.save(tmp_path / "a.npy", batch)
    options = ("--score-kind", "logit", *EXACT)
    line = refused(5, "looks like a label map", "--dialect passl", "--dialect array",
                   arguments=[tmp_path / "a.npy", "-o", tmp_path / "asked", *options])
    assert "is not a class id" in line
    packed(tmp_path / "a.npy", "-o", tmp_path / "array", "--dialect", "array", "--top-k", K, *options)
    check(tmp_path / "array", *top(batch))
    packed(tmp_path / "a.npy", "-o", tmp_path / "classes", "--num-classes", C, "--top-k", K, *options)
    check(tmp_path / "classes", *top(batch))


def test_half_precision_ids_of_many_classes(passl, tmp_path):
    line = refused(5, "class ids are stored as float16", "2048", "2049",
                   arguments=[passl, "-o", tmp_path / "out", "--num-classes", 2049])
    assert "some ids must be wrong" in line


# kecam


def kecam():
    ids, scores = half()
    planes = np.stack([ids.astype(np.float32), scores.astype(np.float32)], 1)
    return np.abs(planes.transpose(0, 1, 3, 4, 2)).copy()  # [N, 2, H, W, k]; probabilities are positive


def kecam_maps():
    array = kecam()
    array[:, 1] /= 10
    return array, array[:, 0].transpose(0, 3, 1, 2), array[:, 1].transpose(0, 3, 1, 2)


@pytest.mark.parametrize("protocol", [3, 4, 5])
@pytest.mark.parametrize("order", ["C", "F"])
def test_kecam(protocol, order, tmp_path):
    array, ids, scores = kecam_maps()
    keys = [f"train/n{place}" for place in range(N)]
    (tmp_path / "keys.txt").write_text("".join(f"{key}.JPEG\n" for key in keys))
    if order == "F":
        array = np.asfortranarray(array)
    (tmp_path / "labels.pkl").write_bytes(pickle.dumps(array, protocol))
    arguments = [tmp_path / "labels.pkl", "--images", tmp_path / "keys.txt", "--num-classes", C, *EXACT]
    if order == "F":
        refused(5, "ascontiguousarray", arguments=[*arguments, "-o", tmp_path / "out"])
        return
    packed(*arguments, "-o", tmp_path / "out")
    check(tmp_path / "out", ids, scores, keys)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_kecam_by_name(protocol, tmp_path):
    array, ids, scores = kecam_maps()
    named = {f"n{place}.JPEG": array[place] for place in range(N)}
    named["n1.JPEG"] = np.asfortranarray(named["n1.JPEG"])
    (tmp_path / "renamed.bin").write_bytes(pickle.dumps(named, protocol))
    packed(tmp_path / "renamed.bin", "--num-classes", C, "-o", tmp_path / "out", *EXACT)
    check(tmp_path / "out", ids, scores, [f"n{place}" for place in range(N)])


# Arrays


def pair_arrays():
    ids, scores = top(dense())
    return np.ascontiguousarray(ids.transpose(0, 2, 3, 1)), np.ascontiguousarray(scores.transpose(0, 2, 3, 1))


LAYOUTS = {
    "nchw": lambda maps: (maps, None),
    "nhwc": lambda maps: (maps.transpose(0, 2, 3, 1), "n h w c"),
    "nwhc": lambda maps: (maps.transpose(0, 3, 2, 1), "n,x,y,c"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("form", ["npy", "npz", "safetensors"])
def test_dense_in_any_order(layout, form, tmp_path):
    maps = dense()
    array, axes = LAYOUTS[layout](maps)
    array = np.ascontiguousarray(array)
    path = tmp_path / f"maps.{form}"
    if form == "npy":
        np.save(path, array)
    elif form == "npz":
        np.savez_compressed(path, logits=array)
    else:
        safetensors_numpy.save_file({"logits": array}, path)
    kind = ("--score-kind", "logit") if form == "npy" else ()
    options = ("--top-k", K, *kind, *EXACT)
    if axes:
        refused(5, "--axes", arguments=[path, "-o", tmp_path / "asked", "--num-classes", C, *options])
        options = (*options, "--axes", axes)
    packed(path, "-o", tmp_path / "out", *options)
    check(tmp_path / "out", *top(maps))


@pytest.mark.parametrize("form", ["npy", "npz", "safetensors"])
def test_background_first(form, tmp_path):
    maps = dense()
    path = tmp_path / f"maps.{form}"
    if form == "npy":
        np.save(path, maps)
    elif form == "npz":
        np.savez(path, logits=maps)
    else:
        safetensors_numpy.save_file({"logits": maps}, path)
    packed(path, "-o", tmp_path / "out", "--background-first", "--top-k", K, "--score-kind", "logit", *EXACT)
    check(tmp_path / "out", *top(maps[:, 1:]))


def test_background_first_of_kept_classes(tmp_path):
    maps = dense()
    maps[:, 0] += np.where(np.arange(W) % 2, 9, -9)  # the best in odd columns, the worst in others
    ids, scores = top(maps, K + 1)
    np.savez(tmp_path / "maps.npz", class_index=ids.transpose(0, 2, 3, 1), score=scores.transpose(0, 2, 3, 1))
    packed(tmp_path / "maps.npz", "-o", tmp_path / "out", "--background-first", "--score-kind", "logit",
           "--num-classes", C - 1, *EXACT)
    check(tmp_path / "out", *top(maps[:, 1:]))


def test_fortran_and_one_image(tmp_path):
    maps = dense()[:1]
    np.save(tmp_path / "a.npy", np.asfortranarray(maps[0].transpose(1, 2, 0)))
    packed(tmp_path / "a.npy", "-o", tmp_path / "out", "--axes", "h w c", "--top-k", K, "--score-kind", "logit",
           *EXACT)
    check(tmp_path / "out", *top(maps), ["a"])


@pytest.mark.parametrize("form", ["npy", "npz", "safetensors"])
def test_global_vectors(form, tmp_path):
    vectors = dense()[:, :, 0, 0].copy()
    path = tmp_path / f"v.{form}"
    if form == "npy":
        np.save(path, vectors)
    elif form == "npz":
        np.savez(path, logits=vectors)
    else:
        safetensors_numpy.save_file({"logits": vectors}, path)
    options = ("--top-k", K, *EXACT, *(("--score-kind", "logit") if form == "npy" else ()))
    refused(5, "--axes 'n c'", arguments=[path, "-o", tmp_path / "asked", *options])
    packed(path, "-o", tmp_path / "out", "--num-classes", C, *options)
    check(tmp_path / "out", *top(vectors[:, :, None, None]))
    packed(path, "-o", tmp_path / "axes", "--axes", "n c", *options)
    check(tmp_path / "axes", *top(vectors[:, :, None, None]))


SCORE_TYPES = {"F16": torch.float16, "BF16": torch.bfloat16, "F32": torch.float32, "F64": torch.float64}
ID_TYPES = {"I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "U8": torch.uint8}


@pytest.mark.parametrize("score_type", SCORE_TYPES)
@pytest.mark.parametrize("id_type", ID_TYPES)
def test_safetensors_of_any_type(score_type, id_type, tmp_path):
    from safetensors.torch import save_file

    ids, scores = pair_arrays()
    rows = torch.from_numpy(scores).to(SCORE_TYPES[score_type])
    keys = np.array([f"a/n{place}".encode() for place in range(N)], "S8").view(np.uint8).reshape(N, 8)
    path = tmp_path / "a.safetensors"
    tensors = {"score": rows, "class_index": torch.from_numpy(ids).to(ID_TYPES[id_type])}
    save_file(tensors | {"keys": torch.from_numpy(keys)}, path)
    packed(path, "-o", tmp_path / "out", "--score-kind", "logit", "--num-classes", C, *EXACT)
    # Entries of a cell are stored by falling score, equal ones by class.
    found = stored(tmp_path / "out")
    sound(tmp_path / "out")
    wanted = rows.float().numpy()
    for place in range(N):
        one, other = found[f"a/n{place}"]
        np.testing.assert_array_equal(other, wanted[place])
        np.testing.assert_array_equal(np.sort(one, -1), np.sort(ids[place].astype(one.dtype), -1))


def test_safetensors_by_name(tmp_path):
    ids, scores = pair_arrays()
    maps = dense()
    whole = {f"a/n{place}.JPEG": maps[place] for place in range(N)}
    pairs = {f"a/n{place}/score": scores[place] for place in range(N)}
    pairs |= {f"a/n{place}/class_index": ids[place].astype(np.int16) for place in range(N)}
    keys = [f"a/n{place}" for place in range(N)]
    for name, tensors in {"whole": whole, "pairs": pairs}.items():
        safetensors_numpy.save_file(tensors, tmp_path / f"{name}.safetensors")
        packed(tmp_path / f"{name}.safetensors", "-o", tmp_path / name, "--score-kind", "logit", "--num-classes", C,
               "--top-k", K, *EXACT)
        check(tmp_path / name, *top(maps), keys)


def test_axes_that_make_no_sense(tmp_path):
    np.save(tmp_path / "a.npy", dense())
    arguments = [tmp_path / "a.npy", "-o", tmp_path / "out", "--score-kind", "logit"]
    refused(64, "'q' is not an axis", "n (images)", arguments=[*arguments, "--axes", "n q c"])
    refused(64, "names no axis of classes", arguments=[*arguments, "--axes", "n h w"])
    refused(64, "no class ids", arguments=[*arguments, "--axes", "n k h w"])
    refused(5, "3 of them for 4", arguments=[*arguments, "--axes", "c h w"])


# Renamed files, and dialects that the user names


def test_files_are_known_by_their_contents(tmp_path, passl):
    ids, scores = half()
    renamed = tmp_path / "renamed"
    renamed.mkdir()
    (renamed / "n0.pt").write_bytes((passl / "n0.npy").read_bytes())
    torch.save(torch.from_numpy(np.stack([scores[1], ids[1]])), renamed / "n1.npy")
    torch.save(torch.from_numpy(np.stack([scores[2], ids[2]])), renamed / "n2.pth",
               _use_new_zipfile_serialization=False)
    packed(renamed, "-o", tmp_path / "out", *EXACT)
    check(tmp_path / "out", ids[:3], scores[:3], ["n0", "n1", "n2"])
    (tmp_path / "n3.bin").write_bytes((passl / "n3.npy").read_bytes())
    packed(tmp_path / "n3.bin", "-o", tmp_path / "one", *EXACT)
    check(tmp_path / "one", ids[3:4], scores[3:4], ["n3"])


def test_named_dialects_are_insisted_on(tmp_path, passl):
    theirs = tmp_path / "theirs.h5"
    theirs.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(64))
    refused(5, "theirs.h5", "can't be read", arguments=[theirs, "-o", tmp_path / "h"])
    refused(64, "'paddle' is not known", "passl, kecam",
            arguments=[passl, "-o", tmp_path / "a", "--dialect", "paddle"])
    refused(5, "not a file written by torch.save", arguments=[passl, "-o", tmp_path / "b", "--dialect", "relabel"])
    refused(5, "not a pickle", "[N, 2, H, W, k]", arguments=[passl, "-o", tmp_path / "c", "--dialect", "kecam"])
    other = tmp_path / "other"
    other.mkdir()
    for file in passl.iterdir():
        file.rename(other / f"{file.stem}.map")
    (other / "notes.map").write_text("nothing")
    summary = packed(other, "-o", tmp_path / "d", "--dialect", "array", "--axes", "p k h w", *EXACT)
    assert summary["images"] == N and [line.split("/")[-1] for line in summary["ignored"]] == ["notes.map"]


# Labels of whole images


def sets(folder):
    """{key: {class: score}} of the classes that have some."""
    sound(folder)
    return {
        key: {int(one): float(score) for one, score in zip(ids[0, 0], scores[0, 0]) if score > 0}
        for key, (ids, scores) in stored(folder).items()
    }


TABLES = {
    "commas.csv": 'path,label\na/1.jpg,3\n"a/2,x.jpg",1,5\n./b.c/3.png,0,2,4\n',
    "tabs.tsv": "a/1.jpg\t3\r\na/2,x.jpg\t1\t5\r\nb.c/3.png\t0\t2\t4\r\n",
    "names.tsv": "a/1.jpg\tn3\na/2,x.jpg\tn1\tfive\nb.c/3.png\t0\tn2\tfour\n",
    "document.json": json.dumps({"a/1.jpg": 3, "a/2,x.jpg": [1, 5], "b.c/3.png": [0, 2, "n4"]}),
}


@pytest.fixture
def classes(tmp_path):
    names = ["zero", "one", "two", "three", "four", "five"]
    path = tmp_path / "classes.txt"
    path.write_text("".join(f"n{place}\t{name}\n" for place, name in enumerate(names)))
    return path


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("relation", ["exclusive", "independent"])
def test_labels_without_scores(name, relation, tmp_path, classes):
    (tmp_path / name).write_bytes(TABLES[name].encode())
    arguments = [tmp_path / name, "--classes", classes, *EXACT]
    refused(64, "up to 3 labels", "--classes-are exclusive", "independent",
            arguments=[*arguments, "-o", tmp_path / "asked"])
    packed(*arguments, "-o", tmp_path / "out", "--classes-are", relation)
    found = sets(tmp_path / "out")
    share = (lambda n: float(np.float32(1) / np.float32(n))) if relation == "exclusive" else (lambda n: 1.0)
    assert found == {
        "a/1": {3: 1.0}, "a/2,x": {1: share(2), 5: share(2)}, "b.c/3": {0: share(3), 2: share(3), 4: share(3)},
    }


def test_one_label_needs_no_relation(tmp_path):
    (tmp_path / "a.csv").write_text("a/1.jpg,3\na/2.jpg,1\n")
    packed(tmp_path / "a.csv", "-o", tmp_path / "out", "--num-classes", 6, *EXACT)
    assert sets(tmp_path / "out") == {"a/1": {3: 1.0}, "a/2": {1: 1.0}}


def test_labels_with_scores(tmp_path):
    (tmp_path / "a.txt").write_text("a/1.jpg 3:.5 0:0.25\na/2.jpg 1:1e-1\n")
    (tmp_path / "b.json").write_text(json.dumps({"a/1.jpg": {"3": 0.5, "0": 0.25}, "a/2.jpg": {"1": 0.1}}))
    for name, options in {"a.txt": ("--dialect", "labels"), "b.json": ()}.items():
        arguments = [tmp_path / name, "--num-classes", 6, *EXACT, *options]
        refused(64, "--score-kind", arguments=[*arguments, "-o", tmp_path / "asked"])
        packed(*arguments, "-o", tmp_path / name.replace(".", "-"), "--score-kind", "probability")
        found = sets(tmp_path / name.replace(".", "-"))
        assert found == {"a/1": {3: 0.5, 0: 0.25}, "a/2": {1: float(np.float32(0.1))}}
    refused(5, "different numbers of labels", "give probabilities",
            arguments=[tmp_path / "b.json", "--num-classes", 6, "-o", tmp_path / "log", "--score-kind",
                       "log-probability"])
    refused(5, "different numbers of labels",
            arguments=[tmp_path / "b.json", "--num-classes", 6, "-o", tmp_path / "sigmoid", "--score-kind", "logit",
                       "--classes-are", "independent"])


def test_real(tmp_path):
    (tmp_path / "real.json").write_text("[[1, 2], [3], [], [4, 5, 0]]")
    (tmp_path / "images.txt").write_text("".join(f"val/ILSVRC2012_val_{n:08d}.JPEG\n" for n in range(1, 5)))
    arguments = [tmp_path / "real.json", "--num-classes", 6, "--classes-are", "independent", *EXACT]
    refused(64, "4 lists and no names", "--images", arguments=[*arguments, "-o", tmp_path / "asked"])
    arguments += ["--images", tmp_path / "images.txt"]
    refused(5, "list 2: it has no label", "--on-bad-input skip", arguments=[*arguments, "-o", tmp_path / "empty"])
    summary = packed(*arguments, "-o", tmp_path / "out", "--on-bad-input", "skip", code=3)
    assert [entry["key"] for entry in summary["left_out"]] == ["val/ILSVRC2012_val_00000003"]
    assert sets(tmp_path / "out") == {
        "val/ILSVRC2012_val_00000001": {1: 1.0, 2: 1.0}, "val/ILSVRC2012_val_00000002": {3: 1.0},
        "val/ILSVRC2012_val_00000004": {4: 1.0, 5: 1.0, 0: 1.0},
    }
    (tmp_path / "images.txt").write_text("a.JPEG\n")
    refused(64, "the image list has 1 lines", arguments=[*arguments, "-o", tmp_path / "short"])


def test_multilabel_tsv(tmp_path):
    (tmp_path / "train.tsv").write_text("n0/n0_1.JPEG\t0\t0,391\t.2654,1.0\nn0/n0_2.JPEG\t-1\t5\t.9\n")
    arguments = [tmp_path / "train.tsv", "--num-classes", 1000, *EXACT]
    refused(5, "sum to more than 1", "--classes-are independent", arguments=[*arguments, "-o", tmp_path / "asked"])
    packed(*arguments, "-o", tmp_path / "out", "--classes-are", "independent")
    assert sets(tmp_path / "out") == {
        "n0/n0_1": {0: float(np.float32(0.2654)), 391: 1.0}, "n0/n0_2": {5: float(np.float32(0.9))},
    }
    with h5py.File(tmp_path / "out/labels-00000.h5") as shard:
        assert shard["source_label"][:].tolist() == [0, -1]


WRONG_TABLES = {
    "unknown class": ("a.jpg,cat\n", "the label 'cat' is not known", "--classes"),
    "twice": ("a.jpg,1,1\n", "a label twice", "line 1"),
    "no label": ("a.jpg,1\nb.jpg\n", "line 2", "no label"),
    "some scores": ("a.jpg,1:0.5,2\n", "only some of its labels have scores"),
    "mixed lines": ("a.jpg,1:0.5\nb.jpg,1\n", "line 2", "those before have"),
    "no score": ("a.jpg,1:x\n", "'x' behind the colon"),
    "infinite": ("a.jpg,1:inf\n", "is not a score"),
    "quote": ('"a.jpg,1\n', "opens a quote"),
    "nul": ("a.jpg\0,1\n", "not text"),
    "beyond": ("a.jpg,7\n", "7"),
    "key twice": ("a.jpg,1\na.png,2\n", "same key"),
}


@pytest.mark.parametrize("name", WRONG_TABLES)
def test_wrong_tables(name, tmp_path):
    text, *words = WRONG_TABLES[name]
    (tmp_path / "a.csv").write_text(text)
    refused(5, *words, arguments=[tmp_path / "a.csv", "-o", tmp_path / "out", "--num-classes", 6,
                                  "--score-kind", "probability"])


# Dry run


def test_dry_run_says_what_packing_would_do(tmp_path, passl):
    out = tmp_path / "out"
    result = pack(passl, "-o", out, "--dry-run")
    assert result.returncode == 0 and not out.exists()
    for words in ("6 images", "PASSL array", "plane 0 scores", "logit", "1000", "4×6, k = 3", "would     pack"):
        assert words in result.stdout, result.stdout
    forecast = json.loads(pack(passl, "-o", out, "--dry-run", "--format", "json").stdout)
    assert not out.exists() and forecast["would_pack"] and forecast["error"] is None
    assert forecast["images"] == N and forecast["keys"][0] == "n0" and forecast["grid"] == [H, W] and forecast["k"] == K
    summary = packed(passl, "-o", out)
    assert 0.5 < forecast["output_bytes"] / summary["output_bytes"] < 2
    result = pack(passl, "-o", out, "--dry-run")
    assert result.returncode == 64 and "a finished dataset is here already" in result.stderr


def test_dry_run_names_what_it_would_ask(tmp_path):
    _, scores = pair_arrays()
    ids, _ = pair_arrays()
    np.savez(tmp_path / "a.npz", class_index=ids, score=scores)
    arguments = [tmp_path / "a.npz", "-o", tmp_path / "out", "--dry-run"]
    result = pack(*arguments)
    assert result.returncode == 64 and "--score-kind" in result.stdout and "--num-classes" in result.stdout
    forecast = json.loads(pack(*arguments, "--format", "json").stdout)
    assert [question["option"].split()[0] for question in forecast["questions"]] == ["--score-kind", "--num-classes"]
    assert forecast["error"]["exit_code"] == 64 and not forecast["would_pack"]
    result = pack(*arguments, "--score-kind", "logit", "--num-classes", C)
    assert result.returncode == 0 and list(tmp_path.iterdir()) == [tmp_path / "a.npz"]


def test_dry_run_ends_as_packing_does(tmp_path, passl):
    (passl / "n3.npy").write_bytes(b"nothing")
    real = pack(passl, "-o", tmp_path / "out")
    dry = pack(passl, "-o", tmp_path / "dry", "--dry-run")
    assert real.returncode == dry.returncode == 5 and text_of(real) == text_of(dry)
    skipping = pack(passl, "-o", tmp_path / "dry", "--dry-run", "--on-bad-input", "skip")
    assert skipping.returncode == 3 and "left out" in skipping.stdout


# A pipe that was interrupted


def tar_of(files, end=True):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    content = buffer.getvalue()
    return content if end else content[: len(content) - 20_000]


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def piped(content, *arguments):
    return subprocess.run([str(BIN / "relabel-pack"), "-", *map(str, arguments)], input=content, capture_output=True,
                          timeout=60)


def many(count=150):
    rng = np.random.default_rng(1)
    files = [(f"n{place % 7}/i{place}.npy", npy(rng.normal(size=(8, 2, 2)).astype("f4"))) for place in range(count)]
    files[20] = (files[20][0], b"broken")
    return files


OPTIONS = ("--score-kind", "logit", "--num-classes", "8", "--top-k", "3", "--images-per-shard", "40")


@pytest.mark.parametrize("listed", [False, True])
def test_a_tar_goes_on_where_it_was_interrupted(listed, tmp_path):
    files = many()
    options = [*OPTIONS, "--on-bad-input", "skip"]
    if listed:
        (tmp_path / "list.txt").write_text("".join(f"{name}\n" for name, _ in reversed(files)))
        options += ["--images", tmp_path / "list.txt"]
    assert piped(tar_of(files), "-o", tmp_path / "whole", *options).returncode == 3
    assert piped(tar_of(files, end=False), "-o", tmp_path / "cut", *OPTIONS).returncode == 5
    cut = piped(tar_of(files[:100]), "-o", tmp_path / "cut", *options)
    assert cut.returncode == 3
    (tmp_path / "cut/index.json").unlink()
    before = {file.name: file.stat().st_ino for file in (tmp_path / "cut").glob("*.h5")}
    result = piped(tar_of(files), "-o", tmp_path / "cut", *options, "--resume")
    assert result.returncode == 3, result.stderr
    assert b"kept      2 shards" in result.stdout
    same(tmp_path / "whole", tmp_path / "cut")
    after = {file.name: file.stat().st_ino for file in (tmp_path / "cut").glob("*.h5")}
    assert [name for name in sorted(before) if before[name] == after[name]] == sorted(before)[:2]


def test_another_tar_does_not_go_on(tmp_path):
    files = [file for place, file in enumerate(many()) if place != 20]
    assert piped(tar_of(files[:100]), "-o", tmp_path / "out", *OPTIONS).returncode == 0
    (tmp_path / "out/index.json").unlink()
    for changed, words in [
        (files[1:], b"packed this image as image 1, and now it is image 0"),
        (files[:50], b"30 images that the earlier run has packed have not come"),
    ]:
        result = piped(tar_of(changed), "-o", tmp_path / "out", *OPTIONS, "--resume")
        assert result.returncode == 64 and words in result.stderr, result.stderr
    twice = piped(tar_of([*files, files[3]]), "-o", tmp_path / "out", *OPTIONS, "--resume")
    assert twice.returncode == 5 and b"is there twice" in twice.stderr


# Strangers


def header_only(document, behind=0):
    text = json.dumps(document).encode() if isinstance(document, dict) else document
    return len(text).to_bytes(8, "little") + text + bytes(behind)


class Calls:
    def __reduce__(self):
        return (print, ("called",))


def bytes_of(length):
    """A pickle that announces an array's bytes and holds none."""
    whole = pickle.dumps(np.zeros((N, 2, H, W, K), np.float32), 4)
    place = whole.index(b"B", whole.index(b"\x89")) + 1
    return whole[:place] + length.to_bytes(4, "little")


def shaped(shape):
    """A pickle of an array with another shape than its bytes have."""
    whole = pickle.dumps(np.zeros((N, 2, H, W, K), np.float32), 4)
    return whole.replace(bytes([ord("K"), N, ord("K"), 2]), bytes([ord("K"), shape, ord("K"), 2]))


def tensor(**changes):
    member = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]} | changes
    return header_only({"a": member}, 16)


HOSTILE = {
    "calls.pkl": (pickle.dumps(Calls(), 4), 4, "it was not executed"),
    "calls-in-list.pkl": (pickle.dumps([np.zeros(4), Calls()], 4), 4, "it was not executed"),
    "objects.pkl": (pickle.dumps(np.array([Calls()], object), 4), 4, "not executed"),
    "list.pkl": (pickle.dumps([1, 2], 4), 5, "holds something else"),
    "protocol0.pkl": (pickle.dumps(np.zeros(4), 0), 5, "not a pickle of protocol 2 to 5"),
    "truncated.pkl": (bytes_of(1 << 30), 5, "truncated"),
    "shape.pkl": (shaped(N + 1), 5, "needs"),
    "trailing.pkl": (pickle.dumps(np.zeros((N, 2, H, W, K), np.float32), 4) + b"x", 5, "trailing"),
    "nested.pkl": (b"\x80\x04" + b"]" * 500 + b"a" * 499 + b".", 4, "nests"),
    "deep-text.pkl": (b"\x80\x02X" + (1 << 28).to_bytes(4, "little") + b"x" * 100, 5, "truncated"),
    "huge-header.safetensors": ((1 << 62).to_bytes(8, "little") + b"{}", 5, "declare a header"),
    "negative-header.safetensors": (b"\xff" * 8 + b"{}", 5, "declare a header"),
    "not-json.safetensors": (header_only(b"{'a': 1}"), 5, "not JSON"),
    "array.safetensors": (header_only(b"[1, 2]"), 5, "not a JSON object"),
    "empty.safetensors": (header_only(b"{}"), 5, "holds no tensor"),
    "nothing.safetensors": (b"", 5, ""),
    "type.safetensors": (tensor(dtype="F8_E4M3"), 5, "F8_E4M3"),
    "behind.safetensors": (tensor(data_offsets=[8, 24]), 5, "16 bytes follow"),
    "backwards.safetensors": (tensor(data_offsets=[16, 0]), 5, "lies at"),
    "fractions.safetensors": (tensor(shape=[2.5, 2]), 5, "shape is wrong"),
    "negative.safetensors": (tensor(shape=[-2, -2]), 5, "shape is wrong"),
    "overflow.safetensors": (tensor(shape=[1 << 40, 1 << 40]), 5, "overflows"),
    "size.safetensors": (tensor(shape=[2, 3]), 5, "needs 24 bytes"),
    "no-offsets.safetensors": (header_only({"a": {"dtype": "F32", "shape": [2]}}), 5, "lacks"),
    "bomb.json": (b"[" * 100_000, 5, "not JSON"),
    "text.json": (b"hello", 5, "not JSON"),
    "long-line.csv": (b"a" * (3 << 20), 4, "longer than"),
    "binary.csv": (bytes(range(256)) * 64, 5, "not text"),
    "empty.csv": (b"", 5, "empty"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_one_line(name, tmp_path):
    content, code, words = HOSTILE[name]
    (tmp_path / name).write_bytes(content)
    measured = subprocess.run(
        ["/usr/bin/env", "python3", "-c", MEASURE, str(BIN / "relabel-pack"), str(tmp_path / name), "-o",
         str(tmp_path / "out"), "--num-classes", "30", "--score-kind", "probability", "--classes-are", "exclusive"],
        capture_output=True, text=True, timeout=60,
    )
    status, megabytes, output = json.loads(measured.stdout)
    lines = [line for line in output.splitlines() if line]
    assert len(lines) == 1 and lines[0].startswith("Error: ") and words in lines[0], output
    assert status == code and megabytes < 200, (status, megabytes)
    assert not (tmp_path / "out/index.json").exists() and "called" not in output


MEASURE = """
import json, resource, subprocess, sys
result = subprocess.run(sys.argv[1:], capture_output=True, text=True)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(json.dumps([result.returncode, peak, result.stdout + result.stderr]))
"""


# And back


def exported(dataset, name, folder):
    from relabel_hdf5.exporting import Options, export

    export([dataset], name, folder, Options())
    return folder


def test_passl_there_and_back(passl, tmp_path):
    packed(passl, "-o", tmp_path / "a", *EXACT)
    back = exported(tmp_path / "a", "passl", tmp_path / "back")
    for file in passl.iterdir():
        one, other = np.load(file), np.load(back / file.name)
        assert other.dtype == one.dtype
        np.testing.assert_array_equal(other, one)
    packed(back, "-o", tmp_path / "b", *EXACT)
    check(tmp_path / "b", *half(), [f"n{place}" for place in range(N)])


def test_kecam_there_and_back(tmp_path):
    array, ids, scores = kecam_maps()
    keys = [f"train/n{place}" for place in range(N)]
    (tmp_path / "keys.txt").write_text("".join(f"{key}\n" for key in keys))
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(array, 4))
    packed(tmp_path / "a.pkl", "--images", tmp_path / "keys.txt", "--num-classes", C, "-o", tmp_path / "a", *EXACT)
    back = exported(tmp_path / "a", "kecam", tmp_path / "back")
    assert (back / "keys.txt").read_text().split() == keys
    loaded = pickle.loads((back / "token_labels.pkl").read_bytes())
    np.testing.assert_array_equal(loaded, array)
    packed(back / "token_labels.pkl", "--images", back / "keys.txt", "--num-classes", C, "-o", tmp_path / "b", *EXACT)
    check(tmp_path / "b", ids, scores, keys)
