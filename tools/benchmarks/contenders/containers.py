"""Ways to store label maps, each in its usual best form: `write` them all, `open` to read some.

All hold class ids as uint16 and scores as uint16 steps of 1/256, so that containers are compared and not precision;
but for the released files, which are float32 both, and this project's `small`.
"""

import io
import tarfile
import zlib

import numpy as np


def steps(scores):
    return np.rint((scores + 128) * 256).astype(np.uint16)


def title(container):
    return container.__doc__.splitlines()[0].rstrip(".")


class Released:
    """released .pt in a tar"""

    preset = None

    @staticmethod
    def write(folder, ids, scores, maps):
        import torch

        with tarfile.open(folder / "maps.tar", "w") as tar:
            for number, planes in enumerate(zip(scores, ids)):
                buffer = io.BytesIO()
                tensor = torch.from_numpy(np.stack(planes).astype(np.float32).transpose(0, 3, 1, 2).copy())
                torch.save(tensor, buffer, _use_new_zipfile_serialization=number % 2 == 0)
                info = tarfile.TarInfo(f"n{number:08}/n{number:08}.pt")
                info.size = buffer.tell()
                buffer.seek(0)
                tar.addfile(info, buffer)

    @staticmethod
    def open(folder):
        import torch

        torch.set_num_threads(1)
        path = folder / "maps.tar"
        with tarfile.open(path) as tar:
            places = [(member.offset_data, member.size) for member in tar]
        file = open(path, "rb")

        def read(row):
            offset, size = places[row]
            file.seek(offset)
            return torch.load(io.BytesIO(file.read(size)), weights_only=True)

        return lambda rows: [read(row) for row in rows]


class _H5py:
    chunk = 1
    preset = None

    @classmethod
    def write(cls, folder, ids, scores, maps):
        import h5py

        with h5py.File(folder / "maps.h5", "w", libver="latest") as file:
            how = dict(chunks=(cls.chunk, *ids.shape[1:]), compression="gzip", compression_opts=6)
            file.create_dataset("class_index", data=ids, **how)
            file.create_dataset("score", data=steps(scores), shuffle=True, **how)
            file.create_dataset("image_key", data=np.array([f"n{n:08}/n{n:08}" for n in range(len(ids))], "S"))

    @staticmethod
    def open(folder):
        import h5py

        # What is read is read once: no chunk may come from the cache of the run before.
        file = h5py.File(folder / "maps.h5", rdcc_nbytes=0)
        ids, score = file["class_index"], file["score"]

        def read(rows):
            if isinstance(rows, range):
                return ids[rows.start : rows.stop], score[rows.start : rows.stop] * np.float32(1 / 256)
            return [(ids[row], score[row] * np.float32(1 / 256)) for row in rows]

        return read


class H5pyOne(_H5py):
    """plain h5py, 1 image a chunk"""


class H5pySixteen(_H5py):
    """plain h5py, 16 images a chunk"""

    chunk = 16


class Npz:
    """.npz shards of 1,024"""

    preset = None

    @staticmethod
    def write(folder, ids, scores, maps):
        for first in range(0, len(ids), 1024):
            part = slice(first, first + 1024)
            np.savez_compressed(folder / f"{first // 1024:05}.npz", ids=ids[part], scores=steps(scores[part]))

    @staticmethod
    def open(folder):
        held = {}

        def shard(number):
            if number not in held:
                held.clear()
                with np.load(folder / f"{number:05}.npz") as arrays:
                    held[number] = arrays["ids"], arrays["scores"] * np.float32(1 / 256)
            return held[number]

        return lambda rows: [[column[row % 1024] for column in shard(row // 1024)] for row in rows]


def packed(ids, score):
    """Both arrays of one image as zlib bytes."""
    return zlib.compress(ids.tobytes() + steps(score).tobytes(), 6)


def unpacked(data):
    half = np.frombuffer(zlib.decompress(data), np.uint16).reshape(2, -1)
    return half[0], half[1] * np.float32(1 / 256)


class Lmdb:
    """LMDB of zlib values"""

    preset = None
    opened = {}

    @staticmethod
    def write(folder, ids, scores, maps):
        import lmdb

        with lmdb.open(str(folder), map_size=1 << 34) as environment, environment.begin(write=True) as writer:
            for number, (one, score) in enumerate(zip(ids, scores)):
                writer.put(f"n{number:08}".encode(), packed(one, score), append=True)

    @staticmethod
    def open(folder):
        import lmdb

        # A process may open an environment once.
        environment = Lmdb.opened.get(folder) or lmdb.open(str(folder), readonly=True, lock=False)
        Lmdb.opened[folder] = environment
        reader = environment.begin(buffers=True)
        return lambda rows: [unpacked(reader.get(f"n{row:08}".encode())) for row in rows]


class WebDataset:
    """WebDataset tar of zlib members"""

    preset = None

    @staticmethod
    def write(folder, ids, scores, maps):
        import webdataset

        with webdataset.TarWriter(str(folder / "maps.tar"), encoder=False) as writer:
            for number, (one, score) in enumerate(zip(ids, scores)):
                writer.write({"__key__": f"n{number:08}", "labels.zz": packed(one, score)})

    @staticmethod
    def open(folder):
        import webdataset

        path = str(folder / "maps.tar")
        with tarfile.open(path) as tar:
            places = [(member.offset_data, member.size) for member in tar if member.isfile()]
        file = open(path, "rb")

        def read(rows):
            if isinstance(rows, range):
                samples = iter(webdataset.WebDataset(path, shardshuffle=False, empty_check=False))
                return [unpacked(next(samples)["labels.zz"]) for _ in rows]
            # It has no random access of its own: offsets are as good as it gets.
            found = []
            for row in rows:
                file.seek(places[row][0])
                found.append(unpacked(file.read(places[row][1])))
            return found

        return read


class Zarr:
    """Zarr v3, zstd, 16 a chunk, sharded"""

    preset = None

    @staticmethod
    def write(folder, ids, scores, maps):
        import zarr

        for name, values in (("class_index", ids), ("score", steps(scores))):
            array = zarr.create_array(
                str(folder / name), shape=ids.shape, dtype="uint16", chunks=(16, *ids.shape[1:]),
                shards=(1024, *ids.shape[1:]), compressors=zarr.codecs.BloscCodec(
                    cname="zstd", clevel=6, shuffle="shuffle" if name == "score" else "noshuffle"
                ),
            )
            array[:] = values

    @staticmethod
    def open(folder):
        import zarr

        ids, score = (zarr.open_array(str(folder / name), mode="r") for name in ("class_index", "score"))

        def read(rows):
            if isinstance(rows, range):
                return ids[rows.start : rows.stop], score[rows.start : rows.stop] * np.float32(1 / 256)
            return [(ids[int(row)], score[int(row)] * np.float32(1 / 256)) for row in rows]

        return read


class Parquet:
    """Parquet, zstd, row groups of 1,024"""

    preset = None

    @staticmethod
    def write(folder, ids, scores, maps):
        import pyarrow
        import pyarrow.parquet

        count = len(ids)
        columns = [
            pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(values.reshape(-1)), values[0].size)
            for values in (ids, steps(scores))
        ]
        keys = pyarrow.array([f"n{n:08}" for n in range(count)])
        table = pyarrow.table([keys, *columns], ["key", "ids", "scores"])
        pyarrow.parquet.write_table(table, folder / "maps.parquet", compression="zstd", compression_level=9,
                                    row_group_size=1024, use_dictionary=False)

    @staticmethod
    def open(folder):
        import pyarrow.parquet

        file = pyarrow.parquet.ParquetFile(folder / "maps.parquet")
        held = {}

        def group(number):
            if number not in held:
                held.clear()
                table = file.read_row_group(number, ["ids", "scores"], use_threads=False)
                held[number] = [c.combine_chunks().flatten().to_numpy().reshape(len(c), -1) for c in table.columns]
            return held[number]

        def read(row):
            ids, scores = group(row // 1024)
            return ids[row % 1024], scores[row % 1024] * np.float32(1 / 256)

        return lambda rows: [read(row) for row in rows]


class _Ours:
    preset = "default"

    @classmethod
    def write(cls, folder, ids, scores, maps):
        from data import pack

        source = folder.parent / f"{cls.__name__}.npz"
        np.savez(source, class_index=ids, score=scores)
        pack(source, folder / "dataset", "--preset", cls.preset, "--score-kind", "logit",
             "--num-classes", maps.num_classes)
        source.unlink()

    @staticmethod
    def open(folder):
        import relabel_hdf5

        maps = relabel_hdf5.open(folder / "dataset")
        return lambda rows: maps.batch(np.asarray(rows))


class Default(_Ours):
    """this project, default"""


class Small(_Ours):
    """this project, small"""

    preset = "small"


ALL = [Released, H5pyOne, H5pySixteen, Npz, Lmdb, WebDataset, Zarr, Parquet, Default, Small]
