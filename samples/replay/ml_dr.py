"""ml-dr's trainer on shards: python ml_dr.py SHARDS FOLDER train.py ARGUMENTS

FOLDER is where the trainer's configuration says that the reinforcements are. ml-dr asks that it exists; it may be empty.
"""

import sys

from torch_files import answer, run

from relabel_hdf5.exporting import StoredFiles

if __name__ == "__main__":
    shards, folder, program, *arguments = sys.argv[1:]
    answer(StoredFiles(shards, "ml-dr"), folder)
    run(program, arguments)
