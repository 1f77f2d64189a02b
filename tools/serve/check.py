"""Calls a server by a public client of the protocol, over HTTP and gRPC, and compares one output with a tensor of a safetensors file
that bwlm features or bwlm predict wrote. The client is NVIDIA's tritonclient, or kserve; one process cannot import both.

    check.py tritonclient|kserve HTTP_ADDRESS GRPC_ADDRESS MODEL CLIP.wav EXPECTED.safetensors OUTPUT
"""
import asyncio
import json
import struct
import sys

import numpy as np


def tensor(path, name):
    """Reads one float32 tensor of a safetensors file."""
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        start = f.tell()
        begin, end = header[name]["data_offsets"]
        f.seek(start + begin)
        return np.frombuffer(f.read(end - begin), "<f4").reshape(header[name]["shape"])


def compare(got, want):
    """Values that agree to 1e-5 of the largest; of runs, NaN where there is NaN."""
    assert got.shape == want.shape, (got.shape, want.shape)
    assert (np.isnan(got) == np.isnan(want)).all()
    off, largest = np.nanmax(np.abs(got - want)), np.nanmax(np.abs(want))
    assert off <= 1e-5 * largest, (off, largest)


def triton_client(http, address, model, sound, x, output, want):
    """tritonclient's two modules have the same calls, of which those over HTTP answer with dictionaries."""
    from tritonclient.utils import InferenceServerException

    if http:
        import tritonclient.http as kind
    else:
        import tritonclient.grpc as kind
    client = kind.InferenceServerClient(address)
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(model)
    index = client.get_model_repository_index()
    names = [m["name"] for m in index] if http else [m.name for m in index.models]
    assert model in names, names
    meta = client.get_model_metadata(model)
    outputs = [o["name"] for o in meta["outputs"]] if http else [o.name for o in meta.outputs]
    assert output in outputs, outputs

    audio = kind.InferInput("audio", [1], "BYTES")
    audio.set_data_from_numpy(np.array([sound], dtype=np.object_))
    got = client.infer(model, [audio], request_id="mine")
    answer = got.get_response()
    assert (answer["id"] if http else answer.id) == "mine"
    compare(got.as_numpy(output), want)
    # samples, chosen outputs, and over HTTP in JSON
    text = {"binary_data": False} if http else {}
    samples = kind.InferInput("samples", [len(x)], "FP32")
    samples.set_data_from_numpy(x, **text)
    wanted = kind.InferRequestedOutput(output, **text)
    compare(client.infer(model, [samples], outputs=[wanted]).as_numpy(output), want)
    try:
        client.infer("nothing", [audio])
        raise AssertionError("a model that is not there answered")
    except InferenceServerException as e:
        assert "no model of this name" in e.message(), e.message()
    client.close()


def value(answer, output):
    return next(o for o in answer.outputs if o.name == output).as_numpy()


def kserve_requests(model, sound, x):
    """Audio and samples as binary tensors."""
    import kserve

    audio = kserve.InferInput("audio", [1], "BYTES")
    audio.set_data_from_numpy(np.array([sound], dtype=np.object_))
    samples = kserve.InferInput("samples", [len(x)], "FP32")
    samples.set_data_from_numpy(x)
    return [kserve.InferRequest(model, [audio], request_id="mine"), kserve.InferRequest(model, [samples], request_id="mine")]


async def kserve_http(address, model, sound, x, output, want):
    import kserve

    base = "http://" + address
    client = kserve.InferenceRESTClient(kserve.RESTConfig(protocol="v2"))
    assert await client.is_server_live(base) and await client.is_server_ready(base)
    assert await client.is_model_ready(base, model)
    for request in kserve_requests(model, sound, x):
        answer = await client.infer(base, request, model_name=model)
        assert answer.id == "mine"
        compare(value(answer, output), want)
    typed = kserve.InferInput("samples", [len(x)], "FP32")
    typed.set_data_from_numpy(x, binary_data=False)
    compare(value(await client.infer(base, kserve.InferRequest(model, [typed]), model_name=model), output), want)
    await client.close()


async def kserve_grpc(address, model, sound, x, output, want):
    import kserve

    async with kserve.InferenceGRPCClient(address) as client:
        assert await client.is_server_live() and await client.is_server_ready() and await client.is_model_ready(model)
        for request in kserve_requests(model, sound, x):
            answer = await client.infer(request)
            assert answer.id == "mine"
            compare(value(answer, output), want)


def main():
    client, http, grpc, model, clip, expected, output = sys.argv[1:]
    want = tensor(expected, output)
    with open(clip, "rb") as f:
        sound = f.read()
    x = np.frombuffer(sound[sound.index(b"data") + 8:], "<f4")
    for about, address in (("HTTP", http), ("gRPC", grpc)):
        rest = address, model, sound, x, output, want
        if client == "tritonclient":
            triton_client(about == "HTTP", *rest)
        else:
            asyncio.run((kserve_http if about == "HTTP" else kserve_grpc)(*rest))
        print(f"{client} gets {output} of {model} over {about}")


main()
