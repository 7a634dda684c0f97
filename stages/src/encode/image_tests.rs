use super::*;
use arrow::array::Int32Array;
use arrow::datatypes::Field;
use datasets::pixels::{Limits, Reduction, decode};
use schemas::tables::samples::raw_image_field;

fn batch(images: &[Vec<u8>]) -> RecordBatch {
    let schema = Schema::new(vec![
        Field::new("sample_id", DataType::Utf8, false),
        Field::new(COPY, DataType::Int32, false),
        raw_image_field(20, 10),
    ]);
    let ids: ArrayRef =
        Arc::new(StringArray::from_iter_values((0..images.len()).map(|at| format!("set-{at}"))));
    let copies: ArrayRef = Arc::new(Int32Array::from_iter_values(0..images.len() as i32));
    let image: ArrayRef = Arc::new(BinaryArray::from_iter_values(images));
    RecordBatch::try_new(Arc::new(schema), vec![ids, copies, image]).unwrap()
}

fn stage(plan: &str) -> EncodeImage {
    #[derive(Deserialize)]
    struct Plan {
        run: EncodeImageConfig,
    }
    let context = BuildContext { name: "encode_image".into(), seed: 1, threads: 1, folder: ".".into() };
    toml::from_str::<Plan>(plan).unwrap().run.build(&context)
}

fn picture(seed: u8) -> Vec<u8> {
    (0..600u32).map(|at| (at / 3) as u8 ^ seed).collect()
}

#[test]
fn a_png_in_the_table_decodes_to_the_same_pixels() {
    let images = [picture(0), picture(9)];
    let stage = stage("run = 'png'");
    let input = batch(&images);
    let out = stage.run(&input).unwrap();
    assert_eq!(out.rows.schema(), stage.output_schema(&input.schema()).unwrap());
    assert!(out.rejects.is_empty());
    let image = out.rows.column_by_name(IMAGE).unwrap().as_struct();
    let (bytes, paths) = (image.column(0).as_binary::<i32>(), image.column(1).as_string::<i32>());
    assert_eq!([paths.value(0), paths.value(1)], ["set-0.png", "set-1-copy1.png"]);
    for (row, pixels) in images.iter().enumerate() {
        let decoded = decode(bytes.value(row), &Limits::default(), Reduction::Whole).unwrap();
        assert!(decoded.rgb == *pixels && decoded.width == 20);
    }
}

#[test]
fn quality_is_checked_and_makes_files_smaller() {
    let length = |plan: &str| {
        let out = stage(plan).run(&batch(&[picture(3)])).unwrap().rows;
        out.column_by_name(IMAGE).unwrap().as_struct().column(0).as_binary::<i32>().value(0).len()
    };
    assert!(length("run.jpeg.quality = 20") < length("run.jpeg = {}"));
    let error =
        toml::from_str::<toml::Table>("quality = 0").unwrap()["quality"].clone().try_into::<Quality>();
    assert!(error.unwrap_err().to_string().contains("from 1 to 100, found `0`"));
}

#[test]
fn a_row_of_another_length_is_rejected() {
    let out = stage("run = 'png'").run(&batch(&[picture(3), vec![1, 2, 3]])).unwrap();
    assert_eq!((out.rows.num_rows(), out.rejects.len()), (1, 1));
    assert_eq!(out.rejects[0].sample_id.as_deref(), Some("set-1"));
    assert_eq!(out.rejects[0].reason, "image not encoded");
}

#[test]
fn a_table_without_raw_pixels_is_refused() {
    let schema =
        Arc::new(Schema::new(vec![Field::new("sample_id", DataType::Utf8, false), encoded_image_field()]));
    let error = stage("run = 'png'").output_schema(&schema).unwrap_err().to_string();
    assert!(error.starts_with("column `image` must be raw pixels of `warp`"), "{error}");
}
