"""Makes the small HDF5 files beside this script. Run with h5py 3.16.0: `python make_hdf5.py`."""

from pathlib import Path

import h5py
import numpy as np

HERE = Path(__file__).parent
POINTS = np.arange(2 * 11 * 3, dtype=np.float64).reshape(2, 11, 3)  # [n, j, c]


def main():
    # MATLAB v7.3 is HDF5 behind a block of 512 bytes. MATLAB shows c x j x n; the file holds it reversed, n x j x c.
    with h5py.File(HERE / "matlab_v73.mat", "w", userblock_size=512, track_order=False) as file:
        file.create_dataset("preds", data=POINTS, chunks=(1, 11, 3), compression="gzip")
        file.create_group("#refs#").create_dataset("a", data=np.zeros(2))
    with open(HERE / "matlab_v73.mat", "r+b") as file:
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
