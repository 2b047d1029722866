#!/usr/bin/env python3
"""Makes the folders of labels of crops in views/, and views/expected.json, with torch and numpy as the oracle.

Run it here: python3 generate_views.py (torch, numpy). Nothing here is anybody's program: the files have the
layouts that the doc comments of Sources/AnnotatorOutputs/Views/Dialects describe. All but two files are zipped
again without what torch adds, so that they stay small.
"""

import io
import json
import os
import pickle
import shutil
import struct
import zipfile
import zlib

import numpy as np
import torch

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "views")
C = 5
IMAGES = ["a/x.JPEG", "a/y.JPEG", "b/z.JPEG"]
SIZES = {"a/x": (60, 80), "a/y": (50, 40), "b/z": (30, 90)}
expected = {}
rng = np.random.default_rng(7)


def small(data, numpy="numpy._core"):
    """The same zip with the pickle and the storages alone, compressed; NumPy 1 has another module name."""
    old, new = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    with zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as out:
        for name in old.namelist():
            if name.endswith("data.pkl") or "/data/" in name or name.endswith("byteorder"):
                data = old.read(name)
                if name.endswith("data.pkl"):
                    data = data.replace(b"numpy._core", numpy.encode())
                out.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return new.getvalue()


def save(name, value, keep=False, protocol=2, numpy="numpy._core"):
    buffer = io.BytesIO()
    torch.save(value, buffer, pickle_protocol=protocol)
    write(name, buffer.getvalue() if keep else small(buffer.getvalue(), numpy))


def write(name, data):
    full = os.path.join(HERE, name)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "wb") as file:
        file.write(data)


def row(image, view, ids, scores, **facts):
    """A row as it has to arrive; facts are bytes in the order of the layout, operations a text."""
    order = "view view_box view_flip view_seed replay mixup_lambda mixup_partner".split()
    order += "cutmix_lambda cutmix_box cutmix_partner".split()
    facts["view"] = struct.pack("<i", view)
    return {
        "key": image.rsplit(".", 1)[0],
        "index": IMAGES.index(image),
        "ids": [int(i) for i in ids],
        "score_bits": [int(b) for b in np.asarray(scores, np.float32).view(np.uint32)],
        "facts": [facts[name].hex() for name in order if name in facts],
        "operations": facts.get("operations", b"").decode().rstrip("\0"),
    }


def doubles(values):
    return np.asarray(values, "<f8").tobytes()


def mix(kind, lam, partner, slot, box=None):
    facts = {
        kind + "_lambda": struct.pack("<d", lam),
        kind + "_partner": struct.pack("<2q", partner, slot),
    }
    if kind == "cutmix":
        facts["cutmix_box"] = struct.pack("<4i", *box)
    return facts


def crops(count, dtype):
    return torch.tensor(rng.uniform(0.1, 0.6, (count, 4)), dtype=dtype)


def batch(images, dtype, kind, views, epoch, number, numbers="pictures"):
    """A list of SRe2L's six slots and its rows."""
    count = len(images)
    coords, flip = crops(count, torch.float32), torch.tensor(rng.integers(0, 2, count) == 1)
    scores = torch.tensor(rng.normal(size=(count, C)), dtype=dtype)
    slots = torch.tensor([(i + 1) % count for i in range(count)])
    lam, box = float(rng.beta(1, 1)), [np.int64(v) for v in (3, 0, 224, 130)]
    items = [coords, flip, None, None, None, scores]
    if kind:
        items[2:5] = [slots, lam, box if kind == "cutmix" else None]
    rows = []
    for slot, image in enumerate(images):
        partner = IMAGES.index(images[(slot + 1) % count])
        facts = mix(kind, lam, partner, (slot + 1) % count, box) if kind else {}
        rows.append(
            row(
                image,
                views(image),
                range(C),
                scores[slot].float().numpy(),
                view_box=doubles(coords[slot].double().numpy()),
                view_flip=bytes([int(flip[slot])]),
                replay=struct.pack("<3i", epoch, number, slot),
                **facts,
            )
        )
    return items, rows


def counter():
    counts = {}

    def views(image):
        counts[image] = counts.get(image, -1) + 1
        return counts[image]

    return views


def sre2l():
    generator = torch.Generator()
    generator.manual_seed(42)
    sampler = torch.utils.data.RandomSampler(range(len(IMAGES)), generator=generator)
    views, rows = counter(), []
    for epoch in range(2):
        order = [IMAGES[i] for i in sampler]
        for number, images in enumerate([order[:2], order[2:]]):
            items, more = batch(images, torch.float16, "cutmix", views, epoch, number)
            save(f"sre2l/epoch_{epoch}/batch_{number}.tar", items, keep=epoch + number == 0)
            rows += more
    expected["sre2l"] = {"rows": rows, "kind": "logit", "size": True}


def lpld():
    views = counter()
    order = [2, 0]
    items, rows = batch([IMAGES[i] for i in order], torch.float32, "mixup", views, 0, 0)
    save("lpld/epoch_0/batch_0.tar", items)
    write("lpld/sampler_indices_epoch.json", json.dumps({"0": order}).encode())
    expected["lpld"] = {"rows": rows, "kind": "logit"}


def hald():
    views, epoch, rows, order = counter(), [], [], [1, 2, 0]
    for number, part in enumerate([order[:2], order[2:]]):
        items, more = batch([IMAGES[i] for i in part], torch.float16, "cutmix", views, 0, number)
        epoch.append(items)
        rows += more
    save("hald/FKD_bs2_slc1_ipc1/epoch_0.tar", epoch, numpy="numpy.core")
    save("hald/FKD_bs2_slc1_ipc1/sampler_indices_dict.pt", {"0": order})
    expected["hald"] = {"rows": rows, "kind": "logit", "size": True}


def edc():
    views = counter()
    images = [IMAGES[1], IMAGES[2]]
    items, rows = batch(images, torch.float16, None, views, 0, 0)
    pixels = [[5, 7, 30, 20], [1, 40, 29, 50]]
    stored = []
    for item, (top, left, height, width), image in zip(rows, pixels, images):
        h, w = SIZES[item["key"]]
        stored.append([top / w, left / h, height / w, width / h])
        item["facts"][1] = doubles([top / h, left / w, height / h, width / w]).hex()
    items[0] = torch.tensor(stored)
    items += [torch.tensor([1, 2]), torch.tensor([[[0, 0], [0, 0]], [[1, 0], [0, 1]]]).int()]
    rows[1]["operations"] = '{"permutation":[[1,0],[0,1]]}'
    save("edc/epoch_0/batch_0.tar", items)
    expected["edc"] = {"rows": rows, "kind": "logit", "pictures": True}


def lpqld():
    coords, flip = crops(2, torch.float16), torch.tensor([True, False])
    scores = torch.tensor([[3.5, 1.25], [2.0, -0.5]], dtype=torch.float16)
    ids = np.array([[4, 40000], [0, 3]], np.uint16)
    rand = [
        [torch.tensor([3, 1]), torch.tensor([0.25, 0.75]).half(), torch.tensor([-99, 4])],
        [torch.tensor([8, 2]), torch.tensor([0.1, 0.6]).half(), torch.tensor([0.3, -99.0]).half()],
    ]
    box = [torch.tensor(v, dtype=torch.uint8) for v in (0, 20, 30, 200)]
    items = [coords, flip, rand, torch.tensor([1, 1], dtype=torch.uint8), 0.375, box, scores]
    save("lpqld/batch_0.tar", items + [torch.from_numpy(ids.view(np.int16))])
    write("lpqld/sampler_indices_batch.json", b' { "0" : [ 2 ,\n0 ] } ')
    rows, images = [], [IMAGES[2], IMAGES[0]]
    for slot, image in enumerate(images):
        levels = [[int(r[0][slot]), float(r[1][slot]), float(r[2][slot])] for r in rand]
        text = [[a, b, int(c) if c == int(c) else c] for a, b, c in levels]
        operations = {"level_type": ["int64", "float16"], "rand_augment": text}
        rows.append(
            row(
                image,
                0,
                ids[slot],
                scores[slot].float().numpy(),
                view_box=doubles(coords[slot].double().numpy()),
                view_flip=bytes([int(flip[slot])]),
                replay=struct.pack("<3i", 0, 0, slot),
                operations=json.dumps(operations, separators=(",", ":")).encode(),
                **mix("cutmix", 0.375, IMAGES.index(images[1]), 1, [0, 20, 30, 200]),
            )
        )
    expected["lpqld"] = {"rows": rows, "kind": "logit", "size": True, "classes": 50_000}


def fkd():
    rows = []
    for stem in ("a/x", "b/z"):
        coords = rng.uniform(0.1, 0.6, (3, 4)).astype(np.float16)
        flip = np.array([True, False, True])
        labels = np.array([[[4, 2], [0.5, 0.25]], [[0, 1], [0.75, 0.125]]], np.float16)
        save(f"fkd/imagenet/train/{stem}.tar", [coords, flip, labels], keep=stem == "a/x")
        for crop in range(2):
            last = [[float(v) for v in coords[2]] + [True]]
            text = json.dumps({"unlabelled": last}, separators=(",", ":"))
            rows.append(
                row(
                    stem + ".JPEG",
                    crop,
                    labels[crop, 0],
                    labels[crop, 1],
                    view_box=doubles(coords[crop]),
                    view_flip=bytes([int(flip[crop])]),
                    operations=text.encode() if crop else b"",
                )
            )
    expected["fkd"] = {"rows": rows, "kind": "probability", "classes": C}


def tinyvit():
    rows, views = [], counter()
    ranks = {0: [("2", -5), ("0", 7)], 1: [("2", 9)]}
    for line in range(2):
        for rank, keys in ranks.items():
            if line < len(keys):
                key, seed = keys[line]
                ids, scores = [3, 65_535 - line], np.array([0.75, 0.0625], np.float16)
                name = f"tinyvit/logits_top2_epoch0/rank{rank}-"
                data = struct.pack("<i2H", seed, *ids) + scores.tobytes()
                for ending, more in (("keys.txt", f"{key}\n".encode()), ("values.bin", data)):
                    full = os.path.join(HERE, name + ending)
                    old = open(full, "rb").read() if line else b""
                    write(name + ending, old + more)
                image = IMAGES[int(key)]
                rows.append(
                    row(
                        image,
                        views(image),
                        ids,
                        scores,
                        view_seed=struct.pack("<q", seed),
                        replay=struct.pack("<3i", 0, line, rank),
                    )
                )
    expected["tinyvit"] = {"rows": rows, "kind": "probability", "classes": 65_536}


def mldr():
    on = {"enable": True}
    augmentation = {
        "uint8": on,
        "random_resized_crop": {"enable": True, "size": 224},
        "random_horizontal_flip": on,
        "rand_augment": on,
        "to_tensor": on,
        "random_erase": on,
        "normalize": {"mean": [0.5], "std": [0.25]},
        "mixup": on,
        "cutmix": on,
    }
    config = {
        "num_classes": C,
        "reinforce": {"compress": True, "image_augmentation": augmentation, "topk": 2},
    }
    save("mldr/config.pth.tar", config)
    box = [np.int64(v) for v in (1, 2, 200, 224)]
    mixed = [2, [(5, 7, 30, 20), (1, 2, 20, 30)], [True, False]]
    mixed += [[[(9, 0.5), (12, 0.0)], None], [None, (-1, 0, 4, 5)], 0.25, [0.75, *box]]
    bare = [None, (0, 0, 20, 9), False, [(1, -2.0)], (1, 2, 3, 4), None, None]
    scores = [float(np.float32(0.3)), 0.125]
    rows = []
    for number, container in ((1, "torch"), (2, "joblib")):
        params = [mixed, bare] if number == 1 else [bare, bare]
        value = (number, [{"params": p, "prob": (scores, [4, 1])} for p in params])
        if container == "torch":
            save(f"mldr/{number}.pth.tar", value, protocol=4)
        else:
            write(f"mldr/{number}.pth.tar", zlib.compress(pickle.dumps(value, 4)))
        for view, one in enumerate(params):
            h, w = SIZES[IMAGES[number].rsplit(".", 1)[0]]
            top, left, height, width = one[1][0] if one is mixed else one[1]
            facts = {
                "mixup_lambda": bytes.fromhex("000000000000f87f"),
                "mixup_partner": struct.pack("<2q", -1, -1),
                "cutmix_lambda": bytes.fromhex("000000000000f87f"),
                "cutmix_box": struct.pack("<4i", -1, -1, -1, -1),
                "cutmix_partner": struct.pack("<2q", -1, -1),
            }
            if one is mixed:
                facts |= mix("mixup", 0.25, 2, -1) | mix("cutmix", 0.75, 2, -1, box)
            text = json.dumps({"params": one}, separators=(",", ":"), default=int)
            rows.append(
                row(
                    IMAGES[number],
                    view,
                    [4, 1],
                    scores,
                    view_box=doubles([top / h, left / w, height / h, width / w]),
                    view_flip=bytes([int(one is mixed)]),
                    operations=text.replace("0.0]", "0]").replace("-2.0]", "-2]").encode(),
                    **facts,
                )
            )
    expected["mldr"] = {"rows": rows, "pictures": True}


if os.path.isdir(HERE):
    shutil.rmtree(HERE)
for make in (sre2l, lpld, hald, edc, lpqld, fkd, tinyvit, mldr):
    make()
with open(os.path.join(HERE, "expected.json"), "w") as file:
    json.dump(expected, file, separators=(",", ":"))
    file.write("\n")
