//! The walkthrough's formulas are the chapters', by the converter that makes the report's.

use gdstar::report::{latex, mathml};
use std::path::Path;

/// In `docs/walkthrough/page/index.html` each formula stands between `<!-- equation N -->` and `<!-- end -->`; with GDSTAR_BLESS set
/// it is written there.
#[test]
fn its_formulas_are_the_chapters() {
    const BEGIN: &str = "<!-- equation ";
    const END: &str = "<!-- end -->";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/walkthrough/page/index.html");
    let page = std::fs::read_to_string(&path).unwrap();
    let mut parts = page.split(BEGIN);
    let mut made = parts.next().unwrap().to_string();
    assert!(!made.contains("<math"), "a formula without a marker");
    let mut count = 0;
    for part in parts {
        let (number, rest) = part.split_once(" -->").unwrap();
        let (_, after) = rest.split_once(END).expect(number);
        assert!(!after.contains("<math"), "a formula without a marker, after {number}");
        let formula = mathml(latex(number.parse().expect(number)).expect(number)).expect(number);
        let formula = formula.replacen("<math", &format!("<math aria-label=\"Equation {number}\""), 1);
        made += &[BEGIN, number, " -->", &formula, END, after].concat();
        count += 1;
    }
    assert!(count >= 6, "{count} formulas");
    if std::env::var_os("GDSTAR_BLESS").is_some() {
        std::fs::write(&path, made).unwrap();
    } else {
        assert!(page == made, "GDSTAR_BLESS=1 cargo test --test experiments walkthrough:: rewrites them");
    }
}
