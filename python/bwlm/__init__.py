"""Reads what the program bwlm leaves on disk.

>>> import bwlm
>>> run = bwlm.load_run("runs/study")
>>> run.subjects
['sub-01', 'sub-02']
>>> run.array("sub-01", "delta_r")        # numpy, float32 (voxels,)
>>> run.scores()                          # pandas: one row for each model, subject and ROI

Importing it loads neither PyTorch nor the program. The files and their JSON fields are described in docs/outputs.md of bwlm.
"""

from ._run import Run, load_run

__all__ = ["Run", "load_run"]
