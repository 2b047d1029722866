"""Compares verifier and engines with the specification on changed attributes and indexes; see tools/check-mutations."""

import pathlib
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tools" / "checking"), str(ROOT / "spec" / "conformance" / "generator")]

from collections import Counter

import mutations
from running import error_rules, verify
from shard_writer import Shard, index_document, shard_entry, two_shards, write_dataset, write_shard

import relabel_hdf5
from relabel_hdf5 import RelabelError
from relabel_hdf5.engines import library

# What only the verifier looks at: scores and errors of a whole shard, its digest, and files nobody lists.
NOT_READ = ("shard score_", "shard largest_error", "shard sha256", "score_max")


def shards():
    """(what, function that writes it into a folder, is it sound) of single shards."""
    plain = Shard()
    for what, name, value, is_sound in [
        *mutations.root_changes(plain.root_attributes()), *mutations.vendor_changes()]:  # fmt: skip
        yield (f"root {name}: {what}",
               lambda folder, name=name, value=value: write_shard(folder / "a.h5", attributes={name: value}), is_sound)
    for column in ("score", "class_index", "image_key"):
        attributes = plain.columns()[column].attributes
        for what, name, value, is_sound in mutations.column_changes(column, attributes):
            changed = {k: v for k, v in (attributes | {name: value}).items() if v is not None}
            change = {"column_changes": {column: {"attributes": changed}}}
            yield (f"{column} {name}: {what}",
                   lambda folder, change=change: write_shard(folder / "a.h5", **change), is_sound)
    for error, is_sound in ((0.0, True), (0.5, False), (-0.0, True)):
        yield (f"float32 largest_error: {error}",
               lambda folder, error=error: write_shard(folder / "a.h5", encoding="float32", largest_error=error),
               is_sound)
    for name in ("scale_factor", "add_offset", "_FillValue"):
        attributes = Shard(encoding="float32").columns()["score"].attributes | {name: mutations.of("<f4", 1)}
        change = {"encoding": "float32", "column_changes": {"score": {"attributes": attributes}}}
        yield f"float32 {name}", lambda folder, change=change: write_shard(folder / "a.h5", **change), False


def indexes(scratch):
    """The same of datasets."""
    pair = two_shards()
    entries = [shard_entry(shard.write(scratch / f"labels-{number:05}.h5"), shard) for number, shard in enumerate(pair)]
    for what, change, is_sound in mutations.index_changes(index_document(entries, pair[0])):
        yield f"index {what}", lambda folder, change=change: write_dataset(folder / "d", *pair, change=change), is_sound


def read(path):
    """The rule by which a reader refuses, None where it reads everything, or the name of another error."""
    try:
        with relabel_hdf5.open(path) as maps:
            maps.batch(range(len(maps)))
            list(maps.keys())
    except RelabelError as error:
        return error.rule or type(error).__name__
    return None


def by_numpy(path):
    found = library.library
    library.library = lambda: None
    try:
        return read(path)
    finally:
        library.library = found


def judge(item):
    """The rules that the verifier names, and what each engine refuses by."""
    path, _, _ = item
    code, report = verify(path, "--jobs", 1)
    return code, error_rules(report)


def main():
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="mutations-"))
    (scratch / "entries").mkdir()
    items = []
    for number, (what, make, is_sound) in enumerate([*shards(), *indexes(scratch / "entries")]):
        folder = scratch / str(number)
        folder.mkdir()
        items.append((make(folder), what, is_sound))
    with ThreadPoolExecutor(2) as pool:
        verdicts = list(pool.map(judge, items))
    counts, wrong = Counter(), []
    has_swift = library.library() is not None
    for (path, what, is_sound), (code, rules) in zip(items, verdicts):
        counts["sound" if is_sound else "unsound"] += 1
        if (code == 0) != is_sound:
            kind = "false accept" if code == 0 else "false refusal"
            counts[kind] += 1
            wrong.append(f"{kind} by relabel-verify: {what} {rules}")
        numpy = by_numpy(path)
        engines = {"numpy": numpy} | ({"swift": read(path)} if has_swift else {})
        if len(set(engines.values())) > 1:
            counts["engines differ"] += 1
            wrong.append(f"engines differ: {what} {engines} {rules}")
        only_verified = what.removeprefix("index ").startswith(NOT_READ)
        for engine, rule in engines.items():
            if (rule is None) != is_sound and not (only_verified and rule is None):
                kind = "false accept" if rule is None else "false refusal"
                counts[f"{kind} by {engine}"] += 1
                wrong.append(f"{kind} by the {engine} engine: {what} {rule} {rules}")
    shutil.rmtree(scratch)
    print("\n".join(wrong))
    engines = "both engines" if has_swift else "the NumPy engine (no Swift library here)"
    print(f"{len(items)} mutations, relabel-verify and {engines}: {dict(counts)}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
