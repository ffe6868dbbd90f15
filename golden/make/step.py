"""Writes golden/step/lenet300.safetensors: two full training steps (two, so that momentum takes part) in f64."""

import json

from common import GOLDEN, write
from networks import NETWORKS
from sgd import record


def main():
    model = NETWORKS["lenet300"].build((1, 8, 8))
    header, tensors, logits, gradients, momenta = record(model, "step/lenet300", [64], steps=2)
    for i in range(2):
        tensors[f"step/{i}/logits"] = logits[i]
        tensors |= {f"step/{i}/grad/{name}": g for name, g in gradients[i].items()}
    tensors |= {f"momentum/{name}": v for name, v in momenta.items()}
    write(GOLDEN / "step" / "lenet300.safetensors", tensors, {"gdstar-golden": json.dumps(header)})


if __name__ == "__main__":
    main()
