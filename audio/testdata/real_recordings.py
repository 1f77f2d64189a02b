"""Prints the reference numbers of TestRealRecordings: frames, RMS and one sample of the mean over channels at 16 kHz.

Run: python real_recordings.py DATA_FOLDER
(made with Python 3.11, numpy 2.4.6, soundfile 0.14.0 with libsndfile 1.2.2, soxr 1.1.0 at quality VHQ)
"""

import sys

import numpy as np
import soundfile
import soxr

for path in ["speech/librispeech/1089/1089-134686-0000.flac", "speech/austen/sense_and_sensibility_01_austen_64kb-0870.wav",
             "alice/stories/alice_revoiced.flac", "speech/jfk/jfk.flac", "speech/sonnets/p001.mp3"]:
    x, rate = soundfile.read(f"{sys.argv[1]}/{path}", dtype="float32", always_2d=True)
    y = x.astype(np.float64).mean(1)
    if rate != 16000:
        y = soxr.resample(y, rate, 16000, quality="VHQ")
    at = int(np.argmax(np.abs(y)))
    print(path, rate, len(x), f"{np.sqrt((y ** 2).mean()):.9f}", at, f"{y[at]:.9f}")
