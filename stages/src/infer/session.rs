//! A session with its tensors, and a pool of them.

use std::sync::{Condvar, Mutex, PoisonError};

use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::session::{IoBinding, Session};
use ort::value::{PrimitiveTensorElementType, Shape, Tensor};

use super::gather::{Gather, Row, center_map};
use super::model_card::{CenterMapInput, Element, ImageInput, Layout, ModelCard};
use crate::StageError;

/// A session, its input and output tensors bound once, for calls of a fixed number of rows.
///
/// Every call has the same number of rows, the last ones blank where fewer are given: kernels are picked by shape,
/// so a row's result would else depend on how many neighbours it happens to have.
pub struct Worker {
    session: Session,
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
    Bytes(Tensor<u8>),
}

/// What a network reads, besides its rows, and gives.
#[derive(Debug)]
pub struct Fed<'a> {
    /// The picture.
    pub image: &'a ImageInput,
    /// The centre map.
    pub center_map: Option<&'a CenterMapInput>,
    /// The places of joints: the input's name, and how many there are.
    pub points: Option<(&'a str, usize)>,
    /// Names of the outputs, in the order in which they are handed out.
    pub outputs: Vec<&'a str>,
}

impl<'a> Fed<'a> {
    /// As a model card says.
    pub fn by(card: &'a ModelCard) -> Self {
        Self {
            image: &card.input,
            center_map: card.center_map.as_ref(),
            points: None,
            outputs: card.outputs.iter().map(|output| output.name.as_str()).collect(),
        }
    }
}

/// What is the matter with the runtime, in words.
fn failure(what: &str, error: &ort::Error) -> StageError {
    StageError::Inference { message: format!("{what}: {error}"), hint: None }
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
) -> Result<Tensor<T>, StageError> {
    Tensor::new(allocator, Shape::new(dimensions.iter().copied()))
        .map_err(|error| failure("cannot allocate a tensor", &error))
}

fn with_rows(mut dimensions: [i64; 4], rows: usize) -> [i64; 4] {
    dimensions[0] = rows as i64;
    dimensions
}

impl Worker {
    /// Binds `session` for calls of `rows` rows. `device` is the card that computes, `None` for the processor.
    ///
    /// Runs the network once on a blank image, to see that it runs and what shapes it gives; the outputs are then
    /// allocated once and bound. Inputs and outputs lie in pinned memory where a card computes.
    ///
    /// # Errors
    /// When the network does not run, or the card does not fit it.
    pub fn new(
        session: Session,
        fed: &Fed<'_>,
        rows: usize,
        device: Option<i32>,
    ) -> Result<Self, StageError> {
        let input = fed.image;
        let (height, width) = (input.height as usize, input.width as usize);
        let dimensions = with_rows(input.dimensions(), rows);
        let allocator = host_allocator(&session, device, MemoryType::CPUInput);
        let image = match input.element {
            Element::Float32 => ImageTensor::Floats(new_tensor(&allocator, &dimensions)?),
            Element::Uint8 => ImageTensor::Bytes(new_tensor(&allocator, &dimensions)?),
        };
        let center_map = match fed.center_map {
            None => None,
            Some(map) => {
                let (h, w) = (height as i64, width as i64);
                let dimensions = match map.layout {
                    Layout::Nchw => [rows as i64, 1, h, w],
                    Layout::Nhwc => [rows as i64, h, w, 1],
                };
                Some((map.clone(), new_tensor::<f32>(&allocator, &dimensions)?))
            }
        };
        let points = match fed.points {
            None => None,
            Some((name, joints)) => {
                let dimensions = [rows as i64, joints as i64, 2];
                Some((name.to_owned(), new_tensor::<f32>(&allocator, &dimensions)?))
            }
        };
        let binding =
            session.create_binding().map_err(|error| failure("cannot bind the network's inputs", &error))?;
        let values_per_image = 3 * height * width;
        let image_name = input.name.clone();
        let mut worker =
            Self { session, binding, image, center_map, points, image_name, rows, values_per_image, width };
        worker.bind_outputs(fed, device)?;
        Ok(worker)
    }

    /// Runs once with outputs of unknown shape, then binds outputs of the shapes that came.
    fn bind_outputs(&mut self, fed: &Fed<'_>, device: Option<i32>) -> Result<(), StageError> {
        let cannot = |error| failure("cannot bind the network's outputs", &error);
        for output in &fed.outputs {
            self.binding.bind_output_to_device(*output, &MemoryInfo::default()).map_err(cannot)?;
        }
        let mut shapes: Vec<Vec<i64>> = Vec::new();
        let gather = Gather::new(fed.image);
        self.run(&gather, &[], |outputs| shapes = outputs.iter().map(|(shape, _)| shape.to_vec()).collect())?;
        self.binding.clear_outputs();
        let allocator = host_allocator(&self.session, device, MemoryType::CPUOutput);
        for (output, shape) in fed.outputs.iter().zip(&shapes) {
            let tensor = new_tensor::<f32>(&allocator, shape)?;
            self.binding.bind_output(*output, tensor).map_err(cannot)?;
        }
        Ok(())
    }

    /// How many rows a call has.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Runs the network on at most [`Self::rows`] rows and hands `take` each output: its dimensions and its values,
    /// in the card's order, of which only the first `rows.len()` mean anything.
    ///
    /// # Errors
    /// When the network fails, or gives something else than float32.
    pub fn run(
        &mut self,
        gather: &Gather,
        rows: &[Row<'_>],
        take: impl FnOnce(&[(&[i64], &[f32])]),
    ) -> Result<(), StageError> {
        assert!(rows.len() <= self.rows, "no more rows than a call has");
        let cannot = |error| failure("cannot bind the network's inputs", &error);
        match &mut self.image {
            ImageTensor::Floats(tensor) => {
                let values = tensor.extract_tensor_mut().1;
                let mut slots = values.chunks_exact_mut(self.values_per_image);
                for (slot, row) in slots.by_ref().zip(rows) {
                    gather.floats(row.rgb, slot);
                    if row.mirrored {
                        gather.mirror(slot);
                    }
                }
                values[rows.len() * self.values_per_image..].fill(0.0);
                self.binding.bind_input(&self.image_name, tensor).map_err(cannot)?;
            }
            ImageTensor::Bytes(tensor) => {
                let values = tensor.extract_tensor_mut().1;
                let mut slots = values.chunks_exact_mut(self.values_per_image);
                for (slot, row) in slots.by_ref().zip(rows) {
                    gather.bytes(row.rgb, slot);
                    if row.mirrored {
                        gather.mirror(slot);
                    }
                }
                values[rows.len() * self.values_per_image..].fill(0);
                self.binding.bind_input(&self.image_name, tensor).map_err(cannot)?;
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
        let outputs = outputs.map_err(|error| failure("the network failed", &error))?;
        let mut values: Vec<(&[i64], &[f32])> = Vec::new();
        for index in 0..outputs.len() {
            let tensor = outputs[index].try_extract_tensor::<f32>();
            let (shape, numbers) = tensor.map_err(|error| failure("cannot read an output", &error))?;
            values.push((shape, numbers));
        }
        take(&values);
        Ok(())
    }
}

/// Workers that threads borrow in turn.
pub struct Pool<W = Worker> {
    idle: Mutex<Vec<W>>,
    returned: Condvar,
}

impl<W> Pool<W> {
    /// A pool of `workers`, at least one.
    pub fn new(workers: Vec<W>) -> Self {
        assert!(!workers.is_empty(), "a pool has workers");
        Self { idle: Mutex::new(workers), returned: Condvar::new() }
    }

    /// Calls `work` with a worker that nobody else uses meanwhile, waiting for one if need be.
    pub fn with<T>(&self, work: impl FnOnce(&mut W) -> T) -> T {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let worker = loop {
            match idle.pop() {
                Some(worker) => break worker,
                None => idle = self.returned.wait(idle).unwrap_or_else(PoisonError::into_inner),
            }
        };
        drop(idle);
        let mut borrowed = Borrowed { pool: self, worker: Some(worker) };
        work(borrowed.worker.as_mut().expect("held until dropped"))
    }
}

/// Gives the worker back even where the work panics.
struct Borrowed<'a, W> {
    pool: &'a Pool<W>,
    worker: Option<W>,
}

impl<W> Drop for Borrowed<'_, W> {
    fn drop(&mut self) {
        if let Some(worker) = self.worker.take() {
            self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
            self.pool.returned.notify_one();
        }
    }
}
