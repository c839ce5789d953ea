//! Full-text search that takes any text a person can type.
//!
//! The text is split into words of letters and digits, so that none of the full-text engine's operators can reach
//! it. Words that the index knows are each required, as a beginning (`+word*`). Words too short for the index, and
//! those it leaves out as too common, match the beginning of a title, a SKU or a category's name, and only when
//! there is nothing better to search for.

/// The shortest word that every server's index holds (`innodb_ft_min_token_size` is 3 by default, and a managed
/// database may keep that).
const SHORTEST_INDEXED: usize = 3;
const MAX_WORDS: usize = 8;
/// InnoDB's own list of words that it does not index (INFORMATION_SCHEMA.INNODB_FT_DEFAULT_STOPWORD).
const STOPWORDS: &[&str] = &[
    "a", "about", "an", "are", "as", "at", "be", "by", "com", "de", "en", "for", "from", "how", "i", "in",
    "is", "it", "la", "of", "on", "or", "that", "the", "this", "to", "und", "was", "what", "when", "where",
    "who", "will", "with", "www",
];

/// What to search for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// The text in its canonical form, for keys.
    text: String,
    /// A boolean-mode expression; empty when no word is one that the index holds.
    pub expression: String,
    /// Words that must begin a title, SKU or category name; used when there is no expression, or beside it.
    pub beginnings: Vec<String>,
}

impl Search {
    pub fn new(q: &str) -> Self {
        let lower = q.to_lowercase();
        let mut words: Vec<&str> = Vec::new();
        for word in lower
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
        {
            if words.len() < MAX_WORDS && !words.contains(&word) {
                words.push(word);
            }
        }
        let indexed = |word: &&&str| word.chars().count() >= SHORTEST_INDEXED && !STOPWORDS.contains(word);
        let expression: Vec<_> = words
            .iter()
            .filter(indexed)
            .map(|word| format!("+{word}*"))
            .collect();
        let beginnings = words
            .iter()
            .filter(|word| !indexed(word))
            // Beside better words, a short one counts only when it means something: "tv stand", not "cup of tea".
            .filter(|word| expression.is_empty() || (word.chars().count() == 2 && !STOPWORDS.contains(word)))
            .map(ToString::to_string)
            .collect();
        Self {
            text: words.join(" "),
            expression: expression.join(" "),
            beginnings,
        }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether there is anything to search for: text of punctuation alone finds nothing.
    pub fn is_empty(&self) -> bool {
        self.expression.is_empty() && self.beginnings.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_never_reach_the_index() {
        for (text, expression) in [
            ("shirt +-", "+shirt*"),
            ("shirt@", "+shirt*"),
            ("\"blue shirt\" -red", "+blue* +shirt* +red*"),
            ("(((", ""),
            ("women's shirt", "+women* +shirt*"),
            ("the cup of tea", "+cup* +tea*"),
        ] {
            assert_eq!(Search::new(text).expression, expression, "{text}");
        }
    }

    #[test]
    fn short_words_are_beginnings() {
        assert_eq!(Search::new("tv").beginnings, ["tv"]);
        assert_eq!(Search::new("의자").beginnings, ["의자"]);
        assert_eq!(Search::new("tv stand").beginnings, ["tv"]);
        assert_eq!(Search::new("the").beginnings, ["the"]);
        assert!(Search::new("?!").is_empty());
    }

    #[test]
    fn many_words_are_cut() {
        let text = (0..100).map(|n| format!("word{n}")).collect::<Vec<_>>().join(" ");
        assert_eq!(Search::new(&text).expression.split(' ').count(), MAX_WORDS);
    }
}
