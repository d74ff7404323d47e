//! Dictionaries: from a token to its lexeme, or to nothing when it is a stop word.

use std::sync::LazyLock;

use ahash::AHashSet;
use rust_stemmers::{Algorithm, Stemmer};

/// Longer words are not stemmed: they are no words of any language.
const STEMMED_LEN_MAX: usize = 1000;

/// Turns tokens into lexemes.
#[derive(Clone, Copy, Debug)]
pub enum Dictionary {
    /// Lower case, nothing else.
    Simple,
    /// Lower case, stop words left out, the rest stemmed.
    Stem(&'static Language),
}

/// A language with a snowball stemmer.
pub struct Language {
    /// Its name in English, lower case.
    pub name: &'static str,
    algorithm: Algorithm,
    stop_words: LazyLock<AHashSet<&'static str>>,
}

impl std::fmt::Debug for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

macro_rules! languages {
    ($($name:literal $algorithm:ident $stop_words:expr;)*) => {
        /// Every language, by name. The stop words are those of the Snowball project, as Postgres
        /// has them; languages without a list have no stop words.
        pub static LANGUAGES: [Language; 18] = [$(Language {
            name: $name,
            algorithm: Algorithm::$algorithm,
            stop_words: LazyLock::new(|| $stop_words.lines().collect()),
        },)*];
    };
}

languages! {
    "arabic" Arabic "";
    "danish" Danish include_str!("stop_words/danish.txt");
    "dutch" Dutch include_str!("stop_words/dutch.txt");
    "english" English include_str!("stop_words/english.txt");
    "finnish" Finnish include_str!("stop_words/finnish.txt");
    "french" French include_str!("stop_words/french.txt");
    "german" German include_str!("stop_words/german.txt");
    "greek" Greek "";
    "hungarian" Hungarian include_str!("stop_words/hungarian.txt");
    "italian" Italian include_str!("stop_words/italian.txt");
    "norwegian" Norwegian include_str!("stop_words/norwegian.txt");
    "portuguese" Portuguese include_str!("stop_words/portuguese.txt");
    "romanian" Romanian "";
    "russian" Russian include_str!("stop_words/russian.txt");
    "spanish" Spanish include_str!("stop_words/spanish.txt");
    "swedish" Swedish include_str!("stop_words/swedish.txt");
    "tamil" Tamil "";
    "turkish" Turkish include_str!("stop_words/turkish.txt");
}

impl Language {
    /// The language of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        LANGUAGES.iter().find(|language| language.name == name)
    }
}

impl Dictionary {
    /// The dictionary of that name: `simple`, `english_stem` …
    pub fn named(name: &str) -> Option<Self> {
        if name == "simple" {
            return Some(Self::Simple);
        }
        Language::named(name.strip_suffix("_stem")?).map(Self::Stem)
    }

    /// The lexeme of a token; `None` when it is a stop word.
    pub fn lexeme(self, token: &str) -> Option<String> {
        let lower = lower_case(token);
        let Self::Stem(language) = self else { return Some(lower) };
        if lower.len() > STEMMED_LEN_MAX {
            return Some(lower);
        }
        if lower.is_empty() || language.stop_words.contains(&*lower) {
            return None;
        }
        let stem = Stemmer::create(language.algorithm).stem(&lower);
        Some(stem.into_owned())
    }
}

/// Character by character, as the C library does it.
fn lower_case(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars()
        .map(|c| {
            let mut lower = c.to_lowercase();
            match (lower.next(), lower.next()) {
                (Some(one), None) => one,
                // İ is the only character that becomes two; its simple mapping is i.
                _ if c == 'İ' => 'i',
                _ => c,
            }
        })
        .collect()
}
