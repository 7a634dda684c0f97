"""Writes the JPEG files of this folder and prints the FNV-1a hash of each one's RGB levels as Pillow decodes them.

Made with Pillow 13.0 and OpenCV 5.0 (both libjpeg-turbo 3); OpenCV must agree but for CMYK, which it converts otherwise.
"""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

FOLDER = Path(__file__).parent


def fnv(data: bytes) -> str:
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & (2**64 - 1)
    return f"0x{value:016x}"


rng = np.random.default_rng(7)
y, x = np.mgrid[0:45, 0:67]
waves = np.stack([np.sin(x / 5), np.sin(y / 4 + 1), np.sin((x + y) / 7)], axis=-1)
rgb = np.clip(127.5 + 100 * waves + rng.normal(0, 12, waves.shape), 0, 255).astype(np.uint8)
cmyk = np.concatenate([rgb, rgb[..., :1] // 2], axis=-1)

Image.fromarray(rgb).save(FOLDER / "rgb420.jpg", quality=85, subsampling="4:2:0")
Image.fromarray(rgb).save(FOLDER / "rgb444.jpg", quality=92, subsampling="4:4:4", progressive=True)
Image.fromarray(rgb[..., 1]).save(FOLDER / "grey.jpg", quality=80)
Image.fromarray(cmyk, mode="CMYK").save(FOLDER / "cmyk.jpg", quality=90)

for name in ["rgb420", "rgb444", "grey", "cmyk"]:
    path = FOLDER / f"{name}.jpg"
    pillow = np.asarray(Image.open(path).convert("RGB"))
    opencv = cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    if name != "cmyk":
        assert (pillow == opencv).all(), name
    print(f"const {name.upper()}: u64 = {fnv(pillow.tobytes())};")
