//! One kind of input each.

pub(crate) mod boxes;
pub(crate) mod cards;
pub(crate) mod coco;
pub(crate) mod coco_results;
pub(crate) mod csv_logs;
pub(crate) mod hdf5;
pub(crate) mod hmog;
pub(crate) mod matlab;
pub(crate) mod mpii_json;
pub(crate) mod pictures;
pub(crate) mod plan;
pub(crate) mod posetrack;
pub(crate) mod predictions;
pub(crate) mod skeletons;
pub(crate) mod table;
pub(crate) mod trials;
pub(crate) mod yolo;
