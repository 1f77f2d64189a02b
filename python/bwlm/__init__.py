"""Reads what the program bwlm leaves on disk.

>>> import bwlm
>>> run = bwlm.load_run("runs/study")
>>> run.subjects
['sub-01', 'sub-02']
>>> run.array("sub-01", "delta_r")        # numpy, float32 (voxels,)
>>> run.scores()                          # pandas: one row for each model, subject and ROI

Importing it loads neither PyTorch nor the program. The files and their JSON fields are described in docs/outputs.md of bwlm.
"""

__all__ = ["Run", "load_run"]


def __getattr__(name):
    """Imports NumPy when the first run is read: the command bwlm, which comes through here, starts without it."""
    if name in __all__:
        from . import _run

        return getattr(_run, name)
    raise AttributeError("module %r has no attribute %r" % (__name__, name))
