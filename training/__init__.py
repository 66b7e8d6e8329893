"""The recipe of the shipped models: training, export and evaluation with PyTorch, diffusers and accelerate."""
