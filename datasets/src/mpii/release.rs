//! The annotation as published: the struct `RELEASE`.

use schemas::Visibility;
use schemas::skeleton::MPII16;
use schemas::tables::crowd;
use schemas::tables::people::{Person, Pose};
use serde_json::{Map, Value as Json, json};

use super::{DATASET, Fault, Found, Origin, SHAPE, stated_center, stated_scale};
use crate::matlab::{AccessError, Node, Row, Value, variable};
use crate::pictures::TwoFiles;
use crate::unique_ids::UniqueIds;
use crate::{Annotations, ReadError};

/// Fields of an `annorect` that have columns of their own.
const RECT_FIELDS: [&str; 7] = ["x1", "y1", "x2", "y2", "annopoints", "scale", "objpos"];
/// Fields of an `annolist` that are read by name.
const IMAGE_FIELDS: [&str; 4] = ["image", "annorect", "frame_sec", "vididx"];

/// Every rectangle of every image of `variables`.
pub(super) fn read(source: &Origin<'_>, variables: &[(String, Value)]) -> Result<Found, ReadError> {
    let in_file = |error: AccessError| error.in_file(source.path);
    let release = variable(variables, "RELEASE").and_then(|node| node.row()).map_err(in_file)?;
    let images = release.require("annolist").and_then(|node| node.rows()).map_err(in_file)?;
    let tables = Tables::read(&release, images.len()).map_err(in_file)?;

    let mut ids = UniqueIds::default();
    let annotations =
        Annotations { skeleton: &MPII16, people: Vec::new(), images: images.len(), rejects: Vec::new() };
    let mut found = Found { annotations, names: Vec::new(), numbered: true };
    for (index, image) in images.iter().enumerate() {
        read_image(source, &tables, index, image, &mut ids, &mut found);
    }
    Ok(found)
}

/// The arrays beside `annolist`, each with one entry an image, where the file has them.
struct Tables<'a> {
    train: Vec<f64>,
    single_person: Vec<Node<'a>>,
    activities: Vec<Row<'a>>,
    videos: Vec<Node<'a>>,
}

impl<'a> Tables<'a> {
    fn read(release: &Row<'a>, images: usize) -> Result<Self, AccessError> {
        let train = release.require("img_train")?;
        let numbers = train.numbers()?;
        if numbers.len() != images {
            return Err(train.refuse(format!("one number for each of {images} images")));
        }
        let cells = |name: &str| release.filled(name).map_or(Ok(Vec::new()), |node| node.cells());
        Ok(Self {
            train: numbers,
            single_person: cells("single_person")?,
            activities: release.filled("act").map_or(Ok(Vec::new()), |node| node.rows())?,
            videos: cells("video_list")?,
        })
    }
}

fn read_image(
    source: &Origin<'_>,
    tables: &Tables<'_>,
    index: usize,
    image: &Row<'_>,
    ids: &mut UniqueIds,
    found: &mut Found,
) {
    let record = format!("annolist({})", index + 1);
    let rects = image.get("annorect").map_or(Ok(Vec::new()), |node| node.rows());
    let name = image.require("image").and_then(|node| node.row()).and_then(|row| row.require("name")?.text());
    let about = About::read(tables, index, image);
    let picture = name.as_ref().ok().map(|name| source.pictures.find(name)).transpose();
    let (rects, name, about, picture) = match (rects, name, about, picture) {
        (Ok(rects), Ok(name), Ok(about), Ok(Some(picture))) => (rects, name, about, picture),
        (rects, name, about, picture) => {
            // One reject for each person that is lost with the image.
            let lost = rects.as_ref().map_or(1, |rects| rects.len().max(1));
            let first = name.err().or(rects.err()).map(Fault::from).or(about.err());
            let two = picture.err().map(|two| Fault { reason: TwoFiles::REASON, detail: two.to_string() });
            let first = first.or(two).unwrap_or_else(|| Fault { reason: SHAPE, detail: String::new() });
            let fault = || Fault { reason: first.reason, detail: first.detail.clone() };
            let rejects = (0..lost).map(|_| source.reject(None, record.clone(), fault()));
            found.annotations.rejects.extend(rejects);
            return;
        }
    };
    let split = if tables.train[index] == 0.0 { "test" } else { "train" };
    let blank = |person_index, record| Person {
        split: split.to_owned(),
        activity: about.activity.clone(),
        ..source.person_at(&picture, person_index, record)
    };
    if rects.is_empty() {
        let mut person = blank(None, record);
        person.sample_id = ids.of(DATASET, &name, None);
        person.attributes = Some(Json::Object(about.attributes.clone()).to_string());
        found.annotations.people.push(person);
        found.names.push(name);
        return;
    }

    let first = found.annotations.people.len();
    for (number, rect) in rects.iter().enumerate() {
        let record = format!("{record}.annorect({})", number + 1);
        let mut person = blank(Some(number as i32), record.clone());
        person.sample_id = ids.of(DATASET, &name, person.person_index);
        match fill(&mut person, rect, &about, number + 1) {
            Ok(()) => {
                found.annotations.people.push(person);
                found.names.push(name.clone());
            }
            Err(fault) => {
                found.annotations.rejects.push(source.reject(Some(person.sample_id), record, fault));
            }
        }
    }
    crowd::fill_others(&mut found.annotations.people[first..]);
}

/// What is said of the whole image.
struct About {
    activity: Option<String>,
    attributes: Map<String, Json>,
    /// Numbers, from 1, of the people far enough from others to be scored alone.
    single_person: Option<Vec<f64>>,
}

impl About {
    fn read(tables: &Tables<'_>, index: usize, image: &Row<'_>) -> Result<Self, Fault> {
        let mut attributes = Map::new();
        let mut activity = None;
        if let Some(act) = tables.activities.get(index) {
            activity = act.filled("act_name").map(|node| words(&node)).transpose()?;
            if let Some(category) = act.filled("cat_name") {
                attributes.insert("cat_name".into(), words(&category)?.into());
            }
            add_filled(&mut attributes, act, "act_id");
        }
        add_filled(&mut attributes, image, "frame_sec");
        add_filled(&mut attributes, image, "vididx");
        if let Some(node) = image.filled("vididx") {
            let number = node.number()?;
            let index = (number.fract() == 0.0 && number >= 1.0).then_some(number as usize);
            if let Some(video) = index.and_then(|index| tables.videos.get(index - 1)) {
                attributes.insert("video".into(), video.text()?.into());
            }
        }
        for name in image.fields().iter().filter(|name| !IMAGE_FIELDS.contains(&name.as_str())) {
            add_filled(&mut attributes, image, name);
        }
        let single_person = tables.single_person.get(index).map(Node::numbers).transpose()?;
        Ok(Self { activity, attributes, single_person })
    }
}

/// The text of a string, or of a cell array of strings joined by `; `.
fn words(node: &Node<'_>) -> Result<String, AccessError> {
    match node.value() {
        Value::Cell { .. } => {
            Ok(node.cells()?.iter().map(Node::text).collect::<Result<Vec<_>, _>>()?.join("; "))
        }
        _ => node.text(),
    }
}

fn add_filled(attributes: &mut Map<String, Json>, row: &Row<'_>, name: &str) {
    if let Some(node) = row.filled(name) {
        attributes.insert(name.to_owned(), node.value().to_json());
    }
}

/// Puts into `person` what `rect`, the `number`-th of its image from 1, says.
fn fill(person: &mut Person, rect: &Row<'_>, about: &About, number: usize) -> Result<(), Fault> {
    let mut unstated = Vec::new();
    let points = rect.filled("annopoints").map(|node| node.row()).transpose()?;
    if let Some(points) = points.and_then(|points| points.filled("point")) {
        (person.pose, unstated) = read_pose(&points)?;
    }
    if let Some(objpos) = rect.filled("objpos") {
        let objpos = objpos.row()?;
        let at = |name: &str| finite(&objpos.require(name)?);
        person.center =
            stated_center(Some([at("x")?, at("y")?])).map(|center| center.map(|value| value - 1.0));
    }
    if let Some(scale) = rect.filled("scale") {
        person.scale = stated_scale(Some(finite(&scale)?));
    }
    if ["x1", "y1", "x2", "y2"].iter().all(|name| rect.filled(name).is_some()) {
        let at = |name: &str| coordinate(rect, name);
        person.head_box = Some([at("x1")?, at("y1")?, at("x2")?, at("y2")?]);
    }

    let mut attributes = about.attributes.clone();
    if let Some(single) = &about.single_person {
        attributes.insert("single_person".into(), single.contains(&(number as f64)).into());
    }
    if !unstated.is_empty() {
        attributes.insert("visibility_unstated".into(), json!(unstated));
    }
    for name in rect.fields().iter().filter(|name| !RECT_FIELDS.contains(&name.as_str())) {
        add_filled(&mut attributes, rect, name);
    }
    person.attributes = Some(Json::Object(attributes).to_string());
    Ok(())
}

/// The pose, and the ids of the joints whose visibility is not stated.
fn read_pose(points: &Node<'_>) -> Result<(Pose, Vec<usize>), Fault> {
    let (mut pose, mut unstated) = (Pose::unknown(MPII16.len()), Vec::new());
    for point in points.rows()? {
        let id = finite(&point.require("id")?)?;
        if id.fract() != 0.0 || !(0.0..MPII16.len() as f64).contains(&id) {
            let detail = format!("`{}.id` must be 0 to 15, found {id}", point.place());
            return Err(Fault { reason: "joint id out of range", detail });
        }
        let id = id as usize;
        if pose.visibility[id].is_annotated() {
            let detail = format!("`{}.id` is {id}, which came before", point.place());
            return Err(Fault { reason: "joint given twice", detail });
        }
        let visibility = if let Some(node) = point.filled("is_visible") {
            visibility(&node)?
        } else {
            unstated.push(id);
            Visibility::Visible
        };
        pose.set(id, [coordinate(&point, "x")?, coordinate(&point, "y")?], visibility);
    }
    unstated.sort_unstable();
    Ok((pose, unstated))
}

/// A number or a character, 0 or 1.
fn visibility(node: &Node<'_>) -> Result<Visibility, AccessError> {
    match (node.value().as_f64(), node.value().as_str().as_deref()) {
        (Some(0.0), _) | (_, Some("0")) => Ok(Visibility::Occluded),
        (Some(1.0), _) | (_, Some("1")) => Ok(Visibility::Visible),
        _ => Err(node.refuse("0 or 1")),
    }
}

/// The coordinate `name` of `row`, brought from 1 to 0.
fn coordinate(row: &Row<'_>, name: &str) -> Result<f64, Fault> {
    Ok(finite(&row.require(name)?)? - 1.0)
}

fn finite(node: &Node<'_>) -> Result<f64, Fault> {
    let number = node.number()?;
    if number.is_finite() {
        Ok(number)
    } else {
        Err(Fault::not_finite(format!("`{}` is {number}", node.place())))
    }
}
