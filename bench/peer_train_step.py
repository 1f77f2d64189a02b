"""One tuning step as a Python user would write it, to be measured beside `bwlm bench step`.

WavLM Base of transformers with random weights, LoRA of peft on q, k and v, hidden state 9, the first frame of each 4 s window,
the mean of 8 windows for each row, a readout with a bottleneck of 100, minus the correlation across voxels, backward, Adam.

transformers hands the weights of its attention's projections to a fused function instead of calling the layers, so that
adapters on them do nothing (huggingface/transformers#48773). Here they are called, by an attention written out below;
without that the step would be faster and train nothing.

Prints one line of JSON with the keys of `bwlm bench step`.

    pip install -r bench/requirements.txt
    python bench/peer_train_step.py --windows 16 --voxels 20000 --steps 5 --dtype f32
"""

import argparse
import json
import resource
import statistics
import time
import warnings

import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers import WavLMConfig, WavLMModel
from transformers.models.wavlm.modeling_wavlm import WavLMAttention

LAYER = 9
SAMPLES = 4 * 16000
WINDOWS_PER_ROW = 8


def attend(self, hidden_states, attention_mask, gated_position_bias, output_attentions=False):
    """The same attention, by way of the projections' forward."""
    batch, frames, width = hidden_states.shape

    def heads(x):
        return x.view(batch, frames, self.num_heads, self.head_dim).transpose(1, 2)

    query = heads(self.q_proj(hidden_states) * self.scaling)
    key, value = heads(self.k_proj(hidden_states)), heads(self.v_proj(hidden_states))
    bias = gated_position_bias.view(batch, self.num_heads, frames, frames)
    weights = (query @ key.transpose(2, 3) + bias).softmax(dim=3)
    joined = (weights @ value).transpose(1, 2).reshape(batch, frames, width)
    return self.out_proj(joined), weights


def adapted_model():
    """WavLM Base without any noise, its front end frozen, with new adapters of rank 4."""
    WavLMAttention.torch_multi_head_self_attention = attend
    noiseless = dict.fromkeys(
        ["hidden_dropout", "attention_dropout", "activation_dropout", "feat_proj_dropout", "layerdrop"], 0.0
    )
    base = WavLMModel(WavLMConfig(apply_spec_augment=False, **noiseless))
    base.freeze_feature_encoder()
    return get_peft_model(base, LoraConfig(r=4, lora_alpha=4, target_modules=["q_proj", "k_proj", "v_proj"]))


def spatial_loss(predicted, measured):
    """Minus the mean over rows of the correlation across voxels."""
    centred = [x - x.mean(dim=1, keepdim=True) for x in (predicted, measured)]
    return -torch.cosine_similarity(*centred, dim=1).mean()


def check_adapters(model):
    """Every pair below the layer that is read must have got gradients, or the measured step is not the one meant."""
    for name, p in model.named_parameters():
        if p.requires_grad and int(name.split(".layers.")[1].split(".")[0]) < LAYER and p.grad is None:
            raise SystemExit(f"{name} got no gradient: the adapters are dead")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--windows", type=int, default=16, help="a multiple of 8")
    parser.add_argument("--voxels", type=int, default=20000)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    args = parser.parse_args()

    warnings.filterwarnings("ignore", category=FutureWarning)
    torch.manual_seed(0)
    rows = args.windows // WINDOWS_PER_ROW
    on_device = args.device == "cuda"
    model = adapted_model().to(args.device)
    readout = nn.Sequential(nn.Linear(768, 100), nn.Linear(100, args.voxels)).to(args.device)
    tuned = [p for p in model.parameters() if p.requires_grad] + list(readout.parameters())
    adam = torch.optim.Adam(tuned, lr=1e-4)
    sound = torch.randn(args.windows, SAMPLES).to(args.device)
    responses = torch.randn(rows, args.voxels).to(args.device)

    def step():
        with torch.autocast(args.device, dtype=torch.bfloat16, enabled=args.dtype == "bf16"):
            hidden = model(sound, output_hidden_states=True).hidden_states[LAYER]
            features = hidden[:, 0].view(rows, WINDOWS_PER_ROW, -1).mean(dim=1)
            loss = spatial_loss(readout(features).float(), responses)
        loss.backward()
        check_adapters(model)
        adam.step()
        adam.zero_grad()

    def now():
        """The time when the device has done all that it was given."""
        if on_device:
            torch.cuda.synchronize()
        return time.perf_counter()

    step()
    seconds = []
    for _ in range(args.steps):
        start = now()
        step()
        seconds.append(now() - start)
    answer = {
        "median_s": statistics.median_high(seconds),
        "min_s": min(seconds),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "peak_device_mb": torch.cuda.max_memory_allocated() >> 20 if on_device else None,
        "threads": torch.get_num_threads(),
        "windows": args.windows,
        "voxels": args.voxels,
        "dtype": args.dtype,
        "device": args.device,
        # f32 in 10 bits of mantissa: PyTorch's own defaults, as users have them
        "tf32_products": torch.backends.cuda.matmul.allow_tf32,
        "tf32_convolutions": torch.backends.cudnn.allow_tf32,
        "torch": torch.__version__,
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
