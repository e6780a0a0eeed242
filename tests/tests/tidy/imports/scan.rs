//! One module as its source text shows it: what it declares and defines, and which names it uses.
//!
//! The text is split into tokens, and tokens into items by keywords. Macros are not expanded. Braces of a
//! macro call between items are read as items, because `pin_project!` and `thread_local!` define what is
//! written in them.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// A module: what is between its braces, or in its file.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// The names of its items.
    pub(super) defined: BTreeSet<String>,
    /// Its `#[macro_export]` macros, whose paths begin at the root.
    pub(super) exported_macros: Vec<String>,
    pub(super) imports: Vec<Import>,
    /// Paths in its code, most of them a single name.
    pub(super) paths: Vec<Named>,
    pub(super) children: Vec<Child>,
}

/// One name of a `use` declaration.
#[derive(Debug)]
pub(super) struct Import {
    pub(super) named: Named,
    /// The name in this module. `None` for a glob.
    pub(super) name: Option<String>,
    /// `pub use`, of any visibility.
    pub(super) is_reexport: bool,
}

/// A path in the source text.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) path: Vec<String>,
    pub(super) line: usize,
    /// It is in code under `cfg(test)`.
    pub(super) is_test: bool,
}

/// A module declared in another.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) name: String,
    pub(super) is_test: bool,
    pub(super) body: ChildBody,
}

#[derive(Debug)]
pub(super) enum ChildBody {
    Inline(Scan),
    /// In a file of its own, at the `#[path]` if there is one.
    File(Option<String>),
}

impl Scan {
    /// Scans the text of a file.
    pub(super) fn of(file: &str, text: &str) -> Self {
        let tokens: TokenStream =
            text.parse().unwrap_or_else(|error| panic!("{file} is not Rust: {error}"));
        let mut scan = Self::default();
        scan.items(tokens, false);
        scan
    }

    /// Scans items: the body of a module.
    fn items(&mut self, tokens: TokenStream, is_test: bool) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let mut item = Item::new(is_test);
        let mut at = 0;
        while at < tokens.len() {
            let rest = &tokens[at..];
            at += match (word(rest, 0).as_deref(), rest) {
                (None, [hash, TokenTree::Group(attribute), ..]) if is(hash, '#') => {
                    item.attribute(attribute);
                    2
                }
                // A lifetime, which may be `'static`.
                (None, [mark, TokenTree::Ident(_), ..]) if is(mark, '\'') => 2,
                // The braces or parentheses of a macro call.
                (None, [mark, TokenTree::Group(call), ..]) if is(mark, '!') && at > 0 => {
                    self.items(call.stream(), item.is_test);
                    2
                }
                (Some("pub"), _) => {
                    item.is_public = true;
                    1 + usize::from(group(rest, 1, Delimiter::Parenthesis).is_some())
                }
                (Some("mod"), _) if word(rest, 1).is_some() => {
                    self.child(&item, word(rest, 1).unwrap(), group(rest, 2, Delimiter::Brace));
                    item = Item::new(is_test);
                    3
                }
                // `use<'a>` in the bounds of an opaque type is no declaration.
                (Some("use"), [_, next, ..]) if !is(next, '<') => {
                    let length = self.declaration(rest, item.is_public, item.is_test);
                    item = Item::new(is_test);
                    length
                }
                // Not scanned as items: its arms are patterns. What an exported macro names is used by the crates
                // that call it.
                (Some("macro_rules"), [_, _, _, TokenTree::Group(arms), ..]) => {
                    self.defined.extend(word(rest, 2));
                    if item.is_exported {
                        self.exported_macros.extend(word(rest, 2));
                    } else {
                        self.names(arms.stream(), item.is_test);
                    }
                    item = Item::new(is_test);
                    4
                }
                (Some("struct" | "enum" | "union" | "trait" | "type" | "fn" | "static"), _) => {
                    self.defined.extend(word(rest, 1));
                    1
                }
                (Some("const"), _) => {
                    self.defined.extend(word(rest, 1).filter(|name| name != "fn"));
                    1
                }
                (Some(_), _) => self.path(&tokens, at, item.is_test),
                (None, [TokenTree::Group(inside), ..]) => {
                    self.names(inside.stream(), item.is_test);
                    if inside.delimiter() == Delimiter::Brace {
                        item = Item::new(is_test);
                    }
                    1
                }
                _ => {
                    if is(&rest[0], ';') {
                        item = Item::new(is_test);
                    }
                    1
                }
            };
        }
    }

    fn child(&mut self, item: &Item, name: String, inside: Option<&Group>) {
        let body = match inside {
            Some(inside) => {
                let mut scan = Self::default();
                scan.items(inside.stream(), item.is_test);
                ChildBody::Inline(scan)
            }
            None => ChildBody::File(item.path.clone()),
        };
        self.children.push(Child { name, is_test: item.is_test, body });
    }

    /// Scans code that is not a list of items.
    fn names(&mut self, tokens: TokenStream, is_test: bool) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            let rest = &tokens[at..];
            at += match (word(rest, 0).as_deref(), rest) {
                (Some("use"), [_, next, ..]) if !is(next, '<') => {
                    self.declaration(rest, false, is_test)
                }
                (Some(_), _) => self.path(&tokens, at, is_test),
                (None, [TokenTree::Group(inside), ..]) => {
                    self.names(inside.stream(), is_test);
                    1
                }
                _ => 1,
            };
        }
    }

    /// Records the path that begins at a name, and returns its length in tokens.
    fn path(&mut self, tokens: &[TokenTree], at: usize, is_test: bool) -> usize {
        let before = |back: usize| at.checked_sub(back).and_then(|at| tokens.get(at));
        let follows = |back, mark| before(back).is_some_and(|token| is(token, mark));
        // A field, a method, an associated item or a lifetime. `..` may be followed by a path.
        let is_part = follows(1, '.') && !follows(2, '.')
            || follows(1, ':') && follows(2, ':')
            || follows(1, '\'');
        let line = tokens[at].span().start().line;
        let mut path = vec![word(tokens, at).expect("the path begins at a name")];
        let mut length = 1;
        while let [first, second, TokenTree::Ident(name), ..] = &tokens[at + length..]
            && is(first, ':')
            && is(second, ':')
        {
            path.push(name.to_string());
            length += 3;
        }
        if !is_part {
            self.paths.push(Named { path, line, is_test });
        }
        length
    }

    /// Records the imports of a declaration `use ..;`, and returns its length in tokens.
    fn declaration(&mut self, tokens: &[TokenTree], is_reexport: bool, is_test: bool) -> usize {
        let length = tokens.iter().position(|token| is(token, ';')).unwrap_or(tokens.len());
        self.tree(&tokens[1..length], &[], is_reexport, is_test);
        length
    }

    /// Records the imports of a part of a declaration: `prefix::{a, b::c as d, e::*}`.
    fn tree(&mut self, tree: &[TokenTree], prefix: &[String], is_reexport: bool, is_test: bool) {
        // Behind the last comma.
        let Some(first) = tree.first() else { return };
        let mut path = prefix.to_vec();
        let mut alias = None;
        let mut is_glob = false;
        for (at, token) in tree.iter().enumerate() {
            match token {
                TokenTree::Ident(word) if word == "as" => {
                    alias = self::word(tree, at + 1);
                    break;
                }
                TokenTree::Ident(word) => path.push(word.to_string()),
                TokenTree::Group(branches) => {
                    let branches: Vec<_> = branches.stream().into_iter().collect();
                    for branch in branches.split(|token| is(token, ',')) {
                        self.tree(branch, &path, is_reexport, is_test);
                    }
                    return;
                }
                // `::name` is another crate.
                token if is(token, ':') && path.is_empty() => return,
                token => is_glob |= is(token, '*'),
            }
        }
        if prefix.len() < path.len() && path.len() > 1 && path.last().unwrap() == "self" {
            path.pop();
        }
        let Some(last) = path.last() else { return };
        let name = (!is_glob).then(|| alias.unwrap_or_else(|| last.clone()));
        let line = first.span().start().line;
        self.imports.push(Import { named: Named { path, line, is_test }, name, is_reexport });
    }
}

/// What stands before an item.
struct Item {
    is_public: bool,
    is_test: bool,
    is_exported: bool,
    path: Option<String>,
}

impl Item {
    fn new(is_test: bool) -> Self {
        Self { is_public: false, is_test, is_exported: false, path: None }
    }

    fn attribute(&mut self, attribute: &Group) {
        let tokens: Vec<_> = attribute.stream().into_iter().collect();
        match (word(&tokens, 0).as_deref(), tokens.last()) {
            (Some("cfg"), Some(TokenTree::Group(condition))) => {
                self.is_test |= requires_test(condition.stream());
            }
            (Some("test"), _) => self.is_test = true,
            (Some("macro_export"), _) => self.is_exported = true,
            (Some("path"), Some(value)) => {
                self.path = Some(value.to_string().trim_matches('"').to_owned());
            }
            _ => {}
        }
    }
}

/// Whether a condition of `cfg` is `test`, or `all(test, ..)`.
fn requires_test(condition: TokenStream) -> bool {
    let tokens: Vec<_> = condition.into_iter().collect();
    match (word(&tokens, 0).as_deref(), tokens.get(1)) {
        (Some("all"), Some(TokenTree::Group(parts))) => {
            let parts: Vec<_> = parts.stream().into_iter().collect();
            parts
                .split(|token| is(token, ','))
                .any(|part| requires_test(part.iter().cloned().collect()))
        }
        (Some("test"), None) => true,
        _ => false,
    }
}

fn word(tokens: &[TokenTree], at: usize) -> Option<String> {
    match tokens.get(at)? {
        TokenTree::Ident(word) => Some(word.to_string()),
        _ => None,
    }
}

fn group(tokens: &[TokenTree], at: usize, delimiter: Delimiter) -> Option<&Group> {
    match tokens.get(at)? {
        TokenTree::Group(group) if group.delimiter() == delimiter => Some(group),
        _ => None,
    }
}

fn is(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark)
}
