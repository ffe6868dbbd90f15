//! The layers that may be left out, as the options say.

use crate::error::{Error, Result};
use crate::method::Setup;

/// Which of the network's residual layers may be left out.
///
/// # Errors
/// [`Error::Domain`] where the network has none, or the options say otherwise.
pub fn droppable(setup: &Setup) -> Result<Vec<bool>> {
    let layers: Vec<bool> = setup.network.residual_layers().iter().map(|layer| layer.can_be_left_out).collect();
    if !layers.contains(&true) {
        let expected = "a network with residual layers whose shortcut is the identity (resnet20, mobilenetv2, ..)";
        return Err(Error::domain("--model with --method layerdrop", expected, setup.network.name));
    }
    if setup.options.real("p") == Some(1.0) {
        return Err(Error::domain("--p", "a number in [0, 1): with 1 no layer ever learns", 1));
    }
    if let Some(given) = setup.options.count("layers").filter(|&given| given != layers.len()) {
        return Err(Error::domain("--layers", format!("{}, the residual layers of the network", layers.len()), given));
    }
    let chosen = setup.options.counts("droppable");
    let fits = chosen.len() == layers.len() && chosen.iter().zip(&layers).all(|(&flag, &can)| flag == 0 || can);
    match chosen.is_empty() {
        true => Ok(layers),
        false if fits => Ok(chosen.iter().map(|&flag| flag == 1).collect()),
        false => {
            let flags =
                |flags: &[bool]| flags.iter().map(|&flag| u8::from(flag).to_string()).collect::<Vec<_>>().join(",");
            let expected = format!("{} flags, 1 at the most where {} has it", layers.len(), flags(&layers));
            let found = chosen.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            Err(Error::domain("--droppable", expected, found))
        }
    }
}
