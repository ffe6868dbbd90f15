"""JPEGs of every coding that is read, and what libjpeg-turbo makes of them, as PNGs.

    pip install pillow numpy; apt install libjpeg-turbo-progs
    python tests/images/make.py

cjpeg writes the files and Pillow (its libjpeg-turbo) decodes them: an opinion that shares no code with the crate's.
The images are computed, no third party's; like the rest of the repository they are under the MIT licence.
"""

import pathlib
import subprocess
import tempfile

import numpy as np
from PIL import Image

FOLDER = pathlib.Path(__file__).parent
SIZES = [(31, 33), (16, 16), (7, 50), (5, 5)]
SAMPLINGS = ["1x1", "2x1", "1x2", "2x2", "4x1", "4x2"]
CODINGS = {
    "baseline": [],
    "progressive": ["-progressive"],
    "restarts": ["-restart", "1B"],
    "scans": ["-scans", "SCANS"],
}


def image(width, height):
    """Slopes of colour, an edge and a texture."""
    y, x = np.mgrid[0:height, 0:width]
    red = 255 * x // width
    green = 255 - 255 * y // height
    blue = np.where(x * height > y * width, 230, 20) + 10 * ((x + y) % 3)
    return Image.fromarray(np.stack([red, green, blue], -1).astype(np.uint8))


def cjpeg(source, name, options):
    subprocess.run(["cjpeg", "-quality", "85", *options, "-outfile", str(FOLDER / f"{name}.jpg"), source], check=True)


with tempfile.TemporaryDirectory() as folder:
    scans = f"{folder}/scans"
    pathlib.Path(scans).write_text("0;\n1;\n2;\n")
    for width, height in SIZES:
        source = f"{folder}/image.ppm"
        picture = image(width, height)
        picture.save(source)
        size = f"{width}x{height}"
        for sampling in SAMPLINGS:
            for coding, options in CODINGS.items():
                options = [scans if option == "SCANS" else option for option in options]
                cjpeg(source, f"{size}-{sampling}-{coding}", ["-sample", sampling, *options])
        cjpeg(source, f"{size}-grey", ["-grayscale"])
        cjpeg(source, f"{size}-rgb", ["-rgb"])
        picture.convert("CMYK").save(FOLDER / f"{size}-cmyk.jpg", quality=85)

for path in sorted(FOLDER.glob("*.jpg")):
    Image.open(path).convert("RGB").save(path.with_suffix(".png"), optimize=True)
