"""A service as a Python user would write it, to be measured beside `bwlm serve`: FastAPI and transformers.

    python bench/serve_peer.py --model DIR [--port 0] [--threads 2] [--batch 1]

POST /infer takes 32-bit floats at 16 kHz and answers with the vector of the last hidden state at the last frame of the sound, as bytes.
One thread runs the model. With --batch N it takes up to N requests of equal length that wait by then into one pass, as
`bwlm serve` does; with 1 each request is a pass. The first line on standard output is the address.
"""

import argparse
import asyncio
import concurrent.futures
import json
import pathlib
import queue
import socket
import threading

import fastapi
import numpy as np
import torch
import transformers
import uvicorn


def speech_model(folder):
    """Returns what maps equally long sounds, (N, T), to vectors, (N, C)."""
    if json.loads((pathlib.Path(folder) / "config.json").read_text())["model_type"] != "whisper":
        model = transformers.WavLMModel.from_pretrained(folder, dtype=torch.float32).eval()
        return lambda sounds: model(torch.from_numpy(sounds)).last_hidden_state[:, -1]
    transformers.logging.set_verbosity_error()  # a folder may have the encoder alone
    model = transformers.WhisperModel.from_pretrained(folder, dtype=torch.float32).encoder.eval()
    model.layer_norm = torch.nn.Identity()  # the hidden state after the last layer, as bwlm gives it
    extract = transformers.WhisperFeatureExtractor.from_pretrained(folder)

    def read(sounds):
        mel = extract(list(sounds), sampling_rate=16000, return_tensors="pt").input_features
        return model(mel).last_hidden_state[:, sounds.shape[1] // 320 - 1]
    return read


def work(read, waiting, most):
    """Answers requests for ever: pairs of a sound and its future."""
    kept = None
    with torch.inference_mode():
        while True:
            batch = [kept or waiting.get()]
            kept = None
            while len(batch) < most:
                try:
                    kept = waiting.get_nowait()
                except queue.Empty:
                    break
                if len(kept[0]) != len(batch[0][0]):
                    break
                batch.append(kept)
                kept = None
            try:
                for (_, answer), y in zip(batch, read(np.stack([x for x, _ in batch])).numpy()):
                    answer.set_result(y.tobytes())
            except Exception as e:
                for _, answer in batch:
                    answer.set_exception(e)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    waiting = queue.SimpleQueue()
    threading.Thread(target=work, args=(speech_model(args.model), waiting, args.batch), daemon=True).start()
    app = fastapi.FastAPI()

    @app.post("/infer")
    async def infer(request: fastapi.Request):
        answer = concurrent.futures.Future()
        waiting.put((np.frombuffer(await request.body(), "<f4"), answer))
        return fastapi.Response(await asyncio.wrap_future(answer), media_type="application/octet-stream")

    listener = socket.create_server(("127.0.0.1", args.port))
    print("127.0.0.1:%d" % listener.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])


if __name__ == "__main__":
    main()
