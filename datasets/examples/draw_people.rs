//! Writes a synthetic data set: `draw_people (mpii|lsp|lspet|flic) FOLDER [IMAGES] [SEED]`.

#![expect(clippy::print_stdout, reason = "an example talks to whoever started it")]

use std::error::Error;
use std::path::Path;

use datasets::synthetic::{Options, write_flic, write_lsp, write_lspet, write_mpii};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [format, folder, rest @ ..] = &words[..] else {
        return Err("usage: draw_people (mpii|lsp|lspet|flic) FOLDER [IMAGES] [SEED]".into());
    };
    let images = rest.first().map_or(Ok(12), |word| word.parse())?;
    let seed = rest.get(1).map_or(Ok(1), |word| word.parse())?;
    let of = |width, height| Options { images, seed, width, height };
    let folder = Path::new(folder);
    let written = match format.as_str() {
        "mpii" => write_mpii(folder, &of(1280, 720))?,
        "lsp" => write_lsp(folder, &of(280, 260))?,
        "lspet" => write_lspet(folder, &of(300, 270))?,
        "flic" => write_flic(folder, &of(720, 480))?,
        other => return Err(format!("no format is called `{other}`").into()),
    };
    println!("{} images, {} people, {} bytes", written.images, written.people, written.image_bytes);
    Ok(())
}
