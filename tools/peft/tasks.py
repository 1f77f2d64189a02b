#!/usr/bin/env python3
"""Goldens of PEFT's adapters of task models, in whose files a head of the task is saved too, and of adapter_model.bin.

    python tasks.py     # writes ../../peft/testdata/tasks

Made with python 3.11, torch 2.15.0, transformers 5.24.0, peft 0.21.2 on the CPU. The encoder is the golden model base, the
clips are those of ../../testdata/golden/make_goldens.py. What is expected is the last hidden state of the encoder after
merge_and_unload, which stock transformers computes without help.
"""
import copy
import json
import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "testdata", "golden"))
sys.dont_write_bytecode = True

import make_goldens as g  # noqa: E402
import peft  # noqa: E402
import safetensors.torch as st  # noqa: E402
import torch  # noqa: E402
import transformers as tf  # noqa: E402

OUT = os.path.join(HERE, "..", "..", "peft", "testdata", "tasks")
HEADS = dict(classifier_proj_size=8, num_labels=3, tdnn_dim=[8, 8], tdnn_kernel=[3, 1], tdnn_dilation=[1, 1], xvector_output_dim=8,
             vocab_size=6, pad_token_id=0, use_weighted_layer_sum=True)
QV = ["q_proj", "v_proj"]


def lora(**kw):
    return peft.LoraConfig(**{"target_modules": QV, "r": 3, "lora_alpha": 5, **kw})


CASES = {  # the model's class, the adapter, whether it is saved as adapter_model.bin
    "seqcls": (tf.WavLMForSequenceClassification, lora(task_type="SEQ_CLS"), False),
    "ctc": (tf.WavLMForCTC, lora(modules_to_save=["lm_head"]), False),
    "xvector": (tf.WavLMForXVector, lora(target_modules=QV + ["projector"], modules_to_save=["classifier", "feature_extractor"]), False),
    "frames": (tf.WavLMForAudioFrameClassification, lora(modules_to_save=["classifier", "encoder.layer_norm"]), False),
    "bias_all": (tf.WavLMForSequenceClassification, lora(bias="all"), False),
    "pattern": (tf.WavLMForSequenceClassification, lora(target_modules=r".*(q_proj|projector)", rank_pattern={"projector": 2}), False),
    "bin": (tf.WavLMForCTC, lora(modules_to_save=["lm_head"]), True),
}


def make(name, cls, config, pickled):
    _, cfg, base = g.build("base")
    wav, mask, _ = g.waves()
    task = copy.deepcopy(cfg)
    for key, value in HEADS.items():
        setattr(task, key, value)
    torch.manual_seed(0)
    whole = cls(task).eval()
    whole.wavlm.load_state_dict(base.state_dict())
    model = peft.get_peft_model(whole, config).eval()
    with torch.no_grad():
        for key, p in model.named_parameters():
            if p.requires_grad:
                p.add_(g.randn(f"{name}/{key}", *p.shape, scale=0.1))
    folder = os.path.join(OUT, name)
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder, safe_serialization=not pickled)
    os.remove(os.path.join(folder, "README.md"))
    path = os.path.join(folder, "adapter_config.json")
    written = json.load(open(path))
    for key, value in written.items():  # sets are written in the order of their hashes
        if key.endswith(("_modules", "_to_save")) and isinstance(value, list):
            written[key] = sorted(value)
    json.dump(written, open(path, "w"), indent=2, sort_keys=True)
    with torch.no_grad():
        merged = model.merge_and_unload().wavlm
        tensors = {"merged/last_hidden_state": merged(wav, attention_mask=mask).last_hidden_state}
        assert g.maxdiff(base(wav, attention_mask=mask).last_hidden_state, tensors["merged/last_hidden_state"]) > 0.1
    st.save_file({k: v.contiguous().clone() for k, v in tensors.items()}, os.path.join(folder, "expected.safetensors"))


for name, case in CASES.items():
    make(name, *case)
    print(name, sorted(os.listdir(os.path.join(OUT, name))))
