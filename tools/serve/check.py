"""Calls a server by NVIDIA's tritonclient, over HTTP and gRPC, and compares features with a safetensors file of bwlm features.

    check.py HTTP_ADDRESS GRPC_ADDRESS MODEL CLIP.wav FEATURES.safetensors TENSOR
"""
import json
import struct
import sys

import numpy as np
import tritonclient.grpc
import tritonclient.http
from tritonclient.utils import InferenceServerException


def tensor(path, name):
    """Reads one float32 tensor of a safetensors file."""
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        start = f.tell()
        begin, end = header[name]["data_offsets"]
        f.seek(start + begin)
        return np.frombuffer(f.read(end - begin), "<f4").reshape(header[name]["shape"])


def main():
    http, grpc, model, clip, features, name = sys.argv[1:]
    want = tensor(features, name)
    with open(clip, "rb") as f:
        sound = f.read()
    for about, kind, address in (("HTTP", tritonclient.http, http), ("gRPC", tritonclient.grpc, grpc)):
        client = kind.InferenceServerClient(address)
        assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(model)
        index = client.get_model_repository_index()
        names = [m["name"] for m in index] if kind is tritonclient.http else [m.name for m in index.models]
        assert model in names, names
        meta = client.get_model_metadata(model)
        outputs = [o["name"] for o in meta["outputs"]] if kind is tritonclient.http else [o.name for o in meta.outputs]
        assert name in outputs, outputs

        audio = kind.InferInput("audio", [1], "BYTES")
        audio.set_data_from_numpy(np.array([sound], dtype=np.object_))
        got = client.infer(model, [audio], request_id="mine")
        answer = got.get_response()
        assert (answer["id"] if kind is tritonclient.http else answer.id) == "mine"
        values = [got.as_numpy(name)]
        # samples, chosen outputs, and over HTTP in JSON
        x = np.frombuffer(sound[sound.index(b"data") + 8:], "<f4")
        samples = kind.InferInput("samples", [len(x)], "FP32")
        samples.set_data_from_numpy(x, **({"binary_data": False} if kind is tritonclient.http else {}))
        wanted = kind.InferRequestedOutput(name, **({"binary_data": False} if kind is tritonclient.http else {}))
        values.append(client.infer(model, [samples], outputs=[wanted]).as_numpy(name))
        for y in values:
            assert y.shape == want.shape, (y.shape, want.shape)
            off, largest = np.abs(y - want).max(), np.abs(want).max()
            assert off <= 1e-5 * largest, (off, largest)
        try:
            client.infer("nothing", [audio])
            raise AssertionError("a model that is not there answered")
        except InferenceServerException as e:
            assert "no model of this name" in e.message(), e.message()
        client.close()
        print(f"tritonclient gets the features over {about}")


main()
