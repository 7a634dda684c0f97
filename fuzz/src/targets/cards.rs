//! Model cards: what is said beside a network, of each of the three kinds.

use schemas::{Hinted, Skeleton};
use serde::de::DeserializeOwned;
use stages::decode::FineCard;
use stages::infer::heads::Output;
use stages::infer::sequence::Frames;
use stages::infer::{ModelCard, SequenceCard};
use stages::network::NetworkError;
use stages::network::ports::Port;

use crate::Target;
use crate::pieces::{mode, with_mode};

pub(crate) const TARGET: Target = Target {
    name: "cards",
    seeds,
    words: &[
        "name = ",
        "skeleton = \"lsp14\"",
        "[input]",
        "[center_map]",
        "[[outputs]]",
        "[[states]]",
        "[points]",
        "layout = \"nhwc\"",
        "colour = \"bgr\"",
        "element = \"uint8\"",
        "width = 0",
        "height = 4294967295",
        "mean = [0, 0, 0]",
        "std = [1, 1, 1]",
        "kind = \"heatmaps\"",
        "kind = \"offsets\"",
        "kind = \"simcc\"\nx = \"x\"\ny = \"y\"\nsplit_ratio = 2",
        "kind = \"coordinates\"\npoint = [\"x\", \"y\", \"score\"]",
        "kind = \"detections\"\nrow = [\"left\", \"top\", \"width\", \"height\", \"score\", \"joints\"]",
        "candidates = \"columns\"",
        "minimum_score = 0.2",
        "overlap = 0.7",
        "points = [\"nose\"]",
        "[crop]\nframe = \"whole_image\"",
        "multiple = 32",
        "head = -1",
        "stage = 1",
        "stride = nan",
        "origin = inf",
        "channels = 9223372036854775807",
        "background = 0",
        "center = -1.0",
        "axes = \"n t (b c)\"",
        "blocks = 9223372036854775807",
        "block_samples = 2",
        "frames = \"one\"",
        "size = 0",
        "classes = []",
        "rate_hz = 0",
        "shape = [9223372036854775807, 2]",
        "\"\"\"",
        "0x",
        "1e400",
        "= {",
        "= [",
    ],
    run,
};

fn run(input: &[u8]) -> u64 {
    let (mode, rest) = mode(input);
    let Ok(text) = std::str::from_utf8(rest) else { return 0 };
    let sound = match mode % 3 {
        0 => read(text, ModelCard::validate).is_some_and(|card| pose(&card)),
        1 => read(text, FineCard::validate).is_some_and(|card| fine(&card)),
        _ => read(text, SequenceCard::validate).is_some_and(|card| sequence(&card)),
    };
    u64::from(sound)
}

/// The card in `text`, where it is sound.
fn read<T: DeserializeOwned>(text: &str, validate: impl Fn(&T) -> Result<(), NetworkError>) -> Option<T> {
    let card: T = toml::from_str(text).map_err(|error| error.to_string()).ok()?;
    validate(&card).map_err(|error| told(&error)).ok()?;
    Some(card)
}

fn told(error: &NetworkError) {
    assert!(!error.to_string().is_empty());
    error.hint();
}

fn port(name: &str, element: &str, dimensions: &[i64]) -> Port {
    Port { name: name.to_owned(), element: element.to_owned(), dimensions: dimensions.to_vec() }
}

/// Holds the card against a network that is as it says.
fn pose(card: &ModelCard) -> bool {
    let image = &card.input;
    let mut inputs = vec![port(&image.name, image.element_name(), &image.dimensions())];
    if let Some(map) = &card.center_map {
        let size = [image.height, image.width].map(i64::from);
        inputs.push(port(&map.name, "float32", &map.layout.dimensions(1, size)));
    }
    let skeleton = card.skeleton().map_or(0, Skeleton::len) as i64;
    let of_output = |output: &Output| match output {
        Output::Heatmaps(output) => {
            let side = |px: u32| (f64::from(px) / output.stride).ceil() as i64;
            let size = [side(image.height), side(image.width)];
            let maps = output.layout.dimensions(output.channels as i64, size).to_vec();
            let offsets = output.layout.dimensions(2 * skeleton, size).to_vec();
            vec![maps, offsets]
        }
        Output::Simcc(output) => {
            let bins = |px: u32| (f64::from(px) * output.split_ratio) as i64;
            vec![vec![-1, skeleton, bins(image.width)], vec![-1, skeleton, bins(image.height)]]
        }
        Output::Coordinates(output) => {
            let points = if output.points.is_empty() { skeleton } else { output.points.len() as i64 };
            vec![vec![-1, points, output.point.len() as i64], vec![-1, points], vec![-1, 1]]
        }
        Output::Detections(output) => vec![vec![-1, 5, output.row.len() as i64], vec![-1, 5, skeleton, 3]],
    };
    let named = card.outputs.iter().flat_map(|output| output.names().into_iter().zip(of_output(output)));
    let named: Vec<(&str, Vec<i64>)> = named.collect();
    let outputs: Vec<Port> = named.iter().map(|(name, sizes)| port(name, "float32", sizes)).collect();
    let dimensions: Vec<Vec<i64>> = named.into_iter().map(|(_, sizes)| sizes).collect();
    let rows: Vec<Vec<i64>> = dimensions.iter().map(|sizes| [&[2], &sizes[1..]].concat()).collect();
    let fits = card.check_ports(&inputs, &outputs).map_err(|error| told(&error)).is_ok();
    let sized = card.check_shapes(2, &rows).map_err(|error| told(&error)).is_ok();
    card.ports();
    fits && sized
}

fn fine(card: &FineCard) -> bool {
    let (image, output) = (&card.input, card.output());
    let joints = output.channels as i64;
    let inputs = [
        port(&image.name, image.element_name(), &image.dimensions()),
        port(&card.points.name, "float32", &[-1, joints, 2]),
    ];
    let sizes = output.layout.dimensions(joints, [64, 64]);
    let outputs = [port(&output.name, "float32", &sizes)];
    let fits = card.check_ports(&inputs, &outputs).map_err(|error| told(&error)).is_ok();
    let rows = [&[2], &sizes[1..]].concat();
    let sized = card.map_size(2, &rows).map_err(|error| told(&error)).is_ok();
    card.ports();
    fits && sized
}

fn sequence(card: &SequenceCard) -> bool {
    let mut fits = true;
    for named in &card.outputs {
        let output = card.output(Some(&named.name)).expect("an output of the card");
        let of_rows = |behind: &[i64]| [&[-1], behind].concat();
        let window = of_rows(&card.input.axes.dimensions(card.window_shape()));
        let vectors = match output.frames {
            Frames::One => vec![-1, output.size as i64],
            Frames::Each | Frames::Last => vec![-1, card.input.blocks as i64, output.size as i64],
        };
        let mut inputs = vec![port(&card.input.name, "float32", &window)];
        let mut outputs = vec![port(&output.name, "float32", &vectors)];
        for state in &card.states {
            state.length();
            inputs.push(port(&state.input, "float32", &of_rows(&state.dimensions())));
            outputs.push(port(&state.output, "float32", &of_rows(&state.dimensions())));
        }
        fits &= card.check_ports(output, &inputs, &outputs).map_err(|error| told(&error)).is_ok();
    }
    fits
}

const POSE: &str = r#"name = "n"
skeleton = "lsp14"
[input]
name = "image"
layout = "nhwc"
colour = "bgr"
element = "float32"
width = 128
height = 128
mean = [128.0, 128.0, 128.0]
std = [256.0, 256.0, 256.0]
[center_map]
name = "center"
sigma = 21.0
layout = "nhwc"
[[outputs]]
name = "stage_2"
kind = "heatmaps"
layout = "nchw"
head = 2
stride = 8.0
origin = 3.5
channels = 15
background = 14
"#;

const FINE: &str = r#"name = "n"
skeleton = "flic9"
[input]
name = "image"
layout = "nchw"
colour = "rgb"
element = "uint8"
width = 320
height = 240
[points]
name = "points"
[[outputs]]
name = "offsets"
kind = "offsets"
layout = "nchw"
stride = 1.0
center = 8.0
channels = 9
"#;

const SEQUENCE: &str = r#"name = "n"
channels = ["accelerometer_x", "gyroscope_y"]
rate_hz = 50
[input]
name = "window"
axes = "n t (b c)"
blocks = 20
block_samples = 50
[[outputs]]
name = "features"
frames = "each"
size = 128
[[outputs]]
name = "scores"
frames = "one"
size = 2
classes = ["s01", "s02"]
[[states]]
input = "h"
output = "h_next"
shape = [2, 64]
"#;

fn seeds() -> Vec<Vec<u8>> {
    [POSE, FINE, SEQUENCE].iter().enumerate().map(|(mode, text)| with_mode(mode, text.as_bytes())).collect()
}
