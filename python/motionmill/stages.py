# Written by `make reference` from the plan's keys; the tests compare it.
"""Every stage of a plan as a class.

The keyword arguments are the plan's keys. Where a plan has a word instead of keys, as in ``run.encode_image = "png"``, it
is the one positional argument::

    Crop(size=[256, 256], frame={"person": {"height": 200}})     # run.crop = { size = [256, 256], frame = ... }
    Rotate(uniform={"max_degrees": 40})                          # run.rotate.uniform = { max_degrees = 40 }
    EncodeImage("png")                                           # run.encode_image = "png"

The rules of a plan hold: a key that is ``None`` is not given, a path is taken from the current folder, and an unknown key
or a value out of range is a :class:`~motionmill.errors.ConfigError` in the plan's words.

Two keywords are not keys but what a plan says around the stage: ``name``, the stage's name in the plan, and ``seed``. Both
are part of the key of every random draw, together with the sample's id and copy. So the same name and seed give the same
bytes as ``motionmill run``, in whatever order and from whatever thread.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ._stage import Outcome, Stage

__all__ = [
    "Adapt",
    "ApplyNormaliser",
    "AsPeople",
    "AssignRoles",
    "Balance",
    "Check",
    "Colour",
    "Crop",
    "Decode",
    "Embed",
    "EncodeCoordinates",
    "EncodeHeatmaps",
    "EncodeImage",
    "EncodeLossMask",
    "EncodeSimcc",
    "Evaluate",
    "Features",
    "Filter",
    "FitBackground",
    "FitDisplacements",
    "FitNormaliser",
    "FitProjection",
    "FitSpatialModel",
    "Flip",
    "Focus",
    "Frames",
    "GainOffset",
    "Identify",
    "Infer",
    "MapSkeleton",
    "MatchPeople",
    "MergeJoints",
    "MergeScales",
    "Normalise",
    "NormaliseScores",
    "Outcome",
    "Project",
    "Quality",
    "Refine",
    "Repeat",
    "Resample",
    "Rotate",
    "RotateFrame",
    "Scale",
    "Score",
    "SearchScales",
    "Select",
    "Shift",
    "SpatialModel",
    "Split",
    "SplitSubjects",
    "Stage",
    "Verify",
    "Warp",
    "Window",
]


class Filter(Stage):
    """Keeps the rows for which an SQL condition holds; the others are rejected.

    Any table; rows do not change.

    - ``where``: An SQL condition on the scalar columns and on `annotated_joints`, `visible_joints` and `occluded_joints`. Rows for which it is false or null are rejected.
    """

    kind = "filter"

    def __init__(self, *, where: str, name: str = "filter", seed: int = 0) -> None:
        super().__init__(where=where, name=name, seed=seed)


class Split(Stage):
    """Assigns rows to another split: at random keyed by a name, by a condition, or by a list.

    Any table with `split`; every row is kept, in order.

    One of these is given:

    - ``hold_out``: A share of the rows, drawn by name.
    - ``where``: The rows that a condition holds for.
    - ``list``: The rows that a file lists.
    """

    kind = "split"

    def __init__(self, *, hold_out: Mapping[str, Any] | None = None, where: Mapping[str, Any] | None = None, list: Mapping[str, Any] | None = None, name: str = "split", seed: int = 0) -> None:
        super().__init__(hold_out=hold_out, where=where, list=list, name=name, seed=seed)


class SplitSubjects(Stage):
    """Assigns whole subjects to splits, by number or by share.

    Any table with `subject`, such as `signals`, `windows` or `embeddings`; every row gets its subject's split.

    One of these is given:

    - ``counts``: Number of people in each split. Rows of people beyond the sum are rejected.
    - ``shares``: Share of people in each split; the shares must add up to 1.
    """

    kind = "split_subjects"

    def __init__(self, *, counts: Mapping[str, int] | None = None, shares: Mapping[str, float] | None = None, name: str = "split_subjects", seed: int = 0) -> None:
        super().__init__(counts=counts, shares=shares, name=name, seed=seed)


class MapSkeleton(Stage):
    """Rearranges poses into another skeleton, by joint name; joints can be derived as the middle of others.

    `[K, 2]` px and `[K]` columns become `[K', 2]` and `[K']`; joints that were missing are not annotated.

    - ``to``: The skeleton to map to: its name, or a file of one's own.
    - ``derived``: Joints of the new skeleton that lie in the middle of joints of the rows: `{ neck = ["left_shoulder", "right_shoulder"] }`. The place is the mean, visibility and score the least; where one is missing, so is the joint.
    """

    kind = "map_skeleton"

    def __init__(self, *, to: str | os.PathLike[str], derived: Mapping[str, Sequence[str]] | None = None, name: str = "map_skeleton", seed: int = 0) -> None:
        super().__init__(to=to, derived=derived, name=name, seed=seed)


class Select(Stage):
    """Keeps or drops columns.

    Any table; no row changes.

    One of these is given:

    - ``columns``: The columns to keep, in this order.
    - ``drop``: The columns to drop; the others keep their order.
    """

    kind = "select"

    def __init__(self, *, columns: Sequence[str] | None = None, drop: Sequence[str] | None = None, name: str = "select", seed: int = 0) -> None:
        super().__init__(columns=columns, drop=drop, name=name, seed=seed)


class Repeat(Stage):
    """Repeats each row several times, numbered in `copy`, so that each copy is augmented differently.

    Any table; N rows become N x `copies`.

    - ``copies``: How many rows come out for each that goes in, 1 or more.
    """

    kind = "repeat"

    def __init__(self, *, copies: int, name: str = "repeat", seed: int = 0) -> None:
        super().__init__(copies=copies, name=name, seed=seed)


class Check(Stage):
    """Looks for errors in annotations, without changing any.

    `people` to `findings`: one row per person and joint, with rule, value and limit.

    - ``rules``: The rules to check; by default all. They run in a fixed order.
    - ``images``: Folder that `image_path` starts from; by default the current folder.
    - ``least_joints``: `few_joints`: fewest annotated joints of a person who has any.
    - ``margin_px``: `out_of_image`: how far beyond the outermost pixel's edge a joint may lie, px.
    - ``inversion_width``: `left_right`: how broad shoulders and hips must be for their contradiction to count, torso lengths.
    - ``crossed_limbs``: `left_right`: how many times longer a pair of limbs must be than with its ends exchanged.
    - ``head_sigma``: `head_size`: how far from usual a head may be, robust standard deviations.
    - ``scale_sigma``: `person_scale`: how far from usual a stated scale may be, robust standard deviations.
    - ``limb_sigma``: `limb_length`: how far above usual a limb may be, robust standard deviations.
    - ``least_people``: `head_size`, `person_scale`, `limb_length`: fewest people from whom the usual lengths of a data set are learnt.
    - ``duplicate_distance``: `duplicate_person`: mean distance of joints within which two people are one, in diagonals of their box.
    - ``picture_bits``: `leak`, `duplicate_picture`: in how many of 64 bits the fingerprints of nearly the same picture may differ.
    """

    kind = "check"

    def __init__(self, *, rules: Sequence[Literal["visibility", "few_joints", "out_of_image", "picture_size", "left_right", "head_size", "person_scale", "limb_length", "duplicate_person", "base_pixel", "leak", "duplicate_picture"]] | None = None, images: str | os.PathLike[str] | None = None, least_joints: int = 4, margin_px: float = 0, inversion_width: float = 0.2, crossed_limbs: float = 1.6, head_sigma: float = 5, scale_sigma: float = 5, limb_sigma: float = 5, least_people: int = 30, duplicate_distance: float = 0.05, picture_bits: int = 4, name: str = "check", seed: int = 0) -> None:
        super().__init__(rules=rules, images=images, least_joints=least_joints, margin_px=margin_px, inversion_width=inversion_width, crossed_limbs=crossed_limbs, head_sigma=head_sigma, scale_sigma=scale_sigma, limb_sigma=limb_sigma, least_people=least_people, duplicate_distance=duplicate_distance, picture_bits=picture_bits, name=name, seed=seed)


class Crop(Stage):
    """Places a crop around each person.

    `people` to `samples` without pixels: adds `crop_from_image` `[6]`, the rows of a 2 x 3 map from image px to crop
    px, and `crop_size` `[2]` px, width then height.

    - ``size``: Width and height of the crop in px; by default what the card says.
    - ``frame``: How the crop is placed around the person; by default as the card says.
    - ``grid``: Where the middle of what is framed comes to lie; by default as the card says, else `plain`.
    - ``card``: The model card of the network that the crops are for: where size, frame, grid, and the level outside the image for the stage `warp` are not named, they are those of its section `[crop]`.
    - ``keep_empty``: Whether images in which nobody is annotated are cropped too, by frames of the whole image: for detectors.
    - ``images``: Folder of the images, read only where a frame needs an image's size and the table does not state it.
    - ``orientation``: What is done with an image whose EXIF orientation turns it; as `warp` has it.
    """

    kind = "crop"

    def __init__(self, *, size: Sequence[int] | None = None, frame: Literal["whole_image", "whole_image_top_left"] | Mapping[str, Any] | None = None, grid: Literal["plain", "edges", "udp"] | None = None, card: str | os.PathLike[str] | None = None, keep_empty: bool | None = None, images: str | os.PathLike[str] | None = None, orientation: Literal["stated", "apply", "ignore", "refuse"] = "stated", name: str = "crop", seed: int = 0) -> None:
        super().__init__(size=size, frame=frame, grid=grid, card=card, keep_empty=keep_empty, images=images, orientation=orientation, name=name, seed=seed)


class Focus(Stage):
    """Places crops around single joints of each pose, where the next stage of a cascade looks for them again.

    `people` or `keypoints` to `samples` without pixels, K rows or one of each, numbered in `joint_index`.

    - ``size``: Width and height of the crop in px.
    - ``side``: Side of the square around a joint, in diameters of the pose; `DeepPose` has 1 on FLIC and 2 on LSP.
    - ``diameter``: The two joints between which the diameter is measured, by default left shoulder and right hip; where one is not known, their mirror images.
    - ``joints``: Which joints of a person become rows.
    - ``displacements``: A table `displacements`: each crop is laid where a prediction would lie, at the joint plus a draw from the normal distribution of that joint. By default, it is laid at the joint itself.
    """

    kind = "focus"

    def __init__(self, *, size: Sequence[int], side: float, diameter: Sequence[str] | None = None, joints: Literal["each", "one"] = "each", displacements: str | os.PathLike[str] | None = None, name: str = "focus", seed: int = 0) -> None:
        super().__init__(size=size, side=side, diameter=diameter, joints=joints, displacements=displacements, name=name, seed=seed)


class Scale(Stage):
    """Enlarges or shrinks each sample about the crop's centre, by a random factor.

    `samples`; multiplies into `crop_from_image`.

    One of these is given:

    - ``uniform``: Enlarges the image by a factor that is uniform from `min` to `max`; by 1 with probability 1 - `probability`. Convolutional pose machines: 0.7 to 1.3, always.
    - ``log2_normal``: Enlarges the window by 2^ε, so the image by 2^-ε, where ε is normal with spread `sigma` and clamped to ±`clamp`. Stacked hourglass.
    - ``clipped_normal``: Enlarges the window by 1 + ε, clamped to `min` and `max`, so the image by its inverse, where ε is normal with spread `sigma`. `HRNet`: 0.25 and 0.75 to 1.25.
    """

    kind = "scale"

    def __init__(self, *, uniform: Mapping[str, Any] | None = None, log2_normal: Mapping[str, Any] | None = None, clipped_normal: Mapping[str, Any] | None = None, name: str = "scale", seed: int = 0) -> None:
        super().__init__(uniform=uniform, log2_normal=log2_normal, clipped_normal=clipped_normal, name=name, seed=seed)


class SearchScales(Stage):
    """Repeats each sample at every scale of a list, enlarged about the crop's centre.

    `samples`; N rows become N x S, numbered in `scale_index`; multiplies into `crop_from_image`.

    - ``factors``: Factors by which the image is enlarged about the crop's centre, one row for each, in this order.
    """

    kind = "search_scales"

    def __init__(self, *, factors: Sequence[float] | None = None, name: str = "search_scales", seed: int = 0) -> None:
        super().__init__(factors=factors, name=name, seed=seed)


class Rotate(Stage):
    """Rotates each sample about the crop's centre, by a random angle.

    `samples`; multiplies into `crop_from_image`.

    One of these is given:

    - ``uniform``: Uniform up to `max_degrees` to either side. Convolutional pose machines: 40.
    - ``normal``: Normal with spread `sigma_degrees`, clamped to `clamp_degrees`; 0 with probability 1 - `probability`. Stacked hourglass.
    """

    kind = "rotate"

    def __init__(self, *, uniform: Mapping[str, Any] | None = None, normal: Mapping[str, Any] | None = None, name: str = "rotate", seed: int = 0) -> None:
        super().__init__(uniform=uniform, normal=normal, name=name, seed=seed)


class Shift(Stage):
    """Moves each sample within its crop, by a random number of px.

    `samples`; multiplies into `crop_from_image`.

    - ``max``: Greatest shift in px of the crop, along x and y alike, uniform to either side. The convolutional pose machines' layer has 10 by default; their released training used 0.
    """

    kind = "shift"

    def __init__(self, *, max: float, name: str = "shift", seed: int = 0) -> None:
        super().__init__(max=max, name=name, seed=seed)


class Flip(Stage):
    """Mirrors some samples; left and right joints swap when `warp` moves them.

    `samples`; multiplies into `crop_from_image`.

    - ``probability``: Probability that a sample is mirrored.
    """

    kind = "flip"

    def __init__(self, *, probability: float = 0.5, name: str = "flip", seed: int = 0) -> None:
        super().__init__(probability=probability, name=name, seed=seed)


class Colour(Stage):
    """Changes the RGB levels of each sample by one random affine map.

    `samples`; multiplies into `colour_matrix` `[12]`, 3 x 4.

    - ``gain``: Multiplies each channel by its own factor. Stacked hourglass: 0.6 to 1.4.
    - ``brightness``: All channels times one factor.
    - ``contrast``: Multiplies the distance of every level from mid grey by one factor.
    - ``saturation``: Multiplies the distance of every pixel from its own grey level by one factor.
    """

    kind = "colour"

    def __init__(self, *, gain: Mapping[str, Any] | None = None, brightness: Mapping[str, Any] | None = None, contrast: Mapping[str, Any] | None = None, saturation: Mapping[str, Any] | None = None, name: str = "colour", seed: int = 0) -> None:
        super().__init__(gain=gain, brightness=brightness, contrast=contrast, saturation=saturation, name=name, seed=seed)


class Warp(Stage):
    """Reads each image once and samples the crop bilinearly; keypoints move into the crop.

    `samples`; adds `image` `[H, W, 3]` u8 RGB, and `keypoints` `[K, 2]` are px of the crop.

    - ``images``: Folder that `image_path` starts from; by default the current folder.
    - ``border``: Level of all channels outside the image; by default what the card says that the stage `crop` was given, else black.
    - ``scaled_decoding``: Whether a JPEG that shrinks by 2 or more is reduced while it is decoded. This is faster but changes pixels; `decode_reduction` records what was done.
    - ``max_megapixels``: Images with more pixels are rejected.
    - ``orientation``: What is done with an image whose EXIF orientation turns it: the frame of the annotations is that of the stored pixels, or that of the image as viewers show it. An image that is turned is decoded in full size.
    """

    kind = "warp"

    def __init__(self, *, images: str | os.PathLike[str] | None = None, border: int | None = None, scaled_decoding: bool = False, max_megapixels: float = 100, orientation: Literal["stated", "apply", "ignore", "refuse"] = "stated", name: str = "warp", seed: int = 0) -> None:
        super().__init__(images=images, border=border, scaled_decoding=scaled_decoding, max_megapixels=max_megapixels, orientation=orientation, name=name, seed=seed)


class EncodeHeatmaps(Stage):
    """Draws the maps that a network is trained to give.

    `samples`; adds `heatmaps` `[K, H / stride, W / stride]` f32, with further maps for the background and the
    person's centre on request.

    - ``stride``: Px of the crop per px of the maps. Pose machines: 8. Hourglass: 4. `RePose`: 1.
    - ``style``: How a joint is drawn.
    - ``missing``: What happens to a joint that is not annotated.
    - ``labels``: Whose joints are drawn.
    - ``background``: Whether each set of labels ends with a background map, of what no joint claims.
    - ``center_map``: The map that tells a network which person to look at, in full resolution.
    """

    kind = "encode_heatmaps"

    def __init__(self, *, stride: int, style: Mapping[str, Any], missing: Literal["zero", "mask"] = "zero", labels: Literal["primary", "everyone", "both"] = "primary", background: bool = False, center_map: Mapping[str, Any] | None = None, name: str = "encode_heatmaps", seed: int = 0) -> None:
        super().__init__(stride=stride, style=style, missing=missing, labels=labels, background=background, center_map=center_map, name=name, seed=seed)


class EncodeSimcc(Stage):
    """Labels the column and the row of each joint, for a network that classifies them (`SimCC`, `RTMPose`).

    `samples`; adds `simcc_x` `[K, W * ratio]`, `simcc_y` `[K, H * ratio]` and `simcc_weight` `[K]`, f32.

    - ``split_ratio``: Bins per px of the crop, along both axes.
    - ``label``: How a joint is spread over the bins.
    """

    kind = "encode_simcc"

    def __init__(self, *, split_ratio: float = 2, label: Mapping[str, Any], name: str = "encode_simcc", seed: int = 0) -> None:
        super().__init__(split_ratio=split_ratio, label=label, name=name, seed=seed)


class EncodeCoordinates(Stage):
    """States the place of each joint as parts of the crop, for a network that gives coordinates (`DeepPose`).

    `samples`; adds `coordinates` `[K, 2]` and `coordinate_weight` `[K]`, f32.

    - ``origin``: Where (0, 0) is.
    - ``ends``: What an end of the crop is.
    - ``outside``: What happens to a joint outside the crop.
    """

    kind = "encode_coordinates"

    def __init__(self, *, origin: Literal["corner", "middle"], ends: Literal["edges", "centres"] = "edges", outside: Literal["mask", "keep"] = "mask", name: str = "encode_coordinates", seed: int = 0) -> None:
        super().__init__(origin=origin, ends=ends, outside=outside, name=name, seed=seed)


class EncodeLossMask(Stage):
    """Makes a mask for the loss, 0 inside crowds and regions to ignore.

    Crops with `attributes`; `[H, W]` of `UInt8` in the column `loss_mask`.

    - ``stride``: Px of the crop per px of the mask: that of the maps of the network.
    """

    kind = "encode_loss_mask"

    def __init__(self, *, stride: int, name: str = "encode_loss_mask", seed: int = 0) -> None:
        super().__init__(stride=stride, name=name, seed=seed)


class EncodeImage(Stage):
    """Encodes raw pixels as image files in the table.

    `samples`; the column `image` `[H, W, 3]` u8 becomes `struct<bytes, path>`, which Hugging Face data sets show.

    One of these is given:

    - ``'png'``: Without loss, fast compression.
    - ``jpeg``: With loss, small.
    """

    kind = "encode_image"

    def __init__(self, value: Literal["png"] | None = None, /, *, jpeg: Mapping[str, Any] | None = None, name: str = "encode_image", seed: int = 0) -> None:
        super().__init__(value, jpeg=jpeg, name=name, seed=seed)


class Quality(Stage):
    """Measures each log: rate, gaps, duplicates, clock skew and drift.

    `readings` of whole sessions to `quality`, one row per sensor and session.

    - ``max_gap_ms``: The longest step between two readings that is not a gap, ms; by default `MAX_GAP_MS`, as in `resample`.
    """

    kind = "quality"

    def __init__(self, *, max_gap_ms: float = 200, name: str = "quality", seed: int = 0) -> None:
        super().__init__(max_gap_ms=max_gap_ms, name=name, seed=seed)


class Resample(Stage):
    """Puts the sensors of each session on one clock, at one rate.

    `readings` of whole sessions to `signals`: `signal` is a list of `[C]` f32, m/s^2 and rad/s.

    - ``rate_hz``: Samples per second; by default `RATE_HZ`.
    - ``max_gap_ms``: The longest step between two readings that is interpolated; by default `MAX_GAP_MS`. A longer one ends a segment.
    - ``clock_jump_seconds``: The longest step back that counts as a late reading; by default `CLOCK_JUMP_SECONDS`. At a longer one a segment begins.
    - ``late_readings``: What becomes of readings that come late, by no more than `clock_jump_seconds`; by default they are dropped, as rejects that are counted.
    - ``low_pass``: Whether a sensor that is faster than `rate_hz` is filtered first; on by default.
    - ``sensors``: The sensors that a session needs, both by default; their channels are in the order of `RAW_CHANNELS`.
    """

    kind = "resample"

    def __init__(self, *, rate_hz: float = 50, max_gap_ms: float = 200, clock_jump_seconds: float = 1, late_readings: Literal["drop", "sort"] = "drop", low_pass: bool = True, sensors: Sequence[Literal["accelerometer", "gyroscope"]] | None = None, name: str = "resample", seed: int = 0) -> None:
        super().__init__(rate_hz=rate_hz, max_gap_ms=max_gap_ms, clock_jump_seconds=clock_jump_seconds, late_readings=late_readings, low_pass=low_pass, sensors=sensors, name=name, seed=seed)


class Normalise(Stage):
    """Subtracts each signal's own mean and divides by its own standard deviation.

    `signals`.

    - ``per``: Whose statistics are used.
    """

    kind = "normalise"

    def __init__(self, *, per: Literal["session"], name: str = "normalise", seed: int = 0) -> None:
        super().__init__(per=per, name=name, seed=seed)


class FitNormaliser(Stage):
    """Fits mean and deviation of each channel over the training signals of a device, or of all.

    `signals` to `normalisers`.

    - ``per``: What has a normaliser of its own.
    - ``split``: The split that is fitted on, by default `SPLIT`; `*` for all rows.
    """

    kind = "fit_normaliser"

    def __init__(self, *, per: Literal["device", "all"], split: str = "train", name: str = "fit_normaliser", seed: int = 0) -> None:
        super().__init__(per=per, split=split, name=name, seed=seed)


class ApplyNormaliser(Stage):
    """Subtracts fitted means from signals and divides by fitted deviations.

    `signals` and `normalisers` to `signals`.
    """

    kind = "apply_normaliser"

    def __init__(self, *, name: str = "apply_normaliser", seed: int = 0) -> None:
        super().__init__(name=name, seed=seed)


class Features(Stage):
    """Adds magnitudes and orientation angles to the channels of a signal, or replaces them.

    `signals` of C channels to `signals` of C' channels.

    - ``channels``: What a sample holds, in this order; by default the unchanged channels.
    """

    kind = "features"

    def __init__(self, *, channels: Sequence[Literal["raw", "magnitude", "angles"]] | None = None, name: str = "features", seed: int = 0) -> None:
        super().__init__(channels=channels, name=name, seed=seed)


class GainOffset(Stage):
    """Scales and shifts each channel slightly at random, as another unit of the sensor would.

    `signals` or `windows`; shapes do not change.

    - ``gain_low``: The lowest gain, `GAIN_LOW`.
    - ``gain_high``: The highest gain, `GAIN_HIGH`.
    - ``offset``: The largest offset to either side; by default `OFFSET`.
    """

    kind = "gain_offset"

    def __init__(self, *, gain_low: float = 0.98, gain_high: float = 1.02, offset: float = 0.02, name: str = "gain_offset", seed: int = 0) -> None:
        super().__init__(gain_low=gain_low, gain_high=gain_high, offset=offset, name=name, seed=seed)


class RotateFrame(Stage):
    """Rotates the device: one random rotation for all vectors of a row.

    `signals` or `windows`; shapes do not change.

    One of these is given:

    - ``axis_angle``: About an axis that is uniform on the sphere, by an angle uniform from 0 to `max_degrees`.
    - ``uniform``: Uniform over all rotations.
    """

    kind = "rotate_frame"

    def __init__(self, *, axis_angle: Mapping[str, Any] | None = None, uniform: Mapping[str, Any] | None = None, name: str = "rotate_frame", seed: int = 0) -> None:
        super().__init__(axis_angle=axis_angle, uniform=uniform, name=name, seed=seed)


class Window(Stage):
    """Cuts signals into sequences of blocks.

    `signals` to `windows`: `window` `[T, B, C]` f32, T blocks of B samples of C channels.

    - ``blocks``: T, blocks in a sequence, `BLOCKS`.
    - ``block_samples``: B, samples in a block; by default `BLOCK_SAMPLES`.
    - ``block_hop_samples``: Samples from the start of one block to that of the next; by default `BLOCK_HOP_SAMPLES`.
    - ``stride_samples``: Samples from the start of one sequence to that of the next. The paper does not state it. The default is our choice: half a sequence, rounded down to whole hops but at least one hop, so that neighbours overlap by half or slightly more and share blocks: 250 with the other defaults.
    - ``start_shift_samples``: The first sequence of a signal begins at a random sample from 0 to this one, drawn for each row and copy, and no further than leaves room for one sequence. By default 0, no shift.
    - ``activity_share``: The share of a window's samples that its activity must have: the activity that most samples have is the window's if they are at least as many, and the column `activity_share` says how many there are. By default all samples must agree, and there is no such column.
    """

    kind = "window"

    def __init__(self, *, blocks: int = 20, block_samples: int = 50, block_hop_samples: int = 25, stride_samples: int | None = None, start_shift_samples: int = 0, activity_share: float | None = None, name: str = "window", seed: int = 0) -> None:
        super().__init__(blocks=blocks, block_samples=block_samples, block_hop_samples=block_hop_samples, stride_samples=stride_samples, start_shift_samples=start_shift_samples, activity_share=activity_share, name=name, seed=seed)


class Frames(Stage):
    """Uses windows as frames without a network: raw features.

    `windows` to `embeddings`: `embedding` `[D]` f32, D = B x C or C.

    - ``of``: What a frame is.
    """

    kind = "frames"

    def __init__(self, *, of: Literal["block", "sample"], name: str = "frames", seed: int = 0) -> None:
        super().__init__(of=of, name=name, seed=seed)


class Balance(Stage):
    """Keeps at most a given number of rows of each subject.

    `windows` or `embeddings`.

    - ``per_subject``: The most rows that are kept of one subject, over all splits together.
    """

    kind = "balance"

    def __init__(self, *, per_subject: int, name: str = "balance", seed: int = 0) -> None:
        super().__init__(per_subject=per_subject, name=name, seed=seed)


class AssignRoles(Stage):
    """Decides which sessions of a subject enrol it, and which are probes.

    `signals`, `windows` or `embeddings`; adds `role`. It is an error if roles or splits leak.

    - ``enrolment``: Which sessions enrol their subject.
    - ``training_split``: The split whose subjects train models. They are neither enrolled nor tried, so none has too few sessions: those of a subject with fewer are all of enrolment.
    """

    kind = "assign_roles"

    def __init__(self, *, enrolment: Mapping[str, Any], training_split: str = "train", name: str = "assign_roles", seed: int = 0) -> None:
        super().__init__(enrolment=enrolment, training_split=training_split, name=name, seed=seed)


class Infer(Stage):
    """Runs an ONNX network that reads samples.

    `samples` with raw `image` `[H, W, 3]` to the table of the network's kind, one row for each output head that its card
    names: `heatmaps` `[K, h, w]` f32, `simcc` `[K, bins]` f32, `coordinates` `[K, 2]` px of the crop, or `detections`.

    - ``model``: The `.onnx` file.
    - ``card``: Its model card; by default the `.toml` of the same stem beside it.
    - ``engine``: What runs the network.
    - ``size``: Width and height of the crops in px, for a network whose sides are free; by default those of the card.
    - ``flip_average``: Whether each row is also run mirrored and its maps, mirrored back and with left and right joints swapped, are averaged with the others (stacked hourglass, `src/train.lua`; no shift in px between the two). Bins along x and coordinates are averaged likewise. Mirroring the crop must map the grid of the maps onto itself: a card whose `origin` is not (W - 1 - stride x (w - 1)) / 2, (stride - 1) / 2 where W = stride x w, is refused, unless `flip_rule` says otherwise.
    - ``flip_rule``: How mirrored outputs are laid over the plain ones.
    - ``keep_image``: Whether the pixels stay in the rows.
    """

    kind = "infer"

    def __init__(self, *, model: str | os.PathLike[str], card: str | os.PathLike[str] | None = None, engine: Mapping[str, Any] | None = None, size: Sequence[int] | None = None, flip_average: bool = False, flip_rule: Literal["exact", "toolkit"] = "exact", keep_image: bool = False, name: str = "infer", seed: int = 0) -> None:
        super().__init__(model=model, card=card, engine=engine, size=size, flip_average=flip_average, flip_rule=flip_rule, keep_image=keep_image, name=name, seed=seed)


class Embed(Stage):
    """Runs an ONNX network that reads windows.

    `windows` `[T, B, C]` to `embeddings`: `embedding` `[D]` f32, one row per block or window.

    - ``model``: The `.onnx` file.
    - ``card``: Its card; by default the `.toml` of the same stem beside it.
    - ``output``: The output to keep, by its name in the card; the card's first by default.
    - ``engine``: What runs the network.
    - ``carry_state``: Whether a network with states continues where the previous window ended: the windows of a stretch run one after the other, and only the first begins from zeros. By default every window begins from zeros.
    """

    kind = "embed"

    def __init__(self, *, model: str | os.PathLike[str], card: str | os.PathLike[str] | None = None, output: str | None = None, engine: Mapping[str, Any] | None = None, carry_state: bool = False, name: str = "embed", seed: int = 0) -> None:
        super().__init__(model=model, card=card, output=output, engine=engine, carry_state=carry_state, name=name, seed=seed)


class FitSpatialModel(Stage):
    """Learns where each joint lies relative to each other one and to the torso.

    `samples`, after `crop` or `warp`, to `spatial_models`: a histogram of displacements for each ordered pair.

    - ``stride``: Px of the crop per px of the maps that the model is for: the network's.
    - ``sigma``: Spread of the Gaussian that smooths the histograms, px of the maps; by default the square root of 2.
    - ``torso``: What represents the torso, when the model is fitted and when it is used.
    - ``split``: The split that it is fitted on; by default `train`.
    """

    kind = "fit_spatial_model"

    def __init__(self, *, stride: int, sigma: float = 1.4142135623730951, torso: Literal["keypoints", "torso_box", "center", "none"] = "keypoints", split: str = "train", name: str = "fit_spatial_model", seed: int = 0) -> None:
        super().__init__(stride=stride, sigma=sigma, torso=torso, split=split, name=name, seed=seed)


class SpatialModel(Stage):
    """Makes the maps of the joints agree with where joints lie relative to each other.

    `heatmaps` `[K, h, w]` and `spatial_models` to `heatmaps`.

    - ``form``: How messages are combined.
    - ``beta``: beta of `SoftPlus` in the form `energy`; by default `BETA`.
    - ``epsilon``: The least energy of a map in the form `energy`; by default `EPSILON`.
    - ``bias``: What is added to every message from another joint or the torso, after `SoftPlus`: the larger, the less a message weighs against the network's own map; its least value, 1e-9, is well above the rounding of a convolution. By default ln 2 / `beta`, in the form `probability` 0.05.
    - ``torso_sigma``: Spread of the Gaussian that the torso is drawn as, px of the maps; by default `TORSO_SIGMA`.
    """

    kind = "spatial_model"

    def __init__(self, *, form: Literal["energy", "probability"] = "energy", beta: float | None = None, epsilon: float | None = None, bias: float | None = None, torso_sigma: float | None = None, name: str = "spatial_model", seed: int = 0) -> None:
        super().__init__(form=form, beta=beta, epsilon=epsilon, bias=bias, torso_sigma=torso_sigma, name=name, seed=seed)


class Decode(Stage):
    """Finds each joint's place in what a network gave, whatever its kind.

    `heatmaps`, `simcc`, `coordinates` or `detections` to `keypoints`: `keypoints` `[K, 2]` px of the image and `score`
    `[K]`; one row a row, of `detections` one a person.

    - ``rule``: Whose way, for heatmaps.
    - ``refine``: How the place in a heatmap is refined: by default `quarter`, or by the network's offsets where it gives any, but `none` with the rule `cpm`, which allows nothing else.
    - ``simcc``: How bins along x and y become a score.
    - ``people``: Which candidates of a detector are people; what is left out is as the network's card says.
    - ``truncate``: Whether image coordinates are truncated to whole px, towards zero, as in stacked hourglass's predictions.
    - ``keep_heatmaps``: Whether the maps stay in the rows.
    """

    kind = "decode"

    def __init__(self, *, rule: Literal["plain", "cpm", "hourglass"] = "plain", refine: Literal["none", "quarter", "parabola"] | Mapping[str, Any] | None = None, simcc: Literal["lower", "mean", "product"] = "lower", people: Mapping[str, Any] | None = None, truncate: bool = False, keep_heatmaps: bool = False, name: str = "decode", seed: int = 0) -> None:
        super().__init__(rule=rule, refine=refine, simcc=simcc, people=people, truncate=truncate, keep_heatmaps=keep_heatmaps, name=name, seed=seed)


class AsPeople(Stage):
    """Takes people that a detector saw as people: for crops around them, for a second network.

    `keypoints` with `box` to `people`: centre and scale by the box, joints that have a place are visible.

    - ``minimum_joint_score``: Joints with a lower score count as not annotated; by default all that have a place are visible.
    """

    kind = "as_people"

    def __init__(self, *, minimum_joint_score: float | None = None, name: str = "as_people", seed: int = 0) -> None:
        super().__init__(minimum_joint_score=minimum_joint_score, name=name, seed=seed)


class MergeScales(Stage):
    """Adds a sample's maps at several scales up in the image, and finds each joint there.

    `heatmaps` `[K, h, w]` of S scales to `keypoints`, one row per sample and output head, as from `decode`.

    - ``images``: Folder that `image_path` starts from, read only for the size of images whose rows do not state it; by default the current folder. Without `image_path`, an image is as large as the crops reach.
    - ``orientation``: What is done with an image whose EXIF orientation turns it; as `warp` has it.
    """

    kind = "merge_scales"

    def __init__(self, *, images: str | os.PathLike[str] | None = None, orientation: Literal["stated", "apply", "ignore", "refuse"] = "stated", name: str = "merge_scales", seed: int = 0) -> None:
        super().__init__(images=images, orientation=orientation, name=name, seed=seed)


class MergeJoints(Stage):
    """Puts the predictions of crops around single joints together, each joint from its own crop.

    `keypoints` with `joint_index`, after `focus`, `warp` and a network, to `keypoints`: K rows become one.
    """

    kind = "merge_joints"

    def __init__(self, *, name: str = "merge_joints", seed: int = 0) -> None:
        super().__init__(name=name, seed=seed)


class FitDisplacements(Stage):
    """Learns how far predictions are off each joint.

    `people` and `keypoints` to `displacements`: a normal distribution for each joint, which `focus` draws from.

    - ``diameter``: The two joints between which a pose is measured, as of the stage `focus`.
    - ``split``: The split of the people that it is fitted on; by default `train`.
    """

    kind = "fit_displacements"

    def __init__(self, *, diameter: Sequence[str] | None = None, split: str = "train", name: str = "fit_displacements", seed: int = 0) -> None:
        super().__init__(diameter=diameter, split=split, name=name, seed=seed)


class Refine(Stage):
    """Runs a second ONNX network that looks again where a first one saw each joint.

    `heatmaps` `[K, h, w]` that kept their `image` to `keypoints`, as from `decode`.

    - ``model``: The `.onnx` file.
    - ``card``: Its card; by default the `.toml` of the same stem beside it.
    - ``engine``: What runs the network.
    """

    kind = "refine"

    def __init__(self, *, model: str | os.PathLike[str], card: str | os.PathLike[str] | None = None, engine: Mapping[str, Any] | None = None, name: str = "refine", seed: int = 0) -> None:
        super().__init__(model=model, card=card, engine=engine, name=name, seed=seed)


class FitProjection(Stage):
    """Fits a principal component analysis to the embeddings of one split.

    `embeddings` `[D]` to `projections`: P directions of D numbers.

    - ``components``: P, how many numbers each frame is projected to; by default 100.
    - ``split``: The split that it is fitted on; by default `train`.
    """

    kind = "fit_projection"

    def __init__(self, *, components: int = 100, split: str = "train", name: str = "fit_projection", seed: int = 0) -> None:
        super().__init__(components=components, split=split, name=name, seed=seed)


class Project(Stage):
    """Projects embeddings onto the directions of a fitted projection.

    `embeddings` `[D]` and `projections` to `embeddings` `[P]`.
    """

    kind = "project"

    def __init__(self, *, name: str = "project", seed: int = 0) -> None:
        super().__init__(name=name, seed=seed)


class FitBackground(Stage):
    """Fits the mixture of Gaussians that describes the whole population.

    `embeddings` to `mixtures`.

    - ``components``: M, the number of Gaussians; by default 256.
    - ``iterations``: Iterations at most; by default 100.
    - ``tolerance``: It stops when the mean log-likelihood of a frame increases by less than this, in nats; by default 0 (never).
    - ``variance_floor``: The least variance, as a share of that of all frames in the same dimension; by default 0.01.
    - ``regularisation``: What is added to each variance after each iteration, in squared units of the embedding; by default 0. Above 0 the likelihood may decrease slightly.
    - ``kmeans_iterations``: Rounds of k-means for the starting point, at most; by default 10.
    - ``max_frames``: Frames, drawn by their keys, that k-means sees at most; by default 20,000.
    - ``split``: The split that it is fitted on; by default `train`.
    """

    kind = "fit_background"

    def __init__(self, *, components: int = 256, iterations: int = 100, tolerance: float = 0, variance_floor: float = 0.01, regularisation: float = 0, kmeans_iterations: int = 10, max_frames: int = 20000, split: str = "train", name: str = "fit_background", seed: int = 0) -> None:
        super().__init__(components=components, iterations=iterations, tolerance=tolerance, variance_floor=variance_floor, regularisation=regularisation, kmeans_iterations=kmeans_iterations, max_frames=max_frames, split=split, name=name, seed=seed)


class Adapt(Stage):
    """Adapts each client's model from the background model and the client's enrolment.

    `embeddings` with roles and `mixtures` to `mixtures`, one per client.

    - ``parameters``: What is adapted; by default `means`.
    - ``relevance``: r, in frames: with this many frames a component is halfway between background and client; by default 4.
    - ``splits``: The splits whose subjects are clients; by default `validation` and `test`.
    - ``cohort``: A split whose subjects become clients only to normalise scores; the background model may have seen them.
    - ``allow_seen``: Whether the background model may have seen any client; by default `false`.
    """

    kind = "adapt"

    def __init__(self, *, parameters: Sequence[Literal["means", "weights", "variances"]] | None = None, relevance: float = 4, splits: Sequence[str] | None = None, cohort: str | None = None, allow_seen: bool = False, name: str = "adapt", seed: int = 0) -> None:
        super().__init__(parameters=parameters, relevance=relevance, splits=splits, cohort=cohort, allow_seen=allow_seen, name=name, seed=seed)


class Score(Stage):
    """Scores every client's model against every probe, as a log-likelihood ratio.

    `embeddings`, the clients' `mixtures` and the background's to `trials`.

    - ``pool``: What one score is for: `session`, `sequence` or `frame`; by default `session`.
    - ``pooling``: How frames are pooled: `mean`.
    - ``cohort``: A split whose clients and probes are used to normalise scores; the trials for `z`, `t` and `zt` are made too.
    - ``fast_components``: How many components are evaluated for a frame, the likeliest of the background model; by default 0, all. With 5 or more scores hardly change (Reynolds, Quatieri, Dunn 2000).
    - ``model``: Name of the system in the trials; by default the embeddings' model and `gmm-ubm`.
    """

    kind = "score"

    def __init__(self, *, pool: Literal["session", "sequence", "frame"] = "session", pooling: Literal["mean"] = "mean", cohort: str | None = None, fast_components: int = 0, model: str | None = None, name: str = "score", seed: int = 0) -> None:
        super().__init__(pool=pool, pooling=pooling, cohort=cohort, fast_components=fast_components, model=model, name=name, seed=seed)


class NormaliseScores(Stage):
    """Normalises scores by the mean and spread of impostors' scores: z, t, or both.

    `trials` to `trials`.

    - ``kind``: `z`, `t` or `zt`; by default `zt`.
    - ``cohort``: The split of the cohort, as in `score`; by default `train`.
    """

    kind = "normalise_scores"

    def __init__(self, *, kind: Literal["z", "t", "zt"] = "zt", cohort: str = "train", name: str = "normalise_scores", seed: int = 0) -> None:
        super().__init__(kind=kind, cohort=cohort, name=name, seed=seed)


class MatchPeople(Stage):
    """Matches predicted people to annotated ones of the same picture, so that they can be scored person by person.

    `people` and `keypoints` to `keypoints` with the ids of the people; predictions of nobody are rejects.

    - ``by``: What makes two people one: by default the similarity of their joints.
    - ``split``: Only people of this split of the truth; by default everyone.
    """

    kind = "match_people"

    def __init__(self, *, by: Mapping[str, Any] | None = None, split: str | None = None, name: str = "match_people", seed: int = 0) -> None:
        super().__init__(by=by, split=split, name=name, seed=seed)


class Evaluate(Stage):
    """Scores predicted keypoints by named protocols.

    `people` and `keypoints` to `metrics`.

    - ``protocols``: The protocols to score by, one or more.
    - ``split``: Only people of this split of the truth; by default everyone.
    - ``resamples``: How often people, or pictures, are resampled for the 95 % intervals; 0 for none. 1000 by default.
    - ``sigmas``: For `coco-oks`: spreads of joints by name, in parts of the square root of the person's area, instead of the skeleton's own.
    """

    kind = "evaluate"

    def __init__(self, *, protocols: Sequence[Literal["mpii-official", "mpii-hrnet", "mpii-mmpose", "mpii-pytorch-pose", "mpii-groups", "lsp-pck", "lsp-pck-bbox", "lsp-pcp-strict", "lsp-pcp-loose", "flic-pck", "flic-pck-tompson", "flic-pck-predicted-torso", "pck-bbox", "pdj", "coco-oks", "crowdpose", "presence"]], split: str | None = None, resamples: int = 1000, sigmas: Mapping[str, float] | None = None, name: str = "evaluate", seed: int = 0) -> None:
        super().__init__(protocols=protocols, split=split, resamples=resamples, sigmas=sigmas, name=name, seed=seed)


class Verify(Stage):
    """Computes equal error rate, half total error rate and curves from trials.

    `trials`, and the trials that set the threshold if they are a separate table, to `metrics`.

    - ``validation``: The split whose equal error point sets the threshold of FAR, FRR and HTER; by default `validation`.
    - ``split``: The split that is scored; by default `test`. A table of one split is scored whatever its name.
    - ``validation_apart``: Whether the trials that set the threshold are a separate table, the second input.
    - ``eer``: How equal error rates are computed: `linear`, `rocch` or `midpoint`; by default `linear`.
    - ``resamples``: How often clients are resampled for the 95 % intervals; 0 for none. 1000 by default.
    - ``points``: How many points of the curve become rows, at most: 0 for none, else 2 or more. 200 by default.
    """

    kind = "verify"

    def __init__(self, *, validation: str = "validation", split: str = "test", validation_apart: bool | None = None, eer: Literal["linear", "rocch", "midpoint"] = "linear", resamples: int = 1000, points: int = 200, name: str = "verify", seed: int = 0) -> None:
        super().__init__(validation=validation, split=split, validation_apart=validation_apart, eer=eer, resamples=resamples, points=points, name=name, seed=seed)


class Identify(Stage):
    """Counts how often the right class scores highest.

    `embeddings` that hold class scores to `metrics`.

    - ``share``: Share of the classes that count as the top, above 0; by default 0.05.
    - ``rounding``: How the share becomes a number of classes: `up`, `down` or `nearest`; by default `up`.
    - ``split``: Only rows of this split; by default all.
    - ``pool``: What is ranked: `frame` or `sequence`; by default `frame`.
    - ``resamples``: How often subjects are resampled for the 95 % intervals; 0 for none. 1000 by default.
    """

    kind = "identify"

    def __init__(self, *, share: float = 0.05, rounding: Literal["up", "down", "nearest"] = "up", split: str | None = None, pool: Literal["frame", "sequence"] = "frame", resamples: int = 1000, name: str = "identify", seed: int = 0) -> None:
        super().__init__(share=share, rounding=rounding, split=split, pool=pool, resamples=resamples, name=name, seed=seed)
