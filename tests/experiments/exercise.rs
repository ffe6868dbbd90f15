//! `gdstar exercise`: what is handed out fails, what is right passes, and the mistake is named. Python with NumPy runs it.

use super::common::{gdstar, printed, refused, word};
use gdstar::explain::exercise::{Exercise, all, find};
use gdstar::method::METHODS;
use gdstar::paper::EQUATIONS;
use rayon::iter::{ParallelBridge, ParallelIterator};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A right body of every exercise.
fn solution(name: &str) -> &'static str {
    match name {
        "eq1" => "return np.abs(gradients).sum()",
        "eq2" => "return (gradients ** 2).sum(axis=0)",
        "eq3" => "return G.sum()",
        "eq4" => "return np.sqrt(S_sq)",
        "alg4" => "return np.argmin(S_F)",
        "eq8" => "return alpha_0 + (k / K) * (alpha_K - alpha_0)",
        "eq6" => "return np.array([np.quantile(chunk, alpha) for chunk in np.array_split(G, int(C))])",
        "eq7" => "return q.mean()",
        "eq5" => "return (G < tau) & alive",
        "alg5" => {
            "q = np.array([np.quantile(chunk, alpha) for chunk in np.array_split(G, int(C))])\n\
             return q, q.mean(), (G < q.mean()) & alive"
        }
        "eq9" => {
            "chosen = selected & alive\n\
             rewound = w_star * decay ** t\n\
             lives = alive & ~(chosen & (np.abs(rewound) < eps))\n\
             return np.where(chosen, rewound, w) * lives, lives"
        }
        "fixed-rewind" => "return K if k >= K else 0",
        "dropback" => {
            "score = np.abs(w - w_0)\n\
             tracked = largest(score, np.full(w.shape, True), k)\n\
             return score, tracked, np.where(tracked, w, w_0)"
        }
        "procrustes" => {
            "a = np.where(was_tracked, a, 0) + eta * g\n\
             tracked = largest(np.abs(a), np.full(w.shape, True), k)\n\
             return np.abs(a), tracked, np.where(tracked, w, decay ** (t + 1) * w_0), np.where(tracked, a, 0)"
        }
        "lth" => {
            "n = alive.sum() - np.ceil(F * alive.sum())\n\
             kept = largest(np.abs(w), alive, n)\n\
             return n, np.abs(w), kept, np.where(kept, w_k, 0)"
        }
        "lmc" => "return loss.mean(), error.max() - (error[0] + error[-1]) / 2",
        "snip" => {
            "score = np.abs(g * w)\n\
             kept = largest(score, np.full(w.shape, True), k)\n\
             return score, kept, w * kept"
        }
        "grasp" => {
            "score = -w * Hg\n\
             return score, largest(-score, np.full(w.shape, True), k)"
        }
        "gmp" => {
            "x = (t + 1 - t_0) / (t_1 - t_0)\n\
             s = s_f + (s_i - s_f) * (1 - x) ** 3\n\
             k = round(len(w) * (1 - s))\n\
             return s, k, largest(np.abs(w), active, k)"
        }
        "set" => {
            "above, below = active & (w >= 0), active & (w < 0)\n\
             kept = largest(w, above, above.sum() - int(zeta * above.sum()))\n\
             kept |= largest(-w, below, below.sum() - int(zeta * below.sum()))\n\
             return kept, kept | largest(draw, ~kept, active.sum() - kept.sum())"
        }
        "rigl" => {
            "kept = largest(np.abs(w), active, active.sum() - d)\n\
             return kept, kept | largest(np.abs(g), ~kept, d)"
        }
        "granet" => {
            "x = (t + 1 - t_0) / (t_1 - t_0)\n\
             s = s_f + (s_i - s_f) * (1 - x) ** 3\n\
             k = min(len(w) - np.ceil(len(w) * s), active.sum())\n\
             return s, k, largest(np.abs(w), active, k)"
        }
        "acdc" => {
            "every = np.full(w.shape, True)\n\
             mask = largest(np.abs(w), every, len(w) - int(len(w) * S)) if t in compress_at else every\n\
             return mask, w * mask"
        }
        "topkast" => {
            "every = np.full(w.shape, True)\n\
             A, B = largest(np.abs(w), every, k_A), largest(np.abs(w), every, k_B)\n\
             r = penalty * w / np.where(A, 1, 1 - S)\n\
             return A, B, np.where(B, w - eta * (mu * v + (g + wd * w + r)), w)"
        }
        "sdgp" => {
            "y = np.zeros(g.shape)\n\
             for i in range(0, g.shape[1], int(N)):\n\
             \x20\x20\x20\x20for sample, kept in zip(g[:, i:i + int(N)], y[:, i:i + int(N)]):\n\
             \x20\x20\x20\x20\x20\x20\x20\x20kept[:] = sample * largest(np.abs(sample), np.full(sample.shape, True), M)\n\
             return y"
        }
        "layerdrop" => "return (u > p) | (droppable == 0)",
        "amc" => {
            "worth = np.abs(w).sum(axis=0)\n\
             stays = largest(worth, np.full(worth.shape, True), d)\n\
             return worth, stays, w * stays"
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

fn chapter(exercise: &Exercise) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(exercise.chapter)
}

#[test]
fn every_exercise_has_several_slips_and_is_named_in_its_chapter() {
    let mut names = BTreeSet::new();
    for exercise in all() {
        assert!(names.insert(exercise.name), "{} twice", exercise.name);
        let told = std::fs::read_to_string(chapter(exercise)).unwrap();
        assert!(told.contains(&format!("`gdstar exercise {}`", exercise.name)), "{}", exercise.chapter);
        assert!(exercise.slips.len() >= 3, "{}", exercise.name);
        for planted in exercise.slips {
            assert_ne!(planted.body, solution(exercise.name), "{}", exercise.name);
            assert!(planted.told.len() > 1, "{}: a slip that the oracle has no name for", exercise.name);
        }
        let text = exercise.hand_out(1).unwrap();
        assert!(text.starts_with(&format!("# gdstar exercise {}\n", exercise.name)), "{text}");
        assert!(text.contains(exercise.slips[0].body.lines().next().unwrap()), "{text}");
        assert!(exercise.hand_out(0).unwrap().contains("NotImplementedError"));
        assert!(exercise.hand_out(exercise.slips.len() + 1).is_err());
    }
}

/// Why it is so and not otherwise, code or an example, what goes wrong in ports, and something to do.
#[test]
fn every_chapter_has_its_parts() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let mut chapters = 0;
    for folder in ["equations", "methods"] {
        for entry in std::fs::read_dir(docs.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let headings: Vec<&str> = text.lines().filter(|line| line.starts_with("## ")).collect();
            let why = |heading: &&str| {
                heading.to_lowercase().contains("why") || heading.starts_with("## Where it comes from")
            };
            assert!(headings.iter().any(why), "{}: why", path.display());
            assert!(headings.contains(&"## In ports"), "{}: ports", path.display());
            assert!(text.contains("```"), "{}: code", path.display());
            assert!(text.contains("`gdstar exercise ") || text.contains("\nBy hand: "), "{}: exercise", path.display());
            chapters += 1;
        }
    }
    assert!(chapters >= EQUATIONS.len() + 16, "{chapters}");
}

/// No equation and no method is without one, unless it is said here why.
#[test]
fn every_equation_and_every_method_has_an_exercise() {
    let elsewhere = [
        ("Alg. 6", "Eq. 9 for all weights, and its exercise"),
        ("Eq. 10", "a number of no run, which the oracle does not judge: its chapter asks for it by hand"),
        ("Eq. 11", "the same"),
        ("gdstar", "the paper's equations are"),
        ("dense", "it does nothing"),
        ("reset", "fixed rewinding that is never captured"),
        ("random-rewind", "fixed rewinding at drawn epochs"),
    ];
    let all: Vec<&Exercise> = all().collect();
    let has = |name: &str| {
        all.iter().any(|exercise| exercise.name == name || exercise.title.starts_with(&format!("{name} ")))
    };
    let equations = EQUATIONS.iter().map(|equation| equation.number);
    let methods = METHODS.iter().map(|method| method.entry().name).chain(["lth", "lmc"]);
    for name in equations.chain(methods) {
        let is_elsewhere = elsewhere.iter().any(|(other, _)| *other == name);
        assert!(has(name) != is_elsewhere, "{name}");
    }
}

#[test]
#[ignore = "takes Python 3 with NumPy; GDSTAR_PYTHON names another than python3"]
fn a_slip_fails_by_its_name_and_solutions_pass() {
    grade(1);
}

#[test]
#[ignore = "takes Python 3 with NumPy, and three minutes; GDSTAR_PYTHON names another than python3"]
fn all_slips_fail_by_their_names() {
    grade(usize::MAX);
}

/// Of every exercise the solution and so many slips.
fn grade(most: usize) {
    assert!(Command::new(python()).args(["-c", "import numpy"]).status().is_ok_and(|status| status.success()));
    // A run and its judgement are one thread's work for the most part.
    let wrong: Vec<String> = all().par_bridge().flat_map_iter(|exercise| wrongly_graded(exercise, most)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the grader says of an exercise's solution and first slips, where it is not what it should say.
fn wrongly_graded(exercise: &Exercise, most: usize) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let said = |text: &str| {
        let output = graded(folder.path(), text);
        let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.code(), told.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    let mut wrong = Vec::new();
    let (status, told) = said(&exercise.with_body(solution(exercise.name)));
    if status != Some(0) || !told.starts_with("PASS") {
        wrong.push(format!("{}: {told}", exercise.name));
    }
    for (i, planted) in exercise.slips.iter().enumerate().take(most) {
        let (status, told) = said(&exercise.hand_out(i + 1).unwrap());
        if status != Some(1) || !told.starts_with("FAIL") || !told.contains(planted.told) {
            wrong.push(format!("{} {}, `{}`: {told}", exercise.name, i + 1, planted.told));
        }
    }
    wrong
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
