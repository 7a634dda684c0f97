//! The columns that name a stretch of a session, row by row.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, StringBuilder};
use schemas::tables::readings::SessionKey;

/// What is said of one stretch.
#[derive(Debug)]
pub(super) struct Stretch<'a> {
    pub sample_id: String,
    pub key: &'a SessionKey,
    pub segment: i32,
    pub activity: Option<&'a str>,
    pub source_file: Option<&'a str>,
    pub start_nanos: i64,
}

/// The columns of `signals::identity_fields`, being filled.
#[derive(Debug, Default)]
pub(super) struct Identities {
    texts: [StringBuilder; 8],
    segment: Vec<i32>,
    start_nanos: Vec<i64>,
}

impl Identities {
    /// Appends a row: copy 0, of no split.
    pub(super) fn push(&mut self, row: Stretch<'_>) {
        let [id, dataset, split, subject, device, session, activity, file] = &mut self.texts;
        id.append_value(row.sample_id);
        dataset.append_value(&row.key.dataset);
        split.append_null();
        subject.append_value(&row.key.subject);
        device.append_value(&row.key.device);
        session.append_value(&row.key.session);
        activity.append_option(row.activity);
        file.append_option(row.source_file);
        self.segment.push(row.segment);
        self.start_nanos.push(row.start_nanos);
    }

    /// The columns in the order of `signals::identity_fields`.
    pub(super) fn into_columns(mut self) -> Vec<ArrayRef> {
        let copies = Int32Array::from(vec![0; self.segment.len()]);
        let [id, dataset, split, subject, device, session, activity, file] =
            self.texts.each_mut().map(|text| -> ArrayRef { Arc::new(text.finish()) });
        vec![
            id,
            Arc::new(copies),
            dataset,
            split,
            subject,
            device,
            session,
            Arc::new(Int32Array::from(self.segment)),
            activity,
            file,
            Arc::new(Int64Array::from(self.start_nanos)),
        ]
    }
}
