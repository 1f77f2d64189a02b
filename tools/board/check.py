#!/usr/bin/env python3
"""Reads what `bwlm train --tensorboard` wrote with TensorBoard's own reader and compares it with metrics.jsonl of the run.

usage: check.py BOARD RUN        (made with tensorboard 2.21.0)

Every step and every epoch must be there once, in order, with the number that the run has recorded, in 32 bits; the purging of what
a killed training did after its last checkpoint is TensorBoard's.
"""
import json
import sys
from pathlib import Path

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import STORE_EVERYTHING_SIZE_GUIDANCE
from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer

board, run = map(Path, sys.argv[1:])
lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
steps = [line for line in lines if "story" in line]
epochs = [line for line in lines if "story" not in line]
layout = json.loads((run / "eval" / "test" / "layout.json").read_text())
rois = {r["name"] for p in layout["subjects"] for r in p["rois"]}

multiplexer = EventMultiplexer(size_guidance=STORE_EVERYTHING_SIZE_GUIDANCE).AddRunsFromDirectory(str(board))
multiplexer.Reload()
assert set(multiplexer.Runs()) == {"steps", "epochs"}, multiplexer.Runs()


def scalars(run, tag):
    """Steps and values."""
    events = multiplexer.Scalars(run, tag)
    assert [e.wall_time for e in events] == sorted(e.wall_time for e in events), "time runs backwards"
    return [e.step for e in events], [e.value for e in events]


def same(got, want):
    (at, values), want = got, [(line["step"], v) for line, v in want]
    assert at == [step for step, _ in want], f"steps are {at}"
    assert np.array_equal(np.float32(values), np.float32([v for _, v in want])), (values, want)


same(scalars("steps", "loss/train"), [(line, line["loss"]) for line in steps])
assert len(scalars("steps", "seconds_per_step")[0]) == len(steps) and min(scalars("steps", "seconds_per_step")[1]) > 0
assert len(set(scalars("steps", "learning_rate/readout")[1])) == 1
same(scalars("epochs", "score/validation"), [(line, line["val_r"]) for line in epochs])
same(scalars("epochs", "loss/train"), [(line, line["train_loss"]) for line in epochs if line["train_loss"] is not None])
assert scalars("epochs", "loss/validation")[0] == [line["step"] for line in epochs]
for roi in rois:
    assert scalars("epochs", f"rois/{roi}")[0] == [line["step"] for line in epochs]
files = len(list((board / "steps").iterdir()))
print(f"TensorBoard reads {len(steps)} steps and {len(epochs)} epochs from {files} file{'s' * (files > 1)}")
