"""Words of the formats, which libFuzzer puts into its inputs."""

JSON = ["true", "false", "null", "1e999", "-0", "0.1", "\\u0000", "\\ud800", "9223372036854775807", "[[", '{"":']
FACTS = (
    "violation facts array keys indexes digests statistics best seen failure images chunks count row cell rows"
    " has_sizes has_digests classes first image_indexes faults unknown part map"
).split()
PICKLE = [
    "ctorch._utils\n_rebuild_tensor_v2\n", "ccollections\nOrderedDict\n", "ctorch\nFloatStorage\n",
    "ctorch\nBFloat16Storage\n", "X\7\0\0\0storage", "tR", "(K", "\x8a\x08", "h\0", "q\0",
]
NUMPY_PICKLE = [
    "cnumpy.core.multiarray\nscalar\n", "cnumpy._core.multiarray\n_reconstruct\n", "cnumpy\nndarray\n",
    "cnumpy\ndtype\n", "c_codecs\nencode\n", "X\6\0\0\0latin1", "ctorch\nHalfStorage\n", "ctorch\nBoolStorage\n",
    "ctorch\nLongStorage\n", "X\2\0\0\0f4", "X\2\0\0\0b1", "X\2\0\0\0i8", "\x8c\6params", "\x8c\4prob", "\x94", "\x93",
]
ZIP = ["PK\3\4", "PK\1\2", "PK\5\6", "PK\6\6", "PK\7\x08"]
NUMPY = ["\x93NUMPY", "'descr': ", "'fortran_order': ", "'shape': ", "'<f4'", "'|u1'", "'<U9'", "True", "(2, 6, 3, 4)"]
NPZ = ["class_index.npy", "score.npy", "logits.npy", "probabilities.npy", "keys.npy"]
TAR = ["ustar\x0000", "ustar  \0", "path=", "size=", "GNU.sparse.map=", "././@LongLink", "0000644\0", "x.npy", "x.pt"]
ARRAYS = [
    "\x8c\x16numpy._core.multiarray", "cnumpy.core.multiarray\n_reconstruct\n", "cnumpy\nndarray\n", "cnumpy\ndtype\n",
    "c_codecs\nencode\n", "\x93", "\x94", "\x95", "\x8e", "\x96", "\xff", "b.", "\x87R",
]
TENSORS = ['"dtype":"BF16"', '"shape":[2,3]', '"data_offsets":[0,12]', "score", "class_index", "keys", "logits", "/score"]
LABELS = ["path,", ":", ":.5", "\t", "\"", ",", "\r\n", "\t-1\t", "1.0", "nan"]
BOXES = ["key,", "class,", "top,", "left,", "height,", "width", ",image_height", ",image_width", '""', "1e-9", "nan"]

WORDS = {
    "json": JSON,
    "index": JSON,
    "metadata": JSON,
    "messages": JSON + FACTS,
    "images": JSON + FACTS,
    "survey": JSON + FACTS,
    "pickle": PICKLE,
    "torch": PICKLE + ZIP + ["data.pkl", "byteorder", "little"],
    "npy": NUMPY,
    "npz": NUMPY + ZIP + NPZ,
    "tar": TAR,
    "views": PICKLE + NUMPY_PICKLE,
    "axes": NUMPY,
    "kecam": ARRAYS,
    "safetensors": JSON + TENSORS,
    "labels": LABELS,
    "tsv": LABELS,
    "sets": JSON,
    "boxes": BOXES,
}


def write_words(target, path):
    """Writes the words of a target as a dictionary of libFuzzer."""
    lines = ["".join(f"\\x{byte:02x}" for byte in word.encode("latin-1")) for word in WORDS[target]]
    path.write_text("".join(f'"{line}"\n' for line in lines))
