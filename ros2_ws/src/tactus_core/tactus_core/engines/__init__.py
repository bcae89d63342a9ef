"""Engines: the networks of a bundle, each made ready for the machine that runs it. docs/engines.md has the user's side.

port.py          what an engine and a backend offer, and how one is chosen
onnx_runtime.py  ONNX Runtime on the CPU, fp32: the reference that all others are held against
onnx_cuda.py     ONNX Runtime on an NVIDIA GPU
tensor_rt.py     TensorRT, and TensorRT-RTX, whose builder needs no GPU
cuda.py          a GPU's memory, stream and graphs, for TensorRT
precision.py     a graph → the same in fp16, or in int8 by static quantisation
stored.py        a built engine as a file, with what it is for and what proves it
sealed.py        arrays as one file that is whole or nothing
blocks.py        a transformer denoiser cut into blocks, so that some of them can be left out of a step
merging.py       graphs of several bundles as one
making.py        build, prove, open

Whatever is not the reference is built once, by `./tactus engine`, and proves itself each time it is opened.
"""
