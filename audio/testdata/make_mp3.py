"""Makes the MP3 files of this folder: 0.25 s of a 440 Hz tone of half full scale, in stereo its right channel at a quarter.

Run: python make_mp3.py     (made with Python 3.11, lameenc 1.9.0, which is LAME 3.100; the encoder's delay is 576 samples)
"""

import lameenc
import math
import struct

for name, rate, channels, bitrate in [("tone_44100_stereo", 44100, 2, 64), ("tone_22050_mono", 22050, 1, 40),
                                      ("tone_22050_padded", 22050, 1, 32)]:
    encoder = lameenc.Encoder()
    encoder.set_bit_rate(bitrate)
    encoder.set_in_sample_rate(rate)
    encoder.set_out_sample_rate(rate)
    encoder.set_channels(channels)
    encoder.set_quality(2)
    samples = []
    for i in range(rate // 4):
        v = math.sin(2 * math.pi * 440 * i / rate) * 32767
        samples += [round(v / 2), round(v / 4)][:channels]
    data = encoder.encode(struct.pack(f"<{len(samples)}h", *samples)) + encoder.flush()
    with open(name + ".mp3", "wb") as f:
        f.write(data)
