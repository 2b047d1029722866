"""Checks labels of crops on files of the authors' own writers; see tools/check-views."""

import hashlib
import io
import json
import os
import pathlib
import pickle
import sys
import tempfile
import time
import zlib

import h5py
import numpy as np
import torch

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tools" / "checking"), str(ROOT / "tools" / "python" / "src")]

from running import SAMPLES, pack, verify

from relabel_hdf5.exporting import StoredFiles, export

# Below which folder of the output and of the source the files lie, where they don't lie in it itself.
BELOW = {"sre2l": "labels", "edc": "labels", "lpld": "labels", "lpqld": "labels"}
SOURCE = {"ml-dr": "reinforced_data"}
# Programs are told a folder below that one.
TOLD = {"fkd": "imagenet/train", "hald": "*"}


def main(data, wanted):
    """Checks the variants below a folder; 1 if one of them fails."""
    failed = 0
    for path in sorted(data.glob("*/*/expected.json")):
        name = path.parent.relative_to(data).as_posix()
        if wanted and name not in wanted:
            continue
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as scratch:
            try:
                said = checked(path.parent, json.loads(path.read_text()), pathlib.Path(scratch))
                verdict = "OK"
            except (AssertionError, RuntimeError, ValueError, OSError, KeyError) as error:
                said, verdict = f"{type(error).__name__}: {str(error)[:600]}", "FAILED"
                failed += 1
        print(f"{verdict:6} {name}: {said} [{time.monotonic() - start:.1f} s]", flush=True)
    return 1 if failed else 0


def checked(folder, expected, scratch):
    """Checks one variant and says what was found; raises where something differs."""
    dialect = expected["format"]
    labels, dataset = folder / "labels", scratch / "dataset"
    packed = pack(labels, "--output", dataset, *options(expected, scratch))
    assert packed.returncode == 0, f"relabel-pack: {packed.stderr.strip()}"
    code, report = verify(dataset)
    assert code == 0, f"relabel-verify: {[finding['message'] for finding in report['findings']][:3]}"
    rows = stored(dataset)
    records = meanings(expected, rows)
    done = export([dataset], dialect, scratch / "out")
    source, out = labels / SOURCE.get(dialect, ""), scratch / "out" / BELOW.get(dialect, "")
    files = same_files(source, out)
    answers = same_answers(source, dataset, dialect) if dialect != "tinyvit" else "as bytes"
    own = sum(path.stat().st_size for path in dataset.rglob("*") if path.is_file())
    theirs = sum(path.stat().st_size for path in source.rglob("*") if path.is_file())
    lost = [loss for loss in done.losses if not loss.startswith("only export.json")]
    return (
        f"{len(rows['view'])} views, {records} records as expected, {files} files back, {answers} answered, "
        f"{own / theirs:.2f} of its bytes" + (f"; lost: {lost}" if lost else "")
    )


def options(expected, scratch):
    """What the packer has to be told of a variant."""
    said = expected["conventions"]
    listing = scratch / "images.txt"
    listing.write_text("".join(f"{row['image']}\n" for row in expected["images"]))
    kind = said["score_kind"].split()[0].replace("none", "probability")
    found = ["--dialect", expected["format"], "--score-kind", kind, "--pictures", SAMPLES / "images"]
    if expected["format"] != "fkd":
        found += ["--images", listing]
    if "num_classes" in said:
        found += ["--num-classes", said["num_classes"]]
    if kind == "probability" and said.get("temperature_applied", 1) != 1:
        found += ["--temperature", said["temperature_applied"]]
    if expected["format"] == "fkd" and "label_type" in said:
        found += ["--label-type", said["label_type"]]
    if expected["format"] not in ("ml-dr",):
        found += ["--view-size", "224x224"]
    return found


def stored(dataset):
    """All rows of a dataset by h5py: columns, ids and decoded scores, and `operations` as objects."""
    parts = []
    for path in sorted(dataset.glob("*.h5")):
        with h5py.File(path) as file:
            part = {name: file[name][:] for name in file}
            attributes = file["score"].attrs
            if "scale_factor" in attributes:
                part["score"] = part["score"] * attributes["scale_factor"] + attributes["add_offset"]
            parts.append(part)
    rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    if "operations" in rows:
        rows["operations"] = [json.loads(text) if text else {} for text in rows["operations"].tolist()]
    return rows


# ------------------------------------------------------------------------------- what the records mean


def meanings(expected, rows):
    """Compares rows with the records that say what they mean; gives the number of records."""
    dialect = expected["format"]
    placed = {place(dialect, rows, row): row for row in range(len(rows["view"]))}
    assert len(placed) == len(rows["view"]), "two rows have one place"
    compared = 0
    for record in expected["records"]:
        if record.get("orphan"):
            continue  # a crop without labels is no row
        name = wanted_place(dialect, record)
        assert name in placed, f"no row for {name}"
        differ = [what for what, is_same in facts(dialect, record, rows, placed[name]) if not is_same]
        assert not differ, f"{name}: {', '.join(differ)} differ"
        compared += 1
    assert {wanted_place(dialect, record) for record in expected["records"] if not record.get("orphan")} == placed.keys()
    return compared


def place(dialect, rows, row):
    """What tells a row from others in the source."""
    if dialect == "fkd":
        return rows["image_key"][row].decode(), int(rows["view"][row])
    if dialect == "ml-dr":
        return int(rows["image_index"][row]), int(rows["view"][row])
    return tuple(rows["replay"][row].tolist())


def wanted_place(dialect, record):
    if dialect == "fkd":
        path = record["file"].rpartition(".")[0]
        return path.removeprefix("imagenet/train/"), record["crop"]
    if dialect == "ml-dr":
        return record["image_index"], record["sample"]
    if dialect == "tinyvit":
        return record["epoch"], record["line"], record["rank"]
    return record["epoch"] or 0, record["batch"], record["slot"]


def facts(dialect, record, rows, row):
    """Names of facts, each with whether the row says what the record says."""
    if dialect == "fkd":
        yield "key", record["image"].partition(".")[0] == rows["image_key"][row].decode()
    else:
        yield "image", rows["image_index"][row] == record["image_index"]
        if not (dialect == "tinyvit" or dialect == "ml-dr"):
            yield "key", rows["image_key"][row].decode() == record["image"].rpartition(".")[0]
    if dialect == "tinyvit":
        yield "seed", rows["view_seed"][row] == record["seed"]
    else:
        yield "box", np.array_equal(rows["view_box"][row], record["crop_box_fraction"])
        flip = record["flip"]
        yield "flip", (rows["view_flip"][row] if "view_flip" in rows else 255) == (255 if flip is None else flip)
        yield from mixes(record, rows, row)
    ids, scores = rows["class_index"][row, 0, 0], rows["score"][row, 0, 0]
    if record["ids"] is not None:
        yield "ids", record["ids"] == ids.tolist()
        said = record["scores"]
        yield "scores", (scores == 1).all() if said is None else np.array_equal(np.float64(said), np.float64(scores))
    else:
        whole = record["scores"]
        kind = np.dtype(whole["dtype"])
        yield "ids", np.array_equal(ids, np.arange(whole["n"]))
        yield "scores", hashlib.sha256(scores.astype(kind.newbyteorder("<")).tobytes()).hexdigest() == whole["sha256_le_bytes"]


def mixes(record, rows, row):
    """How a row was mixed: a record says it of one way, or of both in a list."""
    said = record.get("mix") or []
    said = {mix["kind"]: mix for mix in (said if isinstance(said, list) else [said])}
    for way in ("mixup", "cutmix"):
        share = rows[f"{way}_lambda"][row] if f"{way}_lambda" in rows else np.nan
        if way not in said:
            yield f"no {way}", np.isnan(share)
            continue
        mix = said[way]
        partner = record.get("partner") or mix
        yield f"{way} lambda", share == mix["lambda"]
        wanted = [partner["partner_image_index"], mix.get("partner_slot", -1)]
        yield f"{way} partner", rows[f"{way}_partner"][row].tolist() == wanted
        if way == "cutmix":
            yield "box of cutmix", rows["cutmix_box"][row].tolist() == mix["box_rows_first_output_pixels"]


# ------------------------------------------------------------------------------------- files back again


def same_files(source, out):
    """Compares an export with the files that its shards were made of; gives their number."""
    wanted = {path.relative_to(source).as_posix(): path for path in source.rglob("*") if path.is_file()}
    found = {path.relative_to(out).as_posix(): path for path in out.rglob("*") if path.is_file()}
    found.pop("export.json", None)
    assert found.keys() == wanted.keys(), f"files differ: {sorted(found.keys() ^ wanted.keys())[:4]}"
    for name, path in wanted.items():
        same(loaded(found[name]), loaded(path), name)
    return len(wanted)


def same_answers(source, dataset, dialect):
    """Compares what programs are told of files with the files; gives their number."""
    files = StoredFiles(dataset, dialect)
    root = source / TOLD.get(dialect, "")
    root = next(source.iterdir()) if dialect == "hald" else root
    paths = [path for path in root.rglob("*") if path.is_file()]
    for path in paths:
        name = path.relative_to(root).as_posix()
        same(files.get(name), loaded(path), f"answer for {name}")
    return len(paths)


def loaded(path):
    """What a file holds: of `torch.save`, of joblib, or JSON; else its bytes."""
    content = path.read_bytes()
    if content[:2] == b"PK":
        return torch.load(io.BytesIO(content), weights_only=False)
    if path.suffix == ".json":
        return json.loads(content)
    return pickle.loads(zlib.decompress(content)) if content[:1] == b"x" and path.suffix == ".tar" else content


def same(found, wanted, where):
    """Raises `AssertionError` where two objects differ in a type or a bit of what they hold."""
    assert type(found) is type(wanted), f"{where} is {type(found).__name__}, not {type(wanted).__name__}: {found!r:.80}"
    if isinstance(wanted, (torch.Tensor, np.ndarray)):
        one, other = np.asarray(found), np.asarray(wanted)
        assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape), f"{where}: {found.dtype} {found.shape}"
        assert one.tobytes() == other.tobytes(), f"values of {where} differ"
    elif isinstance(wanted, (list, tuple)):
        assert len(found) == len(wanted), f"{where} has {len(found)} members, not {len(wanted)}"
        for number, (one, other) in enumerate(zip(found, wanted)):
            same(one, other, f"{where}[{number}]")
    elif isinstance(wanted, dict):
        assert found.keys() == wanted.keys(), f"members of {where}: {sorted(map(str, found.keys() ^ wanted.keys()))}"
        for name in wanted:
            same(found[name], wanted[name], f"{where}.{name}")
    else:
        assert found == wanted, f"{where} is {found!r:.80}, not {wanted!r:.80}"


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main(pathlib.Path(sys.argv[1]), set(sys.argv[2:])))
