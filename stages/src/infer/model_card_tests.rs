//! Cards that contradict themselves, and what is said of them.

use super::*;

const CARD: &str = r#"
    name = "tiny"
    skeleton = "flic9"
    [input]
    name = "image"
    layout = "nchw"
    colour = "rgb"
    element = "uint8"
    width = 8
    height = 8
    [[outputs]]
    name = "maps"
    kind = "heatmaps"
    layout = "nchw"
    head = 1
    stride = 4.0
    origin = 1.5
    channels = 10
    background = 9
"#;

fn complaint(from: &str, to: &str) -> String {
    assert!(CARD.contains(from), "{from}");
    toml::from_str::<ModelCard>(&CARD.replace(from, to)).unwrap().validate().unwrap_err().to_string()
}

#[test]
fn a_card_that_contradicts_itself_is_refused() {
    toml::from_str::<ModelCard>(CARD).unwrap().validate().unwrap();
    assert!(complaint("flic9", "cpm14").contains("keeps 9 channels, but skeleton `cpm14` has 14 joints"));
    assert!(complaint("flic9", "mpii").contains("no skeleton is called `mpii`"));
    assert!(complaint("background = 9", "background = 10").contains("not an index of its 10 channels"));
    assert!(complaint("head = 1", "head = 0").contains("counts from 1"));
    assert!(complaint("height = 8", "height = 8\nmean = [1.0, 1.0, 1.0]").contains("not normalised"));
    assert!(complaint("height = 8", "height = 8\nstd = [1.0, 0.0, 1.0]").contains("must be positive"));
    assert!(complaint("stride = 4.0", "stride = nan").contains("give no place"));
}

#[test]
fn a_misspelt_key_names_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.toml");
    std::fs::write(&path, CARD.replace("layout = \"nchw\"\n    colour", "order = \"nchw\"\n    colour"))
        .unwrap();
    let message = ModelCard::read(&path).unwrap_err().to_string();
    assert!(message.contains("unknown field `order`") && message.contains("line 6"), "{message}");
    assert!(message.contains("tiny.toml"), "{message}");
}

#[test]
fn a_card_survives_writing_and_reading() {
    let card: ModelCard = toml::from_str(CARD).unwrap();
    assert_eq!(toml::from_str::<ModelCard>(&toml::to_string(&card).unwrap()).unwrap(), card);
    let Output::Heatmaps(output) = &card.outputs[0] else { panic!("heatmaps") };
    assert_eq!(output.kept_channels().collect::<Vec<_>>(), (0..9).collect::<Vec<_>>());
}

#[test]
fn a_card_of_an_earlier_version_is_read() {
    let earlier = CARD.replace("head = 1", "stage = 1");
    assert_eq!(toml::from_str::<ModelCard>(&earlier).unwrap(), toml::from_str::<ModelCard>(CARD).unwrap());
}

fn tiny() -> ModelCard {
    toml::from_str(include_str!("../../testdata/models/nchw.toml")).unwrap()
}

fn declared(name: &str, element: &str, dimensions: &[i64]) -> Port {
    Port { name: name.to_owned(), element: element.to_owned(), dimensions: dimensions.to_vec() }
}

fn outputs() -> Vec<Port> {
    vec![declared("stage_1", "float32", &[-1, 10, 4, 6]), declared("stage_2", "float32", &[-1, 10, -1, -1])]
}

#[test]
fn rows_are_fixed_or_free() {
    let free = [declared("image", "float32", &[-1, 3, 8, 12])];
    assert_eq!(tiny().check_ports(&free, &outputs()).unwrap(), None);
    let fixed = [declared("image", "float32", &[4, 3, -1, -1])];
    assert_eq!(tiny().check_ports(&fixed, &outputs()).unwrap(), Some(4));
}

#[test]
fn a_mismatch_says_what_was_expected_and_found() {
    let message =
        |inputs: &[Port], outputs: &[Port]| tiny().check_ports(inputs, outputs).unwrap_err().to_string();
    let image = declared("image", "float32", &[-1, 3, 8, 12]);
    let nhwc = message(&[declared("image", "float32", &[-1, 8, 12, 3])], &outputs());
    assert_eq!(
        nhwc,
        "input `image`: the card expects float32 [?, 3, 8, 12], the network has float32 [?, 8, 12, 3]"
    );
    let bytes = message(&[declared("image", "uint8", &[-1, 3, 8, 12])], &outputs());
    assert!(bytes.contains("the network has uint8"), "{bytes}");
    let renamed = message(&[declared("x", "float32", &[-1, 3, 8, 12])], &outputs());
    assert_eq!(renamed, "the card names input `image`, but the network has `x`");
    let extra = message(&[image.clone(), declared("y", "float32", &[1])], &outputs());
    assert!(extra.contains("an input `y` (float32 [1])"), "{extra}");
    let few = message(&[image], &[declared("stage_1", "float32", &[-1, 9, 4, 6])]);
    assert!(few.contains("expects float32 [?, 10, ?, ?], the network has float32 [?, 9, 4, 6]"), "{few}");
}

#[test]
fn maps_must_cover_the_input() {
    let card = tiny();
    let Output::Heatmaps(output) = &card.outputs[0] else { panic!("heatmaps") };
    let size = |dimensions: &[i64]| output.map_size(&card.input, 2, dimensions);
    assert_eq!(output.stride, 2.0);
    assert_eq!(size(&[2, 10, 4, 6]).unwrap(), [4, 6]);
    assert!(size(&[1, 10, 4, 6]).unwrap_err().to_string().contains("2 rows of 10 maps"));
    assert!(size(&[2, 10, 8, 12]).unwrap_err().to_string().contains("makes about 4.0 map px, a run gave 8"));
    assert!(size(&[2, 10]).is_err());
}

#[test]
fn a_card_may_name_the_file_of_its_skeleton_beside_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.toml");
    std::fs::write(&path, CARD.replace("flic9", "own/robot.toml")).unwrap();
    let message = ModelCard::read(&path).unwrap_err().to_string();
    assert!(message.contains("robot.toml`") && message.contains("tiny.toml`"), "{message}");
    std::fs::create_dir(folder.path().join("own")).unwrap();
    let robot = |joints: usize| {
        let names: Vec<String> = (0..joints).map(|joint| format!("'j{joint}'")).collect();
        let text = format!("name = 'robot'\njoints = [{}]", names.join(", "));
        std::fs::write(folder.path().join("own/robot.toml"), text).unwrap();
    };
    robot(9);
    assert_eq!(ModelCard::read(&path).unwrap().skeleton().unwrap().joints[8], "j8");
    robot(8);
    let message = ModelCard::read(&path).unwrap_err().to_string();
    assert!(message.contains("keeps 9 channels") && message.contains("has 8 joints"), "{message}");
}
