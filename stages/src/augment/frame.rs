//! Where a crop lies in its image: the framings of the papers.

use schemars::JsonSchema;
use schemas::Affine;
use schemas::units::{NonNegative, Positive};
use serde::{Deserialize, Serialize};

/// Person height in torso box heights in the pose machines' FLIC runs: their scale is 0.0110 x the box's height, and
/// a scale counts 200 px of person (`testing/src/run_benchmark.m`).
pub const TORSO_HEIGHTS: Positive = Positive::constant(2.2);
/// Where the centre lies between the top (0) and the bottom (1) of the torso box there: y = 0.7 y1 + 0.3 y2.
pub const TORSO_DOWN: NonNegative = NonNegative::constant(0.3);
/// Height of the line that the hourglass code centres every FLIC window on: the middle of images 480 px high.
pub const FLIC_CENTER_Y: NonNegative = NonNegative::constant(240.0);
/// Side of that window in px of the image: scale 2.2 x 200.
pub const FLIC_WINDOW: Positive = Positive::constant(440.0);
/// Size of the framed box: 1.25 times the box of annotated joints, as in top-down pipelines.
pub const KEYPOINT_MARGIN: Positive = Positive::constant(1.25);
/// By default, the annotated centre is the crop's centre.
pub const NO_SHIFT: NonNegative = NonNegative::constant(0.0);
/// A scale of 1 stands for a person this high, in px of the image.
pub const PX_PER_SCALE: f64 = 200.0;

/// Where the middle of what is framed comes to lie in a crop of W x H px, whose centres are at integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Grid {
    /// At (W / 2, H / 2), as in the papers' code and in mmpose's plain top-down crops: half a px right of and below the
    /// crop's middle.
    #[default]
    Plain,
    /// At ((W - 1) / 2, (H - 1) / 2), the crop's middle; an image as a whole is taken by the edges of its px, as image
    /// libraries resize.
    Edges,
    /// At ((W - 1) / 2, (H - 1) / 2), and what would fill W x H px fills (W - 1) x (H - 1): unbiased data processing (Huang
    /// et al., "The Devil is in the Details", CVPR 2020, section 3; `get_udp_warp_matrix` of mmpose).
    Udp,
}

impl Grid {
    /// From px of the image to px of the crop of `size`.
    pub fn map(self, placed: &Placed, size: [f64; 2]) -> Affine {
        let [x, y] = placed.center;
        let (half, shrink) = match self {
            Self::Plain => (size.map(|side| side / 2.0), [1.0; 2]),
            Self::Edges => (size.map(|side| (side - 1.0) / 2.0), [1.0; 2]),
            Self::Udp => (size.map(|side| (side - 1.0) / 2.0), size.map(|side| (side - 1.0) / side)),
        };
        let around_middle = match shrink {
            [1.0, 1.0] => Affine::scale(placed.magnification),
            [across, down] => {
                Affine([placed.magnification * across, 0.0, 0.0, 0.0, placed.magnification * down, 0.0])
            }
        };
        Affine::translation(half[0], half[1]) * around_middle * Affine::translation(-x, -y)
    }
}

/// How a crop is laid around a person.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Frame {
    /// Around the annotated `center`, so that the person (200 x `scale` px high) is `height` px high in the crop.
    ///
    /// Convolutional pose machines: 41/35 x 200 = 234.2857 px in 368. Stacked hourglass: 256 / 1.25 = 204.8 px in
    /// 256, with `shift_down` 15/200 = 0.075.
    Person {
        /// Height of the person in px of the crop.
        height: Positive,
        /// How far below `center` the crop's centre lies, in heights of the person.
        #[serde(default = "no_shift")]
        shift_down: NonNegative,
    },
    /// Around the image's centre, so that the image is `height` px high in the crop. Pose machines on LSP: 0.8 x 368
    /// = 294.4 px in 368.
    Image {
        /// Height of the image in px of the crop.
        height: Positive,
    },
    /// The whole image, as large as fits. `RePose` tests on LSP.
    WholeImage,
    /// The whole image, as large as fits, in the upper left corner (mmdetection's and `RTMO`'s letterbox).
    WholeImageTopLeft,
    /// The person's box, `margin` times as large, as large as fits: the column `box` that detectors give, else the box that
    /// the annotations state, as COCO does. Top-down networks of mmpose and the high-resolution network take 1.25.
    Box {
        /// Size of what is framed in sizes of the box.
        #[serde(default = "keypoint_margin")]
        margin: Positive,
    },
    /// Around a point of the detected torso box, so that a person `heights` boxes high is `height` px high. Pose
    /// machines on FLIC: 234.2857 px in 368.
    TorsoBox {
        /// Height of the person in px of the crop.
        height: Positive,
        /// Height of the person in heights of the box.
        #[serde(default = "torso_heights")]
        heights: Positive,
        /// Where the centre lies between the box's top (0) and bottom (1).
        #[serde(default = "torso_down")]
        down: NonNegative,
    },
    /// A window of constant size, centred on the torso box along x and on a fixed line along y. Hourglass on FLIC.
    Window {
        /// Side of the window in px of the image, along the crop's width.
        #[serde(default = "flic_window")]
        side: Positive,
        /// The line, in px of the image.
        #[serde(default = "flic_center_y")]
        center_y: NonNegative,
    },
    /// The box of annotated joints, `margin` times as large, as large as fits.
    Keypoints {
        /// Size of the framed box in sizes of the joints' box.
        #[serde(default = "keypoint_margin")]
        margin: Positive,
    },
}

fn no_shift() -> NonNegative {
    NO_SHIFT
}

fn torso_heights() -> Positive {
    TORSO_HEIGHTS
}

fn torso_down() -> NonNegative {
    TORSO_DOWN
}

fn flic_window() -> Positive {
    FLIC_WINDOW
}

fn flic_center_y() -> NonNegative {
    FLIC_CENTER_Y
}

fn keypoint_margin() -> Positive {
    KEYPOINT_MARGIN
}

/// What is known of one person; only what its [`Frame`] needs is read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Subject {
    /// Rough centre, px of the image.
    pub center: Option<[f64; 2]>,
    /// Person height / 200 px.
    pub scale: Option<f64>,
    /// `[x1, y1, x2, y2]`.
    pub torso_box: Option<[f64; 4]>,
    /// `[x1, y1, x2, y2]` of the whole person.
    pub person_box: Option<[f64; 4]>,
    /// The annotated joints.
    pub joints: Vec<[f64; 2]>,
    /// Width and height of the image in px.
    pub image_size: Option<[f64; 2]>,
}

/// The point of the image that goes to the crop's centre, and px of the crop per px of the image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placed {
    /// Px of the image.
    pub center: [f64; 2],
    /// Enlargement.
    pub magnification: f64,
}

/// Why a person cannot be framed: the phrase under which it is counted, and what was found.
pub type Refusal = (&'static str, String);

impl Frame {
    /// Whether it frames the image as a whole, whoever is in it.
    pub fn is_of_image(&self) -> bool {
        matches!(self, Self::Image { .. } | Self::WholeImage | Self::WholeImageTopLeft)
    }

    /// Places `subject` in a crop of `crop_size` px for `grid`.
    ///
    /// # Errors
    /// As [`Self::place`].
    pub fn placed_on(&self, subject: &Subject, crop_size: [f64; 2], grid: Grid) -> Result<Placed, Refusal> {
        let placed = self.place(subject, crop_size)?;
        if grid == Grid::Edges && self.is_of_image() {
            // The middle of an image w px wide is (w - 1) / 2, where px centres are at integers.
            return Ok(Placed { center: placed.center.map(|middle| middle - 0.5), ..placed });
        }
        Ok(placed)
    }

    /// Places `subject` in a crop of `crop_size` px.
    ///
    /// # Errors
    /// When what the frame is placed around is missing, not finite, or of no extent.
    pub fn place(&self, subject: &Subject, crop_size: [f64; 2]) -> Result<Placed, Refusal> {
        let [width, height] = crop_size;
        let placed = match self {
            Self::Person { height, shift_down } => {
                let scale = subject.scale.filter(|scale| scale.is_finite() && *scale > 0.0);
                let scale = scale.ok_or(("no scale", format!("scale is {:?}", subject.scale)))?;
                let [x, y] = subject.center.ok_or(("no center", "center is null".to_owned()))?;
                let person = PX_PER_SCALE * scale;
                Placed { center: [x, y + shift_down.get() * person], magnification: height.get() / person }
            }
            Self::Image { height } => {
                let [w, h] = image_size(subject)?;
                Placed { center: [w / 2.0, h / 2.0], magnification: height.get() / h }
            }
            Self::WholeImage => {
                let [w, h] = image_size(subject)?;
                Placed { center: [w / 2.0, h / 2.0], magnification: (width / w).min(height / h) }
            }
            Self::WholeImageTopLeft => {
                let [w, h] = image_size(subject)?;
                let magnification = (width / w).min(height / h);
                let center = [width / 2.0 / magnification, height / 2.0 / magnification];
                Placed { center, magnification }
            }
            Self::Box { margin } => {
                let [x1, y1, x2, y2] = person_box(subject)?;
                Placed {
                    center: [f64::midpoint(x1, x2), f64::midpoint(y1, y2)],
                    magnification: (width / (x2 - x1)).min(height / (y2 - y1)) / margin.get(),
                }
            }
            Self::TorsoBox { height, heights, down } => {
                let [x1, y1, x2, y2] = torso_box(subject)?;
                let down = down.get();
                Placed {
                    center: [f64::midpoint(x1, x2), (1.0 - down) * y1 + down * y2],
                    magnification: height.get() / (heights.get() * (y2 - y1)),
                }
            }
            Self::Window { side, center_y } => {
                let [x1, _, x2, _] = torso_box(subject)?;
                Placed { center: [f64::midpoint(x1, x2), center_y.get()], magnification: width / side.get() }
            }
            Self::Keypoints { margin } => {
                let [x1, y1, x2, y2] = bounds(&subject.joints)
                    .ok_or(("no keypoints", format!("{} joints are annotated", subject.joints.len())))?;
                let across = (width / (x2 - x1)).min(height / (y2 - y1));
                Placed {
                    center: [f64::midpoint(x1, x2), f64::midpoint(y1, y2)],
                    magnification: across / margin.get(),
                }
            }
        };
        let usable = placed.magnification.is_normal()
            && placed.magnification > 0.0
            && placed.center.iter().all(|value| value.is_finite());
        if usable { Ok(placed) } else { Err(("unusable frame", format!("{placed:?}"))) }
    }
}

fn image_size(subject: &Subject) -> Result<[f64; 2], Refusal> {
    let size = subject.image_size.filter(|size| size.iter().all(|side| *side > 0.0));
    size.ok_or(("no image size", format!("image size is {:?}", subject.image_size)))
}

fn has_extent([x1, y1, x2, y2]: &[f64; 4]) -> bool {
    x2 > x1 && y2 > y1
}

fn person_box(subject: &Subject) -> Result<[f64; 4], Refusal> {
    let found = subject.person_box.filter(has_extent);
    found.ok_or(("no box", format!("the person's box is {:?}", subject.person_box)))
}

fn torso_box(subject: &Subject) -> Result<[f64; 4], Refusal> {
    subject
        .torso_box
        .filter(has_extent)
        .ok_or(("no torso box", format!("torso box is {:?}", subject.torso_box)))
}

/// The box of `points`, or `None` where it has no extent.
fn bounds(points: &[[f64; 2]]) -> Option<[f64; 4]> {
    let ends = |axis: usize| {
        let values = points.iter().map(|point| point[axis]);
        (values.clone().fold(f64::INFINITY, f64::min), values.fold(f64::NEG_INFINITY, f64::max))
    };
    let ((x1, x2), (y1, y2)) = (ends(0), ends(1));
    (x2 > x1 && y2 > y1).then_some([x1, y1, x2, y2])
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::Affine;

    fn frame(plan: &str) -> Frame {
        #[derive(Deserialize)]
        struct Plan {
            frame: Frame,
        }
        toml::from_str::<Plan>(plan).unwrap().frame
    }

    fn subject() -> Subject {
        Subject {
            center: Some([400.0, 300.0]),
            scale: Some(1.5),
            torso_box: Some([100.0, 50.0, 180.0, 150.0]),
            person_box: Some([10.0, 20.0, 50.0, 120.0]),
            joints: vec![[10.0, 20.0], [50.0, 100.0], [30.0, 40.0]],
            image_size: Some([640.0, 480.0]),
        }
    }

    #[test]
    fn the_pose_machine_frames_a_person_of_234_px() {
        let placed = frame("frame.person.height = 234.285714").place(&subject(), [368.0; 2]).unwrap();
        // s = target_dist / scale_provided.
        assert!((placed.magnification - 41.0 / 35.0 / 1.5).abs() < 1e-8);
        assert_eq!(placed.center, [400.0, 300.0]);
    }

    #[test]
    fn the_hourglass_formula_comes_out() {
        let frame = frame("frame.person = { height = 204.8, shift_down = 0.075 }");
        let placed = frame.place(&subject(), [256.0; 2]).unwrap();
        // cy += 15 s, then s *= 1.25; h = 200 s; x' = (R / h) x + R (0.5 - cx / h).
        let (cx, cy, h) = (400.0, 300.0 + 15.0 * 1.5, 200.0 * 1.5 * 1.25);
        let map = Affine::translation(128.0, 128.0)
            * Affine::scale(placed.magnification)
            * Affine::translation(-placed.center[0], -placed.center[1]);
        for [x, y] in [[0.0, 0.0], [431.0, 12.0], [-50.0, 700.0]] {
            let [u, v] = map.apply([x, y]);
            assert!((u - (256.0 / h * x + 256.0 * (0.5 - cx / h))).abs() < 1e-9);
            assert!((v - (256.0 / h * y + 256.0 * (0.5 - cy / h))).abs() < 1e-9);
        }
    }

    #[test]
    fn torso_boxes_frame_as_in_both_flic_runs() {
        let placed = frame("frame.torso_box.height = 234.285714").place(&subject(), [368.0; 2]).unwrap();
        assert_eq!(placed.center, [140.0, 0.7 * 50.0 + 0.3 * 150.0]);
        assert!((placed.magnification - 41.0 / 35.0 / (0.0110 * 100.0)).abs() < 1e-8);
        let placed = frame("frame.window = {}").place(&subject(), [256.0; 2]).unwrap();
        assert_eq!((placed.center, placed.magnification), ([140.0, 240.0], 256.0 / 440.0));
    }

    #[test]
    fn a_box_is_framed_as_top_down_networks_do() {
        // mmpose: scale = (w, h) * 1.25, widened to 192 : 256; the box of 40 x 100 px becomes 93.75 x 125.
        let placed = frame("frame.box = {}").place(&subject(), [192.0, 256.0]).unwrap();
        assert_eq!((placed.center, placed.magnification), ([30.0, 70.0], 256.0 / 125.0));
        let map = Grid::Plain.map(&placed, [192.0, 256.0]);
        assert_eq!(map.apply([30.0, 70.0]), [96.0, 128.0]);
        // Unbiased: the corners of the framed box are the centres of the crop's outer px.
        let map = Grid::Udp.map(&placed, [192.0, 256.0]);
        for (corner, expected) in [([-16.875, 7.5], [0.0, 0.0]), ([76.875, 132.5], [191.0, 255.0])] {
            let found = map.apply(corner);
            assert!(std::iter::zip(found, expected).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?}");
        }
        let nobody = Subject { person_box: None, ..subject() };
        assert_eq!(frame("frame.box = {}").place(&nobody, [64.0; 2]).unwrap_err().0, "no box");
    }

    #[test]
    fn an_image_as_a_whole_is_resized_as_libraries_do_it() {
        // 640 x 480 in 320 x 320: px (x, y) shows at ((x + 1/2) / 2 - 1/2, ...), 40 px further down in the middle.
        let size = [320.0; 2];
        let of = |name: &str, grid: Grid, image: [f64; 2]| {
            let frame = frame(&format!("frame = '{name}'"));
            let subject = Subject { image_size: Some(image), ..subject() };
            grid.map(&frame.placed_on(&subject, size, grid).unwrap(), size).apply([100.0, 60.0])
        };
        assert_eq!(of("whole_image", Grid::Edges, [640.0, 480.0]), [49.75, 69.75]);
        assert_eq!(of("whole_image_top_left", Grid::Edges, [640.0, 480.0]), [49.75, 29.75]);
        assert_eq!(of("whole_image", Grid::Plain, [640.0, 480.0]), [50.0, 70.0]);
        assert_eq!(of("whole_image_top_left", Grid::Plain, [640.0, 480.0]), [50.0, 30.0]);
    }

    #[test]
    fn whole_images_and_joints_fit() {
        let placed = frame("frame.image.height = 294.4").place(&subject(), [368.0; 2]).unwrap();
        assert!((placed.magnification - 0.8 * 368.0 / 480.0).abs() < 1e-12);
        let placed = frame("frame = 'whole_image'").place(&subject(), [128.0; 2]).unwrap();
        assert_eq!((placed.center, placed.magnification), ([320.0, 240.0], 0.2));
        let placed = frame("frame.keypoints.margin = 2").place(&subject(), [160.0; 2]).unwrap();
        assert_eq!((placed.center, placed.magnification), ([30.0, 60.0], 1.0));
    }

    #[test]
    fn what_is_missing_or_absurd_is_refused_with_a_reason() {
        let person = frame("frame.person.height = 200");
        for (scale, reason) in [
            (None, "no scale"),
            (Some(0.0), "no scale"),
            (Some(-1.0), "no scale"),
            (Some(f64::NAN), "no scale"),
        ] {
            assert_eq!(person.place(&Subject { scale, ..subject() }, [64.0; 2]).unwrap_err().0, reason);
        }
        let reason = |frame: &Frame, subject: Subject| frame.place(&subject, [64.0; 2]).unwrap_err().0;
        assert_eq!(reason(&person, Subject { center: None, ..subject() }), "no center");
        assert_eq!(reason(&person, Subject { center: Some([f64::NAN, 0.0]), ..subject() }), "unusable frame");
        assert_eq!(
            reason(&person, Subject { scale: Some(f64::MIN_POSITIVE / 300.0), ..subject() }),
            "unusable frame"
        );
        let torso = frame("frame.window = {}");
        assert_eq!(reason(&torso, Subject { torso_box: None, ..subject() }), "no torso box");
        assert_eq!(
            reason(&torso, Subject { torso_box: Some([5.0, 5.0, 5.0, 9.0]), ..subject() }),
            "no torso box"
        );
        let joints = frame("frame.keypoints = {}");
        assert_eq!(reason(&joints, Subject { joints: vec![[1.0, 1.0]], ..subject() }), "no keypoints");
        assert_eq!(
            reason(&frame("frame = 'whole_image'"), Subject { image_size: None, ..subject() }),
            "no image size"
        );
    }
}
