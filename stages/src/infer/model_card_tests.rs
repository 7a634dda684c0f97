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
    stage = 1
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
    assert!(complaint("background = 9", "background = 10").contains("no index of its 10 channels"));
    assert!(complaint("stage = 1", "stage = 0").contains("counts from 1"));
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
    assert_eq!(card.outputs[0].kept_channels().collect::<Vec<_>>(), (0..9).collect::<Vec<_>>());
}
