//! What the model says about ResNet50 on ImageNet, which nobody has measured here.

use super::{CostModel, Work, peak_bytes};
use gdstar::Result;
use gdstar::kernel::Window;
use gdstar::nn::{Layer, Network, models};

const IMAGES: f64 = 1_281_167.0;
const EPOCHS: f64 = 90.0;
const BATCH_SIZE: usize = 256;

/// ResNet50 for 224x224 images: the registered one's stages behind ImageNet's stem, a 7x7 convolution at stride 2 and
/// pooling at stride 2. (The pooling's windows are 2x2 here, not 3x3 with padding: the same sizes, next to no time.)
fn resnet50() -> Result<Network> {
    let mut network = models::find("resnet50")?.network([3, 224, 224], 1000)?;
    if let Layer::Sequence(layers) = &mut network.layer
        && let Some((_, Layer::Conv2d { kernel, window, .. })) = layers.first_mut()
    {
        (*kernel, *window) = ([7, 7], Window { stride: [2, 2], padding: [3, 3], ..Window::PLAIN });
        // After conv1, bn1 and ReLU.
        layers.insert(3, (String::new(), Layer::MaxPool { kernel: 2, stride: 2 }));
    }
    Ok(network)
}

/// Time and memory at a few sparsities.
pub fn print(model: &CostModel) -> Result<()> {
    let network = resnet50()?;
    let work = Work::of(&network, BATCH_SIZE)?;
    let macs = work.flops / (2.0 * 3.0 * BATCH_SIZE as f64);
    println!("ResNet50 on ImageNet, batch {BATCH_SIZE}, {:.2} G multiply-accumulates an image, predicted:", macs / 1e9);
    for sparsity in [0.0, 0.5, 0.8, 0.9, 0.95] {
        let seconds = model.seconds(&work, sparsity);
        let days = seconds / BATCH_SIZE as f64 * IMAGES * EPOCHS / 86_400.0;
        let gigabytes = peak_bytes(&network, BATCH_SIZE, sparsity, true)? / 1e9;
        let percent = 100.0 * sparsity;
        println!("  {percent:>3.0} % sparse: {seconds:>7.1} s a step, {days:>8.1} days, {gigabytes:.1} GB");
    }
    println!();
    Ok(())
}
