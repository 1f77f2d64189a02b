"""Runs of bwlm as numpy arrays, pandas tables and nibabel images."""

import json
import os

import numpy as np

SCHEMA = 2  # of manifest.json, summary.json and layout.json

# The models that a run scores, in the order of its report, by the names in summary.json and in the names of files.
MODELS = ("base", "base_best_layer", "tuned")


def load_run(directory, maps=None):
    """Opens a run directory that `bwlm train` or `bwlm eval` finished.

    maps is the folder that `bwlm export RUN --out MAPS` wrote, for `Run.images`. Raises FileNotFoundError if the folder has no
    scores, ValueError if another version of bwlm wrote them.
    """
    return Run(directory, maps)


class Run:
    """A finished run. Arrays are read when they are asked for.

    directory  the run directory
    summary    eval/summary.json as a dict: scores, intervals, epochs
    manifest   manifest.json as a dict: versions, seeds, splits, inputs; None in the output of an evaluation alone
    subjects   names of the subjects, in the order of the files
    """

    def __init__(self, directory, maps=None):
        self.directory = os.fspath(directory)
        self.maps = None if maps is None else os.fspath(maps)
        self.summary = self._json("eval", "summary.json")
        self._layout = self._json("eval", "test", "layout.json")
        self.manifest = self._json("manifest.json") if os.path.exists(self._path("manifest.json")) else None
        self._subjects = {s["name"]: s for s in self._layout["subjects"]}
        self.subjects = list(self._subjects)

    def __repr__(self):
        test = self.summary["test"]
        scores = ", ".join("%s %.3f" % (m, test[m]["mean_r"]) for m in MODELS if test.get(m))
        return "<bwlm run %s: %d subjects, mean r %s>" % (self.directory, len(self.subjects), scores)

    def _path(self, *names):
        return os.path.join(self.directory, *names)

    def _json(self, *names):
        path = self._path(*names)
        with open(path, encoding="utf-8") as f:
            value = json.load(f)
        if value.get("schema") != SCHEMA:
            raise ValueError("%s: schema %s, this version of bwlm reads %d" % (path, value.get("schema"), SCHEMA))
        return value

    def _subject(self, subject):
        if subject not in self._subjects:
            raise KeyError("no subject %r; the run has %s" % (subject, ", ".join(self.subjects)))
        return self._subjects[subject]

    def arrays(self, subject):
        """Returns the names of the arrays of a subject, such as "tuned_r": see docs/outputs.md."""
        self._subject(subject)
        names = os.listdir(self._path("eval", "test", subject))
        return sorted(n[: -len(".npy")] for n in names if n.endswith(".npy"))

    def array(self, subject, name):
        """Reads an array of a subject: scores (voxels,), scores of stories (stories, voxels), predictions (rows, voxels)."""
        if name not in self.arrays(subject):
            raise KeyError("no array %r; subject %s has %s" % (name, subject, ", ".join(self.arrays(subject))))
        return np.load(self._path("eval", "test", subject, name + ".npy"), allow_pickle=False)

    def roi(self, subject, name):
        """Returns the columns of a ROI, to index arrays of the subject with."""
        rois = {r["name"]: r["columns"] for r in self._subject(subject)["rois"] or []}
        if name not in rois:
            raise KeyError("no ROI %r; subject %s has %s" % (name, subject, ", ".join(rois)))
        return np.asarray(rois[name], dtype=np.int64)

    def rois(self, subject):
        """Returns the names of the ROIs of a subject."""
        return [r["name"] for r in self._subject(subject)["rois"] or []]

    def rows(self, subject):
        """Returns (story, row of that story) of each test row, in the order of predictions and responses."""
        return [(r["story"], i) for r in self._subject(subject)["rows"] for i in range(r["from"], r["to"])]

    def scores(self):
        """Returns a pandas table of mean r over voxels that vary: columns model, subject, roi, voxels, r.

        The roi of the mean over all voxels is "all".
        """
        records = []
        for subject in self.subjects:
            present = self.arrays(subject)
            for model in MODELS:
                if model + "_r" not in present:
                    continue
                r = self.array(subject, model + "_r")
                for roi in ["all"] + self.rois(subject):
                    part = r if roi == "all" else r[self.roi(subject, roi)]
                    part = part[np.isfinite(part)]
                    mean = float(part.mean(dtype=np.float64)) if part.size else float("nan")
                    records.append((model, subject, roi, int(part.size), mean))
        return _pandas().DataFrame.from_records(records, columns=["model", "subject", "roi", "voxels", "r"])

    def voxels(self, subject):
        """Returns a pandas table with a row for each voxel and a column for each array of one value a voxel."""
        n = self._subject(subject)["voxels"]
        columns = {}
        for name in self.arrays(subject):
            value = self.array(subject, name)
            if value.shape == (n,):
                columns[name] = value
        return _pandas().DataFrame(columns)

    def metrics(self):
        """Returns metrics.jsonl as a pandas table: a row for each step (loss) and after each epoch (val_r)."""
        with open(self._path("metrics.jsonl"), encoding="utf-8") as f:
            return _pandas().DataFrame.from_records([json.loads(line) for line in f])

    def images(self):
        """Returns {file name: nibabel image} of the NIfTI and GIFTI files in the folder of maps."""
        if self.maps is None:
            raise ValueError("no folder of maps; bwlm export RUN --out MAPS writes one: load_run(RUN, maps=MAPS)")
        try:
            import nibabel
        except ImportError as err:
            raise ImportError("Run.images needs nibabel: pip install 'bwlm[images]'") from err
        found = {}
        for folder, _, names in sorted(os.walk(self.maps)):
            for name in sorted(names):
                if name.endswith((".nii", ".nii.gz", ".gii")):
                    path = os.path.join(folder, name)
                    found[os.path.relpath(path, self.maps)] = nibabel.load(path)
        return found


def _pandas():
    try:
        import pandas
    except ImportError as err:
        raise ImportError("tables need pandas: pip install 'bwlm[tables]'") from err
    return pandas
