"""What works without the wheel's programs, from the sdist; tools/check-wheel runs it beside a packed dataset."""

import numpy as np

import relabel_hdf5

said = relabel_hdf5.engine()
print(said)
assert said.startswith("numpy (") and "not in this installation" in said
maps = relabel_hdf5.open("dataset")
targets = maps.targets([0, 1], [[0.1, 0.1, 0.4, 0.4], [0.0, 0.0, 1.0, 1.0]], profile="relabel")
assert len(maps) == 18 and np.allclose(targets.sum(axis=-1), 1, atol=1e-4)
try:
    with relabel_hdf5.Writer("nothing", num_classes=50, score_kind="logit") as writer:
        writer.add("a", np.zeros((50, 7, 7), np.float32))
except relabel_hdf5.UsageError as error:
    print(error)
    assert "relabel-pack" in str(error)
else:
    raise AssertionError("a dataset was written without relabel-pack")
