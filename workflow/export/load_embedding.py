"""The embedding net: a function from style vectors [n, K] to embeddings [n, D]. Needs torch and safetensors."""

import torch
from safetensors.torch import load_file


def load_embedding(folder="."):
    state = {name: tensor.double() for name, tensor in load_file(f"{folder}/net.safetensors").items()}

    def embed(style):
        values = (torch.as_tensor(style).double() - state["mean"]) / state["std"]
        if "hidden.weight" in state:
            values = torch.relu(values @ state["hidden.weight"].T + state["hidden.bias"])
        return values @ state["output.weight"].T + state["output.bias"]

    return embed
