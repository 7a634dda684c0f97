//! An array as a file stores it, and its arrangement by people, joints and coordinates.

use super::{Options, Predictions};

/// Rule of [`Order::parse`], for messages.
pub(super) const AXES_RULE: &str = "the axes must be the letters `n`, `j` and `c`, each once";

/// All orders of the axes.
const ORDERS: [&str; 6] = ["njc", "ncj", "jnc", "jcn", "cnj", "cjn"];

/// An array.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stored {
    /// Size along each dimension, as the program that wrote it shows them.
    pub dims: Vec<usize>,
    /// The numbers.
    pub values: Vec<f64>,
    /// Whether the first index runs fastest.
    pub column_major: bool,
    /// Whether last dimensions of size one are left out, as MATLAB does: 2 x 16 is 2 x 16 x 1.
    pub drops_ones: bool,
}

/// Which axis holds people, joints and coordinates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Order {
    pub people: usize,
    pub joints: usize,
    pub coordinates: usize,
}

impl Order {
    pub(super) fn parse(axes: &str) -> Option<Self> {
        let find = |letter| axes.find(letter);
        let order = Self { people: find('n')?, joints: find('j')?, coordinates: find('c')? };
        (axes.len() == 3).then_some(order)
    }
}

/// How to find coordinate `c` of joint `j` of person `n`: their steps in the values.
struct Strides {
    people: usize,
    coordinates: usize,
    steps: [usize; 3],
}

impl Stored {
    /// How the axes of `order` lie, for `joints` joints and 2 or 3 coordinates: each in a dimension of its own, or joints and
    /// coordinates in one, in their order, the last of them fastest. A single person needs no dimension.
    fn strides(&self, order: Order, joints: usize) -> Option<Strides> {
        let mut dims = self.dims.clone();
        if self.values.len() != dims.iter().try_fold(1_usize, |count, size| count.checked_mul(*size))? {
            return None;
        }
        if self.drops_ones && dims.len() == 2 {
            dims.push(1);
        } else if dims.len() == 2 && order.people < 3 {
            dims.insert(order.people, 1);
        }
        let apart =
            (dims.len() == 3 && dims[order.joints] == joints && [2, 3].contains(&dims[order.coordinates]))
                .then(|| {
                    let steps = self.steps(&dims);
                    Strides {
                        people: dims[order.people],
                        coordinates: dims[order.coordinates],
                        steps: [steps[order.people], steps[order.joints], steps[order.coordinates]],
                    }
                });
        apart.or_else(|| self.joined(order, joints))
    }

    /// As [`Self::strides`], of two dimensions: people, and all numbers of a person.
    fn joined(&self, order: Order, joints: usize) -> Option<Strides> {
        let [first, second] = self.dims[..] else { return None };
        let (people, row, at) = match order.people {
            0 => (first, second, 0),
            2 => (second, first, 1),
            _ => return None,
        };
        let coordinates = [2, 3].into_iter().find(|count| count * joints == row)?;
        let steps = self.steps(&self.dims);
        let (person, number) = (steps[at], steps[1 - at]);
        let inner = if order.joints < order.coordinates { [coordinates, 1] } else { [1, joints] };
        Some(Strides { people, coordinates, steps: [person, inner[0] * number, inner[1] * number] })
    }

    /// The step of each dimension.
    fn steps(&self, dims: &[usize]) -> Vec<usize> {
        let before = |axis: usize| dims[..axis].iter().product();
        let after = |axis: usize| dims[axis + 1..].iter().product();
        (0..dims.len()).map(|axis| if self.column_major { before(axis) } else { after(axis) }).collect()
    }

    /// The orders of axes in which the sizes fit `joints` joints, for hints.
    pub(super) fn fitting(&self, joints: usize) -> Vec<&'static str> {
        let fits =
            |axes: &&str| Order::parse(axes).is_some_and(|order| self.strides(order, joints).is_some());
        ORDERS.into_iter().filter(fits).collect()
    }

    /// The predictions, in pixels from 0; `None` where the sizes do not fit.
    pub(super) fn arranged(&self, order: Order, options: &Options) -> Option<Predictions> {
        let joints = options.skeleton.len();
        let Strides { people, coordinates, steps } = self.strides(order, joints)?;
        let at = |person: usize, joint: usize, coordinate: usize| {
            self.values[person * steps[0] + joint * steps[1] + coordinate * steps[2]]
        };
        let first = options.first_pixel;
        let point = |n: usize, j: usize| [at(n, j, 0) - first, at(n, j, 1) - first];
        let keypoints = (0..people).map(|n| (0..joints).map(|j| point(n, j)).collect()).collect();
        let scores = || (0..people).map(|n| (0..joints).map(|j| at(n, j, 2)).collect()).collect();
        Some(Predictions { keypoints, score: (coordinates == 3).then(scores) })
    }
}
