"""The MP3 files that mp3_cut_test.go reads, by LAME 3.100.

speech_64k_mono: 1.5 s of a voice-like sound, loud and soft in turn, so that LAME fills and uses the bit reservoir.
tone_crc: the tones of make_mp3.py, .25 s at 44100 Hz, with a checksum in each frame (lame -p) and a Xing tag.
"""

import math
import struct
import subprocess
import wave


def write(path, channels, rate=44100):
    with wave.open(path, "wb") as w:
        w.setnchannels(len(channels))
        w.setsampwidth(2)
        w.setframerate(rate)
        for frame in zip(*channels):
            w.writeframes(struct.pack(f"<{len(frame)}h", *(round(32767 * v) for v in frame)))


def voice(t):
    loud = 0.05 + 0.95 * max(0, math.sin(2 * math.pi * 3 * t)) ** 2
    f0 = 120 + 20 * math.sin(2 * math.pi * 1.3 * t)
    return 0.3 * loud * sum(math.sin(2 * math.pi * k * f0 * t) / k for k in range(1, 25)) / 2


def tone(t):
    return math.sin(2 * math.pi * 440 * t)


write("/tmp/voice.wav", [[voice(i / 44100) for i in range(66150)]])
subprocess.run("lame --quiet -m m -b 64 --cbr -t /tmp/voice.wav speech_64k_mono.mp3", shell=True, check=True)
time = [i / 44100 for i in range(11025)]
write("/tmp/tone.wav", [[0.5 * tone(t) for t in time], [0.25 * tone(t) for t in time]])
subprocess.run("lame --quiet -p -V 5 /tmp/tone.wav tone_crc.mp3", shell=True, check=True)
