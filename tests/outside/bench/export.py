"""Writes a model's folder as ONNX, for `cargo xtask bench`: python export.py MODEL_FOLDER OUT.onnx [--any]

The batch and the size of the picture are those of the model, or with --any whatever is asked for.
Needs what requirements.txt beside this file lists: python -m pip install -r tests/outside/bench/requirements.txt
"""

import sys

import torch
from diffusers import UNet2DModel


class Prediction(torch.nn.Module):
    """The network's output as a tensor; a network without classes takes none."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, sample, timestep, class_labels=None):
        return self.network(sample, timestep, class_labels, return_dict=False)[0]


def main(folder, out, any_size):
    network = UNet2DModel.from_pretrained(folder).eval().float()
    size, batch = network.config.sample_size, 2 if any_size else 1
    inputs = {
        "sample": torch.zeros(batch, network.config.in_channels, size, size),
        "timestep": torch.full((batch,), 10),
    }
    if network.config.num_class_embeds is not None:
        inputs["class_labels"] = torch.full((batch,), 3)
    dynamic = torch.export.Dim.DYNAMIC
    shapes = {name: {0: dynamic} for name in inputs}
    shapes["sample"] |= {2: dynamic, 3: dynamic}
    program = torch.onnx.export(
        Prediction(network).eval(),
        tuple(inputs.values()),
        dynamo=True,
        opset_version=18,
        input_names=list(inputs),
        output_names=["prediction"],
        dynamic_shapes=shapes if any_size else None,
    )
    program.save(out)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], "--any" in sys.argv[3:])
