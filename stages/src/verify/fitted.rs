//! Mixtures as inputs: one background model, and the models of clients.

use schemas::tables::models::Mixture;

use super::error::VerifyError;
use super::gaussians::Gaussians;
use crate::stage::{Rows, StageError};

/// The only mixture of `rows`.
///
/// # Errors
/// When there is none or more than one, or it is that of a client.
pub fn background(rows: &dyn Rows) -> Result<(Mixture, Gaussians), StageError> {
    let mut all = Vec::new();
    for batch in rows.scan() {
        all.extend(Mixture::from_batch(&batch?)?);
    }
    let found = all.len();
    let [mixture] = <[Mixture; 1]>::try_from(all).map_err(|_| {
        StageError::step(VerifyError::NotOne { model: "background model", input: "background", found })
    })?;
    if let Some(client) = mixture.client {
        return Err(StageError::step(VerifyError::ClientAsBackground { client }));
    }
    let gaussians = Gaussians::try_from(&mixture)?;
    Ok((mixture, gaussians))
}

/// The model of one client.
#[derive(Debug, Clone, PartialEq)]
pub struct Client {
    /// The subject.
    pub name: String,
    /// The subject's split.
    pub split: String,
    /// The subject's mixture.
    pub gaussians: Gaussians,
}

/// The clients of `rows`, in order of split and name; what they share with `background` is kept once.
///
/// # Errors
/// When a row is no client's, or a client comes twice.
pub fn clients(rows: &dyn Rows, background: &Gaussians) -> Result<Vec<Client>, StageError> {
    let mut clients = Vec::new();
    for batch in rows.scan() {
        for mixture in Mixture::from_batch(&batch?)? {
            let gaussians = Gaussians::try_from(&mixture)?.sharing(background);
            let (Some(name), Some(split)) = (mixture.client, mixture.split) else {
                return Err(StageError::step(VerifyError::NoClient));
            };
            clients.push(Client { name, split, gaussians });
        }
    }
    clients.sort_by(|a, b| (&a.split, &a.name).cmp(&(&b.split, &b.name)));
    if let Some(pair) =
        clients.windows(2).find(|pair| pair[0].split == pair[1].split && pair[0].name == pair[1].name)
    {
        let (client, split) = (pair[0].name.clone(), pair[0].split.clone());
        return Err(StageError::step(VerifyError::TwoModels { client, split }));
    }
    Ok(clients)
}
