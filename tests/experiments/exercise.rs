//! `gdstar exercise`: what is handed out fails, what is right passes, and the mistake is named. Python with NumPy runs it.

use super::common::{gdstar, printed, refused, word};
use gdstar::explain::exercise::{EXERCISES, find};
use gdstar::paper::EQUATIONS;
use std::path::Path;
use std::process::{Command, Output};

/// A right body of every exercise.
fn solution(name: &str) -> &'static str {
    match name {
        "eq2" => "return (gradients ** 2).sum(axis=0)",
        "eq3" => "return G.sum()",
        "eq4" => "return np.sqrt(S_sq)",
        "alg4" => "return np.argmin(S_F)",
        "eq8" => "return alpha_0 + (k / K) * (alpha_K - alpha_0)",
        "eq6" => "return np.array([np.quantile(chunk, alpha) for chunk in np.array_split(G, int(C))])",
        "eq7" => "return q.mean()",
        "eq5" => "return (G < tau) & alive",
        "eq9" => {
            "chosen = selected & alive\n\
             rewound = w_star * decay ** t\n\
             lives = alive & ~(chosen & (np.abs(rewound) < eps))\n\
             return np.where(chosen, rewound, w) * lives, lives"
        }
        _ => panic!("{name} has no solution"),
    }
}

/// A Python that has NumPy.
fn python() -> String {
    std::env::var("GDSTAR_PYTHON").unwrap_or_else(|_| "python3".to_string())
}

fn graded(folder: &Path, text: &str) -> Output {
    let file = folder.join("exercise.py");
    std::fs::write(&file, text).unwrap();
    gdstar(&["exercise", "check", word(&file), "--python", &python()])
}

#[test]
fn every_exercise_is_an_equation_with_several_slips() {
    for exercise in EXERCISES {
        let equation = EQUATIONS.iter().find(|equation| equation.number == exercise.number).expect(exercise.name);
        let chapter = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/equations").join(equation.chapter);
        let told = std::fs::read_to_string(chapter).unwrap();
        assert!(told.contains(&format!("`gdstar exercise {}`", exercise.name)), "{}", equation.chapter);
        assert!(exercise.slips.len() >= 2, "{}", exercise.name);
        assert!(!exercise.slips.contains(&solution(exercise.name)), "{}", exercise.name);
        let text = exercise.hand_out(1).unwrap();
        assert!(
            text.starts_with(&format!("# gdstar exercise {}\n", exercise.name))
                && text.contains(exercise.slips[0].lines().next().unwrap())
        );
        assert!(exercise.hand_out(0).unwrap().contains("NotImplementedError"));
        assert!(exercise.hand_out(exercise.slips.len() + 1).is_err());
    }
}

#[test]
#[ignore = "takes Python 3 with NumPy; GDSTAR_PYTHON names another than python3"]
fn slips_fail_and_solutions_pass() {
    assert!(Command::new(python()).args(["-c", "import numpy"]).status().is_ok_and(|status| status.success()));
    let folder = tempfile::tempdir().unwrap();
    let mut named = 0;
    let mut slips = 0;
    for exercise in EXERCISES {
        let output = graded(folder.path(), &exercise.with_body(solution(exercise.name)));
        let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && told.starts_with("PASS"), "{}: {told}", exercise.name);
        for variant in 1..=exercise.slips.len() {
            let output = graded(folder.path(), &exercise.hand_out(variant).unwrap());
            let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{} {variant}: {told}", exercise.name);
            assert!(told.starts_with("FAIL"), "{} {variant}: {told}", exercise.name);
            slips += 1;
            named += usize::from(!told.contains("no known mistake"));
        }
    }
    // All but two that are no known mistake of a port.
    assert!(named + 2 >= slips, "{named} of {slips} slips are named");
}

#[test]
#[ignore = "takes Python 3 with NumPy; GDSTAR_PYTHON names another than python3"]
fn a_function_that_does_not_run_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let eq3 = find("eq3").unwrap();
    for (body, said) in [
        ("return G.summ()", "AttributeError"),
        ("return G", "1 numbers"),
        ("raise NotImplementedError", "NotImplementedError"),
    ] {
        let output = graded(folder.path(), &eq3.with_body(body));
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && told.contains(said) && told.lines().count() == 1, "{body}: {told}");
    }
}

#[test]
fn a_file_is_handed_out_and_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.py");
    assert!(printed(&["exercise", "eq6", "--out", word(&file)]).contains("gdstar exercise check"));
    let before = std::fs::read(&file).unwrap();
    let (line, status) = refused(&["exercise", "eq6", "--variant", "2", "--out", word(&file)]);
    assert!(status == 2 && line.contains("your work"), "{line}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
    for (words, said) in [
        (vec!["exercise", "eq99"], "eq2, eq3"),
        (vec!["exercise", "eq6", "--variant", "9", "--out", "never.py"], "0 (a gap) to 3"),
        (vec!["exercise", "check", "/nowhere.py"], "/nowhere.py"),
        (vec!["exercise", "check", "Cargo.toml"], "# gdstar exercise NAME"),
    ] {
        let (line, status) = refused(&words);
        assert!(status == 2 && line.contains(said), "{words:?}: {line}");
    }
}
