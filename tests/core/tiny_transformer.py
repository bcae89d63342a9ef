"""A bundle whose denoiser is a small transformer with weights of no meaning."""

import dataclasses

import torch
from torch import nn

from tactus_core.policy.card import dump_card, file_sha256, load_card
from tactus_models.config import TransformerConfig
from tactus_models.export import export_graph
from tactus_models.transformer import TransformerDenoiser


def make_transformer(folder, after_norm=False):
    """Put a transformer in the place of a bundle's denoiser; return the folder."""
    card = load_card(folder / "card.yaml")
    graph = card.graphs["denoiser"]
    torch.manual_seed(0)
    config, condition = TransformerConfig(width=16, layers=2, heads=2), graph.inputs[2].shape[1]
    network = TransformerDenoiser(config, condition, card.sample_shape)
    for layer in network.decoder.layers:
        layer.norm_first = not after_norm
    for weights in network.parameters():
        nn.init.normal_(weights, std=0.3)
    export_graph(network, folder / graph.file, graph.inputs, graph.outputs)
    graph = dataclasses.replace(graph, sha256=file_sha256(folder / graph.file))
    dump_card(dataclasses.replace(card, graphs={**card.graphs, "denoiser": graph}), folder / "card.yaml")
    return folder
