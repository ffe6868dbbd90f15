//! G of the first layer over the pixels of a digit.

use super::svg;
use crate::run::Live;
use gdstar::Result;
use gdstar::data::digits::SHAPE;
use gdstar::explain::number;

/// The shades that the page has, the palest first.
const SHADES: f64 = 7.0;

/// A square a pixel: the mean G of the weights that see it.
pub fn draw(live: &Live, k: usize, _: usize) -> Result<String> {
    let [_, rows, columns] = SHAPE;
    let pixels = rows * columns;
    // fc1.weight is the first parameter, [300, 64].
    let fc1 = live.place_count(0);
    let neurons = fc1 / pixels;
    let epoch = live.epoch(k)?;
    let mean = |p: usize| (0..neurons).map(|i| f64::from(epoch.g[i * pixels + p])).sum::<f64>() / neurons as f64;
    let means: Vec<f64> = (0..pixels).map(mean).collect();
    let largest = means.iter().copied().fold(0.0, f64::max);
    let blank = means.iter().filter(|&&g| g == 0.0).count();
    let size = 40.0;
    let mut inside = String::new();
    for (p, &g) in means.iter().enumerate() {
        let (x, y) = ((p % columns) as f64 * size, (p / columns) as f64 * size);
        let shade = if g > 0.0 { (g / largest * SHADES).ceil() } else { 0.0 };
        inside += &format!(
            r#"<rect class="shade{shade}" x="{x}" y="{y}" width="{size}" height="{size}"><title>pixel row {}, column {}: mean G {}</title></rect>"#,
            p / columns,
            p % columns,
            number(g),
        );
        if g == 0.0 {
            inside +=
                &format!(r#"<text x="{}" y="{}" text-anchor="middle">0</text>"#, x + size / 2.0, y + size / 2.0 + 4.0);
        }
    }
    let told = format!(
        "Map of the 8 by 8 pixels after epoch {k}, each shaded by the mean G of the {neurons} weights that see it. Largest {}; {blank} pixels have exactly 0.",
        number(largest)
    );
    Ok(svg(size * columns as f64, size * rows as f64, &told, &inside))
}
