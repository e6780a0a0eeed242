//! Plain words: no circumlocutions in comments, documentation, messages, and names.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};

use crate::workspace::{files, root, sources};

/// What is not to be written, and what is. A name in capitals stands for the subject of the sentence.
const PLAIN: &[(&str, &str)] = &[
    ("whoever", "the CALLER, the TASK, the WORKER"),
    ("whatever", "the VALUE, or \"any\""),
    ("whichever", "the one that .., or \"any\""),
    ("somebody", "the CALLER, the TASK, the WORKER"),
    ("someone", "the CALLER, the TASK, the WORKER"),
    ("anybody", "any TASK"),
    ("everybody", "every WORKER"),
    ("nobody", "no TASK"),
    ("how many-th", "the attempt number"),
    ("is told", "is notified, receives"),
    ("are told", "are notified, receive"),
    ("was told", "was notified, received"),
    ("were told", "were notified, received"),
    ("be told", "be notified, receive; be distinguished"),
    ("been told", "been notified, have received"),
    ("told of", "notified of"),
    ("hear", "receive"),
    ("hears", "receives"),
    ("heard", "received"),
    ("go on", "continue, propagate"),
    ("goes on", "continues, propagates"),
    ("going on", "continuing, happening"),
    ("went on", "continued, propagated"),
    ("gone on", "continued, propagated"),
    ("no time left", "timed out"),
    ("without time", "timed out"),
    ("has its turn", "is polled, runs"),
    ("have their turn", "are polled, run"),
    ("had its turn", "was polled, has run"),
    ("has had its turn", "was polled, has run"),
    ("give way", "yield"),
    ("gives way", "yields"),
    ("gave way", "yielded"),
    ("as ever", "as usual"),
    ("let go of", "release, drop"),
    ("lets go of", "releases, drops"),
    ("had enough", "was stopped by its condition"),
    ("seen enough", "was stopped by its condition"),
    ("has enough", "was stopped by its condition"),
    ("have enough", "were stopped by their condition"),
    ("come to its end", "complete"),
    ("comes to its end", "completes"),
    ("came to its end", "completed"),
    ("is done with", "has completed, has used"),
    ("are done with", "have completed, have used"),
    ("cut short", "interrupted"),
    ("cuts short", "interrupts"),
    ("first in time", "earliest"),
    ("so much time", "the DURATION"),
    ("fail to come", "a fallible source"),
    ("from of old", "from earlier"),
    ("of old", "earlier"),
    ("by and by", "later, one after another"),
    ("is asked for its", "returns its"),
    ("looks on", "checks, observes"),
    ("gone through", "visited, iterated over"),
    ("bring to an end", "complete, stop"),
    ("in its stead", "instead"),
    ("in vain", "and nothing happens"),
    ("all the same", "even so"),
    ("of its own accord", "by itself"),
    ("for ever", "forever"),
];

/// Names that were replaced, and what replaced them. A name has one of these words if it is the whole name, or a part
/// of it between underscores, in lower or upper case.
const NAMES: &[(&str, &str)] = &[
    ("begun", "started, start"),
    ("told", "notified, progress"),
    ("crew", "worker_pool"),
    ("hears", "receives"),
    ("gives", "returns"),
    ("lobby", "admission"),
    ("errand", "job"),
    ("doom", "stop"),
    ("hired", "spawned"),
];

/// Files about such words: this one, and the list of renames.
const ABOUT_WORDS: [&str; 2] = ["tests/tests/tidy/words.rs", "CHANGELOG.md"];

/// The lower-case words of a text with their lines, and `None` where punctuation is between two words. The end
/// of a line and the marks of a comment are not punctuation, so that a phrase is found across lines.
fn words(text: &str) -> Vec<Option<(usize, String)>> {
    let mut words = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_start();
        let line = ["///", "//!", "//", "#", ">"]
            .iter()
            .find_map(|mark| line.strip_prefix(mark))
            .unwrap_or(line);
        // A string that continues in the next line.
        let line = line.strip_suffix('\\').unwrap_or(line);
        let mut word = String::new();
        for letter in line.chars().chain([' ']) {
            if letter.is_alphanumeric() || ['_', '-'].contains(&letter) {
                word.extend(letter.to_lowercase());
                continue;
            }
            if !word.is_empty() {
                words.push(Some((number, std::mem::take(&mut word))));
            }
            if !letter.is_whitespace() {
                words.push(None);
            }
        }
    }
    words
}

/// Returns the line of each phrase that has a plain word, with both.
fn circumlocutions(text: &str) -> Vec<(usize, &'static str, &'static str)> {
    let words = words(text);
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let Some((line, first)) = word else { continue };
        for &(phrase, plain) in PLAIN.iter().filter(|(phrase, _)| phrase.starts_with(&first[..])) {
            let rest = &words[at..];
            let is_phrase = phrase.split(' ').enumerate().all(|(at, expected)| {
                rest.get(at).and_then(Option::as_ref).is_some_and(|(_, word)| word == expected)
            });
            if is_phrase {
                found.push((*line, phrase, plain));
            }
        }
    }
    found
}

#[test]
fn comments_documentation_and_messages_are_written_in_plain_words() {
    let mut found = String::new();
    let mut read = 0;
    let scripts = [PathBuf::from(".ci/run")];
    for path in [".rs", ".md", ".toml"].into_iter().flat_map(files).chain(scripts) {
        let path = path.strip_prefix(root()).unwrap_or(&path);
        if ABOUT_WORDS.iter().any(|about| path == Path::new(about)) {
            continue;
        }
        for (line, phrase, plain) in
            circumlocutions(&fs::read_to_string(root().join(path)).unwrap())
        {
            found += &format!("{}:{line}: \"{phrase}\" -> {plain}\n", path.display());
        }
        read += 1;
    }
    assert!(found.is_empty(), "{} phrases have a plain word:\n{found}", found.lines().count());
    assert!(read > 300, "only {read} files were read");
}

/// Returns the line of each name that has a plain word, with the name and the word.
fn replaced_names(tokens: TokenStream) -> Vec<(usize, String, &'static str)> {
    let mut found = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) => found.extend(replaced_names(group.stream())),
            TokenTree::Ident(ident) => {
                let name = ident.to_string();
                let is_part = |word| name.split('_').any(|part| part.eq_ignore_ascii_case(word));
                if let Some(&(_, plain)) = NAMES.iter().find(|&&(word, _)| is_part(word)) {
                    found.push((ident.span().start().line, name, plain));
                }
            }
            // A comment of the documentation is a literal, too.
            TokenTree::Literal(_) | TokenTree::Punct(_) => {}
        }
    }
    found
}

#[test]
fn names_that_were_replaced_do_not_return() {
    let mut found = String::new();
    for (path, text) in sources() {
        let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
        for (line, name, plain) in replaced_names(tokens) {
            found += &format!("{path}:{line}: `{name}` -> {plain}\n");
        }
    }
    assert!(found.is_empty(), "{} names have a plain word:\n{found}", found.lines().count());
}

#[test]
fn a_replaced_name_is_found_as_a_whole_or_between_underscores() {
    let text = "/// It gives.\nfn gives() {\n    let has_begun = \"told\"; // crew\n    retold(CREW_SIZE);\n}";
    let found = replaced_names(text.parse().unwrap()).into_iter();
    let found: Vec<_> = found.map(|(line, name, _)| (line, name)).collect();
    let expected = [(2, "gives"), (3, "has_begun"), (4, "CREW_SIZE")];
    assert_eq!(found, expected.map(|(line, name)| (line, name.to_owned())));
}

#[test]
fn a_phrase_is_found_across_lines_and_not_across_punctuation() {
    let text = "//! The panic goes\n//! on in the caller.\nlet go_on = overheard;\n/// It goes, on its way.\n\
                /// Nobody's queue.\nprint(\"cut \\\n    short\");\n";
    let found = circumlocutions(text).into_iter().map(|(line, phrase, _)| (line, phrase));
    assert_eq!(found.collect::<Vec<_>>(), [(1, "goes on"), (5, "nobody"), (6, "cut short")]);
}
