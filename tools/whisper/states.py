"""Hidden states of a Whisper encoder as transformers computes them, for a test of package whisper.

    python states.py MODEL CLIP.safetensors OUT.safetensors [CLIP OUT ...]

A CLIP has the tensor samples at 16 kHz. The last state is after the final norm.
"""
import sys

import torch
from safetensors.torch import load_file, save_file
from transformers import WhisperConfig, WhisperFeatureExtractor
from transformers.models.whisper.modeling_whisper import WhisperEncoder

model, *files = sys.argv[1:]
weights = {k.removeprefix("model.encoder."): v.float() for k, v in load_file(f"{model}/model.safetensors").items()}
encoder = WhisperEncoder(WhisperConfig.from_pretrained(model)).eval()
encoder.load_state_dict(weights)
extract = WhisperFeatureExtractor.from_pretrained(model)
for clip, out in zip(files[::2], files[1::2]):
    samples = load_file(clip)["samples"].numpy()
    mel = extract(samples, sampling_rate=16000, return_tensors="pt").input_features
    with torch.no_grad():
        states = encoder(mel, output_hidden_states=True).hidden_states
    save_file({f"hidden_states.{i}": h[0].contiguous() for i, h in enumerate(states)}, out)
