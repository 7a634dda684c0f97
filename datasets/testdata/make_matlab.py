"""Makes the small MATLAB files beside this script. Run with scipy 1.17.1: `python make_matlab.py`.

`big_endian.mat` is put together by hand, since scipy writes neither that byte order nor numbers stored in a type
smaller than their class; scipy reads it back here as the check.
"""

import struct
from pathlib import Path

import numpy as np
import scipy.io
import scipy.sparse

HERE = Path(__file__).parent
HEADER = b"MATLAB 5.0 MAT-file, made by make_matlab.py".ljust(116)


def cells(*values):
    array = np.empty((1, len(values)), dtype=object)
    for index, value in enumerate(values):
        array[0, index] = value
    return array


def variables():
    point = np.zeros((1, 2), dtype=[("x", object), ("y", object), ("is_visible", object)])
    point[0, 0] = (np.uint16(804), np.float64(711.25), np.zeros((0, 0)))
    point[0, 1] = (np.uint16(300), np.int16(-30), "0")
    rect = np.zeros((1, 2), dtype=[("annopoints", object), ("scale", object)])
    rect[0, 0] = ({"point": point}, 4.71848789)
    rect[0, 1] = (np.zeros((0, 0)), np.zeros((1, 0)))
    return {
        "double": np.arange(6, dtype=np.float64).reshape(2, 3) + 0.5,
        "single": np.array([[1.5, -2.5]], dtype=np.float32),
        "int8": np.array([[-128, 127]], dtype=np.int8),
        "uint8": np.array([[0, 255, 7]], dtype=np.uint8),
        "int16": np.array([[-32768]], dtype=np.int16),
        "uint16": np.array([[65535]], dtype=np.uint16),
        "int32": np.array([[-(2**31)]], dtype=np.int32),
        "uint32": np.array([[2**32 - 1]], dtype=np.uint32),
        "int64": np.array([[-(2**63)]], dtype=np.int64),
        "uint64": np.array([[2**64 - 1]], dtype=np.uint64),
        "logical": np.array([[True, False]]),
        "cube": np.arange(24, dtype=np.float64).reshape(2, 3, 4),
        "nothing": np.zeros((0, 3)),
        "text": "hourglass",
        "short": "hg",
        "accents": "Straße",
        "astral": "a\U0001f600b",
        "no_text": "",
        "rows": np.array(["ab", "cd"]),
        "nested": cells(np.float64(1), "two", cells("three", np.zeros((0, 0)))),
        "RELEASE": {"annorect": rect, "version": "12"},
    }


def element(kind, data):
    return struct.pack(">II", kind, len(data)) + data + b"\0" * (-len(data) % 8)


def array(name, kind, dims, *parts):
    head = element(6, struct.pack(">II", kind, 0)) + element(5, struct.pack(f">{len(dims)}i", *dims))
    return element(14, head + element(1, name) + b"".join(parts))


def big_endian():
    small_uint16 = struct.pack(">HHHH", 2, 4, 300, 0)  # a small element: 2 bytes of type 4
    fields = element(5, struct.pack(">i", 8)) + element(1, b"x".ljust(8, b"\0") + b"id".ljust(8, b"\0"))
    members = array(b"", 6, (1, 1), small_uint16) + array(b"", 6, (1, 1), element(9, struct.pack(">d", 1.25)))
    return (
        HEADER + b"\0" * 8 + struct.pack(">H", 0x0100) + b"MI"
        + array(b"stored_as_bytes", 6, (1, 3), element(2, bytes([1, 2, 250])))
        + array(b"stored_as_words", 6, (2, 1), element(3, struct.pack(">hh", -30, 1024)))
        + array(b"text", 4, (1, 2), element(4, struct.pack(">HH", 0x48, 0x69)))
        + array(b"point", 2, (1, 1), fields, members)
    )


def main():
    for name, compressed in [("plain.mat", False), ("compressed.mat", True)]:
        scipy.io.savemat(HERE / name, variables(), do_compression=compressed)
        pin_header(HERE / name)
    for name, value in [("sparse.mat", scipy.sparse.eye(2, format="csc")), ("complex.mat", np.array([[1 + 2j]]))]:
        scipy.io.savemat(HERE / name, {"odd": value})
        pin_header(HERE / name)
    (HERE / "big_endian.mat").write_bytes(big_endian())
    read = scipy.io.loadmat(HERE / "big_endian.mat")
    assert read["stored_as_bytes"].tolist() == [[1, 2, 250]] and read["text"].tolist() == ["Hi"]
    assert read["stored_as_words"].tolist() == [[-30], [1024]] and read["point"]["id"][0, 0].item() == 1.25
    assert read["point"]["x"][0, 0].item() == 300


def pin_header(path):
    """Takes the date out of the header, so that the same script gives the same bytes."""
    path.write_bytes(HEADER + path.read_bytes()[116:])


main()
