"""Executes runs.ipynb on a demo and compares its numbers: python notebook.py runs.ipynb DEMO."""

import json
import os
import sys

import nbclient
import nbformat


def main(notebook, demo):
    os.environ["BWLM_DEMO"] = os.path.abspath(demo)
    nb = nbformat.read(notebook, as_version=4)
    nbclient.NotebookClient(nb, timeout=300, kernel_name="python3").execute()
    text = "".join(o.get("text", "") for c in nb.cells for o in c.get("outputs", []))
    found = json.loads(next(line for line in text.splitlines() if line.startswith('{"')))
    with open(os.path.join(demo, "whole_cortex", "eval", "summary.json")) as f:
        test = json.load(f)["test"]
    for model in ("base", "tuned"):
        assert abs(found[model] - test[model]["mean_r"]) < 1e-6, (model, found, test[model]["mean_r"])
    assert abs(found["delta"] - test["delta"]["mean_r"]) < 1e-6, (found, test["delta"]["mean_r"])
    print("the notebook agrees: base %(base).6f, tuned %(tuned).6f, delta %(delta).6f" % found)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
