"""The words that options take; here, so that `--help` needs no PyTorch."""

PRECISIONS = ("bfloat16", "float16", "float32")
LOGITS = ("centred", "as-given")
RESIZES = ("squash", "crop", "fit")
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos", "box", "hamming")
