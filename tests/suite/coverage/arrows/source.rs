//! Which module of the library uses which, read from its text.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The library's modules.
pub struct House {
    /// By path: `` for the crate, `oracle/check` and so on.
    modules: BTreeMap<String, Module>,
}

#[derive(Default)]
struct Module {
    /// Without comments and `use` declarations.
    code: String,
    imports: Vec<Import>,
}

/// A name that a module has from elsewhere.
struct Import {
    /// The name; `*` for all names.
    name: String,
    path: Vec<String>,
    /// Whether others have it from here.
    is_public: bool,
}

impl House {
    /// The house below a folder.
    pub fn read(folder: &Path) -> Self {
        let (mut folders, mut files) = (vec![folder.to_path_buf()], Vec::new());
        while let Some(here) = folders.pop() {
            for entry in here.read_dir().unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let name = path.strip_prefix(folder).unwrap().with_extension("");
                    let name = if name.ends_with("mod") { name.parent().unwrap() } else { &name };
                    files.push((name.to_str().unwrap().to_string(), std::fs::read_to_string(&path).unwrap()));
                }
            }
        }
        // The command is a crate of its own.
        let files = files.iter().filter(|(name, _)| name != "main");
        Self::of(files.map(|(name, text)| (if name == "lib" { "" } else { name.as_str() }, text.as_str())))
    }

    /// Modules by their path and text.
    pub fn of<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self { modules: files.into_iter().map(|(path, text)| (path.to_string(), Module::new(text))).collect() }
    }

    /// Which module uses which. That a module hands on a name of another is no use; who uses it there uses the other.
    pub fn arrows(&self) -> impl Iterator<Item = (String, String)> {
        let mut arrows = BTreeSet::new();
        for (from, module) in &self.modules {
            let own = module.imports.iter().filter(|import| !import.is_public).map(|import| import.path.clone());
            let mut paths: Vec<Vec<String>> = own.collect();
            for path in code_paths(&module.code) {
                // It may begin with a module that was imported.
                let import = module.imports.iter().find(|import| import.name == path[0]);
                paths.push(import.map_or(path.clone(), |import| [&import.path[..], &path[1..]].concat()));
            }
            let targets = paths.iter().filter_map(|path| self.target(from, path, 0));
            arrows.extend(
                targets.filter(|to| to != from && !to.is_empty() && !from.is_empty()).map(|to| (from.clone(), to)),
            );
        }
        arrows.into_iter()
    }

    /// The module that defines what a path in module `from` means; `None` for another crate's.
    fn target(&self, from: &str, path: &[String], depth: usize) -> Option<String> {
        let (mut here, mut rest) = match path.first()?.as_str() {
            "crate" => (String::new(), &path[1..]),
            "self" => (from.to_string(), &path[1..]),
            "super" => (parent(from), &path[1..]),
            first if self.modules.contains_key(&below(from, first)) => (from.to_string(), path),
            _ => return None,
        };
        while let Some((name, later)) = rest.split_first() {
            if name == "super" {
                here = parent(&here);
            } else if self.modules.contains_key(&below(&here, name)) {
                here = below(&here, name);
            } else {
                return Some(self.definition(&here, name, depth));
            }
            rest = later;
        }
        Some(here)
    }

    /// The module that defines what is called `name` in the module `here`.
    fn definition(&self, here: &str, name: &str, depth: usize) -> String {
        /// A name handed on by more modules than that is handed on in a circle.
        const DEEPEST: usize = 8;
        let imports = self.modules.get(here).filter(|_| name != "*").map_or(&[][..], |module| &module.imports);
        for import in imports.iter().filter(|_| depth < DEEPEST) {
            let origin = || self.target(here, &import.path, depth + 1);
            if import.name == name
                && let Some(origin) = origin()
            {
                return origin;
            }
            if import.name == "*"
                && let Some(origin) = origin()
                && self.modules.get(&origin).is_some_and(|module| module.defines(name))
            {
                return origin;
            }
        }
        here.to_string()
    }
}

impl Module {
    fn new(text: &str) -> Self {
        let text: String =
            text.lines().map(|line| line.split("//").next().unwrap_or_default().to_string() + "\n").collect();
        let mut module = Self::default();
        let mut rest = text.as_str();
        while let Some((before, declaration)) = next_use(rest) {
            let (tree, after) = declaration.split_once(';').unwrap_or((declaration, ""));
            let is_public = !visibility(before).is_empty();
            let mut paths = Vec::new();
            expand(tree, &[], &mut paths);
            module.imports.extend(paths.into_iter().map(|(name, path)| Import { name, path, is_public }));
            module.code += before;
            rest = after;
        }
        module.code += rest;
        module
    }

    fn defines(&self, name: &str) -> bool {
        let mut words = self.code.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        let kinds = ["struct", "enum", "trait", "type", "fn", "const", "static"];
        let mut before = words.next().unwrap_or_default();
        words.any(|word| kinds.contains(&std::mem::replace(&mut before, word)) && word == name)
    }
}

/// What stands before the next `use`, and what after.
fn next_use(text: &str) -> Option<(&str, &str)> {
    let mut starts = text.match_indices("use ").map(|(at, _)| at);
    let at = starts.find(|&at| matches!(visibility(&text[..at]), "" | "pub" | "pub(crate)" | "pub(super)"))?;
    Some((&text[..at], &text[at + 4..]))
}

/// What stands on the last line of a text after everything that ends there.
fn visibility(before: &str) -> &str {
    before.rsplit(['\n', ';', '{', '}']).next().unwrap_or_default().trim()
}

/// The names and paths of a `use` declaration, below a prefix.
fn expand(tree: &str, prefix: &[String], paths: &mut Vec<(String, Vec<String>)>) {
    let words =
        |text: &str| text.split("::").map(|word| word.trim().to_string()).filter(|word| !word.is_empty()).collect();
    let (before, inside) = tree.split_once('{').unwrap_or((tree, ""));
    if inside.is_empty() {
        let (path, alias) =
            before.split_once(" as ").map_or((before, None), |(path, alias)| (path, Some(alias.trim())));
        let path: Vec<String> = words(path);
        let path = if path.len() == 1 && path[0] == "self" { prefix.to_vec() } else { [prefix, &path].concat() };
        let name = alias.map(str::to_string).or_else(|| path.last().cloned());
        paths.extend(name.map(|name| (name, path)));
        return;
    }
    let prefix = [prefix, &words(before) as &[String]].concat();
    let inside = &inside[..inside.rfind('}').unwrap_or(inside.len())];
    let (mut depth, mut start) = (0_usize, 0);
    for (at, c) in inside.char_indices().chain([(inside.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                if !inside[start..at].trim().is_empty() {
                    expand(&inside[start..at], &prefix, paths);
                }
                start = at + 1;
            }
            _ => {}
        }
    }
}

/// Every path of two words or more in code.
fn code_paths(code: &str) -> Vec<Vec<String>> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut paths = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find(is_word) {
        let end = rest[at..].find(|c: char| !is_word(c) && c != ':').map_or(rest.len(), |length| at + length);
        let path: Vec<String> = rest[at..end].trim_end_matches(':').split("::").map(str::to_string).collect();
        if path.len() > 1 {
            paths.push(path);
        }
        rest = &rest[end..];
    }
    paths
}

fn parent(path: &str) -> String {
    path.rsplit_once('/').map_or_else(String::new, |(parent, _)| parent.to_string())
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_string() } else { format!("{path}/{name}") }
}
