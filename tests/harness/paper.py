"""Reads a PDF back, as a person would: its text, and what its QR code says."""

import subprocess

import zxingcpp


def text_of(pdf):
    """The text in reading order, blanks and line ends taken out: where a line breaks is layout."""
    done = subprocess.run(["pdftotext", "-enc", "UTF-8", "-layout", "-", "-"], input=pdf,
                          capture_output=True, check=True, timeout=60)
    return "".join(done.stdout.decode().split())


def qr_of(pdf):
    """What the one QR code of the first page says."""
    done = subprocess.run(["pdftoppm", "-gray", "-r", "100", "-f", "1", "-l", "1", "-"], input=pdf,
                          capture_output=True, check=True, timeout=60)
    kind, width, height, depth, pixels = done.stdout.split(maxsplit=4)
    assert (kind, depth) == (b"P5", b"255")
    width, height = int(width), int(height)
    image = memoryview(done.stdout[-width * height:]).cast("B", shape=[height, width])
    codes = zxingcpp.read_barcodes(image)
    assert len(codes) == 1, codes
    return codes[0].text


def squeezed(text):
    return "".join(text.split())
