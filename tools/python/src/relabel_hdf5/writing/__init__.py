"""Writing datasets of label maps: from a program's own loop to a verified dataset.

    with Writer("labels", num_classes=1000, score_kind="logit") as writer:
        for key, scores in annotate(pictures):
            writer.add(key, scores)  # [C, H, W]
"""

from .writer import Writer

__all__ = ["Writer"]
