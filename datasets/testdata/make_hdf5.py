"""Makes the small HDF5 files beside this script. Run with h5py 3.16.0: `python make_hdf5.py`."""

from pathlib import Path

import h5py
import numpy as np

HERE = Path(__file__).parent
POINTS = np.arange(2 * 11 * 3, dtype=np.float64).reshape(2, 11, 3)  # [n, j, c]


# A small file of MPII as MATLAB writes it.
RELEASE = {
    "annolist": [
        {
            "image": {"name": "a.jpg"},
            "annorect": [
                {
                    "scale": 2.0,
                    "objpos": {"x": 11.0, "y": 21.0},
                    "annopoints": {"point": [
                        {"x": 5.0, "y": 6.0, "id": 0.0, "is_visible": "1"},
                        {"x": 7.0, "y": 8.0, "id": 9.0, "is_visible": np.zeros((0, 0))},
                    ]},
                },
                {"scale": np.zeros((0, 0)), "objpos": np.zeros((0, 0)), "annopoints": np.zeros((0, 0))},
            ],
        },
        {"image": {"name": "b.jpg"}, "annorect": np.zeros((0, 0))},
    ],
    "img_train": np.array([[1.0, 0.0]]),
    "single_person": [1.0, np.zeros((0, 0))],
}


def put(file, group, name, value, cell=False):
    """Writes `value` as MATLAB v7.3 does: dict as struct, list of dicts as array of structs, other list as cell array."""
    def referred(values):
        refs = file.require_group("#refs#")
        made = [put(file, refs, f"r{len(refs)}", each).ref for each in values]
        # 1 x N in MATLAB is N x 1 here.
        return np.array(made, dtype=h5py.ref_dtype).reshape(-1, 1)

    if isinstance(value, dict):
        made = group.create_group(name)
        for key, each in value.items():
            put(file, made, key, each)
        kind = "struct"
    elif isinstance(value, list) and isinstance(value[0], dict):
        made = group.create_group(name)
        for key in value[0]:
            made.create_dataset(key, data=referred([each[key] for each in value]))
        kind = "struct"
    elif isinstance(value, list):
        made, kind = group.create_dataset(name, data=referred(value)), "cell"
    elif isinstance(value, str):
        made, kind = group.create_dataset(name, data=np.array([[ord(each)] for each in value], dtype=np.uint16)), "char"
        made.attrs["MATLAB_int_decode"] = np.int32(2)
    else:
        array = np.atleast_2d(np.asarray(value))
        kind = {"b": "logical", "f": "double" if array.itemsize == 8 else "single"}.get(array.dtype.kind, str(array.dtype))
        if array.size == 0:
            made = group.create_dataset(name, data=np.array(array.shape, dtype=np.uint64))
            made.attrs["MATLAB_empty"] = np.uint8(1)
        else:
            made = group.create_dataset(name, data=array.T.astype("u1") if kind == "logical" else array.T)
    made.attrs["MATLAB_class"] = np.bytes_(kind)
    return made


def main():
    # MATLAB v7.3 is HDF5 behind a block of 512 bytes. MATLAB shows c x j x n; the file holds it reversed, n x j x c.
    with h5py.File(HERE / "matlab_v73.mat", "w", userblock_size=512, track_order=False) as file:
        file.create_dataset("preds", data=POINTS, chunks=(1, 11, 3), compression="gzip")
        file.create_group("#refs#").create_dataset("a", data=np.zeros(2))
    with open(HERE / "matlab_v73.mat", "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, made by make_hdf5.py".ljust(124) + b"\0\2IM")
    with h5py.File(HERE / "structs_v73.mat", "w", userblock_size=512) as file:
        put(file, file, "RELEASE", RELEASE)
        put(file, file, "text", "walk")
        put(file, file, "matrix", np.arange(6.0).reshape(2, 3))
        put(file, file, "short", np.array([[1, 2]], dtype=np.int16))
        put(file, file, "flag", np.array([[True]]))
        put(file, file, "mixed", ["a", 2.0, np.zeros((0, 0))])
        put(file, file, "joints", np.arange(3 * 14 * 2, dtype=np.float64).reshape(3, 14, 2) % 2)
    with open(HERE / "structs_v73.mat", "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, made by make_hdf5.py".ljust(124) + b"\0\2IM")
    with h5py.File(HERE / "kinds.h5", "w", libver="latest") as file:
        for kind in ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]:
            file.create_dataset(f"numbers/{kind}", data=np.array([[1, 2, 100]], dtype=kind))
        file.create_dataset("big_endian", data=np.array([1.5, -2.5], dtype=">f8"))
        file.create_dataset("names", data=["a.jpg", "bb.jpg"], dtype=h5py.string_dtype())
        file.create_dataset("codes", data=np.array([[97, 46, 106], [98, 0, 0]], dtype=np.float64))
    # What h5py and numpy add to the types and packings of HDF5. Joint 10 of each person is at (9, 3).
    pose = np.tile(np.array([[9, 3]] * 11), (40, 1, 1))
    with h5py.File(HERE / "packed.h5", "w") as file:
        file.create_dataset("plain", data=pose.astype("f4"))
        file.create_dataset("lzf", data=pose.astype("f8"), compression="lzf", chunks=(40, 11, 2))
        file.create_dataset("lzf_shuffled", data=pose.astype("f4"), compression="lzf", shuffle=True, chunks=(8, 11, 2))
        file.create_dataset("half", data=pose.astype("f2"))
        file.create_dataset("half_big_endian", data=pose.astype(">f2"))
        ragged = file.create_dataset("ragged", (2,), dtype=h5py.vlen_dtype(np.float64))
        ragged[0], ragged[1] = [1.0, 2.0], [3.0]
    # As the stacked hourglass stores MPII: names as codes, and a person of each of two images.
    with h5py.File(HERE / "hourglass.h5", "w") as file:
        file.create_dataset("imgname", data=np.array([[97, 46, 106], [98, 46, 106]], dtype=np.float64))
        file.create_dataset("person", data=np.array([0, 1], dtype=np.float64))
        file.create_dataset("scale", data=np.array([1.25, 2.5]))
        file.create_dataset("center", data=np.array([[11, 36], [21, 51]], dtype=np.float64))
        file.create_dataset("part", data=np.full((2, 16, 2), 7.0), chunks=(1, 16, 2), compression="gzip", shuffle=True)
        file.create_dataset("visible", data=np.ones((2, 16)), chunks=(1, 16), fletcher32=True)
        file.create_dataset("index", data=np.array([5, 6], dtype=np.float64))


main()
