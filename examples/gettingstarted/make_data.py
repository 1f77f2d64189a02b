"""Makes a small data set for bwlm with numpy alone: seven stories of syllables, and the responses of two subjects.

    python make_data.py DIRECTORY
"""
import sys
import wave
from pathlib import Path

import numpy as np

RATE = 16000  # samples a second
TR = 2.0  # seconds from one volume to the next
VOLUMES = 120  # of each story: four minutes
STORIES = ["one", "two", "three", "four", "five", "six", "seven"]
FORMANTS = np.array([[300, 2300], [450, 1900], [750, 1250], [500, 900], [320, 750]])  # Hz, of i e a o u


def syllable(rng, vowel, pitch, seconds, loudness):
    """Harmonics of a gliding pitch, shaped by two formants."""
    t = np.arange(int(seconds * RATE)) / RATE
    f0 = pitch * (1 + 0.1 * rng.uniform(-1, 1) * t / seconds)
    phase = 2 * np.pi * np.cumsum(f0) / RATE
    sound = np.zeros_like(t)
    for k in range(1, int(4000 / pitch)):
        gain = sum(1 / (1 + ((k * pitch - f) / 120) ** 2) for f in FORMANTS[vowel])
        sound += gain * np.sin(k * phase)
    return loudness * sound * np.sin(np.pi * t / seconds) ** 0.5


def story(rng):
    """Audio, and for each volume: loudness, mean pitch, and how often each vowel was said."""
    audio = np.zeros(int(VOLUMES * TR * RATE), np.float64)
    counts = np.zeros((VOLUMES, 7))
    at, mood, voice = 0.1, 0.0, 0.0
    often = np.ones(5) / 5
    while at < VOLUMES * TR - 0.5:
        if rng.random() < 0.15:  # a new phrase: other vowels are frequent, voice and loudness change
            often = rng.dirichlet(np.ones(5) * 0.5)
            mood, voice = rng.uniform(-1, 1), rng.uniform(-1, 1)
            at += rng.uniform(0.1, 0.8)
        vowel, pitch = rng.choice(5, p=often), 130 * 1.5 ** (voice + 0.2 * rng.normal())
        seconds, loudness = rng.uniform(0.12, 0.3), 0.04 * 2**mood
        begin = int(at * RATE)
        sound = syllable(rng, vowel, pitch, seconds, loudness)[: len(audio) - begin]
        audio[begin : begin + len(sound)] += sound
        volume = min(int(at / TR), VOLUMES - 1)
        counts[volume, 0] += loudness * seconds
        counts[volume, 1] += voice * seconds
        counts[volume, 2 + vowel] += 1
        at += seconds + rng.uniform(0, 0.1)
    audio += 0.001 * rng.normal(size=len(audio))
    return np.clip(audio, -1, 1), counts / (counts.std(0) + 1e-9)


def responses(rng, counts, weights, noise=1.0):
    """The blood flow follows 4 to 6 seconds later; scanner drift and noise are added."""
    late = np.zeros_like(counts)
    for delay, share in ((1, 0.1), (2, 0.3), (3, 0.4), (4, 0.2)):
        late[delay:] += share * counts[:-delay]
    drift = np.linspace(0, 1, len(counts))[:, None] * rng.normal(size=weights.shape[1])
    return (late @ weights + drift + noise * rng.normal(size=(len(counts), weights.shape[1]))).astype(np.float32)


def main(out):
    rng = np.random.default_rng(1)
    for folder in ("stories", "sub-01", "sub-02", "masks"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    voxels = {"sound": range(0, 30), "vowels": range(30, 60), "noise": range(60, 90)}
    weights = {}
    for subject in ("sub-01", "sub-02"):
        w = np.zeros((7, 90))
        w[:2, 0:30] = rng.normal(size=(2, 30))  # loudness and pitch
        w[2:, 30:60] = rng.normal(size=(5, 30))  # vowels
        weights[subject] = w
    for name in STORIES:
        audio, counts = story(rng)
        with wave.open(str(out / "stories" / f"{name}.wav"), "wb") as f:
            f.setnchannels(1)
            f.setsampwidth(2)
            f.setframerate(RATE)
            f.writeframes((audio * 32767).astype("<i2").tobytes())
        for subject, w in weights.items():
            times = 3 if name in ("six", "seven") else 1  # test stories were heard three times: (3, volumes, voxels)
            y = [responses(rng, counts, w) for _ in range(times)]
            np.save(out / subject / f"{name}.npy", np.stack(y) if times > 1 else y[0])
    for roi, columns in voxels.items():
        mask = np.zeros(90, bool)
        mask[list(columns)] = True
        np.save(out / "masks" / f"{roi}.npy", mask)
    lines = ["name: syllables", f"tr_seconds: {TR}", "row_time: 0.5  # a row is the middle of its volume", "stories:"]
    lines += [f"  {name}: {{audio: stories/{name}.wav, first_tr_seconds: 0}}" for name in STORIES]
    lines += ["subjects:"]
    for subject in weights:
        lines += [f"  {subject}:"] + [f"    {name}: {subject}/{name}.npy" for name in STORIES]
    lines += ["rois:"] + [f"  {roi}: masks/{roi}.npy" for roi in voxels]
    (out / "dataset.yaml").write_text("\n".join(lines) + "\n")


main(Path(sys.argv[1]))
