# raised: ModuleNotFoundError: No module named 'torch'
import torch
