"""Creates images.json: small files of many kinds, Pillow's pixels of them, and the damaged files that Pillow refuses."""

import base64, io, json, os, struct, sys, zlib
import numpy as np
import PIL
from PIL import Image, ImageOps

os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # libjpeg's and libtiff's own complaints
W, H = 20, 12
rng = np.random.default_rng(7)
base = Image.fromarray(rng.integers(0, 256, (4, 5, 3)).astype(np.uint8)).resize((W, H), Image.BICUBIC)


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def interlaced(image):
    """Adam7, written by hand: Pillow does not write it."""
    pixels = np.array(image)
    rows = b""
    for x, y, dx, dy in [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]:
        part = pixels[y::dy, x::dx]
        if part.size:
            rows += b"".join(b"\0" + row.tobytes() for row in part)
    head = struct.pack(">IIBBBBB", image.width, image.height, 8, 2, 0, 0, 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def low_bits(bits, colour=0, extra=b""):
    values = np.arange(W * H).reshape(H, W) % (1 << bits)
    rows = b""
    for row in values:
        packed = "".join(format(v, f"0{bits}b") for v in row)
        packed += "0" * (-len(packed) % 8)
        rows += b"\0" + int(packed, 2).to_bytes(len(packed) // 8, "big")
    head = struct.pack(">IIBBBBB", W, H, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def without_adobe(jpeg):
    at = jpeg.index(b"\xff\xee")
    length = struct.unpack(">H", jpeg[at + 2 : at + 4])[0]
    return jpeg[:at] + jpeg[at + 2 + length :]


grey, rgba = base.convert("L"), base.convert("RGBA")
rgba.putalpha(77)
turned = Image.Exif()
turned[0x0112] = 6
wide = (np.arange(W * H).reshape(H, W) * 273).astype(np.uint16)
palette = base.convert("P", palette=Image.ADAPTIVE, colors=9)
files = {
    "rgb.png": saved(base, "PNG"), "grey.png": saved(grey, "PNG"), "alpha.png": saved(rgba, "PNG"),
    "grey-alpha.png": saved(rgba.convert("LA"), "PNG"), "one.png": saved(base.convert("1"), "PNG"),
    "palette.png": saved(palette, "PNG"), "palette-clear.png": saved(palette, "PNG", transparency=3),
    "clear.png": saved(base, "PNG", transparency=(1, 2, 3)), "interlaced.png": interlaced(base),
    "two.png": low_bits(2), "four.png": low_bits(4),
    "two-palette.png": low_bits(2, 3, chunk(b"PLTE", bytes(range(12)) )), "turned.png": saved(base, "PNG", exif=turned),
    "animated.png": saved(base, "PNG", save_all=True, append_images=[base.rotate(180)]),
    "rgb.jpg": saved(base, "JPEG", quality=90, subsampling=0), "halved.jpg": saved(base, "JPEG", quality=90),
    "progressive.jpg": saved(base, "JPEG", quality=90, progressive=True), "grey.jpg": saved(grey, "JPEG", quality=90),
    "cmyk.jpg": saved(base.convert("CMYK"), "JPEG", quality=95), "restarts.jpg": saved(base, "JPEG", restart_marker_blocks=1),
    "cmyk-plain.jpg": without_adobe(saved(base.convert("CMYK"), "JPEG", quality=95)),
    "rgb-adobe.jpg": saved(base, "JPEG", quality=95, keep_rgb=True), "turned.jpg": saved(base, "JPEG", quality=90, exif=turned),
    "trailing.jpg": saved(base, "JPEG", quality=90) + b"trailing bytes" * 9,
    "fill.jpg": (lambda b: b[:2] + b"\xff\xff" + b[2:])(saved(base, "JPEG", quality=90)),
    "rgb.bmp": saved(base, "BMP"), "palette.bmp": saved(palette, "BMP"), "one.bmp": saved(base.convert("1"), "BMP"),
    "alpha.bmp": saved(rgba, "BMP"),
    "rgb.tif": saved(base, "TIFF"), "lzw.tif": saved(base, "TIFF", compression="tiff_lzw"),
    "deflate.tif": saved(base, "TIFF", compression="tiff_adobe_deflate"), "packed.tif": saved(base, "TIFF", compression="packbits"),
    "grey.tif": saved(grey, "TIFF"), "one.tif": saved(base.convert("1"), "TIFF"), "turned.tif": saved(base, "TIFF", exif=turned),
    "pages.tif": saved(base, "TIFF", save_all=True, append_images=[base.rotate(180)]),
    "lossless.webp": saved(base, "WEBP", lossless=True), "lossy.webp": saved(base, "WEBP", quality=80),
    "alpha.webp": saved(rgba, "WEBP", lossless=True, exact=True),
    "animated.webp": saved(base, "WEBP", lossless=True, save_all=True, append_images=[base.rotate(180)]),
    "a-png.jpg": saved(base, "PNG"),
}


def opened(content):
    image = Image.open(io.BytesIO(content))
    image.load()
    return image.convert("RGB")


def accepted(content):
    try:
        opened(content)
        return True
    except Exception:
        return False


text = lambda content: base64.b64encode(content).decode()
images, cut, flipped = [], {}, {}
for name, content in files.items():
    image = opened(content)
    entry = {"name": name, "file": text(content), "width": image.width, "height": image.height, "rgb": text(image.tobytes())}
    turn = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    if name.startswith("turned"):
        turn = turn.convert("RGB")
        entry |= {"seen_width": turn.width, "seen_height": turn.height, "seen": text(turn.tobytes())}
    images.append(entry)
for name in ["rgb.png", "interlaced.png", "rgb.jpg", "halved.jpg", "progressive.jpg", "restarts.jpg", "cmyk.jpg", "rgb.bmp", "lzw.tif", "rgb.tif", "deflate.tif", "lossless.webp", "lossy.webp"]:
    content = files[name]
    cut[name] = "".join("01"[accepted(content[:length])] for length in range(len(content)))
    outcomes = []
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        outcomes.append("01"[accepted(bytes(damaged))])
    flipped[name] = "".join(outcomes)
json.dump({"pillow": PIL.__version__, "images": images, "cut": cut, "flipped": flipped}, open(sys.argv[1], "w"), indent=0)
