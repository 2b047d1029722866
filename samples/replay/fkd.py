"""FKD's trainer on shards: python fkd.py SHARDS FOLDER train_FKD.py ARGUMENTS

FOLDER is where labels of the training pictures would lie: `labels/imagenet/train` for `--softlabel_path labels/imagenet`.
"""

import sys

from torch_files import answer, run

from relabel_hdf5.exporting import StoredFiles

if __name__ == "__main__":
    shards, folder, program, *arguments = sys.argv[1:]
    answer(StoredFiles(shards, "fkd"), folder)
    run(program, arguments)
