"""Trainers of the SRe2L family on shards: python sre2l.py SHARDS FORM FOLDER train_FKD.py ARGUMENTS

FORM is sre2l (also for CDA, CV-DD and FADRM), g-vbsm, edc, lpld, lpqld or hald. FOLDER is what the trainer is told as its
path of labels; a trainer that opens a JSON index itself finds it there.
"""

import json
import os
import sys

from torch_files import answer, run

from relabel_hdf5.exporting import StoredFiles

if __name__ == "__main__":
    shards, form, folder, program, *arguments = sys.argv[1:]
    files = StoredFiles(shards, form)
    for index in [name for name in files.folder("") if name.endswith(".json")]:
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, index), "w") as file:
            json.dump(files[index], file)
    answer(files, folder)
    run(program, arguments)
