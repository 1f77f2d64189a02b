"""Makes internal/sim/lexicon: spoken words, their offsets, and two disjoint sets of word-vector components.

Development-time only; the result is committed. Needs espeak-ng 1.51, flac, numpy, scipy, and GloVe 6B 50d as
DIR/glove6B_50d_subset.npy beside DIR/glove6B_50d_subset.vocab.txt (PDDL 1.0).

    python make_lexicon.py --glove DIR --out ../../internal/sim/lexicon

Every word is spoken by every voice. Voices differ in accent, timbre, rate and pitch, so that the sound of a word is
not its identity. A voice has one role: tune (tuning stories and the training of the nano model), test (test stories
alone) or probe (probe stories alone).
"""
import argparse
import json
import pathlib
import re
import subprocess

import numpy as np
from scipy.io import wavfile
from scipy.signal import resample_poly

RATE = 16000
PEAK = 1023  # of 32767: quiet audio is small as FLAC, 11 bits are enough for synthetic speech
WORDS = ("king river mountain fire flower dog horse fish milk sugar door table city school doctor money song hand "
         "mother winter rain moon train bread church knife island soldier garden letter").split()
VOICES = [  # name, espeak voice, words a minute, pitch 0..99, role
    ("tune-1", "en-us", 150, 50, "tune"), ("tune-2", "en-us", 185, 35, "tune"),
    ("tune-3", "en-gb", 150, 60, "tune"), ("tune-4", "en-gb-x-rp", 180, 40, "tune"),
    ("tune-5", "en-us+f3", 155, 50, "tune"), ("tune-6", "en-us+f1", 180, 65, "tune"),
    ("tune-7", "en-gb+m3", 165, 45, "tune"), ("tune-8", "en-us+m7", 175, 55, "tune"),
    ("test-1", "en-gb+f2", 162, 50, "test"), ("test-2", "en-us+m4", 170, 50, "test"),
    ("probe-1", "en-us+f4", 168, 45, "probe"),
]
BANDS = 8          # spectral bands beside loudness
LOW, HIGH = 100.0, 6000.0
STEP = RATE // 10  # samples of one spectral frame
COMPONENTS = 3     # of each set of word components
GAIN, FLOOR = .6, .002  # a word's usual level in a story, and the SD of the noise under the speech, as in internal/sim


def speak(word, voice, wpm, pitch):
    """One word as float32 at 16 kHz, silence trimmed to 5 ms on each side."""
    raw = subprocess.run(["espeak-ng", "-v", voice, "-s", str(wpm), "-p", str(pitch), "--stdout", word],
                         capture_output=True, check=True).stdout
    x = np.frombuffer(raw[44:], dtype="<i2").astype("f4") / 32768
    x = resample_poly(x, RATE, 22050)
    loud = np.where(np.abs(x) > .01)[0]
    return x[max(0, loud[0] - 80):loud[-1] + 80]


def phones(word):
    """The word's phones (en-us), without stress marks."""
    ipa = subprocess.run(["espeak-ng", "-q", "--ipa=1", "--sep= ", "-v", "en-us", word],
                         capture_output=True, text=True, check=True).stdout
    return [p for p in (q.strip("ˈˌ") for q in re.split(r"[ _]+", ipa.strip())) if p]


def edges():
    """Band edges in Hz, equal steps on the mel scale."""
    mel = lambda f: 2595 * np.log10(1 + f / 700)
    m = np.linspace(mel(LOW), mel(HIGH), BANDS + 1)
    return 700 * (10 ** (m / 2595) - 1)


def spectrum(x):
    """(frames of 100 ms, 9): loudness (RMS) and the log of the mean magnitude in 8 mel bands, as internal/sim has it."""
    n = len(x) // STEP
    b = x[:n * STEP].reshape(n, STEP)
    mag = np.abs(np.fft.rfft(b * np.hanning(STEP), axis=1))
    bins = np.round(edges() * STEP / RATE).astype(int)
    bands = np.stack([mag[:, a:z].mean(1) for a, z in zip(bins, bins[1:])], 1)
    return np.c_[np.sqrt((b ** 2).mean(1)), np.log(bands + 1e-3)]


def cues(tokens):
    """What sound tells of a word that is heard in a story: (words, 12), from tokens[voice][word], peak 1.

    In a row of a story, a component is summed over the time that words take, as the spectrum is. Words are drawn
    independently, so the two are uncorrelated if the words' components are orthogonal to the sums, over the voices, of
    duration times what the word adds to each spectral number; to duration times duration (is there speech?); to
    duration (how many words?); and to the constant.
    """
    r = np.random.default_rng(0)
    silence = spectrum(r.normal(0, FLOOR, 100 * STEP).astype("f4")).mean(0)
    out = 0
    for voice in tokens:
        for w, x in enumerate(voice):
            padded = np.zeros((len(x) // STEP + 2) * STEP, "f4")
            at = r.integers(STEP)
            padded[at:at + len(x)] = GAIN * x
            added = (spectrum(padded + r.normal(0, FLOOR, len(padded)).astype("f4")) - silence).sum(0)
            seconds = len(x) / RATE
            row = np.zeros((len(voice), 12))
            row[w] = seconds * np.r_[added, seconds, 1, 1 / seconds]
            out = out + row
    return out


def components(words, heard, glove):
    """Two disjoint sets of principal components of the words' vectors, the planted and the control ones. What the cues
    (words, 12) have to do with them is projected out, and from the control ones the planted ones too. Each component
    has mean 0 and SD 1 over the words."""
    vocabulary = [w.strip() for w in open(glove / "glove6B_50d_subset.vocab.txt")]
    vectors = np.load(glove / "glove6B_50d_subset.npy")
    e = np.stack([vectors[vocabulary.index(w)] for w in words])
    u, _, _ = np.linalg.svd(e - e.mean(0), full_matrices=False)
    heard = heard / np.linalg.norm(heard, axis=0)

    def free(a, of):
        q, _ = np.linalg.qr(of)
        r = a - q @ (q.T @ a)
        return r / r.std(0)

    planted = free(u[:, :COMPONENTS], heard)
    return planted, free(u[:, COMPONENTS:2 * COMPONENTS], np.c_[heard, planted])


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--glove", type=pathlib.Path, required=True)
    args.add_argument("--out", type=pathlib.Path, required=True)
    args = args.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    version = subprocess.run(["espeak-ng", "--version"], capture_output=True, text=True).stdout.split("Data")[0].strip()
    index = {"source": version, "rate": RATE, "words": WORDS, "phones": [phones(w) for w in WORDS], "voices": []}
    tokens = []
    for name, voice, wpm, pitch, role in VOICES:
        spoken = [speak(w, voice, wpm, pitch) for w in WORDS]
        gain = PEAK / max(np.abs(x).max() for x in spoken)
        starts = np.cumsum([0] + [len(x) for x in spoken])
        pcm = np.round(np.concatenate(spoken) * gain).astype("<i2")
        wav = args.out / f"{name}.wav"
        wavfile.write(wav, RATE, pcm)
        subprocess.run(["flac", "-8", "-s", "-f", "--no-padding", "-o", args.out / f"{name}.flac", wav], check=True)
        wav.unlink()
        index["voices"].append({"name": name, "role": role, "espeak": f"-v {voice} -s {wpm} -p {pitch}",
                                "starts": starts.tolist()})
        tokens.append([pcm[a:z].astype("f4") / PEAK for a, z in zip(starts, starts[1:])])
    planted, control = components(WORDS, cues(tokens), args.glove)
    (args.out / "index.json").write_text(json.dumps(index, ensure_ascii=False, separators=(",", ":")) + "\n")
    (args.out / "components.json").write_text(json.dumps(
        {"words": WORDS, "planted": planted.round(5).tolist(), "control": control.round(5).tolist()}, indent=1) + "\n")


if __name__ == "__main__":
    main()
