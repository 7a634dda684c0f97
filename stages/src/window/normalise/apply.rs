//! `apply_normaliser`: signals normalised by fitted means and deviations.

use std::collections::HashMap;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use schemas::columns::{field, strings};
use schemas::tables::models::{Normaliser, normaliser_schema};
use schemas::tables::rejects::Reject;
use schemas::tables::signals::CHANNELS_KEY;
use serde::{Deserialize, Serialize};

use super::super::columns::{Samples, check_signals, check_type, every_column, map_samples};
use super::super::error::WindowError;
use super::moments::standardise;
use crate::stage::{AllRows, BuildContext, Gathered, Give, Number, Rows, StageError, reject, take_rows};

/// Keys of the stage `apply_normaliser`: none.
///
/// ```
/// let config: stages::window::ApplyNormaliserConfig = toml::from_str("")?;
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplyNormaliserConfig {}

impl ApplyNormaliserConfig {
    /// Builds the stage.
    pub fn build(&self, context: &BuildContext) -> ApplyNormaliser {
        ApplyNormaliser { name: context.name.clone() }
    }
}

/// Normalises each signal by the normaliser of its device, or by the one for all; batch by batch, in order.
///
/// A channel whose deviation is 0 is only centred. A row whose device has no normaliser is rejected.
#[derive(Debug, Clone)]
pub struct ApplyNormaliser {
    name: String,
}

impl ApplyNormaliser {
    /// `batch` normalised, and the rows that are not.
    fn apply(
        &self,
        batch: &RecordBatch,
        models: &HashMap<String, Normaliser>,
    ) -> Result<(RecordBatch, Vec<Reject>), StageError> {
        let devices = strings(batch, "device")?;
        let (mut kept, mut chosen, mut rejects) = (Vec::new(), Vec::new(), Vec::new());
        for row in 0..batch.num_rows() {
            let device = devices.value(row);
            if let Some(model) = models.get(device).or_else(|| models.get("")) {
                kept.push(row);
                chosen.push(model);
            } else {
                let detail = format!("device `{device}`; {} devices have one", models.len());
                rejects.push(reject(batch, row, &self.name, "no normaliser for the device", detail));
            }
        }
        let rows = map_samples(&take_rows(batch, &kept)?, Samples::Signal, |row, signal| {
            standardise(signal, &chosen[row].mean, &chosen[row].deviation);
        })?;
        Ok((rows, rejects))
    }
}

/// The models of all rows, by group.
fn models(rows: &dyn Rows) -> Result<HashMap<String, Normaliser>, StageError> {
    let mut models = HashMap::new();
    for batch in rows.scan() {
        for model in Normaliser::from_batch(&batch?)? {
            if let Some(Normaliser { group: device, .. }) = models.insert(model.group.clone(), model) {
                return Err(StageError::step(WindowError::TwoNormalisers { device }));
            }
        }
    }
    Ok(models)
}

impl AllRows for ApplyNormaliser {
    type Count = Number<2>;

    const INPUTS: &'static [&'static str; 2] = &["signals", "normalisers"];

    fn needed_columns(&self, input: usize, schema: &SchemaRef) -> Result<Vec<usize>, StageError> {
        if input == 0 {
            check_signals(schema)?;
        } else {
            field(schema, "group")?;
        }
        Ok(every_column(schema))
    }

    fn output_schema(&self, [signals, normalisers]: [&SchemaRef; 2]) -> Result<SchemaRef, StageError> {
        let channels = check_signals(signals)?;
        let wanted = normaliser_schema(signals, channels.len());
        wanted.fields().iter().try_for_each(|wanted| check_type(normalisers, wanted))?;
        let fitted = normalisers.metadata().get(CHANNELS_KEY);
        if fitted.is_some_and(|fitted| *fitted != channels.join(",")) {
            let (fitted, found) = (fitted.cloned().unwrap_or_default(), channels.join(","));
            return Err(StageError::step(WindowError::OtherChannels { fitted, found }));
        }
        Ok(signals.clone())
    }

    fn run(
        &self,
        [signals, normalisers]: [&dyn Rows; 2],
        _run: &str,
        give: &mut Give<'_>,
    ) -> Result<Gathered, StageError> {
        self.output_schema([&signals.schema(), &normalisers.schema()])?;
        let models = models(normalisers)?;
        let mut gathered = Gathered::default();
        for batch in signals.scan() {
            let (rows, rejects) = self.apply(&batch?, &models)?;
            gathered.rejects.extend(rejects);
            give(rows)?;
        }
        Ok(gathered)
    }
}
