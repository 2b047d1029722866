"""Labels in the forms of others: what `relabel-export` does.

    from relabel_hdf5.exporting import Options, export

    export(["dataset"], "relabel", "as-relabel")
    export(["dataset"], "multilabel-tsv", "labels.tsv", Options(rule="max", threshold=0.5))

What a form can't hold is said in `losses` of the summary, and stored beside the output with all that the shards say.
"""

from .options import Options
from .session import Summary, export
from .stored_files import StoredFiles

__all__ = ["Options", "StoredFiles", "Summary", "export"]
