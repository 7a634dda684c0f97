//! What a network says of itself.

use std::path::Path;

use crate::StageError;
use crate::network::NetworkError;
use crate::network::card::{Colour, Element, ImageInput, Layout};
use crate::network::pictures::{PicturePorts, PictureWorker};
use crate::network::ports::{Port, fixed_rows, inputs_of, outputs_of};
use crate::network::providers::{Network, Provider, Start, first_session};
use crate::network::runtime::Runtime;

/// A network that was opened and run once.
pub(super) struct Found {
    pub inputs: Vec<Port>,
    pub outputs: Vec<Port>,
    /// The dimensions that the run gave, by output.
    pub shapes: Vec<(String, Vec<i64>)>,
    input: Result<ImageInput, String>,
}

/// What outputs are told apart by.
type Test<'a> = &'a dyn Fn(&[i64]) -> bool;

impl Found {
    /// Opens the network `model` and runs it once on a blank picture, of `size` where its sides are free.
    ///
    /// # Errors
    /// When it cannot be opened or run.
    pub(super) fn of(
        runtime: &'static Runtime,
        model: &Path,
        size: Option<[u32; 2]>,
    ) -> Result<Self, StageError> {
        let network = Network::File(model);
        let opened = first_session(runtime, Provider::Cpu, Start::default(), false, network);
        let (session, _) = opened.map_err(|error| error.at(model))?;
        let (inputs, outputs) = (inputs_of(&session), outputs_of(&session));
        let input = picture(&inputs, size);
        let mut shapes = Vec::new();
        if let Ok(input) = &input {
            let floats = |port: &&Port| ["float32", "float16"].contains(&port.element.as_str());
            let names: Vec<&str> = outputs.iter().filter(floats).map(|port| port.name.as_str()).collect();
            let rows = fixed_rows(&[&inputs[0]])?.unwrap_or(1);
            let ports = PicturePorts {
                image: input,
                center_map: None,
                points: None,
                outputs: names.clone(),
                any_shape: true,
            };
            let run = || PictureWorker::new(session, &ports, rows, None)?.shapes();
            let found = run().map_err(|error: NetworkError| error.at(model))?;
            shapes = names.into_iter().map(str::to_owned).zip(found).collect();
        }
        Ok(Self { inputs, outputs, shapes, input })
    }

    /// What stands for the placeholder `key`.
    ///
    /// # Errors
    /// What the network lacks.
    pub(super) fn value(&self, key: &str) -> Result<String, String> {
        let input = self.input.as_ref().map_err(Clone::clone)?;
        let [width, height] = [input.width, input.height].map(f64::from);
        if let Some(part) = key.strip_prefix("person_height_") {
            let part: f64 = part.parse().map_err(|_| format!("placeholder `{key}`"))?;
            return Ok(decimal(part * height));
        }
        Ok(match key {
            "input" => input.name.clone(),
            "layout" => layout_name(input.layout).to_owned(),
            "element" => input.element_name().to_owned(),
            "width" => input.width.to_string(),
            "height" => input.height.to_string(),
            "simcc_x" => self.called("simcc_x", 0, 2, &|shape| shape.len() == 3)?,
            "simcc_y" => self.called("simcc_y", 1, 2, &|shape| shape.len() == 3)?,
            "heatmaps" => self.maps()?.0.to_owned(),
            "map_layout" => layout_name(self.maps()?.1).to_owned(),
            "channels" => self.maps()?.2[1].to_string(),
            "stride" => decimal(width / self.maps()?.2[3] as f64),
            "udp_stride_x" => decimal((width - 1.0) / (self.maps()?.2[3] as f64 - 1.0)),
            "udp_stride_y" => decimal((height - 1.0) / (self.maps()?.2[2] as f64 - 1.0)),
            "output" => self.called("output", 0, 1, &|_| true)?,
            "landmarks" => {
                self.called("landmarks", 0, 1, &|shape| shape.iter().skip(1).product::<i64>() == 195)?
            }
            "person" => self.called("person", 0, 1, &|shape| shape.iter().skip(1).product::<i64>() == 1)?,
            "dets" => self.called("dets", 0, 1, &|shape| shape.len() == 3 && shape[2] == 5)?,
            "keypoints" => self.called("keypoints", 0, 1, &|shape| shape.len() == 4 && shape[3] == 3)?,
            other => return Err(format!("placeholder `{other}`")),
        })
    }

    /// The output called `name`, else number `at` of those that `fit`, of which there are `count` at least.
    fn called(&self, name: &str, at: usize, count: usize, fit: Test<'_>) -> Result<String, String> {
        let fitting: Vec<&str> =
            self.shapes.iter().filter(|(_, shape)| fit(shape)).map(|(name, _)| name.as_str()).collect();
        if fitting.contains(&name) {
            return Ok(name.to_owned());
        }
        if fitting.len() < count {
            return Err(format!("output like `{name}`"));
        }
        Ok(fitting[at].to_owned())
    }

    /// The first output of maps: its name, layout, and sizes in the order rows, channels, height, width.
    fn maps(&self) -> Result<(&str, Layout, [i64; 4]), String> {
        let maps = self.shapes.iter().find(|(_, shape)| shape.len() == 4);
        let (name, shape) = maps.ok_or("output of four dimensions")?;
        // Maps are larger than there are joints, or channels stand last.
        let layout = if shape[1] <= shape[3] || shape[2] == shape[3] && shape[1] < shape[2] {
            Layout::Nchw
        } else {
            Layout::Nhwc
        };
        let sizes = layout.sizes(shape).ok_or("output of four dimensions")?;
        Ok((name, layout, sizes))
    }
}

/// The one input, if it is a picture.
fn picture(inputs: &[Port], size: Option<[u32; 2]>) -> Result<ImageInput, String> {
    let [port] = inputs else { return Err(format!("single input, but {}", inputs.len())) };
    let (layout, [height, width]) = match port.dimensions[..] {
        [_, 3, height, width] => (Layout::Nchw, [height, width]),
        [_, height, width, 3] => (Layout::Nhwc, [height, width]),
        _ => return Err("input of pictures with three channels".to_owned()),
    };
    let element = match port.element.as_str() {
        "float32" => Element::Float32,
        "float16" => Element::Float16,
        "uint8" => Element::Uint8,
        "int32" => Element::Int32,
        other => return Err(format!("input of levels: `{}` is of {other}", port.name)),
    };
    let side = |fixed: i64, said: Option<u32>| match u32::try_from(fixed) {
        Ok(side) if side > 0 => Some(side),
        _ => said,
    };
    let sides = side(width, size.map(|size| size[0])).zip(side(height, size.map(|size| size[1])));
    let Some((width, height)) = sides else { return Err("fixed sides".to_owned()) };
    Ok(ImageInput {
        name: port.name.clone(),
        layout,
        colour: Colour::Rgb,
        element,
        width,
        height,
        multiple: None,
        mean: [0.0; 3],
        std: [1.0; 3],
    })
}

fn layout_name(layout: Layout) -> &'static str {
    match layout {
        Layout::Nchw => "nchw",
        Layout::Nhwc => "nhwc",
    }
}

/// `value` with a point, as TOML wants a float to have.
fn decimal(value: f64) -> String {
    format!("{value:?}")
}
