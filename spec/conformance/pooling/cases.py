"""The maps and boxes of the test vectors, one function a file; generate.py works out the answers."""

import random

import numpy as np
from maps import factor_map, label_map, random_map, random_probabilities, sample_maps

GOLDFISH, COW, LEMUR = "n01443537_00069", "n02109047_00009", "n02500267_00013"
PICTURES = [(375, 500), (500, 375), (600, 450), (256, 256)]  # height, width
WHOLE = [0.0, 0.0, 1.0, 1.0]


def themes():
    """For each file its maps by name and its cases without answers."""
    makers = [
        logit, rounding, grids, softmax, probability, log_probability, independent, factors, profiles, extent, refused,
    ]  # fmt: skip
    return {maker.__name__.replace("_", "-"): maker() for maker in makers}


def case(name, labels, box, profile="relabel", outside="error", **header):
    """One case; what is not said of its header is usual."""
    usual = {"num_classes": 1000, "score_kind": "logit", "fill": "zero", "temperature": 1.0}
    header = usual | {"orientation": "yx", "map_extent": WHOLE} | header
    wanted = {"box": box, "profile": profile, "outside": outside}
    return {"name": name, "header": header, "map": labels, **wanted}


def crop(picture, top, left, height, width):
    """The box of a crop in pixels."""
    return [top / picture[0], left / picture[1], height / picture[0], width / picture[1]]


# ------------------------------------------------------------------------------- logits of photographs


def resized_crop(draw, picture):
    """A crop in whole pixels as RandomResizedCrop draws it."""
    while True:
        area = picture[0] * picture[1] * draw.uniform(0.08, 1)
        ratio = draw.uniform(3 / 4, 4 / 3)
        height, width = round((area / ratio) ** 0.5), round((area * ratio) ** 0.5)
        if height <= picture[0] and width <= picture[1]:
            return draw.randint(0, picture[0] - height), draw.randint(0, picture[1] - width), height, width


def logit():
    """Crops of RandomResizedCrop on maps of photographs."""
    draw, cases = random.Random(1), []
    for picture in PICTURES:
        for key, profile in ((GOLDFISH, "relabel"), (COW, "relabel-2021"), (LEMUR, None)):
            pixels = resized_crop(draw, picture)
            name = f"{profile or 'no profile'}, pixels {pixels} of {picture}, {key}"
            cases.append(case(name, key, crop(picture, *pixels), profile))
    cases += [case(f"the whole picture, {key}", key, WHOLE) for key in (GOLDFISH, COW)]
    return sample_maps(GOLDFISH, COW, LEMUR), cases


def rounding():
    """Boxes whose span is a whole number of cells but for rounding, named by what goes wrong easily."""
    chosen = {
        "ceil of the exact span": [
            (COW, (500, 375), (99, 80, 100, 140)),
            (LEMUR, (500, 375), (36, 205, 100, 142)),
            (LEMUR, (375, 500), (120, 36, 142, 100)),
            (COW, (375, 500), (39, 207, 125, 209)),
            (LEMUR, (375, 500), (2, 97, 100, 387)),
            (COW, (450, 600), (87, 137, 90, 216)),
            (LEMUR, (450, 600), (149, 23, 150, 196)),
            (COW, (600, 450), (122, 54, 120, 365)),
        ],
        "multiplication and subtraction fused": [
            (LEMUR, (375, 500), (125, 53, 75, 175)),
            (COW, (500, 375), (24, 119, 200, 153)),
            (COW, (600, 450), (40, 136, 120, 117)),
            (LEMUR, (600, 450), (19, 251, 160, 190)),
        ],
        "far edge added in float32": [
            (COW, (375, 500), (76, 134, 75, 214)),
            (COW, (450, 600), (63, 197, 120, 174)),
        ],
        "all in float64": [
            (LEMUR, (375, 500), (246, 62, 75, 393)),
            (COW, (450, 600), (91, 87, 90, 400)),
        ],
    }
    cases = []
    for mistake, crops in chosen.items():
        for key, picture, pixels in crops:
            cases.append(case(f"{mistake}: pixels {pixels} of {picture}", key, crop(picture, *pixels)))
    turned = crop((375, 500), 120, 36, 142, 100)
    cases.append(case("released profile, whole extent", LEMUR, turned, "relabel-2021"))
    cases.append(case("a little longer than three cells", COW, [0.4, 0.1, 0.2 + 2e-9, 0.5]))
    return sample_maps(COW, LEMUR), cases


# ----------------------------------------------------------------------------------------------- grids


def grids():
    """Small grids of any shape, and boxes at borders and below a cell."""
    small = {"num_classes": 30}
    shapes = {"1x1": (1, 1, 3), "1x5": (1, 5, 3), "2x9": (2, 9, 3), "7x12": (7, 12, 3), "15x15": (15, 15, 2)}
    maps = {name: random_map(seed, *shape, 30) for seed, (name, shape) in enumerate(shapes.items())}
    maps["k = 1"] = random_map(10, 3, 4, 1, 30)
    maps["k = C"] = random_map(11, 3, 4, 6, 6, scores=(-4.0, 4.0))
    boxes = {
        "whole": WHOLE,
        "inside": [0.21, 0.33, 0.47, 0.28],
        "row below a cell": [0.4, 0.1, 0.013, 0.7],
        "smaller than a cell": [0.62, 0.31, 0.004, 0.003],
    }
    cases = [
        case(f"{grid}, {place}", grid, box, **small, temperature=1.5)
        for grid in shapes
        for place, box in boxes.items()
    ]
    borders = {
        "upper left corner": [0.0, 0.0, 0.3, 0.25],
        "upper right corner": [0.0, 0.77, 0.31, 0.23],
        "lower left corner": [0.7, 0.0, 0.3, 0.33],
        "lower right corner": [0.66, 0.55, 0.34, 0.45],
        "a speck at the upper left": [0.0, 0.0, 0.001, 0.001],
        "a speck at the lower right": [0.999, 0.999, 0.001, 0.001],
        "the last row and column but for rounding": [1 - 2**-40, 1 - 2**-40, 2**-40, 2**-40],
        "beyond the picture within the tolerance": [0.5, 0.25, 0.5 + 5e-7, 0.75 + 9e-7],
    }
    cases += [case(f"7x12, {place}", "7x12", box, **small) for place, box in borders.items()]
    cases += [case(f"k = 1, {place}", "k = 1", box, **small) for place, box in boxes.items()]
    cases += [case(f"k = C, {place}", "k = C", box, num_classes=6) for place, box in boxes.items()]
    return maps, cases


# ----------------------------------------------------------------------------------------- score kinds


def softmax():
    """Logits of all sizes."""
    box, six = [0.1, 0.25, 0.6, 0.5], {"num_classes": 12}
    maps = {
        "negative": random_map(20, 3, 4, 3, 12, scores=(-8.0, -0.5)),
        "both signs": random_map(21, 3, 4, 3, 12, scores=(-8.0, 8.0)),
        "large": random_map(22, 3, 4, 3, 12, scores=(40.0, 61.0)),
        "full precision": random_map(23, 3, 4, 3, 12, step=2.0**-60),
        "neighbours alike": label_map(
            np.tile([7, 2, 9], (3, 4, 1)), np.arange(36).reshape(3, 4, 3) / 4 - 2 * np.arange(3)
        ),
        "ids beyond 65,535": random_map(24, 2, 2, 3, 70_000, scores=(9.0, 15.0)),
    }
    cases = [
        case(f"{name}, temperature {temperature}", name, box, **six, temperature=temperature)
        for name in list(maps)[:5]
        for temperature in (1.0, 2.0, 0.5)
    ]
    cases.append(case("more than 65,535 classes", "ids beyond 65,535", box, num_classes=70_000))
    return maps, cases


def of_probabilities(kind, logarithm):
    maps = {
        "3x4": random_probabilities(30, 3, 4, 3, 8, logarithm),
        "k = C": random_probabilities(31, 2, 3, 4, 4, logarithm),
        "k = 1": random_probabilities(32, 2, 3, 1, 5, logarithm),
        "one absent class": random_probabilities(33, 2, 3, 4, 5, logarithm),
        "5x5": random_probabilities(34, 5, 5, 5, 1000, logarithm),
    }
    classes = dict(zip(maps, (8, 4, 5, 5, 1000)))
    kinds = {"score_kind": kind}
    boxes = {
        "whole": WHOLE,
        "inside": [0.15, 0.2, 0.55, 0.45],
        "full cell": [0.0, 0.0, 0.02, 0.02],
        "cell above 1": [0.98, 0.97, 0.02, 0.03],
    }
    cases = [
        case(f"{kind}, {fill}, {name}, {place}", name, box, **kinds, fill=fill, num_classes=classes[name])
        for fill in ("zero", "uniform")
        for name in maps
        for place, box in boxes.items()
    ]
    cold = {**kinds, "fill": "uniform", "temperature": 2.0, "num_classes": 8}
    return maps, [*cases, case(f"{kind}, temperature plays no part", "3x4", boxes["inside"], **cold)]


def probability():
    """Probabilities with both fills."""
    return of_probabilities("probability", logarithm=False)


def log_probability():
    """The same as logarithms."""
    return of_probabilities("log_probability", logarithm=True)


def independent():
    """Classes that don't exclude each other: sigmoids, and probabilities that sum to more than 1."""
    maps = {
        "logits": random_map(70, 3, 4, 3, 12, scores=(-9.0, 9.0)),
        "large logits": random_map(71, 3, 4, 3, 12, scores=(-300.0, 300.0)),
        "k = C logits": random_map(72, 2, 3, 4, 4, scores=(-6.0, 2.0)),
        "probabilities": random_map(73, 3, 4, 3, 12, scores=(0.0, 1.0)),
        "all certain": random_map(74, 2, 3, 4, 5, scores=(1.0, 1.0)),
    }
    maps["logarithms"] = label_map(*(
        np.reshape(values, (3, 4, 3))
        for values in (maps["probabilities"]["class_index"], np.log(np.maximum(maps["probabilities"]["score"], 1e-6)))
    ))
    kinds = {"logits": "logit", "large logits": "logit", "k = C logits": "logit", "probabilities": "probability",
             "all certain": "probability", "logarithms": "log_probability"}
    classes = {"k = C logits": 4, "all certain": 5}
    boxes = {"whole": WHOLE, "inside": [0.15, 0.2, 0.55, 0.45], "cell": [0.98, 0.97, 0.02, 0.03]}
    cases = [
        case(f"independent, {name}, {place}, temperature {temperature}", name, box, score_kind=kind,
             classes_are="independent", num_classes=classes.get(name, 12), temperature=temperature)
        for name, kind in kinds.items()
        for place, box in boxes.items()
        for temperature in ((1.0, 2.5) if kind == "logit" else (1.0,))
    ]
    return maps, cases


def factors():
    """Maps of factors (section 4.11): products that add up to logits of all classes."""
    sizes = {
        "one factor": (80, 3, 4, 1, 12),
        "two factors": (81, 3, 4, 2, 12),
        "five factors": (82, 4, 3, 5, 37),
        "eight factors": (83, 2, 5, 8, 50),
        "eleven factors": (84, 3, 3, 11, 13),
        "2 classes": (85, 2, 2, 2, 2),
    }
    maps = {name: factor_map(*size, scale=1 / 1024) for name, size in sizes.items()}
    maps["large logits"] = factor_map(86, 3, 4, 4, 12, scale=1 / 64)
    maps["far below their mean"] = factor_map(87, 3, 4, 4, 12, scale=1 / 2048)
    maps["far below their mean"]["class_factor"] = [
        number // 4 - 95 for number in maps["far below their mean"]["class_factor"]
    ]
    maps["amounts as floats"] = factor_map(88, 3, 4, 3, 12, step=2.0**-7, scale=1 / 16)
    maps["a wide grid"] = factor_map(89, 2, 9, 3, 12, scale=1 / 1024)
    classes = {name: size[-1] for name, size in sizes.items()}
    boxes = {"whole": WHOLE, "inside": [0.15, 0.2, 0.55, 0.45], "cell": [0.98, 0.97, 0.02, 0.03]}
    cases = [
        case(f"factors, {name}, {place}", name, box, num_classes=classes.get(name, 12))
        for name in maps
        for place, box in boxes.items()
    ]
    named = {"num_classes": 37, "temperature": 2.5}
    cases.append(case("factors, temperature 2.5", "five factors", boxes["inside"], **named))
    cases.append(case("factors, temperature 0.5", "five factors", boxes["inside"], **(named | {"temperature": 0.5})))
    wide = {"num_classes": 12, "orientation": "xy"}
    cases.append(case("factors, orientation xy", "a wide grid", boxes["inside"], profile=None, **wide))
    extent = {"num_classes": 12, "map_extent": [0.125, 0.0625, 0.75, 0.875]}
    cases.append(case("factors, clamped", "two factors", [0.05, 0.3, 0.5, 0.6], outside="clamp", **extent))
    return maps, cases


# ------------------------------------------------------------------------------ orientation and extent


def profiles():
    """Each orientation with each profile that it may have."""
    maps = {"6x6": random_map(40, 6, 6, 3, 20), "3x8": random_map(41, 3, 8, 3, 20)}
    allowed = [("yx", None), ("yx", "relabel"), ("xy", None), ("xy", "relabel"), ("unknown", "relabel")]
    released = [(orientation, "relabel-2021") for orientation in ("yx", "xy", "unknown")]
    boxes = {"wide": [0.55, 0.1, 0.2, 0.85], "small": [0.05, 0.71, 0.08, 0.11]}
    cases = [
        case(f"{grid}, {orientation}, {profile or 'no profile'}, {place}", grid, box, profile,
             orientation=orientation, num_classes=20)
        for grid, pairs in (("6x6", allowed + released), ("3x8", allowed))
        for orientation, profile in pairs
        for place, box in boxes.items()
    ]
    return maps, cases


def extent():
    """Maps that cover a part of the picture."""
    maps = {"6x6": random_map(50, 6, 6, 3, 20), "4x7": random_map(51, 4, 7, 3, 20)}
    part = [0.125, 0.0625, 0.75, 0.875]
    centre = np.array([16 / 256, 59 / 341, 224 / 256, 224 / 341], np.float32).astype(float).tolist()
    inside = {
        "the extent itself": part,
        "inside": [0.3, 0.21, 0.37, 0.44],
        "smaller than a cell": [0.7, 0.5, 0.01, 0.02],
        "beyond it within the tolerance": [0.125 - 5e-7, 0.3, 0.4, 0.6375 + 6e-7],
    }
    leaving = {
        "above": [0.02, 0.3, 0.5, 0.33],
        "left": [0.3, 0.01, 0.31, 0.4],
        "below": [0.6, 0.2, 0.39, 0.5],
        "right": [0.2, 0.7, 0.3, 0.3],
        "on all sides": WHOLE,
        "not at all": [0.3, 0.21, 0.37, 0.44],
        "but for a sliver": [0.0, 0.1, 0.13, 0.6],
    }
    ways = [("6x6", "yx", "relabel"), ("4x7", "xy", None), ("6x6", "unknown", "relabel-2021")]
    cases = []
    for grid, orientation, profile in ways:
        header = {"orientation": orientation, "num_classes": 20, "map_extent": part}
        about = f"{grid}, {orientation}, {profile or 'no profile'}"
        cases += [case(f"{place}: {about}", grid, box, profile, **header) for place, box in inside.items()]
        cases += [
            case(f"leaves it, {place}: {about}", grid, box, profile, "clamp", **header)
            for place, box in leaving.items()
        ]
    header = {"num_classes": 20, "map_extent": centre}
    cases.append(case("in a centre crop", "6x6", [0.2, 0.3, 0.45, 0.4], **header))
    cases.append(case("leaves a centre crop", "6x6", [0.01, 0.3, 0.45, 0.6], outside="clamp", **header))
    return maps, cases


def refused():
    """What has no target."""
    maps = {"3x3": random_map(60, 3, 3, 2, 10), "3x4": random_map(61, 3, 4, 2, 10)}
    boxes = {
        "not a number": ["nan", 0.1, 0.5, 0.5],
        "width not a number": [0.1, 0.1, 0.5, "nan"],
        "infinite": [0.1, 0.1, "inf", 0.5],
        "minus infinity": [0.1, "-inf", 0.5, 0.5],
        "negative top": [-0.01, 0.1, 0.5, 0.5],
        "negative left": [0.1, -1e-9, 0.5, 0.5],
        "negative height": [0.5, 0.1, -0.2, 0.5],
        "no height": [0.1, 0.1, 0.0, 0.5],
        "no width": [0.1, 0.1, 0.5, 0.0],
        "pixels": [10.0, 20.0, 100.0, 200.0],
        "top at the lower border": [1.0, 0.1, 1e-7, 0.5],
        "left at the right border": [0.1, 1.0, 0.5, 1e-7],
        "higher than the picture": [0.0, 0.1, 1.0000001, 0.5],
        "beyond the lower border": [0.5, 0.1, 0.500002, 0.5],
        "beyond the right border": [0.1, 0.5, 0.5, 0.500002],
        "corners in place of lengths": [0.25, 0.5, 0.75, 0.9],
    }
    small, part = {"num_classes": 10}, [0.25, 0.25, 0.5, 0.5]
    cases = [case(name, "3x3", box, **small) for name, box in boxes.items()]
    for name in list(boxes)[::4]:
        cases.append(case(f"{name}, clamp", "3x3", boxes[name], outside="clamp", **small))
    apart = {
        "leaves the extent": [0.24, 0.3, 0.3, 0.3],
        "leaves the extent to the right": [0.3, 0.5, 0.2, 0.26],
        "beside the extent": [0.3, 0.0, 0.2, 0.2],
        "touches the extent": [0.75, 0.3, 0.25, 0.2],
    }
    cases += [case(name, "3x3", box, **small, map_extent=part) for name, box in apart.items()]
    for name in list(apart)[2:]:
        cases.append(case(f"{name}, clamp", "3x3", apart[name], outside="clamp", **small, map_extent=part))
    cases.append(case("unknown orientation", "3x3", WHOLE, None, **small, orientation="unknown"))
    for orientation in ("yx", "xy", "unknown"):
        header = {**small, "orientation": orientation}
        cases.append(case(f"not square, {orientation}", "3x4", WHOLE, "relabel-2021", **header))
    return maps, cases
