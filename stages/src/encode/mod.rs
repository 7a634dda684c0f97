//! Training targets and stored pictures: Gaussian maps, centre maps, encoded images.
