//! Mixtures as they come in: one background model, and the models of clients.

use schemas::tables::models::Mixture;

use super::gaussians::Gaussians;
use crate::stage::{Rows, StageError};

/// The only mixture of `rows`.
///
/// # Errors
/// When there is none or more than one, or it is that of a client.
pub fn background(rows: &dyn Rows) -> Result<(Mixture, Gaussians), StageError> {
    let hint = "name the output of one `fit_background` as the input `background`";
    let mut all = Vec::new();
    for batch in rows.scan() {
        all.extend(Mixture::from_batch(&batch?)?);
    }
    let [mixture] = <[Mixture; 1]>::try_from(all).map_err(|all| {
        StageError::data(format!("there must be one background model, found {}", all.len()), hint)
    })?;
    if let Some(client) = &mixture.client {
        return Err(StageError::data(format!("the background model is that of client `{client}`"), hint));
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
                return Err(StageError::data(
                    "a row of `clients` has no client or no split",
                    "name the output of `adapt` as the input `clients`",
                ));
            };
            clients.push(Client { name, split, gaussians });
        }
    }
    clients.sort_by(|a, b| (&a.split, &a.name).cmp(&(&b.split, &b.name)));
    if let Some(pair) =
        clients.windows(2).find(|pair| pair[0].split == pair[1].split && pair[0].name == pair[1].name)
    {
        return Err(StageError::data(
            format!("client `{}` of split `{}` has two models", pair[0].name, pair[0].split),
            "adapt each client once",
        ));
    }
    Ok(clients)
}
