//! A session of a network that reads pictures, with its tensors.

use std::borrow::Cow;

use arrow::datatypes::Schema;
use half::f16;
use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::session::{IoBinding, Session};
use ort::value::{PrimitiveTensorElementType, Shape, Tensor, TensorElementType, ValueType};
use schemas::columns::{field, wrong_type};
use schemas::tables::samples;

use super::NetworkError;
use super::card::{CenterMapInput, Element, ImageInput};
use super::gather::{Gather, Row, center_map};
use crate::StageError;

/// A session, its input and output tensors bound once, for calls of a fixed number of rows.
///
/// Every call has the same number of rows, the last ones blank where fewer are given: kernels are chosen by shape,
/// so a row's result would otherwise depend on how many neighbours it happens to have.
pub struct PictureWorker {
    session: Session,
    gather: Gather,
    binding: IoBinding,
    image: ImageTensor,
    center_map: Option<(CenterMapInput, Tensor<f32>)>,
    points: Option<(String, Tensor<f32>)>,
    image_name: String,
    rows: usize,
    values_per_image: usize,
    width: usize,
}

enum ImageTensor {
    Floats(Tensor<f32>),
    Halves(Tensor<f16>),
    Bytes(Tensor<u8>),
    Integers(Tensor<i32>),
}

/// What a network reads and gives.
#[derive(Debug)]
pub struct PicturePorts<'a> {
    /// The picture.
    pub image: &'a ImageInput,
    /// The centre map.
    pub center_map: Option<&'a CenterMapInput>,
    /// The places of joints: the input's name, and how many there are.
    pub points: Option<(&'a str, usize)>,
    /// Names of the outputs, in the order in which they are handed out.
    pub outputs: Vec<&'a str>,
    /// Whether their shapes may differ from call to call, as those of detections do.
    pub any_shape: bool,
}

/// Memory that a card reads and writes directly, where `device` is one; plain memory else.
fn host_allocator(session: &Session, device: Option<i32>, usage: MemoryType) -> Allocator {
    let pinned = device.and_then(|id| {
        let info = MemoryInfo::new(AllocationDevice::CUDA_PINNED, id, AllocatorType::Device, usage).ok()?;
        Allocator::new(session, info).ok()
    });
    pinned.unwrap_or_default()
}

fn new_tensor<T: PrimitiveTensorElementType + std::fmt::Debug>(
    allocator: &Allocator,
    dimensions: &[i64],
) -> Result<Tensor<T>, NetworkError> {
    Tensor::new(allocator, Shape::new(dimensions.iter().copied()))
        .map_err(NetworkError::runtime("cannot allocate a tensor"))
}

fn with_rows(mut dimensions: [i64; 4], rows: usize) -> [i64; 4] {
    dimensions[0] = rows as i64;
    dimensions
}

impl PictureWorker {
    /// Binds `session` for calls of `rows` rows. `device` is the GPU in use, `None` for the CPU.
    ///
    /// Runs the network once on a blank image, to see that it runs and what shapes it gives; the outputs are then
    /// allocated once and bound. Inputs and outputs are in pinned memory if a GPU is used.
    ///
    /// # Errors
    /// When the network does not run, or the card does not fit it.
    pub fn new(
        session: Session,
        ports: &PicturePorts<'_>,
        rows: usize,
        device: Option<i32>,
    ) -> Result<Self, NetworkError> {
        let input = ports.image;
        let (height, width) = (input.height as usize, input.width as usize);
        let dimensions = with_rows(input.dimensions(), rows);
        let allocator = host_allocator(&session, device, MemoryType::CPUInput);
        let image = match input.element {
            Element::Float32 => ImageTensor::Floats(new_tensor(&allocator, &dimensions)?),
            Element::Float16 => ImageTensor::Halves(new_tensor(&allocator, &dimensions)?),
            Element::Uint8 => ImageTensor::Bytes(new_tensor(&allocator, &dimensions)?),
            Element::Int32 => ImageTensor::Integers(new_tensor(&allocator, &dimensions)?),
        };
        let center_map = match ports.center_map {
            None => None,
            Some(map) => {
                let dimensions = with_rows(map.layout.dimensions(1, [height as i64, width as i64]), rows);
                Some((map.clone(), new_tensor::<f32>(&allocator, &dimensions)?))
            }
        };
        let points = match ports.points {
            None => None,
            Some((name, joints)) => {
                let dimensions = [rows as i64, joints as i64, 2];
                Some((name.to_owned(), new_tensor::<f32>(&allocator, &dimensions)?))
            }
        };
        let binding =
            session.create_binding().map_err(NetworkError::runtime("cannot bind the network's inputs"))?;
        let values_per_image = 3 * height * width;
        let (image_name, gather) = (input.name.clone(), Gather::new(input));
        let mut worker = Self {
            session,
            gather,
            binding,
            image,
            center_map,
            points,
            image_name,
            rows,
            values_per_image,
            width,
        };
        worker.bind_outputs(ports, device)?;
        Ok(worker)
    }

    /// Runs once with outputs of unknown shape, then binds outputs of the shapes that came.
    fn bind_outputs(&mut self, ports: &PicturePorts<'_>, device: Option<i32>) -> Result<(), NetworkError> {
        let cannot = NetworkError::runtime("cannot bind the network's outputs");
        for output in &ports.outputs {
            self.binding.bind_output_to_device(*output, &MemoryInfo::default()).map_err(cannot)?;
        }
        let shapes = self.shapes()?;
        if ports.any_shape {
            return Ok(());
        }
        self.binding.clear_outputs();
        let allocator = host_allocator(&self.session, device, MemoryType::CPUOutput);
        for (output, shape) in ports.outputs.iter().zip(&shapes) {
            if self.gives_halves(output) {
                self.binding.bind_output(*output, new_tensor::<f16>(&allocator, shape)?).map_err(cannot)?;
            } else {
                self.binding.bind_output(*output, new_tensor::<f32>(&allocator, shape)?).map_err(cannot)?;
            }
        }
        Ok(())
    }

    /// Whether the output `name` is of 16-bit floats.
    fn gives_halves(&self, name: &str) -> bool {
        let mut outputs = self.session.outputs().iter();
        let is_half = |ty: &ValueType| matches!(ty, ValueType::Tensor { ty: TensorElementType::Float16, .. });
        outputs.any(|output| output.name() == name && is_half(output.dtype()))
    }

    /// How many rows per call has.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The dimensions of each output, in the card's order.
    ///
    /// # Errors
    /// When the network fails.
    pub fn shapes(&mut self) -> Result<Vec<Vec<i64>>, NetworkError> {
        let mut shapes = Vec::new();
        self.run(&[], |outputs| shapes = outputs.iter().map(|(shape, _)| shape.to_vec()).collect())?;
        Ok(shapes)
    }

    /// Runs the network on at most [`Self::rows`] rows and hands `take` each output: its dimensions and its values,
    /// in the card's order, of which only the first `rows.len()` mean anything.
    ///
    /// # Errors
    /// When the network fails, or gives something else than floats of 32 or 16 bits.
    pub fn run(
        &mut self,
        rows: &[Row<'_>],
        take: impl FnOnce(&[(&[i64], &[f32])]),
    ) -> Result<(), NetworkError> {
        assert!(rows.len() <= self.rows, "no more rows than a call has");
        let cannot = NetworkError::runtime("cannot bind the network's inputs");
        let fill = Fill { gather: &self.gather, rows, per_image: self.values_per_image };
        let (binding, name) = (&mut self.binding, self.image_name.as_str());
        match &mut self.image {
            ImageTensor::Floats(tensor) => {
                fill.with(tensor.extract_tensor_mut().1, 0.0, Gather::floats);
                binding.bind_input(name, tensor).map_err(cannot)?;
            }
            ImageTensor::Halves(tensor) => {
                fill.with(tensor.extract_tensor_mut().1, f16::ZERO, Gather::halves);
                binding.bind_input(name, tensor).map_err(cannot)?;
            }
            ImageTensor::Bytes(tensor) => {
                fill.with(tensor.extract_tensor_mut().1, 0, Gather::bytes);
                binding.bind_input(name, tensor).map_err(cannot)?;
            }
            ImageTensor::Integers(tensor) => {
                fill.with(tensor.extract_tensor_mut().1, 0, Gather::integers);
                binding.bind_input(name, tensor).map_err(cannot)?;
            }
        }
        if let Some((map, tensor)) = &mut self.center_map {
            let values = tensor.extract_tensor_mut().1;
            let mut slots = values.chunks_exact_mut(self.values_per_image / 3);
            for (slot, row) in slots.by_ref().zip(rows) {
                let mirrored_x = |x: f64| (self.width - 1) as f64 - x;
                match row.center_in_crop {
                    Some([x, y]) => {
                        let x = if row.mirrored { mirrored_x(x) } else { x };
                        center_map([x, y], map.sigma, self.width, slot);
                    }
                    None => slot.fill(0.0),
                }
            }
            values[rows.len() * self.values_per_image / 3..].fill(0.0);
            self.binding.bind_input(&map.name, tensor).map_err(cannot)?;
        }
        if let Some((name, tensor)) = &mut self.points {
            let height = self.values_per_image / 3 / self.width;
            // Rows without places look at the middle, where any network may look.
            let middle = [(self.width / 2) as f32, (height / 2) as f32];
            let values = tensor.extract_tensor_mut().1;
            let per_row = values.len() / self.rows;
            for (row, slot) in values.chunks_exact_mut(per_row).enumerate() {
                match rows.get(row).and_then(|row| row.points) {
                    Some(points) => slot.copy_from_slice(points),
                    None => slot.as_chunks_mut::<2>().0.fill(middle),
                }
            }
            self.binding.bind_input(name.as_str(), tensor).map_err(cannot)?;
        }
        let outputs = self.session.run_binding(&self.binding);
        let outputs = outputs.map_err(NetworkError::runtime("the network failed"))?;
        let cannot = NetworkError::runtime("cannot read an output");
        let mut values: Vec<(&[i64], Cow<'_, [f32]>)> = Vec::new();
        for index in 0..outputs.len() {
            let output = &outputs[index];
            if let Ok((shape, halves)) = output.try_extract_tensor::<f16>() {
                values.push((shape, halves.iter().map(|half| half.to_f32()).collect()));
            } else {
                let (shape, numbers) = output.try_extract_tensor::<f32>().map_err(cannot)?;
                values.push((shape, Cow::Borrowed(numbers)));
            }
        }
        let values: Vec<(&[i64], &[f32])> =
            values.iter().map(|(shape, numbers)| (*shape, &**numbers)).collect();
        take(&values);
        Ok(())
    }
}

/// The pictures of some rows, on their way into a tensor.
struct Fill<'a> {
    gather: &'a Gather,
    rows: &'a [Row<'a>],
    per_image: usize,
}

impl Fill<'_> {
    /// Writes each row's picture to its place in `values` by `convert`, and `blank` behind the last one.
    fn with<T: Copy>(&self, values: &mut [T], blank: T, convert: impl Fn(&Gather, &[u8], &mut [T])) {
        let (used, rest) = values.split_at_mut(self.rows.len() * self.per_image);
        for (slot, row) in used.chunks_exact_mut(self.per_image).zip(self.rows) {
            convert(self.gather, row.rgb, slot);
            if row.mirrored {
                self.gather.mirror(slot);
            }
        }
        rest.fill(blank);
    }
}

/// Checks that the rows have raw pixels of the size that `network` reads.
///
/// # Errors
/// When they have none, or others.
pub fn check_image(input: &Schema, expected: &ImageInput, network: &str) -> Result<(), StageError> {
    let image = field(input, samples::IMAGE)?;
    let found = samples::raw_image_size(image)
        .ok_or_else(|| wrong_type(samples::IMAGE, "raw RGB pixels with their shape", image.data_type()))?;
    let (width, height) = (expected.width, expected.height);
    if found != [width, height] {
        let (network, expected) = (network.to_owned(), [width, height]);
        return Err(NetworkError::ImageSize { network, expected, found }.into());
    }
    Ok(())
}
