#!/usr/bin/env python3
"""Write match.json: what peft itself says of configs and module paths that are easy to get wrong.

Needs peft 0.21.2. Run: python make_match.py
"""
import json
import os

import peft
from peft.tuners.tuners_utils import _ExcludedModule, check_target_module_exists
from peft.utils.other import get_pattern_key

PATHS = [
    "feature_projection.projection",
    "encoder.layers.0.attention.q_proj", "encoder.layers.0.attention.k_proj", "encoder.layers.0.attention.xq_proj",
    "encoder.layers.1.attention.q_proj", "encoder.layers.2.attention.q_proj", "encoder.layers.10.attention.q_proj",
    "encoder.layers.1.experts.2.q_proj", "layers.1.layers.2.q_proj", "layers.2.q_proj", "h.2.q_proj", "2.q_proj",
    "encoder.layers.2.feed_forward.output_dense", "encoder.blocks.2.q_proj", "q_proj", "proj", "encoder.q_proj.out",
    "wavlm.encoder.layers.1.attention.q_proj",
]
CASES = [
    dict(target_modules=["q_proj"]),
    dict(target_modules=["attention.q_proj", "proj"]),
    dict(target_modules=["q_proj"], exclude_modules=["0.attention.q_proj", "q_proj.out"]),
    dict(target_modules=["q_proj"], exclude_modules=r".*\.1\..*"),
    dict(target_modules=["q_proj"], exclude_modules=r"q_proj"),
    dict(target_modules=r".*\.q_proj"),
    dict(target_modules=r"encoder|.*_proj"),
    dict(target_modules=r"encoder\.layers\.[12]\.attention\.(q|k)_proj"),
    dict(target_modules=["q_proj"], layers_to_transform=[1]),
    dict(target_modules=["q_proj"], layers_to_transform=2),
    dict(target_modules=["q_proj"], layers_to_transform=[]),
    dict(target_modules=["q_proj", "encoder.layers.0.attention.q_proj"], layers_to_transform=[2]),
    dict(target_modules=["q_proj"], layers_to_transform=[1], layers_pattern="layers"),
    dict(target_modules=["q_proj"], layers_to_transform=[2], layers_pattern="layers"),
    dict(target_modules=["q_proj"], layers_to_transform=[2], layers_pattern=["experts", "layers"]),
    dict(target_modules=["q_proj"], layers_to_transform=[2], layers_pattern=["blocks|layers"]),
    dict(target_modules=["q_proj"], layers_to_transform=[2], layers_pattern=[r"(?:blocks|layers)"]),
    dict(target_modules=["q_proj"], layers_to_transform=[2], layers_pattern=["encoder.layers"]),
]
PATTERNS = [
    ["q_proj", "layers.1.attention.q_proj"],
    ["layers.1.attention.q_proj", "q_proj"],
    ["^encoder.layers.1.attention.q_proj", "1.attention.q_proj"],
    ["^layers.1.attention.q_proj"],
    ["_proj", ".*_proj"],
    ["k_proj|q_proj"],
    [r"layers\.\d+\.attention\.[qk]_proj"],
]


def main():
    targets = []
    for c in CASES:
        config = peft.LoraConfig(**c)
        hits = [p for p in PATHS if (r := check_target_module_exists(config, p)) and not isinstance(r, _ExcludedModule)]
        targets.append({"config": {k: v for k, v in c.items()}, "targeted": hits})
    patterns = [{"keys": keys, "key": {p: k if (k := get_pattern_key(keys, p)) in keys else None for p in PATHS}}
                for keys in PATTERNS]
    out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "match.json")
    with open(out, "w") as f:
        json.dump({"peft": peft.__version__, "paths": PATHS, "targets": targets, "patterns": patterns}, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
